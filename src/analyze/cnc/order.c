/* Order and action: what a server says to its bots, and what they do upon it. A flood or a scan of a client counts for
 * the services that it had contact with within the half minute before, the more so the less it has contact with them
 * otherwise, and the more clients do the same; an open connection that says little may have carried the order too.
 */
#include "analyze/cnc/detector.h"

#include <stdio.h>

static float order_score(const struct cnc_cases *cases, const struct cnc_case *item)
{
	(void)cases;
	return item->features[CNC_ORDERED];
}

static json_t *order_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	if (item->ordered) {
		snprintf(text->en, sizeof text->en,
			 "%u clients began a flood or a scan within half a minute of contact, or while connected; %u "
			 "of %u "
			 "clients do such things at all",
			 item->ordered, cases->actors, cases->clients);
		snprintf(text->ja, sizeof text->ja,
			 "接触から 30 秒以内または接続中に %u 台が攻撃・走査を始めた(そうした振る舞いは全 %u 台中 %u "
			 "台)",
			 item->ordered, cases->clients, cases->actors);
	} else {
		snprintf(text->en, sizeof text->en, "no client began a flood or a scan upon contact");
		snprintf(text->ja, sizeof text->ja, "接触の直後に攻撃・走査を始めた端末はない");
	}
	return json_pack("{s:i, s:i, s:i}", "acting_upon_contact", (int)item->ordered, "acting", (int)item->actors,
			 "clients", (int)item->clients);
}

const struct cnc_detector cnc_detector_order = {"order", order_score, order_explain};
