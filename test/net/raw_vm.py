# SPDX-License-Identifier: GPL-2.0-only
"""
A VM that is nothing but frames: sent and heard at its server's uplink, so that it can
say whatever it likes. It has a VSI and takes its lease from the real DHCP server.
RFC 2131 section 4.4.1, as far as needed.
"""
import os
import socket
import struct
import uuid

import frames
from lab import DHCP
from netns import ETH_P_ALL, wait_for

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = 1, 2, 3, 4, 5, 6, 7
BROADCAST = "ff:ff:ff:ff:ff:ff"


class RawVm:
    def __init__(self, lab, server):
        self.lab, self.server, self.port = lab, server, lab.port_of[server]
        self.mac = "52:54:00:%02x:%02x:%02x" % tuple(os.urandom(3))
        self.uuid, self.ip = str(uuid.uuid4()), None
        self.socket = lab.space[server].packet_socket("e0", ETH_P_ALL)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)    # SO_RCVBUFFORCE
        self.socket.setblocking(False)

    def close(self):
        self.vdp("deassoc", check=False, wait=False)
        self.socket.close()

    def vdp(self, mode, **options):
        return self.lab.vdp(self.server, mode, self.uuid, self.mac, **options)

    def send(self, frame):
        self.socket.send(frame)

    def client_message(self, kind, xid, chaddr=None, source=None, ciaddr="0.0.0.0",
                       saddr="0.0.0.0", options=b""):
        """As a DHCP client says it; what is not said is its own."""
        message = frames.dhcp(1, kind, xid, chaddr or self.mac, ciaddr=ciaddr,
                              options=options)
        daddr, mac = (("255.255.255.255", BROADCAST) if saddr == "0.0.0.0"
                      else (DHCP, self.lab.dhcp_mac))
        return frames.udp_frame(mac, source or self.mac, saddr, daddr, message, 68, 67)

    def discover(self, xid):
        """The address that the server offers."""
        self.send(self.client_message(DISCOVER, xid))
        return self._reply(OFFER, xid)

    def request(self, xid, ip):
        self.send(self.client_message(REQUEST, xid, options=chosen(ip)))

    def acked(self, xid):
        self.ip = self._reply(ACK, xid)
        return self.ip

    def lease(self):
        xid = int.from_bytes(os.urandom(4), "big")
        self.request(xid, self.discover(xid))
        return self.acked(xid)

    def _reply(self, kind, xid):
        wanted = struct.pack("!I", xid)

        def heard():
            while True:
                try:
                    frame = self.socket.recv(2048)
                except BlockingIOError:
                    return None
                if frame[12:14] == b"\x08\x00" and frame[34:36] == b"\0\x43" \
                        and frame[46:50] == wanted \
                        and frames.dhcp_kind(frame[42:]) == kind:
                    return socket.inet_ntoa(frame[58:62])
        return wait_for(f"a DHCP message {kind} for {self.mac}", heard)


def chosen(ip):
    """Options of a request after an offer."""
    return b"\x32\x04" + frames.ip_bytes(ip) + b"\x36\x04" + frames.ip_bytes(DHCP)
