/* See nfdump.h. Numbers stand in the order of the machine that wrote them: little-endian ones are read. */
#include "wire/nfdump.h"

#include "core/clock.h"

enum { MAGIC = 0xa50c, LAYOUT = 2, BLOCK_RECORDS = 3, BLOCK_UNPACKED = 1, RECORD_V3 = 11 };
enum { RECORD_HEADER_BYTES = 12, ELEMENT_HEADER_BYTES = 4 };

enum element {
	GENERIC = 1,
	IPV4,
	IPV6,
	MISC,
	COUNTS,
	VLAN,
	AS_ROUTING,
	BGP_NEXT_HOP_V4,
	BGP_NEXT_HOP_V6,
	NEXT_HOP_V4,
	NEXT_HOP_V6,
	RECEIVED_V4,
	RECEIVED_V6,
};

bool nfdump_header_read(const void *data, size_t bytes, struct nfdump_header *ret_header)
{
	struct cursor cursor = cursor_over(data, bytes);
	uint16_t magic = cursor_le16(&cursor);
	ret_header->layout = cursor_le16(&cursor);
	if (cursor.failed || magic != MAGIC || ret_header->layout == 0 || ret_header->layout > LAYOUT)
		return false;
	cursor_skip(&cursor, 4 + 8); /* the program's version, when it was made */
	uint8_t packing = cursor_u8(&cursor);
	ret_header->packing = packing < NFDUMP_PACKINGS ? packing : NFDUMP_PACKINGS;
	ret_header->encrypted = cursor_u8(&cursor) != 0;
	cursor_skip(&cursor, 2 + 4 + 8); /* the appendix: blocks, creator, where */
	uint32_t most = cursor_le32(&cursor);
	ret_header->block_bytes_max = most && most < NFDUMP_BLOCK_BYTES_MAX ? most : NFDUMP_BLOCK_BYTES_MAX;
	ret_header->blocks = cursor_le32(&cursor);
	return !cursor.failed;
}

struct nfdump_block nfdump_block_read(const uint8_t *data)
{
	return (struct nfdump_block){.records = load_le32(data),
				     .bytes = load_le32(data + 4),
				     .has_records = load_le16(data + 8) == BLOCK_RECORDS,
				     .unpacked = load_le16(data + 10) & BLOCK_UNPACKED};
}

static struct addr address6(struct cursor *cursor)
{
	struct addr addr = {{0}};
	uint64_t high = __builtin_bswap64(cursor_le64(cursor)), low = __builtin_bswap64(cursor_le64(cursor));
	memcpy(addr.bytes, &high, 8);
	memcpy(addr.bytes + 8, &low, 8);
	return addr;
}

static void generic_read(struct cursor *cursor, struct nfdump_flow *flow)
{
	flow->first_ns = (int64_t)(cursor_le64(cursor) % (INT64_MAX / NS_PER_MS)) * NS_PER_MS;
	flow->last_ns = (int64_t)(cursor_le64(cursor) % (INT64_MAX / NS_PER_MS)) * NS_PER_MS;
	cursor_skip(cursor, 8); /* when it was received */
	flow->packets = cursor_le64(cursor);
	flow->bytes = cursor_le64(cursor);
	flow->source_port = cursor_le16(cursor);
	flow->target_port = cursor_le16(cursor);
	flow->protocol = cursor_u8(cursor);
	flow->flags = cursor_u8(cursor);
	cursor_skip(cursor, 1); /* forwarding status */
	flow->tos = cursor_u8(cursor);
}

static void element_read(enum element element, struct cursor *cursor, struct nfdump_flow *flow, bool *has_addresses)
{
	switch (element) {
	case GENERIC:
		generic_read(cursor, flow);
		break;
	case IPV4:
		flow->source = addr_from_v4(cursor_le32(cursor));
		flow->target = addr_from_v4(cursor_le32(cursor));
		*has_addresses = true;
		break;
	case IPV6:
		flow->source = address6(cursor);
		flow->target = address6(cursor);
		*has_addresses = true;
		break;
	case MISC:
		flow->input = cursor_le32(cursor);
		flow->output = cursor_le32(cursor);
		cursor_skip(cursor, 2); /* masks */
		flow->direction = cursor_u8(cursor);
		cursor_skip(cursor, 2); /* type of service of the answers, whose the flow is */
		flow->end_reason = cursor_u8(cursor);
		break;
	case COUNTS:
		cursor_skip(cursor, 8); /* flows that were summed up */
		flow->reverse_packets = cursor_le64(cursor);
		flow->reverse_bytes = cursor_le64(cursor);
		break;
	case VLAN:
		flow->vlan = (uint16_t)cursor_le32(cursor);
		break;
	case AS_ROUTING:
		flow->source_as = cursor_le32(cursor);
		flow->target_as = cursor_le32(cursor);
		break;
	case BGP_NEXT_HOP_V4:
	case NEXT_HOP_V4:
		flow->next_hop = addr_from_v4(cursor_le32(cursor));
		break;
	case BGP_NEXT_HOP_V6:
	case NEXT_HOP_V6:
		flow->next_hop = address6(cursor);
		break;
	case RECEIVED_V4:
		flow->exporter = addr_from_v4(cursor_le32(cursor));
		break;
	case RECEIVED_V6:
		flow->exporter = address6(cursor);
		break;
	}
}

/* 1; 0: a flow without addresses; -1. */
static int record_read(struct cursor record, unsigned elements, struct nfdump_flow *flow)
{
	bool has_addresses = false;
	memset(flow, 0, sizeof *flow);
	for (unsigned i = 0; i < elements; i++) {
		uint16_t type = cursor_le16(&record), bytes = cursor_le16(&record);
		if (record.failed || bytes < ELEMENT_HEADER_BYTES)
			return -1;
		struct cursor element = cursor_sub(&record, bytes - ELEMENT_HEADER_BYTES);
		element_read(type, &element, flow, &has_addresses);
		if (element.failed)
			return -1;
	}
	return has_addresses;
}

int nfdump_flow_next(struct cursor *block, struct nfdump_flow *ret_flow)
{
	while (cursor_left(block) > 0) {
		if (cursor_left(block) < 4)
			return -1;
		uint16_t type = load_le16(block->at), bytes = load_le16(block->at + 2);
		if (bytes < 4 || (type == RECORD_V3 && bytes < RECORD_HEADER_BYTES))
			return -1;
		struct cursor record = cursor_sub(block, bytes);
		if (record.failed)
			return -1;
		if (type != RECORD_V3)
			continue;
		unsigned elements = load_le16(record.at + 4);
		cursor_skip(&record, RECORD_HEADER_BYTES);
		int result = record_read(record, elements, ret_flow);
		if (result != 0)
			return result;
	}
	return 0;
}
