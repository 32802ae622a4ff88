/* Where frames come from when they do not come from a card or a file: the simulator today, a relay tomorrow.
 *
 * A sensor that reads captures can be handed a feed instead. It opens the feed where it would open its capture (in its
 * own process, still privileged), and the source then behaves as capture_read() does, so that the rest of the sensor
 * does not know the difference. The source owns the frames' bytes.
 */
#pragma once

#include "core/err.h"

struct frame;

struct frame_source {
	/* Up to `max` frames, in time order, borrowed until the next call. Returns how many (> 0), 0 when none came
	 * within timeout_ms, -ENODATA at the end, other negative errno on failure with a sentence. */
	int (*read)(struct frame_source *source, struct frame *frames, unsigned max, int timeout_ms, struct err *err);
	void (*close)(struct frame_source *source); /* never NULL; accepts a NULL source */
};

/* Made by the process that starts sensors and handed to them in their options. Opened again by a sensor that was
 * restarted, it goes on where the one before left off. */
struct frame_feed {
	int (*open)(struct frame_feed *feed, struct frame_source **ret_source, struct err *err);
};
