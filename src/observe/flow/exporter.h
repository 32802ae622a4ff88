/* What a collector remembers of one exporter: its templates, what its options said, and how well its messages come.
 *
 * Everything an exporter sends may be a lie, so everything kept of it is bounded, apart from others', and named by its
 * address, its format and its domain: one exporter can spoil only its own.
 */
#pragma once

#include "core/addr.h"
#include "wire/flow.h"

#include <stdbool.h>
#include <stdint.h>

enum { EXPORTER_TEMPLATES_MAX = 4096, EXPORTER_SAMPLERS_MAX = 256 };

struct exporter_figures {
	uint64_t messages, bytes, records, templates, options;
	uint64_t waiting;  /* data sets that came before their template */
	uint64_t lost;     /* messages (v9, sFlow) or records (v5, IPFIX) missing by the sequence numbers */
	uint64_t late;     /* messages that came after later ones */
	uint64_t restarts; /* the sequence or the exporter's clock began anew */
	uint64_t counters, unknown, without_ip; /* sFlow: struct flow_samples */
	uint64_t faults[FLOW_FAULTS];
	uint32_t sampling;         /* of the last record: one packet in so many */
	int64_t first_ns, last_ns; /* when messages came */
	int64_t skew_ns;           /* the exporter's clock against ours in the last message; 0 for sFlow */
};

struct exporter_template {
	struct flow_plan plan;
	struct flow_template *form; /* as it came; owned; NULL: withdrawn */
};

struct exporter {
	struct addr address;
	enum flow_format format;
	uint32_t domain;
	struct exporter_figures figures;

	struct exporter_template **templates; /* by id, open addressing; NULL: free */
	uint32_t template_count, template_room;

	uint32_t sampling; /* one packet in so many; 0 unknown */
	struct exporter_sampler {
		uint32_t id, sampling;
	} * samplers;
	uint32_t sampler_count;
	int64_t boot_ns;

	struct {
		uint32_t number, records, options, uptime_ms; /* of the last message; options among the records */
		unsigned way;                                 /* how it counts, see exporter.c */
		bool is_known;
	} sequence;
};

void exporter_done(struct exporter *exporter);

/* NULL: none, or withdrawn. */
struct exporter_template *exporter_template_find(const struct exporter *exporter, uint16_t id);
/* Keeps a plan of the template, in the place of an earlier one. 0; -ENOMEM; -E2BIG: it has too many; -EINVAL. */
int exporter_template_put(struct exporter *exporter, const struct flow_template *template);
void exporter_template_withdraw(struct exporter *exporter, const struct flow_template *template);

/* What an options record said. -ENOMEM. */
int exporter_option_put(struct exporter *exporter, const struct flow_option *option);
/* 1 where nothing is known. */
uint32_t exporter_sampling(const struct exporter *exporter, uint32_t sampler);

/* Templates, samplings and when it began, as another remembers them. -ENOMEM. */
int exporter_recall(struct exporter *exporter, const struct exporter *remembered);

/* Compare a message's sequence number with what was expected; `records` it held (-1: not all could be counted), of
 * them `options` records of options. */
void exporter_sequence(struct exporter *exporter, const struct flow_message *message, int64_t records,
		       uint64_t options);
