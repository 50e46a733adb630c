# SPDX-License-Identifier: GPL-2.0-only
"""
The measurements and their table; README says what each figure means. Three switches
stand side by side: with the product, stock with the bare sidecar, stock. What is
compared takes turns, round by round, in a changing order. Multicast is streams.py's.
"""
import argparse
import signal
import statistics
import sys
import time

from side import SETTINGS, STATUS_M, Side, lldpad_version, machine
from netns import World
from progress import Progress
from streams import stream_rows
import evacuated
import holds
from rack import Rack

FIRST_M = 100000        # VSIs that migrate, and have a lease
FEW, MANY = 1000, 99999 # bindings of other VMs: below FIRST_M
KEPT = 90000            # VSIs that are associated again and again
RACK_PORTS, RACK_VSIS, SINGLES = 16, 60, 400
WARM_UP = 20
PAUSE_US = 3000         # closed loop: after the response, before the next request
APART_US = 5000         # open loop: from request to request
MET, MISSED = "met", "MISSED"


class Row:
    """A line of the table. ratios: of each round."""

    def __init__(self, what, ours, other, ratios, aim=None):
        self.what, self.ours, self.other, self.aim = what, ours, other, aim
        self.ratio = statistics.median(ratios)
        self.spread = min(ratios), max(ratios)

    @property
    def met(self):
        return self.aim is None or self.ratio <= self.aim

    def cells(self):
        return (self.what, us(self.ours), us(self.other), f"{self.ratio:.3f}",
                "%.2f..%.2f" % self.spread, f"<= {self.aim}" if self.aim else "",
                ("", MET if self.met else MISSED)[self.aim is not None])


class Share:
    """A line of the table: so many of so many."""

    def __init__(self, what, n, of, aim):
        self.what, self.n, self.of, self.aim = what, n, of, aim
        self.met = n >= aim * of

    def cells(self):
        return (self.what, f"{self.n} of {self.of}", "", f"{self.n / self.of:.1%}", "",
                f">= {self.aim:.0%}", MET if self.met else MISSED)


class Lost:
    """A line of the table: associations that were acknowledged and never answered."""

    def __init__(self, what, ours, other, of):
        self.what, self.ours, self.other, self.of = what, ours, other, of
        self.met = not any(ours)

    def cells(self):
        return (self.what, f"{sum(self.ours)} of {self.of}",
                f"{sum(self.other)} of {self.of}", "",
                "..".join(str(f(self.other)) for f in (min, max)), "0",
                MET if self.met else MISSED)


class Octets:
    """A line of the table: memory."""

    def __init__(self, what, n, aim):
        self.what, self.n, self.aim = what, n, aim
        self.met = n <= aim

    def cells(self):
        return (self.what, f"{self.n:.0f}", "", "", "", f"<= {self.aim}",
                MET if self.met else MISSED)


def us(ns):
    return f"{ns / 1000:.1f} us"


def median(values):
    return statistics.median(values) if values else float("nan")


def plain_rounds(sides, rounds, count, progress, what="VDP response"):
    """Associates without the M-bit. side's name -> per round (acks, responses)."""
    found = {side.name: [] for side in sides}
    for i in range(rounds):
        progress(f"{what}: round {i + 1} of {rounds}")
        turn = i % len(sides)
        for side in sides[turn:] + sides[:turn]:
            lines = side.round("closed", count, PAUSE_US)
            found[side.name].append(([x[2] for x in lines if x[2] > 0],
                                     [x[3] for x in lines if x[3] > 0]))
    return found


def compare(what, found, ours, others, which, aim=None):
    """others: what they have found in the same round is taken together."""
    a = [values[which] for values in found[ours]]
    b = [sum((values[which] for values in same_round), [])
         for same_round in zip(*(found[name] for name in others))]
    return Row(what, median(sum(a, [])), median(sum(b, [])),
               [median(x) / median(y) for x, y in zip(a, b) if x and y], aim)


def migrated_blocks(sides, blocks, count, progress):
    """Associates with the M-bit. side's name -> the injector's lines, per block."""
    found = {side.name: [] for side in sides}
    for i in range(blocks):
        progress(f"binding: block {i + 1} of {blocks}")
        for side in sides if i % 2 else sides[::-1]:
            found[side.name].append(side.round("open", count, APART_US, STATUS_M,
                                               FIRST_M + WARM_UP + i * count))
    return found


def binding_rows(found, committed):
    """committed: VSI -> time at which the sidecar knew that it was done."""
    ours, other = ([[x[4] for x in block if x[4] > 0] for block in found[name]]
                   for name in ("product", "sidecar"))
    late = median([x[1] + x[4] - committed[x[0]] for block in found["sidecar"]
                   for x in block if x[4] > 0 and x[0] in committed])
    row = Row("M-bit in -> bound, us : sidecar", median(sum(ours, [])),
              median(sum(other, [])),
              [median(x) / median(y) for x, y in zip(ours, other) if x and y], 1.3)
    bare = Row("  without the event's way to us", row.ours - late, row.other - late,
               [(median(x) - late) / (median(y) - late)
                for x, y in zip(ours, other) if x and y])
    return [row, bare]


def answer_rows(plain, slow, found):
    """slow: with fast=no and hold=0; found: with M, where the answer waits."""
    rows = []
    for values, which, what, aim in (
            (plain, 1, "VDP response, us : stock", 0.1),
            (plain, 0, "ECP acknowledgement, us : stock", 1.1),
            (slow, 1, "VDP response, fast=no hold=0", 1.01),
            (slow, 0, "ECP acknowledgement, fast=no hold=0", 1.1)):
        rows.append(compare(what, values, "product", ["sidecar", "stock"], which, aim))
        if values is slow:
            rows.append(compare("  null test, stock : stock", slow, "stock", ["sidecar"],
                                which))
    ours, other = ([[x[3] for x in block if x[3] > 0] for block in found[name]]
                   for name in ("product", "sidecar"))
    rows.append(Row("VDP response that waits for its binding, us : stock",
                    median(sum(ours, [])), median(sum(other, [])),
                    [median(x) / median(y) for x, y in zip(ours, other) if x and y], 0.3))
    return rows


def keepalive_rows(sides, rounds, count, progress):
    """CPU of lldpad for an association that only repeats one."""
    cost = {side.name: [] for side in sides}
    for i in range(rounds):
        progress(f"keep-alives: round {i + 1} of {rounds}")
        turn = i % len(sides)
        for side in sides[turn:] + sides[:turn]:
            before = side.lldpad_cpu()
            side.round("closed", count, PAUSE_US, 0, KEPT)
            cost[side.name].append((side.lldpad_cpu() - before) / count)
    ours, (other, null) = cost["product"], (cost["sidecar"], cost["stock"])
    # The first round was associations.
    pairs = list(zip(ours, other, null))[1:]
    return [Row("CPU of lldpad a keep-alive, us : stock", median(ours[1:]),
                median(other[1:] + null[1:]), [2 * a / (b + c) for a, b, c in pairs],
                1.2),
            Row("  null test, stock : stock", median(null[1:]), median(other[1:]),
                [c / b for _, b, c in pairs])]


def storm_rows(world, storms, progress):
    """A rack is evacuated: VSIs behind 16 ports at a station's pace, with the product
    and with stock."""
    leases = range(FIRST_M, FIRST_M + storms * RACK_PORTS * RACK_VSIS + SINGLES)
    progress("two racks are being set up")
    ours = Rack(world, "rack", RACK_PORTS, dict(SETTINGS["p1"], **{"max-rate": "0"}),
                engine=True, leases=leases)
    stock = Rack(world, "stock-rack", RACK_PORTS)
    lost, times, late = ([], []), ([], []), 0
    for rack in (ours, stock):
        rack.ready()
    progress("one VSI after the other")
    single = ours.storm(SINGLES, pace=APART_US, m=True, ends=["e1"],
                        first=FIRST_M + storms * RACK_PORTS * RACK_VSIS)
    for i in range(storms):
        progress(f"16 ports: storm {i + 1} of {storms}")
        first = FIRST_M + i * RACK_PORTS * RACK_VSIS
        for k, rack in sorted(enumerate((ours, stock)), reverse=i % 2):
            found = rack.storm(RACK_VSIS, m=True, first=first)
            lost[k].append(len(found.lost))
            times[k].append(found.median() * 1000)
            late += len(found.late) if rack is ours else 0
    progress()
    bound = storms * RACK_PORTS * RACK_VSIS
    return [Lost(f"lost of associations, {RACK_PORTS} ports at once", *lost,
                 bound),
            Share("bound before the response", SINGLES - len(single.late), SINGLES, 1),
            Share(f"bound before the response, {RACK_PORTS} ports", bound - late, bound,
                  0.99),
            Row(f"VDP response, {RACK_PORTS} ports at once", median(times[0]),
                median(times[1]), [a / b for a, b in zip(*times)]),
            *holds.rows(f"{RACK_PORTS} ports", ours.show)]


def scale_rows(world, options, progress):
    """The product with few and with many bindings in its store and in the kernel."""
    progress("two engines start with what their stores hold")
    leases = range(FIRST_M, FIRST_M + WARM_UP + options.blocks * options.block)
    few, many = (Side(world, name, product=True, leases=leases, bindings=n)
                 for name, n in (("few", FEW), ("many", MANY)))
    progress()
    print(f"start with {FEW} bindings in the store: {few.start_s:.2f} s, with {MANY}: "
          f"{many.start_s:.2f} s")
    for side in (few, many):
        side.wait_ready()
        side.round("open", WARM_UP, APART_US, STATUS_M, FIRST_M)
    found = migrated_blocks([few, many], options.blocks, options.block, progress)
    progress()
    a, b = ([[x[4] for x in block if x[4] > 0] for block in found[name]]
            for name in ("many", "few"))
    each = (many.engine_rss() - few.engine_rss()) / (MANY - FEW)
    return [Row(f"M-bit in -> bound, {MANY} : {FEW} bindings", median(sum(a, [])),
                median(sum(b, [])),
                [median(x) / median(y) for x, y in zip(a, b) if x and y], 1.1),
            Octets("user-space octets a binding, resident", each, 256)]


def print_table(rows):
    head = ("figure", "ours", "other", "ratio", "by round", "aim", "")
    cells = [head, *(row.cells() for row in rows)]
    widths = [max(len(c[i]) for c in cells) for i in range(len(head))]
    for line in cells:
        print("  ".join(x.ljust(w) for x, w in zip(line, widths)).rstrip())


def measure(world, options, progress):
    progress("three switches are being set up")
    leases = range(FIRST_M, FIRST_M + WARM_UP + options.blocks * options.block)
    product = Side(world, "product", product=True, leases=leases)
    sidecar = Side(world, "sidecar", leases=leases)
    stock = Side(world, "stock")
    sides = [product, sidecar, stock]
    for side in sides:
        side.wait_ready()
    for side in sides:
        side.round("closed", WARM_UP, PAUSE_US)
    plain = plain_rounds(sides, options.rounds, options.round, progress)
    product.lldpad.set("p1", "fast=no", "hold=0")
    slow = plain_rounds(sides, options.rounds, options.round, progress,
                        "VDP response, fast=no hold=0")
    product.lldpad.set("p1", "fast=yes", "hold=10")
    kept = keepalive_rows(sides, options.blocks + 1, options.round, progress)

    sidecar.sidecar_start()
    for side in (product, sidecar):
        side.round("open", WARM_UP, APART_US, STATUS_M, FIRST_M)
    found = migrated_blocks([product, sidecar], options.blocks, options.block, progress)
    committed = sidecar.sidecar_stop()
    progress()
    rows = answer_rows(plain, slow, found) + kept + holds.rows("1 port", product.show)
    rows += holds.undisturbed(product, lambda: plain_rounds(
        [product], options.blocks, options.round, progress, "hold of lldpad's loop"))
    progress()
    each = options.rounds * options.round
    print_lost("plain", {name: each - sum(len(x[1]) for x in rounds)
                         for name, rounds in plain.items()})
    print_lost("migrating", {name: sum(x[3] < 0 for x in sum(blocks, []))
                             for name, blocks in found.items()})
    return rows + binding_rows(found, committed)


def print_lost(what, lost):
    """Stock lldpad has one buffer for what comes in, and loses a request now and then
    where it was late with the one before."""
    if any(lost.values()):
        print(f"{what} associates that lldpad has not answered: "
              + ", ".join(f"{n} on {name}" for name, n in lost.items()))


def main():
    parser = argparse.ArgumentParser(prog="test/bench/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="of plain associates")
    parser.add_argument("--round", type=int, default=25, help="VSIs in one")
    parser.add_argument("--blocks", type=int, default=20, help="of migrated VSIs")
    parser.add_argument("--block", type=int, default=50, help="VSIs in one")
    parser.add_argument("--streams", type=int, default=20,
                        help="migrations with a stream of each kind")
    parser.add_argument("--storms", type=int, default=4, help="of 960 VSIs")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start = time.monotonic()
    print(f"{machine()}; lldpad {lldpad_version()}")
    print(f"{options.rounds} rounds of {options.round} VSIs on each of three switches, "
          f"then {options.blocks} blocks of {options.block} on two")
    with World() as world:
        rows = measure(world, options, Progress())
    with World() as world:
        rows += storm_rows(world, options.storms, Progress())
    with World() as world:
        rows += scale_rows(world, options, Progress())
    rows += stream_rows(options.streams, Progress())
    with World() as world:
        rows += evacuated.rows(world, Progress())
    print_table(rows)
    print(f"at the end: {machine().rsplit(', ', 1)[1]}; "
          f"{time.monotonic() - start:.0f} s in all")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
