/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * associate, preassociate, deassociate: the association of a VM that libvirt makes none
 * for, through lldpad's client interface; lldpad keeps it alive. IDs as libvirt writes
 * them into <virtualport type='802.1Qbg'>. Here: arguments, and what comes of it in
 * words and as an exit code (command.h). IEEE 802.1Q clause 41.
 */
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lldpad_client.h"
#include "marking.h"
#include "verdict.h"
#include "wire/text.h"

#define TIMEOUT_S 20 /* lldpad itself waits 15.8 s, with its default timers */
#define TIMEOUT_MAX_S 3600
#define FOUND_MAX 16

enum argument {
	PORT, MANAGER, TYPE, VERSION, INSTANCE, MAC, VLAN, MIGRATE, TAP, TIMEOUT
};

struct wanted {
	const char *port, *tap;
	struct lldpad_vsi vsi;
	unsigned given; /* bits: 1 << enum argument */
	unsigned timeout_ms;
};

static const struct option options[] = {
	[PORT] = { "port", required_argument, NULL, 'i' },
	[MANAGER] = { "managerid", required_argument, NULL, MANAGER },
	[TYPE] = { "typeid", required_argument, NULL, TYPE },
	[VERSION] = { "typeidversion", required_argument, NULL, VERSION },
	[INSTANCE] = { "instanceid", required_argument, NULL, INSTANCE },
	[MAC] = { "mac", required_argument, NULL, MAC },
	[VLAN] = { "vlan", required_argument, NULL, VLAN },
	[MIGRATE] = { "migrate", no_argument, NULL, MIGRATE },
	[TAP] = { "tap", required_argument, NULL, TAP },
	[TIMEOUT] = { "timeout", required_argument, NULL, TIMEOUT },
	{ 0 },
};

static int associate(int argc, char **argv, uint8_t mode);
static int ask_marked(struct lldpad_client *client, struct wanted *wanted);
static void say_hint(struct lldpad_client *client, struct lldpad_vsi *vsi,
		     const char *why);
static int end_each(struct lldpad_client *client, const struct wanted *wanted);
static bool is_wanted(const struct lldpad_vsi *vsi, const struct wanted *wanted);
static int open_client(struct lldpad_client *client, const struct wanted *wanted);
static int parse(int argc, char **argv, unsigned needed, struct wanted *ret_wanted);
static const char *take_option(enum argument option, const char *value,
			       struct wanted *wanted);
static const char *take_manager(const char *value, struct lldpad_vsi *vsi);
static const char *take_instance(const char *value, struct lldpad_vsi *vsi);
static const char *take_mac(const char *value, struct lldpad_vsi *vsi);
static const char *take_vlan(const char *value, struct lldpad_vsi *vsi);
static bool is_name(const char *text);
static int number(const char *text, unsigned long max, unsigned long *ret_number);
static struct vsi_id id_of(const struct lldpad_vsi *vsi);

int command_associate(int argc, char **argv)
{
	return associate(argc, argv, VDP22_ASSOC);
}

int command_preassociate(int argc, char **argv)
{
	return associate(argc, argv, VDP22_PRE);
}

int command_deassociate(int argc, char **argv)
{
	struct lldpad_client client;
	struct wanted wanted = { 0 };
	int code = parse(argc, argv, 1u << PORT | 1u << INSTANCE, &wanted);
	struct vsi_id id = id_of(&wanted.vsi);

	if (!code)
		code = open_client(&client, &wanted);
	if (code)
		return code;
	code = end_each(&client, &wanted);
	lldpad_client_close(&client);
	/* It migrates nowhere any more. */
	marking_unset(&id);
	return code;
}

static int associate(int argc, char **argv, uint8_t mode)
{
	struct lldpad_client client;
	struct wanted wanted = { 0 };
	int code = parse(argc, argv,
			 1u << PORT | 1u << MANAGER | 1u << TYPE | 1u << VERSION |
				 1u << INSTANCE | 1u << MAC,
			 &wanted);

	wanted.vsi.mode = mode;
	if (!code)
		code = open_client(&client, &wanted);
	if (code)
		return code;
	code = ask_marked(&client, &wanted);
	lldpad_client_close(&client);
	return code;
}

/* What goes out with M, and by whose doing, is said before the outcome. */
static int ask_marked(struct lldpad_client *client, struct wanted *wanted)
{
	enum marking marking = MARKING_NONE;
	char why[LINK_TEXT_MAX] = "";
	struct vsi_id id = id_of(&wanted->vsi);
	struct lldpad_vsi before = wanted->vsi;
	enum verdict verdict;

	if (wanted->given & 1u << MIGRATE) {
		marking = marking_set(&id, &wanted->vsi.entry[0].mac, wanted->tap, why);
		if (marking == MARKING_NONE)
			say_hint(client, &wanted->vsi, why);
		else
			printf("M-bit: by the module, until it is confirmed\n");
	}
	verdict = lldpad_client_request(client, &wanted->vsi);
	if (verdict != VERDICT_ACCEPTED && marking == MARKING_SET)
		marking_unset(&id);
	return verdict_say(client, verdict, &before, &wanted->vsi);
}

/* Without the module lldpad's own hint sets it; lldpad keeps the hint of a VSI's first
 * request for all of its life. */
static void say_hint(struct lldpad_client *client, struct lldpad_vsi *vsi,
		     const char *why)
{
	struct lldpad_vsi known[FOUND_MAX];
	int n = lldpad_client_find(client, vsi->uuid, known, FOUND_MAX);
	bool there = false;

	for (int i = 0; i < n; i++)
		there |= lldpad_vsi_same(&known[i], vsi);
	vsi->to = true;
	if (there)
		printf("M-bit: as in the VSI's first request, lldpad alone does not "
		       "change it (%s)\n",
		       why);
	else
		printf("M-bit: by lldpad's own hint, in each request of this VSI from "
		       "now on (%s)\n",
		       why);
}

static int end_each(struct lldpad_client *client, const struct wanted *wanted)
{
	struct lldpad_vsi known[FOUND_MAX];
	int n = lldpad_client_find(client, wanted->vsi.uuid, known, FOUND_MAX);
	int worst = EXIT_DONE, ended = 0;

	if (n < 0) {
		client->err = n;
		return verdict_say(client, n == -EPROTO ? VERDICT_STATUS : VERDICT_ERROR,
				   &wanted->vsi, &wanted->vsi);
	}
	for (int i = 0; i < n; i++) {
		struct lldpad_vsi before = known[i];
		int code;

		if (!is_wanted(&known[i], wanted))
			continue;
		known[i].mode = before.mode = VDP22_DEASSOC;
		/* lldpad shows a manager ID up to its first zero octet. */
		if (wanted->given & 1u << MANAGER)
			memcpy(known[i].manager, wanted->vsi.manager,
			       sizeof(known[i].manager));
		code = verdict_say(client, lldpad_client_request(client, &known[i]),
				   &before, &known[i]);
		worst = code > worst ? code : worst;
		ended++;
	}
	if (!ended)
		return verdict_say(client, VERDICT_UNKNOWN, &wanted->vsi, &wanted->vsi);
	return worst;
}

/* What is not said fits. */
static bool is_wanted(const struct lldpad_vsi *vsi, const struct wanted *wanted)
{
	struct lldpad_vsi as_said = *vsi;

	if (wanted->given & 1u << MANAGER)
		memcpy(as_said.manager, wanted->vsi.manager, sizeof(as_said.manager));
	if (wanted->given & 1u << TYPE)
		as_said.type_id = wanted->vsi.type_id;
	if (wanted->given & 1u << VERSION)
		as_said.type_version = wanted->vsi.type_version;
	return lldpad_vsi_same(vsi, &as_said);
}

static int open_client(struct lldpad_client *client, const struct wanted *wanted)
{
	int err = lldpad_client_open(client, wanted->port, wanted->timeout_ms);

	client->err = err;
	return err ? verdict_say(client, VERDICT_ERROR, &wanted->vsi, &wanted->vsi) : 0;
}

/* Arguments. */

static int parse(int argc, char **argv, unsigned needed, struct wanted *ret_wanted)
{
	struct wanted wanted = { .timeout_ms = TIMEOUT_S * 1000 };
	int option;

	while ((option = getopt_long(argc, argv, "i:", options, NULL)) != -1) {
		const char *wrong;

		if (option == '?')
			return command_wrong_use(argv, "see 'vdp-migrate help %s'",
						 argv[0]);
		option = option == 'i' ? PORT : option;
		wrong = take_option((enum argument)option, optarg, &wanted);
		if (wrong)
			return command_wrong_use(argv, "--%s '%s': %s",
						 options[option].name, optarg, wrong);
		wanted.given |= 1u << option;
	}
	if (optind != argc)
		return command_wrong_use(argv, "'%s' belongs to no option", argv[optind]);
	for (unsigned i = 0; i < sizeof(options) / sizeof(*options) - 1; i++)
		if (needed & ~wanted.given & 1u << i)
			return command_wrong_use(argv, "%s%s is wanted",
						 i == PORT ? "-i/--" : "--",
						 options[i].name);
	*ret_wanted = wanted;
	return 0;
}

/* NULL, or what would be right. */
static const char *take_option(enum argument option, const char *value,
			       struct wanted *wanted)
{
	struct lldpad_vsi *vsi = &wanted->vsi;
	unsigned long n = 0;

	switch (option) {
	case PORT:
		wanted->port = value;
		return is_name(value) ? NULL : "no interface's name";
	case MANAGER:
		return take_manager(value, vsi);
	case TYPE:
		if (number(value, 0xffffff, &n))
			return "a number up to 16777215 is wanted";
		vsi->type_id = (uint32_t)n;
		return NULL;
	case VERSION:
		if (number(value, 255, &n))
			return "a number up to 255 is wanted";
		vsi->type_version = (uint8_t)n;
		return NULL;
	case INSTANCE:
		return take_instance(value, vsi);
	case MAC:
		return take_mac(value, vsi);
	case VLAN:
		return take_vlan(value, vsi);
	case MIGRATE:
		return NULL;
	case TAP:
		wanted->tap = value;
		return is_name(value) ? NULL : "no interface's name";
	case TIMEOUT:
		if (number(value, TIMEOUT_MAX_S, &n) || !n)
			return "seconds are wanted, 1 to 3600";
		wanted->timeout_ms = (unsigned)n * 1000;
		return NULL;
	}
	return "?";
}

/* lldpad sends a number as the first of 16 octets, the others zero. */
static const char *take_manager(const char *value, struct lldpad_vsi *vsi)
{
	struct vsi_id uuid;
	unsigned long n;

	memset(vsi->manager, 0, sizeof(vsi->manager));
	if (!number(value, 255, &n))
		vsi->manager[0] = (uint8_t)n;
	else if (!vsi_id_parse(value, &uuid) && uuid.format == VSI_ID_UUID)
		memcpy(vsi->manager, uuid.b, sizeof(vsi->manager));
	else
		return "a number up to 255 or a UUID is wanted";
	return NULL;
}

static const char *take_instance(const char *value, struct lldpad_vsi *vsi)
{
	static const uint8_t zero[8];
	struct vsi_id uuid;

	if (vsi_id_parse(value, &uuid) || uuid.format != VSI_ID_UUID)
		return "a UUID is wanted";
	if (!memcmp(uuid.b, zero, sizeof(zero)))
		return "lldpad takes no UUID that begins with eight zero octets";
	memcpy(vsi->uuid, uuid.b, sizeof(vsi->uuid));
	return NULL;
}

/* lldpad holds a MAC once in a VSI, in one VLAN. */
static const char *take_mac(const char *value, struct lldpad_vsi *vsi)
{
	struct mac mac;

	if (mac_parse(value, &mac) || mac_is_zero(&mac) || mac.b[0] & 1)
		return "one station's MAC address is wanted";
	for (unsigned i = 0; i < vsi->n; i++)
		if (mac_equal(&vsi->entry[i].mac, &mac))
			return "lldpad takes each MAC address once";
	if (vsi->n == LLDPAD_ENTRIES_MAX)
		return "one association holds 60 MAC addresses";
	vsi->entry[vsi->n++] = (struct vsi_entry){ .mac = mac };
	return NULL;
}

static const char *take_vlan(const char *value, struct lldpad_vsi *vsi)
{
	unsigned long vlan;

	if (!vsi->n)
		return "it is the VLAN of the --mac before it";
	if (number(value, 4094, &vlan) || vlan == 1)
		return "0 (the switch chooses, or untagged) or 2 to 4094 is wanted";
	vsi->entry[vsi->n - 1].vlan = (uint16_t)vlan;
	return NULL;
}

static bool is_name(const char *text)
{
	return *text && strlen(text) < IF_NAMESIZE;
}

static int number(const char *text, unsigned long max, unsigned long *ret_number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 8 || text[digits] || strtoul(text, NULL, 10) > max)
		return -EINVAL;
	*ret_number = strtoul(text, NULL, 10);
	return 0;
}

static struct vsi_id id_of(const struct lldpad_vsi *vsi)
{
	struct vsi_id id = { .format = VSI_ID_UUID };

	memcpy(id.b, vsi->uuid, sizeof(id.b));
	return id;
}
