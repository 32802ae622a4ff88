/* See reader.h. */
#include "observe/flow/reader.h"

#include "observe/flow/reader_stream.h"

#include <errno.h>

enum { PROTOCOL_UDP = 17, UDP_HEADER = 8 };

/* The payload of a UDP datagram that is there as a whole; NULL: none. */
static const uint8_t *datagram_of(const struct packet *packet, size_t *ret_bytes)
{
	if (packet->protocol != PROTOCOL_UDP || !packet->l4 || packet->l4_bytes <= UDP_HEADER ||
	    packet->flags & PACKET_FRAGMENT)
		return NULL;
	*ret_bytes = packet->l4_bytes - UDP_HEADER;
	return packet->l4 + UDP_HEADER;
}

static int burst_take(struct collector *collector, const struct packet *packets, unsigned count,
		      struct flow_file_figures *figures, struct err *err)
{
	int result = 0;
	for (unsigned i = 0; i < count && result == 0; i++) {
		struct flow_message message;
		size_t bytes = 0;
		const uint8_t *data = datagram_of(&packets[i], &bytes);
		bool fits = data && flow_message_read(data, bytes, &message) == FLOW_SOUND &&
			    flow_message_fits(&message, bytes);
		figures->exports += fits;
		figures->others += !fits;
		struct addr from = fits ? packet_source(&packets[i]) : (struct addr){{0}};
		if (fits)
			result = collector_feed(collector, &from, data, bytes, packets[i].time_ns, err);
	}
	return result;
}

static int capture_take(const char *path, struct collector *collector, const struct flow_watch *watch,
			struct flow_file_figures *figures, struct err *err)
{
	struct capture *capture = NULL;
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	int result = capture_open_file(path, false, &capture, err);
	while (result == 0) {
		int count = capture_read(capture, frames, BURST_MAX, -1, err);
		if (count == -ENODATA)
			break;
		if (count < 0) {
			figures->faults++;
			watch->trouble(watch->context, err->text);
			continue;
		}
		packet_parse(frames, (unsigned)count, packets);
		figures->frames += (unsigned)count;
		result = burst_take(collector, packets, (unsigned)count, figures, err);
		const struct capture_counters *counters = capture_counters(capture);
		figures->done_bytes = counters->done_bytes;
		figures->total_bytes = counters->total_bytes;
		watch->progress(watch->context, figures);
	}
	if (capture && capture_trouble(capture))
		watch->trouble(watch->context, capture_trouble(capture));
	capture_close(capture);
	return result;
}

int flow_file_read(const char *path, struct collector *collector, const struct flow_watch *watch,
		   struct flow_file_figures *figures, struct err *err)
{
	int result = flow_stream_read(path, collector, watch, figures, err);
	if (result == 0)
		return capture_take(path, collector, watch, figures, err);
	return result < 0 ? result : 0;
}
