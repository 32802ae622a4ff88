/* Tunnels that carry mirrored traffic: what is inside a packet that was parsed. */
#pragma once

#include "wire/link.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum tunnel_kind {
	TUNNEL_NONE,
	TUNNEL_IP,  /* told by the IP protocol: GRE, IPv4 or IPv6 in IP */
	TUNNEL_UDP, /* told by a port alone: VXLAN, GTP-U */
};

/* `span` is at the transport header of `packet` and ends with it; on any answer but TUNNEL_NONE it is moved to the
 * inner IP header, and *ret_version is 4, 6, or 0 where the header itself must say. */
enum tunnel_kind tunnel_enter(const struct packet *packet, struct span *span, uint8_t *ret_version);

/* Quick: whether tunnel_enter() is worth a try. */
static inline bool tunnel_may_be(const struct packet *packet)
{
	return packet->protocol == 17 && (packet->dport == 4789 || packet->dport == 2152);
}
