/* Values that indicators are of: addresses, names, hashes, in a form in which what is equal is byte for byte equal. */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum value_kind {
	VALUE_IPV4, /* also a prefix: "198.51.100.0/24" */
	VALUE_IPV6,
	VALUE_DOMAIN,
	VALUE_URL,
	VALUE_EMAIL,
	VALUE_MD5,
	VALUE_SHA1,
	VALUE_SHA256,
	VALUE_SHA512,
	VALUE_ASN,
	VALUE_OTHER,
	VALUE_KINDS
};

enum { VALUE_BYTES_MAX = 2048 };

/* Bring a value of a known kind to its normal form. Defanged spellings (hxxp, [.], (dot)) are undone. 0; 1: it is no
 * value of that kind, err says what was expected. `text` needs no zero byte; `*ret_bytes` without the one written. */
int value_normal(enum value_kind kind, const char *text, size_t bytes, char ret_text[VALUE_BYTES_MAX + 1],
		 size_t *ret_bytes, struct err *err) must_check;

/* The kind that a value has by its looks, and its normal form. 0; 1: none of them. */
int value_guess(const char *text, size_t bytes, enum value_kind *ret_kind, char ret_text[VALUE_BYTES_MAX + 1],
		size_t *ret_bytes, struct err *err) must_check;
