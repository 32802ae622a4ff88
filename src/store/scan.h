/* Questions to blocks: which rows, grouped by what, added up how. A block's columns are read only where a question
 * needs them; a filter works on whole columns; groups are gathered in 256 parts by hash, so that each part's table
 * stays in the cache while rows are added to it, however many groups there are.
 */
#pragma once

#include "core/addr.h"
#include "store/block.h"

#include <stdbool.h>
#include <stdint.h>

enum { SCAN_TESTS_MAX = 512, SCAN_KEYS_MAX = 8, SCAN_SUMS_MAX = 6, SCAN_STACK_MAX = 64 };

enum scan_op {
	SCAN_ALL, /* every row */
	SCAN_AND, /* left, right: earlier tests of the filter */
	SCAN_OR,
	SCAN_NOT,  /* left */
	SCAN_SAME, /* column & mask == value */
	SCAN_LESS, /* column < value */
	SCAN_MORE, /* column > value */
};

struct scan_test {
	enum scan_op op;
	uint16_t left, right, column;
	uint64_t low, high, mask_low, mask_high; /* high: of addresses, as block_column() gives them */
};

/* A tree; its root is the last test. */
struct scan_filter {
	uint16_t count;
	struct scan_test tests[SCAN_TESTS_MAX];
};

/* Add a test; its number, or -E2BIG. */
int scan_filter_add(struct scan_filter *filter, const struct scan_test *test);
/* A test that a prefix has the column's address. */
struct scan_test scan_test_prefix(unsigned column, const struct prefix *prefix);

struct scan_key {
	uint16_t column;
	uint64_t mask_low, mask_high; /* all ones, or of a prefix */
};

struct scan;

struct scan_question {
	const struct record_kind *kind;
	int64_t from_ns, to_ns;           /* [from, to) of the kind's time column */
	const struct scan_filter *filter; /* borrowed; NULL: every row */
	unsigned key_count, sum_count;
	struct scan_key keys[SCAN_KEYS_MAX];
	struct scan_key
		either; /* column UINT16_MAX: none; else each row counts once more, with this for its first key */
	uint16_t sums[SCAN_SUMS_MAX];
	/* Columns from RECORD_COLUMNS_MAX on are made of others, for tests only. NULL: there are none. */
	int (*derive)(struct scan *scan, unsigned column, uint32_t rows, uint64_t *ret_values, struct err *err);
};

int scan_open(const struct scan_question *question, struct scan **ret_scan, struct err *err) must_check;
void scan_close(struct scan *scan); /* NULL is fine */

/* Which rows of a block are meant: a byte each, 1 or 0; *ret_count of them. Valid until the next block. */
int scan_select(struct scan *scan, const struct block *block, const uint8_t **ret_rows, uint32_t *ret_count,
		struct err *err) must_check;
/* A column of the block that was selected from last; read at most once. */
int scan_column(struct scan *scan, unsigned column, const uint64_t **ret_low, const uint64_t **ret_high,
		struct err *err) must_check;
/* Select, and add the rows to their groups. */
int scan_add(struct scan *scan, const struct block *block, struct err *err) must_check;

/* A group: for each key its value (high is 0 but for addresses), how many rows, and the sums. */
struct scan_group {
	uint64_t low[SCAN_KEYS_MAX], high[SCAN_KEYS_MAX], rows, sums[SCAN_SUMS_MAX];
};
/* Once, at the end: the `limit` greatest groups by a sum (-1: by rows; a sum's number otherwise), greatest first; equal
 * ones by their keys. *ret_total: over all groups. Returns how many, or -ENOMEM. */
int64_t scan_top(struct scan *scan, int by, struct scan_group *ret_groups, size_t limit, struct scan_group *ret_total,
		 struct err *err) must_check;
uint64_t scan_groups(const struct scan *scan); /* after scan_top(): how many there are in all */
