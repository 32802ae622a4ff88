/* The list of a backup's files with sizes and BLAKE2b-256 hashes, and copying by it. */
#pragma once

#include "core/err.h"

#include <jansson.h>
#include <stdint.h>

/* Make `dir`, or find it empty. -EEXIST. */
int manifest_empty_dir(const char *dir, struct err *err) must_check;
/* The first `bytes` of fd to DIR/name, synced, and a line for it into `files`. */
int manifest_copy(int fd, uint64_t bytes, const char *dir, const char *name, json_t *files, struct err *err) must_check;
int manifest_add(const char *dir, const char *name, json_t *files,
		 struct err *err) must_check; /* a file that is there */
int manifest_write(const char *dir, json_t *files, int64_t now_ns, struct err *err) must_check;
/* -ENOENT: no backup; -EBADMSG: not one of ours, or with a file name that a backup never has. */
int manifest_read(const char *dir, json_t **ret_manifest, struct err *err) must_check;
/* Copy every file of the list to `dir` (made), each checked. -EBADMSG: a file is missing or was changed. */
int manifest_restore(const char *backup, const json_t *manifest, const char *dir, struct err *err) must_check;
int manifest_remove_files(const char *dir, struct err *err) must_check; /* plain files of a directory; 0 when absent */
