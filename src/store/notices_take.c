/* Findings become notices. A matter is a member, a type and a subject: while its notice is not closed, whatever is
 * found of it belongs to that one. A finding is known by its id and the instant of its row, so that a detector that
 * says everything again after a crash changes nothing. */
#include "store/notices_parts.h"

#include <errno.h>

struct open_notice {
	int64_t id, seen_ns, severity, again;
	enum notice_state state;
	bool same_finding, same_verdict;
};

/* 0, or 1 when there is none. */
static int open_find(struct registry *registry, const struct notice_finding *finding, struct open_notice *open,
		     struct err *err)
{
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT id, state, seen, severity, again, finding = ?4, verdict = ?5 FROM notice WHERE "
			    "member = ?1 AND type = ?2 AND subject = ?3 AND closed IS NULL",
			    "issss", (int64_t)finding->member, finding->type, finding->subject, finding->id,
			    finding->verdict ? finding->verdict : "");
	int code = row ? registry_step(registry, row, err) : -EIO;
	if (code == 1)
		*open = (struct open_notice){
			.id = sqlite3_column_int64(row, 0),
			.state = notices_word(notice_state_names, (const char *)sqlite3_column_text(row, 1)),
			.seen_ns = sqlite3_column_int64(row, 2),
			.severity = sqlite3_column_int64(row, 3),
			.again = sqlite3_column_int64(row, 4),
			.same_finding = sqlite3_column_int(row, 5),
			.same_verdict = sqlite3_column_int(row, 6)};
	sqlite3_reset(row);
	return code < 0 ? code : code == 0;
}

/* A closed notice has said all of this already: the row was taken before, the finding ends only now, or a person closed
 * the matter while the finding went on. 0: it has, 1: no. */
static int closed_find(struct registry *registry, const struct notice_finding *finding, struct err *err)
{
	int64_t known;
	return notices_number(registry, &known, err,
			      "SELECT 1 FROM notice WHERE member = ? AND type = ? AND subject = ? AND finding = ? AND "
			      "(seen >= ? OR ? OR closed_by IS NOT NULL) LIMIT 1",
			      "isssii", (int64_t)finding->member, finding->type, finding->subject, finding->id,
			      finding->time_ns, (int64_t)finding->ended);
}

static int notice_make(struct registry *registry, const struct notice_finding *finding, int64_t now_ns, struct err *err)
{
	int code = closed_find(registry, finding, err);
	if (code <= 0)
		return code;
	code = notices_run(registry, err,
			   "INSERT INTO notice (member, type, subject, verdict, severity, state, detector, finding, "
			   "seen, ground, first, last, packets, made, ended, look) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
			   "?, ?, ?, ?, ?, nullif(?, 0), nullif(?, 0))",
			   "isssisssisiiiiii", (int64_t)finding->member, finding->type, finding->subject,
			   finding->verdict ? finding->verdict : "", (int64_t)finding->severity,
			   notice_state_names[finding->ended ? NOTICE_ENDED : NOTICE_NEW], finding->rule, finding->id,
			   finding->time_ns, finding->ground, finding->first_ns, finding->last_ns,
			   (int64_t)finding->packets, now_ns, finding->ended ? now_ns : 0, finding->ended ? now_ns : 0);
	int64_t id = sqlite3_last_insert_rowid(registry->database);
	if (code == 0)
		code = notices_event(registry, id, "made", NULL, finding->ground, now_ns, err);
	return code == 0 ? notices_step_leave(registry, id, STEP_NEW, 1, now_ns, err) : code;
}

/* What is told anew: that it is back, or that it is worse than what was told. */
static int again_leave(struct registry *registry, const struct notice_finding *finding, const struct open_notice *open,
		       int64_t now_ns, struct err *err)
{
	bool back = open->state == NOTICE_ENDED && !finding->ended, worse = finding->severity > open->severity;
	if (!back && !worse)
		return 0;
	int code = notices_run(registry, err, "UPDATE notice SET again = again + 1, look = NULL WHERE id = ?", "i",
			       open->id);
	if (code == 0)
		code = notices_event(registry, open->id, back ? "again" : "worse", NULL, finding->ground, now_ns, err);
	return code == 0 ? notices_step_leave(registry, open->id, STEP_AGAIN, (unsigned)open->again + 1, now_ns, err)
			 : code;
}

static int notice_change(struct registry *registry, const struct notice_finding *finding,
			 const struct open_notice *open, int64_t now_ns, struct err *err)
{
	bool ends = finding->ended && open->state != NOTICE_ENDED;
	if (open->same_finding && finding->time_ns <= open->seen_ns)
		return 0;
	int code = again_leave(registry, finding, open, now_ns, err);
	if (code == 0)
		code = notices_run(
			registry, err,
			"UPDATE notice SET packets_before = CASE WHEN ?2 THEN packets_before ELSE packets END, "
			"findings = findings + NOT ?2, finding = ?3, seen = ?4, verdict = ?5, severity = ?6, "
			"detector = ?7, ground = ?8, first = min(first, ?9), last = max(last, ?10), state = ?11, "
			"ended = ?12 WHERE id = ?1",
			"iisisissiisi", open->id, (int64_t)open->same_finding, finding->id, finding->time_ns,
			finding->verdict ? finding->verdict : "", (int64_t)finding->severity, finding->rule,
			finding->ground, finding->first_ns, finding->last_ns,
			notice_state_names[finding->ended ? NOTICE_ENDED : NOTICE_CONTINUING],
			finding->ended ? now_ns : (int64_t)0);
	if (code == 0)
		code = notices_run(
			registry, err,
			"UPDATE notice SET packets = packets_before + ?2, ended = nullif(ended, 0) WHERE id = ?1", "ii",
			open->id, (int64_t)finding->packets);
	if (code == 0 && ends) /* to be looked at now: who decides when it is closed knows the rule */
		code = notices_run(registry, err, "UPDATE notice SET look = ?2 WHERE id = ?1", "ii", open->id, now_ns);
	return code == 0 && ends ? notices_event(registry, open->id, "ended", NULL, NULL, now_ns, err) : code;
}

int notices_take(struct registry *registry, const struct notice_finding *findings, size_t count, int64_t now_ns,
		 struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < count && code == 0; i++) {
		struct open_notice open = {.id = 0};
		if (!findings[i].member)
			continue;
		code = open_find(registry, &findings[i], &open, err);
		if (code >= 0)
			code = code == 1 ? notice_make(registry, &findings[i], now_ns, err)
					 : notice_change(registry, &findings[i], &open, now_ns, err);
	}
	return code;
}

static int64_t instant(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? 0 : sqlite3_column_int64(row, column);
}

int notice_find(struct registry *registry, int64_t id, struct notice *ret_notice, struct err *err)
{
	sqlite3_stmt *row =
		notices_ask(registry, err,
			    "SELECT member, state, severity, type, verdict, subject, rule, detector, finding, first, "
			    "last, made, told, acknowledged, ended, closed, planned, reminded, packets, findings, "
			    "reminders, again, escalated, ground FROM notice WHERE id = ?",
			    "i", id);
	int code = row ? registry_step(registry, row, err) : -EIO;
	if (code == 0)
		err_set(err, -ENOENT, "there is no notice %lld", (long long)id);
	if (code != 1) {
		sqlite3_reset(row);
		return code < 0 ? code : -ENOENT;
	}
	struct notice notice = {
		.id = id,
		.member = (uint32_t)sqlite3_column_int64(row, 0),
		.state = notices_word(notice_state_names, (const char *)sqlite3_column_text(row, 1)),
		.severity = sqlite3_column_int(row, 2),
		.first_ns = instant(row, 9),
		.last_ns = instant(row, 10),
		.made_ns = instant(row, 11),
		.told_ns = instant(row, 12),
		.acknowledged_ns = instant(row, 13),
		.ended_ns = instant(row, 14),
		.closed_ns = instant(row, 15),
		.planned_ns = instant(row, 16),
		.reminded_ns = instant(row, 17),
		.packets = (uint64_t)sqlite3_column_int64(row, 18),
		.findings = (uint64_t)sqlite3_column_int64(row, 19),
		.reminders = (unsigned)sqlite3_column_int(row, 20),
		.again = (unsigned)sqlite3_column_int(row, 21),
		.escalated = sqlite3_column_int(row, 22),
		.ground = json_loads((const char *)sqlite3_column_text(row, 23), 0, NULL),
	};
	notices_copy(notice.type, sizeof notice.type, sqlite3_column_text(row, 3));
	notices_copy(notice.verdict, sizeof notice.verdict, sqlite3_column_text(row, 4));
	notices_copy(notice.subject, sizeof notice.subject, sqlite3_column_text(row, 5));
	notices_copy(notice.rule, sizeof notice.rule, sqlite3_column_text(row, 6));
	notices_copy(notice.detector, sizeof notice.detector, sqlite3_column_text(row, 7));
	notices_copy(notice.finding, sizeof notice.finding, sqlite3_column_text(row, 8));
	sqlite3_reset(row);
	*ret_notice = notice;
	return 0;
}

void notice_done(struct notice *notice)
{
	json_decref(notice->ground);
	notice->ground = NULL;
}
