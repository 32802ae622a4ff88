/* Texts with gaps. Parsed once into pieces that point into a copy of the file; rendering is a walk over them. What may
 * not pass into a line is after Unicode Technical Report 36 (section 2.10, bidirectional text; 3.1, UTF-8). */
#include "share/template.h"

#include "sys/text_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 16 };

struct piece {
	const char *text; /* what stands before the gap */
	size_t bytes;
	int gap; /* -1: none, the end of the part */
};

struct part {
	struct piece *pieces;
	size_t count;
	unsigned line; /* of its heading; 0: not there */
};

struct template
{
	const struct template_form *form;
	struct part parts[PARTS_MAX];
};

struct reading {
	const char *where, *at, *end;
	unsigned line;
	struct template *template;
	struct pool *pool;
	struct err *err;
};

/* One character of UTF-8: its length, or 0 where it is none. */
static size_t character(const uint8_t *text, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc2 ? 2 : 0;
	uint32_t code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (length == 0 || code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return length;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static bool is_unseen(uint32_t code)
{
	return code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe0fff);
}

void template_plain(const char *text, char ret_plain[TEMPLATE_VALUE_BYTES])
{
	static const char more[] = "\xe2\x80\xa6", unknown[] = "\xef\xbf\xbd", harmless[] = "[://]";
	const uint8_t *at = (const uint8_t *)text;
	size_t used = 0, room = TEMPLATE_VALUE_BYTES - sizeof more;
	while (*at) {
		uint32_t code = 0;
		size_t length = character(at, &code), taken = length ? length : 1;
		const char *put = (const char *)at;
		if (length == 0) {
			put = unknown;
			length = sizeof unknown - 1;
		} else if (is_control(code)) {
			put = " ";
			length = 1;
		} else if (is_unseen(code)) {
			length = 0;
		} else if (strncmp(put, "://", 3) == 0) {
			put = harmless;
			length = sizeof harmless - 1;
			taken = 3;
		}
		if (used + length > room) {
			memcpy(ret_plain + used, more, sizeof more - 1);
			used += sizeof more - 1;
			break;
		}
		memcpy(ret_plain + used, put, length);
		used += length;
		at += taken;
	}
	ret_plain[used] = '\0';
}

static int printf_like(2, 3) refuse(const struct reading *reading, const char *format, ...)
{
	char sentence[ERR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	return err_set(reading->err, -EINVAL, "%s:%u: %s", reading->where, reading->line, sentence);
}

/* The names of a list, for a sentence. */
static const char *names_of(const void *list, size_t item_bytes, char *text, size_t bytes)
{
	size_t used = 0;
	for (const char *item = list; *(const char *const *)item && used < bytes; item += item_bytes)
		used += (size_t)snprintf(text + used, bytes - used, "%s%s", used ? ", " : "",
					 *(const char *const *)item);
	return text;
}

static int name_find(const void *list, size_t item_bytes, const char *name, size_t bytes)
{
	const char *item = list;
	for (int i = 0; *(const char *const *)item; i++, item += item_bytes)
		if (strlen(*(const char *const *)item) == bytes && memcmp(*(const char *const *)item, name, bytes) == 0)
			return i;
	return -1;
}

static int text_check(struct reading *reading)
{
	for (const char *at = reading->at; at < reading->end;) {
		uint32_t code = 0;
		size_t length = character((const uint8_t *)at, &code);
		if (length == 0 || at + length > reading->end)
			return refuse(reading, "not UTF-8");
		if (is_control(code) && code != '\n' && code != '\t' && !(code == '\r' && at[1] == '\n'))
			return refuse(reading, "a control character (U+%04X)", (unsigned)code);
		reading->line += code == '\n';
		at += length;
	}
	reading->line = 1;
	return 0;
}

/* The next line without its end. False: there is none. */
static bool line_next(struct reading *reading, const char **ret_line, size_t *ret_bytes)
{
	if (reading->at == reading->end)
		return false;
	const char *end = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
	*ret_line = reading->at;
	*ret_bytes = (size_t)((end ? end : reading->end) - reading->at);
	reading->at = end ? end + 1 : reading->end;
	return true;
}

static bool is_heading(const char *line, size_t bytes)
{
	return bytes >= 2 && line[0] == '=' && line[1] == '=';
}

static int heading_take(struct reading *reading, const char *line, size_t bytes, int *ret_part)
{
	const struct template_part *parts = reading->template->form->parts;
	char known[200];
	for (line += 2, bytes -= 2; bytes > 0 && *line == ' '; line++)
		bytes--;
	while (bytes > 0 && strchr(" \r", line[bytes - 1]))
		bytes--;
	*ret_part = name_find(parts, sizeof *parts, line, bytes);
	if (*ret_part < 0)
		return refuse(reading, "there is no part '%.*s'; %s was expected", (int)(bytes < 40 ? bytes : 40), line,
			      names_of(parts, sizeof *parts, known, sizeof known));
	struct part *part = &reading->template->parts[*ret_part];
	if (part->line)
		return refuse(reading, "the part '%s' was there already, in line %u", parts[*ret_part].name,
			      part->line);
	part->line = reading->line;
	part->pieces = pool_array(reading->pool, TEMPLATE_GAPS_MAX + 1, sizeof *part->pieces);
	return part->pieces ? 0 : err_set(reading->err, -ENOMEM, "no memory for %s", reading->where);
}

/* A gap at `at`: where it ends goes to *ret_behind. */
static int gap_take(struct reading *reading, const char *at, const char *end, int *ret_gap, const char **ret_behind)
{
	const struct template_gap *gaps = reading->template->form->gaps;
	char known[ERR_TEXT_BYTES / 2];
	const char *close = memmem(at, (size_t)(end - at), "}}", 2), *name = at + 2;
	const char *line_end = memchr(at, '\n', (size_t)(end - at));
	if (!close || (line_end && line_end < close))
		return refuse(reading, "'{{' without '}}' in the same line");
	size_t bytes = (size_t)(close - name);
	for (; bytes > 0 && *name == ' '; name++)
		bytes--;
	while (bytes > 0 && name[bytes - 1] == ' ')
		bytes--;
	*ret_gap = name_find(gaps, sizeof *gaps, name, bytes);
	*ret_behind = close + 2;
	if (*ret_gap >= 0)
		return 0;
	return refuse(reading, "there is no value '%.*s'; there are: %s", (int)(bytes < 40 ? bytes : 40), name,
		      names_of(gaps, sizeof *gaps, known, sizeof known));
}

/* The text of a part, from its first to its last line that is not blank, in pieces. */
static int part_take(struct reading *reading, struct part *part, bool one_line, const char *text, const char *end)
{
	for (const char *line_end; (line_end = memchr(text, '\n', (size_t)(end - text))); text = line_end + 1) {
		if (strspn(text, " \t\r") < (size_t)(line_end - text))
			break;
		reading->line++;
	}
	while (end > text && strchr(" \t\r\n", end[-1]))
		end--;
	if (one_line && memchr(text, '\n', (size_t)(end - text)))
		return refuse(reading, "one line was expected");
	for (const char *at = text;;) {
		const char *open = memmem(at, (size_t)(end - at), "{{", 2);
		struct piece *piece = &part->pieces[part->count++];
		*piece = (struct piece){at, (size_t)((open ? open : end) - at), -1};
		for (size_t i = 0; i < piece->bytes; i++)
			reading->line += at[i] == '\n';
		if (!open)
			return 0;
		if (part->count > TEMPLATE_GAPS_MAX)
			return refuse(reading, "more than %d gaps", TEMPLATE_GAPS_MAX);
		int result = gap_take(reading, open, end, &piece->gap, &at);
		if (result < 0)
			return result;
	}
}

static int parts_take(struct reading *reading)
{
	const struct template_part *parts = reading->template->form->parts;
	const char *line, *begin = NULL;
	size_t bytes;
	int part = -1;
	for (;; reading->line++) {
		bool more = line_next(reading, &line, &bytes);
		if (more && !is_heading(line, bytes))
			continue;
		unsigned here = reading->line;
		if (part >= 0) {
			struct part *open = &reading->template->parts[part];
			reading->line = open->line + 1;
			int result = part_take(reading, open, parts[part].line, begin, more ? line : reading->end);
			if (result < 0)
				return result;
			reading->line = here;
		}
		if (!more)
			return 0;
		int result = heading_take(reading, line, bytes, &part);
		if (result < 0)
			return result;
		begin = reading->at;
	}
}

int template_parse(const char *where, const char *text, size_t bytes, const struct template_form *form,
		   struct pool *pool, struct template **ret_template, struct err *err)
{
	if (bytes > TEMPLATE_BYTES_MAX)
		return err_set(err, -EINVAL, "%s: longer than %d bytes", where, TEMPLATE_BYTES_MAX);
	struct template *template = pool_alloc(pool, sizeof *template);
	char *copy = pool_alloc(pool, bytes + 4); /* a character's length may be looked up past the end */
	if (!template || !copy)
		return err_set(err, -ENOMEM, "no memory for %s", where);
	memcpy(copy, text, bytes);
	template->form = form;
	struct reading reading = {.where = where,
				  .at = copy,
				  .end = copy + bytes,
				  .line = 1,
				  .template = template,
				  .pool = pool,
				  .err = err};
	int result = text_check(&reading);
	if (result == 0)
		result = parts_take(&reading);
	for (unsigned i = 0; form->parts[i].name && result == 0; i++)
		if (!template->parts[i].line)
			result = refuse(&reading, "the part '== %s' is missing", form->parts[i].name);
	if (result == 0)
		*ret_template = template;
	return result;
}

int template_read(const char *path, const struct template_form *form, struct pool *pool, struct template **ret_template,
		  struct err *err)
{
	char *text = NULL;
	size_t bytes;
	int result = text_file_read(path, TEMPLATE_BYTES_MAX, &text, &bytes, err);
	if (result == 0)
		result = template_parse(path, text, bytes, form, pool, ret_template, err);
	free(text);
	return result;
}

bool template_has(const struct template *template, unsigned part, unsigned gap)
{
	const struct part *of = &template->parts[part];
	for (size_t i = 0; i < of->count; i++)
		if (of->pieces[i].gap == (int)gap)
			return true;
	return false;
}

struct out {
	char *text;
	size_t bytes, room;
};

static int out_add(struct out *out, const char *text, size_t bytes)
{
	if (out->bytes + bytes > TEMPLATE_TEXT_BYTES_MAX)
		return -EMSGSIZE;
	if (out->bytes + bytes >= out->room) {
		size_t room = 2 * (out->bytes + bytes) + 256;
		char *grown = realloc(out->text, room);
		if (!grown)
			return -ENOMEM;
		out->text = grown;
		out->room = room;
	}
	memcpy(out->text + out->bytes, text, bytes);
	out->bytes += bytes;
	out->text[out->bytes] = '\0';
	return 0;
}

int template_render(const struct template *template, unsigned part, const char *const *values, char **ret_text,
		    struct err *err)
{
	const struct part *of = &template->parts[part];
	struct out out = {NULL, 0, 0};
	int result = 0;
	for (size_t i = 0; i < of->count && result == 0; i++) {
		const struct piece *piece = &of->pieces[i];
		char plain[TEMPLATE_VALUE_BYTES];
		result = out_add(&out, piece->text, piece->bytes);
		const char *value = piece->gap >= 0 ? values[piece->gap] : NULL;
		if (!value || result < 0)
			continue;
		if (!template->form->gaps[piece->gap].own) {
			template_plain(value, plain);
			value = plain;
		}
		result = out_add(&out, value, strlen(value));
	}
	if (result < 0) {
		free(out.text);
		return err_set(err, result, "a text of more than %d bytes", TEMPLATE_TEXT_BYTES_MAX);
	}
	*ret_text = out.text;
	return 0;
}
