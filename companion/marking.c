/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mark that is there already may say more of the VM's lease than we know: it stays.
 */
#include "marking.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link_client.h"
#include "table.h"
#include "wire/text.h"

#define WITHIN_MS 500 /* the association does not wait for a mark */

static bool is_marked(int fd, const struct vsi_id *id);
static int tell(int fd, uint8_t type, const struct vsi_id *id, const struct mac *mac,
		const char *tap, struct link_done *ret_done);
static void take_row(void *arg, bool head, const struct link_row *row);

static const struct link_answer_ops ops = { .row = take_row };

enum marking marking_set(const struct vsi_id *id, const struct mac *mac, const char *tap,
			 char *ret_why)
{
	enum marking marking = MARKING_NONE;
	struct link_done done = { .code = 0 };
	int fd = link_client_connect_within(WITHIN_MS);

	if (fd < 0) {
		snprintf(ret_why, LINK_TEXT_MAX, "%s",
			 fd == -ECONNREFUSED ? "engine not running"
			 : fd == -EAGAIN     ? "the engine does not answer"
					     : strerror(-fd));
		return MARKING_NONE;
	}
	if (is_marked(fd, id))
		marking = MARKING_WAS;
	else if (!tell(fd, LINK_MARK, id, mac, tap, &done) && !done.code)
		marking = MARKING_SET;
	else
		snprintf(ret_why, LINK_TEXT_MAX, "%s",
			 *done.text ? done.text : "the engine does not answer");
	close(fd);
	return marking;
}

void marking_unset(const struct vsi_id *id)
{
	struct link_done done;
	int fd = link_client_connect_within(WITHIN_MS);

	if (fd < 0)
		return;
	(void)tell(fd, LINK_UNMARK, id, &(struct mac){ 0 }, NULL, &done);
	close(fd);
}

static bool is_marked(int fd, const struct vsi_id *id)
{
	struct link_msg msg = { .type = LINK_SHOW };
	struct table marks = { 0 };
	struct link_done done;
	char text[VSI_ID_TEXT_MAX];
	bool found = false;

	msg.u.show = (struct link_show){ .seq = 1, .table = "marks" };
	(void)link_client_ask(fd, &msg, &ops, &marks, &done);
	vsi_id_text(id, text);
	for (unsigned i = 1; i < marks.rows && !found; i++)
		found = !strcmp(table_field(&marks, i, "vsi"), text);
	table_done(&marks);
	return found;
}

static int tell(int fd, uint8_t type, const struct vsi_id *id, const struct mac *mac,
		const char *tap, struct link_done *ret_done)
{
	struct link_msg msg = { .type = type };
	struct table none = { 0 };
	int err;

	msg.u.mark.seq = 2;
	msg.u.mark.id = *id;
	msg.u.mark.mac = *mac;
	if (tap)
		snprintf(msg.u.mark.tap, sizeof(msg.u.mark.tap), "%s", tap);
	err = link_client_ask(fd, &msg, &ops, &none, ret_done);
	table_done(&none);
	return err;
}

static void take_row(void *arg, bool head, const struct link_row *row)
{
	(void)head;
	(void)table_add(arg, row);
}
