/* Packets of a source out of the store's raw blocks: described for people, or as a capture file. */
#pragma once

#include "core/addr.h"
#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

struct packets_wanted {
	struct addr source;
	int64_t from_ns, to_ns; /* [from, to) */
	unsigned limit;
};

/* Append {"time","source","destination","protocol","sport","dport","flags","ttl","length","info","hex"} each. */
int packets_describe(struct store *store, const struct packets_wanted *wanted, json_t *packets, bool *ret_more,
		     struct err *err) must_check;

/* A whole pcap file (nanoseconds) in pieces; a non-zero answer of `add` ends it and is returned. */
int packets_write(struct store *store, const struct packets_wanted *wanted,
		  int (*add)(void *context, const void *data, size_t bytes), void *context, struct err *err) must_check;
