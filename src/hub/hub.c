/* The parent: opens, forks, restarts. See hub.h. */
#include "hub/hub.h"

#include <errno.h>

int hub_run(const struct hub_options *options, const struct hub_setup *setup, struct err *err)
{
	(void)options;
	(void)setup;
	return err_set(err, -ENOSYS, "the hub's processes are not built in yet");
}
