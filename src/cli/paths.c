/* Finding what comes with the program, from its own place: build/src/cli/yagura in a source tree, bin/yagura installed.
 */
#include "cli/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *path_shared(struct pool *pool, const char *given, const char *relative)
{
	if (given)
		return given;
	char self[PATH_MAX] = "", path[PATH_MAX * 2];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = length > 0 ? strrchr(self, '/') : NULL;
	if (slash)
		*slash = '\0';
	const char *share = getenv("YAGURA_SHARE");
	const char *const roots[] = {share ? share : self, self, self, ""};
	static const char *const below[] = {"/", "/../../../", "/../share/yagura/", ""};
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s%s%s", roots[i], below[i], relative);
		if (access(path, R_OK) == 0)
			return pool_text(pool, path);
	}
	return relative;
}
