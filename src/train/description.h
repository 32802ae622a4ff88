/* What a simulation is told to make: the YAML of data/simulate read into plain structs.
 *
 * The schema is a table of fields (description.c); unknown names, wrong types and impossible combinations are refused
 * with file and line. Rates are packets per second at the whole darknet, of the class as a whole, mean over a day.
 */
#pragma once

#include "core/err.h"
#include "core/memory.h"
#include "core/option.h"
#include "record/kind.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a class stands in the file; says which fields it may have. */
enum section {
	SECTION_POPULATIONS,
	SECTION_SCANNERS,
	SECTION_ATTACKS,
	SECTION_INFECTIONS, /* each host for a while, then it is cleaned */
	SECTION_HOSTS,
	SECTION_NOISE,
	SECTIONS
};

/* What makes the packets. Indexes into sender_names. */
enum sender {
	SENDER_MIRAI,
	SENDER_MASSCAN,
	SENDER_ZMAP,
	SENDER_NMAP,
	SENDER_UNICORNSCAN,
	SENDER_LINUX,   /* an ordinary Linux stack that connects */
	SENDER_WINDOWS, /* an ordinary Windows stack that connects */
	SENDER_PLAIN,   /* a scanner of its own: bare SYN, window as told */
	SENDER_UDP,     /* payload by port */
	SENDER_PING,    /* ICMP echo requests */
	SENDER_SPOOFED, /* noise, see enum spoof */
	SENDER_ANSWER,  /* attacks: what victims answer */
	SENDERS,
};
extern const char *const sender_names[];

enum spoof { SPOOF_TTL, SPOOF_EDGE, SPOOF_PROTOCOL, SPOOF_PORT_ZERO, SPOOFS };
extern const char *const spoof_names[];

/* What a victim, or a router before it, sends to the darknet. */
enum answer {
	ANSWER_SYN_ACK,
	ANSWER_RST,            /* RST+ACK of a closed port */
	ANSWER_PORT_UNREACHED, /* ICMP 3/3, ICMPv6 1/4: from the victim, quoting */
	ANSWER_HOST_UNREACHED, /* ICMP 3/1, ICMPv6 1/3: from a router, quoting */
	ANSWER_FILTERED,       /* ICMP 3/13, ICMPv6 1/1: from a router, quoting */
	ANSWER_TIME_EXCEEDED,  /* ICMP 11/0, ICMPv6 3/0: from a router, quoting */
	ANSWER_ECHO_REPLY,     /* ICMP 0, ICMPv6 129 */
	ANSWER_DNS,            /* UDP 53 response */
	ANSWER_NTP,            /* UDP 123 server or private-mode response */
	ANSWER_MEMCACHED,      /* UDP 11211 */
	ANSWER_SSDP,           /* UDP 1900 */
	ANSWERS,
};
extern const char *const answer_names[];

/* Versions that change the packet; the text of the file is kept for the truth. */
enum sender_version { VERSION_ONLY, VERSION_OLD, VERSION_NEW, VERSION_MINIMAL };

struct port_choice {
	uint8_t protocol; /* 6, 17; 1 for any ICMP */
	uint8_t payload;  /* UDP: index into udp_payloads */
	uint16_t low, high;
	double weight;
};

struct country_share {
	char code[3];
	double weight;
};

struct mix {
	const char *name;
	struct country_share *shares;
	size_t count;
};

struct traffic_class {
	enum section section;
	const char *name;
	int64_t sender;
	const char *version; /* NULL: not told */
	enum sender_version form;
	const char *maker, *organisation, *ptr;
	const char *payload_name; /* NULL: by port */
	struct mix mix;           /* countries, or count 0: */
	struct prefix_list prefixes;
	bool anywhere; /* sources from all over the address space (noise) */
	bool survey;
	int64_t ip; /* 4, 6 */
	int64_t devices;
	double rate;
	struct port_choice *ports;
	size_t port_count;
	bool has_duty;
	double duty_low, duty_peak; /* least share of the peak; local hour of the peak */
	bool has_growth;
	int64_t growth_initial;
	double growth_per_hour;        /* infections an infected device causes an hour, at first */
	double start, duration, every; /* seconds; negative: that share of the run. every 0: once */
	int64_t parallel;
	double answers[ANSWERS]; /* weights */
	int64_t spoof;
	int64_t window; /* -1: the sender's own */
	int line;
};

struct description {
	const char *path, *name, *summary;
	const char *members; /* path of the file of those whose addresses they are; NULL: none */
	struct prefix_list darknet;
	double packets_per_second; /* 0: the sum of the classes */
	struct mix *mixes;
	size_t mix_count;
	struct traffic_class *classes;
	size_t class_count;
};

/* Ceilings of a description: whoever writes one cannot make the generator outgrow the machine. */
enum {
	DESCRIPTION_BYTES_MAX = 1 << 20,
	DESCRIPTION_CLASSES_MAX = 1024,
	DESCRIPTION_COUNTRIES_MAX = 256,
	DESCRIPTION_PORTS_MAX = 4096,
	DESCRIPTION_DEVICES_MAX = 50 * 1000 * 1000,
};

/* Everything is kept in `pool`. -EINVAL "file:line: sentence"; -ENOENT and other errno of the file. */
int description_read(const char *path, struct pool *pool, struct description *ret_description,
		     struct err *err) must_check;
/* The same from memory; `where` names it in sentences. */
int description_parse(const char *where, const char *yaml, size_t bytes, struct pool *pool,
		      struct description *ret_description, struct err *err) must_check;

/* Whether one host after another sends, each for the class's duration. */
bool traffic_by_turns(const struct traffic_class *class);
/* The kind and tool that the rules of the telescope give this class's packets on that port. */
enum packet_kind traffic_kind(const struct traffic_class *class, const struct port_choice *port);
enum scan_tool traffic_tool(const struct traffic_class *class);
