# SPDX-License-Identifier: GPL-2.0-only
"""
Two VMs behind two enforced ports that forge each other's DHCP, ARP, RARP and source
addresses. Witnesses: what arrives at the DHCP server's interface, the bindings, the
kernel's set, the bridge's FDB.
"""
import os

import pytest

import frames
from lab import DHCP, OTHER
from netns import wait_for
from product import settings
from raw_vm import BROADCAST, DECLINE, RELEASE, REQUEST, RawVm, chosen

LAB = {"ours": settings()}


@pytest.fixture
def pair(lab):
    """Victim at p1, forger at p2; each with a VSI and a lease."""
    made = [RawVm(lab, "h1"), RawVm(lab, "h2")]
    for vm in made:
        vm.vdp("assoc")
        assert vm.lease()
        lab.wait_states(vm, **{vm.port: "active"})
    yield made
    for vm in made:
        vm.close()


@pytest.fixture
def seen(lab):
    """Frames that reach the DHCP server's interface: each is another one, by its content
    or by a mark at its end (behind an IP packet br_netfilter would cut it off)."""
    capture = lab.space["dhcp"].capture("d0")

    class Seen:
        @staticmethod
        def mark(frame):
            return frame if frame[12:14] == b"\x08\x00" else frame + os.urandom(12)

        @staticmethod
        def passed(frame):
            return any(f[:len(frame)] == frame for f in capture.now())
    yield Seen()
    capture.stop()


def udp(vm_mac, ip, dst_mac):
    return frames.udp_frame(dst_mac, vm_mac, ip, DHCP, os.urandom(20), 4000, 4000)


def arp(ether, sender_mac, sender_ip, target=OTHER, operation=1):
    frame = bytearray(frames.arp_request(sender_mac, sender_ip, target))
    frame[6:12] = frames.mac_bytes(ether)
    frame[20:22] = operation.to_bytes(2, "big")
    return bytes(frame)


def forgeries(lab, victim, forger):
    """(name, ethertype it is counted under, frame) of all that must not pass at p2."""
    v, f, gate = victim, forger, lab.dhcp_mac
    xid = int.from_bytes(os.urandom(3), "big")
    return (
        ("its address", udp(f.mac, v.ip, gate)),
        ("its MAC and address", udp(v.mac, v.ip, gate)),
        ("its MAC", udp(v.mac, f.ip, gate)),
        ("an address of nobody", udp(f.mac, "10.9.0.222", gate)),
        ("ARP with its address", arp(f.mac, f.mac, v.ip)),
        ("ARP as it", arp(v.mac, v.mac, v.ip)),
        ("ARP answer with its address", arp(f.mac, f.mac, v.ip, DHCP, 2)),
        ("gratuitous ARP for its address", arp(f.mac, f.mac, v.ip, v.ip, 2)),
        ("ARP that names its MAC", arp(f.mac, v.mac, f.ip)),
        ("RARP as it", frames.rarp(v.mac)),
        ("RARP of nobody", frames.rarp("52:54:00:0f:0f:0f")),
        ("DHCP server", frames.udp_frame(BROADCAST, f.mac, f.ip, "255.255.255.255",
                                         frames.dhcp(2, 5, xid, v.mac), 67, 68)),
        ("RELEASE as it", f.client_message(RELEASE, xid, v.mac, v.mac, v.ip, v.ip)),
        ("RELEASE with its address", f.client_message(RELEASE, xid + 1, v.mac, f.mac,
                                                      v.ip, v.ip)),
    )


def in_fdb(lab, mac):
    return {e["ifname"] for e in lab.sw.fdb() if e["mac"] == mac and "master" in e}


def test_what_forgers_send_gets_nowhere(lab, pair, seen):
    for victim, forger in (pair, pair[::-1]):
        victim.send(udp(victim.mac, victim.ip, lab.dhcp_mac))
        wait_for("the FDB to know it", lambda: in_fdb(lab, victim.mac) == {victim.port})
        before = lab.dropped(forger.port)
        sent = [(name, seen.mark(frame))
                for name, frame in forgeries(lab, victim, forger)]
        for _, frame in sent:
            forger.send(frame)
        own = seen.mark(udp(forger.mac, forger.ip, lab.dhcp_mac))
        forger.send(own)
        wait_for("its own frame to pass", lambda: seen.passed(own))
        assert [name for name, frame in sent if seen.passed(frame)] == []
        assert lab.dropped(forger.port) == before + len(sent)
        assert in_fdb(lab, victim.mac) == {victim.port}
        for vm in pair:
            assert lab.states(vm) == {vm.port: "active"}
            assert lab.in_kernel(vm) == {vm.port}


def test_monitor_counts_the_frames_that_enforce_drops(lab, pair, seen):
    victim, forger = pair
    counted = {}
    for mode in ("enforce", "monitor"):
        lab.lldpad["sw"].set("p2", f"guard={mode}" + ("!" if mode == "enforce" else ""))
        wait_for(f"p2 to {mode}", lambda: mode_in_kernel(lab, "p2", mode))
        before = lab.violations()
        sent = [(name, seen.mark(frame))
                for name, frame in forgeries(lab, victim, forger)]
        own = seen.mark(udp(forger.mac, forger.ip, lab.dhcp_mac))
        for _, frame in sent:
            forger.send(frame)
        forger.send(own)
        wait_for("its own frame to pass", lambda: seen.passed(own))
        passed = [name for name, frame in sent if seen.passed(frame)]
        assert len(passed) == (0 if mode == "enforce" else len(sent))
        counted[mode] = {key: n - before.get(key, 0)
                         for key, n in lab.violations().items() if key[0] == "p2"}
    lab.lldpad["sw"].set("p2", "guard=enforce!")
    assert counted["enforce"] == counted["monitor"]
    assert sum(counted["enforce"].values()) == len(sent)


def mode_in_kernel(lab, port, mode):
    listing = lab.sw.run("nft", "list", "map", "bridge", "vdp_migrate", "ports")
    return f'"{port}" : jump {mode[:3]}' in listing


def test_requests_with_anothers_chaddr_and_xid_bind_nothing_to_the_forger(lab, pair):
    victim, forger = pair
    xid, forged = 0x51515151, lab.counter("snooped_forged")
    offered = victim.discover(xid)
    # The forger has heard the broadcast: it is faster, and says all that the VM will.
    for source in (forger.mac, victim.mac):
        forger.send(forger.client_message(REQUEST, xid, victim.mac, source,
                                          options=chosen(offered)))
    wait_for("them to be seen", lambda: lab.counter("snooped_forged") >= forged + 2)
    victim.request(xid, offered)
    assert victim.acked(xid) == offered
    lab.wait_states(victim, p1="active")
    assert lab.in_kernel(victim) == {"p1"}
    # In its renewal, too.
    for _ in range(3):
        xid += 1
        forger.send(forger.client_message(REQUEST, xid, victim.mac, victim.mac,
                                          options=chosen(offered)))
        victim.request(xid, offered)
        assert victim.acked(xid) == offered
    assert lab.states(victim) == {"p1": "active"}
    assert lab.in_kernel(victim) == {"p1"}


@pytest.mark.parametrize("kind", (RELEASE, DECLINE), ids=("release", "decline"))
def test_anothers_release_and_decline_end_nothing(lab, pair, kind):
    victim, forger = pair
    name = "snooped_releases" if kind == RELEASE else "snooped_declines"
    before = lab.counter(name) + lab.counter("snooped_forged")
    options = b"\x32\x04" + frames.ip_bytes(victim.ip) if kind == DECLINE else b""
    for source in (forger.mac, victim.mac):
        forger.send(forger.client_message(kind, 7, victim.mac, source, victim.ip,
                                          victim.ip, options))
    wait_for("them to be seen", lambda: lab.counter(name) + lab.counter("snooped_forged")
             == before + 2)
    assert lab.states(victim) == {"p1": "active"}
    assert lab.in_kernel(victim) == {"p1"}


def test_a_forgers_flood_of_requests_costs_the_others_nothing(lab, pair):
    victim, forger = pair
    xid = 0x62626262
    offered = victim.discover(xid)
    victim.request(xid, offered)
    for n in range(500):
        forger.send(forger.client_message(REQUEST, n, options=chosen(offered)))
    assert victim.acked(xid) == offered
    lab.wait_states(victim, p1="active")
    assert lab.counter("frames_lost") == 0
