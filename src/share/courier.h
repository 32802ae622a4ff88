/* The courier: the one process that talks to mail servers and to webhooks. It knows no registry and no key of ours; it
 * is handed whole messages and tells what became of each.
 *
 *     keeper -> courier   JOB, DATA... (a message to be sent), ASK (what became of it?), STORED (the outcome is safe)
 *     courier -> keeper   HELLO (a courier began), OUTCOME
 *
 * Once a server has got the end of a message, only its answer tells whether it took it. So a courier is not ended with
 * its hub: it outlives it until it has heard the answers that are still to come, and writes down how far each message
 * got in slots of shared memory (a file) that its successor reads. The successor begins when the file's lock is free.
 * What remains is a courier that is killed itself, or a machine without power, just between the two: that message is
 * sent again under the same Message-ID (RFC 1047 tells why no sender can do better).
 */
#pragma once

#include "core/err.h"
#include "core/option.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	COURIER_MAILS = 8,     /* tried at a time */
	COURIER_WEBHOOKS = 16, /* likewise */
	COURIER_SLOTS = 64,
	COURIER_PACKET_BYTES = 32 << 10,
	COURIER_TEXTS_BYTES = 8 << 10,
	COURIER_BODY_BYTES_MAX = 8 << 20,
	COURIER_ANSWER_BYTES = 256,
};

enum courier_type {
	COURIER_HELLO = 1,
	COURIER_JOB,
	COURIER_DATA,
	COURIER_ASK,
	COURIER_STORED,
	COURIER_OUTCOME,
};

/* In front of every packet. What follows: JOB the texts below, each with its zero; DATA bytes of the body; OUTCOME the
 * answer. */
struct courier_head {
	uint32_t type;
	uint32_t number; /* of the attempt */
	int64_t message;
	uint32_t channel; /* JOB: enum notice_channel */
	uint32_t bytes;   /* JOB: of the whole body */
	int32_t result;   /* OUTCOME: enum attempt_result */
	int32_t code;     /* OUTCOME: of the server; 0: none */
	uint32_t server;  /* OUTCOME: 1: it is the server, not this message, that is in trouble */
	uint32_t unused;
};

/* Of a mail: address, envelope sender, "". Of a webhook: URL, headers in lines, "". */
enum courier_text { COURIER_ADDRESS, COURIER_ENVELOPE, COURIER_TEXTS };

enum courier_phase {
	PHASE_FREE,
	PHASE_STARTED, /* the server has not got all of it */
	PHASE_ENDING,  /* it may have got all of it */
	PHASE_DONE,    /* the outcome is known and not yet stored */
};

struct courier_slot {
	_Atomic uint32_t phase; /* enum courier_phase; written last */
	uint32_t number;
	int64_t message;
	int32_t result, code;
	uint32_t server;
	char answer[COURIER_ANSWER_BYTES];
};

struct courier_slots {
	struct courier_slot slots[COURIER_SLOTS];
};

enum courier_tls { COURIER_TLS_REQUIRED, COURIER_TLS_OFFERED, COURIER_TLS_NEVER };

struct courier_setup {
	int fd;            /* its end of the pair */
	int slots_fd;      /* the file, of sizeof(struct courier_slots) */
	const char *relay; /* "smtp://host:port" or "smtps://..."; NULL: there is none */
	const char *relay_user, *relay_password, *relay_ca; /* NULL: none; the system's */
	const char *hello;                                  /* what it calls itself there */
	enum courier_tls relay_tls;
	const char *webhook_ca;
	struct prefix_list webhook_allow, webhook_refuse; /* besides what no webhook may reach */
	bool unconfined;
	uid_t uid;
	gid_t gid;
};

/* Open (and make) the slots' file. */
int courier_slots_open(const char *path, int *ret_fd, struct err *err) must_check;
/* A child's main: until its keeper and its hub are gone, or SIGTERM. */
int courier_run(const struct courier_setup *setup, struct err *err) must_check;
