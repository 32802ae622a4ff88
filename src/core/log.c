/* Structured log lines. See log.h. */
#include "core/log.h"

#include "core/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *process;
	enum log_level least;
	bool json;
} log_state = {"yagura", LOG_INFO, true};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

enum { LINE_BYTES = 4096 };

struct line {
	char text[LINE_BYTES];
	size_t used;
};

static void line_raw(struct line *line, const char *text)
{
	size_t bytes = strlen(text), room = LINE_BYTES - 2 - line->used; /* keep room for the newline */
	if (bytes > room)
		bytes = room;
	memcpy(line->text + line->used, text, bytes);
	line->used += bytes;
}

/* Escape what is not printable ASCII or sound-looking UTF-8, and quotes, so that a line stays a line. */
static void line_escaped(struct line *line, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at && line->used < LINE_BYTES - 16; at++) {
		char one[8] = {(char)*at};
		if (*at == '"' || *at == '\\')
			snprintf(one, sizeof one, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			snprintf(one, sizeof one, "\\u%04x", *at);
		line_raw(line, one);
	}
}

void log_setup(const char *process, enum log_level least, int json)
{
	log_state.process = process;
	log_state.least = least;
	log_state.json = json < 0 ? !isatty(STDERR_FILENO) : json != 0;
}

static void line_json(struct line *line, const char *now, enum log_level level, const char *event, const char *message)
{
	line_raw(line, "{\"time\":\"");
	line_raw(line, now);
	line_raw(line, "\",\"level\":\"");
	line_raw(line, level_names[level]);
	line_raw(line, "\",\"process\":\"");
	line_escaped(line, log_state.process);
	line_raw(line, "\",\"event\":\"");
	line_escaped(line, event);
	line_raw(line, "\",\"message\":\"");
	line_escaped(line, message);
	line_raw(line, "\"");
}

static void line_plain(struct line *line, const char *now, enum log_level level, const char *event, const char *message)
{
	line_raw(line, now);
	line_raw(line, " ");
	line_raw(line, level_names[level]);
	line_raw(line, " ");
	line_escaped(line, event);
	line_raw(line, ": ");
	line_escaped(line, message);
}

void log_event(enum log_level level, const char *event, const char *message, const struct log_field *fields)
{
	if (level < log_state.least)
		return;
	char now[TIME_TEXT_BYTES];
	time_format(time_floor(clock_now_ns(), NS_PER_MS), now);
	struct line line = {.used = 0};
	(log_state.json ? line_json : line_plain)(&line, now, level, event, message);
	for (const struct log_field *field = fields; field && field->name; field++) {
		char number[24];
		snprintf(number, sizeof number, "%lld", (long long)field->number);
		line_raw(&line, log_state.json ? ",\"" : " ");
		line_escaped(&line, field->name);
		line_raw(&line, log_state.json ? "\":" : "=");
		if (!field->text) {
			line_raw(&line, number);
			continue;
		}
		line_raw(&line, "\"");
		line_escaped(&line, field->text);
		line_raw(&line, "\"");
	}
	if (log_state.json)
		line_raw(&line, "}");
	line.text[line.used++] = '\n';
	(void)!write(STDERR_FILENO, line.text, line.used);
}
