# SPDX-License-Identifier: GPL-2.0-only
"""
One migration by `virsh migrate --live`, and what is judged of it, by what was on the
wire of the switch's ports and in the kernel's table of the guard. Each interface of the
domain is a VSI of its own, and all that is said here is said of each of them.

A TCG guest that is deaf (livemig.py) is started afresh, that migration does not count.
"""
import contextlib
import time
from types import SimpleNamespace

from frames import Ping
from libvirt_domain import BRIDGE, DIRECT, Domain
from libvirt_wire import ANSWER, ASSOC, DEASSOC, M, PRE, Wire
from live import RECENT, SETTLE, Stream
from netns import CommandFailed, wait_for

BACK_WITHIN = 5.0
DEAF_FRAMES = 200       # of LLDP and VDP there are fewer
DEAF_MAX = 4
PORTS = ("p1", "p2")
OURS = SimpleNamespace(settings=("assist=help", "groups=both"))


class Deaf(Exception):
    pass


class Trial:
    """The VM, the streams that go to it, and its migrations."""

    def __init__(self, lab, options, progress):
        self.lab, self.options, self.progress = lab, options, progress
        self.vm = self.stream = None
        self.deaf = 0

    def boot(self, kind=DIRECT, nics=1, server="h1"):
        """A VM in place of the one before, whose lease is in its metadata."""
        self.end()
        self.progress(f"a VM starts, its interface: {kind}")
        for port in PORTS:
            self.lab.set_port(port, OURS, True)
        image = self.options.image
        self.vm = Domain(self.lab, f"{image}/vmlinux", f"{image}/initrd.img", kind, nics)
        self.vm.boot(server)
        self.stream = Stream(self.lab, f"{image}/stream", self.vm.ip)
        wait_for("the agent to put the lease into the metadata", lambda: all(
            self.vm.leases().get(nic.mac) == nic.ip for nic in self.vm.nics))
        self.wait_well()

    def end(self):
        if self.stream:
            self.stream.stop()
        if self.vm:
            self.vm.end()
        self.vm = self.stream = None

    def wait_well(self):
        try:
            wait_for("", lambda: self.stream.lately()[0] == 0, 15.0, 0.1)
        except TimeoutError as e:
            raise Deaf(f"the VM does not answer: lost of {RECENT} "
                       f"{self.stream.lately()}, bound at "
                       f"{self.lab.in_kernel(self.vm)}, dropped "
                       f"{self.lab.violations()}") from e

    def well(self, what):
        """What this function does with the VM; with another VM where it is deaf."""
        while True:
            try:
                self.wait_well()
                result = what()
            except Deaf as e:
                self._again(e)
                continue
            self.deaf = 0
            return result

    def _again(self, why):
        self.deaf += 1
        self.progress()
        print(f"  a deaf guest ({why}), started afresh", flush=True)
        if self.deaf > DEAF_MAX:
            raise CommandFailed("the guest is deaf again and again")
        self.boot(self.vm.kind, len(self.vm.nics), self.vm.at)

    def other(self):
        return "h2" if self.vm.at == "h1" else "h1"

    def dropped(self):
        return sum(self.lab.dropped(port) for port in PORTS)

    def marks(self, server):
        """{VSI: address that its mark knows} at that server."""
        return {row["vsi"]: row["address"] for row in self.lab.show(server, "marks")}

    @contextlib.contextmanager
    def wires(self, port):
        wires = []
        try:
            for nic in self.vm.nics:
                wires.append(Wire(self.lab, port, nic))
            yield wires
        finally:
            for wire in wires:
                wire.end()

    def forget(self, port):
        """Nothing is known of the VM's addresses at the switch; the port that it is to
        leave is not ours meanwhile."""
        self.lab.set_port(port, OURS, False)
        self.lab.forget_all()

    def migrate(self, forgotten=False, options=()):
        """To the other server; what was seen. forgotten: the switch knows nothing of the
        VM, all that it can learn is what the domain's metadata says."""
        lab, vm, source, target = self.lab, self.vm, self.vm.at, self.other()
        port, old_port = lab.port_of[target], lab.port_of[source]
        lab.set_port(port, OURS, True)
        if forgotten:
            self.forget(old_port)
        else:
            lab.set_port(old_port, OURS, True)
        self.progress(f"{source} {target}: migrates")
        with self.wires(port) as wires, self.wires(old_port) as old_wires:
            seen = SimpleNamespace(
                way=f"{source} {target}", port=port, forgotten=forgotten, nics=[],
                dropped=self.dropped(), first=self.stream.now(), pings=self._pings())
            since = time.monotonic()
            self._carry_out(seen, target, options, wires)
            seen.took = time.monotonic() - since
            seen.back = self._await_back(self.stream.now())
            for wire in old_wires:
                wait_for("the source's de-associate", lambda w=wire: w.first(DEASSOC),
                         10.0)
            self._note_streams(seen, wires)
            for nic, wire, old_wire in zip(vm.nics, wires, old_wires):
                seen.nics.append(self._note(seen, nic, wire, old_wire))
        return seen

    def _pings(self):
        """To the interfaces that the streams do not go to."""
        return [Ping(self.lab.space["other"], nic.ip, 0.005) for nic in self.vm.nics[1:]]

    def _carry_out(self, seen, target, options, wires):
        """virsh, and what becomes of the marks and bindings as long as it runs."""
        lab, vm, source = self.lab, self.vm, self.vm.at
        seen.marked, seen.staged = {}, {}
        events = self._follow(source) if vm.kind == BRIDGE else None
        preassociated = associated = False
        since = time.time()
        command = vm.migrate(target, *options)
        while command.poll() is None:
            marks = self.marks(target)
            seen.marked.update({vsi: ip for vsi, ip in marks.items() if ip})
            if vm.kind == BRIDGE and marks and not preassociated:
                vm.vdp("preassociate", target, "--migrate")
                preassociated = True
            if events and not associated and events.find("Suspended"):
                vm.vdp("associate", target, "--migrate")
                associated = True
            for nic in vm.nics:
                if nic.uuid not in seen.staged and seen.port in lab.in_kernel(nic):
                    seen.staged[nic.uuid] = time.time()
        said = command.communicate()[0].strip()
        if events:
            events.stop()
        if command.returncode:
            raise CommandFailed(
                f"virsh migrate: {said}; libvirtd at {target}: "
                f"{lab.libvirtd[target].errors(since)}; lldpad there: "
                f"{lab.lldpad[target].process.tail(20)}; VDP there {wires[0].vdp()}")
        vm.at = target
        if vm.kind == BRIDGE:
            if not associated:
                vm.vdp("associate", target, "--migrate")
            vm.vdp("deassociate", source)

    def _follow(self, server):
        """libvirt's events there, as an operator's script would have them."""
        events = self.lab.space[server].start(
            "events", "stdbuf", "-oL", "virsh", "-c", self.lab.libvirtd[server].uri,
            "event", self.vm.NAME, "lifecycle", "--loop")
        return events

    def _await_back(self, first):
        try:
            wait_for("", lambda: self.stream.now() > first + RECENT + SETTLE
                     and self.stream.lately()[0] == 0, BACK_WITHIN, 0.05)
        except TimeoutError:
            return False
        return True

    def _note_streams(self, seen, wires):
        report = self.stream.report(seen.first, self.stream.now() - SETTLE)
        seen.lost = "/".join(str(report[x]["lost"]) for x in ("unicast", "multicast"))
        for ping in seen.pings:
            last = ping.next()
            with contextlib.suppress(TimeoutError):
                wait_for("", lambda p=ping, n=last: p.replies(n), BACK_WITHIN)
            seen.back = seen.back and bool(ping.replies(last))
            seen.lost += f" {len(ping.stop().lost(until=last))}"
        if not seen.back and wires[0].sent() < DEAF_FRAMES:
            raise Deaf("it sends nothing")
        for wire in wires:
            wait_for("QEMU's RARP", wire.rarp, 5.0)
        seen.dropped = self.dropped() - seen.dropped

    def _note(self, seen, nic, wire, old_wire):
        bindings = self.lab.bindings(nic)
        return SimpleNamespace(
            nic=nic, pre=wire.statuses(PRE), assoc=wire.first_status(ASSOC),
            pre_at=wire.first(PRE), asked=wire.first(ASSOC),
            answered=wire.first(ASSOC, answer=True), resumed=wire.rarp(),
            refused=[s for _, _, s in wire.vdp() if s & ANSWER and s != ANSWER],
            suspended=old_wire.suspended(), left_at=old_wire.first(DEASSOC),
            after_it_left=old_wire.after_it_left(),
            marked=seen.marked.get(nic.uuid), staged=seen.staged.get(nic.uuid),
            origin=bindings.get(seen.port, {}).get("origin"),
            states={port: row["state"] for port, row in bindings.items()})

    def wrong(self, seen):
        """What of the promise did not hold."""
        found = {f"the guard has dropped {seen.dropped}": seen.dropped,
                 f"not back within {BACK_WITHIN:.0f} s": not seen.back}
        for one in seen.nics:
            found.update({f"{one.nic.mac}: {what}": it_is
                          for what, it_is in self._wrong_of(seen, one).items()})
        return [what for what, it_is in found.items() if it_is]

    def _wrong_of(self, seen, one):
        origin = "help" if seen.forgotten else "moved"
        found = {
            f"pre-associates with {one.pre}, not M alone": one.pre != {M},
            f"associate with {one.assoc:02x}, not M": one.assoc != M,
            f"refused: {one.refused}": one.refused,
            f"the mark had the lease {one.marked}": one.marked != one.nic.ip,
            "not bound before the associate": not one.staged or one.staged > one.asked,
            f"bound by {one.origin}, not {origin}": one.origin != origin,
            "the source has not said that the VM has stopped": not one.suspended,
            f"requests after the VM has left: {one.after_it_left}": one.after_it_left,
        }
        if self.vm.kind == DIRECT:
            found["the VM ran before the associate"] = not one.asked < one.resumed
        return found
