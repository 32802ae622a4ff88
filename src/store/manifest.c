/* Backup manifests. A name in one is checked before it is used: it came from a disk that others may have written. */
#include "store/manifest.h"

#include "core/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20, HASH_BYTES = 32, FORMAT = 1 };

int manifest_empty_dir(const char *dir, struct err *err)
{
	if (mkdir(dir, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	DIR *entries = opendir(dir);
	if (!entries)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	int code = 0;
	for (struct dirent *entry; code == 0 && (entry = readdir(entries));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lock") != 0)
			code = err_set(err, -EEXIST, "%s: the directory is not empty (%s)", dir, entry->d_name);
	closedir(entries);
	return code;
}

static int write_whole(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes > 0) {
		ssize_t some = write(fd, data, bytes);
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return some < 0 ? -errno : -EIO;
		data += some;
		bytes -= (size_t)some;
	}
	return 0;
}

/* Copy and hash; to < 0 only hashes. Short input is -EBADMSG. */
static int pump(int from, int to, uint64_t bytes, char ret_hex[HASH_BYTES * 2 + 1])
{
	crypto_generichash_state state;
	uint8_t hash[HASH_BYTES], *buffer = malloc(COPY_BYTES);
	int code = buffer ? 0 : -ENOMEM;
	uint64_t at = 0;
	crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
	while (code == 0 && at < bytes) {
		size_t wanted = bytes - at < COPY_BYTES ? (size_t)(bytes - at) : COPY_BYTES;
		ssize_t some = pread(from, buffer, wanted, (off_t)at);
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0) {
			code = some < 0 ? -errno : -EBADMSG;
			break;
		}
		crypto_generichash_update(&state, buffer, (size_t)some);
		code = to < 0 ? 0 : write_whole(to, buffer, (size_t)some);
		at += (uint64_t)some;
	}
	crypto_generichash_final(&state, hash, sizeof hash);
	sodium_bin2hex(ret_hex, HASH_BYTES * 2 + 1, hash, sizeof hash);
	free(buffer);
	return code;
}

static int copy_to(int from, uint64_t bytes, const char *path, char ret_hex[HASH_BYTES * 2 + 1], struct err *err)
{
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	int code = pump(from, to, bytes, ret_hex);
	if (code == 0 && fsync(to) < 0)
		code = -errno;
	close(to);
	return code < 0 ? err_set(err, code, "%s: %s", path,
				  code == -EBADMSG ? "the file it is copied from is too short" : strerror(-code))
			: 0;
}

static void add_line(json_t *files, const char *name, uint64_t bytes, const char *hex)
{
	json_t *line = json_object();
	json_object_set_new(line, "path", json_string(name));
	json_object_set_new(line, "bytes", json_integer((json_int_t)bytes));
	json_object_set_new(line, "blake2b", json_string(hex));
	json_array_append_new(files, line);
}

int manifest_copy(int fd, uint64_t bytes, const char *dir, const char *name, json_t *files, struct err *err)
{
	char path[4200], hex[HASH_BYTES * 2 + 1];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int code = copy_to(fd, bytes, path, hex, err);
	if (code == 0)
		add_line(files, name, bytes, hex);
	return code;
}

int manifest_add(const char *dir, const char *name, json_t *files, struct err *err)
{
	char path[4200], hex[HASH_BYTES * 2 + 1];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CLOEXEC), code = 0;
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0 || fsync(fd) < 0)
		code = -errno;
	if (code == 0)
		code = pump(fd, -1, (uint64_t)status.st_size, hex);
	if (fd >= 0)
		close(fd);
	if (code < 0)
		return err_set(err, code, "%s: %s", path, strerror(-code));
	add_line(files, name, (uint64_t)status.st_size, hex);
	return 0;
}

int manifest_write(const char *dir, json_t *files, int64_t now_ns, struct err *err)
{
	char path[4200], text[TIME_TEXT_BYTES];
	json_t *manifest = json_object();
	json_object_set_new(manifest, "format", json_integer(FORMAT));
	json_object_set_new(manifest, "made", json_string(time_format(now_ns, text)));
	json_object_set(manifest, "files", files);
	char *bytes = json_dumps(manifest, JSON_INDENT(1));
	json_decref(manifest);
	snprintf(path, sizeof path, "%s/manifest.json", dir);
	int fd = bytes ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	int code = fd < 0 ? -errno : write_whole(fd, (const uint8_t *)bytes, strlen(bytes));
	if (code == 0 && fsync(fd) < 0)
		code = -errno;
	if (fd >= 0)
		close(fd);
	free(bytes);
	return code < 0 ? err_set(err, code, "%s: %s", path, strerror(-code)) : 0;
}

static bool name_is_ours(const char *name)
{
	if (!name)
		return false;
	if (strcmp(name, "observations.duckdb") == 0 || strcmp(name, "registry.sqlite") == 0 ||
	    strcmp(name, "indicators.sqlite") == 0)
		return true;
	size_t digits = strncmp(name, "raw/", 4) == 0 ? strspn(name + 4, "0123456789") : 0;
	return digits >= 8 && digits <= 20 && strcmp(name + 4 + digits, ".seg") == 0;
}

int manifest_read(const char *dir, json_t **ret_manifest, struct err *err)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/manifest.json", dir);
	if (access(path, R_OK) < 0)
		return err_set(err, -errno, "%s: %s; a backup ends with this file", path, strerror(errno));
	json_error_t where;
	json_t *manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
	if (!manifest)
		return err_set(err, -EBADMSG, "%s:%d: %s", path, where.line, where.text);
	const json_t *files = json_object_get(manifest, "files");
	bool ours = json_integer_value(json_object_get(manifest, "format")) == FORMAT && json_is_array(files);
	for (size_t i = 0; ours && i < json_array_size(files); i++) {
		const json_t *line = json_array_get(files, i);
		ours = name_is_ours(json_string_value(json_object_get(line, "path"))) &&
		       json_is_integer(json_object_get(line, "bytes")) &&
		       json_integer_value(json_object_get(line, "bytes")) >= 0 &&
		       json_is_string(json_object_get(line, "blake2b"));
	}
	if (!ours) {
		json_decref(manifest);
		return err_set(err, -EBADMSG, "%s: not the list of a backup of format %d", path, FORMAT);
	}
	*ret_manifest = manifest;
	return 0;
}

static int restore_one(const char *backup, const json_t *line, const char *dir, struct err *err)
{
	const char *name = json_string_value(json_object_get(line, "path"));
	uint64_t bytes = (uint64_t)json_integer_value(json_object_get(line, "bytes"));
	char from[4300], to[4300], hex[HASH_BYTES * 2 + 1];
	snprintf(from, sizeof from, "%s/%s", backup, name);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? -EBADMSG : -errno, "%s: %s", from, strerror(errno));
	struct stat status;
	int code = fstat(fd, &status) < 0 ? -errno : 0;
	if (code == 0 && (uint64_t)status.st_size != bytes)
		code = err_set(err, -EBADMSG, "%s: %" PRIu64 " bytes were expected, it has %" PRId64, from, bytes,
			       (int64_t)status.st_size);
	if (code == 0)
		code = copy_to(fd, bytes, to, hex, err);
	close(fd);
	if (code == 0 && strcmp(hex, json_string_value(json_object_get(line, "blake2b"))) != 0)
		code = err_set(err, -EBADMSG, "%s: it was changed since the backup (its hash differs)", from);
	return code;
}

int manifest_restore(const char *backup, const json_t *manifest, const char *dir, struct err *err)
{
	char raw[4200];
	snprintf(raw, sizeof raw, "%s/raw", dir);
	if ((mkdir(dir, 0700) < 0 && errno != EEXIST) || (mkdir(raw, 0700) < 0 && errno != EEXIST))
		return err_set(err, -errno, "%s: %s", raw, strerror(errno));
	const json_t *files = json_object_get(manifest, "files");
	int code = 0;
	for (size_t i = 0; i < json_array_size(files) && code == 0; i++)
		code = restore_one(backup, json_array_get(files, i), dir, err);
	return code;
}

int manifest_remove_files(const char *dir, struct err *err)
{
	DIR *entries = opendir(dir);
	if (!entries)
		return errno == ENOENT ? 0 : err_set(err, -errno, "%s: %s", dir, strerror(errno));
	int code = 0;
	for (struct dirent *entry; code == 0 && (entry = readdir(entries));) {
		struct stat status;
		if (fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISDIR(status.st_mode) && unlinkat(dirfd(entries), entry->d_name, 0) < 0)
			code = err_set(err, -errno, "%s/%s: %s", dir, entry->d_name, strerror(errno));
	}
	closedir(entries);
	return code;
}
