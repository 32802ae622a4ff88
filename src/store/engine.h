/* DuckDB behind few words: open, run, number, and errors as this program says them. */
#pragma once

#include "core/err.h"

#include <duckdb.h>
#include <stdint.h>

struct engine {
	duckdb_database database;
	duckdb_connection writer; /* the bulk lane's; under its commit lock */
	duckdb_connection urgent; /* the urgent lane's; likewise */
	duckdb_connection chores; /* roll-ups, retention; under the store's chores lock */
};

struct engine_options {
	int64_t memory_bytes; /* 0: a quarter of the machine's */
	int64_t threads;      /* 0: as many as there are cores */
	const char *temporary_dir;
};

int engine_open(struct engine *engine, const char *path, const struct engine_options *options,
		struct err *err) must_check;
void engine_close(struct engine *engine); /* half-opened is fine */

/* One statement made like printf. -ENOSPC, -ENOMEM, -ECANCELED (interrupted), -EIO with the engine's sentence. */
int engine_run(duckdb_connection connection, struct err *err, const char *format, ...) printf_like(3, 4) must_check;
/* The first value of the first row as a number; 0 when there is no row or it is NULL. */
int engine_number(duckdb_connection connection, int64_t *ret_number, struct err *err, const char *format, ...)
	printf_like(4, 5) must_check;

/* What a sentence and a type of the engine mean. */
int engine_error(duckdb_error_type type, const char *text);

/* Around writing into the engine's memory, and before reading it. Its allocator hands a page from thread to thread,
 * which the thread sanitizer does not see; nothing in other builds. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
extern char engine_memory;
#define engine_memory_take() __tsan_acquire(&engine_memory)
#define engine_memory_leave() __tsan_release(&engine_memory)
#else
#define engine_memory_take() ((void)0)
#define engine_memory_leave() ((void)0)
#endif
int engine_result_error(duckdb_result *result, struct err *err);
