/* What is sent of a message: a signed mail, a webhook signed after Standard Webhooks 1.0 (HMAC-SHA256 over
 * "id.timestamp.body"), a file. */
#include "share/dispatch_parts.h"

#include "core/clock.h"
#include "share/notifier.h"
#include "store/notices_answer.h"
#include "wire/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void parcel_free(struct parcel *parcel)
{
	free(parcel->body);
	parcel->body = NULL;
}

/* The text with `mark` replaced; to be freed. */
static char *filled(const char *text, const char *mark, const char *with)
{
	const char *at = strstr(text, mark);
	char *all = NULL;
	if (!at)
		return strdup(text);
	return asprintf(&all, "%.*s%s%s", (int)(at - text), text, with, at + strlen(mark)) < 0 ? NULL : all;
}

static int mail_make(struct dispatch *dispatch, const struct notice_message *message, const char *text, int64_t now_ns,
		     struct parcel *parcel, struct err *err)
{
	const struct mail mail = {.from_name = dispatch->from_name,
				  .from = dispatch->from,
				  .to_name = message->name,
				  .to = message->address,
				  .reply_to = dispatch->options.reply_to,
				  .subject = message->subject,
				  .text = text,
				  .message_id = message->message_id,
				  .references = message->references[0] ? message->references : NULL,
				  .time_ns = now_ns};
	size_t room = mail_room(&mail), bytes = 0, field_bytes;
	char *field = NULL, *body = malloc(room);
	int result = body ? mail_write(&mail, body, room, &bytes, err) : err_set(err, -ENOMEM, "no memory for a mail");
	if (result == 0 && dispatch->signer)
		result = signer_sign(dispatch->signer, body, bytes, &field, err);
	field_bytes = field ? strlen(field) : 0;
	parcel->body = result == 0 ? malloc(field_bytes + bytes) : NULL;
	if (result == 0 && !parcel->body)
		result = err_set(err, -ENOMEM, "no memory for a mail");
	if (result == 0) {
		memcpy(parcel->body, field ? field : "", field_bytes);
		memcpy(parcel->body + field_bytes, body, bytes);
		parcel->bytes = field_bytes + bytes;
		snprintf(parcel->sender, sizeof parcel->sender, "<%s>", dispatch->from);
		parcel->texts[COURIER_ENVELOPE] = parcel->sender;
	}
	free(field);
	free(body);
	return result;
}

static int webhook_key(struct registry *registry, const char *address, uint8_t ret_key[NOTICE_SECRET_BYTES],
		       struct err *err)
{
	char purpose[NOTICE_ADDRESS_BYTES + 16];
	snprintf(purpose, sizeof purpose, "webhook %s", address);
	return notices_secret(registry, purpose, ret_key, err);
}

int dispatch_webhook_secret(struct registry *registry, const char *address, char ret_secret[WEBHOOK_SECRET_BYTES],
			    struct err *err)
{
	uint8_t key[NOTICE_SECRET_BYTES];
	int result = webhook_key(registry, address, key, err);
	if (result < 0)
		return result;
	snprintf(ret_secret, WEBHOOK_SECRET_BYTES, "whsec_");
	sodium_bin2base64(ret_secret + 6, WEBHOOK_SECRET_BYTES - 6, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
	return 0;
}

static int webhook_make(struct dispatch *dispatch, const struct notice_message *message, int64_t now_ns,
			struct parcel *parcel, struct err *err)
{
	uint8_t key[NOTICE_SECRET_BYTES], tag[crypto_auth_hmacsha256_BYTES];
	char stamp[NOTICE_MESSAGE_ID_BYTES + 40], signature[sodium_base64_ENCODED_LEN(sizeof tag, 1)];
	long long seconds = (long long)(now_ns / NS_PER_S);
	int result = webhook_key(dispatch->notices, message->address, key, err);
	if (result < 0)
		return result;
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, key, sizeof key);
	snprintf(stamp, sizeof stamp, "%s.%lld.", message->message_id, seconds);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)stamp, strlen(stamp));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)parcel->body, parcel->bytes);
	crypto_auth_hmacsha256_final(&state, tag);
	sodium_bin2base64(signature, sizeof signature, tag, sizeof tag, sodium_base64_VARIANT_ORIGINAL);
	snprintf(parcel->headers, sizeof parcel->headers,
		 "Content-Type: application/json\nUser-Agent: yagura\nExpect:\nwebhook-id: %s\nwebhook-timestamp: "
		 "%lld\nwebhook-signature: v1,%s",
		 message->message_id, seconds, signature);
	parcel->texts[COURIER_ENVELOPE] = parcel->headers;
	return 0;
}

int parcel_make(struct dispatch *dispatch, const struct notice_message *message, int64_t now_ns,
		struct parcel *ret_parcel, struct err *err)
{
	struct parcel *parcel = ret_parcel;
	char token[REGISTRY_TOKEN_BYTES];
	bool mail = strcmp(message->channel, notice_channel_names[CHANNEL_MAIL]) == 0;
	*parcel = (struct parcel){.texts = {[COURIER_ADDRESS] = message->address}};
	int result = notices_link(dispatch->notices, message->id, token, err);
	if (result < 0)
		return result;
	/* In JSON the mark is written as an escape. */
	char *text = filled(message->body, mail ? NOTICE_SECRET_MARK : "\\u001A", token);
	if (!text)
		return err_set(err, -ENOMEM, "no memory for a message");
	if (mail) {
		result = mail_make(dispatch, message, text, now_ns, parcel, err);
		free(text);
		return result;
	}
	parcel->body = text;
	parcel->bytes = strlen(text);
	return webhook_make(dispatch, message, now_ns, parcel, err);
}

/* The file is made under a name of its own, linked into `given` (which remembers), and then shows itself. Whoever is
 * ended between any two of these finds out by looking. */
static int drop_show(int dir, const char *name, const char *text, const char *path, struct err *err)
{
	char making[160], given[160];
	snprintf(making, sizeof making, ".%s", name);
	snprintf(given, sizeof given, "given/%s", name);
	bool known = faccessat(dir, given, F_OK, 0) == 0, made = faccessat(dir, making, F_OK, 0) == 0;
	if (known && !made)
		return 0;
	int fd = known ? -1 : openat(dir, making, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool good = known || fd >= 0;
	if (fd >= 0) {
		size_t bytes = strlen(text);
		good = write(fd, text, bytes) == (ssize_t)bytes && fdatasync(fd) == 0;
		close(fd);
	}
	good = good && (known || linkat(dir, making, dir, given, 0) == 0);
	good = good && renameat(dir, making, dir, name) == 0 && fsync(dir) == 0;
	return good ? 0 : err_set(err, -errno, "%s/%s: %s", path, name, strerror(errno));
}

int drop_put(const char *dir, const struct notice_message *message, struct err *err)
{
	char path[4096], name[140];
	/* A member's key is 1 to 63 of letters, digits and hyphens; whatever else it is, it is no path. */
	if (!message->address[0] || message->address[0] == '.' || strchr(message->address, '/') ||
	    strlen(message->address) > 64)
		return err_set(err, -EINVAL, "'%.64s' cannot be the name of a directory", message->address);
	if (snprintf(path, sizeof path, "%s/%s/given", dir, message->address) >= (int)sizeof path)
		return err_set(err, -EINVAL, "%s: the name is too long", dir);
	char *end = strrchr(path, '/');
	*end = '\0';
	if ((mkdir(dir, 0750) < 0 && errno != EEXIST) || (mkdir(path, 0750) < 0 && errno != EEXIST))
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	*end = '/';
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	*end = '\0';
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	snprintf(name, sizeof name, "notices-%lld.csv", (long long)message->id);
	int result = drop_show(fd, name, message->body, path, err);
	close(fd);
	return result;
}
