/* See raw_block.h. */
#include "store/raw_block.h"

#include "core/cursor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

static const char magic[8] = "YGRAWB1\n";

static void write_le64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof value);
}

void raw_block_header(const struct raw_block *block, uint8_t ret_header[RAW_BLOCK_HEADER_BYTES])
{
	memcpy(ret_header, magic, sizeof magic);
	write_le64(ret_header + 8, block->bytes);
	write_le64(ret_header + 16, XXH3_64bits(block->data, block->bytes));
	write_le64(ret_header + 24, block->block);
	write_le64(ret_header + 32, (uint64_t)block->first_ns);
	write_le64(ret_header + 40, (uint64_t)block->last_ns);
	write_le64(ret_header + 48, (uint64_t)block->packets << 32 | block->sensor);
	write_le64(ret_header + 56, XXH3_64bits(ret_header, 56));
}

static bool sound(const uint8_t *block, size_t bytes)
{
	return bytes >= RAW_BLOCK_HEADER_BYTES && memcmp(block, magic, sizeof magic) == 0 &&
	       load_le64(block + 8) == bytes - RAW_BLOCK_HEADER_BYTES &&
	       load_le64(block + 56) == XXH3_64bits(block, 56) &&
	       load_le64(block + 16) == XXH3_64bits(block + RAW_BLOCK_HEADER_BYTES, bytes - RAW_BLOCK_HEADER_BYTES);
}

/* Streams: a sensor's frame need not say its size. */
static int decompress(ZSTD_DCtx *context, ZSTD_inBuffer *in, uint8_t **out, size_t *room, size_t *used)
{
	size_t left = 1;
	while (in->pos < in->size || left > 0) {
		if (*used == *room) {
			if (*room * 2 > RAW_BLOCK_UNPACKED_MAX)
				return -EBADMSG;
			uint8_t *more = realloc(*out, *room * 2);
			if (!more)
				return -ENOMEM;
			*out = more;
			*room *= 2;
		}
		ZSTD_outBuffer to = {*out, *room, *used};
		size_t before = in->pos;
		left = ZSTD_decompressStream(context, &to, in);
		if (ZSTD_isError(left) || (in->pos == before && to.pos == *used && in->pos == in->size && left > 0))
			return -EBADMSG;
		*used = to.pos;
	}
	return 0;
}

int raw_block_unpack(const uint8_t *block, size_t bytes, uint8_t **ret_data, size_t *ret_bytes)
{
	if (!sound(block, bytes))
		return -EBADMSG;
	ZSTD_inBuffer in = {block + RAW_BLOCK_HEADER_BYTES, bytes - RAW_BLOCK_HEADER_BYTES, 0};
	size_t room = in.size * 4 + 4096, used = 0;
	ZSTD_DCtx *context = ZSTD_createDCtx();
	uint8_t *out = malloc(room);
	int code = context && out ? decompress(context, &in, &out, &room, &used) : -ENOMEM;
	ZSTD_freeDCtx(context);
	if (code < 0) {
		free(out);
		return code;
	}
	*ret_data = out;
	*ret_bytes = used;
	return 0;
}
