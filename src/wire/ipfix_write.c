/* See ipfix_write.h. */
#include "wire/ipfix_write.h"

#include "core/clock.h"

#include <string.h>

enum { VERSION = 10, HEADER_BYTES = 16, SET_HEADER_BYTES = 4, SET_TEMPLATES = 2, TEMPLATE_V4 = 256, TEMPLATE_V6 = 257 };

/* Elements of a record behind its two addresses: number and length in the registry of IANA. */
static const uint16_t elements[][2] = {
	{7, 2},   /* sourceTransportPort */
	{11, 2},  /* destinationTransportPort */
	{4, 1},   /* protocolIdentifier */
	{6, 1},   /* tcpControlBits */
	{5, 1},   /* ipClassOfService */
	{136, 1}, /* flowEndReason */
	{2, 8},   /* packetDeltaCount */
	{1, 8},   /* octetDeltaCount */
	{152, 8}, /* flowStartMilliseconds */
	{153, 8}, /* flowEndMilliseconds */
	{34, 4},  /* samplingInterval */
};

enum { ELEMENTS = sizeof elements / sizeof *elements, REST_BYTES = 2 + 2 + 1 + 1 + 1 + 1 + 8 + 8 + 8 + 8 + 4 };

static void put(struct ipfix_writer *writer, uint64_t number, unsigned bytes)
{
	number = __builtin_bswap64(number << (64 - 8 * bytes));
	memcpy(writer->out + writer->bytes, &number, bytes);
	writer->bytes += bytes;
}

static void put_at(struct ipfix_writer *writer, size_t at, size_t number)
{
	writer->out[at] = (uint8_t)(number >> 8);
	writer->out[at + 1] = (uint8_t)number;
}

static void set_end(struct ipfix_writer *writer)
{
	if (writer->set)
		put_at(writer, writer->set + 2, writer->bytes - writer->set);
	writer->set = 0;
}

static void set_begin(struct ipfix_writer *writer, uint16_t id)
{
	set_end(writer);
	writer->set = writer->bytes;
	writer->set_id = id;
	put(writer, id, 2);
	put(writer, 0, 2);
}

static void template_put(struct ipfix_writer *writer, uint16_t id, uint16_t source, uint16_t target, uint16_t bytes)
{
	put(writer, id, 2);
	put(writer, 2 + ELEMENTS, 2);
	put(writer, source, 2);
	put(writer, bytes, 2);
	put(writer, target, 2);
	put(writer, bytes, 2);
	for (unsigned i = 0; i < ELEMENTS; i++) {
		put(writer, elements[i][0], 2);
		put(writer, elements[i][1], 2);
	}
}

void ipfix_begin(struct ipfix_writer *writer, uint8_t *out, size_t room, int64_t export_ns)
{
	*writer =
		(struct ipfix_writer){.domain = writer->domain, .sequence = writer->sequence, .out = out, .room = room};
	put(writer, VERSION, 2);
	put(writer, 0, 2); /* length: ipfix_end() */
	put(writer, export_ns > 0 ? (uint64_t)(export_ns / NS_PER_S) : 0, 4);
	put(writer, writer->sequence, 4);
	put(writer, writer->domain, 4);
	set_begin(writer, SET_TEMPLATES);
	template_put(writer, TEMPLATE_V4, 8, 12, 4);   /* sourceIPv4Address, destinationIPv4Address */
	template_put(writer, TEMPLATE_V6, 27, 28, 16); /* sourceIPv6Address, destinationIPv6Address */
}

static void address_put(struct ipfix_writer *writer, const struct addr *addr, bool four)
{
	unsigned bytes = four ? 4 : 16;
	memcpy(writer->out + writer->bytes, addr->bytes + 16 - bytes, bytes);
	writer->bytes += bytes;
}

bool ipfix_put(struct ipfix_writer *writer, const struct ipfix_flow *flow)
{
	bool four = addr_is_v4(&flow->source) && addr_is_v4(&flow->target);
	uint16_t id = four ? TEMPLATE_V4 : TEMPLATE_V6;
	size_t record = 2 * (four ? 4 : 16) + REST_BYTES;
	if (writer->bytes + record + (writer->set_id == id ? 0 : SET_HEADER_BYTES) > writer->room)
		return false;
	if (writer->set_id != id)
		set_begin(writer, id);
	address_put(writer, &flow->source, four);
	address_put(writer, &flow->target, four);
	put(writer, flow->source_port, 2);
	put(writer, flow->target_port, 2);
	put(writer, flow->protocol, 1);
	put(writer, flow->flags, 1);
	put(writer, flow->tos, 1);
	put(writer, flow->end_reason, 1);
	put(writer, flow->packets, 8);
	put(writer, flow->bytes, 8);
	put(writer, flow->first_ns > 0 ? (uint64_t)(flow->first_ns / NS_PER_MS) : 0, 8);
	put(writer, flow->last_ns > 0 ? (uint64_t)(flow->last_ns / NS_PER_MS) : 0, 8);
	put(writer, flow->sampling, 4);
	writer->records++;
	return true;
}

size_t ipfix_end(struct ipfix_writer *writer)
{
	set_end(writer);
	put_at(writer, 2, writer->bytes);
	writer->sequence += writer->records;
	return writer->bytes;
}
