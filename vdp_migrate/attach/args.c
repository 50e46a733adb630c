/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See args.h. lldpad asks the handlers of all modules, ours for foreign TLVs too:
 * then the answer is "not applicable". It calls test for every NAME=VALUE of a
 * command before it calls set for the first.
 *
 * Answers have lldpad's form. lldptool shows the text of a refusal too, but from
 * the 26th octet of lldpad's answer on, which is where the text starts if the
 * port's name has four letters.
 */
#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "spent.h"
#include "vdp_migrate/protocol.h"

#define ANSWER_HEAD (14 + 8)	/* of lldpad's answer, without the port's name */
#define SHOWN_FROM 26

static const struct host_events *ask;

static int get(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf, int obuf_len);
static int test(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf, int obuf_len);
static int set(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf, int obuf_len);
static int check(const struct lldpad_cmd *cmd, uint8_t code);
static int answer(const struct lldpad_cmd *cmd, enum host_set_result result, char *obuf,
		  int obuf_len);

struct lldpad_arg *args_make(const struct host_events *events)
{
	struct lldpad_arg *args;
	unsigned n = 0;

	while (events->setting_name && events->setting_name(n))
		n++;
	args = calloc(n + 1, sizeof(*args));
	if (!args)
		return NULL;
	ask = events;
	for (unsigned i = 0; i < n; i++)
		args[i] = (struct lldpad_arg){ (char *)events->setting_name(i),
					       LLDPAD_ARG_OF_TLV, get, set, test };
	return args;
}

static int get(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf, int obuf_len)
{
	int status = check(cmd, LLDPAD_CMD_GET_TLV);
	const char *now;

	(void)value;
	if (status)
		return status;
	now = ask->setting_get(cmd->ifname, arg);
	if (!now)
		return LLDPAD_NOT_APPLICABLE;
	snprintf(obuf, (size_t)obuf_len, "%02x%s%04x%s", (unsigned)strlen(arg), arg,
		 (unsigned)strlen(now), now);
	return LLDPAD_SUCCESS;
}

static int test(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf, int obuf_len)
{
	int status = check(cmd, LLDPAD_CMD_SET_TLV);

	if (status)
		return status;
	if (!value)
		return LLDPAD_BAD_PARAMS;
	log_forget();
	return answer(cmd, ask->setting_test(cmd->ifname, arg, value), obuf, obuf_len);
}

static int set(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf, int obuf_len)
{
	int status = check(cmd, LLDPAD_CMD_SET_TLV);

	if (status)
		return status;
	if (!value)
		return LLDPAD_BAD_PARAMS;
	log_forget();
	spent_begin();
	status = answer(cmd, ask->setting_set(cmd->ifname, arg, value), obuf, obuf_len);
	spent_end();
	if (status == LLDPAD_SUCCESS)
		snprintf(obuf, (size_t)obuf_len, "%s=%s\n", arg, value);
	return status;
}

static int check(const struct lldpad_cmd *cmd, uint8_t code)
{
	if (cmd->tlvid != VDP_MIGRATE_TLVID)
		return LLDPAD_NOT_APPLICABLE;
	if (cmd->code != code)
		return LLDPAD_INVALID;
	if (cmd->agent != LLDPAD_AGENT_CUSTOMER)
		return LLDPAD_AGENT_NOT_SUPPORTED;
	return LLDPAD_SUCCESS;
}

static int answer(const struct lldpad_cmd *cmd, enum host_set_result result, char *obuf,
		  int obuf_len)
{
	size_t at = ANSWER_HEAD + strnlen(cmd->ifname, sizeof(cmd->ifname));
	int pad = at < SHOWN_FROM ? (int)(SHOWN_FROM - at) : 0;

	if (result == HOST_SET_OK)
		return LLDPAD_SUCCESS;
	if (result == HOST_SET_NO_SUCH_NAME)
		return LLDPAD_NOT_APPLICABLE;
	/* Longer names leave a rest of the TLV ID in front: set the text off. */
	snprintf(obuf, (size_t)obuf_len, "%*s%s%s", pad, "", at > SHOWN_FROM ? ": " : "",
		 log_last());
	return result == HOST_SET_BAD_VALUE ? LLDPAD_BAD_PARAMS : LLDPAD_FAILED;
}
