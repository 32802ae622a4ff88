/* Writing mail. A body in ASCII with short lines stays as it is; with some other characters it is quoted-printable,
 * with many it is base64, whichever is shorter. Encoded words end at characters and lines at 76 bytes (RFC 2047,
 * section 2).
 */
#include "wire/mail.h"

#include "core/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	LINE_BYTES = 76,
	WORD_BYTES = 45,      /* of UTF-8 in an encoded word: 60 of base64, and 12 around it */
	ADDRESS_BYTES = 320,  /* RFC 3696 */
	HEADER_BYTES = 16384, /* all but subject and text */
};

struct out {
	char *text;
	size_t bytes, room;
	bool full;
};

static void put(struct out *out, const char *text, size_t bytes)
{
	if (out->full || bytes > out->room - out->bytes) {
		out->full = true;
		return;
	}
	memcpy(out->text + out->bytes, text, bytes);
	out->bytes += bytes;
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_base64(struct out *out, const uint8_t *data, size_t bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < bytes; i += 3) {
		size_t left = bytes - i;
		uint32_t bits = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				(left > 2 ? data[i + 2] : 0);
		const char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
				      left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '='};
		put(out, four, 4);
	}
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			return false;
	return true;
}

/* How much of the text goes into the next encoded word: whole characters. */
static size_t word_length(const char *text)
{
	size_t length = 0;
	while (text[length] && length < WORD_BYTES)
		length++;
	size_t whole = length;
	while (text[length] && whole > 0 && ((unsigned char)text[whole] & 0xc0) == 0x80)
		whole--;
	return whole > 0 ? whole : length;
}

/* Unstructured text of a header: as it is, folded at blanks, or in encoded words. `column` is where it begins. */
static void put_words(struct out *out, const char *text, size_t column)
{
	if (is_plain(text) && !strstr(text, "=?")) {
		while (*text) {
			size_t length = strcspn(text + 1, " ") + 1;
			if (column + length > LINE_BYTES && *text == ' ') {
				put_text(out, "\r\n");
				column = 0;
			}
			put(out, text, length);
			column += length;
			text += length;
		}
		return;
	}
	for (bool first = true; *text; first = false) {
		uint8_t word[WORD_BYTES];
		size_t length = word_length(text);
		for (size_t i = 0; i < length; i++)
			word[i] = (uint8_t)((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i]);
		put_text(out, first && column <= 12 ? "" : "\r\n ");
		put_text(out, "=?UTF-8?B?");
		put_base64(out, word, length);
		put_text(out, "?=");
		text += length;
		column = LINE_BYTES;
	}
}

int mail_address_check(const char *address, struct err *err)
{
	const char *at = strrchr(address, '@');
	for (const char *c = address; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c > 0x7e || strchr("<>()[]\\,;:\"", *c))
			return err_set(err, -EINVAL,
				       "'%.100s' cannot stand as a mail address in a header (RFC 5322, 3.4.1)",
				       address);
	if (!at || at == address || !at[1] || strlen(address) > ADDRESS_BYTES)
		return err_set(err, -EINVAL, "'%.100s' is not a mail address (local@domain)", address);
	return 0;
}

static void put_mailbox(struct out *out, const char *field, const char *name, const char *address)
{
	put_text(out, field);
	if (name && name[0]) {
		bool quoted = is_plain(name) && !strpbrk(name, "\"\\") && !strstr(name, "=?");
		if (quoted)
			put_text(out, "\"");
		put_words(out, name, quoted ? 0 : strlen(field));
		put_text(out, quoted ? "\"\r\n " : "\r\n ");
	}
	put_text(out, "<");
	put_text(out, address);
	put_text(out, ">\r\n");
}

/* RFC 5322, 3.3, in UTC; names of days and months do not depend on a locale. */
static void put_date(struct out *out, int64_t time_ns)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char text[64];
	time_t seconds = (time_t)(time_floor(time_ns, NS_PER_S) / NS_PER_S);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	snprintf(text, sizeof text, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[utc.tm_wday], utc.tm_mday,
		 months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
	put_text(out, text);
}

/* The next line of a text, without its end. */
static const char *line_next(const char *text, size_t *ret_bytes)
{
	size_t bytes = strcspn(text, "\n");
	const char *next = text[bytes] ? text + bytes + 1 : NULL;
	*ret_bytes = bytes > 0 && text[bytes - 1] == '\r' ? bytes - 1 : bytes;
	return next;
}

static void put_plain(struct out *out, const char *text)
{
	while (text && *text) {
		size_t bytes;
		const char *next = line_next(text, &bytes);
		put(out, text, bytes);
		put_text(out, "\r\n");
		text = next;
	}
}

static void put_quoted(struct out *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	while (text && *text) {
		size_t bytes, column = 0;
		const char *next = line_next(text, &bytes);
		for (size_t i = 0; i < bytes; i++) {
			unsigned char c = (unsigned char)text[i];
			bool blank = (c == ' ' || c == '\t') && i + 1 < bytes;
			bool plain = blank || (c > 0x20 && c < 0x7f && c != '=');
			if (column + (plain ? 1 : 3) > LINE_BYTES - 1) {
				put_text(out, "=\r\n");
				column = 0;
			}
			const char three[3] = {'=', digits[c >> 4], digits[c & 15]};
			put(out, plain ? text + i : three, plain ? 1 : 3);
			column += plain ? 1 : 3;
		}
		put_text(out, "\r\n");
		text = next;
	}
}

/* Base64 of the text with CR LF at its line ends, in lines of 76: carried over in threes. */
struct base64 {
	struct out *out;
	uint8_t line[LINE_BYTES / 4 * 3];
	size_t bytes;
};

static void base64_line(struct base64 *base64)
{
	put_base64(base64->out, base64->line, base64->bytes);
	put_text(base64->out, "\r\n");
	base64->bytes = 0;
}

static void base64_add(struct base64 *base64, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		base64->line[base64->bytes++] = (uint8_t)text[i];
		if (base64->bytes == sizeof base64->line)
			base64_line(base64);
	}
}

static void put_base64_text(struct out *out, const char *text)
{
	struct base64 base64 = {.out = out};
	while (text && *text) {
		size_t bytes;
		const char *next = line_next(text, &bytes);
		base64_add(&base64, text, bytes);
		base64_add(&base64, "\r\n", 2);
		text = next;
	}
	if (base64.bytes)
		base64_line(&base64);
}

static void put_body(struct out *out, const char *text)
{
	size_t others = 0, column = 0, longest = 0, all = strlen(text);
	for (const char *c = text; *c; c++) {
		unsigned char code = (unsigned char)*c;
		others += code >= 0x7f || (code < 0x20 && code != '\n' && code != '\r' && code != '\t');
		column = code == '\n' ? 0 : column + 1;
		longest = column > longest ? column : longest;
	}
	bool plain = others == 0 && longest <= LINE_BYTES + 1, base64 = others > all / 6;
	put_text(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ");
	put_text(out, plain ? "7bit\r\n\r\n" : base64 ? "base64\r\n\r\n" : "quoted-printable\r\n\r\n");
	if (plain)
		put_plain(out, text);
	else if (base64)
		put_base64_text(out, text);
	else
		put_quoted(out, text);
}

static int id_check(const char *id, struct err *err)
{
	return id ? mail_address_check(id, err) : 0;
}

size_t mail_room(const struct mail *mail)
{
	size_t names = (mail->from_name ? strlen(mail->from_name) : 0) + (mail->to_name ? strlen(mail->to_name) : 0);
	return HEADER_BYTES + 4 * (strlen(mail->subject) + names) + 4 * strlen(mail->text);
}

int mail_write(const struct mail *mail, char *out_text, size_t room, size_t *ret_bytes, struct err *err)
{
	struct out out = {.text = out_text, .room = room};
	int result = mail_address_check(mail->from, err);
	if (result == 0)
		result = mail_address_check(mail->to, err);
	if (result == 0 && mail->reply_to)
		result = mail_address_check(mail->reply_to, err);
	if (result == 0)
		result = id_check(mail->message_id, err);
	if (result == 0)
		result = id_check(mail->references, err);
	if (result == 0 && mail->notice && (!is_plain(mail->notice) || strlen(mail->notice) > 4000))
		result = err_set(err, -EINVAL, "numbers of notices were expected");
	if (result < 0)
		return result;
	put_date(&out, mail->time_ns);
	put_mailbox(&out, "From: ", mail->from_name, mail->from);
	put_mailbox(&out, "To: ", mail->to_name, mail->to);
	if (mail->reply_to)
		put_mailbox(&out, "Reply-To: ", NULL, mail->reply_to);
	put_text(&out, "Subject: ");
	put_words(&out, mail->subject, strlen("Subject: "));
	put_mailbox(&out, "\r\nMessage-ID: ", NULL, mail->message_id);
	if (mail->references) {
		put_mailbox(&out, "In-Reply-To: ", NULL, mail->references);
		put_mailbox(&out, "References: ", NULL, mail->references);
	}
	put_text(&out, "Auto-Submitted: auto-generated\r\n");
	if (mail->notice) {
		put_text(&out, "X-Yagura-Notice: ");
		put_words(&out, mail->notice, strlen("X-Yagura-Notice: "));
		put_text(&out, "\r\n");
	}
	put_body(&out, mail->text);
	if (out.full)
		return err_set(err, -EMSGSIZE, "a mail of more than %zu bytes", room);
	*ret_bytes = out.bytes;
	return 0;
}
