/* Captures from files: one, or all of a directory; mapped where the file is plain and whole, streamed where it is
 * packed, a pipe, or still being written.
 *
 * A mapped file costs no copy: frames point into the page cache. What can shrink under a mapping would end the process
 * by SIGBUS, so its size is asked for again from time to time and a file that was cut is an error instead.
 *
 * Following: inotify on the directory wakes us up, and because it tells nothing on network file systems we look again
 * every FOLLOW_LOOK_MS anyway. A file that was replaced under its name (rotation) is read to its end first, and its
 * writer, who may still hold it, is given FOLLOW_LOOK_MS for its last words. */
#include "sys/capture_internal.h"

#include "core/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOLLOW_LOOK_MS = 200,
	SIZE_LOOK_CALLS = 256, /* of capture_read() between two looks at a mapped file's size */
	POPULATE_BYTES = 4 << 20,
};

struct names {
	char **items;
	size_t count, at;
};

struct capture_file {
	struct capture capture;
	char *path;  /* as given: the file, the directory or "-" */
	char *where; /* of the file being read */
	char *last;  /* directory: name of the file read last */
	int folder;  /* directory: its descriptor; else -1 */
	int notify;  /* inotify, or -1 */
	bool follow;
	bool ended; /* no more files will come */
	struct names names;

	/* the file being read; fd -1: none */
	int fd;
	bool began;         /* its format is told */
	bool last_window;   /* nothing will be appended to it */
	int64_t rotated_ns; /* another file was seen in its place; 0: not yet */
	struct stat stat;
	uint64_t before_bytes; /* of the files before it */
	unsigned calls;
	struct trace trace;
	uint64_t counted[TRACE_ANOMALIES]; /* of trace.anomalies, already in the counters */
	bool troubled;                     /* `trouble` is about this file */
	struct err trouble;                /* of this file, or of the one before that had some */
	struct stream *stream;             /* or the mapping: */
	uint8_t *map;
	size_t map_bytes, map_at, map_populated;
};

static struct capture_file *file_of(const struct capture *capture)
{
	return (struct capture_file *)(uintptr_t)capture;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct names){0};
}

static void end_file(struct capture_file *f)
{
	if (f->fd >= 0) {
		f->before_bytes += f->stream ? stream_read_bytes(f->stream) : f->map_bytes;
		if (f->fd != STDIN_FILENO)
			close(f->fd);
	}
	f->fd = -1;
	if (f->map)
		munmap(f->map, f->map_bytes);
	f->map = NULL;
	f->map_bytes = f->map_at = f->map_populated = 0;
	stream_free(f->stream);
	f->stream = NULL;
	f->began = f->last_window = false;
	f->rotated_ns = 0;
}

static void file_close(struct capture *capture)
{
	struct capture_file *f = file_of(capture);
	end_file(f);
	names_free(&f->names);
	if (f->folder >= 0)
		close(f->folder);
	if (f->notify >= 0)
		close(f->notify);
	free(f->path);
	free(f->where);
	free(f->last);
	free(f);
}

static int name_compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* The packed form of the file that was read last, as log rotation leaves it, is not another capture. */
static bool is_packed_last(const char *last, const char *name)
{
	size_t length = strlen(last);
	return strncmp(name, last, length) == 0 &&
	       (strcmp(name + length, ".gz") == 0 || strcmp(name + length, ".zst") == 0 ||
		strcmp(name + length, ".xz") == 0);
}

/* List the directory's files behind the one read last. */
static int list_names(struct capture_file *f, struct err *err)
{
	names_free(&f->names);
	int fd = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		int code = -errno;
		if (fd >= 0)
			close(fd);
		return err_set(err, code, "%s: the directory cannot be read: %s", f->path, strerror(-code));
	}
	size_t room = 0;
	int result = 0;
	for (struct dirent *entry; result == 0 && (entry = readdir(dir));) {
		const char *name = entry->d_name;
		if (name[0] == '.' || (f->last && (strverscmp(name, f->last) <= 0 || is_packed_last(f->last, name))))
			continue;
		if (entry->d_type != DT_REG && entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		if (f->names.count == room) {
			room = room ? room * 2 : 64;
			char **items = realloc(f->names.items, room * sizeof *items);
			if (items)
				f->names.items = items;
			else
				result = -ENOMEM;
		}
		char *copy = result == 0 ? strdup(name) : NULL;
		if (copy)
			f->names.items[f->names.count++] = copy;
		else
			result = -ENOMEM;
	}
	closedir(dir);
	if (f->names.count > 0)
		qsort(f->names.items, f->names.count, sizeof *f->names.items, name_compare);
	return result == 0 ? 0 : err_set(err, result, "%s: no memory for the names in it", f->path);
}

static int set_text(char **text, char *value, struct err *err)
{
	if (!value)
		return err_set(err, -ENOMEM, "no memory for a file's name");
	free(*text);
	*text = value;
	return 0;
}

/* Map a plain, whole, regular file, or set up a stream. */
static int set_up_reading(struct capture_file *f, struct err *err)
{
	uint8_t magic[6];
	bool mappable = S_ISREG(f->stat.st_mode) && !f->follow && f->stat.st_size > 0 && f->fd != STDIN_FILENO;
	if (mappable) {
		ssize_t got = pread(f->fd, magic, sizeof magic, 0);
		mappable = got > 0 && stream_packing_of(magic, (size_t)got) == STREAM_PLAIN;
	}
	if (mappable) {
		void *map = mmap(NULL, (size_t)f->stat.st_size, PROT_READ, MAP_PRIVATE, f->fd, 0);
		if (map != MAP_FAILED) {
			madvise(map, (size_t)f->stat.st_size, MADV_SEQUENTIAL);
			f->map = map;
			f->map_bytes = (size_t)f->stat.st_size;
			f->last_window = true;
			return 0;
		}
	}
	if (S_ISREG(f->stat.st_mode))
		posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	f->stream = stream_new(f->fd);
	return f->stream ? 0 : err_set(err, -ENOMEM, "%s: no memory for its buffers", f->where);
}

/* Begin with the descriptor `fd`, which is taken over. */
static int begin_file(struct capture_file *f, int fd, char *where, struct err *err)
{
	end_file(f);
	f->fd = fd;
	f->troubled = false;
	memset(f->counted, 0, sizeof f->counted);
	f->trace = (struct trace){.first_anomaly = TRACE_ANOMALIES, .last_ns = INT64_MIN};
	int result = set_text(&f->where, where, err);
	if (result == 0 && fstat(fd, &f->stat) < 0)
		result = err_set(err, -errno, "%s: %s", f->where, strerror(errno));
	if (result == 0 && f->folder >= 0 && !S_ISREG(f->stat.st_mode))
		result = err_set(err, -EISDIR, "%s: is no regular file", f->where);
	if (result == 0)
		result = set_up_reading(f, err);
	if (result == 0) {
		f->capture.counters.files++;
		return 0;
	}
	end_file(f);
	return result;
}

/* Copy what the trace counted, and put its first trouble in words. */
static void take_anomalies(struct capture_file *f)
{
	uint64_t *errors = f->capture.counters.errors;
	for (int i = 0; i < TRACE_ANOMALIES; i++) {
		errors[i] += f->trace.anomalies[i] - f->counted[i];
		f->counted[i] = f->trace.anomalies[i];
	}
	if (f->troubled || f->trace.first_anomaly == TRACE_ANOMALIES)
		return;
	f->troubled = true;
	err_set(&f->trouble, 0, "%s: offset %llu: %s", f->where, (unsigned long long)f->trace.first_anomaly_offset,
		trace_anomaly_names[f->trace.first_anomaly]);
}

static void set_unpack_trouble(struct capture_file *f)
{
	f->capture.counters.errors[TRACE_UNPACK]++;
	if (f->troubled)
		return;
	f->troubled = true;
	err_set(&f->trouble, 0, "%s: offset %llu of the packed file: it ends inside the packed stream", f->where,
		(unsigned long long)stream_read_bytes(f->stream));
}

static void file_window(const struct capture_file *f, const uint8_t **ret_data, size_t *ret_bytes)
{
	if (!f->map) {
		*ret_data = stream_window(f->stream, ret_bytes);
		return;
	}
	*ret_data = f->map + f->map_at;
	*ret_bytes = f->map_bytes - f->map_at;
}

static void file_use(struct capture_file *f, size_t bytes)
{
	if (f->map)
		f->map_at += bytes;
	else
		stream_use(f->stream, bytes);
}

/* Page tables for what is read next, in one call instead of a fault every 16 pages. */
static void populate(struct capture_file *f)
{
#ifdef MADV_POPULATE_READ
	if (f->map_at + POPULATE_BYTES / 2 < f->map_populated || f->map_populated >= f->map_bytes)
		return;
	size_t bytes = f->map_bytes - f->map_populated;
	bytes = bytes < POPULATE_BYTES ? bytes : POPULATE_BYTES;
	madvise(f->map + f->map_populated, bytes, MADV_POPULATE_READ);
	f->map_populated += bytes;
#else
	(void)f;
#endif
}

static int look_at_size(struct capture_file *f, struct err *err)
{
	if (++f->calls % SIZE_LOOK_CALLS != 0)
		return 0;
	off_t bytes = lseek(f->fd, 0, SEEK_END); /* a confined process may not stat; nobody reads by this offset */
	if (bytes < 0 || (size_t)bytes >= f->map_bytes)
		return 0;
	return err_set(err, -EIO, "%s: offset %zu: the file was cut from %zu to %lld bytes while it was read", f->where,
		       f->map_at, f->map_bytes, (long long)bytes);
}

/* Frames of the window as it is. As trace_read(), and -EAGAIN where the window must grow. */
static int read_window(struct capture_file *f, struct frame *frames, unsigned max, struct err *err)
{
	const uint8_t *data;
	size_t bytes, used = 0;
	file_window(f, &data, &bytes);
	if (!f->began) {
		int result = trace_start(&f->trace, data, bytes, f->last_window, &used, err);
		if (result > 0)
			return -EAGAIN;
		if (result < 0)
			return err_prefix(err, result, "%s", f->where);
		f->began = true;
		file_use(f, used);
		file_window(f, &data, &bytes);
	}
	int result = trace_read(&f->trace, data, bytes, f->last_window, frames, max, &used, err);
	file_use(f, used);
	take_anomalies(f);
	if (result < 0)
		return err_prefix(err, result, "%s", f->where);
	return result == 0 && !f->last_window ? -EAGAIN : result;
}

/* Whether another file has the followed file's name, or it began anew in its place. */
static bool is_rotated(const struct capture_file *f)
{
	struct stat named, open_file;
	if (f->folder >= 0 || f->fd == STDIN_FILENO || fstat(f->fd, &open_file) < 0)
		return false;
	if ((uint64_t)open_file.st_size < stream_read_bytes(f->stream))
		return true;
	return stat(f->path, &named) == 0 && (named.st_ino != open_file.st_ino || named.st_dev != open_file.st_dev);
}

/* Directory: open the next file. 1: opened, 0: there is none (yet). Files that cannot be opened are an error, once. */
static int next_of_directory(struct capture_file *f, struct err *err)
{
	if (f->names.at >= f->names.count) {
		if (f->last && !f->follow)
			return 0;
		int result = list_names(f, err);
		if (result < 0)
			return result;
		if (f->names.count == 0)
			return 0;
	}
	const char *name = f->names.items[f->names.at++];
	int result = set_text(&f->last, strdup(name), err);
	if (result < 0)
		return result;
	char *where = NULL;
	if (asprintf(&where, "%s/%s", f->path, name) < 0)
		where = NULL;
	int fd = openat(f->folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		int code = -errno;
		free(where);
		return err_set(err, code, "%s/%s: %s", f->path, name, strerror(-code));
	}
	result = begin_file(f, fd, where, err);
	return result < 0 ? result : 1;
}

/* The directory has a newer file than the one being followed. */
static bool has_newer(struct capture_file *f)
{
	if (f->folder < 0)
		return false;
	return f->names.at < f->names.count || (list_names(f, NULL) == 0 && f->names.count > 0);
}

static int reopen(struct capture_file *f, struct err *err)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", f->path, strerror(errno));
	int result = begin_file(f, fd, strdup(f->path), err);
	return result < 0 ? result : 1;
}

/* Wait for news of what is followed. 0: time is over. */
static bool wait_for_news(struct capture_file *f, int64_t until_ns)
{
	int64_t left_ms = (until_ns - clock_monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;
	if (left_ms <= 0)
		return false;
	struct pollfd poll_fd = {.fd = f->notify, .events = POLLIN};
	bool pipe = f->fd >= 0 && f->stream && !S_ISREG(f->stat.st_mode);
	if (pipe)
		poll_fd.fd = f->fd;
	int wait_ms = !pipe && left_ms > FOLLOW_LOOK_MS ? FOLLOW_LOOK_MS
		      : left_ms > INT32_MAX             ? INT32_MAX
							: (int)left_ms;
	poll(&poll_fd, 1, wait_ms);
	if (!pipe && f->notify >= 0) {
		char events[4096];
		while (read(f->notify, events, sizeof events) > 0)
			;
	}
	return true;
}

enum growth { GROWTH_MORE, GROWTH_LATER, GROWTH_DONE };

/* The window must grow. MORE: look again; LATER: nothing there now; DONE: the window is the last. Or negative. */
static int grow(struct capture_file *f, struct err *err)
{
	bool pipe = !S_ISREG(f->stat.st_mode);
	if (pipe) { /* reading one without anything in it would wait */
		struct pollfd ready = {.fd = f->fd, .events = POLLIN};
		if (poll(&ready, 1, 0) == 0)
			return GROWTH_LATER;
	}
	int added = stream_fill(f->stream, err);
	if (added == 0 && f->follow && !pipe) {
		if (!is_rotated(f) && !has_newer(f))
			return GROWTH_LATER;
		int64_t now_ns = clock_monotonic_ns();
		if (f->rotated_ns == 0)
			f->rotated_ns = now_ns;
		if (now_ns - f->rotated_ns < FOLLOW_LOOK_MS * NS_PER_MS)
			return GROWTH_LATER;
		added = stream_fill(f->stream, err); /* what was written before the other file took its place */
	}
	if (added > 0)
		return GROWTH_MORE;
	if (added < 0) {
		f->capture.counters.errors[TRACE_UNPACK] += added == -EBADMSG;
		return err_prefix(err, added, "%s", f->where);
	}
	f->last_window = true;
	if (!stream_finish(f->stream))
		set_unpack_trouble(f);
	return GROWTH_DONE;
}

/* No file is open: 1 one is now, 0 none yet, -ENODATA none will be. */
static int next_file(struct capture_file *f, struct err *err)
{
	int result = 0;
	if (f->folder >= 0) {
		do {
			result = next_of_directory(f, err);
		} while (result == -EISDIR);
	} else if (f->follow && !f->ended) {
		result = reopen(f, err);
	}
	if (result == -ENOENT && f->follow)
		result = 0; /* between two files of a rotation */
	if (result == 0 && (!f->follow || f->ended))
		return err_set(err, -ENODATA, "%s: the end", f->path);
	return result;
}

/* A file that is no capture: alone it is an error, in a directory it is counted and left out. */
static int refuse(struct capture_file *f, int result, bool had_begun)
{
	if (f->folder < 0)
		f->ended = true;
	end_file(f);
	if (had_begun || f->folder < 0 || (result != -EBADMSG && result != -ENODATA))
		return result;
	f->capture.counters.errors[TRACE_NOT_CAPTURE]++;
	f->capture.counters.files--;
	return 0;
}

/* One step with the open file. Positive: frames; 0: go on at once (more to read, or it ended); -EAGAIN: wait; others.
 */
static int file_step(struct capture_file *f, struct frame *frames, unsigned max, struct err *err)
{
	int result = 0;
	if (f->map) {
		populate(f);
		result = look_at_size(f, err);
	}
	if (result == 0)
		result = read_window(f, frames, max, err);
	if (result > 0)
		return result;
	if (result == 0) {
		end_file(f);
		return 0;
	}
	if (result == -EAGAIN) {
		result = grow(f, err);
		if (result >= 0)
			return result == GROWTH_LATER ? -EAGAIN : 0;
	}
	return refuse(f, result, f->began);
}

static int file_read(struct capture *capture, struct frame *frames, unsigned max, int timeout_ms, struct err *err)
{
	struct capture_file *f = file_of(capture);
	int64_t until_ns = 0; /* asked of the clock at the first wait */
	for (;;) {
		int result = f->fd < 0 ? next_file(f, err) : 1;
		if (result < 0)
			return result;
		if (result > 0) {
			result = file_step(f, frames, max, err);
			if (result > 0 || (result < 0 && result != -EAGAIN))
				return result;
			if (result == 0)
				continue;
		}
		if (until_ns == 0)
			until_ns = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ns() + timeout_ms * NS_PER_MS;
		if (!wait_for_news(f, until_ns))
			return 0;
	}
}

static const char *file_where(const struct capture *capture)
{
	const struct capture_file *f = file_of(capture);
	return f->where ? f->where : f->path;
}

static const char *file_trouble(const struct capture *capture)
{
	const struct capture_file *f = file_of(capture);
	return f->trouble.text[0] ? f->trouble.text : NULL;
}

static int file_fd(const struct capture *capture)
{
	const struct capture_file *f = file_of(capture);
	if (f->fd >= 0 && f->stream && !S_ISREG(f->stat.st_mode))
		return f->fd;
	return f->notify;
}

static void file_count(struct capture *capture)
{
	struct capture_file *f = file_of(capture);
	uint64_t here = f->fd < 0 ? 0 : f->stream ? stream_read_bytes(f->stream) : f->map_at;
	capture->counters.done_bytes = f->before_bytes + here;
}

static const struct capture_type file_type = {
	.read = file_read,
	.where = file_where,
	.trouble = file_trouble,
	.fd = file_fd,
	.count = file_count,
	.close = file_close,
};

static void watch(struct capture_file *f)
{
	char *copy = strdup(f->path);
	f->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->notify >= 0 && copy)
		inotify_add_watch(f->notify, f->folder >= 0 ? f->path : dirname(copy),
				  IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
	free(copy);
}

static int open_directory(struct capture_file *f, int fd, struct err *err)
{
	f->folder = fd;
	int result = list_names(f, err);
	if (result < 0)
		return result;
	struct stat stat;
	for (size_t i = 0; i < f->names.count; i++)
		if (fstatat(fd, f->names.items[i], &stat, 0) == 0 && S_ISREG(stat.st_mode))
			f->capture.counters.total_bytes += (uint64_t)stat.st_size;
	if (f->names.count == 0 && !f->follow)
		return err_set(err, -ENOENT, "%s: no file is in this directory", f->path);
	return 0;
}

/* Tell the format of a single file at once, so that opening it can refuse it. */
static int open_single(struct capture_file *f, int fd, struct err *err)
{
	int result = begin_file(f, fd, strdup(f->path), err);
	if (result < 0 || !S_ISREG(f->stat.st_mode))
		return result;
	f->capture.counters.total_bytes = f->follow ? 0 : (uint64_t)f->stat.st_size;
	struct frame none;
	while (!f->began) {
		result = read_window(f, &none, 0, err);
		if (result == -EAGAIN && !f->began)
			result = grow(f, err);
		if (f->began)
			break;
		if (result < 0)
			return result;
		if (result == GROWTH_LATER)
			break;
	}
	return 0;
}

int capture_open_file(const char *path, bool follow, struct capture **ret_capture, struct err *err)
{
	struct capture_file *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(err, -ENOMEM, "no memory to read %s", path);
	f->capture.type = &file_type;
	f->fd = f->folder = f->notify = -1;
	f->follow = follow;
	f->path = strdup(path);
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat stat = {0};
	int result = f->path ? 0 : -ENOMEM;
	if (result == 0 && (fd < 0 || fstat(fd, &stat) < 0))
		result = -errno;
	if (result < 0) {
		err_set(err, result, "%s: cannot be opened: %s", path, strerror(-result));
		if (fd > STDIN_FILENO)
			close(fd);
	} else if (S_ISDIR(stat.st_mode)) {
		result = open_directory(f, fd, err);
	} else {
		f->ended = standard;
		result = open_single(f, fd, err);
	}
	if (result < 0) {
		file_close(&f->capture);
		return result;
	}
	if (follow && !standard)
		watch(f);
	*ret_capture = &f->capture;
	return 0;
}
