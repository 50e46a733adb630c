# SPDX-License-Identifier: GPL-2.0-only
"""
Before `enforce` is switched on: while a port's guard is `monitor`, the engine asks about
every MAC behind it and keeps the list of those that it would cut off.
"""
import pytest

import frames
from lab import DHCP, OTHER, built
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


def case(lab, vm):
    """The row of its case at its server's port, or None."""
    return next((r for r in lab.show("sw", "cases")
                 if (r["port"], r["mac"]) == (vm.port, vm.mac)), None)


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


def in_fdb(lab, vm):
    return vm.mac in lab.sw.run("bridge", "fdb", "show", "brport", vm.port)


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
    watch = lab.sw.start("watch", built("vdp-migrate"), "watch")
    watch.wait_line("watching")
    assert vm.lease()
    watch.wait_line(rf"binding {vm.ip} {vm.mac} leasequery -> snooped \(origin\)$")
    watch.stop()
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
    lab.lldpad["sw"].process.wait_line(
        rf"p1: setting guard: 'enforce' refused: 1 open cases \({vm.mac}\): .*show cases")
    row, = lab.show("sw", "cases")
    assert (row["port"], row["vlan"], row["mac"], row["known_by"], row["why"]) == \
        ("p1", None, vm.mac, "FDB", "no lease")
    assert row["for"] < 30 and "renew" in row["to_do"] and row["bound_at"] is None
    wait_cases(lab, "p2", 0)                # the other port's list is its own
    assert vm.lease()
    lab.wait_states(vm, p1="active")
    wait_cases(lab, "p1", 0)
    assert not lab.show("sw", "cases")
    assert set_guard(lab, "p1", "enforce")
    wait_for("enforce", lambda: guard_is(lab, "p1", "enforce"))


def test_refusal_names_the_first_three(lab, two):
    vm = two[0]
    macs = []
    for n in range(4):
        vm.mac = f"52:54:00:00:01:{n:02x}"
        macs.append(vm.mac)
        hello(vm, "10.9.0.77")
    wait_cases(lab, "p1", 4)
    assert not set_guard(lab, "p1", "enforce")
    lab.lldpad["sw"].process.wait_line(
        rf"4 open cases \({', '.join(macs[:3])}, \.\.\.\): no")


def test_snooped_binding_is_not_asked_about_and_stays_snooped(lab, two):
    """The MAC's first frame makes it a case, its lease ends that; what is answered later
    is nothing new."""
    vm = two[0]
    watch = lab.sw.start("watch", built("vdp-migrate"), "watch")
    watch.wait_line("watching")
    try:
        assert vm.lease()
        lab.wait_states(vm, p1="active")
        wait_cases(lab, "p1", 0)
        asked = lab.counter("leasequery_asked")
        # One that is seen later than this one is asked about later.
        vm2 = two[1]
        hello(vm2, "10.9.0.77")
        wait_cases(lab, "p2", 1)
        assert lab.bindings(vm)["p1"]["origin"] == "snooped"
        assert lab.counter("leasequery_asked") == asked + 1
        about = [x for x in list(watch.lines) if vm.mac in x]
        assert len(about) == 1 and about[0].endswith("active (snooped)")
    finally:
        watch.stop()


def test_vm_that_has_left_is_no_case_though_the_bridge_has_seen_it(lab, two):
    vm = two[0]
    vm.vdp("assoc")
    assert vm.lease()
    hello(vm, vm.ip)
    lab.wait_states(vm, p1="active")
    wait_cases(lab, "p1", 0)
    assert in_fdb(lab, vm)
    vm.vdp("deassoc")
    wait_for("its binding to go", lambda: not lab.states(vm))
    wait_for("the bridge to forget it", lambda: not in_fdb(lab, vm))
    wait_cases(lab, "p1", 0)
    assert set_guard(lab, "p1", "enforce")
    lab.lldpad["sw"].set("p1", "guard=monitor")
    wait_for("monitor", lambda: guard_is(lab, "p1", "monitor"))
    # It goes on sending, and its lease goes on.
    hello(vm, vm.ip)
    lab.wait_states(vm, p1="active")
    assert lab.bindings(vm)["p1"]["origin"] == "leasequery"


def test_static_or_sticky_entry_is_a_case_until_its_address_is_bound(lab, two):
    vm = two[0]
    lab.sw.run("bridge", "fdb", "add", vm.mac, "dev", "p1", "master", "static", "sticky")
    try:
        wait_cases(lab, "p1", 1)
        row = case(lab, vm)
        assert (row["known_by"], row["why"], row["to_do"]) == \
            ("FDB, by hand", "no lease", "bind its address")
        # A VSI that comes and goes leaves it where it is.
        vm.vdp("assoc")
        wait_for("its VSI", lambda: case(lab, vm)["known_by"] == "VSI")
        vm.vdp("deassoc")
        wait_for("no VSI", lambda: case(lab, vm)["known_by"] == "FDB, by hand")
        assert in_fdb(lab, vm)
        lab.cli("sw", "bind", "0", vm.mac, "10.9.0.77", "p1")
        wait_cases(lab, "p1", 0)
        assert set_guard(lab, "p1", "enforce")
        lab.lldpad["sw"].set("p1", "guard=monitor")
        lab.cli("sw", "unbind", "0", vm.mac, "10.9.0.77")
        wait_cases(lab, "p1", 1)
    finally:
        lab.sw.run("bridge", "fdb", "del", vm.mac, "dev", "p1", "master")


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
    row, = lab.show("sw", "cases")
    assert (row["port"], row["mac"], row["why"], row["bound_at"]) == \
        ("p2", victim.mac, "bound elsewhere", "p1")


def test_silent_server_leaves_the_list_incomplete_until_all_tries_are_used(lab, two):
    vm = two[0]
    lab.dhcpd.stop()
    try:
        hello(vm, "10.9.0.77")
        wait_cases(lab, "p1", 1, complete=False)
        assert not set_guard(lab, "p1", "enforce")
        assert case(lab, vm)["why"] == "being asked"
        wait_cases(lab, "p1", 1, timeout=30.0)
        assert case(lab, vm)["why"] == "no answer"
    finally:
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")
