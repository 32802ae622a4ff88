/* What was generated, as JSON: totals, classes, victims, and every source, written one object at a time so that
 * millions of sources need no more memory than one. */
#include "train/simulation.h"

#include "core/clock.h"
#include "core/hash.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct writer {
	const struct simulation *simulation;
	FILE *file;
	bool first;  /* of the array being written */
	bool failed; /* out of memory or disk */
};

static void write_json(struct writer *writer, json_t *value)
{
	if (!value || json_dumpf(value, writer->file, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		writer->failed = true;
	json_decref(value);
}

static void write_member(struct writer *writer, const char *name, json_t *value)
{
	fprintf(writer->file, "%s\"%s\":", writer->first ? "" : ",\n", name);
	writer->first = false;
	write_json(writer, value);
}

static void array_begin(struct writer *writer, const char *name)
{
	fprintf(writer->file, ",\n\"%s\":[", name);
	writer->first = true;
}

static void array_item(struct writer *writer, json_t *value)
{
	fputs(writer->first ? "\n" : ",\n", writer->file);
	writer->first = false;
	write_json(writer, value);
}

static void array_end(struct writer *writer)
{
	fputs("]", writer->file);
	writer->first = false;
}

static json_t *json_time(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];
	return json_string(time_format(time_ns, text));
}

static struct addr device_addr(const struct simulation *simulation, const struct device *device)
{
	const struct stream *stream = &simulation->streams[device->stream];
	return simulation->classes[stream->class].class->ip == 6 ? simulation->addrs[device->addr]
								 : addr_from_v4(device->addr);
}

static json_t *json_port(const struct port_choice *port)
{
	static const char *const names[] = {[1] = "icmp", [6] = "tcp", [17] = "udp"};
	char text[32];
	if (port->protocol == 1)
		return json_string("icmp");
	if (port->low == port->high)
		snprintf(text, sizeof text, "%s/%u", names[port->protocol], port->low);
	else
		snprintf(text, sizeof text, "%s/%u-%u", names[port->protocol], port->low, port->high);
	return json_string(text);
}

/* The choices of ports a device used; bit 31 stands for every choice from there on. */
static json_t *json_ports(const struct traffic_class *class, uint32_t used)
{
	json_t *ports = json_array();
	for (size_t i = 0; i < class->port_count; i++)
		if (used >> (i < 31 ? i : 31) & 1)
			json_array_append_new(ports, json_port(&class->ports[i]));
	return ports;
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_string(text));
}

static enum packet_kind class_kind(const struct traffic_class *class)
{
	return traffic_kind(class, &class->ports[0]);
}

/* ---- sources ---- */

/* Calls for every device that sent something, attacks' hosts included. */
static void each_source(const struct simulation *simulation, void (*call)(void *context, const struct device *device),
			void *context)
{
	for (uint32_t i = 0; i < simulation->device_count; i++)
		if (simulation->devices[i].packets)
			call(context, &simulation->devices[i]);
	for (uint32_t i = 0; i < simulation->victim_count; i++)
		for (int j = 0; j < VICTIM_HOSTS; j++)
			if (simulation->victims[i].hosts[j].packets)
				call(context, &simulation->victims[i].hosts[j]);
}

struct source_count {
	const struct simulation *simulation;
	uint64_t all, tools[SCAN_TOOLS];
	uint64_t *classes;
};

/* No two devices share an address, so counting devices counts sources. */
static void count_source(void *context, const struct device *device)
{
	struct source_count *count = context;
	uint32_t class = count->simulation->streams[device->stream].class;
	count->all++;
	count->classes[class]++;
	count->tools[traffic_tool(count->simulation->classes[class].class)]++;
}

static void write_source(void *context, const struct device *device)
{
	struct writer *writer = context;
	const struct simulation *simulation = writer->simulation;
	const struct stream *stream = &simulation->streams[device->stream];
	const struct traffic_class *class = simulation->classes[stream->class].class;
	struct addr addr = device_addr(simulation, device);
	char text[ADDR_TEXT_BYTES], country[3] = {(char)(stream->country >> 8), (char)stream->country, 0};
	json_t *source = json_object();
	set_text(source, "address", addr_format(&addr, text));
	set_text(source, "class", class->name);
	set_text(source, "kind", packet_kind_names[class_kind(class)]);
	set_text(source, "tool", scan_tool_names[traffic_tool(class)]);
	set_text(source, "version", class->version);
	if (stream->country && !traffic_by_turns(class))
		set_text(source, "country", country);
	json_object_set_new(source, "packets", json_integer(device->packets));
	json_object_set_new(source, "first", json_time(device->first_ns));
	json_object_set_new(source, "last", json_time(device->last_ns));
	json_object_set_new(source, "ports", json_ports(class, device->ports));
	array_item(writer, source);
}

/* ---- classes, victims, totals ---- */

static json_t *json_class(const struct class_state *state, uint64_t sources)
{
	const struct traffic_class *class = state->class;
	json_t *object = json_object(), *ports = json_array(), *kinds = json_object();
	set_text(object, "name", class->name);
	set_text(object, "kind", packet_kind_names[class_kind(class)]);
	set_text(object, "sender", sender_names[class->sender]);
	set_text(object, "tool", scan_tool_names[traffic_tool(class)]);
	set_text(object, "version", class->version);
	set_text(object, "maker", class->maker);
	set_text(object, "organisation", class->organisation);
	set_text(object, "ptr", class->ptr);
	json_object_set_new(object, "ip", json_integer(class->ip));
	json_object_set_new(object, "devices", json_integer(class->devices));
	json_object_set_new(object, "sources", json_integer((json_int_t)sources));
	json_object_set_new(object, "packets", json_integer((json_int_t)state->packets));
	json_object_set_new(object, "bytes", json_integer((json_int_t)state->bytes));
	if (state->packets) {
		json_object_set_new(object, "first", json_time(state->first_ns));
		json_object_set_new(object, "last", json_time(state->last_ns));
	}
	for (size_t i = 0; i < class->port_count; i++) {
		if (!state->port_packets[i])
			continue;
		const char *kind = packet_kind_names[traffic_kind(class, &class->ports[i])];
		json_int_t before = json_integer_value(json_object_get(kinds, kind));
		json_object_set_new(kinds, kind, json_integer(before + (json_int_t)state->port_packets[i]));
		json_t *port = json_object();
		json_object_set_new(port, "port", json_port(&class->ports[i]));
		json_object_set_new(port, "packets", json_integer((json_int_t)state->port_packets[i]));
		json_array_append_new(ports, port);
	}
	json_object_set_new(object, "kinds", kinds);
	json_object_set_new(object, "ports", ports);
	return object;
}

static json_t *json_victim(const struct simulation *simulation, const struct victim *victim)
{
	const struct traffic_class *class = simulation->classes[victim->class].class;
	struct port_choice port = class->ports[victim->port];
	port.low = port.high = victim->number;
	struct addr addr = device_addr(simulation, &victim->hosts[0]);
	char text[ADDR_TEXT_BYTES];
	json_t *object = json_object(), *answers = json_object(), *ports = json_array();
	set_text(object, "address", addr_format(&addr, text));
	set_text(object, "class", class->name);
	json_object_set_new(object, "start", json_time(victim->start_ns));
	json_object_set_new(object, "end", json_time(victim->end_ns));
	json_object_set_new(object, "packets", json_integer((json_int_t)victim->packets));
	json_object_set_new(object, "first", json_time(victim->first_ns));
	json_object_set_new(object, "last", json_time(victim->last_ns));
	json_array_append_new(ports, json_port(&port));
	json_object_set_new(object, "ports", ports);
	for (int i = 0; i < ANSWERS; i++)
		if (victim->answers[i])
			json_object_set_new(answers, answer_names[i], json_integer(victim->answers[i]));
	json_object_set_new(object, "answers", answers);
	return object;
}

static json_t *json_infection(const struct simulation *simulation, const struct victim *host)
{
	const struct traffic_class *class = simulation->classes[host->class].class;
	struct addr addr = device_addr(simulation, &host->hosts[0]);
	char text[ADDR_TEXT_BYTES];
	json_t *object = json_object();
	set_text(object, "address", addr_format(&addr, text));
	set_text(object, "class", class->name);
	set_text(object, "tool", scan_tool_names[traffic_tool(class)]);
	json_object_set_new(object, "start", json_time(host->start_ns));
	json_object_set_new(object, "end", json_time(host->end_ns));
	json_object_set_new(object, "packets", json_integer((json_int_t)host->packets));
	json_object_set_new(object, "first", json_time(host->first_ns));
	json_object_set_new(object, "last", json_time(host->last_ns));
	json_object_set_new(object, "ports", json_ports(class, host->hosts[0].ports));
	return object;
}

/* What came by turns and sent something, of one section. */
static void write_turns(struct writer *writer, const char *name, enum section section,
			json_t *(*json)(const struct simulation *, const struct victim *))
{
	const struct simulation *simulation = writer->simulation;
	array_begin(writer, name);
	for (uint32_t i = 0; i < simulation->victim_count; i++) {
		const struct victim *victim = &simulation->victims[i];
		if (victim->packets && simulation->classes[victim->class].class->section == section)
			array_item(writer, json(simulation, victim));
	}
	array_end(writer);
}

static void write_totals(struct writer *writer, const struct source_count *count)
{
	const struct simulation *simulation = writer->simulation;
	uint64_t tools[SCAN_TOOLS] = {0};
	for (size_t i = 0; i < simulation->description.class_count; i++)
		tools[traffic_tool(simulation->classes[i].class)] += simulation->classes[i].packets;
	json_t *kinds = json_object(), *by_tool = json_object();
	for (int i = 0; i < PACKET_KINDS; i++)
		json_object_set_new(kinds, packet_kind_names[i], json_integer((json_int_t)simulation->kinds[i]));
	for (int i = 0; i < SCAN_TOOLS; i++)
		json_object_set_new(
			by_tool, scan_tool_names[i],
			json_pack("{sIsI}", "packets", (json_int_t)tools[i], "sources", (json_int_t)count->tools[i]));
	int64_t end_ns = simulation->end_ns == INT64_MAX ? simulation->slot_end_ns : simulation->end_ns;
	write_member(writer, "description", json_string(simulation->description.name));
	write_member(writer, "seed", json_integer((json_int_t)simulation->options.seed));
	write_member(writer, "start", json_time(simulation->start_ns));
	write_member(writer, "end", json_time(end_ns));
	write_member(writer, "seconds", json_real((double)(end_ns - simulation->start_ns) * 1e-9));
	if (simulation->packets) {
		write_member(writer, "first", json_time(simulation->first_ns));
		write_member(writer, "last", json_time(simulation->last_ns));
	}
	write_member(writer, "packets", json_integer((json_int_t)simulation->packets));
	write_member(writer, "bytes", json_integer((json_int_t)simulation->bytes));
	write_member(writer, "sources", json_integer((json_int_t)count->all));
	write_member(writer, "kinds", kinds);
	write_member(writer, "tools", by_tool);
}

static void write_lists(struct writer *writer, const struct source_count *count)
{
	const struct simulation *simulation = writer->simulation;
	array_begin(writer, "ports");
	for (int protocol = 0; protocol < 2; protocol++)
		for (int port = 0; port < 65536; port++)
			if (simulation->port_packets[protocol][port])
				array_item(writer,
					   json_pack("{sssisI}", "protocol", protocol ? "udp" : "tcp", "port", port,
						     "packets", (json_int_t)simulation->port_packets[protocol][port]));
	array_end(writer);
	array_begin(writer, "classes");
	for (size_t i = 0; i < simulation->description.class_count; i++)
		array_item(writer, json_class(&simulation->classes[i], count->classes[i]));
	array_end(writer);
	write_turns(writer, "victims", SECTION_ATTACKS, json_victim);
	write_turns(writer, "infections", SECTION_INFECTIONS, json_infection);
	array_begin(writer, "truth");
	each_source(simulation, write_source, writer);
	array_end(writer);
}

int simulation_write_truth(const struct simulation *simulation, const char *path, struct err *err)
{
	struct source_count count = {.simulation = simulation,
				     .classes = calloc(simulation->description.class_count, sizeof(uint64_t))};
	if (!count.classes)
		return err_set(err, -ENOMEM, "%s: out of memory", path);
	FILE *file = fopen(path, "we");
	if (!file) {
		free(count.classes);
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	struct writer writer = {.simulation = simulation, .file = file, .first = true};
	each_source(simulation, count_source, &count);
	fputs("{", file);
	write_totals(&writer, &count);
	write_lists(&writer, &count);
	fputs("}\n", file);
	free(count.classes);
	bool failed = ferror(file) || writer.failed;
	if (fclose(file) != 0 || failed) {
		struct stat kind;
		if (lstat(path, &kind) == 0 && S_ISREG(kind.st_mode))
			unlink(path);
		return err_set(err, -EIO, "%s: the truth could not be written: %s", path, strerror(errno));
	}
	return 0;
}
