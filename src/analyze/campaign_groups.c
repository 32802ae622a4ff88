/* Grouping by what sources do: one pass over all sources of the window into a hash table of (fingerprint, port set),
 * then near-equal port sets of one fingerprint are merged into the largest. Exact and linear in the sources; only the
 * groups, which are few, are compared with one another, and those only where they share a port.
 */
#include "analyze/campaigns.h"
#include "record/kind.h"

#include <errno.h>
#include <stdlib.h>

struct fingerprint source_fingerprint(const struct campaign_source *source)
{
	if (source->tool != TOOL_UNKNOWN)
		return (struct fingerprint){(uint64_t)source->tool << 8 | source->tool_version, FINGERPRINT_TOOL};
	if (source->payload)
		return (struct fingerprint){source->payload, FINGERPRINT_PAYLOAD};
	return (struct fingerprint){source->signature, FINGERPRINT_SIGNATURE};
}

bool fingerprint_same(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->type == b->type && a->value == b->value;
}

static uint64_t ports_hash(const uint32_t *ports, unsigned count, bool many)
{
	uint64_t hash = many;
	for (unsigned i = 0; i < count; i++)
		hash = hash_u64(hash ^ (ports[i] + UINT64_C(0x100000000)));
	return hash;
}

static void group_key(const struct campaign_source *source, uint64_t ret_key[2])
{
	struct fingerprint fingerprint = source_fingerprint(source);
	ret_key[0] = hash_u64(fingerprint.value * 4 + fingerprint.type);
	ret_key[1] = ports_hash(source->ports, source->port_count, source->many_ports);
}

static struct campaign_group *group_of(struct campaign_groups *groups, const struct campaign_source *source,
				       const uint64_t key[2])
{
	bool is_new;
	struct campaign_group *group = table_add(&groups->table, key, table_hash(&groups->table, key), &is_new);
	if (group && is_new) {
		group->fingerprint = source_fingerprint(source);
		group->port_count = source->port_count;
		group->many_ports = source->many_ports;
		memcpy(group->ports, source->ports, source->port_count * sizeof *source->ports);
		group->leader = (uint32_t)table_index(&groups->table, group);
	}
	return group;
}

static void group_count(struct campaign_group *group, const struct campaign_source *source)
{
	group->sources++;
	group->packets += source->packets;
	uint64_t activity = source->activity;
	if (activity)
		group->starts[__builtin_ctzll(activity)]++;
	for (; activity; activity &= activity - 1)
		group->by_minute[__builtin_ctzll(activity)]++;
}

static int size_order(const void *a, const void *b, void *table)
{
	const struct campaign_group *one = table_record(table, *(const uint32_t *)a);
	const struct campaign_group *two = table_record(table, *(const uint32_t *)b);
	if (one->sources != two->sources)
		return one->sources < two->sources ? 1 : -1;
	if (one->port_count != two->port_count)
		return two->port_count - one->port_count;
	return memcmp(one->key, two->key, sizeof one->key);
}

static unsigned ports_common(const struct campaign_group *a, const struct campaign_group *b)
{
	unsigned common = 0;
	for (unsigned i = 0, j = 0; i < a->port_count && j < b->port_count;) {
		common += a->ports[i] == b->ports[j];
		uint32_t left = a->ports[i], right = b->ports[j];
		i += left <= right;
		j += right <= left;
	}
	return common;
}

/* Whoever met only some of the ports within the window belongs to those who met them all. */
bool campaign_ports_near(const struct campaign_group *a, const struct campaign_group *b, double similarity)
{
	unsigned common = ports_common(a, b);
	unsigned all = (unsigned)a->port_count + b->port_count - common;
	unsigned fewer = a->port_count < b->port_count ? a->port_count : b->port_count;
	if (!common)
		return false;
	return common >= similarity * all || (common == fewer && common * 3 >= all);
}

static void ports_join(struct campaign_group *leader, const struct campaign_group *member)
{
	for (unsigned i = 0; i < member->port_count; i++) {
		unsigned at = 0;
		while (at < leader->port_count && leader->ports[at] < member->ports[i])
			at++;
		if (at < leader->port_count && leader->ports[at] == member->ports[i])
			continue;
		if (leader->port_count == LIMIT_CAMPAIGN_PORTS) {
			leader->many_ports = true;
			return;
		}
		memmove(&leader->ports[at + 1], &leader->ports[at], (leader->port_count - at) * sizeof *leader->ports);
		leader->ports[at] = member->ports[i];
		leader->port_count++;
	}
}

static void group_join(struct campaign_group *leader, struct campaign_group *member, uint32_t leader_index)
{
	member->leader = leader_index;
	leader->sources += member->sources;
	leader->packets += member->packets;
	for (unsigned i = 0; i < WINDOW_MINUTES; i++) {
		leader->by_minute[i] += member->by_minute[i];
		leader->starts[i] += member->starts[i];
	}
}

/* Groups of one fingerprint and port, chained: where a smaller group looks for a leader. */
struct posting {
	uint64_t key;
	uint32_t leaders[8]; /* the largest ones; later ones cannot be larger */
	uint32_t count;
};

static void table_release(struct table *table)
{
	pool_release(table->pool, table->records);
	pool_release(table->pool, table->slots);
}

static uint64_t posting_key(const struct campaign_group *group, unsigned port)
{
	return group->key[0] ^ hash_u64(group->ports[port]);
}

static struct campaign_group *leader_find(struct campaign_groups *groups, const struct table *postings,
					  const struct campaign_group *group, double similarity)
{
	struct campaign_group *best = NULL;
	for (unsigned p = 0; p < group->port_count; p++) {
		uint64_t key = posting_key(group, p);
		struct posting *posting = table_find(postings, &key, table_hash(postings, &key));
		for (uint32_t l = 0; posting && l < posting->count; l++) {
			struct campaign_group *leader = table_record(&groups->table, posting->leaders[l]);
			if (fingerprint_same(&leader->fingerprint, &group->fingerprint) &&
			    campaign_ports_near(leader, group, similarity) &&
			    (!best || leader->sources > best->sources ||
			     (leader->sources == best->sources &&
			      memcmp(leader->key, best->key, sizeof best->key) < 0)))
				best = leader;
		}
	}
	return best;
}

static void groups_merge(struct campaign_groups *groups, double similarity)
{
	struct table postings;
	table_init(&postings, groups->table.pool, sizeof(struct posting), 8,
		   (size_t)LIMIT_CAMPAIGN_GROUPS * LIMIT_SOURCE_PORTS);
	for (size_t i = 0; i < groups->order_count; i++) {
		uint32_t index = groups->order[i];
		struct campaign_group *group = table_record(&groups->table, index);
		struct campaign_group *leader = leader_find(groups, &postings, group, similarity);
		if (leader) {
			group_join(leader, group, leader->leader);
			ports_join(leader, group);
			continue;
		}
		for (unsigned p = 0; p < group->port_count; p++) {
			uint64_t key = posting_key(group, p);
			bool is_new;
			struct posting *posting = table_add(&postings, &key, table_hash(&postings, &key), &is_new);
			if (posting && posting->count < 8)
				posting->leaders[posting->count++] = index;
		}
	}
	table_release(&postings);
}

/* Largest first. */
static int order_groups(struct campaign_groups *groups)
{
	size_t count = groups->table.count;
	uint32_t *all = pool_array(groups->table.pool, count ? count : 1, sizeof *all);
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		all[i] = (uint32_t)i;
	qsort_r(all, count, sizeof *all, size_order, &groups->table);
	groups->order_count = count < LIMIT_CAMPAIGN_GROUPS ? count : LIMIT_CAMPAIGN_GROUPS;
	memcpy(groups->order, all, groups->order_count * sizeof *all);
	pool_release(groups->table.pool, all);
	return 0;
}

struct tally {
	uint64_t key[2];
	uint64_t sources;
};

/* How many sources each group would have, in 24 bytes: most have one, and never become a group. */
static int sources_tally(struct table *tallies, const struct table *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		uint64_t key[2];
		group_key(table_record(sources, i), key);
		bool is_new;
		struct tally *tally = table_add(tallies, key, table_hash(tallies, key), &is_new);
		if (!tally)
			return -ENOMEM;
		tally->sources++;
	}
	return 0;
}

int campaign_group(struct campaign_groups *groups, struct table *sources, uint32_t least, double similarity)
{
	struct table tallies;
	table_init(&tallies, groups->table.pool, sizeof(struct tally), 16, UINT32_MAX);
	table_clear(&groups->table);
	int code = sources_tally(&tallies, sources);
	for (size_t i = 0; i < sources->count && code == 0; i++) {
		struct campaign_source *source = table_record(sources, i);
		uint64_t key[2];
		group_key(source, key);
		struct tally *tally = table_find(&tallies, key, table_hash(&tallies, key));
		struct campaign_group *group = tally->sources >= least ? group_of(groups, source, key) : NULL;
		source->group = group ? (uint32_t)table_index(&groups->table, group) : UINT32_MAX;
		if (group)
			group_count(group, source);
	}
	table_release(&tallies);
	if (code == 0)
		code = order_groups(groups);
	if (code == 0)
		groups_merge(groups, similarity);
	for (size_t i = 0; i < sources->count && code == 0; i++) {
		struct campaign_source *source = table_record(sources, i);
		if (source->group != UINT32_MAX)
			source->group = ((struct campaign_group *)table_record(&groups->table, source->group))->leader;
	}
	return code;
}
