/* Descriptions of simulated traffic, from YAML (1.1, by libyaml's document tree).
 *
 * A table says of each field where it may stand, its type and its range, and one loop reads every class by it; what
 * concerns two fields at once is checked afterwards. Every sentence begins with file:line. data/simulate/README.md is
 * the reference for people.
 */
#include "train/description.h"

#include "train/payloads.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

const char *const sender_names[] = {"mirai", "masscan", "zmap", "nmap",    "unicornscan", "linux", "windows",
				    "plain", "udp",     "ping", "spoofed", "answer",      NULL};
const char *const spoof_names[] = {"ttl", "edge", "protocol", "port-zero", NULL};
const char *const answer_names[] = {"syn-ack",          "rst",      "port-unreachable",
				    "host-unreachable", "filtered", "time-exceeded",
				    "echo-reply",       "dns",      "ntp",
				    "memcached",        "ssdp",     NULL};

enum field_type {
	FIELD_TEXT,
	FIELD_INT,
	FIELD_NUMBER,
	FIELD_FLAG,
	FIELD_CHOICE,
	FIELD_SPAN, /* "90s", "25%" of the run (kept negative) */
	FIELD_COUNTRIES,
	FIELD_PREFIXES,
	FIELD_PORTS,
	FIELD_DUTY,
	FIELD_GROWTH,
	FIELD_ANSWERS,
};

#define IN(section) (1u << SECTION_##section)
#define SENDERS_OWN (IN(POPULATIONS) | IN(SCANNERS) | IN(INFECTIONS) | IN(HOSTS))
#define BY_TURNS (IN(ATTACKS) | IN(INFECTIONS))
#define ANYWHERE (SENDERS_OWN | IN(ATTACKS) | IN(NOISE))

static const struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	unsigned sections, required;
	double min, max;
	const char *const *choices;
} fields[] = {
#define AT(field) offsetof(struct traffic_class, field)
	{"name", FIELD_TEXT, AT(name), ANYWHERE, ANYWHERE},
	{"sender", FIELD_CHOICE, AT(sender), SENDERS_OWN, SENDERS_OWN, .choices = sender_names},
	{"version", FIELD_TEXT, AT(version), ANYWHERE},
	{"maker", FIELD_TEXT, AT(maker), IN(POPULATIONS) | IN(INFECTIONS) | IN(HOSTS)},
	{"organisation", FIELD_TEXT, AT(organisation), IN(SCANNERS)},
	{"ptr", FIELD_TEXT, AT(ptr), IN(SCANNERS)},
	{"survey", FIELD_FLAG, AT(survey), IN(SCANNERS)},
	{"countries", FIELD_COUNTRIES, AT(mix), ANYWHERE},
	{"prefixes", FIELD_PREFIXES, AT(prefixes), ANYWHERE},
	{"anywhere", FIELD_FLAG, AT(anywhere), IN(NOISE)},
	{"ip", FIELD_INT, AT(ip), ANYWHERE, .min = 4, .max = 6},
	{"devices", FIELD_INT, AT(devices), ANYWHERE & ~BY_TURNS, IN(POPULATIONS) | IN(HOSTS) | IN(NOISE), 1,
	 DESCRIPTION_DEVICES_MAX},
	{"rate", FIELD_NUMBER, AT(rate), ANYWHERE, ANYWHERE, 1e-6, 1e9},
	{"ports", FIELD_PORTS, AT(ports), ANYWHERE},
	{"payload", FIELD_TEXT, AT(payload_name), SENDERS_OWN},
	{"window", FIELD_INT, AT(window), IN(POPULATIONS) | IN(SCANNERS) | IN(INFECTIONS), .min = 0, .max = 65535},
	{"duty", FIELD_DUTY, 0, IN(POPULATIONS) | IN(HOSTS)},
	{"growth", FIELD_GROWTH, 0, IN(POPULATIONS)},
	{"start", FIELD_SPAN, AT(start), IN(POPULATIONS) | IN(SCANNERS) | BY_TURNS},
	{"duration", FIELD_SPAN, AT(duration), IN(SCANNERS) | BY_TURNS, BY_TURNS},
	{"every", FIELD_SPAN, AT(every), BY_TURNS},
	{"parallel", FIELD_INT, AT(parallel), BY_TURNS, .min = 1, .max = 4096},
	{"answers", FIELD_ANSWERS, AT(answers), IN(ATTACKS), IN(ATTACKS)},
	{"spoof", FIELD_CHOICE, AT(spoof), IN(NOISE), IN(NOISE), .choices = spoof_names},
#undef AT
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const char *const section_names[] = {"populations", "scanners", "attacks", "infections", "hosts", "noise", NULL};

struct reader {
	const char *where;
	yaml_document_t *document;
	struct pool *pool;
	struct err *err;
	struct description *description;
};

#define REFUSE(reader, node, ...) refuse((reader), (int)(node)->start_mark.line + 1, __VA_ARGS__)

static int printf_like(3, 4) refuse(struct reader *reader, int line, const char *format, ...)
{
	char sentence[ERR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	return err_set(reader->err, -EINVAL, "%s:%d: %s", reader->where, line, sentence);
}

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_t *node_at(struct reader *reader, int index)
{
	return yaml_document_get_node(reader->document, index);
}

static int read_number(struct reader *reader, const yaml_node_t *node, const char *name, double min, double max,
		       double *ret_number)
{
	const char *text = scalar(node);
	char *end = NULL;
	double number = text ? strtod(text, &end) : 0;
	if (!text || end == text || *end || !isfinite(number))
		return REFUSE(reader, node, "%s: '%.40s' is not a number", name, text ? text : "a list or mapping");
	if (number < min || number > max)
		return REFUSE(reader, node, "%s: %.40s is not within %g..%g", name, text, min, max);
	*ret_number = number;
	return 0;
}

static int read_integer(struct reader *reader, const yaml_node_t *node, const char *name, double min, double max,
			int64_t *ret_integer)
{
	double number;
	int result = read_number(reader, node, name, min, max, &number);
	if (result == 0 && number != floor(number))
		return REFUSE(reader, node, "%s: %.40s is not a whole number", name, scalar(node));
	if (result == 0)
		*ret_integer = (int64_t)number;
	return result;
}

static int read_text(struct reader *reader, const yaml_node_t *node, const char *name, const char **ret_text)
{
	const char *text = scalar(node);
	if (!text || !*text || strlen(text) > 200)
		return REFUSE(reader, node, "%s: a text of 1 to 200 bytes was expected", name);
	*ret_text = pool_text(reader->pool, text);
	return *ret_text ? 0 : -ENOMEM;
}

static int read_choice(struct reader *reader, const yaml_node_t *node, const char *name, const char *const *choices,
		       int64_t *ret_choice)
{
	const char *text = scalar(node);
	char known[300] = "";
	for (int i = 0; choices[i]; i++) {
		if (text && strcmp(text, choices[i]) == 0) {
			*ret_choice = i;
			return 0;
		}
		size_t used = strlen(known);
		snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", choices[i]);
	}
	return REFUSE(reader, node, "%s: '%.40s' was given, one of %s was expected", name, text ? text : "", known);
}

/* Seconds; a percentage is kept as a negative share of the run. */
static int read_span(struct reader *reader, const yaml_node_t *node, const char *name, double *ret_seconds)
{
	const char *text = scalar(node);
	char *end = NULL;
	double number = text ? strtod(text, &end) : 0;
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	if (text && end != text && number >= 0 && strcmp(end, "%") == 0 && number <= 100) {
		*ret_seconds = -number / 100;
		return 0;
	}
	for (size_t i = 0; text && end != text && number >= 0 && i < sizeof units / sizeof *units; i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ret_seconds = number * units[i].seconds;
			return 0;
		}
	return REFUSE(reader, node, "%s: '%.40s' is not a time like 90s, 15m, 2h or a share of the run like 25%%", name,
		      text ? text : "");
}

static int read_flag(struct reader *reader, const yaml_node_t *node, const char *name, bool *ret_flag)
{
	const char *text = scalar(node);
	if (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
		return REFUSE(reader, node, "%s: true or false was expected", name);
	*ret_flag = text[0] == 't';
	return 0;
}

static int read_prefixes(struct reader *reader, const yaml_node_t *node, const char *name, struct prefix_list *ret_list)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return REFUSE(reader, node, "%s: a list of prefixes was expected", name);
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	struct prefix *items = pool_array(reader->pool, count ? count : 1, sizeof *items);
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *item = node_at(reader, node->data.sequence.items.start[i]);
		const char *text = scalar(item);
		struct err why;
		if (!text)
			return REFUSE(reader, item, "%s: a prefix was expected", name);
		if (prefix_parse(text, &items[i], &why) < 0)
			return REFUSE(reader, item, "%s: %s", name, why.text);
	}
	if (!count)
		return REFUSE(reader, node, "%s: at least one prefix was expected", name);
	*ret_list = (struct prefix_list){items, count};
	return 0;
}

static size_t pair_count(const yaml_node_t *node)
{
	return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

/* {JP: 40, CN: 20}, or the name of a mix. */
static int read_countries(struct reader *reader, const yaml_node_t *node, const char *name, struct mix *ret_mix)
{
	const char *text = scalar(node);
	if (text) {
		for (size_t i = 0; i < reader->description->mix_count; i++)
			if (strcmp(reader->description->mixes[i].name, text) == 0) {
				*ret_mix = reader->description->mixes[i];
				return 0;
			}
		return REFUSE(reader, node, "%s: there is no mix '%.40s' under mixes:", name, text);
	}
	if (node->type != YAML_MAPPING_NODE || !pair_count(node) || pair_count(node) > DESCRIPTION_COUNTRIES_MAX)
		return REFUSE(reader, node, "%s: country codes with weights, or the name of a mix, were expected",
			      name);
	size_t count = pair_count(node);
	struct country_share *shares = pool_array(reader->pool, count, sizeof *shares);
	if (!shares)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const yaml_node_t *key = node_at(reader, pair->key);
		const char *code = scalar(key);
		if (!code || strlen(code) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z')
			return REFUSE(reader, key, "%s: '%.40s' is not a country code like JP", name, code ? code : "");
		memcpy(shares[i].code, code, 3);
		int result = read_number(reader, node_at(reader, pair->value), code, 1e-9, 1e9, &shares[i].weight);
		if (result < 0)
			return result;
	}
	*ret_mix = (struct mix){ret_mix->name, shares, count};
	return 0;
}

/* "tcp/23", "udp/53", "tcp/1-65535", "icmp". */
static bool port_parse(const char *text, struct port_choice *ret_port)
{
	struct port_choice port = {.weight = 1};
	if (strcmp(text, "icmp") == 0) {
		port.protocol = 1;
		*ret_port = port;
		return true;
	}
	unsigned low, high;
	char protocol[4], rest;
	int found = sscanf(text, "%3[a-z]/%5u-%5u%c", protocol, &low, &high, &rest);
	if (found == 2 && sscanf(text, "%3[a-z]/%5u%c", protocol, &low, &rest) == 2)
		high = low;
	else if (found != 3)
		return false;
	if (low > high || high > 65535 || (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0))
		return false;
	port.protocol = protocol[0] == 't' ? 6 : 17;
	port.low = (uint16_t)low;
	port.high = (uint16_t)high;
	port.payload = port.protocol == 17 ? (uint8_t)udp_payload_by_port(port.low) : 0;
	*ret_port = port;
	return true;
}

/* {tcp/23: 8, tcp/2323: 2} with weights, or a list of ports alike. */
static int read_ports(struct reader *reader, const yaml_node_t *node, const char *name, struct traffic_class *class)
{
	bool weighted = node->type == YAML_MAPPING_NODE;
	if (!weighted && node->type != YAML_SEQUENCE_NODE)
		return REFUSE(reader, node, "%s: a list of ports like tcp/23, or ports with weights, was expected",
			      name);
	size_t count =
		weighted ? pair_count(node) : (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (!count || count > DESCRIPTION_PORTS_MAX)
		return REFUSE(reader, node, "%s: 1 to %d ports were expected", name, DESCRIPTION_PORTS_MAX);
	class->ports = pool_array(reader->pool, count, sizeof *class->ports);
	if (!class->ports)
		return -ENOMEM;
	class->port_count = count;
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *key = node_at(reader, weighted ? node->data.mapping.pairs.start[i].key
								  : node->data.sequence.items.start[i]);
		const char *text = scalar(key);
		if (!text || !port_parse(text, &class->ports[i]))
			return REFUSE(reader, key, "%s: '%.40s' is not a port like tcp/23, udp/53, tcp/1-1023 or icmp",
				      name, text ? text : "");
		int result = weighted ? read_number(reader, node_at(reader, node->data.mapping.pairs.start[i].value),
						    text, 1e-9, 1e9, &class->ports[i].weight)
				      : 0;
		if (result < 0)
			return result;
	}
	return 0;
}

/* A mapping of fixed numeric names, all of them wanted. */
struct number_name {
	const char *name;
	double min, max, *value;
};

static int read_numbers(struct reader *reader, const yaml_node_t *node, const char *name,
			const struct number_name *numbers, size_t count)
{
	unsigned seen = 0;
	for (size_t i = 0; node->type == YAML_MAPPING_NODE && i < pair_count(node); i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const char *key = scalar(node_at(reader, pair->key));
		size_t at = 0;
		while (at < count && (!key || strcmp(key, numbers[at].name) != 0))
			at++;
		if (at == count)
			return REFUSE(reader, node_at(reader, pair->key), "%s: there is no '%.40s' here", name,
				      key ? key : "");
		int result = read_number(reader, node_at(reader, pair->value), key, numbers[at].min, numbers[at].max,
					 numbers[at].value);
		if (result < 0)
			return result;
		seen |= 1u << at;
	}
	for (size_t i = 0; i < count; i++)
		if (!(seen >> i & 1))
			return REFUSE(reader, node, "%s: needs %s", name, numbers[i].name);
	return 0;
}

static int read_answers(struct reader *reader, const yaml_node_t *node, struct traffic_class *class)
{
	if (node->type != YAML_MAPPING_NODE || !pair_count(node))
		return REFUSE(reader, node, "answers: kinds of answer with weights were expected");
	for (size_t i = 0; i < pair_count(node); i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		int64_t answer = 0;
		int result = read_choice(reader, node_at(reader, pair->key), "answers", answer_names, &answer);
		if (result == 0)
			result = read_number(reader, node_at(reader, pair->value), answer_names[answer], 1e-9, 1e9,
					     &class->answers[answer]);
		if (result < 0)
			return result;
	}
	return 0;
}

static int read_field(struct reader *reader, const struct field *field, const yaml_node_t *node,
		      struct traffic_class *class)
{
	void *at = (char *)class + field->offset;
	double initial = 0;
	int result = 0;
	switch (field->type) {
	case FIELD_TEXT:
		return read_text(reader, node, field->name, at);
	case FIELD_INT:
		return read_integer(reader, node, field->name, field->min, field->max, at);
	case FIELD_NUMBER:
		return read_number(reader, node, field->name, field->min, field->max, at);
	case FIELD_FLAG:
		return read_flag(reader, node, field->name, at);
	case FIELD_CHOICE:
		return read_choice(reader, node, field->name, field->choices, at);
	case FIELD_SPAN:
		return read_span(reader, node, field->name, at);
	case FIELD_COUNTRIES:
		return read_countries(reader, node, field->name, at);
	case FIELD_PREFIXES:
		return read_prefixes(reader, node, field->name, at);
	case FIELD_PORTS:
		return read_ports(reader, node, field->name, class);
	case FIELD_ANSWERS:
		return read_answers(reader, node, class);
	case FIELD_DUTY:
		class->has_duty = true;
		return read_numbers(
			reader, node, field->name,
			(struct number_name[]){{"low", 0, 1, &class->duty_low}, {"peak", 0, 24, &class->duty_peak}}, 2);
	case FIELD_GROWTH:
		class->has_growth = true;
		result = read_numbers(reader, node, field->name,
				      (struct number_name[]){{"initial", 1, DESCRIPTION_DEVICES_MAX, &initial},
							     {"per-hour", 1e-6, 1e6, &class->growth_per_hour}},
				      2);
		class->growth_initial = (int64_t)initial;
		return result;
	}
	return -EINVAL;
}

static bool version_form(struct traffic_class *class)
{
	static const struct {
		enum sender sender;
		const char *version;
		enum sender_version form;
	} forms[] = {
		{SENDER_MASSCAN, "1.3.2", VERSION_OLD},        {SENDER_MASSCAN, "2023-11", VERSION_NEW},
		{SENDER_ZMAP, "2.1.1", VERSION_OLD},           {SENDER_ZMAP, "4.1", VERSION_NEW},
		{SENDER_ZMAP, "4.1-minimal", VERSION_MINIMAL},
	};
	bool wanted = false;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (forms[i].sender != class->sender)
			continue;
		wanted = true;
		if (class->version && strcmp(class->version, forms[i].version) == 0) {
			class->form = forms[i].form;
			return true;
		}
	}
	return !wanted;
}

static bool protocol_fits(const struct traffic_class *class, uint8_t protocol)
{
	switch (class->sender) {
	case SENDER_UDP:
		return protocol == 17;
	case SENDER_PING:
		return protocol == 1;
	case SENDER_ANSWER:
		return true;
	case SENDER_SPOOFED:
		return protocol != 1;
	default:
		return protocol == 6;
	}
}

/* What concerns two fields at once. */
static int check_class(struct reader *reader, struct traffic_class *class)
{
	int line = class->line;
	const char *sender = sender_names[class->sender];
	if (class->section != SECTION_ATTACKS && class->section != SECTION_NOISE &&
	    (class->sender == SENDER_ANSWER || class->sender == SENDER_SPOOFED))
		return refuse(reader, line, "sender: %s belongs to attacks: or noise:", sender);
	if ((class->mix.count > 0) + (class->prefixes.count > 0) + class->anywhere != 1)
		return refuse(reader, line, "%s: exactly one of countries and prefixes%s says where the senders are",
			      class->name, class->section == SECTION_NOISE ? " and anywhere" : "");
	if (class->ip != 4 && class->ip != 6)
		return refuse(reader, line, "%s: ip is 4 or 6", class->name);
	for (size_t i = 0; i < class->prefixes.count; i++)
		if (addr_is_v4(&class->prefixes.items[i].addr) != (class->ip == 4))
			return refuse(reader, line, "%s: its prefixes are not of ip: %d", class->name, (int)class->ip);
	if (!version_form(class))
		return refuse(reader, line, "%s: version of %s is one of %s", class->name, sender,
			      class->sender == SENDER_ZMAP ? "2.1.1, 4.1, 4.1-minimal" : "1.3.2, 2023-11");
	if (class->ip == 6 &&
	    (class->sender == SENDER_MIRAI || class->sender == SENDER_MASSCAN || class->sender == SENDER_ZMAP ||
	     class->sender == SENDER_UNICORNSCAN || class->sender == SENDER_SPOOFED))
		return refuse(reader, line, "%s: %s is told by IPv4 headers; ip: 6 is for the others", class->name,
			      sender);
	if (class->sender == SENDER_PING && !class->port_count) {
		class->ports = pool_array(reader->pool, 1, sizeof *class->ports);
		if (!class->ports)
			return -ENOMEM;
		class->ports[0] = (struct port_choice){.protocol = 1, .weight = 1};
		class->port_count = 1;
	}
	if (!class->port_count)
		return refuse(reader, line, "%s: needs ports", class->name);
	int payload = class->payload_name ? udp_payload_by_name(class->payload_name) : -1;
	if (class->payload_name && (payload < 0 || class->sender != SENDER_UDP))
		return refuse(reader, line, "%s: there is no payload '%.40s' for sender %s", class->name,
			      class->payload_name, sender);
	for (size_t i = 0; i < class->port_count; i++) {
		if (!protocol_fits(class, class->ports[i].protocol))
			return refuse(reader, line, "%s: %s does not send to such a port", class->name, sender);
		if (payload >= 0)
			class->ports[i].payload = (uint8_t)payload;
	}
	if (class->has_growth && class->growth_initial > class->devices)
		return refuse(reader, line, "%s: growth begins with more devices than there are", class->name);
	if (class->every > 0 && class->duration > class->every)
		return refuse(reader, line, "%s: longer than 'every', it would overtake itself", class->name);
	if ((class->every < 0) != (class->duration < 0) && class->every != 0)
		return refuse(reader, line, "%s: every and duration are both times or both shares of the run",
			      class->name);
	return 0;
}

static int read_class(struct reader *reader, enum section section, const yaml_node_t *node, struct traffic_class *class)
{
	if (node->type != YAML_MAPPING_NODE)
		return REFUSE(reader, node, "%s: a mapping was expected", section_names[section]);
	*class = (struct traffic_class){.section = section,
					.ip = 4,
					.devices = 1,
					.parallel = 1,
					.window = -1,
					.line = (int)node->start_mark.line + 1,
					.sender = section == SECTION_ATTACKS ? SENDER_ANSWER : SENDER_SPOOFED};
	uint64_t seen = 0;
	for (size_t i = 0; i < pair_count(node); i++) {
		const yaml_node_t *key = node_at(reader, node->data.mapping.pairs.start[i].key);
		const char *name = scalar(key);
		size_t at = 0;
		while (at < FIELDS && (!name || strcmp(fields[at].name, name) != 0))
			at++;
		if (at == FIELDS)
			return REFUSE(reader, key, "there is no field '%.40s'", name ? name : "");
		if (!(fields[at].sections >> section & 1))
			return REFUSE(reader, key, "%s may not stand under %s:", name, section_names[section]);
		if (seen >> at & 1)
			return REFUSE(reader, key, "%s is given twice", name);
		seen |= UINT64_C(1) << at;
		int result = read_field(reader, &fields[at], node_at(reader, node->data.mapping.pairs.start[i].value),
					class);
		if (result < 0)
			return result;
	}
	for (size_t at = 0; at < FIELDS; at++)
		if ((fields[at].required >> section & 1) && !(seen >> at & 1))
			return REFUSE(reader, node, "%s is missing", fields[at].name);
	return check_class(reader, class);
}

static int read_section(struct reader *reader, enum section section, const yaml_node_t *node)
{
	struct description *description = reader->description;
	if (node->type != YAML_SEQUENCE_NODE)
		return REFUSE(reader, node, "%s: a list was expected", section_names[section]);
	for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *at = node_at(reader, *item);
		if (description->class_count == DESCRIPTION_CLASSES_MAX)
			return REFUSE(reader, at, "more than %d classes", DESCRIPTION_CLASSES_MAX);
		struct traffic_class *class = &description->classes[description->class_count];
		int result = read_class(reader, section, at, class);
		if (result < 0)
			return result;
		for (size_t i = 0; i < description->class_count; i++)
			if (strcmp(description->classes[i].name, class->name) == 0)
				return REFUSE(reader, at, "the name %.60s is given twice", class->name);
		description->class_count++;
	}
	return 0;
}

static int read_mixes(struct reader *reader, const yaml_node_t *node)
{
	struct description *description = reader->description;
	if (node->type != YAML_MAPPING_NODE)
		return REFUSE(reader, node, "mixes: names with countries were expected");
	description->mixes = pool_array(reader->pool, pair_count(node) + 1, sizeof *description->mixes);
	if (!description->mixes)
		return -ENOMEM;
	for (size_t i = 0; i < pair_count(node); i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		struct mix *mix = &description->mixes[i];
		int result = read_text(reader, node_at(reader, pair->key), "mixes", &mix->name);
		const yaml_node_t *value = node_at(reader, pair->value);
		if (result == 0 && value->type != YAML_MAPPING_NODE)
			return REFUSE(reader, value, "mixes: country codes with weights were expected");
		if (result == 0)
			result = read_countries(reader, value, mix->name, mix);
		if (result < 0)
			return result;
		description->mix_count = i + 1;
	}
	return 0;
}

/* The path of a file that is named as seen from the description's own place. */
static int read_beside(struct reader *reader, const yaml_node_t *node, const char *name, const char **ret_path)
{
	const char *slash = strrchr(reader->where, '/'), *file = NULL;
	char path[4096];
	int result = read_text(reader, node, name, &file);
	if (result < 0)
		return result;
	int folder = slash && file[0] != '/' ? (int)(slash + 1 - reader->where) : 0;
	if (snprintf(path, sizeof path, "%.*s%s", folder, reader->where, file) >= (int)sizeof path)
		return REFUSE(reader, node, "%s: the path is too long", name);
	*ret_path = pool_text(reader->pool, path);
	return *ret_path ? 0 : -ENOMEM;
}

static int read_top(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	struct description *description = reader->description;
	const char *name = scalar(key);
	if (name && strcmp(name, "name") == 0)
		return read_text(reader, value, name, &description->name);
	if (name && strcmp(name, "summary") == 0)
		return read_text(reader, value, name, &description->summary);
	if (name && strcmp(name, "members") == 0)
		return read_beside(reader, value, name, &description->members);
	if (name && strcmp(name, "darknet") == 0)
		return read_prefixes(reader, value, name, &description->darknet);
	if (name && strcmp(name, "packets-per-second") == 0)
		return read_number(reader, value, name, 1e-3, 1e9, &description->packets_per_second);
	if (name && strcmp(name, "mixes") == 0)
		return read_mixes(reader, value);
	for (int i = 0; i < SECTIONS; i++)
		if (name && strcmp(name, section_names[i]) == 0)
			return read_section(reader, (enum section)i, value);
	return REFUSE(reader, key, "there is no field '%.40s' at the top", name ? name : "");
}

static bool darknet_has(const struct description *description, bool v4)
{
	for (size_t i = 0; i < description->darknet.count; i++)
		if (addr_is_v4(&description->darknet.items[i].addr) == v4)
			return true;
	return false;
}

static int read_document(struct reader *reader)
{
	struct description *description = reader->description;
	const yaml_node_t *root = yaml_document_get_root_node(reader->document);
	if (!root || root->type != YAML_MAPPING_NODE)
		return refuse(reader, 1, "a mapping was expected at the top");
	description->classes = pool_array(reader->pool, DESCRIPTION_CLASSES_MAX, sizeof *description->classes);
	if (!description->classes)
		return -ENOMEM;
	for (size_t i = 0; i < pair_count(root); i++) {
		const yaml_node_pair_t *pair = &root->data.mapping.pairs.start[i];
		int result = read_top(reader, node_at(reader, pair->key), node_at(reader, pair->value));
		if (result < 0)
			return result;
	}
	if (!description->name || !description->darknet.count || !description->class_count)
		return refuse(reader, 1, "name, darknet and at least one class of traffic are needed");
	for (size_t i = 0; i < description->class_count; i++)
		if (!darknet_has(description, description->classes[i].ip == 4))
			return refuse(reader, description->classes[i].line, "%s: the darknet has no IPv%d prefix",
				      description->classes[i].name, (int)description->classes[i].ip);
	return 0;
}

int description_parse(const char *where, const char *yaml, size_t bytes, struct pool *pool,
		      struct description *ret_description, struct err *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, bytes);
	if (!yaml_parser_load(&parser, &document)) {
		int result = err_set(err, -EINVAL, "%s:%zu: %s", where, parser.problem_mark.line + 1,
				     parser.problem ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return result;
	}
	struct description description = {.path = pool_text(pool, where)};
	struct reader reader = {where, &document, pool, err, &description};
	int result = read_document(&reader);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	if (result == 0)
		*ret_description = description;
	return result;
}

int description_read(const char *path, struct pool *pool, struct description *ret_description, struct err *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	char *bytes = malloc(DESCRIPTION_BYTES_MAX + 1);
	size_t length = bytes ? fread(bytes, 1, DESCRIPTION_BYTES_MAX + 1, file) : 0;
	int result = !bytes ? -ENOMEM : 0;
	if (ferror(file))
		result = err_set(err, -EIO, "%s: cannot be read", path);
	else if (length > DESCRIPTION_BYTES_MAX)
		result = err_set(err, -EFBIG, "%s: a description has at most %d bytes", path, DESCRIPTION_BYTES_MAX);
	fclose(file);
	if (result == 0)
		result = description_parse(path, bytes, length, pool, ret_description, err);
	free(bytes);
	return result;
}

bool traffic_by_turns(const struct traffic_class *class)
{
	return class->section == SECTION_ATTACKS || class->section == SECTION_INFECTIONS;
}

enum packet_kind traffic_kind(const struct traffic_class *class, const struct port_choice *port)
{
	if (class->section == SECTION_ATTACKS)
		return PACKET_BACKSCATTER;
	if (class->section == SECTION_HOSTS)
		return PACKET_MISCONFIGURATION;
	if (class->section == SECTION_NOISE)
		return class->spoof == SPOOF_PROTOCOL ? PACKET_OTHER : PACKET_SCAN;
	if (class->survey)
		return PACKET_SURVEY; /* whatever it asks */
	return port->protocol == 17 && udp_payloads[port->payload].reflection ? PACKET_REFLECTION : PACKET_SCAN;
}

enum scan_tool traffic_tool(const struct traffic_class *class)
{
	static const enum scan_tool tools[SENDERS] = {
		[SENDER_MIRAI] = TOOL_MIRAI, [SENDER_MASSCAN] = TOOL_MASSCAN,         [SENDER_ZMAP] = TOOL_ZMAP,
		[SENDER_NMAP] = TOOL_NMAP,   [SENDER_UNICORNSCAN] = TOOL_UNICORNSCAN,
	};
	return tools[class->sender];
}
