/* Members to and from files. See members.h; CSV is read in members_csv.c. */
#include "share/members_parts.h"

#include "share/sheet.h"
#include "share/text_decode.h"
#include "store/member_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind blanks and the commas and brackets of an array around the members. */
static size_t skip(const char *text, size_t at, const char *among, json_int_t *line)
{
	for (; text[at] && strchr(among, text[at]); at++)
		*line += text[at] == '\n';
	return at;
}

static int read_json(const char *text, size_t bytes, json_t *entries, struct err *err)
{
	json_int_t line = 1;
	size_t at = skip(text, 0, " \t\r\n", &line);
	bool array = text[at] == '[';
	for (at = skip(text, at + array, " \t\r\n", &line); at < bytes && text[at] != ']';) {
		json_error_t where;
		json_int_t begun = line;
		json_t *member =
			json_loadb(text + at, bytes - at, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &where);
		json_t *entry = member ? json_pack("{s:I, s:o}", "line", begun, "member", member)
				       : members_fault(begun + where.line - 1, where.text, "this is not JSON: %s",
						       "JSON として読めません(%s)");
		if (json_array_append_new(entries, entry) < 0)
			return err_set(err, -ENOMEM, "no memory for a list");
		if (!member || json_array_size(entries) > MEMBERS_MAX)
			return 0;
		for (int i = 0; i < where.position; i++)
			line += text[at + (size_t)i] == '\n';
		at = skip(text, at + (size_t)where.position, " \t\r\n,", &line);
	}
	bool closed = !array || text[at] == ']';
	at = skip(text, at + (array && closed), " \t\r\n", &line);
	if (closed && at >= bytes)
		return 0;
	json_t *fault =
		members_fault(line, "", closed ? "something stands behind the members" : "the list is not closed by ]",
			      closed ? "組織の一覧の後ろに余分なものがあります" : "一覧が ] で閉じていません");
	return json_array_append_new(entries, fault) < 0 ? err_set(err, -ENOMEM, "no memory for a list") : 0;
}

int members_read(const void *data, size_t bytes, json_t **ret_entries, struct err *err)
{
	char *text = NULL;
	size_t length = 0;
	const char *from;
	struct err why = {""};
	json_t *entries = json_array();
	int result = entries ? text_decode(data, bytes, &text, &length, &from, &why) : -ENOMEM;
	if (result == -EILSEQ)
		result = json_array_append_new(entries,
					       members_fault(0, why.text, "%s", "文字コードを読み取れません(%s)"));
	else if (result == 0 && (text[strspn(text, " \t\r\n")] == '[' || text[strspn(text, " \t\r\n")] == '{'))
		result = read_json(text, length, entries, err);
	else if (result == 0)
		result = members_read_csv(text, length, entries, err);
	else
		err_set(err, result, "%s", why.text);
	free(text);
	if (result < 0)
		json_decref(entries);
	else
		*ret_entries = entries;
	return result < 0 ? result : 0;
}

struct writing {
	enum members_format format;
	FILE *stream;
	size_t count;
};

static void cell_out(struct writing *writing, bool first, const char *text)
{
	char *cell = sheet_cell_write(text ? text : "", ',');
	fprintf(writing->stream, "%s%s", first ? "" : ",", cell ? cell : "");
	free(cell);
}

static void list_out(struct writing *writing, const json_t *list)
{
	char *text = NULL;
	size_t bytes = 0, i;
	json_t *item;
	FILE *stream = open_memstream(&text, &bytes);
	if (!stream)
		return;
	json_array_foreach(list, i, item)
	{
		fputs(i ? " " : "", stream);
		if (json_is_integer(item))
			fprintf(stream, "%lld", (long long)json_integer_value(item));
		else
			fputs(json_string_value(item), stream);
	}
	fclose(stream);
	cell_out(writing, false, text);
	free(text);
}

/* The member's row holds its first contact; each further contact has one of its own, with the key alone. */
static void rows_out(struct writing *writing, const json_t *member)
{
	const json_t *contacts = json_object_get(member, "contacts");
	for (size_t row = 0; row == 0 || row < json_array_size(contacts); row++) {
		const json_t *contact = json_array_get(contacts, row);
		for (const struct members_column *column = members_columns; column->name; column++) {
			const json_t *value =
				json_object_get(column->kind == COLUMN_CONTACT ? contact : member, column->field);
			bool first = column == members_columns;
			if (column->kind == COLUMN_LIST && row == 0)
				list_out(writing, value);
			else if (column->kind == COLUMN_CONTACT || row == 0 || first)
				cell_out(writing, first, json_string_value(value));
			else
				cell_out(writing, false, "");
		}
		fputs("\r\n", writing->stream);
	}
}

static int member_out(void *context, const json_t *member)
{
	struct writing *writing = context;
	if (writing->format == MEMBERS_CSV) {
		rows_out(writing, member);
	} else {
		char *text = json_dumps(member, JSON_COMPACT);
		fprintf(writing->stream, "%s\n%s", writing->count ? "," : "", text ? text : "");
		free(text);
	}
	writing->count++;
	return 0;
}

int members_write(struct registry *registry, enum members_format format, bool bom, char **ret_text, size_t *ret_bytes,
		  struct err *err)
{
	char *text = NULL;
	size_t bytes = 0;
	struct writing writing = {.format = format, .stream = open_memstream(&text, &bytes)};
	if (!writing.stream)
		return err_set(err, -ENOMEM, "no memory for an export");
	if (format == MEMBERS_CSV) {
		fputs(bom ? "\ufeff" : "", writing.stream);
		for (const struct members_column *column = members_columns; column->name; column++)
			cell_out(&writing, column == members_columns, column->name);
		fputs("\r\n", writing.stream);
	} else {
		fputs("[", writing.stream);
	}
	int result = registry_members_each(registry, member_out, &writing, err);
	fputs(format == MEMBERS_JSON ? "\n]\n" : "", writing.stream);
	bool failed = ferror(writing.stream);
	if ((fclose(writing.stream) != 0 || failed) && result == 0)
		result = err_set(err, -ENOMEM, "no memory for an export");
	if (result < 0) {
		free(text);
		return result;
	}
	*ret_text = text;
	*ret_bytes = bytes;
	return 0;
}
