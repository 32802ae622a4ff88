/* Reading a scope file (YAML 1.1, libyaml's document tree). A table says of each field in which part it stands, its
 * type, range and whether it must be there; one loop reads every part by it. */
#include "observe/survey/scope_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const scope_check_names[] = {"discover", "banner", "identify", "credentials", "vulnerabilities", NULL};

enum part { PART_ROOT, PART_CONTACT, PART_PERIOD, PART_PORTS, PART_RATES, PART_SIGNATURE };

enum field_type {
	FIELD_TEXT,
	FIELD_TIME,
	FIELD_INT,
	FIELD_FLAG,
	FIELD_PREFIXES,
	FIELD_PORTS,
	FIELD_CHECKS,
	FIELD_PART,
	FIELD_SIGNATURES,
};

static const struct field {
	const char *name;
	enum part part;
	enum field_type type;
	size_t offset;
	bool required;
	int64_t min, max; /* FIELD_INT */
	enum part inner;  /* FIELD_PART */
} fields[] = {
#define AT(field) offsetof(struct scope, field)
#define SIGNATURE_AT(field) offsetof(struct scope_signature, field)
	{"name", PART_ROOT, FIELD_TEXT, AT(name), true},
	{"legal_basis", PART_ROOT, FIELD_TEXT, AT(legal_basis), true},
	{"organisation", PART_ROOT, FIELD_TEXT, AT(organisation), true},
	{"responsible", PART_ROOT, FIELD_TEXT, AT(responsible), true},
	{"contact", PART_ROOT, FIELD_PART, 0, true, .inner = PART_CONTACT},
	{"period", PART_ROOT, FIELD_PART, 0, true, .inner = PART_PERIOD},
	{"networks", PART_ROOT, FIELD_PREFIXES, AT(networks), true},
	{"private_networks", PART_ROOT, FIELD_FLAG, AT(private_networks)},
	{"opt_out", PART_ROOT, FIELD_PREFIXES, AT(opt_out)},
	{"sources", PART_ROOT, FIELD_PREFIXES, AT(sources)},
	{"ports", PART_ROOT, FIELD_PART, 0, true, .inner = PART_PORTS},
	{"checks", PART_ROOT, FIELD_CHECKS, AT(checks), true},
	{"rates", PART_ROOT, FIELD_PART, 0, true, .inner = PART_RATES},
	{"signatures", PART_ROOT, FIELD_SIGNATURES, 0},
	{"name", PART_CONTACT, FIELD_TEXT, AT(contact_name), true},
	{"mail", PART_CONTACT, FIELD_TEXT, AT(contact_mail), true},
	{"web", PART_CONTACT, FIELD_TEXT, AT(contact_web), true},
	{"reverse_dns", PART_CONTACT, FIELD_TEXT, AT(reverse_dns), true},
	{"from", PART_PERIOD, FIELD_TIME, AT(from_ns), true},
	{"until", PART_PERIOD, FIELD_TIME, AT(until_ns), true},
	{"tcp", PART_PORTS, FIELD_PORTS, AT(tcp)},
	{"udp", PART_PORTS, FIELD_PORTS, AT(udp)},
	{"packets_per_second", PART_RATES, FIELD_INT, AT(packets_per_second), true, 1, 1000000},
	{"packets_per_network", PART_RATES, FIELD_INT, AT(packets_per_network), true, 1, 10000},
	{"packets_per_target", PART_RATES, FIELD_INT, AT(packets_per_target), true, 1, 1000},
	{"login_tries", PART_RATES, FIELD_INT, AT(login_tries), false, 0, 10},
	{"person", PART_SIGNATURE, FIELD_TEXT, SIGNATURE_AT(person), true},
	{"key", PART_SIGNATURE, FIELD_TEXT, SIGNATURE_AT(key), true},
	{"signed_at", PART_SIGNATURE, FIELD_TEXT, SIGNATURE_AT(signed_at), true},
	{"signature", PART_SIGNATURE, FIELD_TEXT, SIGNATURE_AT(signature), true},
#undef AT
#undef SIGNATURE_AT
};
enum { FIELDS = sizeof fields / sizeof *fields };

struct reader {
	const char *where;
	yaml_document_t *document;
	struct pool *pool;
	struct scope *scope;
	struct err *err;
};

#define REFUSE(reader, node, format, ...)                                                                              \
	err_set((reader)->err, -EINVAL, "%s:%zu: " format, (reader)->where, (node)->start_mark.line + 1, __VA_ARGS__)

static int part_read(struct reader *reader, const yaml_node_t *node, enum part part, void *base);

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_t *node_at(struct reader *reader, int index)
{
	return yaml_document_get_node(reader->document, index);
}

static unsigned line_of(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

static int text_read(struct reader *reader, const yaml_node_t *node, const char *name, const char **ret_text)
{
	const char *text = scalar(node);
	if (!text || !text[strspn(text, " \t\r\n")] || strlen(text) > SCOPE_TEXT_MAX)
		return REFUSE(reader, node, "%s: a text of 1 to %d bytes was expected", name, SCOPE_TEXT_MAX);
	*ret_text = pool_text(reader->pool, text);
	return *ret_text ? 0 : err_set(reader->err, -ENOMEM, "no memory to read %s", reader->where);
}

static int time_read(struct reader *reader, const yaml_node_t *node, const char *name, int64_t *ret_ns)
{
	const char *text = scalar(node);
	struct err why;
	if (!text || text[0] < '0' || text[0] > '9' || !strchr(text, '-'))
		return REFUSE(reader, node, "%s: a time like 2026-01-31T09:00:00Z was expected", name);
	if (time_parse(text, 0, ret_ns, &why) < 0)
		return REFUSE(reader, node, "%s: %s", name, why.text);
	return 0;
}

static int int_read(struct reader *reader, const yaml_node_t *node, const char *name, int64_t min, int64_t max,
		    int64_t *ret_number)
{
	const char *text = scalar(node);
	char *end = NULL;
	errno = 0;
	long long number = text ? strtoll(text, &end, 10) : 0;
	if (!text || end == text || *end || errno || number < min || number > max)
		return REFUSE(reader, node, "%s: '%.40s' was given, a whole number from %lld to %lld was expected",
			      name, text ? text : "a list or mapping", (long long)min, (long long)max);
	*ret_number = number;
	return 0;
}

static int flag_read(struct reader *reader, const yaml_node_t *node, const char *name, bool *ret_flag)
{
	const char *text = scalar(node);
	if (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
		return REFUSE(reader, node, "%s: true or false was expected", name);
	*ret_flag = text[0] == 't';
	return 0;
}

static int list_read(struct reader *reader, const yaml_node_t *node, const char *name, size_t max, size_t *ret_count)
{
	*ret_count = 0;
	if (node->type != YAML_SEQUENCE_NODE)
		return REFUSE(reader, node, "%s: a list was expected", name);
	*ret_count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	return *ret_count > max ? REFUSE(reader, node, "%s: at most %zu entries were expected", name, max) : 0;
}

static int prefixes_read(struct reader *reader, const yaml_node_t *node, const char *name,
			 struct scope_prefixes *ret_prefixes)
{
	size_t count;
	int result = list_read(reader, node, name, SCOPE_NODES_MAX, &count);
	struct scope_prefix *items = result == 0 ? pool_array(reader->pool, count + 1, sizeof *items) : NULL;
	if (!items)
		return result < 0 ? result : err_set(reader->err, -ENOMEM, "no memory to read %s", reader->where);
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *item = node_at(reader, node->data.sequence.items.start[i]);
		const char *text = scalar(item);
		struct err why;
		if (!text)
			return REFUSE(reader, item, "%s: a prefix was expected", name);
		if (prefix_parse(text, &items[i].prefix, &why) < 0)
			return REFUSE(reader, item, "%s: %s", name, why.text);
		items[i].line = line_of(item);
	}
	*ret_prefixes = (struct scope_prefixes){items, count};
	return 0;
}

static int ports_read(struct reader *reader, const yaml_node_t *node, const char *name, struct scope_ports *ret_ports)
{
	size_t count;
	int result = list_read(reader, node, name, SCOPE_PORTS_MAX, &count);
	uint16_t *items = result == 0 ? pool_array(reader->pool, count + 1, sizeof *items) : NULL;
	if (!items)
		return result < 0 ? result : err_set(reader->err, -ENOMEM, "no memory to read %s", reader->where);
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *item = node_at(reader, node->data.sequence.items.start[i]);
		int64_t port;
		result = int_read(reader, item, name, 1, 65535, &port);
		if (result < 0)
			return result;
		for (size_t k = 0; k < i; k++)
			if (items[k] == port)
				return REFUSE(reader, item, "%s: port %d stands twice", name, (int)port);
		items[i] = (uint16_t)port;
	}
	*ret_ports = (struct scope_ports){items, count};
	return 0;
}

static int checks_read(struct reader *reader, const yaml_node_t *node, const char *name, unsigned *ret_checks)
{
	size_t count;
	int result = list_read(reader, node, name, SCOPE_CHECKS, &count);
	for (size_t i = 0; result == 0 && i < count; i++) {
		const yaml_node_t *item = node_at(reader, node->data.sequence.items.start[i]);
		const char *text = scalar(item);
		unsigned kind = 0;
		while (text && kind < SCOPE_CHECKS && strcmp(text, scope_check_names[kind]) != 0)
			kind++;
		if (!text || kind == SCOPE_CHECKS)
			return REFUSE(reader, item,
				      "%s: '%.40s' was given, discover, banner, identify, credentials or "
				      "vulnerabilities was expected",
				      name, text ? text : "a list or mapping");
		*ret_checks |= 1u << kind;
	}
	return result;
}

static int signatures_read(struct reader *reader, const yaml_node_t *node, const char *name)
{
	struct scope *scope = reader->scope;
	size_t count;
	int result = list_read(reader, node, name, SCOPE_SIGNATURES_MAX, &count);
	for (size_t i = 0; result == 0 && i < count; i++) {
		const yaml_node_t *item = node_at(reader, node->data.sequence.items.start[i]);
		result = part_read(reader, item, PART_SIGNATURE, &scope->signatures[i]);
		scope->signatures[i].line = line_of(item);
		scope->signature_count = i + 1;
	}
	return result;
}

static int field_read(struct reader *reader, const struct field *field, const yaml_node_t *node, void *base)
{
	void *value = (char *)base + field->offset;
	switch (field->type) {
	case FIELD_TEXT:
		return text_read(reader, node, field->name, value);
	case FIELD_TIME:
		return time_read(reader, node, field->name, value);
	case FIELD_INT:
		return int_read(reader, node, field->name, field->min, field->max, value);
	case FIELD_FLAG:
		return flag_read(reader, node, field->name, value);
	case FIELD_PREFIXES:
		return prefixes_read(reader, node, field->name, value);
	case FIELD_PORTS:
		return ports_read(reader, node, field->name, value);
	case FIELD_CHECKS:
		return checks_read(reader, node, field->name, value);
	case FIELD_PART:
		if (field->inner == PART_PERIOD)
			reader->scope->period_line = line_of(node);
		return part_read(reader, node, field->inner, base);
	case FIELD_SIGNATURES:
		return signatures_read(reader, node, field->name);
	}
	return -EINVAL;
}

static const struct field *field_find(enum part part, const char *name)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].part == part && strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static int part_read(struct reader *reader, const yaml_node_t *node, enum part part, void *base)
{
	bool seen[FIELDS] = {false};
	if (node->type != YAML_MAPPING_NODE)
		return REFUSE(reader, node, "%s", "names with values were expected");
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_at(reader, pair->key);
		const char *name = scalar(key);
		const struct field *field = name ? field_find(part, name) : NULL;
		if (!field)
			return REFUSE(reader, key, "'%.40s' is no field of a scope at this place", name ? name : "");
		int result = field_read(reader, field, node_at(reader, pair->value), base);
		if (result < 0)
			return result;
		seen[field - fields] = true;
	}
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].part == part && fields[i].required && !seen[i])
			return REFUSE(reader, node, "%s: is missing", fields[i].name);
	return 0;
}

static int document_read(struct reader *reader)
{
	struct scope *scope = reader->scope;
	const yaml_node_t *root = yaml_document_get_root_node(reader->document);
	if (!root)
		return err_set(reader->err, -EINVAL, "%s:1: an empty file; `yagura scope new` writes one to fill in",
			       reader->where);
	int result = scope_canonical(reader->where, reader->document, reader->pool, &scope->canonical, reader->err);
	if (result == 0)
		result = part_read(reader, root, PART_ROOT, scope);
	if (result == 0 && scope->networks.count == 0)
		return REFUSE(reader, root, "%s", "networks: at least one prefix was expected");
	if (result == 0 && scope->tcp.count + scope->udp.count == 0)
		return REFUSE(reader, root, "%s", "ports: at least one port under tcp or udp was expected");
	if (result == 0 && scope->checks == 0)
		return REFUSE(reader, root, "%s", "checks: at least one was expected");
	return result;
}

/* One document and no second: what follows "---" would be neither read nor signed. */
static int stream_read(struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t document, second;
	if (!yaml_parser_load(parser, &document))
		return err_set(reader->err, -EINVAL, "%s:%zu: not YAML: %s", reader->where,
			       parser->problem_mark.line + 1, parser->problem ? parser->problem : "unreadable");
	reader->document = &document;
	int result = document_read(reader);
	if (result == 0 && !yaml_parser_load(parser, &second))
		result = err_set(reader->err, -EINVAL, "%s:%zu: not YAML: %s", reader->where,
				 parser->problem_mark.line + 1, parser->problem ? parser->problem : "unreadable");
	else if (result == 0) {
		const yaml_node_t *root = yaml_document_get_root_node(&second);
		if (root)
			result = REFUSE(reader, root, "%s", "a second document; a scope is one");
		yaml_document_delete(&second);
	}
	yaml_document_delete(&document);
	return result;
}

int scope_parse(const char *where, const char *data, size_t bytes, struct pool *pool, struct scope *ret_scope,
		struct err *err)
{
	struct scope scope = {.where = where};
	struct reader reader = {.where = where, .pool = pool, .scope = &scope, .err = err};
	yaml_parser_t parser;
	if (bytes > SCOPE_BYTES_MAX)
		return err_set(err, -EINVAL, "%s:1: %zu bytes, at most %d were expected", where, bytes,
			       SCOPE_BYTES_MAX);
	if (!yaml_parser_initialize(&parser))
		return err_set(err, -ENOMEM, "no memory to read %s", where);
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, bytes);
	int result = stream_read(&reader, &parser);
	yaml_parser_delete(&parser);
	if (result == 0)
		*ret_scope = scope;
	return result;
}
