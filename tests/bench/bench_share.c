/* Sharing at the size of a country: STIX objects judged and stored a second, a collection read page by page and its
 * manifests asked for, a million MISP attributes imported and correlated, 10,000 objects of one date read while others
 * are put.
 *
 *   bench_share [--objects N] [--attributes N] [--keep DIR]
 *
 * N is 200,000 without options, so that it takes a minute; the figures of the specification are of 1,000,000. The store
 * lies in $TMPDIR or /var/tmp and is removed at the end; --keep DIR uses that one and leaves it.
 */
#include "core/clock.h"
#include "core/hash.h"
#include "share/import.h"
#include "store/indicators.h"
#include "wire/stix.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct indicators *store;
static char dir[4096];

static void fail(const char *what, const struct err *err)
{
	fprintf(stderr, "bench_share: %s: %s\n", what, err->text);
	exit(1);
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct span {
	int64_t begin_ns;
	double begin_cpu;
};

static struct span span_begin(void)
{
	return (struct span){clock_monotonic_ns(), cpu_seconds()};
}

static void span_say(const struct span *span, const char *what, const char *unit, double count)
{
	double wall = (double)(clock_monotonic_ns() - span->begin_ns) / 1e9, cpu = cpu_seconds() - span->begin_cpu;
	printf("%-52s %10.0f %s/s  (%.1f s, %.0f a second of CPU)\n", what, count / wall, unit, wall, count / cpu);
	fflush(stdout);
}

static size_t object_write(char *out, uint64_t number)
{
	uint64_t state = number;
	uint64_t a = random_next(&state), b = random_next(&state);
	return (size_t)sprintf(
		out,
		"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08x-%04x-4%03x-8%03x-%012llx\","
		"\"created\":"
		"\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"Scanner "
		"%llu\",\"description\":\"Seen by the "
		"telescope on port 23, tool mirai, 1234 packets to 200 addresses within an hour\",\"indicator_types\":"
		"[\"malicious-activity\"],\"pattern\":\"[ipv4-addr:value = "
		"'%u.%u.%u.%u']\",\"pattern_type\":\"stix\",\"pattern_version\":"
		"\"2.1\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"confidence\":%u,\"object_marking_refs\":"
		"[\"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\"],\"labels\":[\"scanner\"]}",
		(unsigned)a, (unsigned)(a >> 32) & 0xffff, (unsigned)(a >> 48) & 0xfff, (unsigned)b & 0xfff,
		(unsigned long long)(b >> 16) & 0xffffffffffffULL, (unsigned long long)number,
		(unsigned)(b >> 8) % 223 + 1, (unsigned)(b >> 16) & 255, (unsigned)(b >> 24) & 255,
		(unsigned)(b >> 32) & 255, (unsigned)(b % 101));
}

static char *bundle_make(uint64_t first, uint64_t count, size_t *ret_bytes)
{
	char *text = malloc(count * 800 + 200);
	if (!text)
		exit(1);
	size_t used = (size_t)sprintf(
		text, "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000000\",\"objects\":[");
	for (uint64_t i = 0; i < count; i++) {
		if (i)
			text[used++] = ',';
		used += object_write(text + used, first + i);
	}
	used += (size_t)sprintf(text + used, "]}");
	*ret_bytes = used;
	return text;
}

static void judge_all(const char *text, size_t bytes, uint64_t count)
{
	struct stix_reader *reader = stix_reader_new(STIX_OBJECT_BYTES_MAX);
	struct stix_walk walk;
	struct json_slice slice;
	struct stix_object object;
	struct err err = {""};
	uint64_t good = 0;
	struct span span = span_begin();
	if (stix_walk_open(reader, &walk, text, bytes, &err) != 0)
		fail("walk", &err);
	while (stix_walk_next(&walk, &slice, &err) == 1)
		good += stix_judge(reader, slice, &object, &err) == 0;
	if (good != count)
		fail("judge", &err);
	span_say(&span, "STIX judged (goal 100,000 with storing)", "objects", (double)count);
	stix_reader_free(reader);
}

static struct import_result import_all(const char *text, size_t bytes, enum import_format format, const char *name)
{
	const struct import import = {.store = store,
				      .format = format,
				      .source = {"file", name, "bench"},
				      .tlp = TLP_GREEN,
				      .confidence = 50,
				      .now_ns = clock_now_ns()};
	struct import_result result;
	struct err err = {""};
	if (import_text(&import, text, bytes, &result, &err) < 0)
		fail(name, &err);
	return result;
}

enum { SAME = 10000 };

struct reading {
	uint64_t count, bytes;
	int64_t last_us;
	uint8_t *marks;
};

static int row_count(void *context, const struct indicators_row *row)
{
	struct reading *reading = context;
	reading->count++;
	reading->bytes += row->bytes;
	reading->last_us = row->added_us;
	if (reading->marks && row->text) {
		unsigned long long number = strtoull(strstr(row->text, "\"Scanner ") + 9, NULL, 10);
		if (number < SAME)
			reading->marks[number]++;
	}
	return 0;
}

static void shelf_read(int64_t collection, uint64_t most)
{
	struct reading reading = {0};
	struct err err = {""};
	bool more = true;
	struct span span = span_begin();
	while (more && reading.count < most) {
		const struct indicators_want want = {
			.collection = collection, .limit = 1000, .with_text = true, .after_us = reading.last_us};
		if (indicators_shelf(store, &want, row_count, &reading, &more, &err) < 0)
			fail("read", &err);
	}
	span_say(&span, "collection read in pages of 1,000 (goal 50,000)", "objects", (double)reading.count);
}

static void manifests_read(int64_t collection, int64_t begin_us, uint64_t objects)
{
	enum { REQUESTS = 20000 };
	struct reading reading = {0};
	struct err err = {""};
	uint64_t state = 7;
	bool more;
	struct span span = span_begin();
	for (int i = 0; i < REQUESTS; i++) {
		const struct indicators_want want = {.collection = collection,
						     .limit = 100,
						     .after_us = begin_us + (int64_t)random_below(&state, objects)};
		if (indicators_shelf(store, &want, row_count, &reading, &more, &err) < 0)
			fail("manifest", &err);
	}
	span_say(&span, "manifests of 100 anywhere in it (goal 5,000)", "requests", REQUESTS);
}

static void *others_put(void *context)
{
	_Atomic bool *stop = context;
	for (uint64_t first = 1 << 30; !*stop; first += 500) {
		size_t bytes;
		char *text = bundle_make(first, 500, &bytes);
		import_all(text, bytes, IMPORT_STIX, "others");
		free(text);
	}
	return NULL;
}

/* 10,000 objects that came at one instant, read in pages of 100 while another thread puts. */
static void one_date_read(int64_t collection)
{
	struct reading reading = {.marks = calloc(SAME, 1)};
	struct err err = {""};
	_Atomic bool stop = false;
	bool more = true;
	size_t bytes;
	char *text = bundle_make(0, SAME, &bytes);
	for (char *at = text; (at = strstr(at, "indicator--")); at += 11) /* other ids than before */
		at[11] = at[11] == 'f' ? 'e' : 'f';
	while (more) { /* to the end of what is there */
		const struct indicators_want want = {
			.collection = collection, .limit = INDICATORS_PAGE_MAX, .after_us = reading.last_us};
		if (indicators_shelf(store, &want, row_count, &reading, &more, &err) < 0)
			fail("read", &err);
	}
	import_all(text, bytes, IMPORT_STIX, "same");
	free(text);
	pthread_t thread;
	pthread_create(&thread, NULL, others_put, (void *)&stop);
	for (reading.count = 0; reading.count < SAME + 5000;) {
		const struct indicators_want want = {
			.collection = collection, .limit = 100, .with_text = true, .after_us = reading.last_us};
		if (indicators_shelf(store, &want, row_count, &reading, &more, &err) < 0)
			fail("read", &err);
	}
	stop = true;
	pthread_join(thread, NULL);
	unsigned missed = 0, repeated = 0;
	for (unsigned i = 0; i < SAME; i++) {
		missed += reading.marks[i] == 0;
		repeated += reading.marks[i] > 1;
	}
	printf("%-52s %u missed, %u repeated\n", "10,000 of one date while others put", missed, repeated);
	free(reading.marks);
}

/* An event as a large feed has them: addresses, names and hashes, every tenth value met before. */
static char *event_make(uint64_t count, size_t *ret_bytes)
{
	char *text = malloc(count * 300 + 1000);
	if (!text)
		exit(1);
	size_t used = (size_t)sprintf(
		text, "{\"Event\":{\"uuid\":\"5c066053-0e94-46eb-9746-4b7d950d2100\",\"info\":\"feed\",\"date\":"
		      "\"2026-01-01\",\"threat_level_id\":\"3\",\"analysis\":\"2\",\"published\":true,\"timestamp\":"
		      "\"1767312000\",\"publish_timestamp\":\"1767312000\",\"Tag\":[{\"name\":\"tlp:green\"}],"
		      "\"Attribute\":[");
	for (uint64_t i = 0; i < count; i++) {
		uint64_t state = i % 10 == 9 ? i - 9 : i, r = random_next(&state);
		char value[80];
		const char *type = r % 3 == 0 ? "ip-dst" : r % 3 == 1 ? "domain" : "sha256";
		if (r % 3 == 0)
			sprintf(value, "%u.%u.%u.%u", (unsigned)(r >> 8) % 223 + 1, (unsigned)(r >> 16) & 255,
				(unsigned)(r >> 24) & 255, (unsigned)(r >> 32) & 255);
		else if (r % 3 == 1)
			sprintf(value, "h%llx.example", (unsigned long long)r);
		else
			sprintf(value, "%016llx%016llx%016llx%016llx", (unsigned long long)r,
				(unsigned long long)random_next(&state), (unsigned long long)random_next(&state),
				(unsigned long long)random_next(&state));
		used += (size_t)sprintf(text + used,
					"%s{\"uuid\":\"%08x-%04x-4%03x-8000-%012llx\",\"type\":\"%s\",\"category\":"
					"\"Network activity\",\"value\":\"%s\","
					"\"to_ids\":true,\"comment\":\"\",\"timestamp\":\"1767312000\"}",
					i ? "," : "", (unsigned)i, (unsigned)(i >> 32) & 0xffff, (unsigned)(i % 4096),
					(unsigned long long)i, type, value);
	}
	used += (size_t)sprintf(text + used, "]}}");
	*ret_bytes = used;
	return text;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static uint64_t store_bytes(void)
{
	char path[4200];
	struct stat status;
	snprintf(path, sizeof path, "%s/indicators.sqlite", dir);
	return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

int main(int argc, char **argv)
{
	uint64_t objects = 200000, attributes = 200000;
	bool keep = false;
	snprintf(dir, sizeof dir, "%s/bench-share-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp");
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--objects") == 0)
			objects = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--attributes") == 0)
			attributes = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--keep") == 0)
			keep = snprintf(dir, sizeof dir, "%s", argv[i + 1]) > 0;
	}
	struct err err = {""};
	struct indicators_collection collection = {.name = "bench", .clearance = TLP_RED, .automatic = true};
	if ((!keep && !mkdtemp(dir)) || indicators_open(dir, &store, &err) < 0 ||
	    indicators_collection_put(store, &collection, clock_now_ns(), &err) < 0)
		fail(dir, &err);
	size_t bytes;
	char *text = bundle_make(0, objects, &bytes);
	judge_all(text, bytes, objects);
	int64_t begin_us = clock_now_ns() / 1000;
	struct span span = span_begin();
	struct import_result result = import_all(text, bytes, IMPORT_STIX, "objects");
	span_say(&span, "STIX judged and stored (goal 100,000, floor 30,000)", "objects", (double)result.taken);
	printf("%-52s %10.0f bytes an object, %.0f of JSON\n", "stored", (double)store_bytes() / (double)objects,
	       (double)bytes / (double)objects);
	free(text);
	shelf_read(collection.id, objects);
	manifests_read(collection.id, begin_us, objects);
	one_date_read(collection.id);
	uint64_t before = store_bytes();
	text = event_make(attributes, &bytes);
	span = span_begin();
	result = import_all(text, bytes, IMPORT_MISP, "feed");
	span_say(&span, "MISP attributes imported and correlated", "attributes", (double)attributes);
	printf("%-52s %10.1f s for a million (goal 10, floor 60); %llu values known before, %.0f bytes each\n", "",
	       (double)(clock_monotonic_ns() - span.begin_ns) / 1e9 * 1e6 / (double)attributes,
	       (unsigned long long)result.correlated, (double)(store_bytes() - before) / (double)attributes);
	free(text);
	indicators_close(store);
	if (!keep)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
