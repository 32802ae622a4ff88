/* Opening and taking in. See store.h for what is promised, state.h for the locks, lane.c for how it is committed. */
#include "store/state.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/module.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { WAL_BYTES_MAX = 256 << 20, RETRY_MS = 1000, CHECKPOINT_TRIES = 10 };

int64_t file_bytes(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? status.st_size : 0;
}

int64_t free_bytes(const char *dir)
{
	struct statvfs room;
	return statvfs(dir, &room) == 0 ? (int64_t)room.f_bavail * (int64_t)room.f_frsize : INT64_MAX;
}

static int open_engine(struct store *store, struct err *err)
{
	char temporary[4200];
	snprintf(temporary, sizeof temporary, "%s/temporary", store->options.dir);
	struct engine_options options = {store->options.memory_bytes, store->options.threads, temporary};
	return engine_open(&store->engine, store->path, &options, err);
}

int store_database_open(struct store *store, struct err *err)
{
	int code = open_engine(store, err);
	if (code == 0)
		code = migrate(store->engine.writer, migration_count, err);
	if (code == 0)
		code = lanes_load_serials(store, err);
	if (code == 0)
		code = figures_load(store, store->engine.writer, err);
	return code;
}

static int store_prepare(struct store *store, const struct store_options *options, struct err *err)
{
	store->options = *options;
	store->options.dir = pool_text(store->pool, options->dir);
	store->lock_fd = -1;
	store->ring.fd = -1;
	store->wal_bytes_max = WAL_BYTES_MAX;
	pthread_mutex_init(&store->chores, NULL);
	pthread_mutex_init(&store->stage, NULL);
	pthread_mutex_init(&store->running_lock, NULL);
	pthread_cond_init(&store->running_change, NULL);
	pthread_rwlock_init(&store->alive, NULL);
	if (!store->options.dir)
		return err_set(err, -ENOMEM, "no memory for a store");
	if (mkdir(options->dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", options->dir, strerror(errno));
	return lanes_init(store, err);
}

int store_open(const struct store_options *options, struct store **ret_store, struct err *err)
{
	if (!options->dir || strlen(options->dir) > 4000)
		return err_set(err, -EINVAL, "a store needs a directory (of at most 4000 characters)");
	struct pool *pool = pool_new(NULL, "store");
	struct store *store = pool ? pool_alloc(pool, sizeof *store) : NULL;
	if (!store) {
		pool_free(pool);
		return err_set(err, -ENOMEM, "no memory for a store");
	}
	store->pool = pool;
	int code = store_prepare(store, options, err);
	if (code == 0)
		code = lock_take(options->dir, &store->lock_fd, err);
	snprintf(store->path, sizeof store->path, "%s/observations.duckdb", options->dir);
	if (code == 0)
		code = store_database_open(store, err);
	if (code == 0)
		code = lanes_load_intake(store, err);
	char raw[4200];
	snprintf(raw, sizeof raw, "%s/raw", options->dir);
	if (code == 0)
		code = ring_open(&store->ring, raw, options->raw_bytes, store->engine.writer, err);
	store->raw_bytes = store->ring.bytes;
	if (code == 0)
		code = running_start(store, err);
	store->broken = code < 0;
	if (code < 0) {
		store_close(store);
		return code;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (!store->broken)
		(void)!store_flush(store, NULL);
	running_stop(store);
	engine_close(&store->engine);
	ring_close(&store->ring);
	lanes_done(store);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	pthread_mutex_destroy(&store->chores);
	pthread_mutex_destroy(&store->stage);
	pthread_mutex_destroy(&store->running_lock);
	pthread_cond_destroy(&store->running_change);
	pthread_rwlock_destroy(&store->alive);
	pool_free(store->pool);
}

static bool is_stopped(struct store *store)
{
	pthread_mutex_lock(&store->stage);
	bool stopped = store->stopped;
	pthread_mutex_unlock(&store->stage);
	return stopped;
}

static void set_stopped(struct store *store, bool stopped, const char *reason)
{
	pthread_mutex_lock(&store->stage);
	bool changed = store->stopped != stopped;
	store->stopped = stopped;
	store->tried_ns = clock_monotonic_ns();
	snprintf(store->reason, sizeof store->reason, "%s", reason);
	pthread_mutex_unlock(&store->stage);
	if (changed && stopped)
		LOG(LOG_ERROR, "store.stopped", "intake is stopped", LOG_TEXT("reason", reason));
	else if (changed)
		LOG(LOG_INFO, "store.resumed", "intake goes on");
}

int store_hold(struct store *store, struct err *err)
{
	pthread_rwlock_rdlock(&store->alive);
	if (store->engine.chores) /* the last of the connections that opening makes */
		return 0;
	pthread_rwlock_unlock(&store->alive);
	return err_set(err, -EAGAIN, "observations: the store is being opened again");
}

void store_release(struct store *store)
{
	pthread_rwlock_unlock(&store->alive);
}

int store_checkpoint(struct store *store, struct err *err)
{
	int code = 0;
	for (int try = 0; try < CHECKPOINT_TRIES; try++) {
		code = engine_run(store->engine.writer, err, "CHECKPOINT");
		if (code == 0 || code == -ENOSPC)
			break;
		usleep(100 * 1000);
	}
	store->checkpointed_ns = clock_monotonic_ns();
	return code;
}

static int checkpoint_when_due(struct store *store, struct err *err)
{
	char wal[4200];
	snprintf(wal, sizeof wal, "%s.wal", store->path);
	if (file_bytes(wal) < store->wal_bytes_max || pthread_mutex_trylock(&store->chores) != 0)
		return 0; /* roll-ups write, or a backup copies: the next flush will do */
	int code = store_check_room(store, (size_t)file_bytes(wal), err);
	if (code == 0)
		code = store_hold(store, err);
	if (code == 0) {
		code = store_checkpoint(store, err);
		store_release(store);
	}
	pthread_mutex_unlock(&store->chores);
	return code;
}

static void flush_judge(struct store *store, int code, bool whole, const struct err *err)
{
	if (code < 0 || (whole && is_stopped(store)))
		set_stopped(store, code < 0, err->text);
}

int store_flush(struct store *store, struct err *err)
{
	struct err own;
	struct err *why = err ? err : &own;
	why->text[0] = '\0';
	int code = lane_flush(store, &store->lanes[LANE_URGENT], why);
	int bulk = lane_flush(store, &store->lanes[LANE_BULK], code < 0 ? NULL : why);
	code = code < 0 ? code : bulk;
	if (code == 0) {
		pthread_mutex_lock(&store->lanes[LANE_BULK].commit);
		(void)!checkpoint_when_due(store, NULL); /* what was committed is safe in the log; tried again later */
		pthread_mutex_unlock(&store->lanes[LANE_BULK].commit);
	}
	flush_judge(store, code, true, why);
	return code;
}

int store_flush_urgent(struct store *store, struct err *err)
{
	struct err own;
	struct err *why = err ? err : &own;
	why->text[0] = '\0';
	int code = lane_flush(store, &store->lanes[LANE_URGENT], why);
	flush_judge(store, code, false, why);
	return code;
}

/* 0 when intake runs or runs again. Tries once a second. */
static int resume(struct store *store, struct err *err)
{
	pthread_mutex_lock(&store->stage);
	bool stopped = store->stopped;
	bool soon = clock_monotonic_ns() - store->tried_ns < RETRY_MS * NS_PER_MS;
	if (stopped && soon)
		err_set(err, -ENOSPC, "intake is stopped: %s", store->reason);
	pthread_mutex_unlock(&store->stage);
	if (!stopped)
		return 0;
	if (soon)
		return -ENOSPC;
	return store_flush(store, err) < 0 ? err_prefix(err, -ENOSPC, "intake is stopped") : 0;
}

static struct lane *lane_of(struct store *store, const struct record_kind *kind)
{
	bool urgent = kind == &record_finding || kind == &record_sighting;
	return &store->lanes[urgent ? LANE_URGENT : LANE_BULK];
}

/* Under stage. */
static int take(struct store *store, const struct batch *batch, struct err *err)
{
	struct lane *lane = lane_of(store, batch->kind);
	int code = batch->sequence ? intake_mark(&lane->intake, batch->sensor_boot, batch->sequence, err) : 0;
	if (code == 0) {
		code = staging_take(&lane->staged, batch, err);
		if (code < 0 && batch->sequence)
			intake_unmark(&lane->intake, batch->sensor_boot, batch->sequence);
	}
	return code;
}

/* Intake runs, and there is room in memory. */
static int ready(struct store *store, struct err *err)
{
	int code = resume(store, err);
	if (code < 0)
		return code;
	bool full = false;
	pthread_mutex_lock(&store->stage);
	for (size_t i = 0; i < LANES; i++)
		full = full || store->lanes[i].staged.bytes > STORE_STAGED_BYTES;
	pthread_mutex_unlock(&store->stage);
	return full && store_flush(store, err) < 0 ? err_prefix(err, -ENOSPC, "intake is stopped") : 0;
}

int store_put(struct store *store, const struct batch *batch, struct err *err)
{
	if (!kind_is_stored(batch->kind))
		return err_set(err, -EINVAL, "records of kind %s are never stored", batch->kind->name);
	int code = ready(store, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&store->stage);
	code = take(store, batch, err);
	pthread_mutex_unlock(&store->stage);
	return code;
}

int store_would_take(struct store *store, const struct batch *batch, struct err *err)
{
	int code = ready(store, err);
	if (code < 0 || batch->sequence == 0)
		return code;
	pthread_mutex_lock(&store->stage);
	bool seen = intake_has(&lane_of(store, batch->kind)->intake, batch->sensor_boot, batch->sequence);
	pthread_mutex_unlock(&store->stage);
	return seen;
}

int store_put_together(struct store *store, const struct batch *const *batches, size_t count, struct err *err)
{
	int code = 0;
	pthread_mutex_lock(&store->stage);
	for (size_t i = 0; i < count && code == 0; i++)
		code = take(store, batches[i], err);
	pthread_mutex_unlock(&store->stage);
	return code;
}

uint64_t store_acknowledged(struct store *store, uint64_t boot)
{
	pthread_mutex_lock(&store->stage);
	uint64_t sequence = intake_acknowledged(&store->lanes[LANE_BULK].intake, boot);
	pthread_mutex_unlock(&store->stage);
	return sequence;
}
