/* Rows a second of each detector, of the report and of the look-up of places, on one core: a minute of telescope
 * traffic after another, with botnets, a worm's noise and one-packet sources in the proportions of a busy darknet.
 */
#include "analyze/detectors.h"
#include "analyze/report.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/hash.h"
#include "sys/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTES = 20, ROWS = 60000 };
#define T0 (INT64_C(1767225600) * NS_PER_S)

static int discard(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)sink, (void)batch, (void)err;
	return 0;
}

static struct batch *tuples_make(int minute, uint64_t *random)
{
	struct batch *batch = batch_new(&record_tuple, ROWS);
	static const uint16_t ports[] = {23, 2323, 445, 80, 443, 22, 8080, 3389, 5555, 37215};
	for (uint32_t i = 0; i < ROWS; i++) {
		bool bot = i % 3 == 0;
		uint32_t source =
			bot ? 0x40000000 + (uint32_t)random_below(random, 60000) : (uint32_t)random_next(random);
		int64_t first = T0 + minute * NS_PER_MINUTE + (int64_t)random_below(random, 60) * NS_PER_S;
		BATCH_COLUMN(batch, int64_t, 0)[i] = T0 + minute * NS_PER_MINUTE;
		BATCH_COLUMN(batch, struct addr, 2)[i] = addr_from_v4(source);
		BATCH_COLUMN(batch, uint8_t, 4)[i] = bot ? TOOL_MIRAI : TOOL_UNKNOWN;
		BATCH_COLUMN(batch, uint8_t, 6)[i] = 6;
		BATCH_COLUMN(batch, uint16_t, 7)
		[i] = bot                       ? ports[random_below(random, 2)]
		      : random_below(random, 3) ? ports[random_below(random, 10)]
						: (uint16_t)random_next(random);
		BATCH_COLUMN(batch, uint32_t, 11)[i] = 1 + (uint32_t)random_below(random, 4);
		BATCH_COLUMN(batch, uint32_t, 13)[i] = 1;
		BATCH_COLUMN(batch, int64_t, 14)[i] = first;
		BATCH_COLUMN(batch, int64_t, 15)[i] = first;
		BATCH_COLUMN(batch, uint32_t, 17)[i] = (uint32_t)random_below(random, 300);
	}
	batch->rows = ROWS;
	return batch;
}

static struct batch *echoes_make(int minute, uint64_t *random)
{
	struct batch *batch = batch_new(&record_echo, ROWS);
	for (uint32_t i = 0; i < ROWS; i++) {
		int64_t first = T0 + minute * NS_PER_MINUTE + (int64_t)random_below(random, 6) * 10 * NS_PER_S;
		BATCH_COLUMN(batch, int64_t, 0)[i] = first;
		BATCH_COLUMN(batch, struct addr, 2)[i] = addr_from_v4((uint32_t)random_below(random, 30000));
		BATCH_COLUMN(batch, uint8_t, 3)[i] = 6;
		BATCH_COLUMN(batch, uint16_t, 4)[i] = random_below(random, 4) ? 80 : 443;
		BATCH_COLUMN(batch, uint32_t, 5)[i] = 1 + (uint32_t)random_below(random, 8);
		BATCH_COLUMN(batch, uint32_t, 7)[i] = 1;
		BATCH_COLUMN(batch, int64_t, 8)[i] = first;
		BATCH_COLUMN(batch, int64_t, 9)[i] = first;
	}
	batch->rows = ROWS;
	return batch;
}

static void say(const char *name, int64_t begin, double rows, size_t bytes)
{
	double seconds = (double)(clock_monotonic_ns() - begin) / (double)NS_PER_S;
	printf("%-12s %8.2f million rows/s %8.1f MiB\n", name, rows / seconds / 1e6, (double)bytes / (1 << 20));
}

static int places_bench(const char *dir, struct batch *const *tuples)
{
	struct places *places;
	struct err err;
	int64_t begin = clock_monotonic_ns();
	if (places_open(dir, &places, &err) < 0) {
		printf("places       skipped: %s\n", err.text);
		return 0;
	}
	printf("places       opened in %.0f ms\n", (double)(clock_monotonic_ns() - begin) / (double)NS_PER_MS);
	begin = clock_monotonic_ns();
	for (int i = 0; i < MINUTES; i++)
		places_find_many(places, tuples[i]->columns[2], ROWS, tuples[i]->columns[18], tuples[i]->columns[19]);
	say("places join", begin, (double)MINUTES * ROWS, places_bytes(places));
	places_close(places);
	return 0;
}

int main(int argc, char **argv)
{
	struct batch *tuples[MINUTES], *echoes[MINUTES];
	uint64_t random = 1;
	for (int i = 0; i < MINUTES; i++) {
		tuples[i] = tuples_make(i, &random);
		echoes[i] = echoes_make(i, &random);
	}
	places_bench(argc > 1 ? argv[1] : "deps", tuples);
	struct sink sink = {discard};
	struct vantage vantage = {.darknet_addresses = 65536};
	for (size_t d = 0; detector_table[d]; d++) {
		const struct detector *detector = detector_table[d];
		struct pool *pool = pool_new(NULL, "bench");
		void *options = pool_alloc(pool, detector->options_bytes), *state;
		struct findings findings;
		if (!options || options_init(detector->options, options, pool, NULL) < 0 ||
		    detector->open(options, &vantage, pool, &state, NULL) < 0 || findings_init(&findings, &sink) < 0)
			return 1;
		int64_t begin = clock_monotonic_ns();
		for (int i = 0; i < MINUTES; i++)
			if (detector->take(state, detector->takes == &record_echo ? echoes[i] : tuples[i], &findings,
					   NULL) < 0)
				return 1;
		if (detector->finish(state, &findings, NULL) < 0)
			return 1;
		say(detector->name, begin, (double)MINUTES * ROWS, pool_bytes(pool));
		findings_done(&findings);
		pool_free(pool);
	}
	struct report *report = report_new(NULL);
	int64_t begin = clock_monotonic_ns();
	for (int i = 0; i < MINUTES; i++)
		if (!report || report_take(report, tuples[i], NULL) < 0)
			return 1;
	say("report", begin, (double)MINUTES * ROWS, 0);
	printf("report       %llu distinct sources\n", (unsigned long long)report_sources(report));
	report_free(report);
	for (int i = 0; i < MINUTES; i++) {
		batch_free(tuples[i]);
		batch_free(echoes[i]);
	}
	return 0;
}
