/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a script and the part that it drives have in common. A part (the switch's
 * story, the leasequery client alone) is told one line at a time, in virtual time,
 * and says what happens; scenario.c holds that against what the line expects.
 */
#ifndef SCENARIO_SCRIPT_H
#define SCENARIO_SCRIPT_H

#include "vdp_migrate/leasequery.h"
#include "vdp_migrate/types.h"

#define WORDS_MAX 32
#define HAPPENED_MAX 64
#define HAPPENED_LEN 160
#define VMS_MAX 16
#define VM_ENTRIES_MAX 4
#define QUERIES_MAX 256

/* "vm NAME MAC/VLAN … [as VSI-ID]"; the ID is the first MAC where none is said. */
struct vm {
	char name[24];
	struct vsi_id id;
	unsigned n;
	struct vsi_entry entries[VM_ENTRIES_MAX];
};

/* A leasequery that was sent and may be answered. */
struct query {
	struct addr server, giaddr;
	uint32_t xid;
	struct mac mac; /* zero: not by MAC */
	struct addr ip; /* family 0: not by IP */
	bool answered;
};

struct part;

struct script {
	const char *file;
	unsigned line;
	ms_t now;
	bool failed;
	const struct part *part;
	void *arg; /* the part's */
	unsigned n_vms, n_queries, n_happened;
	struct vm vms[VMS_MAX];
	struct query queries[QUERIES_MAX];
	char happened[HAPPENED_MAX][HAPPENED_LEN];
};

struct part {
	void *(*begin)(struct script *script);
	void (*end)(void *arg);
	/* Do what the words say. False: they say nothing that is known. */
	bool (*line)(void *arg, char **words, unsigned n);
	ms_t (*deadline)(void *arg);
	void (*tick)(void *arg, ms_t now);
	/* After each line and tick: say what has changed, check what must always hold. */
	void (*look)(void *arg);
};

extern const struct part switch_part, client_part, station_part, tap_part;

/* Something has happened / must not be. */
void script_happen(struct script *script, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void script_fail(struct script *script, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* words.c */
bool vm_define(struct script *script, char **words, unsigned n);
/* By name, or "MAC/VLAN"; NULL (and failed) if it is neither. */
const struct vm *vm_named(struct script *script, const char *word);
/* Words[*at] is this one: go past it. */
bool word_is(char **words, unsigned n, unsigned *at, const char *word);

/* Note the query and say "ask mac SERVER", "ask ip IP SERVER", "ask client-id HEX SERVER",
 * "ask remote-id HEX SERVER". */
void query_sent(struct script *script, const struct addr *giaddr,
		const struct addr *server, const uint8_t *msg, size_t len);
/* "SERVER active IP SECONDS|forever [+ IP …] [heard SECONDS] | unassigned | unknown
 * [for VM] [first]
 * [forged xid|server|mac|giaddr]": hand the reply over to `input`, say "rejected WHAT" if
 * it is not taken. False: no such line. */
bool query_answer(struct script *script, char **words, unsigned n,
		  enum lq_reject (*input)(void *arg, const struct addr *giaddr,
					  const struct addr *server, const uint8_t *msg,
					  size_t len));

#endif
