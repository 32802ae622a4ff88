/* Acknowledgements. See intake.h. Few boots are live at once, so the table is searched from its end. */
#include "store/intake.h"

#include "store/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void intake_done(struct intake *intake)
{
	free(intake->boots);
	*intake = (struct intake){NULL, 0, 0};
}

static struct intake_boot *find(const struct intake *intake, uint64_t boot)
{
	for (size_t i = intake->count; i-- > 0;)
		if (intake->boots[i].boot == boot)
			return &intake->boots[i];
	return NULL;
}

static struct intake_boot *add(struct intake *intake, const struct intake_boot *boot)
{
	if (intake->count == intake->capacity) {
		size_t capacity = intake->capacity ? intake->capacity * 2 : 16;
		struct intake_boot *more = realloc(intake->boots, capacity * sizeof *more);
		if (!more)
			return NULL;
		intake->boots = more;
		intake->capacity = capacity;
	}
	intake->boots[intake->count] = *boot;
	return &intake->boots[intake->count++];
}

static bool seen(const struct intake_boot *at, uint64_t sequence)
{
	return at->seen[sequence / 64 % (INTAKE_WINDOW / 64)] >> (sequence % 64) & 1;
}

static void mark(struct intake_boot *at, uint64_t sequence)
{
	if (sequence > at->highest) {
		uint64_t clear =
			sequence - at->highest < INTAKE_WINDOW ? at->highest + 1 : sequence - INTAKE_WINDOW + 1;
		for (; clear <= sequence && clear; clear++)
			at->seen[clear / 64 % (INTAKE_WINDOW / 64)] &= ~(UINT64_C(1) << (clear % 64));
		at->highest = sequence;
	}
	at->seen[sequence / 64 % (INTAKE_WINDOW / 64)] |= UINT64_C(1) << (sequence % 64);
	at->changed = true;
}

bool intake_has(const struct intake *intake, uint64_t boot, uint64_t sequence)
{
	const struct intake_boot *at = find(intake, boot);
	return at && sequence <= at->highest && (at->highest - sequence >= INTAKE_WINDOW || seen(at, sequence));
}

int intake_mark(struct intake *intake, uint64_t boot, uint64_t sequence, struct err *err)
{
	struct intake_boot *at = find(intake, boot);
	if (!at) {
		struct intake_boot first = {.boot = boot, .highest = sequence - 1, .base = sequence - 1};
		at = add(intake, &first);
		if (!at)
			return err_set(err, -ENOMEM, "no memory for the acknowledgements of a sensor");
	}
	if (sequence <= at->highest && (at->highest - sequence >= INTAKE_WINDOW || seen(at, sequence)))
		return 1;
	if (sequence <= at->base)
		at->base = sequence - 1;
	mark(at, sequence);
	return 0;
}

void intake_unmark(struct intake *intake, uint64_t boot, uint64_t sequence)
{
	struct intake_boot *at = find(intake, boot);
	if (at)
		at->seen[sequence / 64 % (INTAKE_WINDOW / 64)] &= ~(UINT64_C(1) << (sequence % 64));
}

static uint64_t gapless(const struct intake_boot *at)
{
	uint64_t low = at->highest >= INTAKE_WINDOW ? at->highest - INTAKE_WINDOW : 0;
	uint64_t sequence = at->base > low ? at->base : low;
	while (sequence < at->highest && seen(at, sequence + 1))
		sequence++;
	return sequence;
}

uint64_t intake_acknowledged(const struct intake *intake, uint64_t boot)
{
	const struct intake_boot *at = find(intake, boot);
	return at ? at->acknowledged : 0;
}

int intake_load(struct intake *intake, duckdb_connection connection, const char *table, struct err *err)
{
	duckdb_result result;
	char sql[128];
	snprintf(sql, sizeof sql, "SELECT boot, highest, base, seen FROM %s ORDER BY touched", table);
	if (duckdb_query(connection, sql, &result) != DuckDBSuccess) {
		int code = engine_result_error(&result, err);
		duckdb_destroy_result(&result);
		return code;
	}
	int code = 0;
	for (idx_t row = 0; row < duckdb_row_count(&result) && code == 0; row++) {
		struct intake_boot boot = {.boot = duckdb_value_uint64(&result, 0, row),
					   .highest = duckdb_value_uint64(&result, 1, row),
					   .base = duckdb_value_uint64(&result, 2, row)};
		duckdb_blob bits = duckdb_value_blob(&result, 3, row);
		if (bits.size == sizeof boot.seen)
			memcpy(boot.seen, bits.data, sizeof boot.seen);
		duckdb_free(bits.data);
		boot.acknowledged = gapless(&boot);
		if (!add(intake, &boot))
			code = err_set(err, -ENOMEM, "no memory for the acknowledgements of %zu sensors",
				       intake->count);
	}
	duckdb_destroy_result(&result);
	return code;
}

static int write_boot(duckdb_prepared_statement statement, const struct intake_boot *at, struct err *err)
{
	duckdb_result result;
	duckdb_bind_uint64(statement, 1, at->boot);
	duckdb_bind_uint64(statement, 2, at->highest);
	duckdb_bind_uint64(statement, 3, at->base);
	duckdb_bind_blob(statement, 4, at->seen, sizeof at->seen);
	int code = duckdb_execute_prepared(statement, &result) == DuckDBSuccess ? 0 : engine_result_error(&result, err);
	duckdb_destroy_result(&result);
	return code;
}

int intake_write(const struct intake *intake, duckdb_connection connection, const char *table, struct err *err)
{
	if (intake->count == 0)
		return 0;
	int code = 0;
	for (size_t i = 0; i < intake->count && code == 0; i++)
		code = engine_run(connection, err, "DELETE FROM %s WHERE boot = %llu", table,
				  (unsigned long long)intake->boots[i].boot);
	duckdb_prepared_statement statement = NULL;
	char sql[128];
	snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?, ?, ?, ?, now()::TIMESTAMP)", table);
	if (code == 0 && duckdb_prepare(connection, sql, &statement) != DuckDBSuccess)
		code = err_set(err, -EIO, "acknowledgements: %s", duckdb_prepare_error(statement));
	for (size_t i = 0; i < intake->count && code == 0; i++)
		code = write_boot(statement, &intake->boots[i], err);
	duckdb_destroy_prepare(&statement);
	return code;
}

int intake_copy_changed(struct intake *intake, struct intake *ret_changed, struct err *err)
{
	for (size_t i = 0; i < intake->count; i++) {
		if (!intake->boots[i].changed)
			continue;
		struct intake_boot *had = find(ret_changed, intake->boots[i].boot);
		if (had)
			*had = intake->boots[i];
		else if (!add(ret_changed, &intake->boots[i]))
			return err_set(err, -ENOMEM, "no memory for acknowledgements");
		intake->boots[i].changed = false;
	}
	return 0;
}

void intake_flushed(struct intake *intake, const struct intake *changed)
{
	for (size_t i = 0; i < changed->count; i++) {
		struct intake_boot *at = find(intake, changed->boots[i].boot);
		if (at)
			at->acknowledged = gapless(&changed->boots[i]);
	}
}
