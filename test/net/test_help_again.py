# SPDX-License-Identifier: GPL-2.0-only
"""
A DHCPREQUEST that is lost: the switch, which alone sees that no answer comes, asks the
server again as RFC 2131 4.1 says.
"""
from helping import dhcp, known, lease
from netns import wait_for
from product import settings

OURS = settings(p1=None)
OURS["p2"]["assist"] = "help"
LAB = {"ours": OURS}
REQUEST = 3


def test_a_request_that_is_lost_is_made_again_after_four_seconds(lab, vm):
    lease(vm)
    wire = lab.sw.capture("p2", "udp port 67")
    lab.sw.run("nft", "-f", "-", input="table bridge loss { chain forward {\n"
               "type filter hook forward priority 0\nip saddr 0.0.0.0 udp dport 67 drop\n"
               "}\n}\n")
    try:
        lab.announce(vm, "h2", *known(vm))
        wait_for("the first request", lambda: dhcp(wire.now()))
    finally:
        lab.sw.run("nft", "delete", "table", "bridge", "loss")
    lab.wait_states(vm, timeout=8.0, p2="staged")
    first, second = [m for m in dhcp(wire.now()) if m.kind == REQUEST]
    assert first.xid != second.xid and first.chaddr == second.chaddr == vm.mac
    assert lab.bindings(vm)["p2"]["origin"] == "help"
    assert lab.counter("help_asked") == lab.counter("help_answered") == 1
    assert lab.counter("helped_sent", "h2") == 2
