/* Cutting a JSON text that nobody parsed yet into its members and items, so that each can be read, and refused, alone:
 * one bad object does not take a bundle of a million down, and memory is that of the largest object, not of the text.
 *
 * Only brackets, quotes and commas are looked at; what is cut out is for json_read() to judge.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct json_slice {
	const char *text;
	size_t bytes;
};

struct json_cut {
	const char *begin, *at, *end; /* begin: for offsets in sentences */
	bool first;
};

/* The value in `whole` must be a container that begins with `bracket`, '{' or '[', and ends where `whole` ends.
 * -EBADMSG with a sentence. `whole` lies in a text that begins at `begin`. */
int json_cut_open(struct json_cut *cut, const char *begin, struct json_slice whole, char bracket,
		  struct err *err) must_check;
/* 1: the next; 0: the container is over; -EBADMSG. Names come with their quotes. */
int json_cut_item(struct json_cut *cut, struct json_slice *ret_item, struct err *err) must_check;
int json_cut_member(struct json_cut *cut, struct json_slice *ret_name, struct json_slice *ret_value,
		    struct err *err) must_check;

bool json_slice_is(struct json_slice slice, const char *text); /* byte for byte */
