# SPDX-License-Identifier: GPL-2.0-only
"""
A bridge that begins to filter VLANs, and a port that comes to another one, under VMs that
run: what is untagged stays bound, what is in another VLAN does not. And a server's bridge
that filters them, and snoops in each for itself.
"""
from netns import wait_for
from test_check import check

LAB = {}


def _vlan(lab, vm, vlan):
    wait_for(f"the binding in VLAN {vlan}",
             lambda: {port: row["vlan"] for port, row in lab.bindings(vm).items()}
             == {"p1": vlan})


def test_vm_goes_on_while_its_bridge_begins_and_ceases_to_filter_vlans(lab, vm):
    lab.born(vm)
    ping, before = vm.ping(), lab.violations()
    wait_for("a ping to be answered", ping.replies)
    for filtering, vlan in ((1, 1), (0, 0), (1, 1)):
        lab.sw.ip(f"link set br0 type bridge vlan_filtering {filtering}")
        _vlan(lab, vm, vlan)
        assert lab.in_kernel(vm) == {"p1"}
        since = ping.next()
        wait_for("a ping to be answered", lambda n=since: ping.replies(n))
    ping.stop()
    assert lab.violations() == before and not ping.lost(until=max(ping.replies()))
    assert vm.dhcp() == vm.ip
    _vlan(lab, vm, 1)
    lab.sw.ip("link set br0 type bridge vlan_filtering 0")
    _vlan(lab, vm, 0)


def test_vm_whose_port_comes_to_another_vlan_has_no_address_there(lab, vm):
    lab.sw.ip("link set br0 type bridge vlan_filtering 1")
    lab.born(vm)
    _vlan(lab, vm, 1)
    lab.sw.run("bridge", "vlan", "add", "dev", "p1", "vid", "20", "pvid", "untagged")
    wait_for("the guard to let go of what is untagged", lambda: not lab.in_kernel(vm))
    before = lab.dropped("p1")
    ping = vm.ping()
    wait_for("the guard to drop it", lambda: lab.dropped("p1") > before)
    assert not ping.stop().replies()
    # With its next request its VSI is another one's: that of VLAN 20.
    lab.wait_states(vm)
    lab.sw.run("bridge", "vlan", "add", "dev", "p1", "vid", "1", "pvid", "untagged")
    assert vm.dhcp() == vm.ip
    _vlan(lab, vm, 1)
    assert lab.in_kernel(vm) == {"p1"}
    lab.sw.ip("link set br0 type bridge vlan_filtering 0")


def test_check_finds_a_server_s_bridge_that_snoops_in_each_vlan_for_itself(lab):
    space = lab.space["h2"]
    space.ip("link add vbr type bridge stp_state 1 forward_delay 200 vlan_filtering 1",
             "link set e0 master vbr")
    try:
        assert not check(lab, where="h2", code=0)
        space.ip("link set vbr type bridge mcast_vlan_snooping 1")
        found = check(lab, where="h2")
        assert set(found) == {"vlan-snooping"}
        cure = "link set vbr type bridge mcast_vlan_snooping 0"
        assert f"cure: ip {cure}, or" in found["vlan-snooping"]
        space.ip(cure)
        assert not check(lab, where="h2", code=0)
    finally:
        space.ip("link set e0 nomaster", "link del vbr")
