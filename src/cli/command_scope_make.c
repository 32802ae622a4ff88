/* yagura scope new, key, sign: a file to fill in, a key of a person, and a person's signature under the file. */
#include "cli/command_scope.h"

#include "core/clock.h"
#include "observe/survey/approval.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct option_spec scope_new_option_table[] = {
	{"output", OPTION_PATH, OPTION_AT(struct scope_new_options, output), .argument = "FILE", .letter = 'o',
	 .help = "where it is written, a file that is not there yet; without it, standard output",
	 .help_ja = "書き出す先(まだないファイル)。省略時は標準出力"},
	{"name", OPTION_TEXT, OPTION_AT(struct scope_new_options, name), .argument = "TEXT",
	 .help = "what the observation is called", .help_ja = "観測の名前"},
	{"legal-basis", OPTION_TEXT, OPTION_AT(struct scope_new_options, legal_basis), .argument = "TEXT",
	 .help = "the law, article or contract that allows it", .help_ja = "根拠となる法令・条文・契約"},
	{"organisation", OPTION_TEXT, OPTION_AT(struct scope_new_options, organisation), .argument = "TEXT",
	 .help = "who observes", .help_ja = "観測する組織"},
	{"responsible", OPTION_TEXT, OPTION_AT(struct scope_new_options, responsible), .argument = "TEXT",
	 .help = "the person who answers for it", .help_ja = "責任者"},
	{"contact", OPTION_TEXT, OPTION_AT(struct scope_new_options, contact), .argument = "NAME",
	 .help = "whom those observed may ask", .help_ja = "観測される側からの問い合わせ先"},
	{"mail", OPTION_TEXT, OPTION_AT(struct scope_new_options, mail), .argument = "ADDRESS",
	 .help = "mail address of the contact", .help_ja = "問い合わせ先のメールアドレス"},
	{"web", OPTION_TEXT, OPTION_AT(struct scope_new_options, web), .argument = "URL",
	 .help = "page that explains the observation", .help_ja = "観測を説明するページ"},
	{"reverse-dns", OPTION_TEXT, OPTION_AT(struct scope_new_options, reverse_dns), .argument = "NAME",
	 .help = "name by which the sending addresses are known", .help_ja = "送信元アドレスの逆引き名"},
	{"network", OPTION_PREFIXES, OPTION_AT(struct scope_new_options, networks), .argument = "PREFIX...",
	 .help = "what is observed", .help_ja = "観測するネットワーク"},
	{"days", OPTION_INT, OPTION_AT(struct scope_new_options, days), "30", .min = 1, .max = 366, .argument = "N",
	 .help = "how long it holds from now", .help_ja = "今からの有効日数"},
	{NULL},
};
const struct option_spec scope_key_option_table[] = {
	{"output", OPTION_PATH, OPTION_AT(struct scope_key_options, output), .argument = "FILE", .required = true,
	 .letter = 'o', .help = "where the private key is written, a file that is not there yet",
	 .help_ja = "秘密鍵を書き出す先(まだないファイル)"},
	{"person", OPTION_TEXT, OPTION_AT(struct scope_key_options, person), .argument = "NAME", .required = true,
	 .help = "whose key it is", .help_ja = "鍵の持ち主の氏名"},
	{NULL},
};
const struct option_spec scope_sign_option_table[] = {
	{"key", OPTION_PATH, OPTION_AT(struct scope_sign_options, key), .argument = "FILE", .required = true,
	 .help = "private key of who signs", .help_ja = "署名する人の秘密鍵"},
	{"person", OPTION_TEXT, OPTION_AT(struct scope_sign_options, person), .argument = "NAME", .required = true,
	 .help = "who signs, as in the list of approvers", .help_ja = "署名する人の氏名(一覧にあるとおり)"},
	{NULL},
};

/* A text as YAML takes it on one line: JSON's form of it. What was not given stays empty, which no scope may be. */
static void field_print(FILE *file, const char *name, const char *text)
{
	json_t *value = json_string(text ? text : "");
	fprintf(file, "%s: ", name);
	json_dumpf(value, file, JSON_ENCODE_ANY);
	putc('\n', file);
	json_decref(value);
}

static void networks_print(FILE *file, const struct prefix_list *networks)
{
	char text[PREFIX_TEXT_BYTES];
	fputs("\n# What is observed: no wider than /8 (IPv4) and /32 (IPv6).\nnetworks:\n", file);
	for (size_t i = 0; i < networks->count; i++)
		fprintf(file, "  - %s\n", prefix_format(&networks->items[i], text));
	if (!networks->count)
		fputs("  - 192.0.2.0/24\n", file);
}

static void template_print(FILE *file, const struct scope_new_options *options)
{
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
	int64_t now_ns = time_floor(clock_now_ns(), NS_PER_S);
	fputs("# A scope: what may be observed. Fill it in; then two people sign it (yagura scope sign).\n", file);
	field_print(file, "name", options->name);
	fputs("\n# The law, article or contract that allows it.\n", file);
	field_print(file, "legal_basis", options->legal_basis);
	fputs("\n# Who observes, and the person who answers for it.\n", file);
	field_print(file, "organisation", options->organisation);
	field_print(file, "responsible", options->responsible);
	fputs("\n# Shown to those observed.\ncontact:\n", file);
	field_print(file, "  name", options->contact);
	field_print(file, "  mail", options->mail);
	field_print(file, "  web", options->web);
	field_print(file, "  reverse_dns", options->reverse_dns);
	fprintf(file, "\nperiod:\n  from: %s\n  until: %s\n", time_format(now_ns, from),
		time_format(now_ns + options->days * NS_PER_DAY, until));
	networks_print(file, &options->networks);
	fputs("\n# Never touched; the register of opt-outs is heeded as well.\nopt_out: []\n"
	      "\n# Where packets come from; empty: any address of this machine.\nsources: []\n"
	      "\nports:\n  tcp: [21, 22, 23, 80, 443, 554, 7547, 8080]\n  udp: [53, 123, 161, 1900]\n"
	      "\n# discover, banner, identify, credentials, vulnerabilities\nchecks: [discover, banner, identify]\n"
	      "\nrates:\n  packets_per_second: 1000\n"
	      "  packets_per_network: 50   # a second, each /24 (IPv6: /64)\n"
	      "  packets_per_target: 2     # a second, each address\n"
	      "  login_tries: 0            # in all, each service\n",
	      file);
}

int command_scope_new(const struct command_call *call, struct err *err)
{
	const struct scope_new_options *options = call->options;
	FILE *file = options->output ? fopen(options->output, "wxe") : stdout;
	if (!file) {
		err_set(err, -errno, "%s: %s", options->output, strerror(errno));
		return EXIT_FAILED;
	}
	template_print(file, options);
	if (options->output && fclose(file) != 0) {
		err_set(err, -EIO, "%s: cannot be written", options->output);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int person_check(const char *person, struct err *err)
{
	size_t length = strlen(person);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)person[i] < ' ' || person[i] == '#')
			length = 0;
	if (length && length <= SCOPE_TEXT_MAX && person[0] != ' ' && person[length - 1] != ' ')
		return 0;
	return err_set(err, -EINVAL, "--person: a name of 1 to %d bytes on one line, without '#', was expected",
		       SCOPE_TEXT_MAX);
}

int command_scope_key(const struct command_call *call, struct err *err)
{
	const struct scope_key_options *options = call->options;
	char key[APPROVAL_KEY_TEXT_BYTES];
	if (person_check(options->person, err) < 0)
		return EXIT_USAGE;
	if (approval_key_make(options->output, key, err) < 0)
		return EXIT_FAILED;
	if (options->common.json) {
		json_t *made =
			json_pack("{s:s, s:s, s:s}", "person", options->person, "key", key, "file", options->output);
		json_dumpf(made, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(made);
	} else {
		printf("ed25519 %s %s\n", key, options->person);
	}
	return EXIT_DONE;
}

static const char *signed_text(const struct scope *scope, const char *text, const struct scope_signature *signature,
			       struct pool *pool)
{
	size_t length = strlen(text);
	json_t *person = json_string(signature->person);
	cleanup(free_text) char *name = person ? json_dumps(person, JSON_ENCODE_ANY) : NULL;
	char *whole = pool_alloc(pool, length + (name ? strlen(name) : 0) + 512);
	if (whole && name)
		sprintf(whole, "%s%s%s  - person: %s\n    key: %s\n    signed_at: %s\n    signature: %s\n", text,
			length && text[length - 1] != '\n' ? "\n" : "", scope->signature_count ? "" : "\nsignatures:\n",
			name, signature->key, signature->signed_at, signature->signature);
	json_decref(person);
	return name ? whole : NULL;
}

/* Whole or not at all: written beside, then renamed. */
static int file_replace(const char *path, const char *text, struct err *err)
{
	char part[4096];
	if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
		return err_set(err, -ENAMETOOLONG, "%s: too long a name", path);
	FILE *file = fopen(part, "we");
	int failed = !file || fputs(text, file) < 0 || fflush(file) != 0 || fsync(fileno(file)) < 0;
	if (file)
		failed |= fclose(file) != 0;
	if (!failed && rename(part, path) == 0)
		return 0;
	int code = errno ? -errno : -EIO;
	unlink(part);
	return err_set(err, code, "%s: cannot be written: %s", path, strerror(-code));
}

int command_scope_sign(const struct command_call *call, struct err *err)
{
	const struct scope_sign_options *options = call->options;
	struct scope scope, again;
	struct scope_signature signature;
	const char *text;
	char now[TIME_TEXT_BYTES];
	if (call->operand_count != 1 || strcmp(call->operands[0], "-") == 0)
		return err_set(err, EXIT_USAGE, "one FILE was expected: a scope in YAML");
	const char *path = call->operands[0];
	if (person_check(options->person, err) < 0)
		return EXIT_USAGE;
	time_format(time_floor(clock_now_ns(), NS_PER_S), now);
	if (command_scope_load(path, call->pool, &scope, &text, err) < 0 ||
	    approval_sign(options->key, &scope, options->person, now, call->pool, &signature, err) < 0)
		return EXIT_FAILED;
	const char *whole = signed_text(&scope, text, &signature, call->pool);
	if (!whole) {
		err_set(err, -ENOMEM, "no memory to sign %s", path);
		return EXIT_FAILED;
	}
	struct err why;
	if (scope_parse(path, whole, strlen(whole), call->pool, &again, &why) < 0 ||
	    again.signature_count != scope.signature_count + 1 || strcmp(again.canonical, scope.canonical) != 0) {
		err_set(err, -EINVAL, "%s: 'signatures:' must stand last, each on lines of its own", path);
		return EXIT_FAILED;
	}
	if (file_replace(path, whole, err) < 0)
		return EXIT_FAILED;
	if (options->common.json)
		printf("{\"signatures\": %zu}\n", again.signature_count);
	else
		printf("%s: %zu of 2 signatures\n", path, again.signature_count);
	return EXIT_DONE;
}
