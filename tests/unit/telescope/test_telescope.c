/* From packets to rows: what is counted and what is not, order and lateness, who is a victim, who is spoofed, who
 * surveys, and what live pictures and the ring of raw packets get. */
#include "build.h"

#include <errno.h>
#include <time.h>

enum { SYN = 2, RST = 4, ACK = 16 };

static const struct telescope_counts *counts_of(const struct kept *kept)
{
	return telescope_counts(kept->telescope);
}

static struct made at(struct made made, int64_t time_ns)
{
	made.time_ns = time_ns;
	return made;
}

static void expect_v4(const struct addr *addr, uint32_t v4)
{
	assert_true(addr_is_v4(addr));
	assert_int_equal(addr_to_v4(addr), v4);
}

/* --- what is counted -----------------------------------------------------------------------------------------------
 */

static void only_what_is_for_the_darknet_gets_a_kind(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	feed(kept, TCP(.dst = 0xc6120000));     /* 198.18.0.0, the first */
	feed(kept, TCP(.dst = 0xc613ffff));     /* 198.19.255.255, the last */
	feed(kept, TCP(.dst = 0xc6120000 - 1)); /* outside on either side */
	feed(kept, TCP(.dst = 0xc6140000));
	feed(kept, TCP(.six = true)); /* 2001:db8:2::1 */
	struct made arp = {.length = 60, .time_ns = T0};
	put16(arp.bytes + 12, 0x0806);
	feed(kept, arp);
	struct made cut = TCP();
	cut.length = 14 + 12;
	feed(kept, cut);
	finish(kept);
	assert_int_equal(counts_of(kept)->packets, 7);
	assert_int_equal(counts_of(kept)->outside, 4);
	assert_int_equal(counts_of(kept)->kinds[PACKET_SCAN], 3);
	assert_int_equal(counts_of(kept)->anomalies[ANOMALY_NOT_IP], 1);
	assert_int_equal(counts_of(kept)->anomalies[ANOMALY_IP_TRUNCATED], 1);
	assert_int_equal(counts_of(kept)->sources, 2);
	unwatch(kept);
}

static void addresses_in_use_are_left_out_of_the_darknet(void **state)
{
	(void)state;
	struct prefix used[2];
	struct err err = {""};
	assert_int_equal(prefix_parse("198.18.7.0/24", &used[0], &err), 0);
	assert_int_equal(prefix_parse("2001:db8:2:1::/64", &used[1], &err), 0);
	struct kept *kept = watch((struct telescope_options){.exclude = {used, 2}});
	feed(kept, TCP(.dst = 0xc61206ff));
	feed(kept, TCP(.dst = 0xc6120700));
	feed(kept, TCP(.dst = 0xc61207ff));
	feed(kept, TCP(.dst = 0xc6120800));
	struct made six = TCP(.six = true);
	feed(kept, six);
	six.bytes[14 + 24 + 7] = 1;
	feed(kept, six);
	finish(kept);
	assert_int_equal(counts_of(kept)->kinds[PACKET_SCAN], 3);
	assert_int_equal(counts_of(kept)->outside, 3);
	assert_int_equal(telescope_darknet_addresses(kept->telescope), 131072 - 256);
	unwatch(kept);
}

static void an_empty_darknet_is_refused(void **state)
{
	(void)state;
	struct prefix all;
	struct kept sink = {.sink.put = kept_put};
	struct err err = {""};
	assert_int_equal(prefix_parse("198.18.0.0/24", &all, &err), 0);
	struct telescope_options options = {.darknet = {&all, 1}, .exclude = {&all, 1}};
	assert_int_equal(telescope_new(&options, &sink.sink, &sink.telescope, &err), -EINVAL);
	assert_contains(err.text, "darknet is empty");
}

static void a_row_is_a_source_kind_tool_protocol_port_and_flags_of_a_minute(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	for (unsigned i = 0; i < 5; i++)
		feed(kept, at(TCP(.dst = DARK + i, .seq = i * 77777), T0 + i * NS_PER_S));
	feed(kept, TCP(.dport = 24));
	feed(kept, TCP(.src = SOMEBODY + 1));
	feed(kept, TCP(.flags = 1));
	feed(kept, at(TCP(), T0 + NS_PER_MINUTE));
	finish(kept);
	assert_int_equal(kept->row_count, 5);
	const struct row *row = NULL;
	for (size_t i = 0; i < kept->row_count; i++)
		if (kept->rows[i].packets == 5)
			row = &kept->rows[i];
	assert_non_null(row);
	expect_v4(&row->source, SOMEBODY);
	assert_int_equal(row->minute_ns, T0);
	assert_int_equal(row->port, 23);
	assert_int_equal(row->protocol, 6);
	assert_int_equal(row->flags, SYN);
	assert_int_equal(row->ttl, 55);
	assert_int_equal(row->bytes, 5 * 40);
	assert_int_equal(row->targets, 5);
	assert_int_equal(row->first_ns, T0);
	assert_int_equal(row->last_ns, T0 + 4 * NS_PER_S);
	unwatch(kept);
}

static void backscatter_has_the_port_that_answered_and_icmp_its_type_and_code(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	feed(kept, TCP(.sport = 443, .dport = 51111, .flags = SYN | ACK));
	finish(kept);
	assert_int_equal(kept->rows[0].port, 443);
	feed(kept, at(ICMP(.type = 8, .code = 0), T0 + NS_PER_MINUTE));
	finish(kept);
	assert_int_equal(kept->rows[1].port, 8 << 8);
	unwatch(kept);
}

static void ports_and_sources_are_counted_exactly(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	for (unsigned i = 0; i < 3000; i++)
		feed(kept, at(TCP(.src = SOMEBODY + i % 500, .dport = (uint16_t)(i % 3 ? 23 : 2323), .seq = i * 77777),
			      T0 + (int64_t)i * NS_PER_S / 10));
	feed(kept, at(UDP(.dport = 23), T0 + 300 * NS_PER_S));
	finish(kept);
	struct telescope_port ports[8];
	assert_int_equal(telescope_ports(kept->telescope, ports, 8), 3);
	assert_int_equal(ports[0].port, 23);
	assert_int_equal(ports[0].packets, 2000);
	assert_int_equal(ports[0].sources, 500);
	assert_int_equal(ports[1].port, 2323);
	assert_int_equal(ports[1].packets, 1000);
	assert_int_equal(ports[2].protocol, 17);
	assert_int_equal(counts_of(kept)->sources, 500);
	unwatch(kept);
}

/* --- victims -------------------------------------------------------------------------------------------------------
 */

static void the_victim_is_who_answers(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	for (unsigned i = 0; i < 30; i++)
		feed(kept, TCP(.dst = DARK + i, .sport = 443, .flags = SYN | ACK));
	feed(kept, UDP(.src = SOMEBODY + 1, .sport = 19, .dport = 50000, DATA("!\"#")));
	finish(kept);
	assert_int_equal(kept->echo_count, 2);
	size_t tcp = kept->echoes[0].protocol == 6 ? 0 : 1;
	expect_v4(&kept->echoes[tcp].victim, SOMEBODY);
	assert_int_equal(kept->echoes[tcp].port, 443);
	assert_int_equal(kept->echoes[tcp].packets, 30);
	expect_v4(&kept->echoes[!tcp].victim, SOMEBODY + 1);
	assert_int_equal(kept->echoes[!tcp].protocol, 17);
	assert_int_equal(kept->echoes[!tcp].port, 19);
	unwatch(kept);
}

/* What a router between says of the victim: its own address is the packet's source, the victim's stands in the quote.
 */
static struct made quoting(uint8_t type, uint8_t code, uint8_t protocol, uint32_t victim, uint16_t port)
{
	static uint8_t body[32];
	memset(body, 0, sizeof body);
	body[4] = 0x45;
	put16(body + 6, 28);
	body[12] = 1;
	body[13] = protocol;
	put32(body + 16, DARK);
	put32(body + 20, victim);
	put16(body + 24, 44444);
	put16(body + 26, port);
	return ICMP(.type = type, .code = code, .data = body, .data_bytes = sizeof body);
}

static void the_victim_of_an_icmp_error_stands_in_the_packet_it_quotes(void **state)
{
	(void)state;
	static const uint8_t errors[] = {3, 4, 5, 11, 12};
	for (size_t i = 0; i < sizeof errors; i++) {
		struct kept *kept = watch_plain();
		uint8_t protocol = i & 1 ? 6 : 17;
		feed(kept, quoting(errors[i], 1, protocol, 0xc0000263, 53));
		finish(kept);
		assert_int_equal(kept->echo_count, 1);
		expect_v4(&kept->echoes[0].victim, 0xc0000263);
		assert_int_equal(kept->echoes[0].protocol, protocol);
		assert_int_equal(kept->echoes[0].port, 53);
		expect_v4(&kept->rows[0].source, SOMEBODY);
		unwatch(kept);
	}
}

static void an_error_whose_quote_is_cut_names_its_sender(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	struct made made = quoting(3, 1, 17, 0xc0000263, 53);
	struct frame frame = made_frame(&made);
	struct err err = {""};
	frame.captured_bytes = 14 + 20 + 8 + 19;
	assert_int_equal(telescope_feed(kept->telescope, &frame, 1, &err), 0);
	finish(kept);
	assert_int_equal(counts_of(kept)->kinds[PACKET_BACKSCATTER], 1);
	assert_int_equal(counts_of(kept)->anomalies[ANOMALY_ICMP_QUOTE_TRUNCATED], 1);
	expect_v4(&kept->echoes[0].victim, SOMEBODY);
	assert_int_equal(kept->echoes[0].protocol, 1);
	unwatch(kept);
}

static void an_icmpv6_error_names_the_quoted_destination(void **state)
{
	(void)state;
	uint8_t body[4 + 48] = {0};
	body[4] = 0x60;
	put16(body + 8, 8);
	body[10] = 17;
	body[11] = 1;
	memcpy(body + 12, "\x20\x01\x0d\xb8\0\2", 6);
	body[27] = 1;
	memcpy(body + 28, "\x20\x01\x0d\xb8\0\7", 6);
	body[43] = 99;
	put16(body + 46, 5353);
	struct kept *kept = watch_plain();
	feed(kept, ICMPV6(.type = 1, .code = 4, .data = body, .data_bytes = sizeof body));
	finish(kept);
	char text[ADDR_TEXT_BYTES];
	assert_int_equal(kept->echo_count, 1);
	assert_string_equal(addr_format(&kept->echoes[0].victim, text), "2001:db8:7::63");
	assert_int_equal(kept->echoes[0].port, 5353);
	unwatch(kept);
}

static void echoes_come_in_bins_of_ten_seconds(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	for (unsigned i = 0; i < 60; i++)
		feed(kept, at(TCP(.sport = 80, .flags = RST), T0 + i * NS_PER_S));
	finish(kept);
	assert_int_equal(kept->echo_count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(kept->echoes[i].bin_ns, T0 + (int64_t)i * 10 * NS_PER_S);
		assert_int_equal(kept->echoes[i].packets, 10);
	}
	unwatch(kept);
}

/* --- spoofed -------------------------------------------------------------------------------------------------------
 */

static bool spoofed(struct made made)
{
	struct packet packet = made_parse(&made);
	enum scan_tool tool = tool_guess_packet(&packet).tool;
	assert_int_equal(packet_spoof_signs(&packet, tool) != 0, packet_is_spoofed(&packet, tool));
	return packet_is_spoofed(&packet, tool);
}

static void an_odd_protocol_is_spoofed(void **state)
{
	(void)state;
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		bool known = protocol == 1 || protocol == 6 || protocol == 17 || protocol == 58;
		assert_int_equal(spoofed(REST(.protocol = (uint8_t)protocol, DATA("12345678901234567890"))), !known);
	}
}

static void a_time_to_live_of_200_is_spoofed_unless_it_is_masscans(void **state)
{
	(void)state;
	assert_false(spoofed(TCP(.ttl = 199)));
	assert_true(spoofed(TCP(.ttl = 200)));
	assert_true(spoofed(TCP(.ttl = 255)));
	uint16_t id = (uint16_t)(DARK ^ 23 ^ 0x01020304);
	assert_false(spoofed(TCP(.ttl = 255, .id = id, .window = 1024)));
	assert_true(spoofed(TCP(.ttl = 255, .id = id ^ 1, .window = 1024)));
}

/* A lone packet that meets masscan's 16 bits by accident is not masscan's in the end: then its TTL is odd again. */
static void a_tool_that_does_not_stand_excuses_no_time_to_live(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	feed(kept, TCP(.ttl = 250, .id = (uint16_t)(DARK ^ 23 ^ 0x01020304)));
	finish(kept);
	assert_int_equal(kept->rows[0].tool, TOOL_UNKNOWN);
	assert_int_equal(kept->rows[0].spoofed, 1);
	unwatch(kept);
}

static void a_source_that_nobody_has_is_spoofed(void **state)
{
	(void)state;
	assert_true(spoofed(TCP(.src = 0xcb007100))); /* .0 */
	assert_true(spoofed(TCP(.src = 0xcb0071ff))); /* .255 */
	assert_false(spoofed(TCP(.src = 0xcb007101)));
	assert_true(spoofed(TCP(.src = DARK)));       /* the destination itself */
	assert_true(spoofed(TCP(.src = 0x00000001))); /* RFC 6890: 0/8, loopback, multicast, 240/4 */
	assert_true(spoofed(TCP(.src = 0x7f000001)));
	assert_true(spoofed(TCP(.src = 0xe0000001)));
	assert_true(spoofed(TCP(.src = 0xf0000001)));
	struct made same = TCP(.six = true);
	memcpy(same.bytes + 14 + 8, same.bytes + 14 + 24, 16);
	assert_true(spoofed(same));
	struct made multicast = TCP(.six = true);
	multicast.bytes[14 + 8] = 0xff;
	assert_true(spoofed(multicast));
	assert_false(spoofed(TCP(.six = true)));
}

static void port_zero_is_spoofed(void **state)
{
	(void)state;
	assert_true(spoofed(TCP(.dport = 0)));
	assert_true(spoofed(TCP(.sport = 0)));
	assert_true(spoofed(UDP(.dport = 0)));
	assert_true(spoofed(UDP(.sport = 0)));
	assert_false(spoofed(ICMP(.type = 8))); /* has none */
}

/* --- surveys -------------------------------------------------------------------------------------------------------
 */

static void scans_and_reflection_from_the_list_are_surveys_and_nothing_else_is(void **state)
{
	(void)state;
	struct prefix list[2];
	struct err err = {""};
	assert_int_equal(prefix_parse("203.0.113.0/28", &list[0], &err), 0);
	assert_int_equal(prefix_parse("2001:db8:1::/48", &list[1], &err), 0);
	struct kept *kept = watch((struct telescope_options){.survey = {list, 2}});
	feed(kept, TCP());
	feed(kept, UDP(.dport = 11211, DATA("\0\0\0\0\0\1\0\0stats\r\n")));
	feed(kept, TCP(.six = true));
	assert_int_equal(counts_of(kept)->kinds[PACKET_SURVEY], 3);
	feed(kept, TCP(.sport = 80, .flags = RST)); /* under attack like anybody */
	feed(kept, TCP(.flags = ACK, DATA("x")));   /* and mistaken like anybody */
	feed(kept, TCP(.src = 0xcb007110));         /* the address behind the range */
	finish(kept);
	assert_int_equal(counts_of(kept)->kinds[PACKET_SURVEY], 3);
	assert_int_equal(counts_of(kept)->kinds[PACKET_BACKSCATTER], 1);
	assert_int_equal(counts_of(kept)->kinds[PACKET_MISCONFIGURATION], 1);
	assert_int_equal(counts_of(kept)->kinds[PACKET_SCAN], 1);
	unwatch(kept);
}

/* `count` SYNs of a day over so many ports, then one of the next minute. Returns whether that is a survey's. */
static bool surveys_after(unsigned count, unsigned ports)
{
	struct kept *kept = watch_plain();
	struct err err = {""};
	struct frame frames[BURST_MAX];
	static struct made made[BURST_MAX];
	for (unsigned done = 0; done < count;) {
		unsigned some = count - done < BURST_MAX ? count - done : BURST_MAX;
		for (unsigned i = 0; i < some; i++) {
			if (done == 0)
				made[i] = TCP();
			uint8_t *ip = made[i].bytes + 14;
			put16(ip + 22, 1000 + (done + i) % ports);
			put32(ip + 24, (done + i) * 0x9e3779b9u);
			made[i].time_ns = T0 + (int64_t)(done + i) * 100 * NS_PER_US;
			frames[i] = made_frame(&made[i]);
		}
		assert_int_equal(telescope_feed(kept->telescope, frames, some, &err), 0);
		done += some;
	}
	finish(kept);
	uint64_t before = counts_of(kept)->kinds[PACKET_SURVEY];
	assert_int_equal(before, 0); /* nothing is looked ahead */
	feed(kept, at(TCP(), T0 + 2 * NS_PER_MINUTE));
	finish(kept);
	bool surveys = counts_of(kept)->kinds[PACKET_SURVEY] == 1;
	unwatch(kept);
	return surveys;
}

static void thirty_ports_and_300000_packets_a_day_make_a_surveyor(void **state)
{
	(void)state;
	assert_true(surveys_after(300000, 30));
	assert_false(surveys_after(299990, 30));
	assert_false(surveys_after(300000, 29));
}

/* --- order ----------------------------------------------------------------------------------------------------------
 */

static void a_packet_up_to_a_minute_late_counts_into_the_open_minute(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	feed(kept, at(TCP(), T0 + NS_PER_MINUTE));
	feed(kept, at(TCP(.dst = DARK + 1, .seq = 5), T0 + 1));
	finish(kept);
	assert_int_equal(counts_of(kept)->time_backwards, 1);
	assert_int_equal(kept->row_count, 1);
	assert_int_equal(kept->rows[0].packets, 2);
	assert_int_equal(kept->rows[0].minute_ns, T0 + NS_PER_MINUTE);
	assert_int_equal(kept->rows[0].first_ns, T0); /* to the microsecond */
	assert_int_equal(kept->rows[0].last_ns, T0 + NS_PER_MINUTE);
	unwatch(kept);
}

static void a_packet_later_than_that_opens_its_own_minute_and_nothing_is_lost(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	feed(kept, at(TCP(), T0 + 10 * NS_PER_MINUTE));
	feed(kept, at(TCP(.dst = DARK + 1), T0));
	feed(kept, at(TCP(.dst = DARK + 2), T0 + 10 * NS_PER_MINUTE));
	finish(kept);
	assert_int_equal(counts_of(kept)->time_backwards, 1);
	assert_int_equal(kept->row_count, 3);
	assert_int_equal(counts_of(kept)->sources, 1);
	assert_int_equal(counts_of(kept)->first_ns, T0);
	assert_int_equal(counts_of(kept)->last_ns, T0 + 10 * NS_PER_MINUTE);
	unwatch(kept);
}

/* A known peer steps through every interval between: seven packets over seven days hang it. */
static void leaps_by_days_and_centuries_take_no_time(void **state)
{
	(void)state;
	struct kept *kept = watch((struct telescope_options){.live = true, .raw = true});
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int64_t day = 0; day < 7; day++)
		feed(kept, at(TCP(.dst = DARK + (uint32_t)day), T0 + day * NS_PER_DAY));
	assert_int_equal(counts_of(kept)->time_leaps, 0);
	feed(kept, at(TCP(), T0 + 5000 * NS_PER_DAY));
	feed(kept, at(TCP(), T0));
	feed(kept, at(TCP(), INT64_MAX));
	feed(kept, at(TCP(), INT64_MIN));
	feed(kept, at(TCP(.sport = 80, .flags = RST), INT64_MAX));
	feed(kept, at(TCP(.sport = 80, .flags = RST), INT64_MIN));
	feed(kept, at(TCP(), 0));
	finish(kept);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec < 2);
	assert_int_equal(counts_of(kept)->packets, 14);
	assert_true(counts_of(kept)->time_leaps >= 6);
	unwatch(kept);
}

static void order_within_a_minute_changes_no_row(void **state)
{
	(void)state;
	struct kept *runs[2];
	for (int run = 0; run < 2; run++) {
		runs[run] = watch_plain();
		for (unsigned i = 0; i < 200; i++) {
			unsigned which = run ? 199 - i : i;
			feed(runs[run], at(TCP(.src = SOMEBODY + which % 7, .dst = DARK + which,
					       .dport = (uint16_t)(which % 5), .seq = which * 77777),
					   T0 + which * NS_PER_MS));
		}
		finish(runs[run]);
	}
	assert_int_equal(runs[0]->row_count, 35);
	assert_int_equal(runs[1]->row_count, 35);
	for (size_t i = 0; i < 35; i++) {
		const struct row *a = &runs[0]->rows[i], *b = NULL;
		for (size_t k = 0; k < 35; k++)
			if (runs[1]->rows[k].port == a->port && addr_compare(&runs[1]->rows[k].source, &a->source) == 0)
				b = &runs[1]->rows[k];
		assert_non_null(b);
		assert_int_equal(a->packets, b->packets);
		assert_int_equal(a->targets, b->targets);
		assert_int_equal(a->first_ns, b->first_ns);
		assert_int_equal(a->last_ns, b->last_ns);
	}
	unwatch(runs[0]);
	unwatch(runs[1]);
}

static void a_minute_in_which_nothing_more_comes_is_closed_by_the_clock(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	struct err err = {""};
	feed(kept, TCP());
	assert_int_equal(telescope_tick(kept->telescope, T0 + 59 * NS_PER_S, &err), 0);
	assert_int_equal(kept->row_count, 0);
	assert_int_equal(telescope_tick(kept->telescope, T0 + 63 * NS_PER_S, &err), 0);
	assert_int_equal(kept->row_count, 1);
	unwatch(kept);
}

/* --- trouble ---------------------------------------------------------------------------------------------------------
 */

static void a_sink_that_refuses_is_said_and_counting_goes_on(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	struct err err = {""};
	feed(kept, TCP());
	kept->refuse = -ENOSPC;
	struct made next = at(TCP(), T0 + NS_PER_MINUTE);
	struct frame frame = made_frame(&next);
	assert_int_equal(telescope_feed(kept->telescope, &frame, 1, &err), -ENOSPC);
	assert_contains(err.text, "the test refuses");
	assert_int_equal(counts_of(kept)->packets, 2);
	kept->refuse = 0;
	feed(kept, at(TCP(), T0 + 2 * NS_PER_MINUTE));
	assert_int_equal(telescope_finish(kept->telescope, &err), 0);
	assert_int_equal(counts_of(kept)->kinds[PACKET_SCAN], 3);
	assert_int_equal(kept->row_count, 2); /* of the minute that was refused nothing is left */
	unwatch(kept);
}

/* Whatever bytes come: each frame is counted once, and rows add up (finish() looks). */
static void noise_adds_up(void **state)
{
	(void)state;
	struct kept *kept = watch((struct telescope_options){.live = true, .raw = true, .decapsulate = true});
	uint64_t seed = 3;
	for (unsigned i = 0; i < 3000; i++) {
		struct made made = i % 3 == 0   ? TCP(OPTIONS("\2\4\5\xb4"))
				   : i % 3 == 1 ? UDP(.sport = 53, DATA("\1\2\x81\x80\0\1\0\1\0\0\0\0\3isc\3org"))
						: quoting(3, 3, 17, 0xc0000263, 53);
		for (unsigned bend = 0; bend < i % 5; bend++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			size_t place = 14 + (seed >> 33) % (made.length - 14);
			if (place < 30 || place >= 34) /* the darknet it stays */
				made.bytes[place] = (uint8_t)(seed >> 20);
		}
		made.length -= i % 7 == 0 ? (seed >> 40) % 30 : 0;
		feed(kept, made);
	}
	finish(kept);
	assert_int_equal(counts_of(kept)->packets, 3000);
	unwatch(kept);
}

/* --- live ------------------------------------------------------------------------------------------------------------
 */

static void sparks_carry_the_exact_totals_of_each_kind(void **state)
{
	(void)state;
	struct kept *kept = watch((struct telescope_options){.live = true});
	for (unsigned i = 0; i < 2000; i++)
		feed(kept, at(TCP(.src = SOMEBODY + i, .sport = 80, .flags = i % 4 ? SYN : RST),
			      T0 + (int64_t)i * NS_PER_MS / 5));
	finish(kept);
	assert_int_equal(kept->spark_totals[PACKET_SCAN], 1500);
	assert_int_equal(kept->spark_totals[PACKET_BACKSCATTER], 500);
	assert_true(kept->spark_batches >= 4);
	unwatch(kept);
}

static void history_makes_no_sparks(void **state)
{
	(void)state;
	struct kept *kept = watch((struct telescope_options){.live = true});
	telescope_wall(kept->telescope, T0 + 3600 * NS_PER_S);
	feed(kept, TCP());
	finish(kept);
	assert_int_equal(kept->spark_batches, 0);
	unwatch(kept);
}

static void raw_packets_leave_in_blocks_of_ten_seconds(void **state)
{
	(void)state;
	struct kept *kept = watch((struct telescope_options){.raw = true});
	for (unsigned i = 0; i < 25; i++)
		feed(kept, at(TCP(.src = SOMEBODY + i), T0 + i * NS_PER_S));
	finish(kept);
	assert_int_equal(kept->blocks, 3);
	unwatch(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_for_the_darknet_gets_a_kind),
		cmocka_unit_test(addresses_in_use_are_left_out_of_the_darknet),
		cmocka_unit_test(an_empty_darknet_is_refused),
		cmocka_unit_test(a_row_is_a_source_kind_tool_protocol_port_and_flags_of_a_minute),
		cmocka_unit_test(backscatter_has_the_port_that_answered_and_icmp_its_type_and_code),
		cmocka_unit_test(ports_and_sources_are_counted_exactly),
		cmocka_unit_test(the_victim_is_who_answers),
		cmocka_unit_test(the_victim_of_an_icmp_error_stands_in_the_packet_it_quotes),
		cmocka_unit_test(an_error_whose_quote_is_cut_names_its_sender),
		cmocka_unit_test(an_icmpv6_error_names_the_quoted_destination),
		cmocka_unit_test(echoes_come_in_bins_of_ten_seconds),
		cmocka_unit_test(an_odd_protocol_is_spoofed),
		cmocka_unit_test(a_time_to_live_of_200_is_spoofed_unless_it_is_masscans),
		cmocka_unit_test(a_tool_that_does_not_stand_excuses_no_time_to_live),
		cmocka_unit_test(a_source_that_nobody_has_is_spoofed),
		cmocka_unit_test(port_zero_is_spoofed),
		cmocka_unit_test(scans_and_reflection_from_the_list_are_surveys_and_nothing_else_is),
		cmocka_unit_test(thirty_ports_and_300000_packets_a_day_make_a_surveyor),
		cmocka_unit_test(a_packet_up_to_a_minute_late_counts_into_the_open_minute),
		cmocka_unit_test(a_packet_later_than_that_opens_its_own_minute_and_nothing_is_lost),
		cmocka_unit_test(leaps_by_days_and_centuries_take_no_time),
		cmocka_unit_test(order_within_a_minute_changes_no_row),
		cmocka_unit_test(a_minute_in_which_nothing_more_comes_is_closed_by_the_clock),
		cmocka_unit_test(a_sink_that_refuses_is_said_and_counting_goes_on),
		cmocka_unit_test(noise_adds_up),
		cmocka_unit_test(sparks_carry_the_exact_totals_of_each_kind),
		cmocka_unit_test(history_makes_no_sparks),
		cmocka_unit_test(raw_packets_leave_in_blocks_of_ten_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
