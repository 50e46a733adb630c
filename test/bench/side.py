# SPDX-License-Identifier: GPL-2.0-only
"""
One switch with what is around it: a Linux bridge with stock lldpad (with or without
the product), the far end of its port p1, where the injector plays a server, and, if
asked for, a DHCP server that knows the leases of all VSIs.

    station --e0==p1-- switch --p3==d0-- dhcp 10.9.0.1
                        br0 10.9.0.254

Nothing here writes a log that somebody must read while it is measured.
"""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "net"))
import lab                                  # noqa: E402
from netns import CommandFailed, run, wait_for   # noqa: E402
from product import parse_table             # noqa: E402

# A VSI lives 10 us * 2^26 * 1.5 without a keep-alive: longer than all of this.
RKA = 26
SETTINGS = {"p1": {"use": "yes", "guard": "enforce", "assist": "leasequery",
                   "servers": lab.DHCP},
            "p3": {"use": "yes", "trusted": "yes"}}
STATUS_M = 0x10
# The set that the sidecar fills; the product makes its own.
BARE_SET = """table bridge vdp_migrate {
    set b4u { typeof iifname . ether saddr . ip saddr; flags timeout; };
};
"""


class Lldpad(lab.Lldpad):
    """As Debian's service starts it."""

    def start(self):
        argv = [lab.LLDPAD, "-t", "-f", self.conf]
        if self.module:
            argv = ["env", f"LD_PRELOAD={lab.built('vdp_migrate.so')}", *argv]
        self.process = self.space.start("lldpad", *argv, private=lab.PRIVATE_RUN)
        return self.process


class Side:
    def __init__(self, world, name, product=False, leases=range(0), bindings=0):
        self.name = name
        self.bindings = bindings
        self.sw = world.space(f"{name}-sw")
        self.station = world.space(f"{name}-st")
        self.dhcp = world.space(f"{name}-dhcp") if leases else None
        self.next_vsi = 1
        self.engine = self.sidecar = None
        self._wire()
        if leases:
            self._dhcp_start(leases)
        if product:
            self.start_s = self._engine_start()
        self.lldpad = Lldpad(self.sw, "bridge", ["p1"], product,
                             SETTINGS if product else {}, RKA)
        self.lldpad.start()

    def wait_ready(self):
        """Ports forward, the bridge has the timers of the EVB TLV, all know each
        other."""
        def forwarding():
            ports = self.sw.ip_json("-d", "link", "show", "master", "br0")
            return all(p["linkinfo"]["info_slave_data"]["state"] == "forwarding"
                       for p in ports)

        def heard():
            run(os.path.join(HERE, "out/inject"), "hello", *self._ends())
            return self.lldpad.hears_peer("p1")

        wait_for("the bridge's ports to forward", forwarding)
        wait_for(f"lldpad at {self.name} to have the EVB TLV", heard, 20.0, 0.5)
        if self.dhcp:
            wait_for("the DHCP server", lambda: "Server starting service" in self._log())
        if self.engine:
            wait_for("module and engine to meet", self._linked, 15.0, 0.1)

    def round(self, kind, count, gap_us, status=0, first=None):
        """Let the injector associate VSIs: its lines as tuples of numbers."""
        if first is None:
            first = self.next_vsi
            self.next_vsi += count
        out = run(os.path.join(HERE, "out/inject"), kind, *self._ends(),
                  *(str(n) for n in (first, count, status, gap_us)))
        return [tuple(int(x) for x in line.split()) for line in out.splitlines()]

    def sidecar_start(self):
        self.sw.run("nft", "-f", "-", input=BARE_SET)
        self.sidecar = self.sw.start("sidecar", os.path.join(HERE, "out/sidecar"),
                                     "p1", lab.SWITCH, lab.DHCP)
        self.sidecar.wait_line("ready")

    def sidecar_stop(self):
        """VSI -> time at which the sidecar had committed."""
        self.sidecar.stop()
        return dict((int(x) for x in line.split()) for line in self.sidecar.lines
                    if re.fullmatch(r"\d+ \d+", line))

    def _ends(self):
        return self.station.name, "e0", self.sw.name, "p1"

    def _wire(self):
        pairs = [("p1", "e0", self.station)]
        if self.dhcp:
            pairs.append(("p3", "d0", self.dhcp))
        self.sw.ip("link add br0 type bridge stp_state 1 forward_delay 200",
                   *(f"link add {a} type veth peer name {b} netns {space.name}"
                     for a, b, space in pairs),
                   *(f"link set {a} master br0 up" for a, _, _ in pairs),
                   "link set br0 up", f"addr add {lab.SWITCH}/16 dev br0")
        self.station.ip("link set e0 up")
        if self.dhcp:
            self.dhcp.ip("link set d0 up", f"addr add {lab.DHCP}/16 dev d0")

    def _dhcp_start(self, leases):
        """Its files stand where Debian's AppArmor profile lets it read them."""
        conf = {"dhcpd.conf": "authoritative; ping-check false; allow leasequery;\n"
                              "subnet 10.9.0.0 netmask 255.255.0.0 "
                              "{ range 10.9.16.0 10.9.47.255; }\n",
                "dhcpd.leases": "".join(_lease(i, vsi) for i, vsi in enumerate(leases)),
                "log": ""}
        for name, text in conf.items():
            with open(os.path.join(self.dhcp.dir, name), "w", encoding="ascii") as f:
                f.write(text)
        log = os.path.join(self.dhcp.dir, "log")
        self.dhcp.start(
            "dhcpd", "sh", "-c", f'exec "$@" >{log} 2>&1', "-", "dhcpd", "-4", "-f", "-d",
            "--no-pid", "-cf", "/etc/dhcp/dhcpd.conf",
            "-lf", "/var/lib/dhcp/dhcpd.leases", "d0",
            private=f"mount --bind {self.dhcp.dir} /etc/dhcp; "
                    f"mount --bind {self.dhcp.dir} /var/lib/dhcp")

    def _log(self):
        with open(os.path.join(self.dhcp.dir, "log"), encoding="utf-8") as f:
            return f.read()

    def engine_rss(self):
        """Octets."""
        with open(f"/proc/{self.engine.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s*(\d+) kB", f.read())[1]) * 1024

    def lldpad_cpu(self):
        """ns that it has run."""
        with open(f"/proc/{self.lldpad.process.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0])

    def _engine_start(self):
        """Seconds until it answers."""
        state = os.path.join(self.sw.dir, "state")
        if self.bindings:
            run(os.path.join(HERE, "make_store.py"), state, str(self.bindings), "p1")
        start = time.monotonic()
        self.engine = self.sw.start("vdp-migrated", lab.built("vdp-migrated"),
                                    "--state", state)

        def listening():
            if not self.engine.alive:
                raise CommandFailed(f"vdp-migrated ended: {self.engine.tail()}")
            return "@vdp-migrate" in self.sw.run("cat", "/proc/net/unix")
        wait_for("the engine's socket", listening, 30.0, 0.005)
        wait_for("the engine to answer", lambda: self.show("servers") is not None)
        return time.monotonic() - start

    def show(self, table):
        return parse_table(self.sw.run(lab.built("vdp-migrate"), "show", table,
                                       check=False))

    def _linked(self):
        return {row["port"] for row in self.show("ports")
                if row["use"] == "yes"} >= set(SETTINGS)


def _lease(i, vsi):
    mac = ":".join(f"{x:02x}" for x in (0x52, 0x54, *vsi.to_bytes(4, "big")))
    address = 16 * 256 + i
    return (f"lease 10.9.{address >> 8}.{address & 255} {{ starts epoch 1700000000; "
            f"ends epoch 2000000000; binding state active; hardware ethernet {mac}; }}\n")


def machine():
    """One line: what it runs on, and how busy that is."""
    with open("/proc/cpuinfo", encoding="ascii") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    with open("/proc/loadavg", encoding="ascii") as f:
        load = f.read().split()[0]
    return (f"{os.cpu_count()} CPUs ({model[1] if model else os.uname().machine}), "
            f"Linux {os.uname().release}, load {load}")


def lldpad_version():
    found = subprocess.run(("dpkg-query", "-W", "-f", "${Version}", "lldpad"), text=True,
                           check=False, capture_output=True).stdout
    return found or "unknown version"
