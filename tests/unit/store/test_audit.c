/* The audit log: what was written stays, and whoever changes it is found out. */
#include "store/audit.h"

#include "rows.h"

#include <errno.h>
#include <sqlite3.h>

static struct registry *made(char *dir)
{
	struct registry *registry = NULL;
	must(registry_open(dir, &registry, &must_err));
	return registry;
}

static void write_entries(struct registry *registry, int count)
{
	for (int i = 1; i <= count; i++) {
		json_t *detail = json_pack("{s:i, s:s}", "number", i, "name", "青葉市");
		struct audit_entry entry = {.time_ns = T0 + i,
					    .actor = "hanako",
					    .peer = "192.0.2.1",
					    .action = "PUT /members/{id}",
					    .subject = "aoba",
					    .member = i % 2 ? 7 : 0,
					    .detail = detail};
		must(registry_audit(registry, &entry, &must_err));
		json_decref(detail);
	}
}

static struct audit_state verified(struct registry *registry, int expected)
{
	struct audit_state state;
	struct err err = {""};
	assert_int_equal(registry_audit_verify(registry, &state, &err), expected);
	return state;
}

/* As somebody would who has the file and means ill. Returns SQLite's answer. */
static int tamper(const char *dir, const char *sql)
{
	char path[128];
	sqlite3 *database;
	snprintf(path, sizeof path, "%s/registry.sqlite", dir);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
	sqlite3_close(database);
	return code;
}

static void a_chain_is_sound_and_its_head_moves(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct audit_state empty = verified(registry, 0);
	assert_int_equal(empty.entries, 0);
	write_entries(registry, 5);
	struct audit_state five = verified(registry, 0);
	assert_int_equal(five.entries, 5);
	write_entries(registry, 1);
	registry_close(registry);
	registry = made(dir);
	struct audit_state six = verified(registry, 0);
	assert_int_equal(six.entries, 6);
	assert_string_not_equal(five.head, six.head);
	int64_t id = 0;
	must(registry_audit_find(registry, five.head, &id, &must_err));
	assert_int_equal(id, 5);
	must(registry_audit_find(registry, empty.head, &id, &must_err));
	assert_int_equal(id, 0);
	struct err err = {""};
	assert_int_equal(registry_audit_find(registry, "abc", &id, &err), -EINVAL);
	assert_contains(err.text, "64 hexadecimal digits");
	registry_close(registry);
	remove_tree(dir);
}

static void entries_are_listed_newest_first_and_by_member(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	json_t *list = NULL;
	write_entries(registry, 9);
	must(registry_audit_list(registry, &(struct audit_question){.limit = 4}, &list, &must_err));
	assert_int_equal(json_array_size(list), 4);
	json_t *first = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(first, "id")), 9);
	assert_string_equal(json_string_value(json_object_get(json_object_get(first, "detail"), "name")), "青葉市");
	assert_string_equal(json_string_value(json_object_get(first, "hash")), verified(registry, 0).head);
	json_decref(list);
	must(registry_audit_list(registry, &(struct audit_question){.before = 6, .member = 7, .limit = 100}, &list,
				 &must_err));
	assert_int_equal(json_array_size(list), 3); /* 5, 3, 1 */
	json_decref(list);
	registry_close(registry);
	remove_tree(dir);
}

static void expect_numbers(struct registry *registry, struct audit_question question, const char *numbers)
{
	json_t *list = NULL, *entry;
	size_t i;
	char found[64] = "";
	question.limit = 100;
	must(registry_audit_list(registry, &question, &list, &must_err));
	json_array_foreach(list, i, entry)
		snprintf(found + strlen(found), sizeof found - strlen(found), "%" JSON_INTEGER_FORMAT " ",
			 json_integer_value(json_object_get(entry, "id")));
	assert_string_equal(found, numbers);
	json_decref(list);
}

static void entries_are_found_by_who_what_whom_when_and_sort(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	json_t *refused = json_pack("{s:i}", "refused", 409);
	const struct audit_entry entries[] = {
		{.time_ns = T0 + 1, .actor = "hanako", .action = "PUT /users/{name}", .subject = "ken"},
		{.time_ns = T0 + 2,
		 .actor = "token reader",
		 .action = "GET /members/{id}",
		 .subject = "aoba",
		 .member = 7},
		{.time_ns = T0 + 3, .actor = "hanako", .action = "POST /users", .subject = "ken"},
		{.time_ns = T0 + 3, .actor = "hanako", .action = "POST /users", .subject = "ken"},
		{.time_ns = T0 + 3, .actor = "taro", .action = "POST /users", .subject = "ken"},
		{.time_ns = T0 + 3, .actor = "hanako", .action = "POST /users", .subject = "ken", .detail = refused},
		{.time_ns = T0 + 4, .actor = "notifier", .action = "notice.sent", .subject = "Aoba 100%"},
	};
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		struct audit_entry entry = entries[i];
		entry.peer = "";
		must(registry_audit(registry, &entry, &must_err));
	}
	json_decref(refused);
	expect_numbers(registry, (struct audit_question){.actor = NULL}, "7 6 5 4 3 2 1 ");
	expect_numbers(registry, (struct audit_question){.actor = "HANAKO"}, "6 4 3 1 ");
	expect_numbers(registry, (struct audit_question){.action = "*/users*"}, "6 5 4 3 1 ");
	expect_numbers(registry, (struct audit_question){.action = "POST /user"}, "");
	expect_numbers(registry, (struct audit_question){.subject = "aoba*"}, "7 2 ");
	expect_numbers(registry, (struct audit_question){.subject = "*0%"}, "7 ");
	expect_numbers(registry, (struct audit_question){.subject = "aob_"}, "");
	expect_numbers(registry, (struct audit_question){.from_ns = T0 + 2, .to_ns = T0 + 4}, "6 5 4 3 2 ");
	expect_numbers(registry, (struct audit_question){.sort = AUDIT_LOOKS}, "2 ");
	expect_numbers(registry, (struct audit_question){.sort = AUDIT_SYSTEM}, "7 ");
	expect_numbers(registry, (struct audit_question){.actor = "hanako", .subject = "ken", .before = 3}, "1 ");
	/* 3 was done; 4 is the same again and refused by 6, with another's between; 5 was done. */
	expect_numbers(registry, (struct audit_question){.sort = AUDIT_CHANGES}, "5 3 1 ");
	expect_numbers(registry, (struct audit_question){.sort = AUDIT_REFUSED}, "6 4 ");
	registry_close(registry);
	remove_tree(dir);
}

static void write_look(struct registry *registry, const char *action, int64_t member)
{
	struct audit_entry entry = {
		.time_ns = T0, .actor = "hanako", .peer = "", .action = action, .subject = "", .member = member};
	must(registry_audit(registry, &entry, &must_err));
}

static void looks_are_at_one_member_or_at_all(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	json_t *list = NULL;
	write_look(registry, "GET /members/{id}", 7);
	write_look(registry, "GET /members/{id}", 8);
	write_look(registry, AUDIT_EXPORTED, 0);
	write_look(registry, AUDIT_DISCLOSED, 7);
	write_look(registry, "DELETE /users/{name}", 0);
	write_look(registry, "GET /findings", 7);
	static const int64_t sevens[] = {6, 3, 1};
	must(registry_audit_looks(registry, 0, 100, 7, &list, &must_err));
	assert_int_equal(json_array_size(list), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "id")), sevens[i]);
	json_decref(list);
	must(registry_audit_looks(registry, 6, 1, 7, &list, &must_err));
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")), 3);
	json_decref(list);
	must(registry_audit_looks(registry, 0, 100, 0, &list, &must_err));
	assert_int_equal(json_array_size(list), 1); /* nobody's entries are no looks */
	json_decref(list);
	registry_close(registry);
	remove_tree(dir);
}

static void entries_cannot_be_changed_or_removed_in_passing(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	write_entries(registry, 3);
	assert_int_equal(tamper(dir, "UPDATE audit SET actor = 'nobody' WHERE id = 2"), SQLITE_CONSTRAINT);
	assert_int_equal(tamper(dir, "DELETE FROM audit WHERE id = 3"), SQLITE_CONSTRAINT);
	assert_int_equal(verified(registry, 0).entries, 3);
	registry_close(registry);
	remove_tree(dir);
}

static void whoever_changes_the_file_is_found_out(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		int broken, entries; /* broken 0: cut off at the end, which only a noted head shows */
	} deeds[] = {
		{"UPDATE audit SET actor = 'taro' WHERE id = 4", 4, 3},
		{"UPDATE audit SET time = time + 1 WHERE id = 1", 1, 0},
		{"UPDATE audit SET detail = '{}' WHERE id = 6", 6, 5},
		{"UPDATE audit SET member = 8 WHERE id = 5", 5, 4},
		{"UPDATE audit SET hash = zeroblob(32) WHERE id = 2", 2, 1},
		{"UPDATE audit SET hash = x'00' WHERE id = 2", 2, 1},
		{"DELETE FROM audit WHERE id = 3", 3, 2},
		{"DELETE FROM audit WHERE id = 1", 1, 0},
		{"INSERT INTO audit SELECT id + 100, time, actor, peer, action, subject, member, detail, hash FROM "
		 "audit "
		 "WHERE id = 2",
		 7, 6},
		{"DELETE FROM audit WHERE id = 6", 0, 5},
	};
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		char room[64], *dir = make_dir(room);
		struct registry *registry = made(dir);
		write_entries(registry, 6);
		struct audit_state before = verified(registry, 0);
		assert_int_equal(tamper(dir, "DROP TRIGGER audit_stays; DROP TRIGGER audit_remains"), SQLITE_OK);
		assert_int_equal(tamper(dir, deeds[i].sql), SQLITE_OK);
		struct audit_state after = verified(registry, deeds[i].broken != 0);
		assert_int_equal(after.broken, deeds[i].broken);
		assert_int_equal(after.entries, deeds[i].entries);
		if (!deeds[i].broken) {
			int64_t id = 1;
			must(registry_audit_find(registry, before.head, &id, &must_err));
			assert_int_equal(id, 0);
		}
		registry_close(registry);
		remove_tree(dir);
	}
}

static void words_that_are_no_utf8_are_refused(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct err err = {""};
	struct audit_entry entry = {.time_ns = T0, .actor = "a\xff", .peer = "", .action = "x", .subject = ""};
	assert_int_equal(registry_audit(registry, &entry, &err), -EINVAL);
	assert_int_equal(verified(registry, 0).entries, 0);
	write_entries(registry, 1); /* and the next is written */
	assert_int_equal(verified(registry, 0).entries, 1);
	registry_close(registry);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_is_sound_and_its_head_moves),
		cmocka_unit_test(entries_are_listed_newest_first_and_by_member),
		cmocka_unit_test(entries_are_found_by_who_what_whom_when_and_sort),
		cmocka_unit_test(looks_are_at_one_member_or_at_all),
		cmocka_unit_test(entries_cannot_be_changed_or_removed_in_passing),
		cmocka_unit_test(whoever_changes_the_file_is_found_out),
		cmocka_unit_test(words_that_are_no_utf8_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
