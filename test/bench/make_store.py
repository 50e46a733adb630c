#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A store with many bindings, to measure how long a start takes with them.

usage: make_store.py DIRECTORY [BINDINGS [PORT]]

It is as of this boot: the engine takes the bindings over as they are. Where the kernel's
guard is empty they all go into it: `vdp-migrated -d --state DIRECTORY`; the start is over
when `vdp-migrate show counters` answers."""
import contextlib
import os
import sqlite3
import sys
import time

LEASE_S = 86400


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    directory = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    port = sys.argv[3] if len(sys.argv) > 3 else "p1"
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "bindings.db")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    wall = time.time_ns() // 1000000
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        boot = f.read().strip()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        # As vdp_migrate/engine/store_db.c has it.
        db.executescript("""PRAGMA journal_mode = WAL;
            CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL,
             clock_offset INTEGER NOT NULL, written INTEGER NOT NULL);
            CREATE TABLE binding (port TEXT NOT NULL, vlan INTEGER NOT NULL,
             mac TEXT NOT NULL, ip TEXT NOT NULL, bridge TEXT NOT NULL,
             state TEXT NOT NULL, origin TEXT NOT NULL, vsi TEXT, server TEXT,
             client_id TEXT, lease INTEGER, lease_end INTEGER,
             PRIMARY KEY (port, vlan, mac, ip)) WITHOUT ROWID;
            PRAGMA user_version = 1;""")
        db.execute("INSERT INTO meta VALUES (1, ?, ?, ?)",
                   (boot, wall - time.monotonic_ns() // 1000000, wall))
        db.executemany(
            "INSERT INTO binding VALUES (?, 0, ?, ?, 'br0', 'active', 'snooped', ?, "
            "'10.0.0.2', ?, ?, ?)",
            ((port, mac, f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}",
              f"{i:08x}-0000-4000-8000-000000000001", "01:" + mac, LEASE_S,
              wall + LEASE_S * 1000)
             for i, mac in ((i, f"52:54:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:"
                                f"{i >> 8 & 255:02x}:{i & 255:02x}")
                            for i in range(1, n + 1))))


main()
