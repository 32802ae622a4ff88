/* Descriptions of a carrier: a YAML file whose sections are behaviours, read by one table of options. */
#include "train/carrier_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static const struct option_spec head_table[] = {
	{"homes", OPTION_INT, OPTION_AT(struct description_head, homes), .min = 10, .max = HOMES_MAX,
	 .help = "homes, each with one address", .default_text = "20000"},
	{"active-timeout", OPTION_DURATION, OPTION_AT(struct description_head, active_ns), .default_text = "60s",
	 .min = NS_PER_S, .max = NS_PER_HOUR, .help = "a contact that goes on is told each so often"},
	{"inside", OPTION_PREFIXES, OPTION_AT(struct description_head, inside), .help = "where the homes are"},
	{"outside", OPTION_PREFIXES, OPTION_AT(struct description_head, outside), .help = "where everybody else is"},
	{NULL},
};

#define AT(field) OPTION_AT(struct behaviour, field)
static const struct option_spec behaviour_table[] = {
	{"shape", OPTION_CHOICE, AT(shape), .choices = "visits|beacon|held|attack", .default_text = "visits",
	 .help = "at random; every so often; one connection that is kept; all at once"},
	{"family", OPTION_TEXT, AT(family), .help = "of a botnet; who has none is innocent"},
	{"homes", OPTION_INT, AT(homes_per_mille), .min = 0, .max = 1000, .help = "homes in a thousand that do it"},
	{"clients", OPTION_INT, AT(clients), .min = 0, .max = HOMES_MAX, .help = "or so many homes"},
	{"of", OPTION_TEXT, AT(of), .help = "the same homes as of that behaviour"},
	{"servers", OPTION_INT, AT(servers), .min = 0, .max = INT32_MAX,
	 .help = "how many there are; 0: any address outside"},
	{"keeps-to", OPTION_INT, AT(keeps_to), .min = 0, .max = 1000,
	 .help = "a home asks so many of them again and again; 0: another each time"},
	{"popularity", OPTION_INT, AT(popularity), .default_text = "1", .min = 1, .max = 8,
	 .help = "1: all servers alike; the higher the fewer are asked by most"},
	{"protocol", OPTION_CHOICE, AT(protocol), .choices = "tcp|udp", .default_text = "tcp", .help = "by which"},
	{"port", OPTION_TEXT, AT(port), .default_text = "443", .help = "of the server, or a span that each draws from"},
	{"every", OPTION_DURATION, AT(every_ns), .default_text = "10m", .min = NS_PER_MS, .max = 30 * NS_PER_DAY,
	 .help = "between contacts, on average"},
	{"jitter", OPTION_INT, AT(jitter), .min = 0, .max = 100, .help = "percent of `every`, up and down"},
	{"burst", OPTION_INT, AT(burst), .default_text = "1", .min = 1, .max = 1000,
	 .help = "contacts in one go, on average"},
	{"lasts", OPTION_DURATION, AT(seconds_ns), .default_text = "1s", .min = 0, .max = NS_PER_DAY,
	 .help = "a contact, on average"},
	{"life", OPTION_DURATION, AT(life_ns), .default_text = "8h", .min = NS_PER_S, .max = 30 * NS_PER_DAY,
	 .help = "of a connection that is held, on average"},
	{"hop", OPTION_DURATION, AT(hop_ns), .min = 0, .max = 30 * NS_PER_DAY,
	 .help = "servers are left for others after so long; 0: never"},
	{"begin", OPTION_DURATION, AT(begin_ns), .min = 0, .max = 30 * NS_PER_DAY, .help = "not before"},
	{"answered", OPTION_INT, AT(answered), .default_text = "99", .min = 0, .max = 100, .help = "percent"},
	{"packets", OPTION_TEXT, AT(packets), .default_text = "4-12", .help = "from the home"},
	{"answer", OPTION_TEXT, AT(answer), .default_text = "4-16", .help = "packets to the home"},
	{"size", OPTION_TEXT, AT(size), .default_text = "60-300", .help = "bytes of a packet from the home"},
	{"answer-size", OPTION_TEXT, AT(answer_size), .default_text = "100-1400", .help = "bytes of a packet to it"},
	{"by-day", OPTION_FLAG, AT(by_day), .help = "more in the evening, little at night"},
	{NULL},
};
#undef AT

static int span_read(const char *name, const char *text, uint32_t low, uint32_t high, struct span *ret_span,
		     struct err *err)
{
	char *end;
	unsigned long from = strtoul(text, &end, 10), to = from;
	if (*end == '-')
		to = strtoul(end + 1, &end, 10);
	if (end == text || *end || from < low || to > high || from > to)
		return err_set(err, -EINVAL, "%s: '%s' is no number or span like 3-12 within %u to %u", name, text, low,
			       high);
	*ret_span = (struct span){(uint32_t)from, (uint32_t)to};
	return 0;
}

static int behaviour_check(struct carrier_description *description, struct behaviour *behaviour, struct err *err)
{
	int result = span_read("port", behaviour->port, 1, 65535, &behaviour->ports, err);
	if (result == 0)
		result = span_read("packets", behaviour->packets, 1, 100000000, &behaviour->packet_span, err);
	if (result == 0)
		result = span_read("answer", behaviour->answer, 1, 100000000, &behaviour->answer_span, err);
	if (result == 0)
		result = span_read("size", behaviour->size, 28, 65535, &behaviour->size_span, err);
	if (result == 0)
		result = span_read("answer-size", behaviour->answer_size, 28, 65535, &behaviour->answer_size_span, err);
	if (result < 0)
		return result;
	if (behaviour->keeps_to > behaviour->servers && behaviour->servers)
		return err_set(err, -EINVAL, "keeps-to: more than there are servers");
	if (!behaviour->of)
		return behaviour->clients || behaviour->homes_per_mille
			       ? 0
			       : err_set(err, -EINVAL, "one of homes, clients and of was expected");
	for (uint32_t i = 0; i < description->count; i++)
		if (strcmp(description->behaviours[i].name, behaviour->of) == 0)
			behaviour->master = &description->behaviours[i];
	return behaviour->master ? 0 : err_set(err, -EINVAL, "of: '%s' is no behaviour above", behaviour->of);
}

/* Each section but `carrier`, in the order of the file. */
static int sections_read(const char *path, const char *yaml, size_t bytes, yaml_document_t *document, struct pool *pool,
			 struct carrier_description *description, struct err *err)
{
	yaml_node_t *root = yaml_document_get_root_node(document);
	if (!root || root->type != YAML_MAPPING_NODE)
		return err_set(err, -EINVAL, "%s: a mapping of behaviours was expected", path);
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);
		const char *name = key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
		if (strcmp(name, "carrier") == 0)
			continue;
		if (!*name || description->count == BEHAVIOURS_MAX)
			return err_set(err, -EINVAL, "%s:%zu: %s", path, key->start_mark.line + 1,
				       *name ? "too many behaviours" : "the name of a behaviour was expected");
		struct behaviour *behaviour = &description->behaviours[description->count];
		int result = options_init(behaviour_table, behaviour, pool, err);
		if (result == 0)
			result = options_from_yaml(behaviour_table, behaviour, pool, yaml, bytes, name, path, err);
		if (result < 0)
			return result;
		behaviour->name = pool_text(pool, name);
		behaviour->number = description->count;
		result = behaviour->name ? behaviour_check(description, behaviour, err) : -ENOMEM;
		if (result < 0)
			return err_prefix(err, result, "%s:%zu: %s", path, key->start_mark.line + 1, name);
		description->count++;
	}
	return description->count ? 0 : err_set(err, -EINVAL, "%s: there is no behaviour", path);
}

static int text_parse(const char *path, const char *yaml, size_t bytes, struct pool *pool,
		      struct carrier_description *description, struct err *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	int result = options_init(head_table, &description->head, pool, err);
	if (result == 0)
		result = options_from_yaml(head_table, &description->head, pool, yaml, bytes, "carrier", path, err);
	if (result < 0)
		return result;
	if (!description->head.inside.count || !description->head.outside.count)
		return err_set(err, -EINVAL, "%s: carrier: inside and outside were expected: a prefix each", path);
	if (!yaml_parser_initialize(&parser))
		return err_set(err, -ENOMEM, "no memory for YAML");
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, bytes);
	if (yaml_parser_load(&parser, &document)) { /* it was loaded before: only memory can fail */
		result = sections_read(path, yaml, bytes, &document, pool, description, err);
		yaml_document_delete(&document);
	} else {
		result = err_set(err, -ENOMEM, "%s: %s", path, parser.problem ? parser.problem : "no memory");
	}
	yaml_parser_delete(&parser);
	return result;
}

int carrier_description_read(const char *path, struct pool *pool, struct carrier_description *ret_description,
			     struct err *err)
{
	*ret_description = (struct carrier_description){
		.behaviours = pool_array(pool, BEHAVIOURS_MAX, sizeof *ret_description->behaviours)};
	char *text = pool_alloc(pool, FILE_BYTES_MAX + 1);
	if (!text || !ret_description->behaviours)
		return err_set(err, -ENOMEM, "no memory for a description");
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	size_t bytes = fread(text, 1, FILE_BYTES_MAX + 1, file);
	int result = ferror(file)             ? err_set(err, -EIO, "%s: cannot be read", path)
		     : bytes > FILE_BYTES_MAX ? err_set(err, -EINVAL, "%s: longer than 1 MiB", path)
					      : text_parse(path, text, bytes, pool, ret_description, err);
	fclose(file);
	pool_release(pool, text);
	return result;
}
