# SPDX-License-Identifier: GPL-2.0-only
"""
A rack and its switch: many ports, behind them servers that the injector plays (storm.c:
so many VSIs, at such a pace), and a DHCP server that knows the leases of all VSIs.

    servers --e1==p1-- switch --p0==d0-- dhcp 10.9.0.1
            --e2==p2--  br0   10.9.0.254
              ...

VSI number n has a VSI ID and a MAC address that end in n.
"""
import collections
import json
import os
import statistics

import lab
from netns import run, wait_for

STATUS_M = 0x10
# Of the build, or test/bench/run has made it.
STORM = lab.built("test/bench/storm") or os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench/out/storm")

# Times in us; None where there was nothing. One line of the injector.
Vsi = collections.namedtuple("Vsi", "number request ack response bound answers repeated")


class Found(list):
    """What the injector has seen of each VSI."""

    @property
    def lost(self):
        return [x.number for x in self if x.response is None]

    @property
    def twice(self):
        return [x.number for x in self if x.answers > 1]

    @property
    def late(self):
        """Those whose binding came after the response, or not at all."""
        return [x.number for x in self if x.response is not None
                and (x.bound is None or x.bound > x.response)]

    def median(self, what="response"):
        return statistics.median(getattr(x, what) for x in self
                                 if getattr(x, what) is not None)


class Rack:
    def __init__(self, world, name, ports=1, ours=None, engine=False, leases=range(0),
                 rka=26):
        """ours: the product's settings of each port, None: stock alone."""
        self.name, self.engine = name, None
        self.sw, self.servers = world.space(f"{name}-sw"), world.space(f"{name}-st")
        self.dhcp = world.space(f"{name}-dh") if leases else None
        self.ports = [f"p{i + 1}" for i in range(ports)]
        self.ends = [f"e{i + 1}" for i in range(ports)]
        self.next = 1
        self._wire()
        if leases:
            self._dhcp_start(leases)
        if engine:
            self.engine_start()
        settings = {}
        if ours is not None:
            settings = {p: {"use": "yes", **ours} for p in self.ports}
        if engine and self.dhcp:
            settings["p0"] = {"use": "yes", "trusted": "yes"}
        self.lldpad = lab.Lldpad(self.sw, "bridge", self.ports, ours is not None,
                                 settings, rka)
        self.lldpad.start()

    def engine_start(self):
        self.engine = self.sw.start("vdp-migrated", lab.built("vdp-migrated"), "--state",
                                    os.path.join(self.sw.dir, "state"))
        wait_for("the engine's socket", lambda: "@vdp-migrate" in
                 self.sw.run("cat", "/proc/net/unix"))

    def ready(self, ports=None):
        """Ports forward, the bridge has its timers, all know each other."""
        ends = [e for p, e in zip(self.ports, self.ends) if p in (ports or self.ports)]

        def forwarding():
            links = self.sw.ip_json("-d", "link", "show", "master", "br0")
            return all(x["linkinfo"]["info_slave_data"]["state"] == "forwarding"
                       for x in links)

        def heard():
            self._storm(ends, 1, 1, pace="hello")
            return all(self.lldpad.hears_peer(p) for p in ports or self.ports)
        wait_for("the bridge's ports to forward", forwarding)
        wait_for("the EVB TLV", heard, 30.0, 0.3)
        if self.dhcp:
            wait_for("the DHCP server", lambda: "Server starting service" in self._log())
        if self.engine:
            self.wait_linked()
        return self

    def wait_linked(self):
        def linked():
            rows = self.show("ports")
            return {r["port"] for r in rows if r["use"]} >= set(self.ports)
        wait_for("module and engine to meet", linked, 15.0)

    def show(self, table):
        said = self.sw.run(lab.built("vdp-migrate"), "show", table, "--json", check=False)
        return json.loads(said) if said.strip() else []

    def counter(self, name):
        return next((r["value"] for r in self.show("counters") if r["counter"] == name),
                    0)

    def storm(self, count, pace="stock", m=False, first=None, ends=None, **more):
        """Let VSIs associate behind each port (or those ends)."""
        ends = ends or self.ends
        if first is None:
            first = self.next
            self.next += count * len(ends)
        return _found(self._storm(ends, first, count, pace, m, **more).splitlines())

    def storm_start(self, count, pace="stock", end="e1", first=None, **more):
        """The same at one port, beside what else happens."""
        if first is None:
            first = self.next
            self.next += count
        return self.sw.start("storm", *self._argv([end], first, count, pace, **more))

    def found(self, storm):
        """What it has seen; it has ended."""
        storm.stop()
        return _found(storm.lines)

    def answers(self, port):
        """Until who asks at this port is answered."""
        end = self.ends[self.ports.index(port)]
        wait_for("the link", lambda: self.sw.link_up(port))

        def answered():
            self._storm([end], 1, 1, "hello")
            return not self.storm(1, ends=[end], linger_ms=100).lost
        return wait_for(f"an answer at {port}; lldpad: {self.lldpad.process.tail(4)}",
                        answered, 10.0, 0.1)

    def _storm(self, ends, first, count, pace="stock", m=False, **more):
        return run(*self._argv(ends, first, count, pace, m, **more))

    def _argv(self, ends, first, count, pace="stock", m=False, tlvs=1, copies=1,
              linger_ms=600, events=True):
        """events: with M the bindings are waited for as well."""
        return (STORM, self.servers.name,
                self.sw.name if m and self.engine and events else "-",
                *(str(x) for x in (first, count, STATUS_M if m else 0, pace, tlvs, copies,
                                   linger_ms)), *ends)

    def _wire(self):
        pairs = [*zip(self.ports, self.ends, [self.servers] * len(self.ends))]
        if self.dhcp:
            pairs.append(("p0", "d0", self.dhcp))
        self.sw.ip("link add br0 type bridge stp_state 1 forward_delay 200",
                   "link set br0 up", f"addr add {lab.SWITCH}/16 dev br0")
        for port, end, space in pairs:
            self.plug(port, end, space)
        if self.dhcp:
            self.dhcp.ip(f"addr add {lab.DHCP}/16 dev d0")

    def plug(self, port, end, space=None):
        space = space or self.servers
        self.sw.ip(f"link add {port} type veth peer name {end} netns {space.name}",
                   f"link set {port} master br0 up")
        space.ip(f"link set {end} up")

    def _dhcp_start(self, leases):
        """Its files stand where Debian's AppArmor profile lets it read them."""
        files = {"dhcpd.conf": "authoritative; ping-check false; allow leasequery;\n"
                               "subnet 10.9.0.0 netmask 255.255.0.0 "
                               "{ range 10.9.16.0 10.9.63.255; }\n",
                 "dhcpd.leases": "".join(_lease(i, n) for i, n in enumerate(leases)),
                 "log": ""}
        for name, text in files.items():
            with open(os.path.join(self.dhcp.dir, name), "w", encoding="ascii") as f:
                f.write(text)
        log = os.path.join(self.dhcp.dir, "log")
        self.dhcpd = self.dhcp.start(
            "dhcpd", "sh", "-c", f'exec "$@" >{log} 2>&1', "-", "dhcpd", "-4", "-f", "-d",
            "--no-pid", "-cf", "/etc/dhcp/dhcpd.conf",
            "-lf", "/var/lib/dhcp/dhcpd.leases", "d0",
            private=f"mount --bind {self.dhcp.dir} /etc/dhcp; "
                    f"mount --bind {self.dhcp.dir} /var/lib/dhcp")

    def _log(self):
        with open(os.path.join(self.dhcp.dir, "log"), encoding="utf-8") as f:
            return f.read()


def _found(lines):
    return Found(_vsi(line) for line in lines)


def _vsi(line):
    number, request, *times, answers, repeated = (int(x) for x in line.split())
    return Vsi(number, request / 1000, *(None if t < 0 else t / 1000 for t in times),
               answers, repeated)


def _lease(i, number):
    mac = ":".join(f"{x:02x}" for x in (0x52, 0x54, *number.to_bytes(4, "big")))
    address = 16 * 256 + i
    return (f"lease 10.9.{address >> 8}.{address & 255} {{ starts epoch 1700000000; "
            f"ends epoch 2000000000; binding state active; hardware ethernet {mac}; }}\n")
