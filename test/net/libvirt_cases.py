# SPDX-License-Identifier: GPL-2.0-only
"""
The cases of test/libvirt beside its table of migrations. Each is given a Trial, yields
lines that say what was seen, and ends with what did not hold.
"""
import signal
import time

from libvirt_domain import BRIDGE, DIRECT
from libvirt_trial import OURS
from libvirt_wire import DEASSOC, M, PRE
from netns import wait_for

HOOK_MAX_MS = 200
STOCK_KEEPS_S = 15      # so long a stock switch keeps a VSI that was de-associated
SLOW = ("--bandwidth", "2")         # MiB/s: half a minute for this guest
TAP_IS_TO_FORWARD = ("--bandwidth", "12")       # its bridge runs STP: 4 s


def statuses(seen):
    return ", ".join("/".join(f"{x:02x}" for x in sorted(one.pre)) + f" {one.assoc:02x}"
                     for one in seen.nics)


def describe(seen):
    return (f"{seen.way}: M {statuses(seen)}, bound by "
            f"{', '.join(str(one.origin) for one in seen.nics)}, dropped {seen.dropped}, "
            f"lost {seen.lost}, {seen.took:.1f} s")


def cancelled(trial, wrong):
    """domjobabort when the binding waits at the destination."""
    trial.well(lambda: None)
    lab, vm, target = trial.lab, trial.vm, trial.other()
    port, old_port = lab.port_of[target], lab.port_of[vm.at]
    for each in port, old_port:
        lab.set_port(each, OURS, True)
    dropped, first = trial.dropped(), trial.stream.now()
    with trial.wires(port) as (wire,), trial.wires(old_port) as (old_wire,):
        command = vm.migrate(target, *SLOW)
        wait_for("mark, M and binding at the destination", lambda: (
            vm.uuid in trial.marks(target) and wire.statuses(PRE) == {M}
            and lab.states(vm).get(port) == "staged"), 15.0)
        yield f"pre-associated with M, marked and staged at {target}; aborted now"
        vm.abort()
        said = command.communicate()[0].strip()
        wrong("virsh migrate succeeded", not command.returncode)
        wait_for("the destination's de-associate", lambda: wire.first(DEASSOC))
        wait_for("the mark to go", lambda: vm.uuid not in trial.marks(target))
        wait_for("the binding there to go", lambda: port not in lab.in_kernel(vm))
        trial.wait_well()
        wrong(f"the VM is not bound where it was: {lab.states(vm)}",
              lab.states(vm) != {old_port: "active"})
        wrong("the source has said that it stopped", old_wire.suspended())
        wrong("the source was associated anew", old_wire.first(PRE))
    lost = trial.stream.report(first, trial.stream.now() - 100)["unicast"]["lost"]
    dropped = trial.dropped() - dropped
    wrong(f"the guard has dropped {dropped}", dropped)
    yield f"{said.splitlines()[-1]}"
    yield (f"mark, binding and pre-association are gone at {target}; dropped {dropped}, "
           f"lost {lost}")
    seen = trial.well(trial.migrate)
    for what in trial.wrong(seen):
        wrong(f"the migration after it: {what}", True)
    yield f"the migration after it, {describe(seen)}"


def back(trial, wrong):
    """There and back, before a stock switch has forgotten what was there."""
    for _ in range(3):
        there = trial.well(trial.migrate)
        here = trial.well(trial.migrate)
        if there.way.split() == here.way.split()[::-1]:
            break       # else a deaf guest was started afresh between them
    for seen in there, here:
        for what in trial.wrong(seen):
            wrong(f"{seen.way}: {what}", True)
        yield describe(seen)
    away = here.nics[0].pre_at - there.nics[0].left_at
    wrong(f"it came back after {away:.1f} s, too late to show anything",
          away > STOCK_KEEPS_S)
    yield f"pre-associated again {away:.1f} s after it had been de-associated there"


def two(trial, wrong):
    """Two interfaces of one domain; nothing is known of them at first, then all."""
    trial.boot(DIRECT, nics=2)
    yield "two interfaces: " + ", ".join(f"{n.mac} {n.ip}" for n in trial.vm.nics)
    for forgotten in True, False:
        seen = trial.well(lambda f=forgotten: trial.migrate(f))
        for what in trial.wrong(seen):
            wrong(what, True)
        yield describe(seen)
    trial.boot()


def hook(trial, wrong):
    """The engine at the destination hangs: libvirt notices nothing of it."""
    took = []
    for _ in range(2):
        target = trial.other()
        engine, libvirtd = trial.lab.engine[target], trial.lab.libvirtd[target]
        engine.kill(signal.SIGSTOP)
        before = len(libvirtd.hook_ms())
        try:
            command = trial.vm.migrate(target)
            said = command.communicate()[0].strip()
        finally:
            engine.kill(signal.SIGCONT)
        wrong(f"virsh migrate: {said}", command.returncode)
        if command.returncode:
            return
        trial.vm.at = target
        took += libvirtd.hook_ms()[before:]
        wait_for("the engine to answer again", lambda t=target: trial.lab.show(t, "ports"))
    wrong(f"the hook took {took} ms", not took or min(took) >= HOOK_MAX_MS)
    yield (f"two migrations went through, the hook took "
           f"{' and '.join(f'{x:.0f}' for x in took)} ms of them")
    trial.well(lambda: None)


def bridge(trial, wrong):
    """A tap at a bridge: the lease is seen by the engine, written by the agent."""
    trial.end()
    trial.lab.bridge_servers()
    trial.boot(BRIDGE)
    yield f"the agent's lease in the metadata: {trial.vm.leases()}"
    for run in range(4):
        seen = trial.well(lambda r=run: trial.migrate(r % 2 == 0, TAP_IS_TO_FORWARD))
        for what in trial.wrong(seen):
            wrong(f"run {run + 1}: {what}", True)
        yield describe(seen)
    trial.end()


CASES = {"cancelled": cancelled, "back": back, "hook": hook, "two": two,
         "bridge": bridge}


def run_case(name, trial):
    """Prints its lines; what was wrong."""
    failures, since = [], time.monotonic()
    first = CASES[name].__doc__.splitlines()[0]

    def wrong(what, it_is):
        if it_is:
            failures.append(f"{name}: {what}")
    print(f"{name}: {first}", flush=True)
    for line in CASES[name](trial, wrong):
        trial.progress()
        print(f"  {line}", flush=True)
        trial.progress(f"{name} goes on")
    trial.progress()
    print(f"  {'FAILED' if failures else 'passed'}, {time.monotonic() - since:.0f} s",
          flush=True)
    return failures
