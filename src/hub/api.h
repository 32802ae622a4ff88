/* The HTTP API: one table of routes, a handler each. A handler answers with one of the api_*() below and returns 0, or
 * returns what they return; a handler that returns negative without having answered is answered for by the desk.
 */
#pragma once

#include "core/err.h"
#include "hub/message.h"
#include "store/registry.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keeper;
struct desk;
struct api_route;

/* Who may ask. */
enum api_who {
	API_ANYONE = 1 << 30,
	API_UNRECORDED = 1 << 29, /* not a change, though it is no GET, or one that has a log of its own */
	API_SIGNED = 1 << 28,     /* nobody who did not sign in, whatever a guest may do */
	API_PUBLIC = 1 << 27,     /* everybody, where --public-statistics says so */
	API_SENSORS = 1 << ROLE_SENSOR,
	API_ADMINS = 1 << ROLE_ADMIN,
	API_OPERATORS = API_ADMINS | 1 << ROLE_OPERATOR,
	API_ANALYSTS = API_OPERATORS | 1 << ROLE_ANALYST,
	API_VIEWERS = API_ANALYSTS | 1 << ROLE_VIEWER,
};

/* What of a route is for a member's people, who see their own and nothing else: judged in api.c, before the handler. */
enum api_own {
	API_OWN_NOTHING, /* they are not let in */
	API_OWN_COMMON,  /* nothing of any member is in it, or only what was released to the asker by name */
	API_OWN_PART,    /* {part} names a member: theirs; another is not there */
	API_OWN_ANSWER,  /* the handler keeps to call->user */
};
extern const char *const api_own_names[];

enum { API_PART_BYTES = 512 };

struct api_call {
	struct keeper *keeper;
	struct desk *desk;
	const struct api_route *route;
	struct request_fixed fixed;
	const char *path, *query, *session, *token, *type, *peer, *accept, *match;
	const uint8_t *body;
	size_t body_bytes;
	struct registry_user user; /* only when known */
	bool known;                /* somebody signed in; else a guest */
	bool by_cookie;
	enum role role;            /* what the asker may do; the guest's role when not known */
	char part[API_PART_BYTES]; /* what stood for {...} in the path */

	/* the desk's */
	struct api_call *next, **link, *next_active;
	uint64_t id;
	int fd;
	uint8_t *room;
	size_t room_bytes, body_wanted;
	unsigned credits, door, status; /* status 0: nothing was answered yet */
	bool replied, closed, cancelled;
	bool whole; /* all of the request is here */
	uint8_t *out;
	size_t out_bytes;
	const char *cookie;  /* Set-Cookie of the answer, or NULL */
	const char *headers; /* further ones, "Name: value\n" each, or NULL; borrowed until api_begin() */
};

struct api_route {
	enum http_method method;
	/* "/users/{name}" below /api/v1; one {part} at most, a whole segment, or "{part}/more"; "{part*}": all that
	 * follows, slashes and nothing too. "/metrics", "/taxii2/..." and "/feeds/..." are not below /api/v1. */
	const char *path;
	unsigned who;
	int (*handle)(struct api_call *call, struct err *err);
	const char *summary;
	enum api_own own;
	const char *noted; /* fields of the body that the audit log tells, "name role"; the first stands for a {part} */
};
extern const struct api_route api_routes[]; /* path NULL ends it */

/* The route of a request; the part goes to ret_part. NULL: none; *ret_other_method says whether the path exists. */
const struct api_route *api_route_find(enum http_method method, const char *path, char ret_part[API_PART_BYTES],
				       bool *ret_other_method);

/* Sign the asker in (session, token, unix socket, guest), check the right, call the handler, answer failures. */
void api_dispatch(struct api_call *call);

/* Answers. json is consumed. */
int api_json(struct api_call *call, unsigned status, json_t *json);
int api_text(struct api_call *call, unsigned status, const char *type, const char *text, size_t bytes);
int api_empty(struct api_call *call, unsigned status);
int api_refuse(struct api_call *call, unsigned status, const char *code, const char *message, const char *message_ja);
int api_failure(struct api_call *call, int code, const struct err *err); /* a negative errno as status and sentence */

/* A long answer: begin, add, end. -ECANCELED: the client left or takes nothing; stop. */
int api_begin(struct api_call *call, unsigned status, const char *type, const char *disposition) must_check;
int api_add(struct api_call *call, const void *data, size_t bytes) must_check;
int api_end(struct api_call *call);
/* Long answers take a worker each: only a few at a time. */
bool api_download_begin(struct api_call *call) must_check;
void api_download_end(struct api_call *call);

/* The value of ?name= decoded, or NULL when absent, too long or malformed. */
const char *api_argument(const struct api_call *call, const char *name, char *buffer, size_t bytes);
/* ?name= as an instant; fallback where absent. */
int api_argument_time(const struct api_call *call, const char *name, const char *fallback, int64_t *ret_ns,
		      struct err *err) must_check;
unsigned api_argument_number(const struct api_call *call, const char *name, unsigned fallback, unsigned most);
/* ?name=1 */
bool api_argument_flag(const struct api_call *call, const char *name);
/* The body as a JSON object; -EINVAL with a sentence. */
int api_body(const struct api_call *call, json_t **ret_object, struct err *err) must_check;

/* Ask the store; `query` is consumed. */
int api_ask(struct api_call *call, json_t *query, json_t **ret_answer, struct err *err) must_check;

/* A session for call->user, its cookie, and the answer of GET /session. */
int api_session_begin(struct api_call *call, struct err *err);

int api_session_get(struct api_call *call, struct err *err);
int api_session_post(struct api_call *call, struct err *err);
int api_session_redeem(struct api_call *call, struct err *err);
int api_session_delete(struct api_call *call, struct err *err);
int api_users_get(struct api_call *call, struct err *err);
int api_users_post(struct api_call *call, struct err *err);
int api_users_put(struct api_call *call, struct err *err);
int api_users_delete(struct api_call *call, struct err *err);
int api_users_link(struct api_call *call, struct err *err);
int api_tokens_get(struct api_call *call, struct err *err);
int api_tokens_post(struct api_call *call, struct err *err);
int api_tokens_delete(struct api_call *call, struct err *err);
int api_status_get(struct api_call *call, struct err *err);
int api_modules_get(struct api_call *call, struct err *err);
int api_metrics_get(struct api_call *call, struct err *err);
int api_openapi_get(struct api_call *call, struct err *err);
int api_live_get(struct api_call *call, struct err *err);
int api_query_post(struct api_call *call, struct err *err);
int api_query_csv(struct api_call *call, struct err *err);
int api_query_json(struct api_call *call, struct err *err);
int api_source_get(struct api_call *call, struct err *err);
int api_source_packets(struct api_call *call, struct err *err);
int api_source_pcap(struct api_call *call, struct err *err);
int api_findings_get(struct api_call *call, struct err *err);
int api_finding_get(struct api_call *call, struct err *err);
int api_findings_close(struct api_call *call, struct err *err);
int api_finding_close(struct api_call *call, struct err *err);
int api_finding_evidence(struct api_call *call, struct err *err);
int api_report_get(struct api_call *call, struct err *err);
int api_statistics_get(struct api_call *call, struct err *err);
int api_statistics_csv(struct api_call *call, struct err *err);
int api_flow_get(struct api_call *call, struct err *err);
int api_flow_query(struct api_call *call, struct err *err);
int api_rings_get(struct api_call *call, struct err *err);
int api_search_get(struct api_call *call, struct err *err);
int api_batches_post(struct api_call *call, struct err *err);
int api_backup_post(struct api_call *call, struct err *err);
int api_indicators_get(struct api_call *call, struct err *err);
int api_indicators_import(struct api_call *call, struct err *err);
int api_indicator_get(struct api_call *call, struct err *err);
int api_indicator_state(struct api_call *call, struct err *err);
int api_collections_get(struct api_call *call, struct err *err);
int api_collection_get(struct api_call *call, struct err *err);
int api_feeds_get(struct api_call *call, struct err *err);
int api_taxii_get(struct api_call *call, struct err *err);
int api_taxii_post(struct api_call *call, struct err *err);
int api_taxii_delete(struct api_call *call, struct err *err);
int api_members_get(struct api_call *call, struct err *err);
int api_members_import(struct api_call *call, struct err *err);
int api_members_export(struct api_call *call, struct err *err);
int api_members_whose(struct api_call *call, struct err *err);
int api_member_get(struct api_call *call, struct err *err);
int api_member_history(struct api_call *call, struct err *err);
int api_member_looks(struct api_call *call, struct err *err);
int api_member_put(struct api_call *call, struct err *err);
int api_member_delete(struct api_call *call, struct err *err);
int api_groups_get(struct api_call *call, struct err *err);
int api_group_get(struct api_call *call, struct err *err);
int api_group_put(struct api_call *call, struct err *err);
int api_group_delete(struct api_call *call, struct err *err);
int api_releases_get(struct api_call *call, struct err *err);
int api_releases_post(struct api_call *call, struct err *err);
int api_release_get(struct api_call *call, struct err *err);
int api_release_decide(struct api_call *call, struct err *err);
int api_receipts_get(struct api_call *call, struct err *err);
int api_notices_get(struct api_call *call, struct err *err);
int api_notices_figures(struct api_call *call, struct err *err);
int api_notices_bounces(struct api_call *call, struct err *err);
int api_notices_acknowledge(struct api_call *call, struct err *err);
int api_notices_test(struct api_call *call, struct err *err);
int api_notice_get(struct api_call *call, struct err *err);
int api_notice_acknowledge(struct api_call *call, struct err *err);
int api_notice_close(struct api_call *call, struct err *err);
int api_notice_send(struct api_call *call, struct err *err);
int api_audit_get(struct api_call *call, struct err *err);
int api_audit_export(struct api_call *call, struct err *err);
int api_audit_state(struct api_call *call, struct err *err);
