/* The data directory of commands that ask the store: through the hub that runs on it, or opened here. */
#pragma once

#include "cli/commands.h"
#include "cli/hub_client.h"
#include "store/store.h"

struct hub_address data_hub(const struct data_options *options);

/* With default options. -EBUSY: a hub has it. */
int data_store_open(const char *dir, struct pool *pool, struct store **ret_store, struct err *err) must_check;
