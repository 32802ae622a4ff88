/* Verdicts on STIX, a line of JSON in, a line out, for comparison with another judge (test_stix_verdicts.mjs):
 *
 *   o TEXT   an object by the schema of its type   ->  1   or  0 PATH: REASON
 *   b TEXT   a bundle as bundle.json says
 *   t N      both N times over all objects that came since the start, timed  ->  objects a second
 */
#include "core/clock.h"
#include "wire/stix.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES_MAX = 64 << 20, KEPT_MAX = 1 << 16 };

static struct json_slice kept[KEPT_MAX];
static size_t kept_count;

static void measure(struct stix_reader *reader, long rounds)
{
	struct err err = {""};
	struct stix_object object;
	int64_t begin = clock_monotonic_ns();
	size_t refused = 0;
	for (long round = 0; round < rounds; round++)
		for (size_t i = 0; i < kept_count; i++)
			refused += stix_judge(reader, kept[i], &object, &err) != 0;
	double seconds = (double)(clock_monotonic_ns() - begin) / 1e9;
	printf("%.0f %zu\n", (double)kept_count * (double)rounds / seconds, refused);
}

static void answer(struct stix_reader *reader, char *line, size_t bytes)
{
	struct err err = {""};
	struct stix_object object;
	struct json_slice text = {line + 2, bytes - 2};
	if (line[0] == 't') {
		measure(reader, strtol(line + 2, NULL, 10));
		return;
	}
	int refused = line[0] == 'b' ? stix_bundle_conforms(reader, text.text, text.bytes, &err)
				     : stix_judge(reader, text, &object, &err);
	if (line[0] == 'o' && kept_count < KEPT_MAX)
		kept[kept_count++] = (struct json_slice){strndup(text.text, text.bytes), text.bytes};
	printf("%d %s\n", refused == 0, refused ? err.text : "");
}

int main(void)
{
	struct stix_reader *reader = stix_reader_new(LINE_BYTES_MAX);
	char *line = NULL;
	size_t room = 0;
	ssize_t bytes;
	while (reader && (bytes = getline(&line, &room, stdin)) > 2) {
		answer(reader, line, (size_t)bytes - (line[bytes - 1] == '\n'));
		fflush(stdout);
	}
	for (size_t i = 0; i < kept_count; i++)
		free((char *)kept[i].text);
	free(line);
	stix_reader_free(reader);
	return 0;
}
