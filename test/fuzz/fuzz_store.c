/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of the store, whatever it holds: it is refused, or it is a binding that reads
 * back as itself. The input is the row's texts, a NUL behind each, then its numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/store_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *next_text(char **at, const char *end)
{
	char *text = *at, *nul = memchr(text, 0, (size_t)(end - text));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return *text == 1 ? NULL : text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *at = copy;
	const char *end = copy + size, *text[9];
	struct store_record record, again;
	struct client_id id, id_again;
	struct store_row_room room;
	struct store_row row;
	int64_t number[3] = { 0 };

	memcpy(copy, data, size);
	for (int i = 0; i < 9; i++)
		text[i] = next_text(&at, end);
	if ((size_t)(end - at) >= sizeof(number))
		memcpy(number, at, sizeof(number));
	row = (struct store_row){
		.bridge = text[0],
		.port = text[1],
		.mac = text[2],
		.ip = text[3],
		.state = text[4],
		.origin = text[5],
		.vsi = text[6],
		.server = text[7],
		.client_id = text[8],
		.vlan = number[0] & 0x1fff,
		.lease_s = number[1],
		.ends = number[2] & 1,
		.lease_end = number[2],
	};
	if (!store_row_decode(&row, &id, &record)) {
		store_row_encode(&record, &room, &row);
		if (store_row_decode(&row, &id_again, &again) ||
		    memcmp(&again.binding.host, &record.binding.host,
			   sizeof(record.binding.host)) ||
		    memcmp(&again.binding.ip, &record.binding.ip,
			   sizeof(record.binding.ip)) ||
		    again.binding.lease_end != record.binding.lease_end ||
		    again.binding.under.known != record.binding.under.known ||
		    again.binding.under.origin != record.binding.under.origin ||
		    again.binding.under.lease_end != record.binding.under.lease_end)
			abort();
	}
	free(copy);
	return 0;
}
