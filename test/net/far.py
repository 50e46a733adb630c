# SPDX-License-Identifier: GPL-2.0-only
"""
DHCP that comes from the switch itself: a server beyond a routed uplink with a relay on
the switch (ISC's dhcrelay, or one on a plain UDP socket), or a server on the switch.

    br0 10.9.0.254 -- sw --u0 10.8.0.2 == f0 10.8.0.1-- far (dhcpd)
"""
import contextlib
import os
import sys

from lab import SWITCH
from netns import wait_for

FAR, UPLINK = "10.8.0.1", "10.8.0.2"
LOOPBACK = "10.255.0.1"     # an address of the switch that no relay has
RELAY_PY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py")


class Far:
    def __init__(self, lab):
        self.lab, self.space = lab, lab.world.space("far")
        lab.sw.ip(f"link add u0 type veth peer name f0 netns {self.space.name}",
                  "link set u0 up", f"addr add {UPLINK}/24 dev u0",
                  f"addr add {LOOPBACK}/32 dev lo")
        self.space.ip("link set f0 up", f"addr add {FAR}/24 dev f0",
                      f"route add 10.9.0.0/24 via {UPLINK}",
                      f"route add {LOOPBACK}/32 via {UPLINK}")

    @contextlib.contextmanager
    def server(self, space=None, lease=3600, dev="f0"):
        """dhcpd for the VMs' network, here or in that namespace; the lab's own is off."""
        space = space or self.space
        where = os.path.join(space.dir, "far-dhcp")
        os.makedirs(where, exist_ok=True)
        os.chmod(where, 0o755)
        with open(os.path.join(where, "dhcpd.conf"), "w", encoding="ascii") as f:
            f.write(f"authoritative; ping-check false; allow leasequery;\n"
                    f"default-lease-time {lease}; max-lease-time {lease};\n"
                    "subnet 10.7.0.0 netmask 255.255.255.0 { }\n"
                    "subnet 10.8.0.0 netmask 255.255.255.0 { }\n"
                    "subnet 10.9.0.0 netmask 255.255.255.0 "
                    "{ range 10.9.0.100 10.9.0.199; }\n")
        open(os.path.join(where, "dhcpd.leases"), "w", encoding="ascii").close()
        if self.lab.dhcpd.alive:
            self.lab.dhcpd.stop()
        process = space.start(
            "dhcpd-far", "dhcpd", "-4", "-f", "-d", "--no-pid", "-cf",
            "/etc/dhcp/dhcpd.conf", "-lf", "/var/lib/dhcp/dhcpd.leases",
            dev if space is self.space else "br0",
            private=f"mount --bind {where} /etc/dhcp; mount --bind {where} /var/lib/dhcp")
        try:
            process.wait_line("Server starting service")
            yield process
        finally:
            process.stop()

    @contextlib.contextmanager
    def relay(self, kind):
        """kind: dhcrelay, udp, or alone (udp without SO_REUSEADDR)."""
        argv = (("dhcrelay", "-4", "-d", "--no-pid", "-id", "br0", "-iu", "u0", FAR)
                if kind == "dhcrelay" else
                (sys.executable, RELAY_PY, "br0", SWITCH, FAR, kind))
        process = self.lab.sw.start(kind, *argv)
        try:
            process.wait_line("Socket/fallback" if kind == "dhcrelay" else "serves")
            yield process
        finally:
            process.stop()

    def held(self, address):
        """Does a socket on the switch hold UDP port 67 of this very address?"""
        wanted = "%02X%02X%02X%02X:0043" % tuple(
            reversed([int(x) for x in address.split(".")]))
        table = self.lab.sw.run("cat", "/proc/net/udp")
        return wanted in [line.split()[1] for line in table.splitlines()[1:]]

    def wait_held(self, address, held=True, timeout=20.0):
        wait_for(f"UDP port 67 of {address} to be {'held' if held else 'free'}",
                 lambda: self.held(address) == held, timeout)
