/* Values in and out. Country letters: ISO 3166-1 alpha-2, held as first * 256 + second; protocol names: IANA. */
#include "store/value.h"

#include "core/clock.h"
#include "core/option.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {{1, "icmp"}, {2, "igmp"}, {4, "ipip"}, {6, "tcp"},     {17, "udp"},  {41, "ipv6"},
		 {47, "gre"}, {50, "esp"}, {51, "ah"},  {58, "icmpv6"}, {89, "ospf"}, {132, "sctp"}};

const char *protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}

enum value_style value_style(const struct column *column)
{
	static const struct {
		const char *name;
		enum value_style style;
	} named[] = {{"protocol", VALUE_PROTOCOL},
		     {"country", VALUE_COUNTRY},
		     {"payload", VALUE_HASH},
		     {"signature", VALUE_HASH},
		     {"block", VALUE_ID}};
	switch (column->type) {
	case COLUMN_F64:
		return VALUE_REAL;
	case COLUMN_TIME:
		return VALUE_TIME;
	case COLUMN_ADDR:
		return VALUE_ADDR;
	case COLUMN_CODE:
		return VALUE_CODE;
	case COLUMN_TEXT:
	case COLUMN_BLOB:
		return VALUE_TEXT;
	case COLUMN_JSON:
		return VALUE_JSON;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (strcmp(named[i].name, column->name) == 0)
			return named[i].style;
	return VALUE_NUMBER;
}

const char *value_type_name(enum value_style style)
{
	switch (style) {
	case VALUE_NUMBER:
	case VALUE_REAL:
		return "number";
	case VALUE_TIME:
		return "time";
	case VALUE_JSON:
		return "json";
	default:
		return "text";
	}
}

static uint64_t most(enum column_type type)
{
	switch (type) {
	case COLUMN_U8:
		return UINT8_MAX;
	case COLUMN_U16:
		return UINT16_MAX;
	case COLUMN_U32:
		return UINT32_MAX;
	default:
		return UINT64_MAX;
	}
}

static int number_from_text(const struct column *column, const char *text, uint64_t *ret_number, struct err *err)
{
	bool network = strcmp(column->name, "network") == 0 && strncasecmp(text, "AS", 2) == 0;
	const char *digits = network ? text + 2 : text;
	bool hex = strncmp(digits, "0x", 2) == 0;
	char *end;
	errno = 0;
	unsigned long long number = strtoull(digits, &end, hex ? 16 : 10);
	if (!(hex ? isxdigit((unsigned char)digits[2]) : isdigit((unsigned char)*digits)) || *end || errno ||
	    number > most(column->type))
		return err_set(err, -EINVAL, "%s: \"%.100s\" is not a number from 0 to %" PRIu64, column->name, text,
			       most(column->type));
	*ret_number = number;
	return 0;
}

static const char *next_code(const void *context, size_t i)
{
	const char *const *codes = context;
	for (size_t at = 0; codes[at]; at++)
		if (at == i)
			return codes[i];
	return NULL;
}

static int code_from_text(const struct column *column, const char *text, uint64_t *ret_number, struct err *err)
{
	int code = code_by_name(column->codes, text);
	if (code < 0) {
		const char *near = name_nearest(text, next_code, column->codes);
		char all[256] = "";
		for (size_t i = 0; column->codes[i]; i++)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", column->codes[i]);
		return err_set(err, -EINVAL, "%s: \"%.60s\" is none of %s%s%s%s", column->name, text, all,
			       near ? "; is " : "", near ? near : "", near ? " meant?" : "");
	}
	*ret_number = (uint64_t)code;
	return 0;
}

static int country_from_text(const struct column *column, const char *text, uint64_t *ret_number, struct err *err)
{
	if (strlen(text) != 2 || !isalpha((unsigned char)text[0]) || !isalpha((unsigned char)text[1]))
		return err_set(err, -EINVAL, "%s: \"%.60s\" is not two letters as JP (ISO 3166; ZZ: unknown)",
			       column->name, text);
	uint64_t number = (uint64_t)toupper((unsigned char)text[0]) << 8 | (uint64_t)toupper((unsigned char)text[1]);
	*ret_number = number == ('Z' << 8 | 'Z') ? 0 : number;
	return 0;
}

static int protocol_from_text(const struct column *column, const char *text, uint64_t *ret_number, struct err *err)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (strcasecmp(protocols[i].name, text) == 0) {
			*ret_number = protocols[i].number;
			return 0;
		}
	return number_from_text(column, text, ret_number, err) == 0
		       ? 0
		       : err_set(err, -EINVAL,
				 "%s: \"%.60s\" is not tcp, udp, icmp, icmpv6, gre ... or a number to 255",
				 column->name, text);
}

static int real_from_text(const struct column *column, const char *text, double *ret_real, struct err *err)
{
	char *end;
	double real = strtod(text, &end);
	if (end == text || *end || !isfinite(real))
		return err_set(err, -EINVAL, "%s: \"%.60s\" is not a number", column->name, text);
	*ret_real = real;
	return 0;
}

static int addr_from_text(const struct column *column, enum query_op op, const char *text, struct query_value *value,
			  struct err *err)
{
	int code = op == OP_PREFIX ? prefix_parse(text, &value->prefix, err) : addr_parse(text, &value->addr, err);
	return code < 0 ? err_prefix(err, code, "%s", column->name) : 0;
}

int value_from_text(const struct column *column, enum query_op op, const char *text, int64_t now_ns, struct pool *pool,
		    struct query_value *ret_value, struct err *err)
{
	struct query_value value = {.number = 0};
	int code = 0;
	if (op == OP_LIKE) {
		value.text = pool_text(pool, text);
		code = value.text ? 0 : err_set(err, -ENOMEM, "no memory for a value");
	} else {
		switch (value_style(column)) {
		case VALUE_REAL:
			code = real_from_text(column, text, &value.real, err);
			break;
		case VALUE_TIME:
			code = time_parse(text, now_ns, &value.time_ns, err);
			if (code < 0)
				err_prefix(err, code, "%s", column->name);
			break;
		case VALUE_ADDR:
			code = addr_from_text(column, op, text, &value, err);
			break;
		case VALUE_CODE:
			code = code_from_text(column, text, &value.number, err);
			break;
		case VALUE_PROTOCOL:
			code = protocol_from_text(column, text, &value.number, err);
			break;
		case VALUE_COUNTRY:
			code = country_from_text(column, text, &value.number, err);
			break;
		case VALUE_TEXT:
		case VALUE_JSON:
			value.text = pool_text(pool, text);
			code = value.text ? 0 : err_set(err, -ENOMEM, "no memory for a value");
			break;
		default:
			code = number_from_text(column, text, &value.number, err);
		}
	}
	if (code == 0)
		*ret_value = value;
	return code;
}

int value_from_json(const struct column *column, enum query_op op, const json_t *json, int64_t now_ns,
		    struct pool *pool, struct query_value *ret_value, struct err *err)
{
	char text[64];
	if (json_is_string(json)) {
		if (strlen(json_string_value(json)) != json_string_length(json))
			return err_set(err, -EINVAL, "%s: a value with a zero byte", column->name);
		return value_from_text(column, op, json_string_value(json), now_ns, pool, ret_value, err);
	}
	if (json_is_integer(json))
		snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
	else if (json_is_real(json))
		snprintf(text, sizeof text, "%.17g", json_real_value(json));
	else
		return err_set(err, -EINVAL, "%s: a value must be text or a number", column->name);
	return value_from_text(column, op, text, now_ns, pool, ret_value, err);
}

const char *value_format(const struct column *column, enum query_op op, const struct query_value *value,
			 char room[VALUE_TEXT_BYTES])
{
	enum value_style style = value_style(column);
	const char *name;
	if (op == OP_LIKE)
		return value->text;
	switch (style) {
	case VALUE_TEXT:
	case VALUE_JSON:
		return value->text;
	case VALUE_REAL:
		snprintf(room, VALUE_TEXT_BYTES, "%.17g", value->real);
		return room;
	case VALUE_TIME:
		return time_format(value->time_ns, room);
	case VALUE_ADDR:
		return op == OP_PREFIX ? prefix_format(&value->prefix, room) : addr_format(&value->addr, room);
	case VALUE_CODE:
		for (uint64_t i = 0; column->codes[i]; i++)
			if (i == value->number)
				return column->codes[i];
		break;
	case VALUE_PROTOCOL:
		name = protocol_name((uint8_t)value->number);
		if (name)
			return name;
		break;
	case VALUE_COUNTRY:
		snprintf(room, VALUE_TEXT_BYTES, "%c%c", value->number ? (int)(value->number >> 8 & 255) : 'Z',
			 value->number ? (int)(value->number & 255) : 'Z');
		return room;
	case VALUE_HASH:
		snprintf(room, VALUE_TEXT_BYTES, column->type == COLUMN_U64 ? "0x%016" PRIx64 : "0x%08" PRIx64,
			 value->number);
		return room;
	default:
		break;
	}
	snprintf(room, VALUE_TEXT_BYTES, "%" PRIu64, value->number);
	return room;
}

json_t *value_to_json(const struct column *column, enum query_op op, const struct query_value *value)
{
	enum value_style style = value_style(column);
	char room[VALUE_TEXT_BYTES];
	if (op != OP_LIKE && style == VALUE_NUMBER && value->number <= INT64_MAX)
		return json_integer((json_int_t)value->number);
	if (op != OP_LIKE && style == VALUE_REAL)
		return json_real(value->real);
	return json_string(value_format(column, op, value, room));
}
