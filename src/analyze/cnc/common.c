/* Common contact of the infected: of hosts that are known to be infected, more ask this service than chance allows. The
 * chance is the hypergeometric distribution's upper tail, times the number of services that were asked by any of them
 * (Bonferroni), since among many services some would look telling by luck.
 */
#include "analyze/cnc/detector.h"

#include <math.h>
#include <stdio.h>

static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* Of `all` clients `infected_all` are infected; a service's `clients` hold `infected` or more of them by chance. */
double cnc_common_chance(uint32_t all, uint32_t infected_all, uint32_t clients, uint32_t infected)
{
	double chance = 0, whole = log_choose(all, clients);
	uint32_t most = clients < infected_all ? clients : infected_all;
	if (infected == 0 || clients > all || infected_all > all)
		return 1;
	for (uint32_t k = infected; k <= most; k++) {
		if (clients - k > all - infected_all)
			continue;
		double part = exp(log_choose(infected_all, k) + log_choose(all - infected_all, clients - k) - whole);
		chance += part;
		if (part < chance * 1e-9)
			break;
	}
	return chance < 1 ? chance : 1;
}

static float common_score(const struct cnc_cases *cases, const struct cnc_case *item)
{
	(void)cases;
	return item->features[CNC_INFECTED];
}

static json_t *common_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	if (cases->infected == 0) {
		snprintf(text->en, sizeof text->en, "no infected hosts are known");
		snprintf(text->ja, sizeof text->ja, "感染ホストの情報が与えられていない");
	} else {
		snprintf(text->en, sizeof text->en,
			 "%u of its %u clients are known to be infected, of %u among %u in all; by chance %.1g",
			 item->infected, item->clients, cases->infected, cases->clients, item->infected_chance);
		snprintf(text->ja, sizeof text->ja,
			 "接触した %u 台のうち %u 台が感染済み(全体では %u 台中 %u 台)。偶然である確率 %.1g",
			 item->clients, item->infected, cases->clients, cases->infected, item->infected_chance);
	}
	return json_pack("{s:i, s:i, s:i, s:i, s:f}", "infected", (int)item->infected, "clients", (int)item->clients,
			 "infected_in_all", (int)cases->infected, "clients_in_all", (int)cases->clients, "chance",
			 item->infected_chance);
}

const struct cnc_detector cnc_detector_common = {"common", common_score, common_explain};
