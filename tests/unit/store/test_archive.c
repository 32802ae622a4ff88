/* An archive keeps what was flushed: over a new start, a torn end, a damaged block, and only as long as it was told.
 * Groups are counted as a plain loop counts them. */
#include "rows.h"

#include "core/hash.h"
#include "store/archive.h"
#include "store/flow_filter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define BEGIN_NS (INT64_C(1780000000) * NS_PER_S)

static uint16_t column_of(const char *name)
{
	return (uint16_t)record_column_index(&record_flow, name);
}

/* Flows of one second each: 50 sources, IPv6 every fifth, ports of eight. */
static struct batch *made(uint32_t rows, int64_t from_ns, uint64_t seed)
{
	struct batch *batch = batch_new(&record_flow, rows);
	assert_non_null(batch);
	batch->rows = rows;
	for (size_t c = 0; record_flow.columns[c].name; c++)
		memset(batch->columns[c], 0, rows * column_width(record_flow.columns[c].type));
	for (uint32_t i = 0; i < rows; i++) {
		uint64_t r = random_next(&seed);
		struct addr six = {{0x20, 1, 0xd, 0xb8, [15] = (uint8_t)(r % 50)}};
		BATCH_COLUMN(batch, struct addr, column_of("source"))
		[i] = r % 5 ? addr_from_v4(0x0a000000 | (uint32_t)(r % 50)) : six;
		BATCH_COLUMN(batch, int64_t, column_of("first"))[i] = from_ns + (int64_t)i * NS_PER_MS;
		BATCH_COLUMN(batch, int64_t, column_of("last"))[i] = from_ns + (int64_t)i * NS_PER_MS + NS_PER_S;
		BATCH_COLUMN(batch, uint16_t, column_of("target_port"))[i] = (uint16_t)(r >> 8 & 7);
		BATCH_COLUMN(batch, uint64_t, column_of("bytes"))[i] = r >> 16 & 0xfff;
		BATCH_COLUMN(batch, uint64_t, column_of("packets"))[i] = 1 + (r >> 30 & 3);
	}
	return batch;
}

struct counted {
	uint64_t rows, blocks;
	unsigned troubles;
};

static int count_block(void *context, const struct block *block, struct err *err)
{
	(void)err;
	struct counted *counted = context;
	counted->rows += block->rows;
	counted->blocks++;
	return 0;
}

static void count_trouble(void *context, const char *sentence)
{
	assert_contains(sentence, ".seg");
	((struct counted *)context)->troubles++;
}

static struct counted count(const char *dir, int64_t from_ns, int64_t to_ns)
{
	struct counted counted = {0};
	struct archive_visit visit = {count_block, count_trouble, &counted};
	must(archive_read(dir, from_ns, to_ns, &visit, &must_err));
	return counted;
}

static void put(struct archive *archive, uint32_t rows, int64_t from_ns, uint64_t seed)
{
	struct batch *batch = made(rows, from_ns, seed);
	must(archive_put(archive, batch, &must_err));
	batch_free(batch);
}

static int segments_of(const char *dir, char first[256])
{
	DIR *open_dir = opendir(dir);
	int segments = 0;
	for (const struct dirent *entry; (entry = readdir(open_dir));)
		if (strstr(entry->d_name, ".seg") && strcmp(entry->d_name, "current.seg") != 0) {
			if (segments++ == 0 || strcmp(entry->d_name, first) < 0)
				snprintf(first, 256, "%s", entry->d_name);
		}
	closedir(open_dir);
	return segments;
}

static void what_was_flushed_stays(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), data[128], path[200];
	snprintf(data, sizeof data, "%s/flows", dir);
	snprintf(path, sizeof path, "%s/current.seg", data);
	struct archive_options options = {.dir = data, .kind = &record_flow};
	struct archive *archive, *second;
	must(archive_open(&options, &archive, &must_err));
	assert_int_equal(archive_open(&options, &second, NULL), -EBUSY);
	put(archive, 1000, BEGIN_NS, 1);
	assert_int_equal(count(data, INT64_MIN, INT64_MAX).rows, 0); /* gathered, not flushed */
	must(archive_flush(archive, &must_err));
	assert_int_equal(count(data, INT64_MIN, INT64_MAX).rows, 1000);
	put(archive, 40000, BEGIN_NS + NS_PER_HOUR, 2);
	archive_close(archive);
	assert_int_equal(count(data, INT64_MIN, INT64_MAX).rows, 41000);
	assert_int_equal(count(data, INT64_MIN, BEGIN_NS + NS_PER_MINUTE).rows, 1000);
	assert_int_equal(count(data, BEGIN_NS + NS_PER_DAY, INT64_MAX).rows, 0);

	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size - 7), 0); /* as a crash leaves it */
	assert_int_equal(count(data, INT64_MIN, INT64_MAX).rows, 1000);
	assert_int_equal(count(data, INT64_MIN, INT64_MAX).troubles, 0);
	must(archive_open(&options, &archive, &must_err));
	put(archive, 10, BEGIN_NS, 3);
	archive_close(archive);
	assert_int_equal(count(data, INT64_MIN, INT64_MAX).rows, 1010);
	remove_tree(dir);
}

static void segments_end_and_go(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), first[256], path[600];
	struct archive_options options = {
		.dir = dir, .kind = &record_flow, .segment_bytes = 20000, .keep_ns = 10 * NS_PER_HOUR};
	struct archive *archive;
	must(archive_open(&options, &archive, &must_err));
	for (int hour = 0; hour < 20; hour++) {
		put(archive, 5000, BEGIN_NS + hour * NS_PER_HOUR, (uint64_t)hour);
		must(archive_flush(archive, &must_err));
	}
	assert_int_equal(segments_of(dir, first), 20);
	assert_int_equal(count(dir, BEGIN_NS + 5 * NS_PER_HOUR, BEGIN_NS + 6 * NS_PER_HOUR).rows, 5000);
	assert_int_equal(archive_retain(archive, BEGIN_NS + 20 * NS_PER_HOUR, NULL), 10);
	assert_int_equal(count(dir, INT64_MIN, INT64_MAX).rows, 10 * 5000);
	archive_close(archive);
	options.keep_ns = 0;
	options.keep_bytes = 100000;
	must(archive_open(&options, &archive, &must_err));
	int removed = archive_retain(archive, 0, NULL), left = segments_of(dir, first);
	assert_int_equal(removed + left, 10);
	assert_true(left >= 1 && left < 10);

	snprintf(path, sizeof path, "%s/%s", dir, first);
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 20), 1);
	close(fd);
	struct counted counted = count(dir, INT64_MIN, INT64_MAX);
	assert_int_equal(counted.troubles, 1); /* the damaged one is told; the others are read */
	assert_int_equal(counted.rows, (left - 1) * 5000);
	archive_close(archive);
	remove_tree(dir);
}

/* --- questions --------------------------------------------------------------------------------------------------- */

static int add_block(void *context, const struct block *block, struct err *err)
{
	return scan_add(context, block, err);
}

static void groups_are_what_a_loop_counts(void **state)
{
	(void)state;
	enum { ROWS = 60000, PORTS = 8 };
	char room[64], *dir = make_dir(room);
	struct archive_options options = {.dir = dir, .kind = &record_flow};
	struct archive *archive;
	struct batch *batch = made(ROWS, BEGIN_NS, 9);
	uint64_t flows[PORTS] = {0}, bytes[PORTS] = {0}, passed = 0;
	must(archive_open(&options, &archive, &must_err));
	must(archive_put(archive, batch, &must_err));
	archive_close(archive);
	for (uint32_t i = 0; i < ROWS; i++) {
		unsigned port = BATCH_COLUMN(batch, uint16_t, column_of("target_port"))[i];
		bool v4 = addr_is_v4(&BATCH_COLUMN(batch, struct addr, column_of("source"))[i]);
		uint64_t size = BATCH_COLUMN(batch, uint64_t, column_of("bytes"))[i];
		if (!v4 || size <= 1000)
			continue;
		passed++;
		flows[port]++;
		bytes[port] += size;
	}
	static struct scan_filter filter;
	must(flow_filter_parse("src net 10/8 and bytes > 1000 and duration = 1000", &filter, &must_err));
	struct scan_question question = {.kind = &record_flow,
					 .from_ns = INT64_MIN,
					 .to_ns = INT64_MAX,
					 .filter = &filter,
					 .key_count = 1,
					 .keys = {{column_of("target_port"), UINT64_MAX, UINT64_MAX}},
					 .either.column = UINT16_MAX,
					 .sum_count = 1,
					 .sums = {column_of("bytes")},
					 .derive = flow_derive};
	struct scan *scan;
	struct scan_group groups[5], total;
	must(scan_open(&question, &scan, &must_err));
	struct archive_visit visit = {add_block, NULL, scan};
	must(archive_read(dir, INT64_MIN, INT64_MAX, &visit, &must_err));
	assert_int_equal(scan_top(scan, 0, groups, 5, &total, NULL), 5);
	assert_int_equal(scan_groups(scan), PORTS);
	assert_int_equal(total.rows, passed);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(groups[i].rows, flows[groups[i].low[0]]);
		assert_int_equal(groups[i].sums[0], bytes[groups[i].low[0]]);
		assert_true(i == 0 || groups[i].sums[0] <= groups[i - 1].sums[0]);
		for (int port = 0, greater = 0; port < PORTS; port++)
			if (bytes[port] > groups[i].sums[0])
				assert_true(++greater <= i);
	}
	scan_close(scan);
	batch_free(batch);
	remove_tree(dir);
}

static void many_groups_are_each_one(void **state)
{
	(void)state;
	enum { ROWS = 30000, ROUNDS = 5 };
	struct scan_question question = {
		.kind = &record_flow,
		.from_ns = INT64_MIN,
		.to_ns = INT64_MAX,
		.key_count = 2,
		.keys = {{column_of("source"), UINT64_MAX, UINT64_MAX}, {column_of("first"), UINT64_MAX, UINT64_MAX}},
		.either.column = UINT16_MAX,
		.sum_count = 1,
		.sums = {column_of("packets")}};
	struct scan *scan;
	struct scan_group top, total;
	must(scan_open(&question, &scan, &must_err));
	struct batch *batch = made(ROWS, BEGIN_NS, 4);
	uint8_t *packed = malloc(block_bound(batch));
	struct block block;
	assert_int_equal(block_read(packed, block_write(batch, packed), &block, NULL), 1);
	for (int round = 0; round < ROUNDS; round++)
		must(scan_add(scan, &block, &must_err));
	assert_int_equal(scan_top(scan, -1, &top, 1, &total, NULL), 1);
	assert_int_equal(scan_groups(scan), ROWS); /* every row has a time of its own */
	assert_int_equal(top.rows, ROUNDS);
	assert_int_equal(total.rows, ROWS * ROUNDS);
	scan_close(scan);
	free(packed);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_flushed_stays),
		cmocka_unit_test(segments_end_and_go),
		cmocka_unit_test(groups_are_what_a_loop_counts),
		cmocka_unit_test(many_groups_are_each_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
