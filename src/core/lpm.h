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
	uint64_t any[1024]; /* a bit a block: whether some prefix holds some address of it */
	uint32_t *first;    /* of 65,536 blocks and one more: the last range that begins at or before the block */
	struct lpm_range {
		uint32_t start; /* ascending, from 0 */
		uint32_t value; /* 0: no prefix */
	} * ranges;
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

/* False where no prefix holds any address of the same 16 bits: a look into 8 KiB that ends most questions. */
static inline bool lpm_may_have_v4(const struct lpm *lpm, uint32_t host_order)
{
	return lpm->v4.any[host_order >> 22] >> (host_order >> 16 & 63) & 1;
}

/* 0 where no prefix holds the address. */
static inline uint32_t lpm_find_v4(const struct lpm *lpm, uint32_t host_order)
{
	const struct lpm_v4 *v4 = &lpm->v4;
	uint32_t low = v4->first[host_order >> 16], more = v4->first[(host_order >> 16) + 1] - low;
	while (more > 0) { /* without a branch on what is compared: it would be foretold wrongly every other time */
		uint32_t half = (more + 1) / 2;
		low += v4->ranges[low + half].start <= host_order ? half : 0;
		more -= half;
	}
	return v4->ranges[low].value;
}

uint32_t lpm_find_v6(const struct lpm *lpm, const uint8_t address[16]);

static inline uint32_t lpm_find(const struct lpm *lpm, const struct addr *addr)
{
	return addr_is_v4(addr) ? lpm_find_v4(lpm, addr_to_v4(addr)) : lpm_find_v6(lpm, addr->bytes);
}

/* Where many are looked up, what each will touch can be fetched first: for all of them the one, then the other. */
static inline void lpm_prefetch_v4_block(const struct lpm *lpm, uint32_t host_order)
{
	__builtin_prefetch(&lpm->v4.first[host_order >> 16]);
}

static inline void lpm_prefetch_v4_range(const struct lpm *lpm, uint32_t host_order)
{
	const uint32_t *first = &lpm->v4.first[host_order >> 16];
	__builtin_prefetch(&lpm->v4.ranges[(first[0] + first[1] + 1) / 2]);
}
