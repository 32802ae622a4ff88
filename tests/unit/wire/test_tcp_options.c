/* The option walk: what it returns, that equal layouts have equal signatures, and that it never reads past the end. */
#include "../check.h"

#include "craft.h"
#include "wire/tcp_options.h"

static uint64_t signature_of(const char *bytes, size_t count, struct packet *ret_packet)
{
	static struct craft p;
	craft_start(&p, bytes, count);
	craft_tcp(&p, 1, 2)[12] = (uint8_t)((20 + count) / 4 << 4);
	craft_ipv4(&p, 6);
	*ret_packet = craft_parse(&p, 101);
	assert_int_equal(packet_anomaly_names[ret_packet->anomaly] == packet_anomaly_names[0], true);
	return tcp_options_signature(ret_packet);
}

static void kinds_in_their_order_are_the_signature(void **state)
{
	(void)state;
	struct packet packet;
	uint64_t linux_syn =
		signature_of("\x02\x04\x05\xb4\x04\x02\x08\x0a\1\2\3\4\5\6\7\x08\x01\x03\x03\x07", 20, &packet);
	assert_int_equal(packet.anomaly, ANOMALY_NONE);
	assert_int_not_equal(linux_syn, 0);
	/* another MSS and time: the same layout */
	assert_int_equal(
		signature_of("\x02\x04\x05\x00\x04\x02\x08\x0a\1\2\3\5\5\6\7\x08\x01\x03\x03\x07", 20, &packet),
		linux_syn);
	/* another order */
	assert_int_not_equal(
		signature_of("\x04\x02\x02\x04\x05\xb4\x08\x0a\1\2\3\4\5\6\7\x08\x01\x03\x03\x07", 20, &packet),
		linux_syn);
}

static void none(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(signature_of("", 0, &packet), 0);
	packet.protocol = 17;
	assert_int_equal(tcp_options_signature(&packet), 0);
	packet = (struct packet){.protocol = 6};
	assert_int_equal(tcp_options_signature(&packet), 0);
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
	struct packet packet;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		signature_of(lists[i].bytes, lists[i].count, &packet);
		assert_string_equal(packet_anomaly_names[packet.anomaly], "tcp_options");
	}
	/* what came before counts, what is behind does not */
	uint64_t broken = signature_of("\x02\x04\x05\xb4\x03\x09\x00\x00", 8, &packet);
	assert_int_equal(broken, signature_of("\x02\x04\x05\xb4\x03\x09\x01\x01", 8, &packet));
	assert_int_not_equal(broken, signature_of("\x04\x02\x01\x01\x03\x09\x00\x00", 8, &packet));
}

static void end_ends(void **state)
{
	(void)state;
	struct packet packet;
	uint64_t ended = signature_of("\x02\x04\x05\xb4\x00\x63\x63\x63", 8, &packet);
	assert_int_equal(packet.anomaly, ANOMALY_NONE);
	assert_int_equal(ended, signature_of("\x02\x04\x05\xb4\x00\x00\x00\x00", 8, &packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_in_their_order_are_the_signature),
		cmocka_unit_test(none),
		cmocka_unit_test(malformed),
		cmocka_unit_test(end_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
