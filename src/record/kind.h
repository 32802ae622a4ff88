/* What a kind of record is: one table of columns each, from which batches, stores, queries, exports and the reference
 * manual are made. A new kind is one table in kinds.c and one line in record_kinds[].
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum column_type {
	COLUMN_U8,
	COLUMN_U16,
	COLUMN_U32,
	COLUMN_U64,
	COLUMN_F64,
	COLUMN_TIME, /* int64_t ns since 1970 UTC; stores keep microseconds */
	COLUMN_ADDR, /* struct addr: IPv4 as ::ffff:a.b.c.d */
	COLUMN_CODE, /* uint8_t, an index into `codes` */
	COLUMN_TEXT, /* struct text: borrowed UTF-8 */
	COLUMN_BLOB, /* struct text: borrowed bytes */
	COLUMN_JSON, /* struct text: borrowed JSON */
};

struct text {
	const char *bytes;
	uint32_t length;
};

struct column {
	const char *name; /* NULL ends a table */
	enum column_type type;
	const char *const *codes; /* for COLUMN_CODE, NULL-terminated */
	const char *unit;
	const char *help;
};

enum { RECORD_COLUMNS_MAX = 32 };

struct record_kind {
	const char *name;
	uint16_t id;      /* on the wire; never used again for another kind */
	uint16_t version; /* of the column table */
	const struct column *columns;
	const char *time_column; /* what `from` and `to` of a query mean */
	const char *help;
};

/* Kinds of packet; each packet of the darknet is exactly one. Indexes into packet_kind_names. */
enum packet_kind {
	PACKET_SCAN,
	PACKET_BACKSCATTER,
	PACKET_SURVEY,
	PACKET_REFLECTION,
	PACKET_MISCONFIGURATION,
	PACKET_OTHER,
	PACKET_KINDS,
};

/* Tools that sent a packet. Indexes into scan_tool_names. */
enum scan_tool {
	TOOL_UNKNOWN,
	TOOL_MIRAI,
	TOOL_MASSCAN,
	TOOL_ZMAP,
	TOOL_NMAP,
	TOOL_UNICORNSCAN,
	SCAN_TOOLS,
};

extern const char *const packet_kind_names[]; /* "scan", "backscatter", ...; NULL-terminated */
extern const char *const scan_tool_names[];
extern const char *const severity_names[]; /* "info", "low", "medium", "high" */
extern const char *const finding_type_names[];
extern const char *const finding_state_names[]; /* "new", "continuing", "ended", "closed" */
extern const char *const livenet_verdict_names[];
extern const char *const sighting_role_names[];
extern const char *const rollup_level_names[];
extern const char *const rollup_dimension_names[];

enum finding_type {
	FINDING_VICTIM,       /* host under denial of service, seen by its backscatter */
	FINDING_SCANNER,      /* source that meets the scanner definition of Durumeric et al. */
	FINDING_CAMPAIGN,     /* many sources that act as one */
	FINDING_NEW_PORT,     /* a port that was quiet is not any more */
	FINDING_CHANGE_POINT, /* a series left its course */
	FINDING_INTAKE,       /* the system's own trouble: disk full, sensor lost */
	FINDING_LIVENET,      /* a member's own address in the darknet */
};

/* By its detector: new, then continuing while the observations go on, ended when they stopped; closed by a person. */
enum finding_state { STATE_NEW, STATE_CONTINUING, STATE_ENDED, STATE_CLOSED };

/* What is the matter with a member's address. */
enum livenet_verdict {
	VERDICT_NONE,
	VERDICT_INFECTED,
	VERDICT_VICTIM,
	VERDICT_MISCONFIGURED,
	VERDICT_SPOOFED,
	VERDICTS
};

/* How a member's address was met in a packet of the darknet. */
enum sighting_role {
	ROLE_SOURCE,    /* it sent the packet */
	ROLE_ANSWERING, /* it answered somebody who used a darknet address: backscatter */
	ROLE_QUOTED,    /* an ICMP error quotes a packet to it */
};

enum rollup_level { ROLLUP_MINUTE, ROLLUP_HOUR, ROLLUP_DAY, ROLLUP_MONTH, ROLLUP_YEAR };

enum rollup_dimension {
	ROLLUP_ALL,     /* key_text "" */
	ROLLUP_PORT,    /* key_text "tcp/23" */
	ROLLUP_TOOL,    /* "mirai" */
	ROLLUP_COUNTRY, /* "JP"; "ZZ" where unknown */
	ROLLUP_NETWORK, /* "AS2907" */
	ROLLUP_SENSOR,  /* its number; the other dimensions have 0 in `sensor`: all sensors together */
	ROLLUP_TOTAL,   /* "": all kinds together, each source once; `kind` says nothing there */
};

/* Minute tuples: who sent what to the darknet in one minute. One row per (minute, sensor, source, kind, tool, protocol,
 * port, flags). Packets to many addresses on one port are one row; `targets` says to how many. */
extern const struct record_kind record_tuple;

/* Echo bins: backscatter of one victim, per attack vector (protocol, port) and 10 seconds. */
extern const struct record_kind record_echo;

extern const struct record_kind record_rollup;
extern const struct record_kind record_finding;

/* Which raw blocks hold a source's packets: one row per (block, minute, source). */
extern const struct record_kind record_raw;

/* A block of raw packets on its way to the ring. The store keeps where it lies (segment, offset, length), not `data`.
 */
extern const struct record_kind record_block;

/* What moves in the live pictures; travels to the hub and is never stored. */
extern const struct record_kind record_spark;

/* What a sensor counted of itself in a minute: packets, losses, malformed by name. */
extern const struct record_kind record_health;

/* A member's own address in the darknet: the first packet at once, with its bytes; then sums. */
extern const struct record_kind record_sighting;

/* Flows, as routers export them. */
extern const struct record_kind record_flow;

extern const struct record_kind *const record_kinds[]; /* NULL-terminated */

const struct record_kind *record_kind_by_name(const char *name);
const struct record_kind *record_kind_by_id(uint16_t id);
size_t record_column_count(const struct record_kind *kind);
int record_column_index(const struct record_kind *kind, const char *name); /* -1 when absent */
size_t column_width(enum column_type type);                                /* bytes of one value in a batch */
int code_by_name(const char *const *codes, const char *name);              /* -1 when absent */
