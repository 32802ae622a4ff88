/* Option tables: from text, from argv, from YAML (libyaml). See option.h for the contract. */
#include "core/option.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Levenshtein distance, bounded: names are short. */
static size_t name_distance(const char *a, const char *b)
{
	enum { MOST = 48 };
	size_t la = strlen(a), lb = strlen(b), row[MOST + 1];
	if (la > MOST || lb > MOST)
		return MOST;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

const char *name_nearest(const char *wanted, const char *(*next)(const void *, size_t), const void *context)
{
	const char *nearest = NULL, *name;
	size_t least = 4;
	for (size_t i = 0; (name = next(context, i)) != NULL; i++) {
		size_t distance = name_distance(wanted, name);
		if (distance < least && distance < strlen(name)) {
			least = distance;
			nearest = name;
		}
	}
	return nearest;
}

static const char *option_name_at(const void *context, size_t i)
{
	return ((const struct option_spec *)context)[i].name;
}

const struct option_spec *option_find(const struct option_spec *table, const char *name)
{
	for (const struct option_spec *spec = table; spec->name; spec++)
		if (strcmp(spec->name, name) == 0)
			return spec;
	return NULL;
}

static int option_int(const struct option_spec *spec, const char *text, int64_t *ret_value, struct err *err)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || errno)
		return err_set(err, -EINVAL, "--%s: '%.64s' is not a number", spec->name, text);
	if (spec->type == OPTION_SIZE) {
		static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
		size_t i = 0;
		while (i < 5 && strcmp(end, units[i]) != 0)
			i++;
		if (i == 5 || value < 0 || value > (INT64_MAX >> (10 * i)))
			return err_set(err, -EINVAL, "--%s: '%.64s' is not a size; expected one like 64MiB or 2GiB",
				       spec->name, text);
		value <<= 10 * i;
	} else if (*end) {
		return err_set(err, -EINVAL, "--%s: '%.64s' is not a number", spec->name, text);
	}
	*ret_value = value;
	return 0;
}

static int option_choice(const struct option_spec *spec, const char *text, int64_t *ret_index, struct err *err)
{
	size_t length = strlen(text);
	int64_t index = 0;
	for (const char *at = spec->choices; *at; index++) {
		size_t item = strcspn(at, "|");
		if (item == length && memcmp(at, text, item) == 0) {
			*ret_index = index;
			return 0;
		}
		at += item + (at[item] == '|');
	}
	return err_set(err, -EINVAL, "--%s: '%.64s' was given, one of %s was expected", spec->name, text,
		       spec->choices);
}

static int option_flag(const struct option_spec *spec, const char *text, bool *ret_flag, struct err *err)
{
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "on") == 0;
	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0 && strcmp(text, "off") != 0)
		return err_set(err, -EINVAL, "--%s: '%.64s' was given, true or false was expected", spec->name, text);
	*ret_flag = yes;
	return 0;
}

/* A list with one more item; lists are short, so growing by one is fine. */
static void *list_grow(struct pool *pool, void *items, size_t count, size_t item_bytes)
{
	void *grown = pool_array(pool, count + 1, item_bytes);
	if (grown && items) {
		memcpy(grown, items, count * item_bytes);
		pool_release(pool, items);
	}
	return grown;
}

static int option_add_prefix(const struct option_spec *spec, const char *text, struct prefix_list *list,
			     struct pool *pool, struct err *err)
{
	struct prefix prefix;
	int result = prefix_parse(text, &prefix, err);
	if (result < 0)
		return err_prefix(err, result, "--%s", spec->name);
	struct prefix *grown = list_grow(pool, list->items, list->count, sizeof prefix);
	if (!grown)
		return -ENOMEM;
	grown[list->count] = prefix;
	*list = (struct prefix_list){grown, list->count + 1};
	return 0;
}

static int option_add_text(const char *text, struct text_list *list, struct pool *pool)
{
	const char **grown = list_grow(pool, list->items, list->count, sizeof *grown);
	if (!grown || !(grown[list->count] = pool_text(pool, text)))
		return -ENOMEM;
	*list = (struct text_list){grown, list->count + 1};
	return 0;
}

static int option_assign(const struct option_spec *spec, void *values, struct pool *pool, const char *text,
			 struct err *err)
{
	void *at = (char *)values + spec->offset;
	int64_t number = 0;
	int result = 0;
	switch (spec->type) {
	case OPTION_FLAG:
		return option_flag(spec, text, at, err);
	case OPTION_CHOICE:
		return option_choice(spec, text, at, err);
	case OPTION_PREFIXES:
		return option_add_prefix(spec, text, at, pool, err);
	case OPTION_TEXTS:
		return option_add_text(text, at, pool);
	case OPTION_TEXT:
	case OPTION_PATH:
		*(const char **)at = pool_text(pool, text);
		return *(const char **)at ? 0 : -ENOMEM;
	case OPTION_DURATION:
		result = duration_parse(text, &number, err);
		if (result < 0)
			return err_prefix(err, result, "--%s", spec->name);
		break;
	case OPTION_INT:
	case OPTION_SIZE:
		result = option_int(spec, text, &number, err);
		if (result < 0)
			return result;
		break;
	}
	if ((spec->min || spec->max) && (number < spec->min || number > spec->max))
		return err_set(err, -EINVAL, "--%s: %.64s is out of range; %lld to %lld was expected", spec->name, text,
			       (long long)spec->min, (long long)spec->max);
	*(int64_t *)at = number;
	return 0;
}

int options_init(const struct option_spec *table, void *values, struct pool *pool, struct err *err)
{
	for (const struct option_spec *spec = table; spec->name; spec++) {
		int result = spec->default_text ? option_assign(spec, values, pool, spec->default_text, err) : 0;
		if (result < 0)
			return result;
	}
	return 0;
}

int option_set(const struct option_spec *table, void *values, struct pool *pool, const char *name, const char *text,
	       struct err *err)
{
	const struct option_spec *spec = option_find(table, name);
	if (spec)
		return option_assign(spec, values, pool, text, err);
	const char *near = name_nearest(name, option_name_at, table);
	if (near)
		return err_set(err, -ENOENT, "there is no option '%.64s'; did you mean '%s'?", name, near);
	return err_set(err, -ENOENT, "there is no option '%.64s'; --help lists them", name);
}

/* One option with its value out of argv[i]; says in *ret_next where to go on. */
static int option_take(const struct option_spec *table, void *values, struct pool *pool, int argc, char **argv, int i,
		       int *ret_next, struct err *err)
{
	char name[64];
	const char *word = argv[i] + 2, *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	if (length >= sizeof name)
		return err_set(err, -EINVAL, "there is no option '%.64s'; --help lists them", word);
	memcpy(name, word, length);
	name[length] = '\0';
	*ret_next = i + 1;

	const struct option_spec *spec = option_find(table, name);
	bool negated = !spec && strncmp(name, "no-", 3) == 0 && (spec = option_find(table, name + 3)) != NULL &&
		       spec->type == OPTION_FLAG;
	if (negated)
		return option_assign(spec, values, pool, "false", err);
	if (!spec || equals || spec->type == OPTION_FLAG)
		return option_set(table, values, pool, name, equals ? equals + 1 : "true", err);
	if (i + 1 >= argc)
		return err_set(err, -EINVAL, "--%s: %s was expected after it", name,
			       spec->argument ? spec->argument : "a value");
	int result = option_assign(spec, values, pool, argv[i + 1], err);
	*ret_next = i + 2;
	struct prefix more;
	while (result == 0 && spec->type == OPTION_PREFIXES && *ret_next < argc && argv[*ret_next][0] != '-' &&
	       prefix_parse(argv[*ret_next], &more, NULL) == 0)
		result = option_assign(spec, values, pool, argv[(*ret_next)++], err);
	return result;
}

/* "-s" as "--stat". NULL: there is no such letter. */
static char *letter_expand(const struct option_spec *table, struct pool *pool, const char *given, struct err *err)
{
	const struct option_spec *spec = table;
	while (spec->name && (spec->letter != given[1] || given[2]))
		spec++;
	size_t bytes = spec->name ? strlen(spec->name) + 3 : 0;
	char *name = bytes ? pool_alloc(pool, bytes) : NULL;
	if (name)
		snprintf(name, bytes, "--%s", spec->name);
	else
		err_set(err, -EINVAL, "there is no option '%.64s'; --help lists them", given);
	return name;
}

int options_take(const struct option_spec *table, void *values, struct pool *pool, int *argc, char **argv,
		 struct err *err)
{
	int kept = 0, i = 0;
	while (i < *argc) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < *argc; i++)
				argv[kept++] = argv[i];
			break;
		}
		if (argv[i][0] == '-' && argv[i][1] != '-' && argv[i][1]) {
			argv[i] = letter_expand(table, pool, argv[i], err);
			if (!argv[i])
				return -EINVAL;
		}
		if (strncmp(argv[i], "--", 2) != 0) {
			argv[kept++] = argv[i++];
			continue;
		}
		int result = option_take(table, values, pool, *argc, argv, i, &i, err);
		if (result < 0)
			return result == -ENOENT ? -EINVAL : result;
	}
	*argc = kept;
	return 0;
}

struct yaml_walk {
	const struct option_spec *table;
	void *values;
	struct pool *pool;
	yaml_document_t *document;
	const char *where;
	struct err *err;
};

static int yaml_refuse(const struct yaml_walk *walk, const yaml_node_t *node, int code)
{
	return err_prefix(walk->err, code, "%s:%zu", walk->where, node->start_mark.line + 1);
}

static int yaml_set(const struct yaml_walk *walk, const char *name, const yaml_node_t *value)
{
	if (value->type == YAML_SCALAR_NODE) {
		int result = option_set(walk->table, walk->values, walk->pool, name,
					(const char *)value->data.scalar.value, walk->err);
		return result < 0 ? yaml_refuse(walk, value, -EINVAL) : 0;
	}
	const struct option_spec *spec = option_find(walk->table, name);
	bool list = spec && (spec->type == OPTION_PREFIXES || spec->type == OPTION_TEXTS);
	if (value->type != YAML_SEQUENCE_NODE || !list) {
		err_set(walk->err, -EINVAL, "%s: %s was expected", name, list ? "a list" : "a single value");
		return yaml_refuse(walk, value, -EINVAL);
	}
	for (yaml_node_item_t *item = value->data.sequence.items.start; item < value->data.sequence.items.top; item++) {
		const yaml_node_t *node = yaml_document_get_node(walk->document, *item);
		if (node->type != YAML_SCALAR_NODE) {
			err_set(walk->err, -EINVAL, "%s: a list of single values was expected", name);
			return yaml_refuse(walk, node, -EINVAL);
		}
		int result = yaml_set(walk, name, node);
		if (result < 0)
			return result;
	}
	return 0;
}

static int yaml_mapping(const struct yaml_walk *walk, const yaml_node_t *mapping, const char *section)
{
	if (mapping->type != YAML_MAPPING_NODE) {
		err_set(walk->err, -EINVAL, "a mapping (name: value) was expected");
		return yaml_refuse(walk, mapping, -EINVAL);
	}
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
	     pair++) {
		const yaml_node_t *key = yaml_document_get_node(walk->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(walk->document, pair->value);
		if (key->type != YAML_SCALAR_NODE) {
			err_set(walk->err, -EINVAL, "a name was expected");
			return yaml_refuse(walk, key, -EINVAL);
		}
		const char *name = (const char *)key->data.scalar.value;
		int result = 0;
		if (!section)
			result = yaml_set(walk, name, value);
		else if (strcmp(name, section) == 0)
			result = yaml_mapping(walk, value, NULL);
		if (result < 0)
			return result;
	}
	return 0;
}

int options_from_yaml(const struct option_spec *table, void *values, struct pool *pool, const char *yaml, size_t bytes,
		      const char *section, const char *where, struct err *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, bytes);
	if (!yaml_parser_load(&parser, &document)) {
		int result = err_set(err, -EINVAL, "%s:%zu: not YAML: %s", where, parser.problem_mark.line + 1,
				     parser.problem ? parser.problem : "unreadable");
		yaml_parser_delete(&parser);
		return result;
	}
	struct yaml_walk walk = {table, values, pool, &document, where, err};
	const yaml_node_t *root = yaml_document_get_root_node(&document);
	int result = root ? yaml_mapping(&walk, root, section) : 0;
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	return result;
}
