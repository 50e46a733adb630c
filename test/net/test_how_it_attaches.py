# SPDX-License-Identifier: GPL-2.0-only
"""
doc/how-it-attaches, "How to see it": what it says is there, on a lldpad that runs.
"""
import os
import re
import subprocess

from lab import built

LAB = {}
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc",
                    "how-it-attaches")


def proc(lab, name):
    return f"/proc/{lab.lldpad['sw'].process.pid}/{name}"


def test_it_is_loaded_and_has_attached(lab):
    with open(proc(lab, "comm"), encoding="ascii") as f:
        assert f.read() == "lldpad\n"
    with open(proc(lab, "maps"), encoding="utf-8") as f:
        assert "vdp_migrate.so" in f.read()
    log = "\n".join(lab.lldpad["sw"].process.lines)
    assert len(re.findall("attached to lldpad", log)) == 1 and "not attached" not in log


def test_it_shows_the_calls_that_the_page_names_and_needs_libc_alone():
    module = os.path.realpath(built("vdp_migrate.so"))

    def said(*argv):
        return subprocess.run((*argv, module), check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    shown = {line.split()[-1] for line in said("nm", "-D", "--defined-only").splitlines()}
    with open(PAGE, encoding="ascii") as f:
        page = f.read()
    named = set(re.findall(r"\w+", " ".join(re.findall(r"^    ([\w, ]+?)(?:  |$)", page,
                                                       flags=re.M))))
    assert shown and shown <= named, shown - named
    needed = re.findall(r"NEEDED.*\[(.*)\]", said("readelf", "-d"))
    # A build with sanitizers needs these, too.
    assert {re.sub(r"\.so.*", "", x) for x in needed} <= {"libc", "libasan", "libubsan"}


def test_it_has_one_epoll_descriptor_in_it_and_no_thread(lab):
    fds = [os.readlink(os.path.join(proc(lab, "fd"), fd))
           for fd in os.listdir(proc(lab, "fd"))]
    assert fds.count("anon_inode:[eventpoll]") == 1
    assert fds.count("anon_inode:[timerfd]") == 1
    assert len(os.listdir(proc(lab, "task"))) == 1


def test_no_child_of_lldpad_gets_the_object(lab):
    pid = lab.lldpad["sw"].process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        assert not f.read().split()
