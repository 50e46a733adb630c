/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See lldp.h. lldpad frees what gettlv returns, and hands over what rchange says it
 * has taken. It shows rchange all TLVs of an LLDPDU that is not the same as the last,
 * from type 1 to type 0; an LLDPDU that breaks off in between says nothing about what
 * was not reached.
 */
#include "lldp.h"

#include <stdlib.h>
#include <string.h>

#include "vdp_migrate/protocol.h"

#define TYPE_END 0		/* IEEE 802.1AB 8.4 */
#define TYPE_CHASSIS 1
#define TYPE_ORG 127
#define HEADER_LEN 2
#define VALUE_MAX 511

#define RCHANGE_TAKEN 0
#define RCHANGE_NOT_OURS 2

static const struct host_events *tell;

static void *gettlv(struct lldpad_port *port, struct lldpad_agent *agent);
static int rchange(struct lldpad_port *port, struct lldpad_agent *agent, void *tlv);
static uint8_t mibdelete(struct lldpad_port *port, struct lldpad_agent *agent);
static struct port *find(const struct lldpad_port *port,
			 const struct lldpad_agent *agent);
static bool is_ours(const struct lldpad_unpacked *tlv);

void lldp_insert(struct lldpad_ops *ops, const struct host_events *events)
{
	tell = events;
	ops->gettlv = gettlv;
	ops->rchange = rchange;
	ops->mibdelete = mibdelete;
}

void lldp_changed(struct port *port)
{
	static const uint8_t nearest_customer_bridge[] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	struct lldpad_agent *agent = port->agent;

	/* Is it what we take it for? What is written to is one octet. */
	if (agent && agent->type == LLDPAD_AGENT_CUSTOMER &&
	    agent->tx.local_change <= 1 &&
	    !memcmp(agent->mac, nearest_customer_bridge, sizeof(agent->mac)))
		agent->tx.local_change = 1;
}

static void *gettlv(struct lldpad_port *lldpad_port, struct lldpad_agent *agent)
{
	struct port *port = find(lldpad_port, agent);
	uint8_t value[VALUE_MAX];
	struct lldpad_packed *packed;
	size_t len;

	if (!port || !tell->tlv_out)
		return NULL;
	len = tell->tlv_out(port->name, value, sizeof(value));
	if (!len)
		return NULL;
	packed = calloc(1, sizeof(*packed));
	if (!packed)
		return NULL;
	packed->size = (uint16_t)(HEADER_LEN + len);
	packed->tlv = malloc(packed->size);
	if (!packed->tlv) {
		free(packed);
		return NULL;
	}
	packed->tlv[0] = (uint8_t)(TYPE_ORG << 1 | len >> 8);
	packed->tlv[1] = (uint8_t)len;
	memcpy(packed->tlv + HEADER_LEN, value, len);
	return packed;
}

static int rchange(struct lldpad_port *lldpad_port, struct lldpad_agent *agent,
		   void *data)
{
	struct port *port = find(lldpad_port, agent);
	struct lldpad_unpacked *tlv = data;

	if (!port)
		return RCHANGE_NOT_OURS;
	if (tlv->type == TYPE_CHASSIS)
		port->tlv_seen = false;
	if (tlv->type == TYPE_END && !port->tlv_seen && tell->tlv_gone)
		tell->tlv_gone(port->name);
	if (!is_ours(tlv))
		return RCHANGE_NOT_OURS;
	port->tlv_seen = true;
	if (tell->tlv_in)
		tell->tlv_in(port->name, tlv->info, tlv->length);
	free(tlv->info);
	free(tlv);
	return RCHANGE_TAKEN;
}

/* The neighbour's time is over. Called each second where LLDP is disabled. */
static uint8_t mibdelete(struct lldpad_port *lldpad_port, struct lldpad_agent *agent)
{
	struct port *port = find(lldpad_port, agent);

	if (port && tell->tlv_gone)
		tell->tlv_gone(port->name);
	return 0;
}

static struct port *find(const struct lldpad_port *port,
			 const struct lldpad_agent *agent)
{
	if (agent->type != LLDPAD_AGENT_CUSTOMER ||
	    !memchr(port->ifname, '\0', sizeof(port->ifname)))
		return NULL;
	return ports_find(port->ifname);
}

static bool is_ours(const struct lldpad_unpacked *tlv)
{
	static const uint8_t id[] = {
		VDP_MIGRATE_TLVID >> 24, VDP_MIGRATE_TLVID >> 16 & 0xff,
		VDP_MIGRATE_TLVID >> 8 & 0xff, VDP_MIGRATE_TLVID & 0xff,
	};

	return tlv->type == TYPE_ORG && tlv->info && tlv->length >= sizeof(id) &&
	       !memcmp(tlv->info, id, sizeof(id));
}
