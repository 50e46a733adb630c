# SPDX-License-Identifier: GPL-2.0-only
"""
`vdp-migrate qemu` with two real QEMUs, without a guest: in its BIOS a QEMU has some 1 MB
to copy. They migrate, are cancelled, and are killed at each stage.
"""
import os
import signal

import pytest

import frames
import product
from following import exit_status, follow, wait_modes, words
from netns import wait_for
from qemus import Qemu

ASSOC, S = 3, 0x20
# The VM is none of the QEMU's: it stays where it is, and would answer there.
LAB = {"ours": {port: {**said, "conflict": "accept"}
                for port, said in product.settings().items()}}


@pytest.fixture
def path(lab, vm):
    return os.path.join(lab.world.dir, f"qmp-{vm.uuid[:8]}")


@pytest.fixture
def real(lab, vm, path):
    """Real QEMUs, both followed, the second waits."""
    source = Qemu(lab.space["h1"])
    first = follow(lab, "h1", source.follow, *words(vm))
    wait_modes(lab, vm, p1="associate")
    target = Qemu(lab.space["h2"], incoming=path)
    second = follow(lab, "h2", target.follow, *words(vm), "--role", "destination")
    wait_modes(lab, vm, p1="associate", p2="pre-associate")
    yield source, target, first, second
    source.stop()
    target.stop()


def test_real_QEMUs_migrate_and_the_association_with_them(lab, vm, path, real):
    source, target, first, second = real
    source.migrate(path)
    second.wait_line("VM goes on$")
    wait_for("the VM to run", lambda: target.status() == "running")
    wait_modes(lab, vm, p2="associate")
    assert first.find("has stopped here: suspended")
    source.stop()
    target.stop()
    assert exit_status(first) == exit_status(second) == 0
    wait_modes(lab, vm)


@pytest.mark.parametrize("pauses", (False, True))
def test_real_migration_that_is_cancelled_is_undone(lab, vm, path, real, pauses):
    """pauses: the VM has stopped for the switch-over (pause-before-switchover)."""
    source, target, first, second = real
    if pauses:
        source.capability("pause-before-switchover", True)
    else:
        source.command("migrate-set-parameters", **{"max-bandwidth": 1000})
    source.migrate(path)
    wait_for("the migration to be on its way", lambda: source.migration() == (
        "pre-switchover" if pauses else "active"))
    source.command("migrate_cancel")
    first.wait_line("goes on here")
    wait_for("the VM to run", lambda: source.status() == "running")
    assert exit_status(second) == 0
    wait_modes(lab, vm, p1="associate")


def slowly(source, path):
    source.command("migrate-set-parameters", **{"max-bandwidth": 100000})
    source.migrate(path)
    wait_for("the copy to be on its way", lambda: source.migration() == "active")


def killed(qemu):
    qemu.process.kill(signal.SIGKILL)
    wait_for("QEMU's end", lambda: not qemu.process.alive)


@pytest.mark.parametrize("copies", (False, True))
def test_real_destination_killed_before_all_is_copied_leaves_the_source(lab, vm, path, real,
                                                                        copies):
    source, target, first, second = real
    if copies:
        slowly(source, path)
    killed(target)
    assert exit_status(second) == 0
    wait_modes(lab, vm, p1="associate")
    if copies:
        first.wait_line("did not migrate, goes on here")
    assert source.status() == "running"


def test_real_source_killed_while_it_copies_leaves_nothing(lab, vm, path, real):
    source, _, first, second = real
    slowly(source, path)
    killed(source)
    assert exit_status(first) == exit_status(second) == 0
    assert second.find("did not arrive: de-associate")
    wait_modes(lab, vm)


def test_real_source_killed_after_all_leaves_the_destination(lab, vm, path, real):
    source, target, first, second = real
    source.migrate(path)
    second.wait_line("VM goes on$")
    killed(source)
    assert exit_status(first) == 0
    wait_modes(lab, vm, p2="associate")
    wait_for("the VM to run", lambda: target.status() == "running")


def test_real_destination_killed_after_its_associate_goes_on_at_the_source(lab, vm, path,
                                                                           real):
    """A manager lets it go on there: QEMU keeps the VM, stopped."""
    source, target, first, second = real
    assert vm.run_at("h1")
    lab.wait_states(vm, p1="active", p2="staged")
    source.migrate(path)
    second.wait_line("VM goes on$")
    lab.wait_states(vm, p1="leaving", p2="active")
    killed(target)
    assert exit_status(second) == 0
    source.command("cont")
    first.wait_line("goes on here after all: associate")
    wait_modes(lab, vm, p1="associate")
    lab.wait_states(vm, p1="active")
    ping = vm.ping()
    wait_for("a ping to be answered", ping.replies)
    ping.stop()


def test_real_destination_killed_while_it_waits_for_the_switch_is_undone(lab, vm, path,
                                                                         real):
    source, target, first, second = real
    lab.lldpad["sw"].process.kill(signal.SIGSTOP)
    try:
        source.migrate(path)
        second.wait_line("has arrived")
        killed(target)
        second.wait_line("gone with its QEMU: de-associate")
    finally:
        lab.lldpad["sw"].process.kill(signal.SIGCONT)
    exit_status(second)
    source.command("cont")
    wait_modes(lab, vm, p1="associate")


def test_real_post_copy_lets_the_vm_go_on_before_all_of_it_is_there(lab, vm, path, real):
    source, target, _, second = real
    for qemu in source, target:
        qemu.capability("postcopy-ram", True)
    source.command("migrate-set-parameters", **{"max-postcopy-bandwidth": 100000})
    slowly(source, path)
    source.command("migrate-start-postcopy")
    second.wait_line("VM goes on$")
    assert target.status() == "running" and target.migration() == "postcopy-active"
    source.command("migrate-set-parameters", **{"max-postcopy-bandwidth": 0})
    wait_for("all of it to be there", lambda: target.migration() == "completed")
    wait_modes(lab, vm, p2="associate")


def test_real_QEMU_with_two_NICs_moves_both_together(lab, vm, path):
    """Both addresses are bound at the new port before the VM runs there, and when it has
    left neither is at the old one."""
    nics = vm, lab.vm()
    both = [word for nic in nics for word in words(nic)]
    source = Qemu(lab.space["h1"])
    follow(lab, "h1", source.follow, *both)
    for nic in nics:
        wait_modes(lab, nic, p1="associate")
        lab.vm_space.ip("link set eth1 down", f"link set eth1 address {nic.mac}")
        assert nic.run_at("h1"), "no lease"
        nic.stop()
    target = Qemu(lab.space["h2"], incoming=path)
    second = follow(lab, "h2", target.follow, *both, "--timeout", "60")
    for nic in nics:
        lab.wait_states(nic, p1="active", p2="staged")
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    source.migrate(path)
    second.wait_line("VM goes on$")
    assert {(ASSOC, S, nic.uuid) for nic in nics} <= set(
        frames.vdp_requests(capture.frames()))
    assert [lab.in_kernel(nic) for nic in nics] == [{"p1", "p2"}] * 2
    for nic in nics:
        wait_modes(lab, nic, p2="associate")
        lab.wait_states(nic, p2="active")
    source.stop()
    target.stop()
    for nic in nics:
        wait_modes(lab, nic)
