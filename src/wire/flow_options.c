/* Options records: what an exporter says of itself. They are few, and read element by element. */
#include "wire/flow.h"
#include "wire/flow_parts.h"

#include <string.h>

struct sampling {
	uint64_t interval, packets, space, size, population;
};

/* One packet in how many (RFC 5477 section 8.2): directly, as an interval and a gap, or as n out of N. */
static uint32_t sampling_of(const struct sampling *sampling)
{
	uint64_t one_in = sampling->interval;
	if (sampling->packets)
		one_in = (sampling->packets + sampling->space) / sampling->packets;
	if (sampling->size)
		one_in = sampling->population / sampling->size;
	return one_in > UINT32_MAX ? UINT32_MAX : (uint32_t)one_in;
}

static void text_take(const uint8_t *at, size_t bytes, struct flow_option *option)
{
	while (bytes && (at[bytes - 1] == 0 || at[bytes - 1] == ' '))
		bytes--;
	option->name = (const char *)at;
	option->name_bytes = (uint16_t)bytes;
}

static void element_take(const struct flow_element *element, const uint8_t *at, size_t bytes, bool v9_scope,
			 struct sampling *sampling, struct flow_option *option)
{
	if (element->enterprise || bytes == 0)
		return;
	unsigned id = v9_scope ? (element->id == 2 ? 10 : 0) : element->id; /* RFC 3954: scope 2 is an interface */
	if (id == 82) {                                                     /* interfaceName */
		text_take(at, bytes, option);
		return;
	}
	if (bytes > 8)
		return;
	uint64_t number = flow_number(at, (unsigned)bytes);
	switch (id) {
	case 10: /* ingressInterface */
	case 14: /* egressInterface */
		option->interface = (uint32_t)number;
		break;
	case 34: /* samplingInterval */
	case 50: /* samplerRandomInterval */
		sampling->interval = number;
		break;
	case 48:  /* samplerId */
	case 302: /* selectorId */
		option->sampler = (uint32_t)number;
		break;
	case 160: /* systemInitTimeMilliseconds */
		option->boot_ns = number > (uint64_t)INT64_MAX / 1000000 ? 0 : (int64_t)number * 1000000;
		break;
	case 305: /* samplingPacketInterval */
		sampling->packets = number;
		break;
	case 306: /* samplingPacketSpace */
		sampling->space = number;
		break;
	case 309: /* samplingSize */
		sampling->size = number;
		break;
	case 310: /* samplingPopulation */
		sampling->population = number;
		break;
	default:
		break;
	}
}

int flow_option_next(const struct flow_message *message, const struct flow_template *template, struct cursor *body,
		     struct flow_option *ret_option)
{
	struct sampling sampling = {0};
	size_t least = 0;
	*ret_option = (struct flow_option){.name = ""};
	for (unsigned i = 0; i < template->count; i++)
		least += template->fields[i].bytes == FLOW_VARIABLE ? 1 : template->fields[i].bytes;
	if (least == 0 || cursor_left(body) < least)
		return 0;
	for (unsigned i = 0; i < template->count; i++) {
		const struct flow_element *element = &template->fields[i];
		size_t bytes = element->bytes;
		if (bytes == FLOW_VARIABLE) {
			bytes = cursor_u8(body);
			bytes = bytes == 255 ? cursor_be16(body) : bytes;
		}
		const uint8_t *at = cursor_take(body, bytes);
		if (!at)
			return -FLOW_TRUNCATED;
		bool v9_scope = message->format == FLOW_NETFLOW9 && i < template->scopes;
		element_take(element, at, bytes, v9_scope, &sampling, ret_option);
	}
	ret_option->sampling = sampling_of(&sampling);
	return 1;
}
