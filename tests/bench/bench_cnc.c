/* Detection of command and control: flows a second of one core and of two, bytes a pair, and the time of a ranking. The
 * mix is a carrier's: clients that ask popular services, a tail of rare ones, devices with beacons, scans from outside.
 */
#include "analyze/cnc/cnc.h"
#include "core/clock.h"
#include "core/hash.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 4096, BATCHES = 1500, CLIENTS = 300000, SERVICES = 200000, TCP = 6, UDP = 17 };

static struct batch *batches[BATCHES];

#define CELL(type, name) BATCH_COLUMN(batch, type, record_column_index(&record_flow, name))[at]

/* Services by popularity: the n-th is asked about 1 / n as often as the first. */
static uint32_t service_draw(uint64_t *random)
{
	double u = (double)random_below(random, 1 << 30) / (1 << 30);
	return (uint32_t)(exp(u * log(SERVICES)) - 1);
}

static void row_make(struct batch *batch, uint32_t at, uint64_t *random, double now_s)
{
	uint32_t client = (uint32_t)random_below(random, CLIENTS), service = service_draw(random);
	unsigned kind = (unsigned)random_below(random, 100);
	if (kind < 8) /* a beacon of a device */
		service = 1000 + client % 64;
	if (kind >= 95) /* a scan */
		service = SERVICES + (uint32_t)random_below(random, 1 << 22);
	uint16_t port = (uint16_t)(service < 50 ? 443 : hash_u64(service) % 4 ? 443 : hash_u64(service) % 20000 + 1024);
	uint64_t bytes = kind < 8 ? 300 : 500 + random_below(random, 20000);
	for (size_t c = 0; record_flow.columns[c].name; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		memset((uint8_t *)batch->columns[c] + at * width, 0, width);
	}
	CELL(int64_t, "first") = 1700000000 * NS_PER_S + (int64_t)(now_s * 1e9);
	CELL(int64_t, "last") = CELL(int64_t, "first") + (int64_t)random_below(random, 5000) * NS_PER_MS;
	CELL(struct addr, "source") = addr_from_v4(0x0a000000 + client);
	CELL(struct addr, "target") = addr_from_v4((uint32_t)hash_u64(service) % 0xdf000000 + 0x0b000000);
	CELL(uint16_t, "source_port") = (uint16_t)(32768 + random_below(random, 28000));
	CELL(uint16_t, "target_port") = kind >= 95 ? 23 : port;
	CELL(uint8_t, "protocol") = TCP;
	CELL(uint8_t, "flags") = kind >= 95 ? 0x02 : 0x1b;
	CELL(uint64_t, "packets") = 1 + bytes / 900;
	CELL(uint64_t, "bytes") = bytes;
	CELL(uint64_t, "reverse_packets") = kind >= 95 ? 0 : 1 + bytes / 700;
	CELL(uint64_t, "reverse_bytes") = kind >= 95 ? 0 : bytes * 3;
	CELL(uint32_t, "sampling") = 1;
}

static int traffic_make(void)
{
	uint64_t random = 1;
	for (int i = 0; i < BATCHES; i++) {
		batches[i] = batch_new(&record_flow, ROWS);
		if (!batches[i])
			return -1;
		for (uint32_t at = 0; at < ROWS; at++)
			row_make(batches[i], at, &random, 3600.0 * (i + (double)at / ROWS) / BATCHES);
		batches[i]->rows = ROWS;
	}
	return 0;
}

struct part {
	struct cnc *cnc;
	double seconds;
};

static double cpu_now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *part_run(void *context)
{
	struct part *part = context;
	double began = cpu_now_s();
	for (int i = 0; i < BATCHES; i++)
		if (cnc_take(part->cnc, batches[i], NULL) < 0)
			exit(1);
	part->seconds = cpu_now_s() - began;
	return NULL;
}

static void parts_run(uint32_t parts)
{
	struct part running[4];
	pthread_t threads[4];
	struct err err = {""};
	int64_t began = clock_monotonic_ns();
	for (uint32_t i = 0; i < parts; i++)
		if (cnc_new(&(struct cnc_options){.part = i, .parts = parts}, &running[i].cnc, &err) < 0 ||
		    pthread_create(&threads[i], NULL, part_run, &running[i]) != 0)
			exit(1);
	for (uint32_t i = 0; i < parts; i++)
		pthread_join(threads[i], NULL);
	double seconds = (double)(clock_monotonic_ns() - began) / 1e9;
	double cpu_s = 0; /* of the slowest part */
	size_t bytes = 0, pairs = 0;
	for (uint32_t i = 0; i < parts; i++) {
		bytes += cnc_figures(running[i].cnc).bytes;
		pairs += cnc_figures(running[i].cnc).pairs;
		cpu_s = running[i].seconds > cpu_s ? running[i].seconds : cpu_s;
	}
	printf("%u core%s: %.2f M flows/s, %.2f M by CPU time; %zu pairs, %.1f bytes each\n", parts,
	       parts > 1 ? "s" : "", (double)ROWS * BATCHES / seconds / 1e6, (double)ROWS * BATCHES / cpu_s / 1e6,
	       pairs, (double)bytes / (double)pairs);
	began = clock_monotonic_ns();
	for (uint32_t i = 1; i < parts; i++) {
		if (cnc_merge(running[0].cnc, running[i].cnc, &err) < 0)
			exit(1);
		cnc_free(running[i].cnc);
	}
	json_t *ranking = NULL;
	if (cnc_rank(running[0].cnc, 100, 0, false, &ranking, &err) < 0)
		exit(1);
	printf("  a ranking of the whole: %.2f s\n", (double)(clock_monotonic_ns() - began) / 1e9);
	json_decref(ranking);
	cnc_free(running[0].cnc);
}

int main(void)
{
	if (traffic_make() < 0)
		return 1;
	parts_run(1);
	parts_run(2);
	for (int i = 0; i < BATCHES; i++)
		batch_free(batches[i]);
	return 0;
}
