/* What people do with notices: acknowledge, report back, close, have told again. A secret is an HMAC
 * (crypto_auth: HMAC-SHA512-256) of its purpose under a key of this registry; a stolen copy of the texts of
 * messages acknowledges nothing. */
#include "store/notices_answer.h"
#include "store/notices_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const notice_answer_states[] = {"seen", "informed", "fixed", "not_found", "refused", NULL};

#define KEY_SETTING "notice.key"

/* The key, made at its first use. */
static int registry_key(struct registry *registry, uint8_t ret_key[crypto_auth_KEYBYTES], struct err *err)
{
	char text[2 * crypto_auth_KEYBYTES + 3];
	uint8_t bits[crypto_auth_KEYBYTES];
	text[0] = '"';
	randombytes_buf(bits, sizeof bits);
	sodium_bin2hex(text + 1, sizeof text - 1, bits, sizeof bits);
	strcat(text, "\"");
	int code = registry_run(registry, err, "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO NOTHING", "ss",
				KEY_SETTING, text);
	sodium_memzero(text, sizeof text);
	sqlite3_stmt *row = code == 0 ? registry_prepare(registry, err, "SELECT value FROM setting WHERE name = ?", "s",
							 KEY_SETTING)
				      : NULL;
	code = row ? registry_step(registry, row, err) : -EIO;
	size_t bytes = 0;
	const char *hex = code == 1 ? (const char *)sqlite3_column_text(row, 0) : "";
	bool right = sodium_hex2bin(ret_key, crypto_auth_KEYBYTES, hex + (hex[0] == '"'),
				    strlen(hex) - 2 * (hex[0] == '"'), NULL, &bytes, NULL) == 0 &&
		     bytes == crypto_auth_KEYBYTES;
	sqlite3_finalize(row);
	if (code < 0)
		return code;
	return right ? 0 : err_set(err, -EBADMSG, "setting %s: not a key", KEY_SETTING);
}

static int secret_make(struct registry *registry, const char *purpose, uint8_t ret_secret[NOTICE_SECRET_BYTES],
		       struct err *err)
{
	_Static_assert(crypto_auth_BYTES == NOTICE_SECRET_BYTES, "an HMAC is a secret");
	uint8_t key[crypto_auth_KEYBYTES];
	int code = registry_key(registry, key, err);
	if (code < 0)
		return code;
	crypto_auth(ret_secret, (const uint8_t *)purpose, strlen(purpose), key);
	sodium_memzero(key, sizeof key);
	return 0;
}

int notices_secret(struct registry *registry, const char *purpose, uint8_t ret_secret[NOTICE_SECRET_BYTES],
		   struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = secret_make(registry, purpose, ret_secret, err);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

static int link_token(struct registry *registry, int64_t message, char ret_token[REGISTRY_TOKEN_BYTES], struct err *err)
{
	char purpose[48];
	uint8_t secret[NOTICE_SECRET_BYTES];
	snprintf(purpose, sizeof purpose, "acknowledge %lld", (long long)message);
	int code = secret_make(registry, purpose, secret, err);
	if (code == 0)
		sodium_bin2base64(ret_token, REGISTRY_TOKEN_BYTES, secret, sizeof secret,
				  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return code;
}

int notices_link(struct registry *registry, int64_t message, char ret_token[REGISTRY_TOKEN_BYTES], struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	int code = link_token(registry, message, ret_token, err);
	pthread_mutex_unlock(&registry->lock);
	return code;
}

static int answer_check(const struct notice_answer *answer, struct err *err)
{
	bool known = !answer->state;
	for (size_t i = 0; notice_answer_states[i]; i++)
		known = known || strcmp(notice_answer_states[i], answer->state) == 0;
	if (!known)
		return err_set(err, -EINVAL, "state: seen, informed, fixed, not_found or refused was expected");
	if (answer->reference && strlen(answer->reference) > NOTICE_REFERENCE_BYTES_MAX)
		return err_set(err, -EINVAL, "reference: longer than %d bytes", NOTICE_REFERENCE_BYTES_MAX);
	if (answer->note && strlen(answer->note) > NOTICE_NOTE_BYTES_MAX)
		return err_set(err, -EINVAL, "note: longer than %d bytes", NOTICE_NOTE_BYTES_MAX);
	return 0;
}

static int answer_put(struct registry *registry, int64_t notice, const struct notice_answer *answer, int64_t now_ns,
		      struct err *err)
{
	json_t *detail = json_pack("{s:s, s:s*, s:s*}", "state", answer->state ? answer->state : "seen", "reference",
				   answer->reference, "note", answer->note);
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	json_decref(detail);
	int code = text ? 0 : err_set(err, -ENOMEM, "no memory for an answer");
	if (code == 0)
		code = notices_run(
			registry, err,
			"UPDATE notice SET acknowledged = coalesce(acknowledged, ?2), answer = ?3, reference = "
			"coalesce(?4, reference), look = ?2 WHERE id = ?1",
			"iiss", notice, now_ns, answer->state ? answer->state : "seen", answer->reference);
	if (code == 0)
		code = notices_event(registry, notice, "acknowledged", answer->who, text, now_ns, err);
	free(text);
	return code;
}

/* 0 open; -ENOENT, -EPERM. */
static int open_check(struct registry *registry, int64_t notice, struct err *err)
{
	int64_t open;
	int code = notices_number(registry, &open, err, "SELECT closed IS NULL FROM notice WHERE id = ?", "i", notice);
	if (code == 1)
		return err_set(err, -ENOENT, "there is no notice %lld", (long long)notice);
	if (code == 0 && !open)
		return err_set(err, -EPERM, "notice %lld is closed", (long long)notice);
	return code;
}

/* Begin, do, commit or roll back: for what people do, one notice at a time. */
static int change_end(struct registry *registry, int code, struct err *err)
{
	if (code != 0) {
		notices_rollback(registry);
		return code;
	}
	return notices_commit(registry, err);
}

int notices_acknowledge(struct registry *registry, int64_t notice, const struct notice_answer *answer, int64_t now_ns,
			struct err *err)
{
	int code = answer_check(answer, err);
	if (code == 0)
		code = notices_begin(registry, err);
	if (code < 0)
		return code;
	code = open_check(registry, notice, err);
	if (code == 0)
		code = answer_put(registry, notice, answer, now_ns, err);
	return change_end(registry, code, err);
}

/* The notices of a message, each answered; their numbers. */
static int link_use(struct registry *registry, int64_t message, const struct notice_answer *answer, int64_t now_ns,
		    json_t *numbers, struct err *err)
{
	int64_t ids[NOTICE_BUNDLE_MAX];
	size_t count = 0;
	sqlite3_stmt *row = notices_ask(
		registry, err, "SELECT DISTINCT notice FROM notice_telling WHERE message = ? ORDER BY notice LIMIT ?",
		"ii", message, (int64_t)NOTICE_BUNDLE_MAX);
	int code = row ? 0 : -EIO;
	while (code >= 0 && (code = registry_step(registry, row, err)) == 1)
		ids[count++] = sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	for (size_t i = 0; i < count && code == 0; i++) {
		code = answer_put(registry, ids[i], answer, now_ns, err);
		json_array_append_new(numbers, json_integer(ids[i]));
	}
	if (code == 0)
		code = notices_run(registry, err, "UPDATE notice_message SET used = ?, used_by = ? WHERE id = ?", "isi",
				   now_ns, answer->who, message);
	return code;
}

/* 0: right and not used; 1: used; 2: wrong. */
static int link_check(struct registry *registry, int64_t message, const char *token, struct err *err)
{
	char right[REGISTRY_TOKEN_BYTES];
	int64_t used = 0;
	int code = link_token(registry, message, right, err);
	if (code < 0)
		return code;
	if (strlen(token) != strlen(right) || sodium_memcmp(token, right, strlen(right)) != 0)
		return 2;
	code = notices_number(registry, &used, err, "SELECT used IS NOT NULL FROM notice_message WHERE id = ?", "i",
			      message);
	return code == 0 ? used != 0 : code < 0 ? code : 2;
}

int notices_acknowledge_link(struct registry *registry, int64_t message, const char *token,
			     const struct notice_answer *answer, int64_t now_ns, json_t **ret_answer, struct err *err)
{
	int code = answer_check(answer, err);
	if (code == 0)
		code = notices_begin(registry, err);
	if (code < 0)
		return code;
	json_t *numbers = json_array();
	code = link_check(registry, message, token, err);
	if (code == 0)
		code = link_use(registry, message, answer, now_ns, numbers, err);
	code = change_end(registry, code, err);
	if (code == 0)
		*ret_answer =
			json_pack("{s:i, s:O}", "acknowledged", (int)json_array_size(numbers), "notices", numbers);
	json_decref(numbers);
	return code;
}

int notices_close(struct registry *registry, int64_t notice, const char *who, const char *why, int64_t now_ns,
		  struct err *err)
{
	int code = notices_begin(registry, err);
	if (code < 0)
		return code;
	code = open_check(registry, notice, err);
	if (code == 0)
		code = notices_run(
			registry, err,
			"UPDATE notice SET state = 'closed', closed = ?, closed_by = ?, look = NULL WHERE id = ?",
			"isi", now_ns, who, notice);
	if (code == 0) /* what was not told yet is not told any more */
		code = notices_run(registry, err, "DELETE FROM notice_telling WHERE notice = ? AND message IS NULL",
				   "i", notice);
	if (code == 0)
		code = notices_run(registry, err,
				   "UPDATE notice_step SET planned = ? WHERE notice = ? AND planned IS NULL", "ii",
				   now_ns, notice);
	if (code == 0)
		code = notices_event(registry, notice, "closed", who, why, now_ns, err);
	return change_end(registry, code, err);
}

int notices_tell_now(struct registry *registry, int64_t notice, const char *who, int64_t now_ns, struct err *err)
{
	struct notice found;
	int code = notices_begin(registry, err);
	if (code < 0)
		return code;
	code = open_check(registry, notice, err);
	if (code == 0)
		code = notices_event(registry, notice, "tell_now", who, NULL, now_ns, err);
	if (code == 0)
		code = notices_run(registry, err,
				   "UPDATE notice_telling SET due = min(due, ?) WHERE notice = ? AND message IS NULL",
				   "ii", now_ns, notice);
	if (code == 0 && sqlite3_changes(registry->database) == 0) {
		code = notice_find(registry, notice, &found, err);
		if (code == 0) {
			code = notices_step(registry, &found, STEP_REMINDER, who, now_ns, err);
			notice_done(&found);
		}
	}
	return change_end(registry, code, err);
}

int notices_test(struct registry *registry, uint32_t member, const char *who, int64_t now_ns, int64_t *ret_id,
		 struct err *err)
{
	int code = notices_begin(registry, err);
	if (code < 0)
		return code;
	code = notices_run(registry, err,
			   "INSERT INTO notice (member, type, subject, verdict, severity, state, detector, finding, "
			   "seen, ground, first, last, packets, made, ended, closed, closed_by) VALUES (?1, 'test', "
			   "'-', '', 0, 'closed', 'test', '', ?2, '{}', ?2, ?2, 0, ?2, ?2, ?2, ?3)",
			   "iis", (int64_t)member, now_ns, who);
	*ret_id = sqlite3_last_insert_rowid(registry->database);
	if (code == 0)
		code = notices_event(registry, *ret_id, "made", who, NULL, now_ns, err);
	if (code == 0)
		code = notices_step_leave(registry, *ret_id, STEP_TEST, 1, now_ns, err);
	return change_end(registry, code, err);
}
