# SPDX-License-Identifier: GPL-2.0-only
"""
VMs that listen to multicast streams and migrate, on a bridge that snoops and asks by
itself only where a test lets it, guard enforced: their groups are back at once, by our
query or because the switch knows them. In none of this does a VM announce itself, as
stream_lab.Guest says; the test of what happens without us comes first.
"""
import json
import time

import pytest

from multicast import ASKED_BY_ALL, QUERY
from netns import wait_for
from stream_lab import StreamLab, asking_at_p2

LAB_CLASS, LAB = StreamLab, {"ours": asking_at_p2()}
HOSTS = {"IGMPv2": (0, {"igmp": 2}), "IGMPv3": (0, {}), "MLDv1": (1, {"mld": 1}),
         "MLDv2": (1, {})}


def first_of_stream(vm, since):
    """The first packet of any stream that reaches the VM since then."""
    wait_for("the stream to be there", lambda: vm.tap.stream(since=since), 10.0)
    return vm.tap.stream(since=since)[0]


def hears(listener, stream):
    """It hears the stream now."""
    since = stream.sent
    wait_for(f"a packet to {listener.group}", lambda: listener.heard(since))


def joins_unheard(vm, *which):
    """The VM is paused for all others from now on, and joins: nobody has seen that."""
    vm.stop()
    return [vm.join(group) for group in which]


def owes_nothing(vm):
    """It has answered the bridge's querier."""
    return all(asked and vm.tap.reports(family=family, since=asked[-1].when)
               for family in (4, 6) for asked in [vm.tap.queries(family=family)])


def resumes(lab, vm, server="h2", **how):
    """It goes on there; when that was."""
    now = time.time()
    vm.resume(server, **how)
    assert lab.port_of[server] == vm.port
    return now


def test_without_us_the_stream_stays_away_until_the_bridge_itself_asks(lab, guest,
                                                                       groups):
    vm = guest()
    lab.born(vm)
    for group in groups:
        vm.join(group)
    with lab.set("p1", "groups=off"), lab.set("p2", "groups=off"), lab.asking_every(3), \
            lab.stream(*groups) as stream:
        wait_for("the VM to owe the bridge no answer", lambda: owes_nothing(vm))
        lab.announce(vm, "h2")
        vm.stop()
        vm.vdp("h2", "assoc")
        first = stream.sent + 1
        resumed = resumes(lab, vm)
        packet = first_of_stream(vm, resumed)
        queries = vm.tap.queries(since=resumed)
        assert queries[0].when < packet.when
        assert {q.dst for q in queries} <= set(ASKED_BY_ALL)
        assert packet.number > first


@pytest.mark.parametrize("host", HOSTS)
def test_listener_that_the_switch_did_not_know_is_back_by_our_query(lab, guest, groups,
                                                                    host):
    which, versions = HOSTS[host]
    vm, group = guest(**versions), groups[which]
    lab.born(vm)
    listener, = joins_unheard(vm, group)
    with lab.stream(group) as stream:
        lab.announce(vm, "h2")
        vm.vdp("h2", "assoc")
        assert ("p2", group) not in lab.mdb()
        resumed = resumes(lab, vm)
        packet = first_of_stream(vm, resumed)
        query = vm.tap.queries(family=(4, 6)[which], since=resumed)[0]
        report = vm.tap.reports(family=(4, 6)[which], since=resumed)[0]
        assert query.when < report.when < packet.when
        assert query.dst == vm.mac
        hears(listener, stream)
    assert ("p2", group) in lab.mdb()


def test_vm_from_outside_is_asked(lab, guest, groups):
    """No port of ours has it; its address only the DHCP server knows."""
    vm = guest()
    lab.born(vm)
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm)
    joins_unheard(vm, *groups)
    with lab.stream(*groups):
        lab.announce(vm, "h2")
        lab.wait_states(vm, p2="staged")
        vm.vdp("h2", "assoc")
        resumed = resumes(lab, vm)
        for group in groups:
            lab.wait_mdb("p2", group)
        packet = first_of_stream(vm, resumed)
    assert vm.tap.queries(since=resumed)[0].when < packet.when


def test_stream_of_a_vm_from_our_own_port_goes_on_before_the_vm_says_anything(
        lab, guest, groups):
    vm = guest()
    lab.born(vm)
    listeners = [vm.join(group) for group in groups]
    with lab.set("p2", "group-schedule=60000"), lab.stream(*groups) as stream:
        for listener in listeners:
            hears(listener, stream)
        lab.announce(vm, "h2")
        lab.wait_states(vm, p1="active", p2="staged")
        assert not {("p2", group) for group in groups} & lab.mdb()
        vm.stop()
        vm.vdp("h2", "assoc")
        for group in groups:
            lab.wait_mdb("p2", group)
        resumed, first = resumes(lab, vm), stream.sent + 1
        stream.wait_sent(40)
        until = stream.sent - 1
        for listener in listeners:
            heard = listener.heard(first)
            assert heard[:until - first] == list(range(first, until))
    assert vm.mac not in {x.dst for x in vm.tap.queries(since=resumed)}
    assert not vm.tap.reports(since=resumed)


def test_stream_from_one_source_only_goes_on_too(lab, guest, groups):
    """IGMPv3 with a source list (RFC 4607)."""
    vm = guest()
    lab.born(vm)
    source = "10.9.0.2"
    wanted = vm.join(groups[0], source)
    with lab.set("p2", "group-schedule=60000"), lab.stream(groups[0]) as stream:
        hears(wanted, stream)
        lab.migrate(vm, "h2")
        hears(wanted, stream)


def test_fdb_entry_is_at_the_new_port_before_the_vm_resumes(lab, guest):
    vm = guest()
    lab.born(vm)
    vm.join("239.1.1.1")
    lab.announce(vm, "h2")
    assert lab.fdb_port(vm.mac) == "p1"
    vm.stop()
    vm.vdp("h2", "assoc")
    wait_for("it to move", lambda: lab.fdb_port(vm.mac) == "p2")


def test_vm_that_resumes_late_and_in_silence_is_caught_by_the_schedule(lab, guest,
                                                                       groups):
    vm = guest()
    lab.born(vm)
    listeners = joins_unheard(vm, *groups)
    with lab.stream(*groups) as stream, lab.tap("h2", "e0") as wire:
        lab.announce(vm, "h2")
        vm.vdp("h2", "assoc")
        wait_for("two rounds of queries that nobody answers",
                 lambda: len(wire.seen(QUERY)) >= 4)
        resumed = resumes(lab, vm, silent=True)
        packet = first_of_stream(vm, resumed)
        assert vm.tap.queries(since=resumed)[0].when < packet.when
        for listener in listeners:
            hears(listener, stream)


def test_vm_that_resumes_after_the_schedule_is_asked_at_its_first_frame(lab, guest,
                                                                       groups):
    vm = guest()
    lab.born(vm)
    listeners = joins_unheard(vm, *groups)
    with lab.set("p2", "group-schedule=0,20"), lab.stream(*groups) as stream, \
            lab.tap("h2", "e0") as wire:
        lab.announce(vm, "h2")
        vm.vdp("h2", "assoc")
        wait_for("all queries of the schedule", lambda: len(wire.seen(QUERY)) == 4)
        resumes(lab, vm)
        for listener in listeners:
            hears(listener, stream)
        assert len(wire.seen(QUERY)) > 4


def test_group_that_the_vm_left_meanwhile_is_taken_back(lab, guest, groups, more_groups):
    vm = guest()
    lab.born(vm)
    kept = [vm.join(group) for group in groups]
    left = [vm.join(group) for group in more_groups]
    lab.announce(vm, "h2")
    vm.stop()
    for listener in left:
        vm.leave(listener)
    vm.vdp("h2", "assoc")
    for group in groups + more_groups:
        lab.wait_mdb("p2", group)
    resumed = resumes(lab, vm)
    wait_for("the VM's reports", lambda: {4, 6} <= {
        x.family for x in vm.tap.reports(since=resumed)})
    for group in more_groups:
        lab.wait_mdb("p2", group, there=False, timeout=15.0)
    assert {("p2", x.group) for x in kept} <= lab.mdb()
    assert not {x["group"] for x in lab.show("sw", "groups")
                if x["mac"] == vm.mac and x["port"] == "p2"} & set(more_groups)


def test_old_port_loses_the_groups_at_its_deassociate_but_those_of_another_vm(
        lab, guest, groups, more_groups):
    vm, other = guest(), guest()
    lab.born(vm)
    other.run_at("h1")
    for group in groups + more_groups:
        vm.join(group)
    for group in more_groups:
        other.join(group)
    lab.migrate(vm, "h2")
    at_p1 = {("p1", group) for group in groups + more_groups}
    assert at_p1 <= lab.mdb()
    vm.vdp("h1", "deassoc")
    for group in groups:
        lab.wait_mdb("p1", group, there=False)
    assert {("p1", group) for group in more_groups} <= lab.mdb()
    assert {("p2", group) for group in groups + more_groups} <= lab.mdb()


def test_suspended_at_its_source_groups_and_fdb_move_before_the_associate(lab, guest,
                                                                          groups):
    vm = guest()
    lab.born(vm)
    listeners = [vm.join(group) for group in groups]
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    vm.stop()
    lab.cli("h1", "suspend", vm.uuid)
    for group in groups:
        lab.wait_mdb("p2", group)
    wait_for("its FDB entry to move", lambda: lab.fdb_port(vm.mac) == "p2")
    lab.wait_states(vm, p1="active", p2="staged")
    vm.vdp("h2", "assoc")
    with lab.stream(*groups) as stream:
        resumes(lab, vm)
        for listener in listeners:
            hears(listener, stream)


def test_neighbour_that_joined_before_the_engine_started_keeps_its_stream(lab, guest,
                                                                         groups):
    """No VSI tells of it, and it has said all that it says unasked."""
    vm, other = guest(), guest(igmp=2, mld=1)
    lab.born(vm)
    other.run_at("h1")
    for group in groups:
        vm.join(group)
    listeners = [other.join(group) for group in groups]
    with lab.set("p1", "group-schedule=0,50,200"), lab.stream(*groups) as stream:
        lab.engine["sw"].stop()
        lab.engine_start("sw")
        lab.wait_linked("sw")
        lab.wait_states(vm, p1="active")
        wait_for("the VM's groups", lambda: {
            row["group"] for row in lab.show("sw", "groups") if row["mac"] == vm.mac
        } >= set(groups))
        lab.migrate(vm, "h2")
        for listener in vm.listeners:
            hears(listener, stream)
        vm.vdp("h1", "deassoc")
        lab.wait_states(vm, p2="active")
        for listener in listeners:
            hears(listener, stream)


def test_stopped_neighbour_that_nobody_knows_keeps_its_stream(lab, guest, groups,
                                                              more_groups):
    """No VSI tells of it, we have not heard it join, and it does not hear us ask."""
    vm, last, other = guest(), guest(), guest()
    with lab.set("p1", "groups=off"):
        other.run_at("h1")
        listeners = [other.join(group) for group in groups]
        other.stop()
    lab.born(vm)
    lab.born(last, "h2")
    for group in groups:
        vm.join(group)
    for group in more_groups:
        last.join(group)
    lab.migrate(vm, "h2")
    vm.vdp("h1", "deassoc")
    # Whoever leaves after it has its groups taken away by now.
    last.stop()
    last.vdp("h2", "deassoc")
    for group in more_groups:
        lab.wait_mdb("p2", group, there=False)
    assert {("p1", group) for group in groups} <= lab.mdb()
    with lab.stream(*groups) as stream:
        other.resume("h1", silent=True)
        for listener in listeners:
            hears(listener, stream)


def test_station_that_claims_the_bridges_own_mac_does_not_get_it(lab, guest):
    """A VSI of which nothing is known, accepted: its queries leave after its entries."""
    def entries():
        return [x for x in json.loads(lab.sw.run("bridge", "-j", "fdb", "show", "br", "br0"))
                if x["mac"] == vm.mac]

    vm = guest()
    vm.mac = lab.sw.ip_json("link", "show", "dev", "br0")[0]["address"]
    before = entries()
    assert before and {x["state"] for x in before} == {"permanent"}
    lab.cli("h2", "mark", vm.uuid)
    with lab.tap("h2", "e0") as wire:
        vm.vdp("h2", "assoc")
        wait_for("the VM to be asked",
                 lambda: [x for x in wire.seen(QUERY) if x.dst == vm.mac])
    assert entries() == before


def test_vm_goes_round_and_round_with_its_stream(lab, guest, groups):
    vm = guest()
    lab.born(vm)
    listeners = [vm.join(group) for group in groups]
    with lab.stream(*groups) as stream:
        for here, there in (("h1", "h2"), ("h2", "h1")) * 2:
            lab.migrate(vm, there)
            for listener in listeners:
                hears(listener, stream)
            vm.vdp(here, "deassoc")
            for group in groups:
                lab.wait_mdb(lab.port_of[here], group, there=False)


def test_migration_that_fails_after_the_source_was_suspended_costs_no_stream(lab, guest,
                                                                            groups):
    vm = guest()
    lab.born(vm)
    listeners = [vm.join(group) for group in groups]
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    vm.stop()
    lab.cli("h1", "suspend", vm.uuid)
    for group in groups:
        lab.wait_mdb("p2", group)
    vm.vdp("h2", "deassoc")
    vm.resume("h1")
    with lab.stream(*groups) as stream:
        for listener in listeners:
            hears(listener, stream)
    for group in groups:
        lab.wait_mdb("p2", group, there=False)
    assert lab.fdb_port(vm.mac) == "p1"


def test_vm_that_comes_from_our_own_port_without_the_M_bit_keeps_its_stream(lab, guest,
                                                                           groups):
    vm = guest()
    lab.born(vm)
    listeners = [vm.join(group) for group in groups]
    vm.stop()
    vm.vdp("h2", "assoc")
    for group in groups:
        lab.wait_mdb("p2", group)
    with lab.stream(*groups) as stream:
        resumes(lab, vm)
        for listener in listeners:
            hears(listener, stream)


def test_engine_that_starts_anew_asks_a_vm_that_migrates(lab, guest, groups):
    """What it knew is gone with it."""
    vm = guest()
    lab.born(vm)
    listeners = [vm.join(group) for group in groups]
    lab.engine["sw"].stop()
    lab.engine_start("sw")
    lab.wait_linked("sw")
    lab.wait_states(vm, p1="active")
    with lab.stream(*groups) as stream:
        lab.announce(vm, "h2")
        vm.stop()
        vm.vdp("h2", "assoc")
        resumed = resumes(lab, vm)
        for listener in listeners:
            hears(listener, stream)
    assert vm.tap.queries(since=resumed)
    for group in groups:
        lab.wait_mdb("p2", group)


def test_vm_in_many_groups_takes_them_all_along(lab, guest):
    """IGMPv2: a report for each, at once, when it is asked."""
    vm = guest(igmp=2)
    lab.born(vm)
    many = [f"239.3.0.{n}" for n in range(1, 81)]
    for group in many:
        vm.join(group)
    lab.announce(vm, "h2")
    vm.stop()
    vm.vdp("h2", "assoc")
    wait_for("all of them at p2", lambda: {("p2", x) for x in many} <= lab.mdb())
    vm.resume("h2")
    wait_for("all of them to be confirmed", lambda: {
        row["group"] for row in lab.show("sw", "groups") if row["mac"] == vm.mac
        and row["port"] == "p2" and row["origin"] == "learned"} >= set(many))


def test_old_port_loses_the_groups_when_the_vsi_times_out_there(lab, guest, groups):
    vm = guest()
    lab.born(vm)
    for group in groups:
        vm.join(group)
    lab.migrate(vm, "h2")
    lab.lldpad["h1"].stop()
    try:
        for group in groups:
            lab.wait_mdb("p1", group, there=False)
            lab.wait_mdb("p2", group)
    finally:
        lab.lldpad["h1"].start()
        lab.wait_lldp(("h1",))
        lab.wait_linked("h1")
