/* What the files of the notifier share. */
#pragma once

#include "share/concerned.h"
#include "share/notifier.h"

struct notifier {
	struct registry *notices;
	struct concerned *concerned;
	struct notifier_options options;
	struct notice_rules rules;
	const struct messages *messages;
	struct notice_telling tellings[NOTICE_TELLINGS_MAX]; /* room for a plan */
	struct notice_bundle bundle;                         /* room for a bundle */
};

/* Due tellings become messages. 1: some did. 2: one could not be written and is put off. */
int messages_round(struct notifier *notifier, int64_t now_ns, struct err *err) must_check;
