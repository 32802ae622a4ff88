/* What Rings draws, in one answer: members with their blocks, and the alerts about their addresses that are open or
 * ended lately. Where there are more members than a picture holds, those with an alert come first, then the large.
 * A member's people see their own arc and alerts, a guest none; what is shown of each member is what a list shows.
 */
#include "hub/api_answer.h"

#include "core/clock.h"
#include "core/memory.h"
#include "hub/keeper.h"
#include "store/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMBERS_USUAL = 400,
	MEMBERS_MOST = 1000,
	BLOCKS_MOST = 64, /* of a member, widest first */
	OPEN_MOST = 2000,
	ENDED_MOST = 500,
	SITE_BITS = 48,       /* what an IPv6 network is counted in */
	SITE_ADDRESSES = 256, /* that many IPv4 addresses weigh as much as a site */
	V4_BITS = 96,         /* of a prefix of IPv4, before its own */
};

struct ring_member {
	uint32_t id;
	bool alerted;
	size_t first, blocks; /* in the array of prefixes, without those inside another of the same member */
	uint64_t addresses, sites;
};

struct ring {
	struct member_prefix *prefixes; /* by member, then width, then address */
	size_t prefix_count;
	struct ring_member *members;
	size_t count;
	uint64_t version;
};

static int member_number_order(const void *a, const void *b)
{
	const struct member_prefix *one = a, *two = b;
	return one->member != two->member             ? one->member < two->member ? -1 : 1
	       : one->prefix.bits != two->prefix.bits ? one->prefix.bits - two->prefix.bits
						      : addr_compare(&one->prefix.addr, &two->prefix.addr);
}

static uint64_t member_weight(const struct ring_member *member)
{
	return member->addresses + member->sites * SITE_ADDRESSES;
}

static int member_show_order(const void *a, const void *b)
{
	const struct ring_member *one = a, *two = b;
	uint64_t one_weight = member_weight(one), two_weight = member_weight(two);
	return one->alerted != two->alerted ? two->alerted - one->alerted
	       : one_weight != two_weight   ? one_weight > two_weight ? -1 : 1
	       : one->id < two->id          ? -1
					    : 1;
}

static void member_count(struct ring_member *member, const struct prefix *prefix)
{
	if (addr_is_v4(&prefix->addr) && prefix->bits >= V4_BITS)
		member->addresses += 1ULL << (128 - prefix->bits);
	else
		member->sites += prefix->bits < SITE_BITS ? 1ULL << (SITE_BITS - prefix->bits) : 1;
}

static bool inside_another(const struct member_prefix *of_member, size_t count, const struct prefix *prefix)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_has(&of_member[i].prefix, &prefix->addr))
			return true;
	return false;
}

/* Prefixes that lie in a wider one of the same member move out; members get their sizes. `only` one member, or 0. */
static int ring_group(struct ring *ring, uint32_t only, struct err *err)
{
	if (ring->prefix_count)
		qsort(ring->prefixes, ring->prefix_count, sizeof *ring->prefixes, member_number_order);
	ring->members = calloc(ring->prefix_count + 1, sizeof *ring->members);
	if (!ring->members)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ring->prefix_count; i++) {
		struct member_prefix *row = &ring->prefixes[i];
		if (only && row->member != only)
			continue;
		struct ring_member *last = ring->count > 0 ? &ring->members[ring->count - 1] : NULL;
		if (!last || last->id != row->member) {
			last = &ring->members[ring->count++];
			*last = (struct ring_member){.id = row->member, .first = i};
		}
		struct member_prefix *own = &ring->prefixes[last->first];
		size_t compared = last->blocks < BLOCKS_MOST ? last->blocks : BLOCKS_MOST;
		if (inside_another(own, compared, &row->prefix))
			continue;
		member_count(last, &row->prefix);
		own[last->blocks++] = *row;
	}
	return 0;
}

static int alerts_add(struct api_call *call, const char *from, bool ended, unsigned limit, json_t *alerts,
		      struct err *err)
{
	static const char *const kept[] = {"prefix", "direction", "tool", "ports", NULL};
	json_t *answer = NULL;
	json_t *filters = json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:i}]", "field", "type", "op", "=", "value",
				    "livenet", "field", "ended", "op", "=", "value", (int)ended);
	if (call->role == ROLE_MEMBER)
		json_array_append_new(filters, json_pack("{s:s, s:s, s:I}", "field", "member", "op", "=", "value",
							 (json_int_t)call->user.member));
	json_t *query = json_pack("{s:s, s:s, s:s, s:o, s:[{s:s, s:b}], s:i}", "kind", "finding", "from", from, "to",
				  "2200-01-01T00:00:00Z", "filters", filters, "order", "by", "time", "descending", 1,
				  "limit", (int)limit);
	int result = api_ask(call, query, &answer, err);
	if (result < 0)
		return result;
	json_t *findings = answer_objects(answer);
	json_decref(answer);
	size_t i;
	json_t *finding;
	json_array_foreach(findings, i, finding)
	{
		json_t *ground = json_object_get(finding, "ground"), *less = json_object();
		for (unsigned k = 0; kept[k]; k++)
			if (json_object_get(ground, kept[k]))
				json_object_set(less, kept[k], json_object_get(ground, kept[k]));
		json_object_set_new(finding, "ground", less);
	}
	json_array_extend(alerts, findings);
	json_decref(findings);
	return 0;
}

static int member_id_order(const void *key, const void *element)
{
	uint32_t id = *(const uint32_t *)key, other = ((const struct ring_member *)element)->id;
	return id < other ? -1 : id > other;
}

static void ring_mark(struct ring *ring, const json_t *alerts)
{
	size_t i;
	const json_t *alert;
	json_array_foreach(alerts, i, alert)
	{
		uint32_t id = (uint32_t)json_integer_value(json_object_get(alert, "member"));
		struct ring_member *member =
			bsearch(&id, ring->members, ring->count, sizeof *ring->members, member_id_order);
		if (member)
			member->alerted = true;
	}
}

static json_t *member_json(const struct ring *ring, const struct ring_member *member, const json_t *known)
{
	static const char *const kept[] = {"id", "key", "name", "name_en", "kind", NULL};
	json_t *json = json_object(), *blocks = json_array();
	for (unsigned k = 0; kept[k]; k++)
		if (json_object_get(known, kept[k]))
			json_object_set(json, kept[k], json_object_get(known, kept[k]));
	for (size_t b = 0; b < member->blocks && b < BLOCKS_MOST; b++) {
		char text[PREFIX_TEXT_BYTES];
		json_array_append_new(blocks,
				      json_string(prefix_format(&ring->prefixes[member->first + b].prefix, text)));
	}
	json_object_set_new(json, "blocks", blocks);
	json_object_set_new(json, "more_blocks",
			    json_integer(member->blocks > BLOCKS_MOST ? (json_int_t)member->blocks - BLOCKS_MOST : 0));
	json_object_set_new(json, "addresses", json_integer((json_int_t)member->addresses));
	json_object_set_new(json, "sites", json_integer((json_int_t)member->sites));
	return json;
}

static int ring_members_json(struct api_call *call, const struct ring *ring, size_t limit, json_t *members,
			     struct err *err)
{
	for (size_t i = 0; i < ring->count && json_array_size(members) < limit; i++) {
		json_t *known = NULL;
		int result = registry_member(call->keeper->registry, ring->members[i].id, &known, err);
		if (result == -ENOENT)
			continue; /* removed since */
		if (result < 0)
			return result;
		json_array_append_new(members, member_json(ring, &ring->members[i], known));
		json_decref(known);
	}
	return 0;
}

static int ring_ask(struct api_call *call, struct ring *ring, json_t *members, json_t *alerts, struct err *err)
{
	size_t limit = api_argument_number(call, "members", MEMBERS_USUAL, MEMBERS_MOST);
	int result = registry_member_prefixes(call->keeper->registry, clock_now_ns(), &ring->prefixes,
					      &ring->prefix_count, &ring->version, err);
	if (result >= 0)
		result = ring_group(ring, call->role == ROLE_MEMBER ? call->user.member : 0, err);
	if (result >= 0)
		result = alerts_add(call, "1970-01-01T00:00:00Z", false, OPEN_MOST, alerts, err);
	if (result >= 0)
		result = alerts_add(call, "-1h", true, ENDED_MOST, alerts, err);
	if (result < 0)
		return result;
	ring_mark(ring, alerts);
	qsort(ring->members, ring->count, sizeof *ring->members, member_show_order);
	return ring_members_json(call, ring, limit, members, err);
}

int api_rings_get(struct api_call *call, struct err *err)
{
	struct ring ring = {0};
	char now[TIME_TEXT_BYTES];
	json_t *alerts = json_array(), *members = json_array();
	/* invented members are nobody's secret */
	bool shown = call->known || strcmp(call->keeper->setup->hub->mode, "simulate") == 0;
	int result = shown ? ring_ask(call, &ring, members, alerts, err) : 0;
	if (result >= 0)
		result = api_json(call, 200,
				  json_pack("{s:s, s:b, s:I, s:I, s:O, s:O}", "now", time_format(clock_now_ns(), now),
					    "hidden", !shown, "version", (json_int_t)ring.version, "total",
					    (json_int_t)ring.count, "members", members, "alerts", alerts));
	json_decref(members);
	json_decref(alerts);
	free(ring.prefixes);
	free(ring.members);
	return result;
}
