/* Bundles become messages: the words of a mail, the JSON of a webhook (in the manner of Standard Webhooks: a type, an
 * instant, the data), the rows of a CSV file. The secret of the acknowledgement link is a mark here. */
#include "share/notifier_parts.h"

#include "core/clock.h"
#include "record/kind.h"
#include "share/sheet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_AT_ONCE = 50, LINK_BYTES = 1024 };
#define PUT_OFF_NS NS_PER_HOUR

/* The matters of a bundle, and what was looked up for them. */
struct matters {
	struct notice notices[NOTICE_BUNDLE_MAX];
	struct concerned_member members[NOTICE_BUNDLE_MAX];
	char advice[NOTICE_BUNDLE_MAX][NOTICE_ADVICE_BYTES];
	struct notice_facts facts[NOTICE_BUNDLE_MAX];
	const struct notice_rule *rule; /* of the first */
	size_t count;
};

static void matters_free(struct matters *matters)
{
	for (size_t i = 0; i < matters->count; i++)
		notice_done(&matters->notices[i]);
	free(matters);
}

void notice_advice_name(const struct messages *messages, const struct notice_rule *rule, const char *type,
			const char *verdict, char ret_name[NOTICE_ADVICE_BYTES])
{
	snprintf(ret_name, NOTICE_ADVICE_BYTES, "%s-%s", type, verdict);
	if (!verdict[0] || !messages_know_advice(messages, ret_name))
		snprintf(ret_name, NOTICE_ADVICE_BYTES, "%s", type);
	if (rule && rule->advice)
		snprintf(ret_name, NOTICE_ADVICE_BYTES, "%s", rule->advice);
}

static const char *command_of(const struct notice *notice)
{
	const char *command = json_string_value(json_object_get(notice->ground, "command"));
	return command ? command : json_string_value(json_object_get(notice->ground, "derive"));
}

static int matter_add(struct notifier *notifier, const struct notice_todo *item, enum language language,
		      struct matters *matters, struct err *err)
{
	struct notice *notice = &matters->notices[matters->count];
	struct concerned_member *member = &matters->members[matters->count];
	int result = notice_find(notifier->notices, item->notice, notice, err);
	if (result < 0)
		return result;
	size_t i = matters->count++;
	result = concerned_find(notifier->concerned, notice->member, member, err);
	if (result < 0)
		return result;
	const struct notice_rule *rule = notice_rule_named(&notifier->rules, notice->rule);
	if (i == 0)
		matters->rule = rule;
	notice_advice_name(notifier->messages, rule, notice->type, notice->verdict, matters->advice[i]);
	matters->facts[i] = (struct notice_facts){.number = notice->id,
						  .step = item->step,
						  .advice = matters->advice[i],
						  .member = result == 0 ? concerned_name(member, language) : "",
						  .subject = notice->subject,
						  .severity = severity_names[notice->severity & 3],
						  .rule = notice->detector,
						  .command = command_of(notice),
						  .ground = notice->ground,
						  .first_ns = notice->first_ns,
						  .last_ns = notice->last_ns,
						  .packets = notice->packets,
						  .findings = notice->findings};
	return 0;
}

static int mail_write(struct notifier *notifier, const struct notice_bundle *bundle, int64_t id,
		      const struct matters *matters, struct message_text *ret_text, struct err *err)
{
	char link[LINK_BYTES], acknowledge[LINK_BYTES];
	bool one = matters->count == 1;
	int length = one ? snprintf(link, sizeof link, "%s/#/notices/%lld", notifier->options.url,
				    (long long)matters->facts[0].number)
			 : snprintf(link, sizeof link, "%s/#/notices", notifier->options.url);
	int more = snprintf(acknowledge, sizeof acknowledge, "%s/#/acknowledge?message=%lld&token=" NOTICE_SECRET_MARK,
			    notifier->options.url, (long long)id);
	if (length >= (int)sizeof link || more >= (int)sizeof acknowledge)
		return err_set(err, -EMSGSIZE, "the hub's address is too long for a link");
	const struct message_reader reader = {.language = notices_language(bundle->language),
					      .name = bundle->name[0] ? bundle->name : NULL,
					      .link = link,
					      .links = notifier->options.url,
					      .utc_offset_minutes =
						      matters->rule ? matters->rule->utc_offset_minutes : 0,
					      .acknowledge = acknowledge};
	return message_write(notifier->messages, &reader, matters->facts, matters->count, ret_text, err);
}

static json_t *time_json(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];
	return time_ns ? json_string(time_format(time_ns, text)) : json_null();
}

static json_t *matter_json(const struct notifier *notifier, const struct notice *notice,
			   const struct concerned_member *member, enum notice_step step)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:s, s:s, s:O?, s:o}", "notice",
			 (json_int_t)notice->id, "step", notice_step_names[step], "state",
			 notice_state_names[notice->state], "member", member->document ? concerned_key(member) : "",
			 "type", notice->type, "verdict", notice->verdict, "subject", notice->subject, "severity",
			 severity_names[notice->severity & 3], "first", time_json(notice->first_ns), "last",
			 time_json(notice->last_ns), "packets", (json_int_t)notice->packets, "findings",
			 (json_int_t)notice->findings, "rule", notice->detector, "finding", notice->finding, "ground",
			 notice->ground, "link",
			 json_sprintf("%s/#/notices/%lld", notifier->options.url, (long long)notice->id));
}

static int webhook_write(struct notifier *notifier, const struct notice_bundle *bundle, int64_t id, int64_t now_ns,
			 const struct matters *matters, struct message_text *ret_text)
{
	json_t *list = json_array();
	for (size_t i = 0; i < matters->count; i++)
		json_array_append_new(
			list, matter_json(notifier, &matters->notices[i], &matters->members[i], bundle->items[i].step));
	json_t *whole = json_pack("{s:s, s:o, s:{s:s, s:I, s:s}, s:o}", "type", "yagura.notices", "timestamp",
				  time_json(now_ns), "acknowledge", "url_path", "/api/v1/notices/acknowledge",
				  "message", (json_int_t)id, "token", NOTICE_SECRET_MARK, "notices", list);
	ret_text->subject = strdup("yagura.notices");
	ret_text->text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
	json_decref(whole);
	return ret_text->subject && ret_text->text ? 0 : -ENOMEM;
}

static void row_write(FILE *out, const char *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *cell = sheet_cell_write(cells[i] ? cells[i] : "", ',');
		fprintf(out, "%s%s", i ? "," : "", cell ? cell : "");
		free(cell);
	}
	fputs("\r\n", out);
}

static int csv_write(const struct notice_bundle *bundle, const struct matters *matters, struct message_text *ret_text)
{
	static const char *const heads[] = {"notice",   "step",  "state", "member",  "type",     "verdict", "subject",
					    "severity", "first", "last",  "packets", "findings", "rule",    "finding"};
	enum { CELLS = sizeof heads / sizeof *heads };
	size_t bytes;
	FILE *out = open_memstream(&ret_text->text, &bytes);
	if (!out)
		return -ENOMEM;
	row_write(out, heads, CELLS);
	for (size_t i = 0; i < matters->count; i++) {
		const struct notice *notice = &matters->notices[i];
		char number[24], first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES], packets[24], findings[24];
		snprintf(number, sizeof number, "%lld", (long long)notice->id);
		snprintf(packets, sizeof packets, "%llu", (unsigned long long)notice->packets);
		snprintf(findings, sizeof findings, "%llu", (unsigned long long)notice->findings);
		const char *const cells[CELLS] = {number,
						  notice_step_names[bundle->items[i].step],
						  notice_state_names[notice->state],
						  concerned_key(&matters->members[i]),
						  notice->type,
						  notice->verdict,
						  notice->subject,
						  severity_names[notice->severity & 3],
						  time_format(notice->first_ns, first),
						  time_format(notice->last_ns, last),
						  packets,
						  findings,
						  notice->detector,
						  notice->finding};
		row_write(out, cells, CELLS);
	}
	ret_text->subject = strdup("");
	return fclose(out) == 0 && ret_text->subject ? 0 : -ENOMEM;
}

static int text_write(struct notifier *notifier, const struct notice_bundle *bundle, int64_t id, int64_t now_ns,
		      struct matters *matters, struct message_text *ret_text, struct err *err)
{
	int result = 0;
	for (size_t i = 0; i < bundle->count && result == 0; i++)
		result = matter_add(notifier, &bundle->items[i], notices_language(bundle->language), matters, err);
	if (result < 0)
		return result;
	if (strcmp(bundle->channel, notice_channel_names[CHANNEL_WEBHOOK]) == 0)
		return webhook_write(notifier, bundle, id, now_ns, matters, ret_text);
	if (strcmp(bundle->channel, notice_channel_names[CHANNEL_CSV]) == 0)
		return csv_write(bundle, matters, ret_text);
	return mail_write(notifier, bundle, id, matters, ret_text, err);
}

/* 0; 2: it could not be written, and is put off so that it is in nobody's way. */
static int message_make(struct notifier *notifier, const struct notice_bundle *bundle, int64_t now_ns, struct err *err)
{
	struct matters *matters = calloc(1, sizeof *matters);
	struct message_text text = {NULL, NULL};
	char message_id[NOTICE_MESSAGE_ID_BYTES];
	int64_t id = 0;
	int result = matters ? notices_savepoint(notifier->notices, err) : -ENOMEM;
	if (result == 0)
		result = notices_message_new(notifier->notices, bundle, now_ns, &id, err);
	int written = result == 0 ? text_write(notifier, bundle, id, now_ns, matters, &text, err) : 0;
	if (result == 0 && written < 0) {
		err_prefix(err, written, "message to %.200s", bundle->address);
		result = notices_savepoint_undo(notifier->notices, err);
		if (result == 0)
			result = notices_bundle_put_off(notifier->notices, bundle, now_ns + PUT_OFF_NS, err);
	} else if (result == 0) {
		snprintf(message_id, sizeof message_id, "notice-%lld.%llx@%s", (long long)id,
			 (unsigned long long)(now_ns / NS_PER_US), notifier->options.mail_domain);
		result = notices_message_write(notifier->notices, id, message_id, text.subject, text.text, err);
		if (result == 0)
			result = notices_savepoint_keep(notifier->notices, err);
	}
	message_text_free(&text);
	if (matters)
		matters_free(matters);
	return result == 0 && written < 0 ? 2 : result;
}

int messages_round(struct notifier *notifier, int64_t now_ns, struct err *err)
{
	int result = 0;
	bool any = false, put_off = false;
	for (unsigned i = 0; i < MESSAGES_AT_ONCE && result >= 0; i++) {
		result = notices_bundle(notifier->notices, now_ns, &notifier->bundle, err);
		if (result != 0)
			break;
		result = message_make(notifier, &notifier->bundle, now_ns, err);
		any = true;
		put_off = put_off || result == 2;
	}
	return result < 0 ? result : put_off ? 2 : any;
}
