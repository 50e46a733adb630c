# SPDX-License-Identifier: GPL-2.0-only
"""
The lab with switch ports that the plain one has not: in a VLAN of a VLAN-aware bridge,
and a bond in place of one port.
"""
import lab as lab_module
from product import ProductLab, settings

VID = 10


class VlanLab(ProductLab):
    """The bridge filters VLANs; VMs, DHCP server and the switch's own address are in VLAN
    10. tagged: so are the VMs' frames between server and switch (the server tags);
    otherwise the switch port's PVID says it. vsi_vid: what the VSI's filter says."""

    def __init__(self, tagged, vsi_vid, **options):
        self.tagged, self.vsi_vid = tagged, vsi_vid
        super().__init__(**options)

    def _wire(self):
        super()._wire()
        access = ["p3", "p4"] + ([] if self.tagged else ["p1", "p2"])
        commands = [f"vlan add dev {p} vid {VID} pvid untagged" for p in access]
        commands += [f"vlan del dev {p} vid 1" for p in access]
        commands += [f"vlan add dev {p} vid {VID}" for p in ("p1", "p2") if self.tagged]
        commands += [f"vlan add dev br0 vid {VID} pvid untagged self"]
        self.sw.ip("link set br0 type bridge vlan_filtering 1")
        self.sw.run("bridge", "-batch", "-", input="\n".join(commands) + "\n")

    def _forward(self):
        if not self.tagged:
            super()._forward()
            return
        for server in ("h1", "h2"):
            uplink = f"e0.{VID}"
            self.space[server].ip(f"link add link e0 name {uplink} type vlan id {VID}",
                                  f"link set {uplink} up")
            chains = "".join(
                f'chain {name} {{ type filter hook ingress device "{a}" priority 0; '
                f'fwd to "{b}"; }}\n'
                for name, a, b in (("down", uplink, "v0"), ("up", "v0", uplink)))
            self.space[server].run("nft", "-f", "-",
                                   input=f"table netdev f {{ {chains} }}\n")

    def vdp(self, server, mode, vsi, mac, hints="none", vlan=0, *options, **more):
        return super().vdp(server, mode, vsi, mac, hints, vlan or self.vsi_vid,
                           *options, **more)

    def in_kernel(self, vm):
        """The ports from which the guard lets the VM send in its VLAN as it is tagged."""
        key = ["b4t", VID] if self.tagged else ["b4u"]
        listing = self.nft(key[0])
        elements = next((x["set"].get("elem", ()) for x in listing if "set" in x), ())
        keys = [(e["elem"]["val"] if "elem" in e else e)["concat"] for e in elements]
        return {k[0] for k in keys if k[1:] == [*key[1:], vm.mac, vm.ip]}


class BondLab(ProductLab):
    """h1 is at the bond b1 of the switch's ports p1 and p5, by its own bond u0 of e0 and
    e1; the lldpads speak on the slaves."""

    def __init__(self, **options):
        ours = settings()
        super().__init__(ours={**ours, "p5": ours["p1"]}, **options)

    def _wire(self):
        super()._wire()
        h1 = self.space["h1"]
        self.sw.ip(f"link add p5 type veth peer name e1 netns {h1.name}")
        for space, bond, slaves in ((self.sw, "b1", ("p1", "p5")),
                                    (h1, "u0", ("e0", "e1"))):
            space.ip(f"link add {bond} type bond mode balance-xor miimon 100",
                     *(x for s in slaves for x in (
                         f"link set {s} nomaster down", f"link set {s} master {bond}")),
                     *(f"link set {x} up" for x in (*slaves, bond)))
        self.sw.ip("link set b1 master br0")
        self.port_of = {"h1": "b1", "h2": "p2"}

    def _forward(self):
        for server, uplink in (("h1", "u0"), ("h2", "e0")):
            chains = "".join(
                f"chain {a} {{ type filter hook ingress device {a} priority 0; "
                f"ether type {{ 0x8940, 0x88b7, 0x88cc }} accept; fwd to {b}; }}\n"
                for a, b in ((uplink, "v0"), ("v0", uplink)))
            self.space[server].run("nft", "-f", "-",
                                   input=f"table netdev f {{ {chains} }}\n")

    def _services(self):
        for where in self.engine_at:
            self.engine_start(where)
        for where, role, ports in (("sw", "bridge", ("p1", "p2", "p5")),
                                   ("h1", "station", ("e0", "e1")),
                                   ("h2", "station", ("e0",))):
            ours = self.ours if where == "sw" else {
                port: self.station_ours["e0"] for port in ports}
            self.lldpad[where] = lab_module.Lldpad(
                self.space[where], role, ports, where in self.module_at, ours, self.rka)
            self.lldpad[where].start()

    def wait_linked(self, where):
        """Whether the slaves or their bond are shown as ports is not said here."""
        def linked():
            known = {row["port"] for row in self.show(where, "ports")
                     if row["use"]}
            return known >= ({"p2", "p3"} if where == "sw" else {"e0"})
        lab_module.wait_for(f"module and engine at {where} to meet", linked, 15.0)

    def wait_lldp(self, servers=("h1", "h2")):
        links = {"h1": (("e0", "p1"), ("e1", "p5")), "h2": (("e0", "p2"),)}
        for server in servers:
            for uplink, port in links[server]:
                lab_module.wait_for(
                    f"LLDP between {uplink} of {server} and {port}",
                    lambda s=server, u=uplink, p=port: self.lldpad[s].hears_peer(u)
                    and self.lldpad["sw"].hears_peer(p), 20.0, 0.1)
