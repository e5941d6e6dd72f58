/* smtp.c - mail by SMTP: a few threads that each send one mail at a time by libcurl; the only file that knows
 * curl.
 *
 * Threads, since libcurl waits inside itself for the answer that comes after the body of a mail (smtp_done,
 * also of its multi interface): on the loop a slow server would stand still all of the daemon, and in one
 * thread for all, the mails beside it. Each thread keeps its connection for the next mail, and lets it go
 * after a while.
 *
 * A connection is only used again when the last mail was answered with yes: libcurl keeps one whose answer
 * was late, and the late answer would be taken for that of the next mail.
 *
 * The server's words are only looked at as codes: what is kept of a transfer is how far it had come (enum
 * stage), the last reply code, and whether the whole message had been read.
 */
#include "transport.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <uv.h>
#include "base/macros.h"
#include "base/status.h"

#define THREADS 8
#define STACK_BYTES ((size_t)512 * 1024)
#define KEEP_NS UINT64_C(30000000000) /* a connection that nothing uses */
#define PASSWORD_MAX 512
#define ADDRESS_MAX 260

enum stage { STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

struct smtp;

struct mail_transfer {
	struct smtp *smtp;
	struct mail_transfer *next;
	struct transport_mail mail;
	size_t sent;
	enum stage stage;
	bool all_read;
	enum outcome outcome;
	bool perhaps_sent;
};

struct smtp {
	struct transport base;
	struct smtp_options options;
	char *url;
	uv_async_t told; /* some have ended */
	size_t count;	 /* the loop's: under way */
	atomic_bool closing;
	uv_thread_t threads[THREADS];
	unsigned int thread_count; /* the loop's */

	uv_mutex_t lock; /* of what follows */
	uv_cond_t wake;
	struct mail_transfer *given, *ended;
	unsigned int idle;
};

/* --- the end of a transfer --- */

static enum outcome by_reply(long reply, enum stage stage)
{
	if (reply / 100 == 4 ||
		reply == 552) /* RFC 5321 4.5.3.1.10: 552 is a full mailbox, not a wrong one */
		return OUTCOME_NOT_NOW;
	if (reply / 100 == 5)
		return stage >= STAGE_RCPT ? OUTCOME_REFUSED : OUTCOME_SERVER_REFUSED;
	return OUTCOME_CUT_OFF;
}

static enum outcome outcome_of(CURLcode code, long reply, enum stage stage)
{
	switch (code) {
	case CURLE_OK:
		return OUTCOME_DELIVERED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_URL_MALFORMAT:
		return OUTCOME_UNREACHABLE;
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return OUTCOME_TLS_FAILED;
	case CURLE_LOGIN_DENIED:
		return OUTCOME_AUTH_FAILED;
	case CURLE_OPERATION_TIMEDOUT:
		return OUTCOME_TIMED_OUT;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_NOT_BUILT_IN:
		return OUTCOME_INTERNAL;
	default:
		return by_reply(reply, stage);
	}
}

/* --- one transfer --- */

static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
	struct mail_transfer *transfer = context;
	struct av_bytes message = transfer->mail.message;
	size_t left = message.size - transfer->sent, room = size * count, part = AV_MIN(left, room);

	if (part == 0)
		transfer->all_read = true;
	else
		memcpy(buffer, (const char *)message.data + transfer->sent, part);
	transfer->sent += part;
	return part;
}

/* Only to know how far it has come: nothing of what passes is kept. */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
	struct mail_transfer *transfer = context;

	if (type == CURLINFO_HEADER_IN && transfer->all_read && size >= 4 && data[0] == '2' && data[3] == ' ')
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
	if (type != CURLINFO_HEADER_OUT)
		return 0;
	if (size >= 5 && strncmp(data, "MAIL ", 5) == 0)
		transfer->stage = STAGE_MAIL;
	else if (size >= 5 && strncmp(data, "RCPT ", 5) == 0)
		transfer->stage = STAGE_RCPT;
	else if (size >= 4 && strncmp(data, "DATA", 4) == 0)
		transfer->stage = STAGE_DATA;
	return 0;
}

/* The first line of the file. */
static bool read_password(const char *path, char password[PASSWORD_MAX])
{
	FILE *file = fopen(path, "re");
	bool done = file && fgets(password, PASSWORD_MAX, file);

	if (file)
		fclose(file);
	if (done)
		password[strcspn(password, "\r\n")] = '\0';
	return done;
}

/* Only so that the wait for a slow server ends with the daemon. */
static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct mail_transfer *transfer = context;

	AV_UNUSED(a);
	AV_UNUSED(b);
	AV_UNUSED(c);
	AV_UNUSED(d);
	return atomic_load(&transfer->smtp->closing);
}

#define SET(option, value) (curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)

static enum outcome set_up(struct mail_transfer *transfer, CURL *easy, const struct curl_slist *to)
{
	const struct smtp_options *o = &transfer->smtp->options;
	char from[ADDRESS_MAX], password[PASSWORD_MAX] = "";
	long timeout = (long)o->timeout_seconds;

	snprintf(from, sizeof from, "<%s>", transfer->mail.from);
	bool set = SET(URL, transfer->smtp->url) && SET(PROTOCOLS_STR, "smtp,smtps") &&
		   SET(MAIL_FROM, from) && SET(MAIL_RCPT, to) && SET(UPLOAD, 1L) && SET(FORBID_REUSE, 1L) &&
		   SET(READFUNCTION, on_read) && SET(READDATA, transfer) && SET(NOPROGRESS, 0L) &&
		   SET(XFERINFOFUNCTION, on_progress) && SET(XFERINFODATA, transfer) && SET(NOSIGNAL, 1L) &&
		   SET(PROXY, "") && SET(CONNECTTIMEOUT, timeout) && SET(SERVER_RESPONSE_TIMEOUT, timeout) &&
		   SET(TIMEOUT, timeout * 4) && SET(VERBOSE, 1L) && SET(DEBUGFUNCTION, on_debug) &&
		   SET(DEBUGDATA, transfer) && SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
		   SET(USE_SSL, (long)(o->tls_required ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (set && o->ca_file && *o->ca_file)
		set = SET(CAINFO, o->ca_file);
	if (set && o->user && *o->user) {
		if (!read_password(o->password_file, password))
			return OUTCOME_AUTH_FAILED;
		set = SET(USERNAME, o->user) && SET(PASSWORD, password);
		explicit_bzero(password, sizeof password);
	}
	return set ? OUTCOME_DELIVERED : OUTCOME_INTERNAL;
}

static void transfer_run(struct mail_transfer *transfer, CURL *easy)
{
	char address[ADDRESS_MAX];
	struct curl_slist *to = NULL;
	long reply = 0;

	snprintf(address, sizeof address, "<%s>", transfer->mail.to);
	to = curl_slist_append(NULL, address);
	transfer->outcome = easy && to ? set_up(transfer, easy, to) : OUTCOME_INTERNAL;
	if (transfer->outcome == OUTCOME_DELIVERED) {
		CURLcode code = curl_easy_perform(easy);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
		bool clear = code == CURLE_OK || reply / 100 == 4 || reply / 100 == 5;
		transfer->outcome = outcome_of(code, reply, transfer->stage);
		transfer->perhaps_sent = transfer->all_read && !clear;
	}
	if (easy)
		curl_easy_reset(easy); /* the connection stays */
	curl_slist_free_all(to);
}

/* --- the threads --- */

/* The next mail; NULL: it is the end. Without one for a while the connection is let go. */
static struct mail_transfer *next_given(struct smtp *smtp, CURL **easy)
{
	struct mail_transfer *transfer = NULL;

	uv_mutex_lock(&smtp->lock);
	smtp->idle++;
	while (!atomic_load(&smtp->closing) && !smtp->given) {
		if (!*easy) {
			uv_cond_wait(&smtp->wake, &smtp->lock);
		} else if (uv_cond_timedwait(&smtp->wake, &smtp->lock, KEEP_NS) == UV_ETIMEDOUT &&
			   !smtp->given) {
			uv_mutex_unlock(&smtp->lock);
			curl_easy_cleanup(*easy);
			*easy = NULL;
			uv_mutex_lock(&smtp->lock);
		}
	}
	smtp->idle--;
	if (!atomic_load(&smtp->closing)) {
		transfer = smtp->given;
		LL_DELETE(smtp->given, transfer);
	}
	uv_mutex_unlock(&smtp->lock);
	return transfer;
}

static void run(void *context)
{
	struct smtp *smtp = context;
	struct mail_transfer *transfer;
	CURL *easy = NULL;

	while ((transfer = next_given(smtp, &easy))) {
		if (!easy)
			easy = curl_easy_init();
		transfer_run(transfer, easy);
		uv_mutex_lock(&smtp->lock);
		LL_APPEND(smtp->ended, transfer);
		uv_mutex_unlock(&smtp->lock);
		uv_async_send(&smtp->told);
	}
	curl_easy_cleanup(easy);
}

/* --- on the loop --- */

static struct mail_transfer *next_ended(struct smtp *smtp)
{
	uv_mutex_lock(&smtp->lock);
	struct mail_transfer *transfer = smtp->ended;
	if (transfer)
		LL_DELETE(smtp->ended, transfer);
	uv_mutex_unlock(&smtp->lock);
	return transfer;
}

static void on_told(uv_async_t *async)
{
	struct smtp *smtp = async->data;
	struct mail_transfer *transfer;

	while (!atomic_load(&smtp->closing) && (transfer = next_ended(smtp))) {
		struct mail_transfer end = *transfer;
		free(transfer);
		smtp->count--;
		smtp->options.on_end(smtp->options.context, end.mail.owner, end.outcome, end.perhaps_sent);
	}
}

/* A thread more when all have something to do. */
static void start_thread(struct smtp *smtp)
{
	const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};

	if (smtp->thread_count < THREADS &&
		uv_thread_create_ex(&smtp->threads[smtp->thread_count], &options, run, smtp) == 0)
		smtp->thread_count++;
}

static void smtp_send(struct transport *self, const struct transport_mail *mail)
{
	struct smtp *smtp = AV_CONTAINER(self, struct smtp, base);
	struct mail_transfer *transfer = calloc(1, sizeof *transfer);
	struct mail_transfer *at;
	unsigned int waiting;

	if (!transfer)
		abort(); /* a few hundred bytes: the process is at its end, and the attempt is written down */
	transfer->smtp = smtp;
	transfer->mail = *mail;
	transfer->outcome = OUTCOME_INTERNAL;
	smtp->count++;
	uv_mutex_lock(&smtp->lock);
	LL_COUNT(smtp->given, at, waiting);
	if (waiting >= smtp->idle)
		start_thread(smtp);
	if (smtp->thread_count == 0) { /* and none can be started */
		LL_APPEND(smtp->ended, transfer);
		uv_async_send(&smtp->told);
	} else {
		LL_APPEND(smtp->given, transfer);
		uv_cond_signal(&smtp->wake);
	}
	uv_mutex_unlock(&smtp->lock);
}

static size_t smtp_busy(const struct transport *self)
{
	const struct smtp *smtp = (const struct smtp *)(const void *)self; /* base comes first */
	return smtp->count;
}

/* --- opening and closing --- */

static void free_all(struct mail_transfer *list)
{
	struct mail_transfer *transfer, *next;
	LL_FOREACH_SAFE(list, transfer, next)
	free(transfer);
}

static void smtp_free(struct smtp *smtp)
{
	free_all(smtp->given);
	free_all(smtp->ended);
	uv_cond_destroy(&smtp->wake);
	uv_mutex_destroy(&smtp->lock);
	free(smtp->url);
	free(smtp);
}

static void on_told_closed(uv_handle_t *handle)
{
	smtp_free(handle->data);
}

/* The threads end within a second: until then they use the mails' memory. */
static void smtp_close(struct transport *self)
{
	struct smtp *smtp = AV_CONTAINER(self, struct smtp, base);

	uv_mutex_lock(&smtp->lock);
	atomic_store(&smtp->closing, true);
	uv_cond_broadcast(&smtp->wake);
	uv_mutex_unlock(&smtp->lock);
	for (unsigned int i = 0; i < smtp->thread_count; i++)
		uv_thread_join(&smtp->threads[i]);
	uv_close((uv_handle_t *)&smtp->told, on_told_closed);
}

int smtp_open(void *loop, const struct smtp_options *options, struct transport **ret_transport)
{
	static bool started;
	struct smtp *smtp = calloc(1, sizeof *smtp);
	size_t host = strlen(options->server), size = host + strlen(options->domain) + 2;

	if (!smtp || !(smtp->url = malloc(size))) {
		free(smtp);
		return AV_MEMORY;
	}
	if ((!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) ||
		uv_mutex_init(&smtp->lock) != 0 || uv_cond_init(&smtp->wake) != 0 ||
		uv_async_init(loop, &smtp->told, on_told) != 0) {
		free(smtp->url);
		free(smtp);
		return AV_INTERNAL;
	}
	started = true;
	snprintf(smtp->url, size, "%.*s/%s",
		(int)(host && options->server[host - 1] == '/' ? host - 1 : host), options->server,
		options->domain);
	smtp->base = (struct transport){smtp_send, smtp_busy, smtp_close};
	smtp->options = *options;
	smtp->told.data = smtp;
	*ret_transport = &smtp->base;
	return AV_OK;
}
