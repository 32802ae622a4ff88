/* Flows from files, told apart by their content: captures (pcap, pcapng, ERF) of exports, IPFIX files (RFC 5655),
 * nfdump's, Zeek's conn.log, Argus' CSV (table.h); compressed by gzip, zstd or xz as they come.
 */
#pragma once

#include "observe/flow/collector.h"
#include "sys/capture.h"

struct flow_file_figures {
	uint64_t frames, exports, others; /* of a capture: datagrams of flow information; packets of anything else */
	uint64_t lines;                   /* of a table */
	uint64_t done_bytes, total_bytes; /* for progress; total 0: unknown */
	unsigned faults;                  /* that were told by `trouble` */
};

struct flow_watch {
	void (*progress)(void *context, const struct flow_file_figures *figures);
	void (*trouble)(void *context, const char *sentence); /* something could not be read; the rest goes on */
	void *context;
};

/* One file, a directory of captures, or "-" for standard input (captures only), into the collector. Negative where it
 * cannot be opened, or where the collector fails. */
int flow_file_read(const char *path, struct collector *collector, const struct flow_watch *watch,
		   struct flow_file_figures *figures, struct err *err) must_check;
