/* Flow information: NetFlow v5 (Cisco), v9 (RFC 3954), IPFIX (RFC 7011, 5103, 6313) and sFlow v5 (sflow.org), decoded
 * into columns.
 *
 * A template is compiled once into a plan: for each column what to load, from where, and how. Records are then decoded
 * a column at a time, so that each loop does one thing. Pure functions over borrowed bytes; who keeps templates and for
 * how long is the collector's business (observe/flow).
 */
#pragma once

#include "core/addr.h"
#include "core/cursor.h"

#include <stdbool.h>
#include <stdint.h>

/* The columns, in order, with the C type of their values. Absent: 0 (:: for addresses). */
enum flow_field {
	FLOW_FIRST,           /* int64_t ns since 1970 */
	FLOW_LAST,            /* int64_t ns since 1970 */
	FLOW_SOURCE,          /* struct addr */
	FLOW_TARGET,          /* struct addr */
	FLOW_SOURCE_PORT,     /* uint16_t */
	FLOW_TARGET_PORT,     /* uint16_t; ICMP: type * 256 + code */
	FLOW_PROTOCOL,        /* uint8_t */
	FLOW_FLAGS,           /* uint8_t, TCP flags seen */
	FLOW_TOS,             /* uint8_t */
	FLOW_PACKETS,         /* uint64_t, as exported */
	FLOW_BYTES,           /* uint64_t, as exported */
	FLOW_REVERSE_PACKETS, /* uint64_t, of the answers (RFC 5103) */
	FLOW_REVERSE_BYTES,   /* uint64_t */
	FLOW_INPUT,           /* uint32_t, interface */
	FLOW_OUTPUT,          /* uint32_t */
	FLOW_SOURCE_AS,       /* uint32_t */
	FLOW_TARGET_AS,       /* uint32_t */
	FLOW_NEXT_HOP,        /* struct addr */
	FLOW_VLAN,            /* uint16_t */
	FLOW_DIRECTION,       /* uint8_t, 0 ingress, 1 egress */
	FLOW_END_REASON,      /* uint8_t, flowEndReason */
	FLOW_SAMPLING,        /* uint32_t, one packet in so many; 0 where the record does not say */
	FLOW_SAMPLER,         /* uint32_t, number of the sampler in the exporter's options; 0 where none */
	FLOW_FIELDS,
};

struct flow_columns {
	void *columns[FLOW_FIELDS]; /* `room` values each, aligned for their type */
	uint32_t rows, room;
};

/* --- messages ---------------------------------------------------------------------------------------------------- */

enum flow_format { FLOW_NETFLOW5, FLOW_NETFLOW9, FLOW_IPFIX, FLOW_SFLOW5, FLOW_FORMATS };
extern const char *const flow_format_names[]; /* "netflow5", ...; NULL-terminated */

/* What was wrong with a message, a set or a record; nothing else of the message is lost by it unless said. */
enum flow_fault {
	FLOW_SOUND,
	FLOW_TRUNCATED,   /* ends within a header, a record or a template */
	FLOW_VERSION,     /* of no format that is known */
	FLOW_LENGTH,      /* a length that contradicts what holds it: the rest of the message is not read */
	FLOW_TEMPLATE,    /* a template that cannot be: too many fields, too long, a number below 256 */
	FLOW_NO_TEMPLATE, /* data before its template */
	FLOW_SET,         /* a set of no known meaning */
	FLOW_SAMPLE,      /* sFlow: a sample that contradicts itself */
	FLOW_FAULTS,
};
extern const char *const flow_fault_names[];

struct flow_message {
	enum flow_format format;
	uint16_t count;    /* records or sets, as the header says; IPFIX: 0 */
	uint32_t sequence; /* v5: flows before; v9, sFlow: messages before; IPFIX: data records before */
	uint32_t domain; /* source id, observation domain, engine, sub-agent: apart from others of the same exporter */
	uint32_t sampling; /* v5's header, else 0 */
	int64_t export_ns; /* ns since 1970, by the exporter's clock; sFlow has none: 0 */
	int64_t boot_ns; /* IPFIX: what the exporter's options said of its start; set by the collector, 0 where unknown
			  */
	uint32_t uptime_ms; /* v5, v9, sFlow */
	struct addr agent;  /* sFlow; else :: */
	struct cursor body; /* sets; v5: records; sFlow: samples */
};

/* FLOW_SOUND, FLOW_TRUNCATED, FLOW_VERSION, FLOW_LENGTH. A datagram longer than its message is fine: what follows is
 * padding. */
enum flow_fault flow_message_read(const void *data, size_t bytes, struct flow_message *ret_message);

/* Whether bytes that nobody promised to be flow information look like it throughout: for captures of anything. */
bool flow_message_fits(const struct flow_message *message, size_t bytes);

/* --- templates --------------------------------------------------------------------------------------------------- */

enum {
	FLOW_TEMPLATE_FIELDS_MAX = 256,
	FLOW_OPS_MAX = 48,
	FLOW_VARIABLE = 0xffff, /* length */
	FLOW_NOWHERE = 0xffff,  /* offset */
};

struct flow_element {
	uint32_t enterprise; /* 0: IANA's registry; v9 has no other */
	uint16_t id, bytes;  /* FLOW_VARIABLE: as long as each record says */
};

struct flow_template {
	uint16_t id;
	uint16_t count, scopes; /* scopes: of an options template, the first of the fields */
	struct flow_element fields[FLOW_TEMPLATE_FIELDS_MAX];
};

/* One load of a plan. */
struct flow_op {
	uint16_t at; /* offset in a record; of a plan with variable fields: number of the element */
	uint16_t bytes;
	uint8_t field; /* enum flow_field */
	uint8_t how;
};

/* A template compiled. */
struct flow_plan {
	uint16_t id;
	uint16_t record_bytes; /* of the shortest record that the template allows; never 0 */
	uint16_t count;        /* elements of a record */
	uint16_t ops;
	bool is_variable, is_options;
	uint64_t absent;  /* bit per field that no op fills */
	uint16_t boot_at; /* of systemInitTimeMilliseconds, like an op's `at`; FLOW_NOWHERE */
	struct flow_op op[FLOW_OPS_MAX];
	uint16_t lengths[FLOW_TEMPLATE_FIELDS_MAX]; /* of the elements, where is_variable */
};

struct flow_set {
	uint16_t id;
	struct cursor body;
};

/* The next set of a v9 or IPFIX message: 1, 0 at the end, negative -(enum flow_fault): the rest cannot be read. */
int flow_set_next(struct flow_message *message, struct flow_set *ret_set);
bool flow_set_is_templates(const struct flow_message *message, const struct flow_set *set);
bool flow_set_is_options(const struct flow_message *message, const struct flow_set *set); /* templates of options */
bool flow_set_is_data(const struct flow_set *set);                                        /* else: none of them */

/* The next template of a set: 1; 0 at its end (padding is no template); negative -(enum flow_fault), the rest of the
 * set is not read. count == 0: the template is withdrawn (IPFIX, RFC 7011 section 8.1; id 2 or 3: all of them). */
int flow_template_next(const struct flow_message *message, struct flow_set *set, struct flow_template *ret_template);

/* FLOW_SOUND; FLOW_TEMPLATE when its records would have no length. */
enum flow_fault flow_plan_make(const struct flow_template *template, struct flow_plan *ret_plan);

/* The records of NetFlow v5, whose form never changes. */
const struct flow_template *flow_template_v5(void);

/* Decode records of a data set behind those that are in `columns`, as many as there is room for, and move `body` behind
 * them. Returns how many; *ret_fault says whether the set ended within a record (padding is none). */
uint32_t flow_plan_decode(const struct flow_plan *plan, const struct flow_message *message, struct cursor *body,
			  struct flow_columns *columns, enum flow_fault *ret_fault);

/* --- options ----------------------------------------------------------------------------------------------------- */

/* What a collector wants of an options record; 0 and "" where it does not say. */
struct flow_option {
	uint32_t sampler, sampling; /* one packet in `sampling`; sampler 0: of the whole exporter */
	uint32_t interface;
	const char *name; /* of the interface; borrowed, name_bytes long */
	uint16_t name_bytes;
	int64_t boot_ns; /* when the exporter began, ns since 1970 */
};

/* The next record of an options template: 1; 0 at the end; negative -(enum flow_fault), the rest is not read. */
int flow_option_next(const struct flow_message *message, const struct flow_template *template, struct cursor *body,
		     struct flow_option *ret_option);

/* --- sFlow ------------------------------------------------------------------------------------------------------- */

/* What a datagram held beside rows. */
struct flow_samples {
	uint32_t packets, counters, unknown; /* samples of packets, of interface counters, of other kinds */
	uint32_t without_ip;                 /* packets that are not IP, or were cut before their addresses */
};

/* Decode samples behind the rows that are there, one row a sampled packet: packets 1, sampling its source's rate, both
 * times message->export_ns (which the collector sets to when it came, for sFlow has no clock). Returns how many, as
 * many as there is room for; call again while message->body has more. A sample that contradicts itself is skipped and
 * named. */
uint32_t flow_sflow_decode(struct flow_message *message, struct flow_columns *columns, struct flow_samples *samples,
			   enum flow_fault *ret_fault);
