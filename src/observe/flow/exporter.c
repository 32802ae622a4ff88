/* See exporter.h. */
#include "observe/flow/exporter.h"

#include "core/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROOM_LEAST = 16,
	NEAR = 4096, /* so far behind what was expected a message is late; farther, the count began anew */
};

static void template_free(struct exporter_template *template)
{
	if (template)
		free(template->form);
	free(template);
}

void exporter_done(struct exporter *exporter)
{
	for (uint32_t i = 0; i < exporter->template_room; i++)
		template_free(exporter->templates[i]);
	free(exporter->templates);
	free(exporter->samplers);
}

/* --- templates --------------------------------------------------------------------------------------------------- */

static uint32_t place_of(struct exporter_template *const *templates, uint32_t room, uint16_t id)
{
	uint32_t place = (uint32_t)hash_u64(id) & (room - 1);
	while (templates[place] && templates[place]->plan.id != id)
		place = (place + 1) & (room - 1);
	return place;
}

struct exporter_template *exporter_template_find(const struct exporter *exporter, uint16_t id)
{
	if (!exporter->template_room)
		return NULL;
	struct exporter_template *template =
		exporter->templates[place_of(exporter->templates, exporter->template_room, id)];
	return template && template->plan.record_bytes ? template : NULL;
}

static int templates_grow(struct exporter *exporter)
{
	uint32_t room = exporter->template_room ? exporter->template_room * 2 : ROOM_LEAST;
	struct exporter_template **grown = calloc(room, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	for (uint32_t i = 0; i < exporter->template_room; i++)
		if (exporter->templates[i])
			grown[place_of(grown, room, exporter->templates[i]->plan.id)] = exporter->templates[i];
	free(exporter->templates);
	exporter->templates = grown;
	exporter->template_room = room;
	return 0;
}

static int place_make(struct exporter *exporter, uint16_t id, struct exporter_template **ret_template)
{
	if (exporter->template_count * 2 >= exporter->template_room && templates_grow(exporter) < 0)
		return -ENOMEM;
	struct exporter_template **place =
		&exporter->templates[place_of(exporter->templates, exporter->template_room, id)];
	if (!*place) {
		if (exporter->template_count == EXPORTER_TEMPLATES_MAX)
			return -E2BIG;
		*place = calloc(1, sizeof **place);
		if (!*place)
			return -ENOMEM;
		(*place)->plan.id = id;
		exporter->template_count++;
	}
	*ret_template = *place;
	return 0;
}

int exporter_template_put(struct exporter *exporter, const struct flow_template *template)
{
	struct flow_plan plan;
	struct exporter_template *kept = NULL;
	if (flow_plan_make(template, &plan) != FLOW_SOUND)
		return -EINVAL;
	int result = place_make(exporter, template->id, &kept);
	if (result < 0)
		return result;
	size_t bytes = offsetof(struct flow_template, fields) + template->count * sizeof *template->fields;
	struct flow_template *form = malloc(bytes);
	if (!form)
		return -ENOMEM;
	memcpy(form, template, bytes);
	free(kept->form);
	*kept = (struct exporter_template){.plan = plan, .form = form};
	return 0;
}

int exporter_recall(struct exporter *exporter, const struct exporter *remembered)
{
	const struct flow_option whole = {.sampling = remembered->sampling, .boot_ns = remembered->boot_ns};
	int result = exporter_option_put(exporter, &whole);
	for (uint32_t i = 0; i < remembered->sampler_count && result == 0; i++) {
		const struct flow_option sampler = {.sampler = remembered->samplers[i].id,
						    .sampling = remembered->samplers[i].sampling};
		result = exporter_option_put(exporter, &sampler);
	}
	for (uint32_t i = 0; i < remembered->template_room && result == 0; i++)
		if (remembered->templates[i] && remembered->templates[i]->form)
			result = exporter_template_put(exporter, remembered->templates[i]->form);
	return result;
}

static bool is_options(const struct exporter_template *template)
{
	return template->form && template->form->scopes > 0;
}

/* One that was withdrawn keeps its place: open addressing wants no gaps. */
static void template_clear(struct exporter_template *template)
{
	free(template->form);
	*template = (struct exporter_template){.plan.id = template->plan.id};
}

void exporter_template_withdraw(struct exporter *exporter, const struct flow_template *template)
{
	enum { ALL_TEMPLATES = 2, ALL_OPTIONS = 3 };
	bool all = template->id == ALL_TEMPLATES || template->id == ALL_OPTIONS;
	for (uint32_t i = 0; all && i < exporter->template_room; i++)
		if (exporter->templates[i] && is_options(exporter->templates[i]) == (template->id == ALL_OPTIONS))
			template_clear(exporter->templates[i]);
	struct exporter_template *one = all ? NULL : exporter_template_find(exporter, template->id);
	if (one)
		template_clear(one);
}

/* --- options ----------------------------------------------------------------------------------------------------- */

int exporter_option_put(struct exporter *exporter, const struct flow_option *option)
{
	if (option->boot_ns)
		exporter->boot_ns = option->boot_ns;
	if (!option->sampling)
		return 0;
	if (!option->sampler) {
		exporter->sampling = option->sampling;
		return 0;
	}
	for (uint32_t i = 0; i < exporter->sampler_count; i++)
		if (exporter->samplers[i].id == option->sampler) {
			exporter->samplers[i].sampling = option->sampling;
			return 0;
		}
	if (!exporter->samplers)
		exporter->samplers = calloc(EXPORTER_SAMPLERS_MAX, sizeof *exporter->samplers);
	if (!exporter->samplers || exporter->sampler_count == EXPORTER_SAMPLERS_MAX)
		return -ENOMEM;
	exporter->samplers[exporter->sampler_count++] = (struct exporter_sampler){option->sampler, option->sampling};
	return 0;
}

uint32_t exporter_sampling(const struct exporter *exporter, uint32_t sampler)
{
	for (uint32_t i = 0; sampler && i < exporter->sampler_count; i++)
		if (exporter->samplers[i].id == sampler)
			return exporter->samplers[i].sampling;
	return exporter->sampling ? exporter->sampling : 1;
}

/* --- sequence ---------------------------------------------------------------------------------------------------- */

/* How exporters count. IPFIX numbers a message by the records sent before it, options among them (RFC 7011, 3.1), and
 * NetFlow v5 does the same; but softflowd counts the message's own records in, and no options. What a message fits is
 * taken for its exporter's way until another way fits where that does not. Those that number messages have one way. */
enum { WAY_BEFORE, WAY_BEFORE_NO_OPTIONS, WAY_WITH_OWN, WAY_WITH_OWN_NO_OPTIONS, WAYS };

static uint32_t sequence_expected(const struct exporter *exporter, unsigned way, uint32_t records, uint32_t options)
{
	bool own = way >= WAY_WITH_OWN, bare = way == WAY_BEFORE_NO_OPTIONS || way == WAY_WITH_OWN_NO_OPTIONS;
	uint32_t step = own ? records : exporter->sequence.records;
	return exporter->sequence.number + step - (bare ? own ? options : exporter->sequence.options : 0);
}

static void sequence_way_find(struct exporter *exporter, uint32_t number, uint32_t records, uint32_t options)
{
	if (number == sequence_expected(exporter, exporter->sequence.way, records, options))
		return;
	for (unsigned way = 0; way < WAYS; way++)
		if (number == sequence_expected(exporter, way, records, options)) {
			exporter->sequence.way = way;
			return;
		}
}

void exporter_sequence(struct exporter *exporter, const struct flow_message *message, int64_t records, uint64_t options)
{
	bool counts_records = message->format == FLOW_NETFLOW5 || message->format == FLOW_IPFIX;
	bool has_uptime = message->format != FLOW_IPFIX;
	uint32_t step = counts_records ? records > 0 ? (uint32_t)records : 0 : 1;
	int32_t gap = 0;
	if (exporter->sequence.is_known && (records >= 0 || exporter->sequence.way < WAY_WITH_OWN)) {
		if (message->format == FLOW_IPFIX && records >= 0)
			sequence_way_find(exporter, message->sequence, step, (uint32_t)options);
		gap = (int32_t)(message->sequence -
				sequence_expected(exporter, exporter->sequence.way, step, (uint32_t)options));
	}
	if (gap < 0 && gap > -NEAR && message->sequence >= NEAR) {
		exporter->figures.late++;
		exporter->figures.lost -= exporter->figures.lost ? 1 : 0; /* it had been taken for lost */
		return;
	}
	if (gap < 0 ||
	    (exporter->sequence.is_known && has_uptime && message->uptime_ms < exporter->sequence.uptime_ms)) {
		exporter->figures.restarts++;
		gap = 0;
	}
	exporter->figures.lost += (uint64_t)gap;
	exporter->sequence.uptime_ms = message->uptime_ms;
	exporter->sequence.number = message->sequence;
	exporter->sequence.records = step;
	exporter->sequence.options = counts_records ? (uint32_t)options : 0;
	exporter->sequence.is_known = !counts_records || records >= 0;
}
