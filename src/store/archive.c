/* See archive.h. */
#include "store/archive.h"

#include "core/clock.h"
#include "store/lock.h"
#include "store/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_ROWS = 16384, PATH_BYTES = 4300 }; /* a column of a block stays in the cache of a core */
#define SEGMENT_BYTES (INT64_C(256) << 20)
#define CURRENT "current.seg"

struct archive {
	struct archive_options options;
	char dir[4096];
	int lock_fd, fd;
	int64_t bytes;             /* of the current segment that are whole */
	int64_t first_ns, last_ns; /* in it */
	uint32_t number;           /* of the next segment to be finished */
	struct batch *staged;
	uint8_t *room;
	size_t room_bytes;
};

/* --- segments ---------------------------------------------------------------------------------------------------- */

struct segment {
	int64_t first_ns, last_ns;
	uint32_t number;
	char name[80];
};

static bool segment_parse(const char *name, struct segment *ret_segment)
{
	int64_t first, last;
	uint32_t number;
	int end = 0;
	if (strlen(name) >= sizeof ret_segment->name ||
	    sscanf(name, "%" SCNd64 "-%" SCNd64 "-%" SCNu32 ".seg%n", &first, &last, &number, &end) != 3 ||
	    name[end] != '\0' || end == 0 || first > INT64_MAX / NS_PER_S || last >= INT64_MAX / NS_PER_S ||
	    first < INT64_MIN / NS_PER_S || last < INT64_MIN / NS_PER_S)
		return false;
	*ret_segment = (struct segment){first * NS_PER_S, (last + 1) * NS_PER_S, number, ""};
	memcpy(ret_segment->name, name, strlen(name) + 1);
	return true;
}

static int segment_compare(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Finished segments in the order in which they were; free() them. */
static int segments_list(const char *dir, struct segment **ret_segments, size_t *ret_count, struct err *err)
{
	DIR *open_dir = opendir(dir);
	size_t room = 0;
	int result = 0;
	*ret_segments = NULL;
	*ret_count = 0;
	if (!open_dir)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	for (const struct dirent *entry; result == 0 && (entry = readdir(open_dir));) {
		struct segment segment;
		if (!segment_parse(entry->d_name, &segment))
			continue;
		if (*ret_count == room) {
			room = room ? room * 2 : 64;
			struct segment *grown = realloc(*ret_segments, room * sizeof *grown);
			if (!grown) {
				result = err_set(err, -ENOMEM, "%s: no memory for the list of segments", dir);
				break;
			}
			*ret_segments = grown;
		}
		(*ret_segments)[(*ret_count)++] = segment;
	}
	closedir(open_dir);
	if (result < 0) {
		free(*ret_segments);
		*ret_segments = NULL;
		return result;
	}
	if (*ret_count)
		qsort(*ret_segments, *ret_count, sizeof **ret_segments, segment_compare);
	return 0;
}

struct mapping {
	const uint8_t *data; /* NULL: an empty file, or none */
	size_t bytes;
	ino_t inode;
};

/* 0, -ENOENT ... */
static int mapping_open(const char *path, struct mapping *mapping, struct err *err)
{
	*mapping = (struct mapping){NULL, 0, 0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	int result = 0;
	if (fd < 0 || fstat(fd, &status) < 0) {
		result = err_set(err, -errno, "%s: %s", path, strerror(errno));
	} else if (status.st_size > 0) {
		void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED)
			result = err_set(err, -errno, "%s: %s", path, strerror(errno));
		else
			*mapping = (struct mapping){data, (size_t)status.st_size, status.st_ino};
	}
	if (fd >= 0)
		close(fd);
	return result;
}

static void mapping_close(struct mapping *mapping)
{
	if (mapping->data)
		munmap((void *)(uintptr_t)mapping->data, mapping->bytes);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

/* What the current segment holds, up to where a crash cut it. */
static int current_survey(struct archive *archive, const char *path, struct err *err)
{
	struct mapping mapping;
	int result = mapping_open(path, &mapping, err);
	archive->bytes = 0;
	archive->first_ns = INT64_MAX;
	archive->last_ns = INT64_MIN;
	while (result == 0 && (size_t)archive->bytes < mapping.bytes) {
		struct block block;
		if (block_read(mapping.data + archive->bytes, mapping.bytes - (size_t)archive->bytes, &block, NULL) !=
		    1)
			break;
		archive->bytes += block.bytes;
		archive->first_ns = block.first_ns < archive->first_ns ? block.first_ns : archive->first_ns;
		archive->last_ns = block.last_ns > archive->last_ns ? block.last_ns : archive->last_ns;
	}
	mapping_close(&mapping);
	return result;
}

static int current_open(struct archive *archive, struct err *err)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/" CURRENT, archive->dir);
	archive->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (archive->fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	int result = current_survey(archive, path, err);
	if (result == 0 && ftruncate(archive->fd, archive->bytes) < 0)
		result = err_set(err, -errno, "%s: %s", path, strerror(errno));
	return result;
}

/* Give the current segment its name for good, and begin another. */
static int current_finish(struct archive *archive, struct err *err)
{
	char from[PATH_BYTES], to[PATH_BYTES];
	snprintf(from, sizeof from, "%s/" CURRENT, archive->dir);
	snprintf(to, sizeof to, "%s/%" PRId64 "-%" PRId64 "-%010" PRIu32 ".seg", archive->dir,
		 time_floor(archive->first_ns, NS_PER_S) / NS_PER_S, time_floor(archive->last_ns, NS_PER_S) / NS_PER_S,
		 archive->number);
	if (fdatasync(archive->fd) < 0 || rename(from, to) < 0)
		return err_set(err, -errno, "%s: %s", to, strerror(errno));
	archive->number++;
	close(archive->fd);
	return current_open(archive, err);
}

static int number_find(struct archive *archive, struct err *err)
{
	struct segment *segments;
	size_t count;
	int result = segments_list(archive->dir, &segments, &count, err);
	archive->number = result == 0 && count ? segments[count - 1].number + 1 : 1;
	free(segments);
	return result;
}

int archive_open(const struct archive_options *options, struct archive **ret_archive, struct err *err)
{
	struct archive *archive = calloc(1, sizeof *archive);
	if (!archive)
		return err_set(err, -ENOMEM, "no memory for an archive");
	archive->options = *options;
	archive->lock_fd = archive->fd = -1;
	if (archive->options.segment_bytes <= 0)
		archive->options.segment_bytes = SEGMENT_BYTES;
	int result = 0;
	if (snprintf(archive->dir, sizeof archive->dir, "%s", options->dir) >= (int)sizeof archive->dir)
		result = err_set(err, -ENAMETOOLONG, "%s: too long a name", options->dir);
	else if (mkdir(archive->dir, 0700) < 0 && errno != EEXIST)
		result = err_set(err, -errno, "%s: %s", archive->dir, strerror(errno));
	if (result == 0)
		result = lock_take(archive->dir, &archive->lock_fd, err);
	if (result == 0)
		result = number_find(archive, err);
	if (result == 0)
		result = current_open(archive, err);
	archive->staged = batch_new(options->kind, BLOCK_ROWS);
	if (result == 0 && !archive->staged)
		result = err_set(err, -ENOMEM, "no memory for an archive's rows");
	if (result < 0) {
		archive_close(archive);
		return result;
	}
	*ret_archive = archive;
	return 0;
}

void archive_close(struct archive *archive)
{
	if (!archive)
		return;
	if (archive->fd >= 0 && archive->staged)
		(void)!archive_flush(archive, NULL);
	if (archive->fd >= 0)
		close(archive->fd);
	if (archive->lock_fd >= 0)
		close(archive->lock_fd);
	batch_free(archive->staged);
	free(archive->room);
	free(archive);
}

static int bytes_write(struct archive *archive, size_t bytes, struct err *err)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t wrote = pwrite(archive->fd, archive->room + done, bytes - done,
				       (off_t)(archive->bytes + (int64_t)done));
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <
		    0) /* what is there beyond the last whole block is written over, or cut at the next opening */
			return err_set(err, -errno, "%s/" CURRENT ": %s", archive->dir, strerror(errno));
		done += (size_t)wrote;
	}
	return 0;
}

/* What was gathered, as a block. */
static int block_out(struct archive *archive, struct err *err)
{
	size_t bound = block_bound(archive->staged);
	if (archive->staged->rows == 0)
		return 0;
	if (bound > archive->room_bytes) {
		free(archive->room);
		archive->room = malloc(bound);
		archive->room_bytes = archive->room ? bound : 0;
		if (!archive->room)
			return err_set(err, -ENOMEM, "no memory for a block of %u rows", archive->staged->rows);
	}
	size_t bytes = block_write(archive->staged, archive->room);
	struct block block;
	int result = block_read(archive->room, bytes, &block, err) == 1 ? bytes_write(archive, bytes, err) : -EIO;
	if (result < 0)
		return result;
	archive->bytes += (int64_t)bytes;
	archive->first_ns = block.first_ns < archive->first_ns ? block.first_ns : archive->first_ns;
	archive->last_ns = block.last_ns > archive->last_ns ? block.last_ns : archive->last_ns;
	batch_clear(archive->staged);
	return archive->bytes >= archive->options.segment_bytes ? current_finish(archive, err) : 0;
}

int archive_put(struct archive *archive, const struct batch *batch, struct err *err)
{
	int result =
		archive->staged->rows && archive->staged->rows + batch->rows > BLOCK_ROWS ? block_out(archive, err) : 0;
	return result < 0 ? result : batch_append(archive->staged, batch, err);
}

int archive_flush(struct archive *archive, struct err *err)
{
	int result = block_out(archive, err);
	if (result == 0 && fdatasync(archive->fd) < 0)
		result = err_set(err, -errno, "%s/" CURRENT ": %s", archive->dir, strerror(errno));
	return result;
}

int archive_retain(struct archive *archive, int64_t now_ns, struct err *err)
{
	struct segment *segments;
	size_t count;
	int removed = 0, result = segments_list(archive->dir, &segments, &count, err);
	int64_t bytes = archive->bytes;
	for (size_t i = count;
	     i-- > 0 && result == 0;) { /* the youngest first: what is beyond the room are the oldest */
		char path[PATH_BYTES];
		struct stat status;
		snprintf(path, sizeof path, "%s/%s", archive->dir, segments[i].name);
		if (stat(path, &status) < 0)
			continue;
		bytes += status.st_size;
		bool old = archive->options.keep_ns > 0 && now_ns - segments[i].last_ns > archive->options.keep_ns;
		bool much = archive->options.keep_bytes > 0 && bytes > archive->options.keep_bytes;
		if (!old && !much)
			continue;
		if (unlink(path) < 0)
			result = err_set(err, -errno, "%s: %s", path, strerror(errno));
		else
			removed++;
	}
	free(segments);
	return result < 0 ? result : removed;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static int segment_extend(const char *path, const struct segment *segment, struct archive_extent *extent,
			  struct err *err)
{
	struct mapping mapping;
	struct block block;
	int result = mapping_open(path, &mapping, err);
	if (result < 0)
		return result == -ENOENT && segment ? 0 : result; /* too old meanwhile */
	extent->segments++;
	extent->bytes += mapping.bytes;
	int64_t first_ns = segment ? segment->first_ns : INT64_MAX, last_ns = segment ? segment->last_ns : INT64_MIN;
	for (size_t at = 0; !segment && at < mapping.bytes; at += block.bytes) {
		if (block_read(mapping.data + at, mapping.bytes - at, &block, NULL) != 1)
			break;
		first_ns = block.first_ns < first_ns ? block.first_ns : first_ns;
		last_ns = block.last_ns > last_ns ? block.last_ns : last_ns;
	}
	mapping_close(&mapping);
	extent->first_ns = first_ns < extent->first_ns ? first_ns : extent->first_ns;
	extent->last_ns = last_ns > extent->last_ns ? last_ns : extent->last_ns;
	return 0;
}

int archive_extent(const char *dir, struct archive_extent *ret_extent, struct err *err)
{
	struct segment *segments;
	char path[PATH_BYTES];
	size_t count;
	*ret_extent = (struct archive_extent){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
	int result = segments_list(dir, &segments, &count, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, segments[i].name);
		result = segment_extend(path, &segments[i], ret_extent, err);
	}
	free(segments);
	snprintf(path, sizeof path, "%s/" CURRENT, dir);
	return result == 0 ? segment_extend(path, NULL, ret_extent, err) : result;
}

struct reading {
	int64_t from_ns, to_ns;
	const struct archive_visit *visit;
};

/* `torn`: its last block may be cut, because it is being written. */
static int segment_visit(const struct reading *reading, const char *path, const struct mapping *mapping, bool torn,
			 struct err *err)
{
	const struct archive_visit *visit = reading->visit;
	struct err own = {"the last block is cut"};
	struct block block;
	int result = 0, got = 1;
	for (size_t at = 0; result == 0 && at < mapping->bytes; at += block.bytes) {
		got = block_read(mapping->data + at, mapping->bytes - at, &block, &own);
		if (got != 1)
			break;
		if (block.last_ns >= reading->from_ns && block.first_ns < reading->to_ns)
			result = visit->each(visit->context, &block, err);
	}
	if (visit->trouble && (got < 0 || (got == 0 && !torn))) {
		struct err told;
		err_set(&told, got, "%s: %s", path, own.text);
		visit->trouble(visit->context, told.text);
	}
	return result;
}

int archive_read(const char *dir, int64_t from_ns, int64_t to_ns, const struct archive_visit *visit, struct err *err)
{
	struct reading reading = {from_ns, to_ns, visit};
	struct segment *segments = NULL;
	struct mapping current;
	char path[PATH_BYTES], current_path[PATH_BYTES];
	size_t count = 0;
	/* Opened before the others are listed: finished meanwhile, it is one of them, and read once. */
	snprintf(current_path, sizeof current_path, "%s/" CURRENT, dir);
	int result = mapping_open(current_path, &current, err);
	if (result == 0 || result == -ENOENT)
		result = segments_list(dir, &segments, &count, err);
	if (result < 0) {
		mapping_close(&current);
		return result;
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		struct mapping mapping;
		snprintf(path, sizeof path, "%s/%s", dir, segments[i].name);
		if (segments[i].last_ns < from_ns || segments[i].first_ns >= to_ns)
			continue;
		result = mapping_open(path, &mapping, err);
		if (result == 0 && mapping.inode != current.inode)
			result = segment_visit(&reading, path, &mapping, false, err);
		mapping_close(&mapping);
		result = result == -ENOENT ? 0 : result; /* too old meanwhile */
	}
	free(segments);
	if (result == 0)
		result = segment_visit(&reading, current_path, &current, true, err);
	mapping_close(&current);
	return result;
}
