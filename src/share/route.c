/* See route.h. Drop by FlowSpec is a traffic rate of 0 (RFC 8955, section 7.1): extended community 0x8006. */
#include "share/route.h"

#include "core/lpm.h"
#include "share/reach.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const route_verdict_names[] = {"passes", "wide", "protected", "special", "warned", "too_many"};
const char *const route_verdict_texts[] = {
	[ROUTE_PASSES] = "announced",
	[ROUTE_WIDE] = "wider than allowed",
	[ROUTE_PROTECTED] = "of members or protected",
	[ROUTE_SPECIAL] = "of this machine or of no public network",
	[ROUTE_WARNED] = "on warning lists",
	[ROUTE_TOO_MANY] = "more than the most that are announced",
};

/* Routed nowhere: to announce them harms nobody, and examples are made of them (RFC 5737, 3849, 9637). */
static const char *const documentation[] = {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32",
					    "3fff::/20"};
enum { DOCUMENTATION = sizeof documentation / sizeof *documentation };

struct route_guard {
	const struct route_limits *limits;
	struct reach *reach;
	struct prefix_list allow, refuse; /* of `reach`; it is refused nothing more */
	struct pool *pool;
	struct lpm *protects;
	struct lpm_entry *entries; /* sorted by address */
	size_t count;
};

static int entry_compare(const void *a, const void *b)
{
	return addr_compare(&((const struct lpm_entry *)a)->prefix.addr, &((const struct lpm_entry *)b)->prefix.addr);
}

static int protects_load(struct route_guard *guard, struct err *err)
{
	const struct route_limits *limits = guard->limits;
	size_t own = limits->protect ? limits->protect->count : 0;
	guard->count = limits->member_count + own;
	guard->entries = pool_array(guard->pool, guard->count + 1, sizeof *guard->entries);
	if (!guard->entries)
		return err_set(err, -ENOMEM, "no memory for the networks that are protected");
	for (size_t i = 0; i < guard->count; i++)
		guard->entries[i] =
			(struct lpm_entry){i < own ? limits->protect->items[i] : limits->members[i - own].prefix, 1};
	int result = lpm_new(guard->entries, guard->count, guard->pool, &guard->protects, err);
	if (result == 0 && guard->count > 1)
		qsort(guard->entries, guard->count, sizeof *guard->entries, entry_compare);
	return result;
}

static int allow_load(struct route_guard *guard, struct err *err)
{
	const struct prefix_list *more = guard->limits->allow;
	guard->allow.count = DOCUMENTATION + (more ? more->count : 0);
	guard->allow.items = pool_array(guard->pool, guard->allow.count, sizeof *guard->allow.items);
	if (!guard->allow.items)
		return err_set(err, -ENOMEM, "no memory for the networks that are allowed");
	for (size_t i = 0; i < guard->allow.count; i++) {
		int result = i < DOCUMENTATION ? prefix_parse(documentation[i], &guard->allow.items[i], err) : 0;
		if (result < 0)
			return result;
		if (i >= DOCUMENTATION)
			guard->allow.items[i] = more->items[i - DOCUMENTATION];
	}
	return 0;
}

int route_guard_new(const struct route_limits *limits, struct route_guard **ret_guard, struct err *err)
{
	struct route_guard *guard = calloc(1, sizeof *guard);
	if (!guard || !(guard->pool = pool_new(NULL, "routes"))) {
		free(guard);
		return err_set(err, -ENOMEM, "no memory for the limits of routes");
	}
	guard->limits = limits;
	int result = protects_load(guard, err);
	if (result == 0)
		result = allow_load(guard, err);
	if (result == 0)
		result = reach_new(&guard->allow, &guard->refuse, &guard->reach, err);
	if (result < 0) {
		route_guard_free(guard);
		return result;
	}
	*ret_guard = guard;
	return 0;
}

void route_guard_free(struct route_guard *guard)
{
	if (!guard)
		return;
	reach_free(guard->reach);
	pool_free(guard->pool);
	free(guard);
}

static bool is_special(const struct route_guard *guard, const struct addr *addr)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	if (addr_is_v4(addr)) {
		v4.sin_addr.s_addr = htonl(addr_to_v4(addr));
		return !reach_allows(guard->reach, (const struct sockaddr *)&v4);
	}
	memcpy(&v6.sin6_addr, addr->bytes, sizeof v6.sin6_addr);
	return !reach_allows(guard->reach, (const struct sockaddr *)&v6);
}

/* A protected network holds the route, or the route holds one. */
static bool is_protected(const struct route_guard *guard, const struct prefix *route)
{
	size_t low = 0, high = guard->count;
	if (lpm_find(guard->protects, &route->addr) != 0)
		return true;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (addr_compare(&guard->entries[middle].prefix.addr, &route->addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < guard->count && prefix_has(route, &guard->entries[low].prefix.addr);
}

enum route_verdict route_judge(const struct route_guard *guard, const struct indicator_value *value, size_t already)
{
	const struct route_limits *limits = guard->limits;
	unsigned least = value->kind == KIND_IPV4 ? 96 + (limits->bits_v4 ? limits->bits_v4 : 32)
						  : (limits->bits_v6 ? limits->bits_v6 : 128);
	struct prefix route;
	if (prefix_parse(value->text, &route, NULL) < 0 || route.bits < least)
		return ROUTE_WIDE;
	struct addr last = prefix_last(&route);
	if (is_protected(guard, &route))
		return ROUTE_PROTECTED;
	if (is_special(guard, &route.addr) || is_special(guard, &last))
		return ROUTE_SPECIAL;
	if (warning_lists_find(limits->warnings, value))
		return ROUTE_WARNED;
	return already >= (limits->most ? limits->most : ROUTES_MOST) ? ROUTE_TOO_MANY : ROUTE_PASSES;
}

static int flow_format(enum route_daemon daemon, char family, const char *route, char text[ROUTE_TEXT_BYTES])
{
	if (daemon == ROUTE_FRR)
		return -ENOTSUP;
	if (daemon == ROUTE_BIRD)
		return snprintf(
			text, ROUTE_TEXT_BYTES,
			"\troute flow%1$c { src %2$s; } { bgp_ext_community.add((generic, 0x80060000, 0)); };\n"
			"\troute flow%1$c { dst %2$s; } { bgp_ext_community.add((generic, 0x80060000, 0)); };\n",
			family, route);
	return snprintf(text, ROUTE_TEXT_BYTES,
			"gobgp global rib add match source %2$s then discard -a ipv%1$c-flowspec\n"
			"gobgp global rib add match destination %2$s then discard -a ipv%1$c-flowspec\n",
			family, route);
}

int route_format(enum route_daemon daemon, enum route_form form, enum indicator_kind kind, const char *value,
		 char text[ROUTE_TEXT_BYTES])
{
	char route[PREFIX_TEXT_BYTES];
	bool v4 = kind == KIND_IPV4;
	int bytes;
	if (snprintf(route, sizeof route, "%s%s", value,
		     strchr(value, '/') ? ""
		     : v4               ? "/32"
					: "/128") >= (int)sizeof route)
		return -EINVAL;
	if (form == ROUTE_FLOWSPEC)
		bytes = flow_format(daemon, v4 ? '4' : '6', route, text);
	else if (daemon == ROUTE_BIRD)
		bytes = snprintf(text, ROUTE_TEXT_BYTES, "\troute %s blackhole { bgp_community.add((65535, 666)); };\n",
				 route);
	else if (daemon == ROUTE_FRR)
		bytes = snprintf(text, ROUTE_TEXT_BYTES, "%s route %s blackhole tag 666\n", v4 ? "ip" : "ipv6", route);
	else
		bytes = snprintf(text, ROUTE_TEXT_BYTES, "gobgp global rib add %s -a %s community 65535:666\n", route,
				 v4 ? "ipv4" : "ipv6");
	return bytes < 0 ? bytes : 0;
}

int route_head(enum route_form form, enum indicator_kind kind, const char *name, char text[ROUTE_TEXT_BYTES])
{
	char family = kind == KIND_IPV4 ? '4' : '6';
	int bytes =
		form == ROUTE_FLOWSPEC
			? snprintf(text, ROUTE_TEXT_BYTES,
				   "flow%1$c table %2$s_flow%1$c;\n"
				   "protocol static %2$s_rules%1$c {\n\tflow%1$c { table %2$s_flow%1$c; };\n",
				   family, name)
			: snprintf(text, ROUTE_TEXT_BYTES, "protocol static %2$s_v%1$c {\n\tipv%1$c;\n", family, name);
	return bytes < 0 || bytes >= ROUTE_TEXT_BYTES ? -EMSGSIZE : 0;
}
