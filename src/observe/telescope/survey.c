/* Reading the list of survey organisations (libyaml). Form: `organisations:` a list of mappings with `name`, `prefixes`
 * (a list), and optional `url`, `looked_at`. Unknown keys are refused, so that a misspelt one does not pass in silence.
 */
#include "observe/telescope/survey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct survey_file {
	const char *path;
	yaml_document_t document;
	struct pool *pool;
	struct prefix_list prefixes;
	size_t room;
};

static int survey_refuse(const struct survey_file *file, const yaml_node_t *node, struct err *err, const char *sentence)
{
	return err_set(err, -EINVAL, "%s:%zu: %s", file->path, node->start_mark.line + 1, sentence);
}

static int survey_prefix(struct survey_file *file, const yaml_node_t *node, struct err *err)
{
	struct prefix prefix;
	if (node->type != YAML_SCALAR_NODE)
		return survey_refuse(file, node, err, "a prefix was expected");
	int result = prefix_parse((const char *)node->data.scalar.value, &prefix, err);
	if (result < 0)
		return err_prefix(err, result, "%s:%zu", file->path, node->start_mark.line + 1);
	if (file->prefixes.count == file->room) {
		size_t room = file->room ? file->room * 2 : 64;
		struct prefix *grown = pool_array(file->pool, room, sizeof *grown);
		if (!grown)
			return err_set(err, -ENOMEM, "no memory for survey organisations");
		if (file->prefixes.count)
			memcpy(grown, file->prefixes.items, file->prefixes.count * sizeof *grown);
		pool_release(file->pool, file->prefixes.items);
		file->prefixes.items = grown;
		file->room = room;
	}
	file->prefixes.items[file->prefixes.count++] = prefix;
	return 0;
}

static int survey_organisation(struct survey_file *file, const yaml_node_t *node, struct err *err)
{
	static const char *const known[] = {"name", "prefixes", "url", "looked_at", "source", NULL};
	bool named = false;
	if (node->type != YAML_MAPPING_NODE)
		return survey_refuse(file, node, err, "an organisation with name and prefixes was expected");
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(&file->document, pair->value);
		const char *name = key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
		size_t i = 0;
		while (known[i] && strcmp(known[i], name) != 0)
			i++;
		if (!known[i])
			return survey_refuse(file, key, err, "name, prefixes, url, source or looked_at was expected");
		named |= strcmp(name, "name") == 0;
		if (strcmp(name, "prefixes") != 0)
			continue;
		if (value->type != YAML_SEQUENCE_NODE)
			return survey_refuse(file, value, err, "a list of prefixes was expected");
		for (yaml_node_item_t *item = value->data.sequence.items.start; item < value->data.sequence.items.top;
		     item++) {
			int result = survey_prefix(file, yaml_document_get_node(&file->document, *item), err);
			if (result < 0)
				return result;
		}
	}
	return named ? 0 : survey_refuse(file, node, err, "an organisation without a name");
}

static int survey_root(struct survey_file *file, struct err *err)
{
	yaml_node_t *root = yaml_document_get_root_node(&file->document);
	if (!root)
		return 0;
	if (root->type != YAML_MAPPING_NODE)
		return survey_refuse(file, root, err, "'organisations:' was expected");
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);
		const yaml_node_t *list = yaml_document_get_node(&file->document, pair->value);
		if (key->type != YAML_SCALAR_NODE || strcmp((const char *)key->data.scalar.value, "organisations") != 0)
			return survey_refuse(file, key, err, "'organisations:' was expected");
		if (list->type != YAML_SEQUENCE_NODE)
			return survey_refuse(file, list, err, "a list of organisations was expected");
		for (yaml_node_item_t *item = list->data.sequence.items.start; item < list->data.sequence.items.top;
		     item++) {
			int result = survey_organisation(file, yaml_document_get_node(&file->document, *item), err);
			if (result < 0)
				return result;
		}
	}
	return 0;
}

static int survey_read(struct survey_file *file, yaml_parser_t *parser, struct prefix_list *ret_prefixes,
		       struct err *err)
{
	if (!yaml_parser_load(parser, &file->document))
		return err_set(err, -EINVAL, "%s:%zu: not YAML: %s", file->path, parser->problem_mark.line + 1,
			       parser->problem ? parser->problem : "unreadable");
	int result = survey_root(file, err);
	yaml_document_delete(&file->document);
	if (result == 0)
		*ret_prefixes = file->prefixes;
	return result;
}

int survey_parse(const char *name, const void *data, size_t bytes, struct pool *pool, struct prefix_list *ret_prefixes,
		 struct err *err)
{
	struct survey_file file = {.path = name, .pool = pool};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return err_set(err, -ENOMEM, "no memory to read %s", name);
	yaml_parser_set_input_string(&parser, data, bytes);
	int result = survey_read(&file, &parser, ret_prefixes, err);
	yaml_parser_delete(&parser);
	return result;
}

int survey_load(const char *path, struct pool *pool, struct prefix_list *ret_prefixes, struct err *err)
{
	struct survey_file file = {.path = path, .pool = pool};
	FILE *stream = fopen(path, "re");
	if (!stream)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	yaml_parser_t parser;
	int result = err_set(err, -ENOMEM, "no memory to read %s", path);
	if (yaml_parser_initialize(&parser)) {
		yaml_parser_set_input_file(&parser, stream);
		result = survey_read(&file, &parser, ret_prefixes, err);
		yaml_parser_delete(&parser);
	}
	fclose(stream);
	return result;
}
