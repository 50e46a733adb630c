# SPDX-License-Identifier: GPL-2.0-only
"""
DHCP servers for tests of leasequery: ISC with leases written into its file, dnsmasq,
and one of our own that says what a test wants it to say.
"""
import os
import socket
import struct
import threading
import time

import frames

ACTIVE, UNKNOWN, UNASSIGNED = 13, 12, 11


def lease(ip, mac, seconds=3600, heard=10, client_id=None):
    """One lease of an ISC server's file. client_id: octets."""
    now = int(time.time())
    uid = "".join(f"\\{b:03o}" for b in client_id or b"")
    return (f"lease {ip} {{\n  starts epoch {now - heard};\n"
            f"  ends epoch {now + seconds};\n  cltt epoch {now - heard};\n"
            f"  binding state active;\n  hardware ethernet {mac};\n"
            + (f'  uid "{uid}";\n' if uid else "") + "}\n")


def isc(space, dev, *leases, conf="allow leasequery;",
        pool="range 10.9.0.100 10.9.0.199;"):
    """dhcpd in this namespace with these leases; the process."""
    place = os.path.join(space.dir, f"isc{len(os.listdir(space.dir))}")
    os.mkdir(place, 0o755)
    with open(os.path.join(place, "dhcpd.conf"), "w", encoding="ascii") as f:
        f.write(f"authoritative; ping-check false; default-lease-time 3600;\n{conf}\n"
                f"subnet 10.9.0.0 netmask 255.255.255.0 {{ {pool} }}\n")
    with open(os.path.join(place, "dhcpd.leases"), "w", encoding="ascii") as f:
        f.write("".join(leases))
    process = space.start(
        "dhcpd", "dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", "/etc/dhcp/dhcpd.conf",
        "-lf", "/var/lib/dhcp/dhcpd.leases", dev,
        private=f"mount --bind {place} /etc/dhcp; mount --bind {place} /var/lib/dhcp")
    process.wait_line("Server starting service")
    return process


def isc_pair(first, second):
    """A failover pair, up and in step; both processes. Each is (namespace, device,
    address)."""
    pair = []
    for (space, dev, own), (_, _, peer), role in ((first, second, "primary"),
                                                  (second, first, "secondary")):
        split = "mclt 600; split 128;" if role == "primary" else ""
        pair.append(isc(space, dev, conf=f"""allow leasequery;
failover peer "pair" {{ {role}; address {own}; port 647; peer address {peer};
    peer port 647; max-response-delay 5; max-unacked-updates 10;
    load balance max seconds 1; {split} }}""", pool="""pool { failover peer "pair";
    range 10.9.0.100 10.9.0.199; }"""))
    for process in pair:
        process.wait_line("I move from .* to normal", 30.0)
    return pair


def dnsmasq(space, dev):
    """Debian's: it has no leasequery."""
    process = space.start(
        "dnsmasq", "dnsmasq", "-k", "--user=root", "--conf-file=/dev/null", "--port=0",
        f"--interface={dev}", "--bind-interfaces", "--log-facility=-", "--pid-file=",
        f"--dhcp-leasefile={space.dir}/dnsmasq.leases",
        "--dhcp-range=10.9.0.100,10.9.0.150,255.255.255.0,1h")
    process.wait_line("DHCP, IP range")
    return process


class Fake:
    """A server on addr:67 of a namespace. answer(query) gives an Answer or None; a query
    is a dict: key ("mac", "ip", "client-id", "remote-id") and value (octets)."""

    def __init__(self, space, addr, answer):
        self.queries, self.answer = [], answer
        self.socket = space.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((addr, 67))
        self.socket.settimeout(0.05)
        self.ends = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()
        self.socket.close()

    def _serve(self):
        while not self.ends:
            try:
                data, sender = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            query = _query(data)
            self.queries.append(query)
            said = self.answer(query)
            if said:
                self.socket.sendto(said.reply(data), sender)


class Answer:
    def __init__(self, kind, ip="0.0.0.0", mac=None, seconds=None, others=(),
                 heard=None):
        self.kind, self.ip, self.mac, self.seconds = kind, ip, mac, seconds
        self.others, self.heard = others, heard

    def reply(self, query):
        options = bytes((53, 1, self.kind))
        if self.seconds is not None:
            options += struct.pack("!BBI", 51, 4, self.seconds)
        if self.heard is not None:
            options += struct.pack("!BBI", 91, 4, self.heard)
        if self.others:
            octets = b"".join(frames.ip_bytes(x) for x in self.others)
            options += bytes((92, len(octets))) + octets
        mac = bytes.fromhex(self.mac.replace(":", "")) if self.mac else bytes(6)
        return (bytes((2, 1 if self.mac else 0, 6 if self.mac else 0, 0)) + query[4:8]
                + bytes(4) + frames.ip_bytes(self.ip) + bytes(8) + query[24:28]
                + mac + bytes(10 + 192) + b"\x63\x82\x53\x63" + options + b"\xff")


def _query(data):
    options, at = {}, 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    if any(data[12:16]):
        return {"key": "ip", "value": data[12:16]}
    if 61 in options:
        return {"key": "client-id", "value": options[61]}
    if 82 in options:
        return {"key": "remote-id", "value": options[82][2:]}
    return {"key": "mac", "value": data[28:34]}
