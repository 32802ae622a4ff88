/* Each sender's packets against the condition by which it is told apart (Rules of the telescope), read by the parser
 * that the telescope uses; and every checksum computed again, the simple way. */
#include "made.h"

#include "core/cursor.h"

#define SOURCES "prefixes: [192.0.2.0/24], devices: 5, rate: 10"

static struct simulation *one_class(const char *section, const char *fields)
{
	char text[1024];
	snprintf(text, sizeof text, HEAD "%s:\n  - {name: a, %s}\n", section, fields);
	return made_open(text, (struct simulation_options){.seed = 5, .packets = 2000, .duration_ns = 100 * NS_PER_S});
}

static void check(const char *section, const char *fields,
		  void (*call)(const struct frame *, const struct packet *, void *), void *context)
{
	struct simulation *simulation = one_class(section, fields);
	assert_int_equal(made_each(simulation, call, context), 2000);
	simulation_close(simulation);
}

static uint32_t sum16(const uint8_t *bytes, size_t count, uint32_t sum)
{
	for (size_t i = 0; i < count; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sums over what carries its own checksum come to 0xffff (RFC 1071). */
static void sound(const struct frame *frame, const struct packet *packet)
{
	assert_int_equal(packet->anomaly, ANOMALY_NONE);
	assert_int_equal(frame->captured_bytes, frame->wire_bytes);
	assert_int_equal(frame->link_type, 1);
	size_t header = packet->version == 4 ? 20 : 40, bytes = packet->ip_bytes - header;
	assert_int_equal(frame->captured_bytes, 14 + packet->ip_bytes);
	if (packet->version == 4)
		assert_int_equal(fold(sum16(packet->ip, 20, 0)), 0xffff);
	uint32_t pseudo = packet->version == 4 ? sum16(packet->ip + 12, 8, 0) : sum16(packet->ip + 8, 32, 0);
	pseudo += packet->protocol + (uint32_t)bytes;
	if (packet->protocol == 6 || packet->protocol == 17 || packet->protocol == 58)
		assert_int_equal(fold(sum16(packet->ip + header, bytes, pseudo)), 0xffff);
	if (packet->protocol == 1)
		assert_int_equal(fold(sum16(packet->ip + header, bytes, 0)), 0xffff);
	struct addr destination = packet_destination(packet);
	struct prefix prefix;
	assert_int_equal(prefix_parse(packet->version == 4 ? "198.18.0.0/15" : "2001:db8:da7a::/48", &prefix, NULL), 0);
	assert_true(prefix_has(&prefix, &destination));
}

static void syn(const struct frame *frame, const struct packet *packet)
{
	sound(frame, packet);
	assert_int_equal(packet->protocol, 6);
	assert_int_equal(packet->tcp_flags, 2);
}

static void is_mirai(const struct frame *frame, const struct packet *packet, void *context)
{
	(void)context;
	syn(frame, packet);
	assert_int_equal(packet->seq, packet->dst);
	assert_int_equal(packet->header_bytes, 20);
	assert_in_range(packet->ttl, 30, 64);
}

static void is_masscan(const struct frame *frame, const struct packet *packet, void *context)
{
	syn(frame, packet);
	assert_int_equal(packet->ip_id, (packet->dst ^ packet->dport ^ packet->seq) & 0xffff);
	assert_int_equal(packet->window, context ? 1025 : 1024);
	assert_int_equal(packet->header_bytes, context ? 24 : 20);
	if (context)
		assert_memory_equal(packet->l4 + 20, "\2\4\5\xb4", 4);
}

static void is_zmap_old(const struct frame *frame, const struct packet *packet, void *context)
{
	(void)context;
	syn(frame, packet);
	assert_int_equal(packet->ip_id, 54321);
	assert_int_equal(packet->window, 65535);
}

static void is_zmap_new(const struct frame *frame, const struct packet *packet, void *context)
{
	syn(frame, packet);
	assert_int_equal(packet->window, 65535);
	assert_false(packet->flags & PACKET_DF);
	assert_in_range(packet->sport, 32768, 61000);
	if (context) {
		assert_int_equal(packet->header_bytes, 24);
		assert_memory_equal(packet->l4 + 20, "\2\4\5\xb4", 4);
	} else {
		assert_int_equal(packet->header_bytes, 32);
		assert_memory_equal(packet->l4 + 20, "\2\4\5\xb4\1\3\3\10\1\1\4\2", 12);
	}
}

/* Two packets of a source agree. */
struct pairs {
	uint32_t source[8], value[8];
	unsigned count;
};

static uint32_t before(struct pairs *pairs, uint32_t source, uint32_t value)
{
	for (unsigned i = 0; i < pairs->count; i++)
		if (pairs->source[i] == source)
			return pairs->value[i];
	assert_true(pairs->count < 8);
	pairs->source[pairs->count] = source;
	pairs->value[pairs->count++] = value;
	return value;
}

static void is_nmap(const struct frame *frame, const struct packet *packet, void *context)
{
	syn(frame, packet);
	assert_int_equal(packet->window, 1024);
	uint32_t difference = packet->seq ^ before(context, packet->src, packet->seq);
	assert_int_equal(difference >> 16, difference & 0xffff);
	assert_true((difference & 0xffff) < 256);
}

static void is_unicornscan(const struct frame *frame, const struct packet *packet, void *context)
{
	syn(frame, packet);
	uint32_t value =
		packet->seq ^ __builtin_bswap32(packet->dst) ^ (((uint32_t)packet->dport << 16) + packet->sport);
	assert_int_equal(value, before(context, packet->src, value));
}

/* Ordinary stacks meet none of the tools' conditions. */
static void is_ordinary(const struct frame *frame, const struct packet *packet, void *context)
{
	(void)context;
	syn(frame, packet);
	assert_true(packet->version == 6 || packet->flags & PACKET_DF);
	assert_true(packet->header_bytes >= 32);
	assert_true(packet->window == 64240 || packet->window == 8192);
	if (packet->version == 4)
		assert_int_not_equal(packet->seq, packet->dst);
}

static void tools_meet_their_rules(void **state)
{
	(void)state;
	struct pairs nmap = {.count = 0}, unicornscan = {.count = 0};
	check("populations", "sender: mirai, ports: [tcp/23, tcp/2323], " SOURCES, is_mirai, NULL);
	check("scanners", "sender: masscan, version: 1.3.2, ports: [tcp/1-65535], " SOURCES, is_masscan, NULL);
	check("scanners", "sender: masscan, version: 2023-11, ports: [tcp/1-65535], " SOURCES, is_masscan, (void *)1);
	check("scanners", "sender: zmap, version: 2.1.1, ports: [tcp/443], " SOURCES, is_zmap_old, NULL);
	check("scanners", "sender: zmap, version: \"4.1\", ports: [tcp/443], " SOURCES, is_zmap_new, NULL);
	check("scanners", "sender: zmap, version: 4.1-minimal, ports: [tcp/443], " SOURCES, is_zmap_new, (void *)1);
	check("scanners", "sender: nmap, ports: [tcp/1-1024], " SOURCES, is_nmap, &nmap);
	check("scanners", "sender: unicornscan, ports: [tcp/1-1024], " SOURCES, is_unicornscan, &unicornscan);
	assert_int_equal(nmap.count, 5);
	assert_int_equal(unicornscan.count, 5);
}

static void stacks_are_ordinary(void **state)
{
	(void)state;
	check("populations", "sender: linux, ports: [tcp/22], " SOURCES, is_ordinary, NULL);
	check("populations", "sender: windows, ports: [tcp/445], " SOURCES, is_ordinary, NULL);
	check("populations",
	      "sender: linux, ip: 6, prefixes: [\"2001:db8:1::/48\"], devices: 5, rate: 1, ports: [tcp/22]",
	      is_ordinary, NULL);
}

struct expected {
	uint8_t protocol;
	uint16_t sport, dport;
	const char *payload;
	size_t bytes, at;
};

static void is_udp(const struct frame *frame, const struct packet *packet, void *context)
{
	const struct expected *expected = context;
	sound(frame, packet);
	assert_int_equal(packet->protocol, 17);
	if (expected->dport)
		assert_int_equal(packet->dport, expected->dport);
	if (expected->sport)
		assert_int_equal(packet->sport, expected->sport);
	assert_true(packet->l4_bytes >= 8 + expected->at + expected->bytes);
	assert_memory_equal(packet->l4 + 8 + expected->at, expected->payload, expected->bytes);
}

#define UDP(port, text, offset)                                                                                        \
	&(struct expected)                                                                                             \
	{                                                                                                              \
		.dport = (port), .payload = (text), .bytes = sizeof(text) - 1, .at = (offset)                          \
	}
#define UDP_FROM(port, text, offset)                                                                                   \
	&(struct expected)                                                                                             \
	{                                                                                                              \
		.sport = (port), .payload = (text), .bytes = sizeof(text) - 1, .at = (offset)                          \
	}

static void udp_probes_ask(void **state)
{
	(void)state;
	check("scanners", "sender: udp, ports: [udp/53], " SOURCES, is_udp, UDP(53, "\3isc\3org\0\0\xff\0\1", 12));
	check("scanners", "sender: udp, ports: [udp/123], " SOURCES, is_udp, UDP(123, "\x17\0\3\x2a", 0));
	check("scanners", "sender: udp, ports: [udp/1900], " SOURCES, is_udp, UDP(1900, "M-SEARCH * HTTP/1.1\r\n", 0));
	check("scanners", "sender: udp, ports: [udp/11211], " SOURCES, is_udp, UDP(11211, "stats\r\n", 8));
	check("scanners", "sender: udp, ports: [udp/389], " SOURCES, is_udp, UDP(389, "objectclass", 26));
	check("hosts", "sender: udp, ports: [udp/53], payload: dns-a, " SOURCES, is_udp, UDP(53, "\7example\3org", 12));
}

struct seen {
	unsigned types[256];
	uint32_t routers;
};

static void is_quoting(const struct frame *frame, const struct packet *packet, void *context)
{
	struct seen *seen = context;
	sound(frame, packet);
	bool six = packet->version == 6;
	assert_int_equal(packet->protocol, six ? 58 : 1);
	uint8_t type = packet->l4[0];
	seen->types[type]++;
	if (type == 0 || type == 129)
		return;
	assert_true(packet->flags & PACKET_QUOTES);
	struct packet_quote quote = packet_quoted(packet);
	struct addr target = packet_destination(packet), source = packet_source(packet);
	struct prefix victims;
	assert_int_equal(prefix_parse(six ? "2001:db8:1::/48" : "192.0.2.0/24", &victims, NULL), 0);
	assert_int_equal(addr_compare(&quote.source, &target), 0); /* the forged sender is the darknet's */
	assert_true(prefix_has(&victims, &quote.destination));
	assert_int_equal(quote.protocol, 17);
	assert_int_equal(quote.dport, 53);
	const uint8_t *quoted = packet->l4 + packet->quote_offset;
	if (!six) {
		assert_int_equal(fold(sum16(quoted, 20, 0)), 0xffff);
		assert_int_equal(load_be16(quoted + 2), 20 + load_be16(quoted + 24)); /* IP and UDP agree on length */
	}
	if (addr_compare(&source, &quote.destination) != 0)
		seen->routers++;
	else
		assert_true(packet->l4[1] == (six ? 4 : 3)); /* port unreachable is the victim's own */
}

static void is_tcp_answer(const struct frame *frame, const struct packet *packet, void *context)
{
	struct seen *seen = context;
	sound(frame, packet);
	assert_int_equal(packet->protocol, 6);
	assert_int_equal(packet->sport, 443);
	assert_true(packet->dport >= 1024);
	assert_true(packet->tcp_flags == 0x12 || packet->tcp_flags == 0x14);
	seen->types[packet->tcp_flags]++;
}

#define ATTACK "rate: 10, start: 0%, duration: 100%, "

static void victims_answer(void **state)
{
	(void)state;
	struct seen tcp = {{0}}, icmp = {{0}}, six = {{0}};
	check("attacks", ATTACK "prefixes: [192.0.2.0/24], ports: [tcp/443], answers: {syn-ack: 3, rst: 1}",
	      is_tcp_answer, &tcp);
	assert_in_range(tcp.types[0x12], 1400, 1600);
	assert_int_equal(tcp.types[0x12] + tcp.types[0x14], 2000);
	check("attacks",
	      ATTACK "prefixes: [192.0.2.0/24], ports: [udp/53], answers: {port-unreachable: 1, host-unreachable: 1,\n"
		     "filtered: 1, time-exceeded: 1, echo-reply: 1}",
	      is_quoting, &icmp);
	assert_in_range(icmp.types[3], 1050, 1350);
	assert_in_range(icmp.types[11], 300, 500);
	assert_in_range(icmp.types[0], 300, 500);
	assert_in_range(icmp.routers, 1050, 1350);
	check("attacks",
	      ATTACK "ip: 6, prefixes: [\"2001:db8:1::/48\"], ports: [udp/53], answers: {port-unreachable: 1,\n"
		     "time-exceeded: 1, echo-reply: 1}",
	      is_quoting, &six);
	assert_in_range(six.types[1], 550, 800);
	assert_in_range(six.types[3], 550, 800);
	assert_in_range(six.types[129], 550, 800);
	check("attacks", ATTACK "prefixes: [192.0.2.0/24], ports: [udp/53], answers: {dns: 1}", is_udp,
	      UDP_FROM(53, "\7example\3com", 12));
	check("attacks", ATTACK "prefixes: [192.0.2.0/24], ports: [udp/123], answers: {ntp: 1}", is_udp,
	      UDP_FROM(123, "", 0));
	check("attacks", ATTACK "prefixes: [192.0.2.0/24], ports: [udp/11211], answers: {memcached: 1}", is_udp,
	      UDP_FROM(11211, "STAT", 8));
	check("attacks", ATTACK "prefixes: [192.0.2.0/24], ports: [udp/1900], answers: {ssdp: 1}", is_udp,
	      UDP_FROM(1900, "HTTP/1.1 200 OK", 0));
}

static void is_ping(const struct frame *frame, const struct packet *packet, void *context)
{
	(void)context;
	sound(frame, packet);
	assert_int_equal(packet->l4[0], packet->version == 6 ? 128 : 8);
}

static void is_spoofed(const struct frame *frame, const struct packet *packet, void *context)
{
	const char *how = context;
	assert_int_equal(frame->link_type, 1);
	uint32_t last = packet->src & 0xff;
	if (strcmp(how, "ttl") == 0)
		assert_true(packet->ttl >= 200);
	else if (strcmp(how, "edge") == 0)
		assert_true(last == 0 || last == 255);
	else if (strcmp(how, "port-zero") == 0)
		assert_true(packet->sport == 0);
	else
		assert_true(packet->protocol != 1 && packet->protocol != 6 && packet->protocol != 17);
	if (strcmp(how, "protocol") != 0)
		syn(frame, packet);
}

static void pings_and_noise(void **state)
{
	(void)state;
	check("populations", "sender: ping, " SOURCES, is_ping, NULL);
	check("populations", "sender: ping, ip: 6, prefixes: [\"2001:db8:1::/48\"], devices: 5, rate: 1", is_ping,
	      NULL);
	check("noise", "spoof: ttl, anywhere: true, devices: 90, rate: 1, ports: [tcp/80]", is_spoofed, "ttl");
	check("noise", "spoof: edge, anywhere: true, devices: 90, rate: 1, ports: [tcp/80]", is_spoofed, "edge");
	check("noise", "spoof: protocol, anywhere: true, devices: 90, rate: 1, ports: [tcp/80]", is_spoofed,
	      "protocol");
	check("noise", "spoof: port-zero, anywhere: true, devices: 90, rate: 1, ports: [tcp/80]", is_spoofed,
	      "port-zero");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tools_meet_their_rules), cmocka_unit_test(stacks_are_ordinary),
		cmocka_unit_test(udp_probes_ask),         cmocka_unit_test(victims_answer),
		cmocka_unit_test(pings_and_noise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
