/* See zone_server.h. One thread, one poll loop. */
#include "share/zone_server.h"

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct connection {
	int fd; /* -1: free */
	uint8_t in[2 + ZONE_QUERY_BYTES_MAX];
	size_t in_bytes;
	struct zone_answer *answer;
	uint8_t *out; /* a message with its length in front */
	size_t out_bytes, out_sent;
	int64_t moved_ns;
};

struct serving {
	const struct zone_server *server;
	struct zone_version *version;
	struct connection connections[ZONE_CONNECTIONS_MAX];
	uint8_t head[8];
	size_t head_bytes, text_wanted, text_bytes;
	char *text;
	unsigned notified; /* how often of the version that is served */
	int64_t notify_ns;
};

static void connection_close(struct connection *connection)
{
	if (connection->fd < 0)
		return;
	close(connection->fd);
	zone_answer_free(connection->answer);
	free(connection->out);
	*connection = (struct connection){.fd = -1};
}

static int64_t now_s(void)
{
	return clock_now_ns() / NS_PER_S;
}

static void udp_answer(struct serving *serving)
{
	uint8_t query[ZONE_QUERY_BYTES_MAX], *message = NULL;
	struct sockaddr_storage from;
	socklen_t from_bytes = sizeof from;
	struct zone_answer *answer = NULL;
	size_t bytes;
	ssize_t got = recvfrom(serving->server->udp_fd, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_bytes);
	if (got <= 0)
		return;
	if (zone_answer_begin(&serving->server->service, serving->version, query, (size_t)got, false, now_s(), &answer,
			      NULL) == 0 &&
	    answer && zone_answer_next(answer, &message, &bytes, NULL) == 1)
		(void)!sendto(serving->server->udp_fd, message, bytes, MSG_DONTWAIT, (struct sockaddr *)&from,
			      from_bytes);
	free(message);
	zone_answer_free(answer);
}

static void connection_take(struct serving *serving)
{
	int fd = accept4(serving->server->tcp_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	for (unsigned i = 0; i < ZONE_CONNECTIONS_MAX; i++) {
		struct connection *connection = &serving->connections[i];
		if (connection->fd >= 0)
			continue;
		*connection = (struct connection){.fd = fd, .moved_ns = clock_monotonic_ns()};
		return;
	}
	close(fd);
}

/* The next message of the answer into `out`. 1; 0: the answer is over; negative. */
static int message_next(struct connection *connection)
{
	uint8_t *message = NULL;
	size_t bytes = 0;
	int more = zone_answer_next(connection->answer, &message, &bytes, NULL);
	if (more != 1 || bytes > UINT16_MAX) {
		free(message);
		return more == 1 ? -EMSGSIZE : more;
	}
	connection->out = malloc(bytes + 2);
	if (connection->out) {
		connection->out[0] = (uint8_t)(bytes >> 8);
		connection->out[1] = (uint8_t)bytes;
		memcpy(connection->out + 2, message, bytes);
		connection->out_bytes = bytes + 2;
		connection->out_sent = 0;
	}
	free(message);
	return connection->out ? 1 : -ENOMEM;
}

/* As much as the socket takes. 0, or negative: to be closed. */
static int connection_write(struct connection *connection)
{
	while (connection->answer) {
		if (!connection->out) {
			int more = message_next(connection);
			if (more < 0)
				return more;
			if (more == 0) {
				zone_answer_free(connection->answer);
				connection->answer = NULL;
				return 0;
			}
		}
		ssize_t sent = send(connection->fd, connection->out + connection->out_sent,
				    connection->out_bytes - connection->out_sent, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		connection->moved_ns = clock_monotonic_ns();
		connection->out_sent += (size_t)sent;
		if (connection->out_sent < connection->out_bytes)
			return 0;
		free(connection->out);
		connection->out = NULL;
	}
	return 0;
}

/* A query that is whole is answered; one at a time. */
static int connection_read(struct serving *serving, struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->in + connection->in_bytes,
			   sizeof connection->in - connection->in_bytes, 0);
	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -ECONNRESET;
	connection->in_bytes += (size_t)got;
	connection->moved_ns = clock_monotonic_ns();
	if (connection->in_bytes < 2)
		return 0;
	size_t wanted = (size_t)connection->in[0] << 8 | connection->in[1];
	if (wanted > ZONE_QUERY_BYTES_MAX)
		return -EMSGSIZE;
	if (connection->in_bytes < wanted + 2)
		return 0;
	int result = zone_answer_begin(&serving->server->service, serving->version, connection->in + 2, wanted, true,
				       now_s(), &connection->answer, NULL);
	connection->in_bytes -= wanted + 2;
	memmove(connection->in, connection->in + wanted + 2, connection->in_bytes);
	return result < 0 ? result : connection->answer ? connection_write(connection) : -EPROTO;
}

static void notify(struct serving *serving)
{
	uint8_t *message = NULL;
	size_t bytes;
	struct err err = {""};
	const struct zone_server *server = serving->server;
	static const int64_t pauses_ns[ZONE_NOTIFICATIONS] = {NS_PER_S, 2 * NS_PER_S, 0};
	if (!serving->version || serving->notified == ZONE_NOTIFICATIONS || clock_monotonic_ns() < serving->notify_ns)
		return;
	if (zone_notify_make(&server->service, serving->version->serial, &message, &bytes, &err) < 0)
		LOG(LOG_ERROR, "zone.notify", err.text);
	for (size_t i = 0; message && i < server->secondary_count; i++)
		(void)!sendto(server->udp_fd, message, bytes, MSG_DONTWAIT,
			      (const struct sockaddr *)&server->secondaries[i].address, server->secondaries[i].bytes);
	free(message);
	serving->notify_ns = clock_monotonic_ns() + pauses_ns[serving->notified++];
}

static void version_take(struct serving *serving)
{
	struct zone_version *version = NULL;
	struct err err = {""};
	if (zone_version_read(serving->text, serving->text_bytes, serving->version, (uint32_t)now_s(), &version, &err) <
	    0) {
		LOG(LOG_ERROR, "zone.refused", err.text);
		return;
	}
	if (version != serving->version) {
		LOG(LOG_INFO, "zone.changed", serving->server->service.name, LOG_NUMBER("serial", version->serial),
		    LOG_NUMBER("records", version->names->count));
		serving->notified = 0;
		serving->notify_ns = 0;
	}
	zone_version_unref(serving->version);
	serving->version = version;
}

/* 0; 1: the other end is gone; negative. */
static int text_read(struct serving *serving)
{
	bool head = serving->head_bytes < sizeof serving->head;
	void *to = head ? (void *)(serving->head + serving->head_bytes) : (void *)(serving->text + serving->text_bytes);
	size_t room = head ? sizeof serving->head - serving->head_bytes : serving->text_wanted - serving->text_bytes;
	ssize_t got = room > 0 ? read(serving->server->text_fd, to, room) : 0;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (got == 0 && room > 0)
		return 1;
	if (head) {
		serving->head_bytes += (size_t)got;
		if (serving->head_bytes < sizeof serving->head)
			return 0;
		uint64_t wanted;
		memcpy(&wanted, serving->head, sizeof wanted);
		serving->text = wanted <= ZONE_TEXT_BYTES_MAX ? malloc(wanted + 1) : NULL;
		serving->text_wanted = wanted;
		serving->text_bytes = 0;
		if (!serving->text)
			return -E2BIG;
	} else {
		serving->text_bytes += (size_t)got;
	}
	if (serving->text_bytes < serving->text_wanted)
		return 0;
	version_take(serving);
	free(serving->text);
	serving->text = NULL;
	serving->head_bytes = 0;
	return 0;
}

static void connections_serve(struct serving *serving, const struct pollfd *fds)
{
	for (unsigned i = 0; i < ZONE_CONNECTIONS_MAX; i++) {
		struct connection *connection = &serving->connections[i];
		if (connection->fd < 0 || connection->fd != fds[i].fd)
			continue;
		int result = 0;
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && !connection->answer)
			result = connection_read(serving, connection);
		else if (fds[i].revents & (POLLOUT | POLLHUP | POLLERR))
			result = connection_write(connection);
		if (result < 0 || clock_monotonic_ns() - connection->moved_ns > ZONE_IDLE_S * NS_PER_S)
			connection_close(connection);
	}
}

int zone_server_run(const struct zone_server *server, struct err *err)
{
	struct serving *serving = calloc(1, sizeof *serving);
	int result = serving ? 0 : err_set(err, -ENOMEM, "no memory for the server");
	for (unsigned i = 0; serving && i < ZONE_CONNECTIONS_MAX; i++)
		serving->connections[i].fd = -1;
	if (serving)
		serving->server = server;
	while (result == 0) {
		struct pollfd fds[3 + ZONE_CONNECTIONS_MAX] = {
			{server->text_fd, POLLIN, 0}, {server->udp_fd, POLLIN, 0}, {server->tcp_fd, POLLIN, 0}};
		for (unsigned i = 0; i < ZONE_CONNECTIONS_MAX; i++)
			fds[3 + i] = (struct pollfd){serving->connections[i].fd,
						     serving->connections[i].answer ? POLLOUT : POLLIN, 0};
		if (poll(fds, 3 + ZONE_CONNECTIONS_MAX, 500) < 0 && errno != EINTR)
			result = err_set(err, -errno, "poll: %s", strerror(errno));
		if (result == 0 && fds[0].revents)
			result = text_read(serving);
		if (fds[1].revents & POLLIN)
			udp_answer(serving);
		if (fds[2].revents & POLLIN)
			connection_take(serving);
		connections_serve(serving, fds + 3);
		notify(serving);
	}
	for (unsigned i = 0; serving && i < ZONE_CONNECTIONS_MAX; i++)
		connection_close(&serving->connections[i]);
	if (serving)
		zone_version_unref(serving->version);
	free(serving ? serving->text : NULL);
	free(serving);
	return result == 1 ? 0 : result;
}
