/* What the files of store/ share of an open store. Locks, in the order in which they may be taken:
 *
 *     chores   roll-ups, retention, backup: one at a time
 *     commit   of a lane: its connection and `pending`; of the bulk lane also the raw ring's end and checkpoints
 *     alive    held for reading while a connection is used, for writing only to reopen the engine after a failure
 *     stage    `staged` and `intake` of the lanes, and the figures of the status
 */
#pragma once

#include "store/engine.h"
#include "store/lane.h"
#include "store/ring.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct running {
	duckdb_connection connection;
	int64_t deadline_ns; /* monotonic */
	_Atomic int why;     /* 0, -ETIME, -ECANCELED */
	struct running *next;
};

struct kind_figures {
	int64_t rows, oldest_us, newest_us; /* times valid where rows > 0 */
};

struct store {
	struct store_options options; /* texts in pool */
	struct pool *pool;
	char path[4096]; /* of the database file */
	int lock_fd;
	pthread_mutex_t chores, stage;
	pthread_rwlock_t alive;
	struct engine engine;
	_Atomic bool broken; /* the engine must be opened again */

	struct lane lanes[LANES];
	struct raw_ring ring;

	int64_t raw_bytes; /* of the ring, for the status */
	uint64_t raw_broken;
	bool stopped;
	char reason[ERR_TEXT_BYTES];
	int64_t tried_ns; /* monotonic; last try to resume */
	struct kind_figures figures[STAGED_KINDS_MAX];
	int64_t checkpointed_ns, wal_bytes_max;

	pthread_mutex_t running_lock;
	pthread_cond_t running_change;
	struct running *running;
	pthread_t watch;
	bool watching, closing;

	int64_t refreshed_ns[5], refresh_cost_ns[5]; /* roll-ups of open periods, by level; under chores */
};

int store_database_open(struct store *store, struct err *err) must_check; /* engine, schema, serials, figures */
int figures_load(struct store *store, duckdb_connection connection, struct err *err) must_check;
/* `alive` held for reading and an engine that is open, until store_release(); -EAGAIN while it is being opened again.
 */
int store_hold(struct store *store, struct err *err) must_check;
void store_release(struct store *store);
/* Under commit and held. Tries again while readers are in the way, for a second; 0 also when it was put off. */
int store_checkpoint(struct store *store, struct err *err) must_check;
/* Under chores, with `alive` held. */
int roll_up_due(struct store *store, int64_t now_ns, struct err *err) must_check;
int64_t file_bytes(const char *path); /* 0 where there is none */
int64_t free_bytes(const char *dir);

/* A question with a connection of its own and an end in time; the store is held until running_end(), which tells why it
 * was ended, or 0. */
int running_begin(struct store *store, struct running *running, struct err *err) must_check;
int running_end(struct store *store, struct running *running);
int running_check(struct running *running); /* 0; why it must end: by now it may be late */
int running_start(struct store *store, struct err *err) must_check;
void running_stop(struct store *store);
