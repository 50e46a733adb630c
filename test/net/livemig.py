# SPDX-License-Identifier: GPL-2.0-only
"""
The measurement behind test/livemig: one VM in a QEMU goes back and forth between two
servers, followed by `vdp-migrate qemu` at both ends, while two streams of a packet a
millisecond go to it and are sent back (live.py). A row of the table is a set of settings.

The guest does not announce itself (guest_announce=off): with it a Linux guest renews its
groups by itself, and nothing would be shown. A guest under TCG may be deaf after a
migration, or have crashed, without anybody's doing: it sends nothing at all, which is
seen at its tap; that migration does not count. (What did it most is avoided: live.py,
MEMORY.)
"""
import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import built    # noqa: E402
from live import RECENT, SETTLE, LiveLab, LiveVm, Stream    # noqa: E402
from netns import CommandFailed, wait_for    # noqa: E402
from product import PROGRAMS    # noqa: E402
from progress import Progress    # noqa: E402

LONG_RUNS, SHORT_RUNS = 10, 3
DEAD_AFTER = 3.0        # s; what is not back by then counts as not back
GAP_RATIO = 1.15        # of the medians, with us and without a guard
LOST_MAX = 2            # of the median, where the old port is ours too
MORE_ROUNDS = 2
DEAF_MAX = 4            # in a row
DEAF_FRAMES = 15        # from its tap: QEMU's own RARPs are 5
PACE = {False: {"max-bandwidth": 4 << 30, "downtime-limit": 100},
        True: {"max-bandwidth": 12 << 20, "downtime-limit": 100}}
AT_TAP = "/sys/class/net/v0/statistics/rx_packets"


@dataclasses.dataclass
class Row:
    name: str
    ours: bool = True       # the guard enforces, at the destination at least
    settings: tuple = ()
    known: bool = False     # both ports are ours: the VM comes from our own other port
    snooping: bool = False  # the switch sends a group's packets to its members alone
    slow: bool = False      # memory is copied for 5 s and more
    bridged: bool = False   # at the servers, too, there is a bridge
    told: bool = False      # the mark tells the destination the VM's lease
    helps: bool = True      # the VM must be back, without a frame dropped
    origin: str = None      # of the binding
    needs: str = ""         # a word of the companion's help that such a product has


ROWS = (
    Row("no guard", ours=False),
    Row("with us: leasequery", settings=("assist=leasequery", "groups=off"),
        origin="leasequery"),
    Row("with us: help", settings=("assist=help", "groups=off"), told=True,
        needs="no-client-id"),
    Row("with us: group known", settings=("assist=leasequery", "groups=both"), known=True,
        snooping=True, needs="suspend"),
    Row("with us: group by query", settings=("assist=leasequery", "groups=both"),
        snooping=True, needs="suspend"),
    Row("guard without us", settings=("assist=off", "groups=off"), snooping=True,
        helps=False),
    Row("slow: no guard", ours=False, slow=True),
    # Neither guard nor product, where the switch prunes: the group is away.
    Row("slow: no product", ours=False, snooping=True, slow=True, helps=False),
    Row("slow: with us", settings=("assist=leasequery", "groups=both"), known=True,
        snooping=True, slow=True, needs="suspend"),
    Row("slow: with us on bridges", settings=("assist=leasequery", "groups=both"),
        known=True, snooping=True, slow=True, bridged=True, needs="suspend"),
)


class Deaf(Exception):
    pass


class Measurement:
    def __init__(self, options, bridged=False):
        self.options, self.failures, self.progress = options, [], Progress()
        self.progress("servers and switch start")
        self.lab = LiveLab(bridged)
        self.lab.lldpad["sw"].set("p1", "use=no")
        self.lab.lldpad["sw"].set("p2", "use=no")
        self.vm, self.stream = LiveVm(self.lab, options.kernel, options.initrd), None
        self.deaf = 0

    def begin(self):
        """The VM runs where nothing is ours yet."""
        self.progress("the VM boots")
        self.vm.boot("h1")
        self.stream = self.stream or Stream(self.lab, self.options.stream, self.vm.ip)
        self._wait_well("after its start")

    def end(self):
        if self.stream:
            self.stream.stop()
        self.lab.end()

    def _wait_well(self, when):
        try:
            wait_for("", lambda: self.stream.lately() == (0, 0), 15.0, 0.1)
        except TimeoutError:
            raise CommandFailed(f"the VM does not answer {when}: lost of {RECENT} "
                                f"{self.stream.lately()}") from None

    def measure(self, row):
        """The row's runs: what each lost."""
        runs = []
        self.lab.snoop(row.snooping)
        while len(runs) < self.options.runs:
            self.progress(f"{row.name}: migration {len(runs) + 1} of {self.options.runs}")
            try:
                self.prepare(row)
                runs.append(self.migrate(row))
                self._judge(row, runs[-1])
                self.progress()
                if self.options.verbose:
                    print(row.name, runs[-1], file=sys.stderr)
            except Deaf:
                self.again(row)
        self.progress()
        return runs

    def prepare(self, row):
        """Source and destination as the row wants them; the VM is well at the source. If
        it is to be known there, a migration that does not count gets it its binding."""
        source, target = self.ports()
        if not row.known:
            self.lab.set_port(source, row, False)
            self.lab.forget_all()
        self.lab.set_port(target, row, row.ours)
        if row.known:
            self.lab.set_port(source, row, True)
            if source not in self.lab.in_kernel(self.vm):
                self.migrate(row)
                source, target = target, source
        if row.snooping and self.stream.lately()[1]:
            self.lab.ask_groups()
        try:
            self._wait_well(f"before it migrates ({row.name})")
        except CommandFailed as e:
            raise Deaf from e
        self.lab.leave_group(target)

    def ports(self):
        here = self.lab.port_of[self.vm.at]
        return here, "p1" if here == "p2" else "p2"

    def migrate(self, row, timeline=None):
        """What it cost. timeline: sees it, and is ended."""
        vm, lab = self.vm, self.lab
        port = self.ports()[1]
        target = "h1" if port == "p1" else "h2"
        path = os.path.join(lab.world.dir, "migration")
        if row.told:
            lab.cli(target, "mark", vm.uuid, "--mac", vm.mac, "--ip", vm.ip, "--client-id",
                    "01" + vm.mac.replace(":", ""))
        old, old_follower = vm.qemu, vm.follower
        past = len(old.times())
        dropped = lab.dropped(port)
        new = vm.start(target, path)
        follower = vm.follow(target, new)
        follower.wait_line("vsi .*: pre-associate")
        self._await_binding(row, port)
        lab.wait_tap(target)
        first, frames = self.stream.now(), self._from_tap(target)
        old.command("migrate-set-parameters", **PACE[row.slow])
        old.migrate(path)
        wait_for("the VM to run again", lambda: new.when("RESUME"), 20.0, 0.005)
        vm.qemu, vm.follower, vm.at = new, follower, target
        back = self._await_back(self.stream.now())
        end = self.stream.now() - SETTLE
        said = self.stream.report(first, end)
        sends = self._from_tap(target) - frames
        stopped, happened = old.when("STOP"), old.times()[past:]
        old.stop()
        wait_for("the source's follower to end", lambda: not old_follower.alive)
        dropped = lab.dropped(port) - dropped
        if timeline:
            timeline.end(happened, new.times() if new.process.alive else [])
        if sends < DEAF_FRAMES and not back:
            raise Deaf
        self.deaf = 0
        return {"dropped": dropped, "back": back, **{
            f"{stream}_{what}": said[stream][what]
            for stream in ("unicast", "multicast") for what in ("lost", "twice", "gap")},
            "stopped": (new.when("RESUME") - stopped) * 1000,
            "origin": next((b["origin"] for b in lab.bindings(vm).values()
                            if b["port"] == port), None)}

    def _await_binding(self, row, port):
        """As long as memory is being copied: the switch has the time of it."""
        if row.ours and row.helps:
            try:
                wait_for("", lambda: port in self.lab.in_kernel(self.vm), 3.0)
            except TimeoutError:
                self.failures.append(f"{row.name}: no binding 3 s after pre-associate")

    def _await_back(self, first):
        """Both streams are whole again, from a packet after this one on, in time."""
        try:
            wait_for("", lambda: self.stream.now() > first + RECENT + SETTLE
                     and self.stream.lately() == (0, 0), DEAD_AFTER, 0.05)
        except TimeoutError:
            return False
        return True

    def _from_tap(self, server):
        return int(self.lab.space[server].run("cat", AT_TAP))

    def again(self, row):
        """The guest is deaf: another one, where this one is."""
        self.deaf += 1
        self.progress()
        what = "deaf" if self.vm.qemu.process.alive else "crashed"
        print(f"{row.name}: a {what} guest, started afresh", file=sys.stderr)
        if self.deaf > DEAF_MAX:
            raise CommandFailed(f"{row.name}: the guest is deaf again and again")
        for port in ("p1", "p2"):
            self.lab.set_port(port, row, False)
        where = self.vm.at
        self.vm.end()
        self.vm.boot(where)
        self._wait_well("after its start")

    def _judge(self, row, run):
        if not row.helps:
            if run["back"]:
                self.failures.append(f"{row.name}: back within {DEAD_AFTER:.0f} s")
            return
        if not run["back"]:
            self.failures.append(f"{row.name}: not back within {DEAD_AFTER:.0f} s")
        if row.ours and run["dropped"]:
            self.failures.append(f"{row.name}: the guard has dropped {run['dropped']}")
        if row.known and not self.options.short and (run["unicast_twice"]
                                                     or run["multicast_twice"]):
            self.failures.append(f"{row.name}: packets came twice")
        if row.origin and run["origin"] != row.origin:
            self.failures.append(f"{row.name}: bound by {run['origin']}")


def spread(runs, key, digits=0):
    values = [r[key] for r in runs]
    return " / ".join(f"{x:.{digits}f}" for x in (
        min(values), statistics.median(values), max(values)))


COLUMNS = (("dropped", "dropped", 0), ("lost", "unicast_lost", 0),
           ("twice", "unicast_twice", 0), ("gap ms", "unicast_gap", 0),
           ("lost", "multicast_lost", 0), ("twice", "multicast_twice", 0),
           ("gap ms", "multicast_gap", 0))


def line(*cells):
    return "  ".join((f"{cells[0]:<24}", *(f"{x:>15}" for x in cells[1:]))).rstrip()


def print_head(runs):
    print(f"{runs} migrations a row; min / median / max")
    print(line("", "guard", *("unicast",) * 3, *("multicast",) * 3))
    print(line("", *(title for title, _, _ in COLUMNS)), flush=True)


def print_row(row, runs):
    """The gap of what did not come back has no length."""
    back = all(r["back"] for r in runs)
    print(line(row.name, *("no end" if not back and key.endswith("_gap")
                           else spread(runs, key, digits)
                           for _, key, digits in COLUMNS)), flush=True)


def can(row):
    """The product that was built has what the row needs."""
    said = subprocess.run((built("vdp-migrate"), "help"), check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return row.needs in said


def main():
    parser = argparse.ArgumentParser(prog="test/livemig")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--rows")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    for name in ("--kernel", "--initrd", "--stream"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    options.runs = options.runs or (SHORT_RUNS if options.short else LONG_RUNS)
    if options.list:
        print("\n".join(row.name for row in ROWS))
        return 0
    missing = [n for n in PROGRAMS if not built(n)]
    if missing:
        print(f"not built: {', '.join(missing)}", file=sys.stderr)
        return 2
    wanted = options.rows.split(",") if options.rows else [row.name for row in ROWS]
    return run_all([row for row in ROWS if row.name in wanted
                    and not (options.short and not options.rows and row.slow)], options)


def run_all(rows, options):
    since, failures = time.monotonic(), []
    print_head(options.runs)
    for bridged in False, True:
        some = [row for row in rows if row.bridged == bridged]
        if some:
            failures += run_some(some, options, bridged)
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"{'FAILED' if failures else 'passed'}, {time.monotonic() - since:.0f} s")
    return 1 if failures else 0


def run_some(rows, options, bridged):
    """In one lab; what has failed."""
    runs, measurement = {}, Measurement(options, bridged)
    failures = measurement.failures
    try:
        measurement.begin()
        measurement.progress()
        for row in rows:
            if not can(row):
                print(f"{row.name:<24}  not in this build")
                continue
            runs[row.name] = measurement.measure(row)
            print_row(row, runs[row.name])
        if not options.short:
            judge_gaps(measurement, rows, runs)
            judge_lost(measurement, rows, runs)
    except (CommandFailed, TimeoutError) as e:
        failures.append(str(e))
        if options.verbose:
            raise
    finally:
        measurement.progress()
        measurement.end()
    return failures


def judge_gaps(measurement, rows, runs):
    """By the medians; before a row is condemned by chance both are measured more often."""
    plain = next((row for row in rows if not row.ours and not row.slow), None)
    for row in rows:
        if not plain or not (row.ours and row.helps and row.name in runs) or row.slow:
            continue
        for _ in range(MORE_ROUNDS):
            if ratio(runs, row, plain) > GAP_RATIO:
                for one in row, plain:
                    runs[one.name] += measurement.measure(one)
        found = ratio(runs, row, plain)
        print(f"{row.name:<24}  median gap {found:.2f} of no guard's "
              f"({len(runs[row.name])} runs)")
        if found > GAP_RATIO:
            measurement.failures.append(f"{row.name}: median gap {found:.2f} of no guard's")


def judge_lost(measurement, rows, runs):
    """Where the switch knows the VM, it turns its streams when it has stopped: what is
    lost is what comes until that is known. By the medians: the machine may be busy."""
    for row in rows:
        if not (row.known and row.name in runs):
            continue
        for stream in "unicast", "multicast":
            lost = statistics.median(r[f"{stream}_lost"] for r in runs[row.name])
            if lost > LOST_MAX:
                measurement.failures.append(
                    f"{row.name}: {lost:.0f} packets lost, {stream}, in the median")


def ratio(runs, row, plain):
    ours, theirs = (statistics.median(r["unicast_gap"] for r in runs[x.name])
                    for x in (row, plain))
    return ours / theirs


if __name__ == "__main__":
    sys.exit(main())
