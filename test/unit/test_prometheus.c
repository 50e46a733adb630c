/* SPDX-License-Identifier: GPL-2.0-only */
/* companion/prometheus: the table of counters in Prometheus's text format. */
#include "companion/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME(n) "vdp_migrate_" n

static void add(struct table *table, const char *counter, const char *value)
{
	struct link_row row = { .n = 2 };

	row.field[0].s = counter;
	row.field[0].len = (uint16_t)strlen(counter);
	row.field[1].s = value;
	row.field[1].len = (uint16_t)strlen(value);
	assert_int_equal(table_add(table, &row), 0);
}

/* Pairs of counter and value, NULL at the end. */
static void prints(const char *const *pairs, const char *wanted)
{
	struct table table = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	add(&table, "counter:s", "value:n");
	for (; *pairs; pairs += 2)
		add(&table, pairs[0], pairs[1]);
	prometheus_print(&table, to);
	fclose(to);
	assert_string_equal(text, wanted);
	free(text);
	table_done(&table);
}

static void counter_has_help_type_and_total(void **state)
{
	static const char *const pairs[] = { "frames_lost", "7", NULL };

	(void)state;
	prints(pairs, "# HELP " NAME("frames_lost_total")
		      " Frames that found the socket's buffer full.\n"
		      "# TYPE " NAME("frames_lost_total") " counter\n"
		      NAME("frames_lost_total") " 7\n");
}

static void rows_of_a_metric_stand_together(void **state)
{
	static const char *const pairs[] = {
		"group_queries_mld", "2", "bindings", "18446744073709551615",
		"group_queries_igmp", "1", NULL,
	};

	(void)state;
	prints(pairs, "# HELP " NAME("bindings") " Bindings in the table now.\n"
		      "# TYPE " NAME("bindings") " gauge\n"
		      NAME("bindings") " 18446744073709551615\n"
		      "# HELP " NAME("group_queries_total")
		      " Membership queries sent to VMs that migrated in.\n"
		      "# TYPE " NAME("group_queries_total") " counter\n"
		      NAME("group_queries_total{protocol=\"igmp\"} 1\n")
		      NAME("group_queries_total{protocol=\"mld\"} 2\n"));
}

static void histogram_ends_with_infinity_sum_and_count(void **state)
{
	static const char *const pairs[] = {
		"restorations_within_1_ms", "3", "restorations_within_5000_ms", "4",
		"restorations", "5", "restoration_ms", "61007", NULL,
	};

	(void)state;
	prints(pairs, "# HELP " NAME("restoration_seconds")
		      " Time from a VSI's first request with the M-bit to its bindings in "
		      "the kernel.\n"
		      "# TYPE " NAME("restoration_seconds") " histogram\n"
		      NAME("restoration_seconds_bucket{le=\"0.001\"} 3\n")
		      NAME("restoration_seconds_bucket{le=\"5\"} 4\n")
		      NAME("restoration_seconds_bucket{le=\"+Inf\"} 5\n")
		      NAME("restoration_seconds_count") " 5\n"
		      NAME("restoration_seconds_sum") " 61.007\n");
}

static void times_in_us_are_seconds_too(void **state)
{
	static const char *const pairs[] = {
		"loop_holds_within_50_us", "8", "loop_holds", "9",
		"loop_hold_us", "1000432", "loop_hold_us_max", "310",
		"loop_hold_us_max_at_a_set", "2000000", NULL,
	};

	(void)state;
	prints(pairs, "# HELP " NAME("lldpad_loop_hold_seconds")
		      " How long the module has kept lldpad's loop, in each turn in "
		      "which it had something to do.\n"
		      "# TYPE " NAME("lldpad_loop_hold_seconds") " histogram\n"
		      NAME("lldpad_loop_hold_seconds_bucket{le=\"0.000050\"} 8\n")
		      NAME("lldpad_loop_hold_seconds_bucket{le=\"+Inf\"} 9\n")
		      NAME("lldpad_loop_hold_seconds_count") " 9\n"
		      NAME("lldpad_loop_hold_seconds_sum") " 1.000432\n"
		      "# HELP " NAME("lldpad_loop_hold_max_seconds")
		      " The longest of these times; and of turns that attach or store a "
		      "setting.\n"
		      "# TYPE " NAME("lldpad_loop_hold_max_seconds") " gauge\n"
		      NAME("lldpad_loop_hold_max_seconds{at=\"frames\"} 0.000310\n")
		      NAME("lldpad_loop_hold_max_seconds{at=\"set\"} 2\n"));
}

static void port_is_a_label_whatever_its_name(void **state)
{
	static const char *const pairs[] = {
		"guard_put_back", "1", "guard_eth_0_ipv4", "2", "guard_a\"b\\_arp", "3",
		"guard_commits_other", "4", NULL,
	};

	(void)state;
	prints(pairs, "# HELP " NAME("guard_put_back_total")
		      " Changes of the guard's table by somebody else that were put right.\n"
		      "# TYPE " NAME("guard_put_back_total") " counter\n"
		      NAME("guard_put_back_total") " 1\n"
		      "# HELP " NAME("guard_packets_total")
		      " Frames that the guard dropped (monitor: would have), by what they are.\n"
		      "# TYPE " NAME("guard_packets_total") " counter\n"
		      NAME("guard_packets_total{port=\"eth_0\",ethertype=\"ipv4\"} 2\n")
		      NAME("guard_packets_total{port=\"a\\\"b\\\\\",ethertype=\"arp\"} 3\n")
		      NAME("guard_packets_total{port=\"commits\",ethertype=\"other\"} 4\n"));
}

static void unknown_counter_is_shown_untyped(void **state)
{
	static const char *const pairs[] = { "of_tomorrow", "9", "leasequery_delayed_p1", "2",
					     NULL };

	(void)state;
	prints(pairs, "# HELP " NAME("leasequery_delayed_total")
		      " Questions that max-rate has held up.\n"
		      "# TYPE " NAME("leasequery_delayed_total") " counter\n"
		      NAME("leasequery_delayed_total{port=\"p1\"} 2\n")
		      NAME("other{counter=\"of_tomorrow\"} 9\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_has_help_type_and_total),
		cmocka_unit_test(rows_of_a_metric_stand_together),
		cmocka_unit_test(histogram_ends_with_infinity_sum_and_count),
		cmocka_unit_test(times_in_us_are_seconds_too),
		cmocka_unit_test(port_is_a_label_whatever_its_name),
		cmocka_unit_test(unknown_counter_is_shown_untyped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
