/* Who did what, of a carrier's flows: as JSON, and as labels for `yagura cnc eval`. */
#include "train/carrier_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *behaviours_json(const struct carrier *carrier)
{
	json_t *list = json_array();
	for (uint32_t b = 0; b < carrier->description.count; b++) {
		const struct behaviour *behaviour = &carrier->description.behaviours[b];
		json_array_append_new(list, json_pack("{s:s, s:s?, s:I, s:I, s:I}", "name", behaviour->name, "family",
						      behaviour->family, "clients", (json_int_t)behaviour->client_count,
						      "contacts", (json_int_t)behaviour->contacts, "flows",
						      (json_int_t)behaviour->flows));
	}
	return list;
}

static json_t *servers_json(const struct carrier *carrier)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < carrier->sighted_room; i++) {
		const struct sighted *server = &carrier->sighted[i];
		char address[ADDR_TEXT_BYTES], first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
		if (!server->behaviour)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "address",
						      addr_format(&server->addr, address), "port", (int)server->port,
						      "protocol", server->behaviour->protocol ? "udp" : "tcp", "family",
						      server->behaviour->family, "behaviour", server->behaviour->name,
						      "contacts", (json_int_t)server->contacts, "flows",
						      (json_int_t)server->flows, "first",
						      time_format(server->first_ns, first), "last",
						      time_format(server->last_ns, last)));
	}
	return list;
}

static json_t *bots_json(const struct carrier *carrier)
{
	json_t *list = json_array();
	for (uint32_t b = 0; b < carrier->description.count; b++) {
		const struct behaviour *behaviour = &carrier->description.behaviours[b];
		for (uint32_t client = 0; behaviour->family && !behaviour->master && client < behaviour->client_count;
		     client++) {
			struct addr home = carrier_home_address(carrier, carrier_home(carrier, behaviour, client));
			char text[ADDR_TEXT_BYTES];
			json_array_append_new(list, json_pack("{s:s, s:s}", "address", addr_format(&home, text),
							      "family", behaviour->family));
		}
	}
	return list;
}

int carrier_write_truth(const struct carrier *carrier, const char *path, struct err *err)
{
	const struct carrier_options *options = &carrier->options;
	char start[TIME_TEXT_BYTES], end[TIME_TEXT_BYTES];
	json_t *truth = json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "description", options->description,
				  "seed", (json_int_t)options->seed, "start", time_format(options->start_ns, start),
				  "end", time_format(options->start_ns + options->duration_ns, end), "sampling",
				  (json_int_t)options->sampling, "homes", (json_int_t)carrier->description.head.homes,
				  "behaviours", behaviours_json(carrier), "servers", servers_json(carrier), "bots",
				  bots_json(carrier));
	int result = !truth ? err_set(err, -ENOMEM, "no memory for the truth")
		     : json_dump_file(truth, path, JSON_INDENT(1)) < 0
			     ? err_set(err, -EIO, "%s: cannot be written", path)
			     : 0;
	json_decref(truth);
	return result;
}

int carrier_write_labels(const struct carrier *carrier, const char *capture, const char *path, struct err *err)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return err_set(err, -errno, "%s: cannot be written: %s", path, strerror(errno));
	for (uint32_t i = 0; i < carrier->sighted_room; i++) {
		const struct sighted *server = &carrier->sighted[i];
		char address[ADDR_TEXT_BYTES];
		if (server->behaviour)
			fprintf(file, "%s\t%s\t%s\n", capture, addr_format(&server->addr, address),
				server->behaviour->family);
	}
	bool failed = ferror(file);
	failed |= fclose(file) != 0;
	return failed ? err_set(err, -EIO, "%s: cannot be written", path) : 0;
}
