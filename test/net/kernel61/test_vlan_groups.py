# SPDX-License-Identifier: GPL-2.0-only
"""
Multicast groups of VMs in a VLAN of a VLAN-aware bridge, tagged between server and
switch: the query is tagged likewise, and the entry in the bridge's database is in the
VLAN.
"""
from multicast import QUERY
from netns import wait_for
from stream_lab import StreamLab
from wiring import VID, VlanLab


class VlanStreamLab(StreamLab, VlanLab):
    pass


LAB_CLASS, LAB = VlanStreamLab, {"tagged": True, "vsi_vid": VID}


def _in_vlan(lab, port, groups):
    """Are they there, in the VLAN and in no other?"""
    found = [(x["grp"], x.get("vid")) for x in lab.mdb_rows()
             if x["port"] == port and x["grp"] in groups]
    return sorted(found) == sorted((group, VID) for group in groups)


def _hear(vm, stream):
    since = stream.sent
    for listener in vm.listeners:
        wait_for(f"a packet to {listener.group}", lambda x=listener: x.heard(since))


def test_query_is_tagged_and_what_is_known_of_the_vm_is_in_the_vlan(lab, guest, groups):
    """To h2 by query, for nobody has heard it join; back to h1 it is known."""
    vm = guest()
    lab.born(vm)
    vm.stop()
    for group in groups:
        vm.join(group)
    with lab.stream(*groups) as stream, lab.tap("h2", "e0") as wire, \
            lab.tap("h2", f"e0.{VID}") as tagged:
        lab.announce(vm, "h2")
        vm.vdp("h2", "assoc")
        vm.resume("h2")
        _hear(vm, stream)
        queries = wire.seen(QUERY)
        assert {x.dst for x in queries} == {vm.mac}
        assert {x.family for x in queries} == {4, 6}
        assert len(tagged.seen(QUERY)) >= len(queries)
        assert _in_vlan(lab, "p2", groups)

        vm.vdp("h1", "deassoc")
        lab.announce(vm, "h1")
        assert not {x["grp"] for x in lab.mdb_rows() if x["port"] == "p1"} & set(groups)
        vm.stop()
        vm.vdp("h1", "assoc")
        wait_for("the groups at p1", lambda: _in_vlan(lab, "p1", groups))
        vm.resume("h1", silent=True)
        _hear(vm, stream)
        vm.vdp("h2", "deassoc")
        wait_for("p2 to lose them", lambda: not {
            x["grp"] for x in lab.mdb_rows() if x["port"] == "p2"} & set(groups))
