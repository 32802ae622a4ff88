/* The tables of records keep their promises: unique ids and names, a time column that exists, codes where codes are
 * meant. */
#include "record/kind.h"

#include "../check.h"

static void the_tables_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; record_kinds[i]; i++) {
		const struct record_kind *kind = record_kinds[i];
		assert_ptr_equal(record_kind_by_name(kind->name), kind);
		assert_ptr_equal(record_kind_by_id(kind->id), kind);
		assert_true(record_column_count(kind) < RECORD_COLUMNS_MAX);
		int time = record_column_index(kind, kind->time_column);
		assert_true(time >= 0);
		assert_int_equal(kind->columns[time].type, COLUMN_TIME);
		for (int c = 0; kind->columns[c].name; c++) {
			assert_int_equal(record_column_index(kind, kind->columns[c].name), c);
			assert_true(column_width(kind->columns[c].type) > 0);
			assert_int_equal(kind->columns[c].type == COLUMN_CODE, kind->columns[c].codes != NULL);
			assert_non_null(kind->columns[c].help);
		}
	}
	assert_null(record_kind_by_name("nothing"));
	assert_null(record_kind_by_id(0));
	assert_int_equal(record_column_index(&record_tuple, "nothing"), -1);
}

static void the_enums_match_their_names(void **state)
{
	(void)state;
	assert_int_equal(code_by_name(packet_kind_names, "other"), PACKET_OTHER);
	assert_null(packet_kind_names[PACKET_KINDS]);
	assert_int_equal(code_by_name(scan_tool_names, "unicornscan"), TOOL_UNICORNSCAN);
	assert_null(scan_tool_names[SCAN_TOOLS]);
	assert_int_equal(code_by_name(finding_type_names, "intake"), FINDING_INTAKE);
	assert_int_equal(code_by_name(rollup_level_names, "year"), ROLLUP_YEAR);
	assert_int_equal(code_by_name(rollup_dimension_names, "sensor"), ROLLUP_SENSOR);
	assert_int_equal(code_by_name(severity_names, "none"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_are_sound),
		cmocka_unit_test(the_enums_match_their_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
