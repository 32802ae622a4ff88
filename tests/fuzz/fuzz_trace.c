/* A capture file, read twice: in one window, as a mapped file is, and in small ones that grow, as a stream is. Both
 * must come to the same frames, the same counts and the same answer. */
#include "fuzz.h"

#include "core/hash.h"
#include "wire/trace.h"

#include <errno.h>
#include <string.h>

enum { FRAMES = 7 };

struct outcome {
	int result;
	uint64_t frames, hash;
};

static void take(struct outcome *outcome, const uint8_t *begin, const uint8_t *end, const struct frame *frames,
		 int count)
{
	for (int i = 0; i < count; i++) {
		const struct frame *frame = &frames[i];
		fuzz_check(frame->data >= begin && frame->data + frame->captured_bytes <= end);
		outcome->frames++;
		outcome->hash = hash_u64(outcome->hash ^ (uint64_t)frame->time_ns);
		outcome->hash = hash_u64(outcome->hash ^ frame->captured_bytes);
		outcome->hash = hash_u64(outcome->hash ^ frame->wire_bytes);
		outcome->hash = hash_u64(outcome->hash ^ frame->link_type);
		for (uint32_t j = 0; j < frame->captured_bytes; j += 16)
			outcome->hash += frame->data[j];
	}
}

/* `step`: how many bytes the window grows by when more are asked for; 0: all are there from the start. */
static struct outcome run(const uint8_t *data, size_t bytes, size_t step, struct trace *trace)
{
	struct outcome outcome = {0};
	struct frame frames[FRAMES];
	struct err err = {""};
	size_t at = 0, end = step ? 0 : bytes, used = 0;
	int result;
	while ((result = trace_start(trace, data, end, end == bytes, &used, &err)) == 1) {
		fuzz_check(end < bytes);
		end = end + step < bytes ? end + step : bytes;
	}
	at = used;
	while (result >= 0) {
		bool last = end == bytes;
		used = 0;
		result = trace_read(trace, data + at, end - at, last, frames, FRAMES, &used, &err);
		fuzz_check(used <= end - at);
		if (result > 0)
			take(&outcome, data + at, data + at + used, frames, result);
		at += used;
		if (result == 0 && last)
			break;
		if (result == 0)
			end = end + step < bytes ? end + step : bytes;
	}
	fuzz_check(result >= 0 || err.text[0] != '\0');
	fuzz_check(result < 0 || at == bytes);
	outcome.result = result;
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes > 1 << 20)
		return 0;
	static struct trace whole, parts;
	struct outcome a = run(data, bytes, 0, &whole);
	struct outcome b = run(data, bytes, 1 + bytes / 13, &parts);
	fuzz_check(a.result == b.result);
	fuzz_check(a.frames == b.frames && a.hash == b.hash);
	fuzz_check(memcmp(whole.anomalies, parts.anomalies, sizeof whole.anomalies) == 0);
	return 0;
}
