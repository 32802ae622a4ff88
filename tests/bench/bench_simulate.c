/* How many packets a second one core makes up, per description, and how long a simulation takes to open. */
#include "core/clock.h"
#include "train/simulate.h"

#include <stdio.h>

enum { PACKETS = 8000000, SECONDS = 360 };

static int measure(const char *data, const char *deps, const char *name)
{
	char path[1024];
	struct err err = {""};
	struct simulation *simulation;
	snprintf(path, sizeof path, "%s/simulate/%s.yaml", data, name);
	struct simulation_options options = {.description = path,
					     .places_dir = deps,
					     .seed = 1,
					     .packets = PACKETS,
					     .duration_ns = SECONDS * NS_PER_S};
	int64_t began_ns = clock_monotonic_ns();
	if (simulation_open(&options, &simulation, &err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	int64_t opened_ns = clock_monotonic_ns();
	struct frame frames[BURST_MAX];
	uint64_t bytes = 0;
	unsigned count;
	while ((count = simulation_next(simulation, frames, BURST_MAX)) > 0)
		for (unsigned i = 0; i < count; i++)
			bytes += frames[i].captured_bytes;
	double seconds = (double)(clock_monotonic_ns() - opened_ns) * 1e-9;
	printf("simulate %-8s open %5.2f s   %6.2f Mpps   %5.1f bytes a packet\n", name,
	       (double)(opened_ns - began_ns) * 1e-9, PACKETS / seconds / 1e6, (double)bytes / PACKETS);
	simulation_close(simulation);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"country", "small", "worm", "quiet"};
	if (argc != 3) {
		fprintf(stderr, "usage: bench_simulate DATA DEPS\n");
		return 2;
	}
	int result = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names && result == 0; i++)
		result = measure(argv[1], argv[2], names[i]);
	return result;
}
