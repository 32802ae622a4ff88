/* yagura indicator import: files of indicators into the store, with a report of what was refused and why. */
#include "cli/command_indicator.h"
#include "cli/whole_file.h"

#include "cli/paths.h"
#include "core/clock.h"
#include "share/import.h"
#include "share/warning.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const struct option_spec indicator_import_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct indicator_import_options, data), "run-data", .argument = "DIR",
	 .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ"},
	{"format", OPTION_CHOICE, OPTION_AT(struct indicator_import_options, format), "auto",
	 .choices = IMPORT_FORMAT_CHOICES, .help = "how the files are written", .help_ja = "ファイルの形式"},
	{"source", OPTION_TEXT, OPTION_AT(struct indicator_import_options, source), .argument = "NAME",
	 .help = "where they come from, kept with each; without it the file's name",
	 .help_ja = "出所の名前。省略時はファイル名"},
	{"collection", OPTION_TEXT, OPTION_AT(struct indicator_import_options, collection), .argument = "NAME",
	 .help = "release them to this collection too", .help_ja = "このコレクションにも出す"},
	{"tlp", OPTION_CHOICE, OPTION_AT(struct indicator_import_options, tlp), "amber",
	 .choices = "clear|green|amber|amber+strict|red", .help = "what those without a marking count as (TLP 2.0)",
	 .help_ja = "印のないものの共有範囲(TLP 2.0)"},
	{"confidence", OPTION_INT, OPTION_AT(struct indicator_import_options, confidence), "50", .max = 100,
	 .argument = "0..100", .help = "how sure those are that do not say it",
	 .help_ja = "確度の記載がないものの確度"},
	{"lifetime", OPTION_DURATION, OPTION_AT(struct indicator_import_options, lifetime_ns), .argument = "TIME",
	 .help = "how long those hold that do not say it; without it as long as their kind lives",
	 .help_ja = "期限の記載がないものの有効期間。省略時は種類ごとの寿命"},
	{"warninglists", OPTION_PATH, OPTION_AT(struct indicator_import_options, warninglists), .argument = "DIR",
	 .help = "warning lists of what is well known and harmless; without it those of the program and "
		 "DATA/warninglists",
	 .help_ja = "よく知られた無害な値の一覧のディレクトリ。省略時は付属のものと DATA/warninglists"},
	{"no-warninglists", OPTION_FLAG, OPTION_AT(struct indicator_import_options, unwarned),
	 .help = "ask no warning list", .help_ja = "警告一覧を使わない"},
	{"dry-run", OPTION_FLAG, OPTION_AT(struct indicator_import_options, dry_run),
	 .help = "only say what would be taken", .help_ja = "取り込まずに結果だけ示す"},
	{NULL},
};

struct report {
	const char *path;
	json_t *refused; /* NULL: print at once */
};

enum { REFUSED_SHOWN = 1000 };

static void refused_say(void *context, const char *where, const char *why)
{
	struct report *report = context;
	if (!report->refused)
		fprintf(stderr, "%s: %s: %s\n", report->path, where, why);
	else if (json_array_size(report->refused) < REFUSED_SHOWN)
		json_array_append_new(report->refused, json_pack("{s:s, s:s}", "where", where, "why", why));
}

static void result_say(const struct import_result *result, struct report *report, double seconds)
{
	if (report->refused) {
		json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:O}", "file", report->path, "taken",
					 (json_int_t)result->taken, "known", (json_int_t)result->known, "refused",
					 (json_int_t)result->refused, "correlated", (json_int_t)result->correlated,
					 "warned", (json_int_t)result->warned, "unread_patterns",
					 (json_int_t)result->unread, "seconds", seconds, "refusals", report->refused);
		json_dumpf(json, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(json);
		json_decref(report->refused);
		return;
	}
	printf("%s: %" PRIu64 " taken, %" PRIu64 " there already, %" PRIu64 " refused; %" PRIu64
	       " values were known, %" PRIu64 " on warning lists; %.1f s\n",
	       report->path, result->taken, result->known, result->refused, result->correlated, result->warned,
	       seconds);
}

static int file_import(const struct indicator_import_options *options, struct import *import, const char *path,
		       struct err *err)
{
	struct whole_file file;
	struct import_result result;
	struct report report = {path, options->common.json ? json_array() : NULL};
	int code = whole_file_open(path, &file, err);
	if (code < 0)
		return code;
	import->source.name = options->source ? options->source : path;
	import->context = &report;
	int64_t began = clock_monotonic_ns();
	code = import_text(import, file.text, file.bytes, &result, err);
	whole_file_close(&file);
	if (code < 0)
		return err_prefix(err, code, "%s", path);
	result_say(&result, &report, (double)(clock_monotonic_ns() - began) / 1e9);
	return result.taken + result.known == 0 && result.refused > 0
		       ? err_set(err, -EINVAL, "%s: all was refused", path)
		       : 0;
}

int command_warnings_open(const char *data, const char *given, struct pool *pool, struct warning_lists **ret_lists,
			  struct err *err)
{
	char own[4096];
	unsigned refused = 0;
	snprintf(own, sizeof own, "%s/warninglists", data);
	const char *const folders[] = {path_shared(pool, given, "data/warninglists"), given ? NULL : own};
	int result = warning_lists_load(folders, 2, ret_lists, &refused, err);
	if (result == 0 && refused > 0)
		fprintf(stderr, "%u warning lists were not read: %s\n", refused, err->text);
	return result;
}

int command_indicator_import(const struct command_call *call, struct err *err)
{
	const struct indicator_import_options *options = call->options;
	struct import import = {.format = (enum import_format)options->format,
				.source = {.kind = "file", .by = getenv("USER") ? getenv("USER") : "local"},
				.tlp = (enum tlp)options->tlp,
				.confidence = (unsigned)options->confidence,
				.lifetime_ns = options->lifetime_ns,
				.now_ns = clock_now_ns(),
				.dry = options->dry_run,
				.refused = refused_say};
	if (call->operand_count == 0)
		return err_set(err, EXIT_USAGE, "a file was expected, or - for standard input");
	int result = command_indicators_open(options->data, &import.store, err);
	if (result == 0)
		result = command_collection(import.store, options->collection, &import.collection, err);
	struct warning_lists *warnings = NULL;
	if (result == 0 && !options->unwarned)
		result = command_warnings_open(options->data, options->warninglists, call->pool, &warnings, err);
	import.warnings = warnings;
	for (int i = 0; i < call->operand_count && result == 0; i++)
		result = file_import(options, &import, call->operands[i], err);
	indicators_close(import.store);
	warning_lists_free(warnings);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}
