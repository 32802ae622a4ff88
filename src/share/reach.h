/* Which addresses a webhook may reach: none of this machine, none of networks that are not of the Internet at large
 * (IANA's special-purpose registries), none that the operator refuses; except what the operator allows. */
#pragma once

#include "core/addr.h"
#include "core/err.h"
#include "core/option.h"

#include <stdbool.h>
#include <sys/socket.h>

struct reach;

/* Lists are borrowed. The machine's own addresses are those of now. */
int reach_new(const struct prefix_list *allow, const struct prefix_list *refuse, struct reach **ret_reach,
	      struct err *err) must_check;
void reach_free(struct reach *reach);
bool reach_allows(const struct reach *reach, const struct sockaddr *address);
