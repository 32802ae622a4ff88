/* The tables of every kind of record. Order of columns is the order of batches, stores and exports; a column is only
 * ever added at the end, with the kind's version raised and a migration in store/.
 */
#include "record/kind.h"

#include "core/addr.h"

#include <string.h>

const char *const packet_kind_names[] = {"scan",  "backscatter", "survey", "reflection", "misconfiguration",
					 "other", NULL};
const char *const scan_tool_names[] = {"unknown", "mirai", "masscan", "zmap", "nmap", "unicornscan", NULL};
const char *const severity_names[] = {"info", "low", "medium", "high", NULL};
const char *const finding_type_names[] = {"victim",       "scanner", "campaign", "new_port",
					  "change_point", "intake",  "livenet",  NULL};
const char *const finding_state_names[] = {"new", "continuing", "ended", "closed", NULL};
const char *const livenet_verdict_names[] = {"none", "infected", "victim", "misconfigured", "spoofed", NULL};
const char *const sighting_role_names[] = {"source", "victim", "quoted", NULL};
const char *const rollup_level_names[] = {"minute", "hour", "day", "month", "year", NULL};
const char *const rollup_dimension_names[] = {"all", "port", "tool", "country", "network", "sensor", "total", NULL};

static const struct column tuple_columns[] = {
	{"minute", COLUMN_TIME, NULL, NULL, "start of the minute"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"source", COLUMN_ADDR, NULL, NULL, "sender by the IP header"},
	{"kind", COLUMN_CODE, packet_kind_names, NULL, "kind of packet"},
	{"tool", COLUMN_CODE, scan_tool_names, NULL, "tool that sent it"},
	{"tool_version", COLUMN_U8, NULL, NULL, "variant by the rules table; 0 where not told apart"},
	{"protocol", COLUMN_U8, NULL, NULL, "IP protocol number"},
	{"port", COLUMN_U16, NULL, NULL,
	 "destination port; for backscatter the sender's own port; for ICMP type * 256 + code"},
	{"flags", COLUMN_U8, NULL, NULL, "TCP flags"},
	{"ttl", COLUMN_U8, NULL, NULL, "time to live of the first packet"},
	{"spoofed", COLUMN_U8, NULL, NULL, "1 where the source is probably spoofed"},
	{"packets", COLUMN_U32, NULL, "packets", "packets"},
	{"bytes", COLUMN_U64, NULL, "bytes", "bytes by the IP header"},
	{"targets", COLUMN_U32, NULL, "addresses",
	 "distinct darknet addresses, estimated by linear counting over 64 bits"},
	{"first", COLUMN_TIME, NULL, NULL, "first packet"},
	{"last", COLUMN_TIME, NULL, NULL, "last packet"},
	{"payload", COLUMN_U64, NULL, NULL, "hash of the first packet's payload; 0 where none"},
	{"signature", COLUMN_U32, NULL, NULL, "hash of window, TCP option kinds, DF and TTL class of the first packet"},
	{"country", COLUMN_U16, NULL, NULL, "ISO 3166 letters as first * 256 + second; 0 where unknown"},
	{"network", COLUMN_U32, NULL, NULL, "AS number that originates the source; 0 where unknown"},
	{NULL},
};
const struct record_kind record_tuple = {
	"tuple",  1,
	1,        tuple_columns,
	"minute", "Minute tuples: packets of one source, kind, tool, protocol, port and flags in one minute"};

static const struct column echo_columns[] = {
	{"bin", COLUMN_TIME, NULL, NULL, "start of the 10 seconds"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"victim", COLUMN_ADDR, NULL, NULL,
	 "host under attack: the sender, or the quoted destination of an ICMP error"},
	{"protocol", COLUMN_U8, NULL, NULL, "protocol of the attack (of the quoted packet for ICMP errors)"},
	{"port", COLUMN_U16, NULL, NULL, "the victim's port"},
	{"packets", COLUMN_U32, NULL, "packets", "packets"},
	{"bytes", COLUMN_U64, NULL, "bytes", "bytes by the IP header"},
	{"targets", COLUMN_U32, NULL, "addresses", "distinct darknet addresses, estimated as in tuple"},
	{"first", COLUMN_TIME, NULL, NULL, "first packet"},
	{"last", COLUMN_TIME, NULL, NULL, "last packet"},
	{NULL},
};
const struct record_kind record_echo = {
	"echo", 2, 1, echo_columns, "bin", "Echo bins: backscatter of one victim and attack vector in 10 seconds"};

static const struct column rollup_columns[] = {
	{"time", COLUMN_TIME, NULL, NULL, "start of the period"},
	{"level", COLUMN_CODE, rollup_level_names, NULL, "length of the period"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"dimension", COLUMN_CODE, rollup_dimension_names, NULL, "what `key` is"},
	{"key", COLUMN_TEXT, NULL, NULL, "port, tool, country, network or sensor"},
	{"kind", COLUMN_CODE, packet_kind_names, NULL, "kind of packet"},
	{"packets", COLUMN_U64, NULL, "packets", "packets"},
	{"bytes", COLUMN_U64, NULL, "bytes", "bytes"},
	{"sources", COLUMN_U64, NULL, "addresses", "distinct sources"},
	{"exact", COLUMN_U8, NULL, NULL, "1 where `sources` is exact, 0 where it is estimated"},
	{NULL},
};
const struct record_kind record_rollup = {
	"rollup",       3,      1,
	rollup_columns, "time", "Roll-ups: sums and distinct sources per minute, hour, day, month and year"};

static const struct column finding_columns[] = {
	{"id", COLUMN_TEXT, NULL, NULL, "name of the finding; a later row of the same id replaces an earlier one"},
	{"time", COLUMN_TIME, NULL, NULL, "when it was made or last changed"},
	{"type", COLUMN_CODE, finding_type_names, NULL, "what was found"},
	{"severity", COLUMN_CODE, severity_names, NULL, "how much it matters"},
	{"subject", COLUMN_TEXT, NULL, NULL, "what it is about: an address, a port, a set's name"},
	{"first", COLUMN_TIME, NULL, NULL, "first observation"},
	{"last", COLUMN_TIME, NULL, NULL, "last observation"},
	{"ended", COLUMN_U8, NULL, NULL, "1 when it is over"},
	{"packets", COLUMN_U64, NULL, "packets", "packets it rests on"},
	{"score", COLUMN_F64, NULL, NULL, "strength; what it measures stands in the rule"},
	{"rule", COLUMN_TEXT, NULL, NULL, "rule that made it"},
	{"rule_version", COLUMN_U16, NULL, NULL, "its version"},
	{"ground", COLUMN_JSON, NULL, NULL,
	 "observations it rests on, thresholds, and the command that derives it again"},
	{"member", COLUMN_U32, NULL, NULL, "number of the member it concerns; 0 where none"},
	{"verdict", COLUMN_CODE, livenet_verdict_names, NULL, "livenet: what is the matter with the member's address"},
	{"state", COLUMN_CODE, finding_state_names, NULL, "where it is in its life"},
	{NULL},
};
const struct record_kind record_finding = {"finding", 4, 2, finding_columns, "time", "Findings with their ground"};

static const struct column raw_columns[] = {
	{"minute", COLUMN_TIME, NULL, NULL, "start of the minute"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"source", COLUMN_ADDR, NULL, NULL, "sender by the IP header"},
	{"block", COLUMN_U64, NULL, NULL, "number of the block that holds packets of it"},
	{"packets", COLUMN_U32, NULL, "packets", "packets of the source in the block"},
	{NULL},
};
const struct record_kind record_raw = {"raw", 5, 1, raw_columns, "minute", "Which raw blocks hold a source's packets"};

static const struct column block_columns[] = {
	{"first", COLUMN_TIME, NULL, NULL, "first packet"},
	{"last", COLUMN_TIME, NULL, NULL, "last packet"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"block", COLUMN_U64, NULL, NULL,
	 "number of the block, unique with the sensor: start of the sensor in ms << 20 | count"},
	{"packets", COLUMN_U32, NULL, "packets", "packets in the block"},
	{"data", COLUMN_BLOB, NULL, "bytes",
	 "a whole pcapng file, compressed with zstd; the store keeps it in the raw ring"},
	{NULL},
};
const struct record_kind record_block = {"block", 8, 1, block_columns, "first", "Blocks of raw packets"};

static const struct column spark_columns[] = {
	{"time", COLUMN_TIME, NULL, NULL, "end of the tick (100 ms)"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"source", COLUMN_ADDR, NULL, NULL, "sender; :: in rows that hold the tick's exact total of a kind"},
	{"target", COLUMN_ADDR, NULL, NULL, "darknet address of the first packet; :: in totals"},
	{"kind", COLUMN_CODE, packet_kind_names, NULL, "kind of packet"},
	{"tool", COLUMN_CODE, scan_tool_names, NULL, "tool that sent it"},
	{"protocol", COLUMN_U8, NULL, NULL, "IP protocol number; 0 in totals"},
	{"port", COLUMN_U16, NULL, NULL, "as in tuple"},
	{"packets", COLUMN_U32, NULL, "packets", "packets in the tick"},
	{NULL},
};
const struct record_kind record_spark = {
	"spark", 7, 1, spark_columns, "time", "Sparks: a sample of each 100 ms for the live pictures; never stored"};

static const struct column health_columns[] = {
	{"minute", COLUMN_TIME, NULL, NULL, "start of the minute"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"name", COLUMN_TEXT, NULL, NULL, "counter: packets, bytes, outside, lost, malformed.NAME"},
	{"value", COLUMN_U64, NULL, NULL, "count in the minute"},
	{NULL},
};
const struct record_kind record_health = {"health",       6,        1,
					  health_columns, "minute", "Health: what a sensor counted of itself"};

static const struct column sighting_columns[] = {
	{"time", COLUMN_TIME, NULL, NULL, "last packet of the row"},
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"member", COLUMN_U32, NULL, NULL, "number of the member"},
	{"address", COLUMN_ADDR, NULL, NULL, "the member's address"},
	{"prefix_bits", COLUMN_U8, NULL, NULL,
	 "length of the member's prefix that holds it; 96 more than written for IPv4"},
	{"role", COLUMN_CODE, sighting_role_names, NULL,
	 "source: it sent into the darknet; victim: it answered what it was never asked; quoted: an ICMP error is "
	 "about a "
	 "packet to it"},
	{"fresh", COLUMN_U8, NULL, NULL, "1 for the first packet after a silence, which is told at once"},
	{"kind", COLUMN_CODE, packet_kind_names, NULL, "kind of the first packet"},
	{"tool", COLUMN_CODE, scan_tool_names, NULL, "tool as far as it stands by now"},
	{"tool_version", COLUMN_U8, NULL, NULL, "variant by the rules table; 0 where not told apart"},
	{"protocol", COLUMN_U8, NULL, NULL, "IP protocol number; of the quoted packet where quoted"},
	{"port", COLUMN_U16, NULL, NULL, "port of the first packet, as in tuple; the victim's port as in echo"},
	{"target", COLUMN_ADDR, NULL, NULL, "darknet address of the first packet"},
	{"ttl", COLUMN_U8, NULL, NULL, "time to live of the first packet"},
	{"flags", COLUMN_U8, NULL, NULL, "TCP flags of the first packet"},
	{"signs", COLUMN_U8, NULL, NULL,
	 "signs of a forged source, added up over the row: 1 odd protocol, 2 TTL of 200 or more, 4 ends in .0 or .255, "
	 "8 "
	 "source is destination, 16 port 0, 32 an address nobody has"},
	{"packets", COLUMN_U32, NULL, "packets", "packets since the row before"},
	{"scans", COLUMN_U32, NULL, "packets", "of them scans and reflection attempts without such a sign"},
	{"mistakes", COLUMN_U32, NULL, "packets", "of them misconfiguration and other without such a sign"},
	{"doubtful", COLUMN_U32, NULL, "packets", "of them those that bear a sign"},
	{"bytes", COLUMN_U64, NULL, "bytes", "bytes by the IP header"},
	{"targets", COLUMN_U32, NULL, "addresses", "distinct darknet addresses, estimated as in tuple"},
	{"first", COLUMN_TIME, NULL, NULL, "first packet of the row"},
	{"evidence", COLUMN_BLOB, NULL, "bytes",
	 "first packets as records of a pcap file (nanoseconds, link type 101), each cut to its first bytes"},
	{NULL},
};
const struct record_kind record_sighting = {
	"sighting",       9,      1,
	sighting_columns, "time", "Sightings: a member's own address in the darknet, told at once, then summed up"};

static const struct column flow_columns[] = {
	{"sensor", COLUMN_U16, NULL, NULL, "number of the sensor"},
	{"exporter", COLUMN_ADDR, NULL, NULL, "router that told of it"},
	{"domain", COLUMN_U32, NULL, NULL, "observation domain, source id or engine of the exporter"},
	{"first", COLUMN_TIME, NULL, NULL, "first packet"},
	{"last", COLUMN_TIME, NULL, NULL, "last packet"},
	{"source", COLUMN_ADDR, NULL, NULL, "sender"},
	{"target", COLUMN_ADDR, NULL, NULL, "receiver"},
	{"source_port", COLUMN_U16, NULL, NULL, "sender's port; 0 for ICMP"},
	{"target_port", COLUMN_U16, NULL, NULL, "receiver's port; for ICMP type * 256 + code"},
	{"protocol", COLUMN_U8, NULL, NULL, "IP protocol number"},
	{"flags", COLUMN_U8, NULL, NULL, "TCP flags of all packets"},
	{"tos", COLUMN_U8, NULL, NULL, "type of service, or traffic class"},
	{"packets", COLUMN_U64, NULL, "packets", "packets; of sampled flows what they stand for"},
	{"bytes", COLUMN_U64, NULL, "bytes", "bytes by the IP headers; of sampled flows what they stand for"},
	{"reverse_packets", COLUMN_U64, NULL, "packets", "packets of the answers, where the exporter joins them"},
	{"reverse_bytes", COLUMN_U64, NULL, "bytes", "bytes of the answers"},
	{"input", COLUMN_U32, NULL, NULL, "interface by which it came"},
	{"output", COLUMN_U32, NULL, NULL, "interface by which it left; 0: it did not"},
	{"source_as", COLUMN_U32, NULL, NULL, "AS number of the sender, as exported"},
	{"target_as", COLUMN_U32, NULL, NULL, "AS number of the receiver, as exported"},
	{"next_hop", COLUMN_ADDR, NULL, NULL, "next router"},
	{"vlan", COLUMN_U16, NULL, NULL, "VLAN"},
	{"direction", COLUMN_U8, NULL, NULL, "0 seen coming in, 1 going out"},
	{"end_reason", COLUMN_U8, NULL, NULL, "flowEndReason: 1 idle, 2 active, 3 ended, 4 forced, 5 lack of room"},
	{"sampling", COLUMN_U32, NULL, NULL, "one packet in so many was looked at; 1 where all were"},
	{NULL},
};
const struct record_kind record_flow = {"flow",       10,      1,
					flow_columns, "first", "Flows: who talked to whom, as routers tell it"};

const struct record_kind *const record_kinds[] = {
	&record_tuple,  &record_echo,  &record_rollup,   &record_finding, &record_raw, &record_block,
	&record_health, &record_spark, &record_sighting, &record_flow,    NULL};

const struct record_kind *record_kind_by_name(const char *name)
{
	for (size_t i = 0; record_kinds[i]; i++)
		if (strcmp(record_kinds[i]->name, name) == 0)
			return record_kinds[i];
	return NULL;
}

const struct record_kind *record_kind_by_id(uint16_t id)
{
	for (size_t i = 0; record_kinds[i]; i++)
		if (record_kinds[i]->id == id)
			return record_kinds[i];
	return NULL;
}

size_t record_column_count(const struct record_kind *kind)
{
	size_t count = 0;
	while (kind->columns[count].name)
		count++;
	return count;
}

int record_column_index(const struct record_kind *kind, const char *name)
{
	for (int i = 0; kind->columns[i].name; i++)
		if (strcmp(kind->columns[i].name, name) == 0)
			return i;
	return -1;
}

size_t column_width(enum column_type type)
{
	switch (type) {
	case COLUMN_U8:
	case COLUMN_CODE:
		return 1;
	case COLUMN_U16:
		return 2;
	case COLUMN_U32:
		return 4;
	case COLUMN_U64:
	case COLUMN_F64:
	case COLUMN_TIME:
		return 8;
	case COLUMN_ADDR:
		return sizeof(struct addr);
	case COLUMN_TEXT:
	case COLUMN_BLOB:
	case COLUMN_JSON:
		return sizeof(struct text);
	}
	return 0;
}

int code_by_name(const char *const *codes, const char *name)
{
	for (int i = 0; codes[i]; i++)
		if (strcmp(codes[i], name) == 0)
			return i;
	return -1;
}
