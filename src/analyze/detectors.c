/* The table of detectors and the loop that runs them. */
#include "analyze/detectors.h"

#include <errno.h>
#include <string.h>

extern const struct detector detector_victims, detector_scanners, detector_campaigns, detector_new_ports,
	detector_changes, detector_worms;

const struct detector *const detector_table[] = {
	&detector_victims,
	&detector_scanners,
	&detector_campaigns,
	&detector_new_ports,
	&detector_changes,
	&detector_worms,
	NULL,
};

enum { DETECTORS = sizeof detector_table / sizeof *detector_table - 1 };

struct detector_options {
	struct pool *pool;
	void *values[DETECTORS + 1];
};

struct detectors {
	struct pool *pool;
	struct findings findings;
	struct running {
		struct pool *pool;
		void *state;
		uint64_t findings;
	} running[DETECTORS + 1];
};

struct detector_options *detector_options_new(struct pool *pool, struct err *err)
{
	struct detector_options *options = pool_alloc(pool, sizeof *options);
	if (!options)
		return NULL;
	options->pool = pool;
	for (size_t i = 0; i < DETECTORS; i++) {
		options->values[i] = pool_alloc(pool, detector_table[i]->options_bytes);
		if (!options->values[i] || options_init(detector_table[i]->options, options->values[i], pool, err) < 0)
			return NULL;
	}
	return options;
}

static const char *name_of(const void *context, size_t i)
{
	(void)context;
	return detector_table[i] ? detector_table[i]->name : NULL;
}

int detector_option_set(struct detector_options *options, const char *detector, const char *name, const char *text,
			struct err *err)
{
	for (size_t i = 0; i < DETECTORS; i++)
		if (strcmp(detector_table[i]->name, detector) == 0)
			return option_set(detector_table[i]->options, options->values[i], options->pool, name, text,
					  err);
	const char *near = name_nearest(detector, name_of, NULL);
	return err_set(err, -ENOENT, "there is no detector '%.64s'%s%s%s", detector, near ? "; did you mean '" : "",
		       near ? near : "", near ? "'?" : "");
}

int detector_options_from_yaml(struct detector_options *options, const char *yaml, size_t bytes, const char *where,
			       struct err *err)
{
	for (size_t i = 0; i < DETECTORS; i++) {
		int code = options_from_yaml(detector_table[i]->options, options->values[i], options->pool, yaml, bytes,
					     detector_table[i]->name, where, err);
		if (code < 0)
			return code;
	}
	return 0;
}

int detectors_new(const struct detector_options *options, const struct vantage *vantage, struct sink *sink,
		  struct pool *parent, struct detectors **ret_detectors, struct err *err)
{
	struct vantage seen_from = {.darknet_addresses = 65536};
	if (vantage && vantage->darknet_addresses)
		seen_from = *vantage;
	struct pool *pool = pool_new(parent, "detectors");
	struct detectors *detectors = pool ? pool_alloc(pool, sizeof *detectors) : NULL;
	if (!detectors || findings_init(&detectors->findings, sink) < 0) {
		pool_free(pool);
		return err_set(err, -ENOMEM, "no memory for detectors");
	}
	detectors->pool = pool;
	if (!options)
		options = detector_options_new(pool, err);
	int code = options ? 0 : -ENOMEM;
	for (size_t i = 0; i < DETECTORS && code >= 0; i++) {
		struct running *running = &detectors->running[i];
		running->pool = pool_new(pool, detector_table[i]->name);
		code = running->pool ? detector_table[i]->open(options->values[i], &seen_from, running->pool,
							       &running->state, err)
				     : -ENOMEM;
	}
	if (code < 0) {
		detectors_free(detectors);
		return code == -ENOMEM ? err_set(err, code, "no memory for detectors") : code;
	}
	*ret_detectors = detectors;
	return 0;
}

int detectors_take(struct detectors *detectors, const struct batch *batch, struct err *err)
{
	int first = 0;
	for (size_t i = 0; i < DETECTORS; i++) {
		if (detector_table[i]->takes != batch->kind)
			continue;
		struct running *running = &detectors->running[i];
		uint64_t before = detectors->findings.count;
		int code = detector_table[i]->take(running->state, batch, &detectors->findings, first < 0 ? NULL : err);
		running->findings += detectors->findings.count - before;
		if (code < 0 && first == 0)
			first = code;
	}
	int code = findings_flush(&detectors->findings, first < 0 ? NULL : err);
	return first < 0 ? first : code;
}

int detectors_finish(struct detectors *detectors, struct err *err)
{
	int first = 0;
	for (size_t i = 0; i < DETECTORS; i++) {
		struct running *running = &detectors->running[i];
		uint64_t before = detectors->findings.count;
		int code = detector_table[i]->finish(running->state, &detectors->findings, first < 0 ? NULL : err);
		running->findings += detectors->findings.count - before;
		if (code < 0 && first == 0)
			first = code;
	}
	int code = findings_flush(&detectors->findings, first < 0 ? NULL : err);
	return first < 0 ? first : code;
}

void detectors_free(struct detectors *detectors)
{
	if (!detectors)
		return;
	findings_done(&detectors->findings);
	pool_free(detectors->pool);
}

size_t detectors_count(void)
{
	return DETECTORS;
}

uint64_t detectors_findings(const struct detectors *detectors, size_t i)
{
	return detectors->running[i].findings;
}

uint64_t detectors_refused(const struct detectors *detectors, size_t i)
{
	return detector_table[i]->refused ? detector_table[i]->refused(detectors->running[i].state) : 0;
}

size_t detectors_bytes(const struct detectors *detectors, size_t i)
{
	return pool_bytes(detectors->running[i].pool);
}
