# SPDX-License-Identifier: GPL-2.0-only
"""
How long the module has kept lldpad's loop, turn by turn, as it says itself (vdp-migrate
show counters, loop_...): README says what counts. The histogram has bounds: what is
known of the p99 is the bound below which it is.
"""
import os

from netns import wait_for

P99_AIM_US, MAX_AIM_US = 50, 1000


class Hold:
    """A line of the table."""

    def __init__(self, what, text, turns="", aim=None, met=True):
        self.what, self.text, self.turns = what, text, turns
        self.aim, self.met = aim, met

    def cells(self):
        aim = f"<= {self.aim} us" if self.aim else ""
        return (self.what, self.text, "", "", self.turns, aim,
                ("", "met" if self.met else "MISSED")[self.aim is not None])


def rows(where, show):
    """show(table): its rows."""
    found = _counters(show)
    longest = found["loop_hold_us_max"]
    return [_p99(f"hold of lldpad's loop, {where}: p99", found),
            Hold("  max", f"{longest} us", "", MAX_AIM_US, longest <= MAX_AIM_US),
            Hold("  max at attach; at a set", f"{found['loop_hold_us_max_at_attach']} us; "
                 f"{found['loop_hold_us_max_at_a_set']} us")]


def undisturbed(side, work):
    """While work() runs nobody takes the CPU from lldpad: the engine, which it wakes, is
    as urgent as itself, all others are less. Maxima cannot be told for a part."""
    pids = side.lldpad.process.pid, side.engine.pid
    before = _counters(side.show)
    for pid in pids:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
    work()
    for pid in pids:
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    after = _counters(side.show)
    return [_p99("  where the engine does not push lldpad aside: p99",
                 {name: n - before.get(name, 0) for name, n in after.items()})]


def _p99(what, found):
    turns = found["loop_holds"]
    within = sorted((int(name.split("_")[3]), n) for name, n in found.items()
                    if name.startswith("loop_holds_within_"))
    p99 = next((us for us, n in within if n >= 0.99 * turns), None)
    return Hold(what, f"<= {p99} us" if p99 else f"> {within[-1][0]} us",
                f"{turns} turns", P99_AIM_US, p99 is not None and p99 <= P99_AIM_US)


def _counters(show):
    """The module tells them once a second: after one of which we have not seen a part."""
    def read():
        return {row["counter"]: int(row["value"]) for row in show("counters")}

    for _ in range(2):
        before = read().get("loop_holds")
        wait_for("the module to tell its counters",
                 lambda b=before: read().get("loop_holds") != b, 10.0, 0.1)
    return read()
