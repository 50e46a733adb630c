# SPDX-License-Identifier: GPL-2.0-only
"""
Where leasequeries come from while a relay lives on the switch: a relay is never made
deaf. The DHCP server is beyond a routed uplink, so that a VM's lease needs the relay.
"""
import pytest

from far import FAR, LOOPBACK, Far
from lab import SWITCH
from netns import wait_for
from product import settings

RELAYS = ("dhcrelay", "udp")
LEASEQUERY, LEASEACTIVE = "dhcp.option.dhcp == 10", "dhcp.option.dhcp == 13"


def ours(**more):
    made = settings()
    for port in ("p1", "p2"):
        made[port].update(servers=FAR, assist="leasequery", **more)
    return made


LAB = {"ours": ours()}


@pytest.fixture(scope="module")
def far(lab):
    made = Far(lab)
    with made.server():
        yield made


@pytest.fixture(autouse=True)
def nobody_holds_the_port(lab, far):
    """Our own default socket of the test before has been let go."""
    far.wait_held(SWITCH, False)
    yield
    for port in ("p1", "p2"):
        lab.lldpad["sw"].set(port, "giaddr=")


def default_socket(lab, far, vm):
    """A migration asks from the bridge's own address: our socket is open there."""
    lab.announce(vm, "h2")
    far.wait_held(SWITCH)


def said(lab, since):
    return [x for x in lab.engine["sw"].lines[since:] if "no giaddr to ask from" in x]


def test_bridge_address_is_the_default_and_is_let_go_when_nothing_is_asked(lab, far, vm):
    capture = lab.sw.capture("u0", "udp port 67")
    default_socket(lab, far, vm)
    wait_for("the query", lambda: capture.now())
    assert capture.fields(LEASEQUERY, "ip.src", "dhcp.ip.relay")[0] == (SWITCH, SWITCH)
    far.wait_held(SWITCH, False, 30.0)
    with far.relay("alone"):    # a relay that can share the port with nobody
        vm.vdp("h1", "assoc")
        assert vm.run_at("h1")
        lab.wait_states(vm, p1="active", p2="staged")


@pytest.mark.parametrize("kind", RELAYS)
def test_relay_that_starts_later_hears_and_its_vm_gets_a_lease(lab, far, vm, kind):
    vm.vdp("h1", "assoc")
    lines = len(lab.engine["sw"].lines)
    default_socket(lab, far, vm)
    with far.relay(kind):
        assert vm.run_at("h1"), "the relay is deaf"
        lab.wait_states(vm, timeout=2, p1="active", p2="staged")
        assert vm.ping().stop().lost() == []
        lab.engine["sw"].wait_line("no giaddr to ask from", since=lines)
        assert not far.held(SWITCH)
        assert len(said(lab, lines)) == 1


@pytest.mark.parametrize("kind", RELAYS)
def test_with_a_relay_there_nothing_is_asked_and_one_line_says_why(lab, far, vm, kind):
    lines = len(lab.engine["sw"].lines)
    with far.relay(kind):
        capture = lab.sw.capture("u0", "udp port 67")
        vm.vdp("h1", "assoc")
        assert vm.run_at("h1")
        lab.wait_states(vm, p1="active")
        lab.migrate(vm, "h2")       # moved: its binding goes with it all the same
        lab.wait_states(vm, p1="leaving", p2="active")
        stranger = "0b0b0b0b-0000-4000-8000-000000000002"
        lab.vdp("h2", "preassoc", stranger, "52:54:00:99:99:02", "to")
        lab.engine["sw"].wait_line("no DHCP server to ask, or no giaddr", since=lines)
        lab.vdp("h2", "deassoc", stranger, "52:54:00:99:99:02", "to", wait=False,
                check=False)
        assert capture.count(LEASEQUERY) == 0
    assert len(said(lab, lines)) <= 1    # said once, until it has been otherwise
    assert "/32 on lo" in said(lab, 0)[-1]


@pytest.mark.parametrize("kind", RELAYS)
def test_an_address_of_its_own_on_lo_works_beside_a_relay(lab, far, vm, kind):
    for port in ("p1", "p2"):
        lab.lldpad["sw"].set(port, f"giaddr={LOOPBACK}")
    with far.relay(kind):
        vm.vdp("h1", "assoc")
        assert vm.run_at("h1")
        lab.wait_states(vm, p1="active")
        before = lab.counter("leasequery_active")
        uplink, port = lab.sw.capture("u0", "udp port 67"), lab.sw.capture("p2")
        lab.migrate(vm, "h2")
        wait_for("the server's answer",
                 lambda: lab.counter("leasequery_active") > before)
        lab.wait_states(vm, p1="leaving", p2="active")
        assert uplink.fields(LEASEQUERY, "ip.src", "dhcp.ip.relay")[0] == (
            LOOPBACK, LOOPBACK)
        assert port.count(LEASEACTIVE) == 0     # the relay has passed on none of it
        assert vm.dhcp() == vm.ip               # and is not deaf
