# SPDX-License-Identifier: GPL-2.0-only
"""
The leases of VMs that stand on their server's uplink by a macvtap (802.1Qbg, VEPA): seen
as their requests leave and the answers come in. What another guest forges is nothing.
Module and engine are on that server alone; the switch is stock.
"""
import contextlib
import os
import signal

import pytest

from direct import (ALL, RELEASE, REQUEST, Direct, answer, elsewhere, random_mac, rows,
                    tagged, wait_row)
import frames
from helping import renew
from lab import DHCP
from netns import ETH_P_ALL, wait_for
from product import ProductLab
from test_agent import NODE, Agent

OUTGOING = 4    # PACKET_OUTGOING
SERVER_MAC = "02:00:00:00:00:02"
DRIVERS = "testnet0"    # the name that libvirt's test driver gives an interface


class DirectLab(ProductLab):
    """Without the rules that take what comes in away from the macvtaps."""

    def _forward(self):
        self.vm_space.ip("link set eth1 down", "link set eth2 down")


LAB_CLASS = DirectLab
LAB = {"ours": {}, "module_at": ("h2",), "engine_at": ("h2",)}


@pytest.fixture
def make(lab):
    made = []

    def new(**options):
        made.append(Direct(lab, **options))
        return made[-1]
    yield new
    for vm in made:
        vm.close()


@contextlib.contextmanager
def running(vm, *options):
    process = vm.client(*options)
    try:
        yield process
    finally:
        process.stop()


def number():
    return int.from_bytes(os.urandom(4), "big")


def from_the_wire(lab, *said, **more):
    lab.space["other"].send_frame("x0", answer(*said, SERVER_MAC, **more))


def settle(lab, make):
    """All that has been sent before has been looked at: so has this. Nothing is believed
    for four seconds, where nobody knows what a VM has sent."""
    vm = make()

    def believed():
        xid = number()
        vm.says(REQUEST, xid, options=elsewhere())
        from_the_wire(lab, xid, vm.mac, "10.9.0.67")
        return rows(lab, vm)
    wait_for("a lease to be believed", believed)


@pytest.mark.parametrize("mode", ["vepa", "private"])
def test_lease_of_a_vm_behind_a_macvtap_is_shown_until_it_gives_it_back(lab, make, mode):
    vm = make(mode=mode)
    with running(vm) as client:
        row = wait_row(lab, vm)
        assert (row["port"], row["vlan"], row["address"], row["server"],
                row["client_id"], row["no_client_id"]) == (
            vm.name, 0, vm.ip, DHCP, f"01:{vm.mac}", False)
        assert 3590 <= row["lease_left"] <= 3600
        client.kill(signal.SIGUSR2)     # DHCPRELEASE
        wait_for("the lease to be gone", lambda: not rows(lab, vm))


def test_client_that_sends_no_client_id_is_known_to_send_none(lab, make):
    vm = make()
    with running(vm, "-C"):
        row = wait_row(lab, vm)
    assert row["no_client_id"] is True and row["client_id"] is None


def test_macvlan_of_the_server_itself_is_as_good(lab):
    mac = random_mac()
    lab.space["h2"].ip(f"link add link e0 name m1 address {mac} type macvlan mode vepa",
                       "link set m1 up")
    out = lab.space["h2"].run("busybox", "udhcpc", "-i", "m1", "-f", "-n", "-q", "-t", "10",
                              "-T", "1", "-s", lab.udhcpc_script)
    row = next(row for row in lab.show("h2", "leases") if row["mac"] == mac)
    assert row["port"] == "m1" and f"got {row['address']}" in out
    lab.space["h2"].ip("link del m1")
    wait_for("the lease to be gone",
             lambda: mac not in [row["mac"] for row in lab.show("h2", "leases")])


def test_lease_ends_with_the_macvtap_also_where_it_is_made_anew_at_once(lab, make):
    vm = make()
    with running(vm) as client:
        wait_row(lab, vm)
        lab.engine["h2"].kill(signal.SIGSTOP)
        vm.replug_at_once()
        lab.engine["h2"].kill(signal.SIGCONT)
        wait_for("the lease to be gone", lambda: not rows(lab, vm))
        assert renew(client) == vm.ip
        assert wait_row(lab, vm)["port"] == vm.name
        vm.unplug()
        wait_for("the lease to be gone", lambda: not rows(lab, vm))
        vm.plug()
        settle(lab, make)
        assert not rows(lab, vm)


def test_engine_that_comes_later_learns_the_lease_when_it_is_renewed(lab, make):
    vm = make()
    with running(vm) as client:
        wait_row(lab, vm)
        lab.engine["h2"].stop(signal.SIGKILL)
        lab.engine_start("h2")
        lab.wait_linked("h2")
        assert not rows(lab, vm)
        assert renew(client) == vm.ip
        assert wait_row(lab, vm)["client_id"] == f"01:{vm.mac}"


def test_answer_comes_from_the_wire_and_the_request_from_the_macvtap_that_has_the_mac(
        lab, make):
    """Each of these is believed in the last test but for one thing."""
    vm, thief = make(), make()
    xid = number()      # another guest asks in its name
    thief.says(REQUEST, xid, mac=vm.mac, options=elsewhere())
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    xid = number()      # nobody has asked, or another number
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    vm.says(REQUEST, xid + 1 & 0xFFFFFFFF, options=elsewhere())
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    # The request is beyond the uplink.
    xid, message = number(), frames.dhcp(1, REQUEST, number(), vm.mac, options=elsewhere())
    lab.space["other"].send_frame("x0", frames.udp_frame(
        ALL, vm.mac, "0.0.0.0", "255.255.255.255", message, 68, 67))
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    settle(lab, make)
    assert not rows(lab, vm) and not rows(lab, thief)


def forge(lab, space, name, vm, to, tags=(), segments=None):
    """The VM asks, and from this interface comes an answer, that the switch reflects."""
    lab.sw.run("bridge", "link", "set", "dev", "p2", "hairpin", "on")
    with lab.space["h2"].packet_socket("e0", ETH_P_ALL) as at_uplink:
        at_uplink.settimeout(5)
        xid = number()
        vm.says(REQUEST, xid, options=elsewhere())
        forged = answer(xid, vm.mac, "10.9.0.66", SERVER_MAC, to=to or vm.mac)
        message, came_in = forged[42:], False
        for vlan in tags:
            forged = tagged(forged, vlan)
        if segments:
            segments(forged[:42], bytes(len(message)), message)
        else:
            space.send_frame(name, forged)
        while not came_in:
            frame, (_, _, kind, _, _) = at_uplink.recvfrom(2048)
            came_in = (kind != OUTGOING and frame.endswith(message)
                       and len(frame) <= len(forged))
    lab.sw.run("bridge", "link", "set", "dev", "p2", "hairpin", "off")


@pytest.mark.parametrize("to", [ALL, None])
@pytest.mark.parametrize("theirs", ["vepa", "bridge"])
def test_answer_that_another_guest_forges_is_none_also_where_the_switch_reflects(
        lab, make, theirs, to):
    vm, thief = make(), make(mode=theirs)
    forge(lab, thief.space, thief.eth, vm, to)
    settle(lab, make)
    assert not rows(lab, vm)


@pytest.mark.parametrize("tags", [(0,), (0, 0, 0)])
def test_answer_that_another_guest_forges_with_tags_is_none(lab, make, tags):
    vm, thief = make(), make()
    forge(lab, thief.space, thief.eth, vm, ALL, tags)
    settle(lab, make)
    assert not rows(lab, vm)


def leaves(lab, thief, frame):
    """It has left by the uplink; what the switch makes of it the test says."""
    with lab.space["h2"].packet_socket("e0", ETH_P_ALL) as at_uplink:
        at_uplink.settimeout(5)
        thief.space.send_frame(thief.eth, frame)
        while not at_uplink.recv(2048).endswith(frame[42:]):
            pass


def test_answer_that_is_forged_behind_a_tag_that_the_switch_takes_away_is_none(lab, make):
    vm, thief, xid = make(), make(), number()
    vm.says(REQUEST, xid, options=elsewhere())
    forged = tagged(answer(xid, vm.mac, "10.9.0.66", SERVER_MAC), 0)
    leaves(lab, thief, tagged(forged, 1))
    lab.space["other"].send_frame("x0", forged)
    settle(lab, make)
    assert not rows(lab, vm)


def test_answer_that_is_forged_before_it_is_asked_for_is_none(lab, make):
    """Its number is that of the DHCPDISCOVER; the switch is slower than the VM."""
    vm, thief, xid = make(), make(), number()
    forged = answer(xid, vm.mac, "10.9.0.66", SERVER_MAC)
    leaves(lab, thief, forged)
    vm.says(REQUEST, xid, options=elsewhere())
    lab.space["other"].send_frame("x0", forged)
    settle(lab, make)
    assert not rows(lab, vm)


def test_nothing_is_believed_where_the_engine_has_missed_what_was_sent(lab, make):
    vm, xid = make(), number()
    h2 = lab.space["h2"]
    h2.ip(f"link add link e0 name m2 address {random_mac()} type macvlan mode vepa",
          "link set m2 up")
    noise = frames.udp_frame(SERVER_MAC, vm.mac, "10.9.0.66", DHCP, bytes(1400), 68, 68)
    before = lab.counter("frames_lost", "h2")
    lab.engine["h2"].kill(signal.SIGSTOP)
    vm.says(REQUEST, xid, options=elsewhere())
    with h2.packet_socket("m2") as sender:
        for _ in range(12000):
            sender.send(noise)
    lab.engine["h2"].kill(signal.SIGCONT)
    assert lab.counter("frames_lost", "h2") > before
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    settle(lab, make)
    assert not rows(lab, vm)
    h2.ip("link del m2")


def test_answer_that_is_forged_as_a_segment_of_a_longer_frame_is_none(lab, make):
    vm, thief = make(), make()
    lab.sw.ip("link set p2 gso_max_segs 1")     # it is segmented there, as by a NIC
    forge(lab, thief.space, thief.eth, vm, ALL, segments=thief.sends_segments)
    settle(lab, make)
    assert not rows(lab, vm)


@pytest.fixture
def container(lab):
    """A macvlan on the uplink, in a network namespace of its own."""
    lab.space["h2"].ip(f"link add link e0 name c1 address {random_mac()} type macvlan "
                       "mode bridge", f"link set c1 netns {lab.vm_space.name}")
    lab.vm_space.ip("link set c1 up")
    yield "c1"
    lab.vm_space.ip("link del c1")


@pytest.mark.parametrize("to", [ALL, None])
@pytest.mark.parametrize("mode", ["vepa", "bridge"])
def test_answer_that_a_container_beside_it_forges_is_none(lab, make, container, mode, to):
    """Between two of mode bridge it passes no wire, and seems to come in all the same."""
    vm = make(mode=mode)
    forge(lab, lab.vm_space, container, vm, to)
    settle(lab, make)
    assert not rows(lab, vm)


def test_answer_that_passes_between_two_beside_it_is_none(lab, make, container):
    vm, other = make(), make(mode="bridge")
    forge(lab, lab.vm_space, container, vm, other.mac)
    settle(lab, make)
    assert not rows(lab, vm)


def test_lease_stays_where_the_switch_reflects_the_vms_own_frames(lab, make):
    vm = make()
    lab.sw.run("bridge", "link", "set", "dev", "p2", "hairpin", "on")
    with running(vm) as client:
        wait_row(lab, vm)
        vm.space.send_frame(vm.eth, frames.rarp(vm.mac))
        assert renew(client) == vm.ip
        settle(lab, make)
        assert wait_row(lab, vm)["address"] == vm.ip
    lab.sw.run("bridge", "link", "set", "dev", "p2", "hairpin", "off")


def test_tag_of_the_vms_own_is_its_vlan(lab, make):
    vm, xid = make(), number()
    vm.says(REQUEST, xid, options=elsewhere(), vlan=10)
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    from_the_wire(lab, xid, vm.mac, "10.9.10.66", vlan=10)
    row = wait_row(lab, vm)
    assert (row["vlan"], row["address"]) == (10, "10.9.10.66")


def test_request_that_is_believed_and_its_end(lab, make):
    vm, xid = make(), number()
    vm.says(REQUEST, xid, options=elsewhere())
    from_the_wire(lab, xid, vm.mac, "10.9.0.66")
    assert wait_row(lab, vm)["address"] == "10.9.0.66"
    # Nobody else can give it back.
    thief = make()
    for speaker, source in ((thief, vm.mac), (thief, None)):
        message = frames.dhcp(1, RELEASE, number(), vm.mac, ciaddr="10.9.0.66")
        speaker.space.send_frame(speaker.eth, frames.udp_frame(
            ALL, source or speaker.mac, "10.9.0.66", DHCP, message, 68, 67))
    settle(lab, make)
    assert wait_row(lab, vm)["address"] == "10.9.0.66"


def test_agent_puts_it_into_the_metadata_of_the_domain(lab, make):
    vm = make(mac="52:54:00:00:00:01", name=DRIVERS)
    h2 = lab.space["h2"]
    node = os.path.join(h2.dir, "node.xml")
    with open(node, "w", encoding="ascii") as f:
        f.write(NODE.replace("type='bridge'", "type='direct'").replace(
            "<source bridge='br0'/>", "<source dev='e0' mode='vepa'/><virtualport "
            "type='802.1Qbg'><parameters managerid='11' typeid='1193047' "
            "typeidversion='2' instanceid='fa9b7fff-b0a0-4893-abcd-beef4ff18f8f'/>"
            "</virtualport>"))
    agent = Agent(h2, f"test://{node}")
    try:
        agent.wait("follows libvirt")
        with running(vm):
            agent.wait("web: leases in its metadata brought up to date")
    finally:
        agent.process.stop()
