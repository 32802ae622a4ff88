/* See flow_collect.h. Receivers hand batches to a queue (observe/flow, record), a writer keeps them (store). */
#include "cli/flow_collect.h"

#include "cli/command_flow.h"
#include "cli/flow_memory.h"
#include "core/clock.h"
#include "core/log.h"
#include "observe/flow/listener.h"
#include "store/archive_writer.h"
#include "sys/confine.h"
#include "sys/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUEUE_ROWS = 8192, QUEUE_LEAST = 16, MINUTES_KEPT = 60, PATH_BYTES = 4200 };
#define FLUSH_NS NS_PER_S /* of receivers, and of the archive: what came is seen at most twice this later */
#define TELL_NS (2 * NS_PER_S)
#define MEMORY_BYTES_MAX (256 << 20)

struct flow_collect {
	const struct flow_collect_options *options;
	struct archive *archive;
	struct batch_queue *queue;
	struct archive_writer *writer;
	struct listener *listener;
	bool was_blocked, is_started;
	int64_t began_ns, told_ns; /* by the clock on the wall, and the steady one */
	uint64_t told_records;
	json_t *exporters; /* of the last file, by flow_key() */
	int64_t minute;    /* that the last entries of "minutes" are of */
	uint64_t learnt;   /* templates and options that the memory's file holds */
};

/* --- opening ----------------------------------------------------------------------------------------------------- */

/* A directory that the user may write whom this process becomes. */
static int dir_make(const struct flow_collect_options *options, struct err *err)
{
	if (mkdir(options->archive, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", options->archive, strerror(errno));
	if (options->uid && chown(options->archive, options->uid, options->gid) < 0)
		return err_set(err, -errno, "%s: %s", options->archive, strerror(errno));
	return 0;
}

static int collect_confine(const struct flow_collect_options *options, struct err *err)
{
	const char *const paths[] = {options->archive, NULL};
	const struct confine_policy policy = {
		.write_paths = paths, .threads = true, .uid = options->uid, .gid = options->gid};
	int result = confine(&policy, options->unconfined, err);
	return result < 0 ? result : 0;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static void path_of(const struct flow_collect *collect, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", collect->options->archive, name);
}

/* Nobody waits for it: what cannot be written now is written the next time. */
static bool json_replace(const struct flow_collect *collect, const char *name, const json_t *json)
{
	char path[PATH_BYTES], part[PATH_BYTES + 8];
	path_of(collect, name, path);
	snprintf(part, sizeof part, "%s.part", path);
	return json_dump_file(json, part, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0 && rename(part, path) == 0;
}

static void exporter_key(const json_t *exporter, char *key, size_t bytes)
{
	snprintf(key, bytes, "%s %s %lld", json_string_value(json_object_get(exporter, "exporter")),
		 json_string_value(json_object_get(exporter, "format")),
		 (long long)json_integer_value(json_object_get(exporter, "domain")));
}

/* Of the lanes that know an exporter, the one that hears it knows best. */
static int memory_add(void *context, const struct exporter *exporter)
{
	json_t *known = context, *remembered = flow_memory_json(exporter);
	char key[128];
	exporter_key(remembered, key, sizeof key);
	if (exporter->figures.messages || !json_object_get(known, key))
		json_object_set(known, key, remembered);
	json_decref(remembered);
	return 0;
}

static int learnt_add(void *context, const struct exporter *exporter)
{
	*(uint64_t *)context += exporter->figures.templates + exporter->figures.options;
	return 0;
}

/* Templates are sent again and again: what was learnt is written when more was said, at most every time that the
 * figures are. */
static void memory_write(struct flow_collect *collect)
{
	uint64_t learnt = 0;
	listener_visit(collect->listener, learnt_add, &learnt);
	if (learnt == collect->learnt)
		return;
	json_t *known = json_object(), *list = json_array(), *remembered;
	const char *key;
	listener_visit(collect->listener, memory_add, known);
	json_object_foreach(known, key, remembered) json_array_append(list, remembered);
	if (json_replace(collect, FLOW_MEMORY_FILE, list))
		collect->learnt = learnt;
	json_decref(list);
	json_decref(known);
}

/* What cannot be understood is said again by the exporter, sooner or later. */
static int memory_read(struct flow_collect *collect, struct err *err)
{
	char path[PATH_BYTES], *text = NULL;
	json_error_t why = {.line = 0};
	size_t bytes, i;
	path_of(collect, FLOW_MEMORY_FILE, path);
	int result = text_file_read(path, MEMORY_BYTES_MAX, &text, &bytes, NULL);
	if (result < 0)
		return 0;
	json_t *list = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why), *remembered;
	free(text);
	if (!json_is_array(list))
		LOG(LOG_WARNING, "flow.forgotten", "what was known of exporters cannot be read", LOG_TEXT("file", path),
		    LOG_TEXT("why", why.text));
	json_array_foreach(list, i, remembered)
	{
		struct exporter exporter;
		struct err fault = {""};
		if (result < 0)
			break;
		if (flow_memory_read(remembered, &exporter, &fault) < 0) {
			LOG(LOG_WARNING, "flow.forgotten", "what was known of an exporter cannot be read",
			    LOG_TEXT("file", path), LOG_NUMBER("entry", i), LOG_TEXT("why", fault.text));
			continue;
		}
		result = listener_recall(collect->listener, &exporter, err);
		exporter_done(&exporter);
	}
	json_decref(list);
	return result;
}

/* --- starting ---------------------------------------------------------------------------------------------------- */

static int collect_open(struct flow_collect *collect, struct err *err)
{
	const struct flow_collect_options *options = collect->options;
	const struct listener_options listening = {
		.where = options->listen.items,
		.where_count = options->listen.count,
		.lanes = (unsigned)options->sockets,
		.buffer_bytes = options->buffer_bytes,
		.flush_ns = FLUSH_NS,
		.collector.pseudonyms = options->pseudonyms,
	};
	const struct archive_options keeping = {.dir = options->archive,
						.kind = &record_flow,
						.keep_ns = options->keep_ns,
						.keep_bytes = options->keep_bytes};
	int result = dir_make(options, err);
	if (result == 0)
		result = listener_open(&listening, &collect->listener, err);
	if (result == 0)
		result = collect_confine(options, err);
	if (result == 0)
		result = archive_open(&keeping, &collect->archive, err);
	if (result == 0)
		result = batch_queue_new(&record_flow, QUEUE_ROWS, QUEUE_LEAST, &collect->queue, err);
	return result == 0 ? memory_read(collect, err) : result;
}

static void listening_tell(const struct flow_collect *collect)
{
	int64_t buffer = listener_buffer_bytes(collect->listener);
	for (size_t i = 0; i < collect->options->listen.count; i++)
		LOG(LOG_INFO, "flow.listening", "routers are listened to",
		    LOG_TEXT("listen", collect->options->listen.items[i]),
		    LOG_NUMBER("port", listener_port(collect->listener, i)), LOG_NUMBER("buffer_bytes", buffer));
	if (buffer < collect->options->buffer_bytes)
		LOG(LOG_WARNING, "flow.small_buffer",
		    "the kernel gives sockets less memory than was asked for; raise net.core.rmem_max",
		    LOG_NUMBER("asked", collect->options->buffer_bytes), LOG_NUMBER("given", buffer));
}

int flow_collect_start(const struct flow_collect_options *options, struct flow_collect **ret_collect, struct err *err)
{
	struct flow_collect *collect = calloc(1, sizeof *collect);
	if (!collect)
		return err_set(err, -ENOMEM, "no memory for a collector");
	collect->options = options;
	collect->exporters = json_object();
	collect->began_ns = clock_now_ns();
	collect->told_ns = clock_monotonic_ns();
	collect->minute = collect->began_ns / NS_PER_MINUTE;
	int result = collect_open(collect, err);
	if (result == 0)
		result = archive_writer_start(collect->archive, collect->queue, FLUSH_NS, &collect->writer, err);
	if (result == 0)
		result = listener_start(collect->listener, batch_queue_sink(collect->queue), err);
	collect->is_started = result == 0;
	if (result < 0) {
		if (collect->writer)
			(void)!archive_writer_stop(collect->writer, NULL);
		flow_collect_free(collect);
		return result;
	}
	listening_tell(collect);
	*ret_collect = collect;
	return 0;
}

/* --- what is told ------------------------------------------------------------------------------------------------ */

json_t *flow_collect_sums(struct flow_collect *collect)
{
	struct listener_figures in = listener_figures(collect->listener);
	struct archive_writer_figures out = archive_writer_figures(collect->writer);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "datagrams", (json_int_t)in.datagrams, "bytes",
			 (json_int_t)in.bytes, "records", (json_int_t)in.records + (json_int_t)in.refused, "stored",
			 (json_int_t)out.rows, "not_stored", (json_int_t)out.lost + (json_int_t)in.refused, "dropped",
			 (json_int_t)in.dropped, "strange", (json_int_t)in.strange, "too_many_exporters",
			 (json_int_t)in.too_many);
}

static int exporter_add(void *context, const struct exporter *exporter)
{
	if (exporter->figures.messages) /* others are remembered only */
		json_array_append_new(context, flow_exporter_json(exporter));
	return 0;
}

json_t *flow_collect_exporters(struct flow_collect *collect)
{
	json_t *exporters = json_array();
	listener_visit(collect->listener, exporter_add, exporters);
	return exporters;
}

static json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* Rates against the last file, and the minutes of the last hour. */
static void exporter_compare(json_t *exporter, const json_t *before, double seconds, bool minute_turned)
{
	static const char *const names[] = {"records", "lost"};
	static const char *const since[] = {"minute_records", "minute_lost"};
	json_t *minutes = before ? json_incref(json_object_get(before, "minutes")) : json_array(),
	       *minute = json_array();
	json_int_t came = number_of(exporter, "records") - number_of(before, "records");
	json_object_set_new(exporter, "records_per_second", json_real(seconds > 0 ? (double)came / seconds : 0));
	for (unsigned i = 0; i < 2; i++) {
		json_int_t now = number_of(exporter, names[i]), begin = number_of(before, since[i]);
		json_array_append_new(minute, json_integer(now - begin));
		json_object_set_new(exporter, since[i], json_integer(minute_turned ? now : begin));
	}
	if (minute_turned)
		json_array_append(minutes, minute);
	while (json_array_size(minutes) > MINUTES_KEPT)
		json_array_remove(minutes, 0);
	json_object_set_new(exporter, "minutes", minutes);
	json_decref(minute);
}

static json_t *exporters_compare(struct flow_collect *collect, double seconds)
{
	json_t *exporters = flow_collect_exporters(collect), *known = json_object(), *exporter;
	int64_t minute = clock_now_ns() / NS_PER_MINUTE;
	size_t i;
	json_array_foreach(exporters, i, exporter)
	{
		char key[128];
		exporter_key(exporter, key, sizeof key);
		exporter_compare(exporter, json_object_get(collect->exporters, key), seconds,
				 minute != collect->minute);
		json_object_set(known, key, exporter);
	}
	collect->minute = minute;
	json_decref(collect->exporters);
	collect->exporters = known;
	return exporters;
}

static void file_write(struct flow_collect *collect, bool is_running)
{
	char began[TIME_TEXT_BYTES], now[TIME_TEXT_BYTES];
	int64_t now_ns = clock_monotonic_ns();
	double seconds = (double)(now_ns - collect->told_ns) / 1e9;
	json_t *told = flow_collect_sums(collect), *listen = json_array();
	uint64_t records = (uint64_t)number_of(told, "records");
	for (size_t i = 0; i < collect->options->listen.count; i++)
		json_array_append_new(listen, json_string(collect->options->listen.items[i]));
	json_object_set_new(told, "began", json_string(time_format(collect->began_ns, began)));
	json_object_set_new(told, "time", json_string(time_format(clock_now_ns(), now)));
	json_object_set_new(told, "running", json_boolean(is_running));
	json_object_set_new(told, "listen", listen);
	json_object_set_new(told, "records_per_second",
			    json_real(seconds > 0 ? (double)(records - collect->told_records) / seconds : 0));
	json_object_set_new(told, "blocked", json_boolean(collect->was_blocked));
	json_object_set_new(told, "exporters", exporters_compare(collect, seconds));
	(void)!json_replace(collect, FLOW_COLLECT_FILE, told);
	json_decref(told);
	memory_write(collect);
	collect->told_ns = now_ns;
	collect->told_records = records;
}

static void writer_watch(struct flow_collect *collect)
{
	struct archive_writer_figures figures = archive_writer_figures(collect->writer);
	if (figures.is_blocked && !collect->was_blocked)
		LOG(LOG_ERROR, "flow.not_stored", "flows cannot be stored; it is tried again",
		    LOG_TEXT("why", figures.why.text));
	if (!figures.is_blocked && collect->was_blocked)
		LOG(LOG_INFO, "flow.stored_again", "flows are stored again");
	collect->was_blocked = figures.is_blocked;
}

int flow_collect_look(struct flow_collect *collect)
{
	writer_watch(collect);
	if (clock_monotonic_ns() - collect->told_ns >= TELL_NS)
		file_write(collect, true);
	return listener_figures(collect->listener).failed;
}

int flow_collect_stop(struct flow_collect *collect, struct err *err)
{
	struct err later = {""};
	archive_writer_give_up(collect->writer);
	int result = listener_stop(collect->listener, err);
	int written = archive_writer_stop(collect->writer, result < 0 ? &later : err);
	collect->is_started = false;
	file_write(collect, false);
	return result < 0 ? result : written;
}

void flow_collect_free(struct flow_collect *collect)
{
	if (!collect)
		return;
	listener_free(collect->listener);
	archive_writer_free(collect->writer);
	batch_queue_free(collect->queue);
	archive_close(collect->archive);
	json_decref(collect->exporters);
	free(collect);
}
