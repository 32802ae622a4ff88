/* See command_notice.h. */
#include "cli/command_notice.h"

#include "cli/command_share_groups.h"
#include "cli/paths.h"
#include "cli/table.h"
#include "core/clock.h"
#include "share/messages.h"
#include "share/notice_rules.h"
#include "store/notices_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_AGAIN_US = 100000 };

#define STATE_CHOICES "open|new|continuing|ended|closed|any"
static const char *const states[] = {"open", "new", "continuing", "ended", "closed", NULL};

const struct option_spec notice_list_option_table[] = {
	{"state", OPTION_CHOICE, OPTION_AT(struct notice_list_options, state), "open", .choices = STATE_CHOICES,
	 .help = "only notices in this state; open: all but closed",
	 .help_ja = "この状態の通知だけ(open は終結前のすべて)"},
	{"member", OPTION_TEXT, OPTION_AT(struct notice_list_options, member), .argument = "KEY",
	 .help = "only those of this member", .help_ja = "この組織のものだけ"},
	{"type", OPTION_TEXT, OPTION_AT(struct notice_list_options, type), .argument = "TYPE",
	 .help = "only those about findings of this type", .help_ja = "この種類の検出結果に関するものだけ"},
	{"subject", OPTION_TEXT, OPTION_AT(struct notice_list_options, subject), .argument = "ADDRESS",
	 .help = "only those about this address or name", .help_ja = "このアドレスまたは名前に関するものだけ"},
	{"unacknowledged", OPTION_FLAG, OPTION_AT(struct notice_list_options, unacknowledged),
	 .help = "only those that nobody answered", .help_ja = "まだ確認の返事がないものだけ"},
	{"figures", OPTION_FLAG, OPTION_AT(struct notice_list_options, figures),
	 .help = "how many there were, and how long it took to tell, to answer and to fix",
	 .help_ja = "件数と、通知・確認・解決までにかかった時間を示す"},
	{"bounces", OPTION_FLAG, OPTION_AT(struct notice_list_options, bounces),
	 .help = "contacts that cannot be reached, with the server's answer",
	 .help_ja = "届かない連絡先とサーバーの応答を示す"},
	{"limit", OPTION_INT, OPTION_AT(struct notice_list_options, limit), "100", .min = 1, .max = NOTICE_PAGE_MAX,
	 .argument = "N", .help = "at most so many", .help_ja = "最大この件数"},
	{NULL},
};

const struct option_spec notice_test_option_table[] = {
	{"notices", OPTION_PATH, OPTION_AT(struct notice_test_options, texts), .argument = "DIR",
	 .help = "check the rules and texts of this directory (default: those that come with the program)",
	 .help_ja = "このディレクトリーの規則と文面を検査する(既定は付属のもの)"},
	{"rules", OPTION_PATH, OPTION_AT(struct notice_test_options, rules), .argument = "FILE",
	 .help = "check this file of rules instead", .help_ja = "代わりにこの規則ファイルを検査する"},
	{"wait", OPTION_DURATION, OPTION_AT(struct notice_test_options, wait_ns), "30s", .argument = "TIME",
	 .help = "how long to wait for the answers of servers", .help_ja = "サーバーの応答を待つ時間"},
	{NULL},
};

/* --- list --------------------------------------------------------------------------------------------------------- */

static int list_ask(const struct notice_list_options *options, const struct hub_address *hub, json_t **ret_answer,
		    struct err *err)
{
	char path[4096];
	const char *of = options->figures ? "/figures" : options->bounces ? "/bounces" : "";
	snprintf(path, sizeof path, "/notices%s?limit=%lld%s", of, (long long)options->limit,
		 options->unacknowledged ? "&unacknowledged=1" : "");
	hub_path_add(path, sizeof path, "state", states[options->state]);
	hub_path_add(path, sizeof path, "member", options->member);
	hub_path_add(path, sizeof path, "type", options->type);
	hub_path_add(path, sizeof path, "subject", options->subject);
	return hub_request(hub, "GET", path, NULL, ret_answer, err);
}

static int list_read(const struct notice_list_options *options, struct registry *registry, json_t **ret_answer,
		     struct err *err)
{
	uint32_t member = 0;
	int result = options->member ? registry_member_find(registry, options->member, &member, err) : 0;
	const struct notices_question question = {.member = member,
						  .state = states[options->state],
						  .type = options->type,
						  .subject = options->subject,
						  .limit = (unsigned)options->limit,
						  .unacknowledged = options->unacknowledged};
	if (result < 0)
		return result;
	if (options->figures)
		return notices_figures(registry, member, 0, INT64_MAX, ret_answer, err);
	if (!options->bounces)
		return notices_list(registry, &question, ret_answer, err);
	json_t *bounces = NULL;
	result = notices_bounces(registry, &bounces, err);
	*ret_answer = json_pack("{s:o*}", "bounces", bounces);
	return result;
}

static void figures_print(const json_t *figures)
{
	static const char *const spans[] = {"to_tell", "to_acknowledge", "to_fix"};
	const char *name;
	json_t *value;
	char cell[64];
	json_object_foreach(json_object_get(figures, "notices"), name, value)
		printf("%-14s %s\n", name, table_cell(value, cell, sizeof cell));
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		const json_t *span = json_object_get(figures, spans[i]);
		if (json_integer_value(json_object_get(span, "count")) > 0)
			printf("%-14s median %.1f s, 90 %% within %.1f s, of %lld\n", spans[i],
			       json_number_value(json_object_get(span, "median_s")),
			       json_number_value(json_object_get(span, "p90_s")),
			       (long long)json_integer_value(json_object_get(span, "count")));
	}
}

int command_notice_list(const struct command_call *call, struct err *err)
{
	static const char *const fields[] = {"id",       "state", "member_key", "type",         "verdict", "subject",
					     "severity", "made",  "told",       "acknowledged", "answer",  NULL};
	static const char *const bounce_fields[] = {"member_key", "channel", "address", "since",
						    "times",      "answer",  NULL};
	const struct notice_list_options *options = call->options;
	struct hub_address hub;
	struct registry *registry = NULL;
	json_t *answer = NULL;
	if (call->operand_count)
		return err_set(err, EXIT_USAGE, "no operand was expected");
	bool running = member_place_hub(&options->place, &hub);
	int result =
		running ? list_ask(options, &hub, &answer, err) : member_place_open(&options->place, &registry, err);
	if (result == 0 && !running)
		result = list_read(options, registry, &answer, err);
	registry_close(registry);
	if (result == 0 && options->common.json)
		share_json_out(options->figures   ? answer
			       : options->bounces ? json_object_get(answer, "bounces")
						  : json_object_get(answer, "notices"));
	else if (result == 0 && options->figures)
		figures_print(answer);
	else if (result == 0)
		share_table(json_object_get(answer, options->bounces ? "bounces" : "notices"),
			    options->bounces ? bounce_fields : fields);
	json_decref(answer);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

static void life_print(const json_t *notice)
{
	static const char *const heads[] = {"id",      "state",    "member_key", "member_name",  "type",   "verdict",
					    "subject", "severity", "detector",   "finding",      "first",  "last",
					    "packets", "made",     "told",       "acknowledged", "answer", "reference",
					    "ended",   "closed",   "closed_by"};
	static const char *const message_fields[] = {"id",       "channel", "address", "name", "state",
						     "attempts", "made",    "done",    NULL};
	static const char *const attempt_fields[] = {"message", "number", "time", "result", "code", "answer", NULL};
	static const char *const event_fields[] = {"time", "what", "who", NULL};
	char cell[64];
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		const json_t *value = json_object_get(notice, heads[i]);
		if (value && !json_is_null(value))
			printf("%-14s %s\n", heads[i], table_cell(value, cell, sizeof cell));
	}
	printf("\n");
	share_table(json_object_get(notice, "events"), event_fields);
	printf("\n");
	share_table(json_object_get(notice, "messages"), message_fields);
	printf("\n");
	share_table(json_object_get(notice, "attempts"), attempt_fields);
}

static int number_of(const struct command_call *call, int64_t *ret_id, struct err *err)
{
	char *end = NULL;
	*ret_id = call->operand_count == 1 ? strtoll(call->operands[0], &end, 10) : 0;
	return end && end != call->operands[0] && !*end && *ret_id > 0
		       ? 0
		       : err_set(err, -EINVAL, "the number of a notice was expected");
}

static void notice_out(const json_t *notice, bool json)
{
	if (json)
		share_json_out(notice);
	else
		life_print(notice);
}

int command_notice_show(const struct command_call *call, struct err *err)
{
	const struct notice_show_options *options = call->options;
	struct hub_address hub;
	struct registry *registry = NULL;
	json_t *notice = NULL;
	char path[64];
	int64_t id;
	if (number_of(call, &id, err) < 0)
		return EXIT_USAGE;
	snprintf(path, sizeof path, "/notices/%lld", (long long)id);
	bool running = member_place_hub(&options->place, &hub);
	int result = running ? hub_request(&hub, "GET", path, NULL, &notice, err)
			     : member_place_open(&options->place, &registry, err);
	if (result == 0 && !running)
		result = notices_show(registry, id, 0, &notice, err);
	registry_close(registry);
	if (result == 0)
		notice_out(notice, options->common.json);
	json_decref(notice);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

int command_notice_send(const struct command_call *call, struct err *err)
{
	const struct notice_show_options *options = call->options;
	json_t *notice = NULL;
	char path[64];
	int64_t id;
	if (number_of(call, &id, err) < 0)
		return EXIT_USAGE;
	snprintf(path, sizeof path, "/notices/%lld/send", (long long)id);
	int result = share_ask(&options->place, "POST", path, NULL, &notice, err);
	if (result == 0)
		notice_out(notice, options->common.json);
	json_decref(notice);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- test --------------------------------------------------------------------------------------------------------- */

static int texts_check(const struct notice_test_options *options, struct pool *pool, struct err *err)
{
	char rules_path[4096], messages_path[4096];
	const char *texts = path_shared(pool, options->texts, "data");
	struct notice_rules rules;
	struct messages *messages = NULL;
	snprintf(rules_path, sizeof rules_path, "%s/notices/rules.yaml", texts);
	snprintf(messages_path, sizeof messages_path, "%s/messages", texts);
	const char *path = options->rules ? options->rules : rules_path;
	int result = notice_rules_read(path, pool, &rules, err);
	if (result == 0)
		result = messages_open(messages_path, pool, &messages, err);
	if (result < 0)
		return result;
	json_t *names = json_array();
	for (size_t i = 0; i < rules.count; i++)
		json_array_append_new(names, json_string(rules.items[i].name));
	json_t *said = json_pack("{s:s, s:o, s:s}", "file", path, "rules", names, "messages", messages_path);
	if (options->common.json)
		share_json_out(said);
	else
		printf("%s: %zu rules\n%s: every text is whole, in Japanese and in English\n", path, rules.count,
		       messages_path);
	json_decref(said);
	return 0;
}

/* How many of its messages have neither arrived nor been refused; -1: nothing was written yet. */
static int messages_open_count(const json_t *notice, bool *ret_failed)
{
	int open = 0;
	size_t i;
	json_t *message;
	json_array_foreach(json_object_get(notice, "messages"), i, message)
	{
		const char *state = json_string_value(json_object_get(message, "state"));
		*ret_failed = *ret_failed || (state && strcmp(state, "failed") == 0);
		open += state && strcmp(state, "sent") != 0 && strcmp(state, "failed") != 0;
	}
	return i == 0 ? -1 : open;
}

static bool nobody_to_tell(const json_t *notice)
{
	size_t i;
	json_t *event;
	json_array_foreach(json_object_get(notice, "events"), i, event)
	{
		const char *what = json_string_value(json_object_get(event, "what"));
		if (what && strcmp(what, "nobody_to_tell") == 0)
			return true;
	}
	return false;
}

static int test_send(const struct notice_test_options *options, const char *member, struct err *err)
{
	json_t *notice = NULL, *body = json_pack("{s:s}", "member", member);
	char path[64];
	bool failed = false;
	int open = -1, result = share_ask(&options->place, "POST", "/notices/test", body, &notice, err);
	json_decref(body);
	snprintf(path, sizeof path, "/notices/%lld", (long long)json_integer_value(json_object_get(notice, "id")));
	for (int64_t until = clock_now_ns() + options->wait_ns;
	     result == 0 && open != 0 && !nobody_to_tell(notice) && clock_now_ns() < until;) {
		usleep(LOOK_AGAIN_US);
		json_decref(notice);
		notice = NULL;
		result = share_ask(&options->place, "GET", path, NULL, &notice, err);
		open = messages_open_count(notice, &failed);
	}
	if (result == 0)
		notice_out(notice, options->common.json);
	if (result == 0 && open < 0)
		result =
			err_set(err, -ENOENT, "nobody was told: '%.64s' has no contact that a rule would tell", member);
	else if (result == 0 && failed)
		result = err_set(err, -EIO, "a message was refused; its attempts say why");
	else if (result == 0 && open > 0)
		result = err_set(err, -EAGAIN, "%d of the messages have not arrived yet; they will be tried again",
				 open);
	json_decref(notice);
	return result;
}

int command_notice_test(const struct command_call *call, struct err *err)
{
	const struct notice_test_options *options = call->options;
	if (call->operand_count > 1)
		return err_set(err, EXIT_USAGE, "the key of one member was expected");
	int result = call->operand_count ? test_send(options, call->operands[0], err)
					 : texts_check(options, call->pool, err);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
