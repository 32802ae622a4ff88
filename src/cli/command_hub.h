/* The options of `yagura hub`: its own, the hub's, the telescope's, the simulator's. */
#pragma once

#include "cli/command.h"
#include "cli/flow_collect.h"
#include "cli/pseudonym_file.h"
#include "hub/hub.h"
#include "observe/telescope/sensor.h"
#include "train/simulate.h"

struct command_hub_options {
	struct common_options common;
	bool simulate;
	const char *place, *label;
	struct hub_options hub;
	struct telescope_sensor_options telescope;
	struct simulation_settings simulation;
	struct flow_collect_options flow;
	struct pseudonym_options pseudonyms; /* of flows */
};

extern const struct option_spec hub_own_option_table[];
int command_hub(const struct command_call *call, struct err *err);
