/* The two forms of a query, what is refused and how it is said, and answers that are right. */
#include "rows.h"

#include <errno.h>

static int parse(const char *quoted, struct query **ret_query, struct err *err)
{
	char text[2048];
	snprintf(text, sizeof text, "%s", quoted);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	int code = query_from_json(json, T0, ret_query, err);
	json_decref(json);
	return code;
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"[1]", "JSON object"},
		{"{}", "kind"},
		{"{'kind':'tupel'}", "is tuple meant?"},
		{"{'kind':'spark'}", "there is no kind of record"},
		{"{'kind':'tuple','filter':[]}", "is filters meant?"},
		{"{'kind':'tuple','from':'yesterday'}", "from: "},
		{"{'kind':'tuple','from':'2026-01-02','to':'2026-01-01'}", "is not before"},
		{"{'kind':'tuple','filters':[{'field':'prot','value':1}]}", "is port meant?"},
		{"{'kind':'tuple','filters':[{'field':'port','op':'~','value':1}]}", "filter operation"},
		{"{'kind':'tuple','filters':[{'field':'port','value':65536}]}", "0 to 65535"},
		{"{'kind':'tuple','filters':[{'field':'port','value':-1}]}", "0 to 65535"},
		{"{'kind':'tuple','filters':[{'field':'port','value':null}]}", "text or a number"},
		{"{'kind':'tuple','filters':[{'field':'tool','value':'mirrai'}]}", "is mirai meant?"},
		{"{'kind':'tuple','filters':[{'field':'country','value':'Japan'}]}", "two letters"},
		{"{'kind':'tuple','filters':[{'field':'source','value':'300.1.1.1'}]}", "source"},
		{"{'kind':'tuple','filters':[{'field':'source','op':'prefix','value':'192.0.2.1/24'}]}", "source"},
		{"{'kind':'tuple','filters':[{'field':'port','op':'prefix','value':'192.0.2.0/24'}]}", "for addresses"},
		{"{'kind':'tuple','filters':[{'field':'port','op':'like','value':'2%'}]}", "for texts"},
		{"{'kind':'tuple','filters':[{'field':'port','op':'in','value':[]}]}", "1 to 1000"},
		{"{'kind':'tuple','filters':[{'field':'port','op':'in','value':3}]}", "needs a list"},
		{"{'kind':'tuple','filters':[{'field':'port','op':'=','value':[3]}]}", "for \"in\""},
		{"{'kind':'tuple','keys':['sourec']}", "is source meant?"},
		{"{'kind':'tuple','keys':['port','port']}", "twice"},
		{"{'kind':'tuple','bucket':'3 parsecs'}", "bucket: "},
		{"{'kind':'tuple','aggregates':[{'op':'median','field':'packets'}]}", "no aggregate"},
		{"{'kind':'tuple','aggregates':[{'op':'sum','field':'source'}]}", "not a quantity"},
		{"{'kind':'tuple','aggregates':[{'op':'sum','field':'kind'}]}", "not a quantity"},
		{"{'kind':'tuple','aggregates':[{'op':'sum'}]}", "field"},
		{"{'kind':'tuple','aggregates':[{'op':'count'},{'op':'count'}]}", "twice"},
		{"{'kind':'tuple','keys':['port'],'order':[{'by':'packets'}]}", "column of the result"},
		{"{'kind':'tuple','limit':0}", "1 to 1000000"},
		{"{'kind':'tuple','limit':1000001}", "1 to 1000000"},
		{"{'kind':'tuple','limit':'many'}", "limit"},
		{"{'kind':'block','keys':['data']}", "there is no field"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct query *query = NULL;
		struct err err = {""};
		int code = parse(cases[i][0], &query, &err);
		if (code != -EINVAL || !strstr(err.text, cases[i][1]))
			fail_msg("%s: %d \"%s\", \"%s\" was expected", cases[i][0], code, err.text, cases[i][1]);
		assert_null(query);
	}
}

static void words_and_json_mean_the_same(void **state)
{
	(void)state;
	char *words[] = {"tuple",
			 "--from",
			 "2026-01-01",
			 "--to=2026-01-02",
			 "--where",
			 "port=23",
			 "--where",
			 "source~192.0.2.0/24",
			 "--where",
			 "tool=mirai,zmap",
			 "--where",
			 "packets>=2",
			 "--where",
			 "country!=JP",
			 "--where",
			 "network=AS2907",
			 "--by",
			 "country,protocol",
			 "--bucket",
			 "10m",
			 "--count",
			 "--sum",
			 "packets",
			 "--distinct",
			 "source",
			 "--approx-distinct",
			 "source",
			 "--order",
			 "-sum_packets",
			 "--limit",
			 "20"};
	struct query *query = NULL, *again = NULL;
	must(query_from_arguments((int)(sizeof words / sizeof *words), words, T0, &query, &must_err));
	json_t *json = query_to_json(query);
	must(query_from_json(json, 0, &again, &must_err));
	json_t *second = query_to_json(again);
	assert_true(json_equal(json, second));
	char *command = query_command(query), *command_again = query_command(again);
	assert_string_equal(command, command_again);
	assert_string_equal(
		command,
		"yagura query tuple --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z --where port=23 --where "
		"'source~192.0.2.0/24' --where tool=mirai,zmap --where 'packets>=2' --where 'country!=JP' --where "
		"network=2907 --by country --by protocol --bucket 10m --count --sum packets --distinct source "
		"--approx-distinct source --order -sum_packets --limit 20");
	free(command);
	free(command_again);
	json_decref(json);
	json_decref(second);
	query_free(query);
	query_free(again);
	query_free(NULL);
}

static void words_that_are_wrong_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *words[4], *says;
	} cases[] = {
		{{"--count", NULL}, "begins with the kind"},
		{{"tuple", "port=23", NULL}, "was not expected"},
		{{"tuple", "--wher", "port=23", NULL}, "--where meant"},
		{{"tuple", "--where", NULL}, "needs a value"},
		{{"tuple", "--where", "port", NULL}, "FIELD"},
		{{"tuple", "--where", "=23", NULL}, "FIELD"},
		{{"tuple", "--limit", "ten", NULL}, "a number was expected"},
		{{"tuple", "--sum", "soure", NULL}, "source"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct query *query = NULL;
		struct err err = {""};
		char *words[4];
		int count = 0;
		for (; cases[i].words[count]; count++)
			words[count] = (char *)cases[i].words[count];
		assert_int_equal(query_from_arguments(count, words, T0, &query, &err), -EINVAL);
		assert_contains(err.text, cases[i].says);
	}
}

static void a_command_is_safe_in_a_shell(void **state)
{
	(void)state;
	struct query *query = NULL;
	json_t *json = json_pack("{s:s,s:[{s:s,s:s}]}", "kind", "finding", "filters", "field", "subject", "value",
				 "a'; rm -rf $HOME `x`");
	must(query_from_json(json, T0, &query, &must_err));
	char *command = query_command(query);
	assert_contains(command, "--where 'subject=a'\\''; rm -rf $HOME `x`'");
	free(command);
	json_decref(json);
	query_free(query);
}

static struct store *filled(const char *dir)
{
	struct store_options options = options_for(dir);
	struct store *store = NULL;
	open_store(&options, &store);
	for (int i = 0; i < 3; i++)
		must(put_tuples(store, T0 + i * 30 * NS_PER_MINUTE, 700, 7, 1 + (uint64_t)i, &must_err));
	must(store_flush(store, &must_err));
	return store;
}

#define SPAN "'kind':'tuple','from':'2026-01-01','to':'2026-01-02'"

static void filters_choose(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store *store = filled(dir);
	static const struct {
		const char *filter;
		int64_t count;
	} cases[] = {
		{"{'field':'port','value':23}", 300},
		{"{'field':'port','op':'!=','value':'23'}", 1800},
		{"{'field':'port','op':'in','value':[23,2323]}", 600},
		{"{'field':'port','op':'<','value':53}", 600},
		{"{'field':'port','op':'>=','value':37215}", 300},
		{"{'field':'tool','value':'mirai'}", 600},
		{"{'field':'protocol','value':'udp'}", 300},
		{"{'field':'protocol','value':17}", 300},
		{"{'field':'kind','value':'backscatter'}", 210},
		{"{'field':'country','value':'jp'}", 702},
		{"{'field':'country','value':'ZZ'}", 699},
		{"{'field':'network','value':'AS2905'}", 210},
		{"{'field':'source','value':'192.0.2.6'}", 9},
		{"{'field':'source','op':'prefix','value':'192.0.2.0/25'}", 3 * 3 * 128},
		{"{'field':'source','op':'prefix','value':'2001:db8::/32'}", 0},
		{"{'field':'source','op':'<=','value':'192.0.2.0'}", 9},
		{"{'field':'payload','value':'0xfedcba9876543210'}", 300},
		{"{'field':'first','op':'>=','value':'2026-01-01T01:00:59Z'}", 11},
		{"{'field':'packets','op':'>','value':2},{'field':'port','value':23}", 99},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[400];
		snprintf(text, sizeof text, "{%s,'filters':[%s],'aggregates':[{'op':'count'}]}", SPAN, cases[i].filter);
		int64_t count = ask_number(store, text);
		if (count != cases[i].count)
			fail_msg("%s: %lld, not %lld", cases[i].filter, (long long)count, (long long)cases[i].count);
	}
	store_close(store);
	remove_tree(dir);
}

static void assert_rows(struct store *store, const char *query, const char *rows)
{
	json_t *answer = ask_store(store, query);
	char *text = json_dumps(json_object_get(answer, "rows"), JSON_COMPACT);
	assert_string_equal(text, rows);
	free(text);
	json_decref(answer);
}

static void groups_buckets_and_aggregates_are_right(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store *store = filled(dir);
	assert_rows(store,
		    "{" SPAN ",'keys':['protocol'],'aggregates':[{'op':'count'},{'op':'sum','field':'packets'}]}",
		    "[[\"tcp\",1800,3600],[\"udp\",300,597]]");
	assert_rows(store, "{" SPAN ",'bucket':'1h','aggregates':[{'op':'count'},{'op':'distinct','field':'source'}]}",
		    "[[\"2026-01-01T00:00:00Z\",1400,250],[\"2026-01-01T01:00:00Z\",700,250]]");
	assert_rows(
		store,
		"{" SPAN ",'bucket':'month','aggregates':[{'op':'min','field':'source'},"
		"{'op':'max','field':'last'},{'op':'avg','field':'packets'},{'op':'max','field':'port'}]}",
		"[[\"2026-01-01T00:00:00Z\",\"192.0.2.0\",\"2026-01-01T01:00:59.000123Z\",1.9985714285714287,37215]]");
	assert_rows(store,
		    "{" SPAN ",'keys':['port'],'aggregates':[{'op':'count'}],'order':[{'by':'port',"
		    "'descending':true}],'limit':2}",
		    "[[37215,300],[2323,300]]");
	assert_rows(store, "{" SPAN ",'keys':['tool','country']}",
		    "[[\"unknown\",\"ZZ\",501],[\"unknown\",\"JP\",501],[\"unknown\",\"US\",498],"
		    "[\"mirai\",\"ZZ\",198],[\"mirai\",\"JP\",201],[\"mirai\",\"US\",201]]");
	assert_rows(store,
		    "{'kind':'tuple','from':'2020-01-01','to':'2021-01-01','aggregates':[{'op':'sum','field':"
		    "'packets'},{'op':'count'}]}",
		    "[[null,0]]");
	json_t *answer = ask_store(store, "{" SPAN ",'aggregates':[{'op':'approx_distinct','field':'source'}]}");
	assert_true(json_is_false(json_object_get(answer, "exact")));
	json_decref(answer);
	store_close(store);
	remove_tree(dir);
}

static void a_long_query_is_ended(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store_options options = options_for(dir);
	options.query_timeout_ns = NS_PER_MS;
	struct store *store = NULL;
	open_store(&options, &store);
	for (uint64_t i = 1; i <= 10; i++)
		must(put_tuples(store, T0 + (int64_t)i * NS_PER_MINUTE, 65536, 7, i, &must_err));
	must(store_flush(store, &must_err));
	struct query *query = NULL;
	struct err err = {""};
	must(parse("{" SPAN ",'order':[{'by':'payload'},{'by':'first'}],'limit':1000000}", &query, &must_err));
	json_t *answer = NULL;
	assert_int_equal(store_query(store, query, &answer, &err), -ETIME);
	assert_contains(err.text, "query-timeout");
	assert_null(answer);
	query_free(query);
	store_close(store);
	remove_tree(dir);
}

static int no_columns(void *context, const json_t *columns)
{
	(void)context;
	return json_array_size(columns) == 20 ? 0 : -EIO;
}

static int three_rows(void *context, const json_t *row)
{
	assert_int_equal(json_array_size(row), 20);
	return ++*(int *)context == 3 ? 42 : 0;
}

static void rows_can_be_taken_one_by_one(void **state)
{
	(void)state;
	char room[64], *dir = make_dir(room);
	struct store *store = filled(dir);
	struct query *query = NULL;
	int count = 0;
	must(parse("{" SPAN "}", &query, &must_err));
	struct store_rows rows = {no_columns, three_rows, &count};
	assert_int_equal(store_query_rows(store, query, &rows, NULL), 42);
	assert_int_equal(count, 3);
	query_free(query);
	store_close(store);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(words_and_json_mean_the_same),
		cmocka_unit_test(words_that_are_wrong_are_refused),
		cmocka_unit_test(a_command_is_safe_in_a_shell),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test(groups_buckets_and_aggregates_are_right),
		cmocka_unit_test(a_long_query_is_ended),
		cmocka_unit_test(rows_can_be_taken_one_by_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
