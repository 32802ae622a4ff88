/* Users, sessions, tokens, links, settings and sensors; who may sign in and who may not. */
#include "store/registry.h"

#include "rows.h"

#include <errno.h>
#include <sqlite3.h>

static const char good[] = "correct horse battery";

static struct registry *made(char *dir)
{
	struct registry *registry = NULL;
	must(registry_open(dir, &registry, &must_err));
	return registry;
}

static void users_come_and_go(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct err err = {""};
	enum role viewer = ROLE_VIEWER;
	assert_int_equal(registry_user_count(registry), 0);
	must(registry_user_add(registry, "admin", good, ROLE_ADMIN, 0, &must_err));
	must(registry_user_add(registry, "hanako", NULL, ROLE_ANALYST, 0, &must_err));
	assert_int_equal(registry_user_add(registry, "admin", good, ROLE_ADMIN, 0, &err), -EEXIST);
	assert_int_equal(registry_user_add(registry, "Bad Name", good, ROLE_ADMIN, 0, &err), -EINVAL);
	assert_int_equal(registry_user_add(registry, "x", "short", ROLE_ADMIN, 0, &err), -EINVAL);
	assert_int_equal(registry_user_add(registry, "x", good, ROLE_SENSOR, 0, &err), -EINVAL);
	assert_int_equal(registry_user_delete(registry, "admin", &err), -EPERM);
	assert_contains(err.text, "only administrator");
	assert_int_equal(registry_user_change(registry, "admin", NULL, &viewer, 0, &err), -EPERM);
	assert_int_equal(registry_user_change(registry, "nobody", NULL, &viewer, 0, &err), -ENOENT);
	must(registry_user_change(registry, "hanako", good, &viewer, 0, &must_err));
	json_t *users = NULL;
	must(registry_users(registry, &users, &must_err));
	assert_int_equal(json_array_size(users), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(users, 1), "role")), "viewer");
	assert_null(json_object_get(json_array_get(users, 1), "password"));
	json_decref(users);
	must(registry_user_delete(registry, "hanako", &must_err));
	assert_int_equal(registry_user_delete(registry, "hanako", &err), -ENOENT);
	registry_close(registry);
	remove_tree(dir);
}

static void a_password_signs_in_and_failures_wait(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	struct registry_user user;
	unsigned wait = 0;
	struct err err = {""};
	must(registry_user_add(registry, "admin", good, ROLE_ADMIN, 0, &must_err));
	must(registry_user_add(registry, "other", good, ROLE_VIEWER, 0, &must_err));
	must(registry_login(registry, "admin", good, "192.0.2.1", T0, &user, &wait, &must_err));
	assert_string_equal(user.name, "admin");
	assert_int_equal(user.role, ROLE_ADMIN);
	assert_false(user.must_set_password);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(
			registry_login(registry, "admin", "wrong", "192.0.2.2", T0 + i * NS_PER_S, &user, &wait, &err),
			1);
	int64_t now = T0 + 5 * NS_PER_S;
	assert_int_equal(registry_login(registry, "admin", good, "192.0.2.2", now, &user, &wait, &err), 2);
	assert_int_equal(wait, 1);
	must(registry_login(registry, "other", good, "192.0.2.2", now, &user, &wait, &must_err));
	must(registry_login(registry, "admin", good, "192.0.2.2", now + NS_PER_S, &user, &wait, &must_err));
	assert_int_equal(registry_login(registry, "nobody", good, "192.0.2.3", now, &user, &wait, &err), 1);
	json_t *logins = NULL;
	must(registry_logins(registry, 100, &logins, &must_err));
	assert_int_equal(json_array_size(logins), 10);
	json_decref(logins);
	registry_close(registry);
	remove_tree(dir);
}

static void sessions_expire_and_move(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), token[REGISTRY_TOKEN_BYTES], second[REGISTRY_TOKEN_BYTES];
	struct registry *registry = made(dir);
	struct registry_user user;
	must(registry_user_add(registry, "admin", good, ROLE_ADMIN, 0, &must_err));
	assert_int_equal(registry_session_new(registry, "nobody", T0, NS_PER_HOUR, token, NULL), -ENOENT);
	must(registry_session_new(registry, "admin", T0, NS_PER_HOUR, token, &must_err));
	must(registry_session_new(registry, "admin", T0, NS_PER_HOUR, second, &must_err));
	assert_int_equal(strlen(token), 43);
	assert_string_not_equal(token, second);
	must(registry_session_find(registry, token, T0 + NS_PER_HOUR / 2, &user, &must_err));
	must(registry_session_find(registry, token, T0 + NS_PER_HOUR + 1, &user, &must_err)); /* it moved */
	assert_int_equal(registry_session_find(registry, second, T0 + NS_PER_HOUR + 1, &user, NULL), 1);
	assert_int_equal(registry_session_find(registry, "", T0, &user, NULL), 1);
	must(registry_session_delete(registry, token, &must_err));
	assert_int_equal(registry_session_find(registry, token, T0, &user, NULL), 1);
	must(registry_session_new(registry, "admin", T0, NS_PER_HOUR, token, &must_err));
	must(registry_user_change(registry, "admin", "another password", NULL, 0, &must_err));
	assert_int_equal(registry_session_find(registry, token, T0, &user, NULL), 1);
	registry_close(registry);
	remove_tree(dir);
}

static void tokens_are_kept_as_hashes(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), token[REGISTRY_TOKEN_BYTES], path[128];
	struct registry *registry = made(dir);
	struct registry_user user;
	int64_t id = 0;
	must(registry_token_new(registry, "sensor-1", ROLE_SENSOR, 0, T0, &id, token, &must_err));
	must(registry_token_find(registry, token, T0, &user, &must_err));
	assert_int_equal(user.role, ROLE_SENSOR);
	assert_true(user.is_token);
	token[0] ^= 1;
	assert_int_equal(registry_token_find(registry, token, T0, &user, NULL), 1);
	token[0] ^= 1;
	json_t *tokens = NULL;
	must(registry_tokens(registry, &tokens, &must_err));
	char *text = json_dumps(tokens, 0);
	assert_null(strstr(text, token));
	assert_contains(text, "\"last_used\": \"2026-01-01T00:00:00Z\"");
	free(text);
	json_decref(tokens);
	must(registry_token_delete(registry, id, &must_err));
	assert_int_equal(registry_token_delete(registry, id, NULL), -ENOENT);
	assert_int_equal(registry_token_find(registry, token, T0, &user, NULL), 1);
	registry_close(registry);
	snprintf(path, sizeof path, "%s/registry.sqlite", dir);
	char *bytes = calloc(1, 1 << 20);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	assert_null(memmem(bytes, size, token, strlen(token)));
	free(bytes);
	remove_tree(dir);
}

static void a_link_works_once(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), token[REGISTRY_TOKEN_BYTES];
	struct registry *registry = made(dir);
	struct registry_user user;
	must(registry_link_new(registry, "admin", T0, NS_PER_HOUR, token, &must_err));
	assert_int_equal(registry_user_count(registry), 1);
	must(registry_link_redeem(registry, token, "192.0.2.1", T0 + 1, &user, &must_err));
	assert_string_equal(user.name, "admin");
	assert_true(user.must_set_password);
	assert_int_equal(registry_link_redeem(registry, token, "192.0.2.1", T0 + 1, &user, NULL), 1);
	must(registry_link_new(registry, "admin", T0, NS_PER_HOUR, token, &must_err));
	assert_int_equal(registry_link_redeem(registry, token, "192.0.2.1", T0 + NS_PER_HOUR, &user, NULL), 1);
	registry_close(registry);
	remove_tree(dir);
}

static json_t *listed(struct registry *registry, const char *name)
{
	json_t *users = NULL, *user, *found = NULL;
	size_t i;
	must(registry_users(registry, &users, &must_err));
	json_array_foreach(users, i, user) if (strcmp(json_string_value(json_object_get(user, "name")), name) == 0)
		found = json_incref(user);
	json_decref(users);
	assert_non_null(found);
	return found;
}

static void who_is_invited_comes_in_once_and_a_new_link_ends_the_old(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), first[REGISTRY_TOKEN_BYTES], token[REGISTRY_TOKEN_BYTES] = "untouched";
	struct registry *registry = made(dir);
	struct registry_user user;
	struct err err = {""};
	int64_t now = clock_now_ns();
	assert_int_equal(registry_invite(registry, "aya", now, NS_PER_HOUR, token, &err), -ENOENT);
	assert_contains(err.text, "no user aya");
	assert_string_equal(token, "untouched");
	assert_int_equal(registry_user_count(registry), 0);
	must(registry_user_add(registry, "aya", NULL, ROLE_VIEWER, 0, &must_err));
	must(registry_invite(registry, "aya", now, NS_PER_HOUR, first, &must_err));
	must(registry_invite(registry, "aya", now, NS_PER_HOUR, token, &must_err));
	json_t *seen = listed(registry, "aya");
	assert_true(json_is_false(json_object_get(seen, "has_password")));
	assert_true(json_is_string(json_object_get(seen, "link_until")));
	json_decref(seen);
	assert_int_equal(registry_link_redeem(registry, first, "192.0.2.1", now + 1, &user, NULL), 1);
	must(registry_link_redeem(registry, token, "192.0.2.1", now + 1, &user, &must_err));
	assert_int_equal(user.role, ROLE_VIEWER);
	must(registry_user_change(registry, "aya", good, NULL, 0, &must_err));
	seen = listed(registry, "aya");
	assert_true(json_is_true(json_object_get(seen, "has_password")));
	assert_true(json_is_null(json_object_get(seen, "link_until")));
	assert_true(json_is_string(json_object_get(seen, "last_login")));
	json_decref(seen);
	registry_close(registry);
	remove_tree(dir);
}

static void what_is_over_is_forgotten(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), token[REGISTRY_TOKEN_BYTES];
	struct registry *registry = made(dir);
	struct registry_user user;
	must(registry_link_new(registry, "admin", T0, NS_PER_HOUR, token, &must_err));
	must(registry_user_add(registry, "aya", good, ROLE_VIEWER, 0, &must_err));
	must(registry_session_new(registry, "aya", T0, NS_PER_HOUR, token, &must_err));
	must(registry_session_new(registry, "aya", T0, NS_PER_DAY, token, &must_err));
	must(registry_clean(registry, T0 + NS_PER_HOUR - 1, &must_err));
	assert_int_equal(registry_clean(registry, T0 + NS_PER_HOUR, NULL), 2);
	must(registry_clean(registry, T0 + NS_PER_HOUR, &must_err));
	must(registry_session_find(registry, token, T0 + NS_PER_HOUR, &user, &must_err));
	assert_int_equal(registry_user_count(registry), 2); /* who had them stays */
	registry_close(registry);
	remove_tree(dir);
}

static void settings_and_sensors_stay(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct registry *registry = made(dir);
	json_t *value = NULL;
	uint16_t one = 0, two = 0, again = 0;
	assert_int_equal(registry_setting(registry, "darknet", &value, NULL), 1);
	json_t *list = json_pack("[s,i]", "198.18.0.0/15", 7);
	must(registry_setting_put(registry, "darknet", list, &must_err));
	must(registry_sensor(registry, "tokyo", &one, &must_err));
	must(registry_sensor(registry, "osaka", &two, &must_err));
	registry_close(registry);
	registry = made(dir);
	must(registry_setting(registry, "darknet", &value, &must_err));
	assert_true(json_equal(list, value));
	json_decref(value);
	json_decref(list);
	must(registry_sensor(registry, "osaka", &again, &must_err));
	assert_int_equal(one, 1);
	assert_int_equal(two, 2);
	assert_int_equal(again, 2);
	json_t *sensors = NULL;
	must(registry_sensors(registry, &sensors, &must_err));
	assert_int_equal(json_array_size(sensors), 2);
	json_decref(sensors);
	registry_close(registry);
	registry_close(NULL);
	remove_tree(dir);
}

static void a_later_version_is_refused(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room), path[128];
	struct err err = {""};
	registry_close(made(dir));
	snprintf(path, sizeof path, "%s/registry.sqlite", dir);
	sqlite3 *database = NULL;
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
	struct registry *registry = NULL;
	assert_int_equal(registry_open(dir, &registry, &err), -ENOTSUP);
	assert_contains(err.text, "version 99");
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_come_and_go),
		cmocka_unit_test(a_password_signs_in_and_failures_wait),
		cmocka_unit_test(sessions_expire_and_move),
		cmocka_unit_test(tokens_are_kept_as_hashes),
		cmocka_unit_test(a_link_works_once),
		cmocka_unit_test(settings_and_sensors_stay),
		cmocka_unit_test(who_is_invited_comes_in_once_and_a_new_link_ends_the_old),
		cmocka_unit_test(what_is_over_is_forgotten),
		cmocka_unit_test(a_later_version_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
