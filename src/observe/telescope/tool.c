/* The rules table of tools (spec "telescope", checked on captures of the tools themselves; docs/telescope-rules.md).
 *
 * Precedence where several fit: the rule with the most bits. Mirai compares 32 bits; masscan's whole print (ID, window,
 * header length) 32 and more; ZMap since 4.1 its 12 bytes of options; then the 16-bit rules and Nmap's windows, which
 * want a second packet of the source. A random ID that meets a 16-bit rule by accident takes no packet from a longer
 * one.
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

static const struct tool_guess nobody = {TOOL_UNKNOWN, VERSION_UNTOLD, TOOL_ALONE};

/* A Windows stack sets DF and draws its source port elsewhere: ZMap's raw packets do neither. */
static bool is_zmap_since_4_1(const struct packet *packet, const uint8_t *options, uint8_t bytes)
{
	bool df = packet->version == 4 && (packet->flags & PACKET_DF);
	return !df && packet->sport >= 32768 && packet->sport <= 61000 && options_are(packet, options, bytes);
}

static struct tool_guess guess_syn(const struct packet *packet)
{
	bool v4 = packet->version == 4, wide = packet->window == 65535;
	bool cookie = v4 && packet->ip_id == (uint16_t)(packet->dst ^ packet->dport ^ packet->seq);
	if (v4 && packet->seq == packet->dst)
		return (struct tool_guess){TOOL_MIRAI, VERSION_UNTOLD, TOOL_ALONE};
	if (cookie && packet->window == 1024 && packet->header_bytes == 20)
		return (struct tool_guess){TOOL_MASSCAN, MASSCAN_TO_1_3_2, TOOL_ALONE};
	if (cookie && packet->window == 1025 && options_are(packet, options_mss_1460, 4))
		return (struct tool_guess){TOOL_MASSCAN, MASSCAN_SINCE_2023, TOOL_ALONE};
	if (wide && is_zmap_since_4_1(packet, options_zmap, 12))
		return (struct tool_guess){TOOL_ZMAP, ZMAP_SINCE_4_1, TOOL_ALONE};
	if (wide && v4 && packet->ip_id == ID_ZMAP)
		return (struct tool_guess){TOOL_ZMAP, ZMAP_BEFORE_4_1, TOOL_SECOND};
	if (wide && is_zmap_since_4_1(packet, options_mss_1460, 4))
		return (struct tool_guess){TOOL_ZMAP, ZMAP_SINCE_4_1_LEAST, TOOL_SECOND};
	if (cookie && !tool_has_nmap_window(packet->window))
		return (struct tool_guess){TOOL_MASSCAN, VERSION_UNTOLD, TOOL_SECOND};
	return nobody;
}

static struct tool_guess guess_tcp(const struct packet *packet)
{
	struct tool_guess guess = (packet->tcp_flags & 0x3f) == SYN ? guess_syn(packet) : nobody;
	if (guess.tool == TOOL_UNKNOWN && tool_has_nmap_window(packet->window))
		return (struct tool_guess){TOOL_NMAP, packet->window == 1024 ? NMAP_1024 : NMAP_OLDER, TOOL_SECOND};
	return guess;
}

/* The request id of an SNMP message with a community of any length (RFC 3416): its last two bytes. */
static bool snmp_request_id(const uint8_t *payload, size_t length, uint16_t *ret_id)
{
	struct cursor c = cursor_over(payload, length);
	if (cursor_u8(&c) != 0x30)
		return false;
	cursor_skip(&c, 1); /* length */
	cursor_skip(&c, 3); /* version */
	cursor_skip(&c, 1); /* community */
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 3); /* PDU, its length; INTEGER */
	uint8_t bytes = cursor_u8(&c);
	if (bytes < 2 || bytes > 5)
		return false;
	cursor_skip(&c, (size_t)bytes - 2);
	*ret_id = cursor_be16(&c);
	return !c.failed;
}

/* Masscan's cookie makes the IP ID also for UDP; where its templates carry the cookie in the payload (DNS and NetBIOS
 * transaction, SNMP request id) it can be checked. Its SSDP template holds the start twice; its NTP template, 17 00 03
 * 2a and 44 zeros, is not its own, and follows what else the source does. */
static struct tool_guess guess_udp(const struct packet *packet)
{
	if (packet->l4_bytes <= packet->header_bytes)
		return nobody;
	const uint8_t *payload = packet->l4 + packet->header_bytes;
	size_t length = (size_t)packet->l4_bytes - packet->header_bytes;
	uint16_t cookie = (uint16_t)(packet->ip_id ^ packet->dst ^ packet->dport), id;
	if (packet->dport == 1900)
		return memmem(payload, length, "ST: ssM-SEARCH", 14)
			       ? (struct tool_guess){TOOL_MASSCAN, VERSION_UNTOLD, TOOL_ALONE}
			       : nobody;
	if (packet->dport == 123) {
		static const uint8_t template[48] = {0x17, 0, 3, 0x2a};
		bool same = length == sizeof template && memcmp(payload, template, sizeof template) == 0;
		return same ? (struct tool_guess){TOOL_MASSCAN, VERSION_UNTOLD, TOOL_FOLLOWS} : nobody;
	}
	bool agrees = packet->dport == 161 ? snmp_request_id(payload, length, &id) && id == cookie
					   : length >= 12 && load_be16(payload) == cookie;
	return agrees ? (struct tool_guess){TOOL_MASSCAN, VERSION_UNTOLD, TOOL_SECOND} : nobody;
}

/* ZMap's echo requests carry 20 zeros; since 4.1 that, with an identifier and a sequence number that both change from
 * packet to packet, is all that tells them. */
static bool is_zmap_echo(const struct packet *packet)
{
	static const uint8_t zeros[20];
	return packet->protocol == 1 && packet->dport == 8 << 8 && packet->ip_bytes == 48 && packet->l4_bytes == 28 &&
	       !(packet->flags & PACKET_DF) && memcmp(packet->l4 + 8, zeros, sizeof zeros) == 0;
}

static struct tool_guess guess_rest(const struct packet *packet)
{
	if (packet->version != 4)
		return nobody;
	struct tool_guess guess = packet->protocol == 17 ? guess_udp(packet) : nobody;
	if (guess.tool != TOOL_UNKNOWN)
		return guess;
	/* before 4.1 ZMap writes its ID into every protocol */
	if (packet->ip_id == ID_ZMAP && !(packet->flags & PACKET_DF))
		return (struct tool_guess){TOOL_ZMAP, ZMAP_BEFORE_4_1, TOOL_SECOND};
	return is_zmap_echo(packet) ? (struct tool_guess){TOOL_ZMAP, ZMAP_SINCE_4_1, TOOL_SECOND} : nobody;
}

struct tool_guess tool_guess_packet(const struct packet *packet)
{
	if (!packet->l4)
		return nobody;
	return packet->protocol == 6 ? guess_tcp(packet) : guess_rest(packet);
}
