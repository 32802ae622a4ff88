/* What the commands of `yagura flow` are told. */
#pragma once

#include "cli/command.h"
#include "cli/command_flow_keep.h"
#include "cli/flow_collect.h"

#include <jansson.h>
#include <stdint.h>

struct flow_read_options {
	struct common_options common;
	struct flow_keep_options keep;
	struct pseudonym_options pseudonyms;
};
int command_flow_read(const struct command_call *call, struct err *err);

struct flow_make_options {
	struct common_options common;
	struct flow_keep_options keep;
	struct pseudonym_options pseudonyms;
	int64_t active_ns, idle_ns;
	bool tunnels;
};
extern const struct option_spec flow_make_option_table[];
int command_flow_make(const struct command_call *call, struct err *err);

struct flow_query_options {
	struct common_options common;
	const char *archive, *statistic, *aggregate, *from, *to;
	int64_t limit;
};
extern const struct option_spec flow_query_option_table[];
int command_flow_query(const struct command_call *call, struct err *err);

struct flow_run_options {
	struct common_options common;
	struct flow_collect_options collect;
	struct pseudonym_options pseudonyms;
	int64_t seconds_ns, every_ns;
};
extern const struct option_spec flow_run_option_table[];
int command_flow_run(const struct command_call *call, struct err *err);

struct flow_key_options {
	struct common_options common;
	const char *from;
};
extern const struct option_spec flow_key_option_table[];
int command_flow_key(const struct command_call *call, struct err *err);

struct flow_reveal_options {
	struct common_options common;
	struct pseudonym_options pseudonyms;
	const char *at, *reason, *data;
};
extern const struct option_spec flow_reveal_option_table[];
int command_flow_reveal(const struct command_call *call, struct err *err);

/* Figures of an exporter, and a table of such objects. */
struct exporter;
json_t *flow_exporter_json(const struct exporter *exporter);
void flow_exporters_print(const json_t *exporters);

/* One flow of a batch, as a line or as JSON. */
struct batch;
void flow_print_json(const struct batch *batch, uint32_t row);
void flow_print_line(const struct batch *batch, uint32_t row);
