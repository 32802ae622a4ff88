/* The store of observations: one directory, one lock, one interface, and DuckDB behind it.
 *
 *     DIR/lock                 held with flock(2) while the store is open; says who holds it
 *     DIR/observations.duckdb  tables named and made as the kinds of record are
 *     DIR/raw/NNNNNNNN.seg     the ring of raw packets
 *     DIR/registry.sqlite      people and settings: registry.h
 *
 * Durability: store_put() copies a batch into memory, store_flush() writes everything put since the last flush in one
 * transaction, together with the acknowledgements (boot, sequence). After its 0 nothing of it is lost by kill -9 or a
 * power cut; before that nothing of it is promised, and no batch is ever there in part. Put commits by itself when more
 * than STORE_STAGED_BYTES wait. A flush that fails keeps what was put and tries again at the next one.
 *
 * Threads: every function may be called from any thread. One writer at a time; each query has its own connection.
 * DuckDB starts threads: confine the process (Landlock binds threads) before store_open().
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "core/option.h"
#include "record/batch.h"
#include "store/query.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORE_STAGED_BYTES = 256 << 20 };

struct store;

/* All lengths of time in ns, all sizes in bytes. A keep time of 0 keeps for ever. */
struct store_options {
	const char *dir;
	int64_t memory_bytes;     /* what DuckDB may use */
	int64_t threads;          /* of one query; 0: as many as there are cores */
	int64_t free_floor_bytes; /* intake stops when the file system has less than this free */
	int64_t query_timeout_ns; /* a query that takes longer is ended */
	int64_t raw_bytes;        /* size of the ring of raw packets; 0 keeps none */
	int64_t keep_tuple_ns, keep_echo_ns, keep_health_ns, keep_finding_ns, keep_sighting_ns;
	int64_t keep_rollup_minute_ns, keep_rollup_hour_ns, keep_rollup_day_ns;
};
extern const struct option_spec store_option_table[]; /* into struct store_options; options_init() gives defaults */

/* Open or make the store; a store of an earlier version is brought forward, one of a later version is refused.
 * -EBUSY: another process holds the lock (the sentence says which); -ENOTSUP: later version; other negative: failure.
 * `options` is copied. */
int store_open(const struct store_options *options, struct store **ret_store, struct err *err) must_check;
void store_close(struct store *store); /* flushes; NULL is fine */

/* 0: taken (copied; durable after the next flush). 1: a duplicate of (sensor_boot, sequence), left out.
 * -ENOSPC: intake is stopped, nothing was taken; it resumes by itself when there is room. -EINVAL: a kind that is never
 * stored (spark). A finding replaces the stored one of the same id. */
int store_put(struct store *store, const struct batch *batch, struct err *err) must_check;
int store_flush(struct store *store, struct err *err) must_check; /* 0, -ENOSPC (kept, tried again), negative */

/* Findings and sightings go a way of their own, so that they need not wait while a minute's tuples are written: this
 * flushes them alone, in some milliseconds. */
int store_flush_urgent(struct store *store, struct err *err) must_check;
/* What store_put() would answer: 0, 1, -ENOSPC. For what must be decided before the batch is worked on. */
int store_would_take(struct store *store, const struct batch *batch, struct err *err) must_check;
/* Sightings and the findings made of them, in one transaction. Ask store_would_take() before: this takes them also when
 * intake has been stopped since, and keeps them until it can write. 0; 1: batches[i] is a duplicate, it and what
 * follows it was left out; -ENOMEM. */
int store_put_together(struct store *store, const struct batch *const *batches, size_t count,
		       struct err *err) must_check;

/* Highest sequence of a boot up to which everything was flushed without a gap; 0 when none. */
uint64_t store_acknowledged(struct store *store, uint64_t boot);

/* Answer a query: {"columns","rows","exact","elapsed_ms","from","to","command"} as the API documents. Sees what was
 * flushed. -ETIME: took longer than the timeout; -ECANCELED: store_interrupt(). */
int store_query(struct store *store, const struct query *query, json_t **ret_answer, struct err *err) must_check;

/* The same row by row: `row` is called with an array of values (borrowed); a non-zero answer of it ends the query and
 * is returned. For downloads larger than fit in memory. */
struct store_rows {
	int (*columns)(void *context, const json_t *columns);
	int (*row)(void *context, const json_t *row);
	void *context;
};
int store_query_rows(struct store *store, const struct query *query, const struct store_rows *rows,
		     struct err *err) must_check;
void store_interrupt(struct store *store); /* end all queries that run now */

/* Bring roll-ups up to `now_ns`: each closed minute, hour, day, month and year whose tuples came or changed since the
 * last call is made again. Cheap when nothing changed. */
int store_roll_up(struct store *store, int64_t now_ns, struct err *err) must_check;

/* Delete what is older than its keep time and give space back. Tuples go only once the roll-up of their span is there
 * and its packets add up. */
int store_retain(struct store *store, int64_t now_ns, struct err *err) must_check;

/* Copy everything to `dir` (made; must be empty or absent) while intake goes on, with manifest.json (sizes and
 * hashes). The copy is the store as of one instant after the call began. -EEXIST: not empty. */
int store_backup(struct store *store, const char *dir, struct err *err) must_check;

/* Check every hash of the backup and lay it out as the data directory `dir`, which must be empty or absent unless
 * `replace`. -EBADMSG: a file of the backup is missing or changed; -EEXIST: not empty; -EBUSY: a hub runs on it. */
int store_restore(const char *backup, const char *dir, bool replace, struct err *err) must_check;

/* One block of raw packets: a whole pcapng file (borrowed until the callback returns). */
struct store_block {
	int64_t first_ns, last_ns;
	uint16_t sensor;
	uint64_t block;
	uint32_t packets;
	const uint8_t *pcapng;
	size_t bytes;
};

/* Every raw block that has packets of `source` (NULL: of anybody) within [from, to), in order of time. Blocks hold
 * other sources and times too: the caller filters. A non-zero answer of the callback ends it and is returned. A block
 * that fails its hash is counted in status and left out. */
int store_raw_packets(struct store *store, const struct addr *source, int64_t from_ns, int64_t to_ns,
		      int (*block)(void *context, const struct store_block *block), void *context,
		      struct err *err) must_check;

/* Packets that sightings of an address kept: records of a pcap file (nanoseconds, link type 101: raw IP), in order of
 * time. A non-zero answer of the callback ends it and is returned. */
struct store_evidence {
	struct addr address;
	bool attacked;          /* sightings as victim, else as source */
	int64_t from_ns, to_ns; /* first and last packet */
	uint32_t rows_max;
};
int store_evidence(struct store *store, const struct store_evidence *wanted,
		   int (*each)(void *context, const void *records, size_t bytes), void *context,
		   struct err *err) must_check;

/* {"state":"ok|stopped","reason","bytes","free_bytes","raw_bytes","oldest","newest","kinds":{"tuple":{"rows":N},...}}.
 * Answers quickly: kept in memory, not asked of the engine. */
int store_status(struct store *store, json_t **ret_status, struct err *err) must_check;
