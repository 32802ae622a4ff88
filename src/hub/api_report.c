/* The figures of a year in the manner of NICTER's observation report: packets per address, sources, and what they were
 * after. Packets come from roll-ups, which are exact; distinct sources over the year are counted in the tuples while
 * they are kept, else taken from the year's roll-up.
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
	json_int_t packets;
};

static json_t *tuples(const struct report_call *report, json_t *rest)
{
	json_t *query = json_pack("{s:s, s:s, s:s}", "kind", "tuple", "from", report->from, "to", report->to);
	json_object_update(query, rest);
	json_decref(rest);
	return query;
}

/* keys, sum of packets and distinct sources, by packets downwards. */
static int ask_top(struct report_call *report, const char *keys_json, int limit, json_t **ret_answer, struct err *err)
{
	json_t *rest =
		json_pack("{s:o, s:[{s:s,s:s},{s:s,s:s}], s:[{s:s,s:b}], s:i}", "keys", json_loads(keys_json, 0, NULL),
			  "aggregates", "op", "sum", "field", "packets", "op", "distinct", "field", "source", "order",
			  "by", "sum_packets", "descending", 1, "limit", limit);
	return api_ask(report->call, tuples(report, rest), ret_answer, err);
}

static int report_totals(struct report_call *report, struct err *err)
{
	json_t *answer = NULL;
	uint64_t addresses = 0;
	const struct prefix_list *darknet = report->call->keeper->setup->hub->darknet;
	for (size_t i = 0; darknet && i < darknet->count; i++)
		if (addr_is_v4(&darknet->items[i].addr) && darknet->items[i].bits >= 96)
			addresses += UINT64_C(1) << (128 - darknet->items[i].bits);
	json_t *rest = json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "aggregates", "op", "sum", "field", "packets", "op",
				 "distinct", "field", "source");
	int result = api_ask(report->call, tuples(report, rest), &answer, err);
	if (result < 0)
		return result;
	report->packets = json_integer_value(answer_cell(answer, 0, 0));
	json_object_set_new(report->report, "darknet_addresses", json_integer((json_int_t)addresses));
	json_object_set_new(report->report, "packets", json_integer(report->packets));
	json_object_set_new(report->report, "packets_per_address",
			    json_real(addresses ? (double)report->packets / (double)addresses : 0));
	json_object_set_new(report->report, "sources", json_integer(json_integer_value(answer_cell(answer, 0, 1))));
	json_object_set(report->report, "sources_exact", json_object_get(answer, "exact"));
	json_decref(answer);
	return 0;
}

static int report_months(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *months = json_array();
	json_t *rest = json_pack("{s:s, s:[{s:s,s:s},{s:s,s:s}], s:[{s:s,s:b}]}", "bucket", "1month", "aggregates",
				 "op", "sum", "field", "packets", "op", "distinct", "field", "source", "order", "by",
				 "time", "descending", 0);
	int result = api_ask(report->call, tuples(report, rest), &answer, err);
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
	int result = ask_top(report, "[\"kind\"]", 10, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++)
		json_object_set(kinds, json_string_value(answer_cell(answer, i, 0)), answer_cell(answer, i, 1));
	json_object_set_new(report->report, "kinds", kinds);
	json_decref(answer);
	return result;
}

static void port_text(const json_t *protocol, const json_t *port, char *text, size_t bytes)
{
	const char *name = json_string_value(protocol);
	json_int_t number = json_integer_value(port);
	if (name && strncmp(name, "icmp", 4) == 0)
		snprintf(text, bytes, "%s/%lld.%lld", name, (long long)number / 256, (long long)number % 256);
	else
		snprintf(text, bytes, "%.16s/%lld", name ? name : "", (long long)number);
}

static int report_ports(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *ports = json_array();
	int result = ask_top(report, "[\"protocol\",\"port\"]", 20, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		char text[48];
		json_int_t packets = json_integer_value(answer_cell(answer, i, 2));
		port_text(answer_cell(answer, i, 0), answer_cell(answer, i, 1), text, sizeof text);
		json_array_append_new(ports,
				      json_pack("{s:s, s:I, s:O, s:f}", "port", text, "packets", packets, "sources",
						answer_cell(answer, i, 3), "share",
						report->packets ? (double)packets / (double)report->packets : 0.0));
	}
	json_object_set_new(report->report, "top_ports", ports);
	json_decref(answer);
	return result;
}

static int report_countries(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *list = json_array();
	int result = ask_top(report, "[\"country\"]", 20, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++)
		json_array_append_new(list,
				      json_pack("{s:O, s:O, s:O}", "country", answer_cell(answer, i, 0), "packets",
						answer_cell(answer, i, 1), "sources", answer_cell(answer, i, 2)));
	json_object_set_new(report->report, "top_countries", list);
	json_decref(answer);
	return result;
}

static int report_networks(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *list = json_array();
	int result = ask_top(report, "[\"network\"]", 20, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++) {
		char text[24];
		uint32_t network = (uint32_t)json_integer_value(answer_cell(answer, i, 0));
		snprintf(text, sizeof text, "AS%u", network);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:O, s:O}", "network", text, "name",
						places_network_name(report->call->keeper->places, network), "packets",
						answer_cell(answer, i, 1), "sources", answer_cell(answer, i, 2)));
	}
	json_object_set_new(report->report, "top_networks", list);
	json_decref(answer);
	return result;
}

static int report_tools(struct report_call *report, struct err *err)
{
	json_t *answer = NULL, *list = json_array();
	int result = ask_top(report, "[\"tool\"]", 10, &answer, err);
	for (size_t i = 0; result == 0 && answer_cell(answer, i, 0); i++)
		json_array_append_new(list, json_pack("{s:O, s:O, s:O}", "tool", answer_cell(answer, i, 0), "packets",
						      answer_cell(answer, i, 1), "sources", answer_cell(answer, i, 2)));
	json_object_set_new(report->report, "tools", list);
	json_decref(answer);
	return result;
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
	return api_json(call, 200, report.report);
}
