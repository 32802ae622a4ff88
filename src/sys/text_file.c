/* Reading a small file whole. */
#include "sys/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int text_file_read(const char *path, size_t bytes_max, char **ret_text, size_t *ret_bytes, struct err *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	char *text = malloc(bytes_max + 2);
	size_t bytes = text ? fread(text, 1, bytes_max + 1, file) : 0;
	int result = 0;
	if (!text)
		result = err_set(err, -ENOMEM, "no memory to read %s", path);
	else if (ferror(file))
		result = err_set(err, -EIO, "%s: cannot be read", path);
	else if (bytes > bytes_max)
		result = err_set(err, -EFBIG, "%s: longer than %zu bytes", path, bytes_max);
	fclose(file);
	if (result < 0) {
		free(text);
		return result;
	}
	text[bytes] = '\0';
	*ret_text = text;
	*ret_bytes = bytes;
	return 0;
}
