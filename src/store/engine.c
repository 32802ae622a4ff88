/* The DuckDB C API, opened so that it does only what the store asks: no extensions are looked for, no other file can be
 * reached from SQL, its configuration is locked. Checkpoints never happen by themselves: between two of the store's own
 * the database file is a consistent snapshot, which is what the online backup copies.
 *
 * Written to the C API of DuckDB 1.4; storage format v1.4.0.
 */
#include "store/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int engine_error(duckdb_error_type type, const char *text)
{
	if (type == DUCKDB_ERROR_INTERRUPT || strstr(text, "INTERRUPT"))
		return -ECANCELED;
	if (strstr(text, "No space left") || strstr(text, "File too large") || strstr(text, "Disk quota") ||
	    strstr(text, "max_temp_directory_size"))
		return -ENOSPC;
	if (type == DUCKDB_ERROR_OUT_OF_MEMORY)
		return -ENOMEM;
	return -EIO;
}

int engine_result_error(duckdb_result *result, struct err *err)
{
	const char *text = duckdb_result_error(result);
	if (!text)
		text = "the engine gave no reason";
	return err_set(err, engine_error(duckdb_result_error_type(result), text), "observations: %s", text);
}

static int run_text(duckdb_connection connection, const char *sql, duckdb_result *result, struct err *err)
{
	if (duckdb_query(connection, sql, result) == DuckDBSuccess)
		return 0;
	int code = engine_result_error(result, err);
	duckdb_destroy_result(result);
	return code;
}

static char *format_text(const char *format, va_list arguments)
{
	char *sql = NULL;
	return vasprintf(&sql, format, arguments) < 0 ? NULL : sql;
}

int engine_run(duckdb_connection connection, struct err *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *sql = format_text(format, arguments);
	va_end(arguments);
	if (!sql)
		return err_set(err, -ENOMEM, "no memory for a statement");
	duckdb_result result;
	int code = run_text(connection, sql, &result, err);
	free(sql);
	if (code == 0)
		duckdb_destroy_result(&result);
	return code;
}

int engine_number(duckdb_connection connection, int64_t *ret_number, struct err *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *sql = format_text(format, arguments);
	va_end(arguments);
	if (!sql)
		return err_set(err, -ENOMEM, "no memory for a statement");
	duckdb_result result;
	int code = run_text(connection, sql, &result, err);
	free(sql);
	if (code < 0)
		return code;
	*ret_number = duckdb_row_count(&result) ? duckdb_value_int64(&result, 0, 0) : 0;
	duckdb_destroy_result(&result);
	return 0;
}

static int configure(duckdb_config config, const struct engine_options *options, struct err *err)
{
	char memory[32], threads[32];
	int64_t bytes = options->memory_bytes;
	if (bytes <= 0)
		bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 4;
	int64_t cores = options->threads > 0 ? options->threads : sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(memory, sizeof memory, "%lldMiB", (long long)(bytes >> 20 ? bytes >> 20 : 1));
	snprintf(threads, sizeof threads, "%lld", (long long)(cores > 0 ? cores : 1));
	const char *const settings[][2] = {
		{"memory_limit", memory},
		{"threads", threads},
		{"temp_directory", options->temporary_dir},
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"storage_compatibility_version", "v1.4.0"},
		{"checkpoint_threshold", "1TB"},
		{"preserve_insertion_order", "true"},
	};
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
			return err_set(err, -EINVAL, "observations: the engine refuses the setting %s = %s",
				       settings[i][0], settings[i][1]);
	return 0;
}

#ifdef __SANITIZE_THREAD__
char engine_memory;
#endif

int engine_open(struct engine *engine, const char *path, const struct engine_options *options, struct err *err)
{
	*engine = (struct engine){.database = NULL};
	duckdb_config config;
	if (duckdb_create_config(&config) != DuckDBSuccess)
		return err_set(err, -ENOMEM, "observations: the engine cannot be configured");
	int code = configure(config, options, err);
	char *text = NULL;
	if (code == 0 && duckdb_open_ext(path, &engine->database, config, &text) != DuckDBSuccess)
		code = err_set(err, text ? engine_error(DUCKDB_ERROR_INVALID, text) : -EIO, "%s: %s", path,
			       text ? text : "cannot be opened");
	duckdb_free(text);
	duckdb_destroy_config(&config);
	if (code == 0 && (duckdb_connect(engine->database, &engine->writer) != DuckDBSuccess ||
			  duckdb_connect(engine->database, &engine->urgent) != DuckDBSuccess ||
			  duckdb_connect(engine->database, &engine->chores) != DuckDBSuccess))
		code = err_set(err, -ENOMEM, "%s: no connection", path);
	static const char *const locks[] = {"SET GLOBAL enable_external_access = false",
					    "SET GLOBAL lock_configuration = true"};
	for (size_t i = 0; i < 2 && code == 0; i++)
		code = engine_run(engine->writer, err, "%s", locks[i]);
	if (code < 0)
		engine_close(engine);
	return code;
}

void engine_close(struct engine *engine)
{
	if (engine->writer)
		duckdb_disconnect(&engine->writer);
	if (engine->urgent)
		duckdb_disconnect(&engine->urgent);
	if (engine->chores)
		duckdb_disconnect(&engine->chores);
	if (engine->database)
		duckdb_close(&engine->database);
	*engine = (struct engine){.database = NULL};
}
