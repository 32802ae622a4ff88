/* Many to one, quiet: a service that hardly anyone else uses, at a port that hardly any other service has, to which its
 * clients return with small messages, sending as much as they get. Nothing in it is regular, so that it finds what
 * jitters on purpose; and nothing is asked of the port but how common it is here.
 */
#include "analyze/cnc/detector.h"

#include <stdio.h>

static float balance(const float *features)
{
	float upward = features[CNC_UPWARD];
	return upward < 0.5f ? upward * 2 : 1;
}

static float quiet_score(const struct cnc_cases *cases, const struct cnc_case *item)
{
	const float *features = item->features;
	(void)cases;
	float odd = features[CNC_ODD_PORT] * features[CNC_ALONE] * features[CNC_RARE];
	float small = features[CNC_THRIFT] * (0.4f + 0.6f * balance(features));
	float returns = 0.4f * features[CNC_OFTEN] + 0.6f * features[CNC_STEADY];
	float single = features[CNC_DATAGRAM] * features[CNC_BARE];
	return odd * small * returns * (1 - 0.7f * single) * (1 - features[CNC_MUTE]) * 1.5f;
}

static json_t *quiet_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	const struct cnc_service *service = cnc_service_at(cases->sight, item->service);
	uint32_t alike = cases->usual.port_services[cnc_port_index(service)];
	float each = (item->up_bytes + item->down_bytes) / (float)item->touches;
	float upward = item->features[CNC_UPWARD] * 100;
	snprintf(text->en, sizeof text->en,
		 "%u of %u clients return with %.0f bytes a contact, %.0f %% of it sent by them, to a port that %u of "
		 "%u "
		 "services have",
		 item->clients, cases->clients, each, upward, alike, cases->sight->services.count);
	snprintf(text->ja, sizeof text->ja,
		 "%u 台(全 %u 台中)が 1 回 %.0f バイト(送信 %.0f %%)の小さな接触を重ねる。このポートは %u / %u "
		 "サービスだけ",
		 item->clients, cases->clients, each, upward, alike, cases->sight->services.count);
	return json_pack("{s:i, s:f, s:f, s:i, s:i, s:f}", "contacts", (int)item->touches, "bytes_each", (double)each,
			 "upward", (double)upward / 100, "services_of_port", (int)alike, "services",
			 (int)cases->sight->services.count, "steady", (double)item->features[CNC_STEADY]);
}

const struct cnc_detector cnc_detector_quiet = {"quiet", quiet_score, quiet_explain};
