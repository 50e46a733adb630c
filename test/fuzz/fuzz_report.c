/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any frame, as IGMP or MLD. Of what decodes each record lies within the frame, in order,
 * and all that were announced are there; nothing else has records.
 */
#include "wire/igmp.h"
#include "wire/mld.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct report report, const uint8_t *data, size_t size)
{
	unsigned announced = report.n_records, n = 0;
	struct report_record record;
	size_t last = 0;

	if (report.what != REPORT_RECORDS && announced)
		abort();
	for (; report_next(&report, &record); n++) {
		if (record.group.family != report.family)
			abort();
		if (record.n_sources) {
			size_t at = rd_at(&record.sources), left = rd_left(&record.sources);

			if (at < last || at + left > size || record.sources.p != data + at ||
			    left != record.n_sources * (report.family == ADDR_IPV6 ? 16u : 4u))
				abort();
			last = at;
		}
		for (unsigned i = 0; i < record.n_sources; i++)
			if (report_source(&record).family != report.family)
				abort();
		if (!rd_ok(&record.sources))
			abort();
	}
	if (n != announced)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd_error error = { 0 };
	struct inet_frame frame;
	struct report report;

	if (inet_decode(data, size, &frame, NULL))
		return 0;
	for (int mld = 0; mld < 2; mld++) {
		int err = mld ? mld_decode(&frame, &report, &error)
			      : igmp_decode(&frame, &report, &error);

		if (!err)
			check(report, data, size);
		else if (error.at > size)
			abort();
	}
	return 0;
}
