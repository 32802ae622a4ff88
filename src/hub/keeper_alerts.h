/* livenet in the keeper: whose prefixes are whose goes to the sensors, sightings come back and become alerts.
 *
 * Sightings have rings and a thread of their own and are stored by the store's urgent lane, each batch together with
 * the findings made of it, so that an alert stands some milliseconds after its packet whatever else is written. What
 * was read of a ring is given back when it is stored; what a killed keeper had read and not stored its successor reads
 * again, and what it had stored the store knows by name. So no alert is lost and none is there twice.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <jansson.h>
#include <stdbool.h>

struct alerts;
struct keeper;
struct sensor_state;

/* Takes up the alerts that are open in the store. */
int alerts_open(struct keeper *keeper, struct alerts **ret_alerts, struct err *err) must_check;
void alerts_close(struct alerts *alerts); /* NULL is fine */

void *alerts_main(void *keeper);         /* thread: sightings of this hub's sensors */
void *alerts_members_main(void *keeper); /* thread: members' prefixes as they change */

/* Tuples and echoes of a sensor elsewhere, which knows no members: what of them is a member's becomes sightings, stored
 * before the batch itself. -ENOSPC: not now. */
int alerts_take_far(struct alerts *alerts, const struct sensor_state *sensor, const struct batch *batch,
		    struct err *err) must_check;

/* A person closed a finding: what comes after is a new alert. */
void alerts_forget(struct alerts *alerts, const char *finding_id);

/* {"open", "refused", "prefixes", "published": lists so far, "stored_ms": {"count", "p50", "p99", "most"}}: how long
 * after their packets the last thousand new sightings of live sensors were stored. */
json_t *alerts_status(struct alerts *alerts);
