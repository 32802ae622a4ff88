/* The notifier: whom a notice is told and when, reminders, escalation, closing; messages in every form; and that it may
 * be ended anywhere. */
#include "share/notifier.h"

#include "core/clock.h"
#include "store/members.h"
#include "store/notices_answer.h"

#include "../store/rows.h"

#include <errno.h>
#include <stdio.h>

#define S NS_PER_S
#define H NS_PER_HOUR

struct house {
	char room[64], *dir;
	struct registry *notices, *members;
	struct pool *pool;
	struct notice_rules rules;
	struct messages *messages;
	struct notifier *notifier;
};

static const char rules_text[] =
	"infected:\n  types: [livenet]\n  verdicts: [infected]\n  gather: 10m\n"
	"  channels: [mail, webhook, csv]\n  remind: [24h, 72h]\n  escalate: 120h\n  verify: 24h\n"
	"never:\n  verdicts: [spoofed]\n  tell: never\n  verify: 1h\n"
	"rest:\n  tell: digest\n  digest-at: 09:00\n  quiet: 22:00-07:00\n";

static void member_put(struct house *house, const char *text)
{
	static const struct members_change how = {.who = "test", .now_ns = T0};
	json_t *member = json_loads(text, 0, NULL), *report = NULL;
	assert_non_null(member);
	json_t *entries = json_pack("[{s:i, s:o}]", "line", 1, "member", member);
	must(registry_members_change(house->members, entries, &how, &report, &must_err));
	json_decref(entries);
	json_decref(report);
}

static void notifier_begin(struct house *house)
{
	static const struct notifier_options options = {"https://hub.example", "hub.example"};
	house->notifier = notifier_new(house->notices, house->members, &options);
	assert_non_null(house->notifier);
	notifier_set(house->notifier, &house->rules, house->messages);
}

static void house_open(struct house *house)
{
	*house = (struct house){.dir = NULL};
	house->dir = make_quick_dir(house->room);
	house->pool = pool_new(NULL, "test");
	must(registry_open(house->dir, &house->notices, &must_err));
	must(registry_open(house->dir, &house->members, &must_err));
	must(notice_rules_parse("rules", rules_text, sizeof rules_text - 1, house->pool, &house->rules, &must_err));
	must(messages_open(DATA_DIR "/messages", house->pool, &house->messages, &must_err));
	notifier_begin(house);
	member_put(house,
		   "{\"key\": \"pref\", \"name\": \"例県\", \"name_en\": \"Example Prefecture\", \"kind\": \"region\", "
		   "\"contacts\": [{\"role\": \"security\", \"language\": \"en\", \"name\": \"CSIRT\", \"mail\": "
		   "\"csirt@pref.example\"}]}");
	member_put(house,
		   "{\"key\": \"city\", \"name\": \"例市\", \"kind\": \"municipality\", \"parent\": \"pref\", "
		   "\"prefixes\": [\"192.0.2.0/24\"], \"contacts\": [{\"role\": \"technical\", \"language\": \"ja\", "
		   "\"name\": \"情報政策課\", \"mail\": \"joho@city.example\", \"webhook\": "
		   "\"https://city.example/hook\"}, "
		   "{\"role\": \"legal\", \"language\": \"ja\", \"mail\": \"homu@city.example\"}]}");
	member_put(house,
		   "{\"key\": \"town\", \"name\": \"例町\", \"kind\": \"municipality\", \"reports_to\": \"pref\"}");
	member_put(house, "{\"key\": \"alone\", \"name\": \"例村\", \"kind\": \"municipality\"}");
}

static void house_close(struct house *house)
{
	notifier_free(house->notifier);
	registry_close(house->notices);
	registry_close(house->members);
	pool_free(house->pool);
	remove_tree(house->dir);
}

static void take(struct house *house, uint32_t member, const char *subject, const char *verdict, int64_t time,
		 bool ended)
{
	const struct notice_finding finding = {.id = subject,
					       .type = "livenet",
					       .verdict = verdict,
					       .subject = subject,
					       .rule = "livenet.test",
					       .ground = "{\"tool\":\"mirai\",\"command\":\"yagura finding explain\"}",
					       .member = member,
					       .severity = 2,
					       .time_ns = time,
					       .first_ns = time,
					       .last_ns = time,
					       .packets = 3,
					       .ended = ended};
	must(notices_begin(house->notices, &must_err));
	must(notices_take(house->notices, &finding, 1, time, &must_err));
	must(notices_commit(house->notices, &must_err));
}

static void rounds(struct house *house, int64_t now)
{
	struct err err = {""};
	int result;
	while ((result = notifier_round(house->notifier, now, &err)) == 1)
		;
	if (result != 0)
		fail_msg("%d %s", result, err.text);
}

/* Try what is due, with that outcome; what was tried, by channel and address, a line each. */
static const char *tried(struct house *house, int64_t now, enum attempt_result outcome)
{
	static char text[4096];
	text[0] = '\0';
	rounds(house, now);
	for (unsigned channel = 0; channel < NOTICE_CHANNELS;) {
		struct notice_message message;
		struct err err = {""};
		must(notices_begin(house->notices, &must_err));
		int result = notices_attempt(house->notices, notice_channel_names[channel], now, &message, &err);
		if (result == 0) {
			const struct notice_attempt attempt = {message.id, message.attempts};
			size_t used = strlen(text);
			snprintf(text + used, sizeof text - used, "%s %s %s\n", message.channel, message.address,
				 message.subject);
			notice_message_done(&message);
			must(notices_outcome(house->notices, &attempt, outcome, 0, "", 0, now, &must_err));
		}
		must(notices_commit(house->notices, &must_err));
		channel += result != 0;
	}
	return text;
}

static int64_t count(struct house *house, const char *what)
{
	json_t *list = NULL;
	must(notices_list(house->members, &(struct notices_question){.state = what}, &list, &must_err));
	int64_t length = (int64_t)json_array_size(json_object_get(list, "notices"));
	json_decref(list);
	return length;
}

static void the_right_ones_are_told(void **state)
{
	(void)state;
	struct house house;
	house_open(&house);
	take(&house, 2, "192.0.2.9", "infected", T0, false);
	const char *text = tried(&house, T0, ATTEMPT_SENT);
	assert_contains(text, "mail joho@city.example [櫓(Yagura)] ネットワーク内の機器が感染している可能性: "
			      "192.0.2.9(通知番号 1)\n");
	assert_contains(text, "webhook https://city.example/hook yagura.notices\n");
	assert_contains(text, "csv city \n");
	assert_null(strstr(text, "homu")); /* the first role that has one */
	assert_string_equal(tried(&house, T0 + H, ATTEMPT_SENT), "");
	take(&house, 3, "198.51.100.1", "infected", T0 + H, false); /* no contact: through those it reports to */
	text = tried(&house, T0 + H, ATTEMPT_SENT);
	assert_contains(
		text, "mail csirt@pref.example [Yagura] A machine on your network is probably infected: 198.51.100.1");
	take(&house, 2, "192.0.2.10", "spoofed", T0 + H, false);    /* a rule says never */
	take(&house, 99, "203.0.113.1", "infected", T0 + H, false); /* a member that is gone */
	assert_string_equal(tried(&house, T0 + H, ATTEMPT_SENT), "");
	house_close(&house);
}

static void what_follows_is_gathered(void **state)
{
	(void)state;
	struct house house;
	house_open(&house);
	take(&house, 2, "192.0.2.1", "infected", T0, false);
	tried(&house, T0, ATTEMPT_SENT);
	for (int i = 2; i < 9; i++) {
		char subject[32];
		snprintf(subject, sizeof subject, "192.0.2.%d", i);
		take(&house, 2, subject, "infected", T0 + i * S, false);
		assert_string_equal(tried(&house, T0 + i * S, ATTEMPT_SENT), "");
	}
	const char *text = tried(&house, T0 + 600 * S, ATTEMPT_SENT);
	assert_contains(text, "mail joho@city.example [櫓(Yagura)] 例市 への通知 7 件\n");
	take(&house, 2, "192.0.2.20", "misconfigured", T0 + 601 * S, false);
	take(&house, 2, "192.0.2.21", "misconfigured", T0 + 602 * S, false);
	assert_string_equal(tried(&house, T0 + 23 * H, ATTEMPT_SENT), "");
	const char *digest = tried(&house, T0 + 24 * H, ATTEMPT_SENT); /* nine in Japan; and the first one's reminder */
	assert_contains(digest, "例市 への通知 3 件");
	house_close(&house);
}

static void reminders_escalation_acknowledgement(void **state)
{
	(void)state;
	struct house house;
	house_open(&house);
	take(&house, 2, "192.0.2.9", "infected", T0, false);
	tried(&house, T0, ATTEMPT_SENT);
	assert_string_equal(tried(&house, T0 + 24 * H - S, ATTEMPT_SENT), "");
	const char *text = tried(&house, T0 + 24 * H, ATTEMPT_SENT);
	assert_contains(text, "再送");
	assert_string_equal(tried(&house, T0 + 96 * H - S, ATTEMPT_SENT), "");
	text = tried(&house, T0 + 96 * H, ATTEMPT_SENT);
	assert_contains(text, "再送");
	text = tried(&house, T0 + 120 * H, ATTEMPT_SENT);
	assert_contains(text, "mail csirt@pref.example [Yagura] No answer from 例市");
	assert_null(strstr(text, "joho"));
	assert_string_equal(tried(&house, T0 + 999 * H, ATTEMPT_SENT), "");
	take(&house, 2, "192.0.2.10", "infected", T0 + 1000 * H, false);
	tried(&house, T0 + 1000 * H, ATTEMPT_SENT);
	const struct notice_answer seen = {"hanako", NULL, NULL, NULL};
	must(notices_acknowledge(house.members, 2, &seen, T0 + 1001 * H, &must_err));
	assert_string_equal(tried(&house, T0 + 2000 * H, ATTEMPT_SENT), "");
	house_close(&house);
}

static void it_closes_when_it_stays_quiet(void **state)
{
	(void)state;
	struct house house;
	house_open(&house);
	take(&house, 2, "192.0.2.9", "infected", T0, false);
	tried(&house, T0, ATTEMPT_SENT);
	take(&house, 2, "192.0.2.9", "infected", T0 + H, true);
	assert_string_equal(tried(&house, T0 + 2 * H, ATTEMPT_SENT), "");
	take(&house, 2, "192.0.2.9", "infected", T0 + 3 * H, false);
	const char *text = tried(&house, T0 + 3 * H, ATTEMPT_SENT);
	assert_contains(text, "再び観測");
	take(&house, 2, "192.0.2.9", "infected", T0 + 4 * H, true);
	assert_string_equal(tried(&house, T0 + 28 * H - S, ATTEMPT_SENT), "");
	assert_int_equal(count(&house, "ended"), 1);
	text = tried(&house, T0 + 28 * H, ATTEMPT_SENT);
	assert_contains(text, "終結");
	assert_int_equal(count(&house, "closed"), 1);
	take(&house, 2, "192.0.2.30", "spoofed", T0 + 30 * H, false); /* told nobody, closed all the same */
	take(&house, 2, "192.0.2.30", "spoofed", T0 + 31 * H, true);
	assert_string_equal(tried(&house, T0 + 31 * H, ATTEMPT_SENT), "");
	assert_string_equal(tried(&house, T0 + 32 * H, ATTEMPT_SENT), "");
	assert_int_equal(count(&house, "closed"), 2);
	house_close(&house);
}

static void who_cannot_be_reached_is_reached_through_others(void **state)
{
	(void)state;
	struct house house;
	json_t *shown = NULL;
	house_open(&house);
	take(&house, 2, "192.0.2.9", "infected", T0, false);
	tried(&house, T0, ATTEMPT_REFUSED);
	const char *text = tried(&house, T0 + S, ATTEMPT_SENT);
	assert_contains(text, "csirt@pref.example");
	take(&house, 4, "198.51.100.1", "infected", T0, false); /* nobody at all: said in its life */
	assert_string_equal(tried(&house, T0 + S, ATTEMPT_REFUSED), "csv alone \n");
	must(notices_show(house.members, 2, 4, &shown, &must_err));
	char *life = json_dumps(json_object_get(shown, "events"), 0);
	assert_contains(life, "nobody_to_tell");
	free(life);
	json_decref(shown);
	house_close(&house);
}

static void messages_hold_what_their_form_asks(void **state)
{
	(void)state;
	struct house house;
	house_open(&house);
	take(&house, 2, "192.0.2.9", "infected", T0, false);
	rounds(&house, T0);
	must(notices_begin(house.notices, &must_err));
	for (int i = 0; i < 3; i++) {
		struct notice_message message;
		must(notices_attempt(house.notices, notice_channel_names[i], T0, &message, &must_err));
		assert_non_null(strstr(message.message_id, "@hub.example"));
		if (strcmp(message.channel, "mail") == 0) {
			assert_contains(message.body, "情報政策課 様");
			assert_contains(message.body, "#/acknowledge?message=");
			assert_contains(message.body, "token=" NOTICE_SECRET_MARK "\n");
			assert_contains(message.body, "https://hub.example/#/notices/1");
		} else if (strcmp(message.channel, "webhook") == 0) {
			json_t *body = json_loads(message.body, 0, NULL), *matter;
			assert_string_equal(
				json_string_value(json_object_get(json_object_get(body, "acknowledge"), "token")),
				NOTICE_SECRET_MARK);
			matter = json_array_get(json_object_get(body, "notices"), 0);
			assert_string_equal(json_string_value(json_object_get(matter, "subject")), "192.0.2.9");
			assert_string_equal(json_string_value(json_object_get(matter, "step")), "new");
			json_decref(body);
		} else {
			assert_contains(message.body, "notice,step,state,member,type,verdict,subject,");
			assert_contains(message.body,
					"\r\n1,new,new,city,livenet,infected,192.0.2.9,medium,2026-01-01T00:00:00Z,");
		}
		notice_message_done(&message);
	}
	must(notices_commit(house.notices, &must_err));
	house_close(&house);
}

static void another_goes_on(void **state)
{
	(void)state;
	struct house house;
	struct err err = {""};
	house_open(&house);
	for (int i = 0; i < 250; i++) {
		char subject[32];
		snprintf(subject, sizeof subject, "192.0.2.%d", i);
		take(&house, 2, subject, "infected", T0, false);
	}
	int result = 1;
	for (int i = 0; result == 1; i++) {
		result = notifier_round(house.notifier, T0, &err);
		notifier_free(house.notifier); /* and everything that it knew */
		registry_close(house.notices);
		must(registry_open(house.dir, &house.notices, &must_err));
		notifier_begin(&house);
	}
	assert_int_equal(result, 0);
	json_t *figures = NULL;
	const char *text = tried(&house, T0, ATTEMPT_SENT);
	assert_contains(text, "例市 への通知 100 件"); /* what the first round planned; the rest is gathered */
	text = tried(&house, T0 + 600 * S, ATTEMPT_SENT);
	assert_contains(text, "例市 への通知 150 件");
	must(notices_figures(house.members, 0, T0, T0 + S, &figures, &must_err));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(figures, "notices"), "told")), 250);
	json_decref(figures);
	assert_string_equal(tried(&house, T0 + H, ATTEMPT_SENT), "");
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_ones_are_told),
		cmocka_unit_test(what_follows_is_gathered),
		cmocka_unit_test(reminders_escalation_acknowledgement),
		cmocka_unit_test(it_closes_when_it_stays_quiet),
		cmocka_unit_test(who_cannot_be_reached_is_reached_through_others),
		cmocka_unit_test(messages_hold_what_their_form_asks),
		cmocka_unit_test(another_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
