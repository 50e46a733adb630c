/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the switch's story share: bridge.c (event -> step), bridge_do.c
 * (the actions of a step), asking.c (leasequeries for a VSI's entries), helping.c (help
 * requests for them), bridge_frames.c (DHCP seen), bridge_guard.c (the table's mirror),
 * bridge_time.c (what is due), bridge_show.c, ports.c (the ports and what was set on
 * them). Of multicast groups bridge_groups.h.
 */
#ifndef ENGINE_BRIDGE_PRIVATE_H
#define ENGINE_BRIDGE_PRIVATE_H

#include <syslog.h>

#include "bridge.h"

#define ASK_AGAIN_MS 60000	/* DESIGN: nothing known, all tries used */
#define DORMANT_MS 3600000	/* a dormant VSI without bindings is kept so long */
#define VSIS_MOST 4096		/* of a port; the module keeps as many */
#define WARNINGS_MOST 20	/* of a port in a minute */
#define EXPIRE_MOST 256		/* bindings ended in one wake-up */

struct port {
	uint16_t number;	/* index + 1; never reused */
	char name[VM_IFNAME_MAX];
	bool known;		/* the module has reported it; settings count */
	bool placed;
	bool placed_logged, offloaded_logged, differ_logged;
	bool offloaded;		/* an ASIC forwards its traffic: no guard */
	uint32_t bridge;	/* 0: it has been in none yet */
	/* struct bridge_place; as last seen where it is in no bridge now. */
	bool vlans, pvid_tagged;
	uint16_t pvid;
	enum link_guard mode;	/* in force */
	unsigned n_vsis;
	unsigned helping_ended;	/* help requests that are remembered */
	bool full_logged;
	uint8_t families;	/* whose groups are looked at here (bridge_groups.c) */
	ms_t reports_since;	/* a second's lid on reports */
	unsigned reports, reports_unannounced;
	ms_t reports_lost;	/* when one was last not taken: who is in what is not sure */
	ms_t igmp1_until;	/* hosts of IGMPv1 are to be reckoned with */
	bool query_failed;	/* logged */
	ms_t warned_since;	/* a minute's lid on warnings that its station provokes */
	unsigned warned;
	struct link_port settings; /* all of its members' together: members.c */
};

/* What the module calls a port: the anchor itself, or a slave of it. */
struct member {
	char name[VM_IFNAME_MAX];
	struct port *port;	/* its anchor */
	unsigned number;	/* among the anchor's: core/announced */
	struct link_port settings;
};

struct asked;
struct claim;
struct ready;
struct refreshing;
struct by_hand;
struct helping;
struct helping_xids;
struct bridge_groups;

struct bridge {
	const struct bridge_io *io;
	void *arg;
	ms_t now;		/* of the call that runs */
	bool restoring;		/* what is put is in the kernel already */
	bool open;		/* every port, by hand */
	bool loading, unsaid;	/* what is put is said all together, at the end */
	struct port **ports;
	unsigned n_ports;
	struct member **members;
	unsigned n_members;
	struct vsi_table *vsis;
	struct binding_table *bindings;
	struct snoop *snoop;
	struct lq *lq;
	struct asked *asked;	/* by tag */
	struct refreshing *refreshing;
	struct by_hand *by_hand;
	struct bridge_cases *cases;
	struct helping *helping;	/* by port and VSI */
	struct helping_xids *helping_xids;
	struct helping_list {
		struct helping *first, *last;
	} helping_open, helping_ended;
	ms_t helping_due;
	struct bridge_groups *groups;
	struct claim *claims;	/* whose old places are being asked */
	unsigned n_claims;
	ms_t claim_ended;	/* the last one that has */
	bool hears_probed;
	bool refused;		/* one was; since then of these hosts a place has let go */
	struct binding_host *let_go;
	unsigned n_let_go, let_go_size;
	struct ready *ready;	/* those that may be ready now */
	unsigned n_ready, ready_size;
	struct restoration restoration;
	uint64_t last_tag;
	ms_t vsi_due;		/* no clock or ask_at of a VSI is earlier */
	const char *why;	/* of what is done now, for those who watch; NULL */
	struct bridge_counts counts;
};

/* A lease that has become known, from whatever source. */
struct known {
	struct mac mac;		/* whose it is, where the entry has no MAC */
	struct addr ip, server;
	uint32_t lease_s;
	enum binding_origin origin;
};

/* bridge.c; lease: the entry that the event is about, known: what was found. */
void bridge_step(struct bridge *b, struct vsi *vsi, enum migration_event event,
		 struct vsi_lease *lease, const struct known *known);
void bridge_log(struct bridge *b, int priority, const struct vsi *vsi, const char *format,
		...) __attribute__((format(printf, 4, 5)));
/* A station can provoke warnings by the thousand: a lid for each port. */
bool bridge_may_warn(struct bridge *b, struct port *port);
/* Something is known of every entry, nothing outstanding: say so. */
void bridge_check_known(struct bridge *b, struct vsi *vsi);

/* bridge_time.c: something of a VSI is due then. */
void bridge_due(struct bridge *b, ms_t at);

/* bridge_lq.c: what the leasequery client calls back. */
extern const struct lq_ops bridge_lq_ops;

/* bridge_ready.c: the module may hold the answer to what this member's station asks; and
 * something of that VSI has changed. */
void bridge_ready_owe(struct bridge *b, struct vsi *vsi, const struct member *member);
void bridge_ready_touch(struct bridge *b, struct vsi *vsi);

/* bridge_conflict.c: the step MIGRATION_ACCEPTED, and whether the old place still
 * answers; what a request says of that; whether two VMs have this VSI's ID. */
void bridge_conflict_accepted(struct bridge *b, struct vsi *vsi);
void bridge_conflict_seen(struct bridge *b, struct vsi *vsi, const struct link_vsi *seen);
/* A binding has ended, or is dormant or leaving now: a refused claim may stand. */
void bridge_conflict_let_go(struct bridge *b, const struct binding_host *host);
void bridge_conflict_left(struct bridge *b, const struct vsi *vsi);
void bridge_conflict_twin(struct bridge *b, struct vsi *vsi);
ms_t bridge_conflict_deadline(const struct bridge *b);
void bridge_conflict_tick(struct bridge *b);
void bridge_conflict_done(struct bridge *b);

/* bridge_vsis.c: the VSI of this sight, with its filter info; NULL where there is nothing
 * to do. */
struct vsi *bridge_meet(struct bridge *b, struct port *port, const struct link_vsi *seen);
/* What the station no longer announces is nothing any more; a dormant one is, while
 * something is bound to it, and for an hour in any case. */
void bridge_sweep(struct bridge *b, struct vsi *vsi);

/* bridge_macs.c: tell the guard the VSI's MACs. */
void bridge_announce(struct bridge *b, const struct vsi *vsi);
/* One after the other, the hosts that its entries stand for; at: zeroed before the first.
 * False: no more. */
struct bridge_hosts {
	unsigned lease, mac;	/* the next: of how many leases, and MACs of this one */
	struct binding_host host;
};
bool bridge_next_host(const struct bridge *b, const struct vsi *vsi,
		      struct bridge_hosts *at);
/* Those that no other VSI on its port has. */
void bridge_renounce(struct bridge *b, const struct vsi *vsi);
void bridge_renounce_lease(struct bridge *b, const struct vsi *vsi,
			   const struct vsi_lease *lease);
/* A MAC is found out of an entry without one. False: it is none of the entry's. */
bool bridge_learn_mac(struct bridge *b, const struct vsi *vsi, struct vsi_lease *lease,
		      const struct mac *mac);
/* Of entries without MAC: what this port holds in their VLAN is theirs. */
void bridge_learn_macs(struct bridge *b, struct vsi *vsi);

/* bridge_do.c */
void bridge_do(struct bridge *b, struct vsi *vsi, unsigned to_do, struct vsi_lease *lease,
	       const struct known *known);
struct binding_host bridge_host(const struct bridge *b, const struct vsi *vsi,
				const struct vsi_entry *entry);
/* Does this port hold a binding of this entry, in one of the states (1 << BINDING_…)? */
bool bridge_holds(struct bridge *b, const struct vsi *vsi, const struct vsi_entry *entry,
		  unsigned states);
#define BRIDGE_ANY_STATE 0xfu
/* The same for all MACs that the entry stands for. */
bool bridge_lease_holds(struct bridge *b, const struct vsi *vsi,
			const struct vsi_lease *lease, unsigned states);
/* Put the lease in on this port, as `state`; vsi may be NULL. */
void bridge_bind(struct bridge *b, const struct vsi *vsi, uint16_t port,
		 const struct binding_host *host, const struct known *known,
		 enum binding_state state);
ms_t bridge_lease_end(ms_t now, uint32_t lease_s);
/* Take out this port's bindings of one entry. */
void bridge_withdraw_lease(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease);

/* bridge_guard.c: what becomes of a change of the binding table. */
extern const struct binding_ops bridge_guard_ops;
void bridge_guard_put(struct bridge *b, const struct binding *binding);
void bridge_guard_renew(struct bridge *b, const struct binding *binding);
void bridge_guard_drop(struct bridge *b, const struct binding *binding);

/* bridge_kept.c: for the store. */
void bridge_keep(struct bridge *b, const struct binding *binding);
void bridge_forget(struct bridge *b, const struct binding *binding);
void bridge_keep_host(struct bridge *b, const struct binding_host *host);
/* Was a binding kept elsewhere for this VSI, which no VSI there stands for yet? */
bool bridge_kept_elsewhere(struct bridge *b, const struct vsi *vsi);
/* A replay is over: such are no longer expected where the VSI is active elsewhere. */
void bridge_kept_settle(struct bridge *b);

/* bridge_static.c: what is bound to this host elsewhere, or nowhere, the VSI's port has
 * too now; active: and only where a VSI stands for it. */
void bridge_static_take_up(struct bridge *b, const struct vsi *vsi,
			   const struct binding_host *host, enum binding_state state);
/* Before it is taken out: a static one that no other port holds stays without a port. */
void bridge_static_leave(struct bridge *b, const struct binding *binding);

/* bridge_moved.c: the port is there now; what is bound on it follows. */
void bridge_moved(struct bridge *b, struct port *port, const struct bridge_place *to);

/* members.c */
struct member *members_find(const struct bridge *b, const char *name);
/* Found or made new, these are its settings now. *ret_old: an anchor that it has left, or
 * NULL. Returns NULL: no memory. */
struct member *members_set(struct bridge *b, const struct link_port *settings,
			   struct port **ret_old);
/* Which anchor it has now. True: another one than before, *ret_old (NULL: it had
 * none). */
bool members_anchor(struct bridge *b, struct member *member, struct port **ret_old);
/* What its members' settings are together; then ports_apply(). */
void members_settle(struct bridge *b, struct port *port);
void members_tell_cases(struct bridge *b, const struct port *port,
			const struct link_cases *cases);
#define MEMBERS_TEXT_MAX 128
const char *members_text(const struct bridge *b, const struct port *port,
			 char text[MEMBERS_TEXT_MAX]);

/* asking.c */
void asking_entry(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		  enum lq_rank rank);
void asking_answer(struct bridge *b, const struct lq_answer *answer);
/* Of this entry: then help may be asked for; and when that ends too, tries_used. */
void asking_nothing_known(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
			  const char *why);
void asking_tries_used(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease,
		       const char *why);
/* The VSI is associated: what is asked for it comes before other's pre-associates. */
void asking_hurry(struct bridge *b, const struct vsi *vsi);
/* What is out for the entry waits for the port's max-rate. */
bool asking_waits(struct bridge *b, const struct vsi_lease *lease);
void asking_server_back(struct bridge *b, const struct addr *server);
void asking_forget(struct bridge *b, struct vsi *vsi);
void asking_done(struct bridge *b);

/* helping.c: help requests. True: one for this entry is under way. */
bool helping_ask(struct bridge *b, struct vsi *vsi, struct vsi_lease *lease);
/* Entries that something is known of now are not asked for any more. */
void helping_look(struct bridge *b, struct vsi *vsi);
void helping_forget(struct bridge *b, struct vsi *vsi);
void helping_done(struct bridge *b);
void helping_say_again(struct bridge *b);
/* The VSI's filter info, or who has announced it, may have changed. */
void helping_vsi(struct bridge *b, struct vsi *vsi);
/* A neighbour of this port may not help any more; news: says since now that it does. */
void helping_port(struct bridge *b, const struct port *port, bool news);
/* A message that came to giaddr's socket from this server's UDP port. False: none that a
 * help request is about. */
bool helping_input(struct bridge *b, const struct addr *giaddr, const struct addr *server,
		   uint16_t sport, const uint8_t *msg, size_t len);
/* A message that was seen (port 0: this machine's own). True: it belongs to a help
 * request, and says nothing else to us. */
bool helping_snooped(struct bridge *b, const struct snoop_seen *seen,
		     const struct addr *saddr);
ms_t helping_deadline(const struct bridge *b);
void helping_tick(struct bridge *b);
/* asking_rate.c: lq_ask() of a question that a port asks; and its settings are new. */
int asking_rate_ask(struct bridge *b, const struct port *port,
		    struct lq_question *question);
void asking_rate_port(struct bridge *b, const struct port *port);

/* The tags of questions: who has asked, then his own number. */
#define TAG_ENTRY 0ull		/* asking.c */
#define TAG_REFRESH (1ull << 56) /* refresh.c */
#define TAG_HAND (2ull << 56)	/* asking_hand.c */
#define TAG_CASES (3ull << 56)	/* bridge_cases.c */
#define TAG_WHO (0xffull << 56)

/* refresh.c: leases that nobody has been seen renewing. */
void refresh_due(struct bridge *b, struct binding *binding);
void refresh_answer(struct bridge *b, const struct lq_answer *answer);
/* The port can be asked for now: what it holds since before a start and is not sure
 * of. */
void refresh_port(struct bridge *b, const struct port *port);
void refresh_done(struct bridge *b);

/* asking_hand.c */
void asking_hand_answer(struct bridge *b, const struct lq_answer *answer);
void asking_hand_done(struct bridge *b);

/* bridge_frames.c: a lease that was seen or told, VSI or not: bind it there. */
void bridge_found(struct bridge *b, uint16_t port, const struct binding_host *host,
		  const struct known *known);

/* bridge_cases.c */
struct bridge_cases *bridge_cases_new(void);
void bridge_cases_free(struct bridge_cases *cases);
/* A port's guard or place may have changed. */
void bridge_cases_port(struct bridge *b, const struct port *port);
/* Something may have changed: look at all soon. */
void bridge_cases_touch(struct bridge *b);
void bridge_cases_tell_again(struct bridge *b);
/* A binding came or went in this VLAN. */
void bridge_cases_bound(struct bridge *b, uint16_t vlan);
void bridge_cases_neighbour(struct bridge *b, const struct port *port,
			    const struct mac *mac);
bool bridge_cases_is_neighbour(const struct bridge *b, const struct port *port,
			       const struct mac *mac);
/* False: no answer to a question of ours. */
bool bridge_cases_answer(struct bridge *b, const struct lq_answer *answer);
ms_t bridge_cases_deadline(const struct bridge *b);
void bridge_cases_tick(struct bridge *b);
/* Its station has taken leave of this VSI, or what was bound on this port is bound on
 * another now: the kernel's bridge is to forget where it has learned these MACs; who goes
 * on sending is learned, and counts, anew. */
void bridge_cases_left(struct bridge *b, const struct vsi *vsi);
void bridge_cases_left_host(struct bridge *b, uint16_t port,
			    const struct binding_host *host);
/* As last told. */
struct link_cases bridge_cases_of(const struct bridge *b, const struct port *port);

/* bridge_groups.c: multicast groups. */
struct bridge_groups *bridge_groups_new(struct bridge *b);
void bridge_groups_free(struct bridge_groups *groups);
/* The VM has come here, or (first_frame) gives its first sign: ask it. */
void bridge_groups_query(struct bridge *b, const struct vsi *vsi);
/* lldpad holds it here already: ask for what is not known. */
void bridge_groups_take_stock(struct bridge *b, const struct vsi *vsi);
/* Not to be asked on this port any more. */
void bridge_groups_quiet(struct bridge *b, const struct vsi *vsi);
/* The port's settings may have changed; its place has. */
void bridge_groups_port(struct bridge *b, struct port *port);
void bridge_groups_moved(struct bridge *b, struct port *port);
/* A report beyond what its host, or all hosts there, may send: not to be looked at. */
bool bridge_groups_flooded(struct bridge *b, struct port *port,
			   const struct inet_frame *frame);
void bridge_groups_frame(struct bridge *b, struct port *port,
			 const struct inet_frame *frame);
ms_t bridge_groups_deadline(const struct bridge *b);
void bridge_groups_tick(struct bridge *b);

/* bridge_groups_move.c: DO_TAKE_OVER, DO_HAND_OVER, DO_GIVE_BACK; and what becomes of the
 * groups of a VSI, or of one entry of it, that is no longer on its port. */
void bridge_groups_take_over(struct bridge *b, const struct vsi *vsi);
void bridge_groups_hand_over(struct bridge *b, const struct vsi *vsi);
void bridge_groups_give_back(struct bridge *b, const struct vsi *vsi);
void bridge_groups_withdraw(struct bridge *b, const struct vsi *vsi);
void bridge_groups_withdraw_lease(struct bridge *b, const struct vsi *vsi,
				  const struct vsi_lease *lease);

/* bridge_event.c: for those who watch. */
void bridge_tell_vsi(struct bridge *b, const struct vsi *vsi, enum migration_state old,
		     enum migration_event why);
/* to: a state, "renewed" or "dropped". */
void bridge_tell_binding(struct bridge *b, const struct binding *binding, const char *from,
			 const char *to, const char *why);
/* ip: of the answer, or NULL; from NULL: it has begun. */
void bridge_tell_help(struct bridge *b, const struct vsi *vsi, const struct vsi_lease *lease,
		      const struct addr *ip, const char *from, const char *why);
void bridge_tell_server(struct bridge *b, const struct addr *server, bool silent);
void bridge_tell_guard(struct bridge *b, const char *port, enum link_guard old,
		       enum link_guard mode);

/* ports.c */
struct port *ports_find(struct bridge *b, const char *name);
struct port *ports_get(struct bridge *b, const char *name);	/* NULL: no memory */
struct port *ports_number(const struct bridge *b, uint16_t number);
/* Find out where the kernel has it, set its guard's mode. */
void ports_apply(struct bridge *b, struct port *port);
/* The VLAN in the bridge of what this port tags, or a VSI on it says, so (0 = untagged);
 * and the reverse. Only the guard speaks of VLANs as they are on the wire. */
uint16_t ports_vlan_in(const struct port *port, uint16_t vlan);
uint16_t ports_vlan_out(const struct port *port, uint16_t vlan);
/* The servers and the giaddr for a VLAN: how many servers. */
unsigned ports_servers(struct bridge *b, const struct port *port, uint16_t vlan,
		       struct addr *ret_servers, struct addr *ret_giaddr);
bool ports_giaddr(struct bridge *b, const struct port *port, uint16_t vlan,
		  struct addr *ret_giaddr);
/* Does assist allow to ask DHCP servers by leasequery? */
bool ports_may_query(const struct port *port);

#endif
