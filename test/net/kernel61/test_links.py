# SPDX-License-Identifier: GPL-2.0-only
"""
bridge_db where the kernel has bonds, teams and bridges that filter VLANs: the anchor is
the bond or team, the PVID is followed.
"""
import pytest

from test_edges import ground, none, told    # noqa: F401


def vlans(ground, name, is_so):    # noqa: F811
    """Dispatch until it is so; without a change there is an error after 5 s."""
    while ground.driver(f"vlans {name}") != [is_so]:
        ground.driver("changes")


@pytest.mark.parametrize("kind", ["bond", "team"])
def test_slave_stands_for_the_bridge_port(ground, kind):    # noqa: F811
    ground.sw.ip(f"link add agg0 type {kind}", "link set p2 down",
                 "link set p2 master agg0")
    vlans(ground, "p2", "agg0 ours")    # also as long as that is in no bridge
    assert none(ground.driver, "port p2")
    ground.sw.ip("link set agg0 master br0")
    told(ground.driver, "agg0")
    p2, agg0, br0 = (ground.index(x) for x in ("p2", "agg0", "br0"))
    assert ground.driver("port p2") == [f"{p2} {agg0} agg0 {br0} br0"]
    assert ground.driver(f"name {agg0}") == ["agg0"] and none(ground.driver, f"name {p2}")


def test_pvid_is_followed(ground):    # noqa: F811
    assert ground.driver("vlans p1") == ["p1 ours"]
    ground.sw.ip("link set br0 type bridge vlan_filtering 1")
    vlans(ground, "p1", "p1 ours pvid 1 own 1")
    for command, is_so in (
            ("vlan add dev p1 vid 10 pvid untagged", "pvid 10 own 1"),
            ("vlan add dev p1 vid 20-30", "pvid 10 own 1"),
            ("vlan add dev p1 vid 10 pvid", "pvid 10 tagged own 1"),
            ("vlan add dev p1 vid 11 pvid untagged", "pvid 11 own 1"),
            ("vlan add dev br0 vid 12 pvid untagged self", "pvid 11 own 12"),
            ("vlan del dev p1 vid 11", "pvid 0 own 12")):
        ground.sw.run("bridge", *command.split())
        if command == "vlan add dev p1 vid 20-30":
            continue
        vlans(ground, "p1", f"p1 ours {is_so}")
    ground.sw.ip("link set br0 type bridge vlan_default_pvid 7")
    ground.sw.ip("link set p2 master br0")
    vlans(ground, "p2", "p2 ours pvid 7 own 12")
    ground.sw.ip("link set br0 type bridge vlan_filtering 0")
    vlans(ground, "p1", "p1 ours")


def test_what_was_there_before_is_read(ground):    # noqa: F811
    ground.sw.ip("link set br0 type bridge vlan_filtering 1")
    ground.sw.run("bridge", "vlan", "add", "dev", "p1", "vid", "10", "pvid", "untagged")
    before, ground.driver = ground.driver, type(ground.driver)(ground.sw)
    before.close()
    assert ground.driver("vlans p1") == ["p1 ours pvid 10 own 1"]
