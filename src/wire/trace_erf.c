/* ERF (Endace extensible record format): records of 16 bytes and what they say, no file header. Times are 32.32 fixed
 * point seconds, little-endian; everything else is big-endian. Extension headers of 8 bytes follow where the type's
 * first bit is set. */
#include "wire/trace_formats.h"

#include "core/clock.h"
#include "wire/link.h"

#include <errno.h>

enum {
	RECORD_BYTES = 16,
	TYPE_META = 27, /* provenance: about the capture, no packet */
	TYPE_PAD = 48,
	TYPE_LAST_KNOWN = 34,
	LINK_ERF = 197,
	YEAR_1990_S = 631152000,
};

struct erf_record {
	int64_t time_ns;
	uint32_t record, wire; /* bytes */
	uint8_t type, flags;
};

static struct erf_record record_at(const uint8_t *at)
{
	uint64_t time = load_le64(at);
	return (struct erf_record){
		.time_ns = (int64_t)(time >> 32) * NS_PER_S + (int64_t)(((time & 0xffffffff) * NS_PER_S) >> 32),
		.type = at[8],
		.flags = at[9],
		.record = load_be16(at + 10),
		.wire = load_be16(at + 14),
	};
}

static bool record_is_sound(const struct erf_record *record, int64_t last_ns)
{
	unsigned type = record->type & 0x7f;
	if (record->record < RECORD_BYTES || type == 0 || (type > TYPE_LAST_KNOWN && type != TYPE_PAD))
		return false;
	if (last_ns == INT64_MIN)
		return record->time_ns >= YEAR_1990_S * NS_PER_S;
	int64_t step = record->time_ns - last_ns;
	return step < 400 * NS_PER_DAY && step > -400 * NS_PER_DAY;
}

static int erf_plausible(const struct trace *trace, const uint8_t *at, const uint8_t *end, bool last)
{
	size_t left = (size_t)(end - at);
	if (left < RECORD_BYTES)
		return last ? 0 : -1;
	struct erf_record record = record_at(at);
	if (!record_is_sound(&record, trace->last_ns))
		return 0;
	if (left == record.record && last)
		return 1;
	if (left < record.record + RECORD_BYTES)
		return last ? 0 : -1;
	struct erf_record next = record_at(at + record.record);
	return record_is_sound(&next, record.time_ns);
}

int erf_tell(const uint8_t *data, size_t bytes, bool last)
{
	if (bytes < RECORD_BYTES)
		return last ? 0 : -1;
	struct trace trace = {.last_ns = INT64_MIN};
	int answer = erf_plausible(&trace, data, data + bytes, last);
	if (answer == 0 && last) { /* no second record to judge by: the figures of the first must do */
		struct erf_record record = record_at(data);
		uint16_t link_type, ahead;
		return record_is_sound(&record, INT64_MIN) && bytes < record.record + RECORD_BYTES &&
		       erf_link_type(record.type, &link_type, &ahead);
	}
	return answer;
}

/* The packet inside a whole record. */
static void add_frame(struct trace *trace, struct trace_window *window, const struct erf_record *record)
{
	unsigned type = record->type & 0x7f;
	if (type == TYPE_PAD || type == TYPE_META)
		return;
	struct cursor c = cursor_over(window->at, record->record);
	cursor_skip(&c, RECORD_BYTES);
	for (bool more = record->type & 0x80; more && !c.failed;) {
		const uint8_t *extension = cursor_take(&c, 8);
		more = extension && extension[0] & 0x80;
	}
	uint16_t link_type = LINK_ERF, ahead = 0;
	bool known = erf_link_type(record->type, &link_type, &ahead);
	if (known)
		cursor_skip(&c, ahead);
	if (c.failed) {
		trace_note(trace, window, TRACE_BLOCK);
		return;
	}
	trace_time(trace, window, record->time_ns);
	uint32_t captured = (uint32_t)cursor_left(&c);
	struct frame frame = {record->time_ns, c.at, captured, record->wire, link_type, record->flags & 3};
	if (!known) { /* left to the packet parser, as it is */
		frame.data = window->at;
		frame.captured_bytes = frame.wire_bytes = record->record;
	} else if (captured > record->wire) { /* records are padded */
		frame.captured_bytes = record->wire;
	}
	window->frames[window->count++] = frame;
}

int erf_read(struct trace *trace, struct trace_window *window, struct err *err)
{
	while (window->count < window->max) {
		size_t left = (size_t)(window->end - window->at);
		struct erf_record record = {0};
		if (left >= RECORD_BYTES) {
			record = record_at(window->at);
			if (!record_is_sound(&record, INT64_MIN)) {
				if (window->count > 0) /* first deliver what is sound */
					return 0;
				int result = trace_resync(trace, window, erf_plausible, err);
				if (result <= 0)
					return result;
				continue;
			}
		}
		if (left < RECORD_BYTES || left < record.record) {
			if (window->count == 0 && trace_cut(trace, window, erf_plausible, err) > 0)
				continue;
			return 0;
		}
		add_frame(trace, window, &record);
		window->at += record.record;
	}
	return 0;
}
