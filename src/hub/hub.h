/* The hub: one command that observes, analyses, stores, answers and shows. hub_run() is its parent process: it opens
 * what needs privilege, forks keeper, front and sensors, restarts what dies, and reads no stranger's byte itself.
 */
#pragma once

#include "analyze/livenet.h"
#include "core/err.h"
#include "core/module.h"
#include "core/option.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HUB_VERSION "0.1.0"

enum hub_guest { HUB_GUEST_NONE, HUB_GUEST_VIEWER, HUB_GUEST_ANALYST };

/* How notices are told: see share/dispatch.h and share/courier.h. */
struct notice_options {
	const char *texts; /* directory with notices/rules.yaml and messages/; NULL: no notices are made */
	const char *mail_relay, *mail_from, *mail_reply_to, *mail_user, *mail_password_file, *mail_ca, *mail_hello;
	int64_t mail_tls; /* enum courier_tls */
	const char *dkim_key, *dkim_selector, *dkim_domain;
	const char *webhook_ca, *drop;
	struct prefix_list webhook_allow, webhook_refuse;
};

struct hub_options {
	const char *data;         /* directory; made when missing, 0700 */
	const char *listen;       /* ADDR:PORT or [ADDR]:PORT; port 0: any */
	const char *public_url;   /* what links start with; NULL: made from listen */
	const char *web;          /* directory of the built pages; NULL: none */
	const char *warninglists; /* directory of warning lists that come with the program; NULL: none */
	const char *deps;         /* directory of place and network databases; NULL: none */
	const char *tls_cert, *tls_key;
	const char *user; /* to become when started as root; NULL: stay */
	int64_t guest;    /* enum hub_guest */
	bool public_statistics;
	bool unconfined;

	struct livenet_options livenet;
	struct notice_options notice;
	struct store_options store; /* its dir is set from `data` */
};

struct prefix_board;

/* For the command line: to be joined with store_option_table (at `store`), livenet_option_table (at `livenet`), the
 * notices' (at `notice`) and the options of its sensors. */
extern const struct option_spec hub_option_table[], notice_option_table[];

/* A sensor that runs as a child of the hub. All of it is borrowed until hub_run() returns. */
struct hub_sensor {
	const struct module *module;
	const void *options;           /* the module's struct, checked */
	const char *name;              /* shown to people; NULL: the module's name */
	const char *const *read_paths; /* NULL-terminated: what it may go on opening when confined; NULL: nothing */
	bool live;                     /* its packets are of now: latency is measured, a full ring drops */
};

/* A process of its own that keeps its records itself. It opens, confines (and becomes `uid` when that is not 0) and
 * works until SIGTERM. */
struct hub_service {
	const char *name;
	int (*run)(void *context, uid_t uid, gid_t gid, struct err *err);
	void *context;
};
enum { HUB_SERVICES_MAX = 4 };

/* The archive of flows, in the data directory. */
#define HUB_FLOW_DIR "flow"

struct hub_setup {
	const char *mode; /* "simulate", "capture" or "live": shown in /status */
	const struct hub_sensor *sensors;
	size_t sensor_count, service_count;
	const struct hub_service *services;
	const struct module *const *modules; /* NULL-terminated: what GET /modules describes; may be NULL */
	struct prefix_board *members;        /* that the sensors read and the keeper writes; may be NULL */
	const struct prefix_list *darknet;   /* shown, and the denominator of the yearly report */
	const char *darknet_label;
	const char *first_members; /* CSV or JSON: whom a registry that never knew a member begins with; may be NULL */
	size_t first_members_bytes;
	double darknet_latitude, darknet_longitude; /* where the darknet is drawn on the map */
};

/* Works until SIGTERM or SIGINT: 0. Negative when it cannot start: -EBUSY the data directory is another hub's,
 * -EADDRINUSE, -ENOTSUP the kernel cannot confine ... */
int hub_run(const struct hub_options *options, const struct hub_setup *setup, struct err *err) must_check;
