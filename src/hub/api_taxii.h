/* TAXII 2.1 (OASIS Standard, 10 June 2021): one API root, one collection for each audience. */
#pragma once

#include "hub/api.h"
#include "store/indicators.h"

#define TAXII_TYPE "application/taxii+json;version=2.1"
#define TAXII_STIX_TYPE "application/stix+json;version=2.1"
#define TAXII_ROOT "/taxii2/api/"

/* Answers to POST, for who asks again (section 4.3); the oldest give way to new ones. */
struct taxii_statuses;
struct taxii_statuses *taxii_statuses_new(void);
void taxii_statuses_free(struct taxii_statuses *statuses); /* NULL is fine */
void taxii_status_keep(struct taxii_statuses *statuses, const char *id, const char *user,
		       json_t *status); /* takes a reference */
json_t *taxii_status_find(struct taxii_statuses *statuses, const char *id,
			  const char *user); /* NULL: none of that user */

/* An error message (section 3.6.1). */
int taxii_refuse(struct api_call *call, unsigned status, const char *title, const char *description);
int taxii_json(struct api_call *call, unsigned status, json_t *json);

/* The strictest TLP of it that the asker may see; -1: it is not there for the asker. */
int taxii_most(const struct api_call *call, const struct indicators_collection *collection);
bool taxii_may_write(const struct api_call *call, const struct indicators_collection *collection);

/* collections/ID/ and what follows it: manifest/, objects/, objects/ID/, objects/ID/versions/. */
int taxii_manifest(struct api_call *call, const struct indicators_collection *collection, struct err *err);
int taxii_objects(struct api_call *call, const struct indicators_collection *collection, const char *object,
		  struct err *err);
int taxii_versions(struct api_call *call, const struct indicators_collection *collection, const char *object,
		   struct err *err);
int taxii_add(struct api_call *call, const struct indicators_collection *collection, struct err *err);
