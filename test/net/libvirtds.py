# SPDX-License-Identifier: GPL-2.0-only
"""
The lab's two servers with a real libvirtd each, our hook and our agent. Their domains:
libvirt_domain.py.

What two libvirtds in one machine need: mounts, a host name, a host UUID and a user
libvirt-qemu of their own, and /run shared with that server's lldpad, whose process ID
they read there.
 - The uplink is a vxlan over a veth: libvirt follows a veth's IFLA_LINK, which is an
   index of another namespace, without end.
 - The device /dev/tapN of a macvtap has the interface's index, which several namespaces
   may give, and only the first has its device: each server counts from where nobody
   else does, and where no device is left of one that did.
 - libvirt takes the port number of its netlink socket for an error if its highest bit is
   set. libnl draws it by the time of day: it is good for some 8 minutes, then bad. So a
   libvirtd that has got a bad one is started once more in another time (live/later.c).
"""
import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
import uuid

from lab import built
from live import LiveLab
from netns import CommandFailed, run, wait_for

RTM_SETLINK, NLM_F_REQUEST, NLM_F_ACK = 19, 1, 4
IFLA_OPERSTATE, IF_OPER_UP = 16, 6
INDEXES = 120            # of a server's interfaces, for some 50 migrations
# libnl's number has its highest bit by the time / 512 s, its other bits by what is below.
LATER_S = (0, 512, 640, 128, 768, 256)
SERVERS = ("h1", "h2")

SETUP = """
mount --make-rprivate /
mkdir -p /run/libvirt
for x in etc lib log cache; do
	case $x in etc) to=/etc/libvirt ;; *) to=/var/$x/libvirt ;; esac
	mkdir -p "$to"
	mount --bind "$dir/$x" "$to"
done
for x in passwd group; do mount --bind "$dir/$x" "/etc/$x"; done
hostname "$name"
"""
LIBVIRTD_CONF = """unix_sock_dir = "{dir}/sock"
auth_unix_rw = "none"
host_uuid = "{uuid}"
log_outputs = "3:file:{dir}/libvirtd.log"
"""
QEMU_NAME = "libvirt-qemu"
QEMU_USER = f"{QEMU_NAME}:x:64055:64055::/nonexistent:/usr/sbin/nologin\n"
QEMU_GROUP = f"{QEMU_NAME}:x:64055:\n"
QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""
# Around our hook: libvirt runs what is in qemu.d one after the other, by name.
CLOCK = """#!/bin/bash
[[ $2/$3 != migrate/begin ]] || echo {what} $EPOCHREALTIME >>'{to}'
"""


class LibvirtLab(LiveLab):
    """later: the shared object of live/later.c."""

    def __init__(self, later):
        self.later, self.libvirtd, self.claims = later, {}, []
        # The timers that lldpad has where nobody sets them: a switch of stock lldpad
        # keeps a VSI that was de-associated for 15.7 s.
        super().__init__(rka=20)
        try:
            for server in SERVERS:
                self.libvirtd[server] = Libvirtd(self, server)
        except BaseException:
            self.end()
            raise

    def _wire(self):
        """In the place of the veths between servers and switch: vxlans over veths."""
        super()._wire()
        for n in (1, 2):
            server = self.space[f"h{n}"]
            server.ip("link del e0")
            run("ip", "link", "add", "w0", "mtu", "1600", "netns", server.name, "type",
                "veth", "peer", "name", f"w{n}", "mtu", "1600", "netns", self.sw.name)
            for space, veth, uplink, own, far in (
                    (server, "w0", "e0", 2, 1), (self.sw, f"w{n}", f"p{n}", 1, 2)):
                space.ip(
                    f"addr add 10.8.{n}.{own}/24 dev {veth}", f"link set {veth} up",
                    f"link add {uplink} mtu 1500 type vxlan id {n} local 10.8.{n}.{own} "
                    f"remote 10.8.{n}.{far} dstport 4789 nolearning noudpcsum")
            self.sw.ip(f"link set p{n} master br0")
            for space, uplink in (server, "e0"), (self.sw, f"p{n}"):
                space.ip(f"link set {uplink} up")
                _tell_it_is_up(space, uplink)

    def _forward(self):
        """macvtap does it."""
        for server in SERVERS:
            space, first = self.space[server], self._claim_indexes()
            space.ip("link add burnt0 type bridge")
            at = space.ip_json("link", "show", "burnt0")[0]["ifindex"]
            space.ip("link del burnt0", *["link add burnt0 type veth peer name burnt1",
                                          "link del burnt0"] * ((first - at) // 2))

    def _claim_indexes(self):
        """The first of INDEXES that are ours as long as we live."""
        for first in range(INDEXES, 50 * INDEXES, INDEXES):
            if any(os.path.exists(f"/dev/tap{first + n}") for n in range(INDEXES)):
                continue
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0vdp-migrate-test-taps-{first}")
            except OSError:
                claim.close()
                continue
            self.claims.append(claim)
            return first
        raise CommandFailed("no numbers for macvtaps: /dev is full of them")

    def bridge_servers(self):
        """From now on a server's uplink is a port of a bridge that VMs' taps come to. It
        runs STP, or lldpad would hear no VDP."""
        for server in SERVERS:
            self.space[server].ip(
                "link add brv type bridge stp_state 1 forward_delay 200 mcast_snooping 0",
                "link set e0 master brv", "link set brv up")
            self.libvirtd[server].install_hook("--bridge")
        for server in SERVERS:
            wait_for("the uplink to forward", lambda s=server: self.space[s].ip_json(
                "-d", "link", "show", "e0")[0]["linkinfo"]["info_slave_data"]["state"]
                == "forwarding", 15.0, 0.1)

    def end(self):
        for libvirtd in self.libvirtd.values():
            libvirtd.stop()
        self._end_qemus()
        super().end()
        for claim in self.claims:
            claim.close()

    def _end_qemus(self):
        """They outlive libvirtd, and hold their namespace, which is a server's."""
        def left():
            return [int(pid) for server in SERVERS if server in self.space for pid in
                    run("ip", "netns", "pids", self.space[server].name).split()
                    if _program(pid).startswith("qemu-system")]
        for pid in left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for("QEMUs to end", lambda: not left())


def _program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def _tell_it_is_up(space, uplink):
    """A vxlan's operational state is unknown, lldpad wants it up (rtnetlink)."""
    index = space.ip_json("link", "show", uplink)[0]["ifindex"]
    body = (struct.pack("=BBHiII", 0, 0, 0, index, 0, 0)
            + struct.pack("=HHB3x", 5, IFLA_OPERSTATE, IF_OPER_UP))
    with space.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.sendto(struct.pack("=IHHII", 16 + len(body), RTM_SETLINK,
                             NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body, (0, 0))
        s.recv(4096)
    if not space.link_up(uplink):
        raise CommandFailed(f"{uplink} cannot be told to be up")


class Libvirtd:
    def __init__(self, lab, server):
        self.lab, self.server, self.space = lab, server, lab.space[server]
        self.dir = os.path.join(self.space.dir, "libvirt")
        for name in ("etc/hooks/qemu.d", "lib", "log", "cache", "sock"):
            os.makedirs(os.path.join(self.dir, name))
        self._write("etc/libvirtd.conf", LIBVIRTD_CONF.format(dir=self.dir,
                                                              uuid=uuid.uuid4()))
        self._write("etc/qemu.conf", QEMU_CONF)
        self._know_its_user()
        self._write("clock", "")
        for name, what in ("00-clock", "before"), ("zz-clock", "after"):
            self._write(f"etc/hooks/qemu.d/{name}",
                        CLOCK.format(what=what, to=f"{self.dir}/clock"), 0o755)
        self.uri = f"qemu+unix:///system?socket={self.dir}/sock/libvirt-sock"
        self.process = None
        self._start_well()
        self.install_hook()
        self.agent = self.space.start("agent", built("vdp-migrate-agent"), "--connect",
                                      self.uri, "--interval", "1")

    def _write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def _know_its_user(self):
        """Without a user of this name the QEMU driver does not start; the package that
        makes it (libvirt-daemon-system) brings services that nobody needs here."""
        for name, line in ("passwd", QEMU_USER), ("group", QEMU_GROUP):
            with open(f"/etc/{name}", encoding="utf-8") as f:
                known = f.read()
            self._write(name, known if QEMU_NAME in known else known + line)

    def _start_well(self):
        """With a netlink socket that libvirt does not mistake."""
        for later in LATER_S:
            self._start(later)
            if self._netlink_is_good():
                return
            self.process.stop()
        raise CommandFailed("libvirtd's netlink socket is bad again and again")

    def _start(self, later):
        pid = str(self.lab.lldpad[self.server].process.pid)
        env = {**os.environ, "LATER_S": str(later), "LD_PRELOAD": self.lab.later}
        self.process = self.space.start(
            "libvirtd", "nsenter", "-t", pid, "-m", "-n", "unshare", "-m", "-u", "sh",
            "-ec", f'dir=$1 name=$2; {SETUP} exec "$3"', "-", self.dir, self.space.name,
            "libvirtd", env=env)
        wait_for("libvirtd to answer", lambda: not self.process.alive
                 or self.virsh("version", check=False).strip(), 30.0, 0.1)
        if not self.process.alive:
            raise CommandFailed(f"libvirtd ended: {self.process.tail()} {self.log()}")

    def _netlink_is_good(self):
        rows = (x.split() for x in
                self.space.run("cat", "/proc/net/netlink").splitlines()[1:])
        ports = [int(x[2]) for x in rows if x[1] == "0"]
        own = [p for p in ports if p & (1 << 22) - 1 == self.process.pid]
        return bool(own) and all(p < 1 << 31 for p in own)

    def install_hook(self, *options):
        run("nsenter", "-t", str(self.process.pid), "-m", "-n", "-u",
            built("vdp-migrate"), "install-hook", *options)
        self.process.kill(signal.SIGHUP)

    def hook_ms(self):
        """How long our hook took at each `migrate begin` here, as libvirt calls it."""
        with open(os.path.join(self.dir, "clock"), encoding="ascii") as f:
            lines = [x.split() for x in f.read().splitlines()]
        return [(float(b) - float(a)) * 1000 for (was, a), (what, b)
                in zip(lines, lines[1:]) if (was, what) == ("before", "after")]

    def virsh(self, *argv, check=True):
        return run("virsh", "-c", self.uri, *argv, check=check, timeout=120)

    def virsh_start(self, *argv):
        return subprocess.Popen(("virsh", "-c", self.uri, *argv), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def errors(self, since):
        """What it has logged as errors from that time on (seconds since 1970)."""
        begin = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(since))
        with open(os.path.join(self.dir, "libvirtd.log"), encoding="utf-8") as f:
            return [x for x in f.read().splitlines() if x >= begin and ": error :" in x]

    def log(self, lines=8):
        with open(os.path.join(self.dir, "libvirtd.log"), encoding="utf-8") as f:
            return " | ".join(f.read().splitlines()[-lines:])

    def domains(self):
        return self.virsh("list", "--name", check=False).split()

    def stop(self):
        if self.process:
            self.process.stop()
