# SPDX-License-Identifier: GPL-2.0-only
"""
The measurements and their table; README says what each figure means. Three switches
stand side by side: with the product, stock with the bare sidecar, stock. What is
compared takes turns, round by round, in a changing order.
"""
import argparse
import signal
import statistics
import sys
import time

from side import STATUS_M, Side, lldpad_version, machine
from netns import World

FIRST_M = 100000        # VSIs that migrate, and have a lease
FEW, MANY = 1000, 99999 # bindings of other VMs: below FIRST_M
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


class Progress:
    """What is being done, on a terminal only."""

    def __init__(self):
        self.on = sys.stderr.isatty()

    def __call__(self, text=""):
        if self.on:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def plain_rounds(sides, rounds, count, progress):
    """Associates without the M-bit. side's name -> per round (acks, responses)."""
    found = {side.name: [] for side in sides}
    for i in range(rounds):
        progress(f"VDP response: round {i + 1} of {rounds}")
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
    rows = [row, bare]
    for name, aim in (("product", 0.99), ("sidecar", 0)):
        lines = sum(found[name], [])
        before = sum(0 < x[4] and (x[4] < x[3] or x[3] < 0) for x in lines)
        rows.append(Share(f"bound before the response, {name}", before, len(lines), aim))
    return rows


def scale_rows(world, options, progress):
    """The product with few and with many bindings in its store and in the kernel."""
    progress("two engines start with what their stores hold")
    leases = range(FIRST_M, FIRST_M + WARM_UP + options.blocks * options.block)
    few, many = (Side(world, name, product=True, leases=leases, bindings=n)
                 for name, n in (("few", FEW), ("many", MANY)))
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

    sidecar.sidecar_start()
    for side in (product, sidecar):
        side.round("open", WARM_UP, APART_US, STATUS_M, FIRST_M)
    found = migrated_blocks([product, sidecar], options.blocks, options.block, progress)
    committed = sidecar.sidecar_stop()
    progress()
    rows = []
    for which, what, aim in ((1, "VDP response", 1.01), (0, "ECP acknowledgement", 1.05)):
        rows.append(compare(f"{what}, module : stock", plain, "product",
                            ["sidecar", "stock"], which, aim))
        rows.append(compare("  null test, stock : stock", plain, "stock",
                            ["sidecar"], which))
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
    parser.add_argument("--rounds", type=int, default=120, help="of plain associates")
    parser.add_argument("--round", type=int, default=25, help="VSIs in one")
    parser.add_argument("--blocks", type=int, default=20, help="of migrated VSIs")
    parser.add_argument("--block", type=int, default=50, help="VSIs in one")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start = time.monotonic()
    print(f"{machine()}; lldpad {lldpad_version()}")
    print(f"{options.rounds} rounds of {options.round} VSIs on each of three switches, "
          f"then {options.blocks} blocks of {options.block} on two")
    with World() as world:
        rows = measure(world, options, Progress())
    with World() as world:
        rows += scale_rows(world, options, Progress())
    print_table(rows)
    print(f"at the end: {machine().rsplit(', ', 1)[1]}; "
          f"{time.monotonic() - start:.0f} s in all")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
