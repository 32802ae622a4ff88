/* Findings as rows. The ground is JSON because every rule has other observations to show, and readers of a page, of the
 * API and of an export must all be able to look at it without knowing the rule.
 */
#include "analyze/finding.h"

#include "analyze/limits.h"
#include "core/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum finding_column {
	COLUMN_ID_,
	COLUMN_TIME_,
	COLUMN_TYPE_,
	COLUMN_SEVERITY_,
	COLUMN_SUBJECT_,
	COLUMN_FIRST_,
	COLUMN_LAST_,
	COLUMN_ENDED_,
	COLUMN_PACKETS_,
	COLUMN_SCORE_,
	COLUMN_RULE_,
	COLUMN_RULE_VERSION_,
	COLUMN_GROUND_,
	COLUMN_MEMBER_,
	COLUMN_VERDICT_,
	COLUMN_STATE_,
};

int findings_init(struct findings *findings, struct sink *sink)
{
	*findings = (struct findings){.sink = sink, .batch = batch_new(&record_finding, FINDINGS_BATCH_ROWS)};
	return findings->batch ? 0 : -ENOMEM;
}

void findings_done(struct findings *findings)
{
	batch_free(findings->batch);
	findings->batch = NULL;
}

int findings_flush(struct findings *findings, struct err *err)
{
	if (!findings->batch->rows)
		return 0;
	int code = findings->sink->put(findings->sink, findings->batch, err);
	if (code >= 0)
		batch_clear(findings->batch);
	return code < 0 ? code : 0;
}

enum { ID_BYTES = 192 };

/* An id is a part of addresses; proxies do not carry a '/' there, however escaped. */
static struct text id_text(struct batch *batch, const char *id)
{
	char plain[ID_BYTES];
	size_t length = 0;
	for (; id[length] && length < sizeof plain; length++)
		plain[length] = id[length] == '/' ? '-' : id[length];
	return batch_text(batch, plain, length);
}

static int put_row(struct batch *batch, const struct finding *finding, const char *ground)
{
	struct text id = id_text(batch, finding->id);
	struct text subject = batch_text(batch, finding->subject, strlen(finding->subject));
	struct text rule = batch_text(batch, finding->rule, strlen(finding->rule));
	struct text json = batch_text(batch, ground, strlen(ground));
	if (!id.bytes || !subject.bytes || !rule.bytes || !json.bytes)
		return -ENOMEM;
	uint32_t row = batch->rows;
	BATCH_COLUMN(batch, struct text, COLUMN_ID_)[row] = id;
	BATCH_COLUMN(batch, int64_t, COLUMN_TIME_)[row] = finding->time_ns;
	BATCH_COLUMN(batch, uint8_t, COLUMN_TYPE_)[row] = (uint8_t)finding->type;
	BATCH_COLUMN(batch, uint8_t, COLUMN_SEVERITY_)[row] = (uint8_t)finding->severity;
	BATCH_COLUMN(batch, struct text, COLUMN_SUBJECT_)[row] = subject;
	BATCH_COLUMN(batch, int64_t, COLUMN_FIRST_)[row] = finding->first_ns;
	BATCH_COLUMN(batch, int64_t, COLUMN_LAST_)[row] = finding->last_ns;
	BATCH_COLUMN(batch, uint8_t, COLUMN_ENDED_)[row] = finding->ended;
	BATCH_COLUMN(batch, uint64_t, COLUMN_PACKETS_)[row] = finding->packets;
	BATCH_COLUMN(batch, double, COLUMN_SCORE_)[row] = finding->score;
	BATCH_COLUMN(batch, struct text, COLUMN_RULE_)[row] = rule;
	BATCH_COLUMN(batch, uint16_t, COLUMN_RULE_VERSION_)[row] = finding->rule_version;
	BATCH_COLUMN(batch, struct text, COLUMN_GROUND_)[row] = json;
	BATCH_COLUMN(batch, uint32_t, COLUMN_MEMBER_)[row] = finding->member;
	BATCH_COLUMN(batch, uint8_t, COLUMN_VERDICT_)[row] = (uint8_t)finding->verdict;
	enum finding_state state = finding->ended ? STATE_ENDED : finding->again ? STATE_CONTINUING : STATE_NEW;
	BATCH_COLUMN(batch, uint8_t, COLUMN_STATE_)[row] = (uint8_t)state;
	batch->rows++;
	return 0;
}

int findings_put(struct findings *findings, const struct finding *finding, json_t *ground, struct err *err)
{
	int code = 0;
	if (findings->batch->rows == findings->batch->capacity)
		code = findings_flush(findings, err);
	if (code < 0) {
		json_decref(ground);
		return code;
	}
	char *text = NULL;
	if (ground && json_object_set_new(ground, "rule", json_string(finding->rule)) == 0 &&
	    json_object_set_new(ground, "version", json_integer(finding->rule_version)) == 0)
		text = json_dumps(ground, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(ground);
	code = text ? put_row(findings->batch, finding, text) : -ENOMEM;
	free(text);
	if (code < 0)
		return err_set(err, code, "no memory for the finding %s", finding->id);
	findings->count++;
	return 0;
}

const char *port_format(uint8_t protocol, uint16_t port, char text[PORT_TEXT_BYTES])
{
	switch (protocol) {
	case IPPROTO_TCP:
		snprintf(text, PORT_TEXT_BYTES, "tcp/%u", port);
		break;
	case IPPROTO_UDP:
		snprintf(text, PORT_TEXT_BYTES, "udp/%u", port);
		break;
	case IPPROTO_SCTP:
		snprintf(text, PORT_TEXT_BYTES, "sctp/%u", port);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		snprintf(text, PORT_TEXT_BYTES, "%s/%u.%u", protocol == IPPROTO_ICMP ? "icmp" : "icmpv6", port >> 8,
			 port & 255);
		break;
	default:
		snprintf(text, PORT_TEXT_BYTES, "%u", protocol);
	}
	return text;
}

const char *country_format(uint16_t country, char text[3])
{
	text[0] = country ? (char)(country >> 8) : 'Z';
	text[1] = country ? (char)(country & 0xff) : 'Z';
	text[2] = '\0';
	return text;
}

json_t *json_time(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];
	return json_string(time_format(time_ns, text));
}

json_t *derive_command(const char *kind, const char *where, int64_t first_ns, int64_t last_ns, int64_t span_ns)
{
	char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	time_format(time_floor(first_ns, span_ns), from);
	time_format(time_floor(last_ns, span_ns) + span_ns, to);
	return json_sprintf("yagura query %s --where %s --from %s --to %s", kind, where, from, to);
}
