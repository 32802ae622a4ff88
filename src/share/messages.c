/* Notices in words. The advice of a matter is rendered first, each part of it becomes a value of the frame; neither is
 * read again. Every language must have the same files, so that no reader meets a hole. */
#include "share/messages.h"

#include "core/clock.h"
#include "share/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const language_names[] = {"ja", "en", NULL};

enum language notices_language(const char *name)
{
	return strcmp(name, language_names[LANGUAGE_EN]) == 0 ? LANGUAGE_EN : LANGUAGE_JA;
}

/* A frame for each step, and one for several matters at once. */
enum { FRAME_DIGEST = NOTICE_STEPS, FRAMES };

enum { ADVICE_MAX = 64, ADVICE_NAME_BYTES = 64, OBSERVATIONS_MAX = 24, LINK_BYTES = 1024 };

enum gap {
	GAP_NUMBER,
	GAP_MEMBER,
	GAP_CONTACT,
	GAP_SUBJECT,
	GAP_SEVERITY,
	GAP_FIRST,
	GAP_LAST,
	GAP_PACKETS,
	GAP_FINDINGS,
	GAP_RULE,
	GAP_COMMAND,
	GAP_COUNT,
	GAP_DESK,
	GAP_TITLE,
	GAP_WHAT,
	GAP_STEPS,
	GAP_OVER,
	GAP_CALL,
	GAP_SIGNATURE,
	GAP_OBSERVATIONS,
	GAP_STATE,
	GAP_LIST,
	GAP_LINK,
	GAP_ACKNOWLEDGE,
	GAPS
};

#define MATTER_GAPS                                                                                                    \
	[GAP_NUMBER] = {"number"}, [GAP_MEMBER] = {"member"}, [GAP_CONTACT] = {"contact"},                             \
	[GAP_SUBJECT] = {"subject"}, [GAP_SEVERITY] = {"severity"}, [GAP_FIRST] = {"first"}, [GAP_LAST] = {"last"},    \
	[GAP_PACKETS] = {"packets"}, [GAP_FINDINGS] = {"findings"}, [GAP_RULE] = {"rule"},                             \
	[GAP_COMMAND] = {"command"}, [GAP_COUNT] = {"count"}

static const struct template_gap matter_gaps[] = {MATTER_GAPS, [GAP_DESK] = {NULL}};
static const struct template_gap frame_gaps[] = {MATTER_GAPS,
						 [GAP_DESK] = {"desk", true},
						 [GAP_TITLE] = {"title", true},
						 [GAP_WHAT] = {"what", true},
						 [GAP_STEPS] = {"steps", true},
						 [GAP_OVER] = {"over", true},
						 [GAP_CALL] = {"call", true},
						 [GAP_SIGNATURE] = {"signature", true},
						 [GAP_OBSERVATIONS] = {"observations", true},
						 [GAP_STATE] = {"state", true},
						 [GAP_LIST] = {"list", true},
						 [GAP_LINK] = {"link", true},
						 [GAP_ACKNOWLEDGE] = {"acknowledge", true},
						 [GAPS] = {NULL}};
static const struct template_gap no_gaps[] = {{NULL}};

enum { PART_SUBJECT, PART_TEXT };
static const struct template_part frame_parts[] = {{"subject", true}, {"text"}, {NULL}};
enum { PART_TITLE, PART_WHAT, PART_STEPS, PART_OVER };
static const struct template_part advice_parts[] = {{"title", true}, {"what"}, {"steps"}, {"over"}, {NULL}};
enum { PART_DESK, PART_CALL, PART_SIGNATURE };
static const struct template_part desk_parts[] = {{"name", true}, {"call"}, {"signature"}, {NULL}};
enum { PART_SEVERITIES = 0, PART_STATES = 4, PART_SOMEBODY = 10, PART_OBSERVED };
/* Severities by their names, steps by theirs, who has no name, and what is observed by its name in a ground. */
static const struct template_part word_parts[] = {{"info", true},
						  {"low", true},
						  {"medium", true},
						  {"high", true},
						  {"new", true},
						  {"again", true},
						  {"reminder", true},
						  {"escalation", true},
						  {"closed", true},
						  {"test", true},
						  {"somebody", true},
						  {"ports", true},
						  {"prefix", true},
						  {"tool", true},
						  {"signs_of_a_forged_source", true},
						  {NULL}};
static const struct template_part item_parts[] = {{"item"}, {NULL}};

static const struct template_form frame_form = {frame_parts, frame_gaps}, advice_form = {advice_parts, matter_gaps},
				  desk_form = {desk_parts, no_gaps}, word_form = {word_parts, no_gaps},
				  item_form = {item_parts, frame_gaps};

struct advice {
	char name[ADVICE_NAME_BYTES];
	struct template *texts[LANGUAGES];
};

struct messages {
	struct template *frames[LANGUAGES][FRAMES], *items[LANGUAGES], *desks[LANGUAGES], *words[LANGUAGES];
	struct advice advice[ADVICE_MAX];
	size_t advice_count;
	struct advice *other;
};

static int file_read(const char *dir, unsigned language, const char *name, const struct template_form *form,
		     struct pool *pool, struct template **ret_template, struct err *err)
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/%s/%s.txt", dir, language_names[language], name) >= (int)sizeof path)
		return err_set(err, -ENAMETOOLONG, "%s: the name is too long", dir);
	return template_read(path, form, pool, ret_template, err);
}

static struct advice *advice_find(const struct messages *messages, const char *name)
{
	for (size_t i = 0; name && i < messages->advice_count; i++)
		if (strcmp(messages->advice[i].name, name) == 0)
			return (struct advice *)&messages->advice[i];
	return NULL;
}

bool messages_know_advice(const struct messages *messages, const char *name)
{
	return advice_find(messages, name) != NULL;
}

static int advice_read(struct messages *messages, const char *dir, unsigned language, const char *file,
		       struct pool *pool, struct err *err)
{
	static const char prefix[] = "advice-", suffix[] = ".txt";
	size_t length = strlen(file), outer = sizeof prefix + sizeof suffix - 2;
	char name[ADVICE_NAME_BYTES], stem[ADVICE_NAME_BYTES + sizeof prefix];
	if (length <= outer || length - outer >= sizeof name || strncmp(file, prefix, sizeof prefix - 1) != 0 ||
	    strcmp(file + length - (sizeof suffix - 1), suffix) != 0)
		return 0;
	snprintf(name, sizeof name, "%.*s", (int)(length - outer), file + sizeof prefix - 1);
	snprintf(stem, sizeof stem, "%s%s", prefix, name);
	struct advice *advice = advice_find(messages, name);
	if (!advice) {
		if (messages->advice_count == ADVICE_MAX)
			return err_set(err, -EINVAL, "%s/%s: more than %d files of advice", dir,
				       language_names[language], ADVICE_MAX);
		advice = &messages->advice[messages->advice_count++];
		snprintf(advice->name, sizeof advice->name, "%s", name);
	}
	return file_read(dir, language, stem, &advice_form, pool, &advice->texts[language], err);
}

static int advice_read_all(struct messages *messages, const char *dir, unsigned language, struct pool *pool,
			   struct err *err)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", dir, language_names[language]);
	DIR *files = opendir(path);
	if (!files)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	int result = 0;
	for (struct dirent *file; result == 0 && (file = readdir(files));)
		result = advice_read(messages, dir, language, file->d_name, pool, err);
	closedir(files);
	return result;
}

static int language_read(struct messages *messages, const char *dir, unsigned language, struct pool *pool,
			 struct err *err)
{
	int result = file_read(dir, language, "desk", &desk_form, pool, &messages->desks[language], err);
	if (result == 0)
		result = file_read(dir, language, "words", &word_form, pool, &messages->words[language], err);
	if (result == 0)
		result = file_read(dir, language, "item", &item_form, pool, &messages->items[language], err);
	for (unsigned frame = 0; frame < FRAMES && result == 0; frame++)
		result = file_read(dir, language, frame == FRAME_DIGEST ? "digest" : notice_step_names[frame],
				   &frame_form, pool, &messages->frames[language][frame], err);
	return result == 0 ? advice_read_all(messages, dir, language, pool, err) : result;
}

int messages_open(const char *dir, struct pool *pool, struct messages **ret_messages, struct err *err)
{
	struct messages *messages = pool_alloc(pool, sizeof *messages);
	int result = messages ? 0 : err_set(err, -ENOMEM, "no memory for messages");
	for (unsigned language = 0; language < LANGUAGES && result == 0; language++)
		result = language_read(messages, dir, language, pool, err);
	for (size_t i = 0; result == 0 && i < messages->advice_count; i++)
		for (unsigned language = 0; language < LANGUAGES && result == 0; language++)
			if (!messages->advice[i].texts[language])
				result = err_set(err, -EINVAL, "%s/%s/advice-%s.txt: missing; other languages have it",
						 dir, language_names[language], messages->advice[i].name);
	if (result < 0)
		return result;
	messages->other = advice_find(messages, "other");
	if (!messages->other)
		return err_set(err, -EINVAL, "%s: advice-other.txt is missing; it is for matters without their own",
			       dir);
	*ret_messages = messages;
	return 0;
}

/* "2026-01-31 18:00:05 +09:00" */
static void time_local(int64_t time_ns, int offset_minutes, char text[TIME_TEXT_BYTES])
{
	char utc[TIME_TEXT_BYTES];
	int minutes = offset_minutes < 0 ? -offset_minutes : offset_minutes;
	time_format(time_floor(time_ns, NS_PER_S) + offset_minutes * NS_PER_MINUTE, utc);
	snprintf(text, TIME_TEXT_BYTES, "%.10s %.8s %c%02d:%02d", utc, utc + 11, offset_minutes < 0 ? '-' : '+',
		 minutes / 60 % 24, minutes % 60);
}

/* A value of the ground as plain text; NULL: there is nothing in it to read. */
static char *observation(const json_t *value)
{
	char *text = NULL;
	size_t bytes = 0, i;
	const json_t *one;
	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (json_is_object(value) || json_is_null(value) || json_is_boolean(value))
		return NULL;
	if (!json_is_array(value))
		return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	FILE *out = json_array_size(value) ? open_memstream(&text, &bytes) : NULL;
	if (!out)
		return NULL;
	json_array_foreach(value, i, one)
	{
		const json_t *name = json_is_object(one) ? json_object_get(one, "name") : one;
		char *word = json_is_string(name) ? strdup(json_string_value(name))
						  : json_dumps(name ? name : one, JSON_ENCODE_ANY | JSON_COMPACT);
		fprintf(out, "%s%s", i ? ", " : "", word ? word : "");
		free(word);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* What the values of a ground are called in words.txt; others keep their names. */
static int observation_name(const struct template *words, const char *name, char **ret_name, struct err *err)
{
	static const char *const no_values[GAPS];
	for (unsigned part = PART_OBSERVED; word_parts[part].name; part++)
		if (strcmp(word_parts[part].name, name) == 0)
			return template_render(words, part, no_values, ret_name, err);
	return (*ret_name = strdup(name)) ? 0 : -ENOMEM;
}

/* Plain values of the ground, a line each, but for those that stand elsewhere in a message or mean nothing outside. */
static char *observations(const struct template *words, const json_t *ground)
{
	static const char *const elsewhere[] = {"command",   "derive", "rule",   "version",      "address", "member",
						"direction", "opened", "sensor", "tool_version", NULL};
	const char *name;
	json_t *value;
	char *text = NULL;
	size_t bytes = 0, lines = 0;
	FILE *out = open_memstream(&text, &bytes);
	if (!out)
		return NULL;
	json_object_foreach((json_t *)ground, name, value)
	{
		char plain_name[TEMPLATE_VALUE_BYTES], plain[TEMPLATE_VALUE_BYTES], *called = NULL;
		bool skipped = lines == OBSERVATIONS_MAX;
		for (size_t i = 0; elsewhere[i]; i++)
			skipped = skipped || strcmp(name, elsewhere[i]) == 0;
		char *what = skipped ? NULL : observation(value);
		if (what && observation_name(words, name, &called, NULL) == 0) {
			template_plain(called, plain_name);
			template_plain(what, plain);
			fprintf(out, "%s  %s: %s", lines++ ? "\n" : "", plain_name, plain);
		}
		free(called);
		free(what);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Values of one matter, and the room they stand in. */
struct values {
	const char *values[GAPS];
	char number[24], packets[24], findings[24], count[24], first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
	char *made[GAPS]; /* freed at the end */
};

static void values_done(struct values *values)
{
	for (unsigned i = 0; i < GAPS; i++)
		free(values->made[i]);
}

static int value_made(struct values *values, enum gap gap, const struct template *template, unsigned part,
		      struct err *err)
{
	int result = template_render(template, part, values->values, &values->made[gap], err);
	values->values[gap] = values->made[gap];
	return result;
}

static unsigned severity_word(const char *severity)
{
	unsigned part = PART_STATES - 1;
	while (part > PART_SEVERITIES && (!severity || strcmp(word_parts[part].name, severity) != 0))
		part--;
	return part;
}

static int values_of_desk(const struct messages *messages, const struct message_reader *reader, size_t count,
			  struct values *values, struct err *err)
{
	const struct template *desk = messages->desks[reader->language];
	snprintf(values->count, sizeof values->count, "%zu", count);
	values->values[GAP_COUNT] = values->count;
	values->values[GAP_LINK] = reader->link;
	values->values[GAP_ACKNOWLEDGE] = reader->acknowledge;
	int result = value_made(values, GAP_DESK, desk, PART_DESK, err);
	if (result == 0)
		result = value_made(values, GAP_CONTACT, messages->words[reader->language], PART_SOMEBODY, err);
	if (reader->name)
		values->values[GAP_CONTACT] = reader->name;
	if (result == 0)
		result = value_made(values, GAP_CALL, desk, PART_CALL, err);
	return result == 0 ? value_made(values, GAP_SIGNATURE, desk, PART_SIGNATURE, err) : result;
}

static int values_of_matter(const struct messages *messages, const struct message_reader *reader,
			    const struct notice_facts *facts, struct values *values, struct err *err)
{
	const struct advice *named = advice_find(messages, facts->advice);
	const struct template *advice = (named ? named : messages->other)->texts[reader->language];
	snprintf(values->number, sizeof values->number, "%lld", (long long)facts->number);
	snprintf(values->packets, sizeof values->packets, "%llu", (unsigned long long)facts->packets);
	snprintf(values->findings, sizeof values->findings, "%llu", (unsigned long long)facts->findings);
	time_local(facts->first_ns, reader->utc_offset_minutes, values->first);
	time_local(facts->last_ns, reader->utc_offset_minutes, values->last);
	values->values[GAP_NUMBER] = values->number;
	values->values[GAP_PACKETS] = values->packets;
	values->values[GAP_FINDINGS] = values->findings;
	values->values[GAP_FIRST] = values->first;
	values->values[GAP_LAST] = values->last;
	values->values[GAP_MEMBER] = facts->member;
	values->values[GAP_SUBJECT] = facts->subject;
	values->values[GAP_RULE] = facts->rule;
	values->values[GAP_COMMAND] = facts->command;
	values->values[GAP_OBSERVATIONS] = values->made[GAP_OBSERVATIONS] =
		observations(messages->words[reader->language], facts->ground);
	int result = value_made(values, GAP_SEVERITY, messages->words[reader->language], severity_word(facts->severity),
				err);
	if (result == 0)
		result = value_made(values, GAP_STATE, messages->words[reader->language], PART_STATES + facts->step,
				    err);
	if (result == 0)
		result = value_made(values, GAP_TITLE, advice, PART_TITLE, err);
	if (result == 0)
		result = value_made(values, GAP_WHAT, advice, PART_WHAT, err);
	if (result == 0)
		result = value_made(values, GAP_STEPS, advice, PART_STEPS, err);
	return result == 0 ? value_made(values, GAP_OVER, advice, PART_OVER, err) : result;
}

static int frame_write(const struct template *frame, const struct values *values, struct message_text *text,
		       struct err *err)
{
	int result = template_render(frame, PART_SUBJECT, values->values, &text->subject, err);
	return result == 0 ? template_render(frame, PART_TEXT, values->values, &text->text, err) : result;
}

static int matter_write(const struct messages *messages, const struct message_reader *reader,
			const struct notice_facts *facts, struct message_text *text, struct err *err)
{
	struct values values = {.values = {NULL}};
	int result = values_of_desk(messages, reader, 1, &values, err);
	if (result == 0)
		result = values_of_matter(messages, reader, facts, &values, err);
	if (result == 0)
		result = frame_write(messages->frames[reader->language][facts->step], &values, text, err);
	values_done(&values);
	return result;
}

/* An item of a digest, with a blank line between it and the one before. */
static int item_write(const struct messages *messages, const struct message_reader *reader,
		      const struct notice_facts *facts, bool first, FILE *out, struct err *err)
{
	char link[LINK_BYTES] = "", *text = NULL;
	if (reader->links && snprintf(link, sizeof link, "%s/#/notices/%lld", reader->links,
				      (long long)facts->number) >= (int)sizeof link)
		return err_set(err, -EMSGSIZE, "the hub's address is too long for a link");
	struct values values = {.values = {[GAP_CONTACT] = reader->name, [GAP_LINK] = link}};
	int result = values_of_matter(messages, reader, facts, &values, err);
	if (result == 0)
		result = template_render(messages->items[reader->language], 0, values.values, &text, err);
	if (result == 0)
		fprintf(out, "%s%s", first ? "" : "\n\n", text);
	free(text);
	values_done(&values);
	return result;
}

static int digest_write(const struct messages *messages, const struct message_reader *reader,
			const struct notice_facts *facts, size_t count, struct message_text *text, struct err *err)
{
	struct values values = {.values = {[GAP_MEMBER] = facts[0].member}};
	char *list = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&list, &bytes);
	int result = out ? values_of_desk(messages, reader, count, &values, err) : -ENOMEM;
	for (size_t i = 0; i < count && result == 0; i++)
		result = item_write(messages, reader, &facts[i], i == 0, out, err);
	if (out && fclose(out) != 0 && result == 0)
		result = -ENOMEM;
	values.values[GAP_LIST] = values.made[GAP_LIST] = list;
	if (result == 0)
		result = frame_write(messages->frames[reader->language][FRAME_DIGEST], &values, text, err);
	values_done(&values);
	return result;
}

int message_write(const struct messages *messages, const struct message_reader *reader,
		  const struct notice_facts *facts, size_t count, struct message_text *ret_text, struct err *err)
{
	struct message_text text = {NULL, NULL};
	int result = count == 1 ? matter_write(messages, reader, facts, &text, err)
				: digest_write(messages, reader, facts, count, &text, err);
	if (result < 0)
		message_text_free(&text);
	else
		*ret_text = text;
	return result;
}

int message_advice(const struct messages *messages, const struct message_reader *reader,
		   const struct notice_facts *facts, json_t **ret_advice, struct err *err)
{
	struct values values = {.values = {NULL}};
	int result = values_of_desk(messages, reader, 1, &values, err);
	if (result == 0)
		result = values_of_matter(messages, reader, facts, &values, err);
	if (result == 0) {
		*ret_advice = json_pack("{s:s, s:s, s:s, s:s, s:s}", "title", values.values[GAP_TITLE], "what",
					values.values[GAP_WHAT], "steps", values.values[GAP_STEPS], "over",
					values.values[GAP_OVER], "call", values.values[GAP_CALL]);
		result = *ret_advice ? 0 : err_set(err, -ENOMEM, "no memory for the advice of a notice");
	}
	values_done(&values);
	return result;
}

void message_text_free(struct message_text *text)
{
	if (!text)
		return;
	free(text->subject);
	free(text->text);
	*text = (struct message_text){NULL, NULL};
}
