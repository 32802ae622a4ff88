/* Exact aggregates of a whole reading. A source has one country and one network, so one set of all sources serves every
 * distinct count: whoever is new there is new in its country and its network.
 */
#include "analyze/report.h"

#include "analyze/finding.h"
#include "analyze/table.h"
#include "core/addr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Sets of addresses: IPv4 in open addressing of bare numbers (0.0.0.0 apart), IPv6 in a table. */
struct v4_set {
	uint32_t *slots;
	size_t mask, count;
	uint64_t seed;
	bool has_zero;
};

struct group {
	uint64_t key; /* country or network */
	uint64_t packets, sources;
};

struct victim_row {
	int64_t first_ns, last_ns;
	uint64_t packets;
	char *subject;
	json_t *ground;
};

struct named_row {
	char *id;
	uint8_t type;
	struct victim_row row;
};

struct report {
	struct sink sink; /* first: the sink is the report */
	struct pool *pool;
	struct v4_set v4;
	struct table v6, countries, networks;
	struct table names; /* hash of a finding's id -> row */
	struct named_row *findings;
	size_t finding_count, finding_room;
};

struct name_key {
	uint64_t hash[2];
	uint32_t row;
};

static int sink_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	return report_take((struct report *)sink, batch, err);
}

struct report *report_new(struct pool *parent)
{
	struct pool *pool = pool_new(parent, "report");
	struct report *report = pool ? pool_alloc(pool, sizeof *report) : NULL;
	if (!report) {
		pool_free(pool);
		return NULL;
	}
	report->sink.put = sink_put;
	report->pool = pool;
	table_init(&report->v6, pool, sizeof(struct addr), sizeof(struct addr), UINT32_MAX);
	table_init(&report->countries, pool, sizeof(struct group), 8, UINT32_MAX);
	table_init(&report->networks, pool, sizeof(struct group), 8, UINT32_MAX);
	table_init(&report->names, pool, sizeof(struct name_key), 16, UINT32_MAX);
	report->v4.seed = report->v6.seed;
	return report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->finding_count; i++)
		json_decref(report->findings[i].row.ground);
	pool_free(report->pool);
}

struct sink *report_sink(struct report *report)
{
	return &report->sink;
}

uint64_t report_sources(const struct report *report)
{
	return report->v4.count + report->v4.has_zero + report->v6.count;
}

static size_t v4_slot(const struct v4_set *set, uint32_t value)
{
	size_t slot = hash_u64(value ^ set->seed) & set->mask;
	while (set->slots[slot] && set->slots[slot] != value)
		slot = (slot + 1) & set->mask;
	return slot;
}

static int v4_grow(struct v4_set *set, struct pool *pool)
{
	struct v4_set grown = *set;
	size_t slots = set->slots ? (set->mask + 1) * 2 : 4096;
	grown.slots = pool_array(pool, slots, sizeof *grown.slots);
	if (!grown.slots)
		return -ENOMEM;
	grown.mask = slots - 1;
	for (size_t i = 0; set->slots && i <= set->mask; i++)
		if (set->slots[i])
			grown.slots[v4_slot(&grown, set->slots[i])] = set->slots[i];
	pool_release(pool, set->slots);
	*set = grown;
	return 0;
}

/* 1 new, 0 known, -ENOMEM */
static int v4_add(struct v4_set *set, uint32_t value, struct pool *pool)
{
	if (!value) {
		bool known = set->has_zero;
		set->has_zero = true;
		return !known;
	}
	if ((!set->slots || set->count * 4 >= (set->mask + 1) * 3) && v4_grow(set, pool) < 0)
		return -ENOMEM;
	size_t slot = v4_slot(set, value);
	if (set->slots[slot])
		return 0;
	set->slots[slot] = value;
	set->count++;
	return 1;
}

static int group_add(struct table *groups, uint64_t key, uint64_t packets, uint64_t sources)
{
	bool is_new;
	struct group *group = table_add(groups, &key, table_hash(groups, &key), &is_new);
	if (!group)
		return -ENOMEM;
	group->packets += packets;
	group->sources += sources;
	return 0;
}

static int take_tuples(struct report *report, const struct batch *batch)
{
	const struct addr *sources = batch->columns[record_column_index(batch->kind, "source")];
	const uint32_t *packets = batch->columns[record_column_index(batch->kind, "packets")];
	const uint16_t *countries = batch->columns[record_column_index(batch->kind, "country")];
	const uint32_t *networks = batch->columns[record_column_index(batch->kind, "network")];
	enum { AHEAD = 12 };
	for (uint32_t i = 0; i < batch->rows; i++) {
		if (i + AHEAD < batch->rows && report->v4.slots && addr_is_v4(&sources[i + AHEAD]))
			__builtin_prefetch(
				&report->v4.slots[hash_u64(addr_to_v4(&sources[i + AHEAD]) ^ report->v4.seed) &
						  report->v4.mask]);
		bool added = false;
		if (addr_is_v4(&sources[i])) {
			int code = v4_add(&report->v4, addr_to_v4(&sources[i]), report->pool);
			if (code < 0)
				return code;
			added = code == 1;
		} else if (!table_add(&report->v6, &sources[i], table_hash(&report->v6, &sources[i]), &added)) {
			return -ENOMEM;
		}
		if (group_add(&report->countries, countries[i], packets[i], added) < 0 ||
		    group_add(&report->networks, networks[i], packets[i], added) < 0)
			return -ENOMEM;
	}
	return 0;
}

static struct named_row *finding_row(struct report *report, const struct text *id)
{
	struct name_key key = {.hash = {hash_u64(id->length), 0}};
	for (uint32_t i = 0; i < id->length; i++) {
		key.hash[0] = hash_u64(key.hash[0] ^ (uint8_t)id->bytes[i]);
		key.hash[1] += key.hash[0];
	}
	bool is_new;
	struct name_key *name = table_add(&report->names, &key, table_hash(&report->names, &key), &is_new);
	if (!name)
		return NULL;
	if (!is_new)
		return &report->findings[name->row];
	if (report->finding_count == report->finding_room) {
		size_t room = report->finding_room ? report->finding_room * 2 : 64;
		struct named_row *rows = pool_array(report->pool, room, sizeof *rows);
		if (!rows)
			return NULL;
		if (report->finding_count)
			memcpy(rows, report->findings, report->finding_count * sizeof *rows);
		pool_release(report->pool, report->findings);
		report->findings = rows;
		report->finding_room = room;
	}
	name->row = (uint32_t)report->finding_count;
	struct named_row *row = &report->findings[report->finding_count];
	row->id = pool_alloc(report->pool, id->length + 1);
	if (!row->id)
		return NULL;
	memcpy(row->id, id->bytes, id->length);
	report->finding_count++;
	return row;
}

static int take_findings(struct report *report, const struct batch *batch)
{
	const struct text *ids = batch->columns[record_column_index(batch->kind, "id")];
	const struct text *subjects = batch->columns[record_column_index(batch->kind, "subject")];
	const struct text *grounds = batch->columns[record_column_index(batch->kind, "ground")];
	const uint8_t *types = batch->columns[record_column_index(batch->kind, "type")];
	const int64_t *firsts = batch->columns[record_column_index(batch->kind, "first")];
	const int64_t *lasts = batch->columns[record_column_index(batch->kind, "last")];
	const uint64_t *packets = batch->columns[record_column_index(batch->kind, "packets")];
	for (uint32_t i = 0; i < batch->rows; i++) {
		struct named_row *row = finding_row(report, &ids[i]);
		if (!row)
			return -ENOMEM;
		if (!row->row.subject) {
			row->row.subject = pool_alloc(report->pool, subjects[i].length + 1);
			if (!row->row.subject)
				return -ENOMEM;
			memcpy(row->row.subject, subjects[i].bytes, subjects[i].length);
		}
		row->type = types[i];
		row->row.first_ns = firsts[i];
		row->row.last_ns = lasts[i];
		row->row.packets = packets[i];
		json_decref(row->row.ground);
		row->row.ground = json_loadb(grounds[i].bytes, grounds[i].length, 0, NULL);
		if (!row->row.ground)
			return -ENOMEM;
	}
	return 0;
}

int report_take(struct report *report, const struct batch *batch, struct err *err)
{
	int code = 0;
	if (batch->kind == &record_tuple)
		code = take_tuples(report, batch);
	else if (batch->kind == &record_finding)
		code = take_findings(report, batch);
	return code < 0 ? err_set(err, code, "no memory for the report") : 0;
}

static int group_order(const void *a, const void *b)
{
	const struct group *one = a, *two = b;
	if (one->packets != two->packets)
		return one->packets < two->packets ? 1 : -1;
	return one->key < two->key ? -1 : one->key > two->key;
}

static json_t *groups_json(const struct table *groups, bool networks, report_name_fn *name, const void *context)
{
	json_t *list = json_array();
	struct group *sorted = groups->count ? malloc(groups->count * sizeof *sorted) : NULL;
	if (!list || (groups->count && !sorted)) {
		json_decref(list);
		free(sorted);
		return NULL;
	}
	if (groups->count) {
		memcpy(sorted, groups->records, groups->count * sizeof *sorted);
		qsort(sorted, groups->count, sizeof *sorted, group_order);
	}
	int code = 0;
	for (size_t i = 0; i < groups->count && code == 0; i++) {
		char key[16];
		if (networks)
			snprintf(key, sizeof key, "AS%u", (unsigned)sorted[i].key);
		else
			country_format((uint16_t)sorted[i].key, key);
		json_t *row = json_pack("{s:s, s:I, s:I}", networks ? "network" : "country", key, "packets",
					(json_int_t)sorted[i].packets, "sources", (json_int_t)sorted[i].sources);
		const char *called = networks && name ? name(context, (uint32_t)sorted[i].key) : NULL;
		if (row && called && *called) {
			json_t *text = json_string(called);
			json_object_set_new(row, "name", text ? text : json_string(""));
		}
		code = row ? json_array_append_new(list, row) : -1;
	}
	free(sorted);
	if (code == 0)
		return list;
	json_decref(list);
	return NULL;
}

static int finding_order(const void *a, const void *b)
{
	const struct named_row *const *one = a, *const *two = b;
	if ((*one)->row.packets != (*two)->row.packets)
		return (*one)->row.packets < (*two)->row.packets ? 1 : -1;
	return strcmp((*one)->id, (*two)->id);
}

static json_t *ground_part(const struct named_row *row, const char *name)
{
	json_t *part = json_object_get(row->row.ground, name);
	return part ? json_incref(part) : json_null();
}

static json_t *finding_json(const struct named_row *row)
{
	if (row->type == FINDING_VICTIM)
		return json_pack("{s:s, s:I, s:o, s:o, s:o}", "address", row->row.subject, "packets",
				 (json_int_t)row->row.packets, "first", json_time(row->row.first_ns), "last",
				 json_time(row->row.last_ns), "ports", ground_part(row, "ports"));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "id", row->id, "rule",
			 ground_part(row, "rule"), "ports", ground_part(row, "ports"), "tool", ground_part(row, "tool"),
			 "fingerprint", ground_part(row, "fingerprint"), "sources", ground_part(row, "sources"),
			 "first", json_time(row->row.first_ns), "last", json_time(row->row.last_ns), "packets",
			 (json_int_t)row->row.packets, "countries", ground_part(row, "countries"), "sample",
			 ground_part(row, "sample"));
}

static json_t *findings_json(const struct report *report, enum finding_type type)
{
	json_t *list = json_array();
	const struct named_row **sorted = malloc((report->finding_count + 1) * sizeof *sorted);
	size_t count = 0;
	int code = list && sorted ? 0 : -1;
	for (size_t i = 0; i < report->finding_count && code == 0; i++)
		if (report->findings[i].type == type)
			sorted[count++] = &report->findings[i];
	if (code == 0)
		qsort(sorted, count, sizeof *sorted, finding_order);
	for (size_t i = 0; i < count && code == 0; i++)
		code = json_array_append_new(list, finding_json(sorted[i]));
	free(sorted);
	if (code == 0)
		return list;
	json_decref(list);
	return NULL;
}

json_t *report_json(const struct report *report, report_name_fn *network_name, const void *context)
{
	json_t *counts = json_object();
	for (size_t type = 0; counts && finding_type_names[type]; type++) {
		size_t count = 0;
		for (size_t i = 0; i < report->finding_count; i++)
			count += report->findings[i].type == type;
		json_object_set_new(counts, finding_type_names[type], json_integer((json_int_t)count));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "countries", groups_json(&report->countries, false, NULL, NULL),
			 "networks", groups_json(&report->networks, true, network_name, context), "victims",
			 findings_json(report, FINDING_VICTIM), "campaigns", findings_json(report, FINDING_CAMPAIGN),
			 "findings", counts);
}
