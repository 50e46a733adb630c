/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the timers of a dead generation can still run: from the longest values
 * that EVB has given its ports (exponents, unit 10 us, IEEE 802.1Q D.2.13).
 */
#ifndef ATTACH_DELAY_H
#define ATTACH_DELAY_H

#include "vdp_migrate/host.h"

void delay_reset(void);
void delay_note(const struct host_evb *evb);

ms_t delay_ecp(void);
/* ECP22's timer for one frame, on a port to which EVB has said this (0: nothing yet). */
int64_t delay_ecp_timer_us(uint8_t rte);
ms_t delay_vdp(void);

#endif
