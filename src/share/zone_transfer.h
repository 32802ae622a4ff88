/* Answers of an authoritative server that only transfers one zone: SOA, AXFR (RFC 5936), IXFR (RFC 1995), each signed
 * with TSIG (RFC 8945), and NOTIFY (RFC 1996) the other way. Whoever has no key gets REFUSED. Messages are made and
 * read by ldns; no sockets here.
 */
#pragma once

#include "share/zone.h"

#include <stdbool.h>

enum {
	ZONE_KEYS_MAX = 16,
	ZONE_KEY_NAME_BYTES = 256,
	ZONE_SECRET_BYTES = 256, /* in base64 */
	ZONE_QUERY_BYTES_MAX = 4096,
	ZONE_ANSWER_RECORDS = 1000, /* of one message of a transfer; it also ends after so many bytes: */
	ZONE_ANSWER_BYTES = 32 << 10,
	ZONE_TSIG_FUDGE_S = 300,
};

struct zone_key {
	char name[ZONE_KEY_NAME_BYTES], algorithm[32], secret[ZONE_SECRET_BYTES];
};

/* Keys as tsig-keygen(8) writes them: key "NAME" { algorithm hmac-sha256; secret "..."; }; -EINVAL with the line. */
int zone_keys_read(const char *text, const char *where, struct zone_key keys[ZONE_KEYS_MAX], size_t *ret_count,
		   struct err *err) must_check;

struct zone_service {
	const char *name; /* of the zone, without a dot at its end */
	const struct zone_key *keys;
	size_t key_count;
};

/* An answer on its way, message by message. */
struct zone_answer;

/* Read a query. *ret_answer: the answer, NULL when none is due (it is no query). `version` NULL: there is no zone yet.
 * `tcp`: transfers are made; by UDP a transfer is answered with the SOA alone, which sends the asker to TCP. */
int zone_answer_begin(const struct zone_service *service, struct zone_version *version, const uint8_t *query,
		      size_t bytes, bool tcp, int64_t now_s, struct zone_answer **ret_answer,
		      struct err *err) must_check;
/* The next message, to be freed: 1; 0: there are no more; negative. */
int zone_answer_next(struct zone_answer *answer, uint8_t **ret_message, size_t *ret_bytes, struct err *err) must_check;
void zone_answer_free(struct zone_answer *answer); /* NULL is fine */
bool zone_answer_is_transfer(const struct zone_answer *answer);

/* "The zone has changed", to be freed. Signed with the first key. */
int zone_notify_make(const struct zone_service *service, uint32_t serial, uint8_t **ret_message, size_t *ret_bytes,
		     struct err *err) must_check;
