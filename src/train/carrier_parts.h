/* What the files of the carrier share: behaviours as the description tells them, and clocks. */
#pragma once

#include "core/memory.h"
#include "core/option.h"
#include "record/flow_row.h"
#include "train/carrier.h"

enum carrier_shape {
	SHAPE_VISITS, /* at random, more by day; several contacts in one go */
	SHAPE_BEACON, /* every so often, more or less */
	SHAPE_HELD,   /* one connection that is kept, with a few packets every so often */
	SHAPE_ATTACK, /* all at once at the same time, after a word of their server */
};

struct span {
	uint32_t low, high;
};

struct behaviour {
	const char *name;
	/* as told */
	int64_t shape, clients, homes_per_mille, servers, keeps_to, popularity, protocol;
	int64_t every_ns, jitter, burst, seconds_ns, life_ns, hop_ns, begin_ns, answered;
	bool by_day;
	const char *family, *of, *port, *packets, *answer, *size, *answer_size;
	/* read */
	struct span ports, packet_span, answer_span, size_span, answer_size_span;
	const struct behaviour *master; /* whose clients these are; NULL: own */
	uint32_t number, client_count, stride, offset;
	uint64_t contacts, flows;
};

struct description_head {
	int64_t homes, active_ns;
	struct prefix_list inside, outside;
};

struct carrier_description {
	struct description_head head;
	struct behaviour *behaviours;
	uint32_t count;
};

enum { BEHAVIOURS_MAX = 256, HOMES_MAX = 10000000 };

/* Everything lives in `pool`. */
int carrier_description_read(const char *path, struct pool *pool, struct carrier_description *ret_description,
			     struct err *err) must_check;

/* One client of one behaviour: when it acts next. */
struct clock {
	int64_t next_ns, until_ns; /* until: of a connection that is held */
	uint32_t behaviour, client;
	uint16_t sport;
};

/* A server of a botnet of whom a flow was told. */
struct sighted {
	const struct behaviour *behaviour; /* NULL: free */
	struct addr addr;
	uint64_t contacts, flows;
	int64_t first_ns, last_ns;
	uint16_t port;
};

struct carrier {
	struct carrier_options options;
	struct pool *pool;
	struct carrier_description description;
	struct clock *heap; /* the earliest first */
	uint32_t clocks;
	uint64_t random; /* state */
	struct batch *batch;
	struct sink *sink;
	struct sighted *sighted; /* a hash table; room is a power of two */
	uint32_t sighted_count, sighted_room;
};

/* The home of a client, and its address. */
uint32_t carrier_home(const struct carrier *carrier, const struct behaviour *behaviour, uint32_t client);
struct addr carrier_home_address(const struct carrier *carrier, uint32_t home);

/* Uniform in [0, 1); exponential of mean 1. */
double carrier_chance(struct carrier *carrier);
double carrier_exponential(struct carrier *carrier);

/* Tell of a contact, given as the flow from the home: between whom, when, sampled how. carrier_view.c. */
int carrier_tell(struct carrier *carrier, struct behaviour *behaviour, struct flow_row *up, struct err *err) must_check;
/* Hand out the batch that is being filled. */
int carrier_batch_out(struct carrier *carrier, struct err *err) must_check;
