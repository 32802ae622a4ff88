/* A scope: what a survey may observe, by what right, when and how gently, who answers for it, and who approved it.
 *
 * It is a YAML file that people write; docs/survey-scope.md is their reference. What two people sign is a canonical
 * form of everything in it but the signatures, so that comments and layout may change and nothing else.
 */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCOPE_BYTES_MAX = 4 << 20,
	SCOPE_NODES_MAX = 50000,
	SCOPE_DEPTH_MAX = 6,
	SCOPE_CANONICAL_MAX = 16 << 20,
	SCOPE_SIGNATURES_MAX = 16,
	SCOPE_PORTS_MAX = 1024,
	SCOPE_TEXT_MAX = 1000,
};

enum scope_check_kind {
	SCOPE_DISCOVER,
	SCOPE_BANNER,
	SCOPE_IDENTIFY,
	SCOPE_CREDENTIALS,
	SCOPE_VULNERABILITIES,
	SCOPE_CHECKS
};
extern const char *const scope_check_names[];

struct scope_prefix {
	struct prefix prefix;
	unsigned line;
};

struct scope_prefixes {
	struct scope_prefix *items;
	size_t count;
};

struct scope_ports {
	uint16_t *items;
	size_t count;
};

struct scope_signature {
	const char *person, *key, *signed_at, *signature; /* key and signature: base64 */
	unsigned line;
};

struct scope {
	const char *where;
	const char *name, *legal_basis, *organisation, *responsible;
	const char *contact_name, *contact_mail, *contact_web, *reverse_dns;
	struct scope_prefixes networks, opt_out, sources;
	bool private_networks;
	int64_t from_ns, until_ns;
	unsigned period_line;
	struct scope_ports tcp, udp;
	unsigned checks; /* bits by enum scope_check_kind */
	int64_t packets_per_second, packets_per_network, packets_per_target, login_tries;
	struct scope_signature signatures[SCOPE_SIGNATURES_MAX];
	size_t signature_count;
	const char *canonical; /* what is signed */
};

/* `where` names the file in sentences, which begin "where:line: ". Everything lives in pool. -EINVAL: not YAML, an
 * unknown, doubled or missing field, a value out of its range. That a scope can be read does not make it valid. */
int scope_parse(const char *where, const char *data, size_t bytes, struct pool *pool, struct scope *ret_scope,
		struct err *err) must_check;
