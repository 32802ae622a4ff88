/* See flow_memory.h. */
#include "cli/flow_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static json_t *template_json(const struct flow_template *template)
{
	json_t *fields = json_array();
	for (unsigned i = 0; i < template->count; i++)
		json_array_append_new(fields, json_pack("[I, i, i]", (json_int_t) template->fields[i].enterprise,
							(int)template->fields[i].id, (int)template->fields[i].bytes));
	return json_pack("[i, i, o]", (int)template->id, (int)template->scopes, fields);
}

json_t *flow_memory_json(const struct exporter *exporter)
{
	char address[ADDR_TEXT_BYTES];
	json_t *templates = json_array(), *samplers = json_array();
	for (uint32_t i = 0; i < exporter->template_room; i++)
		if (exporter->templates[i] && exporter->templates[i]->form)
			json_array_append_new(templates, template_json(exporter->templates[i]->form));
	for (uint32_t i = 0; i < exporter->sampler_count; i++)
		json_array_append_new(samplers, json_pack("[I, I]", (json_int_t)exporter->samplers[i].id,
							  (json_int_t)exporter->samplers[i].sampling));
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "exporter", addr_format(&exporter->address, address),
			 "format", flow_format_names[exporter->format], "domain", (json_int_t)exporter->domain,
			 "sampling", (json_int_t)exporter->sampling, "boot_ns", (json_int_t)exporter->boot_ns,
			 "samplers", samplers, "templates", templates);
}

static int number_read(const json_t *value, json_int_t most, json_int_t *ret_number, struct err *err)
{
	*ret_number = json_integer_value(value);
	if (!json_is_integer(value) || *ret_number < 0 || *ret_number > most)
		return err_set(err, -EINVAL, "a number up to %lld was expected", (long long)most);
	return 0;
}

static int template_read(const json_t *form, struct flow_template *ret_template, struct err *err)
{
	const json_t *fields = json_array_get(form, 2);
	json_int_t id = 0, scopes = 0;
	size_t count = json_array_size(fields);
	int result = number_read(json_array_get(form, 0), UINT16_MAX, &id, err);
	if (result == 0)
		result = number_read(json_array_get(form, 1), (json_int_t)count, &scopes, err);
	if (result < 0 || count == 0 || count > FLOW_TEMPLATE_FIELDS_MAX)
		return err_set(err, -EINVAL, "a template with 1 to %d fields was expected", FLOW_TEMPLATE_FIELDS_MAX);
	ret_template->id = (uint16_t)id;
	ret_template->scopes = (uint16_t)scopes;
	ret_template->count = (uint16_t)count;
	for (size_t i = 0; i < count && result == 0; i++) {
		const json_t *field = json_array_get(fields, i);
		json_int_t enterprise = 0, element = 0, bytes = 0;
		result = number_read(json_array_get(field, 0), UINT32_MAX, &enterprise, err);
		if (result == 0)
			result = number_read(json_array_get(field, 1), UINT16_MAX, &element, err);
		if (result == 0)
			result = number_read(json_array_get(field, 2), UINT16_MAX, &bytes, err);
		if (result == 0)
			ret_template->fields[i] =
				(struct flow_element){(uint32_t)enterprise, (uint16_t)element, (uint16_t)bytes};
	}
	return result;
}

static int templates_read(const json_t *templates, struct exporter *exporter, struct err *err)
{
	struct flow_template *template = malloc(sizeof *template);
	const json_t *form;
	size_t i;
	int result = template ? 0 : err_set(err, -ENOMEM, "no memory for a template");
	json_array_foreach(templates, i, form)
	{
		if (result == 0)
			result = template_read(form, template, err);
		if (result == 0 && exporter_template_put(exporter, template) < 0)
			result = err_set(err, -EINVAL, "template %u: no records can have it", template->id);
	}
	free(template);
	return result;
}

static int samplings_read(const json_t *remembered, struct exporter *exporter, struct err *err)
{
	const json_t *samplers = json_object_get(remembered, "samplers"), *sampler;
	json_int_t sampling = 0, id = 0;
	size_t i;
	int result = number_read(json_object_get(remembered, "sampling"), UINT32_MAX, &sampling, err);
	struct flow_option option = {.sampling = (uint32_t)sampling,
				     .boot_ns = json_integer_value(json_object_get(remembered, "boot_ns"))};
	if (result == 0)
		result = exporter_option_put(exporter, &option);
	json_array_foreach(samplers, i, sampler)
	{
		if (result == 0)
			result = number_read(json_array_get(sampler, 0), UINT32_MAX, &id, err);
		if (result == 0)
			result = number_read(json_array_get(sampler, 1), UINT32_MAX, &sampling, err);
		option = (struct flow_option){.sampler = (uint32_t)id, .sampling = (uint32_t)sampling};
		if (result == 0 && id)
			result = exporter_option_put(exporter, &option);
	}
	return result;
}

int flow_memory_read(const json_t *remembered, struct exporter *ret_exporter, struct err *err)
{
	const char *address = json_string_value(json_object_get(remembered, "exporter"));
	const char *format = json_string_value(json_object_get(remembered, "format"));
	json_int_t domain = 0;
	unsigned number = 0;
	*ret_exporter = (struct exporter){.domain = 0};
	while (format && flow_format_names[number] && strcmp(flow_format_names[number], format) != 0)
		number++;
	if (!address || !format || !flow_format_names[number])
		return err_set(err, -EINVAL, "an exporter's address and format were expected");
	int result = addr_parse(address, &ret_exporter->address, err);
	if (result == 0)
		result = number_read(json_object_get(remembered, "domain"), UINT32_MAX, &domain, err);
	if (result == 0) {
		ret_exporter->format = (enum flow_format)number;
		ret_exporter->domain = (uint32_t)domain;
		result = samplings_read(remembered, ret_exporter, err);
	}
	if (result == 0)
		result = templates_read(json_object_get(remembered, "templates"), ret_exporter, err);
	if (result < 0)
		exporter_done(ret_exporter);
	return result;
}
