/* Which hosts are ours: of those whose traffic is watched, not the Internet's. */
#pragma once

#include "analyze/cnc/sight.h"

enum { CNC_NETWORKS_MAX = 256 };

struct cnc_inside {
	struct prefix networks[CNC_NETWORKS_MAX];
	uint32_t count;
	bool told; /* by the operator: nothing is inferred */
};

/* Where nobody told: private addresses (RFC 1918, 6598, 4193), and the networks (/16, IPv6 /32) whose hosts ask much
 * more than they are asked, and are answered. 0, -ENOMEM. */
int cnc_inside_infer(struct cnc_inside *inside, const struct cnc_sight *sight) must_check;

bool cnc_inside_has(const struct cnc_inside *inside, const struct addr *addr);
