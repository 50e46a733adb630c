/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See delay.h. A timer keeps the values that were in force when it was started, so
 * the maximum of the whole generation counts; there is no upper bound: data that
 * are freed too early are what kills stock lldpad.
 */
#include "delay.h"

#define ECP_MIN 10000		/* what is queued is still sent, each up to 4 times */
#define VDP_MIN 5000
#define VDP_UNKNOWN 60000
#define ECP_RTE 8		/* with which stock begins, before EVB says another */

static struct host_evb longest;
static bool known;

static ms_t units(unsigned exponent);
static uint8_t larger(uint8_t a, uint8_t b);

void delay_reset(void)
{
	longest = (struct host_evb){ 0 };
	known = false;
}

void delay_note(const struct host_evb *evb)
{
	longest.retries = larger(longest.retries, evb->retries);
	longest.rte = larger(longest.rte, evb->rte);
	longest.rwd = larger(longest.rwd, evb->rwd);
	longest.rka = larger(longest.rka, evb->rka);
	known = true;
}

ms_t delay_ecp(void)
{
	/* A thousand VDPDUs in the queue, none acknowledged. */
	ms_t delay = 1000 * (1 + (ms_t)longest.retries) * units(longest.rte) / 100;

	return delay > ECP_MIN ? delay : ECP_MIN;
}

int64_t delay_ecp_timer_us(uint8_t rte)
{
	return 10 * units(rte ? rte : ECP_RTE);
}

ms_t delay_vdp(void)
{
	ms_t wait = units(larger(longest.rwd, longest.rka));
	ms_t sending = (1 + 2 * (ms_t)longest.retries) * units(longest.rte);
	ms_t timeout = (wait + sending) * 3 / 2;	/* 802.1Q 41.5.5.7, 41.5.5.9 */
	ms_t delay = 2 * (wait + timeout) / 100;

	if (!known)
		return VDP_UNKNOWN;
	return delay > VDP_MIN ? delay : VDP_MIN;
}

/* 2^exponent, in units of 10 us; stock takes exponents up to 31. */
static ms_t units(unsigned exponent)
{
	return (ms_t)1 << (exponent > 31 ? 31 : exponent);
}

static uint8_t larger(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}
