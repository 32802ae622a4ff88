/* yagura flow query: an archive of flows, asked in nfdump's language. */
#include "cli/command_flow.h"
#include "cli/table.h"

#include "core/clock.h"
#include "store/flow_query.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

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

struct asking {
	const struct flow_query_options *options;
	unsigned troubles;
};

static int question_read(const struct command_call *call, struct flow_question *ret_question, struct err *err)
{
	const struct flow_query_options *options = call->options;
	int64_t now_ns = clock_now_ns();
	if (call->operand_count > 1)
		return err_set(err, -EINVAL, "one filter was expected; quote it");
	*ret_question = (struct flow_question){.filter = call->operand_count ? call->operands[0] : NULL,
					       .statistic = options->statistic,
					       .aggregate = options->aggregate,
					       .from_ns = INT64_MIN,
					       .to_ns = INT64_MAX,
					       .limit = (size_t)options->limit};
	int result = options->from ? time_parse(options->from, now_ns, &ret_question->from_ns, err) : 0;
	if (result == 0 && options->to)
		result = time_parse(options->to, now_ns, &ret_question->to_ns, err);
	return result;
}

static void groups_print(const char *const *names, unsigned name_count, const json_t *answer)
{
	static const char *const sums[] = {"flows", "packets", "bytes"};
	json_t *columns = json_array(), *rows = json_array();
	const json_t *group;
	size_t i;
	for (unsigned c = 0; c < name_count + 3; c++)
		json_array_append_new(columns,
				      json_pack("{s:s}", "name", c < name_count ? names[c] : sums[c - name_count]));
	json_array_foreach(json_object_get(answer, "groups"), i, group)
	{
		json_t *row = json_array();
		for (unsigned c = 0; c < name_count + 3; c++)
			json_array_append(row,
					  json_object_get(group, c < name_count ? names[c] : sums[c - name_count]));
		json_array_append_new(rows, row);
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}

static long long number_of(const json_t *answer, const char *name)
{
	return json_integer_value(json_object_get(answer, name));
}

static void answer_print(const struct asking *asking, const struct flow_query *query, const json_t *answer)
{
	unsigned name_count;
	const char *const *names = flow_query_names(query, &name_count);
	if (name_count == 0) /* the flows stand there already */
		return;
	if (asking->options->common.json) {
		json_dumpf(answer, stdout, JSON_INDENT(1));
		putchar('\n');
		return;
	}
	groups_print(names, name_count, answer);
	printf("%lld flows, %lld packets, %lld bytes, %lld groups\n", number_of(answer, "flows"),
	       number_of(answer, "packets"), number_of(answer, "bytes"), number_of(answer, "of"));
}

static void flow_take(void *context, const struct batch *row)
{
	const struct asking *asking = context;
	if (asking->options->common.json)
		flow_print_json(row, 0);
	else
		flow_print_line(row, 0);
}

static void trouble_tell(void *context, const char *sentence)
{
	((struct asking *)context)->troubles++;
	fprintf(stderr, "yagura flow query: %s\n", sentence);
}

int command_flow_query(const struct command_call *call, struct err *err)
{
	struct asking asking = {.options = call->options};
	const struct flow_query_visit visit = {.flow = flow_take, .trouble = trouble_tell, .context = &asking};
	struct flow_question question;
	struct flow_query *query = NULL;
	json_t *answer = NULL;
	int usage = question_read(call, &question, err);
	if (usage == 0)
		usage = flow_query_new(&question, &query, err);
	int result = usage == 0 ? flow_query_run(query, asking.options->archive, &visit, &answer, err) : usage;
	if (result == 0)
		answer_print(&asking, query, answer);
	json_decref(answer);
	flow_query_free(query);
	return usage == -EINVAL ? EXIT_USAGE : result < 0 || asking.troubles ? EXIT_FAILED : EXIT_DONE;
}
