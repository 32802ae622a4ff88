/* yagura finding list, show, close. See command_finding.h.
 *
 * A finding is closed through a hub alone: it is the hub that keeps a detector from saying the same again, and that
 * writes down who closed it.
 */
#include "cli/command_finding.h"

#include "cli/command_share_groups.h"
#include "cli/data.h"
#include "core/clock.h"
#include "hub/api_answer.h"
#include "store/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_CHOICES "any|victim|scanner|campaign|new_port|change_point|intake|livenet"
#define SEVERITY_CHOICES "any|info|low|medium|high"
#define STATE_CHOICES "open|new|continuing|ended|closed|any"
#define VERDICT_CHOICES "any|infected|victim|misconfigured|spoofed"
enum { STATE_OPEN = 0 };
static const char *const states[] = {"open", "new", "continuing", "ended", "closed", NULL};

const struct option_spec finding_list_option_table[] = {
	{"type", OPTION_CHOICE, OPTION_AT(struct finding_list_options, type), "any", .choices = TYPE_CHOICES,
	 .help = "only findings of this type", .help_ja = "この種類だけ"},
	{"severity", OPTION_CHOICE, OPTION_AT(struct finding_list_options, severity), "any",
	 .choices = SEVERITY_CHOICES, .help = "only those of this severity", .help_ja = "この重大度だけ"},
	{"state", OPTION_CHOICE, OPTION_AT(struct finding_list_options, state), "open", .choices = STATE_CHOICES,
	 .help = "only those in this state; open: neither ended nor closed",
	 .help_ja = "この状態だけ(open は終息も終了もしていないもの)"},
	{"verdict", OPTION_CHOICE, OPTION_AT(struct finding_list_options, verdict), "any", .choices = VERDICT_CHOICES,
	 .help = "livenet: only those with this verdict", .help_ja = "livenet の判定がこれのものだけ"},
	{"member", OPTION_TEXT, OPTION_AT(struct finding_list_options, member), .argument = "KEY",
	 .help = "only those of this member", .help_ja = "この組織のものだけ"},
	{"subject", OPTION_TEXT, OPTION_AT(struct finding_list_options, subject), .argument = "ADDRESS",
	 .help = "only those about this address, port or name",
	 .help_ja = "この対象(アドレス、ポート、名前)のものだけ"},
	{"rule", OPTION_TEXT, OPTION_AT(struct finding_list_options, rule), .argument = "RULE",
	 .help = "only those that this rule made", .help_ja = "この規則が作ったものだけ"},
	{"from", OPTION_TEXT, OPTION_AT(struct finding_list_options, from), .argument = "TIME",
	 .help = "changed from this instant on: RFC 3339, or back from now as -24h",
	 .help_ja = "この時刻以降に変わったもの(RFC 3339、または -24h のように)"},
	{"to", OPTION_TEXT, OPTION_AT(struct finding_list_options, to), .argument = "TIME",
	 .help = "changed before this instant", .help_ja = "この時刻より前に変わったもの"},
	{"limit", OPTION_INT, OPTION_AT(struct finding_list_options, limit), "100", .min = 1, .max = 10000,
	 .argument = "N", .help = "at most so many, the newest", .help_ja = "新しいものから最大この件数"},
	{NULL},
};
const struct option_spec finding_close_option_table[] = {
	{"reason", OPTION_TEXT, OPTION_AT(struct finding_close_options, reason), .argument = "TEXT",
	 .help = "why it is closed; stands in the finding and in the audit log",
	 .help_ja = "終了の理由。検知と監査記録に残る"},
	{NULL},
};

/* --- asking ------------------------------------------------------------------------------------------------------- */

struct finding_filter {
	const char *field, *value;
};
enum { FILTERS = 7 };

static void filters_of(const struct finding_list_options *options, struct finding_filter filters[FILTERS])
{
	const struct finding_filter all[FILTERS] = {
		{"type", options->type ? finding_type_names[options->type - 1] : NULL},
		{"severity", options->severity ? severity_names[options->severity - 1] : NULL},
		{"state", options->state == STATE_OPEN ? NULL : states[options->state]},
		{"verdict", options->verdict ? livenet_verdict_names[options->verdict] : NULL},
		{"subject", options->subject},
		{"rule", options->rule},
		{NULL, NULL},
	};
	memcpy(filters, all, sizeof all);
}

static int list_ask(const struct finding_list_options *options, const struct hub_address *hub, json_t **ret_findings,
		    struct err *err)
{
	struct finding_filter filters[FILTERS];
	char path[4096];
	json_t *answer = NULL, *member = NULL;
	int result = 0;
	filters_of(options, filters);
	snprintf(path, sizeof path, "/findings?limit=%lld%s", (long long)options->limit,
		 options->state == STATE_OPEN ? "&active=1" : "");
	for (size_t i = 0; filters[i].field; i++)
		hub_path_add(path, sizeof path, filters[i].field, filters[i].value);
	hub_path_add(path, sizeof path, "from", options->from);
	hub_path_add(path, sizeof path, "to", options->to);
	if (options->member) {
		char *key = hub_escape(options->member), of_member[1024];
		snprintf(of_member, sizeof of_member, "/members/%s", key ? key : "");
		free(key);
		result = hub_request(hub, "GET", of_member, NULL, &member, err);
		size_t used = strlen(path);
		snprintf(path + used, sizeof path - used, "&member=%lld",
			 (long long)json_integer_value(json_object_get(member, "id")));
		json_decref(member);
	}
	if (result == 0)
		result = hub_request(hub, "GET", path, NULL, &answer, err);
	if (result == 0)
		*ret_findings = json_incref(json_object_get(answer, "findings"));
	json_decref(answer);
	return result;
}

/* Of the store in a directory; `filters` is consumed. */
static int store_ask(const char *data, struct pool *pool, json_t *filters, const char *from, const char *to,
		     int64_t limit, json_t **ret_findings, struct err *err)
{
	struct store *store = NULL;
	struct query *query = NULL;
	json_t *answer = NULL;
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:[{s:s, s:b}], s:I}", "kind", "finding", "from",
				 from ? from : "1970-01-01", "to", to ? to : "2200-01-01T00:00:00Z", "filters", filters,
				 "order", "by", "time", "descending", 1, "limit", (json_int_t)limit);
	int result = json ? query_from_json(json, clock_now_ns(), &query, err)
			  : err_set(err, -EINVAL, "text in UTF-8 was expected");
	json_decref(json);
	if (result == 0)
		result = data_store_open(data, pool, &store, err);
	if (result == 0)
		result = store_query(store, query, &answer, err);
	if (result == 0)
		*ret_findings = answer_objects(answer);
	json_decref(answer);
	query_free(query);
	store_close(store);
	return result;
}

static int list_read(const struct finding_list_options *options, struct pool *pool, json_t **ret_findings,
		     struct err *err)
{
	struct finding_filter wanted[FILTERS];
	struct registry *registry = NULL;
	uint32_t member = 0;
	json_t *filters = json_array();
	filters_of(options, wanted);
	for (size_t i = 0; wanted[i].field; i++)
		if (wanted[i].value)
			json_array_append_new(filters, json_pack("{s:s, s:s, s:s}", "field", wanted[i].field, "op", "=",
								 "value", wanted[i].value));
	if (options->state == STATE_OPEN)
		json_array_append_new(filters, json_pack("{s:s, s:s, s:i}", "field", "ended", "op", "=", "value", 0));
	int result = options->member ? member_place_open(&options->place, &registry, err) : 0;
	if (result == 0 && options->member)
		result = registry_member_find(registry, options->member, &member, err);
	registry_close(registry);
	if (result < 0) {
		json_decref(filters);
		return result;
	}
	if (member)
		json_array_append_new(filters, json_pack("{s:s, s:s, s:I}", "field", "member", "op", "=", "value",
							 (json_int_t)member));
	return store_ask(options->place.data, pool, filters, options->from, options->to, options->limit, ret_findings,
			 err);
}

/* Over HTTP an id is a part of the path. */
static void finding_path(const char *id, const char *rest, char *path, size_t bytes)
{
	char *escaped = hub_escape(id);
	snprintf(path, bytes, "/findings/%s%s", escaped ? escaped : "", rest);
	free(escaped);
}

int finding_read(const struct member_place *place, struct pool *pool, const char *id, json_t **ret_finding,
		 struct err *err)
{
	struct hub_address hub;
	char path[1024];
	json_t *findings = NULL;
	if (member_place_hub(place, &hub)) {
		finding_path(id, "", path, sizeof path);
		return hub_request(&hub, "GET", path, NULL, ret_finding, err);
	}
	json_t *filters = json_pack("[{s:s, s:s, s:s}]", "field", "id", "op", "=", "value", id);
	int result = store_ask(place->data, pool, filters, NULL, NULL, 1, &findings, err);
	if (result < 0)
		return result;
	json_t *finding = json_incref(json_array_get(findings, 0));
	json_decref(findings);
	if (!finding)
		return err_set(err, -ENOENT, "there is no finding '%.64s'", id);
	*ret_finding = finding;
	return 0;
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

int command_finding_list(const struct command_call *call, struct err *err)
{
	static const char *const fields[] = {"id",   "type",    "severity", "state", "subject", "verdict",
					     "last", "packets", "member",   "rule",  NULL};
	const struct finding_list_options *options = call->options;
	struct hub_address hub;
	json_t *findings = NULL;
	if (call->operand_count)
		return err_set(err, EXIT_USAGE, "no operand was expected");
	int result = member_place_hub(&options->place, &hub) ? list_ask(options, &hub, &findings, err)
							     : list_read(options, call->pool, &findings, err);
	if (result == 0 && options->common.json)
		share_json_out(findings);
	else if (result == 0)
		share_table(findings, fields);
	json_decref(findings);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

int command_finding_show(const struct command_call *call, struct err *err)
{
	const struct finding_show_options *options = call->options;
	json_t *finding = NULL, *value;
	const char *name;
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE, "the id of one finding was expected");
	if (finding_read(&options->place, call->pool, call->operands[0], &finding, err) < 0)
		return EXIT_FAILED;
	if (options->common.json) {
		share_json_out(finding);
	} else {
		json_object_foreach(finding, name, value)
		{
			char *text = json_is_string(value) ? strdup(json_string_value(value))
							   : json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(1));
			printf("%-13s %s\n", name, text ? text : "");
			free(text);
		}
	}
	json_decref(finding);
	return EXIT_DONE;
}

int command_finding_close(const struct command_call *call, struct err *err)
{
	const struct finding_close_options *options = call->options;
	struct hub_address hub;
	char path[1024];
	json_t *finding = NULL;
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE, "the id of one finding was expected");
	if (!options->reason || !options->reason[0])
		return err_set(err, EXIT_USAGE, "--reason TEXT: why it is closed was expected");
	if (!member_place_hub(&options->place, &hub))
		return err_set(err, EXIT_FAILED, "%s: no hub runs here; a finding is closed through a running hub",
			       options->place.data);
	finding_path(call->operands[0], "/close", path, sizeof path);
	json_t *body = json_pack("{s:s}", "reason", options->reason);
	int result = body ? hub_request(&hub, "POST", path, body, &finding, err)
			  : err_set(err, -EINVAL, "--reason: text in UTF-8 was expected");
	json_decref(body);
	const json_t *closed = json_object_get(json_object_get(finding, "ground"), "closed");
	const char *by = json_string_value(json_object_get(closed, "by"));
	if (result == 0 && options->common.json)
		share_json_out(finding);
	else if (result == 0)
		printf(language_is_japanese() ? "%s: %s が終了しました\n" : "%s: closed by %s\n", call->operands[0],
		       by ? by : "");
	json_decref(finding);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
