/* A sink in a thread of its own, so that what follows works on one core while the telescope works on another. */
#pragma once

#include "record/batch.h"

struct relay;

/* Batches put into relay_sink() arrive at `next`, in their order, in another thread; `next` is borrowed. A batch that
 * `next` refuses is lost; its answer and sentence come from the put or drain that follows. */
int relay_new(struct sink *next, struct relay **ret_relay, struct err *err) must_check;
struct sink *relay_sink(struct relay *relay);
/* Wait until all that was put has arrived: the caller may then look at what `next` made, until it puts again. */
int relay_drain(struct relay *relay, struct err *err) must_check;
void relay_free(struct relay *relay); /* what waits is dropped; NULL is fine */
