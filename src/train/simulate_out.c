/* Where a simulation goes: a pcap file, a reader in real time, an interface in a namespace of our own. */
#include "train/simulate.h"

#include "core/clock.h"
#include "sys/frame_source.h"
#include "wire/pcap_write.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* ---- a file ---- */

enum { FILE_BUFFER_BYTES = 1 << 20, FRAME_BYTES_MAX = 2048, PROGRESS_BURSTS = 1024 };

static int write_frames(struct simulation *simulation, FILE *file, void (*progress)(void *, uint64_t), void *context)
{
	struct frame frames[BURST_MAX];
	uint8_t *buffer = malloc(BURST_MAX * FRAME_BYTES_MAX);
	if (!buffer)
		return -ENOMEM;
	size_t used = pcap_write_header(buffer, 1, 65535, true);
	bool good = fwrite(buffer, 1, used, file) == used;
	unsigned count;
	for (uint64_t burst = 1; good && (count = simulation_next(simulation, frames, BURST_MAX)) > 0; burst++) {
		used = 0;
		for (unsigned i = 0; i < count; i++)
			used += pcap_write_frame(buffer + used, &frames[i], true);
		good = fwrite(buffer, 1, used, file) == used;
		if (progress && burst % PROGRESS_BURSTS == 0)
			progress(context, simulation_packets(simulation));
	}
	free(buffer);
	return good ? 0 : -EIO;
}

int simulation_write_pcap(struct simulation *simulation, const char *path, void (*progress)(void *, uint64_t),
			  void *context, struct err *err)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdout : fopen(path, "we");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IOFBF, FILE_BUFFER_BYTES);
	errno = 0;
	int result = write_frames(simulation, file, progress, context);
	if ((standard ? fflush(file) : fclose(file)) != 0 && result == 0)
		result = -EIO;
	if (result == 0)
		return 0;
	int why = errno ? errno : -result;
	struct stat kind;
	if (!standard && lstat(path, &kind) == 0 && S_ISREG(kind.st_mode)) /* not a device that was given as a path */
		unlink(path);
	return err_set(err, -why, "%s: %s after %llu packets", path, strerror(why),
		       (unsigned long long)simulation_packets(simulation));
}

/* ---- a reader in real time ---- */

struct paced {
	struct frame_source source;
	struct simulation *simulation;
	struct frame frames[BURST_MAX];
	unsigned count, at;
};

static void sleep_ns(int64_t ns)
{
	struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL); /* a signal may end it early: callers ask the clock again */
}

/* Frames whose time has come; at low rates a millisecond's worth at once. */
static unsigned paced_due(struct paced *paced, struct frame *frames, unsigned max, int64_t now_ns)
{
	unsigned count = 0;
	while (count < max && paced->at < paced->count && paced->frames[paced->at].time_ns <= now_ns)
		frames[count++] = paced->frames[paced->at++];
	return count;
}

static int paced_read(struct frame_source *source, struct frame *frames, unsigned max, int timeout_ms, struct err *err)
{
	(void)err;
	struct paced *paced = (struct paced *)source;
	int64_t deadline_ns = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	for (;;) {
		if (paced->at == paced->count) {
			paced->at = 0;
			paced->count = simulation_next(paced->simulation, paced->frames, BURST_MAX);
			if (!paced->count)
				return -ENODATA;
		}
		unsigned count = paced_due(paced, frames, max, clock_now_ns());
		int64_t left_ns = deadline_ns - clock_monotonic_ns();
		if (count || left_ns <= 0 || !max)
			return (int)count;
		int64_t wait_ns = paced->frames[paced->at].time_ns - clock_now_ns();
		if (wait_ns < NS_PER_MS)
			wait_ns = NS_PER_MS;
		if (wait_ns > NS_PER_S)
			wait_ns = NS_PER_S; /* the clock may be set meanwhile */
		sleep_ns(wait_ns < left_ns ? wait_ns : left_ns);
	}
}

static void paced_close(struct frame_source *source)
{
	struct paced *paced = (struct paced *)source;
	if (!paced)
		return;
	simulation_close(paced->simulation);
	free(paced);
}

struct frame_source *simulation_source(struct simulation *simulation)
{
	struct paced *paced = calloc(1, sizeof *paced);
	if (!paced)
		return NULL;
	paced->source = (struct frame_source){.read = paced_read, .close = paced_close};
	paced->simulation = simulation;
	return &paced->source;
}

/* ---- an interface ---- */

/* Whether `ip netns add` made this network namespace: it then has a name below /run/netns. */
static bool namespace_is_named(const struct stat *own)
{
	DIR *names = opendir("/run/netns");
	struct dirent *name;
	struct stat one;
	bool found = false;
	while (names && !found && (name = readdir(names)) != NULL)
		found = fstatat(dirfd(names), name->d_name, &one, 0) == 0 && one.st_ino == own->st_ino &&
			one.st_dev == own->st_dev;
	if (names)
		closedir(names);
	return found;
}

/* The first process tells which network namespace is the machine's (or the container's, which is refused likewise).
 * Where it may not be asked, only a named namespace is believed to be our own. */
static int refuse_outside(const char *interface, struct err *err)
{
	struct stat own, first;
	bool inside = false;
	if (stat("/proc/self/ns/net", &own) == 0)
		inside = stat("/proc/1/ns/net", &first) == 0 ? own.st_ino != first.st_ino || own.st_dev != first.st_dev
							     : namespace_is_named(&own);
	return inside ? 0
		      : err_set(err, -EPERM,
				"%s: made-up traffic is sent only on loopback or within a network namespace of its "
				"own (ip netns add)",
				interface);
}

static int open_interface(const char *interface, int *ret_fd, struct err *err)
{
	struct ifreq request = {.ifr_flags = 0};
	if (strlen(interface) >= sizeof request.ifr_name)
		return err_set(err, -ENODEV, "%.64s: no such interface", interface);
	strcpy(request.ifr_name, interface);
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "%s: a packet socket needs CAP_NET_RAW: %s", interface, strerror(errno));
	int result = 0;
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		result = err_set(err, -errno, "%s: %s", interface, strerror(errno));
	else if (!(request.ifr_flags & IFF_LOOPBACK))
		result = refuse_outside(interface, err);
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex(interface)};
	if (result == 0 && bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		result = err_set(err, -errno, "%s: %s", interface, strerror(errno));
	if (result < 0)
		close(fd);
	else
		*ret_fd = fd;
	return result;
}

/* All of a burst; a full queue is waited for. */
static int send_burst(int fd, const struct frame *frames, unsigned count, const _Atomic bool *stop)
{
	struct mmsghdr messages[BURST_MAX] = {0};
	struct iovec parts[BURST_MAX];
	for (unsigned i = 0; i < count; i++) {
		parts[i] = (struct iovec){(void *)frames[i].data, frames[i].captured_bytes};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	unsigned done = 0;
	while (done < count && !atomic_load_explicit(stop, memory_order_relaxed)) {
		int sent = sendmmsg(fd, messages + done, count - done, 0);
		if (sent < 0 && (errno == ENOBUFS || errno == EAGAIN))
			sleep_ns(NS_PER_MS);
		else if (sent < 0 && errno != EINTR)
			return -errno;
		else if (sent > 0)
			done += (unsigned)sent;
	}
	return (int)done;
}

/* What is due by the simulation's own clock, which starts now. */
static int send_all(struct simulation *simulation, int fd, const _Atomic bool *stop, uint64_t *sent)
{
	struct frame frames[BURST_MAX];
	unsigned count;
	int64_t offset_ns = 0;
	while (!atomic_load_explicit(stop, memory_order_relaxed) &&
	       (count = simulation_next(simulation, frames, BURST_MAX)) > 0) {
		if (!offset_ns)
			offset_ns = clock_monotonic_ns() - frames[0].time_ns;
		for (unsigned at = 0; at < count && !atomic_load_explicit(stop, memory_order_relaxed);) {
			int64_t now_ns = clock_monotonic_ns() - offset_ns;
			unsigned due = at;
			while (due < count && frames[due].time_ns <= now_ns)
				due++;
			if (due == at) {
				int64_t wait_ns = frames[at].time_ns - now_ns;
				sleep_ns(wait_ns < 100 * NS_PER_MS ? wait_ns : 100 * NS_PER_MS);
				continue;
			}
			int done = send_burst(fd, frames + at, due - at, stop);
			if (done < 0)
				return done;
			*sent += (uint64_t)done;
			at = due;
		}
	}
	return 0;
}

int simulation_send(struct simulation *simulation, const char *interface, const _Atomic bool *stop, uint64_t *ret_sent,
		    struct err *err)
{
	int fd = -1;
	int result = open_interface(interface, &fd, err);
	if (result < 0)
		return result;
	*ret_sent = 0;
	result = send_all(simulation, fd, stop, ret_sent);
	close(fd);
	return result < 0 ? err_set(err, result, "%s: %s after %llu packets", interface, strerror(-result),
				    (unsigned long long)*ret_sent)
			  : 0;
}
