/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard alone, for test_guard.py: a command a line on standard input, its
 * answer lines on standard output, "ok" or "error" behind them.
 *   put|renew|drop PORT VLAN MAC IP [SECONDS|never]   announce|renounce PORT MAC
 *   mode PORT off|monitor|enforce   commit   dispatch   recover   list   modes
 *   counts   many PORT N (puts N made-up elements)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/guard_backend.h"
#include "wire/text.h"

static const struct guard_ops *ops;
static struct guard *guard;

static int answer(int r)
{
	if (r < 0)
		printf("error %d %s\n", r, strerror(-r));
	else
		printf("ok %d\n", r);
	return fflush(stdout);
}

static void print_element(void *arg, const struct guard_element *element)
{
	char mac[MAC_TEXT_MAX], ip[ADDR_TEXT_MAX];

	(void)arg;
	printf("%s %u %s %s %lld\n", element->port, element->vlan,
	       mac_text(&element->mac, mac), addr_text(&element->ip, ip),
	       element->timeout_ms == MS_NEVER ? -1LL : (long long)element->timeout_ms);
}

static void print_mode(void *arg, const char *port, enum link_guard mode)
{
	(void)arg;
	printf("%s %s\n", port, mode == LINK_GUARD_ENFORCE ? "enforce" : "monitor");
}

static void print_count(void *arg, const char *port, uint16_t ethertype, uint64_t packets)
{
	(void)arg;
	printf("%s %04x %llu\n", port, ethertype, (unsigned long long)packets);
}

static int element(const char *verb, char **word)
{
	struct guard_element e = { .vlan = (uint16_t)atoi(word[2]),
				   .timeout_ms = MS_NEVER };

	snprintf(e.port, sizeof(e.port), "%s", word[1]);
	if (mac_parse(word[3], &e.mac) < 0 || addr_parse(word[4], &e.ip) < 0)
		return -22;
	if (word[5][0] && strcmp(word[5], "never") != 0)
		e.timeout_ms = (ms_t)(atof(word[5]) * 1000);
	if (!strcmp(verb, "put"))
		return ops->put(guard, &e);
	return strcmp(verb, "renew") ? ops->drop(guard, &e) : ops->renew(guard, &e);
}

static int announced(const char *verb, char **word)
{
	struct mac mac;

	if (mac_parse(word[2], &mac) < 0)
		return -22;
	return strcmp(verb, "announce") ? ops->renounce(guard, word[1], &mac)
					: ops->announce(guard, word[1], &mac);
}

static int mode(char **word)
{
	enum link_guard m = !strcmp(word[2], "enforce")	  ? LINK_GUARD_ENFORCE
			    : !strcmp(word[2], "monitor") ? LINK_GUARD_MONITOR
							  : LINK_GUARD_OFF;

	return ops->mode(guard, word[1], m);
}

static int many(char **word)
{
	unsigned n = (unsigned)atoi(word[2]);
	int r = 0;

	for (unsigned i = 0; !r && i < n; i++) {
		struct guard_element e = { .timeout_ms = 3600000,
					   .mac = { { 0x52, 0x54, 1, (uint8_t)(i >> 16),
						      (uint8_t)(i >> 8), (uint8_t)i } },
					   .ip = { ADDR_IPV4,
						   { 10, (uint8_t)(i >> 16),
						     (uint8_t)(i >> 8), (uint8_t)i } } };

		snprintf(e.port, sizeof(e.port), "%s", word[1]);
		r = ops->put(guard, &e);
	}
	return r;
}

static int run(char **word)
{
	const char *verb = word[0];

	if (!strcmp(verb, "put") || !strcmp(verb, "renew") || !strcmp(verb, "drop"))
		return element(verb, word);
	if (!strcmp(verb, "announce") || !strcmp(verb, "renounce"))
		return announced(verb, word);
	if (!strcmp(verb, "mode"))
		return mode(word);
	if (!strcmp(verb, "many"))
		return many(word);
	if (!strcmp(verb, "commit"))
		return ops->commit(guard);
	if (!strcmp(verb, "dispatch"))
		return ops->dispatch(guard);
	if (!strcmp(verb, "recover"))
		return ops->recover(guard);
	if (!strcmp(verb, "list"))
		return ops->list(guard, print_element, NULL);
	if (!strcmp(verb, "modes"))
		return ops->list_modes(guard, print_mode, NULL);
	return strcmp(verb, "counts") ? -38 : ops->counts(guard, print_count, NULL);
}

int main(void)
{
	char line[256], error[256] = "";

	signal(SIGPIPE, SIG_IGN);
	ops = guard_backend(NULL);
	if (ops->open(&guard, error, sizeof(error)) < 0) {
		fprintf(stderr, "guard_driver: %s\n", error);
		return 1;
	}
	answer(0);
	while (fgets(line, sizeof(line), stdin)) {
		char empty[] = "",
		     *word[6] = { empty, empty, empty, empty, empty, empty };
		char *rest = line;

		for (int i = 0; i < 6; i++) {
			char *w = strsep(&rest, " \n");

			if (!w || !*w)
				break;
			word[i] = w;
		}
		answer(run(word));
	}
	ops->close(guard);
	return 0;
}
