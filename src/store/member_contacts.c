/* Contacts of a member: in which role, in which language, by mail (RFC 5321), telephone or a signed webhook. */
#include "store/member_fields.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct member_choice roles[] = {
	{"security", "セキュリティ"},
	{"abuse", "不正利用"},
	{"technical", "技術"},
	{"administrative", "管理"},
	{"legal", "法務"},
	{"other", "その他"},
	{NULL},
};

static json_t *refuse(struct member_form *form, const char *text, const char *message, const char *message_ja)
{
	form->refused = true;
	member_remark(form->remarks, form->field, true, text, message, message_ja);
	return NULL;
}

static json_t *role_take(struct member_form *form, char *text)
{
	struct member_form role = *form;
	role.choices = roles;
	json_t *given = json_string(text), *taken = member_take_choice(&role, given);
	json_decref(given);
	form->refused |= role.refused;
	return taken;
}

/* RFC 5646, as far as a notice needs it. */
static json_t *language_take(struct member_form *form, char *text)
{
	if (!text[0] || strcmp(text, "日本語") == 0)
		return json_string("ja");
	if (strcmp(text, "英語") == 0)
		return json_string("en");
	for (char *at = text; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	size_t first = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	if (first < 2 || first > 3 || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(text) ||
	    strlen(text) > 35 || (text[first] && text[first] != '-'))
		return refuse(form, text, "'%s' is not a language; expected ja or en (RFC 5646)",
			      "「%s」は言語として読めません。ja か en を書いてください");
	if (strncmp(text, "ja", first) != 0 && strncmp(text, "en", first) != 0)
		member_remark(form->remarks, form->field, false, text, "'%s': texts are in ja and en",
			      "「%s」: 文面は ja と en だけです");
	return json_string(text);
}

static json_t *mail_take(struct member_form *form, char *text)
{
	if (strncasecmp(text, "mailto:", 7) == 0)
		text += 7;
	char *at = strrchr(text, '@');
	size_t local = at ? (size_t)(at - text) : 0;
	bool right = at && local > 0 && local <= 64 && strlen(text) <= 254 &&
		     strcspn(text, " \t\r\n,;<>\"()\\") == strlen(text) && !memchr(text, '@', local) &&
		     text[0] != '.' && at[-1] != '.' && !strstr(text, "..");
	json_t *domain = NULL;
	if (right) {
		json_t *given = json_string(at + 1);
		struct member_form quiet = {.remarks = NULL, .field = form->field, .most = 1};
		json_t *list = member_take_domains(&quiet, given);
		domain = json_incref(json_array_get(list, 0));
		json_decref(list);
		json_decref(given);
	}
	if (!domain)
		return refuse(form, text, "'%s' is not a mail address (RFC 5321)",
			      "「%s」はメールアドレスとして読めません");
	json_t *taken = json_sprintf("%.*s@%s", (int)local, text, json_string_value(domain));
	json_decref(domain);
	return taken;
}

/* The long vowel mark is what a Japanese input method gives for a hyphen. */
static json_t *phone_take(struct member_form *form, char *text)
{
	char number[64];
	size_t used = 0, digits = 0;
	for (const char *at = text; *at && used + 1 < sizeof number;) {
		bool mark = strncmp(at, "ー", strlen("ー")) == 0;
		char c = mark ? '-' : *at;
		digits += isdigit((unsigned char)c) != 0;
		number[used++] = c;
		at += mark ? strlen("ー") : 1;
	}
	number[used] = '\0';
	if (digits < 3 || digits > 20 || strspn(number, "0123456789+-() .x#*/") != strlen(number))
		return refuse(form, text, "'%s' is not a telephone number", "「%s」は電話番号として読めません");
	return json_string(number);
}

static json_t *webhook_take(struct member_form *form, char *text)
{
	bool https = strncasecmp(text, "https://", 8) == 0, http = strncasecmp(text, "http://", 7) == 0;
	const char *host = text + (https ? 8 : 7);
	bool right = (https || http) && strlen(text) <= 2000 && strcspn(text, " \t\r\n\"<>\\^`{|}#") == strlen(text);
	for (const char *at = text; *at; at++)
		right &= (unsigned char)*at > 0x20 && (unsigned char)*at < 0x7f;
	size_t authority = right ? strcspn(host, "/?") : 0;
	if (!right || authority == 0 || memchr(host, '@', authority))
		return refuse(
			form, text, "'%s' is not an address for webhooks; expected https://... without a password",
			"「%s」は Webhook のアドレスとして使えません。https:// で始め、パスワードは入れないでください");
	if (http)
		member_remark(form->remarks, form->field, false, text, "'%s' is not encrypted",
			      "「%s」は暗号化されません");
	return json_string(text);
}

static const struct {
	const char *name;
	json_t *(*take)(struct member_form *form, char *text);
} parts[] = {
	{"role", role_take}, {"language", language_take}, {"name", NULL},
	{"mail", mail_take}, {"phone", phone_take},       {"webhook", webhook_take},
};
enum { PARTS = sizeof parts / sizeof *parts };

static bool part_is_known(const char *name)
{
	for (size_t i = 0; i < PARTS; i++)
		if (strcmp(parts[i].name, name) == 0)
			return true;
	return false;
}

static json_t *part_take(struct member_form *form, size_t part, const json_t *given)
{
	char room[2100] = "";
	if (!parts[part].take)
		return member_take_name(form, given ? given : json_null());
	const char *text = json_string_value(given);
	if (given && !json_is_null(given) && !text)
		return refuse(form, parts[part].name, "%s: a text was expected", "%s: 文字列を書いてください");
	if (text && member_text_plain(text, room, sizeof room) < 0)
		return refuse(form, parts[part].name, "%s: it is too long", "%s: 長すぎます");
	if (!room[0] && part > 1)
		return json_string("");
	return parts[part].take(form, room);
}

static json_t *contact_take(struct member_form *form, json_t *given)
{
	json_t *contact = json_object(), *value;
	const char *name;
	if (!json_is_object(given)) {
		json_decref(contact);
		return refuse(form, "", "an object was expected", "オブジェクトを書いてください");
	}
	json_object_foreach(given, name, value)
	{
		if (!part_is_known(name))
			refuse(form, name, "'%s' is not part of a contact", "「%s」は連絡先の項目ではありません");
	}
	for (size_t i = 0; i < PARTS; i++) {
		json_t *taken = part_take(form, i, json_object_get(given, parts[i].name));
		if (json_string_length(taken) > 0)
			json_object_set(contact, parts[i].name, taken);
		json_decref(taken);
	}
	if (!form->refused && !json_object_get(contact, "mail") && !json_object_get(contact, "phone") &&
	    !json_object_get(contact, "webhook"))
		refuse(form, "", "a contact has a mail address, a telephone number or a webhook",
		       "連絡先にはメール・電話・Webhook のどれかが要ります");
	return contact;
}

static bool has(const json_t *list, const json_t *wanted)
{
	json_t *item;
	size_t i;
	json_array_foreach(list, i, item) if (json_equal(item, wanted)) return true;
	return false;
}

/* In the order given: the first of a role is the first to be told. */
json_t *member_take_contacts(struct member_form *form, const json_t *given)
{
	json_t *list = json_array(), *item;
	size_t i;
	if (json_array_size(given) > form->most)
		refuse(form, "", "there are too many", "多すぎます");
	else if (!json_is_array(given) && !json_is_null(given))
		refuse(form, "", "a list was expected", "一覧を書いてください");
	else
		json_array_foreach(given, i, item)
		{
			json_t *contact = contact_take(form, item);
			if (contact && !has(list, contact))
				json_array_append(list, contact);
			json_decref(contact);
		}
	if (!form->refused)
		return list;
	json_decref(list);
	return NULL;
}
