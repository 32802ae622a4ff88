/* --for MEMBER of yagura share list, nft, rpz, bgp: what is written is what that member may see, and is receipted. */
#pragma once

#include "share/audience.h"
#include "share/output.h"

struct share_for {
	struct registry *registry;
	struct audiences *audiences;
	struct indicators_collection collection;
	struct audience_reader reader;
	char name[64];    /* key of the member */
	int64_t given_us; /* receipted up to here */
};

/* `member` NULL: for who runs the command; nothing is opened then. */
int share_for_open(const char *data, const char *member, struct indicators *store, const char *collection,
		   struct share_for *ret_whom, struct err *err) must_check;
void share_for_close(struct share_for *whom);
/* Bring the output's limits to what holds now. 0; 1: they changed; -ENOENT: nothing of the collection is for it. */
int share_for_look(struct share_for *whom, struct output *output, struct err *err) must_check;
/* What is about to be given is written down. */
int share_for_tell(struct share_for *whom, const struct output *output, const char *way, struct err *err) must_check;
