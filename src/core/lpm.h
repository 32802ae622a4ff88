/* Longest-prefix match over addresses: the value of the longest prefix that holds an address, IPv4 and IPv6.
 *
 * Made once from a list, then only read: safe from any thread. Prefixes become disjoint ranges in sorted arrays; the
 * first 16 bits of an IPv4 address name the few ranges to search, so that a hundred thousand prefixes stay within a
 * core's second-level cache and a look-up costs some nanoseconds.
 */
#pragma once

#include "core/addr.h"
#include "core/memory.h"

#include <stddef.h>
#include <stdint.h>

struct lpm_entry {
	struct prefix prefix;
	uint32_t value; /* never 0 */
};

struct lpm_v4 {
	uint32_t *first;  /* of 65,536 blocks and one more: the last range that begins at or before the block */
	uint32_t *starts; /* of ranges, ascending; starts[0] is 0 */
	uint32_t *values; /* 0: no prefix */
};

struct lpm {
	struct lpm_v4 v4;
	struct addr *v6_starts;
	uint32_t *v6_values;
	size_t v6_count;
};

/* Memory comes from pool; `entries` is sorted in place. Of equal prefixes the later one in the list wins. -ENOMEM;
 * -EINVAL for a value of 0. */
int lpm_new(struct lpm_entry *entries, size_t count, struct pool *pool, struct lpm **ret_lpm,
	    struct err *err) must_check;

/* 0 where no prefix holds the address. */
static inline uint32_t lpm_find_v4(const struct lpm *lpm, uint32_t host_order)
{
	const struct lpm_v4 *v4 = &lpm->v4;
	uint32_t low = v4->first[host_order >> 16], high = v4->first[(host_order >> 16) + 1];
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;
		if (v4->starts[middle] <= host_order)
			low = middle;
		else
			high = middle - 1;
	}
	return v4->values[low];
}

uint32_t lpm_find_v6(const struct lpm *lpm, const uint8_t address[16]);

static inline uint32_t lpm_find(const struct lpm *lpm, const struct addr *addr)
{
	return addr_is_v4(addr) ? lpm_find_v4(lpm, addr_to_v4(addr)) : lpm_find_v6(lpm, addr->bytes);
}
