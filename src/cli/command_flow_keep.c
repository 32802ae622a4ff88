/* See command_flow_keep.h. */
#include "cli/command_flow_keep.h"

#include "cli/command_flow.h"

#include "core/clock.h"
#include "record/flow_row.h"
#include "store/archive.h"
#include "wire/ipfix_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec flow_keep_option_table[] = {
	{"records", OPTION_FLAG, OPTION_AT(struct flow_keep_options, records), .help = "print every flow, one a line",
	 .help_ja = "フローを 1 行ずつすべて表示する"},
	{"limit", OPTION_INT, OPTION_AT(struct flow_keep_options, limit), .min = 0, .max = INT64_MAX,
	 .help = "flows to print at most; 0: all of them", .help_ja = "表示するフローの上限(0 はすべて)"},
	{"archive", OPTION_PATH, OPTION_AT(struct flow_keep_options, archive), .argument = "DIR", .letter = 'w',
	 .help = "keep the flows in this archive, made where it is not",
	 .help_ja = "フローをこのアーカイブに残す(なければ作る)"},
	{"output", OPTION_PATH, OPTION_AT(struct flow_keep_options, ipfix), .argument = "FILE.ipfix", .letter = 'o',
	 .help = "write the flows to an IPFIX file (RFC 5655), which any collector reads",
	 .help_ja = "フローを IPFIX ファイル(RFC 5655)に書く。どのコレクターでも読める"},
	{NULL},
};

/* --- an IPFIX file ------------------------------------------------------------------------------------------------ */

struct ipfix_file {
	FILE *stream;
	const char *path;
	struct ipfix_writer writer;
	bool begun;
	uint8_t message[IPFIX_MESSAGE_BYTES_MAX];
};

static int file_open(const char *path, struct ipfix_file **ret_file, struct err *err)
{
	struct ipfix_file *file = calloc(1, sizeof *file);
	FILE *stream = file ? fopen(path, "wbe") : NULL;
	if (!stream) {
		int error = file ? errno : ENOMEM;
		free(file);
		return err_set(err, -error, "%s: cannot be written: %s", path, strerror(error));
	}
	file->stream = stream;
	file->path = path;
	*ret_file = file;
	return 0;
}

static int message_out(struct ipfix_file *file, struct err *err)
{
	if (!file->begun)
		return 0;
	file->begun = false;
	size_t bytes = ipfix_end(&file->writer);
	if (fwrite(file->message, 1, bytes, file->stream) != bytes)
		return err_set(err, -EIO, "%s: cannot be written: %s", file->path, strerror(errno));
	return 0;
}

static int file_put(struct ipfix_file *file, const struct batch *batch, struct err *err)
{
	for (uint32_t row = 0; row < batch->rows; row++) {
		struct flow_row flow = flow_row_get(batch, row);
		struct ipfix_flow out = {.first_ns = flow.first_ns,
					 .last_ns = flow.last_ns,
					 .source = flow.source,
					 .target = flow.target,
					 .packets = flow.packets,
					 .bytes = flow.bytes,
					 .sampling = flow.sampling,
					 .source_port = flow.source_port,
					 .target_port = flow.target_port,
					 .protocol = flow.protocol,
					 .flags = flow.flags,
					 .tos = flow.tos,
					 .end_reason = flow.end_reason};
		if (flow.sampling > 1) { /* an exporter tells what it saw; who reads makes it whole again */
			out.packets = (flow.packets + flow.sampling / 2) / flow.sampling;
			out.bytes = (flow.bytes + flow.sampling / 2) / flow.sampling;
		}
		while (!file->begun || !ipfix_put(&file->writer, &out)) {
			int result = message_out(file, err);
			if (result < 0)
				return result;
			ipfix_begin(&file->writer, file->message, sizeof file->message, flow.last_ns);
			file->begun = true;
		}
	}
	return 0;
}

/* --- flows ------------------------------------------------------------------------------------------------------- */

static int keep_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct flow_keep *keep = (struct flow_keep *)sink;
	const struct record_kind *kind = batch->kind;
	const int64_t *first_ns = BATCH_COLUMN(batch, int64_t, record_column_index(kind, "first"));
	const int64_t *last_ns = BATCH_COLUMN(batch, int64_t, record_column_index(kind, "last"));
	const uint64_t *packets = BATCH_COLUMN(batch, uint64_t, record_column_index(kind, "packets"));
	const uint64_t *bytes = BATCH_COLUMN(batch, uint64_t, record_column_index(kind, "bytes"));
	for (uint32_t row = 0; row < batch->rows; row++) {
		keep->first_ns = first_ns[row] < keep->first_ns ? first_ns[row] : keep->first_ns;
		keep->last_ns = last_ns[row] > keep->last_ns ? last_ns[row] : keep->last_ns;
		keep->packets += packets[row];
		keep->bytes += bytes[row];
		bool shown = !keep->options->limit || keep->printed < (uint64_t)keep->options->limit;
		keep->printed += shown;
		if (shown && keep->options->records && keep->json)
			flow_print_json(batch, row);
		else if (shown && keep->options->records)
			flow_print_line(batch, row);
	}
	keep->records += batch->rows;
	int result = keep->file ? file_put(keep->file, batch, err) : 0;
	return result == 0 && keep->archive ? archive_put(keep->archive, batch, err) : result;
}

int flow_keep_open(struct flow_keep *keep, const struct flow_keep_options *options, const struct pseudonym_keys *keys,
		   bool json, struct err *err)
{
	*keep = (struct flow_keep){
		.sink.put = keep_put, .options = options, .json = json, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
	keep->begin = keys ? pseudonym_sink_new(keys, &keep->sink) : &keep->sink;
	if (!keep->begin)
		return err_set(err, -ENOMEM, "no memory for pseudonyms");
	struct archive_options keeping = {.dir = options->archive, .kind = &record_flow};
	int result = options->archive ? archive_open(&keeping, &keep->archive, err) : 0;
	return result == 0 && options->ipfix ? file_open(options->ipfix, &keep->file, err) : result;
}

int flow_keep_end(struct flow_keep *keep, struct err *err)
{
	int result = keep->archive ? archive_flush(keep->archive, err) : 0;
	if (result == 0 && keep->file)
		result = message_out(keep->file, err);
	if (result == 0 && keep->file && fflush(keep->file->stream) != 0)
		result = err_set(err, -EIO, "%s: cannot be written: %s", keep->file->path, strerror(errno));
	return result;
}

void flow_keep_close(struct flow_keep *keep)
{
	if (keep->begin != &keep->sink)
		pseudonym_sink_free(keep->begin);
	keep->begin = NULL;
	archive_close(keep->archive);
	if (keep->file)
		fclose(keep->file->stream);
	free(keep->file);
	keep->archive = NULL;
	keep->file = NULL;
}

json_t *flow_keep_json(const struct flow_keep *keep)
{
	json_t *report = json_pack("{s:I, s:I, s:I}", "records", (json_int_t)keep->records, "packets",
				   (json_int_t)keep->packets, "bytes", (json_int_t)keep->bytes);
	char text[TIME_TEXT_BYTES];
	if (keep->records) {
		json_object_set_new(report, "first", json_string(time_format(keep->first_ns, text)));
		json_object_set_new(report, "last", json_string(time_format(keep->last_ns, text)));
	}
	return report;
}

void flow_keep_print(const struct flow_keep *keep)
{
	char first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
	printf("%llu flows, %llu packets, %llu bytes", (unsigned long long)keep->records,
	       (unsigned long long)keep->packets, (unsigned long long)keep->bytes);
	if (keep->records)
		printf(", %s to %s", time_format(keep->first_ns, first), time_format(keep->last_ns, last));
	putchar('\n');
}
