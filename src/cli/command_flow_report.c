/* What a collector knows of its exporters, as JSON and as a table. */
#include "cli/command_flow.h"
#include "cli/table.h"

#include "core/clock.h"
#include "observe/flow/exporter.h"

json_t *flow_exporter_json(const struct exporter *exporter)
{
	const struct exporter_figures *figures = &exporter->figures;
	char address[ADDR_TEXT_BYTES], time[TIME_TEXT_BYTES];
	json_t *faults = json_object();
	for (unsigned fault = 1; fault < FLOW_FAULTS; fault++)
		if (figures->faults[fault])
			json_object_set_new(faults, flow_fault_names[fault],
					    json_integer((json_int_t)figures->faults[fault]));
	json_t *object = json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "exporter",
				   addr_format(&exporter->address, address), "domain", (json_int_t)exporter->domain,
				   "format", flow_format_names[exporter->format], "messages",
				   (json_int_t)figures->messages, "bytes", (json_int_t)figures->bytes, "records",
				   (json_int_t)figures->records, "templates", (json_int_t)exporter->template_count,
				   "lost", (json_int_t)figures->lost, "late", (json_int_t)figures->late, "restarts",
				   (json_int_t)figures->restarts, "waiting", (json_int_t)figures->waiting, "sampling",
				   figures->sampling ? (int)figures->sampling : 1, "faults", faults);
	json_object_set_new(object, "skew_seconds", json_real((double)figures->skew_ns / 1e9));
	json_object_set_new(object, "first", json_string(time_format(figures->first_ns, time)));
	json_object_set_new(object, "last", json_string(time_format(figures->last_ns, time)));
	return object;
}

void flow_exporters_print(const json_t *exporters)
{
	static const char *const names[] = {"exporter",  "domain", "format", "messages", "records",
					    "templates", "lost",   "late",   "waiting",  "sampling"};
	json_t *columns = json_array(), *rows = json_array();
	const json_t *exporter;
	size_t i;
	for (size_t c = 0; c < sizeof names / sizeof *names; c++)
		json_array_append_new(columns, json_pack("{s:s}", "name", names[c]));
	json_array_foreach(exporters, i, exporter)
	{
		json_t *row = json_array();
		for (size_t c = 0; c < sizeof names / sizeof *names; c++)
			json_array_append(row, json_object_get(exporter, names[c]));
		json_array_append_new(rows, row);
	}
	table_print(columns, rows);
	json_decref(columns);
	json_decref(rows);
}
