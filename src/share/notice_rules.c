/* Rules of notices. A rule is a section of options, so that names, ranges and the nearest name to a misspelt one come
 * from the same table as everywhere; hours have a fixed offset from UTC, as Japan has no summer time. */
#include "share/notice_rules.h"

#include "core/clock.h"
#include "record/kind.h"
#include "sys/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

const char *const notice_channel_names[] = {"mail", "webhook", "csv", NULL};

enum { RULES_BYTES_MAX = 256 << 10, MINUTES_OF_DAY = 24 * 60 };

static const struct option_spec rule_table[] = {
	{.name = "types",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, types),
	 .help = "types of findings",
	 .help_ja = "所見の種類"},
	{.name = "verdicts",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, verdicts),
	 .help = "verdicts of livenet",
	 .help_ja = "livenet の判定"},
	{.name = "members",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, members),
	 .help = "keys of members, or of groups to which they belong",
	 .help_ja = "組織のキー。上位の組織のキーでもよい"},
	{.name = "member-kinds",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, member_kinds),
	 .help = "kinds of members",
	 .help_ja = "組織の種類"},
	{.name = "least-severity",
	 .type = OPTION_CHOICE,
	 OPTION_AT(struct notice_rule, least_severity),
	 .default_text = "info",
	 .choices = "info|low|medium|high",
	 .help = "least severity",
	 .help_ja = "最低の重大度"},
	{.name = "tell",
	 .type = OPTION_CHOICE,
	 OPTION_AT(struct notice_rule, tell),
	 .default_text = "at-once",
	 .choices = "at-once|digest|never",
	 .help = "when it is told",
	 .help_ja = "知らせる時機"},
	{.name = "gather",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct notice_rule, gather_ns),
	 .default_text = "10m",
	 .help = "after a message, further matters for the same contact wait this long and come together",
	 .help_ja = "通知のあと、同じ宛先への続きをこの時間まとめる"},
	{.name = "quiet",
	 .type = OPTION_TEXT,
	 OPTION_AT(struct notice_rule, quiet),
	 .help = "hours in which nothing is sent: 22:00-07:00",
	 .help_ja = "送らない時間帯: 22:00-07:00"},
	{.name = "quiet-breaks",
	 .type = OPTION_CHOICE,
	 OPTION_AT(struct notice_rule, quiet_breaks),
	 .default_text = "high",
	 .choices = "info|low|medium|high|nothing",
	 .help = "severity from which on the quiet hours do not hold",
	 .help_ja = "この重大度以上は時間帯によらず送る"},
	{.name = "digest-at",
	 .type = OPTION_TEXT,
	 OPTION_AT(struct notice_rule, digest_at),
	 .default_text = "09:00",
	 .help = "hour of the digest",
	 .help_ja = "まとめて送る時刻"},
	{.name = "utc-offset",
	 .type = OPTION_TEXT,
	 OPTION_AT(struct notice_rule, utc_offset),
	 .default_text = "+09:00",
	 .help = "of the hours, and of times in messages",
	 .help_ja = "時刻の UTC からの差"},
	{.name = "roles",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, roles),
	 .help = "roles of contacts in order; the first that a member has is told; none: all contacts",
	 .help_ja = "宛先の役割。組織が持つ最初のものに送る。なければ全員"},
	{.name = "channels",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, channel_names),
	 .help = "mail, webhook, csv; none: mail and webhook",
	 .help_ja = "mail, webhook, csv。なければ mail と webhook"},
	{.name = "remind",
	 .type = OPTION_TEXTS,
	 OPTION_AT(struct notice_rule, remind_texts),
	 .help = "how long after the last message without an acknowledgement; one reminder each",
	 .help_ja = "確認がないとき、前の通知からこの時間で再送する"},
	{.name = "escalate",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct notice_rule, escalate_ns),
	 .help = "so long after the first message without an acknowledgement the parent is told",
	 .help_ja = "確認がないとき、最初の通知からこの時間で上位の組織に知らせる"},
	{.name = "verify",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct notice_rule, verify_ns),
	 .default_text = "24h",
	 .help = "how long after its end it is watched further before it is closed",
	 .help_ja = "静まったあと終結までに観測を続ける時間"},
	{.name = "advice",
	 .type = OPTION_TEXT,
	 OPTION_AT(struct notice_rule, advice),
	 .help = "name of the advice instead of that of type and verdict",
	 .help_ja = "種類と判定のかわりに使う案内の名前"},
	{.name = NULL},
};

/* "09:00" as minutes of the day; *text moves behind it. False: it is none. */
static bool hour_take(const char **text, unsigned *ret_minutes)
{
	unsigned hours, minutes;
	int used = 0;
	if (sscanf(*text, "%2u:%2u%n", &hours, &minutes, &used) != 2 || used < 4 || hours > 24 || minutes > 59 ||
	    hours * 60 + minutes > MINUTES_OF_DAY)
		return false;
	*text += used;
	*ret_minutes = hours * 60 + minutes;
	return true;
}

static int hours_read(struct notice_rule *rule, struct err *err)
{
	const char *at = rule->quiet;
	if (at && !(hour_take(&at, &rule->quiet_from) && *at++ == '-' && hour_take(&at, &rule->quiet_to) && !*at))
		return err_set(err, -EINVAL, "quiet: '%.40s' was given, hours like 22:00-07:00 were expected",
			       rule->quiet);
	rule->quiet_from %= MINUTES_OF_DAY;
	rule->quiet_to %= MINUTES_OF_DAY;
	at = rule->digest_at;
	if (!hour_take(&at, &rule->digest_minute) || *at)
		return err_set(err, -EINVAL, "digest-at: '%.40s' was given, an hour like 09:00 was expected",
			       rule->digest_at);
	rule->digest_minute %= MINUTES_OF_DAY;
	unsigned offset = 0;
	at = rule->utc_offset + 1;
	if (!strchr("+-", rule->utc_offset[0]) || !rule->utc_offset[0] || !hour_take(&at, &offset) || *at ||
	    offset > 14 * 60)
		return err_set(err, -EINVAL, "utc-offset: '%.40s' was given, one like +09:00 was expected",
			       rule->utc_offset);
	rule->utc_offset_minutes = rule->utc_offset[0] == '-' ? -(int)offset : (int)offset;
	return 0;
}

static int names_check(const char *option, const struct text_list *given, const char *const *known, struct err *err)
{
	for (size_t i = 0; i < given->count; i++) {
		char all[300] = "";
		size_t used = 0;
		bool found = false;
		for (size_t n = 0; known[n]; n++) {
			found = found || strcmp(known[n], given->items[i]) == 0;
			used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", n ? ", " : "", known[n]);
		}
		if (!found)
			return err_set(err, -EINVAL, "%s: '%.40s' was given, one of %s was expected", option,
				       given->items[i], all);
	}
	return 0;
}

static int lists_read(struct notice_rule *rule, struct err *err)
{
	int result = names_check("types", &rule->types, finding_type_names, err);
	if (result == 0)
		result = names_check("verdicts", &rule->verdicts, livenet_verdict_names, err);
	if (result == 0)
		result = names_check("channels", &rule->channel_names, notice_channel_names, err);
	if (result < 0)
		return result;
	for (size_t i = 0; i < rule->channel_names.count; i++)
		for (unsigned channel = 0; channel < NOTICE_CHANNELS; channel++)
			if (strcmp(rule->channel_names.items[i], notice_channel_names[channel]) == 0)
				rule->channels |= 1u << channel;
	if (!rule->channels)
		rule->channels = 1u << CHANNEL_MAIL | 1u << CHANNEL_WEBHOOK;
	if (rule->remind_texts.count >= NOTICE_REMINDERS_MAX)
		return err_set(err, -EINVAL, "remind: at most %d were expected", NOTICE_REMINDERS_MAX - 1);
	for (size_t i = 0; i < rule->remind_texts.count && result == 0; i++) {
		result = duration_parse(rule->remind_texts.items[i], &rule->remind_ns[i], err);
		if (result < 0)
			return err_prefix(err, result, "remind");
	}
	return 0;
}

static int rule_take(struct notice_rule *rule, const char *where, unsigned line, const char *yaml, size_t bytes,
		     struct pool *pool, struct err *err)
{
	int result = options_init(rule_table, rule, pool, err);
	if (result == 0)
		result = options_from_yaml(rule_table, rule, pool, yaml, bytes, rule->name, where, err);
	if (result < 0)
		return result;
	result = hours_read(rule, err);
	if (result == 0)
		result = lists_read(rule, err);
	return result < 0 ? err_prefix(err, result, "%s:%u: rule %s", where, line, rule->name) : 0;
}

static int rules_take(yaml_document_t *document, const char *where, const char *yaml, size_t bytes, struct pool *pool,
		      struct notice_rules *ret_rules, struct err *err)
{
	const yaml_node_t *root = yaml_document_get_root_node(document);
	if (!root || root->type != YAML_MAPPING_NODE)
		return err_set(err, -EINVAL, "%s:1: rules by their names were expected", where);
	struct notice_rules rules = {pool_array(pool, NOTICE_RULES_MAX, sizeof *rules.items), 0};
	if (!rules.items)
		return err_set(err, -ENOMEM, "no memory for the rules");
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);
		unsigned line = (unsigned)key->start_mark.line + 1;
		const char *name = key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
		if (!name[0] || strlen(name) > 64)
			return err_set(err, -EINVAL, "%s:%u: a rule's name was expected", where, line);
		if (notice_rule_named(&rules, name))
			return err_set(err, -EINVAL, "%s:%u: there are two rules %s", where, line, name);
		if (rules.count == NOTICE_RULES_MAX)
			return err_set(err, -EINVAL, "%s:%u: more than %d rules", where, line, NOTICE_RULES_MAX);
		struct notice_rule *rule = &rules.items[rules.count];
		rule->name = pool_text(pool, name);
		int result = rule->name ? rule_take(rule, where, line, yaml, bytes, pool, err) : -ENOMEM;
		if (result < 0)
			return result;
		rules.count++;
	}
	*ret_rules = rules;
	return 0;
}

int notice_rules_parse(const char *where, const char *yaml, size_t bytes, struct pool *pool,
		       struct notice_rules *ret_rules, struct err *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	if (bytes > RULES_BYTES_MAX)
		return err_set(err, -EINVAL, "%s: longer than %d bytes", where, RULES_BYTES_MAX);
	if (!yaml_parser_initialize(&parser))
		return err_set(err, -ENOMEM, "no memory to read %s", where);
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, bytes);
	int result;
	if (!yaml_parser_load(&parser, &document)) {
		result = err_set(err, -EINVAL, "%s:%zu: not YAML: %s", where, parser.problem_mark.line + 1,
				 parser.problem ? parser.problem : "unreadable");
	} else {
		result = rules_take(&document, where, yaml, bytes, pool, ret_rules, err);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return result;
}

int notice_rules_read(const char *path, struct pool *pool, struct notice_rules *ret_rules, struct err *err)
{
	char *yaml = NULL;
	size_t bytes;
	int result = text_file_read(path, RULES_BYTES_MAX, &yaml, &bytes, err);
	if (result == 0)
		result = notice_rules_parse(path, yaml, bytes, pool, ret_rules, err);
	free(yaml);
	return result;
}

static bool any_of(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (text && strcmp(list->items[i], text) == 0)
			return true;
	return list->count == 0;
}

static bool is_among(const struct text_list *members, const struct notice_matter *matter)
{
	bool found = any_of(members, matter->member);
	for (size_t i = 0; !found && matter->above && matter->above[i]; i++)
		found = any_of(members, matter->above[i]);
	return found;
}

const struct notice_rule *notice_rule_for(const struct notice_rules *rules, const struct notice_matter *matter)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct notice_rule *rule = &rules->items[i];
		if (any_of(&rule->types, matter->type) && any_of(&rule->verdicts, matter->verdict) &&
		    is_among(&rule->members, matter) && any_of(&rule->member_kinds, matter->member_kind) &&
		    matter->severity >= rule->least_severity)
			return rule;
	}
	return NULL;
}

const struct notice_rule *notice_rule_named(const struct notice_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->items[i].name, name) == 0)
			return &rules->items[i];
	return NULL;
}

/* The first instant from `now_ns` on at that minute of the rule's day. */
static int64_t next_minute(const struct notice_rule *rule, unsigned minute, int64_t now_ns)
{
	int64_t offset = rule->utc_offset_minutes * NS_PER_MINUTE;
	int64_t at = time_floor(now_ns + offset, NS_PER_DAY) - offset + minute * NS_PER_MINUTE;
	return at < now_ns ? at + NS_PER_DAY : at;
}

int64_t notice_rule_time(const struct notice_rule *rule, int severity, int64_t now_ns)
{
	int64_t at = rule->tell == TELL_DIGEST ? next_minute(rule, rule->digest_minute, now_ns) : now_ns;
	if (rule->quiet_from == rule->quiet_to || severity >= rule->quiet_breaks)
		return at;
	int64_t local = at + rule->utc_offset_minutes * NS_PER_MINUTE;
	unsigned minute = (unsigned)((local - time_floor(local, NS_PER_DAY)) / NS_PER_MINUTE);
	bool over_midnight = rule->quiet_from > rule->quiet_to;
	bool after = minute >= rule->quiet_from, before = minute < rule->quiet_to;
	bool quiet = over_midnight ? after || before : after && before;
	return quiet ? next_minute(rule, rule->quiet_to, at) : at;
}
