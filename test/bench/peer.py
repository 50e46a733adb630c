#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What an operator's script does about VMs that migrate in, as well as one can: a daemon that
stays, a DHCPLEASEQUERY made by hand on a socket that is open, `nft add element` for the
answer. peer.py PORT GIADDR SERVER; reads lines "FIRST COUNT", see known.c.
"""
import os
import socket
import struct
import subprocess
import sys

LEASEQUERY, LEASEACTIVE = 10, 13
TIMEOUT_MAX = 30 * 86400   # nft takes no time-out of more than 49 days
COOKIE = b"\x63\x82\x53\x63"


def query(xid, mac, giaddr):
    """RFC 4388, by MAC."""
    return (struct.pack("!BBBBIHH", 1, 1, 6, 0, xid, 0, 0) + bytes(12)
            + socket.inet_aton(giaddr) + mac + bytes(10 + 64 + 128) + COOKIE
            + bytes((53, 1, LEASEQUERY, 55, 3, 51, 91, 92, 255)))


def answer(message, xid):
    """(address, lease time) of a LEASEACTIVE."""
    if struct.unpack_from("!I", message, 4)[0] != xid:
        return None
    options, at = {}, 240
    while at + 2 <= len(message) and message[at] != 255:
        if not message[at]:
            at += 1
            continue
        options[message[at]] = message[at + 2:at + 2 + message[at + 1]]
        at += 2 + message[at + 1]
    if options.get(53) != bytes((LEASEACTIVE,)) or len(options.get(51, b"")) != 4:
        return None
    return socket.inet_ntoa(message[12:16]), struct.unpack("!I", options[51])[0]


def main():
    port, giaddr, server = sys.argv[1:4]
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.bind((giaddr, 67))
    asking.connect((server, 67))
    asking.settimeout(1.0)
    print("ready", flush=True)
    for line in sys.stdin:
        first, count = (int(x) for x in line.split())
        for number in range(first, first + count):
            mac = b"\x52\x54" + number.to_bytes(4, "big")
            xid = int.from_bytes(os.urandom(4), "big")
            found = None
            while not found:
                asking.send(query(xid, mac, giaddr))
                try:
                    found = answer(asking.recv(2048), xid)
                except TimeoutError:
                    pass
            subprocess.run(("nft", "add", "element", "bridge", "vdp_migrate", "b4u",
                            f"{{ {port} . {mac.hex(':')} . {found[0]} "
                            f"timeout {min(found[1], TIMEOUT_MAX)}s }}"), check=True)


if __name__ == "__main__":
    main()
