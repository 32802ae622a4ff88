/* What all imports share: the format, batches, warning lists, refusals. See import.h. */
#include "share/import.h"

#include "share/import_parts.h"
#include "share/make.h"
#include "share/warning.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const import_format_names[] = {"auto", "stix", "misp", "csv", "list", NULL};

void import_refuse(struct importing *importing, const char *where, const char *why)
{
	importing->result.refused++;
	if (importing->import->refused)
		importing->import->refused(importing->import->context, where, why);
}

static int batch_begin(struct importing *importing, struct err *err)
{
	const struct import *import = importing->import;
	if (importing->open)
		return 0;
	int result = indicators_begin(import->store, err);
	if (result < 0)
		return result;
	importing->open = true;
	importing->in_batch = 0;
	return importing->source
		       ? 0
		       : indicators_source_add(import->store, &import->source, import->now_ns, &importing->source, err);
}

static int batch_end(struct importing *importing, struct err *err)
{
	if (!importing->open)
		return 0;
	importing->result.correlated += indicators_correlated(importing->import->store);
	importing->open = false;
	return indicators_commit(importing->import->store, err);
}

/* A dry run: what would become of it. */
static int import_weigh(struct importing *importing, const struct indicators_object *object, struct err *err)
{
	const struct import *import = importing->import;
	bool known = false;
	int result = import->store ? indicators_known(import->store, object, &known, err) : 0;
	if (result < 0)
		return result;
	importing->result.known += known;
	importing->result.taken += !known;
	importing->result.warned += object->warning && !known;
	if (import->taken)
		import->taken(import->context, object, known);
	return 0;
}

int import_put(struct importing *importing, struct indicators_object *object, const char *where, struct err *err)
{
	const struct import *import = importing->import;
	for (size_t i = 0; object->is_indicator && i < object->value_count && !object->warning; i++)
		object->warning = warning_lists_find(import->warnings, &object->values[i]);
	if (import->dry)
		return import_weigh(importing, object, err);
	int result = batch_begin(importing, err);
	if (result == 0)
		result = indicators_put(import->store, object, importing->source, import->collection, import->now_ns,
					err);
	if (result < 0)
		return result;
	if (result == 2)
		import_refuse(importing, where, err->text);
	importing->result.taken += result == 0;
	importing->result.known += result == 1;
	importing->result.warned += result == 0 && object->warning;
	if (result != 2 && import->taken)
		import->taken(import->context, object, result == 1);
	return ++importing->in_batch == IMPORT_BATCH ? batch_end(importing, err) : 0;
}

int import_object(struct importing *importing, struct json_slice text, const char *where, struct err *err)
{
	struct stix_object object;
	struct err why = {""};
	int result = stix_judge(importing->reader, text, &object, &why);
	if (result == 0)
		result = facts_read(&object, importing->import->tlp, &importing->facts, &why);
	if (result < 0)
		return err_set(err, result, "%s", why.text);
	if (result == 1) {
		import_refuse(importing, where, why.text);
		return 0;
	}
	importing->result.unread += importing->facts.pattern_unread;
	return import_put(importing, &importing->facts.object, where, err);
}

int import_made(struct importing *importing, const struct made_indicator *made, const char *where, struct err *err)
{
	const struct import *import = importing->import;
	struct made_object object;
	struct err why = {""};
	if (indicator_make(made, &object, &why) < 0) {
		import_refuse(importing, where, why.text);
		return 0;
	}
	if (import->dry)
		object.object.version_us = 0; /* it would be made anew: its id says whether it is there */
	int result = import->dry ? 1 : batch_begin(importing, err);
	if (result == 0)
		result = indicators_seen(import->store, &object.object, made->now_ns, err);
	importing->result.known += result == 0;
	if (result == 0 && import->taken)
		import->taken(import->context, &object.object, true);
	if (result == 1)
		result = import_put(importing, &object.object, where, err);
	free(object.text);
	return result;
}

/* JSON says by its members what it is; else a comma in the first line that is no comment. */
static enum import_format format_guess(const char *text, size_t bytes)
{
	size_t at = bytes > 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (at < bytes && isspace((unsigned char)text[at]))
		at++;
	size_t head = bytes - at < 4096 ? bytes - at : 4096;
	if (at < bytes && text[at] == '[')
		return IMPORT_MISP;
	if (at < bytes && text[at] == '{')
		return memmem(text + at, head, "\"Event\"", 7) || memmem(text + at, head, "\"Attribute\"", 11) ||
				       memmem(text + at, head, "\"response\"", 10)
			       ? IMPORT_MISP
			       : IMPORT_STIX;
	while (at < bytes && text[at] == '#') {
		const char *line = memchr(text + at, '\n', bytes - at);
		at = line ? (size_t)(line + 1 - text) : bytes;
	}
	const char *end = memchr(text + at, '\n', bytes - at);
	return memchr(text + at, ',', end ? (size_t)(end - text) - at : bytes - at) ? IMPORT_CSV : IMPORT_LIST;
}

static int import_as(struct importing *importing, enum import_format format, const char *text, size_t bytes,
		     struct err *err)
{
	switch (format) {
	case IMPORT_MISP:
		return import_misp(importing, text, bytes, err);
	case IMPORT_CSV:
		return import_csv(importing, text, bytes, err);
	case IMPORT_LIST:
		return import_list(importing, text, bytes, err);
	default:
		return import_stix(importing, text, bytes, err);
	}
}

int import_text(const struct import *import, const char *text, size_t bytes, struct import_result *ret_result,
		struct err *err)
{
	struct importing *importing = calloc(1, sizeof *importing);
	if (importing)
		importing->reader = stix_reader_new(STIX_OBJECT_BYTES_MAX);
	if (!importing || !importing->reader) {
		free(importing);
		return err_set(err, -ENOMEM, "no memory to import");
	}
	importing->import = import;
	enum import_format format = import->format == IMPORT_AUTO ? format_guess(text, bytes) : import->format;
	int result = import_as(importing, format, text, bytes, err);
	if (result == 0)
		result = batch_end(importing, err);
	else if (importing->open)
		indicators_rollback(import->store);
	*ret_result = importing->result;
	stix_reader_free(importing->reader);
	free(importing);
	return result;
}
