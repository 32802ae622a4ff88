/* Requests in the front: read, passed to the keeper, answered. See front.c for the whole. */
#include "hub/front_request.h"

#include "core/clock.h"
#include "hub/front_live.h"
#include "sys/child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum request_state {
	REQUEST_READING,
	REQUEST_SENDING, /* to the keeper */
	REQUEST_WAITING, /* for the keeper's answer */
	REQUEST_ANSWERED,
	REQUEST_STREAMING,
	REQUEST_REFUSED, /* with `status` */
};

struct chunk {
	struct chunk *next;
	size_t bytes, offset;
	uint8_t data[];
};

struct request {
	struct front *front;
	struct MHD_Connection *connection;
	enum request_state state;
	bool begun, suspended, last, broken;
	bool counted; /* in front->bodies_bytes: room below */
	uint64_t id;  /* 0: the keeper does not know of it */
	int64_t since_ns;
	uint8_t method;
	char *query, *path;
	uint8_t *body;
	size_t body_bytes, body_room, body_sent;
	bool head_sent;
	unsigned status;
	char *type, *cookie, *disposition, *headers;
	struct chunk *first, **end;
};

/* All answers carry these. Scripts only from here, nothing may frame us, nothing leaks by Referer. */
static const char *const security_headers[][2] = {
	{"Content-Security-Policy",
	 "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
	 "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
	 "frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Frame-Options", "DENY"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
};

static enum MHD_Result response_queue(struct request *request, struct MHD_Response *response, unsigned status)
{
	struct front_shared *own = request->front->setup->own;
	for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
		MHD_add_response_header(response, security_headers[i][0], security_headers[i][1]);
	if (request->front->setup->tls_cert && !request->front->setup->local)
		MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
	enum MHD_Result queued = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	atomic_fetch_add_explicit(&own->answers[status / 100 < 6 ? status / 100 : 5], 1, memory_order_relaxed);
	return queued;
}

static const struct {
	unsigned status;
	const char *code, *message, *message_ja;
} refusals[] = {
	{400, "bad_request", "the request is malformed", "要求の形式が正しくありません"},
	{404, "not_found", "there is nothing at this address", "このアドレスには何もありません"},
	{405, "method_not_allowed", "this method is not served here", "このメソッドは使えません"},
	{408, "too_slow", "the request took too long to arrive", "要求の到着に時間がかかりすぎました"},
	{413, "too_large", "the request is too large", "要求が大きすぎます"},
	{414, "too_long", "the address is too long", "アドレスが長すぎます"},
	{503, "unavailable", "the hub is busy or restarting; try again in a moment",
	 "ハブが混み合っているか再起動中です。少し待ってからもう一度お試しください"},
	{504, "no_answer", "the hub took too long to answer", "ハブの応答に時間がかかりすぎました"},
};

static enum MHD_Result request_refuse(struct request *request, unsigned status)
{
	char text[512];
	size_t i = 0;
	while (i + 1 < sizeof refusals / sizeof *refusals && refusals[i].status != status)
		i++;
	int bytes =
		snprintf(text, sizeof text, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"message_ja\":\"%s\"}}\n",
			 refusals[i].code, refusals[i].message, refusals[i].message_ja);
	struct MHD_Response *response = MHD_create_response_from_buffer((size_t)bytes, text, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	request->state = REQUEST_REFUSED;
	atomic_fetch_add_explicit(&request->front->setup->own->refused, 1, memory_order_relaxed);
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (status == 503)
		MHD_add_response_header(response, "Retry-After", "1");
	return response_queue(request, response, status);
}

void *request_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct front *front = context;
	struct request *request = calloc(1, sizeof *request);
	if (!request)
		return NULL;
	*request = (struct request){.front = front, .connection = connection, .since_ns = clock_monotonic_ns()};
	request->end = &request->first;
	const char *query = strchr(uri, '?');
	if ((query ? (size_t)(query - uri) : strlen(uri)) > LIMIT_PATH_BYTES ||
	    (query && strlen(query) > LIMIT_QUERY_BYTES))
		request->status = 414;
	else
		request->query = strdup(query ? query + 1 : "");
	atomic_fetch_add_explicit(&front->setup->own->requests, 1, memory_order_relaxed);
	return request;
}

static bool path_is_api(const char *path)
{
	return strncmp(path, "/api/", 5) == 0 || strncmp(path, "/taxii2/", 8) == 0 ||
	       strncmp(path, "/feeds/", 7) == 0 || strcmp(path, "/metrics") == 0;
}

static const char *header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* What can be said before the body: 0, or the status it is refused with. */
static unsigned request_check(struct request *request, const char *path, const char *method)
{
	const char *length = header(request, "Content-Length");
	size_t most = strcmp(path, "/api/v1/batches") == 0             ? LIMIT_BATCHES_BODY_BYTES
		      : strcmp(path, "/api/v1/members/import") == 0    ? LIMIT_MEMBERS_BODY_BYTES
		      : strcmp(path, "/api/v1/indicators/import") == 0 ? LIMIT_INDICATORS_BODY_BYTES
		      : strncmp(path, "/taxii2/", 8) == 0              ? LIMIT_TAXII_BODY_BYTES
								       : LIMIT_BODY_BYTES;
	if (request->status)
		return request->status;
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	while (http_method_names[request->method] && strcmp(http_method_names[request->method], method) != 0)
		request->method++;
	if (request->method == HTTP_METHODS || (!path_is_api(path) && request->method != HTTP_GET))
		return 405;
	if (length && strtoull(length, NULL, 10) > most)
		return 413;
	request->body_room = most;
	request->path = strdup(path);
	return request->path && request->query ? 0 : 503;
}

static unsigned body_add(struct request *request, const char *data, size_t bytes)
{
	struct front *front = request->front;
	if (clock_monotonic_ns() - request->since_ns > LIMIT_BODY_S * NS_PER_S)
		return 408;
	if (request->body_bytes + bytes > request->body_room)
		return 413;
	size_t had = request->body_bytes ? (size_t)1 << (64 - __builtin_clzll(request->body_bytes)) : 0;
	size_t want = (size_t)1 << (64 - __builtin_clzll(request->body_bytes + bytes));
	if (front->bodies_bytes + bytes > LIMIT_BODIES_BYTES)
		return 503;
	if (want > had) {
		uint8_t *grown = realloc(request->body, want);
		if (!grown)
			return 503;
		request->body = grown;
	}
	memcpy(request->body + request->body_bytes, data, bytes);
	request->body_bytes += bytes;
	front->bodies_bytes += bytes;
	return 0;
}

static enum MHD_Result static_answer(struct request *request)
{
	static const char missing[] = "<!doctype html><meta charset=utf-8><title>Yagura</title>"
				      "<p>The hub runs; its pages were not found (--web).</p>"
				      "<p lang=ja>ハブは動いていますが、画面のファイルがありません（--web）。</p>\n";
	const struct assets *assets = &request->front->assets;
	bool root = strcmp(request->path, "/") == 0;
	const struct asset *asset = assets_find(assets, root ? "/index.html" : request->path);
	const char *file = strrchr(request->path, '/');
	if (!asset && file && !strchr(file, '.')) /* a page's own address: the pages find their way from it */
		asset = assets_find(assets, "/index.html");
	if (!asset && !root)
		return request_refuse(request, 404);
	if (!asset) {
		struct MHD_Response *response =
			MHD_create_response_from_buffer(sizeof missing - 1, (void *)missing, MHD_RESPMEM_PERSISTENT);
		MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
		return response_queue(request, response, 200);
	}
	const char *encoding = header(request, "Accept-Encoding"), *match = header(request, "If-None-Match");
	bool gzip = asset->gzip && encoding && strstr(encoding, "gzip"), same = match && strstr(match, asset->tag);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		same   ? 0
		: gzip ? asset->gzip_length
		       : asset->length,
		same ? (void *)"" : (void *)(gzip ? asset->gzip : asset->bytes), MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", asset->type);
	MHD_add_response_header(response, "ETag", asset->tag);
	MHD_add_response_header(response, "Cache-Control",
				asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	if (asset->gzip)
		MHD_add_response_header(response, "Vary", "Accept-Encoding");
	if (gzip && !same)
		MHD_add_response_header(response, "Content-Encoding", "gzip");
	return response_queue(request, response, same ? 304 : 200);
}

static void request_suspend(struct request *request)
{
	request->suspended = true;
	MHD_suspend_connection(request->connection);
}

static void request_resume(struct request *request)
{
	if (!request->suspended)
		return;
	request->suspended = false;
	MHD_resume_connection(request->connection);
}

/* Hand the request to the keeper; the connection sleeps until the answer begins. */
static enum MHD_Result request_pass(struct request *request)
{
	struct front *front = request->front;
	const struct hub_process *keeper = &front->setup->shared->processes[PROCESS_KEEPER];
	if (atomic_load(&keeper->state) != CHILD_RUNNING)
		return request_refuse(request, 503);
	for (unsigned i = 0; i < LIMIT_WAITING_REQUESTS; i++) {
		uint64_t id = front->next_id++;
		if (id == 0 || front->slots[id % LIMIT_WAITING_REQUESTS])
			continue;
		front->slots[id % LIMIT_WAITING_REQUESTS] = request;
		request->id = id;
		request->state = REQUEST_SENDING;
		request->since_ns = clock_monotonic_ns();
		front->sending++;
		request_suspend(request);
		return MHD_YES;
	}
	return request_refuse(request, 503);
}

static void request_unlist(struct request *request)
{
	struct front *front = request->front;
	if (request->id == 0)
		return;
	if (request->state == REQUEST_SENDING)
		front->sending--;
	front->slots[request->id % LIMIT_WAITING_REQUESTS] = NULL;
	request->id = 0;
}

static void request_tell(struct request *request, enum message_type type)
{
	const struct message_head head = {.type = (uint16_t)type, .id = request->id};
	(void)!message_send(request->front->setup->request_fd, &head, NULL, 0, 50);
}

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t most)
{
	struct request *request = context;
	struct chunk *chunk = request->first;
	(void)position;
	if (!chunk && request->broken)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!chunk && request->last)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!chunk) {
		request_suspend(request);
		return 0;
	}
	size_t bytes = chunk->bytes - chunk->offset;
	if (bytes > most)
		bytes = most;
	memcpy(out, chunk->data + chunk->offset, bytes);
	chunk->offset += bytes;
	if (chunk->offset == chunk->bytes) {
		request->first = chunk->next;
		if (!request->first)
			request->end = &request->first;
		free(chunk);
		if (!request->last && request->id)
			request_tell(request, MESSAGE_CREDIT);
	}
	return (ssize_t)bytes;
}

static struct MHD_Response *answer_response(struct request *request)
{
	if (request->status == 200 && strcmp(request->type, "text/event-stream") == 0) {
		const char *after = header(request, "Last-Event-ID");
		return live_response(request->front->live, request->connection, after ? strtoull(after, NULL, 10) : 0);
	}
	if (!request->last) {
		request->state = REQUEST_STREAMING;
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, LIMIT_MESSAGE_BYTES, stream_read, request,
							 NULL);
	}
	struct chunk *chunk = request->first;
	if (chunk && chunk->next) { /* arrived whole before anybody asked */
		request->state = REQUEST_STREAMING;
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, LIMIT_MESSAGE_BYTES, stream_read, request,
							 NULL);
	}
	return MHD_create_response_from_buffer(chunk ? chunk->bytes : 0, chunk ? (void *)chunk->data : (void *)"",
					       MHD_RESPMEM_MUST_COPY);
}

/* "Name: value" lines of the keeper's. */
static void headers_add(struct MHD_Response *response, char *lines)
{
	for (char *line = lines, *end; (end = strchr(line, '\n')); line = end + 1) {
		char *colon = memchr(line, ':', (size_t)(end - line));
		if (!colon || colon[1] != ' ')
			continue;
		*colon = *end = '\0';
		MHD_add_response_header(response, line, colon + 2);
		*colon = ':';
		*end = '\n';
	}
}

static enum MHD_Result request_respond(struct request *request)
{
	struct MHD_Response *response = answer_response(request);
	if (!response)
		return request_refuse(request, 503);
	if (request->type[0])
		MHD_add_response_header(response, "Content-Type", request->type);
	headers_add(response, request->headers);
	if (!strstr(request->headers, "Cache-Control:"))
		MHD_add_response_header(response, "Cache-Control", "no-store");
	if (request->cookie[0])
		MHD_add_response_header(response, "Set-Cookie", request->cookie);
	if (request->disposition[0])
		MHD_add_response_header(response, "Content-Disposition", request->disposition);
	if (request->status == 401) /* pages sign in by themselves: a browser is not to ask */
		MHD_add_response_header(response, "WWW-Authenticate",
					strncmp(request->path, "/api/", 5) == 0 ? "Bearer realm=\"yagura\""
										: "Basic realm=\"yagura\"");
	return response_queue(request, response, request->status);
}

enum MHD_Result request_handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *upload, size_t *upload_bytes, void **connection_context)
{
	struct request *request = *connection_context;
	(void)context;
	(void)connection;
	(void)version;
	if (!request)
		return MHD_NO;
	if (!request->begun) {
		request->begun = true;
		unsigned refused = request_check(request, path, method);
		return refused ? request_refuse(request, refused) : MHD_YES;
	}
	if (*upload_bytes > 0) {
		unsigned refused = request->status ? request->status : body_add(request, upload, *upload_bytes);
		request->status =
			refused; /* said once the body is over: a client that is still sending would not hear it */
		*upload_bytes = 0;
		return refused == 408 ? MHD_NO : MHD_YES;
	}
	switch (request->state) {
	case REQUEST_READING:
		if (request->status)
			return request_refuse(request, request->status);
		return path_is_api(request->path) ? request_pass(request) : static_answer(request);
	case REQUEST_ANSWERED:
		return request_respond(request);
	case REQUEST_REFUSED:
		return request_refuse(request, request->status);
	default:
		return MHD_YES;
	}
}

void request_completed(void *context, struct MHD_Connection *connection, void **connection_context,
		       enum MHD_RequestTerminationCode why)
{
	struct request *request = *connection_context;
	(void)context;
	(void)connection;
	(void)why;
	if (!request)
		return;
	if (request->id && !request->last && request->state != REQUEST_SENDING)
		request_tell(request, MESSAGE_CANCEL);
	request_unlist(request);
	request->front->bodies_bytes -= request->body_bytes;
	for (struct chunk *chunk = request->first, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(request->path);
	free(request->query);
	free(request->body);
	free(request->type);
	free(request->cookie);
	free(request->disposition);
	free(request->headers);
	free(request);
	*connection_context = NULL;
}

static void request_fail(struct request *request, unsigned status)
{
	request_unlist(request);
	request->status = status;
	request->broken = true;
	if (request->state != REQUEST_STREAMING)
		request->state = REQUEST_REFUSED;
	request_resume(request);
}

static bool reply_take(struct request *request, const struct message_head *head, void *data, size_t bytes,
		       size_t *ret_used)
{
	const char *texts[REPLY_TEXTS];
	if (request->state != REQUEST_WAITING || head->number < 200 || head->number > 599 ||
	    !texts_take(data, bytes, texts, REPLY_TEXTS, ret_used))
		return false;
	request->status = head->number;
	request->type = strdup(texts[TEXT_REPLY_TYPE]);
	request->cookie = strdup(texts[TEXT_COOKIE]);
	request->disposition = strdup(texts[TEXT_DISPOSITION]);
	request->headers = strdup(texts[TEXT_HEADERS]);
	request->state = REQUEST_ANSWERED;
	return request->type && request->cookie && request->disposition && request->headers;
}

void request_answer(struct front *front, const struct message_head *head, void *data, size_t bytes)
{
	struct request *request = front->slots[head->id % LIMIT_WAITING_REQUESTS];
	size_t used = 0;
	if (!request || request->id != head->id)
		return;
	if (head->type == MESSAGE_REPLY && !reply_take(request, head, data, bytes, &used)) {
		request_fail(request, 503);
		return;
	}
	struct chunk *chunk = bytes > used ? malloc(sizeof *chunk + bytes - used) : NULL;
	if (bytes > used && !chunk) {
		request_fail(request, 503);
		return;
	}
	if (chunk) {
		*chunk = (struct chunk){.bytes = bytes - used};
		memcpy(chunk->data, (uint8_t *)data + used, bytes - used);
		*request->end = chunk;
		request->end = &chunk->next;
	}
	request->since_ns = clock_monotonic_ns();
	if (head->flags & MESSAGE_LAST) {
		request->last = true;
		request_unlist(request);
	}
	request_resume(request);
}

void requests_abandon(struct front *front)
{
	for (unsigned i = 0; i < LIMIT_WAITING_REQUESTS; i++)
		if (front->slots[i])
			request_fail(front->slots[i], 503);
}

void requests_sweep(struct front *front, int64_t now_ns)
{
	const struct hub_process *keeper = &front->setup->shared->processes[PROCESS_KEEPER];
	bool down = atomic_load(&keeper->state) != CHILD_RUNNING;
	for (unsigned i = 0; i < LIMIT_WAITING_REQUESTS; i++) {
		struct request *request = front->slots[i];
		if (!request)
			continue;
		if (down)
			request_fail(request, 503);
		else if (now_ns - request->since_ns > LIMIT_ANSWER_S * NS_PER_S &&
			 request->state != REQUEST_STREAMING) {
			request_tell(request, MESSAGE_CANCEL);
			request_fail(request, 504);
		}
	}
}

static const char *session_cookie(struct request *request)
{
	const char *value = MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, "yagura_session");
	return value && strlen(value) < LIMIT_HEADER_VALUE_BYTES ? value : "";
}

/* A token: after Bearer, or as the password of Basic, which is all that some clients know (RFC 7617). */
static const char *request_token(const struct request *request, char room[LIMIT_HEADER_VALUE_BYTES])
{
	const char *value = header(request, "Authorization");
	size_t bytes = 0;
	if (!value || strlen(value) > LIMIT_HEADER_VALUE_BYTES)
		return "";
	if (strncasecmp(value, "Bearer ", 7) == 0)
		return value + 7;
	if (strncasecmp(value, "Basic ", 6) != 0 ||
	    sodium_base642bin((unsigned char *)room, LIMIT_HEADER_VALUE_BYTES - 1, value + 6, strlen(value + 6), NULL,
			      &bytes, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return "";
	room[bytes] = '\0';
	const char *colon = strchr(room, ':');
	return colon ? colon + 1 : "";
}

/* A header that is passed on; one that is longer than any that is meant is as good as none. */
static const char *request_header(const struct request *request, const char *name)
{
	const char *value = header(request, name);
	return value && strlen(value) < LIMIT_HEADER_VALUE_BYTES ? value : "";
}

static const char *peer_text(struct request *request, struct request_fixed *fixed, char text[INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info;
	text[0] = '\0';
	if (request->front->setup->local) {
		struct ucred peer;
		socklen_t bytes = sizeof peer;
		info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0) {
			fixed->local = 1;
			fixed->uid = peer.uid;
		}
		return "local";
	}
	info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!info || !info->client_addr)
		return text;
	if (info->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)info->client_addr)->sin_addr, text, INET6_ADDRSTRLEN);
	else if (info->client_addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)info->client_addr)->sin6_addr, text,
			  INET6_ADDRSTRLEN);
	return text;
}

/* The next message of a request on its way to the keeper: 1 sent and more to come, 0 all sent, negative: not taken. */
static int request_send(struct request *request)
{
	struct front *front = request->front;
	size_t left = request->body_bytes - request->body_sent, used = 0;
	struct message_head head = {.id = request->id, .number = (uint32_t)request->body_bytes};
	const void *data = front->buffer;
	if (!request->head_sent) {
		char peer[INET6_ADDRSTRLEN], token[LIMIT_HEADER_VALUE_BYTES];
		struct request_fixed fixed = {.method = request->method,
					      .csrf = header(request, "X-Yagura") != NULL,
					      .secure = front->setup->tls_cert != NULL};
		const char *texts[REQUEST_TEXTS] = {
			[TEXT_PATH] = request->path,
			[TEXT_QUERY] = request->query,
			[TEXT_SESSION] = session_cookie(request),
			[TEXT_TOKEN] = request_token(request, token),
			[TEXT_TYPE] = request_header(request, "Content-Type"),
			[TEXT_ACCEPT] = request_header(request, "Accept"),
			[TEXT_MATCH] = request_header(request, "If-None-Match"),
			[TEXT_PEER] = peer_text(request, &fixed, peer),
		};
		memcpy(front->buffer, &fixed, sizeof fixed);
		used = sizeof fixed;
		if (texts_put(front->buffer, LIMIT_MESSAGE_BYTES, &used, texts, REQUEST_TEXTS) < 0)
			return -EMSGSIZE;
		head.type = MESSAGE_REQUEST;
		head.flags = left == 0 ? MESSAGE_LAST : 0;
	} else {
		used = left < LIMIT_MESSAGE_BYTES ? left : LIMIT_MESSAGE_BYTES;
		data = request->body + request->body_sent;
		head.type = MESSAGE_BODY;
		head.flags = used == left ? MESSAGE_LAST : 0;
	}
	int result = message_send(front->setup->request_fd, &head, data, used, 0);
	if (result < 0)
		return result;
	if (request->head_sent)
		request->body_sent += used;
	request->head_sent = true;
	return head.flags & MESSAGE_LAST ? 0 : 1;
}

void requests_send(struct front *front)
{
	for (unsigned i = 0; i < LIMIT_WAITING_REQUESTS && front->sending; i++) {
		struct request *request = front->slots[i];
		if (!request || request->state != REQUEST_SENDING)
			continue;
		int result;
		while ((result = request_send(request)) == 1)
			;
		if (result == -EAGAIN)
			return;
		if (result < 0) {
			request_fail(request, 503);
			continue;
		}
		request->state = REQUEST_WAITING;
		front->sending--;
	}
}
