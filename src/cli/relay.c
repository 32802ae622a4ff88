/* A ring of batches between two threads. See relay.h. */
#include "cli/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 8 };

struct relay {
	struct sink sink;
	struct sink *next;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct batch *waiting[WAITING_MAX]; /* what a place holds is used again when the next is of its kind and size */
	unsigned first, count;              /* the first stays until `next` has taken it */
	bool ends;
	int code; /* of the first refusal not told yet */
	struct err refusal;
};

static void *relay_run(void *opaque)
{
	struct relay *relay = opaque;
	pthread_mutex_lock(&relay->lock);
	while (!relay->ends) {
		if (relay->count == 0) {
			pthread_cond_wait(&relay->changed, &relay->lock);
			continue;
		}
		struct batch *batch = relay->waiting[relay->first];
		pthread_mutex_unlock(&relay->lock);
		struct err err = {""};
		int code = relay->next->put(relay->next, batch, &err);
		pthread_mutex_lock(&relay->lock);
		relay->first = (relay->first + 1) % WAITING_MAX;
		relay->count--;
		if (code < 0 && relay->code == 0) {
			relay->code = code;
			relay->refusal = err;
		}
		pthread_cond_broadcast(&relay->changed);
	}
	pthread_mutex_unlock(&relay->lock);
	return NULL;
}

/* With the lock held. */
static int refusal_tell(struct relay *relay, struct err *err)
{
	int code = relay->code;
	relay->code = 0;
	if (code < 0 && err)
		*err = relay->refusal;
	return code;
}

static int place_fill(struct batch **place, const struct batch *batch)
{
	if (!*place || (*place)->kind != batch->kind || (*place)->capacity < batch->rows) {
		batch_free(*place);
		*place = batch_new(batch->kind, batch->capacity);
	}
	return *place ? batch_copy(batch, *place) : -ENOMEM;
}

static int relay_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	struct relay *relay = (struct relay *)sink;
	pthread_mutex_lock(&relay->lock);
	while (relay->count == WAITING_MAX)
		pthread_cond_wait(&relay->changed, &relay->lock);
	struct batch **place = &relay->waiting[(relay->first + relay->count) % WAITING_MAX];
	pthread_mutex_unlock(&relay->lock); /* the place is nobody else's until it is counted */
	int filled = place_fill(place, batch);
	pthread_mutex_lock(&relay->lock);
	relay->count += filled == 0;
	int code = refusal_tell(relay, err);
	pthread_cond_broadcast(&relay->changed);
	pthread_mutex_unlock(&relay->lock);
	return filled < 0 ? err_set(err, filled, "no memory for a batch of %u rows", batch->rows) : code;
}

int relay_new(struct sink *next, struct relay **ret_relay, struct err *err)
{
	struct relay *relay = calloc(1, sizeof *relay);
	if (!relay)
		return err_set(err, -ENOMEM, "no memory");
	relay->sink.put = relay_put;
	relay->next = next;
	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->changed, NULL);
	int failed = pthread_create(&relay->thread, NULL, relay_run, relay);
	if (failed) {
		free(relay);
		return err_set(err, -failed, "no thread for the detectors: %s", strerror(failed));
	}
	*ret_relay = relay;
	return 0;
}

struct sink *relay_sink(struct relay *relay)
{
	return &relay->sink;
}

int relay_drain(struct relay *relay, struct err *err)
{
	pthread_mutex_lock(&relay->lock);
	while (relay->count > 0)
		pthread_cond_wait(&relay->changed, &relay->lock);
	int code = refusal_tell(relay, err);
	pthread_mutex_unlock(&relay->lock);
	return code;
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	pthread_mutex_lock(&relay->lock);
	relay->ends = true;
	pthread_cond_broadcast(&relay->changed);
	pthread_mutex_unlock(&relay->lock);
	pthread_join(relay->thread, NULL);
	for (unsigned i = 0; i < WAITING_MAX; i++)
		batch_free(relay->waiting[i]);
	pthread_cond_destroy(&relay->changed);
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}
