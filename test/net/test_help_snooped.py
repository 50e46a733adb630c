# SPDX-License-Identifier: GPL-2.0-only
"""
Help requests at a server whose VMs are on a bridge with the uplink: there it sees their
leases itself. What it has seen on the interface that the mark names it need not be told;
what it is told must not contradict it. The switch has not seen the lease: p2 was not ours
when it was made.
"""
import pytest

from helping import client_id, dhcp, lease
from lab import DHCP
from netns import wait_for
from product import settings

OURS = settings(p1=None)
OURS["p2"]["assist"] = "help"
LAB = {"ours": OURS}


@pytest.fixture(scope="module")
def bridged(lab):
    """h2 has a bridge in place of the forwarding rules."""
    h2 = lab.space["h2"]
    h2.run("nft", "delete", "table", "netdev", "f")
    h2.ip("link add br1 type bridge stp_state 1 forward_delay 200",
          "link set e0 master br1", "link set v0 master br1", "link set br1 up")
    return h2


@pytest.fixture
def seen(lab, bridged, vm):
    """It runs at h2, where its lease has been seen; the switch knows nothing of it."""
    sw, before = lab.lldpad["sw"], lab.counter("helped_leases_seen", "h2")
    sw.set("p2", "use=no")
    lease(vm, "h2")
    wait_for("the lease to be seen",
             lambda: lab.counter("helped_leases_seen", "h2") > before)
    sw.set("p2", "use=yes")
    wait_for("p2 to be ours", lambda: any(
        r["port"] == "p2" and r["use"] and r["in_force"] == "enforce"
        for r in lab.show("sw", "ports")))
    assert lab.states(vm) == {}
    return vm


def test_lease_that_was_seen_here_is_shown(lab, seen):
    row = next(row for row in lab.show("h2", "leases") if row["mac"] == seen.mac)
    assert list(row) == ["port", "vlan", "mac", "address", "client_id", "no_client_id",
                         "server", "lease_left"]
    assert (row["address"], row["server"], row["vlan"]) == (seen.ip, DHCP, 0)
    assert row["no_client_id"] is (row["client_id"] is None)
    assert 0 < row["lease_left"] <= 3600
    assert row["port"] == "v0"


def test_lease_that_was_seen_here_need_not_be_told(lab, seen):
    capture = lab.space["h2"].capture("e0", "udp port 67")
    lab.announce(seen, "h2", "--tap", "v0")
    lab.wait_states(seen, p2="staged")
    assert lab.bindings(seen)["p2"]["origin"] == "help"
    request = next(m for m in dhcp(capture.frames()) if m.kind == 3)
    assert request.options[61].hex() == client_id(seen)


def test_lease_that_was_seen_on_no_interface_of_its_own_is_nothing(lab, seen):
    """It may be that of a guest here with a forged MAC address."""
    capture = lab.space["h2"].capture("e0", "udp port 67")
    lab.announce(seen, "h2")
    lab.engine["h2"].wait_line(f"{seen.mac}.*its address is not known")
    assert not [m for m in dhcp(capture.now()) if m.kind == 3]
    lab.announce(seen, "h2", "--ip", "10.9.0.77", "--client-id", client_id(seen))
    wait_for("the mark's request", lambda: [
        m for m in dhcp(capture.now()) if m.kind == 3 and m.chaddr == seen.mac])


@pytest.mark.parametrize("wrong, why", (
    (("--ip", "10.9.0.77"), "different addresses"),
    (("--client-id", "00deadbeef"), "different client-ids"),
    (("--no-client-id",), "different client-ids")))
def test_mark_that_contradicts_what_was_seen_is_not_believed(lab, seen, wrong, why):
    capture = lab.space["h2"].capture("e0", "udp port 67")
    lab.announce(seen, "h2", "--tap", "v0", *wrong)
    lab.engine["h2"].wait_line(f"{seen.mac}.*{why}")
    assert not [m for m in dhcp(capture.frames()) if m.kind == 3]
    assert lab.states(seen) == {}
