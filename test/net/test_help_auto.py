# SPDX-License-Identifier: GPL-2.0-only
"""
assist=auto: where the DHCP servers' answers to leasequery give nothing, help does. And
whom a server helps: help requests forged by a false switch, and a server whose lldpad is
without the module. p1 is not ours: nothing is known of the VM at p2.
"""
import contextlib

import pytest

import dhcp_servers
import frames
from helping import FakeSwitch, Quiet, dhcp, help_requests, known, lease, tlvs
from lab import SWITCH
from netns import wait_for
from product import settings

OURS = settings(p1=None)
OURS["p2"]["assist"] = "auto"
LAB = {"ours": OURS}
REQUEST, ACK, LEASEQUERY, UNKNOWN, ACTIVE = 3, 5, 10, 12, 13


@contextlib.contextmanager
def served(lab, make, *argv, **options):
    """In place of the lab's DHCP server."""
    lab.dhcpd.stop()
    process = make(lab.space["dhcp"], "d0", *argv, **options)
    try:
        yield process
    finally:
        process.stop()
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")


def comes_by_help(lab, vm):
    """It migrates to h2; what the switch and the servers say to each other until then."""
    server, before = lab.sw.capture("p3", "udp port 67 or udp port 68"), lab.violations()
    with Quiet(lab, "p1", "eth1") as quiet:
        lab.announce(vm, "h2", *known(vm))
        lab.wait_states(vm, timeout=20.0, p2="staged")
        quiet.check()
    assert lab.bindings(vm)["p2"]["origin"] == "help"
    ping = vm.ping()
    lab.switch_over(vm, "h2")
    first = ping.next()
    wait_for("a ping to be answered", lambda: ping.replies(first))
    assert not ping.stop().lost(first, until=max(ping.replies(first)))
    lab.wait_states(vm, p2="active")
    assert lab.violations() == before
    return [m.kind for m in dhcp(server.frames())]


def test_servers_answer_to_leasequery_is_enough(lab, vm):
    lease(vm)
    ecp = lab.sw.capture("p2", "ether proto 0x8940")
    lab.announce(vm, "h2", *known(vm))
    lab.wait_states(vm, p2="staged")
    assert lab.bindings(vm)["p2"]["origin"] == "leasequery"
    vm.vdp("h2", "assoc")
    assert not help_requests(ecp.frames(), vm)


def test_leasequery_denied_by_the_server(lab, vm):
    with served(lab, dhcp_servers.isc, conf="deny leasequery;"):
        lease(vm)
        kinds = comes_by_help(lab, vm)
        assert LEASEQUERY in kinds and kinds[-2:] == [REQUEST, ACK]
        assert not {ACTIVE, UNKNOWN} & set(kinds)


def test_leasequery_that_is_lost_on_the_way(lab, vm):
    lease(vm)
    lab.sw.run("nft", "-f", "-", input="table bridge loss { chain out {\n"
               "type filter hook output priority 0\nudp dport 67 drop\n}\n}\n")
    try:
        assert comes_by_help(lab, vm) == [REQUEST, ACK]
    finally:
        lab.sw.run("nft", "delete", "table", "bridge", "loss")


def test_leasequery_answered_with_UNKNOWN_for_an_address_that_is_reserved(lab, vm):
    """ISC's dhcpd has no lease for a host with a fixed address."""
    host = f"host h {{ hardware ethernet {vm.mac}; fixed-address 10.9.0.77; }}"
    with served(lab, dhcp_servers.isc, conf=f"allow leasequery; {host}"):
        lease(vm)
        assert vm.ip == "10.9.0.77"
        assert comes_by_help(lab, vm) == [LEASEQUERY, UNKNOWN, REQUEST, ACK]


def test_server_without_leasequery(lab, vm):
    """Debian's dnsmasq."""
    with served(lab, dhcp_servers.dnsmasq):
        lease(vm)
        kinds = comes_by_help(lab, vm)
        assert kinds[-2:] == [REQUEST, ACK] and set(kinds) == {LEASEQUERY, REQUEST, ACK}


# Whom a server helps

@contextlib.contextmanager
def expecting(lab, vm, server, home):
    """That server expects the VM, with all that is known of it; the switch asks for no
    help."""
    lab.lldpad["sw"].set("p2", "assist=off")
    lease(vm, home)
    lab.announce(vm, server, *known(vm))
    try:
        yield vm
    finally:
        lab.lldpad["sw"].set("p2", "assist=auto")


@pytest.fixture
def expected(lab, vm):
    with expecting(lab, vm, "h2", "h1") as made:
        yield made


class Answers:
    """What a server counts, logs and sends from now on; a false switch on its port."""

    def __init__(self, lab, server):
        self.lab, self.server, self.log = lab, server, lab.lldpad[server].process
        self.lines, self.before = len(self.log.lines), self._counts()
        self.uplink = lab.space[server].capture("e0", "udp port 67")
        self.ask = FakeSwitch(lab, lab.port_of[server]).ask

    def _counts(self):
        return {r["counter"]: r["value"] for r in self.lab.show(self.server, "counters")}

    def wait(self, n, what="refused"):
        name = f"help_requests_{what}"
        wait_for(f"{n} {what}",
                 lambda: self._counts()[name] == self.before[name] + n, 5.0)

    def said(self):
        return [x for x in self.log.lines[self.lines:] if "help request refused" in x]

    def sent(self):
        return dhcp(self.uplink.now())


@pytest.fixture
def h2(lab):
    return Answers(lab, "h2")


def test_help_request_for_a_vm_that_is_expected_is_answered_once(expected, h2):
    h2.ask(expected.uuid, expected.mac, xid=4711)
    wait_for("the DHCPREQUEST", h2.sent)
    request, = h2.sent()
    assert (request.xid, request.giaddr, request.chaddr) == (4711, SWITCH, expected.mac)
    # The same once more, as a switch repeats it in each answer.
    h2.ask(expected.uuid, expected.mac, xid=4711)
    h2.wait(1, "repeated")
    assert len(h2.sent()) == 1 and not h2.said()


def test_unknown_VSI_is_refused_and_logged_once(expected, h2):
    unknown = "0b0b0b0b-0000-4000-8000-00000000000b"
    for _ in range(3):
        h2.ask(unknown, expected.mac)
    h2.wait(3)
    line, = h2.said()
    assert f"e0 vsi {unknown}" in line and "no such VSI" in line and not h2.sent()


def test_foreign_MAC_is_refused_and_logged_once(lab, vm):
    with expecting(lab, vm, "h1", "h2"):
        h1 = Answers(lab, "h1")     # whose port has not logged a refusal yet
        for _ in range(3):
            h1.ask(vm.uuid, vm.mac, "52:54:00:66:66:66")
        h1.wait(3)
        line, = h1.said()
        assert f"e0 vsi {vm.uuid}" in line and "MAC" in line and not h1.sent()


def test_VSI_that_is_not_migrating_in_is_refused(lab, expected, h2):
    lab.unmark("h2", expected)
    h2.ask(expected.uuid, expected.mac)
    h2.wait(1)
    assert not h2.sent()


def test_more_requests_than_one_VSI_needs_are_refused(expected, h2):
    for n in range(12):
        h2.ask(expected.uuid, expected.mac, xid=100 + 10 * n)
    h2.wait(8)
    assert 1 <= len(h2.sent()) <= 4


def test_malformed_help_requests_are_refused_and_lldpad_lives(expected, h2):
    head = bytes.fromhex("02564d02")
    for octets in (head, head + b"\1", head + bytes((1, 1, 1, 10, 9)),
                   head + bytes((1, 1, 9)) + bytes(30), head + bytes(400)):
        h2.ask(None, octets=octets)
    h2.wait(5)
    assert not h2.sent() and h2.log.alive and expected.vdp("h2", "assoc")


# The last: h2's lldpad is another one afterwards

def test_station_without_the_module_is_not_disturbed(lab, vm):
    lease(vm)
    lldpad = lab.lldpad["h2"]
    lldpad.stop()
    lldpad.module = False
    lldpad.start()
    lab.wait_lldp(("h2",))
    wait_for("the neighbour's word to be gone", lambda: not next(
        r for r in lab.show("sw", "ports") if r["port"] == "p2")["neighbour"])
    with served(lab, dhcp_servers.isc, conf="deny leasequery;"):
        lines = len(lab.engine["sw"].lines)
        capture = lab.sw.capture("p2", "ether proto 0x8940")
        assert vm.vdp("h2", "preassoc", hints="to")     # stock's own M-bit
        lab.engine["sw"].wait_line(f"{vm.uuid[:4]}|{vm.mac}", 20.0, lines)
        assert vm.vdp("h2", "assoc", hints="to")
        wait_for("two keep-alives", lambda: [v for _, _, v in frames.vdp_requests(
            capture.now())].count(vm.uuid) >= 4)
        assert not [t for f in capture.frames() for t in tlvs(f) if t[0] == 0x7f]
        assert capture.count("_ws.malformed") == 0
        assert vm.vdp("h2", "assoc", hints="to") and lab.states(vm) == {}
