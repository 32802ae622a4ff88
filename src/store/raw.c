/* Raw packets of a source: the index says which blocks hold them, only those are read. */
#include "store/state.h"

#include "core/clock.h"
#include "core/module.h"
#include "store/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct found {
	struct store_block block;
	struct ring_place place;
};

static int bind_blocks(duckdb_prepared_statement prepared, const struct addr *source, int64_t from_us, int64_t to_us)
{
	duckdb_state state = duckdb_bind_timestamp(prepared, 1, (duckdb_timestamp){from_us});
	if (state == DuckDBSuccess)
		state = duckdb_bind_timestamp(prepared, 2, (duckdb_timestamp){to_us});
	if (state == DuckDBSuccess && source)
		state = duckdb_bind_uhugeint(prepared, 3, addr_to_number(source));
	if (state == DuckDBSuccess && source)
		state = duckdb_bind_timestamp(prepared, 4, (duckdb_timestamp){from_us - 60 * 1000000});
	if (state == DuckDBSuccess && source)
		state = duckdb_bind_timestamp(prepared, 5, (duckdb_timestamp){to_us});
	return state == DuckDBSuccess ? 0 : -EIO;
}

static struct found *read_found(duckdb_result *result, size_t count)
{
	struct found *found = calloc(count ? count : 1, sizeof *found);
	for (size_t i = 0; found && i < count; i++)
		found[i] = (struct found){{.first_ns = duckdb_value_int64(result, 0, i) * NS_PER_US,
					   .last_ns = duckdb_value_int64(result, 1, i) * NS_PER_US,
					   .sensor = (uint16_t)duckdb_value_uint64(result, 2, i),
					   .block = duckdb_value_uint64(result, 3, i),
					   .packets = (uint32_t)duckdb_value_uint64(result, 4, i)},
					  {duckdb_value_uint64(result, 5, i), duckdb_value_uint64(result, 6, i),
					   duckdb_value_uint64(result, 7, i)}};
	return found;
}

static int find_blocks(duckdb_connection connection, const struct addr *source, int64_t from_ns, int64_t to_ns,
		       struct found **ret_found, size_t *ret_count, struct err *err)
{
	static const char all[] =
		"SELECT epoch_us(first), epoch_us(last), sensor, block, packets, segment, \"position\", "
		"length FROM block WHERE last >= ? AND first <= ? ORDER BY first, block";
	static const char some[] = "SELECT epoch_us(first), epoch_us(last), sensor, block, packets, segment, "
				   "\"position\", length FROM block "
				   "WHERE last >= ? AND first <= ? AND (sensor, block) IN (SELECT (sensor, block) FROM "
				   "raw WHERE source = ? "
				   "AND minute >= ? AND minute <= ?) ORDER BY first, block";
	duckdb_prepared_statement prepared = NULL;
	duckdb_result result;
	int code = 0;
	if (duckdb_prepare(connection, source ? some : all, &prepared) != DuckDBSuccess)
		code = err_set(err, -EIO, "raw packets: %s", duckdb_prepare_error(prepared));
	int64_t from_us = time_floor(from_ns, NS_PER_US) / NS_PER_US, to_us = time_floor(to_ns, NS_PER_US) / NS_PER_US;
	if (code == 0 && bind_blocks(prepared, source, from_us, to_us) < 0)
		code = err_set(err, -EIO, "raw packets: a value cannot be bound");
	if (code == 0) {
		if (duckdb_execute_prepared(prepared, &result) != DuckDBSuccess)
			code = engine_result_error(&result, err);
		if (code == 0) {
			*ret_count = duckdb_row_count(&result);
			*ret_found = read_found(&result, *ret_count);
			code = *ret_found ? 0 : err_set(err, -ENOMEM, "no memory for %zu raw blocks", *ret_count);
		}
		duckdb_destroy_result(&result);
	}
	duckdb_destroy_prepare(&prepared);
	return code;
}

static int index_of(struct store *store, const struct addr *source, int64_t from_ns, int64_t to_ns,
		    struct found **ret_found, size_t *ret_count, struct err *err)
{
	struct running running;
	int code = running_begin(store, &running, err);
	if (code < 0)
		return code;
	code = find_blocks(running.connection, source, from_ns, to_ns, ret_found, ret_count, err);
	int why = running_end(store, &running);
	return code == -ECANCELED && why ? err_set(err, why, "the search for raw packets was ended") : code;
}

int store_raw_packets(struct store *store, const struct addr *source, int64_t from_ns, int64_t to_ns,
		      int (*block)(void *context, const struct store_block *block), void *context, struct err *err)
{
	struct found *found = NULL;
	size_t count = 0;
	int code = index_of(store, source, from_ns, to_ns, &found, &count, err);
	for (size_t i = 0; i < count && code == 0; i++) {
		uint8_t *data = NULL;
		int read = ring_read(store->ring.dir, &found[i].place, &data, &found[i].block.bytes, err);
		if (read == 0) {
			found[i].block.pcapng = data;
			code = block(context, &found[i].block);
			free(data);
		} else if (read == -EBADMSG) {
			pthread_mutex_lock(&store->stage);
			store->raw_broken++;
			pthread_mutex_unlock(&store->stage);
		} else if (read != -ENOENT) { /* gone: the ring went round meanwhile */
			code = read;
		}
	}
	free(found);
	return code;
}
