/* yagura share rpz --serve: a collection as a response policy zone that resolvers transfer. Two processes: this one
 * reads the store and makes the zone's text whenever it is another; a confined child speaks DNS and can open nothing.
 */
#include "cli/command_share.h"

#include "cli/command_indicator.h"
#include "cli/command_share_for.h"
#include "core/clock.h"
#include "core/log.h"
#include "hub/listen.h"
#include "share/output.h"
#include "share/zone_server.h"
#include "sys/child.h"
#include "sys/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEY_FILE_BYTES_MAX = 64 << 10, LOOK_MS = 100, NO_COLLECTION = -1 };

struct zone_command {
	struct zone_server server;
	struct zone_key keys[ZONE_KEYS_MAX];
	bool unconfined;
};

static int server_child(void *context, struct err *err)
{
	struct zone_command *command = context;
	const int keep[] = {command->server.udp_fd, command->server.tcp_fd, command->server.text_fd};
	const struct confine_policy policy = {.accept = true};
	child_keep_only(keep, 3);
	log_setup("zone", LOG_INFO, -1);
	int result = confine(&policy, command->unconfined, err);
	result = result < 0 ? result : zone_server_run(&command->server, err);
	if (result < 0)
		LOG(LOG_ERROR, "zone.failed", err->text);
	return result;
}

static int keys_load(const char *path, struct zone_command *command, struct err *err)
{
	char text[KEY_FILE_BYTES_MAX];
	FILE *file = fopen(path, "re");
	size_t bytes = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	fclose(file);
	text[bytes] = '\0';
	command->server.service.keys = command->keys;
	return zone_keys_read(text, path, command->keys, &command->server.service.key_count, err);
}

/* "ADDR:PORT", "[ADDR]:PORT" or an address alone, port 53. */
static int secondary_add(const char *where, struct zone_server *server, struct err *err)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(where, ':'), *begin = where;
	bool port_given = colon && (where[0] == '[' || strchr(where, ':') == colon) && colon[-1] != '[';
	size_t length = port_given ? (size_t)(colon - where) : strlen(where);
	unsigned long port = port_given ? strtoul(colon + 1, NULL, 10) : 53;
	if (length > 2 && where[0] == '[' && where[length - 1] == ']') {
		begin++;
		length -= 2;
	}
	if (length >= sizeof host || server->secondary_count == ZONE_SECONDARIES_MAX || port == 0 || port > 65535)
		return err_set(err, -EINVAL, "--notify: '%.64s' was given, ADDR or ADDR:PORT was expected", where);
	snprintf(host, sizeof host, "%.*s", (int)length, begin);
	struct zone_secondary *to = &server->secondaries[server->secondary_count];
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to->address;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		to->bytes = sizeof *v4;
	} else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		to->bytes = sizeof *v6;
	} else {
		return err_set(err, -EINVAL, "--notify: '%.64s' is not an address", host);
	}
	server->secondary_count++;
	return 0;
}

/* TCP and UDP on one address. */
static int sockets_open(const char *where, struct zone_server *server, char url[LISTEN_URL_BYTES], struct err *err)
{
	struct sockaddr_storage bound;
	socklen_t bytes = sizeof bound;
	int result = listen_tcp(where, "dns", &server->tcp_fd, url, err);
	if (result < 0)
		return result;
	(void)fcntl(server->tcp_fd, F_SETFL, O_NONBLOCK);
	if (getsockname(server->tcp_fd, (struct sockaddr *)&bound, &bytes) < 0)
		return err_set(err, -errno, "getsockname: %s", strerror(errno));
	server->udp_fd = socket(bound.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->udp_fd < 0 || bind(server->udp_fd, (struct sockaddr *)&bound, bytes) < 0)
		return err_set(err, -errno, "UDP %s: %s", where, strerror(errno));
	return 0;
}

static int write_all(int fd, const void *data, size_t bytes)
{
	for (const char *at = data; bytes > 0;) {
		ssize_t wrote = send(fd, at, bytes, MSG_NOSIGNAL);
		if (wrote < 0 && errno != EINTR)
			return -errno;
		at += wrote > 0 ? wrote : 0;
		bytes -= wrote > 0 ? (size_t)wrote : 0;
	}
	return 0;
}

/* Make the zone whenever something was put, or time changed it, and hand it to the child; until it ends. */
static int zone_feed(struct output *output, struct share_for *whom, int fd, struct child *child, struct err *err)
{
	int64_t made = -1, good_until_ns = 0;
	bool was_shown = true;
	for (;;) {
		int64_t generation;
		struct pollfd ended = {child_fd(child), POLLIN, 0};
		if (poll(&ended, 1, LOOK_MS) > 0)
			return err_set(err, -ECHILD, "the process that speaks DNS ended");
		int result = indicators_generation(output->store, &generation, err);
		output->now_ns = clock_now_ns();
		int looked = result == 0 ? share_for_look(whom, output, err) : result;
		bool shown = looked != -ENOENT; /* what is no more for them is taken from the zone */
		if (looked < 0 && shown)
			return looked;
		if (looked == 0 && shown == was_shown && generation == made && output->now_ns < good_until_ns)
			continue;
		if (!shown && shown == was_shown && made >= 0)
			continue;
		struct whole_text text = {.most = ZONE_TEXT_BYTES_MAX};
		struct output_result written;
		output->collection = shown ? whom->collection.id : NO_COLLECTION;
		if (shown)
			result = share_for_tell(whom, output, "rpz", err);
		if (result == 0)
			result = output_write(output, whole_text_add, &text, &written, err);
		uint64_t bytes = text.count;
		if (result == 0 &&
		    (write_all(fd, &bytes, sizeof bytes) < 0 || write_all(fd, text.bytes, text.count) < 0))
			result = err_set(err, -EPIPE, "the process that speaks DNS takes nothing");
		free(text.bytes);
		if (result < 0)
			return result;
		made = generation;
		was_shown = shown;
		good_until_ns = written.good_until_ns;
	}
}

int command_share_zone(const struct share_output_options *options, struct output *output, struct share_for *whom,
		       struct err *err)
{
	static struct zone_command command;
	char url[LISTEN_URL_BYTES];
	int pair[2];
	command.server.service.name = options->name;
	command.unconfined = options->unconfined;
	if (!options->key_file)
		return err_set(err, -EINVAL,
			       "--key-file is needed with --serve: zones are only given to those who have a key "
			       "(tsig-keygen)");
	int result = keys_load(options->key_file, &command, err);
	for (size_t i = 0; i < options->notify.count && result == 0; i++)
		result = secondary_add(options->notify.items[i], &command.server, err);
	if (result == 0)
		result = sockets_open(options->serve, &command.server, url, err);
	if (result == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		result = err_set(err, -errno, "socketpair: %s", strerror(errno));
	if (result < 0)
		return result;
	command.server.text_fd = pair[1];
	(void)fcntl(pair[1], F_SETFL, O_NONBLOCK);
	struct child child = {.name = "zone", .run = server_child, .context = &command};
	result = child_start(&child, err);
	close(pair[1]);
	if (result == 0) {
		printf("zone %s at %s\n", options->name, url);
		fflush(stdout);
		result = zone_feed(output, whom, pair[0], &child, err);
	}
	close(pair[0]);
	child_end(&child, 1000);
	return result;
}
