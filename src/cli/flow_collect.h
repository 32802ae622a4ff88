/* The collector as `yagura flow run` and a hub have it: datagrams of routers by UDP into an archive, and how well they
 * come in a file beside it, for whoever shows that.
 */
#pragma once

#include "core/err.h"
#include "core/option.h"
#include "observe/flow/pseudonym.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In the archive's directory, replaced every other second: flow_collect_sums() with "began", "time", "running",
 * "listen", "records_per_second", and "exporters": what is known of each (command_flow_report.c), with its
 * "records_per_second" and "minutes": [[records, lost], ...] of the last hour, oldest first. */
#define FLOW_COLLECT_FILE "collector.json"

/* Beside it what is known of exporters (flow_memory.h), for the next collector on this archive. */
#define FLOW_MEMORY_FILE "exporters.json"

struct flow_collect_options {
	struct text_list listen; /* "ADDR:PORT" each */
	const char *archive;     /* directory; made where it is not */
	int64_t sockets, buffer_bytes, keep_ns, keep_bytes;
	const struct pseudonym_keys *pseudonyms; /* NULL: addresses are kept as they come */
	bool unconfined;
	uid_t uid; /* to become when not 0 */
	gid_t gid;
};

struct flow_collect;

/* Opens sockets, confines this process, opens the archive, starts. Options are borrowed. */
int flow_collect_start(const struct flow_collect_options *options, struct flow_collect **ret_collect,
		       struct err *err) must_check;
/* To be called every 100 ms or so: says what goes wrong, writes the file. 1: a thread ended by itself. */
int flow_collect_look(struct flow_collect *collect);
/* {"datagrams", "bytes", "records", "stored", "not_stored", "dropped", "strange", "too_many_exporters"} */
json_t *flow_collect_sums(struct flow_collect *collect);
json_t *flow_collect_exporters(struct flow_collect *collect); /* an array */
/* Takes what waits, ends the threads, writes the file. Figures stay. -errno: why a thread ended, or what is lost. */
int flow_collect_stop(struct flow_collect *collect, struct err *err) must_check;
void flow_collect_free(struct flow_collect *collect); /* stopped before; NULL is fine */
