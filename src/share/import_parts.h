/* What the formats share while they are imported. */
#pragma once

#include "share/facts.h"
#include "share/import.h"

struct importing {
	const struct import *import;
	struct import_result result;
	struct stix_reader *reader;
	struct facts facts;
	int64_t source;
	unsigned in_batch;
	bool open; /* a transaction */
};

/* Say that something was refused, and count it. */
void import_refuse(struct importing *importing, const char *where, const char *why);
/* Put one object, in the batch that is open or a new one. 0, also when it was refused (and said), or negative. */
int import_put(struct importing *importing, struct indicators_object *object, const char *where,
	       struct err *err) must_check;
/* Judge the JSON of one object, then put it. */
int import_object(struct importing *importing, struct json_slice text, const char *where, struct err *err) must_check;
/* Make an indicator of a value, then put it. */
struct made_indicator;
int import_made(struct importing *importing, const struct made_indicator *made, const char *where,
		struct err *err) must_check;

int import_stix(struct importing *importing, const char *text, size_t bytes, struct err *err) must_check;
int import_misp(struct importing *importing, const char *text, size_t bytes, struct err *err) must_check;
int import_csv(struct importing *importing, const char *text, size_t bytes, struct err *err) must_check;
int import_list(struct importing *importing, const char *text, size_t bytes, struct err *err) must_check;
