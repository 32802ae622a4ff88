/* pcap (draft-ietf-opsawg-pcap): micro- and nanoseconds, either byte order, and Kuznetzov's modified form, whose
 * records have 8 bytes more (interface, protocol, packet type).
 *
 * The format has no mark between records, so a record is believed by its figures: a length in bounds, not more captured
 * than was on the wire, a fraction below one second. A record that fails one of them is only taken if a sound one
 * stands right behind it. */
#include "wire/trace_formats.h"

#include "core/clock.h"

#include <errno.h>

enum {
	HEADER_BYTES = 24,
	RECORD_BYTES = 16,
	RECORD_MODIFIED_BYTES = 24,
	PREFETCH_BYTES = 4096, /* ahead: where each record lies is known only from the one before, so the memory must
				  come first */
};
#define RESYNC_TIME_NS (400 * NS_PER_DAY) /* a record found by search is no further than this from the one before */

struct pcap_record {
	uint32_t seconds, fraction, captured, wire;
};

static inline uint32_t load32(const uint8_t *at, bool swapped)
{
	return swapped ? load_be32(at) : load_le32(at);
}

static inline struct pcap_record record_at(const uint8_t *at, bool swapped)
{
	return (struct pcap_record){load32(at, swapped), load32(at + 4, swapped), load32(at + 8, swapped),
				    load32(at + 12, swapped)};
}

static inline size_t record_bytes(const struct trace *trace)
{
	return trace->modified ? RECORD_MODIFIED_BYTES : RECORD_BYTES;
}

static inline int64_t record_time(const struct pcap_record *record, uint32_t ns_per_tick)
{
	return (int64_t)record->seconds * NS_PER_S + (int64_t)record->fraction * ns_per_tick;
}

static inline uint32_t ns_per_tick(const struct trace *trace)
{
	return (uint32_t)(NS_PER_S / (int64_t)trace->interfaces[0].ticks_per_s);
}

/* What no record in its right place fails. */
static bool record_is_likely(const struct trace *trace, const struct pcap_record *record, int64_t last_ns)
{
	if (record->captured > TRACE_RECORD_MAX || record->fraction >= trace->interfaces[0].ticks_per_s ||
	    record->seconds == 0)
		return false;
	int64_t step = last_ns == INT64_MIN ? 0 : record_time(record, ns_per_tick(trace)) - last_ns;
	return step < RESYNC_TIME_NS && step > -RESYNC_TIME_NS;
}

/* Whether a sound record, or the end, stands behind `record`. As trace_plausible. */
static int next_is_sound(const struct trace *trace, const uint8_t *at, const struct pcap_record *record,
			 const uint8_t *end, bool last, int64_t last_ns)
{
	size_t header = record_bytes(trace), left = (size_t)(end - at);
	size_t next = header + record->captured;
	if (left == next && last)
		return 1;
	if (left < next + header)
		return last ? 0 : -1;
	struct pcap_record following = record_at(at + next, trace->swapped);
	return record_is_likely(trace, &following, last_ns);
}

static int pcap_plausible(const struct trace *trace, const uint8_t *at, const uint8_t *end, bool last)
{
	if ((size_t)(end - at) < record_bytes(trace))
		return last ? 0 : -1;
	struct pcap_record record = record_at(at, trace->swapped);
	if (record.captured == 0 || record.captured > record.wire || record.wire > TRACE_RECORD_MAX ||
	    !record_is_likely(trace, &record, trace->last_ns))
		return 0;
	return next_is_sound(trace, at, &record, end, last, record_time(&record, ns_per_tick(trace)));
}

/* A record that looks odd. 1: take it all the same; else as trace_resync(). */
static int judge_odd(struct trace *trace, struct trace_window *window, const struct pcap_record *record,
		     struct err *err)
{
	if (window->count > 0) /* first deliver what is sound */
		return 0;
	if (record->captured <= TRACE_RECORD_MAX) {
		bool zeros = record->seconds == 0 && record->captured == 0 && record->wire == 0;
		int sound =
			zeros ? 0 : next_is_sound(trace, window->at, record, window->end, window->last, trace->last_ns);
		if (sound != 0)
			return sound < 0 ? 0 : 1;
	}
	const uint8_t *before = window->at;
	int result = trace_resync(trace, window, pcap_plausible, err);
	if (record->captured > TRACE_RECORD_MAX && (result != 0 || window->at != before))
		trace_note(trace, window, TRACE_OVERLONG);
	return result < 0 ? result : result == 0 ? 0 : 2;
}

static inline __attribute__((always_inline)) int read_records(struct trace *trace, struct trace_window *window,
							      bool swapped, bool modified, struct err *err)
{
	const size_t header = modified ? RECORD_MODIFIED_BYTES : RECORD_BYTES;
	const uint32_t tick_ns = ns_per_tick(trace);
	const uint32_t ticks = (uint32_t)trace->interfaces[0].ticks_per_s;
	const uint16_t link_type = trace->interfaces[0].link_type;
	while (window->count < window->max) {
		size_t left = (size_t)(window->end - window->at);
		if (__builtin_expect(left < header, 0)) {
			if (window->count == 0 && trace_cut(trace, window, pcap_plausible, err) > 0)
				continue;
			return 0;
		}
		struct pcap_record record = record_at(window->at, swapped);
		/* 0 is odd as well: nothing was captured */
		if (__builtin_expect((record.captured - 1 >= TRACE_RECORD_MAX) | (record.captured > record.wire) |
					     (record.fraction >= ticks),
				     0)) {
			int taken = judge_odd(trace, window, &record, err);
			if (taken <= 0)
				return taken;
			if (taken == 2)
				continue;
		}
		if (__builtin_expect(left - header < record.captured, 0)) {
			if (window->count == 0 && trace_cut(trace, window, pcap_plausible, err) > 0)
				continue;
			return 0;
		}
		int64_t time_ns = record_time(&record, tick_ns);
		trace_time(trace, window, time_ns);
		window->frames[window->count++] = (struct frame){
			.time_ns = time_ns,
			.data = window->at + header,
			.captured_bytes = record.captured,
			.wire_bytes = record.wire,
			.link_type = link_type,
			.interface = 0,
		};
		window->at += header + record.captured;
		__builtin_prefetch(window->at + PREFETCH_BYTES);
		__builtin_prefetch(window->at + PREFETCH_BYTES + 64);
	}
	return 0;
}

int pcap_read(struct trace *trace, struct trace_window *window, struct err *err)
{
	if (trace->modified)
		return trace->swapped ? read_records(trace, window, true, true, err)
				      : read_records(trace, window, false, true, err);
	return trace->swapped ? read_records(trace, window, true, false, err)
			      : read_records(trace, window, false, false, err);
}

static bool magic_read(const uint8_t *data, struct trace *trace)
{
	for (unsigned swapped = 0; swapped < 2; swapped++) {
		uint32_t magic = load32(data, swapped);
		if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34)
			continue;
		trace->swapped = swapped;
		trace->modified = magic == 0xa1b2cd34;
		trace->interfaces[0].ticks_per_s = magic == 0xa1b23c4d ? 1000000000 : 1000000;
		return true;
	}
	return false;
}

int pcap_tell(const uint8_t *data, size_t bytes)
{
	if (bytes < 4)
		return -1;
	struct trace ignored;
	return magic_read(data, &ignored);
}

int pcap_start(struct trace *trace, const uint8_t *data, size_t bytes, bool last, size_t *ret_used, struct err *err)
{
	if (bytes < HEADER_BYTES)
		return last ? err_set(err, -EBADMSG, "offset %zu: the file ends inside its header of %u bytes", bytes,
				      HEADER_BYTES)
			    : 1;
	magic_read(data, trace);
	uint16_t major = trace->swapped ? load_be16(data + 4) : load_le16(data + 4);
	uint16_t minor = trace->swapped ? load_be16(data + 6) : load_le16(data + 6);
	if (major != 2 || (minor != 3 && minor != 4))
		return err_set(err, -EBADMSG, "offset 4: pcap version %u.%u, 2.4 was expected", major, minor);
	uint32_t link_type = load32(data + 20, trace->swapped) & 0xffff; /* above it: frame check sequence */
	if (!packet_link_known((uint16_t)link_type))
		return err_set(
			err, -EBADMSG,
			"offset 20: link type %u is not read here (tcpdump.org/linktypes.html names it); Ethernet "
			"(1), raw IP (101) or Linux cooked (113, 276) were expected",
			link_type);
	trace->format = TRACE_PCAP;
	trace->interface_count = 1;
	trace->interfaces[0].link_type = (uint16_t)link_type;
	trace->interfaces[0].snap_bytes = load32(data + 16, trace->swapped);
	trace->offset = HEADER_BYTES;
	*ret_used = HEADER_BYTES;
	return 0;
}
