/* Pseudonyms of addresses that keep prefixes: Crypto-PAn (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address
 * Anonymization, ICNP 2002), by AES-128 of libcrypto. Two addresses that share their first n bits have pseudonyms that
 * share exactly as many, and whoever has the key finds the address again.
 *
 * Only addresses of the networks that are told get one, within their network: its own bits stay, so that no pseudonym
 * is an address of anybody else. Keys change: each holds from a time on, and a flow has the pseudonyms of the key of
 * its beginning.
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "core/memory.h"
#include "core/option.h"
#include "record/batch.h"

#include <stdint.h>

enum { PSEUDONYM_KEY_BYTES = 32 }; /* of AES-128, and of the padding */

struct pseudonym_key {
	int64_t from_ns;
	uint8_t key[PSEUDONYM_KEY_BYTES];
};

struct pseudonym_keys {
	struct pseudonym_key *items; /* the oldest first; at least one; the first holds for all time before, too */
	size_t count;
	struct prefix_list of; /* none: all addresses */
};

/* Lines of "TIME 64 hexadecimal digits", in the order of time; '#' begins a remark. Memory from pool. -EINVAL with
 * `where` and line. `of` is left as it is. */
int pseudonym_keys_parse(const char *where, const char *text, size_t bytes, struct pool *pool,
			 struct pseudonym_keys *ret_keys, struct err *err) must_check;

struct pseudonyms;

/* `keys` is borrowed. One thread at a time. -ENOMEM. */
int pseudonyms_new(const struct pseudonym_keys *keys, struct pseudonyms **ret_pseudonyms, struct err *err) must_check;
void pseudonyms_free(struct pseudonyms *pseudonyms); /* NULL is fine */

/* The pseudonym that an address had at that time, and the address that had a pseudonym. */
struct addr pseudonym_of(struct pseudonyms *pseudonyms, const struct addr *addr, int64_t time_ns);
struct addr pseudonym_reveal(struct pseudonyms *pseudonyms, const struct addr *pseudonym, int64_t time_ns);

/* A sink of batches of record_flow that hands them on with pseudonyms as source, target and next hop. `next` is
 * borrowed. NULL: out of memory. */
struct sink *pseudonym_sink_new(const struct pseudonym_keys *keys, struct sink *next);
void pseudonym_sink_free(struct sink *sink); /* NULL is fine */
