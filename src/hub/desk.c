/* The desk: requests in, answers out. See message.h for the messages and front.c for the other side.
 *
 * A call belongs to the desk's thread while its body arrives, then to one worker. Both sides of that and the credits
 * are under one lock, which nobody holds while sending.
 */
#include "hub/desk.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct desk {
	struct keeper *keeper;
	pthread_t reader, workers[LIMIT_WORKERS];
	unsigned threads;
	int wake_fd;
	pthread_mutex_t lock;
	pthread_cond_t work, credit;
	struct api_call *active;             /* all calls, by `next_active` */
	struct api_call *queue, **queue_end; /* whole ones that wait for a worker, by `next` */
	unsigned queued, downloads;
	size_t bodies_bytes;
	_Atomic bool closing;
	uint8_t *buffer; /* the reader's */
};

static void call_free(struct desk *desk, struct api_call *call)
{
	pthread_mutex_lock(&desk->lock);
	struct api_call **link = &desk->active;
	while (*link && *link != call)
		link = &(*link)->next_active;
	if (*link)
		*link = call->next_active;
	desk->bodies_bytes -= call->body_wanted;
	pthread_mutex_unlock(&desk->lock);
	free(call->room);
	free(call->out);
	free(call);
}

/* Under the lock. Only the reader frees calls that are not whole: such a one stays when the lock is given back. */
static struct api_call *call_find(struct desk *desk, unsigned door, uint64_t id)
{
	struct api_call *call = desk->active;
	while (call && (call->door != door || call->id != id))
		call = call->next_active;
	return call;
}

static void call_queue(struct desk *desk, struct api_call *call)
{
	call->body = call->room + (call->room_bytes - call->body_wanted);
	call->body_bytes = call->body_wanted;
	pthread_mutex_lock(&desk->lock);
	call->whole = true;
	call->next = NULL;
	*desk->queue_end = call;
	desk->queue_end = &call->next;
	desk->queued++;
	pthread_cond_signal(&desk->work);
	pthread_mutex_unlock(&desk->lock);
}

static bool desk_has_room(struct desk *desk, size_t body)
{
	pthread_mutex_lock(&desk->lock);
	bool room = desk->queued < LIMIT_CALLS_QUEUED && desk->bodies_bytes + body <= LIMIT_BODIES_BYTES;
	pthread_mutex_unlock(&desk->lock);
	return room;
}

static void call_begin(struct desk *desk, unsigned door, const struct message_head *head, uint8_t *data, size_t bytes)
{
	const char *texts[REQUEST_TEXTS];
	size_t used = 0;
	struct request_fixed fixed;
	if (bytes < sizeof fixed)
		return;
	memcpy(&fixed, data, sizeof fixed);
	size_t body = head->number, texts_bytes = bytes - sizeof fixed;
	struct api_call *call = calloc(1, sizeof *call);
	uint8_t *room = malloc(texts_bytes + body + 1);
	bool right = call && room && body <= LIMIT_BATCHES_BODY_BYTES && fixed.method < HTTP_METHODS &&
		     desk_has_room(desk, body);
	if (right)
		memcpy(room, data + sizeof fixed, texts_bytes);
	right = right && texts_take(room, texts_bytes, texts, REQUEST_TEXTS, &used);
	if (!right) {
		const struct message_head refused = {
			.type = MESSAGE_REPLY, .flags = MESSAGE_LAST, .number = 503, .id = head->id};
		uint8_t empty[3 * REPLY_TEXTS] = {0};
		(void)!message_send(desk->keeper->setup->request_fds[door], &refused, empty, sizeof empty, 100);
		free(call);
		free(room);
		return;
	}
	*call = (struct api_call){.keeper = desk->keeper,
				  .desk = desk,
				  .fixed = fixed,
				  .id = head->id,
				  .door = door,
				  .fd = desk->keeper->setup->request_fds[door],
				  .credits = LIMIT_CREDITS,
				  .room = room,
				  .room_bytes = texts_bytes + body,
				  .body_wanted = body,
				  .path = texts[TEXT_PATH],
				  .query = texts[TEXT_QUERY],
				  .session = texts[TEXT_SESSION],
				  .token = texts[TEXT_TOKEN],
				  .type = texts[TEXT_TYPE],
				  .peer = texts[TEXT_PEER],
				  .accept = texts[TEXT_ACCEPT],
				  .match = texts[TEXT_MATCH]};
	call->fixed.local = door == 1 && fixed.local; /* only the local door may speak of users of this machine */
	pthread_mutex_lock(&desk->lock);
	call->next_active = desk->active;
	desk->active = call;
	desk->bodies_bytes += body;
	pthread_mutex_unlock(&desk->lock);
	if (head->flags & MESSAGE_LAST)
		call_queue(desk, call);
}

static void call_body(struct desk *desk, unsigned door, const struct message_head *head, const uint8_t *data,
		      size_t bytes)
{
	pthread_mutex_lock(&desk->lock);
	struct api_call *call = call_find(desk, door, head->id);
	bool reading = call && !call->whole;
	pthread_mutex_unlock(&desk->lock);
	if (!reading || bytes > call->body_wanted - call->body_bytes)
		return;
	memcpy(call->room + (call->room_bytes - call->body_wanted) + call->body_bytes, data, bytes);
	call->body_bytes += bytes;
	if (call->body_bytes == call->body_wanted)
		call_queue(desk, call);
}

/* id 0: every call of the door. */
static void calls_cancel(struct desk *desk, unsigned door, uint64_t id)
{
	pthread_mutex_lock(&desk->lock);
	for (struct api_call *call = desk->active, *next; call; call = next) {
		next = call->next_active;
		if (call->door != door || (id && call->id != id))
			continue;
		call->cancelled = true;
		if (!call->whole) {
			pthread_mutex_unlock(&desk->lock);
			call_free(desk, call);
			pthread_mutex_lock(&desk->lock);
			next = desk->active; /* the list may have changed */
		}
	}
	pthread_cond_broadcast(&desk->credit);
	pthread_mutex_unlock(&desk->lock);
}

static void call_credit(struct desk *desk, unsigned door, uint64_t id)
{
	pthread_mutex_lock(&desk->lock);
	struct api_call *call = call_find(desk, door, id);
	if (call && call->credits < LIMIT_CREDITS) {
		call->credits++;
		pthread_cond_broadcast(&desk->credit);
	}
	pthread_mutex_unlock(&desk->lock);
}

static void message_handle(struct desk *desk, unsigned door, const struct message_head *head, size_t bytes)
{
	switch (head->type) {
	case MESSAGE_HELLO:
		calls_cancel(desk, door, 0);
		if (door == 0)
			keeper_live_hello(desk->keeper);
		break;
	case MESSAGE_REQUEST:
		call_begin(desk, door, head, desk->buffer, bytes);
		break;
	case MESSAGE_BODY:
		call_body(desk, door, head, desk->buffer, bytes);
		break;
	case MESSAGE_CREDIT:
		call_credit(desk, door, head->id);
		break;
	case MESSAGE_CANCEL:
		if (head->id)
			calls_cancel(desk, door, head->id);
		break;
	}
}

static void *reader_main(void *context)
{
	struct desk *desk = context;
	const struct keeper_setup *setup = desk->keeper->setup;
	pthread_setname_np(pthread_self(), "desk");
	while (!desk->closing) {
		struct pollfd fds[] = {{.fd = setup->request_fds[0], .events = POLLIN},
				       {.fd = setup->request_fds[1], .events = POLLIN},
				       {.fd = desk->wake_fd, .events = POLLIN}};
		(void)poll(fds, 3, 1000);
		for (unsigned door = 0; door < 2; door++) {
			struct message_head head;
			size_t bytes;
			for (unsigned i = 0;
			     i < 64 && message_receive(setup->request_fds[door], &head, desk->buffer, &bytes) == 1; i++)
				message_handle(desk, door, &head, bytes);
		}
	}
	return NULL;
}

static void *worker_main(void *context)
{
	struct desk *desk = context;
	pthread_setname_np(pthread_self(), "worker");
	for (;;) {
		pthread_mutex_lock(&desk->lock);
		while (!desk->queue && !desk->closing)
			pthread_cond_wait(&desk->work, &desk->lock);
		struct api_call *call = desk->queue;
		if (!call) {
			pthread_mutex_unlock(&desk->lock);
			return NULL;
		}
		desk->queue = call->next;
		if (!desk->queue)
			desk->queue_end = &desk->queue;
		desk->queued--;
		bool cancelled = call->cancelled;
		pthread_mutex_unlock(&desk->lock);
		if (!cancelled)
			api_dispatch(call);
		call_free(desk, call);
	}
}

int desk_open(struct keeper *keeper, struct desk **ret_desk, struct err *err)
{
	struct desk *desk = calloc(1, sizeof *desk);
	if (!desk || !(desk->buffer = malloc(LIMIT_MESSAGE_BYTES))) {
		free(desk);
		return err_set(err, -ENOMEM, "no memory for the desk");
	}
	desk->keeper = keeper;
	desk->queue_end = &desk->queue;
	desk->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&desk->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&desk->work, &attributes);
	pthread_cond_init(&desk->credit, &attributes);
	*ret_desk = desk;
	int result = pthread_create(&desk->reader, NULL, reader_main, desk);
	while (result == 0 && desk->threads < LIMIT_WORKERS) {
		result = pthread_create(&desk->workers[desk->threads], NULL, worker_main, desk);
		desk->threads += result == 0;
	}
	return result == 0 ? 0 : err_set(err, -result, "the desk's threads cannot be started: %s", strerror(result));
}

void desk_close(struct desk *desk)
{
	if (!desk)
		return;
	pthread_mutex_lock(&desk->lock);
	desk->closing = true;
	for (struct api_call *call = desk->active; call; call = call->next_active)
		call->cancelled = true;
	pthread_cond_broadcast(&desk->work);
	pthread_cond_broadcast(&desk->credit);
	pthread_mutex_unlock(&desk->lock);
	uint64_t one = 1;
	(void)!write(desk->wake_fd, &one, sizeof one);
	pthread_join(desk->reader, NULL);
	for (unsigned i = 0; i < desk->threads; i++)
		pthread_join(desk->workers[i], NULL);
	while (desk->active)
		call_free(desk, desk->active);
	close(desk->wake_fd);
	free(desk->buffer);
	free(desk);
}

/* A message of an answer goes out; all but the last need credit. */
static int answer_send(struct api_call *call, const struct message_head *head, const void *data, size_t bytes)
{
	struct desk *desk = call->desk;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_STALL_S;
	pthread_mutex_lock(&desk->lock);
	bool last = head->flags & MESSAGE_LAST;
	while (!last && call->credits == 0 && !call->cancelled)
		if (pthread_cond_timedwait(&desk->credit, &desk->lock, &until) != 0)
			break;
	bool allowed = !call->cancelled && (last || call->credits > 0);
	if (allowed && !last)
		call->credits--;
	pthread_mutex_unlock(&desk->lock);
	if (!allowed)
		return -ECANCELED;
	int result = message_send(call->fd, head, data, bytes, LIMIT_STALL_S * 1000);
	return result < 0 ? -ECANCELED : 0;
}

static int out_send(struct api_call *call, bool last)
{
	const struct message_head head = {.type = call->replied ? MESSAGE_DATA : MESSAGE_REPLY,
					  .flags = last ? MESSAGE_LAST : 0,
					  .number = call->status,
					  .id = call->id};
	int result = answer_send(call, &head, call->out, call->out_bytes);
	call->replied = true;
	call->closed = last || result < 0;
	call->out_bytes = 0;
	return result;
}

int api_begin(struct api_call *call, unsigned status, const char *type, const char *disposition)
{
	const char *texts[REPLY_TEXTS] = {[TEXT_REPLY_TYPE] = type,
					  [TEXT_COOKIE] = call->cookie,
					  [TEXT_DISPOSITION] = disposition,
					  [TEXT_HEADERS] = call->headers};
	if (call->status)
		return -EALREADY;
	call->out = malloc(LIMIT_MESSAGE_BYTES);
	if (!call->out)
		return -ENOMEM;
	call->status = status;
	return texts_put(call->out, LIMIT_MESSAGE_BYTES, &call->out_bytes, texts, REPLY_TEXTS);
}

int api_add(struct api_call *call, const void *data, size_t bytes)
{
	for (const uint8_t *at = data; bytes > 0;) {
		size_t part = LIMIT_MESSAGE_BYTES - call->out_bytes;
		if (part == 0) {
			int result = out_send(call, false);
			if (result < 0)
				return result;
			continue;
		}
		if (part > bytes)
			part = bytes;
		memcpy(call->out + call->out_bytes, at, part);
		call->out_bytes += part;
		at += part;
		bytes -= part;
	}
	return call->closed ? -ECANCELED : 0;
}

int api_end(struct api_call *call)
{
	return call->closed ? -ECANCELED : out_send(call, true);
}

bool api_download_begin(struct api_call *call)
{
	pthread_mutex_lock(&call->desk->lock);
	bool room = call->desk->downloads < LIMIT_DOWNLOADS;
	call->desk->downloads += room;
	pthread_mutex_unlock(&call->desk->lock);
	return room;
}

void api_download_end(struct api_call *call)
{
	pthread_mutex_lock(&call->desk->lock);
	call->desk->downloads--;
	pthread_mutex_unlock(&call->desk->lock);
}
