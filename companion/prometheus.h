/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of counters (show counters) in the text exposition format 0.0.4 of
 * Prometheus: units in the names, what belongs together in one metric with a label.
 */
#ifndef COMPANION_PROMETHEUS_H
#define COMPANION_PROMETHEUS_H

#include "table.h"

void prometheus_print(const struct table *counters, FILE *to);

#endif
