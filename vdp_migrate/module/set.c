/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See set.h. What a value looks like is known in settings.c alone.
 */
#include "set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "wire/text.h"

#define GUARD "guard"
#define ROW_MAX 700		/* octets of a row: the value is most of it */
#define NAMED_MAX (LINK_CASES_NAMED * (MAC_TEXT_MAX + 2) + 4)

static enum host_set_result test_guard(struct set *set, const char *port,
				       const char *value);
static bool is_open(struct set *set, const struct port *port);
static const char *named(const struct link_cases *cases, char text[NAMED_MAX]);
static enum host_set_result store(struct set *set, const char *port, const char *name,
				  const char *value);
static bool concerns(const struct port *port, const char *name_of_port, const char *name);
static void set_group(struct set *set, const struct link_set *wanted);
static void show(struct set *set, uint32_t seq);
static bool show_port(struct set *set, uint32_t seq, const char *port);
static void done(struct set *set, uint32_t seq, int error, const char *text);
static enum host_set_result refuse(struct set *set, const char *port, const char *name,
				   const char *value, enum host_set_result result,
				   const char *format, ...)
	__attribute__((format(printf, 6, 7)));

enum host_set_result set_test(struct set *set, const char *port, const char *name,
			      const char *value)
{
	const char *takes;

	switch (settings_check(name, value, &takes)) {
	case 0:
		break;
	case -ENOENT:
		snprintf(set->why, sizeof(set->why), "no setting '%s'", name);
		return HOST_SET_NO_SUCH_NAME;
	default:
		return refuse(set, port, name, value, HOST_SET_BAD_VALUE, "takes %s",
			      takes);
	}
	return strcmp(name, GUARD) ? HOST_SET_OK : test_guard(set, port, value);
}

enum host_set_result set_value(struct set *set, const char *port, const char *name,
			       const char *value)
{
	enum host_set_result result = set_test(set, port, name, value);

	return result == HOST_SET_OK ? store(set, port, name, value) : result;
}

bool set_message(struct set *set, const struct link_msg *msg)
{
	if (msg->type == LINK_SET)
		set_group(set, &msg->u.set);
	else if (msg->type == LINK_SHOW &&
		 !strncmp(msg->u.show.table, "settings", sizeof(msg->u.show.table)))
		show(set, msg->u.show.seq);
	else
		return false;
	return true;
}

void set_forget_cases(struct ports *ports)
{
	struct port *port;

	for (port = ports->first; port; port = port->next)
		port->cases = (struct link_cases){ 0 };
}

static enum host_set_result test_guard(struct set *set, const char *name_of_port,
				       const char *value)
{
	struct port *port;

	if (!strcmp(value, "off"))
		return HOST_SET_OK;
	if (name_of_port && host_offloaded(name_of_port))
		return refuse(set, name_of_port, GUARD, value, HOST_SET_FAILED,
			      "an ASIC forwards past the kernel what comes in here "
			      "(phys_switch_id)");
	if (strcmp(value, "enforce"))
		return HOST_SET_OK;
	for (port = set->ports->first; port; port = port->next)
		if (concerns(port, name_of_port, GUARD) && is_open(set, port))
			return HOST_SET_FAILED;
	if (name_of_port && !port_find(set->ports, name_of_port))
		return refuse(set, name_of_port, GUARD, value, HOST_SET_FAILED,
			      "lldpad has never had this port up; enforce! accepts that");
	return HOST_SET_OK;
}

/* Does something speak against guard=enforce? Says what. */
static bool is_open(struct set *set, const struct port *port)
{
	const struct link_cases *cases = &port->cases;
	const char *name = port->name;
	char text[NAMED_MAX];

	if (port->settings.guard == LINK_GUARD_ENFORCE)
		return false;
	if (!set->link || !link_connected(set->link))
		refuse(set, name, GUARD, "enforce", HOST_SET_FAILED,
		       "engine not running, so nobody knows whom it would cut off; "
		       "enforce! accepts that");
	else if (!cases->complete)
		refuse(set, name, GUARD, "enforce", HOST_SET_FAILED,
		       "not every VM here has been looked for yet (guard=monitor does "
		       "it); enforce! accepts that");
	else if (cases->n)
		refuse(set, name, GUARD, "enforce", HOST_SET_FAILED,
		       "%u open cases (%s): no address is known of so many MACs here, "
		       "they would be cut off: see vdp-migrate show cases; enforce! "
		       "accepts that", cases->n, named(cases, text));
	else
		return false;
	return true;
}

static const char *named(const struct link_cases *cases, char text[NAMED_MAX])
{
	char mac[MAC_TEXT_MAX];
	int len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < cases->n_named; i++)
		len += snprintf(text + len, NAMED_MAX - (size_t)len, "%s%s",
				i ? ", " : "", mac_text(&cases->named[i], mac));
	if (cases->n > cases->n_named)
		snprintf(text + len, NAMED_MAX - (size_t)len, "%s...", len ? ", " : "");
	return text;
}

/* value NULL: as one that was never set. */
static enum host_set_result store(struct set *set, const char *name_of_port,
				  const char *name, const char *value)
{
	bool anyway = !strcmp(name, GUARD) && value &&
		      !strcmp(value, SETTINGS_ENFORCE_ANYWAY);
	struct port *port;
	int rc;

	rc = host_setting_store(name_of_port, name, anyway ? "enforce" : value);
	if (rc) {
		snprintf(set->why, sizeof(set->why),
			 "%s: setting %s: '%s' could not be stored: %s",
			 name_of_port ? name_of_port : "group vdp_migrate", name,
			 value ? value : "", strerror(-rc));
		host_log(LOG_ERR, "%s", set->why);
		return HOST_SET_FAILED;
	}
	for (port = set->ports->first; port; port = port->next) {
		if (!concerns(port, name_of_port, name))
			continue;
		port_read_settings(port);
		if (!strcmp(name, GUARD))
			port->guard_anyway = anyway;
		set->changed(set->arg, port);
	}
	return HOST_SET_OK;
}

/* A setting of the group holds where the port has none of its own. */
static bool concerns(const struct port *port, const char *name_of_port, const char *name)
{
	if (name_of_port)
		return !strcmp(port->name, name_of_port);
	return !host_setting(port->name, name);
}

static void set_group(struct set *set, const struct link_set *wanted)
{
	enum host_set_result result;

	set->why[0] = '\0';
	if (*wanted->value)
		result = set_value(set, NULL, wanted->name, wanted->value);
	else if (settings_help(wanted->name))
		result = store(set, NULL, wanted->name, NULL);
	else
		result = set_test(set, NULL, wanted->name, "");
	done(set, wanted->seq, result == HOST_SET_OK ? 0 : EINVAL, set->why);
}

static void show(struct set *set, uint32_t seq)
{
	static const char *const head[] = { "port:s", "name:s", "value:s", "from:s" };
	const struct port *port;

	link_put_row(set->link, LINK_HEAD, seq, head, sizeof(head) / sizeof(head[0]));
	for (port = set->ports->first; port; port = port->next)
		if (port->settings.use && !show_port(set, seq, port->name))
			return;
	done(set, seq, 0, "");
}

/* False: the answer has been broken off. */
static bool show_port(struct set *set, uint32_t seq, const char *port)
{
	static const char *const from_text[] = {
		[SETTINGS_PORT] = "port",
		[SETTINGS_GROUP] = "group",
		[SETTINGS_DEFAULT] = "default",
	};
	enum settings_from from;
	const char *name;
	unsigned i;

	for (i = 0; (name = settings_name(i)); i++) {
		const char *value = settings_source(port, name, &from);
		const char *const fields[] = { port, name, value, from_text[from] };

		if (link_room(set->link) < ROW_MAX && !link_flush(set->link)) {
			done(set, seq, ENOBUFS, "the engine does not read");
			return false;
		}
		link_put_row(set->link, LINK_ROW, seq, fields,
			     sizeof(fields) / sizeof(fields[0]));
	}
	return true;
}

static void done(struct set *set, uint32_t seq, int error, const char *text)
{
	struct link_msg msg = {
		.type = LINK_DONE,
		.u.done = { .seq = seq, .code = error },
	};

	snprintf(msg.u.done.text, sizeof(msg.u.done.text), "%s", text);
	link_put(set->link, &msg);
	link_flush(set->link);
}

static enum host_set_result refuse(struct set *set, const char *port, const char *name,
				   const char *value, enum host_set_result result,
				   const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(set->why, sizeof(set->why), "%s: setting %s: '%.80s' refused: ",
		     port ? port : "group vdp_migrate", name, value);
	va_start(args, format);
	if (n > 0 && (size_t)n < sizeof(set->why))
		vsnprintf(set->why + n, sizeof(set->why) - (size_t)n, format, args);
	va_end(args);
	host_log(LOG_WARNING, "%s", set->why);
	return result;
}
