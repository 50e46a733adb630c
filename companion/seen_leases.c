/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See seen_leases.h. Nothing is sure that is said of two: two interfaces of one MAC, or a
 * MAC that has leases in two VLANs, get no lease.
 */
#include "seen_leases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

/* What is left is whole seconds, of another clock. */
#define EXPIRES_SLACK_S 5

static bool read_row(const struct table *rows, unsigned row, int64_t now,
		     struct seen_lease *ret_seen);
static bool expires(const char *left, int64_t now, int64_t *ret_expires);
static const struct domain_lease *seen_of(const struct seen_leases *seen,
					  const struct domain_nic *nic, int64_t now);
static bool is_alone(const struct domain *domain, const struct domain_nic *nic);
static bool are_same(const struct domain_lease *a, const struct domain_lease *b);

int seen_leases_read(const struct table *rows, int64_t now, struct seen_leases *ret_seen)
{
	struct seen_leases seen = { 0 };

	seen.list = calloc(rows->rows + 1, sizeof(*seen.list));
	if (!seen.list)
		return -ENOMEM;
	for (unsigned row = 1; row < rows->rows; row++)
		if (read_row(rows, row, now, &seen.list[seen.n]))
			seen.n++;
	*ret_seen = seen;
	return 0;
}

void seen_leases_free(struct seen_leases *seen)
{
	free(seen->list);
	*seen = (struct seen_leases){ 0 };
}

bool seen_macs_has(const struct seen_macs *macs, const struct mac *mac)
{
	for (unsigned i = 0; i < macs->n; i++)
		if (mac_equal(&macs->list[i], mac))
			return true;
	return false;
}

void seen_macs_add(struct seen_macs *macs, const struct mac *mac)
{
	struct mac *list;

	if (seen_macs_has(macs, mac))
		return;
	list = realloc(macs->list, (macs->n + 1) * sizeof(*list));
	if (!list)
		return;
	list[macs->n++] = *mac;
	macs->list = list;
}

void seen_macs_keep(struct seen_macs *macs, const struct seen_macs *kept)
{
	unsigned n = 0;

	for (unsigned i = 0; i < macs->n; i++)
		if (seen_macs_has(kept, &macs->list[i]))
			macs->list[n++] = macs->list[i];
	macs->n = n;
}

void seen_macs_clear(struct seen_macs *macs)
{
	free(macs->list);
	*macs = (struct seen_macs){ 0 };
}

unsigned seen_leases_merge(const struct seen_leases *seen, const struct seen_macs *ours,
			   const struct domain *domain, int64_t now,
			   struct domain_lease *ret_leases, bool *ret_changed)
{
	unsigned n = 0, kept = 0;

	for (unsigned i = 0; i < domain->n_nics; i++) {
		const struct domain_nic *nic = &domain->nics[i];
		const struct domain_lease *was, *is;

		if (!is_alone(domain, nic))
			continue;
		was = domain_lease_of(domain, &nic->mac);
		is = seen_of(seen, nic, now);
		if (!is && was && was->expires > now && !seen_macs_has(ours, &nic->mac))
			is = was;
		if (!is)
			continue;
		/* As it was written, so that nothing is written again. */
		if (was && are_same(was, is)) {
			is = was;
			kept++;
		}
		ret_leases[n++] = *is;
	}
	*ret_changed = kept != n || n != domain->n_leases;
	return n;
}

char *seen_leases_xml(const struct domain_lease *leases, unsigned n)
{
	char mac[MAC_TEXT_MAX], addr[ADDR_TEXT_MAX], id[CLIENT_ID_TEXT_MAX];
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fputs("<leases>", to);
	for (unsigned i = 0; i < n; i++) {
		fprintf(to, "<lease mac='%s' ip='%s'", mac_text(&leases[i].mac, mac),
			addr_text(&leases[i].ip, addr));
		if (leases[i].server.family)
			fprintf(to, " server='%s'", addr_text(&leases[i].server, addr));
		if (leases[i].no_client_id)
			fputs(" no-client-id='yes'", to);
		else if (leases[i].client_id.len)
			fprintf(to, " client-id='%s'",
				client_id_text(&leases[i].client_id, id));
		if (leases[i].expires == DOMAIN_NEVER)
			fputs(" expires='never'/>", to);
		else
			fprintf(to, " expires='%" PRId64 "'/>", leases[i].expires);
	}
	fputs("</leases>", to);
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}

/* Statics. */

static bool read_row(const struct table *rows, unsigned row, int64_t now,
		     struct seen_lease *ret_seen)
{
	const char *dev = table_field(rows, row, "port");
	const char *id = table_field(rows, row, "client_id");
	const char *server = table_field(rows, row, "server");
	struct seen_lease seen = { 0 };
	struct domain_lease *lease = &seen.lease;

	if (strlen(dev) >= sizeof(seen.dev) ||
	    mac_parse(table_field(rows, row, "mac"), &lease->mac) ||
	    addr_parse(table_field(rows, row, "address"), &lease->ip) ||
	    (*server && addr_parse(server, &lease->server)) ||
	    (*id && client_id_parse(id, &lease->client_id)) ||
	    !expires(table_field(rows, row, "lease_left"), now, &lease->expires))
		return false;
	lease->no_client_id =
		!*id && !strcmp(table_field(rows, row, "no_client_id"), "yes");
	strcpy(seen.dev, dev);
	*ret_seen = seen;
	return true;
}

/* "": without end. */
static bool expires(const char *left, int64_t now, int64_t *ret_expires)
{
	char *end;
	long long seconds;

	errno = 0;
	seconds = strtoll(left, &end, 10);
	if (*end || errno || seconds < 0 || seconds > UINT32_MAX)
		return false;
	*ret_expires = *left ? now + seconds : DOMAIN_NEVER;
	return true;
}

/* Of this MAC, on the interface that libvirt has given it; NULL: none, or not one. */
static const struct domain_lease *seen_of(const struct seen_leases *seen,
					  const struct domain_nic *nic, int64_t now)
{
	const struct domain_lease *found = NULL;

	for (unsigned i = 0; i < seen->n; i++) {
		const struct seen_lease *one = &seen->list[i];

		if (!mac_equal(&one->lease.mac, &nic->mac) || one->lease.expires <= now ||
		    (*one->dev && *nic->dev && strcmp(one->dev, nic->dev)))
			continue;
		if (found)
			return NULL;
		found = &one->lease;
	}
	return found;
}

static bool is_alone(const struct domain *domain, const struct domain_nic *nic)
{
	unsigned n = 0;

	for (unsigned i = 0; i < domain->n_nics; i++)
		n += mac_equal(&domain->nics[i].mac, &nic->mac);
	return n == 1;
}

static bool are_same(const struct domain_lease *a, const struct domain_lease *b)
{
	int64_t apart = a->expires > b->expires ? a->expires - b->expires
						: b->expires - a->expires;

	return addr_equal(&a->ip, &b->ip) && addr_equal(&a->server, &b->server) &&
	       a->no_client_id == b->no_client_id &&
	       a->client_id.len == b->client_id.len &&
	       !memcmp(a->client_id.b, b->client_id.b, a->client_id.len) &&
	       apart <= EXPIRES_SLACK_S;
}
