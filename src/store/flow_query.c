/* See flow_query.h. */
#include "store/flow_query.h"

#include "core/clock.h"
#include "store/archive.h"
#include "store/flow_filter.h"
#include "store/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SUM_BYTES, SUM_PACKETS };

struct flow_query {
	struct flow_question question;
	struct scan_filter filter;
	struct scan_question scanned;
	const char *names[SCAN_KEYS_MAX];
	char *text; /* what `names` are cut from */
	int order;  /* of groups: a sum's number, or -1: by flows */
	struct scan *scan;
	const struct flow_query_visit *visit;
	int64_t until_ns;
	struct batch *row;
	uint64_t seen, given;
	uint64_t (*bins)[3]; /* flows, packets, bytes */
	uint64_t total[3];
};

static const char *const sum_names[] = {"flows", "packets", "bytes"};

/* --- what is asked ----------------------------------------------------------------------------------------------- */

static int key_add(struct flow_query *query, const char *name, struct err *err)
{
	struct scan_question *question = &query->scanned;
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
	query->names[question->key_count++] = name;
	return 0;
}

static int order_read(struct flow_query *query, const char *order, struct err *err)
{
	static const int sums[] = {-1, SUM_PACKETS, SUM_BYTES};
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(order, sum_names[i]) == 0) {
			query->order = sums[i];
			return 0;
		}
	return err_set(err, -EINVAL, "order \"%s\": flows, packets or bytes were expected", order);
}

static int statistic_read(struct flow_query *query, struct err *err)
{
	char *slash = strrchr(query->text, '/'); /* "srcip4/24": a mask, no order */
	if (slash && (slash[1] < '0' || slash[1] > '9')) {
		*slash = '\0';
		int result = order_read(query, slash + 1, err);
		if (result < 0)
			return result;
	}
	return key_add(query, query->text, err);
}

static int keys_read(struct flow_query *query, struct err *err)
{
	const struct flow_question *question = &query->question;
	const char *given = question->statistic ? question->statistic : question->aggregate;
	if (question->statistic && question->aggregate)
		return err_set(err, -EINVAL, "a statistic and elements to aggregate by exclude each other");
	if (!given || question->bins)
		return 0;
	query->text = strdup(given);
	if (!query->text)
		return err_set(err, -ENOMEM, "no memory for a question");
	if (question->statistic)
		return statistic_read(query, err);
	char *rest = query->text, *name;
	int result = 0;
	while (result == 0 && (name = strsep(&rest, ",")))
		result = key_add(query, name, err);
	return result;
}

static int rooms_make(struct flow_query *query, struct err *err)
{
	const struct flow_question *question = &query->question;
	if (question->bins > FLOW_BINS_MAX)
		return err_set(err, -EINVAL, "%u parts: at most %d were expected", question->bins, FLOW_BINS_MAX);
	if (question->bins &&
	    (question->from_ns >= question->to_ns || question->from_ns == INT64_MIN || question->to_ns == INT64_MAX))
		return err_set(err, -EINVAL, "sums over time need a beginning, and an end after it");
	query->bins = question->bins ? calloc(question->bins, sizeof *query->bins) : NULL;
	query->row = query->scanned.key_count || question->bins ? NULL : batch_new(&record_flow, 1);
	return (query->bins || !question->bins) && (query->row || query->scanned.key_count || question->bins)
		       ? 0
		       : err_set(err, -ENOMEM, "no memory for an answer");
}

int flow_query_new(const struct flow_question *question, struct flow_query **ret_query, struct err *err)
{
	struct flow_query *query = calloc(1, sizeof *query);
	if (!query)
		return err_set(err, -ENOMEM, "no memory for a question");
	query->question = *question;
	query->order = -1;
	query->scanned = (struct scan_question){.kind = &record_flow,
						.from_ns = question->from_ns,
						.to_ns = question->to_ns,
						.filter = &query->filter,
						.sum_count = 2,
						.derive = flow_derive};
	query->scanned.either.column = UINT16_MAX;
	query->scanned.sums[SUM_BYTES] = (uint16_t)record_column_index(&record_flow, "bytes");
	query->scanned.sums[SUM_PACKETS] = (uint16_t)record_column_index(&record_flow, "packets");
	int result = flow_filter_parse(question->filter ? question->filter : "", &query->filter, err);
	if (result == 0)
		result = keys_read(query, err);
	if (result == 0)
		result = rooms_make(query, err);
	if (result == 0)
		result = scan_open(&query->scanned, &query->scan, err);
	if (result < 0) {
		flow_query_free(query);
		return result;
	}
	*ret_query = query;
	return 0;
}

void flow_query_free(struct flow_query *query)
{
	if (!query)
		return;
	scan_close(query->scan);
	batch_free(query->row);
	free(query->bins);
	free(query->text);
	free(query);
}

const char *const *flow_query_names(const struct flow_query *query, unsigned *ret_count)
{
	*ret_count = query->scanned.key_count;
	return query->names;
}

/* --- flows one by one -------------------------------------------------------------------------------------------- */

json_t *flow_json(const struct batch *batch, uint32_t row)
{
	json_t *record = json_object();
	char text[ADDR_TEXT_BYTES + TIME_TEXT_BYTES];
	for (unsigned column = 0; batch->kind->columns[column].name; column++) {
		const void *cell =
			(const uint8_t *)batch->columns[column] + row * column_width(batch->kind->columns[column].type);
		uint64_t number = 0;
		json_t *value;
		switch (batch->kind->columns[column].type) {
		case COLUMN_TIME:
			value = json_string(time_format(*(const int64_t *)cell, text));
			break;
		case COLUMN_ADDR:
			value = json_string(addr_format(cell, text));
			break;
		default:
			memcpy(&number, cell, column_width(batch->kind->columns[column].type));
			value = json_integer((json_int_t)number);
		}
		json_object_set_new(record, batch->kind->columns[column].name, value);
	}
	return record;
}

static int row_fill(struct flow_query *query, uint32_t row, struct err *err)
{
	struct batch *batch = query->row;
	for (unsigned c = 0; record_flow.columns[c].name; c++) {
		const uint64_t *low, *high = NULL;
		enum column_type type = record_flow.columns[c].type;
		int result = scan_column(query->scan, c, &low, &high, err);
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

static int flows_give(struct flow_query *query, const struct block *block, struct err *err)
{
	const uint8_t *rows;
	uint32_t count;
	uint64_t limit = query->question.limit ? query->question.limit : UINT64_MAX;
	int result = scan_select(query->scan, block, &rows, &count, err);
	for (uint32_t row = 0; row < block->rows && result == 0 && count && query->given < limit; row++) {
		if (!rows[row])
			continue;
		result = row_fill(query, row, err);
		if (result < 0)
			break;
		query->visit->flow(query->visit->context, query->row);
		query->given++;
	}
	query->seen += count;
	return result < 0 ? result : query->given == limit; /* enough */
}

/* --- over time --------------------------------------------------------------------------------------------------- */

static int bins_add(struct flow_query *query, const struct block *block, struct err *err)
{
	const struct flow_question *question = &query->question;
	const uint8_t *rows;
	const uint64_t *first, *sums[2], *none;
	uint32_t count;
	int result = scan_select(query->scan, block, &rows, &count, err);
	if (result < 0 || count == 0)
		return result;
	result = scan_column(query->scan, (unsigned)record_column_index(&record_flow, record_flow.time_column), &first,
			     &none, err);
	for (unsigned s = 0; s < 2 && result == 0; s++)
		result = scan_column(query->scan, query->scanned.sums[s], &sums[s], &none, err);
	if (result < 0)
		return result;
	uint64_t span = (uint64_t)question->to_ns - (uint64_t)question->from_ns;
	double scale = question->bins / (double)span;
	for (uint32_t row = 0; row < block->rows; row++) {
		if (!rows[row])
			continue;
		unsigned bin = (unsigned)((double)(first[row] - (uint64_t)question->from_ns) * scale);
		uint64_t *sum = query->bins[bin < question->bins ? bin : question->bins - 1];
		sum[0]++;
		sum[1] += sums[SUM_PACKETS][row];
		sum[2] += sums[SUM_BYTES][row];
	}
	return 0;
}

static json_t *bins_json(struct flow_query *query)
{
	json_t *bins = json_object();
	for (unsigned s = 0; s < 3; s++) {
		json_t *values = json_array();
		for (unsigned bin = 0; bin < query->question.bins; bin++) {
			json_array_append_new(values, json_integer((json_int_t)query->bins[bin][s]));
			query->total[s] += query->bins[bin][s];
		}
		json_object_set_new(bins, sum_names[s], values);
	}
	return bins;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

static json_t *key_json(const struct flow_query *query, const struct scan_group *group, unsigned key)
{
	const struct column *column = &record_flow.columns[query->scanned.keys[key].column];
	char text[ADDR_TEXT_BYTES];
	if (column->type != COLUMN_ADDR)
		return json_integer((json_int_t)group->low[key]);
	struct addr address;
	uint64_t halves[2] = {__builtin_bswap64(group->high[key]), __builtin_bswap64(group->low[key])};
	memcpy(address.bytes, halves, sizeof halves);
	return json_string(addr_format(&address, text));
}

static json_t *group_json(const struct flow_query *query, const struct scan_group *group)
{
	json_t *object = json_object();
	for (unsigned key = 0; key < query->scanned.key_count; key++)
		json_object_set_new(object, query->names[key], key_json(query, group, key));
	json_object_set_new(object, "flows", json_integer((json_int_t)group->rows));
	json_object_set_new(object, "packets", json_integer((json_int_t)group->sums[SUM_PACKETS]));
	json_object_set_new(object, "bytes", json_integer((json_int_t)group->sums[SUM_BYTES]));
	return object;
}

static int groups_json(struct flow_query *query, json_t **ret_groups, struct err *err)
{
	size_t limit = query->question.limit ? query->question.limit : FLOW_GROUPS_MAX;
	struct scan_group *groups = calloc(limit, sizeof *groups), total;
	if (!groups)
		return err_set(err, -ENOMEM, "no memory for %zu groups", limit);
	int64_t count = scan_top(query->scan, query->order, groups, limit, &total, err);
	*ret_groups = json_array();
	for (int64_t i = 0; i < count; i++)
		json_array_append_new(*ret_groups, group_json(query, &groups[i]));
	free(groups);
	query->total[0] = total.rows;
	query->total[1] = total.sums[SUM_PACKETS];
	query->total[2] = total.sums[SUM_BYTES];
	return count < 0 ? (int)count : 0;
}

/* --- running ----------------------------------------------------------------------------------------------------- */

static int block_take(void *context, const struct block *block, struct err *err)
{
	struct flow_query *query = context;
	if (query->until_ns && clock_monotonic_ns() > query->until_ns)
		return err_set(err, -ETIME, "it takes too long: ask for less time, or with a narrower filter");
	if (query->bins)
		return bins_add(query, block, err);
	return query->scanned.key_count ? scan_add(query->scan, block, err) : flows_give(query, block, err);
}

static void trouble_tell(void *context, const char *sentence)
{
	const struct flow_query *query = context;
	if (query->visit->trouble)
		query->visit->trouble(query->visit->context, sentence);
}

int flow_query_run(struct flow_query *query, const char *dir, const struct flow_query_visit *visit, json_t **ret_answer,
		   struct err *err)
{
	const struct archive_visit blocks = {block_take, trouble_tell, query};
	json_t *answer = json_object(), *list = NULL;
	query->visit = visit;
	query->until_ns = visit->limit_ns ? clock_monotonic_ns() + visit->limit_ns : 0;
	int result = archive_read(dir, query->question.from_ns, query->question.to_ns, &blocks, err);
	if (result >= 0 && query->scanned.key_count) {
		result = groups_json(query, &list, err);
		json_object_set_new(answer, "groups", list);
		json_object_set_new(answer, "of", json_integer((json_int_t)scan_groups(query->scan)));
	} else if (result >= 0 && query->bins) {
		json_object_set_new(answer, "bins", bins_json(query));
	} else {
		query->total[0] = query->seen;
	}
	for (unsigned s = 0; s < 3; s++)
		json_object_set_new(answer, sum_names[s], json_integer((json_int_t)query->total[s]));
	if (result < 0) {
		json_decref(answer);
		return result;
	}
	*ret_answer = answer;
	return 0;
}
