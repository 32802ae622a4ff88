/* MISP: events as the API, an export or a feed gives them, alone or in lists. Attributes are cut out and read one by
 * one, so that an event of a million of them needs the memory of one. */
#include "share/import_parts.h"
#include "share/misp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct misp_import {
	struct importing *importing;
	char where[64];
	unsigned long long event;
};

static int object_emit(void *context, json_t *object, struct err *err)
{
	struct misp_import *misp = context;
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		return err_set(err, -ENOMEM, "no memory for an object");
	int result = import_object(misp->importing, (struct json_slice){text, strlen(text)}, misp->where, err);
	free(text);
	return result;
}

/* 0 also when it was refused, and said. */
static int refused(struct misp_import *misp, int result, struct err *err)
{
	if (result == 1)
		import_refuse(misp->importing, misp->where, err->text);
	return result < 0 ? result : 0;
}

static int item_take(struct misp_import *misp, struct misp_event *event, struct json_slice text, bool attribute,
		     struct err *err)
{
	json_error_t error;
	if (text.bytes > STIX_OBJECT_BYTES_MAX)
		return refused(misp, err_set(err, 1, "longer than %d bytes", STIX_OBJECT_BYTES_MAX), err);
	json_t *item = json_loadb(text.text, text.bytes, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(item)) {
		json_decref(item);
		return refused(misp, err_set(err, 1, "%s", item ? "an object was expected" : error.text), err);
	}
	int result = attribute ? misp_event_attribute(event, item, err) : misp_event_object(event, item, err);
	json_decref(item);
	return refused(misp, result, err);
}

static int items_take(struct misp_import *misp, struct misp_event *event, const char *begin, struct json_slice list,
		      bool attributes, struct err *err)
{
	struct json_cut cut;
	struct json_slice item;
	int result = json_cut_open(&cut, begin, list, '[', err) < 0 ? refused(misp, 1, err) : 0, more;
	if (result != 0 || !cut.begin || cut.at > cut.end)
		return result;
	for (unsigned long long i = 0; result == 0; i++) {
		snprintf(misp->where, sizeof misp->where, "/%llu/Event/%s/%llu", misp->event,
			 attributes ? "Attribute" : "Object", i);
		more = json_cut_item(&cut, &item, err);
		if (more < 0)
			return refused(misp, 1, err);
		if (more == 0)
			return 0;
		result = item_take(misp, event, item, attributes, err);
	}
	return result;
}

struct event_slices {
	struct json_slice attributes, objects;
	json_t *header;
};

static bool is_container(struct json_slice slice, char bracket)
{
	return slice.bytes > 0 && slice.text[0] == bracket;
}

/* All members but the two long lists, as JSON. 1: refused. */
static int header_read(struct json_slice text, const char *begin, struct event_slices *slices, struct err *err)
{
	struct json_cut cut;
	struct json_slice name, value;
	json_error_t error;
	int more = 0;
	*slices = (struct event_slices){.header = json_object()};
	if (json_cut_open(&cut, begin, text, '{', err) < 0)
		return 1;
	while ((more = json_cut_member(&cut, &name, &value, err)) == 1) {
		if (json_slice_is(name, "\"Attribute\"") && is_container(value, '[')) {
			slices->attributes = value;
			continue;
		}
		if (json_slice_is(name, "\"Object\"") && is_container(value, '[')) {
			slices->objects = value;
			continue;
		}
		json_t *key = json_loadb(name.text, name.bytes, JSON_DECODE_ANY, &error),
		       *item = json_loadb(value.text, value.bytes, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
		bool good = json_is_string(key) && item && !json_object_get(slices->header, json_string_value(key));
		if (good)
			json_object_set(slices->header, json_string_value(key), item);
		json_decref(key);
		json_decref(item);
		if (!good)
			return err_set(err, 1, "a member of the event is broken or stands twice: %.*s",
				       (int)(name.bytes < 80 ? name.bytes : 80), name.text);
	}
	return more < 0 ? 1 : 0;
}

static int event_take(struct misp_import *misp, struct json_slice text, const char *begin, struct err *err)
{
	struct event_slices slices;
	struct misp_event event = {.emit = object_emit, .context = misp};
	snprintf(misp->where, sizeof misp->where, "/%llu/Event", misp->event);
	int result = header_read(text, begin, &slices, err);
	if (result == 0)
		result = misp_event_begin(&event, slices.header, err);
	if (result == 0 && slices.attributes.text)
		result = items_take(misp, &event, begin, slices.attributes, true, err);
	if (result == 0 && slices.objects.text)
		result = items_take(misp, &event, begin, slices.objects, false, err);
	snprintf(misp->where, sizeof misp->where, "/%llu/Event", misp->event);
	if (result == 0)
		result = misp_event_end(&event, err);
	misp_event_done(&event);
	json_decref(slices.header);
	misp->event++;
	return refused(misp, result, err);
}

static int value_take(struct misp_import *misp, struct json_slice text, const char *begin, unsigned depth,
		      struct err *err);

static int list_take(struct misp_import *misp, struct json_slice text, const char *begin, unsigned depth,
		     struct err *err)
{
	struct json_cut cut;
	struct json_slice item;
	int result = 0, more = 0;
	if (json_cut_open(&cut, begin, text, '[', err) < 0)
		return refused(misp, 1, err);
	while (result == 0 && (more = json_cut_item(&cut, &item, err)) == 1)
		result = value_take(misp, item, begin, depth, err);
	return result < 0 ? result : refused(misp, more < 0, err);
}

/* {"Event": {...}}, {"response": [...]}, a list of such, or an event itself. */
static int value_take(struct misp_import *misp, struct json_slice text, const char *begin, unsigned depth,
		      struct err *err)
{
	struct json_cut cut;
	struct json_slice name, value;
	int more;
	snprintf(misp->where, sizeof misp->where, "/%llu", misp->event);
	if (depth > 3)
		return refused(misp, err_set(err, 1, "an event was expected"), err);
	if (is_container(text, '['))
		return list_take(misp, text, begin, depth + 1, err);
	if (json_cut_open(&cut, begin, text, '{', err) < 0)
		return refused(misp, 1, err);
	while ((more = json_cut_member(&cut, &name, &value, err)) == 1) {
		if (json_slice_is(name, "\"Event\"") && is_container(value, '{'))
			return event_take(misp, value, begin, err);
		if (json_slice_is(name, "\"response\""))
			return value_take(misp, value, begin, depth + 1, err);
	}
	return more < 0 ? refused(misp, 1, err) : event_take(misp, text, begin, err);
}

int import_misp(struct importing *importing, const char *text, size_t bytes, struct err *err)
{
	struct misp_import misp = {.importing = importing};
	size_t blank = 0;
	while (blank < bytes && strchr(" \t\r\n", text[blank]) && text[blank])
		blank++;
	return value_take(&misp, (struct json_slice){text + blank, bytes - blank}, text, 0, err);
}
