/* Link layers by LINKTYPE_* (tcpdump.org/linktypes.html), IEEE 802.3 and 802.1Q tags, MPLS (RFC 3032, RFC 4385), PPPoE
 * (RFC 2516), PPP (RFC 1661, RFC 1662), Linux cooked v1 and v2, ERF records.
 *
 * Each step takes off one layer and names the next, so layers may stand in any order; a ceiling ends a chain that a
 * stranger made long. */
#include "wire/link.h"

#include "core/cursor.h"

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51,
	LINK_RAW = 101,
	LINK_C_HDLC = 104,
	LINK_LOOP = 108,
	LINK_LINUX_SLL = 113,
	LINK_ERF = 197,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_LINUX_SLL2 = 276,
};

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLD2 = 0x9200,
	TYPE_QINQ_OLD3 = 0x9300,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_BRIDGED = 0x6558,  /* an Ethernet frame: transparent Ethernet bridging */
	LENGTHS_BELOW = 0x0600, /* smaller is an 802.3 length, and LLC follows */
};

bool packet_link_known(uint16_t link_type)
{
	switch (link_type) {
	case LINK_NULL:
	case LINK_ETHERNET:
	case LINK_PPP:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_PPP_HDLC:
	case LINK_PPP_ETHER:
	case LINK_RAW:
	case LINK_C_HDLC:
	case LINK_LOOP:
	case LINK_LINUX_SLL:
	case LINK_ERF:
	case LINK_IPV4:
	case LINK_IPV6:
	case LINK_LINUX_SLL2:
		return true;
	default:
		return false;
	}
}

/* Well-known EtherTypes (IEEE registration authority) that never carry IP. */
static bool ethertype_is_not_ip(uint16_t type)
{
	static const uint16_t known[] = {
		0x0806, /* ARP */
		0x0842, /* Wake-on-LAN */
		0x2000, /* CDP */
		0x22f0, /* AVTP */
		0x22f3, /* TRILL */
		0x6002, /* DEC MOP */
		0x6003, /* DECnet */
		0x8035, /* RARP */
		0x809b, /* AppleTalk */
		0x80f3, /* AARP */
		0x8137, /* IPX */
		0x8808, /* Ethernet flow control */
		0x8809, /* LACP, OAM */
		0x8863, /* PPPoE discovery */
		0x886d, /* Intel ANS */
		0x887b, /* HomePlug 1.0 */
		0x888e, /* 802.1X */
		0x8892, /* PROFINET */
		0x8899, /* Realtek loop detection */
		0x88a2, /* ATA over Ethernet */
		0x88a4, /* EtherCAT */
		0x88b5, /* local experiments */
		0x88b8, /* GOOSE */
		0x88c7, /* pre-authentication */
		0x88ca, /* TIPC */
		0x88cc, /* LLDP */
		0x88e1, /* HomePlug AV */
		0x88e5, /* MACsec */
		0x88f5, /* MVRP */
		0x88f6, /* MMRP */
		0x88f7, /* PTP */
		0x8902, /* CFM */
		0x8906, /* FCoE */
		0x8914, /* FIP */
		0x893a, /* IEEE 1905 */
		0x9000, /* loopback test */
	};
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i] == type)
			return true;
	return false;
}

/* MPLS: labels up to the bottom of the stack. Nothing says what is inside but its first four bits: 4 and 6 are IP (RFC
 * 4928), 0 is a control word with an Ethernet frame behind it (RFC 4448). */
static enum packet_anomaly take_mpls(struct span *span, unsigned *layers, uint16_t *ret_type)
{
	bool bottom = false;
	while (!bottom) {
		if (++*layers > PACKET_LINK_LAYERS_MAX)
			return ANOMALY_LINK_UNKNOWN;
		if (span->captured < 4)
			return ANOMALY_LINK_TRUNCATED;
		bottom = span->at[2] & 1;
		span_skip(span, 4);
	}
	if (span->captured < 1)
		return ANOMALY_LINK_TRUNCATED;
	switch (span->at[0] >> 4) {
	case 4:
		*ret_type = TYPE_IPV4;
		return ANOMALY_NONE;
	case 6:
		*ret_type = TYPE_IPV6;
		return ANOMALY_NONE;
	case 0:
		*ret_type = TYPE_BRIDGED;
		return span_skip(span, 4) ? ANOMALY_NONE : ANOMALY_LINK_TRUNCATED;
	default:
		return ANOMALY_LINK_UNKNOWN;
	}
}

/* PPP: address and control (RFC 1662) where they were not compressed away, then a protocol of one or two bytes. */
static enum packet_anomaly take_ppp(struct span *span, uint16_t *ret_type)
{
	if (span->captured >= 2 && span->at[0] == 0xff && span->at[1] == 0x03)
		span_skip(span, 2);
	if (span->captured < 1)
		return ANOMALY_LINK_TRUNCATED;
	uint16_t protocol = span->at[0];
	if (!(protocol & 1)) {
		if (span->captured < 2)
			return ANOMALY_LINK_TRUNCATED;
		protocol = load_be16(span->at);
		span_skip(span, 1);
	}
	span_skip(span, 1);
	switch (protocol) {
	case 0x0021:
		*ret_type = TYPE_IPV4;
		return ANOMALY_NONE;
	case 0x0057:
		*ret_type = TYPE_IPV6;
		return ANOMALY_NONE;
	case 0x0281:
		*ret_type = TYPE_MPLS;
		return ANOMALY_NONE;
	case 0x0283:
		*ret_type = TYPE_MPLS_MULTICAST;
		return ANOMALY_NONE;
	default:
		return ANOMALY_NOT_IP;
	}
}

static enum packet_anomaly take_pppoe(struct span *span, uint16_t *ret_type)
{
	if (span->captured < 6)
		return ANOMALY_LINK_TRUNCATED;
	bool session = span->at[0] == 0x11 && span->at[1] == 0;
	uint16_t length = load_be16(span->at + 4);
	span_skip(span, 6);
	if (!session)
		return ANOMALY_NOT_IP;
	if (length < span->captured)
		span->captured = length;
	if (length < span->wire)
		span->wire = length;
	return take_ppp(span, ret_type);
}

/* IEEE 802.2: IP is there only with SNAP and the organisation code 0 (RFC 1042). */
static enum packet_anomaly take_llc(struct span *span, uint16_t *ret_type)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	if (span->captured < 8 || memcmp(span->at, snap, sizeof snap) != 0)
		return span->captured < 3 ? ANOMALY_LINK_TRUNCATED : ANOMALY_NOT_IP;
	*ret_type = load_be16(span->at + 6);
	span_skip(span, 8);
	return *ret_type < LENGTHS_BELOW ? ANOMALY_NOT_IP : ANOMALY_NONE;
}

static enum packet_anomaly take_ethernet(struct span *span, uint16_t *ret_type)
{
	if (span->captured < 14)
		return ANOMALY_LINK_TRUNCATED;
	*ret_type = load_be16(span->at + 12);
	span_skip(span, 14);
	return ANOMALY_NONE;
}

static enum packet_anomaly take_vlan(struct span *span, uint16_t *ret_type)
{
	if (span->captured < 4)
		return ANOMALY_LINK_TRUNCATED;
	*ret_type = load_be16(span->at + 2);
	span_skip(span, 4);
	return ANOMALY_NONE;
}

enum packet_anomaly link_find_ip_by_ethertype(struct span *span, uint16_t type, uint8_t *ret_version)
{
	for (unsigned layers = 0; layers <= PACKET_LINK_LAYERS_MAX; layers++) {
		enum packet_anomaly anomaly;
		switch (type) {
		case TYPE_IPV4:
			*ret_version = 4;
			return ANOMALY_NONE;
		case TYPE_IPV6:
			*ret_version = 6;
			return ANOMALY_NONE;
		case TYPE_VLAN:
		case TYPE_QINQ:
		case TYPE_QINQ_OLD:
		case TYPE_QINQ_OLD2:
		case TYPE_QINQ_OLD3:
			anomaly = take_vlan(span, &type);
			break;
		case TYPE_MPLS:
		case TYPE_MPLS_MULTICAST:
			anomaly = take_mpls(span, &layers, &type);
			break;
		case TYPE_PPPOE:
			anomaly = take_pppoe(span, &type);
			break;
		case TYPE_BRIDGED:
			anomaly = take_ethernet(span, &type);
			break;
		default:
			if (type < LENGTHS_BELOW)
				anomaly = take_llc(span, &type);
			else
				return ethertype_is_not_ip(type) ? ANOMALY_NOT_IP : ANOMALY_LINK_UNKNOWN;
		}
		if (anomaly != ANOMALY_NONE)
			return anomaly;
	}
	return ANOMALY_LINK_UNKNOWN;
}

static enum packet_anomaly by_type_at(struct span *span, uint32_t type_offset, uint32_t header_bytes,
				      uint8_t *ret_version)
{
	if (span->captured < header_bytes)
		return ANOMALY_LINK_TRUNCATED;
	uint16_t type = load_be16(span->at + type_offset);
	span_skip(span, header_bytes);
	return link_find_ip_by_ethertype(span, type, ret_version);
}

/* BSD loopback: an address family, which is 2 for IPv4 everywhere and 24, 28, 30 or 10 for IPv6, in the byte order of
 * whoever wrote it (NULL) or the network's (LOOP); the value is small, so its order can be seen. */
static enum packet_anomaly by_family(struct span *span, uint8_t *ret_version)
{
	if (span->captured < 4)
		return ANOMALY_LINK_TRUNCATED;
	uint32_t family = load_be32(span->at);
	if (family > 0xffff)
		family = load_le32(span->at);
	span_skip(span, 4);
	switch (family) {
	case 2:
		*ret_version = 4;
		return ANOMALY_NONE;
	case 10:
	case 24:
	case 28:
	case 30:
		*ret_version = 6;
		return ANOMALY_NONE;
	default:
		return ANOMALY_NOT_IP;
	}
}

static enum packet_anomaly by_ppp(struct span *span, uint8_t *ret_version)
{
	uint16_t type = 0;
	enum packet_anomaly anomaly = take_ppp(span, &type);
	return anomaly != ANOMALY_NONE ? anomaly : link_find_ip_by_ethertype(span, type, ret_version);
}

/* PPP in HDLC-like framing, or Cisco HDLC (address 0x0f or 0x8f): both come under both link types. */
static enum packet_anomaly by_hdlc(struct span *span, uint8_t *ret_version)
{
	if (span->captured < 4)
		return ANOMALY_LINK_TRUNCATED;
	if (span->at[0] == 0x0f || span->at[0] == 0x8f)
		return by_type_at(span, 2, 4, ret_version);
	return by_ppp(span, ret_version);
}

/* An ERF record as a packet (LINKTYPE_ERF): its 16 bytes, extension headers of 8 whose first bit says that one more
 * follows, and what the type has in front of the link layer. */
static enum packet_anomaly by_erf(struct span *span, uint8_t *ret_version)
{
	if (span->captured < 16)
		return ANOMALY_LINK_TRUNCATED;
	uint8_t type = span->at[8];
	span_skip(span, 16);
	for (bool more = type & 0x80; more;) {
		if (span->captured < 8)
			return ANOMALY_LINK_TRUNCATED;
		more = span->at[0] & 0x80;
		span_skip(span, 8);
	}
	uint16_t link_type, ahead;
	if (!erf_link_type(type, &link_type, &ahead))
		return ANOMALY_LINK_UNKNOWN;
	return span_skip(span, ahead) ? link_find_ip(span, link_type, ret_version) : ANOMALY_LINK_TRUNCATED;
}

bool erf_link_type(uint8_t type, uint16_t *ret_link_type, uint16_t *ret_ahead_bytes)
{
	uint16_t link_type, ahead = 0;
	switch (type & 0x7f) {
	case 2:  /* ETH */
	case 11: /* COLOR_ETH */
	case 16: /* DSM_COLOR_ETH */
	case 20: /* COLOR_HASH_ETH */
		link_type = LINK_ETHERNET;
		ahead = 2; /* offset and padding */
		break;
	case 1:  /* HDLC_POS */
	case 10: /* COLOR_HDLC_POS */
	case 15: /* DSM_COLOR_HDLC_POS */
	case 19: /* COLOR_HASH_POS */
		link_type = LINK_C_HDLC;
		break;
	case 5:  /* MC_HDLC */
	case 17: /* COLOR_MC_HDLC_POS */
		link_type = LINK_C_HDLC;
		ahead = 4; /* multi-channel header */
		break;
	case 22:
		link_type = LINK_IPV4;
		break;
	case 23:
		link_type = LINK_IPV6;
		break;
	default:
		return false;
	}
	*ret_link_type = link_type;
	*ret_ahead_bytes = ahead;
	return true;
}

enum packet_anomaly link_find_ip(struct span *span, uint16_t link_type, uint8_t *ret_version)
{
	*ret_version = 0;
	switch (link_type) {
	case LINK_ETHERNET:
		return by_type_at(span, 12, 14, ret_version);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		return ANOMALY_NONE;
	case LINK_IPV4:
		*ret_version = 4;
		return ANOMALY_NONE;
	case LINK_IPV6:
		*ret_version = 6;
		return ANOMALY_NONE;
	case LINK_LINUX_SLL:
		return by_type_at(span, 14, 16, ret_version);
	case LINK_LINUX_SLL2:
		return by_type_at(span, 0, 20, ret_version);
	case LINK_NULL:
	case LINK_LOOP:
		return by_family(span, ret_version);
	case LINK_PPP:
		return by_ppp(span, ret_version);
	case LINK_PPP_HDLC:
	case LINK_C_HDLC:
		return by_hdlc(span, ret_version);
	case LINK_PPP_ETHER: {
		uint16_t type = 0;
		enum packet_anomaly anomaly = take_pppoe(span, &type);
		return anomaly != ANOMALY_NONE ? anomaly : link_find_ip_by_ethertype(span, type, ret_version);
	}
	case LINK_ERF:
		return by_erf(span, ret_version);
	default:
		return ANOMALY_LINK_UNKNOWN;
	}
}
