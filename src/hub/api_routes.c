/* The table of routes. Each is described in data/openapi.json; a test compares the two. */
#include "hub/api.h"

#include <string.h>

const struct api_route api_routes[] = {
	{HTTP_GET, "/session", API_ANYONE, api_session_get, "Who am I, and what may a guest do", API_OWN_COMMON},
	{HTTP_POST, "/session", API_ANYONE | API_UNRECORDED, api_session_post, "Sign in with name and password",
	 API_OWN_COMMON},
	{HTTP_POST, "/session/redeem", API_ANYONE | API_UNRECORDED, api_session_redeem, "Sign in with a one-time link",
	 API_OWN_COMMON},
	{HTTP_DELETE, "/session", API_ANYONE | API_UNRECORDED, api_session_delete, "Sign out", API_OWN_COMMON},
	{HTTP_GET, "/users", API_ADMINS, api_users_get, "List accounts"},
	{HTTP_POST, "/users", API_ADMINS, api_users_post,
	 "Make an account; without a password, and with a one-time link", .noted = "name role member"},
	{HTTP_PUT, "/users/{name}", API_VIEWERS, api_users_put,
	 "Change a role or a password; one's own password always", API_OWN_ANSWER, .noted = "role member"},
	{HTTP_DELETE, "/users/{name}", API_ADMINS, api_users_delete, "Delete an account"},
	{HTTP_POST, "/users/{name}/link", API_ADMINS, api_users_link,
	 "A one-time link for an account; it is shown once"},
	{HTTP_GET, "/tokens", API_ADMINS, api_tokens_get, "List tokens"},
	{HTTP_POST, "/tokens", API_ADMINS, api_tokens_post, "Make a token; it is shown once",
	 .noted = "name role member"},
	{HTTP_DELETE, "/tokens/{id}", API_ADMINS, api_tokens_delete, "Revoke a token"},
	{HTTP_GET, "/status", API_VIEWERS, api_status_get, "State of store, sensors and processes"},
	{HTTP_GET, "/modules", API_VIEWERS, api_modules_get, "Modules with their options and metrics"},
	{HTTP_GET, "/live", API_VIEWERS, api_live_get, "Live stream (server-sent events)"},
	{HTTP_POST, "/query", API_VIEWERS | API_UNRECORDED, api_query_post, "Ask the store"},
	{HTTP_GET, "/query.csv", API_VIEWERS, api_query_csv, "Download an answer as CSV"},
	{HTTP_GET, "/query.json", API_VIEWERS, api_query_json, "Download an answer as JSON"},
	{HTTP_GET, "/sources/{address}", API_VIEWERS, api_source_get, "Everything about one source"},
	{HTTP_GET, "/sources/{address}/packets", API_VIEWERS, api_source_packets, "Packets of a source"},
	{HTTP_GET, "/sources/{address}/packets.pcap", API_VIEWERS, api_source_pcap,
	 "Packets of a source as a capture file"},
	{HTTP_GET, "/flow", API_ANALYSTS | API_SIGNED, api_flow_get,
	 "Exporters of flow information, and what is kept of it"},
	{HTTP_POST, "/flow/query", API_ANALYSTS | API_SIGNED, api_flow_query,
	 "Ask the archive of flows in nfdump's language", .noted = "filter statistic aggregate from to"},
	{HTTP_GET, "/findings", API_VIEWERS, api_findings_get, "List findings", API_OWN_ANSWER},
	{HTTP_GET, "/findings/{id}/evidence.pcap", API_VIEWERS | API_SIGNED, api_finding_evidence,
	 "The packets that were kept as evidence", API_OWN_ANSWER},
	{HTTP_POST, "/findings/close", API_ANALYSTS | API_SIGNED, api_findings_close,
	 "Close many findings at once, for one reason", .noted = "reason"},
	{HTTP_POST, "/findings/{id}/close", API_ANALYSTS | API_SIGNED, api_finding_close,
	 "Close a finding, for a reason", .noted = "reason"},
	{HTTP_GET, "/findings/{id}", API_VIEWERS, api_finding_get, "One finding with its ground", API_OWN_ANSWER},
	{HTTP_GET, "/rings", API_VIEWERS, api_rings_get, "Members with their blocks, and alerts about their addresses",
	 API_OWN_ANSWER},
	{HTTP_GET, "/statistics", API_VIEWERS | API_PUBLIC, api_statistics_get,
	 "Alerts found, told, acknowledged and fixed, for everybody", API_OWN_COMMON},
	{HTTP_GET, "/statistics.csv", API_VIEWERS | API_PUBLIC, api_statistics_csv, "The statistics as CSV",
	 API_OWN_COMMON},
	{HTTP_GET, "/report/{year}", API_VIEWERS, api_report_get, "Figures of a year"},
	{HTTP_GET, "/search", API_VIEWERS, api_search_get,
	 "Find addresses, prefixes, ports, countries, networks, findings"},
	{HTTP_POST, "/batches", API_SENSORS | API_ADMINS | API_UNRECORDED, api_batches_post,
	 "Hand in batches of records"},
	{HTTP_POST, "/backup", API_ADMINS, api_backup_post, "Back the data directory up"},
	{HTTP_GET, "/members", API_VIEWERS | API_SIGNED, api_members_get, "List members", API_OWN_ANSWER},
	{HTTP_POST, "/members/import", API_OPERATORS, api_members_import,
	 "Members from CSV or JSON, or what that would change"},
	{HTTP_GET, "/members/export", API_ANALYSTS | API_SIGNED, api_members_export, "All members as CSV or JSON"},
	{HTTP_GET, "/members/whose", API_VIEWERS | API_SIGNED, api_members_whose, "Whose an address is"},
	{HTTP_GET, "/members/{id}", API_VIEWERS | API_SIGNED, api_member_get, "One member", API_OWN_PART},
	{HTTP_PUT, "/members/{id}", API_OPERATORS, api_member_put, "Make a member, or change it as a whole"},
	{HTTP_DELETE, "/members/{id}", API_OPERATORS, api_member_delete, "Remove a member"},
	{HTTP_GET, "/members/{id}/history", API_VIEWERS | API_SIGNED, api_member_history, "Changes of a member",
	 API_OWN_PART},
	{HTTP_GET, "/members/{id}/looks", API_ADMINS | API_SIGNED, api_member_looks, "Who looked at a member's data",
	 API_OWN_PART},
	{HTTP_GET, "/groups", API_ANALYSTS | API_SIGNED, api_groups_get,
	 "Groups that share, as far as one may know of them", API_OWN_ANSWER},
	{HTTP_GET, "/groups/{id}", API_ANALYSTS | API_SIGNED, api_group_get, "One group", API_OWN_ANSWER},
	{HTTP_PUT, "/groups/{id}", API_OPERATORS, api_group_put, "Make a group, or change it as a whole"},
	{HTTP_DELETE, "/groups/{id}", API_OPERATORS, api_group_delete, "Delete a group"},
	{HTTP_GET, "/releases", API_ANALYSTS | API_SIGNED, api_releases_get, "The queue of releases, and past ones",
	 API_OWN_ANSWER},
	{HTTP_POST, "/releases", API_ANALYSTS | API_SIGNED, api_releases_post, "Propose a release to groups",
	 API_OWN_ANSWER},
	{HTTP_GET, "/releases/{id}", API_ANALYSTS | API_SIGNED, api_release_get,
	 "One release; for who decides, with whom it would reach", API_OWN_ANSWER},
	{HTTP_POST, "/releases/{id}/decide", API_OPERATORS, api_release_decide, "Release, refuse or withdraw"},
	{HTTP_GET, "/receipts", API_OPERATORS, api_receipts_get, "What audiences were given", API_OWN_ANSWER},
	{HTTP_GET, "/indicators", API_ANALYSTS | API_SIGNED, api_indicators_get, "Indicators, asked by what they say"},
	{HTTP_POST, "/indicators/import", API_ANALYSTS | API_SIGNED, api_indicators_import,
	 "Indicators from STIX, MISP, CSV or a list, or what would become of them"},
	{HTTP_GET, "/indicators/{id}", API_ANALYSTS | API_SIGNED, api_indicator_get, "One indicator with its life"},
	{HTTP_POST, "/indicators/{id}/state", API_ANALYSTS | API_SIGNED, api_indicator_state,
	 "Set an indicator active, expired or a false positive", .noted = "state"},
	{HTTP_GET, "/collections", API_VIEWERS | API_SIGNED, api_collections_get,
	 "Collections that one may read, and what they hold", API_OWN_ANSWER},
	{HTTP_GET, "/collections/{id}", API_VIEWERS | API_SIGNED, api_collection_get,
	 "One collection in each form that it is served in", API_OWN_ANSWER},
	{HTTP_GET, "/feeds/{path*}", API_ANYONE, api_feeds_get,
	 "A collection as list, CSV, nftables sets, response policy zone, routes", API_OWN_COMMON},
	{HTTP_GET, "/taxii2/{path*}", API_ANYONE, api_taxii_get,
	 "TAXII 2.1: discovery, collections, objects, manifests", API_OWN_COMMON},
	{HTTP_POST, "/taxii2/{path*}", API_ANYONE, api_taxii_post, "TAXII 2.1: add objects to a collection",
	 API_OWN_COMMON},
	{HTTP_DELETE, "/taxii2/{path*}", API_ANYONE, api_taxii_delete,
	 "TAXII 2.1: refused; objects are revoked, not deleted", API_OWN_COMMON},
	{HTTP_GET, "/notices", API_ANALYSTS | API_SIGNED, api_notices_get, "List notices", API_OWN_ANSWER},
	{HTTP_GET, "/notices/figures", API_ANALYSTS | API_SIGNED, api_notices_figures,
	 "How many notices there were, and how long it took to tell, to answer and to fix", API_OWN_ANSWER},
	{HTTP_GET, "/notices/bounces", API_ANALYSTS | API_SIGNED, api_notices_bounces,
	 "Contacts that cannot be reached"},
	{HTTP_POST, "/notices/acknowledge", API_ANYONE | API_UNRECORDED, api_notices_acknowledge,
	 "Answer all notices of a message, with the secret of its link", API_OWN_COMMON},
	{HTTP_POST, "/notices/test", API_OPERATORS, api_notices_test, "Send a test to a member's contacts"},
	{HTTP_GET, "/notices/{id}", API_ANALYSTS | API_SIGNED, api_notice_get, "One notice with its life",
	 API_OWN_ANSWER},
	{HTTP_POST, "/notices/{id}/acknowledge", API_ANALYSTS | API_SIGNED, api_notice_acknowledge,
	 "Say that it was seen, and what became of it", API_OWN_ANSWER},
	{HTTP_POST, "/notices/{id}/close", API_ANALYSTS | API_SIGNED, api_notice_close, "Close a notice by hand"},
	{HTTP_POST, "/notices/{id}/send", API_ANALYSTS | API_SIGNED, api_notice_send, "Tell it again, now"},
	{HTTP_GET, "/audit", API_ADMINS, api_audit_get, "Who changed what, and who looked at a member's data"},
	{HTTP_GET, "/audit/export", API_ADMINS, api_audit_export, "The audit log as CSV or JSON"},
	{HTTP_GET, "/audit/state", API_ADMINS, api_audit_state, "Whether the audit log is whole, and its head"},
	{HTTP_GET, "/openapi.json", API_ANYONE, api_openapi_get, "This description", API_OWN_COMMON},
	{HTTP_GET, "/metrics", API_VIEWERS, api_metrics_get, "Figures in Prometheus' text format"},
	{.path = NULL},
};

static bool path_matches(const char *pattern, const char *path, char ret_part[API_PART_BYTES])
{
	const char *brace = strchr(pattern, '{');
	if (!brace)
		return strcmp(pattern, path) == 0;
	size_t before = (size_t)(brace - pattern), length = strlen(path);
	const char *after = strchr(brace, '}') + 1;
	size_t behind = strlen(after);
	bool rest = after[-2] == '*';
	if (length < before + behind + !rest || strncmp(pattern, path, before) != 0 ||
	    strcmp(path + length - behind, after) != 0)
		return false;
	size_t part = length - before - behind;
	if (part >= API_PART_BYTES || (!rest && memchr(path + before, '/', part)))
		return false;
	memcpy(ret_part, path + before, part);
	ret_part[part] = '\0';
	return true;
}

const struct api_route *api_route_find(enum http_method method, const char *path, char ret_part[API_PART_BYTES],
				       bool *ret_other_method)
{
	*ret_other_method = false;
	ret_part[0] = '\0';
	for (const struct api_route *route = api_routes; route->path; route++) {
		if (!path_matches(route->path, path, ret_part))
			continue;
		if (route->method == method)
			return route;
		*ret_other_method = true;
	}
	return NULL;
}
