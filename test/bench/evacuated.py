# SPDX-License-Identifier: GPL-2.0-only
"""
So many migrations known at once: the time until the last VM's binding is in the kernel,
by the engine, by the bare client (sidecar.c with a window of 16) and by a script
(peer.py). One DHCP server each, with the same leases; known.c measures all three.
"""
import os
import statistics

import lab
from netns import run, wait_for
from side import BARE_SET, HERE, Side

SIZES = (1, 3, 10, 30, 100, 300, 1000)
FULL = SIZES[-1]
REPEATS = 3
SINGLES, SCRIPT_SINGLES = 200, 40
LEASES = range(200000, 208192)
LOSS = 20


class Aim:
    """A line of the table: a figure and what it should be."""

    def __init__(self, what, ours, other, value, met, aim):
        self.what, self.ours, self.other = what, ours, other
        self.value, self.met, self.aim = value, met, aim

    def cells(self):
        return (self.what, self.ours, self.other, self.value, "", self.aim,
                "met" if self.met else "MISSED")


class Known(Side):
    """A switch without lldpad: what VDP would say is said to the engine directly."""

    def __init__(self, world, name, product=False):
        self.name, self.bindings = name, 0
        self.sw = world.space(f"{name}-sw")
        self.station = world.space(f"{name}-st")
        self.dhcp = world.space(f"{name}-dhcp")
        self.numbers = iter(LEASES)
        self.engine = None
        self._wire()
        self._dhcp_start(LEASES)
        if product:
            self._engine_start()
        else:
            self.sw.run("nft", "-f", "-", input=BARE_SET)

    def wait_ready(self):
        def forwarding():
            ports = self.sw.ip_json("-d", "link", "show", "master", "br0")
            return all(p["linkinfo"]["info_slave_data"]["state"] == "forwarding"
                       for p in ports)
        wait_for("the bridge's ports to forward", forwarding)
        wait_for("the DHCP server", lambda: "Server starting service" in self._log())

    def measure(self, how, count, *command):
        """Seconds of each VM; FIRST is the next number that nobody has had."""
        first = next(self.numbers)
        for _ in range(count - 1):
            next(self.numbers)
        out = run(os.path.join(HERE, "out/known"), how, self.sw.name, "p1", lab.SWITCH,
                  lab.DHCP, str(first), str(count), *command)
        times = [int(line.split()[1]) / 1e9 for line in out.splitlines()]
        return [t for t in times if t >= 0], sum(t < 0 for t in times)

    def counter(self, name):
        return next((int(row["value"]) for row in self.show("counters")
                     if row["counter"] == name), 0)

    def lose(self, percent):
        self.sw.run("nft", "-f", "-", input=f"""
            table bridge lossy {{
                chain c {{
                    type filter hook output priority 0
                    oifname p3 ether type ip udp dport 67 \
                        numgen random mod 100 < {percent} drop
                }}
            }}
            """)


def rows(world, progress):
    """The table's lines; the plot is written to out/restoration.svg."""
    progress("migrations known at once: two switches are being set up")
    ours, bare = Known(world, "known", product=True), Known(world, "bare")
    client = (os.path.join(HERE, "out/sidecar"), "p1", lab.SWITCH, lab.DHCP, "16")
    script = (os.path.join(HERE, "peer.py"), "p1", lab.SWITCH, lab.DHCP)
    ours.wait_ready()
    bare.wait_ready()
    ours.measure("all", 20)
    bare.measure("all", 20, *client)

    found = {"ours": {}, "bare": {}, "script": {}}
    ratios, missing = [], 0
    for size in SIZES:
        last = {"ours": [], "bare": []}
        for i in range(REPEATS):
            progress(f"{size} migrations known at once: {i + 1} of {REPEATS}")
            for name, side, command in (("ours", ours, ()), ("bare", bare, client)):
                times, lost = side.measure("all", size, *command)
                missing += lost if name == "ours" else 0
                last[name].append(max(times))
        for name, values in last.items():
            found[name][size] = statistics.median(values)
        if size == FULL:
            ratios = [a / b for a, b in zip(last["ours"], last["bare"])]
        progress(f"{size} migrations known at once: the script")
        found["script"][size] = max(bare.measure("all", size, *script)[0])
    repeated = ours.counter("leasequery_retransmitted")

    progress("one at a time")
    one = {"ours": statistics.median(ours.measure("one", SINGLES)[0]),
           "bare": statistics.median(bare.measure("one", SINGLES, *client)[0]),
           "script": statistics.median(bare.measure("one", SCRIPT_SINGLES, *script)[0])}

    ours.lose(LOSS)
    lossy = []
    for i in range(REPEATS):
        progress(f"{LOSS} % of the queries lost: {i + 1} of {REPEATS}")
        times, lost = ours.measure("all", FULL)
        lossy.append(max(times) if not lost else float("inf"))
    plot(found, os.path.join(HERE, "out/restoration.svg"))
    progress()
    print_restoration(found)
    return table(found, ratios, missing, repeated, one, lossy)


def table(found, ratios, missing, repeated, one, lossy):
    full = {name: times[FULL] for name, times in found.items()}
    ratio = statistics.median(ratios)
    latency, rate = one["script"] / one["ours"], full["script"] / full["ours"]
    last = statistics.median(lossy)
    return [
        Aim(f"{FULL} known at once, last bound : bare client", ms(full["ours"]),
            ms(full["bare"]), f"{ratio:.3f}", ratio <= 1.2, "<= 1.2"),
        Aim("  of them never bound, queries repeated", f"{missing}, {repeated}", "",
            "", not missing and not repeated, "0, 0"),
        Aim("script : us, one known migration", ms(one["ours"]), ms(one["script"]),
            f"{latency:.1f}", latency >= 20, ">= 20"),
        Aim("  bare client beside it", ms(one["ours"]), ms(one["bare"]),
            f"{one['ours'] / one['bare']:.3f}", True, ""),
        Aim(f"script : us, {FULL} known at once", ms(full["ours"]), ms(full["script"]),
            f"{rate:.1f}", rate >= 30, ">= 30"),
        Aim(f"{LOSS} % of queries lost, last of {FULL} bound", ms(last), "", "",
            last <= 1.5, "<= 1.5 s"),
    ]


def ms(seconds):
    return f"{seconds * 1000:.2f} ms"


def print_restoration(found):
    print("time until the last of so many is bound, ms (plot: test/bench/out/"
          "restoration.svg)")
    print(f"{'VMs':>6}" + "".join(f"{name:>12}" for name in found))
    for size in SIZES:
        print(f"{size:>6}" + "".join(f"{found[name][size] * 1000:>12.2f}"
                                     for name in found))


# The plot: both axes logarithmic.

WIDTH, HEIGHT, LEFT, TOP = 640, 400, 70, 30
COLOURS = {"ours": ("#1b6ca8", "vdp_migrate"), "bare": ("#777777", "bare C client"),
           "script": ("#b5442e", "script")}


def plot(found, path):
    from math import ceil, floor, log10
    values = [t * 1000 for times in found.values() for t in times.values()]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))

    def x(size):
        return LEFT + (WIDTH - LEFT - 130) * log10(size) / log10(FULL)

    def y(milliseconds):
        share = (log10(milliseconds) - low) / (high - low)
        return HEIGHT - 50 - (HEIGHT - 50 - TOP) * share

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="18">Time until the last VM is bound (ms), by VMs that '
           'migrate at once</text>']
    for power in range(low, high + 1):
        at = y(10 ** power)
        out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - 130}" stroke="#dddddd"/>'
                   f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
                   f'{10 ** power:g}</text>')
    for size in SIZES:
        out.append(f'<text x="{x(size):.1f}" y="{HEIGHT - 30}" text-anchor="middle">'
                   f'{size}</text>')
    for name, (colour, label) in COLOURS.items():
        points = [(x(s), y(t * 1000)) for s, t in found[name].items()]
        out.append('<polyline fill="none" stroke-width="2" stroke="%s" points="%s"/>' % (
            colour, " ".join(f"{a:.1f},{b:.1f}" for a, b in points)))
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>'
                for a, b in points]
        a, b = points[-1]
        out.append(f'<text x="{a + 10:.1f}" y="{b + 4:.1f}" fill="{colour}">{label}'
                   '</text>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")
