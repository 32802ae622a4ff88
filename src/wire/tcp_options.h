/* TCP options of a packet (RFC 9293 section 3.2, RFC 7323, RFC 2018): which kinds in which order, which tells tools and
 * stacks apart. */
#pragma once

#include "wire/packet.h"

#include <stdint.h>

/* A hash of the kinds in their order, NOP and end included, or 0 where there are none (also for other protocols). Never
 * reads past what was captured. The walk ends at what is malformed: a length below 2, past the header, or not what its
 * kind wants. That is noted in packet->anomaly (ANOMALY_TCP_OPTIONS) where nothing was before: packet_parse() does not
 * look into options, because most packets' options are never asked for. */
uint64_t tcp_options_signature(struct packet *packet);
