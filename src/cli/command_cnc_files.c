/* Flows and lists of hosts for the commands of `yagura cnc`. */
#include "cli/command_cnc.h"

#include "cli/paths.h"
#include "cli/progress.h"
#include "cli/whole_file.h"
#include "observe/flow/reader.h"
#include "store/archive.h"
#include "store/pack.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct feed {
	struct sink sink;
	struct progress progress;
	struct cnc *cnc;
	const char *command;
	unsigned troubles;
};

static int feed_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct feed *feed = (struct feed *)sink;
	return cnc_take(feed->cnc, batch, err);
}

static void progress_tell(void *context, const struct flow_file_figures *figures)
{
	struct feed *feed = context;
	char text[64];
	snprintf(text, sizeof text, "%.1f M flows", (double)cnc_figures(feed->cnc).flows / 1e6);
	feed->progress.whole = figures->total_bytes;
	progress_show(&feed->progress, figures->done_bytes, text);
}

static void trouble_tell(void *context, const char *sentence)
{
	struct feed *feed = context;
	feed->troubles++;
	progress_end(&feed->progress);
	fprintf(stderr, "yagura %s: %s\n", feed->command, sentence);
}

int cnc_file_read(struct cnc *cnc, const struct command_call *call, const char *path, unsigned *troubles,
		  struct err *err)
{
	struct feed feed = {
		.sink.put = feed_put, .progress = {.label = path}, .cnc = cnc, .command = call->command->name};
	struct flow_watch watch = {progress_tell, trouble_tell, &feed};
	struct flow_file_figures figures = {0};
	struct collector *collector = NULL;
	int result = collector_new(&(struct collector_options){.sensor = 0}, &feed.sink, &collector, err);
	if (result == 0 && flow_file_read(path, collector, &watch, &figures, err) < 0)
		trouble_tell(&feed, err->text);
	progress_end(&feed.progress);
	if (result == 0)
		result = collector_flush(collector, err);
	collector_free(collector);
	*troubles += feed.troubles;
	return result;
}

int cnc_files_read(struct cnc *cnc, const struct command_call *call, unsigned *ret_troubles, struct err *err)
{
	int result = 0;
	*ret_troubles = 0;
	for (int i = 0; i < call->operand_count && result == 0; i++)
		result = cnc_file_read(cnc, call, call->operands[i], ret_troubles, err);
	return result;
}

struct archive_feed {
	struct feed feed;
	struct batch *batch;
	int64_t from_ns, to_ns;
};

/* Rows before and behind the time are dropped: blocks are cut by number, not by time. */
static void rows_choose(struct archive_feed *feed)
{
	struct batch *batch = feed->batch;
	const int64_t *first = BATCH_COLUMN(batch, int64_t, record_column_index(&record_flow, record_flow.time_column));
	uint32_t kept = 0;
	for (uint32_t row = 0; row < batch->rows; row++) {
		if (first[row] < feed->from_ns || first[row] >= feed->to_ns)
			continue;
		for (unsigned c = 0; row != kept && record_flow.columns[c].name; c++) {
			size_t width = column_width(record_flow.columns[c].type);
			uint8_t *cells = batch->columns[c];
			memcpy(cells + kept * width, cells + row * width, width);
		}
		kept++;
	}
	batch->rows = kept;
}

static int block_take(void *context, const struct block *block, struct err *err)
{
	struct archive_feed *feed = context;
	char text[64];
	int result = block_batch(block, feed->batch, err);
	if (result < 0)
		return result;
	rows_choose(feed);
	uint64_t flows = cnc_figures(feed->feed.cnc).flows;
	snprintf(text, sizeof text, "%.1f M flows", (double)flows / 1e6);
	progress_show(&feed->feed.progress, flows, text);
	return feed->batch->rows ? cnc_take(feed->feed.cnc, feed->batch, err) : 0;
}

static void archive_trouble(void *context, const char *sentence)
{
	trouble_tell(&((struct archive_feed *)context)->feed, sentence);
}

int cnc_archive_read(struct cnc *cnc, const struct command_call *call, const char *dir, int64_t from_ns, int64_t to_ns,
		     unsigned *ret_troubles, struct err *err)
{
	struct archive_feed feed = {.feed = {.progress = {.label = dir}, .cnc = cnc, .command = call->command->name},
				    .batch = batch_new(&record_flow, PACK_ROWS_MAX),
				    .from_ns = from_ns,
				    .to_ns = to_ns};
	const struct archive_visit visit = {block_take, archive_trouble, &feed};
	int result = feed.batch ? archive_read(dir, from_ns, to_ns, &visit, err)
				: err_set(err, -ENOMEM, "no memory for flows");
	progress_end(&feed.feed.progress);
	batch_free(feed.batch);
	*ret_troubles = feed.feed.troubles;
	return result;
}

static int line_take(struct cnc *cnc, const char *path, unsigned line, const char *begin, const char *end,
		     struct err *err)
{
	char word[ADDR_TEXT_BYTES + 1];
	struct addr addr;
	while (begin < end && isspace((unsigned char)*begin))
		begin++;
	const char *stop = begin;
	while (stop < end && !isspace((unsigned char)*stop) && *stop != ',' && *stop != '#')
		stop++;
	if (stop == begin)
		return 0;
	snprintf(word, sizeof word, "%.*s", (int)(stop - begin), begin);
	if (addr_parse(word, &addr, err) < 0)
		return err_prefix(err, -EINVAL, "%s:%u", path, line);
	return cnc_infected(cnc, &addr, err);
}

int cnc_infected_read(struct cnc *cnc, const char *path, struct err *err)
{
	struct whole_file file = {0};
	int result = whole_file_open(path, &file, err);
	if (result < 0)
		return result;
	const char *at = file.text, *end = file.text + file.bytes;
	for (unsigned line = 1; at < end && result == 0; line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		result = line_take(cnc, path, line, at, stop, err);
		at = stop < end ? stop + 1 : end;
	}
	whole_file_close(&file);
	return result;
}

int cnc_model_read(struct cnc *cnc, const struct command_call *call, const char *path, struct err *err)
{
	struct whole_file file = {0};
	path = path_shared(call->pool, path, "data/cnc/model.json");
	int result = whole_file_open(path, &file, err);
	if (result < 0)
		return result;
	result = cnc_learn(cnc, file.text, file.bytes, err);
	whole_file_close(&file);
	return result < 0 ? err_prefix(err, result, "%s", path) : 0;
}
