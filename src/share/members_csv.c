/* Members from CSV: rows of one key become one entry. See members.h. */
#include "share/members_parts.h"

#include "share/sheet.h"
#include "store/member_form.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct members_column members_columns[] = {
	{"key", "key", "識別子", COLUMN_TEXT},
	{"name", "name", "名称", COLUMN_TEXT},
	{"name_en", "name_en", "英語名", COLUMN_TEXT},
	{"kind", "kind", "種別", COLUMN_TEXT},
	{"prefixes", "prefixes", "アドレス範囲", COLUMN_LIST},
	{"asns", "asns", "AS番号", COLUMN_LIST},
	{"domains", "domains", "ドメイン", COLUMN_LIST},
	{"endpoints", "endpoints", "端末", COLUMN_LIST},
	{"contact_role", "role", "連絡先の役割", COLUMN_CONTACT},
	{"contact_language", "language", "連絡先の言語", COLUMN_CONTACT},
	{"contact_name", "name", "連絡先の名前", COLUMN_CONTACT},
	{"contact_mail", "mail", "連絡先のメール", COLUMN_CONTACT},
	{"contact_phone", "phone", "連絡先の電話", COLUMN_CONTACT},
	{"contact_webhook", "webhook", "連絡先のWebhook", COLUMN_CONTACT},
	{"clearance", "clearance", "共有区分", COLUMN_TEXT},
	{"parent", "parent", "上位組織", COLUMN_TEXT},
	{"reports_to", "reports_to", "報告先", COLUMN_TEXT},
	{"valid_from", "valid_from", "有効開始", COLUMN_TEXT},
	{"valid_until", "valid_until", "有効終了", COLUMN_TEXT},
	{"notes", "notes", "備考", COLUMN_TEXT},
	{NULL},
};

struct taking {
	json_t *entries, *by_key;
	const struct members_column *columns[SHEET_CELLS_MAX]; /* of the file; NULL: an empty name */
	size_t count;
	bool contacts, headed, given_up;
	json_t *last; /* entry of the row before, borrowed */
	struct err *err;
};

json_t *members_fault(json_int_t line, const char *value, const char *message, const char *message_ja)
{
	json_t *faults = json_array();
	member_remark(faults, "", true, value, message, message_ja);
	return json_pack("{s:I, s:{}, s:o}", "line", line, "member", "faults", faults);
}

static int fault_add(struct taking *sheet, unsigned long line, const char *value, const char *message,
		     const char *message_ja)
{
	json_t *entry = members_fault((json_int_t)line, value, message, message_ja);
	return json_array_append_new(sheet->entries, entry) < 0 ? err_set(sheet->err, -ENOMEM, "no memory for a list")
								: 0;
}

static const struct members_column *column_find(const char *name)
{
	char plain[128];
	if (member_text_plain(name, plain, sizeof plain) < 0)
		return NULL;
	for (const struct members_column *column = members_columns; column->name; column++)
		if (strcasecmp(column->name, plain) == 0 || strcasecmp(column->name_ja, plain) == 0)
			return column;
	return NULL;
}

/* The first row. What is wrong with it is wrong with the file. */
static int head_take(struct taking *sheet, const struct sheet_row *row)
{
	bool keyed = false;
	sheet->headed = true;
	sheet->count = row->count;
	for (size_t i = 0; i < row->count; i++) {
		const char *name = sheet_cell_plain(row->cells[i]);
		const struct members_column *column = column_find(name);
		sheet->columns[i] = column;
		if (!column && name[0]) {
			sheet->given_up = true;
			return fault_add(
				sheet, row->line, name,
				"there is no column '%s'; the first line names columns: key, name, kind, prefixes ...",
				"「%s」という列はありません。1 行目には key, name, kind, prefixes "
				"などの列名を書いてください");
		}
		for (size_t other = 0; column && other < i; other++) {
			if (sheet->columns[other] != column)
				continue;
			sheet->given_up = true;
			return fault_add(sheet, row->line, name, "the column '%s' stands there twice",
					 "列「%s」が重なっています");
		}
		keyed |= column && strcmp(column->name, "key") == 0;
		sheet->contacts |= column && column->kind == COLUMN_CONTACT;
	}
	if (keyed && !row->broken)
		return 0;
	sheet->given_up = true;
	return fault_add(sheet, row->line, "", "the first line has no column 'key'",
			 "1 行目に列「key」(識別子)がありません");
}

/* The entry that a row belongs to: the one of its key, or of the row before where the key is empty. */
static json_t *entry_of(struct taking *sheet, const struct sheet_row *row, bool *ret_new)
{
	char key[256] = "";
	for (size_t i = 0; i < row->count && i < sheet->count; i++)
		if (sheet->columns[i] && strcmp(sheet->columns[i]->name, "key") == 0 &&
		    member_text_plain(sheet_cell_plain(row->cells[i]), key, sizeof key) < 0)
			memset(key, 'x', sizeof key - 1); /* too long for a key, and refused as one */
	for (char *at = key; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	json_t *entry = key[0] ? json_object_get(sheet->by_key, key) : sheet->last;
	*ret_new = !entry;
	if (entry)
		return entry;
	entry = json_pack("{s:I, s:{}, s:[]}", "line", (json_int_t)row->line, "member", "faults");
	json_array_append_new(sheet->entries, entry);
	if (key[0])
		json_object_set(sheet->by_key, key, entry);
	if (sheet->contacts)
		json_object_set_new(json_object_get(entry, "member"), "contacts", json_array());
	return entry;
}

static void cell_take(struct taking *sheet, json_t *entry, const struct members_column *column, const char *cell,
		      bool is_new, unsigned long line, json_t *contact)
{
	json_t *member = json_object_get(entry, "member"), *before = json_object_get(member, column->field);
	const char *text =
		column->kind == COLUMN_TEXT || column->kind == COLUMN_CONTACT ? sheet_cell_plain(cell) : cell;
	char where[32];
	(void)sheet;
	if (column->kind == COLUMN_CONTACT) {
		if (text[0])
			json_object_set_new(contact, column->field, json_string(text));
	} else if (is_new) {
		json_object_set_new(member, column->field, json_string(text));
	} else if (column->kind == COLUMN_LIST) {
		if (text[0])
			json_object_set_new(member, column->field,
					    json_sprintf("%s\n%s", before ? json_string_value(before) : "", text));
	} else if (text[0] && strcmp(column->name, "key") != 0 &&
		   (!before || strcmp(json_string_value(before), text) != 0)) {
		snprintf(where, sizeof where, "%lu", line);
		member_remark(json_object_get(entry, "faults"), column->name, true, where,
			      "line %s has the same key and says otherwise", "%s 行目は同じ識別子で、内容が異なります");
	}
}

static int row_take(void *context, const struct sheet_row *row)
{
	struct taking *sheet = context;
	bool is_new;
	if (sheet->given_up)
		return 0;
	if (!sheet->headed)
		return head_take(sheet, row);
	if (row->broken)
		return fault_add(sheet, row->line, "", "its quotes do not close, or a cell is too long",
				 "引用符が閉じていないか、セルが長すぎます");
	for (size_t i = sheet->count; i < row->count; i++)
		if (row->cells[i][0])
			return fault_add(sheet, row->line, row->cells[i], "'%s' stands beyond the last column",
					 "「%s」が最後の列より右にあります");
	json_t *entry = entry_of(sheet, row, &is_new), *contact = json_object();
	if (!entry || !contact)
		return err_set(sheet->err, -ENOMEM, "no memory for a list");
	for (size_t i = 0; i < sheet->count; i++)
		if (sheet->columns[i])
			cell_take(sheet, entry, sheet->columns[i], i < row->count ? row->cells[i] : "", is_new,
				  row->line, contact);
	if (json_object_size(contact) > 0)
		json_array_append(json_object_get(json_object_get(entry, "member"), "contacts"), contact);
	json_decref(contact);
	sheet->last = entry;
	return 0;
}

int members_read_csv(const char *text, size_t bytes, json_t *entries, struct err *err)
{
	struct taking sheet = {.entries = entries, .by_key = json_object(), .err = err};
	struct err broken = {""};
	int result = sheet_read(text, bytes, row_take, &sheet, &broken);
	if (result == -EBADMSG)
		result = fault_add(&sheet, 0, broken.text, "%s", "壊れた行が多すぎます(%s)");
	else if (result < 0)
		err_set(err, result, "%s", broken.text);
	else if (!sheet.headed)
		result = fault_add(&sheet, 1, "", "the file is empty", "ファイルが空です");
	json_decref(sheet.by_key);
	return result;
}
