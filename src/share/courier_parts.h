/* What the files of the courier share. */
#pragma once

#include "share/courier.h"
#include "share/reach.h"
#include "store/notices.h"

#include <curl/curl.h>

/* A message on its way. */
struct job {
	struct job *next;
	struct courier *courier;
	struct courier_slot *slot; /* from when it is begun */
	int64_t message;
	uint32_t number, channel;
	char texts[COURIER_TEXTS_BYTES];
	const char *text[COURIER_TEXTS];
	char *body;
	size_t bytes, got, sent; /* of the body: in all, handed over, passed on */
	size_t taken;            /* of a webhook's answer, which nobody reads */
	CURL *easy;
	struct curl_slist *list; /* recipients or headers */
	char error[CURL_ERROR_SIZE], answer[COURIER_ANSWER_BYTES];
	bool to_recipient; /* a mail's server has been asked about the recipient: what it refuses, it refuses for them
			    */
	bool quitting;     /* what a mail's server says from now on is not about the mail */
	bool refused_address;
};

struct courier {
	const struct courier_setup *setup;
	struct courier_slots *slots;
	struct reach *reach;
	CURLM *multi;
	struct job *jobs, *coming; /* coming: its body is still being handed over */
	bool draining;
};

/* Prepare job->easy. -EINVAL: it cannot be sent at all, err says why. */
int job_prepare(struct job *job, struct err *err) must_check;
/* What became of it, once curl is done. */
struct courier_head job_judge(const struct job *job, CURLcode code);
void job_free(struct job *job);
