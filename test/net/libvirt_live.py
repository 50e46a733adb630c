# SPDX-License-Identifier: GPL-2.0-only
"""
What test/libvirt does: a VM goes back and forth between two libvirtds (libvirtds.py) by
`virsh migrate --live`, and each migration is judged by what was on the wire of the
switch's port and in the kernel's table of the guard:

  M        pre-associates and the associate carried it: libvirt's own messages do not
  staged   the binding was in the kernel so long before the associate
  answer   of the switch to the associate, so long after it. libvirt does not wait for it:
           lldpad tells it what was answered to the pre-associate. So nothing but what
           was staged before is there in time
  resume   QEMU's first RARP, which tells that the VM runs: so long after the answer
  S        the source has said that the VM stopped there, by the agent; so long before it

Every other migration the switch has forgotten the VM's address, and nobody but the hook
at the destination can tell it: it has the lease from the domain's metadata, the module
answers the switch's call for help with it. In the others the switch knows it itself.
What arrives while the VM is stopped is lost, S or not: libvirt sets a macvtap up only
when the VM goes on, so nothing can wait in its queue. Losses are shown and not judged.
A TCG guest that is deaf (livemig.py) is started afresh, that migration does not count.
"""
import argparse
import os
import signal
import sys
import time
from types import SimpleNamespace

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import frames    # noqa: E402
from lab import DHCP, built    # noqa: E402
from libvirtds import Domain, LibvirtLab    # noqa: E402
from live import DAY, RECENT, SETTLE, Stream    # noqa: E402
from netns import CommandFailed, wait_for    # noqa: E402
from product import PROGRAMS    # noqa: E402

PRE, ASSOC, DEASSOC, M, S, ANSWER = 1, 3, 4, 0x10, 0x20, 0x40
RARP = b"\x80\x35"
BACK_WITHIN = 5.0
DEAF_FRAMES = 15
DEAF_MAX = 4
OURS = SimpleNamespace(settings=("assist=help", "groups=both"))
LINE = ("{run:>3}  {way:<8}  {m:<14}  {lease:<11}  {origin:<8}  {staged:>7}  {answer:>6}"
        "  {resume:>6}  {s:>5}  {dropped:>7}  {lost:>9}  {took:>5}")


class Deaf(Exception):
    pass


class Wire:
    """What has passed on a port of the switch, of one VM."""

    def __init__(self, lab, port, vm):
        self.vm = vm
        self.capture = lab.sw.capture(port, f"ether proto 0x8940 or ether src {vm.mac}")

    def vdp(self):
        """(time, mode, status octet) of each association TLV, in order."""
        return [(at, mode, status) for at, frame in self.capture.stamped()
                for mode, status, vsi in frames.vdp_tlvs([frame]) if vsi == self.vm.uuid]

    def statuses(self, mode):
        return {s for _, m, s in self.vdp() if m == mode and not s & ANSWER}

    def suspended(self):
        return next((at for at, _, status in self.vdp()
                     if status & S and not status & ANSWER), None)

    def first(self, mode, answer=False):
        return next((at for at, m, s in self.vdp()
                     if m == mode and bool(s & ANSWER) == answer), None)

    def first_status(self, mode):
        return next((s for _, m, s in self.vdp() if m == mode and not s & ANSWER), 0)

    def rarp(self):
        return next((at for at, f in self.capture.stamped() if f[12:14] == RARP), None)

    def sent(self):
        """Frames of the VM's own."""
        return sum(f[6:12] == frames.mac_bytes(self.vm.mac) and f[12:14] != RARP
                   for f in self.capture.now())

    def end(self):
        self.capture.stop()
        os.unlink(self.capture.path)


class Measurement:
    def __init__(self, options):
        self.options, self.failures, self.deaf = options, [], 0
        self.lab = LibvirtLab()
        image = options.image
        self.vm = Domain(self.lab, f"{image}/vmlinux", f"{image}/initrd.img")
        self.stream = None

    def begin(self, server="h1"):
        self.lab.set_port("p1", OURS, True)
        self.lab.set_port("p2", OURS, True)
        self.vm.boot(server)
        self.stream = self.stream or Stream(self.lab, f"{self.options.image}/stream",
                                            self.vm.ip)
        self.vm.keep_lease(DHCP, int(time.time()) + DAY)
        self._wait_well()

    def end(self):
        if self.stream:
            self.stream.stop()
        self.lab.end()

    def _wait_well(self):
        try:
            wait_for("", lambda: self.stream.lately()[0] == 0, 15.0, 0.1)
        except TimeoutError as e:
            raise Deaf(f"the VM does not answer: lost of {RECENT} "
                       f"{self.stream.lately()}, bound at "
                       f"{self.lab.in_kernel(self.vm)}, dropped "
                       f"{self.lab.violations()}") from e

    def measure(self):
        print(LINE.format(run="run", way="from to", m="M", lease="in the mark",
                          origin="binding", staged="staged", answer="answer",
                          resume="resume", s="S", dropped="dropped", lost="lost",
                          took="took"))
        print(LINE.format(run="", way="", m="PRE/ASSOC", lease="by metadata", origin="",
                          staged="ms", answer="ms", resume="ms", s="ms", dropped="",
                          lost="uni/multi", took="s"), flush=True)
        run = 0
        while run < self.options.runs:
            try:
                self._wait_well()
                self._migrate(run + 1, forgotten=run % 2 == 0)
            except Deaf as e:
                self._again(e)
                continue
            self.deaf, run = 0, run + 1

    def _again(self, why):
        self.deaf += 1
        print(f"  a deaf guest ({why}), started afresh", flush=True)
        if self.deaf > DEAF_MAX:
            raise CommandFailed("the guest is deaf again and again")
        self.vm.end()
        self.begin(self.vm.at)

    def _forget(self, port):
        """Nothing is known of the VM's address at the switch; the port that it is to
        leave is not ours meanwhile."""
        lab, vm = self.lab, self.vm
        lab.set_port(port, OURS, False)
        for command in "bind", "unbind":
            lab.cli("sw", command, "0", vm.mac, vm.ip, check=False)
        wait_for("the VM to be forgotten", lambda: not lab.bindings(vm))

    def _migrate(self, run, forgotten):
        lab, vm, source = self.lab, self.vm, self.vm.at
        target = "h2" if source == "h1" else "h1"
        old_port, port = lab.port_of[source], lab.port_of[target]
        lab.set_port(port, OURS, True)
        if forgotten:
            self._forget(old_port)
        wire, old_wire = Wire(lab, port, vm), Wire(lab, old_port, vm)
        try:
            dropped, first, since = self._dropped(), self.stream.now(), time.monotonic()
            command = vm.migrate(target)
            staged, lease = self._watch(command, port, target)
            said = command.communicate()[0].strip()
            if command.returncode:
                raise CommandFailed(f"virsh migrate: {said}; libvirtd at {target}: "
                                    f"{lab.libvirtd[target].log()}; lldpad there: "
                                    f"{lab.lldpad[target].process.tail(20)}; VDP there "
                                    f"{wire.vdp()}")
            took, vm.at = time.monotonic() - since, target
            back = self._await_back(self.stream.now())
            wait_for("the source's de-associate", lambda: old_wire.first(DEASSOC), 10.0)
            report = self.stream.report(first, self.stream.now() - SETTLE)
            lost = "/".join(str(report[x]["lost"]) for x in ("unicast", "multicast"))
            if not back and wire.sent() < DEAF_FRAMES:
                raise Deaf("it sends nothing")
            wait_for("QEMU's RARP", wire.rarp, 5.0)
            self._tell(run, forgotten, wire, way=f"{source} {target}", staged=staged,
                       lease=lease, dropped=self._dropped() - dropped, lost=lost,
                       took=took, back=back, port=port, suspended=old_wire.suspended())
        finally:
            wire.end()
            old_wire.end()

    def _dropped(self):
        return sum(self.lab.dropped(port) for port in ("p1", "p2"))

    def _watch(self, command, port, target):
        """When the binding was seen in the kernel, and what the mark knew."""
        staged, lease = None, None
        while command.poll() is None:
            if not lease:
                lease = next((row["address"] for row in self.lab.show(target, "marks")
                              if row["vsi"] == self.vm.uuid), None)
            if not staged and port in self.lab.in_kernel(self.vm):
                staged = time.time()
        return staged, lease

    def _await_back(self, first):
        try:
            wait_for("", lambda: self.stream.now() > first + RECENT + SETTLE
                     and self.stream.lately()[0] == 0, BACK_WITHIN, 0.05)
        except TimeoutError:
            return False
        return True

    def _tell(self, run, forgotten, wire, staged, port, back, suspended, **seen):
        asked, answered = wire.first(ASSOC), wire.first(ASSOC, answer=True)
        resumed, pre, assoc = wire.rarp(), wire.statuses(PRE), wire.first_status(ASSOC)
        origin = next((b["origin"] for p, b in self.lab.bindings(self.vm).items()
                       if p == port), None)
        wrong = {
            "pre-associate without M": pre != {M},
            "associate without M": assoc != M,
            "the mark did not have the lease": seen["lease"] != self.vm.ip,
            "not bound before the associate": not staged or staged > asked,
            "not bound as it should be": origin != ("help" if forgotten else "moved"),
            "the VM ran before the associate": not asked < resumed,
            f"the guard has dropped {seen['dropped']}": seen["dropped"],
            f"not back within {BACK_WITHIN:.0f} s": not back,
        }
        self.failures += [f"run {run}: {what}" for what, it_is in wrong.items() if it_is]

        def ms(a, b):
            return f"{(b - a) * 1000:.1f}" if a and b else "-"
        print(LINE.format(
            run=run, m="/".join(f"{x:02x}" for x in sorted(pre)) + f" {assoc:02x}",
            origin=origin or "none", staged=ms(staged, asked), answer=ms(asked, answered),
            resume=ms(answered, resumed), s=ms(suspended, resumed),
            **{**seen, "lease": seen["lease"] or "none", "took": f"{seen['took']:.1f}"}),
            flush=True)


def main():
    parser = argparse.ArgumentParser(prog="test/libvirt")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--verbose", action="store_true", help="the whole of an error")
    parser.add_argument("--image", required=True)
    options = parser.parse_args()
    missing = [n for n in PROGRAMS if not built(n)]
    if missing:
        print(f"not built: {', '.join(missing)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measurement, failures = Measurement(options), []
    try:
        measurement.begin()
        measurement.measure()
    except (CommandFailed, TimeoutError, Deaf) as e:
        failures.append(str(e))
        if options.verbose:
            raise
    finally:
        measurement.end()
    failures = measurement.failures + failures
    for failure in failures:
        print(f"FAILED {failure}")
    print("FAILED" if failures else f"passed: {options.runs} migrations")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
