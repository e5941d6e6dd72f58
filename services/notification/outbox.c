/* outbox.c - the loop's side of delivery.
 *
 * The store says which mails are under way (`underway`); this file sees to it that each of them, and only
 * once, is with the transport, and that its end reaches a turn. It keeps nothing that a crash could lose: the
 * next run finds the same records. It looks after every commit, and once a second for what could not be
 * posted.
 */
#include "outbox.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/log.h"
#include "compose.h"
#include "health.h"
#include "mail_settings.h"
#include "transport.h"

#define LOOK_MS 1000

struct sending {
	struct outbox *outbox;
	struct av_arena *arena; /* NULL: the place is free */
	struct delivery_ended end;
	bool ended, posted;
};

struct outbox {
	struct av_daemon *daemon;
	struct transport *transport;
	struct known *known;
	struct templates *templates;
	struct av_arena *arena; /* of texts that the transport needs */
	struct sending sendings[UNDERWAY_MAX];
	struct underway mails[UNDERWAY_MAX]; /* as last read */
	uv_timer_t timer;
	uint64_t run_before, run; /* run 0: not started yet */
	bool stalled;		  /* something is due and nothing under way, as last seen */
	struct outbox_state state;
	struct reach *reach;
};

struct outbox *outbox_of(struct av_daemon *daemon)
{
	return av_daemon_user(daemon);
}

struct known *outbox_known(struct outbox *outbox)
{
	return outbox->known;
}

struct templates *outbox_templates(struct outbox *outbox)
{
	return outbox->templates;
}

struct reach **outbox_reach(struct outbox *outbox)
{
	return &outbox->reach;
}

struct outbox_state outbox_state(const struct outbox *outbox)
{
	struct outbox_state state = outbox->state;
	state.started = outbox->run != 0;
	for (size_t i = 0; i < UNDERWAY_MAX; i++)
		state.under_way += outbox->sendings[i].arena != NULL;
	return state;
}

/* --- ends --- */

static void post_end(struct sending *sending)
{
	struct av_bytes data = av_bytes(&sending->end, sizeof sending->end);
	sending->posted = av_daemon_post(sending->outbox->daemon, INNER_ENDED, data) >= 0;
}

static void note_server(struct outbox *outbox, int outcome)
{
	if (!outcome_server(outcome)) {
		if (outcome == OUTCOME_DELIVERED || outcome == OUTCOME_REFUSED || outcome == OUTCOME_NOT_NOW)
			outbox->state.server_failures = 0;
		return;
	}
	if (outbox->state.server_failures++ == 0)
		outbox->state.failing_since_ms = av_daemon_now_ms(outbox->daemon);
	outbox->state.last_outcome = outcome;
}

static void ended(struct sending *sending, enum outcome outcome, bool perhaps_sent)
{
	char id[AV_ID_TEXT];
	struct av_id leader;

	sending->ended = true;
	sending->end.outcome = outcome;
	sending->end.perhaps_sent = perhaps_sent;
	note_server(sending->outbox, outcome);
	memcpy(leader.bytes, sending->end.leader, AV_ID_SIZE);
	av_id_text(&leader, id);
	av_log(outcome == OUTCOME_DELIVERED ? AV_LOG_DEBUG : AV_LOG_WARN,
		outcome == OUTCOME_DELIVERED ? "mail delivered" : "mail not delivered",
		"notice=%s attempt=%u outcome=%s", id, sending->end.attempt, outcome_code(outcome));
	post_end(sending);
}

static void on_transport_end(void *context, void *owner, enum outcome outcome, bool perhaps_sent)
{
	(void)context;
	ended(owner, outcome, perhaps_sent);
}

/* --- beginnings --- */

static bool same(const struct sending *sending, const struct underway *mail)
{
	return sending->arena && memcmp(sending->end.leader, mail->leader.bytes, AV_ID_SIZE) == 0 &&
	       sending->end.attempt == mail->attempt;
}

static void begin(
	struct outbox *outbox, struct av_txn *txn, struct sending *sending, const struct underway *mail)
{
	const Avvik__V1__Settings *settings = av_daemon_settings(outbox->daemon);
	struct composer composer = {.txn = txn,
		.keys = av_daemon_keys(outbox->daemon),
		.known = outbox->known,
		.templates = outbox->templates,
		.mail = settings->mail,
		.instance = settings->instance};
	struct composed composed;
	struct av_arena *arena = av_arena_create(0);

	if (!arena)
		return; /* looked at again in a second */
	*sending = (struct sending){.outbox = outbox, .arena = arena};
	memcpy(sending->end.leader, mail->leader.bytes, AV_ID_SIZE);
	sending->end.attempt = mail->attempt;
	enum outcome outcome = compose(&composer, mail, arena, &composed);
	if (outcome != OUTCOME_DELIVERED) {
		ended(sending, outcome, false);
		return;
	}
	outbox->transport->send(outbox->transport, &(struct transport_mail){mail->leader, composed.from,
							   composed.to, composed.message, sending});
}

static struct sending *place_of(struct outbox *outbox, const struct underway *mail, struct sending **ret_free)
{
	*ret_free = NULL;
	for (size_t i = 0; i < UNDERWAY_MAX; i++) {
		if (same(&outbox->sendings[i], mail))
			return &outbox->sendings[i];
		if (!outbox->sendings[i].arena && !*ret_free)
			*ret_free = &outbox->sendings[i];
	}
	return NULL;
}

/* A place is free again when the turn has taken the end in: the record is gone, or of another attempt. */
static void free_places(struct outbox *outbox, size_t count)
{
	for (size_t i = 0; i < UNDERWAY_MAX; i++) {
		struct sending *sending = &outbox->sendings[i];
		bool stands = false;
		for (size_t j = 0; j < count; j++)
			stands = stands || same(sending, &outbox->mails[j]);
		if (sending->arena && sending->ended && !stands) {
			av_arena_destroy(&sending->arena);
			*sending = (struct sending){.outbox = outbox};
		}
	}
}

/* AV_OK once the turn that puts right what an earlier run left has been committed. */
static bool has_started(struct outbox *outbox, struct av_txn *txn)
{
	uint64_t run = av_counter(txn, RUN_COUNTER);
	if (run == outbox->run_before)
		return false;
	outbox->run = run;
	return true;
}

static void post_started(struct outbox *outbox);

static void look(struct outbox *outbox)
{
	struct av_bytes came_to;
	struct av_txn *txn;

	templates_refresh(outbox->templates, av_clock_monotonic_ms());
	if (av_txn_begin_read(av_daemon_store(outbox->daemon), &txn) < 0)
		return; /* looked at again in a second */
	bool portion_left = !outbox->run && schedule_came_to(txn, &came_to) == AV_OK;
	if (outbox->run || has_started(outbox, txn)) {
		size_t count = underway_all(txn, outbox->mails);
		int64_t first_ms = schedule_first(txn);
		outbox->stalled = count == 0 && first_ms && first_ms <= av_daemon_now_ms(outbox->daemon);
		free_places(outbox, count);
		for (size_t i = 0; i < count; i++) {
			struct sending *empty, *place = place_of(outbox, &outbox->mails[i], &empty);
			if (outbox->mails[i].run == outbox->run && !place && empty)
				begin(outbox, txn, empty, &outbox->mails[i]);
		}
	}
	av_txn_abort(&txn);
	if (portion_left && !outbox->run)
		post_started(outbox);
}

static void post_started(struct outbox *outbox)
{
	unsigned char run[8];

	av_put_u64(run, outbox->run_before);
	(void)av_daemon_post(
		outbox->daemon, INNER_STARTED, av_bytes(run, sizeof run)); /* else the timer says it again */
}

static void on_time(uv_timer_t *timer)
{
	struct outbox *outbox = timer->data;
	bool stalled_before = outbox->stalled;

	for (size_t i = 0; i < UNDERWAY_MAX; i++)
		if (outbox->sendings[i].arena && outbox->sendings[i].ended && !outbox->sendings[i].posted)
			post_end(&outbox->sendings[i]);
	look(outbox);
	if (!outbox->run || (outbox->stalled && stalled_before))
		post_started(outbox);
}

/* --- hooks --- */

static int open_transport(struct outbox *outbox)
{
	const Avvik__V1__Settings *settings = av_daemon_settings(outbox->daemon);
	const Avvik__V1__Mail *mail = settings->mail;
	uv_loop_t *loop = av_daemon_loop(outbox->daemon);

	if (!mail_by_smtp(mail)) {
		const char *folder = mail && mail->maildir[0] ? mail->maildir
							      : av_arena_printf(outbox->arena, "%s/mail",
									av_daemon_state(outbox->daemon));
		return folder ? maildir_open(loop, folder, on_transport_end, outbox, &outbox->transport)
			      : AV_MEMORY;
	}
	struct smtp_options options = {.server = mail->server,
		.domain = mail_domain(mail),
		.tls_required = strcmp(mail->tls, "none") != 0,
		.ca_file = mail->ca_file,
		.user = mail->user,
		.password_file = mail_password_path(mail, outbox->arena),
		.timeout_seconds = mail->timeout_seconds ? mail->timeout_seconds : 30,
		.on_end = on_transport_end,
		.context = outbox};
	return smtp_open(loop, &options, &outbox->transport);
}

static void outbox_free(struct outbox *outbox)
{
	for (size_t i = 0; i < UNDERWAY_MAX; i++)
		av_arena_destroy(&outbox->sendings[i].arena);
	reach_free(&outbox->reach);
	known_destroy(outbox->known);
	templates_close(&outbox->templates);
	av_arena_destroy(&outbox->arena);
	free(outbox);
}

int outbox_start(struct av_daemon *daemon)
{
	struct outbox *outbox = calloc(1, sizeof *outbox);
	struct av_txn *txn;

	if (!outbox)
		return AV_MEMORY;
	outbox->daemon = daemon;
	outbox->known = known_create();
	outbox->arena = av_arena_create(0);
	outbox->templates = templates_open(av_daemon_settings(daemon)->templates);
	int status = outbox->known && outbox->arena && outbox->templates ? AV_OK : AV_MEMORY;
	if (status == AV_OK)
		status = av_txn_begin_read(av_daemon_store(daemon), &txn);
	if (status == AV_OK) {
		outbox->run_before = av_counter(txn, RUN_COUNTER);
		av_txn_abort(&txn);
		status = open_transport(outbox);
	}
	if (status < 0) {
		av_log(AV_LOG_ERROR, "mail cannot be sent: check mail.* in the settings and the mail folder",
			"status=%s", av_status_name(status));
		outbox_free(outbox);
		return status;
	}
	av_daemon_set_user(daemon, outbox);
	uv_timer_init(av_daemon_loop(daemon), &outbox->timer);
	outbox->timer.data = outbox;
	uv_timer_start(&outbox->timer, on_time, LOOK_MS, LOOK_MS);
	post_started(outbox);
	return AV_OK;
}

void outbox_committed(struct av_daemon *daemon, uint64_t first, uint64_t last)
{
	struct outbox *outbox = outbox_of(daemon);

	(void)first;
	(void)last;
	if (outbox)
		look(outbox);
}

/* Mails that were begun, whose end has not been committed: ended in good order they are not sent twice. */
bool outbox_busy(struct av_daemon *daemon)
{
	struct outbox *outbox = outbox_of(daemon);
	return outbox && outbox_state(outbox).under_way > 0;
}

bool outbox_quiet(struct av_daemon *daemon)
{
	struct outbox *outbox = outbox_of(daemon);
	struct av_txn *txn;
	bool quiet = outbox && outbox->run && !outbox_busy(daemon);

	if (!quiet || av_txn_begin_read(av_daemon_store(daemon), &txn) < 0)
		return false;
	int64_t first_ms = schedule_first(txn);
	quiet = av_table_count(txn, TABLE_UNDERWAY) == 0 && !ready_any(txn) &&
		(first_ms == 0 || first_ms > av_daemon_now_ms(daemon));
	av_txn_abort(&txn);
	return quiet;
}

static void on_timer_closed(uv_handle_t *handle)
{
	outbox_free(handle->data);
}

/* What is under way is left as it is: the next run counts it as perhaps sent and sends it again. */
void outbox_stop(struct av_daemon *daemon)
{
	struct outbox *outbox = outbox_of(daemon);

	if (!outbox)
		return;
	av_daemon_set_user(daemon, NULL);
	outbox->transport->close(outbox->transport);
	uv_timer_stop(&outbox->timer);
	uv_close((uv_handle_t *)&outbox->timer, on_timer_closed);
}
