/* See reader_stream.h. What the file is stands in its first bytes, once unpacked. */
#include "observe/flow/reader_stream.h"

#include "observe/flow/nfdump.h"
#include "observe/flow/table.h"
#include "sys/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_BYTES = 64, IPFIX_HEADER = 16, IPFIX_VERSION = 10, TROUBLES_TOLD = 5 };

struct file {
	const char *path;
	struct stream *stream;
	struct collector *collector;
	const struct flow_watch *watch;
	struct flow_file_figures *figures;
	uint64_t offset, line; /* used so far */
};

static void fault_tell(const struct file *file, const char *place, uint64_t number, const char *why)
{
	struct err told;
	if (++file->figures->faults > TROUBLES_TOLD)
		return;
	err_set(&told, 0, "%s: %s %llu: %s", file->path, place, (unsigned long long)number, why);
	file->watch->trouble(file->watch->context, told.text);
}

/* More behind the window: 1; 0: there is no more. */
static int file_fill(struct file *file, struct err *err)
{
	int got = stream_fill(file->stream, err);
	file->figures->done_bytes = stream_read_bytes(file->stream);
	file->watch->progress(file->watch->context, file->figures);
	return got < 0 ? err_prefix(err, got, "%s", file->path) : got > 0;
}

static void file_use(struct file *file, size_t bytes)
{
	stream_use(file->stream, bytes);
	file->offset += bytes;
}

/* --- IPFIX ------------------------------------------------------------------------------------------------------- */

static bool is_ipfix(const uint8_t *data, size_t bytes)
{
	return bytes >= IPFIX_HEADER + 4 && load_be16(data) == IPFIX_VERSION && load_be16(data + 2) >= IPFIX_HEADER;
}

/* One message of the window: 1; 0: it is not there as a whole; -EBADMSG: there is none. */
static int message_take(struct file *file, const uint8_t *data, size_t bytes, struct err *err)
{
	static const struct addr nobody;
	size_t length = bytes >= 4 ? load_be16(data + 2) : 0;
	if (bytes >= 4 && (load_be16(data) != IPFIX_VERSION || length < IPFIX_HEADER)) {
		fault_tell(file, "byte", file->offset, "no IPFIX message (RFC 7011 section 3.1); the rest is not read");
		return -EBADMSG;
	}
	if (bytes < IPFIX_HEADER || bytes < length)
		return 0;
	int64_t exported_ns = (int64_t)load_be32(data + 4) * INT64_C(1000000000);
	int result = collector_feed(file->collector, &nobody, data, length, exported_ns, err);
	file->figures->exports++;
	file_use(file, length);
	return result < 0 ? result : 1;
}

static int ipfix_read(struct file *file, struct err *err)
{
	bool more = true;
	for (;;) {
		size_t bytes;
		const uint8_t *data = stream_window(file->stream, &bytes);
		int result = message_take(file, data, bytes, err);
		if (result == -EBADMSG)
			return 0;
		if (result == 0 && more) {
			result = file_fill(file, err);
			more = result > 0;
			result = result < 0 ? result : 1;
		}
		if (result < 0)
			return result;
		if (result == 0 && bytes)
			fault_tell(file, "byte", file->offset, "the file ends within a message");
		if (result == 0)
			return 0;
	}
}

/* --- nfdump ------------------------------------------------------------------------------------------------------ */

/* One block of the window: 1; 0: it is not there as a whole; -EBADMSG: there is none. */
static int block_take(struct file *file, struct nfdump_reader *reader, const uint8_t *data, size_t bytes,
		      struct err *err)
{
	struct err why = {""};
	if (bytes < NFDUMP_BLOCK_HEADER_BYTES)
		return 0;
	struct nfdump_block block = nfdump_block_read(data);
	if (block.bytes > NFDUMP_BLOCK_BYTES_MAX) {
		fault_tell(file, "byte", file->offset, "no block of nfdump; the rest is not read");
		return -EBADMSG;
	}
	if (bytes - NFDUMP_BLOCK_HEADER_BYTES < block.bytes)
		return 0;
	int result = nfdump_reader_block(reader, &block, data + NFDUMP_BLOCK_HEADER_BYTES, &why);
	if (result > 0)
		fault_tell(file, "byte", file->offset, why.text);
	file_use(file, NFDUMP_BLOCK_HEADER_BYTES + block.bytes);
	return result < 0 ? err_set(err, result, "%s", why.text) : 1;
}

static int blocks_read(struct file *file, struct nfdump_reader *reader, uint32_t blocks, struct err *err)
{
	int more = 1;
	for (uint32_t done = 0; done < blocks;) { /* what lies behind them is no flow */
		size_t bytes;
		const uint8_t *data = stream_window(file->stream, &bytes);
		int result = block_take(file, reader, data, bytes, err);
		if (result == -EBADMSG)
			return 0;
		done += result > 0;
		if (result == 0 && more > 0)
			result = more = file_fill(file, err);
		if (result < 0)
			return result;
		if (more == 0 && result == 0) {
			fault_tell(file, "byte", file->offset, "the file ends before its last block");
			return 0;
		}
	}
	return 0;
}

static int nfdump_read(struct file *file, const struct nfdump_header *header, struct err *err)
{
	struct nfdump_reader *reader = NULL;
	int result = nfdump_reader_new(header, collector_sink(file->collector), &reader, err);
	if (result < 0)
		return err_prefix(err, result, "%s", file->path);
	file_use(file, NFDUMP_HEADER_BYTES);
	result = blocks_read(file, reader, header->blocks, err);
	if (result == 0)
		result = nfdump_reader_flush(reader, err);
	nfdump_reader_free(reader);
	return result;
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

static int line_take(struct file *file, struct flow_table *table, const uint8_t *line, size_t bytes, struct err *err)
{
	struct err why = {""};
	file->line++;
	if (bytes > FLOW_TABLE_LINE_MAX) {
		fault_tell(file, "line", file->line, "longer than a line of flows can be");
		return 0;
	}
	int result = flow_table_line(table, (const char *)line, bytes, &why);
	if (result < 0)
		return err_set(err, result, "%s", why.text);
	if (result > 0)
		fault_tell(file, "line", file->line, why.text);
	return 0;
}

/* Every whole line of the window. */
static int lines_take(struct file *file, struct flow_table *table, bool *skip, struct err *err)
{
	size_t bytes, used = 0;
	const uint8_t *data = stream_window(file->stream, &bytes), *stop;
	int result = 0;
	while (result == 0 && (stop = memchr(data + used, '\n', bytes - used))) {
		size_t length = (size_t)(stop - data) - used;
		if (*skip)
			*skip = false;
		else
			result = line_take(file, table, data + used, length, err);
		used += length + 1;
	}
	if (result == 0 && bytes - used > FLOW_TABLE_LINE_MAX) {
		if (!*skip)
			result = line_take(file, table, data + used, bytes - used, err);
		*skip = true;
		used = bytes;
	}
	file_use(file, used);
	return result;
}

static int table_read(struct file *file, enum flow_table_form form, struct err *err)
{
	struct flow_table *table = NULL;
	bool skip = false;
	int more = 1, result = flow_table_new(form, collector_sink(file->collector), &table, err);
	while (result == 0 && more > 0) {
		result = lines_take(file, table, &skip, err);
		more = result == 0 ? file_fill(file, err) : 0;
		result = more < 0 ? more : result;
	}
	if (result == 0 && !stream_finish(file->stream))
		fault_tell(file, "byte", stream_read_bytes(file->stream), "what was packed ends too early");
	if (result == 0)
		result = lines_take(file, table, &skip, err);
	size_t bytes = 0;
	const uint8_t *rest = stream_window(file->stream, &bytes);
	if (result == 0 && bytes && !skip)
		result = line_take(file, table, rest, bytes, err);
	if (result == 0)
		result = flow_table_flush(table, err);
	file->figures->lines = file->line;
	flow_table_free(table);
	return result;
}

/* --- which ------------------------------------------------------------------------------------------------------- */

static int known_read(struct file *file, struct err *err)
{
	size_t bytes;
	const uint8_t *data = stream_window(file->stream, &bytes);
	int more = 1;
	while (bytes < LOOK_BYTES && more > 0) {
		struct err unread; /* damaged: whoever reads it next says so */
		more = stream_fill(file->stream, &unread);
		data = stream_window(file->stream, &bytes);
	}
	if (more <= 0 && stream_finish(file->stream))
		data = stream_window(file->stream, &bytes);
	enum flow_table_form form = flow_table_form_of(data, bytes);
	struct nfdump_header header;
	bool is_nfdump = nfdump_header_read(data, bytes, &header);
	if (form == FLOW_TABLE_NONE && !is_ipfix(data, bytes) && !is_nfdump)
		return 0;
	int result = is_nfdump                 ? nfdump_read(file, &header, err)
		     : form != FLOW_TABLE_NONE ? table_read(file, form, err)
					       : ipfix_read(file, err);
	if (result == 0 && file->figures->faults > TROUBLES_TOLD) {
		struct err told;
		err_set(&told, 0, "%s: %u faults in all", file->path, file->figures->faults);
		file->watch->trouble(file->watch->context, told.text);
	}
	return result < 0 ? result : 1;
}

int flow_stream_read(const char *path, struct collector *collector, const struct flow_watch *watch,
		     struct flow_file_figures *figures, struct err *err)
{
	struct file file = {.path = path, .collector = collector, .watch = watch, .figures = figures};
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = 0;
	if (fd < 0)
		return 0;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		figures->total_bytes = (uint64_t)status.st_size;
		file.stream = stream_new(fd);
		result = file.stream ? known_read(&file, err) : err_set(err, -ENOMEM, "%s: no memory", path);
	}
	stream_free(file.stream);
	close(fd);
	return result;
}
