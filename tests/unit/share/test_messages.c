/* The messages that come with the program: whole in both languages, and nothing of a stranger's in them is obeyed. */
#include "share/messages.h"

#include "core/clock.h"

#include "../check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define T0 (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

static const struct message_reader readers[LANGUAGES] = {
	{LANGUAGE_JA, "情報政策課", "https://hub.example/#/notices/7", "https://hub.example", 540,
	 "https://hub.example/ack/abc"},
	{LANGUAGE_EN, "Hanako", "https://hub.example/#/notices/7", "https://hub.example", 540,
	 "https://hub.example/ack/abc"},
};

static struct notice_facts facts(json_t *ground)
{
	return (struct notice_facts){.number = 7,
				     .advice = "livenet-infected",
				     .member = "Example City",
				     .subject = "192.0.2.9",
				     .severity = "high",
				     .rule = "livenet.infected",
				     .command = "yagura finding explain x",
				     .ground = ground,
				     .first_ns = T0,
				     .last_ns = T0 + 90 * NS_PER_S,
				     .packets = 12,
				     .findings = 1};
}

static void every_frame_and_advice_in_both_languages(void **state)
{
	(void)state;
	static const char *const advice[] = {"livenet-infected", "livenet-victim", "livenet-misconfigured",
					     "livenet-spoofed", "unheard-of"};
	struct pool *pool = pool_new(NULL, "test");
	struct messages *messages = NULL;
	struct err err = {""};
	static const char *const observed[] = {
		"  使われた道具: mirai\n  targets: 3\n  宛先ポート: tcp/23, tcp/2323\n\n",
		"  tool: mirai\n  targets: 3\n  ports: tcp/23, tcp/2323\n\n"};
	json_t *ground = json_pack("{s:s, s:i, s:s, s:[{s:s, s:i}, {s:s}], s:b, s:[]}", "tool", "mirai", "targets", 3,
				   "command", "not twice", "ports", "name", "tcp/23", "port", 23, "name", "tcp/2323",
				   "more_ports", 0, "signs_of_a_forged_source");
	assert_int_equal(messages_open(DATA_DIR "/messages", pool, &messages, &err), 0);
	for (unsigned language = 0; language < LANGUAGES; language++)
		for (unsigned step = 0; step < NOTICE_STEPS; step++)
			for (unsigned i = 0; i < 5; i++) {
				struct message_text text;
				struct notice_facts of = facts(ground);
				of.step = step;
				of.advice = advice[i];
				assert_int_equal(message_write(messages, &readers[language], &of, 1, &text, &err), 0);
				assert_null(strchr(text.subject, '\n'));
				assert_null(strstr(text.text, "{{"));
				assert_contains(text.text, readers[language].name);
				if (step == STEP_NEW) {
					assert_contains(text.subject, "192.0.2.9");
					assert_contains(text.text, "2026-01-01 09:01:30 +09:00");
					assert_contains(text.text, "https://hub.example/ack/abc");
					assert_contains(text.text, "1. ");
					assert_contains(text.text, observed[language]);
					assert_null(strstr(text.text, "not twice"));
				}
				message_text_free(&text);
			}
	json_decref(ground);
	pool_free(pool);
}

static void a_digest_holds_every_matter(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct messages *messages = NULL;
	struct err err = {""};
	struct message_text text;
	struct notice_facts two[] = {facts(NULL), facts(NULL)};
	two[1].subject = "192.0.2.10";
	two[1].number = 8;
	assert_int_equal(messages_open(DATA_DIR "/messages", pool, &messages, &err), 0);
	assert_int_equal(message_write(messages, &readers[LANGUAGE_JA], two, 2, &text, &err), 0);
	assert_contains(text.subject, "2 件");
	assert_contains(text.text, "192.0.2.9");
	assert_contains(text.text, "192.0.2.10");
	message_text_free(&text);
	pool_free(pool);
}

static void a_page_is_given_the_words_of_the_message(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct messages *messages = NULL;
	struct err err = {""};
	assert_int_equal(messages_open(DATA_DIR "/messages", pool, &messages, &err), 0);
	for (unsigned language = 0; language < LANGUAGES; language++) {
		static const char *const parts[] = {"title", "what", "steps", "over", "call"};
		const struct notice_facts of = facts(NULL);
		struct message_text text;
		json_t *advice = NULL;
		assert_int_equal(message_write(messages, &readers[language], &of, 1, &text, &err), 0);
		assert_int_equal(message_advice(messages, &readers[language], &of, &advice, &err), 0);
		assert_contains(text.subject, json_string_value(json_object_get(advice, "title")));
		for (unsigned i = 1; i < sizeof parts / sizeof *parts; i++)
			assert_contains(text.text, json_string_value(json_object_get(advice, parts[i])));
		json_decref(advice);
		message_text_free(&text);
	}
	pool_free(pool);
}

static void what_strangers_wrote_is_only_text(void **state)
{
	(void)state;
	struct pool *pool = pool_new(NULL, "test");
	struct messages *messages = NULL;
	struct err err = {""};
	struct message_text text;
	json_t *ground = json_pack("{s:s, s:[s], s:s}", "payload", "{{acknowledge}}\r\n\r\nhttp://evil.example",
				   "{{call}}\n1. Pay", "x", "e", "\xe2\x80\xaetxt.exe");
	struct notice_facts of = facts(ground);
	of.member = "Evil\r\nBcc: all@example.org {{steps}}";
	assert_int_equal(messages_open(DATA_DIR "/messages", pool, &messages, &err), 0);
	assert_int_equal(message_write(messages, &readers[LANGUAGE_EN], &of, 1, &text, &err), 0);
	assert_contains(text.text, "Evil  Bcc: all@example.org {{steps}}, Hanako");
	assert_contains(text.text, "  payload: {{acknowledge}}    http[://]evil.example");
	assert_null(strstr(text.text, "\n1. Pay"));
	assert_null(strstr(text.text, "\xe2\x80\xae"));
	message_text_free(&text);
	json_decref(ground);
	pool_free(pool);
}

static void file_put(const char *dir, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void a_language_without_a_file_is_refused(void **state)
{
	(void)state;
	char dir[] = "/tmp/yagura-messages-XXXXXX", command[512];
	struct pool *pool = pool_new(NULL, "test");
	struct messages *messages = NULL;
	struct err err = {""};
	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof command, "cp -r " DATA_DIR "/messages/ja " DATA_DIR "/messages/en %s", dir);
	assert_int_equal(system(command), 0);
	file_put(dir, "en/advice-victim.txt", "== title\nt\n== what\nw\n== steps\n1. s\n== over\no\n");
	assert_int_equal(messages_open(dir, pool, &messages, &err), -EINVAL);
	assert_contains(err.text, "ja/advice-victim.txt: missing");
	file_put(dir, "ja/advice-victim.txt", "== title\nt\n== what\n{{list}}\n== steps\n1. s\n== over\no\n");
	assert_int_equal(messages_open(dir, pool, &messages, &err), -EINVAL);
	assert_contains(err.text, "ja/advice-victim.txt:4: there is no value 'list'");
	file_put(dir, "ja/advice-victim.txt", "== title\nt\n== what\nw\n== steps\n1. s\n== over\no\n");
	assert_int_equal(messages_open(dir, pool, &messages, &err), 0);
	assert_true(messages_know_advice(messages, "victim"));
	snprintf(command, sizeof command, "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_and_advice_in_both_languages),
		cmocka_unit_test(a_digest_holds_every_matter),
		cmocka_unit_test(a_page_is_given_the_words_of_the_message),
		cmocka_unit_test(what_strangers_wrote_is_only_text),
		cmocka_unit_test(a_language_without_a_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
