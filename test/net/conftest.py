# SPDX-License-Identifier: GPL-2.0-only
"""
One lab for each test module, and for each test a new VM in it. A module's LAB is the
keywords of product.ProductLab, or of its LAB_CLASS; without it the lab has stock parts
alone. Where the
product is not built its tests fail, they are not skipped: a test that is not run shows
nothing.
"""
import os
import signal
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as lab_module    # noqa: E402
import multicast            # noqa: E402
import product              # noqa: E402
import stream_lab           # noqa: E402

# Only where the kernel is the one that they are about: test/vm.
collect_ignore = ["kernel61"]


def pytest_configure(config):
    """
    An end by signal still removes the namespaces. A worker of xdist may run its tests in
    a second thread, which cannot ask for that: it ends with its controller's pipe.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def pytest_collection_modifyitems(items):
    """Names are sentences; no test may need another one before it."""
    for item in items:
        assert item.get_closest_marker("skip") is None, f"{item.name} is skipped"


@pytest.fixture(scope="module")
def lab(request):
    options = getattr(request.module, "LAB", None)
    missing = [n for n in product.PROGRAMS if not lab_module.built(n)]
    if options is not None and missing:
        pytest.fail(f"not built: {', '.join(missing)}", pytrace=False)
    made_by = getattr(request.module, "LAB_CLASS", product.ProductLab)
    with lab_module.Lab() if options is None else made_by(**options) as made:
        yield made


@pytest.fixture
def vm(lab):
    """A new VM; afterwards no server's lldpad holds its VSI any more."""
    made = lab.vm()
    yield made
    for server in ("h1", "h2"):
        if server in lab.engine:
            lab.unmark(server, made)
        made.vdp(server, "deassoc", check=False, wait=False)


@pytest.fixture
def guest(lab):
    """Makes VMs that listen to streams (stream_lab.py); afterwards they are gone."""
    made = []

    def make(**versions):
        made.append(stream_lab.Guest(lab, **versions))
        return made[-1]
    yield make
    for vm in made:
        for server in ("h1", "h2"):
            lab.unmark(server, vm)
            vm.vdp(server, "deassoc", check=False, wait=False)
        vm.end()
        # The bridge would take it for somebody who is silent there.
        for port in ("p1", "p2"):
            lab.sw.run("bridge", "fdb", "del", vm.mac, "dev", port, "master", check=False)


@pytest.fixture
def groups():
    """Groups that no test has used yet: one of IPv4, one of IPv6."""
    return multicast.new_groups()


@pytest.fixture
def more_groups():
    return multicast.new_groups()
