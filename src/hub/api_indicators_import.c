/* Indicators from a file or typed by hand: judged first (?dry=1), then taken. See share/import.h. */
#include "hub/api.h"

#include "core/clock.h"
#include "hub/keeper.h"
#include "share/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_MOST = 200, CONFIDENCE_USUAL = 50, DAYS_MOST = 3650 };

struct shown {
	json_t *values, *faults;
};

static void value_show(void *context, const struct indicators_object *object, bool known)
{
	struct shown *shown = context;
	for (size_t i = 0; i < object->value_count && json_array_size(shown->values) < SHOWN_MOST; i++) {
		const struct indicator_value *value = &object->values[i];
		json_array_append_new(shown->values, json_pack("{s:s, s:s%, s:s, s:b, s:s?}", "kind",
							       indicator_kind_names[value->kind], "value", value->text,
							       value->bytes, "tlp", tlp_names[object->tlp], "known",
							       (int)known, "warning", object->warning));
	}
}

static void fault_show(void *context, const char *where, const char *why)
{
	struct shown *shown = context;
	if (json_array_size(shown->faults) < SHOWN_MOST)
		json_array_append_new(shown->faults, json_pack("{s:s, s:s}", "where", where, "why", why));
}

/* The place of a name among names; `usual` where none was asked for; -EINVAL. */
static int name_read(const struct api_call *call, const char *argument, const char *const *names, int usual,
		     struct err *err)
{
	char text[32];
	if (!api_argument(call, argument, text, sizeof text) || !text[0])
		return usual;
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return err_set(err, -EINVAL, "%s: there is no '%.32s'", argument, text);
}

/* What only operators see is theirs to bring. */
static int import_read(const struct api_call *call, struct import *import, char name[256], struct err *err)
{
	int format = name_read(call, "format", import_format_names, IMPORT_AUTO, err);
	int tlp = format < 0 ? format : name_read(call, "tlp", tlp_names, TLP_AMBER, err);
	if (tlp < 0)
		return tlp;
	if (tlp == TLP_RED && call->role == ROLE_ANALYST)
		return err_set(err, -EACCES, "tlp: what is red is for an operator to bring");
	import->format = (enum import_format)format;
	import->tlp = (enum tlp)tlp;
	import->confidence = api_argument_number(call, "confidence", CONFIDENCE_USUAL, 100);
	import->lifetime_ns = (int64_t)api_argument_number(call, "days", 0, DAYS_MOST) * NS_PER_DAY;
	import->dry = api_argument_flag(call, "dry");
	import->source.by = call->user.name;
	import->source.kind = api_argument(call, "name", name, 256) && name[0] ? "file" : "manual";
	import->source.name = strcmp(import->source.kind, "file") == 0 ? name : call->user.name;
	return 0;
}

int api_indicators_import(struct api_call *call, struct err *err)
{
	char name[256];
	struct import_result done;
	struct shown shown = {json_array(), json_array()};
	struct import import = {.store = call->keeper->indicators,
				.now_ns = clock_now_ns(),
				.warnings = call->keeper->warnings,
				.refused = fault_show,
				.taken = value_show,
				.context = &shown};
	int result = import_read(call, &import, name, err);
	if (result == 0)
		result = import_text(&import, (const char *)call->body, call->body_bytes, &done, err);
	if (result < 0) {
		json_decref(shown.values);
		json_decref(shown.faults);
		return result == -EBADMSG ? err_set(err, -EINVAL, "it is neither STIX, MISP, CSV nor a list") : result;
	}
	return api_json(call, 200,
			json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "dry", (int)import.dry, "taken",
				  (json_int_t)done.taken, "known", (json_int_t)done.known, "refused",
				  (json_int_t)done.refused, "correlated", (json_int_t)done.correlated, "warned",
				  (json_int_t)done.warned, "unread", (json_int_t)done.unread, "values", shown.values,
				  "faults", shown.faults));
}
