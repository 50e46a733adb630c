# SPDX-License-Identifier: GPL-2.0-only
"""The Wireshark dissector of contrib/, by tshark on the captured frames."""
import os
import subprocess

from scapy.all import Ether, rdpcap, wrpcap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LUA = os.path.join(TOP, "contrib", "vdp_migrate.lua")
HELP = os.path.join(TOP, "test", "captures", "help.pcap")


def _fields(capture, where, *names):
    """The values of these fields, a list for each frame that the filter passes."""
    argv = ["tshark", "-X", f"lua_script:{LUA}", "-r", capture, "-Y", where, "-T", "fields"]
    for name in names:
        argv += ["-e", f"vdp_migrate.{name}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "Lua" not in done.stderr, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_help_request_is_decoded_whole():
    for frame in _fields(HELP, "vdp_migrate.help.vsi", "version", "help.dhcp4", "help.dhcp6",
                         "help.giaddr", "help.vsi", "help.entries", "help.mac", "help.vlan"):
        assert frame == ["1", "1", "0", "10.9.0.254",
                         "fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", "1",
                         "52:54:00:12:34:56", "0"]
    assert [x for x, in _fields(HELP, "vdp_migrate.help.vsi", "help.xid")][0] == "0x01020304"


def test_m_bit_of_requests_has_its_name_and_responses_have_none():
    modes = _fields(HELP, "vdp_migrate.status.m", "mode", "status.m", "status.s")
    assert ["1", "1", "0"] in modes and ["3", "1", "0"] in modes
    assert not _fields(HELP, "vdp_migrate.status.m && vdp_migrate.status.ack == 1", "mode")
    assert _fields(HELP, "vdp_migrate.status.hard == 0 && vdp_migrate.status.error == 0", "mode")


def test_capabilities_of_switch_and_station_are_told_apart():
    seen = _fields(HELP, "vdp_migrate.capability.role", "capability.role", "capability.help",
                   "capability.leasequery", "capability.groups")
    assert seen == [["2", "1", "1", "0"], ["1", "1", "0", "0"]]


def test_cut_tlv_is_malformed_and_nothing_of_it_is_made_up(tmp_path):
    whole = bytes(next(f for f in rdpcap(HELP) if len(f) == 82))
    at, length = 36, 42 # the help TLV and what follows its header
    capture = str(tmp_path / "cut.pcap")
    for left in range(4, length):
        cut = bytearray(whole[:at + 2 + left])
        cut[at + 1] = left
        wrpcap(capture, Ether(bytes(cut)), append=True)
    assert len(_fields(capture, "vdp_migrate.malformed", "version")) == length - 4
    assert not _fields(capture, "vdp_migrate.help.mac", "help.mac")
