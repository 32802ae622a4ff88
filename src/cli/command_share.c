/* yagura share taxii: the collections, one for each audience, and how they are read. */
#include "cli/command_share.h"

#include "cli/command_indicator.h"
#include "core/clock.h"
#include "store/indicators.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

const struct option_spec share_taxii_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct share_taxii_options, data), "run-data", .argument = "DIR",
	 .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ"},
	{"title", OPTION_TEXT, OPTION_AT(struct share_taxii_options, title), .argument = "TEXT", .help = "its title",
	 .help_ja = "題名"},
	{"description", OPTION_TEXT, OPTION_AT(struct share_taxii_options, description), .argument = "TEXT",
	 .help = "what it holds and for whom", .help_ja = "内容と対象者"},
	{"clearance", OPTION_CHOICE, OPTION_AT(struct share_taxii_options, clearance), "green",
	 .choices = "clear|green|amber|amber+strict|red", .help = "the strictest TLP that it may hold",
	 .help_ja = "置いてよい最も厳しい TLP"},
	{"automatic", OPTION_FLAG, OPTION_AT(struct share_taxii_options, automatic),
	 .help = "whatever the clearance allows is put there by itself", .help_ja = "許される範囲のものを自動で置く"},
	{"writable", OPTION_FLAG, OPTION_AT(struct share_taxii_options, writable), .help = "its readers may add to it",
	 .help_ja = "読み手による追加を許す"},
	{"readers", OPTION_TEXT, OPTION_AT(struct share_taxii_options, readers), .argument = "NAMES",
	 .help = "users and tokens that may read it, separated by blanks; * for all that sign in",
	 .help_ja = "読んでよい利用者とトークンの名前(空白区切り)。* はサインインした全員"},
	{NULL},
};

static json_t *collection_json(const struct indicators_collection *collection)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s}", "id", collection->uuid, "name", collection->name,
			 "title", collection->title, "description", collection->description, "clearance",
			 tlp_names[collection->clearance], "automatic", (int)collection->automatic, "writable",
			 (int)collection->writable, "readers", collection->readers);
}

static int collection_list(void *context, const struct indicators_collection *collection)
{
	return json_array_append_new(context, collection_json(collection));
}

static int collection_print(void *context, const struct indicators_collection *collection)
{
	(void)context;
	printf("%-20s %s  up to TLP:%-12s %s%s readers: %s\n", collection->name, collection->uuid,
	       tlp_names[collection->clearance], collection->automatic ? "automatic " : "",
	       collection->writable ? "writable " : "", collection->readers[0] ? collection->readers : "analysts only");
	return 0;
}

static int collections_say(const struct share_taxii_options *options, struct indicators *store, struct err *err)
{
	json_t *array = json_array();
	int result =
		indicators_collections(store, options->common.json ? collection_list : collection_print, array, err);
	if (result == 0 && options->common.json) {
		json_dumpf(array, stdout, JSON_INDENT(1));
		printf("\n");
	}
	json_decref(array);
	return result;
}

static int collection_write(const struct share_taxii_options *options, struct indicators *store, const char *name,
			    struct err *err)
{
	struct indicators_collection collection = {.clearance = (enum tlp)options->clearance,
						   .automatic = options->automatic,
						   .writable = options->writable};
	const struct {
		char *to;
		size_t bytes;
		const char *from;
	} texts[] = {{collection.name, sizeof collection.name, name},
		     {collection.title, sizeof collection.title, options->title},
		     {collection.description, sizeof collection.description, options->description},
		     {collection.readers, sizeof collection.readers, options->readers}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (snprintf(texts[i].to, texts[i].bytes, "%s", texts[i].from ? texts[i].from : "") >=
		    (int)texts[i].bytes)
			return err_set(err, -1, "'%.40s...' is too long", texts[i].from);
	int result = indicators_collection_put(store, &collection, clock_now_ns(), err);
	if (result < 0)
		return result;
	if (options->common.json) {
		json_t *json = collection_json(&collection);
		json_dumpf(json, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(json);
		return 0;
	}
	collection_print(NULL, &collection);
	printf("try it: curl -u name:TOKEN -H 'Accept: application/taxii+json;version=2.1' "
	       "'https://HUB/taxii2/api/collections/%s/objects/?limit=10'\n",
	       collection.uuid);
	return 0;
}

int command_share_taxii(const struct command_call *call, struct err *err)
{
	const struct share_taxii_options *options = call->options;
	struct indicators *store = NULL;
	if (call->operand_count > 1)
		return err_set(err, EXIT_USAGE, "at most one name was expected");
	int result = command_indicators_open(options->data, &store, err);
	if (result == 0)
		result = call->operand_count ? collection_write(options, store, call->operands[0], err)
					     : collections_say(options, store, err);
	indicators_close(store);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}
