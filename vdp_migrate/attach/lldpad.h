/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What we know of a stock lldpad's memory: the objects that its modules share,
 * declared naturally, so that a compiler of the same platform gives the same
 * offsets. Nothing here is VDP.
 *
 * Holds for (module list, bus and client commands are alike in all of them):
 *
 *	lldpad				checked on
 *	1.0.1				amd64
 *	1.1 (Debian 12: 1.1+git20221028)	amd64, arm64, i386
 *	1.1.1, master of 2025		amd64
 *
 * Older ones (0.9) have another struct port and another bus: scan.c finds the
 * list there too, but refuses it by the slots of VDP22 and ECP22.
 */
#ifndef ATTACH_LLDPAD_H
#define ATTACH_LLDPAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Module IDs on the bus. */
#define LLDPAD_EVB22 0x80c2
#define LLDPAD_ECP22 0x80c3
#define LLDPAD_VDP22 0x80c4

/* The nearest customer bridge among the agents of a port; the other two (nearest
 * bridge, nearest non-TPMR bridge) are 0 and 1. */
#define LLDPAD_AGENT_CUSTOMER 2

/* Slots of struct lldpad_ops that a module fills: bit n = n-th pointer. */
#define LLDPAD_SLOTS 16
#define LLDPAD_SLOTS_ALL 0x0003		/* register, unregister: each module */
#define LLDPAD_SLOTS_VDP22 0xc203	/* + client_cmd, args, notify */
#define LLDPAD_SLOTS_ECP22 0x8003	/* + notify */
#define LLDPAD_SLOTS_EVB22 0x60ef	/* + gettlv, rchange, ifup, ifdown,
					 * mibdelete, timer, args */
#define LLDPAD_MODULES_MIN 3
#define LLDPAD_MODULES_MAX 64		/* eleven are stock */

/* Longest payload that ECP22 sends: one octet more and it answers -E2BIG. */
#define LLDPAD_SEND_MAX 1493

/* What VDP22 sends is a manager ID TLV and one association TLV: an octet says there that
 * it answers (IEEE 802.1Q 41.2.3). */
#define LLDPAD_ANSWER_STATUS 20
#define LLDPAD_ANSWER 0x40

struct lldpad_module;
struct sockaddr_un;

struct lldpad_port {
	struct lldpad_port *next;
	int ifindex;
	uint8_t resetting, enabled, was_enabled, is_bond;
	void *timers;
	uint16_t dormant_delay;
	void *agents;
	void *l2;
	char ifname[16];
};

struct lldpad_agent {
	int admin_status;
	int unused;
	uint8_t mac[6];
	struct {
		uint8_t *frame;
		uint16_t size;
		uint8_t flags[8];
		bool new_neighbor;
		void *manifest;
	} rx;
	struct {
		uint8_t *frame;
		uint32_t size;
		uint8_t state;
		uint8_t local_change;	/* 1: a new LLDPDU leaves at once */
		uint16_t ttl;
		bool now;
		uint16_t fast;
	} tx;
	uint32_t stats[7];
	struct {
		uint16_t tx[10];
		bool tick;
		uint16_t rx[3];
	} timers;
	uint8_t rx_changes;
	uint16_t lldpdu;
	struct {
		uint16_t len1;
		uint8_t *id1;
		uint16_t len2;
		uint8_t *id2;
	} msap;
	int type;		/* LLDPAD_AGENT_… */
	void *entry[2];
};

/* A TLV that gettlv returns: both allocated, lldpad frees them. */
struct lldpad_packed {
	uint16_t size;		/* with its header */
	uint8_t *tlv;
};

/* A TLV that rchange is shown; info is allocated. */
struct lldpad_unpacked {
	uint8_t type;
	uint16_t length;
	uint8_t *info;
};

/* A message on the bus; data and ifname are the sender's. */
enum lldpad_message_type {
	LLDPAD_EVB22_TO_ECP22 = 1,
	LLDPAD_EVB22_TO_VDP22 = 2,
	LLDPAD_ECP22_TO_ULP = 3,
	LLDPAD_VDP22_TO_ECP22 = 4,
};

struct lldpad_message {
	int type;		/* enum lldpad_message_type */
	union {
		struct {
			uint8_t retries, rte;
		} ecp;		/* EVB22_TO_ECP22 */
		struct {
			uint8_t retries, rte, rwd, rka, groups, on;
		} vdp;		/* EVB22_TO_VDP22 */
		struct {
			uint16_t len;
			void *data;
		} pdu;		/* the other two */
	} u;
};

/* A command of lldptool and dcbtool, decoded by lldpad. */
enum lldpad_cmd_code { LLDPAD_CMD_GET_TLV = 1, LLDPAD_CMD_SET_TLV = 2 };

struct lldpad_cmd {
	uint8_t code;		/* enum lldpad_cmd_code */
	uint32_t module_id, ops, tlvid;
	uint8_t agent;		/* LLDPAD_AGENT_… */
	char ifname[17];
	char obuf[4096];
};

/* What a handler of a command's argument returns; the answer's text goes to obuf. */
enum lldpad_status {
	LLDPAD_SUCCESS = 0,
	LLDPAD_FAILED = 1,
	LLDPAD_INVALID = 4,
	LLDPAD_BAD_PARAMS = 5,
	LLDPAD_NOT_APPLICABLE = 9,	/* another module may know */
	LLDPAD_AGENT_NOT_SUPPORTED = 11,
};

typedef int lldpad_arg_fn(struct lldpad_cmd *cmd, char *arg, char *value, char *obuf,
			  int obuf_len);

/* One argument that a module understands; a list ends with name NULL. lldpad asks
 * all modules for each argument, whatever TLV it is for. */
#define LLDPAD_ARG_OF_TLV 1
struct lldpad_arg {
	char *name;
	int of;			/* LLDPAD_ARG_OF_TLV */
	lldpad_arg_fn *get, *set, *test;
};

struct lldpad_ops {
	struct lldpad_module *(*enlist)(void);	/* slot 0: "register" */
	void (*unregister)(struct lldpad_module *module);
	void *(*gettlv)(struct lldpad_port *port, struct lldpad_agent *agent);
	int (*rchange)(struct lldpad_port *port, struct lldpad_agent *agent, void *tlv);
	void (*utlv)(struct lldpad_port *port);
	void (*ifup)(char *ifname, struct lldpad_agent *agent);
	void (*ifdown)(char *ifname, struct lldpad_agent *agent);
	uint8_t (*mibdelete)(struct lldpad_port *port, struct lldpad_agent *agent);
	uint32_t (*client_register)(void);
	int (*client_cmd)(void *data, struct sockaddr_un *from, socklen_t fromlen,
			  char *ibuf, int ilen, char *rbuf, int rlen);
	int (*print_tlv)(uint32_t tlvid, uint16_t len, char *info);
	uint32_t (*lookup_tlv_name)(char *name);
	int (*print_help)(void);
	int (*timer)(struct lldpad_port *port, struct lldpad_agent *agent);
	struct lldpad_arg *(*args)(void);
	int (*notify)(int sender, char *ifname, void *message);
};

/* A node of the list: prev points at the pointer that points here; the first
 * node's at the list's head, a variable of the program. What malloc has given may
 * hold anything in enable, path and dl. */
struct lldpad_module {
	int id;
	uint8_t enable;
	char *path;
	void *dl;
	void *data;
	const struct lldpad_ops *ops;
	struct lldpad_module *next;
	struct lldpad_module **prev;
};

_Static_assert(sizeof(struct lldpad_ops) == LLDPAD_SLOTS * sizeof(void *), "slots");
#ifdef __LP64__
_Static_assert(offsetof(struct lldpad_module, prev) == 48, "module");
_Static_assert(offsetof(struct lldpad_agent, tx.local_change) == 61, "agent");
_Static_assert(offsetof(struct lldpad_agent, type) == 168, "agent");
_Static_assert(offsetof(struct lldpad_port, ifname) == 48, "port");
_Static_assert(sizeof(struct lldpad_message) == 24, "message");
#else
_Static_assert(offsetof(struct lldpad_module, prev) == 28, "module");
_Static_assert(offsetof(struct lldpad_agent, tx.local_change) == 45, "agent");
_Static_assert(offsetof(struct lldpad_agent, type) == 128, "agent");
_Static_assert(offsetof(struct lldpad_port, ifname) == 28, "port");
#endif

#endif
