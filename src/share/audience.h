/* Audiences: what the rules of sharing.h say of the members and groups that the registry knows now. Feeds, TAXII, zones
 * and pages all ask here.
 */
#pragma once

#include "share/sharing.h"
#include "store/registry.h"

#include <jansson.h>

struct audiences;

struct audiences *audiences_new(struct registry *registry); /* NULL: out of memory */
void audiences_free(struct audiences *audiences);           /* NULL is fine */

/* The world as it is now, to be given back. Those who look do not wait for each other. */
int audiences_take(struct audiences *audiences, const struct sharing_world **ret_world, struct err *err) must_check;
void audiences_give(struct audiences *audiences);

struct audience_reader {
	struct sharing_viewer viewer;
	const char *name; /* of the user or token, as collections name their readers */
};

/* The strictest TLP of what stands in a collection that the reader may see, *ret_most -1: the collection is not there
 * for it. A group's collection is the group's; another is for those who work here and those it names, members never
 * above their clearance. */
int audience_most(struct audiences *audiences, const struct indicators_collection *collection,
		  const struct audience_reader *reader, int *ret_most, struct err *err) must_check;
/* `withheld` of struct indicators_want for that. */
enum tlp audience_withheld(int most);

/* Whom a release (as of registry_release()) would reach: "count"; "members", the first of them: key, name, kind,
 * sector; "sectors": how many of each; "groups"; "tlp"; "digest" of all that and of `content`; "warnings": code,
 * message, message_ja, of an audience that is unusual: never seen before, larger than usual, beyond the sector. */
int audience_preview(struct audiences *audiences, struct registry *registry, const json_t *release, const char *content,
		     json_t **ret_preview, struct err *err) must_check;
/* What is kept of it with the release, to judge later ones by. */
json_t *audience_kept(const json_t *preview);
