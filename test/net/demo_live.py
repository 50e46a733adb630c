# SPDX-License-Identifier: GPL-2.0-only
"""
The demo's story with a real VM: the table of test/livemig in short, then one migration
ms by ms.
"""
import argparse
import os
import statistics
import tempfile

import demo
from lab import DHCP
from live import GROUP
from live_timeline import CUT, Timeline
from livemig import ROWS, Deaf, Measurement
from netns import run as command
from progress import Progress

IMAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live/image")
RUNS = 3
TABLE = ("no guard", "guard without us", "with us: leasequery", "with us: help",
         "with us: group known", "with us: group by query")
ONE = "with us: group known"
COLUMNS = (("dropped by", "guard", "dropped"),
           ("lost", "unicast", "unicast_lost"), ("gap ms", "unicast", "unicast_gap"),
           ("lost", "multicast", "multicast_lost"),
           ("gap ms", "multicast", "multicast_gap"))
SYSTEM = f"""
    server h1             switch (Linux bridge)
    QEMU - tap === p1 --- lldpad + vdp_migrate --- p3 --- DHCP server {DHCP}
                          vdp-migrated
    server h2      |      guard: nftables     p4 --- a packet a ms to the VM, one to
    QEMU - tap === p2 ----+                          {GROUP}; the VM sends each back
"""


def begin(story, image):
    print("A real VM migrates live under enforced guard, back and forth: a "
          "demonstration.\n" + SYSTEM)
    story.step("The lab and the VM start (Linux under QEMU, emulated: TCG).")
    measurement = Measurement(argparse.Namespace(
        kernel=f"{image}/vmlinux", initrd=f"{image}/initrd.img",
        stream=f"{image}/stream", runs=RUNS, short=True, verbose=False))
    try:
        measurement.begin()
    except BaseException:
        measurement.end()
        raise
    vm = measurement.vm
    story.say(f"It runs at h1: MAC {vm.mac}, address {vm.ip} by a lease of a day.",
              "At both servers \"vdp-migrate qemu --qmp\" follows QEMU; the guest itself",
              "does nothing for its migration (guest_announce=off).")
    return measurement


def table(story, measurement):
    story.step(f"It migrates {RUNS} times in each of these ways. Packets lost, and the "
               "longest time\n   without an answer; the median, and the worst in brackets:")
    print()
    story.say(f"{'':<24}" + "".join(f"{x[0]:>13}" for x in COLUMNS),
              f"{'':<24}" + "".join(f"{x[1]:>13}" for x in COLUMNS))
    for row in (row for name in TABLE for row in ROWS if row.name == name):
        runs = measurement.measure(row)
        story.say(f"{row.name:<24}" + "".join(
            f"{cell(runs, key):>13}" for _, _, key in COLUMNS))
    print()
    story.check(not measurement.failures,
                "With us the guard has dropped nothing of it, and it was back at once, its "
                "groups\n   too. Without us it was not back within 3 s: it would be when it "
                "renews its lease.", "; ".join(measurement.failures))


def cell(runs, key):
    if key.endswith("_gap") and not all(r["back"] for r in runs):
        return "no end"
    values = [r[key] for r in runs]
    return f"{statistics.median(values):.0f} ({max(values):.0f})"


def one(story, measurement):
    story.step("One migration, seen from all sides. ms; 0 is when the VM stops.")
    row = next(row for row in ROWS if row.name == ONE)
    measurement.lab.snoop(row.snooping)
    timeline, run = watched(measurement, row)
    print()
    story.say(*timeline.lines())
    print()
    seen = {words: timeline.first(words) for words in (
        "pre-associate, M", "staged", "associate, S",
        f"binding at {timeline.new_port}: active", "goes on",
        f"first answer, by {timeline.new_port}")}
    missing = [words for words, at in seen.items() if not at]
    at = list(seen.values())
    story.check(not missing and all(a < b + 2 * CUT for a, b in zip(at, at[1:])),
                "The switch knew the address while the VM still ran at its old place, and "
                "had opened\n   its port before the VM went on.",
                f"not seen: {missing}" if missing else "this was out of order")
    story.check(not run["dropped"] and run["back"],
                f"Lost: {run['unicast_lost']} unicast and {run['multicast_lost']} multicast "
                f"packets, dropped by the guard: none.", "it has lost what it should not")


def watched(measurement, row):
    while True:
        measurement.prepare(row)
        measurement.progress("it migrates")
        source, target = measurement.ports()
        servers = {port: server for server, port in measurement.lab.port_of.items()}
        with Timeline(measurement.lab, measurement.vm, servers[source],
                      servers[target]) as timeline:
            try:
                run = measurement.migrate(row, timeline)
                measurement.progress()
                return timeline, run
            except Deaf:
                measurement.again(row)


def tell(story):
    with tempfile.TemporaryDirectory(prefix="vdp-migrate-live.") as image:
        progress = Progress()
        progress("the guest is put together")
        command(IMAGE, image, timeout=600)
        progress()
        measurement = begin(story, image)
        try:
            table(story, measurement)
            one(story, measurement)
        finally:
            measurement.end()


if __name__ == "__main__":
    demo.main(tell)
