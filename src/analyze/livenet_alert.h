/* One alert, and its finding. What the files of livenet share. */
#pragma once

#include "analyze/finding.h"
#include "analyze/limits.h"
#include "core/addr.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { LIVENET_VERSION = 1 };

struct alert_key {
	struct addr address;
	uint64_t attacked; /* 1: by its answers or by ICMP errors about it; 0: by what it sent */
};

struct alert {
	struct alert_key key;
	int64_t opened_ns; /* first packet, which names it */
	int64_t first_ns, last_ns;
	uint64_t packets, scans, mistakes, doubtful, bytes;
	uint32_t member, most_targets;
	uint16_t sensor; /* that saw it last */
	uint8_t prefix_bits, tool, tool_version, signs, verdict;
	bool said, touched;
	uint8_t port_count;
	bool more_ports;
	struct alert_port {
		uint16_t port;
		uint8_t protocol;
	} ports[LIMIT_LIVENET_PORTS];
};

/* By all that is known: docs/telescope-rules.md. */
enum livenet_verdict alert_verdict(const struct alert *alert);
enum severity alert_severity(const struct alert *alert);

enum { ALERT_ID_BYTES = 128 };
void alert_id(const struct alert *alert, char id[ALERT_ID_BYTES]);

/* `ended_ns` 0: it goes on. */
int alert_say(struct alert *alert, int64_t quiet_ns, int64_t ended_ns, struct findings *findings,
	      struct err *err) must_check;

/* An alert out of its finding. -EINVAL. */
int alert_from_finding(const json_t *finding, struct alert *ret_alert, struct err *err) must_check;
