/* NetFlow v5 and v9: fields, clocks, templates that come late or change, options, faults by name. */
#include "export.h"

#define NS_PER_MS INT64_C(1000000)
#define EXPORT_NS ((int64_t)EXPORT_SECONDS * 1000000000)

static void begin_v5(struct bytes *bytes, unsigned count, uint32_t sequence, unsigned sampling)
{
	bytes->count = 0;
	put(bytes, 5, 2);
	put(bytes, count, 2);
	put(bytes, EXPORT_UPTIME_MS, 4);
	put(bytes, EXPORT_SECONDS, 4);
	put(bytes, 500, 4);
	put(bytes, sequence, 4);
	put(bytes, 0x0102, 2);
	put(bytes, 1 << 14 | sampling, 2);
}

static void record_v5(struct bytes *bytes, uint32_t source, uint32_t first_ms, uint32_t last_ms)
{
	put(bytes, source, 4);
	put(bytes, 0xc6336402, 4);
	put(bytes, 0xc6336403, 4);
	put(bytes, 11, 2);
	put(bytes, 12, 2);
	put(bytes, 3, 4);
	put(bytes, 180, 4);
	put(bytes, first_ms, 4);
	put(bytes, last_ms, 4);
	put(bytes, 40000, 2);
	put(bytes, 443, 2);
	put(bytes, 0, 1);
	put(bytes, 0x1b, 1);
	put(bytes, 6, 1);
	put(bytes, 0x20, 1);
	put(bytes, 64500, 2);
	put(bytes, 64501, 2);
	put(bytes, 24 << 8 | 16, 2);
	put(bytes, 0, 2);
}

static void v5_is_read_whole(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	begin_v5(&bytes, 2, 10, 0);
	record_v5(&bytes, 0xc6336401, EXPORT_UPTIME_MS - 2500, EXPORT_UPTIME_MS - 500);
	record_v5(&bytes, 0xc6336409, EXPORT_UPTIME_MS, EXPORT_UPTIME_MS);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 2);
	assert_int_equal(CELL(&bench, uint16_t, "sensor", 0), 3);
	assert_address(&CELL(&bench, struct addr, "exporter", 0), "192.0.2.1");
	assert_int_equal(CELL(&bench, uint32_t, "domain", 0), 0x0102);
	assert_int_equal(CELL(&bench, int64_t, "first", 0), EXPORT_NS + 500 - 2500 * NS_PER_MS);
	assert_int_equal(CELL(&bench, int64_t, "last", 0), EXPORT_NS + 500 - 500 * NS_PER_MS);
	assert_address(&CELL(&bench, struct addr, "source", 0), "198.51.100.1");
	assert_address(&CELL(&bench, struct addr, "source", 1), "198.51.100.9");
	assert_address(&CELL(&bench, struct addr, "target", 0), "198.51.100.2");
	assert_address(&CELL(&bench, struct addr, "next_hop", 0), "198.51.100.3");
	assert_int_equal(CELL(&bench, uint16_t, "source_port", 0), 40000);
	assert_int_equal(CELL(&bench, uint16_t, "target_port", 0), 443);
	assert_int_equal(CELL(&bench, uint8_t, "protocol", 0), 6);
	assert_int_equal(CELL(&bench, uint8_t, "flags", 0), 0x1b);
	assert_int_equal(CELL(&bench, uint8_t, "tos", 0), 0x20);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 0), 3);
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 0), 180);
	assert_int_equal(CELL(&bench, uint32_t, "input", 0), 11);
	assert_int_equal(CELL(&bench, uint32_t, "output", 0), 12);
	assert_int_equal(CELL(&bench, uint32_t, "source_as", 0), 64500);
	assert_int_equal(CELL(&bench, uint32_t, "target_as", 0), 64501);
	assert_int_equal(CELL(&bench, uint32_t, "sampling", 0), 1);
	bench_close(&bench);
}

static void v5_says_its_sampling_and_survives_the_clock_s_wrap(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	begin_v5(&bytes, 1, 10, 100);
	record_v5(&bytes, 0xc6336401, UINT32_MAX - 999, 1000); /* began a second before the clock of 49 days wrapped */
	feed(&bench, &bytes);
	assert_int_equal(CELL(&bench, uint32_t, "sampling", 0), 100);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 0), 300);
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 0), 18000);
	assert_int_equal(CELL(&bench, int64_t, "last", 0) - CELL(&bench, int64_t, "first", 0), 2000 * NS_PER_MS);
	bench_close(&bench);
}

static void v5_that_is_cut_keeps_its_whole_records(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	begin_v5(&bytes, 2, 10, 0);
	record_v5(&bytes, 1, 0, 0);
	record_v5(&bytes, 2, 0, 0);
	bytes.count -= 1;
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 1);
	assert_int_equal(figures(&bench)->faults[FLOW_TRUNCATED], 1);
	bench_close(&bench);
}

static const struct field plain[] = {{8, 4, 0}, {12, 4, 0}, {7, 2, 0},  {11, 2, 0}, {4, 1, 0},
				     {1, 4, 0}, {2, 4, 0},  {22, 4, 0}, {21, 4, 0}};
enum { PLAIN = sizeof plain / sizeof *plain };

static void record_plain(struct bytes *bytes, unsigned protocol, unsigned port)
{
	put(bytes, 0x0a000001, 4);
	put(bytes, 0x0a000002, 4);
	put(bytes, 1234, 2);
	put(bytes, port, 2);
	put(bytes, protocol, 1);
	put(bytes, 1000, 4);
	put(bytes, 10, 4);
	put(bytes, EXPORT_UPTIME_MS - 30000, 4);
	put(bytes, EXPORT_UPTIME_MS - 1000, 4);
}

static void templates_v9(struct bytes *bytes, uint32_t sequence, unsigned id, const struct field *fields,
			 unsigned count)
{
	begin_v9(bytes, sequence);
	size_t set = begin_set(bytes, 0);
	put_template(bytes, id, fields, count);
	end_set(bytes, set);
}

static void data_v9(struct bytes *bytes, uint32_t sequence, unsigned id)
{
	begin_v9(bytes, sequence);
	size_t set = begin_set(bytes, id);
	record_plain(bytes, 6, 443);
	record_plain(bytes, 17, 53);
	put(bytes, 0, 2); /* padding */
	end_set(bytes, set);
}

static void v9_waits_for_its_template(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	data_v9(&bytes, 1, 300);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 0);
	assert_int_equal(figures(&bench)->faults[FLOW_NO_TEMPLATE], 1);
	templates_v9(&bytes, 2, 300, plain, PLAIN);
	feed(&bench, &bytes);
	data_v9(&bytes, 3, 300);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 2);
	assert_int_equal(CELL(&bench, uint16_t, "target_port", 1), 53);
	assert_int_equal(CELL(&bench, int64_t, "first", 0), EXPORT_NS - 30000 * NS_PER_MS);
	assert_int_equal(figures(&bench)->lost, 0);
	data_v9(&bytes, 8, 300); /* 4 to 7 never came */
	feed(&bench, &bytes);
	assert_int_equal(figures(&bench)->lost, 4);
	bench_close(&bench);
}

static void a_template_may_change_and_is_its_exporter_s_alone(void **state)
{
	(void)state;
	static const struct field other[] = {{12, 4, 0}, {8, 4, 0}, {1, 3, 0}};
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	templates_v9(&bytes, 1, 300, plain, PLAIN);
	feed(&bench, &bytes);
	templates_v9(&bytes, 1, 300, other, 3);
	feed_from(&bench, 0xc0000202, bytes.data, bytes.count);
	data_v9(&bytes, 2, 300);
	feed(&bench, &bytes);
	assert_address(&CELL(&bench, struct addr, "source", 0), "10.0.0.1");
	templates_v9(&bytes, 3, 300, other, 3);
	feed(&bench, &bytes);
	begin_v9(&bytes, 4);
	size_t set = begin_set(&bytes, 300);
	put(&bytes, 0x0a000009, 4);
	put(&bytes, 0x0a000008, 4);
	put(&bytes, 0x010203, 3);
	end_set(&bytes, set);
	feed(&bench, &bytes);
	assert_address(&CELL(&bench, struct addr, "source", 2), "10.0.0.8");
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 2), 0x010203);
	assert_int_equal(CELL(&bench, int64_t, "first", 2), EXPORT_NS); /* it says nothing of times */
	bench_close(&bench);
}

static void options_tell_the_sampling(void **state)
{
	(void)state;
	static const struct field sampled[] = {{8, 4, 0}, {12, 4, 0}, {2, 4, 0}, {1, 4, 0}, {48, 1, 0}};
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	begin_v9(&bytes, 1);
	size_t set = begin_set(&bytes, 1);
	put(&bytes, 400, 2);
	put(&bytes, 4, 2); /* one scope: the system */
	put(&bytes, 8, 2);
	put(&bytes, 1, 2), put(&bytes, 4, 2);
	put(&bytes, 48, 2), put(&bytes, 1, 2);
	put(&bytes, 50, 2), put(&bytes, 4, 2);
	end_set(&bytes, set);
	set = begin_set(&bytes, 400);
	put(&bytes, 0xc0000201, 4);
	put(&bytes, 2, 1);
	put(&bytes, 512, 4);
	end_set(&bytes, set);
	set = begin_set(&bytes, 0);
	put_template(&bytes, 300, sampled, 5);
	end_set(&bytes, set);
	set = begin_set(&bytes, 300);
	for (unsigned sampler = 2; sampler <= 3; sampler++) {
		put(&bytes, 1, 4);
		put(&bytes, 2, 4);
		put(&bytes, 5, 4);
		put(&bytes, 500, 4);
		put(&bytes, sampler, 1);
	}
	end_set(&bytes, set);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 2);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 0), 5 * 512);
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 0), 500 * 512);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 1), 5); /* of a sampler that nobody described */
	bench_close(&bench);
}

static void a_bad_length_ends_its_message_only(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	templates_v9(&bytes, 1, 300, plain, PLAIN);
	feed(&bench, &bytes);
	data_v9(&bytes, 2, 300);
	size_t whole = bytes.count;
	put(&bytes, 300, 2);
	put(&bytes, 3, 2); /* shorter than its own head */
	put(&bytes, 0, 4);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 2);
	assert_int_equal(figures(&bench)->faults[FLOW_LENGTH], 1);
	patch16(&bytes, whole + 2, 4000);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 4);
	assert_int_equal(figures(&bench)->faults[FLOW_TRUNCATED], 1);
	for (size_t cut = 0; cut < whole; cut++) /* any end is survived */
		feed_from(&bench, 0xc0000201, bytes.data, cut);
	bench_close(&bench);
}

static void what_is_no_export_belongs_to_nobody(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	feed_from(&bench, 0xc0000201, "\0\7hello", 7);
	feed_from(&bench, 0xc0000201, "", 0);
	assert_int_equal(collector_figures(bench.collector)->strange, 2);
	assert_int_equal(collector_exporters(bench.collector), 0);
	for (uint32_t exporter = 1; exporter <= 6; exporter++) { /* four are allowed */
		begin_v5(&bytes, 1, 0, 0);
		record_v5(&bytes, 1, 0, 0);
		feed_from(&bench, exporter, bytes.data, bytes.count);
	}
	assert_int_equal(collector_exporters(bench.collector), 4);
	assert_int_equal(collector_figures(bench.collector)->too_many, 2);
	assert_int_equal(bench.rows->rows, 4);
	bench_close(&bench);
}

static void late_messages_and_restarts_are_no_loss(void **state)
{
	(void)state;
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	static const uint32_t sequences[] = {10000, 10001, 10003, 10002, 10004, 1};
	for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
		templates_v9(&bytes, sequences[i], 300, plain, PLAIN);
		feed(&bench, &bytes);
	}
	assert_int_equal(figures(&bench)->lost, 0);
	assert_int_equal(figures(&bench)->late, 1);
	assert_int_equal(figures(&bench)->restarts, 1);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v5_is_read_whole),
		cmocka_unit_test(v5_says_its_sampling_and_survives_the_clock_s_wrap),
		cmocka_unit_test(v5_that_is_cut_keeps_its_whole_records),
		cmocka_unit_test(v9_waits_for_its_template),
		cmocka_unit_test(a_template_may_change_and_is_its_exporter_s_alone),
		cmocka_unit_test(options_tell_the_sampling),
		cmocka_unit_test(a_bad_length_ends_its_message_only),
		cmocka_unit_test(what_is_no_export_belongs_to_nobody),
		cmocka_unit_test(late_messages_and_restarts_are_no_loss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
