/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE STORY, switch side: event -> step -> do it. Everything that the switch
 * decides about a VM goes through here, and nothing here touches a socket or a
 * clock: what it wants done it says to `struct bridge_io`. The engine puts
 * sockets and the kernel behind it, the scenarios a script.
 */
#ifndef ENGINE_BRIDGE_H
#define ENGINE_BRIDGE_H

#include "core/binding.h"
#include "core/cases.h"
#include "core/groups.h"
#include "core/snoop.h"
#include "core/vsi.h"
#include "restoration.h"
#include "vdp_migrate/guard.h"
#include "vdp_migrate/leasequery.h"
#include "wire/inet.h"

/* The kernel's element lives this much longer than the lease: the backstop for a
 * dead engine. The engine itself ends bindings on time. */
#define BRIDGE_GRACE_MS 3600000

/* What happened, for those who watch. Text fields are NULL where they say nothing. */
struct bridge_event {
	/* "vsi", "binding", "help", "guard", "server", "module", "group", "query",
	 * "report" */
	const char *what;
	const char *port;
	const struct vsi_id *vsi;
	uint16_t vlan;
	const struct mac *mac;
	const struct addr *ip;
	const char *from, *to;	/* states */
	const char *why;	/* event, origin, reason */
};

/* Where the kernel has an interface. */
struct bridge_place {
	/* The bridge port: the interface itself, or the bond or team that it is a slave
	 * of (what nftables calls iifname); itself where it is neither. */
	char anchor[VM_IFNAME_MAX];
	uint32_t bridge;
	bool vlans;		/* the bridge filters VLANs; else VLAN tags are its payload */
	uint16_t pvid;		/* with vlans: what untagged frames are in; 0 = dropped */
	bool pvid_tagged;	/* with vlans: and what goes out in that VLAN is tagged */
	bool offloaded;		/* an ASIC forwards its traffic past the kernel */
	uint32_t ifindex;	/* its own, and its own MAC address; 0 = none such */
	struct mac mac;
	/* What stands on another interface: a macvlan or macvtap (direct; beside: of
	 * mode bridge, with others beside it), an 802.1Q VLAN, or the one on the other.
	 * bottom: what is below these, itself where it is neither; "" = nothing of this
	 * network namespace. */
	bool direct, beside;
	uint16_t bottom_vlan;
	uint32_t bottom_ifindex;
	char bottom[VM_IFNAME_MAX];
};

struct bridge_io {
	/* The guard: one call each, committed by the caller after each wake-up. */
	int (*put)(void *arg, const struct guard_element *element);
	int (*renew)(void *arg, const struct guard_element *element);
	int (*drop)(void *arg, const struct guard_element *element);
	int (*announce)(void *arg, const char *port, const struct mac *mac);
	int (*renounce)(void *arg, const char *port, const struct mac *mac);
	int (*mode)(void *arg, const char *port, enum link_guard mode);

	/* A leasequery message from giaddr:67 to server:67. */
	int (*lq_send)(void *arg, const struct addr *giaddr, const struct addr *server,
		       const uint8_t *msg, size_t len);
	/* A whole frame out of this interface, and only there; its 802.1Q tag, if any, in
	 * the octets. 0 or -errno. */
	int (*frame_send)(void *arg, const char *interface, const uint8_t *frame,
			  size_t len);
	/* The interface's own MAC address; false: there is none. */
	bool (*own_mac)(void *arg, const char *interface, struct mac *ret_mac);
	/* The kernel's multicast database and FDB: a group on this bridge port
	 * (temporary, as a report makes it), or no longer; a MAC is behind this bridge
	 * port now (dynamic; what is not dynamic stays). vlan as in the bridge, 0 where
	 * it filters none. 0 or -errno; -EEXIST and -ENOENT are no errors. NULL: nobody
	 * can. */
	int (*mdb_put)(void *arg, const char *port, uint16_t vlan, const struct addr *group);
	int (*mdb_drop)(void *arg, const char *port, uint16_t vlan, const struct addr *group);
	int (*fdb_move)(void *arg, const char *port, uint16_t vlan, const struct mac *mac);
	/* A MAC that is behind this port still is behind to again, as if learned; NULL:
	 * behind none that is known. */
	int (*fdb_back)(void *arg, const char *port, const char *to, uint16_t vlan,
			const struct mac *mac);
	/* Those behind this port that have sent nothing for so long, whoever they are.
	 * 0 or -errno (NULL: nobody can say). */
	int (*fdb_quiet)(void *arg, const char *port, uint16_t vlan, ms_t so_long,
			 void (*cb)(void *cb_arg, const struct mac *mac), void *cb_arg);
	/* A bridge port gets all multicast of its bridge (mcast_router 2), or is again
	 * as it was before. */
	int (*router_port)(void *arg, const char *interface, bool on);
	/* The port of this bridge (struct bridge_place) that has this MAC address itself;
	 * false: none (NULL: nobody can say). */
	bool (*port_of_mac)(void *arg, uint32_t bridge, const struct mac *mac,
			    char ret_name[VM_IFNAME_MAX]);
	/* From now on answers to probes come in by bridge_probed(), or no longer (not
	 * from inside bridge_probed). 0 or -errno (NULL: nobody can hear them). */
	int (*hear_probed)(void *arg, bool on);
	/* From now on DHCPv4 that comes in or goes out at any interface comes in by
	 * station_dhcp(). 0 or -errno (NULL: nobody can hear it). */
	int (*hear_dhcp)(void *arg);
	/* From now on the first frame to this MAC that comes in at this interface is
	 * told, by station_turned(), once; or no longer. 0 or -errno (NULL: nobody can
	 * hear it). */
	int (*hear_first)(void *arg, const char *interface, const struct mac *mac,
			  bool on);
	/* The interface that is this VLAN on that one (NULL: nobody can say). */
	bool (*vlan_on)(void *arg, uint32_t bottom_ifindex, uint16_t vlan,
			char ret_name[VM_IFNAME_MAX]);
	/* A message to the module, if it is there (NULL: nobody can): LINK_HELP, … */
	void (*tell_module)(void *arg, const struct link_msg *msg);

	/* Where the kernel has this port; all of ret_place is set in any case. False:
	 * in no bridge (no guard there). */
	bool (*place)(void *arg, const char *port, struct bridge_place *ret_place);
	/* The giaddr to ask from when none is configured; false: none (logged by io). */
	bool (*giaddr)(void *arg, const char *port, struct addr *ret_giaddr);
	/* What comes to giaddr:67 from now on is to come to bridge_lq_input(), for a
	 * while that no leasequery is sent from there (NULL: always so). False: it
	 * cannot. */
	bool (*giaddr_listen)(void *arg, const struct addr *giaddr);
	/* No interface of this machine has it with a subnet (NULL: each is in one): a
	 * DHCP server cannot tell by it which subnet is meant. */
	bool (*giaddr_apart)(void *arg, const struct addr *giaddr);

	/* The store (NULL: none): keep this binding as it is now, or no longer. */
	void (*keep)(void *arg, const struct binding *binding);
	void (*forget)(void *arg, const struct binding *binding);
	/* Something that those who watch want to hear (NULL: nobody does). */
	void (*event)(void *arg, const struct bridge_event *event);
	/* What speaks against guard=enforce on this port has changed (NULL: nobody
	 * asks). */
	void (*cases)(void *arg, const struct link_cases *cases);
	/* From now on tell what the FDB holds on this port (bridge_fdb: all that is
	 * there, then bridge_fdb_read, then what changes), or no longer (NULL: nobody
	 * can). Not from inside this call. */
	void (*watch_fdb)(void *arg, const char *port, bool on);

	uint32_t (*random)(void *arg);
	/* priority as in syslog.h; port, VSI may be NULL. One line, no newline. */
	void (*log)(void *arg, int priority, const char *port, const struct vsi_id *vsi,
		    const char *text);
};

struct bridge;

struct bridge *bridge_new(const struct bridge_io *io, void *arg);
void bridge_free(struct bridge *bridge);

/* From the module. */
void bridge_port(struct bridge *bridge, ms_t now, const struct link_port *port);
void bridge_vsi(struct bridge *bridge, ms_t now, const struct link_vsi *seen);
void bridge_forgotten(struct bridge *bridge, ms_t now, const char *port);
void bridge_replay(struct bridge *bridge, ms_t now, bool end);
void bridge_module_gone(struct bridge *bridge, ms_t now);
/* From the kernel: a port may have come to, or left, a bridge. */
void bridge_links_changed(struct bridge *bridge, ms_t now);

/* From the wire: a frame that came in on a bridge port (by its name), DHCP or RARP, its
 * VLAN as it was tagged; from giaddr's socket. */
void bridge_frame(struct bridge *bridge, ms_t now, const char *port,
		  const struct inet_frame *frame);
/* From the wire: a frame that this machine itself sends into a bridge, its VLAN as it is
 * in the bridge. */
void bridge_frame_local(struct bridge *bridge, ms_t now, uint32_t bridge_ifindex,
			const struct inet_frame *frame);
/* From the wire: an answer to a probe (ARP reply, Neighbor Advertisement), its VLAN as it
 * was tagged. */
void bridge_probed(struct bridge *bridge, ms_t now, const char *port,
		const struct inet_frame *frame);
enum lq_reject bridge_lq_input(struct bridge *bridge, ms_t now, const struct addr *giaddr,
			       const struct addr *server, uint16_t sport,
			       const uint8_t *msg, size_t len);

/* From the guard at start: an element, and a mode, that the kernel still has. */
void bridge_restore(struct bridge *bridge, ms_t now, const struct guard_element *element);
void bridge_restore_mode(struct bridge *bridge, const char *port, enum link_guard mode);
/* From the store at start, after the guard's: a binding as it was kept (port by name;
 * lease_end is of this clock). What both know is one. */
void bridge_restore_kept(struct bridge *bridge, ms_t now, const char *port,
			 const struct binding *kept, const struct client_id *id);
/* The store is about to be read, or has been. What must go into the kernel goes there at
 * its end: else the guard's changes and the bindings would lie in memory by turns, and
 * the holes between them stay. */
void bridge_loading(struct bridge *bridge, ms_t now, bool begin);
/* Is this element of the guard one that the table has? */
bool bridge_wants(struct bridge *bridge, const struct guard_element *element);
/* The guard was emptied by somebody else: say everything again. */
void bridge_say_all(struct bridge *bridge, ms_t now);
/* Every port is opened, whatever is set on it; or no longer. */
void bridge_open(struct bridge *bridge, ms_t now, bool open);

/* From the companion: a static binding, put in or taken out. 0 or a positive errno;
 * ret_text says what is wrong, or what follows, to a person. */
int bridge_bind_static(struct bridge *bridge, ms_t now, const struct link_bind *bind,
		       char *ret_text, size_t size);
int bridge_unbind_static(struct bridge *bridge, ms_t now, const struct link_bind *bind,
			 char *ret_text, size_t size);
/* A leasequery by hand; cb is called for each answer, the last has last set. 0 or a
 * positive errno with ret_text. */
int bridge_ask(struct bridge *bridge, ms_t now, const struct link_ask *ask,
	       void (*cb)(void *arg, const struct lq_answer *answer), void *arg,
	       char *ret_text, size_t size);
/* A MAC that the kernel's FDB has on a port whose guard is monitor. */
void bridge_fdb(struct bridge *bridge, ms_t now, const char *port, uint16_t vlan,
		const struct mac *mac, enum cases_fdb what);
/* All that the FDB holds on this port has been told; true before: it follows. */
void bridge_fdb_read(struct bridge *bridge, ms_t now, const char *port, bool before);

/* The kernel's guard has all that was said: tell the module what waited for it. */
void bridge_ready_say(struct bridge *bridge, ms_t now);

ms_t bridge_deadline(const struct bridge *bridge);
void bridge_tick(struct bridge *bridge, ms_t now);
/* The guard holds what was wanted; what had to wait for that is done now: what is
 * wanted of the kernel's bridge, then group queries. After each wake-up. */
void bridge_committed(struct bridge *bridge, ms_t now);
/* It does not: what the VM says would be dropped, so queries wait. */
void bridge_not_committed(struct bridge *bridge, ms_t now);

/* To show. */
struct bridge_port_info {
	const char *name;
	const struct link_port *settings;	/* NULL: known from the kernel only */
	bool placed;		/* it is a bridge port */
	enum link_guard mode;	/* in force */
	bool offloaded;		/* an ASIC forwards its traffic: no guard */
	bool opened;		/* by hand */
	const char *members;	/* the interfaces that are set and speak VDP for it */
	unsigned bindings, vsis;
	unsigned waiting;	/* leasequeries, for max-rate; and that have */
	uint64_t delayed;
	bool cases_complete;	/* see struct link_cases */
	unsigned cases;
};
/* What is known of an open case. */
enum bridge_found {
	BRIDGE_NOT_ASKED,
	BRIDGE_NOBODY_TO_ASK,
	BRIDGE_NO_ANSWER,
	BRIDGE_NO_LEASE,
	BRIDGE_LEASE_ENDED,	/* it had one, but is not bound any more */
};
struct bridge_case {
	const char *port;
	const struct cases_item *item;	/* found: enum bridge_found */
	uint16_t bound_at;	/* the port that it is bound at; 0: none */
};
void bridge_each_port(struct bridge *bridge,
		      void (*cb)(void *arg, const struct bridge_port_info *info), void *arg);
/* Those of a port together. */
void bridge_each_case(struct bridge *bridge,
		      void (*cb)(void *arg, const struct bridge_case *open), void *arg);
/* The bindings of a VSI's entry on its port. */
void bridge_each_of_entry(struct bridge *bridge, const struct vsi *vsi,
			  const struct vsi_entry *entry,
			  void (*cb)(void *arg, const struct binding *binding), void *arg);
/* A port that announces this VSI's ID with other MACs; 0: none does. */
uint16_t bridge_twin(struct bridge *bridge, const struct vsi *vsi);
const char *bridge_port_name(const struct bridge *bridge, uint16_t port);
struct vsi *bridge_vsis(struct bridge *bridge);		/* first, then ->next */
struct binding_table *bridge_bindings(struct bridge *bridge);
struct lq *bridge_lq(struct bridge *bridge);
const struct snoop_counts *bridge_snoop_counts(const struct bridge *bridge);

struct bridge_counts {
	uint64_t migrations, arrived, staged, put, moved, nothing_known, failed, conflicts,
		refreshed, claims_probed, claims_unprobed, twins;
	/* Help requests, by entry: asked for; and what came of it. help_late: answers
	 * that nobody waited for any more; help_rejected: from servers that are not
	 * set. */
	uint64_t help_asked, help_answered, help_naks, help_contradicted, help_silent,
		help_late, help_rejected;
};
const struct bridge_counts *bridge_counts(const struct bridge *bridge);
const struct restoration *bridge_restorations(const struct bridge *bridge);

/* Members of multicast groups. [0]: IGMP, [1]: MLD. */
struct bridge_groups_counts {
	uint64_t queries[2], queries_failed;	/* sent by us */
	uint64_t reports[2];
	uint64_t bad, limited;	/* reports: malformed; more than may come in a second */
	uint64_t moved, confirmed, unconfirmed;	/* members taken to another port */
	/* From the associate to the first report of a VM that has come from elsewhere. */
	uint64_t first_reports, first_report_ms, first_report_ms_max;
};
struct groups *bridge_groups(struct bridge *bridge);
/* How many the MACs of a VSI's entry are in, on its port. */
unsigned bridge_groups_of_entry(struct bridge *bridge, const struct vsi *vsi,
				const struct vsi_lease *lease);
const struct bridge_groups_counts *bridge_groups_counts(const struct bridge *bridge);

#endif
