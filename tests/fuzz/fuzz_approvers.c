/* Lists of approvers: what is read can be found by its key. */
#include "fuzz.h"

#include "observe/survey/approval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct pool *pool = pool_new(NULL, "fuzz");
	struct approvers approvers = {NULL, 0};
	struct err err = {""};
	int result = approvers_parse("fuzz", (const char *)data, bytes, pool, &approvers, &err);
	fuzz_check(result == 0 || (result < 0 && err.text[0] && approvers.count == 0));
	for (size_t i = 0; i < approvers.count; i++)
		fuzz_check(approvers.items[i].name[0] &&
			   approver_find(&approvers, approvers.items[i].key) == &approvers.items[i]);
	pool_free(pool);
	return 0;
}
