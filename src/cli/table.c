/* Tables on a terminal. */
#include "cli/table.h"

#include "record/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Cells on a terminal: kana and kanji are two wide. */
static int text_cells(const char *text)
{
	wchar_t wide[512];
	size_t length = mbstowcs(wide, text, 512);
	int cells = length == (size_t)-1 ? -1 : wcswidth(wide, length);
	return cells < 0 ? (int)strlen(text) : cells;
}

const char *table_cell(const json_t *value, char *buffer, size_t bytes)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(buffer, bytes, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buffer, bytes, "%.6g", json_real_value(value));
	else
		snprintf(buffer, bytes, "%s", json_is_true(value) ? "true" : json_is_false(value) ? "false" : "");
	return buffer;
}

void table_print(const json_t *columns, const json_t *rows)
{
	enum { COLUMNS_MAX = RECORD_COLUMNS_MAX };
	int widths[COLUMNS_MAX] = {0};
	size_t r, c, count = json_array_size(columns);
	json_t *row, *value;
	char buffer[64];
	json_array_foreach(columns, c, value) if (c < COLUMNS_MAX) widths[c] =
		text_cells(json_string_value(json_object_get(value, "name")));
	json_array_foreach(rows, r, row) json_array_foreach(
		row, c, value) if (c < COLUMNS_MAX && text_cells(table_cell(value, buffer, sizeof buffer)) > widths[c])
		widths[c] = text_cells(table_cell(value, buffer, sizeof buffer));
	for (r = 0; r <= json_array_size(rows); r++) {
		for (c = 0; c < count && c < COLUMNS_MAX; c++) {
			const json_t *cell = r == 0 ? json_object_get(json_array_get(columns, c), "name")
						    : json_array_get(json_array_get(rows, r - 1), c);
			const char *text = table_cell(cell, buffer, sizeof buffer);
			int pad = widths[c] - text_cells(text);
			if (json_is_number(cell))
				printf("%*s%s  ", pad, "", text);
			else
				printf("%s%*s  ", text, c + 1 < count ? pad : 0, "");
		}
		printf("\n");
	}
}
