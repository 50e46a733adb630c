# SPDX-License-Identifier: GPL-2.0-only
"""
Starts and restarts of one lldpad while the other runs on: no VSI is lost and no
request swallowed. p1 (bridge) == e0 (station), each with the module or stock. Where
stock alone fails, a control shows it.
"""
import signal
import struct
import time
import uuid

import pytest

import lab
from netns import World, run, wait_for
from test_attach import MANAGER, ecpdu, vsi_tlv

USE = {"use": "yes"}
SLOW = 20   # exponent of 10 us: a keep-alive each 10 s, so that numbers do not grow
EMPTY = bytes.fromhex("0a10") + bytes(18)   # Manager ID TLV, End TLV
RESPONSE, DEASSOC = 0x40, 4


class Pair:
    """Two lldpads, each with the module, in use, where `ours` names it: "bridge",
    "station"."""

    def __init__(self, world, ours, rka=SLOW, use=None):
        self.sw, self.h = world.space("sw"), world.space("h1")
        run("ip", "link", "add", "p1", "netns", self.sw.name, "type", "veth",
            "peer", "name", "e0", "netns", self.h.name)
        self.sw.ip("link set p1 up")
        self.h.ip("link set e0 up")
        use = USE if use is None else use
        self.bridge = lab.Lldpad(self.sw, "bridge", ("p1",), "bridge" in ours,
                                 {"p1": use} if "bridge" in ours else {}, rka)
        self.station = lab.Lldpad(self.h, "station", ("e0",), "station" in ours,
                                  {"e0": use} if "station" in ours else {}, rka)

    def start(self):
        self.bridge.start()
        self.station.start()
        self.ready()
        return self

    def ready(self):
        wait_for("LLDP both ways", lambda: self.station.hears_peer("e0")
                 and self.bridge.hears_peer("p1"), 15.0, 0.1)

    def restart(self, which):
        which.stop()
        which.start()
        self.ready()

    def vdp(self, vsi):
        argv = ["vdptool", "-i", "e0", "-T", "-V", "assoc", "-W"]
        for item in ("mode=assoc", "mgrid2=1", "typeid=1193047", "typeidver=2",
                     f"uuid={vsi}", "filter=0-52:54:00:0a:0a:0a", "hints=none"):
            argv += ["-c", item]
        return "mode = assoc" in self.h.run(*argv, check=False)

    def first_request(self, vsi):
        """The first request of this VSI that leaves the station (before it has its
        timers stock refuses to send any): is it answered?"""
        capture = self.h.capture("e0", "ether proto 0x8940")

        def asked():
            ok = self.vdp(vsi)
            return [ok] if [1 for kind, status, v in tlvs(capture.now())
                            if v == vsi and not status & RESPONSE] else None
        answered = wait_for("the request to be sent", asked, 20.0, 0.3)[0]
        capture.stop()
        return answered


def tlvs(captured):
    """(TLV type, status, VSI) of each association in a request ECPDU."""
    at = 18 + len(MANAGER)
    return [(f[at] >> 1, f[at + 2], str(uuid.UUID(bytes=f[at + 8:at + 24])))
            for f in captured if f[12:15] == b"\x89\x40\x10" and len(f) > at + 25
            and 1 <= f[at] >> 1 <= 4]


def empty(captured):
    """Sequence numbers of the VDPDUs that say nothing; a repetition counts once."""
    found = []
    for f in captured:
        if f[12:16] == b"\x89\x40\x10\x01" and f[18:18 + len(EMPTY)] == EMPTY:
            found.append(struct.unpack_from("!H", f, 16)[0])
    return found


@pytest.fixture
def world():
    with World() as made:
        yield made


# The first 30 s of a bridge

def associates(pair, vsi, until, timeout=20.0):
    """A station that speaks no LLDP: associates ten times a second, until the bridge's
    answers (types and status of its TLVs) are such."""
    capture = pair.h.capture("e0", "ether proto 0x8940 and not ether src 02:00:00:00:00:51")
    number, end = 0, time.monotonic() + timeout
    with pair.h.packet_socket("e0") as s:
        while time.monotonic() < end:
            number += 1
            s.send(ecpdu(number, MANAGER + vsi_tlv(3, vsi) + b"\0\0"))
            try:
                return wait_for("answers", lambda: until(tlvs(capture.now())) and
                                tlvs(capture.now()), 0.1)
            except TimeoutError:
                continue
    raise TimeoutError(f"no such answers: {tlvs(capture.now())}")


def test_before_its_timers_the_bridge_de_associates_nobody(world):
    pair = Pair(world, ("bridge",))
    pair.bridge.start()
    seen = associates(pair, str(uuid.uuid4()),
                      lambda t: len([1 for _, status, _ in t if status & RESPONSE]) > 25)
    assert pair.bridge.process.find("de-associates are held back")
    assert {kind for kind, _, _ in seen} == {3}


def test_control_stock_de_associates_for_want_of_its_timers(world):
    pair = Pair(world, ())
    pair.bridge.start()
    associates(pair, str(uuid.uuid4()), lambda t: [1 for k, _, _ in t if k == DEASSOC])


KEEPALIVE = 2.62    # s between two, with an exponent of 18


def restarted_before_a_keepalive(world, ours):
    """The bridge was killed; it is started so that the station's next keep-alive finds
    VDP there since half a second, but stock without its timers."""
    pair = Pair(world, ours, rka=18).start()
    vsi = str(uuid.uuid4())
    assert pair.first_request(vsi)
    capture = pair.sw.capture("p1", "ether proto 0x8940")
    wait_for("a keep-alive's answer", lambda: [1 for _, s, v in tlvs(capture.now())
                                               if v == vsi and s & RESPONSE])
    before = len(tlvs(capture.now()))
    answered = capture.stamped()[-1][0]
    pair.bridge.process.kill(signal.SIGKILL)
    pair.bridge.process.popen.wait()
    # lldpad starts VDP at its first tick, one second after its start.
    wait_for("the time to start it", lambda: time.time() > answered + KEEPALIVE - 1.5)
    pair.bridge.start()
    return lambda: tlvs(capture.now())[before:], vsi


def test_no_vsi_is_lost_in_the_first_30_seconds_of_the_bridge(world):
    said, vsi = restarted_before_a_keepalive(world, ("bridge",))
    wait_for("keep-alives answered for 30 s", lambda: len(
        [1 for _, s, v in said() if v == vsi and s & RESPONSE]) >= 12
        or [1 for k, _, _ in said() if k == DEASSOC], 45.0, 0.2)
    assert {k for k, _, _ in said()} == {3}


def test_control_stock_loses_a_vsi_after_a_start_of_the_bridge(world):
    said, _ = restarted_before_a_keepalive(world, ())
    wait_for("the bridge's de-associate", lambda: [
        1 for k, s, _ in said() if k == DEASSOC and not s & RESPONSE], 10.0)


def test_the_timers_are_there_two_seconds_after_the_start(world):
    """An EVB TLV leaves once VDP runs, so both sides have theirs; stock waits 30 s."""
    pair = Pair(world, ("station",))
    pair.station.start()
    capture = pair.h.capture("e0", "ether proto 0x88cc and ether dst 01:80:c2:00:00:00")
    wait_for("two LLDPDUs with the EVB TLV", lambda: len(
        [f for f in capture.now() if b"\x00\x80\xc2\x0d" in f]) >= 2, 5.0)


# Numbers of ECP that begin at 1 again

@pytest.mark.parametrize("ours", (("station",), ("bridge",), ("bridge", "station")))
@pytest.mark.parametrize("restarted", ("station", "bridge"))
def test_the_first_request_after_a_restart_is_answered(world, ours, restarted):
    pair = Pair(world, ours).start()
    first = str(uuid.uuid4())
    assert pair.first_request(first)
    pair.restart(getattr(pair, restarted))
    assert pair.first_request(str(uuid.uuid4()))
    if restarted == "station":  # octet for octet as its first one
        pair.restart(pair.station)
        assert pair.first_request(first)


@pytest.mark.parametrize("restarted", ("station", "bridge"))
def test_control_stock_swallows_the_first_request_after_a_restart(world, restarted):
    pair = Pair(world, ()).start()
    assert pair.first_request(str(uuid.uuid4()))
    pair.restart(getattr(pair, restarted))
    assert not pair.first_request(str(uuid.uuid4()))


def test_an_empty_vdpdu_takes_the_first_number_at_each_start_of_ecp(world):
    pair = Pair(world, ("station",))
    capture = pair.h.capture("e0", "ether proto 0x8940")
    pair.start()
    wait_for("the first", lambda: empty(capture.now()))
    assert set(empty(capture.now())) == {1}
    seen = len(empty(capture.now()))
    pair.h.ip("link set e0 down")
    pair.h.ip("link set e0 up")
    wait_for("one after the link was down", lambda: len(empty(capture.now())) > seen)
    wait_for("LLDP", lambda: pair.station.hears_peer("e0"), 15.0, 0.1)
    seen = len(empty(capture.now()))
    pair.station.process.kill(signal.SIGHUP)
    wait_for("one after SIGHUP", lambda: len(empty(capture.now())) > seen, 15.0)
    assert set(empty(capture.frames())) == {1}
    assert pair.station.process.alive


def test_a_port_that_is_not_ours_starts_as_stock_does(world):
    pair = Pair(world, ("station",), use={"use": "no"})
    capture = pair.h.capture("e0", "ether proto 0x8940 or ether proto 0x88cc")
    pair.start()
    assert pair.first_request(str(uuid.uuid4()))
    assert not empty(capture.frames())
    assert not [f for f in capture.now() if b"\xfe\x07\x02\x56\x4d\x01" in f]
