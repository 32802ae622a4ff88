/* nfdump's files, layout 2 (nfdump 1.7; the program's own headers are the only description): a header, blocks that may
 * be packed, records of elements. Pure functions over borrowed bytes; who unpacks blocks is the reader's business.
 */
#pragma once

#include "core/addr.h"
#include "core/cursor.h"

#include <stdbool.h>
#include <stdint.h>

enum { NFDUMP_HEADER_BYTES = 40, NFDUMP_BLOCK_HEADER_BYTES = 12, NFDUMP_BLOCK_BYTES_MAX = 16 << 20 };

enum nfdump_packing { NFDUMP_PLAIN, NFDUMP_LZO, NFDUMP_BZIP2, NFDUMP_LZ4, NFDUMP_ZSTD, NFDUMP_PACKINGS };

struct nfdump_header {
	enum nfdump_packing packing; /* NFDUMP_PACKINGS: one that is not known */
	bool encrypted;
	uint16_t layout;          /* 1: of nfdump 1.6; 2 is read */
	uint32_t block_bytes_max; /* of an unpacked block; not above NFDUMP_BLOCK_BYTES_MAX */
	uint32_t blocks;
};

/* Whether a file begins so; fills the header where NFDUMP_HEADER_BYTES are there. */
bool nfdump_header_read(const void *data, size_t bytes, struct nfdump_header *ret_header);

struct nfdump_block {
	uint32_t records, bytes; /* bytes as they stand in the file, behind the header */
	bool has_records;        /* of type 3; others hold what the program tells itself */
	bool unpacked;           /* as it is, whatever the header says */
};
/* `data` holds NFDUMP_BLOCK_HEADER_BYTES. */
struct nfdump_block nfdump_block_read(const uint8_t *data);

struct nfdump_flow {
	int64_t first_ns, last_ns;
	struct addr source, target, exporter, next_hop;
	uint64_t packets, bytes, reverse_packets, reverse_bytes;
	uint32_t input, output, source_as, target_as;
	uint16_t source_port, target_port, vlan; /* ICMP: target_port is type * 256 + code */
	uint8_t protocol, flags, tos, direction, end_reason;
};

/* The next flow of an unpacked block: 1; 0 at its end; -1: a record contradicts itself, the rest of the block is not
 * read. Records of other kinds are passed over, as are flows without addresses. */
int nfdump_flow_next(struct cursor *block, struct nfdump_flow *ret_flow);
