/* Values as people write them, by the column they belong to: in (text or JSON), out (JSON or text). */
#pragma once

#include "store/query.h"

#include <jansson.h>

/* How a column's values are written. Beside its type its name tells: "protocol", "country", "network", hashes. */
enum value_style {
	VALUE_NUMBER,
	VALUE_REAL,
	VALUE_TIME,
	VALUE_ADDR,
	VALUE_CODE,
	VALUE_TEXT,
	VALUE_JSON,
	VALUE_PROTOCOL, /* "tcp", "udp", "icmp", "icmpv6", "gre", or the number */
	VALUE_COUNTRY,  /* "JP"; "ZZ" for unknown */
	VALUE_HASH,     /* "0x0123456789abcdef" */
	VALUE_ID,       /* 64 bits as decimal text: JavaScript's numbers would cut them */
};
enum value_style value_style(const struct column *column);
const char *value_type_name(enum value_style style); /* in an answer's columns: "number", "text", "time", "json" */

/* `pool` holds texts. -EINVAL with a sentence that names the column and says what was expected. */
int value_from_text(const struct column *column, enum query_op op, const char *text, int64_t now_ns, struct pool *pool,
		    struct query_value *ret_value, struct err *err) must_check;
int value_from_json(const struct column *column, enum query_op op, const json_t *json, int64_t now_ns,
		    struct pool *pool, struct query_value *ret_value, struct err *err) must_check;

enum { VALUE_TEXT_BYTES = 64 };
/* Texts are handed back as they are, all else is written into `room`. */
const char *value_format(const struct column *column, enum query_op op, const struct query_value *value,
			 char room[VALUE_TEXT_BYTES]);
json_t *value_to_json(const struct column *column, enum query_op op, const struct query_value *value);

const char *protocol_name(uint8_t protocol); /* NULL where it has none here */
