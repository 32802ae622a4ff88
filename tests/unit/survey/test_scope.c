/* Scopes: what is read, what is refused by which name and line, and that a signature covers all but layout. */
#include "../check.h"

#include "core/clock.h"
#include "observe/survey/scope_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char text_good[] =
	"name: members\n"
	"legal_basis: article 1\n"
	"organisation: institute\n"
	"responsible: Sato\n"
	"contact: {name: desk, mail: a@example.jp, web: https://example.jp/, reverse_dns: s.example.jp}\n"
	"period: {from: 2026-11-01, until: 2026-12-01}\n"
	"networks:\n"
	"  - 198.18.0.0/16\n"
	"opt_out: [198.18.3.0/24]\n"
	"ports: {tcp: [22, 23], udp: [161]}\n"
	"checks: [discover, banner]\n"
	"rates: {packets_per_second: 1000, packets_per_network: 50, packets_per_target: 2}\n";

struct desk {
	struct pool *pool;
	struct approvers approvers;
	char folder[32], keys[3][64];
};

static const char *const people[] = {"Sato Hanako", "Suzuki Ichiro", "sato hanako"};

static int desk_open(void **state)
{
	struct desk *desk = calloc(1, sizeof *desk);
	char list[400] = "# who may sign\n";
	desk->pool = pool_new(NULL, "test");
	strcpy(desk->folder, "/tmp/scope-XXXXXX");
	assert_non_null(mkdtemp(desk->folder));
	for (int i = 0; i < 3; i++) {
		char key[APPROVAL_KEY_TEXT_BYTES];
		struct err err;
		snprintf(desk->keys[i], sizeof desk->keys[i], "%s/%d.pem", desk->folder, i);
		must(approval_key_make(desk->keys[i], key, &err));
		assert_int_equal(approval_key_make(desk->keys[i], key, &err), -EEXIST);
		snprintf(list + strlen(list), sizeof list - strlen(list), "ed25519 %s %s\n", key, people[i]);
	}
	must(approvers_parse("approvers", list, strlen(list), desk->pool, &desk->approvers, &must_err));
	assert_int_equal(desk->approvers.count, 3);
	*state = desk;
	return 0;
}

static int desk_close(void **state)
{
	struct desk *desk = *state;
	for (int i = 0; i < 3; i++)
		unlink(desk->keys[i]);
	rmdir(desk->folder);
	pool_free(desk->pool);
	free(desk);
	return 0;
}

static char *replaced(struct desk *desk, const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *out = pool_alloc(desk->pool, strlen(text) + strlen(new) + 1);
	assert_non_null(at);
	sprintf(out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	return out;
}

static void read_scope(struct desk *desk, const char *text, struct scope *scope)
{
	must(scope_parse("scope", text, strlen(text), desk->pool, scope, &must_err));
}

static void sign(struct desk *desk, struct scope *scope, int who)
{
	must(approval_sign(desk->keys[who], scope, people[who], "2026-11-02T00:00:00Z", desk->pool,
			   &scope->signatures[scope->signature_count], &must_err));
	scope->signature_count++;
}

static const struct scope_verdict *judge(struct desk *desk, const struct scope *scope, const char *when)
{
	static struct scope_verdict verdict;
	int64_t now_ns;
	must(time_parse(when, 0, &now_ns, &must_err));
	scope_check(scope, &desk->approvers, NULL, 0, now_ns, &verdict);
	return &verdict;
}

static void assert_refused(const struct scope_verdict *verdict, const char *name, unsigned line)
{
	assert_int_equal(verdict->count, 1);
	assert_string_equal(verdict->refusals[0].name, name);
	assert_int_equal(verdict->refusals[0].line, line);
}

static void good_scope(void **state)
{
	struct desk *desk = *state;
	struct scope scope;
	read_scope(desk, text_good, &scope);
	assert_int_equal(scope.tcp.items[1], 23);
	assert_int_equal(scope.udp.count, 1);
	assert_int_equal(scope.checks, 1u << SCOPE_DISCOVER | 1u << SCOPE_BANNER);
	assert_int_equal(scope.packets_per_network, 50);
	assert_string_equal(scope.reverse_dns, "s.example.jp");
	sign(desk, &scope, 0);
	sign(desk, &scope, 1);
	const struct scope_verdict *verdict = judge(desk, &scope, "2026-11-23");
	assert_int_equal(verdict->count, 0);
	assert_int_equal(verdict->addresses, 65536);
}

static void period(void **state)
{
	struct desk *desk = *state;
	struct scope scope;
	read_scope(desk, text_good, &scope);
	sign(desk, &scope, 0);
	sign(desk, &scope, 1);
	assert_refused(judge(desk, &scope, "2026-12-01"), "expired", 6);
	assert_refused(judge(desk, &scope, "2026-10-31T23:59:59Z"), "not-yet-valid", 6);
	assert_int_equal(judge(desk, &scope, "2026-11-30T23:59:59Z")->count, 0);
	read_scope(desk, replaced(desk, text_good, "2026-12-01", "2027-12-01"), &scope);
	sign(desk, &scope, 0);
	sign(desk, &scope, 1);
	assert_refused(judge(desk, &scope, "2026-11-23"), "period-too-long", 6);
}

static void signatures(void **state)
{
	struct desk *desk = *state;
	struct scope scope;
	read_scope(desk, text_good, &scope);
	assert_refused(judge(desk, &scope, "2026-11-23"), "unsigned", 1);
	sign(desk, &scope, 0);
	scope.signatures[0].line = 13;
	assert_refused(judge(desk, &scope, "2026-11-23"), "one-signature", 13);
	sign(desk, &scope, 2); /* another key of the same person */
	assert_refused(judge(desk, &scope, "2026-11-23"), "same-person-twice", 13);
	scope.signatures[1].person = "Suzuki Ichiro"; /* a name that the key is not of */
	const struct scope_verdict *verdict = judge(desk, &scope, "2026-11-23");
	assert_int_equal(verdict->count, 2);
	assert_string_equal(verdict->refusals[0].name, "unknown-signer");
	assert_string_equal(verdict->refusals[1].name, "one-signature");
}

/* Signatures of one text under another: layout and comments may change, nothing else. */
static void tampered(void **state)
{
	static const char *const changes[][2] = {
		{"198.18.0.0/16", "198.18.0.0/15"}, {"[22, 23]", "[22, 80]"},
		{"banner", "credentials"},          {"2026-12-01", "2026-12-02"},
		{"article 1", "article 2"},         {"1000", "1001"},
		{"opt_out: [198.18.3.0/24]\n", ""}, {"responsible: Sato", "responsible: Ito"},
	};
	struct desk *desk = *state;
	struct scope scope, other;
	read_scope(desk, text_good, &scope);
	sign(desk, &scope, 0);
	sign(desk, &scope, 1);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		read_scope(desk, replaced(desk, text_good, changes[i][0], changes[i][1]), &other);
		memcpy(other.signatures, scope.signatures, sizeof other.signatures);
		other.signature_count = 2;
		const struct scope_verdict *verdict = judge(desk, &other, "2026-11-23");
		assert_int_equal(verdict->count, 2);
		assert_string_equal(verdict->refusals[0].name, "tampered");
		assert_string_equal(verdict->refusals[1].name, "tampered");
	}
	read_scope(desk, replaced(desk, text_good, "  - 198.18.0.0/16\n", "   # all\n   - '198.18.0.0/16'\n"), &other);
	memcpy(other.signatures, scope.signatures, sizeof other.signatures);
	other.signature_count = 2;
	assert_int_equal(judge(desk, &other, "2026-11-23")->count, 0);
	other.signatures[0].signed_at = "2026-11-02T00:00:01Z";
	assert_string_equal(judge(desk, &other, "2026-11-23")->refusals[0].name, "tampered");
}

static void networks(void **state)
{
	static const struct {
		const char *network, *name;
	} cases[] = {
		{"16.0.0.0/7", "too-wide"},       {"2001:d00::/24", "too-wide"},    {"224.0.0.0/24", "multicast"},
		{"127.0.0.0/16", "loopback"},     {"169.254.9.0/24", "link-local"}, {"255.255.255.255", "reserved"},
		{"0.0.0.0/8", "reserved"},        {"10.1.0.0/16", "private"},       {"::1", "loopback"},
		{"ff02::/32", "multicast"},       {"fe80::/64", "link-local"},      {"192.168.0.0/24", "private"},
		{"198.18.3.128/25", "opted-out"}, {"198.18.3.0/24", "opted-out"},
	};
	struct desk *desk = *state;
	struct scope scope;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		read_scope(desk, replaced(desk, text_good, "198.18.0.0/16", cases[i].network), &scope);
		sign(desk, &scope, 0);
		sign(desk, &scope, 1);
		assert_refused(judge(desk, &scope, "2026-11-23"), cases[i].name, 8);
	}
	read_scope(desk, replaced(desk, text_good, "networks:", "private_networks: true\nnetworks:\n  - 10.0.0.0/8"),
		   &scope);
	sign(desk, &scope, 0);
	sign(desk, &scope, 1);
	assert_int_equal(judge(desk, &scope, "2026-11-23")->count, 0);
}

static void refused_text(struct desk *desk, const char *text, const char *sentence)
{
	struct scope scope;
	struct err err = {""};
	assert_int_equal(scope_parse("scope", text, strlen(text), desk->pool, &scope, &err), -EINVAL);
	assert_contains(err.text, sentence);
}

static void unreadable(void **state)
{
	struct desk *desk = *state;
	refused_text(desk, "", "scope:1: an empty file");
	refused_text(desk, "a: [", "scope:2: not YAML");
	refused_text(desk, "- 1\n", "scope:1: names with values");
	refused_text(desk, replaced(desk, text_good, "name: m", "name: x\nname: m"), "scope:2: this name stands twice");
	refused_text(desk, replaced(desk, text_good, "checks:", "check:"), "scope:11: 'check' is no field");
	refused_text(desk, replaced(desk, text_good, "responsible: Sato\n", ""), "scope:1: responsible: is missing");
	refused_text(desk, replaced(desk, text_good, "article 1", "' '"), "scope:2: legal_basis: a text");
	refused_text(desk, replaced(desk, text_good, "22, 23", "22, 22"), "scope:10: tcp: port 22 stands twice");
	refused_text(desk, replaced(desk, text_good, "22, 23", "22, 65536"), "scope:10: tcp: '65536'");
	refused_text(desk, replaced(desk, text_good, "1000", "1e9"), "scope:12: packets_per_second: '1e9'");
	refused_text(desk, replaced(desk, text_good, "2026-12-01", "-1d"), "scope:6: until: a time like");
	refused_text(desk, replaced(desk, text_good, "/16", "/33"), "scope:8: networks:");
	refused_text(desk, replaced(desk, text_good, "name: m", "name: \"a\\0b\"\nx: m"),
		     "scope:1: a text with a zero");
	char *two = pool_alloc(desk->pool, sizeof text_good + 20);
	sprintf(two, "%s---\nname: x\n", text_good);
	refused_text(desk, two, "scope:14: a second document");
}

static void approvers_refused(void **state)
{
	struct desk *desk = *state;
	static const char *const lines[] = {"ed25519\n", "\nrsa AAAA Sato\n", "ed25519 AAAA Sato\n",
					    "ed25519 Qb5Rz8c2s2AUYILGWVFIkubh1YLn9jCH+tAa5TZ4k9E=  \n"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct approvers approvers = {NULL, 0};
		struct err err = {""};
		assert_int_equal(approvers_parse("list", lines[i], strlen(lines[i]), desk->pool, &approvers, &err),
				 -EINVAL);
		assert_contains(err.text, i == 1 ? "list:2: " : "list:1: ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_scope),        cmocka_unit_test(period),   cmocka_unit_test(signatures),
		cmocka_unit_test(tampered),          cmocka_unit_test(networks), cmocka_unit_test(unreadable),
		cmocka_unit_test(approvers_refused),
	};
	return cmocka_run_group_tests(tests, desk_open, desk_close);
}
