/* See scan.h. */
#include "store/scan.h"

#include "core/hash.h"
#include "store/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	PARTS = 256,
	CHUNK_BYTES = 16 << 10,
	SLAB_BYTES = 32 << 20,
	SLOTS_LEAST = 64,
	ROWS = PACK_ROWS_MAX,
	AHEAD = 16,
};
#define WAITING_BYTES_MAX (UINT64_C(768) << 20)

/* Rows that wait to be added to their part's groups, in the order in which they came. */
struct chunk {
	struct chunk *next;
	uint32_t count;
	uint64_t rows[];
};

struct slab {
	struct slab *next;
	void *map;
	size_t bytes;
};

/* Groups: rows of `stride` numbers (keys, two for an address; how many; sums) and an index to them. */
struct groups {
	uint64_t *rows;
	uint32_t *slots; /* row + 1; 0 free */
	uint32_t count, room;
};

struct part {
	struct chunk *first, *last;
	uint32_t waiting;
	struct groups groups;
};

struct scan {
	struct scan_question question;
	const struct block *block;
	uint64_t *low[BLOCK_COLUMNS_MAX], *high[BLOCK_COLUMNS_MAX], *hashes, *derived;
	bool is_read[BLOCK_COLUMNS_MAX];
	uint8_t *masks[SCAN_STACK_MAX];
	bool wide[SCAN_KEYS_MAX]; /* the key is an address */
	unsigned key_words, stride;
	uint32_t chunk_rows;
	struct slab *slabs;
	struct chunk *free_chunks;
	uint64_t waiting_bytes, group_count;
	struct part parts[PARTS];
	struct groups shared; /* of the part that is looked at, where all of its rows still wait */
};

int scan_filter_add(struct scan_filter *filter, const struct scan_test *test)
{
	if (filter->count == SCAN_TESTS_MAX)
		return -E2BIG;
	filter->tests[filter->count] = *test;
	return filter->count++;
}

static uint64_t ones(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
}

struct scan_test scan_test_prefix(unsigned column, const struct prefix *prefix)
{
	return (struct scan_test){
		.op = SCAN_SAME,
		.column = (uint16_t)column,
		.high = load_be64(prefix->addr.bytes),
		.low = load_be64(prefix->addr.bytes + 8),
		.mask_high = ones(prefix->bits),
		.mask_low = ones(prefix->bits > 64 ? prefix->bits - 64u : 0),
	};
}

static bool column_is_wide(const struct record_kind *kind, unsigned column)
{
	return kind->columns[column].type == COLUMN_ADDR;
}

int scan_open(const struct scan_question *question, struct scan **ret_scan, struct err *err)
{
	struct scan *scan = calloc(1, sizeof *scan);
	if (!scan)
		return err_set(err, -ENOMEM, "no memory for a question");
	scan->question = *question;
	for (unsigned i = 0; i < question->key_count; i++) {
		scan->wide[i] = column_is_wide(question->kind, question->keys[i].column);
		scan->key_words += scan->wide[i] ? 2 : 1;
	}
	scan->stride = scan->key_words + 1 + question->sum_count;
	scan->chunk_rows = (uint32_t)((CHUNK_BYTES - sizeof(struct chunk)) / (scan->stride * sizeof(uint64_t)));
	*ret_scan = scan;
	return 0;
}

static void groups_done(struct groups *groups)
{
	free(groups->rows);
	free(groups->slots);
}

void scan_close(struct scan *scan)
{
	if (!scan)
		return;
	for (unsigned c = 0; c < BLOCK_COLUMNS_MAX; c++) {
		free(scan->low[c]);
		free(scan->high[c]);
	}
	for (unsigned i = 0; i < SCAN_STACK_MAX; i++)
		free(scan->masks[i]);
	for (unsigned i = 0; i < PARTS; i++)
		groups_done(&scan->parts[i].groups);
	groups_done(&scan->shared);
	for (struct slab *slab = scan->slabs, *next; slab; slab = next) {
		next = slab->next;
		munmap(slab->map, slab->bytes);
		free(slab);
	}
	free(scan->hashes);
	free(scan->derived);
	free(scan);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

int scan_column(struct scan *scan, unsigned column, const uint64_t **ret_low, const uint64_t **ret_high,
		struct err *err)
{
	bool wide = column_is_wide(scan->question.kind, column);
	if (!scan->is_read[column]) {
		if (!scan->low[column])
			scan->low[column] = malloc(ROWS * sizeof(uint64_t));
		if (wide && !scan->high[column])
			scan->high[column] = malloc(ROWS * sizeof(uint64_t));
		if (!scan->low[column] || (wide && !scan->high[column]))
			return err_set(err, -ENOMEM, "no memory for a column");
		int result = block_column(scan->block, column, scan->low[column], scan->high[column], err);
		if (result < 0)
			return result;
		scan->is_read[column] = true;
	}
	*ret_low = scan->low[column];
	if (ret_high)
		*ret_high = scan->high[column];
	return 0;
}

static int derived_make(struct scan *scan, unsigned column, const uint64_t **ret_values, struct err *err)
{
	if (!scan->question.derive)
		return err_set(err, -EINVAL, "there is no column %u", column);
	if (!scan->derived && !(scan->derived = malloc(ROWS * sizeof *scan->derived)))
		return err_set(err, -ENOMEM, "no memory for a column");
	*ret_values = scan->derived;
	return scan->question.derive(scan, column, scan->block->rows, scan->derived, err);
}

static int test_leaf(struct scan *scan, const struct scan_test *test, uint8_t *mask, struct err *err)
{
	const uint64_t *low, *high;
	uint32_t rows = scan->block->rows;
	bool derived = test->column >= RECORD_COLUMNS_MAX;
	bool wide = !derived && column_is_wide(scan->question.kind, test->column);
	int result = derived ? derived_make(scan, test->column, &low, err)
			     : scan_column(scan, test->column, &low, &high, err);
	if (result < 0)
		return result;
	uint64_t value = test->low, bits = test->mask_low;
	if (test->op == SCAN_SAME && wide)
		for (uint32_t i = 0; i < rows; i++)
			mask[i] = ((low[i] & bits) == value) & ((high[i] & test->mask_high) == test->high);
	else if (test->op == SCAN_SAME)
		for (uint32_t i = 0; i < rows; i++)
			mask[i] = (low[i] & bits) == value;
	else if (test->op == SCAN_LESS)
		for (uint32_t i = 0; i < rows; i++)
			mask[i] = low[i] < value;
	else
		for (uint32_t i = 0; i < rows; i++)
			mask[i] = low[i] > value;
	return 0;
}

static uint8_t *mask_at(struct scan *scan, unsigned depth)
{
	if (depth < SCAN_STACK_MAX && !scan->masks[depth])
		scan->masks[depth] = malloc(ROWS);
	return depth < SCAN_STACK_MAX ? scan->masks[depth] : NULL;
}

/* The rows that a test holds for, into the mask of its depth. */
static int test_run(struct scan *scan, unsigned number, unsigned depth, struct err *err)
{
	const struct scan_test *test = &scan->question.filter->tests[number];
	uint8_t *mask = mask_at(scan, depth), *other;
	uint32_t rows = scan->block->rows;
	if (!mask)
		return err_set(err, -E2BIG, "the filter is nested deeper than %d", SCAN_STACK_MAX - 1);
	if (test->op == SCAN_ALL) {
		memset(mask, 1, rows);
		return 0;
	}
	if (test->op >= SCAN_SAME)
		return test_leaf(scan, test, mask, err);
	int result = test_run(scan, test->left, depth, err);
	if (test->op == SCAN_NOT) {
		for (uint32_t i = 0; i < rows; i++)
			mask[i] ^= 1;
		return result;
	}
	if (result == 0)
		result = test_run(scan, test->right, depth + 1, err);
	if (result < 0)
		return result;
	other = scan->masks[depth + 1];
	for (uint32_t i = 0; i < rows; i++)
		mask[i] = test->op == SCAN_AND ? mask[i] & other[i] : mask[i] | other[i];
	return 0;
}

static int times_select(struct scan *scan, uint8_t *mask, struct err *err)
{
	const struct scan_question *question = &scan->question;
	const struct block *block = scan->block;
	if (block->first_ns >= question->from_ns && block->last_ns < question->to_ns)
		return 0;
	const uint64_t *times;
	int column = record_column_index(question->kind, question->kind->time_column);
	int result = scan_column(scan, (unsigned)column, &times, NULL, err);
	for (uint32_t i = 0; result == 0 && i < block->rows; i++)
		mask[i] &= (int64_t)times[i] >= question->from_ns && (int64_t)times[i] < question->to_ns;
	return result;
}

int scan_select(struct scan *scan, const struct block *block, const uint8_t **ret_rows, uint32_t *ret_count,
		struct err *err)
{
	uint8_t *mask = mask_at(scan, 0);
	int result = 0;
	scan->block = block;
	memset(scan->is_read, 0, sizeof scan->is_read);
	if (!mask)
		return err_set(err, -ENOMEM, "no memory for a filter");
	if (block->kind != scan->question.kind)
		return err_set(err, -EINVAL, "a block of %s; %s was expected", block->kind->name,
			       scan->question.kind->name);
	if (scan->question.filter && scan->question.filter->count)
		result = test_run(scan, scan->question.filter->count - 1u, 0, err);
	else
		memset(mask, 1, block->rows);
	if (result == 0)
		result = times_select(scan, mask, err);
	if (result < 0)
		return result;
	uint32_t count = 0;
	for (uint32_t i = 0; i < block->rows; i++)
		count += mask[i];
	*ret_rows = mask;
	*ret_count = count;
	return 0;
}

/* --- waiting rows ------------------------------------------------------------------------------------------------ */

/* In huge pages: they are written to in 256 places at once. */
static int slab_add(struct scan *scan)
{
	struct slab *slab = malloc(sizeof *slab);
	void *map = slab ? mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				-1, 0)
			 : MAP_FAILED;
	if (map == MAP_FAILED) {
		free(slab);
		return -ENOMEM;
	}
	(void)!madvise(map, SLAB_BYTES, MADV_HUGEPAGE);
	*slab = (struct slab){scan->slabs, map, SLAB_BYTES};
	scan->slabs = slab;
	for (size_t at = SLAB_BYTES; at > 0;) {
		at -= CHUNK_BYTES;
		struct chunk *chunk = (struct chunk *)((char *)map + at);
		chunk->next = scan->free_chunks;
		scan->free_chunks = chunk;
	}
	return 0;
}

static struct chunk *chunk_add(struct scan *scan, struct part *part)
{
	if (!scan->free_chunks && slab_add(scan) < 0)
		return NULL;
	struct chunk *chunk = scan->free_chunks;
	scan->free_chunks = chunk->next;
	chunk->next = NULL;
	chunk->count = 0;
	if (part->last)
		part->last->next = chunk;
	else
		part->first = chunk;
	part->last = chunk;
	scan->waiting_bytes += CHUNK_BYTES;
	return chunk;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

static inline uint64_t hash_add(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static inline uint64_t keys_hash(const uint64_t *keys, unsigned words)
{
	uint64_t hash = 0;
	for (unsigned i = 0; i < words; i++)
		hash = hash_add(hash, keys[i]);
	return hash * UINT64_C(0xbf58476d1ce4e5b9);
}

/* The part is the hash's first bits; the place in its index what follows. */
static inline uint32_t slot_first(uint64_t hash, uint32_t mask)
{
	return (uint32_t)(hash >> 24) & mask;
}

static int groups_grow(const struct scan *scan, struct groups *groups, uint32_t wanted)
{
	uint32_t room = groups->room ? groups->room : SLOTS_LEAST / 2;
	while (room < wanted)
		room *= 2;
	if (room == groups->room)
		return 0;
	uint64_t *rows = realloc(groups->rows, (size_t)room * scan->stride * sizeof *rows);
	if (!rows)
		return -ENOMEM;
	groups->rows = rows;
	uint32_t *slots = calloc(2 * (size_t)room, sizeof *slots), mask = 2 * room - 1;
	if (!slots)
		return -ENOMEM;
	for (uint32_t row = 0; row < groups->count; row++) {
		uint32_t slot = slot_first(keys_hash(&rows[(size_t)row * scan->stride], scan->key_words), mask);
		while (slots[slot])
			slot = (slot + 1) & mask;
		slots[slot] = row + 1;
	}
	free(groups->slots);
	groups->slots = slots;
	groups->room = room;
	return 0;
}

static void groups_clear(struct groups *groups)
{
	if (groups->count)
		memset(groups->slots, 0, 2 * (size_t)groups->room * sizeof *groups->slots);
	groups->count = 0;
}

static inline bool keys_same(const uint64_t *a, const uint64_t *b, unsigned words)
{
	uint64_t differ = 0;
	for (unsigned i = 0; i < words; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static inline void row_fold(struct groups *groups, const uint64_t *from, unsigned keys, unsigned stride, uint32_t slot)
{
	uint32_t mask = 2 * groups->room - 1;
	for (; groups->slots[slot]; slot = (slot + 1) & mask) {
		uint64_t *row = &groups->rows[(size_t)(groups->slots[slot] - 1) * stride];
		if (!keys_same(row, from, keys))
			continue;
		for (unsigned i = keys; i < stride; i++)
			row[i] += from[i];
		return;
	}
	memcpy(&groups->rows[(size_t)groups->count * stride], from, stride * sizeof *from);
	groups->slots[slot] = ++groups->count;
}

static void chunk_fold(const struct scan *scan, const struct chunk *chunk, struct groups *groups)
{
	unsigned keys = scan->key_words, stride = scan->stride;
	uint32_t slots[AHEAD], mask = 2 * groups->room - 1;
	for (uint32_t begin = 0; begin < chunk->count; begin += AHEAD) {
		uint32_t some = chunk->count - begin < AHEAD ? chunk->count - begin : AHEAD;
		const uint64_t *rows = &chunk->rows[(size_t)begin * stride];
		for (uint32_t i = 0; i < some; i++) {
			slots[i] = slot_first(keys_hash(&rows[(size_t)i * stride], keys), mask);
			__builtin_prefetch(&groups->slots[slots[i]]);
		}
		for (uint32_t i = 0; i < some; i++)
			row_fold(groups, &rows[(size_t)i * stride], keys, stride, slots[i]);
	}
}

/* Rows that wait, into groups. */
static int part_fold(struct scan *scan, struct part *part, struct groups *groups)
{
	if (groups_grow(scan, groups, groups->count + part->waiting) < 0)
		return -ENOMEM;
	for (struct chunk *chunk = part->first, *next; chunk; chunk = next) {
		next = chunk->next;
		chunk_fold(scan, chunk, groups);
		chunk->next = scan->free_chunks;
		scan->free_chunks = chunk;
		scan->waiting_bytes -= CHUNK_BYTES;
	}
	part->first = part->last = NULL;
	part->waiting = 0;
	return 0;
}

static int parts_fold(struct scan *scan)
{
	int result = 0;
	for (unsigned i = 0; i < PARTS && result == 0; i++)
		result = part_fold(scan, &scan->parts[i], &scan->parts[i].groups);
	return result;
}

/* What the rows of a block are made of. */
struct sources {
	const uint64_t *words[2 * SCAN_KEYS_MAX], *sums[SCAN_SUMS_MAX];
	uint64_t masks[2 * SCAN_KEYS_MAX];
};

static int sources_find(struct scan *scan, bool either, struct sources *sources, struct err *err)
{
	const struct scan_question *question = &scan->question;
	unsigned word = 0;
	int result = 0;
	for (unsigned i = 0; i < question->key_count && result == 0; i++) {
		const struct scan_key *key = either && i == 0 ? &question->either : &question->keys[i];
		const uint64_t *high;
		result = scan_column(scan, key->column, &sources->words[word], &high, err);
		sources->masks[word++] = key->mask_low;
		if (scan->wide[i]) {
			sources->words[word] = high;
			sources->masks[word++] = key->mask_high;
		}
	}
	for (unsigned i = 0; i < question->sum_count && result == 0; i++)
		result = scan_column(scan, question->sums[i], &sources->sums[i], NULL, err);
	return result;
}

static int hashes_make(struct scan *scan, const struct sources *sources)
{
	uint32_t rows = scan->block->rows;
	if (!scan->hashes && !(scan->hashes = malloc(ROWS * sizeof *scan->hashes)))
		return -ENOMEM;
	memset(scan->hashes, 0, rows * sizeof *scan->hashes);
	for (unsigned w = 0; w < scan->key_words; w++) {
		const uint64_t *words = sources->words[w], mask = sources->masks[w];
		for (uint32_t i = 0; i < rows; i++)
			scan->hashes[i] = hash_add(scan->hashes[i], words[i] & mask);
	}
	for (uint32_t i = 0; i < rows; i++)
		scan->hashes[i] *= UINT64_C(0xbf58476d1ce4e5b9);
	return 0;
}

static int rows_add(struct scan *scan, const uint8_t *mask, const struct sources *sources, struct err *err)
{
	unsigned words = scan->key_words, sums = scan->question.sum_count;
	uint32_t rows = scan->block->rows;
	if (hashes_make(scan, sources) < 0)
		return err_set(err, -ENOMEM, "no memory for groups");
	for (uint32_t i = 0; i < rows; i++) {
		if (!mask[i])
			continue;
		struct part *part = &scan->parts[scan->hashes[i] >> 56];
		struct chunk *chunk = part->last;
		if ((!chunk || chunk->count == scan->chunk_rows) && !(chunk = chunk_add(scan, part)))
			return err_set(err, -ENOMEM, "no memory for groups");
		uint64_t *row = &chunk->rows[(size_t)chunk->count++ * scan->stride];
		__builtin_prefetch(row + 2 * scan->stride, 1); /* too many parts for the processor to see the order */
		part->waiting++;
		for (unsigned w = 0; w < words; w++)
			*row++ = sources->words[w][i] & sources->masks[w];
		*row++ = 1;
		for (unsigned s = 0; s < sums; s++)
			*row++ = sources->sums[s][i];
	}
	if (scan->waiting_bytes > WAITING_BYTES_MAX && parts_fold(scan) < 0)
		return err_set(err, -ENOMEM, "no memory for more groups");
	return 0;
}

int scan_add(struct scan *scan, const struct block *block, struct err *err)
{
	const uint8_t *mask;
	uint32_t count;
	struct sources sources;
	int result = scan_select(scan, block, &mask, &count, err);
	if (result < 0 || count == 0)
		return result;
	result = sources_find(scan, false, &sources, err);
	if (result == 0)
		result = rows_add(scan, mask, &sources, err);
	if (result == 0 && scan->question.either.column != UINT16_MAX)
		result = sources_find(scan, true, &sources, err) < 0 ? -EIO : rows_add(scan, mask, &sources, err);
	return result;
}

/* --- the greatest ------------------------------------------------------------------------------------------------ */

static void group_read(const struct scan *scan, const uint64_t *row, struct scan_group *group)
{
	*group = (struct scan_group){.rows = 0};
	for (unsigned i = 0; i < scan->question.key_count; i++) {
		group->low[i] = *row++;
		if (scan->wide[i])
			group->high[i] = *row++;
	}
	group->rows = *row++;
	for (unsigned i = 0; i < scan->question.sum_count; i++)
		group->sums[i] = *row++;
}

/* Copies of the rows that are greatest so far, the least of them on top. */
struct heap {
	uint64_t *rows, **order;
	size_t count, limit;
	unsigned by, keys, stride; /* which number of a row orders */
};

static int heap_init(struct heap *heap, size_t limit)
{
	heap->rows = calloc(limit + 1, heap->stride * sizeof *heap->rows);
	heap->order = calloc(limit + 1, sizeof *heap->order);
	heap->limit = limit;
	return heap->rows && heap->order ? 0 : -ENOMEM;
}

static void heap_done(struct heap *heap)
{
	free(heap->rows);
	free(heap->order);
}

/* Greater stands before; of equal ones the lesser key. */
static bool stands_before(const struct heap *heap, const uint64_t *a, const uint64_t *b)
{
	if (a[heap->by] != b[heap->by])
		return a[heap->by] > b[heap->by];
	for (unsigned i = 0; i < heap->keys; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

static void heap_sink(struct heap *heap, size_t at)
{
	for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
		if (child + 1 < heap->count && stands_before(heap, heap->order[child], heap->order[child + 1]))
			child++;
		if (!stands_before(heap, heap->order[at], heap->order[child]))
			return;
		uint64_t *swap = heap->order[at];
		heap->order[at] = heap->order[child];
		heap->order[child] = swap;
	}
}

static void heap_offer(struct heap *heap, const uint64_t *row)
{
	size_t bytes = heap->stride * sizeof *row;
	if (heap->count == heap->limit) {
		if (!heap->limit || !stands_before(heap, row, heap->order[0]))
			return;
		memcpy(heap->order[0], row, bytes);
		heap_sink(heap, 0);
		return;
	}
	size_t at = heap->count++;
	uint64_t *copy = memcpy(&heap->rows[at * heap->stride], row, bytes);
	for (; at > 0 && stands_before(heap, heap->order[(at - 1) / 2], copy); at = (at - 1) / 2)
		heap->order[at] = heap->order[(at - 1) / 2];
	heap->order[at] = copy;
}

/* Every group of a part: to the heap and the total. */
static int part_offer(struct scan *scan, struct part *part, struct heap *heap, struct scan_group *total)
{
	struct groups *groups = part->groups.count ? &part->groups : &scan->shared;
	unsigned keys = scan->key_words, sums = scan->question.sum_count;
	if (part_fold(scan, part, groups) < 0)
		return -ENOMEM;
	scan->group_count += groups->count;
	for (uint32_t r = 0; r < groups->count; r++) {
		const uint64_t *row = &groups->rows[(size_t)r * scan->stride];
		total->rows += row[keys];
		for (unsigned s = 0; s < sums; s++)
			total->sums[s] += row[keys + 1 + s];
		heap_offer(heap, row);
	}
	groups_clear(&scan->shared);
	return 0;
}

int64_t scan_top(struct scan *scan, int by, struct scan_group *ret_groups, size_t limit, struct scan_group *ret_total,
		 struct err *err)
{
	struct heap heap = {
		.by = scan->key_words + (unsigned)(by + 1), .keys = scan->key_words, .stride = scan->stride};
	int result = heap_init(&heap, limit);
	*ret_total = (struct scan_group){.rows = 0};
	scan->group_count = 0;
	for (unsigned p = 0; p < PARTS && result == 0; p++)
		result = part_offer(scan, &scan->parts[p], &heap, ret_total);
	size_t count = heap.count;
	for (size_t i = count; i-- > 0 && result == 0;) { /* the least of what is left goes to the end */
		group_read(scan, heap.order[0], &ret_groups[i]);
		heap.order[0] = heap.order[--heap.count];
		heap_sink(&heap, 0);
	}
	heap_done(&heap);
	return result == 0 ? (int64_t)count : err_set(err, -ENOMEM, "no memory for groups");
}

uint64_t scan_groups(const struct scan *scan)
{
	return scan->group_count;
}
