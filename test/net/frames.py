# SPDX-License-Identifier: GPL-2.0-only
"""
Frames and messages made by hand, and a ping that counts: what the lab sends and
reads without any of the programs under test.
RFC 903 (RARP), RFC 792 (echo), RFC 2131 and RFC 4388 (DHCP, leasequery), IGMP, MLD.
"""
import errno
import os
import select
import socket
import struct
import threading
import time
import uuid

BROADCAST = b"\xff" * 6
LEASEQUERY, LEASEUNASSIGNED, LEASEUNKNOWN, LEASEACTIVE = 10, 11, 12, 13


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def ip_bytes(text):
    return socket.inet_aton(text)


def rarp(mac):
    """What QEMU sends when a migrated VM resumes: who is MAC, tell MAC."""
    m = mac_bytes(mac)
    return (BROADCAST + m + struct.pack("!HHHBBH", 0x8035, 1, 0x0800, 6, 4, 3)
            + m + bytes(4) + m + bytes(4) + bytes(18))


def arp_request(mac, ip, target):
    m = mac_bytes(mac)
    return (BROADCAST + m + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
            + m + ip_bytes(ip) + bytes(6) + ip_bytes(target) + bytes(18))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def vdp_requests(captured):
    """Those of vdp_tlvs that are requests."""
    return [x for x in vdp_tlvs(captured) if not x[1] & 0x40]


def vdp_tlvs(captured):
    """(mode, status octet, VSI ID) of each VDP association TLV in an ECPDU (ratified
    VDP), in order; retransmissions are there once. IEEE 802.1Q 41.2, 43.3."""
    found, last = [], None
    for frame in captured:
        if frame[12:14] != b"\x89\x40" or frame[14] & 0x0C or frame == last:
            continue
        last, at = frame, 18
        while at + 2 <= len(frame):
            kind, size = frame[at] >> 1, (frame[at] & 1) << 8 | frame[at + 1]
            value = frame[at + 2:at + 2 + size]
            if kind == 0:
                break
            if kind in (1, 2, 3, 4):
                found.append((kind, value[0], str(uuid.UUID(bytes=value[6:22]))))
            at += 2 + size
    return found


def udp_frame(dst_mac, src_mac, src, dst, payload, sport=67, dport=67):
    """An Ethernet frame with UDP in it, UDP checksum 0 (not used)."""
    length = 28 + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 17, 0,
                       ip_bytes(src), ip_bytes(dst))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return (mac_bytes(dst_mac) + mac_bytes(src_mac) + b"\x08\x00" + head
            + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def igmp_query(mac, ip):
    """IGMPv3, for all groups (RFC 3376 4.1), to all hosts."""
    return _igmp(mac, ip, "224.0.0.1", struct.pack("!BBH4sBBH", 0x11, 100, 0, bytes(4),
                                                   2, 125, 0))


def igmp_report(mac, ip, group):
    """IGMPv2 (RFC 2236 2)."""
    return _igmp(mac, ip, group, struct.pack("!BBH4s", 0x16, 0, 0, ip_bytes(group)))


def _igmp(mac, src, group, message):
    head = struct.pack("!BBHHHBBH4s4sI", 0x46, 0xC0, 24 + len(message), 0, 0, 1, 2, 0,
                       ip_bytes(src), ip_bytes(group), 0x94040000)
    to = b"\x01\0\x5e" + bytes((ip_bytes(group)[1] & 127,)) + ip_bytes(group)[2:]
    return (to + mac_bytes(mac) + b"\x08\0" + _summed(head, 10)
            + _summed(message, 2)).ljust(60, b"\0")


def mld_query(mac, ip):
    """MLDv2, for all groups (RFC 3810 5.1), to all nodes."""
    src, to = (socket.inet_pton(socket.AF_INET6, x) for x in (ip, "ff02::1"))
    message = struct.pack("!BBHHH16sBBH", 130, 0, 0, 1000, 0, bytes(16), 2, 125, 0)
    pseudo = src + to + struct.pack("!II", len(message), 58)
    message = _summed(pseudo + message, len(pseudo) + 2)[len(pseudo):]
    return (b"\x33\x33\0\0\0\x01" + mac_bytes(mac) + b"\x86\xdd"
            + struct.pack("!IHBB", 6 << 28, 8 + len(message), 0, 1) + src + to
            + bytes.fromhex("3a00050200000100") + message)


def _summed(data, at):
    """With the checksum of all of it put in there."""
    return data[:at] + struct.pack("!H", checksum(data)) + data[at + 2:]


def dhcp(op, kind, xid, mac, giaddr="0.0.0.0", ciaddr="0.0.0.0", options=b""):
    return (struct.pack("!BBBBIHH4s4s4s4s16s192s", op, 1, 6, 0, xid, 0, 0,
                        ip_bytes(ciaddr), bytes(4), bytes(4), ip_bytes(giaddr),
                        mac_bytes(mac), b"")
            + bytes.fromhex("63825363") + bytes((53, 1, kind)) + options + b"\xff"
            ).ljust(300, b"\0")


def dhcp_kind(message):
    """DHCP message type (option 53), None if it is no DHCP message."""
    if len(message) < 241 or message[236:240] != bytes.fromhex("63825363"):
        return None
    at = 240
    while at + 1 < len(message) and message[at] != 255:
        if message[at] == 53:
            return message[at + 2]
        at += 1 if message[at] == 0 else 2 + message[at + 1]
    return None


def leasequery(space, giaddr, server, mac, timeout=3.0):
    """Ask a server by MAC from giaddr:67; (message type, address) or None."""
    xid = int.from_bytes(os.urandom(4), "big")
    with space.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((giaddr, 67))
        s.settimeout(timeout)
        s.sendto(dhcp(1, LEASEQUERY, xid, mac, giaddr), (server, 67))
        try:
            while True:
                reply = s.recv(2048)
                if struct.unpack("!I", reply[4:8])[0] == xid:
                    return dhcp_kind(reply), socket.inet_ntoa(reply[12:16])
        except TimeoutError:
            return None


class Ping(threading.Thread):
    """Echo requests at a steady pace from a namespace, each with its own number.
    What cannot even be sent (the VM is stopped) is not counted. held: none for now."""

    def __init__(self, space, target, every=0.01):
        super().__init__(daemon=True)
        self.target, self.every, self.held = target, every, False
        self.sent, self.got = {}, {}    # number -> time
        self.token = os.urandom(2)
        self._socket = space.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._end = threading.Event()
        self.start()

    def run(self):
        number, due = 0, time.monotonic()
        while not self._end.is_set():
            now = time.monotonic()
            if now >= due and self.held:
                due = now + self.every
            elif now >= due:
                number = self._send(number, now)
                due = max(due + self.every, now)
            if select.select((self._socket,), (), (), max(0, due - time.monotonic()))[0]:
                self._receive()

    def _send(self, number, now):
        body = self.token + struct.pack("!H", number & 0xFFFF) + bytes(16)
        packet = b"\x08\x00" + struct.pack("!H", checksum(b"\x08\x00\0\0" + body)) + body
        self.sent[number] = now
        try:
            self._socket.sendto(packet, (self.target, 0))
        except OSError as e:
            if e.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN,
                               errno.EADDRNOTAVAIL):
                raise
            del self.sent[number]
            return number
        return number + 1

    def _receive(self):
        packet = self._socket.recv(2048)
        icmp = packet[(packet[0] & 15) * 4:]
        if len(icmp) >= 8 and icmp[0] == 0 and icmp[4:6] == self.token:
            self.got.setdefault(struct.unpack("!H", icmp[6:8])[0], time.monotonic())

    def stop(self):
        self._end.set()
        self.join()
        self._socket.close()
        return self

    def next(self):
        """The number that the next packet will have."""
        return len(self.sent)

    def lost(self, since=0, until=None):
        """Numbers that were sent and never answered."""
        return [n for n in list(self.sent) if n >= since and n not in self.got
                and (until is None or n < until)]

    def replies(self, since=0):
        return [n for n in list(self.got) if n >= since]

    def first_reply_ms(self, since):
        """From the first packet with this number or a later one to the first answer of
        such a one, None without any."""
        answered = self.replies(since)
        if not answered:
            return None
        return (min(self.got[n] for n in answered) - self.sent[since]) * 1000
