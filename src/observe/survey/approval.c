/* See approval.h. Ed25519: RFC 8032; keys as PKCS #8: RFC 8410. */
#include "observe/survey/approval.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEY_BYTES = 32, SIGNATURE_BYTES = 64 };

static void key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void digest_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

static bool base64_read(const char *text, size_t bytes, uint8_t *out)
{
	size_t length = 0;
	return sodium_base642bin(out, bytes, text, strlen(text), NULL, &length, NULL, sodium_base64_VARIANT_ORIGINAL) ==
		       0 &&
	       length == bytes;
}

static const char *message_make(const struct scope *scope, const char *person, const char *key, const char *signed_at,
				struct pool *pool)
{
	static const char format[] = "yagura scope 1\n%s\n%s\n%s\n%s";
	int bytes = snprintf(NULL, 0, format, person, key, signed_at, scope->canonical);
	char *message = bytes < 0 ? NULL : pool_alloc(pool, (size_t)bytes + 1);
	if (message)
		snprintf(message, (size_t)bytes + 1, format, person, key, signed_at, scope->canonical);
	return message;
}

static int public_text(EVP_PKEY *key, char text[APPROVAL_KEY_TEXT_BYTES])
{
	uint8_t raw[KEY_BYTES];
	size_t bytes = sizeof raw;
	if (EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 || EVP_PKEY_get_raw_public_key(key, raw, &bytes) != 1)
		return -EINVAL;
	sodium_bin2base64(text, APPROVAL_KEY_TEXT_BYTES, raw, sizeof raw, sodium_base64_VARIANT_ORIGINAL);
	return 0;
}

int approval_key_make(const char *path, char ret_public[APPROVAL_KEY_TEXT_BYTES], struct err *err)
{
	char public[APPROVAL_KEY_TEXT_BYTES];
	cleanup(key_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!key || public_text(key, public) < 0)
		return err_set(err, -EIO, "%s: OpenSSL makes no Ed25519 key", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		int code = -errno;
		if (fd >= 0)
			close(fd);
		return err_set(err, code, "%s: %s", path, strerror(-code));
	}
	int written = PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(file) == 0 &&
		      fsync(fd) == 0;
	if (fclose(file) == 0 && written) {
		strcpy(ret_public, public);
		return 0;
	}
	unlink(path);
	return err_set(err, -EIO, "%s: the key cannot be written", path);
}

int approval_sign(const char *path, const struct scope *scope, const char *person, const char *signed_at,
		  struct pool *pool, struct scope_signature *ret_signature, struct err *err)
{
	char text[APPROVAL_KEY_TEXT_BYTES], sealed[APPROVAL_SIGNATURE_TEXT_BYTES];
	uint8_t raw[SIGNATURE_BYTES];
	size_t bytes = sizeof raw;
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	cleanup(key_free) EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	if (!key || public_text(key, text) < 0)
		return err_set(err, -EINVAL, "%s: not an Ed25519 key in PEM; `yagura scope key` makes one", path);
	const char *message = message_make(scope, person, text, signed_at, pool);
	cleanup(digest_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!message || !context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, raw, &bytes, (const uint8_t *)message, strlen(message)) != 1)
		return err_set(err, -EIO, "%s: OpenSSL cannot sign with this key", path);
	sodium_bin2base64(sealed, sizeof sealed, raw, sizeof raw, sodium_base64_VARIANT_ORIGINAL);
	struct scope_signature made = {.person = pool_text(pool, person),
				       .key = pool_text(pool, text),
				       .signed_at = pool_text(pool, signed_at),
				       .signature = pool_text(pool, sealed)};
	if (!made.person || !made.key || !made.signed_at || !made.signature)
		return err_set(err, -ENOMEM, "no memory to sign");
	*ret_signature = made;
	return 0;
}

int approval_verify(const struct scope *scope, const struct scope_signature *signature)
{
	uint8_t raw_key[KEY_BYTES], raw[SIGNATURE_BYTES];
	if (!base64_read(signature->key, sizeof raw_key, raw_key) ||
	    !base64_read(signature->signature, sizeof raw, raw))
		return 1;
	cleanup(key_free) EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw_key, sizeof raw_key);
	cleanup(digest_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct pool *pool = pool_new(NULL, "approval");
	const char *message =
		pool ? message_make(scope, signature->person, signature->key, signature->signed_at, pool) : NULL;
	bool good = key && context && message && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(context, raw, sizeof raw, (const uint8_t *)message, strlen(message)) == 1;
	pool_free(pool);
	return good ? 0 : 1;
}

static int approver_read(char *line, struct pool *pool, struct approver *approver, struct err *err)
{
	uint8_t raw[KEY_BYTES];
	char *rest = NULL;
	char *kind = strtok_r(line, " \t\r", &rest), *key = strtok_r(NULL, " \t\r", &rest);
	if (!kind || !key || strcmp(kind, "ed25519") != 0 || !base64_read(key, sizeof raw, raw))
		return err_set(err, -EINVAL, "ed25519 KEY NAME was expected, as `yagura scope key` prints it");
	const char *name = rest ? rest + strspn(rest, " \t") : "";
	size_t length = strlen(name);
	while (length && strchr(" \t\r", name[length - 1]))
		length--;
	if (!length || length > SCOPE_TEXT_MAX)
		return err_set(err, -EINVAL, "a name was expected after the key");
	char *copy = pool_text(pool, name);
	if (!copy)
		return err_set(err, -ENOMEM, "no memory for approvers");
	copy[length] = '\0';
	approver->name = copy;
	snprintf(approver->key, sizeof approver->key, "%s", key);
	return 0;
}

int approvers_parse(const char *where, const char *data, size_t bytes, struct pool *pool,
		    struct approvers *ret_approvers, struct err *err)
{
	struct approvers approvers = {.items = pool_array(pool, APPROVERS_MAX, sizeof *approvers.items)};
	char *text = pool_alloc(pool, bytes + 1);
	unsigned number = 1;
	if (!approvers.items || !text)
		return err_set(err, -ENOMEM, "no memory for approvers");
	for (size_t i = 0; i < bytes; i++)
		text[i] = data[i] ? data[i] : '\1';
	for (char *line = text, *stop; line; line = stop, number++) {
		stop = strchr(line, '\n');
		if (stop)
			*stop++ = '\0';
		line[strcspn(line, "#")] = '\0';
		if (!line[strspn(line, " \t\r")])
			continue;
		if (approvers.count == APPROVERS_MAX)
			return err_set(err, -EINVAL, "%s:%u: more than %d approvers", where, number, APPROVERS_MAX);
		int result = approver_read(line, pool, &approvers.items[approvers.count], err);
		if (result < 0)
			return err_prefix(err, result, "%s:%u", where, number);
		if (approver_find(&approvers, approvers.items[approvers.count].key))
			return err_set(err, -EINVAL, "%s:%u: this key stands twice", where, number);
		approvers.count++;
	}
	*ret_approvers = approvers;
	return 0;
}

const struct approver *approver_find(const struct approvers *approvers, const char *key)
{
	for (size_t i = 0; i < approvers->count; i++)
		if (strcmp(approvers->items[i].key, key) == 0)
			return &approvers->items[i];
	return NULL;
}
