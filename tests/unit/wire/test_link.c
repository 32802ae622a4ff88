/* Every link layer leads to the same packet; what carries no IP says so. */
#include "../check.h"

#include "craft.h"

#include <stdio.h>

static void check_syn(const struct packet *packet)
{
	assert_int_equal(packet->anomaly, ANOMALY_NONE);
	assert_true(packet->version == 4 || packet->version == 6);
	assert_int_equal(packet->protocol, 6);
	assert_int_equal(packet->sport, 40000);
	assert_int_equal(packet->dport, 23);
	assert_int_equal(packet->tcp_flags, 2);
	assert_false(packet->flags & PACKET_TUNNELLED);
}

static void ahead(struct craft *p, const char *hex, unsigned version, uint16_t link_type)
{
	uint8_t bytes[64];
	size_t count = 0;
	for (; *hex; hex += 2)
		sscanf(hex, "%2hhx", &bytes[count++]);
	if (version == 4)
		craft_syn4(p);
	else
		craft_syn6(p);
	craft_front(p, bytes, count);
	struct packet packet = craft_parse(p, link_type);
	check_syn(&packet);
	assert_int_equal(packet.version, version);
	assert_true(packet_link_known(link_type));
	/* cut anywhere in front of the IP header: named, nothing read past the end */
	for (uint32_t cut = 0; cut < count; cut++) {
		uint8_t exact[64];
		memcpy(exact, p->at, cut);
		struct frame frame = {1, exact, cut, craft_bytes(p), link_type, 0};
		packet_parse(&frame, 1, &packet);
		assert_int_equal(packet.version, 0);
		assert_int_not_equal(packet.anomaly, ANOMALY_NONE);
	}
}

#define MACS "020000000001020000000002"

static void every_link_type(void **state)
{
	(void)state;
	struct craft p;
	ahead(&p, MACS "0800", 4, 1);
	ahead(&p, MACS "86dd", 6, 1);
	ahead(&p,
	      MACS "81000005"
		   "0800",
	      4, 1); /* VLAN */
	ahead(&p,
	      MACS "88a80005"
		   "81000006"
		   "86dd",
	      6, 1); /* QinQ */
	ahead(&p,
	      MACS "88a80005"
		   "81000006"
		   "81000007"
		   "0800",
	      4, 1); /* nested */
	ahead(&p,
	      MACS "91000005"
		   "0800",
	      4, 1);
	ahead(&p,
	      MACS "8847"
		   "00010040"
		   "00020140",
	      4, 1); /* MPLS, two labels */
	ahead(&p,
	      MACS "8848"
		   "00020140",
	      6, 1);
	ahead(&p,
	      MACS "8847"
		   "00020140"
		   "00000000" MACS "0800",
	      4, 1); /* pseudowire with control word */
	ahead(&p,
	      MACS "81000005"
		   "8847"
		   "00020140",
	      4, 1);
	ahead(&p,
	      MACS "8864"
		   "11000001002a"
		   "0021",
	      4, 1); /* PPPoE */
	ahead(&p,
	      MACS "8864"
		   "11000001003e"
		   "0057",
	      6, 1);
	ahead(&p,
	      MACS "81000005"
		   "8864"
		   "11000001002a"
		   "0021",
	      4, 1);
	ahead(&p,
	      MACS "0030"
		   "aaaa030000000800",
	      4, 1);                 /* 802.2 SNAP */
	ahead(&p, "02000000", 4, 0); /* BSD null, little-endian writer */
	ahead(&p, "00000002", 4, 0);
	ahead(&p, "1e000000", 6, 0);
	ahead(&p, "00000018", 6, 108); /* loop */
	ahead(&p, "", 4, 101);
	ahead(&p, "", 6, 101);
	ahead(&p, "", 4, 12);
	ahead(&p, "", 6, 14);
	ahead(&p, "", 4, 228);
	ahead(&p, "", 6, 229);
	ahead(&p, "00000001000602000000000100000800", 4, 113); /* Linux cooked v1 */
	ahead(&p, "000000010006020000000001000086dd", 6, 113);
	ahead(&p, "0000000100060200000000010000810000050800", 4, 113);
	ahead(&p, "0800000000000002000100060200000000010000", 4, 276); /* Linux cooked v2 */
	ahead(&p, "86dd000000000002000100060200000000010000", 6, 276);
	ahead(&p, "ff030021", 4, 9); /* PPP */
	ahead(&p, "0057", 6, 9);
	ahead(&p, "21", 4, 9);
	ahead(&p, "ff030021", 4, 50);
	ahead(&p, "0f000800", 4, 50);
	ahead(&p, "11000001002a0021", 4, 51);
	ahead(&p, "0f0086dd", 6, 104);
	ahead(&p, "000000000000001002040040000000280000" MACS "0800", 4, 197); /* ERF Ethernet */
	ahead(&p,
	      "000000000000001082040050000000288300000000000000"
	      "0300000000000000"
	      "0000" MACS "0800",
	      4, 197);
	ahead(&p, "00000000000000101604004000000028", 4, 197); /* ERF IPv4 */
	ahead(&p,
	      "00000000000000100104004000000028"
	      "ff030021",
	      4, 197); /* ERF HDLC */
}

static void anomaly_is(uint16_t link_type, const char *hex, enum packet_anomaly anomaly)
{
	struct craft p;
	craft_start(&p, NULL, 60);
	uint8_t *at = craft_front(&p, NULL, strlen(hex) / 2);
	for (size_t i = 0; hex[2 * i]; i++)
		sscanf(hex + 2 * i, "%2hhx", &at[i]);
	struct packet packet = craft_parse(&p, link_type);
	assert_string_equal(packet_anomaly_names[packet.anomaly], packet_anomaly_names[anomaly]);
	assert_int_equal(packet.version, 0);
	assert_null(packet.ip);
	assert_null(packet.l4);
}

static void what_is_not_ip(void **state)
{
	(void)state;
	anomaly_is(1, MACS "0806", ANOMALY_NOT_IP);
	anomaly_is(1, MACS "88cc", ANOMALY_NOT_IP);
	anomaly_is(1, MACS "8863", ANOMALY_NOT_IP);
	anomaly_is(1,
		   MACS "0026"
			"424203",
		   ANOMALY_NOT_IP); /* spanning tree */
	anomaly_is(1,
		   MACS "8864"
			"11000001002a"
			"c021",
		   ANOMALY_NOT_IP); /* LCP */
	anomaly_is(9, "ff03c021", ANOMALY_NOT_IP);
	anomaly_is(0, "07000000", ANOMALY_NOT_IP);
	anomaly_is(113, "00000001000602000000000100000806", ANOMALY_NOT_IP);
	anomaly_is(1, MACS "1234", ANOMALY_LINK_UNKNOWN);
	anomaly_is(1,
		   MACS "8847"
			"00020140"
			"90",
		   ANOMALY_LINK_UNKNOWN);
	anomaly_is(105, "0800", ANOMALY_LINK_UNKNOWN);
	anomaly_is(197, "00000000000000100304004000000028", ANOMALY_LINK_UNKNOWN); /* ERF ATM */
	assert_false(packet_link_known(105));
}

static void a_tower_of_tags_ends(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	craft_front(&p, "\x08\x00", 2);
	for (int i = 0; i < 40; i++)
		craft_front(&p, "\x81\x00\x00\x05", 4);
	craft_front(&p, NULL, 12);
	assert_int_equal(craft_parse(&p, 1).anomaly, ANOMALY_LINK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_type),
		cmocka_unit_test(what_is_not_ip),
		cmocka_unit_test(a_tower_of_tags_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
