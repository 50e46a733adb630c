# SPDX-License-Identifier: GPL-2.0-only
"""
`vdp-migrate qemu` in a lab: the words for a VM, a follower and its end, and what the
switch's lldpad holds of the VM.
"""
from lab import built
from netns import wait_for


def words(vm):
    return ["-i", "e0", "--managerid", "1", "--typeid", "1193047", "--typeidversion", "2",
            "--instanceid", vm.uuid, "--mac", vm.mac]


def follow(lab, server, path, *options):
    return lab.space[server].start("follow", built("vdp-migrate"), "qemu", "--qmp", path,
                                   *options)


def exit_status(process):
    wait_for("the follower's end", lambda: not process.alive, 15.0)
    process.stop()
    return process.popen.returncode


def modes(lab, vm):
    """{port: the mode of the VM's VSI there} at the switch, while lldpad holds it."""
    return {row["port"]: row["mode"] for row in lab.show("sw", "vsis")
            if row["vsi"] == vm.uuid and row["in_lldpad"]}


def wait_modes(lab, vm, **wanted):
    wait_for(f"the VSI to be {wanted}", lambda: modes(lab, vm) == wanted)
