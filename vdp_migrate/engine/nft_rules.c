/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of the rules: IP source guard and ARP inspection against the sets of
 * bindings, RARP against the MACs of announced VSIs, and what only servers and
 * routers send (DHCP, DHCPv6, router advertisements, redirects, IGMP and MLD
 * queries, and what else makes a bridge take a port for a multicast router's: RFC 4286,
 * PIM hellos) dropped on every guarded port. IPv6 sources are not judged. In chain
 * `check`, accept = all is well, return = a violation.
 *
 * IGMP and MLD reports need no binding: a VM's groups are asked for as soon as it is
 * there. Too many are a violation: each announced MAC has its own rate, and all the
 * others of a port have one together, so that no VM starves another's.
 *
 * Prerouting: a forged frame that is dropped later has moved the FDB entry
 * already. A load replaces the rules as one transaction and leaves the elements of
 * the sets alone; reloading what `nft list` prints would not do, it leaves out
 * matches that these rules cannot do without.
 */
#include "nft_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * ether type, not meta protocol, sorts frames: the kernel takes an 802.1ad tag
 * off as well. `meta protocol`, `meta l4proto` and `ip protocol` stand where nft
 * would else compare the ethertype behind the MAC addresses, which in a tagged
 * frame is 0x8100. Ports of a later fragment are payload: frag-off first. Protocols
 * by number (IGMP 2, UDP 17, ICMPv6 58, PIM 103): nft looks names up in
 * /etc/protocols, which need not be there.
 */
static const char rules[] =
	"add table bridge vdp_migrate\n"
	"flush table bridge vdp_migrate\n"
	"table bridge vdp_migrate {\n"
	"  map ports { type ifname : verdict; }\n"
	"  set b4u { typeof iifname . ether saddr . ip saddr; flags timeout; }\n"
	"  set b4t { typeof iifname . vlan id . ether saddr . ip saddr; "
	"    flags timeout; }\n"
	"  set macs { typeof iifname . ether saddr; }\n"
	"  set reports { typeof iifname . ether saddr; size 65535; "
	"    flags dynamic,timeout; timeout 1m; }\n"
	"  set strays { typeof iifname; size 65535; flags dynamic,timeout; "
	"    timeout 1m; }\n"
	"  set viol { typeof iifname . meta protocol; size 65535; flags dynamic; "
	"    counter; }\n"
	"  chain pre {\n"
	"    type filter hook prerouting priority -300; policy accept;\n"
	"    iifname vmap @ports\n"
	"  }\n"
	"  chain mon { jump check; update @viol { iifname . meta protocol }; "
	"    counter accept; }\n"
	"  chain enf { jump check; update @viol { iifname . meta protocol }; "
	"    counter drop; }\n"
	"  chain check {\n"
	"    ether type vmap { 8021q : goto tagged, ip : goto u4, arp : goto uarp, "
	"      ip6 : goto six, 0x8035 : goto rarp, 8021ad : return, "
	"      0x9100 : return }\n"
	"    accept\n"
	"  }\n"
	"  chain tagged {\n"
	"    vlan id 0 goto prio\n"
	"    vlan type vmap { ip : goto t4, arp : goto tarp, ip6 : goto six, "
	"      0x8035 : goto rarp, 8021q : return, 8021ad : return, "
	"      0x9100 : return }\n"
	"    accept\n"
	"  }\n"
	"  chain prio {\n"
	"    vlan type vmap { ip : goto u4, arp : goto uarp, ip6 : goto six, "
	"      0x8035 : goto rarp, 8021q : return, 8021ad : return, "
	"      0x9100 : return }\n"
	"    accept\n"
	"  }\n"
	"  chain u4 {\n"
	"    ip protocol vmap { 2 : goto groups4, 103 : return }\n"
	"    ip frag-off & 0x1fff == 0 udp sport 67 return\n"
	"    iifname . ether saddr . ip saddr @b4u accept\n"
	"    goto ask4\n"
	"  }\n"
	"  chain t4 {\n"
	"    ip protocol vmap { 2 : goto groups4, 103 : return }\n"
	"    ip frag-off & 0x1fff == 0 udp sport 67 return\n"
	"    iifname . vlan id . ether saddr . ip saddr @b4t accept\n"
	"    goto ask4\n"
	"  }\n"
	"  chain groups4 { ip protocol 2 igmp type { membership-query, 0x30 } "
	"    return; goto groups; }\n"
	"  chain groups {\n"
	"    iifname . ether saddr @macs goto known\n"
	"    update @strays { iifname limit rate over 100/second burst 300 packets } "
	"      return\n"
	"    accept\n"
	"  }\n"
	"  chain known {\n"
	"    update @reports { iifname . ether saddr limit rate over 100/second "
	"      burst 300 packets } return\n"
	"    accept\n"
	"  }\n"
	"  chain ask4 {\n"
	"    ip saddr 0.0.0.0 ip daddr 255.255.255.255 ip frag-off & 0x1fff == 0 "
	"      udp sport 68 udp dport 67 accept\n"
	"  }\n"
	"  chain uarp {\n"
	"    meta protocol arp arp saddr ip 0.0.0.0 arp operation request accept\n"
	"    meta protocol arp iifname . ether saddr . arp saddr ip @b4u iifname . "
	"      arp saddr ether . arp saddr ip @b4u accept\n"
	"  }\n"
	"  chain tarp {\n"
	"    meta protocol arp arp saddr ip 0.0.0.0 arp operation request accept\n"
	"    iifname . vlan id . ether saddr . arp saddr ip "
	"      @b4t iifname . vlan id . arp saddr ether . arp saddr ip @b4t accept\n"
	"  }\n"
	"  chain rarp { iifname . ether saddr @macs accept; }\n"
	"  chain six {\n"
	"    meta protocol ip6 frag nexthdr { 0, 43, 44, 60 } return\n"
	"    meta protocol ip6 frag frag-off != 0 accept\n"
	"    meta l4proto 103 return\n"
	"    meta l4proto 58 icmpv6 type { mld-listener-query, "
	"      nd-router-advert, nd-redirect, 151 } return\n"
	"    meta l4proto 58 icmpv6 type { mld-listener-report, "
	"      mld-listener-done, mld2-listener-report } goto groups\n"
	"    meta l4proto 17 udp sport 547 return\n"
	"    accept\n"
	"  }\n"
	"}\n";

static int spawn(pid_t *ret_pid, int *ret_in, int *ret_err);
static void feed(int fd);
static void read_error(int fd, char *ret_error, size_t error_size);

int nft_rules_install(char *ret_error, size_t error_size)
{
	char text[512] = "";
	int in = -1, err = -1, status = 0, r;
	pid_t pid;

	r = spawn(&pid, &in, &err);
	if (r < 0) {
		if (ret_error)
			snprintf(ret_error, error_size, "nft (package nftables): %s",
				 strerror(-r));
		return r;
	}
	feed(in);
	read_error(err, text, sizeof(text));
	do {
		r = waitpid(pid, &status, 0);
	} while (r < 0 && errno == EINTR);
	/* Somebody else may have reaped it; then what it said has to do. */
	if (r < 0)
		status = text[0] ? 1 : 0;
	if (!status)
		return 0;
	if (ret_error)
		snprintf(ret_error, error_size,
			 "nft: %s (a table of another version in the way? nft delete "
			 "table bridge vdp_migrate)",
			 text[0] ? text : "failed");
	return -EPROTO;
}

/* nft in none but the system's places, with no environment of the caller's. */
static int spawn(pid_t *ret_pid, int *ret_in, int *ret_err)
{
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft",
					      "/usr/bin/nft" };
	char *argv[] = { (char[]){ "nft" }, (char[]){ "-f" }, (char[]){ "-" }, NULL };
	char *env[] = { (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t actions;
	int in[2], err[2], r = ENOENT;

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		r = errno;
		close(in[0]);
		close(in[1]);
		return -r;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
	for (size_t i = 0; r == ENOENT && i < sizeof(places) / sizeof(places[0]); i++)
		r = posix_spawn(ret_pid, places[i], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(err[1]);
	if (r) {
		close(in[1]);
		close(err[0]);
		return -r;
	}
	*ret_in = in[1];
	*ret_err = err[0];
	return 0;
}

/* The text is shorter than what a pipe holds. An nft that ends early would raise
 * SIGPIPE: the engine ignores that signal. */
static void feed(int fd)
{
	const char *p = rules;
	size_t left = sizeof(rules) - 1;

	while (left) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			p += n;
			left -= (size_t)n;
		}
	}
	close(fd);
}

/* The first line, without the place in our text that it is about. */
static void read_error(int fd, char *ret_error, size_t error_size)
{
	size_t len = 0;
	char sink[512];
	ssize_t n;

	for (;;) {
		bool full = len + 1 >= error_size;

		n = full ? read(fd, sink, sizeof(sink))
			 : read(fd, ret_error + len, error_size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!full)
			len += (size_t)n;
	}
	close(fd);
	ret_error[len] = '\0';
	ret_error[strcspn(ret_error, "\n")] = '\0';
}
