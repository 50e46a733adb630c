# SPDX-License-Identifier: GPL-2.0-only
"""
VMs in a VLAN of a VLAN-aware bridge: the binding's VLAN is the one that the frame is in
inside the bridge, whichever way the VSI and the wire say it.
"""
import pytest

import frames
from lab import DHCP
from netns import wait_for
from wiring import VID, VlanLab

PLACES = {
    "tagged on the wire": (True, VID),
    "untagged, VSI says 0": (False, 0),
    "untagged, VSI says the PVID": (False, VID),
}


@pytest.fixture(scope="module", params=PLACES)
def lab(request):
    with VlanLab(*PLACES[request.param]) as made:
        yield made


def _alive(ping, since=0):
    """A packet of these is answered, and none is lost until then; ends the ping."""
    wait_for("a ping to be answered", lambda: ping.replies(since))
    ping.stop()
    assert not ping.lost(since, until=max(ping.replies(since)))


def test_new_vm_is_bound_in_its_vlan_and_is_heard(lab, vm):
    before = lab.violations()
    lab.born(vm)
    assert lab.bindings(vm)["p1"]["vlan"] == VID
    assert lab.in_kernel(vm) == {"p1"}
    _alive(vm.ping())
    assert lab.violations() == before


def test_vm_that_migrates_is_bound_at_its_new_port_before_it_runs_there(lab, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    assert {row["vlan"] for row in lab.bindings(vm).values()} == {VID}
    assert lab.in_kernel(vm) == {"p1", "p2"}
    ping, before = vm.ping(), lab.violations()
    lab.switch_over(vm, "h2")
    _alive(ping, ping.next())
    assert lab.violations() == before
    lab.wait_states(vm, p1="leaving", p2="active")


def test_vm_whose_lease_only_the_server_knows_is_asked_for_in_its_vlan(lab, vm):
    lab.born(vm)
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p2="staged")
    assert lab.bindings(vm)["p2"]["origin"] == "leasequery"
    assert lab.bindings(vm)["p2"]["vlan"] == VID
    assert lab.in_kernel(vm) == {"p2"}


def test_address_is_not_good_outside_of_its_vlan(lab, vm):
    """The same MAC and address, tagged where they belong untagged and the reverse."""
    lab.born(vm)
    tag = b"" if lab.tagged else b"\x81\x00\x00\x0a"
    frame = frames.udp_frame(lab.dhcp_mac, vm.mac, vm.ip, DHCP, b"forged", 4000, 4001)
    before = lab.dropped("p1")
    lab.space["h1"].send_frame("e0", frame[:12] + tag + frame[12:])
    wait_for("the guard to drop it", lambda: lab.dropped("p1") == before + 1)
