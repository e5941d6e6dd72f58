/* deciding.c - from an event of a case to the notices that follow from it.
 *
 * Two feeds, no order between them. An event of workflow may be read before what workflow knew when it made
 * it. So a case's opening waits until the report that it comes from has been read here too: everything that
 * workflow had read before that report stands before it in intake's journal, and is then known here,
 * directory and rules included. Any event waits while the case's rule pack, or a unit it was moved to, is not
 * known yet, and while there is none for the case. Behind an event that waits all later ones of the case
 * wait, so that each is decided on the facts of its own moment.
 */
#include "deciding.h"

#include <string.h>
#include "attempts_store.h"
#include "case_facts.h"
#include "mail_settings.h"
#include "notice_rules.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define CHANNEL "mail"

struct considered {
	const Avvik__V1__Event *event;
	Avvik__V1__CaseKnown *before;
	const Avvik__V1__CaseKnown *after;
	const Avvik__V1__RulePack *pack;
	const struct av_org *org;
	bool reporter_has_mail, changed;
};

bool case_event_of_the_past(const Avvik__V1__Event *event)
{
	return event->actor && *event->actor->taken_over_from;
}

/* A case was moved to a unit that is not known here: the directory with it is on its way, or one without it
 * has arrived already. So it waits, but not for ever; then the search begins at the committee. */
static bool awaits_directory(const struct av_ctx *ctx, const struct considered *c)
{
	return c->event->body_case == EVENT(CASE_PLACED) && !av_org_unit(c->org, c->after->unit) &&
	       ctx->now_ms - c->event->recorded_at_ms < WAITING_LOOK_MS;
}

/* A case that was opened before there were rules for it is decided on by those that were set for it since.
 * AV_NOT_FOUND: none have been. */
static int take_rules(struct av_ctx *ctx, struct considered *c)
{
	Avvik__V1__Event *set;
	int status = waiting_find(
		ctx->txn, data_bytes(c->event->case_id), EVENT(CASE_RULES_SET), ctx->arena, &set);
	return status < 0 ? status : case_after(c->after, set, ctx->arena, &c->after);
}

/* AV_OK: all that is needed is there; AV_BUSY: not yet. */
static int gather(struct av_ctx *ctx, const Avvik__V1__Event *event, struct considered *c)
{
	struct av_bytes case_id = data_bytes(event->case_id);
	struct contact contact = {.has_mail = false};

	c->event = event;
	int status = case_load(ctx->txn, case_id, ctx->arena, &c->before);
	if (status < 0 && status != AV_NOT_FOUND)
		return status;
	status = case_after(c->before, event, ctx->arena, &c->after);
	if (status < 0)
		return status;
	c->changed = status == AV_OK;
	status = contact_load(ctx->txn, NULL, case_id, &contact);
	if (status == AV_NOT_FOUND && case_event_of_the_past(event))
		status = AV_OK; /* no report comes from intake that it would wait for */
	if (status < 0)
		return status == AV_NOT_FOUND ? AV_BUSY : status;
	c->reporter_has_mail = contact.has_mail;
	status = c->after->rules_version[0] ? AV_OK : take_rules(ctx, c);
	if (status == AV_OK)
		status = known_pack(ctx->cache, ctx->txn, c->after->rules_version, &c->pack);
	if (status == AV_OK)
		status = known_org(ctx->cache, ctx->txn, &c->org);
	if (status < 0)
		return status == AV_NOT_FOUND ? AV_BUSY : status;
	return awaits_directory(ctx, c) ? AV_BUSY : AV_OK;
}

static int emit_nobody(struct av_ctx *ctx, const struct considered *c, const struct notice_decision *decision,
	const struct av_emit_options *options)
{
	Avvik__V1__NoticeUnreachable *nobody =
		AV_NEW(ctx->arena, Avvik__V1__NoticeUnreachable, avvik__v1__notice_unreachable);
	if (!nobody)
		return AV_MEMORY;
	nobody->case_id = c->event->case_id;
	nobody->number = c->after->number;
	nobody->rule = (char *)decision->rule;
	nobody->cause_id = c->event->event_id;
	nobody->role = (char *)decision->role;
	nobody->unit = (char *)decision->unit;
	nobody->why = (char *)decision->why;
	av_emit(ctx, EVENT(NOTICE_UNREACHABLE), nobody, options);
	return AV_OK;
}

static int emit_notice(struct av_ctx *ctx, const struct considered *c, const struct notice_decision *decision,
	const struct av_emit_options *options)
{
	Avvik__V1__NoticeDecided *decided =
		AV_NEW(ctx->arena, Avvik__V1__NoticeDecided, avvik__v1__notice_decided);
	Avvik__V1__Notice *notice = AV_NEW(ctx->arena, Avvik__V1__Notice, avvik__v1__notice);
	struct av_id id = av_ctx_id(ctx);

	if (!decided || !notice)
		return AV_MEMORY;
	decided->notice = notice;
	notice->notice_id = id_data(&id, ctx->arena);
	notice->case_id = c->event->case_id;
	notice->number = c->after->number;
	notice->rule = (char *)decision->rule;
	notice->person = (char *)decision->person;
	notice->channel = (char *)CHANNEL;
	notice->template_ = (char *)decision->template;
	notice->kind = decision->kind;
	notice->cause_id = c->event->event_id;
	notice->decided_at_ms = ctx->now_ms;
	notice->not_before_ms = decision->not_before_ms;
	notice->state = AVVIK__V1__NOTICE_STATE__NOTICE_STATE_DECIDED;
	char text[AV_ID_TEXT];
	av_id_text(&id, text);
	notice->message_id = av_arena_printf(
		ctx->arena, "%s@%s", text, mail_domain(ctx->settings ? ctx->settings->mail : NULL));
	notice->unit = (char *)decision->unit;
	notice->deputy_for = (char *)(decision->deputy_for ? decision->deputy_for : "");
	notice->role = (char *)decision->role;
	notice->case_kind = c->after->kind;
	notice->event = (char *)decision->event;
	if (decision->rung) {
		notice->deadline = decision->rung->rule;
		notice->deadline_id = decision->rung->deadline_id;
		notice->rung = decision->rung->kind;
		notice->due_on = decision->rung->due_on;
		notice->late = decision->rung->late;
	}
	if (!notice->message_id || !notice->notice_id.data)
		return AV_MEMORY;
	struct av_emit_options own = *options;
	own.event_id = &id; /* a notice is called after the event that decided it */
	av_emit(ctx, EVENT(NOTICE_DECIDED), decided, &own);
	struct attempt attempt = {.attempts = 0};
	notice_schedule(ctx->txn, &id, &attempt, notice->not_before_ms);
	return AV_OK;
}

static int emit_known(struct av_ctx *ctx, const struct considered *c, const struct av_emit_options *options)
{
	Avvik__V1__CaseKnown *known = av_arena_copy(ctx->arena, c->after, sizeof *c->after);
	if (!known)
		return AV_MEMORY;
	av_emit(ctx, EVENT(CASE_KNOWN), known, options);
	return AV_OK;
}

static int decide(struct av_ctx *ctx, const struct considered *c)
{
	struct av_id case_id = id_of(c->event->case_id), cause_id = id_of(c->event->event_id);
	struct av_id trace_id = id_of(c->event->trace_id);
	struct av_emit_options options = {.case_id = &case_id,
		.cause_id = &cause_id,
		.trace_id = id_is_zero(&trace_id) ? NULL : &trace_id};
	struct notice_question question = {.event = c->event,
		.before = c->before,
		.after = c->after,
		.pack = c->pack,
		.org = c->org,
		.reporter_has_mail = c->reporter_has_mail,
		.now_ms = ctx->now_ms};
	struct notice_decision *decisions = NULL;
	size_t count = 0;
	bool matched = false;

	int status = case_event_of_the_past(c->event)
			     ? AV_OK
			     : notices_decide(&question, ctx->arena, &decisions, &count, &matched);
	if (status == AV_OK && (c->changed || matched))
		status = emit_known(ctx, c, &options);
	for (size_t i = 0; status == AV_OK && i < count; i++) {
		const struct notice_decision *decision = &decisions[i];
		if (!decision->person)
			status = emit_nobody(ctx, c, decision, &options);
		else if (!notice_decided(ctx->txn, data_bytes(c->event->event_id), decision->rule,
				 decision->person, CHANNEL))
			status = emit_notice(ctx, c, decision, &options);
	}
	return status;
}

int case_event_take(struct av_ctx *ctx, const Avvik__V1__Event *event, struct av_bytes packed,
	const bool *reporter_has_mail)
{
	struct av_bytes case_id = data_bytes(event->case_id);
	struct considered c = {.event = NULL};

	if (case_id.size != AV_ID_SIZE)
		return AV_INVALID;
	int status = waiting_any(ctx->txn, case_id) ? AV_BUSY : gather(ctx, event, &c);
	if (status == AV_BUSY) {
		waiting_add(ctx->txn, case_id, event, packed, ctx->now_ms);
		return AV_OK;
	}
	if (status < 0)
		return status;
	if (reporter_has_mail)
		c.reporter_has_mail = *reporter_has_mail;
	return decide(ctx, &c);
}

/* One case's first waiting event. AV_BUSY: it still waits. */
static int resume(struct av_ctx *ctx, const struct av_id *case_id)
{
	struct considered c = {.event = NULL};
	Avvik__V1__Event *event;

	int status = waiting_first(ctx->txn, id_bytes(case_id), ctx->arena, &event);
	if (status < 0)
		return status;
	status = gather(ctx, event, &c);
	if (status == AV_OK)
		status = decide(ctx, &c);
	if (status == AV_OK)
		waiting_drop_first(ctx->txn, id_bytes(case_id));
	return status;
}

int case_events_resume(struct av_ctx *ctx, unsigned int limit, bool *ret_more)
{
	size_t room = limit ? limit : 1;
	struct av_id *cases = av_arena_alloc(ctx->arena, room * sizeof *cases);
	if (!cases)
		return AV_MEMORY;
	waiting_look_again(ctx->txn, ctx->arena, ctx->now_ms);
	size_t count = ready_some(ctx->txn, cases, room);
	*ret_more = false;
	if (count == 0)
		return AV_NOTHING;
	for (size_t i = 0; i < count; i++) {
		int status = resume(ctx, &cases[i]);
		if (status == AV_OK && waiting_any(ctx->txn, id_bytes(&cases[i])))
			continue; /* its next one has its turn after this, when the effect of this one can be
				     seen */
		if (status < 0 && status != AV_BUSY && status != AV_NOT_FOUND)
			return status;
		ready_drop(ctx->txn, id_bytes(&cases[i]));
	}
	*ret_more = ready_any(ctx->txn);
	return AV_OK;
}
