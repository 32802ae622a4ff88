/* See command_cnc_labels.h. */
#include "cli/command_cnc_labels.h"

#include "cli/whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 3 };

static int label_read(char *line, struct pool *pool, struct cnc_label *label, struct err *err)
{
	char *rest = NULL, *words[WORDS] = {NULL};
	for (int i = 0; i < WORDS; i++)
		words[i] = strtok_r(i ? NULL : line, " \t\r", &rest);
	if (!words[2] || strtok_r(NULL, " \t\r", &rest))
		return err_set(err, -EINVAL, "CAPTURE ADDRESS FAMILY was expected");
	label->capture = pool_text(pool, words[0]);
	label->family = pool_text(pool, words[2]);
	if (!label->capture || !label->family)
		return err_set(err, -ENOMEM, "no memory for labels");
	return addr_parse(words[1], &label->server, err);
}

static int lines_read(char *text, struct pool *pool, struct cnc_labels *labels, struct err *err)
{
	unsigned number = 1;
	for (char *line = text, *stop; line; line = stop, number++) {
		stop = strchr(line, '\n');
		if (stop)
			*stop++ = '\0';
		line[strcspn(line, "#")] = '\0';
		if (line[strspn(line, " \t\r")] == '\0')
			continue;
		int result = label_read(line, pool, &labels->items[labels->count], err);
		if (result < 0)
			return err_prefix(err, result, "line %u", number);
		labels->count++;
	}
	return 0;
}

int cnc_labels_read(const char *path, struct pool *pool, struct cnc_labels *ret_labels, struct err *err)
{
	struct whole_file file = {0};
	struct cnc_labels labels = {0};
	size_t lines = 1;
	int result = whole_file_open(path, &file, err);
	if (result < 0)
		return result;
	char *text = pool_alloc(pool, file.bytes + 1);
	for (size_t i = 0; text && i < file.bytes; i++) {
		text[i] = file.text[i] ? file.text[i] : ' ';
		lines += file.text[i] == '\n';
	}
	labels.items = pool_array(pool, lines, sizeof *labels.items);
	whole_file_close(&file);
	if (!text || !labels.items)
		return err_set(err, -ENOMEM, "%s: no memory for labels", path);
	result = lines_read(text, pool, &labels, err);
	if (result < 0)
		return err_prefix(err, result, "%s", path);
	*ret_labels = labels;
	return 0;
}
