/* The packets of each kind of sender, as the tools and stacks themselves make them.
 *
 * Sources: masscan src/templ-pkt.c and src/syn-cookie.c, ZMap src/probe_modules/packet.c, Nmap scan_engine_raw.cc
 * (seq32_encode), unicornscan's TCPHASHTRACK, Mirai's bot/scanner.c; Linux and Windows by their default SYN. The
 * conditions by which they are told apart are the telescope's; the tests hold both sides together.
 */
#include "train/simulation.h"

#include "core/hash.h"
#include "train/payloads.h"

#include <stdlib.h>

enum { SYN = 0x02, RST_ACK = 0x14, SYN_ACK = 0x12 };

static const uint8_t mss_1460[] = {2, 4, 5, 0xb4};
static const uint8_t zmap_options[] = {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};

/* What stays the same of a device however often it sends. */
static uint64_t device_trait(const struct simulation *simulation, const struct device *device)
{
	return hash_u64(simulation->options.seed ^ hash_u64(device->addr + ((uint64_t)device->stream << 32) + 1));
}

static uint8_t ttl_from(unsigned initial, uint64_t trait)
{
	return (uint8_t)(initial - 6 - trait % 20);
}

static void pick_target(struct simulation *simulation, struct craft_ip *ip, uint64_t random)
{
	if (!ip->six) {
		uint64_t nth = (uint64_t)(((unsigned __int128)random * simulation->span_total) >> 64);
		const struct span *span = simulation->spans;
		while (nth >= span->size)
			nth -= span++->size;
		ip->dst = span->base + (uint32_t)nth;
		return;
	}
	const struct prefix *prefix = &simulation->six[random % simulation->six_count];
	ip->dst6 = prefix->addr;
	/* scanners of IPv6 guess: a low subnet, and in it a low interface identifier, or one from a vendor's MAC */
	uint64_t host = random >> 40 & 1 ? (random >> 8 & 0xff) + 1 : 0x021122fffe000000 | (random >> 16 & 0xffffff);
	uint8_t guess[16] = {[6] = 0, [7] = (uint8_t)(random >> 44 & 0x0f)};
	for (int i = 0; i < 8; i++)
		guess[15 - i] = (uint8_t)(host >> 8 * i);
	for (unsigned bit = prefix->bits; bit < 128; bit++)
		if (guess[bit / 8] >> (7 - bit % 8) & 1)
			ip->dst6.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static void from_device(const struct simulation *simulation, const struct device *device, struct craft_ip *ip)
{
	if (ip->six)
		ip->src6 = simulation->addrs[device->addr];
	else
		ip->src = device->addr;
}

/* A Linux client's SYN: MSS, SACK permitted, timestamps, window scale 7. */
static void linux_options(uint8_t options[20], uint32_t stamp)
{
	static const uint8_t fixed[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7};
	memcpy(options, fixed, sizeof fixed);
	store_be32(options + 8, stamp);
}

/* The headers by which each tool's SYN is known. */
static void shape_syn(const struct class_state *state, uint64_t trait, uint64_t random, struct craft_ip *ip,
		      struct craft_tcp *tcp, uint8_t options[20])
{
	const struct traffic_class *class = state->class;
	uint16_t ephemeral = (uint16_t)(32768 + (random >> 16) % 28233); /* 32768..61000 */
	tcp->flags = SYN;
	tcp->sport = ephemeral;
	tcp->seq = (uint32_t)random;
	tcp->options = options;
	ip->id = (uint16_t)(random >> 48);
	switch ((enum sender) class->sender) {
	case SENDER_MIRAI:
		tcp->sport = (uint16_t)(1024 + (random >> 32) % 64512);
		tcp->seq = ip->dst;
		tcp->window = (uint16_t)random;
		ip->ttl = ttl_from(64, trait);
		break;
	case SENDER_MASSCAN:
		tcp->sport = (uint16_t)(40000 + trait % 20000);
		tcp->seq = (uint32_t)hash_u64(trait ^ ip->dst ^ (uint64_t)tcp->dport << 32);
		ip->id = (uint16_t)(ip->dst ^ tcp->dport ^ tcp->seq);
		ip->ttl = ttl_from(255, trait);
		tcp->window = class->form == VERSION_NEW ? 1025 : 1024;
		if (class->form == VERSION_NEW) {
			tcp->options = mss_1460;
			tcp->option_bytes = sizeof mss_1460;
		}
		break;
	case SENDER_ZMAP:
		tcp->window = 65535;
		ip->ttl = ttl_from(255, trait);
		if (class->form == VERSION_OLD)
			ip->id = 54321;
		tcp->options = class->form == VERSION_NEW ? zmap_options : mss_1460;
		tcp->option_bytes = class->form == VERSION_NEW       ? sizeof zmap_options
				    : class->form == VERSION_MINIMAL ? sizeof mss_1460
								     : 0;
		break;
	case SENDER_NMAP: {
		uint32_t try = random >> 40 & 1; /* seq32_encode(): the try, twice, under the scan's mask */
		tcp->seq = (uint32_t)(trait >> 8) ^ (try << 16 | try);
		tcp->sport = (uint16_t)(33000 + trait % 28000 + try);
		tcp->window = 1024;
		tcp->options = mss_1460;
		tcp->option_bytes = sizeof mss_1460;
		ip->ttl = (uint8_t)(37 + (random >> 8) % 23 - trait % 16);
		break;
	}
	case SENDER_UNICORNSCAN:
		tcp->sport = (uint16_t)(1024 + (random >> 32) % 64512);
		tcp->seq = (uint32_t)(trait >> 16) ^ __builtin_bswap32(ip->dst) ^
			   (((uint32_t)tcp->dport << 16) + tcp->sport);
		tcp->window = 16384;
		ip->ttl = ttl_from(128, trait);
		break;
	case SENDER_LINUX:
		tcp->window = 64240;
		linux_options(options, (uint32_t)(trait + random / 7));
		tcp->option_bytes = 20;
		ip->ttl = ttl_from(64, trait);
		ip->dont_fragment = true;
		break;
	case SENDER_WINDOWS:
		tcp->sport = (uint16_t)(49152 + (random >> 16) % 16384);
		tcp->window = trait & 1 ? 64240 : 8192;
		tcp->options = zmap_options; /* the same; DF and window tell them apart */
		tcp->option_bytes = sizeof zmap_options;
		ip->ttl = ttl_from(128, trait);
		ip->dont_fragment = true;
		break;
	default:
		tcp->window = 14600;
		ip->ttl = ttl_from(64, trait);
	}
	if (class->window >= 0)
		tcp->window = (uint16_t) class->window;
}

static size_t spoofed_write(const struct class_state *state, const struct device *device, uint64_t random,
			    struct craft_ip *ip, uint16_t dport, uint8_t *frame)
{
	(void)device;
	static const uint8_t odd[] = {61, 63, 99, 114, 143, 200, 253, 255};
	struct craft_tcp tcp = {.flags = SYN,
				.sport = (uint16_t)(1024 + (random >> 16) % 64512),
				.dport = dport,
				.seq = (uint32_t)random,
				.window = (uint16_t)(2048 + (random >> 32) % 60000)};
	ip->id = (uint16_t)(random >> 48);
	ip->ttl = (uint8_t)(40 + random % 80);
	switch ((enum spoof)state->class->spoof) {
	case SPOOF_TTL:
		ip->ttl = (uint8_t)(205 + random % 50);
		break;
	case SPOOF_PROTOCOL:
		memset(frame + craft_l4(ip), (uint8_t)random, 20);
		return craft_raw(frame, ip, odd[random >> 8 & 7], 20);
	case SPOOF_PORT_ZERO:
		tcp.sport = 0;
		break;
	default: /* the address tells */
		break;
	}
	return craft_tcp(frame, ip, &tcp);
}

size_t sender_write(struct simulation *simulation, const struct class_state *state, const struct device *device,
		    const struct port_choice *port, uint8_t *frame, uint16_t *ret_dport)
{
	const struct traffic_class *class = state->class;
	uint64_t trait = device_trait(simulation, device), random = random_next(&simulation->random);
	/* a misconfigured host errs to one address for ever */
	uint64_t target = class->section == SECTION_HOSTS ? hash_u64(trait) : random_next(&simulation->random);
	struct craft_ip ip = {.six = class->ip == 6};
	from_device(simulation, device, &ip);
	pick_target(simulation, &ip, target);
	uint16_t dport = (uint16_t)(port->low + (random >> 24) % (port->high - port->low + 1u));
	*ret_dport = dport;
	if (class->sender == SENDER_SPOOFED)
		return spoofed_write(state, device, random, &ip, dport, frame);
	if (class->sender == SENDER_PING) {
		size_t body = trait & 1 ? 56 : 0;
		ip.ttl = ttl_from(trait & 2 ? 64 : 128, trait);
		ip.id = (uint16_t)(random >> 48);
		memset(frame + craft_l4(&ip) + 8, (int)(trait >> 8 & 0xff), body);
		uint32_t rest = (uint32_t)(trait >> 16 << 16) | (uint16_t)(random >> 8);
		return craft_icmp(frame, &ip, ip.six ? 128 : 8, 0, rest, body);
	}
	if (class->sender == SENDER_UDP) {
		ip.ttl = ttl_from(trait & 1 ? 64 : 128, trait);
		ip.id = (uint16_t)(random >> 48);
		size_t bytes = udp_payload_write(frame + craft_l4(&ip) + 8, port->payload, random);
		/* Programs of a local network that were led astray talk from their own port; probes come from high
		 * ones, where no service is that answers. */
		bool local = class->section == SECTION_HOSTS && (dport == 137 || dport == 5353);
		return craft_udp(frame, &ip, local ? dport : (uint16_t)(49152 + (random >> 16) % 16384), dport, bytes);
	}
	uint8_t options[20];
	struct craft_tcp tcp = {.dport = dport};
	shape_syn(state, trait, random, &ip, &tcp, options);
	return craft_tcp(frame, &ip, &tcp);
}

/* ---- what victims answer ---- */

/* An ICMP error quotes the packet that the attacker sent in the darknet's name: its IP header and 8 bytes (RFC 792;
 * RFC 1812 section 4.3.2.3 would allow more), with the TTL it had when it got there. */
static size_t quote_write(uint8_t *at, const struct craft_ip *answer, const struct craft_ip *victim,
			  const struct port_choice *port, uint16_t number, uint64_t random)
{
	struct craft_ip quoted = {.six = answer->six,
				  .ttl = (uint8_t)(1 + random % 60),
				  .id = (uint16_t)(random >> 16),
				  .src = answer->dst,
				  .dst = victim->src,
				  .src6 = answer->dst6,
				  .dst6 = victim->src6};
	uint8_t protocol = port->protocol == 1 ? (answer->six ? 58 : 1) : port->protocol;
	size_t header = craft_ip_header(at, &quoted, protocol, protocol == 6 ? 20 : 9 + random % 63);
	uint8_t *l4 = at + header;
	store_be16(l4, (uint16_t)(1024 + (random >> 32) % 64512));
	store_be16(l4 + 2, number);
	store_be32(l4 + 4, (uint32_t)(random >> 24));
	if (protocol == 17)
		store_be16(l4 + 4, (uint16_t)(9 + random % 63));
	if (protocol == 1 || protocol == 58)
		store_be16(l4, protocol == 58 ? 0x8000 : 0x0800);
	return header + 8;
}

static size_t icmp_answer(uint8_t *frame, const struct craft_ip *ip, const struct craft_ip *victim, enum answer answer,
			  const struct port_choice *port, uint16_t number, uint64_t random)
{
	static const struct {
		uint8_t type, code, type6, code6;
	} errors[ANSWERS] = {
		[ANSWER_PORT_UNREACHED] = {3, 3, 1, 4},
		[ANSWER_HOST_UNREACHED] = {3, 1, 1, 3},
		[ANSWER_FILTERED] = {3, 13, 1, 1},
		[ANSWER_TIME_EXCEEDED] = {11, 0, 3, 0},
	};
	if (answer == ANSWER_ECHO_REPLY) {
		memset(frame + craft_l4(ip) + 8, (uint8_t)random, 32);
		return craft_icmp(frame, ip, ip->six ? 129 : 0, 0, (uint32_t)random, 32);
	}
	size_t quoted = quote_write(frame + craft_l4(ip) + 8, ip, victim, port, number, random);
	return craft_icmp(frame, ip, ip->six ? errors[answer].type6 : errors[answer].type,
			  ip->six ? errors[answer].code6 : errors[answer].code, 0, quoted);
}

static size_t udp_answer(uint8_t *frame, const struct craft_ip *ip, enum answer answer, uint64_t random)
{
	uint8_t *payload = frame + craft_l4(ip) + 8;
	uint16_t dport = (uint16_t)(1024 + (random >> 16) % 64512);
	switch (answer) {
	case ANSWER_NTP:
		return craft_udp(frame, ip, 123, dport, ntp_answer_write(payload, random));
	case ANSWER_MEMCACHED:
		return craft_udp(frame, ip, 11211, dport, memcached_answer_write(payload, random));
	case ANSWER_SSDP:
		return craft_udp(frame, ip, 1900, dport, ssdp_answer_write(payload, random));
	default:
		return craft_udp(frame, ip, 53, dport, dns_answer_write(payload, random));
	}
}

size_t answer_write(struct simulation *simulation, const struct class_state *state, const struct victim *victim,
		    enum answer answer, const struct device **ret_host, uint8_t *frame)
{
	uint64_t random = random_next(&simulation->random), trait = device_trait(simulation, &victim->hosts[0]);
	bool router = answer == ANSWER_HOST_UNREACHED || answer == ANSWER_FILTERED || answer == ANSWER_TIME_EXCEEDED;
	const struct device *host = &victim->hosts[router ? 1 + (random >> 60) % 2 : 0];
	struct craft_ip ip = {.six = state->class->ip == 6, .id = (uint16_t)(random >> 44)}, attacked = ip;
	from_device(simulation, host, &ip);
	from_device(simulation, &victim->hosts[0], &attacked);
	pick_target(simulation, &ip, random_next(&simulation->random));
	ip.ttl = ttl_from(router ? 255 : trait & 1 ? 64 : 128, trait);
	*ret_host = host;
	struct craft_tcp tcp = {.sport = victim->number,
				.dport = (uint16_t)(1024 + (random >> 16) % 64512),
				.ack = (uint32_t)random,
				.options = mss_1460};
	switch (answer) {
	case ANSWER_SYN_ACK:
		tcp.flags = SYN_ACK;
		tcp.seq = (uint32_t)hash_u64(random);
		tcp.window = trait & 1 ? 64240 : 8192;
		tcp.option_bytes = sizeof mss_1460;
		ip.id = 0;
		ip.dont_fragment = true;
		return craft_tcp(frame, &ip, &tcp);
	case ANSWER_RST:
		tcp.flags = RST_ACK;
		ip.dont_fragment = true;
		return craft_tcp(frame, &ip, &tcp);
	case ANSWER_DNS:
	case ANSWER_NTP:
	case ANSWER_MEMCACHED:
	case ANSWER_SSDP:
		return udp_answer(frame, &ip, answer, random);
	default:
		return icmp_answer(frame, &ip, &attacked, answer, &state->class->ports[victim->port], victim->number,
				   random);
	}
}
