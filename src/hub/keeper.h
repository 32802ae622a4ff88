/* The process that owns the data: drains the rings of the sensors, joins places, runs detectors, stores, answers.
 * Threads: ingest (keeper_ingest.c), live (keeper_live.c), alerts and members (keeper_alerts.c, keeper_members.c), desk
 * and workers (desk.c), schedule (keeper.c).
 */
#pragma once

#include "analyze/detectors.h"
#include "hub/hub.h"
#include "hub/message.h"
#include "hub/shared.h"
#include "store/indicators.h"
#include "store/registry.h"
#include "store/store.h"
#include "sys/places.h"
#include "sys/ring.h"

#include <pthread.h>
#include <stdatomic.h>

struct keeper_setup {
	const struct hub_options *options;
	const struct hub_setup *hub;
	const struct hub_shared *shared;
	struct front_shared *fronts[2];                      /* of `front`, of `local` */
	int request_fds[2], live_fd, courier_fd;             /* the keeper's ends */
	struct ring **rings, **live_rings, **sighting_rings; /* per sensor */
	_Atomic uint64_t **metrics;                          /* per sensor, as its module's table says */
	const char *url;                                     /* what links start with */
	uid_t uid;
	gid_t gid;
};

/* What is known of one sensor beyond its metrics. */
struct sensor_state {
	uint16_t number; /* in records */
	char name[REGISTRY_NAME_BYTES];
	bool local, ended_done;
	_Atomic int64_t last_ns;                        /* newest packet or record */
	_Atomic uint64_t packets, bytes, outside, lost; /* from its health records */
	_Atomic uint64_t rate;                          /* packets in the last second, from sparks */
	struct sensor_anomaly {
		char name[32];
		uint64_t packets;
	} anomalies[LIMIT_ANOMALIES]; /* from its health records; under sensors_lock; "" ends them */
	uint64_t rate_ticks[10];      /* live thread only */
	uint32_t restarts_seen;
};

/* Batches that came by HTTP and wait for the ingest thread. */
struct handed_in {
	struct handed_in *next;
	struct batch **batches;
	size_t count;
	const char *name; /* of the sensor's token */
	int result;       /* 0 durable, negative errno */
	bool done;
	struct err err;
};

struct keeper {
	const struct keeper_setup *setup;
	struct pool *pool;
	struct places *places;
	struct store *store;
	struct registry *registry;
	struct indicators *indicators;
	struct warning_lists *warnings;
	struct taxii_statuses *taxii_statuses;
	struct feeds *feeds;
	struct audiences *audiences; /* share/audience.h */
	struct receipts *receipts;
	pthread_mutex_t release_lock; /* one decision at a time */
	_Atomic bool stop;

	pthread_mutex_t sensors_lock; /* the array grows, entries stay; their anomalies */
	struct sensor_state sensors[LIMIT_SENSORS * 4];
	_Atomic uint32_t sensor_count; /* local ones first, in the order of the setup */

	/* ingest thread */
	struct pool *detectors_pool;
	struct detectors *detectors;
	struct sink findings; /* from detectors */
	bool stopped;         /* intake, for want of room */
	_Atomic uint64_t batches_taken, batches_doubled, batches_damaged, findings_made;
	_Atomic uint64_t detector_findings[32], detector_refused[32], detector_bytes[32];
	pthread_mutex_t handed_lock;
	pthread_cond_t handed_done;
	struct handed_in *handed, **handed_end;
	unsigned handed_count;
	int handed_fd; /* eventfd */

	pthread_mutex_t owed_lock;
	struct batch *owed; /* findings that could not be stored yet */
	uint64_t *closed;   /* hashes of the ids that people closed, sorted */
	size_t closed_count;

	/* live thread */
	_Atomic uint64_t live_number;
	_Atomic int64_t latency_ms;
	_Atomic uint64_t rate;
	pthread_mutex_t live_lock; /* one event at a time on live_fd */

	struct alerts *alerts;   /* keeper_alerts.h */
	struct notices *notices; /* keeper_notices.h */
	struct desk *desk;
};

/* A child's main. */
int keeper_run(const struct keeper_setup *setup, struct err *err) must_check;

/* Number of the sensor of that name, made at its first appearance; its state. NULL: too many. */
struct sensor_state *keeper_sensor(struct keeper *keeper, const char *name);
struct sensor_state *keeper_sensor_by_number(struct keeper *keeper, uint16_t number);
/* Sensors elsewhere that were heard before and still have a token: one that has fallen silent is not forgotten because
 * the hub started anew. After those of the hub itself. */
void keeper_sensors_remember(struct keeper *keeper);

void *keeper_ingest_main(void *keeper);
void *keeper_live_main(void *keeper);
/* Hand batches to the ingest thread and wait until they are durable. */
int keeper_hand_in(struct keeper *keeper, struct handed_in *handed) must_check;

/* A finding of the hub itself (its store, its sensors). `ground` is consumed. Any thread. */
void keeper_alarm(struct keeper *keeper, const char *subject, const char *rule, unsigned severity, bool ended,
		  json_t *ground);
int keeper_findings_put(struct sink *sink, const struct batch *batch, struct err *err); /* of keeper->findings */
void keeper_owed_put(struct keeper *keeper); /* findings that wait, now that there may be room */
/* What people closed within the last three months. */
int keeper_closed_remember(struct keeper *keeper, struct err *err) must_check;
/* The opposite of finding_json(): one row. */
int keeper_finding_batch(const json_t *finding, struct batch **ret_batch, struct err *err) must_check;
/* Close findings, each given as the API shows it (changed accordingly), and store that. */
int keeper_findings_close(struct keeper *keeper, json_t *findings, const char *who, const char *reason,
			  struct err *err) must_check;
void keeper_live_finding(struct keeper *keeper, const struct batch *batch, uint32_t row);
void keeper_live_send(struct keeper *keeper, enum live_event event, const char *json, size_t bytes);
void keeper_live_hello(struct keeper *keeper);
/* A row of findings as the API shows it. NULL: out of memory. */
json_t *finding_json(const struct batch *batch, uint32_t row);
