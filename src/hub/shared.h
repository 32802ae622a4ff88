/* What the parent shows its children, in shared memory: who runs, how often it was restarted. Children read it; each
 * front has a page of its own to write its figures into, and is not believed more than a figure.
 */
#pragma once

#include "hub/limits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { HUB_PROCESSES = LIMIT_SENSORS + 8, HUB_NAME_BYTES = 32 };

struct hub_process {
	char name[HUB_NAME_BYTES];
	_Atomic int32_t pid;
	_Atomic int32_t state; /* enum child_state */
	_Atomic uint32_t restarts;
	_Atomic int64_t rss_bytes;
};

struct hub_shared {
	int64_t started_ns;
	uint32_t process_count; /* keeper, front, local, courier, the sensors in their order, services */
	struct hub_process processes[HUB_PROCESSES];
};

enum { PROCESS_KEEPER, PROCESS_FRONT, PROCESS_LOCAL, PROCESS_COURIER, PROCESS_SENSORS };

struct front_shared {
	_Atomic uint64_t requests, answers[6]; /* answers by hundreds of the status */
	_Atomic uint64_t live_clients, live_events, live_skipped;
	_Atomic uint64_t refused; /* too large, too many, too slow */
	_Atomic uint64_t static_bytes;
};
