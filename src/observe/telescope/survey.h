/* The list of organisations that survey the Internet: data/survey-organisations.yaml, which users maintain. */
#pragma once

#include "core/option.h"

/* Every prefix of every organisation in the file. The prefixes live in pool. -EINVAL with file and line, -ENOENT. */
int survey_load(const char *path, struct pool *pool, struct prefix_list *ret_prefixes, struct err *err) must_check;

/* The same from memory; `name` stands where the path would in sentences. */
int survey_parse(const char *name, const void *data, size_t bytes, struct pool *pool, struct prefix_list *ret_prefixes,
		 struct err *err) must_check;
