# SPDX-License-Identifier: GPL-2.0-only
"""Many VMs at once: a server is evacuated, all its VMs come to ours."""
import os
import time
import uuid

import pytest

import frames
from netns import wait_for
from product import settings

# Keep-alives of so many VSIs take their time at stock lldpad's pace.
LAB = {"ours": settings(p1=None), "rka": 20}
MANY = 80


@pytest.fixture
def leased(lab):
    """[(MAC, address, VSI)]: leases in the DHCP server's file."""
    now = int(time.time())
    vms = [(f"52:54:00:77:00:{n:02x}", f"10.9.0.{100 + n}", str(uuid.uuid4()))
           for n in range(MANY)]
    lab.dhcpd.stop()
    with open(os.path.join(lab.space["dhcp"].dir, "dhcpd.leases"), "w",
              encoding="ascii") as f:
        for mac, ip, _ in vms:
            f.write(f"lease {ip} {{ starts epoch {now}; ends epoch {now + 3600}; "
                    f"cltt epoch {now}; binding state active; "
                    f"hardware ethernet {mac}; }}\n")
    lab.dhcp_start()
    lab.dhcpd.wait_line("Server starting service")
    return vms


def test_many_vms_that_are_announced_in_a_row_are_all_bound_before_they_run(lab, leased):
    asked = lab.counter("leasequery_asked")
    capture = lab.sw.capture("p2", "ether proto 0x8940")
    for mac, _, vsi in leased:
        lab.vdp("h2", "preassoc", vsi, mac, "to")

    def seen():
        return {v for mode, status, v in frames.vdp_requests(capture.now())
                if mode == 1 and status == 0x10}
    wait_for("all pre-associates on the wire",
             lambda: seen() >= {vsi for _, _, vsi in leased}, 30.0)

    def staged():
        return {(row["mac"], row["address"]) for row in lab.show("sw", "bindings")
                if row["port"] == "p2" and row["state"] == "staged"}
    wait_for("all to be staged",
             lambda: staged() == {(mac, ip) for mac, ip, _ in leased}, 20.0, 0.2)
    assert lab.counter("leasequery_asked") - asked == MANY
    assert lab.counter("leasequery_retransmitted") == 0
    listing = lab.nft("b4u")
    elements = next(x["set"]["elem"] for x in listing if "set" in x)
    assert len(elements) == MANY
    for row in lab.show("sw", "servers"):
        assert row["state"] == "answers"
