/* Findings, as objects; their evidence; closing them. What concerns a member is shown to its own people and to those
 * who work here, who are written down (audit_look), and to no guest.
 */
#include "hub/api_answer.h"

#include "core/clock.h"
#include "hub/api_audit.h"
#include "hub/keeper.h"
#include "wire/pcap_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_BYTES_MAX = 1000, LINK_TYPE_RAW = 101 };

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

static void filter_add(json_t *filters, const char *field, const char *op, json_t *value)
{
	json_array_append_new(filters, json_pack("{s:s, s:s, s:o}", "field", field, "op", op, "value", value));
}

/* Whom findings about members are for: the member's own people see theirs, a guest none. */
static void filter_own(const struct api_call *call, json_t *filters)
{
	if (call->role == ROLE_MEMBER)
		filter_add(filters, "member", "=", json_integer(call->user.member));
	else if (!call->known)
		filter_add(filters, "member", "=", json_integer(0));
}

static int look(struct api_call *call, json_int_t member, struct err *err)
{
	return member == 0 || call->role == ROLE_MEMBER ? 0 : audit_look(call, member, err);
}

/* "high,medium": either. */
static void filter_words(json_t *filters, const char *field, char *text)
{
	if (!strchr(text, ',') || strcmp(field, "subject") == 0) {
		filter_add(filters, field, "=", json_string(text));
		return;
	}
	json_t *words = json_array();
	for (char *rest = text, *word; (word = strsep(&rest, ","));)
		json_array_append_new(words, json_string(word));
	filter_add(filters, field, "in", words);
}

static int filters_from(struct api_call *call, json_t *filters, struct err *err)
{
	static const char *const names[] = {"type", "subject", "severity", "verdict", "state", "rule"};
	char text[128], *end;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (api_argument(call, names[i], text, sizeof text) && text[0])
			filter_words(filters, names[i], text);
	if (api_argument(call, "text", text, sizeof text) && text[0])
		filter_add(filters, "subject", "like", json_sprintf("%%%s%%", text));
	if (api_argument(call, "active", text, sizeof text) && strcmp(text, "0") != 0)
		filter_add(filters, "ended", "=", json_integer(0));
	filter_own(call, filters);
	if (!api_argument(call, "member", text, sizeof text) || !text[0])
		return 0;
	unsigned long member = strtoul(text, &end, 10);
	if (*end || member > UINT32_MAX)
		return err_set(err, -EINVAL, "member: '%.32s' was given, a member's number was expected", text);
	filter_add(filters, "member", "=", json_integer((json_int_t)member));
	return look(call, (json_int_t)member, err);
}

int api_findings_get(struct api_call *call, struct err *err)
{
	char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	int64_t from_ns, to_ns;
	int result = api_argument_time(call, "from", "1970-01-01", &from_ns, err);
	if (result == 0)
		result = api_argument_time(call, "to", "2200-01-01", &to_ns, err);
	if (result < 0)
		return result;
	json_t *filters = json_array(), *answer = NULL;
	result = filters_from(call, filters, err);
	if (result < 0) {
		json_decref(filters);
		return result;
	}
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
	if (filters)
		filter_own(call, filters);
	int result = filters ? api_ask(call, finding_query("1970-01-01", filters, limit), &answer, err)
			     : err_set(err, -EINVAL, "%s: text in UTF-8 was expected", field);
	if (result < 0)
		return result;
	*ret_findings = answer_objects(answer);
	json_decref(answer);
	return 0;
}

/* The finding that the path names, if it is for the asker. */
static int finding_of_part(struct api_call *call, json_t **ret_finding, struct err *err)
{
	json_t *findings = NULL;
	int result = finding_ask(call, "id", call->part, 1, &findings, err);
	if (result < 0)
		return result;
	json_t *finding = json_incref(json_array_get(findings, 0));
	json_decref(findings);
	if (!finding)
		return err_set(err, -ENOENT, "there is no finding '%.64s'", call->part);
	result = look(call, json_integer_value(json_object_get(finding, "member")), err);
	if (result < 0)
		json_decref(finding);
	else
		*ret_finding = finding;
	return result;
}

int api_finding_get(struct api_call *call, struct err *err)
{
	json_t *finding = NULL;
	int result = finding_of_part(call, &finding, err);
	return result < 0 ? result : api_json(call, 200, finding);
}

/* --- closing ----------------------------------------------------------------------------------------------------- */

static int reason_read(const json_t *body, const char **ret_reason, struct err *err)
{
	*ret_reason = json_string_value(json_object_get(body, "reason"));
	if (!*ret_reason || !(*ret_reason)[0] || strlen(*ret_reason) > REASON_BYTES_MAX)
		return err_set(err, -EINVAL, "reason: why it is closed was expected, in at most %d bytes",
			       REASON_BYTES_MAX);
	return 0;
}

static int is_open(const json_t *finding, struct err *err)
{
	const json_t *closed = json_object_get(json_object_get(finding, "ground"), "closed");
	const char *before = json_string_value(json_object_get(closed, "by"));
	return closed ? err_set(err, -EEXIST, "it was closed already, by '%.64s'", before ? before : "") : 0;
}

int api_finding_close(struct api_call *call, struct err *err)
{
	json_t *finding = NULL, *body = NULL, *findings = json_array();
	const char *reason = NULL;
	int result = finding_of_part(call, &finding, err);
	if (result == 0 && call->body_bytes)
		result = api_body(call, &body, err);
	if (result == 0)
		result = reason_read(body, &reason, err);
	if (result == 0)
		result = is_open(finding, err);
	json_array_append(findings, finding);
	if (result == 0)
		result = keeper_findings_close(call->keeper, findings, call->user.name, reason, err);
	json_decref(findings);
	json_decref(body);
	if (result == 0)
		return api_json(call, 200, finding);
	json_decref(finding);
	return result;
}

static int ids_read(const json_t *body, json_t **ret_ids, struct err *err)
{
	json_t *ids = json_object_get(body, "ids"), *id;
	size_t i, count = json_array_size(ids);
	json_array_foreach(ids, i, id) if (!json_is_string(id)) count = 0;
	*ret_ids = ids;
	if (count == 0 || count > LIMIT_FINDINGS_CLOSED)
		return err_set(err, -EINVAL, "ids: an array of 1 to %d ids of findings was expected",
			       LIMIT_FINDINGS_CLOSED);
	return 0;
}

static void refuse_one(json_t *refused, const char *id, const char *message, const char *message_ja)
{
	json_array_append_new(refused,
			      json_pack("{s:s, s:s, s:s}", "id", id, "message", message, "message_ja", message_ja));
}

/* Sorts those that are asked for into what can be closed and what cannot, and writes each down. */
static int closing_sort(struct api_call *call, json_t *ids, const json_t *found, const char *reason, json_t *findings,
			json_t *refused, struct err *err)
{
	json_t *by_id = json_object(), *finding, *id;
	int result = 0;
	size_t i;
	json_array_foreach(found, i, finding)
		json_object_set(by_id, json_string_value(json_object_get(finding, "id")), finding);
	json_array_foreach(ids, i, id)
	{
		struct err why = {""};
		const char *name = json_string_value(id);
		finding = json_object_get(by_id, name);
		if (!finding) {
			refuse_one(refused, name, "there is no such finding", "その検知はありません");
		} else if (is_open(finding, &why) < 0) {
			refuse_one(refused, name, why.text, "すでに終結しています");
		} else if (result == 0) {
			json_array_append(findings, finding);
			result = audit_part(call, "POST /findings/{id}/close", name,
					    json_integer_value(json_object_get(finding, "member")),
					    json_pack("{s:s}", "reason", reason), err);
		}
		json_object_del(by_id, name); /* asked for twice, it is closed once */
	}
	json_decref(by_id);
	return result;
}

int api_findings_close(struct api_call *call, struct err *err)
{
	json_t *body = NULL, *ids = NULL, *answer = NULL, *filters = json_array(), *findings = json_array(),
	       *refused = json_array();
	const char *reason = NULL;
	int result = api_body(call, &body, err);
	if (result == 0)
		result = reason_read(body, &reason, err);
	if (result == 0)
		result = ids_read(body, &ids, err);
	if (result == 0) {
		filter_add(filters, "id", "in", json_incref(ids));
		filter_own(call, filters);
		result = api_ask(call, finding_query("1970-01-01", json_incref(filters), LIMIT_FINDINGS_CLOSED),
				 &answer, err);
	}
	json_t *found = result == 0 ? answer_objects(answer) : NULL;
	if (result == 0)
		result = closing_sort(call, ids, found, reason, findings, refused, err);
	if (result == 0 && json_array_size(findings))
		result = keeper_findings_close(call->keeper, findings, call->user.name, reason, err);
	size_t closed = json_array_size(findings);
	json_decref(found);
	json_decref(answer);
	json_decref(filters);
	json_decref(findings);
	json_decref(body);
	if (result == 0)
		return api_json(call, 200, json_pack("{s:i, s:o}", "closed", (int)closed, "refused", refused));
	json_decref(refused);
	return result;
}

/* --- evidence ---------------------------------------------------------------------------------------------------- */

struct evidence_walk {
	struct api_call *call;
	size_t bytes;
};

static int evidence_add(void *context, const void *records, size_t bytes)
{
	struct evidence_walk *walk = context;
	walk->bytes += bytes;
	return walk->bytes > LIMIT_EVIDENCE_BYTES ? 1 : api_add(walk->call, records, bytes);
}

/* What of a finding says whose packets are its evidence. */
static int evidence_wanted(const json_t *finding, struct store_evidence *wanted, struct err *err)
{
	const char *first, *last, *direction;
	const char *address = json_string_value(json_object_get(finding, "subject"));
	if (json_unpack((json_t *)(uintptr_t)finding, "{s:s, s:s, s:{s:s}}", "first", &first, "last", &last, "ground",
			"direction", &direction) < 0 ||
	    !address)
		return err_set(err, -ENOENT, "no packets were kept of this finding: it is none of livenet");
	*wanted =
		(struct store_evidence){.attacked = strcmp(direction, "victim") == 0, .rows_max = LIMIT_EVIDENCE_ROWS};
	int result = addr_parse(address, &wanted->address, err);
	if (result == 0)
		result = time_parse(first, 0, &wanted->from_ns, err);
	return result == 0 ? time_parse(last, 0, &wanted->to_ns, err) : result;
}

int api_finding_evidence(struct api_call *call, struct err *err)
{
	json_t *finding = NULL;
	struct store_evidence wanted;
	char disposition[128], address[ADDR_TEXT_BYTES];
	uint8_t head[PCAP_HEADER_BYTES];
	int result = finding_of_part(call, &finding, err);
	if (result == 0)
		result = evidence_wanted(finding, &wanted, err);
	json_decref(finding);
	if (result < 0)
		return result;
	addr_format(&wanted.address, address);
	for (char *at = address; *at; at++)
		*at = *at == ':' ? '-' : *at;
	snprintf(disposition, sizeof disposition, "attachment; filename=\"yagura-evidence-%s.pcap\"", address);
	if (!api_download_begin(call))
		return err_set(err, -EBUSY, "too many downloads at a time; try again soon");
	struct evidence_walk walk = {.call = call};
	result = api_begin(call, 200, "application/vnd.tcpdump.pcap", disposition);
	if (result == 0)
		result = api_add(call, head, pcap_write_header(head, LINK_TYPE_RAW, 65535, true));
	if (result == 0)
		result = store_evidence(call->keeper->store, &wanted, evidence_add, &walk, err);
	api_download_end(call);
	return result > 0 ? 0 : result;
}

json_t *answer_cell(const json_t *answer, size_t row, size_t column)
{
	return json_array_get(json_array_get(json_object_get(answer, "rows"), row), column);
}
