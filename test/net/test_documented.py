# SPDX-License-Identifier: GPL-2.0-only
"""
What README, doc/operations and the man pages' examples tell a reader to type works, and
shows what they show: each command is run, section by section, in a lab whose names and
addresses are theirs. A scene says how things stand when a section begins, and what the
world does meanwhile. What cannot be run here stands in EXEMPT, with the reason.
"""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
import yaml

import documented
import documented_lab
from documented_lab import ADDRESS, MAC, VSI
from netns import wait_for

DOCUMENTS = ("README", "doc/operations", "doc/vdp-migrate.1",
             "doc/vdp-migrate-lldptool.8", "doc/vdp-migrate-files.5",
             "doc/vdp-migrate-settings.5", "doc/vdp-migrated.8")
SHOWN, BARE = [], []
for _document in DOCUMENTS:
    _shown, _bare = documented.read(_document)
    SHOWN += _shown
    BARE += _bare

INSTALLS = "installs: test/package --boot does it in a machine of its own"
EXEMPT = {
    "sudo test/demo": "one of the README's two",
    "sudo test/demo help": "one of the README's two",
    "sudo test/demo live": "takes minutes; test/livemig does the same measurements",
    "sudo test/libvirt": "takes minutes, and wants libvirtds",
    "sudo test/all": "one of the README's two; this test is a part of it",
    "sudo apt-get install build-essential": INSTALLS,
    "dpkg-buildpackage -us -uc -b": "builds: test/package",
    "sudo apt-get install ../lldpad-vdp-migrate_*.deb": INSTALLS,
    "sudo systemctl restart lldpad": INSTALLS,
    "./bootstrap && ./configure && make": "builds, and installs",
    "sudo systemd-sysusers": INSTALLS,
    "sudo systemctl enable --now vdp-migrated": INSTALLS,
    "vdp-migrate install-hook": "installs: test_hook.py, below another root",
    "systemctl enable --now vdp-migrate-agent": "installs: test_agent.py runs the agent",
}
# They go on until they are ended.
BACKGROUND = ("vdp-migrate watch", "vdp-migrate qemu", "qemu-system-x86_64")
# They only look, so they are asked until things stand as they are shown.
LOOKS = re.compile(r"vdp-migrate (show|check|leasequery|guard$)|\S*lldptool -t|nft list"
                   r"|journalctl")
MACHINES = {"switch": ("sw",), "server": ("h1", "h2"), "source": ("h1",),
            "destination": ("h2",)}
ALERTS = re.compile(r"^Alerts\n-+\n\n?((?:    .*\n)+)", re.M)


def exempt(shown):
    return next((x for x in EXEMPT if shown.command.startswith(x) and (
        x.startswith("sudo apt") or not shown.command[len(x):].strip()
        or shown.command[len(x):].lstrip().startswith(("#", "&&", "--remove")))), None)


@pytest.fixture(scope="module")
def place():
    with documented_lab.DocumentedLab() as made:
        yield made


# How things stand

def empty(lab):
    lab.unset()


def ready(lab):
    lab.ready()


def running(lab):
    """The VM runs at the source."""
    lab.ready()
    lab.vm_starts()


def enforced(lab):
    """The same, and nothing else may send."""
    lab.ready()
    for port in ("p1", "p2"):
        lab.told("sw", f"lldptool -T -i {port} -g ncb -V 0x02564d01 guard=enforce")
    lab.vm_starts()


def expected(lab):
    running(lab)
    lab.vm_is_announced()


def marked(lab):
    lab.ready()
    lab.told("h2", f"vdp-migrate mark {VSI} --mac {MAC}")


def asked(lab):
    """The DHCP server has answered once."""
    lab.ready()
    lab.told("sw", "vdp-migrate leasequery mac 52:54:00:12:34:57 || test $? = 1")


def in_a_group(lab):
    running(lab)
    lab.vm_joins("239.7.7.7")


def moved(lab):
    in_a_group(lab)
    migrate(lab)


def leased(lab):
    """What vdp-migrate-files(5) shows as a lease file is here."""
    lab.ready()
    example = re.search(r"^    \{\"version\".*?\}$", documented.text_of(
        "doc/vdp-migrate-files.5"), re.M | re.S)[0]
    with open(os.path.join(lab.space["h2"].dir, "home", "vm1.lease"), "w",
              encoding="ascii") as f:
        f.write(example)


# What happens meanwhile

def migrate(lab):
    lab.vm_is_announced()
    lab.vm_moves()
    lab.vm_has_left()


def no_querier(lab):
    lab.sw.ip("link set br0 type bridge mcast_querier 0")


def cases(lab):
    """A MAC that somebody has put into the FDB, and one that nobody knows."""
    lab.ready()
    lab.told("sw", "bridge fdb add 52:54:00:12:34:99 dev p1 master static sticky")
    wait_for("the first case", lambda: lab.show("sw", "cases"))
    lab.stranger_sends()


def no_sticky(lab):
    lab.told("sw", "bridge fdb del 52:54:00:12:34:99 dev p1 master; "
             "vdp-migrate unbind 0 52:54:00:12:34:99 192.0.2.99")


def no_cases(lab):
    no_sticky(lab)
    lab.told("sw", "vdp-migrate unbind 0 52:54:00:12:34:57 192.0.2.57")


def querier(lab):
    lab.sw.ip("link set br0 type bridge mcast_querier 1")


def qemus_migrate(lab):
    """Both are followed; the VM goes over and runs there."""
    wait_for("both VSIs", lambda: lab.vsi_at("p1") == "associate"
             and lab.vsi_at("p2") == "pre-associate")
    lab.qemu_migrates()
    wait_for("the VM's VSI to have moved", lambda: lab.vsi_at("p1") is None
             and lab.vsi_at("p2") == "associate")


def hook_marks_with_the_lease(lab):
    """libvirt's own metadata of the domain goes to the hook at the destination."""
    with open(os.path.join(lab.space["h1"].dir, "vm1.xml"), encoding="utf-8") as f:
        xml = f.read()
    assert "urn:vdp-migrate:leases:1" in xml
    lab.space["h2"].run(os.path.join(lab.bin, "vdp-migrate"), "hook", "vm1", "migrate",
                        "begin", "-", input=xml)
    mark, = lab.show("h2", "marks")
    assert (mark["vsi"], mark["mac"], mark["address"], mark["client_id"],
            mark["server"]) == (VSI, MAC, ADDRESS, "01:" + MAC, documented_lab.DHCP)


def textfile_is_there(lab):
    path = os.path.join(lab.sw.dir, "var-lib/prometheus/node-exporter")
    assert os.listdir(path) == ["vdp_migrate.prom"]
    with open(os.path.join(path, "vdp_migrate.prom"), encoding="ascii") as f:
        assert "\nvdp_migrate_migrations_total " in f.read()


def opened(lab):
    assert lab.show("sw", "ports")[0]["in_force"] == "off: opened by hand"


class Scene:
    """before: how things stand when the section begins. after: what happens after a
    command that begins so. last: after all commands, while those in the background go on;
    end: puts right what a later section would not."""

    def __init__(self, before, after=None, last=None, end=None):
        self.before, self.after = before, after or {}
        self.last, self.end = last, end


BY_HAND = {"vdp-migrate suspend": lambda lab: lab.vm.stop(),
           "vdp-migrate associate": lambda lab: lab.vm.resume("h2")}
SCENES = {
    "README": {
        "First steps": Scene(empty, last=lambda lab: lab.wait_lldp()),
        "What you see": Scene(expected, last=lambda lab: (running(lab), migrate(lab))),
        "From monitor to enforce": Scene(running),
        "The way out": Scene(enforced, {"vdp-migrate guard off": opened}),
        "When it does not work": Scene(running),
        "VMs of libvirt": Scene(ready, {"virsh": hook_marks_with_the_lease}),
        "VMs of QEMU without libvirt": Scene(ready, last=qemus_migrate),
        "VMs by hand": Scene(running, BY_HAND),
        "Settings": Scene(running),
    },
    "doc/operations": {
        "Where to look": Scene(running),
        "check": Scene(ready, {"vdp-migrate check": no_querier}, end=querier),
        "show ports": Scene(running),
        "show cases": Scene(cases, end=no_cases),
        "show bindings": Scene(expected),
        "show vsis": Scene(expected),
        "watch": Scene(running, last=migrate),
        "show groups": Scene(moved),
        "show servers": Scene(asked),
        "show counters": Scene(moved),
        "show marks": Scene(marked),
        "show leases": Scene(ready),
        "guard": Scene(ready),
        "Prometheus": Scene(moved, {"cd ": textfile_is_there}),
        "Help requests": Scene(leased),
        "What the guard does not see": Scene(ready, end=no_sticky),
    },
    "doc/vdp-migrate.1": {"EXAMPLES": Scene(ready)},
    "doc/vdp-migrate-lldptool.8": {"EXAMPLE": Scene(ready)},
}


# The documents

def test_every_command_names_the_machine_that_it_is_typed_on():
    assert not BARE
    assert {x.machine for x in SHOWN} <= {*MACHINES, "$"}
    assert len(SHOWN) > 60


def test_every_command_is_run_or_exempt_and_nothing_else_is_said_to_be():
    run_in = {(x.document, x.section) for x in SHOWN if not exempt(x)}
    scenes = {(document, section) for document, sections in SCENES.items()
              for section in sections}
    assert run_in == scenes
    assert not [str(x) for x in SHOWN if x.machine == "$" and not exempt(x)]
    assert {exempt(x) for x in SHOWN} - {None} == set(EXEMPT)


@pytest.mark.parametrize("document, section", [
    (document, section) for document, sections in SCENES.items() for section in sections])
def test_section(place, document, section):
    scene = SCENES[document][section]
    commands = [x for x in SHOWN if (x.document, x.section) == (document, section)
                and not exempt(x)]
    assert commands, "no such section, or no command in it"
    background = []
    scene.before(place)
    try:
        for shown in commands:
            for where in MACHINES[shown.machine]:
                if shown.command.startswith(BACKGROUND):
                    background.append((shown, place.started(where, shown.command)))
                else:
                    typed(place, where, shown)
            for begin, happens in scene.after.items():
                if shown.command.startswith(begin):
                    happens(place)
        if scene.last:
            scene.last(place)
        for shown, process in background:
            said_in_time(shown, process)
    finally:
        for _, process in reversed(background):
            process.stop(signal.SIGINT)
        if scene.end:
            scene.end(place)


def typed(lab, where, shown):
    """Once, or if it only looks until things stand as they are shown. Without an output
    that is shown it has to succeed."""
    said = []

    def as_shown():
        said[:] = lab.type(where, shown.command)
        return (documented.looks_like(shown.output, said[0]) if shown.output
                else said[1] == 0)
    try:
        wait_for(str(shown), as_shown, 10.0 if LOOKS.match(shown.command) else 0.0, 0.1)
    except TimeoutError as e:
        raise AssertionError(f"{shown}\nat {where}, exit status {said[1]}:\n{said[0]}"
                             ) from e


def said_in_time(shown, process):
    def as_shown():
        return documented.looks_like(
            shown.output, "".join(x + "\n" for x in list(process.lines)), goes_on=True)
    try:
        wait_for(str(shown), as_shown)
    except TimeoutError as e:
        raise AssertionError(f"{shown}\n" + "\n".join(process.lines)) from e


# Alerts

def test_metrics_of_the_example_alerts_are_there(place):
    moved(place)
    place.stranger_sends()
    wait_for("the guard to count it", lambda: place.counter("guard_p1_ipv4"), 5.0)
    said, status = place.type("sw", "vdp-migrate show counters --prometheus")
    assert status == 0
    metrics = {}
    for name, labels in re.findall(r"^(vdp_migrate_\w+)(?:\{(.*)\})? \S+$", said, re.M):
        metrics.setdefault(name, []).append(dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    text = re.sub("^    ", "", ALERTS.search(documented.text_of("doc/operations"))[1],
                  flags=re.M)
    if shutil.which("promtool"):
        subprocess.run(("promtool", "check", "rules", "/dev/stdin"), input=text,
                       text=True, check=True, stdout=subprocess.DEVNULL)
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    assert len(rules) > 5
    for rule in rules:
        assert set(rule) == {"alert", "expr", "annotations"} and rule["annotations"]
        named = re.findall(r"\b(vdp_migrate_\w+)(?:\{(.*?)\})?(?=\[)", rule["expr"])
        assert named or "node_textfile_mtime_seconds" in rule["expr"], rule
        for name, labels in named:
            wanted = re.findall(r'(\w+)(!=|=~|=)"([^"]*)"', labels)
            assert any(all(selects(row, *x) for x in wanted)
                       for row in metrics.get(name, ())), (name, labels)


def selects(labels, name, how, value):
    """As Prometheus does; a label that is not there is a fault in the alert."""
    if how == "=~":
        return bool(re.fullmatch(value, labels[name]))
    return (labels[name] == value) == (how == "=")


# The reader of documents itself

TEXT = """\
Title
=====
    switch# show it \\
        --long          # all
                        # of it
    NAME  AGE
    p1    59 min
    ...
    192.0.2.1 at 14:32:49.903

    $ other 'quoted
      text'
    nft list tables
    nft       a list of programs
"""


def test_commands_and_their_outputs_are_found(tmp_path, monkeypatch):
    (tmp_path / "page").write_text(TEXT, encoding="ascii")
    monkeypatch.setattr(documented, "TOP", str(tmp_path))
    (first, second), bare = documented.read("page")
    assert (first.section, first.machine, first.line) == ("Title", "switch", 3)
    assert first.command == "show it \\\n        --long          # all"
    assert first.output == ["NAME  AGE", "p1    59 min", "...",
                            "192.0.2.1 at 14:32:49.903"]
    assert second.command == "other 'quoted\n      text'"
    assert second.output == ["nft list tables", "nft       a list of programs"]
    assert not bare
    (tmp_path / "page").write_text("    nft list x\n    nft      a\n", encoding="ascii")
    assert documented.read("page") == ([], ["page:1:    nft list x"])


@pytest.mark.parametrize("said, alike", [
    ("NAME    AGE\np1      2 h\n192.0.2.1 at 09:00:00.001\n", True),
    ("NAME    AGE\np1      2 h\nmore\nand more\n192.0.2.1 at 09:00:00.001\n", True),
    ("NAME    AGE\np2      2 h\n192.0.2.1 at 09:00:00.001\n", False),
    ("NAME    AGE\np1      old\n192.0.2.1 at 09:00:00.001\n", False),
    ("NAME    AGE\np1      2 h\n192.0.2.2 at 09:00:00.001\n", False),
    ("NAME    AGE\np1      2 h\n192.0.2.1 on 09:00:00.001\n", False),
    ("NAME    AGE\np1      2 h\n192.0.2.1 at 09:00:00.001\nmore\n", False),
    ("NAME    AGE\n192.0.2.1 at 09:00:00.001\n", False), ("", False)])
def test_output_is_compared_word_by_word(said, alike):
    shown = ["NAME  AGE", "p1    59 min", "...", "192.0.2.1 at 14:32:49.903"]
    assert documented.looks_like(shown, said) == alike


def test_lease_file_of_its_man_page_is_json(place):
    leased(place)
    with open(os.path.join(place.space["h2"].dir, "home", "vm1.lease"),
              encoding="ascii") as f:
        assert set(json.load(f)) == {"version", "mac", "ip", "client-id", "server",
                                     "expires"}
