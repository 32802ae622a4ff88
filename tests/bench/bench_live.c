/* How many packets a second one core captures and parses without loss, over a veth pair in a network namespace of our
 * own. A child sends at a rate that is raised step by step; the sender and the receiver share the machine, so what the
 * sender can reach bounds the figure.
 *
 *   bench_live [SECONDS]      of each step, default 1 */
#include "../unit/sys/veth.h"

#include "core/clock.h"
#include "sys/capture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

enum { BATCH = 64 };

/* Send at the rate for the time, in batches of sendmmsg(2). Ends the process. */
static void send_at(double rate, double seconds)
{
	static uint8_t frames[4096][VETH_FRAME_BYTES];
	for (unsigned i = 0; i < 4096; i++)
		veth_frame(frames[i], i * 2654435761u);
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	int fd = veth_sender("yga");
	int64_t begin = clock_monotonic_ns(), end = begin + (int64_t)(seconds * 1e9);
	uint64_t sent = 0;
	for (;;) {
		int64_t now = clock_monotonic_ns();
		if (now >= end)
			break;
		if ((double)sent > (double)(now - begin) * rate / 1e9)
			continue;
		for (unsigned i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){frames[(sent + i) % 4096], VETH_FRAME_BYTES};
			messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
		}
		int got = sendmmsg(fd, messages, BATCH, 0);
		sent += got > 0 ? (unsigned)got : 0;
	}
	_exit(0);
}

struct outcome {
	uint64_t got, lost;
	double seconds, cpu_seconds;
};

static double cpu_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int run(double rate, double seconds, struct outcome *ret)
{
	struct capture *capture;
	struct err err;
	if (capture_open_interface("ygb", 128, 0, 0, &capture, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	pid_t child = fork();
	if (child == 0)
		send_at(rate, seconds);
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	int64_t first_ns = 0, last_ns = 0;
	double cpu = cpu_now();
	uint64_t sum = 0;
	int got;
	while ((got = capture_read(capture, frames, BURST_MAX, 300, &err)) > 0) {
		first_ns = first_ns ? first_ns : frames[0].time_ns;
		last_ns = frames[got - 1].time_ns;
		sum += packet_parse(frames, (unsigned)got, packets);
	}
	const struct capture_counters *counters = capture_counters(capture);
	*ret = (struct outcome){counters->frames, counters->lost, (double)(last_ns - first_ns) * 1e-9, cpu_now() - cpu};
	capture_close(capture);
	waitpid(child, NULL, 0);
	return sum == ret->got ? 0 : -1;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	if (!veth_enter()) {
		printf("skipped: live capture needs root and a network namespace of its own\n");
		return 77;
	}
	static const double rates[] = {0.2e6, 0.5e6, 1e6, 2e6, 1e9};
	double best = 0;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct outcome o;
		if (run(rates[i], seconds, &o) < 0)
			return 1;
		double rate = (double)o.got / o.seconds;
		printf("%8.2f Mpps arrived, %9llu packets, %8llu lost, reader busy %5.1f %% (%.1f ns/packet)\n",
		       (double)(o.got + o.lost) / o.seconds / 1e6, (unsigned long long)o.got,
		       (unsigned long long)o.lost, o.cpu_seconds / o.seconds * 100,
		       o.cpu_seconds / (double)o.got * 1e9);
		if (o.lost == 0 && rate > best)
			best = rate;
	}
	printf("live capture without loss: %.2f Mpps\n", best / 1e6);
	return 0;
}
