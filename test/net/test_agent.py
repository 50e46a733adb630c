# SPDX-License-Identifier: GPL-2.0-only
"""
The agent between libvirt and the engine. libvirt's own test driver plays the hypervisor
(inside the agent, without a daemon); a stand-in for the engine knows one lease. What gets
into the metadata: test/unit/test_agent.
"""
import contextlib
import os
import re
import socket
import struct
import threading

import pytest

from lab import built
from netns import World, wait_for

ENGINE = 2
COLUMNS = ("port:s", "vlan:n", "mac:s", "address:s", "client_id:s", "no_client_id:b",
           "server:s", "lease_left:d")
NODE = """<node><domain type='test'><name>web</name><memory>1024</memory>
<os><type>hvm</type></os><devices><interface type='bridge'>
<mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface></devices></domain>
</node>"""


def _link_h():
    """Version and numbers of the messages."""
    path = os.path.join(os.path.dirname(__file__), "../../include/vdp_migrate/link.h")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    names = re.sub(r"/\*.*?\*/", "", text[text.index("enum link_type {"):], flags=re.S)
    names = re.findall(r"LINK_(\w+)", names[:names.index("}")])
    return (int(re.search(r"#define LINK_VERSION (\d+)", text)[1]),
            {name: number for number, name in enumerate(names, 1)})


VERSION, NUMBER = _link_h()
HELLO, SHOW, HEAD, ROW, DONE = (NUMBER[n] for n in ("HELLO", "SHOW", "HEAD", "ROW", "DONE"))


def _string(text):
    return struct.pack("!H", len(text)) + text.encode()


def _message(kind, body):
    return struct.pack("!BBH", kind, VERSION, len(body)) + body


def _row(kind, seq, fields):
    return _message(kind, struct.pack("!IB", seq, len(fields))
                    + b"".join(_string(f) for f in fields))


class Engine:
    """Says hello, and answers `show leases`; everything else it refuses."""

    def __init__(self, space):
        self.leases, self.asked = [], []
        self.listener = space.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind("\0vdp-migrate")
        self.listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client, contextlib.suppress(OSError):
                    self._talk(client)

    def _talk(self, client):
        while message := client.recv(65536):
            kind, body = message[0], message[4:]
            if kind == HELLO:
                client.send(_message(HELLO, struct.pack("!BI", ENGINE, os.getpid())))
                continue
            seq = struct.unpack_from("!I", body)[0]
            table = body[6:].decode() if kind == SHOW else None
            self.asked.append(table)
            answer = [_row(HEAD, seq, COLUMNS)]
            answer += [_row(ROW, seq, lease) for lease in list(self.leases)]
            client.send(b"".join(answer) + _message(DONE, struct.pack("!II", seq, 0)
                                                    + _string("")))

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Agent:
    def __init__(self, space, uri):
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(space.dir, f"log{len(space.world.processes)}")
        self.log.bind(path)
        self.log.setblocking(False)
        self.lines = []
        self.process = space.start(
            "agent", built("vdp-migrate"), "agent", "--connect", uri, "--interval", "1",
            private="mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; "
                    f"mknod -m 444 /dev/urandom c 1 9; ln -s {path} /dev/log")

    def said(self, text):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.lines.append(self.log.recv(8192).decode())
        return [line for line in self.lines if text in line]

    def wait(self, text, times=1):
        wait_for(f"the agent to say '{text}'", lambda: len(self.said(text)) >= times, 6.0)


@pytest.fixture(scope="module")
def space():
    with World() as world:
        yield world.space("h")


@pytest.fixture
def agent(space):
    node = os.path.join(space.dir, "node.xml")
    with open(node, "w", encoding="ascii") as f:
        f.write(NODE)
    made = Agent(space, f"test://{node}")
    yield made
    made.process.stop()


def test_it_says_once_that_there_is_no_engine_and_goes_on_when_there_is(space, agent):
    agent.wait("follows libvirt")
    agent.wait("no leases from the engine")
    engine = Engine(space)
    try:
        engine.leases = [("testnet0", "0", "52:54:00:00:00:01", "10.9.0.7", "", "yes",
                          "10.9.0.1", "3600")]
        agent.wait("web: leases in its metadata brought up to date")
        passes = len(engine.asked)
        wait_for("three more passes", lambda: len(engine.asked) >= passes + 3)
        assert set(engine.asked) == {"leases"}
        # What is left shrinks, and the time at which it ends stays.
        assert len(agent.said("brought up to date")) == 1
        engine.leases = []
        agent.wait("brought up to date", times=2)
    finally:
        engine.end()
    assert len(agent.said("no leases from the engine")) == 1
    assert agent.process.alive


def test_it_waits_for_a_libvirt_that_is_not_there(space):
    agent = Agent(space, "qemu+unix:///system?socket=/nonexistent/libvirt")
    agent.wait("tried again every")
    assert agent.process.alive
    agent.process.stop()


def test_wrong_use_is_told(space):
    out = space.run("sh", "-c", '"$0" agent --interval 0 2>&1; echo "= $?"',
                    built("vdp-migrate"))
    assert "usage: vdp-migrate agent" in out and "= 3" in out
