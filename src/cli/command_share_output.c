/* yagura share list, nft, rpz, bgp: a collection's values in the form of those who use them, on standard output. */
#include "cli/command_share.h"

#include "cli/command_indicator.h"
#include "cli/command_share_for.h"
#include "core/clock.h"
#include "share/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	{"format", OPTION_CHOICE, OPTION_AT(struct share_output_options, daemon), "list", .choices = "list|csv",
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
const struct option_spec share_bgp_option_table[] = {
	COMMON_OPTIONS,
	{"daemon", OPTION_CHOICE, OPTION_AT(struct share_output_options, daemon), "bird", .choices = "bird|frr|gobgp",
	 .help = "whose language the routes are written in", .help_ja = "経路を書き出す BGP デーモン"},
	{NULL},
};

static int print(void *context, const char *bytes, size_t count)
{
	(void)context;
	return fwrite(bytes, 1, count, stdout) == count ? 0 : -EIO;
}

static int output_print(const struct command_call *call, enum output_format format, struct err *err)
{
	const struct share_output_options *options = call->options;
	struct output output = {.format = format,
				.kind = (int)options->kind - 1,
				.least_score = (unsigned)options->score,
				.limit = (unsigned)options->limit,
				.name = options->name,
				.now_ns = clock_now_ns()};
	struct output_result result = {0};
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE,
			       "the name of a collection was expected; `yagura share taxii` lists them");
	if (options->name && strspn(options->name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(options->name))
		return err_set(err, EXIT_USAGE, "--name: letters, digits, '_', '.' and '-' were expected");
	if (format != OUTPUT_LIST && format != OUTPUT_CSV)
		output.kind = -1;
	output.serial = (uint32_t)(output.now_ns / NS_PER_S);
	struct share_for whom = {.registry = NULL};
	int code = command_indicators_open(options->data, &output.store, err);
	if (code == 0)
		code = share_for_open(options->data, options->whom, output.store, call->operands[0], &whom, err);
	output.collection = whom.collection.id;
	if (code == 0 && options->serve && whom.collection.sealed && !options->whom)
		code = err_set(err, -EPERM, "'%s' is a group's collection: --for MEMBER says whom it is served to",
			       whom.collection.name);
	if (code == 0)
		code = share_for_look(&whom, &output, err);
	if (code >= 0 && !options->serve)
		code = share_for_tell(&whom, &output, output_format_names[format], err);
	if (code >= 0)
		code = options->serve ? command_share_zone(options, &output, &whom, err)
				      : output_write(&output, print, NULL, &result, err);
	share_for_close(&whom);
	indicators_close(output.store);
	if (code == 0 && fflush(stdout) != 0)
		code = err_set(err, -EIO, "standard output: %s", strerror(errno));
	if (code == 0 && result.left_out > 0)
		fprintf(stderr, "%" PRIu64 " values were left out: %s cannot say them, or they are too wide\n",
			result.left_out, output_format_names[format]);
	return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

int command_share_list(const struct command_call *call, struct err *err)
{
	const struct share_output_options *options = call->options;
	return output_print(call, options->daemon ? OUTPUT_CSV : OUTPUT_LIST, err);
}

int command_share_nft(const struct command_call *call, struct err *err)
{
	return output_print(call, OUTPUT_NFT, err);
}

int command_share_rpz(const struct command_call *call, struct err *err)
{
	return output_print(call, OUTPUT_RPZ, err);
}

int command_share_bgp(const struct command_call *call, struct err *err)
{
	const struct share_output_options *options = call->options;
	return output_print(call, (enum output_format)(OUTPUT_BIRD + options->daemon), err);
}
