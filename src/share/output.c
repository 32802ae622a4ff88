/* See output.h. Forms: nft(8) sets; response policy zones after draft-vixie-dnsop-dns-rpz-00, section 4; routes as
 * route.h says. CSV has the names of Shadowserver's reports where it says the same. */
#include "share/output.h"

#include "core/addr.h"
#include "core/clock.h"
#include "core/memory.h"
#include "share/sheet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const output_format_names[] = {"list", "csv", "nft", "rpz", "bird", "frr", "gobgp", NULL};
const char *const output_format_types[] = {
	"text/plain; charset=utf-8", "text/csv; charset=utf-8",   "text/plain; charset=utf-8", "text/dns",
	"text/plain; charset=utf-8", "text/plain; charset=utf-8", "text/plain; charset=utf-8"};

enum { ELEMENTS_OF_LINE = 256, ZONE_NAME_BYTES_MAX = 200, RPZ_TTL = 60, WIDEST_V4_BITS = 12, WIDEST_V6_BITS = 24 };

/* Values that were written, so that each is only once: open addressing over hashes, 8 bytes a value. */
struct once {
	uint64_t *slots;
	size_t room, used;
};

struct writing {
	const struct output *output;
	struct output_result *result;
	int (*write)(void *context, const char *bytes, size_t count);
	void *context;
	struct once once;
	unsigned on_line; /* of an nft element list */
};

static int put(struct writing *w, const char *format, ...) printf_like(2, 3);
static int put(struct writing *w, const char *format, ...)
{
	char line[INDICATORS_VALUE_BYTES_MAX * 2 + 512];
	va_list arguments;
	va_start(arguments, format);
	int bytes = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	return bytes < 0 || (size_t)bytes >= sizeof line ? -EMSGSIZE : w->write(w->context, line, (size_t)bytes);
}

/* 1: new. 0: written before. */
static int once_take(struct once *once, uint64_t hash)
{
	hash = hash ? hash : 1;
	if (once->used * 2 >= once->room) {
		struct once grown = {.room = once->room ? once->room * 2 : 4096};
		grown.slots = calloc(grown.room, sizeof *grown.slots);
		if (!grown.slots)
			return -ENOMEM;
		for (size_t i = 0; i < once->room; i++)
			if (once->slots[i])
				(void)once_take(&grown, once->slots[i]);
		free(once->slots);
		*once = grown;
	}
	size_t at = hash & (once->room - 1);
	while (once->slots[at] && once->slots[at] != hash)
		at = (at + 1) & (once->room - 1);
	if (once->slots[at])
		return 0;
	once->slots[at] = hash;
	once->used++;
	return 1;
}

static int csv_row(struct writing *w, const struct indicators_listed *listed)
{
	static const char columns[INDICATOR_KINDS] = {
		[KIND_IPV4] = 1, [KIND_IPV6] = 1, [KIND_DOMAIN] = 2, [KIND_URL] = 3,    [KIND_ASN] = 4,
		[KIND_MD5] = 5,  [KIND_SHA1] = 6, [KIND_SHA256] = 7, [KIND_SHA512] = 8, [KIND_EMAIL] = 9};
	cleanup(free_text) char *cell = sheet_cell_write(listed->value, ','),
				*source = sheet_cell_write(listed->source_name ? listed->source_name : "", ',');
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
	if (!cell || !source)
		return -ENOMEM;
	int result = put(w, "%s", time_format(listed->seen_ns / NS_PER_S * NS_PER_S, from));
	for (int column = 1; column <= 9 && result == 0; column++)
		result = put(w, ",%s", columns[listed->kind] == column ? cell : "");
	return result ? result
		      : put(w, ",%s,%u,%s,%s,%s,%s\r\n", source, listed->score,
			    time_format(listed->from_ns / NS_PER_S * NS_PER_S, from),
			    time_format(listed->until_ns / NS_PER_S * NS_PER_S, until), tlp_names[listed->tlp],
			    listed->id);
}

static int nft_element(struct writing *w, const struct indicators_listed *listed)
{
	int result = 0;
	if (w->on_line == ELEMENTS_OF_LINE) {
		result = put(w, " }\n");
		w->on_line = 0;
	}
	if (result == 0 && w->on_line == 0)
		result = put(w, "add element inet yagura %s_v%c { %s", w->output->name,
			     listed->kind == KIND_IPV4 ? '4' : '6', listed->value);
	else if (result == 0)
		result = put(w, ", %s", listed->value);
	w->on_line++;
	return result;
}

/* The words of an IPv6 address from the last to the first, the longest run of zeros (if of two or more) as "zz". */
static void rpz_words(const uint8_t bytes[16], char *name, size_t room)
{
	unsigned words[8], best = 8, best_length = 1;
	for (unsigned i = 0; i < 8; i++)
		words[i] = (unsigned)bytes[14 - 2 * i] << 8 | bytes[15 - 2 * i];
	for (unsigned i = 0, length; i < 8; i += length ? length : 1) {
		for (length = 0; i + length < 8 && words[i + length] == 0; length++)
			;
		if (length > best_length) {
			best = i;
			best_length = length;
		}
	}
	for (unsigned i = 0; i < 8; i += i == best ? best_length : 1) {
		size_t used = strlen(name);
		if (i == best)
			snprintf(name + used, room - used, ".zz");
		else
			snprintf(name + used, room - used, ".%x", words[i]);
	}
}

/* "24.0.100.51.198.rpz-ip", or for IPv6 "128.1.zz.db8.2001.rpz-ip": a prefix backwards, its length first. */
static int rpz_address(struct writing *w, const char *value)
{
	struct prefix prefix;
	char name[128];
	if (prefix_parse(value, &prefix, NULL) < 0)
		return -EINVAL;
	const uint8_t *b = prefix.addr.bytes;
	if (addr_is_v4(&prefix.addr) && prefix.bits >= 96) {
		snprintf(name, sizeof name, "%u.%u.%u.%u.%u", prefix.bits - 96u, b[15], b[14], b[13], b[12]);
	} else {
		snprintf(name, sizeof name, "%u", prefix.bits);
		rpz_words(b, name, sizeof name);
	}
	return put(w, "%s.rpz-ip CNAME .\n", name);
}

static bool name_is_plain(const char *name)
{
	for (const char *at = name; *at; at++)
		if (!((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || strchr("-_.", *at)))
			return false;
	return strlen(name) + 2 <= ZONE_NAME_BYTES_MAX;
}

/* 0, or 1 when it is to be no route. */
static int route_write(struct writing *w, const struct indicators_listed *listed)
{
	const struct output *output = w->output;
	const struct indicator_value value = {listed->kind, listed->value, strlen(listed->value), true};
	char text[ROUTE_TEXT_BYTES];
	enum route_verdict verdict =
		output->guard ? route_judge(output->guard, &value, w->result->verdicts[ROUTE_PASSES]) : ROUTE_PROTECTED;
	w->result->verdicts[verdict]++;
	if (verdict != ROUTE_PASSES)
		return 1;
	int result = route_format((enum route_daemon)(output->format - OUTPUT_BIRD), output->routes, listed->kind,
				  listed->value, text);
	return result < 0 ? result : put(w, "%s", text);
}

/* A network so wide that to block it is more likely a mistake, or an attack on those who block. */
static bool too_wide(const struct indicators_listed *listed)
{
	struct prefix prefix;
	if (prefix_parse(listed->value, &prefix, NULL) < 0)
		return true;
	return prefix.bits < (listed->kind == KIND_IPV4 ? 96 + WIDEST_V4_BITS : WIDEST_V6_BITS);
}

/* 0, or 1 when the format cannot say it. */
static int value_write(struct writing *w, const struct indicators_listed *listed)
{
	bool address = listed->kind == KIND_IPV4 || listed->kind == KIND_IPV6,
	     blocks = w->output->format == OUTPUT_NFT || w->output->format == OUTPUT_RPZ;
	if (address && blocks && too_wide(listed))
		return 1;
	switch (w->output->format) {
	case OUTPUT_LIST:
		return put(w, "%s\n", listed->value);
	case OUTPUT_CSV:
		return csv_row(w, listed);
	case OUTPUT_NFT:
		return address ? nft_element(w, listed) : 1;
	case OUTPUT_RPZ:
		if (address)
			return rpz_address(w, listed->value);
		if (listed->kind != KIND_DOMAIN || !name_is_plain(listed->value))
			return 1;
		return put(w, "%s CNAME .\n*.%s CNAME .\n", listed->value, listed->value);
	default:
		return address ? route_write(w, listed) : 1;
	}
}

static int listed_take(void *context, const struct indicators_listed *listed)
{
	struct writing *w = context;
	const struct output *output = w->output;
	struct output_result *result = w->result;
	if (output->limit && result->values >= output->limit && listed->added_us > result->last_us) {
		result->more = true;
		return 1;
	}
	result->last_us = listed->added_us;
	if (listed->until_ns < result->good_until_ns)
		result->good_until_ns = listed->until_ns;
	if (listed->value[0] == '\0' || listed->kind == KIND_OTHER || strpbrk(listed->value, "\r\n"))
		return 0;
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (unsigned)listed->kind;
	for (const char *at = listed->value; *at; at++)
		hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
	int fresh = once_take(&w->once, hash);
	if (fresh <= 0)
		return fresh;
	int code = value_write(w, listed);
	result->values += code == 0;
	result->left_out += code == 1;
	return code == 1 ? 0 : code;
}

static int head_write(struct writing *w)
{
	const struct output *output = w->output;
	switch (output->format) {
	case OUTPUT_CSV:
		return put(w, "timestamp,ip,hostname,url,asn,md5,sha1,sha256,sha512,email,source,confidence,valid_from,"
			      "valid_until,tlp,"
			      "id\r\n");
	case OUTPUT_NFT:
		return put(w,
			   "add table inet yagura\nadd set inet yagura %1$s_v4 { type ipv4_addr; flags interval; "
			   "auto-merge; }\n"
			   "add set inet yagura %1$s_v6 { type ipv6_addr; flags interval; auto-merge; }\nflush set "
			   "inet yagura "
			   "%1$s_v4\nflush set inet yagura %1$s_v6\n",
			   output->name);
	case OUTPUT_RPZ:
		return put(w,
			   "$ORIGIN %s.\n$TTL %d\n@ SOA localhost. hostmaster.localhost. %" PRIu32
			   " 60 30 604800 60\n@ NS localhost.\n",
			   output->name, RPZ_TTL, output->serial);
	default:
		return 0;
	}
}

/* One walk over the shelf. Sets of nft and protocols of BIRD are of one family each: two walks. */
static int walk(struct writing *w, int kind, struct err *err)
{
	const struct output *output = w->output;
	const struct indicators_question question = {.kind = kind,
						     .state = STATE_ACTIVE,
						     .collection = output->collection,
						     .most = output->withheld ? output->withheld - 1 : TLP_RED,
						     .oldest_first = true,
						     .after_us = output->after_us,
						     .least_score = output->least_score,
						     .unwarned = true};
	int result = indicators_list(output->store, &question, output->now_ns, listed_take, w, err);
	if (result >= 0 && w->on_line > 0)
		result = put(w, " }\n");
	w->on_line = 0;
	return result;
}

static int families_walk(struct writing *w, struct err *err)
{
	const struct output *output = w->output;
	int result = 0;
	for (enum indicator_kind kind = KIND_IPV4; kind <= KIND_IPV6 && result == 0; kind++) {
		char head[ROUTE_TEXT_BYTES];
		if (output->kind >= 0 && output->kind != (int)kind)
			continue;
		if (output->format == OUTPUT_BIRD)
			result = route_head(output->routes, kind, output->name, head);
		if (result == 0 && output->format == OUTPUT_BIRD)
			result = put(w, "%s", head);
		if (result == 0)
			result = walk(w, (int)kind, err);
		if (result == 0 && output->format == OUTPUT_BIRD)
			result = put(w, "}\n");
	}
	return result;
}

int output_write(const struct output *output, int (*write)(void *context, const char *bytes, size_t count),
		 void *context, struct output_result *ret_result, struct err *err)
{
	struct writing w = {.output = output, .result = ret_result, .write = write, .context = context};
	*ret_result = (struct output_result){.good_until_ns =
						     output->least_score ? output->now_ns + NS_PER_MINUTE : INT64_MAX,
					     .last_us = output->after_us};
	int result = head_write(&w);
	if (result == 0 && output->format >= OUTPUT_NFT && output->format != OUTPUT_RPZ)
		result = families_walk(&w, err);
	else if (result == 0)
		result = walk(&w, output->kind, err);
	free(w.once.slots);
	return result == 1 && ret_result->more ? 0 : result;
}
