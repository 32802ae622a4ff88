/* How quick flow information becomes columns: the decoder over datagrams in memory, and from a capture file, in records
 * per second of CPU time.
 *
 *   bench_flow [MESSAGES]      default: 60,000 of each form (80 MB); the file lies in $TMPDIR or /var/tmp for so long
 *
 * Each figure is the best of ROUNDS, because the machine is shared. */
#include "exports.h"

#include "core/clock.h"
#include "observe/flow/reader.h"
#include "store/archive.h"
#include "store/scan.h"
#include "wire/pcap_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5 };

static int64_t cpu_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct counter {
	struct sink sink;
	uint64_t rows, bytes;
};

/* Looks at every value of one column, as whoever takes a batch will. */
static int counter_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)err;
	struct counter *counter = (struct counter *)sink;
	const uint64_t *bytes = BATCH_COLUMN(batch, uint64_t, record_column_index(&record_flow, "bytes"));
	for (uint32_t row = 0; row < batch->rows; row++)
		counter->bytes += bytes[row];
	counter->rows += batch->rows;
	return 0;
}

static void must(int result, const struct err *err)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

struct datagrams {
	uint8_t (*data)[EXPORT_BYTES_MAX];
	uint16_t *bytes;
	unsigned count;
	uint64_t records;
};

static void make(struct datagrams *datagrams, enum export_form form, unsigned count)
{
	struct exports exports = {.form = form, .seed = 1};
	for (unsigned i = 0; i < count; i++) {
		unsigned records;
		datagrams->bytes[i] = (uint16_t)exports_next(&exports, datagrams->data[i], &records);
	}
	datagrams->count = count;
	datagrams->records = exports.records;
}

static void say(const char *what, uint64_t records, double seconds)
{
	printf("%-44s %8.1f M records/s  %6.1f ns/record  (%llu records)\n", what, (double)records / seconds / 1e6,
	       seconds * 1e9 / (double)records, (unsigned long long)records);
	fflush(stdout);
}

static void measure(const char *what, const struct datagrams *datagrams)
{
	double best = 1e9;
	struct addr from = addr_from_v4(0xc0000201);
	for (int round = 0; round < ROUNDS; round++) {
		struct counter counter = {.sink.put = counter_put};
		struct collector_options options = {0};
		struct collector *collector;
		struct err err;
		must(collector_new(&options, &counter.sink, &collector, &err), &err);
		int64_t begin = cpu_now_ns();
		for (unsigned i = 0; i < datagrams->count; i++)
			must(collector_feed(collector, &from, datagrams->data[i], datagrams->bytes[i], 1, &err), &err);
		must(collector_flush(collector, &err), &err);
		double seconds = (double)(cpu_now_ns() - begin) / 1e9;
		best = seconds < best ? seconds : best;
		if (counter.rows != datagrams->records || counter.bytes == 0) {
			fprintf(stderr, "%s: %llu of %llu records came out\n", what, (unsigned long long)counter.rows,
				(unsigned long long)datagrams->records);
			exit(1);
		}
		collector_free(collector);
	}
	say(what, datagrams->records, best);
}

static int write_capture(const char *path, const struct datagrams *datagrams)
{
	static const uint8_t head[28] = {0x45, 0, 0,   0, 0, 0, 0,    0,    64, 17, 0, 0, 192, 0,
					 2,    1, 192, 0, 2, 2, 0x9c, 0x40, 8,  7,  0, 0, 0,   0};
	uint8_t frame_bytes[sizeof head + EXPORT_BYTES_MAX], bytes[sizeof frame_bytes + 64];
	FILE *file = fopen(path, "wb");
	if (!file)
		return -1;
	fwrite(bytes, 1, pcap_write_header(bytes, 101, 65535, false), file);
	for (unsigned i = 0; i < datagrams->count; i++) {
		unsigned length = datagrams->bytes[i] + 8u, total = length + 20;
		memcpy(frame_bytes, head, sizeof head);
		frame_bytes[2] = (uint8_t)(total >> 8), frame_bytes[3] = (uint8_t)total;
		frame_bytes[24] = (uint8_t)(length >> 8), frame_bytes[25] = (uint8_t)length;
		memcpy(frame_bytes + sizeof head, datagrams->data[i], datagrams->bytes[i]);
		struct frame frame = {.time_ns = INT64_C(1780000000) * NS_PER_S + i * INT64_C(1000),
				      .data = frame_bytes,
				      .captured_bytes = total,
				      .wire_bytes = total,
				      .link_type = 101};
		fwrite(bytes, 1, pcap_write_frame(bytes, &frame, false), file);
	}
	return fclose(file);
}

static void nothing(void *context, const struct flow_file_figures *figures)
{
	(void)context;
	(void)figures;
}

static void trouble(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
	exit(1);
}

static void measure_file(const char *path, uint64_t records)
{
	double best = 1e9;
	struct flow_watch watch = {nothing, trouble, NULL};
	for (int round = 0; round < ROUNDS; round++) {
		struct counter counter = {.sink.put = counter_put};
		struct collector_options options = {0};
		struct flow_file_figures figures = {0};
		struct collector *collector;
		struct err err;
		must(collector_new(&options, &counter.sink, &collector, &err), &err);
		int64_t begin = cpu_now_ns();
		must(flow_file_read(path, collector, &watch, &figures, &err), &err);
		must(collector_flush(collector, &err), &err);
		double seconds = (double)(cpu_now_ns() - begin) / 1e9;
		best = seconds < best ? seconds : best;
		if (counter.rows != records)
			exit(1);
		collector_free(collector);
	}
	say("capture file to columns, v9", records, best);
}

/* --- the archive ------------------------------------------------------------------------------------------------- */

struct keeper {
	struct sink sink;
	struct archive *archive;
};

static int keeper_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	return archive_put(((struct keeper *)sink)->archive, batch, err);
}

static void measure_storing(const char *dir, const char *path, uint64_t records)
{
	struct flow_watch watch = {nothing, trouble, NULL};
	struct archive_options options = {.dir = dir, .kind = &record_flow};
	struct keeper keeper = {.sink.put = keeper_put};
	struct collector_options collecting = {0};
	struct flow_file_figures figures = {0};
	struct collector *collector;
	struct err err;
	must(archive_open(&options, &keeper.archive, &err), &err);
	must(collector_new(&collecting, &keeper.sink, &collector, &err), &err);
	int64_t begin = cpu_now_ns();
	must(flow_file_read(path, collector, &watch, &figures, &err), &err);
	must(collector_flush(collector, &err), &err);
	must(archive_flush(keeper.archive, &err), &err);
	say("capture file to the archive, v9", records, (double)(cpu_now_ns() - begin) / 1e9);
	collector_free(collector);
	archive_close(keeper.archive);
}

struct sizes {
	uint64_t rows, bytes;
	uint64_t column[BLOCK_COLUMNS_MAX];
};

static int size_add(void *context, const struct block *block, struct err *err)
{
	(void)err;
	struct sizes *sizes = context;
	sizes->rows += block->rows;
	sizes->bytes += block->bytes;
	for (unsigned c = 0; c < block->columns; c++)
		sizes->column[c] += block->column[c].bytes;
	return 0;
}

static void measure_size(const char *dir)
{
	struct sizes sizes = {0};
	struct archive_visit visit = {size_add, trouble, &sizes};
	struct err err;
	must(archive_read(dir, INT64_MIN, INT64_MAX, &visit, &err), &err);
	printf("%-44s %8.1f bytes a record:", "archive", (double)sizes.bytes / (double)sizes.rows);
	for (unsigned c = 0; record_flow.columns[c].name; c++)
		if (sizes.column[c] * 20 > sizes.rows)
			printf(" %s %.1f", record_flow.columns[c].name, (double)sizes.column[c] / (double)sizes.rows);
	printf("\n");
}

static int scan_each(void *context, const struct block *block, struct err *err)
{
	return scan_add(context, block, err);
}

static void measure_question(const char *what, const char *dir, const char *const *keys, uint64_t records)
{
	double best = 1e9;
	uint64_t groups = 0;
	for (int round = 0; round < 3; round++) {
		struct scan_question question = {
			.kind = &record_flow, .from_ns = INT64_MIN, .to_ns = INT64_MAX, .sum_count = 2};
		struct scan_group top[10], total;
		struct scan *scan;
		struct err err;
		question.either.column = UINT16_MAX;
		question.sums[0] = (uint16_t)record_column_index(&record_flow, "bytes");
		question.sums[1] = (uint16_t)record_column_index(&record_flow, "packets");
		for (; *keys && question.key_count < 2 && keys[question.key_count]; question.key_count++)
			question.keys[question.key_count] =
				(struct scan_key){(uint16_t)record_column_index(&record_flow, keys[question.key_count]),
						  UINT64_MAX, UINT64_MAX};
		must(scan_open(&question, &scan, &err), &err);
		struct archive_visit visit = {scan_each, trouble, scan};
		int64_t begin = cpu_now_ns();
		must(archive_read(dir, INT64_MIN, INT64_MAX, &visit, &err), &err);
		must((int)scan_top(scan, 0, top, 10, &total, &err), &err);
		double seconds = (double)(cpu_now_ns() - begin) / 1e9;
		best = seconds < best ? seconds : best;
		groups = scan_groups(scan);
		if (total.rows != records)
			exit(1);
		scan_close(scan);
	}
	printf("%-44s %8.3f s of CPU  %6.1f ns/record  (%llu records, %llu groups)\n", what, best,
	       best * 1e9 / (double)records, (unsigned long long)records, (unsigned long long)groups);
}

static void measure_archive(const char *path, uint64_t records)
{
	char dir[80], command[128];
	snprintf(dir, sizeof dir, "%s.archive", path);
	measure_storing(dir, path, records);
	measure_size(dir);
	measure_question("top 10 sources by bytes", dir, (const char *const[]){"source", NULL}, records);
	measure_question("top 10 ports by bytes", dir, (const char *const[]){"target_port", NULL}, records);
	measure_question("top 10 pairs of source and target by bytes", dir,
			 (const char *const[]){"source", "target", NULL}, records);
	snprintf(command, sizeof command, "rm -r %s", dir);
	if (system(command) != 0)
		fprintf(stderr, "%s stays\n", dir);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"decode v5", "decode v9, three templates, a quarter IPv6",
					    "decode IPFIX, three templates, a quarter IPv6"};
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 60000;
	struct datagrams datagrams = {malloc((size_t)count * EXPORT_BYTES_MAX), malloc(count * sizeof(uint16_t)), 0, 0};
	if (!count || !datagrams.data || !datagrams.bytes)
		return 1;
	for (enum export_form form = EXPORT_V5; form <= EXPORT_IPFIX; form++) {
		make(&datagrams, form, count);
		measure(names[form], &datagrams);
	}
	char path[64];
	snprintf(path, sizeof path, "%s/bench_flow.%d.pcap", getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp",
		 (int)getpid());
	make(&datagrams, EXPORT_V9, count);
	if (write_capture(path, &datagrams) != 0) {
		perror(path);
		unlink(path);
		return 1;
	}
	measure_file(path, datagrams.records);
	measure_archive(path, datagrams.records);
	unlink(path);
	free(datagrams.data);
	free(datagrams.bytes);
	return 0;
}
