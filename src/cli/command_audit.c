/* yagura audit list and verify: of the hub that runs on the data directory, or of its registry, opened here. */
#include "cli/commands.h"
#include "cli/hub_client.h"
#include "core/clock.h"
#include "store/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HUB_OPTIONS                                                                                                    \
	{"data",                                                                                                       \
	 OPTION_PATH,                                                                                                  \
	 OPTION_AT(struct audit_options, data),                                                                        \
	 "run-data",                                                                                                   \
	 .argument = "DIR",                                                                                            \
	 .help = "data directory of the hub",                                                                          \
	 .help_ja = "ハブのデータディレクトリ"},                                                                       \
		{"url",                                                                                                \
		 OPTION_TEXT,                                                                                          \
		 OPTION_AT(struct audit_options, url),                                                                 \
		 .argument = "URL",                                                                                    \
		 .help = "ask this hub instead of the one on the data directory",                                      \
		 .help_ja = "このアドレスのハブに尋ねる"},                                                             \
	{                                                                                                              \
		"token", OPTION_TEXT, OPTION_AT(struct audit_options, token),                                          \
			.argument = "TOKEN",                                                                           \
			.help = "API token for --url (or in the environment variable YAGURA_TOKEN)",                   \
			.help_ja = "--url のための API トークン(環境変数 YAGURA_TOKEN でもよい)"       \
	}

const struct option_spec audit_list_option_table[] = {
	HUB_OPTIONS,
	{"limit", OPTION_INT, OPTION_AT(struct audit_options, limit), "100", .min = 1, .max = 1000, .argument = "N",
	 .help = "at most so many, the newest", .help_ja = "新しいものから最大この件数"},
	{"member", OPTION_INT, OPTION_AT(struct audit_options, member), "0", .max = UINT32_MAX, .argument = "ID",
	 .help = "only what concerned this member's data", .help_ja = "この会員のデータに関わるものだけ"},
	{"actor", OPTION_TEXT, OPTION_AT(struct audit_options, actor), .argument = "NAME",
	 .help = "only what this account did; * stands for anything, here and below",
	 .help_ja = "この人の操作だけ。* は任意の文字列(以下も同じ)"},
	{"action", OPTION_TEXT, OPTION_AT(struct audit_options, action), .argument = "ACTION",
	 .help = "only this, as 'PUT /users/{name}'", .help_ja = "この操作だけ('PUT /users/{name}' など)"},
	{"subject", OPTION_TEXT, OPTION_AT(struct audit_options, subject), .argument = "NAME",
	 .help = "only what was done to this", .help_ja = "この対象への操作だけ"},
	{"sort", OPTION_CHOICE, OPTION_AT(struct audit_options, sort), "all",
	 .choices = "all|changes|looks|refused|system", .help = "only entries of this sort",
	 .help_ja = "この種類だけ(変更、閲覧、拒否、システム)"},
	{"from", OPTION_TEXT, OPTION_AT(struct audit_options, from), .argument = "TIME",
	 .help = "from this instant on: RFC 3339, or back from now as -24h",
	 .help_ja = "この時刻から(RFC 3339、または -24h のように)"},
	{"to", OPTION_TEXT, OPTION_AT(struct audit_options, to), .argument = "TIME", .help = "before this instant",
	 .help_ja = "この時刻より前"},
	{NULL},
};
const struct option_spec audit_verify_option_table[] = {
	HUB_OPTIONS,
	{"head", OPTION_TEXT, OPTION_AT(struct audit_options, head), .argument = "HASH",
	 .help = "a head that was noted before: it has to be there still, or the end was cut off",
	 .help_ja = "以前に控えた先頭ハッシュ。なければ末尾が切り取られている"},
	{NULL},
};

static struct hub_address audit_hub(const struct audit_options *options)
{
	return (struct hub_address){options->data, options->url,
				    options->token ? options->token : getenv("YAGURA_TOKEN")};
}

static int audit_registry(const struct audit_options *options, struct registry **ret_registry, struct err *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/registry.sqlite", options->data);
	if (access(path, F_OK) < 0)
		return err_set(err, -ENOENT, "%s: there is no registry here; --data DIR names the hub's data directory",
			       options->data);
	return registry_open(options->data, ret_registry, err);
}

static void entry_print(const json_t *entry)
{
	json_t *detail = json_object_get(entry, "detail");
	char *words = json_object_size(detail) ? json_dumps(detail, JSON_COMPACT) : NULL;
	printf("%6" JSON_INTEGER_FORMAT "  %s  %-20s %-16s %s %s %s\n",
	       json_integer_value(json_object_get(entry, "id")), json_string_value(json_object_get(entry, "time")),
	       json_string_value(json_object_get(entry, "actor")), json_string_value(json_object_get(entry, "peer")),
	       json_string_value(json_object_get(entry, "action")),
	       json_string_value(json_object_get(entry, "subject")), words ? words : "");
	free(words);
}

static int list_ask(const struct audit_options *options, json_t **ret_entries, struct err *err)
{
	struct hub_address hub = audit_hub(options);
	if (options->url || hub_is_running(&hub)) {
		char path[4096];
		json_t *answer = NULL;
		snprintf(path, sizeof path, "/audit?limit=%" PRId64 "&member=%" PRId64 "&sort=%s", options->limit,
			 options->member, audit_sort_names[options->sort]);
		hub_path_add(path, sizeof path, "actor", options->actor);
		hub_path_add(path, sizeof path, "action", options->action);
		hub_path_add(path, sizeof path, "subject", options->subject);
		hub_path_add(path, sizeof path, "from", options->from);
		hub_path_add(path, sizeof path, "to", options->to);
		int code = hub_request(&hub, "GET", path, NULL, &answer, err);
		if (code == 0)
			*ret_entries = json_incref(json_object_get(answer, "entries"));
		json_decref(answer);
		return code;
	}
	struct registry *registry = NULL;
	struct audit_question question = {.member = options->member,
					  .actor = options->actor,
					  .action = options->action,
					  .subject = options->subject,
					  .sort = (enum audit_sort)options->sort,
					  .limit = (unsigned)options->limit};
	int code = options->from ? time_parse(options->from, clock_now_ns(), &question.from_ns, err) : 0;
	if (code == 0 && options->to)
		code = time_parse(options->to, clock_now_ns(), &question.to_ns, err);
	if (code == 0)
		code = audit_registry(options, &registry, err);
	if (code < 0)
		return code;
	code = registry_audit_list(registry, &question, ret_entries, err);
	registry_close(registry);
	return code;
}

int command_audit_list(const struct command_call *call, struct err *err)
{
	const struct audit_options *options = call->options;
	json_t *entries = NULL, *entry;
	size_t i;
	if (list_ask(options, &entries, err) < 0)
		return EXIT_FAILED;
	if (options->common.json) {
		json_dumpf(entries, stdout, JSON_INDENT(1));
		printf("\n");
	} else {
		json_array_foreach(entries, i, entry) entry_print(entry);
	}
	json_decref(entries);
	return EXIT_DONE;
}

static int state_ask(const struct audit_options *options, json_t **ret_state, struct err *err)
{
	struct hub_address hub = audit_hub(options);
	if (options->url || hub_is_running(&hub)) {
		char path[128];
		snprintf(path, sizeof path, "/audit/state%s%.64s", options->head ? "?head=" : "",
			 options->head ? options->head : "");
		return hub_request(&hub, "GET", path, NULL, ret_state, err);
	}
	struct registry *registry = NULL;
	struct audit_state state;
	int64_t found = 0;
	int code = audit_registry(options, &registry, err);
	if (code < 0)
		return code;
	code = registry_audit_verify(registry, &state, err);
	if (code >= 0 && options->head) {
		int looked = registry_audit_find(registry, options->head, &found, err);
		code = looked < 0 ? looked : code;
	}
	registry_close(registry);
	if (code >= 0)
		*ret_state = audit_state_json(&state, options->head, found);
	return code < 0 ? code : 0;
}

static void state_print(const json_t *state)
{
	bool ja = language_is_japanese();
	const json_t *broken = json_object_get(state, "broken"), *noted = json_object_get(state, "noted");
	if (broken)
		printf(ja ? "壊れています: %lld 番の記録(%s)\n" : "broken at entry %lld: %s\n",
		       (long long)json_integer_value(broken), json_string_value(json_object_get(state, "reason")));
	if (noted && !json_is_integer(noted))
		printf(ja ? "控えた先頭ハッシュがありません: 記録が切り取られたか、書き直されています\n"
			  : "the noted head is not there: entries were cut off or written anew\n");
	if (json_is_integer(noted))
		printf(ja ? "控えた先頭ハッシュは %lld 番の記録です\n" : "the noted head is entry %lld\n",
		       (long long)json_integer_value(noted));
	printf(ja ? "%lld 件を確かめました。先頭ハッシュ %s\n" : "%lld entries follow from one another; head %s\n",
	       (long long)json_integer_value(json_object_get(state, "entries")),
	       json_string_value(json_object_get(state, "head")));
}

int command_audit_verify(const struct command_call *call, struct err *err)
{
	const struct audit_options *options = call->options;
	json_t *state = NULL;
	if (state_ask(options, &state, err) < 0)
		return EXIT_FAILED;
	bool sound = json_is_true(json_object_get(state, "sound"));
	if (options->common.json) {
		json_dumpf(state, stdout, JSON_INDENT(1));
		printf("\n");
	} else {
		state_print(state);
	}
	json_decref(state);
	if (!sound && !err->text[0])
		return err_set(err, EXIT_FAILED, "the audit log is not what was written");
	return sound ? EXIT_DONE : EXIT_FAILED;
}
