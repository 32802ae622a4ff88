/* STIX 2.1 (OASIS Standard, 10 June 2021): objects judged one by one.
 *
 * An object is refused where the schema of its type refuses it (an object of a type that has none, where both of
 * core.json and cyber-observable-core.json do), and where it is hostile in a way that schemas cannot say: a member
 * twice, a reference to itself, a day that no calendar has. Pure: the caller brings a reader with all memory in it.
 */
#pragma once

#include "core/err.h"
#include "wire/json.h"
#include "wire/json_cut.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STIX_OBJECT_BYTES_MAX = 1 << 20,
	STIX_DEPTH_MAX = 32,
	STIX_ENVELOPE_MEMBERS_MAX = 64,
	STIX_ID_BYTES_MAX = 250 + 2 + 36, /* section 2.7: type, two hyphens, UUID */
};

struct stix_reader;

/* All texts are borrowed from the reader until its next use; they end with a zero byte. */
struct stix_object {
	const char *text; /* the object without blanks between its parts */
	size_t text_bytes;
	struct json_tape tape; /* at JSON_ROOT */
	const char *type, *id;
	uint32_t type_bytes, id_bytes;
	const uint8_t *uuid_text; /* the 36 characters at the end of id */
	int64_t version_us;       /* modified, else created, else 0: section 3.6; observables have none */
	uint8_t version_digits;   /* of the fraction, as written, 0 to 6: what is finer is cut */
};

/* most_bytes: of one object, STIX_OBJECT_BYTES_MAX but for tests. NULL: no memory. */
struct stix_reader *stix_reader_new(size_t most_bytes);
void stix_reader_free(struct stix_reader *reader);

/* 0: good. 1: refused, err says "PATH: REASON" with a JSON pointer (RFC 6901). Negative: failure. */
int stix_judge(struct stix_reader *reader, struct json_slice text, struct stix_object *ret_object,
	       struct err *err) must_check;

/* The same verdict as OASIS' bundle.json gives of a whole text, which is stricter and odder than that of its objects:
 * see the README. 0, 1, or negative; for texts up to the reader's limit. */
int stix_bundle_conforms(struct stix_reader *reader, const char *text, size_t bytes, struct err *err) must_check;

/* Open a bundle, a TAXII envelope or an object alone for walking. 0; 1: refused, with a sentence. */
struct stix_walk {
	struct json_cut objects;
	struct json_slice alone;    /* the whole is one object */
	uint64_t index;             /* of the object handed out last */
	bool is_bundle, over, more; /* more: of an envelope, TAXII 2.1 section 3.7 */
};
int stix_walk_open(struct stix_reader *reader, struct stix_walk *walk, const char *text, size_t bytes,
		   struct err *err) must_check;
/* The next object, not judged. 1; 0: over; -EBADMSG: the text is broken from here on. */
int stix_walk_next(struct stix_walk *walk, struct json_slice *ret_object, struct err *err) must_check;

/* A STIX timestamp (section 2.11) that its schema found good, as ns; what lies beyond 1677 or 2262 becomes
 * the end of that. false: no such day. */
bool stix_time(const char *text, size_t bytes, int64_t *ret_ns, uint8_t *ret_digits);
