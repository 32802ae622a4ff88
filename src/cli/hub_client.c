/* Requests to a hub by libcurl. See hub_client.h. */
#include "cli/hub_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 512 << 20 };

struct answer {
	char *bytes;
	size_t used;
};

static size_t answer_take(char *bytes, size_t size, size_t count, void *context)
{
	struct answer *answer = context;
	size_t more = size * count;
	if (answer->used + more > ANSWER_BYTES_MAX)
		return 0;
	char *grown = realloc(answer->bytes, answer->used + more + 1);
	if (!grown)
		return 0;
	answer->bytes = grown;
	memcpy(grown + answer->used, bytes, more);
	answer->used += more;
	grown[answer->used] = '\0';
	return more;
}

bool hub_is_running(const struct hub_address *hub)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/hub.sock", hub->data);
	if (length < 0 || (size_t)length >= sizeof address.sun_path)
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool running = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	if (fd >= 0)
		close(fd);
	return running;
}

int hub_refusal(long status, const json_t *answer, struct err *err)
{
	const char *message = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
	int code = status == 401 || status == 403  ? -EACCES
		   : status == 404                 ? -ENOENT
		   : status >= 400 && status < 500 ? -EINVAL
						   : -EIO;
	if (message)
		return err_set(err, code, "%s", message);
	return err_set(err, code, "the hub answered with status %ld", status);
}

char *hub_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0), *copy = escaped ? strdup(escaped) : NULL;
	curl_free(escaped);
	return copy;
}

void hub_path_add(char *path, size_t bytes, const char *name, const char *value)
{
	size_t used = strlen(path);
	char *escaped = value && value[0] ? hub_escape(value) : NULL;
	if (escaped && used < bytes)
		snprintf(path + used, bytes - used, "&%s=%s", name, escaped);
	free(escaped);
}

static void request_prepare(CURL *curl, const struct hub_address *hub, const char *method, const char *path)
{
	char url[4096], socket_path[512];
	snprintf(url, sizeof url, "%s/api/v1%s", hub->url ? hub->url : "http://hub", path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (!hub->url) {
		snprintf(socket_path, sizeof socket_path, "%s/hub.sock", hub->data);
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static struct curl_slist *headers_make(const struct hub_address *hub, const char *type)
{
	char line[512];
	struct curl_slist *headers = curl_slist_append(NULL, "X-Yagura: 1");
	headers = curl_slist_append(headers, "Expect:");
	if (type) {
		snprintf(line, sizeof line, "Content-Type: %s", type);
		headers = curl_slist_append(headers, line);
	}
	if (hub->token) {
		snprintf(line, sizeof line, "Authorization: Bearer %s", hub->token);
		headers = curl_slist_append(headers, line);
	}
	return headers;
}

int hub_request_bytes(const struct hub_address *hub, const char *method, const char *path, const char *type,
		      const void *body, size_t bytes, long *ret_status, char **ret_text, size_t *ret_bytes,
		      struct err *err)
{
	CURL *curl = curl_easy_init();
	if (!curl)
		return err_set(err, -ENOMEM, "no memory");
	struct curl_slist *headers = headers_make(hub, body ? type : NULL);
	struct answer answer = {calloc(1, 1), 0};
	request_prepare(curl, hub, method, path);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	CURLcode code = curl_easy_perform(curl);
	int result = 0;
	if (code != CURLE_OK)
		result =
			err_set(err, code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -EIO, "no hub answers at %s%s: %s",
				hub->url ? hub->url : hub->data, hub->url ? "" : "/hub.sock", curl_easy_strerror(code));
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (result < 0) {
		free(answer.bytes);
		return result;
	}
	*ret_text = answer.bytes;
	*ret_bytes = answer.used;
	return 0;
}

int hub_request(const struct hub_address *hub, const char *method, const char *path, json_t *body, json_t **ret_answer,
		struct err *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, *answer = NULL;
	size_t bytes = 0;
	long status = 0;
	json_error_t where;
	int result = hub_request_bytes(hub, method, path, "application/json", text, text ? strlen(text) : 0, &status,
				       &answer, &bytes, err);
	free(text);
	if (result < 0)
		return result;
	json_t *json = bytes ? json_loadb(answer, bytes, 0, &where) : NULL;
	free(answer);
	if (status < 200 || status >= 300) {
		result = hub_refusal(status, json, err);
		json_decref(json);
		return result;
	}
	if (bytes && !json)
		return err_set(err, -EIO, "the hub's answer is not JSON: %s", where.text);
	*ret_answer = json;
	return 0;
}
