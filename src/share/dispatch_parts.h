/* What the files of dispatch share. */
#pragma once

#include "share/courier.h"
#include "share/dispatch.h"
#include "share/notice_rules.h"
#include "share/signer.h"

struct dispatch {
	struct registry *notices;
	int fd;
	struct dispatch_options options;
	char from[320], from_name[256];
	struct signer *signer;
	bool asked;     /* the courier was asked about what was open */
	int64_t ask_ns; /* when it is asked again about what it does not tell of */
	unsigned flying[NOTICE_CHANNELS];
	int64_t mail_pause_ns, mail_pause_until_ns;
};

/* What is handed to the courier: its texts and the whole of what is sent. */
struct parcel {
	const char *texts[COURIER_TEXTS];
	char headers[2048], sender[330];
	char *body;
	size_t bytes;
};
void parcel_free(struct parcel *parcel);
/* A mail with its signature, a webhook with its headers; the acknowledgement's secret put in. */
int parcel_make(struct dispatch *dispatch, const struct notice_message *message, int64_t now_ns,
		struct parcel *ret_parcel, struct err *err) must_check;
/* A file in the drop, once and no more: also when it was put there before and has been taken away since. */
int drop_put(const char *dir, const struct notice_message *message, struct err *err) must_check;
