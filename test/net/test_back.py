# SPDX-License-Identifier: GPL-2.0-only
"""
A VM that goes back to where it came from, with the timers that lldpad has by itself: then
the switch's holds a VSI for some 15 s after its de-associate, and takes what comes in that
time as a change of what it knows.
"""
import time

from netns import wait_for

LAB = {"rka": 20}
HELD = 15.0     # s


def in_lldpad(lab, vm, port):
    return any(row["in_lldpad"] for row in lab.show("sw", "vsis")
               if (row["vsi"], row["port"]) == (vm.uuid, port))


def test_vm_that_goes_back_while_the_switch_still_holds_its_old_association(lab, vm):
    lab.born(vm)
    ping, before = vm.ping(), lab.violations()
    lab.migrate(vm, "h2")
    left = time.monotonic()
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    lab.announce(vm, "h1")
    lab.wait_states(vm, p1="staged", p2="active")
    lab.switch_over(vm, "h1")
    first = ping.next()
    wait_for("its answers", lambda: len(ping.replies(first)) > 20)
    ping.stop()
    assert time.monotonic() - left < HELD
    assert not ping.lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before
    vm.vdp("h2", "deassoc")
    lab.wait_states(vm, p1="active")
    assert lab.in_kernel(vm) == {"p1"}
