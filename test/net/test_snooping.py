# SPDX-License-Identifier: GPL-2.0-only
"""
DHCP as the switch sees it: a server or relay on the switch itself, messages that end or
renew a binding, and those that must not.
"""
import os
import random
import struct
import threading
import time

import pytest

import frames
from far import FAR, Far
from lab import DHCP, SWITCH
from netns import wait_for
from product import settings

LAB = {"ours": settings()}
ACK, REQUEST, DECLINE, RELEASE = 5, 3, 4, 7
SERVER_MAC = "02:00:00:00:00:99"


@pytest.fixture(scope="module")
def far(lab):
    return Far(lab)


@pytest.fixture
def lab_server(lab):
    """The lab's own DHCP server runs."""
    if not lab.dhcpd.alive:
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")


def client_frame(kind, vm, ip, source=None, options=b"", xid=7):
    ciaddr = ip if kind == RELEASE else "0.0.0.0"
    message = frames.dhcp(1, kind, xid, vm.mac, ciaddr=ciaddr, options=options)
    return frames.udp_frame("ff:ff:ff:ff:ff:ff", source or vm.mac, ip, DHCP, message,
                            68, 67)


def ack(mac, ip, lease, xid=7):
    message = bytearray(frames.dhcp(2, ACK, xid, mac, options=b"\x33\x04" + struct.pack(
        "!I", lease) + b"\x36\x04" + frames.ip_bytes(DHCP)))
    message[16:20] = frames.ip_bytes(ip)
    return frames.udp_frame(mac, SERVER_MAC, DHCP, ip, bytes(message), 67, 68)


def declined(ip):
    return b"\x32\x04" + frames.ip_bytes(ip)


# What this machine itself sends

def test_server_on_the_switch_itself_binds_its_clients(lab, far, vm):
    with far.server(lab.sw):
        vm.vdp("h1", "assoc")
        assert vm.run_at("h1")
        lab.wait_states(vm, p1="active")
        row = lab.bindings(vm)["p1"]
        assert row["origin"] == "snooped" and row["server"] == SWITCH
        assert not vm.ping(SWITCH).stop().lost()


@pytest.mark.parametrize("kind", ("dhcrelay", "udp"))
def test_relay_on_the_switch_binds_the_clients_of_a_server_elsewhere(lab, far, vm, kind):
    with far.server(), far.relay(kind):
        vm.vdp("h1", "assoc")
        assert vm.run_at("h1")
        lab.wait_states(vm, p1="active")
        row = lab.bindings(vm)["p1"]
        assert row["origin"] == "snooped" and row["server"] in (FAR, SWITCH)
        assert lab.in_kernel(vm) == {"p1"}


# What ends a binding

@pytest.mark.parametrize("kind", (RELEASE, DECLINE), ids=("release", "decline"))
def test_release_and_decline_count_on_the_bindings_own_port_only(
        lab, lab_server, vm, kind):
    lab.born(vm)
    options = declined(vm.ip) if kind == DECLINE else b""
    forged = lab.counter("snooped_forged")
    # As from the VM, but at another port.
    lab.space["h2"].send_frame("e0", client_frame(kind, vm, vm.ip, options=options))
    # At its own port, with another source.
    lab.space["h1"].send_frame("e0", client_frame(kind, vm, vm.ip, "52:54:00:66:66:66",
                                                  options))
    wait_for("both to be seen", lambda: lab.counter("snooped_forged") == forged + 2)
    assert lab.states(vm) == {"p1": "active"} and lab.in_kernel(vm) == {"p1"}
    lab.space["h1"].send_frame("e0", client_frame(kind, vm, vm.ip, options=options))
    lab.wait_states(vm)
    wait_for("the kernel to forget it", lambda: not lab.in_kernel(vm))


# What renews

def kernel_ends(lab, vm):
    """{port: seconds that the kernel's element still has}: the lease and an hour"""
    found = {}
    for item in lab.nft("b4u"):
        for element in item.get("set", {}).get("elem", ()):
            value = element["elem"]["val"]["concat"]
            if value[1:] == [vm.mac, vm.ip]:
                found[value[0]] = element["elem"]["expires"]
    return found


def test_an_ack_that_nobody_asked_for_only_renews(lab, lab_server, vm):
    lab.born(vm)
    before = lab.counter("snooped_unasked")
    lab.space["dhcp"].send_frame("d0", ack(vm.mac, "10.9.0.201", 7200))
    lab.space["dhcp"].send_frame("d0", ack("52:54:00:66:66:67", vm.ip, 7200))
    wait_for("both to be seen", lambda: lab.counter("snooped_unasked") == before + 2)
    assert 7100 < kernel_ends(lab, vm)["p1"] <= 7200
    rows = lab.show("sw", "bindings")
    assert not [r for r in rows if r["address"] == "10.9.0.201"
                or r["mac"] == "52:54:00:66:66:67"]
    lab.space["dhcp"].send_frame("d0", ack(vm.mac, vm.ip, 72000))
    wait_for("the lease to be longer", lambda: kernel_ends(lab, vm)["p1"] > 72000)
    # From a port that is not trusted it does nothing.
    untrusted = lab.counter("snooped_untrusted")
    lab.space["other"].send_frame("x0", ack(vm.mac, vm.ip, 600))
    lab.space["h2"].send_frame("e0", ack(vm.mac, vm.ip, 600))
    wait_for("them to be seen",
             lambda: lab.counter("snooped_untrusted") >= untrusted + 1)
    assert kernel_ends(lab, vm)["p1"] > 72000


def test_a_renewal_during_staging_reaches_every_port_that_holds_it(lab, lab_server, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    lab.space["dhcp"].send_frame("d0", ack(vm.mac, vm.ip, 36000))
    wait_for("both elements to be renewed", lambda: min(
        kernel_ends(lab, vm).values()) > 36000 and len(kernel_ends(lab, vm)) == 2)
    # The VM's own renewal, with the real server: back to its hour, at both again.
    assert vm.dhcp() == vm.ip
    wait_for("both elements to be renewed", lambda: len(kernel_ends(lab, vm)) == 2
             and max(kernel_ends(lab, vm).values()) < 8000)
    lab.switch_over(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")


# A lock that somebody else holds

CLIENTS, ELEMENTS = 60, 200_000


def big_ruleset(space):
    elements = ",".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(ELEMENTS))
    path = os.path.join(space.dir, "big.nft")
    with open(path, "w", encoding="ascii") as f:
        f.write("table ip foreign {\nset big {\ntype ipv4_addr\nelements = { %s }\n}\n}\n"
                % elements)
    return path


class Watching(threading.Thread):
    """Asks the engine again and again: how long has it not answered?"""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab, self.longest, self._end = lab, 0.0, threading.Event()
        self.start()

    def run(self):
        while not self._end.is_set():
            begun = time.monotonic()
            self.lab.cli("sw", "show", "counters", check=False)
            self.longest = max(self.longest, time.monotonic() - begun)

    def wait(self, seconds):
        self._end.wait(seconds)

    def end(self):
        self._end.set()
        self.join()
        return self.longest


def test_nothing_is_lost_while_another_program_holds_the_kernels_lock(lab, lab_server):
    macs = [f"52:54:01:00:{n >> 8:02x}:{n & 255:02x}" for n in range(CLIENTS)]
    ips = [f"10.9.0.{130 + n}" for n in range(CLIENTS)]
    before = {n: lab.counter(n) for n in ("frames_seen", "snooped_acks")}
    nft = lab.sw.start("nft", "nft", "-f", big_ruleset(lab.sw))
    sent, watching = 0, Watching(lab)
    with lab.space["h1"].packet_socket("e0") as client, \
         lab.space["dhcp"].packet_socket("d0") as server:
        while nft.alive or sent < 20:
            xid = random.getrandbits(32)
            for mac, ip in zip(macs, ips):
                message = frames.dhcp(1, REQUEST, xid, mac)
                client.send(frames.udp_frame("ff:ff:ff:ff:ff:ff", mac, "0.0.0.0",
                                             "255.255.255.255", message, 68, 67))
                server.send(ack(mac, ip, 3600 + 10 * sent, xid))
            sent += 1
            watching.wait(0.05)
    waited = watching.end()
    try:
        assert nft.popen.returncode == 0, nft.tail()
        wait_for("every frame to be seen", lambda: lab.counter("snooped_acks")
                 == before["snooped_acks"] + sent * CLIENTS, 20)
        print(f"the engine was held for {waited:.2f} s, {sent} rounds")
        assert lab.counter("frames_lost") == 0
        found = {(r["mac"], r["address"]) for r in lab.show("sw", "bindings")
                 if r["port"] == "p1" and r["state"] == "active"}
        assert found >= set(zip(macs, ips))
    finally:
        lab.sw.run("nft", "delete", "table", "ip", "foreign", check=False)
        with lab.space["h1"].packet_socket("e0") as client:
            for mac, ip in zip(macs, ips):
                message = frames.dhcp(1, RELEASE, 1, mac, ciaddr=ip)
                client.send(frames.udp_frame(SERVER_MAC, mac, ip, DHCP, message, 68, 67))


# The last: it takes the bridge away

def test_bridge_that_is_deleted_and_made_again_is_heard_again(lab, far, vm):
    ports = ("p1", "p2", "p3", "p4")
    lab.sw.ip("link del br0", "link add br0 type bridge stp_state 1 forward_delay 200",
              *(f"link set {p} master br0" for p in ports), "link set br0 up",
              f"addr add {SWITCH}/24 dev br0")

    def forwarding():
        links = lab.sw.ip_json("-d", "link", "show", "master", "br0")
        return len(links) == len(ports) and all(
            p["linkinfo"]["info_slave_data"]["state"] == "forwarding" for p in links)
    wait_for("the ports to forward", forwarding)
    test_server_on_the_switch_itself_binds_its_clients(lab, far, vm)
