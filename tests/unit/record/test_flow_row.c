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
				 .end_reason = 16};
}

static void each_field_stands_under_its_name(void **state)
{
	(void)state;
	struct batch *batch = batch_new(&record_flow, 1);
	struct flow_row flow = sample();
	memset(BATCH_COLUMN(batch, uint64_t, record_column_index(&record_flow, "reverse_bytes")), 0xff, 8);
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
	assert_int_equal(CELL(batch, uint64_t, "reverse_bytes"), 0);
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
