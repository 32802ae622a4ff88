/* Planning, looking after, and the round. What is done is written with the step that asked for it in one transaction.
 */
#include "share/notifier_parts.h"

#include "core/clock.h"
#include "record/kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TODOS_AT_ONCE = 100, LOOKS_AT_ONCE = 100 };

struct notifier *notifier_new(struct registry *notices, struct registry *members,
			      const struct notifier_options *options)
{
	struct notifier *notifier = calloc(1, sizeof *notifier);
	if (!notifier)
		return NULL;
	*notifier = (struct notifier){.notices = notices, .concerned = concerned_new(members), .options = *options};
	if (!notifier->concerned) {
		free(notifier);
		return NULL;
	}
	return notifier;
}

void notifier_free(struct notifier *notifier)
{
	if (!notifier)
		return;
	concerned_free(notifier->concerned);
	free(notifier);
}

void notifier_set(struct notifier *notifier, const struct notice_rules *rules, const struct messages *messages)
{
	notifier->rules = *rules;
	notifier->messages = messages;
}

int64_t notice_look(const struct notice_rule *rule, const struct notice *notice)
{
	if (notice->state == NOTICE_CLOSED)
		return 0;
	if (notice->state == NOTICE_ENDED)
		return notice->ended_ns + rule->verify_ns;
	if (notice->acknowledged_ns || rule->tell == TELL_NEVER)
		return 0;
	int64_t look = 0;
	if (notice->told_ns && notice->reminders < NOTICE_REMINDERS_MAX && rule->remind_ns[notice->reminders])
		look = (notice->told_ns > notice->reminded_ns ? notice->told_ns : notice->reminded_ns) +
		       rule->remind_ns[notice->reminders];
	int64_t escalate = rule->escalate_ns && !notice->escalated ? notice->planned_ns + rule->escalate_ns : 0;
	return escalate && (!look || escalate < look) ? escalate : look;
}

enum notice_step notice_act(const struct notice_rule *rule, const struct notice *notice, bool unreachable,
			    int64_t now_ns)
{
	int64_t look = notice_look(rule, notice);
	if (notice->state == NOTICE_ENDED)
		return look <= now_ns ? STEP_CLOSED : NOTICE_STEPS;
	if (notice->state == NOTICE_CLOSED || notice->acknowledged_ns || rule->tell == TELL_NEVER)
		return NOTICE_STEPS;
	bool escalate = rule->escalate_ns && notice->planned_ns + rule->escalate_ns <= now_ns;
	if (!notice->escalated && (escalate || unreachable))
		return STEP_ESCALATION;
	return look && look <= now_ns ? STEP_REMINDER : NOTICE_STEPS;
}

static const struct notice_rule *rule_of(const struct notifier *notifier, const struct notice *notice,
					 const struct concerned_member *member, bool anew)
{
	const struct notice_rule *rule = anew ? NULL : notice_rule_named(&notifier->rules, notice->rule);
	const struct notice_matter matter = {.type = notice->type,
					     .verdict = notice->verdict[0] ? notice->verdict : NULL,
					     .severity = notice->severity,
					     .member = concerned_key(member),
					     .member_kind =
						     json_string_value(json_object_get(member->document, "kind")),
					     .above = member->above};
	return rule ? rule : notice_rule_for(&notifier->rules, &matter);
}

/* The tellings of one step as they come together. */
struct plan {
	struct notifier *notifier;
	const struct notice_rule *rule;
	const struct concerned_member *member; /* whose contacts */
	enum notice_channel channel;
	bool at_once; /* whatever hours */
	int severity;
	int64_t now_ns;
	struct notice_telling *tellings;
	size_t count, people; /* people: those among them who read; a file that is dropped tells nobody by itself */
	struct err *err;
};

/* Nobody gets messages faster than the rule gathers them. */
static int due_of(struct plan *plan, const char *channel, const char *address, int64_t *ret_due_ns)
{
	int64_t due = notice_rule_time(plan->rule, plan->severity, plan->now_ns), last;
	int result = notices_last_message(plan->notifier->notices, channel, address, &last, plan->err);
	if (result < 0)
		return result;
	*ret_due_ns = plan->at_once                                ? plan->now_ns
		      : last && last + plan->rule->gather_ns > due ? last + plan->rule->gather_ns
								   : due;
	return 0;
}

static int telling_add(void *context, const char *address, const json_t *contact)
{
	struct plan *plan = context;
	if (plan->count == NOTICE_TELLINGS_MAX)
		return 0;
	const char *channel = notice_channel_names[plan->channel];
	const char *language = json_string_value(json_object_get(contact, "language"));
	const char *name = json_string_value(json_object_get(contact, "name"));
	struct notice_telling telling = {.channel = channel,
					 .address = address,
					 .language = language && strncmp(language, "en", 2) == 0 ? "en" : "ja",
					 .name = name ? name : "",
					 .member = plan->member->id};
	int result = due_of(plan, channel, address, &telling.due_ns);
	if (result == 0)
		plan->tellings[plan->count++] = telling;
	plan->people += contact != NULL;
	return result;
}

static int contacts_plan(struct plan *plan, const struct concerned_member *member)
{
	int result = 0;
	plan->member = member;
	for (unsigned channel = 0; channel < NOTICE_CHANNELS && result == 0; channel++) {
		plan->channel = channel;
		if (plan->rule->channels & ~plan->notifier->options.without & 1u << channel)
			result = concerned_contacts(member, plan->rule, channel, telling_add, plan);
	}
	return result;
}

/* A member without contacts is told through those it reports to. */
static int member_plan(struct plan *plan, struct concerned_member *member)
{
	int result = contacts_plan(plan, member);
	for (unsigned i = 0; i < CONCERNED_ABOVE_MAX && result == 0 && plan->people == 0 && member->reports_to; i++) {
		result = concerned_find(plan->notifier->concerned, member->reports_to, member, plan->err);
		if (result == 1)
			return 0;
		if (result == 0)
			result = contacts_plan(plan, member);
	}
	return result;
}

/* Whoever was told of it is told of its end. */
static int told_plan(struct plan *plan, const struct notice *notice, struct notice_telling **ret_told)
{
	size_t count;
	int result = notices_told(plan->notifier->notices, notice->id, ret_told, &count, plan->err);
	for (size_t i = 0; i < count && result == 0; i++) {
		struct notice_telling telling = (*ret_told)[i];
		result = due_of(plan, telling.channel, telling.address, &telling.due_ns);
		if (result == 0)
			plan->tellings[plan->count++] = telling;
	}
	return result;
}

static int tellings_plan(struct plan *plan, const struct notice *notice, enum notice_step step,
			 const struct concerned_member *member, struct notice_telling **ret_told)
{
	struct concerned_member tell = *member;
	if (plan->rule->tell == TELL_NEVER && step != STEP_TEST)
		return 0;
	if (step == STEP_CLOSED)
		return told_plan(plan, notice, ret_told);
	if (step == STEP_ESCALATION) {
		int result = member->reports_to
				     ? concerned_find(plan->notifier->concerned, member->reports_to, &tell, plan->err)
				     : 1;
		if (result != 0)
			return result < 0 ? result : 0;
	}
	return member_plan(plan, &tell);
}

static int todo_plan(struct notifier *notifier, const struct notice_todo *todo, struct notice *notice, int64_t now_ns,
		     struct err *err)
{
	struct concerned_member member;
	struct notice_telling *told = NULL;
	struct plan plan = {.notifier = notifier,
			    .at_once = todo->step == STEP_TEST || todo->by_hand,
			    .severity = notice->severity,
			    .now_ns = now_ns,
			    .tellings = notifier->tellings,
			    .err = err};
	int result = concerned_find(notifier->concerned, notice->member, &member, err);
	if (result == 0)
		plan.rule = rule_of(notifier, notice, &member, todo->step == STEP_NEW || todo->step == STEP_AGAIN);
	if (result < 0 || !plan.rule) /* nobody's any more, or no rule is for it */
		return result < 0 ? result : notices_planned(notifier->notices, todo, "", NULL, 0, 0, now_ns, err);
	result = tellings_plan(&plan, notice, todo->step, &member, &told);
	int64_t earliest = 0;
	for (size_t i = 0; i < plan.count; i++)
		if (!earliest || plan.tellings[i].due_ns < earliest)
			earliest = plan.tellings[i].due_ns;
	if (!notice->planned_ns)
		notice->planned_ns = earliest ? earliest : now_ns;
	notice->reminded_ns = earliest ? earliest : now_ns;
	if (result == 0)
		result = notices_planned(notifier->notices, todo, plan.rule->name, plan.tellings, plan.count,
					 notice_look(plan.rule, notice), now_ns, err);
	if (result == 0 && plan.people == 0 && plan.rule->tell != TELL_NEVER && todo->step != STEP_CLOSED)
		result = notices_event(notifier->notices, notice->id, "nobody_to_tell", NULL,
				       notice_step_names[todo->step], now_ns, err);
	free(told);
	return result;
}

static int steps_round(struct notifier *notifier, int64_t now_ns, struct err *err)
{
	struct notice_todo todos[TODOS_AT_ONCE];
	size_t count = 0;
	int result = notices_todo(notifier->notices, TODOS_AT_ONCE, todos, &count, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		struct notice notice;
		result = notice_find(notifier->notices, todos[i].notice, &notice, err);
		if (result < 0)
			break;
		result = todo_plan(notifier, &todos[i], &notice, now_ns, err);
		notice_done(&notice);
	}
	return result < 0 ? result : count > 0;
}

static int look(struct notifier *notifier, struct notice *notice, int64_t now_ns, struct err *err)
{
	struct concerned_member member;
	bool unreachable;
	int result = concerned_find(notifier->concerned, notice->member, &member, err);
	const struct notice_rule *rule = result == 0 ? rule_of(notifier, notice, &member, false) : NULL;
	if (result < 0)
		return result;
	if (!rule) /* nobody follows it: it is closed when it has ended */
		return notice->state == NOTICE_ENDED
			       ? notices_step(notifier->notices, notice, STEP_CLOSED, "observed", now_ns, err)
			       : notices_look_at(notifier->notices, notice->id, 0, err);
	result = notices_unreachable(notifier->notices, notice->id, &unreachable, err);
	if (result < 0)
		return result;
	enum notice_step step = notice_act(rule, notice, unreachable, now_ns);
	if (step != NOTICE_STEPS)
		return notices_step(notifier->notices, notice, step, step == STEP_CLOSED ? "observed" : NULL, now_ns,
				    err);
	int64_t next = notice_look(rule, notice);
	return notices_look_at(notifier->notices, notice->id, next > now_ns ? next : 0, err);
}

static int looks_round(struct notifier *notifier, int64_t now_ns, struct err *err)
{
	int64_t ids[LOOKS_AT_ONCE];
	size_t count = 0;
	int result = notices_due(notifier->notices, now_ns, LOOKS_AT_ONCE, ids, &count, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		struct notice notice;
		result = notice_find(notifier->notices, ids[i], &notice, err);
		if (result < 0)
			break;
		result = look(notifier, &notice, now_ns, err);
		notice_done(&notice);
	}
	return result < 0 ? result : count > 0;
}

int notifier_round(struct notifier *notifier, int64_t now_ns, struct err *err)
{
	static int (*const rounds[])(struct notifier *, int64_t, struct err *) = {looks_round, steps_round,
										  messages_round};
	int result = concerned_refresh(notifier->concerned, err);
	bool more = false, put_off = false;
	for (size_t i = 0; i < sizeof rounds / sizeof *rounds && result >= 0; i++) {
		result = notices_begin(notifier->notices, err);
		if (result < 0)
			return result;
		result = rounds[i](notifier, now_ns, err);
		if (result < 0) {
			notices_rollback(notifier->notices);
			return result;
		}
		more = more || result == 1;
		put_off = put_off || result == 2;
		result = notices_commit(notifier->notices, err);
	}
	return result < 0 ? result : put_off ? 2 : more;
}
