/* See zone.h. One process and thread has a zone: references are plain numbers. */
#include "share/zone.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void names_unref(struct zone_names *names)
{
	if (!names || --names->references > 0)
		return;
	free(names->names);
	free(names);
}

struct zone_version *zone_version_ref(struct zone_version *version)
{
	version->references++;
	return version;
}

void zone_version_unref(struct zone_version *version)
{
	if (!version || --version->references > 0)
		return;
	names_unref(version->names);
	for (size_t i = 0; i < version->change_count; i++) {
		names_unref(version->changes[i].removed);
		names_unref(version->changes[i].added);
	}
	free(version);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Room for `count` names of `bytes` altogether, with their zero bytes. */
static struct zone_names *names_new(size_t count, size_t bytes)
{
	struct zone_names *names = malloc(sizeof *names + bytes);
	if (!names)
		return NULL;
	*names = (struct zone_names){.references = 1};
	names->names = malloc((count ? count : 1) * sizeof *names->names);
	if (names->names)
		return names;
	free(names);
	return NULL;
}

static size_t line_name(const char *line, size_t bytes)
{
	static const char tail[] = " CNAME .";
	size_t length = sizeof tail - 1;
	if (bytes <= length || memcmp(line + bytes - length, tail, length) != 0 || line[0] == '$' || line[0] == '@')
		return 0;
	return bytes - length <= ZONE_NAME_TEXT_MAX && !memchr(line, ' ', bytes - length) ? bytes - length : 0;
}

static int names_read(const char *text, size_t bytes, struct zone_names **ret_names, struct err *err)
{
	size_t lines = 1;
	for (const char *at = text; (at = memchr(at, '\n', bytes - (size_t)(at - text))); at++)
		lines++;
	struct zone_names *names = lines <= ZONE_RECORDS_MAX ? names_new(lines, bytes + 1) : NULL;
	if (!names)
		return err_set(err, lines <= ZONE_RECORDS_MAX ? -ENOMEM : -E2BIG,
			       "the zone has %zu records; at most %d were expected", lines, ZONE_RECORDS_MAX);
	char *out = names->text;
	for (const char *at = text, *end = text + bytes; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t line = stop ? (size_t)(stop - at) : (size_t)(end - at), length = line_name(at, line);
		if (length > 0) {
			memcpy(out, at, length);
			out[length] = '\0';
			names->names[names->count++] = out;
			out += length + 1;
		}
		at += line + 1;
	}
	qsort(names->names, names->count, sizeof *names->names, by_text);
	size_t kept = 0;
	for (size_t i = 0; i < names->count; i++)
		if (kept == 0 || strcmp(names->names[kept - 1], names->names[i]) != 0)
			names->names[kept++] = names->names[i];
	names->count = kept;
	*ret_names = names;
	return 0;
}

/* What `a` has and `b` has not. */
static struct zone_names *names_without(const struct zone_names *a, const struct zone_names *b)
{
	size_t count = 0, bytes = 0;
	struct zone_names *out = NULL;
	for (unsigned pass = 0; pass < 2; pass++) {
		char *text = out ? out->text : NULL;
		for (size_t i = 0, j = 0; i < a->count; i++) {
			while (j < b->count && strcmp(b->names[j], a->names[i]) < 0)
				j++;
			if (j < b->count && strcmp(b->names[j], a->names[i]) == 0)
				continue;
			size_t length = strlen(a->names[i]) + 1;
			count += pass == 0;
			bytes += pass == 0 ? length : 0;
			if (pass == 0)
				continue;
			out->names[out->count++] = memcpy(text, a->names[i], length);
			text += length;
		}
		if (pass == 0 && !(out = names_new(count, bytes)))
			return NULL;
	}
	return out;
}

static bool names_equal(const struct zone_names *a, const struct zone_names *b)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; equal && i < a->count; i++)
		equal = strcmp(a->names[i], b->names[i]) == 0;
	return equal;
}

/* The changes of the version before, without the oldest where there is no more room, and the new one. */
static int changes_make(struct zone_version *version, const struct zone_version *before)
{
	size_t skip = before->change_count == ZONE_CHANGES_MAX;
	for (size_t i = skip; i < before->change_count; i++) {
		struct zone_change change = before->changes[i];
		change.removed->references++;
		change.added->references++;
		version->changes[version->change_count++] = change;
	}
	struct zone_change change = {before->serial, version->serial, names_without(before->names, version->names),
				     names_without(version->names, before->names)};
	version->changes[version->change_count++] = change;
	return change.removed && change.added ? 0 : -ENOMEM;
}

int zone_version_read(const char *text, size_t bytes, struct zone_version *before, uint32_t least_serial,
		      struct zone_version **ret_version, struct err *err)
{
	struct zone_names *names = NULL;
	int result = names_read(text, bytes, &names, err);
	if (result < 0)
		return result;
	if (before && names_equal(before->names, names)) {
		names_unref(names);
		*ret_version = zone_version_ref(before);
		return 0;
	}
	struct zone_version *version = calloc(1, sizeof *version);
	if (!version) {
		names_unref(names);
		return err_set(err, -ENOMEM, "no memory for the zone");
	}
	version->references = 1;
	version->names = names;
	version->serial = before && before->serial >= least_serial ? before->serial + 1 : least_serial;
	result = before ? changes_make(version, before) : 0;
	if (result < 0) {
		zone_version_unref(version);
		return err_set(err, result, "no memory for the zone");
	}
	*ret_version = version;
	return 0;
}
