/* Spool and sender. See remote_sink.h.
 *
 * Each put is one file NNNNNNNNNNNNNNNN.batch, written under another name, synced, then renamed: the numbers are their
 * order. The sender takes the oldest files up to a request's size, hands them in by POST /api/v1/batches, and removes
 * them after the hub's 200; a hub that heard them twice stores them once. A hub that calls a batch malformed (400) will
 * do so for ever: the file is set aside as .refused and counted.
 */
#include "hub/remote_sink.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/limits.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	REQUEST_BYTES = 8 << 20,               /* of several batches */
	REQUEST_ROOM = LIMIT_BATCH_BYTES + 64, /* one alone may be larger */
	REQUEST_FILES_MAX = 256,
	NAME_BYTES = 32,
	PAUSE_MOST_MS = 30000,
	ANSWER_BYTES_MAX = 1024,
};

struct remote_sink {
	struct sink sink;
	struct remote_options options;
	char url[512];
	int dir_fd;
	CURL *curl;
	struct curl_slist *headers;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closing;
	uint64_t next; /* number of the next file */
	struct remote_counters counters;
	uint8_t *request; /* the sender's */
	char answer[ANSWER_BYTES_MAX];
	size_t answer_bytes;
};

static void name_of(uint64_t number, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%016llx.batch", (unsigned long long)number);
}

static int file_write(struct remote_sink *remote, const char *name, const void *data, size_t bytes, struct err *err)
{
	static const char temporary[] = "new.part";
	int fd = openat(remote->dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const uint8_t *at = data;
	size_t left = bytes;
	while (fd >= 0 && left > 0) {
		ssize_t written = write(fd, at, left);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break;
		at += written;
		left -= (size_t)written;
	}
	bool whole = fd >= 0 && left == 0 && fdatasync(fd) == 0;
	int code = errno;
	if (fd >= 0)
		close(fd);
	if (whole && renameat(remote->dir_fd, temporary, remote->dir_fd, name) == 0)
		return 0;
	code = whole ? errno : code;
	(void)unlinkat(remote->dir_fd, temporary, 0);
	return err_set(err, code ? -code : -EIO, "%s: a batch cannot be spooled: %s", remote->options.spool,
		       strerror(code ? code : EIO));
}

static int remote_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct remote_sink *remote = (struct remote_sink *)sink;
	char name[NAME_BYTES];
	if (batch->kind == &record_spark)
		return 0;
	uint32_t encoded = (uint32_t)batch_encoded_bytes(batch);
	size_t bytes = sizeof encoded + encoded;
	pthread_mutex_lock(&remote->lock);
	bool room = remote->counters.spooled_bytes + bytes <= (uint64_t)remote->options.spool_bytes;
	uint64_t number = remote->next;
	remote->next += room;
	pthread_mutex_unlock(&remote->lock);
	if (!room)
		return err_set(err, -ENOSPC,
			       "%s: the spool is full (%lld bytes): the hub has not taken any for too long",
			       remote->options.spool, (long long)remote->options.spool_bytes);
	uint8_t *data = malloc(bytes);
	if (!data)
		return err_set(err, -ENOMEM, "no memory for a batch of %zu bytes", bytes);
	memcpy(data, &encoded, sizeof encoded);
	batch_encode(batch, data + sizeof encoded);
	name_of(number, name);
	int result = file_write(remote, name, data, bytes, err);
	free(data);
	if (result < 0)
		return result;
	pthread_mutex_lock(&remote->lock);
	remote->counters.put++;
	remote->counters.spooled_bytes += bytes;
	remote->counters.spooled_files++;
	pthread_cond_broadcast(&remote->changed);
	pthread_mutex_unlock(&remote->lock);
	return 0;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Names of the oldest files, in order. */
static size_t spool_list(struct remote_sink *remote, char (**ret_names)[NAME_BYTES])
{
	int fd = dup(remote->dir_fd);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	size_t count = 0, room = 0;
	char(*names)[NAME_BYTES] = NULL;
	if (!stream && fd >= 0)
		close(fd);
	if (stream)
		rewinddir(stream);
	for (struct dirent *entry; stream && (entry = readdir(stream)) != NULL;) {
		size_t length = strlen(entry->d_name);
		if (length != 22 || strcmp(entry->d_name + 16, ".batch") != 0)
			continue;
		if (count == room) {
			char(*grown)[NAME_BYTES] = realloc(names, (room ? room * 2 : 64) * sizeof *names);
			if (!grown)
				break;
			names = grown;
			room = room ? room * 2 : 64;
		}
		memcpy(names[count++], entry->d_name, length + 1);
	}
	if (stream)
		closedir(stream);
	if (count)
		qsort(names, count, sizeof *names, name_compare);
	*ret_names = names;
	return count;
}

static size_t file_read(struct remote_sink *remote, const char *name, uint8_t *out, size_t room)
{
	int fd = openat(remote->dir_fd, name, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;
	for (ssize_t got = 1; fd >= 0 && got > 0 && bytes<room; bytes += got> 0 ? (size_t)got : 0)
		got = read(fd, out + bytes, room - bytes);
	if (fd >= 0)
		close(fd);
	return bytes;
}

static size_t answer_take(char *data, size_t size, size_t count, void *context)
{
	struct remote_sink *remote = context;
	size_t bytes = size * count, room = sizeof remote->answer - 1 - remote->answer_bytes;
	size_t kept = bytes < room ? bytes : room;
	memcpy(remote->answer + remote->answer_bytes, data, kept);
	remote->answer_bytes += kept;
	remote->answer[remote->answer_bytes] = '\0';
	return bytes;
}

/* The hub says why in English and Japanese; one of them is enough for a log. */
static void refusal_set(struct remote_sink *remote, long status, struct err *err)
{
	json_t *answer = json_loads(remote->answer, 0, NULL);
	const char *message = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
	err_set(err, -EIO, "%s answered %ld%s%s", remote->options.url, status, message ? ": " : "",
		message ? message : "");
	json_decref(answer);
}

/* The hub's status, or 0 when it was not reached; the sentence says why it is not 200. */
static long request_send(struct remote_sink *remote, size_t bytes, struct err *err)
{
	long status = 0;
	remote->answer_bytes = 0;
	remote->answer[0] = '\0';
	curl_easy_setopt(remote->curl, CURLOPT_POSTFIELDS, (char *)remote->request);
	curl_easy_setopt(remote->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
	CURLcode code = curl_easy_perform(remote->curl);
	if (code != CURLE_OK) {
		err_set(err, -EIO, "%s: %s", remote->options.url, curl_easy_strerror(code));
		return 0;
	}
	curl_easy_getinfo(remote->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		refusal_set(remote, status, err);
	return status;
}

static void files_done(struct remote_sink *remote, char (*names)[NAME_BYTES], size_t count, size_t bytes, bool sent)
{
	for (size_t i = 0; i < count; i++) {
		char aside[NAME_BYTES + 8];
		snprintf(aside, sizeof aside, "%.16s.refused", names[i]);
		if (sent)
			(void)unlinkat(remote->dir_fd, names[i], 0);
		else
			(void)renameat(remote->dir_fd, names[i], remote->dir_fd, aside);
	}
	pthread_mutex_lock(&remote->lock);
	remote->counters.sent += sent ? count : 0;
	remote->counters.refused += sent ? 0 : count;
	remote->counters.spooled_files -=
		count < remote->counters.spooled_files ? count : remote->counters.spooled_files;
	remote->counters.spooled_bytes -=
		bytes < remote->counters.spooled_bytes ? bytes : remote->counters.spooled_bytes;
	pthread_cond_broadcast(&remote->changed);
	pthread_mutex_unlock(&remote->lock);
}

/* One request with the oldest files. 1: sent or set aside, 0: nothing there, -EAGAIN: try later. */
static int spool_send(struct remote_sink *remote, size_t most, size_t *ret_files, struct err *err)
{
	char(*names)[NAME_BYTES] = NULL;
	size_t listed = spool_list(remote, &names), count = 0, bytes = 0;
	while (count < listed && count < most) {
		size_t room = count == 0 ? REQUEST_ROOM : bytes < REQUEST_BYTES ? REQUEST_BYTES - bytes : 0;
		size_t got = file_read(remote, names[count], remote->request + bytes, room);
		if (count > 0 && got == room)
			break; /* it may be cut: next time */
		bytes += got;
		count++;
	}
	*ret_files = count;
	if (count == 0) {
		free(names);
		return 0;
	}
	long status = request_send(remote, bytes, err);
	int result = -EAGAIN;
	if (status == 200 || ((status == 400 || status == 413) && count == 1)) {
		files_done(remote, names, count, bytes, status == 200);
		result = 1;
	} else if (status == 400 || status == 413) {
		result = 2; /* one of them is to blame: alone, then */
	}
	free(names);
	return result;
}

static void attempt_note(struct remote_sink *remote, int result, const struct err *err)
{
	pthread_mutex_lock(&remote->lock);
	bool reachable = result >= 0;
	if (remote->counters.reachable && !reachable)
		LOG(LOG_WARNING, "remote.unreachable", err->text);
	if (!remote->counters.reachable && result == 1)
		LOG(LOG_INFO, "remote.reached", "the hub takes batches", LOG_TEXT("hub", remote->options.url));
	remote->counters.failures += !reachable;
	if (result != 0)
		remote->counters.reachable = reachable;
	snprintf(remote->counters.trouble, sizeof remote->counters.trouble, "%s", reachable ? "" : err->text);
	pthread_mutex_unlock(&remote->lock);
}

static void *sender_main(void *context)
{
	struct remote_sink *remote = context;
	size_t most = REQUEST_FILES_MAX, files;
	int64_t pause_ms = 100;
	pthread_setname_np(pthread_self(), "sender");
	pthread_mutex_lock(&remote->lock);
	while (!remote->closing) {
		pthread_mutex_unlock(&remote->lock);
		struct err err = {""};
		int result = spool_send(remote, most, &files, &err);
		attempt_note(remote, result, &err);
		most = result == 2 ? 1 : REQUEST_FILES_MAX;
		pause_ms = result > 0 ? 0 : result == 0 ? 1000 : pause_ms * 2 + 100;
		if (pause_ms > PAUSE_MOST_MS)
			pause_ms = PAUSE_MOST_MS;
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		int64_t at = until.tv_nsec + pause_ms * NS_PER_MS;
		until.tv_sec += at / NS_PER_S;
		until.tv_nsec = at % NS_PER_S;
		pthread_mutex_lock(&remote->lock);
		if (pause_ms > 0 && !remote->closing)
			(void)pthread_cond_timedwait(&remote->changed, &remote->lock, &until);
		while (result < 0 && !remote->closing &&
		       pthread_cond_timedwait(&remote->changed, &remote->lock, &until) == 0)
			; /* what is put meanwhile does not make the hub come back sooner */
		pause_ms = result == 0 ? 0 : pause_ms;
	}
	pthread_mutex_unlock(&remote->lock);
	return NULL;
}

static int url_check(const struct remote_options *options, struct err *err)
{
	static const char *const near[] = {"http://127.", "http://localhost", "http://[::1]"};
	if (strncmp(options->url, "https://", 8) == 0)
		return 0;
	bool plain = options->plain && strncmp(options->url, "http://", 7) == 0;
	for (unsigned i = 0; i < 3; i++)
		plain = plain || strncmp(options->url, near[i], strlen(near[i])) == 0;
	return plain ? 0
		     : err_set(err, -EINVAL, "'%.128s': https:// was expected; a token is not sent in the clear",
			       options->url);
}

static int spool_open(struct remote_sink *remote, struct err *err)
{
	const char *spool = remote->options.spool;
	char(*names)[NAME_BYTES] = NULL;
	if (mkdir(spool, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: cannot be made: %s", spool, strerror(errno));
	remote->dir_fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (remote->dir_fd < 0)
		return err_set(err, -errno, "%s: %s", spool, strerror(errno));
	size_t count = spool_list(remote, &names);
	for (size_t i = 0; i < count; i++) {
		struct stat status;
		if (fstatat(remote->dir_fd, names[i], &status, 0) == 0)
			remote->counters.spooled_bytes += (uint64_t)status.st_size;
		remote->counters.spooled_files++;
		remote->next = strtoull(names[i], NULL, 16) + 1;
	}
	/* Numbers go on past those of runs whose files are all gone. */
	uint64_t now = (uint64_t)clock_now_ns() / 1000;
	if (remote->next < now)
		remote->next = now;
	free(names);
	return 0;
}

static int curl_open(struct remote_sink *remote, struct err *err)
{
	char header[256];
	if (snprintf(header, sizeof header, "Authorization: Bearer %s", remote->options.token) >= (int)sizeof header ||
	    snprintf(remote->url, sizeof remote->url, "%s/api/v1/batches", remote->options.url) >=
		    (int)sizeof remote->url)
		return err_set(err, -EINVAL, "address or token of the hub is too long");
	remote->curl = curl_easy_init();
	remote->headers = curl_slist_append(NULL, header);
	if (remote->headers)
		remote->headers = curl_slist_append(remote->headers, "Content-Type: application/x-yagura-batches");
	if (remote->headers)
		remote->headers = curl_slist_append(remote->headers, "Expect:");
	if (!remote->curl || !remote->headers)
		return err_set(err, -ENOMEM, "no memory to send batches");
	curl_easy_setopt(remote->curl, CURLOPT_URL, remote->url);
	curl_easy_setopt(remote->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, remote->headers);
	curl_easy_setopt(remote->curl, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(remote->curl, CURLOPT_WRITEDATA, remote);
	curl_easy_setopt(remote->curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(remote->curl, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(remote->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(remote->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (remote->options.ca)
		curl_easy_setopt(remote->curl, CURLOPT_CAINFO, remote->options.ca);
	return 0;
}

int remote_sink_open(const struct remote_options *options, struct remote_sink **ret_sink, struct err *err)
{
	int result = url_check(options, err);
	if (result < 0)
		return result;
	struct remote_sink *remote = calloc(1, sizeof *remote);
	if (!remote || !(remote->request = malloc(REQUEST_ROOM))) {
		free(remote);
		return err_set(err, -ENOMEM, "no memory to send batches");
	}
	remote->options = *options;
	remote->sink.put = remote_put;
	remote->dir_fd = -1;
	remote->counters.reachable = true;
	pthread_mutex_init(&remote->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&remote->changed, &attributes);
	result = spool_open(remote, err);
	if (result == 0)
		result = curl_open(remote, err);
	if (result == 0) {
		result = -pthread_create(&remote->thread, NULL, sender_main, remote);
		remote->threaded = result == 0;
	}
	if (result < 0) {
		remote_sink_close(remote);
		return result;
	}
	*ret_sink = remote;
	return 0;
}

struct sink *remote_sink_of(struct remote_sink *remote)
{
	return &remote->sink;
}

struct remote_counters remote_sink_counters(struct remote_sink *remote)
{
	pthread_mutex_lock(&remote->lock);
	struct remote_counters counters = remote->counters;
	pthread_mutex_unlock(&remote->lock);
	return counters;
}

int remote_sink_drain(struct remote_sink *remote, int wait_ms, struct err *err)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at = until.tv_nsec + wait_ms * NS_PER_MS;
	until.tv_sec += at / NS_PER_S;
	until.tv_nsec = at % NS_PER_S;
	int result = 0;
	pthread_mutex_lock(&remote->lock);
	while (remote->counters.spooled_files > 0 && result == 0)
		result = pthread_cond_timedwait(&remote->changed, &remote->lock, &until);
	bool left = remote->counters.spooled_files > 0;
	if (left)
		err_set(err, -ETIMEDOUT, "%llu batches wait in %s: %s",
			(unsigned long long)remote->counters.spooled_files, remote->options.spool,
			remote->counters.trouble);
	pthread_mutex_unlock(&remote->lock);
	return left ? -ETIMEDOUT : 0;
}

void remote_sink_close(struct remote_sink *remote)
{
	if (!remote)
		return;
	pthread_mutex_lock(&remote->lock);
	remote->closing = true;
	pthread_cond_broadcast(&remote->changed);
	pthread_mutex_unlock(&remote->lock);
	if (remote->threaded)
		pthread_join(remote->thread, NULL);
	curl_slist_free_all(remote->headers);
	curl_easy_cleanup(remote->curl);
	if (remote->dir_fd >= 0)
		close(remote->dir_fd);
	free(remote->request);
	free(remote);
}
