/* A sensor whose hub is elsewhere. Two processes, as in a hub: the sensor, confined, writes batches into a ring; this
 * one reads no packet, takes them out, spools them and sends them (remote_sink.h).
 */
#pragma once

#include "hub/hub.h"
#include "hub/remote_sink.h"

#include <stdatomic.h>

struct forward_figures {
	uint64_t packets, bytes, outside, lost; /* of the sensor, `packets` with those outside */
	uint64_t lost_batches;                  /* while neither spool nor ring had room */
	struct remote_counters remote;
};

struct forward_setup {
	const struct hub_sensor *sensor;
	struct remote_options remote;
	bool unconfined;
	int drain_ms; /* at the end: how long the hub may take to acknowledge the rest */
	int64_t every_ns;
	void (*tell)(void *context, const struct forward_figures *figures); /* every so often */
	void *context;
	const _Atomic bool *stop;
};

/* Works until *stop or until the sensor ends. 0; negative when it could not start or the sensor failed (its sentence).
 * Either way *ret_figures says what was read and sent. Call it while there is one thread. */
int forward_run(const struct forward_setup *setup, struct forward_figures *ret_figures, struct err *err) must_check;
