/* Makes tables from the kinds of record and appends columns to them. An append copies 2,048 values at a time from the
 * batch's column into the engine's vector; only times (ns to us) and addresses (byte order) are changed on the way. */
#include "store/tables.h"

#include "core/clock.h"
#include "core/cursor.h"
#include "core/module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Blocks lie in the raw ring; other bytes are few and stand in the table. */
static bool column_is_kept(const struct record_kind *kind, const struct column *column)
{
	return column->type != COLUMN_BLOB || kind != &record_block;
}

bool kind_is_stored(const struct record_kind *kind)
{
	return kind != &record_spark;
}

const char *column_sql_type(enum column_type type)
{
	static const char *const names[] = {
		[COLUMN_U8] = "UTINYINT",   [COLUMN_U16] = "USMALLINT", [COLUMN_U32] = "UINTEGER",
		[COLUMN_U64] = "UBIGINT",   [COLUMN_F64] = "DOUBLE",    [COLUMN_TIME] = "TIMESTAMP",
		[COLUMN_ADDR] = "UHUGEINT", [COLUMN_CODE] = "UTINYINT", [COLUMN_TEXT] = "VARCHAR",
		[COLUMN_BLOB] = "BLOB",     [COLUMN_JSON] = "VARCHAR",
	};
	return names[type];
}

duckdb_uhugeint addr_to_number(const struct addr *addr)
{
	return (duckdb_uhugeint){.lower = load_be64(addr->bytes + 8), .upper = load_be64(addr->bytes)};
}

struct addr addr_from_number(duckdb_uhugeint number)
{
	struct addr addr;
	uint64_t high = __builtin_bswap64(number.upper), low = __builtin_bswap64(number.lower);
	memcpy(addr.bytes, &high, 8);
	memcpy(addr.bytes + 8, &low, 8);
	return addr;
}

static int create_table(duckdb_connection connection, const struct record_kind *kind, struct err *err)
{
	struct text_buffer sql = {NULL, 0, 0};
	int code = text_add(&sql, "CREATE TABLE IF NOT EXISTS \"%s\" (", kind->name);
	for (const struct column *column = kind->columns; column->name && code == 0; column++)
		if (column_is_kept(kind, column))
			code = text_add(&sql, "%s\"%s\" %s NOT NULL", column == kind->columns ? "" : ", ", column->name,
					column_sql_type(column->type));
	if (code == 0 && kind == &record_block)
		code = text_add(&sql,
				", segment UBIGINT NOT NULL, \"position\" UBIGINT NOT NULL, length UBIGINT NOT NULL");
	if (code == 0)
		code = engine_run(connection, err, "%s)", sql.bytes);
	free(sql.bytes);
	return code;
}

int tables_create(duckdb_connection connection, struct err *err)
{
	int code = 0;
	for (size_t i = 0; record_kinds[i] && code == 0; i++)
		if (kind_is_stored(record_kinds[i]))
			code = create_table(connection, record_kinds[i], err);
	return code;
}

#define COPY_ROWS(type)                                                                                                \
	do {                                                                                                           \
		const type *from = (const type *)values;                                                               \
		type *to = duckdb_vector_get_data(vector);                                                             \
		if (rows)                                                                                              \
			for (size_t i = 0; i < count; i++)                                                             \
				to[i] = from[rows[first + i]];                                                         \
		else                                                                                                   \
			memcpy(to, from + first, count * sizeof(type));                                                \
	} while (0)

static void fill_times(duckdb_vector vector, const int64_t *values, const uint32_t *rows, size_t first, size_t count)
{
	int64_t *to = duckdb_vector_get_data(vector);
	for (size_t i = 0; i < count; i++) {
		int64_t ns = values[rows ? rows[first + i] : first + i];
		to[i] = time_floor(ns, NS_PER_US) / NS_PER_US;
	}
}

static void fill_addresses(duckdb_vector vector, const struct addr *values, const uint32_t *rows, size_t first,
			   size_t count)
{
	duckdb_uhugeint *to = duckdb_vector_get_data(vector);
	for (size_t i = 0; i < count; i++)
		to[i] = addr_to_number(&values[rows ? rows[first + i] : first + i]);
}

static void fill_texts(duckdb_vector vector, const struct text *values, const uint32_t *rows, size_t first,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct text *text = &values[rows ? rows[first + i] : first + i];
		duckdb_vector_assign_string_element_len(vector, i, text->bytes ? text->bytes : "", text->length);
	}
}

static void fill_vector(duckdb_vector vector, enum column_type type, const void *values, const uint32_t *rows,
			size_t first, size_t count)
{
	switch (type) {
	case COLUMN_U8:
	case COLUMN_CODE:
		COPY_ROWS(uint8_t);
		break;
	case COLUMN_U16:
		COPY_ROWS(uint16_t);
		break;
	case COLUMN_U32:
		COPY_ROWS(uint32_t);
		break;
	case COLUMN_U64:
	case COLUMN_F64:
		COPY_ROWS(uint64_t);
		break;
	case COLUMN_TIME:
		fill_times(vector, values, rows, first, count);
		break;
	case COLUMN_ADDR:
		fill_addresses(vector, values, rows, first, count);
		break;
	case COLUMN_TEXT:
	case COLUMN_JSON:
	case COLUMN_BLOB:
		fill_texts(vector, values, rows, first, count);
		break;
	}
}

/* The columns a table has of a batch, and what follows them. */
struct layout {
	size_t count;
	duckdb_type types[RECORD_COLUMNS_MAX + 4];
	enum column_type columns[RECORD_COLUMNS_MAX + 4];
	const void *values[RECORD_COLUMNS_MAX + 4];
};

static duckdb_type engine_type(enum column_type type)
{
	static const duckdb_type types[] = {
		[COLUMN_U8] = DUCKDB_TYPE_UTINYINT,   [COLUMN_U16] = DUCKDB_TYPE_USMALLINT,
		[COLUMN_U32] = DUCKDB_TYPE_UINTEGER,  [COLUMN_U64] = DUCKDB_TYPE_UBIGINT,
		[COLUMN_F64] = DUCKDB_TYPE_DOUBLE,    [COLUMN_TIME] = DUCKDB_TYPE_TIMESTAMP,
		[COLUMN_ADDR] = DUCKDB_TYPE_UHUGEINT, [COLUMN_CODE] = DUCKDB_TYPE_UTINYINT,
		[COLUMN_TEXT] = DUCKDB_TYPE_VARCHAR,  [COLUMN_BLOB] = DUCKDB_TYPE_BLOB,
		[COLUMN_JSON] = DUCKDB_TYPE_VARCHAR,
	};
	return types[type];
}

static void layout_add(struct layout *layout, enum column_type type, const void *values)
{
	layout->columns[layout->count] = type;
	layout->types[layout->count] = engine_type(type);
	layout->values[layout->count++] = values;
}

static int append_chunks(duckdb_appender appender, duckdb_data_chunk chunk, const struct layout *layout, size_t count,
			 const uint32_t *rows)
{
	size_t most = duckdb_vector_size();
	for (size_t first = 0; first < count; first += most) {
		size_t some = count - first < most ? count - first : most;
		duckdb_data_chunk_reset(chunk);
		for (size_t c = 0; c < layout->count; c++)
			fill_vector(duckdb_data_chunk_get_vector(chunk, c), layout->columns[c], layout->values[c], rows,
				    first, some);
		duckdb_data_chunk_set_size(chunk, some);
		if (duckdb_append_data_chunk(appender, chunk) != DuckDBSuccess)
			return -EIO;
	}
	return 0;
}

int table_append(duckdb_connection connection, const struct record_kind *kind, void *const *columns, size_t count,
		 const uint32_t *rows, const uint64_t *const *extra, struct err *err)
{
	struct layout layout = {.count = 0};
	for (size_t c = 0; kind->columns[c].name; c++)
		if (column_is_kept(kind, &kind->columns[c]))
			layout_add(&layout, kind->columns[c].type, columns[c]);
	for (; extra && *extra; extra++)
		layout_add(&layout, COLUMN_U64, *extra);

	duckdb_appender appender = NULL;
	duckdb_logical_type types[RECORD_COLUMNS_MAX + 4];
	for (size_t c = 0; c < layout.count; c++)
		types[c] = duckdb_create_logical_type(layout.types[c]);
	duckdb_data_chunk chunk = duckdb_create_data_chunk(types, layout.count);
	for (size_t c = 0; c < layout.count; c++)
		duckdb_destroy_logical_type(&types[c]);

	int code = duckdb_appender_create(connection, NULL, kind->name, &appender) == DuckDBSuccess ? 0 : -EIO;
	engine_memory_take();
	if (code == 0)
		code = append_chunks(appender, chunk, &layout, count, rows);
	engine_memory_leave();
	if (code == 0 && duckdb_appender_close(appender) != DuckDBSuccess)
		code = -EIO;
	if (code < 0) {
		const char *text = appender ? duckdb_appender_error(appender) : NULL;
		text = text ? text : "no reason was given";
		code = err_set(err, engine_error(DUCKDB_ERROR_INVALID, text), "appending to %s: %s", kind->name, text);
	}
	duckdb_appender_destroy(&appender);
	duckdb_destroy_data_chunk(&chunk);
	return code;
}
