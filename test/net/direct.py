# SPDX-License-Identifier: GPL-2.0-only
"""
VMs behind a macvtap on their server's uplink, as libvirt's <interface type='direct'> makes
them. The VM's interface is a tap in a namespace of its own; a thread carries its frames to
and from the macvtap's character device, as QEMU does.
"""
import fcntl
import itertools
import os
import select
import socket
import struct
import threading

import frames
from lab import DHCP
from netns import wait_for

TUN, TUNSETIFF = (10, 200), 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
VIRTIO_NEEDS_CSUM, VIRTIO_GSO_UDP_L4 = 1, 5
ALL = "ff:ff:ff:ff:ff:ff"
REQUEST, ACK, RELEASE = 3, 5, 7


def random_mac():
    return "52:54:00:%02x:%02x:%02x" % tuple(os.urandom(3))


class Direct:
    """A VM behind a macvtap of this server. link: what the macvtap stands on."""
    serial = itertools.count(1)

    def __init__(self, lab, server="h2", name=None, link="e0", mode="vepa", mac=None):
        n = next(self.serial)
        self.lab, self.server, self.link = lab, lab.space[server], link
        self.name, self.mac, self.mode = name or f"macvtap{n}", mac or random_mac(), mode
        self.space, self.eth, self.ip = lab.vm_space, f"g{n}", None
        with self.space.inside():
            self.guest = self._device("tun", *TUN)
            _attach(self.guest, self.eth)
        self.space.ip(f"link set {self.eth} address {self.mac} up")
        self.carrier = self.host = None
        self._end = os.pipe()
        self.plug()

    def plug(self):
        """The macvtap is made, and QEMU opens it."""
        self.server.ip(f"link add link {self.link} name {self.name} address {self.mac} "
                       f"type macvtap mode {self.mode}", f"link set {self.name} up")
        self._open()

    def _open(self):
        number = self.server.run("sh", "-c", f"cat /sys/class/net/{self.name}/tap*/dev")
        self.host = self._device("tap", *map(int, number.split(":")))
        _attach(self.host, self.name)
        self.carrier = threading.Thread(target=self._carry, daemon=True)
        self.carrier.start()

    def _device(self, name, *numbers):
        """Its node need not be in /dev, and one that is there may be another's: it gets
        one of its own, for a moment; in /dev where /tmp is mounted nodev."""
        flags = os.statvfs(self.space.dir).f_flag
        place = "/dev" if flags & os.ST_NODEV else self.space.dir
        path = os.path.join(place, f"vdp-migrate-{os.getpid()}-{name}-{self.eth}")
        os.mknod(path, 0o20600, os.makedev(*numbers))
        try:
            return os.open(path, os.O_RDWR)
        finally:
            os.unlink(path)

    def _carry(self):
        to = {self.guest: self.host, self.host: self.guest}
        while True:
            ready, _, _ = select.select((*to, self._end[0]), (), ())
            if self._end[0] in ready:
                os.read(self._end[0], 1)
                return
            for fd in ready:
                try:
                    os.write(to[fd], os.read(fd, 65536))
                except OSError:     # one of them is down, or gone
                    pass

    def unplug(self, delete=True):
        os.write(self._end[1], b"x")
        self.carrier.join()
        os.close(self.host)
        if delete:
            self.server.ip(f"link del {self.name}")

    def replug_at_once(self):
        """The macvtap is made anew under its name, in one go."""
        self.unplug(delete=False)
        self.server.ip(f"link del {self.name}", f"link add link {self.link} name "
                       f"{self.name} address {self.mac} type macvtap mode {self.mode}",
                       f"link set {self.name} up")
        self._open()

    def close(self):
        self.unplug()
        for fd in (self.guest, *self._end):
            os.close(fd)

    def sends_segments(self, head, *messages):
        """One frame that the kernel makes several of: UDP GSO, as virtio-net has it."""
        length, messages = len(messages[0]), b"".join(messages)
        head = head[:16] + struct.pack("!H", 28 + len(messages)) + head[18:24] + bytes(2) \
            + head[26:38] + struct.pack("!HH", 8 + len(messages), 0)
        head = head[:24] + struct.pack("!H", frames.checksum(head[14:34])) + head[26:]
        segmented = struct.pack("=BBHHHH", VIRTIO_NEEDS_CSUM, VIRTIO_GSO_UDP_L4, len(head),
                                length, 34, 6)
        _attach(self.host, self.name, IFF_VNET_HDR)
        os.write(self.host, segmented + head + messages)
        _attach(self.host, self.name)

    # DHCP

    def client(self, *options):
        """udhcpc, that goes on, bound."""
        client = self.space.start("udhcpc", "busybox", "udhcpc", "-i", self.eth, "-f",
                                  "-t", "10", "-T", "1", "-s", self.lab.udhcpc_script,
                                  *options)
        self.ip = client.wait_line(r"^got ").split()[1]
        return client

    def says(self, kind, xid, mac=None, options=b"", vlan=None):
        """A message of a client with this MAC leaves the VM."""
        mac = mac or self.mac
        message = frames.dhcp(1, kind, xid, mac, options=options)
        self.space.send_frame(self.eth, tagged(frames.udp_frame(
            ALL, mac, "0.0.0.0", "255.255.255.255", message, 68, 67), vlan))


def _attach(fd, name, more=0):
    fcntl.ioctl(fd, TUNSETIFF,
                struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI | more))


def tagged(frame, vlan):
    return frame if vlan is None else (frame[:12] + struct.pack("!HH", 0x8100, vlan)
                                       + frame[12:])


def answer(xid, mac, ip, source, vlan=None, to=ALL):
    """A DHCPACK, as the DHCP server sends it to a client that has no address yet."""
    options = (b"\x33\x04" + struct.pack("!I", 3600) + b"\x36\x04" + socket.inet_aton(DHCP))
    message = frames.dhcp(2, ACK, xid, mac, options=options)
    message = message[:16] + socket.inet_aton(ip) + message[20:]
    return tagged(frames.udp_frame(to, source, DHCP, "255.255.255.255", message, 67, 68),
                  vlan)


def elsewhere():
    """Options of a request that the real DHCP server has no answer to: another is meant."""
    return (b"\x32\x04" + socket.inet_aton("10.9.0.66")
            + b"\x36\x04" + socket.inet_aton("10.9.0.3"))


def rows(lab, vm, server="h2"):
    return [row for row in lab.show(server, "leases") if row["mac"] == vm.mac]


def wait_row(lab, vm, server="h2"):
    return wait_for(f"the lease of {vm.mac}", lambda: rows(lab, vm, server))[0]
