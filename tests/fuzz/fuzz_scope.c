/* Scopes: whatever is read has what a scope must have, and its signatures can be asked about; whatever is refused says
 * where. */
#include "fuzz.h"

#include "observe/survey/scope_check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct scope_verdict verdict;
	struct pool *pool = pool_new(NULL, "fuzz");
	struct scope scope;
	struct approvers nobody = {NULL, 0};
	struct err err = {""};
	int result = scope_parse("fuzz", (const char *)data, bytes, pool, &scope, &err);
	fuzz_check(result == 0 || (result < 0 && strncmp(err.text, "fuzz:", 5) == 0));
	if (result == 0) {
		fuzz_check(scope.name && scope.legal_basis && scope.responsible && scope.reverse_dns);
		fuzz_check(scope.networks.count && scope.tcp.count + scope.udp.count && scope.checks);
		fuzz_check(scope.packets_per_second >= 1 && scope.packets_per_second <= 1000000);
		for (size_t i = 0; i < scope.signature_count; i++)
			(void)!approval_verify(&scope, &scope.signatures[i]);
		scope_check(&scope, &nobody, NULL, 0, 0, &verdict);
		fuzz_check(verdict.count > 0 && verdict.count <= SCOPE_REFUSALS_MAX);
	}
	pool_free(pool);
	return 0;
}
