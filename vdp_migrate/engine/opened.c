/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The emergency way out, `vdp-migrate guard off --all`, as the engine sees it: the kernel
 * says that every port is open, put there by somebody who needs no engine for it.
 * Bindings are kept up to date meanwhile; the ports' modes are not put back before that
 * is taken back. It outlives an engine, not a restart of the machine.
 */
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "events.h"
#include "log.h"

bool opened_look(struct engine *engine)
{
	int opened = engine->guard_ops->opened(engine->guard);

	/* Who flushes all rules has not said that the guard may come back; until that is
	 * in the kernel again, a table without it says nothing. */
	if (opened == 1)
		engine->hold_open = false;
	else if (engine->opened && opened == -ENOENT)
		engine->hold_open = true;
	if (engine->hold_open && !opened)
		return false;
	if (opened < 0 && opened != -ENOENT)
		log_line(LOG_ERR,
			 "guard: whether it was opened by hand cannot be read: %s",
			 strerror(-opened));
	if (opened < 0 || opened == engine->opened)
		return false;
	engine->opened = opened;
	if (opened)
		log_line(LOG_WARNING,
			 "guard: every port was opened by hand (vdp-migrate guard "
			 "off --all); left so until 'vdp-migrate guard on'");
	else
		log_line(LOG_NOTICE,
			 "guard: no longer opened by hand; in force as it is set");
	events_tell_state(engine->server, "guard", NULL, opened ? "opened" : "as set",
			  "by hand");
	return true;
}

int opened_hold(struct engine *engine)
{
	int err = engine->hold_open ? engine->guard_ops->hold_open(engine->guard) : 0;

	if (!err)
		engine->hold_open = false;
	return err;
}
