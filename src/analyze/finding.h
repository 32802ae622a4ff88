/* Writing findings: rows of record_finding, each with the rule that made it, the rule's version and its ground. */
#pragma once

#include "core/err.h"
#include "record/batch.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

struct finding {
	const char *id; /* stable: the same observations give the same id */
	int64_t time_ns;
	enum finding_type type;
	enum severity severity;
	const char *subject;
	int64_t first_ns, last_ns;
	bool ended;
	uint64_t packets;
	double score;
	const char *rule;
	uint16_t rule_version;
	uint32_t member; /* 0: none in particular */
	enum livenet_verdict verdict;
	bool again; /* said before under this id: continuing, unless ended */
};

/* Findings on their way to a sink; full batches go by themselves. */
struct findings {
	struct sink *sink; /* borrowed */
	struct batch *batch;
	uint64_t count; /* ever put */
};

int findings_init(struct findings *findings, struct sink *sink) must_check; /* 0, -ENOMEM */
void findings_done(struct findings *findings);                              /* what was not flushed is lost */

/* Add a row. `ground` is consumed, also on failure; it is an object and gets "rule" and "version". -ENOMEM, or what the
 * sink says when a full batch does not go. */
int findings_put(struct findings *findings, const struct finding *finding, json_t *ground, struct err *err) must_check;
int findings_flush(struct findings *findings, struct err *err) must_check;

/* "tcp/23", "udp/53", "icmp/8.0", "47" (a protocol without ports). Returns text. */
#define PORT_TEXT_BYTES 24
const char *port_format(uint8_t protocol, uint16_t port, char text[PORT_TEXT_BYTES]);

/* "JP", or "ZZ" for 0. Returns text. */
const char *country_format(uint16_t country, char text[3]);

/* The command that derives a finding again: `yagura query KIND --where WHERE --from .. --to ..`, `to` being the end of
 * the span that holds last_ns. A new JSON string, or NULL. */
json_t *derive_command(const char *kind, const char *where, int64_t first_ns, int64_t last_ns, int64_t span_ns);

json_t *json_time(int64_t time_ns);
