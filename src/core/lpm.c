/* Nested prefixes are flattened by one sweep in the order of addresses: a stack holds the prefixes that are open, and
 * each beginning or end of one starts a new range with the value of the innermost. */
#include "core/lpm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = 130 }; /* prefixes that hold one address: one a length */

struct range {
	struct addr start;
	uint32_t value;
};

struct sweep {
	struct range *ranges;
	size_t count;
	struct {
		struct addr last;
		uint32_t value;
	} open[OPEN_MAX];
	size_t depth;
};

static int entry_compare(const void *left, const void *right)
{
	const struct lpm_entry *a = left, *b = right;
	int order = addr_compare(&a->prefix.addr, &b->prefix.addr);
	return order != 0 ? order : (int)a->prefix.bits - (int)b->prefix.bits;
}

/* A stable sort for equal prefixes: qsort() of glibc is a merge sort only while memory lasts, so do not rely on it. */
static void entries_sort(struct lpm_entry *entries, size_t count, struct lpm_entry *room)
{
	for (size_t width = 1; width < count; width *= 2) {
		for (size_t begin = 0; begin < count; begin += 2 * width) {
			size_t middle = begin + width < count ? begin + width : count;
			size_t end = begin + 2 * width < count ? begin + 2 * width : count;
			size_t a = begin, b = middle, out = begin;
			while (out < end)
				room[out++] = b == end || (a < middle && entry_compare(&entries[a], &entries[b]) <= 0)
						      ? entries[a++]
						      : entries[b++];
		}
		memcpy(entries, room, count * sizeof *entries);
	}
}

/* Where the address after this one begins; false behind the last of all. */
static bool addr_after(const struct addr *addr, struct addr *ret_after)
{
	*ret_after = *addr;
	for (int i = 15; i >= 0; i--)
		if (++ret_after->bytes[i] != 0)
			return true;
	return false;
}

static void range_begin(struct sweep *sweep, const struct addr *start, uint32_t value)
{
	if (sweep->count && addr_compare(&sweep->ranges[sweep->count - 1].start, start) == 0)
		sweep->count--;
	if (sweep->count && sweep->ranges[sweep->count - 1].value == value)
		return;
	sweep->ranges[sweep->count++] = (struct range){*start, value};
}

static void sweep_close_before(struct sweep *sweep, const struct addr *start)
{
	while (sweep->depth && (!start || addr_compare(&sweep->open[sweep->depth - 1].last, start) < 0)) {
		struct addr after;
		sweep->depth--;
		if (addr_after(&sweep->open[sweep->depth].last, &after))
			range_begin(sweep, &after, sweep->depth ? sweep->open[sweep->depth - 1].value : 0);
	}
}

static void sweep_all(struct sweep *sweep, const struct lpm_entry *entries, size_t count)
{
	static const struct addr lowest;
	range_begin(sweep, &lowest, 0);
	for (size_t i = 0; i < count; i++) {
		const struct prefix *prefix = &entries[i].prefix;
		sweep_close_before(sweep, &prefix->addr);
		range_begin(sweep, &prefix->addr, entries[i].value);
		sweep->open[sweep->depth].last = prefix_last(prefix);
		sweep->open[sweep->depth].value = entries[i].value;
		if (i + 1 == count || entry_compare(&entries[i], &entries[i + 1]) != 0)
			sweep->depth++;
	}
	sweep_close_before(sweep, NULL);
}

/* IPv4 lies within ::ffff:0:0/96: its ranges are those, cut to it. */
static int v4_fill(struct lpm *lpm, const struct sweep *sweep, struct pool *pool)
{
	const struct addr begin = addr_from_v4(0), end = addr_from_v4(UINT32_MAX);
	struct lpm_v4 *v4 = &lpm->v4;
	v4->first = pool_array(pool, 65537, sizeof *v4->first);
	v4->ranges = pool_array(pool, sweep->count + 1, sizeof *v4->ranges);
	if (!v4->first || !v4->ranges)
		return -ENOMEM;
	uint32_t count = 1;
	for (size_t i = 0; i < sweep->count; i++) {
		const struct range *range = &sweep->ranges[i];
		if (addr_compare(&range->start, &begin) <= 0) {
			v4->ranges[0].value = range->value;
		} else if (addr_compare(&range->start, &end) <= 0) {
			v4->ranges[count++] = (struct lpm_range){addr_to_v4(&range->start), range->value};
		}
	}
	uint32_t at = 0;
	for (uint32_t block = 0; block < 65536; block++) {
		while (at + 1 < count && v4->ranges[at + 1].start <= block << 16)
			at++;
		v4->first[block] = at;
	}
	v4->first[65536] = count - 1;
	for (uint32_t block = 0; block < 65536; block++)
		for (at = v4->first[block]; at <= v4->first[block + 1]; at++)
			if (v4->ranges[at].value && (at == v4->first[block] || v4->ranges[at].start >> 16 == block))
				v4->any[block / 64] |= UINT64_C(1) << block % 64;
	return 0;
}

static int v6_fill(struct lpm *lpm, const struct sweep *sweep, struct pool *pool)
{
	lpm->v6_starts = pool_array(pool, sweep->count, sizeof *lpm->v6_starts);
	lpm->v6_values = pool_array(pool, sweep->count, sizeof *lpm->v6_values);
	if (!lpm->v6_starts || !lpm->v6_values)
		return -ENOMEM;
	for (size_t i = 0; i < sweep->count; i++) {
		lpm->v6_starts[i] = sweep->ranges[i].start;
		lpm->v6_values[i] = sweep->ranges[i].value;
	}
	lpm->v6_count = sweep->count;
	return 0;
}

int lpm_new(struct lpm_entry *entries, size_t count, struct pool *pool, struct lpm **ret_lpm, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].value == 0)
			return err_set(err, -EINVAL, "a prefix with the value 0, which means none");
	struct lpm *lpm = pool_alloc(pool, sizeof *lpm);
	struct lpm_entry *room = malloc((count + 1) * sizeof *room);
	struct sweep *sweep = calloc(1, sizeof *sweep);
	if (sweep)
		sweep->ranges = malloc((2 * count + 2) * sizeof *sweep->ranges);
	int result = lpm && room && sweep && sweep->ranges ? 0 : -ENOMEM;
	if (result == 0) {
		entries_sort(entries, count, room);
		sweep_all(sweep, entries, count);
		result = v4_fill(lpm, sweep, pool);
	}
	if (result == 0)
		result = v6_fill(lpm, sweep, pool);
	free(room);
	if (sweep)
		free(sweep->ranges);
	free(sweep);
	if (result < 0)
		return err_set(err, result, "no memory for %zu prefixes", count);
	*ret_lpm = lpm;
	return 0;
}

uint32_t lpm_find_v6(const struct lpm *lpm, const uint8_t address[16])
{
	size_t low = 0, high = lpm->v6_count - 1;
	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;
		if (memcmp(lpm->v6_starts[middle].bytes, address, 16) <= 0)
			low = middle;
		else
			high = middle - 1;
	}
	return lpm->v6_values[low];
}
