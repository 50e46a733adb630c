/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the head of a program's list of LLDP modules, or says which rule failed.
 * The programs are stripped and export nothing, but a list head in a data segment
 * gives itself away: its first node, on the heap, points back at that very word.
 * The rules are an argument: lldpad and lldptool hold the same list with other
 * modules. No globals, no log; nothing is written.
 */
#ifndef ATTACH_SCAN_H
#define ATTACH_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peek.h"

#define SCAN_RANGES_MAX 16

struct scan_range {
	uintptr_t start, end;
};

/* The program: all of it, what it can write (without RELRO), what it can run. */
struct scan_image {
	struct scan_range whole;
	unsigned n_data, n_text;
	struct scan_range data[SCAN_RANGES_MAX], text[SCAN_RANGES_MAX];
};

struct scan_wanted {
	int id;
	uint16_t slots;		/* exactly these are filled */
};

struct scan_rules {
	unsigned nodes_min, nodes_max;
	uint16_t slots;		/* every module fills at least these */
	unsigned n_wanted;
	const struct scan_wanted *wanted;	/* each must be there, once */
};

/* In the order in which a candidate has to pass them. */
enum scan_rule {
	SCAN_PASSED = 0,
	SCAN_NO_DATA,		/* the program has no writable segment */
	SCAN_NO_POINTER,	/* no word points out of the program */
	SCAN_FIRST_NODE,	/* no word's target points back at it */
	SCAN_NODE,		/* a node lies in the program, or is not readable */
	SCAN_BACK_POINTER,	/* a node does not point back at its predecessor */
	SCAN_ID,		/* a module ID out of range */
	SCAN_OPS,		/* ops not in the program */
	SCAN_SLOT,		/* a slot points at something that is no code */
	SCAN_SLOTS,		/* a module without the slots that each one has */
	SCAN_TOO_MANY,		/* longer than nodes_max: a loop */
	SCAN_TOO_FEW,
	SCAN_WANTED,		/* a wanted module is not there, or more than once */
	SCAN_WANTED_SLOTS,	/* a wanted module fills other slots */
	SCAN_SEVERAL,		/* more than one list passes: which is it? */
	SCAN_UNREADABLE,	/* memory cannot be read without risk: see error */
};

struct scan_result {
	void *head;		/* of the list that passes; NULL */
	enum scan_rule failed;	/* where the candidate that came furthest ended */
	int id;			/* of the module concerned, 0 = none */
	unsigned slots;		/* that it fills */
	unsigned words, candidates, lists;
	int error;		/* errno of SCAN_UNREADABLE */
};

/* The running program. False: it has too many segments. */
bool scan_self(struct scan_image *ret_image);

/* 0, or -ENOENT with ret_result->failed. */
int scan_modules(const struct scan_image *image, const struct scan_rules *rules,
		 const struct peek *peek, struct scan_result *ret_result);

/* The running program's list: its head, a variable that points at the first node; NULL:
 * ret_why says why there is none. */
void *scan_program(const struct scan_rules *rules, char *ret_why, size_t size);

/* What failed, in words; returns buf. */
const char *scan_text(const struct scan_result *result, char *buf, size_t size);

#endif
