/* Warning lists: what is on them and what is not, of every type; those of the program and, where they are, MISP's all.
 */
#include "share/warning.h"

#include "store/rows.h"

static struct warning_lists *lists;
static char room[64];

static void write_list(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s.json", room, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	(void)state;
	make_dir(room);
	write_list("hosts", "{\"name\":\"H\",\"type\":\"hostname\",\"matching_attributes\":[\"domain\",\"url\"],"
			    "\"list\":[\".Google.com\",\"example.jp\"]}");
	write_list("strings", "{\"name\":\"S\",\"type\":\"string\",\"matching_attributes\":[\"domain\",\"md5\"],"
			      "\"list\":[\"only.example\",\"d41d8cd98f00b204e9800998ecf8427e\"]}");
	write_list("nets", "{\"name\":\"N\",\"type\":\"cidr\",\"matching_attributes\":[\"ip-src\"],\"list\":[\"198.51."
			   "100.0/24\",\"2001:db8::/32\",\"8.8.8.8\",\"nonsense\"]}");
	write_list("mails", "{\"name\":\"M\",\"type\":\"substring\",\"matching_attributes\":[\"email-src\"],\"list\":["
			    "\"mail.example\"]}");
	write_list("regex", "{\"name\":\"R\",\"type\":\"regex\",\"matching_attributes\":[\"url\"],\"list\":[\"/a/\"]}");
	write_list("broken", "{\"name\":");
	const char *const folders[] = {room, "/nowhere", NULL};
	unsigned refused;
	struct err err = {""};
	if (warning_lists_load(folders, 3, &lists, &refused, &err) != 0)
		return -1;
	assert_int_equal(refused, 2);
	assert_contains(err.text, "regex.json: lists of regular expressions");
	assert_int_equal(warning_lists_count(lists), 4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	warning_lists_free(lists);
	remove_tree(room);
	return 0;
}

static const char *find(const struct warning_lists *in, enum indicator_kind kind, const char *text)
{
	const struct indicator_value value = {kind, text, strlen(text), true};
	return warning_lists_find(in, &value);
}

static void values_are_found_by_their_kind(void **state)
{
	(void)state;
	static const struct {
		enum indicator_kind kind;
		const char *value, *list; /* NULL: on none */
	} values[] = {
		{KIND_DOMAIN, "google.com", "H"},
		{KIND_DOMAIN, "www.google.com", "H"},
		{KIND_DOMAIN, "notgoogle.com", NULL},
		{KIND_DOMAIN, "com", NULL},
		{KIND_DOMAIN, "only.example", "S"},
		{KIND_DOMAIN, "www.only.example", NULL},
		{KIND_URL, "https://www.google.com:443/x?y", "H"},
		{KIND_URL, "https://google.com.evil.example/", NULL},
		{KIND_IPV4, "198.51.100.7", "N"},
		{KIND_IPV4, "198.51.101.7", NULL},
		{KIND_IPV4, "198.51.100.128/25", "N"},
		{KIND_IPV4, "8.0.0.0/8", "N"},
		{KIND_IPV4, "9.0.0.0/8", NULL},
		{KIND_IPV6, "2001:db8::1", "N"},
		{KIND_IPV6, "2001:db9::1", NULL},
		{KIND_EMAIL, "a@mail.example", "M"},
		{KIND_EMAIL, "a@x.mail.example", "M"},
		{KIND_MD5, "d41d8cd98f00b204e9800998ecf8427e", "S"},
		{KIND_SHA1, "d41d8cd98f00b204e9800998ecf8427e", NULL},
	};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		const char *found = find(lists, values[i].kind, values[i].value);
		if (!found != !values[i].list || (found && strcmp(found, values[i].list) != 0))
			fail_msg("%s is on %s", values[i].value, found ? found : "none");
	}
	assert_null(find(NULL, KIND_DOMAIN, "google.com"));
}

static void those_of_the_program_are_read(void **state)
{
	(void)state;
	const char *const folders[] = {DATA_DIR "/warninglists"};
	struct warning_lists *own = NULL;
	unsigned refused;
	struct err err = {""};
	assert_int_equal(warning_lists_load(folders, 1, &own, &refused, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(refused, 0);
	assert_non_null(find(own, KIND_IPV4, "10.1.2.3"));
	assert_non_null(find(own, KIND_IPV4, "8.8.8.8"));
	assert_non_null(find(own, KIND_DOMAIN, "soumu.go.jp"));
	assert_null(find(own, KIND_DOMAIN, "evil.example.jp"));
	assert_non_null(find(own, KIND_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	assert_null(find(own, KIND_IPV4, "93.184.216.34"));
	warning_lists_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_found_by_their_kind),
					   cmocka_unit_test(those_of_the_program_are_read)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
