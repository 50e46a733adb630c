# SPDX-License-Identifier: GPL-2.0-only
"""
The queries by which a VM that migrates in is asked for its groups: what they look like
to tshark, whom they reach and whom not, what they leave as it was; what the guard lets
through and drops of the VMs' own IGMP and MLD; and what a person is shown of it.
"""
import pytest

import frames
from lab import built
from multicast import ASKED_BY_ALL, QUERY, REPORT
from netns import wait_for
from stream_lab import StreamLab, asking_at_p2
from test_groups import first_of_stream, hears, joins_unheard, resumes

LAB_CLASS, LAB = StreamLab, {"ours": asking_at_p2()}
IGMP_OR_MLD = "ip proto 2 or (ip6[6] = 0 and ip6[40] = 58)"


def test_queries_are_what_the_standards_say(lab, guest):
    """All of a schedule that the VM does not answer, and two of a second one."""
    vm = guest()
    lab.born(vm)
    capture = lab.space["h2"].capture("e0", IGMP_OR_MLD)
    with lab.tap("h2", "e0") as wire, lab.set("p2", "group-schedule=0,20,60"), \
            lab.tap("h1", "e0") as elsewhere:
        lab.announce(vm, "h2")
        vm.stop()
        vm.vdp("h2", "assoc")
        wait_for("the schedule's queries", lambda: len(wire.seen(QUERY)) == 6)
        lab.space["h2"].send_frame("e0", frames.rarp(vm.mac))
        wait_for("more at the VM's first frame", lambda: len(wire.seen(QUERY)) >= 8)
        assert not [x for x in elsewhere.seen(QUERY) if x.dst == vm.mac]
    capture.stop()
    assert capture.count("_ws.malformed or _ws.expert") == 0
    fours = capture.fields(
        "igmp.type == 0x11", "eth.dst", "ip.src", "ip.dst", "ip.ttl",
        "ip.checksum.status", "igmp.checksum.status", "igmp.version", "ip.opt.type",
        "igmp.num_src", "igmp.max_resp")
    sixes = capture.fields(
        "icmpv6.type == 130", "eth.dst", "ipv6.dst", "ipv6.hlim",
        "icmpv6.checksum.status", "ipv6.opt.router_alert", "icmpv6.mld.nb_sources",
        "icmpv6.mld.maximum_response_code")
    assert {x[:-1] for x in fours} == {(vm.mac, "0.0.0.0", "224.0.0.1", "1", "1", "1",
                                        "3", "148", "0")}
    assert {x[:-1] for x in sixes} == {(vm.mac, "ff02::1", "1", "1", "0", "0")}
    assert [int(x[-1]) for x in fours][:4] == [0, 1, 1, 0]
    assert [int(x[-1]) > 0 for x in sixes][:4] == [False, True, True, False]
    sources = capture.fields("icmpv6.type == 130", "ipv6.src")
    assert {source[:6] for source, in sources} == {"fe80::"}


@pytest.mark.parametrize("which", ("igmp", "mld"))
def test_only_what_groups_says_is_asked_for(lab, guest, groups, which):
    vm = guest()
    lab.born(vm)
    asked = {"igmp": 4, "mld": 6}[which]
    joins_unheard(vm, *groups)
    with lab.set("p2", f"groups={which}"), lab.stream(*groups):
        lab.announce(vm, "h2")
        vm.vdp("h2", "assoc")
        resumed = resumes(lab, vm)
        assert first_of_stream(vm, resumed).family == asked
        assert {x.family for x in vm.tap.queries(since=resumed)} == {asked}


def test_vm_of_which_no_MAC_is_known_is_asked_by_the_address_of_all(lab, guest, groups):
    """A VSI that says no more than a VLAN."""
    vm = guest()
    vm.at = "h2"
    listeners = joins_unheard(vm, *groups)
    lab.cli("h2", "mark", vm.uuid)
    with lab.tap("h2", "e0") as wire, lab.stream(*groups) as stream:
        for mode in ("preassoc", "assoc"):
            assert f"mode = {mode}" in lab.vlan_only(vm, "h2", mode)
        resumes(lab, vm)
        for listener in listeners:
            hears(listener, stream)
        assert {x.dst for x in wire.seen(QUERY)} == set(ASKED_BY_ALL)
    lab.vlan_only(vm, "h2", "deassoc")


def test_keepalive_asks_nothing(lab, guest):
    vm = guest()
    lab.born(vm)
    lab.migrate(vm, "h2")
    wait_for("the VM's answers", lambda: {x.family for x in vm.tap.reports()} >= {6})
    with lab.set("p2", "group-schedule=0"), lab.tap("h2", "e0") as wire:
        capture = lab.sw.capture("p2", "ether proto 0x8940")
        wait_for("two keep-alives", lambda: [
            v for _, _, v in frames.vdp_requests(capture.now())].count(vm.uuid) >= 2)
        assert not [x for x in wire.seen(QUERY) if x.dst == vm.mac]


def test_of_two_vms_behind_a_port_only_the_migrated_one_answers(lab, guest, groups,
                                                                more_groups):
    vm, other = guest(), guest()
    lab.born(vm)
    other.run_at("h2")
    for group in more_groups:
        other.join(group)
        lab.wait_mdb("p2", group)
    joins_unheard(vm, *groups)
    with lab.tap("h2", "e0") as wire:
        lab.announce(vm, "h2")
        vm.vdp("h2", "assoc")
        resumes(lab, vm)
        for group in groups:
            lab.wait_mdb("p2", group)
        assert {x.src for x in wire.seen(REPORT)} == {vm.mac}


def undisturbed(lab, *vms):
    """What a query or an entry of ours must not change."""
    link, = lab.sw.ip_json("-d", "link", "show", "dev", "br0")
    bridge = link["linkinfo"]["info_data"]
    wanted = {listener.group for vm in vms for listener in vm.listeners}
    return ({k: v for k, v in bridge.items() if k.startswith("mcast_")},
            lab.routers(), lab.bridge("link"),
            sorted((x["port"], x["grp"], x["state"], str(x)) for x in lab.mdb_rows()
                   if x["grp"] in wanted))


def test_querier_router_ports_and_other_vms_are_as_they_were(lab, guest, groups,
                                                             more_groups):
    vm, here, there = guest(), guest(), guest()
    here.run_at("h1")
    there.run_at("h2")
    for other in (here, there):
        for group in more_groups:
            other.join(group)
    lab.born(vm)
    for group in groups:
        vm.join(group)
    before = undisturbed(lab, here, there)
    with lab.stream(*groups) as stream:
        lab.migrate(vm, "h2")
        for listener in vm.listeners:
            hears(listener, stream)
        wait_for("the VM's answers", lambda: vm.tap.queries())
        assert undisturbed(lab, here, there) == before
        vm.vdp("h1", "deassoc")
        lab.wait_mdb("p1", groups[0], there=False)
    assert undisturbed(lab, here, there) == before
    assert not [x for x in here.tap.queries() + there.tap.queries()
                if x.dst in (here.mac, there.mac)]
    # The bridge is still the querier: it asks all when it begins anew.
    asked = len(there.tap.queries(family=4)), len(there.tap.queries(family=6))
    lab.ask_every(lab.asks_every)
    wait_for("the bridge to ask", lambda: len(there.tap.queries(family=4)) > asked[0]
             and len(there.tap.queries(family=6)) > asked[1])
    lab.wait_pruning()


def test_query_forged_by_a_vm_is_dropped(lab, guest):
    vm, other = guest(), guest()
    lab.born(vm)
    other.run_at("h2")
    before, routers = lab.violations(), lab.routers()
    forged = [frames.igmp_query(vm.mac, "0.0.0.0"), frames.igmp_query(vm.mac, vm.ip),
              frames.mld_query(vm.mac, vm.link_local())]
    for frame in forged:
        vm.space.send_frame("eth0", frame)
    for ethertype, n in (("ip", 2), ("ip6", 1)):
        wait_for(f"the guard to drop by {ethertype}", lambda e=ethertype, n=n: (
            lab.violations().get(("p1", e), 0) >= before.get(("p1", e), 0) + n))
    assert lab.routers() == routers
    assert not [x for x in other.tap.queries() if x.src == vm.mac]


def test_reports_pass_before_there_is_a_binding(lab, guest, groups):
    vm = guest()
    vm.run_at("h1", address=False)
    vm.space.ip("addr add 10.9.0.77/24 dev eth0")
    before = lab.dropped("p1")
    listeners = [vm.join(group) for group in groups]
    with lab.stream(*groups) as stream:
        for listener in listeners:
            hears(listener, stream)
    vm.ip = "10.9.0.77"
    ping = vm.ping()
    wait_for("its other frames to be dropped", lambda: lab.dropped("p1") > before)
    assert not ping.stop().replies()


def test_flood_of_reports_is_cut_short(lab, guest):
    """And what is within the bound still passes."""
    vm = guest()
    lab.born(vm)
    out = vm.space.packet_socket("eth0")
    before = lab.dropped("p1")
    for n in range(2000):
        out.send(frames.igmp_report(vm.mac, vm.ip, f"239.9.{n >> 8}.{n & 255}"))
    out.close()
    wait_for("the guard to drop", lambda: lab.dropped("p1") > before + 1000)
    assert len(lab.mdb()) < 1000


@pytest.mark.parametrize("versions", ({"igmp": 1, "mld": 1}, {"igmp": 2}, {}),
                         ids=("v1", "IGMPv2", "v3"))
def test_groups_that_a_vm_joins_and_leaves_are_shown(lab, guest, groups, versions):
    vm = guest(**versions)
    lab.born(vm)
    seen = lab.counter("group_reports_igmp"), lab.counter("group_reports_mld")

    def shown():
        return {row["group"] for row in lab.show("sw", "groups")
                if row["mac"] == vm.mac and row["port"] == "p1"}
    listeners = [vm.join(group) for group in groups]
    wait_for("both to be shown", lambda: set(groups) <= shown())
    assert lab.counter("group_reports_igmp") > seen[0]
    assert lab.counter("group_reports_mld") > seen[1]
    assert all(group in lab.cli("sw", "show", "groups") for group in groups)
    # IGMPv1 knows no leaving.
    leaving = [x for x in listeners if versions.get("igmp") != 1 or ":" in x.group]
    for listener in leaving:
        vm.leave(listener)
    wait_for("what it has left to be gone",
             lambda: not {x.group for x in leaving} & shown())
    assert set(groups) - {x.group for x in leaving} <= shown()


def test_watch_and_counters_tell_of_a_migration(lab, guest, groups):
    vm = guest()
    lab.born(vm)
    watch = lab.sw.start("watch", "stdbuf", "-oL", built("vdp-migrate"), "watch")
    watch.wait_line("watching")
    before = {name: lab.counter(name) for name in (
        "group_queries_igmp", "group_queries_mld", "group_reports_igmp",
        "group_reports_mld", "group_first_reports")}
    joins_unheard(vm, *groups)
    lab.migrate(vm, "h2")
    for group in groups:
        lab.wait_mdb("p2", group)
        watch.wait_line(f"p2.*{group}")
    watch.stop()
    for name, value in before.items():
        assert lab.counter(name) > value
    assert 0 < lab.counter("group_first_report_ms_max") < 10000
