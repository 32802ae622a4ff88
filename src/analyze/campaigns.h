/* What the halves of the campaign detector share: sources of a window and the groups they fall into. */
#pragma once

#include "analyze/limits.h"
#include "analyze/table.h"
#include "core/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_MINUTES = 60 };

/* A source within the open window. */
struct campaign_source {
	struct addr addr;   /* the key */
	uint64_t activity;  /* bit i: seen in minute i of the window */
	uint64_t payload;   /* the smallest not-zero hash seen: a choice that no order of rows changes */
	uint32_t signature; /* likewise */
	uint32_t packets;
	uint32_t ports[LIMIT_SOURCE_PORTS]; /* protocol << 16 | port; past the limit those of lowest hash; sorted */
	uint32_t highest_rank; /* of the ports, once there are too many: what is not below it is not kept */
	uint32_t group;        /* set by grouping; UINT32_MAX: none */
	uint16_t country;
	uint8_t tool, tool_version, port_count;
	bool many_ports;
};

/* What tells the members' software: a tool by its rule, else the payload, else the shape of the packet. */
enum fingerprint_type { FINGERPRINT_TOOL, FINGERPRINT_PAYLOAD, FINGERPRINT_SIGNATURE };
struct fingerprint {
	uint64_t value;
	enum fingerprint_type type;
};
struct fingerprint source_fingerprint(const struct campaign_source *source);
bool fingerprint_same(const struct fingerprint *a, const struct fingerprint *b);

/* Sources with one fingerprint and one set of ports; after merging, near-equal sets too. */
struct campaign_group {
	uint64_t key[2]; /* hashes of the fingerprint and of the ports */
	struct fingerprint fingerprint;
	uint32_t ports[LIMIT_CAMPAIGN_PORTS];
	uint32_t sources;
	uint64_t packets;
	uint32_t leader;                    /* the group it was merged into; itself when none */
	uint32_t by_minute[WINDOW_MINUTES]; /* sources active */
	uint32_t starts[WINDOW_MINUTES];    /* sources first seen */
	uint8_t port_count;
	bool many_ports;
};

struct campaign_groups {
	struct table table; /* of struct campaign_group; the caller's table_init(), 16 bytes of key */
	uint32_t *order;    /* groups by size before merging, largest first; room for LIMIT_CAMPAIGN_GROUPS */
	size_t order_count;
};

/* Group every source of `sources` (records of struct campaign_source). `least` sources make a group;
 * groups of one fingerprint and near port sets are merged. Sets each source's `group` to its
 * leader's index. Deterministic whatever the order of sources. 0, -ENOMEM. */
int campaign_group(struct campaign_groups *groups, struct table *sources, uint32_t least, double similarity);

/* The port sets have a Jaccard similarity of at least `similarity`, or one holds the other and is at most thrice it. */
bool campaign_ports_near(const struct campaign_group *a, const struct campaign_group *b, double similarity);

/* Members of one time component. */
struct synchrony {
	uint32_t groups[32]; /* indexes into the table, largest first */
	uint32_t count, sources;
	double similarity; /* least cosine of a member with the component */
	double burst;      /* share of the component's weight in its busiest sixth of the window */
};

/* Non-negative factorisation of (groups x minutes): groups that switch on and off together though their ports or
 * fingerprints differ. Writes up to `room` components that hold two leaders or more. Minutes 0..minutes-1 were seen. */
size_t campaign_synchronies(const struct campaign_groups *groups, uint32_t least, unsigned minutes,
			    struct synchrony *ret, size_t room);
