/* Options of yagura share. */
#pragma once

#include "cli/command.h"

struct share_taxii_options {
	struct common_options common;
	const char *data, *title, *description, *readers;
	int64_t clearance;
	bool automatic, writable;
};
extern const struct option_spec share_taxii_option_table[];
int command_share_taxii(const struct command_call *call, struct err *err);

struct share_misp_options {
	struct common_options common;
	const char *data, *event, *output;
};
extern const struct option_spec share_misp_option_table[];
int command_share_misp(const struct command_call *call, struct err *err);

struct share_output_options {
	struct common_options common;
	const char *data, *name, *serve, *key_file, *whom;
	int64_t kind, score, limit, daemon;
	struct text_list notify;
	bool unconfined;
};
extern const struct option_spec share_list_option_table[], share_nft_option_table[], share_rpz_option_table[],
	share_bgp_option_table[];
int command_share_list(const struct command_call *call, struct err *err);
int command_share_nft(const struct command_call *call, struct err *err);
int command_share_rpz(const struct command_call *call, struct err *err);
int command_share_bgp(const struct command_call *call, struct err *err);

struct output;
struct share_for;
/* Serve the zone until something fails; returns negative. */
int command_share_zone(const struct share_output_options *options, struct output *output, struct share_for *whom,
		       struct err *err) must_check;
