/* SPDX-License-Identifier: GPL-2.0-only */
/* Each message of link.h comes out as it went in; nothing else comes out. */
#include "wire/linkmsg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "vdp_migrate/leasequery.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define BODY_AT 4

static uint8_t buf[LINK_DATAGRAM_MAX];
static struct link_msg in, out;
static struct rd_error error;

static size_t put(void)
{
	struct wr w = wr_new(buf, sizeof(buf));

	assert_true(linkmsg_put(&w, &in));
	assert_true(wr_ok(&w));
	return w.at;
}

static int get(size_t len)
{
	struct rd r = rd_new(buf, len, 0);

	error = (struct rd_error){ 0 };
	return linkmsg_get(&r, &out, &error);
}

static struct link_msg *fresh(uint8_t type)
{
	memset(&in, 0, sizeof(in));
	in.type = type;
	return &in;
}

/* What comes out equals what went in, unused octets too; every cut of it is bad. */
static size_t assert_same(void)
{
	size_t len = put();

	memset(&out, 0xa5, sizeof(out));
	assert_int_equal(get(len), 1);
	assert_int_equal(out.type, in.type);
	assert_memory_equal(&out.u, &in.u, sizeof(in.u));
	for (size_t cut = 1; cut < len; cut++)
		assert_int_equal(get(cut), -EBADMSG);
	return len;
}

static void fill_port(void)
{
	struct link_port *p = &fresh(LINK_PORT)->u.port;

	strcpy(p->name, "p1");
	p->role = LINK_ROLE_BRIDGE;
	p->up = true;
	p->assist = LINK_ASSIST_LEASEQUERY;
	p->guard = LINK_GUARD_ENFORCE;
	p->trusted = true;
	p->n_keys = 2;
	p->keys[0] = LQ_BY_REMOTE_ID;
	p->keys[1] = LQ_BY_MAC;
	p->peer_version = 1;
	p->peer_role = 1;
	p->keepalive_ms = 15755;
	p->n_servers = LINK_SERVERS_MAX;
	for (unsigned i = 0; i < LINK_SERVERS_MAX; i++) {
		p->servers[i].vlan = i ? (uint16_t)i : LINK_VLAN_ANY;
		addr_parse(i & 1 ? "2001:db8::1" : "10.77.1.1", &p->servers[i].addr);
	}
	p->n_giaddrs = 1;
	p->giaddrs[0].vlan = LINK_VLAN_ANY;
	addr_parse("10.77.1.254", &p->giaddrs[0].addr);
	p->groups = LINK_GROUPS_MLD;
	p->n_schedule = 2;
	p->schedule[1] = 3000;
	p->conflict = LINK_CONFLICT_VERIFY;
	p->max_rate = 100;
	p->hold_ms = 10;
}

static void fill_vsi(uint16_t n)
{
	struct link_vsi *v = &fresh(LINK_VSI)->u.vsi;

	strcpy(v->port, "fifteen-letters");
	v->what = LINK_VSI_REQUEST;
	v->mode = VDP22_PRE;
	v->status = VDP_STATUS_M;
	vsi_id_parse("fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", &v->id);
	v->n_entries = n;
	for (uint16_t i = 0; i < n; i++) {
		v->entries[i].mac.b[5] = (uint8_t)i;
		v->entries[i].vlan = i;
	}
}

static void fill_mark(uint8_t type)
{
	struct link_mark *m = &fresh(type)->u.mark;

	m->seq = 0xdeadbeef;
	vsi_id_parse("fa9b7fff-b0a0-4893-abcd-beef4ff18f8f", &m->id);
	mac_parse("52:54:00:00:00:01", &m->mac);
	addr_parse("10.77.1.100", &m->ip);
	client_id_parse("01525400000001", &m->client_id);
	m->ttl_s = 86400;
}

static void a_hello_comes_out_as_it_went_in(void **state)
{
	(void)state;
	fresh(LINK_HELLO)->u.hello.who = LINK_MODULE;
	in.u.hello.pid = 4711;
	assert_int_equal(assert_same(), 9);
	assert_memory_equal(buf, "\x01\x02\x00\x05\x01\x00\x00\x12\x67", 9);
}

static void messages_without_a_body_do_too(void **state)
{
	(void)state;
	fresh(LINK_REPLAY);
	assert_int_equal(assert_same(), BODY_AT);
	fresh(LINK_REPLAY_END);
	assert_same();
}

static void a_port_does_too(void **state)
{
	(void)state;
	fill_port();
	assert_same();
	strcpy(fresh(LINK_PORT)->u.port.name, "p2");
	in.u.port.gone = true;
	assert_same();
}

static void a_vsi_with_any_number_of_entries_does_too(void **state)
{
	(void)state;
	fill_vsi(1);
	assert_same();
	fill_vsi(0);
	assert_same();
	fill_vsi(VSI_ENTRIES_MAX);
	assert_same();
}

static void forgotten_counter_and_show_do_too(void **state)
{
	(void)state;
	strcpy(fresh(LINK_FORGOTTEN)->u.forgotten, "p1");
	assert_same();
	fresh(LINK_FORGOTTEN);
	assert_same();
	strcpy(fresh(LINK_COUNTER)->u.counter.name, "dropped");
	in.u.counter.value = 0x0102030405060708ull;
	assert_same();
	strcpy(fresh(LINK_SHOW)->u.show.table, "bindings");
	in.u.show.seq = 7;
	assert_same();
}

static void set_and_cases_do_too(void **state)
{
	(void)state;
	strcpy(fresh(LINK_SET)->u.set.name, "guard");
	strcpy(in.u.set.value, "enforce!");
	in.u.set.seq = 7;
	assert_same();
	strcpy(fresh(LINK_CASES)->u.cases.port, "p1");
	in.u.cases.complete = true;
	in.u.cases.n = 3;
	assert_same();
	in.u.cases.n_named = LINK_CASES_NAMED;
	memset(in.u.cases.named, 0x52, sizeof(in.u.cases.named));
	assert_same();
}

static void marks_do_too_with_and_without_what_is_known(void **state)
{
	(void)state;
	fill_mark(LINK_MARK);
	assert_same();
	fill_mark(LINK_UNMARK);
	addr_parse("2001:db8::1", &in.u.mark.ip);
	in.u.mark.client_id.len = 255;
	memset(in.u.mark.client_id.b, 0x5a, 255);
	assert_same();
	fresh(LINK_MARK)->u.mark.seq = 1;
	in.u.mark.no_client_id = true;
	addr_parse("10.77.1.1", &in.u.mark.server);
	strcpy(in.u.mark.tap, "vnet0");
	assert_same();
}

static void fill_help(uint16_t n)
{
	struct link_help *help = &fresh(LINK_HELP)->u.help;

	strcpy(help->port, "p1");
	help->dhcp4 = true;
	addr_parse("10.77.1.254", &help->giaddr);
	help->apart = true;
	help->xid = 0x01020304;
	help->id.format = VSI_ID_UUID;
	help->n_entries = n;
	for (unsigned i = 0; i < n && i < LINK_HELP_ENTRIES_MAX; i++)
		help->entries[i].vlan = (uint16_t)i;
}

static void help_ready_and_suspend_do_too(void **state)
{
	struct wr w = wr_new(buf, sizeof(buf));

	(void)state;
	fill_help(1);
	assert_same();
	fill_help(0);
	in.type = LINK_HELP_ASKED;
	assert_same();
	fill_help(LINK_HELP_ENTRIES_MAX);
	assert_same();
	fill_help(LINK_HELP_ENTRIES_MAX + 1);
	assert_false(linkmsg_put(&w, &in));
	strcpy(fresh(LINK_READY)->u.vsi_of.port, "p1");
	in.u.vsi_of.id.format = VSI_ID_UUID;
	assert_same();
	in.type = LINK_HELP_END;
	assert_same();
	fresh(LINK_SUSPEND)->u.suspend.seq = 7;
	in.u.suspend.id.b[15] = 1;
	assert_same();
}

static void done_carries_its_code_and_text(void **state)
{
	(void)state;
	fresh(LINK_DONE)->u.done.code = ENOENT;
	memset(in.u.done.text, 'x', LINK_TEXT_MAX - 1);
	assert_same();
	fresh(LINK_DONE)->u.done.code = -1;
	assert_same();
}

static void a_row_borrows_its_fields_from_the_datagram(void **state)
{
	static const char *const fields[] = { "p1", "", "52:54:00:00:00:01" };
	struct wr w = wr_new(buf, sizeof(buf));

	(void)state;
	assert_true(linkmsg_put_row(&w, LINK_ROW, 9, fields, 3));
	for (size_t cut = 1; cut < w.at; cut++)
		assert_int_equal(get(cut), -EBADMSG);
	assert_int_equal(get(w.at), 1);
	assert_int_equal(out.type, LINK_ROW);
	assert_int_equal(out.u.row.seq, 9);
	assert_int_equal(out.u.row.n, 3);
	assert_int_equal(out.u.row.field[1].len, 0);
	assert_int_equal(out.u.row.field[2].len, 17);
	assert_memory_equal(out.u.row.field[2].s, fields[2], 17);
	assert_true((const uint8_t *)out.u.row.field[2].s > buf);
}

static void a_row_of_too_many_fields_or_of_another_type_is_refused(void **state)
{
	const char *fields[LINK_COLUMNS_MAX + 1];
	struct wr w = wr_new(buf, sizeof(buf));

	(void)state;
	for (unsigned i = 0; i <= LINK_COLUMNS_MAX; i++)
		fields[i] = "f";
	assert_false(linkmsg_put_row(&w, LINK_ROW, 1, fields, LINK_COLUMNS_MAX + 1));
	assert_false(linkmsg_put_row(&w, LINK_SHOW, 1, fields, 1));
	fresh(LINK_ROW)->u.row.n = LINK_COLUMNS_MAX + 1;
	assert_false(linkmsg_put(&w, &in));
	assert_int_equal(w.at, 0);
	assert_true(linkmsg_put_row(&w, LINK_HEAD, 1, fields, LINK_COLUMNS_MAX));
}

static void what_does_not_fit_leaves_the_writer_as_it_was(void **state)
{
	size_t len;

	(void)state;
	fill_mark(LINK_MARK);
	len = put();
	for (size_t room = 0; room < len; room++) {
		struct wr w = wr_new(buf, 3 + room);

		wr_zero(&w, 3);
		assert_false(linkmsg_put(&w, &in));
		assert_int_equal(w.at, 3);
		assert_true(wr_ok(&w));
	}
}

static void what_no_reader_would_take_is_not_written(void **state)
{
	struct wr w = wr_new(buf, sizeof(buf));

	(void)state;
	fresh(0);
	assert_false(linkmsg_put(&w, &in));
	fresh(LINK_HELP_ASKED + 1);
	assert_false(linkmsg_put(&w, &in));
	fill_vsi(1);
	in.u.vsi.n_entries = VSI_ENTRIES_MAX + 1;
	assert_false(linkmsg_put(&w, &in));
	fill_vsi(1);
	memset(in.u.vsi.port, 'x', sizeof(in.u.vsi.port));
	assert_false(linkmsg_put(&w, &in));
	fill_port();
	in.u.port.n_servers = LINK_SERVERS_MAX + 1;
	assert_false(linkmsg_put(&w, &in));
	fill_port();
	in.u.port.servers[0].addr.family = 3;
	assert_false(linkmsg_put(&w, &in));
	assert_int_equal(w.at, 0);
	assert_true(wr_ok(&w));
}

static void several_messages_of_a_datagram_come_out_in_order(void **state)
{
	struct wr w = wr_new(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(linkmsg_put(&w, fresh(LINK_REPLAY)));
	fill_port();
	assert_true(linkmsg_put(&w, &in));
	assert_true(linkmsg_put(&w, fresh(LINK_REPLAY_END)));
	r = rd_new(buf, w.at, 0);
	assert_int_equal(linkmsg_get(&r, &out, &error), 1);
	assert_int_equal(out.type, LINK_REPLAY);
	assert_int_equal(linkmsg_get(&r, &out, &error), 1);
	assert_int_equal(out.type, LINK_PORT);
	assert_int_equal(linkmsg_get(&r, &out, &error), 1);
	assert_int_equal(out.type, LINK_REPLAY_END);
	assert_int_equal(linkmsg_get(&r, &out, &error), 0);
	assert_int_equal(linkmsg_get(&r, &out, &error), 0);
}

static void another_version_is_told_apart_before_anything_else(void **state)
{
	(void)state;
	memcpy(buf, (const uint8_t[]){ 0xee, LINK_VERSION + 1, 0xff }, 3);
	assert_int_equal(get(3), -EPROTO);
	assert_int_equal(get(2), -EPROTO);
	assert_string_equal(error.what, "version");
	assert_int_equal(error.at, 1);
	assert_int_equal(get(1), -EBADMSG);
}

static void an_unknown_type_of_the_right_version_is_bad(void **state)
{
	(void)state;
	memcpy(buf, (const uint8_t[]){ 0xee, LINK_VERSION, 0, 0 }, 4);
	assert_int_equal(get(4), -EBADMSG);
	assert_string_equal(error.what, "message type");
	assert_int_equal(error.at, 0);
	buf[0] = 0;
	assert_int_equal(get(4), -EBADMSG);
}

static void octets_behind_the_last_field_are_bad(void **state)
{
	size_t len;

	(void)state;
	fill_mark(LINK_MARK);
	len = put();
	buf[3]++;
	assert_int_equal(get(len + 1), -EBADMSG);
	assert_string_equal(error.what, "end of message");
	assert_int_equal(error.at, len);
}

static void fields_out_of_range_are_bad_and_leave_the_output(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} row[] = {
		{ 8, 3, "role" },      { 9, 2, "up" },	   { 10, 2, "gone" },
		{ 11, 4, "assist" },   { 12, 3, "guard" }, { 13, 2, "guard anyway" },
		{ 14, 2, "trusted" },  { 15, 2, "remote-id as text" },
		{ 16, 5, "number of keys" },
		{ 26, 9, "number of servers" },
	};
	size_t len;

	(void)state;
	memset(&out, 0xa5, sizeof(out));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		fill_port();
		len = put();
		buf[row[i].at] = row[i].value;
		assert_int_equal(get(len), -EBADMSG);
		assert_string_equal(error.what, row[i].what);
		assert_int_equal(out.type, 0xa5);
	}
	fill_port();
	len = put();
	buf[BODY_AT + 3] = '\0'; /* within the name */
	assert_int_equal(get(len), -EBADMSG);
	assert_string_equal(error.what, "port");
	fill_vsi(1);
	len = put();
	buf[BODY_AT + 1] = VM_IFNAME_MAX;
	assert_int_equal(get(len), -EBADMSG);
	assert_string_equal(error.what, "port");
	fill_vsi(1);
	len = put();
	buf[len - 9] = VSI_ENTRIES_MAX + 1;
	assert_int_equal(get(len), -EBADMSG);
	assert_string_equal(error.what, "number of entries");
	fresh(LINK_HELLO);
	assert_int_equal(get(put()), -EBADMSG); /* who: nobody */
	assert_string_equal(error.what, "who");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hello_comes_out_as_it_went_in),
		cmocka_unit_test(messages_without_a_body_do_too),
		cmocka_unit_test(a_port_does_too),
		cmocka_unit_test(a_vsi_with_any_number_of_entries_does_too),
		cmocka_unit_test(forgotten_counter_and_show_do_too),
		cmocka_unit_test(set_and_cases_do_too),
		cmocka_unit_test(marks_do_too_with_and_without_what_is_known),
		cmocka_unit_test(help_ready_and_suspend_do_too),
		cmocka_unit_test(done_carries_its_code_and_text),
		cmocka_unit_test(a_row_borrows_its_fields_from_the_datagram),
		cmocka_unit_test(a_row_of_too_many_fields_or_of_another_type_is_refused),
		cmocka_unit_test(what_does_not_fit_leaves_the_writer_as_it_was),
		cmocka_unit_test(what_no_reader_would_take_is_not_written),
		cmocka_unit_test(several_messages_of_a_datagram_come_out_in_order),
		cmocka_unit_test(another_version_is_told_apart_before_anything_else),
		cmocka_unit_test(an_unknown_type_of_the_right_version_is_bad),
		cmocka_unit_test(octets_behind_the_last_field_are_bad),
		cmocka_unit_test(fields_out_of_range_are_bad_and_leave_the_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
