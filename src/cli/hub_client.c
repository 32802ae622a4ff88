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

static int answer_judge(long status, const struct answer *answer, json_t **ret_answer, struct err *err)
{
	json_error_t where;
	json_t *json = answer->used ? json_loadb(answer->bytes, answer->used, 0, &where) : NULL;
	if (status >= 200 && status < 300) {
		*ret_answer = json;
		return answer->used && !json ? err_set(err, -EIO, "the hub's answer is not JSON: %s", where.text) : 0;
	}
	const char *message = json_string_value(json_object_get(json_object_get(json, "error"), "message"));
	int code = status == 401 || status == 403  ? -EACCES
		   : status == 404                 ? -ENOENT
		   : status >= 400 && status < 500 ? -EINVAL
						   : -EIO;
	if (message)
		err_set(err, code, "%s", message);
	else
		err_set(err, code, "the hub answered with status %ld", status);
	json_decref(json);
	return code;
}

static void request_prepare(CURL *curl, const struct hub_address *hub, const char *method, const char *path,
			    const char *body, struct curl_slist *headers)
{
	char url[1024], socket_path[512];
	snprintf(url, sizeof url, "%s/api/v1%s", hub->url ? hub->url : "http://hub", path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (!hub->url) {
		snprintf(socket_path, sizeof socket_path, "%s/hub.sock", hub->data);
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	}
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

int hub_request(const struct hub_address *hub, const char *method, const char *path, json_t *body, json_t **ret_answer,
		struct err *err)
{
	CURL *curl = curl_easy_init();
	if (!curl)
		return err_set(err, -ENOMEM, "no memory");
	char authorization[512];
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *headers = curl_slist_append(NULL, "X-Yagura: 1");
	if (text)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	if (hub->token) {
		snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", hub->token);
		headers = curl_slist_append(headers, authorization);
	}
	struct answer answer = {NULL, 0};
	request_prepare(curl, hub, method, path, text, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	CURLcode code = curl_easy_perform(curl);
	int result;
	if (code == CURLE_OK) {
		long status = 0;
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		result = answer_judge(status, &answer, ret_answer, err);
	} else {
		result =
			err_set(err, code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -EIO, "no hub answers at %s%s: %s",
				hub->url ? hub->url : hub->data, hub->url ? "" : "/hub.sock", curl_easy_strerror(code));
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	free(text);
	free(answer.bytes);
	return result;
}
