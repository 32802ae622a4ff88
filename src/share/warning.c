/* See warning.h. Made once, then only read: names and strings in one hash table, prefixes in a longest-prefix match,
 * and their beginnings sorted, so that a network is found that holds a listed one. */
#include "share/warning.h"

#include "core/addr.h"
#include "core/lpm.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { LISTS_MAX = 1024, ITEMS_MAX = 4 << 20, FILE_BYTES_MAX = 64 << 20, NAME_BYTES_MAX = 253 };

struct list {
	const char *name;
	uint32_t kinds; /* a bit each */
	bool below;     /* also what is below a name */
};

struct item {
	uint64_t hash; /* 0: free */
	uint16_t list;
};

struct warning_lists {
	struct pool *pool;
	struct list lists[LISTS_MAX];
	size_t count;
	struct item *items; /* open addressing */
	size_t item_room, item_count;
	struct lpm *prefixes;
	struct lpm_entry *entries; /* while loading; sorted by address afterwards */
	size_t entry_count, entry_room;
};

static uint32_t kinds_of(const json_t *attributes)
{
	static const struct {
		const char *part;
		uint32_t kinds;
	} parts[] = {
		{"ip-", 1U << KIND_IPV4 | 1U << KIND_IPV6},
		{"domain", 1U << KIND_DOMAIN},
		{"hostname", 1U << KIND_DOMAIN},
		{"url", 1U << KIND_URL},
		{"uri", 1U << KIND_URL},
		{"email", 1U << KIND_EMAIL},
		{"md5", 1U << KIND_MD5},
		{"sha1", 1U << KIND_SHA1},
		{"sha256", 1U << KIND_SHA256},
		{"sha512", 1U << KIND_SHA512},
		{"AS", 1U << KIND_ASN},
	};
	uint32_t kinds = 0;
	size_t i;
	json_t *attribute;
	json_array_foreach(attributes, i, attribute)
	{
		const char *name = json_string_value(attribute);
		for (size_t p = 0; name && p < sizeof parts / sizeof *parts; p++)
			kinds |= strstr(name, parts[p].part) ? parts[p].kinds : 0;
	}
	return kinds;
}

static int items_grow(struct warning_lists *lists)
{
	size_t room = lists->item_room ? lists->item_room * 2 : 1 << 14;
	struct item *grown = pool_array(lists->pool, room, sizeof *grown);
	if (!grown || room > ITEMS_MAX * 2)
		return -ENOMEM;
	for (size_t i = 0; i < lists->item_room; i++) {
		size_t at = lists->items[i].hash & (room - 1);
		if (!lists->items[i].hash)
			continue;
		while (grown[at].hash)
			at = (at + 1) & (room - 1);
		grown[at] = lists->items[i];
	}
	pool_release(lists->pool, lists->items);
	lists->items = grown;
	lists->item_room = room;
	return 0;
}

/* Of a name's normal form; lists write them in capitals and with a dot in front. */
static uint64_t text_hash(const char *text, size_t bytes)
{
	char low[NAME_BYTES_MAX * 4];
	if (bytes > sizeof low)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		low[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
	uint64_t hash = XXH3_64bits(low, bytes);
	return hash ? hash : 1;
}

static int text_add(struct warning_lists *lists, const char *text, uint16_t list)
{
	text += *text == '.';
	size_t bytes = strlen(text);
	uint64_t hash = text_hash(text, bytes);
	if (bytes == 0 || hash == 0)
		return 0;
	if (lists->item_count * 2 >= lists->item_room && items_grow(lists) < 0)
		return -ENOMEM;
	size_t at = hash & (lists->item_room - 1);
	while (lists->items[at].hash)
		at = (at + 1) & (lists->item_room - 1);
	lists->items[at] = (struct item){hash, list};
	lists->item_count++;
	return 0;
}

static int prefix_add(struct warning_lists *lists, const char *text, uint16_t list)
{
	struct prefix prefix;
	if (prefix_parse(text, &prefix, NULL) < 0)
		return 0; /* lists are made by scripts from other pages; one stray line does not matter */
	if (lists->entry_count == lists->entry_room) {
		size_t room = lists->entry_room ? lists->entry_room * 2 : 1024;
		struct lpm_entry *grown = room <= ITEMS_MAX ? realloc(lists->entries, room * sizeof *grown) : NULL;
		if (!grown)
			return -ENOMEM;
		lists->entries = grown;
		lists->entry_room = room;
	}
	lists->entries[lists->entry_count++] = (struct lpm_entry){prefix, list + 1U};
	return 0;
}

static int list_add(struct warning_lists *lists, const json_t *json, const char *path, struct err *err)
{
	const char *name = json_string_value(json_object_get(json, "name")),
		   *type = json_string_value(json_object_get(json, "type"));
	const json_t *items = json_object_get(json, "list");
	size_t i;
	json_t *item;
	int result = 0;
	if (!name || !type || !json_is_array(items))
		return err_set(err, 1, "%s: name, type and list were expected (MISP warninglist format)", path);
	if (strcmp(type, "regex") == 0)
		return err_set(err, 1, "%s: lists of regular expressions are not read", path);
	if (lists->count == LISTS_MAX)
		return err_set(err, 1, "%s: more than %d lists", path, LISTS_MAX);
	uint16_t number = (uint16_t)lists->count++;
	lists->lists[number] =
		(struct list){pool_text(lists->pool, name), kinds_of(json_object_get(json, "matching_attributes")),
			      strcmp(type, "hostname") == 0 || strcmp(type, "substring") == 0};
	bool addresses = strcmp(type, "cidr") == 0;
	json_array_foreach(items, i, item)
	{
		const char *text = json_string_value(item);
		struct addr addr;
		if (!text || result < 0)
			continue;
		result = addresses || addr_parse(text, &addr, NULL) == 0 ? prefix_add(lists, text, number)
									 : text_add(lists, text, number);
	}
	return result < 0 || !lists->lists[number].name ? -ENOMEM : 0;
}

static int file_add(struct warning_lists *lists, const char *path, struct err *err)
{
	json_error_t error;
	json_t *json = json_load_file(path, 0, &error);
	int result =
		json ? list_add(lists, json, path, err) : err_set(err, 1, "%s:%d: %s", path, error.line, error.text);
	json_decref(json);
	return result;
}

static int is_list(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int folder_add(struct warning_lists *lists, const char *folder, unsigned *refused, struct err *err)
{
	struct dirent **entries;
	int count = folder ? scandir(folder, &entries, is_list, alphasort) : 0, result = 0;
	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		int one = result == 0 ? file_add(lists, path, err) : result;
		*refused += one == 1;
		result = one < 0 ? one : result;
		free(entries[i]);
	}
	if (count > 0)
		free(entries);
	return result;
}

static int by_address(const void *a, const void *b)
{
	const struct lpm_entry *x = a, *y = b;
	return addr_compare(&x->prefix.addr, &y->prefix.addr);
}

int warning_lists_load(const char *const *folders, size_t count, struct warning_lists **ret_lists,
		       unsigned *ret_refused, struct err *err)
{
	struct warning_lists *lists = calloc(1, sizeof *lists);
	int result = lists && (lists->pool = pool_new(NULL, "warninglists")) ? 0 : -ENOMEM;
	*ret_refused = 0;
	for (size_t i = 0; i < count && result == 0; i++)
		result = folder_add(lists, folders[i], ret_refused, err);
	if (result == 0)
		result = lpm_new(lists->entries, lists->entry_count, lists->pool, &lists->prefixes, err);
	if (result < 0) {
		warning_lists_free(lists);
		return result;
	}
	if (lists->entry_count)
		qsort(lists->entries, lists->entry_count, sizeof *lists->entries, by_address);
	*ret_lists = lists;
	return 0;
}

void warning_lists_free(struct warning_lists *lists)
{
	if (!lists)
		return;
	free(lists->entries);
	pool_free(lists->pool);
	free(lists);
}

size_t warning_lists_count(const struct warning_lists *lists)
{
	return lists ? lists->count : 0;
}

static const struct list *text_find(const struct warning_lists *lists, const char *text, size_t bytes, unsigned kind,
				    bool below)
{
	uint64_t hash = text_hash(text, bytes);
	if (!lists->item_room || hash == 0)
		return NULL;
	for (size_t at = hash & (lists->item_room - 1); lists->items[at].hash; at = (at + 1) & (lists->item_room - 1)) {
		const struct list *list = &lists->lists[lists->items[at].list];
		if (lists->items[at].hash == hash && list->kinds >> kind & 1 && (list->below || !below))
			return list;
	}
	return NULL;
}

/* A name, and every name that it is below of. */
static const struct list *name_find(const struct warning_lists *lists, const char *name, size_t bytes, unsigned kind)
{
	const struct list *found = text_find(lists, name, bytes, kind, false);
	for (const char *dot; !found && (dot = memchr(name, '.', bytes));) {
		bytes -= (size_t)(dot + 1 - name);
		name = dot + 1;
		found = text_find(lists, name, bytes, kind, true);
	}
	return found;
}

static const struct list *address_find(const struct warning_lists *lists, const char *text, unsigned kind)
{
	struct prefix prefix;
	if (prefix_parse(text, &prefix, NULL) < 0)
		return NULL;
	uint32_t value = addr_is_v4(&prefix.addr) && prefix.bits >= 96
				 ? lpm_find_v4(lists->prefixes, addr_to_v4(&prefix.addr))
				 : lpm_find_v6(lists->prefixes, prefix.addr.bytes);
	struct addr last = prefix_last(&prefix);
	size_t low = 0, high = value ? 0 : lists->entry_count;
	while (low < high) { /* the first listed network that begins in this one */
		size_t middle = low + (high - low) / 2;
		if (addr_compare(&lists->entries[middle].prefix.addr, &prefix.addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!value && low < lists->entry_count && addr_compare(&lists->entries[low].prefix.addr, &last) <= 0)
		value = lists->entries[low].value;
	const struct list *list = value ? &lists->lists[value - 1] : NULL;
	return list && list->kinds >> kind & 1 ? list : NULL;
}

const char *warning_lists_find(const struct warning_lists *lists, const struct indicator_value *value)
{
	char text[PREFIX_TEXT_BYTES];
	const struct list *found = NULL;
	const char *begin = value->text, *end = value->text + value->bytes, *at;
	if (!lists)
		return NULL;
	switch (value->kind) {
	case KIND_IPV4:
	case KIND_IPV6:
		snprintf(text, sizeof text, "%.*s", (int)value->bytes, value->text);
		found = address_find(lists, text, value->kind);
		break;
	case KIND_DOMAIN:
		found = name_find(lists, begin, value->bytes, KIND_DOMAIN);
		break;
	case KIND_EMAIL:
		at = memchr(begin, '@', value->bytes);
		found = at ? name_find(lists, at + 1, (size_t)(end - at - 1), KIND_EMAIL) : NULL;
		break;
	case KIND_URL:
		at = memmem(begin, value->bytes, "://", 3);
		begin = at ? at + 3 : begin;
		for (at = begin; at < end && !strchr("/?#:", *at); at++)
			;
		found = text_find(lists, value->text, value->bytes, KIND_URL, false);
		if (!found)
			found = name_find(lists, begin, (size_t)(at - begin), KIND_URL);
		break;
	default:
		found = text_find(lists, begin, value->bytes, value->kind, false);
	}
	return found ? found->name : NULL;
}
