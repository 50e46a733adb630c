# SPDX-License-Identifier: GPL-2.0-only
"""
Reads the commands that a document shows, with what it shows of their output, and says
whether real output looks like that. Runs nothing.

A command stands after a prompt that names the machine ("switch# ", "$ " for the one that
the sources are on), goes on after a backslash or within quotes, and may end in a comment.
What follows it without an empty line, at its own indentation or deeper, is its output;
"..." there stands for lines that are left out. Lines of comments alone are neither.
"""
import dataclasses
import os
import re
import shlex

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMPT = re.compile(r"( *)(\$|[a-z]+#) (\S.*)")
# What begins a command, wherever it is shown. One blank: a list of programs has more.
PROGRAMS = re.compile(
    r" {4,}(sudo|vdp-migrate(?:d|-lldptool)?|lldptool|vdptool|systemctl|journalctl|virsh"
    r"|nft|qemu-\S+|ip|bridge|apt-get|dpkg\S*|make|cd|\./\S+|test/\S+)( (?! )|$)")
# Numbers, times, parts of them; what is part of a word is a name (p1, 0x02564d01).
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.:]\d+)*(?!\w)")
IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+")
UNITS = ("us", "ms", "s", "min", "h", "days", "day")


@dataclasses.dataclass
class Shown:
    document: str
    section: str
    line: int
    machine: str
    command: str
    output: list

    def __str__(self):
        return f"{self.document}:{self.line}: {self.machine}# {self.command}"


def text_of(document):
    """Of a man page what its reader sees, as far as it matters here: chapters are
    underlined, displays indented."""
    with open(os.path.join(TOP, document), encoding="utf-8") as f:
        text = f.read()
    if not re.search(r"\.\d$", document):
        return text
    lines, display = [], False
    for line in text.replace("\\-", "-").splitlines():
        if line in (".nf", ".fi"):
            display = line == ".nf"
            line = ""
        elif line.startswith(".SH "):
            lines += [line[4:], "=" * len(line[4:])]
            continue
        elif line.startswith("."):
            line = ""
        lines.append("    " + line if display else line)
    return "\n".join(lines) + "\n"


def read(document):
    """(commands shown, lines that show one without a prompt)"""
    lines = text_of(document).splitlines()
    found, bare, section, at = [], [], "", 0
    while at < len(lines):
        if re.fullmatch("(=|-){3,}", lines[at]) and at and lines[at - 1].strip():
            section = lines[at - 1]
        m = PROMPT.fullmatch(lines[at])
        if m and len(m[1]) >= 4:
            shown = Shown(document, section, at + 1, m[2].rstrip("#"), m[3], [])
            at = _rest(lines, at + 1, len(m[1]), shown)
            found.append(shown)
            continue
        if PROGRAMS.match(lines[at]):
            bare.append(f"{document}:{at + 1}:{lines[at]}")
        at += 1
    return found, bare


def _rest(lines, at, indent, shown):
    """The command's further lines and its output; where that ends."""
    while _goes_on(shown.command):
        shown.command += "\n" + lines[at]
        at += 1
    while at < len(lines) and lines[at].strip() and not PROMPT.fullmatch(lines[at]):
        deep = len(lines[at]) - len(lines[at].lstrip(" "))
        if deep < indent:
            break
        if deep == indent or not lines[at].lstrip().startswith("#"):
            shown.output.append(lines[at][indent:])
        at += 1
    return at


def _goes_on(command):
    try:
        shlex.split(command, comments=True)
    except ValueError:    # a quotation that is not closed
        return True
    return command.endswith("\\")


# What is shown and what is said

def looks_like(shown, said, goes_on=False):
    """The same lines with the same words; numbers, times and the width of columns are
    others. goes_on: more may have been said since."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else _line(line) + r"\n"
                      for line in shown)
    return bool(re.fullmatch(pattern + (r"(?:.*\n?)*" if goes_on else ""), said))


def _line(line):
    words, after_number = [], False
    for word in line.split():
        if after_number and word in UNITS:
            words.append(f"(?:{'|'.join(UNITS)})")
        elif IPV4.fullmatch(word) or ":" in word and len(word) == 17:    # that, or a MAC
            words.append(re.escape(word))
        else:
            parts = NUMBER.split(word)
            words.append(r"\d+(?:[.:]\d+)*".join(re.escape(x) for x in parts))
        after_number = bool(NUMBER.fullmatch(word))
    return r"[ \t]*" + r"[ \t]+".join(words) + r"[ \t]*"
