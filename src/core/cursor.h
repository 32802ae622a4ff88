/* A cursor with a sticky error over borrowed bytes, after Knot DNS's wire_ctx.
 *
 * A read past the end yields zero, moves nothing and sets `failed`, which is asked once, before any result is used.
 * Every parser in wire/ reads this way. Nothing here allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *begin;
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_over(const void *data, size_t bytes)
{
	return (struct cursor){.begin = data, .at = data, .end = (const uint8_t *)data + bytes};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline size_t cursor_offset(const struct cursor *c)
{
	return (size_t)(c->at - c->begin);
}

/* Borrow the next `bytes` bytes, or NULL (and failed) when fewer are left. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t bytes)
{
	if (c->failed || cursor_left(c) < bytes) {
		c->failed = true;
		return NULL;
	}
	const uint8_t *taken = c->at;
	c->at += bytes;
	return taken;
}

static inline void cursor_skip(struct cursor *c, size_t bytes)
{
	(void)cursor_take(c, bytes);
}

/* A cursor over the next `bytes` bytes; it is failed from the start when fewer are left. */
static inline struct cursor cursor_sub(struct cursor *c, size_t bytes)
{
	const uint8_t *taken = cursor_take(c, bytes);
	struct cursor sub = cursor_over(taken ? taken : c->end, taken ? bytes : 0);
	sub.failed = taken == NULL;
	return sub;
}

static inline uint16_t load_be16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap16(v);
}

static inline uint32_t load_be32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap32(v);
}

static inline uint64_t load_be64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

static inline uint16_t load_le16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load_le32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

#define CURSOR_READ(name, type, load)                                                                                  \
	static inline type cursor_##name(struct cursor *c)                                                             \
	{                                                                                                              \
		const uint8_t *p = cursor_take(c, sizeof(type));                                                       \
		return p ? load(p) : 0;                                                                                \
	}
CURSOR_READ(u8, uint8_t, *)
CURSOR_READ(be16, uint16_t, load_be16)
CURSOR_READ(be32, uint32_t, load_be32)
CURSOR_READ(be64, uint64_t, load_be64)
CURSOR_READ(le16, uint16_t, load_le16)
CURSOR_READ(le32, uint32_t, load_le32)
CURSOR_READ(le64, uint64_t, load_le64)
#undef CURSOR_READ

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "load_le* assume a little-endian machine");
