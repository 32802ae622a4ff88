/* What the commands of `yagura cnc` are told. */
#pragma once

#include "analyze/cnc/cnc.h"
#include "cli/command.h"
#include "core/option.h"

#include <stdint.h>

struct cnc_score_options {
	struct common_options common;
	const char *infected, *least, *model, *archive, *from, *to;
	struct prefix_list inside;
	int64_t limit;
	bool explain;
};
extern const struct option_spec cnc_score_option_table[];
int command_cnc_score(const struct command_call *call, struct err *err);

struct cnc_eval_options {
	struct common_options common;
	const char *labels, *model, *threshold;
	int64_t draws;
	bool quick;
};
extern const struct option_spec cnc_eval_option_table[];
int command_cnc_eval(const struct command_call *call, struct err *err);

/* Files of flows into `cnc`, as `yagura flow read` takes them. What cannot be read is told on standard error under the
 * command's name and counted; negative where nothing goes on. */
int cnc_files_read(struct cnc *cnc, const struct command_call *call, unsigned *ret_troubles,
		   struct err *err) must_check;

int cnc_file_read(struct cnc *cnc, const struct command_call *call, const char *path, unsigned *troubles,
		  struct err *err) must_check;

/* Flows of an archive that began in [from_ns, to_ns). */
int cnc_archive_read(struct cnc *cnc, const struct command_call *call, const char *dir, int64_t from_ns, int64_t to_ns,
		     unsigned *ret_troubles, struct err *err) must_check;

/* The model at `path`, or the one that comes with the program. */
int cnc_model_read(struct cnc *cnc, const struct command_call *call, const char *path, struct err *err) must_check;

/* Addresses of infected hosts: the first word of each line; '#' begins a remark. */
int cnc_infected_read(struct cnc *cnc, const char *path, struct err *err) must_check;
