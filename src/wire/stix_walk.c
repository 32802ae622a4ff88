/* Walking the objects of a bundle, an envelope, or an object alone. See stix.h. */
#include "wire/stix_parts.h"

#include <errno.h>
#include <string.h>

/* The envelope's own members, without its objects, as a JSON object in reader->envelope. */
struct envelope {
	struct json_slice objects;
	size_t bytes, members;
	bool has_objects, has_type, has_id;
};

static int envelope_add(struct stix_reader *reader, struct envelope *envelope, struct json_slice name,
			struct json_slice value, struct err *err)
{
	if (++envelope->members > STIX_ENVELOPE_MEMBERS_MAX)
		return err_set(err, 1, "/: more than %d members beside the objects", STIX_ENVELOPE_MEMBERS_MAX);
	if (memchr(name.text, '\\', name.bytes))
		return err_set(err, 1, "/: a name of the bundle's own members is written with escapes");
	if (json_slice_is(name, "\"objects\"")) {
		bool twice = envelope->has_objects;
		envelope->objects = value;
		envelope->has_objects = true;
		return twice ? err_set(err, 1, "/objects: the member stands twice") : 0;
	}
	envelope->has_type = envelope->has_type || json_slice_is(name, "\"type\"");
	envelope->has_id = envelope->has_id || json_slice_is(name, "\"id\"");
	if (name.bytes + value.bytes + 4 > sizeof reader->envelope - envelope->bytes)
		return 0; /* a member of this size is not what makes a bundle one; an object is judged whole later */
	char *at = reader->envelope + envelope->bytes;
	*at++ = envelope->bytes ? ',' : '{';
	memcpy(at, name.text, name.bytes);
	at += name.bytes;
	*at++ = ':';
	memcpy(at, value.text, value.bytes);
	envelope->bytes = (size_t)(at + value.bytes - reader->envelope);
	return 0;
}

static int envelope_read(struct stix_reader *reader, struct envelope *envelope, struct json_slice whole,
			 struct err *err)
{
	struct json_cut cut;
	struct json_slice name, value;
	if (json_cut_open(&cut, whole.text, whole, '{', err) < 0)
		return err_prefix(err, 1, "/");
	int more, result = 0;
	while (result == 0 && (more = json_cut_member(&cut, &name, &value, err)) != 0)
		result = more < 0 ? err_prefix(err, 1, "/") : envelope_add(reader, envelope, name, value, err);
	if (result == 0 && envelope->bytes == 0)
		reader->envelope[envelope->bytes++] = '{';
	if (result == 0)
		reader->envelope[envelope->bytes++] = '}';
	return result;
}

/* What makes a bundle one (sections 2.1 and 8), or a TAXII envelope (TAXII 2.1, section 3.7). */
static int envelope_judge(struct stix_reader *reader, const struct envelope *envelope, struct stix_walk *walk,
			  struct err *err)
{
	struct json_tape tape;
	const char *compact;
	size_t compact_bytes;
	if (json_read(reader->json, reader->envelope, envelope->bytes, &tape, &compact, &compact_bytes, err) < 0)
		return err_prefix(err, 1, "/");
	reader->run.schema = &stix_schema;
	reader->run.tape = tape;
	walk->is_bundle = envelope->has_type || envelope->has_id;
	if (walk->is_bundle)
		return schema_judge(&reader->run, stix_schema_bundle, JSON_ROOT, err);
	uint32_t more = json_member(&tape, JSON_ROOT, "more");
	walk->more = more && json_kind(&tape, more) == 't';
	return 0;
}

int stix_walk_open(struct stix_reader *reader, struct stix_walk *walk, const char *text, size_t bytes, struct err *err)
{
	struct envelope envelope = {{NULL, 0}};
	struct json_slice whole = {text, bytes};
	*walk = (struct stix_walk){.alone = whole};
	int result = envelope_read(reader, &envelope, whole, err);
	if (result != 0)
		return result;
	bool bundle_alone = memmem(reader->envelope, envelope.bytes, "\"bundle\"", 8) != NULL;
	if (!envelope.has_objects && envelope.has_type && !bundle_alone)
		return 0; /* an object by itself */
	/* An observed-data has a member of that name too, but it is not a list. */
	if (envelope.has_objects && envelope.has_type && !bundle_alone && envelope.objects.text[0] == '{')
		return 0;
	walk->alone = (struct json_slice){NULL, 0};
	result = envelope_judge(reader, &envelope, walk, err);
	if (result != 0)
		return result < 0 ? err_prefix(err, 1, "/") : result;
	walk->over = !envelope.has_objects;
	if (!walk->over && json_cut_open(&walk->objects, text, envelope.objects, '[', err) < 0)
		return err_prefix(err, 1, "/objects");
	return 0;
}

int stix_walk_next(struct stix_walk *walk, struct json_slice *ret_object, struct err *err)
{
	if (walk->over)
		return 0;
	if (walk->alone.text) {
		*ret_object = walk->alone;
		walk->over = true;
		return 1;
	}
	bool first = walk->objects.first;
	int more = json_cut_item(&walk->objects, ret_object, err);
	if (more != 1) {
		walk->over = true;
		return more < 0 ? err_prefix(err, more, "/objects") : 0;
	}
	walk->index += !first;
	return 1;
}
