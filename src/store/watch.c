/* Queries that run, and the thread that ends those which take too long. */
#include "store/state.h"

#include "core/clock.h"

#include <errno.h>
#include <time.h>

enum { WATCH_MS = 50 };

int running_begin(struct store *store, struct running *running, struct err *err)
{
	int code = store_hold(store, err);
	if (code < 0)
		return code;
	*running = (struct running){.deadline_ns = clock_monotonic_ns() + store->options.query_timeout_ns};
	if (duckdb_connect(store->engine.database, &running->connection) != DuckDBSuccess) {
		store_release(store);
		return err_set(err, -EAGAIN, "observations: no further connection");
	}
	pthread_mutex_lock(&store->running_lock);
	running->next = store->running;
	store->running = running;
	pthread_mutex_unlock(&store->running_lock);
	return 0;
}

int running_end(struct store *store, struct running *running)
{
	pthread_mutex_lock(&store->running_lock);
	for (struct running **at = &store->running; *at; at = &(*at)->next)
		if (*at == running) {
			*at = running->next;
			break;
		}
	int why = running->why;
	pthread_mutex_unlock(&store->running_lock);
	duckdb_disconnect(&running->connection);
	store_release(store);
	return why;
}

int running_check(struct running *running)
{
	int none = 0;
	if (clock_monotonic_ns() > running->deadline_ns)
		atomic_compare_exchange_strong(&running->why, &none, -ETIME);
	return running->why;
}

static void end_late(struct store *store)
{
	for (struct running *at = store->running; at; at = at->next) {
		if (running_check(at))
			duckdb_interrupt(at->connection); /* again: the one before may have fallen between two steps */
	}
}

static void *watch(void *argument)
{
	struct store *store = argument;
	pthread_mutex_lock(&store->running_lock);
	while (!store->closing) {
		end_late(store);
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WATCH_MS * NS_PER_MS;
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
		pthread_cond_timedwait(&store->running_change, &store->running_lock, &until);
	}
	pthread_mutex_unlock(&store->running_lock);
	return NULL;
}

int running_start(struct store *store, struct err *err)
{
	int code = pthread_create(&store->watch, NULL, watch, store);
	store->watching = code == 0;
	return code == 0 ? 0 : err_set(err, -code, "no thread to watch queries");
}

void running_stop(struct store *store)
{
	if (!store->watching)
		return;
	pthread_mutex_lock(&store->running_lock);
	store->closing = true;
	pthread_cond_signal(&store->running_change);
	pthread_mutex_unlock(&store->running_lock);
	pthread_join(store->watch, NULL);
	store->watching = false;
}

void store_interrupt(struct store *store)
{
	pthread_mutex_lock(&store->running_lock);
	for (struct running *at = store->running; at; at = at->next) {
		int none = 0;
		atomic_compare_exchange_strong(&at->why, &none, -ECANCELED);
		duckdb_interrupt(at->connection);
	}
	pthread_mutex_unlock(&store->running_lock);
}
