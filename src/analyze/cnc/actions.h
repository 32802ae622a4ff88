/* Floods and scans by client, and whether a contact came right before them. */
#pragma once

#include "analyze/cnc/sight.h"

struct cnc_action {
	uint32_t client, start_ms;
	uint32_t service; /* that it went to; of a scan the first one */
	bool scan;
};

struct cnc_actions {
	struct cnc_action *sorted; /* by client, then time */
	uint32_t count;
	uint32_t *first; /* of each client, and one more */
};

int cnc_actions_find(struct cnc_actions *actions, const struct cnc_sight *sight) must_check; /* 0, -ENOMEM */
void cnc_actions_done(struct cnc_actions *actions);

/* 0..1: how much it looks as if contact with the service made the pair's client act. */
float cnc_actions_after(const struct cnc_actions *actions, const struct cnc_sight *sight, const struct cnc_pair *pair);
