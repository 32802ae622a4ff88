/* Raw packet segments. See ring.h. */
#include "store/ring.h"

#include "store/engine.h"
#include "store/raw_block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEGMENTS_PER_RING = 32,
	SEGMENT_LEAST = 1 << 20,
	SEGMENT_MOST = 256 << 20,
};

static void segment_path(const char *dir, uint64_t segment, char path[4200])
{
	snprintf(path, 4200, "%s/%08" PRIu64 ".seg", dir, segment);
}

/* Sizes of the segments there are; the least and the greatest number. */
static int look(struct raw_ring *ring, uint64_t *ret_last, struct err *err)
{
	DIR *dir = opendir(ring->dir);
	if (!dir)
		return err_set(err, -errno, "%s: %s", ring->dir, strerror(errno));
	ring->first = UINT64_MAX;
	ring->bytes = 0;
	uint64_t last = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char *end;
		uint64_t number = strtoull(entry->d_name, &end, 10);
		struct stat status;
		if (end == entry->d_name || strcmp(end, ".seg") != 0 ||
		    fstatat(dirfd(dir), entry->d_name, &status, 0) < 0)
			continue;
		ring->bytes += status.st_size;
		ring->first = number < ring->first ? number : ring->first;
		last = number > last ? number : last;
	}
	closedir(dir);
	*ret_last = last;
	return 0;
}

static int open_segment(struct raw_ring *ring, uint64_t segment, uint64_t end, struct err *err)
{
	char path[4200];
	segment_path(ring->dir, segment, path);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ring->fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	ring->segment = segment;
	ring->end = end;
	if (ring->first > segment)
		ring->first = segment;
	return 0;
}

int ring_open(struct raw_ring *ring, const char *dir, int64_t bytes_max, duckdb_connection connection, struct err *err)
{
	memset(ring, 0, sizeof *ring);
	ring->fd = -1;
	ring->bytes_max = bytes_max;
	ring->segment_bytes = bytes_max / SEGMENTS_PER_RING;
	if (ring->segment_bytes < SEGMENT_LEAST)
		ring->segment_bytes = SEGMENT_LEAST;
	if (ring->segment_bytes > SEGMENT_MOST)
		ring->segment_bytes = SEGMENT_MOST;
	snprintf(ring->dir, sizeof ring->dir, "%s", dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	uint64_t last = 0;
	int64_t indexed = 0, end = 0;
	int code = look(ring, &last, err);
	if (code == 0)
		code = engine_number(connection, &indexed, err, "SELECT max(segment) FROM block");
	if (code == 0)
		code = engine_number(connection, &end, err,
				     "SELECT max(\"position\" + length) FROM block WHERE segment = %lld",
				     (long long)indexed);
	for (; code == 0 && last > (uint64_t)indexed; last--) { /* begun, never committed */
		char path[4200];
		segment_path(dir, last, path);
		unlink(path);
	}
	if (code == 0)
		code = open_segment(ring, (uint64_t)indexed, (uint64_t)end, err);
	struct stat status;
	if (code == 0 && fstat(ring->fd, &status) == 0 && status.st_size > end && ftruncate(ring->fd, end) < 0)
		code = err_set(err, -errno, "%s: cutting the torn end of segment %lld: %s", dir, (long long)indexed,
			       strerror(errno));
	return code < 0 ? code : look(ring, &last, err);
}

void ring_close(struct raw_ring *ring)
{
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
}

static int write_whole(int fd, const void *data, size_t bytes, uint64_t offset)
{
	const char *at = data;
	while (bytes > 0) {
		ssize_t some = pwrite(fd, at, bytes, (off_t)offset);
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return some < 0 ? (errno == EFBIG || errno == EDQUOT ? -ENOSPC : -errno) : -EIO;
		at += some;
		offset += (uint64_t)some;
		bytes -= (size_t)some;
	}
	return 0;
}

int ring_append(struct raw_ring *ring, const struct raw_block *block, struct ring_place *ret_place, struct err *err)
{
	int code = 0;
	if (ring->end > 0 && ring->end + RAW_BLOCK_HEADER_BYTES + block->bytes > (uint64_t)ring->segment_bytes) {
		code = ring_sync(ring, err);
		if (code == 0)
			code = open_segment(ring, ring->segment + 1, 0, err);
		if (code < 0)
			return code;
	}
	uint8_t header[RAW_BLOCK_HEADER_BYTES];
	raw_block_header(block, header);
	code = write_whole(ring->fd, header, sizeof header, ring->end);
	if (code == 0)
		code = write_whole(ring->fd, block->data, block->bytes, ring->end + sizeof header);
	if (code < 0)
		return err_set(err, code, "%s: writing segment %" PRIu64 ": %s", ring->dir, ring->segment,
			       strerror(-code));
	*ret_place = (struct ring_place){ring->segment, ring->end, sizeof header + block->bytes};
	ring->end += ret_place->length;
	ring->bytes += (int64_t)ret_place->length;
	return 0;
}

int ring_sync(struct raw_ring *ring, struct err *err)
{
	return fdatasync(ring->fd) == 0
		       ? 0
		       : err_set(err, errno == EDQUOT ? -ENOSPC : -errno, "%s: segment %" PRIu64 ": %s", ring->dir,
				 ring->segment, strerror(errno));
}

struct ring_place ring_mark(const struct raw_ring *ring)
{
	return (struct ring_place){ring->segment, ring->end, 0};
}

void ring_back_to(struct raw_ring *ring, const struct ring_place *mark)
{
	for (uint64_t segment = ring->segment; segment > mark->segment; segment--) {
		char path[4200];
		segment_path(ring->dir, segment, path);
		unlink(path);
	}
	uint64_t last;
	if (open_segment(ring, mark->segment, mark->position, NULL) < 0 ||
	    ftruncate(ring->fd, (off_t)mark->position) < 0) {
		/* The index does not name those bytes; the next append writes over them. */
	}
	(void)!look(ring, &last, NULL);
}

int ring_over(const struct raw_ring *ring, uint64_t *ret_segment)
{
	int64_t left = ring->bytes;
	uint64_t segment = ring->first;
	for (; left > ring->bytes_max && segment < ring->segment; segment++) {
		char path[4200];
		struct stat status;
		segment_path(ring->dir, segment, path);
		left -= stat(path, &status) == 0 ? status.st_size : 0;
	}
	*ret_segment = segment;
	return segment > ring->first;
}

int ring_drop_below(struct raw_ring *ring, uint64_t segment, struct err *err)
{
	for (; ring->first < segment && ring->first < ring->segment; ring->first++) {
		char path[4200];
		segment_path(ring->dir, ring->first, path);
		if (unlink(path) < 0 && errno != ENOENT)
			return err_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	uint64_t last;
	return look(ring, &last, err);
}

static int read_block(int fd, const struct ring_place *place, uint8_t *data)
{
	size_t done = 0;
	while (done < place->length) {
		ssize_t some = pread(fd, data + done, place->length - done, (off_t)(place->position + done));
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return some < 0 ? -errno : -EBADMSG;
		done += (size_t)some;
	}
	return 0;
}

int ring_read(const char *dir, const struct ring_place *place, uint8_t **ret_data, size_t *ret_bytes, struct err *err)
{
	char path[4200];
	segment_path(dir, place->segment, path);
	if (place->length < RAW_BLOCK_HEADER_BYTES || place->length > RAW_BLOCK_UNPACKED_MAX)
		return err_set(err, -EBADMSG, "%s: a block of %" PRIu64 " bytes", path, place->length);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	uint8_t *packed = malloc(place->length);
	int code = packed ? read_block(fd, place, packed) : -ENOMEM;
	close(fd);
	if (code == 0)
		code = raw_block_unpack(packed, place->length, ret_data, ret_bytes);
	free(packed);
	return code < 0 ? err_set(err, code, "%s, offset %" PRIu64 ": %s", path, place->position,
				  code == -EBADMSG ? "the block is torn or was changed" : strerror(-code))
			: 0;
}
