/* What the store says of itself: counted while it works, loaded once when it opens. */
#include "store/state.h"

#include "core/clock.h"
#include "store/tables.h"

#include <errno.h>
#include <stdio.h>

int figures_load(struct store *store, duckdb_connection connection, struct err *err)
{
	int code = 0;
	for (size_t i = 0; record_kinds[i] && i < STAGED_KINDS_MAX && code == 0; i++) {
		const struct record_kind *kind = record_kinds[i];
		struct kind_figures figures = {0, 0, 0};
		if (!kind_is_stored(kind))
			continue;
		code = engine_number(connection, &figures.rows, err, "SELECT count(*) FROM \"%s\"", kind->name);
		if (code == 0)
			code = engine_number(connection, &figures.oldest_us, err,
					     "SELECT epoch_us(min(\"%s\")) FROM \"%s\"", kind->time_column, kind->name);
		if (code == 0)
			code = engine_number(connection, &figures.newest_us, err,
					     "SELECT epoch_us(max(\"%s\")) FROM \"%s\"", kind->time_column, kind->name);
		pthread_mutex_lock(&store->stage);
		store->figures[i] = figures;
		pthread_mutex_unlock(&store->stage);
	}
	return code;
}

static json_t *instant(int64_t us, bool known)
{
	char text[TIME_TEXT_BYTES];
	return known ? json_string(time_format(us * NS_PER_US, text)) : json_null();
}

static json_t *kind_status(const struct kind_figures *figures)
{
	json_t *status = json_object();
	json_object_set_new(status, "rows", json_integer(figures->rows));
	json_object_set_new(status, "oldest", instant(figures->oldest_us, figures->rows > 0));
	json_object_set_new(status, "newest", instant(figures->newest_us, figures->rows > 0));
	return status;
}

int store_status(struct store *store, json_t **ret_status, struct err *err)
{
	char wal[4200];
	snprintf(wal, sizeof wal, "%s.wal", store->path);
	int64_t bytes = file_bytes(store->path) + file_bytes(wal);
	json_t *status = json_object(), *kinds = json_object();
	int64_t oldest = INT64_MAX, newest = INT64_MIN;

	pthread_mutex_lock(&store->stage);
	json_object_set_new(status, "state", json_string(store->stopped ? "stopped" : "ok"));
	json_object_set_new(status, "reason", store->stopped ? json_string(store->reason) : json_null());
	json_object_set_new(status, "waiting_rows",
			    json_integer(store->lanes[LANE_BULK].staged.rows + store->lanes[LANE_URGENT].staged.rows));
	for (size_t i = 0; record_kinds[i] && i < STAGED_KINDS_MAX; i++) {
		const struct kind_figures *figures = &store->figures[i];
		if (!kind_is_stored(record_kinds[i]))
			continue;
		json_object_set_new(kinds, record_kinds[i]->name, kind_status(figures));
		if (figures->rows > 0 && record_kinds[i] == &record_tuple) {
			oldest = figures->oldest_us;
			newest = figures->newest_us;
		}
	}
	json_object_set_new(status, "raw_bytes", json_integer(store->raw_bytes));
	json_object_set_new(status, "raw_broken", json_integer((json_int_t)store->raw_broken));
	bytes += store->raw_bytes;
	pthread_mutex_unlock(&store->stage);

	json_object_set_new(status, "bytes", json_integer(bytes));
	json_object_set_new(status, "free_bytes", json_integer(free_bytes(store->options.dir)));
	json_object_set_new(status, "oldest", instant(oldest, newest > INT64_MIN));
	json_object_set_new(status, "newest", instant(newest, newest > INT64_MIN));
	if (!status || json_object_set_new(status, "kinds", kinds) < 0) {
		json_decref(status);
		return err_set(err, -ENOMEM, "no memory for the status");
	}
	*ret_status = status;
	return 0;
}
