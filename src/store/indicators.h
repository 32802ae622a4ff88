/* The store of STIX objects and of the indicators among them: what they say, where they came from, whom they were
 * shown. SQLite (WAL) in DIR/indicators.sqlite, beside the registry: the README says why, with figures.
 *
 * An object is kept as it came, every version of it. An indicator is an object with values (addresses, names, hashes)
 * that are found and counted by value. A collection is what one audience may read: objects stand on its shelf in the
 * order in which they were put there, each with an instant of its own (microseconds, strictly rising, given under the
 * writer's lock): who reads on from the last instant seen misses nothing and sees nothing twice, whatever is put there
 * meanwhile. Several processes may have the same store open.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	INDICATORS_VALUES_MAX = 256, /* of one indicator; a pattern with more is kept and not looked into */
	INDICATORS_VALUE_BYTES_MAX = 2048,
	INDICATORS_NAME_BYTES = 64, /* of a collection */
	INDICATORS_COLLECTIONS_MAX = 256,
	INDICATORS_PAGE_MAX = 10000,
};

/* Traffic Light Protocol 2.0, in the order of strictness. */
enum tlp { TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED, TLPS };
extern const char *const tlp_names[]; /* "clear" ... "amber+strict", "red"; NULL ends them */

enum indicator_kind {
	KIND_IPV4,
	KIND_IPV6,
	KIND_DOMAIN,
	KIND_URL,
	KIND_EMAIL,
	KIND_MD5,
	KIND_SHA1,
	KIND_SHA256,
	KIND_SHA512,
	KIND_ASN,
	KIND_OTHER, /* a value of a kind that no list knows: found by value, in no output */
	INDICATOR_KINDS
};
extern const char *const indicator_kind_names[];

enum indicator_state {
	STATE_ACTIVE,
	STATE_EXPIRED,
	STATE_REVOKED,
	STATE_FALSE_POSITIVE,
	STATE_REPLACED,
	INDICATOR_STATES
};
extern const char *const indicator_state_names[];

struct indicator_value {
	enum indicator_kind kind;
	const char *text; /* normal form: what is equal is byte for byte equal */
	size_t bytes;
	bool alone; /* to meet it is enough; else it is found by value, but stands in no list */
};

/* Where objects came from. */
struct indicators_source {
	const char *kind; /* "finding", "file", "taxii", "manual" */
	const char *name; /* id of the finding, name of the file, address of the collection */
	const char *by;   /* user or token */
};

struct indicators_object {
	const char *type;
	size_t type_bytes;
	uint8_t uuid[16];
	int64_t version_us;
	uint8_t version_digits;
	enum tlp tlp;
	bool revoked;
	bool held; /* by itself it goes into no collection, nor do later versions: only indicators_release() shows it */
	const char *text; /* JSON */
	size_t bytes;
	/* Of an indicator; value_count 0: none, or one that is not looked into. */
	bool is_indicator;
	const struct indicator_value *values;
	size_t value_count;
	uint8_t confidence;        /* 0..100 */
	int64_t from_ns, until_ns; /* until 0: as long as its kind lives */
	const char *warning;       /* the warning list that knows a value of it; NULL: none. It is in no output */
	/* Of a sighting. */
	const char *sighted_type;
	size_t sighted_type_bytes;
	uint8_t sighted_uuid[16];
	int64_t seen_ns;
	uint32_t seen_count; /* 0 denies: a false positive */
	bool is_sighting;
};

struct indicators;

int indicators_open(const char *dir, struct indicators **ret_store, struct err *err) must_check;
void indicators_close(struct indicators *store); /* NULL is fine */

/* Writing: begin waits for the writer's lock; what is put is seen by others, and durable, after commit. Between the two
 * only the thread that began may call what writes. */
int indicators_begin(struct indicators *store, struct err *err) must_check;
int indicators_commit(struct indicators *store, struct err *err) must_check;
void indicators_rollback(struct indicators *store); /* after a failure; fine without begin */
int indicators_source_add(struct indicators *store, const struct indicators_source *source, int64_t now_ns,
			  int64_t *ret_id, struct err *err) must_check;

/* Put an object: onto the shelves of all collections that take by themselves what their clearance allows, and of
 * `collection` (0: none). 0: new. 1: this version is there already. 2: refused, err says why: the same version with
 * other content, or a clearance that is too low. */
int indicators_put(struct indicators *store, const struct indicators_object *object, int64_t source, int64_t collection,
		   int64_t now_ns, struct err *err) must_check;
/* An indicator that is there already was met again, as a list that is read each day does: it lives on. 0; 1: there is
 * none of that id. Between begin and commit. */
int indicators_seen(struct indicators *store, const struct indicators_object *object, int64_t seen_ns,
		    struct err *err) must_check;
/* Whether a version of an object with its id, not older than it, is there: to ask before anything is put. An object
 * whose version is not known (version_us 0) is there when any is. */
int indicators_known(struct indicators *store, const struct indicators_object *object, bool *ret_known,
		     struct err *err) must_check;
/* How many values that an indicator of another id had too were put since begin. */
uint64_t indicators_correlated(const struct indicators *store);

/* Collections. */
struct indicators_collection {
	int64_t id;
	char uuid[37], name[INDICATORS_NAME_BYTES];
	char title[256], description[1024];
	enum tlp clearance;
	bool automatic, writable;
	bool sealed;        /* a group's: filled by indicators_release() alone, never by indicators_put() */
	char readers[1024]; /* names of users and tokens, separated by blanks; "*": everybody who signs in */
};
/* Make or change one by its name. -EINVAL: a name other than 1 to 63 of a-z 0-9 . _ - . A new automatic collection gets
 * what is there already. -EPERM: a sealed one that is given as not sealed, or the other way round. */
int indicators_collection_put(struct indicators *store, struct indicators_collection *collection, int64_t now_ns,
			      struct err *err) must_check;
/* By id (36 characters) or name. 0, or 1 when there is none. */
int indicators_collection_find(struct indicators *store, const char *name, struct indicators_collection *ret_collection,
			       struct err *err) must_check;
int indicators_collections(struct indicators *store,
			   int (*each)(void *context, const struct indicators_collection *collection), void *context,
			   struct err *err) must_check;

/* What is read from a shelf, in order of its instants. */
enum shelf_versions { VERSIONS_LAST, VERSIONS_FIRST, VERSIONS_ALL, VERSIONS_GIVEN };
struct indicators_want {
	int64_t collection, after_us;
	unsigned limit;
	bool with_text;
	enum tlp withheld; /* of this TLP and stricter ones nothing is shown; TLP_CLEAR: all is */
	enum shelf_versions versions;
	int64_t version_us; /* of VERSIONS_GIVEN */
	/* NULL: any. Names of types; ids as in STIX. */
	const char *const *types, *const *ids;
	size_t type_count, id_count;
};
struct indicators_row {
	int64_t added_us, version_us;
	unsigned version_digits;
	char id[256 + 40];
	const char *text; /* borrowed; NULL without with_text */
	size_t bytes;
};
/* `row` is called for each; a non-zero answer of it ends the reading and is returned. *ret_more: there are more. */
int indicators_shelf(struct indicators *store, const struct indicators_want *want,
		     int (*row)(void *context, const struct indicators_row *row), void *context, bool *ret_more,
		     struct err *err) must_check;

/* Put the current version of an object onto the shelf of a collection, sealed or not; or take all its versions from
 * there. What stands there already stays, what was taken away comes back. -ENOENT: there is no such object, or (taking
 * away) it does not stand there. */
int indicators_release(struct indicators *store, const char *id, int64_t collection, int64_t now_ns,
		       struct err *err) must_check;
int indicators_withdraw(struct indicators *store, const char *id, int64_t collection, struct err *err) must_check;
/* How many objects stand on a shelf after an instant but those withheld (as of struct indicators_want), and the instant
 * of the last of them (after_us where there is none). */
int indicators_shelf_span(struct indicators *store, int64_t collection, int64_t after_us, enum tlp withheld,
			  int64_t *ret_count, int64_t *ret_last_us, struct err *err) must_check;
/* The current version of an object: its text (to be freed) and TLP. -ENOENT. */
int indicators_object_text(struct indicators *store, const char *id, char **ret_text, enum tlp *ret_tlp,
			   struct err *err) must_check;

/* A number that grows with every commit, for ETags. */
int indicators_generation(struct indicators *store, int64_t *ret_generation, struct err *err) must_check;

/* Indicators one by one: current versions, newest first or (with `value`) those of a value. */
struct indicators_listed {
	int64_t seq;      /* for before_seq */
	int64_t added_us; /* of a question about a collection: when it came onto its shelf; for after_us */
	char id[64];
	enum indicator_kind kind;
	const char *value;
	enum tlp tlp;
	enum indicator_state state;
	unsigned confidence, score; /* score: confidence after decay, now */
	int64_t from_ns, until_ns, seen_ns;
	int64_t sightings;
	const char *source_kind, *source_name, *warning; /* warning NULL: none */
};
struct indicators_question {
	const char *value;  /* in normal form; NULL: any */
	const char *part;   /* of a value, in small letters; NULL: any. Looks at all, where a value is found at once */
	const char *source; /* kind of struct indicators_source; NULL: any */
	int kind, state;    /* -1: any */
	unsigned tlps;      /* bits 1 << enum tlp; 0: any */
	int64_t collection; /* 0: whatever shelf, also none */
	enum tlp most;      /* strictest that may be shown */
	int64_t before_seq; /* 0: from the newest; not for a collection */
	bool oldest_first;  /* of a collection: from after_us on */
	int64_t after_us;
	unsigned limit; /* 0: all */
	unsigned least_score, least_confidence;
	bool unwarned; /* only those that no warning list knows */
	bool unheld;   /* only those that are not shown by a release alone */
};
int indicators_list(struct indicators *store, const struct indicators_question *question, int64_t now_ns,
		    int (*each)(void *context, const struct indicators_listed *listed), void *context,
		    struct err *err) must_check;

/* Where the current version of an object came from, and when its first one came. -ENOENT. */
struct indicators_origin {
	int64_t seq;
	int64_t first_ns, time_ns; /* of the first version, of this one */
	int64_t versions;
	bool held;
	char kind[32], name[512], by[128]; /* of struct indicators_source */
};
int indicators_origin(struct indicators *store, const char *id, struct indicators_origin *ret_origin,
		      struct err *err) must_check;
/* Sightings of it, the one seen last first, of which the strictest may be shown is `most`. */
struct indicators_sighting {
	int64_t seen_ns, added_ns;
	int64_t count;                                     /* 0 denies */
	const char *source_kind, *source_name, *source_by; /* "": not known */
};
int indicators_sightings(struct indicators *store, const char *id, enum tlp most, bool unheld, unsigned limit,
			 int (*each)(void *context, const struct indicators_sighting *sighting), void *context,
			 struct err *err) must_check;
/* The collections on whose shelves a version stands, and since when. A non-zero answer of `each` ends it. */
int indicators_shelves(struct indicators *store, int64_t seq,
		       int (*each)(void *context, int64_t collection, int64_t added_us), void *context,
		       struct err *err) must_check;

/* Mark those as expired whose time is over. *ret_count: how many. */
int indicators_expire(struct indicators *store, int64_t now_ns, uint64_t *ret_count, struct err *err) must_check;
/* Set the state of the current version of an indicator by its id. -ENOENT. */
int indicators_state_set(struct indicators *store, const char *id, enum indicator_state state,
			 struct err *err) must_check;

/* What is left of a confidence at `now`: MISP's polynomial decay, confidence * (1 - (age / lifetime) ^ (1 / speed)). */
unsigned indicator_score(enum indicator_kind kind, unsigned confidence, int64_t seen_ns, int64_t until_ns,
			 int64_t now_ns);
double indicator_decay_speed(enum indicator_kind kind);
int64_t indicator_lifetime_ns(enum indicator_kind kind);

void indicators_uuid_format(const uint8_t uuid[16], char text[37]);
bool indicators_uuid_parse(const char *text, size_t bytes, uint8_t uuid[16]); /* 36 characters */
