/* Link layers: from a captured frame, or the Ethernet frame inside a tunnel, to its IP header. */
#pragma once

#include "wire/packet.h"

#include <stdint.h>

/* Bytes of a packet, from the layer that is looked at on. The wire's count may be larger: the capture was cut. */
struct span {
	const uint8_t *at;
	uint32_t captured, wire;
};

/* Step over `bytes`; false, and nothing moved, when fewer were captured. */
static inline bool span_skip(struct span *span, uint32_t bytes)
{
	if (span->captured < bytes)
		return false;
	span->at += bytes;
	span->captured -= bytes;
	span->wire -= bytes;
	return true;
}

/* Move `span` to the IP header. *ret_version is 4 or 6 where the link layer says so, 0 where the header itself must.
 * ANOMALY_NONE, or why there is none: LINK_TRUNCATED, LINK_UNKNOWN, NOT_IP. */
enum packet_anomaly link_find_ip(struct span *span, uint16_t link_type, uint8_t *ret_version);

/* The same from an EtherType on; `span` is behind it. */
enum packet_anomaly link_find_ip_by_ethertype(struct span *span, uint16_t ethertype, uint8_t *ret_version);

/* What an ERF record of this type has inside: its LINKTYPE_*, and how many bytes stand in front of the link layer.
 * False: nothing that could carry IP. */
bool erf_link_type(uint8_t type, uint16_t *ret_link_type, uint16_t *ret_ahead_bytes);
