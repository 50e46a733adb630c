# SPDX-License-Identifier: GPL-2.0-only
"""
QEMUs: a real one with its monitors, and what only looks like one to its monitor's
client. Two real ones migrate by a unix socket, wherever they stand.
"""
import contextlib
import json
import os
import socket
import threading

from netns import CommandFailed, wait_for

QEMU = "qemu-system-x86_64"


class Qemu:
    """A QEMU in a namespace, always TCG; without a kernel it stays in its BIOS, which
    migrates as well as anything. Monitors: one for us, one (self.follow) for whoever
    follows it."""
    count = 0

    def __init__(self, space, *options, incoming=None, memory=64, paused=True):
        Qemu.count += 1
        self.space = space
        base = os.path.join(space.world.dir, f"q{Qemu.count}")
        self.follow, own, self.log = base + ".follow", base + ".own", base + ".log"
        argv = [QEMU, "-M", "pc", "-accel", "tcg", "-m", str(memory), "-nodefaults",
                "-no-user-config", "-no-reboot", "-display", "none",
                "-qmp", f"unix:{self.follow},server=on,wait=off",
                "-qmp", f"unix:{own},server=on,wait=off", *options]
        if not any(x.startswith("virtio-net") for x in options):
            argv += ["-nic", "none"]
        if incoming:
            argv += ["-incoming", f"unix:{incoming}"] + (["-S"] if paused else [])
        self.process = space.start("qemu", *argv)
        self.socket = socket.socket(socket.AF_UNIX)
        self.events = []
        wait_for("QEMU's monitor", lambda: self._connect(own))
        self.file = self.socket.makefile("r")
        self.file.readline()
        self.command("qmp_capabilities")
        self.capability("events", True)

    def _connect(self, path):
        if not self.process.alive:
            raise CommandFailed(f"qemu ended: {self.process.tail()}")
        try:
            self.socket.connect(path)
        except OSError:
            return False
        return True

    def command(self, name, **arguments):
        """What it returns. Events on the way are kept."""
        self.socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        while True:
            said = json.loads(self.file.readline() or '{"error": {"desc": "it has ended"}}')
            if "error" in said:
                raise CommandFailed(f"{name}: {said['error']['desc']}")
            if "return" in said:
                return said["return"]
            self.events.append(said)

    def capability(self, name, state):
        self.command("migrate-set-capabilities",
                     capabilities=[{"capability": name, "state": state}])

    def status(self):
        return self.command("query-status")["status"]

    def migration(self):
        return self.command("query-migrate").get("status")

    def migrate(self, path):
        self.command("migrate", uri=f"unix:{path}")

    def times(self):
        """When what happened: (seconds since 1970, event, status)."""
        self.command("query-status")
        return [(e["timestamp"]["seconds"] + e["timestamp"]["microseconds"] / 1e6,
                 e["event"], e.get("data", {}).get("status")) for e in self.events]

    def when(self, event, status=None):
        return next((t for t, e, s in self.times() if (e, s) == (event, status)), None)

    def stop(self):
        self.process.stop()
        self.socket.close()


class FakeQemu:
    """A monitor whose QEMU does what the test says. One client."""

    def __init__(self, path, status, migration=None, refuses=()):
        self.path, self.refuses = path, refuses
        self.answers = {"query-status": {"status": status},
                        "query-migrate": {"status": migration} if migration else {}}
        self.commands = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.client = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def _serve(self):
        try:
            self.client = self.listener.accept()[0]
        except OSError:
            return
        with contextlib.suppress(OSError):    # the client has gone
            self._answer()

    def _answer(self):
        self._say({"QMP": {"version": {}, "capabilities": ["oob"]}})
        for line in self.client.makefile("r"):
            asked = json.loads(line)
            name = asked["execute"]
            self.commands.append(name)
            if name in self.refuses:
                self._say({"id": asked["id"], "error": {"class": "GenericError",
                                                        "desc": "not now"}})
                continue
            self._say({"id": asked["id"], "return": self.answers.get(name, {})})
            if name == "cont":
                self.event("RESUME")

    def _say(self, what):
        self.client.sendall((json.dumps(what) + "\r\n").encode())

    def event(self, name, **data):
        self._say({"timestamp": {"seconds": 1, "microseconds": 2}, "event": name,
                   **({"data": data} if data else {})})

    def migration(self, status):
        self.event("MIGRATION", status=status)

    def wait(self, command, times=1):
        wait_for(f"the command {command}", lambda: self.commands.count(command) >= times)

    def end(self):
        """QEMU is gone."""
        self.listener.close()
        if self.client:
            with contextlib.suppress(OSError):
                self.client.shutdown(socket.SHUT_RDWR)
        self.thread.join(2.0)
