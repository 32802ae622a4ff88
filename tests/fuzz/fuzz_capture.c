/* A capture file of any packing as the program opens it, through a file in memory. */
#include "fuzz.h"

#include "sys/capture.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static int fd = -1;
	static char path[64];
	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	fuzz_check(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, bytes, 0) == (ssize_t)bytes);
	struct capture *capture;
	struct err err = {""};
	int result = capture_open_file(path, false, &capture, &err);
	if (result < 0) {
		fuzz_check(err.text[0] != '\0');
		return 0;
	}
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	uint64_t count = 0;
	while ((result = capture_read(capture, frames, BURST_MAX, 0, &err)) > 0) {
		packet_parse_inner(frames, (unsigned)result, packets);
		count += (uint64_t)result;
		if (count > 100000) /* a bomb */
			break;
	}
	fuzz_check(result != 0);
	if (result < 0 && result != -ENODATA)
		fuzz_check(err.text[0] != '\0' && capture_read(capture, frames, BURST_MAX, 0, &err) == -ENODATA);
	fuzz_check(capture_counters(capture)->frames == count);
	capture_close(capture);
	return 0;
}
