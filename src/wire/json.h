/* JSON as a tape: what simdjson, which parses several gigabytes a second, leaves of a text. doc/tape.md of its source
 * describes the form; Debian 12 has version 3.0.
 *
 * A tape is words of 64 bits, the upper 8 of which say what follows. A string lies elsewhere with its length in front;
 * a number has its value in the next word; the begin of a container knows the place after its end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#include "core/err.h"

struct json_reader; /* memory for texts up to a limit, taken once */

struct json_tape {
	const uint64_t *words;
	const char *strings;
};

enum { JSON_ROOT = 1 }; /* place of the outermost value */

struct json_reader *json_reader_new(size_t most_bytes, unsigned most_depth); /* NULL: no memory */
void json_reader_free(struct json_reader *reader);

/* Parse one value that fills the text. The tape and `*ret_compact`, the text without blanks between its parts, are
 * valid until the next call. 0, -E2BIG, or -EBADMSG with a sentence. Bytes that are not UTF-8, numbers that no double
 * holds and nesting deeper than the limit are refused. */
int json_read(struct json_reader *reader, const char *text, size_t bytes, struct json_tape *ret_tape,
	      const char **ret_compact, size_t *ret_compact_bytes, struct err *err);

#ifdef __cplusplus
}
#else

/* '{' '[' '"' 'l' (int64) 'u' (uint64) 'd' (double) 't' 'f' 'n', and '}' ']' at ends. */
static inline char json_kind(const struct json_tape *tape, uint32_t place)
{
	return (char)(tape->words[place] >> 56);
}

/* Place of what follows the value. */
static inline uint32_t json_after(const struct json_tape *tape, uint32_t place)
{
	switch (json_kind(tape, place)) {
	case '{':
	case '[':
		return (uint32_t)tape->words[place];
	case 'l':
	case 'u':
	case 'd':
		return place + 2;
	default:
		return place + 1;
	}
}

/* Of a string; a zero byte follows it. */
static inline const char *json_text(const struct json_tape *tape, uint32_t place, uint32_t *ret_bytes)
{
	const char *at = tape->strings + (tape->words[place] & UINT64_C(0x00ffffffffffffff));
	memcpy(ret_bytes, at, sizeof *ret_bytes);
	return at + sizeof *ret_bytes;
}

static inline double json_number(const struct json_tape *tape, uint32_t place)
{
	uint64_t word = tape->words[place + 1];
	double number;
	if (json_kind(tape, place) == 'l')
		return (double)(int64_t)word;
	if (json_kind(tape, place) == 'u')
		return (double)word;
	memcpy(&number, &word, sizeof number);
	return number;
}

/* Place of the value of an object's member, or 0. */
uint32_t json_member(const struct json_tape *tape, uint32_t object, const char *name);
/* The text of an object's member that is a string, or NULL. */
const char *json_member_text(const struct json_tape *tape, uint32_t object, const char *name, uint32_t *ret_bytes);
#endif
