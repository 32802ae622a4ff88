/* See nfdump.h. */
#include "observe/flow/nfdump.h"

#include "record/flow_row.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <zstd.h>

enum { BATCH_ROWS = 8192 };

struct nfdump_reader {
	struct nfdump_header header;
	struct sink *sink;
	struct batch *batch;
	uint8_t *room; /* block_bytes_max bytes */
};

int nfdump_reader_new(const struct nfdump_header *header, struct sink *sink, struct nfdump_reader **ret_reader,
		      struct err *err)
{
	if (header->layout != 2)
		return err_set(
			err, -ENOTSUP,
			"an nfdump file of layout %u, 2 was expected: `nfdump -r FILE -w NEW` of nfdump 1.7 writes one",
			header->layout);
	if (header->encrypted)
		return err_set(err, -ENOTSUP, "an encrypted nfdump file");
	if (header->packing == NFDUMP_LZO || header->packing == NFDUMP_PACKINGS)
		return err_set(err, -ENOTSUP,
			       "an nfdump file packed by %s, which is not read: `nfdump -J 0 -r FILE` unpacks it",
			       header->packing == NFDUMP_LZO ? "LZO" : "an unknown method");
	struct nfdump_reader *reader = calloc(1, sizeof *reader);
	if (reader)
		*reader = (struct nfdump_reader){.header = *header,
						 .sink = sink,
						 .batch = batch_new(&record_flow, BATCH_ROWS),
						 .room = malloc(header->block_bytes_max)};
	if (!reader || !reader->batch || !reader->room) {
		nfdump_reader_free(reader);
		return err_set(err, -ENOMEM, "no memory for a block of flows");
	}
	*ret_reader = reader;
	return 0;
}

void nfdump_reader_free(struct nfdump_reader *reader)
{
	if (!reader)
		return;
	batch_free(reader->batch);
	free(reader->room);
	free(reader);
}

/* How many bytes came out of it; negative: it does not unpack. */
static int64_t unpacked(struct nfdump_reader *reader, const uint8_t *data, size_t bytes)
{
	uint32_t room = reader->header.block_bytes_max;
	if (reader->header.packing == NFDUMP_LZ4)
		return LZ4_decompress_safe((const char *)data, (char *)reader->room, (int)bytes, (int)room);
	if (reader->header.packing == NFDUMP_ZSTD) {
		size_t out = ZSTD_decompress(reader->room, room, data, bytes);
		return ZSTD_isError(out) ? -1 : (int64_t)out;
	}
	unsigned out = room;
	int result =
		BZ2_bzBuffToBuffDecompress((char *)reader->room, &out, (char *)(uintptr_t)data, (unsigned)bytes, 0, 0);
	return result == BZ_OK ? (int64_t)out : -1;
}

static struct flow_row row_of(const struct nfdump_flow *flow)
{
	return (struct flow_row){.exporter = flow->exporter,
				 .source = flow->source,
				 .target = flow->target,
				 .next_hop = flow->next_hop,
				 .first_ns = flow->first_ns,
				 .last_ns = flow->last_ns,
				 .packets = flow->packets,
				 .bytes = flow->bytes,
				 .reverse_packets = flow->reverse_packets,
				 .reverse_bytes = flow->reverse_bytes,
				 .sampling = 1, /* nfcapd has multiplied what was sampled */
				 .input = flow->input,
				 .output = flow->output,
				 .source_as = flow->source_as,
				 .target_as = flow->target_as,
				 .source_port = flow->source_port,
				 .target_port = flow->target_port,
				 .vlan = flow->vlan,
				 .protocol = flow->protocol,
				 .flags = flow->flags,
				 .tos = flow->tos,
				 .direction = flow->direction,
				 .end_reason = flow->end_reason};
}

int nfdump_reader_block(struct nfdump_reader *reader, const struct nfdump_block *block, const uint8_t *data,
			struct err *err)
{
	struct cursor cursor = cursor_over(data, block->bytes);
	struct nfdump_flow flow;
	int result = 0, more;
	if (!block->has_records)
		return 0;
	if (reader->header.packing != NFDUMP_PLAIN && !block->unpacked) {
		int64_t bytes = unpacked(reader, data, block->bytes);
		if (bytes < 0)
			return err_set(err, 1, "a block that does not unpack");
		cursor = cursor_over(reader->room, (size_t)bytes);
	}
	while (result == 0 && (more = nfdump_flow_next(&cursor, &flow)) > 0) {
		struct flow_row row = row_of(&flow);
		flow_row_put(reader->batch, &row);
		if (reader->batch->rows == reader->batch->capacity)
			result = nfdump_reader_flush(reader, err);
	}
	return result < 0 ? result : more < 0 ? err_set(err, 1, "a record that contradicts itself") : 0;
}

int nfdump_reader_flush(struct nfdump_reader *reader, struct err *err)
{
	int result = reader->batch->rows ? reader->sink->put(reader->sink, reader->batch, err) : 0;
	batch_clear(reader->batch);
	return result;
}
