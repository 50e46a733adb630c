/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help requests, the server's side: what the switch asks for a VSI that is marked as
 * migrating in to this server, what is known of its VM's lease, and the DHCPREQUEST that
 * leaves by the uplink, or why none does (core/help decides).
 *
 * Sources are the mark (its lease counts for its own MAC; one without MAC for a VSI that
 * has no other) and what was seen on this server (station_leases). Each time that the
 * switch asks, the request is sent once: the answer goes to the switch, so it alone knows
 * whether to ask again (helping.c, as RFC 2131 4.1 has it), and nothing is sent blindly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station_help.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"
#include "wire/vdp22.h"

#define REQUESTS_MAX 4096
#define SHOWN_MS 600000		/* what was asked last is shown so long */
#define ROW_MS 20000		/* what the switch asks within this time is one row */
#define WARNINGS_MOST 20	/* in a minute */

struct each_lease {
	const struct station *s;
	ms_t now;
	void (*cb)(void *arg, const struct station_lease_info *info);
	void *arg;
};

static void say_lease(void *arg, const struct station_lease *lease);
static void ask(struct station *s, const struct link_help *help, unsigned i);
static struct help_request *request_get(struct station_help *h, const struct vsi_key *key,
					const struct vsi_entry *entry);
static void request_send(struct station *s, struct help_request *request);
static void over(struct station *s, struct help_request *request,
		 enum station_help_state state, const char *why);
static void requests_end(struct station_help *h, const struct vsi_key *key);
static void warn(struct station *s, const struct help_request *request, const char *text);
static void tell(struct station *s, const struct help_request *request, const char *why);

struct station_help *station_help_new(void)
{
	struct station_help *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->leases = station_leases_new();
	if (h->leases)
		return h;
	free(h);
	return NULL;
}

void station_help_free(struct station_help *h)
{
	if (!h)
		return;
	requests_end(h, NULL);
	station_know_done(h);
	station_leases_free(h->leases);
	free(h->ports);
	free(h);
}

void station_help_port(struct station *s, const struct link_port *port)
{
	struct station_help *h = s->help;
	struct help_port *grown;
	unsigned i = 0;

	while (i < h->n_ports && strcmp(h->ports[i].name, port->name))
		i++;
	if (i == h->n_ports) {
		grown = realloc(h->ports, (h->n_ports + 1) * sizeof(*grown));
		if (!grown)
			return;
		h->ports = grown;
		h->n_ports++;
		memcpy(grown[i].name, port->name, sizeof(grown[i].name));
	}
	/* Not used any more it is no VM's interface all the same. */
	h->ports[i].role = port->gone ? LINK_ROLE_NONE : port->role;
}

void station_help_vsi(struct station *s, const struct link_vsi *seen)
{
	const struct vsi_key key = station_key(&seen->id, seen->port);

	if (station_help_role(s, seen->port) != LINK_ROLE_STATION)
		return;
	if (seen->mode == VDP22_DEASSOC || seen->what == LINK_VSI_TIMEOUT) {
		requests_end(s->help, &key);
		station_know_left(s, &key);
		return;
	}
	if (seen->what != LINK_VSI_RESPONSE) {
		station_know_vsi(s, &key, seen);
		return;
	}
	if (!(seen->status & VDP_STATUS_ERROR))
		return;
	requests_end(s->help, &key);
	station_know_forget(s->help, &key);
}

/* "" = all ports. */
void station_help_forgotten(struct station *s, const char *port)
{
	for (struct help_vsi *i = s->help->vsis, *next; i; i = next) {
		next = i->hh.next;
		if (*port && strcmp(i->key.port, port))
			continue;
		requests_end(s->help, &i->key);
		station_know_forget(s->help, &i->key);
	}
}

void station_help_asked(struct station *s, ms_t now, const struct link_help *help)
{
	s->now = now;
	for (unsigned i = 0; i < help->n_entries; i++)
		ask(s, help, i);
}

/* A name may be another interface's by now. */
static bool still_here(void *arg, const char *tap, uint32_t ifindex, uint32_t bridge)
{
	struct station *s = arg;
	struct bridge_place place;
	bool bridged = s->io->place(s->arg, tap, &place);

	if (place.ifindex != ifindex)
		return false;
	if (!bridge)
		return bridged || place.direct || station_help_role(s, tap) >= 0;
	return (bridged && place.bridge == bridge) ||
	       (place.direct && place.bottom_ifindex == bridge);
}

void station_help_links_changed(struct station *s)
{
	station_leases_check(s->help->leases, s->now, still_here, s);
}

void station_help_frame(struct station *s, const char *port, const struct inet_frame *frame)
{
	int role = station_help_role(s, port);
	struct station_leases_seen seen = {
		.port = port, .network = role == LINK_ROLE_STATION, .src = frame->src,
	};
	struct bridge_place place;
	struct dhcp4 message;

	/* What is behind a port of a switch is no VM of this server, nor what is behind an
	 * uplink that says nothing, or of which we have not been told yet. */
	if (!s->help->told || (role >= 0 && role != LINK_ROLE_STATION) ||
	    !s->io->place(s->arg, port, &place))
		return;
	seen.ifindex = place.ifindex;
	seen.bridge = place.bridge;
	seen.vlan = frame->vlan || !place.vlans ? frame->vlan : place.pvid;
	if (seen.network)
		station_leases_left(s->help->leases,
				    &(struct binding_host){ seen.bridge, seen.vlan, seen.src });
	if (!frame->udp ||
	    (frame->dport != DHCP4_SERVER_PORT && frame->dport != DHCP4_CLIENT_PORT) ||
	    dhcp4_decode(frame->payload, &message, NULL))
		return;
	seen.message = &message;
	station_leases_see(s->help->leases, s->now, &seen);
	if (!seen.network || message.op != DHCP4_BOOTREPLY)
		return;
	for (struct help_request *i = s->help->requests; i; i = i->after) {
		if (i->state != STATION_HELP_REQUESTED || i->xid != message.xid ||
		    !mac_equal(&i->entry.mac, &message.chaddr))
			continue;
		if (message.type == DHCP4_ACK)
			over(s, i, STATION_HELP_ANSWERED, "DHCPACK");
		else if (message.type == DHCP4_NAK)
			over(s, i, STATION_HELP_NAK, "DHCPNAK");
	}
}

int station_help_role(struct station *s, const char *name)
{
	const struct station_help *h = s->help;
	struct bridge_place place;
	const char *bottom = name;
	int role = -1;

	(void)s->io->place(s->arg, name, &place);
	if (place.direct)
		return -1;
	if (place.bottom_vlan)
		bottom = place.bottom;
	for (unsigned i = 0; i < h->n_ports; i++) {
		const char *port = h->ports[i].name;
		struct bridge_place its;
		bool is_it = !strcmp(port, name) || !strcmp(port, bottom);

		if (!is_it) {
			(void)s->io->place(s->arg, port, &its);
			is_it = !strcmp(its.anchor, bottom);
		}
		/* Of a bond's slaves one that says nothing says nothing. */
		if (is_it && h->ports[i].role > role)
			role = h->ports[i].role;
	}
	return role;
}

ms_t station_help_deadline(const struct station *s)
{
	ms_t first = MS_NEVER;

	for (const struct help_request *i = s->help->requests; i; i = i->after)
		first = i->last + SHOWN_MS < first ? i->last + SHOWN_MS : first;
	return first;
}

void station_help_tick(struct station *s)
{
	struct help_request **at = &s->help->requests;

	while (*at) {
		struct help_request *request = *at;

		if (request->last + SHOWN_MS > s->now) {
			at = &request->after;
			continue;
		}
		*at = request->after;
		s->help->n_requests--;
		free(request);
	}
}

void station_each_help(struct station *s,
		       void (*cb)(void *arg, const struct station_help_info *info), void *arg)
{
	for (const struct help_request *i = s->help->requests; i; i = i->after) {
		const struct station_help_info info = {
			.port = i->key.port, .id = &i->key.id, .entry = i->entry,
			.ip = i->lease.ip, .giaddr = i->giaddr, .state = i->state,
			.why = i->state == STATION_HELP_REFUSED ? help_verdict_text(i->verdict)
								: NULL,
			.sent = i->sent, .began = i->first,
		};

		cb(arg, &info);
	}
}

void station_each_lease(struct station *s, ms_t now,
			void (*cb)(void *arg, const struct station_lease_info *info), void *arg)
{
	struct each_lease each = { .s = s, .now = now, .cb = cb, .arg = arg };

	station_leases_each(s->help->leases, say_lease, &each);
}

struct station_help_counts station_help_counts(const struct station *s)
{
	struct station_help_counts counts = s->help->counts;

	counts.leases = station_leases_count(s->help->leases);
	return counts;
}

const char *station_help_state_text(enum station_help_state state)
{
	static const char *const text[] = {
		[STATION_HELP_REFUSED] = "not requested",
		[STATION_HELP_REQUESTED] = "requested",
		[STATION_HELP_ANSWERED] = "answered",
		[STATION_HELP_NAK] = "refused",
	};

	return state < sizeof(text) / sizeof(*text) ? text[state] : "?";
}

/* Statics. */

static void ask(struct station *s, const struct link_help *help, unsigned i)
{
	const struct vsi_key key = station_key(&help->id, help->port);
	const struct vsi_entry *entry = &help->entries[i];
	struct help_request *request = request_get(s->help, &key, entry);
	bool news = request && !request->heard;
	enum help_verdict verdict;

	if (!request)
		return;
	if (!news && request->xid == help->xid + i)
		return;
	s->help->counts.asked++;
	request->heard = true;
	if (news || request->state != STATION_HELP_REQUESTED ||
	    s->now - request->last > ROW_MS)
		request->first = s->now;
	request->last = s->now;
	request->xid = help->xid + i;
	request->giaddr = help->giaddr;
	request->apart = help->apart;
	request->lease = (struct help_known){ 0 };
	verdict = station_know_decide(s, help, entry, &request->lease);
	if (verdict == HELP_REQUEST) {
		request->verdict = verdict;
		request->state = STATION_HELP_REQUESTED;
		tell(s, request, NULL);
		request_send(s, request);
		return;
	}
	s->help->counts.refused++;
	news |= request->state != STATION_HELP_REFUSED || request->verdict != verdict;
	request->state = STATION_HELP_REFUSED;
	request->verdict = verdict;
	if (!news)
		return;
	tell(s, request, help_verdict_text(verdict));
	if (verdict != HELP_NOT_DHCP4)
		warn(s, request, help_verdict_text(verdict));
}

/* NULL: no memory, or too many. */
static struct help_request *request_get(struct station_help *h, const struct vsi_key *key,
					const struct vsi_entry *entry)
{
	struct help_request *request = h->requests;

	while (request && (!station_key_equal(&request->key, key) ||
			   !entry_equal(&request->entry, entry)))
		request = request->after;
	if (request || h->n_requests == REQUESTS_MAX)
		return request;
	request = calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	request->key = *key;
	request->entry = *entry;
	request->after = h->requests;
	h->requests = request;
	h->n_requests++;
	return request;
}

static void request_send(struct station *s, struct help_request *request)
{
	struct help_form form = {
		.mac = request->entry.mac, .vlan = request->entry.vlan,
		.giaddr = request->giaddr, .apart = request->apart, .xid = request->xid,
		.since = s->now - request->first,
	};
	uint8_t frame[HELP_FRAME_MAX];
	size_t len;
	int err = -1;

	if (s->io->own_mac(s->arg, request->key.port, &form.own)) {
		len = help_frame(frame, sizeof(frame), &request->lease, &form);
		err = len ? s->io->frame_send(s->arg, request->key.port, frame, len) : -1;
	}
	if (!err)
		request->sent++, s->help->counts.sent++;
	else
		s->help->counts.send_errors++;
	if (err && !request->failed)
		warn(s, request, "its DHCPREQUEST could not be sent");
	request->failed = err;
}

static void over(struct station *s, struct help_request *request,
		 enum station_help_state state, const char *why)
{
	request->state = state;
	if (state == STATION_HELP_ANSWERED)
		s->help->counts.answered++;
	else
		s->help->counts.naks++;
	tell(s, request, why);
}

/* NULL: all. */
static void requests_end(struct station_help *h, const struct vsi_key *key)
{
	struct help_request **at = &h->requests;

	while (*at) {
		struct help_request *request = *at;

		if (key && !station_key_equal(&request->key, key)) {
			at = &request->after;
			continue;
		}
		*at = request->after;
		h->n_requests--;
		free(request);
	}
}

static void warn(struct station *s, const struct help_request *request, const char *text)
{
	char line[160], mac[MAC_TEXT_MAX];

	if (s->now - s->help->warned_since >= 60000) {
		s->help->warned_since = s->now;
		s->help->warned = 0;
	}
	if (++s->help->warned > WARNINGS_MOST)
		return;
	snprintf(line, sizeof(line), "the switch asks for help for %s: not given: %s",
		 mac_text(&request->entry.mac, mac), text);
	s->io->log(s->arg, LOG_WARNING, request->key.port, &request->key.id, line);
}

static void tell(struct station *s, const struct help_request *request, const char *why)
{
	const struct bridge_event event = {
		.what = "help",
		.port = request->key.port,
		.vsi = &request->key.id,
		.vlan = request->entry.vlan,
		.mac = &request->entry.mac,
		.ip = request->lease.ip.family ? &request->lease.ip : NULL,
		.to = station_help_state_text(request->state),
		.why = why,
	};

	if (s->io->event)
		s->io->event(s->arg, &event);
}

static void say_lease(void *arg, const struct station_lease *lease)
{
	const struct each_lease *each = arg;
	const struct station_lease_info info = {
		.tap = station_leases_tap(each->s->help->leases, lease),
		.vlan = lease->host.vlan, .mac = lease->host.mac, .ip = lease->ip,
		.server = lease->server, .client_id = &lease->client_id, .ends = lease->ends,
	};

	if (lease->contested_until <= each->now && !lease->odd_client_id &&
	    lease->ends > each->now)
		each->cb(each->arg, &info);
}
