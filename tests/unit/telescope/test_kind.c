/* Every rule of kind.c on a packet of its own, and on the packets that almost fit it. */
#include "build.h"

#include <ctype.h>

static char met[128][48]; /* names of rules that some packet here met */
static size_t met_count;

static void expect_at(const struct made *made, const char *rule, enum packet_kind kind, const char *file, int line)
{
	struct packet packet = made_parse(made);
	enum packet_kind found;
	const char *name = packet_kind_rule(&packet, &found);
	if (strcmp(name, rule) != 0 || found != kind)
		fail_msg("%s:%d: %s (%s), %s (%s) was expected", file, line, name, packet_kind_names[found], rule,
			 packet_kind_names[kind]);
	assert_int_equal(packet_kind_of(&packet), kind);
	for (size_t i = 0; i < met_count; i++)
		if (strcmp(met[i], name) == 0)
			return;
	assert_true(met_count < sizeof met / sizeof *met);
	snprintf(met[met_count++], sizeof *met, "%s", name);
}
#define EXPECT(packet, rule, kind)                                                                                     \
	do {                                                                                                           \
		struct made made_ = packet;                                                                            \
		expect_at(&made_, rule, PACKET_##kind, __FILE__, __LINE__);                                            \
	} while (0)

/* --- TCP -----------------------------------------------------------------------------------------------------------
 */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

static void a_syn_is_a_scan_whatever_stands_beside_it(void **state)
{
	(void)state;
	EXPECT(TCP(.flags = SYN), "tcp.syn", SCAN);
	EXPECT(TCP(.flags = SYN | ECE | CWR), "tcp.syn", SCAN); /* RFC 3168 section 6.1.1 */
	EXPECT(TCP(.flags = SYN | FIN), "tcp.syn", SCAN);
	EXPECT(TCP(.flags = SYN, .six = true), "tcp.syn", SCAN);
	EXPECT(TCP(.flags = SYN, DATA("GET / HTTP/1.1\r\n\r\n")), "tcp.syn", SCAN);
}

static void a_syn_ack_or_a_reset_is_backscatter(void **state)
{
	(void)state;
	EXPECT(TCP(.sport = 443, .flags = SYN | ACK, .ack = 1), "tcp.syn-ack", BACKSCATTER);
	EXPECT(TCP(.sport = 443, .flags = SYN | ACK | ECE, .ack = 1), "tcp.syn-ack", BACKSCATTER);
	EXPECT(TCP(.sport = 443, .flags = SYN | ACK, .six = true), "tcp.syn-ack", BACKSCATTER);
	EXPECT(TCP(.sport = 80, .flags = RST), "tcp.rst", BACKSCATTER);
	EXPECT(TCP(.sport = 80, .flags = RST | ACK), "tcp.rst", BACKSCATTER);
}

static void flags_that_no_connection_has_are_a_scan(void **state)
{
	(void)state;
	EXPECT(TCP(.flags = 0), "tcp.null", SCAN);
	EXPECT(TCP(.flags = FIN), "tcp.no-ack", SCAN);
	EXPECT(TCP(.flags = FIN | PSH | URG), "tcp.no-ack", SCAN);
	EXPECT(TCP(.flags = PSH), "tcp.no-ack", SCAN);
}

static void a_bare_ack_is_a_scan_and_one_with_more_a_mistake(void **state)
{
	(void)state;
	EXPECT(TCP(.flags = ACK), "tcp.ack", SCAN);
	EXPECT(TCP(.flags = ACK, .six = true), "tcp.ack", SCAN);
	EXPECT(TCP(.flags = ACK, OPTIONS("\1\1\1\0")), "tcp.ack", SCAN);
	EXPECT(TCP(.flags = ACK, DATA("x")), "tcp.connection", MISCONFIGURATION);
	EXPECT(TCP(.flags = ACK | PSH, DATA("hello")), "tcp.connection", MISCONFIGURATION);
	EXPECT(TCP(.flags = ACK | FIN), "tcp.connection", MISCONFIGURATION);
	EXPECT(TCP(.flags = ACK, .six = true, DATA("x")), "tcp.connection", MISCONFIGURATION);
}

/* --- ICMP ----------------------------------------------------------------------------------------------------------
 */

static void icmp_answers_are_backscatter_and_requests_a_scan(void **state)
{
	(void)state;
	static const uint8_t answers[] = {0, 3, 4, 5, 11, 12, 14, 16, 18}, requests[] = {8, 13, 15, 17};
	bool told[256] = {false};
	for (size_t i = 0; i < sizeof answers; i++) {
		EXPECT(ICMP(.type = answers[i]), "icmp.answer", BACKSCATTER);
		told[answers[i]] = true;
	}
	for (size_t i = 0; i < sizeof requests; i++) {
		EXPECT(ICMP(.type = requests[i]), "icmp.request", SCAN);
		told[requests[i]] = true;
	}
	for (unsigned type = 0; type < 256; type++)
		if (!told[type])
			EXPECT(ICMP(.type = (uint8_t)type), "icmp.other", OTHER);
}

static void icmpv6_answers_are_backscatter_and_echo_requests_a_scan(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		bool answer = (type >= 1 && type <= 4) || type == 129;
		if (answer)
			EXPECT(ICMPV6(.type = (uint8_t)type), "icmpv6.answer", BACKSCATTER);
		else if (type == 128)
			EXPECT(ICMPV6(.type = (uint8_t)type), "icmpv6.request", SCAN);
		else
			EXPECT(ICMPV6(.type = (uint8_t)type), "icmpv6.other", OTHER);
	}
}

static void icmp_of_the_other_ip_version_is_other(void **state)
{
	(void)state;
	EXPECT(ICMP(.protocol = 58, .type = 128), "ip.other", OTHER);
	EXPECT(ICMPV6(.protocol = 1, .type = 8), "ip.other", OTHER);
}

/* --- UDP: answers ----------------------------------------------------------------------------------------------------
 */

#define DNS_ANSWER "\1\2\x81\x80\0\1\0\1\0\0\0\0\3isc\3org\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\2\0\4\1\2\3\4"
#define DNS_QUESTION "\1\2\1\0\0\1\0\0\0\0\0\0\3isc\3org\0\0\1\0\1"
#define SNMP_ANSWER "\x30\x1c\2\1\1\4\6public\xa2\x0f\2\1\1\2\1\0\2\1\0\x30\4\x30\2\6\0"
#define SNMP_GET "\x30\x1c\2\1\1\4\6public\xa0\x0f\2\1\1\2\1\0\2\1\0\x30\4\x30\2\6\0"
#define SNMP_BULK "\x30\x1c\2\1\1\4\6public\xa5\x0f\2\1\1\2\1\0\2\1\x7f\x30\4\x30\2\6\0"
#define CLDAP_SEARCH "\x30\x25\2\1\1\x63\x20\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0\x87\x0bobjectclass\x30\0"
#define CLDAP_RESULT "\x30\x0c\2\1\1\x65\7\x0a\1\0\4\0\4\0"
#define CLDAP_ENTRY "\x30\x84\0\0\0\x10\2\1\1\x64\x84\0\0\0\7\4\0\x30\x84\0\0\0\0"
#define ISAKMP_FIRST "\1\2\3\4\5\6\7\x08\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c"
#define ISAKMP_ANSWER "\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\1\x21\x20\x22\x20\0\0\0\0\0\0\0\x1c"

static void udp_answers_told_by_their_form_are_backscatter(void **state)
{
	(void)state;
	EXPECT(UDP(.sport = 53, .dport = 40000, DATA(DNS_ANSWER)), "udp.answer.dns", BACKSCATTER);
	EXPECT(UDP(.sport = 53, .dport = 53, DATA(DNS_ANSWER)), "udp.answer.dns", BACKSCATTER);
	EXPECT(UDP(.sport = 53, .dport = 40000, .six = true, DATA(DNS_ANSWER)), "udp.answer.dns", BACKSCATTER);
	EXPECT(UDP(.sport = 123, .dport = 123, DATA("\x24\1\0\0")), "udp.answer.ntp", BACKSCATTER);
	EXPECT(UDP(.sport = 123, .dport = 80, DATA("\xd7\0\3\x2a\0\6\0\x48")), "udp.answer.ntp", BACKSCATTER);
	EXPECT(UDP(.sport = 123, .dport = 80, DATA("\x16\x82\0\1\0\0\0\0")), "udp.answer.ntp", BACKSCATTER);
	EXPECT(UDP(.sport = 161, .dport = 40000, DATA(SNMP_ANSWER)), "udp.answer.snmp", BACKSCATTER);
	EXPECT(UDP(.sport = 137, .dport = 40000, DATA("\1\2\x84\0\0\0\0\1\0\0\0\0")), "udp.answer.netbios",
	       BACKSCATTER);
	EXPECT(UDP(.sport = 389, .dport = 40000, DATA(CLDAP_RESULT)), "udp.answer.cldap", BACKSCATTER);
	EXPECT(UDP(.sport = 389, .dport = 40000, DATA(CLDAP_ENTRY)), "udp.answer.cldap", BACKSCATTER);
	EXPECT(UDP(.sport = 500, .dport = 500, DATA(ISAKMP_ANSWER)), "udp.answer.isakmp", BACKSCATTER);
	EXPECT(UDP(.sport = 4500, .dport = 4500, DATA("\0\0\0\0" ISAKMP_ANSWER)), "udp.answer.isakmp", BACKSCATTER);
	EXPECT(UDP(.sport = 1900, .dport = 80, DATA("HTTP/1.1 200 OK\r\n")), "udp.answer.ssdp", BACKSCATTER);
	EXPECT(UDP(.sport = 5353, .dport = 40000, DATA("\0\0\x84\0\0\0\0\1\0\0\0\0")), "udp.answer.mdns", BACKSCATTER);
	EXPECT(UDP(.sport = 11211, .dport = 80, DATA("\0\0\0\0\0\1\0\0STAT pid 1\r\n")), "udp.answer.memcached",
	       BACKSCATTER);
	EXPECT(UDP(.sport = 11211, .dport = 80, DATA("\0\0\0\0\0\1\0\0END\r\n")), "udp.answer.memcached", BACKSCATTER);
	EXPECT(UDP(.sport = 47808, .dport = 40000, DATA("\x81\x0a\0\x0b\1\0\x30\1\x0c\x0c\2")), "udp.answer.bacnet",
	       BACKSCATTER);
}

static void udp_answers_told_by_their_ports_are_backscatter(void **state)
{
	(void)state;
	static const struct {
		uint16_t port;
		const char *rule;
	} services[] = {
		{17, "udp.answer.qotd"},     {19, "udp.answer.chargen"},     {69, "udp.answer.tftp"},
		{111, "udp.answer.portmap"}, {520, "udp.answer.rip"},        {1194, "udp.answer.openvpn"},
		{1434, "udp.answer.mssql"},  {3283, "udp.answer.ard"},       {3702, "udp.answer.wsd"},
		{5683, "udp.answer.coap"},   {10001, "udp.answer.ubiquiti"}, {27015, "udp.answer.source-engine"},
		{27960, "udp.answer.quake"}, {37810, "udp.answer.dvr"},
	};
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		uint16_t port = services[i].port;
		EXPECT(UDP(.sport = port, .dport = 40000, DATA("anything")), services[i].rule, BACKSCATTER);
		EXPECT(UDP(.sport = port, .dport = 40000), services[i].rule, BACKSCATTER);
		/* to a port where servers listen it may as well be a question from a low port */
		EXPECT(UDP(.sport = port, .dport = 1000, DATA("anything")), "udp.probe", SCAN);
	}
}

static void questions_from_a_services_own_port_are_no_answers(void **state)
{
	(void)state;
	EXPECT(UDP(.sport = 53, .dport = 53, DATA(DNS_QUESTION)), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 53, .dport = 40000, DATA("short")), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 161, .dport = 161, DATA(SNMP_GET)), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 500, .dport = 500, DATA(ISAKMP_FIRST)), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 4500, .dport = 4500, DATA("\0\0\0\1" ISAKMP_ANSWER)), "udp.probe", SCAN); /* ESP */
	EXPECT(UDP(.sport = 1900, .dport = 1900, DATA("M-SEARCH * HTTP/1.1\r\n")), "udp.reflection.ssdp", REFLECTION);
	EXPECT(UDP(.sport = 389, .dport = 389, DATA(CLDAP_SEARCH)), "udp.reflection.cldap", REFLECTION);
	EXPECT(UDP(.sport = 47808, .dport = 47808, DATA("\x81\x0a\0\x08\1\4\0\5")), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 27015, .dport = 27015, DATA("\xff\xff\xff\xffTSource Engine Query")),
	       "udp.reflection.source-engine", REFLECTION);
}

/* --- UDP: reflection ---------------------------------------------------------------------------------------------- */

#define DNS_ANY "\1\2\1\0\0\1\0\0\0\0\0\1\3isc\3org\0\0\xff\0\1\0\0\x29\x10\0\0\0\0\0\0\0"
#define DNS_TXT_EDNS "\1\2\1\0\0\1\0\0\0\0\0\1\3isc\3org\0\0\x10\0\1\0\0\x29\x10\0\0\0\0\0\0\0"
#define DNS_TXT "\1\2\1\0\0\1\0\0\0\0\0\0\3isc\3org\0\0\x10\0\1"
#define PORTMAP_DUMP "\0\0\0\1\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\4\0\0\0\0\0\0\0\0"
#define PORTMAP_NULL "\0\0\0\1\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0"
#define NBSTAT "\1\2\0\0\0\1\0\0\0\0\0\0 CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\1"
#define COAP_CORE "\x40\1\x7d\x70\xbb.well-known\4core"

static void questions_with_long_answers_are_reflection(void **state)
{
	(void)state;
	EXPECT(UDP(.dport = 17, DATA("x")), "udp.reflection.qotd", REFLECTION);
	EXPECT(UDP(.dport = 19, DATA("x")), "udp.reflection.chargen", REFLECTION);
	EXPECT(UDP(.dport = 53, DATA(DNS_ANY)), "udp.reflection.dns", REFLECTION);
	EXPECT(UDP(.dport = 53, DATA(DNS_TXT_EDNS)), "udp.reflection.dns", REFLECTION);
	EXPECT(UDP(.dport = 53, .six = true, DATA(DNS_ANY)), "udp.reflection.dns", REFLECTION);
	EXPECT(UDP(.dport = 69, DATA("\0\1a\0octet\0")), "udp.reflection.tftp", REFLECTION);
	EXPECT(UDP(.dport = 111, DATA(PORTMAP_DUMP)), "udp.reflection.portmap", REFLECTION);
	EXPECT(UDP(.dport = 123, DATA("\x17\0\3\x2a\0\0\0\0")), "udp.reflection.ntp", REFLECTION);
	EXPECT(UDP(.dport = 123, DATA("\x17\0\3\x14\0\0\0\0")), "udp.reflection.ntp", REFLECTION);
	EXPECT(UDP(.dport = 123, DATA("\x16\2\0\1\0\0\0\0\0\0\0\0")), "udp.reflection.ntp", REFLECTION);
	EXPECT(UDP(.dport = 137, DATA(NBSTAT)), "udp.reflection.netbios", REFLECTION);
	EXPECT(UDP(.dport = 161, DATA(SNMP_BULK)), "udp.reflection.snmp", REFLECTION);
	EXPECT(UDP(.dport = 389, DATA(CLDAP_SEARCH)), "udp.reflection.cldap", REFLECTION);
	EXPECT(UDP(.dport = 1434, DATA("\2")), "udp.reflection.mssql", REFLECTION);
	EXPECT(UDP(.dport = 1434, DATA("\3")), "udp.reflection.mssql", REFLECTION);
	EXPECT(UDP(.dport = 1900, DATA("M-SEARCH * HTTP/1.1\r\n")), "udp.reflection.ssdp", REFLECTION);
	EXPECT(UDP(.dport = 3283, DATA("\0\x14\0\1\3")), "udp.reflection.ard", REFLECTION);
	EXPECT(UDP(.dport = 3702, DATA("<:/>")), "udp.reflection.wsd", REFLECTION);
	EXPECT(UDP(.dport = 5353, DATA("\0\0\0\0\0\1\0\0\0\0\0\0")), "udp.reflection.mdns", REFLECTION);
	EXPECT(UDP(.dport = 5683, DATA(COAP_CORE)), "udp.reflection.coap", REFLECTION);
	EXPECT(UDP(.dport = 10001, DATA("\1\0\0\0")), "udp.reflection.ubiquiti", REFLECTION);
	EXPECT(UDP(.dport = 11211, DATA("\0\0\0\0\0\1\0\0stats\r\n")), "udp.reflection.memcached", REFLECTION);
	EXPECT(UDP(.dport = 11211, DATA("\0\0\0\0\0\1\0\0gets a\r\n")), "udp.reflection.memcached", REFLECTION);
	EXPECT(UDP(.dport = 27015, DATA("\xff\xff\xff\xffTSource Engine Query")), "udp.reflection.source-engine",
	       REFLECTION);
	EXPECT(UDP(.dport = 27960, DATA("\xff\xff\xff\xffgetstatus")), "udp.reflection.quake", REFLECTION);
	EXPECT(UDP(.dport = 37810, DATA("DHIP")), "udp.reflection.dvr", REFLECTION);
}

static void questions_with_short_answers_are_a_scan(void **state)
{
	(void)state;
	EXPECT(UDP(.dport = 5060, DATA("OPTIONS sip:100@198.18.0.1 SIP/2.0\r\n")), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 5060), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 53, DATA(DNS_QUESTION)), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 53, DATA(DNS_TXT)), "udp.probe", SCAN); /* without EDNS at most 512 bytes, RFC 1035 4.2.1 */
	EXPECT(UDP(.dport = 53), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 69, DATA("\0\2a\0octet\0")), "udp.probe", SCAN); /* a write request */
	EXPECT(UDP(.dport = 111, DATA(PORTMAP_NULL)), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 123, DATA("\x1b\0\0\0")), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 161, DATA(SNMP_GET)), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 1434, DATA("\4sa")), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 5683, DATA("\x40\0\x7d\x70")), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 11211, DATA("\0\0\0\0\0\1\0\0version\r\n")), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 37810), "udp.probe", SCAN);
}

/* A question cut anywhere is judged by what is there, and no byte beyond it is read (the sanitizers watch). */
static void cut_questions_are_judged_by_what_is_there(void **state)
{
	(void)state;
	static const struct {
		uint16_t port;
		const char *data;
		size_t bytes;
	} whole[] = {
		{53, DNS_ANY, sizeof DNS_ANY - 1},
		{111, PORTMAP_DUMP, sizeof PORTMAP_DUMP - 1},
		{137, NBSTAT, sizeof NBSTAT - 1},
		{161, SNMP_BULK, sizeof SNMP_BULK - 1},
		{389, CLDAP_SEARCH, sizeof CLDAP_SEARCH - 1},
		{5683, COAP_CORE, sizeof COAP_CORE - 1},
		{500, ISAKMP_ANSWER, sizeof ISAKMP_ANSWER - 1},
	};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		for (size_t bytes = 0; bytes <= whole[i].bytes; bytes++)
			for (int back = 0; back < 2; back++) {
				struct made made = UDP(.sport = back ? whole[i].port : 40000,
						       .dport = back ? 40000 : whole[i].port, .data = whole[i].data,
						       .data_bytes = bytes);
				uint8_t *tight = malloc(made.length);
				assert_non_null(tight);
				memcpy(tight, made.bytes, made.length);
				struct frame frame = {T0, tight, (uint32_t)made.length, (uint32_t)made.length, 1, 0};
				struct packet packet;
				packet_parse(&frame, 1, &packet);
				enum packet_kind kind = packet_kind_of(&packet);
				assert_true(kind == PACKET_SCAN || kind == PACKET_REFLECTION ||
					    kind == PACKET_BACKSCATTER);
				free(tight);
			}
}

/* --- UDP: mistakes ------------------------------------------------------------------------------------------------ */

static void talk_to_a_peer_that_is_not_there_is_misconfiguration(void **state)
{
	(void)state;
	EXPECT(UDP(.dport = 6881, DATA("d1:ad2:id20:abcdefghij0123456789")), "udp.misconfiguration.bittorrent",
	       MISCONFIGURATION);
	EXPECT(UDP(.dport = 6881, DATA("d1:rd2:id20:abcdefghij0123456789")), "udp.misconfiguration.bittorrent",
	       MISCONFIGURATION);
	EXPECT(UDP(.dport = 6881, DATA("d1:eli201e")), "udp.misconfiguration.bittorrent", MISCONFIGURATION);
	EXPECT(UDP(.sport = 137, .dport = 137, DATA(NBSTAT)), "udp.misconfiguration.local-names", MISCONFIGURATION);
	EXPECT(UDP(.sport = 138, .dport = 138, DATA("\x11\x0a")), "udp.misconfiguration.local-names", MISCONFIGURATION);
	EXPECT(UDP(.sport = 5353, .dport = 5353, DATA("\0\0\0\0\0\1\0\0\0\0\0\0")), "udp.misconfiguration.local-names",
	       MISCONFIGURATION);
	EXPECT(UDP(.sport = 5355, .dport = 5355, DATA("\1\2\0\0\0\1\0\0\0\0\0\0")), "udp.misconfiguration.local-names",
	       MISCONFIGURATION);
	EXPECT(UDP(.sport = 68, .dport = 67, DATA("\1\1\6\0")), "udp.misconfiguration.dhcp", MISCONFIGURATION);
	EXPECT(UDP(.sport = 67, .dport = 68, DATA("\2\1\6\0")), "udp.misconfiguration.dhcp", MISCONFIGURATION);
	EXPECT(UDP(.dport = 514, DATA("<34>Oct 11 22:14:15 host su: failed")), "udp.misconfiguration.syslog",
	       MISCONFIGURATION);
}

static void the_same_ports_with_other_bytes_are_a_scan(void **state)
{
	(void)state;
	EXPECT(UDP(.dport = 6881, DATA("hello")), "udp.probe", SCAN);
	EXPECT(UDP(.dport = 514, DATA("hello")), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 40000, .dport = 67, DATA("\1\1\6\0")), "udp.probe", SCAN);
	EXPECT(UDP(.sport = 40000, .dport = 5355, DATA("\1\2\0\0\0\1\0\0\0\0\0\0")), "udp.probe", SCAN);
}

/* --- the rest ------------------------------------------------------------------------------------------------------
 */

static void sctp_is_told_by_its_first_chunk(void **state)
{
	(void)state;
	EXPECT(REST(.protocol = 132, DATA("\x9c\x40\0\x50\0\0\0\0\0\0\0\0\1\0\0\x14")), "sctp.init", SCAN);
	EXPECT(REST(.protocol = 132, DATA("\0\x50\x9c\x40\0\0\0\0\0\0\0\0\2\0\0\x14")), "sctp.answer", BACKSCATTER);
	EXPECT(REST(.protocol = 132, DATA("\0\x50\x9c\x40\0\0\0\0\0\0\0\0\6\0\0\4")), "sctp.answer", BACKSCATTER);
	EXPECT(REST(.protocol = 132, DATA("\0\x50\x9c\x40\0\0\0\0\0\0\0\0\0\0\0\4")), "ip.other", OTHER);
}

static void an_empty_datagram_asks_for_the_protocol(void **state)
{
	(void)state;
	EXPECT(REST(.protocol = 47), "ip.protocol", SCAN);
	EXPECT(REST(.protocol = 99, .six = true), "ip.protocol", SCAN);
	EXPECT(REST(.protocol = 47, DATA("\0\0\x08\0E")), "ip.other", OTHER);
}

static void later_fragments_are_other_and_first_ones_what_they_are(void **state)
{
	(void)state;
	EXPECT(REST(.protocol = 17, .fragment = 185, DATA("whatever")), "ip.fragment", OTHER);
	EXPECT(UDP(.sport = 53, .dport = 40000, .fragment = 0x2000, DATA(DNS_ANSWER)), "udp.answer.dns", BACKSCATTER);
	EXPECT(TCP(.fragment = 0x2000), "tcp.syn", SCAN);
}

static void malformed_packets_are_other(void **state)
{
	(void)state;
	EXPECT(REST(.protocol = 6, DATA("\x9c\x40\0\x17\1\2\3\4\0\0")), "ip.malformed", OTHER); /* TCP of ten bytes */
	struct made made = TCP(.flags = SYN);
	made.bytes[14 + 20 + 12] = 0x40; /* a TCP header of 16 bytes */
	EXPECT(made, "ip.malformed", OTHER);
	made.bytes[14 + 20 + 12] = 0x60; /* one of 24 where the packet has 20 */
	EXPECT(made, "ip.malformed", OTHER);
	EXPECT(REST(.protocol = 17, DATA("\x9c\x40")), "ip.malformed", OTHER);
	EXPECT(REST(.protocol = 1, DATA("\x08")), "ip.malformed", OTHER);
}

/* Captures that keep little of each packet: the flags are there, so the kind is. */
static void a_syn_that_the_capture_cut_in_its_options_is_still_a_scan(void **state)
{
	(void)state;
	struct made made = TCP(.flags = SYN, OPTIONS("\2\4\5\xb4\4\2\x08\x0a\0\1\2\3\0\0\0\0\1\3\3\7"));
	for (uint32_t cut = 1; cut <= 20; cut++) {
		struct frame frame = made_frame(&made);
		struct packet packet;
		frame.captured_bytes -= cut;
		packet_parse(&frame, 1, &packet);
		assert_int_equal(packet.anomaly, ANOMALY_L4_TRUNCATED);
		assert_int_equal(packet_kind_of(&packet), PACKET_SCAN);
	}
}

/* --- completeness --------------------------------------------------------------------------------------------------
 */

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s cannot be read", path);
	char *text = calloc(1, 1 << 20);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static bool is_rule(const char *name)
{
	static const char *const families[] = {"tcp.", "udp.", "icmp.", "icmpv6.", "sctp.", "ip."};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (strncmp(name, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

/* The names of rules are the quoted words of kind.c: each was met above, so a rule without a packet cannot be added. */
static void every_rule_of_the_source_was_met_by_a_packet_above(void **state)
{
	(void)state;
	char *source = file_text(SOURCE_ROOT "/src/observe/telescope/kind.c");
	size_t rules = 0;
	for (char *at = source; (at = strchr(at, '"')) != NULL;) {
		char name[48], *end = ++at;
		while (islower((unsigned char)*end) || isdigit((unsigned char)*end) || *end == '.' || *end == '-')
			end++;
		snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
		if (*end != '"' || !is_rule(name))
			continue;
		size_t i = 0;
		while (i < met_count && strcmp(met[i], name) != 0)
			i++;
		if (i == met_count)
			fail_msg("no packet of this test meets the rule \"%s\"", name);
		rules++;
		at = end + 1;
	}
	assert_true(rules >= met_count);
	free(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_is_a_scan_whatever_stands_beside_it),
		cmocka_unit_test(a_syn_ack_or_a_reset_is_backscatter),
		cmocka_unit_test(flags_that_no_connection_has_are_a_scan),
		cmocka_unit_test(a_bare_ack_is_a_scan_and_one_with_more_a_mistake),
		cmocka_unit_test(icmp_answers_are_backscatter_and_requests_a_scan),
		cmocka_unit_test(icmpv6_answers_are_backscatter_and_echo_requests_a_scan),
		cmocka_unit_test(icmp_of_the_other_ip_version_is_other),
		cmocka_unit_test(udp_answers_told_by_their_form_are_backscatter),
		cmocka_unit_test(udp_answers_told_by_their_ports_are_backscatter),
		cmocka_unit_test(questions_from_a_services_own_port_are_no_answers),
		cmocka_unit_test(questions_with_long_answers_are_reflection),
		cmocka_unit_test(questions_with_short_answers_are_a_scan),
		cmocka_unit_test(cut_questions_are_judged_by_what_is_there),
		cmocka_unit_test(talk_to_a_peer_that_is_not_there_is_misconfiguration),
		cmocka_unit_test(the_same_ports_with_other_bytes_are_a_scan),
		cmocka_unit_test(sctp_is_told_by_its_first_chunk),
		cmocka_unit_test(an_empty_datagram_asks_for_the_protocol),
		cmocka_unit_test(later_fragments_are_other_and_first_ones_what_they_are),
		cmocka_unit_test(malformed_packets_are_other),
		cmocka_unit_test(a_syn_that_the_capture_cut_in_its_options_is_still_a_scan),
		cmocka_unit_test(every_rule_of_the_source_was_met_by_a_packet_above),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
