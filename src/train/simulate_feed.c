/* The simulation as a feed for a sensor of the hub. See simulate.h. */
#include "train/simulate.h"

#include "core/clock.h"
#include "sys/frame_source.h"
#include "train/description.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SETTING(field) OPTION_AT(struct simulation_settings, field)

const struct option_spec simulation_option_table[] = {
	{.name = "simulation",
	 .type = OPTION_PATH,
	 SETTING(description),
	 .default_text = "country",
	 .argument = "NAME|FILE",
	 .help = "which traffic to make: a name in data/simulate (country, small, worm, quiet, members) or a YAML file",
	 .help_ja = "生成する通信の記述。data/simulate にある名前（country, small, worm, quiet, members）か YAML "
		    "ファイル"},
	{.name = "simulation-data",
	 .type = OPTION_PATH,
	 SETTING(data),
	 .default_text = "data",
	 .argument = "DIR",
	 .help = "the directory that holds simulate/",
	 .help_ja = "simulate/ があるディレクトリー"},
	{.name = "simulation-deps",
	 .type = OPTION_PATH,
	 SETTING(deps),
	 .default_text = "deps",
	 .argument = "DIR",
	 .help = "the directory of the place databases",
	 .help_ja = "位置データベースのディレクトリー"},
	{.name = "simulation-rate",
	 .type = OPTION_INT,
	 SETTING(packets_per_second),
	 .default_text = "200",
	 .max = 10000000,
	 .argument = "PPS",
	 .help = "packets per second; 0 takes what the description says",
	 .help_ja = "毎秒のパケット数。0 なら記述のとおり"},
	{.name = "simulation-history",
	 .type = OPTION_DURATION,
	 SETTING(history_ns),
	 .argument = "TIME",
	 .help = "how far back made-up traffic begins",
	 .help_ja = "どれだけ過去から通信を生成するか"},
	{.name = "simulation-history-rate",
	 .type = OPTION_INT,
	 SETTING(history_packets_per_second),
	 .default_text = "200",
	 .min = 1,
	 .max = 1000000,
	 .argument = "PPS",
	 .help = "packets per second of that past",
	 .help_ja = "その過去の毎秒のパケット数"},
	{.name = "simulation-seed",
	 .type = OPTION_INT,
	 SETTING(seed),
	 .default_text = "1",
	 .max = INT64_MAX,
	 .argument = "N",
	 .help = "the same number makes the same traffic again",
	 .help_ja = "同じ数なら同じ通信を生成する"},
	{NULL},
};

struct feed {
	struct frame_feed feed;
	struct simulation_options options;
	_Atomic int64_t *until_ns; /* shared: everything before it was delivered; 0: nothing yet */
};

/* A source that remembers how far it got. */
struct remembering {
	struct frame_source source;
	struct frame_source *inner;
	_Atomic int64_t *until_ns;
};

static int remembering_read(struct frame_source *source, struct frame *frames, unsigned max, int timeout_ms,
			    struct err *err)
{
	struct remembering *self = (struct remembering *)source;
	int count = self->inner->read(self->inner, frames, max, timeout_ms, err);
	if (count > 0)
		atomic_store_explicit(self->until_ns, frames[count - 1].time_ns + 1, memory_order_relaxed);
	return count;
}

static void remembering_close(struct frame_source *source)
{
	struct remembering *self = (struct remembering *)source;
	if (!self)
		return;
	self->inner->close(self->inner);
	free(self);
}

/* History from the first opening on; a later one begins where the last ended. */
static void set_start(struct feed *feed, struct simulation_options *options)
{
	int64_t until_ns = atomic_load(feed->until_ns), now_ns = clock_now_ns();
	*options = feed->options;
	if (!until_ns) {
		options->start_ns = now_ns - options->history_ns;
		return;
	}
	options->start_ns = until_ns;
	options->history_ns = now_ns - until_ns > NS_PER_MINUTE && feed->options.history_ns ? now_ns - until_ns : 0;
	options->seed += (uint64_t)until_ns; /* not the same packets again */
}

static int feed_open(struct frame_feed *base, struct frame_source **ret_source, struct err *err)
{
	struct feed *feed = (struct feed *)base;
	struct simulation_options options;
	struct simulation *simulation;
	set_start(feed, &options);
	int result = simulation_open(&options, &simulation, err);
	if (result < 0)
		return result;
	struct frame_source *inner = simulation_source(simulation);
	struct remembering *self = calloc(1, sizeof *self);
	if (!inner || !self) {
		if (inner)
			inner->close(inner);
		else
			simulation_close(simulation);
		free(self);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*self = (struct remembering){
		.source = {.read = remembering_read, .close = remembering_close},
		.inner = inner,
		.until_ns = feed->until_ns,
	};
	*ret_source = &self->source;
	return 0;
}

static const char *find_description(const struct simulation_settings *settings, struct pool *pool)
{
	char path[1024];
	if (strchr(settings->description, '/') || strchr(settings->description, '.'))
		return pool_text(pool, settings->description);
	snprintf(path, sizeof path, "%s/simulate/%s.yaml", settings->data, settings->description);
	return pool_text(pool, path);
}

int simulation_feed_new(const struct simulation_settings *settings, struct pool *pool, struct simulation_feed *ret_feed,
			struct err *err)
{
	struct feed *feed = pool_alloc(pool, sizeof *feed);
	const char *path = find_description(settings, pool), *deps = pool_text(pool, settings->deps);
	if (!feed || !path || !deps)
		return err_set(err, -ENOMEM, "out of memory");
	struct description description;
	int result = description_read(path, pool, &description, err);
	if (result < 0)
		return result;
	void *page = mmap(NULL, sizeof(*feed->until_ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return err_set(err, -errno, "a shared page: %s", strerror(errno));
	feed->until_ns = page;
	feed->feed.open = feed_open;
	feed->options = (struct simulation_options){
		.description = path,
		.places_dir = deps,
		.seed = (uint64_t)settings->seed,
		.packets_per_second = (double)settings->packets_per_second,
		.history_ns = settings->history_ns,
		.history_packets_per_second = (double)settings->history_packets_per_second,
	};
	*ret_feed = (struct simulation_feed){&feed->feed, description.darknet, description.members};
	return 0;
}
