/* A collector on the network: datagrams of exporters by UDP, each core with sockets, a thread and a collector of its
 * own. All of an exporter's datagrams come to one of them (sys/udp.h), so that they share nothing.
 */
#pragma once

#include "observe/flow/collector.h"

struct listener;

struct listener_options {
	const char *const *where; /* "ADDR:PORT" each */
	size_t where_count;
	unsigned lanes;       /* sockets of each address, and threads; 0: one a core */
	int64_t buffer_bytes; /* of each socket */
	int64_t flush_ns;     /* flows are handed on at the latest after so long */
	struct collector_options collector;
};

/* Opens the sockets; nothing is read yet, so that a process can confine itself between this and the start. */
int listener_open(const struct listener_options *options, struct listener **ret_listener, struct err *err) must_check;
/* Before the start: what an earlier one knew of an exporter. Whichever thread hears it has it. */
int listener_recall(struct listener *listener, const struct exporter *remembered, struct err *err) must_check;
/* Batches go to the sink from all threads. */
int listener_start(struct listener *listener, struct sink *sink, struct err *err) must_check;
/* Read what waits in the sockets, hand all of it on and end the threads. Figures stay. -errno: why a thread ended. */
int listener_stop(struct listener *listener, struct err *err) must_check;
void listener_free(struct listener *listener); /* stopped before; NULL is fine */

struct listener_figures {
	uint64_t datagrams, bytes, records;
	uint64_t dropped;           /* by the kernel: the sockets' buffers were full */
	uint64_t strange, too_many; /* struct collector_figures */
	uint64_t refused;           /* records that the sink did not take */
	bool failed;                /* a thread ended by itself; listener_stop() says why */
};
/* While it runs, too. */
struct listener_figures listener_figures(const struct listener *listener);

unsigned listener_port(const struct listener *listener, size_t number); /* of that address; of "ADDR:0" the one given */
int64_t listener_buffer_bytes(const struct listener *listener);         /* of each socket, as the kernel allowed it */

/* Every exporter, of one thread after the other; each waits meanwhile. `each` may end it by a nonzero answer, which is
 * returned. */
int listener_visit(struct listener *listener, int (*each)(void *context, const struct exporter *exporter),
		   void *context);
