/* Where frames come from when they do not come from a card or a file: the simulator today, a relay tomorrow.
 *
 * A sensor that reads captures can be handed one of these instead; it behaves as capture_read() does, so the sensor
 * does not know the difference. The source owns the frames' bytes.
 */
#pragma once

#include "core/err.h"

struct frame;

struct frame_source {
	/* Up to `max` frames, in time order, borrowed until the next call. Returns how many (> 0), 0 when none came
	 * within timeout_ms, -ENODATA at the end, other negative errno on failure with a sentence. */
	int (*read)(struct frame_source *source, struct frame *frames, unsigned max, int timeout_ms, struct err *err);
	void (*close)(struct frame_source *source); /* NULL: nothing to free */
};
