/* Time. All instants are int64_t nanoseconds since 1970-01-01 UTC and are named `_ns`; nothing here keeps a time zone.
 */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY (86400 * NS_PER_S)

#define TIME_TEXT_BYTES 40

int64_t clock_now_ns(void);       /* wall clock */
int64_t clock_monotonic_ns(void); /* for intervals */

/* Start of the span of `span_ns` that holds the instant; right for times before 1970 too. */
int64_t time_floor(int64_t time_ns, int64_t span_ns);

/* RFC 3339 in UTC: "2026-01-31T09:00:00Z", with a fraction only where there is one (up to 9 digits). Returns text. */
const char *time_format(int64_t time_ns, char text[TIME_TEXT_BYTES]);

/* RFC 3339 with Z or an offset; a date alone (midnight UTC); seconds since 1970; or before now: "-15m", "-24h", "-7d",
 * "now". `now_ns` is what relative times count from. -EINVAL with a sentence. */
int time_parse(const char *text, int64_t now_ns, int64_t *ret_ns, struct err *err) must_check;

/* "90s", "15m", "24h", "7d", "250ms": a positive length of time. -EINVAL with a sentence. */
int duration_parse(const char *text, int64_t *ret_ns, struct err *err) must_check;
