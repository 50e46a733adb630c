/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test/replay CAPTURE.pcap: prints what each frame of a classic pcap file decodes to
 * by the product's own decoders: VDP association TLVs with their M- and S-bits, help
 * TLVs, DHCP messages with their lease, IGMP and MLD with their groups. Of a bad frame it
 * says what was wanted and at which octet of the frame. Decides nothing.
 */
#include <errno.h>
#include <stdio.h>

#include "unit/capture.h"
#include "vdp_migrate/protocol.h"
#include "wire/dhcp4.h"
#include "wire/ecp.h"
#include "wire/igmp.h"
#include "wire/inet.h"
#include "wire/mld.h"
#include "wire/orgtlv_help.h"
#include "wire/text.h"
#include "wire/vdp22.h"

static bool print_frame(const struct capture_frame *frame);
static bool print_ecp(const struct capture_frame *frame);
static bool print_vdpdu(struct rd payload);
static void print_assoc(const struct vdp22_assoc *assoc);
static bool print_help(struct rd value, size_t base);
static bool print_inet(const struct capture_frame *frame);
static bool print_dhcp(const struct inet_frame *f);
static int print_report(const struct inet_frame *f);
static void print_addr(const char *name, const struct addr *addr);
static bool bad(const char *kind, const struct rd_error *error, size_t base);

int main(int argc, char **argv)
{
	struct capture_frame frame;
	struct capture capture;
	unsigned n_bad = 0;
	double start = -1;
	int got;

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: test/replay CAPTURE.pcap\n");
		return 2;
	}
	if (capture_open(&capture, argv[1])) {
		fprintf(stderr, "replay: %s: not a classic pcap file of Ethernet frames "
				"(tcpdump -w writes one; editcap -F pcap converts)\n",
			argv[1]);
		return 2;
	}
	while ((got = capture_next(&capture, &frame)) == 1) {
		if (start < 0)
			start = frame.time;
		printf("%4u %10.6f %4zu ", capture.number, frame.time - start, frame.len);
		n_bad += !print_frame(&frame);
	}
	printf("%u frames, %u bad%s\n", capture.number, n_bad,
	       got ? ", and the file is cut" : "");
	capture_close(&capture);
	return n_bad || got ? 1 : 0;
}

static bool print_frame(const struct capture_frame *frame)
{
	uint16_t ethertype = 0;

	if (!ecp_survivable(frame->p, frame->len, &ethertype)) {
		printf("%s BAD: a length that stock lldpad does not survive\n",
		       ethertype == ETHERTYPE_ECP ? "ECP" : "ECP draft");
		return false;
	}
	return ethertype == ETHERTYPE_ECP ? print_ecp(frame) : print_inet(frame);
}

static bool print_ecp(const struct capture_frame *frame)
{
	static const char *const op[] = { "request", "acknowledgement", "op 2", "op 3" };
	char src[MAC_TEXT_MAX], dst[MAC_TEXT_MAX];
	struct rd_error error;
	struct ecp ecp;

	if (ecp_decode(frame->p, frame->len, &ecp, &error))
		return bad("ECP", &error, 0);
	printf("%s > %s ECP %s %u", mac_text(&ecp.src, src), mac_text(&ecp.dst, dst),
	       op[ecp.op], ecp.sequence);
	if (ecp.version != 1 || ecp.subtype != ECP_SUBTYPE_VDP)
		printf(", version %u, subtype %u", ecp.version, ecp.subtype);
	printf("\n");
	if (ecp.op != ECP_REQUEST || ecp.subtype != ECP_SUBTYPE_VDP)
		return true;
	return print_vdpdu(ecp.payload);
}

static bool print_vdpdu(struct rd payload)
{
	size_t len = rd_left(&payload), base = rd_at(&payload);
	const uint8_t *pdu = rd_bytes(&payload, len, "VDPDU");
	static struct vdp22 v;
	struct rd_error error;
	struct rd value;
	size_t at = 0;
	bool ok = true;

	if (vdp22_decode(pdu, len, &v, &error))
		return bad("     VDPDU", &error, base);
	for (unsigned i = 0; i < v.n; i++)
		print_assoc(&v.assoc[i]);
	if (!v.n)
		printf("     no association TLV\n");
	while (vdp22_next_org(pdu, &v, &at, &value))
		ok &= print_help(value, base);
	return ok;
}

static bool print_help(struct rd value, size_t base)
{
	char id[VSI_ID_TEXT_MAX], giaddr[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];
	static struct orgtlv_help help;
	struct rd_error error;
	int rc = orgtlv_get_help(value, &help, &error);

	if (rc == -ENOENT) {
		printf("     organizationally specific TLV, %zu octets\n", rd_left(&value));
		return true;
	}
	if (rc)
		return bad("     help request", &error, base);
	printf("     help request%s%s, giaddr %s, xid %08x, vsi %s\n",
	       help.flags & ORGTLV_HELP_DHCP4 ? " DHCPv4" : "",
	       help.flags & ORGTLV_HELP_DHCP6 ? " DHCPv6" : "",
	       addr_text(&help.giaddr, giaddr), help.xid, vsi_id_text(&help.id, id));
	for (unsigned i = 0; i < help.n_entries; i++)
		printf("       %s vlan %u\n", mac_text(&help.entries[i].mac, mac),
		       help.entries[i].vlan);
	return true;
}

static void print_assoc(const struct vdp22_assoc *assoc)
{
	char id[VSI_ID_TEXT_MAX], mac[MAC_TEXT_MAX];
	uint8_t status = assoc->status;

	printf("     %s", vdp22_mode_text(assoc->mode));
	if (status & VDP_STATUS_ACK)
		printf(" response: %s%s%s", vdp22_status_text(status),
		       status & VDP_STATUS_KEEP ? " KEEP" : "",
		       status & VDP_STATUS_HARD ? " HARD" : "");
	else
		printf(" request%s%s", status & VDP_STATUS_M ? " M" : "",
		       status & VDP_STATUS_S ? " S" : "");
	printf(", vsi %s, type %u version %u\n", vsi_id_text(&assoc->id, id),
	       assoc->type_id, assoc->type_version);
	for (unsigned i = 0; i < assoc->n_entries; i++) {
		struct vsi_entry entry = vdp22_entry(assoc, i);

		printf("       %s vlan %u\n",
		       mac_is_zero(&entry.mac) ? "any MAC" : mac_text(&entry.mac, mac),
		       entry.vlan);
	}
}

static bool print_inet(const struct capture_frame *frame)
{
	char src[MAC_TEXT_MAX], dst[MAC_TEXT_MAX];
	struct rd_error error;
	struct inet_frame f;
	int reported;

	if (inet_decode(frame->p, frame->len, &f, &error))
		return bad("frame", &error, 0);
	printf("%s > %s", mac_text(&f.src, src), mac_text(&f.dst, dst));
	if (f.vlan)
		printf(" vlan %u", f.vlan);
	if (f.udp && (f.dport == DHCP4_SERVER_PORT || f.dport == DHCP4_CLIENT_PORT))
		return print_dhcp(&f);
	reported = print_report(&f);
	if (reported >= 0)
		return reported;
	printf(" ethertype 0x%04x\n", f.ethertype);
	return true;
}

/* 1; 0: it is bad; -1: neither IGMP nor MLD. */
static int print_report(const struct inet_frame *f)
{
	static const char *const types[] = { "?", "is-in", "is-ex", "to-in", "to-ex", "allow",
					     "block" };
	char group[ADDR_TEXT_MAX];
	struct report_record record;
	struct rd_error error;
	struct report report;
	int err = igmp_decode(f, &report, &error);

	if (err == -ENOENT)
		err = mld_decode(f, &report, &error);
	if (err == -ENOENT)
		return -1;
	if (err)
		return bad(" report", &error, 0);
	printf(" %sv%u%s\n", report.family == ADDR_IPV6 ? "MLD" : "IGMP", report.version,
	       report.what == REPORT_QUERY ? " query" : "");
	while (report_next(&report, &record)) {
		printf("     %s %s", types[record.type <= REPORT_BLOCK ? record.type : 0],
		       addr_text(&record.group, group));
		for (unsigned i = 0; i < record.n_sources; i++) {
			const struct addr source = report_source(&record);

			printf(" %s", addr_text(&source, group));
		}
		printf("\n");
	}
	return 1;
}

static bool print_dhcp(const struct inet_frame *f)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];
	static struct dhcp4 m;
	struct rd_error error;
	struct addr addr;
	uint32_t lease;

	printf(" %s:%u > %s:%u", addr_text(&f->saddr, src), f->sport,
	       addr_text(&f->daddr, dst), f->dport);
	if (dhcp4_decode(f->payload, &m, &error))
		return bad(" DHCP", &error, 0);
	printf("\n     %s xid %08x", dhcp4_type_text(m.type), m.xid);
	if (m.htype == 1 && m.hlen == 6)
		printf(" chaddr %s", mac_text(&m.chaddr, mac));
	print_addr("ciaddr", &m.ciaddr);
	print_addr("yiaddr", &m.yiaddr);
	print_addr("giaddr", &m.giaddr);
	if (dhcp4_opt_addr(&m, DHCP4_OPT_REQUESTED_ADDRESS, &addr))
		print_addr("requested", &addr);
	if (dhcp4_opt_addr(&m, DHCP4_OPT_SERVER_ID, &addr))
		print_addr("server", &addr);
	if (dhcp4_opt_u32(&m, DHCP4_OPT_LEASE_TIME, &lease))
		printf(lease == DHCP4_LEASE_FOREVER ? " lease infinite" : " lease %u s",
		       lease);
	printf("\n");
	return true;
}

static void print_addr(const char *name, const struct addr *addr)
{
	char buf[ADDR_TEXT_MAX];

	if (!addr_is_any(addr))
		printf(" %s %s", name, addr_text(addr, buf));
}

static bool bad(const char *kind, const struct rd_error *error, size_t base)
{
	printf("%s BAD: %s, at octet %zu of the frame\n", kind, error->what,
	       error->at + base);
	return false;
}
