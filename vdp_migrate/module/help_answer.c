/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See help_answer.h. What is refused comes again in each answer of the switch, and later
 * with another xid: a VSI's reason is logged once, within the limits of the port's log.
 */
#include "help_answer.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include "wire/text.h"

static void hear(struct help_answer *answer, ms_t now, struct port *port,
		 struct vsis_one *one);
static const char *why_not(const struct help_answer *answer, ms_t now,
			   const struct port *port, const struct vsis_one *one);
static const char *why_not_entries(const struct orgtlv_help *help,
				   const struct vsis_one *one);
static const struct vsi_entry *own_entry(const struct vsis_one *one,
					 const struct vsi_entry *wanted);
static void hand_on(struct help_answer *answer, const struct port *port,
		    const struct vsis_one *one);
static void refuse(struct help_answer *answer, ms_t now, struct port *port,
		   struct vsis_one *one, const char *why);
static void refuse_bad(struct help_answer *answer, ms_t now, struct port *port,
		       const struct rd_error *error);

bool help_answer_hear(struct help_answer *answer, ms_t now, struct port *port,
		      const uint8_t *pdu, const struct vdp22 *decoded)
{
	struct rd_error error;
	bool found = false;
	struct rd value;
	size_t at = 0;

	while (vdp22_next_org(pdu, decoded, &at, &value)) {
		int rc = orgtlv_get_help(value, &answer->help, &error);

		if (rc == -ENOENT)
			continue;
		found = true;
		if (rc)
			refuse_bad(answer, now, port, &error);
		else
			hear(answer, now, port,
			     vsis_find(&port->vsis, &answer->help.id));
	}
	return found && !decoded->n;
}

void help_answer_forget(struct ports *ports)
{
	for (struct port *port = ports->first; port; port = port->next)
		for (struct vsis_one *one = port->vsis.first; one; one = one->next)
			one->asked_for_help.any = false;
}

static void hear(struct help_answer *answer, ms_t now, struct port *port,
		 struct vsis_one *one)
{
	const char *why = why_not(answer, now, port, one);

	if (why) {
		refuse(answer, now, port, one, why);
		return;
	}
	if (one->asked_for_help.any && one->asked_for_help.xid == answer->help.xid) {
		counters_add(answer->counters, COUNT_HELP_REPEATED, 1);
		return;
	}
	if (!limit_rate(&one->asked_for_help.rate, now, HELP_VSI_EVERY_MS,
			HELP_VSI_BURST)) {
		refuse(answer, now, port, one, "too many for this VSI");
		return;
	}
	if (!limit_rate(&port->help_rate, now, HELP_PORT_EVERY_MS, HELP_PORT_BURST)) {
		refuse(answer, now, port, one, "too many on this port");
		return;
	}
	one->asked_for_help.any = true;
	one->asked_for_help.refused = NULL;
	one->asked_for_help.xid = answer->help.xid;
	hand_on(answer, port, one);
}

/* NULL: it may be handed on. */
static const char *why_not(const struct help_answer *answer, ms_t now,
			   const struct port *port, const struct vsis_one *one)
{
	if (!settings_assist_help(&port->settings))
		return "assist is not set to help here";
	if (!(answer->help.flags & (ORGTLV_HELP_DHCP4 | ORGTLV_HELP_DHCP6)))
		return "it wants nothing that is known here";
	if (!one)
		return "no such VSI here";
	if (!marks_has(answer->marks, now, &one->id))
		return "it is not marked as migrating in";
	if (vsis_confirmed(one) && !one->marked)
		return "it was associated before it was marked";
	if (vsis_confirmed(one) && now - one->confirmed_at > HELP_YOUNG_MS)
		return "it has arrived long ago";
	return why_not_entries(&answer->help, one);
}

static const char *why_not_entries(const struct orgtlv_help *help,
				   const struct vsis_one *one)
{
	unsigned i;

	for (i = 0; i < help->n_entries; i++)
		if (mac_is_zero(&help->entries[i].mac) ||
		    !own_entry(one, &help->entries[i]))
			return "a MAC address is not the VSI's";
	for (i = 0; !help->n_entries && i < one->n_entries; i++)
		if (!mac_is_zero(&one->entries[i].mac))
			return "it names no MAC address";
	return NULL;
}

/* Of this MAC, best of this VLAN too; NULL: none. */
static const struct vsi_entry *own_entry(const struct vsis_one *one,
					 const struct vsi_entry *wanted)
{
	const struct vsi_entry *own = NULL;

	for (unsigned i = 0; i < one->n_entries; i++) {
		if (!mac_equal(&one->entries[i].mac, &wanted->mac))
			continue;
		if (!own || one->entries[i].vlan == wanted->vlan)
			own = &one->entries[i];
	}
	return own;
}

static void hand_on(struct help_answer *answer, const struct port *port,
		    const struct vsis_one *one)
{
	const struct orgtlv_help *help = &answer->help;
	struct link_help *said = &answer->msg.u.help;

	answer->msg.type = LINK_HELP_ASKED;
	memcpy(said->port, port->name, sizeof(said->port));
	said->dhcp4 = help->flags & ORGTLV_HELP_DHCP4;
	said->dhcp6 = help->flags & ORGTLV_HELP_DHCP6;
	said->giaddr = help->giaddr;
	said->apart = help->flags & ORGTLV_HELP_APART;
	said->xid = help->xid;
	said->id = help->id;
	said->n_entries = help->n_entries;
	for (unsigned i = 0; i < help->n_entries; i++)
		said->entries[i] = *own_entry(one, &help->entries[i]);
	counters_add(answer->counters, COUNT_HELP_HANDED_ON, 1);
	answer->asked(answer->arg, &answer->msg);
}

static void refuse(struct help_answer *answer, ms_t now, struct port *port,
		   struct vsis_one *one, const char *why)
{
	char id[VSI_ID_TEXT_MAX], before[40] = "";
	unsigned kept_back;

	counters_add(answer->counters, COUNT_HELP_REFUSED, 1);
	if (one && one->asked_for_help.refused == why)
		return;
	if (!limit_pass(&port->limit[LIMIT_HELP], now, &kept_back))
		return;
	if (one)
		one->asked_for_help.refused = why;
	if (kept_back)
		snprintf(before, sizeof(before), " (and %u before it)", kept_back);
	host_log(LOG_WARNING, "%s vsi %s: help request refused: %s%s", port->name,
		 vsi_id_text(&answer->help.id, id), why, before);
}

static void refuse_bad(struct help_answer *answer, ms_t now, struct port *port,
		       const struct rd_error *error)
{
	unsigned kept_back;

	counters_add(answer->counters, COUNT_HELP_REFUSED, 1);
	if (limit_pass(&port->limit[LIMIT_HELP], now, &kept_back))
		host_log(LOG_WARNING, "%s: help request refused: bad %s at octet %zu",
			 port->name, error->what, error->at);
}
