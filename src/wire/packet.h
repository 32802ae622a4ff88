/* One packet's headers, as everything behind the parser sees them.
 *
 * The parser borrows: pointers lead into the captured frame and live as long as it does. A burst of frames goes in, a
 * burst of packets comes out; nothing is allocated, logged or read twice. A malformed packet is an observation: it
 * keeps what could be read and names what was wrong in `anomaly`.
 */
#pragma once

#include "core/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	BURST_MAX = 256,
	PACKET_TUNNELS_MAX = 4,     /* taken off one packet */
	PACKET_LINK_LAYERS_MAX = 8, /* VLAN tags and MPLS labels of one packet, each counted apart */
	PACKET_EXTENSIONS_MAX = 16, /* IPv6 extension headers of one packet */
};

/* A captured frame before parsing. */
struct frame {
	int64_t time_ns;
	const uint8_t *data;     /* borrowed */
	uint32_t captured_bytes; /* at data */
	uint32_t wire_bytes;     /* on the wire, >= captured_bytes in a sound capture */
	uint16_t link_type;      /* LINKTYPE_* of tcpdump.org: 1 Ethernet, 101 raw IP, 113 and 276 Linux cooked ... */
	uint16_t interface;      /* number within the capture */
};

/* What was wrong with a packet; 0 is sound. Names by packet_anomaly_names[], stable: they are metric labels. */
enum packet_anomaly {
	ANOMALY_NONE,
	ANOMALY_NOT_IP, /* not an error: ARP, LLDP, ...; counted, never classified */
	ANOMALY_LINK_TRUNCATED,
	ANOMALY_MALFORMED = ANOMALY_LINK_TRUNCATED, /* this and all that follow */
	ANOMALY_LINK_UNKNOWN, /* link type or EtherType that carries no IP: ARP and friends are ANOMALY_NOT_IP */
	ANOMALY_IP_TRUNCATED,
	ANOMALY_IP_VERSION,
	ANOMALY_IP_HEADER_LENGTH,
	ANOMALY_IP_TOTAL_LENGTH, /* total length below the header's, or beyond the wire's */
	ANOMALY_IPV6_EXTENSION,  /* chain too long or cut */
	ANOMALY_L4_TRUNCATED,
	ANOMALY_TCP_HEADER_LENGTH,
	ANOMALY_TCP_OPTIONS, /* noted by tcp_options_signature() only */
	ANOMALY_UDP_LENGTH,
	ANOMALY_ICMP_QUOTE_TRUNCATED,
	ANOMALY_TUNNEL_DEPTH,
	ANOMALY_FRAGMENT_OVERLAP, /* offset + length past 65,535 */
	PACKET_ANOMALIES,
};
extern const char *const packet_anomaly_names[PACKET_ANOMALIES + 1]; /* NULL-terminated */

enum {
	PACKET_FRAGMENT = 1,       /* is a fragment, first or later */
	PACKET_LATER_FRAGMENT = 2, /* not the first: there is no transport header */
	PACKET_DF = 4,
	PACKET_TUNNELLED = 8, /* taken out of GRE, IPIP, VXLAN, GTP-U */
	PACKET_QUOTES = 16,   /* ICMP error whose quoted header was read into `quote_*` */
};

/* 64 bytes: one cache line. IPv4 addresses are host-order numbers; IPv6 addresses are read from `ip`. */
struct packet {
	int64_t time_ns;
	const uint8_t *ip;     /* first byte of the innermost IP header; NULL where there is none */
	const uint8_t *l4;     /* transport header; NULL where there is none (later fragment, truncated) */
	uint32_t src, dst;     /* IPv4; 0 for IPv6 */
	uint32_t seq, ack;     /* TCP */
	uint16_t ip_bytes;     /* total length by the IP header (IPv6: 40 + payload length, capped at 65,535) */
	uint16_t l4_bytes;     /* captured bytes from l4 on, not past the IP total length */
	uint16_t sport, dport; /* TCP, UDP, SCTP; for ICMP dport is type * 256 + code and sport the identifier or 0 */
	uint16_t window;
	uint16_t ip_id;
	uint8_t version;  /* 4, 6; 0 where not IP */
	uint8_t protocol; /* after IPv6 extension headers */
	uint8_t ttl;
	uint8_t tcp_flags;
	uint8_t header_bytes;   /* of the transport header, options included; payload starts there */
	uint8_t flags;          /* PACKET_* */
	uint8_t anomaly;        /* enum packet_anomaly, the first that was met */
	uint8_t quote_protocol; /* ICMP errors: protocol of the quoted packet */
	uint32_t quote_offset;  /* of the quoted IP header from `l4`; 0 where none */
};
_Static_assert(sizeof(struct packet) == 64, "a packet is one cache line");

/* Parse a burst. `packets[i]` belongs to `frames[i]`; every packet is written, sound or not. Returns how many are IP.
 * Link layers (VLAN, QinQ, MPLS, PPPoE) are looked through. Tunnels are not: a darknet receives scans for VXLAN and
 * GTP too, and they are what they are, UDP. */
unsigned packet_parse(const struct frame *frames, unsigned count, struct packet *packets);

/* The same for mirrored traffic: GRE (versions 0 with IP, Ethernet and ERSPAN inside), IPv4/IPv6 in IP, VXLAN and GTP-U
 * are taken off, up to PACKET_TUNNELS_MAX deep, and the innermost packet is given with PACKET_TUNNELLED. UDP to 4789
 * and 2152 is unwrapped only if a sound IP header is inside. */
unsigned packet_parse_inner(const struct frame *frames, unsigned count, struct packet *packets);

/* Whether the parser reads this LINKTYPE_* at all. */
bool packet_link_known(uint16_t link_type);

/* Addresses of a packet of either version. Only where packet->version != 0. */
struct addr packet_source(const struct packet *packet);
struct addr packet_destination(const struct packet *packet);

/* What an ICMP error quotes. Only where packet->flags has PACKET_QUOTES. */
struct packet_quote {
	struct addr source, destination;
	uint16_t sport, dport; /* 0 where the quote was too short for them */
	uint8_t protocol;
};
struct packet_quote packet_quoted(const struct packet *packet);
