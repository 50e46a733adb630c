# SPDX-License-Identifier: GPL-2.0-only
"""
A relay on the switch that lives on an ordinary UDP socket, 0.0.0.0 port 67 (others, as
ISC's, use packet sockets as well). RFC 1542 section 4, as far as the tests need it.

usage: relay.py BRIDGE GIADDR SERVER [alone]     alone: without SO_REUSEADDR
"""
import socket
import sys

CLIENT = ("255.255.255.255", 68)


def serve(bridge, giaddr, server, alone):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if not alone:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", 67))
    down = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    down.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    down.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode())
    print("relay: serves", flush=True)
    own = socket.inet_aton(giaddr)
    while True:
        message = bytearray(s.recv(2048))
        if message[0] == 1 and message[24:28] == bytes(4):
            message[3] += 1
            message[24:28] = own
            s.sendto(message, (server, 67))
        elif message[0] == 2 and message[24:28] == own:
            down.sendto(datagram(own, message), CLIENT)


def datagram(own, payload):
    size = 28 + len(payload)
    ip = (b"\x45\0" + size.to_bytes(2, "big") + bytes(4) + b"\x40\x11\0\0" + own
          + b"\xff" * 4)
    return ip + b"\0\x43\0\x44" + (size - 20).to_bytes(2, "big") + b"\0\0" + payload


if __name__ == "__main__":
    serve(*sys.argv[1:4], "alone" in sys.argv[4:])
