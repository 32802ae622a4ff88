/* One frame: a link type (two bytes, little-endian), how much longer it was on the wire (one byte), then its bytes. */
#include "fuzz.h"

#include "wire/packet.h"
#include "wire/tcp_options.h"

#include <string.h>

static void check_packet(const struct frame *frame, struct packet *packet)
{
	const uint8_t *begin = frame->data, *end = begin + frame->captured_bytes;
	fuzz_check(packet->anomaly < PACKET_ANOMALIES);
	fuzz_check(packet->time_ns == frame->time_ns);
	fuzz_check((packet->version != 0) == (packet->ip != NULL));
	if (packet->version == 0) {
		fuzz_check(packet->anomaly != ANOMALY_NONE && !packet->l4);
		return;
	}
	fuzz_check(packet->ip >= begin && packet->ip + (packet->version == 4 ? 20 : 40) <= end);
	struct addr source = packet_source(packet), destination = packet_destination(packet);
	fuzz_check(addr_compare(&source, &source) == 0 && addr_compare(&destination, &destination) == 0);
	if (packet->l4) {
		fuzz_check(packet->l4 > packet->ip && packet->l4 + packet->l4_bytes <= end);
		fuzz_check(packet->header_bytes <= packet->l4_bytes);
		fuzz_check(packet->protocol != 6 || packet->header_bytes >= 20);
	}
	if (packet->flags & PACKET_QUOTES) {
		fuzz_check(packet->l4 && packet->quote_offset < packet->l4_bytes);
		struct packet_quote quote = packet_quoted(packet);
		fuzz_check(quote.protocol == packet->quote_protocol);
	}
	bool any = packet->protocol == 6 && packet->l4 && packet->header_bytes > 20;
	fuzz_check((tcp_options_signature(packet) != 0) == any);
}

/* The quick way and the thorough way must agree: raw IP never goes the quick one. */
static void check_both_ways(const struct frame *frame, const struct packet *packet)
{
	if (frame->link_type != 1 || packet->version != 4 || packet->ip != frame->data + 14)
		return;
	struct frame raw = *frame;
	struct packet other;
	raw.link_type = 228;
	raw.data += 14;
	raw.captured_bytes -= 14;
	raw.wire_bytes -= 14;
	packet_parse(&raw, 1, &other);
	fuzz_check(memcmp(packet, &other, sizeof other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes < 3 || bytes > 70000)
		return 0;
	struct frame frame = {
		.time_ns = 1,
		.data = data + 3,
		.captured_bytes = (uint32_t)bytes - 3,
		.wire_bytes = (uint32_t)bytes - 3 + data[2],
		.link_type = (uint16_t)(data[0] | data[1] << 8),
	};
	struct packet packet;
	fuzz_check(packet_parse(&frame, 1, &packet) == (packet.version != 0));
	check_both_ways(&frame, &packet);
	check_packet(&frame, &packet);
	fuzz_check(packet_parse_inner(&frame, 1, &packet) == (packet.version != 0));
	check_packet(&frame, &packet);
	return 0;
}
