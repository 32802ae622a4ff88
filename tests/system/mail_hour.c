/* Notices to a mail server that is away for an hour, by a clock of our own: the notifier, the dispatch and the courier
 * as the hub runs them, the server a real one.
 *
 *   mail_hour DIR RELAY CA MINUTES
 *
 * Twenty members have a finding each. Prints "away" when MINUTES have gone by on that clock and waits for a line on
 * standard input (now the server is there), and "told MINUTE" when nothing is left to be sent.
 */
#include "core/clock.h"
#include "share/courier.h"
#include "share/dispatch.h"
#include "share/notifier.h"
#include "store/members.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMBERS = 20, STEP_S = 5, LIMIT_MINUTES = 6 * 60 };

static const char rules_text[] = "all:\n  tell: at-once\n  gather: 1s\n  channels: [mail]\n  verify: 24h\n";

static void check(int result, const char *what, const struct err *err)
{
	if (result >= 0)
		return;
	fprintf(stderr, "mail_hour: %s: %s\n", what, err->text);
	exit(1);
}

static void findings_take(struct registry *registry, int64_t now_ns)
{
	const struct members_change how = {.who = "test", .now_ns = now_ns};
	struct err err = {""};
	json_t *entries = json_array(), *report = NULL;
	for (int i = 0; i < MEMBERS; i++)
		json_array_append_new(entries, json_pack("{s:i, s:{s:o, s:o, s:s, s:[{s:s, s:s, s:o, s:s}]}}", "line",
							 i + 1, "member", "key", json_sprintf("m%d", i), "name",
							 json_sprintf("Member %d", i), "kind", "municipality",
							 "contacts", "role", "security", "name", "Desk", "mail",
							 json_sprintf("soc@m%d.example", i), "language", "en"));
	check(registry_members_change(registry, entries, &how, &report, &err), "members", &err);
	json_decref(entries);
	json_decref(report);
	check(notices_begin(registry, &err), "begin", &err);
	for (int i = 0; i < MEMBERS; i++) {
		char subject[32];
		snprintf(subject, sizeof subject, "203.0.113.%d", i);
		const struct notice_finding finding = {.id = subject,
						       .type = "livenet",
						       .verdict = "infected",
						       .subject = subject,
						       .rule = "livenet.infected",
						       .ground = "{\"tool\":\"mirai\"}",
						       .member = (unsigned)i + 1,
						       .severity = 2,
						       .time_ns = now_ns,
						       .first_ns = now_ns,
						       .last_ns = now_ns,
						       .packets = 1};
		check(notices_take(registry, &finding, 1, now_ns, &err), "take", &err);
	}
	check(notices_commit(registry, &err), "commit", &err);
}

static pid_t courier_start(int fd, const char *dir, const char *relay, const char *ca)
{
	char path[4096];
	struct err err = {""};
	struct courier_setup setup = {.fd = fd,
				      .relay = relay,
				      .relay_ca = ca,
				      .hello = "hub.example",
				      .relay_tls = COURIER_TLS_REQUIRED,
				      .unconfined = true,
				      .uid = getuid(),
				      .gid = getgid()};
	snprintf(path, sizeof path, "%s/courier.slots", dir);
	check(courier_slots_open(path, &setup.slots_fd, &err), path, &err);
	pid_t pid = fork();
	if (pid == 0)
		_exit(courier_run(&setup, &err) < 0); /* confined: not to be looked through for leaks */
	close(setup.slots_fd);
	return pid;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	const struct dispatch_options sending = {.from = "Yagura <watch@yagura.example>", .relay = true};
	const struct notifier_options told = {.url = "https://hub.example", .mail_domain = "yagura.example"};
	struct registry *registry = NULL, *shared = NULL;
	struct dispatch *dispatch = NULL;
	struct messages *messages = NULL;
	struct notice_rules rules;
	struct err err = {""};
	struct pool *pool = pool_new(NULL, "mail_hour");
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return 1;
	pid_t courier = courier_start(pair[0], argv[1], argv[2], argv[3]);
	close(pair[0]);
	check(registry_open(argv[1], &registry, &err), argv[1], &err);
	check(registry_open(argv[1], &shared, &err), argv[1], &err);
	check(notice_rules_parse("rules", rules_text, sizeof rules_text - 1, pool, &rules, &err), "rules", &err);
	check(messages_open(DATA_DIR "/messages", pool, &messages, &err), "messages", &err);
	check(dispatch_open(pair[1], &sending, &dispatch, &err), "dispatch", &err);
	struct notifier *notifier = notifier_new(registry, shared, &told);
	notifier_set(notifier, &rules, messages);
	dispatch_registry(dispatch, registry);

	const int64_t begin_ns = clock_now_ns(), away = atoi(argv[4]);
	int64_t now_ns = begin_ns, due_ns = 0;
	findings_take(registry, now_ns);
	for (bool asked = false; due_ns != INT64_MAX || dispatch_flying(dispatch);) {
		int told_more = notifier_round(notifier, now_ns, &err);
		check(told_more, "notifier", &err);
		int sent_more = dispatch_round(dispatch, now_ns, &err);
		check(sent_more, "dispatch", &err);
		check(notices_next(registry, &due_ns, &err), "next", &err);
		if (told_more || sent_more)
			continue;
		if (dispatch_flying(dispatch)) { /* the courier has the real time */
			struct pollfd heard = {.fd = pair[1], .events = POLLIN};
			if (poll(&heard, 1, 60000) <= 0)
				check(-1, "the courier says nothing", &err);
			continue;
		}
		now_ns += STEP_S * NS_PER_S;
		int64_t minute = (now_ns - begin_ns) / NS_PER_MINUTE;
		if (!asked && minute >= away) {
			printf("away\n");
			fflush(stdout);
			asked = getchar() != EOF;
		}
		if (minute > LIMIT_MINUTES)
			check(-1, "still not told", &err);
	}
	printf("told %" PRId64 "\n", (now_ns - begin_ns) / NS_PER_MINUTE);
	dispatch_close(dispatch);
	notifier_free(notifier);
	registry_close(shared);
	registry_close(registry);
	pool_free(pool);
	close(pair[1]);
	kill(courier, SIGTERM);
	return waitpid(courier, NULL, 0) == courier ? 0 : 1;
}
