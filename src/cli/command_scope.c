/* yagura scope check, show: may this be observed now, and what is it. Reasons against stand one a line, with name, file
 * and line. */
#include "cli/command_scope.h"

#include "cli/whole_file.h"
#include "core/clock.h"
#include "observe/survey/scope_check.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

const struct option_spec scope_check_option_table[] = {
	{"approvers", OPTION_PATH, OPTION_AT(struct scope_check_options, approvers), "run-data/approvers.txt",
	 .argument = "FILE", .help = "who may sign: lines as `yagura scope key` prints them",
	 .help_ja = "署名できる人の一覧(`yagura scope key` が出す行)"},
	{"at", OPTION_TEXT, OPTION_AT(struct scope_check_options, at), "now", .argument = "TIME",
	 .help = "whether it holds at this time", .help_ja = "この時刻に有効かどうか"},
	{NULL},
};

int command_scope_load(const char *path, struct pool *pool, struct scope *ret_scope, const char **ret_text,
		       struct err *err)
{
	struct whole_file file = {0};
	int result = whole_file_open(path, &file, err);
	if (result < 0)
		return result;
	char *text = pool_alloc(pool, file.bytes + 1);
	if (text && file.bytes)
		memcpy(text, file.text, file.bytes);
	size_t bytes = file.bytes;
	whole_file_close(&file);
	if (!text)
		return err_set(err, -ENOMEM, "%s: no memory to read it", path);
	if (ret_text)
		*ret_text = text;
	return scope_parse(path, text, bytes, pool, ret_scope, err);
}

static int approvers_load(const char *path, struct pool *pool, struct approvers *ret_approvers, struct err *err)
{
	struct whole_file file = {0};
	int result = whole_file_open(path, &file, err);
	if (result < 0)
		return err_prefix(err, result, "the list of approvers (--approvers)");
	result = approvers_parse(path, file.text, file.bytes, pool, ret_approvers, err);
	whole_file_close(&file);
	return result;
}

static void verdict_json(const struct scope *scope, const struct scope_verdict *verdict)
{
	json_t *refusals = json_array();
	for (size_t i = 0; i < verdict->count; i++) {
		const struct scope_refusal *refusal = &verdict->refusals[i];
		json_array_append_new(refusals,
				      json_pack("{s:s, s:s, s:i, s:s}", "name", refusal->name, "file", scope->where,
						"line", (int)refusal->line, "text", refusal->text));
	}
	json_t *whole = json_pack("{s:s, s:b, s:I, s:o, s:I}", "name", scope->name, "valid", verdict->count == 0,
				  "addresses", (json_int_t)verdict->addresses, "refusals", refusals, "left_off",
				  (json_int_t)verdict->left_off);
	json_dumpf(whole, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(whole);
}

static void verdict_print(const struct scope *scope, const struct scope_verdict *verdict)
{
	for (size_t i = 0; i < verdict->count; i++)
		printf("%s:%u: %s: %s\n", scope->where, verdict->refusals[i].line, verdict->refusals[i].name,
		       verdict->refusals[i].text);
	if (verdict->left_off)
		printf("%s: %zu more\n", scope->where, verdict->left_off);
	if (verdict->count == 0)
		printf("%s: valid: %s, %llu IPv4 addresses\n", scope->where, scope->name,
		       (unsigned long long)verdict->addresses);
}

static int one_file(const struct command_call *call, struct err *err)
{
	return call->operand_count == 1 ? 0 : err_set(err, -EINVAL, "one FILE was expected: a scope in YAML");
}

int command_scope_check(const struct command_call *call, struct err *err)
{
	const struct scope_check_options *options = call->options;
	struct scope scope;
	struct approvers approvers;
	struct scope_verdict verdict;
	int64_t at_ns;
	if (one_file(call, err) < 0 || time_parse(options->at, clock_now_ns(), &at_ns, err) < 0)
		return EXIT_USAGE;
	if (command_scope_load(call->operands[0], call->pool, &scope, NULL, err) < 0 ||
	    approvers_load(options->approvers, call->pool, &approvers, err) < 0)
		return EXIT_FAILED;
	scope_check(&scope, &approvers, NULL, 0, at_ns, &verdict);
	if (options->common.json)
		verdict_json(&scope, &verdict);
	else
		verdict_print(&scope, &verdict);
	if (verdict.count)
		err_set(err, -EPERM, "%s does not hold: nothing may be sent", call->operands[0]);
	return verdict.count ? EXIT_FAILED : EXIT_DONE;
}

static json_t *prefixes_json(const struct scope_prefixes *prefixes)
{
	json_t *array = json_array();
	char text[PREFIX_TEXT_BYTES];
	for (size_t i = 0; i < prefixes->count; i++)
		json_array_append_new(array, json_string(prefix_format(&prefixes->items[i].prefix, text)));
	return array;
}

static json_t *ports_json(const struct scope_ports *ports)
{
	json_t *array = json_array();
	for (size_t i = 0; i < ports->count; i++)
		json_array_append_new(array, json_integer(ports->items[i]));
	return array;
}

static json_t *scope_json(const struct scope *scope)
{
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
	json_t *checks = json_array(), *signatures = json_array();
	for (unsigned i = 0; i < SCOPE_CHECKS; i++)
		if (scope->checks & 1u << i)
			json_array_append_new(checks, json_string(scope_check_names[i]));
	for (size_t i = 0; i < scope->signature_count; i++)
		json_array_append_new(signatures,
				      json_pack("{s:s, s:s, s:s}", "person", scope->signatures[i].person, "signed_at",
						scope->signatures[i].signed_at, "key", scope->signatures[i].key));
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:{s:I, s:I, s:I, s:I}, s:o}",
			 "name", scope->name, "legal_basis", scope->legal_basis, "organisation", scope->organisation,
			 "responsible", scope->responsible, "contact", "name", scope->contact_name, "mail",
			 scope->contact_mail, "web", scope->contact_web, "reverse_dns", scope->reverse_dns, "period",
			 "from", time_format(scope->from_ns, from), "until", time_format(scope->until_ns, until),
			 "networks", prefixes_json(&scope->networks), "opt_out", prefixes_json(&scope->opt_out),
			 "sources", prefixes_json(&scope->sources), "tcp", ports_json(&scope->tcp), "udp",
			 ports_json(&scope->udp), "checks", checks, "rates", "packets_per_second",
			 (json_int_t)scope->packets_per_second, "packets_per_network",
			 (json_int_t)scope->packets_per_network, "packets_per_target",
			 (json_int_t)scope->packets_per_target, "login_tries", (json_int_t)scope->login_tries,
			 "signatures", signatures);
}

static void list_print(const char *title, const json_t *array)
{
	size_t i;
	const json_t *item;
	printf("%-14s", title);
	json_array_foreach(array, i, item)
	{
		if (json_is_object(item))
			printf(" %s (%s);", json_string_value(json_object_get(item, "person")),
			       json_string_value(json_object_get(item, "signed_at")));
		else if (json_is_string(item))
			printf(" %s", json_string_value(item));
		else
			printf(" %lld", (long long)json_integer_value(item));
	}
	putchar('\n');
}

static void show_print(const json_t *value)
{
	const char *key, *name;
	json_t *item, *inner;
	json_object_foreach((json_t *)value, key, item)
	{
		if (json_is_string(item))
			printf("%-14s %s\n", key, json_string_value(item));
		else if (json_is_array(item))
			list_print(key, item);
		else
			json_object_foreach(item, name, inner)
			{
				if (json_is_string(inner))
					printf("%-14s %s: %s\n", key, name, json_string_value(inner));
				else
					printf("%-14s %s: %lld\n", key, name, (long long)json_integer_value(inner));
			}
	}
}

int command_scope_show(const struct command_call *call, struct err *err)
{
	const struct common_options *options = call->options;
	struct scope scope;
	if (one_file(call, err) < 0)
		return EXIT_USAGE;
	if (command_scope_load(call->operands[0], call->pool, &scope, NULL, err) < 0)
		return EXIT_FAILED;
	json_t *whole = scope_json(&scope);
	if (!whole) {
		err_set(err, -ENOMEM, "no memory to show %s", call->operands[0]);
		return EXIT_FAILED;
	}
	if (options->json) {
		json_dumpf(whole, stdout, JSON_INDENT(1));
		putchar('\n');
	} else {
		show_print(whole);
	}
	json_decref(whole);
	return EXIT_DONE;
}
