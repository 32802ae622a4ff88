/* See audience.h. The world is read anew when the registry's version says that it changed. */
#include "share/audience.h"

#include "core/clock.h"
#include "store/groups.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct audiences {
	struct registry *registry;
	pthread_rwlock_t lock;
	bool read;
	uint64_t version;
	struct groups_world rows; /* the collections of groups */
	struct sharing_world world;
	struct sharing_member *members;
	struct sharing_group *groups;
	uint32_t *ties;
};

struct audiences *audiences_new(struct registry *registry)
{
	struct audiences *audiences = calloc(1, sizeof *audiences);
	if (!audiences)
		return NULL;
	audiences->registry = registry;
	pthread_rwlock_init(&audiences->lock, NULL);
	return audiences;
}

static void world_drop(struct audiences *audiences)
{
	groups_world_done(&audiences->rows);
	free(audiences->members);
	free(audiences->groups);
	free(audiences->ties);
	audiences->members = NULL;
	audiences->groups = NULL;
	audiences->ties = NULL;
	audiences->world = (struct sharing_world){.member_count = 0};
	audiences->read = false;
}

void audiences_free(struct audiences *audiences)
{
	if (!audiences)
		return;
	world_drop(audiences);
	pthread_rwlock_destroy(&audiences->lock);
	free(audiences);
}

/* The ties of one group, which lie together in both lists. */
static size_t ties_take(const struct groups_tie *ties, size_t count, size_t *at, uint32_t group, uint32_t *to)
{
	size_t taken = 0;
	while (*at < count && ties[*at].group < group)
		*at += 1;
	for (; *at < count && ties[*at].group == group; *at += 1)
		to[taken++] = ties[*at].of;
	return taken;
}

static int world_make(struct audiences *audiences, struct err *err)
{
	const struct groups_world *rows = &audiences->rows;
	size_t named = 0, held = 0;
	audiences->members = calloc(rows->member_count + 1, sizeof *audiences->members);
	audiences->groups = calloc(rows->group_count + 1, sizeof *audiences->groups);
	audiences->ties = calloc(rows->named_count + rows->held_count + 1, sizeof *audiences->ties);
	if (!audiences->members || !audiences->groups || !audiences->ties)
		return err_set(err, -ENOMEM, "no memory for the groups");
	for (size_t i = 0; i < rows->member_count; i++)
		audiences->members[i] = (struct sharing_member){.id = rows->members[i].id,
								.parent = rows->members[i].parent,
								.clearance = (enum tlp)rows->members[i].clearance};
	uint32_t *ties = audiences->ties;
	for (size_t i = 0; i < rows->group_count; i++) {
		struct sharing_group *group = &audiences->groups[i];
		*group = (struct sharing_group){.id = rows->groups[i].id, .confidential = rows->groups[i].confidential};
		group->members = ties;
		group->member_count = ties_take(rows->named, rows->named_count, &named, group->id, ties);
		group->groups = ties += group->member_count;
		group->group_count = ties_take(rows->held, rows->held_count, &held, group->id, ties);
		ties += group->group_count;
	}
	audiences->world =
		(struct sharing_world){audiences->members, audiences->groups, rows->member_count, rows->group_count};
	audiences->version = rows->version;
	audiences->read = true;
	return 0;
}

static int world_read(struct audiences *audiences, uint64_t version, struct err *err)
{
	if (audiences->read && audiences->version == version)
		return 0;
	world_drop(audiences);
	int code = registry_groups_world(audiences->registry, clock_now_ns(), &audiences->rows, err);
	if (code == 0 && audiences->rows.group_count > SHARING_GROUPS_MAX)
		code = err_set(err, -EMSGSIZE, "there are more than %d groups", SHARING_GROUPS_MAX);
	if (code == 0)
		code = world_make(audiences, err);
	if (code < 0)
		world_drop(audiences);
	return code;
}

int audiences_take(struct audiences *audiences, const struct sharing_world **ret_world, struct err *err)
{
	uint64_t version;
	int code = registry_groups_version(audiences->registry, clock_now_ns(), &version, err);
	if (code < 0)
		return code;
	pthread_rwlock_rdlock(&audiences->lock);
	while (!audiences->read || audiences->version < version) {
		pthread_rwlock_unlock(&audiences->lock);
		pthread_rwlock_wrlock(&audiences->lock);
		code = world_read(audiences, version, err);
		pthread_rwlock_unlock(&audiences->lock);
		if (code < 0)
			return code;
		pthread_rwlock_rdlock(&audiences->lock);
	}
	*ret_world = &audiences->world;
	return 0;
}

void audiences_give(struct audiences *audiences)
{
	pthread_rwlock_unlock(&audiences->lock);
}

static bool name_listed(const char *names, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = names; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if ((word == length && memcmp(at, name, word) == 0) || (word == 1 && *at == '*'))
			return true;
		at += word;
	}
	return false;
}

static int clearance_of(const struct sharing_world *world, uint32_t member)
{
	for (size_t low = 0, high = world->member_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (world->members[middle].id == member)
			return (int)world->members[middle].clearance;
		if (world->members[middle].id < member)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* What a collection that is no group's shows. */
static int named_most(const struct sharing_world *world, const struct indicators_collection *collection,
		      const struct audience_reader *reader)
{
	if (reader->viewer.rank == SHARING_OPERATOR || reader->viewer.rank == SHARING_STAFF)
		return TLP_RED;
	if (!name_listed(collection->readers, reader->name))
		return -1;
	return reader->viewer.rank == SHARING_MEMBER ? clearance_of(world, reader->viewer.member) : TLP_RED;
}

static uint32_t group_of(const struct groups_world *rows, int64_t collection)
{
	for (size_t i = 0; i < rows->group_count; i++)
		if (rows->groups[i].collection == collection)
			return rows->groups[i].id;
	return 0;
}

int audience_most(struct audiences *audiences, const struct indicators_collection *collection,
		  const struct audience_reader *reader, int *ret_most, struct err *err)
{
	const struct sharing_world *world;
	int code = audiences_take(audiences, &world, err);
	if (code < 0)
		return code;
	if (collection->sealed) {
		/* One whose group is gone is nobody's. */
		uint32_t group = group_of(&audiences->rows, collection->id);
		*ret_most = group ? sharing_most(world, &reader->viewer, group) : -1;
	} else {
		*ret_most = named_most(world, collection, reader);
	}
	audiences_give(audiences);
	return 0;
}

enum tlp audience_withheld(int most)
{
	return most >= TLP_RED ? TLP_CLEAR : (enum tlp)(most + 1);
}
