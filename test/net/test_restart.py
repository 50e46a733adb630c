# SPDX-License-Identifier: GPL-2.0-only
"""
lldpad and the engine come and go on the switch while a VM is in use: the VM goes on,
the guard is never empty, and a migration works afterwards.
"""
import signal

import pytest

import frames
from lab import built
from netns import wait_for

# After SIGHUP stock lldpad is deaf for VDP for a second: keep-alives come less often.
LAB = {"rka": 18}


@pytest.fixture
def pinged(lab, vm):
    """A VM in use; no packet of it may be lost during the test."""
    lab.born(vm)
    ping = vm.ping()
    wait_for("a ping", ping.replies)
    yield vm
    if vm.at == "h1":   # it has not moved
        last = ping.next()
        wait_for("another ping", lambda: ping.replies(last))
        assert not ping.lost(until=max(ping.replies()))
    ping.stop()


def _vsi_state(lab, vm, port="p1"):
    return [row["state"] for row in lab.show("sw", "vsis")
            if row["vsi"] == vm.uuid and row["port"] == port]


def _answered(capture, vm):
    """Keep-alives that have their answer: between the two stock lldpad forgets, at
    SIGHUP, what it has acknowledged."""
    return len([v for _, status, v in frames.vdp_tlvs(capture.now())
                if v == vm.uuid and status & 0x40])


def test_SIGHUP_of_lldpad_with_a_live_vsi_is_survived(lab, pinged):
    lldpad = lab.lldpad["sw"].process
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    wait_for("a keep-alive to be answered", lambda: _answered(capture, pinged))
    for n in (1, 2):
        lldpad.kill(signal.SIGHUP)
        seen = _answered(capture, pinged)
        wait_for("keep-alives to be answered after SIGHUP",
                 lambda s=seen: _answered(capture, pinged) >= s + 2)
        assert lldpad.alive, f"lldpad died at SIGHUP {n}: {lldpad.tail()}"
        lab.wait_states(pinged, p1="active")
    wait_for("the VSI to be settled", lambda: _vsi_state(lab, pinged) == ["settled"])
    # The dead generation's time-outs de-associate nothing.
    assert not [f for f in capture.frames() if f[12:14] == b"\x89\x40"
                and not f[14] & 0x0C and f[36] >> 1 == 4]


def test_restart_of_lldpad_leaves_the_binding_until_the_vsi_is_back(lab, pinged):
    lab.lldpad["sw"].stop()
    lab.wait_states(pinged, p1="dormant")
    assert lab.in_kernel(pinged) == {"p1"}
    lab.lldpad["sw"].start()
    lab.wait_lldp()
    lab.wait_linked("sw")
    lab.wait_states(pinged, p1="dormant")
    wait_for("an association", lambda: pinged.vdp("h1", "assoc", check=False))
    lab.wait_states(pinged, p1="active")


def test_engine_killed_leaves_the_guard_and_takes_all_back_at_start(lab, pinged):
    lab.engine["sw"].stop(signal.SIGKILL)
    assert lab.in_kernel(pinged) == {"p1"}
    before = lab.dropped("p1")
    pinged.space.send_frame("eth1", frames.arp_request(
        pinged.mac, "10.9.0.66", "10.9.0.1"))
    wait_for("the guard to go on dropping", lambda: lab.dropped("p1") > before)
    lab.engine_start("sw")
    lab.wait_linked("sw")
    lab.wait_states(pinged, p1="active")
    assert _vsi_state(lab, pinged) == ["settled"]
    assert lab.in_kernel(pinged) == {"p1"}


def test_while_the_engine_is_away_vdp_and_the_M_bit_work_on(lab, vm):
    lab.engine["sw"].stop()
    try:
        assert vm.vdp("h1", "preassoc", "to") and vm.vdp("h1", "assoc", "to")
    finally:
        lab.engine_start("sw")
        lab.wait_linked("sw")
    wait_for("the replay", lambda: _vsi_state(lab, vm) in (["settled"], ["arrived"]))


def test_command_says_plainly_that_the_engine_or_the_module_is_not_there(lab):
    def show():
        return lab.sw.run("sh", "-c", '"$0" show ports 2>&1; echo "status $?"',
                          built("vdp-migrate"))
    assert "status 0" in show()
    lab.lldpad["sw"].stop()
    try:
        wait_for("the module's absence to be said",
                 lambda: "module not loaded in lldpad" in show())
        lab.engine["sw"].stop()
        said = show()
        assert "engine" in said and "not running" in said and "status 2" in said
    finally:
        lab.engine_start("sw")
        lab.lldpad["sw"].start()
        lab.wait_lldp()
        lab.wait_linked("sw")


def test_vm_migrates_after_the_engine_was_killed_and_started(lab, vm):
    lab.born(vm)
    lab.engine["sw"].stop(signal.SIGKILL)
    lab.engine_start("sw")
    lab.wait_linked("sw")
    lab.wait_states(vm, p1="active")
    ping, before = vm.ping(), lab.violations()
    lab.migrate(vm, "h2")
    first = ping.next()
    wait_for("a ping", lambda: ping.replies(first))
    ping.stop()
    assert not ping.lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before
    lab.wait_states(vm, p1="leaving", p2="active")


def test_engine_killed_between_announcement_and_arrival_costs_nothing(lab, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    lab.engine["sw"].stop(signal.SIGKILL)
    assert lab.in_kernel(vm) == {"p1", "p2"}
    lab.engine_start("sw")
    lab.wait_linked("sw")
    ping, before = vm.ping(), lab.violations()
    lab.switch_over(vm, "h2")
    first = ping.next()
    wait_for("a ping", lambda: ping.replies(first))
    ping.stop()
    assert not ping.lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before
    lab.wait_states(vm, p1="leaving", p2="active")


def test_link_that_flaps_costs_no_binding(lab, vm):
    lab.born(vm)
    lab.space["h1"].ip("link set e0 down")
    lab.wait_states(vm, p1="dormant")
    lab.space["h1"].ip("link set e0 up")
    assert lab.in_kernel(vm) == {"p1"}
    before, ping = lab.violations(), vm.ping()
    wait_for("the bridge to forward again", ping.replies, 15.0)
    ping.stop()
    assert lab.lldpad["sw"].process.alive
    assert lab.violations() == before
    assert lab.in_kernel(vm) == {"p1"}


def test_lease_that_ends_while_nobody_looks_ends_its_binding(lab, vm):
    """The engine's own timer; the kernel's element would live an hour longer."""
    lab.dhcpd.stop()
    lab.lease = 4
    lab.dhcp_configure()
    lab.dhcp_start()
    try:
        lab.dhcpd.wait_line("Server starting service")
        lab.born(vm)
        lab.wait_states(vm, timeout=10.0)
        wait_for("the kernel to forget it", lambda: not lab.in_kernel(vm))
    finally:
        lab.dhcpd.stop()
        lab.lease = 3600
        lab.dhcp_configure()
        lab.dhcp_start()


def test_what_ended_while_somebody_changed_the_table_is_gone_from_the_kernel(lab, vm):
    """The engine hears of both at once: the drop must outlive the rules' new beginning."""
    lab.born(vm)
    other = lab.vm()
    lab.born(other)
    engine = lab.engine["sw"].popen
    engine.send_signal(signal.SIGSTOP)
    try:
        lab.sw.run("nft", "delete", "element", "bridge", "vdp_migrate", "b4u",
                   f'{{ "p1" . {other.mac} . {other.ip} }}')
        vm.release()
    finally:
        engine.send_signal(signal.SIGCONT)
    lab.wait_states(vm)
    wait_for("the other VM's element", lambda: lab.in_kernel(other) == {"p1"})
    wait_for("the kernel to forget it", lambda: not lab.in_kernel(vm))


def test_table_flushed_by_somebody_is_put_back(lab, pinged):
    lab.sw.run("nft", "flush", "ruleset")
    wait_for("the guard's table", lambda: lab.in_kernel(pinged) == {"p1"})
