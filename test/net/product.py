# SPDX-License-Identifier: GPL-2.0-only
"""
The lab with the product in it: its settings, its command, what its guard has in the
kernel, and a migration step by step as libvirt does it.
"""
import json
import re

from lab import DHCP, Lab, built
from netns import CommandFailed, wait_for

PROGRAMS = ("vdp_migrate.so", "vdp-migrated", "vdp-migrate")
EVERYWHERE = ("sw", "h1", "h2")


def settings(p1="enforce", p2="enforce"):
    """The switch's: guard of the servers' ports (None: port not ours), p3 trusted."""
    ours = {port: {"use": "yes", "guard": guard, "servers": DHCP}
            for port, guard in (("p1", p1), ("p2", p2)) if guard}
    return {**ours, "p3": {"use": "yes", "trusted": "yes"}}


class ProductLab(Lab):
    def __init__(self, ours=None, module_at=EVERYWHERE, engine_at=EVERYWHERE, **options):
        super().__init__(ours=settings() if ours is None else ours,
                         server_ours={"use": "yes"}, module_at=module_at,
                         engine_at=engine_at, **options)
        try:
            for where in set(module_at) & set(engine_at):
                self.wait_linked(where)
        except BaseException:
            self.end()
            raise

    def wait_linked(self, where):
        """Module and engine there know each other, and the ports are told."""
        ports = self.ours if where == "sw" else self.station_ours

        def linked():
            known = {row["port"] for row in self.show(where, "ports")
                     if row["use"]}
            return known >= set(ports)
        wait_for(f"module and engine at {where} to meet", linked, 15.0)

    def cli(self, where, *argv, check=True):
        return self.space[where].run(built("vdp-migrate"), *argv, check=check)

    def show(self, where, table):
        """A table of the product's command as a list of {column: value}; empty while
        the engine or the module is not there."""
        said = self.cli(where, "show", table, "--json", check=False)
        return json.loads(said) if said.strip() else []

    def counter(self, name, where="sw"):
        for row in self.show(where, "counters"):
            if row["counter"] == name:
                return row["value"]
        return 0

    def mark(self, server, vm, *known):
        """known: further options, of what is known of its lease."""
        return self.cli(server, "mark", vm.uuid, "--mac", vm.mac, *known)

    def unmark(self, server, vm):
        return self.cli(server, "unmark", vm.uuid, check=False)

    # Bindings

    def bindings(self, vm):
        """{port: row of the table} of a VM's address."""
        return {row["port"]: row for row in self.show("sw", "bindings")
                if row["mac"] == vm.mac and row["address"] == vm.ip}

    def states(self, vm):
        return {port: row["state"] for port, row in self.bindings(vm).items()}

    def wait_states(self, vm, timeout=5.0, **states):
        """Until the VM's bindings are these: p1="active", ..."""
        try:
            wait_for(f"bindings {states}", lambda: self.states(vm) == states, timeout)
        except TimeoutError as e:
            raise TimeoutError(f"{e}; there are {self.states(vm)}; engine: "
                               f"{self.engine['sw'].tail()}") from e

    def in_kernel(self, vm):
        """The ports from which the guard's set in the kernel lets the VM send."""
        listing = self.nft("b4u")
        elements = next((x["set"].get("elem", ()) for x in listing if "set" in x), ())
        values = [e["elem"]["val"] if "elem" in e else e for e in elements]
        return {v["concat"][0] for v in values if v["concat"][1:] == [vm.mac, vm.ip]}

    def violations(self):
        """Frames that the guard dropped, or would have: {(port, ethertype): packets}."""
        found = {}
        for item in self.nft("viol"):
            for element in item.get("set", {}).get("elem", ()):
                element = element["elem"]
                port, ethertype = element["val"]["concat"]
                found[port, ethertype] = element["counter"]["packets"]
        return found

    def dropped(self, port):
        return sum(n for (p, _), n in self.violations().items() if p == port)

    def nft(self, name):
        try:
            return json.loads(self.sw.run("nft", "-j", "list", "set", "bridge",
                                          "vdp_migrate", name))["nftables"]
        except CommandFailed:
            return []

    # A migration

    def born(self, vm, server="h1"):
        """A new VM: associated, started, its address by DHCP, bound by snooping."""
        vm.vdp(server, "assoc")
        assert vm.run_at(server), "no lease"
        self.wait_states(vm, **{vm.port: "active"})

    def announce(self, vm, server, *known):
        """The destination: marks the VM and pre-associates it, with M."""
        self.mark(server, vm, *known)
        vm.vdp(server, "preassoc")

    def switch_over(self, vm, server):
        """The VM is paused, associated at the destination, and resumes there."""
        known = vm.stop()
        vm.vdp(server, "assoc")
        vm.resume(server, known)

    def migrate(self, vm, server, *known):
        """All of it but the source's de-associate."""
        self.announce(vm, server, *known)
        self.switch_over(vm, server)


def parse_table(text):
    """Columns are where the head's words begin, two blanks or more apart."""
    lines = [x for x in text.splitlines() if x.strip()]
    if not lines:
        return []
    starts = [m.start() for m in re.finditer(r"(?:^|(?<=  ))\S", lines[0])]
    spans = list(zip(starts, starts[1:] + [None]))
    names = [lines[0][a:b].strip().lower() for a, b in spans]
    return [dict(zip(names, (line[a:b].strip() for a, b in spans)))
            for line in lines[1:]]
