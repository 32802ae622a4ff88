/* What the files of livenet in the keeper share. */
#pragma once

#include "analyze/livenet.h"
#include "core/clock.h"
#include "core/lpm.h"
#include "hub/keeper.h"
#include "hub/keeper_alerts.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ALERTS_DELAYS = 1024, ALERTS_FRESH_MAX = 4096 };
#define ALERTS_GAP_NS (30 * NS_PER_S)         /* a sensor that did not observe for so long has a gap */
#define ALERTS_FAR_GAP_NS (5 * NS_PER_MINUTE) /* one elsewhere tells by the minute */

struct alerts {
	struct keeper *keeper;
	struct pool *pool;

	pthread_mutex_t lock; /* livenet, findings, gathered, observed, delays */
	struct livenet *livenet;
	struct findings findings;
	struct sink gather;
	struct batch *gathered;
	struct observed {
		int64_t since_ns, until_ns; /* without a gap; until 0: nothing known */
	} observed[LIMIT_SENSORS * 4];      /* as keeper->sensors */
	int64_t delays_ns[ALERTS_DELAYS];
	size_t delay_count;

	/* alerts thread */
	int64_t fresh_ns[ALERTS_FRESH_MAX]; /* packets of what is not flushed yet */
	unsigned fresh_count;

	/* members' prefixes (keeper_members.c) */
	pthread_rwlock_t list_lock;
	struct pool *list_pool;
	struct lpm *lpm; /* value: place in the arrays, from 1; NULL: none */
	uint32_t *numbers;
	uint8_t *bits;
	struct batch *far; /* ingest thread */
	_Atomic uint64_t prefixes, published;
};

/* Sightings that have a name; stored when it returns 0. */
int alerts_take_named(struct alerts *alerts, const struct batch *sightings, struct err *err) must_check;
