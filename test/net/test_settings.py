# SPDX-License-Identifier: GPL-2.0-only
"""
Settings by the stock lldptool, and by the product's command for all ports: in force at
once, kept, and refused where wrong or where they would cut somebody off.
"""
import contextlib

import pytest

import lab as lab_module
from fake_engine import FakeEngine
from netns import CommandFailed, wait_for
from product import settings
from test_attach import compiled

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
    lldpad.set("p1", "guard=enforce!")
    wait_for("the guard", lambda: _port(lab, "p1")["in_force"] == "enforce")
    dropped, first = lab.dropped("p1"), ping.next()
    wait_for("the guard to drop", lambda: lab.dropped("p1") >= dropped + 3)
    assert not [n for n in ping.stop().replies(first + 1)]


def test_monitor_counts_and_drops_nothing(lab, vm):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p1", "guard=monitor")
    try:
        wait_for("monitor", lambda: _port(lab, "p1")["in_force"] == "monitor")
        vm.ip = "10.9.0.66"
        vm.resume("h1")
        before, ping = lab.dropped("p1"), vm.ping()
        wait_for("a ping", ping.replies)
        wait_for("the guard to count", lambda: lab.dropped("p1") > before)
        ping.stop()
    finally:
        lldpad.set("p1", "guard=enforce!")
        wait_for("the guard", lambda: _port(lab, "p1")["in_force"] == "enforce")


def test_setting_is_read_back(lab):
    lldpad = lab.lldpad["sw"]
    for value in ("off", "leasequery", "help", "auto"):
        lldpad.set("p2", f"assist={value}")
        assert f"assist={value}" in lldpad.get("p2", "assist")
        wait_for("the engine to know", lambda v=value: _port(lab, "p2")["assist"] == v)
    shown = lldpad.get("p2")
    for name in ("use", "assist", "guard", "trusted", "servers", "giaddr", "keys",
                 "remote-id", "advertise"):
        assert f"{name}=" in shown


@pytest.mark.parametrize("setting", ["guard=yes", "assist=yes", "use=maybe",
                                     "servers=10.9.0", "giaddr=300.1.1.1", "trusted=1",
                                     "keys=mac,mac", "keys=", "remote-id=hex",
                                     "advertise=1"])
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
    wait_for("monitor", lambda: _port(lab, "p2")["in_force"] == "monitor")
    lldpad.set("p2", "guard=enforce!", "servers=10.9.0.1")


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


def test_keys_and_remote_id_reach_the_engine(lab):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p2", "keys=client-id,mac", "remote-id=text")
    wait_for("the engine to know", lambda: _port(lab, "p2")["keys"] == "client-id,mac"
             and _port(lab, "p2")["remote_id"] == "text")
    lldpad.set("p2", "keys=mac", "remote-id=binary")


# Settings of the group

@contextlib.contextmanager
def _group(lab, setting):
    """Set for all ports while the block runs; taken away afterwards."""
    lab.cli("sw", "set", setting)
    try:
        yield
    finally:
        lab.cli("sw", "set", setting.split("=")[0] + "=")


def _table(lab):
    """{(port, name): (value, from)}"""
    return {(r["port"], r["name"]): (r["value"], r["from"])
            for r in lab.show("sw", "settings")}


def test_value_of_the_group_holds_where_a_port_has_none_of_its_own(lab):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p2", "remote-id=binary")
    with _group(lab, "remote-id=text"):
        wait_for("the engine to know", lambda: _port(lab, "p1")["remote_id"] == "text")
        assert _port(lab, "p2")["remote_id"] == "binary"
        table = _table(lab)
        assert table["p1", "remote-id"] == ("text", "group")
        assert table["p2", "remote-id"] == ("binary", "port")
        assert table["p1", "advertise"] == ("yes", "default")
        assert "remote-id=text" in lldpad.get("p1", "remote-id")
        assert "remote-id" in lab.cli("sw", "set")      # alone: the same table
    wait_for("the default", lambda: _port(lab, "p1")["remote_id"] == "binary")


def test_value_of_the_group_is_kept_over_a_restart_of_lldpad(lab):
    lldpad = lab.lldpad["sw"]
    with _group(lab, "remote-id=text"):
        with open(lldpad.conf, encoding="ascii") as f:
            assert 'remote-id = "text"' in f.read()
        lldpad.stop()
        lldpad.start()
        lab.wait_lldp()
        lab.wait_linked("sw")
        assert _table(lab)["p1", "remote-id"] == ("text", "group")
    with open(lldpad.conf, encoding="ascii") as f:
        assert 'remote-id = "text"' not in f.read()


@pytest.mark.parametrize("wrong, why", (
    ("remote-id=hex", "takes text, binary"), ("remoteid=text", "no setting 'remoteid'"),
    ("remoteid=", "no setting 'remoteid'"), ("=text", "NAME=VALUE"), ("text", "NAME=VALUE")))
def test_wrong_value_for_the_group_is_refused_with_its_reason(lab, wrong, why):
    with pytest.raises(CommandFailed, match=why):
        lab.cli("sw", "set", wrong)


# What enforce would cut off

def _refused(lab, port, why):
    lldpad, before = lab.lldpad["sw"], lab.lldpad["sw"].get(port, "guard")
    line = len(lldpad.process.lines)
    with pytest.raises(CommandFailed, match=why):
        lldpad.set(port, "guard=enforce")
    lldpad.process.wait_line(f"{port}: setting guard: 'enforce' refused: .*{why}", since=line)
    assert lldpad.get(port, "guard") == before


def test_enforce_is_refused_without_an_engine_and_enforce_anyway_is_not(lab):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p2", "guard=monitor")
    lab.engine["sw"].stop()
    try:
        wait_for("the module to notice", lambda: lldpad.process.find("engine not running"))
        _refused(lab, "p2", "engine not running")
        assert "guard=enforce" in lldpad.set("p2", "guard=enforce!")
        assert lldpad.get("p2", "guard").strip().endswith("guard=enforce")
    finally:
        lab.engine_start("sw")
        lab.wait_linked("sw")
    wait_for("the guard", lambda: _port(lab, "p2")["in_force"] == "enforce")


def test_enforce_waits_for_a_list_of_open_cases_that_is_complete_and_empty(lab):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p2", "guard=monitor")
    lab.engine["sw"].stop()
    engine = FakeEngine(lab.sw)
    try:
        wait_for("the module", lambda: lldpad.process.find("engine connected"))
        _refused(lab, "p2", "not every VM here has been looked for")
        engine.cases("p2", True, 3)
        wait_for("three", lambda: _raises(lldpad, "3 open cases"))
        engine.cases("p2", False, 0)
        wait_for("an incomplete list", lambda: _raises(lldpad, "looked for"))
        engine.cases("p2", True, 0)
        wait_for("enforce to be taken", lambda: not _raises(lldpad, "."))
        assert lldpad.get("p2", "guard").strip().endswith("guard=enforce")
    finally:
        engine.close()
        lab.engine_start("sw")
        lab.wait_linked("sw")
    wait_for("the guard", lambda: _port(lab, "p2")["in_force"] == "enforce")


def _raises(lldpad, why):
    try:
        lldpad.set("p2", "guard=enforce")
    except CommandFailed as e:
        return why in str(e) or why == "."
    return False


# Ports that an ASIC forwards

SHIM = r"""
    #include <fcntl.h>
    #include <stdarg.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int open(const char *path, int flags, ...)
    {
        va_list args;
        mode_t mode;
        va_start(args, flags);
        mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
        va_end(args);
        if (!strcmp(path, "/sys/class/net/p1/phys_switch_id"))
            path = "%s";
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }"""


def test_port_that_an_asic_forwards_gets_no_guard():
    """Its phys_switch_id is readable, as far as lldpad sees."""
    with lab_module.Lab(ours=settings(), module_at=("sw",)) as lab:
        lldpad = lab.lldpad["sw"]
        lldpad.stop()
        with open(f"{lab.sw.dir}/id", "w", encoding="ascii") as f:
            f.write("00154d0a0b0c\n")
        shim = compiled(lab.world, "shim.so", SHIM % f"{lab.sw.dir}/id", "-shared", "-fPIC")
        lldpad.process = lab.sw.start(
            "lldpad", "env", f"LD_PRELOAD={shim}:{lab_module.built('vdp_migrate.so')}",
            lab_module.LLDPAD, "-f", lldpad.conf, "-V", "6",
            private=lab_module.PRIVATE_RUN)
        lldpad.process.wait_line("p1: no guard: an ASIC forwards")
        lab.wait_lldp()
        assert "guard=off" in lldpad.get("p1", "guard")
        assert "guard=enforce" in lldpad.get("p2", "guard")
        for value in ("monitor", "enforce", "enforce!"):
            with pytest.raises(CommandFailed, match="ASIC"):
                lldpad.set("p1", f"guard={value}")
        lldpad.set("p1", "guard=off", "trusted=yes")
        assert len([x for x in lldpad.process.lines if "no guard: an ASIC" in x]) == 1
