/* See keeper_notices.h. */
#include "hub/keeper_notices.h"

#include "core/clock.h"
#include "core/log.h"
#include "hub/api_answer.h"
#include "hub/keeper.h"
#include "share/dispatch.h"
#include "share/notifier.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WAITING_MAX = 200000, TAKEN_AT_ONCE = 500, WAIT_MS = 1000, CATCH_UP_MAX = 100000, ROUNDS = 100 };
#define TOLD_WITHIN (7 * NS_PER_DAY) /* what is older is history: a capture of years ago concerns nobody now */

struct notices {
	struct keeper *keeper;
	struct pool *pool;
	struct notice_rules rules;
	struct messages *messages;
	struct registry *registry;
	/* Members are read within transactions of `registry`: through a handle of their own, for who holds the keeper's
	 * may be waiting for just that transaction to end. */
	struct registry *members;
	struct notifier *notifier;
	struct dispatch *dispatch;
	char mail_domain[256];
	int wake_fd;
	bool ready; /* rules and texts are there */
	pthread_mutex_t lock;
	struct batch *waiting; /* findings; under lock */
	_Atomic uint64_t taken, failed;
	_Atomic unsigned flying;
};

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* The right half of Message-IDs: of the sender's address, else a name that is nobody's. */
static void mail_domain_find(struct notices *notices, const char *from)
{
	const char *at = from ? strrchr(from, '@') : NULL;
	snprintf(notices->mail_domain, sizeof notices->mail_domain, "%s", at ? at + 1 : "yagura.invalid");
	notices->mail_domain[strcspn(notices->mail_domain, "> ")] = '\0';
}

static int texts_read(struct notices *notices, const struct notice_options *options, struct err *err)
{
	char rules[4096], texts[4096];
	snprintf(rules, sizeof rules, "%s/notices/rules.yaml", options->texts);
	snprintf(texts, sizeof texts, "%s/messages", options->texts);
	int result = notice_rules_read(rules, notices->pool, &notices->rules, err);
	return result == 0 ? messages_open(texts, notices->pool, &notices->messages, err) : result;
}

int keeper_notices_prepare(struct keeper *keeper, struct notices **ret_notices, struct err *err)
{
	const struct notice_options *options = &keeper->setup->options->notice;
	struct notices *notices = calloc(1, sizeof *notices);
	if (!notices)
		return err_set(err, -ENOMEM, "no memory for notices");
	notices->keeper = keeper;
	notices->pool = pool_new(NULL, "notices");
	notices->waiting = batch_new(&record_finding, 64);
	notices->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&notices->lock, NULL);
	mail_domain_find(notices, options->mail_from);
	const struct dispatch_options sending = {.from = options->mail_from,
						 .reply_to = options->mail_reply_to,
						 .dkim_key = options->dkim_key,
						 .dkim_selector = options->dkim_selector,
						 .dkim_domain = options->dkim_domain,
						 .drop = options->drop,
						 .relay = options->mail_relay};
	int result = notices->pool && notices->waiting && notices->wake_fd >= 0
			     ? dispatch_open(keeper->setup->courier_fd, &sending, &notices->dispatch, err)
			     : err_set(err, -ENOMEM, "no memory for notices");
	if (result == 0 && options->texts) {
		result = texts_read(notices, options, err);
		notices->ready = result == 0;
	}
	if (result < 0)
		keeper_notices_close(notices);
	else
		*ret_notices = notices;
	return result;
}

int keeper_notices_open(struct notices *notices, struct err *err)
{
	const struct keeper_setup *setup = notices->keeper->setup;
	int result = registry_open(setup->options->data, &notices->registry, err);
	if (result < 0 || !notices->ready)
		return result;
	result = registry_open(setup->options->data, &notices->members, err);
	if (result < 0)
		return result;
	const struct notifier_options options = {.url = setup->url,
						 .mail_domain = notices->mail_domain,
						 .without = setup->options->notice.drop ? 0 : 1u << CHANNEL_CSV};
	notices->notifier = notifier_new(notices->registry, notices->members, &options);
	if (!notices->notifier)
		return err_set(err, -ENOMEM, "no memory for notices");
	notifier_set(notices->notifier, &notices->rules, notices->messages);
	dispatch_registry(notices->dispatch, notices->registry);
	return 0;
}

void keeper_notices_close(struct notices *notices)
{
	if (!notices)
		return;
	notifier_free(notices->notifier);
	dispatch_close(notices->dispatch);
	registry_close(notices->registry);
	registry_close(notices->members);
	batch_free(notices->waiting);
	pool_free(notices->pool);
	if (notices->wake_fd >= 0)
		close(notices->wake_fd);
	free(notices);
}

/* --- findings ----------------------------------------------------------------------------------------------------- */

void keeper_notices_wake(struct notices *notices)
{
	const uint64_t one = 1;
	if (notices)
		(void)!write(notices->wake_fd, &one, sizeof one);
}

void keeper_notices_offer(struct notices *notices, const struct batch *findings)
{
	bool any = false;
	const uint32_t *members = BATCH_COLUMN(findings, uint32_t, record_column_index(&record_finding, "member"));
	for (uint32_t row = 0; row < findings->rows && !any; row++)
		any = members[row] != 0;
	if (!notices || !notices->ready || !any)
		return;
	pthread_mutex_lock(&notices->lock);
	int result = notices->waiting->rows + findings->rows > WAITING_MAX
			     ? -ENOSPC /* they are in the store: the next start takes them */
			     : batch_append(notices->waiting, findings, NULL);
	pthread_mutex_unlock(&notices->lock);
	if (result < 0)
		atomic_fetch_add(&notices->failed, findings->rows);
	keeper_notices_wake(notices);
}

#define CELL(type, name) BATCH_COLUMN(batch, type, record_column_index(&record_finding, name))[row]

/* Texts of a batch have no zero at their end. */
static char *text_of(struct pool *pool, const struct text *text)
{
	char *copy = pool_alloc(pool, text->length + 1);
	if (copy && text->length)
		memcpy(copy, text->bytes, text->length);
	return copy;
}

static bool finding_read(const struct batch *batch, uint32_t row, struct pool *pool, struct notice_finding *finding)
{
	uint8_t verdict = CELL(uint8_t, "verdict");
	*finding = (struct notice_finding){.id = text_of(pool, &CELL(struct text, "id")),
					   .type = finding_type_names[CELL(uint8_t, "type")],
					   .verdict = verdict == VERDICT_NONE ? NULL : livenet_verdict_names[verdict],
					   .subject = text_of(pool, &CELL(struct text, "subject")),
					   .rule = text_of(pool, &CELL(struct text, "rule")),
					   .ground = text_of(pool, &CELL(struct text, "ground")),
					   .member = CELL(uint32_t, "member"),
					   .severity = CELL(uint8_t, "severity"),
					   .time_ns = CELL(int64_t, "time"),
					   .first_ns = CELL(int64_t, "first"),
					   .last_ns = CELL(int64_t, "last"),
					   .packets = CELL(uint64_t, "packets"),
					   .ended = CELL(uint8_t, "ended")};
	return finding->id && finding->subject && finding->rule && finding->ground;
}

static int batch_take(struct notices *notices, const struct batch *batch, uint32_t begin, uint32_t end, struct err *err)
{
	struct notice_finding findings[TAKEN_AT_ONCE];
	struct pool *pool = pool_new(NULL, "findings");
	int64_t now_ns = clock_now_ns();
	size_t count = 0;
	bool enough = pool;
	for (uint32_t row = begin; row < end && enough; row++) {
		if (CELL(uint32_t, "member") == 0 || now_ns - CELL(int64_t, "last") > TOLD_WITHIN)
			continue;
		enough = finding_read(batch, row, pool, &findings[count]);
		count += enough;
	}
	int result = enough ? 0 : err_set(err, -ENOMEM, "no memory for findings");
	if (result == 0 && count)
		result = notices_begin(notices->registry, err);
	if (result == 0 && count) {
		result = notices_take(notices->registry, findings, count, now_ns, err);
		if (result == 0)
			result = notices_commit(notices->registry, err);
		else
			notices_rollback(notices->registry);
	}
	if (result == 0)
		atomic_fetch_add(&notices->taken, count);
	pool_free(pool);
	return result;
}

static void findings_take(struct notices *notices)
{
	struct err err = {""};
	pthread_mutex_lock(&notices->lock);
	struct batch *batch = notices->waiting, *empty = batch->rows ? batch_new(&record_finding, 64) : NULL;
	if (empty)
		notices->waiting = empty;
	pthread_mutex_unlock(&notices->lock);
	if (!empty)
		return;
	/* Nobody is told of what a crash would take back; where there is no room to store it, they are told all the
	 * same. */
	if (store_flush_urgent(notices->keeper->store, &err) < 0)
		LOG(LOG_WARNING, "notices.unstored", err.text, LOG_NUMBER("findings", batch->rows));
	for (uint32_t begin = 0; begin < batch->rows; begin += TAKEN_AT_ONCE) {
		uint32_t end = begin + TAKEN_AT_ONCE < batch->rows ? begin + TAKEN_AT_ONCE : batch->rows;
		if (batch_take(notices, batch, begin, end, &err) == 0)
			continue;
		atomic_fetch_add(&notices->failed, end - begin);
		LOG(LOG_ERROR, "notices.failed", err.text, LOG_NUMBER("findings", end - begin));
	}
	batch_free(batch);
}

/* What was found while nobody was here to take it, or was taken and lost with a keeper. */
static void catch_up(struct notices *notices)
{
	struct query *query = NULL;
	struct err err = {""};
	json_t *answer = NULL;
	json_t *json = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:i}], s:[{s:s}], s:i}", "kind", "finding", "from",
				 "-7d", "to", "2200-01-01", "filters", "field", "member", "op", ">", "value", 0,
				 "order", "by", "time", "limit", CATCH_UP_MAX);
	int result = json ? query_from_json(json, clock_now_ns(), &query, &err) : -ENOMEM;
	json_decref(json);
	if (result == 0)
		result = store_query(notices->keeper->store, query, &answer, &err);
	query_free(query);
	json_t *rows = result == 0 ? answer_objects(answer) : NULL, *row;
	json_decref(answer);
	size_t i;
	json_array_foreach(rows, i, row)
	{
		struct batch *batch = NULL;
		if (keeper_finding_batch(row, &batch, &err) == 0)
			keeper_notices_offer(notices, batch);
		batch_free(batch);
	}
	json_decref(rows);
	if (result < 0)
		LOG(LOG_ERROR, "notices.failed", err.text);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

/* Until nothing is to be done at once. */
static void rounds(struct notices *notices)
{
	struct err err = {""};
	int more = 1;
	for (int round = 0; round < ROUNDS && more && !atomic_load(&notices->keeper->stop); round++) {
		int told = notifier_round(notices->notifier, clock_now_ns(), &err);
		if (told < 0 || told == 2)
			LOG(LOG_ERROR, "notices.failed", err.text);
		int sent = dispatch_round(notices->dispatch, clock_now_ns(), &err);
		if (sent < 0)
			LOG(LOG_ERROR, "notices.unsent", err.text);
		more = told > 0 || sent > 0;
		if (told < 0 || sent < 0)
			break;
	}
	atomic_store(&notices->flying, dispatch_flying(notices->dispatch));
}

static int wait_ms(struct notices *notices)
{
	struct err err;
	int64_t next = INT64_MAX, own = dispatch_next(notices->dispatch), now_ns = clock_now_ns();
	if (notices_next(notices->registry, &next, &err) < 0 || own < next)
		next = own;
	if (next <= now_ns)
		return 100; /* due, but the channel is not there or is busy */
	int64_t ms = (next - now_ns) / NS_PER_MS + 1;
	return ms > WAIT_MS ? WAIT_MS : (int)ms;
}

void *keeper_notices_main(void *context)
{
	struct keeper *keeper = context;
	struct notices *notices = keeper->notices;
	pthread_setname_np(pthread_self(), "notices");
	if (!notices->ready)
		return NULL;
	catch_up(notices);
	while (!atomic_load(&keeper->stop)) {
		uint64_t woken;
		findings_take(notices);
		rounds(notices);
		struct pollfd fds[] = {{.fd = notices->wake_fd, .events = POLLIN},
				       {.fd = keeper->setup->courier_fd, .events = POLLIN}};
		(void)poll(fds, 2, wait_ms(notices));
		(void)!read(notices->wake_fd, &woken, sizeof woken);
	}
	return NULL;
}

json_t *keeper_notices_status(const struct notices *notices)
{
	return json_pack("{s:b, s:b, s:I, s:I, s:i}", "ready", (int)notices->ready, "relay",
			 (int)(notices->keeper->setup->options->notice.mail_relay != NULL), "taken",
			 (json_int_t)atomic_load(&notices->taken), "failed", (json_int_t)atomic_load(&notices->failed),
			 "sending", (int)atomic_load(&notices->flying));
}

static const char *told_of(const json_t *notice, const char *field)
{
	const char *text = json_string_value(json_object_get(notice, field));
	return text ? text : "";
}

int keeper_notices_advice(const struct notices *notices, const char *language, const json_t *notice,
			  json_t **ret_advice, struct err *err)
{
	char advice[NOTICE_ADVICE_BYTES];
	if (!notices || !notices->ready) {
		*ret_advice = json_null();
		return 0;
	}
	const struct notice_rule *rule = notice_rule_named(&notices->rules, told_of(notice, "rule"));
	notice_advice_name(notices->messages, rule, told_of(notice, "type"), told_of(notice, "verdict"), advice);
	struct notice_facts facts = {.number = json_integer_value(json_object_get(notice, "id")),
				     .step = STEP_NEW,
				     .advice = advice,
				     .member = told_of(notice, "member_name"),
				     .subject = told_of(notice, "subject"),
				     .severity = told_of(notice, "severity"),
				     .rule = told_of(notice, "detector"),
				     .packets = (uint64_t)json_integer_value(json_object_get(notice, "packets")),
				     .findings = (uint64_t)json_integer_value(json_object_get(notice, "findings"))};
	const struct message_reader reader = {.language = notices_language(language),
					      .utc_offset_minutes = rule ? rule->utc_offset_minutes : 0};
	int result = time_parse(told_of(notice, "first"), 0, &facts.first_ns, err);
	if (result == 0)
		result = time_parse(told_of(notice, "last"), 0, &facts.last_ns, err);
	return result == 0 ? message_advice(notices->messages, &reader, &facts, ret_advice, err) : result;
}
