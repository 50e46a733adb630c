# SPDX-License-Identifier: GPL-2.0-only
"""
README's first steps by somebody who has set nothing before, and what setup says where
they cannot be made. `check` is asked at once after each restart, as a reader does.
"""
import subprocess

import pytest

from documented_lab import DHCP, SWITCH, DocumentedLab, DocumentedVm
from lab import Lldpad, built
from netns import wait_for

LAB, LAB_CLASS = {}, DocumentedLab
SWITCHES = f"vdp-migrate setup switch p1 p2 --server {DHCP} --uplink p3"
SERVERS = "vdp-migrate setup server eth0"
NCB = "-g ncb -V 0x02564d01"


@pytest.fixture(scope="module")
def steps(lab):
    """What was said: {step: text}."""
    said = {"before": lab.type("sw", "vdp-migrate check"), "empty": settings(lab),
            "shown": lab.told("sw", SWITCHES)}
    said["after"] = settings(lab)
    said["stp"] = lab.told("sw", "cat /sys/class/net/br0/bridge/stp_state")
    said["applied"] = lab.told("sw", f"{SWITCHES} --apply")
    lab.told("sw", "systemctl restart lldpad")
    for server in ("h1", "h2"):
        lab.told(server, f"{SERVERS} --apply && systemctl restart lldpad")
    for where in ("sw", "h1", "h2"):
        said[where] = lab.told(where, "vdp-migrate check")
    return said


def settings(lab, where="sw"):
    with open(lab.lldpad[where].conf, encoding="ascii") as f:
        return f.read()


def changed(lab, argv):
    """It is applied: what it has shown, without the line at its end."""
    return lab.told("sw", f"vdp-migrate setup {argv} --apply").splitlines()[:-1]


def refused(lab, where, argv, before="", user=""):
    """(exit status, what it has said); before: shell, in a mount namespace of its own"""
    done = subprocess.run(
        ("ip", "netns", "exec", lab.space[where].name, "unshare", "-m", "sh", "-ec",
         f"{before} exec {user} {built('vdp-migrate')} setup {argv}"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=30)
    return done.returncode, done.stdout


def test_nothing_is_done_before_it_is_said(steps):
    shown = steps["shown"].splitlines()
    each = [line for p in ("p1", "p2") for line in (
        f"lldptool -L -i {p} -g ncb adminStatus=rxtx",
        f"lldptool -T -i {p} -g ncb -V evb enableTx=yes",
        f"lldptool -T -i {p} -g ncb -V evb evbmode=bridge",
        f"lldptool -T -i {p} {NCB} use=yes guard=monitor servers={DHCP}")]
    bridge = ["ip link set br0 type bridge stp_state 1 forward_delay 200",
              "ip link set br0 type bridge mcast_querier 1"]
    # Shown only, the bridge is not set right yet when the second port comes.
    assert shown[:-1] == [*bridge, *each, f"lldptool -T -i p3 {NCB} use=yes trusted=yes"]
    assert "say it again with --apply" in shown[-1]
    assert steps["after"] == steps["empty"] and steps["stp"] == "0\n"
    assert "systemctl restart lldpad" in steps["applied"]


def test_check_finds_nothing_wrong_right_after(steps):
    said, status = steps["before"]
    assert status == 1 and said.startswith("no-ports: ") and said.count("cure:") == 1
    assert {steps[where] for where in ("sw", "h1", "h2")} == {"nothing wrong found\n"}


def test_vm_that_is_announced_with_M_has_its_binding(lab, steps):
    assert steps
    lab.wait_lldp()
    lab.vm = DocumentedVm(lab)
    lab.vm_starts()
    lab.vm_is_announced()
    assert lab.bindings(lab.vm)["p2"]["origin"] in ("moved", "leasequery")


def test_said_again_it_changes_nothing(lab, steps):
    before = settings(lab), settings(lab, "h1")
    assert steps
    for where, command in (("sw", SWITCHES), ("h1", SERVERS)):
        assert lab.told(where, f"{command} --apply").startswith("all of this is set")
    assert (settings(lab), settings(lab, "h1")) == before
    # A guard that is set stays; what differs is set, and no more.
    lab.told("sw", f"lldptool -T -i p1 {NCB} guard=enforce!")
    try:
        assert lab.told("sw", SWITCHES).startswith("all of this is set")
        assert changed(lab, f"switch p1 --giaddr {SWITCH}") == [
            f"lldptool -T -i p1 {NCB} giaddr={SWITCH}"]
    finally:
        lab.told("sw", f"lldptool -T -i p1 {NCB} guard=monitor giaddr=")


def test_what_was_set_otherwise_is_said(lab, steps):
    assert steps
    assert "# p1 has had evbmode=bridge until now" in lab.told(
        "sw", "vdp-migrate setup server p1")
    assert "guard=monitor trusted=no" in lab.told("sw", "vdp-migrate setup switch p3")
    assert "# d0 is no port of a bridge" in refused(lab, "dhcp", "switch d0")[1]
    # A /sys that says so: this kernel may filter none.
    status, said = refused(lab, "sw", "switch p1", before=(
        "d=$(readlink -f /sys/class/net/br0)/bridge; mount -t tmpfs none $d; "
        "for i in vlan_filtering stp_state; do echo 1 >$d/$i; done;"))
    assert status == 0 and "# br0 filters VLANs" in said


def test_forward_delay_of_a_hypervisor_s_bridge_is_set_right(lab, steps):
    space = lab.space["h2"]
    assert steps
    space.ip("link add vbr type bridge stp_state 1 forward_delay 1500",
             "link set eth0 master vbr")
    try:
        assert lab.told("h2", SERVERS).splitlines()[0] == (
            "ip link set vbr type bridge forward_delay 200")
        # A command that fails is the last one.
        status, said = refused(lab, "h2", "server eth0 --apply", before=(
            "mount --bind /bin/false $(readlink -f $(command -v ip));"))
        assert status == 1 and "no more is done" in said and "lldptool" not in said
    finally:
        space.ip("link set eth0 nomaster", "link del vbr")


@pytest.mark.parametrize("argv, says", [
    ("switch p9", "there is no interface 'p9'"), ("switch", "a port is wanted"),
    ("router p1", "switch or server"),
    ("switch br0", "br0 is a bridge: name its ports (p1 p2 p3)"),
    ("switch p1 --uplink p9", "there is no interface 'p9'"),
    ("switch p1 --uplink p3 --uplink p1", "not both"),
    ("switch p1" + "".join(f" --uplink u{n}" for n in range(17)), "more than 16 uplinks"),
    ("switch p1 --server x", "no list of up to 8"),
    (f"server p1 --server {DHCP}", "a server has no --server"),
])
def test_wrong_use(lab, argv, says):
    status, said = refused(lab, "sw", f"{argv} --apply")
    assert status == 3 and says in said and "usage: vdp-migrate setup" in said


# A /sys that has one: this kernel may have no bonds.
BOND = ("mount -t tmpfs none /sys/class/net; cd /sys/class/net; mkdir -p bond0/bonding p1 "
        "p3 p5; echo p3 p5 >bond0/bonding/slaves; for p in p3 p5; do "
        "ln -s ../bond0 $p/master; done; for p in p1 p3 p5; do echo 1 >$p/carrier; done;")


@pytest.mark.parametrize("argv", ("switch bond0", "switch p1 --uplink bond0"))
def test_bond_is_not_where_lldp_is_spoken(lab, argv):
    status, said = refused(lab, "sw", argv, before=BOND)
    assert status == 3 and "name the interfaces in it" in said and "(p3 p5)" in said


def test_bond_is_trusted_only_with_all_that_are_in_it(lab):
    note = "# p5 is in one bond with p3, and no uplink"
    for more, noted in (("", True), ("--uplink p5", False)):
        status, said = refused(lab, "sw", f"switch p1 --uplink p3 {more}", before=BOND)
        assert status == 0 and (note in said) == noted


def test_each_of_several_uplinks_is_trusted_and_has_to_be_up(lab, steps):
    assert steps
    lab.sw.ip("link add p5 type veth peer name x5", "link set p5 master br0 up")
    both = "switch p1 --uplink p3 --uplink p5 --uplink p5"
    try:
        before = settings(lab)
        status, said = refused(lab, "sw", f"{both} --giaddr {SWITCH} --apply")
        assert status == 1 and "p5 is down" in said and settings(lab) == before
        lab.sw.ip("link set x5 up")
        wait_for("the link", lambda: lab.sw.link_up("p5"))
        wait_for("lldpad", lambda: not lab.type(
            "sw", "lldptool -L -i p5 -g ncb adminStatus=disabled")[1])
        assert changed(lab, both) == [f"lldptool -T -i p5 {NCB} use=yes trusted=yes"]
        wait_for("both", lambda: {x["port"] for x in lab.show("sw", "ports")
                                  if x["trusted"]} == {"p3", "p5"})
    finally:
        lab.told("sw", f"lldptool -T -i p5 {NCB} use=no trusted=no")
        lab.sw.ip("link del p5")


def test_only_root_applies(lab):
    before = settings(lab)
    for option, wanted in (("--apply", 2), ("", 0)):
        status, said = refused(lab, "sw", f"switch p1 {option}", user=(
            "setpriv --reuid=65534 --regid=65534 --clear-groups"))
        assert status == wanted and "needs root" in said
    assert settings(lab) == before


def test_lldpad_has_to_be_there_with_the_module(lab):
    space = lab.space["dhcp"]
    status, said = refused(lab, "dhcp", "server d0 --apply")
    assert status == 2 and "nothing is done: lldpad is not running" in said
    lldpad = Lldpad(space, "", (), False, {}, 0)
    lldpad.start()
    try:
        wait_for("lldpad", lambda: "not running" not in refused(
            lab, "dhcp", "server d0 --apply")[1])
        status, said = refused(lab, "dhcp", "server d0 --apply")
        assert status == 2 and "lldpad runs without the module" in said
        # Shown it is all the same.
        status, said = refused(lab, "dhcp", "server d0")
        assert status == 0 and "# --apply will not do: lldpad runs without" in said
        assert "lldptool -T -i d0 -g ncb -V evb evbmode=station" in said
    finally:
        lldpad.stop()


def test_port_that_is_down_or_has_the_draft_is_refused_before_anything_is_done(lab):
    before = settings(lab)
    lab.space["dhcp"].ip("link set d0 down")
    try:
        wait_for("the link", lambda: not lab.sw.link_up("p3"))
        status, said = refused(lab, "sw", "switch p3 --apply")
        assert status == 1 and "p3 is down" in said and settings(lab) == before
    finally:
        lab.space["dhcp"].ip("link set d0 up", f"addr replace {DHCP}/24 dev d0")
    wait_for("the link", lambda: lab.sw.link_up("p3"))
    draft = "lldptool -T -i p3 -g ncb -V evbcfg enableTx"
    wait_for("lldpad", lambda: not lab.type("sw", f"{draft}=yes")[1])
    try:
        before = settings(lab)
        status, said = refused(lab, "sw", "switch p3 --apply")
        assert status == 1 and "EVB of draft 0.2" in said and settings(lab) == before
    finally:
        lab.told("sw", f"{draft}=no")
