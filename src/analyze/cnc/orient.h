/* Which end of a flow asked and which served. */
#pragma once

#include "core/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct cnc_ends {
	const struct addr *source, *target;
	uint16_t source_port, target_port;
	uint8_t protocol, flags; /* TCP flags of the source */
	bool both_ways;          /* the record holds the answers too: whoever wrote it knew who began */
};

/* True: the target served. The answer for a flow and for its way back agree but where only the flags tell. */
bool cnc_target_serves(const struct cnc_ends *ends);

/* Addresses that are of many hosts or of none (RFC 1112, 4291, 919): they serve nobody. */
bool cnc_addr_is_group(const struct addr *addr);
