/* Rows of a CSV file as spreadsheets write them. libcsv reads (RFC 4180, strictly); here are what it lacks: the line at
 * which a row begins, the delimiter (comma, semicolon or tab, told from the first line or a line "sep=;"), limits, and
 * reading on after a row with a broken quote.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	SHEET_CELLS_MAX = 200,
	SHEET_CELL_BYTES_MAX = 1 << 20,
	SHEET_BROKEN_MAX = 100, /* rows with broken quotes, before the file is given up */
};

struct sheet_row {
	unsigned long line; /* where it begins */
	bool broken;        /* its quotes do not close, or it is too long; there are no cells */
	const char *const *cells;
	size_t count;
};

/* Each row that is not blank. A negative answer of `row` ends it and is returned; -EBADMSG: too much is broken. */
int sheet_read(const char *text, size_t bytes, int (*row)(void *context, const struct sheet_row *row), void *context,
	       struct err *err) must_check;

/* A cell to be written: quoted where it must be, and a text that a spreadsheet would take for a formula behind an
 * apostrophe. To be freed; NULL: out of memory. */
char *sheet_cell_write(const char *text, char delimiter);
/* What sheet_cell_write() put the apostrophe before, again. */
const char *sheet_cell_plain(const char *cell);
