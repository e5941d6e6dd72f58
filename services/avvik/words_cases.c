/* words_cases.c - what happens to cases and their deadlines, as sentences. */
#define HASH_NONFATAL_OOM 1
#include "words_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/macros.h"

/* --- the case --- */

static const char *say_case_opened(struct saying *say)
{
	const Avvik__V1__CaseOpened *body = say->event->case_opened;
	struct known_case *known = known_case_of(say->words, say->event->case_id);
	const char *waits = "";

	if (known) {
		snprintf(known->number, sizeof known->number, "%s", body->number);
		snprintf(known->unit, sizeof known->unit, "%s", body->unit);
		known->kind = body->kind;
	}
	if (body->state == AVVIK__V1__CASE_STATE__CASE_STATE_INCOMPLETE)
		waits = !body->placed && body->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH &&
					!body->reporter_named
				? "; waits for its unit and for the reporter's name"
			: !body->placed ? "; waits for its unit"
					: "; waits for the reporter's name";
	return SAY("%s is opened, received %s%s", say_subject(say),
		say_day(say, av_local_day(body->received_at_ms)), waits);
}

static const char *say_case_placed(struct saying *say)
{
	const Avvik__V1__CasePlaced *body = say->event->case_placed;
	struct known_case *known = known_case_of(say->words, say->event->case_id);
	const char *before = say_subject(say);

	if (known)
		snprintf(known->unit, sizeof known->unit, "%s", body->unit);
	if (known && body->kind)
		known->kind = body->kind;
	if (body->kind && strcmp(body->unit, body->from_unit) == 0)
		return SAY("%s is found to be a private provider's: the provider investigates and notifies "
			   "IVO%s",
			before, say_by(say));
	return SAY("%s is placed at %s%s", before, names_unit(&say->words->names, body->unit), say_by(say));
}

static const char *say_reporter_named(struct saying *say)
{
	return SAY("%s: the reporter is named%s", say_subject(say), say_by(say));
}

static const char *say_case_remedied(struct saying *say)
{
	const Avvik__V1__CaseRemedied *body = say->event->case_remedied;

	if (body->by_report)
		return SAY("%s: the report says that something was done at once", say_subject(say));
	return SAY("%s: %s%s", say_subject(say),
		body->none_needed ? "nothing needs to be remedied" : "remedied", say_by(say));
}

static const char *say_affected_informed(struct saying *say)
{
	return SAY("%s: the person concerned %s%s", say_subject(say),
		say->event->affected_informed->informed ? "is informed" : "is not informed, and why is noted",
		say_by(say));
}

static const char *say_relatives_informed(struct saying *say)
{
	const Avvik__V1__RelativesInformed *body = say->event->relatives_informed;
	return SAY("%s: %s%s%s", say_subject(say),
		body->informed ? say_enum(say, &avvik__v1__capacity__descriptor, (int)body->whom)
			       : "relatives",
		body->informed ? " informed" : " are not informed, and why is noted", say_by(say));
}

static const char *say_file_entry(struct saying *say)
{
	return SAY("%s: %s%s", say_subject(say),
		say->event->file_entry_confirmed->confirmed
			? "what happened is documented in the person's own file"
			: "an entry in a person's own file does not apply, and why is noted",
		say_by(say));
}

static const char *say_police(struct saying *say)
{
	return SAY("%s: report to the police: %s%s", say_subject(say),
		say_enum(say, &avvik__v1__police_report__descriptor,
			(int)say->event->police_report_decided->police_report),
		say_by(say));
}

static const char *say_registry(struct saying *say)
{
	const Avvik__V1__RegistryNumberSet *body = say->event->registry_number_set;
	return SAY("%s: registry number %s%s%s%s", say_subject(say), body->registry_number,
		*body->before ? ", before " : "", body->before, say_by(say));
}

static const char *say_information_registered(struct saying *say)
{
	return SAY("%s: the provider's report is registered (%s)%s", say_subject(say),
		say->event->information_registered->registry_number, say_by(say));
}

static const char *say_provider_notified(struct saying *say)
{
	const Avvik__V1__ProviderNotified *body = say->event->provider_notified;
	return SAY("%s: the provider notified IVO %s%s%s", say_subject(say),
		say_day(say, av_local_day(body->notified_at_ms)),
		body->by_provider ? ", as its own system tells" : "", say_by(say));
}

static const char *say_assessed_initially(struct saying *say)
{
	const Avvik__V1__CaseAssessedInitially *body = say->event->case_assessed_initially;

	if (!body->investigate)
		return SAY("%s: initial assessment, %s: to be closed as a recorded position%s",
			say_subject(say), say_degree(say, body->preliminary_degree), say_by(say));
	return SAY("%s: initial assessment, %s: %s is to investigate%s", say_subject(say),
		say_degree(say, body->preliminary_degree),
		*body->investigator ? body->investigator : "somebody", say_by(say));
}

static const char *say_serious_found(struct saying *say)
{
	return SAY("%s is found serious: IVO must be notified%s", say_subject(say), say_by(say));
}

static const char *say_entry_recorded(struct saying *say)
{
	const Avvik__V1__EntryRecorded *body = say->event->entry_recorded;
	return SAY("%s: the investigation documents item %u (%s)%s", say_subject(say), body->item,
		say_enum(say, &avvik__v1__entry_nature__descriptor, (int)body->nature), say_by(say));
}

static const char *say_investigation_completed(struct saying *say)
{
	return SAY("%s: the investigation is finished and locked, and proposes: %s%s", say_subject(say),
		say_degree(say, say->event->investigation_completed->proposed_degree), say_by(say));
}

static const char *say_case_decided(struct saying *say)
{
	const Avvik__V1__CaseDecided *body = say->event->case_decided;
	return SAY("%s is decided: %s%s%s", say_subject(say), say_degree(say, body->degree),
		body->ivo == AVVIK__V1__IVO_STATE__IVO_STATE_REQUIRED ? "; IVO must be notified" : "",
		say_by(say));
}

static const char *say_ivo_notified(struct saying *say)
{
	const Avvik__V1__IvoNotified *body = say->event->ivo_notified;
	return SAY("%s: IVO is notified (%s), %s%s", say_subject(say), body->registry_number,
		body->investigation_attached ? "with the investigation" : "the investigation is to follow",
		say_by(say));
}

static const char *say_investigation_handed_in(struct saying *say)
{
	return SAY("%s: the investigation is handed in to IVO%s", say_subject(say), say_by(say));
}

static const char *say_ivo_duty_lifted(struct saying *say)
{
	return SAY("%s: the duty to notify IVO is lifted%s", say_subject(say), say_by(say));
}

static const char *say_ivo_requested(struct saying *say)
{
	return SAY("%s: IVO asks for a completion, by %s%s", say_subject(say),
		say_day(say, say->event->ivo_requested->due_on), say_by(say));
}

static const char *say_ivo_answered(struct saying *say)
{
	return SAY("%s: IVO's request %u is answered%s", say_subject(say), say->event->ivo_answered->request,
		say_by(say));
}

static const char *say_ivo_decided(struct saying *say)
{
	const Avvik__V1__IvoDecided *body = say->event->ivo_decided;
	return SAY("%s: IVO has decided (%s): %s%s%s", say_subject(say), body->ivo_case_number,
		say_enum(say, &avvik__v1__ivo_outcome__descriptor, (int)body->outcome),
		body->investigation_missing ? "; the investigation is still to be handed in" : "",
		say_by(say));
}

static const char *say_reconsidered(struct saying *say)
{
	return SAY("%s: the position is reconsidered: %s is to investigate%s", say_subject(say),
		say->event->case_reconsidered->investigator, say_by(say));
}

static const char *say_returned(struct saying *say)
{
	struct known_case *known = known_case_of(say->words, say->event->case_id);
	const char *before = say_subject(say);

	if (known)
		known->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	return SAY("%s is returned to the unit as a deviation%s", before, say_by(say));
}

static const char *say_reopened(struct saying *say)
{
	return SAY("%s is opened again: %s is to investigate%s", say_subject(say),
		say->event->case_reopened->investigator, say_by(say));
}

static const char *say_measure_decided(struct saying *say)
{
	const Avvik__V1__MeasureDecided *body = say->event->measure_decided;
	return SAY("%s: a measure is decided; %s is to do it by %s%s", say_subject(say), body->responsible,
		say_day(say, body->planned_end_on), say_by(say));
}

static const char *say_measure_proposed(struct saying *say)
{
	const Avvik__V1__MeasureProposed *body = say->event->measure_proposed;
	return SAY("%s: a measure is proposed; %s would do it by %s%s", say_subject(say), body->responsible,
		say_day(say, body->planned_end_on), say_by(say));
}

static const char *say_proposal_decided(struct saying *say)
{
	const Avvik__V1__ProposalDecided *body = say->event->proposal_decided;

	if (body->verdict == AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_REJECTED)
		return SAY("%s: a proposed measure is rejected, and why is noted%s", say_subject(say),
			say_by(say));
	return SAY("%s: a proposed measure is approved%s; %s is to do it by %s%s", say_subject(say),
		body->verdict == AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_PARTLY ? " in part" : "",
		body->responsible, say_day(say, body->planned_end_on), say_by(say));
}

/* The last answer is told by what it settles. */
static const char *say_effect_judged(struct saying *say)
{
	const Avvik__V1__EffectJudged *body = say->event->effect_judged;

	if (!body->awaits_investigator && !body->awaits_manager)
		return NULL;
	return SAY("%s: the measure is judged %s%s; the %s is to judge it too", say_subject(say),
		body->effective ? "effective" : "not effective", say_by(say),
		body->awaits_manager ? "responsible manager" : "investigator");
}

static const char *say_recurrence_found(struct saying *say)
{
	return SAY("%s: the same has happened again, in case %s: the effect of its measures is to be judged "
		   "again",
		say_subject(say), say->event->recurrence_found->other_number);
}

static const char *say_recurrence_noted(struct saying *say)
{
	return SAY("%s: the same had happened in case %s, whose measures were judged effective",
		say_subject(say), say->event->recurrence_noted->other_number);
}

static const char *say_no_measures(struct saying *say)
{
	return SAY("%s: no measures, or no more, are needed%s", say_subject(say), say_by(say));
}

static const char *say_measure_executed(struct saying *say)
{
	return SAY("%s: a measure is done%s", say_subject(say), say_by(say));
}

static const char *say_measure_evaluated(struct saying *say)
{
	const Avvik__V1__MeasureEvaluated *body = say->event->measure_evaluated;
	return SAY("%s: the measure %s%s", say_subject(say),
		body->effective	    ? "has had its effect"
		: body->accept_risk ? "has had no effect; the risk is accepted"
				    : "has had no effect: another is needed",
		say_by(say));
}

static const char *say_case_closed(struct saying *say)
{
	const Avvik__V1__CaseClosed *body = say->event->case_closed;
	return SAY("%s is closed%s%s", say_subject(say),
		body->as_position ? " as a recorded position"
		: body->early	  ? " early, and why is noted"
				  : "",
		say_by(say));
}

static const char *say_case_supplemented(struct saying *say)
{
	return SAY("%s: later facts are added to the report", say_subject(say));
}

static const char *say_rules_set(struct saying *say)
{
	return SAY("%s is handled under the rule pack %s", say_subject(say),
		say->event->case_rules_set->rules_version);
}

/* --- deadlines --- */

static const char *say_deadline_set(struct saying *say)
{
	const Avvik__V1__Deadline *deadline = say->event->deadline_set->deadline;

	if (!deadline)
		return NULL;
	return SAY("%s: to %s by %s%s%s", say_subject(say),
		names_deadline(&say->words->names, deadline->rules_version, deadline->rule, false),
		say_day(say, deadline->due_on),
		deadline->due_on != deadline->nominal_on && deadline->moved
			? SAY(" (moved from %s)", say_day(say, deadline->nominal_on))
			: "",
		deadline->statutory ? ", a statutory deadline" : "");
}

static const char *say_deadline_met(struct saying *say)
{
	const Avvik__V1__DeadlineMet *body = say->event->deadline_met;
	return SAY("%s: done %s: to %s", say_subject(say),
		body->late	      ? "TOO LATE"
		: body->recorded_late ? "in time, though recorded late"
				      : "in time",
		say_deadline(say, body->rule));
}

static const char *say_deadline_cancelled(struct saying *say)
{
	const Avvik__V1__DeadlineCancelled *body = say->event->deadline_cancelled;
	return SAY("%s: no longer needed: to %s, since %s", say_subject(say), say_deadline(say, body->rule),
		names_anchor(body->because, false));
}

static const char *say_deadline_stopped(struct saying *say)
{
	const Avvik__V1__DeadlineStopped *body = say->event->deadline_stopped;
	return SAY("%s: stands still (%s): to %s", say_subject(say), body->reason,
		say_deadline(say, body->rule));
}

static const char *say_deadline_resumed(struct saying *say)
{
	const Avvik__V1__DeadlineResumed *body = say->event->deadline_resumed;
	return SAY("%s: goes on: to %s", say_subject(say), say_deadline(say, body->rule));
}

static const char *say_deadline_extended(struct saying *say)
{
	const Avvik__V1__DeadlineExtended *body = say->event->deadline_extended;
	return SAY("%s: more time (%u) to %s", say_subject(say), body->count, say_deadline(say, body->rule));
}

static const char *say_deadline_replanned(struct saying *say)
{
	const Avvik__V1__DeadlineReplanned *body = say->event->deadline_replanned;
	if (!body->deadline)
		return SAY("%s: a deadline is planned anew", say_subject(say));
	return SAY("%s: to %s by %s%s", say_subject(say), say_deadline(say, body->deadline->rule),
		say_day(say, body->deadline->due_on),
		body->due_before_ms ? SAY(" (was %s)", say_day(say, av_local_day(body->due_before_ms))) : "");
}

static const char *say_rules_applied(struct saying *say)
{
	const Avvik__V1__RulesApplied *body = say->event->rules_applied;
	if (!body->cases && !body->done)
		return SAY("open cases go over to the rule pack %s: %s", body->version,
			body->reason ? body->reason->text : "");
	return SAY("%u open cases with %u deadlines have gone over to the rule pack %s%s", body->cases,
		body->deadlines, body->version, body->done ? "; that was all" : "");
}

static const char *say_rung_fired(struct saying *say)
{
	const Avvik__V1__RungFired *body = say->event->rung_fired;
	const char *what = say_deadline(say, body->rule), *due = say_day(say, body->due_on);
	const char *to = names_recipients(&say->words->names, body->to, body->n_to, false);
	const char *late = body->late ? " (late: the system was stopped)" : "";

	switch (body->kind) {
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING:
		return SAY("%s: reminder to %s by %s, to %s%s", say_subject(say), what, due, to, late);
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_DUE:
		return SAY("%s: today is the last day to %s: reminder to %s%s", say_subject(say), what, to,
			late);
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE:
		return SAY("%s: OVERDUE since %s: to %s; told: %s%s", say_subject(say), due, what, to, late);
	default:
		return SAY("%s: ESCALATED to %s: not done since %s: to %s%s", say_subject(say), to, due, what,
			late);
	}
}

static const char *say_taken_over(struct saying *say)
{
	const Avvik__V1__CaseTakenOver *body = say->event->case_taken_over;
	return SAY("%s is taken over from %s, where it was %s (%s): %s", say_subject(say), body->system,
		body->external_id, say_enum(say, &avvik__v1__case_state__descriptor, (int)body->state),
		body->reason ? body->reason->text : "");
}

/* clang-format off */
const struct saying_row case_sayings[] = {
	{E(CASE_TAKEN_OVER),         say_taken_over},
	{E(CASE_OPENED),             say_case_opened},
	{E(CASE_PLACED),             say_case_placed},
	{E(REPORTER_NAMED),          say_reporter_named},
	{E(CASE_REMEDIED),           say_case_remedied},
	{E(AFFECTED_INFORMED),       say_affected_informed},
	{E(CASE_ASSESSED_INITIALLY), say_assessed_initially},
	{E(SERIOUS_FOUND),           say_serious_found},
	{E(ENTRY_RECORDED),          say_entry_recorded},
	{E(INVESTIGATION_COMPLETED), say_investigation_completed},
	{E(CASE_DECIDED),            say_case_decided},
	{E(IVO_NOTIFIED),            say_ivo_notified},
	{E(INVESTIGATION_HANDED_IN), say_investigation_handed_in},
	{E(RECURRENCE_FOUND),        say_recurrence_found},
	{E(RECURRENCE_NOTED),        say_recurrence_noted},
	{E(MEASURE_PROPOSED),        say_measure_proposed},
	{E(PROPOSAL_DECIDED),        say_proposal_decided},
	{E(EFFECT_JUDGED),           say_effect_judged},
	{E(MEASURE_DECIDED),         say_measure_decided},
	{E(NO_MEASURES_DECIDED),     say_no_measures},
	{E(MEASURE_EXECUTED),        say_measure_executed},
	{E(MEASURE_EVALUATED),       say_measure_evaluated},
	{E(CASE_CLOSED),             say_case_closed},
	{E(CASE_SUPPLEMENTED),       say_case_supplemented},
	{E(CASE_RULES_SET),          say_rules_set},
	{E(IVO_DUTY_LIFTED),         say_ivo_duty_lifted},
	{E(IVO_REQUESTED),           say_ivo_requested},
	{E(IVO_ANSWERED),            say_ivo_answered},
	{E(IVO_DECIDED),             say_ivo_decided},
	{E(CASE_RECONSIDERED),       say_reconsidered},
	{E(CASE_RETURNED_TO_DEVIATION), say_returned},
	{E(CASE_REOPENED),           say_reopened},
	{E(RELATIVES_INFORMED),      say_relatives_informed},
	{E(FILE_ENTRY_CONFIRMED),    say_file_entry},
	{E(POLICE_REPORT_DECIDED),   say_police},
	{E(REGISTRY_NUMBER_SET),     say_registry},
	{E(INFORMATION_REGISTERED),  say_information_registered},
	{E(PROVIDER_NOTIFIED),       say_provider_notified},
	{E(DEADLINE_SET),            say_deadline_set},
	{E(DEADLINE_MET),            say_deadline_met},
	{E(DEADLINE_CANCELLED),      say_deadline_cancelled},
	{E(DEADLINE_STOPPED),        say_deadline_stopped},
	{E(DEADLINE_RESUMED),        say_deadline_resumed},
	{E(DEADLINE_EXTENDED),       say_deadline_extended},
	{E(DEADLINE_REPLANNED),      say_deadline_replanned},
	{E(RULES_APPLIED),           say_rules_applied},
	{E(RUNG_FIRED),              say_rung_fired},
};
/* clang-format on */
const size_t case_saying_count = AV_COUNT(case_sayings);
