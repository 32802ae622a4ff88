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
} words[CNC_FEATURES] = {
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
	[CNC_BEACON] = {"a beacon", "ビーコン"},
	[CNC_UNBROKEN] = {"never breaks", "途切れない接続"},
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

/* The terms that add most (sign 1) or take most away (-1), the first of them first. */
static size_t terms_most(const float *added, size_t count, float sign, size_t *terms)
{
	size_t found = 0;
	bool taken[CNC_TERMS_MAX] = {false};
	while (found < TOLD) {
		size_t best = count;
		for (size_t i = 0; i < count; i++)
			if (!taken[i] && sign * added[i] > 0.1f &&
			    (best == count || sign * added[i] > sign * added[best]))
				best = i;
		if (best == count)
			break;
		taken[best] = true;
		terms[found++] = best;
	}
	return found;
}

static void list_write(char *text, size_t bytes, const struct cnc_model *model, const float *added, float sign,
		       bool japanese)
{
	size_t at = 0, terms[TOLD], count = model ? terms_most(added, model->count, sign, terms) : 0;
	for (size_t i = 0; i < count && at < bytes; i++) {
		const struct cnc_term *term = &model->terms[terms[i]];
		bool two = term->second < CNC_INPUTS;
		at += (size_t)snprintf(text + at, bytes - at, "%s%s%s%s %+.1f", i ? (japanese ? "、" : ", ") : "",
				       word_of(term->first, japanese), two ? (japanese ? "かつ" : " and ") : "",
				       two ? word_of(term->second, japanese) : "", (double)added[terms[i]]);
	}
	if (count == 0)
		snprintf(text, bytes, "%s", japanese ? "なし" : "nothing");
}

static json_t *learned_explain(const struct cnc_cases *cases, const struct cnc_case *item, struct cnc_text *text)
{
	const struct cnc_model *model = cases->model;
	float added[CNC_TERMS_MAX] = {0};
	char good[CNC_TEXT_BYTES / 2 - 50], bad[CNC_TEXT_BYTES / 2 - 50], name[CNC_TERM_BYTES];
	json_t *contributions = json_object();
	for (uint32_t i = 0; model && i < model->count; i++) {
		added[i] = cnc_term_adds(&model->terms[i], item);
		if (fabsf(added[i]) >= 0.005f)
			json_object_set_new(contributions, cnc_term_name(&model->terms[i], name),
					    json_real((double)added[i]));
	}
	for (int japanese = 0; japanese < 2; japanese++) {
		list_write(bad, sizeof bad, model, added, 1, japanese);
		list_write(good, sizeof good, model, added, -1, japanese);
		snprintf(japanese ? text->ja : text->en, CNC_TEXT_BYTES,
			 japanese ? "C&C らしさ: %s。反対の材料: %s" : "for: %s; against: %s", bad, good);
	}
	return json_pack("{s:f, s:o}", "offset", model ? (double)model->offset : 0.0, "contributions", contributions);
}

const struct cnc_detector cnc_detector_learned = {"learned", learned_score, learned_explain};
