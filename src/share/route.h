/* Routes by which routers drop traffic: blackholes (RFC 7999) and FlowSpec rules (RFC 8955, 8956), and what stands
 * between a list that anybody may have written and a router that believes it.
 *
 * An address becomes no route when it is wider than allowed, lies in (or holds) a network of a member or one that the
 * operator protects, is an address of this machine, is of no use on the Internet at large (private, multicast ...), or
 * stands on a warning list; and there are at most so many routes.
 */
#pragma once

#include "core/option.h"
#include "share/warning.h"
#include "store/members.h"

enum { ROUTES_MOST = 1000, ROUTE_TEXT_BYTES = 512 };

enum route_verdict {
	ROUTE_PASSES,
	ROUTE_WIDE,
	ROUTE_PROTECTED,
	ROUTE_SPECIAL,
	ROUTE_WARNED,
	ROUTE_TOO_MANY,
	ROUTE_VERDICTS
};
extern const char *const route_verdict_names[]; /* "wide" ... */
extern const char *const route_verdict_texts[]; /* "wider than allowed" ... */

struct route_limits {
	unsigned bits_v4, bits_v6;                 /* at least so long; 0: 32 and 128 */
	size_t most;                               /* 0: ROUTES_MOST */
	const struct prefix_list *protect, *allow; /* NULL: none. `allow` lifts only what ROUTE_SPECIAL refuses */
	const struct member_prefix *members;       /* copied by route_guard_new() */
	size_t member_count;
	const struct warning_lists *warnings; /* NULL: what the indicator's own mark says is all */
};

/* `limits` is borrowed, its members are not. -ENOMEM. */
struct route_guard;
int route_guard_new(const struct route_limits *limits, struct route_guard **ret_guard, struct err *err) must_check;
void route_guard_free(struct route_guard *guard); /* NULL is fine */
/* A value of KIND_IPV4 or KIND_IPV6; `already`: how many routes there are. */
enum route_verdict route_judge(const struct route_guard *guard, const struct indicator_value *value, size_t already);

enum route_form { ROUTE_BLACKHOLE, ROUTE_FLOWSPEC };
enum route_daemon { ROUTE_BIRD, ROUTE_FRR, ROUTE_GOBGP };

/* One route in the daemon's words. FlowSpec drops what comes from there and what goes there. -ENOTSUP: FRR announces no
 * FlowSpec rules of its own. */
int route_format(enum route_daemon daemon, enum route_form form, enum indicator_kind kind, const char *value,
		 char text[ROUTE_TEXT_BYTES]) must_check;
/* BIRD's routes stand in a protocol for each family; what begins it. "}\n" ends it. */
int route_head(enum route_form form, enum indicator_kind kind, const char *name,
	       char text[ROUTE_TEXT_BYTES]) must_check;
