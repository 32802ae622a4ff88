/* Members by the ten thousand, for tests and benches of what looks them up: into the registry of a data directory, also
 * while a hub runs on it. One in eight prefixes is IPv6.
 *
 *     many_members DIR MEMBERS PREFIXES_EACH [KEY PREFIX...]    the last one with these prefixes; its number is printed
 */
#include "core/clock.h"
#include "store/members.h"

#include <stdio.h>
#include <stdlib.h>

enum { AT_A_TIME = 1000 };

static json_t *prefixes_of(unsigned member, unsigned each)
{
	json_t *prefixes = json_array();
	for (unsigned i = 0; i < each; i++) {
		unsigned number = member * each + i;
		json_array_append_new(
			prefixes, i % 8 == 7 ? json_sprintf("2400:%x:%x::/48", number >> 16, number & 0xffff)
					     : json_sprintf("%u.%u.%u.%u/28", 20 + (number >> 20), number >> 12 & 255,
							    number >> 4 & 255, (number & 15) << 4));
	}
	return prefixes;
}

static int change(struct registry *registry, json_t *entries)
{
	const struct members_change how = {.who = "test", .now_ns = clock_now_ns()};
	struct err err = {""};
	json_t *report = NULL;
	int result = registry_members_change(registry, entries, &how, &report, &err);
	if (result != 0) {
		char *said = report ? json_dumps(json_array_get(json_object_get(report, "faults"), 0), 0) : NULL;
		fprintf(stderr, "many_members: %s %s\n", err.text, said ? said : "");
		free(said);
	}
	json_decref(report);
	json_decref(entries);
	return result;
}

static json_t *entry(unsigned line, json_t *key, json_t *prefixes)
{
	return json_pack("{s:i, s:{s:O, s:O, s:s, s:o}}", "line", (int)line, "member", "key", key, "name", key, "kind",
			 "municipality", "prefixes", prefixes);
}

int main(int argc, char **argv)
{
	struct registry *registry;
	struct err err = {""};
	if (argc < 4 || registry_open(argv[1], &registry, &err) < 0) {
		fprintf(stderr, "many_members: %s\n",
			argc < 4 ? "DIR MEMBERS PREFIXES_EACH [KEY PREFIX...]" : err.text);
		return 2;
	}
	unsigned members = (unsigned)strtoul(argv[2], NULL, 10), each = (unsigned)strtoul(argv[3], NULL, 10);
	for (unsigned begin = 0; begin < members; begin += AT_A_TIME) {
		json_t *entries = json_array();
		for (unsigned i = begin; i < begin + AT_A_TIME && i < members; i++) {
			json_t *key = json_sprintf("member-%u", i);
			json_array_append_new(entries, entry(i - begin + 1, key, prefixes_of(i, each)));
			json_decref(key);
		}
		if (change(registry, entries) != 0)
			return 1;
	}
	if (argc > 4) {
		uint32_t id = 0;
		json_t *prefixes = json_array(), *entries = json_array(), *key = json_string(argv[4]);
		for (int i = 5; i < argc; i++)
			json_array_append_new(prefixes, json_string(argv[i]));
		json_array_append_new(entries, entry(1, key, prefixes));
		json_decref(key);
		if (change(registry, entries) != 0 || registry_member_find(registry, argv[4], &id, &err) < 0)
			return 1;
		printf("%u\n", id);
	}
	registry_close(registry);
	return 0;
}
