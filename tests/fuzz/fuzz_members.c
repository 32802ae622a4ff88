/* Files of members: CSV in any code and JSON. What is taken has one form, and what is written is read back the same. */
#include "fuzz.h"

#include "share/members.h"
#include "share/sheet.h"
#include "store/member_form.h"

#include <string.h>

/* The normal form is its own normal form. */
static void check_form(const json_t *given)
{
	json_t *remarks = json_array(), *fields = NULL, *again = NULL;
	int code = member_normal(given, remarks, &fields);
	fuzz_check(code == 0 || (code == 1 && json_array_size(remarks) > 0));
	if (code == 0) {
		json_t *whole = member_whole(fields, NULL), *same = NULL;
		fuzz_check(member_normal(fields, remarks, &again) == 0);
		fuzz_check(json_equal(fields, again));
		same = member_whole(again, whole);
		fuzz_check(json_equal(whole, same));
		json_t *differences = member_differences(whole, same);
		fuzz_check(json_array_size(differences) == 0);
		json_decref(differences);
		json_decref(same);
		json_decref(whole);
	}
	json_decref(again);
	json_decref(fields);
	json_decref(remarks);
}

static int cell_back(void *context, const struct sheet_row *row)
{
	const char *text = context;
	if (row->line == 1)
		return 0;
	fuzz_check(!row->broken && row->count == 2);
	fuzz_check(strcmp(sheet_cell_plain(row->cells[0]), text) == 0);
	return 0;
}

/* A cell that is written is read as it was. */
static void check_cell(const char *text)
{
	char *cell = sheet_cell_write(text, ','), *line = NULL;
	size_t bytes = cell ? strlen(cell) + 20 : 0;
	line = malloc(bytes + 1);
	fuzz_check(cell && line);
	snprintf(line, bytes + 1, "%s\r\n%s,x\r\n", "a,b", cell);
	fuzz_check(sheet_read(line, strlen(line), cell_back, (void *)text, NULL) == 0);
	free(cell);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	json_t *entries = NULL, *entry;
	struct err err = {""};
	size_t i;
	if (bytes > 1 << 16)
		return 0;
	fuzz_check(members_read(data, bytes, &entries, &err) == 0);
	json_array_foreach(entries, i, entry)
	{
		const char *field;
		json_t *member = json_object_get(entry, "member"), *value;
		check_form(member);
		json_object_foreach(member, field, value)
		{
			if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
				check_cell(json_string_value(value));
		}
	}
	json_decref(entries);
	return 0;
}
