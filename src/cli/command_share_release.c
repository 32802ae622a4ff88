/* yagura share propose, release, receipts: what goes out to groups, and who was given it. */
#include "cli/command_share_groups.h"

#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec share_propose_option_table[] = {
	{"to", OPTION_TEXTS, OPTION_AT(struct share_propose_options, to), .argument = "GROUP",
	 .help = "the groups it is for; may be given again", .help_ja = "公開先のグループ。複数指定可"},
	{"what", OPTION_CHOICE, OPTION_AT(struct share_propose_options, what), "value",
	 .choices = "value|finding|indicator", .help = "what the operand is: a value, or the id of something",
	 .help_ja = "引数の種類(値、検知の ID、指標の ID)"},
	{"tlp", OPTION_CHOICE, OPTION_AT(struct share_propose_options, tlp), "amber",
	 .choices = "clear|green|amber|amber+strict|red", .help = "how far it may go; an indicator keeps its own",
	 .help_ja = "取扱区分。指標はもとの区分のまま"},
	{"confidence", OPTION_INT, OPTION_AT(struct share_propose_options, confidence), "70", .max = 100,
	 .argument = "N", .help = "how sure it is", .help_ja = "確度"},
	{"title", OPTION_TEXT, OPTION_AT(struct share_propose_options, title), .argument = "TEXT",
	 .help = "what it is; goes out with it", .help_ja = "題名(一緒に公開される)"},
	{"note", OPTION_TEXT, OPTION_AT(struct share_propose_options, note), .argument = "TEXT",
	 .help = "for who decides; does not go out", .help_ja = "承認者への説明(公開されない)"},
	{"originator", OPTION_TEXT, OPTION_AT(struct share_propose_options, originator), .argument = "MEMBER",
	 .help = "the member that brought it", .help_ja = "提供した組織"},
	{"anonymous", OPTION_FLAG, OPTION_AT(struct share_propose_options, anonymous),
	 .help = "who brought it is known to operators alone", .help_ja = "提供者を運用者以外に示さない"},
	{NULL},
};
#define STATE_CHOICES "any|proposed|released|refused|withdrawn"
static const char *const states[] = {"", "proposed", "released", "refused", "withdrawn"};
static const char *const whats[] = {"value", "finding", "indicator"};
static const char *const tlps[] = {"clear", "green", "amber", "amber+strict", "red"};

const struct option_spec share_release_option_table[] = {
	{"state", OPTION_CHOICE, OPTION_AT(struct share_release_options, state), "any", .choices = STATE_CHOICES,
	 .help = "list only those", .help_ja = "この状態のものだけを一覧する"},
	{"preview", OPTION_TEXT, OPTION_AT(struct share_release_options, preview), .argument = "DIGEST",
	 .help = "release it; the digest is that of what was looked at",
	 .help_ja = "公開する。確認した内容の要約値を示す"},
	{"acknowledged", OPTION_FLAG, OPTION_AT(struct share_release_options, acknowledged),
	 .help = "the audience that is warned of is meant", .help_ja = "警告された公開先でよい"},
	{"refuse", OPTION_FLAG, OPTION_AT(struct share_release_options, refuse), .help = "do not release it",
	 .help_ja = "却下する"},
	{"withdraw", OPTION_FLAG, OPTION_AT(struct share_release_options, withdraw), .help = "take it back",
	 .help_ja = "取り下げる"},
	{"note", OPTION_TEXT, OPTION_AT(struct share_release_options, note), .argument = "TEXT", .help = "why so",
	 .help_ja = "判断の理由"},
	{NULL},
};
const struct option_spec share_receipts_option_table[] = {
	{"limit", OPTION_INT, OPTION_AT(struct share_receipts_options, limit), "50", .min = 1, .max = 500,
	 .argument = "N", .help = "at most so many, the newest", .help_ja = "新しい順に最大この件数"},
	{NULL},
};

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));
	return text ? text : "";
}

static void preview_print(const json_t *preview)
{
	static const char *const fields[] = {"key", "name", "kind", "sector", NULL};
	const json_t *members = json_object_get(preview, "members");
	json_int_t count = json_integer_value(json_object_get(preview, "count"));
	json_t *warning;
	size_t i;
	printf("\n%lld members would see it, up to TLP:%s\n", (long long)count, text_of(preview, "tlp"));
	share_table(members, fields);
	if ((json_int_t)json_array_size(members) < count)
		printf("and %lld more\n", (long long)count - (long long)json_array_size(members));
	json_array_foreach(json_object_get(preview, "warnings"), i, warning)
	{
		printf("warning: %s%s%s%s\n", text_of(warning, language_is_japanese() ? "message_ja" : "message"),
		       text_of(warning, "detail")[0] ? " (" : "", text_of(warning, "detail"),
		       text_of(warning, "detail")[0] ? ")" : "");
	}
	printf("to release it: --preview %s%s\n", text_of(preview, "digest"),
	       json_array_size(json_object_get(preview, "warnings")) ? " --acknowledged" : "");
}

static void release_print(const json_t *release)
{
	static const char *const fields[] = {"id",         "state",    "kind",    "value",         "tlp",
					     "confidence", "title",    "note",    "anonymous",     "proposer",
					     "proposed",   "releaser", "decided", "decision_note", "object"};
	const json_t *originator = json_object_get(release, "originator");
	json_t *group;
	size_t i;
	for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
		const json_t *value = json_object_get(release, fields[f]);
		char buffer[64];
		if (value && !json_is_null(value))
			printf("%-13s %s\n", fields[f], table_cell(value, buffer, sizeof buffer));
	}
	if (json_is_object(originator))
		printf("%-13s %s (%s)\n", "originator", text_of(originator, "name"), text_of(originator, "key"));
	printf("%-13s", "groups");
	json_array_foreach(json_object_get(release, "groups"), i, group)
	{
		printf(" %s", json_string_value(group));
	}
	printf("\n");
	if (json_object_get(release, "preview"))
		preview_print(json_object_get(release, "preview"));
}

static void release_say(const struct common_options *common, const json_t *release)
{
	if (common->json)
		share_json_out(release);
	else
		release_print(release);
}

int command_share_propose(const struct command_call *call, struct err *err)
{
	const struct share_propose_options *options = call->options;
	json_t *groups = json_array(), *answer = NULL;
	if (call->operand_count != 1 || options->to.count == 0) {
		json_decref(groups);
		return err_set(err, EXIT_USAGE, "what is shared, and --to GROUP, were expected");
	}
	for (size_t i = 0; i < options->to.count; i++)
		json_array_append_new(groups, json_string(options->to.items[i]));
	json_t *body = json_pack("{s:s, s:o, s:s, s:I, s:b, s:s*, s:s*, s:s*}", whats[options->what], call->operands[0],
				 "groups", groups, "tlp", tlps[options->tlp], "confidence",
				 (json_int_t)options->confidence, "anonymous", (int)options->anonymous, "title",
				 options->title, "note", options->note, "originator", options->originator);
	int result = body ? share_ask(&options->place, "POST", "/releases", body, &answer, err)
			  : err_set(err, -EINVAL, "texts in UTF-8 were expected");
	json_decref(body);
	if (result == 0)
		release_say(&options->common, answer);
	json_decref(answer);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int releases_list(const struct share_release_options *options, struct err *err)
{
	static const char *const fields[] = {"id", "state", "value", "tlp", "groups", "proposer", "proposed", NULL};
	char path[64];
	json_t *answer = NULL;
	snprintf(path, sizeof path, "/releases?limit=500&state=%s", states[options->state]);
	int result = share_ask(&options->place, "GET", path, NULL, &answer, err);
	const json_t *releases = json_object_get(answer, "releases");
	if (result == 0 && options->common.json)
		share_json_out(releases);
	else if (result == 0)
		share_table(releases, fields);
	json_decref(answer);
	return result;
}

int command_share_release(const struct command_call *call, struct err *err)
{
	const struct share_release_options *options = call->options;
	const char *decision = options->refuse     ? "refused"
			       : options->withdraw ? "withdrawn"
			       : options->preview  ? "released"
						   : NULL;
	char path[128], *escaped;
	json_t *answer = NULL, *body = NULL;
	if (call->operand_count > 1 || (call->operand_count == 0 && decision) ||
	    options->refuse + options->withdraw + (options->preview != NULL) > 1)
		return err_set(
			err, EXIT_USAGE,
			"the id of a release, and at most one of --preview, --refuse, --withdraw, were expected");
	if (call->operand_count == 0)
		return releases_list(options, err) < 0 ? EXIT_FAILED : EXIT_DONE;
	escaped = hub_escape(call->operands[0]);
	snprintf(path, sizeof path, "/releases/%.64s%s", escaped ? escaped : "", decision ? "/decide" : "");
	free(escaped);
	if (decision)
		body = json_pack("{s:s, s:s*, s:b, s:s*}", "decision", decision, "preview", options->preview,
				 "acknowledged", (int)options->acknowledged, "note", options->note);
	int result = share_ask(&options->place, decision ? "POST" : "GET", path, body, &answer, err);
	json_decref(body);
	if (result == 0)
		release_say(&options->common, answer);
	json_decref(answer);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* What lies within "detail" beside the rest, so that it is a table. */
static void receipts_print(const json_t *receipts)
{
	static const char *const fields[] = {"time",   "actor",   "name", "subject", "way",
					     "filter", "objects", "most", NULL};
	json_t *receipt;
	size_t i;
	json_array_foreach(receipts, i, receipt)
	{
		json_object_update(receipt, json_object_get(receipt, "detail"));
	}
	share_table(receipts, fields);
}

int command_share_receipts(const struct command_call *call, struct err *err)
{
	const struct share_receipts_options *options = call->options;
	char path[64];
	json_t *answer = NULL;
	if (call->operand_count > 0)
		return err_set(err, EXIT_USAGE, "no operand was expected");
	snprintf(path, sizeof path, "/receipts?limit=%d", (int)options->limit);
	int result = share_ask(&options->place, "GET", path, NULL, &answer, err);
	const json_t *receipts = json_object_get(answer, "receipts");
	if (result == 0 && options->common.json)
		share_json_out(receipts);
	else if (result == 0)
		receipts_print(receipts);
	json_decref(answer);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
