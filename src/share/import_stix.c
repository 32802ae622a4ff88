/* Bundles, TAXII envelopes and single objects. */
#include "share/import_parts.h"

#include <errno.h>
#include <stdio.h>

int import_stix(struct importing *importing, const char *text, size_t bytes, struct err *err)
{
	struct stix_walk walk;
	struct json_slice object;
	struct err why = {""};
	int result = stix_walk_open(importing->reader, &walk, text, bytes, &why);
	if (result != 0)
		return err_set(err, result == 1 ? -EBADMSG : result, "%s", why.text);
	for (;;) {
		char where[32] = "the object";
		int more = stix_walk_next(&walk, &object, &why);
		if (!walk.alone.text)
			snprintf(where, sizeof where, "/objects/%llu", (unsigned long long)walk.index);
		if (more < 0)
			import_refuse(importing, "the rest", why.text);
		if (more != 1)
			return 0;
		result = import_object(importing, object, where, err);
		if (result < 0)
			return result;
	}
}
