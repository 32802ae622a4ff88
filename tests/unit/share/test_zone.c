/* Versions of a zone and what changed between them; answers to those with a key, as ldns, which asks here too, reads
 * them. Real resolvers are in tests/system/test_rpz.py. */
#include "share/zone_transfer.h"

#include "../check.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>

static const struct zone_key key = {"member.", "hmac-sha256.", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ=="};
static const struct zone_service service = {"rpz.test", &key, 1};

static struct zone_version *next(const char *text, struct zone_version *before, uint32_t least)
{
	struct zone_version *version = NULL;
	struct err err = {""};
	assert_int_equal(zone_version_read(text, strlen(text), before, least, &version, &err), 0);
	return version;
}

static void versions_know_what_changed(void **state)
{
	(void)state;
	struct zone_version *one = next(
		"$ORIGIN x.\n@ SOA\nb.example CNAME .\na.example CNAME .\na.example CNAME .\nbad line\n", NULL, 100);
	assert_int_equal(one->serial, 100);
	assert_int_equal(one->names->count, 2);
	assert_string_equal(one->names->names[0], "a.example");
	struct zone_version *same = next("a.example CNAME .\nb.example CNAME .", one, 200);
	assert_ptr_equal(same, one);
	zone_version_unref(same);
	struct zone_version *two = next("b.example CNAME .\nc.example CNAME .\n", one, 50);
	assert_int_equal(two->serial, 101);
	assert_int_equal(two->change_count, 1);
	assert_int_equal(two->changes[0].removed->count, 1);
	assert_string_equal(two->changes[0].removed->names[0], "a.example");
	assert_string_equal(two->changes[0].added->names[0], "c.example");
	zone_version_unref(one);
	for (unsigned i = 0; i < ZONE_CHANGES_MAX + 5; i++) {
		char text[64];
		snprintf(text, sizeof text, "n%u.example CNAME .\n", i);
		struct zone_version *more = next(text, two, 0);
		zone_version_unref(two);
		two = more;
	}
	assert_int_equal(two->change_count, ZONE_CHANGES_MAX);
	assert_int_equal(two->changes[ZONE_CHANGES_MAX - 1].to, two->serial);
	for (size_t i = 1; i < two->change_count; i++)
		assert_int_equal(two->changes[i].from, two->changes[i - 1].to);
	zone_version_unref(two);
	zone_version_unref(NULL);
}

struct got {
	unsigned messages, records, soas;
	ldns_pkt_rcode rcode;
	bool signatures_good;
};

/* Ask, and read all messages, each signature with that of the one before. */
static struct got ask(struct zone_version *version, ldns_rr_type type, uint32_t serial, const char *secret, bool tcp,
		      int64_t now_s)
{
	struct got got = {.signatures_good = true};
	struct zone_answer *answer = NULL;
	struct err err = {""};
	uint8_t *wire, *message;
	size_t bytes, message_bytes;
	ldns_pkt *query = ldns_pkt_query_new(ldns_dname_new_frm_str("rpz.test"), type, LDNS_RR_CLASS_IN, 0);
	if (type == LDNS_RR_TYPE_IXFR) {
		char text[128];
		ldns_rr *soa = NULL;
		snprintf(text, sizeof text, "rpz.test. 60 IN SOA a. b. %u 1 1 1 1", serial);
		assert_int_equal(ldns_rr_new_frm_str(&soa, text, 60, NULL, NULL), LDNS_STATUS_OK);
		ldns_pkt_push_rr(query, LDNS_SECTION_AUTHORITY, soa);
	}
	if (secret)
		assert_int_equal(ldns_pkt_tsig_sign(query, key.name, secret, 300, key.algorithm, NULL), LDNS_STATUS_OK);
	ldns_rdf *mac = secret ? ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(query), 3)) : NULL;
	assert_int_equal(ldns_pkt2wire(&wire, query, &bytes), LDNS_STATUS_OK);
	ldns_pkt_free(query);
	assert_int_equal(zone_answer_begin(&service, version, wire, bytes, tcp, now_s, &answer, &err), 0);
	assert_non_null(answer);
	while (zone_answer_next(answer, &message, &message_bytes, &err) == 1) {
		ldns_pkt *packet = NULL;
		assert_int_equal(ldns_wire2pkt(&packet, message, message_bytes), LDNS_STATUS_OK);
		got.rcode = ldns_pkt_get_rcode(packet);
		if (ldns_pkt_tsig(packet)) {
			got.signatures_good = got.signatures_good &&
					      ldns_pkt_tsig_verify_next(packet, message, message_bytes, key.name,
									key.secret, mac, got.messages > 0);
			ldns_rdf_deep_free(mac);
			mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet), 3));
		} else {
			got.signatures_good = false;
		}
		got.messages++;
		got.records += (unsigned)ldns_pkt_ancount(packet);
		for (size_t i = 0; i < ldns_pkt_ancount(packet); i++)
			got.soas += ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_answer(packet), i)) == LDNS_RR_TYPE_SOA;
		ldns_pkt_free(packet);
		free(message);
	}
	ldns_rdf_deep_free(mac);
	free(wire);
	zone_answer_free(answer);
	return got;
}

static void transfers_are_whole_and_signed(void **state)
{
	(void)state;
	static char text[200000];
	size_t used = 0;
	int64_t now_s = time(NULL);
	for (unsigned i = 0; i < 5000; i++)
		used += (size_t)sprintf(text + used, "host%u.example CNAME .\n", i);
	struct zone_version *version = next(text, NULL, 7);
	struct got got = ask(version, LDNS_RR_TYPE_AXFR, 0, key.secret, true, now_s);
	assert_int_equal(got.records, 5003);
	assert_int_equal(got.soas, 2);
	assert_true(got.messages > 1 && got.signatures_good);
	struct zone_version *newer = next("host1.example CNAME .\nnew.example CNAME .\n", version, 8);
	got = ask(newer, LDNS_RR_TYPE_IXFR, 7, key.secret, true, now_s);
	assert_int_equal(got.soas, 4);
	assert_int_equal(got.records, 4 + 4999 + 1);
	assert_int_equal(ask(newer, LDNS_RR_TYPE_IXFR, 8, key.secret, true, now_s).records, 1);
	assert_int_equal(ask(newer, LDNS_RR_TYPE_IXFR, 3, key.secret, true, now_s).records, 5);
	got = ask(newer, LDNS_RR_TYPE_IXFR, 7, key.secret, false, now_s);
	assert_true(got.records == 1 && got.soas == 1 && got.signatures_good);
	assert_int_equal(ask(newer, LDNS_RR_TYPE_SOA, 0, key.secret, false, now_s).records, 1);
	zone_version_unref(version);
	zone_version_unref(newer);
}

static void strangers_are_refused(void **state)
{
	(void)state;
	int64_t now_s = time(NULL);
	struct zone_version *version = next("a.example CNAME .\n", NULL, 7);
	static const char other[] = "bm90IHRoZSBzZWNyZXQgYXQgYWxsLCBub3QgYXQgYWxs";
	assert_int_equal(ask(version, LDNS_RR_TYPE_AXFR, 0, NULL, true, now_s).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(ask(version, LDNS_RR_TYPE_AXFR, 0, other, true, now_s).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(ask(version, LDNS_RR_TYPE_AXFR, 0, key.secret, true, now_s + 301).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(ask(version, LDNS_RR_TYPE_AXFR, 0, key.secret, false, now_s).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(ask(version, LDNS_RR_TYPE_A, 0, key.secret, true, now_s).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(ask(NULL, LDNS_RR_TYPE_AXFR, 0, key.secret, true, now_s).rcode, LDNS_RCODE_SERVFAIL);
	zone_version_unref(version);
}

static void keys_are_read(void **state)
{
	(void)state;
	struct zone_key keys[ZONE_KEYS_MAX];
	size_t count = 0;
	struct err err = {""};
	assert_int_equal(zone_keys_read("key \"a\" {\n\talgorithm hmac-sha256;\n\tsecret \"QUJD\";\n};\nkey b { "
					"algorithm hmac-sha512; secret \"REVG\"; };",
					"f", keys, &count, &err),
			 0);
	assert_int_equal(count, 2);
	assert_string_equal(keys[0].name, "a.");
	assert_string_equal(keys[1].algorithm, "hmac-sha512.");
	assert_string_equal(keys[1].secret, "REVG");
	assert_int_equal(
		zone_keys_read("\nkey \"a\" { algorithm hmac-md5; secret \"QUJD\"; };", "f", keys, &count, &err),
		-EINVAL);
	assert_contains(err.text, "f:2: key");
	assert_int_equal(zone_keys_read("nothing", "f", keys, &count, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_know_what_changed),
		cmocka_unit_test(transfers_are_whole_and_signed),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(keys_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
