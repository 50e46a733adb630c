# SPDX-License-Identifier: GPL-2.0-only
"""
The demo's other story: the DHCP server answers no leasequery, so the switch asks the
server that the VM arrives on (help request). p1 is not ours, as if it belonged to
another switch: nothing is known of the VM at p2 but by help.
"""
import demo
import frames
import product
from demo import PACE, SYSTEM, watched
from helping import Quiet, client_id, dhcp, help_requests
from lab import DHCP
from netns import wait_for

REQUEST, ACK = 3, 5


def begin(story):
    print("A VM that migrates keeps its address, without leasequery: a demonstration.\n"
          + SYSTEM)
    story.step("Servers, switch and DHCP server start, each in a network namespace.")
    ours = product.settings(p1=None)
    ours["p2"]["assist"] = "help"
    lab = product.ProductLab(ours=ours, leasequery=False)
    story.say("The DHCP server denies leasequery, as ISC's does unless told otherwise.",
              "p1 is not ours, as if it belonged to another switch. p2 is guarded:")
    story.show("lldptool -T -i p2 -g ncb -V 0x02564d01 assist=help guard=enforce")
    return lab


def start_vm(story, lab, vm):
    story.step("A VM starts at h1 and gets a lease by DHCP. Our switch does not see it.")
    vm.vdp("h1", "assoc")
    assert vm.run_at("h1"), "no lease"
    story.say(f"MAC {vm.mac}, address {vm.ip}, VSI {vm.uuid}.")
    story.check(not lab.show("sw", "bindings"), "show bindings: none.",
                "there are bindings already")


def help_comes(story, lab, vm):
    story.step("It migrates to h2, live. What is known of its lease comes with it:")
    known = ("--ip", vm.ip, "--client-id", client_id(vm))
    story.show(f"vdp-migrate mark {vm.uuid} --mac {vm.mac} \\\n    {' '.join(known)}")
    wire, server = lab.sw.capture("p2", "ether proto 0x8940"), lab.sw.capture(
        "p3", "udp port 67")
    ping = vm.ping(every=PACE)
    wait_for("pings", lambda: len(ping.replies()) > 20)
    with Quiet(lab, "p1", "eth1") as quiet:
        lab.announce(vm, "h2", *known)
        lab.wait_states(vm, p2="staged")
        heard = quiet.heard()
    ping.stop()
    timeline(story, vm, wire, server)
    story.say("The switch knows the address, and the VM still runs at h1:")
    story.show(lab.cli("sw", "show", "bindings"))
    lost = ping.lost(until=max(ping.replies()))
    story.check(not heard and not lost,
                f"The VM has noticed nothing: no answer came out of its port, and its "
                f"{len(ping.replies())} pings\n   are all answered.",
                f"the VM has heard {heard}, or lost {lost}")


def timeline(story, vm, wire, server):
    seen = []
    for t, frame in wire.stop().stamped():
        for mode, status, vsi in frames.vdp_tlvs([frame]):
            if (mode, vsi) == (1, vm.uuid):
                seen.append((t, "pre-associate, M-bit     h2 -> switch" if status & 0x10
                             and not status & 0x40 else
                             "its answer               switch -> h2"))
        for one in help_requests([frame], vm):
            where = "in the answer" if one["rides"] else "on its own   "
            seen.append((t, f"help TLV, {where}  switch -> h2      giaddr "
                            f"{one['giaddr']}"))
    names = {REQUEST: "DHCPREQUEST              h2 -> DHCP server", ACK:
             "DHCPACK                  DHCP server -> switch  to giaddr alone"}
    messages = [(t, m) for t, f in server.stop().stamped() for m in dhcp([f])]
    seen += [(t, names.get(m.kind, "DHCP, another message")) for t, m in messages]
    seen = sorted(dict(reversed([(what, t) for t, what in seen])).items(),
                  key=lambda x: x[1])
    for what, t in seen:
        story.say(f"{(t - seen[0][1]) * 1000:9.1f} ms  {what}")
    story.check([m.kind for _, m in messages] == [REQUEST, ACK] and any(
        "help TLV" in what for what, _ in seen),
        "The switch was helped before the VM came, and no leasequery was sent.",
        f"on the wire: {[what for what, _ in seen]}")


def switch_over(story, lab, vm):
    story.step("The VM is paused, associated at h2, and resumes there.")
    before, ping = lab.dropped("p2"), vm.ping(every=PACE)
    known = vm.stop()
    vm.vdp("h2", "assoc")
    first = ping.next()
    vm.resume("h2", known)
    wait_for("the VM to send at its new place", lambda: first in ping.sent)
    figures = watched(story, lab, ping, "p2", first, before)
    story.check(figures["answered"] >= figures["sent"] - 1 and first in ping.got
                and not figures["dropped"],
                f"Its first packet at h2 passed, answered after "
                f"{figures['first answer']}.", "the VM has lost packets")
    story.show(lab.cli("sw", "show", "vsis"))


def tell(story):
    with begin(story) as lab:
        vm = lab.vm()
        start_vm(story, lab, vm)
        help_comes(story, lab, vm)
        switch_over(story, lab, vm)
    story.say(f"({DHCP} has renewed the lease as for the VM itself.)")


if __name__ == "__main__":
    demo.main(tell)
