# SPDX-License-Identifier: GPL-2.0-only
"""
Help requests where somebody would like another answer: a VM of the same VLAN, who hears
each request since it is broadcast, and answers it; a mark with an address of another
network that the DHCP server serves too. The switch's port p4, with that VM, is under
guard=enforce; p1 is not ours: what is known of the VM at p2 is known by help alone.
"""
import contextlib
import socket
import threading

import pytest

import dhcp_servers
from helping import dhcp, known, lease, lease_of
from lab import DHCP, OTHER, SWITCH
from netns import wait_for
from product import settings
from test_help_auto import served

OURS = settings(p1=None)
OURS["p2"] = {"use": "yes", "guard": "enforce", "assist": "help"}
OURS["p4"] = {"use": "yes", "guard": "enforce!"}
LAB = {"ours": OURS}
WANTED = "10.9.0.253"
ACK, NAK = 5, 6


class Forger(threading.Thread):
    """Answers each DHCPREQUEST that it hears, to giaddr or, where that is 0, to the
    switch: from another port than 67, which its guard would drop."""

    def __init__(self, lab, kind):
        super().__init__(daemon=True)
        self.kind, self.sent = kind, 0
        space = lab.space["other"]
        self.ear = space.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.ear.settimeout(0.2)
        self.mouth = space.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.mouth.bind((OTHER, 5000))
        self.ends = False

    def run(self):
        while not self.ends:
            try:
                frame = self.ear.recv(2048)
            except TimeoutError:
                continue
            asked = frame[42:]
            if (frame[12:14], frame[36:38], asked[:1]) != (b"\x08\0", b"\0\x43", b"\1"):
                continue
            giaddr = socket.inet_ntoa(asked[24:28])
            reply = (bytes((2, 1, 6, 0)) + asked[4:8] + bytes(8)
                     + socket.inet_aton(WANTED) + bytes(4) + asked[24:44] + bytes(192)
                     + bytes.fromhex("63825363") + bytes((53, 1, self.kind, 51, 4, 0, 0,
                                                          14, 16, 54, 4))
                     + socket.inet_aton(DHCP) + b"\xff")
            self.mouth.sendto(reply.ljust(300, b"\0"), (
                SWITCH if giaddr == "0.0.0.0" else giaddr, 67))
            self.sent += 1


@contextlib.contextmanager
def forger(lab, kind):
    made = Forger(lab, kind)
    made.start()
    try:
        yield made
    finally:
        made.ends = True
        made.join()
        made.ear.close()
        made.mouth.close()


@pytest.fixture(scope="module")
def neighbour(lab):
    """Its address is bound: it may send."""
    mac = lab.space["other"].ip_json("link", "show", "dev", "x0")[0]["address"]
    lab.cli("sw", "bind", "0", mac, OTHER, "p4", check=False)


@pytest.mark.parametrize("kind", (ACK, NAK))
@pytest.mark.parametrize("servers", ("", DHCP))
def test_neighbour_who_answers_too_is_not_believed(lab, vm, neighbour, servers, kind):
    lab.lldpad["sw"].set("p2", f"servers={servers}")
    lease(vm)
    before = {name: lab.counter(name) for name in ("help_naks", "help_other_server")}
    with forger(lab, kind) as other:
        lab.announce(vm, "h2", *known(vm))
        wait_for("the forged answer", lambda: other.sent)
        lab.wait_states(vm, p2="staged")
        assert [r["address"] for r in lab.show("sw", "bindings")
                if r["mac"] == vm.mac] == [vm.ip]
        assert lab.bindings(vm)["p2"]["origin"] == "help"
    assert lab.counter("help_naks") == before["help_naks"]
    if servers:
        wait_for("it to be counted", lambda: lab.counter("help_other_server")
                 > before["help_other_server"])


def test_address_of_another_network_of_the_same_server_is_refused(lab, vm):
    """doc/operations, "A mark that is wrong". It could lease it: both are its own."""
    other = "subnet 10.8.0.0 netmask 255.255.255.0 { range 10.8.0.100 10.8.0.199; }"
    lab.lldpad["sw"].set("p2", f"servers={DHCP}")
    with served(lab, dhcp_servers.isc, conf=other):
        lease(vm)
        before, naks = lease_of(lab, vm.ip), lab.counter("help_naks")
        uplink = lab.sw.capture("p3", "udp port 67 or udp port 68")
        lab.announce(vm, "h2", *known(vm, ip="10.8.0.150"))
        wait_for("the NAK", lambda: lab.counter("help_naks") == naks + 1)
        assert [m.kind for m in dhcp(uplink.frames())][-1] == NAK
        assert not [r for r in lab.show("sw", "bindings") if r["mac"] == vm.mac]
        assert lease_of(lab, vm.ip) == before and lease_of(lab, "10.8.0.150") is None
