/* The judgement of a tape by tables. See schema.h.
 *
 * Two passes of one walk: the first only finds the verdict; where it is a refusal, the second goes the same way again
 * and keeps the first sentence it can say, with the path that led there. So good objects pay nothing for sentences.
 */
#include "wire/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

/* An object whose members were listed: names by bit, members in their order. */
struct view {
	struct schema_key_set present;
	uint32_t first, count;
};

static bool judge(struct schema_run *run, uint16_t number, uint32_t place, const struct view *view);

/* The same as name_hash() of schema_compile.py. */
static uint32_t key_hash(const char *name, size_t bytes)
{
	uint64_t first = 0, last = 0;
	memcpy(&first, name, bytes < 8 ? bytes : 8);
	memcpy(&last, bytes < 8 ? name : name + bytes - 8, bytes < 8 ? bytes : 8);
	uint64_t mixed = first * UINT64_C(0x9e3779b97f4a7c15) + last * UINT64_C(0xc2b2ae3d27d4eb4f) + bytes;
	return (uint32_t)((mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 40);
}

uint16_t schema_key(const struct schema *schema, const char *name, size_t bytes)
{
	for (uint32_t at = key_hash(name, bytes) & schema->slot_mask; schema->slots[at];
	     at = (at + 1) & schema->slot_mask) {
		const struct schema_value *key = &schema->keys[schema->slots[at] - 1];
		if (key->bytes == bytes && memcmp(key->text, name, bytes) == 0)
			return (uint16_t)(schema->slots[at] - 1);
	}
	return schema->key_count;
}

bool schema_matches(const struct schema_automaton *automaton, const char *text, size_t bytes)
{
	uint32_t state = automaton->begin;
	for (size_t i = 0; i < bytes && !(automaton->state[state] & 2); i++)
		state = automaton->table[state * automaton->class_count + automaton->classes[(uint8_t)text[i]]];
	return automaton->state[state] & 1;
}

static bool key_has(const struct schema_key_set *set, uint16_t key)
{
	return set->bits[key / 64] >> key % 64 & 1;
}

static bool name_matches(const struct schema_run *run, uint16_t automaton, const struct schema_member *member)
{
	const struct schema_automaton *a = &run->schema->automata[automaton];
	return member->key < run->schema->key_count ? key_has(&a->known, member->key)
						    : schema_matches(a, member->name, member->name_bytes);
}

/* Every refusal ends here. Returns false. */
static bool refuse(struct schema_run *run, const char *format, ...) printf_like(2, 3);
static bool refuse(struct schema_run *run, const char *format, ...)
{
	if (!run->explain || run->reason[0])
		return false;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(run->reason, sizeof run->reason, format, arguments);
	va_end(arguments);
	snprintf(run->at, sizeof run->at, "%.*s", (int)run->path_bytes, run->path);
	return false;
}

/* A step of the path, only while explaining; what is too long for it is cut. Returns what path_bytes was. */
static size_t step_in(struct schema_run *run, const char *name, size_t bytes, uint32_t index)
{
	size_t before = run->path_bytes, room = sizeof run->path - before;
	if (!run->explain)
		return before;
	int wrote = name ? snprintf(run->path + before, room, "/%.*s", bytes < 200 ? (int)bytes : 200, name)
			 : snprintf(run->path + before, room, "/%u", index);
	run->path_bytes = (size_t)wrote < room ? before + (size_t)wrote : sizeof run->path - 1;
	return before;
}

static bool view_open(struct schema_run *run, uint32_t place, struct view *view)
{
	uint32_t end = json_after(&run->tape, place) - 1;
	*view = (struct view){.first = run->member_count};
	for (uint32_t at = place + 1; at < end; view->count++) {
		if (run->member_count == SCHEMA_MEMBERS_MAX) {
			run->overflow = true;
			return false;
		}
		struct schema_member *member = &run->members[run->member_count++];
		member->name = json_text(&run->tape, at, &member->name_bytes);
		member->key = schema_key(run->schema, member->name, member->name_bytes);
		member->value = ++at;
		if (member->key < run->schema->key_count)
			view->present.bits[member->key / 64] |= UINT64_C(1) << member->key % 64;
		at = json_after(&run->tape, at);
	}
	return true;
}

static void view_close(struct schema_run *run, const struct view *view)
{
	run->member_count = view->first;
}

static bool value_is(const struct schema_run *run, const struct schema_value *value, uint32_t place)
{
	char kind = json_kind(&run->tape, place);
	if (!value->text)
		return kind == (value->boolean ? 't' : 'f');
	if (kind != '"')
		return false;
	uint32_t bytes;
	const char *text = json_text(&run->tape, place, &bytes);
	return bytes == value->bytes && memcmp(text, value->text, bytes) == 0;
}

static bool value_listed(const struct schema_run *run, uint16_t list, uint32_t place)
{
	const uint16_t *at = &run->schema->lists[list];
	for (uint16_t i = 1; i <= at[0]; i++)
		if (value_is(run, &run->schema->values[at[i]], place))
			return true;
	return false;
}

/* `type` says that the node is for other objects: the answer without looking further. */
static bool kind_differs(const struct schema_run *run, const struct schema_node *node, const struct view *view)
{
	if (!node->kinds || !view)
		return false;
	for (uint32_t i = view->first; i < view->first + view->count; i++) {
		const struct schema_member *member = &run->members[i];
		if (member->name_bytes == 4 && memcmp(member->name, "type", 4) == 0)
			return !value_listed(run, node->kinds, member->value);
	}
	return false;
}

static unsigned types_of(const struct schema_run *run, uint32_t place)
{
	double number;
	switch (json_kind(&run->tape, place)) {
	case '{':
		return TYPE_OBJECT;
	case '[':
		return TYPE_ARRAY;
	case '"':
		return TYPE_STRING;
	case 't':
	case 'f':
		return TYPE_BOOLEAN;
	case 'n':
		return TYPE_NULL;
	case 'd':
		number = json_number(&run->tape, place);
		return number == trunc(number) ? TYPE_NUMBER | TYPE_INTEGER : TYPE_NUMBER;
	default:
		return TYPE_NUMBER | TYPE_INTEGER;
	}
}

static const char *type_name(unsigned types)
{
	static const char *const names[] = {"null",     "true or false", "an object",     "a list",
					    "a number", "a text",        "a whole number"};
	return names[types ? 31 - __builtin_clz(types) : 0];
}

static size_t characters(const char *text, size_t bytes)
{
	size_t count = 0;
	for (size_t i = 0; i < bytes; i++)
		count += ((uint8_t)text[i] & 0xc0) != 0x80;
	return count;
}

static bool judge_text(struct schema_run *run, const struct schema_node *node, uint32_t place)
{
	uint32_t bytes;
	const char *text = json_text(&run->tape, place, &bytes);
	int shown = bytes < 80 ? (int)bytes : 80;
	if (node->pattern && !schema_matches(&run->schema->automata[node->pattern], text, bytes))
		return refuse(run, "'%.*s' has not the form of %s", shown, text,
			      node->name ? node->name : "this member");
	if (node->format && !schema_matches(&run->schema->automata[node->format], text, bytes))
		return refuse(run, "'%.*s' is not a URI (RFC 3986) or address", shown, text);
	if ((node->min_length && characters(text, bytes) < node->min_length) ||
	    (node->max_length && characters(text, bytes) > node->max_length))
		return refuse(run, "'%.*s' is too short or too long", shown, text);
	return true;
}

static bool judge_list(struct schema_run *run, const struct schema_node *node, uint32_t place)
{
	uint32_t end = json_after(&run->tape, place) - 1, count = 0;
	bool found = false;
	for (uint32_t at = place + 1; at < end; at = json_after(&run->tape, at), count++) {
		size_t before = step_in(run, NULL, 0, count);
		bool good = !node->items || judge(run, node->items, at, NULL);
		found = found || (node->contains && judge(run, node->contains, at, NULL));
		run->path_bytes = before;
		if (!good)
			return false;
	}
	if (count < node->min_items)
		return refuse(run, "at least %u items were expected", node->min_items);
	return found || !node->contains || refuse(run, "no item is what one must be");
}

static bool judge_member(struct schema_run *run, const struct schema_node *node, const struct schema_member *member)
{
	const struct schema *schema = run->schema;
	bool met = false, good = true;
	if (node->properties && member->key < schema->key_count) {
		uint16_t inner = schema->properties[(size_t)node->properties * schema->key_count + member->key];
		met = inner != 0;
		good = !inner || judge(run, inner, member->value, NULL);
	}
	const uint16_t *patterns = &schema->lists[node->patterns];
	for (uint16_t i = 1; good && i < patterns[0]; i += 2) {
		if (!name_matches(run, patterns[i], member))
			continue;
		met = true;
		good = judge(run, patterns[i + 1], member->value, NULL);
	}
	if (!good || met || !node->additional)
		return good;
	return node->additional == SCHEMA_NOTHING ? refuse(run, "a member of this name is not allowed here")
						  : judge(run, node->additional, member->value, NULL);
}

/* `propertyNames`, of which the schemas here ask only for a form. */
static bool judge_name(struct schema_run *run, const struct schema_node *node, const struct schema_member *member)
{
	uint16_t pattern = run->schema->nodes[node->names].pattern;
	return !pattern || name_matches(run, pattern, member) ||
	       refuse(run, "'%.*s' is not one of the names allowed here",
		      member->name_bytes < 80 ? (int)member->name_bytes : 80, member->name);
}

static bool judge_object(struct schema_run *run, const struct schema_node *node, const struct view *view)
{
	if (node->required) {
		const struct schema_key_set *set = &run->schema->key_sets[node->required];
		for (unsigned i = 0; i < SCHEMA_KEY_WORDS; i++) {
			uint64_t missing = set->bits[i] & ~view->present.bits[i];
			if (missing)
				return refuse(run, "the member %s is missing",
					      run->schema->keys[i * 64 + (unsigned)__builtin_ctzll(missing)].text);
		}
	}
	if (view->count < node->min_properties)
		return refuse(run, "at least %u member was expected", node->min_properties);
	if (!node->properties && !node->patterns && !node->additional && !node->names)
		return true;
	for (uint32_t i = view->first; i < view->first + view->count; i++) {
		const struct schema_member *member = &run->members[i];
		size_t before = step_in(run, member->name, member->name_bytes, 0);
		bool good = (!node->names || judge_name(run, node, member)) && judge_member(run, node, member);
		run->path_bytes = before;
		if (!good)
			return false;
	}
	return true;
}

/* Judge without a word: branches of which one may fail without harm. */
static bool judge_quietly(struct schema_run *run, uint16_t number, uint32_t place, const struct view *view)
{
	bool explain = run->explain;
	run->explain = false;
	bool good = judge(run, number, place, view);
	run->explain = explain;
	return good;
}

static bool judge_branches(struct schema_run *run, uint16_t list, bool only_one, uint32_t place,
			   const struct view *view)
{
	const uint16_t *at = &run->schema->lists[list];
	unsigned good = 0;
	for (uint16_t i = 1; i <= at[0] && (good == 0 || (only_one && good < 2)); i++)
		good += judge_quietly(run, at[i], place, view);
	if (good == 1)
		return true;
	/* The sentence of a branch that is meant for this type, where there is one. */
	for (uint16_t i = 1; good == 0 && run->explain && i <= at[0]; i++)
		if (run->schema->nodes[at[i]].kinds && !kind_differs(run, &run->schema->nodes[at[i]], view))
			(void)!judge(run, at[i], place, view);
	return refuse(run,
		      good ? "it has more than one of %u forms of which it must have one"
			   : "it has none of the %u forms that are allowed",
		      at[0]);
}

static bool judge_combined(struct schema_run *run, const struct schema_node *node, uint32_t place,
			   const struct view *view)
{
	const uint16_t *all = &run->schema->lists[node->all];
	for (uint16_t i = 1; i <= all[0]; i++)
		if (!judge(run, all[i], place, view))
			return false;
	if (node->any && !judge_branches(run, node->any, false, place, view))
		return false;
	if (node->one && !judge_branches(run, node->one, true, place, view))
		return false;
	if (node->not &&judge_quietly(run, node->not, place, view))
		return refuse(run, "it has a form, a value or a member that is not allowed here");
	return !node->if_ || !judge_quietly(run, node->if_, place, view) || judge(run, node->then, place, view);
}

static bool judge_node(struct schema_run *run, const struct schema_node *node, uint32_t place, unsigned types,
		       const struct view *view)
{
	if (node->types && !(node->types & types))
		return refuse(run, "%s was expected", type_name(node->types));
	if (node->values && !value_listed(run, node->values, place))
		return refuse(run, "it is none of the values that are allowed here");
	if (types & TYPE_OBJECT) {
		if (kind_differs(run, node, view))
			return refuse(run, "it is of another type");
		if (!judge_object(run, node, view))
			return false;
	} else if (types & TYPE_ARRAY) {
		if ((node->items || node->contains || node->min_items) && !judge_list(run, node, place))
			return false;
	} else if (types & TYPE_STRING) {
		if (!judge_text(run, node, place))
			return false;
	} else if (types & TYPE_NUMBER) {
		double number = json_number(&run->tape, place);
		if ((node->minimum && number < run->schema->numbers[node->minimum]) ||
		    (node->maximum && number > run->schema->numbers[node->maximum]))
			return refuse(run, "%g is too small or too large", number);
	}
	return judge_combined(run, node, place, view);
}

static bool judge(struct schema_run *run, uint16_t number, uint32_t place, const struct view *view)
{
	const struct schema_node *node = &run->schema->nodes[number];
	unsigned types = types_of(run, place);
	struct view own;
	if (!(types & TYPE_OBJECT) || view)
		return judge_node(run, node, place, types, view);
	bool good = view_open(run, place, &own) && judge_node(run, node, place, types, &own);
	view_close(run, &own);
	return good;
}

int schema_judge(struct schema_run *run, uint16_t node, uint32_t place, struct err *err)
{
	run->member_count = 0;
	run->overflow = run->explain = false;
	run->path_bytes = 0;
	if (judge(run, node, place, NULL))
		return 0;
	if (run->overflow)
		return err_set(err, -E2BIG, "more than %d members", SCHEMA_MEMBERS_MAX);
	run->explain = true;
	run->reason[0] = run->at[0] = '\0';
	(void)!judge(run, node, place, NULL);
	return err_set(err, 1, "%s: %s", run->at[0] ? run->at : "/", run->reason);
}
