/* Every module of this program. */
#include "cli/modules.h"

#include "observe/telescope/sensor.h"

const struct module *const modules[] = {&telescope_module, NULL};
