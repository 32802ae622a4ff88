/* A sensor's process: opens with privilege, confines itself, and runs its module into the rings. */
#pragma once

#include "core/err.h"
#include "hub/hub.h"
#include "sys/ring.h"

#include <stdatomic.h>
#include <sys/types.h>

struct sensor_setup {
	const struct hub_sensor *sensor;
	struct ring *ring, *live_ring, *sighting_ring; /* the last may be NULL */
	_Atomic uint64_t *metrics;
	bool unconfined;
	uid_t uid;
	gid_t gid;
};

/* A child's main. 0 at the end of what there is to read, or when it was told to end. */
int sensor_run(const struct sensor_setup *setup, struct err *err) must_check;
