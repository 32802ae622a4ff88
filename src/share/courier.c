/* The courier's life: one thread, one loop over curl and the socket. Its slots are written before and after, never
 * while a server waits. */
#include "share/courier_parts.h"

#include "core/clock.h"
#include "core/log.h"
#include "share/notice_rules.h"
#include "sys/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 1000, CONNECTIONS_OF_A_HOST = 4 };
#define DRAIN_NS (60 * NS_PER_S)

static volatile sig_atomic_t told_to_end;

static void end_asked(int number)
{
	(void)number;
	told_to_end = 1;
}

int courier_slots_open(const char *path, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(struct courier_slots)) < 0) {
		int code = errno;
		if (fd >= 0)
			close(fd);
		return err_set(err, -code, "%s: %s", path, strerror(code));
	}
	*ret_fd = fd;
	return 0;
}

static void say(const struct courier *courier, const struct courier_head *head, const char *answer)
{
	struct iovec parts[2] = {{(void *)head, sizeof *head}, {(void *)answer, answer ? strlen(answer) : 0}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	/* A keeper that takes nothing now asks later. */
	(void)!sendmsg(courier->setup->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void slot_say(const struct courier *courier, const struct courier_slot *slot)
{
	const struct courier_head head = {.type = COURIER_OUTCOME,
					  .number = slot->number,
					  .message = slot->message,
					  .result = slot->result,
					  .code = slot->code,
					  .server = slot->server};
	say(courier, &head, slot->answer);
}

static void slot_finish(const struct courier *courier, struct courier_slot *slot, const struct courier_head *outcome,
			const char *answer)
{
	slot->result = outcome->result;
	slot->code = outcome->code;
	slot->server = outcome->server;
	snprintf(slot->answer, sizeof slot->answer, "%s", answer);
	atomic_store(&slot->phase, PHASE_DONE);
	slot_say(courier, slot);
}

static struct courier_slot *slot_find(const struct courier *courier, int64_t message, uint32_t number)
{
	for (unsigned i = 0; i < COURIER_SLOTS; i++) {
		struct courier_slot *slot = &courier->slots->slots[i];
		if (atomic_load(&slot->phase) != PHASE_FREE && slot->message == message && slot->number == number)
			return slot;
	}
	return NULL;
}

static struct courier_slot *slot_take(const struct courier *courier, int64_t message, uint32_t number)
{
	for (unsigned i = 0; i < COURIER_SLOTS; i++) {
		struct courier_slot *slot = &courier->slots->slots[i];
		if (atomic_load(&slot->phase) != PHASE_FREE)
			continue;
		slot->message = message;
		slot->number = number;
		slot->answer[0] = '\0';
		atomic_store(&slot->phase, PHASE_STARTED);
		return slot;
	}
	return NULL;
}

/* What a courier left that was killed. */
static void slots_inherit(const struct courier *courier)
{
	for (unsigned i = 0; i < COURIER_SLOTS; i++) {
		struct courier_slot *slot = &courier->slots->slots[i];
		uint32_t phase = atomic_load(&slot->phase);
		slot->answer[sizeof slot->answer - 1] = '\0';
		if (phase == PHASE_FREE || phase == PHASE_DONE)
			continue;
		slot->result = phase == PHASE_ENDING ? ATTEMPT_UNKNOWN : ATTEMPT_UNSENT;
		slot->code = 0;
		slot->server = 0;
		snprintf(slot->answer, sizeof slot->answer, "the process that was sending it ended");
		atomic_store(&slot->phase, PHASE_DONE);
	}
}

static void job_end(struct courier *courier, struct job *job, CURLcode code)
{
	struct job **link = &courier->jobs;
	while (*link && *link != job)
		link = &(*link)->next;
	if (*link)
		*link = job->next;
	struct courier_head outcome = job_judge(job, code);
	bool said = job->answer[0] && code != CURLE_COULDNT_CONNECT && code != CURLE_OPERATION_TIMEDOUT &&
		    code != CURLE_SSL_CONNECT_ERROR && code != CURLE_PEER_FAILED_VERIFICATION &&
		    code != CURLE_USE_SSL_FAILED;
	const char *answer = job->refused_address ? "its address is of a network that webhooks may not reach"
			     : said               ? job->answer
			     : code == CURLE_OK   ? ""
			     : job->error[0]      ? job->error
						  : curl_easy_strerror(code);
	curl_multi_remove_handle(courier->multi, job->easy);
	slot_finish(courier, job->slot, &outcome, answer);
	job_free(job);
}

/* All of it is here. */
static void job_begin(struct courier *courier, struct job *job)
{
	struct err err = {""};
	job->slot = slot_take(courier, job->message, job->number);
	if (!job->slot) { /* the keeper asks later, and hears that it was not sent */
		job_free(job);
		return;
	}
	int result = job_prepare(job, &err);
	if (result == 0 && curl_multi_add_handle(courier->multi, job->easy) != CURLM_OK)
		result = err_set(&err, -ENOMEM, "no memory for a message");
	if (result < 0) {
		const struct courier_head outcome = {.result = result == -EINVAL ? ATTEMPT_REFUSED : ATTEMPT_DEFERRED};
		slot_finish(courier, job->slot, &outcome, err.text);
		job_free(job);
		return;
	}
	job->next = courier->jobs;
	courier->jobs = job;
}

static bool texts_take(struct job *job, const char *data, size_t bytes)
{
	memcpy(job->texts, data, bytes);
	size_t at = 0;
	for (unsigned i = 0; i < COURIER_TEXTS; i++) {
		const char *end = memchr(job->texts + at, 0, bytes - at);
		if (!end)
			return false;
		job->text[i] = job->texts + at;
		at = (size_t)(end - job->texts) + 1;
	}
	return true;
}

static void job_take(struct courier *courier, const struct courier_head *head, const char *data, size_t bytes)
{
	job_free(courier->coming); /* a keeper that died in the middle */
	courier->coming = NULL;
	if (head->bytes > COURIER_BODY_BYTES_MAX || bytes > COURIER_TEXTS_BYTES ||
	    slot_find(courier, head->message, head->number))
		return;
	struct job *job = calloc(1, sizeof *job);
	char *body = malloc((size_t)head->bytes + 1);
	if (!job || !body || !texts_take(job, data, bytes)) {
		free(job);
		free(body);
		return;
	}
	job->courier = courier;
	job->message = head->message;
	job->number = head->number;
	job->channel = head->channel;
	job->bytes = head->bytes;
	job->body = body;
	courier->coming = job;
}

static void data_take(struct courier *courier, const struct courier_head *head, const char *data, size_t bytes)
{
	struct job *job = courier->coming;
	if (!job || job->message != head->message || job->number != head->number || bytes > job->bytes - job->got)
		return;
	memcpy(job->body + job->got, data, bytes);
	job->got += bytes;
	if (job->got < job->bytes)
		return;
	courier->coming = NULL;
	job_begin(courier, job);
}

static void ask_answer(struct courier *courier, const struct courier_head *head)
{
	const struct courier_slot *slot = slot_find(courier, head->message, head->number);
	struct courier_head unsent = *head;
	unsent.type = COURIER_OUTCOME;
	unsent.result = ATTEMPT_UNSENT;
	unsent.code = 0;
	unsent.server = 0;
	if (courier->coming && courier->coming->message == head->message && courier->coming->number == head->number) {
		job_free(courier->coming);
		courier->coming = NULL;
	}
	if (!slot)
		say(courier, &unsent, "it was not sent yet");
	else if (atomic_load(&slot->phase) == PHASE_DONE)
		slot_say(courier, slot);
}

static void stored_take(const struct courier *courier, const struct courier_head *head)
{
	struct courier_slot *slot = slot_find(courier, head->message, head->number);
	if (slot && atomic_load(&slot->phase) == PHASE_DONE)
		atomic_store(&slot->phase, PHASE_FREE);
}

/* One packet. False: none waits, or the keeper's side is gone. */
static bool packet_take(struct courier *courier)
{
	static char data[COURIER_PACKET_BYTES];
	struct courier_head head;
	struct iovec parts[2] = {{&head, sizeof head}, {data, sizeof data}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t got = recvmsg(courier->setup->fd, &message, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		courier->draining = true;
	if (got < (ssize_t)sizeof head)
		return false;
	size_t bytes = (size_t)got - sizeof head;
	if (head.type == COURIER_JOB)
		job_take(courier, &head, data, bytes);
	else if (head.type == COURIER_DATA)
		data_take(courier, &head, data, bytes);
	else if (head.type == COURIER_ASK)
		ask_answer(courier, &head);
	else if (head.type == COURIER_STORED)
		stored_take(courier, &head);
	return true;
}

static void done_take(struct courier *courier)
{
	int left;
	for (CURLMsg *done; (done = curl_multi_info_read(courier->multi, &left));) {
		struct job *job;
		CURLcode code = done->data.result;
		if (done->msg == CURLMSG_DONE &&
		    curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &job) == CURLE_OK)
			job_end(courier, job, code);
	}
}

/* What no server can have taken yet is left to the next courier. */
static void unended_drop(struct courier *courier)
{
	for (struct job *job = courier->jobs, *next; job; job = next) {
		next = job->next;
		if (atomic_load(&job->slot->phase) != PHASE_STARTED)
			continue;
		struct job **link = &courier->jobs;
		while (*link != job)
			link = &(*link)->next;
		*link = next;
		curl_multi_remove_handle(courier->multi, job->easy);
		const struct courier_head outcome = {.result = ATTEMPT_UNSENT};
		slot_finish(courier, job->slot, &outcome, "the process that was sending it ended");
		job_free(job);
	}
}

static int courier_work(struct courier *courier, struct err *err)
{
	const struct courier_head hello = {.type = COURIER_HELLO};
	int64_t drain_until = 0;
	say(courier, &hello, NULL);
	for (;;) {
		int running;
		struct curl_waitfd socket = {.fd = courier->setup->fd, .events = CURL_WAIT_POLLIN};
		while (!courier->draining && packet_take(courier))
			;
		courier->draining = courier->draining || told_to_end;
		if (courier->draining) {
			unended_drop(courier);
			drain_until = drain_until ? drain_until : clock_monotonic_ns() + DRAIN_NS;
			if (!courier->jobs || clock_monotonic_ns() > drain_until)
				return 0;
		}
		CURLMcode code = curl_multi_perform(courier->multi, &running);
		done_take(courier);
		if (code == CURLM_OK)
			code = curl_multi_poll(courier->multi, &socket, courier->draining ? 0 : 1, WAIT_MS, NULL);
		if (code != CURLM_OK)
			return err_set(err, -EIO, "curl: %s", curl_multi_strerror(code));
	}
}

/* Libraries look for their files once, before they may not. */
static void libraries_warm(void)
{
	struct addrinfo *found = NULL;
	if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
		freeaddrinfo(found);
}

static int courier_confine(const struct courier_setup *setup, struct err *err)
{
	const char *read_paths[] = {"/etc/resolv.conf",
				    "/run/systemd/resolve",
				    "/etc/hosts",
				    "/etc/host.conf",
				    "/etc/nsswitch.conf",
				    "/etc/gai.conf",
				    "/etc/ssl",
				    "/usr/share/ca-certificates",
				    "/usr/local/share/ca-certificates",
				    "/usr/lib",
				    setup->relay_ca ? setup->relay_ca : "/etc/ssl",
				    setup->webhook_ca ? setup->webhook_ca : "/etc/ssl",
				    NULL};
	const struct confine_policy policy = {
		.read_paths = read_paths, .threads = true, .sockets_inet = true, .uid = setup->uid, .gid = setup->gid};
	int result = confine(&policy, setup->unconfined, err);
	if (result == 1)
		LOG(LOG_WARNING, "courier.unconfined", "the kernel lacks Landlock or seccomp; running without");
	return result < 0 ? result : 0;
}

/* The slots are this courier's alone as soon as the one before, perhaps of a hub that died, has heard its last answer.
 */
static int slots_map(struct courier *courier, struct err *err)
{
	while (flock(courier->setup->slots_fd, LOCK_EX) < 0)
		if (errno != EINTR || told_to_end)
			return err_set(err, -errno, "the courier's slots: %s", strerror(errno));
	void *memory =
		mmap(NULL, sizeof *courier->slots, PROT_READ | PROT_WRITE, MAP_SHARED, courier->setup->slots_fd, 0);
	if (memory == MAP_FAILED)
		return err_set(err, -errno, "the courier's slots: %s", strerror(errno));
	courier->slots = memory;
	slots_inherit(courier);
	return 0;
}

static int courier_open(struct courier *courier, struct err *err)
{
	const struct courier_setup *setup = courier->setup;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(courier->multi = curl_multi_init()))
		return err_set(err, -ENOMEM, "curl cannot be started");
	curl_multi_setopt(courier->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_OF_A_HOST);
	int result = reach_new(&setup->webhook_allow, &setup->webhook_refuse, &courier->reach, err);
	if (result == 0)
		libraries_warm();
	return result == 0 ? courier_confine(setup, err) : result;
}

int courier_run(const struct courier_setup *setup, struct err *err)
{
	struct courier courier = {.setup = setup};
	const struct sigaction action = {.sa_handler = end_asked};
	log_setup("courier", LOG_INFO, -1);
	(void)prctl(PR_SET_PDEATHSIG, 0); /* it stays for the answers that are still to come */
	sigaction(SIGTERM, &action, NULL);
	int result = slots_map(&courier, err);
	if (result == 0)
		result = courier_open(&courier, err);
	if (result == 0)
		result = courier_work(&courier, err);
	if (result < 0)
		LOG(LOG_ERROR, "courier.failed", err->text);
	while (courier.jobs) {
		struct job *job = courier.jobs;
		courier.jobs = job->next;
		if (courier.multi && job->easy)
			curl_multi_remove_handle(courier.multi, job->easy);
		job_free(job);
	}
	job_free(courier.coming);
	curl_multi_cleanup(courier.multi);
	reach_free(courier.reach);
	return result;
}
