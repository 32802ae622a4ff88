/* See pseudonym_file.h. */
#include "cli/pseudonym_file.h"

#include "sys/text_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 1 << 20 };

const struct option_spec pseudonym_option_table[] = {
	{"pseudonyms", OPTION_PATH, OPTION_AT(struct pseudonym_options, keys), .argument = "KEYS",
	 .help = "keep pseudonyms instead of addresses, by the keys in this file (see flow key)",
	 .help_ja = "アドレスの代わりに、このファイルの鍵による仮名を残す(flow key を参照)"},
	{"pseudonyms-of", OPTION_PREFIXES, OPTION_AT(struct pseudonym_options, of), .argument = "PREFIX",
	 .help = "only of these networks, whose own bits stay (default: of all addresses)",
	 .help_ja = "このネットワークのアドレスだけ(省略時はすべて)。ネットワーク部は変わらない"},
	{NULL},
};

int pseudonym_file_read(const struct pseudonym_options *options, struct pool *pool,
			const struct pseudonym_keys **ret_keys, struct err *err)
{
	struct stat status;
	char *text = NULL;
	size_t bytes;
	*ret_keys = NULL;
	if (!options->keys)
		return options->of.count ? err_set(err, -EINVAL, "--pseudonyms-of needs --pseudonyms KEYS") : 0;
	struct pseudonym_keys *keys = pool_alloc(pool, sizeof *keys);
	if (!keys)
		return err_set(err, -ENOMEM, "no memory for keys");
	if (stat(options->keys, &status) < 0)
		return err_set(err, -errno, "%s: %s", options->keys, strerror(errno));
	if (status.st_mode & (S_IRWXG | S_IRWXO))
		return err_set(err, -EPERM, "%s: others may read these keys; chmod 600 was expected", options->keys);
	int result = text_file_read(options->keys, FILE_BYTES_MAX, &text, &bytes, err);
	if (result == 0)
		result = pseudonym_keys_parse(options->keys, text, bytes, pool, keys, err);
	if (text)
		explicit_bzero(text, bytes);
	free(text);
	keys->of = options->of;
	*ret_keys = keys;
	return result;
}
