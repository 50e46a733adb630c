# SPDX-License-Identifier: GPL-2.0-only
"""The lab itself, stock parts alone: what the other tests stand on is so."""
import frames
from netns import wait_for

M = 0x10


def test_stock_association_is_answered_at_both_servers(lab, vm):
    for server in ("h1", "h2"):
        assert vm.vdp(server, "preassoc")
        assert vm.vdp(server, "assoc")
        assert vm.vdp(server, "deassoc")


def test_vm_gets_a_lease_through_the_forwarding_server(lab, vm):
    assert vm.run_at("h1").startswith("10.9.0.1")


def test_server_answers_leasequery_by_mac_active(lab, vm):
    ip = vm.run_at("h1")
    assert lab.leasequery_by_mac(vm.mac) == (frames.LEASEACTIVE, ip)


def test_server_answers_leasequery_of_a_stranger_unknown(lab, vm):
    assert lab.leasequery_by_mac(vm.mac) == (frames.LEASEUNKNOWN, "0.0.0.0")


def test_released_address_is_unassigned(lab, vm):
    vm.run_at("h1")
    vm.release()
    wait_for("the release", lambda: lab.leasequery_by_mac(vm.mac)[0]
             == frames.LEASEUNASSIGNED)


def test_server_keeps_lldp_and_ecp_from_the_vm(lab, vm):
    vm.run_at("h1")
    capture = lab.vm_space.capture("eth1")
    vm.vdp("h1", "assoc")
    kinds = {f[12:14] for f in capture.frames()}
    assert not kinds & {b"\x89\x40", b"\x88\xcc"}


def test_without_guard_ping_goes_on_after_a_move(lab, vm):
    vm.run_at("h1")
    ping = vm.ping()
    wait_for("a ping", ping.replies)
    vm.move("h2")
    first = ping.next()
    wait_for("a ping after the move", lambda: ping.replies(first))
    ping.stop()
    assert not ping.lost(first, until=max(ping.replies(first)))


def test_move_takes_the_switch_forwarding_entry_along(lab, vm):
    def port():
        return [e["ifname"] for e in lab.sw.fdb() if e["mac"] == vm.mac]
    vm.run_at("h1")
    assert port() == ["p1"]
    vm.move("h2")
    wait_for("the entry at p2", lambda: port() == ["p2"])


def test_hint_to_is_the_M_bit_on_the_wire(lab, vm):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    vm.vdp("h1", "preassoc", "to")
    vm.vdp("h1", "assoc", "to")
    seen = [(mode, status) for mode, status, vsi
            in frames.vdp_requests(capture.frames()) if vsi == vm.uuid]
    assert seen[:2] == [(1, M), (3, M)]
    assert capture.count("vdp21.assoc.flags.mbit == 1") >= 1


def test_switch_ends_a_vsi_whose_keepalives_stop(lab, vm):
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    vm.vdp("h2", "assoc")
    lab.lldpad["h2"].stop()
    try:
        wait_for("an unsolicited de-associate of the switch",
                 lambda: _deassociated(capture.now()), 5)
    finally:
        lab.lldpad["h2"].start()
        lab.wait_lldp(("h2",))


def _deassociated(captured):
    """A de-associate TLV (type 4) without the response's Ack bit."""
    return any(f[12:14] == b"\x89\x40" and f[14] & 0x0C == 0 and f[36] >> 1 == 4
               for f in captured if len(f) > 38)
