/* IPv4 by a table of /16 blocks with a bitmap where a block is watched in part; IPv6 by the list, which is short. */
#include "observe/telescope/darknet.h"

#include "core/cursor.h"

#include <errno.h>
#include <string.h>

enum { BITMAP_BYTES = 8192 };

bool darknet_has_v6(const struct darknet *darknet, const uint8_t address[16])
{
	struct addr addr;
	memcpy(addr.bytes, address, sizeof addr.bytes);
	bool inside = false;
	for (size_t i = 0; i < darknet->v6_count && !inside; i++)
		inside = prefix_has(&darknet->v6[i], &addr);
	for (size_t i = 0; i < darknet->v6_excluded_count && inside; i++)
		inside = !prefix_has(&darknet->v6_excluded[i], &addr);
	return inside;
}

uint64_t darknet_v4_addresses(const struct darknet *darknet)
{
	uint64_t count = 0;
	for (size_t block = 0; block < DARKNET_BLOCKS; block++) {
		if (darknet->state[block] == BLOCK_WHOLE)
			count += 65536;
		for (size_t i = 0; darknet->state[block] == BLOCK_PART && i < BITMAP_BYTES; i++)
			count += (uint64_t)__builtin_popcount(darknet->bitmaps[block][i]);
	}
	return count;
}

/* Switch a range of one block on or off. */
static int block_set(struct darknet *darknet, struct pool *pool, uint32_t block, uint32_t first, uint32_t last, bool on)
{
	if (first == 0 && last == 0xffff) {
		darknet->state[block] = on ? BLOCK_WHOLE : BLOCK_NONE;
		return 0;
	}
	if (darknet->state[block] == (on ? BLOCK_WHOLE : BLOCK_NONE))
		return 0;
	if (!darknet->bitmaps[block] && !(darknet->bitmaps[block] = pool_alloc(pool, BITMAP_BYTES)))
		return -ENOMEM;
	if (darknet->state[block] != BLOCK_PART)
		memset(darknet->bitmaps[block], darknet->state[block] == BLOCK_WHOLE ? 0xff : 0, BITMAP_BYTES);
	darknet->state[block] = BLOCK_PART;
	for (uint32_t low = first; low <= last; low++) {
		uint8_t bit = (uint8_t)(1 << (low & 7));
		uint8_t *byte = &darknet->bitmaps[block][low >> 3];
		*byte = on ? *byte | bit : *byte & (uint8_t)~bit;
	}
	return 0;
}

static int darknet_apply(struct darknet *darknet, struct pool *pool, const struct prefix_list *list, bool on,
			 struct prefix **v6, size_t *v6_count)
{
	*v6 = pool_array(pool, list->count + 1, sizeof **v6);
	if (!*v6)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		const struct prefix *prefix = &list->items[i];
		if (!addr_is_v4(&prefix->addr) || prefix->bits < 96) {
			(*v6)[(*v6_count)++] = *prefix;
			continue;
		}
		struct addr last_addr = prefix_last(prefix);
		uint32_t first = addr_to_v4(&prefix->addr), last = addr_to_v4(&last_addr);
		for (uint32_t block = first >> 16; block <= last >> 16; block++) {
			uint32_t low = block == first >> 16 ? first & 0xffff : 0;
			uint32_t high = block == last >> 16 ? last & 0xffff : 0xffff;
			if (block_set(darknet, pool, block, low, high, on) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

int darknet_new(const struct prefix_list *include, const struct prefix_list *exclude, struct pool *pool,
		struct darknet **ret_darknet, struct err *err)
{
	static const struct prefix_list none = {NULL, 0};
	struct darknet *darknet = pool_alloc(pool, sizeof *darknet);
	if (!darknet || darknet_apply(darknet, pool, include, true, &darknet->v6, &darknet->v6_count) < 0 ||
	    darknet_apply(darknet, pool, exclude ? exclude : &none, false, &darknet->v6_excluded,
			  &darknet->v6_excluded_count) < 0)
		return err_set(err, -ENOMEM, "no memory for the darknet's table");
	if (darknet->v6_count == 0 && darknet_v4_addresses(darknet) == 0)
		return err_set(err, -EINVAL, "the darknet is empty: a prefix like 198.18.0.0/15 was expected");
	*ret_darknet = darknet;
	return 0;
}
