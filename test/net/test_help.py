# SPDX-License-Identifier: GPL-2.0-only
"""
Help requests: the switch asks the server that a VM arrives on to renew its lease, and
takes the binding from the answer. p1 is not ours, as if it were on another switch, and
assist=help: what is known of the VM at p2 is known by help alone. The DHCP server is
ISC's. tshark is the witness.
"""
import contextlib
import json
import socket

import pytest

from far import FAR, LOOPBACK, Far
from helping import (HARDWARE, NONE, Quiet, client, client_id, dhcp, help_requests, known,
                     lease, lease_of, renew, state_of)
from lab import DHCP, SWITCH, built
from netns import wait_for
from product import settings

OURS = settings(p1=None)
OURS["p2"]["assist"] = "help"
LAB = {"ours": OURS}
REQUEST, ACK, NAK = 3, 5, 6
PRE, ASSOC = 1, 3
HELD = "FE00090A:0043"      # SWITCH, port 67


@pytest.fixture
def stranger(lab, vm):
    """It runs at h1 and has a lease; the switch has seen nothing of it, h2 neither."""
    lease(vm)
    assert lab.states(vm) == {}
    return vm


@pytest.fixture
def quiet(lab):
    """Nothing of DHCP reaches the VM's port, as long as the test lasts."""
    with Quiet(lab, "p1", "eth1") as made:
        yield made


@pytest.fixture(scope="module")
def uplink(lab):
    """The MAC address of h2's uplink."""
    return lab.space["h2"].ip_json("link", "show", "dev", "e0")[0]["address"]


def leases(lab, vm, *addresses):
    return {ip: lease_of(lab, ip) for ip in (vm.ip, *addresses)}


def wait_said(lab, where, vm, pattern):
    """A line of the engine there about this VSI."""
    return lab.engine[where].wait_line(
        f"(?=.*{vm.uuid[:4]}|.*{vm.mac}).*{pattern}")


def alive(ping, first):
    wait_for("a ping to be answered", lambda: ping.replies(first))
    ping.stop()
    return not ping.lost(first, until=max(ping.replies(first)))


# The story

def test_first_packet_passes_under_enforce_where_the_binding_comes_by_help_alone(
        lab, stranger, quiet, uplink):
    before = lab.violations()
    server = lab.sw.capture("p3", "udp port 67 or udp port 68")
    lab.announce(stranger, "h2", *known(stranger))
    lab.wait_states(stranger, p2="staged")
    ping = stranger.ping()
    quiet.check()
    lab.switch_over(stranger, "h2")
    assert alive(ping, ping.next())
    assert lab.violations() == before
    lab.wait_states(stranger, p2="active")
    binding = lab.bindings(stranger)["p2"]
    assert binding["origin"] == "help" and binding["server"] == DHCP
    assert 3500 < binding["lease_left"] <= 3600
    request, ack = dhcp(server.frames())
    assert (request.kind, request.source, request.chaddr) == (
        REQUEST, uplink, stranger.mac)
    assert (request.src, request.sport, request.dst, request.dport) == (
        "0.0.0.0", 68, "255.255.255.255", 67)
    assert (request.giaddr, request.ciaddr, request.flags) == (SWITCH, "0.0.0.0", 0)
    assert request.options[50] == socket.inet_aton(stranger.ip)
    assert request.options[61].hex() == client_id(stranger)
    assert not {54, 118} & set(request.options)
    assert (ack.kind, ack.dst, ack.dport, ack.xid) == (ACK, SWITCH, 67, request.xid)


def test_help_tlv_is_in_the_answer_and_tshark_finds_nothing_malformed(lab, stranger):
    ecp = lab.sw.capture("p2", "ether proto 0x8940")
    server = lab.sw.capture("p3", "udp port 67")
    lab.announce(stranger, "h2", *known(stranger))
    lab.wait_states(stranger, p2="staged")
    lab.switch_over(stranger, "h2")
    assert of_vsi(lab, stranger)["help"] == "answered"
    asked = help_requests(ecp.now(), stranger)
    assert {x["rides"] for x in asked} <= {PRE, ASSOC, None} and asked
    assert asked[0]["rides"] in (PRE, None)
    assert asked[0] == dict(asked[0], flags=1, giaddr=SWITCH, entries=[(stranger.mac, 0)])
    assert dhcp(server.frames())[0].xid == asked[0]["xid"]
    assert ecp.count("_ws.malformed") == 0 == server.count("_ws.malformed")
    assert ecp.count("ecp21") or ecp.count("vdp21")


def of_vsi(lab, vm, where="sw"):
    return next((r for r in lab.show(where, "vsis") if r["vsi"] == vm.uuid), {})


def test_vm_that_sends_no_client_id_is_asked_for_without_one(lab, vm):
    lease(vm, sends=NONE)
    before, server = leases(lab, vm), lab.sw.capture("p3", "udp port 67")
    lab.announce(vm, "h2", *known(vm, sends=NONE))
    lab.wait_states(vm, p2="staged")
    request = dhcp(server.frames())[0]
    assert request.kind == REQUEST and 61 not in request.options
    assert leases(lab, vm) == before


@pytest.mark.parametrize("kind", ("udhcpc", "dhclient"))
def test_vm_that_runs_on_at_the_source_notices_nothing(lab, vm, kind):
    with client(vm, kind) as process:
        ping, lines = vm.ping(), len(process.lines)
        wait_for("pings", lambda: len(ping.replies()) > 10)
        with Quiet(lab, "p1", "eth1") as quiet:
            lab.announce(vm, "h2", *known(vm))
            lab.wait_states(vm, p2="staged")
            seen = ping.next()
            wait_for("pings after it", lambda: len(ping.replies(seen)) > 20)
            quiet.check()
        ping.stop()
        assert not ping.lost(until=max(ping.replies()))
        assert {x["ifname"] for x in lab.sw.fdb() if x["mac"] == vm.mac} == {"p1"}
        assert process.alive and process.lines[lines:] == []
        shown = vm.space.ip_json("addr", "show", "dev", "eth1")[0]["addr_info"]
        assert [a["local"] for a in shown] == [vm.ip]


# What is wrong

def test_wrong_client_id_is_refused_by_the_server_and_the_lease_is_as_it_was(
        lab, stranger, quiet):
    before, naks = leases(lab, stranger), lab.counter("help_naks")
    server = lab.sw.capture("p3", "udp port 67 or udp port 68")
    lab.announce(stranger, "h2", "--ip", stranger.ip, "--client-id", "00deadbeef")
    wait_for("the NAK", lambda: lab.counter("help_naks") == naks + 1)
    wait_said(lab, "sw", stranger, "NAK")
    assert lab.states(stranger) == {}
    quiet.check()
    assert [(m.kind, m.dst) for m in dhcp(server.frames())] == [
        (REQUEST, "255.255.255.255"), (NAK, SWITCH)]
    assert leases(lab, stranger) == before
    assert stranger.dhcp() == stranger.ip


def test_address_of_another_client_is_refused_by_the_server(lab, vm):
    lease(vm)
    taken, naks = vm.ip, lab.counter("help_naks")
    vm.stop()
    wrong = lab.vm()
    lease(wrong)
    before = leases(lab, wrong, taken)
    with Quiet(lab, "p1", "eth1") as quiet:
        lab.announce(wrong, "h2", *known(wrong, ip=taken))
        wait_for("the NAK", lambda: lab.counter("help_naks") == naks + 1)
        quiet.check()
    assert lab.states(wrong) == {} and leases(lab, wrong, taken) == before
    wrong.vdp("h2", "deassoc")


def free_address(lab):
    return next(ip for ip in (f"10.9.0.{n}" for n in range(199, 150, -1))
                if state_of(lab, ip) in (None, "free"))


def test_address_that_the_switch_has_bound_to_another_is_not_taken(lab, stranger):
    free = free_address(lab)
    lab.cli("sw", "bind", "0", "52:54:00:66:66:66", free, "p2")
    try:
        before = lab.counter("help_contradicted")
        lab.announce(stranger, "h2", *known(stranger, ip=free))
        wait_for("the contradiction",
                 lambda: lab.counter("help_contradicted") == before + 1)
        wait_said(lab, "sw", stranger, "52:54:00:66:66:66")
        assert not [r for r in lab.show("sw", "bindings") if r["mac"] == stranger.mac]
    finally:
        lab.cli("sw", "unbind", "0", "52:54:00:66:66:66", free, "p2")


def test_free_address_that_nothing_contradicts_ends_the_lease_as_operations_says(lab, vm):
    """doc/operations, "A mark that is wrong": nobody here knows better."""
    free = free_address(lab)
    with client(vm, "udhcpc") as process:
        lab.announce(vm, "h2", *known(vm, ip=free))
        wait_for("the server's answer", lambda: state_of(lab, free) == "active")
        assert state_of(lab, vm.ip) == "free"
        wait_for("the binding", lambda: [r["address"] for r in lab.show("sw", "bindings")
                                         if r["mac"] == vm.mac] == [free])
        # The VM's next renewal heals it at the server.
        assert renew(process) == vm.ip
        assert state_of(lab, vm.ip) == "active"


def test_client_id_that_a_vm_never_sent_costs_it_its_lease_as_operations_says(lab, vm):
    with client(vm, "udhcpc", sends=NONE) as process:
        lab.announce(vm, "h2", *known(vm, sends=HARDWARE))
        lab.wait_states(vm, p2="staged")
        assert "uid" in lease_of(lab, vm.ip)
        assert renew(process) != vm.ip


@pytest.mark.parametrize("told, why", (
    ((), "address is not known"), (("--ip", "IP"), "client-id"),
    (("--client-id", "0a0b"), "address is not known")))
def test_what_is_not_certain_is_not_asked_for(lab, stranger, told, why):
    capture = lab.space["h2"].capture("e0", "udp port 67")
    refused = lab.counter("helped_refused", "h2")
    lab.announce(stranger, "h2", *(stranger.ip if x == "IP" else x for x in told))
    wait_said(lab, "h2", stranger, why)
    assert lab.counter("helped_refused", "h2") == refused + 1
    assert not dhcp(capture.frames()) and lab.states(stranger) == {}


# Where the answer comes

@pytest.fixture
def port_67_is_taken(lab):
    """A program on the switch has UDP port 67, so that there is no giaddr."""
    with lab.sw.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("0.0.0.0", 67))
        wait_for("our socket to be closed", lambda: HELD not in lab.sw.run(
            "cat", "/proc/net/udp"), 20.0)
        yield


def test_without_giaddr_the_answer_is_taken_as_it_passes_the_trusted_port(
        lab, stranger, port_67_is_taken):
    ecp = lab.sw.capture("p2", "ether proto 0x8940")
    server = lab.sw.capture("p3", "udp port 67 or udp port 68")
    lab.announce(stranger, "h2", *known(stranger))
    lab.wait_states(stranger, p2="staged")
    assert lab.bindings(stranger)["p2"]["origin"] == "help"
    assert help_requests(ecp.frames(), stranger)[0]["giaddr"] is None
    request, ack = dhcp(server.frames())
    assert (request.giaddr, request.flags) == ("0.0.0.0", 0)
    assert 118 not in request.options
    assert (ack.kind, ack.dst, ack.dport) == (ACK, stranger.ip, 68)


@pytest.mark.parametrize("kind", ("udhcpc", "dhclient"))
def test_NAK_without_giaddr_is_passed_over_by_a_running_client(
        lab, vm, kind, port_67_is_taken):
    with client(vm, kind) as process:
        lines, naks = len(process.lines), lab.counter("help_naks")
        there = vm.space.capture("eth1", "udp port 68")
        lab.announce(vm, "h2", "--ip", vm.ip, "--client-id", "00deadbeef")
        wait_for("the NAK to be taken", lambda: lab.counter("help_naks") == naks + 1)
        wait_for("the VM to hear it", lambda: NAK in [m.kind for m in dhcp(there.now())])
        ping = vm.ping()
        wait_for("pings", lambda: len(ping.replies()) > 10)
        ping.stop()
        assert not ping.lost(until=max(ping.replies()))
        assert process.alive and process.lines[lines:] == []


@pytest.fixture(scope="module")
def far(lab):
    return Far(lab)


@contextlib.contextmanager
def servers(lab, address, giaddr=""):
    """p2 asks from there, and believes that server; afterwards as it was."""
    lab.lldpad["sw"].set("p2", f"servers={address}", f"giaddr={giaddr}")
    try:
        yield
    finally:
        lab.lldpad["sw"].set("p2", f"servers={DHCP}", "giaddr=")
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")


@pytest.mark.parametrize("giaddr", (LOOPBACK, ""))
def test_behind_a_relay_on_the_switch(lab, far, vm, giaddr):
    with servers(lab, FAR, giaddr), far.server(), far.relay("dhcrelay"):
        lease(vm)
        server = lab.sw.capture("u0", "udp port 67")
        with Quiet(lab, "p1", "eth1") as quiet:
            lab.announce(vm, "h2", *known(vm))
            lab.wait_states(vm, p2="staged")
            if giaddr:
                quiet.check()
        assert lab.bindings(vm)["p2"]["origin"] == "help"
        request, ack = dhcp(server.frames())
        assert (request.giaddr, ack.kind, ack.dst) == (
            giaddr or SWITCH, ACK, giaddr or SWITCH)
        # It says which subnet is meant, where giaddr is in none.
        assert request.options.get(118) == (
            socket.inet_aton(vm.ip) if giaddr else None)


def test_behind_a_relay_on_another_machine_of_the_network(lab, far, vm):
    """The relay is `other`; the server beyond it knows the way to the switch."""
    relay, server = lab.space["other"], far.space
    server.ip("link add u1 type veth peer name f1 netns " + relay.name, "link set u1 up",
              "addr add 10.7.0.1/24 dev u1", "route del 10.9.0.0/24",
              "route add 10.9.0.0/24 via 10.7.0.2")
    relay.ip("link set f1 up", "addr add 10.7.0.2/24 dev f1")
    relay.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    lab.sw.ip("route add 10.7.0.0/24 via 10.9.0.2")
    with servers(lab, "10.7.0.1"), far.server(dev="u1"):
        process = relay.start("dhcrelay", "dhcrelay", "-4", "-d", "--no-pid", "-id", "x0",
                              "-iu", "f1", "10.7.0.1")
        process.wait_line("Socket/fallback")
        lease(vm)
        with Quiet(lab, "p1", "eth1") as quiet:
            lab.announce(vm, "h2", *known(vm))
            lab.wait_states(vm, p2="staged")
            quiet.check()
        assert lab.bindings(vm)["p2"]["origin"] == "help"
        process.stop()


# What a person sees

def test_both_sides_show_watch_and_count_it(lab, stranger):
    before = {w: {r["counter"]: r["value"] for r in lab.show(w, "counters")}
              for w in ("sw", "h2")}
    watches = {w: lab.space[w].start("watch", built("vdp-migrate"), "watch", "--json")
               for w in ("sw", "h2")}
    for watch in watches.values():
        watch.wait_line("watching")
    lab.announce(stranger, "h2", *known(stranger))
    lab.wait_states(stranger, p2="staged")

    def steps(where):
        events = [json.loads(x) for x in watches[where].lines if x.startswith("{")]
        return [(e["from"], e["to"]) for e in events
                if e["what"] == "help" and e["vsi"] == stranger.uuid]
    wait_for("the switch's steps", lambda: ("asked", "answered") in steps("sw"))
    wait_for("the server's steps", lambda: steps("h2"))
    assert of_vsi(lab, stranger)["help"] == "answered"
    assert of_vsi(lab, stranger, "h2")["help"] == "requested"
    for where, name in (("sw", "help_asked"), ("sw", "help_answered"),
                        ("h2", "helped_sent")):
        assert lab.counter(name, where) == before[where].get(name, 0) + 1, (where, name)
