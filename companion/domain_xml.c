/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See domain_xml.h. What is not as it should be is left out and counted: an address that
 * is not sure is worse than none, and a lease said twice for one MAC is not sure.
 */
#include "domain_xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

struct reading {
	struct domain *domain;
	bool has_doctype;
};

static void refuse_doctype(void *arg, const xmlChar *name, const xmlChar *external,
			   const xmlChar *system);
static void say_why(xmlParserCtxtPtr parser, const struct reading *reading,
		    xmlNodePtr root, char *why);
static void read_domain(struct domain *domain, xmlNodePtr root);
static void read_nic(struct domain *domain, xmlNodePtr interface);
static void read_virtualport(struct domain_nic *nic, xmlNodePtr port);
static void read_leases(struct domain *domain, xmlNodePtr leases);
static bool read_lease(xmlNodePtr node, struct domain_lease *ret_lease);
static void read_vsis(struct domain *domain, xmlNodePtr vsis);
static void drop_doubtful(struct domain *domain);
static bool is_element(xmlNodePtr node, const char *ns, const char *name);
static xmlNodePtr child(xmlNodePtr node, const char *name);
static bool has_value(xmlNodePtr node, const char *name, const char *value);
static char *attribute(xmlNodePtr node, const char *name);
static bool take_mac(xmlNodePtr node, const char *name, struct mac *ret_mac);
static bool take_addr(xmlNodePtr node, const char *name, struct addr *ret_addr);
static bool take_uuid(xmlNodePtr node, const char *name, struct vsi_id *ret_id);
static bool take_expires(xmlNodePtr node, int64_t *ret_expires);

int domain_xml_read(const char *xml, size_t len, struct domain *ret_domain,
		    char why[DOMAIN_WHY_MAX])
{
	struct reading reading = { .domain = ret_domain };
	xmlParserCtxtPtr parser;
	xmlDocPtr document;
	xmlNodePtr root;
	bool ok;

	*ret_domain = (struct domain){ 0 };
	if (len > DOMAIN_XML_MAX) {
		snprintf(why, DOMAIN_WHY_MAX, "larger than %u octets", DOMAIN_XML_MAX);
		return -EFBIG;
	}
	parser = xmlNewParserCtxt();
	if (!parser) {
		snprintf(why, DOMAIN_WHY_MAX, "no memory");
		return -ENOMEM;
	}
	parser->_private = &reading;
	parser->sax->internalSubset = refuse_doctype;
	document = xmlCtxtReadMemory(parser, xml, (int)len, NULL, NULL,
				     XML_PARSE_NONET | XML_PARSE_NOERROR |
					     XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	root = document && !reading.has_doctype ? xmlDocGetRootElement(document) : NULL;
	ok = root && is_element(root, NULL, "domain");
	if (ok)
		read_domain(ret_domain, root);
	else
		say_why(parser, &reading, root, why);
	xmlFreeParserCtxt(parser);
	xmlFreeDoc(document);
	return ok ? 0 : -EBADMSG;
}

const struct domain_lease *domain_lease_of(const struct domain *domain,
					   const struct mac *mac)
{
	for (unsigned i = 0; i < domain->n_leases; i++)
		if (mac_equal(&domain->leases[i].mac, mac))
			return &domain->leases[i];
	return NULL;
}

bool domain_dev_is_made(const char *dev)
{
	static const char *const made[] = { "vnet", "macvtap", "macvlan" };

	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		if (!strncmp(dev, made[i], strlen(made[i])))
			return true;
	return false;
}

/* Statics. */

static void refuse_doctype(void *arg, const xmlChar *name, const xmlChar *external,
			   const xmlChar *system)
{
	xmlParserCtxtPtr parser = arg;

	(void)name;
	(void)external;
	(void)system;
	((struct reading *)parser->_private)->has_doctype = true;
	xmlStopParser(parser);
}

static void say_why(xmlParserCtxtPtr parser, const struct reading *reading,
		    xmlNodePtr root, char *why)
{
	const xmlError *error = xmlCtxtGetLastError(parser);
	const char *text = error && error->message ? error->message : "no XML";

	if (reading->has_doctype)
		snprintf(why, DOMAIN_WHY_MAX, "it has a document type");
	else if (root)
		snprintf(why, DOMAIN_WHY_MAX, "it is no domain");
	else
		snprintf(why, DOMAIN_WHY_MAX, "line %d: %.*s", error ? error->line : 0,
			 (int)strcspn(text, "\n"), text);
}

static void read_domain(struct domain *domain, xmlNodePtr root)
{
	xmlNodePtr devices = child(root, "devices"), metadata = child(root, "metadata");

	for (xmlNodePtr i = devices ? devices->children : NULL; i; i = i->next)
		if (is_element(i, NULL, "interface"))
			read_nic(domain, i);
	for (xmlNodePtr i = metadata ? metadata->children : NULL; i; i = i->next) {
		if (is_element(i, DOMAIN_LEASES_NS, "leases"))
			read_leases(domain, i);
		else if (is_element(i, DOMAIN_VSIS_NS, "vsis"))
			read_vsis(domain, i);
	}
	drop_doubtful(domain);
}

static void read_nic(struct domain *domain, xmlNodePtr interface)
{
	struct domain_nic nic = { .bridge = has_value(interface, "type", "bridge") };
	xmlNodePtr target = child(interface, "target");
	char *dev = attribute(target, "dev");

	if (dev && *dev && strlen(dev) < sizeof(nic.dev))
		strcpy(nic.dev, dev);
	free(dev);
	read_virtualport(&nic, child(interface, "virtualport"));
	if (take_mac(child(interface, "mac"), "address", &nic.mac) &&
	    domain->n_nics < DOMAIN_NICS_MAX)
		domain->nics[domain->n_nics++] = nic;
	else
		domain->bad++;
}

/* 802.1Qbg: libvirt hands instanceid to lldpad. Open vSwitch: its interfaceid, a UUID
 * too, names the port as well. */
static void read_virtualport(struct domain_nic *nic, xmlNodePtr port)
{
	xmlNodePtr parameters = child(port, "parameters");

	nic->qbg = has_value(port, "type", "802.1Qbg");
	if (nic->qbg)
		nic->named = take_uuid(parameters, "instanceid", &nic->id);
	else if (nic->bridge)
		nic->named = take_uuid(parameters, "interfaceid", &nic->id);
}

static void read_leases(struct domain *domain, xmlNodePtr leases)
{
	for (xmlNodePtr i = leases->children; i; i = i->next) {
		if (!is_element(i, DOMAIN_LEASES_NS, "lease"))
			continue;
		if (domain->n_leases < DOMAIN_NICS_MAX &&
		    read_lease(i, &domain->leases[domain->n_leases]))
			domain->n_leases++;
		else
			domain->bad++;
	}
}

static bool read_lease(xmlNodePtr node, struct domain_lease *ret_lease)
{
	struct domain_lease lease = { 0 };
	char *client_id = attribute(node, "client-id");
	char *server = attribute(node, "server");
	bool ok = take_mac(node, "mac", &lease.mac) && take_addr(node, "ip", &lease.ip) &&
		  take_expires(node, &lease.expires);

	lease.no_client_id = has_value(node, "no-client-id", "yes");
	if (client_id)
		ok = ok && !lease.no_client_id &&
		     !client_id_parse(client_id, &lease.client_id) && lease.client_id.len;
	if (server)
		ok = ok && take_addr(node, "server", &lease.server) &&
		     lease.server.family == lease.ip.family;
	free(client_id);
	free(server);
	if (ok)
		*ret_lease = lease;
	return ok;
}

/* Goes before what the interface itself says, save 802.1Qbg: that is what goes out. */
static void read_vsis(struct domain *domain, xmlNodePtr vsis)
{
	for (xmlNodePtr i = vsis->children; i; i = i->next) {
		struct vsi_id id;
		struct mac mac;

		if (!is_element(i, DOMAIN_VSIS_NS, "vsi"))
			continue;
		if (!take_mac(i, "mac", &mac) || !take_uuid(i, "instanceid", &id)) {
			domain->bad++;
			continue;
		}
		for (unsigned n = 0; n < domain->n_nics; n++) {
			struct domain_nic *nic = &domain->nics[n];

			if (nic->qbg || !mac_equal(&nic->mac, &mac))
				continue;
			nic->id = id;
			nic->named = true;
		}
	}
}

static void drop_doubtful(struct domain *domain)
{
	bool twice[DOMAIN_NICS_MAX] = { false };
	unsigned n = 0;

	for (unsigned i = 0; i < domain->n_leases; i++)
		for (unsigned j = 0; j < i; j++)
			if (mac_equal(&domain->leases[i].mac, &domain->leases[j].mac))
				twice[i] = twice[j] = true;
	for (unsigned i = 0; i < domain->n_leases; i++) {
		if (twice[i])
			domain->bad++;
		else
			domain->leases[n++] = domain->leases[i];
	}
	domain->n_leases = n;
}

/* ns NULL: libvirt's own have none. */
static bool is_element(xmlNodePtr node, const char *ns, const char *name)
{
	if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name))
		return false;
	if (!ns)
		return !node->ns;
	return node->ns && node->ns->href && !strcmp((const char *)node->ns->href, ns);
}

/* NULL: none. Of libvirt's own elements. */
static xmlNodePtr child(xmlNodePtr node, const char *name)
{
	for (xmlNodePtr i = node ? node->children : NULL; i; i = i->next)
		if (is_element(i, NULL, name))
			return i;
	return NULL;
}

static bool has_value(xmlNodePtr node, const char *name, const char *value)
{
	char *is = attribute(node, name);
	bool same = is && !strcmp(is, value);

	free(is);
	return same;
}

/* The caller frees; NULL: none. */
static char *attribute(xmlNodePtr node, const char *name)
{
	xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	char *copy = value ? strdup((const char *)value) : NULL;

	xmlFree(value);
	return copy;
}

static bool take_mac(xmlNodePtr node, const char *name, struct mac *ret_mac)
{
	char *text = attribute(node, name);
	bool ok = text && !mac_parse(text, ret_mac) && !mac_is_zero(ret_mac) &&
		  !(ret_mac->b[0] & 1);

	free(text);
	return ok;
}

static bool take_addr(xmlNodePtr node, const char *name, struct addr *ret_addr)
{
	char *text = attribute(node, name);
	bool ok = text && !addr_parse(text, ret_addr) && !addr_is_any(ret_addr);

	free(text);
	return ok;
}

static bool take_uuid(xmlNodePtr node, const char *name, struct vsi_id *ret_id)
{
	char *text = attribute(node, name);
	struct vsi_id id;
	bool ok = text && !vsi_id_parse(text, &id) && id.format == VSI_ID_UUID;

	if (ok)
		*ret_id = id;
	free(text);
	return ok;
}

static bool take_expires(xmlNodePtr node, int64_t *ret_expires)
{
	char *text = attribute(node, "expires"), *end;
	bool ok = text && *text;
	long long expires = DOMAIN_NEVER;

	if (ok && strcmp(text, "never")) {
		errno = 0;
		expires = strtoll(text, &end, 10);
		ok = !errno && !*end && expires > 0;
	}
	if (ok)
		*ret_expires = expires;
	free(text);
	return ok;
}
