/* yagura backup and restore: the store to a directory and back. */
#include "cli/commands.h"
#include "cli/data.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const struct option_spec restore_option_table[] = {
	{"data", OPTION_PATH, OPTION_AT(struct restore_options, data), .argument = "DIR", .required = true,
	 .help = "data directory to make", .help_ja = "作るデータディレクトリ"},
	{"replace", OPTION_FLAG, OPTION_AT(struct restore_options, replace), .help = "replace what is there",
	 .help_ja = "既にあるものを置き換える"},
	{NULL},
};

static const char *tree_from, *tree_to; /* nftw() hands no context on */

static int tree_copy_one(const char *from, const struct stat *status, int type, struct FTW *place)
{
	char to[PATH_MAX];
	(void)place;
	if (snprintf(to, sizeof to, "%s%s", tree_to, from + strlen(tree_from)) >= (int)sizeof to)
		return -ENAMETOOLONG;
	if (type == FTW_D)
		return mkdir(to, 0700) < 0 && errno != EEXIST ? -errno : 0;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result = in < 0 || out < 0 ? -errno : 0;
	for (off_t left = status->st_size; left > 0 && result == 0;) {
		ssize_t sent = sendfile(out, in, NULL, (size_t)left);
		if (sent <= 0)
			result = sent < 0 ? -errno : -EIO;
		left -= sent;
	}
	if (result == 0 && fsync(out) < 0)
		result = -errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return result;
}

static int tree_remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path) < 0 ? -errno : 0;
}

/* The hub is confined to its data directory: it backs up there, and what it made is moved to where it was asked for. */
static int tree_move(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) == 0)
		return 0;
	int result = -errno;
	if (result == -EXDEV) {
		tree_from = from;
		tree_to = to;
		result = nftw(from, tree_copy_one, 16, FTW_PHYS);
		if (result == 0)
			result = nftw(from, tree_remove_one, 16, FTW_PHYS | FTW_DEPTH);
	}
	if (result == -ENOTEMPTY || result == -EEXIST)
		result = -EEXIST;
	return result == 0 ? 0 : err_set(err, result, "%s: the backup stays in %s: %s", to, from, strerror(-result));
}

/* `path` is where it shall be; a hub elsewhere keeps it, and `path` then says where. */
static int backup_by_hub(const struct hub_address *hub, const char *data, char *path, size_t bytes, struct err *err)
{
	char name[64], made[PATH_MAX];
	struct stat status;
	snprintf(name, sizeof name, "%lld-%d", (long long)time(NULL), (int)getpid());
	if (!hub->url && stat(path, &status) == 0 && rmdir(path) < 0)
		return err_set(err, -EEXIST, "%s: an empty or absent directory was expected", path);
	json_t *body = json_pack("{s:s}", "dir", name), *answer = NULL;
	int result = hub_request(hub, "POST", "/backup", body, &answer, err);
	json_decref(body);
	if (result == 0 && hub->url)
		snprintf(path, bytes, "%s", json_string_value(json_object_get(answer, "dir")));
	json_decref(answer);
	if (result < 0 || hub->url)
		return result;
	if (snprintf(made, sizeof made, "%s/backups/%s", data, name) >= (int)sizeof made)
		return err_set(err, -ENAMETOOLONG, "%s: the name is too long", data);
	return tree_move(made, path, err);
}

int command_backup(const struct command_call *call, struct err *err)
{
	const struct data_options *options = call->options;
	char path[PATH_MAX];
	if (call->operand_count != 1) {
		err_set(err, -EINVAL, "one directory for the backup was expected");
		return EXIT_USAGE;
	}
	snprintf(path, sizeof path, "%s", call->operands[0]);
	struct hub_address hub = data_hub(options);
	int result;
	if (hub.url || hub_is_running(&hub)) {
		result = backup_by_hub(&hub, options->data, path, sizeof path, err);
	} else {
		struct store *store = NULL;
		result = data_store_open(options->data, call->pool, &store, err);
		if (result == 0)
			result = store_backup(store, path, err);
		store_close(store);
	}
	if (result < 0)
		return EXIT_FAILED;
	printf(options->common.json ? "{\"backup\": \"%s\"}\n" : "backup: %s\n", path);
	return EXIT_DONE;
}

int command_restore(const struct command_call *call, struct err *err)
{
	const struct restore_options *options = call->options;
	if (call->operand_count != 1) {
		err_set(err, -EINVAL, "the directory of one backup was expected");
		return EXIT_USAGE;
	}
	if (store_restore(call->operands[0], options->data, options->replace, err) < 0)
		return EXIT_FAILED;
	printf(options->common.json ? "{\"restored\": \"%s\"}\n" : "restored: %s\n", options->data);
	return EXIT_DONE;
}
