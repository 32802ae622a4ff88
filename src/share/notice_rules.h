/* Who is told what, when and how: rules that people edit (data/notices/rules.yaml), the first that fits counts. */
#pragma once

#include "core/err.h"
#include "core/memory.h"
#include "core/option.h"

#include <stdbool.h>
#include <stdint.h>

enum { NOTICE_RULES_MAX = 256, NOTICE_REMINDERS_MAX = 8 };

enum notice_tell { TELL_AT_ONCE, TELL_DIGEST, TELL_NEVER };
enum notice_channel { CHANNEL_MAIL, CHANNEL_WEBHOOK, CHANNEL_CSV, NOTICE_CHANNELS };
extern const char *const notice_channel_names[]; /* NULL ends them */

struct notice_rule {
	const char *name;
	/* What it is for; empty lists are any. */
	struct text_list types, verdicts, members, member_kinds;
	int64_t least_severity; /* index into severity_names */
	/* What is done. */
	int64_t tell; /* enum notice_tell */
	struct text_list roles, channel_names, remind_texts;
	const char *quiet, *digest_at, *utc_offset, *advice;
	int64_t quiet_breaks; /* index into severity_names, or past its end: nothing */
	int64_t gather_ns, escalate_ns, verify_ns;
	/* Read out of the texts above. */
	unsigned channels;             /* 1 << enum notice_channel */
	unsigned quiet_from, quiet_to; /* minutes of the day; equal: none */
	unsigned digest_minute;
	int utc_offset_minutes;
	int64_t remind_ns[NOTICE_REMINDERS_MAX]; /* 0 ends them */
};

struct notice_rules {
	struct notice_rule *items;
	size_t count;
};

/* A finding as far as rules ask. */
struct notice_matter {
	const char *type, *verdict; /* verdict NULL: none */
	int severity;
	const char *member, *member_kind; /* key and kind of the member */
	const char *const *above;         /* keys of those it belongs to, its parent first; NULL ends them */
};

/* -EINVAL with "where:line: sentence". The pool holds everything. */
int notice_rules_parse(const char *where, const char *yaml, size_t bytes, struct pool *pool,
		       struct notice_rules *ret_rules, struct err *err) must_check;
int notice_rules_read(const char *path, struct pool *pool, struct notice_rules *ret_rules, struct err *err) must_check;

/* NULL: none is for it. */
const struct notice_rule *notice_rule_for(const struct notice_rules *rules, const struct notice_matter *matter);
const struct notice_rule *notice_rule_named(const struct notice_rules *rules, const char *name);

/* When a message made at `now_ns` may go: now, or at the end of the quiet hours, or with the next digest. */
int64_t notice_rule_time(const struct notice_rule *rule, int severity, int64_t now_ns);
