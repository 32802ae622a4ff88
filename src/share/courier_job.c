/* One message and curl: how it is set up, and what its end means.
 *
 * Mail (RFC 5321): what the server says to the recipient or the message itself, 5xx, is said for good; 5xx to our
 * greeting, sign-in or sender is trouble of the server's or ours, and every mail is tried again. A webhook (RFC 9110)
 * is taken with 2xx; redirects are not followed, so that none leads to where reach.h would not have let it. */
#include "share/courier_parts.h"

#include "share/notice_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ANSWER_TAKEN_MAX = 64 << 10 };

/* Whoever gets the last byte may have all of it. */
static size_t body_read(char *to, size_t size, size_t count, void *context)
{
	struct job *job = context;
	size_t room = size * count, left = job->bytes - job->sent, part = left < room ? left : room;
	memcpy(to, job->body + job->sent, part);
	job->sent += part;
	if (job->sent == job->bytes)
		atomic_store(&job->slot->phase, PHASE_ENDING);
	return part;
}

static void answer_keep(struct job *job, const char *text, size_t bytes)
{
	size_t kept = 0;
	for (size_t i = 0; i < bytes && kept + 1 < sizeof job->answer && text[i] != '\r' && text[i] != '\n'; i++)
		job->answer[kept++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
	if (kept > 0)
		job->answer[kept] = '\0';
}

/* The last line that the server said: of a mail in the answer to a command, of a webhook the status line. */
static size_t line_take(char *text, size_t size, size_t count, void *context)
{
	struct job *job = context;
	if ((job->channel == CHANNEL_MAIL && !job->quitting) || strncasecmp(text, "HTTP/", 5) == 0)
		answer_keep(job, text, size * count);
	return size * count;
}

static size_t nothing_take(char *text, size_t size, size_t count, void *context)
{
	size_t *taken = context;
	(void)text;
	*taken += size * count;
	return *taken > ANSWER_TAKEN_MAX ? 0 : size * count;
}

/* Commands pass by here: from RCPT on, what is refused is refused to the recipient. */
static int command_see(CURL *easy, curl_infotype type, char *text, size_t bytes, void *context)
{
	struct job *job = context;
	(void)easy;
	if (type == CURLINFO_HEADER_OUT && bytes >= 4 && strncasecmp(text, "RCPT", 4) == 0)
		job->to_recipient = true;
	if (type == CURLINFO_HEADER_OUT && bytes >= 4 && strncasecmp(text, "MAIL", 4) == 0)
		job->to_recipient = false; /* a connection that is used again */
	if (type == CURLINFO_HEADER_OUT && bytes >= 4 && strncasecmp(text, "QUIT", 4) == 0)
		job->quitting = true;
	return 0;
}

static curl_socket_t socket_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct job *job = context;
	(void)purpose;
	if (job->channel == CHANNEL_WEBHOOK && !reach_allows(job->courier->reach, &address->addr)) {
		job->refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int mail_prepare(struct job *job, struct err *err)
{
	const struct courier_setup *setup = job->courier->setup;
	static const long uses[] = {CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE};
	char url[1024], recipient[512];
	if (!setup->relay)
		return err_set(err, -EINVAL, "no mail server is configured (--mail-relay)");
	if (snprintf(url, sizeof url, "%s/%s", setup->relay, setup->hello) >= (int)sizeof url ||
	    snprintf(recipient, sizeof recipient, "<%s>", job->text[COURIER_ADDRESS]) >= (int)sizeof recipient)
		return err_set(err, -EINVAL, "the address is too long");
	job->list = curl_slist_append(NULL, recipient);
	if (!job->list)
		return err_set(err, -ENOMEM, "no memory for a mail");
	curl_easy_setopt(job->easy, CURLOPT_URL, url);
	curl_easy_setopt(job->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(job->easy, CURLOPT_USE_SSL, uses[setup->relay_tls]);
	curl_easy_setopt(job->easy, CURLOPT_MAIL_FROM, job->text[COURIER_ENVELOPE]);
	curl_easy_setopt(job->easy, CURLOPT_MAIL_RCPT, job->list);
	curl_easy_setopt(job->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(job->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->bytes);
	curl_easy_setopt(job->easy, CURLOPT_CONNECTTIMEOUT, 30L);
	curl_easy_setopt(job->easy, CURLOPT_TIMEOUT, 600L); /* RFC 5321, 4.5.3.2.6: ten minutes for the last answer */
	if (setup->relay_user) {
		curl_easy_setopt(job->easy, CURLOPT_USERNAME, setup->relay_user);
		curl_easy_setopt(job->easy, CURLOPT_PASSWORD, setup->relay_password ? setup->relay_password : "");
	}
	if (setup->relay_ca)
		curl_easy_setopt(job->easy, CURLOPT_CAINFO, setup->relay_ca);
	return 0;
}

static int webhook_prepare(struct job *job, struct err *err)
{
	char *lines = (char *)job->text[COURIER_ENVELOPE], *rest;
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct curl_slist *longer = curl_slist_append(job->list, line);
		if (!longer)
			return err_set(err, -ENOMEM, "no memory for a webhook");
		job->list = longer;
	}
	curl_easy_setopt(job->easy, CURLOPT_URL, job->text[COURIER_ADDRESS]);
	curl_easy_setopt(job->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(job->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(job->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(job->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->bytes);
	curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->list);
	curl_easy_setopt(job->easy, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(job->easy, CURLOPT_TIMEOUT, 30L);
	if (job->courier->setup->webhook_ca)
		curl_easy_setopt(job->easy, CURLOPT_CAINFO, job->courier->setup->webhook_ca);
	return 0;
}

int job_prepare(struct job *job, struct err *err)
{
	job->easy = curl_easy_init();
	if (!job->easy)
		return err_set(err, -ENOMEM, "no memory for a message");
	curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
	curl_easy_setopt(job->easy, CURLOPT_ERRORBUFFER, job->error);
	curl_easy_setopt(job->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(job->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(job->easy, CURLOPT_READFUNCTION, body_read);
	curl_easy_setopt(job->easy, CURLOPT_READDATA, job);
	curl_easy_setopt(job->easy, CURLOPT_HEADERFUNCTION, line_take);
	curl_easy_setopt(job->easy, CURLOPT_HEADERDATA, job);
	curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, nothing_take);
	curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, &job->taken);
	curl_easy_setopt(job->easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(job->easy, CURLOPT_OPENSOCKETDATA, job);
	curl_easy_setopt(job->easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(job->easy, CURLOPT_DEBUGFUNCTION, command_see);
	curl_easy_setopt(job->easy, CURLOPT_DEBUGDATA, job);
	return job->channel == CHANNEL_MAIL ? mail_prepare(job, err) : webhook_prepare(job, err);
}

static enum attempt_result mail_result(const struct job *job, CURLcode code, long status, bool *ret_server)
{
	*ret_server = false;
	if (code == CURLE_OK)
		return ATTEMPT_SENT;
	if (job->to_recipient && status >= 500 && status < 600)
		return ATTEMPT_REFUSED;
	if (job->to_recipient && status >= 400 && status < 500)
		return ATTEMPT_DEFERRED;
	*ret_server = true;
	return atomic_load(&job->slot->phase) == PHASE_ENDING ? ATTEMPT_UNKNOWN : ATTEMPT_DEFERRED;
}

static enum attempt_result webhook_result(const struct job *job, CURLcode code, long status)
{
	if (job->refused_address || code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return ATTEMPT_REFUSED;
	if (status >= 200 && status < 300) /* also where the answer's body was cut off */
		return ATTEMPT_SENT;
	if (status >= 300 && status < 500 && status != 408 && status != 425 && status != 429)
		return ATTEMPT_REFUSED;
	if (status >= 300)
		return ATTEMPT_DEFERRED;
	return atomic_load(&job->slot->phase) == PHASE_ENDING ? ATTEMPT_UNKNOWN : ATTEMPT_DEFERRED;
}

struct courier_head job_judge(const struct job *job, CURLcode code)
{
	long status = 0;
	bool server = false;
	curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	enum attempt_result result = job->channel == CHANNEL_MAIL ? mail_result(job, code, status, &server)
								  : webhook_result(job, code, status);
	return (struct courier_head){.type = COURIER_OUTCOME,
				     .number = job->number,
				     .message = job->message,
				     .result = (int32_t)result,
				     .code = (int32_t)status,
				     .server = server};
}

void job_free(struct job *job)
{
	if (!job)
		return;
	curl_easy_cleanup(job->easy);
	curl_slist_free_all(job->list);
	free(job->body);
	free(job);
}
