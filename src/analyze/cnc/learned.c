/* The learned ranking as a ground: which measures speak for command and control, and which against, by what each adds.
 */
#include "analyze/cnc/detector.h"
#include "analyze/cnc/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOLD = 3 };

static const struct {
	const char *en, *ja;
} words[CNC_INPUTS] = {
	[CNC_REGULAR] = {"regular contact", "接触の規則性"},
	[CNC_EVEN_UP] = {"requests of one size", "要求の大きさが一定"},
	[CNC_EVEN_DOWN] = {"answers of one size", "応答の大きさが一定"},
	[CNC_OFTEN] = {"many contacts", "接触の多さ"},
	[CNC_FREQUENT] = {"contacts by the hour", "接触の頻度"},
	[CNC_STEADY] = {"goes on throughout", "期間を通じて続く"},
	[CNC_HELD] = {"long connection", "長い接続"},
	[CNC_THRIFT] = {"few bytes a contact", "1 回のバイト数の少なさ"},
	[CNC_UPWARD] = {"clients send most", "端末からの送信が主"},
	[CNC_SMALL_PACKETS] = {"small packets", "小さなパケット"},
	[CNC_ODD_PORT] = {"rare port", "珍しいポート"},
	[CNC_ALONE] = {"only one at this port", "同じポートの相手がほかにない"},
	[CNC_RARE] = {"few ask it", "利用する端末の少なさ"},
	[CNC_SHARED] = {"number of clients", "端末の数"},
	[CNC_IN_VAIN] = {"contacts in vain", "応答のない接触"},
	[CNC_MUTE] = {"never answers", "一度も応答がない"},
	[CNC_ACTORS] = {"clients attack or scan", "端末が攻撃・走査をしている"},
	[CNC_ORDERED] = {"attacks upon contact", "接触直後の攻撃"},
	[CNC_YOUNG] = {"new", "新しさ"},
	[CNC_DATAGRAM] = {"UDP", "UDP"},
	[CNC_BARE] = {"single packets", "単発のパケット"},
	[CNC_INFECTED] = {"infected clients", "感染端末の接触"},
	[CNC_NEAR] = {"suspect company", "疑わしいつながり"},
	[CNC_INSIDE] = {"one of ours", "内部のホスト"},
	[CNC_LONELY] = {"no neighbour is used", "同じ網にほかの相手がない"},
	[CNC_KIN] = {"a like server is suspect", "同じポートの別サーバーが疑わしい"},
	[CNC_SELECT] = {"few rare ports besides", "ほかに珍しいポートを使わない"},
	[CNC_HOSTED] = {"asked from outside", "外部からの利用"},
};

static float learned_score(const struct cnc_cases *cases, const struct cnc_case *item)
{
	return cases->model ? cnc_model_score(cases->model, item) : 0;
}

static const char *word_of(size_t input, bool japanese)
{
	if (input >= CNC_FEATURES)
		return cnc_detectors[input - CNC_FEATURES]->name;
	return japanese ? words[input].ja : words[input].en;
}

/* The inputs that add most (sign 1) or take most away (-1), the first of them first. */
static size_t inputs_most(const float *added, float sign, size_t *inputs)
{
	size_t count = 0;
	bool taken[CNC_INPUTS] = {false};
	while (count < TOLD) {
		size_t best = CNC_INPUTS;
		for (size_t i = 0; i < CNC_INPUTS; i++)
			if (!taken[i] && sign * added[i] > 0.1f &&
			    (best == CNC_INPUTS || sign * added[i] > sign * added[best]))
				best = i;
		if (best == CNC_INPUTS)
			break;
		taken[best] = true;
		inputs[count++] = best;
	}
	return count;
}

static void list_write(char *text, size_t bytes, const size_t *inputs, size_t count, const float *added, bool japanese)
{
	size_t at = 0;
	for (size_t i = 0; i < count && at < bytes; i++)
		at += (size_t)snprintf(text + at, bytes - at, "%s%s %+.1f", i ? (japanese ? "、" : ", ") : "",
				       word_of(inputs[i], japanese), (double)added[inputs[i]]);
	if (count == 0)
		snprintf(text, bytes, "%s", japanese ? "なし" : "nothing");
}

static json_t *learned_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	float added[CNC_INPUTS] = {0};
	size_t most[TOLD];
	char good[CNC_TEXT_BYTES / 3], bad[CNC_TEXT_BYTES / 3];
	json_t *contributions = json_object();
	for (size_t i = 0; cases->model && i < CNC_INPUTS; i++) {
		char name[32];
		added[i] = cases->model->weights[i] * cnc_input(item, i);
		snprintf(name, sizeof name, i < CNC_FEATURES ? "%s" : "%s!",
			 i < CNC_FEATURES ? cnc_feature_names[i] : cnc_detectors[i - CNC_FEATURES]->name);
		if (fabsf(added[i]) >= 0.005f)
			json_object_set_new(contributions, name, json_real((double)added[i]));
	}
	for (int japanese = 0; japanese < 2; japanese++) {
		list_write(bad, sizeof bad, most, inputs_most(added, 1, most), added, japanese);
		list_write(good, sizeof good, most, inputs_most(added, -1, most), added, japanese);
		snprintf(japanese ? text->ja : text->en, CNC_TEXT_BYTES,
			 japanese ? "C&C らしさ: %s。反対の材料: %s" : "for: %s; against: %s", bad, good);
	}
	return json_pack("{s:f, s:o}", "offset", cases->model ? (double)cases->model->offset : 0.0, "contributions",
			 contributions);
}

const struct cnc_detector cnc_detector_learned = {"learned", learned_score, learned_explain};
