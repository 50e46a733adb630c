# SPDX-License-Identifier: GPL-2.0-only
"""
The way out in an emergency, `vdp-migrate guard off --all`: with the engine alive, stopped
and dead, with lldpad dead. A VM whose address nobody has bound is what the guard drops.
"""
import signal

import pytest

import frames
from lab import DHCP, built
from netns import CommandFailed, wait_for

LAB = {}
ETH_P_ARP = 0x0806
FORGED = "10.9.0.222"


def in_force(lab, port="p1"):
    return next((x["in_force"] for x in lab.show("sw", "ports")
                 if x["port"] == port), None)


def passes(lab):
    """Frames of a sender without a binding behind p1 get to the DHCP server's side;
    what comes from p4, which is not ours, says that those before it have passed, or
    never will."""
    forged = frames.arp_request("52:54:00:00:ee:01", FORGED, DHCP)
    marker = frames.arp_request("52:54:00:00:ee:04", "10.9.0.223", DHCP)
    seen = 0
    with lab.space["dhcp"].packet_socket("d0", ETH_P_ARP) as heard:
        heard.settimeout(2)
        for _ in range(3):
            lab.space["h1"].send_frame("e0", forged)
        lab.space["other"].send_frame("x0", marker)
        while (frame := heard.recv(200))[:42] != marker[:42]:
            seen += frame[:42] == forged[:42]
    assert seen in (0, 3)
    return seen == 3


@pytest.fixture
def guarded(lab):
    wait_for("the guard", lambda: in_force(lab) == "enforce" == in_force(lab, "p2"))
    assert not passes(lab)
    yield lab
    lab.cli("sw", "guard", "on", check=False)
    wait_for("the guard again", lambda: in_force(lab) == "enforce", 15.0)


def off(lab):
    return lab.cli("sw", "guard", "off", "--all")


def test_engine_alive_leaves_every_port_open_until_it_is_taken_back(guarded, vm):
    lab, engine = guarded, guarded.engine["sw"]
    watch = lab.sw.start("watch", built("vdp-migrate"), "watch")
    watch.wait_line("watching")
    since, puts = len(engine.lines), lab.counter("guard_put_back")
    said = off(lab)
    assert passes(lab)
    assert "every port is open" in said and "p1              enforce" in said
    wait_for("the engine to see it", lambda: in_force(lab) == "off: opened by hand")
    watch.wait_line(r"guard opened \(by hand\)$")
    # What is set, bound or flushed meanwhile opens and closes nothing.
    lab.lldpad["sw"].set("p2", "guard=monitor")
    lab.born(vm)
    lab.sw.run("nft", "flush", "ruleset")
    wait_for("the rules again", lambda: lab.in_kernel(vm) == {"p1"})
    lab.lldpad["sw"].set("p2", "guard=enforce!")
    wait_for("the setting", lambda: next(
        x["guard"] for x in lab.show("sw", "ports") if x["port"] == "p2") == "enforce")
    assert passes(lab) and "opened by hand" in lab.cli("sw", "guard")
    lines = [x for x in engine.lines[since:] if "opened by hand" in x]
    assert len(lines) == 1, lines
    assert lab.counter("guard_put_back") == puts + 1, "the flush, and no more"
    assert "in force again" in lab.cli("sw", "guard", "on")
    wait_for("the guard", lambda: in_force(lab) == "enforce" == in_force(lab, "p2"))
    assert not passes(lab)
    assert lab.cli("sw", "guard").splitlines() == ["  p1              enforce",
                                                   "  p2              enforce"]
    assert "nothing to take back" in lab.cli("sw", "guard", "on")
    watch.wait_line(r"guard as set \(by hand\)$")
    watch.stop()


def test_off_is_noticed_with_no_port_to_open_and_the_second_time_is_nothing_new(guarded):
    lab, engine = guarded, guarded.engine["sw"]
    for port in ("p1", "p2"):
        lab.lldpad["sw"].set(port, "guard=off")
    try:
        wait_for("no port guarded", lambda: lab.cli("sw", "guard")
                 == "in the kernel, and no port is guarded\n")
        since, puts = len(engine.lines), lab.counter("guard_put_back")
        off(lab)
        engine.wait_line("every port was opened by hand", since=since)
        assert "opened before" in off(lab)
    finally:
        for port in ("p1", "p2"):
            lab.lldpad["sw"].set(port, "guard=enforce!")
    wait_for("the setting", lambda: {x["guard"] for x in lab.show("sw", "ports")
                                     if x["port"] in ("p1", "p2")} == {"enforce"})
    assert passes(lab) and in_force(lab) == "off: opened by hand"
    assert lab.counter("guard_put_back") == puts
    assert not [x for x in engine.lines[since:] if "somebody else" in x]


def test_stopped_engine_keeps_no_port_shut_and_honours_it_when_it_goes_on(guarded):
    lab, engine = guarded, guarded.engine["sw"]
    engine.kill(signal.SIGSTOP)
    try:
        off(lab)
        assert passes(lab)
    finally:
        engine.kill(signal.SIGCONT)
    wait_for("the engine to see it", lambda: in_force(lab) == "off: opened by hand")
    assert passes(lab)


def test_dead_engine_and_lldpad_and_the_next_ones_leave_it_open(guarded):
    lab = guarded
    lab.engine["sw"].stop(signal.SIGKILL)
    lab.lldpad["sw"].process.stop(signal.SIGKILL)
    # Whatever shell the operator has in this night.
    lab.sw.run("env", "-i", "PATH=/nowhere", built("vdp-migrate"), "guard", "off", "--all")
    assert passes(lab) and "opened by hand on every port" in lab.cli("sw", "guard")
    lab.engine_start("sw")
    assert passes(lab)
    lab.lldpad["sw"].start()
    lab.wait_linked("sw")
    assert in_force(lab) == "off: opened by hand" and passes(lab)
    lab.cli("sw", "guard", "on")
    wait_for("the guard", lambda: in_force(lab) == "enforce")
    assert not passes(lab)


def test_lldpad_dead_and_the_engine_started_without_it_opens_what_the_kernel_had(guarded):
    lab = guarded
    lab.lldpad["sw"].process.stop(signal.SIGKILL)
    lab.engine["sw"].stop()
    lab.engine_start("sw")
    assert not passes(lab)
    off(lab)
    assert passes(lab)
    wait_for("the engine to see it", lambda: in_force(lab) == "off: opened by hand")
    assert passes(lab)
    lab.lldpad["sw"].start()
    lab.wait_linked("sw")


def test_table_of_another_shape_is_no_obstacle(guarded):
    space = guarded.space["other"]
    space.run("nft", "-f", "-", input="table bridge vdp_migrate { map ports "
              "{ type ipv4_addr : verdict; }; chain pre { type filter hook prerouting "
              "priority 0; ip saddr vmap @ports; }; }")
    tool = built("vdp-migrate")
    assert "every port is open" in space.run(tool, "guard", "off", "--all")
    assert "map ports" not in space.run("nft", "list", "ruleset")
    assert "no longer held open" in space.run(tool, "guard", "on")
    space.run("nft", "delete", "table", "bridge", "vdp_migrate")
    assert "not in the kernel" in space.run(tool, "guard")


def test_wrong_use_says_what_is_right(guarded):
    for argv, said in ((("off",), "every port: off --all"), (("of", "--all"), "or on")):
        with pytest.raises(CommandFailed, match=f"exit 3: .*{said}"):
            guarded.cli("sw", "guard", *argv)


@pytest.mark.parametrize("words", ((), ("off", "--all"), ("on",)))
def test_who_is_not_root_is_told_so_and_opens_nothing(guarded, words):
    with pytest.raises(CommandFailed, match="exit 1: .*this needs root"):
        guarded.sw.run("setpriv", "--reuid=nobody", "--clear-groups",
                       built("vdp-migrate"), "guard", *words)
    assert not passes(guarded)
