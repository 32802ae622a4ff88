/* A way into the engine: what was put and not flushed yet, a connection and a lock of its own.
 *
 * There are two. Minute tuples come by the hundred thousand and take a second to be written; an alert must not stand
 * behind them. So findings and sightings go by the urgent lane, whose transactions are small and run beside a large one
 * (the lanes write to different tables, so the engine has no conflict to find), everything else by the bulk lane.
 */
#pragma once

#include "core/err.h"
#include "store/intake.h"
#include "store/staging.h"

#include <duckdb.h>
#include <pthread.h>
#include <stdint.h>

struct store;

enum { LANE_BULK, LANE_URGENT, LANES };

struct lane {
	const char *intake_table, *serial_table;
	duckdb_connection *writer; /* the engine's */
	pthread_mutex_t commit;
	struct staging staged, pending;
	struct intake intake, pending_intake;
	int64_t serial;         /* of the last flush that is known to be committed */
	int64_t pending_serial; /* of what is pending, once it was tried; 0: not yet */
};

int lanes_init(struct store *store, struct err *err) must_check;
void lanes_done(struct store *store);
/* When the engine is opened, and opened again. */
int lanes_load_serials(struct store *store, struct err *err) must_check;
/* Once. */
int lanes_load_intake(struct store *store, struct err *err) must_check;

/* Everything staged, in one transaction. A flush that fails keeps it for the next one. */
int lane_flush(struct store *store, struct lane *lane, struct err *err) must_check;

/* -ENOSPC when less than the floor would be left. */
int store_check_room(struct store *store, size_t bytes, struct err *err) must_check;
