/* Templates, which users edit: what is taken can be rendered, and strangers' values stay harmless lines. */
#include "fuzz.h"

#include "share/template.h"

#include <string.h>

static const struct template_part parts[] = {{"subject", true}, {"text"}, {NULL}};
static const struct template_gap gaps[] = {{"name"}, {"block", true}, {NULL}};
static const struct template_form form = {parts, gaps};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct pool *pool = pool_new(NULL, "template");
	struct template *template = NULL;
	struct err err = {""};
	char plain[TEMPLATE_VALUE_BYTES], *value = calloc(1, bytes + 1);
	memcpy(value, data, bytes);
	template_plain(value, plain);
	fuzz_check(strlen(plain) < sizeof plain && !strpbrk(plain, "\r\n\t\x1b") && !strstr(plain, "://"));
	const char *const values[] = {value, "{{name}}"};
	int result = template_parse("file", (const char *)data, bytes, &form, pool, &template, &err);
	fuzz_check(result == 0 ? template != NULL : err.text[0] != '\0' && !template);
	for (unsigned part = 0; part < 2 && result == 0; part++) {
		char *text = NULL;
		if (template_render(template, part, values, &text, &err) == 0)
			fuzz_check(part == 1 || !strchr(text, '\n'));
		free(text);
	}
	free(value);
	pool_free(pool);
	return 0;
}
