/* A flow as a struct is the same flow in columns: each field stands under its name. */
#include "record/flow_row.h"

#include "../check.h"

#define CELL(batch, type, name) BATCH_COLUMN(batch, type, record_column_index(&record_flow, name))[0]

static struct flow_row sample(void)
{
	return (struct flow_row){.exporter = addr_from_v4(1),
				 .source = addr_from_v4(2),
				 .target = addr_from_v4(3),
				 .first_ns = 4,
				 .last_ns = 5,
				 .packets = 6,
				 .bytes = 7,
				 .domain = 8,
				 .sampling = 9,
				 .sensor = 10,
				 .source_port = 11,
				 .target_port = 12,
				 .protocol = 13,
				 .flags = 14,
				 .tos = 15,
				 .end_reason = 16,
				 .reverse_packets = 17,
				 .reverse_bytes = 18,
				 .input = 19,
				 .output = 20,
				 .source_as = 21,
				 .target_as = 22,
				 .next_hop = addr_from_v4(23),
				 .vlan = 24,
				 .direction = 25};
}

static void each_field_stands_under_its_name(void **state)
{
	(void)state;
	struct batch *batch = batch_new(&record_flow, 1);
	struct flow_row flow = sample();
	flow_row_put(batch, &flow);
	assert_int_equal(batch->rows, 1);
	assert_int_equal(addr_to_v4(&CELL(batch, struct addr, "exporter")), 1);
	assert_int_equal(addr_to_v4(&CELL(batch, struct addr, "source")), 2);
	assert_int_equal(addr_to_v4(&CELL(batch, struct addr, "target")), 3);
	assert_int_equal(CELL(batch, int64_t, "first"), 4);
	assert_int_equal(CELL(batch, int64_t, "last"), 5);
	assert_int_equal(CELL(batch, uint64_t, "packets"), 6);
	assert_int_equal(CELL(batch, uint64_t, "bytes"), 7);
	assert_int_equal(CELL(batch, uint32_t, "domain"), 8);
	assert_int_equal(CELL(batch, uint32_t, "sampling"), 9);
	assert_int_equal(CELL(batch, uint16_t, "sensor"), 10);
	assert_int_equal(CELL(batch, uint16_t, "source_port"), 11);
	assert_int_equal(CELL(batch, uint16_t, "target_port"), 12);
	assert_int_equal(CELL(batch, uint8_t, "protocol"), 13);
	assert_int_equal(CELL(batch, uint8_t, "flags"), 14);
	assert_int_equal(CELL(batch, uint8_t, "tos"), 15);
	assert_int_equal(CELL(batch, uint8_t, "end_reason"), 16);
	assert_int_equal(CELL(batch, uint64_t, "reverse_packets"), 17);
	assert_int_equal(CELL(batch, uint64_t, "reverse_bytes"), 18);
	assert_int_equal(CELL(batch, uint32_t, "input"), 19);
	assert_int_equal(CELL(batch, uint32_t, "output"), 20);
	assert_int_equal(CELL(batch, uint32_t, "source_as"), 21);
	assert_int_equal(CELL(batch, uint32_t, "target_as"), 22);
	assert_int_equal(addr_to_v4(&CELL(batch, struct addr, "next_hop")), 23);
	assert_int_equal(CELL(batch, uint16_t, "vlan"), 24);
	assert_int_equal(CELL(batch, uint8_t, "direction"), 25);
	assert_int_equal(record_column_count(&record_flow), 25);
	struct flow_row again = flow_row_get(batch, 0);
	assert_memory_equal(again.source.bytes, flow.source.bytes, sizeof flow.source);
	assert_int_equal(again.end_reason, 16);
	assert_int_equal(again.sampling, 9);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_field_stands_under_its_name)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
