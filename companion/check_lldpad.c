/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lldpad has been told of a port, against what it does there, and what it hears of
 * the neighbour's EVB TLV (IEEE 802.1Q annex D.2.12), all by lldptool.
 *
 * Timers: each end announces the larger of its own and the other's, with the flag
 * "remote" where its own is not larger. So a value that was lowered lives on between the
 * two: the neighbour announces as remote what it has set itself, or what nobody has set
 * any more.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spawn.h"

#define CURE_MAX 256
#define JUST_NOW "if lldpad there was just restarted, ask again in 30 s; else "
#define TIME_S(exponent) ((double)(1ull << (exponent)) / 1e5) /* 2^exponent * 10 us */

struct evb {
	char mode[16]; /* "" nothing */
	long rka, rwd; /* exponents; -1: not said */
	bool rka_remote, rwd_remote;
};

static void one(struct check *check, unsigned row, const char *name);
static void role(struct check *check, const char *port, const char *is, const char *mode);
static void timers(struct check *check, const char *port, bool station,
		   const struct evb *own, const struct evb *neighbour);
static void timer(struct check *check, const char *port, bool station, const char *name,
		  long set, long in_force);
static void neighbour(struct check *check, const char *port, bool station,
		      const struct evb *heard);
static bool ask(const char *port, bool of_neighbour, struct evb *ret_evb);
static void take(const char *text, bool of_neighbour, struct evb *evb);
static void word(const char *text, const char *name, char *ret_word, size_t size);
static long number(const char *text, const char *name);

#define PORT(name) table_field(&check->ports, row, name)

void check_lldpad_port(struct check *check, unsigned row)
{
	char list[256], *rest = list, *name;

	/* LLDP is spoken on each interface of a bond. */
	snprintf(list, sizeof(list), "%s",
		 *PORT("members") ? PORT("members") : PORT("port"));
	while (!check->lldpad_silent && (name = strsep(&rest, ",")))
		one(check, row, name);
}

/* Statics. */

static void one(struct check *check, unsigned row, const char *name)
{
	bool station = !strcmp(PORT("role"), "station");
	struct evb own, heard;

	if (!ask(name, false, &own))
		return;
	role(check, name, PORT("role"), own.mode);
	/* What is wrong here is the cause of whatever is heard. */
	if (strcmp(PORT("role"), own.mode) || strcmp(PORT("link"), "up") ||
	    !ask(name, true, &heard))
		return;
	neighbour(check, name, station, &heard);
	timers(check, name, station, &own, &heard);
}

/* lldpad takes the role of a port when it first starts VDP there, and keeps it. */
static void role(struct check *check, const char *port, const char *is, const char *mode)
{
	char cure[CURE_MAX];

	if (!strcmp(is, mode))
		return;
	/* What lldpad says where nothing is set is station. */
	if (!strcmp(is, "none") && strcmp(mode, "bridge")) {
		snprintf(cure, sizeof(cure),
			 "vdp-migrate setup switch %s (or setup server), then restart "
			 "lldpad",
			 port);
		check_found(
			check, "evb-mode", cure,
			"%s: its EVB mode is not set in lldpad: no VDP there, or as a "
			"station",
			port);
		return;
	}
	check_found(
		check, "evb-mode", "systemctl restart lldpad",
		"%s: EVB mode %s is set, but lldpad has read the role (%s) before that",
		port, mode, is);
}

static void neighbour(struct check *check, const char *port, bool station,
		      const struct evb *heard)
{
	if (!*heard->mode)
		check_found(check, "neighbour-silent",
			    station ? JUST_NOW "see 'vdp-migrate check' on the switch: "
					       "is its port set up (setup switch), its "
					       "lldpad restarted since? No VDP here: "
					       "lldptool's use=no"
				    : JUST_NOW "see 'vdp-migrate check' on the server: "
					       "is its uplink set up (setup server), its "
					       "lldpad restarted since? No server there: "
					       "lldptool's use=no",
			    "%s: no EVB TLV is heard from the other end: no VDP with it",
			    port);
	else if (!strcmp(heard->mode, station ? "station" : "bridge"))
		check_found(check, "neighbour-mode",
			    "vdp-migrate setup server PORT at the server's end, setup "
			    "switch PORT at the switch's; restart lldpad there",
			    "%s: both ends have EVB mode %s: no VDP between them", port,
			    heard->mode);
}

static void timers(struct check *check, const char *port, bool station,
		   const struct evb *own, const struct evb *neighbour)
{
	if (own->rka >= 0 && neighbour->rka_remote && neighbour->rka > own->rka)
		timer(check, port, station, "vdprka", own->rka, neighbour->rka);
	if (own->rwd >= 0 && neighbour->rwd_remote && neighbour->rwd > own->rwd)
		timer(check, port, station, "vdprwd", own->rwd, neighbour->rwd);
}

static void timer(struct check *check, const char *port, bool station, const char *name,
		  long set, long in_force)
{
	char cure[CURE_MAX];

	snprintf(cure, sizeof(cure),
		 station ? "set %s=%ld on the switch, too; if it is, systemctl restart "
			   "lldpad there, once no VM is being moved (here the VMs' "
			   "associations would end with it)"
			 : "set %s=%ld on the server, too; if it is, systemctl restart "
			   "lldpad here, once no VM is being moved (VSIs come back with "
			   "their next keep-alives)",
		 name, set);
	check_found(check, "evb-timers", cure,
		    "%s: %s=%ld (%.3g s) is set, and %ld (%.3g s) is in force: it is set "
		    "at the other end, or nowhere any more (each end goes on with what "
		    "it hears from the other)",
		    port, name, set, TIME_S(set & 31), in_force, TIME_S(in_force & 31));
}

/* False: lldpad does not answer, or does not know the port. */
static bool ask(const char *port, bool of_neighbour, struct evb *ret_evb)
{
	const char *const own[] = { "lldptool", "-t",	"-i", port,	 "-g",
				    "ncb",	"-V",	"evb", "-c",	 "evbmode",
				    "vdprka",	"vdprwd", NULL };
	const char *const heard[] = { "lldptool", "-t", "-n", "-i", port, "-g",
				      "ncb",	  "-V", "evb", NULL };
	struct spawned s;
	bool answered = !spawn(of_neighbour ? heard : own, NULL, &s);

	*ret_evb = (struct evb){ .rka = -1, .rwd = -1 };
	if (answered && s.out)
		take(s.out, of_neighbour, ret_evb);
	spawned_done(&s);
	return answered;
}

static void take(const char *text, bool of_neighbour, struct evb *evb)
{
	const char *mode = strstr(text, "mode:"), *rka;

	if (!of_neighbour) {
		word(text, "evbmode=", evb->mode, sizeof(evb->mode));
		evb->rka = number(text, "vdprka=");
		evb->rwd = number(text, "vdprwd=");
		return;
	}
	/* mode:station r/l:1 rwd:16, and on the next line r/l:1 rka:16 */
	rka = mode ? strchr(mode, '\n') : NULL;
	if (!rka)
		return;
	word(mode, "mode:", evb->mode, sizeof(evb->mode));
	evb->rwd_remote = number(mode, "r/l:") == 1;
	evb->rwd = number(mode, "rwd:");
	evb->rka_remote = number(rka, "r/l:") == 1;
	evb->rka = number(rka, "rka:");
}

static void word(const char *text, const char *name, char *ret_word, size_t size)
{
	const char *at = strstr(text, name);

	*ret_word = 0;
	if (!at)
		return;
	at += strlen(name);
	snprintf(ret_word, size, "%.*s", (int)strcspn(at, " \n,"), at);
}

static long number(const char *text, const char *name)
{
	char digits[16];
	char *end;
	long value;

	word(text, name, digits, sizeof(digits));
	value = strtol(digits, &end, 10);
	return *digits && !*end && value >= 0 ? value : -1;
}
