/* Who may see what: members in groups, the Traffic Light Protocol, originators who stay unnamed. Nothing but the
 * decision: no store, no clock, no allocation; what is known comes in as arrays.
 *
 *  1. A group's participants are the members named in it and those of every group in it.
 *  2. What was released to a group reaches a member as far as its tie to the group carries (TLP 2.0, FIRST 2022):
 *       named in it                        up to RED           for the eyes of the recipients, whom somebody named
 *       named in a group in it             up to AMBER+STRICT  the organisations that take part
 *       behind a participant (its customer, its town) to AMBER the organisations and their clients
 *     and never above the member's own clearance. What was released to no group reaches nobody.
 *  3. A confidential group is there only for its participants and for operators: for all others neither it, nor who
 *     takes part through it, nor their number. Nobody stands behind whom only a confidential group brings in: that
 *     would tell.
 *  4. Who brought it sees it. Operators see all; other staff what open groups see, and what nobody brought.
 *  5. An anonymous originator is known to operators and to itself.
 */
#pragma once

#include "store/indicators.h" /* enum tlp alone */

enum {
	SHARING_GROUPS_MAX = 1024,
	SHARING_BEHIND_MAX = 16, /* how many parents are followed */
};

struct sharing_member {
	uint32_t id, parent; /* parent 0: none */
	enum tlp clearance;
};
struct sharing_group {
	uint32_t id;
	bool confidential;
	const uint32_t *members; /* rising */
	const uint32_t *groups;  /* in it, directly */
	size_t member_count, group_count;
};
/* Only what is valid now; both rising by id. Who or what is named and not there is nobody. */
struct sharing_world {
	const struct sharing_member *members;
	const struct sharing_group *groups;
	size_t member_count, group_count;
};

enum sharing_rank { SHARING_NOBODY, SHARING_MEMBER, SHARING_STAFF, SHARING_OPERATOR };
struct sharing_viewer {
	enum sharing_rank rank;
	uint32_t member; /* of SHARING_MEMBER, whose people */
};
struct sharing_object {
	enum tlp tlp;
	uint32_t originator; /* member that brought it; 0: none did */
	bool anonymous;
	const uint32_t *groups; /* to which it was released */
	size_t group_count;
};

/* The strictest TLP of what was released to the group that the viewer may see; -1: nothing. */
int sharing_most(const struct sharing_world *world, const struct sharing_viewer *viewer, uint32_t group);
bool sharing_sees(const struct sharing_world *world, const struct sharing_viewer *viewer,
		  const struct sharing_object *object);
/* Also false where nobody brought it. */
bool sharing_knows_originator(const struct sharing_world *world, const struct sharing_viewer *viewer,
			      const struct sharing_object *object);
bool sharing_knows_group(const struct sharing_world *world, const struct sharing_viewer *viewer, uint32_t group);
/* Whether the viewer may know that the member takes part. */
bool sharing_knows_participant(const struct sharing_world *world, const struct sharing_viewer *viewer, uint32_t group,
			       uint32_t member);
/* Whether a group would come to lie in itself if `part` were put into it. */
bool sharing_would_circle(const struct sharing_world *world, uint32_t group, uint32_t part);
