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
	int64_t kind, score, limit, format;
	struct text_list notify;
	bool unconfined;
};
struct share_bgp_options {
	struct share_output_options output;
	const char *announce, *control, *warninglists;
	int64_t form, bits_v4, bits_v6, most;
	struct prefix_list protect, allow;
	bool keep;
};
extern const struct option_spec share_list_option_table[], share_nft_option_table[], share_rpz_option_table[],
	share_bgp_option_table[];
int command_share_list(const struct command_call *call, struct err *err);
int command_share_nft(const struct command_call *call, struct err *err);
int command_share_rpz(const struct command_call *call, struct err *err);
int command_share_bgp(const struct command_call *call, struct err *err);

struct output;
struct share_for;
/* Goes on writing what `output` is for `whom` until it fails. */
typedef int share_serve(const struct share_output_options *options, struct output *output, struct share_for *whom,
			struct err *err);
/* Open the store, find the collection that is the operand, and print the output; or, with `serve`, hand it to that.
 * Returns an exit status. What is at the front of the options is share_output_options. */
int command_output(const struct command_call *call, struct output *output, share_serve *serve, struct err *err);
share_serve command_share_zone;

/* Text into memory, by pieces: a `write` of output_write(). -ENOMEM past `most`. */
struct whole_text {
	char *bytes; /* to be freed */
	size_t count, room, most;
};
int whole_text_add(void *context, const char *bytes, size_t count);
