/* What the files of flow.h share. */
#pragma once

#include "wire/flow.h"

/* How an element becomes a column's value. */
enum flow_how {
	FLOW_NUMBER, /* unsigned, most significant byte first */
	FLOW_ADDRESS4,
	FLOW_ADDRESS6,
	FLOW_ADDRESS6_IF,  /* unless it is :: */
	FLOW_SECONDS,      /* since 1970 */
	FLOW_MILLISECONDS, /* since 1970 */
	FLOW_NTP,          /* 32 bits of seconds since 1900, 32 of their fraction */
	FLOW_UPTIME,       /* milliseconds since the exporter began */
	FLOW_AGO,          /* microseconds before the message's time */
	FLOW_DURATION_MS,  /* since the flow's first packet */
	FLOW_DURATION_US,
	FLOW_ICMP, /* type * 256 + code, where the protocol is ICMP */
	FLOW_ICMP_TYPE,
	FLOW_ICMP_CODE,
};

extern const uint8_t flow_field_bytes[FLOW_FIELDS]; /* of a value */

/* Any length from 1 to 8. */
static inline uint64_t flow_number(const uint8_t *at, unsigned bytes)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	return number;
}
