/* An address and a port as people write them. */
#pragma once

#include "core/err.h"

#include <netinet/in.h>

/* "ADDR:PORT", "[ADDR]:PORT"; "*" and nothing are every address, "localhost" is 127.0.0.1, other names are refused. Of
 * IPv4 the result is a struct sockaddr_in: look at sin6_family. -EINVAL with what was given. */
int endpoint_parse(const char *text, struct sockaddr_in6 *ret_address, struct err *err) must_check;
