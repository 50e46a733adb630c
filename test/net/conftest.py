# SPDX-License-Identifier: GPL-2.0-only
"""
One lab for each test module, and for each test a new VM in it. A module's LAB is the
keywords of product.ProductLab; without it the lab has stock parts alone. Where the
product is not built its tests fail, they are not skipped: a test that is not run shows
nothing.
"""
import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as lab_module    # noqa: E402
import product              # noqa: E402

# Only where the kernel is the one that they are about: test/vm.
collect_ignore = ["kernel61"]


def pytest_configure(config):
    """An end by signal still removes the namespaces."""
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
    with lab_module.Lab() if options is None else product.ProductLab(**options) as made:
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
