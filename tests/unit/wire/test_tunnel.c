/* Mirrored traffic is unwrapped only where asked for; a scan for a tunnel's port stays what it is. */
#include "../check.h"

#include "craft.h"

static void check_inner(const struct craft *p)
{
	struct packet packet = craft_parse_inner(p, 1);
	assert_string_equal(packet_anomaly_names[packet.anomaly], "none");
	assert_int_equal(packet.protocol, 6);
	assert_int_equal(packet.dport, 23);
	assert_true(packet.flags & PACKET_TUNNELLED);
	struct packet outer = craft_parse(p, 1);
	assert_false(outer.flags & PACKET_TUNNELLED);
	assert_int_not_equal(outer.protocol, 6);
	assert_true(outer.ip < packet.ip);
}

static void around(struct craft *p, unsigned protocol)
{
	craft_ipv4(p, protocol);
	craft_ether(p, 0x0800);
}

static void gre(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	craft_front(&p, "\0\0\x08\0", 4);
	around(&p, 47);
	check_inner(&p);
	craft_syn6(&p);
	craft_front(&p,
		    "\xb0\0\x86\xdd"
		    "cksmkey4seq4",
		    16); /* check sum, key, sequence */
	around(&p, 47);
	check_inner(&p);
	craft_syn4(&p);
	craft_ether(&p, 0x0800);
	craft_front(&p, "\0\0\x65\x58", 4); /* Ethernet */
	around(&p, 47);
	check_inner(&p);
	craft_syn4(&p);
	craft_ether(&p, 0x0800);
	craft_front(&p,
		    "\x10\0\x88\xbe"
		    "\0\0\0\1"
		    "erspanII",
		    16);
	around(&p, 47);
	check_inner(&p);
	craft_syn4(&p);
	craft_ether(&p, 0x0800);
	craft_front(&p,
		    "\x10\0\x22\xeb"
		    "\0\0\0\1"
		    "erspanIII-\0\0",
		    20);
	around(&p, 47);
	check_inner(&p);
	craft_syn4(&p);
	craft_front(&p,
		    "\x30\x81\x88\x0b"
		    "\0\x20\0\x07"
		    "seq4ack4"
		    "\xff\x03\0\x21",
		    20); /* PPTP */
	around(&p, 47);
	check_inner(&p);
	craft_syn4(&p);
	craft_front(&p, "\0\0\x08\0", 4);
	craft_ipv6(&p, 47);
	craft_ether(&p, 0x86dd);
	check_inner(&p);
}

static void ip_in_ip(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	around(&p, 4);
	check_inner(&p);
	craft_syn6(&p);
	around(&p, 41);
	check_inner(&p);
	craft_syn4(&p);
	craft_ipv6(&p, 4);
	craft_ether(&p, 0x86dd);
	check_inner(&p);
}

static void vxlan_and_gtp(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	craft_ether(&p, 0x0800);
	craft_front(&p, "\x08\0\0\0\0\0\x2a\0", 8);
	craft_udp(&p, 5000, 4789);
	around(&p, 17);
	check_inner(&p);
	craft_syn4(&p);
	craft_front(&p, "\x30\xff\0\x28\0\0\0\1", 8);
	craft_udp(&p, 2152, 2152);
	around(&p, 17);
	check_inner(&p);
	craft_syn6(&p);
	craft_front(&p,
		    "\x34\xff\0\x28\0\0\0\1"
		    "\0\0\0\x85"
		    "\1\0\0\0",
		    16); /* with an extension header */
	craft_udp(&p, 2152, 2152);
	around(&p, 17);
	check_inner(&p);
}

static void a_scan_stays_a_scan(void **state)
{
	(void)state;
	static const struct {
		unsigned port, bytes;
		const char *payload;
	} scans[] = {
		{4789, 8, "\x08\0\0\0\0\0\x2a\0"},
		{4789, 30, "\x08\0\0\0\0\0\x2a\0junkjunkjunkjunkjunkju"},
		{4789, 42,
		 "\x08\0\0\0\0\0\x2a\0"
		 "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
		 "\x45\0\xff\xff"
		 "0123456789abcdef"},
		{2152, 8, "\x30\x01\0\x04\0\0\0\0"}, /* echo request */
		{2152, 12, "\x30\xff\0\x04\0\0\0\0xyzw"},
		{2152, 16,
		 "\x34\xff\0\x04\0\0\0\0"
		 "\0\0\0\x85"
		 "\0\0\0\0"}, /* extension of length 0 */
		{2152, 0, ""},
	};
	for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
		struct craft p;
		craft_start(&p, scans[i].payload, scans[i].bytes);
		craft_udp(&p, 40000, scans[i].port);
		around(&p, 17);
		struct packet a = craft_parse(&p, 1), b = craft_parse_inner(&p, 1);
		assert_int_equal(b.dport, scans[i].port);
		assert_int_equal(b.protocol, 17);
		assert_string_equal(packet_anomaly_names[b.anomaly], "none");
		assert_memory_equal(&a, &b, sizeof a);
	}
}

static void depth_is_bounded(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	for (int i = 0; i < PACKET_TUNNELS_MAX; i++)
		craft_ipv4(&p, 4);
	craft_ether(&p, 0x0800);
	check_inner(&p);
	craft_syn4(&p);
	for (int i = 0; i < PACKET_TUNNELS_MAX + 1; i++)
		craft_ipv4(&p, 4);
	craft_ether(&p, 0x0800);
	struct packet packet = craft_parse_inner(&p, 1);
	assert_string_equal(packet_anomaly_names[packet.anomaly], "tunnel_depth");
	assert_int_equal(packet.version, 4);
	craft_syn4(&p);
	for (int i = 0; i < 150; i++)
		craft_ipv4(&p, 4);
	craft_ether(&p, 0x0800);
	packet = craft_parse_inner(&p, 1);
	assert_string_equal(packet_anomaly_names[packet.anomaly], "tunnel_depth");
}

static void fragments_are_not_entered(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	uint8_t *ip = craft_ipv4(&p, 4);
	set16(ip + 6, 0x2000);
	craft_ether(&p, 0x0800);
	struct packet packet = craft_parse_inner(&p, 1);
	assert_int_equal(packet.protocol, 4);
	assert_int_equal(packet.flags, PACKET_FRAGMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gre),
		cmocka_unit_test(ip_in_ip),
		cmocka_unit_test(vxlan_and_gtp),
		cmocka_unit_test(a_scan_stays_a_scan),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(fragments_are_not_entered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
