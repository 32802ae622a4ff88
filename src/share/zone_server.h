/* The server of one zone: answers on sockets that are open already, takes new versions of the zone from a pipe, tells
 * the secondaries. Everything a stranger can make grow is bounded here; meant to run confined.
 */
#pragma once

#include "share/zone_transfer.h"

#include <sys/socket.h>

enum {
	ZONE_CONNECTIONS_MAX = 128,
	ZONE_IDLE_S = 30, /* a connection on which nothing moves */
	ZONE_SECONDARIES_MAX = 64,
	ZONE_NOTIFICATIONS = 3, /* of one change to one secondary, a second and two apart */
	ZONE_TEXT_BYTES_MAX = 256 << 20,
};

struct zone_secondary {
	struct sockaddr_storage address;
	socklen_t bytes;
};

struct zone_server {
	struct zone_service service;
	int udp_fd, tcp_fd; /* bound; tcp_fd listens */
	int text_fd; /* a stream: u64 of length, then that many bytes of the zone's text; its end ends the server */
	struct zone_secondary secondaries[ZONE_SECONDARIES_MAX];
	size_t secondary_count;
};

/* Returns 0 at the end of text_fd. */
int zone_server_run(const struct zone_server *server, struct err *err) must_check;
