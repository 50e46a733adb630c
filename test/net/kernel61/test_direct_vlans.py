# SPDX-License-Identifier: GPL-2.0-only
"""
The leases of VMs in a VLAN that their server tags: by a macvtap on the VLAN's interface on
the uplink, as libvirt has it, and in a bridge of that interface.
"""
import pytest

from direct import Direct, rows, wait_row
from lab import DHCP
from netns import wait_for
from wiring import VID, VlanLab

UPLINK = f"e0.{VID}"


class TaggedLab(VlanLab):
    """h2 alone; what is on its uplink's VLAN a test says."""

    def _forward(self):
        self.space["h2"].ip(f"link add link e0 name {UPLINK} type vlan id {VID}",
                            f"link set {UPLINK} up")


@pytest.fixture(scope="module")
def lab():
    with TaggedLab(True, VID, ours={}, module_at=("h2",), engine_at=("h2",)) as made:
        yield made


def test_macvtap_on_the_vlans_interface_has_leases_in_that_vlan(lab):
    vm = Direct(lab, link=UPLINK)
    client = vm.client()
    row = wait_row(lab, vm)
    assert (row["port"], row["vlan"], row["address"], row["server"], row["client_id"]) == (
        vm.name, VID, vm.ip, DHCP, f"01:{vm.mac}")
    client.stop()
    vm.close()
    wait_for("the lease to be gone", lambda: not rows(lab, vm))


def test_bridge_of_the_vlans_interface_is_one_with_the_uplink(lab, vm):
    h2 = lab.space["h2"]
    h2.ip("link add br10 type bridge", f"link set {UPLINK} master br10",
          "link set v0 master br10", "link set br10 up")
    assert vm.run_at("h2"), "no lease"
    row = wait_row(lab, vm)
    assert (row["port"], row["vlan"], row["address"]) == ("v0", 0, vm.ip)
    # It is the VSI's lease: it ends with its association.
    vm.vdp("h2", "assoc")
    assert wait_row(lab, vm)
    vm.vdp("h2", "deassoc")
    wait_for("the lease to be gone", lambda: not rows(lab, vm))
    h2.ip("link del br10")
