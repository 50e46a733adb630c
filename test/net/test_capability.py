# SPDX-License-Identifier: GPL-2.0-only
"""The capability TLV of LLDP: on the wire, at once after a change, and the neighbour's
in the table of ports."""
import pytest

from netns import wait_for

LAB = {}

ORG = "lldp.tlv.type == 127 and lldp.orgtlv.oui == 0x02564d"
TLV = bytes.fromhex("fe0702564d01")     # type 127, 7 octets, OUI, subtype
STATION, BRIDGE, HELP, GROUPS, LEASEQUERY = 1, 2, 2, 4, 8
AUTO = (1, BRIDGE, HELP | GROUPS | LEASEQUERY)


def said(captured):
    """(version, role, flags) of each LLDPDU, None where it has none of our TLV."""
    found = []
    for frame in captured:
        at = frame.find(TLV)
        found.append(tuple(frame[at + 6:at + 9]) if at >= 0 else None)
    return found


def lldp(space, ifname, peer):
    """What leaves on this interface for the nearest customer bridge."""
    mac = peer.ip_json("link", "show", "dev", ifname)[0]["address"]
    return space.capture(
        ifname, f"ether proto 0x88cc and ether dst 01:80:c2:00:00:00 and ether src {mac}")


@pytest.fixture
def heard(lab):
    """LLDPDUs of the switch on p1."""
    return lldp(lab.sw, "p1", lab.sw)


def test_tshark_sees_it_as_an_organizationally_specific_tlv(lab, heard):
    lab.lldpad["sw"].set("p1", "assist=off")
    lab.lldpad["sw"].set("p1", "assist=auto")
    wait_for("an LLDPDU", lambda: AUTO in said(heard.now()), 5.0)
    assert heard.count(ORG)


@pytest.mark.parametrize("setting, back, expected", (
    ("assist=off", "assist=auto", (1, BRIDGE, GROUPS)),
    ("assist=leasequery", "assist=auto", (1, BRIDGE, GROUPS | LEASEQUERY)),
    ("assist=help", "assist=auto", (1, BRIDGE, HELP | GROUPS)),
    ("groups=off", "groups=both", (1, BRIDGE, HELP | LEASEQUERY)),
    ("advertise=no", "advertise=yes", None),
    ("use=no", "use=yes", None)))
def test_a_change_leaves_within_two_seconds_and_so_does_the_way_back(
        lab, heard, setting, back, expected):
    lldpad = lab.lldpad["sw"]
    lldpad.set("p1", setting)
    wait_for("an LLDPDU that says so", lambda: expected in said(heard.now()), 2.5)
    seen = len(heard.now())
    lldpad.set("p1", back)
    wait_for("an LLDPDU as before", lambda: AUTO in said(heard.now())[seen:], 2.5)


def test_stock_lldptool_shows_what_the_neighbour_says(lab):
    shown = lab.lldpad["sw"].tool("-t", "-n", "-i", "p1", "-g", "ncb")
    assert "OUI: 0x02564d, Subtype: 1, Info: 010102" in shown


def test_a_station_says_whether_it_helps(lab):
    station, space = lab.lldpad["h1"], lab.space["h1"]
    seen = lldp(space, "e0", space)
    for value, flags in (("leasequery", 0), ("help", HELP), ("off", 0), ("auto", HELP)):
        before = len(seen.now())
        station.set("e0", f"assist={value}")
        wait_for("an LLDPDU that says so", lambda n=before, f=flags: (1, STATION, f)
                 in said(seen.now())[n:], 2.5)


def test_the_neighbours_is_in_the_table_until_it_sends_it_no_more(lab):
    station = lab.lldpad["h1"]

    def neighbour():
        return next(r for r in lab.show("sw", "ports") if r["port"] == "p1")
    wait_for("the neighbour", lambda: neighbour()["neighbour"] == "station")
    assert neighbour()["neighbour_version"] == 1
    station.set("e0", "advertise=no")
    try:
        wait_for("it to be gone", lambda: not neighbour().get("neighbour"), 5.0)
    finally:
        station.set("e0", "advertise=yes")
    wait_for("the neighbour again", lambda: neighbour()["neighbour"] == "station", 5.0)
    station.stop()
    wait_for("it to be gone with its lldpad", lambda: not neighbour().get("neighbour"), 5.0)
    station.start()
    lab.wait_lldp()
    wait_for("the neighbour again", lambda: neighbour()["neighbour"] == "station", 5.0)
