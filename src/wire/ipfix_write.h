/* Write flows as IPFIX messages (RFC 7011); messages behind one another are an IPFIX file (RFC 5655).
 *
 * One record form per address family: addresses, ports, protocol, flags, type of service, why it ended, packets,
 * octets, begin and end in milliseconds, one packet in how many was looked at. Every message carries both templates, so
 * that a file may be cut between any two of them. Pure but for the counting of records.
 */
#pragma once

#include "core/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IPFIX_MESSAGE_BYTES_MAX = 65507 };

struct ipfix_flow {
	int64_t first_ns, last_ns;  /* since 1970; before it: 1970 */
	struct addr source, target; /* of one family, or both are written as IPv6 */
	uint64_t packets, bytes;
	uint32_t sampling;                 /* one packet in so many */
	uint16_t source_port, target_port; /* ICMP: 0 and type * 256 + code */
	uint8_t protocol, flags, tos, end_reason;
};

struct ipfix_writer {
	uint32_t domain, sequence; /* set before the first message; `sequence` then counts records over all messages */
	uint8_t *out;              /* the message being written; borrowed */
	size_t room, bytes, set;   /* set: where the open one begins; 0: none is open */
	uint32_t records;
	uint16_t set_id;
};

/* Begin a message at `out`, which has `room` bytes of 512 to IPFIX_MESSAGE_BYTES_MAX. */
void ipfix_begin(struct ipfix_writer *writer, uint8_t *out, size_t room, int64_t export_ns);
/* Whether it fitted. A message without a record takes at least one. */
bool ipfix_put(struct ipfix_writer *writer, const struct ipfix_flow *flow);
/* Returns the length of the message. */
size_t ipfix_end(struct ipfix_writer *writer);
