# SPDX-License-Identifier: GPL-2.0-only
"""
Network namespaces, processes inside them, and captures: the ground that lab.py
stands on. Knows nothing of VDP, DHCP or the product.

Namespaces are named vm<pid>-NAME after the process that made them: what a dead
process has left behind is removed by the next one. Processes end with the one
that started them.
"""
import atexit
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

os.environ["PATH"] += ":/usr/sbin:/sbin"
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
ETH_P_ALL = 3
MARKER_TYPE = 0x88B5    # IEEE 802 local experimental ethertype


def wait_for(what, condition, timeout=10.0, every=0.02):
    """Poll until condition() is true; its value. TimeoutError names `what`."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(every)


class CommandFailed(Exception):
    pass


class Process:
    """A program that goes on in the background; what it prints is kept as lines."""

    def __init__(self, name, argv, env=None):
        self.name = name
        self.lines = []
        self.popen = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=_end_with_parent)
        self.pid = self.popen.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.popen.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())

    @property
    def alive(self):
        return self.popen.poll() is None

    def find(self, pattern, since=0):
        """The first line, from number `since` on, that the pattern matches."""
        return next((x for x in self.lines[since:] if re.search(pattern, x)), None)

    def wait_line(self, pattern, timeout=10.0, since=0):
        def seen():
            if not self.alive:
                self._reader.join(1)
            line = self.find(pattern, since)
            if not line and not self.alive:
                raise CommandFailed(f"{self.name} ended: {self.tail()}")
            return line
        return wait_for(f"{self.name} to say /{pattern}/", seen, timeout)

    def tail(self, n=8):
        return " | ".join(self.lines[-n:])

    def kill(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout=5.0):
        if self.alive:
            self.kill(number)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self._reader.join(1)
        return self.popen.returncode


def _end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Namespace:
    def __init__(self, world, name):
        self.world = world
        self.name = f"{world.prefix}{name}"
        self.dir = os.path.join(world.dir, name)
        os.mkdir(self.dir, 0o755)
        run("ip", "netns", "add", self.name)
        self.ip("link set lo up")
        self.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;"
                             "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6",
                 check=False)    # a kernel without IPv6 has none to switch off

    def run(self, *argv, **options):
        return run("ip", "netns", "exec", self.name, *argv, **options)

    def ip(self, *commands):
        run("ip", "-n", self.name, "-batch", "-", input="\n".join(commands) + "\n")

    def ip_json(self, *argv):
        return json.loads(run("ip", "-n", self.name, "-j", *argv) or "[]")

    def start(self, name, *argv, env=None, private=None):
        """Start a program here. private: a shell line that sets up a private mount
        namespace for it first."""
        if private:
            argv = ("unshare", "-m", "sh", "-ec", f'{private}; exec "$@"', "-", *argv)
        process = Process(name, ("ip", "netns", "exec", self.name, *argv), env)
        self.world.processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self):
        """This thread's new sockets belong to the namespace."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
             open(f"/run/netns/{self.name}", "rb") as there:
            _setns(there)
            try:
                yield
            finally:
                _setns(home)

    def socket(self, family, kind, protocol=0):
        with self.inside():
            return socket.socket(family, kind, protocol)

    def packet_socket(self, ifname, protocol=0):
        """An AF_PACKET socket on an interface (protocol 0: for sending only)."""
        s = self.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((ifname, protocol))
        return s

    def send_frame(self, ifname, frame):
        with self.packet_socket(ifname) as s:
            s.send(frame)

    def capture(self, ifname, pcap_filter=""):
        return Capture(self, ifname, pcap_filter)

    def fdb(self):
        return json.loads(run("bridge", "-n", self.name, "-j", "fdb", "show"))

    def link_up(self, ifname):
        links = self.ip_json("link", "show", "dev", ifname)
        return links and links[0]["operstate"] == "UP"


def _setns(file):
    if LIBC.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Capture:
    """tcpdump on an interface now, tshark on its file afterwards."""

    def __init__(self, space, ifname, pcap_filter):
        self.space, self.ifname = space, ifname
        handle, self.path = tempfile.mkstemp(".pcap", ifname + "-", space.world.dir)
        os.close(handle)
        if pcap_filter:
            pcap_filter = f"({pcap_filter}) or ether proto {MARKER_TYPE}"
        self.process = space.start("tcpdump", "tcpdump", "-Z", "root", "-U", "-n",
                                   "--immediate-mode", "-s", "0", "-i", ifname,
                                   "-w", self.path, pcap_filter)
        self.process.wait_line("listening on")

    def stop(self):
        """End it once all that has passed until now is in the file: a marker frame
        that we send is the last to get there."""
        if not self.process.alive:
            return self
        marker = b"end" + os.urandom(13)
        self.space.send_frame(self.ifname, struct.pack(
            "!6s6sH46s", b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", MARKER_TYPE, marker))

        def written():
            with open(self.path, "rb") as f:
                return marker in f.read()
        wait_for("the capture to be written", written)
        self.process.stop(signal.SIGINT)
        return self

    def fields(self, display_filter, *names):
        """Ends the capture. What tshark reads: a tuple of texts for each frame, of a
        field that a frame has several times the first."""
        self.stop()
        argv = ["tshark", "-r", self.path, "-Y", display_filter, "-T", "fields",
                "-E", "separator=|", "-E", "occurrence=f", "-o",
                "ip.check_checksum:TRUE"]
        for name in names or ("frame.number",):
            argv += ["-e", name]
        return [tuple(x.split("|")) for x in run(*argv).splitlines()]

    def count(self, display_filter):
        return len(self.fields(display_filter))

    def stamped(self):
        """(time, octets) of each frame so far; the capture goes on."""
        with open(self.path, "rb") as f:
            data = f.read()
        at, found = 24, []
        while at + 16 <= len(data):
            seconds, micros, size = struct.unpack_from("=III", data, at)
            if at + 16 + size > len(data):
                break
            found.append((seconds + micros / 1e6, data[at + 16:at + 16 + size]))
            at += 16 + size
        return found

    def now(self):
        return [frame for _, frame in self.stamped()]

    def frames(self):
        """Ends the capture. All its frames, as octets."""
        return self.stop().now()


class World:
    """All namespaces and processes of one experiment; end() removes them."""
    count = 0

    def __init__(self):
        if os.geteuid() != 0:
            raise PermissionError("network namespaces need root: run it by sudo")
        _remove_leftovers()
        World.count += 1
        serial = "" if World.count == 1 else f".{World.count}"
        self.prefix = f"vm{os.getpid()}{serial}-"
        self.dir = tempfile.mkdtemp(prefix=self.prefix)
        os.chmod(self.dir, 0o755)
        self.spaces, self.processes = [], []
        atexit.register(self.end)

    def space(self, name):
        space = Namespace(self, name)
        self.spaces.append(space)
        return space

    def end(self):
        atexit.unregister(self.end)
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                if process.alive:
                    process.kill(signal.SIGTERM)
        for process in self.processes:
            process.stop(timeout=3.0)
        self.processes.clear()
        for space in self.spaces:
            subprocess.run(("ip", "netns", "del", space.name), check=False,
                           stderr=subprocess.DEVNULL)
        self.spaces.clear()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def _remove_leftovers():
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0]
        owner = re.match(r"vm(\d+)[.-]", name)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            subprocess.run(("ip", "netns", "del", name), check=False,
                           stderr=subprocess.DEVNULL)


def run(*argv, check=True, input=None, timeout=60):
    """Run a command to its end; what it printed. CommandFailed says what went wrong."""
    done = subprocess.run(argv, input=input, text=True, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL if input is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)}: exit {done.returncode}: "
                            f"{(done.stderr or done.stdout).strip()}")
    return done.stdout
