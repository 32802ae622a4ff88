/* The bytes of a scope that are signed. A generic walk over the document, not over what the reader understood: whatever
 * a reader of today or tomorrow looks at has been signed. */
#include "observe/survey/scope_parts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const char *where;
	yaml_document_t *document;
	size_t nodes, bytes;
	struct err *err;
};

static json_t *node_json(struct walk *walk, int index, unsigned depth);

static json_t *walk_refuse(struct walk *walk, const yaml_node_t *node, const char *sentence)
{
	err_set(walk->err, -EINVAL, "%s:%zu: %s", walk->where, node->start_mark.line + 1, sentence);
	return NULL;
}

static json_t *scalar_json(struct walk *walk, const yaml_node_t *node)
{
	size_t length = node->data.scalar.length;
	const char *text = (const char *)node->data.scalar.value;
	walk->bytes += length;
	if (walk->bytes > SCOPE_CANONICAL_MAX)
		return walk_refuse(walk, node, "more text than a scope may have");
	if (memchr(text, 0, length))
		return walk_refuse(walk, node, "a text with a zero byte");
	json_t *value = json_stringn(text, length);
	return value ? value : walk_refuse(walk, node, "a text that is not UTF-8");
}

static json_t *sequence_json(struct walk *walk, const yaml_node_t *node, unsigned depth)
{
	json_t *array = json_array();
	for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		json_t *value = node_json(walk, *item, depth + 1);
		if (!value || json_array_append_new(array, value) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *mapping_json(struct walk *walk, const yaml_node_t *node, unsigned depth)
{
	json_t *object = json_object();
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(walk->document, pair->key);
		json_t *name = key->type == YAML_SCALAR_NODE ? scalar_json(walk, key)
							     : walk_refuse(walk, key, "a name was expected");
		json_t *value = NULL;
		if (name && json_object_get(object, json_string_value(name)))
			walk_refuse(walk, key, "this name stands twice");
		else if (name)
			value = node_json(walk, pair->value, depth + 1);
		int failed = !value || json_object_set_new(object, json_string_value(name), value) < 0;
		json_decref(name);
		if (failed) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *node_json(struct walk *walk, int index, unsigned depth)
{
	const yaml_node_t *node = yaml_document_get_node(walk->document, index);
	if (++walk->nodes > SCOPE_NODES_MAX)
		return walk_refuse(walk, node, "more entries than a scope may have");
	if (depth > SCOPE_DEPTH_MAX)
		return walk_refuse(walk, node, "nested deeper than a scope is");
	if (node->type == YAML_SCALAR_NODE)
		return scalar_json(walk, node);
	return node->type == YAML_SEQUENCE_NODE ? sequence_json(walk, node, depth) : mapping_json(walk, node, depth);
}

int scope_canonical(const char *where, yaml_document_t *document, struct pool *pool, const char **ret_text,
		    struct err *err)
{
	struct walk walk = {.where = where, .document = document, .err = err};
	err_set(err, 0, "%s: no memory to read a scope", where);
	json_t *whole = node_json(&walk, 1, 0);
	if (!whole)
		return -EINVAL;
	json_object_del(whole, "signatures");
	char *dumped = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
	char *text = dumped ? pool_text(pool, dumped) : NULL;
	free(dumped);
	json_decref(whole);
	if (!text)
		return -ENOMEM;
	err_set(err, 0, "%s", "");
	*ret_text = text;
	return 0;
}
