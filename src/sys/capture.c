/* The kinds of capture behind one door. See capture.h. */
#include "sys/capture.h"

#include "sys/capture_internal.h"

#include <errno.h>

int capture_read(struct capture *capture, struct frame *frames, unsigned max, int timeout_ms, struct err *err)
{
	if (max == 0)
		return err_set(err, -EINVAL, "no room for frames was given");
	int result = capture->type->read(capture, frames, max, timeout_ms, err);
	if (result > 0)
		capture_count_frames(capture, frames, (unsigned)result);
	return result;
}

const struct capture_counters *capture_counters(struct capture *capture)
{
	if (capture->type->count)
		capture->type->count(capture);
	return &capture->counters;
}

const char *capture_where(const struct capture *capture)
{
	return capture->type->where(capture);
}

const char *capture_trouble(const struct capture *capture)
{
	return capture->type->trouble(capture);
}

int capture_fd(const struct capture *capture)
{
	return capture->type->fd(capture);
}

void capture_close(struct capture *capture)
{
	if (capture)
		capture->type->close(capture);
}
