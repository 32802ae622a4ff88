/* A whole capture through the telescope with everything on: each frame is counted once, every batch can be sent. */
#include "fuzz.h"

#include "core/clock.h"
#include "observe/telescope/telescope.h"
#include "wire/trace.h"

#include <string.h>

enum { FRAMES = 64, INPUT_MAX = 1 << 16 };

static int put(struct sink *sink, const struct batch *batch, struct err *err)
{
	(void)sink;
	fuzz_check(batch->rows > 0 && batch->rows <= batch->capacity);
	size_t bytes = batch_encoded_bytes(batch);
	uint8_t *encoded = malloc(bytes);
	struct batch *again = NULL;
	batch_encode(batch, encoded);
	fuzz_check(batch_decode(encoded, bytes, &again, err) == 0 && again->rows == batch->rows);
	batch_free(again);
	free(encoded);
	return 0;
}

static uint64_t feed(struct telescope *telescope, const uint8_t *data, size_t bytes)
{
	static struct trace trace;
	struct frame frames[FRAMES];
	struct err err = {""};
	size_t used = 0;
	uint64_t fed = 0;
	int result = trace_start(&trace, data, bytes, true, &used, &err);
	for (size_t at = used; result >= 0; at += used) {
		result = trace_read(&trace, data + at, bytes - at, true, frames, FRAMES, &used, &err);
		if (result <= 0)
			break;
		fuzz_check(telescope_feed(telescope, frames, (unsigned)result, &err) == 0);
		fed += (unsigned)result;
	}
	return fed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes > INPUT_MAX)
		return 0;
	static const char *const dark[] = {"198.18.0.0/15", "2001:db8::/32"};
	struct prefix darknet[2];
	struct err err = {""};
	for (size_t i = 0; i < 2; i++)
		fuzz_check(prefix_parse(dark[i], &darknet[i], &err) == 0);
	struct telescope_options options = {
		.darknet = {darknet, 2}, .sensor = 1, .live = true, .raw = true, .decapsulate = true};
	struct sink sink = {put};
	struct telescope *telescope = NULL;
	fuzz_check(telescope_new(&options, &sink, &telescope, &err) == 0);
	uint64_t fed = feed(telescope, data, bytes);
	fuzz_check(telescope_finish(telescope, &err) == 0);
	const struct telescope_counts *counts = telescope_counts(telescope);
	uint64_t kinds = 0;
	for (unsigned i = 0; i < PACKET_KINDS; i++)
		kinds += counts->kinds[i];
	fuzz_check(counts->packets == fed && kinds + counts->outside == fed);
	fuzz_check(counts->sources <= kinds);
	telescope_free(telescope);
	return 0;
}
