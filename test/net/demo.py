# SPDX-License-Identifier: GPL-2.0-only
"""
The demo: a VM that listens to a stream migrates under enforced guard, with us and
without us, told step by step. Everything in it is real but the VM's memory: stock
lldpads, a Linux bridge that prunes, ISC dhcpd, nftables. Ends with status 0 only if what
it says is what happened.
"""
import os
import signal
import sys
import time

import frames
import product
import stream_lab
from lab import DHCP, LLDPAD, SWITCH
from netns import CommandFailed, run, wait_for

WATCH = 3.0     # seconds that the VM is watched at its new place
PACE = 0.01     # it sends a ping each so many
GROUP = "239.1.2.3"
QUERIER = 125   # s: how often a Linux bridge asks by default

SYSTEM = f"""
    server h1                switch (Linux bridge br0, {SWITCH})
    VM --- lldpad === p1 --- lldpad + vdp_migrate --- p3 --- DHCP server {DHCP}
                             vdp-migrated
    server h2         |      guard: nftables     p4 --- sends to {GROUP}
    VM?--- lldpad === p2 ----+
"""


class Story:
    """What is said, and whether all that was said to happen did."""

    def __init__(self):
        self.began, self.number, self.good = time.monotonic(), 0, True

    def step(self, text):
        self.number += 1
        print(f"\n{self.number}. {text}")

    def say(self, *lines):
        for line in lines:
            print(f"   {line}", flush=True)

    def show(self, text):
        self.say(*("    " + line for line in text.rstrip().splitlines()))

    def check(self, true, claim, otherwise):
        """Say the claim if it is true, else what is wrong."""
        self.good = self.good and bool(true)
        self.say(claim if true else f"WRONG: {otherwise}")


def timeline(story, lab, wire, queries, paused, resumed):
    """When which frame passed, from the pre-associate on, each kind once."""
    vdp = {(1, 0x10): "pre-associate with M-bit   h2 -> switch",
           (1, 0x40): "its answer                 switch -> h2",
           (3, 0x10): "associate with M-bit       h2 -> switch",
           (3, 0x40): "its answer                 switch -> h2"}
    dhcp = {frames.LEASEQUERY: "DHCPLEASEQUERY             switch -> DHCP server",
            frames.LEASEACTIVE: "DHCPLEASEACTIVE            DHCP server -> switch"}
    seen = [(t, vdp.pop((mode, status), None)) for t, frame in wire.stop().stamped()
            for mode, status, _ in frames.vdp_tlvs([frame])]
    asked = [(t, frames.dhcp_kind(frame[42:])) for t, frame in queries.stop().stamped()]
    seen += [(t, dhcp.pop(kind, None)) for t, kind in asked]
    seen += [(paused, "the VM is paused at h1"), (resumed, "the VM resumes at h2")]
    seen = sorted(x for x in seen if x[1])
    for t, name in seen:
        story.say(f"{(t - seen[0][0]) * 1000:9.1f} ms  {name}")
    story.check(not vdp and not dhcp, "The M-bit was on the wire, and the server was "
                "asked before the VM came.", f"not seen: {[*vdp.values(), *dhcp.values()]}")
    return len([kind for _, kind in asked if kind == frames.LEASEQUERY])


def watched(story, lab, ping, port, first, before, heard=None):
    """The VM at its new place for a while: the figures of the table. heard: the stream
    and its listener."""
    end, packet = ping.sent.get(first, time.monotonic()) + WATCH, heard and heard[0].sent + 1
    wait_for("the time to pass", lambda: time.monotonic() > end, WATCH + 5, 0.05)
    until, last = ping.next(), heard and heard[0].sent
    ping.stop()
    answer = ping.first_reply_ms(first)
    figures = {
        "sent": until - first,
        "answered": len([n for n in ping.replies(first) if n < until]),
        "dropped": lab.dropped(port) - before,
        "first answer": "never" if answer is None else f"{answer:.1f} ms",
    }
    story.say(f"{figures['sent']} packets in {WATCH:.0f} s, {figures['answered']} "
              f"answered, {figures['dropped']} dropped by the guard")
    if heard:
        figures["stream"] = last - packet
        figures["heard"] = len([n for n in heard[1].heard(packet) if n < last])
        story.say(f"{figures['heard']} of {figures['stream']} packets of the stream have "
                  "reached it")
    return figures


def begin(story):
    version = run("dpkg-query", "-W", "-f", "${Version}", "lldpad")
    print("A VM that migrates keeps its address and its multicast groups, at once: a "
          "demonstration.\n" + SYSTEM)
    story.step("Servers, switch and DHCP server start, each in a network namespace.")
    story.say(f"On all three the distribution's own {LLDPAD}, unpatched",
              f"({version}), with our module preloaded; beside it",
              "our engine, vdp-migrated.")
    stream_lab.StreamLab.asks_every = QUERIER
    lab = stream_lab.StreamLab()
    story.say("They have found each other by LLDP; VDP is ready between them.",
              "The bridge prunes: no stream goes where nobody has joined.",
              f"It asks every {QUERIER} s who has.")
    return lab


def start_vm(story, lab, vm):
    story.step("The switch guards p1 and p2: only addresses known to be there may send.")
    story.show(lab.cli("sw", "show", "ports"))
    false = "10.9.0.66"
    vm.run_at("h1", address=False)
    vm.space.ip(f"addr add {false}/24 dev eth0",
                f"neigh replace {DHCP} lladdr {lab.dhcp_mac} dev eth0")
    ping = vm.ping(every=PACE)
    wait_for("the guard to drop", lambda: lab.dropped("p1") >= 20)
    ping.stop()
    story.check(not ping.replies(), f"A made-up address ({false}) at p1: "
                f"{len(ping.sent)} pings, none answered. The guard works.",
                "a made-up address passes the guard")
    vm.stop()
    vm.space.ip("addr flush dev eth0")

    story.step("A VM starts at h1: lldpad announces it by VDP, it gets a lease by DHCP.")
    lab.born(vm)
    story.say(f"MAC {vm.mac}, address {vm.ip}, VSI {vm.uuid}.",
              "The switch has seen the DHCPACK pass and lets this address send from p1:")
    story.show(lab.cli("sw", "show", "bindings"))
    ping = vm.ping(every=PACE)
    wait_for("pings", lambda: len(ping.replies()) >= 50)
    ping.stop()
    story.check(not ping.lost(until=max(ping.replies())),
                f"It pings {DHCP}: {len(ping.replies())} packets, all answered.",
                f"{len(ping.lost())} of its packets are lost before it has moved")
    listener = vm.join(GROUP)
    story.say(f"It joins the group {GROUP}, to which somebody at p4 sends:")
    story.show(lab.cli("sw", "show", "groups"))
    return listener


def with_us(story, lab, vm, stream, listener):
    story.step("It migrates to h2, live. h2 is told so: vdp-migrate mark VSI --mac MAC")
    wire = lab.sw.capture("p2", "ether proto 0x8940")
    queries = lab.sw.capture("p3", "udp port 67")
    before = lab.dropped("p2")
    lab.announce(vm, "h2")
    lab.wait_states(vm, p1="active", p2="staged")
    story.say("h2 pre-associates it with the M-bit while it still runs at h1. The switch",
              "reads the bit, asks the DHCP server, and is ready before the VM comes:")
    story.show(lab.cli("sw", "show", "bindings"))
    ping, paused = vm.ping(every=PACE), time.time()
    first, resumed = moves(vm, ping, "h2")
    story.say("Now the VM is paused, associated at h2, and resumes there:")
    figures = watched(story, lab, ping, "p2", first, before, (stream, listener))
    figures["queries"] = timeline(story, lab, wire, queries, paused, resumed)
    story.check(figures["answered"] >= figures["sent"] - 1 and first in ping.got
                and figures["dropped"] == 0,
                f"Its first packet at h2 passed, answered after "
                f"{figures['first answer']}.",
                "the VM has lost packets at its new place")
    story.check(figures["heard"] >= figures["stream"] - 1,
                "The stream has followed it: the switch knew its groups.",
                "the stream has not followed it")
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    # Whoever else is behind p1 is asked first whether he wants it.
    lab.wait_mdb("p1", GROUP, there=False)
    story.say("h1 de-associates it; the address may no longer send from there:")
    story.show(lab.cli("sw", "show", "bindings"))
    return figures


def moves(vm, ping, server):
    """Paused, associated there, resumed: its first packet there, and when that was."""
    ping.held = True
    vm.stop()
    vm.vdp(server, "assoc")
    resumed = time.time()
    vm.resume(server)
    first, ping.held = ping.next(), False
    wait_for("the VM to send at its new place", lambda: first in ping.sent)
    return first, resumed


def without_us(story, lab, vm, stream, listener):
    story.step("It migrates back to h1, and we are switched off there: no mark.")
    story.show("lldptool -T -i p1 -g ncb -V 0x02564d01 assist=off groups=off")
    lab.lldpad["sw"].set("p1", "assist=off", "groups=off")
    before, asked = lab.dropped("p1"), lab.counter("leasequery_sent")
    vm.vdp("h1", "preassoc")
    ping = vm.ping(every=PACE)
    first, _ = moves(vm, ping, "h1")
    story.say("The same VM, the same move, the same VDP messages but for the M-bit:")
    figures = watched(story, lab, ping, "p1", first, before, (stream, listener))
    figures["queries"] = lab.counter("leasequery_sent") - asked
    story.check(figures["answered"] == 0 and figures["dropped"] > figures["sent"] / 2,
                "Nothing of what it sends gets through.", "the VM lives without us")
    story.check(vm.dhcp() == vm.ip, "Only when it renews its lease, by itself, after "
                f"half of it ({lab.lease // 120} min here,", "it gets no lease")
    story.say("hours as a rule), would it be back. We have it renew now:")
    lab.wait_states(vm, p1="active", p2="leaving")
    ping = vm.ping(every=PACE)
    wait_for("the VM to be back", ping.replies)
    ping.stop()
    story.say("it is back.")
    story.check(figures["heard"] == 0, "No packet of the stream has come either: the "
                f"bridge asks every {QUERIER} s. We have it ask",
                "the stream has come without us")
    lab.ask_every(QUERIER)
    lab.wait_mdb("p1", GROUP)
    lab.wait_pruning()
    packet = stream.sent
    wait_for("the stream to be back", lambda: listener.heard(packet))
    story.say("now: the VM has answered, the stream is back.")
    return figures


def table(with_figures, without_figures, lease):
    rows = [("", "with us", "without us"),
            ("VM packets sent at the new port, first 3 s", "sent", None),
            ("answered", "answered", None),
            ("dropped by the guard", "dropped", None),
            ("time to the first answer", "first answer", None),
            ("DHCPLEASEQUERYs sent by the switch", "queries", None),
            (f"packets to {GROUP} in that time", "stream", None),
            ("of them, heard by the VM", "heard", None)]
    print()
    for name, key, third in rows:
        cells = (key, third) if third else (with_figures[key], without_figures[key])
        print(f"   {name:<44}{cells[0]!s:>12}{cells[1]!s:>14}")
    print(f"   {'until it lives again by itself':<44}{'at once':>12}"
          f"{f'up to {lease // 120} min':>14}")
    print(f"   {'until it hears the stream again':<44}{'at once':>12}"
          f"{f'up to {QUERIER} s':>14}")


def tell(story):
    with begin(story) as lab:
        vm = stream_lab.Guest(lab)
        with lab.stream(GROUP) as stream:
            listener = start_vm(story, lab, vm)
            good = with_us(story, lab, vm, stream, listener)
            bad = without_us(story, lab, vm, stream, listener)
        table(good, bad, lab.lease)


def main(what=tell):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    story = Story()
    if os.geteuid() != 0:
        sys.exit("The demo makes network namespaces: run it as root (sudo test/demo)")
    missing = [n for n in product.PROGRAMS if not product.built(n)]
    if missing:
        sys.exit(f"Not built: {', '.join(missing)}")
    try:
        what(story)
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; all namespaces are removed again.")
    except (TimeoutError, CommandFailed, AssertionError) as e:
        story.check(False, "", e)
    seconds = time.monotonic() - story.began
    print(f"\n{'It worked' if story.good else 'IT DID NOT WORK'} ({seconds:.0f} s; all "
          "namespaces are removed again).")
    sys.exit(0 if story.good else 1)


if __name__ == "__main__":
    main()
