/* The keeper: opens places, confines itself, opens store and registry, starts its threads, runs the schedule, and
 * closes in order when it is told to end.
 */
#include "hub/keeper.h"

#include "analyze/finding.h"
#include "core/clock.h"
#include "core/log.h"
#include "hub/api_feeds.h"
#include "hub/api_sharing.h"
#include "hub/api_taxii.h"
#include "hub/desk.h"
#include "hub/keeper_alerts.h"
#include "hub/keeper_notices.h"
#include "hub/receipts.h"
#include "share/members.h"
#include "share/text_decode.h"
#include "share/warning.h"
#include "sys/child.h"
#include "sys/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void keeper_alarm(struct keeper *keeper, const char *subject, const char *rule, unsigned severity, bool ended,
		  json_t *ground)
{
	struct findings findings;
	struct err err = {""};
	char id[128];
	snprintf(id, sizeof id, "intake-%s", subject);
	int64_t now = clock_now_ns();
	const struct finding finding = {.id = id,
					.time_ns = now,
					.type = FINDING_INTAKE,
					.severity = (enum severity)severity,
					.subject = subject,
					.first_ns = now,
					.last_ns = now,
					.ended = ended,
					.rule = rule,
					.rule_version = 1};
	if (findings_init(&findings, &keeper->findings) < 0) {
		json_decref(ground);
		return;
	}
	int result = findings_put(&findings, &finding, ground, &err);
	if (result == 0)
		result = findings_flush(&findings, &err);
	if (result < 0)
		LOG(LOG_ERROR, "alarm.lost", err.text);
	findings_done(&findings);
}

/* A sensor that died was restarted by the parent; here it becomes a finding, so that people see it. */
static void sensors_check(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->setup->hub->sensor_count; i++) {
		struct sensor_state *sensor = &keeper->sensors[i];
		uint32_t restarts = atomic_load(&keeper->setup->shared->processes[PROCESS_SENSORS + i].restarts);
		if (restarts == sensor->restarts_seen)
			continue;
		sensor->restarts_seen = restarts;
		char subject[REGISTRY_NAME_BYTES + 16];
		snprintf(subject, sizeof subject, "sensor %s", sensor->name);
		keeper_alarm(keeper, subject, "hub.sensor", SEVERITY_MEDIUM, true,
			     json_pack("{s:i, s:s}", "restarts", (int)restarts, "command", "yagura status"));
	}
}

static void registry_tidy(struct keeper *keeper)
{
	struct err err = {""};
	int gone = registry_clean(keeper->registry, clock_now_ns(), &err);
	if (gone < 0)
		LOG(LOG_ERROR, "registry.clean", err.text);
	else if (gone > 0)
		LOG(LOG_INFO, "registry.cleaned", "sessions and links whose time was over are forgotten",
		    LOG_NUMBER("gone", gone));
}

static void indicators_tidy(struct keeper *keeper)
{
	struct err err = {""};
	uint64_t expired = 0;
	if (indicators_expire(keeper->indicators, clock_now_ns(), &expired, &err) < 0)
		LOG(LOG_ERROR, "indicators.expire", err.text);
	else if (expired > 0)
		LOG(LOG_INFO, "indicators.expired", "indicators whose time was over", LOG_NUMBER("expired", expired));
}

/* Roll-ups each minute; each hour retention, and what signs nobody in any more goes (also at the start: a hub may have
 * been away for long). */
static void *schedule_main(void *context)
{
	struct keeper *keeper = context;
	int64_t rolled = 0, retained = clock_monotonic_ns(), tidied = retained - 2 * NS_PER_HOUR;
	pthread_setname_np(pthread_self(), "schedule");
	while (!atomic_load(&keeper->stop)) {
		struct err err = {""};
		int64_t now = clock_monotonic_ns();
		if (now - rolled > 20 * NS_PER_S) {
			rolled = now;
			if (store_roll_up(keeper->store, clock_now_ns(), &err) < 0)
				LOG(LOG_ERROR, "store.roll_up", err.text);
		}
		if (now - retained > NS_PER_HOUR) {
			retained = now;
			if (store_retain(keeper->store, clock_now_ns(), &err) < 0)
				LOG(LOG_ERROR, "store.retain", err.text);
		}
		if (now - tidied > NS_PER_HOUR) {
			tidied = now;
			registry_tidy(keeper);
			indicators_tidy(keeper);
		}
		sensors_check(keeper);
		usleep(200000);
	}
	return NULL;
}

/* A hub without people in it says how the first one signs in. Also when nobody used the link that was said before. */
static int welcome(struct keeper *keeper, struct err *err)
{
	char token[REGISTRY_TOKEN_BYTES];
	json_t *users = NULL;
	int result = registry_users(keeper->registry, &users, err);
	if (result < 0)
		return result;
	bool fresh = json_array_size(users) == 0;
	if (json_array_size(users) == 1 && !json_is_string(json_object_get(json_array_get(users, 0), "last_login")) &&
	    !json_is_integer(json_object_get(json_array_get(users, 0), "last_login")))
		fresh = true;
	json_decref(users);
	if (!fresh)
		return 0;
	result = registry_link_new(keeper->registry, "admin", clock_now_ns(), LIMIT_LINK_HOURS * NS_PER_HOUR, token,
				   err);
	if (result < 0)
		return result;
	char link[512];
	snprintf(link, sizeof link, "%s/#/welcome?token=%s", keeper->setup->url, token);
	LOG(LOG_INFO, "hub.welcome", "sign in once as administrator with this link", LOG_TEXT("link", link));
	printf("Administrator's one-time link (%d hours): %s\n", LIMIT_LINK_HOURS, link);
	fflush(stdout);
	return 0;
}

static int keeper_confine(const struct keeper_setup *setup, struct err *err)
{
	text_decode_prepare();
	const char *const write_paths[] = {setup->options->data, setup->options->notice.drop, NULL};
	const char *const read_paths[] = {"/etc/localtime", "/usr/share/zoneinfo",     "/proc/self", "/proc/meminfo",
					  "/sys/fs/cgroup", "/sys/devices/system/cpu", NULL};
	const struct confine_policy policy = {.read_paths = read_paths,
					      .write_paths = write_paths,
					      .threads = true,
					      .uid = setup->uid,
					      .gid = setup->gid};
	int result = confine(&policy, setup->options->unconfined, err);
	if (result == 1)
		LOG(LOG_WARNING, "keeper.unconfined", "the kernel lacks Landlock or seccomp; running without");
	return result < 0 ? result : 0;
}

static int warnings_open(struct keeper *keeper, struct err *err)
{
	char own[4096];
	unsigned refused = 0;
	snprintf(own, sizeof own, "%s/warninglists", keeper->setup->options->data);
	const char *const folders[] = {keeper->setup->options->warninglists, own};
	int result = warning_lists_load(folders, 2, &keeper->warnings, &refused, err);
	if (result == 0 && refused > 0)
		LOG(LOG_WARNING, "warninglists.refused", err->text, LOG_NUMBER("refused", refused));
	return result;
}

static int first_members(struct keeper *keeper, struct err *err)
{
	const struct hub_setup *hub = keeper->setup->hub;
	const struct members_change how = {.who = "simulation", .now_ns = clock_now_ns()};
	json_t *entries = NULL, *report = NULL, *before = NULL;
	int result = hub->first_members ? registry_member_history(keeper->registry, 0, 0, 1, &before, err) : 0;
	bool wanted = hub->first_members && json_array_size(before) == 0;
	json_decref(before);
	if (result == 0 && wanted)
		result = members_read(hub->first_members, hub->first_members_bytes, &entries, err);
	if (result == 0 && wanted)
		result = registry_members_change(keeper->registry, entries, &how, &report, err);
	if (result == 1) {
		const json_t *fault = json_array_get(json_object_get(report, "faults"), 0);
		result = err_set(err, -EINVAL, "the simulation's members, line %d: %s",
				 (int)json_integer_value(json_object_get(fault, "line")),
				 json_string_value(json_object_get(fault, "message")));
	}
	json_decref(entries);
	json_decref(report);
	return result;
}

static int keeper_open(struct keeper *keeper, struct err *err)
{
	const struct keeper_setup *setup = keeper->setup;
	int result = places_open_degraded(setup->options->deps, &keeper->places, err);
	if (result > 0)
		LOG(LOG_WARNING, "places.missing", err->text, LOG_NUMBER("missing", result));
	if (result >= 0)
		result = warnings_open(keeper, err);
	if (result >= 0)
		result = keeper_notices_prepare(keeper, &keeper->notices, err);
	if (result >= 0)
		result = keeper_confine(setup, err);
	struct store_options options = setup->options->store;
	options.dir = setup->options->data;
	if (result == 0)
		result = store_open(&options, &keeper->store, err);
	if (result == 0)
		result = registry_open(setup->options->data, &keeper->registry, err);
	if (result == 0)
		result = first_members(keeper, err);
	if (result == 0)
		result = indicators_open(setup->options->data, &keeper->indicators, err);
	if (result == 0 &&
	    (!(keeper->taxii_statuses = taxii_statuses_new()) || !(keeper->feeds = feeds_new()) ||
	     !(keeper->receipts = receipts_new()) || !(keeper->audiences = audiences_new(keeper->registry))))
		result = err_set(err, -ENOMEM, "no memory for the keeper");
	for (size_t i = 0; i < setup->hub->sensor_count && result == 0; i++) {
		ring_consume(setup->rings[i]);
		ring_consume(setup->live_rings[i]);
		struct sensor_state *sensor = keeper_sensor(keeper, setup->hub->sensors[i].name);
		if (!sensor || sensor != &keeper->sensors[i])
			return err_set(err, -EINVAL, "%s: two sensors of one name, or too many",
				       setup->hub->sensors[i].name);
		sensor->local = true;
		sensor->restarts_seen = atomic_load(&setup->shared->processes[PROCESS_SENSORS + i].restarts);
	}
	if (result == 0)
		keeper_sensors_remember(keeper);
	if (result == 0)
		result = releases_resume(keeper, err);
	if (result == 0)
		result = keeper_notices_open(keeper->notices, err);
	if (result == 0)
		result = alerts_open(keeper, &keeper->alerts, err);
	if (result == 0)
		result = keeper_closed_remember(keeper, err);
	return result == 0 ? welcome(keeper, err) : result;
}

static int keeper_work(struct keeper *keeper, const sigset_t *signals, struct err *err)
{
	void *(*const mains[])(void *) = {alerts_members_main, alerts_main,   keeper_ingest_main,
					  keeper_live_main,    schedule_main, keeper_notices_main};
	enum { THREADS = sizeof mains / sizeof *mains };
	pthread_t threads[THREADS];
	int result = 0;
	for (size_t i = 0; i < THREADS && result == 0; i++)
		result = pthread_create(&threads[i], NULL, mains[i], keeper);
	if (result != 0)
		return err_set(err, -result, "the keeper's threads cannot be started: %s", strerror(result));
	/* Before the first answer: a front that had one would take the greeting for that of yet another keeper. */
	const struct message_head hello = {.type = MESSAGE_HELLO};
	for (unsigned i = 0; i < 2; i++)
		(void)!message_send(keeper->setup->request_fds[i], &hello, NULL, 0, 100);
	result = desk_open(keeper, &keeper->desk, err);
	if (result < 0)
		return result;
	LOG(LOG_INFO, "keeper.ready", "the keeper answers");
	int number;
	(void)sigwait(signals, &number);
	atomic_store(&keeper->stop, true);
	store_interrupt(keeper->store);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	desk_close(keeper->desk);
	return 0;
}

int keeper_run(const struct keeper_setup *setup, struct err *err)
{
	sigset_t signals;
	log_setup("keeper", LOG_INFO, -1);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* for the threads to inherit; sigwait() takes it */
	struct keeper *keeper = calloc(1, sizeof *keeper);
	if (!keeper)
		return err_set(err, -ENOMEM, "no memory for the keeper");
	keeper->setup = setup;
	keeper->handed_end = &keeper->handed;
	keeper->handed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&keeper->sensors_lock, NULL);
	pthread_mutex_init(&keeper->handed_lock, NULL);
	pthread_cond_init(&keeper->handed_done, NULL);
	pthread_mutex_init(&keeper->live_lock, NULL);
	pthread_mutex_init(&keeper->owed_lock, NULL);
	pthread_mutex_init(&keeper->release_lock, NULL);
	keeper->findings.put = keeper_findings_put;
	int result = keeper_open(keeper, err);
	if (result == 0)
		result = keeper_work(keeper, &signals, err);
	if (result < 0)
		LOG(LOG_ERROR, "keeper.failed", err->text);
	alerts_close(keeper->alerts);
	keeper_notices_close(keeper->notices);
	store_close(keeper->store);
	registry_close(keeper->registry);
	indicators_close(keeper->indicators);
	warning_lists_free(keeper->warnings);
	taxii_statuses_free(keeper->taxii_statuses);
	feeds_free(keeper->feeds);
	receipts_free(keeper->receipts);
	audiences_free(keeper->audiences);
	places_close(keeper->places);
	free(keeper);
	return result;
}
