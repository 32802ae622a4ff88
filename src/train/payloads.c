/* Payloads of UDP probes and answers. The probes are the fixed strings that scanners send for the services abused for
 * amplification (US-CERT TA14-017A lists them) and a few others; the answers are short forms of the real ones, enough
 * for a telescope to see the direction: QR of DNS (RFC 1035 4.1.1), mode 4 and 7 of NTP (RFC 5905 7.3), memcached's
 * frame header (protocol.txt), an SSDP 200 (UPnP Device Architecture 1.3.3). */
#include "train/payloads.h"

#include <string.h>

#define PROBE(n, p, r, s)                                                                                              \
	{                                                                                                              \
		.name = (n), .port = (p), .reflection = (r), .bytes = (s), .length = sizeof(s) - 1                     \
	}
#define PROBE_ID(n, p, r, s, at, count)                                                                                \
	{                                                                                                              \
		.name = (n), .port = (p), .reflection = (r), .bytes = (s), .length = sizeof(s) - 1, .id_offset = (at), \
		.id_bytes = (count)                                                                                    \
	}

#define EDNS_4096 "\0\0\x29\x10\0\0\0\0\0\0\0"
#define ZEROS_8 "\0\0\0\0\0\0\0\0"
#define ZEROS_40 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8

const struct udp_payload udp_payloads[] = {
	PROBE("none", 0, false, ""),
	PROBE_ID("dns-any", 53, true, "\0\0\1\0\0\1\0\0\0\0\0\1\3isc\3org\0\0\xff\0\1" EDNS_4096, 0, 2),
	PROBE_ID("dns-a", 0, false, "\0\0\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1", 0, 2),
	PROBE_ID("dns-version", 0, false, "\0\0\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3", 0, 2),
	PROBE("ntp-monlist", 123, true, "\x17\0\3\x2a\0\0\0\0"),
	PROBE("ntp-client", 0, false, "\x23\0\6\xec\0\0\0\0" ZEROS_40),
	PROBE("ssdp", 1900, true,
	      "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"
	      "ST: ssdp:all\r\n\r\n"),
	PROBE_ID("memcached", 11211, true, "\0\0\0\0\0\1\0\0stats\r\n", 0, 2),
	PROBE_ID("cldap", 389, true,
		 "\x30\x25\2\1\1\x63\x20\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0\x87\x0bobjectclass\x30\0", 4, 1),
	PROBE_ID("snmp", 161, true,
		 "\x30\x26\2\1\1\4\6public\xa5\x19\2\4\0\0\0\0\2\1\0\2\1\x0a\x30\x0b\x30\x09\6\5\x2b\6\1\2\1\5\0", 17,
		 4),
	PROBE("chargen", 19, true, "\1"),
	PROBE("qotd", 17, true, "\r\n"),
	PROBE_ID("coap", 5683, true, "\x40\1\0\0\xbb.well-known\4core", 2, 2),
	PROBE("wsd", 3702, true, "<?xml version=\"1.0\"?><Envelope><Body><Probe/></Body></Envelope>"),
	PROBE("arms", 3283, true, "\0\x14\0\0"),
	PROBE_ID("rpcbind", 111, true, "\0\0\0\0\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\4" ZEROS_8 ZEROS_8, 0, 4),
	PROBE("mssql", 1434, true, "\3"),
	PROBE_ID("netbios", 137, true,
		 "\0\0\0\0\0\1\0\0\0\0\0\0\x20"
		 "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\1",
		 0, 2),
	PROBE("mdns", 5353, true, "\0\0\0\0\0\1\0\0\0\0\0\0\x09_services\7_dns-sd\4_udp\5local\0\0\x0c\0\1"),
	PROBE("ubiquiti", 10001, true, "\1\0\0\0"),
	PROBE("tftp", 69, true, "\0\1a.pdf\0octet\0"),
	PROBE("dhcpdiscover", 37810, true, "\xff"),
	PROBE_ID("sip", 5060, false,
		 "OPTIONS sip:100@198.18.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-0000\r\n"
		 "From: <sip:100@192.0.2.1>\r\nTo: <sip:100@198.18.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
		 "Content-Length: 0\r\n\r\n",
		 0, 0),
	PROBE("syslog", 514, false, "<134>1 2026-01-01T00:00:00Z gateway dhcpd - - - lease renewed"),
	PROBE_ID("dht", 6881, false, "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", 12, 8),
	PROBE("netis", 53413, false, "AA\0\0AAAA\0"),
	PROBE_ID("quic", 443, false, "\xc0\0\0\0\1\x08\0\0\0\0\0\0\0\0\0\0\x40\x75" ZEROS_40 ZEROS_40, 6, 8),
	{.name = NULL},
};

int udp_payload_by_name(const char *name)
{
	for (int i = 0; udp_payloads[i].name; i++)
		if (strcmp(udp_payloads[i].name, name) == 0)
			return i;
	return -1;
}

int udp_payload_by_port(uint16_t port)
{
	for (int i = 1; udp_payloads[i].name; i++)
		if (udp_payloads[i].port == port)
			return i;
	return 0;
}

size_t udp_payload_write(uint8_t *out, int index, uint64_t random)
{
	const struct udp_payload *payload = &udp_payloads[index];
	memcpy(out, payload->bytes, payload->length);
	memcpy(out + payload->id_offset, &random, payload->id_bytes);
	return payload->length;
}

size_t dns_answer_write(uint8_t *out, uint64_t random)
{
	static const char answer[] = "\0\0\x81\x80\0\1\0\1\0\0\0\0\7example\3com\0\0\1\0\1"
				     "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\x0a";
	memcpy(out, answer, sizeof answer - 1);
	memcpy(out, &random, 2);
	if (random >> 62 == 0)
		out[3] = 0x85; /* REFUSED, as many resolvers answer strangers */
	return sizeof answer - 1;
}

size_t ntp_answer_write(uint8_t *out, uint64_t random)
{
	bool private_mode = random & 1;
	size_t length = private_mode ? 8 + 72 * (1 + (random >> 1) % 6) : 48;
	memset(out, 0, length);
	if (private_mode) { /* mode 7, response, MON_GETLIST_1 */
		out[0] = 0xd7;
		out[2] = 3;
		out[3] = 0x2a;
		out[5] = (uint8_t)((length - 8) / 72);
		out[7] = 72;
	} else { /* version 4, mode 4, stratum 2 */
		out[0] = 0x24;
		out[1] = 2;
		out[2] = 6;
		memcpy(out + 40, &random, 8);
	}
	return length;
}

size_t memcached_answer_write(uint8_t *out, uint64_t random)
{
	static const char answer[] = "\0\0\0\0\0\1\0\0STAT pid 1\r\nSTAT uptime 86400\r\nSTAT version 1.5.6\r\nEND\r\n";
	memcpy(out, answer, sizeof answer - 1);
	memcpy(out, &random, 2);
	return sizeof answer - 1;
}

size_t ssdp_answer_write(uint8_t *out, uint64_t random)
{
	(void)random;
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"
		"EXT:\r\nSERVER: Linux UPnP/1.0\r\nLOCATION: http://192.168.0.1:1900/igd.xml\r\n\r\n";
	memcpy(out, answer, sizeof answer - 1);
	return sizeof answer - 1;
}
