/* See scope_check.h. Ranges that are never surveyed: IANA's special-purpose registries (RFC 6890), RFC 5771, RFC 4291.
 */
#include "observe/survey/scope_check.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *prefix, *name;
} special[] = {
	{"0.0.0.0/8", "reserved"},    {"127.0.0.0/8", "loopback"},  {"169.254.0.0/16", "link-local"},
	{"224.0.0.0/4", "multicast"}, {"240.0.0.0/4", "reserved"},  {"::/128", "reserved"},
	{"::1/128", "loopback"},      {"fe80::/10", "link-local"},  {"ff00::/8", "multicast"},
	{"10.0.0.0/8", "private"},    {"172.16.0.0/12", "private"}, {"192.168.0.0/16", "private"},
	{"100.64.0.0/10", "private"}, {"fc00::/7", "private"},
};

static void printf_like(4, 5)
	refuse(struct scope_verdict *verdict, const char *name, unsigned line, const char *format, ...)
{
	if (verdict->count == SCOPE_REFUSALS_MAX) {
		verdict->left_off++;
		return;
	}
	struct scope_refusal *refusal = &verdict->refusals[verdict->count++];
	va_list args;
	va_start(args, format);
	vsnprintf(refusal->text, sizeof refusal->text, format, args);
	va_end(args);
	refusal->name = name;
	refusal->line = line;
}

static void period_check(const struct scope *scope, int64_t now_ns, struct scope_verdict *verdict)
{
	char text[TIME_TEXT_BYTES];
	unsigned line = scope->period_line;
	if (scope->until_ns <= scope->from_ns)
		refuse(verdict, "period-reversed", line, "the period ends before it begins");
	else if (scope->until_ns - scope->from_ns > SCOPE_DAYS_MAX * NS_PER_DAY)
		refuse(verdict, "period-too-long", line, "the period is longer than %d days", SCOPE_DAYS_MAX);
	if (now_ns >= scope->until_ns)
		refuse(verdict, "expired", line, "the period ended at %s", time_format(scope->until_ns, text));
	if (now_ns < scope->from_ns)
		refuse(verdict, "not-yet-valid", line, "the period begins at %s", time_format(scope->from_ns, text));
}

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return a->bits <= b->bits ? prefix_has(a, &b->addr) : prefix_has(b, &a->addr);
}

static bool within(const struct prefix *inner, const struct prefix *outer)
{
	return outer->bits <= inner->bits && prefix_has(outer, &inner->addr);
}

static void network_check(const struct scope *scope, const struct scope_prefix *network, struct scope_verdict *verdict)
{
	char text[PREFIX_TEXT_BYTES];
	bool v4 = network->prefix.bits >= 96 && addr_is_v4(&network->prefix.addr);
	unsigned bits = v4 ? network->prefix.bits - 96u : network->prefix.bits;
	unsigned least = v4 ? SCOPE_V4_BITS_MIN : SCOPE_V6_BITS_MIN;
	prefix_format(&network->prefix, text);
	if (bits < least)
		refuse(verdict, "too-wide", network->line, "%s is wider than a /%u", text, least);
	if (v4)
		verdict->addresses += UINT64_C(1) << (32 - bits);
	for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
		struct prefix range;
		if (strcmp(special[i].name, "private") == 0 && scope->private_networks)
			continue;
		if (prefix_parse(special[i].prefix, &range, NULL) == 0 && overlap(&network->prefix, &range))
			refuse(verdict, special[i].name, network->line, "%s holds addresses of %s (%s)", text,
			       special[i].prefix, special[i].name);
	}
}

static void opt_out_check(const struct scope_prefix *network, const struct prefix *opt_out,
			  struct scope_verdict *verdict)
{
	char text[PREFIX_TEXT_BYTES], out[PREFIX_TEXT_BYTES];
	if (within(&network->prefix, opt_out))
		refuse(verdict, "opted-out", network->line, "%s lies within %s, which is opted out",
		       prefix_format(&network->prefix, text), prefix_format(opt_out, out));
}

static void signatures_check(const struct scope *scope, const struct approvers *approvers,
			     struct scope_verdict *verdict)
{
	const struct approver *people[SCOPE_SIGNATURES_MAX];
	size_t good = 0, different = 0;
	for (size_t i = 0; i < scope->signature_count; i++) {
		const struct scope_signature *signature = &scope->signatures[i];
		const struct approver *approver = approver_find(approvers, signature->key);
		if (!approver || strcmp(approver->name, signature->person) != 0) {
			refuse(verdict, "unknown-signer", signature->line,
			       "%.80s with this key is not among the approvers", signature->person);
			continue;
		}
		if (approval_verify(scope, signature) != 0) {
			refuse(verdict, "tampered", signature->line, "what %.80s signed is not what stands here",
			       signature->person);
			continue;
		}
		bool again = false;
		for (size_t k = 0; k < good; k++)
			again |= strcasecmp(people[k]->name, approver->name) == 0;
		people[good++] = approver;
		different += !again;
	}
	unsigned line = scope->signature_count ? scope->signatures[0].line : 1;
	if (scope->signature_count == 0)
		refuse(verdict, "unsigned", line, "nobody signed; `yagura scope sign` does, two people must");
	else if (different == 1 && good > 1)
		refuse(verdict, "same-person-twice", line, "%.80s signed more than once; two people must",
		       people[0]->name);
	else if (different == 1)
		refuse(verdict, "one-signature", line, "only %.80s signed; two people must", people[0]->name);
}

void scope_check(const struct scope *scope, const struct approvers *approvers, const struct prefix *opt_outs,
		 size_t opt_out_count, int64_t now_ns, struct scope_verdict *ret_verdict)
{
	*ret_verdict = (struct scope_verdict){.count = 0};
	period_check(scope, now_ns, ret_verdict);
	for (size_t i = 0; i < scope->networks.count; i++) {
		const struct scope_prefix *network = &scope->networks.items[i];
		network_check(scope, network, ret_verdict);
		for (size_t k = 0; k < scope->opt_out.count; k++)
			opt_out_check(network, &scope->opt_out.items[k].prefix, ret_verdict);
		for (size_t k = 0; k < opt_out_count; k++)
			opt_out_check(network, &opt_outs[k], ret_verdict);
	}
	if (ret_verdict->addresses > SCOPE_ADDRESSES_MAX)
		refuse(ret_verdict, "too-many-addresses", scope->networks.items[0].line,
		       "%llu IPv4 addresses, at most %d were expected", (unsigned long long)ret_verdict->addresses,
		       SCOPE_ADDRESSES_MAX);
	signatures_check(scope, approvers, ret_verdict);
}
