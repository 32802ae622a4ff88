/* See command_share_for.h. */
#include "cli/command_share_for.h"

#include "share/disclosure.h"
#include "store/members.h"

#include <errno.h>
#include <stdio.h>

int share_for_open(const char *data, const char *member, struct indicators *store, const char *collection,
		   struct share_for *ret_whom, struct err *err)
{
	*ret_whom = (struct share_for){.registry = NULL};
	int result = indicators_collection_find(store, collection, &ret_whom->collection, err);
	if (result == 1)
		return err_set(err, -ENOENT, "there is no collection '%.64s'", collection);
	if (result < 0 || !member)
		return result;
	snprintf(ret_whom->name, sizeof ret_whom->name, "%s", member);
	ret_whom->reader = (struct audience_reader){.viewer = {.rank = SHARING_MEMBER}, .name = ret_whom->name};
	result = registry_open(data, &ret_whom->registry, err);
	if (result == 0)
		result = registry_member_find(ret_whom->registry, member, &ret_whom->reader.viewer.member, err);
	if (result == 0 && !(ret_whom->audiences = audiences_new(ret_whom->registry)))
		result = err_set(err, -ENOMEM, "no memory for an audience");
	return result;
}

void share_for_close(struct share_for *whom)
{
	audiences_free(whom->audiences);
	registry_close(whom->registry);
}

int share_for_look(struct share_for *whom, struct output *output, struct err *err)
{
	int most = TLP_RED;
	if (!whom->audiences)
		return 0;
	int result = audience_most(whom->audiences, &whom->collection, &whom->reader, &most, err);
	if (result < 0)
		return result;
	if (most < 0)
		return err_set(err, -ENOENT, "there is no collection '%.64s' for member '%s'", whom->collection.name,
			       whom->name);
	enum tlp withheld = audience_withheld(most);
	bool same = output->withheld == withheld;
	output->withheld = withheld;
	return !same;
}

int share_for_tell(struct share_for *whom, const struct output *output, const char *way, struct err *err)
{
	struct disclosure disclosure = {.actor = "local",
					.peer = "",
					.member = whom->reader.viewer.member,
					.collection = whom->collection.name,
					.way = way,
					.filter = "",
					.withheld = output->withheld,
					.after_us = whom->given_us};
	if (!whom->registry)
		return 0;
	int result = indicators_shelf_span(output->store, whom->collection.id, whom->given_us, output->withheld,
					   &disclosure.objects, &disclosure.until_us, err);
	if (result == 0 && disclosure.objects > 0)
		result = disclosure_write(whom->registry, &disclosure, err);
	if (result == 0)
		whom->given_us = disclosure.until_us;
	return result;
}
