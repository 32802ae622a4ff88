/* Raw blocks come back, only those that hold the source; torn and changed ones do not; the ring keeps its size. */
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

enum { RAW_BYTES = 40000 };

/* Block `number` of one minute with `bytes` of its own content, and its index row for source 10.0.0.`number % 5`. */
static void put_block(struct store *store, uint64_t number, size_t bytes)
{
	char *data = malloc(bytes), *packed = malloc(ZSTD_compressBound(bytes));
	uint64_t seed = number;
	for (size_t i = 0; i < bytes; i++)
		data[i] = (char)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
	size_t length = ZSTD_compress(packed, ZSTD_compressBound(bytes), data, bytes, 1);
	int64_t minute = T0 + (int64_t)number * NS_PER_MINUTE;
	struct batch *block = batch_new(&record_block, 1), *raw = batch_new(&record_raw, 1);
	block->rows = raw->rows = 1;
	BATCH_COLUMN(block, int64_t, 0)[0] = minute + NS_PER_S;
	BATCH_COLUMN(block, int64_t, 1)[0] = minute + 59 * NS_PER_S;
	BATCH_COLUMN(block, uint16_t, 2)[0] = 1;
	BATCH_COLUMN(block, uint64_t, 3)[0] = number;
	BATCH_COLUMN(block, uint32_t, 4)[0] = 3;
	BATCH_COLUMN(block, struct text, 5)[0] = batch_text(block, packed, length);
	BATCH_COLUMN(raw, int64_t, 0)[0] = minute;
	BATCH_COLUMN(raw, uint16_t, 1)[0] = 1;
	BATCH_COLUMN(raw, struct addr, 2)[0] = addr_from_v4(0x0a000000u + (uint32_t)number % 5);
	BATCH_COLUMN(raw, uint64_t, 3)[0] = number;
	BATCH_COLUMN(raw, uint32_t, 4)[0] = 3;
	must(store_put(store, block, &must_err));
	must(store_put(store, raw, &must_err));
	batch_free(block);
	batch_free(raw);
	free(data);
	free(packed);
}

struct seen {
	unsigned count;
	uint64_t last;
};

static int look_at(void *context, const struct store_block *block)
{
	struct seen *seen = context;
	uint64_t seed = block->block;
	assert_int_equal(block->bytes, RAW_BYTES);
	for (size_t i = 0; i < block->bytes; i++)
		assert_int_equal((char)block->pcapng[i],
				 (char)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56));
	assert_true(seen->count == 0 || block->block > seen->last);
	seen->last = block->block;
	seen->count++;
	return 0;
}

static unsigned seen_of(struct store *store, const struct addr *source, int64_t from_ns, int64_t to_ns)
{
	struct seen seen = {0, 0};
	must(store_raw_packets(store, source, from_ns, to_ns, look_at, &seen, &must_err));
	return seen.count;
}

static void blocks_of_a_source_come_back(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint64_t i = 0; i < 40; i++)
		put_block(store, i, RAW_BYTES);
	must(store_flush(store, &must_err));
	struct addr source = addr_from_v4(0x0a000002), stranger = addr_from_v4(0x0b000002);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(seen_of(store, NULL, T0, T0 + NS_PER_DAY), 40);
		assert_int_equal(seen_of(store, &source, T0, T0 + NS_PER_DAY), 8);
		assert_int_equal(seen_of(store, &source, T0, T0 + 10 * NS_PER_MINUTE), 2);
		assert_int_equal(seen_of(store, &stranger, T0, T0 + NS_PER_DAY), 0);
		store_close(store);
		open_store(&options, &store);
	}
	store_close(store);
	remove_tree(dir);
}

static void the_ring_keeps_its_size(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	options.raw_bytes = 4 << 20;
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint64_t i = 0; i < 300; i++) {
		put_block(store, i, RAW_BYTES);
		if (i % 10 == 9)
			must(store_flush(store, &must_err));
	}
	must(store_flush(store, &must_err));
	unsigned left = seen_of(store, NULL, T0, T0 + NS_PER_DAY);
	assert_in_range(left, 60, 130);
	json_t *status = NULL;
	must(store_status(store, &status, &must_err));
	assert_in_range(json_integer_value(json_object_get(status, "raw_bytes")), 1 << 20, 5 << 20);
	json_decref(status);
	int64_t rows =
		ask_number(store, "{'kind':'raw','from':'2026-01-01','to':'2026-01-02','aggregates':[{'op':'count'}]}");
	assert_int_equal(rows, left);
	store_close(store);
	remove_tree(dir);
}

static void torn_and_changed_blocks_are_left_out(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), path[128];
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint64_t i = 0; i < 5; i++)
		put_block(store, i, RAW_BYTES);
	must(store_flush(store, &must_err));
	store_close(store);

	snprintf(path, sizeof path, "%s/raw/00000000.seg", dir);
	struct stat status;
	int fd = open(path, O_RDWR | O_APPEND);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(write(fd, "torn off in the middle", 22), 22); /* as a crash before the commit leaves it */
	close(fd);
	open_store(&options, &store);
	struct stat cut;
	assert_int_equal(stat(path, &cut), 0);
	assert_int_equal(cut.st_size, status.st_size);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "X", 1, 30000), 1);
	close(fd);
	assert_int_equal(seen_of(store, NULL, T0, T0 + NS_PER_DAY), 4);
	json_t *said = NULL;
	must(store_status(store, &said, &must_err));
	assert_int_equal(json_integer_value(json_object_get(said, "raw_broken")), 1);
	json_decref(said);
	put_block(store, 5, RAW_BYTES);
	must(store_flush(store, &must_err));
	assert_int_equal(seen_of(store, NULL, T0, T0 + NS_PER_DAY), 5);
	store_close(store);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_a_source_come_back),
		cmocka_unit_test(the_ring_keeps_its_size),
		cmocka_unit_test(torn_and_changed_blocks_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
