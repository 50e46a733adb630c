# SPDX-License-Identifier: GPL-2.0-only
"""
Many VSIs at once: stock lldpad has one buffer a port for what comes in and reads it 2 ms
later; the module gives it one VDPDU after the other, at once, and its answers to a
migration wait for the binding. Stock beside it is the control.
"""
import signal
import time

import pytest

import lab
from netns import World, wait_for
from rack import Rack

PORTS = 16
LEASES = range(100000, 101000)
HOLD = 40           # ms, where something must be seen to wait so long
SLOW = {"fast": "no"}
COUNT = 20


@pytest.fixture(scope="module")
def world():
    with World() as made:
        yield made


@pytest.fixture(scope="module")
def racks(world):
    """ours, slow (fast=no) and stock, side by side."""
    made = [Rack(world, "ours", PORTS, {}), Rack(world, "slow", 1, SLOW),
            Rack(world, "stock", PORTS)]
    yield {rack.name: rack.ready() for rack in made}
    for rack in made:
        assert rack.lldpad.process.alive


@pytest.fixture(scope="module")
def bound(world):
    """With an engine and a DHCP server that knows the VSIs."""
    rack = Rack(world, "bound", 1, {"assist": "leasequery", "guard": "enforce",
                                    "servers": lab.DHCP, "hold": str(HOLD)},
                engine=True, leases=LEASES).ready()
    rack.leased = LEASES.start
    return rack


def migrate(rack, count=COUNT, **more):
    """VSIs with the M-bit, 5 ms apart, each with a lease."""
    first, rack.leased = rack.leased, rack.leased + count
    return rack.storm(count, 5000, m=True, first=first, **more)


# Nothing is lost

@pytest.mark.parametrize("name", ("ours", "slow"))
def test_100_vsis_at_once_on_one_port_are_all_answered(racks, name):
    found = racks[name].storm(100, pace=0, ends=["e1"])
    assert not found.lost and not found.twice


def test_control_stock_loses_of_100_at_once(racks):
    assert racks["stock"].storm(100, pace=0, ends=["e1"], linger_ms=300).lost


def test_960_vsis_over_16_ports_at_a_stations_pace_are_all_answered(racks):
    for _ in range(2):
        found = racks["ours"].storm(60)
        assert not found.lost and not found.twice


def test_control_stock_loses_of_960(racks):
    for _ in range(5):
        if racks["stock"].storm(60, linger_ms=300).lost:
            return
    pytest.fail("stock has lost nothing")


@pytest.mark.parametrize("gap_us", (0, 1000, 2600))
def test_several_tlvs_in_an_ecpdu_and_duplicates_are_answered_once(racks, gap_us):
    found = racks["ours"].storm(30, pace=gap_us, ends=["e1"], tlvs=3, copies=2)
    assert not found.lost and not found.twice


def test_what_does_not_fit_is_lost_and_said_once(racks):
    slow = racks["slow"]
    found = slow.storm(600, pace=100, linger_ms=1500)
    assert 200 < len(found) - len(found.lost) < 600
    said = [x for x in slow.lldpad.process.lines if "too many wait for lldpad" in x]
    assert len(said) == 1 and "p1: a VDPDU is lost" in said[0]
    assert not slow.storm(20).lost


def full_queue(rack):
    """200 have come in and were acknowledged, and few of them read by VDP22."""
    before = received(rack)
    storm = rack.storm_start(200, pace=0, linger_ms=5000)
    wait_for("the queue to fill", lambda: received(rack) >= before + 200 and
             not unread(rack), every=0.002)
    return storm


def received(rack):
    return rack.sw.ip_json("-s", "link", "show", "p1")[0]["stats64"]["rx"]["packets"]


def unread(rack):
    """Does ECP's packet socket hold something that lldpad has not read?"""
    table = rack.sw.run("cat", "/proc/net/packet")
    return any(int(x.split()[6]) for x in table.splitlines()[1:]
               if x.split()[3] == "8940")


def test_a_full_queue_survives_sighup(racks):
    slow = racks["slow"]
    storm = full_queue(slow)
    slow.lldpad.process.kill(signal.SIGHUP)
    wait_for("the storm's end", lambda: not storm.alive, 15.0)
    found = slow.found(storm)
    assert len(found) == 200 and not found.lost
    assert max(x.response for x in found) > 500000, "the queue was empty at the SIGHUP"


def test_a_link_that_goes_down_with_a_full_queue_empties_it(racks):
    slow = racks["slow"]
    storm = full_queue(slow)
    slow.sw.ip("link set p1 down")
    storm.stop()
    slow.sw.ip("link set p1 up")
    assert slow.answers("p1")
    assert not slow.storm(20).lost


# At once

def test_lldpad_answers_at_once(racks):
    times = {name: rack.storm(COUNT, 5000, ends=["e1"]).median()
             for name, rack in racks.items()}
    assert times["ours"] < times["stock"] and times["ours"] < times["slow"], times
    assert min(times["stock"], times["slow"]) >= 2000, times


def test_a_port_that_asks_without_end_keeps_no_other_waiting(racks):
    ours = racks["ours"]
    alone = ours.storm(COUNT, 5000, ends=["e2"])
    busy = ours.storm_start(2000, pace=200, end=ours.ends[-1], linger_ms=100)
    found = ours.storm(COUNT, 5000, ends=["e2"])
    assert busy.alive, "it was through before the other"
    busy.stop()
    assert not found.lost
    # What stock takes on a port that is alone is 2 ms and more.
    times = alone.median(), found.median()
    assert times[1] < max(3 * times[0], 2000), times


def test_fast_takes_effect_at_once(racks):
    ours = racks["ours"]
    ours.lldpad.set("p1", "fast=no")
    assert ours.storm(5, 5000, ends=["e1"]).median() >= 2000
    ours.lldpad.set("p1", "fast=yes")
    assert ours.storm(5, 5000, ends=["e1"]).median() < 2000


# The response waits for the binding

def test_the_binding_is_in_the_kernel_before_the_response_leaves(bound):
    found = migrate(bound)
    assert not found.lost and not found.late
    assert found.median() < HOLD * 1000
    wait_for("the counter", lambda: bound.counter("responses_held"), 3.0)


def test_without_a_server_nothing_waits(bound):
    bound.lldpad.set("p1", "servers=none")
    found = migrate(bound, events=False)
    assert not found.lost and found.median() < HOLD * 1000 / 2
    bound.lldpad.set("p1", f"servers={lab.DHCP}")


def test_a_server_that_knows_nothing_of_it_is_not_waited_for_longer(bound):
    found = bound.storm(COUNT, 5000, m=True, first=LEASES.stop, events=False)
    assert not found.lost and found.median() < HOLD * 1000 / 2
    assert bound.counter("leasequery_unknown") >= COUNT


def test_a_silent_server_is_waited_for_no_longer_than_hold(bound):
    bound.dhcpd.kill(signal.SIGSTOP)
    found = migrate(bound, 5, events=False)
    bound.dhcpd.kill(signal.SIGCONT)
    assert not found.lost and found.median() > HOLD * 1000 - 2000


def test_an_engine_that_hangs_is_waited_for_no_longer_than_hold(bound):
    first = bound.leased
    bound.engine.kill(signal.SIGSTOP)
    try:
        found = migrate(bound, 5, events=False)
        assert not found.lost and found.median() > HOLD * 1000 - 2000
        again = bound.storm(5, 5000, m=True, first=first, events=False)
        assert not again.lost and again.median() < HOLD * 1000 / 2, "keep-alives wait"
    finally:
        bound.engine.kill(signal.SIGCONT)


def test_without_an_engine_nothing_waits(bound):
    """And what waits when it is killed leaves at once."""
    bound.lldpad.set("p1", "hold=1000")
    bound.engine.kill(signal.SIGSTOP)
    storm = bound.storm_start(1, m=True, first=bound.leased, events=False)
    bound.leased += 1
    end = time.monotonic() + 0.2
    wait_for("the request to be in", lambda: time.monotonic() > end)
    assert storm.alive
    bound.engine.kill(signal.SIGKILL)
    wait_for("its response", lambda: not storm.alive, 0.5)
    found = migrate(bound, 5, events=False)
    assert not found.lost and found.median() < HOLD * 1000 / 2
