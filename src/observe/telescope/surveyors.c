/* See surveyors.h. A table of at most BUSY_SOURCES_MAX busy sources; those beyond are never told to be surveyors. */
#include "observe/telescope/surveyors.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t busy_name(uint8_t version, uint32_t source)
{
	return (uint64_t)version << 32 | source;
}

static int32_t day_of(int64_t time_ns)
{
	return (int32_t)(time_floor(time_ns, NS_PER_DAY) / NS_PER_DAY);
}

static struct busy_source *busy_place(const struct busy_source *sources, uint32_t room, uint64_t name)
{
	uint32_t place = (uint32_t)hash_u64(name) & (room - 1);
	while (sources[place].name && sources[place].name != name)
		place = (place + 1) & (room - 1);
	return (struct busy_source *)&sources[place];
}

static int surveyors_grow(struct surveyors *surveyors)
{
	uint32_t room = surveyors->room ? surveyors->room * 2 : 64;
	struct busy_source *grown = calloc(room, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	for (uint32_t i = 0; i < surveyors->room; i++)
		if (surveyors->sources[i].name)
			*busy_place(grown, room, surveyors->sources[i].name) = surveyors->sources[i];
	free(surveyors->sources);
	surveyors->sources = grown;
	surveyors->room = room;
	return 0;
}

void surveyors_done(struct surveyors *surveyors)
{
	free(surveyors->sources);
	*surveyors = (struct surveyors){0};
}

static void busy_port(struct busy_source *busy, uint32_t port)
{
	for (uint32_t i = 0; i < busy->port_count; i++)
		if (busy->ports[i] == port)
			return;
	if (busy->port_count < SURVEY_PORTS)
		busy->ports[busy->port_count++] = port;
}

int surveyors_note(struct surveyors *surveyors, const struct tuple *row, int64_t minute_ns, uint32_t before)
{
	uint64_t name = busy_name(row->key.version, row->key.source);
	if (surveyors->count * 2 >= surveyors->room && surveyors->count < BUSY_SOURCES_MAX &&
	    surveyors_grow(surveyors) < 0)
		return -ENOMEM;
	struct busy_source *busy = busy_place(surveyors->sources, surveyors->room, name);
	int32_t day = day_of(minute_ns);
	if (!busy->name) {
		if (surveyors->count >= BUSY_SOURCES_MAX)
			return 0;
		*busy = (struct busy_source){.name = name, .day = day, .packets = before};
		surveyors->count++;
	}
	if (busy->day != day) {
		busy->day = day;
		busy->packets = 0;
		busy->port_count = 0;
	}
	if (busy->survey_until && busy->survey_until < day) {
		busy->survey_until = 0;
		surveyors->surveying--;
	}
	busy->packets += row->packets;
	busy_port(busy, (uint32_t)row->key.protocol << 16 | row->key.port);
	if (busy->port_count >= SURVEY_PORTS && busy->packets >= SURVEY_PACKETS) {
		surveyors->surveying += busy->survey_until == 0;
		busy->survey_until = day + 1;
	}
	return 0;
}

bool surveyors_search(const struct surveyors *surveyors, uint8_t version, uint32_t source, int64_t time_ns)
{
	const struct busy_source *busy = busy_place(surveyors->sources, surveyors->room, busy_name(version, source));
	return busy->survey_until && day_of(time_ns) <= busy->survey_until;
}
