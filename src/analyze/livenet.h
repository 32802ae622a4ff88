/* livenet: sightings of members' addresses (record_sighting) in, alerts out as findings that live: new, continuing,
 * ended.
 *
 * One alert per address and direction: an address that sends into the darkness is one matter, the same address under
 * attack another. An alert ends by itself when its sensor went on observing for the quiet time and did not meet the
 * address any more; a sensor that saw nothing because it was away proves no quiet.
 *
 * Every row of sightings that is taken changes its finding, so an alert's finding holds all that is known of it, and
 * after a crash the open alerts are put together from their findings. Whoever stores a batch of sightings and the
 * findings made of it in one transaction loses none and doubles none.
 *
 * Like the detectors of detectors.h this has no clock, file, socket or log. One thread at a time.
 */
#pragma once

#include "analyze/finding.h"
#include "core/memory.h"
#include "core/option.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct livenet_options {
	int64_t quiet_ns;
};
extern const struct option_spec livenet_option_table[];

struct livenet;

/* `options` is copied. Memory comes from pool. -ENOMEM. */
int livenet_new(const struct livenet_options *options, struct pool *pool, struct livenet **ret_livenet,
		struct err *err) must_check;

/* A batch of sightings; a finding for each address in it. *ret_news: how many of them are new alerts or changed their
 * verdict. What does not fit under the ceiling is counted as refused. */
int livenet_take(struct livenet *livenet, const struct batch *batch, struct findings *findings, unsigned *ret_news,
		 struct err *err) must_check;

/* From when on without a gap, and until when, a sensor has observed. False: nothing is known of it. */
typedef bool livenet_observed_fn(void *context, uint16_t sensor, int64_t *ret_since_ns, int64_t *ret_until_ns);
/* Ends what is quiet; *ret_ended says how many. */
int livenet_tick(struct livenet *livenet, livenet_observed_fn *observed, void *context, struct findings *findings,
		 unsigned *ret_ended, struct err *err) must_check;

/* Take up an open alert from its finding, as the API shows it. -EINVAL with a sentence when it is none. */
int livenet_restore(struct livenet *livenet, const json_t *finding, struct err *err) must_check;
/* A person closed it: what comes after is a new alert. False: no alert of this id is open. */
bool livenet_forget(struct livenet *livenet, const char *id);

size_t livenet_open(const struct livenet *livenet);
uint64_t livenet_refused(const struct livenet *livenet); /* rows of addresses that did not fit */
