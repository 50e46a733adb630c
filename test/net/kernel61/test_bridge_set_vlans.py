# SPDX-License-Identifier: GPL-2.0-only
"""
What the engine changes in a bridge that filters VLANs (bridge_set by edge_driver): groups
and MACs in their VLAN, and in none else.
"""
import pytest

import frames
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


# Where each VLAN snoops for itself (mcast_vlan_snooping): what of ours counts there.

@pytest.fixture
def each_vlan(ground):
    """VLAN 100 has a querier of its own and prunes."""
    ground.sw.ip("link set br0 type bridge mcast_vlan_snooping 1")
    ground.sw.run("bridge", "vlan", "global", "set", "vid", "100", "dev", "br0",
                  "mcast_query_response_interval", "100", "mcast_querier", "1")
    capture = ground.server.capture("e0")
    wait_for("VLAN 100 to prune", lambda: not reaches_p1(ground, capture), every=0.1)
    yield capture
    ground.sw.ip("link set br0 type bridge mcast_vlan_snooping 0")


def reaches_p1(ground, capture):
    """Whether a frame to the group does, in VLAN 100. Broadcasts do in any case."""
    def ours():
        return [f[:6] for f in capture.now() if f[6:12] == b"\x02\0\0\0\0\x77"]

    said = len(ours())
    for to, address in ("01:00:5e:01:02:03", GROUP), ("ff:ff:ff:ff:ff:ff", "255.255.255.255"):
        frame = frames.udp_frame(to, "02:00:00:00:00:77", "10.0.0.77", address, b"x", 7, 7)
        ground.sw.send_frame("x2", frame[:12] + b"\x81\x00\x00\x64" + frame[12:])
    wait_for("the broadcast", lambda: b"\xff" * 6 in ours()[said:])
    return len(ours()) == said + 2


def test_group_of_a_vlan_that_snoops_for_itself_is_put_and_taken_out(ground, each_vlan):
    ground.driver(f"put p1 100 {GROUP}")
    assert vlans_of(ground, "p1", GROUP) == {100}
    assert reaches_p1(ground, each_vlan)
    ground.driver(f"drop p1 100 {GROUP}")
    assert not reaches_p1(ground, each_vlan)


def test_router_port_counts_for_no_vlan_that_snoops_for_itself(ground, each_vlan):
    """What doc/operations says of it: the VLAN's own option does."""
    ground.driver("router p1 on")
    assert details(ground, "p1")["multicast_router"] == 2
    assert not reaches_p1(ground, each_vlan)
    ground.driver("router p1 off")
    ground.sw.run("bridge", "vlan", "set", "vid", "100", "dev", "p1", "mcast_router", "2")
    assert reaches_p1(ground, each_vlan)
    ground.sw.run("bridge", "vlan", "set", "vid", "100", "dev", "p1", "mcast_router", "1")
