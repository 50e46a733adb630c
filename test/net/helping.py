# SPDX-License-Identifier: GPL-2.0-only
"""
What the tests of help requests share: the help TLV on the wire, read and forged; what is
known of a VM's lease as options of `vdp-migrate mark`; the lease as ISC's dhcpd has it in
its file; DHCP clients that go on running in a VM.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import uuid

import frames
from netns import wait_for

KIND = bytes.fromhex("02564d02")      # OUI, subtype
ASSOCIATIONS = (1, 2, 3, 4)
MANAGER, ORGANIZATION = 5, 0x7f
CUSTOMER_BRIDGE = bytes.fromhex("0180c2000000")

# What the VM's client sends as client-id.
HARDWARE, NONE = "hardware", "none"
UDHCPC = {HARDWARE: (), NONE: ("-C",)}


def client_id(vm):
    """The client-id that udhcpc sends: 01 and the MAC."""
    return "01" + vm.mac.replace(":", "")


def known(vm, sends=HARDWARE, ip=None):
    """Options of mark: the VM's lease."""
    return ("--ip", ip or vm.ip,
            *(("--no-client-id",) if sends == NONE else ("--client-id", client_id(vm))))


def lease(vm, server="h1", sends=HARDWARE):
    """The VM starts at this server and gets an address; the client then ends."""
    vm.run_at(server, address=False)
    out = vm.space.run("busybox", "udhcpc", "-i", f"eth{server[1]}", "-f", "-n", "-q",
                       "-t", "10", "-T", "1", "-A", "1", *UDHCPC[sends],
                       "-s", vm.lab.udhcpc_script)
    vm.ip = re.search(r"got (\S+)", out)[1]


# The lease file of ISC's dhcpd

def lease_of(lab, ip):
    """What the file says of this address, last."""
    with open(os.path.join(lab.space["dhcp"].dir, "dhcpd.leases"), encoding="ascii") as f:
        blocks = re.findall(rf"^lease {re.escape(ip)} {{\n(.*?)^}}", f.read(),
                            re.M | re.S)
    return blocks[-1] if blocks else None


def state_of(lab, ip):
    block = lease_of(lab, ip)
    return block and re.search(r"^  binding state (\w+);", block, re.M)[1]


# On the wire

def tlvs(frame):
    """(type, value) of a VDPDU's TLVs in an ECP request; none of another frame."""
    if frame[12:14] != b"\x89\x40" or frame[14] & 0x0C:
        return []
    found, at = [], 18
    while at + 2 <= len(frame) and frame[at] >> 1:
        size = (frame[at] & 1) << 8 | frame[at + 1]
        found.append((frame[at] >> 1, frame[at + 2:at + 2 + size]))
        at += 2 + size
    return found


def help_requests(captured, vm):
    """[{rides, giaddr, xid, entries}] of the help TLVs for this VM. rides: the mode of
    the answer before it, None in a VDPDU of its own."""
    found = []
    for frame in captured:
        here = tlvs(frame)
        for n, (kind, value) in enumerate(here):
            if kind != ORGANIZATION or value[:4] != KIND:
                continue
            one = _parsed(value)
            before = here[n - 1]
            one["rides"] = before[0] if before[0] in ASSOCIATIONS else None
            if one["vsi"] == vm.uuid:
                found.append(one)
    return found


def _parsed(value):
    version, flags, family = value[4:7]
    size = {0: 0, 1: 4, 2: 16}[family]
    at = 7 + size
    xid, _, vsi, n = struct.unpack_from("!IB16sH", value, at)
    at += 23
    assert version == 1 and len(value) == at + 8 * n, value.hex()
    entries = [(value[i:i + 6].hex(":"), int.from_bytes(value[i + 6:i + 8], "big"))
               for i in range(at, len(value), 8)]
    return {"flags": flags, "giaddr": ".".join(map(str, value[7:at - 23])) or None,
            "xid": xid, "vsi": str(uuid.UUID(bytes=vsi)), "entries": entries}


class Dhcp:
    """A DHCP message in an Ethernet frame, as far as the tests look at it."""

    def __init__(self, frame):
        message = frame[42:]
        self.source = frame[6:12].hex(":")
        self.src, self.dst = (socket.inet_ntoa(frame[a:a + 4]) for a in (26, 30))
        self.sport, self.dport = struct.unpack_from("!HH", frame, 34)
        self.xid, = struct.unpack_from("!I", message, 4)
        self.flags, = struct.unpack_from("!H", message, 10)
        self.ciaddr, self.yiaddr, self.giaddr = (
            socket.inet_ntoa(message[a:a + 4]) for a in (12, 16, 24))
        self.chaddr = message[28:34].hex(":")
        self.options, at = {}, 240
        while at + 1 < len(message) and message[at] != 255:
            if message[at]:
                size = message[at + 1]
                assert message[at] not in self.options, message.hex()
                self.options[message[at]] = message[at + 2:at + 2 + size]
                at += 1 + size
            at += 1
        self.kind = self.options[53][0]


def dhcp(captured):
    """The DHCP messages among untagged frames."""
    return [Dhcp(f) for f in captured if f[12:14] == b"\x08\x00" and f[23] == 17
            and frames.dhcp_kind(f[42:]) is not None]


class FakeSwitch:
    """Says what it likes in the real switch's name, in VDPDUs of its own."""
    VSI_ID_UUID = 5

    def __init__(self, lab, port):
        self.space, self.port = lab.sw, port
        self.mac = self.space.ip_json("link", "show", "dev", port)[0]["address"]
        self.sequence = int.from_bytes(os.urandom(2), "big")

    def ask(self, vsi, *macs, giaddr="10.9.0.254", xid=None, octets=None):
        """A help request; octets: in place of the TLV's value."""
        xid = int.from_bytes(os.urandom(4), "big") if xid is None else xid
        value = octets if octets is not None else (
            KIND + bytes((1, 1, 1)) + frames.ip_bytes(giaddr)
            + struct.pack("!IB", xid, self.VSI_ID_UUID) + uuid.UUID(vsi).bytes
            + struct.pack("!H", len(macs))
            + b"".join(frames.mac_bytes(m) + bytes(2) for m in macs))
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.space.send_frame(self.port, (
            CUSTOMER_BRIDGE + frames.mac_bytes(self.mac) + b"\x89\x40"
            + struct.pack("!HHH", 0x1001, self.sequence, MANAGER << 9 | 16) + bytes(16)
            + struct.pack("!H", ORGANIZATION << 9 | len(value)) + value
            + bytes(2)).ljust(60, b"\0"))


class Quiet:
    """Witness that nothing of DHCP, and nothing that comes of it, is at the VM's port of
    the switch or at its end of the link."""

    def __init__(self, lab, port, eth):
        what = "udp port 67 or udp port 68 or icmp[icmptype] = icmp-unreach"
        self.captures = (lab.sw.capture(port, what), lab.vm_space.capture(eth, what))

    def __enter__(self):
        return self

    def heard(self):
        """The request itself is broadcast, as any client's: all others."""
        return [x for capture in self.captures for x in
                [(m.kind, m.dst) for m in dhcp(capture.frames()) if m.kind != 3]
                + [("icmp",)] * capture.count("icmp")]

    def check(self):
        assert not self.heard(), self.heard()

    def __exit__(self, *_):
        for capture in self.captures:
            capture.stop()


# Clients that go on running

@contextlib.contextmanager
def client(vm, kind, server="h1", sends=HARDWARE):
    """udhcpc or dhclient in the VM, bound; its process. sends: udhcpc alone can NONE."""
    vm.run_at(server, address=False)
    eth, place = f"eth{server[1]}", os.path.join(vm.space.dir, f"{kind}-{vm.uuid}")
    os.mkdir(place, 0o777)
    if kind == "udhcpc":
        process = vm.space.start(kind, "busybox", "udhcpc", "-i", eth, "-f", "-s",
                                 vm.lab.udhcpc_script, *UDHCPC[sends])
    else:
        script = os.path.join(place, "script")
        with open(script, "w", encoding="ascii") as f:
            f.write('#!/bin/sh\necho "reason $reason"\ncase $reason in\n'
                    "BOUND|RENEW|REBIND|REBOOT) ip addr replace $new_ip_address/24 "
                    "dev $interface; echo got $new_ip_address ;;\n"
                    "EXPIRE|FAIL) ip addr flush dev $interface ;; esac\n")
        os.chmod(script, 0o755)
        with open(os.path.join(place, "conf"), "w", encoding="ascii") as f:
            f.write("send dhcp-client-identifier = hardware;\n")
        # A copy: Debian's AppArmor profile goes by the path, and forbids the script.
        program = shutil.copy(shutil.which("dhclient"), place)
        process = vm.space.start(
            kind, program, "-4", "-d", "-v", "-sf", script, "-cf", f"{place}/conf",
            "-lf", f"{place}/leases", "-pf", f"{place}/pid", eth)
    try:
        vm.ip = re.search(r"got (\S+)", process.wait_line("^got"))[1]
        wait_for("the client to be at rest", lambda: kind == "udhcpc"
                 or process.find("^bound to"))
        yield process
    finally:
        process.stop()


def renew(process):
    """udhcpc renews its lease now; what it has then."""
    lines = len(process.lines)
    process.kill(signal.SIGUSR1)
    return re.search(r"got (\S+)", process.wait_line("^got", since=lines))[1]
