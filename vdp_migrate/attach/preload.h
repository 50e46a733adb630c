/* SPDX-License-Identifier: GPL-2.0-only */
/* LD_PRELOAD of the program that we were loaded into by it. */
#ifndef ATTACH_PRELOAD_H
#define ATTACH_PRELOAD_H

/* Take this object out, for programs that this one starts; others' entries stay. */
void preload_leave(void);

#endif
