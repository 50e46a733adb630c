/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module in lldpad, the engine and the companion say to each other.
 * This enum of messages is the architecture: the module reports ports (with
 * their settings) and every association TLV that it sees; the engine decides
 * and acts; the companion marks and asks.
 *
 * Carrier: abstract SOCK_SEQPACKET socket "@vdp-migrate". A datagram holds one
 * or more messages, each: type (1), version (1), length of the body (2, big
 * endian), body. wire/linkmsg encodes and decodes; numbers big endian, strings
 * preceded by their length (2).
 *
 * The engine listens as root, before it gives root up: a client that finds
 * another owner behind the name (SO_PEERCRED) stays away. Messages of another
 * version are refused once, with one log line, and the peers stay apart.
 */
#ifndef VDP_MIGRATE_LINK_H
#define VDP_MIGRATE_LINK_H

#include "vdp_migrate/types.h"

#define LINK_VERSION 2
#define LINK_DATAGRAM_MAX 32768
#define LINK_SERVERS_MAX 8	/* servers, and giaddrs, of a port */
#define LINK_KEYS_MAX 4
#define LINK_SCHEDULE_MAX 8
#define LINK_COLUMNS_MAX 24
#define LINK_CASES_NAMED 3
#define LINK_TEXT_MAX 512

enum link_type {
	LINK_HELLO = 1,		/* first message of a connection, both ways */

	/* module -> engine */
	LINK_REPLAY,		/* all that the module knows follows, up to LINK_REPLAY_END */
	LINK_REPLAY_END,
	LINK_PORT,		/* a port, its role, its settings; sent at each change */
	LINK_VSI,		/* an association TLV seen on a port */
	LINK_FORGOTTEN,		/* lldpad has forgotten a port's VSIs (link down, SIGHUP) */
	LINK_COUNTER,		/* one of the module's counters, absolute */

	/* engine -> module */
	LINK_CASES,		/* what speaks against guard=enforce on a port */

	/* companion -> engine, passed on to the module; module -> engine: its marks as
	 * they are now (seq 0, ttl_s what is left), and as they are taken away */
	LINK_MARK,
	LINK_UNMARK,
	/* companion -> engine (-> module: marks) */
	LINK_SHOW,		/* a table by its name: bindings, vsis, ports, … */
	/* companion -> engine */
	LINK_WATCH,		/* rows, one an event, until the client goes */
	LINK_BIND,		/* a static binding */
	LINK_UNBIND,
	LINK_ASK,		/* a leasequery by hand */

	/* answers, towards the companion */
	LINK_HEAD,		/* names of the columns, each `name:type` */
	LINK_ROW,		/* a row of text fields */
	LINK_DONE,		/* end of the answer: errno-like code and a text */

	/* companion -> engine, passed on to the module */
	LINK_SET,		/* a setting of the group vdp_migrate */
	LINK_SUSPEND,		/* the VSI's user has stopped here, to go on elsewhere */

	/* engine -> module */
	LINK_READY,		/* a VSI's bindings are in the kernel, or none will come now */
	LINK_HELP,		/* ask the station on a bridge port for help */
	LINK_HELP_END,		/* … no longer */
	/* module -> engine */
	LINK_HELP_ASKED,	/* a station port: the switch asks us, for a marked VSI of ours */
};

enum link_who {
	LINK_MODULE = 1,
	LINK_ENGINE,
	LINK_COMPANION,
};

struct link_hello {
	uint8_t who;		/* enum link_who */
	uint32_t pid;
};

enum link_role {
	LINK_ROLE_NONE = 0,	/* no EVB on this port */
	LINK_ROLE_STATION,
	LINK_ROLE_BRIDGE,
};

enum link_assist {
	LINK_ASSIST_OFF = 0,
	LINK_ASSIST_LEASEQUERY,
	LINK_ASSIST_HELP,
	LINK_ASSIST_AUTO,
};

enum link_groups {
	LINK_GROUPS_OFF = 0,
	LINK_GROUPS_IGMP,
	LINK_GROUPS_MLD,
	LINK_GROUPS_BOTH,
};

enum link_conflict {
	LINK_CONFLICT_ACCEPT = 0,
	LINK_CONFLICT_VERIFY,
};

enum link_guard {
	LINK_GUARD_OFF = 0,
	LINK_GUARD_MONITOR,
	LINK_GUARD_ENFORCE,
};

/* `A` or `VID:A`; vlan 0xffff = any VLAN. */
#define LINK_VLAN_ANY 0xffff
struct link_vlan_addr {
	uint16_t vlan;
	struct addr addr;
};

struct link_port {
	char name[VM_IFNAME_MAX];
	uint8_t role;		/* enum link_role */
	bool up;		/* lldpad has the port's link up */
	bool gone;		/* lldpad no longer has this port or it is not ours (use=no) */
	uint8_t assist;		/* enum link_assist */
	uint8_t guard;		/* enum link_guard */
	bool guard_anyway;	/* enforce!: open cases are accepted */
	bool trusted;
	bool remote_id_text;	/* a VSI instance ID as remote-id: text, else binary */
	uint8_t n_keys;		/* in turn; enum lq_key, each at most once */
	uint8_t keys[LINK_KEYS_MAX];
	uint32_t keepalive_ms;	/* the bridge's keep-alive time-out now in force */
	/* What the neighbour's capability TLV says; version 0 = it sends none. */
	uint8_t peer_version, peer_role, peer_flags;
	uint8_t n_servers, n_giaddrs;
	struct link_vlan_addr servers[LINK_SERVERS_MAX];
	struct link_vlan_addr giaddrs[LINK_SERVERS_MAX];
	uint8_t groups;		/* enum link_groups */
	uint8_t n_schedule;	/* ms after the VM's first sign; ascending */
	uint32_t schedule[LINK_SCHEDULE_MAX];
	uint8_t conflict;	/* enum link_conflict */
	uint16_t max_rate;	/* leasequeries a second */
	uint16_t hold_ms;	/* how long the module waits for LINK_READY; 0: it does not */
};

/* What was seen of a VSI. On a bridge port unless the port is a station. */
enum link_vsi_what {
	LINK_VSI_REQUEST = 1,	/* a request came in (station: was sent) */
	LINK_VSI_RESPONSE,	/* its answer went out (station: came in); see status */
	LINK_VSI_TIMEOUT,	/* our own bridge de-associates it unasked */
	LINK_VSI_REPLAYED,	/* lldpad holds it: mode, and M of its first request */
};

struct link_vsi {
	char port[VM_IFNAME_MAX];
	uint8_t what;		/* enum link_vsi_what */
	uint8_t mode;		/* enum vdp22_tlv: PRE, PRE_RR, ASSOC, DEASSOC */
	uint8_t status;		/* as on the wire */
	struct vsi_id id;
	uint16_t n_entries;
	struct vsi_entry entries[VSI_ENTRIES_MAX];
};

struct link_counter {
	char name[48];
	uint64_t value;
};

struct link_mark {
	uint32_t seq;		/* of the question, chosen by the one who asks */
	struct vsi_id id;
	struct mac mac;		/* zero = not known */
	struct addr ip;		/* family 0 = not known */
	struct client_id client_id;
	bool no_client_id;	/* the client is known to send none; else len 0 = not known */
	struct addr server;	/* the DHCP server (option 54) of its lease; family 0 = not known */
	char tap[VM_IFNAME_MAX]; /* its interface on this hypervisor; "" = not known */
	uint32_t ttl_s;		/* 0 = until unmark, at most 24 h */
};

/* A VSI of a port: LINK_READY, LINK_HELP_END. */
struct link_vsi_of {
	char port[VM_IFNAME_MAX];
	struct vsi_id id;
};

struct link_suspend {
	uint32_t seq;
	struct vsi_id id;
};

/* DESIGN 3.2: what the help TLV says. LINK_HELP: what it is to say; LINK_HELP_ASKED:
 * what it said. */
#define LINK_HELP_ENTRIES_MAX 50
struct link_help {
	char port[VM_IFNAME_MAX];
	bool dhcp4, dhcp6;	/* what is wanted */
	struct addr giaddr;	/* family 0 = none */
	bool apart;		/* … and not in the VM's subnet */
	uint32_t xid;		/* of the first entry's DHCPREQUEST; each further one more */
	struct vsi_id id;
	uint16_t n_entries;
	struct vsi_entry entries[LINK_HELP_ENTRIES_MAX];
};

/* For each port that has none of its own; value "": as never set. */
struct link_set {
	uint32_t seq;
	char name[32];
	char value[LINK_TEXT_MAX];
};

struct link_show {
	uint32_t seq;
	char table[16];
};

/* Before it has looked at every MAC of the port's VSIs and FDB: not complete. */
struct link_cases {
	char port[VM_IFNAME_MAX];
	bool complete;
	uint32_t n;		/* MACs of which no address is known */
	uint8_t n_named;	/* so many of these by name, those there longest */
	struct mac named[LINK_CASES_NAMED];
};

struct link_bind {
	uint32_t seq;
	uint16_t vlan;
	struct mac mac;
	struct addr ip;
	char port[VM_IFNAME_MAX];	/* "" = wherever its VSI is */
};

struct link_ask {
	uint32_t seq;
	uint8_t key;		/* enum lq_key */
	struct mac mac;
	struct addr ip;
	struct client_id id;	/* client-id or remote-id */
	struct addr giaddr;	/* family 0 = the engine's choice */
	uint8_t n_servers;	/* 0 = all that are set on ports */
	struct addr servers[LINK_SERVERS_MAX];
};

/* Columns are named `name:type`: s text, n number, d seconds ("" = no end), b "yes" or
 * "no", u microseconds, t milliseconds since 1970. An empty field: not known. A '+'
 * behind the type: a detail, left out of a table unless asked for.
 *
 * A row or a head; fields borrow from the datagram, not terminated. */
struct link_row {
	uint32_t seq;
	uint8_t n;
	struct link_field {
		const char *s;
		uint16_t len;
	} field[LINK_COLUMNS_MAX];
};

struct link_done {
	uint32_t seq;
	int32_t code;		/* 0, or a positive errno */
	char text[LINK_TEXT_MAX];
};

/* One decoded message. LINK_REPLAY, LINK_REPLAY_END: no body. */
struct link_msg {
	uint8_t type;		/* enum link_type */
	union {
		struct link_hello hello;
		struct link_port port;
		struct link_vsi vsi;
		char forgotten[VM_IFNAME_MAX];	/* port; "" = all ports */
		struct link_counter counter;
		struct link_cases cases;
		struct link_mark mark;		/* LINK_MARK, LINK_UNMARK */
		struct link_vsi_of vsi_of;	/* LINK_READY, LINK_HELP_END */
		struct link_suspend suspend;
		struct link_help help;		/* LINK_HELP, LINK_HELP_ASKED */
		struct link_set set;
		struct link_show show;		/* LINK_SHOW; LINK_WATCH: seq alone */
		struct link_bind bind;		/* LINK_BIND, LINK_UNBIND */
		struct link_ask ask;
		struct link_row row;		/* LINK_HEAD, LINK_ROW */
		struct link_done done;
	} u;
};

#endif
