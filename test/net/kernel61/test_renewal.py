# SPDX-License-Identifier: GPL-2.0-only
"""
The guard on a kernel before 6.12, where adding an element again changes nothing and
where a removal of what has expired undoes its whole transaction.
"""
import json

import pytest

from netns import wait_for
from test_guard import IP4, MAC, OTHER_IP, OTHER_MAC, switch, udp    # noqa: F401


@pytest.fixture
def sw(switch):    # noqa: F811
    """Ports p1 and p2 enforced, nothing bound."""
    switch.nft("flush", "ruleset")
    switch.restart()("mode p1 enforce", "mode p2 enforce", "commit")
    switch.drain()
    yield switch
    switch.driver.close()
    switch.driver = None


def _left(sw, port, mac=MAC, ip=IP4):
    """Seconds that the kernel gives the element, None if it is not there."""
    return sw.driver.elements().get((port, 0, mac, ip))


def _ended(sw, port, mac=MAC, ip=IP4):
    wait_for(f"the end of {ip} at {port}", lambda: _left(sw, port, mac, ip) is None)


def test_this_kernel_does_not_extend_by_adding_again(sw):
    """What makes the other tests here worth something."""
    sw.nft("add table bridge t; add set bridge t s { type ifname; timeout 10s; }; "
           "add element bridge t s { a timeout 10s }")
    sw.nft("add element bridge t s { a timeout 100s }")
    listing = json.loads(sw.nft("-j", "list", "set", "bridge", "t", "s"))["nftables"]
    element, = next(x["set"]["elem"] for x in listing if "set" in x)
    assert element["elem"]["expires"] <= 10


def test_renewed_element_lets_its_vm_send_past_the_first_end(sw):
    sw.driver(f"put p1 0 {MAC} {IP4} 3", "commit")
    sw.driver(f"renew p1 0 {MAC} {IP4} 60", "commit")
    assert 50 < _left(sw, "p1") <= 60
    # Put after the first, it ends after the first would have.
    sw.driver(f"put p1 0 {OTHER_MAC} {OTHER_IP} 3", "commit")
    assert sw.passes(udp(OTHER_IP, OTHER_MAC))
    _ended(sw, "p1", OTHER_MAC, OTHER_IP)
    assert not sw.passes(udp(OTHER_IP, OTHER_MAC))
    assert sw.passes(udp())


def test_renewal_can_also_shorten(sw):
    sw.driver(f"put p1 0 {MAC} {IP4} 60", "commit")
    sw.driver(f"renew p1 0 {MAC} {IP4} 1", "commit")
    _ended(sw, "p1")
    assert not sw.passes(udp())


def test_renewal_of_one_is_not_undone_by_the_expiry_of_another(sw):
    sw.driver(f"put p1 0 {MAC} {IP4} 60", f"put p2 0 {OTHER_MAC} {OTHER_IP} 0.05",
              "commit")
    _ended(sw, "p2", OTHER_MAC, OTHER_IP)
    sw.driver(f"renew p1 0 {MAC} {IP4} 600", f"renew p2 0 {OTHER_MAC} {OTHER_IP} 600",
              "commit")
    assert _left(sw, "p1") > 500 and _left(sw, "p2", OTHER_MAC, OTHER_IP) > 500


def test_move_of_an_expired_element_is_not_lost(sw):
    sw.driver(f"put p1 0 {MAC} {IP4} 0.05", "commit")
    _ended(sw, "p1")
    sw.driver(f"put p2 0 {MAC} {IP4} 60", f"drop p1 0 {MAC} {IP4}", "commit")
    assert _left(sw, "p2") > 50 and _left(sw, "p1") is None
    assert sw.passes(udp(), "p2") and not sw.passes(udp(), "p1")


def test_move_while_the_element_expires_is_not_lost(sw):
    """The removal comes a little before, at, or a little after the end."""
    for n in range(1, 21):
        sw.driver(f"put p1 0 {MAC} {IP4} 0.0{n:02}", f"drop p2 0 {MAC} {IP4}", "commit")
        sw.driver(f"put p2 0 {MAC} {IP4} 60", f"drop p1 0 {MAC} {IP4}", "commit")
        assert _left(sw, "p2") > 50 and _left(sw, "p1") is None
