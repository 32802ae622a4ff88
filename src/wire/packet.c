/* The burst parser: IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), TCP (RFC 9293), UDP (RFC 768), UDP-Lite
 * (RFC 3828), SCTP (RFC 9260), ICMP (RFC 792, RFC 4443) with the headers it quotes.
 *
 * Nearly every packet of a darknet is Ethernet, IPv4 without options or fragments, TCP or UDP, and sound. parse_usual()
 * knows only those, with few branches, and hands on the rest to parse_any(), which knows everything and names what is
 * wrong. Both fill the same packet; a test parses all of it both ways. */
#include "wire/packet.h"

#include "core/cursor.h"
#include "wire/link.h"
#include "wire/tunnel.h"

enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_NONE = 59,
	PROTOCOL_DESTINATION = 60,
	PROTOCOL_SCTP = 132,
	PROTOCOL_MOBILITY = 135,
	PROTOCOL_UDP_LITE = 136,
	PROTOCOL_HIP = 139,
	PROTOCOL_SHIM6 = 140,
	PREFETCH_AHEAD = 8, /* frames; their bytes lie one after another in a mapped file */
};

const char *const packet_anomaly_names[PACKET_ANOMALIES + 1] = {
	[ANOMALY_NONE] = "none",
	[ANOMALY_NOT_IP] = "not_ip",
	[ANOMALY_LINK_TRUNCATED] = "link_truncated",
	[ANOMALY_LINK_UNKNOWN] = "link_unknown",
	[ANOMALY_IP_TRUNCATED] = "ip_truncated",
	[ANOMALY_IP_VERSION] = "ip_version",
	[ANOMALY_IP_HEADER_LENGTH] = "ip_header_length",
	[ANOMALY_IP_TOTAL_LENGTH] = "ip_total_length",
	[ANOMALY_IPV6_EXTENSION] = "ipv6_extension",
	[ANOMALY_L4_TRUNCATED] = "l4_truncated",
	[ANOMALY_TCP_HEADER_LENGTH] = "tcp_header_length",
	[ANOMALY_TCP_OPTIONS] = "tcp_options",
	[ANOMALY_UDP_LENGTH] = "udp_length",
	[ANOMALY_ICMP_QUOTE_TRUNCATED] = "icmp_quote_truncated",
	[ANOMALY_TUNNEL_DEPTH] = "tunnel_depth",
	[ANOMALY_FRAGMENT_OVERLAP] = "fragment_overlap",
};

static void note(struct packet *packet, enum packet_anomaly anomaly)
{
	if (packet->anomaly == ANOMALY_NONE)
		packet->anomaly = (uint8_t)anomaly;
}

static bool icmp_quotes(const struct packet *packet)
{
	unsigned type = packet->dport >> 8;
	if (packet->protocol == PROTOCOL_ICMPV6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* The transport header of what an ICMP error quotes: offset from the quoted IP header, 0 where it is not there. */
static uint32_t quoted_transport(const uint8_t *ip, uint32_t bytes, uint8_t *ret_protocol)
{
	if (ip[0] >> 4 == 4) {
		*ret_protocol = ip[9];
		bool first = (load_be16(ip + 6) & 0x1fff) == 0;
		return first ? (ip[0] & 15) * 4u : 0;
	}
	uint8_t next = ip[6];
	uint32_t at = 40;
	bool first = true;
	for (unsigned i = 0; i < PACKET_EXTENSIONS_MAX; i++) {
		bool plain = next == PROTOCOL_HOP_BY_HOP || next == PROTOCOL_ROUTING || next == PROTOCOL_DESTINATION;
		if ((!plain && next != PROTOCOL_FRAGMENT) || at + 8 > bytes)
			break;
		if (next == PROTOCOL_FRAGMENT)
			first = (load_be16(ip + at + 2) & 0xfff8) == 0;
		next = ip[at];
		at += plain ? (ip[at + 1] + 1u) * 8 : 8;
		if (!first)
			break;
	}
	*ret_protocol = next;
	return first ? at : 0;
}

static void parse_quote(struct packet *packet)
{
	const uint8_t *ip = packet->l4 + 8;
	uint32_t bytes = packet->l4_bytes - 8u;
	unsigned version = packet->protocol == PROTOCOL_ICMPV6 ? 6 : 4;
	if (bytes < (version == 4 ? 20 : 40) || ip[0] >> 4 != version || (version == 4 && (ip[0] & 15) < 5)) {
		note(packet, ANOMALY_ICMP_QUOTE_TRUNCATED);
		return;
	}
	packet->quote_offset = 8;
	packet->flags |= PACKET_QUOTES;
	quoted_transport(ip, bytes, &packet->quote_protocol);
}

static void parse_icmp(struct packet *packet, const uint8_t *l4)
{
	packet->dport = load_be16(l4); /* type, code */
	unsigned type = l4[0];
	bool asks = packet->protocol == PROTOCOL_ICMPV6 ? type == 128 || type == 129
							: type == 0 || type == 8 || (type >= 13 && type <= 18);
	if (packet->l4_bytes < 8) {
		note(packet, ANOMALY_L4_TRUNCATED);
		return;
	}
	packet->l4 = l4;
	packet->header_bytes = 8;
	if (asks)
		packet->sport = load_be16(l4 + 4);
	else if (icmp_quotes(packet))
		parse_quote(packet);
}

static void parse_tcp(struct packet *packet, const uint8_t *l4, uint32_t l4_wire)
{
	if (packet->l4_bytes >= 8)
		packet->seq = load_be32(l4 + 4);
	if (packet->l4_bytes >= 12)
		packet->ack = load_be32(l4 + 8);
	if (packet->l4_bytes >= 14)
		packet->tcp_flags = l4[13];
	if (packet->l4_bytes < 20) {
		note(packet, ANOMALY_L4_TRUNCATED);
		return;
	}
	packet->l4 = l4;
	packet->window = load_be16(l4 + 14);
	unsigned header = (l4[12] >> 4) * 4u;
	if (header < 20 || (header > l4_wire && !(packet->flags & PACKET_FRAGMENT))) {
		note(packet, ANOMALY_TCP_HEADER_LENGTH);
		header = header < 20 ? 20 : header;
	}
	if (header > packet->l4_bytes) {
		note(packet, ANOMALY_L4_TRUNCATED);
		header = packet->l4_bytes;
	}
	packet->header_bytes = (uint8_t)header;
}

static void parse_udp(struct packet *packet, const uint8_t *l4, uint32_t l4_wire)
{
	if (packet->l4_bytes < 8) {
		note(packet, ANOMALY_L4_TRUNCATED);
		return;
	}
	packet->l4 = l4;
	packet->header_bytes = 8;
	uint32_t length = load_be16(l4 + 4);
	bool whole = !(packet->flags & PACKET_FRAGMENT);
	if (packet->protocol == PROTOCOL_UDP_LITE ? (length != 0 && length < 8) || (whole && length > l4_wire)
						  : length < 8 || (whole && length > l4_wire))
		note(packet, ANOMALY_UDP_LENGTH);
}

/* `span` begins at the transport header and ends with the IP packet. */
static void parse_transport(struct packet *packet, const struct span *span)
{
	const uint8_t *l4 = span->at;
	packet->l4_bytes = (uint16_t)(span->captured < UINT16_MAX ? span->captured : UINT16_MAX);
	switch (packet->protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
	case PROTOCOL_UDP_LITE:
	case PROTOCOL_SCTP:
		if (packet->l4_bytes < 4)
			break;
		packet->sport = load_be16(l4);
		packet->dport = load_be16(l4 + 2);
		if (packet->protocol == PROTOCOL_TCP) {
			parse_tcp(packet, l4, span->wire);
			return;
		}
		if (packet->protocol != PROTOCOL_SCTP) {
			parse_udp(packet, l4, span->wire);
			return;
		}
		if (packet->l4_bytes < 12)
			break;
		packet->l4 = l4;
		packet->header_bytes = 12;
		return;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		if (packet->l4_bytes < 2)
			break;
		parse_icmp(packet, l4);
		return;
	case PROTOCOL_NONE:
		if (packet->version == 6)
			return;
		/* fall through */
	default:
		if (packet->l4_bytes > 0)
			packet->l4 = l4;
		return;
	}
	note(packet, ANOMALY_L4_TRUNCATED);
}

/* Cut the span to the length that the IP header tells. */
static void span_cut(struct span *span, uint32_t bytes)
{
	if (span->captured > bytes)
		span->captured = bytes;
	if (span->wire > bytes)
		span->wire = bytes;
}

/* True: the transport header stands at span->at. */
static bool parse_ipv4(struct packet *packet, struct span *span)
{
	if (span->captured < 20) {
		note(packet, ANOMALY_IP_TRUNCATED);
		return false;
	}
	const uint8_t *ip = span->at;
	packet->ip = ip;
	packet->version = 4;
	packet->src = load_be32(ip + 12);
	packet->dst = load_be32(ip + 16);
	packet->ip_bytes = load_be16(ip + 2);
	packet->ip_id = load_be16(ip + 4);
	packet->ttl = ip[8];
	packet->protocol = ip[9];
	unsigned fragment = load_be16(ip + 6), offset = (fragment & 0x1fff) * 8;
	if (fragment & 0x4000)
		packet->flags |= PACKET_DF;
	if (fragment & 0x3fff)
		packet->flags |= PACKET_FRAGMENT;
	unsigned header = (ip[0] & 15) * 4u;
	if (header < 20) {
		note(packet, ANOMALY_IP_HEADER_LENGTH);
		return false;
	}
	if (packet->ip_bytes < header) {
		note(packet, ANOMALY_IP_TOTAL_LENGTH);
		return false;
	}
	if (packet->ip_bytes > span->wire)
		note(packet, ANOMALY_IP_TOTAL_LENGTH);
	span_cut(span, packet->ip_bytes);
	if (offset + packet->ip_bytes > UINT16_MAX)
		note(packet, ANOMALY_FRAGMENT_OVERLAP);
	if (offset > 0) {
		packet->flags |= PACKET_LATER_FRAGMENT;
		return false;
	}
	if (!span_skip(span, header)) {
		note(packet, ANOMALY_IP_TRUNCATED);
		return false;
	}
	return true;
}

/* One IPv6 extension header at span->at. 1: taken; 0: `next` is none; -1: cut; -2: later fragment, no more headers. */
static int take_extension(struct packet *packet, struct span *span, uint8_t *next)
{
	uint32_t bytes;
	switch (*next) {
	case PROTOCOL_HOP_BY_HOP:
	case PROTOCOL_ROUTING:
	case PROTOCOL_DESTINATION:
	case PROTOCOL_MOBILITY:
	case PROTOCOL_HIP:
	case PROTOCOL_SHIM6:
	case PROTOCOL_FRAGMENT:
	case PROTOCOL_AH:
		break;
	default:
		return 0;
	}
	if (span->captured < 8)
		return -1;
	const uint8_t *header = span->at;
	bool later = false;
	if (*next == PROTOCOL_FRAGMENT) {
		bytes = 8;
		unsigned field = load_be16(header + 2), offset = field & 0xfff8;
		if (field & 0xfff9) /* offset 0 and no more: an atomic fragment (RFC 6946) is whole */
			packet->flags |= PACKET_FRAGMENT;
		if (offset + (span->wire - 8) > UINT16_MAX)
			note(packet, ANOMALY_FRAGMENT_OVERLAP);
		later = offset > 0;
	} else if (*next == PROTOCOL_AH) {
		bytes = (header[1] + 2u) * 4;
	} else {
		bytes = (header[1] + 1u) * 8;
	}
	*next = header[0];
	if (!span_skip(span, bytes))
		return -1;
	return later ? -2 : 1;
}

static bool parse_ipv6(struct packet *packet, struct span *span)
{
	if (span->captured < 40) {
		note(packet, ANOMALY_IP_TRUNCATED);
		return false;
	}
	const uint8_t *ip = span->at;
	packet->ip = ip;
	packet->version = 6;
	packet->ttl = ip[7];
	uint8_t next = ip[6];
	uint32_t bytes = 40u + load_be16(ip + 4);
	if (bytes == 40 && next == PROTOCOL_HOP_BY_HOP) /* a jumbogram (RFC 2675): as long as the wire says */
		bytes = span->wire;
	else if (bytes > span->wire)
		note(packet, ANOMALY_IP_TOTAL_LENGTH);
	packet->ip_bytes = (uint16_t)(bytes < UINT16_MAX ? bytes : UINT16_MAX);
	span_cut(span, bytes);
	span_skip(span, 40);
	int taken = 1;
	for (unsigned i = 0; taken == 1; i++) {
		taken = i < PACKET_EXTENSIONS_MAX ? take_extension(packet, span, &next) : -1;
	}
	packet->protocol = next;
	if (taken == -1)
		note(packet, ANOMALY_IPV6_EXTENSION);
	if (taken == -2)
		packet->flags |= PACKET_LATER_FRAGMENT;
	return taken == 0;
}

/* The IP packet at `span`, and, where asked for, what is in its tunnels. `version` 0: the header tells. */
static void parse_ip(struct packet *packet, struct span span, uint8_t version, unsigned tunnels)
{
	if (span.captured < 1) {
		note(packet, ANOMALY_IP_TRUNCATED);
		return;
	}
	unsigned found = span.at[0] >> 4;
	if ((version != 0 && found != version) || (found != 4 && found != 6)) {
		note(packet, ANOMALY_IP_VERSION);
		return;
	}
	if (!(found == 4 ? parse_ipv4(packet, &span) : parse_ipv6(packet, &span)))
		return;
	parse_transport(packet, &span);
	if (tunnels == 0 || packet->flags & PACKET_FRAGMENT || !packet->l4)
		return;

	uint8_t inner_version = 0;
	enum tunnel_kind kind = tunnel_enter(packet, &span, &inner_version);
	if (kind == TUNNEL_NONE)
		return;
	if (tunnels == 1) {
		note(packet, ANOMALY_TUNNEL_DEPTH);
		return;
	}
	struct packet inner = {.time_ns = packet->time_ns, .flags = PACKET_TUNNELLED, .anomaly = packet->anomaly};
	parse_ip(&inner, span, inner_version, tunnels - 1);
	bool sound = inner.version != 0 && inner.anomaly != ANOMALY_IP_TOTAL_LENGTH &&
		     inner.anomaly != ANOMALY_IP_HEADER_LENGTH && inner.anomaly != ANOMALY_IPV6_EXTENSION;
	if (sound || (kind == TUNNEL_IP && inner.version != 0))
		*packet = inner;
	else if (kind == TUNNEL_IP)
		note(packet, inner.anomaly);
}

static __attribute__((noinline)) void parse_any(const struct frame *frame, struct packet *packet, unsigned tunnels)
{
	*packet = (struct packet){.time_ns = frame->time_ns};
	struct span span = {frame->data, frame->captured_bytes,
			    frame->wire_bytes > frame->captured_bytes ? frame->wire_bytes : frame->captured_bytes};
	uint8_t version;
	enum packet_anomaly anomaly = link_find_ip(&span, frame->link_type, &version);
	if (anomaly == ANOMALY_NONE)
		parse_ip(packet, span, version, tunnels);
	else
		packet->anomaly = (uint8_t)anomaly;
}

/* Ethernet, IPv4 of 20 bytes, not a fragment, TCP or UDP whole and sound; false, and nothing decided, for all others.
 */
static inline __attribute__((always_inline)) bool parse_usual(const struct frame *frame, struct packet *packet)
{
	const uint8_t *data = frame->data;
	if (__builtin_expect(frame->link_type != 1 || frame->captured_bytes < 14 + 20 + 8, 0))
		return false;
	const uint8_t *ip = data + 14;
	uint32_t type_version, fragment_ttl_protocol;
	memcpy(&type_version, data + 12, 4);          /* 08 00 45 tos */
	memcpy(&fragment_ttl_protocol, data + 20, 4); /* fragment, ttl, protocol */
	if (__builtin_expect((type_version & 0xffffff) != 0x450008 || (fragment_ttl_protocol & 0xffbf) != 0, 0))
		return false;
	uint32_t protocol = fragment_ttl_protocol >> 24;
	uint32_t ip_bytes = load_be16(ip + 2);
	uint32_t captured = frame->captured_bytes - 14;
	uint32_t wire = frame->wire_bytes - 14; /* less than captured in a broken record: then ip_bytes decides */
	if (__builtin_expect(ip_bytes > wire || frame->wire_bytes < 14, 0))
		return false;
	uint32_t have = captured < ip_bytes ? captured : ip_bytes;
	const uint8_t *l4 = ip + 20;
	uint32_t header, seq = 0, ack = 0;
	uint16_t window = 0;
	uint8_t tcp_flags = 0;
	if (__builtin_expect(protocol == PROTOCOL_TCP, 1)) {
		if (__builtin_expect(have < 40, 0))
			return false;
		header = (l4[12] >> 4) * 4u;
		if (__builtin_expect(header < 20 || header + 20 > have, 0))
			return false;
		seq = load_be32(l4 + 4);
		ack = load_be32(l4 + 8);
		window = load_be16(l4 + 14);
		tcp_flags = l4[13];
	} else {
		header = 8;
		if (__builtin_expect(protocol != PROTOCOL_UDP || have < 28, 0))
			return false;
		uint32_t length = load_be16(l4 + 4);
		if (__builtin_expect(length < 8 || length + 20 > ip_bytes, 0))
			return false;
	}
	*packet = (struct packet){
		.time_ns = frame->time_ns,
		.ip = ip,
		.l4 = l4,
		.src = load_be32(ip + 12),
		.dst = load_be32(ip + 16),
		.seq = seq,
		.ack = ack,
		.ip_bytes = (uint16_t)ip_bytes,
		.l4_bytes = (uint16_t)(have - 20),
		.sport = load_be16(l4),
		.dport = load_be16(l4 + 2),
		.window = window,
		.ip_id = load_be16(ip + 4),
		.version = 4,
		.protocol = (uint8_t)protocol,
		.ttl = ip[8],
		.tcp_flags = tcp_flags,
		.header_bytes = (uint8_t)header,
		.flags = (uint8_t)(ip[6] >> 4 & PACKET_DF), /* bit 0x40 of the byte is DF, and so is PACKET_DF << 4 */
	};
	return true;
}

_Static_assert(PACKET_DF << 4 == 0x40, "parse_usual() shifts the DF bit into its place");

unsigned packet_parse(const struct frame *frames, unsigned count, struct packet *packets)
{
	unsigned ip = 0;
	for (unsigned i = 0; i < count; i++) {
		if (i + PREFETCH_AHEAD < count)
			__builtin_prefetch(frames[i + PREFETCH_AHEAD].data);
		if (!parse_usual(&frames[i], &packets[i]))
			parse_any(&frames[i], &packets[i], 0);
		ip += packets[i].version != 0;
	}
	return ip;
}

unsigned packet_parse_inner(const struct frame *frames, unsigned count, struct packet *packets)
{
	unsigned ip = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		if (!parse_usual(&frames[i], packet) || tunnel_may_be(packet))
			parse_any(&frames[i], packet, PACKET_TUNNELS_MAX + 1);
		ip += packet->version != 0;
	}
	return ip;
}

struct addr packet_source(const struct packet *packet)
{
	struct addr addr;
	if (packet->version == 4)
		return addr_from_v4(packet->src);
	memcpy(addr.bytes, packet->ip + 8, sizeof addr.bytes);
	return addr;
}

struct addr packet_destination(const struct packet *packet)
{
	struct addr addr;
	if (packet->version == 4)
		return addr_from_v4(packet->dst);
	memcpy(addr.bytes, packet->ip + 24, sizeof addr.bytes);
	return addr;
}

struct packet_quote packet_quoted(const struct packet *packet)
{
	const uint8_t *ip = packet->l4 + packet->quote_offset;
	uint32_t bytes = packet->l4_bytes - packet->quote_offset;
	struct packet_quote quote = {0};
	if (ip[0] >> 4 == 4) {
		quote.source = addr_from_v4(load_be32(ip + 12));
		quote.destination = addr_from_v4(load_be32(ip + 16));
	} else {
		memcpy(quote.source.bytes, ip + 8, sizeof quote.source.bytes);
		memcpy(quote.destination.bytes, ip + 24, sizeof quote.destination.bytes);
	}
	uint32_t at = quoted_transport(ip, bytes, &quote.protocol);
	bool ports = quote.protocol == PROTOCOL_TCP || quote.protocol == PROTOCOL_UDP ||
		     quote.protocol == PROTOCOL_UDP_LITE || quote.protocol == PROTOCOL_SCTP;
	if (ports && at != 0 && at + 4 <= bytes) {
		quote.sport = load_be16(ip + at);
		quote.dport = load_be16(ip + at + 2);
	}
	return quote;
}
