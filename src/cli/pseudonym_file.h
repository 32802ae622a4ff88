/* Keys of pseudonyms as a command is told of them: a file that only its owner may read. */
#pragma once

#include "core/memory.h"
#include "core/option.h"
#include "observe/flow/pseudonym.h"

struct pseudonym_options {
	const char *keys; /* NULL: addresses are kept as they come */
	struct prefix_list of;
};
extern const struct option_spec pseudonym_option_table[];

/* NULL where none are asked for. Memory from pool. -EPERM: others may read the file; -EINVAL with file and line. */
int pseudonym_file_read(const struct pseudonym_options *options, struct pool *pool,
			const struct pseudonym_keys **ret_keys, struct err *err) must_check;
