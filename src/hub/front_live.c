/* Server-sent events (WHATWG HTML, section 9.2) out of a bounded store of events. See front_live.h. */
#include "hub/front_live.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_FRAMES_KEPT = 16, LIVE_FINDINGS_KEPT = 256, LIVE_BLOCK_BYTES = 32 << 10, LIVE_SILENCE_S = 5 };

struct live_text {
	unsigned holders;
	size_t bytes;
	uint64_t number;
	char text[];
};

struct live_series {
	struct live_text **items; /* event i at i % kept */
	uint64_t begun, kept;     /* how many there were; how many are kept */
};

struct live_client {
	struct live *live;
	struct live_client *next, **link;
	struct MHD_Connection *connection;
	struct live_text *current;
	size_t offset;
	uint64_t frame, finding; /* next of each series */
	bool greeted, suspended;
};

struct live {
	struct front_shared *own;
	struct live_client *clients;
	struct live_text *hello, *silence;
	struct live_text *frames[LIVE_FRAMES_KEPT], *findings[LIVE_FINDINGS_KEPT];
	struct live_series frame, finding;
	int64_t last_ns;
	uint64_t silences;
};

static struct live_text *text_new(const char *event, uint64_t number, const char *json, size_t bytes)
{
	char head[96];
	int length = snprintf(head, sizeof head, "id: %llu\nevent: %s\ndata: ", (unsigned long long)number, event);
	struct live_text *text = malloc(sizeof *text + (size_t)length + bytes + 2);
	if (!text)
		return NULL;
	*text = (struct live_text){.holders = 1, .bytes = (size_t)length + bytes + 2, .number = number};
	memcpy(text->text, head, (size_t)length);
	memcpy(text->text + length, json, bytes);
	for (char *at = text->text + length; at < text->text + length + bytes; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	memcpy(text->text + length + bytes, "\n\n", 2);
	return text;
}

static void text_drop(struct live_text *text)
{
	if (text && --text->holders == 0)
		free(text);
}

static struct live_text *text_hold(struct live_text *text)
{
	if (text)
		text->holders++;
	return text;
}

struct live *live_new(struct front_shared *own)
{
	static const char comment[] = ": quiet\n\n";
	struct live *live = calloc(1, sizeof *live);
	struct live_text *silence = malloc(sizeof *silence + sizeof comment);
	if (!live || !silence) {
		free(live);
		free(silence);
		return NULL;
	}
	*silence = (struct live_text){.holders = 1, .bytes = sizeof comment - 1};
	memcpy(silence->text, comment, sizeof comment);
	live->own = own;
	live->silence = silence;
	live->frame = (struct live_series){.items = live->frames, .kept = LIVE_FRAMES_KEPT};
	live->finding = (struct live_series){.items = live->findings, .kept = LIVE_FINDINGS_KEPT};
	live->last_ns = clock_monotonic_ns();
	return live;
}

static void clients_wake(struct live *live)
{
	for (struct live_client *client = live->clients; client; client = client->next)
		if (client->suspended) {
			client->suspended = false;
			MHD_resume_connection(client->connection);
		}
}

void live_event(struct live *live, enum live_event event, uint64_t number, const char *json, size_t bytes)
{
	static const char *const names[] = {"hello", "frame", "finding"};
	if (event >= LIVE_EVENTS || (event == LIVE_FRAME && !live->clients))
		return;
	struct live_text *text = text_new(names[event], number, json, bytes);
	if (!text)
		return;
	live->last_ns = clock_monotonic_ns();
	atomic_fetch_add_explicit(&live->own->live_events, 1, memory_order_relaxed);
	if (event == LIVE_HELLO) {
		text_drop(live->hello);
		live->hello = text;
		return;
	}
	struct live_series *series = event == LIVE_FRAME ? &live->frame : &live->finding;
	struct live_text **place = &series->items[series->begun++ % series->kept];
	text_drop(*place);
	*place = text;
	clients_wake(live);
}

void live_tick(struct live *live)
{
	int64_t now = clock_monotonic_ns();
	if (now - live->last_ns < LIVE_SILENCE_S * NS_PER_S)
		return;
	live->last_ns = now;
	live->silences++;
	for (struct live_client *client = live->clients; client; client = client->next)
		if (client->greeted && !client->current)
			client->current = text_hold(live->silence);
	clients_wake(live);
}

static struct live_text *series_next(struct live_series *series, uint64_t *next, uint64_t most_behind,
				     _Atomic uint64_t *skipped)
{
	if (*next == series->begun)
		return NULL;
	if (series->begun - *next > most_behind) {
		atomic_fetch_add_explicit(skipped, series->begun - *next - 1, memory_order_relaxed);
		*next = series->begun - 1;
	}
	return text_hold(series->items[(*next)++ % series->kept]);
}

static struct live_text *client_next(struct live_client *client)
{
	struct live *live = client->live;
	if (!client->greeted && live->hello) {
		client->greeted = true;
		return text_hold(live->hello);
	}
	if (!client->greeted)
		return NULL;
	struct live_text *text =
		series_next(&live->finding, &client->finding, LIVE_FINDINGS_KEPT, &live->own->live_skipped);
	/* Half a second behind is the most a picture may be. */
	return text ? text : series_next(&live->frame, &client->frame, 5, &live->own->live_skipped);
}

static ssize_t client_read(void *context, uint64_t position, char *out, size_t most)
{
	struct live_client *client = context;
	size_t used = 0;
	(void)position;
	while (used < most) {
		if (!client->current) {
			client->current = client_next(client);
			client->offset = 0;
		}
		if (!client->current)
			break;
		size_t bytes = client->current->bytes - client->offset;
		if (bytes > most - used)
			bytes = most - used;
		memcpy(out + used, client->current->text + client->offset, bytes);
		used += bytes;
		client->offset += bytes;
		if (client->offset == client->current->bytes) {
			text_drop(client->current);
			client->current = NULL;
			client->offset = 0;
		}
	}
	if (used == 0) {
		client->suspended = true;
		MHD_suspend_connection(client->connection);
	}
	return (ssize_t)used;
}

static void client_free(void *context)
{
	struct live_client *client = context;
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	atomic_fetch_sub(&client->live->own->live_clients, 1);
	text_drop(client->current);
	free(client);
}

/* The finding after the one that a returning client saw last. */
static uint64_t finding_after(const struct live *live, uint64_t after)
{
	const struct live_series *series = &live->finding;
	uint64_t i = series->begun;
	while (after && i > 0 && series->begun - i < series->kept &&
	       series->items[(i - 1) % series->kept]->number > after)
		i--;
	return i;
}

struct MHD_Response *live_response(struct live *live, struct MHD_Connection *connection, uint64_t after)
{
	struct live_client *client =
		atomic_load(&live->own->live_clients) < LIMIT_LIVE_CLIENTS ? calloc(1, sizeof *client) : NULL;
	if (!client)
		return NULL;
	*client = (struct live_client){.live = live,
				       .connection = connection,
				       .frame = live->frame.begun,
				       .finding = finding_after(live, after)};
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, LIVE_BLOCK_BYTES, client_read, client, client_free);
	if (!response) {
		free(client);
		return NULL;
	}
	client->next = live->clients;
	client->link = &live->clients;
	if (client->next)
		client->next->link = &client->next;
	live->clients = client;
	atomic_fetch_add(&live->own->live_clients, 1);
	return response;
}
