# SPDX-License-Identifier: GPL-2.0-only
"""
The system that README and doc/operations speak of, with their names and addresses, so
that what they tell a reader to type can be typed here as it stands.

      server1 --eth0==p1-- switch --p3==d0-- dhcp 192.0.2.1
      server2 --eth0==p2-- br0 192.0.2.254
    server1, server2 --v0==eth1, eth2-- vm 52:54:00:12:34:56, by DHCP 192.0.2.7

At first nothing is set up: lldpad runs with the module and an empty configuration, as
after the installation. A command runs with a /run and a /var/lib of the lab's own and
with stand-ins for what belongs to a whole machine (STAND_INS): what systemctl is told to
do is done to the lab's processes.
"""
import json
import os
import socket
import subprocess

import frames
from lab import Lldpad, Vm, built
from netns import World, run, wait_for
from product import ProductLab

DHCP, SWITCH, ADDRESS = "192.0.2.1", "192.0.2.254", "192.0.2.7"
MAC, VSI = "52:54:00:12:34:56", "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f"
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# libvirt itself, its test driver, keeps the metadata, as virsh has it do.
DOMAIN = f"""<domain type='test'>
  <name>vm1</name><memory>1024</memory><os><type>hvm</type></os><devices>
  <interface type='direct'><mac address='{MAC}'/><source dev='eth0' mode='vepa'/>
  <virtualport type='802.1Qbg'><parameters managerid='11' typeid='1193047'
    typeidversion='2' instanceid='{VSI}'/></virtualport></interface></devices>
</domain>"""
VIRSH = f"""#!/usr/bin/python3
import ctypes, os, sys
from ctypes import c_char_p, c_void_p
metadata, name, uri, live, config, k, key, s, text = sys.argv[1:]
assert metadata == "metadata" and (live, config) == ("--live", "--config")
assert (k, s) == ("--key", "--set")
v = ctypes.CDLL("libvirt.so.0")
for f, kind in (("virConnectOpen", c_void_p), ("virDomainDefineXML", c_void_p),
                ("virDomainGetXMLDesc", c_char_p)):
    getattr(v, f).restype = kind
v.virDomainDefineXML.argtypes = c_void_p, c_char_p
v.virDomainCreate.argtypes = c_void_p,
v.virDomainSetMetadata.argtypes = (c_void_p, ctypes.c_int, c_char_p, c_char_p, c_char_p,
                                   ctypes.c_uint)
v.virDomainGetXMLDesc.argtypes = c_void_p, ctypes.c_uint
domain = v.virDomainDefineXML(v.virConnectOpen(b"test:///default"), {DOMAIN!r}.encode())
assert domain and v.virDomainCreate(domain) == 0
text, key, uri = (x.encode() for x in (text, key, uri))
assert v.virDomainSetMetadata(domain, 2, text, key, uri, 3) == 0
with open(os.environ["DOCUMENTED"] + f"/{{name}}.xml", "wb") as f:
    f.write(v.virDomainGetXMLDesc(domain, 0))
"""
STAND_INS = {
    "systemctl": '#!/bin/sh\necho "$*" >>"$DOCUMENTED/systemctl"\n',
    "journalctl": '#!/bin/sh\ntest "$1" = -u && cat "$DOCUMENTED/$2.journal"\n',
    "virsh": VIRSH,
}
# What the documents leave to the reader: a VM of some kind, the way that it comes.
LEFT_OUT = {
    "qemu-system-x86_64 ...": "qemu-system-x86_64 -M pc -accel tcg -m 64 -nodefaults "
                              "-no-user-config -display none -nic none "
                              "-qmp unix:$DOCUMENTED/own.qmp,server=on,wait=off",
    "-incoming ...": "-incoming unix:$DOCUMENTED/../incoming",
}
PRIVATE = ("mount --bind {dir}/run /run; mount --bind {dir}/var-lib /var/lib; "
           'cd {dir}/home; exec sh -ec "$0"')
IDS = f"-i eth0 --managerid 11 --typeid 1193047 --typeidversion 2 --instanceid {VSI}"
SETUP = {"sw": f"vdp-migrate setup switch p1 p2 --server {DHCP} --uplink p3 --apply",
         "h1": "vdp-migrate setup server eth0 --apply",
         "h2": "vdp-migrate setup server eth0 --apply"}


class DocumentedVm(Vm):
    def __init__(self, lab):
        super().__init__(lab)
        self.mac, self.uuid = MAC, VSI
        self.space.ip(f"link set eth1 address {MAC}", f"link set eth2 address {MAC}")


class DocumentedLab(ProductLab):
    uplink = "eth0"

    def __init__(self):
        # Not the base's: that one begins where the documents want to lead to.
        self.world = World()
        self.leasequery, self.lease = True, 3600
        self.space = {key: self.world.space(name) for key, name in (
            ("sw", "switch"), ("h1", "server1"), ("h2", "server2"), ("dhcp", "dhcp"),
            ("vm", "vm"))}
        self.sw, self.vm_space = self.space["sw"], self.space["vm"]
        self.port_of = {"h1": "p1", "h2": "p2"}
        self.lldpad, self.engine, self.vm = {}, {}, None
        try:
            self._wire()
            self._forward()
            self._dhcp()
            self._programs()
            for where in ("sw", "h1", "h2"):
                self.engine_start(where)
                self._lldpad_start(where)
            self.dhcpd.wait_line("Server starting service")
        except BaseException:
            self.end()
            raise

    def _wire(self):
        names = {key: space.name for key, space in self.space.items()}
        links = [("p1", "sw", "eth0", "h1"), ("p2", "sw", "eth0", "h2"),
                 ("p3", "sw", "d0", "dhcp"), ("eth1", "vm", "v0", "h1"),
                 ("eth2", "vm", "v0", "h2")]
        run("ip", "-batch", "-", input="".join(
            f"link add {a} netns {names[x]} type veth peer name {b} netns {names[y]}\n"
            for a, x, b, y in links))
        self.sw.ip("link add br0 type bridge", f"addr add {SWITCH}/24 dev br0",
                   *(f"link set p{n} master br0" for n in (1, 2, 3)),
                   *(f"link set {n} up" for n in ("p1", "p2", "p3", "br0")))
        for server in ("h1", "h2"):
            self.space[server].ip("link set eth0 up", "link set v0 up")
        self.space["dhcp"].ip("link set d0 up", f"addr add {DHCP}/24 dev d0")
        self.dhcp_mac = self.space["dhcp"].ip_json("link", "show", "d0")[0]["address"]

    def dhcp_configure(self):
        conf = os.path.join(self.space["dhcp"].dir, "dhcpd.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"""authoritative; ping-check false;
default-lease-time {self.lease}; max-lease-time {self.lease}; allow leasequery;
subnet 192.0.2.0 netmask 255.255.255.0 {{ range {ADDRESS} {ADDRESS}; }}
""")

    def _programs(self):
        """What a shell finds here before all else: the build's, and the stand-ins."""
        self.bin = os.path.join(self.world.dir, "bin")
        os.mkdir(self.bin)
        os.symlink(built("vdp-migrate"), os.path.join(self.bin, "vdp-migrate"))
        with open(os.path.join(TOP, "lldptool-ext", "vdp-migrate-lldptool.in"),
                  encoding="ascii") as f:
            wrapper = f.read().replace(
                "@pkglibdir@", os.path.dirname(built("lldptool_ext.so")))
        for name, text in {**STAND_INS, "vdp-migrate-lldptool": wrapper}.items():
            with open(os.path.join(self.bin, name), "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(os.path.join(self.bin, name), 0o755)
        for where in ("sw", "h1", "h2"):
            for name in ("run", "home", "var-lib/prometheus/node-exporter"):
                os.makedirs(os.path.join(self.space[where].dir, name))

    def _lldpad_start(self, where):
        """With nothing set."""
        self.lldpad[where] = Lldpad(self.space[where], "", (), True, {}, 0)
        self.lldpad[where].start()

    # What a reader does

    def argv(self, where, command):
        """How a line of shell is run on that machine."""
        space = self.space[where]
        for shown, meant in LEFT_OUT.items():
            command = command.replace(shown, meant)
        return ("ip", "netns", "exec", space.name, "env", f"DOCUMENTED={space.dir}",
                f"PATH={self.bin}:{os.environ['PATH']}", "unshare", "-m", "sh", "-ec",
                PRIVATE.format(dir=space.dir), command)

    def type(self, where, command):
        """Run it to its end: (what it has said, exit status)."""
        self._write_journals(where)
        done = subprocess.run(self.argv(where, command), text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=30)
        self._obey_systemctl(where)
        return done.stdout, done.returncode

    def told(self, where, command):
        """The same, and it must not fail."""
        said, status = self.type(where, command)
        assert status == 0, f"{command}: exit {status}: {said}"
        return said

    def started(self, where, command):
        """It goes on; ready to be used by the next."""
        process = self.space[where].start(command.split()[0],
                                          *self.argv(where, f"exec {command}"))
        if command.startswith("vdp-migrate watch"):
            process.wait_line("watching")
        if command.startswith("qemu-system"):
            path = os.path.join(self.space[where].dir, "run", "vm1.qmp")
            wait_for("QEMU's monitor", lambda: not process.alive or os.path.exists(path))
        return process

    def _write_journals(self, where):
        for unit, process in (("vdp-migrated", self.engine[where]),
                              ("lldpad", self.lldpad[where].process)):
            with open(os.path.join(self.space[where].dir, f"{unit}.journal"), "w",
                      encoding="utf-8") as f:
                f.writelines(line + "\n" for line in list(process.lines))

    def _obey_systemctl(self, where):
        path = os.path.join(self.space[where].dir, "systemctl")
        if not os.path.exists(path):
            return
        with open(path, encoding="ascii") as f:
            said = f.read().splitlines()
        os.unlink(path)
        for words in said:
            if words == "restart lldpad":
                self.lldpad[where].stop()
                self.lldpad[where].start()
            else:
                raise AssertionError(f"systemctl {words}: the lab knows no such thing")

    # How things stand

    def unset(self):
        """As after the installation."""
        if not self.show("sw", "ports"):
            return
        self.ready()    # a VM that is there takes leave
        for where, lldpad in self.lldpad.items():
            lldpad.stop()
            self._lldpad_start(where)
        self.sw.ip("link set br0 type bridge stp_state 0 mcast_querier 0")

    def ready(self):
        """Set up, no VM is there, and nothing else is left of what was before."""
        if not all(self.is_set_up(where) for where in SETUP):
            for where, command in SETUP.items():
                self.told(where, f"{command} && systemctl restart lldpad")
            self.wait_lldp()
        self.vm = DocumentedVm(self)
        self.told("sw", "vdp-migrate guard on; vdp-migrate set hold=; for p in p1 p2; do "
                  "lldptool -T -i $p -g ncb -V 0x02564d01 guard=monitor; done; "
                  f"vdp-migrate unbind 0 {MAC} {ADDRESS} || :")
        for server in ("h1", "h2"):
            self.told(server, f"vdp-migrate unmark {VSI} || :; "
                              f"vdp-migrate deassociate -i eth0 --instanceid {VSI} || :")
        self.release()
        self.sw.ip("link set br0 type bridge fdb_flush")
        wait_for("the switch to have forgotten it", lambda: all(
            x["complete"] and not (x["cases"] or x["bindings"] or x["vsis"])
            for x in self.show("sw", "ports") if not x["trusted"]))

    def release(self):
        """The lease of the VM before, as its client would."""
        message = frames.dhcp(1, 7, 1, MAC, ciaddr=ADDRESS,
                              options=b"\x36\x04" + frames.ip_bytes(DHCP))
        said = len(self.dhcpd.lines)
        self.space["h1"].send_frame("eth0", frames.udp_frame(
            self.dhcp_mac, MAC, ADDRESS, DHCP, message, 68, 67))
        self.dhcpd.wait_line("DHCPRELEASE", since=said)

    def is_set_up(self, where):
        roles = {x["port"]: x["role"] for x in self.show(where, "ports") if x["use"]}
        return roles == ({"p1": "bridge", "p2": "bridge", "p3": "none"} if where == "sw"
                         else {"eth0": "station"})

    def vsi_at(self, port):
        """The mode of its last request, while lldpad holds it."""
        return next((x["mode"] for x in self.show("sw", "vsis")
                     if x["port"] == port and x["in_lldpad"]), None)

    # A migration, by the commands of the documents

    def vm_starts(self):
        self.told("h1", f"vdp-migrate associate {IDS} --mac {MAC}")
        assert self.vm.run_at("h1") == ADDRESS
        self.wait_states(self.vm, p1="active")

    def vm_joins(self, group):
        self.space["h1"].send_frame("eth0", frames.igmp_report(MAC, ADDRESS, group))
        wait_for("the VM's group", lambda: self.show("sw", "groups"))

    def vm_is_announced(self):
        self.told("h2", f"vdp-migrate mark {VSI} --mac {MAC}")
        self.told("h2", f"vdp-migrate preassociate {IDS} --mac {MAC} --migrate")
        self.wait_states(self.vm, p1="active", p2="staged")

    def vm_moves(self):
        known = self.vm.stop()
        self.told("h1", f"vdp-migrate suspend {VSI}")
        self.told("h2", f"vdp-migrate associate {IDS} --mac {MAC} --migrate")
        self.vm.resume("h2", known)
        self.wait_states(self.vm, p1="leaving", p2="active")

    def vm_has_left(self):
        self.told("h1", f"vdp-migrate deassociate -i eth0 --instanceid {VSI}")
        self.wait_states(self.vm, p2="active")

    def qemu_migrates(self):
        """By a monitor that nobody follows."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(os.path.join(self.space["h1"].dir, "own.qmp"))
            incoming = os.path.join(self.world.dir, "incoming")
            for command, arguments in (("qmp_capabilities", {}),
                                       ("migrate", {"uri": f"unix:{incoming}"})):
                monitor.sendall(json.dumps({"execute": command,
                                            "arguments": arguments}).encode())
            answers, file = 0, monitor.makefile("r")
            while answers < 2:
                said = json.loads(file.readline())
                assert "error" not in said, said
                answers += "return" in said

    def stranger_sends(self):
        """What has no binding sends from behind p1."""
        self.space["h1"].send_frame("eth0", frames.udp_frame(
            self.dhcp_mac, "52:54:00:12:34:57", "192.0.2.66", DHCP, b"x", 9, 9))
