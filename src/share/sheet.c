/* CSV by libcsv, fed line by line. See sheet.h. */
#include "share/sheet.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct csv_parser parser;
	int (*row)(void *context, const struct sheet_row *row);
	void *context;
	struct err *err;
	unsigned long line;
	char *cells[SHEET_CELLS_MAX];
	size_t count, rows;
	bool too_many;
	int result;
};

static void cells_free(struct reader *reader)
{
	for (size_t i = 0; i < reader->count; i++)
		free(reader->cells[i]);
	reader->count = 0;
	reader->too_many = false;
}

static void cell_take(void *bytes, size_t length, void *context)
{
	struct reader *reader = context;
	if (reader->count == SHEET_CELLS_MAX) {
		reader->too_many |= length > 0;
		return;
	}
	char *cell = malloc(length + 1);
	if (!cell) {
		reader->result = err_set(reader->err, -ENOMEM, "no memory for a cell");
		return;
	}
	if (length)
		memcpy(cell, bytes, length);
	cell[length] = '\0';
	reader->cells[reader->count++] = cell;
}

static void row_take(int end, void *context)
{
	struct reader *reader = context;
	(void)end;
	bool blank = !reader->too_many;
	for (size_t i = 0; i < reader->count; i++)
		blank &= reader->cells[i][0] == '\0';
	reader->rows++;
	if (reader->result == 0 && !blank) {
		const struct sheet_row row = {.line = reader->line,
					      .broken = reader->too_many,
					      .cells = (const char *const *)reader->cells,
					      .count = reader->too_many ? 0 : reader->count};
		reader->result = reader->row(reader->context, &row);
	}
	cells_free(reader);
}

static void *realloc_bounded(void *memory, size_t bytes)
{
	return bytes > SHEET_CELL_BYTES_MAX ? NULL : realloc(memory, bytes);
}

static int parser_begin(struct reader *reader, char delimiter)
{
	if (csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return err_set(reader->err, -ENOMEM, "no memory for a CSV file");
	csv_set_delim(&reader->parser, (unsigned char)delimiter);
	csv_set_realloc_func(&reader->parser, realloc_bounded);
	return 0;
}

static size_t line_length(const char *text, size_t bytes)
{
	size_t length = 0;
	while (length < bytes && text[length] != '\n' && text[length] != '\r')
		length++;
	if (length < bytes && text[length] == '\r' && length + 1 < bytes && text[length + 1] == '\n')
		return length + 2;
	return length < bytes ? length + 1 : length;
}

static bool is_blank(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (!strchr(" \r\n", text[i]))
			return false;
	return true;
}

/* The delimiter that the first line has most of, outside of quotes. */
static char delimiter_of(const char *text, size_t bytes)
{
	size_t counts[256] = {0};
	bool quoted = false;
	for (size_t i = 0; i < bytes && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			counts[(unsigned char)text[i]]++;
	}
	char best = ',';
	for (const char *other = ";\t"; *other; other++)
		if (counts[(unsigned char)*other] > counts[(unsigned char)best])
			best = *other;
	return best;
}

struct place {
	size_t at;
	unsigned long line;
};

/* From `place` to the end of the text, or until a quote breaks: 1, with the place behind the first line of that row. */
static int read_on(struct reader *reader, const char *text, size_t bytes, struct place *place)
{
	struct place next = *place, begun = *place; /* begun: behind the first line of the row being read */
	bool inside = false;
	while (next.at < bytes) {
		size_t length = line_length(text + next.at, bytes - next.at), rows = reader->rows;
		const char *line = text + next.at;
		if (!inside)
			reader->line = next.line;
		next.at += length;
		next.line++;
		if (!inside)
			begun = next;
		size_t taken = csv_parse(&reader->parser, line, length, cell_take, row_take, reader);
		if (reader->result != 0)
			return reader->result;
		if (taken < length) {
			*place = begun;
			return 1;
		}
		inside = reader->rows == rows && (inside || !is_blank(line, length));
	}
	if (csv_fini(&reader->parser, cell_take, row_take, reader) != 0) {
		*place = begun;
		return 1;
	}
	*place = next;
	return reader->result;
}

int sheet_read(const char *text, size_t bytes, int (*row)(void *context, const struct sheet_row *row), void *context,
	       struct err *err)
{
	struct reader *reader = calloc(1, sizeof *reader);
	struct place place = {0, 1};
	char delimiter = delimiter_of(text, bytes);
	int result = 1;
	if (!reader)
		return err_set(err, -ENOMEM, "no memory for a CSV file");
	reader->row = row;
	reader->context = context;
	reader->err = err;
	if (bytes >= 6 && memcmp(text, "sep=", 4) == 0 && (text[5] == '\r' || text[5] == '\n')) {
		delimiter = text[4];
		place = (struct place){line_length(text, bytes), 2};
	}
	for (unsigned broken = 0; result == 1; broken++) {
		result = broken > SHEET_BROKEN_MAX
				 ? err_set(err, -EBADMSG, "line %lu: more than %d rows are broken; is it CSV?",
					   place.line, SHEET_BROKEN_MAX)
				 : parser_begin(reader, delimiter);
		if (result < 0)
			break;
		result = read_on(reader, text, bytes, &place);
		cells_free(reader);
		csv_free(&reader->parser);
		if (result == 1) {
			const struct sheet_row bad = {.line = reader->line, .broken = true};
			int answer = row(context, &bad);
			result = answer ? answer : 1;
			if (answer)
				break;
		}
	}
	free(reader);
	return result;
}

/* A text behind any apostrophes that a spreadsheet would run. */
static bool is_formula(const char *text)
{
	text += strspn(text, "'");
	return *text && strchr("=+-@\t\r", *text);
}

char *sheet_cell_write(const char *text, char delimiter)
{
	const char special[] = {delimiter, '"', '\r', '\n', '\0'};
	size_t length = strlen(text);
	bool blank_end = length && (strchr(" \t", text[0]) || strchr(" \t", text[length - 1]));
	bool quote = blank_end || text[strcspn(text, special)];
	char *cell = malloc(2 * length + 4), *to = cell;
	if (!cell)
		return NULL;
	if (quote)
		*to++ = '"';
	if (is_formula(text))
		*to++ = '\'';
	for (; *text; text++) {
		if (*text == '"')
			*to++ = '"';
		*to++ = *text;
	}
	if (quote)
		*to++ = '"';
	*to = '\0';
	return cell;
}

const char *sheet_cell_plain(const char *cell)
{
	return cell[0] == '\'' && is_formula(cell) ? cell + 1 : cell;
}
