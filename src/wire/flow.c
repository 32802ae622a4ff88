/* Headers, sets and templates. */
#include "wire/flow.h"

#include <string.h>

enum {
	V5_HEADER = 24,
	V5_RECORD = 48,
	V9_HEADER = 20,
	IPFIX_HEADER = 16,
	SET_HEADER = 4,
	V9_TEMPLATES = 0,
	V9_OPTIONS = 1,
	IPFIX_TEMPLATES = 2,
	IPFIX_OPTIONS = 3,
	DATA_LEAST = 256,
};
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

const char *const flow_format_names[] = {"netflow5", "netflow9", "ipfix", "sflow5", NULL};
const char *const flow_fault_names[] = {"none",        "truncated", "version", "length", "template",
					"no_template", "set",       "sample",  NULL};

/* --- messages ---------------------------------------------------------------------------------------------------- */

/* version, count, uptime, seconds, nanoseconds, sequence, engine, sampling (2 bits of mode, 14 of interval) */
static enum flow_fault read_v5(struct cursor *c, struct flow_message *message)
{
	message->format = FLOW_NETFLOW5;
	message->count = cursor_be16(c);
	message->uptime_ms = cursor_be32(c);
	int64_t seconds = cursor_be32(c);
	message->export_ns = seconds * NS_PER_SEC + cursor_be32(c) % NS_PER_SEC;
	message->sequence = cursor_be32(c);
	message->domain = cursor_be16(c);
	message->sampling = cursor_be16(c) & 0x3fff;
	if (c->failed)
		return FLOW_TRUNCATED;
	size_t whole = cursor_left(c) / V5_RECORD;
	bool cut = whole < message->count;
	message->body = cursor_sub(c, (cut ? whole : message->count) * V5_RECORD);
	return cut ? FLOW_TRUNCATED : FLOW_SOUND;
}

static enum flow_fault read_v9(struct cursor *c, struct flow_message *message)
{
	message->format = FLOW_NETFLOW9;
	message->count = cursor_be16(c);
	message->uptime_ms = cursor_be32(c);
	message->export_ns = cursor_be32(c) * NS_PER_SEC;
	message->sequence = cursor_be32(c);
	message->domain = cursor_be32(c);
	message->body = *c;
	return c->failed ? FLOW_TRUNCATED : FLOW_SOUND;
}

static enum flow_fault read_ipfix(struct cursor *c, struct flow_message *message)
{
	message->format = FLOW_IPFIX;
	size_t bytes = cursor_be16(c);
	message->export_ns = cursor_be32(c) * NS_PER_SEC;
	message->sequence = cursor_be32(c);
	message->domain = cursor_be32(c);
	if (c->failed)
		return FLOW_TRUNCATED;
	if (bytes < IPFIX_HEADER)
		return FLOW_LENGTH;
	bool cut = bytes - IPFIX_HEADER > cursor_left(c);
	message->body = cursor_sub(c, cut ? cursor_left(c) : bytes - IPFIX_HEADER);
	return cut ? FLOW_TRUNCATED : FLOW_SOUND;
}

static enum flow_fault read_sflow(struct cursor *c, struct flow_message *message)
{
	message->format = FLOW_SFLOW5;
	uint32_t version = cursor_be32(c), type = cursor_be32(c);
	const uint8_t *agent = type == 1 ? cursor_take(c, 4) : type == 2 ? cursor_take(c, 16) : NULL;
	if (version == 5 && !c->failed && !agent)
		return FLOW_LENGTH; /* nothing behind an address of unknown length can be found */
	if (agent && type == 1)
		message->agent = addr_from_v4(load_be32(agent));
	else if (agent)
		memcpy(message->agent.bytes, agent, sizeof message->agent.bytes);
	message->domain = cursor_be32(c);
	message->sequence = cursor_be32(c);
	message->uptime_ms = cursor_be32(c);
	message->count = (uint16_t)cursor_be32(c);
	message->body = *c;
	return c->failed ? FLOW_TRUNCATED : version == 5 ? FLOW_SOUND : FLOW_VERSION;
}

enum flow_fault flow_message_read(const void *data, size_t bytes, struct flow_message *ret_message)
{
	struct cursor c = cursor_over(data, bytes), start = c;
	*ret_message = (struct flow_message){.body = cursor_over(data, 0)};
	unsigned version = cursor_be16(&c);
	if (c.failed)
		return FLOW_TRUNCATED;
	switch (version) {
	case 0: /* sFlow begins with 32 bits */
		return read_sflow(&start, ret_message);
	case 5:
		return read_v5(&c, ret_message);
	case 9:
		return read_v9(&c, ret_message);
	case 10:
		return read_ipfix(&c, ret_message);
	default:
		return FLOW_VERSION;
	}
}

/* Sets follow one another to the end, or to zeros. */
static bool sets_fit(struct flow_message message)
{
	struct flow_set set;
	int more, sets = 0;
	while ((more = flow_set_next(&message, &set)) > 0)
		sets += flow_set_is_data(&set) || flow_set_is_templates(&message, &set) ||
			flow_set_is_options(&message, &set);
	return more == 0 && sets > 0;
}

bool flow_message_fits(const struct flow_message *message, size_t bytes)
{
	switch (message->format) {
	case FLOW_NETFLOW5:
		return message->count > 0 && bytes >= V5_HEADER + (size_t)message->count * V5_RECORD;
	case FLOW_NETFLOW9:
		return message->count > 0 && sets_fit(*message);
	case FLOW_IPFIX:
		return cursor_left(&message->body) + IPFIX_HEADER <= bytes && sets_fit(*message);
	default:
		return cursor_left(&message->body) >= 8 || message->count == 0; /* a sample's head */
	}
}

/* --- sets -------------------------------------------------------------------------------------------------------- */

int flow_set_next(struct flow_message *message, struct flow_set *ret_set)
{
	struct cursor *c = &message->body;
	if (cursor_left(c) < SET_HEADER)
		return 0;
	ret_set->id = cursor_be16(c);
	size_t bytes = cursor_be16(c);
	if (bytes == 0 && ret_set->id == 0)
		return 0; /* the rest of a datagram that was sent longer than it is */
	if (bytes < SET_HEADER)
		return -FLOW_LENGTH;
	if (bytes - SET_HEADER > cursor_left(c))
		return -FLOW_TRUNCATED;
	ret_set->body = cursor_sub(c, bytes - SET_HEADER);
	return 1;
}

bool flow_set_is_templates(const struct flow_message *message, const struct flow_set *set)
{
	return set->id == (message->format == FLOW_IPFIX ? IPFIX_TEMPLATES : V9_TEMPLATES);
}

bool flow_set_is_options(const struct flow_message *message, const struct flow_set *set)
{
	return set->id == (message->format == FLOW_IPFIX ? IPFIX_OPTIONS : V9_OPTIONS);
}

bool flow_set_is_data(const struct flow_set *set)
{
	return set->id >= DATA_LEAST;
}

/* --- templates --------------------------------------------------------------------------------------------------- */

static void read_fields(struct cursor *c, bool is_ipfix, struct flow_template *template)
{
	for (unsigned i = 0; i < template->count; i++) {
		struct flow_element *element = &template->fields[i];
		element->id = cursor_be16(c);
		element->bytes = cursor_be16(c);
		element->enterprise = 0;
		if (is_ipfix && element->id & 0x8000) {
			element->id &= 0x7fff;
			element->enterprise = cursor_be32(c);
		}
	}
}

/* id, fields, and for options: of which scopes. A count of 0 withdraws, with nothing behind it. */
static void read_ipfix_head(struct cursor *c, bool is_options, struct flow_template *template)
{
	template->id = cursor_be16(c);
	template->count = cursor_be16(c);
	template->scopes = is_options &&template->count ? cursor_be16(c) : 0;
}

/* RFC 3954 section 6.1: of options, how many bytes describe the scopes and the fields. */
static void read_v9_head(struct cursor *c, bool is_options, struct flow_template *template)
{
	template->id = cursor_be16(c);
	template->count = cursor_be16(c);
	template->scopes = 0;
	if (is_options) {
		template->scopes = template->count / 4;
		template->count = (uint16_t)(template->scopes + cursor_be16(c) / 4);
	}
}

int flow_template_next(const struct flow_message *message, struct flow_set *set, struct flow_template *ret_template)
{
	struct cursor *c = &set->body;
	bool is_ipfix = message->format == FLOW_IPFIX, is_options = flow_set_is_options(message, set);
	if (cursor_left(c) < 4)
		return 0;
	if (!is_ipfix && load_be16(c->at) == 0)
		return 0; /* padding */
	if (is_ipfix)
		read_ipfix_head(c, is_options, ret_template);
	else
		read_v9_head(c, is_options, ret_template);
	if (c->failed)
		return -FLOW_TRUNCATED;
	bool withdraws = is_ipfix && ret_template->count == 0;
	bool named = ret_template->id >= DATA_LEAST || (withdraws && ret_template->id == set->id);
	if (!named || ret_template->count > FLOW_TEMPLATE_FIELDS_MAX || ret_template->scopes > ret_template->count)
		return -FLOW_TEMPLATE;
	read_fields(c, is_ipfix, ret_template);
	return c->failed ? -FLOW_TRUNCATED : 1;
}
