/* What the tests of train share: a description in a temporary file, and a simulation of it. */
#pragma once

#include "core/clock.h"
#include "train/simulate.h"

#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD "name: test\ndarknet: [198.18.0.0/15, \"2001:db8:da7a::/48\"]\n"

/* The path of a new file with this text; the caller unlinks it. Borrowed until the next call. */
static inline const char *made_file(const char *text)
{
	static char path[64];
	strcpy(path, "/tmp/yagura-train-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static inline struct simulation *made_open(const char *text, struct simulation_options options)
{
	struct err err = {""};
	struct simulation *simulation = NULL;
	options.description = made_file(text);
	int result = simulation_open(&options, &simulation, &err);
	unlink(options.description);
	if (result < 0)
		fail_msg("%s", err.text);
	return simulation;
}

/* Calls for every packet, parsed; returns how many. */
static inline uint64_t made_each(struct simulation *simulation,
				 void (*call)(const struct frame *, const struct packet *, void *), void *context)
{
	struct frame frames[BURST_MAX];
	struct packet packets[BURST_MAX];
	uint64_t all = 0;
	unsigned count;
	while ((count = simulation_next(simulation, frames, BURST_MAX)) > 0) {
		assert_int_equal(packet_parse(frames, count, packets), count);
		for (unsigned i = 0; i < count; i++)
			call(&frames[i], &packets[i], context);
		all += count;
	}
	return all;
}
