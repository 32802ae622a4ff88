/* Raw blocks are whole pcapng files; they are read by the same reader and parser as any capture. See packets.h. */
#include "hub/packets.h"

#include "core/clock.h"
#include "store/store.h"
#include "wire/packet.h"
#include "wire/pcap_write.h"
#include "wire/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_BYTES_MAX = 256, STOP = 1 };

struct packets_walk {
	const struct packets_wanted *wanted;
	int (*each)(struct packets_walk *walk, const struct frame *frame, const struct packet *packet);
	json_t *packets;
	int (*add)(void *context, const void *data, size_t bytes);
	void *context;
	unsigned count;
	bool more, headed;
	int code;
};

static int burst_walk(struct packets_walk *walk, const struct frame *frames, unsigned count)
{
	struct packet packets[BURST_MAX];
	packet_parse(frames, count, packets);
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].version == 0 || frames[i].time_ns < walk->wanted->from_ns ||
		    frames[i].time_ns >= walk->wanted->to_ns)
			continue;
		struct addr source = packet_source(&packets[i]);
		if (addr_compare(&source, &walk->wanted->source) != 0)
			continue;
		if (walk->count == walk->wanted->limit) {
			walk->more = true;
			return STOP;
		}
		walk->count++;
		int result = walk->each(walk, &frames[i], &packets[i]);
		if (result != 0)
			return result;
	}
	return 0;
}

static int block_walk(void *context, const struct store_block *block)
{
	struct packets_walk *walk = context;
	struct trace *trace = malloc(sizeof *trace);
	struct frame frames[BURST_MAX];
	size_t used = 0, at = 0;
	if (!trace)
		return -ENOMEM;
	int result = trace_start(trace, block->pcapng, block->bytes, true, &used, NULL);
	at = used;
	while (result == 0) {
		int count =
			trace_read(trace, block->pcapng + at, block->bytes - at, true, frames, BURST_MAX, &used, NULL);
		at += used;
		if (count <= 0)
			break; /* its end; what is damaged in a block was counted when it was written */
		result = burst_walk(walk, frames, (unsigned)count);
	}
	free(trace);
	return result == -EBADMSG || result == -ENODATA ? 0 : result;
}

static void flags_format(uint8_t flags, char text[10])
{
	static const char letters[] = "FSRPAUEC";
	size_t used = 0;
	for (unsigned i = 0; i < 8; i++)
		if (flags & 1U << i)
			text[used++] = letters[i];
	text[used] = '\0';
}

static void info_format(const struct packet *packet, char *text, size_t bytes)
{
	char flags[10], quoted[ADDR_TEXT_BYTES];
	size_t payload = packet->l4 && packet->l4_bytes > packet->header_bytes
				 ? (size_t)packet->l4_bytes - packet->header_bytes
				 : 0;
	flags_format(packet->tcp_flags, flags);
	if (packet->flags & PACKET_QUOTES) {
		struct packet_quote quote = packet_quoted(packet);
		snprintf(text, bytes, "ICMP %u/%u about a packet to %s port %u", packet->dport >> 8,
			 packet->dport & 255, addr_format(&quote.destination, quoted), quote.dport);
	} else if (packet->protocol == 6) {
		snprintf(text, bytes, "%u -> %u [%s] seq %u win %u len %zu", packet->sport, packet->dport, flags,
			 packet->seq, packet->window, payload);
	} else if (packet->protocol == 17) {
		snprintf(text, bytes, "%u -> %u len %zu", packet->sport, packet->dport, payload);
	} else if (packet->protocol == 1 || packet->protocol == 58) {
		snprintf(text, bytes, "type %u code %u", packet->dport >> 8, packet->dport & 255);
	} else {
		snprintf(text, bytes, "protocol %u, %u bytes", packet->protocol, packet->ip_bytes);
	}
	if (packet->anomaly != ANOMALY_NONE) {
		size_t used = strlen(text);
		snprintf(text + used, bytes - used, " (%s)", packet_anomaly_names[packet->anomaly]);
	}
}

static json_t *protocol_json(uint8_t protocol)
{
	const char *name = protocol == 6    ? "tcp"
			   : protocol == 17 ? "udp"
			   : protocol == 1  ? "icmp"
			   : protocol == 58 ? "icmpv6"
					    : NULL;
	char text[8];
	snprintf(text, sizeof text, "%u", protocol);
	return json_string(name ? name : text);
}

static int packet_describe(struct packets_walk *walk, const struct frame *frame, const struct packet *packet)
{
	char time[TIME_TEXT_BYTES], source[ADDR_TEXT_BYTES], destination[ADDR_TEXT_BYTES], flags[10], info[160];
	char hex[2 * HEX_BYTES_MAX + 1];
	struct addr from = packet_source(packet), to = packet_destination(packet);
	uint32_t shown = frame->captured_bytes < HEX_BYTES_MAX ? frame->captured_bytes : HEX_BYTES_MAX;
	for (uint32_t i = 0; i < shown; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", frame->data[i]);
	hex[(size_t)2 * shown] = '\0';
	flags_format(packet->protocol == 6 ? packet->tcp_flags : 0, flags);
	info_format(packet, info, sizeof info);
	bool ports = packet->protocol == 6 || packet->protocol == 17 || packet->protocol == 132;
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:s, s:i, s:i, s:s, s:s}", "time",
				 time_format(frame->time_ns, time), "source", addr_format(&from, source), "destination",
				 addr_format(&to, destination), "protocol", protocol_json(packet->protocol), "sport",
				 ports ? packet->sport : 0, "dport", ports ? packet->dport : 0, "flags", flags, "ttl",
				 packet->ttl, "length", packet->ip_bytes, "info", info, "hex", hex);
	return json_array_append_new(walk->packets, json) < 0 ? -ENOMEM : 0;
}

int packets_describe(struct store *store, const struct packets_wanted *wanted, json_t *packets, bool *ret_more,
		     struct err *err)
{
	struct packets_walk walk = {.wanted = wanted, .each = packet_describe, .packets = packets};
	int result = store_raw_packets(store, &wanted->source, wanted->from_ns, wanted->to_ns, block_walk, &walk, err);
	*ret_more = walk.more;
	return result < 0 ? result : 0;
}

/* A pcap file has one link type: the first packet's; packets of another are left out. */
static int packet_write(struct packets_walk *walk, const struct frame *frame, const struct packet *packet)
{
	uint8_t head[PCAP_HEADER_BYTES];
	(void)packet;
	if (!walk->headed) {
		walk->headed = true;
		walk->code = frame->link_type;
		size_t bytes = pcap_write_header(head, frame->link_type, TRACE_RECORD_MAX, true);
		int result = walk->add(walk->context, head, bytes);
		if (result != 0)
			return result;
	}
	if (frame->link_type != walk->code)
		return 0;
	uint8_t *record = malloc(pcap_record_bytes(frame));
	if (!record)
		return -ENOMEM;
	int result = walk->add(walk->context, record, pcap_write_frame(record, frame, true));
	free(record);
	return result;
}

int packets_write(struct store *store, const struct packets_wanted *wanted,
		  int (*add)(void *context, const void *data, size_t bytes), void *context, struct err *err)
{
	struct packets_walk walk = {.wanted = wanted, .each = packet_write, .add = add, .context = context};
	uint8_t head[PCAP_HEADER_BYTES];
	int result = store_raw_packets(store, &wanted->source, wanted->from_ns, wanted->to_ns, block_walk, &walk, err);
	if (result >= 0 && !walk.headed) /* an empty file is still a capture */
		result = add(context, head, pcap_write_header(head, 101, TRACE_RECORD_MAX, true));
	return result < 0 ? result : 0;
}
