/* The normal form of a member: what people write, and what is made of it. */
#include "store/member_form.h"

#include "rows.h"

/* Fields in normal form as text, or the messages of what was refused. */
static char *normal(const char *text)
{
	json_t *given = json_loads(text, 0, NULL), *remarks = json_array(), *fields = NULL, *remark;
	size_t i;
	assert_non_null(given);
	int code = member_normal(given, remarks, &fields);
	char *answer = NULL;
	size_t bytes;
	FILE *out = open_memstream(&answer, &bytes);
	if (code == 0) {
		char *dumped = json_dumps(fields, JSON_COMPACT);
		fputs(dumped, out);
		free(dumped);
	}
	json_array_foreach(remarks, i, remark)
	{
		assert_true(json_string_length(json_object_get(remark, "message_ja")) > 0);
		fprintf(out, "|%s %s: %s", json_is_true(json_object_get(remark, "fault")) ? "fault" : "warning",
			json_string_value(json_object_get(remark, "field")),
			json_string_value(json_object_get(remark, "message")));
	}
	fclose(out);
	json_decref(given);
	json_decref(remarks);
	json_decref(fields);
	return answer;
}

#define becomes(given, wanted)                                                                                         \
	do {                                                                                                           \
		char *becomes_text = normal(given);                                                                    \
		assert_string_equal(becomes_text, wanted);                                                             \
		free(becomes_text);                                                                                    \
	} while (0)
#define refused(given, message)                                                                                        \
	do {                                                                                                           \
		char *refused_text = normal(given);                                                                    \
		if (refused_text[0] != '|' || !strstr(refused_text, "fault") || !strstr(refused_text, message))        \
			fail_msg("%s gave %s", given, refused_text);                                                   \
		free(refused_text);                                                                                    \
	} while (0)

static void what_people_write_becomes_one_form(void **state)
{
	(void)state;
	becomes("{\"name\":\"  仙台市\\u3000\", \"key\":\"City-Sendai\"}",
		"{\"key\":\"city-sendai\",\"name\":\"仙台市\"}");
	becomes("{\"key\":\"ａｂｃ－１\"}", "{\"key\":\"abc-1\"}");
	becomes("{\"prefixes\":\"８．８．８．０／２４　2400:4000::/32\\n8.8.0.0/16、8.8.8.0/24\"}",
		"{\"prefixes\":[\"8.8.0.0/16\",\"8.8.8.0/24\",\"2400:4000::/32\"]}|warning prefixes: '8.8.8.0/24' "
		"stands there "
		"twice");
	becomes("{\"asns\":\"AS２４９７; as2500 2497\"}", "{\"asns\":[2497,2500]}");
	becomes("{\"asns\":[2497,\"AS4713\"]}", "{\"asns\":[2497,4713]}");
	becomes("{\"asns\":2497}", "{\"asns\":[2497]}");
	becomes("{\"domains\":[\"Example.JP.\",\"*.example.jp\",\"日本語。jp\"]}",
		"{\"domains\":[\"example.jp\",\"xn--wgv71a119e.jp\"]}");
	becomes("{\"kind\":\"自治体\",\"clearance\":\"TLP:AMBER+STRICT\"}",
		"{\"kind\":\"municipality\",\"clearance\":\"amber+strict\"}");
	becomes("{\"valid_from\":\"2026/4/1\",\"valid_until\":\"２０２７年４月１日\"}",
		"{\"valid_from\":\"2026-04-01T00:00:00Z\",\"valid_until\":\"2027-04-01T00:00:00Z\"}");
	becomes("{\"valid_from\":\"2026-04-01T09:00:00+09:00\",\"parent\":\"\"}",
		"{\"parent\":null,\"valid_from\":\"2026-04-01T00:00:00Z\"}");
	becomes("{\"contacts\":[{\"mail\":\"SOC@Example.JP\",\"phone\":\"０３ー１２３４ー５６７８\"},{\"mail\":\"SOC@"
		"example.jp\","
		"\"phone\":\"03-1234-5678\",\"role\":\"セキュリティ\",\"language\":\"日本語\"}]}",
		"{\"contacts\":[{\"role\":\"security\",\"language\":\"ja\",\"mail\":\"SOC@example.jp\",\"phone\":\"03-"
		"1234-5678\"}]}");
	becomes("{\"notes\":\"a\\r\\nb\\u0007\",\"endpoints\":[\"PC-1.example.jp:443\"]}",
		"{\"endpoints\":[\"pc-1.example.jp:443\"],\"notes\":\"a\\nb\"}");
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *given, *message;
	} cases[] = {
		{"{\"key\":\"\"}", "it is empty"},
		{"{\"key\":\"4711\"}", "not digits alone"},
		{"{\"key\":\"a b\"}", "is not a key"},
		{"{\"key\":7}", "a text was expected"},
		{"{\"name\":\"\"}", "it is empty"},
		{"{\"colour\":\"red\"}", "no field 'colour'"},
		{"{\"kind\":\"planet\"}",
		 "'planet' is none of other, provider, municipality, ministry, region, sector"},
		{"{\"clearance\":\"purple\"}", "none of clear, green, amber, amber+strict, red"},
		{"{\"prefixes\":\"0.0.0.0/0\"}", "/8 or longer"},
		{"{\"prefixes\":\"::/0\"}", "/16 or longer"},
		{"{\"prefixes\":\"8.8.8.8/24\"}", "did you mean 8.8.8.0/24?"},
		{"{\"prefixes\":\"8.8.8.0/33\"}", "0 to 32"},
		{"{\"prefixes\":\"127.0.0.0/8\"}", "loopback"},
		{"{\"prefixes\":\"224.0.0.0/24\"}", "multicast"},
		{"{\"prefixes\":\"250.0.0.0/8\"}", "reserved"},
		{"{\"prefixes\":\"169.254.3.0/24\"}", "link-local"},
		{"{\"prefixes\":\"0.1.0.0/16\"}", "this network"},
		{"{\"prefixes\":\"ff02::/16\"}", "multicast"},
		{"{\"prefixes\":\"fe80::/64\"}", "link-local"},
		{"{\"prefixes\":\"::1\"}", "outside of what IANA gives out"},
		{"{\"prefixes\":\"64:ff9b::/96\"}", "outside of what IANA gives out"},
		{"{\"prefixes\":\"%s%n/3\"}", "is not a prefix"},
		{"{\"prefixes\":{}}", "a list was expected"},
		{"{\"prefixes\":[1.5]}", "a text was expected"},
		{"{\"asns\":\"64,500\"}", "thousands separator"},
		{"{\"asns\":\"0\"}", "not an AS number"},
		{"{\"asns\":\"4294967295\"}", "not an AS number"},
		{"{\"asns\":\"6.45E+04\"}", "not an AS number"},
		{"{\"domains\":\"-bad.jp\"}", "not a domain"},
		{"{\"domains\":\"8.8.8.8\"}", "not a domain"},
		{"{\"domains\":\"localhost\"}", "not a domain"},
		{"{\"endpoints\":\"a<b\"}", "not a name of an endpoint"},
		{"{\"valid_from\":\"soon\"}", "is not a date"},
		{"{\"valid_from\":\"-15m\"}", "is not a date"},
		{"{\"valid_from\":\"46113\"}", "is not a date"},
		{"{\"valid_from\":\"2026/13/1\"}", "is not a date"},
		{"{\"contacts\":[{}]}", "a contact has"},
		{"{\"contacts\":[{\"mail\":\"a@b\"}]}", "not a mail address"},
		{"{\"contacts\":[{\"mail\":\"a b@c.jp\"}]}", "not a mail address"},
		{"{\"contacts\":[{\"mail\":\"a@b.jp\\r\\nBcc: x@y.jp\"}]}", "not a mail address"},
		{"{\"contacts\":[{\"phone\":\"call me\"}]}", "not a telephone number"},
		{"{\"contacts\":[{\"webhook\":\"ftp://a.jp\"}]}", "https://"},
		{"{\"contacts\":[{\"webhook\":\"https://u:p@a.jp/\"}]}", "without a password"},
		{"{\"contacts\":[{\"fax\":\"1\"}]}", "not part of a contact"},
		{"{\"contacts\":[{\"mail\":\"a@b.jp\",\"language\":\"x\"}]}", "not a language"},
		{"{\"contacts\":\"a@b.jp\"}", "a list was expected"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refused(cases[i].given, cases[i].message);
}

static void what_is_odd_is_warned_of(void **state)
{
	(void)state;
	becomes("{\"prefixes\":\"10.1.0.0/16\"}", "{\"prefixes\":[\"10.1.0.0/16\"]}|warning prefixes: '10.1.0.0/16' is "
						  "private (RFC 1918): not the member's alone");
	becomes("{\"prefixes\":\"fd00::/48\"}", "{\"prefixes\":[\"fd00::/48\"]}|warning prefixes: 'fd00::/48' is "
						"private (RFC 4193): not the member's alone");
	becomes("{\"prefixes\":\"8.0.0.0/8\"}",
		"{\"prefixes\":[\"8.0.0.0/8\"]}|warning prefixes: '8.0.0.0/8' is very wide");
	becomes("{\"asns\":\"64500\"}",
		"{\"asns\":[64500]}|warning asns: '64500' is reserved or private (RFC 5398, RFC 6996)");
	becomes("{\"contacts\":[{\"webhook\":\"http://a.jp/x\"}]}",
		"{\"contacts\":[{\"role\":\"security\",\"language\":\"ja\",\"webhook\":\"http://a.jp/x\"}]}|warning "
		"contacts: "
		"'http://a.jp/x' is not encrypted");
}

static void every_fault_is_told(void **state)
{
	(void)state;
	char *text = normal("{\"key\":\"a\", \"prefixes\":\"8.8.8.8/24 nonsense 8.8.4.0/24\", \"kind\":\"planet\"}");
	assert_contains(text, "8.8.8.8/24");
	assert_contains(text, "nonsense");
	assert_contains(text, "planet");
	free(text);
}

static void the_form_is_its_own(void **state)
{
	(void)state;
	json_t *given = json_pack("{s:s, s:s, s:s, s:[{s:s}]}", "notes", "n", "name", "N", "key", "k", "contacts",
				  "mail", "a@b.jp");
	json_t *fields = NULL, *again = NULL, *remarks = json_array();
	assert_int_equal(member_normal(given, remarks, &fields), 0);
	json_t *whole = member_whole(fields, NULL);
	char *text = json_dumps(whole, JSON_COMPACT);
	assert_string_equal(
		text,
		"{\"key\":\"k\",\"name\":\"N\",\"name_en\":\"\",\"kind\":\"other\",\"prefixes\":[],\"asns\":[],"
		"\"domains\":[],\"endpoints\":[],\"contacts\":[{\"role\":\"security\",\"language\":\"ja\",\"mail\":"
		"\"a@b.jp\"}],\"clearance\":\"clear\",\"parent\":null,\"reports_to\":null,\"valid_from\":null,"
		"\"valid_until\":null,\"notes\":\"n\"}");
	assert_int_equal(member_normal(whole, remarks, &again), 0);
	assert_true(json_equal(whole, again));
	assert_int_equal(json_array_size(remarks), 0);
	free(text);
	json_decref(given);
	json_decref(fields);
	json_decref(again);
	json_decref(whole);
	json_decref(remarks);
}

static void some_see_less(void **state)
{
	(void)state;
	json_t *member = json_pack("{s:s, s:s, s:[], s:s, s:i, s:i}", "key", "k", "notes", "n", "contacts", "parent",
				   "p", "id", 1, "change", 2);
	static const struct {
		enum member_sight sight;
		const char *wanted;
	} cases[] = {
		{MEMBER_SIGHT_ANALYST,
		 "{\"key\":\"k\",\"notes\":\"n\",\"contacts\":[],\"parent\":\"p\",\"id\":1,\"change\":2}"},
		{MEMBER_SIGHT_VIEWER, "{\"key\":\"k\",\"parent\":\"p\",\"id\":1}"},
		{MEMBER_SIGHT_OWN, "{\"key\":\"k\",\"contacts\":[],\"id\":1}"},
	};
	for (size_t i = 0; i < 3; i++) {
		json_t *seen = member_seen(member, cases[i].sight);
		char *text = json_dumps(seen, JSON_COMPACT);
		assert_string_equal(text, cases[i].wanted);
		free(text);
		json_decref(seen);
	}
	json_decref(member);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_write_becomes_one_form),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(what_is_odd_is_warned_of),
		cmocka_unit_test(every_fault_is_told),
		cmocka_unit_test(the_form_is_its_own),
		cmocka_unit_test(some_see_less),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
