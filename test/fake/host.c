/* SPDX-License-Identifier: GPL-2.0-only */
/* See host.h. */
#include "host.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_MAX 64
#define LINES_MAX 256
#define WATCHES_MAX 8
#define EVB_MODE "evbmode"

static struct {
	char port[VM_IFNAME_MAX], name[32], value[600];
} settings[SETTINGS_MAX];
static unsigned n_settings;
static char lines[LINES_MAX][300];
static unsigned n_lines;
static struct {
	int fd;
	void (*cb)(void *arg);
	void *arg;
} watches[WATCHES_MAX];
static unsigned n_watches;
static int store_error;
static ms_t now, turn_at;
static struct host_held held;
static char offloaded[VM_IFNAME_MAX];
static struct {
	char port[VM_IFNAME_MAX];
	unsigned n;
} changes[8];
static struct {
	char port[VM_IFNAME_MAX];
	uint8_t pdu[HOST_PDU_MAX];
	size_t len;
} pdus[2];

void fake_host_reset(void)
{
	n_settings = n_lines = n_watches = 0;
	store_error = 0;
	now = turn_at = 0;
	held = (struct host_held){ 0 };
	fake_host_offload(NULL);
	memset(changes, 0, sizeof(changes));
	memset(pdus, 0, sizeof(pdus));
}

void fake_host_set(const char *port, const char *name, const char *value)
{
	unsigned i;

	if (!port)
		port = "";
	for (i = 0; i < n_settings; i++)
		if (!strcmp(settings[i].port, port) && !strcmp(settings[i].name, name))
			break;
	if (i == SETTINGS_MAX)
		return;
	if (!value) {
		if (i < n_settings)
			settings[i] = settings[--n_settings];
		return;
	}
	snprintf(settings[i].port, sizeof(settings[i].port), "%s", port);
	snprintf(settings[i].name, sizeof(settings[i].name), "%s", name);
	snprintf(settings[i].value, sizeof(settings[i].value), "%s", value);
	if (i == n_settings)
		n_settings++;
}

void fake_host_evb_mode(const char *port, const char *mode)
{
	fake_host_set(port, EVB_MODE, mode);
}

void fake_host_refuse_store(int error)
{
	store_error = error;
}

void fake_host_advance(ms_t ms)
{
	now += ms;
}

void fake_host_offload(const char *port)
{
	snprintf(offloaded, sizeof(offloaded), "%s", port ? port : "");
}

unsigned fake_host_lldp_changes(const char *port)
{
	unsigned i, n;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (!strcmp(changes[i].port, port)) {
			n = changes[i].n;
			changes[i].n = 0;
			return n;
		}
	return 0;
}

size_t fake_host_pdu(bool delivered, char ret_port[VM_IFNAME_MAX],
		     uint8_t ret_pdu[HOST_PDU_MAX])
{
	size_t len = pdus[delivered].len;

	memcpy(ret_port, pdus[delivered].port, VM_IFNAME_MAX);
	memcpy(ret_pdu, pdus[delivered].pdu, HOST_PDU_MAX);
	pdus[delivered].len = 0;
	return len;
}

void fake_host_hold(const struct host_held *to)
{
	held = *to;
}

ms_t fake_host_turn_at(void)
{
	ms_t at = turn_at;

	turn_at = 0;
	return at;
}

void fake_host_poll(void)
{
	unsigned i;

	for (i = 0; i < n_watches; i++) {
		struct pollfd p = { .fd = watches[i].fd, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0)
			continue;
		watches[i].cb(watches[i].arg);
		i = -1u;	/* the list may have changed */
	}
}

bool fake_host_watches(int fd)
{
	unsigned i;

	for (i = 0; i < n_watches; i++)
		if (watches[i].fd == fd)
			return true;
	return false;
}

unsigned fake_host_logged(const char *part)
{
	unsigned i, n = 0;

	for (i = 0; i < n_lines; i++)
		n += strstr(lines[i], part) != NULL;
	return n;
}

const char *fake_host_last_log(void)
{
	return n_lines ? lines[n_lines - 1] : "";
}

const char *host_setting(const char *port, const char *name)
{
	unsigned i;

	for (i = 0; i < n_settings; i++)
		if (!strcmp(settings[i].port, port ? port : "") &&
		    !strcmp(settings[i].name, name))
			return settings[i].value;
	return NULL;
}

int host_setting_store(const char *port, const char *name, const char *value)
{
	if (!store_error)
		fake_host_set(port, name, value);
	return store_error;
}

const char *host_evb_mode(const char *port)
{
	return host_setting(port, EVB_MODE);
}

static void keep_pdu(bool delivered, const char *port, const uint8_t *pdu, size_t len)
{
	snprintf(pdus[delivered].port, VM_IFNAME_MAX, "%s", port);
	memcpy(pdus[delivered].pdu, pdu, len);
	pdus[delivered].len = len;
}

void host_pdu_send(const char *port, const uint8_t *pdu, size_t len)
{
	keep_pdu(false, port, pdu, len);
}

void host_pdu_deliver(const char *port, const uint8_t *pdu, size_t len)
{
	keep_pdu(true, port, pdu, len);
}

bool host_offloaded(const char *port)
{
	return !strcmp(offloaded, port);
}

void host_lldp_changed(const char *port)
{
	unsigned i = 0;

	while (i < sizeof(changes) / sizeof(changes[0]) - 1 && *changes[i].port &&
	       strcmp(changes[i].port, port))
		i++;
	snprintf(changes[i].port, VM_IFNAME_MAX, "%s", port);
	changes[i].n++;
}

void host_turn_at(ms_t at)
{
	turn_at = at;
}

int host_watch(int fd, void (*cb)(void *arg), void *arg)
{
	if (n_watches == WATCHES_MAX)
		return -1;
	watches[n_watches].fd = fd;
	watches[n_watches].cb = cb;
	watches[n_watches++].arg = arg;
	return 0;
}

void host_unwatch(int fd)
{
	unsigned i;

	for (i = 0; i < n_watches; i++)
		if (watches[i].fd == fd)
			watches[i] = watches[--n_watches];
}

void host_each_port(void (*cb)(void *arg, const char *port), void *arg)
{
	unsigned i;

	for (i = 0; i < n_settings; i++)
		if (!strcmp(settings[i].name, EVB_MODE))
			cb(arg, settings[i].port);
}

const struct host_held *host_held(void)
{
	return &held;
}

ms_t host_now(void)
{
	return now;
}

void host_log(int priority, const char *format, ...)
{
	va_list args;

	(void)priority;
	if (n_lines == LINES_MAX)
		return;
	va_start(args, format);
	vsnprintf(lines[n_lines++], sizeof(lines[0]), format, args);
	va_end(args);
}
