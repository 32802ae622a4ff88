/* The darknet: which destination addresses are watched. Look-ups cost one or two cache lines however many prefixes. */
#pragma once

#include "core/option.h"

#include <stdbool.h>
#include <stdint.h>

/* One state for each /16; a bitmap where it is watched in part. */
enum { DARKNET_BLOCKS = 65536 };
enum darknet_block { BLOCK_NONE, BLOCK_WHOLE, BLOCK_PART };
struct darknet {
	uint8_t state[DARKNET_BLOCKS]; /* enum darknet_block */
	uint8_t *bitmaps[DARKNET_BLOCKS];
	struct prefix *v6, *v6_excluded;
	size_t v6_count, v6_excluded_count;
};

/* `include` less `exclude`. Prefixes may overlap. Memory from pool: 64 KiB, and 8 KiB for each /16 that is watched in
 * part. -EINVAL when nothing is left to watch; -ENOMEM. */
int darknet_new(const struct prefix_list *include, const struct prefix_list *exclude, struct pool *pool,
		struct darknet **ret_darknet, struct err *err) must_check;

static inline bool darknet_has_v4(const struct darknet *darknet, uint32_t host_order)
{
	uint8_t state = darknet->state[host_order >> 16];
	if (__builtin_expect(state != BLOCK_PART, 1))
		return state == BLOCK_WHOLE;
	return darknet->bitmaps[host_order >> 16][(host_order & 0xffff) >> 3] >> (host_order & 7) & 1;
}
bool darknet_has_v6(const struct darknet *darknet, const uint8_t address[16]);
uint64_t darknet_v4_addresses(const struct darknet *darknet); /* watched, overlaps once */
