/* smtp.c - mail by SMTP: libcurl's multi interface on the libuv loop; the only file that knows curl.
 *
 * curl tells which sockets to watch (on_socket) and when to come back (on_timer); libuv tells when. Ends are
 * collected after each call into curl, never inside one of its callbacks. The server's words are only looked
 * at as codes: what is kept of a transfer is how far it had come (enum stage), the last reply code, and
 * whether the whole message had been read.
 */
#include "transport.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/macros.h"
#include "base/status.h"

#define CONNECTIONS 8
#define PASSWORD_MAX 512
#define ADDRESS_MAX 260

struct smtp {
	struct transport base;
	struct smtp_options options;
	char *url;
	CURLM *multi;
	uv_loop_t *loop;
	uv_timer_t timer, ends; /* curl's timer; ends of mails that never began */
	struct mail_transfer *transfers;
	size_t count;
	unsigned int handles; /* of libuv, still open */
	bool closing;
};

enum stage { STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

struct mail_transfer {
	struct smtp *smtp;
	struct mail_transfer *next;
	CURL *easy;
	struct curl_slist *to;
	struct transport_mail mail;
	size_t sent;
	enum stage stage;
	bool all_read;
	enum outcome failed; /* it could not be begun; DELIVERED: it was */
};

struct watched {
	uv_poll_t poll;
	struct smtp *smtp;
	curl_socket_t socket;
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

static void transfer_free(struct mail_transfer *transfer)
{
	struct smtp *smtp = transfer->smtp;

	for (struct mail_transfer **at = &smtp->transfers; *at; at = &(*at)->next)
		if (*at == transfer) {
			*at = transfer->next;
			smtp->count--;
			break;
		}
	if (transfer->easy) {
		curl_multi_remove_handle(smtp->multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
	}
	curl_slist_free_all(transfer->to);
	free(transfer);
}

static void transfer_ended(struct mail_transfer *transfer, enum outcome outcome, bool perhaps_sent)
{
	struct smtp *smtp = transfer->smtp;
	void *owner = transfer->mail.owner;

	transfer_free(transfer);
	if (!smtp->closing)
		smtp->options.on_end(smtp->options.context, owner, outcome, perhaps_sent);
}

static void collect_ends(struct smtp *smtp)
{
	CURLMsg *message;
	int left;

	while (!smtp->closing && (message = curl_multi_info_read(smtp->multi, &left))) {
		struct mail_transfer *transfer = NULL;
		CURLcode code = message->data.result;
		long reply = 0;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &reply);
		bool clear = code == CURLE_OK || reply / 100 == 4 || reply / 100 == 5;
		transfer_ended(
			transfer, outcome_of(code, reply, transfer->stage), transfer->all_read && !clear);
	}
}

/* --- curl on the loop --- */

/* The last handle takes the rest with it. */
static void handle_gone(struct smtp *smtp)
{
	smtp->handles--;
	if (smtp->closing && smtp->handles == 0) {
		free(smtp->url);
		free(smtp);
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watched *watched = poll->data;
	struct smtp *smtp = watched->smtp;
	int flags = 0, running;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	else
		flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
			(events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
	curl_multi_socket_action(smtp->multi, watched->socket, flags, &running);
	collect_ends(smtp);
}

static void on_watched_closed(uv_handle_t *handle)
{
	struct watched *watched = handle->data;
	struct smtp *smtp = watched->smtp;

	free(watched);
	handle_gone(smtp);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
	struct smtp *smtp = context;
	struct watched *watched = assigned;

	AV_UNUSED(easy);
	if (what == CURL_POLL_REMOVE) {
		if (watched) {
			curl_multi_assign(smtp->multi, fd, NULL);
			uv_poll_stop(&watched->poll);
			uv_close((uv_handle_t *)&watched->poll, on_watched_closed);
		}
		return 0;
	}
	if (!watched) {
		watched = calloc(1, sizeof *watched);
		if (!watched || uv_poll_init_socket(smtp->loop, &watched->poll, fd) < 0) {
			free(watched);
			return -1;
		}
		watched->smtp = smtp;
		watched->socket = fd;
		watched->poll.data = watched;
		smtp->handles++;
		curl_multi_assign(smtp->multi, fd, watched);
	}
	uv_poll_start(&watched->poll,
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_ready);
	return 0;
}

static void on_time(uv_timer_t *timer)
{
	struct smtp *smtp = timer->data;
	int running;

	curl_multi_socket_action(smtp->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect_ends(smtp);
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct smtp *smtp = context;

	AV_UNUSED(multi);
	if (timeout_ms < 0)
		uv_timer_stop(&smtp->timer);
	else
		uv_timer_start(&smtp->timer, on_time, (uint64_t)timeout_ms, 0);
	return 0;
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

	AV_UNUSED(easy);
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

#define SET(option, value) (curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)

static enum outcome set_up(struct mail_transfer *transfer)
{
	const struct smtp_options *o = &transfer->smtp->options;
	char from[ADDRESS_MAX], to[ADDRESS_MAX], password[PASSWORD_MAX] = "";
	CURL *easy = transfer->easy = curl_easy_init();
	long timeout = (long)o->timeout_seconds;

	snprintf(from, sizeof from, "<%s>", transfer->mail.from);
	snprintf(to, sizeof to, "<%s>", transfer->mail.to);
	transfer->to = curl_slist_append(NULL, to);
	if (!easy || !transfer->to)
		return OUTCOME_INTERNAL;
	bool set = SET(URL, transfer->smtp->url) && SET(PROTOCOLS_STR, "smtp,smtps") &&
		   SET(MAIL_FROM, from) && SET(MAIL_RCPT, transfer->to) && SET(UPLOAD, 1L) &&
		   SET(READFUNCTION, on_read) && SET(READDATA, transfer) && SET(PRIVATE, transfer) &&
		   SET(NOSIGNAL, 1L) && SET(PROXY, "") && SET(CONNECTTIMEOUT, timeout) &&
		   SET(SERVER_RESPONSE_TIMEOUT, timeout) && SET(TIMEOUT, timeout * 4) && SET(VERBOSE, 1L) &&
		   SET(DEBUGFUNCTION, on_debug) && SET(DEBUGDATA, transfer) &&
		   SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
		   SET(USE_SSL, (long)(o->tls_required ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (set && o->ca_file && *o->ca_file)
		set = SET(CAINFO, o->ca_file);
	if (set && o->user && *o->user) {
		if (!read_password(o->password_file, password))
			return OUTCOME_AUTH_FAILED;
		set = SET(USERNAME, o->user) && SET(PASSWORD, password);
		explicit_bzero(password, sizeof password);
	}
	if (!set)
		return OUTCOME_INTERNAL;
	return curl_multi_add_handle(transfer->smtp->multi, easy) == CURLM_OK ? OUTCOME_DELIVERED
									      : OUTCOME_INTERNAL;
}

static void on_failed_begin(uv_timer_t *timer)
{
	struct smtp *smtp = timer->data;
	struct mail_transfer *next;

	for (struct mail_transfer *at = smtp->transfers; at && !smtp->closing; at = next) {
		next = at->next;
		if (at->failed != OUTCOME_DELIVERED)
			transfer_ended(at, at->failed, false);
	}
}

static void smtp_send(struct transport *self, const struct transport_mail *mail)
{
	struct smtp *smtp = AV_CONTAINER(self, struct smtp, base);
	struct mail_transfer *transfer = calloc(1, sizeof *transfer);

	if (!transfer)
		abort(); /* a few hundred bytes: the process is at its end, and the attempt is written down */
	transfer->smtp = smtp;
	transfer->mail = *mail;
	transfer->next = smtp->transfers;
	smtp->transfers = transfer;
	smtp->count++;
	transfer->failed = set_up(transfer);
	if (transfer->failed != OUTCOME_DELIVERED)
		uv_timer_start(&smtp->ends, on_failed_begin, 0, 0);
}

static size_t smtp_busy(const struct transport *self)
{
	const struct smtp *smtp = (const struct smtp *)(const void *)self; /* base comes first */
	return smtp->count;
}

/* --- opening and closing --- */

static void on_handle_closed(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

static void smtp_close(struct transport *self)
{
	struct smtp *smtp = AV_CONTAINER(self, struct smtp, base);

	smtp->closing = true;
	while (smtp->transfers)
		transfer_free(smtp->transfers);
	curl_multi_cleanup(smtp->multi);
	uv_close((uv_handle_t *)&smtp->timer, on_handle_closed);
	uv_close((uv_handle_t *)&smtp->ends, on_handle_closed);
}

int smtp_open(void *loop, const struct smtp_options *options, struct transport **ret_transport)
{
	static bool started;
	struct smtp *smtp = calloc(1, sizeof *smtp);

	if (!smtp)
		return AV_MEMORY;
	if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(smtp);
		return AV_INTERNAL;
	}
	started = true;
	size_t size = strlen(options->server) + strlen(options->domain) + 2;
	smtp->url = malloc(size);
	smtp->multi = curl_multi_init();
	if (!smtp->url || !smtp->multi) {
		curl_multi_cleanup(smtp->multi);
		free(smtp->url);
		free(smtp);
		return AV_MEMORY;
	}
	size_t host = strlen(options->server);
	snprintf(smtp->url, size, "%.*s/%s",
		(int)(host && options->server[host - 1] == '/' ? host - 1 : host), options->server,
		options->domain);
	smtp->base = (struct transport){smtp_send, smtp_busy, smtp_close};
	smtp->options = *options;
	smtp->loop = loop;
	uv_timer_init(smtp->loop, &smtp->timer);
	uv_timer_init(smtp->loop, &smtp->ends);
	smtp->timer.data = smtp->ends.data = smtp;
	smtp->handles = 2;
	curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETDATA, smtp);
	curl_multi_setopt(smtp->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(smtp->multi, CURLMOPT_TIMERDATA, smtp);
	curl_multi_setopt(smtp->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS);
	*ret_transport = &smtp->base;
	return AV_OK;
}
