/* TCP options of a packet (RFC 9293 section 3.2, RFC 7323, RFC 2018): what tells tools and stacks apart. */
#pragma once

#include "wire/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct tcp_options {
	uint64_t signature; /* hash of the kinds in their order, NOP and end included; 0 where there are no options */
	uint32_t timestamp, timestamp_echo;
	uint16_t mss; /* 0: none */
	uint8_t window_scale;
	uint8_t count; /* options met, NOPs and end included */
	bool has_mss, has_window_scale, sack_permitted, has_timestamp;
	bool malformed; /* a length below 2, past the header, or not what its kind wants; what came before is kept */
};

/* Walk the options. Only for packets with protocol 6 and l4; others give all zero. Never reads past what was captured.
 * A malformed list is noted in packet->anomaly (ANOMALY_TCP_OPTIONS) where nothing was before: packet_parse() does not
 * look into options, because most packets' options are never asked for. */
struct tcp_options tcp_options_read(struct packet *packet);
