/* MISP's core format and STIX 2.1, both ways. What STIX can say it says, as misp-stix does (patterns, markings, labels
 * misp:type and misp:category, reports and groupings); whatever MISP said stays beside it in `x_misp`, so that the way
 * back gives the event again member for member. Pure: JSON in, JSON out.
 *
 *     event               report (published) or grouping, object_refs of what follows; x_misp: the event without them
 *     attribute           indicator, where it is for detection (to_ids) and of a type that a pattern can say;
 *                         else x-misp-attribute; x_misp: the attribute
 *     object              x-misp-object, x_misp_attribute_refs; x_misp: the object without its attributes
 *     sighting            sighting; a false positive has a count of 0
 */
#pragma once

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>

enum { MISP_REFS_MAX = 8000 /* of one report; larger events are continued in groupings of their own */ };

/* An event on its way to STIX: begin with its header (all members but Attribute and Object), hand in each attribute and
 * object, end. `emit` takes each STIX object that is made (consumed); negative ends it. */
struct misp_event {
	int (*emit)(void *context, json_t *object, struct err *err);
	void *context;
	json_t *header, *refs;
	char uuid[37], id[64], author[64];
	int tlp; /* enum tlp, or -1: none said */
	unsigned parts;
};
/* 0; 1: refused, with a sentence. */
int misp_event_begin(struct misp_event *event, json_t *header, struct err *err); /* header is borrowed */
int misp_event_attribute(struct misp_event *event, const json_t *attribute, struct err *err);
int misp_event_object(struct misp_event *event, const json_t *object, struct err *err);
int misp_event_end(struct misp_event *event, struct err *err);
void misp_event_done(struct misp_event *event);

/* The event of a report or grouping that misp_event_end() made, {"Event": ...}. `find` gives the STIX object of an id,
 * a new reference, or NULL. NULL: it is none, or no memory. */
json_t *misp_event_from_stix(const json_t *report, json_t *(*find)(void *context, const char *id), void *context);
bool misp_is_event(const json_t *report);

/* An attribute of a value that did not come from MISP. */
json_t *misp_attribute_make(const char *uuid, const char *kind, const char *value, const char *comment,
			    const char *timestamp);
