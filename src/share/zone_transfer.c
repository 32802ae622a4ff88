/* See zone_transfer.h. */
#include "share/zone_transfer.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS_MAX = 4 + 4 * ZONE_CHANGES_MAX };

/* A transfer is a row of segments: the SOA of a serial, the NS, or names. */
struct segment {
	enum { SEGMENT_SOA, SEGMENT_NS, SEGMENT_NAMES } what;
	uint32_t serial;
	const struct zone_names *names;
};

struct zone_answer {
	const struct zone_service *service;
	struct zone_version *version;
	const struct zone_key *key;     /* NULL: the answer is not signed */
	ldns_rdf *origin, *asked, *mac; /* mac: of the query, then of the message before */
	uint16_t id, type;
	ldns_pkt_rcode rcode;
	bool recursion_desired, first, over, transfer;
	struct segment segments[SEGMENTS_MAX];
	size_t segment_count, segment, name; /* where it is */
};

static const char *word_after(const char *at, const char *word, char *out, size_t room)
{
	at = at ? strstr(at, word) : NULL;
	if (!at)
		return NULL;
	at += strlen(word);
	at += strspn(at, " \t\r\n\"");
	size_t length = strcspn(at, " \t\r\n\";{");
	if (length == 0 || length >= room)
		return NULL;
	memcpy(out, at, length);
	out[length] = '\0';
	return at + length;
}

int zone_keys_read(const char *text, const char *where, struct zone_key keys[ZONE_KEYS_MAX], size_t *ret_count,
		   struct err *err)
{
	static const char *const algorithms[] = {"hmac-sha256", "hmac-sha512", "hmac-sha1"};
	size_t count = 0;
	for (const char *at = text; at && (at = strstr(at, "key ")) && count < ZONE_KEYS_MAX;) {
		struct zone_key key;
		unsigned line = 1, known = 0;
		for (const char *c = text; c < at; c++)
			line += *c == '\n';
		const char *end = word_after(at, "key ", key.name, sizeof key.name - 1);
		const char *algorithm = word_after(end, "algorithm ", key.algorithm, sizeof key.algorithm - 1);
		end = word_after(end, "secret ", key.secret, sizeof key.secret);
		for (size_t i = 0; algorithm && i < sizeof algorithms / sizeof *algorithms; i++)
			known += strcasecmp(key.algorithm, algorithms[i]) == 0;
		if (!end || !known)
			return err_set(
				err, -EINVAL,
				"%s:%u: key \"NAME\" { algorithm hmac-sha256; secret \"BASE64\"; }; was expected",
				where, line);
		strcat(key.algorithm, ".");
		if (key.name[strlen(key.name) - 1] != '.')
			strcat(key.name, ".");
		keys[count++] = key;
		at = end;
	}
	*ret_count = count;
	return count > 0 ? 0 : err_set(err, -EINVAL, "%s: there is no key in it", where);
}

static bool time_is_near(const ldns_rr *tsig, int64_t now_s)
{
	const ldns_rdf *time = ldns_rr_rdf(tsig, 1);
	int64_t signed_s = 0;
	if (!time || ldns_rdf_size(time) != 6)
		return false;
	for (unsigned i = 0; i < 6; i++)
		signed_s = signed_s << 8 | ldns_rdf_data(time)[i];
	return signed_s - now_s <= ZONE_TSIG_FUDGE_S && now_s - signed_s <= ZONE_TSIG_FUDGE_S;
}

/* The key that the query is signed with, rightly and lately, or NULL. */
static const struct zone_key *key_find(const struct zone_service *service, ldns_pkt *query, const uint8_t *wire,
				       size_t bytes, int64_t now_s)
{
	ldns_rr *tsig = ldns_pkt_tsig(query);
	if (!tsig)
		return NULL;
	for (size_t i = 0; i < service->key_count; i++) {
		const struct zone_key *key = &service->keys[i];
		ldns_rdf *name = ldns_dname_new_frm_str(key->name);
		bool same = name && ldns_dname_compare(name, ldns_rr_owner(tsig)) == 0;
		ldns_rdf_deep_free(name);
		if (same && time_is_near(tsig, now_s) &&
		    ldns_pkt_tsig_verify(query, wire, bytes, key->name, key->secret, NULL))
			return key;
	}
	return NULL;
}

static void segment_add(struct zone_answer *answer, int what, uint32_t serial, const struct zone_names *names)
{
	answer->segments[answer->segment_count++] = (struct segment){what, serial, names};
}

static void whole_zone(struct zone_answer *answer)
{
	const struct zone_version *version = answer->version;
	segment_add(answer, SEGMENT_SOA, version->serial, NULL);
	segment_add(answer, SEGMENT_NS, 0, NULL);
	segment_add(answer, SEGMENT_NAMES, 0, version->names);
	segment_add(answer, SEGMENT_SOA, version->serial, NULL);
}

/* Changes from the asker's serial on, where they are known; else the whole zone, as RFC 1995 section 4 wants it. */
static void changes_since(struct zone_answer *answer, uint32_t serial)
{
	const struct zone_version *version = answer->version;
	size_t from = 0;
	while (from < version->change_count && version->changes[from].from != serial)
		from++;
	if (serial == version->serial) {
		segment_add(answer, SEGMENT_SOA, version->serial, NULL);
		return;
	}
	if (from == version->change_count) {
		whole_zone(answer);
		return;
	}
	segment_add(answer, SEGMENT_SOA, version->serial, NULL);
	for (size_t i = from; i < version->change_count; i++) {
		segment_add(answer, SEGMENT_SOA, version->changes[i].from, NULL);
		segment_add(answer, SEGMENT_NAMES, 0, version->changes[i].removed);
		segment_add(answer, SEGMENT_SOA, version->changes[i].to, NULL);
		segment_add(answer, SEGMENT_NAMES, 0, version->changes[i].added);
	}
	segment_add(answer, SEGMENT_SOA, version->serial, NULL);
}

static uint32_t asked_serial(const ldns_pkt *query)
{
	const ldns_rr_list *authority = ldns_pkt_authority(query);
	const ldns_rr *soa = authority && ldns_rr_list_rr_count(authority) > 0 ? ldns_rr_list_rr(authority, 0) : NULL;
	return soa && ldns_rr_get_type(soa) == LDNS_RR_TYPE_SOA ? ldns_rdf2native_int32(ldns_rr_rdf(soa, 2)) : 0;
}

static void answer_plan(struct zone_answer *answer, const ldns_pkt *query, const ldns_rr *question, bool tcp)
{
	ldns_rr_type type = ldns_rr_get_type(question);
	bool ours = ldns_dname_compare(ldns_rr_owner(question), answer->origin) == 0 &&
		    ldns_rr_get_class(question) == LDNS_RR_CLASS_IN;
	if (!answer->key) {
		answer->rcode = LDNS_RCODE_REFUSED;
	} else if (!ours) {
		answer->rcode = LDNS_RCODE_NOTAUTH;
	} else if (!answer->version) {
		answer->rcode = LDNS_RCODE_SERVFAIL;
	} else if (type == LDNS_RR_TYPE_SOA || (!tcp && type == LDNS_RR_TYPE_IXFR)) {
		segment_add(answer, SEGMENT_SOA, answer->version->serial, NULL);
	} else if (type == LDNS_RR_TYPE_IXFR) {
		changes_since(answer, asked_serial(query));
		answer->transfer = true;
	} else if (type == LDNS_RR_TYPE_AXFR && tcp) {
		whole_zone(answer);
		answer->transfer = true;
	} else {
		answer->rcode = LDNS_RCODE_REFUSED;
	}
}

int zone_answer_begin(const struct zone_service *service, struct zone_version *version, const uint8_t *wire,
		      size_t bytes, bool tcp, int64_t now_s, struct zone_answer **ret_answer, struct err *err)
{
	ldns_pkt *query = NULL;
	*ret_answer = NULL;
	if (bytes > ZONE_QUERY_BYTES_MAX || ldns_wire2pkt(&query, wire, bytes) != LDNS_STATUS_OK)
		return 0;
	const ldns_rr_list *questions = ldns_pkt_question(query);
	struct zone_answer *answer = NULL;
	if (ldns_pkt_qr(query) || ldns_pkt_get_opcode(query) != LDNS_PACKET_QUERY || !questions ||
	    ldns_rr_list_rr_count(questions) != 1)
		goto out;
	answer = calloc(1, sizeof *answer);
	if (!answer || !(answer->origin = ldns_dname_new_frm_str(service->name))) {
		free(answer);
		ldns_pkt_free(query);
		return err_set(err, -ENOMEM, "no memory for an answer");
	}
	answer->service = service;
	answer->version = version ? zone_version_ref(version) : NULL;
	answer->id = ldns_pkt_id(query);
	answer->recursion_desired = ldns_pkt_rd(query);
	answer->first = true;
	answer->key = key_find(service, query, wire, bytes, now_s);
	answer->mac = answer->key ? ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(query), 3)) : NULL;
	const ldns_rr *question = ldns_rr_list_rr(questions, 0);
	answer->type = (uint16_t)ldns_rr_get_type(question);
	answer->asked = ldns_rdf_clone(ldns_rr_owner(question));
	answer_plan(answer, query, question, tcp);
	*ret_answer = answer;
out:
	ldns_pkt_free(query);
	return 0;
}

void zone_answer_free(struct zone_answer *answer)
{
	if (!answer)
		return;
	zone_version_unref(answer->version);
	ldns_rdf_deep_free(answer->origin);
	ldns_rdf_deep_free(answer->asked);
	ldns_rdf_deep_free(answer->mac);
	free(answer);
}

bool zone_answer_is_transfer(const struct zone_answer *answer)
{
	return answer->transfer;
}

static ldns_rr *record_make(const char *text)
{
	ldns_rr *rr = NULL;
	return ldns_rr_new_frm_str(&rr, text, ZONE_TTL, NULL, NULL) == LDNS_STATUS_OK ? rr : NULL;
}

static ldns_rr *soa_make(const char *zone, uint32_t serial)
{
	char text[ZONE_NAME_TEXT_MAX + 128];
	snprintf(text, sizeof text, "%s. %d IN SOA localhost. hostmaster.localhost. %u 60 30 604800 60", zone, ZONE_TTL,
		 serial);
	return record_make(text);
}

/* The next record of the answer, or NULL when it is over (or out of memory, which *ret_failed says). */
static ldns_rr *record_next(struct zone_answer *answer, bool *ret_failed)
{
	const char *zone = answer->service->name;
	char text[2 * ZONE_NAME_TEXT_MAX + 64];
	ldns_rr *rr = NULL;
	while (answer->segment < answer->segment_count) {
		const struct segment *segment = &answer->segments[answer->segment];
		if (segment->what == SEGMENT_NAMES && answer->name == segment->names->count) {
			answer->segment++;
			answer->name = 0;
			continue;
		}
		if (segment->what == SEGMENT_NAMES) {
			snprintf(text, sizeof text, "%s.%s. %d IN CNAME .", segment->names->names[answer->name++], zone,
				 ZONE_TTL);
			rr = record_make(text);
			if (!rr)
				continue; /* a name that is too long below this zone: not a record at all */
			return rr;
		}
		answer->segment++;
		snprintf(text, sizeof text, "%s. %d IN NS localhost.", zone, ZONE_TTL);
		rr = segment->what == SEGMENT_SOA ? soa_make(zone, segment->serial) : record_make(text);
		*ret_failed = !rr;
		return rr;
	}
	return NULL;
}

static ldns_pkt *message_begin(struct zone_answer *answer)
{
	ldns_pkt *message = ldns_pkt_new();
	if (!message)
		return NULL;
	ldns_pkt_set_id(message, answer->id);
	ldns_pkt_set_qr(message, true);
	ldns_pkt_set_aa(message, answer->rcode == LDNS_RCODE_NOERROR);
	ldns_pkt_set_rd(message, answer->recursion_desired);
	ldns_pkt_set_rcode(message, answer->rcode);
	if (answer->first) {
		ldns_rr *question = ldns_rr_new();
		ldns_rr_set_owner(question, ldns_rdf_clone(answer->asked));
		ldns_rr_set_type(question, answer->type);
		ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
		ldns_rr_set_question(question, true);
		ldns_pkt_push_rr(message, LDNS_SECTION_QUESTION, question);
	}
	return message;
}

/* Sign, and keep the signature for that of the next message (RFC 8945 section 5.3.1). */
static int message_sign(struct zone_answer *answer, ldns_pkt *message)
{
	const struct zone_key *key = answer->key;
	if (!key)
		return 0;
	if (ldns_pkt_tsig_sign_next(message, key->name, key->secret, ZONE_TSIG_FUDGE_S, key->algorithm, answer->mac,
				    !answer->first) != LDNS_STATUS_OK)
		return -EIO;
	ldns_rdf_deep_free(answer->mac);
	answer->mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(message), 3));
	return answer->mac ? 0 : -ENOMEM;
}

int zone_answer_next(struct zone_answer *answer, uint8_t **ret_message, size_t *ret_bytes, struct err *err)
{
	bool failed = false;
	if (answer->over)
		return 0;
	ldns_pkt *message = message_begin(answer);
	if (!message)
		return err_set(err, -ENOMEM, "no memory for an answer");
	ldns_rr *rr;
	unsigned records = 0;
	size_t bytes = 0;
	while (records < ZONE_ANSWER_RECORDS && bytes < ZONE_ANSWER_BYTES && (rr = record_next(answer, &failed))) {
		bytes += ldns_rr_uncompressed_size(rr);
		ldns_pkt_push_rr(message, LDNS_SECTION_ANSWER, rr);
		records++;
	}
	int result = failed ? -ENOMEM : message_sign(answer, message);
	answer->first = false;
	answer->over = answer->segment == answer->segment_count;
	if (result == 0 && ldns_pkt2wire(ret_message, message, ret_bytes) != LDNS_STATUS_OK)
		result = -EMSGSIZE;
	ldns_pkt_free(message);
	return result < 0 ? err_set(err, result, "an answer cannot be made") : 1;
}

int zone_notify_make(const struct zone_service *service, uint32_t serial, uint8_t **ret_message, size_t *ret_bytes,
		     struct err *err)
{
	ldns_rdf *origin = ldns_dname_new_frm_str(service->name);
	ldns_pkt *message = origin ? ldns_pkt_query_new(origin, LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, LDNS_AA) : NULL;
	int result = message ? 0 : -ENOMEM;
	if (message) {
		ldns_pkt_set_opcode(message, LDNS_PACKET_NOTIFY);
		ldns_pkt_set_random_id(message);
		ldns_rr *soa = soa_make(service->name, serial);
		if (soa)
			ldns_pkt_push_rr(message, LDNS_SECTION_ANSWER, soa);
		const struct zone_key *key = &service->keys[0];
		if (ldns_pkt_tsig_sign(message, key->name, key->secret, ZONE_TSIG_FUDGE_S, key->algorithm, NULL) !=
			    LDNS_STATUS_OK ||
		    ldns_pkt2wire(ret_message, message, ret_bytes) != LDNS_STATUS_OK)
			result = -EIO;
		ldns_pkt_free(message);
	}
	return result < 0 ? err_set(err, result, "a notification cannot be made") : 0;
}
