# SPDX-License-Identifier: GPL-2.0-only
"""
A link that goes down, or an interface that is deleted, under VDP traffic. Stock lldpad
frees what its ECP timer still points at, and dies; the module has it wait for that timer.
VDP_MIGRATE_LONG=1 in the environment: 50 tries instead of 8, of stock too.
"""
import os
import random
import signal
import time

import pytest

from netns import World, wait_for
from rack import Rack

LONG = bool(os.environ.get("VDP_MIGRATE_LONG"))
TRIES = 50 if LONG else 8
PORTS = 4
VSIS = 60
REAPED = 15.0       # what a SIGHUP leaves is kept for at least 10 s


@pytest.fixture
def world():
    with World() as made:
        yield made


def under_traffic(rack, n, act):
    """Stations associate; in the midst of it, after 30 to 70 ms, act."""
    storm = rack.storm_start(VSIS, end=rack.ends[n])
    busy = time.monotonic() + random.uniform(0.03, 0.07)
    wait_for("the middle of the storm", lambda: time.monotonic() > busy, every=0.002)
    act()
    storm.stop()


def down(rack, n):
    rack.sw.ip(f"link set {rack.ports[n]} down")


def delete(rack, n):
    rack.sw.ip(f"link del {rack.ports[n]}")


def up_again(rack, n, deleted):
    if deleted:
        rack.plug(rack.ports[n], rack.ends[n])
    else:
        rack.sw.ip(f"link set {rack.ports[n]} up")


def works(rack, n):
    """Whoever asks at this port now is answered."""
    rack.answers(rack.ports[n])
    assert not rack.storm(5, ends=[rack.ends[n]]).lost


@pytest.mark.parametrize("act", (down, delete))
def test_lldpad_lives_and_the_port_works_again(world, act):
    rack = Rack(world, "ours", PORTS, {}).ready()
    tried = 0
    while tried < TRIES:
        for n in range(PORTS):
            under_traffic(rack, n, lambda n=n: act(rack, n))
        for n in range(PORTS):
            up_again(rack, n, act is delete)
        for n in range(PORTS):
            works(rack, n)
        tried += PORTS
        assert rack.lldpad.process.alive, rack.lldpad.process.tail()
    assert not rack.lldpad.process.find("Bad file descriptor")


def test_the_link_may_come_back_at_once(world):
    rack = Rack(world, "ours", 1, {}).ready()
    for _ in range(TRIES // 2):
        under_traffic(rack, 0, lambda: rack.sw.ip("link set p1 down", "link set p1 up"))
        works(rack, 0)
    assert rack.lldpad.process.alive


@pytest.mark.parametrize("act", (down, delete))
def test_together_with_sighup(world, act):
    rack = Rack(world, "ours", 1, {}).ready()
    for order in (0, 1) * (TRIES // 8):
        steps = [lambda: act(rack, 0), lambda: rack.lldpad.process.kill(signal.SIGHUP)]
        under_traffic(rack, 0, lambda: [step() for step in steps[::1 - 2 * order]])
        up_again(rack, 0, act is delete)
        works(rack, 0)
    assert rack.lldpad.process.alive


def test_a_deletion_in_the_midst_of_a_sighup_harms_no_other_port(world):
    """Until ECP of before the SIGHUP was left with an interface that is gone."""
    rack = Rack(world, "ours", PORTS, {}).ready()
    lldpad = rack.lldpad.process
    for n in (0, 1) * TRIES:
        storm = rack.storm_start(VSIS, end=rack.ends[n])
        busy = time.monotonic() + 0.05
        wait_for("the middle of the storm", lambda end=busy: time.monotonic() > end,
                 every=0.002)
        deletion = rack.sw.start("deletion", "ip", "link", "del", rack.ports[n])
        hup = time.monotonic() + random.uniform(0.002, 0.02)
        wait_for("the midst of it", lambda end=hup: time.monotonic() > end, every=0.001)
        lldpad.kill(signal.SIGHUP)
        wait_for("the deletion", lambda x=deletion: not x.alive)
        storm.stop()
        up_again(rack, n, True)
        works(rack, n)
        if lldpad.find("put to sleep"):
            break
    for n in range(PORTS):
        works(rack, n)
    left = links(rack) - {rack.ports[3]}
    delete(rack, 3)
    for n in range(PORTS - 1):
        works(rack, n)
    assert links(rack) == left
    up_again(rack, 3, True)
    works(rack, 3)
    # What else a SIGHUP leaves is freed.
    lldpad.kill(signal.SIGHUP)
    for n in range(PORTS):
        works(rack, n)
    many = descriptors(rack)
    wait_for("sockets to be closed", lambda: descriptors(rack) <= many - PORTS, REAPED)
    for n in range(PORTS):
        works(rack, n)
    assert lldpad.alive, lldpad.tail()


def links(rack):
    return {x["ifname"] for x in rack.sw.ip_json("link", "show")}


def descriptors(rack):
    return len(os.listdir(f"/proc/{rack.lldpad.process.pid}/fd"))


@pytest.mark.parametrize("act", (down, delete) if LONG else (down,))
def test_control_stock_dies_of_it(world, act):
    """Within these tries; most often at the first. In the long form as often as ours is
    tried, and at many of them."""
    tries, died = (TRIES, 0) if LONG else (PORTS, 0)
    rack = Rack(world, "stock", PORTS).ready()
    for i in range(tries):
        died += dies_of(rack, i % PORTS, act)
        if died and not LONG:
            break
        if not rack.lldpad.process.alive:
            rack.lldpad.start()
            rack.ready()
    assert died > (tries // 4 if LONG else 0), f"stock: {died} of {tries}"
    print(f"stock has died {died} times in {tries} tries")


def dies_of(rack, n, act):
    """Does that lldpad end, at once or at what comes next?"""
    under_traffic(rack, n, lambda: act(rack, n))
    up_again(rack, n, act is delete)
    end = time.monotonic() + 2.0
    wait_for("its end, or time", lambda: not rack.lldpad.process.alive
             or time.monotonic() > end)
    if rack.lldpad.process.alive:
        rack.storm(5, ends=[rack.ends[n]], linger_ms=300)
    return not rack.lldpad.process.alive
