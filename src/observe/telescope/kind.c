/* The rules that tell kinds of packet apart. docs/telescope-rules.md says them in prose, with sources.
 *
 * Unused addresses never asked for anything, so an answer that arrives (SYN+ACK, RST, ICMP error, DNS response) is the
 * echo of somebody's spoofed packets: backscatter (Moore, Voelker, Savage 2001). A question is a scan, unless its form
 * shows that the answer is meant for somebody else (reflection) or that the sender believes in a peer that is not there
 * (misconfiguration). What no rule names is other.
 */
#include "observe/telescope/kind.h"

#include "core/cursor.h"

#include <string.h>

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

struct verdict {
	enum packet_kind kind;
	const char *rule;
};

struct payload {
	const uint8_t *bytes;
	uint16_t length;
};

static struct payload payload_of(const struct packet *packet)
{
	if (!packet->l4 || packet->l4_bytes <= packet->header_bytes)
		return (struct payload){NULL, 0};
	return (struct payload){packet->l4 + packet->header_bytes, (uint16_t)(packet->l4_bytes - packet->header_bytes)};
}

static bool payload_starts(struct payload p, const char *text)
{
	size_t length = strlen(text);
	return p.length >= length && memcmp(p.bytes, text, length) == 0;
}

static struct verdict kind_tcp(const struct packet *packet)
{
	uint8_t flags = packet->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);
	if (flags & TCP_RST)
		return (struct verdict){PACKET_BACKSCATTER, "tcp.rst"};
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? (struct verdict){PACKET_BACKSCATTER, "tcp.syn-ack"}
				       : (struct verdict){PACKET_SCAN, "tcp.syn"};
	if (!(flags & TCP_ACK))
		return (struct verdict){PACKET_SCAN, flags == 0 ? "tcp.null" : "tcp.no-ack"};
	/* An acknowledgement of what was never sent: bare, it probes a packet filter (nmap -sA); with more it belongs
	 * to a connection that its sender believes in. */
	uint16_t header = (uint16_t)((packet->version == 4 ? (packet->ip[0] & 15) * 4 : 40) + packet->header_bytes);
	if (flags == TCP_ACK && packet->ip_bytes <= header)
		return (struct verdict){PACKET_SCAN, "tcp.ack"};
	return (struct verdict){PACKET_MISCONFIGURATION, "tcp.connection"};
}

/* DNS (RFC 1035): header of 12 bytes with QR in front of the flags. */
static bool dns_is_answer(struct payload p)
{
	return p.length >= 12 && (p.bytes[2] & 0x80) && (p.bytes[2] & 0x78) <= 0x28;
}

/* A question for a type that answers much: ANY, or DNSKEY, RRSIG, TXT with EDNS. */
static bool dns_is_amplifying(struct payload p)
{
	struct cursor c = cursor_over(p.bytes, p.length);
	cursor_skip(&c, 2);
	uint16_t flags = cursor_be16(&c), questions = cursor_be16(&c);
	cursor_skip(&c, 4);
	uint16_t additional = cursor_be16(&c);
	if (c.failed || (flags & 0x8000) || questions != 1)
		return false;
	for (unsigned labels = 0; labels < 64; labels++) {
		uint8_t length = cursor_u8(&c);
		if (length == 0 || length > 63)
			break;
		cursor_skip(&c, length);
	}
	uint16_t type = cursor_be16(&c);
	return !c.failed && (type == 255 || (additional > 0 && (type == 48 || type == 46 || type == 16)));
}

/* The application's tag of an SNMP message (RFC 1157, RFC 3416): 0xa0 get, 0xa2 response, 0xa5 get-bulk. 0 if none. */
static uint8_t snmp_pdu(struct payload p)
{
	struct cursor c = cursor_over(p.bytes, p.length);
	if (cursor_u8(&c) != 0x30)
		return 0;
	uint8_t length = cursor_u8(&c);
	if (length & 0x80)
		cursor_skip(&c, length & 0x7f);
	if (cursor_be16(&c) != 0x0201)
		return 0;
	cursor_skip(&c, 1);
	if (cursor_u8(&c) != 0x04)
		return 0;
	cursor_skip(&c, cursor_u8(&c));
	uint8_t tag = cursor_u8(&c);
	return c.failed ? 0 : tag;
}

static uint8_t ntp_mode(struct payload p)
{
	return p.length ? p.bytes[0] & 7 : 0;
}

/* Answers of services that are abused as reflectors. Where the form tells question from answer it decides; where it
 * does not (form NULL), the port does, if the other end's port is not the service's own. */
struct service {
	uint16_t port;
	const char *answer_rule;
	bool (*is_answer)(struct payload p);
};

static bool ntp_is_answer(struct payload p)
{
	/* Modes 4 (server) and, of 6 and 7, those with the response bit (RFC 9327 section 2, ntpd's mode 7). */
	return ntp_mode(p) == 4 || (ntp_mode(p) == 7 && (p.bytes[0] & 0x80)) ||
	       (ntp_mode(p) == 6 && p.length > 1 && (p.bytes[1] & 0x80));
}

static bool snmp_is_answer(struct payload p)
{
	uint8_t pdu = snmp_pdu(p);
	return pdu == 0xa2 || pdu == 0xa8;
}

static bool ssdp_is_answer(struct payload p)
{
	return payload_starts(p, "HTTP/1.1 200") || payload_starts(p, "NOTIFY");
}

static bool isakmp_is_answer(struct payload p)
{
	static const uint8_t zero[8] = {0};
	return p.length >= 28 && memcmp(p.bytes + 8, zero, 8) != 0; /* RFC 7296 section 3.1: responder's SPI is set */
}

static bool isakmp_nat_is_answer(struct payload p)
{
	/* RFC 3948 section 2.2: four zero bytes tell IKE from ESP on port 4500. */
	struct payload ike = {p.bytes + 4, (uint16_t)(p.length > 4 ? p.length - 4 : 0)};
	return p.length > 4 && load_be32(p.bytes) == 0 && isakmp_is_answer(ike);
}

static bool cldap_is_answer(struct payload p)
{
	/* RFC 4511: searchResEntry [APPLICATION 4] or searchResDone [APPLICATION 5] behind the message id. */
	for (uint16_t i = 2; i < p.length && i < 16; i++)
		if (p.bytes[i] == 0x64 || p.bytes[i] == 0x65)
			return p.bytes[0] == 0x30;
	return false;
}

static bool memcached_is_answer(struct payload p)
{
	struct payload text = {p.bytes + 8, (uint16_t)(p.length > 8 ? p.length - 8 : 0)};
	return payload_starts(text, "STAT ") || payload_starts(text, "VALUE ") || payload_starts(text, "END") ||
	       payload_starts(text, "ERROR");
}

static bool netbios_is_answer(struct payload p)
{
	return p.length >= 12 && (p.bytes[2] & 0x80); /* RFC 1002 section 4.2.1.1: R */
}

static bool bacnet_is_answer(struct payload p)
{
	/* BACnet/IP (Annex J) with an APDU of type complex-ack (3), simple-ack (2), error (5) or I-Am. */
	return p.length >= 7 && p.bytes[0] == 0x81 && (p.bytes[6] >> 4) >= 2;
}

static const struct service services[] = {
	{53, "udp.answer.dns", dns_is_answer},
	{123, "udp.answer.ntp", ntp_is_answer},
	{161, "udp.answer.snmp", snmp_is_answer},
	{137, "udp.answer.netbios", netbios_is_answer},
	{389, "udp.answer.cldap", cldap_is_answer},
	{500, "udp.answer.isakmp", isakmp_is_answer},
	{4500, "udp.answer.isakmp", isakmp_nat_is_answer},
	{1900, "udp.answer.ssdp", ssdp_is_answer},
	{5353, "udp.answer.mdns", dns_is_answer},
	{11211, "udp.answer.memcached", memcached_is_answer},
	{47808, "udp.answer.bacnet", bacnet_is_answer},
	{17, "udp.answer.qotd", NULL},
	{19, "udp.answer.chargen", NULL},
	{69, "udp.answer.tftp", NULL},
	{111, "udp.answer.portmap", NULL},
	{520, "udp.answer.rip", NULL},
	{1194, "udp.answer.openvpn", NULL},
	{1434, "udp.answer.mssql", NULL},
	{3283, "udp.answer.ard", NULL},
	{3702, "udp.answer.wsd", NULL},
	{5683, "udp.answer.coap", NULL},
	{10001, "udp.answer.ubiquiti", NULL},
	{27015, "udp.answer.source-engine", NULL},
	{27960, "udp.answer.quake", NULL},
	{37810, "udp.answer.dvr", NULL},
};

static bool cldap_is_search(struct payload p)
{
	for (uint16_t i = 2; i < p.length && i < 16; i++)
		if (p.bytes[i] == 0x63) /* searchRequest [APPLICATION 3] */
			return p.bytes[0] == 0x30;
	return false;
}

/* A question whose answer is much longer than itself, the raw material of reflection attacks (US-CERT TA14-017A). */
static const char *udp_reflection(uint16_t port, struct payload p)
{
	switch (port) {
	case 17:
		return "udp.reflection.qotd";
	case 19:
		return "udp.reflection.chargen";
	case 53:
		return dns_is_amplifying(p) ? "udp.reflection.dns" : NULL;
	case 111: /* portmap: call of DUMP (4) of program 100000 (RFC 1833) */
		return p.length >= 24 && load_be32(p.bytes + 12) == 100000 && load_be32(p.bytes + 20) == 4
			       ? "udp.reflection.portmap"
			       : NULL;
	case 123: /* mode 7 MON_GETLIST (20, 42) and mode 6 read variables */
		if (ntp_mode(p) == 7 && !(p.bytes[0] & 0x80) && p.length >= 4 && (p.bytes[3] == 42 || p.bytes[3] == 20))
			return "udp.reflection.ntp";
		return ntp_mode(p) == 6 && p.length >= 2 && !(p.bytes[1] & 0x80) ? "udp.reflection.ntp" : NULL;
	case 69: /* read request (RFC 1350) */
		return p.length >= 4 && load_be16(p.bytes) == 1 ? "udp.reflection.tftp" : NULL;
	case 137: /* node status request: question of type NBSTAT (RFC 1002 section 4.2.17) */
		return p.length >= 50 && load_be16(p.bytes + 46) == 0x21 ? "udp.reflection.netbios" : NULL;
	case 161:
		return snmp_pdu(p) == 0xa5 ? "udp.reflection.snmp" : NULL;
	case 389:
		return cldap_is_search(p) ? "udp.reflection.cldap" : NULL;
	case 1900:
		return payload_starts(p, "M-SEARCH") ? "udp.reflection.ssdp" : NULL;
	case 1434: /* SQL Server Resolution: CLNT_BCAST_EX, CLNT_UCAST_EX ([MC-SQLR] section 2.2) */
		return p.length >= 1 && (p.bytes[0] == 2 || p.bytes[0] == 3) ? "udp.reflection.mssql" : NULL;
	case 3283:
		return p.length >= 4 && p.bytes[1] == 0x14 ? "udp.reflection.ard" : NULL;
	case 3702:
		return payload_starts(p, "<") ? "udp.reflection.wsd" : NULL;
	case 5353: /* multicast DNS asked by unicast from afar */
		return p.length >= 12 && !(p.bytes[2] & 0x80) && load_be16(p.bytes + 4) ? "udp.reflection.mdns" : NULL;
	case 5683: /* GET of /.well-known/core (RFC 7252, RFC 6690): option Uri-Path (11) of 11 bytes */
		return p.length >= 16 && p.bytes[1] == 1 && memmem(p.bytes, p.length, "\xbb.well-known", 12)
			       ? "udp.reflection.coap"
			       : NULL;
	case 10001: /* Ubiquiti discovery */
		return p.length >= 4 && load_be32(p.bytes) == 0x01000000 ? "udp.reflection.ubiquiti" : NULL;
	case 11211: {
		struct payload text = {p.bytes + 8, (uint16_t)(p.length > 8 ? p.length - 8 : 0)};
		bool asks = payload_starts(text, "stats") || payload_starts(text, "get");
		return asks ? "udp.reflection.memcached" : NULL;
	}
	case 27015:
		return p.length >= 5 && memcmp(p.bytes, "\xff\xff\xff\xffT", 5) == 0 ? "udp.reflection.source-engine"
										     : NULL;
	case 27960:
		return p.length >= 13 && memcmp(p.bytes, "\xff\xff\xff\xffgetstatus", 13) == 0 ? "udp.reflection.quake"
											       : NULL;
	case 37810:
		return p.length > 0 ? "udp.reflection.dvr" : NULL;
	default:
		return NULL;
	}
}

/* Talk of programs that believe in a peer: peer-to-peer, name services of a local network, logs sent astray. */
static const char *udp_misconfiguration(const struct packet *packet, struct payload p)
{
	if (payload_starts(p, "d1:ad2:id20:") || payload_starts(p, "d1:rd2:id20:") || payload_starts(p, "d1:eli"))
		return "udp.misconfiguration.bittorrent";
	if (packet->sport == packet->dport &&
	    (packet->dport == 137 || packet->dport == 138 || packet->dport == 5353 || packet->dport == 5355))
		return "udp.misconfiguration.local-names";
	if ((packet->dport == 67 || packet->dport == 68) && (packet->sport == 67 || packet->sport == 68))
		return "udp.misconfiguration.dhcp";
	if (packet->dport == 514 && payload_starts(p, "<"))
		return "udp.misconfiguration.syslog";
	return NULL;
}

static struct verdict kind_udp(const struct packet *packet)
{
	struct payload p = payload_of(packet);
	const char *rule;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		if (packet->sport != services[i].port)
			continue;
		bool answer = services[i].is_answer && p.length
				      ? services[i].is_answer(p)
				      : packet->dport != packet->sport && packet->dport >= 1024;
		if (answer)
			return (struct verdict){PACKET_BACKSCATTER, services[i].answer_rule};
	}
	if ((rule = udp_misconfiguration(packet, p)) != NULL)
		return (struct verdict){PACKET_MISCONFIGURATION, rule};
	if ((rule = udp_reflection(packet->dport, p)) != NULL)
		return (struct verdict){PACKET_REFLECTION, rule};
	return (struct verdict){PACKET_SCAN, "udp.probe"};
}

static struct verdict kind_icmp(const struct packet *packet)
{
	uint8_t type = (uint8_t)(packet->dport >> 8);
	switch (type) {
	case 0:  /* echo reply */
	case 3:  /* destination unreachable */
	case 4:  /* source quench */
	case 5:  /* redirect */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
	case 14: /* timestamp reply */
	case 16: /* information reply */
	case 18: /* address mask reply */
		return (struct verdict){PACKET_BACKSCATTER, "icmp.answer"};
	case 8:
	case 13:
	case 15:
	case 17:
		return (struct verdict){PACKET_SCAN, "icmp.request"};
	default:
		return (struct verdict){PACKET_OTHER, "icmp.other"};
	}
}

static struct verdict kind_icmpv6(const struct packet *packet)
{
	uint8_t type = (uint8_t)(packet->dport >> 8);
	if ((type >= 1 && type <= 4) || type == 129)
		return (struct verdict){PACKET_BACKSCATTER, "icmpv6.answer"};
	if (type == 128)
		return (struct verdict){PACKET_SCAN, "icmpv6.request"};
	return (struct verdict){PACKET_OTHER, "icmpv6.other"};
}

/* Protocols without a rule of their own: SCTP by its first chunk; an empty datagram probes for the protocol (nmap -sO).
 */
static struct verdict kind_rest(const struct packet *packet)
{
	uint16_t header = packet->version == 4 ? (uint16_t)((packet->ip[0] & 15) * 4) : 40;
	if (packet->protocol == 132 && packet->l4_bytes > 12) {
		uint8_t chunk = packet->l4[12];
		if (chunk == 1)
			return (struct verdict){PACKET_SCAN, "sctp.init"};
		if (chunk == 2 || chunk == 6)
			return (struct verdict){PACKET_BACKSCATTER, "sctp.answer"};
	}
	if (packet->ip_bytes <= header && !(packet->flags & PACKET_FRAGMENT))
		return (struct verdict){PACKET_SCAN, "ip.protocol"};
	return (struct verdict){PACKET_OTHER, "ip.other"};
}

static struct verdict kind_judge(const struct packet *packet)
{
	if (packet->flags & PACKET_LATER_FRAGMENT)
		return (struct verdict){PACKET_OTHER, "ip.fragment"};
	if (!packet->l4)
		return packet->anomaly ? (struct verdict){PACKET_OTHER, "ip.malformed"} : kind_rest(packet);
	/* A capture cut behind the first 20 bytes still shows the flags: only a header that lies is malformed. */
	if (packet->anomaly == ANOMALY_TCP_HEADER_LENGTH)
		return (struct verdict){PACKET_OTHER, "ip.malformed"};
	switch (packet->protocol) {
	case 6:
		return kind_tcp(packet);
	case 17:
		return kind_udp(packet);
	case 1:
		return packet->version == 4 ? kind_icmp(packet) : (struct verdict){PACKET_OTHER, "ip.other"};
	case 58:
		return packet->version == 6 ? kind_icmpv6(packet) : (struct verdict){PACKET_OTHER, "ip.other"};
	default:
		return kind_rest(packet);
	}
}

void packet_kinds(struct packet *const *packets, unsigned count, uint8_t *ret_kinds)
{
	for (unsigned i = 0; i < count; i++)
		ret_kinds[i] = (uint8_t)kind_judge(packets[i]).kind;
}

enum packet_kind packet_kind_of(const struct packet *packet)
{
	return kind_judge(packet).kind;
}

const char *packet_kind_rule(const struct packet *packet, enum packet_kind *ret_kind)
{
	struct verdict verdict = kind_judge(packet);
	*ret_kind = verdict.kind;
	return verdict.rule;
}

bool packet_is_spoofed_v6(const struct packet *packet)
{
	return packet->ip[8] == 0xff || memcmp(packet->ip + 8, packet->ip + 24, 16) == 0;
}

uint8_t packet_spoof_signs(const struct packet *packet, enum scan_tool tool)
{
	bool ports = packet->protocol == 6 || packet->protocol == 17, four = packet->version == 4;
	bool known = ports || packet->protocol == 1 || packet->protocol == 58;
	bool no_port = ports && packet->l4 && (packet->sport == 0 || packet->dport == 0);
	uint8_t first = (uint8_t)(packet->src >> 24), host = (uint8_t)packet->src;
	bool impossible = four ? first == 0 || first == 127 || first >= 224 : packet->ip[8] == 0xff;
	bool same = four ? packet->src == packet->dst : memcmp(packet->ip + 8, packet->ip + 24, 16) == 0;
	return (uint8_t)((known ? 0 : SIGN_PROTOCOL) |
			 (packet_ttl_is_odd(packet->ttl) && tool != TOOL_MASSCAN ? SIGN_TTL : 0) |
			 (four && (host == 0 || host == 255) ? SIGN_HOST_PART : 0) |
			 (same ? SIGN_SOURCE_IS_TARGET : 0) | (no_port ? SIGN_PORT_ZERO : 0) |
			 (impossible ? SIGN_IMPOSSIBLE : 0));
}
