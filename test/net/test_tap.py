# SPDX-License-Identifier: GPL-2.0-only
"""
The server that a VM migrates to, and its own bridge: it snoops, has heard a query and
prunes, and it has learned the VM's MAC on its uplink. Module and engine are on that
server alone; the switch is stock, and floods.

    other --x0==p4-- sw --p2==e0-- brh (h2) --v0==eth2-- vm

The tap v0 has the VM's MAC with first octet fe, as libvirt gives it.
"""
import itertools
import json
import os
import re
import signal
import uuid

import pytest
from scapy.all import (Ether, ICMPv6MLDMultAddrRec, ICMPv6MLReport2, IP,
                       IPOption_Router_Alert, IPv6, IPv6ExtHdrHopByHop, RouterAlert, UDP,
                       Raw)
from scapy.contrib.igmp import IGMP

import frames
from lab import OTHER, Vm
from netns import ETH_P_ALL, MARKER_TYPE, CommandFailed, wait_for
from product import ProductLab

JOINED, STRANGE = "239.1.2.3", "239.1.2.4"
ASSOC, S = 3, 0x20


class TapVm(Vm):
    """Its plug stays in: with STP a tap forwards 4 s later each time."""

    def __init__(self, lab):
        self.lab, self.space = lab, lab.vm_space
        self.mac = "52:54:00:%02x:%02x:%02x" % tuple(os.urandom(3))
        self.uuid = str(uuid.uuid4())
        self.ip = self.at = None
        self.space.ip(f"link set eth2 address {self.mac}")
        lab.h2.ip(f"link set v0 address fe{self.mac[2:]}")


class TapLab(ProductLab):
    """brh runs STP: without it lldpad on a port of it hears no ECP."""
    tokens = itertools.count(1)

    def _forward(self):
        self.sw.ip("link set br0 type bridge mcast_snooping 0")
        self.h2 = self.space["h2"]
        self.h2.ip("link add brh type bridge stp_state 1 forward_delay 200 "
                   "mcast_snooping 1", "link set e0 master brh", "link set v0 master brh",
                   "link set brh up")
        self.vm_space.ip("link set eth2 up")
        self.at_vm = self.vm_space.packet_socket("eth2", ETH_P_ALL)
        self.at_vm.setblocking(False)

    def wait_ready(self):
        super().wait_ready()
        for port in ("e0", "v0"):
            wait_for("brh to forward", lambda p=port: self.details(p)["state"] == "forwarding")

    def details(self, port):
        return self.h2.ip_json("-d", "link", "show", "dev", port)[0]["linkinfo"][
            "info_slave_data"]

    def router(self, port="v0"):
        return self.details(port)["multicast_router"]

    def wait_router(self, value, timeout=5.0):
        wait_for(f"v0 to be mcast_router {value}", lambda: self.router() == value, timeout)

    def vm(self):
        return TapVm(self)

    def sends(self, frame):
        self.space["other"].send_frame("x0", bytes(frame))

    def query(self):
        """brh hears a querier, and prunes 0.1 s later."""
        self.sends(Ether(src="02:00:00:00:00:02", dst="01:00:5e:00:00:01")
                   / IP(src=OTHER, dst="224.0.0.1", ttl=1,
                        options=[IPOption_Router_Alert()])
                   / IGMP(type=0x11, mrcode=1, gaddr="0.0.0.0") / Raw(bytes(14)))

    def arrives(self, group):
        """Does a packet to this group come to the VM? A broadcast ends the wait."""
        token = self.token(b"tok")
        low = [int(x) for x in group.split(".")]
        mac = "01:00:5e:%02x:%02x:%02x" % (low[1] & 127, low[2], low[3])
        self.sends(Ether(src="02:00:00:00:00:02", dst=mac) / IP(src=OTHER, dst=group, ttl=4)
                   / UDP(sport=5007, dport=5007) / Raw(bytes(20) + token))
        return token in self.seen_by_vm()

    def token(self, kind):
        return kind + next(self.tokens).to_bytes(5, "big")

    def seen_by_vm(self):
        """The last octets of all that has come, up to a broadcast of now."""
        end, seen = self.token(b"end"), []
        self.sends(Ether(src="02:00:00:00:00:02", dst="ff:ff:ff:ff:ff:ff", type=MARKER_TYPE)
                   / Raw(bytes(40) + end))

        def over():
            while end not in seen:
                try:
                    seen.append(self.at_vm.recv(2048)[-8:])
                except BlockingIOError:
                    return False
            return True
        wait_for("the marker", over)
        return seen

    def unicasts(self, vm, n, at=None):
        """How many times each of n frames to the VM, which the switch sends to here, comes
        to it. at: then the VM is behind that port."""
        self.sw.run("bridge", "fdb", "replace", vm.mac, "dev", "p2", "master", "dynamic")
        tokens = [self.token(b"uni") for _ in range(n)]
        for token in tokens:
            self.sends(Ether(src="02:00:00:00:00:02", dst=vm.mac, type=MARKER_TYPE)
                       / Raw(bytes(40) + token))
        if at:
            wait_for(f"the VM behind {at}", lambda: self.behind(vm.mac) == {at})
        seen = self.seen_by_vm()
        return [seen.count(token) for token in tokens]

    def prune(self):
        """As after any query: what nobody has joined does not come."""
        def pruned():
            self.query()
            return not self.arrives(STRANGE)
        wait_for("brh to prune", pruned, every=0.1)

    def reports(self, vm, mac=None):
        """The VM answers a query, by IGMP and MLD."""
        mac = mac or vm.mac
        for frame in (
                Ether(src=mac, dst="01:00:5e:01:02:03")
                / IP(src="10.9.0.77", dst=JOINED, ttl=1, options=[IPOption_Router_Alert()])
                / IGMP(type=0x16, gaddr=JOINED) / Raw(bytes(14)),
                Ether(src=mac, dst="33:33:00:00:00:16")
                / IPv6(src="fe80::1", dst="ff02::16", hlim=1)
                / IPv6ExtHdrHopByHop(options=RouterAlert(value=0))
                / ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=2, dst="ff15::1")])):
            self.vm_space.send_frame("eth2", bytes(frame))

    def behind(self, mac):
        rows = json.loads(self.h2.run("bridge", "-j", "fdb", "show", "br", "brh"))
        return {x["ifname"] for x in rows if x["mac"] == mac}

    def learned_on_uplink(self, vm):
        """The VM still runs at its source."""
        self.sends(frames.rarp(vm.mac))
        wait_for("brh to learn", lambda: self.behind(vm.mac) == {"e0"})


LAB_CLASS = TapLab
LAB = {"ours": {}, "module_at": ("h2",), "engine_at": ("h2",)}


def test_without_a_mark_the_stream_stays_away(lab, vm):
    lab.prune()
    lab.learned_on_uplink(vm)
    vm.vdp("h2", "preassoc")
    vm.vdp("h2", "assoc")
    assert not lab.arrives(JOINED) and lab.router() == 1
    assert lab.behind(vm.mac) == {"e0"}


def test_marked_vm_gets_everything_at_once_until_it_reports(lab, vm):
    lab.prune()
    lab.mark("h2", vm)
    lab.wait_router(2)
    vm.vdp("h2", "preassoc")
    assert lab.arrives(JOINED) and lab.arrives(STRANGE)
    lab.learned_on_uplink(vm)
    vm.vdp("h2", "assoc")
    assert lab.behind(vm.mac) == {"v0"}
    lab.reports(vm, "52:54:00:ff:ff:ff")    # another VM behind that tap
    assert lab.arrives(STRANGE) and lab.router() == 2
    lab.reports(vm)
    lab.wait_router(1, 0.9)
    assert lab.arrives(JOINED) and not lab.arrives(STRANGE)


def test_first_frame_that_the_switch_sends_to_a_marked_vm_turns_its_traffic(lab, vm):
    """Before the associate: the bridge would drop what comes in where it has learned the
    VM. None is lost, the first one not either, and none comes twice."""
    lab.mark("h2", vm)
    lab.learned_on_uplink(vm)
    vm.vdp("h2", "preassoc")
    lab.wait_router(2)
    lab.learned_on_uplink(vm)
    assert lab.unicasts(vm, 1, at="v0") == [1]
    assert lab.unicasts(vm, 5) == [1] * 5
    # It was heard at its old place once more; the associate moves it again.
    lab.learned_on_uplink(vm)
    assert lab.unicasts(vm, 1) == [0]
    vm.vdp("h2", "assoc")
    assert lab.unicasts(vm, 1) == [1] and lab.behind(vm.mac) == {"v0"}


def test_tap_that_the_association_names_is_taken_whatever_its_address(lab, vm):
    lab.h2.ip("link set v0 address 02:00:00:00:00:77")
    lab.cli("h2", "preassociate", "-i", "e0", "--managerid", "1", "--typeid", "1193047",
            "--typeidversion", "2", "--instanceid", vm.uuid, "--mac", vm.mac, "--migrate",
            "--tap", "v0")
    lab.wait_router(2)
    lab.learned_on_uplink(vm)
    assert lab.unicasts(vm, 1, at="v0") == [1]


def test_frame_to_a_vm_without_a_mark_turns_nothing(lab, vm):
    vm.vdp("h2", "preassoc")
    lab.learned_on_uplink(vm)
    assert lab.unicasts(vm, 1) == [0] and lab.behind(vm.mac) == {"e0"}


def test_mark_that_goes_ends_it(lab, vm):
    lab.mark("h2", vm)
    lab.wait_router(2)
    lab.unmark("h2", vm)
    lab.wait_router(1)


def test_tap_that_comes_later_is_found_whatever_the_mark_says(lab, vm):
    for more in ((), ("--mac", vm.mac)):
        lab.h2.ip("link set v0 nomaster")
        lab.cli("h2", "mark", vm.uuid, *more)
        vm.vdp("h2", "preassoc")
        lab.h2.ip("link set v0 master brh")
        lab.wait_router(2)
        lab.unmark("h2", vm)
        lab.wait_router(1)
        vm.vdp("h2", "deassoc")


def test_engine_that_is_killed_leaves_no_router_port(lab, vm):
    lab.mark("h2", vm)
    vm.vdp("h2", "assoc")
    lab.wait_router(2)
    lab.engine["h2"].stop(signal.SIGKILL)
    assert lab.router() == 2
    lab.engine_start("h2")
    lab.wait_router(1)
    lab.wait_linked("h2")
    # What the module then tells, the mark and that the VSI is associated, is no news.
    wait_for("the mark", lambda: lab.show("h2", "marks"))
    assert lab.router() == 1


def test_engine_that_ends_leaves_no_router_port(lab, vm):
    lab.mark("h2", vm)
    lab.wait_router(2)
    lab.engine["h2"].stop()
    assert lab.router() == 1
    lab.engine_start("h2")
    lab.wait_linked("h2")


def said(capture, vm, answers=False):
    """(mode, status) of the VM's requests, or of the answers to them. A retransmission
    is the same frame again."""
    tlvs = frames.vdp_tlvs(list(dict.fromkeys(capture.now())))
    return [(mode, status) for mode, status, vsi in tlvs
            if str(vsi) == vm.uuid and bool(status & 0x40) == answers]


def test_suspended_vsi_is_said_so_once_and_stays_associated(lab, vm):
    lab.mark("h2", vm)
    vm.vdp("h2", "preassoc")
    vm.vdp("h2", "assoc")
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    lab.cli("h2", "suspend", vm.uuid)
    wait_for("the S-bit", lambda: (ASSOC, S) in said(capture, vm))
    wait_for("three keep-alives", lambda: said(capture, vm).count((ASSOC, 0)) >= 3)
    assert said(capture, vm).count((ASSOC, S)) == 1
    lab.cli("h2", "suspend", vm.uuid)
    wait_for("it again", lambda: said(capture, vm).count((ASSOC, S)) == 2)
    before = said(capture, vm).count((ASSOC, 0))
    wait_for("more keep-alives",
             lambda: said(capture, vm).count((ASSOC, 0)) >= before + 3)
    assert set(said(capture, vm)) == {(ASSOC, 0), (ASSOC, S)}
    wait_for("all answers", lambda: len(said(capture, vm, True))
             >= len(said(capture, vm)) - 1)
    assert set(said(capture, vm, True)) == {(ASSOC, 0x40)}, "the stock bridge has no quarrel"
    held = lab.h2.run("vdptool", "-i", "e0", "-t", "-V", "assoc", "-c")
    assert re.search(rf"mode = assoc.*{vm.uuid}|{vm.uuid}.*mode = assoc", held, re.S), held
    assert vm.vdp("h2", "deassoc")
    lab.wait_router(1)


@pytest.mark.parametrize("mode, why", [(None, "no station port of this server has such"),
                                       ("preassoc", "e0: this VSI is not associated")])
def test_vsi_that_is_not_associated_cannot_be_suspended(lab, vm, mode, why):
    if mode:
        vm.vdp("h2", mode)
    with pytest.raises(CommandFailed, match=f"exit 1: .*{why}"):
        lab.cli("h2", "suspend", vm.uuid)
    with pytest.raises(CommandFailed, match="exit 3"):
        lab.cli("h2", "suspend")


def test_vm_that_never_reports_is_over_ten_seconds_after_its_associate(lab, vm):
    lab.mark("h2", vm)
    vm.vdp("h2", "assoc")
    lab.wait_router(2)
    lab.wait_router(1, 13.0)
