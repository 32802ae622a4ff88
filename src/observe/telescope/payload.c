/* See payload.h. Clusters stand in order of appearance; an index by hash finds them. Sources of the exploits: the CVE
 * records and the public analyses of the malware families that carry them. */
#include "observe/telescope/payload.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BYTES(text) (text), sizeof(text) - 1

/* In the order in which they are tried: at `offset` the bytes stand as they are. */
static const struct payload_prefix {
	const char *guess;
	uint8_t protocol; /* 0: any */
	uint8_t offset;
	const char *bytes;
	uint8_t length;
} prefixes[] = {
	{"ssdp", 17, 0, BYTES("M-SEARCH ")},
	{"ssdp", 17, 0, BYTES("NOTIFY * HTTP")},
	{"sip", 0, 0, BYTES("OPTIONS sip:")},
	{"sip", 0, 0, BYTES("REGISTER sip:")},
	{"sip", 0, 0, BYTES("INVITE sip:")},
	{"sip", 0, 0, BYTES("SIP/2.0 ")},
	{"rtsp", 0, 0, BYTES("OPTIONS rtsp:")},
	{"rtsp", 0, 0, BYTES("DESCRIBE rtsp:")},
	{"http", 0, 0, BYTES("GET ")},
	{"http", 0, 0, BYTES("POST ")},
	{"http", 0, 0, BYTES("HEAD ")},
	{"http", 0, 0, BYTES("PUT ")},
	{"http", 0, 0, BYTES("CONNECT ")},
	{"http", 0, 0, BYTES("OPTIONS ")},
	{"http", 0, 0, BYTES("HTTP/1.")},
	{"http2", 6, 0, BYTES("PRI * HTTP/2")},
	{"ssh", 6, 0, BYTES("SSH-")},
	{"tls", 6, 0, BYTES("\x16\x03")},
	{"dtls", 17, 0, BYTES("\x16\xfe")},
	{"rdp", 6, 0, BYTES("\x03\x00\x00")},
	{"smb", 6, 4, BYTES("\xffSMB")},
	{"smb", 6, 4, BYTES("\xfeSMB")},
	{"bittorrent", 0, 0,
	 BYTES("\x13"
	       "BitTorrent protocol")},
	{"bittorrent", 17, 0, BYTES("d1:ad2:id20:")},
	{"bittorrent", 17, 0, BYTES("d1:rd2:id20:")},
	{"stun", 17, 4, BYTES("\x21\x12\xa4\x42")},
	{"wireguard", 17, 0, BYTES("\x01\x00\x00\x00\x00")},
	{"source-engine", 17, 0, BYTES("\xff\xff\xff\xffTSource Engine Query")},
	{"quake", 17, 0, BYTES("\xff\xff\xff\xffgetstatus")},
	{"redis", 6, 0, BYTES("*1\r\n$")},
	{"redis", 6, 0, BYTES("INFO\r\n")},
	{"mqtt", 6, 4, BYTES("MQTT")},
	{"adb", 6, 0, BYTES("CNXN")},
	{"vnc", 6, 0, BYTES("RFB 00")},
	{"smtp", 6, 0, BYTES("EHLO ")},
	{"netis", 17, 0, BYTES("AA\0\0AAAA")},
	{"netbios", 17, 12,
	 BYTES("\x20"
	       "CKAAAAAA")},
	{"wsd", 17, 0, BYTES("<?xml")},
	{"wsd", 17, 0, BYTES("<:/>")},
	{"quic", 17, 1, BYTES("\x00\x00\x00\x01")},
	{"memcached", 17, 8, BYTES("stats")},
	{"memcached", 17, 8, BYTES("get ")},
	{"memcached", 17, 8, BYTES("gets ")},
};

/* Where a port is needed to believe the bytes: `mask` of the first byte gives `value`. */
static const struct payload_port {
	const char *guess;
	uint16_t port;
	uint8_t mask, value, least;
} ports[] = {
	{"dns", 53, 0, 0, 12},         {"tftp", 69, 0xff, 0, 4},      {"portmap", 111, 0, 0, 24},
	{"ntp", 123, 0xc0, 0x00, 1},   {"ntp", 123, 0xc0, 0xc0, 1},   {"netbios", 137, 0, 0, 12},
	{"snmp", 161, 0xff, 0x30, 8},  {"snmp", 162, 0xff, 0x30, 8},  {"cldap", 389, 0xff, 0x30, 8},
	{"slp", 427, 0, 0, 10},        {"isakmp", 500, 0, 0, 28},     {"syslog", 514, 0xff, '<', 4},
	{"rip", 520, 0, 0, 4},         {"ipmi", 623, 0xff, 0x06, 4},  {"mssql", 1434, 0xf8, 0x00, 1},
	{"openvpn", 1194, 0, 0, 1},    {"ard", 3283, 0, 0, 4},        {"isakmp", 4500, 0, 0, 28},
	{"mdns", 5353, 0, 0, 12},      {"coap", 5683, 0xc0, 0x40, 4}, {"ubiquiti", 10001, 0, 0, 4},
	{"memcached", 11211, 0, 0, 8}, {"dvr", 37810, 0, 0, 1},       {"bacnet", 47808, 0xff, 0x81, 4},
};

static const struct exploit_pattern {
	struct payload_exploit exploit;
	const char *bytes;
	uint8_t length;
	bool at_start;
} exploits[] = {
	{{"Huawei HG532", "CVE-2017-17215"}, BYTES("/ctrlt/DeviceUpgrade_1"), false},
	{{"Realtek SDK", "CVE-2014-8361"}, BYTES("/picsdesc.xml"), false},
	{{"Realtek SDK", "CVE-2014-8361"}, BYTES("/picdesc.xml"), false},
	{{"Realtek SDK", "CVE-2014-8361"}, BYTES("/wanipcn.xml"), false},
	{{"Dasan GPON", "CVE-2018-10561"}, BYTES("/GponForm/diag_Form"), false},
	{{"Eir D1000", "CVE-2016-10372"}, BYTES("/UD/act?1"), false},
	{{"D-Link HNAP", "CVE-2015-2051"}, BYTES("purenetworks.com/HNAP1/"), false},
	{{"ZTE F460", "CVE-2014-2321"}, BYTES("/web_shell_cmd.gch"), false},
	{{"MVPower DVR", "CVE-2016-20016"}, BYTES("/shell?cd"), false},
	{{"TBK DVR", "CVE-2024-3721"}, BYTES("___S_O_S_T_R_E_A_MAX___"), false},
	{{"Hikvision", "CVE-2021-36260"}, BYTES("/SDK/webLanguage"), false},
	{{"TP-Link Archer AX21", "CVE-2023-1389"}, BYTES("/cgi-bin/luci/;stok=/locale"), false},
	{{"Zyxel P660HN", "CVE-2017-18368"}, BYTES("/cgi-bin/ViewLog.asp"), false},
	{{"Netgear R7000", "CVE-2016-6277"}, BYTES("/cgi-bin/;"), false},
	{{"Arcadyan", "CVE-2021-20090"}, BYTES("/images/..%2f"), false},
	{{"D-Link DNS-320", "CVE-2020-25506"}, BYTES("/cgi-bin/system_mgr.cgi?"), false},
	{{"ThinkPHP", "CVE-2018-20062"}, BYTES("think\\app/invokefunction"), false},
	{{"PHPUnit", "CVE-2017-9841"}, BYTES("/phpunit/src/Util/PHP/eval-stdin.php"), false},
	{{"Apache httpd 2.4.49", "CVE-2021-41773"}, BYTES("/cgi-bin/.%2e/"), false},
	{{"Bash", "CVE-2014-6271"}, BYTES("() { :;"), false},
	{{"Log4j", "CVE-2021-44228"}, BYTES("${jndi:"), false},
	{{"Remote Desktop", "CVE-2019-0708"}, BYTES("MS_T120"), false},
	{{"Jenkins discovery", "CVE-2020-2100"}, BYTES("jenkins-discovery"), false},
	{{"ntpd monlist", "CVE-2013-5211"}, BYTES("\x17\x00\x03\x2a"), true},
	{{"memcached over UDP", "CVE-2018-1000115"}, BYTES("\0\0\0\0\0\1\0\0stats"), true},
	{{"Netis router", NULL}, BYTES("AA\0\0AAAA"), true},
};

struct payloads {
	struct payload_cluster *clusters;
	uint32_t *slots; /* number of a cluster + 1 */
	uint32_t count, room, mask;
	uint64_t refused;
};

const char *payload_guess(const uint8_t *bytes, size_t length, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		const struct payload_prefix *p = &prefixes[i];
		if ((p->protocol == 0 || p->protocol == protocol) && length >= (size_t)p->offset + p->length &&
		    memcmp(bytes + p->offset, p->bytes, p->length) == 0)
			return p->guess;
	}
	for (size_t i = 0; protocol == 17 && i < sizeof ports / sizeof *ports; i++)
		if (ports[i].port == port && length >= ports[i].least && (bytes[0] & ports[i].mask) == ports[i].value)
			return ports[i].guess;
	return NULL;
}

const struct payload_exploit *payload_exploit_of(const uint8_t *bytes, size_t length)
{
	length = length < PAYLOAD_SEARCHED ? length : PAYLOAD_SEARCHED;
	for (size_t i = 0; i < sizeof exploits / sizeof *exploits; i++) {
		const struct exploit_pattern *e = &exploits[i];
		bool found = e->at_start ? length >= e->length && memcmp(bytes, e->bytes, e->length) == 0
					 : memmem(bytes, length, e->bytes, e->length) != NULL;
		if (found)
			return &e->exploit;
	}
	return NULL;
}

static bool payloads_grow(struct payloads *payloads)
{
	uint32_t room = payloads->room ? payloads->room * 2 : 256, mask = room * 2 - 1;
	if (room > PAYLOAD_CLUSTERS_MAX)
		return false;
	uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
	struct payload_cluster *clusters = realloc(payloads->clusters, room * sizeof *clusters);
	if (clusters)
		payloads->clusters = clusters;
	if (!slots || !clusters) {
		free(slots);
		return false;
	}
	for (uint32_t i = 0; i < payloads->count; i++) {
		uint32_t slot = clusters[i].hash & mask;
		while (slots[slot])
			slot = (slot + 1) & mask;
		slots[slot] = i + 1;
	}
	free(payloads->slots);
	payloads->slots = slots;
	payloads->room = room;
	payloads->mask = mask;
	return true;
}

struct payloads *payloads_new(void)
{
	struct payloads *payloads = calloc(1, sizeof *payloads);
	if (payloads && !payloads_grow(payloads)) {
		payloads_free(payloads);
		return NULL;
	}
	return payloads;
}

void payloads_free(struct payloads *payloads)
{
	if (!payloads)
		return;
	free(payloads->clusters);
	free(payloads->slots);
	free(payloads);
}

static void cluster_begin(struct payload_cluster *cluster, uint32_t hash, const struct packet *packet)
{
	const uint8_t *bytes = packet->l4 + packet->header_bytes;
	size_t length = (size_t)packet->l4_bytes - packet->header_bytes;
	*cluster = (struct payload_cluster){
		.hash = hash,
		.protocol = packet->protocol,
		.length = (uint8_t)(length < PAYLOAD_HASHED ? length : PAYLOAD_HASHED),
		.port = packet->dport,
		.first_ns = packet->time_ns,
		.last_ns = packet->time_ns,
		.guess = payload_guess(bytes, length, packet->protocol, packet->dport),
		.exploit = payload_exploit_of(bytes, length),
	};
	memcpy(cluster->bytes, bytes, cluster->length);
}

uint32_t payloads_note(struct payloads *payloads, const struct packet *packet)
{
	if ((packet->protocol != 6 && packet->protocol != 17) || !packet->l4 ||
	    packet->l4_bytes <= packet->header_bytes)
		return 0;
	size_t length = (size_t)packet->l4_bytes - packet->header_bytes;
	uint32_t hash = (uint32_t)XXH3_64bits(packet->l4 + packet->header_bytes,
					      length < PAYLOAD_HASHED ? length : PAYLOAD_HASHED);
	hash = hash ? hash : 1;
	uint32_t slot = hash & payloads->mask;
	while (payloads->slots[slot] && payloads->clusters[payloads->slots[slot] - 1].hash != hash)
		slot = (slot + 1) & payloads->mask;
	if (!payloads->slots[slot]) {
		if (payloads->count == payloads->room) {
			if (!payloads_grow(payloads)) {
				payloads->refused++;
				return hash;
			}
			for (slot = hash & payloads->mask; payloads->slots[slot];)
				slot = (slot + 1) & payloads->mask;
		}
		cluster_begin(&payloads->clusters[payloads->count], hash, packet);
		payloads->slots[slot] = ++payloads->count;
	}
	struct payload_cluster *cluster = &payloads->clusters[payloads->slots[slot] - 1];
	cluster->packets++;
	if (packet->time_ns > cluster->last_ns)
		cluster->last_ns = packet->time_ns;
	return hash;
}

static int cluster_compare(const void *left, const void *right)
{
	const struct payload_cluster *a = left, *b = right;
	if (a->packets != b->packets)
		return a->packets < b->packets ? 1 : -1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

size_t payloads_top(const struct payloads *payloads, struct payload_cluster *ret_clusters, size_t most)
{
	struct payload_cluster *all = malloc((payloads->count + 1) * sizeof *all);
	if (!all)
		return 0;
	memcpy(all, payloads->clusters, payloads->count * sizeof *all);
	qsort(all, payloads->count, sizeof *all, cluster_compare);
	size_t count = payloads->count < most ? payloads->count : most;
	memcpy(ret_clusters, all, count * sizeof *all);
	free(all);
	return count;
}

uint64_t payloads_refused(const struct payloads *payloads)
{
	return payloads->refused;
}
