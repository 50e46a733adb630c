# SPDX-License-Identifier: GPL-2.0-only
"""
A VM from elsewhere migrates in: port p1 is not ours, as if it were on another switch,
so nothing is known of the VM, and the DHCP server is asked. tshark is the witness.
"""
import random
import socket
import struct
import threading

import pytest

import frames
from lab import DHCP, OTHER, SWITCH
from netns import wait_for
from product import settings

LAB = {"ours": settings(p1=None)}
LEASEQUERIES = "dhcp.option.dhcp == 10"


@pytest.fixture
def stranger(lab, vm):
    """It runs at h1 and has a lease; our switch has seen nothing of it."""
    assert vm.run_at("h1")
    assert lab.states(vm) == {}
    return vm


@pytest.fixture
def silent_server(lab):
    """The DHCP server is down; afterwards it is there again."""
    lab.dhcpd.stop()
    yield
    lab.dhcp_start()
    lab.dhcpd.wait_line("Server starting service")


def test_first_packet_passes_under_enforce_and_the_guard_drops_nothing(lab, stranger):
    before = lab.violations()
    capture = lab.sw.capture("p3", "udp port 67")
    lab.announce(stranger, "h2")
    lab.wait_states(stranger, p2="staged")
    ping = stranger.ping()
    lab.switch_over(stranger, "h2")
    first = ping.next()
    wait_for("a ping to be answered", lambda: ping.replies(first))
    ping.stop()
    assert not ping.lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before
    lab.wait_states(stranger, p2="active")
    assert lab.bindings(stranger)["p2"]["origin"] == "leasequery"
    seen = capture.fields("dhcp", "dhcp.option.dhcp", "dhcp.hw.mac_addr", "ip.src",
                          "ip.dst", "dhcp.ip.relay", "dhcp.ip.client")
    assert seen == [("10", stranger.mac, SWITCH, DHCP, SWITCH, "0.0.0.0"),
                    ("13", stranger.mac, DHCP, SWITCH, SWITCH, stranger.ip)]


def test_query_leaves_at_the_preassociate_before_lldpad_has_answered(lab, stranger):
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    queries = lab.sw.capture("p3", "udp port 67")
    lab.announce(stranger, "h2")
    lab.wait_states(stranger, p2="staged")
    request, response = [float(t) for (t,) in capture.fields(
        "vdp21.tlvtype", "frame.time_epoch")][:2]
    asked = float(queries.fields(LEASEQUERIES, "frame.time_epoch")[0][0])
    assert request < asked < response


def test_without_assist_the_migrated_vm_is_dead(lab, stranger):
    lab.lldpad["sw"].set("p2", "assist=off")
    try:
        before = lab.dropped("p2")
        capture = lab.sw.capture("p3", "udp port 67")
        ping = stranger.ping()
        lab.migrate(stranger, "h2")
        first = ping.next()
        wait_for("the guard to drop", lambda: lab.dropped("p2") >= before + 20)
        assert not ping.stop().replies(first)
        assert lab.states(stranger) == {}
        assert capture.count(LEASEQUERIES) == 0
        # Control of the control: its own renewal wakes it.
        assert stranger.dhcp() == stranger.ip
        lab.wait_states(stranger, p2="active")
    finally:
        lab.lldpad["sw"].set("p2", "assist=leasequery")


def test_keepalives_of_a_migrated_vm_ask_nothing_more(lab, stranger):
    lab.migrate(stranger, "h2")
    lab.wait_states(stranger, p2="active")
    queries = lab.sw.capture("p3", "udp port 67")
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    wait_for("two keep-alives", lambda: [v for _, _, v in frames.vdp_requests(
        capture.now())].count(stranger.uuid) >= 2)
    assert queries.count(LEASEQUERIES) == 0


def test_silent_server_is_asked_again_and_the_vm_wakes_when_it_renews(
        lab, stranger, silent_server):
    before = lab.counter("leasequery_silent")
    capture = lab.sw.capture("p3", "udp port 67")
    lab.migrate(stranger, "h2")
    wait_for("the server to count as silent",
             lambda: lab.counter("leasequery_silent") == before + 1, 30.0)
    assert lab.states(stranger) == {}
    queries = capture.fields(LEASEQUERIES, "dhcp.id", "dhcp.hw.mac_addr")
    assert 2 <= len(queries) <= 8
    assert len(set(queries)) == 1   # the same question
    lab.dhcp_start()
    lab.dhcpd.wait_line("Server starting service")
    assert stranger.dhcp() == stranger.ip
    lab.wait_states(stranger, p2="active")
    lab.dhcpd.stop()


def test_server_that_was_silent_is_asked_again_when_it_answers_for_another(
        lab, stranger):
    lab.dhcpd.stop()
    before = lab.counter("leasequery_silent")
    lab.migrate(stranger, "h2")
    wait_for("the server to count as silent",
             lambda: lab.counter("leasequery_silent") == before + 1, 30.0)
    lab.dhcp_start()
    lab.dhcpd.wait_line("Server starting service")
    other_vsi, other_mac = "0b0b0b0b-0000-4000-8000-000000000001", "52:54:00:99:99:01"
    lab.vdp("h2", "preassoc", other_vsi, other_mac, "to")
    lab.wait_states(stranger, p2="active")
    lab.vdp("h2", "deassoc", other_vsi, other_mac, "to", wait=False, check=False)


def test_vm_that_the_server_does_not_know_stays_out(lab, vm):
    vm.ip = "10.9.0.77"     # taken, not leased
    vm.resume("h1")
    unknown, before = lab.counter("leasequery_unknown"), lab.dropped("p2")
    ping = vm.ping()
    lab.migrate(vm, "h2")
    first = ping.next()
    wait_for("the guard to drop", lambda: lab.dropped("p2") >= before + 5)
    assert not ping.stop().replies(first)
    assert lab.counter("leasequery_unknown") > unknown
    assert lab.states(vm) == {}


def test_migration_that_fails_after_preassociate_leaves_nothing_behind(lab, stranger):
    lab.announce(stranger, "h2")
    lab.wait_states(stranger, p2="staged")
    stranger.vdp("h2", "deassoc")
    lab.wait_states(stranger)
    wait_for("the kernel to forget it", lambda: not lab.in_kernel(stranger))


class FakeServer(threading.Thread):
    """In the DHCP server's place: keeps each query and lets the test answer it."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.socket = lab.space["dhcp"].socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((DHCP, 67))
        self.socket.settimeout(0.1)
        self.queries, self.ended = [], False
        self.start()

    def run(self):
        while not self.ended:
            try:
                self.queries.append(self.socket.recv(2048))
            except TimeoutError:
                pass

    def xid(self, mac):
        """The xid of the query for this MAC, when it is there."""
        def seen():
            return [q[4:8] for q in self.queries if q[28:34] == frames.mac_bytes(mac)]
        return struct.unpack("!I", wait_for("the query", seen)[0])[0]

    def close(self):
        self.ended = True
        self.join()
        self.socket.close()


def active(xid, mac, ip):
    """DHCPLEASEACTIVE with an hour left."""
    return frames.dhcp(2, frames.LEASEACTIVE, xid, mac, SWITCH, ip,
                       b"\x33\x04\x00\x00\x0e\x10")


def test_forged_answers_are_refused_and_the_true_one_is_taken(
        lab, stranger, silent_server):
    server = FakeServer(lab)
    other = lab.space["other"].socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind((OTHER, 67))
    evil = "10.9.0.250"
    try:
        lab.announce(stranger, "h2")
        xid = server.xid(stranger.mac)

        def refused(reason, sender, message):
            name = f"leasequery_rejected_{reason}"
            before = lab.counter(name)
            sender.sendto(message, (SWITCH, 67))
            wait_for(f"{name} to count", lambda: lab.counter(name) == before + 1)

        wrong_mac = "52:54:00:%02x:%02x:%02x" % tuple(random.randbytes(3))
        refused("xid", server.socket, active(xid ^ 1, stranger.mac, evil))
        refused("server", other, active(xid, stranger.mac, evil))
        refused("mac", server.socket, active(xid, wrong_mac, evil))
        assert lab.states(stranger) == {}
        assert not [row for row in lab.show("sw", "bindings") if row["address"] == evil]
        server.socket.sendto(active(xid, stranger.mac, stranger.ip), (SWITCH, 67))
        lab.wait_states(stranger, p2="staged")
    finally:
        server.close()
        other.close()
