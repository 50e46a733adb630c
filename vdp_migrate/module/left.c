/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The message is rtnetlink as libvirt and lldpad speak it (linux/if_link.h), in this
 * machine's byte order: RTM_SETLINK, the port's name in IFLA_IFNAME, and for one VSI its
 * instance ID and PORT_REQUEST_DISASSOCIATE in IFLA_VF_PORTS.
 */
#include "left.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "wire/text.h"

struct attributes {
	const uint8_t *at;
	size_t len;
};

static struct left_one *find(struct left *left, const char *port,
			     const struct vsi_id *id);
static bool read_message(const void *message, size_t len, struct left_one *ret_one);
static bool find_attribute(struct attributes in, unsigned type,
			   struct attributes *ret_value);

void left_see(struct left *left, const struct port *port, const struct vsis_one *known,
	      const struct vdp22_assoc *assoc)
{
	struct left_one *one = find(left, port->name, &assoc->id);

	if (assoc->mode != VDP22_DEASSOC) {
		if (one)
			one->port[0] = '\0';
		return;
	}
	/* Refused, but kept: lldpad itself ends it, which its user wants to hear. */
	if (one || !known || known->kept_refused)
		return;
	one = &left->ones[left->at++ % LEFT_MAX];
	memcpy(one->port, port->name, sizeof(one->port));
	one->id = assoc->id;
}

bool left_untold(struct left *left, const void *message, size_t len)
{
	struct left_one told, *one;

	if (!read_message(message, len, &told))
		return false;
	one = find(left, told.port, &told.id);
	if (!one)
		return false;
	one->port[0] = '\0';
	return true;
}

/* Statics. */

static struct left_one *find(struct left *left, const char *port, const struct vsi_id *id)
{
	for (unsigned i = 0; i < LEFT_MAX; i++)
		if (left->ones[i].port[0] && vsi_id_equal(&left->ones[i].id, id) &&
		    !strcmp(left->ones[i].port, port))
			return &left->ones[i];
	return NULL;
}

/* False: it is another message. */
static bool read_message(const void *message, size_t len, struct left_one *ret_one)
{
	const size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
	struct attributes all, name, ports, port, id, request;
	struct nlmsghdr header;

	if (len < head)
		return false;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_type != RTM_SETLINK || header.nlmsg_flags ||
	    header.nlmsg_len < head || header.nlmsg_len > len)
		return false;
	all.at = (const uint8_t *)message + head;
	all.len = header.nlmsg_len - head;
	if (!find_attribute(all, IFLA_IFNAME, &name) ||
	    !memchr(name.at, '\0', name.len) || name.len > sizeof(ret_one->port) ||
	    !find_attribute(all, IFLA_VF_PORTS, &ports) ||
	    !find_attribute(ports, IFLA_VF_PORT, &port) ||
	    !find_attribute(port, IFLA_PORT_INSTANCE_UUID, &id) ||
	    id.len != sizeof(ret_one->id.b) ||
	    !find_attribute(port, IFLA_PORT_REQUEST, &request) || !request.len ||
	    request.at[0] != PORT_REQUEST_DISASSOCIATE)
		return false;
	*ret_one = (struct left_one){ .id.format = VSI_ID_UUID };
	memcpy(ret_one->port, name.at, name.len);
	memcpy(ret_one->id.b, id.at, id.len);
	return true;
}

static bool find_attribute(struct attributes in, unsigned type,
			   struct attributes *ret_value)
{
	struct rtattr attribute;

	while (in.len >= sizeof(attribute)) {
		size_t whole;

		memcpy(&attribute, in.at, sizeof(attribute));
		whole = RTA_ALIGN(attribute.rta_len);
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > in.len)
			return false;
		if ((attribute.rta_type & NLA_TYPE_MASK) == type) {
			ret_value->at = in.at + sizeof(attribute);
			ret_value->len = attribute.rta_len - sizeof(attribute);
			return true;
		}
		if (whole > in.len)
			return false;
		in.at += whole;
		in.len -= whole;
	}
	return false;
}
