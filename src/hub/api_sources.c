/* Everything about one source: who it is, what it sent, when, and the packets themselves. */
#include "hub/api_answer.h"

#include "analyze/finding.h"
#include "core/clock.h"
#include "hub/keeper.h"
#include "hub/packets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* {"kind":"tuple","from":...,"filters":[source=...],...} with what the caller adds. */
static json_t *tuple_query(const char *address, const char *from, const char *to, json_t *rest)
{
	json_t *query = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "kind", "tuple", "from", from, "to", to,
				  "filters", "field", "source", "op", "=", "value", address);
	if (!query || !rest || json_object_update(query, rest) < 0) {
		json_decref(query);
		query = NULL;
	}
	json_decref(rest);
	return query;
}

static json_t *counts_by_name(const json_t *answer)
{
	json_t *object = json_object();
	for (size_t i = 0; answer_cell(answer, i, 0); i++)
		json_object_set(object, json_string_value(answer_cell(answer, i, 0)), answer_cell(answer, i, 1));
	return object;
}

static int ask_counts(struct api_call *call, const char *address, const char *from, const char *to, const char *key,
		      json_t *result_object, const char *name, struct err *err)
{
	json_t *answer = NULL;
	int result = api_ask(call,
			     tuple_query(address, from, to,
					 json_pack("{s:[s], s:[{s:s, s:s}]}", "keys", key, "aggregates", "op", "sum",
						   "field", "packets")),
			     &answer, err);
	if (result == 0)
		json_object_set_new(result_object, name, counts_by_name(answer));
	json_decref(answer);
	return result;
}

static int ask_ports(struct api_call *call, const char *address, const char *from, const char *to, json_t *object,
		     struct err *err)
{
	json_t *answer = NULL, *ports = json_array();
	int result =
		api_ask(call,
			tuple_query(address, from, to,
				    json_pack("{s:[s,s], s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}], s:[{s:s,s:b}], s:i}",
					      "keys", "protocol", "port", "aggregates", "op", "sum", "field", "packets",
					      "op", "min", "field", "first", "op", "max", "field", "last", "order",
					      "by", "sum_packets", "descending", 1, "limit", 100)),
			&answer, err);
	static const char *const names[] = {"protocol", "port", "packets", "first", "last"};
	for (size_t row = 0; result == 0 && answer_cell(answer, row, 0); row++) {
		json_t *port = json_object();
		for (size_t i = 0; i < 5; i++)
			json_object_set(port, names[i], answer_cell(answer, row, i));
		json_array_append_new(ports, port);
	}
	json_object_set_new(object, "ports", ports);
	json_decref(answer);
	return result;
}

/* Packets over time: by the minute for a day, by the hour for longer, so that at most some hundreds are sent. */
static int ask_course(struct api_call *call, const char *address, const char *from, const char *to, int64_t span_ns,
		      json_t *object, struct err *err)
{
	json_t *answer = NULL;
	const char *bucket = span_ns <= 12 * NS_PER_HOUR ? "1m" : span_ns <= 31 * NS_PER_DAY ? "1h" : "1d";
	int result = api_ask(call,
			     tuple_query(address, from, to,
					 json_pack("{s:s, s:[{s:s,s:s}], s:[{s:s,s:b}], s:i}", "bucket", bucket,
						   "aggregates", "op", "sum", "field", "packets", "order", "by", "time",
						   "descending", 0, "limit", 2000)),
			     &answer, err);
	if (result == 0) {
		json_object_set(object, "minutes", json_object_get(answer, "rows"));
		json_object_set_new(object, "bucket", json_string(bucket));
	}
	json_decref(answer);
	return result;
}

static int ask_summary(struct api_call *call, const char *address, const char *from, const char *to, json_t *object,
		       struct err *err)
{
	static const char *const names[] = {"packets", "bytes", "first", "last", "spoofed"};
	json_t *answer = NULL;
	int result = api_ask(
		call,
		tuple_query(address, from, to,
			    json_pack("{s:[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "aggregates", "op",
				      "sum", "field", "packets", "op", "sum", "field", "bytes", "op", "min", "field",
				      "first", "op", "max", "field", "last", "op", "max", "field", "spoofed")),
		&answer, err);
	for (size_t i = 0; result == 0 && i < 5; i++) {
		json_t *cell = answer_cell(answer, 0, i);
		if (i == 4)
			json_object_set_new(object, names[i], json_boolean(cell && json_integer_value(cell) != 0));
		else if ((i < 2) && !json_is_number(cell))
			json_object_set_new(object, names[i], json_integer(0));
		else
			json_object_set_new(object, names[i], cell ? json_incref(cell) : json_null());
	}
	json_decref(answer);
	return result;
}

static void place_add(struct api_call *call, const struct addr *addr, json_t *object)
{
	struct place place;
	char country[3];
	places_find(call->keeper->places, addr, &place);
	json_object_set_new(object, "country", json_string(country_format(place.country, country)));
	json_object_set_new(object, "network", json_integer(place.network));
	json_object_set_new(object, "network_name", json_string(place.network_name ? place.network_name : ""));
	json_object_set_new(object, "latitude", place.located ? json_real((double)place.latitude) : json_null());
	json_object_set_new(object, "longitude", place.located ? json_real((double)place.longitude) : json_null());
}

static int raw_has(void *context, const struct store_block *block)
{
	(void)block;
	*(bool *)context = true;
	return 1;
}

int api_source_get(struct api_call *call, struct err *err)
{
	struct addr addr;
	int64_t from_ns = 0, to_ns = 0;
	char address[ADDR_TEXT_BYTES], from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
	int result = addr_parse(call->part, &addr, err);
	if (result == 0)
		result = api_argument_time(call, "from", "-30d", &from_ns, err);
	if (result == 0)
		result = api_argument_time(call, "to", "now", &to_ns, err);
	if (result < 0)
		return result;
	addr_format(&addr, address);
	time_format(from_ns, from);
	time_format(to_ns, to);
	json_t *object = json_pack("{s:s}", "address", address), *findings = NULL;
	bool raw = false;
	place_add(call, &addr, object);
	result = ask_summary(call, address, from, to, object, err);
	if (result == 0)
		result = ask_counts(call, address, from, to, "kind", object, "kinds", err);
	if (result == 0)
		result = ask_counts(call, address, from, to, "tool", object, "tools", err);
	if (result == 0)
		result = ask_ports(call, address, from, to, object, err);
	if (result == 0)
		result = ask_course(call, address, from, to, to_ns - from_ns, object, err);
	if (result == 0)
		result = finding_ask(call, "subject", address, 100, &findings, err);
	if (result == 0)
		result = store_raw_packets(call->keeper->store, &addr, from_ns, to_ns, raw_has, &raw, err);
	if (result < 0) {
		json_decref(object);
		json_decref(findings);
		return result;
	}
	json_object_set_new(object, "findings", findings);
	json_object_set_new(object, "raw", json_boolean(raw));
	return api_json(call, 200, object);
}

static int packets_range(struct api_call *call, struct packets_wanted *wanted, struct err *err)
{
	int result = addr_parse(call->part, &wanted->source, err);
	if (result == 0)
		result = api_argument_time(call, "from", "-30d", &wanted->from_ns, err);
	if (result == 0)
		result = api_argument_time(call, "to", "now", &wanted->to_ns, err);
	return result;
}

int api_source_packets(struct api_call *call, struct err *err)
{
	struct packets_wanted wanted = {.limit = api_argument_number(call, "limit", 100, 10000)};
	json_t *packets = json_array();
	bool more = false;
	int result = packets_range(call, &wanted, err);
	if (result == 0)
		result = packets_describe(call->keeper->store, &wanted, packets, &more, err);
	if (result < 0) {
		json_decref(packets);
		return result;
	}
	return api_json(call, 200, json_pack("{s:o, s:b}", "packets", packets, "more", (int)more));
}

static int pcap_add(void *context, const void *data, size_t bytes)
{
	return api_add(context, data, bytes);
}

int api_source_pcap(struct api_call *call, struct err *err)
{
	struct packets_wanted wanted = {.limit = api_argument_number(call, "limit", 1000000, 10000000)};
	char disposition[128], address[ADDR_TEXT_BYTES];
	int result = packets_range(call, &wanted, err);
	if (result < 0)
		return result;
	addr_format(&wanted.source, address);
	for (char *at = address; *at; at++)
		if (*at == ':')
			*at = '-';
	snprintf(disposition, sizeof disposition, "attachment; filename=\"yagura-%s.pcap\"", address);
	if (!api_download_begin(call))
		return err_set(err, -EBUSY, "too many downloads at a time; try again soon");
	result = api_begin(call, 200, "application/vnd.tcpdump.pcap", disposition);
	if (result == 0)
		result = packets_write(call->keeper->store, &wanted, pcap_add, call, err);
	api_download_end(call);
	return result;
}
