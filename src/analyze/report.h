/* What `yagura telescope read --json` says beyond the telescope's own counters: countries, networks, victims and
 * campaigns, with exact sums and exact distinct sources (a hash set of every source: 8 bytes a slot for IPv4, so that
 * tens of millions fit).
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"
#include "record/batch.h"

#include <jansson.h>
#include <stdint.h>

struct report;

struct report *report_new(struct pool *parent); /* NULL: out of memory */
void report_free(struct report *report);        /* NULL is fine */

/* Batches of record_tuple (country and network joined before) and of record_finding; other kinds are passed over.
 * -ENOMEM with a sentence. */
int report_take(struct report *report, const struct batch *batch, struct err *err) must_check;

/* The same as a sink, for detectors to write to. Lives as long as the report. */
struct sink *report_sink(struct report *report);

uint64_t report_sources(const struct report *report); /* distinct */

/* {"countries": [{country, packets, sources}], "networks": [{network, name, packets, sources}],
 *  "victims": [{address, packets, first, last, ports}], "campaigns": [{id, ports, tool, fingerprint, sources, sample,
 *  first, last, packets, countries}], "findings": {type: count}}, each list by packets downwards. Countries are "JP",
 * "ZZ" where unknown; networks "AS2907", "AS0" where unknown. `network_name` may be NULL. NULL: out of memory. */
typedef const char *report_name_fn(const void *context, uint32_t network);
json_t *report_json(const struct report *report, report_name_fn *network_name, const void *context);
