/* Run a fuzz target over every file of its corpus, in the plain build: what was once found stays found. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

static int by_bytes(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	fseek(file, 0, SEEK_END);
	long bytes = ftell(file);
	rewind(file);
	/* As exactly long as the input, so that a sanitizer sees a read past it. */
	uint8_t *data = malloc(bytes > 0 ? (size_t)bytes : 1);
	size_t got = data && bytes > 0 ? fread(data, 1, (size_t)bytes, file) : 0;
	fclose(file);
	if (!data || got != (size_t)bytes) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(data);
		return -1;
	}
	fprintf(stderr, "%s\n", path); /* the last line before a crash names its input */
	LLVMFuzzerTestOneInput(data, got);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	struct dirent **entries;
	int count = scandir(argv[1], &entries, by_bytes, alphasort);
	if (count <= 0) {
		fprintf(stderr, "%s: no inputs\n", argv[1]);
		return 1;
	}
	int failed = 0;
	for (int i = 0; i < count; i++) {
		failed |= replay_file(argv[1], entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	printf("%d inputs of %s\n", count, argv[1]);
	return failed ? 1 : 0;
}
