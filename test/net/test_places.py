# SPDX-License-Identifier: GPL-2.0-only
"""
Where the kernel has a port: in which of several bridges, in none, or past the kernel.
"""
import os
import uuid

import pytest

from lab import DHCP, OTHER, built
from netns import wait_for
from product import ProductLab, settings
from test_attach import compiled

RANGE = "range 10.9.0.150;"

# The engine's links as the kernel would tell them of a switch chip's ports: those that
# have an alias here.
CHIP = """
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/types.h>
ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	ssize_t n = recvfrom(fd, buf, size, flags, 0, 0);
	struct sockaddr_storage own;
	socklen_t length = sizeof own;
	if (n < 0 || getsockname(fd, (void *)&own, &length) || own.ss_family != AF_NETLINK)
		return n;
	int left = n;
	for (struct nlmsghdr *h = buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		struct ifinfomsg *info = NLMSG_DATA(h);
		int more = h->nlmsg_len - NLMSG_LENGTH(sizeof *info);
		if (h->nlmsg_type != RTM_NEWLINK)
			continue;
		for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, more); a = RTA_NEXT(a, more))
			if (a->rta_type == IFLA_IFALIAS)
				a->rta_type = IFLA_PHYS_SWITCH_ID;
	}
	return n;
}
"""


class TwoBridgesLab(ProductLab):
    """p1 and the DHCP server at p3 are in br0, p2 and the one at p4 in br1; both servers
    have one and the same address to give."""

    def __init__(self):
        super().__init__(ours={**settings(), "p4": {"use": "yes", "trusted": "yes"},
                               "p2": {"use": "yes", "guard": "enforce",
                                      "servers": OTHER}})

    def _wire(self):
        super()._wire()
        self.sw.ip("link add br1 type bridge stp_state 1 forward_delay 200",
                   "link set br1 up", "link set p2 master br1", "link set p4 master br1",
                   "addr add 10.9.0.253/24 dev br1")

    def _dhcp(self):
        super()._dhcp()
        space = self.space["other"]
        for name in ("dhcpd.conf", "dhcpd.leases"):
            with open(os.path.join(self.space["dhcp"].dir, name), encoding="ascii") as f, \
                    open(os.path.join(space.dir, name), "w", encoding="ascii") as to:
                to.write(f.read())
        self.dhcpd2 = space.start(
            "dhcpd", "dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", "/etc/dhcp/dhcpd.conf",
            "-lf", "/var/lib/dhcp/dhcpd.leases", "x0",
            private=f"mount --bind {space.dir} /etc/dhcp; "
                    f"mount --bind {space.dir} /var/lib/dhcp")

    def dhcp_configure(self):
        super().dhcp_configure()
        path = os.path.join(self.space["dhcp"].dir, "dhcpd.conf")
        with open(path, encoding="ascii") as f:
            text = f.read()
        with open(path, "w", encoding="ascii") as f:
            f.write(text.replace("range 10.9.0.100 10.9.0.199;", RANGE))

    def wait_ready(self):
        super().wait_ready()
        self.dhcpd2.wait_line("Server starting service")
        wait_for("br1's ports to forward", lambda: all(
            p["linkinfo"]["info_slave_data"]["state"] == "forwarding"
            for p in self.sw.ip_json("-d", "link", "show", "master", "br1")))


def test_same_mac_and_address_on_two_bridges_are_two_bindings():
    with TwoBridgesLab() as lab:
        vm = lab.vm()
        lab.born(vm)
        lab.space["vm"].ip("addr flush dev eth1")
        first, vm.uuid = vm.uuid, str(uuid.uuid4())
        vm.vdp("h2", "assoc")
        assert vm.run_at("h2") == "10.9.0.150"
        lab.wait_states(vm, p1="active", p2="active")
        rows = lab.bindings(vm)
        assert (rows["p1"]["server"], rows["p2"]["server"]) == (DHCP, OTHER)
        assert rows["p1"]["vsi"] != rows["p2"]["vsi"]
        assert lab.in_kernel(vm) == {"p1", "p2"}
        vm.vdp("h2", "deassoc")
        lab.wait_states(vm, p1="active")
        lab.vdp("h1", "deassoc", first, vm.mac)
        lab.wait_states(vm)


@pytest.fixture(scope="module")
def switch():
    """p4 is in no bridge, and set."""
    ours = {**settings(), "p4": {"use": "yes", "guard": "enforce"}}
    with ProductLab(ours=ours, module_at=("sw",), engine_at=("sw",)) as made:
        yield made


def _in_force(lab, port):
    return next((row["in_force"] for row in lab.show("sw", "ports")
                 if row["port"] == port), None)


def test_port_of_no_bridge_gets_no_guard_and_one_log_line(switch):
    engine = switch.engine["sw"]
    wait_for("the guard", lambda: _in_force(switch, "p4") == "enforce")
    switch.sw.ip("link set p4 nomaster")
    engine.wait_line("p4.*no port of a bridge any more")
    assert _in_force(switch, "p4") == "no bridge port"
    switch.lldpad["sw"].set("p4", "guard=monitor")
    switch.sw.ip("link set p4 down", "link set p4 up")
    switch.sw.ip("link set p4 master br0")
    wait_for("the guard", lambda: _in_force(switch, "p4") == "monitor")
    assert len([x for x in engine.lines if "no port of a bridge" in x]) == 1


def test_port_of_a_switch_chip_gets_no_guard_and_one_log_line(switch):
    wait_for("the guard", lambda: _in_force(switch, "p1") == "enforce")
    shim = compiled(switch.world, "chip.so", CHIP, "-shared", "-fPIC")
    switch.sw.ip("link set p1 alias chip")
    switch.engine["sw"].stop()
    engine = switch.sw.start("vdp-migrated", "env", f"LD_PRELOAD={shim}",
                             built("vdp-migrated"), "-d", "--state", switch.state("sw"))
    switch.engine["sw"] = engine
    engine.wait_line("p1.*a switch chip forwards its traffic past the kernel: no guard")
    wait_for("the port", lambda: _in_force(switch, "p1") == "off: switch chip")
    wait_for("the other's guard", lambda: _in_force(switch, "p2") == "enforce")
    ports = switch.sw.run("nft", "list", "map", "bridge", "vdp_migrate", "ports")
    assert '"p1"' not in ports and '"p2"' in ports
    assert len([x for x in engine.lines if "a switch chip" in x]) == 1
