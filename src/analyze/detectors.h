/* All detectors behind one door: batches of records in, findings out.
 *
 * A detector is a pure consumer: it has no clock (time is what the records say), reads no file, writes no log, and
 * holds memory up to the ceilings of limits.h. Adding one is one file and one line in detector_table[].
 */
#pragma once

#include "analyze/finding.h"
#include "core/memory.h"
#include "core/option.h"
#include "record/batch.h"

#include <stdint.h>

/* What detectors need to know of where the records come from. */
struct vantage {
	uint64_t darknet_addresses; /* IPv4 addresses watched; 0 takes 65536. Scales darknet rates to Internet rates. */
};

struct detector {
	const char *name; /* "victims": also the section of its options */
	uint16_t version; /* goes into findings; raised whenever a result may change */
	const char *summary, *summary_ja;
	const struct record_kind *takes;
	const struct option_spec *options;
	size_t options_bytes;
	/* Everything it allocates comes from pool. */
	int (*open)(const void *options, const struct vantage *vantage, struct pool *pool, void **ret_state,
		    struct err *err);
	int (*take)(void *state, const struct batch *batch, struct findings *findings, struct err *err);
	/* The records end here: say what is still open, once. */
	int (*finish)(void *state, struct findings *findings, struct err *err);
	uint64_t (*refused)(const void *state); /* what did not fit under a ceiling; may be NULL */
};

extern const struct detector *const detector_table[]; /* NULL-terminated */

/* Options of every detector, by section. */
struct detector_options;
struct detector_options *detector_options_new(struct pool *pool, struct err *err); /* defaults; NULL: out of memory */
/* `detector` "victims", `name` "packets", as option_set(). -ENOENT for an unknown detector. */
int detector_option_set(struct detector_options *options, const char *detector, const char *name, const char *text,
			struct err *err) must_check;
/* Sections named as the detectors of a YAML document ("victims:", "campaigns:" ...), as options_from_yaml(). */
int detector_options_from_yaml(struct detector_options *options, const char *yaml, size_t bytes, const char *where,
			       struct err *err) must_check;

struct detectors;

/* `options` may be NULL (defaults). `sink` gets batches of record_finding; borrowed, as are options. */
int detectors_new(const struct detector_options *options, const struct vantage *vantage, struct sink *sink,
		  struct pool *parent, struct detectors **ret_detectors, struct err *err) must_check;

/* Any kind of batch; a kind that no detector takes is passed over. Findings made go to the sink before it returns.
 * A negative code of one detector does not keep the batch from the others; the first is returned. */
int detectors_take(struct detectors *detectors, const struct batch *batch, struct err *err) must_check;

/* The end of a capture file: everything still open is said once, with `ended` 0 where the records do not show an end.
 */
int detectors_finish(struct detectors *detectors, struct err *err) must_check;

void detectors_free(struct detectors *detectors); /* NULL is fine */

/* Figures for /metrics, by detector (0 .. detectors_count() - 1, in the order of detector_table). */
size_t detectors_count(void);
uint64_t detectors_findings(const struct detectors *detectors, size_t i);
uint64_t detectors_refused(const struct detectors *detectors, size_t i);
size_t detectors_bytes(const struct detectors *detectors, size_t i);
