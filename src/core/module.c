/* Metrics of modules in Prometheus' text format. See module.h. */
#include "core/module.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t metric_places(const struct metric_spec *metric)
{
	size_t places = 0;
	while (metric->label && metric->label_values[places])
		places++;
	return metric->label ? places : 1;
}

size_t metric_count(const struct metric_spec *table)
{
	size_t count = 0;
	for (const struct metric_spec *metric = table; metric && metric->name; metric++)
		count += metric_places(metric);
	return count;
}

uint64_t metric_sum(const struct metric_spec *table, const _Atomic uint64_t *values, const char *name)
{
	uint64_t sum = 0;
	for (const struct metric_spec *metric = table; metric && metric->name; metric++) {
		size_t places = metric_places(metric);
		bool wanted = strcmp(metric->name, name) == 0;
		for (size_t i = 0; wanted && i < places; i++)
			sum += atomic_load_explicit(&values[i], memory_order_relaxed);
		values += places;
	}
	return sum;
}

int text_add(struct text_buffer *buffer, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int bytes = vsnprintf(NULL, 0, format, args);
	va_end(args);
	int result = bytes < 0 ? -EINVAL : 0;
	size_t wanted = buffer->used + (bytes < 0 ? 0 : (size_t)bytes) + 1;
	if (result == 0 && wanted > buffer->room) {
		size_t room = wanted * 2;
		char *grown = realloc(buffer->bytes, room);
		if (grown) {
			buffer->bytes = grown;
			buffer->room = room;
		} else {
			result = -ENOMEM;
		}
	}
	if (result == 0) {
		vsnprintf(buffer->bytes + buffer->used, buffer->room - buffer->used, format, again);
		buffer->used += (size_t)bytes;
	}
	va_end(again);
	return result;
}

int metrics_format(const struct module *module, const _Atomic uint64_t *values, struct text_buffer *text)
{
	size_t at = 0;
	int result = 0;
	for (const struct metric_spec *metric = module->metrics; metric && metric->name && result == 0; metric++) {
		result = text_add(text, "# HELP yagura_%s_%s %s\n# TYPE yagura_%s_%s %s\n", module->name, metric->name,
				  metric->help, module->name, metric->name,
				  metric->type == METRIC_COUNTER ? "counter" : "gauge");
		for (size_t i = 0; i < metric_places(metric) && result == 0; i++, at++) {
			unsigned long long value = atomic_load_explicit(&values[at], memory_order_relaxed);
			if (metric->label)
				result = text_add(text, "yagura_%s_%s{%s=\"%s\"} %llu\n", module->name, metric->name,
						  metric->label, metric->label_values[i], value);
			else
				result = text_add(text, "yagura_%s_%s %llu\n", module->name, metric->name, value);
		}
	}
	return result;
}
