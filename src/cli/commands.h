/* The functions behind the table of commands, one file each. Each returns an exit status (see command.h). */
#pragma once

#include "cli/command.h"
#include "cli/command_flow_keep.h"
#include "cli/reading.h"

struct doctor_options {
	struct common_options common;
	const char *data;
	const char *deps;
};
extern const struct option_spec doctor_option_table[];
int command_doctor(const struct command_call *call, struct err *err);

struct manual_options {
	struct common_options common;
	bool list;
};
extern const struct option_spec manual_option_table[];
int command_manual(const struct command_call *call, struct err *err);

struct simulate_options {
	struct common_options common;
	int64_t packets, seconds, seed;
	const char *description, *start, *output, *truth, *interface, *deps;
};
extern const struct option_spec simulate_option_table[];
int command_simulate_telescope(const struct command_call *call, struct err *err);

struct simulate_flow_options {
	struct common_options common;
	struct flow_keep_options keep;
	int64_t homes, duration_ns, sampling, seed;
	const char *description, *start, *truth, *labels;
};
extern const struct option_spec simulate_flow_option_table[];
int command_simulate_flow(const struct command_call *call, struct err *err);

struct data_options {
	struct common_options common;
	const char *data, *url, *token;
	bool csv;
};
struct restore_options {
	struct common_options common;
	const char *data;
	bool replace;
};
extern const struct option_spec data_option_table[], restore_option_table[];
int command_query(const struct command_call *call, struct err *err);
int command_status(const struct command_call *call, struct err *err);
int command_backup(const struct command_call *call, struct err *err);
int command_restore(const struct command_call *call, struct err *err);

struct audit_options {
	struct common_options common;
	const char *data, *url, *token, *head;
	const char *actor, *action, *subject, *from, *to;
	int64_t limit, member, sort;
};
extern const struct option_spec audit_list_option_table[], audit_verify_option_table[];
int command_audit_list(const struct command_call *call, struct err *err);
int command_audit_verify(const struct command_call *call, struct err *err);

struct telescope_read_options {
	struct common_options common;
	struct reading_options reading;
};
int command_telescope_read(const struct command_call *call, struct err *err);

struct telescope_run_options {
	struct common_options common;
	const char *interface, *to, *token_file, *spool, *ca;
	int64_t every_ns, ring_mib, spool_bytes;
	bool plain, unconfined;
	struct reading_options reading;
};
extern const struct option_spec telescope_run_option_table[];
int command_telescope_run(const struct command_call *call, struct err *err);
