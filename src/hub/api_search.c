/* One box for all: addresses, prefixes, ports, countries, networks, findings. What a text can be is offered; what is
 * seen in the store is not asked, but for findings.
 */
#include "hub/api_answer.h"

#include "hub/keeper.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void offer(json_t *results, const char *type, const char *label, const char *path)
{
	json_array_append_new(results, json_pack("{s:s, s:s, s:s}", "type", type, "label", label, "path", path));
}

static void offer_address(json_t *results, const char *text)
{
	struct prefix prefix;
	char label[PREFIX_TEXT_BYTES], path[96];
	if (prefix_parse(text, &prefix, NULL) < 0)
		return;
	if (prefix.bits == 128) {
		addr_format(&prefix.addr, label);
		snprintf(path, sizeof path, "/sources/%s", label);
		offer(results, "source", label, path);
		return;
	}
	prefix_format(&prefix, label);
	snprintf(path, sizeof path, "/explore?prefix=%s", label);
	offer(results, "prefix", label, path);
}

static void offer_port(json_t *results, const char *text)
{
	static const char *const protocols[] = {"tcp", "udp"};
	const char *digits = text;
	int only = -1;
	for (int i = 0; i < 2; i++)
		if (strncasecmp(text, protocols[i], 3) == 0 && (text[3] == '/' || text[3] == ' ')) {
			only = i;
			digits = text + 4;
		}
	char *end;
	unsigned long port = strtoul(digits, &end, 10);
	if (!isdigit((unsigned char)*digits) || *end || port > 65535)
		return;
	for (int i = 0; i < 2; i++) {
		char label[32], path[64];
		if (only >= 0 && only != i)
			continue;
		snprintf(label, sizeof label, "%s/%lu", protocols[i], port);
		snprintf(path, sizeof path, "/explore?port=%s", label);
		offer(results, "port", label, path);
	}
}

static void offer_country(json_t *results, const char *text)
{
	float latitude, longitude;
	if (strlen(text) != 2 || !isalpha((unsigned char)text[0]) || !isalpha((unsigned char)text[1]))
		return;
	char label[3] = {(char)toupper((unsigned char)text[0]), (char)toupper((unsigned char)text[1]), '\0'}, path[48];
	if (!places_country_point(COUNTRY(label[0], label[1]), &latitude, &longitude))
		return;
	snprintf(path, sizeof path, "/explore?country=%s", label);
	offer(results, "country", label, path);
}

static void offer_network(json_t *results, const struct places *places, const char *text)
{
	bool named = strncasecmp(text, "AS", 2) == 0;
	const char *digits = named ? text + 2 : text;
	char *end, label[160], path[64];
	unsigned long long number = strtoull(digits, &end, 10);
	if (!isdigit((unsigned char)*digits) || *end || number == 0 || number > UINT32_MAX)
		return;
	const char *name = places_network_name(places, (uint32_t)number);
	if (!named && !name[0])
		return;
	snprintf(label, sizeof label, "AS%llu%s%.120s", number, name[0] ? " " : "", name);
	snprintf(path, sizeof path, "/explore?network=AS%llu", number);
	offer(results, "network", label, path);
}

static void offer_findings(struct api_call *call, json_t *results, const char *field, const char *text)
{
	json_t *findings = NULL;
	struct err err;
	if (finding_ask(call, field, text, 5, &findings, &err) < 0)
		return;
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);
		const char *id = json_string_value(json_object_get(finding, "id"));
		char label[256], path[256];
		snprintf(label, sizeof label, "%s: %.120s", json_string_value(json_object_get(finding, "type")),
			 json_string_value(json_object_get(finding, "subject")));
		snprintf(path, sizeof path, "/findings/%.200s", id ? id : "");
		offer(results, "finding", label, path);
	}
	json_decref(findings);
}

int api_search_get(struct api_call *call, struct err *err)
{
	char buffer[256];
	const char *text = api_argument(call, "q", buffer, sizeof buffer);
	if (!text)
		return err_set(err, -EINVAL, "q: what to look for was expected");
	while (isspace((unsigned char)*text))
		text++;
	size_t length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		buffer[(size_t)(text - buffer) + --length] = '\0';
	json_t *results = json_array();
	if (length > 0) {
		offer_address(results, text);
		offer_port(results, text);
		offer_country(results, text);
		offer_network(results, call->keeper->places, text);
		offer_findings(call, results, "id", text);
		offer_findings(call, results, "subject", text);
	}
	return api_json(call, 200, json_pack("{s:o}", "results", results));
}
