/* Sources that survey without being on the list: NICT's rule of thumb, at least 30 ports and 300,000 packets a day.
 *
 * Only busy sources are looked at: from BUSY_PACKETS of the run on, a source's ports and packets of the day are counted
 * exactly. Nothing is looked ahead: the rule holds from the minute in which both figures are reached until the end of
 * the next day, and longer while it keeps being met.
 */
#pragma once

#include "observe/telescope/table.h"

enum { SURVEY_PORTS = 30, SURVEY_PACKETS = 300000, BUSY_PACKETS = 10000, BUSY_SOURCES_MAX = 65536 };

struct busy_source {
	uint64_t name; /* version and source; 0 free */
	uint64_t packets;
	int32_t day, survey_until; /* days since 1970; survey_until: the last one, or 0 */
	uint32_t port_count;
	uint32_t ports[SURVEY_PORTS]; /* protocol << 16 | port */
};

struct surveyors {
	struct busy_source *sources;
	uint32_t count, room; /* room: a power of two, or 0 */
	uint32_t surveying;   /* of them */
};

void surveyors_done(struct surveyors *surveyors);

/* A row of a busy source at the close of its minute. `before`: its packets of the run before it was busy. -ENOMEM. */
int surveyors_note(struct surveyors *surveyors, const struct tuple *row, int64_t minute_ns, uint32_t before);

bool surveyors_search(const struct surveyors *surveyors, uint8_t version, uint32_t source, int64_t time_ns);
static inline bool surveyors_has(const struct surveyors *surveyors, uint8_t version, uint32_t source, int64_t time_ns)
{
	return __builtin_expect(surveyors->surveying != 0, 0) && surveyors_search(surveyors, version, source, time_ns);
}
