# SPDX-License-Identifier: GPL-2.0-only
"""What a command that takes long is doing: one line, on a terminal only, which the next
one takes the place of. Without a text it is taken away: before anything else is said."""
import sys


class Progress:
    def __init__(self):
        self.on = sys.stderr.isatty()

    def __call__(self, text=""):
        if self.on:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
