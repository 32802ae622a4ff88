/* Addresses and prefixes to and from text. See addr.h for the shape. */
#include "core/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct addr addr_from_v4(uint32_t host_order)
{
	struct addr addr;
	memcpy(addr.bytes, v4_mapped, sizeof v4_mapped);
	uint32_t net = htonl(host_order);
	memcpy(addr.bytes + 12, &net, sizeof net);
	return addr;
}

bool addr_is_v4(const struct addr *addr)
{
	return memcmp(addr->bytes, v4_mapped, sizeof v4_mapped) == 0;
}

uint32_t addr_to_v4(const struct addr *addr)
{
	uint32_t net;
	memcpy(&net, addr->bytes + 12, sizeof net);
	return ntohl(net);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

const char *addr_format(const struct addr *addr, char text[ADDR_TEXT_BYTES])
{
	bool v4 = addr_is_v4(addr);
	if (!inet_ntop(v4 ? AF_INET : AF_INET6, addr->bytes + (v4 ? 12 : 0), text, ADDR_TEXT_BYTES))
		text[0] = '\0';
	return text;
}

int addr_parse(const char *text, struct addr *ret_addr, struct err *err)
{
	struct addr addr;
	struct in_addr v4;
	if (inet_pton(AF_INET, text, &v4) == 1)
		addr = addr_from_v4(ntohl(v4.s_addr));
	else if (inet_pton(AF_INET6, text, addr.bytes) != 1)
		return err_set(err, -EINVAL, "'%.64s' is not an address; expected one like 192.0.2.1 or 2001:db8::1",
			       text);
	*ret_addr = addr;
	return 0;
}

/* Clear the bits past the prefix; true when any was set. */
static bool prefix_mask(struct prefix *prefix)
{
	bool had = false;
	for (unsigned i = 0; i < 16; i++) {
		unsigned first = i * 8;
		uint8_t keep = first + 8 <= prefix->bits ? 0xff
			       : first >= prefix->bits   ? 0
							 : (uint8_t)(0xff << (8 - (prefix->bits - first)));
		had |= (prefix->addr.bytes[i] & ~keep) != 0;
		prefix->addr.bytes[i] &= keep;
	}
	return had;
}

int prefix_parse(const char *text, struct prefix *ret_prefix, struct err *err)
{
	static const char expected[] = "expected one like 192.0.2.0/24 or 2001:db8::/32";
	char address[ADDR_TEXT_BYTES];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	if (length == 0 || length >= sizeof address)
		return err_set(err, -EINVAL, "'%.64s' is not a prefix; %s", text, expected);
	memcpy(address, text, length);
	address[length] = '\0';

	struct prefix prefix;
	if (addr_parse(address, &prefix.addr, NULL) < 0)
		return err_set(err, -EINVAL, "'%.64s' is not a prefix; %s", text, expected);
	bool v4 = addr_is_v4(&prefix.addr) && strchr(address, ':') == NULL;
	unsigned most = v4 ? 32 : 128;
	unsigned long bits = most;
	if (slash) {
		char *end;
		errno = 0;
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || errno || bits > most)
			return err_set(err, -EINVAL, "'%.64s': a prefix length of 0 to %u was expected after the slash",
				       text, most);
	}
	prefix.bits = (uint8_t)(v4 ? 96 + bits : bits);
	if (prefix_mask(&prefix)) {
		char meant[PREFIX_TEXT_BYTES];
		return err_set(err, -EINVAL, "'%.64s' has address bits past its length; did you mean %s?", text,
			       prefix_format(&prefix, meant));
	}
	*ret_prefix = prefix;
	return 0;
}

const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_BYTES])
{
	char address[ADDR_TEXT_BYTES];
	bool v4 = addr_is_v4(&prefix->addr) && prefix->bits >= 96;
	snprintf(text, PREFIX_TEXT_BYTES, "%s/%u", addr_format(&prefix->addr, address),
		 v4 ? prefix->bits - 96u : prefix->bits);
	return text;
}

bool prefix_has(const struct prefix *prefix, const struct addr *addr)
{
	struct prefix other = {.addr = *addr, .bits = prefix->bits};
	prefix_mask(&other);
	return addr_compare(&other.addr, &prefix->addr) == 0;
}

struct addr prefix_last(const struct prefix *prefix)
{
	struct addr last = prefix->addr;
	for (unsigned i = 0; i < 16; i++) {
		unsigned first = i * 8;
		if (first >= prefix->bits)
			last.bytes[i] = 0xff;
		else if (first + 8 > prefix->bits)
			last.bytes[i] |= (uint8_t)(0xff >> (prefix->bits - first));
	}
	return last;
}
