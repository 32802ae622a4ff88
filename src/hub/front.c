/* The front process: libmicrohttpd driven by our own poll loop, one thread. See front.h and README.md.
 *
 * A request is read whole (bounded), sent to the keeper in messages, and its connection suspended until the answer
 * begins. Short answers arrive in one message; long ones stream, each message passed on giving the keeper credit for
 * another, so that a slow client holds a bounded amount of memory here and the keeper waits.
 */
#include "hub/front.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/assets.h"
#include "hub/front_live.h"
#include "hub/front_request.h"
#include "hub/message.h"
#include "sys/child.h"
#include "sys/confine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

static int file_text(const char *path, struct pool *pool, char **ret_text, struct err *err)
{
	enum { PEM_BYTES_MAX = 1 << 20 };
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	char *text = pool_alloc(pool, PEM_BYTES_MAX);
	size_t bytes = text ? fread(text, 1, PEM_BYTES_MAX - 1, file) : 0;
	fclose(file);
	*ret_text = text;
	return bytes > 0 ? 0 : err_set(err, -EINVAL, "%s: a PEM file was expected", path);
}

static void mhd_log(void *context, const char *format, va_list arguments)
{
	char text[256];
	(void)context;
	vsnprintf(text, sizeof text, format, arguments);
	LOG(LOG_DEBUG, "front.http", text);
}

static int daemon_start(struct front *front, struct pool *pool, struct err *err)
{
	const struct front_setup *setup = front->setup;
	char *cert = NULL, *key = NULL;
	int result = 0;
	if (setup->tls_cert && !setup->local) {
		result = file_text(setup->tls_cert, pool, &cert, err);
		if (result == 0)
			result = file_text(setup->tls_key, pool, &key, err);
	}
	if (result < 0)
		return result;
	struct MHD_OptionItem tls[] = {
		{cert ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, key},
		{MHD_OPTION_END, 0, NULL},
	};
	front->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (cert ? MHD_USE_TLS : 0), 0, NULL, NULL,
		request_handle, front, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET,
		setup->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)LIMIT_CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)LIMIT_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HEADER_BYTES * 2,
		MHD_OPTION_URI_LOG_CALLBACK, request_begin, front, MHD_OPTION_NOTIFY_COMPLETED, request_completed,
		front, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!front->daemon)
		return err_set(err, -EINVAL, "HTTP cannot be served%s", cert ? ": are certificate and key right?" : "");
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(front->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	front->epoll_fd = info->epoll_fd;
	return 0;
}

static void messages_take(struct front *front)
{
	struct message_head head;
	size_t bytes;
	for (unsigned i = 0; i < 256 && message_receive(front->setup->request_fd, &head, front->buffer, &bytes) == 1;
	     i++) {
		if (head.type == MESSAGE_HELLO)
			requests_abandon(front);
		else if (head.type == MESSAGE_REPLY || head.type == MESSAGE_DATA)
			request_answer(front, &head, front->buffer, bytes);
	}
}

static void live_take(struct front *front)
{
	struct message_head head;
	size_t bytes;
	for (unsigned i = 0; i < 64 && message_receive(front->setup->live_fd, &head, front->buffer, &bytes) == 1; i++)
		if (head.type == MESSAGE_LIVE)
			live_event(front->live, (enum live_event)head.number, head.id, (const char *)front->buffer,
				   bytes);
}

static int front_loop(struct front *front, struct err *err)
{
	const struct front_setup *setup = front->setup;
	for (int64_t swept = 0;;) {
		struct pollfd fds[] = {
			{.fd = front->epoll_fd, .events = POLLIN},
			{.fd = setup->request_fd, .events = (short)(POLLIN | (front->sending ? POLLOUT : 0))},
			{.fd = setup->live_fd, .events = POLLIN},
		};
		MHD_UNSIGNED_LONG_LONG wait_ms = 500;
		if (MHD_get_timeout(front->daemon, &wait_ms) != MHD_YES || wait_ms > 500)
			wait_ms = 500;
		if (poll(fds, 3, (int)wait_ms) < 0 && errno != EINTR)
			return err_set(err, -errno, "poll: %s", strerror(errno));
		messages_take(front);
		if (setup->live_fd >= 0)
			live_take(front);
		int64_t now = clock_monotonic_ns();
		if (now - swept > 500 * NS_PER_MS) {
			requests_sweep(front, now);
			live_tick(front->live);
			swept = now;
		}
		requests_send(front);
		if (MHD_run(front->daemon) != MHD_YES)
			return err_set(err, -EIO, "the HTTP library failed");
		requests_send(front);
	}
}

static int front_confine(const struct front *front, struct err *err)
{
	const struct front_setup *setup = front->setup;
	const struct confine_policy policy = {.accept = true, .uid = setup->uid, .gid = setup->gid};
	int result = confine(&policy, setup->unconfined, err);
	if (result == 1)
		LOG(LOG_WARNING, "front.unconfined", "the kernel lacks Landlock or seccomp; running without");
	return result < 0 ? result : 0;
}

int front_run(const struct front_setup *setup, struct err *err)
{
	struct pool *pool = pool_new(NULL, "front");
	struct front *front = pool ? pool_alloc(pool, sizeof *front) : NULL;
	if (!front)
		return err_set(err, -ENOMEM, "no memory for the front");
	log_setup(setup->name, LOG_INFO, -1);
	const int keep[] = {setup->listen_fd, setup->request_fd, setup->live_fd};
	child_keep_only(keep, 3);
	front->setup = setup;
	front->live = live_new(setup->own);
	front->buffer = pool_alloc(pool, LIMIT_MESSAGE_BYTES);
	if (!front->live || !front->buffer || getrandom(&front->next_id, sizeof front->next_id, 0) < 0)
		return err_set(err, -ENOMEM, "no memory for the front");
	int result = setup->web ? assets_read(setup->web, pool, &front->assets, err) : 0;
	if (result < 0) {
		LOG(LOG_WARNING, "front.pages", err->text);
		front->assets = (struct assets){0};
	}
	atomic_store(&setup->own->static_bytes, front->assets.bytes);
	result = daemon_start(front, pool, err);
	if (result == 0)
		result = front_confine(front, err);
	const struct message_head hello = {.type = MESSAGE_HELLO};
	if (result == 0)
		result = message_send(setup->request_fd, &hello, NULL, 0, 5000);
	if (result == 0)
		result = front_loop(front, err);
	LOG(LOG_ERROR, "front.failed", err->text);
	return result;
}
