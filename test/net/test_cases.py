# SPDX-License-Identifier: GPL-2.0-only
"""
Before `enforce` is switched on: while a port's guard is `monitor`, the engine asks about
every MAC behind it and keeps the list of those that it would cut off.
"""
import pytest

import frames
from lab import DHCP, OTHER
from netns import CommandFailed, wait_for
from product import settings
from raw_vm import RawVm

LAB = {"ours": settings(p1="monitor", p2="monitor")}


def cases(lab, port):
    """(open cases, complete?)"""
    row = next(r for r in lab.show("sw", "ports") if r["port"] == port)
    return int(row["cases"] or 0), bool(row["complete"])


def wait_cases(lab, port, n, complete=True, timeout=15.0):
    try:
        wait_for(f"{n} open cases on {port}",
                 lambda: cases(lab, port) == (n, complete), timeout)
    except TimeoutError as e:
        raise TimeoutError(f"{e}; there are {cases(lab, port)}; "
                           f"{lab.engine['sw'].tail()}") from e


def set_guard(lab, port, value):
    """True if lldpad has taken it."""
    try:
        lab.lldpad["sw"].set(port, f"guard={value}")
        return True
    except CommandFailed:
        return False


def guard_is(lab, port, mode):
    return next(r["in_force"] for r in lab.show("sw", "ports")
                if r["port"] == port) == mode


def hello(vm, ip):
    vm.send(frames.arp_request(vm.mac, ip, OTHER))


@pytest.fixture
def two(lab):
    made = [RawVm(lab, "h1"), RawVm(lab, "h2")]
    yield made
    for vm in made:
        vm.close()
    lab.sw.run("sh", "-c", "for p in p1 p2; do echo 1 >/sys/class/net/$p/brport/flush;"
                           "done")
    for port in ("p1", "p2"):
        lab.lldpad["sw"].set(port, "guard=monitor")
        wait_for("monitor", lambda p=port: guard_is(lab, p, "monitor"))


def test_quiet_port_is_complete_and_empty_though_its_neighbour_speaks(lab, two):
    wait_cases(lab, "p1", 0, timeout=40.0)   # LLDP says which MAC is the neighbour's
    assert set_guard(lab, "p1", "enforce")
    wait_for("enforce", lambda: guard_is(lab, "p1", "enforce"))


def test_mac_that_the_server_knows_is_bound_and_enforce_cuts_nobody_off(lab, two):
    """It has its lease since before the engine ran."""
    vm = two[0]
    lab.engine["sw"].stop()
    assert vm.lease()
    lab.engine_start("sw")
    lab.wait_linked("sw")
    hello(vm, vm.ip)
    lab.wait_states(vm, p1="active", timeout=10.0)
    assert lab.bindings(vm)["p1"]["origin"] == "leasequery"
    wait_cases(lab, "p1", 0)
    assert set_guard(lab, "p1", "enforce")
    wait_for("enforce", lambda: guard_is(lab, "p1", "enforce"))
    before = lab.dropped("p1")
    capture = lab.space["dhcp"].capture("d0", "udp port 4000")
    vm.send(frames.udp_frame(lab.dhcp_mac, vm.mac, vm.ip, DHCP, b"x" * 20, 4000, 4000))
    wait_for("it to pass", lambda: len(capture.now()) == 1)
    assert lab.dropped("p1") == before


def test_mac_that_nobody_knows_is_an_open_case_until_its_lease_is_seen(lab, two):
    vm = two[0]
    hello(vm, "10.9.0.77")
    wait_cases(lab, "p1", 1)
    assert not set_guard(lab, "p1", "enforce")
    assert guard_is(lab, "p1", "monitor")
    assert lab.lldpad["sw"].process.find(r"open case|p1.*guard")
    wait_cases(lab, "p2", 0)                # the other port's list is its own
    assert vm.lease()
    lab.wait_states(vm, p1="active")
    wait_cases(lab, "p1", 0)
    assert set_guard(lab, "p1", "enforce")
    wait_for("enforce", lambda: guard_is(lab, "p1", "enforce"))


def test_vsi_whose_vm_is_silent_is_a_case_too(lab, two):
    vm = two[0]
    vm.vdp("assoc")
    wait_cases(lab, "p1", 1)
    vm.vdp("deassoc", check=False)
    wait_cases(lab, "p1", 0)


def test_open_cases_can_be_accepted(lab, two):
    vm = two[0]
    hello(vm, "10.9.0.77")
    wait_cases(lab, "p1", 1)
    assert not set_guard(lab, "p1", "enforce")
    assert set_guard(lab, "p1", "enforce!")
    wait_for("enforce", lambda: guard_is(lab, "p1", "enforce"))


def test_mac_that_has_aged_out_or_moved_is_no_case(lab, two):
    first, second = two
    hello(first, "10.9.0.77")
    wait_cases(lab, "p1", 1)
    second.mac = first.mac      # the same MAC, seen at the other port
    hello(second, "10.9.0.77")
    wait_cases(lab, "p1", 0)
    wait_cases(lab, "p2", 1)
    lab.sw.run("sh", "-c", "echo 1 >/sys/class/net/p2/brport/flush")
    wait_cases(lab, "p2", 0)


def test_anothers_mac_gets_the_forger_no_binding(lab, two):
    victim, forger = two
    assert victim.lease()
    lab.wait_states(victim, p1="active")
    forger.send(frames.arp_request(victim.mac, victim.ip, OTHER))
    wait_cases(lab, "p2", 1)
    assert lab.states(victim) == {"p1": "active"}


def test_silent_server_leaves_the_list_incomplete_until_all_tries_are_used(lab, two):
    vm = two[0]
    lab.dhcpd.stop()
    try:
        hello(vm, "10.9.0.77")
        wait_cases(lab, "p1", 1, complete=False)
        assert not set_guard(lab, "p1", "enforce")
        wait_cases(lab, "p1", 1, timeout=30.0)
    finally:
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")
