/* yagura indicator list, add, expire: what is known, by hand. The store is opened here also while a hub runs on it:
 * SQLite keeps the two apart (store/indicators.h). */
#include "cli/command_indicator.h"

#include "core/clock.h"
#include "share/import.h"
#include "share/make.h"
#include "wire/value.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_OPTION(structure)                                                                                                    \
	{                                                                                                                         \
		"data", OPTION_PATH, OPTION_AT(structure, data), "run-data",                                                      \
			.argument = "DIR", .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ" \
	}
#define TLP_CHOICES "clear|green|amber|amber+strict|red"

const struct option_spec indicator_list_option_table[] = {
	DATA_OPTION(struct indicator_list_options),
	{"collection", OPTION_TEXT, OPTION_AT(struct indicator_list_options, collection), .argument = "NAME",
	 .help = "only what this collection holds", .help_ja = "このコレクションにあるものだけ"},
	{"kind", OPTION_CHOICE, OPTION_AT(struct indicator_list_options, kind), "any",
	 .choices = "any|ipv4|ipv6|domain|url|email|md5|sha1|sha256|sha512|asn|other",
	 .help = "only values of this kind", .help_ja = "この種類の値だけ"},
	{"state", OPTION_CHOICE, OPTION_AT(struct indicator_list_options, state), "any",
	 .choices = "any|active|expired|revoked|false-positive|replaced", .help = "only indicators in this state",
	 .help_ja = "この状態のものだけ"},
	{"limit", OPTION_INT, OPTION_AT(struct indicator_list_options, limit), "100", .max = 10000000, .argument = "N",
	 .help = "at most so many, the newest; 0 for all", .help_ja = "新しいものから最大この件数。0 は全件"},
	{"score", OPTION_INT, OPTION_AT(struct indicator_list_options, score), "0", .max = 100, .argument = "N",
	 .help = "only those whose confidence after decay is at least this",
	 .help_ja = "減衰後の確度がこの値以上のものだけ"},
	{NULL},
};
const struct option_spec indicator_add_option_table[] = {
	DATA_OPTION(struct indicator_add_options),
	{"collection", OPTION_TEXT, OPTION_AT(struct indicator_add_options, collection), .argument = "NAME",
	 .help = "release it to this collection too", .help_ja = "このコレクションにも出す"},
	{"name", OPTION_TEXT, OPTION_AT(struct indicator_add_options, name), .argument = "TEXT", .help = "its name",
	 .help_ja = "名前"},
	{"description", OPTION_TEXT, OPTION_AT(struct indicator_add_options, description), .argument = "TEXT",
	 .help = "what is known of it", .help_ja = "分かっていること"},
	{"tlp", OPTION_CHOICE, OPTION_AT(struct indicator_add_options, tlp), "amber", .choices = TLP_CHOICES,
	 .help = "who may see it (TLP 2.0)", .help_ja = "共有範囲(TLP 2.0)"},
	{"confidence", OPTION_INT, OPTION_AT(struct indicator_add_options, confidence), "50", .max = 100,
	 .argument = "0..100", .help = "how sure it is", .help_ja = "確度"},
	{"from", OPTION_TEXT, OPTION_AT(struct indicator_add_options, from), "now", .argument = "TIME",
	 .help = "since when it holds", .help_ja = "有効期間の始まり"},
	{"until", OPTION_TEXT, OPTION_AT(struct indicator_add_options, until), .argument = "TIME",
	 .help = "until when it holds; without it as long as its kind lives",
	 .help_ja = "有効期間の終わり。省略時は種類ごとの寿命"},
	{NULL},
};
const struct option_spec indicator_expire_option_table[] = {
	DATA_OPTION(struct indicator_expire_options),
	{NULL},
};

int command_indicators_open(const char *data, struct indicators **ret_store, struct err *err)
{
	if (access(data, F_OK) < 0)
		return err_set(err, -ENOENT,
			       "%s: there is no such directory; --data DIR names the hub's data directory", data);
	return indicators_open(data, ret_store, err);
}

int command_collection(struct indicators *store, const char *name, int64_t *ret_id, struct err *err)
{
	struct indicators_collection collection;
	*ret_id = 0;
	if (!name)
		return 0;
	int result = indicators_collection_find(store, name, &collection, err);
	if (result == 0)
		*ret_id = collection.id;
	return result == 1 ? err_set(err, -ENOENT, "there is no collection '%.80s'", name) : result;
}

static json_t *listed_json(const struct indicators_listed *listed)
{
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES], seen[TIME_TEXT_BYTES];
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "id", listed->id,
			 "kind", indicator_kind_names[listed->kind], "value", listed->value, "tlp",
			 tlp_names[listed->tlp], "state", indicator_state_names[listed->state], "confidence",
			 (int)listed->confidence, "score", (int)listed->score, "sightings",
			 (json_int_t)listed->sightings, "from", time_format(listed->from_ns, from), "until",
			 time_format(listed->until_ns, until), "seen", time_format(listed->seen_ns, seen), "source",
			 listed->source_name, "source_kind", listed->source_kind, "warning", listed->warning);
}

static int list_json(void *context, const struct indicators_listed *listed)
{
	return json_array_append_new(context, listed_json(listed)) == 0 ? 0 : -ENOMEM;
}

static int list_text(void *context, const struct indicators_listed *listed)
{
	char until[TIME_TEXT_BYTES];
	(void)context;
	printf("%-7s %-42s %-12s %-14s %3u/%-3u until %s%s%s\n", indicator_kind_names[listed->kind], listed->value,
	       tlp_names[listed->tlp], indicator_state_names[listed->state], listed->score, listed->confidence,
	       time_format(listed->until_ns, until), listed->warning ? "  ! " : "",
	       listed->warning ? listed->warning : "");
	return 0;
}

int command_indicator_list(const struct command_call *call, struct err *err)
{
	const struct indicator_list_options *options = call->options;
	struct indicators *store = NULL;
	struct indicators_question question = {.kind = (int)options->kind - 1,
					       .state = (int)options->state - 1,
					       .most = TLP_RED,
					       .limit = (unsigned)options->limit,
					       .least_score = (unsigned)options->score};
	char value[VALUE_BYTES_MAX + 1];
	size_t bytes;
	enum value_kind kind;
	if (call->operand_count > 1)
		return err_set(err, EXIT_USAGE, "at most one value was expected");
	if (call->operand_count == 1 &&
	    value_guess(call->operands[0], strlen(call->operands[0]), &kind, value, &bytes, err) != 0)
		return EXIT_USAGE;
	question.value = call->operand_count ? value : NULL;
	json_t *array = json_array();
	int result = command_indicators_open(options->data, &store, err);
	if (result == 0)
		result = command_collection(store, options->collection, &question.collection, err);
	if (result == 0)
		result = indicators_list(store, &question, clock_now_ns(), options->common.json ? list_json : list_text,
					 array, err);
	if (result == 0 && options->common.json) {
		json_dumpf(array, stdout, JSON_INDENT(1));
		printf("\n");
	}
	json_decref(array);
	indicators_close(store);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int add_all(const struct command_call *call, struct indicators *store, struct made_indicator *made,
		   int64_t collection, struct err *err)
{
	const struct indicators_source source = {"manual", "yagura indicator add",
						 getenv("USER") ? getenv("USER") : "local"};
	int64_t number;
	int result = indicators_begin(store, err);
	if (result == 0)
		result = indicators_source_add(store, &source, made->now_ns, &number, err);
	for (int i = 0; i < call->operand_count && result >= 0; i++) {
		char value[VALUE_BYTES_MAX + 1];
		size_t bytes;
		enum value_kind kind;
		struct made_object object;
		result = value_guess(call->operands[i], strlen(call->operands[i]), &kind, value, &bytes, err);
		made->kind = (enum indicator_kind)kind;
		made->value = value;
		if (result == 0)
			result = indicator_make(made, &object, err);
		if (result != 0)
			break;
		result = indicators_put(store, &object.object, number, collection, made->now_ns, err);
		if (result == 0)
			printf("%s\n", object.text);
		free(object.text);
		if (result == 2)
			break;
	}
	if (result == 0)
		return indicators_commit(store, err);
	indicators_rollback(store);
	return result < 0 ? result : -EINVAL;
}

int command_indicator_add(const struct command_call *call, struct err *err)
{
	const struct indicator_add_options *options = call->options;
	struct indicators *store = NULL;
	int64_t collection;
	struct made_indicator made = {.maker = "manual",
				      .name = options->name,
				      .description = options->description,
				      .tlp = (enum tlp)options->tlp,
				      .confidence = (unsigned)options->confidence,
				      .now_ns = clock_now_ns()};
	if (call->operand_count == 0)
		return err_set(err, EXIT_USAGE,
			       "a value was expected: an address, a name, a URL, a hash or an AS number");
	if (time_parse(options->from, made.now_ns, &made.from_ns, err) < 0 ||
	    (options->until && time_parse(options->until, made.now_ns, &made.until_ns, err) < 0))
		return EXIT_USAGE;
	int result = command_indicators_open(options->data, &store, err);
	if (result == 0)
		result = command_collection(store, options->collection, &collection, err);
	if (result == 0)
		result = add_all(call, store, &made, collection, err);
	indicators_close(store);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}

int command_indicator_expire(const struct command_call *call, struct err *err)
{
	const struct indicator_expire_options *options = call->options;
	struct indicators *store = NULL;
	uint64_t count = 0;
	int result = command_indicators_open(options->data, &store, err);
	if (result == 0 && call->operand_count == 0)
		result = indicators_expire(store, clock_now_ns(), &count, err);
	for (int i = 0; i < call->operand_count && result == 0; i++, count++)
		result = indicators_state_set(store, call->operands[i], STATE_EXPIRED, err);
	indicators_close(store);
	if (result == 0)
		printf(options->common.json ? "{\"expired\": %" PRIu64 "}\n" : "%" PRIu64 " expired\n", count);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}
