# SPDX-License-Identifier: GPL-2.0-only
"""
What a person and a program see: every table of `vdp-migrate show` as text and as JSON,
and `vdp-migrate watch` through a whole migration.
"""
import json
import os
import re
import signal
import time

import pytest

import frames
import schema
from lab import DHCP, OTHER, built
from netns import CommandFailed, wait_for
from product import parse_table

LAB = {}

# Columns of the table; those that only --long and --json show; both with their type.
COLUMNS = {
    "bindings": ({"port": str, "vlan": int, "mac": str, "address": str, "state": str,
                  "lease_left": int, "origin": str, "server": str, "vsi": str}, {}),
    "vsis": ({"port": str, "vsi": str, "state": str, "for": int, "mode": str, "vlan": int,
              "mac": str, "lease": str, "addresses": str, "help": str, "reason": str},
             {"accepted": bool, "in_lldpad": bool, "ask_again_s": int, "help_why": str,
              "groups": int}),
    "ports": ({"port": str, "role": str, "link": str, "use": bool, "assist": str,
               "guard": str, "in_force": str, "members": str,
               "cases": int, "complete": bool,
               "trusted": bool, "bindings": int, "vsis": int},
              {"keys": str, "remote_id": str, "servers": str, "giaddr": str,
               "keepalive_ms": int, "neighbour": str, "neighbour_version": int,
               "neighbour_can": str, "groups": str}),
    "cases": ({"port": str, "vlan": int, "mac": str, "known_by": str, "why": str,
               "bound_at": str, "for": int, "to_do": str}, {"ask_again_s": int}),
    "groups": ({"port": str, "vlan": int, "mac": str, "group": str, "mode": str,
                "sources": str, "age": int, "origin": str}, {"ends_in": int}),
    "servers": ({"server": str, "vlans": str, "ports": str, "answers": int,
                 "round_trip": int, "outstanding": int, "queued": int, "state": str,
                 "window": int, "lost": int}, {}),
    "settings": ({"port": str, "name": str, "value": str, "from": str}, {}),
    "counters": ({"counter": str, "value": int}, {}),
    "marks": ({"vsi": str, "mac": str, "address": str, "client_id": str,
               "expires_in": int, "state": str, "server": str}, {"tap": str}),
}


def _head(columns):
    return [name.replace("_", "-") for name in columns]


def _watch(lab, *options):
    watch = lab.sw.start("watch", built("vdp-migrate"), "watch", *options)
    watch.wait_line("watching")
    return watch


def _lines(watch):
    return [x for x in watch.lines if not x.startswith("vdp-migrate:")]


@pytest.mark.parametrize("table", COLUMNS)
def test_table_is_shown_for_people_and_as_json(lab, vm, table):
    where = "h2" if table == "marks" else "sw"
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    if table == "groups":
        lab.space["h1"].send_frame("e0", frames.igmp_report(vm.mac, vm.ip, "239.7.7.7"))
        wait_for("the VM's group", lambda: lab.show("sw", table))
    try:
        if table == "cases":
            _open_case(lab)
        _is_shown_both_ways(where, lab, table)
    finally:
        if table == "cases":
            lab.lldpad["sw"].set("p2", "guard=enforce!")


def _open_case(lab):
    lab.lldpad["sw"].set("p2", "guard=monitor")
    wait_for("monitor", lambda: [x for x in lab.show("sw", "ports") if x["port"] == "p2"
                                 and x["in_force"] == "monitor"])
    lab.space["h2"].send_frame("e0", frames.arp_request("52:54:00:00:00:77", "10.9.0.77",
                                                        OTHER))
    wait_for("a case", lambda: lab.show("sw", "cases"))


def _is_shown_both_ways(where, lab, table):
    narrow, details = COLUMNS[table]
    rows = json.loads(lab.cli(where, "show", table, "--json"))
    assert rows
    schema.check(rows, schema.definitions()[table])
    for row in rows:
        assert list(row) == [*narrow, *details]
        for name, value in row.items():
            kind = {**narrow, **details}[name]
            assert value is None or type(value) is kind, (name, value)
    shown = parse_table(lab.cli(where, "show", table))
    assert list(shown[0]) == _head(narrow)
    assert len(shown) == len(rows)
    full = parse_table(lab.cli(where, "show", "--long", table))
    assert list(full[0]) == _head([*narrow, *details])


def test_schema_has_every_table_and_column():
    assert set(schema.definitions()) == {*COLUMNS, "check", "watch"}
    for table, (narrow, details) in COLUMNS.items():
        assert schema.columns(table) == [*narrow, *details]


def test_values_of_a_migration_are_shown_alike_in_both_shapes(lab, vm):
    lab.born(vm)
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    there = lab.bindings(vm)["p2"]
    assert (there["vlan"], there["origin"], there["vsi"]) == (0, there["origin"], vm.uuid)
    assert 0 < there["lease_left"] <= 3600
    table = next(row for row in parse_table(lab.cli("sw", "show", "bindings"))
                 if row["mac"] == vm.mac and row["port"] == "p2")
    assert re.fullmatch(r"\d+ (s|min|h)|infinite", table["lease-left"])
    assert table["state"] == "staged"
    vsi = next(row for row in lab.show("sw", "vsis")
               if row["vsi"] == vm.uuid and row["port"] == "p2")
    assert vsi["state"] == "expected" and vsi["mode"].startswith("pre-associate")
    assert vsi["addresses"] == vm.ip and vsi["mac"] == vm.mac and vsi["in_lldpad"]
    mark = next(row for row in lab.show("h2", "marks") if row["vsi"] == vm.uuid)
    assert 0 < mark["expires_in"] <= 86400 and mark["mac"] == vm.mac
    assert mark["address"] is None


LEASE = {"version": 1, "mac": "52:54:00:12:34:56", "ip": "10.9.0.77", "client-id": None,
         "server": "10.9.0.1", "vlan": 0}


def test_mark_says_what_is_known_of_the_lease(lab, vm):
    def mark(*options, check=True):
        return lab.cli("h2", "mark", vm.uuid, *options, check=check)

    def shown():
        return next(row for row in lab.show("h2", "marks") if row["vsi"] == vm.uuid)
    mark("--mac", vm.mac, "--ip", "10.9.0.7", "--client-id", "01525400", "--server",
         "10.9.0.1", "--tap", "vnet7")
    row = shown()
    assert (row["address"], row["client_id"], row["server"], row["tap"]) == (
        "10.9.0.7", "01:52:54:00", "10.9.0.1", "vnet7")
    path = os.path.join(lab.space["h2"].dir, "lease.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump({**LEASE, "expires": int(time.time()) + 600}, f)
    mark("--lease", path, "--ip", LEASE["ip"])
    row = shown()
    assert (row["mac"], row["address"], row["client_id"], row["server"], row["tap"]) == (
        LEASE["mac"], LEASE["ip"], "none", LEASE["server"], None)
    assert 590 <= row["expires_in"] <= 600
    with pytest.raises(CommandFailed, match="--ip and .*lease.json do not agree"):
        mark("--lease", path, "--ip", "10.9.0.78")
    with open(path, "w", encoding="ascii") as f:
        json.dump({**LEASE, "expires": int(time.time()) - 5}, f)
    with pytest.raises(CommandFailed, match="lease.json: the lease has expired"):
        mark("--lease", path)
    with open(path, "w", encoding="ascii") as f:
        json.dump(LEASE, f)
    with pytest.raises(CommandFailed, match='lease.json: "expires" is missing'):
        mark("--lease", path)
    assert shown()["address"] == LEASE["ip"]


def test_port_shows_its_settings_its_neighbour_and_the_guard_in_force(lab):
    def port(name):
        return next(row for row in lab.show("sw", "ports") if row["port"] == name)
    wait_for("the guard", lambda: port("p1")["in_force"] == "enforce")
    p1, p3 = port("p1"), port("p3")
    assert (p1["role"], p1["link"], p1["use"], p1["trusted"]) == ("bridge", "up", True, False)
    assert p1["servers"] == DHCP and p1["keys"] == "mac" and p1["remote_id"] == "binary"
    assert p1["keepalive_ms"] > 0
    assert p3["trusted"] and p3["in_force"] == "off" and p3["cases"] is None


def test_server_shows_which_ports_ask_it_and_how_it_answers(lab, vm):
    lab.announce(vm, "h2")
    server, = (row for row in lab.show("sw", "servers") if row["server"] == DHCP)
    assert (server["vlans"], server["ports"]) == ("any", "p1,p2")
    wait_for("an answer", lambda: lab.show("sw", "servers")[0]["state"] == "answers")
    server, = (row for row in lab.show("sw", "servers") if row["server"] == DHCP)
    assert server["answers"] > 0 and server["round_trip"] > 0


def test_counters_hold_the_sockets_and_the_guard_s_transactions(lab, vm):
    lab.born(vm)
    for name in ("leasequery_sent", "leasequery_socket_sent", "frames_seen",
                 "guard_commits", "bindings"):
        assert lab.counter(name) > 0 or name.startswith("leasequery"), name
    names = {row["counter"] for row in lab.show("sw", "counters")}
    assert {"frames_lost", "guard_commits_failed", "leasequery_socket_received",
            "guard_put_back"} <= names


def test_unknown_table_and_option_are_named_with_what_there_is(lab):
    for argv, said in ((("show", "tables"), "no table 'tables'"),
                       (("show",), "one table is wanted"),
                       (("show", "ports", "--xml"), "help show"),
                       (("watch", "ports"), "what is 'ports'?")):
        out = lab.sw.run("sh", "-c", '"$@" 2>&1; echo "status $?"', "-",
                         built("vdp-migrate"), *argv)
        assert said in out and "status 3" in out
        assert "servers|groups|marks|counters" in out or argv[0] == "watch"
    for command in ("show", "watch", "mark", "unmark", "help"):
        assert lab.cli("sw", "help", command).startswith(f"vdp-migrate {command}")


def test_watch_sees_a_whole_migration_in_order(lab, vm):
    lab.born(vm)
    lines, objects = _watch(lab), _watch(lab, "--json")
    lab.migrate(vm, "h2")
    lab.wait_states(vm, p1="leaving", p2="active")
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")

    def events():
        return [json.loads(x) for x in _lines(objects)]

    def seen():
        return [(e["what"], e["port"], e["from"], e["to"]) for e in events()
                if vm.uuid == e["vsi"] or vm.mac == e["mac"]]
    steps = [("vsi", "p2", "absent", "expected"),
             ("binding", "p2", None, "staged"),
             ("vsi", "p2", "expected", "arrived"),
             ("binding", "p2", "staged", "active"),
             ("vsi", "p1", "settled", "gone"),
             ("binding", "p1", "active", "leaving"),
             ("binding", "p1", "leaving", "dropped")]
    wait_for("the last step", lambda: steps[-1] in seen())
    at = [seen().index(step) for step in steps if step in seen()]
    assert len(at) == len(steps) and at == sorted(at), seen()
    event = next(e for e in events() if e["to"] == "staged")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    assert (event["mac"], event["address"], event["vlan"]) == (vm.mac, vm.ip, 0)
    assert event["why"] in ("leasequery", "moved")
    for seen_event in events():
        schema.check(seen_event, schema.definitions()["watch"])

    wait_for("as many lines", lambda: len(_lines(lines)) == len(_lines(objects)))
    text = "\n".join(_lines(lines))
    short = f"{vm.uuid[:4]}…{vm.uuid[-4:]}"
    clock = r"^\d\d:\d\d:\d\d\.\d{3} "
    assert re.search(clock + rf"p2 vsi {short} absent -> expected \(pre-associate M\)$",
                     text, re.M), text
    assert re.search(clock + rf"p2 binding {vm.ip} {vm.mac} staged \({event['why']}\)$",
                     text, re.M), text
    assert re.search(clock + rf"p1 binding {vm.ip} {vm.mac} leaving -> dropped \(.+\)$",
                     text, re.M), text
    for watch in (lines, objects):
        watch.popen.send_signal(signal.SIGINT)
        assert watch.popen.wait(5) == 0


def test_watch_sees_a_foreign_flush_and_a_guard_that_is_set(lab):
    watch = _watch(lab, "--json")
    lab.sw.run("nft", "flush", "ruleset")

    def seen(port, to):
        return [x for x in map(json.loads, _lines(watch))
                if (x["what"], x["port"], x["to"]) == ("guard", port, to)]
    wait_for("the guard put back", lambda: seen(None, "put back"))
    assert lab.counter("guard_put_back") > 0
    lab.lldpad["sw"].set("p2", "guard=monitor")
    try:
        wait_for("monitor", lambda: seen("p2", "monitor"))
    finally:
        lab.lldpad["sw"].set("p2", "guard=enforce!")


def test_watch_ends_when_the_engine_does(lab):
    watch = _watch(lab)
    lab.engine["sw"].stop()
    try:
        assert watch.popen.wait(5) == 2
        wait_for("its last word", lambda: any("engine has ended" in x for x in watch.lines))
        out = lab.sw.run("sh", "-c", '"$0" watch 2>&1; echo "status $?"',
                         built("vdp-migrate"))
        assert "engine not running" in out and "status 2" in out
    finally:
        lab.engine_start("sw")
        lab.wait_linked("sw")


def test_watch_sees_the_module_go_and_come_back(lab):
    watch = _watch(lab)
    lab.lldpad["sw"].stop()
    watch.wait_line(r"^\S+ module gone$")
    lab.lldpad["sw"].start()
    watch.wait_line(r"^\S+ module connected$", 20.0)
    lab.wait_linked("sw")
    lab.wait_lldp()
