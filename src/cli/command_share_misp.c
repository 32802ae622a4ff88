/* yagura share misp: a collection as the files of a MISP feed, or one event of it. */
#include "cli/command_share.h"

#include "cli/command_indicator.h"
#include "core/clock.h"
#include "share/misp_feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const struct option_spec share_misp_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct share_misp_options, data), "run-data", .argument = "DIR",
	 .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ"},
	{"event", OPTION_TEXT, OPTION_AT(struct share_misp_options, event), .argument = "UUID",
	 .help = "print only this event", .help_ja = "このイベントだけを出力する"},
	{"output", OPTION_PATH, OPTION_AT(struct share_misp_options, output), .argument = "DIR",
	 .help = "write manifest.json, hashes.csv and the events there, to be served by any web server",
	 .help_ja = "manifest.json・hashes.csv・イベントをここに書く。任意のウェブサーバーで配れる"},
	{NULL},
};

struct misp_writing {
	const char *folder; /* NULL: print */
	json_t *manifest;
	FILE *hashes;
	struct err *err;
};

static int file_add(void *context, const char *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -EIO;
}

static int json_write(const char *folder, const char *name, const json_t *json, struct err *err)
{
	char path[4096], part[4096 + 8];
	snprintf(path, sizeof path, "%s/%s.json", folder, name);
	snprintf(part, sizeof part, "%s.part", path);
	if (json_dump_file(json, part, JSON_COMPACT) < 0 || rename(part, path) < 0)
		return err_set(err, -EIO, "%s: cannot be written: %s", path, strerror(errno));
	return 0;
}

static int event_write(void *context, const json_t *event)
{
	struct misp_writing *writing = context;
	const char *uuid = json_string_value(json_object_get(json_object_get(event, "Event"), "uuid"));
	if (!writing->folder) {
		json_dumpf(event, stdout, JSON_INDENT(1));
		printf("\n");
		return 0;
	}
	if (strspn(uuid, "0123456789abcdefABCDEF-") != strlen(uuid))
		return 0;
	misp_manifest_add(writing->manifest, event);
	int result = misp_hashes_write(event, file_add, writing->hashes);
	return result < 0 ? err_set(writing->err, result, "%s/hashes.csv: cannot be written", writing->folder)
			  : json_write(writing->folder, uuid, event, writing->err);
}

static int folder_write(const struct misp_feed *feed, struct misp_writing *writing, struct err *err)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/hashes.csv", writing->folder);
	if (mkdir(writing->folder, 0777) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", writing->folder, strerror(errno));
	writing->hashes = fopen(path, "we");
	if (!writing->hashes)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	writing->manifest = json_object();
	int result = misp_feed_events(feed, NULL, event_write, writing, err);
	if (fclose(writing->hashes) != 0 && result == 0)
		result = err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (result == 0)
		result = json_write(writing->folder, "manifest", writing->manifest, err);
	if (result == 0)
		printf("%zu events\n", json_object_size(writing->manifest));
	json_decref(writing->manifest);
	return result;
}

int command_share_misp(const struct command_call *call, struct err *err)
{
	const struct share_misp_options *options = call->options;
	struct indicators *store = NULL;
	struct indicators_collection collection;
	struct misp_writing writing = {.folder = options->output, .err = err};
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE,
			       "the name of a collection was expected; `yagura share taxii` lists them");
	int result = command_indicators_open(options->data, &store, err);
	if (result == 0)
		result = indicators_collection_find(store, call->operands[0], &collection, err);
	if (result == 1)
		result = err_set(err, -ENOENT, "there is no collection '%.80s'", call->operands[0]);
	const struct misp_feed feed = {.store = store, .collection = &collection, .now_ns = clock_now_ns()};
	if (result == 0)
		result = options->output ? folder_write(&feed, &writing, err)
					 : misp_feed_events(&feed, options->event, event_write, &writing, err);
	indicators_close(store);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}
