/* See endpoint.h. */
#include "sys/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int endpoint_parse(const char *text, struct sockaddr_in6 *ret_address, struct err *err)
{
	char host[INET6_ADDRSTRLEN + 2], *end;
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	if (!colon || end == colon + 1 || *end || port > 65535 || length >= sizeof host)
		return err_set(err, -EINVAL, "'%.64s' was given, ADDR:PORT or [ADDR]:PORT was expected", text);
	memcpy(host, text, length);
	host[length] = '\0';
	bool bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
	if (bracketed) {
		memmove(host, host + 1, length - 2);
		host[length - 2] = '\0';
	}
	const char *name = host[0] == '\0' || strcmp(host, "*") == 0      ? "::"
			   : !bracketed && strcmp(host, "localhost") == 0 ? "127.0.0.1"
									  : host;
	struct in_addr v4;
	*ret_address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, name, &v4) == 1) {
		struct sockaddr_in *address = (struct sockaddr_in *)ret_address;
		*address =
			(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = v4};
		return 0;
	}
	if (inet_pton(AF_INET6, name, &ret_address->sin6_addr) == 1)
		return 0;
	return err_set(err, -EINVAL, "'%.64s' is not an address; a name cannot be listened on", host);
}
