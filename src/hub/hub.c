/* The parent: opens what needs privilege, forks, restarts, ends. It reads no stranger's byte. See hub.h.
 *
 * Everything that must outlive a child is made here before the first fork: listening sockets, the socket pairs between
 * front and keeper, rings, the pages of figures. Each child lets go of what is not its own.
 */
#include "hub/hub.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/front.h"
#include "hub/keeper.h"
#include "hub/listen.h"
#include "hub/sensor.h"
#include "hub/shared.h"
#include "share/courier.h"
#include "sys/child.h"
#include "sys/prefix_board.h"
#include "sys/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRONTS = 2, FRONT_TCP = 0, FRONT_LOCAL = 1, MEASURE_MS = 2000 };

struct hub {
	const struct hub_options *options;
	struct hub_setup setup;
	struct hub_sensor sensors[LIMIT_SENSORS];
	struct hub_shared *shared;
	struct front_shared *front_shared[FRONTS];
	struct ring *rings[LIMIT_SENSORS], *live_rings[LIMIT_SENSORS], *sighting_rings[LIMIT_SENSORS];
	_Atomic uint64_t *metrics[LIMIT_SENSORS];
	size_t metrics_bytes[LIMIT_SENSORS];
	int listen_fds[FRONTS], request_pairs[FRONTS][2], live_pair[2], courier_pair[2];
	int slots_fd, signal_fd, lock_fd;
	char url[LISTEN_URL_BYTES];
	struct keeper_setup keeper;
	struct front_setup fronts[FRONTS];
	struct sensor_setup sensor_setups[LIMIT_SENSORS];
	struct courier_setup courier;
	char mail_password[256];
	struct child children[HUB_PROCESSES];
	uid_t uid;
	gid_t gid;
};

static struct hub *running; /* for the children, which get no other context than their own */

static void *shared_page(size_t bytes, struct err *err)
{
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		err_set(err, -errno, "no shared memory: %s", strerror(errno));
		return NULL;
	}
	return page;
}

/* A child forgets the memory of the others. `sensor` -1: none of them; the keeper keeps all. */
static void memory_let_go(const struct hub *hub, int sensor)
{
	for (size_t i = 0; i < hub->setup.sensor_count; i++) {
		if ((int)i == sensor)
			continue;
		ring_free(hub->rings[i]);
		ring_free(hub->live_rings[i]);
		ring_free(hub->sighting_rings[i]);
		munmap((void *)hub->metrics[i], hub->metrics_bytes[i]);
	}
	for (unsigned i = 0; i < FRONTS && sensor >= 0; i++)
		munmap(hub->front_shared[i], sizeof(struct front_shared));
	if (sensor >= 0)
		prefix_board_read_only(hub->setup.members);
	else
		prefix_board_free(hub->setup.members);
	(void)mprotect(hub->shared, sizeof *hub->shared, PROT_READ);
}

static int keeper_main(void *context, struct err *err)
{
	const struct hub *hub = running;
	int keep[6 * LIMIT_SENSORS + 4] = {hub->keeper.request_fds[0], hub->keeper.request_fds[1], hub->keeper.live_fd,
					   hub->keeper.courier_fd};
	unsigned count = 4;
	for (size_t i = 0; i < hub->setup.sensor_count; i++, count += 6) {
		ring_fds(hub->rings[i], keep + count);
		ring_fds(hub->live_rings[i], keep + count + 2);
		ring_fds(hub->sighting_rings[i], keep + count + 4);
	}
	child_keep_only(keep, count);
	(void)mprotect(hub->shared, sizeof *hub->shared, PROT_READ);
	return keeper_run(context, err);
}

static int front_main(void *context, struct err *err)
{
	const struct front_setup *setup = context;
	memory_let_go(running, -1);
	return front_run(setup, err);
}

static int courier_main(void *context, struct err *err)
{
	const struct courier_setup *setup = context;
	const int keep[] = {setup->fd, setup->slots_fd};
	memory_let_go(running, -1);
	child_keep_only(keep, 2);
	return courier_run(setup, err);
}

static int sensor_main(void *context, struct err *err)
{
	const struct sensor_setup *setup = context;
	memory_let_go(running, (int)(setup - running->sensor_setups));
	return sensor_run(setup, err);
}

static int service_main(void *context, struct err *err)
{
	const struct hub_service *service = context;
	uid_t uid = running->uid;
	gid_t gid = running->gid;
	const int none[] = {-1};
	memory_let_go(running, -1);
	child_keep_only(none, 1);
	log_setup(service->name, LOG_INFO, -1);
	return service->run(service->context, uid, gid, err);
}

static int data_open(struct hub *hub, struct err *err)
{
	const char *data = hub->options->data;
	char path[4096];
	if (mkdir(data, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: cannot be made: %s", data, strerror(errno));
	if (hub->uid && chown(data, hub->uid, hub->gid) < 0)
		return err_set(err, -errno, "%s: cannot be given to %s: %s", data, hub->options->user, strerror(errno));
	/* The store has a lock of its own; this one keeps two hubs from sharing the unix socket. */
	if (snprintf(path, sizeof path, "%s/hub.lock", data) >= (int)sizeof path)
		return err_set(err, -ENAMETOOLONG, "%s: the name is too long", data);
	int fd = hub->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int code = errno == EWOULDBLOCK ? EBUSY : errno;
		return err_set(err, -code, "%s: %s", data,
			       code == EBUSY ? "another hub runs on this directory" : strerror(code));
	}
	return 0;
}

static int user_find(struct hub *hub, struct err *err)
{
	if (!hub->options->user || geteuid() != 0)
		return 0;
	const struct passwd *user = getpwnam(hub->options->user);
	if (!user || user->pw_uid == 0)
		return err_set(err, -EINVAL, "--user %s: there is no such user, or it is root", hub->options->user);
	hub->uid = user->pw_uid;
	hub->gid = user->pw_gid;
	return 0;
}

static int sensors_open(struct hub *hub, struct err *err)
{
	for (size_t i = 0; i < hub->setup.sensor_count; i++) {
		struct hub_sensor *sensor = &hub->sensors[i];
		*sensor = hub->setup.sensors[i];
		if (!sensor->name)
			sensor->name = sensor->module->name;
		hub->metrics_bytes[i] = (metric_count(sensor->module->metrics) + 1) * sizeof(uint64_t);
		hub->metrics[i] = shared_page(hub->metrics_bytes[i], err);
		int result = hub->metrics[i] ? ring_new(LIMIT_RING_BYTES, &hub->rings[i], err) : -ENOMEM;
		if (result == 0)
			result = ring_new(LIMIT_LIVE_RING_BYTES, &hub->live_rings[i], err);
		if (result == 0)
			result = ring_new(LIMIT_SIGHTING_RING_BYTES, &hub->sighting_rings[i], err);
		if (result < 0)
			return result;
		hub->sensor_setups[i] = (struct sensor_setup){.sensor = sensor,
							      .ring = hub->rings[i],
							      .live_ring = hub->live_rings[i],
							      .sighting_ring = hub->sighting_rings[i],
							      .metrics = hub->metrics[i],
							      .unconfined = hub->options->unconfined,
							      .uid = hub->uid,
							      .gid = hub->gid};
	}
	hub->setup.sensors = hub->sensors;
	return 0;
}

static int sockets_open(struct hub *hub, struct err *err)
{
	const struct hub_options *options = hub->options;
	char path[4096];
	if (!options->tls_cert != !options->tls_key)
		return err_set(err, -EINVAL, "--tls-cert and --tls-key belong together");
	int result = listen_tcp(options->listen, options->tls_cert ? "https" : "http", &hub->listen_fds[FRONT_TCP],
				hub->url, err);
	snprintf(path, sizeof path, "%s/hub.sock", options->data);
	if (result == 0)
		result = listen_unix(path, &hub->listen_fds[FRONT_LOCAL], err);
	if (result == 0 && hub->uid && chown(path, hub->uid, hub->gid) < 0)
		result = err_set(err, -errno, "%s: %s", path, strerror(errno));
	for (unsigned i = 0; i < FRONTS && result == 0; i++)
		result = message_pair(hub->request_pairs[i], err);
	if (result == 0)
		result = message_pair(hub->live_pair, err);
	return result == 0 ? message_pair(hub->courier_pair, err) : result;
}

/* What the courier needs: its slots' file, and the password at the mail server. */
static int courier_prepare(struct hub *hub, struct err *err)
{
	const struct notice_options *options = &hub->options->notice;
	char path[4200], *text = NULL;
	size_t bytes = 0;
	snprintf(path, sizeof path, "%s/courier.slots", hub->options->data);
	int result = courier_slots_open(path, &hub->slots_fd, err);
	if (result == 0 && hub->uid && fchown(hub->slots_fd, hub->uid, hub->gid) < 0)
		result = err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (result == 0 && options->mail_password_file)
		result = text_file_read(options->mail_password_file, sizeof hub->mail_password - 1, &text, &bytes, err);
	if (text)
		snprintf(hub->mail_password, sizeof hub->mail_password, "%.*s", (int)strcspn(text, "\r\n"), text);
	free(text);
	return result;
}

static int pages_open(struct hub *hub, struct err *err)
{
	hub->shared = shared_page(sizeof *hub->shared, err);
	for (unsigned i = 0; i < FRONTS; i++)
		hub->front_shared[i] = shared_page(sizeof(struct front_shared), err);
	if (!hub->shared || !hub->front_shared[0] || !hub->front_shared[1])
		return -ENOMEM;
	hub->shared->started_ns = clock_now_ns();
	return 0;
}

static void child_add(struct hub *hub, const char *name, int (*run)(void *, struct err *), void *context, bool may_end)
{
	uint32_t i = hub->shared->process_count++;
	hub->children[i] = (struct child){.name = name, .run = run, .context = context, .may_end = may_end, .fd = -1};
	snprintf(hub->shared->processes[i].name, HUB_NAME_BYTES, "%s", name);
}

static void children_describe(struct hub *hub)
{
	static const char *const names[FRONTS] = {"front", "local"};
	hub->keeper = (struct keeper_setup){
		.options = hub->options,
		.hub = &hub->setup,
		.shared = hub->shared,
		.fronts = {hub->front_shared[0], hub->front_shared[1]},
		.request_fds = {hub->request_pairs[0][1], hub->request_pairs[1][1]},
		.live_fd = hub->live_pair[1],
		.courier_fd = hub->courier_pair[1],
		.rings = hub->rings,
		.live_rings = hub->live_rings,
		.sighting_rings = hub->sighting_rings,
		.metrics = hub->metrics,
		.url = hub->options->public_url ? hub->options->public_url : hub->url,
		.uid = hub->uid,
		.gid = hub->gid,
	};
	child_add(hub, "keeper", keeper_main, &hub->keeper, false);
	for (unsigned i = 0; i < FRONTS; i++) {
		hub->fronts[i] = (struct front_setup){
			.name = names[i],
			.listen_fd = hub->listen_fds[i],
			.request_fd = hub->request_pairs[i][0],
			.live_fd = i == FRONT_TCP ? hub->live_pair[0] : -1,
			.local = i == FRONT_LOCAL,
			.web = i == FRONT_TCP ? hub->options->web : NULL,
			.tls_cert = hub->options->tls_cert,
			.tls_key = hub->options->tls_key,
			.shared = hub->shared,
			.own = hub->front_shared[i],
			.unconfined = hub->options->unconfined,
			.uid = hub->uid,
			.gid = hub->gid,
		};
		child_add(hub, names[i], front_main, &hub->fronts[i], false);
	}
	const struct notice_options *notice = &hub->options->notice;
	hub->courier = (struct courier_setup){
		.fd = hub->courier_pair[0],
		.slots_fd = hub->slots_fd,
		.relay = notice->mail_relay,
		.relay_user = notice->mail_user,
		.relay_password = hub->mail_password[0] ? hub->mail_password : NULL,
		.relay_ca = notice->mail_ca,
		.hello = notice->mail_hello,
		.relay_tls = (enum courier_tls)notice->mail_tls,
		.webhook_ca = notice->webhook_ca,
		.webhook_allow = notice->webhook_allow,
		.webhook_refuse = notice->webhook_refuse,
		.unconfined = hub->options->unconfined,
		.uid = hub->uid,
		.gid = hub->gid,
	};
	child_add(hub, "courier", courier_main, &hub->courier, false);
	for (size_t i = 0; i < hub->setup.sensor_count; i++)
		child_add(hub, hub->sensors[i].name, sensor_main, &hub->sensor_setups[i], true);
	for (size_t i = 0; i < hub->setup.service_count; i++)
		child_add(hub, hub->setup.services[i].name, service_main, (void *)(uintptr_t)&hub->setup.services[i],
			  false);
}

static void child_show(struct hub *hub, uint32_t i)
{
	struct hub_process *process = &hub->shared->processes[i];
	atomic_store(&process->pid, hub->children[i].pid);
	atomic_store(&process->state, (int32_t)hub->children[i].state);
	atomic_store(&process->restarts, hub->children[i].restarts);
}

/* Resident memory: only the parent may look at the others. */
static void children_measure(struct hub *hub)
{
	for (uint32_t i = 0; i < hub->shared->process_count; i++) {
		char path[48];
		long long pages = 0;
		snprintf(path, sizeof path, "/proc/%d/statm", (int)hub->children[i].pid);
		FILE *file = hub->children[i].pid ? fopen(path, "re") : NULL;
		if (file && fscanf(file, "%*s %lld", &pages) != 1)
			pages = 0;
		if (file)
			fclose(file);
		atomic_store(&hub->shared->processes[i].rss_bytes, pages * sysconf(_SC_PAGESIZE));
	}
}

static void child_look(struct hub *hub, uint32_t i)
{
	struct err err = {""};
	char how[96];
	struct child *child = &hub->children[i];
	int result = child_check(child, &err);
	if (result == 0)
		return;
	child_show(hub, i);
	child_describe(child, how, sizeof how);
	if (result == 1)
		LOG(LOG_ERROR, "child.died", "a process of the hub died and is restarted",
		    LOG_TEXT("name", child->name), LOG_TEXT("how", how), LOG_NUMBER("pause_ms", child_wait_ms(child)));
	else if (result == 2)
		LOG(LOG_INFO, "child.ended", "a process of the hub came to its end", LOG_TEXT("name", child->name));
	else if (result == 3)
		LOG(LOG_INFO, "child.restarted", "a process of the hub runs again", LOG_TEXT("name", child->name),
		    LOG_NUMBER("restarts", child->restarts));
	else
		LOG(LOG_ERROR, "child.unstartable", err.text, LOG_TEXT("name", child->name));
}

/* The keeper's lock on the store may be another's, a certificate may be wrong: what cannot even start once is an error
 * of the operator and not a thing to restart for ever. */
static int first_seconds(struct hub *hub, const struct child *child, struct err *err)
{
	char how[96];
	if (child->state != CHILD_WAITING || child->restarts > 0 || !WIFEXITED(child->status) ||
	    clock_now_ns() - hub->shared->started_ns > 5 * NS_PER_S)
		return 0;
	child_describe(child, how, sizeof how);
	return err_set(err, -EIO, "%s could not start (%s); what it wrote to the log says why", child->name, how);
}

static int children_watch(struct hub *hub, struct err *err)
{
	uint32_t count = hub->shared->process_count;
	for (;;) {
		struct pollfd fds[HUB_PROCESSES + 1];
		int wait_ms = MEASURE_MS;
		for (uint32_t i = 0; i < count; i++) {
			int wants = child_wait_ms(&hub->children[i]);
			fds[i] = (struct pollfd){.fd = child_fd(&hub->children[i]), .events = POLLIN};
			if (wants >= 0 && wants < wait_ms)
				wait_ms = wants;
		}
		fds[count] = (struct pollfd){.fd = hub->signal_fd, .events = POLLIN};
		children_measure(hub);
		if (poll(fds, count + 1, wait_ms) < 0 && errno != EINTR)
			return err_set(err, -errno, "poll: %s", strerror(errno));
		struct signalfd_siginfo signalled;
		if (fds[count].revents && read(hub->signal_fd, &signalled, sizeof signalled) > 0)
			return 0;
		for (uint32_t i = 0; i < count; i++) {
			child_look(hub, i);
			bool needed = i < PROCESS_SENSORS || i >= PROCESS_SENSORS + hub->setup.sensor_count;
			int result = needed ? first_seconds(hub, &hub->children[i], err) : 0;
			if (result < 0)
				return result;
		}
	}
}

/* Sensors first, so that what they still have reaches the store; the keeper last. */
static void children_end(struct hub *hub)
{
	uint32_t count = hub->shared->process_count;
	for (uint32_t i = PROCESS_SENSORS; i < count; i++)
		if (hub->children[i].state == CHILD_RUNNING)
			kill(hub->children[i].pid, SIGTERM);
	for (uint32_t i = PROCESS_SENSORS; i < count; i++)
		child_end(&hub->children[i], 5000);
	child_end(&hub->children[PROCESS_FRONT], 1000);
	child_end(&hub->children[PROCESS_LOCAL], 1000);
	child_end(&hub->children[PROCESS_KEEPER], 30000);
	/* The courier is asked and not made to end: it waits for the answers of servers that have got a message. */
	if (hub->children[PROCESS_COURIER].state == CHILD_RUNNING)
		kill(hub->children[PROCESS_COURIER].pid, SIGTERM);
}

static int hub_open(struct hub *hub, struct err *err)
{
	if (hub->setup.sensor_count > LIMIT_SENSORS)
		return err_set(err, -EINVAL, "at most %d sensors can run in one hub", LIMIT_SENSORS);
	if (hub->setup.service_count > HUB_SERVICES_MAX)
		return err_set(err, -EINVAL, "at most %d services can run in one hub", HUB_SERVICES_MAX);
	int result = user_find(hub, err);
	if (result == 0)
		result = data_open(hub, err);
	if (result == 0)
		result = sockets_open(hub, err);
	if (result == 0)
		result = courier_prepare(hub, err);
	if (result == 0)
		result = pages_open(hub, err);
	if (result == 0)
		result = sensors_open(hub, err);
	return result;
}

static int hub_work(struct hub *hub, struct err *err)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	hub->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (hub->signal_fd < 0)
		return err_set(err, -errno, "signalfd: %s", strerror(errno));
	children_describe(hub);
	int result = 0;
	for (uint32_t i = 0; i < hub->shared->process_count && result == 0; i++) {
		result = child_start(&hub->children[i], err);
		child_show(hub, i);
	}
	if (result == 0) {
		LOG(LOG_INFO, "hub.started", "the hub runs", LOG_TEXT("address", hub->keeper.url));
		printf("Yagura is at %s\n", hub->keeper.url);
		fflush(stdout);
		result = children_watch(hub, err);
	}
	LOG(LOG_INFO, "hub.ending", "the hub ends");
	children_end(hub);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	return result;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void page_free(void *page, size_t bytes)
{
	if (page)
		munmap(page, bytes);
}

static void hub_free(struct hub *hub)
{
	char path[4096];
	if (hub->listen_fds[FRONT_LOCAL] >= 0 &&
	    snprintf(path, sizeof path, "%s/hub.sock", hub->options->data) < (int)sizeof path)
		(void)unlink(path);
	for (size_t i = 0; i < LIMIT_SENSORS; i++) {
		ring_free(hub->rings[i]);
		ring_free(hub->live_rings[i]);
		ring_free(hub->sighting_rings[i]);
		page_free((void *)hub->metrics[i], hub->metrics_bytes[i]);
	}
	for (unsigned i = 0; i < FRONTS; i++) {
		page_free(hub->front_shared[i], sizeof(struct front_shared));
		fd_close(hub->listen_fds[i]);
		fd_close(hub->request_pairs[i][0]);
		fd_close(hub->request_pairs[i][1]);
	}
	page_free(hub->shared, sizeof *hub->shared);
	fd_close(hub->live_pair[0]);
	fd_close(hub->live_pair[1]);
	fd_close(hub->courier_pair[0]);
	fd_close(hub->courier_pair[1]);
	fd_close(hub->slots_fd);
	fd_close(hub->signal_fd);
	fd_close(hub->lock_fd);
	free(hub);
}

int hub_run(const struct hub_options *options, const struct hub_setup *setup, struct err *err)
{
	struct hub *hub = calloc(1, sizeof *hub);
	if (!hub)
		return err_set(err, -ENOMEM, "no memory for the hub");
	hub->options = options;
	hub->setup = *setup;
	for (unsigned i = 0; i < FRONTS; i++)
		hub->listen_fds[i] = hub->request_pairs[i][0] = hub->request_pairs[i][1] = -1;
	hub->live_pair[0] = hub->live_pair[1] = hub->courier_pair[0] = hub->courier_pair[1] = -1;
	hub->slots_fd = hub->signal_fd = hub->lock_fd = -1;
	running = hub;
	log_setup("hub", LOG_INFO, -1);
	int result = hub_open(hub, err);
	if (result == 0)
		result = hub_work(hub, err);
	running = NULL;
	hub_free(hub);
	return result;
}
