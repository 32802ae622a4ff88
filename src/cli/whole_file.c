/* Files that are read as a whole, mapped; standard input is collected. */
#include "cli/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STDIN_BYTES_MAX = 1 << 30 };

static int stdin_read(struct whole_file *file, struct err *err)
{
	size_t room = 1 << 16;
	char *text = malloc(room);
	for (size_t got = 1; text && got > 0;) {
		got = fread(text + file->bytes, 1, room - file->bytes, stdin);
		file->bytes += got;
		if (file->bytes < room)
			continue;
		char *grown = room < STDIN_BYTES_MAX ? realloc(text, room *= 2) : NULL;
		if (!grown)
			free(text);
		text = grown;
	}
	file->text = text;
	return text ? 0 : err_set(err, -EFBIG, "standard input: more than 1 GiB, or no memory for it");
}

int whole_file_open(const char *path, struct whole_file *file, struct err *err)
{
	struct stat status;
	*file = (struct whole_file){0};
	if (strcmp(path, "-") == 0)
		return stdin_read(file, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		int code = fd < 0 ? -errno : -EINVAL;
		if (fd >= 0)
			close(fd);
		return err_set(err, code, "%s: %s", path, fd < 0 ? strerror(-code) : "a file was expected");
	}
	file->bytes = (size_t)status.st_size;
	file->mapped = file->bytes > 0;
	file->text = file->mapped ? mmap(NULL, file->bytes, PROT_READ, MAP_PRIVATE, fd, 0) : strdup("");
	close(fd);
	return file->text && file->text != MAP_FAILED ? 0 : err_set(err, -ENOMEM, "%s: cannot be read", path);
}

void whole_file_close(struct whole_file *file)
{
	if (file->mapped)
		munmap(file->text, file->bytes);
	else
		free(file->text);
}
