/* Findings on their way into the store: shown live, kept while the disk is full, and closed by people.
 *
 * What a person closed stays closed: a detector that goes on saying the same thing under the same name is not heard.
 * For livenet the next packet makes a new alert (keeper_alerts.h).
 */
#include "hub/keeper.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/keeper_alerts.h"
#include "hub/keeper_notices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { OWED_MAX = 4096, CLOSED_MAX = 1 << 20 };

/* --- what was closed ---------------------------------------------------------------------------------------------- */

static int number_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return a < b ? -1 : a > b;
}

static bool is_closed(const struct keeper *keeper, const struct text *id)
{
	uint64_t hash = XXH3_64bits(id->bytes, id->length);
	return keeper->closed_count &&
	       bsearch(&hash, keeper->closed, keeper->closed_count, sizeof hash, number_compare);
}

/* Under owed_lock. */
static void closed_add(struct keeper *keeper, const char *id)
{
	if ((keeper->closed_count & (keeper->closed_count - 1)) == 0 && keeper->closed_count < CLOSED_MAX) {
		size_t room = keeper->closed_count ? keeper->closed_count * 2 : 16;
		uint64_t *grown = realloc(keeper->closed, room * sizeof *grown);
		if (!grown)
			return;
		keeper->closed = grown;
	}
	if (keeper->closed_count == CLOSED_MAX)
		return;
	keeper->closed[keeper->closed_count++] = XXH3_64bits(id, strlen(id));
	qsort(keeper->closed, keeper->closed_count, sizeof *keeper->closed, number_compare);
}

int keeper_closed_remember(struct keeper *keeper, struct err *err)
{
	struct query *query = NULL;
	json_t *answer = NULL;
	json_t *json = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}], s:[s], s:[{s:s}], s:i}", "kind",
				 "finding", "from", "-90d", "to", "2200-01-01", "filters", "field", "state", "op", "=",
				 "value", "closed", "field", "type", "op", "!=", "value", "livenet", "keys", "id",
				 "aggregates", "op", "count", "limit", 100000);
	int result = json ? query_from_json(json, clock_now_ns(), &query, err) : -ENOMEM;
	json_decref(json);
	if (result == 0)
		result = store_query(keeper->store, query, &answer, err);
	query_free(query);
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(answer, "rows"), i, row)
	{
		const char *id = json_string_value(json_array_get(row, 0));
		if (id)
			closed_add(keeper, id);
	}
	json_decref(answer);
	return result;
}

/* --- putting ------------------------------------------------------------------------------------------------------ */

/* The rows that nobody closed, texts borrowed; NULL: out of memory. */
static struct batch *open_rows(const struct keeper *keeper, const struct batch *batch)
{
	struct batch *open = batch_new(batch->kind, batch->rows);
	for (uint32_t row = 0; open && row < batch->rows; row++) {
		if (is_closed(keeper, &BATCH_COLUMN(batch, struct text, 0)[row]))
			continue;
		for (size_t i = 0; batch->kind->columns[i].name; i++) {
			size_t width = column_width(batch->kind->columns[i].type);
			memcpy((char *)open->columns[i] + width * open->rows,
			       (const char *)batch->columns[i] + width * row, width);
		}
		open->rows++;
	}
	return open;
}

static int owe(struct keeper *keeper, const struct batch *batch)
{
	if (!keeper->owed && !(keeper->owed = batch_new(&record_finding, OWED_MAX)))
		return -ENOMEM;
	return keeper->owed->rows < OWED_MAX ? batch_append(keeper->owed, batch, NULL) : 0;
}

static int findings_store(struct keeper *keeper, const struct batch *batch, struct err *err)
{
	for (uint32_t row = 0; row < batch->rows; row++)
		keeper_live_finding(keeper, batch, row);
	atomic_fetch_add(&keeper->findings_made, batch->rows);
	int result = store_put(keeper->store, batch, err);
	keeper_notices_offer(keeper->notices, batch);
	if (result != -ENOSPC)
		return result < 0 ? result : 0;
	pthread_mutex_lock(&keeper->owed_lock);
	result = owe(keeper, batch);
	pthread_mutex_unlock(&keeper->owed_lock);
	return result;
}

int keeper_findings_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct keeper *keeper = (struct keeper *)((char *)sink - offsetof(struct keeper, findings));
	pthread_mutex_lock(&keeper->owed_lock);
	struct batch *open = keeper->closed_count ? open_rows(keeper, batch) : NULL;
	bool filtered = keeper->closed_count > 0;
	pthread_mutex_unlock(&keeper->owed_lock);
	if (filtered && !open)
		return err_set(err, -ENOMEM, "no memory for findings");
	int result = findings_store(keeper, open ? open : batch, err);
	batch_free(open);
	return result;
}

void keeper_owed_put(struct keeper *keeper)
{
	struct err err = {""};
	pthread_mutex_lock(&keeper->owed_lock);
	if (keeper->owed && keeper->owed->rows && store_put(keeper->store, keeper->owed, &err) == 0)
		batch_clear(keeper->owed);
	pthread_mutex_unlock(&keeper->owed_lock);
}

/* --- closing ------------------------------------------------------------------------------------------------------ */

static int value_put(struct batch *batch, size_t i, const json_t *value, struct err *err)
{
	const struct column *column = &batch->kind->columns[i];
	char *text = NULL;
	int code;
	switch (column->type) {
	case COLUMN_TIME:
		return time_parse(json_string_value(value) ? json_string_value(value) : "", 0,
				  BATCH_COLUMN(batch, int64_t, i), err);
	case COLUMN_CODE:
		code = json_string_value(value) ? code_by_name(column->codes, json_string_value(value)) : -1;
		BATCH_COLUMN(batch, uint8_t, i)[0] = code < 0 ? 0 : (uint8_t)code;
		return 0;
	case COLUMN_U8: /* `ended` */
		BATCH_COLUMN(batch, uint8_t, i)[0] = json_is_true(value);
		return 0;
	case COLUMN_U16:
		BATCH_COLUMN(batch, uint16_t, i)[0] = (uint16_t)json_integer_value(value);
		return 0;
	case COLUMN_U32:
		BATCH_COLUMN(batch, uint32_t, i)[0] = (uint32_t)json_integer_value(value);
		return 0;
	case COLUMN_U64:
		BATCH_COLUMN(batch, uint64_t, i)[0] = (uint64_t)json_integer_value(value);
		return 0;
	case COLUMN_F64:
		BATCH_COLUMN(batch, double, i)[0] = json_number_value(value);
		return 0;
	case COLUMN_JSON:
		text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
		BATCH_COLUMN(batch, struct text, i)
		[0] = text ? batch_text(batch, text, strlen(text)) : (struct text){0};
		free(text);
		return text ? 0 : err_set(err, -ENOMEM, "no memory for a finding");
	default:
		BATCH_COLUMN(batch, struct text, i)
		[0] = batch_text(batch, json_string_value(value), json_string_length(value));
		return BATCH_COLUMN(batch, struct text, i)[0].bytes ? 0 : err_set(err, -ENOMEM, "no memory");
	}
}

int keeper_finding_batch(const json_t *finding, struct batch **ret_batch, struct err *err)
{
	struct batch *batch = batch_new(&record_finding, 1);
	int result = batch ? 0 : err_set(err, -ENOMEM, "no memory for a finding");
	for (size_t i = 0; record_finding.columns[i].name && result == 0; i++)
		result = value_put(batch, i, json_object_get(finding, record_finding.columns[i].name), err);
	if (result < 0) {
		batch_free(batch);
		return result;
	}
	batch->rows = 1;
	*ret_batch = batch;
	return 0;
}

static int finding_close(struct keeper *keeper, json_t *finding, const char *who, const char *reason, struct err *err)
{
	char now[TIME_TEXT_BYTES];
	const char *id = json_string_value(json_object_get(finding, "id"));
	const char *type = json_string_value(json_object_get(finding, "type"));
	struct batch *batch = NULL;
	time_format(clock_now_ns(), now);
	json_object_del(json_object_get(finding, "ground"), "command"); /* what the API adds */
	json_object_set_new(json_object_get(finding, "ground"), "closed",
			    json_pack("{s:s, s:s, s:s}", "by", who, "time", now, "reason", reason));
	json_object_set_new(finding, "time", json_string(now));
	json_object_set_new(finding, "ended", json_true());
	json_object_set_new(finding, "state", json_string(finding_state_names[STATE_CLOSED]));
	int result = id && type ? keeper_finding_batch(finding, &batch, err) : -EINVAL;
	if (result < 0)
		return result;
	if (strcmp(type, finding_type_names[FINDING_LIVENET]) == 0) {
		alerts_forget(keeper->alerts, id);
	} else {
		pthread_mutex_lock(&keeper->owed_lock);
		closed_add(keeper, id);
		pthread_mutex_unlock(&keeper->owed_lock);
	}
	result = findings_store(keeper, batch, err);
	batch_free(batch);
	return result;
}

int keeper_findings_close(struct keeper *keeper, json_t *findings, const char *who, const char *reason, struct err *err)
{
	int result = 0;
	json_t *finding;
	size_t i;
	json_array_foreach(findings, i, finding) if (result == 0) result =
		finding_close(keeper, finding, who, reason, err);
	return result == 0 ? store_flush_urgent(keeper->store, err) : result;
}
