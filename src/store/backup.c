/* Online backup and restore.
 *
 * The engine's file changes its contents only at a checkpoint; what is committed between two lies in the log. So a
 * backup writes a checkpoint, keeps further ones off (the lock on chores) and copies the file while intake goes on. The
 * raw segments are opened at that instant and copied up to where they ended; one that the ring drops meanwhile is still
 * there for its open descriptor. The registry and the indicators are copied by SQLite's backup interface. manifest.json
 * is written last: a directory without it is no backup. */
#include "store/state.h"

#include "core/clock.h"
#include "store/lock.h"
#include "store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct segment {
	uint64_t number, bytes;
	int fd;
};

struct snapshot {
	struct segment *segments;
	size_t count;
};

static void snapshot_done(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++)
		close(snapshot->segments[i].fd);
	free(snapshot->segments);
}

static int snapshot_segments(const struct raw_ring *ring, struct snapshot *snapshot, struct err *err)
{
	uint64_t first = ring->first > ring->segment ? ring->segment : ring->first;
	snapshot->count = 0;
	snapshot->segments = calloc(ring->segment - first + 1, sizeof *snapshot->segments);
	if (!snapshot->segments)
		return err_set(err, -ENOMEM, "no memory for the list of raw segments");
	for (uint64_t number = first; number <= ring->segment; number++) {
		char path[4200];
		snprintf(path, sizeof path, "%s/%08" PRIu64 ".seg", ring->dir, number);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		struct stat status;
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &status) < 0) {
			int code = err_set(err, -errno, "%s: %s", path, strerror(errno));
			if (fd >= 0)
				close(fd);
			return code;
		}
		uint64_t bytes = number == ring->segment ? ring->end : (uint64_t)status.st_size;
		snapshot->segments[snapshot->count++] = (struct segment){number, bytes, fd};
	}
	return 0;
}

/* What is committed into the file, and what the ring is at that instant. When 0, the store is held. */
static int freeze(struct store *store, struct snapshot *snapshot, struct err *err)
{
	pthread_mutex_lock(&store->lanes[LANE_BULK].commit);
	int code = store_hold(store, err);
	if (code == 0) {
		code = store_checkpoint(store, err);
		if (code == 0)
			code = snapshot_segments(&store->ring, snapshot, err);
		if (code < 0)
			store_release(store);
	}
	pthread_mutex_unlock(&store->lanes[LANE_BULK].commit);
	return code;
}

static int copy_segments(const struct snapshot *snapshot, const char *dir, json_t *files, struct err *err)
{
	char path[4200], name[64];
	snprintf(path, sizeof path, "%s/raw", dir);
	int code = mkdir(path, 0700) < 0 && errno != EEXIST ? err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
	for (size_t i = 0; i < snapshot->count && code == 0; i++) {
		const struct segment *segment = &snapshot->segments[i];
		snprintf(name, sizeof name, "raw/%08" PRIu64 ".seg", segment->number);
		code = manifest_copy(segment->fd, segment->bytes, dir, name, files, err);
	}
	return code;
}

static int copy_file(const char *from, const char *dir, const char *name, json_t *files, struct err *err)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = err_set(err, -errno, "%s: %s", from, strerror(errno));
		if (fd >= 0)
			close(fd);
		return code;
	}
	int code = manifest_copy(fd, (uint64_t)status.st_size, dir, name, files, err);
	close(fd);
	return code;
}

/* One of SQLite's files, as it is at one instant while others write it; one that is not there is left out. */
static int copy_sqlite(const char *from_dir, const char *dir, const char *name, json_t *files, struct err *err)
{
	char from[4200], to[4200];
	snprintf(from, sizeof from, "%s/%s", from_dir, name);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	if (access(from, F_OK) < 0)
		return 0;
	sqlite3 *source = NULL, *target = NULL;
	int code = 0;
	if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		code = err_set(err, -EIO, "%s: %s", from, sqlite3_errmsg(source));
	if (code == 0 && sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		code = err_set(err, -EIO, "%s: %s", to, sqlite3_errmsg(target));
	sqlite3_busy_timeout(source, 5000);
	sqlite3_backup *backup = code == 0 ? sqlite3_backup_init(target, "main", source, "main") : NULL;
	if (code == 0 && (!backup || sqlite3_backup_step(backup, -1) != SQLITE_DONE))
		code = err_set(err, -EIO, "%s: %s", to, sqlite3_errmsg(target));
	sqlite3_backup_finish(backup);
	sqlite3_close(target);
	sqlite3_close(source);
	return code < 0 ? code : manifest_add(dir, name, files, err);
}

static int backup_files(struct store *store, const char *dir, json_t *files, struct err *err)
{
	struct snapshot snapshot = {NULL, 0};
	pthread_mutex_lock(&store->chores);
	int code = store_flush(store, err);
	if (code == 0)
		code = freeze(store, &snapshot, err);
	if (code == 0) {
		code = copy_file(store->path, dir, "observations.duckdb", files, err);
		store_release(store);
	}
	pthread_mutex_unlock(&store->chores);
	if (code == 0)
		code = copy_segments(&snapshot, dir, files, err);
	snapshot_done(&snapshot);
	if (code == 0)
		code = copy_sqlite(store->options.dir, dir, "registry.sqlite", files, err);
	return code < 0 ? code : copy_sqlite(store->options.dir, dir, "indicators.sqlite", files, err);
}

int store_backup(struct store *store, const char *dir, struct err *err)
{
	int code = manifest_empty_dir(dir, err);
	if (code < 0)
		return code;
	json_t *files = json_array();
	code = backup_files(store, dir, files, err);
	if (code == 0)
		code = manifest_write(dir, files, clock_now_ns(), err);
	json_decref(files);
	return code < 0 ? err_prefix(err, code, "backup") : 0;
}

/* What a data directory holds, moved out of the way of a restored one. */
static int clear_data(const char *dir, struct err *err)
{
	static const char *const names[] = {"observations.duckdb",   "observations.duckdb.wal", "registry.sqlite",
					    "registry.sqlite-wal",   "registry.sqlite-shm",     "indicators.sqlite",
					    "indicators.sqlite-wal", "indicators.sqlite-shm"};
	char path[4200];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			return err_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	snprintf(path, sizeof path, "%s/raw", dir);
	return manifest_remove_files(path, err);
}

static int restore_into(const char *backup, const json_t *manifest, const char *dir, bool replace, struct err *err)
{
	char part[4200], from[8500], to[8500];
	snprintf(part, sizeof part, "%s/restoring", dir);
	int code = manifest_remove_files(part, err); /* of a restore that was ended */
	snprintf(from, sizeof from, "%s/raw", part);
	if (code == 0)
		code = manifest_remove_files(from, err);
	if (code == 0)
		code = manifest_restore(backup, manifest, part, err);
	if (code == 0 && replace)
		code = clear_data(dir, err);
	snprintf(to, sizeof to, "%s/raw", dir);
	if (code == 0 && mkdir(to, 0700) < 0 && errno != EEXIST)
		code = err_set(err, -errno, "%s: %s", to, strerror(errno));
	size_t i;
	json_t *file;
	json_array_foreach(json_object_get(manifest, "files"), i, file)
	{
		const char *name = json_string_value(json_object_get(file, "path"));
		snprintf(from, sizeof from, "%s/%s", part, name);
		snprintf(to, sizeof to, "%s/%s", dir, name);
		if (code == 0 && rename(from, to) < 0)
			code = err_set(err, -errno, "%s: %s", to, strerror(errno));
	}
	snprintf(from, sizeof from, "%s/raw", part);
	(void)!rmdir(from);
	(void)!rmdir(part);
	return code;
}

int store_restore(const char *backup, const char *dir, bool replace, struct err *err)
{
	json_t *manifest = NULL;
	int lock = -1, code = manifest_read(backup, &manifest, err);
	if (code == 0 && !replace)
		code = manifest_empty_dir(dir, err);
	if (code == 0 && mkdir(dir, 0700) < 0 && errno != EEXIST)
		code = err_set(err, -errno, "%s: %s", dir, strerror(errno));
	if (code == 0)
		code = lock_take(dir, &lock, err);
	if (code == 0)
		code = restore_into(backup, manifest, dir, replace, err);
	if (lock >= 0)
		close(lock);
	json_decref(manifest);
	return code < 0 ? err_prefix(err, code, "restore") : 0;
}
