/* CSV as spreadsheets, vendors and Shadowserver write it: columns are known by the names in the first row. Without such
 * names the first cell of a row that looks like a value is one. A row may hold several values: each makes an indicator.
 */
#include "share/import_parts.h"
#include "share/make.h"
#include "share/sheet.h"
#include "share/text_decode.h"

#include "core/clock.h"
#include "wire/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum column {
	COLUMN_NONE,
	COLUMN_VALUE,
	COLUMN_TLP,
	COLUMN_CONFIDENCE,
	COLUMN_FROM,
	COLUMN_UNTIL,
	COLUMN_NAME,
	COLUMN_DESCRIPTION,
	COLUMN_LABELS
};

static const struct {
	const char *name;
	enum column column;
	int kind; /* of a value; -1: by its looks */
} names[] = {
	{"value", COLUMN_VALUE, -1},
	{"indicator", COLUMN_VALUE, -1},
	{"ioc", COLUMN_VALUE, -1},
	{"observable", COLUMN_VALUE, -1},
	{"ioc_value", COLUMN_VALUE, -1},
	{"値", COLUMN_VALUE, -1},
	{"指標", COLUMN_VALUE, -1},
	{"ip", COLUMN_VALUE, -1},
	{"src_ip", COLUMN_VALUE, -1},
	{"dst_ip", COLUMN_VALUE, -1},
	{"ip_address", COLUMN_VALUE, -1},
	{"ipアドレス", COLUMN_VALUE, -1},
	{"ipv4", COLUMN_VALUE, VALUE_IPV4},
	{"ipv6", COLUMN_VALUE, VALUE_IPV6},
	{"domain", COLUMN_VALUE, VALUE_DOMAIN},
	{"hostname", COLUMN_VALUE, VALUE_DOMAIN},
	{"fqdn", COLUMN_VALUE, VALUE_DOMAIN},
	{"ドメイン", COLUMN_VALUE, VALUE_DOMAIN},
	{"url", COLUMN_VALUE, VALUE_URL},
	{"email", COLUMN_VALUE, VALUE_EMAIL},
	{"md5", COLUMN_VALUE, VALUE_MD5},
	{"sha1", COLUMN_VALUE, VALUE_SHA1},
	{"sha256", COLUMN_VALUE, VALUE_SHA256},
	{"sha512", COLUMN_VALUE, VALUE_SHA512},
	{"tlp", COLUMN_TLP, -1},
	{"共有範囲", COLUMN_TLP, -1},
	{"confidence", COLUMN_CONFIDENCE, -1},
	{"score", COLUMN_CONFIDENCE, -1},
	{"確度", COLUMN_CONFIDENCE, -1},
	{"valid_from", COLUMN_FROM, -1},
	{"first_seen", COLUMN_FROM, -1},
	{"timestamp", COLUMN_FROM, -1},
	{"valid_until", COLUMN_UNTIL, -1},
	{"expires", COLUMN_UNTIL, -1},
	{"expiration", COLUMN_UNTIL, -1},
	{"期限", COLUMN_UNTIL, -1},
	{"name", COLUMN_NAME, -1},
	{"infection", COLUMN_NAME, -1},
	{"名前", COLUMN_NAME, -1},
	{"description", COLUMN_DESCRIPTION, -1},
	{"comment", COLUMN_DESCRIPTION, -1},
	{"notes", COLUMN_DESCRIPTION, -1},
	{"説明", COLUMN_DESCRIPTION, -1},
	{"tags", COLUMN_LABELS, -1},
	{"labels", COLUMN_LABELS, -1},
	{"tag", COLUMN_LABELS, -1},
};

struct csv_column {
	enum column column;
	int kind;
};

struct csv_import {
	struct importing *importing;
	struct csv_column columns[SHEET_CELLS_MAX];
	size_t count;
	bool begun, named;
	struct err *err;
};

/* Whether the row names columns, one of values at least. */
static bool header_read(struct csv_import *csv, const struct sheet_row *row)
{
	bool values = false;
	for (size_t i = 0; i < row->count; i++) {
		const char *cell = row->cells[i] + strspn(row->cells[i], " #");
		csv->columns[i] = (struct csv_column){COLUMN_NONE, -1};
		for (size_t n = 0; n < sizeof names / sizeof *names; n++)
			if (strcasecmp(cell, names[n].name) == 0)
				csv->columns[i] = (struct csv_column){names[n].column, names[n].kind};
		values = values || csv->columns[i].column == COLUMN_VALUE;
	}
	csv->count = row->count;
	return values;
}

/* A time as people write it; Shadowserver's have a blank between day and hour. 0 or 1. */
static int time_read(const struct csv_import *csv, const char *cell, int64_t *ret_ns, struct err *why)
{
	char text[64];
	size_t bytes = (size_t)snprintf(text, sizeof text, "%s", cell);
	if (bytes >= sizeof text)
		return err_set(why, 1, "'%.40s...' is no time", cell);
	if (bytes == 19 && text[10] == ' ')
		strcat(text, "Z");
	return time_parse(text, csv->importing->import->now_ns, ret_ns, why) < 0;
}

static int tlp_read(const char *cell, enum tlp *ret_tlp, struct err *why)
{
	const char *name = strncasecmp(cell, "tlp:", 4) == 0 ? cell + 4 : cell;
	for (int tlp = 0; tlp < TLPS; tlp++)
		if (strcasecmp(name, tlp_names[tlp]) == 0 || (tlp == 0 && strcasecmp(name, "white") == 0)) {
			*ret_tlp = (enum tlp)tlp;
			return 0;
		}
	return err_set(why, 1, "'%.40s' is no TLP", cell);
}

/* What a row says beside its values. 0, or 1 with why. */
static int facts_of_row(const struct csv_import *csv, const struct sheet_row *row, struct made_indicator *made,
			struct err *why)
{
	int result = 0;
	for (size_t i = 0; i < row->count && i < csv->count && result == 0; i++) {
		const char *cell = sheet_cell_plain(row->cells[i]);
		char *end;
		long number;
		if (!cell[0])
			continue;
		switch (csv->columns[i].column) {
		case COLUMN_TLP:
			result = tlp_read(cell, &made->tlp, why);
			break;
		case COLUMN_CONFIDENCE:
			number = strtol(cell, &end, 10);
			result = *end || number < 0 || number > 100
					 ? err_set(why, 1, "confidence '%.40s': 0 to 100 was expected", cell)
					 : 0;
			made->confidence = result ? 0 : (unsigned)number;
			break;
		case COLUMN_FROM:
			result = time_read(csv, cell, &made->from_ns, why);
			break;
		case COLUMN_UNTIL:
			result = time_read(csv, cell, &made->until_ns, why);
			break;
		case COLUMN_NAME:
			made->name = cell;
			break;
		case COLUMN_DESCRIPTION:
			made->description = cell;
			break;
		default:
			break;
		}
	}
	if (result == 0 && made->until_ns && made->until_ns <= made->from_ns)
		result = err_set(why, 1, "it ends before it begins");
	return result;
}

/* 0; 1: refused, and why says so; negative. */
static int value_take(struct csv_import *csv, const char *cell, int kind, struct made_indicator *made,
		      const char *where, struct err *why)
{
	char value[VALUE_BYTES_MAX + 1];
	size_t bytes;
	enum value_kind found = (enum value_kind)kind;
	int result = kind < 0 ? value_guess(cell, strlen(cell), &found, value, &bytes, why)
			      : value_normal(found, cell, strlen(cell), value, &bytes, why);
	if (result != 0)
		return result;
	made->kind = (enum indicator_kind)found;
	made->value = value;
	return import_made(csv->importing, made, where, csv->err);
}

static int row_values(struct csv_import *csv, const struct sheet_row *row, struct made_indicator *made,
		      const char *where)
{
	struct err why = {"no cell of the row holds a value"};
	unsigned taken = 0;
	for (size_t i = 0; i < row->count && (csv->named ? i < csv->count : taken == 0); i++) {
		const char *cell = sheet_cell_plain(row->cells[i]);
		if (!cell[0] || (csv->named && csv->columns[i].column != COLUMN_VALUE))
			continue;
		if (!csv->named && i + 1 < row->count)
			made->description = sheet_cell_plain(row->cells[row->count - 1]);
		int result = value_take(csv, cell, csv->named ? csv->columns[i].kind : -1, made, where, &why);
		if (result < 0)
			return result;
		if (result == 1 && csv->named)
			import_refuse(csv->importing, where, why.text);
		taken += result == 0 || csv->named;
	}
	if (taken == 0)
		import_refuse(csv->importing, where, why.text);
	return 0;
}

static int row_take(void *context, const struct sheet_row *row)
{
	struct csv_import *csv = context;
	const struct import *import = csv->importing->import;
	char where[40];
	struct err why = {""};
	snprintf(where, sizeof where, "line %lu", row->line);
	if (row->broken) {
		import_refuse(csv->importing, where, "its quotes do not close, or it is too long");
		return 0;
	}
	if (!csv->begun) {
		csv->begun = true;
		csv->named = header_read(csv, row);
		if (csv->named)
			return 0;
	}
	if (row->cells[0][0] == '#')
		return 0;
	struct made_indicator made = {.maker = import->source.name,
				      .tlp = import->tlp,
				      .confidence = import->confidence,
				      .from_ns = import->now_ns,
				      .until_ns = import->lifetime_ns ? import->now_ns + import->lifetime_ns : 0,
				      .now_ns = import->now_ns};
	if (csv->named && facts_of_row(csv, row, &made, &why) != 0) {
		import_refuse(csv->importing, where, why.text);
		return 0;
	}
	return row_values(csv, row, &made, where);
}

int import_csv(struct importing *importing, const char *text, size_t bytes, struct err *err)
{
	struct csv_import *csv = calloc(1, sizeof *csv);
	char *decoded = NULL;
	size_t decoded_bytes;
	const char *from;
	int result = csv ? text_decode(text, bytes, &decoded, &decoded_bytes, &from, err) : -ENOMEM;
	if (result == 0) {
		csv->importing = importing;
		csv->err = err;
		result = sheet_read(decoded, decoded_bytes, row_take, csv, err);
	}
	free(decoded);
	free(csv);
	return result == -EILSEQ ? -EBADMSG : result;
}
