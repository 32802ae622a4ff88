/* Metrics in Prometheus' text format, from a module's table. */
#include "core/module.h"

#include "../check.h"

#include <stdlib.h>

static void metrics_follow_their_table(void **state)
{
	(void)state;
	static const char *const kinds[] = {"scan", "other", NULL};
	static const struct metric_spec metrics[] = {
		{"packets_total", METRIC_COUNTER, "kind", kinds, "packets by kind"},
		{"sources", METRIC_GAUGE, NULL, NULL, "sources of the open minute"},
		{NULL},
	};
	static const struct module module = {.name = "telescope", .metrics = metrics};
	_Atomic uint64_t values[3] = {7, 2, 5};
	struct text_buffer text = {NULL, 0, 0};
	assert_int_equal(metric_count(metrics), 3);
	assert_int_equal(metrics_format(&module, values, &text), 0);
	assert_string_equal(text.bytes, "# HELP yagura_telescope_packets_total packets by kind\n"
					"# TYPE yagura_telescope_packets_total counter\n"
					"yagura_telescope_packets_total{kind=\"scan\"} 7\n"
					"yagura_telescope_packets_total{kind=\"other\"} 2\n"
					"# HELP yagura_telescope_sources sources of the open minute\n"
					"# TYPE yagura_telescope_sources gauge\n"
					"yagura_telescope_sources 5\n");
	free(text.bytes);
	assert_int_equal(metric_count(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(metrics_follow_their_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
