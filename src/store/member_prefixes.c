/* Prefixes that a member may have: what nobody can own is refused, what is nobody's alone is warned of (IANA's
 * registries of special-purpose addresses, RFC 6890).
 */
#include "store/member_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { V4_BITS_LEAST = 8, V6_BITS_LEAST = 16, V4_BITS_WIDE = 12, V6_BITS_WIDE = 24 };

#define V4(a, b, c, bits)                                                                                              \
	{                                                                                                              \
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0}}, 96 + (bits)                                  \
	}
#define V6(a, b, c, d, bits)                                                                                           \
	{                                                                                                              \
		{{a, b, c, d}}, bits                                                                                   \
	}

static const struct special {
	struct prefix prefix;
	bool refused;
	const char *what, *what_ja;
} specials[] = {
	{V4(0, 0, 0, 8), true, "\"this network\" (RFC 791)", "「このネットワーク」(RFC 791)"},
	{V4(127, 0, 0, 8), true, "loopback (RFC 1122)", "ループバック(RFC 1122)"},
	{V4(169, 254, 0, 16), true, "link-local (RFC 3927)", "リンクローカル(RFC 3927)"},
	{V4(224, 0, 0, 4), true, "multicast (RFC 5771)", "マルチキャスト(RFC 5771)"},
	{V4(240, 0, 0, 4), true, "reserved (RFC 1112)", "予約済み(RFC 1112)"},
	{V4(10, 0, 0, 8), false, "private (RFC 1918)", "プライベート(RFC 1918)"},
	{V4(172, 16, 0, 12), false, "private (RFC 1918)", "プライベート(RFC 1918)"},
	{V4(192, 168, 0, 16), false, "private (RFC 1918)", "プライベート(RFC 1918)"},
	{V4(100, 64, 0, 10), false, "shared by carriers (RFC 6598)", "事業者共用(RFC 6598)"},
	{V4(192, 0, 0, 24), false, "for protocols (RFC 6890)", "プロトコル用(RFC 6890)"},
	{V4(192, 0, 2, 24), false, "for documentation (RFC 5737)", "文書用(RFC 5737)"},
	{V4(198, 51, 100, 24), false, "for documentation (RFC 5737)", "文書用(RFC 5737)"},
	{V4(203, 0, 113, 24), false, "for documentation (RFC 5737)", "文書用(RFC 5737)"},
	{V4(198, 18, 0, 15), false, "for benchmarks (RFC 2544)", "性能試験用(RFC 2544)"},
	{V6(0xff, 0, 0, 0, 8), true, "multicast (RFC 4291)", "マルチキャスト(RFC 4291)"},
	{V6(0xfe, 0x80, 0, 0, 10), true, "link-local (RFC 4291)", "リンクローカル(RFC 4291)"},
	{V6(0xfc, 0, 0, 0, 7), false, "private (RFC 4193)", "プライベート(RFC 4193)"},
	{V6(0x20, 0x01, 0x0d, 0xb8, 32), false, "for documentation (RFC 3849)", "文書用(RFC 3849)"},
	{V6(0x20, 0x01, 0, 0, 32), false, "Teredo (RFC 4380)", "Teredo(RFC 4380)"},
	{V6(0x20, 0x02, 0, 0, 16), false, "6to4 (RFC 3056)", "6to4(RFC 3056)"},
};
static const struct prefix global_v6 = V6(0x20, 0, 0, 0, 3);

static bool covers(const struct prefix *wide, const struct prefix *narrow)
{
	return wide->bits <= narrow->bits && prefix_has(wide, &narrow->addr);
}

static int refuse(json_t *remarks, const char *text, const char *message, const char *message_ja)
{
	member_remark(remarks, "prefixes", true, text, message, message_ja);
	return 1;
}

static void warn(json_t *remarks, const char *text, const char *message, const char *message_ja)
{
	member_remark(remarks, "prefixes", false, text, message, message_ja);
}

/* Why the text is none: bits past the length are the commonest slip, and are told apart. */
static int refuse_text(json_t *remarks, const char *text, const struct err *err)
{
	const char *slash = strchr(text, '/');
	char address[ADDR_TEXT_BYTES];
	struct addr addr;
	snprintf(address, sizeof address, "%.*s", slash ? (int)(slash - text) : (int)strlen(text), text);
	const char *ja =
		slash && addr_parse(address, &addr, NULL) == 0
			? "「%s」: プレフィックス長が範囲外か、それより後ろのビットが 0 ではありません"
			: "「%s」はアドレス範囲として読めません。192.0.2.0/24 や 2001:db8::/32 のように書いてください";
	return refuse(remarks, text, err->text, ja);
}

static int judge_special(const struct prefix *prefix, const char *text, json_t *remarks)
{
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
		const struct special *special = &specials[i];
		char message[200], message_ja[200];
		if (!covers(&special->prefix, prefix))
			continue;
		snprintf(message, sizeof message, "'%%s' is %s: %s", special->what,
			 special->refused ? "nobody's" : "not the member's alone");
		snprintf(message_ja, sizeof message_ja, "「%%s」は%sで、%s", special->what_ja,
			 special->refused ? "誰のものでもありません" : "この組織だけのものではありません");
		if (special->refused)
			return refuse(remarks, text, message, message_ja);
		warn(remarks, text, message, message_ja);
	}
	return 0;
}

int member_prefix_take(const char *text, struct prefix *ret_prefix, json_t *remarks)
{
	struct err err = {""};
	struct prefix prefix;
	if (prefix_parse(text, &prefix, &err) < 0)
		return refuse_text(remarks, text, &err);
	bool v4 = addr_is_v4(&prefix.addr) && prefix.bits >= 96;
	unsigned bits = v4 ? prefix.bits - 96U : prefix.bits;
	if (bits < (v4 ? V4_BITS_LEAST : V6_BITS_LEAST))
		return refuse(remarks, text,
			      v4 ? "'%s' is wider than any member's: /8 or longer was expected"
				 : "'%s' is wider than any member's: /16 or longer was expected",
			      v4 ? "「%s」は広すぎます。/8 以上の長さにしてください"
				 : "「%s」は広すぎます。/16 以上の長さにしてください");
	if (judge_special(&prefix, text, remarks) != 0)
		return 1;
	if (!v4 && !covers(&global_v6, &prefix) && (prefix.addr.bytes[0] & 0xfe) != 0xfc)
		return refuse(remarks, text, "'%s' is outside of what IANA gives out (2000::/3, RFC 4291)",
			      "「%s」は割り当ての対象(2000::/3、RFC 4291)の外です");
	if (bits < (v4 ? V4_BITS_WIDE : V6_BITS_WIDE))
		warn(remarks, text, "'%s' is very wide", "「%s」はとても広い範囲です");
	*ret_prefix = prefix;
	return 0;
}
