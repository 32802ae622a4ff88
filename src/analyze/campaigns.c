/* Campaigns: many sources acting as one.
 *
 * Within a window of an hour every source is reduced to what it did: ports, fingerprint, minutes of activity. Sources
 * with the same fingerprint and (nearly) the same ports are a group (campaign_groups.c); three rules read the groups:
 *
 *   campaign.fingerprint  at least N sources share ports and a strong fingerprint: malware known by its packets
 * (Mirai), or an equal payload campaign.start        at least N sources share ports and a weak fingerprint (a public
 * tool, an operating system's packet shape) and half of them began within the same five minutes, while the window was
 *                         already open
 *   campaign.synchrony    groups of different ports or fingerprints that switch on and off together
 *                         (campaign_synchrony.c)
 *
 * A campaign keeps its id from window to window while its fingerprint is the same and its ports are near.
 */
#include "analyze/campaigns.h"

#include "analyze/detectors.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION = 1, START_MINUTES = 5, COUNTRIES = 10, ENDED_AFTER_WINDOWS = 2, SYNCHRONIES = 8 };

struct campaigns_options {
	int64_t sources, similarity_percent, step_ns, limit;
};

static const struct option_spec campaigns_option_table[] = {
	{.name = "sources",
	 .type = OPTION_INT,
	 OPTION_AT(struct campaigns_options, sources),
	 .default_text = "20",
	 .min = 2,
	 .max = INT32_MAX,
	 .argument = "N",
	 .help = "Fewest sources of a campaign",
	 .help_ja = "キャンペーンとみなす最小送信元数"},
	{.name = "similarity",
	 .type = OPTION_INT,
	 OPTION_AT(struct campaigns_options, similarity_percent),
	 .default_text = "60",
	 .min = 1,
	 .max = 100,
	 .argument = "PERCENT",
	 .help = "Jaccard similarity from which two port sets are one",
	 .help_ja = "ポート集合を同一とみなす Jaccard 類似度"},
	{.name = "step",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct campaigns_options, step_ns),
	 .default_text = "5m",
	 .min = NS_PER_MINUTE,
	 .max = NS_PER_HOUR,
	 .argument = "TIME",
	 .help = "How often the open window is looked at",
	 .help_ja = "集計中の窓を調べる間隔"},
	{.name = "limit",
	 .type = OPTION_INT,
	 OPTION_AT(struct campaigns_options, limit),
	 .default_text = "2097152",
	 .min = 1,
	 .max = LIMIT_CAMPAIGN_SOURCES,
	 .argument = "N",
	 .help = "Most sources of a window",
	 .help_ja = "1 つの窓の最大送信元数"},
	{.name = NULL},
};

enum campaign_rule { RULE_FINGERPRINT, RULE_START };
static const char *const rule_names[] = {"campaign.fingerprint", "campaign.start"};

/* One that is followed. */
struct campaign {
	struct campaign_group shape; /* fingerprint and ports as last seen */
	char id[96];
	int64_t first_ns, last_ns;
	uint64_t packets_closed, packets_open; /* of windows that are over, of this one */
	uint32_t most_sources;
	enum campaign_rule rule;
	uint32_t window; /* number of the last window that saw it */
	bool said;
};

/* What one evaluation gathers of a group that meets a rule. */
struct gathering {
	uint32_t group;
	enum campaign_rule rule;
	double start_share;
	int64_t first_minute, last_minute;
	struct {
		uint64_t rank;
		struct addr addr;
	} sample[LIMIT_CAMPAIGN_SAMPLE];
	uint32_t sample_count;
	struct country_count {
		uint16_t country;
		uint32_t sources;
	} * countries; /* by slot of country, 26 * 26 + 1 */
};

struct campaigns {
	struct pool *pool;
	struct campaigns_options options;
	struct table sources;
	struct campaign_groups groups;
	struct campaign *followed; /* LIMIT_CAMPAIGNS, grown by doubling */
	size_t followed_count, followed_room;
	int64_t window_ns, now_minute_ns, looked_ns;
	uint32_t window;
	uint64_t refused;
};

static int campaigns_open(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
			  struct err *err)
{
	(void)vantage;
	struct campaigns *campaigns = pool_alloc(pool, sizeof *campaigns);
	uint32_t *order = pool_array(pool, LIMIT_CAMPAIGN_GROUPS, sizeof *order);
	if (!campaigns || !order)
		return err_set(err, -ENOMEM, "no memory for campaigns");
	campaigns->pool = pool;
	campaigns->options = *(const struct campaigns_options *)options;
	campaigns->groups.order = order;
	campaigns->window_ns = INT64_MIN;
	table_init(&campaigns->sources, pool, sizeof(struct campaign_source), sizeof(struct addr),
		   (size_t)campaigns->options.limit);
	table_init(&campaigns->groups.table, pool, sizeof(struct campaign_group), 16, 4 * LIMIT_CAMPAIGN_GROUPS);
	*ret_state = campaigns;
	return 0;
}

/* ---- sources ---- */

static unsigned port_of_highest_rank(struct campaign_source *source)
{
	unsigned worst = 0;
	source->highest_rank = 0;
	for (unsigned i = 0; i < source->port_count; i++) {
		uint32_t rank = (uint32_t)(hash_u64(source->ports[i]) >> 32);
		if (rank >= source->highest_rank) {
			source->highest_rank = rank;
			worst = i;
		}
	}
	return worst;
}

/* Ports in order; a full list keeps those whose hash is lowest, so that two sources of the same many ports keep the
 * same ones (min-wise hashing, Broder 1997). */
static void source_port(struct campaign_source *source, uint32_t port)
{
	uint32_t rank = (uint32_t)(hash_u64(port) >> 32);
	if (source->many_ports && rank >= source->highest_rank)
		return;
	unsigned at = source->port_count;
	for (unsigned i = 0; i < at; i++)
		if (source->ports[i] == port)
			return;
	if (at == LIMIT_SOURCE_PORTS) {
		source->many_ports = true;
		unsigned worst = port_of_highest_rank(source);
		if (rank >= source->highest_rank)
			return;
		memmove(&source->ports[worst], &source->ports[worst + 1], (at - 1 - worst) * sizeof *source->ports);
		at--;
	} else {
		source->port_count++;
	}
	while (at > 0 && source->ports[at - 1] > port) {
		source->ports[at] = source->ports[at - 1];
		at--;
	}
	source->ports[at] = port;
	if (source->many_ports)
		port_of_highest_rank(source);
}

struct tuple_columns {
	const int64_t *minute;
	const struct addr *source;
	const uint8_t *kind, *tool, *tool_version, *protocol, *spoofed;
	const uint16_t *port, *country;
	const uint32_t *packets, *signature;
	const uint64_t *payload;
};

static struct tuple_columns tuple_of(const struct batch *batch)
{
	return (struct tuple_columns){
		.minute = batch->columns[0],
		.source = batch->columns[2],
		.kind = batch->columns[3],
		.tool = batch->columns[4],
		.tool_version = batch->columns[5],
		.protocol = batch->columns[6],
		.port = batch->columns[7],
		.spoofed = batch->columns[10],
		.packets = batch->columns[11],
		.payload = batch->columns[16],
		.signature = batch->columns[17],
		.country = batch->columns[18],
	};
}

static void source_see(struct campaign_source *source, const struct tuple_columns *tuple, uint32_t i, unsigned minute)
{
	source->activity |= UINT64_C(1) << minute;
	source->packets += tuple->packets[i];
	source->country = tuple->country[i];
	source_port(source, (uint32_t)tuple->protocol[i] << 16 | tuple->port[i]);
	if (tuple->tool[i] > source->tool ||
	    (tuple->tool[i] == source->tool && tuple->tool_version[i] > source->tool_version)) {
		source->tool = tuple->tool[i];
		source->tool_version = tuple->tool_version[i];
	}
	if (tuple->payload[i] && (!source->payload || tuple->payload[i] < source->payload))
		source->payload = tuple->payload[i];
	if (tuple->signature[i] && (!source->signature || tuple->signature[i] < source->signature))
		source->signature = tuple->signature[i];
}

/* ---- saying ---- */

static const char *tool_of(const struct fingerprint *fingerprint)
{
	return fingerprint->type == FINGERPRINT_TOOL ? scan_tool_names[fingerprint->value >> 8]
						     : scan_tool_names[TOOL_UNKNOWN];
}

static void fingerprint_text(const struct fingerprint *fingerprint, char *text, size_t bytes)
{
	static const char *const names[] = {"tool", "payload", "signature"};
	if (fingerprint->type == FINGERPRINT_TOOL)
		snprintf(text, bytes, "tool %s/%u", tool_of(fingerprint), (unsigned)(fingerprint->value & 0xff));
	else
		snprintf(text, bytes, "%s %0*llx", names[fingerprint->type],
			 fingerprint->type == FINGERPRINT_PAYLOAD ? 16 : 8, (unsigned long long)fingerprint->value);
}

static json_t *ports_json(const struct campaign_group *group)
{
	json_t *ports = json_array();
	for (unsigned i = 0; i < group->port_count; i++) {
		char text[PORT_TEXT_BYTES];
		json_array_append_new(ports, json_string(port_format((uint8_t)(group->ports[i] >> 16),
								     (uint16_t)group->ports[i], text)));
	}
	return ports;
}

static void where_text(const struct campaign_group *group, char *text, size_t bytes)
{
	unsigned long long value = group->fingerprint.value;
	int used = group->fingerprint.type == FINGERPRINT_TOOL
			   ? snprintf(text, bytes, "tool=%s", tool_of(&group->fingerprint))
			   : snprintf(text, bytes, "%s=%llu",
				      group->fingerprint.type == FINGERPRINT_PAYLOAD ? "payload" : "signature", value);
	for (unsigned i = 0; i < group->port_count && used > 0 && (size_t)used < bytes; i++)
		used += snprintf(text + used, bytes - (size_t)used, "%s%u",
				 i ? "," : " --where port=", group->ports[i] & 0xffff);
}

static int country_order(const void *a, const void *b)
{
	const struct country_count *one = a, *two = b;
	if (one->sources != two->sources)
		return one->sources < two->sources ? 1 : -1;
	return one->country - two->country;
}

enum { COUNTRY_SLOTS = 26 * 26 + 1 };

static unsigned country_slot(uint16_t country)
{
	unsigned a = (unsigned)(country >> 8) - 'A', b = (unsigned)(country & 0xff) - 'A';
	return a < 26 && b < 26 ? 1 + a * 26 + b : 0;
}

static json_t *countries_json(struct country_count *countries)
{
	json_t *list = json_array();
	qsort(countries, COUNTRY_SLOTS, sizeof *countries, country_order);
	for (unsigned i = 0; i < COUNTRIES && countries[i].sources; i++) {
		char text[3];
		json_array_append_new(list,
				      json_pack("{s:s, s:I}", "country", country_format(countries[i].country, text),
						"sources", (json_int_t)countries[i].sources));
	}
	return list;
}

static json_t *sample_json(const struct gathering *gathering)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < gathering->sample_count; i++) {
		char text[ADDR_TEXT_BYTES];
		json_array_append_new(list, json_string(addr_format(&gathering->sample[i].addr, text)));
	}
	return list;
}

static json_t *campaign_ground(const struct campaigns *campaigns, const struct campaign *campaign,
			       const struct campaign_group *group, struct gathering *gathering)
{
	char fingerprint[64], where[400];
	fingerprint_text(&group->fingerprint, fingerprint, sizeof fingerprint);
	where_text(group, where, sizeof where);
	json_t *thresholds =
		json_pack("{s:I, s:f, s:i}", "sources", (json_int_t)campaigns->options.sources, "port_similarity",
			  (double)campaigns->options.similarity_percent / 100, "window_minutes", WINDOW_MINUTES);
	if (thresholds && campaign->rule == RULE_START)
		json_object_set_new(thresholds, "share_started_within_5_minutes", json_real(0.5));
	return json_pack(
		"{s:o, s:{s:I, s:I, s:I, s:f}, s:o, s:b, s:s, s:s, s:I, s:o, s:o, s:o}", "thresholds", thresholds,
		"observed", "sources", (json_int_t)group->sources, "most_sources", (json_int_t)campaign->most_sources,
		"packets_in_window", (json_int_t)group->packets, "share_started_within_5_minutes",
		gathering->start_share, "ports", ports_json(group), "more_ports", group->many_ports, "tool",
		tool_of(&group->fingerprint), "fingerprint", fingerprint, "sources", (json_int_t)group->sources,
		"sample", sample_json(gathering), "countries", countries_json(gathering->countries), "derive",
		derive_command("tuple", where, gathering->first_minute, gathering->last_minute, NS_PER_MINUTE));
}

static void subject_text(const struct campaign_group *group, char *text, size_t bytes)
{
	int used = group->fingerprint.type == FINGERPRINT_TOOL
			   ? snprintf(text, bytes, "%s", tool_of(&group->fingerprint))
			   : snprintf(text, bytes, "%s",
				      group->fingerprint.type == FINGERPRINT_PAYLOAD ? "payload" : "signature");
	for (unsigned i = 0; i < group->port_count && used > 0 && (size_t)used < bytes; i++) {
		char port[PORT_TEXT_BYTES];
		if (i == 4) {
			snprintf(text + used, bytes - (size_t)used, " ...");
			break;
		}
		used += snprintf(text + used, bytes - (size_t)used, " %s",
				 port_format((uint8_t)(group->ports[i] >> 16), (uint16_t)group->ports[i], port));
	}
}

static int campaign_put(struct campaign *campaign, uint32_t sources, bool ended, json_t *ground,
			struct findings *findings, struct err *err)
{
	char subject[96];
	subject_text(&campaign->shape, subject, sizeof subject);
	struct finding finding = {
		.id = campaign->id,
		.time_ns = campaign->last_ns,
		.type = FINDING_CAMPAIGN,
		.severity = campaign->rule == RULE_START ? SEVERITY_MEDIUM
			    : sources >= 1000            ? SEVERITY_MEDIUM
							 : SEVERITY_LOW,
		.subject = subject,
		.first_ns = campaign->first_ns,
		.last_ns = campaign->last_ns,
		.ended = ended,
		.packets = campaign->packets_closed + campaign->packets_open,
		.score = sources,
		.rule = rule_names[campaign->rule],
		.rule_version = VERSION,
		.again = campaign->said,
	};
	campaign->said = true;
	return findings_put(findings, &finding, ground, err);
}

/* ---- following ---- */

static struct campaign *campaign_follow(struct campaigns *campaigns, const struct campaign_group *group,
					const struct gathering *gathering)
{
	double similarity = (double)campaigns->options.similarity_percent / 100;
	for (size_t i = 0; i < campaigns->followed_count; i++) {
		struct campaign *campaign = &campaigns->followed[i];
		if (campaign->rule == gathering->rule &&
		    fingerprint_same(&campaign->shape.fingerprint, &group->fingerprint) &&
		    campaign_ports_near(&campaign->shape, group, similarity))
			return campaign;
	}
	if (campaigns->followed_count == campaigns->followed_room) {
		size_t room = campaigns->followed_room ? campaigns->followed_room * 2 : 16;
		struct campaign *followed =
			room <= LIMIT_CAMPAIGNS ? pool_array(campaigns->pool, room, sizeof *followed) : NULL;
		if (!followed)
			return NULL;
		if (campaigns->followed_count)
			memcpy(followed, campaigns->followed, campaigns->followed_count * sizeof *followed);
		pool_release(campaigns->pool, campaigns->followed);
		campaigns->followed = followed;
		campaigns->followed_room = room;
	}
	struct campaign *campaign = &campaigns->followed[campaigns->followed_count++];
	char text[TIME_TEXT_BYTES];
	*campaign = (struct campaign){.first_ns = gathering->first_minute, .rule = gathering->rule};
	uint64_t name = hash_u64(group->fingerprint.value ^ (uint64_t)group->fingerprint.type << 60);
	for (unsigned i = 0; i < group->port_count; i++)
		name = hash_u64(name ^ group->ports[i]);
	snprintf(campaign->id, sizeof campaign->id, "campaign:%08x:%s", (unsigned)(name >> 32),
		 time_format(campaign->first_ns, text));
	return campaign;
}

static int campaign_say(struct campaigns *campaigns, struct gathering *gathering, struct findings *findings,
			struct err *err)
{
	const struct campaign_group *group = table_record(&campaigns->groups.table, gathering->group);
	struct campaign *campaign = campaign_follow(campaigns, group, gathering);
	if (!campaign) {
		campaigns->refused++;
		return 0;
	}
	campaign->shape = *group;
	campaign->packets_open = group->packets;
	campaign->window = campaigns->window;
	if (gathering->first_minute < campaign->first_ns)
		campaign->first_ns = gathering->first_minute;
	campaign->last_ns = gathering->last_minute + NS_PER_MINUTE - 1;
	if (group->sources > campaign->most_sources)
		campaign->most_sources = group->sources;
	return campaign_put(campaign, group->sources, false, campaign_ground(campaigns, campaign, group, gathering),
			    findings, err);
}

static int campaigns_end(struct campaigns *campaigns, struct findings *findings, struct err *err)
{
	size_t kept = 0;
	int first_code = 0;
	for (size_t i = 0; i < campaigns->followed_count; i++) {
		struct campaign *campaign = &campaigns->followed[i];
		campaign->packets_closed += campaign->packets_open;
		campaign->packets_open = 0;
		if (campaigns->window - campaign->window < ENDED_AFTER_WINDOWS) {
			campaigns->followed[kept++] = *campaign;
			continue;
		}
		char where[400];
		where_text(&campaign->shape, where, sizeof where);
		json_t *ground = json_pack(
			"{s:{s:I, s:i}, s:{s:I}, s:o, s:s, s:I, s:o}", "thresholds", "sources",
			(json_int_t)campaigns->options.sources, "windows_of_silence", ENDED_AFTER_WINDOWS, "observed",
			"most_sources", (json_int_t)campaign->most_sources, "ports", ports_json(&campaign->shape),
			"tool", tool_of(&campaign->shape.fingerprint), "sources", (json_int_t)campaign->most_sources,
			"derive", derive_command("tuple", where, campaign->first_ns, campaign->last_ns, NS_PER_MINUTE));
		int code = campaign_put(campaign, campaign->most_sources, true, ground, findings, err);
		if (code < 0 && !first_code)
			first_code = code;
	}
	campaigns->followed_count = kept;
	return first_code;
}

/* ---- looking at a window ---- */

static unsigned minutes_seen(const struct campaigns *campaigns)
{
	return (unsigned)((campaigns->now_minute_ns - campaigns->window_ns) / NS_PER_MINUTE) + 1;
}

/* The largest share of the sources that began within five minutes, and whether the window was open before they did:
 * what is there from the first minutes on may have been there for ever. */
static double start_share(const struct campaign_group *group, bool *ret_within)
{
	uint32_t most = 0;
	unsigned at = 0;
	for (unsigned i = 0; i + START_MINUTES <= WINDOW_MINUTES; i++) {
		uint32_t sum = 0;
		for (unsigned j = i; j < i + START_MINUTES; j++)
			sum += group->starts[j];
		if (sum > most) {
			most = sum;
			at = i;
		}
	}
	while (at < WINDOW_MINUTES - 1 && !group->starts[at])
		at++;
	*ret_within = at >= 2;
	return (double)most / group->sources;
}

static bool group_meets(const struct campaigns *campaigns, const struct campaign_group *group,
			struct gathering *gathering)
{
	if (group->sources < (uint64_t)campaigns->options.sources)
		return false;
	bool within;
	gathering->start_share = start_share(group, &within);
	bool strong = group->fingerprint.type == FINGERPRINT_PAYLOAD ||
		      (group->fingerprint.type == FINGERPRINT_TOOL && group->fingerprint.value >> 8 == TOOL_MIRAI);
	gathering->rule = strong ? RULE_FINGERPRINT : RULE_START;
	return strong || (within && gathering->start_share >= 0.5);
}

static void gathering_see(struct gathering *gathering, const struct campaign_source *source)
{
	struct country_count *country = &gathering->countries[country_slot(source->country)];
	country->country = source->country;
	country->sources++;
	uint64_t words[2];
	memcpy(words, &source->addr, sizeof words);
	uint64_t rank = hash_u64(hash_u64(words[0]) ^ words[1]);
	unsigned at = gathering->sample_count;
	if (at == LIMIT_CAMPAIGN_SAMPLE) {
		if (rank >= gathering->sample[at - 1].rank)
			return;
		at--;
	} else {
		gathering->sample_count++;
	}
	while (at > 0 && gathering->sample[at - 1].rank > rank) {
		gathering->sample[at] = gathering->sample[at - 1];
		at--;
	}
	gathering->sample[at].rank = rank;
	gathering->sample[at].addr = source->addr;
}

static void gathering_times(struct gathering *gathering, const struct campaign_group *group, int64_t window_ns)
{
	unsigned first = WINDOW_MINUTES, last = 0;
	for (unsigned i = 0; i < WINDOW_MINUTES; i++)
		if (group->by_minute[i]) {
			first = i < first ? i : first;
			last = i;
		}
	gathering->first_minute = window_ns + first * NS_PER_MINUTE;
	gathering->last_minute = window_ns + last * NS_PER_MINUTE;
}

static int synchrony_put(struct campaigns *campaigns, const struct synchrony *sync, struct findings *findings,
			 struct err *err)
{
	json_t *members = json_array();
	uint64_t packets = 0, name = 0;
	char id[96], text[TIME_TEXT_BYTES], subject[64], where[400] = "";
	uint32_t minutes[WINDOW_MINUTES] = {0};
	for (uint32_t i = 0; i < sync->count; i++) {
		const struct campaign_group *group = table_record(&campaigns->groups.table, sync->groups[i]);
		char fingerprint[64];
		fingerprint_text(&group->fingerprint, fingerprint, sizeof fingerprint);
		packets += group->packets;
		name += hash_u64(group->key[0] ^ group->key[1]);
		for (unsigned t = 0; t < WINDOW_MINUTES; t++)
			minutes[t] += group->by_minute[t];
		json_array_append_new(members, json_pack("{s:s, s:o, s:I}", "fingerprint", fingerprint, "ports",
							 ports_json(group), "sources", (json_int_t)group->sources));
		if (!i)
			where_text(group, where, sizeof where);
	}
	struct gathering times;
	struct campaign_group sum = {0};
	memcpy(sum.by_minute, minutes, sizeof minutes);
	gathering_times(&times, &sum, campaigns->window_ns);
	snprintf(id, sizeof id, "campaign:sync:%08x:%s", (unsigned)(name >> 32), time_format(times.first_minute, text));
	snprintf(subject, sizeof subject, "%u groups in step", sync->count);
	json_t *ground =
		json_pack("{s:{s:I, s:f, s:f}, s:{s:I, s:I, s:f, s:f}, s:o, s:I, s:o}", "thresholds", "sources",
			  (json_int_t)campaigns->options.sources, "cosine", 0.85, "share_of_busiest_sixth", 0.5,
			  "observed", "groups", (json_int_t)sync->count, "sources", (json_int_t)sync->sources, "cosine",
			  (double)sync->similarity, "share_of_busiest_sixth", (double)sync->burst, "groups", members,
			  "sources", (json_int_t)sync->sources, "derive",
			  derive_command("tuple", where, times.first_minute, times.last_minute, NS_PER_MINUTE));
	struct finding finding = {
		.id = id,
		.time_ns = times.last_minute,
		.type = FINDING_CAMPAIGN,
		.severity = SEVERITY_LOW,
		.subject = subject,
		.first_ns = times.first_minute,
		.last_ns = times.last_minute + NS_PER_MINUTE - 1,
		.ended = true,
		.packets = packets,
		.score = sync->similarity,
		.rule = "campaign.synchrony",
		.rule_version = VERSION,
	};
	return findings_put(findings, &finding, ground, err);
}

static int synchronies_say(struct campaigns *campaigns, struct findings *findings, struct err *err)
{
	struct synchrony found[SYNCHRONIES];
	uint32_t least = (uint32_t)campaigns->options.sources / 4;
	size_t count = campaign_synchronies(&campaigns->groups, least > 2 ? least : 2, minutes_seen(campaigns), found,
					    SYNCHRONIES);
	for (size_t i = 0; i < count; i++) {
		if (found[i].sources < (uint64_t)campaigns->options.sources)
			continue;
		int code = synchrony_put(campaigns, &found[i], findings, err);
		if (code < 0)
			return code;
	}
	return 0;
}

/* Groups that meet a rule, with what the sources say of them; NULL where there are none. */
static struct gathering *gather(struct campaigns *campaigns, struct pool *scratch, size_t *ret_count)
{
	struct campaign_groups *groups = &campaigns->groups;
	uint32_t *of_group = pool_array(scratch, groups->table.count + 1, sizeof *of_group);
	struct gathering *list = pool_array(scratch, LIMIT_CAMPAIGNS, sizeof *list);
	size_t count = 0;
	*ret_count = 0;
	if (!of_group || !list)
		return NULL;
	for (size_t i = 0; i < groups->order_count && count < LIMIT_CAMPAIGNS; i++) {
		uint32_t index = groups->order[i];
		const struct campaign_group *group = table_record(&groups->table, index);
		if (group->leader != index || !group_meets(campaigns, group, &list[count]))
			continue;
		list[count].group = index;
		list[count].countries = pool_array(scratch, COUNTRY_SLOTS, sizeof *list[count].countries);
		if (!list[count].countries)
			return NULL;
		gathering_times(&list[count], group, campaigns->window_ns);
		of_group[index] = (uint32_t)++count;
	}
	for (size_t i = 0; i < campaigns->sources.count; i++) {
		const struct campaign_source *source = table_record(&campaigns->sources, i);
		if (source->group != UINT32_MAX && of_group[source->group])
			gathering_see(&list[of_group[source->group] - 1], source);
	}
	*ret_count = count;
	return list;
}

static int campaigns_look(struct campaigns *campaigns, bool closing, struct findings *findings, struct err *err)
{
	campaigns->looked_ns = campaigns->now_minute_ns;
	if (!campaigns->sources.count)
		return 0;
	uint32_t least = (uint32_t)campaigns->options.sources / 8;
	double similarity = (double)campaigns->options.similarity_percent / 100;
	int code = campaign_group(&campaigns->groups, &campaigns->sources, least > 2 ? least : 2, similarity);
	struct pool *scratch = code == 0 ? pool_new(campaigns->pool, "scratch") : NULL;
	if (!scratch)
		return err_set(err, -ENOMEM, "no memory to group the sources of a window");
	size_t count;
	struct gathering *list = gather(campaigns, scratch, &count);
	if (!list)
		code = err_set(err, -ENOMEM, "no memory to group the sources of a window");
	for (size_t i = 0; i < count && code == 0; i++)
		code = campaign_say(campaigns, &list[i], findings, err);
	pool_free(scratch);
	return code == 0 && closing ? synchronies_say(campaigns, findings, err) : code;
}

static int window_roll(struct campaigns *campaigns, int64_t minute_ns, struct findings *findings, struct err *err)
{
	int code = 0;
	if (campaigns->window_ns != INT64_MIN) {
		code = campaigns_look(campaigns, true, findings, err);
		int64_t span = WINDOW_MINUTES * NS_PER_MINUTE;
		int64_t passed = (minute_ns - campaigns->window_ns) / span;
		campaigns->window += passed < 1000 ? (uint32_t)passed : 1000;
		int ended = campaigns_end(campaigns, findings, err);
		code = code < 0 ? code : ended;
		campaigns->window_ns += passed * span;
	} else {
		campaigns->window_ns = minute_ns;
	}
	table_clear(&campaigns->sources);
	campaigns->now_minute_ns = campaigns->looked_ns = minute_ns;
	return code;
}

static int campaigns_take(void *state, const struct batch *batch, struct findings *findings, struct err *err)
{
	struct campaigns *campaigns = state;
	struct tuple_columns tuple = tuple_of(batch);
	enum { AHEAD = 16 };
	uint64_t hash = 0;
	int first_code = 0;
	for (uint32_t i = 0; i < batch->rows; i++) {
		bool another = i == 0 || !addr_same(&tuple.source[i], &tuple.source[i - 1]);
		if (i + AHEAD < batch->rows && !addr_same(&tuple.source[i + AHEAD], &tuple.source[i + AHEAD - 1]))
			table_prefetch(&campaigns->sources, table_hash(&campaigns->sources, &tuple.source[i + AHEAD]));
		hash = another ? table_hash(&campaigns->sources, &tuple.source[i]) : hash;
		if (tuple.spoofed[i] || (tuple.kind[i] != PACKET_SCAN && tuple.kind[i] != PACKET_REFLECTION))
			continue;
		int64_t minute = time_floor(tuple.minute[i], NS_PER_MINUTE);
		int code = 0;
		if (campaigns->window_ns == INT64_MIN ||
		    minute - campaigns->window_ns >= WINDOW_MINUTES * NS_PER_MINUTE)
			code = window_roll(campaigns, minute, findings, err);
		else if (minute - campaigns->looked_ns >= campaigns->options.step_ns)
			code = campaigns_look(campaigns, false, findings, err);
		if (minute - campaigns->looked_ns >= campaigns->options.step_ns)
			campaigns->looked_ns = minute;
		if (code < 0 && !first_code)
			first_code = code;
		if (minute < campaigns->window_ns) {
			campaigns->refused++; /* too late: its window is closed */
			continue;
		}
		if (minute > campaigns->now_minute_ns)
			campaigns->now_minute_ns = minute;
		bool is_new;
		const struct addr *addr = &tuple.source[i];
		struct campaign_source *source = table_add(&campaigns->sources, addr, hash, &is_new);
		if (source)
			source_see(source, &tuple, i, (unsigned)((minute - campaigns->window_ns) / NS_PER_MINUTE));
		else
			campaigns->refused++;
	}
	return first_code;
}

static int campaigns_finish(void *state, struct findings *findings, struct err *err)
{
	return campaigns_look(state, true, findings, err);
}

static uint64_t campaigns_refused(const void *state)
{
	return ((const struct campaigns *)state)->refused;
}

const struct detector detector_campaigns = {
	.name = "campaigns",
	.version = VERSION,
	.summary = "many sources that act as one: same ports and fingerprint, same start, or in step",
	.summary_ja = "同じポートと指紋、同じ開始、同期した活動から見た、一体で動く送信元群",
	.takes = &record_tuple,
	.options = campaigns_option_table,
	.options_bytes = sizeof(struct campaigns_options),
	.open = campaigns_open,
	.take = campaigns_take,
	.finish = campaigns_finish,
	.refused = campaigns_refused,
};
