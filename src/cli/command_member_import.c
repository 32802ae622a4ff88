/* yagura member import, diff: a file of members into the registry, or what that would change. */
#include "cli/command_member.h"

#include "cli/whole_file.h"
#include "core/clock.h"
#include "share/members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOVE_ABSENT                                                                                                  \
	{                                                                                                              \
		"remove-absent", OPTION_FLAG, OPTION_AT(struct member_import_options, remove_absent),                  \
			.help = "remove members that the file does not name",                                          \
			.help_ja = "ファイルにない組織を削除する"                                        \
	}
#define SKIP_BAD                                                                                                                     \
	{                                                                                                                            \
		"skip-bad", OPTION_FLAG, OPTION_AT(struct member_import_options, skip_bad),                                          \
			.help = "leave out what has faults and do the rest", .help_ja = "誤りのある行を除いて取り込む" \
	}
const struct option_spec member_import_option_table[] = {
	{"dry-run", OPTION_FLAG, OPTION_AT(struct member_import_options, dry_run),
	 .help = "only show what would change", .help_ja = "取り込まずに変更点だけ示す"},
	SKIP_BAD,
	REMOVE_ABSENT,
	{NULL},
};
const struct option_spec member_diff_option_table[] = {
	REMOVE_ABSENT,
	{NULL},
};

static int import_by_hub(const struct hub_address *hub, const struct member_import_options *options,
			 const struct whole_file *file, json_t **ret_report, struct err *err)
{
	char path[128], *text = NULL;
	size_t bytes = 0;
	long status = 0;
	snprintf(path, sizeof path, "/members/import?dry_run=%d&skip_bad=%d&remove_absent=%d", options->dry_run,
		 options->skip_bad, options->remove_absent);
	int result = hub_request_bytes(hub, "POST", path, "application/octet-stream", file->text, file->bytes, &status,
				       &text, &bytes, err);
	if (result < 0)
		return result;
	json_t *answer = json_loadb(text, bytes, 0, NULL);
	json_t *report = status == 200 ? answer : json_object_get(answer, "report");
	free(text);
	if (report)
		*ret_report = json_incref(report);
	else
		result = hub_refusal(status, answer, err);
	json_decref(answer);
	return result;
}

static int import_here(const struct member_import_options *options, const struct whole_file *file, json_t **ret_report,
		       struct err *err)
{
	const struct members_change how = {.who = "local",
					   .now_ns = clock_now_ns(),
					   .remove_absent = options->remove_absent,
					   .skip_bad = options->skip_bad,
					   .dry_run = options->dry_run};
	struct registry *registry = NULL;
	json_t *entries = NULL;
	int result = member_place_open(&options->place, &registry, err);
	if (result == 0)
		result = members_read(file->text, file->bytes, &entries, err);
	if (result == 0)
		result = registry_members_change(registry, entries, &how, ret_report, err);
	json_decref(entries);
	registry_close(registry);
	return result < 0 ? result : 0;
}

static long long count(const json_t *report, const char *name)
{
	return (long long)json_integer_value(json_object_get(report, name));
}

static void remarks_print(const json_t *report, const char *list, const char *path, const char *word)
{
	const char *language = language_is_japanese() ? "message_ja" : "message";
	json_t *remark;
	size_t i;
	json_array_foreach(json_object_get(report, list), i, remark)
	{
		const char *key = json_string_value(json_object_get(remark, "key"));
		const char *field = json_string_value(json_object_get(remark, "field"));
		fprintf(stderr, "%s:%lld: %s%s%s%s%s%s\n", path, count(remark, "line"), word, key, key[0] ? ": " : "",
			field, field[0] ? ": " : "", json_string_value(json_object_get(remark, language)));
	}
}

static void changes_print(const json_t *report)
{
	json_t *change;
	size_t i;
	json_array_foreach(json_object_get(report, "changes"), i, change)
	{
		const char *action = json_string_value(json_object_get(change, "action"));
		bool changed = strcmp(action, "change") == 0;
		printf("%c %s  %s\n",
		       changed                      ? '~'
		       : strcmp(action, "add") == 0 ? '+'
						    : '-',
		       json_string_value(json_object_get(change, "key")),
		       json_string_value(json_object_get(change, "name")));
		if (changed)
			member_fields_print(json_object_get(change, "fields"), "    ");
	}
	long long told = (long long)json_array_size(json_object_get(report, "changes"));
	long long all = count(report, "added") + count(report, "changed") + count(report, "removed");
	if (all > told)
		printf(language_is_japanese() ? "ほか %lld 件\n" : "and %lld more\n", all - told);
	json_array_foreach(json_object_get(report, "ties"), i, change)
		printf("= %s  %s\n", json_string_value(json_object_get(change, "prefix")),
		       json_string_value(json_object_get(change, "members")));
}

static void report_print(const json_t *report, const char *path, double seconds)
{
	bool japanese = language_is_japanese();
	changes_print(report);
	remarks_print(report, "warnings", path, japanese ? "注意: " : "warning: ");
	remarks_print(report, "faults", path, "");
	printf(japanese ? "追加 %lld、変更 %lld、削除 %lld、同じ %lld、誤り %lld、重なる範囲 %lld。%.2f 秒%s\n"
			: "%lld added, %lld changed, %lld removed, %lld the same, %lld bad; %lld prefixes tie; %.2f "
			  "s%s\n",
	       count(report, "added"), count(report, "changed"), count(report, "removed"), count(report, "same"),
	       count(report, "bad"), count(report, "tie_count"), seconds,
	       json_is_true(json_object_get(report, "applied")) ? ""
	       : japanese                                       ? "(取り込んでいません)"
								: " (nothing was changed)");
}

static int import(const struct command_call *call, const struct member_import_options *options, struct err *err)
{
	struct hub_address hub;
	struct whole_file file;
	json_t *report = NULL;
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE, "one file was expected");
	if (whole_file_open(call->operands[0], &file, err) < 0)
		return EXIT_FAILED;
	int64_t begun = clock_monotonic_ns();
	int result = member_place_hub(&options->place, &hub) ? import_by_hub(&hub, options, &file, &report, err)
							     : import_here(options, &file, &report, err);
	double seconds = (double)(clock_monotonic_ns() - begun) / 1e9;
	whole_file_close(&file);
	if (result < 0)
		return EXIT_FAILED;
	if (options->common.json) {
		json_object_set_new(report, "seconds", json_real(seconds));
		json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		printf("\n");
	} else {
		report_print(report, call->operands[0], seconds);
	}
	bool faults = count(report, "bad") > 0 && !options->skip_bad;
	if (faults)
		err_set(err, -EINVAL, "%s: %lld of its members have faults; nothing was changed", call->operands[0],
			count(report, "bad"));
	json_decref(report);
	return faults ? EXIT_FAILED : EXIT_DONE;
}

int command_member_import(const struct command_call *call, struct err *err)
{
	return import(call, call->options, err);
}

int command_member_diff(const struct command_call *call, struct err *err)
{
	struct member_import_options options = *(const struct member_import_options *)call->options;
	options.dry_run = true;
	return import(call, &options, err);
}
