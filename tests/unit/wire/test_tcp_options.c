/* The option walk: what it returns, that equal layouts have equal signatures, and that it never reads past the end. */
#include "../check.h"

#include "craft.h"
#include "wire/tcp_options.h"

static struct tcp_options read_options(const char *bytes, size_t count, struct packet *ret_packet)
{
	static struct craft p;
	craft_start(&p, bytes, count);
	craft_tcp(&p, 1, 2)[12] = (uint8_t)((20 + count) / 4 << 4);
	craft_ipv4(&p, 6);
	*ret_packet = craft_parse(&p, 101);
	assert_int_equal(packet_anomaly_names[ret_packet->anomaly] == packet_anomaly_names[0], true);
	return tcp_options_read(ret_packet);
}

static void linux_syn(void **state)
{
	(void)state;
	struct packet packet;
	struct tcp_options o =
		read_options("\x02\x04\x05\xb4\x04\x02\x08\x0a\1\2\3\4\5\6\7\x08\x01\x03\x03\x07", 20, &packet);
	assert_false(o.malformed);
	assert_true(o.has_mss && o.sack_permitted && o.has_timestamp && o.has_window_scale);
	assert_int_equal(o.mss, 1460);
	assert_int_equal(o.window_scale, 7);
	assert_int_equal(o.timestamp, 0x01020304);
	assert_int_equal(o.timestamp_echo, 0x05060708);
	assert_int_equal(o.count, 5);
	assert_int_equal(packet.anomaly, ANOMALY_NONE);
	/* another MSS: the same layout */
	struct tcp_options other =
		read_options("\x02\x04\x05\x00\x04\x02\x08\x0a\1\2\3\4\5\6\7\x08\x01\x03\x03\x07", 20, &packet);
	assert_int_equal(other.signature, o.signature);
	/* another order */
	other = read_options("\x04\x02\x02\x04\x05\xb4\x08\x0a\1\2\3\4\5\6\7\x08\x01\x03\x03\x07", 20, &packet);
	assert_int_not_equal(other.signature, o.signature);
}

static void none(void **state)
{
	(void)state;
	struct packet packet;
	struct tcp_options o = read_options("", 0, &packet);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.signature, 0);
	packet.protocol = 17;
	o = tcp_options_read(&packet);
	assert_int_equal(o.signature, 0);
	packet = (struct packet){.protocol = 6};
	assert_int_equal(tcp_options_read(&packet).count, 0);
}

static void malformed(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t count;
	} lists[] = {
		{"\x02\x00\x00\x00", 4}, /* length 0 */
		{"\x02\x01\x00\x00", 4}, /* length 1 */
		{"\x02\x28\x05\xb4", 4}, /* past the header */
		{"\x02\x03\x05\x01", 4}, /* not an MSS's length */
		{"\x03\x04\x05\x01", 4}, /* not a window scale's */
		{"\x04\x04\x05\x01", 4}, /* not SACK permitted's */
		{"\x08\x04\x05\x01", 4}, /* not a timestamp's */
		{"\x05\x04\x05\x01", 4}, /* not SACK blocks' */
		{"\x01\x01\x01\x02", 4}, /* the kind alone */
	};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct packet packet;
		assert_true(read_options(lists[i].bytes, lists[i].count, &packet).malformed);
		assert_string_equal(packet_anomaly_names[packet.anomaly], "tcp_options");
	}
	struct packet packet;
	struct tcp_options o = read_options("\x02\x04\x05\xb4\x03\x09\x00\x00", 8, &packet);
	assert_true(o.malformed && o.has_mss); /* what came before is kept */
	assert_int_equal(o.mss, 1460);
}

static void end_ends(void **state)
{
	(void)state;
	struct packet packet;
	struct tcp_options o = read_options("\x02\x04\x05\xb4\x00\x63\x63\x63", 8, &packet);
	assert_false(o.malformed);
	assert_int_equal(o.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_syn),
		cmocka_unit_test(none),
		cmocka_unit_test(malformed),
		cmocka_unit_test(end_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
