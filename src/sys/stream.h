/* A file read through a buffer, unpacked where its content says so: gzip, zstd, xz (capture_stream.c).
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

enum stream_packing { STREAM_UNKNOWN, STREAM_PLAIN, STREAM_GZIP, STREAM_ZSTD, STREAM_XZ };

/* By the first bytes; STREAM_UNKNOWN: fewer than tell it (never with 6 or more). */
enum stream_packing stream_packing_of(const uint8_t *data, size_t bytes);

struct stream *stream_new(int fd); /* the descriptor stays the caller's. NULL: out of memory */
void stream_free(struct stream *stream);

/* What was read and not yet used. Valid until the next stream_fill(). */
const uint8_t *stream_window(const struct stream *stream, size_t *ret_bytes);
void stream_use(struct stream *stream, size_t bytes);

/* Read and unpack more behind the window, which may move. Positive: so many bytes more. 0: the input is at its end for
 * now. -EBADMSG: it does not unpack, -EMSGSIZE: the window is as long as it may get, or read(2)'s errors; the sentence
 * has the offset in the packed file. */
int stream_fill(struct stream *stream, struct err *err) must_check;

uint64_t stream_read_bytes(const struct stream *stream); /* of the file, packed as it is */
/* Nothing will be appended to the input any more: what is still held goes to the window. False: the input ends inside a
 * packed stream. */
bool stream_finish(struct stream *stream);
