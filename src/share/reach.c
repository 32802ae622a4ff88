/* Addresses that webhooks may not reach, by the prefixes of RFC 6890 and its registries (looked at in 2025), multicast
 * included. An IPv6 address that carries an IPv4 address is judged as that one (mapped) or is none to be reached
 * (NAT64, 6to4): it would be a way around. */
#include "share/reach.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const char *const special[] = {
	"0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "::/96",          "64:ff9b::/96",   "64:ff9b:1::/48",
	"100::/64",       "2001::/23",    "2001:db8::/32",  "2002::/16",      "3fff::/20",      "5f00::/16",
	"fc00::/7",       "fe80::/10",    "fec0::/10",      "ff00::/8",
};
enum { SPECIAL = sizeof special / sizeof *special, OWN_MAX = 256 };

struct reach {
	const struct prefix_list *allow, *refuse;
	struct prefix special[SPECIAL];
	struct addr own[OWN_MAX];
	size_t own_count;
};

static bool address_of(const struct sockaddr *address, struct addr *ret_addr)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof in);
		*ret_addr = addr_from_v4(ntohl(in.sin_addr.s_addr));
		return true;
	}
	if (address->sa_family != AF_INET6)
		return false;
	struct sockaddr_in6 in6;
	memcpy(&in6, address, sizeof in6);
	memcpy(ret_addr->bytes, &in6.sin6_addr, sizeof ret_addr->bytes);
	return true;
}

static void own_load(struct reach *reach)
{
	struct ifaddrs *list = NULL;
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *at = list; at && reach->own_count < OWN_MAX; at = at->ifa_next)
		if (at->ifa_addr && address_of(at->ifa_addr, &reach->own[reach->own_count]))
			reach->own_count++;
	freeifaddrs(list);
}

int reach_new(const struct prefix_list *allow, const struct prefix_list *refuse, struct reach **ret_reach,
	      struct err *err)
{
	struct reach *reach = calloc(1, sizeof *reach);
	if (!reach)
		return err_set(err, -ENOMEM, "no memory for the networks of webhooks");
	reach->allow = allow;
	reach->refuse = refuse;
	for (size_t i = 0; i < SPECIAL; i++) {
		int result = prefix_parse(special[i], &reach->special[i], err);
		if (result < 0) {
			free(reach);
			return result;
		}
	}
	own_load(reach);
	*ret_reach = reach;
	return 0;
}

void reach_free(struct reach *reach)
{
	free(reach);
}

static bool among(const struct prefix *prefixes, size_t count, const struct addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_has(&prefixes[i], addr))
			return true;
	return false;
}

bool reach_allows(const struct reach *reach, const struct sockaddr *address)
{
	struct addr addr;
	if (!address_of(address, &addr))
		return false;
	if (among(reach->refuse->items, reach->refuse->count, &addr))
		return false;
	if (among(reach->allow->items, reach->allow->count, &addr))
		return true;
	for (size_t i = 0; i < reach->own_count; i++)
		if (addr_same(&reach->own[i], &addr))
			return false;
	return !among(reach->special, SPECIAL, &addr);
}
