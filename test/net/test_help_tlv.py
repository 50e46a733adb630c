# SPDX-License-Identifier: GPL-2.0-only
"""
The help TLV between two stock lldpads with the module, where it belongs and where it
does not; a station with stock lldpad alone. The engines are false: what they do with
it is shown elsewhere.
"""
import struct

import pytest

from fake_engine import REQUEST, FakeEngine
from frames import vdp_tlvs
from netns import wait_for

LAB = {"module_at": ("sw", "h1"), "engine_at": (),
       "ours": {"p1": {"use": "yes"}, "p2": {"use": "yes"}}}

HELP = bytes.fromhex("02564d02")
CAPABILITY = bytes.fromhex("fe07 02564d01 01 01 02")     # a station that helps
PRE, ASSOC, ACK = 1, 3, 0x40


class Wish:
    """What the switch's engine wants for one VM."""
    def __init__(self, vm, xid, port="p1"):
        self.vm, self.xid, self.port, self.early = vm, xid, port, True

    def ask(self, engine):
        engine.help(self.port, self.vm.uuid, self.xid, self.vm.mac)


@pytest.fixture(scope="module")
def engines(lab):
    """The switch's asks as soon as it hears of the VM that it wants help for."""
    wishes = []

    def on_vsi(engine, port, what, _mode, status, vsi):
        for wish in wishes:
            if what == REQUEST and wish.early and (port, vsi) == (wish.port, wish.vm.uuid):
                wish.early = False
                wish.ask(engine)
    made = {"sw": FakeEngine(lab.sw, on_vsi), "h1": FakeEngine(lab.space["h1"])}
    made["wishes"] = wishes
    yield made
    made["sw"].close()
    made["h1"].close()


@pytest.fixture
def asking(engines, vm):
    """A wish for this test's VM."""
    wish = Wish(vm, 0x01020300 + len(engines["wishes"]) * 16)
    engines["wishes"].append(wish)
    yield wish
    engines["sw"].help_end(wish.port, vm.uuid)
    engines["h1"].unmark(vm.uuid)


def helps(captured):
    """For each VDPDU with the help TLV: ([(mode, status)] of its associations, xid)."""
    found, last = [], None
    for frame in captured:
        at = frame.find(HELP, 18)
        if frame[12:14] != b"\x89\x40" or frame[14] & 0x0C or frame == last or at < 0:
            continue
        last = frame
        xid_at = at + 7 + (4 if frame[at + 6] == 1 else 0)
        found.append(([x[:2] for x in vdp_tlvs([frame])],
                      struct.unpack_from("!I", frame, xid_at)[0]))
    return found


def asked_of(engines, vm):
    return [x for x in engines["h1"].asked if x[3] == vm.uuid]


def capture(lab, port="p1"):
    return lab.sw.capture(port, "ether proto 0x8940")


def test_it_rides_in_the_answer_is_handed_on_once_and_repeated_in_each_further_one(
        lab, vm, engines, asking):
    wire = capture(lab)
    engines["h1"].mark(vm.uuid)
    vm.vdp("h1", "preassoc")
    wait_for("the station's engine to be asked", lambda: asked_of(engines, vm))
    wait_for("keep-alives", lambda: len(helps(wire.now())) >= 3, 5.0)
    vm.vdp("h1", "assoc")
    seen = helps(wire.now())
    assert seen[0] == ([(PRE, ACK)], asking.xid)
    assert ([(ASSOC, ACK)], asking.xid) in seen
    assert asked_of(engines, vm) == [("e0", "10.9.0.254", asking.xid, vm.uuid, [vm.mac])]
    engines["sw"].help_end("p1", vm.uuid)
    ended = len(vdp_tlvs(wire.now()))
    wait_for("answers without it", lambda: [
        x for x in vdp_tlvs(wire.now())[ended:] if x[1] & ACK][1:], 5.0)
    assert helps(wire.now())[-1] in seen
    assert wire.count("vdp21.org_oui") >= 4
    assert not wire.count("_ws.malformed")


def test_a_wish_after_the_answer_leaves_in_a_vdpdu_of_its_own_and_the_vsi_lives_on(
        lab, vm, engines, asking):
    asking.early = False
    wire = capture(lab)
    engines["h1"].mark(vm.uuid)
    vm.vdp("h1", "preassoc")
    asking.ask(engines["sw"])
    wait_for("the station's engine to be asked", lambda: asked_of(engines, vm))
    assert helps(wire.now()) == [([], asking.xid)]
    vm.vdp("h1", "assoc")
    wait_for("keep-alives", lambda: len(helps(wire.now())) >= 4, 5.0)
    assert {x[0][0] for x in helps(wire.now())[1:] if x[0]} <= {(PRE, ACK), (ASSOC, ACK)}
    assert not wire.count("_ws.malformed")


def test_another_xid_is_handed_on_and_each_port_names_its_own(lab, vm, engines, asking):
    engines["h1"].mark(vm.uuid)
    vm.vdp("h1", "preassoc")
    wait_for("the station's engine to be asked", lambda: asked_of(engines, vm))
    asking.xid += 1
    asking.ask(engines["sw"])
    wait_for("it to be asked again", lambda: len(asked_of(engines, vm)) == 2)
    assert [x[2] for x in asked_of(engines, vm)] == [asking.xid - 1, asking.xid]


def test_a_vsi_that_is_not_marked_is_refused_and_logged_once(lab, vm, engines, asking):
    wire, log = capture(lab), lab.lldpad["h1"].process
    since = len(log.lines)
    vm.vdp("h1", "preassoc", hints="to")
    wait_for("keep-alives", lambda: len(helps(wire.now())) >= 3, 5.0)
    log.wait_line(f"e0 vsi {vm.uuid}: help request refused: it is not marked", since=since)
    assert not asked_of(engines, vm)
    assert len([x for x in log.lines[since:] if "help request refused" in x]) == 1
    # The mark comes late: the next repetition is taken.
    engines["h1"].mark(vm.uuid)
    wait_for("the station's engine to be asked", lambda: asked_of(engines, vm), 5.0)


def test_foreign_macs_and_unknown_vsis_are_refused(lab, vm, engines, asking):
    asking.early = False
    log = lab.lldpad["h1"].process
    since = len(log.lines)
    engines["h1"].mark(vm.uuid)
    vm.vdp("h1", "preassoc")
    refused = engines["h1"].counters.get("help requests refused", 0)
    engines["sw"].help("p1", vm.uuid, asking.xid, "52:54:00:99:99:99")
    wait_for("it to be refused", lambda: engines["h1"].counters.get(
        "help requests refused", 0) > refused, 5.0)
    assert not asked_of(engines, vm)
    assert len([x for x in log.lines[since:] if "help request refused" in x]) <= 1


def test_a_stock_station_is_not_asked_and_not_disturbed(lab, vm, engines, asking):
    asking.port = "p2"
    wire = capture(lab, "p2")
    vm.vdp("h2", "preassoc", hints="to")
    vm.vdp("h2", "assoc")
    asking.ask(engines["sw"])
    answers = len(vdp_tlvs(wire.now()))
    wait_for("keep-alives", lambda: len(vdp_tlvs(wire.now())) >= answers + 4, 5.0)
    assert not [x for x in wire.now() if HELP in x]
    wait_for("it to be counted",
             lambda: engines["sw"].counters.get("help requests not sent"), 3.0)


def test_a_stock_station_would_pass_over_it(lab, vm, engines, asking):
    """Its lldpad says nothing of the product: its own LLDPDU, with our capability TLV put
    in by somebody else."""
    asking.port, asking.early = "p2", False
    mac = lab.space["h2"].ip_json("link", "show", "dev", "e0")[0]["address"]
    lldp = lab.sw.capture("p2", f"ether proto 0x88cc and ether src {mac} and "
                                "ether dst 01:80:c2:00:00:00")
    wire = capture(lab, "p2")
    # A TLV that is set makes an LLDPDU leave at once.
    lab.lldpad["h2"].tool("-T", "-i", "e0", "-g", "ncb", "-V", "0x0080c20d",
                           "ecpretries=3")
    said = wait_for("an LLDPDU of the station", lldp.now, 35.0)[-1]
    lie = said.rstrip(b"\0") + CAPABILITY + b"\0\0"
    vm.vdp("h2", "preassoc", hints="to")

    def asked():
        # After a change stock sends a few more.
        lab.space["h2"].send_frame("e0", lie)
        asking.ask(engines["sw"])
        return helps(wire.now())
    wait_for("it to be asked", asked, 5.0, 0.3)
    vm.vdp("h2", "assoc")
    wait_for("answers with it", lambda: len(
        [x for x in asked() if x[0] == [(ASSOC, ACK)]]) >= 3, 8.0, 0.3)
    assert lab.lldpad["h2"].process.alive
    modes = {x[0] for x in vdp_tlvs(wire.now()) if x[2] == vm.uuid and not x[1] & ACK}
    assert modes == {PRE, ASSOC}, "the station has given it up"
    assert not wire.count("_ws.malformed")
