/* yagura query and status: what is asked of the store. While a hub runs on the data directory they go to
 * the hub, which holds its lock; otherwise the store is opened here.
 */
#include "cli/commands.h"
#include "cli/data.h"
#include "cli/table.h"

#include "core/clock.h"
#include "store/query.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct option_spec data_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct data_options, data), "run-data", .argument = "DIR",
	 .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ"},
	{"url", OPTION_TEXT, OPTION_AT(struct data_options, url), .argument = "URL",
	 .help = "ask this hub instead of the one on the data directory", .help_ja = "このアドレスのハブに尋ねる"},
	{"token", OPTION_TEXT, OPTION_AT(struct data_options, token), .argument = "TOKEN",
	 .help = "API token for --url (or in the environment variable YAGURA_TOKEN)",
	 .help_ja = "--url のための API トークン(環境変数 YAGURA_TOKEN でもよい)"},
	{"csv", OPTION_FLAG, OPTION_AT(struct data_options, csv), .help = "print comma-separated values (query)",
	 .help_ja = "CSV で出力する(query)"},
	{NULL},
};
struct hub_address data_hub(const struct data_options *options)
{
	return (struct hub_address){options->data, options->url,
				    options->token ? options->token : getenv("YAGURA_TOKEN")};
}

int data_store_open(const char *dir, struct pool *pool, struct store **ret_store, struct err *err)
{
	struct store_options options = {0};
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/observations.duckdb", dir);
	if (access(path, F_OK) < 0)
		return err_set(err, -ENOENT, "%s: there is no store here; --data DIR names the hub's data directory",
			       dir);
	int result = options_init(store_option_table, &options, pool, err);
	options.dir = dir;
	return result < 0 ? result : store_open(&options, ret_store, err);
}

/* RFC 4180; a text that a spreadsheet would take for a formula is defused. */
static void csv_cell(const json_t *value, bool first)
{
	char buffer[64];
	const char *text = table_cell(value, buffer, sizeof buffer);
	bool quote = strpbrk(text, ",\"\r\n") != NULL;
	bool formula = json_is_string(value) && text[0] && strchr("=+-@\t", text[0]);
	fputs(first ? "" : ",", stdout);
	fputs(quote ? "\"" : "", stdout);
	fputs(formula ? "'" : "", stdout);
	for (const char *at = text; *at; at++) {
		if (*at == '"')
			putchar('"');
		putchar(*at);
	}
	fputs(quote ? "\"" : "", stdout);
}

static void answer_print_csv(const json_t *columns, const json_t *rows)
{
	size_t r, c;
	json_t *row, *value;
	json_array_foreach(columns, c, value) csv_cell(json_object_get(value, "name"), c == 0);
	printf("\r\n");
	json_array_foreach(rows, r, row)
	{
		json_array_foreach(row, c, value) csv_cell(value, c == 0);
		printf("\r\n");
	}
}

static void answer_print(const struct data_options *options, const json_t *answer)
{
	const json_t *columns = json_object_get(answer, "columns"), *rows = json_object_get(answer, "rows");
	if (options->common.json) {
		json_dumpf(answer, stdout, JSON_INDENT(1));
		printf("\n");
	} else if (options->csv) {
		answer_print_csv(columns, rows);
	} else {
		table_print(columns, rows);
		fprintf(stderr, "%zu rows, %s, %lld ms\n", json_array_size(rows),
			json_is_true(json_object_get(answer, "exact")) ? "exact" : "estimated",
			(long long)json_integer_value(json_object_get(answer, "elapsed_ms")));
		if (json_object_get(answer, "since"))
			fprintf(stderr, "minute tuples before %s are gone; this answer lacks them\n",
				json_string_value(json_object_get(answer, "since")));
	}
}

/* The words of `yagura query`: options of data_option_table are taken out wherever they stand, the rest describes the
 * query. */
static int query_words(const struct command_call *call, struct data_options *options, int *ret_count, struct err *err)
{
	int kept = 0;
	for (int i = 0; i < call->operand_count; i++) {
		char **word = call->operands + i;
		char name[32];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(*word, "="), *word);
		const struct option_spec *spec =
			strncmp(name, "--", 2) == 0 ? option_find(data_option_table, name + 2) : NULL;
		if (strncmp(name, "--", 2) == 0 && !spec)
			spec = option_find(common_option_table, name + 2);
		if (!spec) {
			call->operands[kept++] = *word;
			continue;
		}
		const char *equals = strchr(*word, '='), *value = equals ? equals + 1 : "true";
		if (!equals && spec->type != OPTION_FLAG) {
			if (i + 1 >= call->operand_count)
				return err_set(err, -EINVAL, "--%s: a value was expected after it", spec->name);
			value = call->operands[++i];
		}
		const struct option_spec *table =
			option_find(data_option_table, spec->name) ? data_option_table : common_option_table;
		int result = option_set(table, options, call->pool, spec->name, value, err);
		if (result < 0)
			return result;
	}
	*ret_count = kept;
	return 0;
}

static int query_ask(const struct data_options *options, struct pool *pool, const struct query *query,
		     json_t **ret_answer, struct err *err)
{
	struct hub_address hub = data_hub(options);
	if (hub.url || hub_is_running(&hub)) {
		json_t *body = query_to_json(query);
		int result = body ? hub_request(&hub, "POST", "/query", body, ret_answer, err) : -ENOMEM;
		json_decref(body);
		return result;
	}
	struct store *store = NULL;
	int result = data_store_open(options->data, pool, &store, err);
	if (result == 0)
		result = store_query(store, query, ret_answer, err);
	store_close(store);
	return result;
}

int command_query(const struct command_call *call, struct err *err)
{
	struct data_options options = *(const struct data_options *)call->options;
	int count = 0;
	for (int i = 0; i < call->operand_count; i++)
		if (strcmp(call->operands[i], "--help") == 0 || strcmp(call->operands[i], "-h") == 0) {
			help_print(call->command);
			printf("\n%s", language_is_japanese() ? query_arguments_help_ja : query_arguments_help);
			return EXIT_DONE;
		}
	if (query_words(call, &options, &count, err) < 0)
		return EXIT_USAGE;
	struct query *query = NULL;
	if (query_from_arguments(count, call->operands, clock_now_ns(), &query, err) < 0)
		return EXIT_USAGE;
	json_t *answer = NULL;
	int result = query_ask(&options, call->pool, query, &answer, err);
	if (result == 0)
		answer_print(&options, answer);
	json_decref(answer);
	query_free(query);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void status_print(const json_t *status)
{
	size_t i;
	json_t *sensor, *store = json_object_get(status, "store");
	printf("yagura %s, %s\n", json_string_value(json_object_get(status, "version")),
	       json_string_value(json_object_get(status, "mode")));
	printf("store   %s  %.1f MB, %.1f GB free\n", json_string_value(json_object_get(store, "state")),
	       json_number_value(json_object_get(store, "bytes")) / 1e6,
	       json_number_value(json_object_get(store, "free_bytes")) / 1e9);
	if (json_is_string(json_object_get(store, "reason")))
		printf("        %s\n", json_string_value(json_object_get(store, "reason")));
	json_array_foreach(json_object_get(status, "sensors"), i, sensor)
	{
		const char *name;
		json_t *packets;
		printf("sensor  %s  %s  %.0f packets/s, %lld packets, %lld lost\n",
		       json_string_value(json_object_get(sensor, "name")),
		       json_string_value(json_object_get(sensor, "state")),
		       json_number_value(json_object_get(sensor, "pps")),
		       (long long)json_number_value(json_object_get(sensor, "packets")),
		       (long long)json_number_value(json_object_get(sensor, "lost")));
		json_object_foreach(json_object_get(sensor, "malformed"), name, packets)
			printf("        malformed  %s  %lld\n", name, (long long)json_integer_value(packets));
	}
}

int command_status(const struct command_call *call, struct err *err)
{
	const struct data_options *options = call->options;
	struct hub_address hub = data_hub(options);
	json_t *status = NULL;
	if (hub_request(&hub, "GET", "/status", NULL, &status, err) < 0)
		return EXIT_FAILED;
	if (options->common.json) {
		json_dumpf(status, stdout, JSON_INDENT(1));
		printf("\n");
	} else {
		status_print(status);
	}
	json_decref(status);
	return EXIT_DONE;
}
