/* What detectors and the learned ranking look at of a service: each a number of 0 to 1 or so, with what it was computed
 * from, so that it can be told.
 */
#pragma once

#include "analyze/cnc/actions.h"
#include "analyze/cnc/inside.h"
#include "analyze/cnc/rhythm.h"
#include "analyze/cnc/sight.h"
#include "analyze/cnc/usual.h"

enum cnc_feature {
	CNC_REGULAR,   /* rhythm of its most regular client */
	CNC_EVEN_UP,   /* sizes of what that one sends */
	CNC_EVEN_DOWN, /* and gets */
	CNC_OFTEN,     /* contacts of a client in the time it was seen: log, 1 at 1000 */
	CNC_FREQUENT,  /* the same by the hour: 1 at 1000 */
	CNC_STEADY,    /* share of the window through which it goes on */
	CNC_HELD,      /* longest connection over the window, where hardly anything is said */
	CNC_THRIFT,    /* few bytes a contact: 1 at 64, 0 at 1 MiB */
	CNC_UPWARD,    /* what clients send of all bytes */
	CNC_SMALL_PACKETS,
	CNC_ODD_PORT, /* few services of the port are seen, of many services in all */
	CNC_ALONE,    /* its client asks few others at this port */
	CNC_RARE,     /* few of the clients seen ask it */
	CNC_SHARED,   /* clients that do: log, 1 at 1000 */
	CNC_IN_VAIN,  /* share of contacts without an answer, where it was once answered */
	CNC_MUTE,     /* never answered */
	CNC_ACTORS,   /* its clients scan or flood, more than others' do */
	CNC_ORDERED,  /* contacts just before its clients act */
	CNC_YOUNG,    /* first seen late in the window */
	CNC_DATAGRAM, /* UDP */
	CNC_BARE,     /* a packet each way and done */
	CNC_INFECTED, /* enrichment of known infected hosts among its clients */
	CNC_NEAR,     /* belief by the graph of clients and services */
	CNC_INSIDE,   /* it is one of ours */
	CNC_HOSTED,   /* and asked from outside: share of its clients that are */
	CNC_LONELY,   /* no other server of its network is seen */
	CNC_KIN,      /* a service of another host at the same rare port is suspect */
	CNC_SELECT,   /* its client asks few others at rare ports: no peer among peers */
	CNC_BEACON,   /* regular in time and in size, and often */
	CNC_UNBROKEN, /* a connection that was there before and after all that was seen, for hours */
	CNC_FEATURES,
};
extern const char *const cnc_feature_names[]; /* NULL-terminated */

/* What the learned ranking weighs: features, and scores of the detectors before it. */
enum { CNC_JUDGES = 5, CNC_INPUTS = CNC_FEATURES + CNC_JUDGES };

/* A service with what its pairs add up to. */
struct cnc_case {
	uint32_t service;
	uint32_t first_pair, pairs; /* in the order of cnc_cases.pairs */
	uint32_t clients, touches, first_ms, last_ms;
	uint32_t infected, actors, ordered; /* clients that are known, that act, that act upon contact */
	float longest_ms;
	double infected_chance; /* probability of so many infected by chance, corrected for the services tried */
	float up_bytes, down_bytes, packets;
	float shared_phase, shared_period_s;
	struct cnc_rhythm rhythm; /* of the most regular client */
	float features[CNC_FEATURES];
	float score, scores[8]; /* by detector */
};

/* What is known of hosts; borrowed. */
struct cnc_known {
	const uint8_t *marks; /* a client each, by number: CNC_MARK_* */
	const struct cnc_inside *inside;
	const struct cnc_actions *actions;
};

struct cnc_cases {
	const struct cnc_sight *sight;
	struct cnc_case *cases;
	uint32_t count;
	uint32_t *pairs;                    /* numbers of pairs, by service */
	uint32_t clients, actors, infected; /* in all */
	const struct cnc_known *known;
	const struct cnc_model *model; /* NULL: none */
	uint32_t tried;                /* services that an infected host asked */
	struct cnc_usual usual;
};

enum { CNC_MARK_INFECTED = 1, CNC_MARK_ACTOR = 2, CNC_MARK_INSIDE = 4 };

int cnc_cases_new(const struct cnc_sight *sight, const struct cnc_known *known, struct cnc_cases **ret_cases,
		  struct err *err) must_check;
/* 0..1: what a client's suspect behaviour tells of each service that it asks; little, where it asks very many. */
float cnc_client_weight(const struct cnc_cases *cases, uint32_t client);

void cnc_cases_free(struct cnc_cases *cases);
