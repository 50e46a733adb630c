# SPDX-License-Identifier: GPL-2.0-only
"""
A VSI that claims a MAC which is alive on another port: the old place is probed by ARP (by
Neighbor Solicitation where no address is known), out of the old port alone and after the
associate; a claim is refused where the VM answers there. An honest migration never is.
"""
import os
import signal

import pytest

from netns import wait_for
from product import settings

LAB = {"ours": settings(), "rka": 17}


def reason(lab, vm, port):
    for row in lab.show("sw", "vsis"):
        if row["vsi"] == vm.uuid and row["port"] == port:
            return row["reason"] or ""
    return None


def probes(capture):
    """Target addresses of the ARP probes in a capture: requests without sender address."""
    return [f[38:42] for f in capture.now()
            if f[12:14] == b"\x08\x06" and f[20:22] == b"\0\1" and f[28:32] == bytes(4)]


def solicitations(capture):
    """(destination MAC, target) of the Neighbor Solicitations in a capture."""
    return [(f[:6], f[62:78]) for f in capture.now()
            if f[12:14] == b"\x86\xdd" and f[20] == 58 and f[54] == 135]


def link_local(mac):
    """RFC 4291 appendix A."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" \
        + octets[3:]


@pytest.fixture
def ipv6(vm):
    """The VM has IPv6, and the addresses that its MAC gives it, at once."""
    def switch(eth, on):
        vm.space.run("sh", "-c", f"cd /proc/sys/net/ipv6/conf/{eth}; "
                     f"echo 0 >accept_dad; echo {int(not on)} >disable_ipv6")
    for eth in ("eth1", "eth2"):
        switch(eth, True)
    yield
    for eth in ("eth1", "eth2"):
        switch(eth, False)


@pytest.fixture
def counted(lab):
    """How far the counters have gone since."""
    names = ("conflicts", "claims_probed", "vsi_ids_used_twice")
    before = {name: lab.counter(name) for name in names}
    return lambda name: lab.counter(name) - before[name]


def test_vm_that_has_stopped_is_probed_and_its_migration_stands(lab, vm, counted):
    lab.born(vm)
    captures = {port: lab.sw.capture(port, "arp") for port in ("p1", "p2", "p3")}
    lab.announce(vm, "h2")
    assert not probes(captures["p1"]), "probed before the associate"
    lab.switch_over(vm, "h2")
    ping = vm.ping()
    wait_for("three probes out of the old port", lambda: len(probes(captures["p1"])) == 3)
    lab.wait_states(vm, p1="leaving", p2="active")
    since = ping.next()
    wait_for("the VM to be answered", lambda: ping.replies(since))
    ping.stop()
    assert not probes(captures["p2"]) and not probes(captures["p3"])
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    assert counted("claims_probed") == 1 and counted("conflicts") == 0
    assert lab.in_kernel(vm) == {"p2"}


def test_vm_that_still_runs_keeps_its_binding_and_the_claim_is_refused(lab, vm, counted):
    lab.born(vm)
    ping = vm.ping()
    lab.announce(vm, "h2")
    vm.vdp("h2", "assoc")
    wait_for("the claim to be refused", lambda: counted("conflicts") == 1)
    lab.wait_states(vm, p1="active")
    assert lab.in_kernel(vm) == {"p1"}
    assert reason(lab, vm, "p2") == "refused: still answers on p1"
    logged = [x for x in lab.engine["sw"].lines if "claim refused" in x]
    assert len(logged) == 1 and "p2" in logged[0] and "p1" in logged[0]
    since = ping.next()
    wait_for("the VM to be answered", lambda: ping.replies(since))
    ping.stop()
    # When the old place lets go its claim stands.
    vm.stop()
    vm.vdp("h1", "deassoc")
    wait_for("the claim to stand", lambda: lab.states(vm) == {"p2": "active"})
    assert counted("conflicts") == 1


def state(lab, vm, port):
    return {r["port"]: r["state"] for r in lab.show("sw", "vsis") if r["vsi"] == vm.uuid
            }.get(port)


def test_vm_with_ipv6_alone_is_asked_for_its_link_local_address(lab, vm, ipv6, counted):
    vm.vdp("h1", "assoc")
    vm.run_at("h1", address=False)
    wait_for("the VM at p1", lambda: state(lab, vm, "p1") == "settled")
    captures = {port: lab.sw.capture(port, "icmp6") for port in ("p1", "p2", "p3")}
    lab.announce(vm, "h2")
    assert not solicitations(captures["p1"]), "probed before the associate"
    lab.switch_over(vm, "h2")
    ours = (bytes.fromhex(vm.mac.replace(":", "")), link_local(vm.mac))
    wait_for("three probes out of the old port",
             lambda: solicitations(captures["p1"]) == [ours] * 3)
    wait_for("p1 to be left", lambda: state(lab, vm, "p1") == "gone")
    assert ours not in solicitations(captures["p2"]) + solicitations(captures["p3"])
    vm.vdp("h1", "deassoc")
    assert counted("claims_probed") == 1 and counted("conflicts") == 0
    # Claimed at p1 while it runs at p2: there it answers. (A guest that has migrated has its
    # address all along; here the kernel makes it when the link is up.)
    wait_for("the VM's address", lambda: any(
        address["family"] == "inet6" for link in vm.space.ip_json("addr", "show", "eth2")
        for address in link["addr_info"]))
    lab.announce(vm, "h1")
    vm.vdp("h1", "assoc")
    wait_for("the claim to be refused", lambda: counted("conflicts") == 1)
    assert reason(lab, vm, "p1") == "refused: still answers on p2"
    assert state(lab, vm, "p2") in ("arrived", "settled")
    # When it has let go there, the claim stands.
    vm.stop()
    vm.vdp("h2", "deassoc")
    wait_for("the claim to stand", lambda: state(lab, vm, "p1") in ("arrived", "settled"))
    assert counted("conflicts") == 1


def test_two_vms_with_one_vsi_id_are_told_and_neither_is_touched(lab, vm, counted):
    lab.born(vm)
    other = "52:54:00:99:00:01"
    lab.vdp("h2", "assoc", vm.uuid, other)
    wait_for("the twins to be told", lambda: counted("vsi_ids_used_twice") == 1)
    assert lab.states(vm) == {"p1": "active"}
    assert reason(lab, vm, "p1") == "same VSI ID on p2"
    assert reason(lab, vm, "p2") == "same VSI ID on p1"
    lab.vdp("h2", "deassoc", vm.uuid, other, check=False)
    wait_for("the twin to end", lambda: not reason(lab, vm, "p1"), 20.0)
    assert counted("vsi_ids_used_twice") == 1
    assert lab.states(vm) == {"p1": "active"}


def test_arp_is_heard_while_a_claim_is_open_and_no_longer(lab, vm, counted):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.switch_over(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")
    assert counted("claims_probed") == 1
    open_now = packet_sockets(lab)
    vm.vdp("h1", "deassoc")
    wait_for("its socket to be closed", lambda: packet_sockets(lab) == open_now - 1, 10.0)


def packet_sockets(lab):
    """How many the engine at the switch has open."""
    rows = lab.sw.run("cat", "/proc/net/packet").splitlines()[1:]
    sockets = {f"socket:[{row.split()[-1]}]" for row in rows}
    place = f"/proc/{lab.engine['sw'].pid}/fd"
    return sum(os.readlink(f"{place}/{fd}") in sockets for fd in os.listdir(place))


def test_conflict_accept_takes_vdps_word(lab, vm, counted):
    lab.born(vm)
    lab.lldpad["sw"].set("p2", "conflict=accept")
    lab.announce(vm, "h2")
    vm.vdp("h2", "assoc")
    lab.wait_states(vm, p1="leaving", p2="active")
    assert counted("claims_probed") == 0
    lab.lldpad["sw"].set("p2", "conflict=verify")


# The last one: h1 does not come back.
def test_old_server_that_dies_makes_the_refused_claim_stand(lab, vm, counted):
    lab.born(vm)
    lab.announce(vm, "h2")
    vm.vdp("h2", "assoc")
    wait_for("the claim to be refused", lambda: counted("conflicts") == 1)
    lab.wait_states(vm, p1="active")
    # Nothing more comes from there, neither VDP nor the VM; its lease goes on.
    vm.stop()
    lab.lldpad["h1"].process.kill(signal.SIGKILL)
    wait_for("the claim to stand", lambda: lab.states(vm).get("p2") == "active", 20.0)
    assert counted("conflicts") == 1 and "p2" in lab.in_kernel(vm)
