# SPDX-License-Identifier: GPL-2.0-only
"""
VMs that listen to multicast streams, on a bridge that snoops and asks (its own querier),
so that what nobody has joined at a port does not come out there.

    other --x0==p4-- sw --p1== e0 h1 v0 ==eth1-- s1 \
      (sender)          --p2== e0 h2 v0 ==eth2-- s2 /-- t1 == eth0 guest

A guest is a namespace of its own with one interface, which never goes down: a bridge
s1, s2 beside each server gets its other end, or none while it is paused. So it notices
nothing of a move and says nothing by itself, which a Linux guest with virtio-net does,
and one whose interface comes up again. These bridges snoop and learn nothing from the
switch, as macvtap would.
"""
import contextlib
import itertools
import json
import os
import struct
import uuid

import frames
from lab import Vm
from multicast import (EVERY, LEAVE, REPORT, STREAM, Listener, Stream, Tap,
                       group_octets)
from netns import MARKER_TYPE, run, wait_for
from product import ProductLab, settings

DEFAULTS = {"groups": "both", "group-schedule": "0,50,200,1000,3000"}


def asking_at_p2():
    """Settings: a VM that begins at p1 is asked nothing there for a minute, so that it
    owes no answer when it moves."""
    ours = settings()
    return {**ours, "p1": {**ours["p1"], "group-schedule": "60000"}}


class Guest(Vm):
    """A VM that says nothing of its own accord. versions: of IGMP and MLD."""
    count = itertools.count(1)

    def __init__(self, lab, igmp=0, mld=0):
        number = next(Guest.count)
        self.lab, self.plug, self.plugged = lab, lab.vm_space, f"t{number}"
        self.space = lab.world.space(f"g{number}")
        self.mac = "52:54:00:%02x:%02x:%02x" % tuple(os.urandom(3))
        self.uuid = str(uuid.uuid4())
        self.ip = self.at = None
        self.listeners = []
        self.space.ip(f"link add eth0 address {self.mac} type veth peer name "
                      f"{self.plugged} netns {self.plug.name}")
        self._configure(igmp, mld)
        self.plug.ip(f"link set {self.plugged} up")
        self.space.ip("link set eth0 up")
        wait_for("the VM's link", lambda: self.space.link_up("eth0"))
        self.index = self.space.ip_json("link", "show", "dev", "eth0")[0]["ifindex"]
        self.tap = Tap(self.plug, self.plugged)

    def _configure(self, igmp, mld):
        """What a host says unasked is over within a moment: the rest is by query."""
        values = {"ipv4/conf/eth0/force_igmp_version": igmp,
                  "ipv4/conf/eth0/igmpv2_unsolicited_report_interval": 10,
                  "ipv4/conf/eth0/igmpv3_unsolicited_report_interval": 10,
                  "ipv6/conf/eth0/force_mld_version": mld,
                  "ipv6/conf/eth0/mldv1_unsolicited_report_interval": 10,
                  "ipv6/conf/eth0/mldv2_unsolicited_report_interval": 10,
                  "ipv6/conf/eth0/accept_dad": 0,
                  "ipv6/conf/eth0/router_solicitations": 0,
                  "ipv6/conf/eth0/disable_ipv6": 0}
        write_settings(self.space, values)

    def end(self):
        """Nobody hears it leave its groups: the bridge would ask who else is there."""
        self.stop()
        for listener in self.listeners:
            listener.close()
        self.tap.close()
        self.plug.ip(f"link del {self.plugged}")
        self.lab.world.spaces.remove(self.space)
        run("ip", "netns", "del", self.space.name)

    # As lab.Vm

    def _plug(self, server):
        self.plug.ip(f"link set {self.plugged} master s{server[1]}")
        self.at = server

    def stop(self):
        self.plug.ip(f"link set {self.plugged} nomaster")
        return ()

    def resume(self, server, known=(), silent=False):
        """silent: without QEMU's RARP."""
        self._plug(server)
        if not silent:
            self.rarp()

    def rarp(self):
        self.space.send_frame("eth0", frames.rarp(self.mac))

    @property
    def interface(self):
        return "eth0"       # wherever it runs

    def link_local(self):
        link, = self.space.ip_json("-6", "addr", "show", "dev", "eth0", "scope", "link")
        return link["addr_info"][0]["local"]

    # Groups

    def join(self, group, source=None):
        """It listens, and all that it says of that by itself has been said."""
        said = len(self._said_of(group))
        listener = Listener(self, group, source)
        self.listeners.append(listener)
        wait_for(f"the VM to say that it has joined {group}",
                 lambda: len(self._said_of(group)) >= said + 2)
        return listener

    def leave(self, listener):
        said = len(self._said_of(listener.group))
        self.listeners.remove(listener)
        listener.close()
        wait_for(f"the VM to say that it has left {listener.group}",
                 lambda: len(self._said_of(listener.group)) > said)

    def _said_of(self, group):
        octets = group_octets(group)
        return [x for x in self.tap.seen(to_guest=False)
                if x.kind in (REPORT, LEAVE) and octets in x.frame]


def write_settings(space, values):
    space.run("sh", "-ec", "".join(f"echo {value} >/proc/sys/net/{name}\n"
                                   for name, value in values.items()))


class StreamLab(ProductLab):
    """The lab on a bridge that prunes. Its querier asks at the beginning, and then so
    seldom that no test sees it that does not want to: see ask_every."""
    asks_every = 600

    def _wire(self):
        super()._wire()
        write_settings(self.sw, {"ipv6/conf/br0/accept_dad": 0,
                                 "ipv6/conf/br0/disable_ipv6": 0})
        write_settings(self.space["other"], {"ipv6/conf/x0/accept_dad": 0,
                                             "ipv6/conf/x0/disable_ipv6": 0})
        self.vm_space.ip(*(x for n in (1, 2) for x in (
            f"link add s{n} type bridge stp_state 0 mcast_snooping 0",
            f"link set eth{n} master s{n}", f"link set eth{n} up", f"link set s{n} up",
            f"link set eth{n} type bridge_slave learning off")))

    def wait_ready(self):
        """A bridge whose ports do not forward yet has no address to ask from by MLD."""
        super().wait_ready()
        wait_for("the bridge's link-local address", lambda: any(
            "inet6" == a["family"] and not a.get("tentative") for link in
            self.sw.ip_json("addr", "show", "dev", "br0") for a in link["addr_info"]))
        self.ask_every(self.asks_every)
        self.wait_pruning()

    def ask_every(self, seconds):
        """The bridge's querier starts anew: a query now, then so often. It floods for 1 s
        from now on (the response interval)."""
        self.sw.ip("link set br0 type bridge mcast_querier 0",
                   "link set br0 type bridge mcast_snooping 1 mcast_igmp_version 3 "
                   f"mcast_mld_version 2 mcast_query_interval {seconds * 100} "
                   f"mcast_startup_query_interval {seconds * 100} "
                   "mcast_startup_query_count 1 mcast_query_response_interval 100",
                   "link set br0 type bridge mcast_querier 1")

    @contextlib.contextmanager
    def asking_every(self, seconds):
        """The bridge's querier does, for a while."""
        self.ask_every(seconds)
        self.wait_pruning()
        try:
            yield
        finally:
            self.ask_every(self.asks_every)
            self.wait_pruning()

    def wait_pruning(self):
        """Until what nobody has joined does not come out of a port any more."""
        groups, ends = ("239.255.255.1", "ff15::ffff:1"), os.urandom(8)
        octets = [group_octets(group) for group in groups]

        def pruned(tap):
            tap.forget()
            with self.stream(*groups) as stream:
                stream.wait_sent(1)
            self.space["other"].send_frame("x0", struct.pack(
                "!6s6sH46s", frames.BROADCAST, b"\2\0\0\0\0\2", MARKER_TYPE, ends))
            wait_for("the marker", lambda: any(ends in x.frame for x in tap.seen()))
            return not [x for x in tap.seen(STREAM) if any(o in x.frame for o in octets)]
        with self.tap("h1", "e0") as tap:
            wait_for("the bridge to prune", lambda: pruned(tap), 15.0, 0.05)

    def stream(self, *groups, every=EVERY):
        return Stream(self.space["other"], "x0", *groups, every=every)

    def vlan_only(self, vm, server, mode):
        """A VDP request for a VSI with a VLAN and no MAC; what vdptool says of it."""
        return self.space[server].run(
            "vdptool", "-i", "e0", "-T", "-V", "assoc", "-W", "-c", f"mode={mode}", "-c",
            "mgrid2=1", "-c", "typeid=1193047", "-c", "typeidver=2", "-c",
            f"uuid={vm.uuid}", "-c", "filter=0", "-c", "hints=none", check=False)

    def tap(self, where, ifname):
        return Tap(self.space[where], ifname)

    @contextlib.contextmanager
    def set(self, port, setting):
        """A setting of the switch's port for a while."""
        self.lldpad["sw"].set(port, setting)
        try:
            yield
        finally:
            name = setting.split("=")[0]
            before = self.ours[port].get(name, DEFAULTS[name])
            self.lldpad["sw"].set(port, f"{name}={before}")

    def mdb(self, space=None):
        """{(port, group)} of the bridge's database."""
        return {(x["port"], x["grp"]) for x in self.mdb_rows(space)}

    def mdb_rows(self, space=None):
        return self.bridge("mdb", space)[0]["mdb"]

    def routers(self, space=None):
        """The multicast router ports of the bridge."""
        return self.bridge("mdb", space)[0]["router"]

    def bridge(self, what, space=None):
        name = (space or self.sw).name
        return json.loads(run("bridge", "-n", name, "-d", "-j", what, "show"))

    def wait_mdb(self, port, group, there=True, timeout=5.0):
        wait_for(f"{port} {group} to be {'in' if there else 'out of'} the MDB",
                 lambda: ((port, group) in self.mdb()) == there, timeout)

    def fdb_port(self, mac):
        """The port at which the bridge believes a MAC to be."""
        return next((x["ifname"] for x in self.sw.fdb() if x["mac"] == mac
                     and x.get("master") == "br0"), None)
