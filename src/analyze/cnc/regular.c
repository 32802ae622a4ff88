/* Regular contact: beacons by their rhythm and even sizes, single long connections by how little they say for how long,
 * and beacons of which sampling left each client's only a few, by what the clients have in common.
 *
 * Time servers, push services and updates are regular too. They are told apart by what they are beside that: one of
 * many alike that the client asks (time servers), rarely asked (updates), exchanges of a single packet each way.
 */
#include "analyze/cnc/detector.h"

#include <stdio.h>

static float innocent(const float *features)
{
	float one_of_many = 1 - features[CNC_ALONE];
	float bare = features[CNC_DATAGRAM] * features[CNC_BARE];
	return one_of_many > bare ? one_of_many : bare;
}

static float beacon(const struct cnc_case *item)
{
	return item->features[CNC_BEACON];
}

static float held(const struct cnc_case *item)
{
	return item->features[CNC_HELD];
}

static float regular_score(const struct cnc_cases *cases, const struct cnc_case *item)
{
	(void)cases;
	float most = beacon(item) > held(item) ? beacon(item) : held(item);
	most = item->shared_phase > most ? item->shared_phase : most;
	return most * (1 - 0.7f * innocent(item->features));
}

static void held_text(const struct cnc_case *item, struct cnc_text *text)
{
	char span[16];
	float seconds = item->longest_ms / 1000;
	cnc_span_format(seconds, span);
	float pace = (item->up_bytes + item->down_bytes) / (seconds > 1 ? seconds : 1);
	snprintf(text->en, sizeof text->en, "a connection was held for %s at only %.1f bytes a second", span, pace);
	snprintf(text->ja, sizeof text->ja, "毎秒わずか %.1f バイトのまま、接続が %s 維持された", pace, span);
}

static void shared_text(const struct cnc_case *item, struct cnc_text *text)
{
	char span[16];
	cnc_span_format(item->shared_period_s, span);
	snprintf(text->en, sizeof text->en, "what was seen of %u clients fits a common rhythm of %s", item->clients,
		 span);
	snprintf(text->ja, sizeof text->ja, "%u 台の接触の断片が、共通の周期 %s に合う", item->clients, span);
}

static void beacon_text(const struct cnc_case *item, struct cnc_text *text)
{
	const struct cnc_rhythm *rhythm = &item->rhythm;
	char span[16];
	if (rhythm->beats < 4) {
		snprintf(text->en, sizeof text->en, "too few contacts to speak of regularity");
		snprintf(text->ja, sizeof text->ja, "接触が少なく、規則性は判断できない");
		return;
	}
	cnc_span_format(rhythm->period_s, span);
	snprintf(text->en, sizeof text->en,
		 "contacts every %s, give or take %.0f %%; %.0f %% of requests and %.0f %% of answers of the same size",
		 span, rhythm->spread * 100, rhythm->even_up * 100, rhythm->even_down * 100);
	snprintf(text->ja, sizeof text->ja,
		 "%s ごとに接触(ゆらぎ %.0f %%)。要求の %.0f %%、応答の %.0f %% が同じ大きさ", span,
		 rhythm->spread * 100, rhythm->even_up * 100, rhythm->even_down * 100);
}

static json_t *regular_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	const struct cnc_rhythm *rhythm = &item->rhythm;
	(void)cases;
	if (item->shared_phase > beacon(item) && item->shared_phase > held(item))
		shared_text(item, text);
	else if (held(item) > beacon(item))
		held_text(item, text);
	else
		beacon_text(item, text);
	return json_pack("{s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "beats", (int)rhythm->beats, "period_s",
			 (double)rhythm->period_s, "spread", (double)rhythm->spread, "phase", (double)rhythm->phase,
			 "even_up", (double)rhythm->even_up, "even_down", (double)rhythm->even_down, "up_bytes",
			 (double)rhythm->up_bytes, "down_bytes", (double)rhythm->down_bytes, "longest_s",
			 (double)item->longest_ms / 1000);
}

const struct cnc_detector cnc_detector_regular = {"regular", regular_score, regular_explain};
