/* See sharing.h, which says the rules; each is a function here. */
#include "share/sharing.h"

#include <stdlib.h>

struct set {
	uint64_t words[SHARING_GROUPS_MAX / 64];
};

static bool set_has(const struct set *set, size_t at)
{
	return set->words[at / 64] >> (at % 64) & 1;
}

static void set_add(struct set *set, size_t at)
{
	set->words[at / 64] |= UINT64_C(1) << (at % 64);
}

static int by_id(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
	return one < other ? -1 : one > other;
}

static const struct sharing_group *group_find(const struct sharing_world *world, uint32_t id)
{
	return world->group_count ? bsearch(&id, world->groups, world->group_count, sizeof *world->groups, by_id)
				  : NULL;
}

static const struct sharing_member *member_find(const struct sharing_world *world, uint32_t id)
{
	return world->member_count ? bsearch(&id, world->members, world->member_count, sizeof *world->members, by_id)
				   : NULL;
}

static bool names(const struct sharing_group *group, uint32_t member)
{
	return group->member_count && bsearch(&member, group->members, group->member_count, sizeof member, by_id);
}

static bool is_open(const void *context, const struct sharing_group *group)
{
	(void)context;
	return !group->confidential;
}

/* Whether the member is named in the group or in one that lies in it, on a way that `may` allows at every group;
 * with member 0, whether `wanted` lies in it. */
static bool lies_in(const struct sharing_world *world, const struct sharing_group *from, uint32_t member,
		    const struct sharing_group *wanted, bool (*may)(const void *, const struct sharing_group *),
		    const void *context)
{
	struct set met = {{0}};
	const struct sharing_group *waiting[SHARING_GROUPS_MAX];
	size_t count = 1;
	waiting[0] = from;
	set_add(&met, (size_t)(from - world->groups));
	while (count > 0) {
		const struct sharing_group *group = waiting[--count];
		if (may && !may(context, group))
			continue;
		if (group == wanted || (member && names(group, member)))
			return true;
		for (size_t i = 0; i < group->group_count; i++) {
			const struct sharing_group *part = group_find(world, group->groups[i]);
			if (!part || set_has(&met, (size_t)(part - world->groups)))
				continue;
			set_add(&met, (size_t)(part - world->groups));
			waiting[count++] = part;
		}
	}
	return false;
}

static bool takes_part(const struct sharing_world *world, const struct sharing_group *group, uint32_t member)
{
	return member_find(world, member) && lies_in(world, group, member, NULL, NULL, NULL);
}

static bool stands_behind(const struct sharing_world *world, const struct sharing_group *group,
			  const struct sharing_member *member)
{
	for (unsigned hops = 0; hops < SHARING_BEHIND_MAX && member && member->parent; hops++) {
		member = member_find(world, member->parent);
		if (member && lies_in(world, group, member->id, NULL, is_open, NULL))
			return true;
	}
	return false;
}

/* How far the tie of a member to a group carries. */
static int tie_most(const struct sharing_world *world, const struct sharing_group *group,
		    const struct sharing_member *member)
{
	if (names(group, member->id))
		return TLP_RED;
	if (takes_part(world, group, member->id))
		return TLP_AMBER_STRICT;
	return stands_behind(world, group, member) ? TLP_AMBER : -1;
}

int sharing_most(const struct sharing_world *world, const struct sharing_viewer *viewer, uint32_t id)
{
	const struct sharing_group *group = group_find(world, id);
	if (!group)
		return -1;
	if (viewer->rank == SHARING_OPERATOR || (viewer->rank == SHARING_STAFF && !group->confidential))
		return TLP_RED;
	const struct sharing_member *member =
		viewer->rank == SHARING_MEMBER ? member_find(world, viewer->member) : NULL;
	if (!member)
		return -1;
	int most = tie_most(world, group, member);
	return most < (int)member->clearance ? most : (int)member->clearance;
}

static bool brought(const struct sharing_world *world, const struct sharing_viewer *viewer,
		    const struct sharing_object *object)
{
	return viewer->rank == SHARING_MEMBER && object->originator && viewer->member == object->originator &&
	       member_find(world, viewer->member);
}

bool sharing_sees(const struct sharing_world *world, const struct sharing_viewer *viewer,
		  const struct sharing_object *object)
{
	if (viewer->rank == SHARING_OPERATOR || brought(world, viewer, object))
		return true;
	if (viewer->rank == SHARING_STAFF && !object->originator && !object->group_count)
		return true;
	for (size_t i = 0; i < object->group_count; i++)
		if (sharing_most(world, viewer, object->groups[i]) >= (int)object->tlp)
			return true;
	return false;
}

bool sharing_knows_originator(const struct sharing_world *world, const struct sharing_viewer *viewer,
			      const struct sharing_object *object)
{
	if (!object->originator)
		return false;
	if (viewer->rank == SHARING_OPERATOR || brought(world, viewer, object))
		return true;
	return !object->anonymous && sharing_sees(world, viewer, object);
}

struct knowing {
	const struct sharing_world *world;
	const struct sharing_viewer *viewer;
};

static bool knows(const void *context, const struct sharing_group *group)
{
	const struct knowing *knowing = context;
	switch (knowing->viewer->rank) {
	case SHARING_OPERATOR:
		return true;
	case SHARING_STAFF:
		return !group->confidential;
	case SHARING_MEMBER:
		return member_find(knowing->world, knowing->viewer->member) &&
		       (!group->confidential || takes_part(knowing->world, group, knowing->viewer->member));
	default:
		return false;
	}
}

bool sharing_knows_group(const struct sharing_world *world, const struct sharing_viewer *viewer, uint32_t id)
{
	const struct sharing_group *group = group_find(world, id);
	const struct knowing knowing = {world, viewer};
	return group && knows(&knowing, group);
}

/* Those who take part know each other, but for whom a group brings in of which the viewer knows nothing. */
bool sharing_knows_participant(const struct sharing_world *world, const struct sharing_viewer *viewer, uint32_t id,
			       uint32_t member)
{
	const struct sharing_group *group = group_find(world, id);
	const struct knowing knowing = {world, viewer};
	if (!group || !member_find(world, member))
		return false;
	if (viewer->rank == SHARING_MEMBER && !takes_part(world, group, viewer->member))
		return false;
	return lies_in(world, group, member, NULL, knows, &knowing);
}

bool sharing_would_circle(const struct sharing_world *world, uint32_t id, uint32_t part_id)
{
	const struct sharing_group *group = group_find(world, id), *part = group_find(world, part_id);
	return id == part_id || (group && part && lies_in(world, part, 0, group, NULL, NULL));
}
