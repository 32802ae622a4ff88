/* The figures of a year in the manner of NICTER's observation report: packets per address, sources, and what scans were
 * after. All come from roll-ups, which outlive the tuples; `sources_exact` says whether the year's distinct sources
 * were counted or, where its tuples are gone, estimated from samples (store/rollup.c).
 */
#include "hub/api_answer.h"

#include "core/clock.h"
#include "hub/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct report_call {
	struct api_call *call;
	char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	json_t *report;
	json_int_t scans; /* packets */
	bool estimated;   /* some distinct sources are */
};

/* The year's roll-ups of a level and dimension; `kind` may be NULL. `rest`: what else the query has; consumed. */
static int ask_rollups(struct report_call *report, const char *level, const char *dimension, const char *kind,
		       json_t *rest, json_t **ret_answer, struct err *err)
{
	json_t *query = json_pack("{s:s, s:s, s:s, s:[{s:s,s:s},{s:s,s:s}], s:[{s:s,s:s},{s:s,s:s}]}", "kind", "rollup",
				  "from", report->from, "to", report->to, "filters", "field", "level", "value", level,
				  "field", "dimension", "value", dimension, "aggregates", "op", "sum", "field",
				  "packets", "op", "sum", "field", "sources");
	if (kind)
		json_array_append_new(json_object_get(query, "filters"),
				      json_pack("{s:s,s:s}", "field", "kind", "value", kind));
	json_object_update(query, rest);
	json_decref(rest);
	int result = api_ask(report->call, query, ret_answer, err);
	if (result == 0 && !json_is_true(json_object_get(*ret_answer, "exact")))
		report->estimated = true;
	return result;
}

/* What scans were after or came from: key, packets, distinct sources; by packets downwards. */
static int ask_top(struct report_call *report, const char *dimension, int limit, json_t **ret_answer, struct err *err)
{
	return ask_rollups(report, "year", dimension, "scan",
			   json_pack("{s:[s], s:[{s:s,s:b}], s:i}", "keys", "key", "order", "by", "sum_packets",
				     "descending", 1, "limit", limit),
			   ret_answer, err);
}

static int report_totals(struct report_call *report, struct err *err)
{
	json_t *answer = NULL;
	uint64_t addresses = 0;
	const struct prefix_list *darknet = report->call->keeper->setup->hub->darknet;
	for (size_t i = 0; darknet && i < darknet->count; i++)
		if (addr_is_v4(&darknet->items[i].addr) && darknet->items[i].bits >= 96)
			addresses += UINT64_C(1) << (128 - darknet->items[i].bits);
	int result = ask_rollups(report, "year", "total", NULL, json_object(), &answer, err);
	if (result < 0)
		return result;
	json_int_t packets = json_integer_value(answer_cell(answer, 0, 0));
	json_object_set_new(report->report, "darknet_addresses", json_integer((json_int_t)addresses));
	json_object_set_new(report->report, "packets", json_integer(packets));
	json_object_set_new(report->report, "packets_per_address",
			    json_real(addresses ? (double)packets / (double)addresses : 0));
	json_object_set_new(report->report, "sources", json_integer(json_integer_value(answer_cell(answer, 0, 1))));
	json_decref(answer);
	return 0;
}

static int report_months(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *months = json_array();
	int result = ask_rollups(report, "month", "total", NULL, json_pack("{s:s}", "bucket", "1month"), &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		const char *time = json_string_value(answer_cell(answer, i, 0));
		json_array_append_new(months,
				      json_pack("{s:o, s:O, s:O}", "month", json_stringn(time, 7), "packets",
						answer_cell(answer, i, 1), "sources", answer_cell(answer, i, 2)));
	}
	json_object_set_new(report->report, "months", months);
	json_decref(answer);
	return result;
}

static int report_kinds(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *kinds = json_object();
	for (size_t i = 0; packet_kind_names[i]; i++)
		json_object_set_new(kinds, packet_kind_names[i], json_integer(0));
	int result = ask_rollups(report, "year", "all", NULL, json_pack("{s:[s]}", "keys", "kind"), &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++)
		json_object_set(kinds, json_string_value(answer_cell(answer, i, 0)), answer_cell(answer, i, 1));
	report->scans = json_integer_value(json_object_get(kinds, "scan"));
	json_object_set_new(report->report, "kinds", kinds);
	json_decref(answer);
	return result;
}

/* A roll-up's "icmp/2048" is type and code for people: "icmp/8.0". */
static void port_text(const char *key, char *text, size_t bytes)
{
	const char *number = strchr(key, '/');
	if (number && strncmp(key, "icmp", 4) == 0)
		snprintf(text, bytes, "%.*s/%d.%d", (int)(number - key), key, atoi(number + 1) >> 8,
			 atoi(number + 1) & 255);
	else
		snprintf(text, bytes, "%s", key);
}

static int report_ports(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *ports = json_array();
	int result = ask_top(report, "port", 20, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		char text[48];
		json_int_t packets = json_integer_value(answer_cell(answer, i, 1));
		port_text(json_string_value(answer_cell(answer, i, 0)), text, sizeof text);
		json_array_append_new(ports, json_pack("{s:s, s:I, s:O, s:f}", "port", text, "packets", packets,
						       "sources", answer_cell(answer, i, 2), "share",
						       report->scans ? (double)packets / (double)report->scans : 0.0));
	}
	json_object_set_new(report->report, "top_ports", ports);
	json_decref(answer);
	return result;
}

/* A list of {NAME: key, packets, sources}; `complete` adds to an item what else it says. */
static int report_list(struct report_call *report, const char *dimension, const char *list_name, int limit,
		       void (*complete)(const struct report_call *report, json_t *item), struct err *err)
{
	json_t *answer = NULL, *list = json_array();
	int result = ask_top(report, dimension, limit, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		json_t *item = json_pack("{s:O, s:O, s:O}", dimension, answer_cell(answer, i, 0), "packets",
					 answer_cell(answer, i, 1), "sources", answer_cell(answer, i, 2));
		if (complete)
			complete(report, item);
		json_array_append_new(list, item);
	}
	json_object_set_new(report->report, list_name, list);
	json_decref(answer);
	return result;
}

static int report_countries(struct report_call *report, struct err *err)
{
	return report_list(report, "country", "top_countries", 20, NULL, err);
}

static void name_network(const struct report_call *report, json_t *item)
{
	const char *network = json_string_value(json_object_get(item, "network")); /* "AS2907" */
	uint32_t number = network ? (uint32_t)strtoul(network + 2, NULL, 10) : 0;
	json_object_set_new(item, "name", json_string(places_network_name(report->call->keeper->places, number)));
}

static int report_networks(struct report_call *report, struct err *err)
{
	return report_list(report, "network", "top_networks", 20, name_network, err);
}

static int report_tools(struct report_call *report, struct err *err)
{
	return report_list(report, "tool", "tools", 10, NULL, err);
}

static int report_findings(struct report_call *report, struct err *err)
{
	json_t *answer = NULL;
	json_int_t victims = 0, campaigns = 0;
	int result = api_ask(report->call,
			     json_pack("{s:s, s:s, s:s, s:[s], s:[{s:s}]}", "kind", "finding", "from", report->from,
				       "to", report->to, "keys", "type", "aggregates", "op", "count"),
			     &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		const char *type = json_string_value(answer_cell(answer, i, 0));
		if (strcmp(type, "victim") == 0)
			victims = json_integer_value(answer_cell(answer, i, 1));
		if (strcmp(type, "campaign") == 0)
			campaigns = json_integer_value(answer_cell(answer, i, 1));
	}
	json_object_set_new(report->report, "victims", json_integer(victims));
	json_object_set_new(report->report, "campaigns", json_integer(campaigns));
	json_decref(answer);
	return result;
}

int api_report_get(struct api_call *call, struct err *err)
{
	static int (*const parts[])(struct report_call *,
				    struct err *) = {report_totals,    report_months,   report_kinds, report_ports,
						     report_countries, report_networks, report_tools, report_findings};
	struct report_call report = {.call = call};
	char *end;
	unsigned long year = strtoul(call->part, &end, 10);
	if (*end || end - call->part != 4 || year < 1970 || year > 2260)
		return err_set(err, -EINVAL, "'%.32s' is not a year", call->part);
	snprintf(report.from, sizeof report.from, "%04lu-01-01T00:00:00Z", year);
	snprintf(report.to, sizeof report.to, "%04lu-01-01T00:00:00Z", year + 1);
	report.report = json_pack("{s:i, s:s, s:s}", "year", (int)year, "from", report.from, "to", report.to);
	int result = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts && result == 0; i++)
		result = parts[i](&report, err);
	if (result < 0) {
		json_decref(report.report);
		return result;
	}
	json_object_set_new(report.report, "sources_exact", json_boolean(!report.estimated));
	return api_json(call, 200, report.report);
}
