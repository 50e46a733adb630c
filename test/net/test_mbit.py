# SPDX-License-Identifier: GPL-2.0-only
"""
The M-bit on the wire, for a VSI that vdptool makes and for one that comes by netlink as
libvirt's do. h1 has the module, h2 is stock: what an unmarked VSI sends is the same.
"""
import os
import re
import socket
import struct
import uuid

import frames
from lab import built
from netns import wait_for

LAB = {"module_at": ("h1",), "engine_at": ("h1",), "ours": {}}
M, PRE, ASSOC = 0x10, 1, 3


def _requests(capture, vm, now=False):
    captured = capture.now() if now else capture.frames()
    return [(mode, status) for mode, status, vsi in frames.vdp_requests(captured)
            if vsi == vm.uuid]


def _wait_keepalives(capture, vm, after):
    wait_for("two keep-alives",
             lambda: len(_requests(capture, vm, now=True)) >= after + 2)


def test_marked_vsi_carries_M_until_it_is_confirmed(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    lab.mark("h1", vm)
    vm.vdp("h1", "preassoc")
    vm.vdp("h1", "assoc")
    after = len(_requests(capture, vm, now=True))
    _wait_keepalives(capture, vm, after)
    seen = _requests(capture, vm)
    assert (PRE, M) in seen and (ASSOC, M) in seen
    assert {status for mode, status in seen if mode == PRE} == {M}
    assert seen[-2:] == [(ASSOC, 0), (ASSOC, 0)]
    # tshark agrees (it reads the bit in associate requests alone).
    bits = [bit for (bit,) in capture.fields(
        "vdp21.assoc.flags.req_rsp == 0", "vdp21.assoc.flags.mbit")]
    assert bits[0] in ("1", "True") and bits[-1] in ("0", "False")


def test_preassociate_keepalives_carry_M_while_the_vm_is_on_its_way(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    lab.mark("h1", vm)
    vm.vdp("h1", "preassoc")
    _wait_keepalives(capture, vm, 1)
    assert set(_requests(capture, vm)) == {(PRE, M)}


def test_vsi_whose_mark_is_taken_away_carries_no_M(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    lab.mark("h1", vm)
    assert [row for row in lab.show("h1", "marks") if vm.uuid in row.values()]
    lab.unmark("h1", vm)
    assert not [row for row in lab.show("h1", "marks") if vm.uuid in row.values()]
    vm.vdp("h1", "preassoc")
    vm.vdp("h1", "assoc")
    assert {status for _, status in _requests(capture, vm)} == {0}


def test_unmarked_vsi_goes_out_bit_for_bit_as_stock_sends_it(lab, vm):
    sent = {}
    for server, port in lab.port_of.items():
        capture = lab.sw.capture(port, "ether proto 0x8940")
        for mode in ("preassoc", "assoc", "deassoc"):
            vm.vdp(server, mode)
        sent[server] = [f[18:] for f in capture.frames() if f[12:14] == b"\x89\x40"
                        and not f[14] & 0x0C and len(f) > 38 and not f[38] & 0x40
                        and uuid.UUID(vm.uuid).bytes in f]
    first = {server: list(dict.fromkeys(pdus)) for server, pdus in sent.items()}
    assert len(first["h1"]) == 3
    assert first["h1"] == first["h2"]


# Netlink, as libvirt's virNetDevVPortProfile does it (rtnetlink IFLA_VF_PORTS).

RTM_SETLINK, NLM_F_REQUEST, NLM_F_ACK = 19, 1, 4
IFLA_IFNAME, IFLA_VFINFO_LIST, IFLA_VF_PORTS = 3, 22, 24
IFLA_VF_INFO, IFLA_VF_MAC, IFLA_VF_VLAN, IFLA_VF_PORT = 1, 1, 2, 1
IFLA_PORT_VF, IFLA_PORT_VSI_TYPE, IFLA_PORT_INSTANCE_UUID, IFLA_PORT_REQUEST = 1, 3, 4, 6
REQUEST_PREASSOC, REQUEST_ASSOC, REQUEST_DEASSOC = 0, 2, 3


def _attr(kind, *parts):
    data = b"".join(parts)
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _setlink(lab, vm, server, request):
    """RTM_SETLINK to that server's lldpad, whose netlink port is its process ID."""
    space = lab.space[server]
    index = space.ip_json("link", "show", "e0")[0]["ifindex"]
    mac = struct.pack("=I32s", 0, frames.mac_bytes(vm.mac))
    vlan = struct.pack("=III", 0, 0, 0)
    vsi_type = struct.pack("=B3sB3x", 1, bytes.fromhex("573412"), 2)
    body = struct.pack("=BBHiII", 0, 0, 0, index, 0, 0) + _attr(IFLA_IFNAME, b"e0\0")
    body += _attr(IFLA_VFINFO_LIST, _attr(
        IFLA_VF_INFO, _attr(IFLA_VF_MAC, mac), _attr(IFLA_VF_VLAN, vlan)))
    body += _attr(IFLA_VF_PORTS, _attr(
        IFLA_VF_PORT, _attr(IFLA_PORT_VF, struct.pack("=I", 0)),
        _attr(IFLA_PORT_VSI_TYPE, vsi_type),
        _attr(IFLA_PORT_INSTANCE_UUID, uuid.UUID(vm.uuid).bytes),
        _attr(IFLA_PORT_REQUEST, struct.pack("=B", request))))
    with space.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.bind((0, 0))
        s.settimeout(5)
        s.sendto(struct.pack("=IHHII", 16 + len(body), RTM_SETLINK,
                             NLM_F_REQUEST | NLM_F_ACK, 1, os.getpid()) + body,
                 (_netlink_port(lab, server), 0))
        reply = s.recv(4096)
        return struct.unpack_from("=i", reply, 16)[0]


def _netlink_port(lab, server):
    pid = lab.lldpad[server].process.pid
    ports = [int(x[2]) for x in (y.split() for y in lab.space[server].run(
        "cat", "/proc/net/netlink").splitlines()[1:]) if x[1] == "0"]
    return next(p for p in ports if p == pid)


def test_vsi_that_comes_by_netlink_carries_M_if_marked(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    lab.mark("h1", vm)
    assert _setlink(lab, vm, "h1", REQUEST_PREASSOC) == 0
    wait_for("the pre-associate", lambda: _requests(capture, vm, now=True))
    assert _setlink(lab, vm, "h1", REQUEST_ASSOC) == 0
    wait_for("the associate", lambda: (ASSOC, M) in _requests(capture, vm, now=True))
    after = len(_requests(capture, vm, now=True))
    _wait_keepalives(capture, vm, after)
    _setlink(lab, vm, "h1", REQUEST_DEASSOC)
    seen = _requests(capture, vm)
    assert seen[0] == (PRE, M)
    assert (ASSOC, 0) in seen


def test_vsi_that_comes_by_netlink_unmarked_carries_none(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    assert _setlink(lab, vm, "h1", REQUEST_PREASSOC) == 0
    wait_for("the pre-associate", lambda: _requests(capture, vm, now=True))
    _setlink(lab, vm, "h1", REQUEST_DEASSOC)
    assert {status for _, status in _requests(capture, vm)} == {0}


def test_pre_associate_by_netlink_is_inferred_to_be_a_migration_if_so_set(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    lab.lldpad["h1"].set("e0", "infer=preassoc")
    try:
        assert _setlink(lab, vm, "h1", REQUEST_PREASSOC) == 0
        wait_for("the pre-associate", lambda: _requests(capture, vm, now=True))
        assert _setlink(lab, vm, "h1", REQUEST_ASSOC) == 0
        wait_for("the associate", lambda: (ASSOC, M) in _requests(capture, vm, now=True))
        _wait_keepalives(capture, vm, len(_requests(capture, vm, now=True)))
        _setlink(lab, vm, "h1", REQUEST_DEASSOC)
        started = lab.vm()
        assert _setlink(lab, started, "h1", REQUEST_ASSOC) == 0
        wait_for("the other's associate", lambda: _requests(capture, started, now=True))
        _setlink(lab, started, "h1", REQUEST_DEASSOC)
    finally:
        lab.lldpad["h1"].set("e0", "infer=none")
    seen = _requests(capture, vm)
    assert seen[0] == (PRE, M) and (PRE, 0) not in seen
    assert (ASSOC, 0) in seen
    assert {status for _, status in _requests(capture, started)} == {0}


def test_mark_of_what_is_no_vsi_id_is_refused_by_name(lab):
    out = lab.space["h1"].run("sh", "-c", '"$0" mark nonsense 2>&1; echo "= $?"',
                              built("vdp-migrate"))
    assert re.search(r"nonsense", out) and "= 0" not in out
