/* Spread on the graph: who asks a bad service is suspect, and so is what suspects ask but others do not. Belief goes
 * from the known (hosts told infected, servers told bad, hosts that flood or scan) to services and back a few times,
 * after the linear form of belief propagation (Koutra et al. 2011, FaBP), with one change: a service believes the mean
 * of its clients over what the mean of all clients is, so that what everybody asks learns nothing from a few. Services
 * at the same rare port are kin.
 */
#include "analyze/cnc/spread.h"

#include "analyze/cnc/detector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 4 };

static const float infected_prior = 0.95f, actor_prior = 0.6f;
static const float passed_on = 0.5f;     /* of a service's belief to a client */
static const float doubt_clients = 1.5f; /* unsuspected clients that every service is taken to have */

static float prior_of(const struct cnc_cases *cases, uint32_t client)
{
	uint8_t marks = cases->known->marks[client];
	return marks & CNC_MARK_INFECTED ? infected_prior
	       : marks & CNC_MARK_ACTOR  ? actor_prior * cnc_client_weight(cases, client)
					 : 0;
}

static float services_believe(struct cnc_cases *cases, const float *clients, float usual)
{
	float most = 0;
	for (uint32_t i = 0; i < cases->count; i++) {
		struct cnc_case *item = &cases->cases[i];
		float sum = 0;
		for (uint32_t p = 0; p < item->pairs; p++)
			sum += clients[cnc_pair_at(cases->sight, cases->pairs[item->first_pair + p])->client];
		float mean = sum / ((float)item->pairs + doubt_clients);
		float over = usual < 1 ? (mean - usual) / (1 - usual) : 0;
		item->features[CNC_NEAR] = over > 0 ? over : 0;
		most = over > most ? over : most;
	}
	return most;
}

int cnc_spread(struct cnc_cases *cases)
{
	uint32_t count = cases->sight->clients.count;
	float *clients = calloc((size_t)count + 1, sizeof *clients);
	if (!clients)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		clients[i] = prior_of(cases, i);
	for (int round = 0; round < ROUNDS; round++) {
		double sum = 0;
		for (uint32_t i = 0; i < count; i++)
			sum += (double)clients[i];
		if (sum == 0 || services_believe(cases, clients, (float)(sum / count)) <= 0)
			break;
		for (uint32_t i = 0; i < cases->count && round + 1 < ROUNDS; i++) {
			const struct cnc_case *item = &cases->cases[i];
			for (uint32_t p = 0; p < item->pairs; p++) {
				float *client =
					&clients[cnc_pair_at(cases->sight, cases->pairs[item->first_pair + p])->client];
				float told = passed_on * item->features[CNC_NEAR];
				*client = *client > told ? *client : told;
			}
		}
	}
	free(clients);
	return 0;
}

static float spread_score(const struct cnc_cases *cases, const struct cnc_case *item)
{
	(void)cases;
	return item->features[CNC_NEAR];
}

static json_t *spread_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	(void)cases;
	float near = item->features[CNC_NEAR];
	snprintf(text->en, sizeof text->en, "its clients keep suspect company: belief %.2f over what is usual",
		 (double)near);
	snprintf(text->ja, sizeof text->ja, "接触する端末が疑わしい相手とつながっている(通常を上回る確信度 %.2f)",
		 (double)near);
	return json_pack("{s:f, s:i, s:i}", "belief", (double)near, "infected", (int)item->infected, "acting",
			 (int)item->actors);
}

const struct cnc_detector cnc_detector_spread = {"spread", spread_score, spread_explain};
