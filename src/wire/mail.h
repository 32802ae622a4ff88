/* Mail as it is handed to a server: header and body in plain text, UTF-8. Pure.
 *
 * RFC 5322 (form), RFC 2045 (quoted-printable, base64), RFC 2047 (words that are not ASCII in the header), RFC 3834
 * (Auto-Submitted: no out-of-office answers).
 */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

struct mail {
	const char *from_name, *from, *to_name, *to; /* addresses as local@domain; names may be NULL */
	const char *reply_to;                        /* NULL: none */
	const char *subject, *text;
	const char *message_id; /* without angle brackets */
	const char *references; /* message id of the first one about the matter; NULL: none */
	const char *notice;     /* X-Yagura-Notice: numbers; NULL: none */
	int64_t time_ns;
};

/* Room that is enough for it. */
size_t mail_room(const struct mail *mail);
/* Lines end in CR LF, none is longer than 998 bytes. -EINVAL: an address or id that cannot stand in a header (what is
 * not ASCII, blank or a control character, or a missing @), with a sentence. -EMSGSIZE: no room. */
int mail_write(const struct mail *mail, char *out, size_t room, size_t *ret_bytes, struct err *err) must_check;
/* Whether it is an address that mail_write() takes. */
int mail_address_check(const char *address, struct err *err) must_check;
