# SPDX-License-Identifier: GPL-2.0-only
"""
The guard alone against the kernel: a bridge with two guarded ports and an uplink, VMs
that are namespaces and forge whatever they like, the guard driven by guard_driver.

    vm1 --e0==p1-- sw --p0==e0-- net          vm2 --e0==p2-- sw

Frames carry a token behind their end, by which they are found again on the uplink.
"""
import itertools
import re
import socket
import threading
import time

import pytest
from scapy.all import (ARP, BOOTP, DHCP, Dot1AD, Dot1Q, Ether, ICMPv6EchoRequest,
                       ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6MLReport,
                       ICMPv6MLReport2, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6ND_Redirect, IP, IPv6, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, RouterAlert, UDP, Raw, fragment)
from scapy.contrib.igmp import IGMP

from guard_process import DRIVER, Driver
from lab import built
from netns import ETH_P_ALL, MARKER_TYPE, World, wait_for

MAC, IP4, IP4_TAGGED = "52:54:00:00:00:01", "10.9.0.2", "10.9.100.2"
OTHER_MAC, OTHER_IP = "52:54:00:00:00:02", "10.9.0.3"
LINK_LOCAL, ALL_NODES = "fe80::5054:ff:fe00:1", "ff02::1"
BCAST = "ff:ff:ff:ff:ff:ff"
VLAN = 100


class Switch:
    token = itertools.count(1)

    def __init__(self, world):
        self.sw, self.net = world.space("sw"), world.space("net")
        self.vm = {"p1": world.space("vm1"), "p2": world.space("vm2")}
        # Where br_netfilter is at work it cuts off what is behind an IP packet.
        self.sw.run("sh", "-c", "for f in /proc/sys/net/bridge/bridge-nf-call-*;"
                                "do [ ! -w $f ] || echo 0 >$f; done")
        self.sw.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        for port, space in (("p0", self.net), *self.vm.items()):
            self.sw.ip(f"link add {port} type veth peer name e0 netns {space.name}",
                       f"link set {port} master br0 up")
            space.ip("link set e0 up")
        for space in (self.net, *self.vm.values()):
            wait_for("the links", lambda s=space: s.link_up("e0"))
        self.out = {port: space.packet_socket("e0") for port, space in self.vm.items()}
        self.uplink = self.net.packet_socket("e0", ETH_P_ALL)
        self.uplink.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)    # SO_RCVBUFFORCE
        self.uplink.setblocking(False)
        self.seen = set()
        self.driver = None

    def nft(self, *words):
        return self.sw.run("nft", *words)

    def restart(self):
        if self.driver:
            self.driver.close()
        self.driver = Driver(self.sw)
        return self.driver

    def drain(self):
        while True:
            try:
                self.seen.add(self.uplink.recv(2048)[-8:])
            except BlockingIOError:
                return self.seen

    def send(self, port, frame):
        token = b"tok" + next(self.token).to_bytes(5, "big")
        self.out[port].send(bytes(frame) + token)
        return token

    def passes(self, frame, port="p1"):
        """Does it come out at the uplink? A marker that always passes ends the wait."""
        token = self.send(port, frame)
        marker = self.send(port, Ether(src=MAC, dst=BCAST, type=MARKER_TYPE) / bytes(46))
        wait_for("the marker", lambda: marker in self.drain())
        return token in self.seen


@pytest.fixture(scope="module")
def switch():
    if not built(DRIVER):
        pytest.fail(f"not built: {DRIVER}", pytrace=False)
    with World() as world:
        yield Switch(world)


@pytest.fixture
def sw(switch):
    """Port p1 enforced with two bindings, port p2 off."""
    switch.nft("flush", "ruleset")
    switch.restart()(f"put p1 0 {MAC} {IP4} 3600", f"put p1 {VLAN} {MAC} {IP4_TAGGED} 3600",
                     "mode p1 enforce", "commit")
    switch.drain()
    yield switch
    switch.driver.close()
    switch.driver = None


def eth(src=MAC, dst=BCAST, vlan=None):
    frame = Ether(src=src, dst=dst)
    return frame if vlan is None else frame / Dot1Q(vlan=vlan)


def udp(ip=IP4, mac=MAC, vlan=None, sport=4000, dport=4001, dst="10.9.0.9"):
    return eth(mac, vlan=vlan) / IP(src=ip, dst=dst) / UDP(sport=sport, dport=dport) \
        / Raw(bytes(26))


def arp(ip=IP4, sha=MAC, mac=MAC, vlan=None, op=1):
    return eth(mac, vlan=vlan) / ARP(op=op, hwsrc=sha, psrc=ip, pdst="10.9.0.9") \
        / Raw(bytes(18))


def rarp(mac=MAC, vlan=None):
    frame = eth(mac, vlan=vlan)
    frame.lastlayer().type = 0x8035
    return frame / ARP(op=3, hwsrc=mac, hwdst=mac, psrc="0.0.0.0", pdst="0.0.0.0") \
        / Raw(bytes(18))


def discover(vlan=None):
    return eth(vlan=vlan) / IP(src="0.0.0.0", dst="255.255.255.255") \
        / UDP(sport=68, dport=67) / BOOTP(chaddr=bytes.fromhex(MAC.replace(":", ""))) \
        / DHCP(options=[("message-type", "discover"), "end"])


def six(payload, vlan=None, dst=ALL_NODES):
    return eth(dst="33:33:00:00:00:01", vlan=vlan) / IPv6(src=LINK_LOCAL, dst=dst) / payload


def igmp(kind, vlan=None, mac=MAC, more=b""):
    return eth(mac, "01:00:5e:00:00:01", vlan) / IP(src="10.9.0.77", dst="224.0.0.1",
                                                    ttl=1) / IGMP(type=kind) / more


def mld(message, vlan=None, src=LINK_LOCAL, mac=MAC):
    """As hosts and routers send it, behind a router alert (RFC 3810 5)."""
    return eth(mac, "33:33:00:00:00:16", vlan) / IPv6(src=src, dst="ff02::16", hlim=1) \
        / IPv6ExtHdrHopByHop(options=RouterAlert(value=0)) / message


def pim(vlan=None, six=False):
    ip = IPv6(src=LINK_LOCAL, dst="ff02::d", nh=103) if six else \
        IP(src=IP4, dst="224.0.0.13", proto=103, ttl=1)
    return eth(dst="01:00:5e:00:00:0d", vlan=vlan) / ip / Raw(bytes.fromhex("2000dfff") * 8)


RA = ICMPv6ND_RA()
GOOD = {
    "bound": udp(),
    "bound in its VLAN": udp(IP4_TAGGED, vlan=VLAN),
    "priority tag counts as untagged": udp(vlan=0),
    "DHCP discover": discover(),
    "DHCP discover tagged": discover(VLAN),
    "ARP": arp(),
    "ARP tagged": arp(IP4_TAGGED, vlan=VLAN),
    "ARP with priority tag": arp(vlan=0),
    "ARP reply": arp(op=2),
    "ARP probe of an unbound address": arp("0.0.0.0"),
    "ARP probe tagged": arp("0.0.0.0", vlan=VLAN),
    "ARP probe with priority tag": arp("0.0.0.0", vlan=0),
    "IGMP report": igmp(0x16),
    "IGMP report tagged": igmp(0x16, VLAN),
    "IPv6 is not judged": six(UDP(sport=1, dport=2) / Raw(bytes(20))),
    "neighbour solicitation": six(ICMPv6ND_NS(tgt=LINK_LOCAL)),
    "IGMPv1 report": igmp(0x12),
    "IGMP leave": igmp(0x17),
    "IGMPv3 report": igmp(0x22, more=bytes(8)),
    "MLD report": six(ICMPv6MLReport()),
    "MLD report behind a router alert": mld(ICMPv6MLReport()),
    "MLDv2 report": mld(ICMPv6MLReport2()),
    "MLDv2 report from ::": mld(ICMPv6MLReport2(), src="::"),
    "MLDv2 report tagged": mld(ICMPv6MLReport2(), VLAN, "::"),
    "MLD done": mld(ICMPv6MLDone()),
    "echo request in IPv6": six(ICMPv6EchoRequest()),
    "another ethertype": Ether(src=OTHER_MAC, dst=BCAST, type=0x88B6) / bytes(46),
}
FORGED = {
    "wrong address": udp(OTHER_IP),
    "wrong MAC": udp(mac=OTHER_MAC),
    "wrong VLAN": udp(IP4_TAGGED, vlan=VLAN + 1),
    "untagged binding used tagged": udp(vlan=VLAN),
    "tagged binding used untagged": udp(IP4_TAGGED),
    "other UDP from 0.0.0.0": udp("0.0.0.0", dst="255.255.255.255"),
    "ARP of another address": arp(OTHER_IP),
    "ARP of another address tagged": arp(OTHER_IP, vlan=VLAN),
    "ARP with a foreign sender MAC": arp(sha=OTHER_MAC),
    "ARP with a foreign Ethernet source": arp(mac=OTHER_MAC),
    "ARP reply from 0.0.0.0": arp("0.0.0.0", op=2),
    "RARP of a MAC that is not announced": rarp(),
    "DHCP server, even bound": udp(sport=67, dport=68),
    "DHCP server tagged": udp(IP4_TAGGED, vlan=VLAN, sport=67, dport=68),
    "IGMP query": igmp(0x11),
    "IGMP query tagged": igmp(0x11, VLAN),
    "IGMP query with priority tag": igmp(0x11, 0),
    "IGMPv3 query": igmp(0x11, more=bytes(4)),
    "multicast router advertisement": igmp(0x30),
    "multicast router advertisement tagged": igmp(0x30, VLAN),
    "multicast router advertisement in IPv6":
        eth(dst="33:33:00:00:00:6a") / IPv6(src=LINK_LOCAL, dst="ff02::6a", nh=58, hlim=1)
        / Raw(bytes([151, 20, 0, 0, 0, 125, 0, 2])),
    "PIM hello, even bound": pim(),
    "PIM hello tagged": pim(VLAN),
    "PIM hello in IPv6": pim(six=True),
    "router advertisement": six(RA),
    "router advertisement tagged": six(RA, VLAN),
    "router advertisement with priority tag": six(RA, 0),
    "router advertisement behind hop-by-hop": six(IPv6ExtHdrHopByHop() / RA),
    "fragment that starts before its ICMPv6 header":
        six(IPv6ExtHdrFragment(nh=60, offset=0, m=1) / Raw(bytes(8))),
    "the same tagged": six(IPv6ExtHdrFragment(nh=60, offset=0, m=1) / Raw(bytes(8)), VLAN),
    "router advertisement in a first fragment":
        six(IPv6ExtHdrFragment(nh=58, offset=0, m=1) / RA),
    "redirect": six(ICMPv6ND_Redirect(tgt="fe80::9", dst="2001:db8::1")),
    "MLD query": six(ICMPv6MLQuery()),
    "MLD query behind a router alert": mld(ICMPv6MLQuery()),
    "MLD query tagged": mld(ICMPv6MLQuery(), VLAN),
    "MLDv2 query": mld(ICMPv6MLQuery2()),
    "DHCPv6 server": six(UDP(sport=547, dport=546) / Raw(bytes(20))),
    "DHCPv6 server tagged": six(UDP(sport=547, dport=546) / Raw(bytes(20)), VLAN),
    "QinQ": eth(vlan=VLAN) / Dot1Q(vlan=5) / IP(src=IP4) / UDP() / Raw(bytes(26)),
    "802.1ad": eth() / Dot1AD(vlan=VLAN) / IP(src=IP4_TAGGED) / UDP() / Raw(bytes(26)),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_the_vms_own_passes(sw, name):
    assert sw.passes(GOOD[name])


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_dropped(sw, name):
    assert not sw.passes(FORGED[name])


def test_later_fragment_is_judged_by_its_address_not_by_its_payload(sw):
    whole = IP(src=IP4, dst="10.9.0.9") / UDP(sport=4000, dport=4001) \
        / Raw(b"\0\x43\0\x44" * 400)    # reads as source port 67
    for part in fragment(whole, 800):
        assert sw.passes(eth() / part)
    whole.src = OTHER_IP
    for part in fragment(whole, 800):
        assert not sw.passes(eth() / part)


def test_later_ipv6_fragment_is_not_taken_for_a_router_advertisement(sw):
    assert sw.passes(six(IPv6ExtHdrFragment(nh=58, offset=100, m=0) / bytes(RA)))
    assert sw.passes(six(IPv6ExtHdrFragment(nh=17, offset=100, m=0)
                         / Raw(b"\x02\x23" + bytes(20))))


def test_binding_of_one_port_is_not_good_on_another(sw):
    sw.driver("mode p2 enforce", "commit")
    assert not sw.passes(udp(), "p2")
    sw.driver(f"put p2 0 {MAC} {IP4} 3600", "commit")
    assert sw.passes(udp(), "p2") and sw.passes(udp(), "p1")


def test_rarp_passes_from_announcement_to_renouncement(sw):
    sw.driver(f"announce p1 {MAC}", "commit")
    assert sw.passes(rarp()) and sw.passes(rarp(vlan=VLAN))
    assert not sw.passes(rarp(OTHER_MAC))
    sw.driver(f"renounce p1 {MAC}", "commit")
    assert not sw.passes(rarp())


RATE, BURST = 100, 300


def flood(sw, make, macs, n=3000):
    """n reports, as fast as they go: no more get through than the rate lets."""
    made = [bytes(make(mac=mac)) for mac in macs]
    began = time.monotonic()
    tokens = [sw.send("p1", made[i % len(made)]) for i in range(n)]
    assert sw.passes(udp())
    passed = len(sw.seen.intersection(tokens))
    assert BURST / 2 <= passed <= 1.2 * (BURST + RATE * (time.monotonic() - began)) < n
    return passed


FLOODS = {"IGMP": lambda mac: igmp(0x16, mac=mac),
          "MLD": lambda mac: mld(ICMPv6MLReport2(), mac=mac)}


@pytest.mark.parametrize("kind", FLOODS)
def test_flood_of_reports_is_cut_and_starves_nobody(sw, kind):
    sw.driver(f"announce p1 {MAC}", f"announce p1 {OTHER_MAC}", f"announce p2 {MAC}",
              "mode p2 enforce", "commit")
    report = FLOODS[kind]
    passed = flood(sw, report, [MAC])
    assert sum(sw.driver.counts().values()) == 3000 - passed, "counted as violations"
    assert sw.passes(report(OTHER_MAC)) and sw.passes(report(MAC), "p2")


@pytest.mark.parametrize("kind", FLOODS)
def test_flood_of_made_up_macs_starves_no_announced_vm(sw, kind):
    made_up = [f"52:54:00:01:{i >> 8:02x}:{i & 255:02x}" for i in range(500)]
    sw.driver(f"announce p1 {MAC}", "commit")
    report = FLOODS[kind]
    flood(sw, report, made_up)
    assert sw.passes(report(MAC))


def test_reports_of_a_vm_that_nobody_announced_pass(sw):
    assert sw.passes(igmp(0x16, mac=OTHER_MAC))
    assert sw.passes(mld(ICMPv6MLReport2(), mac=OTHER_MAC))


def test_port_that_is_off_is_not_judged(sw):
    assert sw.passes(udp(OTHER_IP), "p2")
    sw.driver("mode p1 off", "commit")
    assert sw.passes(udp(OTHER_IP)) and sw.driver("modes") == []


def test_monitor_passes_and_counts_what_enforce_drops_and_counts(sw):
    for mode in ("monitor", "enforce"):
        before = sw.driver(f"mode p1 {mode}", "commit") or sw.driver.counts()
        assert sw.driver("modes") == [f"p1 {mode}"]
        for frame in (udp(OTHER_IP), udp(OTHER_IP), arp(OTHER_IP), udp()):
            sw.passes(frame)
        assert sw.passes(udp(OTHER_IP)) == (mode == "monitor")
        more = {k: n - before.get(k, 0) for k, n in sw.driver.counts().items()}
        assert more == {("p1", "0800"): 3, ("p1", "0806"): 1}


def test_same_mode_again_is_no_error(sw):
    sw.driver("mode p1 enforce", "commit")
    assert sw.driver("modes") == ["p1 enforce"]


def test_renewal_extends_what_is_there(sw):
    sw.driver(f"renew p1 0 {MAC} {IP4} 7200", "commit")
    assert 7190 < sw.driver.elements()["p1", 0, MAC, IP4] <= 7200
    shown = sw.nft("list", "set", "bridge", "vdp_migrate", "b4u")
    assert re.search(r"timeout 2h expires (1h59m|2h)", shown)


def test_renewal_of_what_has_expired_puts_it(sw):
    sw.driver(f"put p1 0 {MAC} {OTHER_IP} 0.05", "commit")
    wait_for("the end", lambda: ("p1", 0, MAC, OTHER_IP) not in sw.driver.elements())
    sw.driver(f"renew p1 0 {MAC} {OTHER_IP} 60", f"renew p1 0 {MAC} {IP4} 7200", "commit")
    assert sw.driver.elements()["p1", 0, MAC, OTHER_IP] > 59
    assert sw.driver.elements()["p1", 0, MAC, IP4] > 3600


def test_infinite_lease_has_no_timeout(sw):
    sw.driver(f"put p1 0 {MAC} {OTHER_IP} never", "commit")
    assert sw.driver.elements()["p1", 0, MAC, OTHER_IP] is None


def test_move_is_not_lost_where_the_old_element_has_expired(sw):
    sw.driver(f"put p1 0 {MAC} {OTHER_IP} 0.05", "commit")
    wait_for("the end", lambda: ("p1", 0, MAC, OTHER_IP) not in sw.driver.elements())
    sw.driver(f"drop p1 0 {MAC} {OTHER_IP}", f"drop p1 0 {MAC} {IP4}",
              f"drop p1 7 {MAC} {IP4}", f"put p2 0 {MAC} {OTHER_IP} 60", "commit")
    assert set(sw.driver.elements()) == {("p2", 0, MAC, OTHER_IP),
                                         ("p1", VLAN, MAC, IP4_TAGGED)}


def test_last_of_several_changes_of_one_element_counts(sw):
    sw.driver(f"drop p1 0 {MAC} {IP4}", f"put p1 0 {MAC} {IP4} 7200",
              f"put p1 0 {MAC} {OTHER_IP} 60", f"drop p1 0 {MAC} {OTHER_IP}", "commit")
    assert sw.driver.elements()["p1", 0, MAC, IP4] > 7190
    assert ("p1", 0, MAC, OTHER_IP) not in sw.driver.elements()


def test_ipv6_binding_is_refused(sw):
    with pytest.raises(OSError) as refused:
        sw.driver(f"put p1 0 {MAC} 2001:db8::2 60")
    assert refused.value.errno == 97    # EAFNOSUPPORT


def test_thousands_of_changes_are_one_commit_and_come_back_by_list(sw):
    sw.driver("many p2 5000", "commit")
    assert len(sw.driver.elements()) == 5002 and not sw.driver.lost()


def test_elements_modes_and_counters_survive_a_restart(sw):
    sw.passes(udp(OTHER_IP))
    before = set(sw.driver.elements())
    sw.restart()
    assert set(sw.driver.elements()) == before and len(before) == 2
    assert sw.driver("modes") == ["p1 enforce"]
    assert sw.driver.counts() == {("p1", "0800"): 1}
    assert sw.nft("list", "table", "bridge", "vdp_migrate").count("vmap @ports") == 1


def test_nothing_is_lost_and_nothing_slips_through_while_it_restarts(sw):
    """Two streams, of a bound VM and of a forger, while the rules are replaced."""
    good, forged = bytes(udp()) + b"goodgood", bytes(udp(OTHER_IP)) + b"forgeddd"
    sent, end = [0], threading.Event()

    def stream():
        while not end.wait(0.0002):
            sw.out["p1"].send(good)
            sw.out["p1"].send(forged)
            sent[0] += 1
    thread = threading.Thread(target=stream)
    got = {b"goodgood": 0, b"forgeddd": 0}

    def count():
        while True:
            try:
                tail = sw.uplink.recv(2048)[-8:]
            except BlockingIOError:
                return got[b"goodgood"]
            if tail in got:
                got[tail] += 1
    thread.start()
    for _ in range(20):
        sw.restart()
        count()
    end.set()
    thread.join()
    wait_for("all of the stream", lambda: count() >= sent[0])
    assert got == {b"goodgood": sent[0], b"forgeddd": 0} and sent[0] > 100


TAKEN = {
    "flush ruleset": ("flush", "ruleset"),
    "delete table": ("delete", "table", "bridge", "vdp_migrate"),
    "flush table": ("flush", "table", "bridge", "vdp_migrate"),
    "flush chain": ("flush", "chain", "bridge", "vdp_migrate", "pre"),
    "flush set": ("flush", "set", "bridge", "vdp_migrate", "b4u"),
    "delete element": ("delete", "element", "bridge", "vdp_migrate", "ports", "{ p1 }"),
}


@pytest.mark.parametrize("how", TAKEN)
def test_what_somebody_else_takes_away_is_noticed_and_put_back(sw, how):
    assert not sw.driver.lost()
    sw.nft(*TAKEN[how])
    wait_for("the notice", sw.driver.lost)
    sw.driver("recover", f"put p1 0 {MAC} {IP4} 3600", "mode p1 enforce", "commit")
    assert not sw.driver.lost()
    assert sw.passes(udp()) and not sw.passes(udp(OTHER_IP))
    assert sw.nft("list", "table", "bridge", "vdp_migrate").count("vmap @ports") == 1


def test_what_does_no_harm_is_passed_over(sw):
    sw.driver(f"renew p1 0 {MAC} {IP4} 60", f"drop p1 {VLAN} {MAC} {IP4_TAGGED}",
              f"announce p1 {MAC}", "mode p2 monitor", "commit", "mode p2 off", "commit",
              "recover")
    sw.nft("add table inet strange; add set inet strange b4u { type ifname; }; "
           "delete table inet strange")
    sw.nft("flush set bridge vdp_migrate viol")
    sw.nft(f"add element bridge vdp_migrate macs {{ p2 . {OTHER_MAC} }}")
    Driver(sw.sw).close()
    assert not sw.driver.lost()


def test_commit_into_a_table_that_is_gone_is_an_error_and_recover_its_cure(sw):
    sw.nft("flush", "ruleset")
    with pytest.raises(OSError):
        sw.driver(f"put p1 0 {MAC} {OTHER_IP} 60", "commit")
    sw.driver("recover", f"put p1 0 {MAC} {OTHER_IP} 60", "commit")
    assert set(sw.driver.elements()) == {("p1", 0, MAC, OTHER_IP)}
