/* Findings, as objects. */
#include "hub/api_answer.h"

#include "core/clock.h"
#include "hub/keeper.h"

#include <errno.h>
#include <string.h>

json_t *answer_objects(const json_t *answer)
{
	const json_t *columns = json_object_get(answer, "columns"), *rows = json_object_get(answer, "rows");
	json_t *objects = json_array();
	for (size_t r = 0; r < json_array_size(rows); r++) {
		json_t *object = json_object();
		for (size_t c = 0; c < json_array_size(columns); c++) {
			const char *name = json_string_value(json_object_get(json_array_get(columns, c), "name"));
			json_t *value = json_array_get(json_array_get(rows, r), c);
			if (strcmp(name, "ended") == 0)
				json_object_set_new(object, name, json_boolean(json_integer_value(value) != 0));
			else
				json_object_set(object, name, value);
			/* What derives it again, under the name that pages look for. */
			json_t *derive = strcmp(name, "ground") == 0 ? json_object_get(value, "derive") : NULL;
			if (derive && !json_object_get(value, "command"))
				json_object_set(value, "command", derive);
		}
		json_array_append_new(objects, object);
	}
	return objects;
}

static json_t *finding_query(const char *from, json_t *filters, unsigned limit)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:[{s:s, s:b}], s:i}", "kind", "finding", "from", from, "to",
			 "2200-01-01T00:00:00Z", "filters", filters, "order", "by", "time", "descending", 1, "limit",
			 (int)limit);
}

int api_findings_get(struct api_call *call, struct err *err)
{
	char text[64], from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	int64_t from_ns, to_ns;
	int result = api_argument_time(call, "from", "1970-01-01", &from_ns, err);
	if (result == 0)
		result = api_argument_time(call, "to", "2200-01-01", &to_ns, err);
	if (result < 0)
		return result;
	json_t *filters = json_array(), *answer = NULL;
	if (api_argument(call, "type", text, sizeof text))
		json_array_append_new(filters, json_pack("{s:s, s:s, s:s}", "field", "type", "op", "=", "value", text));
	if (api_argument(call, "subject", text, sizeof text))
		json_array_append_new(filters,
				      json_pack("{s:s, s:s, s:s}", "field", "subject", "op", "=", "value", text));
	if (api_argument(call, "active", text, sizeof text) && strcmp(text, "0") != 0)
		json_array_append_new(filters, json_pack("{s:s, s:s, s:i}", "field", "ended", "op", "=", "value", 0));
	json_t *query =
		finding_query(time_format(from_ns, from), filters, api_argument_number(call, "limit", 100, 10000));
	json_object_set_new(query, "to", json_string(time_format(to_ns, to)));
	result = api_ask(call, query, &answer, err);
	if (result < 0)
		return result;
	json_t *findings = answer_objects(answer);
	json_decref(answer);
	return api_json(call, 200, json_pack("{s:o}", "findings", findings));
}

int finding_ask(struct api_call *call, const char *field, const char *value, unsigned limit, json_t **ret_findings,
		struct err *err)
{
	json_t *answer = NULL;
	json_t *filters = json_pack("[{s:s, s:s, s:s}]", "field", field, "op", "=", "value", value);
	int result = filters ? api_ask(call, finding_query("1970-01-01", filters, limit), &answer, err)
			     : err_set(err, -EINVAL, "%s: text in UTF-8 was expected", field);
	if (result < 0)
		return result;
	*ret_findings = answer_objects(answer);
	json_decref(answer);
	return 0;
}

int api_finding_get(struct api_call *call, struct err *err)
{
	json_t *findings = NULL;
	int result = finding_ask(call, "id", call->part, 1, &findings, err);
	if (result < 0)
		return result;
	json_t *finding = json_incref(json_array_get(findings, 0));
	json_decref(findings);
	return finding ? api_json(call, 200, finding)
		       : err_set(err, -ENOENT, "there is no finding '%.64s'", call->part);
}

json_t *answer_cell(const json_t *answer, size_t row, size_t column)
{
	return json_array_get(json_array_get(json_object_get(answer, "rows"), row), column);
}
