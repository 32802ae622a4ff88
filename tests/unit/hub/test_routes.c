/* The table of routes and its description agree, both ways; matching of paths; who may what. */
#include "../check.h"

#include "hub/api.h"
#include "hub/openapi.h"

#include <stdio.h>

static json_t *description(void)
{
	json_error_t error;
	json_t *json = json_loadb(openapi_text, openapi_bytes, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("data/openapi.json:%d: %s", error.line, error.text);
	return json;
}

static void described_path(const struct api_route *route, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s%s",
		 strcmp(route->path, "/metrics") == 0 || strncmp(route->path, "/taxii2/", 8) == 0 ||
				 strncmp(route->path, "/feeds/", 7) == 0
			 ? ""
			 : "/api/v1",
		 route->path);
}

static const char *method_key(enum http_method method)
{
	static const char *const keys[] = {"get", "post", "put", "delete"};
	return keys[method];
}

static const char *roles_meant(unsigned who)
{
	static const struct {
		unsigned who;
		const char *name;
	} names[] = {
		{API_ANYONE, "anyone"},
		{API_ADMINS, "admin"},
		{API_OPERATORS, "operator"},
		{API_VIEWERS, "viewer"},
		{API_VIEWERS | API_PUBLIC, "viewer, or public"},
		{API_VIEWERS | API_SIGNED, "viewer, signed in"},
		{API_ADMINS | API_SIGNED, "admin, signed in"},
		{API_ANALYSTS | API_SIGNED, "analyst, signed in"},
		{API_SENSORS | API_ADMINS, "sensor or admin"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].who == who)
			return names[i].name;
	return "nobody thought of that";
}

static void test_every_route_is_described(void **state)
{
	(void)state;
	json_t *json = description();
	for (const struct api_route *route = api_routes; route->path; route++) {
		char path[128];
		described_path(route, path, sizeof path);
		json_t *operation = json_object_get(json_object_get(json_object_get(json, "paths"), path),
						    method_key(route->method));
		if (!operation)
			fail_msg("%s %s is not in data/openapi.json", http_method_names[route->method], path);
		assert_non_null(json_object_get(operation, "operationId"));
		assert_non_null(json_object_get(operation, "summary"));
		assert_true(json_object_size(json_object_get(operation, "responses")) >= 2);
		const char *who = json_string_value(json_object_get(operation, "x-roles"));
		assert_string_equal(who, roles_meant(route->who & ~(unsigned)API_UNRECORDED));
		const char *own = json_string_value(json_object_get(operation, "x-own"));
		assert_string_equal(own ? own : "nothing", api_own_names[route->own]);
		/* The one way a member's people are kept to their own by the path. */
		assert_true(route->own != API_OWN_PART || strncmp(route->path, "/members/{id}", 13) == 0);
	}
	json_decref(json);
}

static void test_every_description_is_a_route(void **state)
{
	(void)state;
	json_t *json = description(), *operations, *operation;
	const char *path, *method;
	unsigned described = 0, routes = 0;
	json_object_foreach(json_object_get(json, "paths"), path, operations)
	{
		json_object_foreach(operations, method, operation)
		{
			bool found = false;
			described++;
			for (const struct api_route *route = api_routes; route->path && !found; route++) {
				char meant[128];
				described_path(route, meant, sizeof meant);
				found = strcmp(meant, path) == 0 && strcmp(method_key(route->method), method) == 0;
			}
			if (!found)
				fail_msg("data/openapi.json describes %s %s, which is no route", method, path);
		}
	}
	while (api_routes[routes].path)
		routes++;
	assert_int_equal(described, routes);
	json_decref(json);
}

static void test_paths(void **state)
{
	(void)state;
	static const struct {
		enum http_method method;
		const char *path, *pattern, *part;
	} cases[] = {
		{HTTP_GET, "/session", "/session", ""},
		{HTTP_GET, "/sources/192.0.2.1", "/sources/{address}", "192.0.2.1"},
		{HTTP_GET, "/sources/2001:db8::1/packets", "/sources/{address}/packets", "2001:db8::1"},
		{HTTP_GET, "/sources/192.0.2.1/packets.pcap", "/sources/{address}/packets.pcap", "192.0.2.1"},
		{HTTP_GET, "/sources/", NULL, ""},
		{HTTP_GET, "/sources/a/b", NULL, ""},
		{HTTP_GET, "/sources//packets", NULL, ""},
		{HTTP_DELETE, "/tokens/7", "/tokens/{id}", "7"},
		{HTTP_GET, "/taxii2/", "/taxii2/{path*}", ""},
		{HTTP_GET, "/taxii2/api/collections/x/", "/taxii2/{path*}", "api/collections/x/"},
		{HTTP_GET, "/taxii2", NULL, ""},
		{HTTP_GET, "/nothing", NULL, ""},
		{HTTP_GET, "", NULL, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char part[API_PART_BYTES];
		bool other;
		const struct api_route *route = api_route_find(cases[i].method, cases[i].path, part, &other);
		if (!cases[i].pattern) {
			assert_null(route);
			continue;
		}
		assert_non_null(route);
		assert_string_equal(route->path, cases[i].pattern);
		assert_string_equal(part, cases[i].part);
	}
	char part[API_PART_BYTES];
	bool other = false;
	assert_null(api_route_find(HTTP_PUT, "/status", part, &other));
	assert_true(other);
}

static void test_arguments(void **state)
{
	(void)state;
	const struct api_call call = {.query = "q=a%20b+c%2F&empty=&bad=%zz&nul=%00&limit=25&big=99999&neg=-1"};
	char text[16], small[3];
	assert_string_equal(api_argument(&call, "q", text, sizeof text), "a b c/");
	assert_string_equal(api_argument(&call, "empty", text, sizeof text), "");
	assert_null(api_argument(&call, "bad", text, sizeof text));
	assert_null(api_argument(&call, "nul", text, sizeof text));
	assert_null(api_argument(&call, "absent", text, sizeof text));
	assert_null(api_argument(&call, "q", small, sizeof small));
	assert_int_equal(api_argument_number(&call, "limit", 100, 1000), 25);
	assert_int_equal(api_argument_number(&call, "big", 100, 1000), 1000);
	assert_int_equal(api_argument_number(&call, "neg", 100, 1000), 100);
	assert_int_equal(api_argument_number(&call, "absent", 100, 1000), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_is_described),
		cmocka_unit_test(test_every_description_is_a_route),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
