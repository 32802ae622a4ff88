/* What the capture formats share: telling them apart, windows, finding the way back after garbage, time. */
#include "wire/trace.h"

#include "wire/trace_formats.h"

#include <errno.h>
#include <stdio.h>

const char *const trace_format_names[TRACE_FORMATS] = {
	[TRACE_NONE] = "none",
	[TRACE_PCAP] = "pcap",
	[TRACE_PCAPNG] = "pcapng",
	[TRACE_ERF] = "erf",
};

const char *const trace_anomaly_names[TRACE_ANOMALIES + 1] = {
	[TRACE_TRUNCATED] = "truncated", [TRACE_OVERLONG] = "overlong",       [TRACE_GARBAGE] = "garbage",
	[TRACE_TIME_BACK] = "time_back", [TRACE_TIME_LEAP] = "time_leap",     [TRACE_INTERFACE] = "interface",
	[TRACE_BLOCK] = "block",         [TRACE_NOT_CAPTURE] = "not_capture", [TRACE_UNPACK] = "unpack",
};

static uint64_t offset_of(const struct trace *trace, const struct trace_window *window)
{
	return trace->offset + (uint64_t)(window->at - window->begin);
}

void trace_note(struct trace *trace, const struct trace_window *window, enum trace_anomaly anomaly)
{
	trace->anomalies[anomaly]++;
	if (trace->first_anomaly != TRACE_ANOMALIES)
		return;
	trace->first_anomaly = anomaly;
	trace->first_anomaly_offset = offset_of(trace, window);
}

void trace_time_odd(struct trace *trace, const struct trace_window *window, int64_t time_ns)
{
	if (trace->last_ns == INT64_MIN)
		return;
	__int128 step = (__int128)time_ns - trace->last_ns;
	if (step < 0)
		trace_note(trace, window, TRACE_TIME_BACK);
	if (step > TRACE_LEAP_NS || step < -TRACE_LEAP_NS)
		trace_note(trace, window, TRACE_TIME_LEAP);
}

int trace_resync(struct trace *trace, struct trace_window *window, trace_plausible *plausible, struct err *err)
{
	size_t left = (size_t)(window->end - window->at);
	size_t bound = left < TRACE_RESYNC_BYTES ? left : TRACE_RESYNC_BYTES;
	for (size_t i = 1; i < bound; i++) {
		int answer = plausible(trace, window->at + i, window->end, window->last);
		if (answer < 0)
			return 0;
		if (answer > 0) {
			trace_note(trace, window, TRACE_GARBAGE);
			window->at += i;
			return 1;
		}
	}
	if (left < TRACE_RESYNC_BYTES && !window->last)
		return 0;
	if (left >= TRACE_RESYNC_BYTES) {
		trace_note(trace, window, TRACE_GARBAGE);
		return err_set(
			err, -EBADMSG,
			"offset %llu: no %s record here, nor in the %u bytes behind; what lies before it was read",
			(unsigned long long)offset_of(trace, window), trace_format_names[trace->format],
			TRACE_RESYNC_BYTES);
	}
	trace_note(trace, window, TRACE_GARBAGE);
	window->at = window->end;
	return 0;
}

int trace_cut(struct trace *trace, struct trace_window *window, trace_plausible *plausible, struct err *err)
{
	(void)err;
	if (!window->last || window->at == window->end)
		return 0;
	/* A broken length that points past the end of the file looks the same as a file that was cut. */
	size_t left = (size_t)(window->end - window->at);
	size_t bound = left < TRACE_RESYNC_BYTES ? left : TRACE_RESYNC_BYTES;
	for (size_t i = 1; i < bound; i++) {
		if (plausible(trace, window->at + i, window->end, true) > 0) {
			trace_note(trace, window, TRACE_GARBAGE);
			window->at += i;
			return 1;
		}
	}
	trace_note(trace, window, TRACE_TRUNCATED);
	window->at = window->end;
	return 0;
}

/* No known format: say what is there instead. */
static int not_known(const uint8_t *data, size_t bytes, struct err *err)
{
	char hex[3 * 8 + 1] = "";
	size_t shown = bytes < 8 ? bytes : 8;
	for (size_t i = 0; i < shown; i++)
		snprintf(hex + 3 * i, sizeof hex - 3 * i, " %02x", data[i]);
	return err_set(err, -EBADMSG, "offset 0: neither pcap, pcapng nor ERF: its %zu%s first bytes are%s", shown,
		       bytes > shown ? "" : " only", hex);
}

int trace_start(struct trace *trace, const uint8_t *data, size_t bytes, bool last, size_t *ret_used, struct err *err)
{
	*trace = (struct trace){.last_ns = INT64_MIN, .first_anomaly = TRACE_ANOMALIES};
	if (bytes == 0)
		return last ? err_set(err, -ENODATA, "offset 0: the file is empty") : 1;
	int pcap = pcap_tell(data, bytes), pcapng = pcapng_tell(data, bytes);
	if ((pcap < 0 || pcapng < 0) && !last)
		return 1;
	if (pcap > 0)
		return pcap_start(trace, data, bytes, last, ret_used, err);
	if (pcapng > 0) {
		trace->format = TRACE_PCAPNG;
		*ret_used = 0;
		return 0;
	}
	int erf = erf_tell(data, bytes, last);
	if (erf < 0)
		return 1;
	if (erf == 0)
		return not_known(data, bytes, err);
	trace->format = TRACE_ERF;
	*ret_used = 0;
	return 0;
}

int trace_read(struct trace *trace, const uint8_t *data, size_t bytes, bool last, struct frame *frames, unsigned max,
	       size_t *ret_used, struct err *err)
{
	struct trace_window window = {data, data, data + bytes, last, frames, 0, max};
	int result;
	switch (trace->format) {
	case TRACE_PCAP:
		result = pcap_read(trace, &window, err);
		break;
	case TRACE_PCAPNG:
		result = pcapng_read(trace, &window, err);
		break;
	case TRACE_ERF:
		result = erf_read(trace, &window, err);
		break;
	default:
		return err_set(err, -EINVAL, "trace_start() has not told the format");
	}
	*ret_used = (size_t)(window.at - window.begin);
	trace->offset += *ret_used;
	return result < 0 ? result : (int)window.count;
}
