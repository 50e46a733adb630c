# SPDX-License-Identifier: GPL-2.0-only
"""
From the associate request of a VM that migrates in until the first packet of a stream
that it listens to has reached it: where the switch knows its groups, where it asks for
them, and where nobody does but the bridge's own querier. README says more. Times are
the kernel's; the VM is test/net/stream_lab.py's, a Linux host that says nothing unasked.
"""
import statistics

import side     # noqa: F401: it says where the modules of test/net are
import frames
import multicast
import stream_lab
from netns import wait_for

EVERY = 0.0005          # s: the stream's pace
ASKS_EVERY = 2          # s: the bridge's querier, where it is alone
ASSOCIATE = 3           # the TLV's type, IEEE 802.1Q 41.2
RKA = 24                # keep-alives do not come into it


class Delay:
    """A line of the table: medians in ms, ours and without us."""

    def __init__(self, what, ours, other, aim):
        self.what, self.aim = what, aim
        self.spread = min(ours), max(ours)
        self.ours, self.other = statistics.median(ours), statistics.median(other)
        self.met = self.ours <= aim

    def cells(self):
        return (self.what, f"{self.ours:.2f} ms", f"{self.other:.0f} ms",
                f"{self.ours / self.other:.5f}", "%.2f..%.2f ms" % self.spread,
                f"<= {self.aim} ms", "met" if self.met else "MISSED")


class Bench:
    def __init__(self, lab):
        self.lab, self.vm = lab, stream_lab.Guest(lab)
        lab.born(self.vm)
        self.here, self.there = "h1", "h2"

    def round(self, known):
        """A migration there; in ms what it has taken."""
        lab, vm, (group, _) = self.lab, self.vm, multicast.new_groups()
        if known:
            listener = vm.join(group)
        lab.announce(vm, self.there)
        vm.stop()
        if not known:
            listener = vm.join(group)
        with lab.stream(group, every=EVERY) as stream:
            stream.wait_sent(10)
            with lab.tap(self.there, "e0") as wire:
                vm.resume(self.there, silent=True)
                vm.vdp(self.there, "assoc")
                began = self._associated(wire)
                wait_for("the stream", lambda: vm.tap.stream(since=began), 20.0, 0.002)
            took = vm.tap.stream(since=began)[0].when - began
        vm.leave(listener)
        vm.vdp(self.here, "deassoc")
        lab.wait_states(vm, **{vm.port: "active"})
        vm.tap.forget()
        self.here, self.there = self.there, self.here
        return took * 1000

    def _associated(self, wire):
        """When the request went out."""
        return next(x.when for x in wire.seen() for kind, _, vsi
                    in frames.vdp_requests([x.frame])
                    if kind == ASSOCIATE and vsi == self.vm.uuid)


def stream_rows(rounds, progress):
    progress("streams: a switch, two servers and a VM are set up")
    with stream_lab.StreamLab(rka=RKA) as lab:
        bench, known, asked, alone = Bench(lab), [], [], []
        for i in range(rounds):
            progress(f"streams: round {i + 1} of {rounds}")
            for found in (known, asked) if i % 2 else (asked, known):
                found.append(bench.round(found is known))
        with lab.set("p1", "groups=off"), lab.set("p2", "groups=off"), \
                lab.asking_every(ASKS_EVERY):
            for i in range(rounds // 2):
                progress(f"streams: without us, round {i + 1} of {rounds // 2}")
                alone.append(bench.round(False))
    progress()
    return [Delay("associate -> first multicast packet, groups known", known, alone, 2),
            Delay("  by our query", asked, alone, 25)]
