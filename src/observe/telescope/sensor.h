/* The telescope as a sensor: a struct module that reads an interface, captures or a feed and hands batches to a sink.
 */
#pragma once

#include "core/module.h"
#include "core/option.h"

#include <stdint.h>

struct frame_feed;
struct prefix_board;

struct telescope_sensor_options {
	struct prefix_list darknet, exclude;
	const char *interface;     /* one of interface, captures and feed */
	struct text_list captures; /* files and directories */
	const char *surveys;       /* list of organisations; NULL: none */
	bool follow, decapsulate, raw;
	int64_t speed; /* captures: 0 as fast as they are read, with their own times; n: n times real time, as if it
			  were now */
	int64_t ring_mib;
	int64_t workers; /* processes that share an interface */

	/* Set by the program, not by users. */
	struct frame_feed *feed;
	const struct prefix_board *members; /* whose prefixes are whose, as it changes; NULL: not known here */
	uint16_t sensor;                    /* number in records */
	uint16_t fanout_id;                 /* of the interface's group */
};
extern const struct option_spec telescope_sensor_option_table[];

extern const struct module telescope_module;
