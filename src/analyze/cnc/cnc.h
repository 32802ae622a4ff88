/* Command and control servers in flow information: flows in, services out, the most suspect first, each with grounds.
 *
 * Pure: no clock, no file, no log; time is what the flows say. Start reading here; sight.h is what is remembered,
 * cases.h what is looked at, detector.h how a ground is given.
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "record/batch.h"

#include <jansson.h>

struct cnc;

struct cnc_options {
	uint32_t pairs_max; /* of client and service that are remembered; 0: 67 million */
	int64_t until_ns;   /* flows that began later are passed over; 0: none are */
	/* Of so many parts this one: it remembers the clients that fall to it and passes over the others, so that each
	 * part can have a core and all of them the same batches. 0: the whole. cnc_merge() joins them for a ranking. */
	uint32_t part, parts;
};

int cnc_new(const struct cnc_options *options, struct cnc **ret_cnc, struct err *err) must_check;
void cnc_free(struct cnc *cnc); /* NULL is fine */

/* Rows of record_flow. */
int cnc_take(struct cnc *cnc, const struct batch *batch, struct err *err) must_check;

/* What the other part has seen, too: its clients are others than this one's. `other` is as it was. -ENOMEM. */
int cnc_merge(struct cnc *cnc, const struct cnc *other, struct err *err) must_check;

/* A host that is known to be infected. */
int cnc_infected(struct cnc *cnc, const struct addr *addr, struct err *err) must_check;

/* A network that is watched; without any they are inferred (inside.h). */
int cnc_inside(struct cnc *cnc, const struct prefix *prefix, struct err *err) must_check;

/* The learned ranking (data/cnc/model.json); without it the detectors are taken for independent witnesses. */
int cnc_learn(struct cnc *cnc, const char *model, size_t bytes, struct err *err) must_check;

struct cnc_figures {
	uint64_t flows, passed, refused;
	uint32_t clients, services, pairs;
	size_t bytes;
	int64_t first_ns, last_ns;
};
struct cnc_figures cnc_figures(const struct cnc *cnc);

/* Hosts that were seen and are none of ours. -ENOMEM. */
int cnc_outside_hosts(const struct cnc *cnc, uint32_t *ret_hosts, struct err *err) must_check;

/* The ranking as `yagura cnc score --json` prints it: an array of objects, at most `limit` of them (0: all), of no less
 * than `least` score. With `explain` every detector says something, and every feature is there; otherwise only grounds
 * that count. */
int cnc_rank(const struct cnc *cnc, uint32_t limit, double least, bool explain, json_t **ret_ranking,
	     struct err *err) must_check;
