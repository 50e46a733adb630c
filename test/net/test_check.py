# SPDX-License-Identifier: GPL-2.0-only
"""
`vdp-migrate check` against a set-up that is broken in one way at a time, and whole again
after it.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

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
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return dict(re.findall(r"^([a-z-]+): (.*\n    cure: .*)$", done.stdout, re.M))


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


def test_state_directory_of_another_user(healthy):
    path = healthy.state("sw")
    owner = os.stat(path)
    os.chown(path, 0, 0)
    try:
        found = check(healthy, "--quick")
        assert set(found) == {"state-dir"} and path in found["state-dir"]
    finally:
        os.chown(path, owner.st_uid, owner.st_gid)


def test_user_who_is_not_let_in_is_told_so(healthy):
    done = run("ip", "netns", "exec", healthy.sw.name, "setpriv", "--reuid=65534",
               "--regid=65534", "--clear-groups", built("vdp-migrate"), "check",
               check=False)
    assert "not-root: " in done and "not-let-in: " in done
    assert "usermod -aG vdp-migrate" in done


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


def test_lldpad_without_the_module_or_not_running(healthy):
    lab = healthy
    lldpad = lab.lldpad["h2"]
    lldpad.stop()
    try:
        assert set(check(lab, where="h2")) == {"lldpad-not-running"}
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


def test_port_that_a_switch_chip_forwards(healthy):
    """To the command alone, by another directory in its /sys."""
    done = healthy.sw.run("sh", "-ec", "d=$(readlink -f /sys/class/net/p1); "
                          "mount -t tmpfs none $d; mkdir $d/brport; "
                          "ln -s /sys/class/net/br0 $d/brport/bridge; "
                          "echo 00154d0102 >$d/phys_switch_id; exec $0 check --quick",
                          built("vdp-migrate"), check=False)
    found = re.findall(r"^(\S+): (p\d): a switch chip", done, re.M)
    assert found == [("offloaded", "p1")]


def test_module_that_does_not_speak_with_the_engine(healthy):
    lab = healthy
    lab.lldpad["h2"].process.kill(signal.SIGSTOP)
    lab.engine["h2"].stop()
    try:
        lab.engine_start("h2")
        found = check(lab, where="h2")
        assert set(found) == {"versions"} and "the module in lldpad" in found["versions"]
    finally:
        lab.lldpad["h2"].process.kill(signal.SIGCONT)
    lab.wait_linked("h2")


def test_lldpad_that_hangs(healthy):
    healthy.lldpad["sw"].process.kill(signal.SIGSTOP)
    try:
        assert set(check(healthy, "--quick")) == {"lldpad-silent"}
    finally:
        healthy.lldpad["sw"].process.kill(signal.SIGCONT)


def test_engine_of_another_version(healthy):
    space = healthy.space["other"]
    with space.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        with space.inside():
            listener.bind("\0vdp-migrate")
        listener.listen(1)

        def answer():
            engine, _ = listener.accept()
            with engine:
                hello = engine.recv(100)
                engine.send(hello[:1] + b"\xfe" + hello[2:])
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = check(healthy, where="other")
        thread.join(5)
    assert "engine that runs and vdp-migrate are of different" in found["versions"]


def test_programs_of_before_an_upgrade(healthy):
    """They still run and their files are others now."""
    lab = healthy
    copy = os.path.join(lab.space["other"].dir, "vdp-migrated")
    shutil.copy(os.path.realpath(built("vdp-migrated")), copy)
    engine = lab.space["other"].start("old", copy, "-d", "--state", lab.state("other"))
    engine.wait_line("serves")
    os.unlink(copy)
    found = check(lab, where="other")
    engine.stop()
    lab.space["other"].run("nft", "delete", "table", "bridge", "vdp_migrate")
    assert set(found) == {"engine-old", "lldpad-not-running"}


@pytest.mark.parametrize("program, command, name, says", [
    ("/bin/busybox", "exec -a busybox ./lldpad sleep 60", "module-not-loaded",
     "is a static binary"),
    ("/bin/sleep", "setcap cap_net_raw+ep lldpad; exec setpriv --reuid=65534 "
     "--clear-groups --regid=65534 ./lldpad 60", "module-not-loaded", "the linker ignores LD_PRELOAD"),
    ("/bin/sleep", "LD_PRELOAD=/none/vdp_migrate.so exec ./lldpad 60",
     "module-not-loaded", "was told to load the module and has not"),
    ("/bin/sleep", "cp $MODULE vdp_migrate.so; { until grep -qs vdp_migrate.so "
     "/proc/$$/maps; do sleep 0.02; done; rm vdp_migrate.so; } & "
     "LD_PRELOAD=$PWD/vdp_migrate.so exec ./lldpad 60", "module-old",
     "before an upgrade"),
])
def test_lldpad_without_its_module(healthy, program, command, name, says):
    """Other programs of that name have the same in /proc."""
    space = healthy.space["other"]
    shutil.copy(os.path.realpath(program), os.path.join(space.dir, "lldpad"))
    process = space.start("lldpad", "bash", "-ec", f"cd {space.dir}; {command}",
                          env=dict(os.environ, MODULE=built("vdp_migrate.so")))
    try:
        wait_for(name, lambda: says in check(healthy, where="other").get(name, ""), 5.0)
        assert set(check(healthy, where="other")) == {name, "engine-not-running",
                                                      "guard-gone"}
    finally:
        process.stop()


def test_wrong_use(healthy):
    with pytest.raises(CommandFailed, match="exit 3: .*what is 'p1'"):
        healthy.cli("sw", "check", "p1")


def test_setup_shows_what_it_will_do_and_does_it_when_told(healthy):
    lab = healthy
    argv = ("setup", "switch", "p4", "--server", DHCP, "--giaddr", SWITCH, "--uplink",
            "p3")
    lab.sw.ip("link set br0 type bridge stp_state 0 mcast_querier 0")
    with open(lab.lldpad["sw"].conf, encoding="ascii") as f:
        before = f.read()
    try:
        shown = lab.cli("sw", *argv).splitlines()
        ours = "lldptool -T -i {} -g ncb -V 0x02564d01 use=yes "
        assert shown[:-1] == [
            "ip link set br0 type bridge stp_state 1 forward_delay 200",
            "ip link set br0 type bridge mcast_querier 1",
            "lldptool -L -i p4 -g ncb adminStatus=rxtx",
            "lldptool -T -i p4 -g ncb -V evb enableTx=yes",
            "lldptool -T -i p4 -g ncb -V evb evbmode=bridge",
            ours.format("p4") + f"guard=monitor servers={DHCP} giaddr={SWITCH}",
            ours.format("p3") + "trusted=yes"]
        with open(lab.lldpad["sw"].conf, encoding="ascii") as f:
            assert f.read() == before
        lab.cli("sw", *argv, "--apply")
        info = lab.sw.ip_json("-d", "link", "show", "br0")[0]["linkinfo"]["info_data"]
        assert info["stp_state"] == 1 and info["mcast_querier"] == 1
        with open(lab.lldpad["sw"].conf, encoding="ascii") as f:
            p4 = re.search(r"\n  p4 : .*?\n  };", f.read(), re.S)[0]
        for line in ("adminStatus = 3;", "enableTx = true;", 'evbmode = "bridge";',
                     'use = "yes";', 'guard = "monitor";', f'servers = "{DHCP}";'):
            assert line in p4, p4
        lab.lldpad["sw"].stop()
        lab.lldpad["sw"].start()
        wait_for("p4 as it was set up", lambda: any(
            (x["port"], x["role"], x["in_force"]) == ("p4", "bridge", "monitor")
            for x in lab.show("sw", "ports")), 15.0)
        wait_for("no findings", lambda: lab.cli("sw", "check", check=False)
                 == "nothing wrong found\n")
        # A guard that is set stays.
        lab.lldpad["sw"].set("p4", "guard=enforce!")
        assert "guard=" not in lab.cli("sw", *argv, "--apply")
        assert "guard=enforce" in lab.lldpad["sw"].get("p4", "guard")
        lab.lldpad["sw"].set("p4", "guard=monitor")
    finally:
        lab.sw.ip("link set br0 type bridge stp_state 1 mcast_querier 1")


def test_setup_of_a_server_and_what_it_refuses(healthy):
    shown = healthy.cli("h1", "setup", "server", "e0")
    assert "evbmode=station" in shown and "guard" not in shown
    for argv, said in ((("e7",), "no interface 'e7'"), ((), "a port is wanted"),
                       (("e0", "--server", DHCP), "a server has no --server")):
        with pytest.raises(CommandFailed, match=f"exit 3: .*{said}"):
            healthy.cli("h1", "setup", "server", *argv)
    with pytest.raises(CommandFailed, match="exit 1: .*no more is done"):
        healthy.space["other"].run(built("vdp-migrate"), "setup", "server", "x0",
                                   "--apply")
