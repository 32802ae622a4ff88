/* yagura finding explain: the rule, what it saw, what it asks for, and the commands that derive it again, which name
 * the hub or directory that was asked, so that they can be pasted as they are.
 */
#include "cli/command_finding.h"

#include "cli/command_share_groups.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word of a shell's command line. NULL: out of memory. */
static char *word_quoted(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+@%[]";
	if (word[0] && strspn(word, plain) == strlen(word))
		return strdup(word);
	char *quoted = malloc(strlen(word) * 4 + 3), *to = quoted;
	if (!quoted)
		return NULL;
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	memcpy(to, "'", 2);
	return quoted;
}

static json_t *command_here(const char *command, const char *more, const struct member_place *place)
{
	char *where = word_quoted(place->url ? place->url : place->data);
	json_t *whole =
		where ? json_sprintf("%s%s %s %s", command, more, place->url ? "--url" : "--data", where) : NULL;
	free(where);
	return whole;
}

/* What of a finding explains it; "observations" derives the rows, "figures" their sum of packets. */
static json_t *explanation_of(const json_t *finding, const struct member_place *place)
{
	static const char *const of_finding[] = {"id",   "type",         "subject", "verdict", "member",
						 "rule", "rule_version", "first",   "last",    "packets"};
	static const char *const of_ground[] = {"observed", "thresholds", "ports", "countries",
						"tool",     "prefix",     "closed"};
	const json_t *ground = json_object_get(finding, "ground");
	const char *command = json_string_value(json_object_get(ground, "command"));
	json_t *explained = json_object();
	for (size_t i = 0; i < sizeof of_finding / sizeof *of_finding; i++)
		json_object_set(explained, of_finding[i], json_object_get(finding, of_finding[i]));
	for (size_t i = 0; i < sizeof of_ground / sizeof *of_ground; i++)
		if (json_object_get(ground, of_ground[i]))
			json_object_set(explained, of_ground[i], json_object_get(ground, of_ground[i]));
	if (command && strncmp(command, "yagura query ", 13) == 0)
		json_object_set_new(explained, "derive",
				    json_pack("{s:o*, s:o*}", "observations", command_here(command, "", place),
					      "figures", command_here(command, " --sum packets", place)));
	else if (command)
		json_object_set_new(explained, "derive", json_pack("{s:s}", "observations", command));
	return explained;
}

static void figures_print(const char *title, const json_t *figures)
{
	const char *name;
	json_t *value;
	char cell[64];
	printf("\n%s\n", title);
	json_object_foreach((json_t *)(uintptr_t)figures, name, value)
		printf("  %-40s %s\n", name, table_cell(value, cell, sizeof cell));
}

static void explanation_print(const json_t *explained)
{
	bool ja = language_is_japanese();
	const json_t *derive = json_object_get(explained, "derive");
	const json_t *closed = json_object_get(explained, "closed");
	const char *name;
	json_t *value;
	char cell[64];
	json_object_foreach((json_t *)(uintptr_t)explained, name, value)
	{
		if (json_is_object(value) || json_is_array(value))
			continue;
		printf("%-13s %s\n", name, table_cell(value, cell, sizeof cell));
	}
	figures_print(ja ? "観測した値" : "observed", json_object_get(explained, "observed"));
	figures_print(ja ? "規則のしきい値" : "thresholds of the rule", json_object_get(explained, "thresholds"));
	if (closed)
		figures_print(ja ? "終了" : "closed", closed);
	printf("\n%s\n", derive ? (ja ? "もう一度導くコマンド" : "what derives it again")
				: (ja ? "導くコマンドはありません(本体自身の検知です)"
				      : "no command derives it: it is of the system itself"));
	json_object_foreach((json_t *)(uintptr_t)derive, name, value) printf("  %s\n", json_string_value(value));
}

int command_finding_explain(const struct command_call *call, struct err *err)
{
	const struct finding_show_options *options = call->options;
	json_t *finding = NULL;
	if (call->operand_count != 1)
		return err_set(err, EXIT_USAGE, "the id of one finding was expected");
	if (finding_read(&options->place, call->pool, call->operands[0], &finding, err) < 0)
		return EXIT_FAILED;
	json_t *explained = explanation_of(finding, &options->place);
	if (options->common.json)
		share_json_out(explained);
	else
		explanation_print(explained);
	json_decref(explained);
	json_decref(finding);
	return EXIT_DONE;
}
