# SPDX-License-Identifier: GPL-2.0-only
"""
The extended lldptool: Debian's own, by our wrapper, against a switch and a server whose
lldpads have the module, and against one that has not (n0; at its other end the test
itself says what a neighbour says).
"""
import os
import re
import subprocess

import pytest

import lab
from netns import World, wait_for
from test_attach import Pair, compiled

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STOCK = "/usr/sbin/lldptool"
HEAD = "vdp_migrate Capability TLV\n"
NAMED = ("-g", "ncb", "-V", "vdp-migrate")


class Said:
    def __init__(self, done):
        self.out, self.err, self.code = done.stdout, done.stderr, done.returncode


class Tools(Pair):
    """Also a third lldpad, without the module, and the wrapper as it is installed."""

    def __init__(self, world):
        super().__init__(world)
        extension = lab.built("lldptool_ext.so")
        assert extension, "lldptool_ext.so is not built"
        self.wrapper = os.path.join(world.dir, "vdp-migrate-lldptool")
        source = os.path.join(TOP, "lldptool-ext", "vdp-migrate-lldptool.in")
        with open(source, encoding="ascii") as f, \
             open(self.wrapper, "w", encoding="ascii") as to:
            to.write(f.read().replace("@pkglibdir@", os.path.dirname(extension)))
        os.chmod(self.wrapper, 0o755)
        self.without = world.space("n")
        self.without.ip("link add n0 type veth peer name n1", "link set n0 up",
                        "link set n1 up")
        self.stock_lldpad = lab.Lldpad(self.without, "bridge", ("n0",), False, {}, 16)
        self.stock_lldpad.start()
        self.bridge.set("p1", "use=yes")
        self.station.set("e0", "use=yes")
        wait_for("the third lldpad", lambda: self.answers(self.stock_lldpad))
        wait_for("capabilities both ways", lambda: all(
            HEAD in self.tool("-t", "-n", "-i", port, "-g", "ncb", space=space).out
            for space, port in ((self.sw, "p1"), (self.h, "e0"))), 15.0, 0.1)

    def tool(self, *argv, space=None, program=None, preload=None, stdin=""):
        env = dict(os.environ, **({"LD_PRELOAD": preload} if preload else {}))
        argv = ("ip", "netns", "exec", (space or self.sw).name, "env",
                *([f"LD_PRELOAD={preload}"] if preload else []),
                program or self.wrapper, *argv)
        env.pop("LD_PRELOAD", None)
        return Said(subprocess.run(argv, env=env, text=True, capture_output=True,
                                   input=stdin, timeout=30, check=False))

    def stock(self, *argv, **options):
        return self.tool(*argv, program=STOCK, **options)

    def neighbour_says(self, value):
        """n0's neighbour sends an LLDPDU with our TLV: these octets behind its head."""
        mac = bytes.fromhex("020000000071")

        def tlv(kind, octets):
            return bytes((kind << 1, len(octets))) + octets
        self.without.send_frame("n1", bytes.fromhex("0180c2000000") + mac + b"\x88\xcc"
                                + tlv(1, b"\x04" + mac) + tlv(2, b"\x03" + mac)
                                + tlv(3, b"\0\x78")
                                + tlv(127, bytes.fromhex("02564d01") + value) + b"\0\0")

    def neighbour(self, value, expected):
        """... and what is printed of it, when that has come to this."""
        def printed():
            self.neighbour_says(value)
            shown = self.tool("-t", "-n", "-i", "n0", *NAMED, space=self.without).out
            return shown == HEAD + expected
        wait_for(f"'{expected}'", printed, 5.0, 0.1)


@pytest.fixture(scope="module")
def tools():
    with World() as world:
        yield Tools(world)


def test_settings_are_set_and_shown_by_name(tools):
    assert tools.tool("-T", "-i", "p1", *NAMED, "groups=mld", "trusted=yes").out == \
        "groups=mld\ntrusted=yes\n"
    assert tools.tool("-t", "-i", "p1", *NAMED, "-c", "groups").out == "groups=mld\n"
    both = tools.tool("-t", "-i", "p1", "-g", "ncb", "-V", "VDP-Migrate", "-c", "use",
                      "trusted")
    assert both.out == "use=yes\ntrusted=yes\n" and not both.err and both.code == 0
    every = tools.tool("-t", "-i", "p1", *NAMED, "-c").out
    assert every == tools.bridge.get("p1") and "groups=mld\n" in every
    tools.tool("-T", "-i", "p1", *NAMED, "groups=both", "trusted=no")


@pytest.mark.parametrize("where, port, mine, other", (
    ("sw", "p1", "bridge (switch)", "station (server)"),
    ("h", "e0", "station (server)", "bridge (switch)")))
def test_own_capability_and_the_neighbours_are_printed(tools, where, port, mine, other):
    space = getattr(tools, where)
    for option, role in ((), mine), (("-n",), other):
        text = (f"{HEAD}\tRole: {role}\n\tVersion: 1\n\tFlags: ")
        alone = tools.tool("-t", *option, "-i", port, *NAMED, space=space)
        assert alone.out.startswith(text) and not alone.err
        among = tools.tool("-t", *option, "-i", port, "-g", "ncb", space=space).out
        assert alone.out in among and "Chassis ID TLV" in among
    words = re.search("Flags: (.*)", tools.tool("-t", "-i", "p1", *NAMED).out)[1]
    assert "leasequery" in words.split(", ")


def test_flags_of_a_neighbour_are_words_and_a_later_version_is_said_so(tools):
    tools.neighbour(bytes((1, 2, 0x0F)), "\tRole: bridge (switch)\n\tVersion: 1\n"
                    "\tFlags: leasequery, group query, help requests, "
                    "M-bit in draft 0.2\n")
    tools.neighbour(bytes((1, 1, 0)),
                    "\tRole: station (server)\n\tVersion: 1\n\tFlags: none\n")
    tools.neighbour(bytes((7, 1, 0x82, 5)), "\tRole: station (server)\n"
                    "\tVersion: 7 (a later one)\n"
                    "\tFlags: help requests, 0x80 of a later version\n")


def test_malformed_capability_is_said_to_be_one_and_where(tools):
    tools.neighbour(b"", "\tmalformed: version at octet 4: \n")
    tools.neighbour(bytes((1, 9, 0)), "\tmalformed: role at octet 6: 010900\n")
    tools.neighbour(bytes((1, 2)), "\tmalformed: flags at octet 6: 0102\n")
    tools.neighbour(bytes((1, 2, 0, 0)),
                    "\tmalformed: end of capability at octet 7: 01020000\n")


def test_help_lists_it_and_with_its_name_each_setting_with_values_and_help(tools):
    stock, ours = tools.stock("help").out, tools.tool("help").out
    assert ours.startswith(stock)
    assert re.fullmatch(r"   vdp-migrate\t: .*\n", ours[len(stock):])
    for ask in ("help", "-h"):
        named = tools.tool(ask, "-V", "vdp-migrate").out
        assert named.startswith(ours)
    names = re.findall(r"^(\S+)=", tools.bridge.get("p1"), re.M)
    assert len(names) > 10
    settings = named[named.index("Settings of vdp-migrate"):]
    assert re.findall(r"^  ([a-z]\S*) ", settings, re.M) == names
    assert re.search(r"^  guard +source guard: .*\n +off, monitor, .*; default: off$",
                     named, re.M)


def test_wrong_value_shows_what_it_takes_and_wrong_name_which_there_are(tools):
    wrong = tools.tool("-T", "-i", "p1", *NAMED, "guard=perhaps")
    assert wrong.code and not wrong.err
    assert "Invalid parameters" in wrong.out
    assert "p1: setting guard: 'perhaps' refused: takes off, monitor" in wrong.out
    for argv in (("-T", "-i", "p1", *NAMED, "gaurd=off"),
                 ("-t", "-i", "p1", *NAMED, "-c", "gaurd")):
        wrong = tools.tool(*argv)
        assert wrong.code and "Command not applicable" in wrong.out
        assert re.fullmatch("vdp-migrate: no setting 'gaurd'; there are use, assist, "
                            r"guard[a-z, -]*\n", wrong.err)


def test_why_nothing_is_shown_is_said(tools):
    for argv in (("-t", "-i", "p1", "-V", "vdp-migrate", "-c"),
                 ("-t", "-i", "p1", "-V", "vdp-migrate")):
        assert tools.tool(*argv).err == ("vdp-migrate: TLV and settings are the nearest "
                                         "customer bridge's: -g ncb\n")
    tools.tool("-T", "-i", "e0", *NAMED, "use=no", space=tools.h)
    try:
        def asked():
            return tools.tool("-t", "-i", "e0", *NAMED, space=tools.h)
        wait_for("a new LLDPDU", lambda: not asked().out, 5.0, 0.1)
        assert asked().code == 0
        assert asked().err == "vdp-migrate: e0 sends no capability TLV: use=no\n"

        def gone():
            return tools.tool("-t", "-n", "-i", "p1", *NAMED).err == \
                "vdp-migrate: the neighbour of p1 sends no capability TLV\n"
        wait_for("the neighbour's to be gone", gone, 5.0, 0.1)
    finally:
        tools.tool("-T", "-i", "e0", *NAMED, "use=yes", space=tools.h)
        wait_for("the neighbour's to be back", lambda: tools.tool(
            "-t", "-n", "-i", "p1", *NAMED).out, 5.0, 0.1)


@pytest.mark.parametrize("argv, out", (
    (("-T", "use=yes"), "Command not applicable \n"),
    (("-t", "-c", "use"), "Command not applicable \n"), (("-t", "-c"), ""),
    (("-t",), "")))
def test_lldpad_without_the_module_is_named_as_such(tools, argv, out):
    said = tools.tool(argv[0], "-i", "n0", *NAMED, *argv[1:], space=tools.without)
    assert said.out == out
    assert said.err == ("vdp-migrate: lldpad runs here without the module "
                        "vdp_migrate.so: it has no such settings and sends no such TLV\n")


def test_interactive_mode_knows_all_of_it(tools):
    said = tools.tool(stdin="\n".join((
        "-T -i p1 -g ncb -V vdp-migrate groups=mld",
        "get-tlv -i p1 -g ncb -V vdp-migrate -c groups", "-t -n -i p1 -g ncb",
        "set-tlv -i p1 -g ncb -V vdp-migrate groups=all", "help -V vdp-migrate", "help",
        "-T -i p1 -g ncb -V vdp-migrate groups=both", "quit", "")))
    # Where there is a libreadline.so, lldptool shows what it reads behind its prompt.
    out = said.out.replace("\n> ", "\n>\n")
    assert out.count("\ngroups=mld\n") == 2 and "\ngroups=both\n" in out
    assert f"{HEAD}\tRole: station (server)\n\tVersion: 1\n" in said.out
    assert "setting groups: 'all' refused: takes off, igmp, mld, both" in said.out
    assert said.out.count("   vdp-migrate\t: ") == 2
    assert said.out.count("; default: ") == len(
        re.findall("=", tools.bridge.get("p1"))), "the second help names no setting"
    assert not said.err and said.code == 0


def test_stock_command_is_as_it_was_and_so_are_other_commands_of_ours(tools):
    assert "Invalid TLV identifier: vdp-migrate" in tools.stock("-t", "-i", "p1",
                                                                *NAMED).out
    assert "OUI: 0x02564d, Subtype: 1" in tools.stock("-t", "-i", "p1", "-g", "ncb").out
    for argv in (("-v",), ("-t", "-i", "p1", "-g", "ncb", "-V", "sysName"), ("nonsense",),
                 ("-t", "-i", "p1", "-g", "ncb", "-V", "nonsense"), ("-L", "-i", "p1"),
                 ("-t", "-i", "p9", "-V", "evb"), ("-l", "-i", "p1", "-g", "ncb",
                                                   "adminStatus")):
        ours, stock = tools.tool(*argv), tools.stock(*argv)
        assert (ours.out, ours.err, ours.code) == (stock.out, stock.err, stock.code)


# Where it cannot get in

PROGRAM = r"""
    #include <getopt.h>
    #include <stdio.h>
    #include <stdlib.h>
    int main(int argc, char **argv)
    {
        struct option none = { 0 };
        for (int i = 0; i < 2; i++) {
            optind = 0;
            while (getopt_long(argc, argv, "ab:", &none, NULL) >= 0)
                ;
            printf("rest %s\n", argv[optind]);
        }
        printf("preload %s\n", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none");
        return 0;
    }"""


def test_lldptool_without_a_module_list_gets_one_line_and_its_options(tools):
    os.makedirs(os.path.join(tools.world.dir, "bin"), exist_ok=True)
    program = compiled(tools.world, "bin/lldptool", PROGRAM)
    said = tools.tool("rest", "-a", "-b", "x", program=program,
                      preload=lab.built("lldptool_ext.so"))
    assert said.out == "rest rest\nrest rest\npreload none\n" and said.code == 0
    assert re.fullmatch(r"vdp-migrate: not known to this lldptool: no module list found "
                        r"\(.* \(\d+ words, \d+ candidates, 0 lists\)\)\n", said.err)


def test_other_programs_and_other_preloads_are_left_alone(tools):
    os.makedirs(os.path.join(tools.world.dir, "bin"), exist_ok=True)
    extension = lab.built("lldptool_ext.so")
    program = compiled(tools.world, "bin/other", PROGRAM)
    said = tools.tool("rest", program=program, preload=extension)
    assert said.out == f"rest rest\nrest rest\npreload {extension}\n" and not said.err
    other = compiled(tools.world, "other.so", "int other_symbol;", "-shared", "-fPIC")
    program = compiled(tools.world, "bin/lldptool", PROGRAM)
    said = tools.tool("rest", program=program, preload=f"{extension}:{other}")
    assert f"preload {other}\n" in said.out


def test_where_memory_cannot_be_read_lldptool_runs_as_stock(tools):
    shim = compiled(tools.world, "shim.so", """
        #include <errno.h>
        int pipe2(int p[2], int f) { (void)p; (void)f; errno = EMFILE; return -1; }""",
                    "-shared", "-fPIC", "-w")
    argv = ("-t", "-i", "p1", "-g", "ncb")
    said = tools.tool(*argv, preload=shim)
    assert said.out == tools.stock(*argv).out
    assert re.fullmatch("vdp-migrate: not known .*Too many open files.*\n", said.err)
    twice = tools.tool(stdin="-p\n-p\nquit\n", preload=shim)
    assert twice.err == said.err, "one line, not one a command"


def test_it_needs_no_library_that_lldptool_has_not_and_shows_two_calls(tools):
    def lines(*argv):
        return subprocess.run(argv, text=True, capture_output=True, check=True).stdout
    extension = lab.built("lldptool_ext.so")
    needed = re.findall(r"NEEDED.*\[(.*)\]", lines("readelf", "-d", extension))
    loaded = re.findall(r"^\s*(\S+)", lines("ldd", STOCK), re.M)
    assert needed and set(needed) <= set(loaded)
    shown = re.findall(r" [A-TV-Z] (\S+)", lines("nm", "-D", "--defined-only", extension))
    assert sorted(shown) == ["clif_request", "getopt_long"]
