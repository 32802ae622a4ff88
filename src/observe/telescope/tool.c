/* The rules table of tools (spec "telescope", checked on captures of the tools themselves).
 *
 * Precedence where several fit: the rule with the most bits. Mirai compares 32 bits; masscan's whole print (ID, window,
 * header length) 32 and more; ZMap since 4.1 its 12 bytes of options; then the 16-bit rules, which want a second
 * packet.
 */
#include "observe/telescope/tool.h"

#include "core/cursor.h"

#include <string.h>

enum { SYN = 2, ID_ZMAP = 54321 };

static const uint8_t options_zmap[12] = {2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};
static const uint8_t options_mss_1460[4] = {2, 4, 0x05, 0xb4};

static bool options_are(const struct packet *packet, const uint8_t *options, uint8_t bytes)
{
	return packet->header_bytes == 20 + bytes && packet->l4_bytes >= packet->header_bytes &&
	       memcmp(packet->l4 + 20, options, bytes) == 0;
}

static struct tool_guess guess_tcp(const struct packet *packet)
{
	bool syn = (packet->tcp_flags & 0x3f) == SYN;
	bool v4 = packet->version == 4;
	if (syn && v4 && packet->seq == packet->dst)
		return (struct tool_guess){TOOL_MIRAI, VERSION_UNTOLD, TOOL_ALONE};
	bool masscan_id = v4 && packet->ip_id == (uint16_t)(packet->dst ^ packet->dport ^ packet->seq);
	if (masscan_id && packet->window == 1024 && packet->header_bytes == 20)
		return (struct tool_guess){TOOL_MASSCAN, MASSCAN_TO_1_3_2, TOOL_ALONE};
	if (masscan_id && packet->window == 1025 && options_are(packet, options_mss_1460, 4))
		return (struct tool_guess){TOOL_MASSCAN, MASSCAN_SINCE_2023, TOOL_ALONE};
	if (syn && packet->window == 65535) {
		bool df = v4 && (packet->flags & PACKET_DF), port = packet->sport >= 32768 && packet->sport <= 61000;
		if (v4 && packet->ip_id == ID_ZMAP)
			return (struct tool_guess){TOOL_ZMAP, ZMAP_BEFORE_4_1, TOOL_SECOND};
		if (!df && port && options_are(packet, options_zmap, 12))
			return (struct tool_guess){TOOL_ZMAP, ZMAP_SINCE_4_1, TOOL_ALONE};
		if (!df && port && options_are(packet, options_mss_1460, 4))
			return (struct tool_guess){TOOL_ZMAP, ZMAP_SINCE_4_1_LEAST, TOOL_SECOND};
	}
	if (masscan_id && syn)
		return (struct tool_guess){TOOL_MASSCAN, VERSION_UNTOLD, TOOL_SECOND};
	return (struct tool_guess){TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE};
}

/* Masscan takes the ID's cookie also as DNS transaction id; ZMap before 4.1 writes its ID into every protocol. */
static struct tool_guess guess_rest(const struct packet *packet)
{
	if (packet->version != 4)
		return (struct tool_guess){TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE};
	if (packet->ip_id == ID_ZMAP && !(packet->flags & PACKET_DF))
		return (struct tool_guess){TOOL_ZMAP, ZMAP_BEFORE_4_1, TOOL_SECOND};
	if (packet->protocol == 17 && packet->dport == 53 && packet->l4_bytes >= 10 &&
	    packet->ip_id == (uint16_t)(packet->dst ^ packet->dport ^ load_be16(packet->l4 + 8)))
		return (struct tool_guess){TOOL_MASSCAN, VERSION_UNTOLD, TOOL_SECOND};
	return (struct tool_guess){TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE};
}

struct tool_guess tool_guess_packet(const struct packet *packet)
{
	if (!packet->l4)
		return (struct tool_guess){TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE};
	return packet->protocol == 6 ? guess_tcp(packet) : guess_rest(packet);
}
