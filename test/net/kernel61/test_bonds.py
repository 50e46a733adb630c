# SPDX-License-Identifier: GPL-2.0-only
"""
A server at a bond of two switch ports: VDP speaks on the slaves, the anchor is the bond.
"""
import pytest

from direct import Direct, rows, wait_row
from netns import wait_for
from wiring import BondLab


@pytest.fixture(scope="module")
def lab():
    with BondLab() as made:
        yield made


def _alive(ping, since=0):
    """A packet of these is answered, and none is lost until then; ends the ping."""
    wait_for("a ping to be answered", lambda: ping.replies(since))
    ping.stop()
    assert not ping.lost(since, until=max(ping.replies(since)))


def _on(vm, mode, uplink):
    return vm.lab.vdp("h1", mode, vm.uuid, vm.mac, uplink=uplink)


def test_vsi_seen_on_a_slave_is_bound_at_the_bond(lab, vm):
    before = lab.violations()
    lab.born(vm)
    assert lab.in_kernel(vm) == {"b1"}
    _alive(vm.ping())
    assert lab.violations() == before


def test_same_vsi_on_both_slaves_is_one_and_lives_until_the_last_has_gone(lab, vm):
    lab.born(vm)
    _on(vm, "assoc", "e1")
    assert len([row for row in lab.show("sw", "vsis") if vm.uuid in row.values()]) == 1
    _on(vm, "deassoc", "e0")
    _alive(vm.ping())
    assert lab.states(vm) == {"b1": "active"}
    _on(vm, "deassoc", "e1")
    lab.wait_states(vm)


def test_bond_is_shown_with_the_slaves_that_speak_for_it(lab):
    rows = {row["port"]: row for row in lab.show("sw", "ports")}
    assert rows["b1"]["members"] == "p1,p5" and rows["b1"]["in_force"] == "enforce"
    assert not {"p1", "p5"} & set(rows) and not rows["p2"]["members"]


def test_slaves_link_goes_down_and_the_vm_goes_on(lab, vm):
    """lldpad forgets the VSIs of a port whose link is down."""
    lab.born(vm)
    _on(vm, "assoc", "e1")
    ping, before = vm.ping(), lab.violations()
    wait_for("a ping to be answered", ping.replies)
    lab.sw.ip("link set p5 down")
    wait_for("the bond to do without", lambda: not lab.sw.link_up("p5"))
    _alive(ping, ping.next())
    assert lab.states(vm) == {"b1": "active"} and lab.violations() == before
    lab.sw.ip("link set p5 up")
    wait_for("the slave", lambda: lab.sw.link_up("p5"))


def test_settings_of_slaves_that_differ_are_logged_and_the_strictest_guard_counts(lab):
    def in_force():
        return next(row["in_force"] for row in lab.show("sw", "ports")
                    if row["port"] == "b1")
    lab.lldpad["sw"].set("p1", "guard=off")
    lab.engine["sw"].wait_line("b1.* settings of p1,p5 differ")
    assert in_force() == "enforce"
    lab.lldpad["sw"].set("p5", "guard=off")
    wait_for("no guard", lambda: in_force() == "off")
    for port in ("p1", "p5"):
        lab.lldpad["sw"].set(port, "guard=enforce!")
    wait_for("the guard", lambda: in_force() == "enforce")


def test_vm_migrates_from_the_bond_to_a_port(lab, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, b1="active", p2="staged")
    ping, before = vm.ping(), lab.violations()
    lab.switch_over(vm, "h2")
    _alive(ping, ping.next())
    assert lab.violations() == before
    lab.wait_states(vm, b1="leaving", p2="active")


def test_vm_migrates_from_a_port_to_the_bond(lab, vm):
    lab.born(vm, "h2")
    lab.announce(vm, "h1")
    lab.wait_states(vm, p2="active", b1="staged")
    ping, before = vm.ping(), lab.violations()
    lab.switch_over(vm, "h1")
    _alive(ping, ping.next())
    assert lab.violations() == before
    lab.wait_states(vm, p2="leaving", b1="active")


def test_macvtap_on_the_servers_bond_has_leases(lab):
    h1 = lab.space["h1"]
    h1.run("nft", "flush", "table", "netdev", "f")
    vm = Direct(lab, server="h1", link="u0")
    client = vm.client()
    row = wait_row(lab, vm, "h1")
    assert (row["port"], row["vlan"], row["address"]) == (vm.name, 0, vm.ip)
    client.stop()
    vm.close()
    wait_for("the lease to be gone", lambda: not rows(lab, vm, "h1"))
    h1.run("nft", "delete", "table", "netdev", "f")
    lab._forward()
