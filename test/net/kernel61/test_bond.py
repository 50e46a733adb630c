# SPDX-License-Identifier: GPL-2.0-only
"""Bonds, which the machine's own kernel may lack: the anchor is the bond."""
from test_edges import ground, none, told    # noqa: F401


def test_slave_of_a_bond_stands_for_the_bonds_bridge_port(ground):
    ground.sw.ip("link add agg0 type bond", "link set p2 down", "link set p2 master agg0",
                 "link set agg0 master br0")
    told(ground.driver, "agg0")
    p2, agg0, br0 = (ground.index(x) for x in ("p2", "agg0", "br0"))
    assert ground.driver("port p2") == [f"{p2} {agg0} agg0 {br0} br0"]
    assert ground.driver(f"name {agg0}") == ["agg0"] and none(ground.driver, f"name {p2}")
