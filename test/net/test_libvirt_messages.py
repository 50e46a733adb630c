# SPDX-License-Identifier: GPL-2.0-only
"""
In libvirt's place: its netlink messages to lldpad, octet for octet as libvirt 9.0 sends
them for an interface with an 802.1Qbg virtual port (recorded from `virsh migrate --live`:
rtnetlink, IFLA_VF_PORTS), with the answer read as libvirt reads it, and its hook called
before. libvirt itself, which needs more than a test may count on: test/libvirt.

h1 has the module, h2 is stock.
"""
import errno
import os
import re
import socket
import struct
import uuid

import pytest

import frames
from lab import built
from netns import run, wait_for

LAB = {"module_at": ("h1",), "engine_at": ("h1",), "ours": {}}
M, PRE, ASSOC, DEASSOC = 0x10, 1, 3, 4
PREASSOCIATE, ASSOCIATE, DISASSOCIATE = 0, 2, 3     # PORT_REQUEST_*
RTM_SETLINK, RTM_GETLINK, NLMSG_ERROR, REQUEST_AND_ACK = 19, 18, 2, 5
IFLA_VF_PORTS, IFLA_PORT_INSTANCE_UUID = 24, 4
IFLA_PORT_REQUEST, IFLA_PORT_RESPONSE = 6, 7
SUCCESS = 0

# IFLA_IFNAME e0; IFLA_VFINFO_LIST with MAC and VLAN of "VF -1"; IFLA_VF_PORTS with VSI
# type (manager ID 11, type 1193047, version 2), instance ID and request.
SETLINK = """0000 0000 {index} 00000000 00000000
0700 0300 653000 00
4000 1680 3c00 0180 2800 0100 ffffffff {mac} {zeros} 1000 0200 ffffffff 00000000 00000000
3000 1880 2c00 0180 0c00 0300 0b 573412 02 000000
1400 0400 {uuid} 0500 0600 {op} 000000"""
GETLINK = "0000 0000 {index} 00000000 00000000 0800 1d00 01000000"

DOMAIN = """<domain type='qemu' id='1'><name>vm1</name><devices>
<interface type='direct'><mac address='{mac}'/><source dev='e0' mode='vepa'/>
<virtualport type='802.1Qbg'><parameters managerid='11' typeid='1193047'
  typeidversion='2' instanceid='{uuid}'/></virtualport>
<target dev='macvtap0'/><model type='virtio'/></interface></devices></domain>"""


class Libvirt:
    """What libvirtd at a server does for a VM."""

    def __init__(self, lab, server, vm):
        self.lab, self.server, self.vm = lab, server, vm
        self.space = lab.space[server]
        index = self.space.ip_json("link", "show", "e0")[0]["ifindex"]
        mac = frames.mac_bytes(vm.mac).hex()
        self.fill = {"index": struct.pack("=i", index).hex(), "mac": mac,
                     "zeros": "00" * 26, "uuid": uuid.UUID(vm.uuid).hex}
        # In its name all requests are sent; it is told what lldpad has not been asked.
        self.events = self.space.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.events.bind((0, 0))
        self.events.setblocking(False)

    def ask(self, kind, text):
        body = bytes.fromhex(text)
        with self.space.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
            s.bind((0, 0))
            s.settimeout(5)
            s.sendto(struct.pack("=IHHII", 16 + len(body), kind, REQUEST_AND_ACK, 1,
                                 self.events.getsockname()[0]) + body,
                     (self.lab.lldpad[self.server].process.pid, 0))
            return s.recv(16384)

    def request(self, op):
        """The message, then the question for its outcome until there is one. Stock lldpad
        goes on telling the pre-associate's when there is none of the associate yet."""
        assert self._set(op) == 0
        if op != DISASSOCIATE:
            assert wait_for("the answer", self._outcome) == (SUCCESS,)

    def _set(self, op):
        """lldpad's answer: 0 or -errno."""
        done = self.ask(RTM_SETLINK, SETLINK.format(op=f"{op:02x}", **self.fill))
        assert struct.unpack_from("=H", done, 4)[0] == NLMSG_ERROR
        return struct.unpack_from("=i", done, 16)[0]

    def _outcome(self):
        """As long as there is no response the request is on its way."""
        found = self._own(self.ask(RTM_GETLINK, GETLINK.format(**self.fill)))
        return found and IFLA_PORT_RESPONSE in found and struct.unpack_from(
            "=H", found[IFLA_PORT_RESPONSE])

    def _own(self, message):
        """The attributes of the VM's VSI in it."""
        for kind, ports in _attributes(message[32:]):
            for _, port in _attributes(ports) if kind == IFLA_VF_PORTS else ():
                found = dict(_attributes(port))
                if found.get(IFLA_PORT_INSTANCE_UUID) == uuid.UUID(self.vm.uuid).bytes:
                    return found
        return None

    def told(self):
        """Of the VM's VSI, without having asked since the last time: PORT_REQUEST_*."""
        told = []
        while True:
            try:
                message = self.events.recv(16384)
            except BlockingIOError:
                return told
            found = self._own(message)
            if struct.unpack_from("=H", message, 4)[0] == RTM_SETLINK and found:
                told.append(found[IFLA_PORT_REQUEST][0])

    def disassociate(self):
        """As libvirt does: it looks at once for the outcome, which is not there yet, and
        takes that of the associate for it."""
        wait_for("the associate to be answered",
                 lambda: self._set(DISASSOCIATE) != -errno.EBUSY)
        self._outcome()
        wait_for("lldpad to have done with it", lambda: self._outcome() is None)

    def hook(self, script, operation, sub):
        run("ip", "netns", "exec", self.space.name, script, "vm1", operation, sub, "-",
            input=DOMAIN.format(mac=self.vm.mac, uuid=self.vm.uuid))


def _attributes(data):
    """(kind, value) of each, the flag of nested ones taken off."""
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        if size < 4:
            return
        yield kind & 0x3fff, data[4:size]
        data = data[size + 3 & ~3:]


@pytest.fixture(scope="module")
def script(lab):
    """As `vdp-migrate install-hook` writes it, with the command where this build is."""
    root = lab.space["h1"].dir
    run(built("vdp-migrate"), "install-hook", "--root", root)
    path = os.path.join(root, "etc/libvirt/hooks/qemu.d/vdp-migrate")
    with open(path, encoding="ascii") as f:
        text = f.read()
    with open(path, "w", encoding="ascii") as f:
        f.write(text.replace(re.search(r"-x '(.*)' ]", text)[1], built("vdp-migrate")))
    return path


def _migrate_in(lab, vm, server, before=lambda libvirt: None):
    """All requests, in order, of a VM that comes to the server and is stopped there."""
    libvirt = Libvirt(lab, server, vm)
    capture = lab.sw.capture(lab.port_of[server], "ether proto 0x8940")
    before(libvirt)
    libvirt.request(PREASSOCIATE)
    libvirt.request(ASSOCIATE)
    sent = len(_requests(capture.now(), vm))
    wait_for("two keep-alives", lambda: len(_requests(capture.now(), vm)) >= sent + 2)
    libvirt.request(DISASSOCIATE)
    wait_for("the de-associate", lambda: DEASSOC in dict(_requests(capture.now(), vm)))
    return _requests(capture.frames(), vm)


def _requests(captured, vm):
    return [(mode, status) for mode, status, vsi in frames.vdp_requests(captured)
            if vsi == vm.uuid]


def _first(requests, mode):
    return next(status for kind, status in requests if kind == mode)


def test_libvirts_messages_with_its_hook_carry_M(lab, vm, script):
    requests = _migrate_in(lab, vm, "h1",
                           lambda libvirt: libvirt.hook(script, "migrate", "begin"))
    assert {status for mode, status in requests if mode == PRE} == {M}
    assert _first(requests, ASSOC) == M
    assert [x for x in requests if x[0] == ASSOC][-1] == (ASSOC, 0)


def test_libvirts_messages_without_its_hook_carry_none(lab, vm):
    assert {status for _, status in _migrate_in(lab, vm, "h1")} == {0}


def test_libvirts_messages_after_a_failed_migrations_hooks_carry_none(lab, vm, script):
    def failed(libvirt):
        libvirt.hook(script, "migrate", "begin")
        libvirt.hook(script, "stopped", "end")
        libvirt.hook(script, "release", "end")
    assert {status for _, status in _migrate_in(lab, vm, "h1", failed)} == {0}


def test_libvirts_messages_carry_M_by_inference_where_no_hook_is(lab, vm):
    lab.lldpad["h1"].set("e0", "infer=preassoc")
    try:
        requests = _migrate_in(lab, vm, "h1")
    finally:
        lab.lldpad["h1"].set("e0", "infer=none")
    assert {status for mode, status in requests if mode == PRE} == {M}
    assert _first(requests, ASSOC) == M


def test_libvirts_messages_to_a_stock_lldpad_carry_none(lab, vm):
    assert {status for _, status in _migrate_in(lab, vm, "h2")} == {0}


# What libvirt is told that it has not asked: it associates anew then.

def _associated(lab, vm, server):
    libvirt = Libvirt(lab, server, vm)
    libvirt.request(PREASSOCIATE)
    libvirt.request(ASSOCIATE)
    return libvirt


def test_libvirt_that_has_ended_an_association_is_not_told_so(lab, vm):
    for _ in range(5):
        libvirt = _associated(lab, vm, "h1")
        libvirt.disassociate()
        assert libvirt.told() == []


def test_libvirt_that_has_ended_an_association_is_told_so_by_a_stock_lldpad(lab, vm):
    def told():
        libvirt = _associated(lab, vm, "h2")
        libvirt.disassociate()
        return libvirt.told() == [DISASSOCIATE]
    wait_for("libvirt to have looked before the answer was there", told)


def test_libvirt_is_told_when_the_switch_has_ended_an_association(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    libvirt = _associated(lab, vm, "h1")
    libvirt.disassociate()
    libvirt = _associated(lab, vm, "h1")
    answer = [f for f in capture.frames() if (ASSOC, 0x40, vm.uuid) in
              frames.vdp_tlvs([f])][-1]
    ecp, tlv = 14, answer.index(bytes((ASSOC << 1, 33)))
    sequence = struct.unpack_from("!H", answer, ecp + 2)[0] + 77 & 0xffff
    lab.sw.send_frame("p1", answer[:ecp + 2] + struct.pack("!H", sequence)
                      + answer[ecp + 4:tlv] + bytes((DEASSOC << 1, 33, 0))
                      + answer[tlv + 3:])
    wait_for("libvirt to be told", lambda: libvirt.told() == [DISASSOCIATE])
