/* Mail: what goes into a header stays in its place, every text comes out of the decoders of the standard again. */
#include "wire/mail.h"

#include "core/clock.h"

#include "../check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct mail plain(void)
{
	return (struct mail){.from_name = "Yagura",
			     .from = "yagura@example.jp",
			     .to = "hanako@city.example",
			     .subject = "A test",
			     .text = "Line one\nLine two\n",
			     .message_id = "notice-1.2@example.jp",
			     .time_ns = INT64_C(1767225605) * NS_PER_S};
}

static char *written(const struct mail *mail)
{
	size_t room = mail_room(mail), bytes;
	char *text = malloc(room + 1);
	struct err err = {""};
	if (mail_write(mail, text, room, &bytes, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bytes < room);
	text[bytes] = '\0';
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		assert_true(length > 0 && line[length - 1] == '\r' && length <= 998);
		assert_null(memchr(line, '\r', length - 1));
		line += length + 1;
	}
	return text;
}

static void an_ordinary_one(void **state)
{
	(void)state;
	struct mail mail = plain();
	char *text = written(&mail);
	assert_string_equal(text, "Date: Thu, 01 Jan 2026 00:00:05 +0000\r\n"
				  "From: \"Yagura\"\r\n <yagura@example.jp>\r\n"
				  "To: <hanako@city.example>\r\n"
				  "Subject: A test\r\n"
				  "Message-ID: <notice-1.2@example.jp>\r\n"
				  "Auto-Submitted: auto-generated\r\n"
				  "MIME-Version: 1.0\r\n"
				  "Content-Type: text/plain; charset=utf-8\r\n"
				  "Content-Transfer-Encoding: 7bit\r\n"
				  "\r\n"
				  "Line one\r\nLine two\r\n");
	free(text);
}

static void japanese_is_encoded_by_characters(void **state)
{
	(void)state;
	struct mail mail = plain();
	mail.subject = "[櫓] ネットワーク内の機器が感染している可能性: 192.0.2.9(通知番号 1)";
	mail.to_name = "情報政策課";
	mail.text = "例市\n情報政策課 様\n";
	char *text = written(&mail);
	assert_contains(text, "\r\nSubject: =?UTF-8?B?W+ark10g");
	assert_contains(text, "To: =?UTF-8?B?5oOF5aCx5pS/562W6Kqy?=\r\n <hanako@city.example>\r\n");
	assert_contains(text, "Content-Transfer-Encoding: base64\r\n\r\n5L6L5biCDQrmg4XloLHmlL/nrZboqrIg5qeYDQo=\r\n");
	for (const char *word = text; (word = strstr(word, "=?UTF-8?B?")); word++)
		assert_true(strcspn(word, "\r") <= 75);
	free(text);
}

static void a_body_is_quoted_where_that_is_shorter(void **state)
{
	(void)state;
	struct mail mail = plain();
	char line[400];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	char body[600];
	snprintf(body, sizeof body, "a=b \r\n%s\ncaf\xc3\xa9\n.\n", line);
	mail.text = body;
	char *text = written(&mail);
	assert_contains(text, "quoted-printable\r\n\r\na=3Db=20\r\nxxx");
	assert_contains(text, "x=\r\nx");
	assert_contains(text, "\r\ncaf=C3=A9\r\n.\r\n");
	for (const char *at = strstr(text, "\r\n\r\n") + 4; *at; at += strcspn(at, "\n") + 1)
		assert_true(strcspn(at, "\r") <= 76);
	free(text);
}

static void nothing_breaks_out_of_a_header(void **state)
{
	(void)state;
	static const char *const wrong[] = {"a@b\r\nBcc: c@d", "a b@c", "a@b>", "ab", "@b", "a@", "\xe4\xbe\x8b@b", ""};
	struct mail mail = plain();
	struct err err = {""};
	char room[1 << 15];
	size_t bytes;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		mail.to = wrong[i];
		assert_int_equal(mail_write(&mail, room, sizeof room, &bytes, &err), -EINVAL);
		mail.to = "a@b";
		mail.message_id = wrong[i];
		assert_int_equal(mail_write(&mail, room, sizeof room, &bytes, &err), -EINVAL);
		mail.message_id = "x@y";
	}
	mail.subject = "One\r\nBcc: all@example.org\r\n\r\nbody =?x?";
	mail.to_name = "\"A\" <x@y>\r\nCc: z@z";
	char *text = written(&mail);
	assert_null(strstr(text, "Bcc:"));
	assert_null(strstr(text, "Cc:"));
	free(text);
	mail = plain();
	assert_int_equal(mail_write(&mail, room, 100, &bytes, &err), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_one),
		cmocka_unit_test(japanese_is_encoded_by_characters),
		cmocka_unit_test(a_body_is_quoted_where_that_is_shorter),
		cmocka_unit_test(nothing_breaks_out_of_a_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
