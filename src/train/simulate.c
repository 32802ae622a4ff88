/* Telescope traffic from a description. See simulate.h for the contract. */
#include "train/simulate.h"

#include <errno.h>

int simulation_open(const struct simulation_options *options, struct simulation **ret_simulation, struct err *err)
{
	(void)ret_simulation;
	return err_set(err, -ENOSYS, "%s: the simulator is not built yet", options->description);
}
