/* yagura flow query: an archive of flows, asked in nfdump's language. */
#include "cli/command_flow.h"
#include "cli/table.h"

#include "core/clock.h"
#include "record/batch.h"
#include "store/archive.h"
#include "store/flow_filter.h"
#include "store/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec flow_query_option_table[] = {
	{"archive", OPTION_PATH, OPTION_AT(struct flow_query_options, archive), .argument = "DIR", .required = true,
	 .letter = 'r', .help = "the archive to ask", .help_ja = "問い合わせるアーカイブ"},
	{"statistic", OPTION_TEXT, OPTION_AT(struct flow_query_options, statistic), .argument = "KEY[/ORDER]",
	 .letter = 's',
	 .help = "the greatest by flows, packets, bytes, bps, pps or bpp: srcip/bytes, dstport, ip/flows ...",
	 .help_ja = "フロー・パケット・バイト等の多い順の一覧(srcip/bytes、dstport、ip/flows など)"},
	{"aggregate", OPTION_TEXT, OPTION_AT(struct flow_query_options, aggregate), .argument = "KEY,KEY...",
	 .letter = 'A', .help = "add up by these: srcip,dstip,dstport; srcip4/24 ...",
	 .help_ja = "これらの要素ごとに集計する(srcip,dstip,dstport、srcip4/24 など)"},
	{"limit", OPTION_INT, OPTION_AT(struct flow_query_options, limit), "10", .min = 0, .max = 1000000,
	 .letter = 'n', .help = "rows to print; 0: all", .help_ja = "表示する行数(0 はすべて)"},
	{"from", OPTION_TEXT, OPTION_AT(struct flow_query_options, from), .argument = "TIME",
	 .help = "flows that begin from then on (2026-01-31T09:00:00Z, -24h)",
	 .help_ja = "この時刻以後に始まったフロー"},
	{"to", OPTION_TEXT, OPTION_AT(struct flow_query_options, to), .argument = "TIME",
	 .help = "flows that begin before", .help_ja = "この時刻より前に始まったフロー"},
	{NULL},
};

enum { SUM_BYTES, SUM_PACKETS, ROWS_ALL = 1000000 };

struct asking {
	const struct flow_query_options *options;
	struct scan_filter filter;
	struct scan_question question;
	const char *names[SCAN_KEYS_MAX];
	char *text; /* what `names` are cut from */
	enum { ORDER_FLOWS, ORDER_PACKETS, ORDER_BYTES } order;
	struct scan *scan;
	struct batch *row; /* room for one, for the list of flows */
	uint64_t flows, printed;
	unsigned troubles;
};

/* --- what is asked ----------------------------------------------------------------------------------------------- */

static int key_add(struct asking *asking, const char *name, struct err *err)
{
	struct scan_question *question = &asking->question;
	if (question->key_count == SCAN_KEYS_MAX)
		return err_set(err, -EINVAL, "more than %d elements to add up by", SCAN_KEYS_MAX);
	struct scan_key either;
	int result = flow_key_parse(name, &question->keys[question->key_count], &either, err);
	if (result < 0)
		return result;
	if (either.column != UINT16_MAX && question->key_count)
		return err_set(err, -EINVAL, "\"%s\" means either end, and can only stand alone", name);
	if (either.column != UINT16_MAX)
		question->either = either;
	asking->names[question->key_count++] = name;
	return 0;
}

static int order_read(struct asking *asking, const char *order, struct err *err)
{
	static const char *const names[] = {"flows", "packets", "bytes"};
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(order, names[i]) == 0) {
			asking->order = i;
			return 0;
		}
	return err_set(err, -EINVAL, "order \"%s\": flows, packets or bytes were expected", order);
}

static int keys_read(struct asking *asking, struct err *err)
{
	const char *given = asking->options->statistic ? asking->options->statistic : asking->options->aggregate;
	if (asking->options->statistic && asking->options->aggregate)
		return err_set(err, -EINVAL, "--statistic and --aggregate exclude each other");
	if (!given)
		return 0;
	asking->text = strdup(given);
	if (!asking->text)
		return err_set(err, -ENOMEM, "no memory for a question");
	if (asking->options->statistic) {
		char *slash = strrchr(asking->text, '/'), *digits = slash;
		if (slash && (digits[1] < '0' || digits[1] > '9')) {
			*slash = '\0';
			int result = order_read(asking, slash + 1, err);
			if (result < 0)
				return result;
		}
		return key_add(asking, asking->text, err);
	}
	char *rest = asking->text, *name;
	int result = 0;
	while (result == 0 && (name = strsep(&rest, ",")))
		result = key_add(asking, name, err);
	return result;
}

static int times_read(struct asking *asking, struct err *err)
{
	const struct flow_query_options *options = asking->options;
	int64_t now_ns = clock_now_ns();
	asking->question.from_ns = INT64_MIN;
	asking->question.to_ns = INT64_MAX;
	int result = options->from ? time_parse(options->from, now_ns, &asking->question.from_ns, err) : 0;
	if (result == 0 && options->to)
		result = time_parse(options->to, now_ns, &asking->question.to_ns, err);
	return result;
}

static int question_read(struct asking *asking, const struct command_call *call, struct err *err)
{
	if (call->operand_count > 1)
		return err_set(err, -EINVAL, "one filter was expected; quote it");
	asking->question = (struct scan_question){
		.kind = &record_flow, .filter = &asking->filter, .sum_count = 2, .derive = flow_derive};
	asking->question.either.column = UINT16_MAX;
	asking->question.sums[SUM_BYTES] = (uint16_t)record_column_index(&record_flow, "bytes");
	asking->question.sums[SUM_PACKETS] = (uint16_t)record_column_index(&record_flow, "packets");
	int result = flow_filter_parse(call->operand_count ? call->operands[0] : "", &asking->filter, err);
	if (result == 0)
		result = keys_read(asking, err);
	return result == 0 ? times_read(asking, err) : result;
}

/* --- flows one by one -------------------------------------------------------------------------------------------- */

static int row_fill(struct asking *asking, uint32_t row, struct err *err)
{
	struct batch *batch = asking->row;
	for (unsigned c = 0; record_flow.columns[c].name; c++) {
		const uint64_t *low, *high = NULL;
		enum column_type type = record_flow.columns[c].type;
		int result = scan_column(asking->scan, c, &low, &high, err);
		if (result < 0)
			return result;
		if (type == COLUMN_ADDR) {
			uint64_t halves[2] = {__builtin_bswap64(high[row]), __builtin_bswap64(low[row])};
			memcpy(batch->columns[c], halves, sizeof halves);
		} else {
			memcpy(batch->columns[c], &low[row], column_width(type));
		}
	}
	return 0;
}

static int block_print(struct asking *asking, const struct block *block, struct err *err)
{
	const uint8_t *rows;
	uint32_t count;
	uint64_t limit = asking->options->limit ? (uint64_t)asking->options->limit : UINT64_MAX;
	int result = scan_select(asking->scan, block, &rows, &count, err);
	for (uint32_t row = 0; row < block->rows && result == 0 && count; row++) {
		if (!rows[row] || asking->printed == limit)
			continue;
		result = row_fill(asking, row, err);
		if (result == 0 && asking->options->common.json)
			flow_print_json(asking->row, 0);
		else if (result == 0)
			flow_print_line(asking->row, 0);
		asking->printed++;
	}
	asking->flows += count;
	return result < 0 ? result : asking->printed == limit; /* enough */
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

static json_t *key_json(const struct asking *asking, const struct scan_group *group, unsigned key)
{
	const struct column *column = &record_flow.columns[asking->question.keys[key].column];
	char text[ADDR_TEXT_BYTES];
	if (column->type != COLUMN_ADDR)
		return json_integer((json_int_t)group->low[key]);
	struct addr address;
	uint64_t halves[2] = {__builtin_bswap64(group->high[key]), __builtin_bswap64(group->low[key])};
	memcpy(address.bytes, halves, sizeof halves);
	return json_string(addr_format(&address, text));
}

static json_t *group_json(const struct asking *asking, const struct scan_group *group)
{
	json_t *object = json_object();
	for (unsigned key = 0; key < asking->question.key_count; key++)
		json_object_set_new(object, asking->names[key], key_json(asking, group, key));
	json_object_set_new(object, "flows", json_integer((json_int_t)group->rows));
	json_object_set_new(object, "packets", json_integer((json_int_t)group->sums[SUM_PACKETS]));
	json_object_set_new(object, "bytes", json_integer((json_int_t)group->sums[SUM_BYTES]));
	return object;
}

static void groups_print(const struct asking *asking, const json_t *groups)
{
	json_t *columns = json_array(), *rows = json_array();
	const json_t *group;
	size_t i;
	for (unsigned key = 0; key < asking->question.key_count; key++)
		json_array_append_new(columns, json_pack("{s:s}", "name", asking->names[key]));
	static const char *const sums[] = {"flows", "packets", "bytes"};
	for (unsigned s = 0; s < 3; s++)
		json_array_append_new(columns, json_pack("{s:s}", "name", sums[s]));
	json_array_foreach(groups, i, group)
	{
		json_t *row = json_array();
		for (unsigned key = 0; key < asking->question.key_count; key++)
			json_array_append(row, json_object_get(group, asking->names[key]));
		for (unsigned s = 0; s < 3; s++)
			json_array_append(row, json_object_get(group, sums[s]));
		json_array_append_new(rows, row);
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}

static int groups_tell(struct asking *asking, struct err *err)
{
	static const int by[] = {[ORDER_FLOWS] = -1, [ORDER_PACKETS] = SUM_PACKETS, [ORDER_BYTES] = SUM_BYTES};
	size_t limit = asking->options->limit ? (size_t)asking->options->limit : ROWS_ALL;
	struct scan_group *groups = calloc(limit, sizeof *groups), total;
	if (!groups)
		return err_set(err, -ENOMEM, "no memory for %zu groups", limit);
	int64_t count = scan_top(asking->scan, by[asking->order], groups, limit, &total, err);
	json_t *list = json_array();
	for (int64_t i = 0; i < count; i++)
		json_array_append_new(list, group_json(asking, &groups[i]));
	free(groups);
	if (count >= 0 && asking->options->common.json) {
		json_t *answer =
			json_pack("{s:O, s:I, s:I, s:I, s:I}", "groups", list, "of",
				  (json_int_t)scan_groups(asking->scan), "flows", (json_int_t)total.rows, "packets",
				  (json_int_t)total.sums[SUM_PACKETS], "bytes", (json_int_t)total.sums[SUM_BYTES]);
		json_dumpf(answer, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(answer);
	} else if (count >= 0) {
		if (asking->question.key_count)
			groups_print(asking, list);
		printf("%" PRIu64 " flows, %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " groups\n", total.rows,
		       total.sums[SUM_PACKETS], total.sums[SUM_BYTES], scan_groups(asking->scan));
	}
	json_decref(list);
	return count < 0 ? (int)count : 0;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static int block_take(void *context, const struct block *block, struct err *err)
{
	struct asking *asking = context;
	return asking->question.key_count ? scan_add(asking->scan, block, err) : block_print(asking, block, err);
}

static void trouble_tell(void *context, const char *sentence)
{
	((struct asking *)context)->troubles++;
	fprintf(stderr, "yagura flow query: %s\n", sentence);
}

int command_flow_query(const struct command_call *call, struct err *err)
{
	struct asking *asking = calloc(1, sizeof *asking);
	if (!asking) {
		err_set(err, -ENOMEM, "no memory for a question");
		return EXIT_FAILED;
	}
	asking->options = call->options;
	asking->order = ORDER_FLOWS;
	int usage = question_read(asking, call, err);
	int result = usage == 0 ? scan_open(&asking->question, &asking->scan, err) : usage;
	if (result == 0 && !asking->question.key_count && !(asking->row = batch_new(&record_flow, 1)))
		result = err_set(err, -ENOMEM, "no memory for a flow");
	struct archive_visit visit = {block_take, trouble_tell, asking};
	if (result == 0)
		result = archive_read(asking->options->archive, asking->question.from_ns, asking->question.to_ns,
				      &visit, err);
	if (result >= 0 && asking->question.key_count)
		result = groups_tell(asking, err);
	int status = usage == -EINVAL ? EXIT_USAGE : result < 0 || asking->troubles ? EXIT_FAILED : EXIT_DONE;
	scan_close(asking->scan);
	batch_free(asking->row);
	free(asking->text);
	free(asking);
	return status;
}
