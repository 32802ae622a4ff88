/* Answers of share/sharing.h to a script of changes and questions on standard input, a line each; sharing_oracle.py
 * writes the script and knows the answers in another way. */
#include "share/sharing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MEMBERS = 64, GROUPS = 32, OBJECTS = 64 };

static struct {
	bool there, confidential, named[MEMBERS], holds[GROUPS];
} groups[GROUPS];
static struct {
	bool there;
	unsigned parent, clearance;
} members[MEMBERS];
static struct sharing_object objects[OBJECTS];
static uint32_t released[OBJECTS][GROUPS];

static struct sharing_member world_members[MEMBERS];
static struct sharing_group world_groups[GROUPS];
static uint32_t names[GROUPS][MEMBERS], parts[GROUPS][GROUPS];
static struct sharing_world world = {.members = world_members, .groups = world_groups};

static void world_make(void)
{
	world.member_count = world.group_count = 0;
	for (unsigned i = 1; i < MEMBERS; i++)
		if (members[i].there)
			world_members[world.member_count++] = (struct sharing_member){
				.id = i, .parent = members[i].parent, .clearance = (enum tlp)members[i].clearance};
	for (unsigned g = 1; g < GROUPS; g++) {
		size_t named = 0, held = 0;
		for (unsigned i = 1; i < MEMBERS; i++)
			if (groups[g].named[i])
				names[g][named++] = i;
		for (unsigned i = 1; i < GROUPS; i++)
			if (groups[g].holds[i])
				parts[g][held++] = i;
		if (groups[g].there)
			world_groups[world.group_count++] =
				(struct sharing_group){.id = g,
						       .confidential = groups[g].confidential,
						       .members = names[g],
						       .groups = parts[g],
						       .member_count = named,
						       .group_count = held};
	}
}

static void change(char what, const unsigned n[4], const char *rest)
{
	if (what == 'm') {
		members[n[0]].there = n[1];
		members[n[0]].parent = n[2];
		members[n[0]].clearance = n[3];
	} else if (what == 'g') {
		groups[n[0]].there = n[1];
		groups[n[0]].confidential = n[2];
	} else if (what == 'n') {
		groups[n[0]].named[n[1]] = n[2];
	} else if (what == 'p') {
		bool circle = n[2] && sharing_would_circle(&world, n[0], n[1]);
		groups[n[0]].holds[n[1]] = n[2] && !circle;
		printf("%d\n", circle);
	} else if (what == 'o') {
		struct sharing_object *object = &objects[n[0]];
		*object = (struct sharing_object){
			.tlp = (enum tlp)n[1], .originator = n[2], .anonymous = n[3], .groups = released[n[0]]};
		int used = 0;
		while (sscanf(rest, "%" SCNu32 "%n", &released[n[0]][object->group_count], &used) == 1) {
			object->group_count++;
			rest += used;
		}
	}
	world_make();
}

static void answer(char what, const unsigned n[4])
{
	const struct sharing_viewer viewer = {.rank = (enum sharing_rank)n[0], .member = n[1]};
	if (what == '?')
		printf("%d %d\n", sharing_sees(&world, &viewer, &objects[n[2]]),
		       sharing_knows_originator(&world, &viewer, &objects[n[2]]));
	else if (what == 'q')
		printf("%d %d\n", sharing_most(&world, &viewer, n[2]), sharing_knows_group(&world, &viewer, n[2]));
	else
		printf("%d\n", sharing_knows_participant(&world, &viewer, n[2], n[3]));
}

int main(void)
{
	char line[512], what;
	unsigned n[4];
	while (fgets(line, sizeof line, stdin)) {
		int used = 0;
		memset(n, 0, sizeof n);
		if (sscanf(line, "%c %u %u %u %u%n", &what, &n[0], &n[1], &n[2], &n[3], &used) < 5)
			return 1;
		if (strchr("?qk", what))
			answer(what, n);
		else
			change(what, n, line + used);
	}
	return 0;
}
