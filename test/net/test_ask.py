# SPDX-License-Identifier: GPL-2.0-only
"""
vdp-migrate leasequery, a question by hand: against real DHCP servers, with the engine
running and without; no lldpad anywhere.

    sw 10.9.0.254 --- br0 --- s1 10.9.0.1, s2 10.9.0.2
"""
import json

import pytest

from dhcp_servers import ACTIVE, Answer, Fake, dnsmasq, isc, lease
from lab import built
from netns import World, run, wait_for

GIADDR, S1, S2 = "10.9.0.254", "10.9.0.1", "10.9.0.2"
MAC1, MAC2, MAC3 = (f"52:54:00:00:00:0{i}" for i in (1, 2, 3))
UUID = "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f"
ACTIVE_CODE, NO_LEASE, NO_ANSWER, WRONG_USE = 0, 1, 2, 3


@pytest.fixture(scope="module")
def net():
    world = World()
    try:
        space = {n: world.space(n) for n in ("sw", "s1", "s2")}
        space["sw"].ip("link add br0 type bridge", "link set br0 up",
                       f"addr add {GIADDR}/24 dev br0")
        for name, addr in (("s1", S1), ("s2", S2)):
            run("ip", "link", "add", name, "netns", space["sw"].name, "type", "veth",
                "peer", "name", "e0", "netns", space[name].name)
            space["sw"].ip(f"link set {name} master br0", f"link set {name} up")
            space[name].ip("link set e0 up", f"addr add {addr}/24 dev e0")
        yield space
    finally:
        world.end()


@pytest.fixture(params=["without engine", "with engine"])
def sw(net, request, tmp_path):
    """The switch; each test is run without the engine and with it."""
    if request.param == "without engine":
        yield net["sw"]
        return
    engine = net["sw"].start("vdp-migrated", built("vdp-migrated"), "-d", "--state",
                             str(tmp_path / "state"))
    wait_for("the engine's socket", lambda: not engine.alive
             or "@vdp-migrate" in net["sw"].run("cat", "/proc/net/unix"))
    assert engine.alive, engine.tail()
    yield net["sw"]
    engine.stop()


@pytest.fixture
def servers(net):
    """Start servers by servers(...); they end with the test."""
    started = []

    def start(make, where, *args, **options):
        started.append(make(net[where], "e0", *args, **options))
        return started[-1]
    yield start
    for process in started:
        process.stop()


def ask(space, *argv, server=S1, giaddr=GIADDR, json_out=True):
    """Exit code, and the decoded JSON (or the text)."""
    argv = [built("vdp-migrate"), "leasequery", *argv]
    if server:
        argv += ["--server", server]
    if giaddr:
        argv += ["--giaddr", giaddr]
    argv = " ".join(argv + (["--json"] if json_out else []))
    out = space.run("sh", "-c", f'{argv} 2>&1; echo "exit $?"', check=False)
    text, _, code = out.rpartition("exit ")
    if json_out and int(code) != WRONG_USE:
        return int(code), json.loads(text)
    return int(code), text


def test_active_lease_is_told_whatever_the_key(sw, servers):
    client_id = b"\xff\x00\x01\x02\x03"
    servers(isc, "s1", lease("10.9.0.101", MAC1, 1000, client_id=client_id))
    for key, value in (("mac", MAC1), ("ip", "10.9.0.101"), ("client-id", "ff00010203")):
        code, said = ask(sw, key, value)
        assert code == ACTIVE_CODE, said
        assert said["outcome"] == "LEASEACTIVE"
        (reply,) = said["replies"]
        assert 980 <= reply.pop("lease") <= 1000
        assert 10 <= reply.pop("last") <= 30
        assert reply == {"from": S1, "type": "LEASEACTIVE", "address": "10.9.0.101",
                         "mac": MAC1, "client-id": "ff:00:01:02:03", "server-id": S1}


def test_no_lease_is_told_as_the_server_tells_it(sw, servers):
    servers(isc, "s1")
    for key, value, outcome in (("mac", MAC2, "LEASEUNKNOWN"),
                                ("ip", "10.9.0.150", "LEASEUNASSIGNED"),
                                ("remote-id", UUID, "LEASEUNKNOWN")):
        code, said = ask(sw, key, value)
        assert code == NO_LEASE
        assert said["outcome"] == outcome
        assert [(r["from"], r["type"]) for r in said["replies"]] == [(S1, outcome)]
        assert "address" not in said["replies"][0]


def test_all_servers_are_asked_and_the_reply_that_counts_is_first(sw, servers):
    servers(isc, "s1", lease("10.9.0.101", MAC1, 3000, heard=500))
    servers(isc, "s2", lease("10.9.0.102", MAC1, 600, heard=20))
    code, said = ask(sw, "mac", MAC1, server=f"{S1},{S2}")
    assert code == ACTIVE_CODE
    assert [(r["from"], r["address"]) for r in said["replies"]] == [
        (S2, "10.9.0.102"), (S1, "10.9.0.101")]
    code, said = ask(sw, "ip", "10.9.0.101", server=f"{S2},{S1}")
    assert code == ACTIVE_CODE
    assert [(r["from"], r["type"]) for r in said["replies"]] == [
        (S1, "LEASEACTIVE"), (S2, "LEASEUNASSIGNED")]


def test_two_leases_of_one_mac_are_both_named(sw, servers):
    servers(isc, "s1", lease("10.9.0.101", MAC1, client_id=b"\1a", heard=100),
            lease("10.9.0.102", MAC1, client_id=b"\1b", heard=10))
    code, said = ask(sw, "mac", MAC1)
    assert code == ACTIVE_CODE
    assert (said["replies"][0]["address"], said["replies"][0]["also"]) == (
        "10.9.0.102", ["10.9.0.101"])


def test_lease_without_end_is_null(sw, net):
    with Fake(net["s1"], S1, lambda q: Answer(ACTIVE, "10.9.0.9", MAC3, 0xffffffff)):
        code, said = ask(sw, "mac", MAC3)
    assert code == ACTIVE_CODE
    assert said["replies"][0]["lease"] is None


def test_remote_id_is_octets_of_the_instance_id_or_text(sw, net):
    with Fake(net["s1"], S1, lambda q: Answer(ACTIVE, "10.9.0.9", MAC3, 60)) as fake:
        assert ask(sw, "remote-id", UUID)[0] == ACTIVE_CODE
        assert ask(sw, "remote-id", f"text:{UUID}")[0] == ACTIVE_CODE
    assert [(q["key"], q["value"]) for q in fake.queries] == [
        ("remote-id", bytes.fromhex(UUID.replace("-", ""))),
        ("remote-id", UUID.encode())]


@pytest.mark.parametrize("silent", ["denies", "dnsmasq", "nobody"])
def test_silent_server_is_no_answer_and_delays_nobody(sw, servers, silent):
    if silent == "denies":
        servers(isc, "s2", lease("10.9.0.102", MAC1), conf="deny leasequery;")
    elif silent == "dnsmasq":
        servers(dnsmasq, "s2")
    code, said = ask(sw, "mac", MAC1, "--timeout", "1", server=S2)
    assert (code, said) == (NO_ANSWER, {"outcome": "none", "replies": []})
    servers(isc, "s1", lease("10.9.0.101", MAC1))
    code, said = ask(sw, "mac", MAC1, "--timeout", "1", server=f"{S2},{S1}")
    assert code == ACTIVE_CODE
    assert [r["from"] for r in said["replies"]] == [S1]


def test_text_is_a_table(sw, servers):
    servers(isc, "s1", lease("10.9.0.101", MAC1))
    code, said = ask(sw, "mac", MAC1, json_out=False)
    assert code == ACTIVE_CODE
    head, row = said.splitlines()
    assert head.split()[:4] == ["FROM", "TYPE", "ADDRESS", "MAC"]
    assert row.split()[:4] == [S1, "LEASEACTIVE", "10.9.0.101", MAC1]


@pytest.mark.parametrize("argv", [
    (), ("mac",), ("name", "x"), ("mac", "52:54"), ("mac", "00:00:00:00:00:00"),
    ("ip", "fe80::1"), ("ip", "0.0.0.0"), ("client-id", "xyz"), ("client-id", "''"),
    ("remote-id", "text:"), ("mac", MAC1, "--timeout", "0"),
    ("mac", MAC1, "--timeout", "x"), ("mac", MAC1, "--server", "a"),
    ("mac", MAC1, "--giaddr", "10.9.0.300"), ("mac", MAC1, "--what"),
    ("mac", MAC1, MAC2)])
def test_wrong_use_is_said_and_asks_nobody(net, argv):
    code, said = ask(net["sw"], *argv, server=None, giaddr=None)
    assert code == WRONG_USE
    assert "usage: vdp-migrate leasequery" in said


def test_without_server_or_giaddr_wrong_use_says_what_is_missing(sw):
    code, said = ask(sw, "mac", MAC1, server=None, giaddr=None)
    assert code == WRONG_USE
    assert "say --server" in said


def test_without_engine_giaddr_is_the_address_towards_the_server(net, servers):
    servers(isc, "s1", lease("10.9.0.101", MAC1))
    code, said = ask(net["sw"], "mac", MAC1, giaddr=None)
    assert code == ACTIVE_CODE, said


def test_without_engine_nobodys_port_67_is_taken_unasked(net, servers):
    servers(isc, "s1", lease("10.9.0.101", MAC1))
    with Fake(net["sw"], "0.0.0.0", lambda q: None):
        code, said = ask(net["sw"], "mac", MAC1, giaddr=None)
        assert code == WRONG_USE
        assert "UDP port 67" in said and "say --giaddr" in said
