/* A block of raw packets as it lies in a segment: a header (magic, length, XXH3-64, numbers, times) and a whole pcapng
 * file compressed with zstd. Pure: bytes in, bytes out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	RAW_BLOCK_HEADER_BYTES = 64,
	RAW_BLOCK_UNPACKED_MAX = 256 << 20, /* a bomb in a block ends here */
};

struct raw_block {
	int64_t first_ns, last_ns;
	uint64_t block;
	uint32_t sensor, packets;
	const void *data; /* compressed */
	size_t bytes;
};

void raw_block_header(const struct raw_block *block, uint8_t ret_header[RAW_BLOCK_HEADER_BYTES]);

/* Header and compressed bytes in, the pcapng file out, in malloc'd memory. -EBADMSG: torn or changed; -ENOMEM. */
int raw_block_unpack(const uint8_t *block, size_t bytes, uint8_t **ret_data, size_t *ret_bytes);
