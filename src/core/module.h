/* The module contract: one table describes a sensor, a detector, a feed or a job. Command-line help, configuration
 * check, manual pages, metrics and the web form come from it. `open` happens once, with privilege; everything after
 * runs confined. Adding a capability is one folder, its tests, and one line in cli/modules.c.
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"
#include "core/option.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

/* One figure a module keeps, shown at /metrics as yagura_<module>_<name>. Labels, where there are any, are fixed. */
struct metric_spec {
	const char *name; /* "packets_total"; NULL ends a table */
	enum metric_type type;
	const char *label;               /* "kind", or NULL */
	const char *const *label_values; /* NULL-terminated; the metric takes that many places in the values array */
	const char *help;
};

/* What `open` needs of the system; said in the manual, checked by `yagura doctor`, granted by nothing else. */
struct module_needs {
	bool raw_sockets;
	bool outgoing;
	bool reads_files;
	bool writes_files;
};

struct record_kind;
struct sink;
struct module_instance;

struct module {
	const char *name;                 /* "telescope" */
	const char *summary, *summary_ja; /* one line */
	const struct option_spec *options;
	size_t options_bytes; /* of the struct that the table fills */
	const struct metric_spec *metrics;
	const struct record_kind *const *takes; /* NULL-terminated, or NULL */
	const struct record_kind *const *gives;
	struct module_needs needs;

	/* What concerns two options at once. May be NULL. */
	int (*check)(const void *options, struct err *err);
	/* Privileged, once: files, sockets, rings. The instance and its memory live in `pool`. */
	int (*open)(const void *options, struct pool *pool, struct module_instance **ret_instance, struct err *err);
	/* Confined: where results go, and where metric values are kept (shared memory, one atomic per place). */
	int (*start)(struct module_instance *instance, struct sink *sink, _Atomic uint64_t *metrics, struct err *err);
	/* Work until there is none or until *stop; returns 0 at the end, negative on failure. */
	int (*run)(struct module_instance *instance, const _Atomic bool *stop, struct err *err);
	void (*close)(struct module_instance *instance); /* NULL and half-built instances are fine */
};

size_t metric_places(const struct metric_spec *metric); /* of this one: one a label value */
size_t metric_count(const struct metric_spec *table);   /* places in the values array */
/* Sum over the places of the metric of that name; 0 where the table has none. */
uint64_t metric_sum(const struct metric_spec *table, const _Atomic uint64_t *values, const char *name);

/* Add one name to the text of Prometheus' exposition format 0.0.4. `text` is grown with realloc. -ENOMEM. */
struct text_buffer {
	char *bytes;
	size_t used, room;
};
int text_add(struct text_buffer *buffer, const char *format, ...) printf_like(2, 3);
int metrics_format(const struct module *module, const _Atomic uint64_t *values, struct text_buffer *text);
