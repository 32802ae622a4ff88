/* Internet addresses and prefixes, IPv4 and IPv6 in one shape.
 *
 * An address is 16 bytes in network order; IPv4 is held as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that one
 * column and one comparison serve both. Hot paths keep IPv4 as a host-order uint32_t and convert at the edge.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_TEXT_BYTES 46
#define PREFIX_TEXT_BYTES 50

struct addr {
	uint8_t bytes[16];
};

struct prefix {
	struct addr addr; /* bits past `bits` are zero */
	uint8_t bits;     /* 0..128; an IPv4 prefix of n bits has 96 + n */
};

struct addr addr_from_v4(uint32_t host_order);
bool addr_is_v4(const struct addr *addr);
uint32_t addr_to_v4(const struct addr *addr); /* host order; only for addr_is_v4() */
int addr_compare(const struct addr *a, const struct addr *b);

static inline bool addr_same(const struct addr *a, const struct addr *b)
{
	uint64_t one[2], two[2];
	__builtin_memcpy(one, a->bytes, sizeof one);
	__builtin_memcpy(two, b->bytes, sizeof two);
	return one[0] == two[0] && one[1] == two[1];
}

/* Text as people write it (RFC 5952 for IPv6, dotted quad for IPv4). `text` holds ADDR_TEXT_BYTES. Returns text. */
const char *addr_format(const struct addr *addr, char text[ADDR_TEXT_BYTES]);

/* 0, or -EINVAL with a sentence that quotes the text and says what was expected. */
int addr_parse(const char *text, struct addr *ret_addr, struct err *err) must_check;

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. Bits set past the length are refused: -EINVAL. */
int prefix_parse(const char *text, struct prefix *ret_prefix, struct err *err) must_check;
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_BYTES]);
bool prefix_has(const struct prefix *prefix, const struct addr *addr);
struct addr prefix_last(const struct prefix *prefix);
