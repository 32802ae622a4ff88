/* One STIX object: parsed, looked over for hostility, judged by the schema of its type. See stix.h. */
#include "wire/stix.h"

#include "wire/stix_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct stix_reader *stix_reader_new(size_t most_bytes)
{
	struct stix_reader *reader = calloc(1, sizeof *reader);
	if (reader)
		reader->json = json_reader_new(most_bytes, STIX_DEPTH_MAX);
	if (reader && reader->json)
		return reader;
	stix_reader_free(reader);
	return NULL;
}

void stix_reader_free(struct stix_reader *reader)
{
	if (!reader)
		return;
	json_reader_free(reader->json);
	free(reader);
}

bool stix_time(const char *text, size_t bytes, int64_t *ret_ns, uint8_t *ret_digits)
{
	static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const uint16_t days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int part[14] = {0};
	static const uint8_t places[14] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
	if (bytes < 20)
		return false;
	for (unsigned i = 0; i < 14; i++)
		part[i] = text[places[i]] - '0';
	for (unsigned i = 0; i < 14; i++)
		if (part[i] < 0 || part[i] > 9)
			return false;
	int year = part[0] * 1000 + part[1] * 100 + part[2] * 10 + part[3], month = part[4] * 10 + part[5] - 1,
	    day = part[6] * 10 + part[7];
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 0 || month > 11 || day < 1 || day > month_days[month] + (leap && month == 1))
		return false;
	int before = year - 1;
	int64_t days = (int64_t)before * 365 + before / 4 - before / 100 + before / 400 - 719162 + days_before[month] +
		       (leap && month > 1) + day - 1;
	int64_t seconds = days * 86400 + (part[8] * 10 + part[9]) * 3600 + (part[10] * 10 + part[11]) * 60 +
			  part[12] * 10 + part[13];
	int64_t fraction = 0, unit = 100000000;
	uint8_t digits = 0;
	for (size_t i = 20; text[19] == '.' && i < bytes && text[i] >= '0' && text[i] <= '9'; i++, unit /= 10) {
		fraction += unit * (text[i] - '0');
		digits += digits < 6;
	}
	if (__builtin_mul_overflow(seconds, INT64_C(1000000000), ret_ns) ||
	    __builtin_add_overflow(*ret_ns, fraction, ret_ns))
		*ret_ns = seconds < 0 ? INT64_MIN : INT64_MAX;
	*ret_digits = digits;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct schema_member *x = a, *y = b;
	if (x->name_bytes != y->name_bytes)
		return x->name_bytes < y->name_bytes ? -1 : 1;
	return memcmp(x->name, y->name, x->name_bytes);
}

static bool same_name(const struct schema_member *a, const struct schema_member *b)
{
	return by_name(a, b) == 0;
}

/* A name that stands twice among those without a number, or NULL. */
static const struct schema_member *twice(struct schema_member *members, uint32_t count)
{
	enum { FEW = 16 };
	if (count > FEW)
		qsort(members, count, sizeof *members, by_name);
	for (uint32_t i = 0; i + 1 < count; i++)
		for (uint32_t j = i + 1; j < (count > FEW ? i + 2 : count); j++)
			if (same_name(&members[i], &members[j]))
				return &members[i];
	return NULL;
}

static bool ends_with(const char *name, uint32_t bytes, const char *end)
{
	size_t wanted = strlen(end);
	return bytes > wanted && memcmp(name + bytes - wanted, end, wanted) == 0;
}

static bool text_is(const struct json_tape *tape, uint32_t place, const char *text, uint32_t bytes)
{
	uint32_t found_bytes;
	if (json_kind(tape, place) != '"')
		return false;
	const char *found = json_text(tape, place, &found_bytes);
	return found_bytes == bytes && memcmp(found, text, bytes) == 0;
}

/* Whether a member refers to the object that holds it. One's own author one may be. */
static bool refers_to(const struct json_tape *tape, const char *name, uint32_t name_bytes, uint32_t place,
		      const char *id, uint32_t id_bytes)
{
	if (ends_with(name, name_bytes, "_ref"))
		return !(name_bytes == 14 && memcmp(name, "created_by_ref", 14) == 0) &&
		       text_is(tape, place, id, id_bytes);
	if (!ends_with(name, name_bytes, "_refs") || json_kind(tape, place) != '[')
		return false;
	for (uint32_t at = place + 1, end = json_after(tape, place) - 1; at < end; at = json_after(tape, at))
		if (text_is(tape, at, id, id_bytes))
			return true;
	return false;
}

/* Members that stand twice and references of the object to itself, in `place` and all it holds. */
static int look_over(struct stix_reader *reader, const struct stix_object *object, uint32_t place, struct err *err)
{
	struct schema_run *run = &reader->run;
	const struct json_tape *tape = &object->tape;
	struct schema_key_set present = {{0}};
	uint32_t first = run->member_count;
	int result = 0;
	if (json_kind(tape, place) != '{') {
		for (uint32_t at = place + 1, end = json_after(tape, place) - 1; at < end && result == 0;
		     at = json_after(tape, at))
			if (json_kind(tape, at) == '{' || json_kind(tape, at) == '[')
				result = look_over(reader, object, at, err);
		return result;
	}
	for (uint32_t at = place + 1, end = json_after(tape, place) - 1; at < end && result == 0;) {
		struct schema_member member = {.value = at + 1};
		member.name = json_text(tape, at, &member.name_bytes);
		member.key = schema_key(&stix_schema, member.name, member.name_bytes);
		if (member.key == stix_schema.key_count) {
			if (run->member_count == SCHEMA_MEMBERS_MAX)
				return err_set(err, 1, "/: more than %d members", SCHEMA_MEMBERS_MAX);
			run->members[run->member_count++] = member;
		} else if (present.bits[member.key / 64] >> member.key % 64 & 1) {
			result = err_set(err, 1, "/%.*s: the member stands twice", (int)member.name_bytes, member.name);
		} else {
			present.bits[member.key / 64] |= UINT64_C(1) << member.key % 64;
		}
		if (result == 0 && object->id &&
		    refers_to(tape, member.name, member.name_bytes, member.value, object->id, object->id_bytes))
			result = err_set(err, 1, "/%.*s: the object refers to itself", (int)member.name_bytes,
					 member.name);
		at = json_after(tape, member.value);
		if (result == 0 && (json_kind(tape, member.value) == '{' || json_kind(tape, member.value) == '['))
			result = look_over(reader, object, member.value, err);
	}
	const struct schema_member *again = result == 0 ? twice(run->members + first, run->member_count - first) : NULL;
	if (again)
		result = err_set(err, 1, "/%.*s: the member stands twice",
				 again->name_bytes < 100 ? (int)again->name_bytes : 100, again->name);
	run->member_count = first;
	return result;
}

static int schema_of_type(struct stix_reader *reader, const struct stix_object *object, struct err *err)
{
	uint16_t key = schema_key(&stix_schema, object->type, object->type_bytes);
	uint16_t node = key < stix_schema.key_count ? stix_schema.kind_nodes[key] : 0;
	if (node == stix_schema_bundle)
		return err_set(err, 1, "/type: a bundle cannot be an object of another");
	if (node)
		return schema_judge(&reader->run, node, JSON_ROOT, err);
	int result = schema_judge(&reader->run, stix_schema_core, JSON_ROOT, err);
	struct err other;
	return result == 1 && schema_judge(&reader->run, stix_schema_cyber_observable_core, JSON_ROOT, &other) == 0
		       ? 0
		       : result;
}

static int version_find(struct stix_object *object, struct err *err)
{
	int64_t ns;
	uint32_t bytes;
	const char *name = "modified", *text = json_member_text(&object->tape, JSON_ROOT, name, &bytes);
	if (!text)
		text = json_member_text(&object->tape, JSON_ROOT, name = "created", &bytes);
	if (!text)
		return 0;
	if (!stix_time(text, bytes, &ns, &object->version_digits))
		return err_set(err, 1, "/%s: '%.40s' is no time that a calendar has", name, text);
	object->version_us = ns / 1000;
	return 0;
}

int stix_judge(struct stix_reader *reader, struct json_slice text, struct stix_object *ret_object, struct err *err)
{
	struct stix_object object = {0};
	int result =
		json_read(reader->json, text.text, text.bytes, &object.tape, &object.text, &object.text_bytes, err);
	if (result < 0)
		return err_prefix(err, 1, "/");
	reader->run.schema = &stix_schema;
	reader->run.tape = object.tape;
	reader->run.member_count = 0;
	if (json_kind(&object.tape, JSON_ROOT) != '{')
		return err_set(err, 1, "/: an object was expected");
	object.type = json_member_text(&object.tape, JSON_ROOT, "type", &object.type_bytes);
	object.id = json_member_text(&object.tape, JSON_ROOT, "id", &object.id_bytes);
	if (!object.type)
		return err_set(err, 1, "/: the member type is missing, or is not a text");
	result = look_over(reader, &object, JSON_ROOT, err);
	if (result == 0)
		result = schema_of_type(reader, &object, err);
	if (result == -E2BIG)
		return err_prefix(err, 1, "/");
	if (result == 0 && object.id_bytes > STIX_ID_BYTES_MAX)
		result = err_set(err, 1, "/id: longer than %d bytes", STIX_ID_BYTES_MAX);
	if (result == 0)
		result = version_find(&object, err);
	if (result != 0)
		return result;
	object.uuid_text = (const uint8_t *)object.id + object.id_bytes - 36;
	*ret_object = object;
	return 0;
}

int stix_bundle_conforms(struct stix_reader *reader, const char *text, size_t bytes, struct err *err)
{
	struct json_tape tape;
	const char *compact;
	size_t compact_bytes;
	int result = json_read(reader->json, text, bytes, &tape, &compact, &compact_bytes, err);
	if (result < 0)
		return result == -EBADMSG ? 1 : result;
	reader->run.schema = &stix_schema;
	reader->run.tape = tape;
	return schema_judge(&reader->run, stix_schema_bundle, JSON_ROOT, err);
}
