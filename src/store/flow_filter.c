/* See flow_filter.h. A parser by recursive descent; each primitive becomes tests of columns. */
#include "store/flow_filter.h"

#include "core/cursor.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_BYTES = 128, DEPTH_MAX = SCAN_STACK_MAX / 2 };

struct parser {
	const char *text, *at;
	char word[WORD_BYTES]; /* the next token, in small letters; "" at the end */
	const char *word_at;
	unsigned depth;
	struct scan_filter *filter;
	struct err *err;
};

/* --- words ------------------------------------------------------------------------------------------------------- */

static bool is_word(int c)
{
	return isalnum(c) || c == '.' || c == ':' || c == '/' || c == '_' || c == '-' || c == '@';
}

static void blanks_skip(struct parser *parser)
{
	for (;;) {
		while (isspace((unsigned char)*parser->at) || *parser->at == ',')
			parser->at++;
		if (*parser->at != '#')
			return;
		parser->at += strcspn(parser->at, "\n");
	}
}

static void next(struct parser *parser)
{
	blanks_skip(parser);
	const char *begin = parser->word_at = parser->at;
	size_t length = 0;
	if (is_word((unsigned char)*begin))
		while (is_word((unsigned char)begin[length]))
			length++;
	else if (*begin && begin[1] && (strchr("<>=!", *begin) && begin[1] == '='))
		length = 2;
	else if (*begin && (begin[0] == '&' || begin[0] == '|') && begin[1] == begin[0])
		length = 2;
	else
		length = *begin != '\0';
	parser->at = begin + length;
	size_t kept = length < WORD_BYTES ? length : WORD_BYTES - 1;
	for (size_t i = 0; i < kept; i++)
		parser->word[i] = (char)tolower((unsigned char)begin[i]);
	parser->word[kept] = '\0';
}

static bool is_next(const struct parser *parser, const char *word)
{
	return strcmp(parser->word, word) == 0;
}

static bool take(struct parser *parser, const char *word)
{
	if (!is_next(parser, word))
		return false;
	next(parser);
	return true;
}

static int refuse(struct parser *parser, const char *expected)
{
	if (!*parser->word)
		return err_set(parser->err, -EINVAL, "filter: it ends where %s was expected", expected);
	return err_set(parser->err, -EINVAL, "filter: \"%s\" at %zu, where %s was expected", parser->word,
		       (size_t)(parser->word_at - parser->text) + 1, expected);
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

static int add(struct parser *parser, const struct scan_test *test)
{
	int number = scan_filter_add(parser->filter, test);
	return number < 0 ? err_set(parser->err, number, "filter: more than %d tests", SCAN_TESTS_MAX) : number;
}

static int join(struct parser *parser, enum scan_op op, int left, int right)
{
	struct scan_test test = {.op = op, .left = (uint16_t)left, .right = (uint16_t)right};
	return left < 0 ? left : right < 0 ? right : add(parser, &test);
}

static int negate(struct parser *parser, int test)
{
	struct scan_test not = {.op = SCAN_NOT, .left = (uint16_t)test};
	return test < 0 ? test : add(parser, &not );
}

static uint16_t column(const char *name)
{
	return (uint16_t)record_column_index(&record_flow, name);
}

/* =, <, > and what nfdump writes for them; the rest are these, negated. */
static int compare(struct parser *parser, uint16_t of, const char *comparator, uint64_t number)
{
	static const struct {
		const char *word;
		enum scan_op op;
		bool negated;
	} words[] = {{"=", SCAN_SAME, false}, {"==", SCAN_SAME, false}, {"eq", SCAN_SAME, false},
		     {"!=", SCAN_SAME, true}, {"<", SCAN_LESS, false},  {"lt", SCAN_LESS, false},
		     {">", SCAN_MORE, false}, {"gt", SCAN_MORE, false}, {">=", SCAN_LESS, true},
		     {"ge", SCAN_LESS, true}, {"<=", SCAN_MORE, true},  {"le", SCAN_MORE, true}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, comparator) == 0) {
			struct scan_test test = {
				.op = words[i].op, .column = of, .low = number, .mask_low = UINT64_MAX};
			int added = add(parser, &test);
			return words[i].negated ? negate(parser, added) : added;
		}
	return -ENOENT;
}

static bool is_comparator(const struct parser *parser)
{
	static const char *const words[] = {"=", "==", "eq", "!=", "<", "lt", ">", "gt", ">=", "ge", "<=", "le"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (is_next(parser, words[i]))
			return true;
	return false;
}

/* A number with k, m, g or t behind it (by thousands, as in nfdump 1.7). */
static int number_take(struct parser *parser, uint64_t *ret_number)
{
	char *end;
	if (!isdigit((unsigned char)*parser->word))
		return refuse(parser, "a number");
	errno = 0;
	uint64_t number = strtoull(parser->word, &end, 0), factor = 1;
	static const char scales[] = "kmgt";
	if (*end && end[1] == '\0' && strchr(scales, *end)) {
		for (const char *scale = scales; scale <= strchr(scales, *end); scale++)
			factor *= 1000;
		end++;
	}
	if (*end || errno || __builtin_mul_overflow(number, factor, ret_number))
		return refuse(parser, "a number, or one with k, m, g or t");
	next(parser);
	return 0;
}

static int number_test(struct parser *parser, uint16_t of)
{
	char comparator[3] = "=";
	uint64_t number = 0;
	if (is_comparator(parser)) {
		memcpy(comparator, parser->word, strlen(parser->word) + 1);
		next(parser);
	}
	int result = number_take(parser, &number);
	return result < 0 ? result : compare(parser, of, comparator, number);
}

static int number_list(struct parser *parser, uint16_t of)
{
	int any = -1;
	if (!take(parser, "["))
		return refuse(parser, "\"[\"");
	while (!take(parser, "]")) {
		uint64_t number;
		int result = number_take(parser, &number);
		if (result < 0)
			return result;
		int one = compare(parser, of, "=", number);
		any = any < 0 || one < 0 ? one : join(parser, SCAN_OR, any, one);
		if (any < 0)
			return any;
	}
	return any < 0 ? err_set(parser->err, -EINVAL, "filter: an empty list") : any;
}

/* --- addresses --------------------------------------------------------------------------------------------------- */

/* "10/8", "192.168/16" and "2001:db8::/32"; what a network leaves out is 0. */
static int prefix_take(struct parser *parser, struct prefix *ret_prefix)
{
	char text[WORD_BYTES], *slash;
	struct err own;
	snprintf(text, sizeof text, "%s", parser->word);
	slash = strchr(text, '/');
	if (slash && !strchr(text, ':')) {
		char bits[8], head[WORD_BYTES - 8];
		snprintf(bits, sizeof bits, "%.6s", slash + 1);
		*slash = '\0';
		int dots = 0;
		for (const char *at = text; *at; at++)
			dots += *at == '.';
		snprintf(head, sizeof head, "%.*s%s", (int)sizeof head - 8, text,
			 (const char *const[]){".0.0.0", ".0.0", ".0", ""}[dots < 3 ? dots : 3]);
		snprintf(text, sizeof text, "%s/%s", head, bits);
	}
	if (slash) { /* bits behind the length are nfdump's users' habit: cut, not refused */
		char *cut = strchr(text, '/');
		struct addr addr;
		*cut = '\0';
		unsigned long bits = strtoul(cut + 1, NULL, 10);
		if (addr_parse(text, &addr, &own) < 0 || bits > (addr_is_v4(&addr) ? 32u : 128u) ||
		    !isdigit((unsigned char)cut[1]))
			return refuse(parser, "a network, as 10/8 or 2001:db8::/32,");
		*ret_prefix = (struct prefix){addr, (uint8_t)(bits + (addr_is_v4(&addr) ? 96 : 0))};
		for (unsigned bit = ret_prefix->bits; bit < 128; bit++)
			ret_prefix->addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	} else if (prefix_parse(text, ret_prefix, &own) < 0) {
		return refuse(parser, "an address, or a network as 10/8,");
	}
	next(parser);
	return 0;
}

/* "net 10.0.0.0 255.0.0.0" */
static int netmask_take(struct parser *parser, struct prefix *prefix)
{
	struct addr mask;
	if (!addr_is_v4(&prefix->addr) || prefix->bits != 128 || addr_parse(parser->word, &mask, NULL) < 0)
		return 0;
	uint32_t bits = addr_to_v4(&mask);
	if (bits & (~bits >> 1))
		return refuse(parser, "a netmask");
	prefix->bits = (uint8_t)(96 + __builtin_popcount(bits));
	prefix->addr = addr_from_v4(addr_to_v4(&prefix->addr) & bits);
	next(parser);
	return 0;
}

static int prefix_test(struct parser *parser, uint16_t of)
{
	struct prefix prefix;
	int result = prefix_take(parser, &prefix);
	if (result == 0)
		result = netmask_take(parser, &prefix);
	struct scan_test test = scan_test_prefix(of, &prefix);
	return result < 0 ? result : add(parser, &test);
}

static int prefix_list(struct parser *parser, uint16_t of)
{
	int any = -1;
	if (!take(parser, "["))
		return refuse(parser, "\"[\"");
	while (!take(parser, "]")) {
		struct prefix prefix;
		int result = prefix_take(parser, &prefix);
		if (result < 0)
			return result;
		struct scan_test test = scan_test_prefix(of, &prefix);
		int one = add(parser, &test);
		any = any < 0 || one < 0 ? one : join(parser, SCAN_OR, any, one);
		if (any < 0)
			return any;
	}
	return any < 0 ? err_set(parser->err, -EINVAL, "filter: an empty list") : any;
}

static int family_test(struct parser *parser, bool is_v4)
{
	static const struct prefix v4 = {{{[10] = 0xff, [11] = 0xff}}, 96};
	struct scan_test source = scan_test_prefix(column("source"), &v4),
			 target = scan_test_prefix(column("target"), &v4);
	int a = add(parser, &source);
	a = is_v4 ? a : negate(parser, a);
	int b = add(parser, &target);
	b = is_v4 ? b : negate(parser, b);
	return join(parser, SCAN_AND, a, b);
}

/* --- primitives -------------------------------------------------------------------------------------------------- */

enum ends { EITHER, SOURCE, TARGET, BOTH };

/* src, dst, in, out, "src or dst", "src and dst" */
static enum ends ends_take(struct parser *parser)
{
	bool source = is_next(parser, "src") || is_next(parser, "in");
	if (!source && !is_next(parser, "dst") && !is_next(parser, "out"))
		return EITHER;
	next(parser);
	struct parser ahead = *parser;
	bool both = is_next(&ahead, "and"), either = is_next(&ahead, "or");
	if (!both && !either)
		return source ? SOURCE : TARGET;
	next(&ahead);
	if (!is_next(&ahead, source ? "dst" : "src") && !is_next(&ahead, source ? "out" : "in"))
		return source ? SOURCE : TARGET;
	next(&ahead);
	*parser = ahead;
	return both ? BOTH : EITHER;
}

typedef int one_test(struct parser *parser, uint16_t of);

/* A test of one end, of the other, or of both: the same words are read again for each. */
static int ends_test(struct parser *parser, enum ends ends, uint16_t source, uint16_t target, one_test *test)
{
	if (ends == SOURCE || ends == TARGET)
		return test(parser, ends == SOURCE ? source : target);
	struct parser again = *parser;
	int a = test(&again, source);
	if (a < 0)
		return a;
	int b = test(parser, target);
	return join(parser, ends == BOTH ? SCAN_AND : SCAN_OR, a, b);
}

static int numbers_or_list(struct parser *parser, uint16_t of)
{
	return take(parser, "in") ? number_list(parser, of) : number_test(parser, of);
}

static int prefixes_or_list(struct parser *parser, uint16_t of)
{
	return take(parser, "in") || is_next(parser, "[") ? prefix_list(parser, of) : prefix_test(parser, of);
}

static int protocol_test(struct parser *parser)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {{"tcp", 6},    {"udp", 17},   {"icmp", 1},  {"icmp6", 58}, {"gre", 47},
		     {"esp", 50},   {"ah", 51},    {"igmp", 2},  {"ipip", 4},   {"ospf", 89},
		     {"sctp", 132}, {"vrrp", 112}, {"pim", 103}, {"ipv6", 41},  {"eigrp", 88}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (take(parser, names[i].name))
			return compare(parser, column("protocol"), "=", names[i].number);
	return isdigit((unsigned char)*parser->word) ? number_test(parser, column("protocol"))
						     : refuse(parser, "a protocol, as tcp or 6,");
}

/* ICMP's type or code, which stand in target_port; they imply the protocol. */
static int icmp_test(struct parser *parser, bool type)
{
	uint64_t number;
	int result = number_take(parser, &number);
	if (result < 0)
		return result;
	struct scan_test test = {.op = SCAN_SAME,
				 .column = column("target_port"),
				 .low = type ? number << 8 : number,
				 .mask_low = type ? 0xff00 : 0xff};
	int v4 = compare(parser, column("protocol"), "=", 1), v6 = compare(parser, column("protocol"), "=", 58);
	return join(parser, SCAN_AND, join(parser, SCAN_OR, v4, v6), add(parser, &test));
}

static int flags_read(struct parser *parser, unsigned *ret_bits)
{
	static const char letters[] = "fsrpau";
	*ret_bits = 0;
	if (!*parser->word || strspn(parser->word, "fsrpaux") != strlen(parser->word))
		return refuse(parser, "TCP flags of the letters A, S, F, R, P, U, X,");
	for (const char *at = parser->word; *at; at++)
		*ret_bits |= *at == 'x' ? 0x3f : 1u << (strchr(letters, *at) - letters);
	next(parser);
	return 0;
}

/* nfdump's two meanings: "flags SA" is all of them, "not flags AF" none of them. */
static int flags_test(struct parser *parser, bool none)
{
	unsigned bits;
	if (isdigit((unsigned char)*parser->word))
		return none ? negate(parser, number_test(parser, column("flags")))
			    : number_test(parser, column("flags"));
	int result = flags_read(parser, &bits);
	struct scan_test test = {.op = SCAN_SAME, .column = column("flags"), .low = none ? 0 : bits, .mask_low = bits};
	return result < 0 ? result : add(parser, &test);
}

static int direction_test(struct parser *parser)
{
	if (take(parser, "ingress"))
		return compare(parser, column("direction"), "=", 0);
	if (take(parser, "egress"))
		return compare(parser, column("direction"), "=", 1);
	return number_test(parser, column("direction"));
}

static int counter_test(struct parser *parser, enum ends ends, const char *forth, const char *back)
{
	return number_test(parser, column(ends == TARGET ? back : forth));
}

static int domain_test(struct parser *parser)
{
	if (!take(parser, "domain") || !take(parser, "id"))
		return refuse(parser, "\"observation domain id\"");
	return number_test(parser, column("domain"));
}

static int address_test(struct parser *parser, const char *of)
{
	if (!take(parser, "ip"))
		return refuse(parser, "\"ip\"");
	return prefixes_or_list(parser, column(of));
}

static int everything(struct parser *parser)
{
	return add(parser, &(struct scan_test){.op = SCAN_ALL});
}

static int primitive(struct parser *parser)
{
	enum ends ends = ends_take(parser);
	if (take(parser, "ip") || take(parser, "host") || take(parser, "net"))
		return ends_test(parser, ends, column("source"), column("target"), prefixes_or_list);
	if (take(parser, "port"))
		return ends_test(parser, ends, column("source_port"), column("target_port"), numbers_or_list);
	if (take(parser, "as"))
		return ends_test(parser, ends, column("source_as"), column("target_as"), numbers_or_list);
	if (take(parser, "if"))
		return ends_test(parser, ends, column("input"), column("output"), numbers_or_list);
	if (take(parser, "packets"))
		return counter_test(parser, ends, "packets", "reverse_packets");
	if (take(parser, "bytes"))
		return counter_test(parser, ends, "bytes", "reverse_bytes");
	if (take(parser, "vlan"))
		return number_test(parser, column("vlan"));
	if (take(parser, "tos"))
		return number_test(parser, column("tos"));
	if (ends != EITHER)
		return refuse(parser, "ip, net, port, as, if, vlan, packets or bytes");
	if (take(parser, "any"))
		return everything(parser);
	if (take(parser, "inet") || take(parser, "ipv4"))
		return family_test(parser, true);
	if (take(parser, "inet6") || take(parser, "ipv6"))
		return family_test(parser, false);
	if (take(parser, "proto"))
		return protocol_test(parser);
	if (take(parser, "flags"))
		return flags_test(parser, false);
	if (take(parser, "icmp-type"))
		return icmp_test(parser, true);
	if (take(parser, "icmp-code"))
		return icmp_test(parser, false);
	if (take(parser, "flowdir"))
		return direction_test(parser);
	if (take(parser, "duration"))
		return number_test(parser, FLOW_DURATION_MS);
	if (take(parser, "bps"))
		return number_test(parser, FLOW_BPS);
	if (take(parser, "pps"))
		return number_test(parser, FLOW_PPS);
	if (take(parser, "bpp"))
		return number_test(parser, FLOW_BPP);
	if (take(parser, "router") || take(parser, "exporter"))
		return address_test(parser, "exporter");
	if (take(parser, "next"))
		return address_test(parser, "next_hop");
	if (take(parser, "observation"))
		return domain_test(parser);
	return refuse(parser, "a primitive (any, proto, ip, net, port, as, if, flags, packets, bytes, ...)");
}

/* --- joining ----------------------------------------------------------------------------------------------------- */

static int expression(struct parser *parser);

static int term(struct parser *parser)
{
	int result;
	if (++parser->depth > DEPTH_MAX)
		return err_set(parser->err, -EINVAL, "filter: nested deeper than %d", DEPTH_MAX);
	if (take(parser, "not") || take(parser, "!")) {
		result = take(parser, "flags") ? flags_test(parser, true) : negate(parser, term(parser));
	} else if (take(parser, "(")) {
		result = expression(parser);
		if (result >= 0 && !take(parser, ")"))
			result = refuse(parser, "\")\", \"and\" or \"or\"");
	} else {
		result = primitive(parser);
	}
	parser->depth--;
	return result;
}

static int conjunction(struct parser *parser)
{
	int left = term(parser);
	while (left >= 0 && (take(parser, "and") || take(parser, "&&") || take(parser, "&")))
		left = join(parser, SCAN_AND, left, term(parser));
	return left;
}

static int expression(struct parser *parser)
{
	int left = conjunction(parser);
	while (left >= 0 && (take(parser, "or") || take(parser, "||") || take(parser, "|")))
		left = join(parser, SCAN_OR, left, conjunction(parser));
	return left;
}

int flow_filter_parse(const char *text, struct scan_filter *ret_filter, struct err *err)
{
	struct parser parser = {.text = text, .at = text, .filter = ret_filter, .err = err};
	ret_filter->count = 0;
	next(&parser);
	if (!*parser.word)
		return 0;
	int root = expression(&parser);
	if (root < 0)
		return root;
	return *parser.word ? refuse(&parser, "\"and\", \"or\" or the end") : 0;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

static const struct name {
	const char *name, *column, *either;
} names[] = {
	{"srcip", "source", NULL},        {"dstip", "target", NULL},        {"ip", "source", "target"},
	{"srcport", "source_port", NULL}, {"dstport", "target_port", NULL}, {"port", "source_port", "target_port"},
	{"proto", "protocol", NULL},      {"srcas", "source_as", NULL},     {"dstas", "target_as", NULL},
	{"as", "source_as", "target_as"}, {"inif", "input", NULL},          {"outif", "output", NULL},
	{"if", "input", "output"},        {"next", "next_hop", NULL},       {"nhip", "next_hop", NULL},
	{"router", "exporter", NULL},     {"odid", "domain", NULL},         {"tos", "tos", NULL},
	{"srctos", "tos", NULL},          {"flags", "flags", NULL},         {"vlan", "vlan", NULL},
	{"srcvlan", "vlan", NULL},        {"dir", "direction", NULL},       {"sampling", "sampling", NULL},
};
enum { NAMES = sizeof names / sizeof *names };

const char *const flow_key_names[] = {"srcip", "dstip", "ip",   "srcport", "dstport",  "port", "proto",  "srcas",
				      "dstas", "as",    "inif", "outif",   "if",       "next", "router", "odid",
				      "tos",   "flags", "vlan", "dir",     "sampling", NULL};

static struct scan_key key_of(const char *column_name)
{
	return column_name ? (struct scan_key){column(column_name), UINT64_MAX, UINT64_MAX}
			   : (struct scan_key){UINT16_MAX, 0, 0};
}

/* "srcip4/24", "dstip6/64": addresses are masked as the 128 bits that they are kept as. */
static bool masked_key(const char *name, struct scan_key *ret_key)
{
	char end[4], rest;
	unsigned family, bits;
	if (sscanf(name, "%3[a-z]ip%u/%u%c", end, &family, &bits, &rest) != 3 || (family != 4 && family != 6) ||
	    bits > (family == 4 ? 32 : 128) || (strcmp(end, "src") != 0 && strcmp(end, "dst") != 0))
		return false;
	unsigned whole = bits + (family == 4 ? 96 : 0);
	*ret_key = (struct scan_key){column(*end == 's' ? "source" : "target"),
				     whole <= 64 ? 0 : UINT64_MAX << (128 - whole),
				     whole >= 64  ? UINT64_MAX
				     : whole == 0 ? 0
						  : UINT64_MAX << (64 - whole)};
	return true;
}

int flow_key_parse(const char *name, struct scan_key *ret_key, struct scan_key *ret_either, struct err *err)
{
	*ret_either = key_of(NULL);
	if (masked_key(name, ret_key))
		return 0;
	for (size_t i = 0; i < NAMES; i++)
		if (strcasecmp(names[i].name, name) == 0) {
			*ret_key = key_of(names[i].column);
			*ret_either = key_of(names[i].either);
			return 0;
		}
	return err_set(err, -EINVAL,
		       "\"%s\" is no element of a flow; srcip, dstip, ip, srcport, dstport, port, proto, srcas, dstas, "
		       "as, inif, "
		       "outif, if, next, router, odid, tos, flags, vlan, dir, srcip4/NET, dstip6/NET ... were expected",
		       name);
}

int flow_derive(struct scan *scan, unsigned derived, uint32_t rows, uint64_t *ret_values, struct err *err)
{
	const uint64_t *first, *last, *packets, *bytes;
	int result = scan_column(scan, column("first"), &first, NULL, err);
	if (result == 0)
		result = scan_column(scan, column("last"), &last, NULL, err);
	if (result == 0)
		result = scan_column(scan, column("packets"), &packets, NULL, err);
	if (result == 0)
		result = scan_column(scan, column("bytes"), &bytes, NULL, err);
	for (uint32_t i = 0; i < rows && result == 0; i++) {
		int64_t ms = ((int64_t)last[i] - (int64_t)first[i]) / 1000000;
		uint64_t length = ms > 0 ? (uint64_t)ms : 0;
		uint64_t counted = derived == FLOW_BPS ? bytes[i] * 8 : packets[i];
		if (derived == FLOW_DURATION_MS)
			ret_values[i] = length;
		else if (derived == FLOW_BPP)
			ret_values[i] = packets[i] ? bytes[i] / packets[i] : 0;
		else
			ret_values[i] = length ? (uint64_t)((unsigned __int128)counted * 1000 / length) : 0;
	}
	return result;
}
