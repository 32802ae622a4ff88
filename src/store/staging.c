/* Staging: put copies columns behind columns, so that one flush is one append per kind however many batches came. */
#include "store/staging.h"

#include "core/addr.h"
#include "core/clock.h"
#include "core/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int staging_init(struct staging *staging, struct err *err)
{
	memset(staging, 0, sizeof *staging);
	for (size_t i = 0; record_kinds[i] && i < STAGED_KINDS_MAX; i++)
		staging->kinds[i].kind = record_kinds[i];
	staging->texts = arena_new(1 << 20);
	staging_clear(staging);
	return staging->texts ? 0 : err_set(err, -ENOMEM, "no memory for staging");
}

void staging_done(struct staging *staging)
{
	for (size_t i = 0; i < STAGED_KINDS_MAX; i++)
		for (size_t c = 0; c < RECORD_COLUMNS_MAX; c++)
			free(staging->kinds[i].columns[c]);
	arena_free(staging->texts);
	memset(staging, 0, sizeof *staging);
}

void staging_clear(struct staging *staging)
{
	for (size_t i = 0; i < STAGED_KINDS_MAX; i++) {
		staging->kinds[i].rows = 0;
		staging->kinds[i].oldest_ns = INT64_MAX;
		staging->kinds[i].newest_ns = INT64_MIN;
	}
	if (staging->texts)
		arena_reset(staging->texts);
	staging->bytes = 0;
	staging->rows = 0;
}

static int grow(struct staged *staged, uint32_t rows, struct err *err)
{
	uint64_t capacity = staged->capacity ? staged->capacity : 1024;
	while (capacity < (uint64_t)staged->rows + rows)
		capacity *= 2;
	if (capacity > UINT32_MAX)
		return err_set(err, -ENOMEM, "too many rows of %s wait for a flush", staged->kind->name);
	for (size_t c = 0; staged->kind->columns[c].name; c++) {
		void *more = realloc(staged->columns[c], capacity * column_width(staged->kind->columns[c].type));
		if (!more)
			return err_set(err, -ENOMEM, "no memory to stage %u rows of %s", rows, staged->kind->name);
		staged->columns[c] = more;
	}
	staged->capacity = (uint32_t)capacity;
	return 0;
}

static int take_texts(struct staging *staging, struct text *to, const struct text *from, uint32_t rows, struct err *err)
{
	for (uint32_t i = 0; i < rows; i++) {
		char *copy = from[i].length ? arena_copy(staging->texts, from[i].bytes, from[i].length) : NULL;
		if (from[i].length && !copy)
			return err_set(err, -ENOMEM, "no memory to stage a text of %u bytes", from[i].length);
		to[i] = (struct text){copy, from[i].length};
		staging->bytes += from[i].length;
	}
	return 0;
}

static void take_span(struct staged *staged, const int64_t *times, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++) {
		if (times[i] < staged->oldest_ns)
			staged->oldest_ns = times[i];
		if (times[i] > staged->newest_ns)
			staged->newest_ns = times[i];
	}
}

int staging_take(struct staging *staging, const struct batch *batch, struct err *err)
{
	struct staged *staged = staging->kinds;
	while (staged->kind && staged->kind != batch->kind)
		staged++;
	if (!staged->kind)
		return err_set(err, -EINVAL, "batch of an unknown kind");
	if ((uint64_t)staged->rows + batch->rows > staged->capacity) {
		int code = grow(staged, batch->rows, err);
		if (code < 0)
			return code;
	}
	for (size_t c = 0; batch->kind->columns[c].name; c++) {
		const struct column *column = &batch->kind->columns[c];
		size_t width = column_width(column->type);
		char *to = (char *)staged->columns[c] + staged->rows * width;
		if (width == sizeof(struct text) && column->type != COLUMN_ADDR) {
			int code = take_texts(staging, (struct text *)to, batch->columns[c], batch->rows, err);
			if (code < 0)
				return code;
		} else if (batch->rows) {
			memcpy(to, batch->columns[c], batch->rows * width);
		}
		if (strcmp(column->name, batch->kind->time_column) == 0)
			take_span(staged, batch->columns[c], batch->rows);
		staging->bytes += batch->rows * width;
	}
	staged->rows += batch->rows;
	staging->rows += batch->rows;
	return 0;
}

struct keyed {
	uint64_t key;
	uint32_t row;
};

/* Least significant digit first, 11 bits a round; rounds in which all digits are equal are left out. */
static bool radix_sort(struct keyed *items, uint32_t count)
{
	struct keyed *other = malloc((count ? count : 1) * sizeof *other), *from = items, *to = other;
	if (!other)
		return false;
	for (unsigned shift = 0; shift < 64; shift += 11) {
		uint32_t places[2048] = {0};
		for (uint32_t i = 0; i < count; i++)
			places[from[i].key >> shift & 2047]++;
		if (count && places[from[0].key >> shift & 2047] == count)
			continue;
		for (uint32_t i = 0, sum = 0; i < 2048; i++) {
			uint32_t some = places[i];
			places[i] = sum;
			sum += some;
		}
		for (uint32_t i = 0; i < count; i++)
			to[places[from[i].key >> shift & 2047]++] = from[i];
		struct keyed *swap = from;
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, count * sizeof *items);
	free(other);
	return true;
}

/* minute (14 bits since the oldest), several packets (1), IPv6 (1), then 32 bits of address and 16 of port, or 48 bits
 * of an IPv6 address. */
static uint64_t tuple_key(const struct staged *tuples, uint32_t row)
{
	int64_t minute = ((int64_t *)tuples->columns[0])[row];
	const struct addr *source = &((struct addr *)tuples->columns[2])[row];
	uint16_t port = ((uint16_t *)tuples->columns[7])[row];
	uint64_t several = ((uint32_t *)tuples->columns[11])[row] > 1;
	uint64_t minutes = (uint64_t)(minute - tuples->oldest_ns) / NS_PER_MINUTE;
	bool v4 = addr_is_v4(source);
	uint64_t place = v4 ? (uint64_t)addr_to_v4(source) << 16 | port : load_be64(source->bytes) >> 16;
	return (minutes > 16383 ? 16383 : minutes) << 50 | several << 49 | (uint64_t)!v4 << 48 | place;
}

uint32_t *staging_tuple_order(const struct staged *tuples)
{
	uint32_t count = tuples->rows;
	struct keyed *items = malloc((count ? count : 1) * sizeof *items);
	uint32_t *rows = malloc((count ? count : 1) * sizeof *rows);
	bool whole = items && rows;
	for (uint32_t i = 0; whole && i < count; i++)
		items[i] = (struct keyed){tuple_key(tuples, i), i};
	whole = whole && radix_sort(items, count);
	for (uint32_t i = 0; whole && i < count; i++)
		rows[i] = items[i].row;
	free(items);
	if (whole)
		return rows;
	free(rows);
	return NULL;
}

static _Thread_local const struct text *ids; /* qsort(3) has no context */

static int compare_ids(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
	const struct text *left = &ids[one], *right = &ids[two];
	uint32_t least = left->length < right->length ? left->length : right->length;
	int order = least ? memcmp(left->bytes, right->bytes, least) : 0;
	if (order == 0)
		order = left->length < right->length ? -1 : left->length > right->length;
	return order ? order : one < two ? -1 : one > two;
}

uint32_t *staging_finding_order(const struct staged *findings, uint32_t *ret_count)
{
	uint32_t count = findings->rows, kept = 0;
	uint32_t *rows = malloc((count ? count : 1) * sizeof *rows);
	if (!rows)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		rows[i] = i;
	ids = findings->columns[0];
	qsort(rows, count, sizeof *rows, compare_ids);
	for (uint32_t i = 0; i < count; i++) {
		const struct text *id = &ids[rows[i]], *next = i + 1 < count ? &ids[rows[i + 1]] : NULL;
		bool replaced = next && next->length == id->length &&
				(id->length == 0 || memcmp(next->bytes, id->bytes, id->length) == 0);
		if (!replaced)
			rows[kept++] = rows[i];
	}
	*ret_count = kept;
	return rows;
}
