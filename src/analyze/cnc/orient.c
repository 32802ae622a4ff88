/* See orient.h. Routers export each way by itself; then the flags tell, and where they do not, the port that looks more
 * like a service's: no list of services, only the ranges from which systems take ports for clients (RFC 6335 section 6,
 * Linux' 32768 and above, older systems' 1024 and above).
 */
#include "analyze/cnc/orient.h"

#include <string.h>

enum { TCP = 6, SYN = 0x02, ACK = 0x10 };

static unsigned port_likeness(uint16_t port)
{
	return port < 1024 ? 3 : port < 10000 ? 2 : port < 32768 ? 1 : 0;
}

bool cnc_target_serves(const struct cnc_ends *ends)
{
	if (ends->both_ways)
		return true;
	if (ends->protocol == TCP && (ends->flags & (SYN | ACK)) == SYN)
		return true;
	unsigned source = port_likeness(ends->source_port), target = port_likeness(ends->target_port);
	if (source != target)
		return target > source;
	if (ends->source_port != ends->target_port)
		return ends->target_port < ends->source_port;
	return addr_compare(ends->target, ends->source) > 0;
}

bool cnc_addr_is_group(const struct addr *addr)
{
	static const struct addr nobody;
	if (!addr_is_v4(addr))
		return addr->bytes[0] == 0xff || addr_same(addr, &nobody);
	uint32_t v4 = addr_to_v4(addr);
	return v4 >> 28 == 14 || v4 == 0 || v4 == UINT32_MAX;
}
