/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See help_ask.h. The engine wants help a little after the request came in, and stock
 * answers 2 ms after it: so mostly there is an answer to ride in.
 */
#include "help_ask.h"
#include "hold.h"

#include "vdp_migrate/protocol.h"
#include "wire/orgtlv_help.h"
#include "wire/vdp22.h"

/* Longer than an answer can be held back; stock does not answer each request. */
#define WAIT_MS 1000
#define ALONE_MAX (VDP22_EMPTY_LEN + 2 + ORGTLV_HELP_LEN_MAX)

static bool may_ask(const struct port *port);
static bool keep(struct port *port, struct vsis_one *one, const struct link_help *wanted);
static void send_alone(struct counters *counters, struct port *port, struct vsis_one *one);

void help_ask(struct counters *counters, ms_t now, struct port *port,
	      const struct link_help *wanted)
{
	struct vsis_one *one = port ? vsis_find(&port->vsis, &wanted->id) : NULL;

	if (!one || !may_ask(port) || !keep(port, one, wanted)) {
		counters_add(counters, COUNT_HELP_NOT_SENT, 1);
		return;
	}
	one->help.since = now;
	/* The answer that waits for its bindings is there already. */
	if (hold_add_org(one, one->help.tlv, one->help.len)) {
		one->help.waits = false;
		counters_add(counters, COUNT_HELP_IN_ANSWER, 1);
		return;
	}
	one->help.waits = one->asked;
	if (!one->help.waits)
		send_alone(counters, port, one);
}

void help_ask_end(struct port *port, const struct vsi_id *id)
{
	struct vsis_one *one = port ? vsis_find(&port->vsis, id) : NULL;

	if (one)
		(void)vsis_set_help(&port->vsis, one, NULL, 0);
}

void help_ask_forget(struct ports *ports)
{
	for (struct port *port = ports->first; port; port = port->next) {
		struct vsis_one *one = port->vsis.n_helps ? port->vsis.first : NULL;

		for (; one; one = one->next)
			(void)vsis_set_help(&port->vsis, one, NULL, 0);
	}
}

void help_ask_ride(struct counters *counters, struct port *port, struct vsis_one *one,
		   uint8_t *pdu, size_t *len, size_t max)
{
	size_t longer;

	if (!one->help.tlv || !may_ask(port))
		return;
	/* No room: if it waits, it goes on waiting, and leaves alone. */
	longer = vdp22_add_org(pdu, *len, max, one->help.tlv, one->help.len);
	if (!longer)
		return;
	*len = longer;
	one->help.waits = false;
	counters_add(counters, COUNT_HELP_IN_ANSWER, 1);
}

void help_ask_tick(struct counters *counters, struct ports *ports, ms_t now)
{
	for (struct port *port = ports->first; port; port = port->next) {
		struct vsis_one *one = port->vsis.n_helps ? port->vsis.first : NULL;

		for (; one; one = one->next)
			if (one->help.waits && now - one->help.since >= WAIT_MS)
				send_alone(counters, port, one);
	}
}

static bool may_ask(const struct port *port)
{
	return port->settings.use && port->role == LINK_ROLE_BRIDGE &&
	       settings_assist_help(&port->settings) &&
	       port->peer.role == ORGTLV_STATION && port->peer.flags & ORGTLV_HELP;
}

static bool keep(struct port *port, struct vsis_one *one, const struct link_help *wanted)
{
	struct orgtlv_help help = {
		.flags = (uint8_t)((wanted->dhcp4 ? ORGTLV_HELP_DHCP4 : 0) |
				   (wanted->dhcp6 ? ORGTLV_HELP_DHCP6 : 0) |
				   (wanted->apart ? ORGTLV_HELP_APART : 0)),
		.giaddr = wanted->giaddr,
		.xid = wanted->xid,
		.id = wanted->id,
		.n_entries = wanted->n_entries,
	};
	uint8_t tlv[ORGTLV_HELP_LEN_MAX];
	struct wr w = wr_new(tlv, sizeof(tlv));

	_Static_assert(sizeof(help.entries) == sizeof(wanted->entries), "entries");
	memcpy(help.entries, wanted->entries, sizeof(help.entries));
	orgtlv_put_help(&w, &help);
	return wr_ok(&w) && !vsis_set_help(&port->vsis, one, tlv, w.at);
}

static void send_alone(struct counters *counters, struct port *port, struct vsis_one *one)
{
	uint8_t pdu[ALONE_MAX];
	size_t len;

	one->help.waits = false;
	if (!may_ask(port))
		return;
	vdp22_empty(pdu);
	len = vdp22_add_org(pdu, VDP22_EMPTY_LEN, sizeof(pdu), one->help.tlv,
			    one->help.len);
	host_pdu_send(port->name, pdu, len);
	counters_add(counters, COUNT_HELP_ALONE, 1);
}
