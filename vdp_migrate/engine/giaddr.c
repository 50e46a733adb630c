/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of our sockets are on an address that nobody has given to us, since when they
 * are idle, and whether somebody else now holds UDP port 67. It knows nothing of what
 * is asked.
 */
#include "giaddr.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "wire/text.h"

#define CHECK_MS 2000
#define IDLE_MS 20000 /* an answer that comes later is none */

struct giaddr {
	struct bridge_db *db;
	struct lq_socket *sockets;
	unsigned n;
	struct one {
		struct addr addr;
		ms_t used;
	} one[LQ_SOCKET_MAX];
	ms_t due, checked;
	bool suspect;
	bool logged;
};

static struct one *find(struct giaddr *giaddr, const struct addr *addr);
static void let_go(struct giaddr *giaddr, struct one *one);
static bool check(struct giaddr *giaddr, ms_t now);
static void say_why(struct giaddr *giaddr, const char *where, const char *why);

struct giaddr *giaddr_new(struct bridge_db *db, struct lq_socket *sockets)
{
	struct giaddr *giaddr = calloc(1, sizeof(*giaddr));

	if (!giaddr)
		return NULL;
	giaddr->db = db;
	giaddr->sockets = sockets;
	giaddr->due = MS_NEVER;
	return giaddr;
}

void giaddr_free(struct giaddr *giaddr)
{
	free(giaddr);
}

bool giaddr_default(struct giaddr *giaddr, ms_t now, const char *port,
		    struct addr *ret_addr)
{
	struct bridge_db_port found;
	struct one *one;

	if (!bridge_db_port(giaddr->db, port, &found))
		return false;
	if (!check(giaddr, now)) {
		say_why(giaddr, port,
			"another program on this machine holds UDP port 67");
		return false;
	}
	if (!bridge_db_address(giaddr->db, found.bridge_ifindex, ret_addr)) {
		say_why(giaddr, port, "the bridge has no IPv4 address");
		return false;
	}
	giaddr->logged = false;
	one = find(giaddr, ret_addr);
	if (!one && giaddr->n == LQ_SOCKET_MAX)
		return false;
	if (!one)
		one = &giaddr->one[giaddr->n++];
	*one = (struct one){ *ret_addr, now };
	if (giaddr->due == MS_NEVER)
		giaddr->due = now + CHECK_MS;
	return true;
}

bool giaddr_may_send(struct giaddr *giaddr, ms_t now, const struct addr *from)
{
	struct one *one = find(giaddr, from);

	if (!one)
		return true;
	one->used = now;
	return check(giaddr, now);
}

void giaddr_suspect(struct giaddr *giaddr, const struct addr *addr)
{
	if (!find(giaddr, addr))
		return;
	giaddr->suspect = true;
	giaddr->due = 0;
}

ms_t giaddr_deadline(const struct giaddr *giaddr)
{
	return giaddr->due;
}

void giaddr_tick(struct giaddr *giaddr, ms_t now)
{
	char text[ADDR_TEXT_MAX];
	bool is_free = check(giaddr, now);

	giaddr->due = MS_NEVER;
	if (!is_free && giaddr->n)
		say_why(giaddr, addr_text(&giaddr->one[0].addr, text),
			"another program on this machine holds UDP port 67 now");
	for (unsigned i = giaddr->n; i--;)
		if (!is_free || now - giaddr->one[i].used >= IDLE_MS)
			let_go(giaddr, &giaddr->one[i]);
	if (giaddr->n)
		giaddr->due = now + CHECK_MS;
}

/* Statics. */

static struct one *find(struct giaddr *giaddr, const struct addr *addr)
{
	for (unsigned i = 0; i < giaddr->n; i++)
		if (addr_equal(&giaddr->one[i].addr, addr))
			return &giaddr->one[i];
	return NULL;
}

static void let_go(struct giaddr *giaddr, struct one *one)
{
	lq_socket_close(giaddr->sockets, &one->addr);
	*one = giaddr->one[--giaddr->n];
}

/* Does nobody else hold port 67? Read from the kernel at most once in a while as long
 * as nothing has happened. */
static bool check(struct giaddr *giaddr, ms_t now)
{
	if (giaddr->n && giaddr->checked && now - giaddr->checked < CHECK_MS / 2 &&
	    !giaddr->suspect)
		return true;
	giaddr->suspect = false;
	giaddr->checked = lq_socket_port67_free(giaddr->sockets) ? now : 0;
	if (!giaddr->checked)
		giaddr->due = 0;
	return giaddr->checked;
}

static void say_why(struct giaddr *giaddr, const char *where, const char *why)
{
	if (!giaddr->logged)
		log_line(LOG_WARNING,
			 "%s: no giaddr to ask from: %s; set giaddr to an address of "
			 "this machine that nobody else uses, for instance a /32 on lo",
			 where, why);
	giaddr->logged = true;
}
