/* IP and transport headers: every field, every anomaly by name, fragments, extension headers, quotes. */
#include "../check.h"

#include "core/cursor.h"
#include "craft.h"

static const char *anomaly_of(const struct packet *packet)
{
	return packet_anomaly_names[packet->anomaly];
}

static void all_fields_of_a_syn(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	craft_ether(&p, 0x0800);
	struct packet packet = craft_parse(&p, 1);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_ptr_equal(packet.ip, p.at + 14);
	assert_ptr_equal(packet.l4, p.at + 34);
	assert_int_equal(packet.version, 4);
	assert_int_equal(packet.protocol, 6);
	assert_int_equal(packet.src, 0xc6336407);
	assert_int_equal(packet.dst, 0xc6120009);
	assert_int_equal(packet.sport, 40000);
	assert_int_equal(packet.dport, 23);
	assert_int_equal(packet.seq, 0x01020304);
	assert_int_equal(packet.ack, 0x0a0b0c0d);
	assert_int_equal(packet.window, 1024);
	assert_int_equal(packet.ip_id, 54321);
	assert_int_equal(packet.ip_bytes, 40);
	assert_int_equal(packet.l4_bytes, 20);
	assert_int_equal(packet.header_bytes, 20);
	assert_int_equal(packet.ttl, 64);
	assert_int_equal(packet.tcp_flags, 2);
	assert_int_equal(packet.flags, 0);
	struct addr source = packet_source(&packet);
	assert_true(addr_is_v4(&source));
	assert_int_equal(addr_to_v4(&source), 0xc6336407);
	p.at[20] = 0x40;
	assert_int_equal(craft_parse(&p, 1).flags, PACKET_DF);
}

static void all_fields_of_ipv6(void **state)
{
	(void)state;
	struct craft p;
	craft_syn6(&p);
	craft_ether(&p, 0x86dd);
	struct packet packet = craft_parse(&p, 1);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.version, 6);
	assert_int_equal(packet.src, 0);
	assert_int_equal(packet.ttl, 63);
	assert_int_equal(packet.ip_bytes, 60);
	assert_int_equal(packet.dport, 23);
	char text[ADDR_TEXT_BYTES];
	struct addr source = packet_source(&packet), destination = packet_destination(&packet);
	assert_string_equal(addr_format(&source, text), "2001:db8::1");
	assert_string_equal(addr_format(&destination, text), "2001:db8::2");
}

/* The quick way (Ethernet) and the thorough one (raw IP) give the same, byte for byte, sound or cut or bent. */
static void both_ways_agree(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (int round = 0; round < 20000; round++) {
		struct craft p;
		craft_start(&p, "payload", 7);
		bool tcp = round & 1;
		if (tcp)
			craft_tcp(&p, 1, 2);
		else
			craft_udp(&p, 1, 2);
		craft_ipv4(&p, tcp ? 6 : 17);
		craft_ether(&p, 0x0800);
		for (int bend = 0; bend < round % 4; bend++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			p.at[14 + (seed >> 33) % (craft_bytes(&p) - 14)] = (uint8_t)(seed >> 20);
		}
		struct frame frame = craft_frame(&p, 1);
		if (round % 5 == 0)
			frame.captured_bytes -= (uint32_t)(seed >> 50) % 30;
		struct frame raw = {1, frame.data + 14, frame.captured_bytes - 14, frame.wire_bytes - 14, 101, 0};
		struct packet a, b;
		packet_parse(&frame, 1, &a);
		packet_parse(&raw, 1, &b);
		if ((frame.data[14] >> 4) != 4)
			continue; /* the EtherType contradicts */
		assert_memory_equal(&a, &b, sizeof a);
	}
}

static void bad_ip(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	struct frame frame = craft_frame(&p, 101);
	struct packet packet;
	frame.captured_bytes = 19;
	packet_parse(&frame, 1, &packet);
	assert_string_equal(anomaly_of(&packet), "ip_truncated");
	assert_null(packet.ip);
	frame.captured_bytes = 0;
	packet_parse(&frame, 1, &packet);
	assert_string_equal(anomaly_of(&packet), "ip_truncated");

	p.at[0] = 0x55;
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ip_version");
	p.at[0] = 0x45;
	packet = craft_parse(&p, 229); /* IPv4 where IPv6 was said */
	assert_string_equal(anomaly_of(&packet), "ip_version");
	p.at[0] = 0x44;
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ip_header_length");
	assert_int_equal(packet.version, 4); /* addresses could be read */
	assert_null(packet.l4);

	craft_syn4(&p);
	set16(p.at + 2, 19);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ip_total_length");
	assert_null(packet.l4);
	set16(p.at + 2, 41); /* beyond the wire */
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ip_total_length");
	assert_int_equal(packet.dport, 23); /* what could be read is kept */
	frame = craft_frame(&p, 101);       /* the wire had more, only the capture is short: sound */
	frame.wire_bytes = 41;
	packet_parse(&frame, 1, &packet);
	assert_string_equal(anomaly_of(&packet), "none");
}

static void padding_is_no_payload(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, "\0\0\0\0\0\0", 6);
	uint8_t *end = p.at;
	craft_tcp(&p, 1, 2);
	uint8_t *ip = craft_ipv4(&p, 6);
	set16(ip + 2, 40);
	craft_ether(&p, 0x0800);
	struct packet packet = craft_parse(&p, 1);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_ptr_equal(packet.l4 + packet.l4_bytes, end);
}

static void ip_options(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, NULL, 0);
	craft_tcp(&p, 1, 2);
	craft_front(&p, "\x94\x04\0\0", 4); /* router alert */
	uint8_t *ip = craft_ipv4(&p, 6);
	ip[0] = 0x46;
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_ptr_equal(packet.l4, packet.ip + 24);
	assert_int_equal(packet.dport, 2);
}

static void ipv4_fragments(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, "0123456789abcdef", 16);
	craft_udp(&p, 53, 9999);
	set16(p.at + 4, 1000); /* longer than this fragment: no anomaly */
	uint8_t *ip = craft_ipv4(&p, 17);
	set16(ip + 6, 0x2000);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.flags, PACKET_FRAGMENT);
	assert_int_equal(packet.sport, 53);

	set16(ip + 6, 0x2002);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.flags, PACKET_FRAGMENT | PACKET_LATER_FRAGMENT);
	assert_null(packet.l4);
	assert_int_equal(packet.sport, 0);
	assert_int_equal(packet.protocol, 17);

	set16(ip + 6, 0x1fff);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "fragment_overlap");
}

static void short_transport(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, "\x9c\x40\x00\x17\x01\x02\x03\x04", 8);
	craft_ipv4(&p, 6);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "l4_truncated");
	assert_int_equal(packet.dport, 23); /* ports and sequence number were there */
	assert_int_equal(packet.seq, 0x01020304);
	assert_null(packet.l4);
	for (unsigned protocol = 0; protocol < 256; protocol++) { /* none reads past three bytes, or none */
		uint8_t exact[23];
		craft_start(&p, "\x01\x02\x03", 3);
		craft_ipv4(&p, protocol);
		memcpy(exact, p.at, sizeof exact);
		struct frame frame = {1, exact, sizeof exact, sizeof exact, 101, 0};
		packet_parse(&frame, 1, &packet);
		bool has_header = protocol == 1 || protocol == 6 || protocol == 17 || protocol == 58 ||
				  protocol == 132 || protocol == 136;
		assert_int_equal(packet.anomaly, has_header ? ANOMALY_L4_TRUNCATED : ANOMALY_NONE);
		assert_int_equal(packet.l4 == NULL, has_header);
	}
}

static void tcp_header_length(void **state)
{
	(void)state;
	struct craft p;
	craft_syn4(&p);
	p.at[20 + 12] = 0x40;
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "tcp_header_length");
	assert_int_equal(packet.header_bytes, 20);
	p.at[20 + 12] = 0x60;
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "tcp_header_length");
	assert_true(packet.header_bytes <= packet.l4_bytes);
	/* the capture was cut inside the options */
	craft_start(&p, "\x02\x04\x05\xb4", 4);
	craft_tcp(&p, 1, 2)[12] = 0x60;
	craft_ipv4(&p, 6);
	struct frame frame = craft_frame(&p, 101);
	frame.captured_bytes -= 2;
	packet_parse(&frame, 1, &packet);
	assert_string_equal(anomaly_of(&packet), "l4_truncated");
	assert_int_equal(packet.header_bytes, 22);
}

static void udp_lengths(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, "hello", 5);
	uint8_t *udp = craft_udp(&p, 40000, 53);
	craft_ipv4(&p, 17);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.l4_bytes - packet.header_bytes, 5);
	set16(udp + 4, 7);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "udp_length");
	set16(udp + 4, 14);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "udp_length");
	assert_int_equal(packet.dport, 53);
	p.at[9] = 136; /* UDP-Lite: coverage */
	set16(udp + 4, 0);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.dport, 53);
	set16(udp + 4, 5);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "udp_length");
}

static void sctp_and_others(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, "\x0f\xa0\x24\x26tag4sum4chunk", 17);
	craft_ipv4(&p, 132);
	struct packet packet = craft_parse(&p, 101);
	assert_int_equal(packet.sport, 4000);
	assert_int_equal(packet.dport, 9254);
	assert_int_equal(packet.header_bytes, 12);
	p.at[9] = 89; /* OSPF */
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.protocol, 89);
	assert_int_equal(packet.sport, 0);
	assert_non_null(packet.l4);
}

static void icmp(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, "\x08\x00\x00\x00\x12\x34\x00\x01", 8);
	craft_ipv4(&p, 1);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.dport, 8 * 256);
	assert_int_equal(packet.sport, 0x1234);
	assert_false(packet.flags & PACKET_QUOTES);
	craft_start(&p, "\x80\x00\x00\x00\x12\x34\x00\x01", 8);
	craft_ipv6(&p, 58);
	packet = craft_parse(&p, 101);
	assert_int_equal(packet.dport, 128 * 256);
	assert_int_equal(packet.sport, 0x1234);
}

static void icmp_quotes(void **state)
{
	(void)state;
	static const uint8_t errors[] = {3, 4, 5, 11, 12};
	for (size_t i = 0; i < sizeof errors; i++) {
		struct craft p;
		craft_start(&p, NULL, 0);
		craft_udp(&p, 5353, 123);
		craft_ipv4(&p, 17);
		craft_front(&p, NULL, 8)[0] = errors[i];
		craft_ipv4(&p, 1);
		struct packet packet = craft_parse(&p, 101);
		assert_string_equal(anomaly_of(&packet), "none");
		assert_true(packet.flags & PACKET_QUOTES);
		assert_int_equal(packet.quote_protocol, 17);
		assert_int_equal(packet.quote_offset, 8);
		struct packet_quote quote = packet_quoted(&packet);
		assert_int_equal(addr_to_v4(&quote.source), 0xc6336407);
		assert_int_equal(addr_to_v4(&quote.destination), 0xc6120009);
		assert_int_equal(quote.sport, 5353);
		assert_int_equal(quote.dport, 123);
	}
	struct craft p;
	craft_start(&p, "0123456789abcdefghi", 19);
	p.at[0] = 0x45;
	craft_front(&p, NULL, 8)[0] = 11;
	craft_ipv4(&p, 1);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "icmp_quote_truncated");
	assert_false(packet.flags & PACKET_QUOTES);
	assert_int_equal(packet.dport, 11 * 256);
}

static void icmp6_quotes(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, NULL, 0);
	craft_tcp(&p, 1000, 80);
	craft_front(&p, "\x06\0\0\0\0\0\0\0", 8); /* destination options in the quote */
	craft_ipv6(&p, 60);
	uint8_t *icmp = craft_front(&p, NULL, 8);
	icmp[0] = 1;
	icmp[1] = 4;
	craft_ipv6(&p, 58);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.dport, 256 + 4);
	assert_int_equal(packet.quote_protocol, 6);
	struct packet_quote quote = packet_quoted(&packet);
	char text[ADDR_TEXT_BYTES];
	assert_string_equal(addr_format(&quote.destination, text), "2001:db8::2");
	assert_int_equal(quote.sport, 1000);
	assert_int_equal(quote.dport, 80);
	/* a quote that ends before the ports: no ports, no reading on */
	craft_start(&p, NULL, 0);
	craft_ipv6(&p, 6);
	craft_front(&p, NULL, 8)[0] = 3;
	craft_ipv6(&p, 58);
	packet = craft_parse(&p, 101);
	assert_true(packet.flags & PACKET_QUOTES);
	quote = packet_quoted(&packet);
	assert_int_equal(quote.sport, 0);
}

static void ipv6_extensions(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, NULL, 0);
	craft_tcp(&p, 1, 2);
	craft_front(&p, "\x06\x01\0\0\0\0\0\0\0\0\0\0", 12);         /* authentication: (1 + 2) * 4 */
	craft_front(&p, "\x33\0\0\0\0\0\0\0", 8);                    /* destination options */
	craft_front(&p, "\x3c\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* routing, 16 bytes */
	craft_front(&p, "\x2b\0\0\0\0\0\0\0", 8);                    /* hop by hop */
	craft_ipv6(&p, 0);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.protocol, 6);
	assert_int_equal(packet.dport, 2);
	assert_int_equal(packet.l4 - packet.ip, 40 + 44);

	craft_start(&p, "\x06\x05\0\0\0\0\0\0", 8); /* says 48 bytes, 8 are there */
	craft_ipv6(&p, 60);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ipv6_extension");
	assert_null(packet.l4);

	craft_start(&p, NULL, 0);
	for (int i = 0; i < PACKET_EXTENSIONS_MAX + 1; i++)
		craft_front(&p, "\x3c\0\0\0\0\0\0\0", 8);
	craft_ipv6(&p, 60);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ipv6_extension");

	craft_start(&p, NULL, 0);
	craft_ipv6(&p, 59); /* no next header */
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_null(packet.l4);
}

static void ipv6_fragments(void **state)
{
	(void)state;
	struct craft p;
	craft_start(&p, NULL, 0);
	craft_tcp(&p, 1, 2);
	uint8_t *fragment = craft_front(&p, "\x06\0\0\x01\0\0\0\x09", 8);
	craft_ipv6(&p, 44);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "none");
	assert_int_equal(packet.flags, PACKET_FRAGMENT);
	assert_int_equal(packet.dport, 2);
	fragment[3] = 0; /* atomic: whole */
	packet = craft_parse(&p, 101);
	assert_int_equal(packet.flags, 0);
	fragment[2] = 1;
	packet = craft_parse(&p, 101);
	assert_int_equal(packet.flags, PACKET_FRAGMENT | PACKET_LATER_FRAGMENT);
	assert_null(packet.l4);
	assert_int_equal(packet.protocol, 6);
	set16(fragment + 2, 0xfff8);
	packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "fragment_overlap");
}

static void bad_ipv6(void **state)
{
	(void)state;
	struct craft p;
	craft_syn6(&p);
	set16(p.at + 4, 21);
	struct packet packet = craft_parse(&p, 101);
	assert_string_equal(anomaly_of(&packet), "ip_total_length");
	assert_int_equal(packet.dport, 2 * 0 + 23);
	struct frame frame = craft_frame(&p, 101);
	frame.captured_bytes = 39;
	packet_parse(&frame, 1, &packet);
	assert_string_equal(anomaly_of(&packet), "ip_truncated");
	assert_int_equal(packet.version, 0);
}

static void a_burst_counts_ip(void **state)
{
	(void)state;
	struct craft syn, arp;
	craft_syn4(&syn);
	craft_ether(&syn, 0x0800);
	craft_start(&arp, NULL, 0);
	craft_front(&arp, NULL, 28);
	craft_ether(&arp, 0x0806);
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	for (int i = 0; i < BURST_MAX; i++)
		frames[i] = craft_frame(i % 4 == 0 ? &arp : &syn, 1);
	assert_int_equal(packet_parse(frames, BURST_MAX, packets), BURST_MAX * 3 / 4);
	assert_int_equal(packets[4].anomaly, ANOMALY_NOT_IP);
	assert_int_equal(packets[5].dport, 23);
	assert_int_equal(packet_parse(frames, 0, packets), 0);
}

static void names_are_whole(void **state)
{
	(void)state;
	for (int i = 0; i < PACKET_ANOMALIES; i++)
		assert_non_null(packet_anomaly_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_of_a_syn),
		cmocka_unit_test(all_fields_of_ipv6),
		cmocka_unit_test(both_ways_agree),
		cmocka_unit_test(bad_ip),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(ip_options),
		cmocka_unit_test(ipv4_fragments),
		cmocka_unit_test(short_transport),
		cmocka_unit_test(tcp_header_length),
		cmocka_unit_test(udp_lengths),
		cmocka_unit_test(sctp_and_others),
		cmocka_unit_test(icmp),
		cmocka_unit_test(icmp_quotes),
		cmocka_unit_test(icmp6_quotes),
		cmocka_unit_test(ipv6_extensions),
		cmocka_unit_test(ipv6_fragments),
		cmocka_unit_test(bad_ipv6),
		cmocka_unit_test(a_burst_counts_ip),
		cmocka_unit_test(names_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
