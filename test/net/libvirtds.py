# SPDX-License-Identifier: GPL-2.0-only
"""
The lab's two servers with a real libvirtd each, our hook and our agent, and a VM that is
a domain of theirs: its interface is a macvtap on the uplink with an 802.1Qbg virtual
port, so libvirt itself asks lldpad for its associations, by netlink.

What two libvirtds in one machine need: mounts, a host name and a host UUID of their own,
and /run shared with that server's lldpad, whose process ID they read there.
 - The uplink is a vxlan over a veth: libvirt follows a veth's IFLA_LINK, which is an
   index of another namespace, without end.
 - The device /dev/tapN of a macvtap has the interface's index, which the servers'
   namespaces would both give: their counts are set apart.
 - libvirt takes the port number of its netlink socket for an error if its highest bit is
   set. libnl draws it by the time of day: it is good for some 8 minutes, then bad.
 - macvtap lets no multicast in to the VM without trustGuestRxFilters.
"""
import os
import signal
import socket
import struct
import subprocess
import time
import uuid

from lab import built
from live import LiveLab, LiveVm
from netns import CommandFailed, run, wait_for

LEASES = "urn:vdp-migrate:leases:1"
MANAGER, TYPE, VERSION = 11, 1193047, 2
RTM_SETLINK, NLM_F_REQUEST, NLM_F_ACK = 19, 1, 4
IFLA_OPERSTATE, IF_OPER_UP = 16, 6
INDEXES_APART = 150
NETLINK_BAD_S = 560      # a little longer than it can last

SETUP = """
mount --make-rprivate /
mkdir -p /run/libvirt
for x in etc lib log cache; do
	case $x in etc) to=/etc/libvirt ;; *) to=/var/$x/libvirt ;; esac
	mkdir -p "$to"
	mount --bind "$dir/$x" "$to"
done
hostname "$name"
"""
LIBVIRTD_CONF = """unix_sock_dir = "{dir}/sock"
auth_unix_rw = "none"
host_uuid = "{uuid}"
log_outputs = "3:file:{dir}/libvirtd.log"
"""
QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""
DOMAIN = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<name>{name}</name><memory unit='MiB'>192</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel>
<initrd>{initrd}</initrd>
<cmdline>console=ttyS0 quiet panic=-1 mitigations=off</cmdline></os>
<features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' model='none'/><memballoon model='none'/>
<serial type='file'><source path='{console}' append='on'/></serial>
<interface type='direct' trustGuestRxFilters='yes'><mac address='{mac}'/>
<source dev='e0' mode='vepa'/>
<virtualport type='802.1Qbg'><parameters managerid='{manager}' typeid='{type}'
  typeidversion='{version}' instanceid='{uuid}'/></virtualport>
<model type='virtio'/><driver name='qemu'/><rom enabled='no'/></interface></devices>
<qemu:commandline><qemu:arg value='-global'/>
<qemu:arg value='virtio-net-device.guest_announce=off'/></qemu:commandline></domain>"""


class LibvirtLab(LiveLab):
    def __init__(self):
        super().__init__()
        try:
            self.libvirtd = {s: Libvirtd(self, s) for s in ("h1", "h2")}
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
        self.space["h2"].ip(*["link add burnt type bridge",
                              "link del burnt"] * INDEXES_APART)

    def end(self):
        for libvirtd in getattr(self, "libvirtd", {}).values():
            libvirtd.end()
        super().end()


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
        self.uri = f"qemu+unix:///system?socket={self.dir}/sock/libvirt-sock"
        self.process = None
        self._start_well()
        self._install_hook()
        self.agent = self.space.start("agent", built("vdp-migrate-agent"), "--connect",
                                      self.uri, "--interval", "1")

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="ascii") as f:
            f.write(text)

    def _start_well(self):
        """With a netlink socket that libvirt does not mistake."""
        end, said = time.monotonic() + NETLINK_BAD_S, False
        while True:
            self._start()
            if self._netlink_is_good():
                return
            if time.monotonic() > end:
                raise CommandFailed("libvirtd's netlink socket is bad again and again")
            if not said:
                print("libvirtd's netlink socket has a number that libvirt takes for an "
                      "error, as it has for up to 9 minutes at a time: waiting",
                      flush=True)
            said = True
            self.process.stop()
            time.sleep(2)       # the number changes with the time of day

    def _start(self):
        pid = str(self.lab.lldpad[self.server].process.pid)
        self.process = self.space.start(
            "libvirtd", "nsenter", "-t", pid, "-m", "-n", "unshare", "-m", "-u", "sh",
            "-ec", f'dir=$1 name=$2; {SETUP} exec "$3"', "-", self.dir, self.space.name,
            "libvirtd")
        wait_for("libvirtd to answer", lambda: not self.process.alive
                 or self.virsh("version", check=False).strip(), 30.0, 0.1)
        if not self.process.alive:
            raise CommandFailed(f"libvirtd ended: {self.process.tail()}")

    def _netlink_is_good(self):
        rows = (x.split() for x in
                self.space.run("cat", "/proc/net/netlink").splitlines()[1:])
        ports = [int(x[2]) for x in rows if x[1] == "0"]
        own = [p for p in ports if p & (1 << 22) - 1 == self.process.pid]
        return bool(own) and all(p < 1 << 31 for p in own)

    def _install_hook(self):
        run("nsenter", "-t", str(self.process.pid), "-m", "-n", "-u",
            built("vdp-migrate"), "install-hook")
        self.process.kill(signal.SIGHUP)

    def virsh(self, *argv, check=True):
        return run("virsh", "-c", self.uri, *argv, check=check, timeout=120)

    def virsh_start(self, *argv):
        return subprocess.Popen(("virsh", "-c", self.uri, *argv), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def log(self, lines=8):
        with open(os.path.join(self.dir, "libvirtd.log"), encoding="utf-8") as f:
            return " | ".join(f.read().splitlines()[-lines:])

    def domains(self):
        return self.virsh("list", "--name", check=False).split()

    def end(self):
        """Its QEMUs outlive it."""
        if self.process and self.process.alive:
            for name in self.domains():
                self.virsh("destroy", name, check=False)


class Domain(LiveVm):
    """The VM as libvirt's: at is the server where it runs."""
    NAME = "vm1"

    def libvirtd(self):
        return self.lab.libvirtd[self.at]

    def boot(self, server):
        if os.path.exists(self.console):
            os.unlink(self.console)
        path = os.path.join(self.lab.world.dir, "domain.xml")
        with open(path, "w", encoding="ascii") as f:
            f.write(DOMAIN.format(
                name=self.NAME, kernel=self.kernel, initrd=self.initrd, mac=self.mac,
                console=self.console, manager=MANAGER, type=TYPE, version=VERSION,
                uuid=self.uuid))
        self.at = server
        self.libvirtd().virsh("create", path)
        said = wait_for("the guest to be ready", self._ready, 90.0, 0.1)
        self.ip = next(x.split()[1] for x in said if x.startswith("ADDRESS"))
        self.lab.space["other"].ip(
            f"neigh replace {self.ip} lladdr {self.mac} nud permanent dev x0")

    def _ready(self):
        if not os.path.exists(self.console):
            return None
        with open(self.console, encoding="utf-8", errors="replace") as f:
            said = f.read().split("\n")
        return said if any(x.startswith("READY") for x in said) else None

    def keep_lease(self, server, expires):
        """Into the domain's metadata; libvirt carries it along. `vdp-migrate agent` does
        that for VMs on a bridge; it does not see the lease of one behind macvtap, and
        leaves this one alone."""
        self.libvirtd().virsh(
            "metadata", self.NAME, LEASES, "--live", "--key", "l", "--set",
            f"<leases><lease mac='{self.mac}' ip='{self.ip}' server='{server}' "
            f"client-id='01{self.mac.replace(':', '')}' expires='{expires}'/></leases>")

    def migrate(self, server):
        """The command, on its way."""
        path = os.path.join(self.lab.world.dir, "migration")
        return self.libvirtd().virsh_start(
            "migrate", "--live", self.NAME, "--desturi", self.lab.libvirtd[server].uri,
            "--migrateuri", f"unix://{path}")

    def end(self):
        self.libvirtd().virsh("destroy", self.NAME, check=False)
