# SPDX-License-Identifier: GPL-2.0-only
"""
The engine's end of the link to the module, for tests of the module in a real lldpad:
says what it is told to say, keeps what it hears. include/vdp_migrate/link.h.
"""
import re
import os
import socket
import struct
import threading
import uuid

from frames import ip_bytes, mac_bytes

LINK_H = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../include/vdp_migrate/link.h")


def _numbers():
    """Version and message types, as the header has them."""
    with open(LINK_H, encoding="utf-8") as f:
        text = f.read()
    version = int(re.search(r"#define LINK_VERSION (\d+)", text)[1])
    body = re.sub(r"/\*.*?\*/", "", re.search(r"enum link_type \{(.*?)\}", text, re.S)[1],
                  flags=re.S)
    names = re.findall(r"LINK_(\w+)", body)
    return version, {name: n for n, name in enumerate(names, 1)}


VERSION, TYPE = _numbers()
ENGINE, REQUEST, RESPONSE = 2, 1, 2
UUID_FORMAT, IPV4 = 5, 1


class FakeEngine:
    def __init__(self, space, on_vsi=None):
        """on_vsi(engine, port, what, mode, status, vsi): called in the thread that reads,
        as soon as the module tells of an association TLV."""
        self.listener = space.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with space.inside():
            self.listener.bind("\0vdp-migrate")
        self.listener.listen(1)
        self.listener.settimeout(20)
        self.module, _ = self.listener.accept()
        self.on_vsi, self.vsis, self.asked, self.counters = on_vsi, [], [], {}
        self.say("HELLO", struct.pack("!BI", ENGINE, 1))
        threading.Thread(target=self._read, daemon=True).start()

    def close(self):
        self.module.shutdown(socket.SHUT_RDWR)
        self.module.close()
        self.listener.close()

    # What it says

    def say(self, name, body):
        self.module.send(struct.pack("!BBH", TYPE[name], VERSION, len(body)) + body)

    def cases(self, port, complete, n, *named):
        self.say("CASES", _text(port) + struct.pack("!BIB", complete, n, len(named))
                 + b"".join(mac_bytes(mac) for mac in named))

    def mark(self, vsi, ttl=0):
        """Nothing but the VSI."""
        self.say("MARK", struct.pack("!I", 1) + _vsi(vsi) + bytes(6) + b"\0\0\0\0"
                 + _text("") + struct.pack("!I", ttl))

    def unmark(self, vsi):
        self.say("UNMARK", struct.pack("!I", 1) + _vsi(vsi) + bytes(6) + b"\0\0\0\0"
                 + _text("") + struct.pack("!I", 0))

    def help(self, port, vsi, xid, *macs, giaddr="10.9.0.254"):
        self.say("HELP", _text(port) + bytes((1, 0, IPV4)) + ip_bytes(giaddr)
                 + bytes(1) + struct.pack("!I", xid) + _vsi(vsi) + struct.pack("!H", len(macs))
                 + b"".join(mac_bytes(mac) + bytes(2) for mac in macs))

    def help_end(self, port, vsi):
        self.say("HELP_END", _text(port) + _vsi(vsi))

    # What it hears

    def _read(self):
        try:
            while True:
                datagram = self.module.recv(65536)
                if not datagram:
                    return
                while datagram:
                    kind, _, size = struct.unpack_from("!BBH", datagram)
                    self._hear(kind, datagram[4:4 + size])
                    datagram = datagram[4 + size:]
        except OSError:
            return

    def _hear(self, kind, body):
        if kind == TYPE["VSI"]:
            port, body = _get_text(body)
            what, mode, status = body[:3]
            seen = (port, what, mode, status, str(uuid.UUID(bytes=body[4:20])))
            self.vsis.append(seen)
            if self.on_vsi:
                self.on_vsi(self, *seen)
        elif kind == TYPE["HELP_ASKED"]:
            port, body = _get_text(body)
            at = 8 if body[2] == IPV4 else 4
            giaddr = socket.inet_ntoa(body[3:7]) if body[2] == IPV4 else None
            xid, n = struct.unpack_from("!I17xH", body, at)
            macs = [body[at + 23 + 8 * i:at + 29 + 8 * i].hex(":") for i in range(n)]
            self.asked.append((port, giaddr, xid, str(uuid.UUID(bytes=body[at + 5:at + 21])),
                               macs))
        elif kind == TYPE["COUNTER"]:
            name, body = _get_text(body)
            self.counters[name] = struct.unpack("!Q", body)[0]


def _text(text):
    return struct.pack("!H", len(text)) + text.encode("ascii")


def _get_text(body):
    size = struct.unpack_from("!H", body)[0]
    return body[2:2 + size].decode("ascii"), body[2 + size:]


def _vsi(vsi):
    return bytes((UUID_FORMAT,)) + uuid.UUID(vsi).bytes
