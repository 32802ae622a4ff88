/* Verdicts and findings of livenet. docs/telescope-rules.md says the rules in prose.
 *
 * The signs of a forged source are those of the telescope (observe/telescope/kind.h): a packet that bears one proves
 * nothing about the address it names. So only packets without one can make an address infected or misconfigured, and an
 * address of which there is nothing else was probably forged.
 */
#include "analyze/livenet_alert.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SURE_SCANS = 10, SURE_TARGETS = 5, ATTACK_PACKETS = 25 };

static const char *const sign_names[] = {"odd protocol", "time to live",       "host part", "source is destination",
					 "port 0",       "address nobody has", NULL};
static const char *const direction_names[] = {"source", "victim"};

enum livenet_verdict alert_verdict(const struct alert *alert)
{
	if (alert->key.attacked)
		return VERDICT_VICTIM;
	return alert->scans ? VERDICT_INFECTED : alert->mistakes ? VERDICT_MISCONFIGURED : VERDICT_SPOOFED;
}

enum severity alert_severity(const struct alert *alert)
{
	switch (alert_verdict(alert)) {
	case VERDICT_INFECTED: {
		bool sure = alert->tool != TOOL_UNKNOWN || alert->scans >= SURE_SCANS ||
			    alert->most_targets >= SURE_TARGETS;
		return sure ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	}
	case VERDICT_VICTIM:
		return alert->packets >= ATTACK_PACKETS ? SEVERITY_MEDIUM : SEVERITY_LOW;
	case VERDICT_MISCONFIGURED:
		return SEVERITY_LOW;
	default:
		return SEVERITY_INFO;
	}
}

void alert_id(const struct alert *alert, char id[ALERT_ID_BYTES])
{
	char address[ADDR_TEXT_BYTES], opened[TIME_TEXT_BYTES];
	snprintf(id, ALERT_ID_BYTES, "livenet:%s:%s:%s", addr_format(&alert->key.address, address),
		 direction_names[alert->key.attacked != 0],
		 time_format(time_floor(alert->opened_ns, NS_PER_S), opened));
}

/* --- ground ------------------------------------------------------------------------------------------------------ */

static json_t *ports_json(const struct alert *alert)
{
	json_t *ports = json_array();
	for (unsigned i = 0; i < alert->port_count; i++) {
		char text[PORT_TEXT_BYTES];
		json_array_append_new(ports,
				      json_pack("{s:s, s:i, s:i}", "name",
						port_format(alert->ports[i].protocol, alert->ports[i].port, text),
						"protocol", alert->ports[i].protocol, "port", alert->ports[i].port));
	}
	return ports;
}

static json_t *signs_json(const struct alert *alert)
{
	json_t *signs = json_array();
	for (unsigned i = 0; sign_names[i]; i++)
		if (alert->signs & 1U << i)
			json_array_append_new(signs, json_string(sign_names[i]));
	return signs;
}

static json_t *observed_json(const struct alert *alert)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "packets", (json_int_t)alert->packets, "scans",
			 (json_int_t)alert->scans, "mistakes", (json_int_t)alert->mistakes, "doubtful",
			 (json_int_t)alert->doubtful, "bytes", (json_int_t)alert->bytes,
			 "most_darknet_addresses_in_a_row", (json_int_t)alert->most_targets, "signs", alert->signs);
}

static struct prefix prefix_of(const struct alert *alert)
{
	struct prefix prefix = {alert->key.address, alert->prefix_bits};
	for (unsigned bit = alert->prefix_bits; bit < 128; bit++)
		prefix.addr.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
	return prefix;
}

static json_t *alert_ground(const struct alert *alert, int64_t quiet_ns, const char *address)
{
	char prefix_text[PREFIX_TEXT_BYTES], where[ADDR_TEXT_BYTES + 64];
	struct prefix prefix = prefix_of(alert);
	snprintf(where, sizeof where, "address=%s --where role=%s", address,
		 alert->key.attacked ? "victim,quoted" : "source");
	json_t *thresholds =
		json_pack("{s:f, s:i, s:i, s:i}", "quiet_seconds", (double)quiet_ns / (double)NS_PER_S, "sure_scans",
			  SURE_SCANS, "sure_darknet_addresses", SURE_TARGETS, "attack_packets", ATTACK_PACKETS);
	json_t *ground = json_pack(
		"{s:o, s:o, s:o, s:b, s:o, s:s, s:s, s:s, s:s, s:i, s:I, s:i, s:o, s:o}", "thresholds", thresholds,
		"observed", observed_json(alert), "ports", ports_json(alert), "more_ports", (int)alert->more_ports,
		"signs_of_a_forged_source", signs_json(alert), "address", address, "prefix",
		prefix_format(&prefix, prefix_text), "direction", direction_names[alert->key.attacked != 0], "tool",
		scan_tool_names[alert->tool], "tool_version", alert->tool_version, "member", (json_int_t)alert->member,
		"sensor", alert->sensor, "opened", json_time(alert->opened_ns), "derive",
		derive_command("sighting", where, alert->first_ns, alert->last_ns, NS_PER_S));
	return ground;
}

static const char *const rule_names[VERDICTS] = {
	[VERDICT_INFECTED] = "livenet.infected",
	[VERDICT_VICTIM] = "livenet.victim",
	[VERDICT_MISCONFIGURED] = "livenet.misconfigured",
	[VERDICT_SPOOFED] = "livenet.spoofed",
};

int alert_say(struct alert *alert, int64_t quiet_ns, int64_t ended_ns, struct findings *findings, struct err *err)
{
	char address[ADDR_TEXT_BYTES], id[ALERT_ID_BYTES];
	addr_format(&alert->key.address, address);
	alert_id(alert, id);
	enum livenet_verdict verdict = alert_verdict(alert);
	const struct finding finding = {
		.id = id,
		.time_ns = ended_ns ? ended_ns : alert->last_ns,
		.type = FINDING_LIVENET,
		.severity = alert_severity(alert),
		.subject = address,
		.first_ns = alert->first_ns,
		.last_ns = alert->last_ns,
		.ended = ended_ns != 0,
		.packets = alert->packets,
		.score = alert->most_targets,
		.rule = rule_names[verdict],
		.rule_version = LIVENET_VERSION,
		.member = alert->member,
		.verdict = verdict,
		.again = alert->said,
	};
	alert->said = true;
	alert->verdict = (uint8_t)verdict;
	return findings_put(findings, &finding, alert_ground(alert, quiet_ns, address), err);
}

/* --- back from a finding ----------------------------------------------------------------------------------------- */

static void ports_take(struct alert *alert, const json_t *ports)
{
	size_t i;
	const json_t *port;
	json_array_foreach(ports, i, port)
	{
		if (alert->port_count == LIMIT_LIVENET_PORTS)
			return;
		alert->ports[alert->port_count++] = (struct alert_port){
			.port = (uint16_t)json_integer_value(json_object_get(port, "port")),
			.protocol = (uint8_t)json_integer_value(json_object_get(port, "protocol")),
		};
	}
}

static int observed_take(struct alert *alert, const json_t *observed, struct err *err)
{
	json_int_t packets, scans, mistakes, doubtful, bytes, targets;
	int signs;
	if (json_unpack((json_t *)(uintptr_t)observed, "{s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "packets", &packets,
			"scans", &scans, "mistakes", &mistakes, "doubtful", &doubtful, "bytes", &bytes,
			"most_darknet_addresses_in_a_row", &targets, "signs", &signs) < 0)
		return err_set(err, -EINVAL, "the ground of a livenet finding lacks what was observed");
	alert->packets = (uint64_t)packets;
	alert->scans = (uint64_t)scans;
	alert->mistakes = (uint64_t)mistakes;
	alert->doubtful = (uint64_t)doubtful;
	alert->bytes = (uint64_t)bytes;
	alert->most_targets = (uint32_t)targets;
	alert->signs = (uint8_t)signs;
	return 0;
}

int alert_from_finding(const json_t *finding, struct alert *ret_alert, struct err *err)
{
	const char *first, *last, *opened, *address, *prefix_text, *direction, *tool;
	int tool_version, sensor, more_ports;
	json_int_t member;
	json_t *ports, *observed;
	if (json_unpack((json_t *)(uintptr_t)finding,
			"{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:I, s:o, s:o}}", "first", &first,
			"last", &last, "ground", "opened", &opened, "address", &address, "prefix", &prefix_text,
			"direction", &direction, "tool", &tool, "tool_version", &tool_version, "sensor", &sensor,
			"more_ports", &more_ports, "member", &member, "ports", &ports, "observed", &observed) < 0)
		return err_set(err, -EINVAL, "not a finding of livenet");
	struct prefix prefix;
	int tool_number = code_by_name(scan_tool_names, tool);
	struct alert alert = {.member = (uint32_t)member,
			      .sensor = (uint16_t)sensor,
			      .tool = (uint8_t)(tool_number < 0 ? TOOL_UNKNOWN : tool_number),
			      .tool_version = (uint8_t)tool_version,
			      .more_ports = more_ports,
			      .said = true,
			      .key.attacked = strcmp(direction, direction_names[1]) == 0};
	int result = addr_parse(address, &alert.key.address, err);
	if (result == 0)
		result = prefix_parse(prefix_text, &prefix, err);
	if (result == 0)
		result = time_parse(opened, 0, &alert.opened_ns, err);
	if (result == 0)
		result = time_parse(first, 0, &alert.first_ns, err);
	if (result == 0)
		result = time_parse(last, 0, &alert.last_ns, err);
	if (result == 0)
		result = observed_take(&alert, observed, err);
	if (result < 0)
		return result;
	alert.prefix_bits = prefix.bits;
	ports_take(&alert, ports);
	alert.verdict = (uint8_t)alert_verdict(&alert);
	*ret_alert = alert;
	return 0;
}
