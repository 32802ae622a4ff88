/* The darknet: which destination addresses are watched. Look-ups cost one or two cache lines however many prefixes. */
#pragma once

#include "core/option.h"

#include <stdbool.h>
#include <stdint.h>

struct darknet;

/* `include` less `exclude`. Prefixes may overlap. Memory from pool: 64 KiB, and 8 KiB for each /16 that is watched in
 * part. -EINVAL when nothing is left to watch; -ENOMEM. */
int darknet_new(const struct prefix_list *include, const struct prefix_list *exclude, struct pool *pool,
		struct darknet **ret_darknet, struct err *err) must_check;

bool darknet_has_v4(const struct darknet *darknet, uint32_t host_order);
bool darknet_has_v6(const struct darknet *darknet, const uint8_t address[16]);
uint64_t darknet_v4_addresses(const struct darknet *darknet); /* watched, overlaps once */
