/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See extend.h. lldptool keeps the list that lldpad has (attach/lldpad.h), with modules
 * that name and print TLVs; the IDs are not unique there. It calls print_tlv of each
 * module unseen, so every one must have it.
 */
#include "extend.h"

#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

#include "attach/lldpad.h"
#include "attach/scan.h"
#include "capability.h"
#include "help.h"
#include "vdp_migrate/protocol.h"

#define NAME "vdp-migrate"
#define NOT_OURS 127		/* no TLV ID: an organizational TLV's type */
/* register, unregister, print_tlv, lookup_tlv_name */
#define SLOTS 0x0c03

static void unregister(struct lldpad_module *module);
static int print_tlv(uint32_t tlvid, uint16_t len, char *info);
static uint32_t lookup_tlv_name(char *name);
static int print_help(void);

static const struct lldpad_ops ops = {
	.unregister = unregister,
	.print_tlv = print_tlv,
	.lookup_tlv_name = lookup_tlv_name,
	.print_help = print_help,
};
static struct lldpad_module module = {
	.id = VDP_MIGRATE_TLVID & 0xffffff,
	.ops = &ops,
};
static bool tried, named;

void extend_command(void)
{
	static const struct scan_rules rules = {
		.nodes_min = LLDPAD_MODULES_MIN,
		.nodes_max = LLDPAD_MODULES_MAX,
		.slots = SLOTS,
	};
	struct lldpad_module **at;
	char why[256];

	named = false;
	if (tried)
		return;
	tried = true;
	at = scan_program(&rules, why, sizeof(why));
	if (!at) {
		fprintf(stderr, "vdp-migrate: not known to this lldptool: no module list "
			"found (%s)\n", why);
		return;
	}
	while (*at)
		at = &(*at)->next;
	module.prev = at;
	*at = &module;
}

/* Called at the end of lldptool: nothing was allocated. */
static void unregister(struct lldpad_module *ours)
{
	(void)ours;
}

/* len counts OUI and subtype, info is the text behind them. */
static int print_tlv(uint32_t tlvid, uint16_t len, char *info)
{
	char text[CAPABILITY_TEXT_MAX];

	if (tlvid != VDP_MIGRATE_TLVID)
		return 0;
	fputs(capability_text(info, len, text), stdout);
	return 1;
}

static uint32_t lookup_tlv_name(char *name)
{
	if (strcasecmp(name, NAME) != 0)
		return NOT_OURS;
	named = true;
	return VDP_MIGRATE_TLVID;
}

/* The list of TLV identifiers; the settings too if -V has named us. */
static int print_help(void)
{
	help_line(stdout);
	if (named)
		help_settings(stdout);
	return 0;
}
