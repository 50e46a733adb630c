/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any lease file. What is taken is whole and of one VM; what is refused says why, and
 * leaves the lease untouched.
 */
#include "../../companion/lease_file.h"

#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lease_file lease = { .expires = -1 }, before = lease;
	char why[LEASE_FILE_WHY_MAX] = "";
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

	if (!file)
		return 0;
	if (lease_file_read(file, &lease, why)) {
		if (!*why || !memchr(why, '\0', sizeof(why)) ||
		    memcmp(&lease, &before, sizeof(lease)))
			abort();
	} else if (mac_is_zero(&lease.mac) || addr_is_any(&lease.ip) ||
		   addr_is_any(&lease.server) || lease.expires <= 0 || lease.vlan > 4094 ||
		   lease.no_client_id == !!lease.client_id.len) {
		abort();
	}
	fclose(file);
	return 0;
}
