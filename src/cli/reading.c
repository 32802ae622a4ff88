/* Frames through the telescope; its batches joined with place and network, shown to the detectors, added up, and told
 * at the end. See reading.h.
 */
#include "cli/reading.h"
#include "cli/command.h"
#include "cli/paths.h"
#include "cli/relay.h"

#include "core/clock.h"
#include "observe/telescope/survey.h"

#include <errno.h>
#include <stdio.h>

enum { PORTS_SHOWN = 100 };

const struct option_spec reading_option_table[] = {
	{"darknet", OPTION_PREFIXES, OPTION_AT(struct reading_options, darknet), .argument = "PREFIX...",
	 .required = true, .help = "unused addresses that are watched; the rest is not counted",
	 .help_ja = "観測する未使用アドレス(それ以外は数えない)"},
	{"exclude", OPTION_PREFIXES, OPTION_AT(struct reading_options, exclude), .argument = "PREFIX...",
	 .help = "addresses inside the darknet that are in use", .help_ja = "ダークネットのうち使用中のアドレス"},
	{"surveys", OPTION_PATH, OPTION_AT(struct reading_options, surveys), .argument = "FILE.yaml",
	 .help = "organisations that survey (default: data/survey-organisations.yaml)",
	 .help_ja = "調査組織の一覧(既定値 data/survey-organisations.yaml)"},
	{"deps", OPTION_PATH, OPTION_AT(struct reading_options, deps), .argument = "DIR",
	 .help = "where the place databases are", .help_ja = "位置データベースの場所"},
	{"decapsulate", OPTION_FLAG, OPTION_AT(struct reading_options, decapsulate),
	 .help = "take mirrored traffic out of GRE, IPIP, VXLAN and GTP-U",
	 .help_ja = "GRE・IPIP・VXLAN・GTP-U で運ばれた複製通信を取り出す"},
	{"limit", OPTION_INT, OPTION_AT(struct reading_options, limit), "10", .min = 1, .max = 100000,
	 .help = "rows of each list in the plain report", .help_ja = "一覧ごとの行数"},
	{NULL},
};

/* What the telescope hands out: placed, detected, added up. The batch is the telescope's or the relay's copy, and its
 * place columns are empty for us to fill. */
static int reading_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct reading *reading = (struct reading *)sink;
	if (batch->kind == &record_tuple)
		places_find_many(reading->places, BATCH_COLUMN(batch, struct addr, 2), batch->rows,
				 BATCH_COLUMN(batch, uint16_t, 18), BATCH_COLUMN(batch, uint32_t, 19));
	int result = detectors_take(reading->detectors, batch, err);
	return result < 0 ? result : report_take(reading->report, batch, err);
}

static json_t *malformed_json(const struct reading *reading)
{
	const struct telescope_counts *counts = telescope_counts(reading->telescope);
	json_t *malformed = json_object();
	for (size_t i = ANOMALY_MALFORMED; i < PACKET_ANOMALIES; i++)
		if (counts->anomalies[i])
			json_object_set_new(malformed, packet_anomaly_names[i],
					    json_integer((json_int_t)counts->anomalies[i]));
	for (size_t i = 0; i < TRACE_ANOMALIES; i++)
		if (reading->trace_errors[i])
			json_object_set_new(malformed, trace_anomaly_names[i],
					    json_integer((json_int_t)reading->trace_errors[i]));
	if (counts->time_backwards)
		json_object_set_new(malformed, "time_backwards", json_integer((json_int_t)counts->time_backwards));
	if (counts->time_leaps)
		json_object_set_new(malformed, "minute_leap", json_integer((json_int_t)counts->time_leaps));
	return malformed;
}

static json_t *ports_json(const struct telescope *telescope)
{
	struct telescope_port ports[PORTS_SHOWN];
	size_t count = telescope_ports(telescope, ports, PORTS_SHOWN);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s,s:i,s:I,s:I}", "protocol", ports[i].protocol == 6 ? "tcp" : "udp",
						"port", ports[i].port, "packets", (json_int_t)ports[i].packets,
						"sources", (json_int_t)ports[i].sources));
	return list;
}

static const char *network_name(const void *places, uint32_t network)
{
	return places_network_name(places, network);
}

json_t *reading_json(const struct reading *reading, double seconds)
{
	const struct telescope_counts *counts = telescope_counts(reading->telescope);
	bool any = counts->packets > 0;
	json_t *kinds = json_object(), *tools = json_object();
	for (size_t i = 0; i < PACKET_KINDS; i++)
		json_object_set_new(kinds, packet_kind_names[i], json_integer((json_int_t)counts->kinds[i]));
	for (size_t i = 0; i < SCAN_TOOLS; i++)
		json_object_set_new(tools, scan_tool_names[i],
				    json_pack("{s:I,s:I}", "packets", (json_int_t)counts->tools[i].packets, "sources",
					      (json_int_t)counts->tools[i].sources));
	json_t *object =
		json_pack("{s:I,s:I,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:I,s:f,s:f}", "packets", (json_int_t)counts->packets,
			  "bytes", (json_int_t)counts->bytes, "first", any ? json_time(counts->first_ns) : json_null(),
			  "last", any ? json_time(counts->last_ns) : json_null(), "malformed", malformed_json(reading),
			  "outside", (json_int_t)counts->outside, "kinds", kinds, "tools", tools, "ports",
			  ports_json(reading->telescope), "sources", (json_int_t)counts->sources, "seconds", seconds,
			  "packets_per_second", seconds > 0 ? (double)counts->packets / seconds : 0.0);
	json_t *lists = report_json(reading->report, network_name, reading->places);
	json_object_update(object, lists);
	json_decref(lists);
	return object;
}

static void list_print(const char *title, const json_t *list, int64_t limit, const char *name, const char *name2)
{
	size_t i;
	json_t *row;
	if (json_array_size(list) == 0)
		return;
	printf("\n%-38s %14s %10s\n", title, language_is_japanese() ? "パケット" : "packets",
	       language_is_japanese() ? "送信元" : "sources");
	json_array_foreach(list, i, row)
	{
		if ((int64_t)i >= limit)
			break;
		char label[64];
		const json_t *first = json_object_get(row, name), *second = name2 ? json_object_get(row, name2) : NULL;
		if (json_is_integer(second))
			snprintf(label, sizeof label, "%s/%lld", json_string_value(first),
				 (long long)json_integer_value(second));
		else
			snprintf(label, sizeof label, "%s %s", json_string_value(first),
				 second ? json_string_value(second) : "");
		printf("  %-36.36s %14lld", label, (long long)json_integer_value(json_object_get(row, "packets")));
		if (json_object_get(row, "sources"))
			printf(" %10lld", (long long)json_integer_value(json_object_get(row, "sources")));
		printf("\n");
	}
}

static void counts_print(const json_t *object, const char *key, bool sources)
{
	const char *name;
	json_t *value;
	printf("\n%s\n", key);
	json_object_foreach((json_t *)object, name, value)
	{
		long long packets = json_integer_value(sources ? json_object_get(value, "packets") : value);
		if (packets == 0)
			continue;
		printf("  %-36s %14lld", name, packets);
		if (sources)
			printf(" %10lld", (long long)json_integer_value(json_object_get(value, "sources")));
		printf("\n");
	}
}

void reading_print(const json_t *report, int64_t limit)
{
	bool ja = language_is_japanese();
	printf(ja ? "%lld パケット、%lld 送信元、%s から %s まで(ダークネット外 %lld)\n"
		  : "%lld packets of %lld sources, %s to %s (%lld outside)\n",
	       (long long)json_integer_value(json_object_get(report, "packets")),
	       (long long)json_integer_value(json_object_get(report, "sources")),
	       json_is_string(json_object_get(report, "first")) ? json_string_value(json_object_get(report, "first"))
								: "-",
	       json_is_string(json_object_get(report, "last")) ? json_string_value(json_object_get(report, "last"))
							       : "-",
	       (long long)json_integer_value(json_object_get(report, "outside")));
	counts_print(json_object_get(report, "kinds"), ja ? "種別" : "kinds", false);
	counts_print(json_object_get(report, "tools"), ja ? "ツール" : "tools", true);
	list_print(ja ? "ポート" : "ports", json_object_get(report, "ports"), limit, "protocol", "port");
	list_print(ja ? "国" : "countries", json_object_get(report, "countries"), limit, "country", NULL);
	list_print(ja ? "ネットワーク" : "networks", json_object_get(report, "networks"), limit, "network", "name");
	list_print(ja ? "DoS 攻撃の被害者" : "victims of denial of service", json_object_get(report, "victims"), limit,
		   "address", NULL);
	list_print(ja ? "キャンペーン" : "campaigns", json_object_get(report, "campaigns"), limit, "id", NULL);
	if (json_object_size(json_object_get(report, "malformed")))
		counts_print(json_object_get(report, "malformed"), ja ? "異常" : "malformed", false);
	printf("\n%.2f s, %.2f M packets/s\n", json_real_value(json_object_get(report, "seconds")),
	       json_real_value(json_object_get(report, "packets_per_second")) / 1e6);
}

int reading_open(struct reading *reading, const struct reading_options *options, const char *name, bool apart,
		 struct pool *pool, struct err *err)
{
	struct telescope_options telescope = {
		.darknet = options->darknet, .exclude = options->exclude, .decapsulate = options->decapsulate};
	reading->sink.put = reading_put;
	int result = survey_load(path_shared(pool, options->surveys, "data/survey-organisations.yaml"), pool,
				 &telescope.survey, err);
	if (result == 0 && apart)
		result = relay_new(&reading->sink, &reading->relay, err);
	if (result == 0)
		result = telescope_new(&telescope, apart ? relay_sink(reading->relay) : &reading->sink,
				       &reading->telescope, err);
	if (result == 0) {
		struct err missing = {""};
		result = places_open_degraded(path_shared(pool, options->deps, "deps"), &reading->places, &missing);
		if (result > 0)
			fprintf(stderr, "yagura %s: places are unknown in part: %s\n", name, missing.text);
		if (result < 0)
			*err = missing;
	}
	if (result < 0)
		return result;
	reading->report = report_new(pool);
	struct vantage vantage = {.darknet_addresses = telescope_darknet_addresses(reading->telescope)};
	if (!reading->report)
		return err_set(err, -ENOMEM, "no memory");
	return detectors_new(NULL, &vantage, report_sink(reading->report), pool, &reading->detectors, err);
}

int reading_finish(struct reading *reading, struct err *err)
{
	int finished = telescope_finish(reading->telescope, err);
	int arrived = reading->relay ? relay_drain(reading->relay, err) : 0;
	int told = detectors_finish(reading->detectors, err);
	finished = finished < 0 ? finished : arrived;
	return finished < 0 ? finished : told;
}

void reading_close(struct reading *reading)
{
	relay_free(reading->relay);
	detectors_free(reading->detectors);
	report_free(reading->report);
	places_close(reading->places);
	telescope_free(reading->telescope);
}
