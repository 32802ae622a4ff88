/* Notices at the size of a country: findings of 1,000 members become notices, messages and files in the drop, in a
 * process that is killed each second. At the end every finding must stand in exactly one file.
 *
 *   bench_notices [--findings N] [--members N] [--quiet]
 *
 * N is 100,000 and 1,000 (the figures of the specification). What is killed begins again with the findings of the last
 * transaction that it cannot be sure of, as a keeper does that reads its store. --quiet kills nothing, for the plain
 * speed.
 */
#include "core/clock.h"
#include "share/dispatch.h"
#include "share/notifier.h"
#include "store/members.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 500, LIFE_MS = 1000 };

static const char rules_text[] = "all:\n  tell: at-once\n  gather: 1s\n  channels: [csv]\n  verify: 24h\n";
static char dir[] = "/var/tmp/yagura-notices-XXXXXX", drop[sizeof dir + 8];
static unsigned findings = 100000, members = 1000;
/* Shared with the processes that die: how many findings were taken for certain. */
static _Atomic unsigned *taken;

static void fail(const char *what, const struct err *err)
{
	fprintf(stderr, "bench_notices: %s: %s\n", what, err->text);
	_exit(1);
}

static void members_make(struct registry *registry)
{
	const struct members_change how = {.who = "bench", .now_ns = clock_now_ns()};
	struct err err = {""};
	json_t *entries = json_array(), *report = NULL;
	for (unsigned i = 0; i < members; i++)
		json_array_append_new(entries, json_pack("{s:i, s:{s:o, s:o, s:s}}", "line", (int)i + 1, "member",
							 "key", json_sprintf("m%u", i), "name",
							 json_sprintf("Member %u", i), "kind", "municipality"));
	if (registry_members_change(registry, entries, &how, &report, &err) < 0)
		fail("members", &err);
	json_decref(entries);
	json_decref(report);
}

static void some_take(struct registry *registry, unsigned first, unsigned count)
{
	static struct notice_finding batch[AT_ONCE];
	static char subjects[AT_ONCE][32];
	struct err err = {""};
	int64_t now = clock_now_ns();
	for (unsigned i = 0; i < count; i++) {
		unsigned number = first + i;
		snprintf(subjects[i], sizeof subjects[i], "10.%u.%u.%u", number >> 16, number >> 8 & 255, number & 255);
		batch[i] = (struct notice_finding){.id = subjects[i],
						   .type = "livenet",
						   .verdict = "infected",
						   .subject = subjects[i],
						   .rule = "livenet.infected",
						   .ground = "{\"tool\":\"mirai\"}",
						   .member = number % members + 1,
						   .severity = 2,
						   .time_ns = 1,
						   .first_ns = 1,
						   .last_ns = 1,
						   .packets = 1};
	}
	if (notices_begin(registry, &err) < 0 || notices_take(registry, batch, count, now, &err) < 0 ||
	    notices_commit(registry, &err) < 0)
		fail("take", &err);
	unsigned sure = atomic_load(taken);
	if (first + count > sure)
		atomic_store(taken, first + count);
}

/* A life: takes up where the last one may have been, and works until all is told or it is killed. */
static void live(void)
{
	const struct notifier_options told = {.url = "https://hub.example", .mail_domain = "hub.example"};
	const struct dispatch_options sending = {.drop = drop};
	struct registry *registry = NULL, *shared = NULL;
	struct dispatch *dispatch = NULL;
	struct messages *messages = NULL;
	struct notice_rules rules;
	struct err err = {""};
	struct pool *pool = pool_new(NULL, "bench");
	int pair[2], result = socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	if (result == 0)
		result = registry_open(dir, &registry, &err);
	if (result == 0)
		result = registry_open(dir, &shared, &err);
	if (result == 0)
		result = notice_rules_parse("rules", rules_text, sizeof rules_text - 1, pool, &rules, &err);
	if (result == 0)
		result = messages_open(DATA_DIR "/messages", pool, &messages, &err);
	if (result == 0)
		result = dispatch_open(pair[0], &sending, &dispatch, &err);
	if (result < 0)
		fail("begin", &err);
	struct notifier *notifier = notifier_new(registry, shared, &told);
	notifier_set(notifier, &rules, messages);
	dispatch_registry(dispatch, registry);
	unsigned next = atomic_load(taken) > AT_ONCE ? atomic_load(taken) - AT_ONCE : 0;
	for (int64_t due = 0; next < findings || due != INT64_MAX;) {
		unsigned count = findings - next < AT_ONCE ? findings - next : AT_ONCE;
		if (count)
			some_take(registry, next, count);
		next += count;
		int told_more = notifier_round(notifier, clock_now_ns(), &err);
		int sent_more = dispatch_round(dispatch, clock_now_ns(), &err);
		if (told_more < 0 || told_more == 2 || sent_more < 0)
			fail("round", &err);
		if (notices_next(registry, &due, &err) < 0)
			fail("next", &err);
		if (!count && !told_more && !sent_more && due != INT64_MAX)
			usleep(5000);
	}
	_exit(0);
}

/* Lines of all files that members got, and how many of them are told twice. */
static void files_count(unsigned *ret_lines, unsigned *ret_twice, unsigned *ret_files)
{
	uint8_t *met = calloc(findings, 1);
	char path[512], line[1024];
	*ret_lines = *ret_twice = *ret_files = 0;
	for (unsigned m = 0; m < members; m++) {
		snprintf(path, sizeof path, "%s/m%u", drop, m);
		DIR *of = opendir(path);
		for (struct dirent *entry; of && (entry = readdir(of));) {
			unsigned a, b, c;
			snprintf(path, sizeof path, "%s/m%u/%.200s", drop, m, entry->d_name);
			FILE *file = strstr(entry->d_name, ".csv") ? fopen(path, "re") : NULL;
			*ret_files += file != NULL;
			while (file && fgets(line, sizeof line, file)) {
				const char *at = strstr(line, ",10.");
				if (!at || sscanf(at, ",10.%u.%u.%u", &a, &b, &c) != 3)
					continue;
				*ret_lines += 1;
				unsigned number = a << 16 | b << 8 | c;
				*ret_twice += number >= findings || met[number]++ > 0;
			}
			if (file)
				fclose(file);
		}
		if (of)
			closedir(of);
	}
	free(met);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	return remove(path);
}

int main(int argc, char **argv)
{
	struct registry *registry = NULL;
	struct err err = {""};
	bool quiet = false;
	for (int i = 1; i < argc; i++) {
		quiet = quiet || strcmp(argv[i], "--quiet") == 0;
		if (i + 1 < argc && strcmp(argv[i], "--findings") == 0)
			findings = (unsigned)atoi(argv[i + 1]);
		else if (i + 1 < argc && strcmp(argv[i], "--members") == 0)
			members = (unsigned)atoi(argv[i + 1]);
	}
	if (!mkdtemp(dir) || registry_open(dir, &registry, &err) < 0)
		fail(dir, &err);
	snprintf(drop, sizeof drop, "%s/drop", dir);
	members_make(registry);
	registry_close(registry);
	taken = mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned lives = 0, lines, twice, files;
	int status = -1;
	int64_t begin = clock_monotonic_ns();
	for (; status != 0; lives++) {
		pid_t pid = fork();
		if (pid == 0)
			live();
		int64_t until = clock_monotonic_ns() + LIFE_MS * NS_PER_MS;
		while (waitpid(pid, &status, quiet ? 0 : WNOHANG) == 0) {
			if (clock_monotonic_ns() > until)
				kill(pid, SIGKILL);
			usleep(2000);
		}
		if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
			return 1;
	}
	double seconds = (double)(clock_monotonic_ns() - begin) / 1e9;
	files_count(&lines, &twice, &files);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	printf("%u findings of %u members told in %u files: %u told, %u lost, %u twice; %u kills, %.1f s, %.0f "
	       "findings/s (goal and floor: none lost, none twice)\n",
	       findings, members, files, lines - twice, findings - (lines - twice), twice, lives - 1, seconds,
	       findings / seconds);
	return lines == findings && twice == 0 ? 0 : 1;
}
