/* See disclosure.h. */
#include "share/disclosure.h"

#include "core/clock.h"
#include "store/audit.h"

#include <errno.h>
#include <stdio.h>

enum { FILTER_SHOWN_BYTES = 1024 };

static json_t *instant(int64_t us)
{
	char text[TIME_TEXT_BYTES];
	return us > 0 ? json_string(time_format(us * NS_PER_US, text)) : json_null();
}

int disclosure_write(struct registry *registry, const struct disclosure *disclosure, struct err *err)
{
	char filter[FILTER_SHOWN_BYTES];
	snprintf(filter, sizeof filter, "%s", disclosure->filter);
	json_t *detail = json_pack("{s:s, s:s, s:I, s:o, s:o, s:I, s:I, s:s}", "way", disclosure->way, "filter", filter,
				   "objects", (json_int_t)disclosure->objects, "after", instant(disclosure->after_us),
				   "until", instant(disclosure->until_us), "after_us", (json_int_t)disclosure->after_us,
				   "until_us", (json_int_t)disclosure->until_us, "most",
				   tlp_names[disclosure->withheld ? disclosure->withheld - 1 : TLP_RED]);
	if (!detail)
		return err_set(err, -EINVAL, "a filter in UTF-8 was expected");
	const struct audit_entry entry = {.time_ns = clock_now_ns(),
					  .actor = disclosure->actor,
					  .peer = disclosure->peer,
					  .action = AUDIT_DISCLOSED,
					  .subject = disclosure->collection,
					  .member = disclosure->member,
					  .detail = detail};
	int code = registry_audit(registry, &entry, err);
	json_decref(detail);
	return code;
}
