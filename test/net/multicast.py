# SPDX-License-Identifier: GPL-2.0-only
"""
Multicast streams: who sends them, who listens, and what passes on an interface, told
apart by kind. Knows nothing of the lab.
RFC 2236 and 3376 (IGMP), RFC 2710 and 3810 (MLD).
"""
import itertools
import socket
import struct
import threading
import time

import frames
from netns import ETH_P_ALL, wait_for

PORT = 5007
EVERY = 0.005
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
PACKET_OUTGOING = 4
MAGIC = b"strm"
QUERY, REPORT, LEAVE, STREAM, OTHER = "query", "report", "leave", "stream", "other"
KINDS = {(4, 0x11): QUERY, (4, 0x12): REPORT, (4, 0x16): REPORT, (4, 0x22): REPORT,
         (4, 0x17): LEAVE, (6, 130): QUERY, (6, 131): REPORT, (6, 143): REPORT,
         (6, 132): LEAVE}
ASKED_BY_ALL = ("01:00:5e:00:00:01", "33:33:00:00:00:01")
_numbers = itertools.count(1)


def new_groups():
    """Groups that nobody has used yet: one of IPv4, one of IPv6."""
    number = next(_numbers)
    return f"239.1.{number >> 8}.{number & 255}", f"ff15::1:{number:x}"


class Seen:
    """A frame at a guest's plug: when, which way, and what it is."""

    def __init__(self, when, to_guest, frame):
        self.when, self.to_guest, self.frame = when, to_guest, frame
        self.dst = frame[:6].hex(":")
        self.src = frame[6:12].hex(":")
        self.family, self.kind, self.number = 0, OTHER, None
        if frame[12:14] == b"\x08\x00":
            self._read(4, frame[23], frame[14 + (frame[14] & 15) * 4:])
        elif frame[12:14] == b"\x86\xdd":
            hop = frame[20] == 0    # hop-by-hop options: router alert, 8 octets
            self._read(6, frame[54] if hop else frame[20], frame[62 if hop else 54:])

    def _read(self, family, protocol, data):
        self.family = family
        if protocol == {4: 2, 6: 58}[family]:
            self.kind = KINDS.get((family, data[0]), OTHER)
        elif protocol == 17 and data[8:12] == MAGIC:
            self.kind, self.number = STREAM, struct.unpack("!I", data[12:16])[0]

    def __repr__(self):
        return f"{self.kind}{self.family or ''} {self.src}>{self.dst}"


class Tap:
    """All that reaches a guest and leaves it, from now on, by the kernel's clock."""

    def __init__(self, space, ifname):
        self._socket = space.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._socket.bind((ifname, ETH_P_ALL))
        self._seen = []

    def seen(self, kind=None, family=None, to_guest=None, since=0.0):
        self._drain()
        return [x for x in self._seen
                if kind in (None, x.kind) and family in (None, x.family)
                and to_guest in (None, x.to_guest) and x.when >= since]

    def queries(self, **which):
        return self.seen(QUERY, to_guest=True, **which)

    def reports(self, **which):
        return self.seen(REPORT, to_guest=False, **which)

    def stream(self, **which):
        return self.seen(STREAM, to_guest=True, **which)

    def forget(self):
        """What was seen until now."""
        self._drain()
        self._seen.clear()

    def _drain(self):
        while True:
            try:
                frame, extra, _, address = self._socket.recvmsg(2048, 256)
            except BlockingIOError:
                return
            seconds, nanos = next(struct.unpack("=qq", data) for _, kind, data in extra
                                  if kind == SO_TIMESTAMPNS)
            self._seen.append(Seen(seconds + nanos / 1e9,
                                   address[2] == PACKET_OUTGOING, frame))

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Stream(threading.Thread):
    """Numbered packets to groups, from a namespace without a name in the product."""

    def __init__(self, space, ifname, *groups, every=EVERY):
        super().__init__(daemon=True)
        index = space.ip_json("link", "show", "dev", ifname)[0]["ifindex"]
        self._to = [(_sender(space, group, index), (group, PORT)) for group in groups]
        self.every, self.sent = every, 0
        self._end = threading.Event()
        self.start()

    def run(self):
        due = time.monotonic()
        while not self._end.wait(max(0.0, due - time.monotonic())):
            for out, address in self._to:
                out.sendto(MAGIC + struct.pack("!I", self.sent), address)
            self.sent += 1
            due = max(due + self.every, time.monotonic())

    def stop(self):
        self._end.set()
        self.join()
        for out, _ in self._to:
            out.close()

    def wait_sent(self, packets):
        """Until so many more have been sent."""
        upto = self.sent + packets
        wait_for(f"{packets} packets to be sent", lambda: self.sent >= upto, 30.0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _sender(space, group, index):
    if ":" in group:
        out = space.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
    else:
        out = space.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                       struct.pack("=4s4si", bytes(4), bytes(4), index))
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    return out


class Listener:
    """A program in a guest that has joined a group; what it hears."""

    def __init__(self, guest, group, source=None):
        self.group, index = group, guest.index
        six = ":" in group
        self._socket = guest.space.socket(socket.AF_INET6 if six else socket.AF_INET,
                                          socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self._socket.setblocking(False)
        self._socket.bind((group, PORT))
        if six:
            self._socket.setsockopt(
                socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index))
        elif source:    # MCAST_JOIN_SOURCE_GROUP
            self._socket.setsockopt(socket.IPPROTO_IP, 46, struct.pack(
                "=I4x", index) + _storage(group) + _storage(source))
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                    struct.pack("=4s4si", frames.ip_bytes(group),
                                                bytes(4), index))
        self.numbers = []

    def heard(self, since=0):
        """The packets' numbers, from that one on."""
        while True:
            try:
                data = self._socket.recv(64)
            except BlockingIOError:
                return [n for n in self.numbers if n >= since]
            if data[:4] == MAGIC:
                self.numbers.append(struct.unpack("!I", data[4:8])[0])

    def close(self):
        self._socket.close()


def group_octets(group):
    return socket.inet_pton(socket.AF_INET6 if ":" in group else socket.AF_INET, group)


def _storage(address):
    return struct.pack("=HH4s120x", socket.AF_INET, 0, frames.ip_bytes(address))
