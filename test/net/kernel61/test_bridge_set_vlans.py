# SPDX-License-Identifier: GPL-2.0-only
"""
What the engine changes in a bridge that filters VLANs (bridge_set by edge_driver): groups
and MACs in their VLAN, and in none else.
"""
import pytest

from netns import wait_for
from test_bridge_set import GROUP, GROUP6, MAC, behind, bridge, details
from test_edges import Driver, Ground


@pytest.fixture(scope="module")
def ground():
    made = Ground()
    made.sw.ip("link set br0 type bridge vlan_filtering 1 mcast_snooping 1",
               "link set p2 master br0 up", "link set x2 up")
    for port in ("p1", "p2"):
        made.sw.run("bridge", "vlan", "add", "vid", "100", "dev", port)
        wait_for("forwarding", lambda p=port: details(made, p)["state"] == "forwarding")
    made.driver.close()
    made.driver = Driver(made.sw)
    yield made
    made.driver.close()
    made.world.end()


def vlans_of(ground, port, group):
    return {e.get("vid") for x in bridge(ground, "mdb", "show") for e in x.get("mdb", ())
            if (e["port"], e["grp"]) == (port, group)}


@pytest.mark.parametrize("group", (GROUP, GROUP6))
def test_group_is_put_and_taken_out_in_its_vlan(ground, group):
    ground.driver(f"put p1 100 {group}")
    assert vlans_of(ground, "p1", group) == {100}
    ground.driver(f"put p1 1 {group}")
    ground.driver(f"drop p1 100 {group}")
    assert vlans_of(ground, "p1", group) == {1}
    ground.driver(f"drop p1 1 {group}")


def test_mac_moves_in_its_vlan_alone(ground):
    for vlan in (1, 100):
        ground.driver(f"move p1 {vlan} {MAC}")
    ground.driver(f"move p2 100 {MAC}")
    assert {(e["ifname"], e["vlan"]) for e in behind(ground, MAC)} \
        == {("p1", 1), ("p2", 100)}
