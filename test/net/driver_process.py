# SPDX-License-Identifier: GPL-2.0-only
"""
A part of the product alone in a process of its own (guard_driver.c, edge_driver.c): a
command a line, answered by lines of which the last is "ok NUMBER" or "error -ERRNO".
"""
import subprocess


class DriverProcess:
    """Called with commands it returns the answer lines of the last; value: its number."""

    def __init__(self, space, *argv):
        self.value = 0
        self.popen = subprocess.Popen(
            ("ip", "netns", "exec", space.name, *argv), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        self._answer()

    def __call__(self, *commands):
        for command in commands:
            self.popen.stdin.write(command + "\n")
            lines = self._answer()
        return lines

    def _answer(self):
        lines = []
        for line in self.popen.stdout:
            word = line.split()
            if word[0] == "error":
                raise OSError(-int(word[1]), line.strip())
            if word[0] == "ok":
                self.value = int(word[1])
                return lines
            lines.append(line.strip())
        raise EOFError(f"{self.popen.args} has ended")

    def close(self):
        self.popen.stdin.close()
        assert self.popen.wait() == 0
        self.popen.stdout.close()
