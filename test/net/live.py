# SPDX-License-Identifier: GPL-2.0-only
"""
The lab with a real VM in it: QEMU, always TCG, at a tap of the server where it runs, and
two streams of packets that go to it and are sent back (test/live/stream and agent).

      other (stream) --- sw --p1== h1 --v0 (tap)-- QEMU
                            --p2== h2 --v0 (tap)-- QEMU     the lab's other parts as ever
"""
import json
import os
import shutil
import subprocess
import uuid

from lab import DHCP, built
from netns import CommandFailed, wait_for
from product import ProductLab
from qemus import Qemu

GROUP = "239.1.2.3"
DAY = 86400
EVERY_US = 1000
RECENT = 250            # packets that are looked at for whether all is well
SETTLE = 60             # the last ones, whose answers may still come
# No multiple of 64 pages: of such memory QEMU (before 9.0, TCG) loses writes that come
# while it is copied, and the guest crashes at its new place.
MEMORY = f"{192 * 1024 + 8}K"


class LiveLab(ProductLab):
    """In the place of a server's end of the veth to the VM: a tap. bridged: and uplink and
    tap are ports of a bridge, as most people have it; it runs STP, without which lldpad
    hears no ECP there."""

    def __init__(self, bridged=False, **options):
        self.bridged = bridged
        super().__init__(ours={**{p: {"use": "yes", "servers": DHCP} for p in ("p1", "p2")},
                               "p3": {"use": "yes", "trusted": "yes"}}, lease=DAY,
                         **options)
        self.space["other"].ip("route add 239.0.0.0/8 dev x0")
        # A switch prunes only where there is a querier, and once that one's first
        # queries may have been answered; so this comes first, and is not taken back.
        for setting in "mcast_query_response_interval 100", "mcast_querier 1":
            self.sw.ip(f"link set br0 type bridge {setting}")

    def _forward(self):
        for server in ("h1", "h2"):
            self.space[server].ip("link del v0")
            self.space[server].run("ip", "tuntap", "add", "dev", "v0", "mode", "tap")
            self.space[server].ip("link set v0 up")
            if self.bridged:
                self.space[server].ip(
                    "link add brh type bridge stp_state 1 forward_delay 200",
                    "link set e0 master brh", "link set v0 master brh", "link set brh up")
        if not self.bridged:
            super()._forward()

    def wait_tap(self, server):
        """What comes to the tap passes: QEMU has opened it."""
        if self.bridged:
            wait_for("the tap to forward", lambda: self.space[server].ip_json(
                "-d", "link", "show", "dev", "v0")[0]["linkinfo"]["info_slave_data"][
                    "state"] == "forwarding")

    def snoop(self, on):
        self.sw.ip(f"link set br0 type bridge mcast_snooping {int(on)}")

    def ask_groups(self):
        """A switch that begins to snoop asks all for their groups."""
        self.snoop(False)
        self.snoop(True)

    def leave_group(self, port):
        """What the VM's last stay there has left behind."""
        self.sw.run("bridge", "mdb", "del", "dev", "br0", "port", port, "grp", GROUP,
                    check=False)

    def set_port(self, port, row, ours):
        """As the row wants it, once it is in force."""
        settings = ("use=yes", "guard=enforce!", *row.settings) if ours else ("use=no",)
        self.lldpad["sw"].set(port, *settings)

        def in_force():
            found = next((r for r in self.show("sw", "ports") if r["port"] == port), None)
            if not ours:
                return not found or not found["use"]
            return found and found["use"] and found["in_force"] == "enforce"
        wait_for(f"the settings of {port} to be in force", in_force)

    def forget_all(self):
        """The switch knows no VM's address any more: its engine begins from nothing. (An
        address that is unbound goes back to the lease that it was bound by.)"""
        def ports():
            return {(r["port"], r["in_force"]) for r in self.show("sw", "ports") if r["use"]}
        before = ports()
        self.engine["sw"].stop()
        shutil.rmtree(self.state("sw"))
        self.sw.run("nft", "flush", "ruleset")
        self.engine_start("sw")
        wait_for("the ports to be as they were", lambda: ports() == before, 15.0)


class Stream:
    def __init__(self, lab, program, ip):
        self.lines = subprocess.Popen(
            ("ip", "netns", "exec", lab.space["other"].name, program, ip, GROUP,
             str(EVERY_US)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _ask(self, question):
        self.lines.stdin.write(question + "\n")
        self.lines.stdin.flush()
        return json.loads(self.lines.stdout.readline())

    def now(self):
        return self._ask("now")["next"]

    def report(self, first, end):
        return self._ask(f"report {first} {end}")

    def lately(self):
        """Packets of the last moment that were not answered: of each stream."""
        end = self.now() - SETTLE
        if end < RECENT:
            return RECENT, RECENT
        said = self.report(end - RECENT, end)
        return said["unicast"]["lost"], said["multicast"]["lost"]

    def stop(self):
        self.lines.stdin.close()
        self.lines.wait()


class LiveVm:
    """kernel, initrd: files of the guest."""

    def __init__(self, lab, kernel, initrd):
        self.lab, self.kernel, self.initrd = lab, kernel, initrd
        self.mac = "52:54:00:%02x:%02x:%02x" % tuple(os.urandom(3))
        self.uuid = str(uuid.uuid4())
        self.ip = self.at = self.qemu = self.follower = None
        self.console = os.path.join(lab.world.dir, "console")

    def start(self, server, incoming=None):
        netdev = "tap,id=n0,ifname=v0,script=no,downscript=no,vhost=off"
        return Qemu(self.lab.space[server], "-netdev", netdev, "-device",
                    f"virtio-net-pci,netdev=n0,mac={self.mac},guest_announce=off,romfile=",
                    "-kernel", self.kernel, "-initrd", self.initrd,
                    "-append", "console=ttyS0 quiet panic=-1 mitigations=off",
                    "-serial", f"file:{self.console}", incoming=incoming, memory=MEMORY)

    def follow(self, server, qemu):
        return self.lab.space[server].start(
            "follow", built("vdp-migrate"), "qemu", "--qmp", qemu.follow, "-i", "e0",
            "--managerid", "1", "--typeid", "1193047", "--typeidversion", "2",
            "--instanceid", self.uuid, "--mac", self.mac, "--tap", "v0")

    def boot(self, server):
        if os.path.exists(self.console):
            os.unlink(self.console)
        self.qemu, self.at = self.start(server), server
        self.follower = self.follow(server, self.qemu)
        said = wait_for("the guest to be ready", self._ready, 60.0, 0.1)
        self.ip = next(x.split()[1] for x in said if x.startswith("ADDRESS"))
        self.lab.space["other"].ip(
            f"neigh replace {self.ip} lladdr {self.mac} nud permanent dev x0")

    def _ready(self):
        if not self.qemu.process.alive:
            raise CommandFailed(f"QEMU ended: {self.qemu.process.tail()}")
        if not os.path.exists(self.console):
            return None
        with open(self.console, encoding="utf-8", errors="replace") as f:
            said = f.read().split("\n")
        return said if any(x.startswith("READY") for x in said) else None

    def end(self):
        self.qemu.stop()
        wait_for("the follower's end", lambda: not self.follower.alive)
