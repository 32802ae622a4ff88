/* See table.h. Each form names the same roles differently; what a line has for each role is a text, whichever form it
 * came in. Zeek: https://docs.zeek.org/en/master/logs/conn.html; Argus: ra(1), fields of -s. */
#include "observe/flow/table.h"

#include "core/addr.h"
#include "core/clock.h"
#include "wire/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_ROWS = 4096, COLUMNS_MAX = 128, TEXT_BYTES = 64, JSON_DEPTH = 16 };
enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58, NOT_IP = -1, NO_PROTOCOL = -2 };

enum cell {
	CELL_TIME,
	CELL_DURATION,
	CELL_PROTOCOL,
	CELL_SOURCE,
	CELL_SOURCE_PORT,
	CELL_TARGET,
	CELL_TARGET_PORT,
	CELL_STATE,
	CELL_PACKETS,
	CELL_BYTES,
	CELL_PAYLOAD,
	CELL_REVERSE_PACKETS,
	CELL_REVERSE_BYTES,
	CELL_REVERSE_PAYLOAD,
	CELL_DIRECTION,
	CELL_TOS,
	CELL_ALL_PACKETS,
	CELL_ALL_BYTES,
	CELLS,
};

static const char *const zeek_names[CELLS] = {"ts",         "duration",  "proto",         "id.orig_h", "id.orig_p",
					      "id.resp_h",  "id.resp_p", "history",       "orig_pkts", "orig_ip_bytes",
					      "orig_bytes", "resp_pkts", "resp_ip_bytes", "resp_bytes"};
static const char *const argus_names[CELLS] = {
	[CELL_TIME] = "StartTime",      [CELL_DURATION] = "Dur",      [CELL_PROTOCOL] = "Proto",
	[CELL_SOURCE] = "SrcAddr",      [CELL_SOURCE_PORT] = "Sport", [CELL_TARGET] = "DstAddr",
	[CELL_TARGET_PORT] = "Dport",   [CELL_STATE] = "State",       [CELL_PACKETS] = "SrcPkts",
	[CELL_BYTES] = "SrcBytes",      [CELL_DIRECTION] = "Dir",     [CELL_TOS] = "sTos",
	[CELL_ALL_PACKETS] = "TotPkts", [CELL_ALL_BYTES] = "TotBytes"};

/* What a line says, "" where it does not. */
struct cells {
	char text[CELLS][TEXT_BYTES];
};

struct row {
	int64_t first_ns, last_ns;
	struct addr source, target;
	uint16_t source_port, target_port;
	uint8_t protocol, flags, tos;
	uint64_t packets, bytes, reverse_packets, reverse_bytes;
};

struct flow_table {
	enum flow_table_form form;
	const char *const *names;
	char separator;
	struct sink *sink;
	struct batch *batch;
	struct json_reader *json;
	int roles[COLUMNS_MAX]; /* of each column; -1: none is wanted of it */
	unsigned columns;       /* 0: no header was met */
};

/* --- the form ---------------------------------------------------------------------------------------------------- */

enum flow_table_form flow_table_form_of(const void *data, size_t bytes)
{
	static const struct {
		const char *begin;
		enum flow_table_form form;
	} forms[] = {{"#separator", FLOW_TABLE_ZEEK},  {"#fields\t", FLOW_TABLE_ZEEK},
		     {"ts\tuid\t", FLOW_TABLE_ZEEK},   {"{\"", FLOW_TABLE_ZEEK_JSON},
		     {"StartTime,", FLOW_TABLE_ARGUS}, {"StartTime\t", FLOW_TABLE_ARGUS}};
	const char *at = data, *end = at + bytes;
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t length = strlen(forms[i].begin);
		if ((size_t)(end - at) >= length && memcmp(at, forms[i].begin, length) == 0)
			return forms[i].form;
	}
	return FLOW_TABLE_NONE;
}

int flow_table_new(enum flow_table_form form, struct sink *sink, struct flow_table **ret_table, struct err *err)
{
	struct flow_table *table = calloc(1, sizeof *table);
	if (!table)
		return err_set(err, -ENOMEM, "no memory for a table of flows");
	table->form = form;
	table->names = form == FLOW_TABLE_ARGUS ? argus_names : zeek_names;
	table->separator = '\t';
	table->sink = sink;
	table->batch = batch_new(&record_flow, TABLE_ROWS);
	if (form == FLOW_TABLE_ZEEK_JSON)
		table->json = json_reader_new(FLOW_TABLE_LINE_MAX, JSON_DEPTH);
	if (!table->batch || (form == FLOW_TABLE_ZEEK_JSON && !table->json)) {
		flow_table_free(table);
		return err_set(err, -ENOMEM, "no memory for a table of flows");
	}
	*ret_table = table;
	return 0;
}

void flow_table_free(struct flow_table *table)
{
	if (!table)
		return;
	json_reader_free(table->json);
	batch_free(table->batch);
	free(table);
}

/* --- lines into cells -------------------------------------------------------------------------------------------- */

static void cell_set(struct cells *cells, int role, const char *text, size_t bytes)
{
	bool unset = (bytes == 1 && *text == '-') || bytes >= TEXT_BYTES;
	bytes = unset ? 0 : bytes;
	memcpy(cells->text[role], text, bytes);
	cells->text[role][bytes] = '\0';
}

/* The next cell of a line: its length; *at moves behind its separator, to NULL behind the last. */
static const char *cell_next(const struct flow_table *table, const char **at, const char *end, size_t *ret_bytes)
{
	const char *begin = *at, *stop = memchr(begin, table->separator, (size_t)(end - begin));
	*at = stop ? stop + 1 : NULL;
	*ret_bytes = (size_t)((stop ? stop : end) - begin);
	return begin;
}

static int header_read(struct flow_table *table, const char *line, const char *end, struct err *err)
{
	static const enum cell needed[] = {CELL_TIME, CELL_PROTOCOL, CELL_SOURCE, CELL_TARGET};
	unsigned found = 0;
	table->columns = 0;
	if (table->form == FLOW_TABLE_ARGUS)
		table->separator = memchr(line, ',', (size_t)(end - line)) ? ',' : '\t';
	for (const char *at = line; at && table->columns < COLUMNS_MAX; table->columns++) {
		size_t bytes;
		const char *name = cell_next(table, &at, end, &bytes);
		int *role = &table->roles[table->columns];
		*role = -1;
		for (int r = 0; r < CELLS; r++)
			if (table->names[r] && strlen(table->names[r]) == bytes &&
			    memcmp(table->names[r], name, bytes) == 0)
				*role = r;
		found |= *role >= 0 ? 1u << *role : 0;
	}
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!(found & 1u << needed[i])) {
			table->columns = 0;
			err_set(err, 0, "the header has no column %s", table->names[needed[i]]);
			return 1;
		}
	return 0;
}

static int text_split(struct flow_table *table, const char *line, const char *end, struct cells *cells, struct err *err)
{
	unsigned column = 0;
	if (!table->columns) {
		err_set(err, 0, "no header came before it");
		return 1;
	}
	for (const char *at = line; at && column < table->columns; column++) {
		size_t bytes;
		const char *text = cell_next(table, &at, end, &bytes);
		if (table->roles[column] >= 0)
			cell_set(cells, table->roles[column], text, bytes);
	}
	if (column == table->columns)
		return 0;
	err_set(err, 0, "%u columns, of %u that the header names", column, table->columns);
	return 1;
}

static int json_split(struct flow_table *table, const char *line, size_t bytes, struct cells *cells, struct err *err)
{
	struct json_tape tape;
	const char *compact;
	size_t compact_bytes;
	if (json_read(table->json, line, bytes, &tape, &compact, &compact_bytes, err) < 0)
		return 1;
	if (json_kind(&tape, JSON_ROOT) != '{') {
		err_set(err, 0, "an object was expected");
		return 1;
	}
	for (int role = 0; role < CELLS; role++) {
		uint32_t length, place = table->names[role] ? json_member(&tape, JSON_ROOT, table->names[role]) : 0;
		char kind = place ? json_kind(&tape, place) : 'n';
		if (kind == '"') {
			const char *text = json_text(&tape, place, &length);
			cell_set(cells, role, text, length);
		} else if (kind == 'l' || kind == 'u') {
			snprintf(cells->text[role], TEXT_BYTES, "%.0f", json_number(&tape, place));
		} else if (kind == 'd' && json_number(&tape, place) < 1e15) {
			snprintf(cells->text[role], TEXT_BYTES, "%.6f", json_number(&tape, place));
		}
	}
	return 0;
}

/* --- cells into a row -------------------------------------------------------------------------------------------- */

/* "6e-06", as who passes a log through a spreadsheet leaves it. */
static bool exponent_read(const char *text, int64_t *ret_ns)
{
	char *end;
	double seconds = strtod(text, &end);
	if (*text < '0' || *text > '9' || *end || seconds < 0 || seconds >= (double)(INT64_MAX / NS_PER_S))
		return false;
	*ret_ns = (int64_t)(seconds * (double)NS_PER_S + 0.5);
	return true;
}

/* "1545403816.962094" in ns; false: it is no such number. */
static bool seconds_read(const char *text, int64_t *ret_ns)
{
	int64_t seconds = 0, fraction = 0, unit = NS_PER_S;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		seconds = seconds * 10 + (*at - '0');
		if (seconds >= INT64_MAX / NS_PER_S)
			return false;
	}
	if (at == text)
		return false;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++) {
			unit /= 10;
			fraction += (*at - '0') * unit;
		}
	if (*at == 'e')
		return exponent_read(text, ret_ns);
	*ret_ns = seconds * NS_PER_S + fraction;
	return *at == '\0';
}

/* Seconds since 1970, RFC 3339, or Argus' "2011/08/18 15:40:53.826372", which is taken for UTC. */
static int time_read(const char *text, int64_t *ret_ns, struct err *err)
{
	char dated[TEXT_BYTES + 1];
	if (seconds_read(text, ret_ns))
		return 0;
	snprintf(dated, sizeof dated - 1, "%s", text);
	if (strlen(dated) > 10 && dated[4] == '/' && dated[7] == '/' && dated[10] == ' ') {
		dated[4] = dated[7] = '-';
		dated[10] = 'T';
		memcpy(dated + strlen(dated), "Z", 2);
	} else if (strlen(dated) < 11 || dated[10] != 'T') {
		return err_set(err, 1, "'%s' is no time", text);
	}
	return time_parse(dated, 0, ret_ns, NULL) == 0 ? 0 : err_set(err, 1, "'%s' is no time", text);
}

static int protocol_read(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"tcp", TCP},    {"udp", UDP},     {"icmp", ICMP},      {"icmp6", ICMP6}, {"ipv6-icmp", ICMP6},
		     {"rtp", UDP},    {"rtcp", UDP},    {"udt", UDP},        {"igmp", 2},      {"ipv6", 41},
		     {"gre", 47},     {"esp", 50},      {"ah", 51},          {"ospf", 89},     {"pim", 103},
		     {"vrrp", 112},   {"sctp", 132},    {"udplite", 136},    {"ipnip", 4},     {"unknown_transport", 0},
		     {"arp", NOT_IP}, {"rarp", NOT_IP}, {"ipx/spx", NOT_IP}, {"llc", NOT_IP},  {"lldp", NOT_IP},
		     {"man", NOT_IP}, {"stp", NOT_IP},  {"ether", NOT_IP}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].number;
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && number < 256 ? (int)number : NO_PROTOCOL;
}

/* "" is 0. */
static int count_read(const struct cells *cells, const struct flow_table *table, enum cell role, uint64_t most,
		      uint64_t *ret_count, struct err *err)
{
	const char *text = cells->text[role];
	char *end;
	*ret_count = 0;
	if (!*text)
		return 0;
	errno = 0;
	unsigned long long count = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno || count > most)
		return err_set(err, 1, "%s: '%s' is no number of 0 to %llu", table->names[role], text,
			       (unsigned long long)most);
	*ret_count = count;
	return 0;
}

static int ports_read(const struct flow_table *table, const struct cells *cells, struct row *row, struct err *err)
{
	uint64_t source, target;
	int result = count_read(cells, table, CELL_SOURCE_PORT, UINT16_MAX, &source, err);
	if (result == 0)
		result = count_read(cells, table, CELL_TARGET_PORT, UINT16_MAX, &target, err);
	if (result != 0)
		return result;
	row->source_port = (uint16_t)source;
	row->target_port = (uint16_t)target;
	if (row->protocol != ICMP && row->protocol != ICMP6)
		return 0;
	/* Zeek: type and code apart; Argus: "0x0303", both, or the type alone. */
	bool both = strncmp(cells->text[CELL_SOURCE_PORT], "0x", 2) == 0;
	row->target_port = (uint16_t)(table->form == FLOW_TABLE_ARGUS ? (both ? source : source << 8)
								      : source << 8 | (target & 0xff));
	row->source_port = 0;
	return 0;
}

/* Letters of who began: Zeek's history has them great, Argus' state before the '_'. */
static uint8_t flags_read(const struct flow_table *table, const char *state, bool swapped)
{
	static const struct {
		char zeek, argus;
		uint8_t zeek_flags, argus_flag;
	} letters[] = {{'S', 'F', 0x02, 0x01}, {'H', 'S', 0x12, 0x02}, {'A', 'R', 0x10, 0x04}, {'D', 'P', 0x18, 0x08},
		       {'F', 'A', 0x11, 0x10}, {'R', 'U', 0x04, 0x20}, {0, 'E', 0, 0x40},      {0, 'C', 0, 0x80}};
	uint8_t flags = 0;
	const char *underscore = strchr(state, '_');
	bool argus = table->form == FLOW_TABLE_ARGUS;
	if (argus && !underscore)
		return 0;
	const char *at = argus && swapped ? underscore + 1 : state;
	for (; *at && !(argus && *at == '_'); at++)
		for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
			if (*at == (argus ? letters[i].argus : letters[i].zeek))
				flags |= argus ? letters[i].argus_flag : letters[i].zeek_flags;
	return flags;
}

static int zeek_counts(const struct flow_table *table, const struct cells *cells, struct row *row, struct err *err)
{
	bool ip = *cells->text[CELL_BYTES], reverse_ip = *cells->text[CELL_REVERSE_BYTES];
	int result = count_read(cells, table, CELL_PACKETS, UINT64_MAX, &row->packets, err);
	if (result == 0)
		result = count_read(cells, table, ip ? CELL_BYTES : CELL_PAYLOAD, UINT64_MAX, &row->bytes, err);
	if (result == 0)
		result = count_read(cells, table, CELL_REVERSE_PACKETS, UINT64_MAX, &row->reverse_packets, err);
	if (result == 0)
		result = count_read(cells, table, reverse_ip ? CELL_REVERSE_BYTES : CELL_REVERSE_PAYLOAD, UINT64_MAX,
				    &row->reverse_bytes, err);
	return result;
}

static int argus_counts(const struct flow_table *table, const struct cells *cells, struct row *row, struct err *err)
{
	uint64_t packets, bytes;
	int result = count_read(cells, table, CELL_ALL_PACKETS, UINT32_MAX, &packets, err);
	if (result == 0)
		result = count_read(cells, table, CELL_ALL_BYTES, INT64_MAX, &bytes, err);
	if (result == 0)
		result = count_read(cells, table, CELL_BYTES, INT64_MAX, &row->bytes, err);
	if (result == 0)
		result = count_read(cells, table, CELL_PACKETS, UINT32_MAX, &row->packets, err);
	if (result != 0)
		return result;
	if (row->bytes > bytes || row->packets > packets)
		return err_set(err, 1, "the source sent more than there was");
	row->reverse_bytes = bytes - row->bytes;
	if (!*cells->text[CELL_PACKETS] && bytes) {
		row->packets = (uint64_t)((double)packets * ((double)row->bytes / (double)bytes) + 0.5);
		if (row->bytes && row->reverse_bytes && packets > 1) /* each sent something */
			row->packets = row->packets == 0 ? 1 : row->packets == packets ? packets - 1 : row->packets;
	}
	row->reverse_packets = packets - row->packets;
	return 0;
}

#define SWAP(one, other)                                                                                               \
	do {                                                                                                           \
		__typeof__(one) kept = (one);                                                                          \
		(one) = (other);                                                                                       \
		(other) = kept;                                                                                        \
	} while (0)

/* 0; 1: it cannot be read; 2: nothing of IP. */
static int row_read(const struct flow_table *table, const struct cells *cells, struct row *row, struct err *err)
{
	int64_t duration_ns = 0;
	uint64_t tos = 0;
	int protocol = protocol_read(cells->text[CELL_PROTOCOL]);
	if (protocol == NOT_IP)
		return 2;
	if (protocol == NO_PROTOCOL)
		return err_set(err, 1, "%s: '%s' is no protocol", table->names[CELL_PROTOCOL],
			       cells->text[CELL_PROTOCOL]);
	row->protocol = (uint8_t)protocol;
	if (time_read(cells->text[CELL_TIME], &row->first_ns, err) != 0)
		return 1;
	if (*cells->text[CELL_DURATION] && !seconds_read(cells->text[CELL_DURATION], &duration_ns))
		return err_set(err, 1, "%s: '%s' is no number of seconds", table->names[CELL_DURATION],
			       cells->text[CELL_DURATION]);
	if (__builtin_add_overflow(row->first_ns, duration_ns, &row->last_ns))
		return err_set(err, 1, "it ends after the end of time");
	if (addr_parse(cells->text[CELL_SOURCE], &row->source, err) < 0 ||
	    addr_parse(cells->text[CELL_TARGET], &row->target, err) < 0)
		return 1;
	bool swapped = strstr(cells->text[CELL_DIRECTION], "<-") && !strchr(cells->text[CELL_DIRECTION], '>');
	int result = ports_read(table, cells, row, err);
	if (result == 0)
		result = table->form == FLOW_TABLE_ARGUS ? argus_counts(table, cells, row, err)
							 : zeek_counts(table, cells, row, err);
	if (result == 0)
		result = count_read(cells, table, CELL_TOS, UINT8_MAX, &tos, err);
	row->tos = (uint8_t)tos;
	row->flags = row->protocol == TCP ? flags_read(table, cells->text[CELL_STATE], swapped) : 0;
	if (swapped) {
		SWAP(row->source, row->target);
		if (row->protocol != ICMP && row->protocol != ICMP6)
			SWAP(row->source_port, row->target_port);
		SWAP(row->packets, row->reverse_packets);
		SWAP(row->bytes, row->reverse_bytes);
	}
	return result;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

#define CELL(type, name) BATCH_COLUMN(batch, type, record_column_index(&record_flow, name))[at]

static void row_put(struct batch *batch, const struct row *row)
{
	uint32_t at = batch->rows++;
	for (size_t c = 0; record_flow.columns[c].name; c++) {
		size_t width = column_width(record_flow.columns[c].type);
		memset((uint8_t *)batch->columns[c] + at * width, 0, width);
	}
	CELL(int64_t, "first") = row->first_ns;
	CELL(int64_t, "last") = row->last_ns;
	CELL(struct addr, "source") = row->source;
	CELL(struct addr, "target") = row->target;
	CELL(uint16_t, "source_port") = row->source_port;
	CELL(uint16_t, "target_port") = row->target_port;
	CELL(uint8_t, "protocol") = row->protocol;
	CELL(uint8_t, "flags") = row->flags;
	CELL(uint8_t, "tos") = row->tos;
	CELL(uint64_t, "packets") = row->packets;
	CELL(uint64_t, "bytes") = row->bytes;
	CELL(uint64_t, "reverse_packets") = row->reverse_packets;
	CELL(uint64_t, "reverse_bytes") = row->reverse_bytes;
	CELL(uint32_t, "sampling") = 1;
}

int flow_table_flush(struct flow_table *table, struct err *err)
{
	int result = table->batch->rows ? table->sink->put(table->sink, table->batch, err) : 0;
	batch_clear(table->batch);
	return result < 0 ? result : 0;
}

int flow_table_line(struct flow_table *table, const char *line, size_t bytes, struct err *err)
{
	static const char fields[] = "#fields\t";
	struct cells cells = {{{0}}};
	struct row row = {0};
	while (bytes && (line[bytes - 1] == '\r' || line[bytes - 1] == '\0'))
		bytes--;
	const char *end = line + bytes;
	bool zeek = table->form == FLOW_TABLE_ZEEK;
	if (bytes == 0)
		return 0;
	if (zeek && bytes >= sizeof fields && memcmp(line, fields, sizeof fields - 1) == 0)
		return header_read(table, line + sizeof fields - 1, end, err);
	if (zeek && (*line == '#' || (*line == '\t' && bytes > 1 && line[1] == '#')))
		return 0;
	if (!table->json && !table->columns)
		return header_read(table, line, end, err);
	int result =
		table->json ? json_split(table, line, bytes, &cells, err) : text_split(table, line, end, &cells, err);
	if (result == 0)
		result = row_read(table, &cells, &row, err);
	if (result != 0)
		return result == 2 ? 0 : 1;
	row_put(table->batch, &row);
	return table->batch->rows == TABLE_ROWS ? flow_table_flush(table, err) : 0;
}
