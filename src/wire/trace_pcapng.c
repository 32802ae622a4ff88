/* pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, one after another; interface descriptions with
 * if_tsresol and if_tsoffset; enhanced, simple and the obsolete packet blocks; all other blocks are passed over.
 *
 * Every block says its length at both ends, which must agree: that is how a broken one is known. */
#include "wire/trace_formats.h"

#include "core/clock.h"

#include <errno.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
	BLOCK_BYTES_MIN = 12,
	OPTION_END = 0,
	OPTION_TSRESOL = 9,
	OPTION_TSOFFSET = 14,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
};

static inline uint32_t load32(const uint8_t *at, bool swapped)
{
	return swapped ? load_be32(at) : load_le32(at);
}

static uint16_t read16(struct cursor *c, bool swapped)
{
	return swapped ? cursor_be16(c) : cursor_le16(c);
}

static uint32_t read32(struct cursor *c, bool swapped)
{
	return swapped ? cursor_be32(c) : cursor_le32(c);
}

int pcapng_tell(const uint8_t *data, size_t bytes)
{
	if (bytes < 4)
		return -1;
	if (load_le32(data) != BLOCK_SECTION)
		return 0;
	if (bytes < 12)
		return -1;
	uint32_t magic = load_le32(data + 8);
	return magic == BYTE_ORDER_MAGIC || magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
}

/* The length of the block at `at` in the section's byte order, which a section header sets anew; 0: it cannot be one.
 * At least 12 bytes are there. */
static uint32_t block_bytes(const uint8_t *at, bool *swapped)
{
	if (load_le32(at) == BLOCK_SECTION) {
		uint32_t magic = load_le32(at + 8);
		if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
			return 0;
		*swapped = magic != BYTE_ORDER_MAGIC;
	}
	uint32_t bytes = load32(at + 4, *swapped);
	return bytes < BLOCK_BYTES_MIN || bytes % 4 != 0 ? 0 : bytes;
}

static bool block_type_is_known(uint32_t type)
{
	return (type >= 1 && type <= 14) || type == BLOCK_SECTION || type == 0x00000bad || type == 0x40000bad;
}

static int pcapng_plausible(const struct trace *trace, const uint8_t *at, const uint8_t *end, bool last)
{
	size_t left = (size_t)(end - at);
	if (left < BLOCK_BYTES_MIN)
		return last ? 0 : -1;
	bool swapped = trace->swapped;
	uint32_t bytes = block_bytes(at, &swapped);
	if (bytes == 0 || bytes > TRACE_BLOCK_MAX || !block_type_is_known(load32(at, swapped)))
		return 0;
	if (left < bytes)
		return last ? 0 : -1;
	return load32(at + bytes - 4, swapped) == bytes;
}

/* if_tsresol: 10^-n, or 2^-n where the first bit is set. False: finer than 64 bits can say. */
static bool ticks_of(uint8_t resolution, uint64_t *ret_ticks)
{
	unsigned exponent = resolution & 0x7f;
	if (resolution & 0x80 ? exponent > 63 : exponent > 19)
		return false;
	uint64_t ticks = 1;
	for (unsigned i = 0; i < exponent; i++)
		ticks *= resolution & 0x80 ? 2 : 10;
	*ret_ticks = ticks;
	return true;
}

/* Options up to the end of the block. False: one runs past it. */
static bool read_interface_options(struct cursor *c, bool swapped, struct trace_interface *interface)
{
	while (cursor_left(c) >= 4) {
		uint16_t code = read16(c, swapped), length = read16(c, swapped);
		if (code == OPTION_END)
			return true;
		struct cursor value = cursor_sub(c, (length + 3u) & ~3u);
		if (value.failed)
			return false;
		if (code == OPTION_TSRESOL && length == 1 && !ticks_of(*value.at, &interface->ticks_per_s))
			return false;
		if (code == OPTION_TSOFFSET && length == 8)
			interface->offset_s = (int64_t)(swapped ? cursor_be64(&value) : cursor_le64(&value));
	}
	return true;
}

static void read_interface(struct trace *trace, struct trace_window *window, struct cursor *c)
{
	struct trace_interface interface = {.ticks_per_s = 1000000};
	interface.link_type = read16(c, trace->swapped);
	cursor_skip(c, 2);
	interface.snap_bytes = read32(c, trace->swapped);
	if (c->failed || !read_interface_options(c, trace->swapped, &interface))
		trace_note(trace, window, TRACE_BLOCK);
	if (trace->interface_count < TRACE_INTERFACES_MAX)
		trace->interfaces[trace->interface_count] = interface;
	else
		trace_note(trace, window, TRACE_INTERFACE);
	trace->interface_count++; /* later blocks count on, even past the table */
}

static int64_t time_of(const struct trace_interface *interface, uint64_t ticks)
{
	__int128 time_ns = (__int128)ticks;
	if (interface->ticks_per_s != 1000000000) {
		uint64_t seconds = ticks / interface->ticks_per_s, rest = ticks % interface->ticks_per_s;
		time_ns = (__int128)seconds * NS_PER_S +
			  (__int128)((unsigned __int128)rest * NS_PER_S / interface->ticks_per_s);
	}
	time_ns += (__int128)interface->offset_s * NS_PER_S;
	return time_ns > INT64_MAX ? INT64_MAX : time_ns < -INT64_MAX ? -INT64_MAX : (int64_t)time_ns;
}

static void add_frame(struct trace *trace, struct trace_window *window, struct frame frame, const uint8_t *data,
		      size_t room)
{
	if (!data || frame.captured_bytes > room) {
		trace_note(trace, window, data ? TRACE_OVERLONG : TRACE_BLOCK);
		return;
	}
	frame.data = data;
	trace_time(trace, window, frame.time_ns);
	window->frames[window->count++] = frame;
}

static const struct trace_interface *find_interface(struct trace *trace, struct trace_window *window, uint32_t number)
{
	if (number < trace->interface_count && number < TRACE_INTERFACES_MAX)
		return &trace->interfaces[number];
	trace_note(trace, window, TRACE_INTERFACE);
	return NULL;
}

/* Enhanced, and the obsolete one, whose interface has 16 bits and is followed by a drop count. */
static void read_packet(struct trace *trace, struct trace_window *window, struct cursor *c, bool obsolete)
{
	bool swapped = trace->swapped;
	uint32_t number;
	if (obsolete) {
		number = read16(c, swapped);
		cursor_skip(c, 2);
	} else {
		number = read32(c, swapped);
	}
	uint64_t ticks = (uint64_t)read32(c, swapped) << 32;
	ticks |= read32(c, swapped);
	struct frame frame = {.captured_bytes = read32(c, swapped), .interface = (uint16_t)number};
	frame.wire_bytes = read32(c, swapped);
	if (c->failed) {
		trace_note(trace, window, TRACE_BLOCK);
		return;
	}
	const struct trace_interface *interface = find_interface(trace, window, number);
	if (!interface)
		return;
	frame.link_type = interface->link_type;
	frame.time_ns = time_of(interface, ticks);
	add_frame(trace, window, frame, c->at, cursor_left(c));
}

/* A simple packet belongs to the first interface and has no time: it gets that of the packet before. */
static void read_simple(struct trace *trace, struct trace_window *window, struct cursor *c)
{
	uint32_t wire = read32(c, trace->swapped);
	if (c->failed) {
		trace_note(trace, window, TRACE_BLOCK);
		return;
	}
	const struct trace_interface *interface = find_interface(trace, window, 0);
	if (!interface)
		return;
	uint32_t captured = wire;
	if (interface->snap_bytes != 0 && captured > interface->snap_bytes)
		captured = interface->snap_bytes;
	struct frame frame = {
		.time_ns = trace->last_ns == INT64_MIN ? 0 : trace->last_ns,
		.captured_bytes = captured,
		.wire_bytes = wire,
		.link_type = interface->link_type,
	};
	add_frame(trace, window, frame, c->at, cursor_left(c));
}

static void read_block(struct trace *trace, struct trace_window *window, uint32_t bytes)
{
	struct cursor c = cursor_over(window->at + 8, bytes - BLOCK_BYTES_MIN);
	switch (load32(window->at, trace->swapped)) {
	case BLOCK_SECTION:
		trace->interface_count = 0;
		cursor_skip(&c, 4);
		if (read16(&c, trace->swapped) != 1 || c.failed)
			trace_note(trace, window, TRACE_BLOCK);
		break;
	case BLOCK_INTERFACE:
		read_interface(trace, window, &c);
		break;
	case BLOCK_ENHANCED:
		read_packet(trace, window, &c, false);
		break;
	case BLOCK_PACKET:
		read_packet(trace, window, &c, true);
		break;
	case BLOCK_SIMPLE:
		read_simple(trace, window, &c);
		break;
	}
}

int pcapng_read(struct trace *trace, struct trace_window *window, struct err *err)
{
	while (window->count < window->max) {
		size_t left = (size_t)(window->end - window->at);
		bool swapped = trace->swapped;
		uint32_t bytes = left >= BLOCK_BYTES_MIN ? block_bytes(window->at, &swapped) : 0;
		bool broken = left >= BLOCK_BYTES_MIN && (bytes == 0 || bytes > TRACE_BLOCK_MAX);
		if (!broken && left >= BLOCK_BYTES_MIN && left >= bytes)
			broken = load32(window->at + bytes - 4, swapped) != bytes;
		if (broken) {
			if (window->count > 0)
				return 0;
			const uint8_t *before = window->at;
			int result = trace_resync(trace, window, pcapng_plausible, err);
			if (bytes > TRACE_BLOCK_MAX && (result != 0 || window->at != before))
				trace_note(trace, window, TRACE_OVERLONG);
			if (result <= 0)
				return result;
			continue;
		}
		if (left < BLOCK_BYTES_MIN || left < bytes) {
			if (window->count == 0 && trace_cut(trace, window, pcapng_plausible, err) > 0)
				continue;
			return 0;
		}
		trace->swapped = swapped;
		read_block(trace, window, bytes);
		window->at += bytes;
		__builtin_prefetch(window->at + 512);
	}
	return 0;
}
