/* IPFIX: every clock, both families, lengths that vary, withdrawal, reverse counters, and sFlow's samples. */
#include "export.h"

#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define EXPORT_NS ((int64_t)EXPORT_SECONDS * 1000000000)

/* One message with a template and one record of it, which `data` holds. */
static void one(struct bench *bench, const struct field *fields, unsigned count, const struct bytes *data)
{
	struct bytes bytes;
	begin_ipfix(&bytes, 0);
	size_t set = begin_set(&bytes, 2);
	put_template(&bytes, 256, fields, count);
	end_set(&bytes, set);
	set = begin_set(&bytes, 256);
	memcpy(bytes.data + bytes.count, data->data, data->count);
	bytes.count += data->count;
	end_set(&bytes, set);
	end_ipfix(&bytes);
	uint32_t before = bench->rows->rows;
	feed(bench, &bytes);
	assert_int_equal(bench->rows->rows, before + 1);
}

static void check_clock(const struct field *fields, unsigned count, const uint64_t *values, int64_t first, int64_t last)
{
	struct bench bench;
	struct bytes data = {.count = 0};
	bench_open(&bench);
	for (unsigned i = 0; i < count; i++)
		put(&data, values[i], fields[i].bytes);
	one(&bench, fields, count, &data);
	assert_int_equal(CELL(&bench, int64_t, "first", 0), first);
	assert_int_equal(CELL(&bench, int64_t, "last", 0), last);
	bench_close(&bench);
}

#define CLOCK(first, last, ...)                                                                                        \
	check_clock(fields, sizeof fields / sizeof *fields, (uint64_t[]){__VA_ARGS__}, first, last)

static void every_clock_is_understood(void **state)
{
	(void)state;
	{
		static const struct field fields[] = {{150, 4, 0}, {151, 4, 0}};
		CLOCK(EXPORT_NS - 9000000000, EXPORT_NS, EXPORT_SECONDS - 9, EXPORT_SECONDS);
	}
	{
		static const struct field fields[] = {{152, 8, 0}, {153, 8, 0}};
		CLOCK(EXPORT_NS + 7 * NS_PER_MS, EXPORT_NS + 8 * NS_PER_MS, EXPORT_SECONDS * UINT64_C(1000) + 7,
		      EXPORT_SECONDS * UINT64_C(1000) + 8);
	}
	{
		static const struct field fields[] = {{154, 8, 0},
						      {157, 8, 0}}; /* half a second and a quarter of one */
		uint64_t ntp = (EXPORT_SECONDS + UINT64_C(2208988800)) << 32;
		CLOCK(EXPORT_NS + 500 * NS_PER_MS, EXPORT_NS + 1250 * NS_PER_MS, ntp | UINT32_C(1) << 31,
		      (ntp + (UINT64_C(1) << 32)) | UINT32_C(1) << 30);
	}
	{
		static const struct field fields[] = {{158, 4, 0}, {159, 4, 0}};
		CLOCK(EXPORT_NS - 3000000, EXPORT_NS - 1000, 3000, 1);
	}
	{
		static const struct field fields[] = {{22, 4, 0}, {21, 4, 0}, {160, 8, 0}};
		CLOCK(EXPORT_NS + 5 * NS_PER_MS, EXPORT_NS + 9 * NS_PER_MS, 5, 9, EXPORT_SECONDS * UINT64_C(1000));
	}
	{
		static const struct field fields[] = {{22, 4, 0}, {21, 4, 0}}; /* a clock of which nothing is known */
		CLOCK(EXPORT_NS, EXPORT_NS, 5000, 9000);
	}
	{
		static const struct field fields[] = {{152, 8, 0}, {161, 4, 0}};
		CLOCK(EXPORT_NS, EXPORT_NS + 1500 * NS_PER_MS, EXPORT_SECONDS * UINT64_C(1000), 1500);
	}
	{
		static const struct field fields[] = {{323, 8, 0}};
		CLOCK(EXPORT_NS, EXPORT_NS, EXPORT_SECONDS * UINT64_C(1000));
	}
}

static void both_families_and_reduced_lengths(void **state)
{
	(void)state;
	static const struct field fields[] = {{27, 16, 0}, {28, 16, 0}, {8, 4, 0}, {12, 4, 0}, {1, 5, 0},
					      {2, 3, 0},   {6, 2, 0},   {4, 1, 0}, {139, 2, 0}};
	struct bench bench;
	struct bytes data = {.count = 0};
	bench_open(&bench);
	put(&data, 0x20010db800000000, 8), put(&data, 1, 8);
	put(&data, 0x20010db800000000, 8), put(&data, 2, 8);
	put(&data, 0, 4), put(&data, 0, 4);
	put(&data, 0x0102030405, 5), put(&data, 0x010203, 3);
	put(&data, 0x0112, 2), put(&data, 58, 1), put(&data, 128 << 8 | 1, 2);
	one(&bench, fields, 9, &data);
	assert_address(&CELL(&bench, struct addr, "source", 0), "2001:db8::1");
	assert_address(&CELL(&bench, struct addr, "target", 0), "2001:db8::2");
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 0), 0x0102030405);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 0), 0x010203);
	assert_int_equal(CELL(&bench, uint8_t, "flags", 0), 0x12);
	assert_int_equal(CELL(&bench, uint16_t, "target_port", 0), 128 << 8 | 1);
	memset(data.data, 0, 32); /* the same record, but IPv4 */
	memcpy(data.data + 32, "\x0a\0\0\1\x0a\0\0\2", 8);
	one(&bench, fields, 9, &data);
	assert_address(&CELL(&bench, struct addr, "source", 1), "10.0.0.1");
	assert_address(&CELL(&bench, struct addr, "target", 1), "10.0.0.2");
	bench_close(&bench);
}

static void lengths_may_vary_and_answers_are_counted(void **state)
{
	(void)state;
	enum { REVERSE = 29305, SOMEBODY = 9999 };
	static const struct field fields[] = {{82, 0xffff, 0}, {8, 4, 0},       {5, 0xffff, SOMEBODY},
					      {12, 4, 0},      {1, 4, 0},       {1, 4, REVERSE},
					      {2, 4, REVERSE}, {2, 4, SOMEBODY}};
	struct bench bench;
	struct bytes data = {.count = 0};
	bench_open(&bench);
	put(&data, 3, 1), put(&data, 0x657468, 3);
	put(&data, 0x0a000001, 4);
	put(&data, 255, 1), put(&data, 300, 2);
	memset(data.data + data.count, 0xaa, 300);
	data.count += 300;
	put(&data, 0x0a000002, 4);
	put(&data, 100, 4), put(&data, 200, 4), put(&data, 3, 4), put(&data, 77, 4);
	one(&bench, fields, 8, &data);
	assert_address(&CELL(&bench, struct addr, "source", 0), "10.0.0.1");
	assert_address(&CELL(&bench, struct addr, "target", 0), "10.0.0.2");
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 0), 100);
	assert_int_equal(CELL(&bench, uint64_t, "reverse_bytes", 0), 200);
	assert_int_equal(CELL(&bench, uint64_t, "reverse_packets", 0), 3);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 0), 0); /* somebody's own element 2 is not IANA's */
	bench_close(&bench);
}

static void a_length_past_the_end_is_named(void **state)
{
	(void)state;
	static const struct field fields[] = {{82, 0xffff, 0}, {8, 4, 0}};
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	begin_ipfix(&bytes, 0);
	size_t set = begin_set(&bytes, 2);
	put_template(&bytes, 256, fields, 2);
	end_set(&bytes, set);
	set = begin_set(&bytes, 256);
	put(&bytes, 0, 1), put(&bytes, 0x0a000001, 4);
	put(&bytes, 200, 1), put(&bytes, 0, 8);
	end_set(&bytes, set);
	end_ipfix(&bytes);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 1);
	assert_int_equal(figures(&bench)->faults[FLOW_TRUNCATED], 1);
	bench_close(&bench);
}

static void a_template_may_be_withdrawn(void **state)
{
	(void)state;
	static const struct field fields[] = {{8, 4, 0}};
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	for (unsigned round = 0; round < 3; round++) { /* one by its number, then all of them */
		begin_ipfix(&bytes, round);
		size_t set = begin_set(&bytes, 2);
		put_template(&bytes, 256, fields, 1);
		if (round)
			put_template(&bytes, round == 1 ? 256 : 2, NULL, 0);
		end_set(&bytes, set);
		set = begin_set(&bytes, 256);
		put(&bytes, 1, 4);
		end_set(&bytes, set);
		end_ipfix(&bytes);
		feed(&bench, &bytes);
		assert_int_equal(bench.rows->rows, 1);
		assert_int_equal(figures(&bench)->faults[FLOW_NO_TEMPLATE], round);
	}
	bench_close(&bench);
}

static void absurd_templates_are_refused(void **state)
{
	(void)state;
	static const struct field nothing[] = {{8, 0, 0}}, twice[] = {{1, 0xfffe, 0}, {2, 0xfffe, 0}};
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	static const struct {
		unsigned id, count;
		const struct field *fields;
	} cases[] = {{256, 1, nothing}, {256, 2, twice}, {100, 1, nothing}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin_ipfix(&bytes, 0);
		size_t set = begin_set(&bytes, 2);
		put_template(&bytes, cases[i].id, cases[i].fields, cases[i].count);
		end_set(&bytes, set);
		end_ipfix(&bytes);
		feed(&bench, &bytes);
		assert_int_equal(figures(&bench)->faults[FLOW_TEMPLATE], i + 1);
	}
	begin_ipfix(&bytes, 0);
	size_t set = begin_set(&bytes, 2);
	put(&bytes, 256, 2), put(&bytes, 60000, 2);
	end_set(&bytes, set);
	end_ipfix(&bytes);
	feed(&bench, &bytes);
	assert_int_equal(figures(&bench)->faults[FLOW_TEMPLATE], 4);
	assert_int_equal(figures(&bench)->templates, 0);
	bench_close(&bench);
}

/* Messages of so many records, numbered as given: what is taken for lost. */
static uint64_t lost_of(const uint32_t (*messages)[2], unsigned count)
{
	static const struct field fields[] = {{1, 4, 0}};
	struct bench bench;
	bench_open(&bench);
	for (unsigned i = 0; i < count; i++) {
		struct bytes bytes;
		begin_ipfix(&bytes, messages[i][0]);
		size_t set = begin_set(&bytes, 2);
		put_template(&bytes, 256, fields, 1);
		end_set(&bytes, set);
		set = begin_set(&bytes, 256);
		for (uint32_t row = 0; row < messages[i][1]; row++)
			put(&bytes, 100, 4);
		end_set(&bytes, set);
		end_ipfix(&bytes);
		feed(&bench, &bytes);
	}
	uint64_t lost = figures(&bench)->lost;
	assert_int_equal(figures(&bench)->restarts, 0);
	assert_int_equal(figures(&bench)->late, 0);
	bench_close(&bench);
	return lost;
}

static void exporters_number_in_two_ways(void **state)
{
	(void)state;
	static const uint32_t before[][2] = {{0, 5}, {5, 9}, {14, 2}, {16, 1}},
			      own[][2] = {{5, 5}, {14, 9}, {16, 2}, {17, 1}},
			      before_lost[][2] = {{0, 5}, {5, 9}, {34, 2}, {36, 1}},
			      own_lost[][2] = {{5, 5}, {14, 9}, {36, 2}, {37, 1}};
	assert_int_equal(lost_of(before, 4), 0);
	assert_int_equal(lost_of(own, 4), 0);
	assert_int_equal(lost_of(before_lost, 4), 20);
	assert_int_equal(lost_of(own_lost, 4), 20);
}

static void begin_sflow(struct bytes *bytes, unsigned samples)
{
	bytes->count = 0;
	put(bytes, 5, 4), put(bytes, 1, 4), put(bytes, 0xc0000263, 4);
	put(bytes, 0, 4), put(bytes, 1, 4), put(bytes, 1000, 4), put(bytes, samples, 4);
}

static void sflow_samples_are_flows_of_one_packet(void **state)
{
	(void)state;
	static const uint8_t packet[] = "\x45\0\0\x28\0\0\x40\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2\x9c\x40\1\xbb\0\0\0\1\0\0"
					"\0\0\x50\2\xff\xff\0\0\0";
	struct bench bench;
	struct bytes bytes;
	bench_open(&bench);
	begin_sflow(&bytes, 2);
	put(&bytes, 2, 4), put(&bytes, 4, 4), put(&bytes, 0, 4); /* counters */
	put(&bytes, 1, 4);
	size_t sample = bytes.count;
	put(&bytes, 0, 4);
	put(&bytes, 9, 4), put(&bytes, 3, 4), put(&bytes, 2048, 4), put(&bytes, 0, 8);
	put(&bytes, 21, 4), put(&bytes, 22, 4), put(&bytes, 1, 4);
	put(&bytes, 1, 4), put(&bytes, 16 + 40, 4);
	put(&bytes, 11, 4), put(&bytes, 40, 4), put(&bytes, 0, 4), put(&bytes, 40, 4);
	memcpy(bytes.data + bytes.count, packet, 40);
	bytes.count += 40;
	patch16(&bytes, sample + 2, bytes.count - sample - 4);
	feed(&bench, &bytes);
	assert_int_equal(bench.rows->rows, 1);
	assert_int_equal(figures(&bench)->counters, 1);
	assert_address(&CELL(&bench, struct addr, "source", 0), "10.0.0.1");
	assert_int_equal(CELL(&bench, uint16_t, "target_port", 0), 443);
	assert_int_equal(CELL(&bench, uint8_t, "flags", 0), 2);
	assert_int_equal(CELL(&bench, uint64_t, "packets", 0), 2048);
	assert_int_equal(CELL(&bench, uint64_t, "bytes", 0), 40 * 2048);
	assert_int_equal(CELL(&bench, uint32_t, "input", 0), 21);
	assert_int_equal(CELL(&bench, int64_t, "first", 0), EXPORT_NS + 5); /* when it came */
	size_t whole = bytes.count;
	for (size_t cut = 0; cut < whole; cut++)
		feed_from(&bench, 0xc0000201, bytes.data, cut);
	assert_int_equal(bench.rows->rows, 1);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_clock_is_understood),
		cmocka_unit_test(both_families_and_reduced_lengths),
		cmocka_unit_test(lengths_may_vary_and_answers_are_counted),
		cmocka_unit_test(a_length_past_the_end_is_named),
		cmocka_unit_test(a_template_may_be_withdrawn),
		cmocka_unit_test(exporters_number_in_two_ways),
		cmocka_unit_test(absurd_templates_are_refused),
		cmocka_unit_test(sflow_samples_are_flows_of_one_packet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
