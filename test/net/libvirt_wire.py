# SPDX-License-Identifier: GPL-2.0-only
"""
What has passed on a port of the switch, of one interface of a VM: VDP, read by our own
decoder (frames.py), and QEMU's RARPs.
"""
import os

import frames

PRE, ASSOC, DEASSOC, M, S, ANSWER = 1, 3, 4, 0x10, 0x20, 0x40
RARP = b"\x80\x35"


class Wire:
    """nic: mac, uuid."""

    def __init__(self, lab, port, nic):
        self.nic, self.space = nic, lab.sw
        self.counter = f"/sys/class/net/{port}/statistics/rx_packets"
        self.before = self._received()
        # Not all of the VM's: a busy machine would lose what matters.
        self.capture = lab.sw.capture(
            port, f"ether proto 0x8940 or (ether proto 0x8035 and ether src {nic.mac})")

    def vdp(self):
        """(time, mode, status octet) of each association TLV, in order."""
        return [(at, mode, status) for at, frame in self.capture.stamped()
                for mode, status, vsi in frames.vdp_tlvs([frame]) if vsi == self.nic.uuid]

    def requests(self):
        return [(at, mode, status) for at, mode, status in self.vdp()
                if not status & ANSWER]

    def statuses(self, mode):
        return {status for _, m, status in self.requests() if m == mode}

    def suspended(self):
        return next((at for at, _, status in self.requests() if status & S), None)

    def first(self, mode, answer=False):
        return next((at for at, m, s in self.vdp()
                     if m == mode and bool(s & ANSWER) == answer), None)

    def first_status(self, mode):
        return next((status for _, m, status in self.requests() if m == mode), 0)

    def after_it_left(self):
        """Requests behind a de-associate."""
        left = self.first(DEASSOC)
        return [(mode, status) for at, mode, status in self.requests()
                if left and at > left and mode != DEASSOC]

    def rarp(self):
        return next((at for at, f in self.capture.stamped() if f[12:14] == RARP), None)

    def sent(self):
        """Frames that have come in: a few of LLDP and VDP, all else is the VM's."""
        return self._received() - self.before

    def _received(self):
        return int(self.space.run("cat", self.counter))

    def end(self):
        self.capture.process.stop()
        os.unlink(self.capture.path)
