/* Handing out and taking back. Outcomes are stored in one transaction for all that came; only then the courier hears
 * that it may forget them. */
#include "share/dispatch_parts.h"

#include "core/clock.h"
#include "wire/mail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { OUTCOMES_AT_ONCE = 128, DROPS_AT_ONCE = 50, SEND_WAIT_MS = 1000 };
#define ASK_NS (15 * NS_PER_MINUTE) /* longer than the courier lets any message take */
#define GIVE_UP_NS (5 * NS_PER_DAY)
#define PAUSE_LEAST_NS (10 * NS_PER_S)
#define PAUSE_MOST_NS (5 * NS_PER_MINUTE)

/* "Name <local@domain>" */
static int from_read(struct dispatch *dispatch, struct err *err)
{
	const char *from = dispatch->options.from, *open = strchr(from, '<'), *close = strrchr(from, '>');
	if (open && close && close > open && !close[1]) {
		int name = (int)(open - from);
		while (name > 0 && from[name - 1] == ' ')
			name--;
		snprintf(dispatch->from_name, sizeof dispatch->from_name, "%.*s", name, from);
		snprintf(dispatch->from, sizeof dispatch->from, "%.*s", (int)(close - open - 1), open + 1);
	} else {
		snprintf(dispatch->from, sizeof dispatch->from, "%s", from);
	}
	int result = mail_address_check(dispatch->from, err);
	return result < 0 ? err_prefix(err, result, "--mail-from") : 0;
}

int dispatch_open(int fd, const struct dispatch_options *options, struct dispatch **ret_dispatch, struct err *err)
{
	struct dispatch *dispatch = calloc(1, sizeof *dispatch);
	if (!dispatch)
		return err_set(err, -ENOMEM, "no memory for sending");
	*dispatch = (struct dispatch){.fd = fd, .options = *options};
	int result = 0;
	if (options->relay && !options->from)
		result = err_set(err, -EINVAL, "--mail-relay needs --mail-from");
	if (result == 0 && options->from)
		result = from_read(dispatch, err);
	if (result == 0 && options->reply_to) {
		result = mail_address_check(options->reply_to, err);
		result = result < 0 ? err_prefix(err, result, "--mail-reply-to") : 0;
	}
	if (result == 0 && options->dkim_key) {
		const char *at = strrchr(dispatch->from, '@');
		const char *domain = options->dkim_domain ? options->dkim_domain : at ? at + 1 : "";
		result = signer_open(options->dkim_key, options->dkim_selector, domain, &dispatch->signer, err);
	}
	if (result < 0)
		dispatch_close(dispatch);
	else
		*ret_dispatch = dispatch;
	return result;
}

void dispatch_registry(struct dispatch *dispatch, struct registry *notices)
{
	dispatch->notices = notices;
}

void dispatch_close(struct dispatch *dispatch)
{
	if (!dispatch)
		return;
	signer_close(dispatch->signer);
	free(dispatch);
}

unsigned dispatch_flying(const struct dispatch *dispatch)
{
	return dispatch->flying[CHANNEL_MAIL] + dispatch->flying[CHANNEL_WEBHOOK];
}

int64_t dispatch_next(const struct dispatch *dispatch)
{
	int64_t next = dispatch_flying(dispatch) ? dispatch->ask_ns : INT64_MAX;
	return dispatch->mail_pause_until_ns && dispatch->mail_pause_until_ns < next ? dispatch->mail_pause_until_ns
										     : next;
}

/* Growing pauses; a tenth more or less by the message's number, so that not all come at once. */
int64_t dispatch_again(unsigned attempts, int64_t message, int64_t made_ns, int64_t now_ns)
{
	static const unsigned minutes[] = {1, 5, 10, 15, 30, 60, 120};
	enum { PAUSES = sizeof minutes / sizeof *minutes };
	if (now_ns - made_ns > GIVE_UP_NS)
		return 0;
	int64_t pause = minutes[attempts >= PAUSES ? PAUSES - 1 : attempts > 0 ? attempts - 1 : 0] * NS_PER_MINUTE;
	return now_ns + pause + pause / 1000 * (message * 37 % 200 - 100);
}

/* A packet; the courier is given a moment to make room. */
static int packet_send(const struct dispatch *dispatch, const struct courier_head *head, const void *data, size_t bytes)
{
	struct iovec parts[2] = {{(void *)head, sizeof *head}, {(void *)data, bytes}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	const struct timeval wait = {.tv_sec = SEND_WAIT_MS / 1000};
	(void)setsockopt(dispatch->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	return sendmsg(dispatch->fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int parcel_send(const struct dispatch *dispatch, const struct notice_message *message, unsigned channel,
		       const struct parcel *parcel)
{
	char texts[COURIER_TEXTS_BYTES];
	struct courier_head head = {.type = COURIER_JOB,
				    .number = message->attempts,
				    .message = message->id,
				    .channel = channel,
				    .bytes = (uint32_t)parcel->bytes};
	size_t used = 0;
	for (unsigned i = 0; i < COURIER_TEXTS; i++) {
		size_t bytes = strlen(parcel->texts[i]) + 1;
		if (bytes > sizeof texts - used)
			return -EMSGSIZE;
		memcpy(texts + used, parcel->texts[i], bytes);
		used += bytes;
	}
	int result = packet_send(dispatch, &head, texts, used);
	head.type = COURIER_DATA;
	for (size_t at = 0; at < parcel->bytes && result == 0;) {
		size_t part = parcel->bytes - at < COURIER_PACKET_BYTES ? parcel->bytes - at : COURIER_PACKET_BYTES;
		result = packet_send(dispatch, &head, parcel->body + at, part);
		at += part;
	}
	return result;
}

static unsigned *flying_of(struct dispatch *dispatch, uint32_t channel)
{
	return &dispatch->flying[channel < NOTICE_CHANNELS ? channel : CHANNEL_MAIL];
}

struct outcome {
	struct courier_head head;
	char answer[COURIER_ANSWER_BYTES];
};

static int64_t again_of(struct dispatch *dispatch, const struct courier_head *head, int64_t now_ns, struct err *err)
{
	int64_t made;
	switch (head->result) {
	case ATTEMPT_UNSENT:
		return now_ns + NS_PER_S;
	case ATTEMPT_DEFERRED:
	case ATTEMPT_UNKNOWN:
		if (notices_message_made(dispatch->notices, head->message, &made, err) < 0)
			return now_ns + NS_PER_HOUR;
		return dispatch_again(head->number, head->message, made, now_ns);
	default:
		return 0;
	}
}

/* A mail server that is in trouble is left alone for a while; the mails that it did not take wait for it. */
static void pause_set(struct dispatch *dispatch, const struct courier_head *head, int64_t now_ns)
{
	if (head->result == ATTEMPT_SENT || (head->channel == CHANNEL_MAIL && !head->server))
		dispatch->mail_pause_ns = dispatch->mail_pause_until_ns = 0;
	if (!head->server || dispatch->mail_pause_until_ns > now_ns)
		return;
	int64_t doubled = 2 * dispatch->mail_pause_ns;
	dispatch->mail_pause_ns = doubled < PAUSE_LEAST_NS  ? PAUSE_LEAST_NS
				  : doubled > PAUSE_MOST_NS ? PAUSE_MOST_NS
							    : doubled;
	dispatch->mail_pause_until_ns = now_ns + dispatch->mail_pause_ns;
}

static int outcomes_store(struct dispatch *dispatch, const struct outcome *outcomes, size_t count, int64_t now_ns,
			  struct err *err)
{
	int result = notices_begin(dispatch->notices, err);
	if (result < 0)
		return result;
	for (size_t i = 0; i < count && result >= 0; i++) {
		const struct courier_head *head = &outcomes[i].head;
		const struct notice_attempt attempt = {head->message, head->number, head->channel};
		result = notices_outcome(dispatch->notices, &attempt, (enum attempt_result)head->result, head->code,
					 outcomes[i].answer, again_of(dispatch, head, now_ns, err), now_ns, err);
		if (result == 0 && *flying_of(dispatch, head->channel))
			(*flying_of(dispatch, head->channel))--;
	}
	if (result < 0) {
		notices_rollback(dispatch->notices);
		return result;
	}
	return notices_commit(dispatch->notices, err);
}

/* After a new courier, a new keeper, or a long silence: what became of everything that is open? Of a file in the drop
 * nobody can tell; but putting it there twice is putting it there once. */
static int open_ask(struct dispatch *dispatch, int64_t now_ns, struct err *err)
{
	enum { OPEN_MAX = COURIER_SLOTS + DROPS_AT_ONCE };
	struct notice_attempt open[OPEN_MAX];
	struct outcome drops[OPEN_MAX];
	size_t count = 0, dropped = 0;
	int result = notices_begin(dispatch->notices, err);
	if (result < 0)
		return result;
	result = notices_attempts_open(dispatch->notices, OPEN_MAX, open, &count, err);
	if (result < 0) {
		notices_rollback(dispatch->notices);
		return result;
	}
	result = notices_commit(dispatch->notices, err);
	memset(dispatch->flying, 0, sizeof dispatch->flying);
	bool heard = true;
	for (size_t i = 0; i < count && result == 0; i++) {
		struct courier_head head = {.type = COURIER_ASK,
					    .number = open[i].number,
					    .message = open[i].message,
					    .channel = open[i].channel};
		if (open[i].channel == CHANNEL_CSV) {
			head.result = ATTEMPT_UNSENT;
			drops[dropped++] = (struct outcome){head, "the process that was putting it there ended"};
			continue;
		}
		(*flying_of(dispatch, open[i].channel))++;
		heard = heard && packet_send(dispatch, &head, NULL, 0) == 0; /* else asked again later */
	}
	if (result == 0 && dropped)
		result = outcomes_store(dispatch, drops, dropped, now_ns, err);
	dispatch->asked = true;
	dispatch->ask_ns = now_ns + ASK_NS;
	return result;
}

/* What the courier says. 1: all that there was room for, there may be more. */
static int outcomes_take(struct dispatch *dispatch, int64_t now_ns, struct err *err)
{
	static struct outcome outcomes[OUTCOMES_AT_ONCE];
	size_t count = 0;
	bool more = true;
	while (count < OUTCOMES_AT_ONCE && more) {
		struct outcome *outcome = &outcomes[count];
		struct iovec parts[2] = {{&outcome->head, sizeof outcome->head},
					 {outcome->answer, sizeof outcome->answer - 1}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
		ssize_t got = recvmsg(dispatch->fd, &message, MSG_DONTWAIT);
		more = got >= (ssize_t)sizeof outcome->head;
		if (!more)
			break;
		outcome->answer[(size_t)got - sizeof outcome->head] = '\0';
		if (outcome->head.type == COURIER_HELLO)
			dispatch->asked = false;
		if (outcome->head.type == COURIER_OUTCOME && outcome->head.result >= 0 &&
		    outcome->head.result < ATTEMPT_RESULTS)
			count++;
	}
	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		pause_set(dispatch, &outcomes[i].head, now_ns);
	int result = outcomes_store(dispatch, outcomes, count, now_ns, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		struct courier_head stored = outcomes[i].head;
		stored.type = COURIER_STORED;
		(void)!packet_send(dispatch, &stored, NULL, 0); /* said again at the next question */
	}
	return result < 0 ? result : more;
}

/* An outcome that is known here already. */
static int settle(struct dispatch *dispatch, const struct notice_message *message, enum attempt_result result,
		  const char *answer, int64_t again_ns, int64_t now_ns, struct err *err)
{
	const struct notice_attempt attempt = {message->id, message->attempts, 0};
	int done = notices_begin(dispatch->notices, err);
	if (done < 0)
		return done;
	done = notices_outcome(dispatch->notices, &attempt, result, 0, answer, again_ns, now_ns, err);
	if (done < 0) {
		notices_rollback(dispatch->notices);
		return done;
	}
	return notices_commit(dispatch->notices, err);
}

static int message_hand(struct dispatch *dispatch, const struct notice_message *message, unsigned channel,
			int64_t now_ns, struct err *err)
{
	struct parcel parcel = {.body = NULL};
	struct err why = {""};
	int result = parcel_make(dispatch, message, now_ns, &parcel, &why);
	int sent = result == 0 ? parcel_send(dispatch, message, channel, &parcel) : 0;
	parcel_free(&parcel);
	if (result < 0)
		return settle(dispatch, message, result == -EINVAL ? ATTEMPT_REFUSED : ATTEMPT_DEFERRED, why.text,
			      dispatch_again(message->attempts, message->id, message->made_ns, now_ns), now_ns, err);
	if (sent == -EMSGSIZE)
		return settle(dispatch, message, ATTEMPT_REFUSED, "the address is too long", 0, now_ns, err);
	dispatch->flying[channel]++; /* also where it was cut off: the courier is asked */
	if (sent < 0)
		dispatch->ask_ns = now_ns;
	return 0;
}

static void message_drop(struct dispatch *dispatch, const struct notice_message *message, struct outcome *ret_outcome)
{
	struct err why = {""};
	int result = drop_put(dispatch->options.drop, message, &why);
	*ret_outcome = (struct outcome){.head = {.number = message->attempts,
						 .message = message->id,
						 .channel = CHANNEL_CSV,
						 .result = result == 0         ? ATTEMPT_SENT
							   : result == -EINVAL ? ATTEMPT_REFUSED
									       : ATTEMPT_DEFERRED}};
	snprintf(ret_outcome->answer, sizeof ret_outcome->answer, "%s", result == 0 ? "put into the drop" : why.text);
}

static unsigned room_of(const struct dispatch *dispatch, unsigned channel, int64_t now_ns)
{
	static const unsigned most[NOTICE_CHANNELS] = {COURIER_MAILS, COURIER_WEBHOOKS, DROPS_AT_ONCE};
	if (channel == CHANNEL_CSV)
		return dispatch->options.drop ? DROPS_AT_ONCE : 0;
	if (channel == CHANNEL_MAIL && (!dispatch->options.relay || dispatch->mail_pause_until_ns > now_ns))
		return 0;
	/* A server that was in trouble is first tried with one. */
	unsigned room = channel == CHANNEL_MAIL && dispatch->mail_pause_ns ? 1 : most[channel];
	return dispatch->flying[channel] < room ? room - dispatch->flying[channel] : 0;
}

/* Attempts of a channel: all written down in one transaction, then handed out. */
static int channel_round(struct dispatch *dispatch, unsigned channel, int64_t now_ns, struct err *err)
{
	struct notice_message messages[DROPS_AT_ONCE];
	struct outcome drops[DROPS_AT_ONCE];
	unsigned room = room_of(dispatch, channel, now_ns), count = 0;
	if (!room)
		return 0;
	int result = notices_begin(dispatch->notices, err);
	if (result < 0)
		return result;
	while (count < room && result == 0) {
		result = notices_attempt(dispatch->notices, notice_channel_names[channel], now_ns, &messages[count],
					 err);
		count += result == 0;
	}
	if (result < 0)
		notices_rollback(dispatch->notices);
	else
		result = notices_commit(dispatch->notices, err);
	for (unsigned i = 0; i < count; i++) {
		if (result == 0 && channel == CHANNEL_CSV)
			message_drop(dispatch, &messages[i], &drops[i]);
		else if (result == 0)
			result = message_hand(dispatch, &messages[i], channel, now_ns, err);
		notice_message_done(&messages[i]);
	}
	if (result == 0 && count && channel == CHANNEL_CSV)
		result = outcomes_store(dispatch, drops, count, now_ns, err);
	return result < 0 ? result : count > 0;
}

int dispatch_round(struct dispatch *dispatch, int64_t now_ns, struct err *err)
{
	int more = outcomes_take(dispatch, now_ns, err);
	if (more >= 0 && (!dispatch->asked || (dispatch_flying(dispatch) && now_ns >= dispatch->ask_ns))) {
		int result = open_ask(dispatch, now_ns, err);
		more = result < 0 ? result : more;
	}
	for (unsigned channel = 0; channel < NOTICE_CHANNELS && more >= 0; channel++) {
		int result = channel_round(dispatch, channel, now_ns, err);
		more = result < 0 ? result : more || result;
	}
	return more;
}
