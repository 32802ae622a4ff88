/* A file read through a buffer: plain, gzip (RFC 1952, several members), zstd (RFC 8878, several frames) or xz (the .xz
 * format, several streams), told by its first bytes. The input may grow while it is read.
 *
 * The buffer grows only as far as one pcapng block and a search for the next record need; what unpacks to more is read
 * in pieces, so a small file that unpacks to a great deal costs time and not memory. The unpackers' own memory is
 * bounded below. */
#include "sys/capture_internal.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
	INPUT_BYTES = 256 << 10,
	WINDOW_BYTES = 1 << 20,
	WINDOW_BYTES_MAX = TRACE_BLOCK_MAX + TRACE_RESYNC_BYTES + WINDOW_BYTES,
	XZ_MEMORY_BYTES = 256 << 20,
};

struct stream {
	int fd;
	enum stream_packing packing;
	uint64_t read_bytes;
	uint8_t *input; /* packed bytes, from input_at to input_end */
	size_t input_at, input_end;
	uint8_t *window; /* unpacked bytes, from at to end */
	size_t at, end, room;
	bool inside; /* of a packed stream: it has begun and not ended */
	bool set_up;
	z_stream gzip;
	lzma_stream xz;
	ZSTD_DStream *zstd;
};

enum stream_packing stream_packing_of(const uint8_t *data, size_t bytes)
{
	static const struct {
		enum stream_packing packing;
		uint8_t count, magic[6];
	} magics[] = {
		{STREAM_GZIP, 3, {0x1f, 0x8b, 8}},
		{STREAM_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
		{STREAM_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
	};
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
		size_t compared = bytes < magics[i].count ? bytes : magics[i].count;
		if (memcmp(data, magics[i].magic, compared) == 0)
			return compared == magics[i].count ? magics[i].packing : STREAM_UNKNOWN;
	}
	return STREAM_PLAIN;
}

struct stream *stream_new(int fd)
{
	struct stream *stream = calloc(1, sizeof *stream);
	if (!stream)
		return NULL;
	stream->fd = fd;
	stream->xz = (lzma_stream)LZMA_STREAM_INIT;
	stream->room = WINDOW_BYTES;
	stream->input = malloc(INPUT_BYTES);
	stream->window = malloc(stream->room);
	if (stream->input && stream->window)
		return stream;
	stream_free(stream);
	return NULL;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->set_up && stream->packing == STREAM_GZIP)
		inflateEnd(&stream->gzip);
	lzma_end(&stream->xz);
	ZSTD_freeDStream(stream->zstd);
	free(stream->input);
	free(stream->window);
	free(stream);
}

const uint8_t *stream_window(const struct stream *stream, size_t *ret_bytes)
{
	*ret_bytes = stream->end - stream->at;
	return stream->window + stream->at;
}

void stream_use(struct stream *stream, size_t bytes)
{
	stream->at += bytes;
}

uint64_t stream_read_bytes(const struct stream *stream)
{
	return stream->read_bytes;
}

static int does_not_unpack(const struct stream *stream, const char *packing, const char *why, struct err *err)
{
	return err_set(err, -EBADMSG, "offset %llu of the packed file: the %s stream is damaged (%s)",
		       (unsigned long long)(stream->read_bytes - (stream->input_end - stream->input_at)), packing, why);
}

/* Room behind the window: move what is left to the front, then grow. */
static int make_room(struct stream *stream, struct err *err)
{
	if (stream->at > 0) {
		memmove(stream->window, stream->window + stream->at, stream->end - stream->at);
		stream->end -= stream->at;
		stream->at = 0;
	}
	if (stream->end < stream->room)
		return 0;
	if (stream->room >= WINDOW_BYTES_MAX)
		return err_set(err, -EMSGSIZE, "offset %llu: no record ends within %d bytes",
			       (unsigned long long)stream->read_bytes, WINDOW_BYTES_MAX);
	size_t room = stream->room * 2 < WINDOW_BYTES_MAX ? stream->room * 2 : WINDOW_BYTES_MAX;
	uint8_t *window = realloc(stream->window, room);
	if (!window)
		return err_set(err, -ENOMEM, "no memory for a window of %zu bytes", room);
	stream->window = window;
	stream->room = room;
	return 0;
}

static ssize_t read_some(struct stream *stream, uint8_t *out, size_t room, struct err *err)
{
	ssize_t got;
	do {
		got = read(stream->fd, out, room);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0)
		return err_set(err, -errno, "offset %llu: cannot be read: %s", (unsigned long long)stream->read_bytes,
			       strerror(errno));
	stream->read_bytes += (uint64_t)got;
	return got;
}

static int set_up(struct stream *stream, struct err *err)
{
	bool ready = true;
	if (stream->packing == STREAM_GZIP)
		ready = inflateInit2(&stream->gzip, 15 + 16) == Z_OK;
	else if (stream->packing == STREAM_ZSTD)
		ready = (stream->zstd = ZSTD_createDStream()) != NULL;
	else if (stream->packing == STREAM_XZ)
		ready = lzma_stream_decoder(&stream->xz, XZ_MEMORY_BYTES, LZMA_CONCATENATED) == LZMA_OK;
	stream->set_up = ready;
	return ready ? 0 : err_set(err, -ENOMEM, "no memory to unpack");
}

static int unpack_gzip(struct stream *stream, struct err *err)
{
	z_stream *z = &stream->gzip;
	if (!stream->inside) { /* between members zeros may stand as padding */
		while (stream->input_at < stream->input_end && stream->input[stream->input_at] == 0)
			stream->input_at++;
		if (stream->input_at == stream->input_end)
			return 0;
		inflateReset(z);
		stream->inside = true;
	}
	z->next_in = stream->input + stream->input_at;
	z->avail_in = (uInt)(stream->input_end - stream->input_at);
	z->next_out = stream->window + stream->end;
	z->avail_out = (uInt)(stream->room - stream->end);
	int result = inflate(z, Z_NO_FLUSH);
	stream->input_at = stream->input_end - z->avail_in;
	stream->end = stream->room - z->avail_out;
	if (result == Z_STREAM_END)
		stream->inside = false;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return does_not_unpack(stream, "gzip", z->msg ? z->msg : "no member begins here", err);
	return 0;
}

static int unpack_zstd(struct stream *stream, struct err *err)
{
	if (stream->input_at == stream->input_end && !stream->inside)
		return 0; /* asked now, it would speak of the next frame */
	ZSTD_inBuffer in = {stream->input, stream->input_end, stream->input_at};
	ZSTD_outBuffer out = {stream->window, stream->room, stream->end};
	size_t result = ZSTD_decompressStream(stream->zstd, &out, &in);
	stream->input_at = in.pos;
	stream->end = out.pos;
	if (ZSTD_isError(result))
		return does_not_unpack(stream, "zstd", ZSTD_getErrorName(result), err);
	stream->inside = result != 0;
	return 0;
}

static int unpack_xz(struct stream *stream, struct err *err)
{
	lzma_stream *xz = &stream->xz;
	xz->next_in = stream->input + stream->input_at;
	xz->avail_in = stream->input_end - stream->input_at;
	xz->next_out = stream->window + stream->end;
	xz->avail_out = stream->room - stream->end;
	stream->inside = true;
	lzma_ret result = lzma_code(xz, LZMA_RUN);
	stream->input_at = stream->input_end - xz->avail_in;
	stream->end = stream->room - xz->avail_out;
	if (result == LZMA_OK || result == LZMA_BUF_ERROR || result == LZMA_STREAM_END)
		return 0;
	return does_not_unpack(stream, "xz",
			       result == LZMA_MEMLIMIT_ERROR ? "it needs more memory than is given"
			       : result == LZMA_FORMAT_ERROR ? "no stream begins here"
							     : "its content or check sum is wrong",
			       err);
}

/* At the end of the input the xz decoder is asked whether a stream is open: with LZMA_FINISH it says so. Only used
 * where nothing more will come. */
static void finish_xz(struct stream *stream)
{
	lzma_stream *xz = &stream->xz;
	uint8_t nothing;
	xz->next_in = &nothing;
	xz->avail_in = 0;
	xz->next_out = stream->window + stream->end;
	xz->avail_out = stream->room - stream->end;
	lzma_ret result = lzma_code(xz, LZMA_FINISH);
	stream->end = stream->room - xz->avail_out;
	stream->inside = result != LZMA_STREAM_END;
}

static int unpack(struct stream *stream, struct err *err)
{
	switch (stream->packing) {
	case STREAM_GZIP:
		return unpack_gzip(stream, err);
	case STREAM_ZSTD:
		return unpack_zstd(stream, err);
	default:
		return unpack_xz(stream, err);
	}
}

/* The first bytes tell the packing; a plain file's go to the window. */
static int tell_packing(struct stream *stream, struct err *err)
{
	while (stream->packing == STREAM_UNKNOWN) {
		ssize_t got =
			read_some(stream, stream->input + stream->input_end, INPUT_BYTES - stream->input_end, err);
		if (got <= 0)
			return (int)got;
		stream->input_end += (size_t)got;
		stream->packing = stream_packing_of(stream->input, stream->input_end);
	}
	if (stream->packing != STREAM_PLAIN)
		return set_up(stream, err);
	memcpy(stream->window, stream->input, stream->input_end);
	stream->end = stream->input_end;
	stream->input_end = 0;
	return 0;
}

int stream_fill(struct stream *stream, struct err *err)
{
	int result = make_room(stream, err);
	if (result < 0)
		return result;
	size_t before = stream->end;
	if (stream->packing == STREAM_UNKNOWN) {
		result = tell_packing(stream, err);
		if (result < 0 || stream->packing == STREAM_UNKNOWN)
			return result;
	}
	if (stream->packing == STREAM_PLAIN) {
		if (stream->end > before)
			return (int)(stream->end - before);
		ssize_t got = read_some(stream, stream->window + stream->end, stream->room - stream->end, err);
		if (got > 0)
			stream->end += (size_t)got;
		return (int)got;
	}
	while (stream->end == before) {
		size_t input_before = stream->input_at;
		result = unpack(stream, err);
		if (result < 0)
			return result;
		if (stream->end > before || stream->input_at > input_before)
			continue;
		stream->input_at = stream->input_end = 0;
		ssize_t got = read_some(stream, stream->input, INPUT_BYTES, err);
		if (got <= 0)
			return (int)got;
		stream->input_end = (size_t)got;
	}
	return (int)(stream->end - before);
}

bool stream_finish(struct stream *stream)
{
	if (make_room(stream, NULL) < 0)
		return false;
	if (stream->packing == STREAM_UNKNOWN) { /* too short to be packed */
		stream->packing = STREAM_PLAIN;
		memcpy(stream->window, stream->input, stream->input_end);
		stream->end = stream->input_end;
	}
	if (stream->packing == STREAM_XZ && stream->set_up)
		finish_xz(stream);
	return !stream->inside;
}
