/* Members' own addresses among the packets of the darknet: sightings (record/kind.h).
 *
 * The first packet of an address leaves at once, with its bytes, and so does each that comes after ten seconds of
 * silence; what follows more closely is summed up and leaves after ten seconds, then by the minute. An address is
 * forgotten when it was silent for ten minutes. All times are the packets' own.
 */
#pragma once

#include "core/lpm.h"
#include "observe/telescope/internal.h"

/* Whatever a stranger can make grow: each forged source may be a member's address. */
enum {
	MEMBER_ADDRESSES_MAX = 1 << 16, /* followed at once */
	MEMBER_NEW_PER_S = 1000,        /* addresses that are told, all members together ... */
	MEMBER_NEW_BURST = 8192,        /* ... which may be saved up to so many */
	MEMBER_NEW_PER_S_OF_ONE = 50,   /* the same of one member, so that none takes the room of all */
	MEMBER_NEW_BURST_OF_ONE = 512,
	MEMBER_EVIDENCE_PACKETS = 16,   /* kept of an address while it is followed */
	MEMBER_EVIDENCE_BYTES = 256,    /* of one packet, from its IP header on */
	MEMBER_EVIDENCE_ROOM = 1 << 13, /* packets that wait to be handed out */
};

struct members;

/* `sink` is borrowed. -ENOMEM. */
int members_new(uint16_t sensor, struct sink *sink, struct members **ret_members, struct err *err) must_check;
void members_free(struct members *members); /* NULL is fine */

/* Whose prefixes are whose from now on: the value of an entry is the member's number. `entries` is sorted in place.
 * What was seen so far is handed out first. -ENOMEM keeps the old list. */
int members_set(struct members *members, struct lpm_entry *entries, size_t count, struct err *err) must_check;

/* Packets of a burst that are about a member's address; returns how many. */
unsigned members_match(const struct members *members, struct packet *const *packets, const uint8_t *kinds,
		       unsigned count, struct member_match *ret_matches);
/* Those matches, when the burst is judged; frames[i] is packets[i]'s. Hands out what is new or due by `now_ns`. */
int members_take(struct members *members, struct packet *const *packets, const struct frame *const *frames,
		 const struct verdict_line *lines, const struct member_match *matches, unsigned count, int64_t now_ns,
		 struct err *err) must_check;
int members_tick(struct members *members, int64_t now_ns, struct err *err) must_check;
int members_finish(struct members *members, struct err *err) must_check; /* what is not told yet */

/* All packets before this have left as rows. */
int64_t members_told_until(const struct members *members, int64_t now_ns);
void members_count(const struct members *members, struct telescope_counts *counts); /* its figures among them */
