/* What the program is made of, from the same tables as help, manual and metrics; and its description (OpenAPI). */
#include "hub/api.h"

#include "core/module.h"
#include "hub/keeper.h"
#include "hub/openapi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static json_t *choices_json(const char *choices)
{
	json_t *array = json_array();
	for (const char *at = choices; at && *at;) {
		size_t length = strcspn(at, "|");
		json_array_append_new(array, json_stringn(at, length));
		at += length + (at[length] == '|');
	}
	return array;
}

static json_t *options_json(const struct option_spec *table)
{
	static const char *const types[] = {"flag", "int",    "size",     "duration", "text",
					    "path", "choice", "prefixes", "texts"};
	json_t *array = json_array();
	for (const struct option_spec *option = table; option && option->name; option++) {
		bool ranged = option->min || option->max;
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:s?, s:s?}", "name", option->name,
						"type", types[option->type], "default", option->default_text, "min",
						ranged ? json_integer(option->min) : json_null(), "max",
						ranged ? json_integer(option->max) : json_null(), "choices",
						choices_json(option->choices), "help", option->help, "help_ja",
						option->help_ja));
	}
	return array;
}

static json_t *metrics_json(const struct metric_spec *table)
{
	json_t *array = json_array();
	for (const struct metric_spec *metric = table; metric && metric->name; metric++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:s?, s:s}", "name", metric->name, "type",
						       metric->type == METRIC_COUNTER ? "counter" : "gauge", "label",
						       metric->label, "help", metric->help));
	return array;
}

static json_t *module_json(const struct module *module)
{
	return json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:{s:b, s:b, s:b, s:b}}", "name", module->name, "summary",
			 module->summary, "summary_ja", module->summary_ja, "options", options_json(module->options),
			 "metrics", metrics_json(module->metrics), "needs", "raw_sockets",
			 (int)module->needs.raw_sockets, "outgoing", (int)module->needs.outgoing, "reads_files",
			 (int)module->needs.reads_files, "writes_files", (int)module->needs.writes_files);
}

int api_modules_get(struct api_call *call, struct err *err)
{
	(void)err;
	json_t *array = json_array();
	for (const struct module *const *module = call->keeper->setup->hub->modules; module && *module; module++)
		json_array_append_new(array, module_json(*module));
	for (size_t i = 0; detector_table[i]; i++)
		json_array_append_new(array, json_pack("{s:s, s:s?, s:s?, s:o, s:[], s:{}}", "name",
						       detector_table[i]->name, "summary", detector_table[i]->summary,
						       "summary_ja", detector_table[i]->summary_ja, "options",
						       options_json(detector_table[i]->options), "metrics", "needs"));
	return api_json(call, 200, array);
}

int api_openapi_get(struct api_call *call, struct err *err)
{
	(void)err;
	return api_text(call, 200, "application/json", openapi_text, openapi_bytes);
}
