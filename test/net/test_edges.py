# SPDX-License-Identifier: GPL-2.0-only
"""
The engine's sockets and its sandbox, each alone against the kernel (edge_driver):
bridge_db, lq_socket, port_socket, sandbox. A switch `sw` with bridge br0 and a server
at the other end of its port p1.
"""
import os
import shutil
import socket
import struct
import subprocess

import pytest

import frames
import lab as lab_module
from driver_process import DriverProcess
from netns import CommandFailed, World, wait_for

DRIVER, GUARD_DRIVER = "test/net/edge_driver", "test/net/guard_driver"
SW, SERVER, NOBODY = "10.9.0.254", "10.9.0.1", "10.9.0.9"
MAC, BRIDGE_MAC = "52:54:00:00:00:01", "52:54:00:00:00:fe"
KEPT = 1 << 10 | 1 << 12 | 1 << 13     # CAP_NET_BIND_SERVICE, NET_ADMIN, NET_RAW
USER = "vdp-migrate"


class Driver(DriverProcess):
    def __init__(self, space, *argv):
        super().__init__(space, lab_module.built(DRIVER), *argv)


class Ground:
    def __init__(self):
        self.world = World()
        self.sw, self.server = self.world.space("sw"), self.world.space("server")
        self.sw.ip(f"link add br0 address {BRIDGE_MAC} type bridge mcast_snooping 0",
                   "link set br0 up", f"addr add {SW}/24 dev br0",
                   "link add br1 type bridge",
                   f"link add p1 type veth peer name e0 netns {self.server.name}",
                   "link set p1 master br0 up", "link add p2 type veth peer name x2")
        self.server.ip("link set e0 up", f"addr add {SERVER}/24 dev e0")
        wait_for("the link", lambda: self.sw.link_up("p1"))
        self.driver = Driver(self.sw)

    def index(self, name):
        return self.sw.ip_json("link", "show", "dev", name)[0]["ifindex"]


@pytest.fixture
def ground():
    missing = [n for n in (DRIVER, GUARD_DRIVER) if not lab_module.built(n)]
    if missing:
        pytest.fail(f"not built: {', '.join(missing)}", pytrace=False)
    made = Ground()
    yield made
    made.driver.close()
    made.world.end()


# bridge_db

def none(driver, command):
    with pytest.raises(OSError) as error:
        driver(command)
    return error.value.errno == 2


def test_bridge_port_is_known_with_its_bridge(ground):
    p1, br0 = ground.index("p1"), ground.index("br0")
    assert ground.driver("port p1") == [f"{p1} {p1} p1 {br0} br0"]
    assert ground.driver(f"name {p1}") == ["p1"]


def test_what_is_no_bridge_port_is_none(ground):
    for name in ("p2", "br0", "lo", "nothing"):
        assert none(ground.driver, f"port {name}")
    for name in ("p2", "br0", "lo"):
        assert none(ground.driver, f"name {ground.index(name)}")


def told(driver, name):
    """Dispatch until a change of that name has been told."""
    wait_for(f"the change of {name}", lambda: name in driver("changes"))


def test_port_is_followed_into_another_bridge_and_out_of_it(ground):
    ground.sw.ip("link set p1 master br1")
    told(ground.driver, "p1")
    assert ground.driver("port p1")[0].endswith("br1")
    ground.sw.ip("link set p1 nomaster")
    told(ground.driver, "p1")
    assert none(ground.driver, "port p1")
    ground.sw.ip("link set p1 master br0")
    told(ground.driver, "p1")
    assert ground.driver("port p1")[0].endswith("br0")


def test_new_name_is_followed_and_both_are_told(ground):
    ground.sw.ip("link set p1 down", "link set p1 name q1")
    told(ground.driver, "p1")
    assert none(ground.driver, "port p1")
    assert ground.driver("port q1")[0].endswith("br0")
    assert ground.driver(f"name {ground.index('q1')}") == ["q1"]


def test_name_taken_over_by_another_interface_is_the_others(ground):
    ground.sw.ip("link set p1 down", "link set p1 name q1", "link set p2 name p1",
                 "link set p1 master br1", "link set q1 name p2")
    told(ground.driver, "p2")
    assert ground.driver("port p1")[0].endswith("br1")
    assert ground.driver("port p2")[0].endswith("br0")


def test_port_that_goes_and_comes_back_is_known_again(ground):
    ground.sw.ip("link del p1")
    told(ground.driver, "p1")
    assert none(ground.driver, "port p1")
    ground.sw.ip("link add p1 type veth peer name x1", "link set p1 master br0")
    told(ground.driver, "p1")
    assert ground.driver("port p1")[0].endswith("br0")


def test_lost_notifications_do_not_leave_a_wrong_picture(ground):
    churn = [f"link set x2 mtu {1400 + i % 2}" for i in range(3000)]
    ground.sw.ip("link set p2 master br0", *churn, "link set p2 master br1",
                 "link set p1 nomaster")
    told(ground.driver, "p1")
    assert ground.driver("port p2")[0].endswith("br1") and none(ground.driver, "port p1")


def test_bridge_address_is_the_first_global_one_and_followed(ground):
    command = f"address {ground.index('br0')}"
    assert ground.driver(command) == [SW]
    assert none(ground.driver, f"address {ground.index('br1')}")
    ground.sw.ip(f"addr del {SW}/24 dev br0", "addr add 169.254.1.1/16 scope link dev br0",
                 "addr add 10.9.0.253/24 dev br0", "link set p2 master br0")
    told(ground.driver, "p2")
    assert ground.driver(command) == ["10.9.0.253"]


# lq_socket

def server_socket(ground, address=SERVER, port=67):
    s = ground.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    s.settimeout(5)
    return s


def test_query_leaves_from_giaddr_and_port_67_and_the_reply_is_handed_over(ground):
    with server_socket(ground) as s:
        ground.driver(f"send {SW} {SERVER} question")
        assert s.recvfrom(99) == (b"question", (SW, 67))
        s.sendto(b"answer", (SW, 67))
        assert ground.driver("receive") == [f"{SW} {SERVER} answer"]


def test_reply_from_another_port_is_handed_over_and_counted(ground):
    with server_socket(ground) as s, server_socket(ground, port=6767) as odd:
        ground.driver(f"send {SW} {SERVER} q")
        s.recv(99)
        odd.sendto(b"answer", (SW, 67))
        assert ground.driver("receive") == [f"{SW} {SERVER} answer"]
    assert ground.driver("counts")[0] == "1 0 1 1 0"


def test_each_giaddr_has_its_own_socket(ground):
    ground.sw.ip("addr add 10.9.0.253/24 dev br0")
    with server_socket(ground) as s:
        for giaddr in (SW, "10.9.0.253", SW):
            ground.driver(f"send {giaddr} {SERVER} q")
            _, origin = s.recvfrom(99)
            assert origin == (giaddr, 67)
            s.sendto(b"a", origin)
            assert ground.driver("receive") == [f"{giaddr} {SERVER} a"]


def test_giaddr_that_is_not_ours_is_an_error_until_it_is(ground):
    with pytest.raises(OSError) as error:
        ground.driver(f"send 10.9.0.77 {SERVER} q")
    assert error.value.errno == 99      # EADDRNOTAVAIL
    ground.sw.ip("addr add 10.9.0.77/24 dev br0")
    with server_socket(ground) as s:
        ground.driver(f"send 10.9.0.77 {SERVER} q")
        assert s.recv(9) == b"q"


def test_server_that_is_down_does_not_keep_a_query_from_another(ground):
    ground.server.ip("addr add 10.9.0.2/24 dev e0")
    with server_socket(ground, "10.9.0.2") as s:
        for _ in range(3):      # each is answered by ICMP: port unreachable
            ground.driver(f"send {SW} {SERVER} q")
            ground.driver(f"send {SW} 10.9.0.2 q")
            assert s.recv(9) == b"q"
    assert ground.driver("counts")[0].startswith("6 0 ")


def test_datagram_longer_than_any_dhcp_message_is_dropped_and_counted(ground):
    with server_socket(ground) as s:
        ground.driver(f"send {SW} {SERVER} q")
        s.recv(9)
        s.sendto(b"x" * 3000, (SW, 67))
        s.sendto(b"a", (SW, 67))
        assert ground.driver("receive") == [f"{SW} {SERVER} a"]
    assert ground.driver("counts")[0] == "1 0 2 0 1"


def test_port_67_is_free_until_somebody_else_holds_it(ground):
    def free():
        ground.driver("port67")
        return bool(ground.driver.value)
    assert free()
    ground.driver(f"send {SW} {SERVER} q")
    assert free(), "our own socket is nobody else's"
    with ground.sw.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
        relay.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        relay.bind(("0.0.0.0", 67))
        assert not free()
    assert free()
    with ground.sw.socket(socket.AF_INET6, socket.SOCK_DGRAM) as relay:
        relay.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        relay.bind(("::", 67))
        assert not free()


# port_socket

def dhcp(sport=68, dport=67):
    return frames.udp_frame("ff:ff:ff:ff:ff:ff", MAC, "0.0.0.0", "255.255.255.255",
                            frames.dhcp(1, 1, 7, MAC), sport, dport)


def tagged(frame, vlan, tpid=0x8100):
    return frame[:12] + struct.pack("!HH", tpid, vlan | 0x6000) + frame[12:]


def seen(ground, n):
    """(ifindex, VLAN, octets) of n frames."""
    rows = [x.split() for x in ground.driver(f"frames {n}")]
    return [(int(i), int(v), bytes.fromhex(f)) for i, v, f in rows]


def seen_at_p1(ground, *sent):
    """(VLAN, octets) of what is seen of these frames; one more ends the wait."""
    end, p1, got = frames.rarp(BRIDGE_MAC), ground.index("p1"), []
    for frame in (*sent, end):
        ground.server.send_frame("e0", frame)
    while (p1, 0, end) not in got:
        got += seen(ground, 1)
    return [(vlan, frame) for i, vlan, frame in got if i == p1 and frame != end]


def igmp(fragment=0):
    return (frames.mac_bytes("01:00:5e:00:00:16") + frames.mac_bytes(MAC) + b"\x08\x00"
            + struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, fragment, 1, 2, 0, bytes(4),
                          frames.ip_bytes("224.0.0.22")) + bytes(26))


def test_dhcp_rarp_and_igmp_are_seen_with_their_port_and_vlan(ground):
    unicast = frames.mac_bytes("52:54:00:00:00:99") + dhcp()[6:]
    for frame in (dhcp(), unicast, frames.rarp(MAC), igmp()):
        assert seen_at_p1(ground, frame, tagged(frame, 100), tagged(frame, 0)) \
            == [(0, frame), (100, frame), (0, frame)]


def test_both_ways_of_dhcp_are_seen_and_nothing_else_is(ground):
    later_fragment = dhcp()[:20] + b"\x20\x01" + dhcp()[22:]
    assert seen_at_p1(
        ground, dhcp(67, 68), dhcp(53, 53), dhcp(6700, 6800), later_fragment,
        tagged(tagged(dhcp(), 5), 100), tagged(dhcp(), 100, 0x88A8), dhcp(40000, 67)) \
        == [(0, dhcp(67, 68)), (0, dhcp(40000, 67))]


def test_what_we_send_ourselves_is_not_seen(ground):
    ground.sw.send_frame("p1", dhcp())
    ground.server.send_frame("e0", frames.rarp(MAC))
    assert {f for _, _, f in seen(ground, 2)} == {frames.rarp(MAC)}


def test_burst_of_frames_is_kept_while_the_engine_is_held_up(ground):
    with ground.server.packet_socket("e0") as s:
        for _ in range(1500):
            s.send(dhcp())
    assert len(seen(ground, 3000)) == 3000      # at the port and at the bridge
    assert ground.driver("counts")[1] == "3000 0 0"


# sandbox

def private_users(ground, member=None):
    """A shell line that gives a mount namespace user and group vdp-migrate."""
    for name, line in (("passwd", f"{USER}:x:64999:64999::/:/usr/sbin/nologin\n"
                                  "vdptester:x:64998:64998::/:/bin/sh\n"),
                       ("group", f"{USER}:x:64999:{member or ''}\n")):
        path = os.path.join(ground.world.dir, name)
        with open(f"/etc/{name}", encoding="utf-8") as f:
            kept = [x for x in f if not x.startswith((USER + ":", "vdptester:"))]
        with open(path, "w", encoding="utf-8") as f:
            f.writelines([*kept, line])
        os.chmod(path, 0o644)
    return (f"mount --bind {ground.world.dir}/passwd /etc/passwd;"
            f"mount --bind {ground.world.dir}/group /etc/group;")


def in_sandbox(ground, *argv, user=USER, first="exec", **options):
    for name in (DRIVER, GUARD_DRIVER):     # where that user can reach them
        shutil.copy(lab_module.built(name), ground.world.dir)
    return ground.sw.run("unshare", "-m", "sh", "-c",
                         f'{private_users(ground)} {first} "$@"', "-",
                         f"{ground.world.dir}/edge_driver", "sandbox", user, *argv,
                         **options)


def status(text):
    return dict(x.split(":", 1) for x in text.splitlines())


def check_status(text):
    s = status(text)
    assert set(s["Uid"].split()) == {"64999"} and set(s["Gid"].split()) == {"64999"}
    assert not s["Groups"].split() and s["NoNewPrivs"].strip() == "1"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(s[kind], 16) == KEPT, kind
    return s


def test_root_becomes_the_user_with_three_capabilities_that_outlive_exec(ground):
    s = check_status(in_sandbox(ground, "cat", "/proc/self/status"))
    assert int(s["CapBnd"], 16) == KEPT


def test_user_who_has_the_capabilities_keeps_them_alone(ground):
    caps = "+net_raw,+net_admin,+net_bind_service,+sys_chroot"
    check_status(in_sandbox(
        ground, "cat", "/proc/self/status",
        first=f"exec setpriv --reuid 64999 --regid 64999 --clear-groups --inh-caps {caps} "
              f"--ambient-caps {caps}"))


def test_user_without_the_capabilities_is_told_which_and_how(ground):
    with pytest.raises(CommandFailed, match="no capability net_.*AmbientCapabilities="):
        in_sandbox(ground, "true", first="exec setpriv --reuid 64999 --clear-groups")


def test_missing_user_is_told_with_its_cure(ground):
    with pytest.raises(CommandFailed, match="no user nobody-here: create it with useradd"):
        in_sandbox(ground, "true", user="nobody-here")
    with pytest.raises(CommandFailed, match="user root is root"):
        in_sandbox(ground, "true", user="root")


def test_guard_works_inside_the_sandbox(ground):
    in_sandbox(ground, f"{ground.world.dir}/guard_driver",
               input=f"put p1 0 {MAC} 10.9.0.2 60\nmode p1 enforce\ncommit\n")
    assert "vmap @ports" in ground.sw.run("nft", "list", "table", "bridge", "vdp_migrate")
    assert "p1" in ground.sw.run("nft", "list", "set", "bridge", "vdp_migrate", "b4u")


@pytest.mark.parametrize("who, member, may", [
    ((0, 0), None, True), ((64998, 64998), None, False), ((64998, 64999), None, True),
    ((64998, 64998), "vdptester", True), ((64997, 64997), "vdptester", False)])
def test_control_is_for_root_and_the_group(ground, who, member, may):
    done = subprocess.run(
        ("unshare", "-m", "sh", "-c", f'{private_users(ground, member)} exec "$@"', "-",
         lab_module.built(DRIVER), "may", *map(str, who)), check=False)
    assert (done.returncode == 0) == may
