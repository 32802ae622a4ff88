/* Belief that spreads over the graph of clients and services. */
#pragma once

#include "analyze/cnc/cases.h"

/* Fills features[CNC_NEAR] of every case. 0, -ENOMEM. */
int cnc_spread(struct cnc_cases *cases) must_check;

/* Fills features[CNC_KIN] of every case from the scores that they have. 0, -ENOMEM. */
int cnc_kin_find(struct cnc_cases *cases) must_check;
