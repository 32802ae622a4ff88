/* Spools batches and sends them to a hub, for the system tests.
 *
 *     small_sender URL TOKEN SPOOL BOOT FIRST COUNT WAIT_MS [PAUSE_MS]
 *
 * puts COUNT batches of 10 tuples from sequence FIRST on, with a pause after each, where one is asked for; then it says
 * after each how many the hub has acknowledged. The sequence stands in the tuples as `payload`.
 *
 * Exit status 0: all acknowledged; 3: some wait in the spool; 1: failed.
 */
#include "core/addr.h"
#include "core/clock.h"
#include "core/log.h"
#include "hub/remote_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *column(struct batch *batch, const char *name)
{
	return batch->columns[record_column_index(batch->kind, name)];
}

static void tuples_fill(struct batch *batch, uint64_t sequence)
{
	int64_t now = clock_now_ns();
	batch_clear(batch);
	batch->sequence = sequence;
	for (unsigned row = 0; row < 10; row++) {
		((int64_t *)column(batch, "minute"))[row] = time_floor(now, NS_PER_MINUTE);
		((struct addr *)column(batch, "source"))[row] = addr_from_v4(0x09090900 + row);
		((uint8_t *)column(batch, "protocol"))[row] = 17;
		((uint16_t *)column(batch, "port"))[row] = 53;
		((uint32_t *)column(batch, "packets"))[row] = 1;
		((uint64_t *)column(batch, "payload"))[row] = sequence;
		((int64_t *)column(batch, "first"))[row] = now;
		((int64_t *)column(batch, "last"))[row] = now;
		batch->rows++;
	}
}

int main(int argc, char **argv)
{
	struct err err = {""};
	struct remote_sink *remote = NULL;
	if (argc != 8 && argc != 9)
		return 2;
	unsigned pause_ms = argc == 9 ? (unsigned)atoi(argv[8]) : 0;
	log_setup("sender", LOG_INFO, 1);
	const struct remote_options options = {
		.url = argv[1], .token = argv[2], .spool = argv[3], .spool_bytes = 1 << 20};
	uint64_t first = strtoull(argv[5], NULL, 10), count = strtoull(argv[6], NULL, 10);
	struct batch *batch = batch_new(&record_tuple, 10);
	int result = batch ? remote_sink_open(&options, &remote, &err) : -ENOMEM;
	if (batch)
		batch->sensor_boot = strtoull(argv[4], NULL, 16);
	for (uint64_t i = 0; i < count && result == 0; i++) {
		tuples_fill(batch, first + i);
		result = remote_sink_of(remote)->put(remote_sink_of(remote), batch, &err);
		if (pause_ms) {
			usleep(pause_ms * 1000);
			printf("%llu\n", (unsigned long long)remote_sink_counters(remote).sent);
			fflush(stdout);
		}
	}
	int drained = result == 0 ? remote_sink_drain(remote, atoi(argv[7]), &err) : result;
	if (drained < 0)
		fprintf(stderr, "%s\n", err.text);
	remote_sink_close(remote);
	batch_free(batch);
	return drained == 0 ? 0 : drained == -ETIMEDOUT ? 3 : 1;
}
