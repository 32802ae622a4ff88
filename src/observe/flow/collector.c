/* See collector.h. A message is read in its order: its templates serve the sets behind them. */
#include "observe/flow/collector.h"

#include "core/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 8192, EXPORTERS_MAX = 65536, OWN_COLUMNS = 3, ROOM_LEAST = 64 };

struct collector {
	struct collector_options options;
	struct sink *sink, *pseudonyms; /* pseudonyms: stands before it; NULL: does not */
	struct batch *batch;
	uint32_t samplers[BATCH_ROWS]; /* what no column keeps */
	struct flow_columns columns;
	struct flow_plan v5;
	struct flow_template template; /* being read */
	struct exporter **exporters;   /* in order of appearance */
	uint32_t *slots;               /* number + 1; 0 free */
	uint32_t count, room;          /* slots: twice the room */
	struct collector_figures figures;
};

/* Columns of the record from the fourth on are the decoder's, in its order. */
static void columns_point(struct collector *collector)
{
	for (unsigned field = 0; field < FLOW_SAMPLER; field++)
		collector->columns.columns[field] = collector->batch->columns[OWN_COLUMNS + field];
	collector->columns.columns[FLOW_SAMPLER] = collector->samplers;
	collector->columns.room = BATCH_ROWS;
}

int collector_new(const struct collector_options *options, struct sink *sink, struct collector **ret_collector,
		  struct err *err)
{
	struct collector *collector = calloc(1, sizeof *collector);
	if (!collector)
		return err_set(err, -ENOMEM, "no memory for a collector of flows");
	collector->options = *options;
	if (!collector->options.exporters_max)
		collector->options.exporters_max = EXPORTERS_MAX;
	if (options->pseudonyms)
		collector->pseudonyms = pseudonym_sink_new(options->pseudonyms, sink);
	collector->sink = options->pseudonyms ? collector->pseudonyms : sink;
	collector->batch = batch_new(&record_flow, BATCH_ROWS);
	if (!collector->batch || !collector->sink || flow_plan_make(flow_template_v5(), &collector->v5) != FLOW_SOUND) {
		collector_free(collector);
		return err_set(err, -ENOMEM, "no memory for a batch of flows");
	}
	columns_point(collector);
	*ret_collector = collector;
	return 0;
}

void collector_free(struct collector *collector)
{
	if (!collector)
		return;
	for (uint32_t i = 0; i < collector->count; i++) {
		exporter_done(collector->exporters[i]);
		free(collector->exporters[i]);
	}
	free(collector->exporters);
	free(collector->slots);
	batch_free(collector->batch);
	pseudonym_sink_free(collector->pseudonyms);
	free(collector);
}

struct sink *collector_sink(const struct collector *collector)
{
	return collector->sink;
}

/* --- exporters --------------------------------------------------------------------------------------------------- */

static uint64_t exporter_hash(const struct addr *address, enum flow_format format, uint32_t domain)
{
	uint64_t high, low;
	memcpy(&high, address->bytes, 8);
	memcpy(&low, address->bytes + 8, 8);
	return hash_u64(high ^ hash_u64(low ^ hash_u64((uint64_t)format << 32 | domain)));
}

static uint32_t slot_of(const struct collector *collector, const struct addr *address, enum flow_format format,
			uint32_t domain)
{
	uint32_t mask = 2 * collector->room - 1;
	uint32_t slot = (uint32_t)exporter_hash(address, format, domain) & mask;
	for (; collector->slots[slot]; slot = (slot + 1) & mask) {
		const struct exporter *exporter = collector->exporters[collector->slots[slot] - 1];
		if (exporter->domain == domain && exporter->format == format && addr_same(&exporter->address, address))
			break;
	}
	return slot;
}

static int exporters_grow(struct collector *collector)
{
	uint32_t room = collector->room ? collector->room * 2 : ROOM_LEAST;
	struct exporter **exporters = realloc(collector->exporters, room * sizeof *exporters);
	if (!exporters)
		return -ENOMEM;
	collector->exporters = exporters;
	uint32_t *slots = calloc(2 * (size_t)room, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	free(collector->slots);
	collector->slots = slots;
	collector->room = room;
	for (uint32_t i = 0; i < collector->count; i++)
		slots[slot_of(collector, &exporters[i]->address, exporters[i]->format, exporters[i]->domain)] = i + 1;
	return 0;
}

/* The exporter of a message; NULL with 0: there are too many. */
static int exporter_at(struct collector *collector, const struct addr *address, enum flow_format format,
		       uint32_t domain, struct exporter **ret_exporter)
{
	*ret_exporter = NULL;
	if (collector->count == collector->room && exporters_grow(collector) < 0)
		return -ENOMEM;
	uint32_t slot = slot_of(collector, address, format, domain);
	if (!collector->slots[slot]) {
		if (collector->count == collector->options.exporters_max)
			return 0;
		struct exporter *exporter = calloc(1, sizeof *exporter);
		if (!exporter)
			return -ENOMEM;
		exporter->address = *address;
		exporter->format = format;
		exporter->domain = domain;
		collector->exporters[collector->count] = exporter;
		collector->slots[slot] = ++collector->count;
	}
	*ret_exporter = collector->exporters[collector->slots[slot] - 1];
	return 0;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

int collector_flush(struct collector *collector, struct err *err)
{
	struct batch *batch = collector->batch;
	batch->rows = collector->columns.rows;
	int result = batch->rows ? collector->sink->put(collector->sink, batch, err) : 0;
	batch_clear(batch);
	collector->columns.rows = 0;
	return result < 0 ? result : 0;
}

static uint64_t times(uint64_t count, uint32_t sampling)
{
	uint64_t product;
	return __builtin_mul_overflow(count, (uint64_t)sampling, &product) ? UINT64_MAX : product;
}

/* What sampled packets stand for. */
static void row_scale(void *const *columns, uint32_t row, uint32_t one_in)
{
	for (unsigned field = FLOW_PACKETS; field <= FLOW_REVERSE_BYTES; field++) {
		uint64_t *counts = columns[field];
		counts[row] = times(counts[row], one_in);
	}
}

/* What the decoder cannot know of rows begin..end: whose they are, and how they were sampled. `silent`: no record says.
 */
static void rows_finish(struct collector *collector, struct exporter *exporter, const struct flow_message *message,
			bool silent, uint32_t begin, uint32_t end)
{
	struct batch *batch = collector->batch;
	void *const *columns = collector->columns.columns;
	uint32_t *sampling = columns[FLOW_SAMPLING];
	uint32_t usual = message->sampling ? message->sampling : exporter_sampling(exporter, 0);
	for (uint32_t row = begin; row < end; row++) {
		BATCH_COLUMN(batch, uint16_t, 0)[row] = collector->options.sensor;
		BATCH_COLUMN(batch, struct addr, 1)[row] = exporter->address;
		BATCH_COLUMN(batch, uint32_t, 2)[row] = exporter->domain;
		if (silent)
			sampling[row] = usual;
	}
	if (begin < end)
		exporter->figures.sampling = usual;
	if (silent && usual == 1)
		return;
	for (uint32_t row = begin; row < end; row++) {
		uint32_t sampler = collector->samplers[row];
		if (sampling[row] == 0)
			sampling[row] = sampler ? exporter_sampling(exporter, sampler) : usual;
		if (sampling[row] > 1)
			row_scale(columns, row, sampling[row]);
		exporter->figures.sampling = sampling[row];
	}
}

/* Room for at least one more row. */
static int rows_room(struct collector *collector, struct err *err)
{
	return collector->columns.rows == collector->columns.room ? collector_flush(collector, err) : 0;
}

/* All records of a set; their number is added to *records. */
static int data_decode(struct collector *collector, struct exporter *exporter, const struct flow_plan *plan,
		       const struct flow_message *message, struct cursor *body, int64_t *records, struct err *err)
{
	const uint64_t unsaid = UINT64_C(1) << FLOW_SAMPLING | UINT64_C(1) << FLOW_SAMPLER;
	for (;;) {
		int result = rows_room(collector, err);
		if (result < 0)
			return result;
		enum flow_fault fault;
		uint32_t begin = collector->columns.rows;
		uint32_t count = flow_plan_decode(plan, message, body, &collector->columns, &fault);
		bool silent = (plan->absent & unsaid) == unsaid;
		rows_finish(collector, exporter, message, silent, begin, begin + count);
		exporter->figures.records += count;
		exporter->figures.faults[fault] += fault != FLOW_SOUND;
		*records += count;
		if (count == 0 || collector->columns.rows < collector->columns.room)
			return 0;
	}
}

/* --- sets -------------------------------------------------------------------------------------------------------- */

static int templates_take(struct collector *collector, struct exporter *exporter, const struct flow_message *message,
			  struct flow_set *set, struct err *err)
{
	struct flow_template *template = &collector->template;
	int more;
	while ((more = flow_template_next(message, set, template)) > 0) {
		if (template->count == 0) {
			exporter_template_withdraw(exporter, template);
			continue;
		}
		int result = exporter_template_put(exporter, template);
		if (result == -ENOMEM)
			return err_set(err, result, "no memory for another template");
		exporter->figures.faults[FLOW_TEMPLATE] += result < 0;
		exporter->figures.templates += result == 0;
	}
	exporter->figures.faults[-more] += more < 0;
	return 0;
}

static int option_records_take(struct exporter *exporter, const struct exporter_template *template,
			       const struct flow_message *message, struct flow_set *set, int64_t *records)
{
	struct flow_option option;
	int more;
	while ((more = flow_option_next(message, template->form, &set->body, &option)) > 0) {
		exporter->figures.options++;
		(*records)++;
		if (exporter_option_put(exporter, &option) < 0)
			exporter->figures.faults[FLOW_TEMPLATE]++;
	}
	exporter->figures.faults[-more] += more < 0;
	return 0;
}

static int set_take(struct collector *collector, struct exporter *exporter, const struct flow_message *message,
		    struct flow_set *set, int64_t *records, bool *all_counted, struct err *err)
{
	if (flow_set_is_templates(message, set) || flow_set_is_options(message, set))
		return templates_take(collector, exporter, message, set, err);
	if (!flow_set_is_data(set)) {
		exporter->figures.faults[FLOW_SET]++;
		return 0;
	}
	const struct exporter_template *template = exporter_template_find(exporter, set->id);
	if (!template) {
		exporter->figures.waiting++;
		exporter->figures.faults[FLOW_NO_TEMPLATE]++;
		*all_counted = false;
		return 0;
	}
	if (template->form->scopes)
		return option_records_take(exporter, template, message, set, records);
	return data_decode(collector, exporter, &template->plan, message, &set->body, records, err);
}

static int sets_take(struct collector *collector, struct exporter *exporter, struct flow_message *message,
		     struct err *err)
{
	struct flow_set set;
	int64_t records = 0;
	uint64_t options = exporter->figures.options;
	bool all_counted = true;
	int result = 0, more;
	while (result == 0 && (more = flow_set_next(message, &set)) != 0) {
		if (more < 0) {
			exporter->figures.faults[-more]++;
			all_counted = false;
			break;
		}
		result = set_take(collector, exporter, message, &set, &records, &all_counted, err);
	}
	exporter_sequence(exporter, message, all_counted ? records : -1, exporter->figures.options - options);
	return result;
}

static int samples_take(struct collector *collector, struct exporter *exporter, struct flow_message *message,
			struct err *err)
{
	struct flow_samples samples = {0};
	enum flow_fault fault = FLOW_SOUND;
	exporter_sequence(exporter, message, 0, 0);
	while (message->count && fault != FLOW_TRUNCATED) {
		int result = rows_room(collector, err);
		if (result < 0)
			return result;
		uint32_t begin = collector->columns.rows;
		uint32_t count = flow_sflow_decode(message, &collector->columns, &samples, &fault);
		rows_finish(collector, exporter, message, false, begin, begin + count);
		exporter->figures.records += count;
		exporter->figures.faults[fault] += fault != FLOW_SOUND;
	}
	exporter->figures.counters += samples.counters;
	exporter->figures.unknown += samples.unknown;
	exporter->figures.without_ip += samples.without_ip;
	return 0;
}

int collector_recall(struct collector *collector, const struct exporter *remembered, struct err *err)
{
	struct exporter *exporter;
	int result = exporter_at(collector, &remembered->address, remembered->format, remembered->domain, &exporter);
	if (result == 0 && exporter)
		result = exporter_recall(exporter, remembered);
	return result < 0 ? err_set(err, result, "no memory for what was known of exporters") : 0;
}

int collector_feed(struct collector *collector, const struct addr *from, const void *data, size_t bytes,
		   int64_t arrived_ns, struct err *err)
{
	struct flow_message message;
	struct exporter *exporter;
	enum flow_fault fault = flow_message_read(data, bytes, &message);
	collector->figures.datagrams++;
	if (fault == FLOW_VERSION || (fault != FLOW_SOUND && cursor_left(&message.body) == 0)) {
		collector->figures.strange++;
		return 0;
	}
	if (message.format == FLOW_SFLOW5)
		message.export_ns = arrived_ns;
	if (exporter_at(collector, from, message.format, message.domain, &exporter) < 0)
		return err_set(err, -ENOMEM, "no memory for another exporter; %u are known", collector->count);
	if (!exporter) {
		collector->figures.too_many++;
		return 0;
	}
	struct exporter_figures *figures = &exporter->figures;
	figures->first_ns = figures->messages ? figures->first_ns : arrived_ns;
	figures->last_ns = arrived_ns;
	figures->skew_ns = message.export_ns - arrived_ns;
	figures->messages++;
	figures->bytes += bytes;
	figures->faults[fault] += fault != FLOW_SOUND;
	message.boot_ns = exporter->boot_ns;
	if (message.format == FLOW_SFLOW5)
		return samples_take(collector, exporter, &message, err);
	if (message.format != FLOW_NETFLOW5)
		return sets_take(collector, exporter, &message, err);
	int64_t records = 0;
	int result = data_decode(collector, exporter, &collector->v5, &message, &message.body, &records, err);
	exporter_sequence(exporter, &message, message.count, 0);
	return result;
}

size_t collector_exporters(const struct collector *collector)
{
	return collector->count;
}

const struct exporter *collector_exporter(const struct collector *collector, size_t number)
{
	return collector->exporters[number];
}

const struct collector_figures *collector_figures(const struct collector *collector)
{
	return &collector->figures;
}
