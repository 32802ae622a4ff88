/* Place files to sorted spans: RouteViews/DB-IP's CSV of AS numbers, and a MaxMind DB 2.0 walked from left to right,
 * which yields its prefixes in address order. Parsing is by hand because half a million lines must not delay a start.
 */
#include "sys/places_load.h"

#include "core/hash.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define V4(a, b, c, d) ((u128)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define V6(high) ((u128)UINT64_C(high) << 64)
#define V6_END(high) ((u128)UINT64_C(high) << 64 | UINT64_MAX)

/* IANA IPv4 special-purpose address registry (RFC 6890), where not globally reachable, and class D and E. */
const struct span reserved_v4[] = {
	{V4(0, 0, 0, 0), V4(0, 255, 255, 255)},       {V4(10, 0, 0, 0), V4(10, 255, 255, 255)},
	{V4(100, 64, 0, 0), V4(100, 127, 255, 255)},  {V4(127, 0, 0, 0), V4(127, 255, 255, 255)},
	{V4(169, 254, 0, 0), V4(169, 254, 255, 255)}, {V4(172, 16, 0, 0), V4(172, 31, 255, 255)},
	{V4(192, 0, 0, 0), V4(192, 0, 0, 255)},       {V4(192, 0, 2, 0), V4(192, 0, 2, 255)},
	{V4(192, 168, 0, 0), V4(192, 168, 255, 255)}, {V4(198, 18, 0, 0), V4(198, 19, 255, 255)},
	{V4(198, 51, 100, 0), V4(198, 51, 100, 255)}, {V4(203, 0, 113, 0), V4(203, 0, 113, 255)},
	{V4(224, 0, 0, 0), V4(255, 255, 255, 255)},
};
const size_t reserved_v4_count = sizeof reserved_v4 / sizeof *reserved_v4;

/* Everything but 2000::/3, and in it: benchmarking, ORCHIDv2, documentation (RFC 3849, RFC 9637). */
const struct span reserved_v6[] = {
	{0, V6_END(0x1fffffffffffffff)},
	{V6(0x2001000200000000), V6_END(0x200100020000ffff)},
	{V6(0x2001002000000000), V6_END(0x2001002fffffffff)},
	{V6(0x20010db800000000), V6_END(0x20010db8ffffffff)},
	{V6(0x3fff000000000000), V6_END(0x3fff0fffffffffff)},
	{V6(0x4000000000000000), V6_END(0xffffffffffffffff)},
};
const size_t reserved_v6_count = sizeof reserved_v6 / sizeof *reserved_v6;

int span_add(struct span_list *list, u128 first, u128 last, uint32_t value)
{
	if (list->count) {
		struct span *previous = &list->items[list->count - 1];
		if (previous->value == value && previous->last + 1 == first) {
			previous->last = last;
			return 0;
		}
	}
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 4096;
		struct span *items = realloc(list->items, room * sizeof *items);
		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = (struct span){first, last, value};
	return 0;
}

void network_names_done(struct network_names *names)
{
	free(names->numbers);
	free(names->offsets);
	free(names->texts);
	*names = (struct network_names){0};
}

static size_t name_slot(const struct network_names *names, uint32_t network)
{
	size_t slot = hash_u64(network) & (names->slots - 1);
	while (names->numbers[slot] && names->numbers[slot] != network)
		slot = (slot + 1) & (names->slots - 1);
	return slot;
}

const char *network_name_find(const struct network_names *names, uint32_t network)
{
	if (!names->slots || !network)
		return "";
	size_t slot = name_slot(names, network);
	return names->numbers[slot] ? names->texts + names->offsets[slot] : "";
}

static int names_grow(struct network_names *names)
{
	struct network_names grown = *names;
	grown.slots = names->slots ? names->slots * 2 : 4096;
	grown.numbers = calloc(grown.slots, sizeof *grown.numbers);
	grown.offsets = calloc(grown.slots, sizeof *grown.offsets);
	if (!grown.numbers || !grown.offsets) {
		free(grown.numbers);
		free(grown.offsets);
		return -ENOMEM;
	}
	for (size_t i = 0; i < names->slots; i++)
		if (names->numbers[i]) {
			size_t slot = name_slot(&grown, names->numbers[i]);
			grown.numbers[slot] = names->numbers[i];
			grown.offsets[slot] = names->offsets[i];
		}
	free(names->numbers);
	free(names->offsets);
	*names = grown;
	return 0;
}

/* Keep the field's text once per AS: quotes undone, the first name wins. */
static int name_add(struct network_names *names, uint32_t network, const char *field, size_t length)
{
	if (names->used * 2 >= names->slots && names_grow(names) < 0)
		return -ENOMEM;
	size_t slot = name_slot(names, network);
	if (names->numbers[slot])
		return 0;
	if (names->texts_room - names->texts_used < length + 1) {
		size_t room = (names->texts_room + length + 1) * 2 + 65536;
		char *texts = realloc(names->texts, room);
		if (!texts)
			return -ENOMEM;
		names->texts = texts;
		names->texts_room = room;
	}
	char *to = names->texts + names->texts_used;
	bool quoted = length >= 2 && field[0] == '"' && field[length - 1] == '"';
	size_t end = quoted ? length - 1 : length;
	for (size_t i = quoted; i < end; i++) {
		if (quoted && field[i] == '"' && i + 1 < end && field[i + 1] == '"')
			i++;
		*to++ = field[i];
	}
	*to++ = '\0';
	names->numbers[slot] = network;
	names->offsets[slot] = (uint32_t)names->texts_used;
	names->texts_used = (size_t)(to - names->texts);
	names->used++;
	return 0;
}

/* The address up to the comma; moves past it. False when there is none. */
static bool take_address(const char **at, const char *end, u128 *ret)
{
	char text[INET6_ADDRSTRLEN + 1];
	const char *comma = memchr(*at, ',', (size_t)(end - *at));
	if (!comma || (size_t)(comma - *at) >= sizeof text)
		return false;
	size_t length = (size_t)(comma - *at);
	memcpy(text, *at, length);
	text[length] = '\0';
	*at = comma + 1;
	uint8_t bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret = V4(bytes[0], bytes[1], bytes[2], bytes[3]);
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	u128 value = 0;
	for (int i = 0; i < 16; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	return true;
}

static bool take_number(const char **at, const char *end, uint32_t *ret)
{
	uint64_t value = 0;
	const char *begin = *at;
	while (*at < end && **at >= '0' && **at <= '9' && value <= UINT32_MAX)
		value = value * 10 + (uint64_t)(*(*at)++ - '0');
	if (*at == begin || *at == end || **at != ',' || value > UINT32_MAX)
		return false;
	(*at)++;
	*ret = (uint32_t)value;
	return true;
}

int networks_parse(const char *data, size_t bytes, const char *where, struct span_list *spans,
		   struct network_names *names, struct err *err)
{
	const char *at = data, *end = data + bytes;
	for (size_t line = 1; at < end; line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *next = stop ? stop + 1 : end;
		if (!stop)
			stop = end;
		if (stop > at && stop[-1] == '\r')
			stop--;
		u128 first, last;
		uint32_t network;
		if (!take_address(&at, stop, &first) || !take_address(&at, stop, &last) ||
		    !take_number(&at, stop, &network))
			return err_set(err, -EINVAL, "%s:%zu: expected 'first,last,AS number,name'", where, line);
		struct span *previous = spans->count ? &spans->items[spans->count - 1] : NULL;
		if (last < first || (previous && previous->first >= first))
			return err_set(err, -EINVAL, "%s:%zu: ranges must be in order and not empty", where, line);
		if (previous && previous->last >= first)
			previous->last = first - 1;
		if (span_add(spans, first, last, network) < 0 ||
		    (network && name_add(names, network, at, (size_t)(stop - at)) < 0))
			return err_set(err, -ENOMEM, "%s: no memory for networks", where);
		at = next;
	}
	return 0;
}

int networks_load(const char *path, struct span_list *spans, struct network_names *names, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = -errno;
		if (fd >= 0)
			close(fd);
		return err_set(err, code, "%s: %s", path, strerror(-code));
	}
	void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return err_set(err, -EINVAL, "%s: cannot be mapped (is it empty?)", path);
	int code = networks_parse(data, (size_t)status.st_size, path, spans, names, err);
	munmap(data, (size_t)status.st_size);
	return code;
}

/* A walk over the tree. Entries repeat (there are as many as countries), so their decoding is remembered. */
struct walk {
	MMDB_s *db;
	struct span_list *v4, *v6;
	struct {
		uint32_t offset;
		uint16_t country;
	} known[1024];
};

static int walk_leaf(struct walk *walk, MMDB_entry_s *entry, uint16_t *ret_country)
{
	size_t slot = hash_u64(entry->offset) & 1023;
	if (walk->known[slot].offset != entry->offset + 1) {
		MMDB_entry_data_s value;
		uint16_t country = 0;
		if (MMDB_get_value(entry, &value, "country_code", NULL) == MMDB_SUCCESS && value.has_data &&
		    value.type == MMDB_DATA_TYPE_UTF8_STRING && value.data_size == 2)
			country = (uint16_t)((uint8_t)value.utf8_string[0] << 8 | (uint8_t)value.utf8_string[1]);
		walk->known[slot].offset = entry->offset + 1;
		walk->known[slot].country = country;
	}
	*ret_country = walk->known[slot].country;
	return 0;
}

/* `depth` bits of `prefix` are fixed. Outside ::/96 and 2000::/3 the tree holds only aliases of IPv4. */
static int walk_record(struct walk *walk, uint8_t type, uint64_t record, MMDB_entry_s *entry, u128 prefix, int depth)
{
	u128 last = depth == 128 ? prefix : prefix | (~(u128)0 >> depth);
	bool v4 = depth >= 96 ? prefix >> 32 == 0 : prefix == 0;
	bool v6 = depth >= 3 ? prefix >> 125 == 1 : (prefix | (u128)1 << 125) <= last;
	if (!v4 && !v6)
		return 0;
	if (type == MMDB_RECORD_TYPE_EMPTY)
		return 0;
	if (type == MMDB_RECORD_TYPE_DATA) {
		uint16_t country;
		walk_leaf(walk, entry, &country);
		if (!country || (v4 && depth < 96))
			return 0;
		return span_add(v4 ? walk->v4 : walk->v6, prefix, last, country);
	}
	MMDB_search_node_s node;
	if (type != MMDB_RECORD_TYPE_SEARCH_NODE || depth >= 128 ||
	    MMDB_read_node(walk->db, (uint32_t)record, &node) != MMDB_SUCCESS)
		return -EINVAL;
	int code =
		walk_record(walk, node.left_record_type, node.left_record, &node.left_record_entry, prefix, depth + 1);
	if (code < 0)
		return code;
	return walk_record(walk, node.right_record_type, node.right_record, &node.right_record_entry,
			   prefix | (u128)1 << (127 - depth), depth + 1);
}

int countries_load(const char *path, struct span_list *v4, struct span_list *v6, struct err *err)
{
	if (access(path, R_OK) < 0) {
		int code = -errno;
		return err_set(err, code, "%s: %s", path, strerror(-code));
	}
	MMDB_s db;
	int status = MMDB_open(path, MMDB_MODE_MMAP, &db);
	if (status != MMDB_SUCCESS)
		return err_set(err, -EINVAL, "%s: not a MaxMind DB: %s", path, MMDB_strerror(status));
	int code = -EINVAL;
	struct walk *walk = calloc(1, sizeof *walk);
	if (!walk) {
		code = err_set(err, -ENOMEM, "%s: no memory", path);
	} else if (db.metadata.ip_version != 6) {
		code = err_set(err, -EINVAL, "%s: expected an IPv6 tree (which holds IPv4 at ::/96)", path);
	} else {
		*walk = (struct walk){.db = &db, .v4 = v4, .v6 = v6};
		code = walk_record(walk, MMDB_RECORD_TYPE_SEARCH_NODE, 0, NULL, 0, 0);
		if (code == -EINVAL)
			err_set(err, code, "%s: the tree leads outside the file", path);
		else if (code < 0)
			err_set(err, code, "%s: no memory", path);
	}
	free(walk);
	MMDB_close(&db);
	return code;
}
