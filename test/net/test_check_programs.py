# SPDX-License-Identifier: GPL-2.0-only
"""
`vdp-migrate check` on a machine whose programs are not what they should be: other
programs by the name of lldpad have the same in /proc.
"""
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

from lab import built
from netns import World, wait_for


@pytest.fixture(scope="module")
def machine():
    with World() as world:
        yield world.space("machine")


def check(machine):
    """{name: finding with its cure}"""
    done = subprocess.run(("ip", "netns", "exec", machine.name, built("vdp-migrate"),
                           "check"), text=True, capture_output=True, check=False,
                          timeout=60)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    return dict(re.findall(r"^([a-z-]+): (.*\n    cure: .*)$", done.stdout, re.M))


def test_engine_s_name_in_the_hands_of_somebody_else(machine):
    program = ("import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); "
               "s.bind('\\0vdp-migrate'); s.listen(1); print('bound', flush=True); "
               "s.accept()[0].recv(1)")
    process = machine.start(
        "stranger", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        "/usr/bin/python3", "-c", program)
    process.wait_line("bound")
    found = check(machine)["engine-not-running"]
    assert "another program, not of root" in found and "ss -xlp" in found
    process.stop()


def test_engine_of_another_version(machine):
    with machine.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        with machine.inside():
            listener.bind("\0vdp-migrate")
        listener.listen(1)

        def answer():
            engine, _ = listener.accept()
            with engine:
                hello = engine.recv(100)
                engine.send(hello[:1] + b"\xfe" + hello[2:])
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = check(machine)
        thread.join(5)
    assert "engine that runs and vdp-migrate are of different" in found["versions"]


def test_programs_of_before_an_upgrade(machine):
    """They still run and their files are others now."""
    copy = os.path.join(machine.dir, "vdp-migrated")
    shutil.copy(os.path.realpath(built("vdp-migrated")), copy)
    engine = machine.start("old", copy, "-d", "--state", os.path.join(machine.dir, "state"))
    engine.wait_line("serves")
    os.unlink(copy)
    found = check(machine)
    engine.stop()
    machine.run("nft", "delete", "table", "bridge", "vdp_migrate")
    assert set(found) == {"engine-old", "lldpad-not-running"}


@pytest.mark.parametrize("program, command, name, says", [
    ("/bin/busybox", "exec -a busybox ./lldpad sleep 60", "module-not-loaded",
     "is a static binary"),
    ("/bin/sleep", "setcap cap_net_raw+ep lldpad; exec setpriv --reuid=65534 "
     "--clear-groups --regid=65534 ./lldpad 60", "module-not-loaded",
     "the linker ignores LD_PRELOAD"),
    ("/bin/sleep", "LD_PRELOAD=/none/vdp_migrate.so exec ./lldpad 60",
     "module-not-loaded", "was told to load the module and has not"),
    ("/bin/sleep", "cp $MODULE vdp_migrate.so; { until grep -qs vdp_migrate.so "
     "/proc/$$/maps; do sleep 0.02; done; rm vdp_migrate.so; } & "
     "LD_PRELOAD=$PWD/vdp_migrate.so exec ./lldpad 60", "module-old",
     "before an upgrade"),
])
def test_lldpad_without_its_module(machine, program, command, name, says):
    if "setcap" in command and os.statvfs(machine.dir).f_flag & os.ST_NOSUID:
        pytest.skip(f"{machine.dir} is mounted nosuid: no capabilities of files")
    shutil.copy(os.path.realpath(program), os.path.join(machine.dir, "lldpad"))
    process = machine.start("lldpad", "bash", "-ec", f"cd {machine.dir}; {command}",
                            env=dict(os.environ, MODULE=built("vdp_migrate.so")))
    try:
        wait_for(name, lambda: says in check(machine).get(name, ""), 5.0)
        assert set(check(machine)) == {name, "engine-not-running", "guard-gone"}
    finally:
        process.stop()
