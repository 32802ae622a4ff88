/* Whether a scope holds now: every reason against it, by name, with the line where it stands. */
#pragma once

#include "observe/survey/approval.h"
#include "observe/survey/scope.h"

/* Bounds: what one scope may hold, whoever signed it. */
enum {
	SCOPE_DAYS_MAX = 366,
	SCOPE_V4_BITS_MIN = 8,           /* no wider than a /8 */
	SCOPE_V6_BITS_MIN = 32,          /* no wider than a /32 */
	SCOPE_ADDRESSES_MAX = 268435456, /* IPv4, all networks together: 2^28 */
	SCOPE_REFUSALS_MAX = 64,
	SCOPE_REFUSAL_BYTES = 240,
};

struct scope_refusal {
	const char *name; /* "expired": stable, for programs */
	unsigned line;
	char text[SCOPE_REFUSAL_BYTES];
};

struct scope_verdict {
	struct scope_refusal refusals[SCOPE_REFUSALS_MAX];
	size_t count, left_off;
	uint64_t addresses; /* IPv4, before opt-outs */
};

/* `opt_outs`: what is opted out beside the scope's own list. Valid when ret_verdict->count is 0. Names: expired,
 * not-yet-valid, period-reversed, period-too-long, unsigned, one-signature, same-person-twice, unknown-signer,
 * tampered, too-wide, too-many-addresses, opted-out, loopback, multicast, link-local, reserved, private. */
void scope_check(const struct scope *scope, const struct approvers *approvers, const struct prefix *opt_outs,
		 size_t opt_out_count, int64_t now_ns, struct scope_verdict *ret_verdict);
