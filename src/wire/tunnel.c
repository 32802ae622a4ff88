/* GRE (RFC 2784, RFC 2890; version 1 of PPTP, RFC 2637) with IP, Ethernet, MPLS, PPP or ERSPAN (draft-foschiano-erspan)
 * inside, IPv4 and IPv6 in IP (RFC 2003, RFC 4213), VXLAN (RFC 7348), GTP-U (3GPP TS 29.281 section 5). */
#include "wire/tunnel.h"

#include "core/cursor.h"

enum {
	PROTOCOL_IPV4 = 4,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
	PORT_GTP_U = 2152,
	PORT_VXLAN = 4789,
	TYPE_BRIDGED = 0x6558,
	TYPE_PPP = 0x880b,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN_3 = 0x22eb,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	GTP_EXTENSIONS_MAX = 8,
};

static bool enter_link(struct span *span, uint16_t link_type, uint8_t *ret_version)
{
	return link_find_ip(span, link_type, ret_version) == ANOMALY_NONE;
}

/* ERSPAN: type I has no header of its own (and no GRE sequence number), II has 8 bytes, III 12 and 8 more if its last
 * bit says so. */
static bool enter_erspan(struct span *span, uint16_t type, bool sequence, uint8_t *ret_version)
{
	uint32_t bytes = sequence ? 8 : 0;
	if (type == TYPE_ERSPAN_3) {
		if (span->captured < 12)
			return false;
		bytes = span->at[11] & 1 ? 20 : 12;
	}
	return span_skip(span, bytes) && enter_link(span, LINK_ETHERNET, ret_version);
}

static bool enter_gre(struct span *span, uint8_t *ret_version)
{
	if (span->captured < 4)
		return false;
	uint16_t flags = load_be16(span->at), type = load_be16(span->at + 2);
	unsigned version = flags & 7;
	if (version > 1 || flags & 0x4000) /* routing was abandoned by RFC 2784 */
		return false;
	uint32_t bytes = 4;
	bytes += flags & 0x8000 ? 4 : 0; /* checksum */
	bytes += flags & 0x2000 ? 4 : 0; /* key */
	bytes += flags & 0x1000 ? 4 : 0; /* sequence number */
	if (version == 1)
		bytes += flags & 0x0080 ? 4 : 0; /* acknowledgement */
	if (!span_skip(span, bytes))
		return false;
	switch (type) {
	case TYPE_ERSPAN:
	case TYPE_ERSPAN_3:
		return enter_erspan(span, type, flags & 0x1000, ret_version);
	case TYPE_PPP:
		return enter_link(span, LINK_PPP, ret_version);
	default:
		return link_find_ip_by_ethertype(span, type, ret_version) == ANOMALY_NONE;
	}
}

static bool enter_vxlan(struct span *span, uint8_t *ret_version)
{
	if (span->captured < 8 || span->at[0] != 0x08 || span->at[7] != 0)
		return false;
	span_skip(span, 8);
	return enter_link(span, LINK_ETHERNET, ret_version);
}

/* G-PDUs only; extension headers are multiples of 4 bytes, the last byte of each names the next. */
static bool enter_gtp(struct span *span)
{
	if (span->captured < 8 || (span->at[0] & 0xf0) != 0x30 || span->at[1] != 0xff)
		return false;
	uint8_t flags = span->at[0];
	span_skip(span, 8);
	if (!(flags & 7))
		return true;
	if (span->captured < 4)
		return false;
	uint8_t next = flags & 4 ? span->at[3] : 0;
	span_skip(span, 4);
	for (unsigned i = 0; next != 0; i++) {
		if (i == GTP_EXTENSIONS_MAX || span->captured < 1 || span->at[0] == 0)
			return false;
		uint32_t bytes = span->at[0] * 4u;
		if (span->captured < bytes)
			return false;
		next = span->at[bytes - 1];
		span_skip(span, bytes);
	}
	return true;
}

enum tunnel_kind tunnel_enter(const struct packet *packet, struct span *span, uint8_t *ret_version)
{
	struct span inner = *span;
	enum tunnel_kind kind = TUNNEL_NONE;
	*ret_version = 0;
	switch (packet->protocol) {
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
		*ret_version = packet->protocol == PROTOCOL_IPV4 ? 4 : 6;
		kind = TUNNEL_IP;
		break;
	case PROTOCOL_GRE:
		kind = enter_gre(&inner, ret_version) ? TUNNEL_IP : TUNNEL_NONE;
		break;
	case PROTOCOL_UDP:
		if (packet->anomaly != ANOMALY_NONE || !span_skip(&inner, 8))
			break;
		if (packet->dport == PORT_VXLAN)
			kind = enter_vxlan(&inner, ret_version) ? TUNNEL_UDP : TUNNEL_NONE;
		else if (packet->dport == PORT_GTP_U)
			kind = enter_gtp(&inner) ? TUNNEL_UDP : TUNNEL_NONE;
		break;
	}
	if (kind != TUNNEL_NONE)
		*span = inner;
	return kind;
}
