/* The live stream's fan-out: one copy of each event for all who look, a bounded number of them kept. A slow client
 * skips frames and goes on with the newest; findings are kept longer, so that they reach even a slow client, or one
 * that comes back with Last-Event-ID.
 */
#pragma once

#include "hub/message.h"
#include "hub/shared.h"

#include <microhttpd.h>

struct live;

struct live *live_new(struct front_shared *own);
/* An event from the keeper; `number` grows from event to event, over restarts too. */
void live_event(struct live *live, enum live_event event, uint64_t number, const char *json, size_t bytes);
/* Keep connections alive while the keeper is silent. */
void live_tick(struct live *live);
/* A response that streams; NULL: too many clients or out of memory. `after` is Last-Event-ID, 0 none. */
struct MHD_Response *live_response(struct live *live, struct MHD_Connection *connection, uint64_t after);
