/* yagura share bgp: a collection's addresses as routes. Printed for whichever daemon; or announced through a BIRD that
 * runs already and includes the file this writes: whenever the collection, the members or time change the routes, the
 * file is replaced and BIRD reads it. BIRD compares old and new itself, so that what stays is not announced again.
 */
#include "cli/command_share.h"

#include "cli/bird.h"
#include "cli/command_indicator.h"
#include "cli/command_share_for.h"
#include "core/clock.h"
#include "core/log.h"
#include "share/output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 100, ROUTES_TEXT_BYTES_MAX = 256 << 20 };

#define AT(field) OPTION_AT(struct share_bgp_options, field)

const struct option_spec share_bgp_option_table[] = {
	{"data", OPTION_PATH, AT(output.data), "run-data", .argument = "DIR", .help = "data directory of the hub",
	 .help_ja = "ハブのデータディレクトリ"},
	{"score", OPTION_INT, AT(output.score), "0", .max = 100, .argument = "N",
	 .help = "only those whose confidence after decay is at least this",
	 .help_ja = "減衰後の確度がこの値以上のものだけ"},
	{"for", OPTION_TEXT, AT(output.whom), .argument = "MEMBER",
	 .help = "only what this member may see; a receipt is left in the audit log",
	 .help_ja = "この組織に見せてよいものだけ。監査記録に受領の記録を残す"},
	{"name", OPTION_TEXT, AT(output.name), "yagura", .argument = "NAME",
	 .help = "what BIRD's protocols and tables are called, before _v4, _v6, _flow4, _flow6",
	 .help_ja = "BIRD のプロトコルとテーブルの名前(_v4・_v6・_flow4・_flow6 が付く)"},
	{"daemon", OPTION_CHOICE, AT(output.format), "bird", .choices = "bird|frr|gobgp",
	 .help = "whose language the routes are written in", .help_ja = "経路を書き出す BGP デーモン"},
	{"form", OPTION_CHOICE, AT(form), "blackhole", .choices = "blackhole|flowspec",
	 .help = "drop what goes there (RFC 7999), or by rules what goes there and comes from there (RFC 8955)",
	 .help_ja = "宛先として捨てる(RFC 7999)か、規則により宛先・送信元とも捨てる(RFC 8955)"},
	{"announce", OPTION_PATH, AT(announce), .argument = "FILE",
	 .help = "keep this file, which BIRD's configuration includes, as the collection is, and BIRD with it",
	 .help_ja = "BIRD の設定が include するこのファイルをコレクションに合わせ続け、BIRD に読ませる"},
	{"control", OPTION_PATH, AT(control), "/run/bird/bird.ctl", .argument = "SOCKET",
	 .help = "control socket of BIRD", .help_ja = "BIRD の制御ソケット"},
	{"keep", OPTION_FLAG, AT(keep),
	 .help = "leave the routes when this command is ended, instead of withdrawing them",
	 .help_ja = "終了時に経路を取り下げず残す"},
	{"shortest-v4", OPTION_INT, AT(bits_v4), "32", .min = 8, .max = 32, .argument = "BITS",
	 .help = "no IPv4 prefix shorter than this", .help_ja = "これより短い IPv4 プレフィックスは広告しない"},
	{"shortest-v6", OPTION_INT, AT(bits_v6), "128", .min = 16, .max = 128, .argument = "BITS",
	 .help = "no IPv6 prefix shorter than this", .help_ja = "これより短い IPv6 プレフィックスは広告しない"},
	{"most", OPTION_INT, AT(most), "1000", .min = 1, .max = 1000000, .argument = "N",
	 .help = "at most so many addresses; those that came first stay", .help_ja = "最大件数。先に入ったものが優先"},
	{"protect", OPTION_PREFIXES, AT(protect), .argument = "PREFIX...",
	 .help = "networks that are never announced, beside those of members",
	 .help_ja = "会員の網のほかに、決して広告しない網"},
	{"allow", OPTION_PREFIXES, AT(allow), .argument = "PREFIX...",
	 .help = "private and other special networks that may be announced all the same",
	 .help_ja = "プライベート等の特別な網のうち広告を許すもの"},
	{"warninglists", OPTION_PATH, AT(warninglists), .argument = "DIR",
	 .help = "warning lists of what is well known and harmless; without it those of the program and "
		 "DATA/warninglists",
	 .help_ja = "よく知られた無害な値の一覧のディレクトリ。省略時は付属のものと DATA/warninglists"},
	{NULL},
};

struct announcing {
	struct output output;
	const struct share_bgp_options *options;
	struct share_for *whom;
	struct registry *registry;
	struct route_limits limits;
	struct member_prefix *members;
	uint64_t members_version;
	struct route_guard *guard;
	bool shown; /* the collection is there for whom it is */
	int64_t generation;
	struct output_result written;
};

static volatile sig_atomic_t ended;

static void end_note(int number)
{
	(void)number;
	ended = 1;
}

/* The limits with the members of now. */
static int guard_load(struct announcing *announcing, struct err *err)
{
	struct member_prefix *members = NULL;
	size_t count = 0;
	uint64_t version = 0;
	struct route_guard *guard = NULL;
	int result = registry_member_prefixes(announcing->registry, clock_now_ns(), &members, &count, &version, err);
	if (result < 0)
		return result;
	free(announcing->members);
	announcing->members = members;
	announcing->limits.members = members;
	announcing->limits.member_count = count;
	result = route_guard_new(&announcing->limits, &guard, err);
	if (result < 0)
		return result;
	route_guard_free(announcing->guard);
	announcing->guard = guard;
	announcing->output.guard = guard;
	announcing->members_version = version;
	return 0;
}

static int file_replace(const char *path, const struct whole_text *text, struct err *err)
{
	char part[4096];
	snprintf(part, sizeof part, "%s.part", path);
	FILE *file = fopen(part, "we");
	if (!file)
		return err_set(err, -errno, "%s: %s", part, strerror(errno));
	bool whole = fwrite(text->bytes ? text->bytes : "", 1, text->count, file) == text->count && fflush(file) == 0 &&
		     fsync(fileno(file)) == 0;
	whole = fclose(file) == 0 && whole;
	if (!whole || rename(part, path) < 0) {
		int code = err_set(err, errno ? -errno : -EIO, "%s: %s", path, strerror(errno));
		unlink(part);
		return code;
	}
	return 0;
}

/* The file as the collection is now; without a route when `none`. */
static int routes_write(struct announcing *announcing, bool none, struct err *err)
{
	struct whole_text text = {.most = ROUTES_TEXT_BYTES_MAX};
	struct output output = announcing->output;
	output.guard = none ? NULL : announcing->guard;
	int result = none ? 0 : share_for_tell(announcing->whom, &output, "bgp", err);
	if (result == 0)
		result = output_write(&output, whole_text_add, &text, &announcing->written, err);
	if (result == 0)
		result = file_replace(announcing->options->announce, &text, err);
	free(text.bytes);
	return result;
}

/* 1: the file was written anew. 0: it holds still. */
static int routes_look(struct announcing *announcing, struct err *err)
{
	struct output *output = &announcing->output;
	int64_t generation;
	uint64_t members = 0;
	output->now_ns = clock_now_ns();
	int looked = share_for_look(announcing->whom, output, err);
	bool shown = looked != -ENOENT; /* what is no more for them is withdrawn */
	int result = looked < 0 && shown ? looked : indicators_generation(output->store, &generation, err);
	if (result == 0)
		result = registry_members_version(announcing->registry, &members, err);
	if (result < 0)
		return result;
	if (looked != 1 && shown == announcing->shown && generation == announcing->generation &&
	    members == announcing->members_version && output->now_ns < announcing->written.good_until_ns)
		return 0;
	if (members != announcing->members_version)
		result = guard_load(announcing, err);
	if (result == 0)
		result = routes_write(announcing, !shown, err);
	announcing->generation = generation;
	announcing->shown = shown;
	return result < 0 ? result : 1;
}

static void announced_say(const struct announcing *announcing)
{
	const uint64_t *verdicts = announcing->written.verdicts;
	uint64_t refused = 0;
	for (int i = ROUTE_PASSES + 1; i < ROUTE_VERDICTS; i++)
		refused += verdicts[i];
	LOG(LOG_INFO, "bgp.announced", announcing->options->announce, LOG_NUMBER("routes", verdicts[ROUTE_PASSES]),
	    LOG_NUMBER("refused", refused), LOG_NUMBER("protected", verdicts[ROUTE_PROTECTED]),
	    LOG_NUMBER("too_many", verdicts[ROUTE_TOO_MANY]));
}

static int routes_follow(struct announcing *announcing, struct err *err)
{
	const char *control = announcing->options->control;
	bool unread = false, told = false;
	while (!ended) {
		struct err refusal = {""};
		int looked = routes_look(announcing, err);
		if (looked < 0)
			return looked;
		unread = unread || looked == 1;
		told = told && looked == 0;
		if (unread && bird_configure(control, &refusal) == 0) {
			announced_say(announcing);
			unread = false;
		} else if (unread && !told) {
			LOG(LOG_ERROR, "bgp.not_announced", refusal.text);
			told = true;
		}
		usleep(LOOK_MS * 1000);
	}
	if (announcing->options->keep)
		return 0;
	int result = routes_write(announcing, true, err);
	return result < 0 ? result : bird_configure(control, err);
}

static int announce(const struct share_output_options *options, struct output *output, struct share_for *whom,
		    struct err *err)
{
	struct announcing *announcing = (struct announcing *)output;
	const struct sigaction note = {.sa_handler = end_note};
	(void)options;
	announcing->whom = whom;
	announcing->generation = -1;
	log_setup("bgp", LOG_INFO, -1);
	sigaction(SIGTERM, &note, NULL);
	sigaction(SIGINT, &note, NULL);
	return routes_follow(announcing, err);
}

/* What the options of one another demand. */
static int options_check(const struct share_bgp_options *options, struct err *err)
{
	const char *name = options->output.name;
	if (options->announce && options->output.format != ROUTE_BIRD)
		return err_set(err, -EINVAL, "--announce: only BIRD is kept up to date; for others print the routes");
	if (options->output.format == ROUTE_FRR && options->form == ROUTE_FLOWSPEC)
		return err_set(err, -EINVAL, "--form flowspec: FRR announces no rules of its own; take bird or gobgp");
	if (options->output.format == ROUTE_BIRD && strpbrk(name, ".-"))
		return err_set(err, -EINVAL, "--name: BIRD's names have letters, digits and '_'");
	return 0;
}

int command_share_bgp(const struct command_call *call, struct err *err)
{
	const struct share_bgp_options *options = call->options;
	struct warning_lists *warnings = NULL;
	struct announcing announcing = {.output = {.format = (enum output_format)(OUTPUT_BIRD + options->output.format),
						   .kind = -1,
						   .routes = (enum route_form)options->form},
					.options = options,
					.limits = {.bits_v4 = (unsigned)options->bits_v4,
						   .bits_v6 = (unsigned)options->bits_v6,
						   .most = (size_t)options->most,
						   .protect = &options->protect,
						   .allow = &options->allow}};
	if (options_check(options, err) < 0)
		return EXIT_USAGE;
	if (access(options->output.data, F_OK) < 0)
		return err_set(err, EXIT_FAILED,
			       "%s: there is no such directory; --data DIR names the hub's data directory",
			       options->output.data);
	int result = command_warnings_open(options->output.data, options->warninglists, call->pool, &warnings, err);
	announcing.limits.warnings = warnings;
	if (result == 0)
		result = registry_open(options->output.data, &announcing.registry, err);
	if (result == 0)
		result = guard_load(&announcing, err);
	int status = result == 0 ? command_output(call, &announcing.output, options->announce ? announce : NULL, err)
				 : EXIT_FAILED;
	route_guard_free(announcing.guard);
	free(announcing.members);
	registry_close(announcing.registry);
	warning_lists_free(warnings);
	return status;
}
