/* SPDX-License-Identifier: GPL-2.0-only */
/* See help.h. The line in the list has the form of lldptool's own. */
#include "help.h"

#include "module/settings.h"

void help_line(FILE *out)
{
	fputs("   vdp-migrate\t: vdp_migrate Capability TLV "
	      "(its settings: help -V vdp-migrate)\n", out);
}

void help_settings(FILE *out)
{
	const char *name;

	fputs("\nSettings of vdp-migrate, agent ncb:\n"
	      "  -T -i [ifname] -g ncb -V vdp-migrate NAME=VALUE ...    set\n"
	      "  -t -i [ifname] -g ncb -V vdp-migrate -c [NAME ...]     show\n", out);
	for (unsigned n = 0; (name = settings_name(n)); n++)
		fprintf(out, "  %-16s %s\n  %-16s %s; default: %s\n", name,
			settings_help(name), "", settings_takes(name),
			settings_usual(name));
}
