# SPDX-License-Identifier: GPL-2.0-only
"""Settings by the stock lldptool: in force at once, kept, and refused where wrong."""
import pytest

from netns import CommandFailed, wait_for

LAB = {}


def _port(lab, name):
    return next(row for row in lab.show("sw", "ports") if row["port"] == name)


def test_setting_is_in_force_at_once(lab, vm):
    lldpad = lab.lldpad["sw"]
    vm.ip = "10.9.0.66"     # never leased
    vm.resume("h1")
    ping = vm.ping()
    wait_for("the guard to drop", lambda: lab.dropped("p1") >= 3)
    assert not ping.replies()
    lldpad.set("p1", "guard=off")
    wait_for("a ping without guard", ping.replies)
    lldpad.set("p1", "guard=enforce")
    wait_for("the guard", lambda: _port(lab, "p1")["in-force"] == "enforce")
    dropped, first = lab.dropped("p1"), ping.next()
    wait_for("the guard to drop", lambda: lab.dropped("p1") >= dropped + 3)
    assert not [n for n in ping.stop().replies(first + 1)]


def test_monitor_counts_and_drops_nothing(lab, vm):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p1", "guard=monitor")
    try:
        wait_for("monitor", lambda: _port(lab, "p1")["in-force"] == "monitor")
        vm.ip = "10.9.0.66"
        vm.resume("h1")
        before, ping = lab.dropped("p1"), vm.ping()
        wait_for("a ping", ping.replies)
        wait_for("the guard to count", lambda: lab.dropped("p1") > before)
        ping.stop()
    finally:
        lldpad.set("p1", "guard=enforce")
        wait_for("the guard", lambda: _port(lab, "p1")["in-force"] == "enforce")


def test_setting_is_read_back(lab):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p2", "assist=off")
    assert "assist=off" in lldpad.get("p2", "assist")
    lldpad.set("p2", "assist=leasequery")
    shown = lldpad.get("p2")
    for name in ("use", "assist", "guard", "trusted", "servers", "giaddr"):
        assert name in shown


@pytest.mark.parametrize("setting", ["guard=yes", "assist=auto", "use=maybe",
                                     "servers=10.9.0", "giaddr=300.1.1.1", "trusted=1"])
def test_wrong_value_is_refused_naming_the_setting_and_what_it_takes(lab, setting):
    lldpad = lab.lldpad["sw"]
    name = setting.split("=")[0]
    before, line = lldpad.get("p2", name), len(lldpad.process.lines)
    with pytest.raises(CommandFailed):
        lldpad.set("p2", setting)
    assert lldpad.get("p2", name) == before
    lldpad.process.wait_line(rf"{name}.*takes", since=line)


def test_settings_are_kept_over_a_restart_of_lldpad(lab):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p2", "guard=monitor", "servers=10.9.0.1,7:10.9.0.2")
    lldpad.stop()
    lldpad.start()
    lab.wait_lldp()
    lab.wait_linked("sw")
    assert "guard=monitor" in lldpad.get("p2", "guard")
    assert "servers=10.9.0.1,7:10.9.0.2" in lldpad.get("p2", "servers")
    wait_for("monitor", lambda: _port(lab, "p2")["in-force"] == "monitor")
    lldpad.set("p2", "guard=enforce", "servers=10.9.0.1")


def test_port_that_is_not_used_has_no_guard(lab, vm):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p1", "use=no")
    try:
        wait_for("no guard", lambda: "p1" not in _guarded(lab))
        vm.ip = "10.9.0.66"
        vm.resume("h1")
        ping = vm.ping()
        wait_for("a ping", ping.replies)
        ping.stop()
    finally:
        lldpad.set("p1", "use=yes")
        wait_for("the guard", lambda: "p1" in _guarded(lab))


def _guarded(lab):
    """The ports in the kernel's verdict map."""
    text = lab.sw.run("nft", "list", "map", "bridge", "vdp_migrate", "ports", check=False)
    return {p for p in ("p1", "p2") if f'"{p}"' in text}
