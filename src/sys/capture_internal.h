/* Between the files of capture. */
#pragma once

#include "sys/capture.h"
#include "sys/stream.h"

/* What kind of capture it is. */
struct capture_type {
	int (*read)(struct capture *capture, struct frame *frames, unsigned max, int timeout_ms, struct err *err);
	const char *(*where)(const struct capture *capture);
	const char *(*trouble)(const struct capture *capture);
	int (*fd)(const struct capture *capture);
	void (*count)(struct capture *capture); /* bring counters up to date; may be NULL */
	void (*close)(struct capture *capture);
};

/* First member of each kind's own struct. */
struct capture {
	const struct capture_type *type;
	struct capture_counters counters;
};

static inline void capture_count_frames(struct capture *capture, const struct frame *frames, unsigned count)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < count; i++)
		bytes += frames[i].captured_bytes;
	capture->counters.frames += count;
	capture->counters.bytes += bytes;
}
