# SPDX-License-Identifier: GPL-2.0-only
"""The guard alone, in a process of its own: guard_driver.c."""
from driver_process import DriverProcess
from lab import built

DRIVER = "test/net/guard_driver"

# ip netns exec gives it mounts of its own. Names of protocols are in a package of their
# own (netbase), that a switch need not have.
WITHOUT_NAMES = ("for f in /etc/protocols /etc/services; do "
                 "[ ! -e $f ] || mount --bind /dev/null $f; done; exec \"$0\"")


class Driver(DriverProcess):
    def __init__(self, space):
        super().__init__(space, "sh", "-ec", WITHOUT_NAMES, built(DRIVER))

    def lost(self):
        """Has somebody else taken rules or elements away?"""
        self("dispatch")
        return self.value == 1

    def elements(self):
        """(port, VLAN, MAC, IP) -> seconds left, None for ever."""
        rows = [x.split() for x in self("list")]
        return {(p, int(v), m, i): None if ms == "-1" else int(ms) / 1000
                for p, v, m, i, ms in rows}

    def counts(self):
        return {tuple(x.split()[:2]): int(x.split()[2]) for x in self("counts")}
