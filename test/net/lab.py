# SPDX-License-Identifier: GPL-2.0-only
"""
The system in small, made of real parts: a switch that is a Linux bridge with stock
lldpad, two servers with stock lldpad, a DHCP server (ISC), and one VM that is a
namespace with an end at each server, of which one is up at a time.

      h1 --e0==p1-- sw --p3==d0-- dhcp 10.9.0.1
      h2 --e0==p2-- br0 --p4==x0-- other 10.9.0.2
    h1, h2 --v0==eth1, eth2-- vm          br0 10.9.0.254

The bridge runs STP (without it lldpad there sees no ECP); a server has no bridge,
nftables forwards between uplink and VM, all but ECP and LLDP. The product's module
and engine are there if asked for.
"""
import os
import random
import re
import uuid

import frames
from netns import CommandFailed, World, run, wait_for

ROOT = os.environ.get("VDP_MIGRATE_BUILD") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LLDPAD = "/usr/sbin/lldpad"
PRIVATE_RUN = "mount -t tmpfs none /run; mount -t tmpfs none /dev/shm"
SWITCH, DHCP, OTHER = "10.9.0.254", "10.9.0.1", "10.9.0.2"
TLVID = "0x02564d01"


def built(name):
    """A program or module of the build, None if it is not there."""
    for path in (os.path.join(ROOT, name), os.path.join(ROOT, ".libs", name)):
        if os.path.exists(path):
            return path
    return None


class Lldpad:
    """A stock lldpad in a namespace; with the module preloaded if asked."""

    def __init__(self, space, role, ports, module, ours, rka):
        self.space, self.module = space, module
        self.conf = os.path.join(space.dir, "lldpad.conf")
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(_lldpad_conf(role, ports, ours, rka))
        self.process = None

    def start(self):
        env = dict(os.environ)
        argv = [LLDPAD, "-f", self.conf, "-V", "6"]
        if self.module:
            argv = ["env", f"LD_PRELOAD={built('vdp_migrate.so')}", *argv]
        self.process = self.space.start("lldpad", *argv, env=env, private=PRIVATE_RUN)
        return self.process

    def stop(self):
        return self.process.stop()

    def tool(self, *argv):
        return self.space.run("lldptool", *argv)

    def set(self, port, *settings):
        return self.tool("-T", "-i", port, "-g", "ncb", "-V", TLVID, *settings)

    def get(self, port, *names):
        return self.tool("-t", "-i", port, "-g", "ncb", "-V", TLVID, "-c", *names)

    def hears_peer(self, port):
        """Two LLDPDUs are in: the second finds VDP started and gives it its timers
        (before, a stock bridge de-associates each VSI at once)."""
        try:
            stats = self.tool("-S", "-i", port, "-g", "ncb")
        except CommandFailed:
            return False
        frames_in = re.search(r"Total Frames Received\s*=\s*(\d+)", stats)
        return bool(frames_in) and int(frames_in[1]) >= 2


def _lldpad_conf(role, ports, ours, rka):
    """Without the dcbx group stock lldpad dies at start. Timers: exponents of 10 us."""
    groups = []
    for port in sorted(set(ports) | set(ours)):
        inner = ""
        if port in ports:
            bridge = role == "bridge"
            inner += f"""adminStatus = 3; tlvid0080c20d : {{ enableTx = true;
                evbmode = "{role}"; evbrrcap = {str(bridge).lower()};
                evbrrreq = {str(not bridge).lower()}; evbgpid = false;
                ecpretries = 3; ecprte = 8; vdprwd = 16; vdprka = {rka}; }}; """
        if port in ours:
            inner += "tlvid02564d01 : { %s }; " % " ".join(
                f'{name} = "{value}";' for name, value in ours[port].items())
        groups.append(f"{port} : {{ {inner}}};")
    return ("nearest_customer_bridge : { %s };\nlldp : { };\n"
            'dcbx : { version = "1.0"; dcbx_version = 2; };\n' % "\n".join(groups))


class Vm:
    """A VM: its MAC, VSI instance ID and address stay, its place changes."""

    def __init__(self, lab):
        self.lab, self.space = lab, lab.vm_space
        self.mac = "52:54:00:%02x:%02x:%02x" % tuple(random.randbytes(3))
        self.uuid = str(uuid.uuid4())
        self.ip = None
        self.at = None          # the server where it runs
        self.space.ip("link set eth1 down", "addr flush dev eth1",
                      "link set eth2 down", "addr flush dev eth2",
                      f"link set eth1 address {self.mac}",
                      f"link set eth2 address {self.mac}")

    @property
    def port(self):
        """The switch port behind which it runs."""
        return self.lab.port_of[self.at]

    @property
    def interface(self):
        return f"eth{self.at[1]}"

    def _plug(self, server):
        self.space.ip(f"link set eth{server[1]} up")
        wait_for("the VM's link", lambda: self.lab.space[server].link_up("v0"))
        self.at = server

    def run_at(self, server, address=True):
        """Start it; by DHCP it gets its address."""
        self._plug(server)
        return self.dhcp() if address else None

    def dhcp(self, timeout=10.0):
        """A client runs until it has a lease; the address, None without one."""
        out = self.space.run("busybox", "udhcpc", "-i", self.interface, "-f", "-n", "-q",
                             "-t", str(max(1, int(timeout))), "-T", "1", "-A", "1",
                             "-s", self.lab.udhcpc_script, check=False)
        got = re.search(r"got (\S+)", out)
        if got:
            self.ip = got[1]
        return got and got[1]

    def release(self):
        """DHCPRELEASE as a client sends it, unicast to the server."""
        message = frames.dhcp(1, 7, random.getrandbits(32), self.mac, ciaddr=self.ip,
                              options=b"\x36\x04" + frames.ip_bytes(DHCP))
        self.space.send_frame(self.interface, frames.udp_frame(
            self.lab.dhcp_mac, self.mac, self.ip, DHCP, message, 68, 67))

    def stop(self):
        """The VM is paused; what it knew of its neighbours goes with it."""
        eth = self.interface
        known = [f"neigh replace {n['dst']} lladdr {n['lladdr']} nud reachable dev %s"
                 for n in self.space.ip_json("neigh", "show", "dev", eth)
                 if "lladdr" in n]
        self.space.ip(f"addr flush dev {eth}", f"link set {eth} down")
        return known

    def resume(self, server, known=()):
        """It goes on there: same MAC, address and neighbours, QEMU's RARP first."""
        eth = f"eth{server[1]}"
        self._plug(server)
        self.space.send_frame(eth, frames.rarp(self.mac))
        commands = [f"addr add {self.ip}/24 dev {eth}"] if self.ip else []
        self.space.ip(*commands, *(n % eth for n in known))

    def move(self, server):
        """As a live migration does; the VM itself notices nothing."""
        self.resume(server, self.stop())

    def ping(self, target=DHCP, every=0.01):
        return frames.Ping(self.space, target, every)

    def vdp(self, server, mode, hints="none", vlan=0, check=True, wait=True):
        """A VDP request of that server's lldpad for this VM; true if confirmed."""
        return self.lab.vdp(server, mode, self.uuid, self.mac, hints, vlan, check, wait)


class Lab:
    """Without arguments: stock parts alone. ours: settings of the product for each
    switch port, {"p1": {"use": "yes"}, ...}; server_ours: those for the servers' uplink.
    module_at: where the module is preloaded; engine_at: where the engine runs. rka: a
    VSI's keep-alives come every 2^rka * 10 us (16: 0.66 s), and it ends half as long
    again after the last."""
    uplink = "e0"       # the servers'

    def __init__(self, ours=None, server_ours=None, module_at=(), engine_at=(),
                 leasequery=True, lease=3600, rka=16):
        self.world = World()
        self.ours = ours or {}
        self.station_ours = {"e0": server_ours} if server_ours else {}
        self.module_at, self.engine_at = module_at, engine_at
        self.leasequery, self.lease, self.rka = leasequery, lease, rka
        self.space = {n: self.world.space(n)
                      for n in ("sw", "h1", "h2", "dhcp", "other", "vm")}
        self.sw, self.vm_space = self.space["sw"], self.space["vm"]
        self.port_of = {"h1": "p1", "h2": "p2"}
        self.lldpad, self.engine = {}, {}
        try:
            self._wire()
            self._forward()
            self._dhcp()
            self._services()
            self.wait_ready()
        except BaseException:
            self.end()
            raise

    def end(self):
        self.world.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    # How it is put together

    def _wire(self):
        names = {key: space.name for key, space in self.space.items()}
        links = [("p1", "sw", "e0", "h1"), ("p2", "sw", "e0", "h2"),
                 ("p3", "sw", "d0", "dhcp"), ("p4", "sw", "x0", "other"),
                 ("eth1", "vm", "v0", "h1"), ("eth2", "vm", "v0", "h2")]
        run("ip", "-batch", "-", input="".join(
            f"link add {a} netns {names[x]} type veth peer name {b} netns {names[y]}\n"
            for a, x, b, y in links))
        self.sw.ip("link add br0 type bridge stp_state 1 forward_delay 200",
                   *(f"link set p{n} master br0" for n in (1, 2, 3, 4)),
                   *(f"link set {n} up" for n in ("p1", "p2", "p3", "p4", "br0")),
                   f"addr add {SWITCH}/24 dev br0")
        for server in ("h1", "h2"):
            self.space[server].ip("link set e0 up", "link set v0 up")
        self.space["dhcp"].ip("link set d0 up", f"addr add {DHCP}/24 dev d0")
        self.space["other"].ip("link set x0 up", f"addr add {OTHER}/24 dev x0")
        self.dhcp_mac = self.space["dhcp"].ip_json("link", "show", "d0")[0]["address"]

    def _forward(self):
        """A server without a bridge: uplink <-> VM, all but ECP, ECP draft and LLDP."""
        for server in ("h1", "h2"):
            chains = "".join(
                f"chain {a} {{ type filter hook ingress device {a} priority 0; "
                f"ether type {{ 0x8940, 0x88b7, 0x88cc }} accept; fwd to {b}; }}\n"
                for a, b in ((self.uplink, "v0"), ("v0", self.uplink)))
            self.space[server].run("nft", "-f", "-",
                                   input=f"table netdev f {{ {chains} }}\n")

    def dhcp_configure(self):
        conf = os.path.join(self.space["dhcp"].dir, "dhcpd.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"""authoritative; ping-check false;
default-lease-time {self.lease}; max-lease-time {self.lease};
{'allow' if self.leasequery else 'deny'} leasequery;
subnet 10.9.0.0 netmask 255.255.255.0 {{ range 10.9.0.100 10.9.0.199; }}
""")

    def _dhcp(self):
        self.dhcp_configure()
        space = self.space["dhcp"]
        open(os.path.join(space.dir, "dhcpd.leases"), "w", encoding="ascii").close()
        self.udhcpc_script = os.path.join(self.space["vm"].dir, "udhcpc")
        with open(self.udhcpc_script, "w", encoding="ascii") as f:
            f.write('#!/bin/sh\ncase $1 in bound|renew)\n'
                    'ip addr replace $ip/24 dev $interface; echo got $ip ;; esac\n')
        os.chmod(self.udhcpc_script, 0o755)
        self.dhcp_start()

    def dhcp_start(self):
        """Its files stand where Debian's AppArmor profile lets it read them."""
        space = self.space["dhcp"]
        self.dhcpd = space.start(
            "dhcpd", "dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", "/etc/dhcp/dhcpd.conf",
            "-lf", "/var/lib/dhcp/dhcpd.leases", "d0",
            private=f"mount --bind {space.dir} /etc/dhcp; "
                    f"mount --bind {space.dir} /var/lib/dhcp")

    def _services(self):
        for where in self.engine_at:
            self.engine_start(where)
        for where, role, ports in (("sw", "bridge", ("p1", "p2")),
                                   ("h1", "station", ("e0",)),
                                   ("h2", "station", ("e0",))):
            ours = self.ours if where == "sw" else self.station_ours
            self.lldpad[where] = Lldpad(self.space[where], role, ports,
                                        where in self.module_at,
                                        ours if where in self.module_at else {}, self.rka)
            self.lldpad[where].start()

    def state(self, where):
        """Where the engine there keeps its bindings; each may have one."""
        return os.path.join(self.space[where].dir, "state")

    def engine_start(self, where):
        engine = self.space[where].start("vdp-migrated", built("vdp-migrated"), "-d",
                                         "--state", self.state(where))
        self.engine[where] = engine
        wait_for("the engine's socket", lambda: not engine.alive
                 or "@vdp-migrate" in self.space[where].run("cat", "/proc/net/unix"))
        if not engine.alive:
            raise CommandFailed(f"vdp-migrated ended: {engine.tail()}")
        return engine

    def wait_ready(self):
        def forwarding():
            ports = self.sw.ip_json("-d", "link", "show", "master", "br0")
            return all(p["linkinfo"]["info_slave_data"]["state"] == "forwarding"
                       for p in ports)
        self.dhcpd.wait_line("Server starting service")
        self.wait_lldp()
        wait_for("the bridge's ports to forward", forwarding)

    def wait_lldp(self, servers=("h1", "h2")):
        """Both ends of each uplink hear each other by LLDP, and VDP is ready."""
        for server in servers:
            wait_for(f"LLDP between {server} and the switch", lambda s=server: (
                self.lldpad[s].hears_peer(self.uplink)
                and self.lldpad["sw"].hears_peer(self.port_of[s])), 15.0, 0.1)

    # What one does with it

    def vm(self):
        """A new VM in place of the one before."""
        return Vm(self)

    def vdp(self, server, mode, vsi, mac, hints="none", vlan=0, check=True, wait=True,
            uplink="e0"):
        argv = ["vdptool", "-i", uplink, "-T", "-V", "assoc"] + (["-W"] if wait else [])
        for item in (f"mode={mode}", "mgrid2=1", "typeid=1193047", "typeidver=2",
                     f"uuid={vsi}", f"filter={vlan}-{mac}", f"hints={hints}"):
            argv += ["-c", item]
        # vdptool prints the first event of any VSI: the end of the one of the test before,
        # it may be. Asked again, it is a keep-alive.
        for _ in range(5):
            out = self.space[server].run(*argv, check=False)
            ok = bool(re.search(rf"mode = {mode}\b", out)) if wait else bool(out)
            if ok or "uuid = " not in out or f"uuid = {vsi}" in out:
                break
        if check and not ok:
            raise CommandFailed(f"VDP {mode} at {server}: {out.strip() or 'no answer'}")
        return ok

    def leasequery_by_mac(self, mac, **options):
        return frames.leasequery(self.sw, SWITCH, DHCP, mac, **options)
