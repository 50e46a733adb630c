# SPDX-License-Identifier: GPL-2.0-only
"""
What a new user sees first, as test/demo runs it: both stories end well, in namespaces of
their own, and say nothing that did not happen.
"""
import os
import re
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.parametrize("story", ("demo", "demo_help"))
def test_what_the_demo_says_happens(story):
    done = subprocess.run([sys.executable, "-B", f"{HERE}/{story}.py"], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    assert done.returncode == 0 and "WRONG" not in done.stdout, done.stdout
    assert re.search(r"^It worked \(", done.stdout, re.M), done.stdout
