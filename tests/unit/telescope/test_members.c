/* Members' addresses in the darknet: which packets are about them, what leaves at once and what is summed up, what is
 * kept as evidence, and what holds when strangers forge them. */
#include "build.h"

#include "core/cursor.h"
#include "core/hash.h"
#include "sys/capture.h"
#include "wire/pcap_write.h"

#include <errno.h>
#include <unistd.h>

enum { SYN = 2, RST = 4, ACK = 16 };

static void members_are(struct kept *kept, const struct lpm_entry *list, size_t count)
{
	struct err err = {""};
	struct lpm_entry *entries = calloc(count + 1, sizeof *entries);
	if (count)
		memcpy(entries, list, count * sizeof *entries);
	if (telescope_members(kept->telescope, entries, count, &err) < 0)
		fail_msg("%s", err.text);
	free(entries);
}

static struct lpm_entry owns(uint32_t member, const char *prefix)
{
	struct lpm_entry entry = {.value = member};
	struct err err = {""};
	if (prefix_parse(prefix, &entry.prefix, &err) < 0)
		fail_msg("%s", err.text);
	return entry;
}

/* 203.0.113.0/24 is member 7's, of it .8/29 is member 9's; 2001:db8:1::/48 is member 12's. */
static struct kept *watch_members(void)
{
	struct kept *kept = watch_plain();
	const struct lpm_entry list[] = {owns(7, "203.0.113.0/24"), owns(9, "203.0.113.8/29"),
					 owns(12, "2001:db8:1::/48")};
	members_are(kept, list, 3);
	return kept;
}

static const struct sighted *only(const struct kept *kept)
{
	assert_int_equal(kept->sighting_count, 1);
	return &kept->sightings[0];
}

static void a_members_first_packet_leaves_at_once(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	feed(kept, TCP(.src = 0x08080808));
	assert_int_equal(kept->sighting_count, 0);
	feed(kept, TCP(.src = 0xcb007140, .seq = DARK + 5, .dst = DARK + 5, .dport = 2323));
	const struct sighted *sighted = only(kept);
	assert_int_equal(sighted->member, 7);
	assert_int_equal(sighted->bits, 96 + 24);
	assert_int_equal(addr_to_v4(&sighted->address), 0xcb007140);
	assert_int_equal(addr_to_v4(&sighted->target), DARK + 5);
	assert_int_equal(sighted->role, ROLE_SOURCE);
	assert_int_equal(sighted->fresh, 1);
	assert_int_equal(sighted->kind, PACKET_SCAN);
	assert_int_equal(sighted->tool, TOOL_MIRAI);
	assert_int_equal(sighted->port, 2323);
	assert_int_equal(sighted->protocol, 6);
	assert_int_equal(sighted->flags, SYN);
	assert_int_equal(sighted->ttl, 55);
	assert_int_equal(sighted->packets, 1);
	assert_int_equal(sighted->scans, 1);
	assert_int_equal(sighted->doubtful, 0);
	assert_int_equal(sighted->first_ns, T0);
	assert_int_equal(sighted->last_ns, T0);
	finish(kept);
	assert_int_equal(kept->sighting_count, 1);
	assert_int_equal(telescope_counts(kept->telescope)->member_packets, 1);
	unwatch(kept);
}

static void the_longest_prefix_has_it_in_both_families(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	feed(kept, TCP());                                /* 203.0.113.9 */
	feed(kept, TCP(.src = 0xcb007110));               /* 203.0.113.16 */
	feed(kept, TCP(.six = true, .six_source = 0x77)); /* 2001:db8:1::77 */
	assert_int_equal(kept->sighting_count, 3);
	assert_int_equal(kept->sightings[0].member, 9);
	assert_int_equal(kept->sightings[0].bits, 96 + 29);
	assert_int_equal(kept->sightings[1].member, 7);
	assert_int_equal(kept->sightings[2].member, 12);
	assert_int_equal(kept->sightings[2].bits, 48);
	assert_int_equal(kept->sightings[2].address.bytes[15], 0x77);
	unwatch(kept);
}

static void who_answers_what_it_was_never_asked_is_a_victim(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	feed(kept, TCP(.flags = SYN | ACK, .sport = 443, .dport = 51000));
	assert_int_equal(only(kept)->role, ROLE_ANSWERING);
	assert_int_equal(only(kept)->port, 443);
	assert_int_equal(only(kept)->scans, 0);
	feed(kept, TCP()); /* and it scans: another matter */
	assert_int_equal(kept->sighting_count, 2);
	assert_int_equal(kept->sightings[1].role, ROLE_SOURCE);
	unwatch(kept);
}

static void put_quote(uint8_t *quote, uint32_t to, uint16_t port)
{
	memset(quote, 0, 32);
	quote[4] = 0x45;
	put16(quote + 6, 40);
	quote[12] = 64;
	quote[13] = 6;
	put32(quote + 16, DARK);
	put32(quote + 20, to);
	put16(quote + 24, 40000);
	put16(quote + 26, port);
}

static void an_icmp_error_is_about_whom_it_quotes(void **state)
{
	(void)state;
	uint8_t quote[32];
	struct kept *kept = watch_members();
	put_quote(quote, SOMEBODY, 8080);
	feed(kept, ICMP(.src = 0x08080808, .type = 3, .code = 1, .data = quote, .data_bytes = sizeof quote));
	assert_int_equal(only(kept)->role, ROLE_QUOTED);
	assert_int_equal(only(kept)->member, 9);
	assert_int_equal(addr_to_v4(&only(kept)->address), SOMEBODY);
	assert_int_equal(only(kept)->protocol, 6);
	assert_int_equal(only(kept)->port, 8080);
	/* a member's router that tells of somebody else's host is not the matter */
	put_quote(quote, 0x08080404, 80);
	feed(kept, ICMP(.src = 0xcb007101, .type = 3, .code = 1, .data = quote, .data_bytes = sizeof quote));
	assert_int_equal(kept->sighting_count, 1);
	unwatch(kept);
}

static void talk_to_nobody_is_a_mistake_and_signs_of_forgery_are_told(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	feed(kept, TCP(.src = 0xcb007121, .flags = ACK | 8, DATA("hello"))); /* of a connection that is not there */
	feed(kept, TCP(.src = 0xcb007100));                                  /* .0 */
	feed(kept, TCP(.src = 0xcb007122, .ttl = 230));
	feed(kept, TCP(.src = 0xcb007123, .dport = 0));
	feed(kept, REST(.src = 0xcb007124, .protocol = 200));
	assert_int_equal(kept->sighting_count, 5);
	assert_int_equal(kept->sightings[0].kind, PACKET_MISCONFIGURATION);
	assert_int_equal(kept->sightings[0].mistakes, 1);
	static const uint8_t signs[] = {0, 4, 2, 16, 1};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(kept->sightings[i].signs, signs[i]);
		assert_int_equal(kept->sightings[i].doubtful, i > 0);
		assert_int_equal(kept->sightings[i].scans, 0);
	}
	unwatch(kept);
}

static void tick(struct kept *kept, int64_t now_ns)
{
	struct err err = {""};
	assert_int_equal(telescope_tick(kept->telescope, now_ns, &err), 0);
}

static void what_follows_closely_is_summed_up_after_ten_seconds_then_by_the_minute(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	for (unsigned i = 0; i < 5; i++)
		feed(kept, TCP(.dst = DARK + i, .dport = i ? 80 : 23, .time_ns = T0 + i * NS_PER_S));
	assert_int_equal(kept->sighting_count, 1);
	tick(kept, T0 + 7 * NS_PER_S);
	assert_int_equal(telescope_told_until(kept->telescope, T0 + 8 * NS_PER_S), T0 + NS_PER_S);
	tick(kept, T0 + 13 * NS_PER_S);
	assert_int_equal(kept->sighting_count, 2);
	assert_int_equal(telescope_told_until(kept->telescope, T0 + 14 * NS_PER_S), T0 + 13 * NS_PER_S);
	const struct sighted *sum = &kept->sightings[1];
	assert_int_equal(sum->fresh, 0);
	assert_int_equal(sum->packets, 4);
	assert_int_equal(sum->scans, 4);
	assert_int_equal(sum->targets, 4);
	assert_int_equal(sum->port, 80);
	assert_int_equal(sum->bytes, 4 * 40);
	assert_int_equal(sum->first_ns, T0 + NS_PER_S);
	assert_int_equal(sum->last_ns, T0 + 4 * NS_PER_S);
	for (unsigned i = 13; i < 55; i += 5)
		feed(kept, TCP(.time_ns = T0 + i * NS_PER_S));
	assert_int_equal(kept->sighting_count, 2);
	tick(kept, T0 + 75 * NS_PER_S);
	assert_int_equal(kept->sighting_count, 3);
	assert_int_equal(kept->sightings[2].packets, 9);
	unwatch(kept);
}

static void after_a_silence_the_next_leaves_at_once_and_is_new_after_a_long_one(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	feed(kept, TCP());
	feed(kept, TCP(.time_ns = T0 + 10 * NS_PER_S));
	assert_int_equal(kept->sighting_count, 2);
	assert_int_equal(kept->sightings[1].fresh, 0);
	tick(kept, T0 + 5 * NS_PER_MINUTE);
	tick(kept, T0 + 11 * NS_PER_MINUTE);
	assert_int_equal(kept->sighting_count, 2);
	feed(kept, TCP(.time_ns = T0 + 12 * NS_PER_MINUTE));
	assert_int_equal(kept->sighting_count, 3);
	assert_int_equal(kept->sightings[2].fresh, 1);
	finish(kept);
	assert_int_equal(kept->sighting_count, 3);
	unwatch(kept);
}

/* Behind a pcap header they are a capture. */
static size_t evidence_read(const struct sighted *sighted, struct packet *packets, size_t most)
{
	static uint8_t kept_bytes[16][512];
	size_t at = 0, count = 0;
	while (at + PCAP_RECORD_BYTES <= sighted->evidence_bytes) {
		const uint8_t *record = (const uint8_t *)sighted->evidence + at;
		uint32_t captured = load_le32(record + 8);
		assert_true(at + PCAP_RECORD_BYTES + captured <= sighted->evidence_bytes && captured <= 256);
		assert_true(count < most && count < 16);
		memcpy(kept_bytes[count], record + PCAP_RECORD_BYTES, captured);
		struct frame frame = {.time_ns = load_le32(record) * NS_PER_S + load_le32(record + 4),
				      .data = kept_bytes[count],
				      .captured_bytes = captured,
				      .wire_bytes = load_le32(record + 12),
				      .link_type = 101};
		packet_parse(&frame, 1, &packets[count++]);
		at += PCAP_RECORD_BYTES + captured;
	}
	assert_int_equal(at, sighted->evidence_bytes);
	return count;
}

static void the_first_packets_are_kept_as_evidence(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	struct packet packets[16];
	static char much[900];
	feed(kept, UDP(.dport = 5060, .data = much, .data_bytes = sizeof much));
	assert_int_equal(evidence_read(only(kept), packets, 16), 1);
	assert_int_equal(packets[0].src, SOMEBODY);
	assert_int_equal(packets[0].dport, 5060);
	assert_int_equal(packets[0].ip_bytes, 928);
	assert_int_equal(packets[0].time_ns, T0);
	for (unsigned i = 1; i < 40; i++)
		feed(kept, TCP(.dport = i, .time_ns = T0 + i * NS_PER_MS));
	finish(kept);
	assert_int_equal(kept->sighting_count, 2);
	assert_int_equal(evidence_read(&kept->sightings[1], packets, 16), 15);
	for (unsigned i = 0; i < 15; i++) {
		assert_int_equal(packets[i].dport, i + 1);
		assert_int_equal(packets[i].anomaly, ANOMALY_NONE);
	}
	feed(kept, TCP(.time_ns = T0 + NS_PER_S));
	finish(kept);
	assert_int_equal(kept->sightings[2].evidence_bytes, 0); /* enough is enough */
	unwatch(kept);
}

static void two_agreeing_packets_settle_what_one_does_not(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	feed(kept, TCP(.id = 54321, .window = 65535));
	assert_int_equal(only(kept)->tool, TOOL_UNKNOWN);
	feed(kept, TCP(.id = 54321, .window = 65535, .dst = DARK + 9, .time_ns = T0 + 1));
	finish(kept);
	assert_int_equal(kept->sightings[1].tool, TOOL_ZMAP);
	assert_int_equal(kept->sightings[1].version, ZMAP_BEFORE_4_1);
	/* one accident among many is none */
	for (unsigned i = 0; i < 100; i++)
		feed(kept, TCP(.src = SOMEBODY + 1, .id = i % 50 == 0 ? 54321 : 1, .window = 65535, .seq = i * 7919,
			       .dst = DARK + i, .time_ns = T0 + 2 + i));
	finish(kept);
	assert_int_equal(kept->sightings[kept->sighting_count - 1].packets, 99);
	assert_int_equal(kept->sightings[kept->sighting_count - 1].tool, TOOL_UNKNOWN);
	unwatch(kept);
}

static void the_list_changes_while_packets_come(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	feed(kept, TCP());
	assert_int_equal(kept->sighting_count, 0);
	const struct lpm_entry first = owns(7, "203.0.113.0/24"), second = owns(8, "203.0.113.0/25");
	members_are(kept, &first, 1);
	feed(kept, TCP());
	feed(kept, TCP());
	members_are(kept, &second, 1);
	assert_int_equal(kept->sighting_count, 2); /* what was summed up is not lost */
	assert_int_equal(kept->sightings[1].member, 7);
	feed(kept, TCP());
	assert_int_equal(kept->sightings[2].member, 8);
	assert_int_equal(kept->sightings[2].fresh, 1);
	members_are(kept, NULL, 0);
	feed(kept, TCP());
	finish(kept);
	assert_int_equal(kept->sighting_count, 3);
	unwatch(kept);
}

static void forged_sources_are_bounded_and_one_member_does_not_starve_the_others(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	const struct lpm_entry list[] = {owns(1, "60.0.0.0/8"), owns(2, "203.0.113.0/24")};
	members_are(kept, list, 2);
	uint64_t seed = 3;
	for (unsigned i = 0; i < 3000; i++)
		feed(kept, TCP(.src = 0x3c000000 | (uint32_t)random_below(&seed, 0xffffff), .time_ns = T0 + i * 1000));
	size_t told = kept->sighting_count;
	assert_int_equal(told, 512);
	feed(kept, TCP(.time_ns = T0 + NS_PER_S / 100));
	assert_int_equal(kept->sighting_count, told + 1);
	assert_int_equal(telescope_counts(kept->telescope)->sightings_refused, 3000 - 512);
	/* a second later there is room again, for who comes then */
	for (unsigned i = 0; i < 300; i++)
		feed(kept, TCP(.src = 0x3c000000 | (uint32_t)random_below(&seed, 0xffffff),
			       .time_ns = T0 + NS_PER_S + i * 1000));
	assert_in_range(kept->sighting_count, told + 1 + 40, told + 1 + 60);
	unwatch(kept);
}

static void surveys_on_purpose_are_not_told(void **state)
{
	(void)state;
	struct prefix survey;
	struct err err = {""};
	assert_int_equal(prefix_parse("203.0.113.9", &survey, &err), 0);
	struct kept *kept = watch((struct telescope_options){.survey = {&survey, 1}});
	const struct lpm_entry mine = owns(7, "203.0.113.0/24");
	members_are(kept, &mine, 1);
	feed(kept, TCP());
	assert_int_equal(kept->sighting_count, 0);
	feed(kept, TCP(.flags = RST)); /* but who is under attack is told, whoever it is */
	assert_int_equal(only(kept)->role, ROLE_ANSWERING);
	unwatch(kept);
}

static void times_that_leap_do_no_harm(void **state)
{
	(void)state;
	struct kept *kept = watch_members();
	static const int64_t times[] = {T0, T0 - 400 * NS_PER_DAY, T0 + 4000 * NS_PER_DAY, INT64_MAX, INT64_MIN, 0, T0};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		feed(kept, TCP(.time_ns = times[i]));
	finish(kept);
	uint64_t packets = 0;
	for (size_t i = 0; i < kept->sighting_count; i++)
		packets += kept->sightings[i].packets;
	assert_int_equal(packets, sizeof times / sizeof *times);
	unwatch(kept);
}

/* --- recorded packets --------------------------------------------------------------------------------------------- */

/* Only sightings: a capture may have many rows. */
static int sightings_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	return batch->kind == &record_sighting ? kept_put(sink, batch, err) : 0;
}

/* A capture in which every source is a member's; NULL where it is not there. */
static struct kept *watch_capture(const char *path)
{
	if (access(path, R_OK) != 0) {
		printf("skipped: %s is not there\n", path);
		return NULL;
	}
	struct prefix all[2];
	struct capture *capture;
	struct frame frames[BURST_MAX];
	struct err err = {""};
	int got;
	struct kept *kept = calloc(1, sizeof *kept);
	kept->sink.put = sightings_put;
	assert_int_equal(prefix_parse("0.0.0.0/0", &all[0], &err), 0);
	assert_int_equal(prefix_parse("::/0", &all[1], &err), 0);
	struct telescope_options options = {.darknet = {all, 2}};
	assert_int_equal(telescope_new(&options, &kept->sink, &kept->telescope, &err), 0);
	const struct lpm_entry list[] = {owns(1, "0.0.0.0/0"), owns(2, "::/0")};
	members_are(kept, list, 2);
	if (capture_open_file(path, false, &capture, &err) < 0)
		fail_msg("%s", err.text);
	while ((got = capture_read(capture, frames, BURST_MAX, 0, &err)) > 0)
		assert_int_equal(telescope_feed(kept->telescope, frames, (unsigned)got, &err), 0);
	assert_int_equal(got, -ENODATA);
	assert_int_equal(telescope_finish(kept->telescope, &err), 0);
	capture_close(capture);
	return kept;
}

static void recorded_packets_show_what_sent_them(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t role, kind, tool;
	} captures[] = {
		{SOURCE_ROOT "/tests/golden/captures/masscan-tcp.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_MASSCAN},
		{SOURCE_ROOT "/tests/golden/captures/zmap-tcp.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_ZMAP},
		{SOURCE_ROOT "/tests/golden/captures/zmap-icmp.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_ZMAP},
		{SOURCE_ROOT "/tests/golden/captures/nmap-syn.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_NMAP},
		{SOURCE_ROOT "/tests/golden/captures/linux-connect.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_UNKNOWN},
		{SHARED_DATA "/telescope/own_masscan132_tcp.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_MASSCAN},
		{SHARED_DATA "/telescope/own_zmapHEAD_tcp.pcap", ROLE_SOURCE, PACKET_SCAN, TOOL_ZMAP},
		{SHARED_DATA "/telescope/chris_synscan.pcapng", ROLE_SOURCE, PACKET_SCAN, TOOL_NMAP},
		{SHARED_DATA "/telescope/zeek_icmp_destunreach_udp.pcap", ROLE_QUOTED, PACKET_BACKSCATTER,
		 TOOL_UNKNOWN},
		{SHARED_DATA "/telescope/zeek_icmp_timeexceeded.pcap", ROLE_QUOTED, PACKET_BACKSCATTER, TOOL_UNKNOWN},
		{SHARED_DATA "/telescope/stopddos_syn_ack_sameport.pcapng", ROLE_ANSWERING, PACKET_BACKSCATTER,
		 TOOL_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
		struct kept *kept = watch_capture(captures[i].name);
		if (!kept)
			continue;
		uint64_t packets = 0, fitting = 0;
		bool tool = false;
		for (size_t s = 0; s < kept->sighting_count; s++) {
			const struct sighted *sighted = &kept->sightings[s];
			packets += sighted->packets;
			tool |= sighted->tool == captures[i].tool && sighted->role == captures[i].role;
			fitting += sighted->role == captures[i].role && sighted->kind == captures[i].kind
					   ? sighted->packets
					   : 0;
			assert_true(captures[i].tool != TOOL_UNKNOWN || sighted->tool == TOOL_UNKNOWN);
			assert_true(sighted->packets == sighted->scans + sighted->mistakes + sighted->doubtful ||
				    sighted->role != ROLE_SOURCE);
		}
		const struct telescope_counts *counts = telescope_counts(kept->telescope);
		assert_int_equal(packets + counts->sightings_refused, counts->packets - counts->outside);
		if (!tool || fitting == 0)
			fail_msg("%s: %llu of %llu packets fit", captures[i].name, (unsigned long long)fitting,
				 (unsigned long long)packets);
		unwatch(kept);
	}
}

static void a_recorded_flood_of_forged_sources_is_bounded(void **state)
{
	(void)state;
	struct kept *kept = watch_capture(SHARED_DATA "/telescope/stopddos_synflood_spoofed.pcap");
	if (!kept)
		return;
	assert_true(kept->sighting_count > 0);
	unwatch(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_members_first_packet_leaves_at_once),
		cmocka_unit_test(the_longest_prefix_has_it_in_both_families),
		cmocka_unit_test(who_answers_what_it_was_never_asked_is_a_victim),
		cmocka_unit_test(an_icmp_error_is_about_whom_it_quotes),
		cmocka_unit_test(talk_to_nobody_is_a_mistake_and_signs_of_forgery_are_told),
		cmocka_unit_test(what_follows_closely_is_summed_up_after_ten_seconds_then_by_the_minute),
		cmocka_unit_test(after_a_silence_the_next_leaves_at_once_and_is_new_after_a_long_one),
		cmocka_unit_test(the_first_packets_are_kept_as_evidence),
		cmocka_unit_test(two_agreeing_packets_settle_what_one_does_not),
		cmocka_unit_test(the_list_changes_while_packets_come),
		cmocka_unit_test(forged_sources_are_bounded_and_one_member_does_not_starve_the_others),
		cmocka_unit_test(surveys_on_purpose_are_not_told),
		cmocka_unit_test(times_that_leap_do_no_harm),
		cmocka_unit_test(recorded_packets_show_what_sent_them),
		cmocka_unit_test(a_recorded_flood_of_forged_sources_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
