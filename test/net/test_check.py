# SPDX-License-Identifier: GPL-2.0-only
"""
`vdp-migrate check` against a set-up that is broken in one way at a time, and whole again
after it.
"""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

import schema
from lab import DHCP, SWITCH, built
from netns import CommandFailed, run, wait_for

LAB = {}


@pytest.fixture(scope="module")
def healthy(lab):
    lab.sw.ip("link set br0 type bridge mcast_querier 1")
    wait_for("the guard", lambda: all(
        x["in_force"] == "enforce" for x in lab.show("sw", "ports")
        if x["port"] in ("p1", "p2")))
    return lab


def check(lab, *options, where="sw", code=1):
    """{name: finding with its cure}"""
    done = subprocess.run(("ip", "netns", "exec", lab.space[where].name,
                           built("vdp-migrate"), "check", *options), text=True,
                          capture_output=True, check=False, timeout=60)
    assert code in (None, done.returncode), (done.returncode, done.stdout, done.stderr)
    return dict(re.findall(r"^([a-z-]+): (.*\n    cure: .*)$", done.stdout, re.M))


def seen_by(where, lab, breaking):
    """The findings of a check --quick in a mount namespace of its own, after these lines
    of shell; $0 is a file that they may use, $@ the command."""
    space = lab.space[where]
    done = space.run("unshare", "-m", "bash", "-ec", f'{breaking}; exec "$@"',
                     os.path.join(space.dir, "breaking"), built("vdp-migrate"), "check",
                     "--quick", "--json", check=False)
    schema.check(json.loads(done), schema.definitions()["check"])
    return {x["finding"]: x["what"] + x["cure"] for x in json.loads(done)}


@contextlib.contextmanager
def broken(lab, breaking, curing, where="sw"):
    space = lab.space[where]
    space.ip(*breaking)
    try:
        yield
    finally:
        space.ip(*curing)


def test_healthy_switch_and_server_have_no_findings_and_servers_are_asked(healthy):
    lab = healthy
    done = lab.cli("sw", "check")
    assert done == "nothing wrong found\n"
    assert json.loads(lab.cli("sw", "check", "--json", "--quick")) == []
    assert lab.cli("h1", "check") == "nothing wrong found\n"
    assert lab.counter("leasequery_unknown") + lab.counter("leasequery_unassigned") > 0


@pytest.mark.parametrize("name, says, breaking, curing", [
    ("stp-off", "bridge br0 has STP off", "link set br0 type bridge stp_state 0",
     "link set br0 type bridge stp_state 1"),
    ("no-querier", "knows no querier", "link set br0 type bridge mcast_querier 0",
     "link set br0 type bridge mcast_querier 1"),
    ("no-giaddr", "br0 has no IPv4 address", f"addr del {SWITCH}/24 dev br0",
     f"addr add {SWITCH}/24 dev br0"),
])
def test_bridge(healthy, name, says, breaking, curing):
    with broken(healthy, [breaking], [curing]):
        found = check(healthy, "--quick")
        assert set(found) == {name} and says in found[name], found


def test_relay_on_the_switch_needs_its_giaddr(healthy):
    lab = healthy
    with lab.sw.socket(socket.AF_INET6, socket.SOCK_DGRAM) as relay:
        relay.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        relay.bind(("::", 67))
        assert "another program" in check(lab, "--quick")["no-giaddr"]
    with lab.sw.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
        relay.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        relay.bind(("0.0.0.0", 67))
        found = check(lab, "--quick")
        assert set(found) == {"no-giaddr"} and "another program" in found["no-giaddr"]
        for giaddr, finding in ((SWITCH, "giaddr-of-relay"),
                                ("10.9.0.77", "giaddr-not-ours")):
            lab.lldpad["sw"].set("p1", f"giaddr={giaddr}")
            wait_for("the setting", lambda g=giaddr: any(
                x["giaddr"] == g for x in lab.show("sw", "ports")))
            assert finding in check(lab, "--quick")
    lab.lldpad["sw"].set("p1", "giaddr=")
    wait_for("the setting", lambda: not any(
        x["giaddr"] for x in lab.show("sw", "ports")))


def test_server_that_denies_leasequery_is_found_by_asking_it(healthy):
    lab = healthy
    lab.dhcpd.stop()
    lab.leasequery = False
    lab.dhcp_configure()
    lab.dhcp_start()
    lab.dhcpd.wait_line("Server starting service")
    try:
        found = check(lab)
        assert set(found) == {"server-silent"} and DHCP in found["server-silent"]
        assert set(check(lab, "--quick")) == {"server-silent"}
    finally:
        lab.dhcpd.stop()
        lab.leasequery = True
        lab.dhcp_configure()
        lab.dhcp_start()
    lab.dhcpd.wait_line("Server starting service")
    assert lab.cli("sw", "check") == "nothing wrong found\n"


def test_engine_that_has_too_many_questions_open(healthy):
    lab = healthy
    asking = [lab.sw.start("asking", built("vdp-migrate"), "leasequery", "mac",
                           f"52:54:00:00:00:{n:02x}", "--server", "10.9.0.99", "--timeout",
                           "30") for n in range(16)]
    try:
        found = wait_for("their questions", lambda: check(lab, code=None))
        assert set(found) == {"no-leasequery"}
        assert "too many questions are open" in found["no-leasequery"]
    finally:
        for process in asking:
            process.stop()


def test_guard_opened_by_hand_and_table_gone(healthy):
    lab = healthy
    lab.cli("sw", "guard", "off", "--all")
    try:
        assert set(check(lab, "--quick")) == {"guard-opened"}
    finally:
        lab.cli("sw", "guard", "on")
    wait_for("the guard", lambda: "p1" in lab.cli("sw", "guard"))
    engine = lab.engine["sw"]
    engine.stop()
    lab.sw.run("nft", "delete", "table", "bridge", "vdp_migrate")
    try:
        found = check(lab)
        assert set(found) == {"engine-not-running", "guard-gone"}
        assert "systemctl start vdp-migrated" in found["guard-gone"]
    finally:
        lab.engine_start("sw")
        lab.wait_linked("sw")


def test_stopped_engine_is_said_to_be_silent(healthy):
    healthy.engine["h2"].kill(signal.SIGSTOP)
    try:
        assert set(check(healthy, where="h2")) == {"engine-silent"}
    finally:
        healthy.engine["h2"].kill(signal.SIGCONT)


def test_state_directory_of_another_user_or_missing(healthy):
    path = healthy.state("sw")
    owner = os.stat(path)
    os.chown(path, 0, 0)
    try:
        found = check(healthy, "--quick")
        assert set(found) == {"state-dir"} and path in found["state-dir"]
        os.rename(path, path + ".away")
        assert "No such file" in check(healthy, "--quick")["state-dir"]
        os.rename(path + ".away", path)
    finally:
        os.chown(path, owner.st_uid, owner.st_gid)


def test_user_of_the_engine_is_missing(healthy):
    found = seen_by("sw", healthy, "grep -v ^vdp-migrate: /etc/passwd >$0; "
                    "mount --bind $0 /etc/passwd")
    assert set(found) == {"no-user"} and "useradd --system" in found["no-user"]


def test_nft_that_is_missing_or_not_allowed_anything(healthy):
    for breaking, says in (("mount -t tmpfs none /usr/sbin", "nft: No such file"),
                           ("set -- setpriv --inh-caps=-net_admin "
                            "--bounding-set=-net_admin \"$@\"",
                            "Operation not permitted")):
        found = seen_by("sw", healthy, breaking)
        assert set(found) == {"nft"} and says in found["nft"], found
        assert "install nftables" in found["nft"]


def test_guard_that_is_set_and_not_in_the_kernel(healthy):
    """The engine would put it back at once: nft says so to this command alone."""
    found = seen_by("sw", healthy, "cp /usr/sbin/nft $0.real; printf '#!/bin/sh\\n%s\\n' "
                    "\"$0.real \\\"\\$@\\\" | sed s/p1/p1gone/\" >$0; chmod +x $0; "
                    "mount --bind $0 /usr/sbin/nft")
    assert set(found) == {"guard-not-in-force"}
    assert "p1: guard enforce is set" in found["guard-not-in-force"]


def test_guard_on_what_is_no_port_of_a_bridge(healthy):
    lab = healthy
    lab.sw.ip("link set p4 nomaster")
    lab.lldpad["sw"].set("p4", "use=yes", "guard=enforce!", "trusted=yes")
    try:
        wait_for("the port", lambda: any(x["port"] == "p4" and x["use"]
                                         for x in lab.show("sw", "ports")))
        found = check(lab, "--quick")
        assert set(found) == {"no-bridge"} and "p4: a guard is set" in found["no-bridge"]
    finally:
        lab.lldpad["sw"].set("p4", "use=no", "guard=off", "trusted=no")
        lab.sw.ip("link set p4 master br0")


def test_servers_that_are_not_set_or_cannot_be_reached(healthy):
    lab = healthy
    lab.lldpad["sw"].set("p1", "assist=leasequery", "servers=")
    try:
        wait_for("the setting", lambda: any(
            x["port"] == "p1" and x["assist"] == "leasequery" and not x["servers"]
            for x in lab.show("sw", "ports")))
        found = check(lab, "--quick")
        assert set(found) == {"no-servers"} and "p1: " in found["no-servers"]
        assert "vdp-migrate set servers=" in found["no-servers"]
    finally:
        lab.lldpad["sw"].set("p1", "assist=auto", f"servers={DHCP}")
    wait_for("the setting", lambda: all(
        x["servers"] for x in lab.show("sw", "ports") if x["port"] in ("p1", "p2")))


def test_user_who_is_not_let_in_is_told_so(healthy):
    done = run("ip", "netns", "exec", healthy.sw.name, "setpriv", "--reuid=65534",
               "--regid=65534", "--clear-groups", built("vdp-migrate"), "check",
               check=False)
    assert "not-root: " in done and "not-let-in: " in done
    assert "usermod -aG vdp-migrate" in done
    assert "lldpad-not-running" not in done


def test_server_that_nobody_is_to_ask_need_not_answer(healthy):
    """Ports with assist=help, and one that a person has tried."""
    lab = healthy
    nobody = "10.9.0.99"

    def set_both(assist, server):
        for port in ("p1", "p2"):
            lab.lldpad["sw"].set(port, f"assist={assist}", f"servers={server}")
        wait_for("the setting", lambda: all(
            (x["assist"], x["servers"]) == (assist, server)
            for x in lab.show("sw", "ports") if x["port"] in ("p1", "p2")))
    lab.sw.run(built("vdp-migrate"), "leasequery", "mac", "52:54:00:00:00:01", "--server",
               nobody, "--timeout", "1", check=False)
    assert any(x["server"] == nobody for x in lab.show("sw", "servers"))
    assert check(lab, code=0) == {}
    set_both("help", nobody)
    try:
        assert check(lab, code=0) == {}
    finally:
        set_both("auto", DHCP)


def test_what_is_wrong_with_a_bridge_is_said_once(healthy):
    lab = healthy
    lab.lldpad["sw"].set("p1", "groups=off")
    try:
        wait_for("the setting", lambda: any(
            x["groups"] == "off" for x in lab.show("sw", "ports")))
        for name, breaking, curing in (
                ("no-querier", "mcast_querier 0", "mcast_querier 1"),
                ("stp-off", "stp_state 0", "stp_state 1")):
            with broken(lab, [f"link set br0 type bridge {breaking}"],
                        [f"link set br0 type bridge {curing}"]):
                done = lab.sw.run(built("vdp-migrate"), "check", "--quick", check=False)
                assert re.findall(r"^([a-z-]+): ", done, re.M) == [name], done
    finally:
        lab.lldpad["sw"].set("p1", "groups=both")


def test_engine_that_was_restarted_just_now(healthy):
    healthy.engine["h2"].stop()
    healthy.engine_start("h2")
    assert check(healthy, where="h2", code=0) == {}


def test_two_ports_with_one_vsi_id(healthy, vm):
    lab = healthy
    vm.vdp("h1", "assoc")
    lab.vdp("h2", "assoc", vm.uuid, "52:54:00:dd:dd:dd")
    try:
        wait_for("the engine to see both", lambda: any(
            "same VSI ID" in (x["reason"] or "") for x in lab.show("sw", "vsis")))
        found = check(lab, "--quick")
        assert set(found) == {"vsi-id-twice"} and vm.uuid in found["vsi-id-twice"]
    finally:
        lab.vdp("h2", "deassoc", vm.uuid, "52:54:00:dd:dd:dd", check=False)


def test_association_that_a_reload_of_lldpad_has_lost(healthy, vm):
    """Only while the VM is here: an interface, or a bridge, has its MAC address."""
    lab, space = healthy, healthy.space["h1"]
    space.ip("tuntap add tap7 mode tap", f"link set tap7 address fe{vm.mac[2:]}")
    vm.vdp("h1", "assoc")
    try:
        assert check(lab, where="h1", code=0) == {}
        lab.lldpad["h1"].process.kill(signal.SIGHUP)
        wait_for("the loss, and lldpad to be back", lambda: set(
            check(lab, where="h1", code=None)) == {"vsi-lost"})
        found = check(lab, where="h1")
        assert "lldpad was reloaded" in found["vsi-lost"]
        assert f"associate -i e0 --instanceid {vm.uuid}" in found["vsi-lost"]
        space.ip("link del tap7", "link add vbr type bridge stp_state 1",
                 "tuntap add vnet0 mode tap")
        wait_for("no findings", lambda: not check(lab, where="h1", code=None))
        space.ip("link set vnet0 master vbr")
        space.run("bridge", "fdb", "add", vm.mac, "dev", "vnet0", "master", "static")
        assert set(check(lab, where="h1")) == {"vsi-lost"}
        wait_for("VDP", lambda: vm.vdp("h1", "assoc", check=False))
        assert check(lab, where="h1", code=0) == {}
    finally:
        for name in ("tap7", "vnet0", "vbr"):
            run("ip", "-n", space.name, "link", "del", name, check=False)


def test_neighbour_of_the_same_evb_mode(healthy):
    """lldpad announces a new mode with its next LLDPDU, and plays it only from its start."""
    lab = healthy
    tool = lab.lldpad["h2"].tool
    evb = ("-T", "-i", "e0", "-g", "ncb", "-V", "evb")
    tool(*evb, "evbmode=bridge")
    tool(*evb, "evbrrcap=no")
    try:
        wait_for("the TLV", lambda: "mode:bridge" in lab.lldpad["sw"].tool(
            "-t", "-n", "-i", "p2", "-g", "ncb", "-V", "evb"))
        found = check(lab, "--quick")
        assert set(found) == {"neighbour-mode"}
        assert "p2: both ends have EVB mode bridge" in found["neighbour-mode"]
        assert set(check(lab, where="h2")) == {"evb-mode"}
    finally:
        tool(*evb, "evbmode=station")
        tool(*evb, "evbrrcap=no")
    wait_for("no findings", lambda: not check(lab, "--quick", code=None))


def test_libvirt_whose_netlink_port_has_bit_31_set(healthy):
    """A process of libvirt's name with such a socket; and one whose port is good."""
    program = ("import ctypes, os, socket, sys\n"
               "ctypes.CDLL(None).prctl(15, b'virtqemud', 0, 0, 0)\n"
               "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n"
               "s.bind((os.getpid() | int(sys.argv[1]) << 22, 0))\n"
               "print('bound', flush=True); s.recv(1)\n")
    for high, names in ((645, {"libvirt-netlink"}), (12, set())):
        process = healthy.space["h1"].start("virtqemud", "/usr/bin/python3", "-c",
                                            program, str(high))
        process.wait_line("bound")
        found = check(healthy, where="h1", code=1 if names else 0)
        assert set(found) == names
        process.stop()


def test_forward_delay_and_stp_of_a_hypervisor_s_bridge(healthy):
    space = healthy.space["h2"]
    space.ip("link add vbr type bridge stp_state 1 forward_delay 1500",
             "link set e0 master vbr")
    try:
        found = check(healthy, where="h2")
        assert set(found) == {"forward-delay"} and "of 15 s" in found["forward-delay"]
        space.ip("link set vbr type bridge stp_state 0")
        assert set(check(healthy, where="h2")) == {"stp-off"}
    finally:
        space.ip("link set e0 nomaster", "link del vbr")


def test_port_without_an_evb_mode_and_one_set_too_late(healthy):
    lab = healthy
    lab.lldpad["sw"].set("p4", "use=yes")
    wait_for("the port", lambda: any(x["port"] == "p4" for x in lab.show("sw", "ports")))
    try:
        found = check(lab, "--quick")
        assert set(found) == {"evb-mode"}
        assert "p4: its EVB mode is not set" in found["evb-mode"]
        lab.lldpad["sw"].tool("-T", "-i", "p4", "-g", "ncb", "-V", "evb",
                              "evbmode=bridge")
        found = check(lab, "--quick")
        assert set(found) == {"evb-mode"}, found
        assert "lldpad has read the role (none) before that" in found["evb-mode"]
    finally:
        lab.lldpad["sw"].set("p4", "use=no")


def test_module_that_does_not_speak_with_the_engine(healthy):
    lab = healthy
    lab.lldpad["h2"].process.kill(signal.SIGSTOP)
    lab.engine["h2"].stop()
    try:
        lab.engine_start("h2")
        found = check(lab, where="h2")
        assert set(found) == {"versions"} and "the module in lldpad" in found["versions"]
        assert "wait a minute" in found["versions"]
    finally:
        lab.lldpad["h2"].process.kill(signal.SIGCONT)
    lab.wait_linked("h2")


def test_lldpad_without_the_module_or_not_running(healthy):
    lab = healthy
    lldpad = lab.lldpad["h2"]
    lldpad.stop()
    try:
        assert set(check(lab, where="h2")) == {"lldpad-not-running"}
        found = check(lab, "--quick")
        assert set(found) == {"neighbour-silent"} and "p2: " in found["neighbour-silent"]
        assert "ask again in 30 s" in found["neighbour-silent"]
        lldpad.module = False
        lldpad.start()
        wait_for("lldpad", lambda: "module-not-loaded" in check(lab, where="h2"))
        found = check(lab, where="h2")
        assert set(found) == {"module-not-loaded"}
        assert "lldpad.service.d has the drop-in" in found["module-not-loaded"]
        assert "runs without the module" in found["module-not-loaded"]
    finally:
        lldpad.stop()
        lldpad.module = True
        lldpad.start()
        lab.wait_lldp(("h2",))


def test_port_that_a_switch_chip_forwards(healthy):
    """To the command alone, by another directory in its /sys."""
    done = healthy.sw.run("sh", "-ec", "d=$(readlink -f /sys/class/net/p1); "
                          "mount -t tmpfs none $d; mkdir $d/brport; "
                          "ln -s /sys/class/net/br0 $d/brport/bridge; "
                          "echo 00154d0102 >$d/phys_switch_id; exec $0 check --quick",
                          built("vdp-migrate"), check=False)
    found = re.findall(r"^(\S+): (p\d): a switch chip", done, re.M)
    assert found == [("offloaded", "p1")]


def test_lldpad_that_hangs(healthy):
    healthy.lldpad["sw"].process.kill(signal.SIGSTOP)
    try:
        assert set(check(healthy, "--quick")) == {"lldpad-silent"}
    finally:
        healthy.lldpad["sw"].process.kill(signal.SIGCONT)


def test_timers_that_were_lowered_and_live_on_between_the_ends(healthy):
    lab = healthy
    evb = ("-g", "ncb", "-V", "evb")

    def timers(where):
        return check(lab, "--quick", where=where, code=None).get("evb-timers", "")
    lab.lldpad["sw"].tool("-T", "-i", "p1", *evb, "vdprka=17")
    wait_for("the server to follow", lambda: "on the switch, too" in timers("h1"))
    assert check(lab, "--quick", code=0) == {}
    lab.lldpad["sw"].tool("-T", "-i", "p1", *evb, "vdprka=16")
    wait_for("the switch's", lambda: "on the server, too" in timers("sw"))
    assert "p1: vdprka=16 (0.655 s) is set, and 17 (1.31 s)" in timers("sw")
    # What is said to cure it does.
    lab.lldpad["sw"].stop()
    lab.lldpad["sw"].start()
    lab.wait_linked("sw")
    wait_for("no findings", lambda: not check(lab, "--quick", code=None)
             and not check(lab, where="h1", code=None), 15.0)
    lab.wait_lldp()


def test_wrong_use(healthy):
    with pytest.raises(CommandFailed, match="exit 3: .*what is 'p1'"):
        healthy.cli("sw", "check", "p1")


