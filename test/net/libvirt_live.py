# SPDX-License-Identifier: GPL-2.0-only
"""
What test/libvirt does: a VM goes back and forth between two libvirtds (libvirtds.py) by
`virsh migrate --live`. First a table of migrations, of which it says:

  M        pre-associates and the associate carried it: libvirt's own messages do not
  staged   the binding was in the kernel so long before the associate
  answer   of the switch to the associate, so long after it. libvirt does not wait for it:
           lldpad tells it what was answered to the pre-associate. So nothing but what
           was staged before is there in time
  resume   QEMU's first RARP, which tells that the VM runs: so long after the answer
  S        the source has said that the VM stopped there, by the agent; so long before it

Every other migration the switch has forgotten the VM's address, and nobody but the hook
at the destination can tell it: it has the lease from the domain's metadata, the module
answers the switch's call for help with it. In the others the switch knows it itself.
What arrives while the VM is stopped is lost, S or not: libvirt sets a macvtap up only
when the VM goes on, so nothing can wait in its queue. Losses are shown and not judged.
Then the cases of libvirt_cases.py.
"""
import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import built    # noqa: E402
from libvirt_cases import CASES, run_case    # noqa: E402
from libvirt_trial import Deaf, Trial    # noqa: E402
from libvirtds import SERVERS, LibvirtLab    # noqa: E402
from netns import CommandFailed    # noqa: E402
from product import PROGRAMS    # noqa: E402
from progress import Progress    # noqa: E402

TABLE = "table"
LINE = ("{run:>3}  {way:<8}  {m:<14}  {lease:<11}  {origin:<8}  {staged:>7}  {answer:>6}"
        "  {resume:>6}  {s:>5}  {dropped:>7}  {lost:>9}  {took:>5}")


def print_head():
    print(LINE.format(run="run", way="from to", m="M", lease="in the mark",
                      origin="binding", staged="staged", answer="answer", resume="resume",
                      s="S", dropped="dropped", lost="lost", took="took"))
    print(LINE.format(run="", way="", m="PRE/ASSOC", lease="by metadata", origin="",
                      staged="ms", answer="ms", resume="ms", s="ms", dropped="",
                      lost="uni/multi", took="s"), flush=True)


def print_run(run, seen):
    one, = seen.nics

    def ms(a, b):
        return f"{(b - a) * 1000:.1f}" if a and b else "-"
    print(LINE.format(
        run=run, way=seen.way, m="/".join(f"{x:02x}" for x in sorted(one.pre))
        + f" {one.assoc:02x}", lease=one.marked or "none", origin=one.origin or "none",
        staged=ms(one.staged, one.asked), answer=ms(one.asked, one.answered),
        resume=ms(one.answered, one.resumed), s=ms(one.suspended, one.resumed),
        dropped=seen.dropped, lost=seen.lost, took=f"{seen.took:.1f}"), flush=True)


def table(trial, runs):
    """What was wrong."""
    failures = []
    print_head()
    for run in range(1, runs + 1):
        trial.progress(f"run {run} of {runs}")
        seen = trial.well(lambda r=run: trial.migrate(r % 2 == 1))
        trial.progress()
        print_run(run, seen)
        failures += [f"run {run}: {what}" for what in trial.wrong(seen)]
    return failures


def run_all(options):
    """What was wrong."""
    progress, failures = Progress(), []
    progress("switch, servers and libvirtds start")
    lab = LibvirtLab(f"{options.image}/later.so")
    trial = Trial(lab, options, progress)
    try:
        trial.boot()
        for name in options.only:
            failures += (table(trial, options.runs) if name == TABLE
                         else run_case(name, trial))
        took = [ms for s in SERVERS for ms in lab.libvirtd[s].hook_ms()]
        print(f"the hook took at most {max(took):.0f} ms of {len(took)} migrations")
    except (CommandFailed, TimeoutError, Deaf) as e:
        failures.append(str(e))
        if options.verbose:
            raise
    finally:
        progress()
        lab.end()
    return failures


def main():
    parser = argparse.ArgumentParser(prog="test/libvirt")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--only", type=lambda x: x.split(","))
    parser.add_argument("--verbose", action="store_true", help="the whole of an error")
    parser.add_argument("--image", required=True)
    options = parser.parse_args()
    known = [TABLE, *CASES]
    options.only = [x for x in known if x in (options.only or known)]
    missing = [n for n in PROGRAMS if not built(n)]
    if missing or not options.only:
        print(f"not built: {', '.join(missing)}" if missing else
              f"--only: {','.join(known)}", file=sys.stderr)
        return 2
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    since = time.monotonic()
    failures = run_all(options)
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"{'FAILED' if failures else 'passed'}, {time.monotonic() - since:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
