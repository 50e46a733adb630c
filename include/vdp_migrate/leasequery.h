/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DHCP leasequery client (RFC 4388, RFC 6148): asks DHCP servers which
 * addresses a client holds, for how long. No socket, no clock: messages go out
 * by a callback and come in by lq_input(), time is an argument, so it runs in
 * any event loop.
 *
 * A question goes to all its servers at once. Each reply is checked (source, xid, op,
 * type, giaddr, and the MAC where asked by MAC) and told at once; a server that stays
 * silent is asked again with a time-out taken from its measured round trips. How many
 * questions are outstanding at a server follows from what is lost (LQ_WINDOW_START to
 * LQ_WINDOW_MAX); the rest wait in a queue, lowest `rank` first, and of one rank each
 * `flow` in turn. In no second does a server get more than `max_rate` messages of a
 * flow, repetitions among them.
 *
 * A server that has just said UNKNOWN is not asked the same again for LQ_UNKNOWN_MS: the
 * same answer is given again.
 */
#ifndef VDP_MIGRATE_LEASEQUERY_H
#define VDP_MIGRATE_LEASEQUERY_H

#include "vdp_migrate/types.h"

#define LQ_SERVERS_MAX 8
#define LQ_ADDRS_MAX 8		/* addresses of one reply: ciaddr and option 92 */
#define LQ_WINDOW_START 4
#define LQ_WINDOW_MAX 64
#define LQ_TRIES 5		/* time-outs of one question at one server */
#define LQ_UNKNOWN_MS 1000
#define LQ_HELD_MOST 4096	/* of a flow with a max_rate, at one server */
#define LQ_FOREVER UINT32_MAX	/* lease time of an infinite lease */
#define LQ_NO_TIME UINT32_MAX	/* a reply without client-last-transaction-time */
#define LQ_MESSAGE_MAX 576

enum lq_key {
	LQ_BY_MAC,
	LQ_BY_IP,
	LQ_BY_CLIENT_ID,
	LQ_BY_REMOTE_ID,
};

enum lq_rank {
	LQ_RANK_ASSOC,
	LQ_RANK_PREASSOC,
	LQ_RANK_REFRESH,
};

struct lq_question {
	uint64_t tag;		/* the asker's own; comes back in the answers */
	enum lq_key key;
	enum lq_rank rank;
	uint32_t flow;		/* who asks: the flows of one rank take turns */
	unsigned max_rate;	/* of its flow from now on; 0: no bound */
	bool fresh;		/* ask, whatever was answered just now */
	struct mac mac;		/* by MAC: the key; else who must be meant, or zero */
	struct addr ip;
	struct client_id id;	/* client-id or remote-id */
	struct addr giaddr;	/* our own address; replies come to giaddr:67 */
	unsigned n_servers;
	struct addr servers[LQ_SERVERS_MAX];
};

enum lq_outcome {
	LQ_ACTIVE = 13,		/* DHCPLEASEACTIVE: addrs, lease_s */
	LQ_UNKNOWN = 12,	/* DHCPLEASEUNKNOWN */
	LQ_UNASSIGNED = 11,	/* DHCPLEASEUNASSIGNED, and ACTIVE without a lease time left */
	LQ_SILENT = 0,		/* no answer after all tries */
};

struct lq_answer {
	uint64_t tag;
	enum lq_outcome outcome;
	struct addr server;
	struct mac mac;		/* ACTIVE only */
	unsigned n_addrs;	/* ACTIVE only: the first has lease_s, the others (option
				 * 92) none: ask by IP for them */
	struct addr addrs[LQ_ADDRS_MAX];
	uint32_t lease_s;	/* seconds left of the first, LQ_FOREVER */
	uint32_t last_s;	/* since the client was heard (option 91), LQ_NO_TIME */
	struct addr server_id;	/* option 54, family 0 = none */
	struct client_id client_id; /* ACTIVE only: option 61 */
	bool cached;		/* UNKNOWN, as this server has just said */
	bool last;		/* no other server can still answer this question */
};

enum lq_reject {		/* why a message was not taken */
	LQ_TAKEN = 0,
	LQ_BAD_MESSAGE,		/* not a DHCP message, or cut */
	LQ_NOT_A_REPLY,		/* op or message type */
	LQ_BAD_XID,		/* of no outstanding question */
	LQ_BAD_SERVER,		/* not asked, or not this one */
	LQ_BAD_GIADDR,
	LQ_BAD_MAC,
	LQ_N_REJECTS,
};

struct lq_ops {
	/* Send a message from giaddr:67 to server:67. 0 or -errno (then it is
	 * tried again later, as if lost). */
	int (*send)(void *arg, const struct addr *giaddr, const struct addr *server,
		    const uint8_t *msg, size_t len);
	/* An answer. May ask new questions. */
	void (*answer)(void *arg, const struct lq_answer *answer);
	/* A server that had been silent through a whole question answers again. */
	void (*back)(void *arg, const struct addr *server);
	/* A server has been silent through a whole question. May be NULL. */
	void (*silent)(void *arg, const struct addr *server);
	/* 32 random bits, not guessable. */
	uint32_t (*random)(void *arg);
};

struct lq_counts {
	uint64_t asked, sent, retransmitted, cached, active, unassigned, unknown, silent;
	uint64_t rejected[LQ_N_REJECTS];
};

struct lq;

/* A client; ops and arg are borrowed. NULL: no memory. */
struct lq *lq_new(const struct lq_ops *ops, void *arg);
void lq_free(struct lq *lq);

/* Ask. The question is copied. 0, -EINVAL (no server, no giaddr, no key), -ENOBUFS
 * (LQ_HELD_MOST of its flow wait) or -ENOMEM. Answers come by ops->answer, never from
 * inside this call. */
int lq_ask(struct lq *lq, ms_t now, const struct lq_question *question);

/* Forget all questions with this tag; no answer comes any more. */
void lq_cancel(struct lq *lq, uint64_t tag);

/* Of questions with this tag that still wait: as if asked with this rank, if it is a
 * better one. */
void lq_hurry(struct lq *lq, uint64_t tag, enum lq_rank rank);

/* All that is still out with this tag waits for its flow's max_rate. */
bool lq_held(const struct lq *lq, uint64_t tag);

/* The max_rate of what this flow has asked; of what it asks the question says it. */
void lq_set_rate(struct lq *lq, uint32_t flow, unsigned max_rate);

/* How many messages of this flow wait for its max_rate, and how many ever had to. */
void lq_flow_info(const struct lq *lq, uint32_t flow, unsigned *ret_waiting,
		  uint64_t *ret_held);

/* A message that came to giaddr:67 from server:67. Borrowed for the call. */
enum lq_reject lq_input(struct lq *lq, ms_t now, const struct addr *giaddr,
			const struct addr *server, const uint8_t *msg, size_t len);

/* When lq_tick() must be called next; MS_NEVER. */
ms_t lq_deadline(const struct lq *lq);
void lq_tick(struct lq *lq, ms_t now);

const struct lq_counts *lq_counts(const struct lq *lq);

/* Each server known so far: address, smoothed round trip (us, 0 = none yet),
 * window, what is outstanding, queued, what was lost, silent. */
struct lq_server_info {
	struct addr addr;
	uint32_t srtt_us;
	unsigned window, outstanding, queued;
	bool silent;
	uint64_t answers, lost;
};
void lq_each_server(const struct lq *lq,
		    void (*cb)(void *arg, const struct lq_server_info *info), void *arg);

#endif
