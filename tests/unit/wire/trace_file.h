/* Capture files made in memory for tests, and what a reader makes of them. */
#pragma once

#include "core/clock.h"
#include "wire/pcap_write.h"
#include "wire/trace.h"

#include <string.h>

#define BASE_S INT64_C(1780000000)

struct image {
	uint8_t bytes[1 << 16];
	size_t used;
};

static inline void image_add(struct image *image, const void *data, size_t bytes)
{
	memcpy(image->bytes + image->used, data, bytes);
	image->used += bytes;
}

static inline void image_u16(struct image *image, uint16_t v, bool big)
{
	v = big ? __builtin_bswap16(v) : v;
	image_add(image, &v, sizeof v);
}

static inline void image_u32(struct image *image, uint32_t v, bool big)
{
	v = big ? __builtin_bswap32(v) : v;
	image_add(image, &v, sizeof v);
}

static inline void image_pcap_header(struct image *image, uint32_t magic, uint32_t link, bool big)
{
	image_u32(image, magic, big);
	image_u16(image, 2, big);
	image_u16(image, 4, big);
	image_u32(image, 0, big);
	image_u32(image, 0, big);
	image_u32(image, 65535, big);
	image_u32(image, link, big);
}

/* A record of `bytes` bytes of value `fill`. */
static inline void image_pcap_record(struct image *image, int64_t seconds, uint32_t fraction, uint32_t bytes,
				     uint8_t fill, bool big)
{
	image_u32(image, (uint32_t)seconds, big);
	image_u32(image, fraction, big);
	image_u32(image, bytes, big);
	image_u32(image, bytes + 4, big);
	memset(image->bytes + image->used, fill, bytes);
	image->used += bytes;
}

/* What reading a whole image comes to. */
struct reading {
	int result; /* 0: the end; negative: as trace_start() or trace_read() */
	unsigned count;
	struct frame frames[64];
	struct trace trace;
	struct err err;
};

static inline void image_read(const struct image *image, struct reading *ret)
{
	*ret = (struct reading){0};
	size_t at = 0, used = 0;
	ret->result = trace_start(&ret->trace, image->bytes, image->used, true, &used, &ret->err);
	while (ret->result >= 0) {
		at += used;
		used = 0;
		ret->result = trace_read(&ret->trace, image->bytes + at, image->used - at, true,
					 ret->frames + ret->count, 64 - ret->count, &used, &ret->err);
		if (ret->result <= 0)
			break;
		ret->count += (unsigned)ret->result;
	}
}
