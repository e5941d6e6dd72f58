/* workflow_apply.c - what each event does to the records; nothing else changes them
 *
 * Live, in replay and in verify: from the event and the records alone. An event of a case raises the case's
 * version, an act on one of its deadlines too; what time does to deadlines does not, so that a warning never
 * makes a handler's version stale. Unknown events change nothing.
 */
#include "apply.h"

#include "base/macros.h"
#include "deadline_rules.h"
#include "wire/message.h"

/* --- deadlines --- */

static int on_deadline_set(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineSet *set = body;
	if (!set->deadline)
		return AV_MALFORMED;
	deadline_store(change->txn, (struct deadline_place){0}, set->deadline, change->arena);
	return AV_OK;
}

static int end_deadline(struct change *change, ProtobufCBinaryData deadline_id,
	Avvik__V1__DeadlineState state, int64_t ended_at_ms, ProtobufCBinaryData superseded_by)
{
	struct av_id id = id_of(deadline_id);
	struct deadline_place was;
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	was = deadline_place(ledger);
	if (deadline_stopped(ledger))
		deadline_resume(ledger, ended_at_ms); /* nothing stands still any more */
	if (deadline_open(
		    ledger)) { /* or else it ended with the joining of its case, before another took its place */
		ledger->ended_at_ms = ended_at_ms;
		ledger->ended_recorded_at_ms = change->event->recorded_at_ms;
	}
	ledger->state = state;
	ledger->superseded_by = superseded_by;
	deadline_store(change->txn, was, ledger, change->arena);
	return AV_OK;
}

static int on_deadline_met(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineMet *met = body;
	return end_deadline(change, met->deadline_id,
		met->late ? AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET_LATE
			  : AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET,
		met->acted_at_ms, (ProtobufCBinaryData){0, NULL});
}

static int on_deadline_cancelled(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineCancelled *cancelled = body;
	return end_deadline(change, cancelled->deadline_id,
		cancelled->because == AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED
			? AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_SUPERSEDED
			: AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED,
		change->event->occurred_at_ms, cancelled->superseded_by);
}

/* Ledger changed by an act or a fact; its plan follows in a DeadlineReplanned of the same turn. */
static int on_deadline_stopped(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineStopped *stopped = body;
	struct av_id id = id_of(stopped->deadline_id);
	struct deadline_place was;
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	was = deadline_place(ledger);
	status = deadline_stop(ledger, stopped->reason, change->event->occurred_at_ms, change->arena);
	if (status != AV_OK)
		return status;
	deadline_store(change->txn, was, ledger, change->arena);
	return change_keep_content(change, stopped->content);
}

static int on_deadline_resumed(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineResumed *resumed = body;
	struct av_id id = id_of(resumed->deadline_id);
	struct deadline_place was;
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	was = deadline_place(ledger);
	deadline_resume(ledger, change->event->occurred_at_ms);
	deadline_store(change->txn, was, ledger, change->arena);
	return change_keep_content(change, resumed->content);
}

static int on_deadline_extended(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineExtended *extended = body;
	struct av_id id = id_of(extended->deadline_id);
	struct deadline_place was;
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	was = deadline_place(ledger);
	ledger->extended += extended->count;
	deadline_store(change->txn, was, ledger, change->arena);
	return change_keep_content(change, extended->content);
}

static int on_deadline_replanned(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineReplanned *replanned = body;
	struct av_id id = replanned->deadline ? id_of(replanned->deadline->deadline_id) : (struct av_id){0};
	struct deadline_place was;
	Avvik__V1__Deadline *ledger;
	int status = replanned->deadline
			     ? deadline_load(change->txn, &change->id, &id, change->arena, &ledger)
			     : AV_MALFORMED;

	if (status != AV_OK)
		return status;
	was = deadline_place(ledger);
	deadline_store(change->txn, was, replanned->deadline, change->arena);
	return AV_OK;
}

static int on_rung_fired(struct change *change, const void *body)
{
	const Avvik__V1__RungFired *fired = body;
	struct av_id id = id_of(fired->deadline_id);
	struct deadline_place was;
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	if (fired->rung >= ledger->n_rungs)
		return AV_MALFORMED;
	was = deadline_place(ledger);
	ledger->rungs[fired->rung]->fired_at_ms = change->event->recorded_at_ms;
	ledger->rungs[fired->rung]->late = fired->late;
	deadline_store(change->txn, was, ledger, change->arena);
	return AV_OK;
}

/* --- the table --- */

static int on_directory_published(struct change *change, const void *body)
{
	struct av_id stamp = id_of(change->event->event_id);
	return directory_store(change->txn, body, &stamp, change->arena);
}

static int on_rules_published(struct change *change, const void *body)
{
	struct av_id stamp = id_of(change->event->event_id);
	return rules_store(change->txn, body, &stamp, change->arena);
}

static int on_rules_applied(struct change *change, const void *body)
{
	applying_store(change->txn, body, change->arena);
	return AV_OK;
}

enum changes { CASE_NEW, CASE_CHANGED, OTHER };

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
static const struct {
	unsigned int number;
	enum changes what;
	change_fn *function;
} table[] = {
	/* clang-format off */
	{ EVENT(DIRECTORY_PUBLISHED),     OTHER,        on_directory_published },
	{ EVENT(RULES_PUBLISHED),         OTHER,        on_rules_published },
	{ EVENT(RULES_APPLIED),           OTHER,        on_rules_applied },
	{ EVENT(CASE_OPENED),             CASE_NEW,     change_case_opened },
	{ EVENT(CASE_PLACED),             CASE_CHANGED, change_case_placed },
	{ EVENT(REPORTER_NAMED),          CASE_CHANGED, change_reporter_named },
	{ EVENT(CASE_REMEDIED),           CASE_CHANGED, change_case_remedied },
	{ EVENT(AFFECTED_INFORMED),       CASE_CHANGED, change_affected_informed },
	{ EVENT(CASE_ASSESSED_INITIALLY), CASE_CHANGED, change_case_assessed_initially },
	{ EVENT(SERIOUS_FOUND),           CASE_CHANGED, change_serious_found },
	{ EVENT(ENTRY_RECORDED),          CASE_CHANGED, change_entry_recorded },
	{ EVENT(INVESTIGATION_COMPLETED), CASE_CHANGED, change_investigation_completed },
	{ EVENT(CASE_DECIDED),            CASE_CHANGED, change_case_decided },
	{ EVENT(IVO_NOTIFIED),            CASE_CHANGED, change_ivo_notified },
	{ EVENT(INVESTIGATION_HANDED_IN), CASE_CHANGED, change_investigation_handed_in },
	{ EVENT(MEASURE_PROPOSED),        CASE_CHANGED, change_measure_proposed },
	{ EVENT(PROPOSAL_DECIDED),        CASE_CHANGED, change_proposal_decided },
	{ EVENT(EFFECT_JUDGED),           CASE_CHANGED, change_effect_judged },
	{ EVENT(MEASURE_DECIDED),         CASE_CHANGED, change_measure_decided },
	{ EVENT(NO_MEASURES_DECIDED),     CASE_CHANGED, change_no_measures_decided },
	{ EVENT(MEASURE_EXECUTED),        CASE_CHANGED, change_measure_executed },
	{ EVENT(MEASURE_EVALUATED),       CASE_CHANGED, change_measure_evaluated },
	{ EVENT(CASE_CLOSED),             CASE_CHANGED, change_case_closed },
	{ EVENT(DEVIATION_ASSESSED),      CASE_CHANGED, change_deviation_assessed },
	{ EVENT(RECURRENCE_FOUND),        CASE_CHANGED, change_recurrence_found },
	{ EVENT(RECURRENCE_NOTED),        CASE_CHANGED, change_recurrence_noted },
	{ EVENT(CASE_TAKEN_FOR_REVIEW),   CASE_CHANGED, change_case_taken_for_review },
	{ EVENT(COMPLETION_REQUESTED),    CASE_CHANGED, change_completion_requested },
	{ EVENT(COMPLETION_ANSWERED),     CASE_CHANGED, change_completion_answered },
	{ EVENT(INQUIRY_BEGUN),           CASE_CHANGED, change_inquiry_begun },
	{ EVENT(RISK_ASSESSED),           CASE_CHANGED, change_risk_assessed },
	{ EVENT(HIGH_RISK_FOUND),         CASE_CHANGED, change_high_risk_found },
	{ EVENT(INQUIRY_COMPLETED),       CASE_CHANGED, change_inquiry_completed },
	{ EVENT(CASE_TURNED_LEX_SARAH),   CASE_CHANGED, change_case_turned_lex_sarah },
	{ EVENT(CASE_SUPPLEMENTED),       CASE_CHANGED, change_case_supplemented },
	{ EVENT(CASE_RULES_SET),          CASE_CHANGED, change_case_rules_set },
	{ EVENT(IVO_DUTY_LIFTED),         CASE_CHANGED, change_ivo_duty_lifted },
	{ EVENT(IVO_REQUESTED),           CASE_CHANGED, change_ivo_requested },
	{ EVENT(IVO_ANSWERED),            CASE_CHANGED, change_ivo_answered },
	{ EVENT(IVO_DECIDED),             CASE_CHANGED, change_ivo_decided },
	{ EVENT(CASE_RECONSIDERED),       CASE_CHANGED, change_case_reconsidered },
	{ EVENT(CASE_RETURNED_TO_DEVIATION), CASE_CHANGED, change_case_returned_to_deviation },
	{ EVENT(CASE_REOPENED),           CASE_CHANGED, change_case_reopened },
	{ EVENT(RELATIVES_INFORMED),      CASE_CHANGED, change_relatives_informed },
	{ EVENT(FILE_ENTRY_CONFIRMED),    CASE_CHANGED, change_file_entry_confirmed },
	{ EVENT(POLICE_REPORT_DECIDED),   CASE_CHANGED, change_police_report_decided },
	{ EVENT(REGISTRY_NUMBER_SET),     CASE_CHANGED, change_registry_number_set },
	{ EVENT(INFORMATION_REGISTERED),  CASE_CHANGED, change_information_registered },
	{ EVENT(PROVIDER_NOTIFIED),       CASE_CHANGED, change_provider_notified },
	{ EVENT(CASE_JOINED),             CASE_CHANGED, change_case_joined },
	{ EVENT(OTHER_JOINED),            CASE_CHANGED, change_other_joined },
	{ EVENT(CASE_PARTED),             CASE_CHANGED, change_case_parted },
	{ EVENT(OTHER_PARTED),            CASE_CHANGED, change_other_parted },
	{ EVENT(JOINED_CASE_CLOSED),      CASE_CHANGED, change_joined_case_closed },
	{ EVENT(DUPLICATE_DISMISSED),     CASE_CHANGED, change_duplicate_dismissed },
	{ EVENT(CONTENT_CORRECTED),       CASE_CHANGED, change_content_corrected },
	{ EVENT(CORRECTION_COMPLETED),    CASE_CHANGED, change_correction_completed },
	{ EVENT(CASE_TAKEN_OVER),         CASE_CHANGED, change_case_taken_over },
	{ EVENT(DEADLINE_SET),            OTHER,        on_deadline_set },
	{ EVENT(DEADLINE_MET),            OTHER,        on_deadline_met },
	{ EVENT(DEADLINE_CANCELLED),      OTHER,        on_deadline_cancelled },
	{ EVENT(DEADLINE_STOPPED),        CASE_CHANGED, on_deadline_stopped },
	{ EVENT(DEADLINE_RESUMED),        CASE_CHANGED, on_deadline_resumed },
	{ EVENT(DEADLINE_EXTENDED),       CASE_CHANGED, on_deadline_extended },
	{ EVENT(DEADLINE_REPLANNED),      OTHER,        on_deadline_replanned },
	{ EVENT(RUNG_FIRED),              OTHER,        on_rung_fired },
}; /* clang-format on */

static size_t row_of(const Avvik__V1__Event *event)
{
	size_t row = 0;

	while (row < AV_COUNT(table) && table[row].number != (unsigned int)event->body_case)
		row++;
	return row;
}

int workflow_apply_in_memory(const Avvik__V1__Event *event, struct av_arena *arena, Avvik__V1__Case **found)
{
	struct change change = {.event = event, .arena = arena, .id = id_of(event->case_id), .found = *found};
	size_t row = row_of(event);
	int status;

	if (row == AV_COUNT(table) || table[row].what == OTHER)
		return AV_OK;
	status = table[row].function(&change, av_body(&event->base));
	*found = change.found;
	return status;
}

int workflow_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	struct change change = {.txn = txn, .event = event, .arena = arena, .id = id_of(event->case_id)};
	struct case_place was = {0};
	size_t row = row_of(event);
	int status;

	if (row == AV_COUNT(table))
		return AV_OK;
	if (table[row].what == CASE_CHANGED) {
		status = case_load(txn, &change.id, arena, &change.found);
		if (status != AV_OK)
			return status;
		was = (struct case_place){
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it was loaded */
			(int)change.found->kind, (int)change.found->state, change.found->unit};
	}
	status = table[row].function(&change, av_body(&event->base));
	if (status != AV_OK || table[row].what == OTHER)
		return status;
	change.found->version++;
	change.found->changed_at_ms = event->recorded_at_ms;
	case_store(txn, &change.id, was, change.found, arena);
	return AV_OK;
}
