/* Alerts about members' addresses: verdicts, the life of an alert, and that a crash neither loses nor doubles one. */
#include "analyze/livenet.h"

#include "feed.h"

#include <errno.h>

struct like {
	uint32_t v4, member, packets, scans, mistakes, doubtful, targets;
	uint16_t port, sensor;
	uint8_t role, tool, protocol, signs;
	int64_t at_ns;
};
#pragma GCC diagnostic ignored "-Woverride-init" /* what is usual is said first, what is not after it */
#define LIKE(...)                                                                                                      \
	((struct like){.v4 = 0xcb007109,                                                                               \
		       .member = 7,                                                                                    \
		       .packets = 1,                                                                                   \
		       .port = 23,                                                                                     \
		       .sensor = 1,                                                                                    \
		       .protocol = 6,                                                                                  \
		       .at_ns = T0,                                                                                    \
		       __VA_ARGS__})

struct life {
	struct keeper keeper;
	struct findings findings;
	struct pool *pool;
	struct livenet *livenet;
	unsigned news;
};

static struct life life_begin(int64_t quiet_ns)
{
	struct life life = {.keeper.sink.put = keeper_put, .pool = pool_new(NULL, "test")};
	const struct livenet_options options = {.quiet_ns = quiet_ns};
	struct err err = {""};
	assert_int_equal(livenet_new(&options, life.pool, &life.livenet, &err), 0);
	return life;
}

static void life_end(struct life *life)
{
	keeper_empty(&life->keeper);
	pool_free(life->pool);
}

static void take(struct life *life, const struct like *likes, size_t count)
{
	struct err err = {""};
	struct batch *batch = batch_new(&record_sighting, (uint32_t)count);
	for (uint32_t i = 0; i < count; i++) {
		const struct like *like = &likes[i];
		BATCH_COLUMN(batch, int64_t, 0)[i] = like->at_ns;
		BATCH_COLUMN(batch, uint16_t, 1)[i] = like->sensor;
		BATCH_COLUMN(batch, uint32_t, 2)[i] = like->member;
		BATCH_COLUMN(batch, struct addr, 3)[i] = addr_from_v4(like->v4);
		BATCH_COLUMN(batch, uint8_t, 4)[i] = 96 + 24;
		BATCH_COLUMN(batch, uint8_t, 5)[i] = like->role;
		BATCH_COLUMN(batch, uint8_t, 8)[i] = like->tool;
		BATCH_COLUMN(batch, uint8_t, 10)[i] = like->protocol;
		BATCH_COLUMN(batch, uint16_t, 11)[i] = like->port;
		BATCH_COLUMN(batch, uint8_t, 15)[i] = like->signs;
		BATCH_COLUMN(batch, uint32_t, 16)[i] = like->packets;
		BATCH_COLUMN(batch, uint32_t, 17)[i] = like->scans;
		BATCH_COLUMN(batch, uint32_t, 18)[i] = like->mistakes;
		BATCH_COLUMN(batch, uint32_t, 19)[i] = like->doubtful;
		BATCH_COLUMN(batch, uint64_t, 20)[i] = 40 * like->packets;
		BATCH_COLUMN(batch, uint32_t, 21)[i] = like->targets ? like->targets : 1;
		BATCH_COLUMN(batch, int64_t, 22)[i] = like->at_ns;
	}
	batch->rows = (uint32_t)count;
	assert_int_equal(findings_init(&life->findings, &life->keeper.sink), 0);
	assert_int_equal(livenet_take(life->livenet, batch, &life->findings, &life->news, &err), 0);
	assert_int_equal(findings_flush(&life->findings, &err), 0);
	findings_done(&life->findings);
	batch_free(batch);
}

static void take_one(struct life *life, struct like like)
{
	take(life, &like, 1);
}

struct watch {
	int64_t since_ns, until_ns;
};

static bool observed(void *context, uint16_t sensor, int64_t *ret_since_ns, int64_t *ret_until_ns)
{
	const struct watch *watch = context;
	*ret_since_ns = watch->since_ns;
	*ret_until_ns = watch->until_ns;
	return sensor == 1;
}

static unsigned tick(struct life *life, int64_t since_ns, int64_t until_ns)
{
	struct watch watch = {since_ns, until_ns};
	struct err err = {""};
	unsigned ended;
	assert_int_equal(findings_init(&life->findings, &life->keeper.sink), 0);
	assert_int_equal(livenet_tick(life->livenet, observed, &watch, &life->findings, &ended, &err), 0);
	assert_int_equal(findings_flush(&life->findings, &err), 0);
	findings_done(&life->findings);
	return ended;
}

static const struct kept *only(const struct life *life)
{
	assert_int_equal(life->keeper.count, 1);
	return &life->keeper.items[0];
}

static const char *ground_text(const struct kept *kept, const char *name)
{
	return json_string_value(json_object_get(kept->ground, name));
}

static void one_packet_is_an_alert(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	take_one(&life, LIKE(.scans = 1, .tool = TOOL_MIRAI, .port = 2323));
	assert_int_equal(life.news, 1);
	const struct kept *kept = only(&life);
	assert_string_equal(kept->id, "livenet:203.0.113.9:source:2026-01-01T00:00:00Z");
	assert_string_equal(kept->subject, "203.0.113.9");
	assert_string_equal(kept->rule, "livenet.infected");
	assert_int_equal(kept->type, FINDING_LIVENET);
	assert_int_equal(kept->severity, SEVERITY_HIGH);
	assert_int_equal(kept->verdict, VERDICT_INFECTED);
	assert_int_equal(kept->state, STATE_NEW);
	assert_int_equal(kept->member, 7);
	assert_string_equal(ground_text(kept, "tool"), "mirai");
	assert_string_equal(ground_text(kept, "prefix"), "203.0.113.0/24");
	assert_string_equal(ground_text(kept, "derive"),
			    "yagura query sighting --where address=203.0.113.9 --where role=source --from "
			    "2026-01-01T00:00:00Z --to 2026-01-01T00:00:01Z");
	life_end(&life);
}

static void verdicts_follow_what_was_seen(void **state)
{
	(void)state;
	static const struct {
		struct like like;
		enum livenet_verdict verdict;
		enum severity severity;
	} cases[] = {
		{{.scans = 1}, VERDICT_INFECTED, SEVERITY_MEDIUM},
		{{.scans = 1, .tool = TOOL_ZMAP}, VERDICT_INFECTED, SEVERITY_HIGH},
		{{.packets = 12, .scans = 12}, VERDICT_INFECTED, SEVERITY_HIGH},
		{{.packets = 5, .scans = 5, .targets = 5}, VERDICT_INFECTED, SEVERITY_HIGH},
		{{.packets = 9, .scans = 1, .doubtful = 8, .signs = 2}, VERDICT_INFECTED, SEVERITY_MEDIUM},
		{{.mistakes = 1}, VERDICT_MISCONFIGURED, SEVERITY_LOW},
		{{.packets = 3, .mistakes = 2, .doubtful = 1, .signs = 16}, VERDICT_MISCONFIGURED, SEVERITY_LOW},
		{{.doubtful = 1, .signs = 4}, VERDICT_SPOOFED, SEVERITY_INFO},
		{{.role = ROLE_ANSWERING}, VERDICT_VICTIM, SEVERITY_LOW},
		{{.role = ROLE_QUOTED, .packets = 25}, VERDICT_VICTIM, SEVERITY_MEDIUM},
	};
	struct life life = life_begin(NS_PER_HOUR);
	for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct like like = cases[i].like;
		like.v4 = 0xcb007110 + i;
		like.packets = like.packets ? like.packets : 1;
		like.at_ns = T0;
		take_one(&life, like);
		assert_int_equal(life.keeper.items[i].verdict, cases[i].verdict);
		assert_int_equal(life.keeper.items[i].severity, cases[i].severity);
	}
	assert_int_equal(json_array_size(json_object_get(life.keeper.items[4].ground, "signs_of_a_forged_source")), 1);
	life_end(&life);
}

static void it_goes_on_and_grows_worse(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	take_one(&life, LIKE(.doubtful = 1, .signs = 4));
	assert_int_equal(life.news, 1);
	take_one(&life, LIKE(.doubtful = 4, .packets = 4, .signs = 4, .at_ns = T0 + NS_PER_S));
	assert_int_equal(life.news, 0);
	assert_int_equal(only(&life)->state, STATE_CONTINUING);
	take_one(&life, LIKE(.scans = 3, .packets = 3, .port = 80, .at_ns = T0 + NS_PER_MINUTE));
	assert_int_equal(life.news, 1); /* another verdict */
	assert_string_equal(only(&life)->rule, "livenet.infected");
	assert_int_equal(only(&life)->packets, 8);
	assert_int_equal(only(&life)->first, T0);
	assert_int_equal(only(&life)->last, T0 + NS_PER_MINUTE);
	assert_int_equal(json_array_size(json_object_get(only(&life)->ground, "ports")), 2);
	/* under attack at the same time: another matter */
	take_one(&life, LIKE(.role = ROLE_ANSWERING, .port = 80));
	assert_int_equal(life.keeper.count, 2);
	assert_int_equal(livenet_open(life.livenet), 2);
	life_end(&life);
}

static void rows_of_one_batch_are_one_finding(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	const struct like likes[] = {LIKE(.scans = 1), LIKE(.v4 = 0xcb007111, .scans = 1),
				     LIKE(.scans = 9, .packets = 9, .at_ns = T0 + NS_PER_S)};
	take(&life, likes, 3);
	assert_int_equal(life.news, 2);
	assert_int_equal(life.keeper.rows, 2);
	assert_int_equal(life.keeper.items[0].packets, 10);
	assert_int_equal(life.keeper.items[0].state, STATE_NEW);
	life_end(&life);
}

static void it_ends_when_silence_was_observed(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	take_one(&life, LIKE(.scans = 1));
	assert_int_equal(tick(&life, T0 - NS_PER_DAY, T0 + NS_PER_HOUR - 1), 0);
	/* the sensor was away: two hours have passed, but only half an hour of silence was seen */
	assert_int_equal(tick(&life, T0 + 90 * NS_PER_MINUTE, T0 + 120 * NS_PER_MINUTE), 0);
	assert_int_equal(tick(&life, T0 + 90 * NS_PER_MINUTE, T0 + 150 * NS_PER_MINUTE), 1);
	assert_int_equal(only(&life)->ended, 1);
	assert_int_equal(only(&life)->last, T0);
	assert_int_equal(livenet_open(life.livenet), 0);
	assert_int_equal(tick(&life, 0, T0 + NS_PER_DAY), 0);
	/* back again: a new alert */
	take_one(&life, LIKE(.scans = 1, .at_ns = T0 + 3 * NS_PER_HOUR));
	assert_int_equal(life.keeper.count, 2);
	assert_int_equal(life.keeper.items[1].state, STATE_NEW);
	life_end(&life);
}

static void an_unknown_sensor_proves_no_quiet(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	take_one(&life, LIKE(.scans = 1, .sensor = 2));
	assert_int_equal(tick(&life, 0, T0 + NS_PER_DAY), 0);
	assert_int_equal(livenet_open(life.livenet), 1);
	life_end(&life);
}

static void a_long_silence_ends_it_though_nobody_told_the_time(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	take_one(&life, LIKE(.scans = 1));
	take_one(&life, LIKE(.scans = 1, .at_ns = T0 + NS_PER_DAY));
	assert_int_equal(life.news, 1);
	assert_int_equal(life.keeper.count, 2);
	assert_int_equal(life.keeper.items[0].ended, 1);
	assert_int_equal(life.keeper.items[1].ended, 0);
	assert_int_equal(life.keeper.items[1].packets, 1);
	life_end(&life);
}

/* As the API shows it. */
static json_t *shown(const struct kept *kept)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:O}", "id", kept->id, "subject", kept->subject, "first",
			 json_time(kept->first), "last", json_time(kept->last), "ground", kept->ground);
}

static void an_alert_comes_back_from_its_finding(void **state)
{
	(void)state;
	struct life before = life_begin(NS_PER_HOUR), after = life_begin(NS_PER_HOUR), whole = life_begin(NS_PER_HOUR);
	struct err err = {""};
	const struct like first =
		LIKE(.scans = 2, .doubtful = 1, .packets = 3, .tool = TOOL_MIRAI, .signs = 2, .targets = 3);
	const struct like later = LIKE(.mistakes = 1, .port = 80, .at_ns = T0 + 5 * NS_PER_S);
	take_one(&before, first);
	json_t *finding = shown(only(&before));
	assert_int_equal(livenet_restore(after.livenet, finding, &err), 0);
	json_decref(finding);
	take_one(&after, later);
	assert_int_equal(after.news, 0);
	take_one(&whole, first);
	take_one(&whole, later);
	assert_string_equal(only(&after)->id, only(&whole)->id);
	assert_int_equal(only(&after)->state, STATE_CONTINUING);
	assert_int_equal(only(&after)->packets, 4);
	assert_true(json_equal(only(&after)->ground, only(&whole)->ground));
	life_end(&before);
	life_end(&after);
	life_end(&whole);
}

static void what_is_no_alert_is_refused(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	static const char *const bad[] = {
		"{}",
		"{'first':1}",
		"{'first':'2026-01-01','last':'2026-01-01','ground':{'opened':'x','address':'y','prefix':'z','"
		"direction':"
		"'source','tool':'mirai','tool_version':0,'sensor':1,'more_ports':false,'member':7,'ports':[],"
		"'observed':{}}}",
		"{'first':'2026-01-01','last':'2026-01-01','ground':{'opened':'2026-01-01','address':'203.0.113.9','"
		"prefix':"
		"'203.0.113.0/24','direction':'source','tool':'none "
		"such','tool_version':0,'sensor':1,'more_ports':false,"
		"'member':7,'ports':[1,2],'observed':{'packets':'many'}}}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = {""};
		char text[600];
		snprintf(text, sizeof text, "%s", bad[i]);
		for (char *at = text; *at; at++)
			*at = *at == '\'' ? '"' : *at;
		json_t *finding = json_loads(text, 0, NULL);
		assert_non_null(finding);
		assert_int_equal(livenet_restore(life.livenet, finding, &err), -EINVAL);
		assert_true(err.text[0]);
		json_decref(finding);
	}
	assert_int_equal(livenet_open(life.livenet), 0);
	life_end(&life);
}

static void what_a_person_closed_does_not_go_on(void **state)
{
	(void)state;
	struct life life = life_begin(NS_PER_HOUR);
	take_one(&life, LIKE(.scans = 1));
	assert_false(livenet_forget(life.livenet, "livenet:203.0.113.9:victim:2026-01-01T00:00:00Z"));
	assert_true(livenet_forget(life.livenet, only(&life)->id));
	assert_int_equal(livenet_open(life.livenet), 0);
	take_one(&life, LIKE(.scans = 1, .at_ns = T0 + NS_PER_MINUTE));
	assert_int_equal(life.keeper.count, 2);
	life_end(&life);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_packet_is_an_alert),
		cmocka_unit_test(verdicts_follow_what_was_seen),
		cmocka_unit_test(it_goes_on_and_grows_worse),
		cmocka_unit_test(rows_of_one_batch_are_one_finding),
		cmocka_unit_test(it_ends_when_silence_was_observed),
		cmocka_unit_test(an_unknown_sensor_proves_no_quiet),
		cmocka_unit_test(a_long_silence_ends_it_though_nobody_told_the_time),
		cmocka_unit_test(an_alert_comes_back_from_its_finding),
		cmocka_unit_test(what_is_no_alert_is_refused),
		cmocka_unit_test(what_a_person_closed_does_not_go_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
