/* Datagrams arrive whole, with their senders; all of one sender come by one socket; what found no room is counted. */
#include "sys/endpoint.h"
#include "sys/udp.h"

#include "../check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS = 4, SENDERS = 40, PORTS = 3, BUFFER_BYTES = 1 << 20 };

static void send_from(uint32_t source, unsigned port, const void *data, size_t bytes)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(sendto(fd, data, bytes, 0, (struct sockaddr *)&to, sizeof to), bytes);
	close(fd);
}

static void fds_close(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

static void check_spread(const char *where)
{
	int fds[SOCKETS], by[SENDERS];
	unsigned seen = 0, used = 0;
	struct udp_burst *burst = udp_burst_new();
	struct err err = {""};
	memset(by, -1, sizeof by);
	assert_int_equal(udp_open(where, SOCKETS, BUFFER_BYTES, fds, &err), 0);
	for (unsigned i = 0; i < SENDERS * PORTS; i++) {
		uint8_t number = (uint8_t)(i % SENDERS);
		send_from(0x7f000101 + number, udp_port(fds[0]), &number, 1);
	}
	for (int s = 0; s < SOCKETS; s++) {
		const struct udp_datagram *datagrams;
		int count;
		used += poll(&(struct pollfd){.fd = fds[s], .events = POLLIN}, 1, 0) == 1;
		while ((count = udp_receive(burst, fds[s], &datagrams, &err)) > 0)
			for (int i = 0; i < count; i++, seen++) {
				struct addr from = addr_from_v4(0x7f000101u + datagrams[i].data[0]);
				assert_int_equal(datagrams[i].bytes, 1);
				assert_true(addr_same(&datagrams[i].from, &from));
				assert_true(by[datagrams[i].data[0]] == -1 || by[datagrams[i].data[0]] == s);
				by[datagrams[i].data[0]] = s;
			}
		assert_int_equal(count, 0);
	}
	assert_int_equal(seen, SENDERS * PORTS);
	assert_int_equal(used, SOCKETS);
	udp_burst_free(burst);
	fds_close(fds, SOCKETS);
}

static void a_sender_keeps_to_one_socket(void **state)
{
	(void)state;
	check_spread("127.0.0.1:0");
	check_spread("*:0");
}

static void what_found_no_room_is_counted(void **state)
{
	(void)state;
	enum { SENT = 400, BYTES = 60000 };
	static uint8_t data[BYTES];
	int fd, received = 0, count;
	struct udp_burst *burst = udp_burst_new();
	const struct udp_datagram *datagrams;
	assert_int_equal(udp_open("localhost:0", 1, BUFFER_BYTES, &fd, NULL), 0);
	assert_true(udp_buffer_bytes(fd) >= BUFFER_BYTES / 8);
	data[BYTES - 1] = 7;
	for (int i = 0; i < SENT; i++)
		send_from(INADDR_LOOPBACK, udp_port(fd), data, sizeof data);
	while ((count = udp_receive(burst, fd, &datagrams, NULL)) > 0)
		for (int i = 0; i < count; i++, received++) {
			assert_int_equal(datagrams[i].bytes, BYTES);
			assert_int_equal(datagrams[i].data[BYTES - 1], 7);
		}
	assert_in_range(received, 1, SENT - 1);
	assert_int_equal(udp_dropped(fd), SENT - received);
	udp_burst_free(burst);
	close(fd);
}

static void a_port_is_not_shared_with_another(void **state)
{
	(void)state;
	int first[2], second[2];
	char where[64];
	struct err err = {""};
	assert_int_equal(udp_open("127.0.0.1:0", 2, BUFFER_BYTES, first, NULL), 0);
	snprintf(where, sizeof where, "127.0.0.1:%u", udp_port(first[0]));
	assert_int_equal(udp_open(where, 2, BUFFER_BYTES, second, &err), -EADDRINUSE);
	assert_contains(err.text, where);
	fds_close(first, 2);
}

static void addresses_and_ports_are_read(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",       "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x",
					    "host:1", "[::1:1"};
	struct sockaddr_in6 address;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(endpoint_parse(wrong[i], &address, NULL), -EINVAL);
	assert_int_equal(endpoint_parse("[::1]:2055", &address, NULL), 0);
	assert_int_equal(address.sin6_family, AF_INET6);
	assert_int_equal(ntohs(address.sin6_port), 2055);
	assert_int_equal(endpoint_parse("192.0.2.1:2055", &address, NULL), 0);
	assert_int_equal(address.sin6_family, AF_INET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sender_keeps_to_one_socket),
		cmocka_unit_test(what_found_no_room_is_counted),
		cmocka_unit_test(a_port_is_not_shared_with_another),
		cmocka_unit_test(addresses_and_ports_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
