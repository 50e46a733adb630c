# SPDX-License-Identifier: GPL-2.0-only
"""
`vdp-migrate qemu`: a VM's association goes along with its QEMU's migration. What QEMU
does is said by a fake monitor, so that each order of events can be had; real ones:
test_qemu_real.py.
"""
import contextlib
import os
import re
import signal
import socket
import time

import pytest

import frames
import product
from following import exit_status, follow, modes, wait_modes, words
from netns import wait_for
from qemus import FakeQemu

# The VM of a QEMU that is played stays where it is, and would answer there.
LAB = {"ours": {port: {**said, "conflict": "accept"}
                for port, said in product.settings().items()}}
PRE, ASSOC, DEASSOC = 1, 3, 4
M, S = 0x10, 0x20


@pytest.fixture
def path(lab, vm):
    return os.path.join(lab.world.dir, f"qmp-{vm.uuid[:8]}")


@pytest.fixture
def incoming(lab, vm, path):
    """At h2 a QEMU waits for the VM, which runs at h1, and is followed."""
    lab.born(vm)
    with FakeQemu(path, "inmigrate") as qemu:
        process = follow(lab, "h2", path, *words(vm), "--role", "destination")
        lab.wait_states(vm, p1="active", p2="staged")
        yield qemu, process


@pytest.fixture
def running(lab, vm, path):
    """At h1 the VM runs in a QEMU that is followed."""
    with FakeQemu(path, "running") as qemu:
        process = follow(lab, "h1", path, *words(vm))
        process.wait_line("associate")
        wait_modes(lab, vm, p1="associate")
        assert vm.run_at("h1")
        lab.wait_states(vm, p1="active")
        yield qemu, process


def test_destination_goes_on_only_when_the_switch_has_answered(lab, vm, incoming):
    qemu, process = incoming
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    assert modes(lab, vm)["p2"] == "pre-associate"
    assert "cont" not in qemu.commands
    qemu.migration("completed")
    qemu.wait("cont")
    assert lab.states(vm)["p2"] == "active"
    seen = [(mode, status) for mode, status, vsi in frames.vdp_tlvs(capture.frames())
            if vsi == vm.uuid]
    assert (ASSOC, M) in seen
    assert any(mode == ASSOC and status & 0x40 for mode, status in seen)
    assert process.find("VM goes on$")


def test_destination_whose_vm_has_arrived_before_it_was_asked_goes_on(lab, vm, path):
    with FakeQemu(path, "inmigrate", "completed") as qemu:
        process = follow(lab, "h2", path, *words(vm), "--role", "destination")
        process.wait_line("has arrived")
        qemu.wait("cont")
        wait_modes(lab, vm, p2="associate")
        process.stop()


def test_destination_preassociates_with_the_M_bit(lab, vm, path):
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    with FakeQemu(path, "inmigrate"):
        follow(lab, "h2", path, *words(vm))
        wait_modes(lab, vm, p2="pre-associate")
    assert (PRE, M, vm.uuid) in frames.vdp_requests(capture.frames())


def test_destination_goes_on_in_the_end_though_the_switch_is_silent(lab, vm, path):
    with FakeQemu(path, "inmigrate") as qemu:
        process = follow(lab, "h2", path, *words(vm), "--timeout", "1")
        wait_modes(lab, vm, p2="pre-associate")
        lab.lldpad["sw"].process.kill(signal.SIGSTOP)
        try:
            qemu.migration("completed")
            since = time.monotonic()
            qemu.wait("cont")
            assert 0.8 < time.monotonic() - since < 3.0
        finally:
            lab.lldpad["sw"].process.kill(signal.SIGCONT)
        process.wait_line("goes on without the switch's answer")


def test_destination_without_lldpad_lets_the_vm_go_on_and_says_so(lab, vm, path):
    with FakeQemu(path, "inmigrate") as qemu:
        process = follow(lab, "other", path, *words(vm))
        process.wait_line("lldpad")
        qemu.migration("completed")
        qemu.wait("cont")
        qemu.end()
        assert exit_status(process) == 2


@contextlib.contextmanager
def arrived_unanswered(lab, vm, path):
    """The VM is all here, and the switch says nothing."""
    with FakeQemu(path, "inmigrate") as qemu:
        process = follow(lab, "h2", path, *words(vm), "--timeout", "60")
        wait_modes(lab, vm, p2="pre-associate")
        lab.lldpad["sw"].process.kill(signal.SIGSTOP)
        try:
            qemu.migration("completed")
            process.wait_line("has arrived")
            yield qemu, process
        finally:
            lab.lldpad["sw"].process.kill(signal.SIGCONT)


def test_destination_that_is_interrupted_leaves_no_vm_stopped(lab, vm, path):
    with arrived_unanswered(lab, vm, path) as (qemu, process):
        process.kill(signal.SIGTERM)
        qemu.wait("cont")


def test_destination_whose_migration_fails_deassociates(lab, vm, incoming):
    qemu, process = incoming
    qemu.migration("failed")
    qemu.end()
    assert exit_status(process) == 0
    assert "cont" not in qemu.commands
    lab.wait_states(vm, p1="active")
    wait_modes(lab, vm, p1="associate")


def test_destination_killed_after_its_associate_costs_the_source_nothing(
        lab, vm, incoming):
    qemu, process = incoming
    qemu.migration("completed")
    qemu.wait("cont")
    qemu.end()
    assert exit_status(process) == 0
    lab.wait_states(vm, p1="active")


def test_destination_that_runs_by_itself_is_associated_with_a_warning(lab, vm, incoming):
    qemu, process = incoming
    qemu.event("RESUME")
    qemu.migration("completed")
    process.wait_line("runs already")
    lab.wait_states(vm, p1="leaving", p2="active")
    assert "cont" not in qemu.commands


def test_two_NICs_are_both_associated_before_the_vm_goes_on(lab, vm, path):
    other = lab.vm()
    with FakeQemu(path, "inmigrate") as qemu:
        follow(lab, "h2", path, *words(vm), *words(other))
        for one in vm, other:
            wait_modes(lab, one, p2="pre-associate")
        qemu.migration("completed")
        qemu.wait("cont")
        for one in vm, other:
            wait_modes(lab, one, p2="associate")
    for one in vm, other:
        wait_modes(lab, one)


def test_source_deassociates_when_its_migration_is_completed(lab, vm, running):
    qemu, process = running
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    for status in ("setup", "active"):
        qemu.migration(status)
    qemu.event("STOP")
    process.wait_line("has stopped here: suspended")
    wait_for("the S-bit", lambda: (ASSOC, S, vm.uuid) in frames.vdp_requests(capture.now()))
    assert modes(lab, vm) == {"p1": "associate"}
    qemu.migration("completed")
    wait_modes(lab, vm)
    assert process.find("does not come back: de-associate")
    qemu.end()
    assert exit_status(process) == 0


def test_source_that_ends_at_once_deassociates_at_once(lab, vm, running):
    qemu, process = running
    for status in ("setup", "active"):
        qemu.migration(status)
    qemu.event("STOP")
    qemu.migration("completed")
    qemu.end()
    assert exit_status(process) == 0
    wait_modes(lab, vm)


@pytest.mark.parametrize("stopped", (False, True))
def test_source_whose_migration_is_cancelled_stays_associated(lab, vm, running, stopped):
    qemu, process = running
    for status in ("setup", "active"):
        qemu.migration(status)
    if stopped:
        qemu.event("STOP")
        qemu.event("RESUME")
    qemu.migration("cancelled")
    process.wait_line("goes on here")
    ping = vm.ping()
    wait_for("a ping to be answered", lambda: ping.replies())
    ping.stop()
    assert modes(lab, vm) == {"p1": "associate"}
    assert lab.states(vm) == {"p1": "active"}


def test_source_that_goes_on_after_all_is_associated_again(lab, vm, running):
    qemu, process = running
    for status in ("setup", "active"):
        qemu.migration(status)
    qemu.event("STOP")
    qemu.migration("completed")
    wait_modes(lab, vm)
    qemu.event("RESUME")
    wait_modes(lab, vm, p1="associate")
    assert process.find("goes on here after all: associate")


def test_pause_by_hand_is_none_of_its_business(lab, vm, running):
    qemu, process = running
    qemu.event("STOP")
    qemu.event("RESUME")
    qemu.end()
    assert exit_status(process) == 0
    assert not process.find("suspended")


def test_interrupt_leaves_the_association_as_it_is(lab, vm, running):
    _, process = running
    process.kill(signal.SIGINT)
    assert exit_status(process) == 0
    assert modes(lab, vm) == {"p1": "associate"}


@pytest.mark.parametrize("status, role", (("running", "destination"),
                                          ("inmigrate", "source")))
def test_QEMU_in_the_other_role_is_refused(lab, vm, path, status, role):
    with FakeQemu(path, status):
        process = follow(lab, "h1", path, "--role", role, *words(vm))
        assert exit_status(process) == 1
        assert process.find("for a migration")
    assert modes(lab, vm) == {}


def test_QEMU_that_has_no_events_is_refused(lab, vm, path):
    with FakeQemu(path, "running", refuses=("migrate-set-capabilities",)):
        process = follow(lab, "h1", path, *words(vm))
        assert exit_status(process) == 1
        assert process.find("QEMU refuses migrate-set-capabilities: not now")


def test_QEMU_that_is_not_there_is_told(lab, vm, path):
    process = follow(lab, "h1", path, *words(vm))
    assert exit_status(process) == 2
    assert process.find("no QEMU there")


@pytest.mark.parametrize("wrong, why", (
    ((), "-i is wanted"), (("--mac", "x"), "before -i"), (("--role", "x"), "no role"),
    (("--timeout", "0"), "no time"), (("-i", "e0"), "--instanceid is wanted"),
    (("-i", "e0", "--instanceid", "x"), "no VSI instance ID")))
def test_wrong_words_are_told(lab, path, wrong, why):
    process = follow(lab, "h1", path, *wrong)
    assert exit_status(process) == 3
    assert process.find(re.escape(why))


def test_words_that_are_no_associations_end_it(lab, vm, path):
    with FakeQemu(path, "inmigrate"):
        process = follow(lab, "h1", path, "-i", "e0", "--instanceid", vm.uuid)
        assert exit_status(process) == 3


def test_monitor_that_does_not_answer_is_told_and_waited_for(lab, vm, path):
    """As QEMU's does to its second client, or to its first while QEMU starts."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        process = follow(lab, "h1", path, *words(vm))
        process.wait_line("QEMU does not answer yet; a monitor takes one client")
        assert process.alive
    assert exit_status(process) == 2
    assert process.find("closed before a word on the VM")


@pytest.mark.parametrize("garbage, why", ((b"what?\n", "no QMP there"),
                                          (b"{" * 70000, "a line without an end")))
def test_monitor_that_says_what_is_no_QMP_costs_the_vm_nothing(lab, vm, running, garbage,
                                                              why):
    qemu, process = running
    qemu.client.sendall(garbage)
    assert exit_status(process) == 2
    assert process.find(f"{why}.*; the VM's association stays as it is")
    assert modes(lab, vm) == {"p1": "associate"}


def test_monitor_that_says_what_is_no_QMP_leaves_no_vm_stopped(lab, vm, path):
    with arrived_unanswered(lab, vm, path) as (qemu, _):
        qemu.client.sendall(b"what?\n")
        qemu.wait("cont")


def test_without_an_engine_the_S_bit_is_missed_and_nothing_else(lab, vm, path):
    with FakeQemu(path, "running") as qemu:
        process = follow(lab, "other", path, *words(vm))
        process.wait_line("lldpad is not running")
        qemu.migration("active")
        qemu.event("STOP")
        process.wait_line("has stopped here: no engine to tell")
        qemu.migration("completed")
        process.wait_line("has migrated")
