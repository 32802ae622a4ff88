/* TAXII 2.1: discovery, the API root, collections, statuses, and who may see what. See api_taxii.h.
 *
 * A collection that one may not read is not there: its existence is not told. */
#include "hub/api_taxii.h"

#include "core/log.h"
#include "hub/api_sharing.h"
#include "hub/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct taxii_status {
	char id[37], user[REGISTRY_NAME_BYTES];
	json_t *status;
};
struct taxii_statuses {
	pthread_mutex_t lock;
	unsigned next;
	struct taxii_status items[LIMIT_TAXII_STATUSES];
};

struct taxii_statuses *taxii_statuses_new(void)
{
	struct taxii_statuses *statuses = calloc(1, sizeof *statuses);
	if (statuses)
		pthread_mutex_init(&statuses->lock, NULL);
	return statuses;
}

void taxii_statuses_free(struct taxii_statuses *statuses)
{
	if (!statuses)
		return;
	for (unsigned i = 0; i < LIMIT_TAXII_STATUSES; i++)
		json_decref(statuses->items[i].status);
	pthread_mutex_destroy(&statuses->lock);
	free(statuses);
}

void taxii_status_keep(struct taxii_statuses *statuses, const char *id, const char *user, json_t *status)
{
	pthread_mutex_lock(&statuses->lock);
	struct taxii_status *item = &statuses->items[statuses->next++ % LIMIT_TAXII_STATUSES];
	json_decref(item->status);
	item->status = json_deep_copy(status); /* reference counts are not shared between threads */
	snprintf(item->id, sizeof item->id, "%s", id);
	snprintf(item->user, sizeof item->user, "%s", user);
	pthread_mutex_unlock(&statuses->lock);
}

json_t *taxii_status_find(struct taxii_statuses *statuses, const char *id, const char *user)
{
	json_t *found = NULL;
	pthread_mutex_lock(&statuses->lock);
	for (unsigned i = 0; i < LIMIT_TAXII_STATUSES && !found; i++)
		if (statuses->items[i].status && strcmp(statuses->items[i].id, id) == 0 &&
		    strcmp(statuses->items[i].user, user) == 0)
			found = json_deep_copy(statuses->items[i].status);
	pthread_mutex_unlock(&statuses->lock);
	return found;
}

int taxii_json(struct api_call *call, unsigned status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return -ENOMEM;
	int result = api_text(call, status, TAXII_TYPE, text, strlen(text));
	free(text);
	return result;
}

int taxii_refuse(struct api_call *call, unsigned status, const char *title, const char *description)
{
	char code[8];
	snprintf(code, sizeof code, "%u", status);
	return taxii_json(
		call, status,
		json_pack("{s:s, s:s, s:s}", "title", title, "description", description, "http_status", code));
}

int taxii_most(const struct api_call *call, const struct indicators_collection *collection)
{
	const struct audience_reader reader = api_reader(call);
	struct err err = {""};
	int most = -1;
	if (!call->known)
		return -1;
	if (audience_most(call->keeper->audiences, collection, &reader, &most, &err) < 0) {
		LOG(LOG_ERROR, "audience.failed", err.text);
		return -1;
	}
	return most;
}

bool taxii_may_write(const struct api_call *call, const struct indicators_collection *collection)
{
	return collection->writable && taxii_most(call, collection) >= 0;
}

static json_t *collection_json(const struct api_call *call, const struct indicators_collection *collection)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:[s]}", "id", collection->uuid, "title",
			 collection->title[0] ? collection->title : collection->name, "description",
			 collection->description, "alias", collection->name, "can_read", 1, "can_write",
			 (int)taxii_may_write(call, collection), "media_types", TAXII_STIX_TYPE);
}

struct collecting {
	struct api_call *call;
	json_t *array;
};

static int collection_collect(void *context, const struct indicators_collection *collection)
{
	struct collecting *collecting = context;
	if (taxii_most(collecting->call, collection) >= 0)
		json_array_append_new(collecting->array, collection_json(collecting->call, collection));
	return 0;
}

static int collections_get(struct api_call *call, struct err *err)
{
	struct collecting collecting = {call, json_array()};
	int result = indicators_collections(call->keeper->indicators, collection_collect, &collecting, err);
	if (result < 0) {
		json_decref(collecting.array);
		return result;
	}
	return taxii_json(call, 200, json_pack("{s:o}", "collections", collecting.array));
}

static int discovery_get(struct api_call *call)
{
	char root[512];
	snprintf(root, sizeof root, "%s" TAXII_ROOT, call->keeper->setup->url);
	return taxii_json(call, 200,
			  json_pack("{s:s, s:s, s:s, s:[s]}", "title", "Yagura", "description",
				    "Indicators, one collection for each audience", "default", root, "api_roots",
				    root));
}

static int root_get(struct api_call *call)
{
	return taxii_json(call, 200,
			  json_pack("{s:s, s:[s], s:i}", "title", "Yagura", "versions", TAXII_TYPE,
				    "max_content_length", (int)LIMIT_TAXII_BODY_BYTES));
}

static int status_get(struct api_call *call, const char *id)
{
	json_t *status = taxii_status_find(call->keeper->taxii_statuses, id, call->user.name);
	return status ? taxii_json(call, 200, status)
		      : taxii_refuse(call, 404, "Not found",
				     "There is no such status, or it is too old to be remembered");
}

/* The next segment of a path in `*at`, which is moved behind it; empty at the end. */
static const char *segment_take(char **at)
{
	char *begin = *at, *slash = strchr(begin, '/');
	if (slash)
		*slash = '\0';
	*at = slash ? slash + 1 : begin + strlen(begin);
	return begin;
}

static int below_collection(struct api_call *call, char *rest, struct err *err)
{
	struct indicators_collection collection;
	int result = indicators_collection_find(call->keeper->indicators, segment_take(&rest), &collection, err);
	if (result < 0)
		return result;
	if (result == 1 || taxii_most(call, &collection) < 0)
		return taxii_refuse(call, 404, "Not found", "There is no such collection");
	const char *what = segment_take(&rest), *object = segment_take(&rest), *versions = segment_take(&rest);
	bool post = call->fixed.method == HTTP_POST;
	if (!what[0] && !post)
		return taxii_json(call, 200, collection_json(call, &collection));
	if (strcmp(what, "manifest") == 0 && !object[0] && !post)
		return taxii_manifest(call, &collection, err);
	if (strcmp(what, "objects") == 0 && post && !object[0])
		return taxii_may_write(call, &collection)
			       ? taxii_add(call, &collection, err)
			       : taxii_refuse(call, 403, "Forbidden",
					      "This collection is not one that you may write to");
	if (strcmp(what, "objects") == 0 && !versions[0] && !post)
		return taxii_objects(call, &collection, object[0] ? object : NULL, err);
	if (strcmp(what, "objects") == 0 && strcmp(versions, "versions") == 0 && !*rest && !post)
		return taxii_versions(call, &collection, object, err);
	return taxii_refuse(call, 404, "Not found", "There is nothing at this address");
}

/* Section 1.6.8: the version may be left out, and what takes anything takes this. */
static bool accepts(const char *accept)
{
	return !accept[0] || strstr(accept, "application/taxii+json") || strstr(accept, "*/*") ||
	       strstr(accept, "application/*");
}

static int dispatch(struct api_call *call, struct err *err)
{
	char path[API_PART_BYTES], *rest = path;
	snprintf(path, sizeof path, "%s", call->part);
	if (!call->known)
		return taxii_refuse(call, 401, "Unauthorized",
				    "Send an API token, as Bearer or as the password of Basic");
	if (!accepts(call->accept) ||
	    (strstr(call->accept, "version=") && !strstr(call->accept, "version=2.1") && !strstr(call->accept, "*/*")))
		return taxii_refuse(call, 406, "Not acceptable", "This server speaks " TAXII_TYPE);
	const char *root = segment_take(&rest), *what = segment_take(&rest);
	if (!root[0])
		return discovery_get(call);
	if (strcmp(root, "api") != 0)
		return taxii_refuse(call, 404, "Not found", "There is no such API root");
	if (!what[0])
		return root_get(call);
	if (strcmp(what, "collections") == 0 && !*rest)
		return collections_get(call, err);
	if (strcmp(what, "collections") == 0)
		return below_collection(call, rest, err);
	if (strcmp(what, "status") == 0)
		return status_get(call, segment_take(&rest));
	return taxii_refuse(call, 404, "Not found", "There is nothing at this address");
}

int api_taxii_get(struct api_call *call, struct err *err)
{
	return dispatch(call, err);
}

int api_taxii_post(struct api_call *call, struct err *err)
{
	if (strncmp(call->type, "application/taxii+json", 22) != 0)
		return taxii_refuse(call, 415, "Unsupported media type", "The body must be " TAXII_TYPE);
	return dispatch(call, err);
}

int api_taxii_delete(struct api_call *call, struct err *err)
{
	(void)err;
	return taxii_refuse(call, 403, "Forbidden", "Objects are not deleted here; send a version that is revoked");
}
