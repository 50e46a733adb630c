# SPDX-License-Identifier: GPL-2.0-only
"""
One migration of the live lab (live.py) as it was seen: when the two QEMUs, VDP, the
switch and the VM did what. Witnesses: the events of the QEMUs, captures at the switch's
ports, and what the switch's engine says of itself.
"""
import datetime
import json
import signal
import struct

import frames
from lab import built
from live import GROUP

PRE, ASSOC, DEASSOC = 1, 3, 4
M, S, ANSWER, ERROR = 0x10, 0x20, 0x40, 0x0F
MODES = {PRE: "pre-associate", ASSOC: "associate", DEASSOC: "de-associate"}
PORTS = (5001, 5002)    # unicast, multicast
STREAMS = ("unicast", "multicast")
CUT = 0.001     # s: watch cuts its times down to this
SEEN = "ether proto 0x8940 or rarp or igmp or udp portrange 5001-5002"


class Timeline:
    """Looks from its begin to its end. rows: (seconds since 1970, who, what), in order;
    zero: when the VM has stopped. source, target: servers."""

    def __init__(self, lab, vm, source, target):
        self.vm, self.source, self.target = vm, source, target
        self.old_port, self.new_port = lab.port_of[source], lab.port_of[target]
        self.wire = {port: lab.sw.capture(port, SEEN)
                     for port in (self.old_port, self.new_port)}
        self.dhcp = lab.sw.capture("p3", "udp port 67")
        self.watch = lab.sw.start("watch", built("vdp-migrate"), "watch", "--json")
        self.watch.wait_line("watching")
        self.rows, self.zero, self.resumed = [], 0.0, 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for capture in (*self.wire.values(), self.dhcp):
            capture.stop()
        self.watch.stop(signal.SIGINT)

    def end(self, old, new):
        """old, new: the events of the two QEMUs."""
        self.__exit__()
        self.resumed = next((t for t, event, _ in new if event == "RESUME"), 0.0)
        self.rows = sorted((*self._hypervisor(old, new), *self._vdp(), *self._switch(),
                            *self._vm()), key=lambda row: row[0])
        begin = self.first(f"{self.target} -> switch  {MODES[PRE]}") or 0.0
        self.rows = [row for row in self.rows if row[0] >= begin - CUT]
        self.zero = self.first("the VM stops") or 0.0

    def first(self, words):
        """When that was, seconds since 1970; None: never."""
        return next((at for at, _, what in self.rows if words in what), None)

    def lines(self):
        """In words; ms from the VM's stop on."""
        for at, who, what in self.rows:
            yield f"{(at - self.zero) * 1000:9.1f}  {who:<10}  {what}"

    def _hypervisor(self, old, new):
        names = (
            (old, "MIGRATION", "active", f"QEMU at {self.source} begins to copy"),
            (old, "STOP", None, f"the VM stops at {self.source}"),
            (old, "MIGRATION", "completed", f"all is copied, says {self.source}"),
            (new, "MIGRATION", "completed", f"all of it is at {self.target}"),
            (new, "RESUME", None, f"the VM goes on at {self.target}"))
        for events, event, status, what in names:
            at = next((t for t, e, s in events if (e, s) == (event, status)), None)
            if at:
                yield at, "hypervisor", what

    def _vdp(self):
        """Each kind once: keep-alives say nothing new."""
        for port, capture in self.wire.items():
            server, told = self.source if port == self.old_port else self.target, set()
            for at, frame in capture.stamped():
                for mode, status, vsi in frames.vdp_tlvs([frame]):
                    answer = bool(status & ANSWER)
                    kind = mode, 0 if answer else status & (M | S), answer
                    if vsi != self.vm.uuid or mode not in MODES or kind in told:
                        continue
                    told.add(kind)
                    if kind[:2] == (ASSOC, 0) and not (port == self.new_port and answer):
                        continue    # a keep-alive, or the answer to one
                    yield at, "VDP", self._vdp_words(server, *kind, status & ERROR)

    @staticmethod
    def _vdp_words(server, mode, bits, answer, error):
        bit = {M: ", M", S: ", S", M | S: ", M and S"}.get(bits, "")
        if answer:
            said = "REFUSED" if error else "accepted"
            return f"switch -> {server}  {said}: {MODES[mode]}"
        return f"{server} -> switch  {MODES[mode]}{bit}"

    def _switch(self):
        names = {frames.LEASEQUERY: "asks the DHCP server for the VM's lease",
                 frames.LEASEACTIVE: "is told it"}
        for at, frame in self.dhcp.stamped():
            what = names.pop(frames.dhcp_kind(frame[42:]), None)
            if what:
                yield at, "switch", what
        for line in self.watch.lines:
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("what") == "binding" and said.get("mac") == self.vm.mac:
                at = datetime.datetime.fromisoformat(said["time"]).timestamp()
                yield at + CUT, "switch", f"binding at {said['port']}: {said['to']}"
        yield from self._turns()
        query = next((at for at, frame in self._frames(self.new_port)
                      if frame[12:14] == b"\x08\0" and frame[23] == 2
                      and frame[14 + (frame[14] & 15) * 4] == 0x11), None)
        if query:
            yield query, "switch", f"asks the VM for its groups, {self.new_port}"

    def _turns(self):
        """Where the streams go."""
        for number, name in enumerate(STREAMS):
            last = max((at for at, n in self.packets(self.old_port, number)), default=None)
            first = min((at for at, n in self.packets(self.new_port, number)), default=None)
            if last:
                yield last, "switch", f"{name}: the last packet out of {self.old_port}"
            if first:
                yield first, "switch", f"{name}: the first packet out of {self.new_port}"

    def _vm(self):
        answers = [at for at, _ in self.packets(self.old_port, 0, back=True)]
        if answers:
            yield max(answers), "VM", f"its last answer, by {self.old_port}"
        own = frames.mac_bytes(self.vm.mac)
        seen = {}
        for at, frame in self._frames(self.new_port):
            if frame[6:12] != own or at < self.resumed:
                continue    # it may be flooded there, too
            if frame[12:14] == b"\x80\x35":
                seen.setdefault("RARP, sent for it by QEMU", at)
            elif frame[12:14] == b"\x08\0" and frame[23] == 2:
                seen.setdefault(f"reports its group {GROUP}", at)
            elif frame[23] == 17:
                seen.setdefault(f"its first answer, by {self.new_port}", at)
        for what, at in seen.items():
            yield at, "VM", what

    def _frames(self, port):
        return [(at, f) for at, f in self.wire[port].stamped() if len(f) >= 42]

    def packets(self, port, stream, back=False):
        """(time, number) of a stream's packets to the VM there, or of its answers."""
        found = []
        for at, frame in self._frames(port):
            if frame[12:14] != b"\x08\0" or frame[23] != 17 or frame[42:46] != b"live":
                continue
            source, to = struct.unpack_from("!HH", frame, 34)
            which, number = struct.unpack_from("=II", frame, 46)
            if which == stream and (source in PORTS if back else to in PORTS):
                found.append((at, number))
        return found
