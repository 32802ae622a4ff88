/* Counting for everybody. See statistics.h. */
#include "hub/statistics.h"

#include "core/clock.h"
#include "core/hash.h"
#include "hub/tally.h"
#include "record/kind.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const figure_names[] = {"found", "told", "bounced", "acknowledged", "fixed", NULL};
const char *const statistics_period_names[] = {"day", "month", NULL};

/* As store/member_form.c has them. */
static const char *const sectors[] = {"provider", "municipality", "ministry", "region", "sector", "other", NULL};
enum { SECTORS = sizeof sectors / sizeof *sectors - 1, SECTOR_OTHER = SECTORS - 1 };

enum span { SPAN_TELL, SPAN_ACKNOWLEDGE, SPAN_FIX, SPANS };
static const char *const span_names[] = {"tell_median_s", "acknowledge_median_s", "fix_median_s", NULL};
static const enum figure span_figures[] = {FIGURE_TOLD, FIGURE_ACKNOWLEDGED, FIGURE_FIXED};

struct spans {
	double *seconds;
	size_t count, room;
};

struct figures {
	struct tally counts[FIGURES];
	struct spans spans[SPANS];
};

/* An alert of an infected address. */
struct machine {
	uint64_t address; /* hash of it */
	uint32_t member;
	bool fixed;
};

struct period {
	int64_t begin_ns;
	int64_t packets, sources;
	struct figures figures;
};

struct statistics {
	struct figures all, verdicts[VERDICTS], sectors[SECTORS];
	struct period *periods;
	size_t period_count;
	int64_t end_ns;
	uint8_t *sector_of; /* by a member's number: index into sectors + 1 */
	size_t members, watched;
	struct machine *machines;
	size_t machine_count, machine_room;
};

/* --- periods ------------------------------------------------------------------------------------------------------ */

/* The beginning of the `offset`th period from the one that holds the instant. */
static int64_t period_begin(enum statistics_period period, int64_t time_ns, int offset)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm parts;
	gmtime_r(&seconds, &parts);
	parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
	if (period == PERIOD_MONTH) {
		parts.tm_mday = 1;
		parts.tm_mon += offset;
	} else {
		parts.tm_mday += offset;
	}
	return (int64_t)timegm(&parts) * NS_PER_S;
}

int statistics_new(enum statistics_period period, int64_t from_ns, int64_t to_ns, struct statistics **ret_statistics,
		   struct err *err)
{
	size_t count = 0;
	int64_t begin = period_begin(period, from_ns, 0), end = begin;
	while (end < to_ns && count <= STATISTICS_PERIODS_MAX)
		end = period_begin(period, begin, (int)++count);
	if (count == 0 || count > STATISTICS_PERIODS_MAX)
		return err_set(err, -EINVAL, "from, to: 1 to %d whole %ss were expected", STATISTICS_PERIODS_MAX,
			       statistics_period_names[period]);
	struct statistics *statistics = calloc(1, sizeof *statistics);
	struct period *periods = calloc(count, sizeof *periods);
	if (!statistics || !periods) {
		free(statistics);
		free(periods);
		return err_set(err, -ENOMEM, "no memory for statistics");
	}
	for (size_t i = 0; i < count; i++)
		periods[i].begin_ns = period_begin(period, begin, (int)i);
	*statistics = (struct statistics){.periods = periods, .period_count = count, .end_ns = end};
	*ret_statistics = statistics;
	return 0;
}

static void figures_done(struct figures *figures)
{
	for (int i = 0; i < SPANS; i++)
		free(figures->spans[i].seconds);
}

void statistics_free(struct statistics *statistics)
{
	if (!statistics)
		return;
	figures_done(&statistics->all);
	for (int i = 0; i < VERDICTS; i++)
		figures_done(&statistics->verdicts[i]);
	for (int i = 0; i < SECTORS; i++)
		figures_done(&statistics->sectors[i]);
	for (size_t i = 0; i < statistics->period_count; i++)
		figures_done(&statistics->periods[i].figures);
	free(statistics->periods);
	free(statistics->sector_of);
	free(statistics->machines);
	free(statistics);
}

int64_t statistics_from(const struct statistics *statistics)
{
	return statistics->periods[0].begin_ns;
}

int64_t statistics_to(const struct statistics *statistics)
{
	return statistics->end_ns;
}

static struct period *period_of(struct statistics *statistics, int64_t time_ns)
{
	size_t low = 0, high = statistics->period_count;
	if (time_ns < statistics->periods[0].begin_ns || time_ns >= statistics->end_ns)
		return NULL;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (statistics->periods[middle].begin_ns <= time_ns)
			low = middle;
		else
			high = middle;
	}
	return &statistics->periods[low];
}

/* --- counting ----------------------------------------------------------------------------------------------------- */

static int name_find(const char *const *names, const char *name, int fallback)
{
	for (int i = 0; name && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return fallback;
}

int statistics_member(struct statistics *statistics, uint32_t member, const char *sector, struct err *err)
{
	if (member >= statistics->members) {
		size_t room = statistics->members ? statistics->members * 2 : 1024;
		while (room <= member)
			room *= 2;
		uint8_t *grown = realloc(statistics->sector_of, room);
		if (!grown)
			return err_set(err, -ENOMEM, "no memory for members' sectors");
		memset(grown + statistics->members, 0, room - statistics->members);
		statistics->sector_of = grown;
		statistics->members = room;
	}
	statistics->watched += !statistics->sector_of[member];
	statistics->sector_of[member] = (uint8_t)(name_find(sectors, sector, SECTOR_OTHER) + 1);
	return 0;
}

static int span_add(struct spans *spans, int64_t from_ns, int64_t to_ns)
{
	if (spans->count == spans->room) {
		size_t room = spans->room ? spans->room * 2 : 16;
		double *grown = realloc(spans->seconds, room * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		spans->seconds = grown;
		spans->room = room;
	}
	spans->seconds[spans->count++] = to_ns > from_ns ? (double)(to_ns - from_ns) / NS_PER_S : 0;
	return 0;
}

enum { PLACES = 4 };

/* Where something of a member at an instant counts; false where it does not. */
static bool places_of(struct statistics *statistics, uint32_t member, const char *verdict, int64_t time_ns,
		      struct figures *places[PLACES])
{
	struct period *period = period_of(statistics, time_ns);
	uint8_t sector = member < statistics->members ? statistics->sector_of[member] : 0;
	if (!period)
		return false;
	places[0] = &statistics->all;
	places[1] = &statistics->verdicts[name_find(livenet_verdict_names, verdict, VERDICT_NONE)];
	places[2] = &statistics->sectors[sector ? sector - 1 : SECTOR_OTHER];
	places[3] = &period->figures;
	return true;
}

static void places_count(struct figures *const places[PLACES], enum figure figure, uint32_t member)
{
	for (int i = 0; i < PLACES; i++)
		tally_add(&places[i]->counts[figure], member);
}

static int places_span(struct figures *const places[PLACES], enum span span, int64_t from_ns, int64_t to_ns,
		       struct err *err)
{
	for (int i = 0; i < PLACES; i++)
		if (span_add(&places[i]->spans[span], from_ns, to_ns) < 0)
			return err_set(err, -ENOMEM, "no memory for statistics");
	return 0;
}

static uint64_t address_hash(const char *address)
{
	uint64_t hash = 0;
	for (; *address; address++)
		hash = hash_u64(hash ^ (unsigned char)*address);
	return hash;
}

static int machine_add(struct statistics *statistics, const struct statistics_alert *alert, struct err *err)
{
	if (statistics->machine_count == statistics->machine_room) {
		size_t room = statistics->machine_room ? statistics->machine_room * 2 : 256;
		struct machine *grown = realloc(statistics->machines, room * sizeof *grown);
		if (!grown)
			return err_set(err, -ENOMEM, "no memory for statistics");
		statistics->machines = grown;
		statistics->machine_room = room;
	}
	statistics->machines[statistics->machine_count++] =
		(struct machine){address_hash(alert->subject), alert->member, alert->fixed};
	return 0;
}

int statistics_alert(struct statistics *statistics, const struct statistics_alert *alert, struct err *err)
{
	struct figures *places[PLACES];
	if (!places_of(statistics, alert->member, alert->verdict, alert->first_ns, places))
		return 0;
	places_count(places, FIGURE_FOUND, alert->member);
	int result = 0;
	if (strcmp(alert->verdict, livenet_verdict_names[VERDICT_INFECTED]) == 0)
		result = machine_add(statistics, alert, err);
	if (result == 0 && alert->fixed) {
		places_count(places, FIGURE_FIXED, alert->member);
		result = places_span(places, SPAN_FIX, alert->first_ns, alert->last_ns, err);
	}
	return result;
}

int statistics_notice(struct statistics *statistics, const struct statistics_notice *notice, struct err *err)
{
	struct figures *places[PLACES];
	int result = 0;
	if (!places_of(statistics, notice->member, notice->verdict, notice->made_ns, places))
		return 0;
	if (notice->bounced)
		places_count(places, FIGURE_BOUNCED, notice->member);
	if (notice->told_ns) {
		places_count(places, FIGURE_TOLD, notice->member);
		result = places_span(places, SPAN_TELL, notice->made_ns, notice->told_ns, err);
	}
	if (result == 0 && notice->told_ns && notice->acknowledged_ns) {
		places_count(places, FIGURE_ACKNOWLEDGED, notice->member);
		result = places_span(places, SPAN_ACKNOWLEDGE, notice->told_ns, notice->acknowledged_ns, err);
	}
	return result;
}

void statistics_traffic(struct statistics *statistics, int64_t time_ns, int64_t packets, int64_t sources)
{
	struct period *period = period_of(statistics, time_ns);
	if (!period)
		return;
	period->packets += packets;
	period->sources += sources;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static json_t *count_json(int64_t told)
{
	return told == TALLY_HIDDEN ? json_null() : json_integer(told);
}

static int second_order(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static json_t *median_json(const struct figures *figures, enum span span)
{
	const struct spans *spans = &figures->spans[span];
	if (spans->count == 0 || tally_told(&figures->counts[span_figures[span]]) == TALLY_HIDDEN)
		return json_null();
	qsort(spans->seconds, spans->count, sizeof *spans->seconds, second_order);
	return json_real(spans->seconds[(spans->count - 1) / 2]);
}

/* Adds the counts of all figures to the objects, hidden as one sum for each figure. Where it is hidden how many alerts
 * were found, what became of them is as well. */
static bool counts_add(json_t *objects, const struct figures *const *figures, size_t count)
{
	const struct tally **tallies = calloc(count, sizeof(const struct tally *));
	int64_t *told = calloc(count, sizeof *told);
	bool ready = tallies && told;
	static_assert(FIGURE_FOUND == 0, "what is found is judged first");
	for (int figure = 0; ready && figure < FIGURES; figure++) {
		for (size_t i = 0; i < count; i++)
			tallies[i] = &figures[i]->counts[figure];
		tallies_told(tallies, count, told);
		for (size_t i = 0; i < count; i++) {
			json_t *object = json_array_get(objects, i);
			bool hidden = json_is_null(json_object_get(object, figure_names[FIGURE_FOUND]));
			json_object_set_new(object, figure_names[figure], hidden ? json_null() : count_json(told[i]));
		}
	}
	free(tallies);
	free(told);
	return ready;
}

static json_t *groups_json(const struct figures *groups, const char *const *names, int first)
{
	const struct figures *figures[VERDICTS + SECTORS];
	size_t count = 0;
	json_t *objects = json_array();
	for (int i = first; names[i]; i++) {
		figures[count++] = &groups[i];
		json_array_append_new(objects, json_pack("{s:s, s:o}", "name", names[i], "fix_median_s",
							 median_json(&groups[i], SPAN_FIX)));
	}
	if (counts_add(objects, figures, count)) {
		size_t i;
		json_t *object;
		json_array_foreach(objects, i, object)
		{
			if (json_is_null(json_object_get(object, figure_names[FIGURE_FOUND])))
				json_object_set_new(object, span_names[SPAN_FIX], json_null());
		}
		return objects;
	}
	json_decref(objects);
	return NULL;
}

static json_t *periods_json(const struct statistics *statistics)
{
	const struct figures **figures = calloc(statistics->period_count, sizeof(const struct figures *));
	json_t *objects = json_array();
	char time[TIME_TEXT_BYTES];
	for (size_t i = 0; figures && i < statistics->period_count; i++) {
		const struct period *period = &statistics->periods[i];
		figures[i] = &period->figures;
		json_array_append_new(objects, json_pack("{s:s, s:I, s:I}", "time", time_format(period->begin_ns, time),
							 "packets", (json_int_t)period->packets, "sources",
							 (json_int_t)period->sources));
	}
	bool ready = figures && counts_add(objects, figures, statistics->period_count);
	free(figures);
	if (ready)
		return objects;
	json_decref(objects);
	return NULL;
}

static int machine_order(const void *a, const void *b)
{
	const struct machine *left = a, *right = b;
	return left->address < right->address ? -1 : left->address > right->address;
}

static json_t *machines_json(const struct statistics *statistics)
{
	struct tally found = {0}, cleaned = {0};
	const struct machine *machines = statistics->machines;
	if (statistics->machine_count)
		qsort(statistics->machines, statistics->machine_count, sizeof *machines, machine_order);
	for (size_t i = 0, next; i < statistics->machine_count; i = next) {
		bool clean = true;
		for (next = i; next < statistics->machine_count && machines[next].address == machines[i].address;
		     next++)
			clean = clean && machines[next].fixed;
		tally_add(&found, machines[i].member);
		if (clean)
			tally_add(&cleaned, machines[i].member);
	}
	return json_pack("{s:o, s:o}", "found", count_json(tally_told(&found)), "cleaned",
			 count_json(tally_told(&cleaned)));
}

json_t *statistics_json(const struct statistics *statistics)
{
	json_t *alerts = json_object(), *times = json_object();
	for (int i = 0; i < FIGURES; i++)
		json_object_set_new(alerts, figure_names[i], count_json(tally_told(&statistics->all.counts[i])));
	for (int i = 0; i < SPANS; i++)
		json_object_set_new(times, span_names[i], median_json(&statistics->all, i));
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "members", (json_int_t)statistics->watched, "machines",
			 machines_json(statistics), "alerts", alerts, "times", times, "verdicts",
			 groups_json(statistics->verdicts, livenet_verdict_names, VERDICT_NONE + 1), "sectors",
			 groups_json(statistics->sectors, sectors, 0), "periods", periods_json(statistics));
}
