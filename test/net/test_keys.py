# SPDX-License-Identifier: GPL-2.0-only
"""
By which key a DHCP server is asked for a VM that migrates in, what two servers that
disagree mean, and leases that nobody saw renewed. p1 is not ours: nothing is known of
the VM. `other` is a second server.
"""
import contextlib
import shutil

import pytest

import dhcp_servers
from dhcp_servers import ACTIVE, UNKNOWN, Answer, Fake, lease
from lab import DHCP, OTHER
from netns import wait_for
from product import settings

LAB = {"ours": settings(p1=None)}


@pytest.fixture
def p2(lab):
    """Set things on p2 by p2(...); afterwards it is as it was."""
    yield lambda *said: lab.lldpad["sw"].set("p2", *said)
    lab.lldpad["sw"].set("p2", f"servers={DHCP}", "keys=mac", "remote-id=binary")


@contextlib.contextmanager
def leases(lab, *those):
    """The lab's DHCP server with these leases."""
    lab.dhcpd.stop()
    process = dhcp_servers.isc(lab.space["dhcp"], "d0", *those)
    try:
        yield process
    finally:
        process.stop()
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")


@contextlib.contextmanager
def second(lab, *those, make=dhcp_servers.isc, **options):
    process = make(lab.space["other"], "x0", *those, **options)
    try:
        yield process
    finally:
        process.stop()


def addresses(lab, vm, **columns):
    """Of the VM's bindings on p2: {address: lease left}."""
    return {row["address"]: row["lease_left"] for row in lab.show("sw", "bindings")
            if row["mac"] == vm.mac and row["port"] == "p2"
            and all(row[c] == v for c, v in columns.items())}


def wait_addresses(lab, vm, *those):
    wait_for(f"bindings of {those}", lambda: set(addresses(lab, vm)) == set(those))
    return addresses(lab, vm)


def arrives(lab, vm):
    """Its VDP alone; nobody snoops anything of it."""
    lab.announce(vm, "h2")
    vm.vdp("h2", "assoc")


def test_next_key_is_used_where_one_finds_nothing(lab, vm, p2):
    p2("keys=remote-id,client-id,mac")
    capture = lab.sw.capture("p3", "udp port 67")
    with leases(lab, lease("10.9.0.101", vm.mac)):
        lab.announce(vm, "h2")
        wait_addresses(lab, vm, "10.9.0.101")
    seen = capture.fields("dhcp.option.dhcp == 10", "dhcp.hw.len",
                          "dhcp.option.agent_information_option.agent_remote_id")
    assert [(int(n), remote.replace(":", "")) for n, remote in seen] == [
        (0, vm.uuid.replace("-", "")), (6, "")]


@pytest.mark.parametrize("form", ["binary", "text"])
def test_remote_id_is_the_vsi_instance_id(lab, vm, p2, form):
    p2(f"servers={OTHER}", "keys=remote-id", f"remote-id={form}")
    with Fake(lab.space["other"], OTHER,
              lambda q: Answer(ACTIVE, "10.9.0.7", vm.mac, 1000)) as fake:
        lab.announce(vm, "h2")
        wait_addresses(lab, vm, "10.9.0.7")
    assert [(q["key"], q["value"]) for q in fake.queries] == [
        ("remote-id", vm.uuid.encode() if form == "text"
         else bytes.fromhex(vm.uuid.replace("-", "")))]


@pytest.fixture
def groups(lab):
    """Station and bridge agree that filter infos have group IDs."""
    def say(value):
        for where, port in (("sw", "p2"), ("h2", "e0")):
            lab.space[where].run("lldptool", "-T", "-i", port, "-g", "ncb", "-V", "evb",
                                 f"evbgpid={value}")
    say("yes")
    yield
    say("no")


@pytest.mark.parametrize("filter_info", ["0", "0-MAC", "0-MAC-7"])
def test_every_filter_format_finds_its_lease(lab, vm, p2, groups, filter_info):
    """A filter without MAC has its VSI instance ID alone; whose the address is the
    answer says. (vdptool cannot send the fourth format, group and VID.)"""
    p2(f"servers={OTHER}", "keys=mac,remote-id")
    lab.mark("h2", vm)

    def vdptool(mode):
        argv = ["vdptool", "-i", "e0", "-T", "-V", "assoc", "-W"]
        for item in (f"mode={mode}", "mgrid2=1", "typeid=1193047", "typeidver=2",
                     f"uuid={vm.uuid}", "hints=none",
                     f"filter={filter_info.replace('MAC', vm.mac)}"):
            argv += ["-c", item]
        return lab.space["h2"].run(*argv, check=False)
    with Fake(lab.space["other"], OTHER,
              lambda q: Answer(ACTIVE, "10.9.0.7", vm.mac, 1000)) as fake:
        # Until both lldpads have told each other that they speak of groups, it fails.
        wait_for("VDP", lambda: "mode = preassoc" in vdptool("preassoc"), 10.0, 0.2)
        wait_addresses(lab, vm, "10.9.0.7")
        vdptool("assoc")
        wait_for("it to be active", lambda: addresses(lab, vm, state="active"))
        vdptool("deassoc")
        wait_for("it to be withdrawn", lambda: not addresses(lab, vm))
    assert {q["key"] for q in fake.queries} == {
        "mac" if "MAC" in filter_info else "remote-id"}


def test_lease_of_another_mac_by_remote_id_is_not_taken(lab, vm, p2):
    p2(f"servers={OTHER}", "keys=remote-id,mac")
    before = lab.counter("leasequery_rejected_mac")
    with Fake(lab.space["other"], OTHER, lambda q: Answer(
            ACTIVE, "10.9.0.7", "52:54:00:99:99:99", 1000)):
        lab.announce(vm, "h2")
        wait_for("the answer to be rejected",
                 lambda: lab.counter("leasequery_rejected_mac") > before)
        assert not addresses(lab, vm)


def test_both_addresses_of_one_mac_are_bound_with_their_own_leases(lab, vm):
    with leases(lab, lease("10.9.0.101", vm.mac, 1000, 10, b"\1a"),
                lease("10.9.0.102", vm.mac, 3000, 90, b"\1b")):
        lab.announce(vm, "h2")
        left = wait_addresses(lab, vm, "10.9.0.101", "10.9.0.102")
    assert 900 <= left["10.9.0.101"] <= 1000
    assert 2900 <= left["10.9.0.102"] <= 3000


def test_servers_that_disagree_give_the_union_and_the_later_heard_its_lease(
        lab, vm, p2):
    p2(f"servers={DHCP},{OTHER}")
    with leases(lab, lease("10.9.0.101", vm.mac, 1000, 300),
                lease("10.9.0.103", vm.mac, 1000, 300, b"\1c")), \
         second(lab, lease("10.9.0.102", vm.mac, 2000, 200),
                lease("10.9.0.101", vm.mac, 3000, 10, b"\1a")):
        lab.announce(vm, "h2")
        wait_addresses(lab, vm, "10.9.0.101", "10.9.0.102", "10.9.0.103")
        wait_for("the lease of the server that heard the VM last",
                 lambda: addresses(lab, vm)["10.9.0.101"] > 2900)


@pytest.mark.parametrize("silent", ["denies", "dnsmasq"])
def test_server_that_is_silent_delays_nobody(lab, vm, p2, silent):
    p2(f"servers={OTHER},{DHCP}")
    made = ({"make": dhcp_servers.dnsmasq} if silent == "dnsmasq"
            else {"conf": "deny leasequery;"})
    with leases(lab, lease("10.9.0.101", vm.mac)), second(lab, **made):
        lab.announce(vm, "h2")
        wait_for("its binding", lambda: addresses(lab, vm), 2.0)


def expires(lab, vm):
    """Seconds until the kernel's own end of the VM's binding, an hour after its lease."""
    for item in lab.nft("b4u"):
        for element in item.get("set", {}).get("elem", ()):
            if vm.mac in element["elem"]["val"]["concat"]:
                return element["elem"]["expires"]
    return None


def test_failover_pair_is_one_lease(lab, vm, p2):
    """Both answer, the copy without option 91; the first lease of a pair is short."""
    p2(f"servers={DHCP},{OTHER}")
    lab.dhcpd.stop()
    pair = dhcp_servers.isc_pair((lab.space["dhcp"], "d0", DHCP),
                                 (lab.space["other"], "x0", OTHER))
    try:
        assert vm.run_at("h1")
        before = lab.counter("leasequery_active")
        lab.announce(vm, "h2")
        left = wait_addresses(lab, vm, vm.ip)
        wait_for("both to answer", lambda: lab.counter(
            "leasequery_active") == before + 2)
        assert 500 < left[vm.ip] <= 600
    finally:
        for process in pair:
            process.stop()
        lab.dhcp_start()
        lab.dhcpd.wait_line("Server starting service")


@pytest.mark.parametrize("lost", ["half of the lease", "the store"])
def test_engine_that_was_away_asks_for_what_it_is_not_sure_of(lab, vm, p2, lost):
    p2(f"servers={OTHER}")
    said = [Answer(ACTIVE, "10.9.0.7", vm.mac, 20)]
    with Fake(lab.space["other"], OTHER, lambda q: said[0]) as fake:
        arrives(lab, vm)
        wait_addresses(lab, vm, "10.9.0.7")
        lab.engine["sw"].stop()
        # It renews meanwhile.
        said[0] = Answer(ACTIVE, "10.9.0.7", vm.mac, 7000)
        del fake.queries[:]
        if lost == "the store":
            shutil.rmtree(lab.state("sw"))
        else:
            wait_for("half of its lease", lambda: expires(lab, vm) < 3600 + 10, 15.0)
        lab.engine_start("sw")
        wait_for("its renewed lease", lambda: addresses(lab, vm).get(
            "10.9.0.7", 0) > 6000, 6.0)
        assert "ip" in [q["key"] for q in fake.queries]


def test_lease_not_seen_renewed_is_asked_for_before_its_end(lab, vm, p2):
    p2(f"servers={OTHER}")
    said = [Answer(ACTIVE, "10.9.0.7", vm.mac, 16)]
    with Fake(lab.space["other"], OTHER, lambda q: said[0]) as fake:
        arrives(lab, vm)
        wait_addresses(lab, vm, "10.9.0.7")
        said[0] = Answer(ACTIVE, "10.9.0.7", vm.mac, 1000)
        wait_for("its renewed lease", lambda: addresses(lab, vm)["10.9.0.7"] > 900, 20.0)
        assert [q["key"] for q in fake.queries] == ["mac", "ip"]


def test_server_that_knows_nothing_any_more_ends_no_binding(lab, vm, p2):
    p2(f"servers={OTHER}")
    said = [Answer(ACTIVE, "10.9.0.7", vm.mac, 16)]
    with Fake(lab.space["other"], OTHER, lambda q: said[0]) as fake:
        arrives(lab, vm)
        wait_addresses(lab, vm, "10.9.0.7")
        said[0] = Answer(UNKNOWN)
        wait_for("the question near its end", lambda: len(fake.queries) == 2, 20.0)
        assert addresses(lab, vm)
        # Its own end does.
        wait_for("its end", lambda: not addresses(lab, vm), 10.0)
