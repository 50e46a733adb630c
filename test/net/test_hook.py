# SPDX-License-Identifier: GPL-2.0-only
"""
libvirt's hook, run as libvirt runs it: guest, operation, sub-operation, extra, and the
domain on standard input. It marks, and whatever is broken it neither fails nor prints nor
takes its time.
"""
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

import frames
from lab import built
from netns import wait_for

LAB = {"module_at": ("h1",), "engine_at": ("h1",), "ours": {}}
M, PRE, ASSOC = 0x10, 1, 3
SCRIPT = "etc/libvirt/hooks/qemu.d/vdp-migrate"
# The host's /dev/log is not ours to read.
OWN_LOG = ("mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; "
           "ln -s %s /dev/log; exec \"$@\"")
TIMED = ('a=$EPOCHREALTIME; "$@"; rc=$?; b=$EPOCHREALTIME; '
         'echo "$rc $((${b/./} - ${a/./}))" >&2')

QBG = """<interface type='direct'>
  <mac address='{mac}'/><source dev='e0' mode='vepa'/>
  <virtualport type='802.1Qbg'><parameters managerid='11' typeid='1193047'
    typeidversion='2' instanceid='{uuid}'/></virtualport>
  <target dev='macvtap0'/><model type='virtio'/></interface>"""
BRIDGE = """<interface type='bridge'>
  <mac address='{mac}'/><source bridge='br0'/><target dev='vnet0'/></interface>"""
LEASE = """<l:leases xmlns:l='urn:vdp-migrate:leases:1'>
  <l:lease mac='{mac}' ip='{ip}' server='10.9.0.1' no-client-id='yes'
    expires='{expires}'/></l:leases>"""
NAMED = """<v:vsis xmlns:v='urn:vdp-migrate:vsis:1'>
  <v:vsi mac='{mac}' instanceid='{uuid}'/></v:vsis>"""


def domain(vm, interface=QBG, metadata="", **more):
    return ("<domain type='kvm' id='7'><name>web</name>"
            f"<metadata>{metadata}</metadata><devices>{interface}</devices></domain>"
            ).format(mac=vm.mac, uuid=vm.uuid, **more)


class Hook:
    def __init__(self, lab):
        self.lab, self.dir = lab, lab.space["h1"].dir
        self.log_path = os.path.join(self.dir, "log")
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind(self.log_path)
        self.log.setblocking(False)

    def install(self, *options):
        """The installed script, with the command where this build has it."""
        root = os.path.join(self.dir, "root")
        os.makedirs(root, exist_ok=True)
        subprocess.run([built("vdp-migrate"), "install-hook", "--root", root, *options],
                       check=True, stdout=subprocess.PIPE)
        with open(os.path.join(root, SCRIPT), encoding="ascii") as f:
            text = f.read()
        command = re.search(r"-x '(.*)' ]", text)[1]
        path = os.path.join(self.dir, "hook")
        with open(path, "w", encoding="ascii") as f:
            f.write(text.replace(command, built("vdp-migrate")))
        os.chmod(path, 0o755)
        return path

    def run(self, *argv, xml, at="h1", script=None, keep_open=False, first=""):
        """Milliseconds that it took; it has printed nothing and not failed."""
        script = script or self.install()
        process = subprocess.Popen(
            ("ip", "netns", "exec", self.lab.space[at].name, "unshare", "-m", "sh", "-ec",
             first + OWN_LOG % self.log_path, "-", "bash", "-c", TIMED, "-", script, "web",
             *argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if keep_open:
            process.stdin.write(xml.encode())
            process.stdin.flush()
            process.wait(10)
            process.stdin.close()
            out, err = process.stdout.read(), process.stderr.read()
        else:
            out, err = process.communicate(xml.encode(), 10)
        code, took = err.decode().splitlines()[-1].split()
        assert (code, out) == ("0", b""), (code, out, err)
        return int(took) / 1000

    def begin(self, xml, **options):
        return self.run("migrate", "begin", "-", xml=xml, **options)

    def said(self):
        lines = []
        while True:
            try:
                lines.append(self.log.recv(8192).decode())
            except BlockingIOError:
                return "\n".join(lines)

    def in_time(self, xml, operation=("migrate", "begin", "-"), **options):
        """The machine may be busy: once of five times."""
        assert any(self.run(*operation, xml=xml, **options) < 200 for _ in range(5))


@pytest.fixture(scope="module")
def made_hook(lab):
    return Hook(lab)


@pytest.fixture
def hook(made_hook):
    made_hook.said()
    return made_hook


def _mark(lab, vm):
    return next((row for row in lab.show("h1", "marks") if row["vsi"] == vm.uuid), None)


def test_migrate_begin_marks_and_the_pre_associate_carries_M(lab, vm, hook):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    hook.begin(domain(vm))
    assert f"web: VSI {vm.uuid} marked as migrating in" in hook.said()
    assert _mark(lab, vm)["mac"] == vm.mac
    vm.vdp("h1", "preassoc")
    vm.vdp("h1", "assoc")
    requests = [(mode, status) for mode, status, vsi in
                frames.vdp_requests(capture.frames()) if vsi == vm.uuid]
    assert (PRE, M) in requests and (ASSOC, M) in requests
    assert (PRE, 0) not in requests


@pytest.mark.parametrize("operation", ["stopped", "release"])
def test_a_vm_that_stops_is_unmarked(lab, vm, hook, operation):
    hook.begin(domain(vm))
    assert _mark(lab, vm)
    for other in ("prepare", "start", "started", "restore"):
        hook.run(other, "begin", "-", xml=domain(vm))
    hook.run("migrate", "end", "-", xml=domain(vm))
    assert _mark(lab, vm)
    hook.run(operation, "end", "-", xml=domain(vm))
    assert not _mark(lab, vm)
    hook.said()
    hook.run(operation, "end", "-", xml=domain(vm))
    assert hook.said() == ""


def test_the_lease_in_the_metadata_goes_with_the_mark(lab, vm, hook):
    ends = int(time.time()) + 3000
    hook.begin(domain(vm, metadata=LEASE, ip="10.9.0.77", expires=ends))
    assert "its address is 10.9.0.77" in hook.said()
    mark = _mark(lab, vm)
    assert mark["address"] == "10.9.0.77"
    # Without its lease a mark has no end but that of all.
    hook.begin(domain(vm, metadata=LEASE, ip="10.9.0.77", expires=int(time.time()) + 5))
    assert _mark(lab, vm)["address"] is None
    hook.begin(domain(vm, metadata=LEASE, ip="10.9.0.77", expires="never"))
    assert _mark(lab, vm)["address"] == "10.9.0.77"


def test_bridge_interfaces_are_marked_by_name_and_only_if_asked(lab, vm, hook):
    named, nameless = domain(vm, BRIDGE, NAMED), domain(vm, BRIDGE)
    hook.begin(named)
    assert not _mark(lab, vm) and hook.said() == ""
    script = hook.install("--bridge")
    hook.begin(nameless, script=script)
    assert not _mark(lab, vm)
    assert f"interface {vm.mac} names no VSI: not marked" in hook.said()
    hook.begin(named, script=script)
    assert _mark(lab, vm)["mac"] == vm.mac
    hook.run("stopped", "end", "-", xml=named, script=script)
    assert not _mark(lab, vm)


def test_without_an_engine_it_says_so_and_goes_on(vm, hook):
    hook.in_time(domain(vm), at="h2")
    assert "engine not running" in hook.said()


@pytest.mark.parametrize("stopped", ["engine", "lldpad"])
def test_what_hangs_does_not_delay_a_migration(lab, vm, hook, stopped):
    process = lab.engine["h1"] if stopped == "engine" else lab.lldpad["h1"].process
    process.kill(signal.SIGSTOP)
    many = domain(vm, "".join(QBG.replace("{mac}", f"52:54:00:00:00:{n:02x}")
                              for n in range(64)))
    try:
        for xml in domain(vm), many:
            for operation in ("migrate", "begin", "-"), ("stopped", "end", "-"):
                hook.said()
                hook.in_time(xml, operation)
                assert "do not answer in time" in hook.said()
    finally:
        process.kill(signal.SIGCONT)
    wait_for("the engine to answer again", lambda: lab.show("h1", "ports"))


def test_a_syslog_that_hangs_does_not_delay_a_migration(vm, hook):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                s.sendto(b"full", hook.log_path)
    hook.in_time(domain(vm), at="h2")
    hook.said()


def test_a_domain_that_does_not_come_to_an_end_is_left(vm, hook):
    hook.in_time(domain(vm)[:100], keep_open=True)
    assert "does not come to an end" in hook.said()


@pytest.mark.parametrize("xml, why", [
    ("", "cannot be read"), ("garbage \x00\xff <<<", "cannot be read"),
    ("<domain>" * 200, "cannot be read"),
    ("<domain><name>" + "x" * 5_000_000 + "</name></domain>", "larger than"),
    ('<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain>&x;</domain>',
     "document type"),
], ids=["empty", "garbage", "unclosed", "huge", "entity"])
def test_what_is_no_domain_is_logged_and_nothing_else(vm, hook, xml, why):
    hook.in_time(xml)
    assert re.search(f"web: the domain cannot be read: .*{why}|{why}", hook.said())


def test_the_largest_domain_is_marked_in_time(lab, vm, hook):
    more = "<v:vsi mac='52:54:00:00:00:01' instanceid='%s'/>" % vm.uuid
    xml = domain(vm, metadata="<v:vsis xmlns:v='urn:vdp-migrate:vsis:1'>"
                 + more * (1_000_000 // len(more)) + "</v:vsis>")
    assert 900_000 < len(xml) < 1 << 20
    hook.in_time(xml)
    assert _mark(lab, vm)["mac"] == vm.mac


def test_nothing_below_run_is_needed(lab, vm, hook):
    hook.begin(domain(vm), first="mount -t tmpfs none /run; ")
    assert _mark(lab, vm)["mac"] == vm.mac


def test_odd_arguments_break_nothing(vm, hook):
    script = hook.install()
    for argv in ((), ("migrate",), ("migrate", "begin"), ("--help", "begin", "-")):
        hook.run(*argv, xml=domain(vm), script=script)


# install-hook

def _cli(*argv):
    done = subprocess.run([built("vdp-migrate"), "install-hook", *argv], check=False,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout + done.stderr


def test_install_hook_puts_a_script_beside_those_of_others(tmp_path):
    root, script = str(tmp_path), tmp_path / SCRIPT
    script.parent.mkdir(parents=True)
    other = script.parent / "10-other"
    other.write_text("#!/bin/sh\n")
    code, said = _cli("--root", root)
    assert code == 0 and f"{script} installed" in said
    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    first = script.read_text()
    assert first.startswith("#!/bin/sh\n") and "--bridge" not in first
    assert "nothing to do" in _cli("--root", root)[1]
    assert script.read_text() == first
    code, said = _cli("--root", root, "--bridge")
    assert code == 0 and "brought up to date" in said
    assert "hook --bridge --" in script.read_text()
    assert _cli("--root", root, "--remove") == (0, f"{script} removed\n")
    assert _cli("--root", root, "--remove") == (0, f"{script} is not there: nothing to do\n")
    assert [f.name for f in script.parent.iterdir()] == ["10-other"]
    assert [f.name for f in script.parent.parent.iterdir()] == ["qemu.d"]


def test_a_file_of_others_is_never_touched(tmp_path):
    script = tmp_path / SCRIPT
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\nexit 0\n")
    for options in ((), ("--bridge",), ("--remove",)):
        code, said = _cli("--root", str(tmp_path), *options)
        assert code == 1 and "is not ours" in said
    assert script.read_text() == "#!/bin/sh\nexit 0\n"
    script.unlink()
    script.symlink_to("/etc/passwd")
    assert _cli("--root", str(tmp_path))[0] == 1
    assert _cli("--root", str(tmp_path), "--remove")[0] == 1 and script.is_symlink()


def test_the_script_succeeds_where_the_command_has_gone_or_is_broken(tmp_path):
    assert _cli("--root", str(tmp_path))[0] == 0
    script = tmp_path / SCRIPT
    text = script.read_text()
    command = re.search(r"-x '(.*)' ]", text)[1]
    for instead in ("/nonexistent/vdp-migrate", "/bin/false", "/bin/cat", "/etc/passwd"):
        script.write_text(text.replace(command, instead))
        done = subprocess.run([script, "web", "migrate", "begin", "-"], input=b"<domain/>",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stdout) == (0, b"")


def test_wrong_use_of_install_hook_is_told():
    assert _cli("--nonsense")[0] == 3
    assert _cli("somewhere")[0] == 3
    assert _cli("--remove", "--bridge")[0] == 3
    assert _cli("--root", "/nonexistent")[0] == 1
