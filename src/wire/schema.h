/* JSON schemas (draft 2020-12, the keywords that OASIS' STIX schemas use) as tables, and their judgement over a tape.
 *
 * The tables are written by schema_compile.py from the schemas themselves, so that the verdict is theirs and not a
 * reading of them. Expressions are automata: each byte is read once, whatever a stranger sends. Names of members are
 * numbered at build time; where a keyword asks for a name it asks for a bit.
 */
#pragma once

#include "core/err.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCHEMA_KEY_WORDS = 7, /* 64 names each */
	SCHEMA_DEPTH_MAX = 64,
	SCHEMA_MEMBERS_MAX = 16384, /* of all objects that are open at once, one within the other */
	SCHEMA_PATH_BYTES = 256,
};

struct schema_key_set {
	uint64_t bits[SCHEMA_KEY_WORDS];
};

struct schema_automaton {
	const uint16_t *table;          /* [state * class_count + class] */
	const uint8_t *classes, *state; /* of each byte; of each state: 1 matches at the end, 2 stays as it is */
	uint16_t class_count, begin;
	struct schema_key_set known; /* which of the numbered names match */
};

enum schema_type {
	TYPE_NULL = 1,
	TYPE_BOOLEAN = 2,
	TYPE_OBJECT = 4,
	TYPE_ARRAY = 8,
	TYPE_NUMBER = 16,
	TYPE_STRING = 32,
	TYPE_INTEGER = 64
};

struct schema_value {
	const char *text; /* NULL: `boolean` is meant */
	uint16_t bytes;
	bool boolean;
};

/* Numbers of nodes, lists and so on start at 1; 0: the keyword is not there. A list is a count and then its items. */
struct schema_node {
	uint16_t types;         /* enum schema_type, 0: any */
	uint16_t all, any, one; /* lists of nodes */
	uint16_t not, if_, then;
	uint16_t items, contains, names;
	uint16_t properties;       /* row of the map of names to nodes */
	uint16_t patterns;         /* list: automaton, node, automaton, node ... */
	uint16_t additional;       /* node; SCHEMA_NOTHING: none may be there */
	uint16_t required;         /* key set */
	uint16_t values;           /* list: enum and const */
	uint16_t kinds;            /* list: what the member `type` must be one of for this node to be met at all */
	uint16_t pattern, format;  /* automata; both of a string */
	uint16_t minimum, maximum; /* of `numbers` */
	uint16_t min_items, min_properties, min_length, max_length;
	const char *name; /* of the schema's file or definition, for sentences; NULL: none of its own */
};
#define SCHEMA_NOTHING UINT16_MAX

struct schema {
	const struct schema_node *nodes;
	const uint16_t *lists;
	const uint16_t *properties; /* [row * key_count + key] */
	const struct schema_key_set *key_sets;
	const struct schema_automaton *automata;
	const struct schema_value *values;
	const double *numbers;
	const struct schema_value *keys; /* names by number */
	const uint16_t *slots;           /* hash table of names: number + 1 */
	const uint16_t *kind_nodes;      /* by name: the node that judges objects of that type, or 0 */
	uint32_t slot_mask;
	uint16_t key_count;
};

struct schema_member {
	const char *name;
	uint32_t name_bytes, value; /* value: place on the tape */
	uint16_t key;               /* key_count: not numbered */
};

/* What a judgement needs; some hundred KiB, kept by the caller from one to the next. */
struct schema_run {
	const struct schema *schema;
	struct json_tape tape;
	uint32_t member_count;
	bool explain, overflow;
	size_t path_bytes;
	char path[SCHEMA_PATH_BYTES], reason[ERR_TEXT_BYTES], at[SCHEMA_PATH_BYTES];
	struct schema_member members[SCHEMA_MEMBERS_MAX];
};

uint16_t schema_key(const struct schema *schema, const char *name, size_t bytes); /* key_count: none */
bool schema_matches(const struct schema_automaton *automaton, const char *text, size_t bytes);

/* 0: the value at `place` of run->tape meets the node. 1: it does not; err says where (a JSON pointer) and why.
 * -E2BIG: more members than SCHEMA_MEMBERS_MAX. */
int schema_judge(struct schema_run *run, uint16_t node, uint32_t place, struct err *err) must_check;
