/* yagura flow key: a new key of pseudonyms. yagura flow reveal: whose a pseudonym is, for a reason, on record. */
#include "cli/command_flow.h"

#include "core/clock.h"
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { REASON_LEAST = 8, ADDRESSES_MAX = 100 };

const struct option_spec flow_key_option_table[] = {
	{"from", OPTION_TEXT, OPTION_AT(struct flow_key_options, from), .default_text = "now", .argument = "TIME",
	 .help = "from when on it holds", .help_ja = "この時刻から有効にする"},
	{NULL},
};

const struct option_spec flow_reveal_option_table[] = {
	{"at", OPTION_TEXT, OPTION_AT(struct flow_reveal_options, at), .argument = "TIME", .required = true,
	 .help = "when the flow began: keys change", .help_ja = "フローの開始時刻(鍵は交代するため)"},
	{"reason", OPTION_TEXT, OPTION_AT(struct flow_reveal_options, reason), .argument = "TEXT", .required = true,
	 .help = "why, for the audit log: the finding, the order", .help_ja = "監査ログに残す理由(検知、令状など)"},
	{"data", OPTION_PATH, OPTION_AT(struct flow_reveal_options, data), .default_text = "run-data",
	 .argument = "DIR", .help = "data directory of the hub whose audit log it goes to",
	 .help_ja = "監査ログを持つハブのデータディレクトリ"},
	{NULL},
};

/* --- keys -------------------------------------------------------------------------------------------------------- */

static int key_append(const char *path, int64_t from_ns, struct err *err)
{
	uint8_t key[PSEUDONYM_KEY_BYTES];
	char line[TIME_TEXT_BYTES + 2 * PSEUDONYM_KEY_BYTES + 3], time[TIME_TEXT_BYTES];
	int length = snprintf(line, sizeof line, "%s ", time_format(from_ns, time));
	if (getrandom(key, sizeof key, 0) != sizeof key)
		return err_set(err, -errno, "no random numbers: %s", strerror(errno));
	for (size_t i = 0; i < sizeof key; i++)
		length += snprintf(line + length, sizeof line - (size_t)length, "%02x", key[i]);
	line[length++] = '\n';
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	ssize_t wrote = fd < 0 ? -1 : write(fd, line, (size_t)length);
	int error = errno;
	explicit_bzero(key, sizeof key);
	explicit_bzero(line, sizeof line);
	if (fd >= 0)
		close(fd);
	return wrote == length
		       ? 0
		       : err_set(err, fd < 0 ? -error : -EIO, "%s: cannot be written: %s", path, strerror(error));
}

int command_flow_key(const struct command_call *call, struct err *err)
{
	const struct flow_key_options *options = call->options;
	const struct pseudonym_keys *keys = NULL;
	int64_t from_ns;
	if (call->operand_count != 1) {
		err_set(err, -EINVAL, "KEYS was expected: the file that a new key is added to");
		return EXIT_USAGE;
	}
	const char *path = call->operands[0];
	if (time_parse(options->from, clock_now_ns(), &from_ns, err) < 0)
		return EXIT_USAGE;
	if (access(path, F_OK) == 0) {
		if (pseudonym_file_read(&(struct pseudonym_options){.keys = path}, call->pool, &keys, err) < 0)
			return EXIT_FAILED;
		if (keys->items[keys->count - 1].from_ns >= from_ns) {
			char last[TIME_TEXT_BYTES];
			err_set(err, -EINVAL, "--from: %s has a key from %s on; a later time was expected", path,
				time_format(keys->items[keys->count - 1].from_ns, last));
			return EXIT_FAILED;
		}
	}
	return key_append(path, from_ns, err) < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- revealing --------------------------------------------------------------------------------------------------- */

/* Nothing is said that is not on record. */
static int reveal_note(const struct flow_reveal_options *options, const struct command_call *call, int64_t at_ns,
		       struct err *err)
{
	char path[PATH_MAX], at[TIME_TEXT_BYTES];
	const struct passwd *user = getpwuid(getuid());
	struct registry *registry = NULL;
	json_t *asked = json_array();
	snprintf(path, sizeof path, "%s/registry.sqlite", options->data);
	for (int i = 0; i < call->operand_count; i++)
		json_array_append_new(asked, json_string(call->operands[i]));
	json_t *detail = json_pack("{s:o, s:s, s:s}", "pseudonyms", asked, "at", time_format(at_ns, at), "reason",
				   options->reason);
	const struct audit_entry entry = {.time_ns = clock_now_ns(),
					  .actor = user ? user->pw_name : "?",
					  .peer = "command line",
					  .action = "flow.reveal",
					  .subject = call->operands[0],
					  .detail = detail};
	int result = access(path, F_OK) < 0
			     ? err_set(err, -ENOENT, "%s: there is no audit log here; --data DIR names the hub's data",
				       options->data)
			     : registry_open(options->data, &registry, err);
	if (result == 0)
		result = registry_audit(registry, &entry, err);
	registry_close(registry);
	json_decref(detail);
	return result;
}

static json_t *revealed(struct pseudonyms *pseudonyms, const char *text, int64_t at_ns)
{
	struct addr pseudonym, addr;
	char address[ADDR_TEXT_BYTES];
	if (addr_parse(text, &pseudonym, NULL) < 0) /* it was read before */
		return json_null();
	addr = pseudonym_reveal(pseudonyms, &pseudonym, at_ns);
	return json_pack("{s:s, s:s}", "pseudonym", text, "address", addr_format(&addr, address));
}

static int options_check(const struct command_call *call, int64_t *ret_at_ns, struct err *err)
{
	const struct flow_reveal_options *options = call->options;
	struct addr addr;
	if (call->operand_count == 0 || call->operand_count > ADDRESSES_MAX)
		return err_set(err, -EINVAL, "1 to %d pseudonyms were expected", ADDRESSES_MAX);
	for (int i = 0; i < call->operand_count; i++)
		if (addr_parse(call->operands[i], &addr, err) < 0)
			return -EINVAL;
	if (!options->pseudonyms.keys)
		return err_set(err, -EINVAL, "--pseudonyms KEYS was expected");
	if (strlen(options->reason) < REASON_LEAST)
		return err_set(err, -EINVAL, "--reason: at least %d letters were expected: who asks, and why",
			       REASON_LEAST);
	return time_parse(options->at, clock_now_ns(), ret_at_ns, err);
}

int command_flow_reveal(const struct command_call *call, struct err *err)
{
	const struct flow_reveal_options *options = call->options;
	const struct pseudonym_keys *keys = NULL;
	struct pseudonyms *pseudonyms = NULL;
	int64_t at_ns;
	if (options_check(call, &at_ns, err) < 0)
		return EXIT_USAGE;
	int result = pseudonym_file_read(&options->pseudonyms, call->pool, &keys, err);
	if (result == 0)
		result = pseudonyms_new(keys, &pseudonyms, err);
	if (result == 0)
		result = reveal_note(options, call, at_ns, err);
	json_t *rows = json_array();
	for (int i = 0; result == 0 && i < call->operand_count; i++)
		json_array_append_new(rows, revealed(pseudonyms, call->operands[i], at_ns));
	if (result == 0 && options->common.json) {
		json_dumpf(rows, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (result == 0) {
		json_t *row;
		size_t i;
		json_array_foreach(rows, i, row)
			printf("%s  %s\n", json_string_value(json_object_get(row, "pseudonym")),
			       json_string_value(json_object_get(row, "address")));
	}
	json_decref(rows);
	pseudonyms_free(pseudonyms);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}
