# SPDX-License-Identifier: GPL-2.0-only
"""
Migrations between two ports of our switch, guard enforced on both: the VM keeps its
address, whichever way the migration ends.
"""
import frames
from netns import wait_for

LAB = {}


def _alive(ping, since=0):
    """A packet of these is answered; none of them is lost until then."""
    wait_for("a ping to be answered", lambda: ping.replies(since))
    last = max(ping.replies(since))
    assert not ping.lost(since, until=last)


def test_new_vm_is_bound_by_its_DHCPACK_and_no_query_leaves(lab, vm):
    capture = lab.sw.capture("p3", "udp port 67")
    lab.born(vm)
    assert lab.bindings(vm)["p1"]["origin"] == "snooped"
    ping = vm.ping()
    _alive(ping)
    ping.stop()
    kinds = [kind for (kind,) in capture.fields("dhcp", "dhcp.option.dhcp")]
    assert kinds == ["1", "2", "3", "5"]    # discover, offer, request, ack


def test_address_that_is_not_bound_is_dropped(lab, vm):
    lab.born(vm)
    before = lab.dropped("p1")
    vm.space.ip("addr flush dev eth1", "addr add 10.9.0.66/24 dev eth1")
    ping = vm.ping()
    wait_for("the guard to drop", lambda: lab.dropped("p1") >= before + 3)
    assert not ping.stop().replies()


def test_vm_is_bound_at_its_new_port_before_it_runs_there(lab, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    assert lab.in_kernel(vm) == {"p1", "p2"}


def test_first_packet_of_a_migrated_vm_passes(lab, vm):
    lab.born(vm)
    ping, before = vm.ping(), lab.violations()
    lab.migrate(vm, "h2")
    first = ping.next()
    _alive(ping, first)
    assert not ping.stop().lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before
    lab.wait_states(vm, p1="leaving", p2="active")


def test_lease_that_a_vm_gets_on_its_way_is_known_where_it_is_expected(lab, vm):
    vm.vdp("h1", "assoc")
    lab.announce(vm, "h2")
    assert vm.run_at("h1"), "no lease"
    lab.wait_states(vm, p1="active", p2="staged")
    ping = vm.ping()
    lab.switch_over(vm, "h2")
    first = ping.next()
    _alive(ping, first)
    assert not ping.stop().lost(first, until=max(ping.replies(first)))


def test_deassociate_of_the_source_withdraws_its_port(lab, vm):
    lab.born(vm)
    lab.migrate(vm, "h2")
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    wait_for("the kernel to forget p1", lambda: lab.in_kernel(vm) == {"p2"})


def test_migration_that_fails_after_preassociate_leaves_the_source_alone(lab, vm):
    lab.born(vm)
    ping = vm.ping()
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    vm.vdp("h2", "deassoc")
    lab.wait_states(vm, p1="active")
    _alive(ping, ping.next())
    assert not ping.stop().lost(until=max(ping.replies()))


def test_preassociation_that_is_not_kept_alive_leaves_the_source_alone(lab, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    lab.lldpad["h2"].stop()
    try:
        lab.wait_states(vm, p1="active")
    finally:
        lab.lldpad["h2"].start()
        lab.wait_lldp(("h2",))
        lab.wait_linked("h2")


def test_destination_that_fails_after_associate_costs_the_source_nothing(lab, vm):
    lab.born(vm)
    ping, known = vm.ping(), None
    lab.announce(vm, "h2")
    known = vm.stop()
    vm.vdp("h2", "assoc")
    lab.wait_states(vm, p1="leaving", p2="active")
    before = lab.violations()
    vm.resume("h1", known)
    first = ping.next()
    vm.vdp("h2", "deassoc")
    # The source's keep-alive says that the VM is there after all.
    lab.wait_states(vm, p1="active")
    _alive(ping, first)
    assert not ping.stop().lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before


def test_keepalive_of_the_source_after_the_move_changes_nothing(lab, vm):
    lab.born(vm)
    lab.migrate(vm, "h2")
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    ping = vm.ping()
    wait_for("two keep-alives of the source",
             lambda: [v for _, _, v in frames.vdp_requests(capture.now())]
             .count(vm.uuid) >= 2)
    assert lab.states(vm) == {"p1": "leaving", "p2": "active"}
    _alive(ping)
    assert not ping.stop().lost(until=max(ping.replies()))


def test_vm_comes_back_to_a_port_that_has_let_it_go(lab, vm):
    lab.born(vm)
    lab.migrate(vm, "h2")
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    ping, before = vm.ping(), lab.violations()
    lab.migrate(vm, "h1")
    first = ping.next()
    _alive(ping, first)
    ping.stop()
    assert lab.violations() == before
    lab.wait_states(vm, p1="active", p2="leaving")


def test_vm_comes_back_to_a_port_that_has_not_let_it_go(lab, vm):
    """Stock lldpad at h1 sends nothing new then: the association is still there."""
    lab.born(vm)
    lab.migrate(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")
    ping, before = vm.ping(), lab.violations()
    vm.move("h1")
    first = ping.next()
    _alive(ping, first)
    vm.vdp("h2", "deassoc")
    lab.wait_states(vm, p1="active")
    _alive(ping, first)
    ping.stop()
    assert lab.violations() == before


def test_vm_goes_round_and_round(lab, vm):
    lab.born(vm)
    ping, before = vm.ping(), lab.violations()
    for here, there in (("h1", "h2"), ("h2", "h1")) * 3:
        lab.migrate(vm, there)
        vm.vdp(here, "deassoc")
        first = ping.next()
        _alive(ping, first)
        lab.wait_states(vm, **{lab.port_of[there]: "active"})
    ping.stop()
    assert lab.violations() == before


def test_DHCPACK_from_a_vm_port_is_not_believed(lab, vm):
    lab.born(vm)
    before, evil = lab.counter("snooped_untrusted"), "10.9.0.250"
    server = b"\x36\x04" + frames.ip_bytes(vm.ip) + b"\x33\x04\x00\x00\x0e\x10"
    request = frames.dhcp(1, 3, 77, vm.mac, options=b"\x32\x04" + frames.ip_bytes(evil))
    ack = bytearray(frames.dhcp(2, 5, 77, vm.mac, options=server))
    ack[16:20] = frames.ip_bytes(evil)      # yiaddr
    vm.space.send_frame("eth1", frames.udp_frame(
        "ff:ff:ff:ff:ff:ff", vm.mac, "0.0.0.0", "255.255.255.255", request, 68, 67))
    vm.space.send_frame("eth1", frames.udp_frame(
        "ff:ff:ff:ff:ff:ff", vm.mac, vm.ip, "255.255.255.255", bytes(ack), 67, 68))
    wait_for("the forgery to count",
             lambda: lab.counter("snooped_untrusted") == before + 1)
    assert not [row for row in lab.show("sw", "bindings") if row["address"] == evil]


def test_DHCPRELEASE_forged_by_another_port_ends_nothing(lab, vm):
    lab.born(vm)
    release = frames.dhcp(1, 7, 78, vm.mac, ciaddr=vm.ip,
                          options=b"\x36\x04" + frames.ip_bytes("10.9.0.1"))
    before = lab.counter("snooped_forged")
    lab.space["h2"].send_frame("e0", frames.udp_frame(
        lab.dhcp_mac, vm.mac, vm.ip, "10.9.0.1", release, 68, 67))
    wait_for("the forgery to be seen",
             lambda: lab.counter("snooped_forged") == before + 1)
    assert lab.states(vm) == {"p1": "active"}


def test_lease_released_by_the_vm_ends_its_binding(lab, vm):
    lab.born(vm)
    vm.release()
    lab.wait_states(vm)
    wait_for("the kernel to forget it", lambda: not lab.in_kernel(vm))


def test_dhcp_server_behind_a_vm_port_is_dropped(lab, vm):
    lab.born(vm)
    before = lab.violations().get(("p1", "ip"), 0)
    offer = frames.dhcp(2, 2, 1, "52:54:00:00:00:99")
    vm.space.send_frame("eth1", frames.udp_frame(
        "ff:ff:ff:ff:ff:ff", vm.mac, vm.ip, "255.255.255.255", offer, 67, 68))
    wait_for("the guard to drop it",
             lambda: lab.violations().get(("p1", "ip"), 0) == before + 1)
