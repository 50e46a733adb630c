# SPDX-License-Identifier: GPL-2.0-only
"""
The module in an unmodified lldpad: that it gets in, that it stays out where it must,
and that lldpad lives through what kills it without us. Two namespaces, a veth pair:
p1 (bridge) == e0 (station). Where lldpad alone dies or errs, a control shows it.
"""
import os
import re
import signal
import struct
import subprocess
import uuid

import pytest

import lab
from netns import CommandFailed, World, run, wait_for

MANAGER = bytes((0x0A, 0x10, 1)) + bytes(15)
MAC_A = "52:54:00:0a:0a:0a"


class Pair:
    """Two lldpads. preload: what the bridge's has preloaded; None: nothing."""

    def __init__(self, world, preload="module", rka=16):
        self.world = world
        self.sw, self.h = world.space("sw"), world.space("h1")
        run("ip", "link", "add", "p1", "netns", self.sw.name, "type", "veth",
            "peer", "name", "e0", "netns", self.h.name)
        self.sw.ip("link set p1 up")
        self.h.ip("link set e0 up")
        ours = preload == "module"
        self.bridge = lab.Lldpad(self.sw, "bridge", ("p1",), ours, {}, rka)
        self.station = lab.Lldpad(self.h, "station", ("e0",), ours, {}, rka)
        self.preload = preload if preload not in ("module", None) else None
        self.start(self.bridge)
        self.start(self.station)
        self.ready()

    def start(self, which):
        if not self.preload or which is self.station:
            return which.start()
        which.process = which.space.start(
            "lldpad", "env", f"LD_PRELOAD={self.preload}", lab.LLDPAD, "-f", which.conf,
            "-V", "6", private=lab.PRIVATE_RUN)
        return which.process

    def ready(self):
        wait_for("LLDP both ways", lambda: self.station.hears_peer("e0")
                 and self.bridge.hears_peer("p1"), 15.0, 0.1)

    def vdp(self, vsi, mode="assoc", hints="none", mac=MAC_A):
        argv = ["vdptool", "-i", "e0", "-T", "-V", "assoc", "-W"]
        for item in (f"mode={mode}", "mgrid2=1", "typeid=1193047", "typeidver=2",
                     f"uuid={vsi}", f"filter=0-{mac}", f"hints={hints}"):
            argv += ["-c", item]
        return f"mode = {mode}" in self.h.run(*argv, check=False)

    def associate(self, vsi):
        """Stock refuses requests for a while after LLDP is there: ask again."""
        wait_for("an association", lambda: self.vdp(vsi), 10.0, 0.3)

    def answers(self, lldpad=None):
        """lldpad is there and serves its clients."""
        lldpad = lldpad or self.bridge
        return str(lldpad.process.pid) in lldpad.space.run("lldptool", "-p", check=False)


@pytest.fixture
def world():
    with World() as made:
        yield made


def module():
    path = lab.built("vdp_migrate.so")
    assert path, "vdp_migrate.so is not built"
    return path


def compiled(world, name, source, *flags):
    """A small C program or shared object."""
    path = os.path.join(world.dir, name)
    subprocess.run(("gcc", "-D_GNU_SOURCE", "-o", path, "-x", "c", "-", *flags),
                   input=source, text=True, check=True)
    return path


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def vsi_tlv(kind, vsi, mac=MAC_A):
    return (bytes((kind << 1, 33, 0, 1, 2, 3, 4, 5)) + uuid.UUID(vsi).bytes
            + b"\x02\x00\x01" + bytes.fromhex(mac.replace(":", "")) + b"\0\0")


def ecpdu(sequence, payload):
    return (bytes.fromhex("0180c2000000" "020000000051" "8940") + b"\x10\x01"
            + struct.pack("!H", sequence) + payload)


def responses(captured, vsi):
    """How often the bridge has answered for this VSI (status with the Ack bit);
    a retransmission has the same octets."""
    at = 18 + len(MANAGER)
    found = {f for f in captured if f[12:15] == b"\x89\x40\x10" and len(f) > at + 25
             and f[at + 2] & 0x40 and f[at + 8:at + 24] == uuid.UUID(vsi).bytes}
    return len(found)


# Getting in

def test_settings_are_taken_stored_and_survive_a_restart(world):
    pair = Pair(world)
    pair.bridge.process.wait_line("vdp_migrate: attached to lldpad")
    os.chmod(pair.bridge.conf, 0o640)
    assert "use=yes" in pair.bridge.set("p1", "use=yes")
    assert "use=yes" in pair.bridge.get("p1", "use")
    names = re.findall(r"^(\S+)=", pair.bridge.get("p1"), re.M)
    assert "use" in names and "guard" in names
    with open(pair.bridge.conf, encoding="ascii") as f:
        assert re.search(r'tlvid02564d01 :\s*{\s*use = "yes";', f.read())
    assert os.stat(pair.bridge.conf).st_mode & 0o7777 == 0o640
    assert os.listdir(pair.sw.dir) == ["lldpad.conf"]
    pair.bridge.stop()
    pair.start(pair.bridge)
    pair.ready()
    assert "use=yes" in pair.bridge.get("p1", "use")


def test_a_wrong_value_is_refused_with_its_reason_and_the_old_one_stands(world):
    pair = Pair(world)
    pair.bridge.set("p1", "use=yes")
    with open(pair.bridge.conf, "rb") as f:
        before = f.read()
    with pytest.raises(CommandFailed, match="Invalid parameters.*use.*yes.*no"):
        pair.bridge.set("p1", "use=perhaps")
    with pytest.raises(CommandFailed, match="not applicable"):
        pair.bridge.set("p1", "no-such-name=1")
    with pytest.raises(CommandFailed, match="agent type"):
        pair.sw.run("lldptool", "-T", "-i", "p1", "-V", lab.TLVID, "use=no")
    with open(pair.bridge.conf, "rb") as f:
        assert f.read() == before
    assert "use=yes" in pair.bridge.get("p1", "use")


def test_a_file_that_cannot_be_written_leaves_file_and_value_as_they_were(world):
    pair = Pair(world)
    pair.bridge.set("p1", "use=yes")
    with open(pair.bridge.conf, "rb") as f:
        before = f.read()
    blocker = pair.bridge.conf + ".vdp_migrate"
    os.makedirs(os.path.join(blocker, "x"))
    with pytest.raises(CommandFailed, match="Failed"):
        pair.bridge.set("p1", "use=no")
    with open(pair.bridge.conf, "rb") as f:
        assert f.read() == before
    assert "use=yes" in pair.bridge.get("p1", "use")


def test_settings_of_other_modules_are_not_ours_to_answer(world):
    pair = Pair(world)
    evb = "0x0080c20d"
    pair.sw.run("lldptool", "-T", "-i", "p1", "-g", "ncb", "-V", evb, "vdprwd=17")
    assert "vdprwd=17" in pair.sw.run("lldptool", "-t", "-i", "p1", "-g", "ncb", "-V",
                                      evb, "-c", "vdprwd")


def test_attaches_at_the_first_turn_where_if_nameindex_is_not_seen(world):
    shim = compiled(world, "shim.so", """
        #include <dlfcn.h>
        #include <net/if.h>
        struct if_nameindex *if_nameindex(void)
        {
            void *libc = dlopen("libc.so.6", RTLD_NOW);
            struct if_nameindex *(*f)(void) = dlsym(libc, "if_nameindex");
            return f();
        }""", "-shared", "-fPIC")
    pair = Pair(world, preload=f"{shim}:{module()}")
    pair.bridge.process.wait_line("vdp_migrate: attached to lldpad, late")
    assert "use=yes" in pair.bridge.set("p1", "use=yes")
    pair.associate(str(uuid.uuid4()))


# Staying out

def test_nothing_happens_in_another_program(world):
    show = "ls -l /proc/self/fd; env"
    env = dict(os.environ, LD_PRELOAD=module())
    out = subprocess.run(("sh", "-c", show), env=env, text=True, capture_output=True,
                         check=True)
    assert "eventpoll" not in out.stdout
    assert f"LD_PRELOAD={module()}" in out.stdout
    assert out.stderr == ""


PROGRAM = """
    #include <net/if.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/resource.h>
    #include <sys/select.h>
    #include <unistd.h>
    int main(int argc, char **argv)
    {
        struct timeval tv = { 0, 1000 };
        fd_set r, w, e;
        (void)argv;
        if (argc > 1) {
            struct rlimit none = { 3, 3 };
            setrlimit(RLIMIT_NOFILE, &none);
        }
        for (int i = 0; i < 3; i++) {
            if_nameindex();
            FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&e);
            if (select(0, &r, &w, &e, &tv) != 0)
                return 1;
        }
        printf("preload %s\\n", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none");
        return 0;
    }"""


def run_program(world, *argv, preload=None):
    os.makedirs(os.path.join(world.dir, "bin"), exist_ok=True)
    path = compiled(world, "bin/lldpad", PROGRAM)
    return subprocess.run((path, *argv), text=True, capture_output=True, check=True,
                          env=dict(os.environ, LD_PRELOAD=preload or module()))


def test_a_program_of_that_name_without_modules_gets_one_line_that_names_the_rule(world):
    out = run_program(world)
    assert re.fullmatch(r"\S+ vdp_migrate: not attached: no module list found "
                        r"\(no .* \(\d+ words, \d+ candidates, 0 lists\)\)\n", out.stderr)
    assert "preload none" in out.stdout


def test_without_descriptors_it_says_so_and_stays_out(world):
    out = run_program(world, "no descriptors")
    assert re.fullmatch(r".*not attached.*\(memory cannot be read safely: Too many open "
                        r"files \(.*\)\)\n", out.stderr)


def test_only_our_own_entry_leaves_ld_preload(world):
    other = compiled(world, "other.so", "int other_symbol;", "-shared", "-fPIC")
    out = run_program(world, preload=f"{other}:{module()}")
    assert f"preload {other}\n" in out.stdout


@pytest.mark.parametrize("call, reason", (("epoll_create1(int f)", "no descriptor"),
                                          ("pipe2(int p[2], int f)", "cannot be read")))
def test_lldpad_works_as_without_us_where_we_cannot_attach(world, call, reason):
    shim = compiled(world, "shim.so", f"""
        #include <errno.h>
        int {call} {{ (void)f; errno = EMFILE; return -1; }}""", "-shared", "-fPIC", "-w")
    pair = Pair(world, preload=f"{shim}:{module()}")
    lines = [x for x in pair.bridge.process.lines if "vdp_migrate" in x]
    assert len(lines) == 1 and "not attached" in lines[0] and reason in lines[0]
    with pytest.raises(CommandFailed, match="not applicable"):
        pair.bridge.set("p1", "use=yes")
    pair.associate(str(uuid.uuid4()))
    pair.bridge.stop()
    assert pair.bridge.process.popen.returncode == 0


# SIGHUP

SLOW = 19   # exponent of 10 us: a keep-alive each 5.2 s, a VSI ends 7.9 s after the last


def hang_up(pair):
    """Ten SIGHUPs, each when lldpad serves its clients again; False: it has died."""
    for _ in range(10):
        pair.bridge.process.kill(signal.SIGHUP)
        try:
            wait_for("lldpad after SIGHUP", lambda: not pair.bridge.process.alive
                     or pair.answers(), 10.0)
        except TimeoutError:
            return False
        if not pair.bridge.process.alive:
            return False
    return True


def test_ten_sighups_with_a_live_vsi_cost_neither_lldpad_nor_the_vsi(world):
    pair = Pair(world, rka=SLOW)
    vsi = str(uuid.uuid4())
    pair.associate(vsi)
    before = descriptors(pair.bridge.process.pid)
    capture = pair.h.capture("e0", "ether proto 0x8940")

    def requests():
        return [f for f in capture.now() if f[12:15] == b"\x89\x40\x10"
                and uuid.UUID(vsi).bytes in f]
    # Right after a keep-alive: the next one must find the new generation's timers.
    wait_for("a keep-alive and its answer", lambda: len(requests()) >= 2, 10.0)
    assert hang_up(pair)
    seen = len(requests())
    wait_for("four more keep-alives, answered", lambda: len(requests()) >= seen + 8, 40.0)
    assert all(f[18 + len(MANAGER)] >> 1 != 4 for f in requests()), "a de-associate"
    assert responses(capture.frames(), vsi) >= 4
    wait_for("the dead generations' descriptors to be closed",
             lambda: descriptors(pair.bridge.process.pid) == before, 20.0)
    pair.bridge.stop()
    assert pair.bridge.process.popen.returncode == 0


def test_control_stock_lldpad_dies_of_sighup_with_a_live_vsi(world):
    pair = Pair(world, preload=None)
    pair.associate(str(uuid.uuid4()))
    pair.bridge.process.kill(signal.SIGHUP)
    wait_for("stock lldpad to die", lambda: not pair.bridge.process.alive, 10.0)
    assert -pair.bridge.process.popen.returncode in (signal.SIGSEGV, signal.SIGABRT)


def test_the_station_lives_through_sighup_with_a_request_outstanding(world):
    pair = Pair(world)
    vsi = str(uuid.uuid4())
    pair.associate(vsi)
    pair.bridge.process.kill(signal.SIGKILL)
    before = descriptors(pair.station.process.pid)
    capture = pair.h.capture("e0", "ether proto 0x8940")
    wait_for("a keep-alive without an answer", capture.now)
    pair.station.process.kill(signal.SIGHUP)
    wait_for("the new generation's ECP beside the old one's",
             lambda: descriptors(pair.station.process.pid) > before)
    wait_for("the dead generation to be freed", lambda: pair.answers(pair.station)
             and descriptors(pair.station.process.pid) == before, 20.0)
    pair.start(pair.bridge)
    pair.ready()
    pair.associate(vsi)


# Frames that hurt lldpad

def test_frames_that_are_too_short_or_too_long_do_no_harm(world):
    pair = Pair(world)
    for space, name in ((pair.sw, "p1"), (pair.h, "e0")):
        space.ip(f"link set {name} mtu 9000")
    header = ecpdu(7, b"")
    with pair.h.packet_socket("e0") as s:
        for length in (*range(14, 18), 1515, 1518, 1600, 2290, 2400, 9000):
            s.send((header + b"\xff" * 9000)[:length])
        for length in range(14, 24):
            s.send((header[:12] + b"\x88\xb7" + bytes(16))[:length])
    pair.associate(str(uuid.uuid4()))
    assert pair.bridge.process.alive


@pytest.mark.parametrize("length", (15, 16, 17))
def test_control_stock_lldpad_dies_of_a_short_frame(world, length):
    pair = Pair(world, preload=None)
    # What a short frame lacks is read from the one before: a late acknowledgement.
    header = ecpdu(7, b"")
    with pair.h.packet_socket("e0") as s:
        s.send(header[:14] + b"\x14" + header[15:])
        s.send(header[:length])
    wait_for("stock lldpad to die", lambda: not pair.bridge.process.alive)
    assert -pair.bridge.process.popen.returncode in (signal.SIGSEGV, signal.SIGABRT)


DRAFT = """nearest_customer_bridge : { %s : { adminStatus = 3;
    tlvid001b3f00 : { enableTx = true; capabilities = "rte,ecp,vdp";
        fmode = "reflectiverelay"; vsis = "100"; rte = "15"; };
    vdp : { enableTx = true; role = "%s"; }; }; };
lldp : { }; dcbx : { version = "1.0"; dcbx_version = 2; };
"""


class DraftPair(Pair):
    """Both speak draft 0.2: ethertype 0x88b7."""

    def start(self, which):
        with open(which.conf, "w", encoding="ascii") as f:
            f.write(DRAFT % (("p1", "bridge") if which is self.bridge
                             else ("e0", "station")))
        return super().start(which)

    def ready(self):
        wait_for("the draft's packet socket", lambda: f"[{0x88b7}]:p1" in
                 self.sw.run("ss", "-0", "-a"), 15.0)

    def short_frames(self):
        frame = bytes.fromhex("0180c200000e" "020000000051" "88b7"
                              "001b3f00" "0000000002")
        with self.h.packet_socket("e0") as s:
            for length in range(14, 23):
                s.send(frame[:length])


def test_frames_of_the_draft_that_are_too_short_do_no_harm(world):
    pair = DraftPair(world)
    pair.short_frames()
    assert pair.answers()
    assert pair.bridge.process.alive


def test_control_stock_lldpad_dies_of_a_short_frame_of_the_draft(world):
    pair = DraftPair(world, preload=None)
    pair.short_frames()
    wait_for("stock lldpad to die", lambda: not pair.bridge.process.alive)
    assert -pair.bridge.process.popen.returncode in (signal.SIGSEGV, signal.SIGABRT)


def test_control_stock_lldpad_is_deaf_after_a_long_frame(world):
    pair = Pair(world, preload=None)
    for space, name in ((pair.sw, "p1"), (pair.h, "e0")):
        space.ip(f"link set {name} mtu 9000")
    pair.associate(str(uuid.uuid4()))
    pair.h.send_frame("e0", ecpdu(7, b"\xff" * 1600))
    # On the wire: vdptool takes any VSI's event for the answer to its own.
    asked = str(uuid.uuid4())
    capture = pair.h.capture("e0", "ether proto 0x8940")
    pair.vdp(asked)
    assert responses(capture.now(), asked) == 0


def stale(pair):
    """A VDPDU with B at its end, then a shorter one with A alone and no End TLV: how
    often is B answered?"""
    a, b = str(uuid.uuid4()), str(uuid.uuid4())
    pair.station.stop()
    capture = pair.h.capture("e0", "ether proto 0x8940")
    organizational = bytes((0xFE, 33)) + b"\x00\x1b\x3f\x77" + bytes(29)
    with pair.h.packet_socket("e0") as s:
        s.send(ecpdu(100, MANAGER + organizational + vsi_tlv(3, b)))
        wait_for("B's response", lambda: responses(capture.now(), b) == 1)
        s.send(ecpdu(101, MANAGER + vsi_tlv(3, a)))
        wait_for("A's response", lambda: responses(capture.now(), a) == 1)
        last = str(uuid.uuid4())
        s.send(ecpdu(102, MANAGER + vsi_tlv(3, last) + b"\0\0"))
        wait_for("the last response", lambda: responses(capture.now(), last) == 1)
    return responses(capture.frames(), b)


def test_octets_of_the_vdpdu_before_are_not_taken_for_tlvs(world):
    assert stale(Pair(world)) == 1


def test_control_stock_lldpad_takes_octets_of_the_vdpdu_before_for_tlvs(world):
    assert stale(Pair(world, preload=None)) == 2
