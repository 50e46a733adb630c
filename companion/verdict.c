/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switch's and lldpad's reasons for a person. Names of the error codes: IEEE 802.1Q
 * 41.2.3.
 */
#include "verdict.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>

#include "command.h"
#include "vdp_migrate/protocol.h"
#include "wire/text.h"

static int exit_code(enum verdict verdict, uint8_t status);
static void say_accepted(const struct lldpad_vsi *asked, const struct lldpad_vsi *vsi);
static void say_refused(const struct lldpad_client *client);
static void say_status(const struct lldpad_client *client);
static const char *error_text(int err);

int verdict_say(const struct lldpad_client *client, enum verdict verdict,
		const struct lldpad_vsi *asked, const struct lldpad_vsi *vsi)
{
	struct vsi_id id = { .format = VSI_ID_UUID };
	char text[VSI_ID_TEXT_MAX];
	FILE *to = verdict == VERDICT_ACCEPTED ? stdout : stderr;

	memcpy(id.b, vsi->uuid, sizeof(id.b));
	if (verdict == VERDICT_STATUS || verdict == VERDICT_ERROR)
		fprintf(to, "vdp-migrate: ");
	else
		fprintf(to, "%s vsi %s: ", client->port, vsi_id_text(&id, text));
	switch (verdict) {
	case VERDICT_ACCEPTED:
		say_accepted(asked, vsi);
		break;
	case VERDICT_REFUSED:
		say_refused(client);
		break;
	case VERDICT_ENDED:
		fprintf(to, "the switch has ended it, without a reason");
		break;
	case VERDICT_MANAGER_CUT:
		fprintf(to, "lldpad does not tell its whole manager ID: say --managerid");
		break;
	case VERDICT_SILENT:
		if (vsi->mode == VDP22_DEASSOC)
			fprintf(to, "ended here; ");
		fprintf(to,
			"no answer from the switch; lldpad has given up waiting. Does it "
			"speak VDP there (lldptool -t -n -i %s -g ncb)?",
			client->port);
		break;
	case VERDICT_LATE:
		fprintf(to,
			"no answer from the switch in this time; lldpad goes on waiting");
		break;
	case VERDICT_NOT_SENT:
		fprintf(to, "lldpad could not send the request");
		break;
	case VERDICT_UNKNOWN:
		fprintf(to, "lldpad knows no such association on this port");
		break;
	case VERDICT_ASSOCIATED:
		fprintf(to, "is associated already: deassociate it first");
		break;
	case VERDICT_OTHER_FILTER:
		fprintf(to, "is there with other MAC addresses or VLANs: deassociate it "
			    "first");
		break;
	case VERDICT_STATUS:
		say_status(client);
		break;
	case VERDICT_ERROR:
		fprintf(to, "%s", error_text(client->err));
		break;
	}
	fprintf(to, "\n");
	return exit_code(verdict, client->status);
}

static int exit_code(enum verdict verdict, uint8_t status)
{
	switch (verdict) {
	case VERDICT_ACCEPTED:
		return EXIT_DONE;
	case VERDICT_SILENT:
	case VERDICT_LATE:
		return EXIT_NO_ANSWER;
	case VERDICT_STATUS:
		return status == LLDPAD_BAD_PARAMETERS ? EXIT_REFUSED : EXIT_NOT_THERE;
	case VERDICT_NOT_SENT:
	case VERDICT_ERROR:
		return EXIT_NOT_THERE;
	default:
		return EXIT_REFUSED;
	}
}

static void say_accepted(const struct lldpad_vsi *asked, const struct lldpad_vsi *vsi)
{
	char mac[MAC_TEXT_MAX];

	printf("%s", lldpad_mode_text(vsi->mode));
	for (unsigned i = 0; i < vsi->n; i++)
		if (vsi->entry[i].vlan != asked->entry[i].vlan)
			printf(", %s in VLAN %u by the switch",
			       mac_text(&vsi->entry[i].mac, mac),
			       vsi->entry[i].vlan & 0xfff);
}

static void say_refused(const struct lldpad_client *client)
{
	static const char *const reasons[] = {
		[1] = "invalid format",
		[2] = "insufficient resources",
		[3] = "unable to contact the VSI manager",
		[4] = "other failure",
		[5] = "invalid VID, group ID or MAC address",
	};
	unsigned code = client->answer & VDP_STATUS_ERROR;

	if (code < sizeof(reasons) / sizeof(*reasons) && reasons[code])
		fprintf(stderr, "refused by the switch: %s (error %u)", reasons[code],
			code);
	else
		fprintf(stderr, "refused by the switch: error %u", code);
	if (client->answer & VDP_STATUS_HARD)
		fprintf(stderr, ", a hard error: asking again does not help");
	if (client->answer & VDP_STATUS_KEEP)
		fprintf(stderr, "; the switch keeps what was before");
}

static void say_status(const struct lldpad_client *client)
{
	const char *port = client->port;

	switch (client->status) {
	case LLDPAD_NO_DEVICE:
		if (!if_nametoindex(port))
			fprintf(stderr, "there is no interface '%s' here", port);
		else
			fprintf(stderr,
				"lldpad speaks no VDP on %s: is it up, and EVB on there? "
				"(lldptool -T -i %s -g ncb -V evb enableTx=yes "
				"evbmode=station; then lldpad must start anew)",
				port, port);
		break;
	case LLDPAD_NO_EVB:
		fprintf(stderr, "EVB is not negotiated on %s yet", port);
		break;
	case LLDPAD_NOT_APPLICABLE:
	case LLDPAD_NOT_CAPABLE:
		fprintf(stderr,
			"%s is the bridge's end of EVB: associate at the server's", port);
		break;
	case LLDPAD_NO_ACCESS:
		fprintf(stderr, "%s", error_text(-EACCES));
		break;
	case LLDPAD_BAD_PARAMETERS:
		fprintf(stderr, "lldpad does not take these parameters");
		break;
	case LLDPAD_NO_MEMORY:
		fprintf(stderr, "lldpad has no memory");
		break;
	case LLDPAD_BUSY:
		fprintf(stderr, "lldpad waits for the answer to an earlier request");
		break;
	default:
		fprintf(stderr, "lldpad refuses (status %u)", client->status);
	}
}

static const char *error_text(int err)
{
	switch (err) {
	case -ECONNREFUSED:
		return "lldpad is not running (in this network namespace)";
	case -ECONNRESET:
		return "lldpad has ended meanwhile";
	case -EACCES:
		return "no permission: lldpad lets nobody but root in";
	case -EPERM:
		return "lldpad's name is held by another program";
	case -ETIMEDOUT:
		return "lldpad does not answer";
	case -EBADMSG:
	case -EPROTO:
		return "lldpad's answer cannot be read";
	default:
		return strerror(-err);
	}
}
