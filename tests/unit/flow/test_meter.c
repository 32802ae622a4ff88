/* The meter on packets made byte by byte: when a flow is over, and what happens when there is no room. */
#include "../check.h"

#include "core/clock.h"
#include "observe/flow/meter.h"
#include "record/flow_row.h"

#include <stdlib.h>

enum { IDLE = 1, ACTIVE = 2, DETECTED = 3, FORCED = 4, NO_ROOM = 5, SYN = 2, FIN_ACK = 0x11 };

struct bench {
	struct sink sink;
	struct meter *meter;
	struct batch *rows;
	uint8_t ip[20];
};

static int bench_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	return batch_append(((struct bench *)sink)->rows, batch, err);
}

static void bench_open(struct bench *bench, uint32_t flows_max)
{
	*bench = (struct bench){.sink.put = bench_put, .rows = batch_new(&record_flow, 16), .ip = {0x45, 0x20}};
	struct meter_options options = {.sensor = 3, .flows_max = flows_max};
	assert_int_equal(meter_new(&options, &bench->sink, &bench->meter, NULL), 0);
}

static void bench_close(struct bench *bench)
{
	meter_free(bench->meter);
	batch_free(bench->rows);
}

/* One packet of 100 bytes from port `sport`, `ms` after the beginning. */
static void feed(struct bench *bench, int64_t ms, uint16_t sport, uint8_t flags)
{
	struct packet packet = {.time_ns = ms * NS_PER_MS,
				.ip = bench->ip,
				.l4 = bench->ip,
				.src = 0x0a000001,
				.dst = 0xc0000201,
				.sport = sport,
				.dport = 443,
				.ip_bytes = 100,
				.version = 4,
				.protocol = 6,
				.tcp_flags = flags};
	assert_int_equal(meter_feed(bench->meter, &packet, 1, NULL), 0);
}

static void ended(struct bench *bench, uint32_t row, unsigned reason, uint64_t packets)
{
	assert_int_equal(meter_flush(bench->meter, NULL), 0);
	assert_true(bench->rows->rows > row);
	struct flow_row flow = flow_row_get(bench->rows, row);
	assert_int_equal(flow.end_reason, reason);
	assert_int_equal(flow.packets, packets);
	assert_int_equal(flow.bytes, packets * 100);
	assert_int_equal(flow.tos, 0x20);
	assert_int_equal(flow.sensor, 3);
}

static void quiet_ends_a_flow(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, 0);
	feed(&bench, 0, 1000, SYN);
	feed(&bench, 14999, 1000, 0x10);
	feed(&bench, 30000, 1000, 0x10); /* 15.001 s later */
	ended(&bench, 0, IDLE, 2);
	ended(&bench, 1, FORCED, 1);
	assert_int_equal(flow_row_get(bench.rows, 0).flags, SYN | 0x10);
	bench_close(&bench);
}

static void another_packet_lets_quiet_ones_go(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, 0);
	feed(&bench, 0, 1000, SYN);
	feed(&bench, 1, 1001, FIN_ACK);
	feed(&bench, 20000, 2000, SYN);
	ended(&bench, 0, IDLE, 1);
	ended(&bench, 1, DETECTED, 1);
	ended(&bench, 2, FORCED, 1);
	bench_close(&bench);
}

static void a_long_one_is_told_by_and_by(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, 0);
	for (int64_t ms = 0; ms <= 250000; ms += 10000)
		feed(&bench, ms, 1000, 0x10);
	ended(&bench, 0, ACTIVE, 12);
	ended(&bench, 1, ACTIVE, 12);
	ended(&bench, 2, FORCED, 2);
	assert_int_equal(flow_row_get(bench.rows, 1).first_ns, 120 * NS_PER_S);
	bench_close(&bench);
}

static void a_closed_connection_is_not_the_next_one(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, 0);
	feed(&bench, 0, 1000, SYN);
	feed(&bench, 10, 1000, FIN_ACK);
	feed(&bench, 20, 1000, 0x10);  /* the last acknowledgement belongs to it */
	feed(&bench, 2000, 1000, SYN); /* the same ports again */
	ended(&bench, 0, DETECTED, 3);
	ended(&bench, 1, FORCED, 1);
	bench_close(&bench);
}

static void without_room_the_quietest_goes(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, 2);
	feed(&bench, 0, 1000, SYN);
	feed(&bench, 1, 1001, SYN);
	feed(&bench, 2, 1000, 0x10);
	feed(&bench, 3, 1002, SYN);
	ended(&bench, 0, NO_ROOM, 1);
	assert_int_equal(flow_row_get(bench.rows, 0).source_port, 1001);
	assert_int_equal(meter_figures(bench.meter).forced, 1);
	assert_int_equal(bench.rows->rows, 3);
	bench_close(&bench);
}

static void a_hundred_thousand_at_once_lose_nothing(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, 50000);
	for (unsigned i = 0; i < 200000; i++)
		feed(&bench, i / 100, (uint16_t)(i % 60000), 0x10);
	assert_int_equal(meter_flush(bench.meter, NULL), 0);
	uint64_t packets = 0;
	for (uint32_t row = 0; row < bench.rows->rows; row++)
		packets += flow_row_get(bench.rows, row).packets;
	assert_int_equal(packets, 200000);
	assert_int_equal(meter_figures(bench.meter).flows, bench.rows->rows);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_ends_a_flow),
		cmocka_unit_test(another_packet_lets_quiet_ones_go),
		cmocka_unit_test(a_long_one_is_told_by_and_by),
		cmocka_unit_test(a_closed_connection_is_not_the_next_one),
		cmocka_unit_test(without_room_the_quietest_goes),
		cmocka_unit_test(a_hundred_thousand_at_once_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
