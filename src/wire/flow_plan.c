/* Templates into plans: which elements of IANA's registry (and RFC 5103's reverse ones) fill which column. */
#include "wire/flow.h"
#include "wire/flow_parts.h"

#include <string.h>

enum { REVERSE = 29305 }; /* RFC 5103 section 6.1 */

/* In the order in which a column takes them: where a template has several for one, the first of this table. */
static const struct meaning {
	uint32_t enterprise;
	uint16_t id;
	uint8_t field, how;
} meanings[] = {
	{0, 152, FLOW_FIRST, FLOW_MILLISECONDS}, /* flowStartMilliseconds */
	{0, 154, FLOW_FIRST, FLOW_NTP},          /* flowStartMicroseconds */
	{0, 156, FLOW_FIRST, FLOW_NTP},          /* flowStartNanoseconds */
	{0, 22, FLOW_FIRST, FLOW_UPTIME},        /* flowStartSysUpTime */
	{0, 158, FLOW_FIRST, FLOW_AGO},          /* flowStartDeltaMicroseconds */
	{0, 150, FLOW_FIRST, FLOW_SECONDS},      /* flowStartSeconds */
	{0, 323, FLOW_FIRST, FLOW_MILLISECONDS}, /* observationTimeMilliseconds */
	{0, 324, FLOW_FIRST, FLOW_NTP},          /* observationTimeMicroseconds */
	{0, 325, FLOW_FIRST, FLOW_NTP},          /* observationTimeNanoseconds */
	{0, 322, FLOW_FIRST, FLOW_SECONDS},      /* observationTimeSeconds */
	{0, 153, FLOW_LAST, FLOW_MILLISECONDS},
	{0, 155, FLOW_LAST, FLOW_NTP},
	{0, 157, FLOW_LAST, FLOW_NTP},
	{0, 21, FLOW_LAST, FLOW_UPTIME},
	{0, 159, FLOW_LAST, FLOW_AGO},
	{0, 151, FLOW_LAST, FLOW_SECONDS},
	{0, 161, FLOW_LAST, FLOW_DURATION_MS},
	{0, 162, FLOW_LAST, FLOW_DURATION_US},
	{0, 8, FLOW_SOURCE, FLOW_ADDRESS4},
	{0, 27, FLOW_SOURCE, FLOW_ADDRESS6},
	{0, 12, FLOW_TARGET, FLOW_ADDRESS4},
	{0, 28, FLOW_TARGET, FLOW_ADDRESS6},
	{0, 7, FLOW_SOURCE_PORT, FLOW_NUMBER},
	{0, 180, FLOW_SOURCE_PORT, FLOW_NUMBER}, /* udpSourcePort */
	{0, 182, FLOW_SOURCE_PORT, FLOW_NUMBER}, /* tcpSourcePort */
	{0, 11, FLOW_TARGET_PORT, FLOW_NUMBER},
	{0, 181, FLOW_TARGET_PORT, FLOW_NUMBER},
	{0, 183, FLOW_TARGET_PORT, FLOW_NUMBER},
	{0, 4, FLOW_PROTOCOL, FLOW_NUMBER},
	{0, 6, FLOW_FLAGS, FLOW_NUMBER},
	{0, 5, FLOW_TOS, FLOW_NUMBER},
	{0, 2, FLOW_PACKETS, FLOW_NUMBER},
	{0, 86, FLOW_PACKETS, FLOW_NUMBER},  /* packetTotalCount */
	{0, 298, FLOW_PACKETS, FLOW_NUMBER}, /* initiatorPackets */
	{0, 24, FLOW_PACKETS, FLOW_NUMBER},  /* postPacketDeltaCount */
	{0, 1, FLOW_BYTES, FLOW_NUMBER},
	{0, 85, FLOW_BYTES, FLOW_NUMBER},  /* octetTotalCount */
	{0, 231, FLOW_BYTES, FLOW_NUMBER}, /* initiatorOctets */
	{0, 23, FLOW_BYTES, FLOW_NUMBER},  /* postOctetDeltaCount */
	{0, 352, FLOW_BYTES, FLOW_NUMBER}, /* layer2OctetDeltaCount */
	{REVERSE, 2, FLOW_REVERSE_PACKETS, FLOW_NUMBER},
	{REVERSE, 86, FLOW_REVERSE_PACKETS, FLOW_NUMBER},
	{0, 299, FLOW_REVERSE_PACKETS, FLOW_NUMBER}, /* responderPackets */
	{REVERSE, 1, FLOW_REVERSE_BYTES, FLOW_NUMBER},
	{REVERSE, 85, FLOW_REVERSE_BYTES, FLOW_NUMBER},
	{0, 232, FLOW_REVERSE_BYTES, FLOW_NUMBER}, /* responderOctets */
	{0, 10, FLOW_INPUT, FLOW_NUMBER},
	{0, 252, FLOW_INPUT, FLOW_NUMBER}, /* ingressPhysicalInterface */
	{0, 14, FLOW_OUTPUT, FLOW_NUMBER},
	{0, 253, FLOW_OUTPUT, FLOW_NUMBER},
	{0, 16, FLOW_SOURCE_AS, FLOW_NUMBER},
	{0, 17, FLOW_TARGET_AS, FLOW_NUMBER},
	{0, 15, FLOW_NEXT_HOP, FLOW_ADDRESS4},
	{0, 62, FLOW_NEXT_HOP, FLOW_ADDRESS6},
	{0, 18, FLOW_NEXT_HOP, FLOW_ADDRESS4}, /* bgpNextHopIPv4Address */
	{0, 63, FLOW_NEXT_HOP, FLOW_ADDRESS6},
	{0, 58, FLOW_VLAN, FLOW_NUMBER},
	{0, 243, FLOW_VLAN, FLOW_NUMBER}, /* dot1qVlanId */
	{0, 61, FLOW_DIRECTION, FLOW_NUMBER},
	{0, 136, FLOW_END_REASON, FLOW_NUMBER},
	{0, 34, FLOW_SAMPLING, FLOW_NUMBER},
	{0, 305, FLOW_SAMPLING, FLOW_NUMBER}, /* samplingPacketInterval */
	{0, 48, FLOW_SAMPLER, FLOW_NUMBER},
	{0, 302, FLOW_SAMPLER, FLOW_NUMBER}, /* selectorId */
	/* behind all others, because they look at what those wrote */
	{0, 32, FLOW_TARGET_PORT, FLOW_ICMP},
	{0, 139, FLOW_TARGET_PORT, FLOW_ICMP},
	{0, 176, FLOW_TARGET_PORT, FLOW_ICMP_TYPE},
	{0, 178, FLOW_TARGET_PORT, FLOW_ICMP_TYPE},
	{0, 177, FLOW_TARGET_PORT, FLOW_ICMP_CODE},
	{0, 179, FLOW_TARGET_PORT, FLOW_ICMP_CODE},
};
enum { MEANINGS = sizeof meanings / sizeof *meanings };

const uint8_t flow_field_bytes[FLOW_FIELDS] = {
	[FLOW_FIRST] = 8,         [FLOW_LAST] = 8,        [FLOW_SOURCE] = 16,  [FLOW_TARGET] = 16,
	[FLOW_SOURCE_PORT] = 2,   [FLOW_TARGET_PORT] = 2, [FLOW_PROTOCOL] = 1, [FLOW_FLAGS] = 1,
	[FLOW_TOS] = 1,           [FLOW_PACKETS] = 8,     [FLOW_BYTES] = 8,    [FLOW_REVERSE_PACKETS] = 8,
	[FLOW_REVERSE_BYTES] = 8, [FLOW_INPUT] = 4,       [FLOW_OUTPUT] = 4,   [FLOW_SOURCE_AS] = 4,
	[FLOW_TARGET_AS] = 4,     [FLOW_NEXT_HOP] = 16,   [FLOW_VLAN] = 2,     [FLOW_DIRECTION] = 1,
	[FLOW_END_REASON] = 1,    [FLOW_SAMPLING] = 4,    [FLOW_SAMPLER] = 4,
};

static bool length_fits(uint8_t how, unsigned bytes)
{
	switch (how) {
	case FLOW_ADDRESS4:
	case FLOW_UPTIME:
		return bytes == 4;
	case FLOW_ADDRESS6:
		return bytes == 16;
	case FLOW_NTP:
		return bytes == 8;
	default:
		return bytes >= 1 && bytes <= 8; /* reduced-size encoding, RFC 7011 section 6.2 */
	}
}

struct place {
	uint16_t at, bytes;
};

/* Where the elements of a record lie: a record's offset, or its number where lengths vary. */
static enum flow_fault places_find(const struct flow_template *template, struct flow_plan *plan, struct place *places)
{
	uint32_t bytes = 0;
	for (unsigned i = 0; i < template->count; i++)
		plan->is_variable |= template->fields[i].bytes == FLOW_VARIABLE;
	for (unsigned i = 0; i < template->count; i++) {
		uint16_t length = template->fields[i].bytes;
		places[i] = (struct place){(uint16_t)(plan->is_variable ? i : bytes), length};
		plan->lengths[i] = length;
		bytes += length == FLOW_VARIABLE ? 1 : length;
	}
	if (bytes == 0 || bytes > UINT16_MAX)
		return FLOW_TEMPLATE;
	plan->record_bytes = (uint16_t)bytes;
	plan->count = template->count;
	return FLOW_SOUND;
}

static int element_find(const struct flow_template *template, uint32_t enterprise, uint16_t id)
{
	for (unsigned i = 0; i < template->count; i++)
		if (template->fields[i].id == id && template->fields[i].enterprise == enterprise)
			return (int)i;
	return -1;
}

/* A second op for a column: IPv6 beside IPv4 where a record has both and one is zero, and ICMP's type and code. */
static bool may_join(const struct flow_plan *plan, const struct meaning *meaning)
{
	if (plan->absent & UINT64_C(1) << meaning->field || meaning->how >= FLOW_ICMP)
		return true;
	const struct flow_op *last = &plan->op[plan->ops - 1];
	return meaning->how == FLOW_ADDRESS6 && last->field == meaning->field && last->how == FLOW_ADDRESS4;
}

enum flow_fault flow_plan_make(const struct flow_template *template, struct flow_plan *ret_plan)
{
	struct place places[FLOW_TEMPLATE_FIELDS_MAX];
	*ret_plan = (struct flow_plan){.id = template->id,
				       .is_options = template->scopes != 0,
				       .absent = (UINT64_C(1) << FLOW_FIELDS) - 1,
				       .boot_at = FLOW_NOWHERE};
	enum flow_fault fault = places_find(template, ret_plan, places);
	if (fault)
		return fault;
	for (size_t m = 0; m < MEANINGS && ret_plan->ops < FLOW_OPS_MAX; m++) {
		const struct meaning *meaning = &meanings[m];
		int i = element_find(template, meaning->enterprise, meaning->id);
		if (i < 0 || !length_fits(meaning->how, places[i].bytes) || !may_join(ret_plan, meaning))
			continue;
		bool joins = !(ret_plan->absent & UINT64_C(1) << meaning->field);
		ret_plan->op[ret_plan->ops++] = (struct flow_op){
			.at = places[i].at,
			.bytes = places[i].bytes,
			.field = meaning->field,
			.how = joins && meaning->how == FLOW_ADDRESS6 ? FLOW_ADDRESS6_IF : meaning->how,
		};
		ret_plan->absent &= ~(UINT64_C(1) << meaning->field);
	}
	int boot = element_find(template, 0, 160); /* systemInitTimeMilliseconds */
	if (boot >= 0 && places[boot].bytes == 8)
		ret_plan->boot_at = places[boot].at;
	return FLOW_SOUND;
}

/* Cisco, "NetFlow Export Datagram Format", table B-4; 0 is what no column wants. */
const struct flow_template *flow_template_v5(void)
{
	static const struct flow_template template = {
		.count = 20,
		.fields = {{0, 8, 4},  {0, 12, 4}, {0, 15, 4}, {0, 10, 2}, {0, 14, 2},  {0, 2, 4},  {0, 1, 4},
			   {0, 22, 4}, {0, 21, 4}, {0, 7, 2},  {0, 11, 2}, {0, 210, 1}, {0, 6, 1},  {0, 4, 1},
			   {0, 5, 1},  {0, 16, 2}, {0, 17, 2}, {0, 9, 1},  {0, 13, 1},  {0, 210, 2}},
	};
	return &template;
}
