/* Clocks, and times to and from text (RFC 3339). */
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t clock_read(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t time_floor(int64_t time_ns, int64_t span_ns)
{
	int64_t rest = time_ns % span_ns;
	return time_ns - (rest < 0 ? rest + span_ns : rest);
}

const char *time_format(int64_t time_ns, char text[TIME_TEXT_BYTES])
{
	int64_t second_ns = time_floor(time_ns, NS_PER_S);
	time_t seconds = second_ns / NS_PER_S;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t used = strftime(text, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	if (time_ns != second_ns) {
		used += (size_t)snprintf(text + used, TIME_TEXT_BYTES - used, ".%09lld",
					 (long long)(time_ns - second_ns));
		while (text[used - 1] == '0')
			used--;
	}
	text[used] = 'Z';
	text[used + 1] = '\0';
	return text;
}

int duration_parse(const char *text, int64_t *ret_ns, struct err *err)
{
	static const struct {
		const char *suffix;
		int64_t ns;
	} units[] = {{"ms", NS_PER_MS}, {"s", NS_PER_S}, {"m", NS_PER_MINUTE}, {"h", NS_PER_HOUR}, {"d", NS_PER_DAY}};
	char *end;
	errno = 0;
	long long count = strtoll(text, &end, 10);
	int64_t ns;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (end != text && errno == 0 && count > 0 && strcmp(end, units[i].suffix) == 0 &&
		    !__builtin_mul_overflow((int64_t)count, units[i].ns, &ns)) {
			*ret_ns = ns;
			return 0;
		}
	return err_set(err, -EINVAL, "'%.64s' is not a length of time; expected one like 90s, 15m, 24h or 7d", text);
}

/* The fraction and zone that may follow the seconds of RFC 3339; NULL where they are malformed. */
static const char *time_parse_tail(const char *at, int64_t *ret_add_ns)
{
	int64_t add = 0;
	if (*at == '.') {
		int64_t unit = NS_PER_S / 10;
		for (at++; *at >= '0' && *at <= '9'; at++, unit /= 10)
			add += unit * (*at - '0');
	}
	if (*at == 'Z' || *at == 'z') {
		at++;
	} else if (*at == '+' || *at == '-') {
		int hours, minutes, used = 0;
		if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5)
			return NULL;
		int64_t offset = hours * NS_PER_HOUR + minutes * NS_PER_MINUTE;
		add += *at == '+' ? -offset : offset;
		at += 1 + used;
	}
	*ret_add_ns = add;
	return at;
}

int time_parse(const char *text, int64_t now_ns, int64_t *ret_ns, struct err *err)
{
	if (strcmp(text, "now") == 0) {
		*ret_ns = now_ns;
		return 0;
	}
	if (text[0] == '-') {
		int64_t ago;
		if (duration_parse(text + 1, &ago, err) < 0)
			return -EINVAL;
		*ret_ns = now_ns - ago;
		return 0;
	}
	char *end;
	errno = 0;
	long long seconds = strtoll(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && end - text > 4 && seconds <= INT64_MAX / NS_PER_S) {
		*ret_ns = seconds * NS_PER_S;
		return 0;
	}
	struct tm tm = {0};
	int64_t add = 0;
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	if (rest && (*rest == 'T' || *rest == 't' || *rest == ' ')) {
		const char *clock = strptime(rest + 1, "%H:%M:%S", &tm);
		rest = clock ? clock : strptime(rest + 1, "%H:%M", &tm);
		rest = rest ? time_parse_tail(rest, &add) : NULL;
	}
	if (!rest || *rest || tm.tm_year < -200 || tm.tm_year > 300)
		return err_set(err, -EINVAL,
			       "'%.64s' is not a time; expected one like 2026-01-31, 2026-01-31T09:00:00Z or -24h",
			       text);
	*ret_ns = (int64_t)timegm(&tm) * NS_PER_S + add;
	return 0;
}
