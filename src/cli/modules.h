/* The list of modules. A new capability is one line in modules.c. */
#pragma once

#include "core/module.h"

extern const struct module *const modules[]; /* NULL-terminated */
