/* Between the files that read a scope. */
#pragma once

#include "observe/survey/scope.h"

#include <yaml.h>

/* JSON with sorted keys and every scalar as a text, without the signatures. Refuses what could be read in two ways:
 * doubled keys, zero bytes, nodes past SCOPE_NODES_MAX (aliases count each time), depth past SCOPE_DEPTH_MAX. */
int scope_canonical(const char *where, yaml_document_t *document, struct pool *pool, const char **ret_text,
		    struct err *err) must_check;
