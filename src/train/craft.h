/* Write packets with right lengths and checksums: Ethernet II, IPv4 (RFC 791) or IPv6 (RFC 8200), then TCP (RFC 9293),
 * UDP (RFC 768), ICMP (RFC 792) or ICMPv6 (RFC 4443). Pure; the caller owns the bytes. */
#pragma once

#include "core/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CRAFT_LINK_BYTES = 14, CRAFT_FRAME_MAX = 14 + 40 + 60 + 512 };

/* Between whom. IPv4 addresses are host-order numbers in src and dst; with `six` the 16 bytes of src6 and dst6 count.
 */
struct craft_ip {
	bool six, dont_fragment;
	uint8_t ttl;
	uint16_t id;
	uint32_t src, dst;
	struct addr src6, dst6;
};

struct craft_tcp {
	uint16_t sport, dport, window;
	uint8_t flags, option_bytes; /* options: whole words */
	uint32_t seq, ack;
	const uint8_t *options;
};

static inline void store_be16(uint8_t *at, uint16_t value)
{
	value = __builtin_bswap16(value);
	memcpy(at, &value, 2);
}

static inline void store_be32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, 4);
}

/* Where the transport header of a frame between these begins. */
static inline size_t craft_l4(const struct craft_ip *ip)
{
	return CRAFT_LINK_BYTES + (ip->six ? 40 : 20);
}

/* Each returns the frame's length. UDP: the payload is in place already, 8 bytes past craft_l4(); ICMP: what follows
 * its first 8 bytes, likewise; raw: everything past the IP header. */
size_t craft_tcp(uint8_t *frame, const struct craft_ip *ip, const struct craft_tcp *tcp);
size_t craft_udp(uint8_t *frame, const struct craft_ip *ip, uint16_t sport, uint16_t dport, size_t payload_bytes);
size_t craft_icmp(uint8_t *frame, const struct craft_ip *ip, uint8_t type, uint8_t code, uint32_t rest,
		  size_t body_bytes);
size_t craft_raw(uint8_t *frame, const struct craft_ip *ip, uint8_t protocol, size_t payload_bytes);

/* An IP header alone, as ICMP errors quote it. Returns its length; `total_bytes` counts what followed it. */
size_t craft_ip_header(uint8_t *at, const struct craft_ip *ip, uint8_t protocol, size_t l4_bytes);

/* RFC 1071 over `bytes`, added to what was summed before. Sums of several pieces of even length may be added. */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t count);
uint16_t checksum_end(uint64_t sum); /* in memory order: store with memcpy */
