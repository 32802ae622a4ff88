/* The table of commands. Help, manual pages and the reading of options come from it; a command's function gets them
 * read.
 *
 * Exit status: 0 done, 1 failed, 2 wrong usage.
 */
#pragma once

#include "core/memory.h"
#include "core/option.h"

#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Every command understands these; they stand at the start of each options struct. */
struct common_options {
	bool json;
	const char *config; /* YAML file; its section is the command's name with '-' for spaces */
};

struct command_call {
	const struct command *command;
	struct pool *pool;   /* lives as long as the call */
	const void *options; /* the command's struct, defaults filled in */
	int operand_count;
	char **operands;
};

/* Option tables of other folders that a command takes in: where their struct lies in the command's own. */
struct option_group {
	const struct option_spec *table;
	size_t offset;
};

struct command {
	const char *name; /* "telescope read"; NULL ends the table */
	const char *summary, *summary_ja;
	const char *operands, *operands_help; /* "FILE...", or NULL */
	const struct option_spec *options;    /* its own, without the common ones; NULL: none */
	struct option_group groups[8];        /* further ones; a NULL table ends them */
	size_t options_bytes;
	int (*run)(const struct command_call *call, struct err *err); /* an exit status; err says why it is not 0 */
	bool reads_own_arguments; /* operands are left as they came: the command has its own form (query) */
	const char *example;
};

extern const struct command commands[];
extern const struct option_spec common_option_table[];

/* Everything a command takes: its own options, those of its groups with offsets into the command's struct, the common
 * ones. Lives in pool; NULL: out of memory. */
struct option_spec *command_options(const struct command *command, struct pool *pool);

/* "telescope read" from argv; says in *ret_words how many words it took. NULL when there is none. */
const struct command *command_find(int argc, char **argv, int *ret_words);

/* Help on standard output, in the language of the environment. */
void help_print(const struct command *command);
void help_print_all(void);
/* A page of the manual in troff (man(7)). NULL: of the program. */
void manual_print(const struct command *command);
bool language_is_japanese(void);
