# SPDX-License-Identifier: GPL-2.0-only
"""
associate, preassociate, deassociate: a whole association by one command. h1 has module
and engine, h2 is stock. Where the switch is to answer as a stock one never does, its
lldpad is kept from hearing ECP on p2, and a switch made of frames answers (IEEE 802.1Q
41.2.3, 43.3).
"""
import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import types
import uuid

import pytest

import frames
from lab import built
from netns import ETH_P_ALL, wait_for

LAB = {"module_at": ("h1",), "engine_at": ("h1",), "ours": {}}
M, PRE, ASSOC, DEASSOC = 0x10, 1, 3, 4
ACCEPTED, REFUSED, NOT_THERE, WRONG_USE, NO_ANSWER = 0, 1, 2, 3, 4
FRAMES = "02:00:00:00:00:99"    # the switch made of frames
CODES = {1: "invalid format", 2: "insufficient resources",
         3: "unable to contact the VSI manager", 4: "other failure",
         5: "invalid VID, group ID or MAC address"}


def start(lab, where, *argv, before=()):
    return subprocess.Popen(
        ["ip", "netns", "exec", lab.space[where].name, *before, built("vdp-migrate"), *argv],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def say(lab, where, *argv, before=()):
    process = start(lab, where, *argv, before=before)
    text = process.communicate(timeout=30)[0]
    return types.SimpleNamespace(code=process.returncode, text=text)


def ids(vsi, manager="11"):
    return ["-i", "e0", "--managerid", manager, "--typeid", "1193047", "--typeidversion",
            "2", "--instanceid", vsi]


@pytest.fixture
def vsi(lab):
    """A VM's VSI of which nothing is left afterwards."""
    made = types.SimpleNamespace(uuid=str(uuid.uuid4()), mac="52:54:00:%02x:%02x:%02x"
                                 % tuple(os.urandom(3)))
    made.args = [*ids(made.uuid), "--mac", made.mac]
    yield made
    for where in ("h1", "h2"):
        say(lab, where, "deassociate", "-i", "e0", "--instanceid", made.uuid)


def requests(capture, vsi):
    return [(mode, status) for mode, status, one in frames.vdp_requests(capture.now())
            if one == vsi.uuid]


def wait_keepalives(capture, vsi):
    """Two further requests, unasked for."""
    before = len(requests(capture, vsi))
    return wait_for("two keep-alives", lambda: requests(capture, vsi)[before + 1:]
                    and requests(capture, vsi)[-2:])


# With the real switch

def test_stock_lldpad_keeps_an_association_alive_with_M_by_its_own_hint(lab, vsi):
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    first = say(lab, "h2", "preassociate", *vsi.args, "--migrate")
    assert first.code == ACCEPTED and "e0 vsi %s: pre-associated" % vsi.uuid in first.text
    assert "by lldpad's own hint" in first.text and "engine not running" in first.text
    then = say(lab, "h2", "associate", *vsi.args, "--migrate")
    assert then.code == ACCEPTED and "e0 vsi %s: associated" % vsi.uuid in then.text
    assert wait_keepalives(capture, vsi) == [(ASSOC, M)] * 2
    # What is said again is accepted again.
    assert say(lab, "h2", "associate", *vsi.args).code == ACCEPTED
    ended = say(lab, "h2", "deassociate", "-i", "e0", "--instanceid", vsi.uuid)
    assert ended.code == ACCEPTED and ": de-associated" in ended.text
    seen = requests(capture, vsi)
    assert seen[0] == (PRE, M) and seen[-1] == (DEASSOC, M)
    again = say(lab, "h2", "deassociate", "-i", "e0", "--instanceid", vsi.uuid)
    assert again.code == REFUSED and "no such association" in again.text
    # tshark sees the bit too.
    assert {bit for (bit,) in capture.fields(
        "vdp21.tlvtype == 3 && vdp21.assoc.flags.req_rsp == 0",
        "vdp21.assoc.flags.mbit")} <= {"1", "True"}


def test_module_clears_M_once_the_association_is_confirmed(lab, vsi):
    capture = lab.sw.capture("p1", "ether proto 0x8940")
    first = say(lab, "h1", "preassociate", *vsi.args, "--migrate")
    assert first.code == ACCEPTED and "M-bit: by the module" in first.text
    assert [row for row in lab.show("h1", "marks") if row["vsi"] == vsi.uuid
            and row["mac"] == vsi.mac]
    assert say(lab, "h1", "associate", *vsi.args, "--migrate").code == ACCEPTED
    assert wait_keepalives(capture, vsi) == [(ASSOC, 0)] * 2
    assert {(PRE, M), (ASSOC, M)} < set(requests(capture, vsi))
    assert say(lab, "h1", "deassociate", "-i", "e0", "--instanceid",
               vsi.uuid).code == ACCEPTED
    assert not [row for row in lab.show("h1", "marks") if row["vsi"] == vsi.uuid]


def test_a_mark_that_knows_the_lease_is_left_as_it_is(lab, vsi):
    lab.cli("h1", "mark", vsi.uuid, "--ip", "10.9.0.77")
    assert say(lab, "h1", "associate", *vsi.args, "--migrate").code == ACCEPTED
    assert [row["address"] for row in lab.show("h1", "marks")
            if row["vsi"] == vsi.uuid] == ["10.9.0.77"]


def test_ids_and_several_macs_go_out_as_libvirt_means_them(lab, vsi):
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    argv = [*vsi.args, "--vlan", "100", "--mac", "02:00:00:00:00:07"]
    said = say(lab, "h2", "associate", *argv)
    assert said.code == ACCEPTED and "M-bit" not in said.text
    wanted = (b"\x0a\x10\x0b" + bytes(15) + struct.pack("!HBI", ASSOC << 9 | 41, 0,
                                                         1193047 << 8 | 2)
              + b"\x05" + uuid.UUID(vsi.uuid).bytes + b"\x02\x00\x02"
              + frames.mac_bytes(vsi.mac) + b"\x00\x64" + b"\x02\0\0\0\0\x07\0\0")
    assert any(wanted in frame for frame in capture.frames())
    for other in ([*vsi.args, "--vlan", "100"], [*vsi.args, "--vlan", "7", *argv[-2:]]):
        said = say(lab, "h2", "associate", *other)
        assert said.code == REFUSED and "other MAC addresses or VLANs" in said.text
    said = say(lab, "h2", "preassociate", *argv)
    assert said.code == REFUSED and "is associated already" in said.text


def test_deassociate_ends_each_vsi_of_that_instance_or_the_one_that_is_meant(lab, vsi):
    whole = "00112233-4455-6677-8899-aabbccddeeff"
    for manager in ("11", "12", whole):
        assert say(lab, "h2", "associate", *ids(vsi.uuid, manager), "--mac",
                   vsi.mac).code == ACCEPTED
    end = ["deassociate", "-i", "e0", "--instanceid", vsi.uuid]
    # lldpad shows nothing of a manager ID that begins with a zero octet.
    said = say(lab, "h2", *end)
    assert said.code == REFUSED and said.text.count(": de-associated") == 2
    assert "say --managerid" in said.text
    assert say(lab, "h2", *end, "--managerid", "13").code == REFUSED
    assert say(lab, "h2", *end, "--managerid", whole).code == ACCEPTED


def test_without_lldpad_vdp_port_or_permission_it_says_so(lab, vsi):
    def fails(where, why, *argv, before=()):
        said = say(lab, where, "associate", *argv, before=before)
        assert (said.code, why in said.text) == (NOT_THERE, True), said.text
    fails("other", "lldpad is not running", *vsi.args)
    fails("h2", "nobody but root", *vsi.args,
          before=("setpriv", "--reuid", "65534", "--clear-groups"))
    fails("h2", "no interface 'gone0'", "-i", "gone0", *vsi.args[2:])
    fails("h2", "no VDP on v0", "-i", "v0", *vsi.args[2:])
    fails("sw", "bridge's end", "-i", "p2", *vsi.args[2:])
    said = say(lab, "other", "deassociate", "-i", "e0", "--instanceid", vsi.uuid)
    assert said.code == NOT_THERE and "lldpad is not running" in said.text


@contextlib.contextmanager
def held(process):
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)


def test_lldpad_that_hangs_is_told(lab, vsi):
    with held(lab.lldpad["h2"].process):
        said = say(lab, "h2", "associate", *vsi.args)
    assert said.code == NOT_THERE and "lldpad does not answer" in said.text


def test_engine_that_hangs_holds_up_nothing(lab, vsi):
    with held(lab.engine["h1"]):
        began = time.monotonic()
        said = say(lab, "h1", "preassociate", *vsi.args, "--migrate")
        assert time.monotonic() - began < 2.0
    assert said.code == ACCEPTED
    assert "by lldpad's own hint" in said.text and "engine does not answer" in said.text


def test_lldpad_that_ends_while_the_switch_is_waited_for_is_told(lab, vsi):
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    with switch(lab, None):
        waits = start(lab, "h2", "associate", *vsi.args)
        wait_for("lldpad to ask the switch", lambda: requests(capture, vsi))
        lab.lldpad["h2"].process.stop(signal.SIGKILL)
        said = waits.communicate(timeout=10)[0]
    lab.lldpad["h2"].start()
    lab.wait_lldp(("h2",))
    assert waits.returncode == NOT_THERE and "lldpad has ended meanwhile" in said


def test_wrong_arguments_are_named(lab, vsi):
    right = vsi.args
    for wrong in (["--managerid", "256"], ["--typeid", "16777216"], ["--typeid", "0x1"],
                  ["--typeidversion", "-1"], ["--instanceid", "vm1"],
                  ["--instanceid", "00000000-0000-0000-0000-000000000001"],
                  ["--mac", "01:00:5e:00:00:01"], ["--mac", vsi.mac], ["--vlan", "1"],
                  ["--timeout", "0"], ["--tap", ""], ["-i", "a-name-that-is-too-long"]):
        said = say(lab, "h2", "associate", *right, *wrong)
        assert said.code == WRONG_USE, (wrong, said.text)
        assert (wrong[0] if wrong[0] != "-i" else "--port") + f" '{wrong[1]}'" in said.text
    for missing in ("-i", "--managerid", "--typeid", "--typeidversion", "--instanceid",
                    "--mac"):
        at = right.index(missing)
        said = say(lab, "h2", "associate", *right[:at], *right[at + 2:])
        assert said.code == WRONG_USE and f"{missing}" in said.text.splitlines()[0]
    said = say(lab, "h2", "associate", *ids(vsi.uuid), "--vlan", "2", "--mac", vsi.mac)
    assert said.code == WRONG_USE and "--mac before it" in said.text
    assert say(lab, "h2", "deassociate", "-i", "e0").code == WRONG_USE
    assert say(lab, "h2", "associate", *right, "more").code == WRONG_USE


# With a switch made of frames

class Switch(threading.Thread):
    """Acknowledges each ECPDU on p2 and answers it by answer(mode, VSI ID): a status
    octet, or None. vlan: put in place of 0."""

    def __init__(self, lab, answer, vlan=0):
        super().__init__(daemon=True)
        self.socket = lab.sw.packet_socket("p2", ETH_P_ALL)
        self.socket.settimeout(0.1)
        self.answer, self.vlan, self.ended = answer, vlan, False
        self.last, self.number = None, int.from_bytes(os.urandom(2), "big")

    def run(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError):
                frame, address = self.socket.recvfrom(2048)
                if address[2] == socket.PACKET_OUTGOING or frame[12:14] != b"\x89\x40":
                    continue
                if frame[14:16] == b"\x10\x01":
                    self.heard(frame)

    def send(self, payload):
        self.socket.send(b"\x01\x80\xc2\0\0\0" + frames.mac_bytes(FRAMES) + b"\x89\x40"
                         + payload.ljust(46, b"\0"))

    def heard(self, frame):
        self.send(b"\x14\x01" + frame[16:18])
        if frame[16:18] == self.last:
            return
        self.last = frame[16:18]
        pdu = bytearray(frame[18:])
        status = self.answer(pdu[18] >> 1, str(uuid.UUID(bytes=bytes(pdu[26:42]))))
        if status is None:
            return
        pdu[20] = status
        if self.vlan and pdu[51:53] == b"\0\0":
            pdu[51:53] = struct.pack("!H", self.vlan)
        self.number = self.number % 0xFFFF + 1
        self.send(struct.pack("!HH", 0x1001, self.number) + pdu)


@contextlib.contextmanager
def switch(lab, answer, **options):
    """It takes the place of the switch's lldpad on p2; without an answer nobody does."""
    lab.sw.run("nft", "-f", "-", input=f"""table netdev deaf {{
        chain hears {{ type filter hook ingress device p2 priority 0;
                       ether type 0x8940 drop; }}
        chain says {{ type filter hook egress device p2 priority 0;
                      ether type 0x8940 ether saddr != {FRAMES} drop; }}
        }}""")
    made = Switch(lab, answer, **options) if answer else None
    if made:
        made.start()
    try:
        yield made
    finally:
        lab.sw.run("nft", "delete", "table", "netdev", "deaf")
        if made:
            made.ended = True
            made.join()
            made.socket.close()


def test_each_refusal_is_said_by_its_name(lab):
    status = {}
    with switch(lab, lambda mode, vsi: status["octet"]):
        for code, name in {**CODES, 9: "error 9"}.items():
            status["octet"] = 0x40 | code
            one = str(uuid.uuid4())
            said = say(lab, "h2", "associate", *ids(one), "--mac", "02:00:00:00:00:01")
            assert said.code == REFUSED
            assert f"{one}: refused by the switch: {name}" in said.text
        status["octet"] = 0x40 | M | 2
        said = say(lab, "h2", "associate", *ids(str(uuid.uuid4())), "--mac",
                   "02:00:00:00:00:01")
        assert said.code == REFUSED and "a hard error" in said.text


def test_refusal_that_keeps_what_was_before_is_told_though_lldpad_is_silent(lab, vsi):
    with switch(lab, lambda mode, vsi: 0x62 if mode == ASSOC else 0x40):
        said = say(lab, "h2", "associate", *vsi.args)
    assert said.code == REFUSED
    assert "insufficient resources (error 2); the switch keeps" in said.text


def test_vlan_that_the_switch_has_chosen_is_told_and_known_the_next_time(lab, vsi):
    with switch(lab, lambda mode, vsi: 0x40, vlan=100):
        said = say(lab, "h2", "associate", *vsi.args)
        assert said.code == ACCEPTED
        assert f"associated, {vsi.mac} in VLAN 100 by the switch" in said.text
        assert say(lab, "h2", "associate", *vsi.args).code == ACCEPTED


def test_answer_for_another_vsi_is_no_answer(lab, vsi):
    other = str(uuid.uuid4())
    with switch(lab, lambda mode, one: 0x40 if one == other else None) as made:
        waits = start(lab, "h2", "associate", *vsi.args)
        wait_for("the request", lambda: made.last)
        assert say(lab, "h2", "associate", *ids(other), "--mac",
                   "02:00:00:00:00:02").code == ACCEPTED
        assert say(lab, "h2", "deassociate", "-i", "e0", "--instanceid",
                   other).code == ACCEPTED
        assert waits.poll() is None
        said = waits.communicate(timeout=5)[0]
    assert waits.returncode == NO_ANSWER and f"{vsi.uuid}: no answer" in said


def test_silent_switch_is_no_answer_and_leaves_no_mark(lab, vsi):
    with switch(lab, None):
        began = time.monotonic()
        said = say(lab, "h2", "associate", *vsi.args, "--timeout", "1")
        assert said.code == NO_ANSWER and "no answer from the switch" in said.text
        assert time.monotonic() - began < 1.5
        # While lldpad still waits, another try waits with it.
        said = say(lab, "h2", "associate", *vsi.args)
        assert said.code == NO_ANSWER and "lldpad has given up" in said.text
    assert say(lab, "h2", "associate", *vsi.args).code == ACCEPTED


def test_lldpad_that_has_just_started_has_no_evb_yet(lab, vsi):
    lab.lldpad["h2"].stop()
    lab.lldpad["h2"].start()
    heard = []

    def accepted():
        said = say(lab, "h2", "associate", *vsi.args)
        heard.append(said)
        return said.code == ACCEPTED
    wait_for("an association after lldpad's start", accepted, 15.0)
    assert {said.code for said in heard[:-1]} <= {NOT_THERE, NO_ANSWER}
    assert any("EVB is not negotiated on e0 yet" in said.text for said in heard)
