/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lldptool leaves unsaid: a stock lldpad answers a command about our TLV with
 * "not applicable", or with nothing at all. Why, is found out by asking for a setting.
 */
#ifndef LLDPTOOL_EXT_ANSWER_H
#define LLDPTOOL_EXT_ANSWER_H

#include <stddef.h>

#define ANSWER_TEXT_MAX 512

/* Has lldpad answer a command of our own: 0, and the reply, *reply_len its room, then
 * its length. */
typedef int answer_ask(void *arg, const char *cmd, size_t len, char *reply,
		       size_t *reply_len);

/* One line on why this command got this reply, in buf; NULL: nothing to add, or the
 * command is not about our TLV. */
const char *answer_explain(const char *cmd, size_t cmd_len, const char *reply,
			   size_t reply_len, answer_ask *ask, void *arg,
			   char buf[ANSWER_TEXT_MAX]);

#endif
