/* Records into columns: for each op of a plan one loop over all records. */
#include "wire/flow.h"
#include "wire/flow_parts.h"

#include <string.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)
#define NTP_EPOCH INT64_C(2208988800) /* 1970 in seconds since 1900 */
#define SECONDS_MAX (INT64_MAX / NS_PER_SEC)

/* Records of one form behind one another. */
struct rows {
	const uint8_t *at; /* the element, in the first record */
	size_t stride;
	uint32_t count;
};

/* What does not change is copied first: a column of bytes might, for all the compiler knows, lie over `rows`. */
#define ROWS(type, column, value)                                                                                      \
	do {                                                                                                           \
		type *to = (column);                                                                                   \
		const uint8_t *at = rows->at;                                                                          \
		const size_t stride = rows->stride;                                                                    \
		const uint32_t count = rows->count;                                                                    \
		for (uint32_t i = 0; i < count; i++, at += stride)                                                     \
			to[i] = (type)(value);                                                                         \
	} while (0)

#define NUMBERS(type)                                                                                                  \
	static void numbers_##type(const struct rows *rows, unsigned bytes, type *column)                              \
	{                                                                                                              \
		switch (bytes) {                                                                                       \
		case 1:                                                                                                \
			ROWS(type, column, *at);                                                                       \
			break;                                                                                         \
		case 2:                                                                                                \
			ROWS(type, column, load_be16(at));                                                             \
			break;                                                                                         \
		case 4:                                                                                                \
			ROWS(type, column, load_be32(at));                                                             \
			break;                                                                                         \
		case 8:                                                                                                \
			ROWS(type, column, load_be64(at));                                                             \
			break;                                                                                         \
		default:                                                                                               \
			ROWS(type, column, flow_number(at, bytes));                                                    \
		}                                                                                                      \
	}
NUMBERS(uint8_t)
NUMBERS(uint16_t)
NUMBERS(uint32_t)
NUMBERS(uint64_t)

static void numbers(const struct rows *rows, const struct flow_op *op, void *column)
{
	switch (flow_field_bytes[op->field]) {
	case 1:
		numbers_uint8_t(rows, op->bytes, column);
		break;
	case 2:
		numbers_uint16_t(rows, op->bytes, column);
		break;
	case 4:
		numbers_uint32_t(rows, op->bytes, column);
		break;
	default:
		numbers_uint64_t(rows, op->bytes, column);
	}
}

/* ::ffff:a.b.c.d, as two numbers */
static void addresses4(const struct rows *rows, struct addr *column)
{
	const uint8_t *at = rows->at;
	const size_t stride = rows->stride;
	const uint32_t count = rows->count;
	for (uint32_t i = 0; i < count; i++, at += stride) {
		uint32_t address;
		memcpy(&address, at, 4);
		uint64_t halves[2] = {0, (uint64_t)address << 32 | UINT64_C(0xffff0000)};
		memcpy(column[i].bytes, halves, sizeof halves);
	}
}

static void addresses6(const struct rows *rows, bool unless_none, struct addr *column)
{
	static const struct addr none;
	const uint8_t *at = rows->at;
	for (uint32_t i = 0; i < rows->count; i++, at += rows->stride)
		if (!unless_none || memcmp(at, none.bytes, sizeof none.bytes) != 0)
			memcpy(column[i].bytes, at, sizeof column[i].bytes);
}

/* --- times ------------------------------------------------------------------------------------------------------- */

static inline int64_t scaled(uint64_t number, int64_t unit_ns)
{
	return number > (uint64_t)(INT64_MAX / unit_ns) ? INT64_MAX : (int64_t)number * unit_ns;
}

static inline int64_t ntp_ns(const uint8_t *at)
{
	int64_t seconds = load_be32(at), fraction = load_be32(at + 4);
	return (seconds - NTP_EPOCH) * NS_PER_SEC + (fraction * NS_PER_SEC >> 32);
}

static inline int64_t added(int64_t ns, int64_t more)
{
	int64_t sum;
	return __builtin_add_overflow(ns, more, &sum) ? INT64_MAX : sum;
}

/* The exporter's clock of milliseconds wraps after 49 days: a difference of 32 bits, with a sign, does not mind. */
static void uptimes(const struct rows *rows, const struct flow_message *message, int64_t *column)
{
	int64_t export_ns = message->export_ns, boot_ns = message->boot_ns;
	uint32_t now_ms = message->uptime_ms;
	if (message->format == FLOW_IPFIX && boot_ns) {
		ROWS(int64_t, column, added(boot_ns, load_be32(at) * NS_PER_MS));
		return;
	}
	if (message->format == FLOW_IPFIX) /* no clock is told: the latest of these ended when they were sent */
		for (uint32_t i = 0; i < rows->count; i++) {
			uint32_t ms = load_be32(rows->at + i * rows->stride);
			now_ms = ms > now_ms ? ms : now_ms;
		}
	ROWS(int64_t, column, export_ns - (int32_t)(now_ms - load_be32(at)) * NS_PER_MS);
}

static void uptimes_since(const struct rows *rows, const uint8_t *boots, int64_t *column)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		size_t past = i * rows->stride;
		column[i] = added(scaled(load_be64(boots + past), NS_PER_MS), load_be32(rows->at + past) * NS_PER_MS);
	}
}

static void times(const struct rows *rows, const struct flow_op *op, const struct flow_message *message,
		  const int64_t *first, int64_t *column)
{
	unsigned bytes = op->bytes;
	int64_t export_ns = message->export_ns;
	switch (op->how) {
	case FLOW_SECONDS:
		ROWS(int64_t, column, scaled(flow_number(at, bytes), NS_PER_SEC));
		break;
	case FLOW_MILLISECONDS:
		if (bytes == 8)
			ROWS(int64_t, column, scaled(load_be64(at), NS_PER_MS));
		else
			ROWS(int64_t, column, scaled(flow_number(at, bytes), NS_PER_MS));
		break;
	case FLOW_NTP:
		ROWS(int64_t, column, ntp_ns(at));
		break;
	case FLOW_AGO:
		ROWS(int64_t, column, export_ns - scaled(flow_number(at, bytes), NS_PER_US));
		break;
	case FLOW_DURATION_MS:
		ROWS(int64_t, column, added(first[i], scaled(flow_number(at, bytes), NS_PER_MS)));
		break;
	default:
		ROWS(int64_t, column, added(first[i], scaled(flow_number(at, bytes), NS_PER_US)));
	}
}

/* --- ops --------------------------------------------------------------------------------------------------------- */

static void icmp(const struct rows *rows, const struct flow_op *op, const uint8_t *protocols, uint16_t *ports)
{
	const uint8_t *at = rows->at;
	for (uint32_t i = 0; i < rows->count; i++, at += rows->stride) {
		if (protocols[i] != 1 && protocols[i] != 58)
			continue;
		uint16_t number = (uint16_t)flow_number(at, op->bytes);
		if (op->how == FLOW_ICMP)
			ports[i] = ports[i] ? ports[i] : number;
		else if (op->how == FLOW_ICMP_TYPE)
			ports[i] = (uint16_t)((ports[i] & 0xff) | number << 8);
		else
			ports[i] = (uint16_t)((ports[i] & 0xff00) | (number & 0xff));
	}
}

/* Columns from the first row to be written on. */
struct target {
	void *columns[FLOW_FIELDS];
};

static struct target target_of(const struct flow_columns *columns)
{
	struct target target;
	for (unsigned field = 0; field < FLOW_FIELDS; field++)
		target.columns[field] =
			(uint8_t *)columns->columns[field] + (size_t)columns->rows * flow_field_bytes[field];
	return target;
}

static void op_run(const struct flow_op *op, const struct rows *rows, const struct flow_message *message,
		   const uint8_t *boots, const struct target *to)
{
	void *column = to->columns[op->field];
	switch (op->how) {
	case FLOW_NUMBER:
		numbers(rows, op, column);
		break;
	case FLOW_ADDRESS4:
		addresses4(rows, column);
		break;
	case FLOW_ADDRESS6:
	case FLOW_ADDRESS6_IF:
		addresses6(rows, op->how == FLOW_ADDRESS6_IF, column);
		break;
	case FLOW_UPTIME:
		if (boots)
			uptimes_since(rows, boots, column);
		else
			uptimes(rows, message, column);
		break;
	case FLOW_ICMP:
	case FLOW_ICMP_TYPE:
	case FLOW_ICMP_CODE:
		icmp(rows, op, to->columns[FLOW_PROTOCOL], column);
		break;
	default:
		times(rows, op, message, to->columns[FLOW_FIRST], column);
	}
}

/* What no element tells: before the ops, because some of them look at others' columns. */
static void absent_fill(uint64_t absent, const struct target *to, uint32_t count)
{
	for (; absent; absent &= absent - 1) {
		unsigned field = (unsigned)__builtin_ctzll(absent);
		memset(to->columns[field], 0, (size_t)count * flow_field_bytes[field]);
	}
}

static void times_fill(uint64_t absent, const struct flow_message *message, const struct target *to, uint32_t count)
{
	int64_t *first = to->columns[FLOW_FIRST], *last = to->columns[FLOW_LAST];
	bool no_first = absent & 1 << FLOW_FIRST, no_last = absent & 1 << FLOW_LAST;
	for (uint32_t i = 0; no_first && i < count; i++)
		first[i] = no_last ? message->export_ns : last[i];
	for (uint32_t i = 0; no_last && i < count; i++)
		last[i] = first[i];
}

static uint32_t fixed_decode(const struct flow_plan *plan, const struct flow_message *message, struct cursor *body,
			     const struct target *to, uint32_t room)
{
	uint32_t there = (uint32_t)(cursor_left(body) / plan->record_bytes), count = there < room ? there : room;
	const uint8_t *at = cursor_take(body, (size_t)count * plan->record_bytes);
	const uint8_t *boots = plan->boot_at == FLOW_NOWHERE ? NULL : at + plan->boot_at;
	absent_fill(plan->absent, to, count);
	for (unsigned i = 0; i < plan->ops; i++) {
		struct rows rows = {at + plan->op[i].at, plan->record_bytes, count};
		op_run(&plan->op[i], &rows, message, boots, to);
	}
	times_fill(plan->absent, message, to, count);
	return count;
}

/* RFC 7011 section 7: a length below 255 in one byte, else 255 and two more. */
static bool places_walk(const struct flow_plan *plan, struct cursor *c, const uint8_t **places)
{
	for (unsigned i = 0; i < plan->count; i++) {
		size_t bytes = plan->lengths[i];
		if (bytes == FLOW_VARIABLE) {
			bytes = cursor_u8(c);
			bytes = bytes == 255 ? cursor_be16(c) : bytes;
		}
		places[i] = cursor_take(c, bytes);
	}
	return !c->failed;
}

static uint32_t variable_decode(const struct flow_plan *plan, const struct flow_message *message, struct cursor *body,
				const struct flow_columns *columns, enum flow_fault *ret_fault)
{
	const uint8_t *places[FLOW_TEMPLATE_FIELDS_MAX];
	struct flow_columns here = *columns;
	for (; here.rows < here.room && cursor_left(body) >= plan->record_bytes; here.rows++) {
		struct cursor next = *body;
		if (!places_walk(plan, &next, places)) {
			*ret_fault = FLOW_TRUNCATED;
			body->at = body->end;
			break;
		}
		*body = next;
		struct target to = target_of(&here);
		absent_fill(plan->absent, &to, 1);
		for (unsigned i = 0; i < plan->ops; i++) {
			struct rows rows = {places[plan->op[i].at], 0, 1};
			const uint8_t *boot = plan->boot_at == FLOW_NOWHERE ? NULL : places[plan->boot_at];
			op_run(&plan->op[i], &rows, message, boot, &to);
		}
		times_fill(plan->absent, message, &to, 1);
	}
	return here.rows - columns->rows;
}

uint32_t flow_plan_decode(const struct flow_plan *plan, const struct flow_message *message, struct cursor *body,
			  struct flow_columns *columns, enum flow_fault *ret_fault)
{
	*ret_fault = FLOW_SOUND;
	struct target to = target_of(columns);
	uint32_t count = plan->is_variable ? variable_decode(plan, message, body, columns, ret_fault)
					   : fixed_decode(plan, message, body, &to, columns->room - columns->rows);
	columns->rows += count;
	return count;
}
