/* Places: the parser on made-up lines, and the real files on addresses whose place is known. */
#include "core/clock.h"
#include "core/hash.h"
#include "sys/places.h"
#include "sys/places_load.h"

#include "../check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct places *places;

static int open_once(void **state)
{
	(void)state;
	struct err err;
	int64_t begin = clock_monotonic_ns();
	int code = places_open(DEPS_DIR, &places, &err);
	if (code < 0 && code != -ENOENT) {
		printf("%s\n", err.text);
		return code;
	}
	if (code < 0)
		printf("skipped, the place files are not here: %s\n", err.text);
	else
		printf("opened in %d ms, %zu MiB\n", (int)((clock_monotonic_ns() - begin) / NS_PER_MS),
		       places_bytes(places) >> 20);
	return 0;
}

static int close_once(void **state)
{
	(void)state;
	places_close(places);
	return 0;
}

static struct place place_of(const char *text)
{
	struct addr addr;
	struct place place;
	assert_int_equal(addr_parse(text, &addr, NULL), 0);
	places_find(places, &addr, &place);
	return place;
}

static void test_known_addresses(void **state)
{
	(void)state;
	if (!places)
		skip();
	struct place nict = place_of("133.243.3.1");
	assert_int_equal(nict.country, COUNTRY('J', 'P'));
	assert_true(nict.located && fabsf(nict.latitude - 35.7F) < 1 && fabsf(nict.longitude - 139.7F) < 1);
	struct place dns = place_of("8.8.8.8");
	assert_int_equal(dns.country, COUNTRY('U', 'S'));
	assert_int_equal(dns.network, 15169);
	assert_contains(dns.network_name, "Google");
	struct place six = place_of("2001:4860:4860::8888");
	assert_int_equal(six.network, 15169);
	assert_int_equal(six.country, COUNTRY('U', 'S'));
	assert_string_equal(places_network_name(places, 13335), "Cloudflare, Inc.");
	assert_string_equal(places_network_name(places, 201907), "LLC \"SPUTNIK\"");
	assert_string_equal(places_network_name(places, 0), "");
	assert_string_equal(places_network_name(places, 4294967295U), "");
}

static void test_reserved_is_nowhere(void **state)
{
	(void)state;
	if (!places)
		skip();
	static const char *const reserved[] = {"0.0.0.0",
					       "10.0.0.1",
					       "100.64.0.1",
					       "127.0.0.1",
					       "169.254.9.9",
					       "172.16.0.1",
					       "172.31.255.255",
					       "192.0.2.1",
					       "192.168.1.1",
					       "198.18.0.0",
					       "198.19.255.255",
					       "198.51.100.7",
					       "203.0.113.255",
					       "224.0.0.1",
					       "240.0.0.1",
					       "255.255.255.255",
					       "::",
					       "::1",
					       "fe80::1",
					       "fc00::1",
					       "2001:db8::1",
					       "3fff::1",
					       "ff02::1",
					       "2001:2::1",
					       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		struct place place = place_of(reserved[i]);
		assert_int_equal(place.country, 0);
		assert_int_equal(place.network, 0);
		assert_false(place.located);
		assert_string_equal(place.network_name, "");
	}
}

/* Against a plain search of the same files. */
static uint32_t plain(const struct span_list *list, u128 value)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (list->items[middle].last < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->items[low].first <= value ? list->items[low].value : 0;
}

static bool is_reserved(const struct span *reserved, size_t count, u128 value)
{
	for (size_t i = 0; i < count; i++)
		if (reserved[i].first <= value && value <= reserved[i].last)
			return true;
	return false;
}

static struct addr addr_of(u128 value)
{
	struct addr addr;
	for (int i = 15; i >= 0; i--, value >>= 8)
		addr.bytes[i] = (uint8_t)value;
	return addr;
}

static void check_one(const struct span_list *countries, const struct span_list *networks, bool v4, u128 value)
{
	struct addr addr = v4 ? addr_from_v4((uint32_t)value) : addr_of(value);
	uint16_t country;
	uint32_t network;
	places_find_many(places, &addr, 1, &country, &network);
	bool reserved = v4 ? is_reserved(reserved_v4, reserved_v4_count, value)
			   : is_reserved(reserved_v6, reserved_v6_count, value);
	assert_int_equal(country, reserved ? 0 : plain(countries, value));
	assert_int_equal(network, reserved ? 0 : plain(networks, value));
}

static void test_agrees_with_the_files(void **state)
{
	(void)state;
	if (!places)
		skip();
	struct span_list country4 = {0}, country6 = {0}, network4 = {0}, network6 = {0};
	struct network_names names = {0};
	assert_int_equal(
		countries_load(DEPS_DIR "/places-country/geo-whois-asn-country.mmdb", &country4, &country6, NULL), 0);
	assert_int_equal(networks_load(DEPS_DIR "/networks/asn-ipv4.csv", &network4, &names, NULL), 0);
	assert_int_equal(networks_load(DEPS_DIR "/networks/asn-ipv6.csv", &network6, &names, NULL), 0);
	assert_true(country4.count > 50000 && country6.count > 10000);
	assert_true(network4.count > 300000 && network6.count > 80000);
	uint64_t random = 7;
	for (int i = 0; i < 200000; i++) {
		check_one(&country4, &network4, true, (uint32_t)random_next(&random));
		const struct span *span = &network4.items[random_below(&random, network4.count)];
		check_one(&country4, &network4, true, span->first);
		check_one(&country4, &network4, true, span->last);
		span = &network6.items[random_below(&random, network6.count)];
		check_one(&country6, &network6, false, span->first);
		check_one(&country6, &network6, false, span->last);
		check_one(&country6, &network6, false, span->last + 1);
		span = &country6.items[random_below(&random, country6.count)];
		check_one(&country6, &network6, false, span->first);
		check_one(&country6, &network6, false, span->first - 1);
	}
	network_names_done(&names);
	free(country4.items);
	free(country6.items);
	free(network4.items);
	free(network6.items);
}

static void test_find_many_is_quick(void **state)
{
	(void)state;
	if (!places)
		skip();
	enum { COUNT = 1 << 20 };
	struct addr *addrs = malloc(COUNT * sizeof *addrs);
	uint16_t *countries = malloc(COUNT * sizeof *countries);
	uint32_t *networks = malloc(COUNT * sizeof *networks);
	assert_true(addrs && countries && networks);
	uint64_t random = 11;
	for (size_t i = 0; i < COUNT; i++)
		addrs[i] = addr_from_v4((uint32_t)random_next(&random));
	int64_t begin = clock_monotonic_ns();
	places_find_many(places, addrs, COUNT, countries, networks);
	double seconds = (double)(clock_monotonic_ns() - begin) / (double)NS_PER_S;
	size_t known = 0;
	for (size_t i = 0; i < COUNT; i++)
		known += countries[i] != 0;
	printf("%.1f million random addresses/s, %.1f %% with a country\n", COUNT / seconds / 1e6,
	       known * 100.0 / COUNT);
	assert_in_range(known, COUNT / 2, COUNT);
	begin = clock_monotonic_ns();
	struct place place;
	for (size_t i = 0; i < COUNT / 8; i++)
		places_find(places, &addrs[i], &place);
	printf("%.2f million points/s\n",
	       COUNT / 8 / ((double)(clock_monotonic_ns() - begin) / (double)NS_PER_S) / 1e6);
	free(addrs);
	free(countries);
	free(networks);
}

static void test_random_addresses_are_in_their_country(void **state)
{
	(void)state;
	if (!places)
		skip();
	uint64_t random = 3;
	uint64_t sum = 0;
	for (unsigned a = 'A'; a <= 'Z'; a++)
		for (unsigned b = 'A'; b <= 'Z'; b++) {
			uint16_t country = COUNTRY(a, b);
			uint32_t v4;
			sum += places_country_addresses(places, country);
			assert_int_equal(places_random_v4(places, country, &random, &v4),
					 places_country_addresses(places, country) > 0);
			for (int i = 0; i < 50 && places_random_v4(places, country, &random, &v4); i++) {
				struct addr addr = addr_from_v4(v4);
				struct place place;
				places_find(places, &addr, &place);
				assert_int_equal(place.country, country);
				assert_true(place.network != 0);
			}
			struct addr v6;
			for (int i = 0; i < 20 && places_random_v6(places, country, &random, &v6); i++) {
				struct place place;
				places_find(places, &v6, &place);
				assert_int_equal(place.country, country);
				assert_true(place.network != 0);
			}
		}
	assert_in_range(sum, UINT64_C(2000000000), UINT64_C(4000000000));
	assert_in_range(places_country_addresses(places, COUNTRY('J', 'P')), 100000000, 300000000);
	uint64_t again = 5, twice = 5;
	uint32_t one, two;
	assert_true(places_random_v4(places, COUNTRY('J', 'P'), &again, &one));
	assert_true(places_random_v4(places, COUNTRY('J', 'P'), &twice, &two));
	assert_int_equal(one, two);
	assert_false(places_random_v4(places, 0, &again, &one));
	assert_false(places_random_v6(places, COUNTRY('Q', 'Q'), &again, &(struct addr){0}));
}

static double distance_km(float a, float b, float c, float d)
{
	const double degree = 3.14159265358979 / 180;
	double cosine = sin(a * degree) * sin(c * degree) + cos(a * degree) * cos(c * degree) * cos((b - d) * degree);
	return 6371 * acos(fmin(1, fmax(-1, cosine)));
}

/* Each country's point is where its cities are: nearer to half of them than the country is wide. */
static void test_country_points(void **state)
{
	(void)state;
	float latitude = 0, longitude = 0;
	assert_true(places_country_point(COUNTRY('J', 'P'), &latitude, &longitude));
	assert_true(fabsf(latitude - 36.3F) < 1 && fabsf(longitude - 138.6F) < 1);
	assert_false(places_country_point(0, &latitude, &longitude));
	assert_false(places_country_point(COUNTRY('Q', 'Q'), &latitude, &longitude));
	if (!places)
		skip();
	uint64_t random = 17;
	for (unsigned a = 'A'; a <= 'Z'; a++)
		for (unsigned b = 'A'; b <= 'Z'; b++) {
			uint16_t country = COUNTRY(a, b);
			uint32_t v4;
			if (country == COUNTRY('E', 'U') || country == COUNTRY('A', 'P') ||
			    country == COUNTRY('Z', 'Z') || !places_random_v4(places, country, &random, &v4))
				continue;
			if (!places_country_point(country, &latitude, &longitude))
				fail_msg("%c%c has addresses and no point", a, b);
			double near = 1e9;
			for (int i = 0; i < 40; i++) {
				places_random_v4(places, country, &random, &v4);
				struct addr addr = addr_from_v4(v4);
				struct place place;
				places_find(places, &addr, &place);
				double km = distance_km(latitude, longitude, place.latitude, place.longitude);
				near = km > 0.001 && km < near ? km : near;
			}
			if (near < 1e9 && near > 2000)
				fail_msg("%c%c: its nearest city is %.0f km from its point", a, b, near);
		}
}

static void test_csv(void **state)
{
	(void)state;
	struct span_list spans = {0};
	struct network_names names = {0};
	struct err err;
	static const char good[] = "1.0.0.0,1.0.0.255,13335,\"Cloud, \"\"Inc\"\".\"\r\n1.0.1.0,1.0.1.255,13335,other\n"
				   "2001::,2001::f,7,\n";
	assert_int_equal(networks_parse(good, sizeof good - 1, "f.csv", &spans, &names, &err), 0);
	assert_int_equal(spans.count, 2); /* neighbours of one AS are one */
	assert_string_equal(network_name_find(&names, 13335), "Cloud, \"Inc\".");
	assert_string_equal(network_name_find(&names, 7), "");
	static const char *const bad[] = {"1.0.0.0,1.0.0.255\n",
					  "1.0.0.0,1.0.0.255,x,name\n",
					  "1.0.0.9,1.0.0.0,5,name\n",
					  "1.0.0.0,1.0.0.9,4294967296,n\n",
					  "1.0.0,1.0.0.9,1,n\n",
					  "\n",
					  "1.0.0.0,1.0.0.9,1,n\n1.0.0.0,1.0.0.10,2,m\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct span_list list = {0};
		assert_int_equal(networks_parse(bad[i], strlen(bad[i]), "f.csv", &list, &names, &err), -EINVAL);
		assert_contains(err.text, i == 6 ? "f.csv:2:" : "f.csv:1:");
		free(list.items);
	}
	spans.count = 0;
	static const char overlap[] = "1.0.0.0,1.0.0.9,1,n\n1.0.0.9,1.0.0.10,2,m\n";
	assert_int_equal(networks_parse(overlap, sizeof overlap - 1, "f.csv", &spans, &names, &err), 0);
	assert_true(spans.items[0].last + 1 == spans.items[1].first);
	free(spans.items);
	network_names_done(&names);
}

static void test_missing_files(void **state)
{
	(void)state;
	struct places *none;
	struct err err;
	assert_int_equal(places_open("/nonexistent", &none, &err), -ENOENT);
	assert_contains(err.text, "/nonexistent/places-country/geo-whois-asn-country.mmdb");
	assert_contains(err.text, "install-deps");
	assert_int_equal(places_open_degraded("/nonexistent", &none, &err), 5);
	assert_contains(err.text, "geo-whois-asn-country.mmdb");
	struct addr addr = addr_from_v4(0x08080808);
	struct place place;
	places_find(none, &addr, &place);
	assert_int_equal(place.country, 0);
	assert_int_equal(place.network, 0);
	assert_string_equal(place.network_name, "");
	assert_false(place.located);
	assert_int_equal(places_country_addresses(none, COUNTRY('J', 'P')), 0);
	places_close(none);
	assert_int_equal(places_open_degraded(NULL, &none, &err), 5);
	places_close(none);
	places_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_addresses),
		cmocka_unit_test(test_reserved_is_nowhere),
		cmocka_unit_test(test_agrees_with_the_files),
		cmocka_unit_test(test_find_many_is_quick),
		cmocka_unit_test(test_random_addresses_are_in_their_country),
		cmocka_unit_test(test_country_points),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_missing_files),
	};
	return cmocka_run_group_tests(tests, open_once, close_once);
}
