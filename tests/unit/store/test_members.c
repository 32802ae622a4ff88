/* Members in the registry: sets of changes, what follows from them, whose an address is. */
#include "store/members.h"

#include "rows.h"

#include <errno.h>

static struct registry *made(char *dir)
{
	struct registry *registry = NULL;
	must(registry_open(dir, &registry, &must_err));
	return registry;
}

static const struct members_change plain = {.who = "hanako", .now_ns = T0};

/* Entries as JSON, or [{"member": ...}] of one member; the report, and the code in *ret_code. */
static json_t *changed(struct registry *registry, const char *text, const struct members_change *how, int *ret_code)
{
	json_t *entries = json_loads(text, 0, NULL), *report = NULL;
	struct err err = {""};
	assert_non_null(entries);
	if (json_is_object(entries)) {
		json_t *list = json_pack("[{s:i, s:o}]", "line", 1, "member", entries);
		entries = list;
	}
	*ret_code = registry_members_change(registry, entries, how, &report, &err);
	if (*ret_code < 0)
		fail_msg("%d %s", *ret_code, err.text);
	json_decref(entries);
	return report;
}

static void put(struct registry *registry, const char *text)
{
	int code;
	json_t *report = changed(registry, text, &plain, &code);
	char *said = json_dumps(report, 0);
	if (code != 0)
		fail_msg("%s", said);
	free(said);
	json_decref(report);
}

static json_int_t number(const json_t *report, const char *name)
{
	return json_integer_value(json_object_get(report, name));
}

static void refused(struct registry *registry, const char *text, const char *message)
{
	int code;
	json_t *report = changed(registry, text, &plain, &code);
	char *faults = json_dumps(json_object_get(report, "faults"), JSON_ENCODE_ANY);
	assert_int_equal(code, 1);
	assert_false(json_is_true(json_object_get(report, "applied")));
	assert_contains(faults, message);
	free(faults);
	json_decref(report);
}

static uint32_t id_of(struct registry *registry, const char *key)
{
	uint32_t id = 0;
	must(registry_member_find(registry, key, &id, &must_err));
	return id;
}

static uint64_t version(struct registry *registry)
{
	uint64_t now = 0;
	must(registry_members_version(registry, &now, &must_err));
	return now;
}

static void members_come_and_go(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	struct err err = {""};
	json_t *member = NULL;
	uint64_t empty = version(registry);
	put(registry, "{\"key\":\"sendai\",\"name\":\"仙台市\",\"kind\":\"municipality\",\"prefixes\":\"8.8.8.0/24\"}");
	uint64_t added = version(registry);
	assert_int_not_equal(empty, added);
	uint32_t id = id_of(registry, "sendai");
	must(registry_member(registry, id, &member, &must_err));
	assert_string_equal(json_string_value(json_object_get(member, "name")), "仙台市");
	assert_int_equal(number(member, "id"), id);
	assert_string_equal(json_string_value(json_object_get(member, "changed")), "2026-01-01T00:00:00Z");
	json_decref(member);
	put(registry, "{\"key\":\"sendai\",\"name\":\"仙台市\"}"); /* the same */
	assert_int_equal(version(registry), added);
	put(registry, "{\"key\":\"sendai\",\"prefixes\":\"8.8.8.0/24 8.8.4.0/24\"}");
	assert_int_not_equal(version(registry), added);
	put(registry, "[{\"line\":1,\"remove\":true,\"member\":{\"key\":\"sendai\"}}]");
	assert_int_equal(registry_member(registry, id, &member, &err), -ENOENT);
	assert_contains(err.text, "no member");
	refused(registry, "[{\"line\":1,\"remove\":true,\"member\":{\"key\":\"sendai\"}}]", "there is no member");
	put(registry, "{\"key\":\"sendai\",\"name\":\"again\"}");
	assert_int_not_equal(id_of(registry, "sendai"), id);
	json_t *history = NULL;
	must(registry_member_history(registry, 0, 0, 100, &history, &must_err));
	assert_int_equal(json_array_size(history), 4);
	json_t *second = json_array_get(history, 2);
	assert_string_equal(json_string_value(json_object_get(second, "action")), "change");
	assert_string_equal(json_string_value(json_object_get(second, "who")), "hanako");
	assert_int_equal(json_array_size(json_object_get(json_object_get(second, "before"), "prefixes")), 1);
	assert_int_equal(json_array_size(json_object_get(json_object_get(second, "after"), "prefixes")), 2);
	assert_true(json_is_null(json_object_get(json_array_get(history, 1), "after")));
	json_decref(history);
	must(registry_member_history(registry, id, 3, 1, &history, &must_err));
	assert_int_equal(json_array_size(history), 1);
	assert_int_equal(number(json_array_get(history, 0), "number"), 2);
	json_decref(history);
	registry_close(registry);
	remove_tree(dir);
}

static void all_or_nothing(void **state)
{
	(void)state;
	static const char entries[] =
		"[{\"line\":2,\"member\":{\"key\":\"a\",\"name\":\"A\"}},{\"line\":3,\"member\":{\"key\":\"b\","
		"\"name\":\"B\",\"prefixes\":\"0.0.0.0/0\"}},{\"line\":4,\"member\":{\"key\":\"c\",\"name\":"
		"\"C\",\"parent\":\"b\"}},{\"line\":5,\"member\":{\"key\":\"a\",\"name\":\"A2\"}}]";
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	uint64_t before = version(registry);
	int code;
	json_t *report = changed(registry, entries, &plain, &code);
	assert_int_equal(code, 1);
	assert_int_equal(number(report, "bad"), 3); /* the prefix, its child, the second a */
	assert_int_equal(number(report, "added"), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(json_object_get(report, "faults"), 0), "line")), 3);
	assert_int_equal(version(registry), before);
	json_decref(report);
	struct members_change how = plain;
	how.skip_bad = how.dry_run = true;
	report = changed(registry, entries, &how, &code);
	assert_int_equal(code, 0);
	assert_false(json_is_true(json_object_get(report, "applied")));
	assert_int_equal(version(registry), before);
	json_decref(report);
	how.dry_run = false;
	report = changed(registry, entries, &how, &code);
	assert_int_equal(code, 0);
	assert_true(json_is_true(json_object_get(report, "applied")));
	assert_int_equal(number(report, "added"), 1);
	json_decref(report);
	json_t *answer = NULL;
	const struct members_question all = {.valid = -1, .limit = 10};
	must(registry_members(registry, &all, &answer, &must_err));
	assert_int_equal(number(answer, "total"), 1);
	json_decref(answer);
	registry_close(registry);
	remove_tree(dir);
}

static void differences_are_shown(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	put(registry, "{\"key\":\"a\",\"name\":\"A\",\"prefixes\":\"8.8.8.0/24 8.8.4.0/24\"}");
	struct members_change how = plain;
	int code;
	how.dry_run = true;
	json_t *report =
		changed(registry, "{\"key\":\"a\",\"name\":\"B\",\"prefixes\":\"8.8.8.0/24 9.9.9.0/24\"}", &how, &code);
	char *text = json_dumps(json_object_get(json_array_get(json_object_get(report, "changes"), 0), "fields"),
				JSON_COMPACT);
	assert_string_equal(text,
			    "[{\"field\":\"name\",\"before\":\"A\",\"after\":\"B\"},{\"field\":\"prefixes\",\"added\":"
			    "[\"9.9.9.0/24\"],\"removed\":[\"8.8.4.0/24\"]}]");
	free(text);
	json_decref(report);
	how.dry_run = false;
	how.whole = true; /* what is absent is emptied */
	report = changed(registry, "{\"key\":\"a\",\"name\":\"B\"}", &how, &code);
	assert_int_equal(number(report, "changed"), 1);
	json_decref(report);
	how.remove_absent = true; /* whom nothing names goes */
	report = changed(registry, "{\"key\":\"b\",\"name\":\"B\"}", &how, &code);
	assert_int_equal(number(report, "added"), 1);
	assert_int_equal(number(report, "removed"), 1);
	json_decref(report);
	registry_close(registry);
	remove_tree(dir);
}

static void lines_end_somewhere(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	refused(registry, "{\"key\":\"a\",\"name\":\"A\",\"parent\":\"nobody\"}", "there is no member 'nobody'");
	refused(registry, "{\"key\":\"a\",\"name\":\"A\",\"reports_to\":\"a\"}", "the member itself");
	/* In any order within one set. */
	put(registry,
	    "[{\"member\":{\"key\":\"a\",\"name\":\"A\",\"parent\":\"b\"}},{\"member\":{\"key\":\"b\",\"name\":\"B\","
	    "\"parent\":\"c\"}},{\"member\":{\"key\":\"c\",\"name\":\"C\"}}]");
	refused(registry, "{\"key\":\"c\",\"parent\":\"a\"}", "circle");
	refused(registry, "[{\"remove\":true,\"member\":{\"key\":\"b\"}}]", "'a' still names it");
	put(registry, "[{\"remove\":true,\"member\":{\"key\":\"b\"}},{\"member\":{\"key\":\"a\",\"parent\":null}}]");
	refused(registry, "{\"key\":\"a\",\"valid_from\":\"2026-02-01\",\"valid_until\":\"2026-01-01\"}",
		"not after valid_from");
	registry_close(registry);
	remove_tree(dir);
}

static void who_looked_at_an_old_one_is_told(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room), text[128];
	struct registry *registry = made(dir);
	json_t *member = NULL;
	put(registry, "{\"key\":\"a\",\"name\":\"A\"}");
	must(registry_member(registry, id_of(registry, "a"), &member, &must_err));
	snprintf(text, sizeof text, "{\"key\":\"a\",\"name\":\"B\",\"change\":%lld}",
		 (long long)number(member, "change"));
	put(registry, text);
	refused(registry, text, "changed meanwhile");
	json_decref(member);
	registry_close(registry);
	remove_tree(dir);
}

static void prefixes_are_those_valid_now(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	struct member_prefix *prefixes = NULL;
	size_t count = 0;
	uint64_t before = 0, after = 0;
	put(registry,
	    "[{\"member\":{\"key\":\"a\",\"name\":\"A\",\"prefixes\":\"2400:4000::/32 8.8.0.0/16 8.8.8.0/24\"}},"
	    "{\"member\":{\"key\":\"b\",\"name\":\"B\",\"prefixes\":\"8.8.8.0/24 8.8.8.8/32\",\"valid_from\":"
	    "\"2026-01-02\",\"valid_until\":\"2026-01-03\"}}]");
	uint32_t a = id_of(registry, "a"), b = id_of(registry, "b");
	must(registry_member_prefixes(registry, T0, &prefixes, &count, &before, &must_err));
	assert_int_equal(count, 3);
	free(prefixes);
	must(registry_member_prefixes(registry, T0 + NS_PER_DAY, &prefixes, &count, &after, &must_err));
	assert_int_not_equal(before, after);
	assert_int_equal(count, 5);
	static const char *const wanted[] = {"8.8.0.0/16", "8.8.8.0/24", "8.8.8.0/24", "8.8.8.8/32", "2400:4000::/32"};
	const uint32_t members[] = {a, a, b, b, a};
	/* In the order of addresses: IPv4 is mapped, and 2400:: is above. */
	for (size_t i = 0; i < 5; i++) {
		char text[PREFIX_TEXT_BYTES];
		assert_string_equal(prefix_format(&prefixes[i].prefix, text), wanted[i]);
		assert_int_equal(prefixes[i].member, members[i]);
	}
	free(prefixes);
	must(registry_member_prefixes(registry, T0 + 2 * NS_PER_DAY, &prefixes, &count, &before, &must_err));
	assert_int_equal(count, 3);
	assert_int_not_equal(before, after);
	free(prefixes);
	registry_close(registry);
	remove_tree(dir);
}

static void the_most_specific_wins_and_ties_are_shown(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	int code;
	json_t *report = changed(
		registry,
		"[{\"member\":{\"key\":\"isp\",\"name\":\"ISP\",\"prefixes\":\"8.0.0.0/8\"}},{\"member\":{\"key\":"
		"\"a\",\"name\":\"A\",\"prefixes\":\"8.8.8.0/24 2400:4000::/32\"}},{\"member\":{\"key\":\"b\","
		"\"name\":\"B\",\"prefixes\":\"8.8.8.0/24\"}}]",
		&plain, &code);
	assert_int_equal(number(report, "tie_count"), 1);
	json_decref(report);
	static const struct {
		const char *address, *members, *wider;
	} cases[] = {
		{"8.8.8.8", "a b", "isp"},
		{"8.9.0.1", "isp", ""},
		{"9.0.0.1", "", ""},
		{"2400:4000::1", "a", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct addr addr;
		json_t *answer = NULL, *item;
		must(addr_parse(cases[i].address, &addr, &must_err));
		must(registry_member_whose(registry, &addr, T0, &answer, &must_err));
		for (int wider = 0; wider < 2; wider++) {
			char keys[64] = "";
			size_t at;
			json_array_foreach(json_object_get(answer, wider ? "wider" : "members"), at, item)
			{
				strcat(keys, at ? " " : "");
				strcat(keys, json_string_value(json_object_get(item, "key")));
			}
			assert_string_equal(keys, wider ? cases[i].wider : cases[i].members);
		}
		json_decref(answer);
	}
	registry_close(registry);
	remove_tree(dir);
}

static void members_are_found(void **state)
{
	(void)state;
	char room[64], *dir = make_quick_dir(room);
	struct registry *registry = made(dir);
	put(registry,
	    "[{\"member\":{\"key\":\"sendai\",\"name\":\"仙台市\",\"name_en\":\"Sendai "
	    "City\",\"kind\":\"municipality\","
	    "\"prefixes\":\"8.8.8.0/24\",\"asns\":\"2497\",\"domains\":\"city.example.jp\",\"parent\":\"miyagi\"}},"
	    "{\"member\":{\"key\":\"miyagi\",\"name\":\"宮城県\",\"kind\":\"region\",\"valid_until\":\"2025-01-01\"}}"
	    "]");
	static const struct {
		struct members_question question;
		int total;
	} cases[] = {
		{{.valid = -1}, 2},
		{{.valid = -1, .text = "SENDAI c"}, 1},
		{{.valid = -1, .text = "仙台"}, 1},
		{{.valid = -1, .text = "AS2497"}, 1},
		{{.valid = -1, .text = "city.example"}, 1},
		{{.valid = -1, .text = "8.8.8.8"}, 1},
		{{.valid = -1, .text = "8.8.0.0/16"}, 1},
		{{.valid = -1, .text = "8.8.9.0/24"}, 0},
		{{.valid = -1, .text = "' OR 1=1 --"}, 0},
		{{.valid = -1, .kind = "region"}, 1},
		{{.valid = -1, .parent = "miyagi"}, 1},
		{{.valid = 1, .now_ns = T0}, 1},
		{{.valid = 0, .now_ns = T0}, 1},
		{{.valid = -1, .only = 1}, 1},
		{{.valid = -1, .only = 99}, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *answer = NULL;
		struct members_question question = cases[i].question;
		question.limit = 1;
		must(registry_members(registry, &question, &answer, &must_err));
		if (number(answer, "total") != cases[i].total)
			fail_msg("case %zu: %lld", i, (long long)number(answer, "total"));
		assert_int_equal(json_array_size(json_object_get(answer, "members")), cases[i].total > 0);
		json_decref(answer);
	}
	registry_close(registry);
	remove_tree(dir);
}

static void people_are_bound_to_their_member(void **state)
{
	(void)state;
	static const char password[] = "correct horse battery";
	char room[64], *dir = make_quick_dir(room), token[REGISTRY_TOKEN_BYTES];
	struct registry *registry = made(dir);
	struct registry_user user;
	struct err err = {""};
	enum role viewer = ROLE_VIEWER, member = ROLE_MEMBER;
	int64_t id = 0;
	unsigned wait;
	put(registry, "{\"key\":\"a\",\"name\":\"A\"}");
	uint32_t a = id_of(registry, "a");
	assert_int_equal(registry_user_add(registry, "aya", password, ROLE_MEMBER, 0, &err), -EINVAL);
	assert_int_equal(registry_user_add(registry, "aya", password, ROLE_MEMBER, 99, &err), -ENOENT);
	assert_int_equal(registry_user_add(registry, "aya", password, ROLE_VIEWER, a, &err), -EINVAL);
	must(registry_user_add(registry, "aya", password, ROLE_MEMBER, a, &must_err));
	must(registry_login(registry, "aya", password, "192.0.2.1", T0, &user, &wait, &must_err));
	assert_int_equal(user.member, a);
	must(registry_session_new(registry, "aya", T0, NS_PER_HOUR, token, &must_err));
	must(registry_session_find(registry, token, T0, &user, &must_err));
	assert_int_equal(user.role, ROLE_MEMBER);
	assert_int_equal(user.member, a);
	refused(registry, "[{\"remove\":true,\"member\":{\"key\":\"a\"}}]", "'aya' is bound to it");
	must(registry_user_change(registry, "aya", NULL, &viewer, 0, &must_err));
	must(registry_session_find(registry, token, T0, &user, &must_err));
	assert_int_equal(user.role, ROLE_VIEWER);
	assert_int_equal(user.member, 0);
	assert_int_equal(registry_user_change(registry, "aya", NULL, &member, 0, &err), -EINVAL);
	must(registry_token_new(registry, "machine", ROLE_MEMBER, a, T0, &id, token, &must_err));
	must(registry_token_find(registry, token, T0, &user, &must_err));
	assert_int_equal(user.member, a);
	refused(registry, "[{\"remove\":true,\"member\":{\"key\":\"a\"}}]", "'machine' is bound to it");
	must(registry_token_delete(registry, id, &must_err));
	put(registry, "[{\"remove\":true,\"member\":{\"key\":\"a\"}}]");
	registry_close(registry);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_and_go),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(differences_are_shown),
		cmocka_unit_test(lines_end_somewhere),
		cmocka_unit_test(who_looked_at_an_old_one_is_told),
		cmocka_unit_test(prefixes_are_those_valid_now),
		cmocka_unit_test(the_most_specific_wins_and_ties_are_shown),
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(people_are_bound_to_their_member),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
