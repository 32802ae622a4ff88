/* Reading the files behind places.h into sorted spans. Not for users of places. */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

typedef unsigned __int128 u128;

/* Addresses first..last; IPv4 as a number below 2^32, IPv6 as its 128 bits. */
struct span {
	u128 first, last;
	uint32_t value;
};

struct span_list {
	struct span *items;
	size_t count, room;
};

int span_add(struct span_list *list, u128 first, u128 last, uint32_t value) must_check; /* 0, -ENOMEM */

/* Names of AS numbers: an open hash table over one block of texts. */
struct network_names {
	uint32_t *numbers; /* 0: empty; slots is a power of two */
	uint32_t *offsets; /* into texts */
	size_t slots, used;
	char *texts;
	size_t texts_used, texts_room;
};
void network_names_done(struct network_names *names);
const char *network_name_find(const struct network_names *names, uint32_t network);

/* Lines "first,last,asn,name" with names quoted as in RFC 4180, sorted by first; where ranges overlap, as one of the
 * published file does, the later one begins and the earlier one ends. `where` names the file in sentences. -EINVAL
 * (where:line: what was expected), -ENOMEM. */
int networks_parse(const char *data, size_t bytes, const char *where, struct span_list *spans,
		   struct network_names *names, struct err *err) must_check;

/* networks_parse() over a file. -ENOENT and other errors of open(2), with a sentence. */
int networks_load(const char *path, struct span_list *spans, struct network_names *names, struct err *err) must_check;

/* Walk a MaxMind DB with `country_code` entries: IPv4 (the ::/96 subtree) and global IPv6 (2000::/3), in order. */
int countries_load(const char *path, struct span_list *v4, struct span_list *v6, struct err *err) must_check;

/* Reserved space, sorted. */
extern const struct span reserved_v4[], reserved_v6[];
extern const size_t reserved_v4_count, reserved_v6_count;
