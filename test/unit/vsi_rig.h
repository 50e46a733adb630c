/* SPDX-License-Identifier: GPL-2.0-only */
/* What core/vsi's tests share: a table with one VSI, at port 1. */
#ifndef TEST_VSI_RIG_H
#define TEST_VSI_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vsi.h"

static const struct vsi_id uuid = {VSI_ID_UUID, {0xfa, 0x9b, 0x7f, 0xff}};
static const struct vsi_entry entry_1 = {{{0x52, 0x54, 0, 0, 0, 1}}, 0};

struct fixture {
	struct vsi_table *table;
	struct vsi *vsi;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->table = vsi_table_new();
	assert_non_null(f->table);
	f->vsi = vsi_get(f->table, 1, &uuid);
	assert_non_null(f->vsi);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	vsi_table_free(f->table);
	free(f);
	return 0;
}

#endif
