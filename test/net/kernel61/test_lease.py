# SPDX-License-Identifier: GPL-2.0-only
"""
Short leases on a kernel before 6.12, guard enforced: a VM that renews goes on past the
first end of its lease, one that does not is cut off there, and a migration changes
neither.
"""
import contextlib
import time

from netns import wait_for

LEASE = 20
LAB = {"lease": LEASE}
GRACE = 3600    # what the kernel's element has beyond the lease


@contextlib.contextmanager
def _client(lab, vm, server="h1"):
    """A new VM whose DHCP client goes on: it renews at half of the lease."""
    vm.vdp(server, "assoc")
    vm.run_at(server, address=False)
    client = vm.space.start("udhcpc", "busybox", "udhcpc", "-i", f"eth{server[1]}", "-f",
                            "-T", "1", "-s", lab.udhcpc_script)
    try:
        vm.ip = client.wait_line(r"^got ").split()[1]
        lab.wait_states(vm, **{vm.port: "active"})
        yield client
    finally:
        client.stop()


def _renewals(client):
    return sum(line.startswith("got ") for line in client.lines) - 1


def _kernel_left(lab, vm, port):
    """Seconds that the guard's element in the kernel still has."""
    listing = lab.nft("b4u")
    elements = next((x["set"].get("elem", ()) for x in listing if "set" in x), ())
    return next((e["elem"]["expires"] for e in elements
                 if e["elem"]["val"]["concat"] == [port, vm.mac, vm.ip]), None)


def test_vm_that_renews_goes_on_past_the_first_end_of_its_lease(lab, vm):
    with _client(lab, vm) as client:
        first_end = time.monotonic() + LEASE
        ping, before = vm.ping(every=0.05), lab.violations()
        assert GRACE + LEASE / 2 < _kernel_left(lab, vm, "p1") <= GRACE + LEASE
        for n in (1, 2):
            wait_for(f"renewal {n}", lambda n=n: _renewals(client) >= n, LEASE)
            wait_for("the kernel's element to be extended",
                     lambda: _kernel_left(lab, vm, "p1") > GRACE + LEASE * 0.7)
        wait_for("an answer after the first end",
                 lambda: max(ping.got.values()) > first_end + 1, LEASE)
        ping.stop()
        assert not ping.lost(until=max(ping.replies()))
        assert lab.violations() == before
        assert lab.states(vm) == {"p1": "active"}


def test_vm_that_does_not_renew_is_cut_off_at_the_end_of_its_lease(lab, vm):
    lab.born(vm)
    ping, before = vm.ping(every=0.05), lab.dropped("p1")
    wait_for("a ping to be answered", ping.replies)
    lab.wait_states(vm, timeout=LEASE + 5)
    wait_for("the guard to drop", lambda: lab.dropped("p1") >= before + 3)
    last = ping.stop().got
    assert max(last.values()) - min(last.values()) > LEASE / 2
    assert lab.in_kernel(vm) == set()


def test_vm_that_migrates_keeps_its_address_and_renews_at_its_new_port(lab, vm):
    lab.born(vm)
    ping, before = vm.ping(), lab.violations()
    lab.migrate(vm, "h2")
    first = ping.next()
    wait_for("a ping to be answered", lambda: ping.replies(first))
    assert not ping.stop().lost(first, until=max(ping.replies(first)))
    assert lab.violations() == before
    lab.wait_states(vm, p1="leaving", p2="active")
    # Before a quarter is over (dhcp-cache-threshold) dhcpd does not extend a lease.
    wait_for("the element to age",
             lambda: _kernel_left(lab, vm, "p2") < GRACE + LEASE * 0.7)
    was = vm.ip
    assert vm.dhcp() == was
    wait_for("the kernel's elements to be extended at both ports", lambda: all(
        _kernel_left(lab, vm, port) > GRACE + LEASE * 0.7 for port in ("p1", "p2")))
    vm.vdp("h1", "deassoc")
    lab.wait_states(vm, p2="active")
    wait_for("the kernel to forget p1", lambda: lab.in_kernel(vm) == {"p2"})
