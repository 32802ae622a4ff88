/* The telescope over captures of others: tools whose command line is known, attacks whose name is. They are not the
 * project's own and lie outside the repository; where they are not, each test says so and is skipped. */
#include "build.h"

#include "sys/capture.h"

#include <errno.h>
#include <unistd.h>

/* Rows are not kept: a capture may have many. */
static int nothing_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)sink;
	(void)batch;
	(void)err;
	return 0;
}

static struct telescope *read_capture(const char *name)
{
	static struct sink nowhere = {.put = nothing_put};
	char path[512];
	struct prefix all[2];
	struct telescope *telescope;
	struct capture *capture;
	struct frame frames[BURST_MAX];
	struct err err = {""};
	int got;
	snprintf(path, sizeof path, "%s/telescope/%s", SHARED_DATA, name);
	if (access(path, R_OK) != 0) {
		printf("skipped: %s is not there\n", path);
		return NULL;
	}
	assert_int_equal(prefix_parse("0.0.0.0/0", &all[0], &err), 0);
	assert_int_equal(prefix_parse("::/0", &all[1], &err), 0);
	struct telescope_options options = {.darknet = {all, 2}};
	assert_int_equal(telescope_new(&options, &nowhere, &telescope, &err), 0);
	if (capture_open_file(path, false, &capture, &err) < 0)
		fail_msg("%s", err.text);
	while ((got = capture_read(capture, frames, BURST_MAX, 0, &err)) > 0)
		assert_int_equal(telescope_feed(telescope, frames, (unsigned)got, &err), 0);
	assert_int_equal(got, -ENODATA);
	assert_int_equal(telescope_finish(telescope, &err), 0);
	capture_close(capture);
	return telescope;
}

static void a_tools_own_captures_are_wholly_that_tools(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum scan_tool tool;
		uint64_t packets;
	} captures[] = {
		{"own_masscan132_tcp.pcap", TOOL_MASSCAN, 16384}, {"own_masscan132_udp.pcap", TOOL_MASSCAN, 4096},
		{"own_zmap211_tcp.pcap", TOOL_ZMAP, 4096},        {"own_zmapHEAD_tcp.pcap", TOOL_ZMAP, 4096},
		{"own_zmapHEAD_icmp.pcap", TOOL_ZMAP, 4096},      {"own_nmap_syn.pcap", TOOL_NMAP, 8192},
		{"own_nmap_xmas.pcap", TOOL_NMAP, 512},           {"chris_synscan.pcapng", TOOL_NMAP, 1994},
	};
	for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
		struct telescope *telescope = read_capture(captures[i].name);
		if (!telescope)
			continue;
		assert_int_equal(telescope_counts(telescope)->tools[captures[i].tool].packets, captures[i].packets);
		assert_int_equal(telescope_counts(telescope)->tools[captures[i].tool].sources, 1);
		telescope_free(telescope);
	}
}

static void ordinary_stacks_and_scanners_without_a_print_are_no_tools(void **state)
{
	(void)state;
	static const char *const captures[] = {
		"own_linux_connect.pcap",         "maltrail_port_scan.pcap",      "maltrail_stealth_scan_fin.pcap",
		"maltrail_udp_scan.pcap",         "maltrail_infection_scan.pcap", "slips_icmp_portscan.pcap",
		"stopddos_synflood_spoofed.pcap", "sgr_icmp_sweep.pcap",          "slips_test7_malicious.pcap",
	};
	for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
		struct telescope *telescope = read_capture(captures[i]);
		if (!telescope)
			continue;
		const struct telescope_counts *counts = telescope_counts(telescope);
		assert_int_equal(counts->tools[TOOL_UNKNOWN].packets, counts->packets - counts->outside);
		telescope_free(telescope);
	}
}

static void attacks_and_scans_have_the_kind_of_their_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum packet_kind kind;
		uint64_t packets;
	} captures[] = {
		{"stopddos_isakmp_amp.pcap", PACKET_BACKSCATTER, 3984},
		{"stopddos_snmp_amp.pcapng", PACKET_BACKSCATTER, 4371},
		{"stopddos_bacnet_37810.pcapng", PACKET_BACKSCATTER, 9269}, /* the rest is the game that was attacked */
		{"stopddos_syn_ack_sameport.pcapng", PACKET_BACKSCATTER, 542},
		{"stopddos_synflood_spoofed.pcap", PACKET_SCAN, 37841},
		{"zeek_icmp_destunreach_udp.pcap", PACKET_BACKSCATTER, 1},
		{"zeek_icmp_timeexceeded.pcap", PACKET_BACKSCATTER, 1},
		{"sgr_ip_proto_scan.pcapng", PACKET_BACKSCATTER, 252}, /* what the scanned host answered */
		{"sgr_udp_sweep.pcap", PACKET_SCAN, 512},
		{"sgr_icmp_sweep.pcap", PACKET_SCAN, 512},
		{"maltrail_ack_sweep_no_fp.pcap", PACKET_SCAN, 21},
		{"maltrail_stealth_scan_null.pcap", PACKET_SCAN, 21},
		{"maltrail_stealth_scan_xmas.pcap", PACKET_SCAN, 21},
		{"own_nmap_udp.pcap", PACKET_REFLECTION, 256},
		{"ndpi_malformed_icmp.pcap", PACKET_OTHER, 1},
		{"zeek_fragmented_syn.pcap", PACKET_SCAN, 1},
	};
	for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
		struct telescope *telescope = read_capture(captures[i].name);
		if (!telescope)
			continue;
		if (telescope_counts(telescope)->kinds[captures[i].kind] != captures[i].packets)
			fail_msg("%s: %llu packets of %s", captures[i].name,
				 (unsigned long long)telescope_counts(telescope)->kinds[captures[i].kind],
				 packet_kind_names[captures[i].kind]);
		telescope_free(telescope);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tools_own_captures_are_wholly_that_tools),
		cmocka_unit_test(ordinary_stacks_and_scanners_without_a_print_are_no_tools),
		cmocka_unit_test(attacks_and_scans_have_the_kind_of_their_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
