/* Notices: findings, steps, tellings, messages, attempts; what is done over changes nothing; what people answer. */
#include "store/notices_answer.h"

#include "rows.h"

#include <errno.h>
#include <stdio.h>

#define S NS_PER_S

static struct registry *made(const char *dir)
{
	struct registry *registry = NULL;
	must(registry_open(dir, &registry, &must_err));
	return registry;
}

static struct notice_finding finding(void)
{
	return (struct notice_finding){.id = "livenet-7-192.0.2.9-1",
				       .type = "livenet",
				       .verdict = "infected",
				       .subject = "192.0.2.9",
				       .rule = "livenet.infected",
				       .ground = "{\"tool\":\"mirai\"}",
				       .member = 7,
				       .severity = 2,
				       .time_ns = T0,
				       .first_ns = T0,
				       .last_ns = T0,
				       .packets = 3};
}

static void take(struct registry *registry, const struct notice_finding *of, int64_t now)
{
	must(notices_begin(registry, &must_err));
	must(notices_take(registry, of, 1, now, &must_err));
	must(notices_commit(registry, &must_err));
}

static struct notice found(struct registry *registry, int64_t id)
{
	struct notice notice;
	must(notices_begin(registry, &must_err));
	must(notice_find(registry, id, &notice, &must_err));
	must(notices_commit(registry, &must_err));
	notice_done(&notice);
	return notice;
}

static size_t todo(struct registry *registry, struct notice_todo ret_todos[16])
{
	size_t count = 0;
	must(notices_begin(registry, &must_err));
	must(notices_todo(registry, 16, ret_todos, &count, &must_err));
	must(notices_commit(registry, &must_err));
	return count;
}

/* Plan all steps for one mail address each, due at `due`. */
static void plan(struct registry *registry, int64_t due, int64_t look, int64_t now)
{
	const struct notice_telling telling = {due, "mail", "hanako@example.org", "ja", "Hanako", 7};
	struct notice_todo todos[16];
	size_t count = todo(registry, todos);
	must(notices_begin(registry, &must_err));
	for (size_t i = 0; i < count; i++)
		must(notices_planned(registry, &todos[i], "infected", &telling, 1, look, now, &must_err));
	must(notices_commit(registry, &must_err));
}

/* A message of what is due; 0: nothing is. */
static int64_t bundle(struct registry *registry, int64_t now, size_t *ret_count)
{
	static struct notice_bundle of;
	int64_t id = 0;
	char message_id[64];
	must(notices_begin(registry, &must_err));
	int code = notices_bundle(registry, now, &of, NULL);
	assert_true(code == 0 || code == 1);
	if (code == 0) {
		must(notices_message_new(registry, &of, now, &id, &must_err));
		snprintf(message_id, sizeof message_id, "n%lld@example.org", (long long)id);
		must(notices_message_write(registry, id, message_id, "subject", "body", &must_err));
	}
	must(notices_commit(registry, &must_err));
	*ret_count = code == 0 ? of.count : 0;
	return id;
}

static struct notice_attempt attempt(struct registry *registry, int64_t now)
{
	struct notice_message message;
	struct notice_attempt tried = {0, 0};
	must(notices_begin(registry, &must_err));
	int code = notices_attempt(registry, "mail", now, &message, NULL);
	assert_true(code == 0 || code == 1);
	must(notices_commit(registry, &must_err));
	if (code == 0) {
		tried = (struct notice_attempt){message.id, message.attempts};
		assert_string_equal(message.body, "body");
		notice_message_done(&message);
	}
	return tried;
}

static int outcome(struct registry *registry, struct notice_attempt of, enum attempt_result result, int64_t again,
		   int64_t now)
{
	must(notices_begin(registry, &must_err));
	int code = notices_outcome(registry, &of, result, 250, "2.0.0 queued", again, now, NULL);
	must(notices_commit(registry, &must_err));
	return code;
}

static void one_notice_for_a_matter(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct notice_todo todos[16];
	struct notice_finding of = finding();
	take(registry, &of, T0);
	take(registry, &of, T0 + 1); /* again after a crash */
	assert_int_equal(todo(registry, todos), 1);
	assert_int_equal(todos[0].step, STEP_NEW);
	of.time_ns = of.last_ns = T0 + 60 * S;
	of.packets = 10;
	take(registry, &of, T0 + 60 * S);
	assert_int_equal(found(registry, 1).state, NOTICE_CONTINUING);
	assert_int_equal(found(registry, 1).packets, 10);
	of.id = "livenet-7-192.0.2.9-2"; /* another finding of the same matter adds to it */
	of.packets = 5;
	of.time_ns = T0 + 30 * S; /* an instant is compared within one finding only */
	take(registry, &of, T0 + 61 * S);
	assert_int_equal(found(registry, 1).packets, 15);
	assert_int_equal(found(registry, 1).findings, 2);
	assert_int_equal(found(registry, 1).last_ns, T0 + 60 * S);
	of.subject = "192.0.2.10";
	take(registry, &of, T0 + 62 * S);
	of.member = 8;
	take(registry, &of, T0 + 63 * S);
	of.member = 0; /* nobody's */
	take(registry, &of, T0 + 64 * S);
	assert_int_equal(todo(registry, todos), 3);
	registry_close(registry);
	remove_tree(dir);
}

static void ended_again_worse_closed(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct notice_todo todos[16];
	struct notice_finding of = finding();
	int64_t ids[4];
	size_t count;
	take(registry, &of, T0);
	plan(registry, T0, 0, T0);
	of.time_ns = T0 + 10 * S;
	of.ended = true;
	take(registry, &of, T0 + 10 * S);
	assert_int_equal(found(registry, 1).state, NOTICE_ENDED);
	assert_int_equal(found(registry, 1).ended_ns, T0 + 10 * S);
	must(notices_begin(registry, &must_err));
	must(notices_due(registry, T0 + 10 * S, 4, ids, &count, &must_err));
	assert_int_equal(count, 1);
	must(notices_commit(registry, &must_err));
	of.id = "livenet-7-192.0.2.9-2";
	of.time_ns = T0 + 20 * S;
	of.ended = false;
	take(registry, &of, T0 + 20 * S);
	assert_int_equal(found(registry, 1).state, NOTICE_CONTINUING);
	assert_int_equal(found(registry, 1).ended_ns, 0);
	assert_int_equal(todo(registry, todos), 1);
	assert_int_equal(todos[0].step, STEP_AGAIN);
	plan(registry, T0, 0, T0);
	of.time_ns = T0 + 21 * S;
	of.severity = 3;
	take(registry, &of, T0 + 21 * S);
	assert_int_equal(todo(registry, todos), 1);
	assert_int_equal(todos[0].nth, 2);
	plan(registry, T0, 0, T0);
	struct notice notice = found(registry, 1);
	must(notices_begin(registry, &must_err));
	must(notices_step(registry, &notice, STEP_CLOSED, "observed", T0 + 30 * S, &must_err));
	must(notices_commit(registry, &must_err));
	assert_int_equal(found(registry, 1).state, NOTICE_CLOSED);
	assert_int_equal(todo(registry, todos), 1);
	take(registry, &of, T0 + 31 * S); /* the last row once more */
	of.ended = true;
	of.time_ns = T0 + 32 * S; /* and its end */
	take(registry, &of, T0 + 32 * S);
	assert_int_equal(todo(registry, todos), 1);
	of.id = "livenet-7-192.0.2.9-3";
	of.ended = false;
	take(registry, &of, T0 + 40 * S);
	assert_int_equal(todo(registry, todos), 2);
	assert_int_equal(found(registry, 2).state, NOTICE_NEW);
	registry_close(registry);
	remove_tree(dir);
}

static void a_message_is_tried_until_it_is_sent(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct notice_finding of = finding();
	size_t count;
	take(registry, &of, T0);
	of.subject = "192.0.2.10";
	take(registry, &of, T0);
	plan(registry, T0 + 5 * S, T0 + 100 * S, T0);
	plan(registry, T0 + 5 * S, T0 + 100 * S, T0); /* nothing is left to plan */
	int64_t next;
	must(notices_next(registry, &next, &must_err));
	assert_int_equal(next, T0 + 5 * S);
	assert_int_equal(bundle(registry, T0 + 4 * S, &count), 0);
	assert_int_equal(bundle(registry, T0 + 5 * S, &count), 1);
	assert_int_equal(count, 2);
	assert_int_equal(bundle(registry, T0 + 5 * S, &count), 0);
	struct notice_attempt first = attempt(registry, T0 + 6 * S);
	assert_int_equal(first.number, 1);
	assert_int_equal(attempt(registry, T0 + 6 * S).message, 0); /* it is being sent */
	struct notice_attempt open[4];
	must(notices_begin(registry, &must_err));
	must(notices_attempts_open(registry, 4, open, &count, &must_err));
	must(notices_commit(registry, &must_err));
	assert_int_equal(count, 1);
	assert_int_equal(outcome(registry, first, ATTEMPT_DEFERRED, T0 + 60 * S, T0 + 7 * S), 0);
	assert_int_equal(outcome(registry, first, ATTEMPT_SENT, 0, T0 + 8 * S), 1); /* it has one */
	assert_int_equal(attempt(registry, T0 + 59 * S).message, 0);
	struct notice_attempt second = attempt(registry, T0 + 60 * S);
	assert_int_equal(second.number, 2);
	assert_int_equal(outcome(registry, second, ATTEMPT_SENT, 0, T0 + 61 * S), 0);
	assert_int_equal(attempt(registry, T0 + 9999 * S).message, 0);
	assert_int_equal(found(registry, 1).told_ns, T0 + 61 * S);
	assert_int_equal(found(registry, 2).told_ns, T0 + 61 * S);
	registry_close(registry);
	remove_tree(dir);
}

static void a_refused_address_is_noted(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct notice_finding of = finding();
	size_t count;
	int64_t ids[4];
	json_t *bounces = NULL;
	take(registry, &of, T0);
	plan(registry, T0, 0, T0);
	bundle(registry, T0, &count);
	assert_int_equal(outcome(registry, attempt(registry, T0), ATTEMPT_REFUSED, 0, T0 + S), 0);
	must(notices_bounces(registry, &bounces, &must_err));
	assert_int_equal(json_array_size(bounces), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(bounces, 0), "address")),
			    "hanako@example.org");
	json_decref(bounces);
	must(notices_begin(registry, &must_err));
	must(notices_due(registry, T0 + S, 4, ids, &count, &must_err));
	must(notices_commit(registry, &must_err));
	assert_int_equal(count, 1); /* somebody is to look */
	must(notices_tell_now(registry, 1, "admin", T0 + 2 * S, &must_err));
	plan(registry, T0 + 2 * S, 0, T0 + 2 * S);
	bundle(registry, T0 + 2 * S, &count);
	assert_int_equal(outcome(registry, attempt(registry, T0 + 2 * S), ATTEMPT_SENT, 0, T0 + 3 * S), 0);
	must(notices_bounces(registry, &bounces, &must_err));
	assert_int_equal(json_array_size(bounces), 0);
	json_decref(bounces);
	registry_close(registry);
	remove_tree(dir);
}

static void a_link_works_once(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), token[REGISTRY_TOKEN_BYTES], again[REGISTRY_TOKEN_BYTES];
	struct registry *registry = made(dir), *second = made(dir);
	struct notice_finding of = finding();
	size_t count;
	take(registry, &of, T0);
	of.subject = "192.0.2.10";
	take(registry, &of, T0);
	plan(registry, T0, 0, T0);
	int64_t message = bundle(registry, T0, &count);
	must(notices_link(registry, message, token, &must_err));
	must(notices_link(second, message, again, &must_err));
	assert_string_equal(token, again);
	must(notices_link(second, message + 1, again, &must_err));
	assert_string_not_equal(token, again);
	const struct notice_answer answer = {"link", "informed", "TICKET-9", NULL};
	json_t *answered = NULL;
	assert_int_equal(notices_acknowledge_link(second, message, again, &answer, T0, &answered, NULL), 2);
	assert_int_equal(notices_acknowledge_link(second, message + 1, again, &answer, T0, &answered, NULL), 2);
	token[5] ^= 1;
	assert_int_equal(notices_acknowledge_link(second, message, token, &answer, T0, &answered, NULL), 2);
	token[5] ^= 1;
	assert_int_equal(notices_acknowledge_link(second, message, token, &answer, T0 + S, &answered, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(answered, "acknowledged")), 2);
	json_decref(answered);
	assert_int_equal(notices_acknowledge_link(second, message, token, &answer, T0 + S, &answered, NULL), 1);
	assert_int_equal(found(registry, 2).acknowledged_ns, T0 + S);
	json_t *shown = NULL;
	must(notices_show(registry, 1, 7, &shown, &must_err));
	assert_string_equal(json_string_value(json_object_get(shown, "reference")), "TICKET-9");
	assert_int_equal(json_array_size(json_object_get(shown, "events")), 2);
	assert_string_equal(json_string_value(json_object_get(json_object_get(shown, "ground"), "tool")), "mirai");
	json_decref(shown);
	struct err err = {""};
	assert_int_equal(notices_show(registry, 1, 8, &shown, &err), -ENOENT); /* another member's */
	registry_close(second);
	registry_close(registry);
	remove_tree(dir);
}

static void people_close_and_ask(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct notice_finding of = finding();
	struct err err = {""};
	size_t count;
	for (int i = 0; i < 10; i++) {
		char subject[32];
		snprintf(subject, sizeof subject, "192.0.2.%d", i);
		of.subject = subject;
		take(registry, &of, T0 + i * S);
	}
	plan(registry, T0 + 20 * S, 0, T0);
	must(notices_close(registry, 3, "admin", "a test machine", T0 + 15 * S, &must_err));
	assert_int_equal(notices_close(registry, 3, "admin", "again", T0, &err), -EPERM);
	assert_int_equal(notices_close(registry, 99, "admin", "again", T0, &err), -ENOENT);
	const struct notice_answer wrong = {"admin", "maybe", NULL, NULL}, seen = {"admin", NULL, NULL, "on it"};
	assert_int_equal(notices_acknowledge(registry, 4, &wrong, T0, &err), -EINVAL);
	bundle(registry, T0 + 20 * S, &count);
	assert_int_equal(count, 9); /* the closed one is not told */
	assert_int_equal(outcome(registry, attempt(registry, T0 + 20 * S), ATTEMPT_SENT, 0, T0 + 20 * S), 0);
	must(notices_acknowledge(registry, 4, &seen, T0 + 30 * S, &must_err));
	of.subject = "192.0.2.2"; /* goes on after it was closed by a person: stays closed */
	of.time_ns = T0 + 40 * S;
	take(registry, &of, T0 + 40 * S);
	json_t *list = NULL, *figures = NULL;
	must(notices_list(registry, &(struct notices_question){.state = "open", .limit = 5}, &list, &must_err));
	assert_int_equal(json_array_size(json_object_get(list, "notices")), 5);
	assert_true(json_is_true(json_object_get(list, "more")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(list, "notices"), 0), "id")),
			 10);
	json_decref(list);
	must(notices_list(registry, &(struct notices_question){.unacknowledged = true, .member = 7, .before = 6}, &list,
			  &must_err));
	assert_int_equal(json_array_size(json_object_get(list, "notices")), 4);
	json_decref(list);
	must(notices_figures(registry, 0, T0, T0 + 3600 * S, &figures, &must_err));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(figures, "notices"), "made")), 10);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(figures, "notices"), "closed")), 1);
	json_t *to_tell = json_object_get(figures, "to_tell");
	assert_int_equal(json_integer_value(json_object_get(to_tell, "count")), 9);
	assert_true(json_number_value(json_object_get(to_tell, "median_s")) == 15); /* 11 12 13 14 15 16 17 19 20 */
	assert_true(json_number_value(json_object_get(to_tell, "p90_s")) == 20);
	assert_true(json_number_value(json_object_get(json_object_get(figures, "to_acknowledge"), "median_s")) == 10);
	json_decref(figures);
	registry_close(registry);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_notice_for_a_matter),
		cmocka_unit_test(ended_again_worse_closed),
		cmocka_unit_test(a_message_is_tried_until_it_is_sent),
		cmocka_unit_test(a_refused_address_is_noted),
		cmocka_unit_test(a_link_works_once),
		cmocka_unit_test(people_close_and_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
