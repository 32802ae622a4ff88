/* Servers of one botnet keep to one port; where hardly any other service has it, that makes them kin, and what is sure
 * of one is a hint at the other. Needs scores: the ranking is done once without, and once with what this adds.
 */
#include "analyze/cnc/spread.h"

#include <errno.h>
#include <stdlib.h>

/* Of each port the most suspect service, and the most suspect of another address. */
struct kin {
	float best, second;
	uint32_t best_case;
};

static const struct addr *address_of(const struct cnc_cases *cases, uint32_t item)
{
	return &cnc_service_at(cases->sight, cases->cases[item].service)->addr;
}

static void kin_note(const struct cnc_cases *cases, struct kin *kin, uint32_t item)
{
	float score = cases->cases[item].score;
	bool other = kin->best == 0 || !addr_same(address_of(cases, item), address_of(cases, kin->best_case));
	if (score > kin->best) {
		kin->second = other ? kin->best : kin->second;
		kin->best = score;
		kin->best_case = item;
	} else if (other && score > kin->second) {
		kin->second = score;
	}
}

int cnc_kin_find(struct cnc_cases *cases)
{
	struct kin *kin = calloc(CNC_PORTS, sizeof *kin);
	if (!kin)
		return -ENOMEM;
	for (uint32_t i = 0; i < cases->count; i++)
		kin_note(cases, &kin[cnc_port_index(cnc_service_at(cases->sight, cases->cases[i].service))], i);
	for (uint32_t i = 0; i < cases->count; i++) {
		float *features = cases->cases[i].features;
		const struct kin *of = &kin[cnc_port_index(cnc_service_at(cases->sight, cases->cases[i].service))];
		bool own = of->best > 0 && addr_same(address_of(cases, i), address_of(cases, of->best_case));
		features[CNC_KIN] = features[CNC_ODD_PORT] * (own ? of->second : of->best);
	}
	free(kin);
	return 0;
}
