/* sFlow version 5 (sflow.org, July 2004): samples of packets, decoded one by one. Everything is XDR: big-endian, in
 * multiples of four bytes, each structure with its length in front. */
#include "wire/flow.h"
#include "wire/packet.h"

#include <string.h>

enum {
	SAMPLE_PACKET = 1,
	SAMPLE_COUNTERS = 2,
	SAMPLE_PACKET_EXPANDED = 3,
	SAMPLE_COUNTERS_EXPANDED = 4,
	RECORD_HEADER = 1,
	RECORD_IPV4 = 3,
	RECORD_IPV6 = 4,
	RECORD_SWITCH = 1001,
	RECORD_ROUTER = 1002,
	RECORD_GATEWAY = 1003,
	PROTOCOL_ETHERNET = 1,
	PROTOCOL_PPP = 7,
	PROTOCOL_IPV4 = 11,
	PROTOCOL_IPV6 = 12,
	PROTOCOL_MPLS = 13,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_PPP = 9,
	LINKTYPE_RAW = 101,
	LINKTYPE_MPLS = 219,
};

/* A row before it is written. */
struct row {
	struct addr source, target, next_hop;
	uint64_t bytes;
	uint32_t input, output, source_as, target_as, sampling;
	uint16_t source_port, target_port, vlan;
	uint8_t protocol, flags, tos;
	bool has_packet;
};

static struct addr xdr_address(struct cursor *c)
{
	struct addr address = {{0}};
	uint32_t type = cursor_be32(c);
	const uint8_t *at = type == 1 ? cursor_take(c, 4) : type == 2 ? cursor_take(c, 16) : NULL;
	if (at && type == 1)
		return addr_from_v4(load_be32(at));
	if (at)
		memcpy(address.bytes, at, sizeof address.bytes);
	else if (type != 0)
		c->failed = true;
	return address;
}

/* A packet's first bytes. */
static void header_take(struct cursor *c, struct row *row)
{
	static const uint16_t link_types[] = {
		[PROTOCOL_ETHERNET] = LINKTYPE_ETHERNET, [PROTOCOL_PPP] = LINKTYPE_PPP,
		[PROTOCOL_IPV4] = LINKTYPE_RAW,          [PROTOCOL_IPV6] = LINKTYPE_RAW,
		[PROTOCOL_MPLS] = LINKTYPE_MPLS,
	};
	uint32_t protocol = cursor_be32(c), wire_bytes = cursor_be32(c);
	(void)cursor_be32(c); /* stripped from the end */
	uint32_t bytes = cursor_be32(c);
	const uint8_t *data = cursor_take(c, bytes);
	if (!data || protocol >= sizeof link_types / sizeof *link_types || !link_types[protocol])
		return;
	struct frame frame = {.data = data,
			      .captured_bytes = bytes,
			      .wire_bytes = wire_bytes > bytes ? wire_bytes : bytes,
			      .link_type = link_types[protocol]};
	struct packet packet;
	packet_parse(&frame, 1, &packet);
	if (packet.version == 0 || !packet.ip)
		return;
	row->has_packet = true;
	row->source = packet_source(&packet);
	row->target = packet_destination(&packet);
	row->source_port = packet.protocol == 1 || packet.protocol == 58 ? 0 : packet.sport;
	row->target_port = packet.dport;
	row->protocol = packet.protocol;
	row->flags = packet.tcp_flags;
	row->tos = packet.version == 4 ? packet.ip[1] : (uint8_t)(packet.ip[0] << 4 | packet.ip[1] >> 4);
	row->bytes = packet.ip_bytes;
}

/* Length, protocol, addresses, ports, flags, TOS: a packet that the agent took apart itself. */
static void fields_take(struct cursor *c, unsigned address_bytes, struct row *row)
{
	uint32_t bytes = cursor_be32(c), protocol = cursor_be32(c);
	const uint8_t *source = cursor_take(c, address_bytes), *target = cursor_take(c, address_bytes);
	uint32_t source_port = cursor_be32(c), target_port = cursor_be32(c), flags = cursor_be32(c);
	uint32_t tos = cursor_be32(c);
	if (c->failed || row->has_packet) /* the header itself says more */
		return;
	row->has_packet = true;
	if (address_bytes == 4) {
		row->source = addr_from_v4(load_be32(source));
		row->target = addr_from_v4(load_be32(target));
	} else {
		memcpy(row->source.bytes, source, sizeof row->source.bytes);
		memcpy(row->target.bytes, target, sizeof row->target.bytes);
	}
	row->bytes = bytes;
	row->protocol = (uint8_t)protocol;
	row->source_port = (uint16_t)source_port;
	row->target_port = (uint16_t)target_port;
	row->flags = (uint8_t)flags;
	row->tos = (uint8_t)tos;
}

/* Next hop, the own AS, the source's, its peer's, and the way to the destination, whose last is its AS. */
static void gateway_take(struct cursor *c, struct row *row)
{
	row->next_hop = xdr_address(c);
	uint32_t own = cursor_be32(c), source = cursor_be32(c);
	(void)cursor_be32(c);
	row->source_as = source ? source : own;
	uint32_t segments = cursor_be32(c);
	for (uint32_t i = 0; i < segments && !c->failed; i++) {
		(void)cursor_be32(c); /* set or sequence */
		uint32_t count = cursor_be32(c);
		const uint8_t *numbers = count <= cursor_left(c) / 4 ? cursor_take(c, (size_t)count * 4) : NULL;
		if (!numbers)
			c->failed = true;
		else if (count)
			row->target_as = load_be32(numbers + (size_t)(count - 1) * 4);
	}
}

static void record_take(uint32_t format, struct cursor *c, struct row *row)
{
	switch (format) {
	case RECORD_HEADER:
		header_take(c, row);
		break;
	case RECORD_IPV4:
		fields_take(c, 4, row);
		break;
	case RECORD_IPV6:
		fields_take(c, 16, row);
		break;
	case RECORD_SWITCH:
		row->vlan = (uint16_t)cursor_be32(c);
		break;
	case RECORD_ROUTER:
		row->next_hop = xdr_address(c);
		break;
	case RECORD_GATEWAY:
		gateway_take(c, row);
		break;
	default:
		break;
	}
}

static bool sample_take(struct cursor *c, bool expanded, struct row *row)
{
	*row = (struct row){.has_packet = false};
	(void)cursor_be32(c); /* sequence */
	cursor_skip(c, expanded ? 8 : 4);
	row->sampling = cursor_be32(c);
	cursor_skip(c, 8); /* pool, drops */
	if (expanded)
		cursor_skip(c, 4);
	row->input = cursor_be32(c);
	if (expanded)
		cursor_skip(c, 4);
	row->output = cursor_be32(c);
	uint32_t records = cursor_be32(c);
	for (uint32_t i = 0; i < records && !c->failed; i++) {
		uint32_t format = cursor_be32(c), bytes = cursor_be32(c);
		struct cursor record = cursor_sub(c, bytes);
		if (c->failed)
			break;
		record_take(format, &record, row);
		c->failed |= record.failed;
	}
	return !c->failed;
}

#define PUT(type, field, value) ((type *)columns->columns[field])[columns->rows] = (value)

static void row_write(const struct row *row, int64_t time_ns, struct flow_columns *columns)
{
	PUT(int64_t, FLOW_FIRST, time_ns);
	PUT(int64_t, FLOW_LAST, time_ns);
	PUT(struct addr, FLOW_SOURCE, row->source);
	PUT(struct addr, FLOW_TARGET, row->target);
	PUT(uint16_t, FLOW_SOURCE_PORT, row->source_port);
	PUT(uint16_t, FLOW_TARGET_PORT, row->target_port);
	PUT(uint8_t, FLOW_PROTOCOL, row->protocol);
	PUT(uint8_t, FLOW_FLAGS, row->flags);
	PUT(uint8_t, FLOW_TOS, row->tos);
	PUT(uint64_t, FLOW_PACKETS, 1);
	PUT(uint64_t, FLOW_BYTES, row->bytes);
	PUT(uint64_t, FLOW_REVERSE_PACKETS, 0);
	PUT(uint64_t, FLOW_REVERSE_BYTES, 0);
	PUT(uint32_t, FLOW_INPUT, row->input);
	PUT(uint32_t, FLOW_OUTPUT, row->output);
	PUT(uint32_t, FLOW_SOURCE_AS, row->source_as);
	PUT(uint32_t, FLOW_TARGET_AS, row->target_as);
	PUT(struct addr, FLOW_NEXT_HOP, row->next_hop);
	PUT(uint16_t, FLOW_VLAN, row->vlan);
	PUT(uint8_t, FLOW_DIRECTION, 0);
	PUT(uint8_t, FLOW_END_REASON, 0);
	PUT(uint32_t, FLOW_SAMPLING, row->sampling);
	PUT(uint32_t, FLOW_SAMPLER, 0);
	columns->rows++;
}

uint32_t flow_sflow_decode(struct flow_message *message, struct flow_columns *columns, struct flow_samples *samples,
			   enum flow_fault *ret_fault)
{
	struct cursor *c = &message->body;
	uint32_t before = columns->rows;
	*ret_fault = FLOW_SOUND;
	for (; message->count && columns->rows < columns->room; message->count--) {
		uint32_t format = cursor_be32(c), bytes = cursor_be32(c);
		struct cursor sample = cursor_sub(c, bytes);
		if (c->failed) {
			*ret_fault = FLOW_TRUNCATED;
			break;
		}
		struct row row;
		if (format == SAMPLE_COUNTERS || format == SAMPLE_COUNTERS_EXPANDED) {
			samples->counters++;
		} else if (format != SAMPLE_PACKET && format != SAMPLE_PACKET_EXPANDED) {
			samples->unknown++;
		} else if (!sample_take(&sample, format == SAMPLE_PACKET_EXPANDED, &row)) {
			*ret_fault = FLOW_SAMPLE;
		} else {
			samples->packets++;
			samples->without_ip += !row.has_packet;
			if (row.has_packet)
				row_write(&row, message->export_ns, columns);
		}
	}
	return columns->rows - before;
}
