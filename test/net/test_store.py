# SPDX-License-Identifier: GPL-2.0-only
"""
What outlives the engine: bindings in the store beside those in the kernel, and static
addresses. Store, guard and table are three places that must say the same.
"""
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import threading

import pytest

import frames
from lab import SWITCH, built
from netns import CommandFailed, wait_for

LAB = {"rka": 18}
KILLS = int(os.environ.get("VDP_MIGRATE_KILLS", "20"))


def _file(lab):
    return os.path.join(lab.state("sw"), "bindings.db")


def _rows(lab):
    """{(port, MAC, address): row} of the store."""
    with contextlib.closing(sqlite3.connect(f"file:{_file(lab)}?mode=ro", uri=True,
                                            timeout=5)) as db:
        db.row_factory = sqlite3.Row
        return {(row["port"], row["mac"], row["ip"]): dict(row)
                for row in db.execute("SELECT * FROM binding")}


def _kept(lab, vm):
    """{port: row of the store} of a VM's address."""
    try:
        return {port: row for (port, mac, ip), row in _rows(lab).items()
                if (mac, ip) == (vm.mac, vm.ip)}
    except sqlite3.Error:
        return {}


def _table(lab):
    return {(row["port"] or "", row["mac"], row["address"]): row
            for row in lab.show("sw", "bindings")}


def _kernel(lab):
    listing = lab.nft("b4u")
    elements = next((x["set"].get("elem", ()) for x in listing if "set" in x), ())
    return {tuple((e["elem"]["val"] if "elem" in e else e)["concat"]) for e in elements}


def _restart(lab, number=signal.SIGTERM):
    lab.engine["sw"].stop(number)
    engine = lab.engine_start("sw")
    lab.wait_linked("sw")
    return engine


def _bind(lab, command, vm, *port, ip=None, check=True):
    """What the command says, and its status."""
    said = lab.sw.run("sh", "-c", '"$0" "$@" 2>&1; echo "status $?"',
                      built("vdp-migrate"), command, "0", vm.mac, ip or vm.ip, *port)
    if check and "status 0" not in said:
        raise CommandFailed(f"{command}: {said}")
    return said


def _born(lab, vm):
    """vdptool may be told the end of the VSI of the test before."""
    wait_for("an association", lambda: vm.vdp("h1", "assoc", check=False))
    lab.born(vm)


def _has_address(vm, ip):
    vm.ip = ip
    vm.space.ip(f"addr add {ip}/24 dev eth{vm.at[1]}")


def _answers(vm):
    ping = vm.ping()
    wait_for("a ping", ping.replies)
    ping.stop()


def _forged_is_dropped(lab, vm):
    before = lab.dropped(vm.port)
    vm.space.send_frame(f"eth{vm.at[1]}", frames.arp_request(vm.mac, "10.9.0.66",
                                                             "10.9.0.1"))
    wait_for("a forged frame to be dropped", lambda: lab.dropped(vm.port) > before)


# Bindings


def test_what_the_kernel_has_lost_comes_back_from_the_store(lab, vm):
    _born(lab, vm)
    kept = wait_for("the store to have it", lambda: _kept(lab, vm).get("p1"))
    assert kept["bridge"] == "br0" and kept["origin"] == "snooped"
    assert kept["vsi"] == vm.uuid and kept["server"] == "10.9.0.1"
    lab.engine["sw"].stop(signal.SIGKILL)
    lab.sw.run("nft", "flush", "ruleset")
    lab.engine_start("sw")
    wait_for("the kernel to have it again", lambda: lab.in_kernel(vm) == {"p1"})
    lab.wait_linked("sw")
    lab.wait_states(vm, p1="active")
    row = lab.bindings(vm)["p1"]
    assert row["origin"] == "snooped" and row["server"] == "10.9.0.1"
    _answers(vm)


def test_released_lease_is_forgotten_by_the_store(lab, vm):
    _born(lab, vm)
    wait_for("the store to have it", lambda: _kept(lab, vm))
    vm.release()
    wait_for("the store to forget it", lambda: not _kept(lab, vm))


def test_dead_engines_ended_lease_does_not_come_back(lab, vm):
    _born(lab, vm)
    wait_for("the store to have it", lambda: _kept(lab, vm))
    lab.engine["sw"].stop()
    lab.sw.run("nft", "flush", "ruleset")
    with contextlib.closing(sqlite3.connect(_file(lab))) as db, db:
        db.execute("UPDATE binding SET lease_end = lease_end - 86400000 WHERE ip = ?",
                   (vm.ip,))
    lab.engine_start("sw")
    lab.wait_linked("sw")
    assert not lab.states(vm) and not lab.in_kernel(vm)
    wait_for("the store to forget it", lambda: not _kept(lab, vm))


def test_module_replay_ends_what_has_moved_while_the_engine_was_away(lab, vm):
    _born(lab, vm)
    lab.migrate(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")
    wait_for("the store to have both", lambda: set(_kept(lab, vm)) == {"p1", "p2"})
    lab.engine["sw"].stop(signal.SIGKILL)
    vm.vdp("h1", "deassoc")
    lab.engine_start("sw")
    lab.wait_linked("sw")
    lab.wait_states(vm, p2="active")
    wait_for("the kernel to follow", lambda: lab.in_kernel(vm) == {"p2"})
    wait_for("the store to follow", lambda: set(_kept(lab, vm)) == {"p2"})


# Static addresses


def test_static_binding_follows_its_vsi_and_outlives_restarts(lab, vm):
    vm.ip = "10.9.0.210"
    assert "status 0" in _bind(lab, "bind", vm)
    assert lab.states(vm) == {None: "dormant"} and not lab.in_kernel(vm)
    assert set(_kept(lab, vm)) == {""}    # the answer comes when it is on disk
    vm.vdp("h1", "assoc")
    vm.run_at("h1", address=False)
    _has_address(vm, vm.ip)
    lab.wait_states(vm, p1="active")
    _answers(vm)
    _forged_is_dropped(lab, vm)

    lab.migrate(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    row = lab.bindings(vm)["p2"]
    assert row["origin"] == "static" and row["lease_left"] is None
    _answers(vm)

    lab.lldpad["sw"].stop()
    lab.engine["sw"].stop(signal.SIGKILL)
    lab.sw.run("nft", "flush", "ruleset")
    lab.engine_start("sw")
    lab.wait_states(vm, p2="active")
    assert lab.in_kernel(vm) == {"p2"}
    lab.lldpad["sw"].start()
    lab.wait_lldp()
    lab.wait_linked("sw")
    wait_for("an association", lambda: vm.vdp("h2", "assoc", check=False))
    lab.wait_states(vm, p2="active")
    assert lab.bindings(vm)["p2"]["origin"] == "static"

    vm.vdp("h2", "deassoc")
    wait_for("it to be without a port", lambda: lab.states(vm) == {None: "dormant"})
    assert not lab.in_kernel(vm)
    _bind(lab, "unbind", vm)
    assert not lab.states(vm)
    assert not _kept(lab, vm)


def test_static_binding_on_a_port_is_in_force_at_once(lab, vm):
    vm.ip = "10.9.0.211"
    _bind(lab, "bind", vm, "p2")
    lab.wait_states(vm, p2="active")
    assert lab.in_kernel(vm) == {"p2"}
    assert "static already" in _bind(lab, "bind", vm)
    _bind(lab, "unbind", vm)
    wait_for("the kernel to forget it", lambda: not lab.in_kernel(vm))


def test_lease_that_is_bound_becomes_static_and_only_then_can_be_unbound(lab, vm):
    _born(lab, vm)
    left = lab.bindings(vm)["p1"]["lease_left"]
    said = _bind(lab, "unbind", vm, check=False)
    assert "no static binding: snooped on p1" in said and "status 1" in said
    assert "is static now" in _bind(lab, "bind", vm)
    row = lab.bindings(vm)["p1"]
    assert row["origin"] == "static" and row["lease_left"] is None
    # The lease under it outlives the engine, and is bound again.
    lab.engine["sw"].stop(signal.SIGKILL)
    lab.sw.run("nft", "flush", "ruleset")
    lab.engine_start("sw")
    lab.wait_linked("sw")
    wait_for("it", lambda: lab.bindings(vm).get("p1", {}).get("origin") == "static")
    assert "bound by its lease again" in _bind(lab, "unbind", vm)
    row = lab.bindings(vm)["p1"]
    assert row["origin"] == "snooped" and left - 60 < row["lease_left"] <= left


@pytest.mark.parametrize("arguments, said, status", (
    (("0", "52:54:00:00:00:01", "10.9.0.212", "nowhere"), "no port nowhere", 1),
    (("0", "01:00:5e:00:00:01", "10.9.0.212"), "no host has this MAC", 1),
    (("0", "52:54:00:00:00:01", "239.1.1.1"), "no host has this IP", 1),
    (("0", "52:54:00:00:00:01", "2001:db8::1"), "only IPv4", 1),
    (("4095", "52:54:00:00:00:01", "10.9.0.212"), "'4095' is no VLAN ID", 3),
    (("0", "52:54:00:00:00", "10.9.0.212"), "'52:54:00:00:00' is no MAC", 3),
    (("0", "52:54:00:00:00:01", "10.9.0"), "'10.9.0' is no IP", 3),
    (("0", "52:54:00:00:00:01"), "are wanted", 3),
))
def test_bind_says_what_is_wrong(lab, arguments, said, status):
    out = lab.sw.run("sh", "-c", '"$0" bind "$@" 2>&1; echo "status $?"',
                     built("vdp-migrate"), *arguments)
    assert said in out and f"status {status}" in out


# The ground moves


def test_bridge_made_again_has_its_guard_again(lab, vm):
    _born(lab, vm)
    wait_for("the store to have it", lambda: _kept(lab, vm))
    engine = lab.engine["sw"]
    since = len(engine.lines)
    lab.sw.ip("link del br0", "link add br0 type bridge stp_state 1 forward_delay 200",
              *(f"link set p{n} master br0" for n in (1, 2, 3, 4)), "link set br0 up",
              f"addr add {SWITCH}/24 dev br0")
    engine.wait_line("p1: a port of a bridge again", since=since)
    lab.wait_ready()
    wait_for("an association", lambda: vm.vdp("h1", "assoc", check=False))
    lab.wait_states(vm, p1="active")
    assert lab.in_kernel(vm) == {"p1"}
    _answers(vm)
    _forged_is_dropped(lab, vm)
    gone = [x for x in engine.lines[since:] if "p1: no port of a bridge any more" in x]
    assert len(gone) == 1
    lab.migrate(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")


def test_renamed_port_leaves_guard_and_bindings_with_its_name(lab, vm):
    _born(lab, vm)
    engine = lab.engine["sw"]
    since = len(engine.lines)
    lab.sw.ip("link set p1 down", "link set p1 name q1", "link set q1 up")
    engine.wait_line("p1: no port of a bridge any more", since=since)
    assert lab.in_kernel(vm) == {"p1"}
    assert set(lab.states(vm)) == {"p1"}
    lab.sw.ip("link set q1 down", "link set q1 name p1", "link set p1 up")
    engine.wait_line("p1: a port of a bridge again", since=since)
    lab.wait_ready()
    wait_for("an association", lambda: vm.vdp("h1", "assoc", check=False))
    lab.wait_states(vm, p1="active")
    _answers(vm)
    _forged_is_dropped(lab, vm)


# The disk


def test_corrupt_store_is_moved_aside_and_bindings_are_the_kernels(lab, vm):
    _born(lab, vm)
    lab.engine["sw"].stop()
    with open(_file(lab), "r+b") as f:
        f.write(os.urandom(4096))
    engine = lab.engine_start("sw")
    lab.wait_linked("sw")
    told = [x for x in engine.lines if "moved aside" in x]
    assert len(told) == 1 and _file(lab) in told[0] and "not a database" in told[0]
    assert os.path.exists(_file(lab) + ".corrupt")
    lab.wait_states(vm, p1="active")
    wait_for("the fresh store to have it", lambda: _kept(lab, vm))
    _answers(vm)


def test_store_that_may_not_be_written_is_read_and_told_once(lab, vm):
    _born(lab, vm)
    wait_for("the store to have it", lambda: _kept(lab, vm))
    state = lab.state("sw")
    lab.engine["sw"].stop()
    lab.sw.run("nft", "flush", "ruleset")
    os.chmod(_file(lab), 0o444)
    os.chmod(state, 0o555)
    try:
        engine = lab.engine_start("sw")
        line = engine.wait_line("store .*not written")
        assert _file(lab) in line and "readonly" in line
        lab.wait_linked("sw")
        lab.wait_states(vm, p1="active")
        assert lab.in_kernel(vm) == {"p1"}
        _answers(vm)
        said = _bind(lab, "bind", vm, ip="10.9.0.213", check=False)
        assert "in force, but not in the store" in said and "status 1" in said
        assert len([x for x in engine.lines if "not written" in x]) == 1
    finally:
        os.chmod(state, 0o755)
        os.chmod(_file(lab), 0o644)
    _restart(lab)


def test_full_disk_is_told_once_and_written_again_when_there_is_room(lab, vm):
    state = lab.state("sw")
    lab.engine["sw"].stop()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=128k", "none", state), check=True)
    try:
        with open(os.path.join(state, "filler"), "wb", buffering=0) as f:
            with contextlib.suppress(OSError):
                while True:
                    f.write(bytes(4096))
        engine = lab.engine_start("sw")
        line = engine.wait_line("store .*not written")
        assert "full" in line or "I/O" in line or "No space" in line
        lab.wait_linked("sw")
        _born(lab, vm)
        _answers(vm)
        os.unlink(os.path.join(state, "filler"))
        engine.wait_line("store: written again", timeout=15.0)
        wait_for("the store to have it", lambda: _kept(lab, vm))
        assert len([x for x in engine.lines if "not written" in x]) == 1
        _restart(lab, signal.SIGKILL)
        lab.wait_states(vm, p1="active")
    finally:
        lab.engine["sw"].stop()
        subprocess.run(("umount", "-l", state), check=True)
        lab.engine_start("sw")
        lab.wait_linked("sw")


# Killed at any moment


class Model:
    """What the switch must hold for some VMs: each is at a server, or nowhere, with its
    lease and perhaps a static address."""

    def __init__(self, lab, n):
        self.lab, self.vms = lab, []
        for _ in range(n):
            vm = lab.vm()
            _born(lab, vm)
            vm.vdp("h1", "assoc")
            vm.stop()
            vm.at, vm.static = "h1", None
            self.vms.append(vm)

    def required(self):
        for vm in self.vms:
            yield vm.port, vm.mac, vm.ip
            if vm.static:
                yield vm.port, vm.mac, vm.static

    def operations(self):
        return self.move, self.bind, self.unbind, self.nothing

    def move(self, vm):
        old, new = vm.at, "h2" if vm.at == "h1" else "h1"

        def run():
            for server, mode in ((new, "preassoc"), (new, "assoc"), (old, "deassoc")):
                vm.vdp(server, mode, "to" if mode != "deassoc" else "none", check=False)

        def done():
            vm.at = new
            if not vm.vdp(new, "assoc", "to", check=False):
                return False
            vm.vdp(old, "deassoc", check=False, wait=False)
            return True
        return run, done

    def bind(self, vm):
        ip = vm.static or f"10.9.0.{self.vms.index(vm) + 220}"

        def run():
            _bind(self.lab, "bind", vm, ip=ip, check=False)

        def done():
            vm.static = ip
            return "status 0" in _bind(self.lab, "bind", vm, ip=ip, check=False)
        return run, done

    def unbind(self, vm):
        ip = vm.static
        if not ip:
            return self.nothing(vm)

        def run():
            _bind(self.lab, "unbind", vm, ip=ip, check=False)

        def done():
            vm.static = None
            said = _bind(self.lab, "unbind", vm, ip=ip, check=False)
            return "status 0" in said or "is not bound" in said
        return run, done

    def nothing(self, _vm):
        return lambda: None, lambda: True

    def disagreements(self):
        """Table, kernel and store must be one; all that is required must be active,
        and what is left over from what a dead engine has not seen dormant."""
        table, kernel, store = _table(self.lab), _kernel(self.lab), set(_rows(self.lab))
        required, found = set(self.required()), []
        if {key for key in table if key[0]} != kernel:
            found.append(f"kernel {sorted(kernel ^ {k for k in table if k[0]})}")
        if set(table) != store:
            found.append(f"store {sorted(store ^ set(table))}")
        found += [f"missing {key}" for key in required
                  if table.get(key, {}).get("state") != "active"]
        ours = {vm.mac for vm in self.vms}
        found += [f"left over {key} {row['state']}" for key, row in table.items()
                  if key[1] in ours and key not in required and row["state"] != "dormant"]
        return found


def _hear_again(lab):
    """A killed lldpad has not said good-bye: its neighbours, who do not know that it
    is another now, would send their next LLDPDUs in 30 s. A change has them sent."""
    for n in range(60):
        if all(lab.lldpad["sw"].hears_peer(port) for port in ("p1", "p2")):
            return
        for server in ("h1", "h2"):
            lab.lldpad[server].set("e0", f"advertise={'yes' if n % 2 else 'no'}")
        threading.Event().wait(0.5)
    raise AssertionError(f"no LLDP: {lab.lldpad['sw'].process.tail()}")


def _settle(lab, model):
    def agreed():
        return not model.disagreements()
    try:
        wait_for("table, kernel, store and model to agree", agreed, 20.0, 0.1)
    except (TimeoutError, sqlite3.Error) as e:
        raise AssertionError(f"{model.disagreements()}; engine: "
                             f"{lab.engine['sw'].tail()}") from e


def test_killed_at_any_moment_nothing_is_lost(lab):
    """VDP_MIGRATE_KILLS kills, VDP_MIGRATE_SEED: the same ones again."""
    seed = int(os.environ.get("VDP_MIGRATE_SEED", random.randrange(1 << 32)))
    print(f"seed {seed}, {KILLS} kills")
    dice = random.Random(seed)
    model = Model(lab, 3)
    _settle(lab, model)
    try:
        for n in range(KILLS):
            vm = dice.choice(model.vms)
            operation = dice.choice(model.operations())
            run, done = operation(vm)
            victims = dice.choice((("engine",), ("engine",), ("engine",), ("lldpad",),
                                   ("engine", "lldpad")))
            worker = threading.Thread(target=run)
            worker.start()
            threading.Event().wait(dice.random() * 0.4)
            if "engine" in victims:
                lab.engine["sw"].stop(signal.SIGKILL)
            if "lldpad" in victims:
                lab.lldpad["sw"].process.stop(signal.SIGKILL)
            if "engine" in victims:
                lab.engine_start("sw")
            if "lldpad" in victims:
                lab.lldpad["sw"].start()
                _hear_again(lab)
            worker.join()
            lab.wait_linked("sw")
            for each in model.vms:
                wait_for("its association", lambda v=each: v.vdp(
                    v.at, "assoc", "to", check=False), 15.0)
            wait_for(f"kill {n}: {operation.__name__} to be done", done, 15.0, 0.2)
            try:
                _settle(lab, model)
            except AssertionError as e:
                raise AssertionError(f"seed {seed}, kill {n} of {victims} in "
                                     f"{operation.__name__} of {vm.mac}: {e}") from e
    finally:
        for vm in model.vms:
            for server in ("h1", "h2"):
                vm.vdp(server, "deassoc", check=False, wait=False)
