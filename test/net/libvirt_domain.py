# SPDX-License-Identifier: GPL-2.0-only
"""
The VM as a domain of libvirt's. Its interfaces are of one kind:

  direct   a macvtap on the uplink with an 802.1Qbg virtual port: libvirt itself asks
           lldpad for its associations, by netlink. macvtap lets no multicast in to the
           VM without trustGuestRxFilters.
  bridge   a tap at the server's bridge. libvirt makes no association for it, an operator
           does, by `vdp-migrate associate`: that is us. Its VSI is named in metadata.

Its memory has a size that libvirt would round up (live.py says why): so not by libvirt.
"""
import os
import re
import uuid
from types import SimpleNamespace

from live import MEMORY, LiveVm
from netns import CommandFailed, wait_for

LEASES, VSIS = "urn:vdp-migrate:leases:1", "urn:vdp-migrate:vsis:1"
DIRECT, BRIDGE = "direct", "bridge"
MANAGER, TYPE, VERSION = 11, 1193047, 2
DOMAIN = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<name>{name}</name><metadata>{metadata}</metadata>
<memory unit='MiB'>192</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel>
<initrd>{initrd}</initrd>
<cmdline>console=ttyS0 quiet panic=-1 mitigations=off</cmdline></os>
<features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' model='none'/><memballoon model='none'/>
<serial type='file'><source path='{console}' append='on'/></serial>
{interfaces}</devices>
<qemu:commandline><qemu:arg value='-global'/>
<qemu:arg value='virtio-net-device.guest_announce=off'/>
<qemu:arg value='-object'/>
<qemu:arg value='memory-backend-ram,id=odd,size={memory}'/>
<qemu:arg value='-machine'/><qemu:arg value='memory-backend=odd'/>
<qemu:arg value='-m'/><qemu:arg value='{memory}'/>
</qemu:commandline></domain>"""
INTERFACE = {
    DIRECT: f"""<interface type='direct' trustGuestRxFilters='yes'>
<mac address='{{mac}}'/><source dev='e0' mode='vepa'/>
<virtualport type='802.1Qbg'><parameters managerid='{MANAGER}' typeid='{TYPE}'
  typeidversion='{VERSION}' instanceid='{{uuid}}'/></virtualport>
<model type='virtio'/><driver name='qemu'/><rom enabled='no'/></interface>""",
    BRIDGE: """<interface type='bridge'><mac address='{mac}'/><source bridge='brv'/>
<model type='virtio'/><driver name='qemu'/><rom enabled='no'/></interface>"""}


class Domain(LiveVm):
    """at: the server where it runs. nics: each with mac, uuid and, once it has booted,
    ip; the first is also the VM's own."""
    NAME = "vm1"

    def __init__(self, lab, kernel, initrd, kind=DIRECT, nics=1):
        super().__init__(lab, kernel, initrd)
        self.kind = kind
        self.nics = [SimpleNamespace(mac=self.mac, uuid=self.uuid, ip=None)]
        for _ in range(nics - 1):
            self.nics.append(SimpleNamespace(
                mac="52:54:00:%02x:%02x:%02x" % tuple(os.urandom(3)),
                uuid=str(uuid.uuid4()), ip=None))
        self.path = os.path.join(lab.world.dir, "domain.xml")

    def libvirtd(self):
        return self.lab.libvirtd[self.at]

    def xml(self):
        named = "".join(f"<v:vsi mac='{n.mac}' instanceid='{n.uuid}'/>"
                        for n in self.nics)
        return DOMAIN.format(
            name=self.NAME, kernel=self.kernel, initrd=self.initrd, console=self.console,
            memory=MEMORY, metadata=f"<v:vsis xmlns:v='{VSIS}'>{named}</v:vsis>"
            if self.kind == BRIDGE else "",
            interfaces="\n".join(INTERFACE[self.kind].format(mac=n.mac, uuid=n.uuid)
                                 for n in self.nics))

    def boot(self, server):
        if os.path.exists(self.console):
            os.unlink(self.console)
        with open(self.path, "w", encoding="ascii") as f:
            f.write(self.xml())
        self.at = server
        if self.kind == BRIDGE:
            self.vdp("associate", server)
        self.libvirtd().virsh("create", self.path)
        said = wait_for("the guest to be ready", self._ready, 90.0, 0.1)
        found = dict(re.findall(r"ADDRESS (\S+) (\S+)", x)[0][::-1] for x in said
                     if x.startswith("ADDRESS"))
        for n, nic in enumerate(self.nics):
            if f"eth{n}" not in found:
                raise CommandFailed(f"no lease for eth{n}: {' | '.join(said)}")
            nic.ip = found[f"eth{n}"]
            self.lab.space["other"].ip(
                f"neigh replace {nic.ip} lladdr {nic.mac} nud permanent dev x0")
        self.ip = self.nics[0].ip

    def _ready(self):
        if not os.path.exists(self.console):
            return None
        with open(self.console, encoding="utf-8", errors="replace") as f:
            said = f.read().split("\n")
        return said if any(x.startswith("READY") for x in said) else None

    def vdp(self, command, server, *options):
        """What an operator does for interfaces that libvirt makes no association for."""
        for nic in self.nics:
            argv = [command, "-i", "e0", "--instanceid", nic.uuid]
            if command != "deassociate":
                argv += ["--managerid", str(MANAGER), "--typeid", str(TYPE),
                         "--typeidversion", str(VERSION), "--mac", nic.mac]
            try:
                self.lab.cli(server, *argv, *options)
            except CommandFailed as e:
                raise CommandFailed(f"{e}; lldpad at {server}: "
                                    f"{self.lab.lldpad[server].process.tail(20)}") from e

    def leases(self):
        """{MAC: IP address} as the domain's metadata has them, put there by the agent."""
        said = self.libvirtd().virsh("metadata", self.NAME, LEASES, check=False)
        return {re.search(r"mac=['\"](\S+?)['\"]", x)[1]:
                re.search(r"\bip=['\"](\S+?)['\"]", x)[1]
                for x in re.findall(r"<(?:\S+:)?lease .*?>", said)}

    def migrate(self, server, *options):
        """The command, on its way."""
        path = os.path.join(self.lab.world.dir, "migration")
        return self.libvirtd().virsh_start(
            "migrate", "--live", self.NAME, "--desturi", self.lab.libvirtd[server].uri,
            "--migrateuri", f"unix://{path}", *options)

    def abort(self):
        self.libvirtd().virsh("domjobabort", self.NAME)

    def end(self):
        self.libvirtd().virsh("destroy", self.NAME, check=False)
        if self.kind == BRIDGE:
            self.vdp("deassociate", self.at)
