/* Answers: a query is bound, run on a connection of its own, and read chunk by chunk into values as people write them.
 */
#include "store/dialect.h"
#include "store/plan.h"
#include "store/query_parts.h"
#include "store/state.h"
#include "store/tables.h"
#include "store/value.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static duckdb_state bind_one(duckdb_prepared_statement prepared, idx_t at, const struct bound *bound)
{
	const struct query_value *value = &bound->value;
	if (bound->op == OP_LIKE)
		return duckdb_bind_varchar(prepared, at, value->text);
	switch (bound->column->type) {
	case COLUMN_U8:
	case COLUMN_CODE:
		return duckdb_bind_uint8(prepared, at, (uint8_t)value->number);
	case COLUMN_U16:
		return duckdb_bind_uint16(prepared, at, (uint16_t)value->number);
	case COLUMN_U32:
		return duckdb_bind_uint32(prepared, at, (uint32_t)value->number);
	case COLUMN_U64:
		return duckdb_bind_uint64(prepared, at, value->number);
	case COLUMN_F64:
		return duckdb_bind_double(prepared, at, value->real);
	case COLUMN_TIME: /* rounded up: what was cut to us when stored is compared as it is */
		return duckdb_bind_timestamp(
			prepared, at, (duckdb_timestamp){time_floor(value->time_ns + 999, NS_PER_US) / NS_PER_US});
	case COLUMN_ADDR:
		return duckdb_bind_uhugeint(prepared, at, addr_to_number(&value->addr));
	case COLUMN_TEXT:
	case COLUMN_JSON:
	case COLUMN_BLOB:
		return duckdb_bind_varchar(prepared, at, value->text);
	}
	return DuckDBError;
}

static json_t *text_value(duckdb_string_t *string, enum value_style style)
{
	const char *bytes = duckdb_string_t_data(string);
	size_t length = duckdb_string_t_length(*string);
	json_t *value = style == VALUE_JSON ? json_loadb(bytes, length, JSON_DECODE_ANY, NULL) : NULL;
	if (!value)
		value = json_stringn(bytes, length);
	return value ? value : json_string("(not UTF-8)");
}

static json_t *cell(duckdb_vector vector, duckdb_type type, const struct column *column, idx_t row)
{
	uint64_t *validity = duckdb_vector_get_validity(vector);
	if (!duckdb_validity_row_is_valid(validity, row))
		return json_null();
	engine_memory_take();
	const void *data = duckdb_vector_get_data(vector);
	struct query_value value = {.number = 0};
	switch (type) {
	case DUCKDB_TYPE_UTINYINT:
		value.number = ((const uint8_t *)data)[row];
		break;
	case DUCKDB_TYPE_USMALLINT:
		value.number = ((const uint16_t *)data)[row];
		break;
	case DUCKDB_TYPE_UINTEGER:
		value.number = ((const uint32_t *)data)[row];
		break;
	case DUCKDB_TYPE_UBIGINT:
		value.number = ((const uint64_t *)data)[row];
		break;
	case DUCKDB_TYPE_DOUBLE:
		return json_real(((const double *)data)[row]);
	case DUCKDB_TYPE_TIMESTAMP:
		value.time_ns = ((const int64_t *)data)[row] * NS_PER_US;
		break;
	case DUCKDB_TYPE_UHUGEINT:
		value.addr = addr_from_number(((const duckdb_uhugeint *)data)[row]);
		break;
	case DUCKDB_TYPE_VARCHAR:
		return text_value(&((duckdb_string_t *)data)[row], value_style(column));
	default:
		return json_null();
	}
	return value_to_json(column, OP_EQ, &value);
}

static json_t *result_columns(const struct query *query)
{
	json_t *columns = json_array();
	for (size_t i = 0; i < query_result_count(query); i++) {
		struct query_result result = query_result(query, i);
		json_t *column = json_object();
		json_object_set_new(column, "name", json_string(result.name));
		json_object_set_new(column, "type", json_string(value_type_name(value_style(result.column))));
		if (result.column->unit)
			json_object_set_new(column, "unit", json_string(result.column->unit));
		json_array_append_new(columns, column);
	}
	return columns;
}

static int read_chunk(duckdb_data_chunk chunk, const struct query *query, const struct store_rows *rows)
{
	size_t count = query_result_count(query);
	duckdb_type types[RECORD_COLUMNS_MAX];
	for (size_t c = 0; c < count; c++) {
		duckdb_logical_type type = duckdb_vector_get_column_type(duckdb_data_chunk_get_vector(chunk, c));
		types[c] = duckdb_get_type_id(type);
		duckdb_destroy_logical_type(&type);
	}
	int code = 0;
	for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk) && code == 0; row++) {
		json_t *values = json_array();
		for (size_t c = 0; c < count; c++)
			json_array_append_new(values, cell(duckdb_data_chunk_get_vector(chunk, c), types[c],
							   query_result(query, c).column, row));
		code = values ? rows->row(rows->context, values) : -ENOMEM;
		json_decref(values);
	}
	return code;
}

static int run_statement(duckdb_connection connection, const struct statement *statement, duckdb_result *ret_result,
			 struct err *err)
{
	duckdb_prepared_statement prepared = NULL;
	duckdb_pending_result pending = NULL;
	int code = 0;
	if (duckdb_prepare(connection, statement->sql.bytes, &prepared) != DuckDBSuccess) {
		const char *text = duckdb_prepare_error(prepared);
		code = err_set(err, engine_error(DUCKDB_ERROR_INVALID, text ? text : ""), "query: %s",
			       text ? text : "cannot be prepared");
	}
	for (size_t i = 0; i < statement->bound_count && code == 0; i++)
		if (bind_one(prepared, i + 1, &statement->bound[i]) != DuckDBSuccess)
			code = err_set(err, -EIO, "query: value %zu cannot be bound", i + 1);
	if (code == 0 && duckdb_pending_prepared_streaming(prepared, &pending) != DuckDBSuccess)
		code = err_set(err, engine_error(DUCKDB_ERROR_INVALID, duckdb_pending_error(pending)), "query: %s",
			       duckdb_pending_error(pending));
	if (code == 0 && duckdb_execute_pending(pending, ret_result) != DuckDBSuccess) {
		code = engine_result_error(ret_result, err);
		duckdb_destroy_result(ret_result);
	}
	duckdb_destroy_pending(&pending);
	duckdb_destroy_prepare(&prepared);
	return code;
}

/* The engine hears an interrupt only while it works; what it has ready it hands out all the same. So ask here too. */
static int read_result(duckdb_result *result, struct running *running, const struct query *query,
		       const struct store_rows *rows, struct err *err)
{
	int code = 0;
	for (duckdb_data_chunk chunk; code == 0 && (chunk = duckdb_fetch_chunk(*result));) {
		code = running_check(running) < 0 ? -ECANCELED : read_chunk(chunk, query, rows);
		duckdb_destroy_data_chunk(&chunk);
	}
	const char *text = code == 0 ? duckdb_result_error(result) : NULL;
	return text && *text ? engine_result_error(result, err) : code;
}

/* Rows to their taker, and how many estimates are among what was added up. What it was read from is in `ret_plan`,
 * whose rows are gone. */
static int ask(struct store *store, const struct query *query, const struct store_rows *rows, int64_t *ret_estimates,
	       struct plan *ret_plan, struct err *err)
{
	struct statement statement = {.sql = {NULL, 0, 0}}, estimates = {.sql = {NULL, 0, 0}};
	struct running running;
	int code = running_begin(store, &running, err);
	if (code < 0)
		return code;
	duckdb_result result;
	*ret_plan = (struct plan){.since_ns = INT64_MIN};
	code = engine_run(running.connection, err, "BEGIN"); /* one state for the plan and the question */
	if (code == 0)
		code = plan_make(running.connection, query, ret_plan, err);
	if (code == 0)
		code = statement_write(&dialect_duckdb, query, ret_plan->rows.bytes, &statement, err);
	plan_done(ret_plan);
	if (code == 0)
		code = run_statement(running.connection, &statement, &result, err);
	if (code == 0) {
		code = read_result(&result, &running, query, rows, err);
		duckdb_destroy_result(&result);
	}
	*ret_estimates = 0;
	if (code == 0 && record_column_index(query->kind, "exact") >= 0) {
		code = statement_write_estimates(&dialect_duckdb, query, &estimates, err);
		if (code == 0)
			code = run_statement(running.connection, &estimates, &result, err);
		if (code == 0) {
			duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
			if (chunk)
				*ret_estimates =
					*(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
			duckdb_destroy_data_chunk(&chunk);
			duckdb_destroy_result(&result);
		}
	}
	int why = running_end(store, &running);
	statement_done(&estimates);
	statement_done(&statement);
	if (code == -ECANCELED && why == -ETIME)
		return err_set(err, -ETIME,
			       "the query took longer than %lld ms (option query-timeout); ask for less time",
			       (long long)(store->options.query_timeout_ns / NS_PER_MS));
	if (code == -ECANCELED)
		return err_set(err, -ECANCELED, "the query was ended");
	return code;
}

int store_query_rows(struct store *store, const struct query *query, const struct store_rows *rows, struct err *err)
{
	json_t *columns = result_columns(query);
	int code = columns ? rows->columns(rows->context, columns) : err_set(err, -ENOMEM, "no memory for an answer");
	json_decref(columns);
	int64_t estimates;
	struct plan plan;
	return code ? code : ask(store, query, rows, &estimates, &plan, err);
}

static int keep_columns(void *context, const json_t *columns)
{
	return json_object_set(context, "columns", (json_t *)columns);
}

static int keep_row(void *context, const json_t *row)
{
	return json_array_append(json_object_get(context, "rows"), (json_t *)row) < 0 ? -ENOMEM : 0;
}

static bool only_exact(const struct query *query)
{
	for (size_t i = 0; i < query->aggregate_count; i++)
		if (query->aggregates[i].op == AGGREGATE_APPROX_DISTINCT)
			return false;
	return true;
}

/* ["day", "hour", "tuple"] */
static json_t *read_names(const struct query *query, const struct plan *plan)
{
	static const char *const names[] = {"minute", "hour", "day", "tuple"};
	json_t *read = json_array();
	if (query->kind != &record_tuple)
		json_array_append_new(read, json_string(query->kind->name));
	for (int i = PLAN_TUPLE; i >= 0; i--)
		if (plan->read >> i & 1)
			json_array_append_new(read, json_string(names[i]));
	return read;
}

int store_query(struct store *store, const struct query *query, json_t **ret_answer, struct err *err)
{
	int64_t began_ns = clock_monotonic_ns(), estimates = 0;
	char text[TIME_TEXT_BYTES];
	json_t *answer = json_object();
	struct store_rows rows = {keep_columns, keep_row, answer};
	struct plan plan;
	json_t *columns = result_columns(query);
	(void)!keep_columns(answer, columns);
	json_decref(columns);
	json_object_set_new(answer, "rows", json_array());
	int code = ask(store, query, &rows, &estimates, &plan, err);
	if (code < 0) {
		json_decref(answer);
		return code;
	}
	char *command = query_command(query);
	json_object_set_new(answer, "exact", json_boolean(estimates == 0 && only_exact(query)));
	json_object_set_new(answer, "elapsed_ms", json_integer((clock_monotonic_ns() - began_ns) / NS_PER_MS));
	json_object_set_new(answer, "from", json_string(time_format(plan.from_ns, text)));
	json_object_set_new(answer, "to", json_string(time_format(plan.to_ns, text)));
	json_object_set_new(answer, "read", read_names(query, &plan));
	if (plan.since_ns != INT64_MIN)
		json_object_set_new(answer, "since", json_string(time_format(plan.since_ns, text)));
	json_object_set_new(answer, "command", json_string(command ? command : ""));
	free(command);
	*ret_answer = answer;
	return 0;
}
