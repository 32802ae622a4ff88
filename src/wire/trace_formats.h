/* Between trace.c and the readers of each format. */
#pragma once

#include "core/cursor.h"
#include "wire/trace.h"

/* One call of trace_read(): where it stands in its window. */
struct trace_window {
	const uint8_t *begin, *at, *end;
	bool last;
	struct frame *frames;
	unsigned count, max;
};

/* What looking at the bytes at window->at came to. */
enum trace_step {
	STEP_MORE,   /* the window ends before it can be told */
	STEP_FRAME,  /* a frame was added; or a record without one was passed */
	STEP_BROKEN, /* what is here cannot be a record */
};

/* A record that a search may stop at. 1: it is one, and what follows it is one too or the end; 0: it is none; -1: the
 * window ends before that can be told. */
typedef int trace_plausible(const struct trace *trace, const uint8_t *at, const uint8_t *end, bool last);

void trace_note(struct trace *trace, const struct trace_window *window, enum trace_anomaly anomaly);

/* Go from a broken place to the next plausible record. 1: window->at stands there; 0: more bytes are needed, or, with
 * window->last, nothing follows (all was counted and passed); -EBADMSG. */
int trace_resync(struct trace *trace, struct trace_window *window, trace_plausible *plausible, struct err *err);

/* The window ends inside a record: with `last` it is counted, searched for a record behind, else passed. As above. */
int trace_cut(struct trace *trace, struct trace_window *window, trace_plausible *plausible, struct err *err);

void trace_time_odd(struct trace *trace, const struct trace_window *window, int64_t time_ns);

/* Compare with the packet before, and remember. */
static inline void trace_time(struct trace *trace, const struct trace_window *window, int64_t time_ns)
{
	if (__builtin_expect((uint64_t)time_ns - (uint64_t)trace->last_ns > (uint64_t)TRACE_LEAP_NS, 0))
		trace_time_odd(trace, window, time_ns);
	trace->last_ns = time_ns;
}

/* Each format: tell it (1 yes, 0 no, -1 more bytes needed), begin it, read on. */
int pcap_tell(const uint8_t *data, size_t bytes);
int pcap_start(struct trace *trace, const uint8_t *data, size_t bytes, bool last, size_t *ret_used, struct err *err);
int pcap_read(struct trace *trace, struct trace_window *window, struct err *err);
int pcapng_tell(const uint8_t *data, size_t bytes);
int pcapng_read(struct trace *trace, struct trace_window *window, struct err *err);
int erf_tell(const uint8_t *data, size_t bytes, bool last);
int erf_read(struct trace *trace, struct trace_window *window, struct err *err);
