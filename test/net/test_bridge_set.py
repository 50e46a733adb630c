# SPDX-License-Identifier: GPL-2.0-only
"""
What the engine changes in the kernel's bridges (bridge_set, router_ports), alone against
the kernel by edge_driver: multicast database, FDB, multicast router ports.
"""
import json
import signal

import pytest

from netns import wait_for
from test_edges import Driver, Ground

MAC = "52:54:00:00:00:01"
GROUP, GROUP6 = "239.1.2.3", "ff15::123"


@pytest.fixture(scope="module")
def ground():
    made = Ground()
    made.sw.ip("link set br0 type bridge mcast_snooping 1", "link set p2 master br0 up",
               "link set x2 up")
    for port in ("p1", "p2"):
        wait_for("forwarding", lambda p=port: details(made, p)["state"] == "forwarding")
    made.driver.close()
    made.driver = Driver(made.sw)
    yield made
    made.driver.close()
    made.world.end()


def details(ground, port):
    return ground.sw.ip_json("-d", "link", "show", "dev", port)[0]["linkinfo"][
        "info_slave_data"]


def router(ground, port):
    return details(ground, port)["multicast_router"]


def bridge(ground, *argv):
    return json.loads(ground.sw.run("bridge", "-j", *argv) or "[]")


def mdb(ground):
    """{(port, group): state}"""
    return {(e["port"], e["grp"]): e["state"] for x in bridge(ground, "mdb", "show")
            for e in x.get("mdb", ())}


def behind(ground, mac):
    return [e for e in bridge(ground, "fdb", "show", "br", "br0") if e["mac"] == mac]


def ports_of(ground, mac):
    """A kernel that could filter VLANs has the entry once more, for the port's PVID."""
    return [e["ifname"] for e in behind(ground, mac)]


def refused(ground, command):
    with pytest.raises(OSError) as error:
        ground.driver(command)
    return error.value.errno


@pytest.mark.parametrize("group", (GROUP, GROUP6))
def test_group_is_put_as_a_report_makes_it_and_taken_out(ground, group):
    ground.driver(f"put p1 0 {group}")
    assert mdb(ground)["p1", group] == "temp"
    ground.driver(f"put p1 0 {group}")      # it is there already: no error
    ground.driver(f"put p2 0 {group}")
    ground.driver(f"drop p1 0 {group}")
    assert ("p1", group) not in mdb(ground) and ("p2", group) in mdb(ground)
    ground.driver(f"drop p1 0 {group}")     # nor is it when it has gone
    ground.driver(f"drop p2 0 {group}")


def test_group_that_runs_out_is_no_error_to_take_out(ground):
    ground.driver(f"drop p2 0 {GROUP}")


@pytest.mark.parametrize("group", ("224.0.0.251", "ff02::1"))
def test_link_local_group_is_flooded_and_needs_no_entry(ground, group):
    ground.driver(f"put p1 0 {group}")
    assert ("p1", group) not in mdb(ground)


def test_bridge_that_does_not_snoop_needs_no_entry(ground):
    ground.sw.ip("link set br0 type bridge mcast_snooping 0")
    ground.driver(f"put p1 0 {GROUP}")
    ground.driver(f"drop p1 0 {GROUP}")
    ground.sw.ip("link set br0 type bridge mcast_snooping 1")


def test_what_the_kernel_refuses_is_an_error(ground):
    ground.sw.ip("link set p2 down")
    assert refused(ground, f"put p2 0 {GROUP}") == 22
    assert refused(ground, f"move p2 0 {MAC}") == 1
    ground.sw.ip("link set p2 up")
    wait_for("forwarding", lambda: details(ground, "p2")["state"] == "forwarding")


def test_mac_moves_from_where_it_was_learned_and_is_dynamic(ground):
    frame = bytes.fromhex("ff" * 6 + MAC.replace(":", "") + "88b5") + bytes(46)
    ground.server.send_frame("e0", frame)
    wait_for("the FDB to learn", lambda: ports_of(ground, MAC) == ["p1"])
    ground.driver(f"move p2 0 {MAC}")
    assert set(ports_of(ground, MAC)) == {"p2"}
    for entry in behind(ground, MAC):
        assert not {"permanent", "static", "sticky", "extern_learn"} \
            & {entry["state"], *entry["flags"]}
    ground.server.send_frame("e0", frame)   # and by the next frame back: it is not held
    wait_for("the FDB to follow", lambda: "p1" in ports_of(ground, MAC))


def test_mac_that_nobody_knew_is_put(ground):
    ground.driver("move p2 0 52:54:00:00:00:77")
    assert set(ports_of(ground, "52:54:00:00:00:77")) == {"p2"}


@pytest.mark.parametrize("how", (("static",), ("sticky", "dynamic")))
def test_mac_that_an_operator_has_put_in_to_stay_stays(ground, how):
    mac = "52:54:00:00:00:78"
    ground.sw.run("bridge", "fdb", "add", mac, "dev", "p1", "master", *how)
    before = behind(ground, mac)
    ground.driver(f"move p2 0 {mac}")
    ground.driver(f"back p1 0 {mac} p2")
    assert behind(ground, mac) == before
    ground.sw.run("bridge", "fdb", "del", mac, "dev", "p1", "master")


def test_bridges_own_mac_stays(ground):
    mac = ground.sw.ip_json("link", "show", "dev", "br0")[0]["address"]
    before = behind(ground, mac)
    assert before and {entry["state"] for entry in before} == {"permanent"}
    ground.driver(f"move p2 0 {mac}")
    assert behind(ground, mac) == before


def test_mac_goes_back_from_where_it_still_is(ground):
    mac = "52:54:00:00:00:79"
    ground.driver(f"move p2 0 {mac}")
    ground.driver(f"back p1 0 {mac} p1")    # it is not at p1
    assert set(ports_of(ground, mac)) == {"p2"}
    ground.driver(f"back p2 0 {mac} p1")
    assert set(ports_of(ground, mac)) == {"p1"}
    ground.driver(f"back p1 0 {mac} -")
    assert not ports_of(ground, mac)
    ground.driver(f"back p1 0 {mac} -")     # nor is it an error when it has gone


def test_permanent_group_stays(ground):
    ground.sw.run("bridge", "mdb", "add", "dev", "br0", "port", "p1", "grp", GROUP,
                  "permanent")
    ground.driver(f"put p1 0 {GROUP}")
    ground.driver(f"drop p1 0 {GROUP}")
    assert mdb(ground)["p1", GROUP] == "permanent"
    ground.sw.run("bridge", "mdb", "del", "dev", "br0", "port", "p1", "grp", GROUP)


def test_group_that_runs_out_soon_is_made_anew(ground):
    def runs_out():
        """In how many seconds."""
        entry, = [e for x in bridge(ground, "-s", "mdb", "show") for e in x.get("mdb", ())
                  if (e["port"], e["grp"]) == ("p1", GROUP)]
        return float(entry["timer"])

    ground.sw.ip("link set br0 type bridge mcast_membership_interval 3000")
    ground.driver(f"put p1 0 {GROUP}")
    ground.sw.ip("link set br0 type bridge mcast_membership_interval 26000")
    assert runs_out() <= 30
    ground.driver(f"put p1 0 {GROUP}")
    assert runs_out() > 200
    ground.driver(f"drop p1 0 {GROUP}")


def test_router_port_that_two_want_stays_one_until_both_have_ended(ground):
    ground.driver("router p1 on")
    ground.driver("router p1 on")
    ground.driver("router p1 off")
    assert router(ground, "p1") == 2
    ground.driver("router p1 off")
    assert router(ground, "p1") == 1


def test_router_port_is_again_what_it_was(ground):
    for before in (1, 0):
        ground.sw.ip(f"link set p1 type bridge_slave mcast_router {before}")
        ground.driver("router p1 on")
        assert router(ground, "p1") == 2
        ground.driver("router p1 off")
        assert router(ground, "p1") == before
    ground.driver("router p1 off")
    ground.sw.ip("link set p1 type bridge_slave mcast_router 1")


def test_later_word_of_somebody_else_stands(ground):
    ground.driver("router p1 on")
    ground.sw.ip("link set p1 type bridge_slave mcast_router 0")
    ground.driver("router p1 off")
    assert router(ground, "p1") == 0
    ground.sw.ip("link set p1 type bridge_slave mcast_router 2")
    ground.driver("router p1 on")
    ground.driver("router p1 off")
    assert router(ground, "p1") == 2, "it was so before us"
    ground.sw.ip("link set p1 type bridge_slave mcast_router 1")


def test_port_that_has_left_the_bridge_is_no_error(ground):
    ground.driver("router p2 on")
    ground.sw.ip("link set p2 nomaster")
    ground.driver("router p2 off")
    ground.sw.ip("link set p2 master br0")
    assert router(ground, "p2") == 1


@pytest.mark.parametrize("how", (signal.SIGKILL, None))
def test_engine_that_ends_leaves_no_router_port_behind(ground, how):
    driver = Driver(ground.sw, ground.world.dir)
    driver("router p1 on")
    driver("router p2 on")
    driver("router p2 off")
    if how:
        driver.popen.send_signal(how)
        driver.popen.wait()
        assert router(ground, "p1") == 2
        Driver(ground.sw, ground.world.dir).close()
    else:
        driver.close()
    assert router(ground, "p1") == 1 and router(ground, "p2") == 1


def test_interface_of_another_name_is_not_touched_after_a_crash(ground):
    driver = Driver(ground.sw, ground.world.dir)
    driver("router p2 on")
    driver.popen.kill()
    driver.popen.wait()
    ground.sw.ip("link set p2 down", "link set p2 name q2", "link set q2 up")
    Driver(ground.sw, ground.world.dir).close()
    assert router(ground, "q2") == 2
    ground.sw.ip("link set q2 down", "link set q2 type bridge_slave mcast_router 1",
                 "link set q2 name p2", "link set p2 up")


def test_port_is_found_by_its_own_mac_in_its_bridge_alone(ground):
    ground.sw.ip("link set p2 address fe:54:00:00:00:01")
    br0, br1 = ground.index("br0"), ground.index("br1")
    wait_for("the change", lambda: "p2" in ground.driver("changes"))
    assert ground.driver(f"mac {br0} fe:54:00:00:00:01") == ["p2"]
    for ifindex in (br1, 0):
        assert refused(ground, f"mac {ifindex} fe:54:00:00:00:01") == 2
