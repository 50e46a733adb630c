/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See answer.h. Command and reply are text of fields in hexadecimal, lengths before
 * strings. A command: 'M', module (8), 'C', version (1), code (2), options (8), the
 * port's name, agent (2), TLV ID (8), arguments. A reply: 'R', status (2), the command's
 * head again from 'C' to the name, TLV ID (8), result.
 */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "attach/lldpad.h"
#include "hex.h"
#include "module/settings.h"
#include "vdp_migrate/protocol.h"

#define OP_LOCAL 0x01
#define OP_NEIGHBOR 0x02
#define OP_ARG 0x04
#define OP_ARGVAL 0x08
#define OP_CONFIG 0x10
#define REPLY_MAX 4096		/* lldpad's longest */
#define ASKED_FOR "use"		/* a setting that each version of the module has */
#define ITS_VALUE "03use000"	/* its answer, as far as the value's last length digit */

struct command {
	unsigned code, options;
	char port[17];
	size_t head;		/* octets up to the arguments */
	char unknown[64];	/* the first name among them that is no setting */
};

struct reply {
	unsigned status;
	const char *result;	/* not terminated */
	size_t len;
};

static bool read_command(const char *text, size_t len, struct command *ret_command);
static void find_unknown(struct rd *r, struct command *command);
static bool read_reply(const char *text, size_t len, struct reply *ret_reply);
static bool ask_for_use(const char *cmd, const struct command *command, answer_ask *ask,
			void *arg, char *buf, struct reply *ret_reply);
static void say_no_setting(const char *name, char *buf);
static void say_no_tlv(const struct command *command, const struct reply *use, char *buf);

const char *answer_explain(const char *cmd, size_t cmd_len, const char *reply,
			   size_t reply_len, answer_ask *ask, void *arg,
			   char buf[ANSWER_TEXT_MAX])
{
	struct command command = { 0 };
	struct reply got, use;
	char asked[REPLY_MAX];
	bool nothing;

	if (!read_command(cmd, cmd_len, &command) || !read_reply(reply, reply_len, &got))
		return NULL;
	nothing = got.status == LLDPAD_SUCCESS && !got.len &&
		  command.code == LLDPAD_CMD_GET_TLV;
	if (got.status == LLDPAD_AGENT_NOT_SUPPORTED) {
		use.status = got.status;
	} else if ((got.status != LLDPAD_NOT_APPLICABLE && !nothing) ||
		   !ask_for_use(cmd, &command, ask, arg, asked, &use)) {
		return NULL;
	}
	buf[0] = '\0';
	if (use.status == LLDPAD_NOT_APPLICABLE)
		snprintf(buf, ANSWER_TEXT_MAX, "lldpad runs here without the module "
			 "vdp_migrate.so: it has no such settings and sends no such TLV");
	else if (use.status == LLDPAD_AGENT_NOT_SUPPORTED)
		snprintf(buf, ANSWER_TEXT_MAX,
			 "TLV and settings are the nearest customer bridge's: -g ncb");
	else if (use.status == LLDPAD_SUCCESS && *command.unknown)
		say_no_setting(command.unknown, buf);
	else if (use.status == LLDPAD_SUCCESS && nothing)
		say_no_tlv(&command, &use, buf);
	return *buf ? buf : NULL;
}

/* False: not about our TLV. */
static bool read_command(const char *text, size_t len, struct command *ret_command)
{
	struct rd r = rd_new(text, len, 0);
	struct command command = { 0 };
	uint32_t name_len, tlvid;

	if (rd_u8(&r, "message") != 'M')
		return false;
	rd_skip(&r, 8, "module");
	rd_skip(&r, 2, "message and version");
	command.code = hex_read(&r, 2, "code");
	command.options = hex_read(&r, 8, "options");
	name_len = hex_read(&r, 2, "length of the port's name");
	if (name_len >= sizeof(command.port))
		return false;
	rd_copy(&r, command.port, name_len, "port");
	rd_skip(&r, 2, "agent");
	tlvid = hex_read(&r, 8, "TLV ID");
	if (!rd_ok(&r) || tlvid != VDP_MIGRATE_TLVID ||
	    (command.code != LLDPAD_CMD_GET_TLV && command.code != LLDPAD_CMD_SET_TLV))
		return false;
	command.head = r.at;
	find_unknown(&r, &command);
	*ret_command = command;
	return true;
}

static void find_unknown(struct rd *r, struct command *command)
{
	char name[sizeof(command->unknown)];

	while (rd_left(r)) {
		uint32_t len = hex_read(r, 2, "length of a name");
		const uint8_t *p = rd_bytes(r, len, "name");

		if (command->options & OP_ARGVAL)
			rd_skip(r, hex_read(r, 4, "length of a value"), "value");
		if (!rd_ok(r))
			return;
		snprintf(name, sizeof(name), "%.*s", (int)len, (const char *)p);
		if (settings_help(name))
			continue;
		memcpy(command->unknown, name, sizeof(name));
		return;
	}
}

static bool read_reply(const char *text, size_t len, struct reply *ret_reply)
{
	struct rd r = rd_new(text, strnlen(text, len), 0);
	struct reply reply = { 0 };

	if (rd_u8(&r, "message") != 'R')
		return false;
	reply.status = hex_read(&r, 2, "status");
	rd_skip(&r, 2 + 2 + 8, "message, version, code and options");
	rd_skip(&r, hex_read(&r, 2, "length of the port's name"), "port");
	rd_skip(&r, 8, "TLV ID");
	if (!rd_ok(&r))
		return false;
	reply.result = text + r.at;
	reply.len = rd_left(&r);
	*ret_reply = reply;
	return true;
}

/* The same command, but it shows one setting. */
static bool ask_for_use(const char *cmd, const struct command *command, answer_ask *ask,
			void *arg, char *buf, struct reply *ret_reply)
{
	size_t len = REPLY_MAX;
	char own[128];
	int n;

	n = snprintf(own, sizeof(own), "%.11s%02x%08x%.*s%02zx%s", cmd,
		     LLDPAD_CMD_GET_TLV, OP_LOCAL | OP_ARG | OP_CONFIG,
		     (int)(command->head - 21), cmd + 21, strlen(ASKED_FOR), ASKED_FOR);
	return n > 0 && (size_t)n < sizeof(own) &&
	       !ask(arg, own, (size_t)n, buf, &len) && read_reply(buf, len, ret_reply);
}

static void say_no_setting(const char *name, char *buf)
{
	const char *known;
	size_t at;

	snprintf(buf, ANSWER_TEXT_MAX, "no setting '%s'; there are", name);
	for (unsigned n = 0; (known = settings_name(n)); n++) {
		at = strlen(buf);
		snprintf(buf + at, ANSWER_TEXT_MAX - at, "%s %s", n ? "," : "", known);
	}
}

static void say_no_tlv(const struct command *command, const struct reply *use, char *buf)
{
	const size_t value = strlen(ITS_VALUE) + 1;
	bool no = use->len > value && use->result[value] == 'n';

	if (command->options & OP_CONFIG)
		return;
	if (command->options & OP_NEIGHBOR)
		snprintf(buf, ANSWER_TEXT_MAX,
			 "the neighbour of %s sends no capability TLV", command->port);
	else
		snprintf(buf, ANSWER_TEXT_MAX, "%s sends no capability TLV: %s",
			 command->port, no ? "use=no" :
			 "advertise=no, or its part in VDP is not known yet");
}
