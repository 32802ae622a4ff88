/* yagura share list, nft, rpz: a collection's values in the form of those who use them, on standard output. */
#include "cli/command_share.h"

#include "cli/command_indicator.h"
#include "cli/command_share_for.h"
#include "core/clock.h"
#include "share/output.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_TEXT_BYTES_MAX = 1 << 30 };

#define COMMON_OPTIONS                                                                                                 \
	{"data",                                                                                                       \
	 OPTION_PATH,                                                                                                  \
	 OPTION_AT(struct share_output_options, data),                                                                 \
	 "run-data",                                                                                                   \
	 .argument = "DIR",                                                                                            \
	 .help = "data directory of the hub",                                                                          \
	 .help_ja = "ハブのデータディレクトリ"},                                                                       \
		{"for",                                                                                                \
		 OPTION_TEXT,                                                                                          \
		 OPTION_AT(struct share_output_options, whom),                                                         \
		 .argument = "MEMBER",                                                                                 \
		 .help = "only what this member may see; a receipt is left in the audit log",                          \
		 .help_ja = "この組織に見せてよいものだけ。監査記録に受領の記録を残す"},                               \
	{                                                                                                              \
		"score", OPTION_INT, OPTION_AT(struct share_output_options, score), "0",                               \
			.max = 100, .argument = "N",                                                                   \
			.help = "only those whose confidence after decay is at least this",                            \
			.help_ja = "減衰後の確度がこの値以上のものだけ"                               \
	}

const struct option_spec share_list_option_table[] = {
	COMMON_OPTIONS,
	{"kind", OPTION_CHOICE, OPTION_AT(struct share_output_options, kind), "any",
	 .choices = "any|ipv4|ipv6|domain|url|email|md5|sha1|sha256|sha512|asn", .help = "only values of this kind",
	 .help_ja = "この種類の値だけ"},
	{"limit", OPTION_INT, OPTION_AT(struct share_output_options, limit), "0", .max = 10000000, .argument = "N",
	 .help = "at most so many; 0 for all", .help_ja = "最大件数。0 は全件"},
	{"format", OPTION_CHOICE, OPTION_AT(struct share_output_options, format), "list", .choices = "list|csv",
	 .help = "a value a line, or CSV with what is known of it", .help_ja = "1 行 1 件、または詳細付きの CSV"},
	{NULL},
};
const struct option_spec share_nft_option_table[] = {
	COMMON_OPTIONS,
	{"name", OPTION_TEXT, OPTION_AT(struct share_output_options, name), "yagura", .argument = "NAME",
	 .help = "what the sets are called, before _v4 and _v6", .help_ja = "集合の名前(_v4 と _v6 が付く)"},
	{NULL},
};
const struct option_spec share_rpz_option_table[] = {
	COMMON_OPTIONS,
	{"name", OPTION_TEXT, OPTION_AT(struct share_output_options, name), "rpz.yagura", .argument = "ZONE",
	 .help = "name of the zone", .help_ja = "ゾーン名"},
	{"serve", OPTION_TEXT, OPTION_AT(struct share_output_options, serve), .argument = "ADDR:PORT",
	 .help = "serve the zone there by transfer (AXFR, IXFR, TSIG) instead of printing it",
	 .help_ja = "出力せず、このアドレスでゾーン転送(AXFR・IXFR・TSIG)により配る"},
	{"key-file", OPTION_PATH, OPTION_AT(struct share_output_options, key_file), .argument = "FILE",
	 .help = "keys of those who may transfer it, as tsig-keygen writes them",
	 .help_ja = "転送を許す鍵のファイル(tsig-keygen の形式)"},
	{"notify", OPTION_TEXTS, OPTION_AT(struct share_output_options, notify), .argument = "ADDR[:PORT]",
	 .help = "resolvers that are told of changes; may be given again", .help_ja = "変更を知らせる相手。複数指定可"},
	{"unconfined", OPTION_FLAG, OPTION_AT(struct share_output_options, unconfined),
	 .help = "also where the kernel lacks Landlock or seccomp",
	 .help_ja = "Landlock や seccomp のないカーネルでも動かす"},
	{NULL},
};
static int print(void *context, const char *bytes, size_t count)
{
	(void)context;
	return fwrite(bytes, 1, count, stdout) == count ? 0 : -EIO;
}

int whole_text_add(void *context, const char *bytes, size_t count)
{
	struct whole_text *text = context;
	if (text->count + count > text->room) {
		size_t room = (text->count + count) * 2;
		char *grown = room <= 2 * text->most ? realloc(text->bytes, room) : NULL;
		if (!grown)
			return -ENOMEM;
		text->bytes = grown;
		text->room = room;
	}
	memcpy(text->bytes + text->count, bytes, count);
	text->count += count;
	return 0;
}

static json_t *verdicts_json(const struct output_result *result)
{
	json_t *refused = json_object();
	for (int i = ROUTE_PASSES + 1; i < ROUTE_VERDICTS; i++)
		if (result->verdicts[i] > 0)
			json_object_set_new(refused, route_verdict_names[i],
					    json_integer((json_int_t)result->verdicts[i]));
	return refused;
}

static json_t *lines_json(const struct whole_text *text)
{
	json_t *lines = json_array();
	for (size_t at = 0; at < text->count;) {
		const char *end = memchr(text->bytes + at, '\n', text->count - at);
		size_t bytes = end ? (size_t)(end - text->bytes) - at : text->count - at;
		json_array_append_new(lines, json_stringn(text->bytes + at, bytes));
		at += bytes + 1;
	}
	return lines;
}

/* {"collection", "format", "values", "left_out", "refused": {why: how many}, "list": [...] or "text": "..."} */
static int output_json(const char *collection, const struct output *output, struct output_result *result,
		       struct err *err)
{
	struct whole_text text = {.most = JSON_TEXT_BYTES_MAX};
	bool list = output->format == OUTPUT_LIST;
	int code = output_write(output, whole_text_add, &text, result, err);
	if (code == 0) {
		json_t *body = list ? lines_json(&text) : json_stringn(text.bytes ? text.bytes : "", text.count);
		json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "collection", collection, "format",
					 output_format_names[output->format], "values", (json_int_t)result->values,
					 "left_out", (json_int_t)result->left_out, "refused", verdicts_json(result),
					 list ? "list" : "text", body);
		code = json && json_dumpf(json, stdout, JSON_INDENT(1)) == 0 ? print(NULL, "\n", 1) : -EIO;
		json_decref(json);
	}
	free(text.bytes);
	return code;
}

static void left_out_say(const struct output *output, const struct output_result *result)
{
	if (result->left_out == 0)
		return;
	if (output->format < OUTPUT_BIRD)
		fprintf(stderr, "%" PRIu64 " values were left out: %s cannot say them, or they are too wide\n",
			result->left_out, output_format_names[output->format]);
	for (int i = ROUTE_PASSES + 1; i < ROUTE_VERDICTS; i++)
		if (result->verdicts[i] > 0)
			fprintf(stderr, "not announced: %" PRIu64 " %s\n", result->verdicts[i], route_verdict_texts[i]);
}

static int output_for(const struct command_call *call, struct output *output, share_serve *serve,
		      struct output_result *result, struct err *err)
{
	const struct share_output_options *options = call->options;
	struct share_for whom = {.registry = NULL};
	int code = share_for_open(options->data, options->whom, output->store, call->operands[0], &whom, err);
	output->collection = whom.collection.id;
	if (code == 0 && serve && whom.collection.sealed && !options->whom)
		code = err_set(err, -EPERM, "'%s' is a group's collection: --for MEMBER says whom it is served to",
			       whom.collection.name);
	if (code == 0)
		code = share_for_look(&whom, output, err);
	if (code >= 0 && !serve)
		code = share_for_tell(&whom, output, output_format_names[output->format], err);
	if (code >= 0)
		code = serve                  ? serve(options, output, &whom, err)
		       : options->common.json ? output_json(call->operands[0], output, result, err)
					      : output_write(output, print, NULL, result, err);
	share_for_close(&whom);
	return code;
}

int command_output(const struct command_call *call, struct output *output, share_serve *serve, struct err *err)
{
	const struct share_output_options *options = call->options;
	struct output_result result = {0};
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE,
			       "the name of a collection was expected; `yagura share taxii` lists them");
	if (options->name && strspn(options->name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(options->name))
		return err_set(err, EXIT_USAGE, "--name: letters, digits, '_', '.' and '-' were expected");
	output->least_score = (unsigned)options->score;
	output->limit = (unsigned)options->limit;
	output->name = options->name;
	output->now_ns = clock_now_ns();
	output->serial = (uint32_t)(output->now_ns / NS_PER_S);
	int code = command_indicators_open(options->data, &output->store, err);
	if (code == 0)
		code = output_for(call, output, serve, &result, err);
	indicators_close(output->store);
	if (code == 0 && fflush(stdout) != 0)
		code = err_set(err, -EIO, "standard output: %s", strerror(errno));
	if (code == 0 && !serve && !options->common.json)
		left_out_say(output, &result);
	return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

int command_share_list(const struct command_call *call, struct err *err)
{
	const struct share_output_options *options = call->options;
	struct output output = {.format = options->format ? OUTPUT_CSV : OUTPUT_LIST, .kind = (int)options->kind - 1};
	return command_output(call, &output, NULL, err);
}

int command_share_nft(const struct command_call *call, struct err *err)
{
	struct output output = {.format = OUTPUT_NFT, .kind = -1};
	return command_output(call, &output, NULL, err);
}

int command_share_rpz(const struct command_call *call, struct err *err)
{
	const struct share_output_options *options = call->options;
	struct output output = {.format = OUTPUT_RPZ, .kind = -1};
	return command_output(call, &output, options->serve ? command_share_zone : NULL, err);
}
