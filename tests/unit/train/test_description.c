/* Descriptions: what is read, and that each kind of mistake is refused with file, line and the reason. */
#include "train/description.h"

#include "../check.h"

#include <errno.h>
#include <stdio.h>

#define HEAD "name: t\ndarknet: [198.18.0.0/15]\n"
#define CLASS                                                                                                          \
	"populations:\n  - {name: a, sender: mirai, prefixes: [192.0.2.0/24], devices: 3, rate: 2, ports: [tcp/23]"

static struct pool *pool;

static int set_up(void **state)
{
	(void)state;
	pool = pool_new(NULL, "test");
	return pool ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

static int parse(const char *text, struct description *description, struct err *err)
{
	return description_parse("x.yaml", text, strlen(text), pool, description, err);
}

static void refused(const char *text, int line, const char *part)
{
	struct description description;
	struct err err = {""};
	char where[32];
	snprintf(where, sizeof where, "x.yaml:%d: ", line);
	if (parse(text, &description, &err) != -EINVAL)
		fail_msg("taken although %s: %s", part, text);
	assert_contains(err.text, part);
	if (strncmp(err.text, where, strlen(where)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, where);
}

static void reads_every_field(void **state)
{
	(void)state;
	struct description description;
	struct err err = {""};
	int result =
		parse(HEAD "packets-per-second: 500\nmixes: {m: {JP: 3, NO: 1}}\n"
			   "populations:\n"
			   "  - name: a\n    sender: mirai\n    maker: \"maker\"\n    countries: m\n"
			   "    devices: 1e3\n    rate: 2.5\n    ports: {tcp/23: 3, tcp/1-10: 1}\n"
			   "    duty: {low: 0.25, peak: 21}\n    start: 90s\n"
			   "attacks:\n"
			   "  - {name: v, countries: {US: 1}, rate: 3, ports: [udp/53], start: 10%, duration: 50%,\n"
			   "     answers: {dns: 1, filtered: 2}}\n",
		      &description, &err);
	if (result < 0)
		fail_msg("%s", err.text);
	assert_int_equal(description.class_count, 2);
	assert_true(description.packets_per_second == 500);
	const struct traffic_class *a = &description.classes[0], *v = &description.classes[1];
	assert_string_equal(a->maker, "maker");
	assert_int_equal(a->devices, 1000);
	assert_int_equal(a->mix.count, 2);
	assert_string_equal(a->mix.shares[1].code, "NO");
	assert_int_equal(a->port_count, 2);
	assert_int_equal(a->ports[1].high, 10);
	assert_true(a->has_duty && a->duty_low == 0.25 && a->duty_peak == 21 && a->start == 90);
	assert_true(v->start == -0.1 && v->duration == -0.5);
	assert_true(v->answers[ANSWER_FILTERED] == 2 && v->answers[ANSWER_DNS] == 1 && v->answers[ANSWER_RST] == 0);
	assert_int_equal(traffic_kind(v, v->ports), PACKET_BACKSCATTER);
}

static void refuses_what_is_not_a_description(void **state)
{
	(void)state;
	refused("name: [", 2, "");
	refused("- 1\n", 1, "a mapping was expected");
	refused("", 1, "a mapping was expected");
	refused(HEAD, 1, "at least one class");
	refused("name: t\n" CLASS "}\n", 1, "darknet");
	refused(HEAD "colour: red\n", 3, "there is no field 'colour'");
	refused("name: t\ndarknet: [198.18.0.1/15]\n", 2, "198.18.0.1");
	refused("name: t\ndarknet: here\n", 2, "a list of prefixes");
	refused(HEAD "packets-per-second: -1\n", 3, "not within");
	refused(HEAD "populations: 3\n", 3, "a list was expected");
	refused(HEAD "populations:\n  - 3\n", 4, "a mapping was expected");
	refused(HEAD "mixes: {m: {XXX: 1}}\n", 3, "'XXX' is not a country code");
	refused(HEAD "mixes: {m: JP}\n", 3, "country codes with weights");
}

static void refuses_bad_fields(void **state)
{
	(void)state;
	refused(HEAD CLASS ", colour: red}\n", 4, "there is no field 'colour'");
	refused(HEAD CLASS ", answers: {rst: 1}}\n", 4, "answers may not stand under populations");
	refused(HEAD CLASS ", rate: 3}\n", 4, "rate is given twice");
	refused(HEAD CLASS "}\n  - {name: b}\n", 5, "sender is missing");
	refused(HEAD CLASS
		"}\n  - {name: a, sender: linux, prefixes: [192.0.2.0/24], devices: 1, rate: 1, ports: [tcp/1]}\n",
		5, "given twice");
	refused(HEAD CLASS ", duty: {low: 2, peak: 1}}\n", 4, "low: 2 is not within 0..1");
	refused(HEAD CLASS ", duty: {low: 1}}\n", 4, "duty: needs peak");
	refused(HEAD CLASS ", duty: {low: 1, peak: 2, noon: 3}}\n", 4, "there is no 'noon'");
	refused(HEAD CLASS ", start: soon}\n", 4, "'soon' is not a time");
	refused(HEAD CLASS ", window: 70000}\n", 4, "not within 0..65535");
	refused(HEAD CLASS ", growth: {initial: 9, per-hour: 2}}\n", 4, "more devices than there are");
	refused(HEAD CLASS ", payload: dns-any}\n", 4, "payload");
	refused(HEAD CLASS ", countries: nowhere}\n", 4, "no mix 'nowhere'");
	refused(HEAD CLASS ", countries: {JP: 1}}\n", 4, "exactly one of countries and prefixes");
}

static void with(const char *fields, const char *part)
{
	char text[512];
	snprintf(text, sizeof text, HEAD "populations:\n  - {name: a, devices: 3, rate: 2, %s}\n", fields);
	refused(text, 4, part);
}

static void refuses_what_does_not_go_together(void **state)
{
	(void)state;
	with("sender: mirai, ports: [tcp/23]", "exactly one of countries and prefixes");
	with("sender: worm, prefixes: [192.0.2.0/24], ports: [tcp/23]", "'worm' was given, one of mirai");
	with("sender: answer, prefixes: [192.0.2.0/24], ports: [tcp/23]", "answer belongs to attacks");
	with("sender: linux, prefixes: [192.0.2.0/24]", "needs ports");
	with("sender: linux, prefixes: [192.0.2.0/24], ports: [udp/53]", "does not send to such a port");
	with("sender: udp, prefixes: [192.0.2.0/24], ports: [tcp/53]", "does not send to such a port");
	with("sender: linux, prefixes: [192.0.2.0/24], ports: [tcp/70000]", "'tcp/70000' is not a port");
	with("sender: linux, prefixes: [192.0.2.0/24], ports: [tcp/9-3]", "'tcp/9-3' is not a port");
	with("sender: linux, prefixes: [192.0.2.0/24], ports: {tcp/9: many}", "'many' is not a number");
	with("sender: masscan, prefixes: [192.0.2.0/24], ports: [tcp/9]", "1.3.2, 2023-11");
	with("sender: zmap, version: 3, prefixes: [192.0.2.0/24], ports: [tcp/9]", "4.1-minimal");
	with("sender: linux, ip: 6, prefixes: [192.0.2.0/24], ports: [tcp/9]", "not of ip: 6");
	with("sender: mirai, ip: 6, prefixes: [\"2001:db8::/32\"], ports: [tcp/9]", "told by IPv4 headers");
	with("sender: linux, ip: 6, prefixes: [\"2001:db8::/32\"], ports: [tcp/9]", "the darknet has no IPv6 prefix");
	with("sender: linux, ip: 5, prefixes: [192.0.2.0/24], ports: [tcp/9]", "ip is 4 or 6");
	refused(HEAD
		"attacks:\n  - {name: a, prefixes: [192.0.2.0/24], rate: 1, ports: [tcp/1], duration: 9m, every: 5m,\n"
		"     answers: {rst: 1}}\n",
		4, "overtake itself");
	refused(HEAD "attacks:\n  - {name: a, prefixes: [192.0.2.0/24], rate: 1, ports: [tcp/1], duration: 9m,\n"
		     "     answers: {shrug: 1}}\n",
		5, "'shrug' was given");
	refused(HEAD
		"attacks:\n  - {name: a, prefixes: [192.0.2.0/24], rate: 1, ports: [tcp/1], duration: 9m, every: 50%,\n"
		"     answers: {rst: 1}}\n",
		4, "both times or both shares");
}

static void missing_file_is_named(void **state)
{
	(void)state;
	struct description description;
	struct err err = {""};
	assert_int_equal(description_read("/nowhere/x.yaml", pool, &description, &err), -ENOENT);
	assert_contains(err.text, "/nowhere/x.yaml");
}

static void the_projects_own_are_sound(void **state)
{
	(void)state;
	static const char *const names[] = {"country", "small", "worm", "quiet"};
	for (size_t i = 0; i < 4; i++) {
		char path[512];
		struct description description;
		struct err err = {""};
		snprintf(path, sizeof path, "%s/simulate/%s.yaml", DATA_DIR, names[i]);
		if (description_read(path, pool, &description, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(description.name, names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_every_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_is_not_a_description, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_bad_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_does_not_go_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_file_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_projects_own_are_sound, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
