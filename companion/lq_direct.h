/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A leasequery without the engine: a socket of our own on giaddr:67 for as long as it
 * takes.
 */
#ifndef COMPANION_LQ_DIRECT_H
#define COMPANION_LQ_DIRECT_H

#include "lq_replies.h"

/* Ask; the question's giaddr may be none: the address that the first server is reached
 * from, unless somebody else on this machine holds UDP port 67. 0; or -errno, with what
 * is wrong in *ret_why. */
int lq_direct(const struct lq_question *question, unsigned timeout_ms,
	      struct lq_replies *replies, const char **ret_why);

#endif
