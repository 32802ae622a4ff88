/* The store on what a national telescope gives it: rows appended a second, bytes a row and a packet on disk, roll-ups,
 * and how long the questions of the pages take.
 *
 *   bench_store [--packets N] [--seconds S] [--deps DIR] [--keep DIR]
 *
 * N packets (13,320,000: ten minutes of NICTER's average) of traffic.h go through the telescope; its minute tuples,
 * joined with country and network, are put and flushed as a hub does, minute by minute. Feeding ends after S seconds
 * (60) if N was not reached. The directory lies in $TMPDIR or /var/tmp and is removed at the end;
 * --keep DIR uses that one and leaves it.
 */
#include "traffic.h"

#include "core/clock.h"
#include "observe/telescope/telescope.h"
#include "store/store.h"
#include "sys/places.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_NS (INT64_C(1780000020) * NS_PER_S) /* a whole minute */

struct intake_sink {
	struct sink sink;
	struct store *store;
	struct places *places;
	uint64_t rows, packets;
	double seconds, cpu_seconds, worst_flush;
	int64_t minute;
};

static double clock_seconds(clockid_t which)
{
	struct timespec now;
	clock_gettime(which, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const struct err *err)
{
	fprintf(stderr, "bench_store: %s\n", err->text);
	exit(1);
}

static int intake_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct intake_sink *intake = (struct intake_sink *)sink;
	if (batch->kind != &record_tuple && batch->kind != &record_echo)
		return 0;
	if (batch->kind == &record_tuple) {
		places_find_many(intake->places, batch->columns[2], batch->rows, batch->columns[18],
				 batch->columns[19]);
		for (uint32_t i = 0; i < batch->rows; i++)
			intake->packets += BATCH_COLUMN(batch, uint32_t, 11)[i];
		intake->rows += batch->rows;
	}
	double begin = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	int code = store_put(intake->store, batch, err);
	intake->seconds += clock_seconds(CLOCK_MONOTONIC) - begin;
	intake->cpu_seconds += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	return code < 0 ? code : 0;
}

static void flush(struct intake_sink *intake)
{
	struct err err = {""};
	double begin = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (store_flush(intake->store, &err) < 0)
		fail(&err);
	double took = clock_seconds(CLOCK_MONOTONIC) - begin;
	intake->seconds += took;
	intake->cpu_seconds += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	intake->worst_flush = took > intake->worst_flush ? took : intake->worst_flush;
}

static uint64_t feed(struct intake_sink *intake, uint64_t packets, double seconds)
{
	struct prefix darknet;
	struct err err = {""};
	struct telescope *telescope = NULL;
	if (prefix_parse("198.18.0.0/15", &darknet, &err) < 0)
		fail(&err);
	struct telescope_options options = {.darknet = {&darknet, 1}, .sensor = 1};
	if (telescope_new(&options, &intake->sink, &telescope, &err) < 0)
		fail(&err);
	static uint8_t bytes[BURST_MAX][TRAFFIC_FRAME_BYTES_MAX];
	struct frame frames[BURST_MAX];
	struct traffic traffic = {.random = 1};
	double until = clock_seconds(CLOCK_MONOTONIC) + seconds;
	uint64_t fed = 0;
	int64_t minute = BEGIN_NS;
	while (fed < packets && clock_seconds(CLOCK_MONOTONIC) < until) {
		for (unsigned i = 0; i < BURST_MAX; i++, fed++) {
			uint32_t length = (uint32_t)traffic_frame(&traffic, bytes[i]);
			frames[i] = (struct frame){
				BEGIN_NS + (int64_t)fed * TRAFFIC_NS_PER_PACKET, bytes[i], length, length, 1, 0};
		}
		if (telescope_feed(telescope, frames, BURST_MAX, &err) < 0)
			fail(&err);
		if (frames[BURST_MAX - 1].time_ns - minute >= NS_PER_MINUTE) {
			flush(intake);
			minute += NS_PER_MINUTE;
		}
	}
	if (telescope_finish(telescope, &err) < 0)
		fail(&err);
	flush(intake);
	telescope_free(telescope);
	return fed;
}

static void ask(struct store *store, const char *what, const char *text)
{
	struct err err = {""};
	struct query *query = NULL;
	json_t *json = json_loads(text, 0, NULL), *answer = NULL;
	if (!json || query_from_json(json, BEGIN_NS + NS_PER_DAY, &query, &err) < 0)
		fail(&err);
	double best = 1e9;
	for (int round = 0; round < 3; round++) {
		double begin = clock_seconds(CLOCK_MONOTONIC);
		if (store_query(store, query, &answer, &err) < 0)
			fail(&err);
		double took = clock_seconds(CLOCK_MONOTONIC) - begin;
		best = took < best ? took : best;
		if (round < 2)
			json_decref(answer);
	}
	printf("%-58s %8.1f ms   %zu rows\n", what, best * 1000, json_array_size(json_object_get(answer, "rows")));
	json_decref(answer);
	json_decref(json);
	query_free(query);
}

static void questions(struct store *store)
{
#define ALL "\"kind\":\"tuple\",\"from\":\"2026-01-01\",\"to\":\"2027-01-01\""
	ask(store, "query: packets and sources by minute",
	    "{" ALL ",\"bucket\":\"1m\",\"aggregates\":[{\"op\":\"sum\",\"field\":\"packets\"},{\"op\":\"distinct\","
	    "\"field\":\"source\"}]}");
	ask(store, "query: top 20 ports with exact sources",
	    "{" ALL ",\"keys\":[\"protocol\",\"port\"],\"aggregates\":[{\"op\":\"sum\",\"field\":\"packets\"},{\"op\":"
	    "\"distinct\",\"field\":\"source\"}],\"order\":[{\"by\":\"sum_packets\",\"descending\":true}],\"limit\":"
	    "20}");
	ask(store, "query: top 20 countries of one port",
	    "{" ALL
	    ",\"filters\":[{\"field\":\"port\",\"value\":23}],\"keys\":[\"country\"],\"aggregates\":[{\"op\":\"sum\","
	    "\"field\":\"packets\"}],\"order\":[{\"by\":\"sum_packets\",\"descending\":true}],\"limit\":20}");
	ask(store, "query: everything of one /24",
	    "{" ALL ",\"filters\":[{\"field\":\"source\",\"op\":\"prefix\",\"value\":\"100.64.1.0/24\"}]}");
	ask(store, "query: a year's roll-up, top 100 ports",
	    "{\"kind\":\"rollup\",\"from\":\"2026-01-01\",\"to\":\"2027-01-01\",\"filters\":[{\"field\":\"level\","
	    "\"value\":"
	    "\"year\"},{\"field\":\"dimension\",\"value\":\"port\"}],\"keys\":[\"key\"],\"aggregates\":[{\"op\":"
	    "\"sum\","
	    "\"field\":\"packets\"}],\"order\":[{\"by\":\"sum_packets\",\"descending\":true}],\"limit\":100}");
}

static int64_t status_number(struct store *store, const char *name)
{
	json_t *status = NULL;
	struct err err = {""};
	if (store_status(store, &status, &err) < 0)
		fail(&err);
	int64_t number = json_integer_value(json_object_get(status, name));
	json_decref(status);
	return number;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static void measure(struct store *store, struct places *places, uint64_t packets, double seconds)
{
	struct intake_sink intake = {.sink.put = intake_put, .store = store, .places = places};
	struct err err = {""};
	uint64_t fed = feed(&intake, packets, seconds);
	printf("%" PRIu64 " packets, %" PRIu64 " tuples (%.2f packets a tuple)\n", fed, intake.rows,
	       (double)intake.packets / (double)intake.rows);
	printf("%-58s %8.0f k rows/s, %.0f k rows/s of one core, longest flush %.0f ms\n", "put and flush (durable)",
	       (double)intake.rows / intake.seconds / 1e3, (double)intake.rows / intake.cpu_seconds / 1e3,
	       intake.worst_flush * 1000);
	if (store_retain(store, BEGIN_NS, &err) < 0) /* nothing is old; a checkpoint */
		fail(&err);
	int64_t bytes = status_number(store, "bytes");
	printf("%-58s %8.2f bytes/row %6.2f bytes/packet\n", "archive on disk", (double)bytes / (double)intake.rows,
	       (double)bytes / (double)intake.packets);
	double begin = clock_seconds(CLOCK_MONOTONIC);
	if (store_roll_up(store, BEGIN_NS + 400 * NS_PER_DAY, &err) < 0)
		fail(&err);
	printf("%-58s %8.1f s\n", "roll-ups of all levels and dimensions", clock_seconds(CLOCK_MONOTONIC) - begin);
	questions(store);
	begin = clock_seconds(CLOCK_MONOTONIC);
	if (store_retain(store, BEGIN_NS + 400 * NS_PER_DAY, &err) < 0)
		fail(&err);
	int64_t left = status_number(store, "bytes");
	printf("%-58s %8.1f s   %" PRId64 " MiB of %" PRId64 " MiB left\n", "retention: every tuple goes",
	       clock_seconds(CLOCK_MONOTONIC) - begin, left >> 20, bytes >> 20);
}

int main(int argc, char **argv)
{
	uint64_t packets = 13320000;
	double seconds = 60;
	const char *deps = DEPS_DIR, *keep = NULL;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--packets") == 0)
			packets = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--seconds") == 0)
			seconds = strtod(argv[i + 1], NULL);
		else if (strcmp(argv[i], "--deps") == 0)
			deps = argv[i + 1];
		else if (strcmp(argv[i], "--keep") == 0)
			keep = argv[i + 1];
	}
	char dir[256];
	const char *base = getenv("TMPDIR");
	snprintf(dir, sizeof dir, "%s%s", keep ? keep : base ? base : "/var/tmp", keep ? "" : "/bench-store-XXXXXX");
	struct err err = {""};
	struct pool *pool = pool_new(NULL, "bench");
	struct store_options options = {.dir = NULL};
	struct places *places = NULL;
	struct store *store = NULL;
	if ((!keep && !mkdtemp(dir)) || options_init(store_option_table, &options, pool, &err) < 0)
		fail(&err);
	options.dir = dir;
	if (places_open_degraded(deps, &places, &err) < 0 || store_open(&options, &store, &err) < 0)
		fail(&err);
	measure(store, places, packets, seconds);
	store_close(store);
	places_close(places);
	pool_free(pool);
	if (!keep)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
