/* Where the flows of a command go that reads or makes them: counted, printed, kept in an archive, written to a file. */
#pragma once

#include "cli/command.h"
#include "cli/pseudonym_file.h"
#include "record/batch.h"

#include <jansson.h>
#include <stdio.h>

struct flow_keep_options {
	bool records;
	int64_t limit;
	const char *archive, *ipfix;
};
extern const struct option_spec flow_keep_option_table[];

struct ipfix_file;
struct archive;

struct flow_keep {
	struct sink sink;   /* first */
	struct sink *begin; /* where flows go in: this, or what gives them pseudonyms before it */
	const struct flow_keep_options *options;
	bool json;
	struct archive *archive; /* NULL: nothing is kept */
	struct ipfix_file *file; /* NULL: nothing is written */
	uint64_t records, printed, packets, bytes;
	int64_t first_ns, last_ns;
};

/* Opens what the options name; `keys` NULL: addresses are kept as they come. -EINVAL, errno of the files. */
int flow_keep_open(struct flow_keep *keep, const struct flow_keep_options *options, const struct pseudonym_keys *keys,
		   bool json, struct err *err) must_check;
/* Everything is on its way to the disk. */
int flow_keep_end(struct flow_keep *keep, struct err *err) must_check;
void flow_keep_close(struct flow_keep *keep); /* at any time after flow_keep_open(), also a failed one */

/* {"records", "packets", "bytes", "first", "last"}, the times where there are records. */
json_t *flow_keep_json(const struct flow_keep *keep);
/* The same as a line. */
void flow_keep_print(const struct flow_keep *keep);
