/* Every rule of tools: the packets that a tool sends, packets that miss the rule by one bit, and, where a rule wants
 * two packets of a source, one, two that agree and two that do not. */
#include "build.h"

#include "core/hash.h"

#define OPTIONS_ZMAP "\2\4\x05\xb4\1\3\3\x08\1\1\4\2"
#define OPTIONS_MSS "\2\4\x05\xb4"
#define DNS_QUESTION "\1\2\1\0\0\1\0\0\0\0\0\0\3isc\3org\0\0\1\0\1"

static struct tool_guess guess(struct made made)
{
	struct packet packet = made_parse(&made);
	return tool_guess_packet(&packet);
}

#define EXPECT_GUESS(packet, want_tool, want_version, want_certainty)                                                  \
	do {                                                                                                           \
		struct tool_guess guess_ = guess(packet);                                                              \
		assert_string_equal(scan_tool_names[guess_.tool], scan_tool_names[want_tool]);                         \
		assert_int_equal(guess_.version, want_version);                                                        \
		assert_int_equal(guess_.certainty, want_certainty);                                                    \
	} while (0)
#define EXPECT_NOBODY(packet) EXPECT_GUESS(packet, TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE)

static uint16_t masscan_id(uint32_t dst, uint16_t dport, uint32_t seq)
{
	return (uint16_t)(dst ^ dport ^ seq);
}

/* --- mirai ---------------------------------------------------------------------------------------------------------
 */

static void mirai_writes_the_destination_into_the_sequence_number(void **state)
{
	(void)state;
	EXPECT_GUESS(TCP(.seq = DARK), TOOL_MIRAI, VERSION_UNTOLD, TOOL_ALONE);
	EXPECT_GUESS(TCP(.seq = DARK, .dport = 37215, .window = 1024, .ttl = 244), TOOL_MIRAI, 0, TOOL_ALONE);
	EXPECT_GUESS(TCP(.seq = DARK, .id = 54321, .window = 65535), TOOL_MIRAI, 0, TOOL_ALONE);
}

static void mirai_is_no_packet_that_misses_by_a_bit_a_flag_or_a_version(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 32; bit++)
		EXPECT_NOBODY(TCP(.seq = DARK ^ 1u << bit));
	EXPECT_NOBODY(TCP(.seq = DARK, .flags = 16));
	EXPECT_NOBODY(TCP(.seq = DARK, .flags = 18));
	EXPECT_NOBODY(TCP(.seq = DARK, .six = true));
	EXPECT_NOBODY(TCP(.seq = __builtin_bswap32(DARK)));
}

/* --- masscan -------------------------------------------------------------------------------------------------------
 */

static void masscan_to_1_3_2_has_its_cookie_window_1024_and_no_options(void **state)
{
	(void)state;
	EXPECT_GUESS(TCP(.id = masscan_id(DARK, 23, 0x01020304), .window = 1024, .ttl = 255), TOOL_MASSCAN,
		     MASSCAN_TO_1_3_2, TOOL_ALONE);
}

static void masscan_since_2023_has_window_1025_and_mss_1460(void **state)
{
	(void)state;
	EXPECT_GUESS(TCP(.id = masscan_id(DARK, 23, 0x01020304), .window = 1025, OPTIONS(OPTIONS_MSS)), TOOL_MASSCAN,
		     MASSCAN_SINCE_2023, TOOL_ALONE);
	/* the cookie alone may be an accident: it waits for a second */
	EXPECT_GUESS(TCP(.id = masscan_id(DARK, 23, 0x01020304), .window = 1025), TOOL_MASSCAN, VERSION_UNTOLD,
		     TOOL_SECOND);
	EXPECT_GUESS(TCP(.id = masscan_id(DARK, 23, 0x01020304), .window = 29200), TOOL_MASSCAN, VERSION_UNTOLD,
		     TOOL_SECOND);
}

static void masscan_is_no_packet_whose_cookie_misses_by_a_bit(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 16; bit++)
		EXPECT_NOBODY(TCP(.id = masscan_id(DARK, 23, 0x01020304) ^ (uint16_t)(1u << bit), .window = 1025));
}

static void masscan_over_udp_carries_its_cookie_in_the_payload(void **state)
{
	(void)state;
	/* DNS: the transaction, which is 0x0102 here */
	EXPECT_GUESS(UDP(.dport = 53, .id = masscan_id(DARK, 53, 0x0102), DATA(DNS_QUESTION)), TOOL_MASSCAN, 0,
		     TOOL_SECOND);
	EXPECT_NOBODY(UDP(.dport = 53, .id = masscan_id(DARK, 53, 0x0103), DATA(DNS_QUESTION)));
	EXPECT_GUESS(UDP(.dport = 1900, DATA("M-SEARCH * HTTP/1.1\r\nST: ssM-SEARCH")), TOOL_MASSCAN, 0, TOOL_ALONE);
	EXPECT_NOBODY(UDP(.dport = 1900, DATA("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n")));
	/* SNMP: the last two bytes of the request id */
	static const char snmp[] = "\x30\x20\2\1\0\4\6public\xa0\x13\2\4\x11\x22\x33\x44\2\1\0\2\1\0\x30\5\x30\3\6\1\0";
	EXPECT_GUESS(UDP(.dport = 161, .id = masscan_id(DARK, 161, 0x3344), DATA(snmp)), TOOL_MASSCAN, 0, TOOL_SECOND);
	EXPECT_NOBODY(UDP(.dport = 161, .id = masscan_id(DARK, 161, 0x3345), DATA(snmp)));
	/* NTP: a template that others use too */
	static const char ntp[49] = "\x17\0\3\x2a";
	EXPECT_GUESS(UDP(.dport = 123, DATA(ntp)), TOOL_MASSCAN, 0, TOOL_FOLLOWS);
	EXPECT_NOBODY(UDP(.dport = 123, DATA("\x17\0\3\x2a")));
}

/* --- zmap ----------------------------------------------------------------------------------------------------------
 */

static void zmap_before_4_1_has_id_54321_and_window_65535(void **state)
{
	(void)state;
	EXPECT_GUESS(TCP(.id = 54321, .window = 65535), TOOL_ZMAP, ZMAP_BEFORE_4_1, TOOL_SECOND);
	EXPECT_NOBODY(TCP(.id = 54322, .window = 65535));
	EXPECT_NOBODY(TCP(.id = 54321, .window = 65534));
	EXPECT_NOBODY(TCP(.id = 54321, .window = 65535, .flags = 18));
	EXPECT_GUESS(UDP(.dport = 53, .id = 54321, DATA(DNS_QUESTION)), TOOL_ZMAP, ZMAP_BEFORE_4_1, TOOL_SECOND);
	EXPECT_NOBODY(UDP(.dport = 53, .id = 54321, .df = true, DATA(DNS_QUESTION)));
}

static void zmap_since_4_1_is_told_by_its_options_not_by_its_id(void **state)
{
	(void)state;
	for (unsigned id = 0; id < 65536; id += 257)
		EXPECT_GUESS(TCP(.id = (uint16_t)id, .window = 65535, OPTIONS(OPTIONS_ZMAP)), TOOL_ZMAP, ZMAP_SINCE_4_1,
			     TOOL_ALONE);
	EXPECT_GUESS(TCP(.sport = 32768, .window = 65535, OPTIONS(OPTIONS_ZMAP)), TOOL_ZMAP, ZMAP_SINCE_4_1, 0);
	EXPECT_GUESS(TCP(.sport = 61000, .window = 65535, OPTIONS(OPTIONS_ZMAP)), TOOL_ZMAP, ZMAP_SINCE_4_1, 0);
	EXPECT_GUESS(TCP(.six = true, .window = 65535, OPTIONS(OPTIONS_ZMAP)), TOOL_ZMAP, ZMAP_SINCE_4_1, TOOL_ALONE);
}

/* Precedence is by bits: twelve bytes of options, window and ports outweigh sixteen bits that agree by accident. */
static void zmap_since_4_1_stays_zmap_when_its_random_id_meets_a_16_bit_rule(void **state)
{
	(void)state;
	EXPECT_GUESS(TCP(.id = masscan_id(DARK, 23, 0x01020304), .window = 65535, OPTIONS(OPTIONS_ZMAP)), TOOL_ZMAP,
		     ZMAP_SINCE_4_1, TOOL_ALONE);
	EXPECT_GUESS(TCP(.id = 54321, .window = 65535, OPTIONS(OPTIONS_ZMAP)), TOOL_ZMAP, ZMAP_SINCE_4_1, TOOL_ALONE);
}

static void zmap_since_4_1_is_no_windows_that_differs_in_one_field(void **state)
{
	(void)state;
	EXPECT_NOBODY(TCP(.df = true, .window = 65535, OPTIONS(OPTIONS_ZMAP)));
	EXPECT_NOBODY(TCP(.window = 64240, OPTIONS(OPTIONS_ZMAP)));
	EXPECT_NOBODY(TCP(.sport = 32767, .window = 65535, OPTIONS(OPTIONS_ZMAP)));
	EXPECT_NOBODY(TCP(.sport = 61001, .window = 65535, OPTIONS(OPTIONS_ZMAP)));
	for (size_t i = 0; i < sizeof OPTIONS_ZMAP - 1; i++) {
		char bent[] = OPTIONS_ZMAP;
		bent[i] ^= 1;
		EXPECT_NOBODY(TCP(.window = 65535, .options = bent, .option_bytes = sizeof bent - 1));
	}
}

static void zmap_since_4_1_with_the_smallest_probes_wants_two(void **state)
{
	(void)state;
	EXPECT_GUESS(TCP(.window = 65535, OPTIONS(OPTIONS_MSS)), TOOL_ZMAP, ZMAP_SINCE_4_1_LEAST, TOOL_SECOND);
	EXPECT_NOBODY(TCP(.window = 65535, OPTIONS("\2\4\x05\xb5")));
	EXPECT_NOBODY(TCP(.window = 65535));
	EXPECT_NOBODY(TCP(.df = true, .window = 65535, OPTIONS(OPTIONS_MSS)));
}

/* --- over a source -------------------------------------------------------------------------------------------------
 */

/* `count` packets of one source, one a second, by a maker that is told which. */
typedef struct made maker_fn(unsigned i);

static struct kept *watched(maker_fn *maker, unsigned count)
{
	struct kept *kept = watch_plain();
	for (unsigned i = 0; i < count; i++) {
		struct made made = maker(i);
		made.time_ns = T0 + (int64_t)i * NS_PER_S;
		feed(kept, made);
	}
	finish(kept);
	return kept;
}

static void expect_packets(maker_fn *maker, unsigned count, enum scan_tool tool, unsigned of_tool)
{
	struct kept *kept = watched(maker, count);
	for (size_t i = 0; i < kept->row_count; i++)
		if (kept->rows[i].tool != tool && kept->rows[i].tool != TOOL_UNKNOWN)
			fail_msg("%u packets are %s's", kept->rows[i].packets, scan_tool_names[kept->rows[i].tool]);
	assert_int_equal(packets_of(kept, tool, -1), of_tool);
	assert_int_equal(packets_of(kept, TOOL_UNKNOWN, -1), count - of_tool);
	unwatch(kept);
}

static struct made cookie_of_masscan(unsigned i)
{
	uint32_t seq = i * 0x9e3779b9u;
	return TCP(.dst = DARK + i, .seq = seq, .id = masscan_id(DARK + i, 23, seq));
}

static struct made old_zmap(unsigned i)
{
	return TCP(.dst = DARK + i, .seq = i * 0x9e3779b9u, .id = 54321, .window = 65535);
}

static struct made least_zmap(unsigned i)
{
	return TCP(.dst = DARK + i, .seq = i * 0x9e3779b9u, .window = 65535, OPTIONS(OPTIONS_MSS));
}

static void one_packet_of_a_16_bit_rule_is_nobodys_and_two_are_the_tools(void **state)
{
	(void)state;
	maker_fn *const makers[] = {cookie_of_masscan, old_zmap, least_zmap};
	static const enum scan_tool tools[] = {TOOL_MASSCAN, TOOL_ZMAP, TOOL_ZMAP};
	for (size_t i = 0; i < 3; i++) {
		expect_packets(makers[i], 1, tools[i], 0);
		expect_packets(makers[i], 2, tools[i], 2);
		expect_packets(makers[i], 20, tools[i], 20);
	}
}

static struct made accident_in_32(unsigned i)
{
	return TCP(.dst = DARK + i, .seq = i * 0x9e3779b9u, .id = 54321, .window = i % 32 ? 29200 : 65535);
}

static void agreement_that_is_rare_in_a_busy_source_is_an_accident(void **state)
{
	(void)state;
	expect_packets(accident_in_32, 59, TOOL_ZMAP, 0);
}

static struct made nmap_syn(unsigned i)
{
	static const uint16_t k[] = {0, 1, 0x7f, 0xff, 0x80};
	return TCP(.dst = DARK + i, .dport = (uint16_t)(80 + i), .window = 1024, OPTIONS(OPTIONS_MSS),
		   .seq = 0xdeadbeef ^ (uint32_t)k[i % 5] << 16 ^ k[i % 5]);
}

static struct made nmap_older(unsigned i)
{
	return TCP(.dst = DARK + i, .window = (uint16_t)(1024 * (1 + i % 4)), .seq = 0xdeadbeef ^ (i << 16 | i));
}

static struct made nmap_xmas(unsigned i)
{
	return TCP(.dst = DARK + i, .window = 1024, .flags = 41, .seq = 0x12345678 ^ (i << 16 | i));
}

static struct made not_nmap_window(unsigned i)
{
	return TCP(.dst = DARK + i, .window = 1023, .seq = 0xdeadbeef ^ (i << 16 | i));
}

static struct made not_nmap_seq(unsigned i)
{
	return TCP(.dst = DARK + i, .window = 1024, .seq = 0xdeadbeef + i * 0x12345677u);
}

static struct made not_nmap_one_target(unsigned i)
{
	return TCP(.dst = DARK, .sport = (uint16_t)(40000 + i), .window = 1024, .seq = 0xdeadbeef);
}

static void nmap_wants_window_1024_and_sequence_numbers_that_differ_alike_in_both_halves(void **state)
{
	(void)state;
	expect_packets(nmap_syn, 1, TOOL_NMAP, 0);
	expect_packets(nmap_syn, 2, TOOL_NMAP, 2);
	expect_packets(nmap_syn, 25, TOOL_NMAP, 25);
	expect_packets(nmap_older, 8, TOOL_NMAP, 8);
	expect_packets(nmap_xmas, 8, TOOL_NMAP, 8);
	expect_packets(not_nmap_window, 8, TOOL_NMAP, 0);
	expect_packets(not_nmap_seq, 8, TOOL_NMAP, 0);
	expect_packets(not_nmap_one_target, 8, TOOL_NMAP, 0); /* a repeated SYN proves nothing */
	assert_true(tool_is_nmap(0, 0x00ff00ff));
	assert_false(tool_is_nmap(0, 0x01000100)); /* k < 256 */
	assert_false(tool_is_nmap(0, 0x00ff00fe));
}

static struct made unicornscan(unsigned i)
{
	uint32_t dst = DARK + i * 77;
	uint16_t dport = (uint16_t)(20 + i), sport = (uint16_t)(40000 + 31 * i);
	return TCP(.dst = dst, .dport = dport, .sport = sport, .window = 4660,
		   .seq = 0x5eed5eed ^ __builtin_bswap32(dst) ^ (((uint32_t)dport << 16) + sport));
}

static struct made not_unicornscan(unsigned i)
{
	uint32_t dst = DARK + i * 77;
	uint16_t dport = (uint16_t)(20 + i), sport = (uint16_t)(40000 + 31 * i);
	return TCP(.dst = dst, .dport = dport, .sport = sport, .window = 4660,
		   .seq = (0x5eed5eed ^ __builtin_bswap32(dst) ^ (((uint32_t)dport << 16) + sport)) + i);
}

static void unicornscan_wants_two_packets_with_the_same_key(void **state)
{
	(void)state;
	expect_packets(unicornscan, 1, TOOL_UNICORNSCAN, 0);
	expect_packets(unicornscan, 2, TOOL_UNICORNSCAN, 2);
	expect_packets(unicornscan, 25, TOOL_UNICORNSCAN, 25);
	expect_packets(not_unicornscan, 25, TOOL_UNICORNSCAN, 0);
}

static struct made zmap_echo(unsigned i)
{
	static uint8_t body[24];
	put32(body, (0x1000 + i * 7919) << 16 | (0x20 + i * 31));
	return ICMP(.dst = DARK + i, .type = 8, .data = body, .data_bytes = sizeof body);
}

static struct made steady_echo(unsigned i)
{
	static uint8_t body[24];
	put32(body, 0x1234u << 16 | i); /* as ping -s 20 -p 00 would: the identifier stays */
	return ICMP(.dst = DARK + i, .type = 8, .data = body, .data_bytes = sizeof body);
}

static void zmap_echo_requests_change_identifier_and_number_over_twenty_zeros(void **state)
{
	(void)state;
	expect_packets(zmap_echo, 1, TOOL_ZMAP, 0);
	expect_packets(zmap_echo, 20, TOOL_ZMAP, 20);
	expect_packets(steady_echo, 20, TOOL_ZMAP, 0);
}

static struct made slow(maker_fn *maker, unsigned i)
{
	struct made made = maker(i);
	made.time_ns = T0 + (int64_t)i * NS_PER_MINUTE;
	return made;
}

/* One packet a minute: what a source did in the minute before is remembered. */
static void two_packets_may_lie_in_two_minutes(void **state)
{
	(void)state;
	maker_fn *const makers[] = {cookie_of_masscan, old_zmap, nmap_syn, unicornscan};
	static const enum scan_tool tools[] = {TOOL_MASSCAN, TOOL_ZMAP, TOOL_NMAP, TOOL_UNICORNSCAN};
	for (size_t t = 0; t < 4; t++) {
		struct kept *kept = watch_plain();
		for (unsigned i = 0; i < 6; i++)
			feed(kept, slow(makers[t], i));
		finish(kept);
		assert_int_equal(packets_of(kept, tools[t], -1), 5); /* all but the first, which was alone */
		assert_int_equal(telescope_counts(kept->telescope)->tools[tools[t]].sources, 1);
		unwatch(kept);
	}
}

static struct made linux_syn(unsigned i)
{
	return TCP(.dst = DARK + i, .seq = i * 2654435761u, .id = (uint16_t)(i * 40503), .df = true, .window = 64240,
		   OPTIONS("\2\4\5\xb4\4\2\x08\x0a\0\1\2\3\0\0\0\0\1\3\3\7"));
}

static struct made windows_syn(unsigned i)
{
	return TCP(.dst = DARK + i, .seq = i * 2654435761u, .id = (uint16_t)i, .df = true, .window = 65535, .ttl = 117,
		   OPTIONS("\2\4\5\xb4\1\3\3\x08\1\1\4\2"));
}

static void ordinary_systems_are_no_tools(void **state)
{
	(void)state;
	expect_packets(linux_syn, 50, TOOL_UNICORNSCAN, 0);
	expect_packets(windows_syn, 50, TOOL_ZMAP, 0);
}

/* The goal is one false positive in a million ordinary SYNs; random ones are the worst ordinary ones. */
static void a_million_random_syns_show_at_most_one_tool(void **state)
{
	(void)state;
	enum { PACKETS = 1000000 };
	uint64_t state64 = 7;
	unsigned false_alone = 0;
	for (unsigned i = 0; i < PACKETS; i++) {
		uint64_t r = random_next(&state64), s = random_next(&state64);
		struct packet packet = {
			.version = 4, .protocol = 6, .tcp_flags = 2, .header_bytes = 20, .l4_bytes = 20};
		uint8_t l4[20] = {0};
		packet.l4 = l4;
		packet.dst = DARK + (uint32_t)(r & 0xffff);
		packet.seq = (uint32_t)(r >> 32);
		packet.ip_id = (uint16_t)s;
		packet.window = (uint16_t)(s >> 16);
		packet.sport = (uint16_t)(s >> 32);
		packet.dport = 23;
		struct tool_guess guess_ = tool_guess_packet(&packet);
		false_alone += guess_.tool != TOOL_UNKNOWN && guess_.certainty == TOOL_ALONE;
	}
	assert_true(false_alone <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirai_writes_the_destination_into_the_sequence_number),
		cmocka_unit_test(mirai_is_no_packet_that_misses_by_a_bit_a_flag_or_a_version),
		cmocka_unit_test(masscan_to_1_3_2_has_its_cookie_window_1024_and_no_options),
		cmocka_unit_test(masscan_since_2023_has_window_1025_and_mss_1460),
		cmocka_unit_test(masscan_is_no_packet_whose_cookie_misses_by_a_bit),
		cmocka_unit_test(masscan_over_udp_carries_its_cookie_in_the_payload),
		cmocka_unit_test(zmap_before_4_1_has_id_54321_and_window_65535),
		cmocka_unit_test(zmap_since_4_1_is_told_by_its_options_not_by_its_id),
		cmocka_unit_test(zmap_since_4_1_stays_zmap_when_its_random_id_meets_a_16_bit_rule),
		cmocka_unit_test(zmap_since_4_1_is_no_windows_that_differs_in_one_field),
		cmocka_unit_test(zmap_since_4_1_with_the_smallest_probes_wants_two),
		cmocka_unit_test(one_packet_of_a_16_bit_rule_is_nobodys_and_two_are_the_tools),
		cmocka_unit_test(agreement_that_is_rare_in_a_busy_source_is_an_accident),
		cmocka_unit_test(nmap_wants_window_1024_and_sequence_numbers_that_differ_alike_in_both_halves),
		cmocka_unit_test(unicornscan_wants_two_packets_with_the_same_key),
		cmocka_unit_test(zmap_echo_requests_change_identifier_and_number_over_twenty_zeros),
		cmocka_unit_test(two_packets_may_lie_in_two_minutes),
		cmocka_unit_test(ordinary_systems_are_no_tools),
		cmocka_unit_test(a_million_random_syns_show_at_most_one_tool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
