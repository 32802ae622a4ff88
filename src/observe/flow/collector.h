/* The collector: datagrams of exporters in, batches of flows out. It opens nothing and knows no clock; who receives
 * datagrams says from whom and when each came.
 */
#pragma once

#include "core/err.h"
#include "observe/flow/exporter.h"
#include "observe/flow/pseudonym.h"
#include "record/batch.h"

struct collector;

struct collector_options {
	uint16_t sensor;
	uint32_t exporters_max;                  /* 0: 65,536 */
	const struct pseudonym_keys *pseudonyms; /* borrowed; NULL: addresses are kept as they come */
};

/* Batches go to the sink, which is borrowed. -ENOMEM. */
int collector_new(const struct collector_options *options, struct sink *sink, struct collector **ret_collector,
		  struct err *err) must_check;
void collector_free(struct collector *collector); /* NULL is fine */

/* Where its batches go, for flows that come ready-made. */
struct sink *collector_sink(const struct collector *collector);

/* One datagram. What is wrong with it is counted at its exporter; negative only where the sink or memory fails. */
int collector_feed(struct collector *collector, const struct addr *from, const void *data, size_t bytes,
		   int64_t arrived_ns, struct err *err) must_check;

/* What an earlier collector knew of an exporter: its address, format and domain, templates and samplings. -ENOMEM. */
int collector_recall(struct collector *collector, const struct exporter *remembered, struct err *err) must_check;

/* Hand out the batch that is being filled. */
int collector_flush(struct collector *collector, struct err *err) must_check;

/* Exporters in the order in which they were first heard of. Valid until the next call that feeds. */
size_t collector_exporters(const struct collector *collector);
const struct exporter *collector_exporter(const struct collector *collector, size_t number);

/* Datagrams that belong to no exporter: of no known format, or of one exporter too many. */
struct collector_figures {
	uint64_t datagrams, strange, too_many;
};
const struct collector_figures *collector_figures(const struct collector *collector);
