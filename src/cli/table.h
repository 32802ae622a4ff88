/* Tables on a terminal, as wide as their cells; kana and kanji count as two. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* `columns`: objects with "name"; `rows`: arrays of texts, numbers and flags. Numbers stand to the right. */
void table_print(const json_t *columns, const json_t *rows);
/* A cell as text, in `buffer` where it is none. */
const char *table_cell(const json_t *value, char *buffer, size_t bytes);
