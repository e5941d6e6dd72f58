/* check_states.c - each case follows the tables of docs/case-tables.md, row by row, and what stands beside them
 */
#include "check_inner.h"

#include <string.h>

#include "table.h"

typedef bool when(const struct told_case *found, const Avvik__V1__Event *event);

/* --- which outcome of an act --- */

static bool rejected(const struct told_case *found, const Avvik__V1__Event *event)
{
	AV_UNUSED(found);
	return event->proposal_decided->verdict == AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_REJECTED;
}

static bool approved(const struct told_case *found, const Avvik__V1__Event *event)
{
	return !rejected(found, event);
}

/* To be executed, or to be decided first. */
static bool others_remain(const struct told_case *found, const Avvik__V1__Event *event)
{
	AV_UNUSED(event);
	return found->to_execute > 1 || found->wants_measure;
}

static bool the_last(const struct told_case *found, const Avvik__V1__Event *event)
{
	return !others_remain(found, event);
}

static bool wanting(const struct told_case *found, const Avvik__V1__Event *event)
{
	AV_UNUSED(found);
	return !event->measure_evaluated->effective && !event->measure_evaluated->accept_risk;
}

static bool enough(const struct told_case *found, const Avvik__V1__Event *event)
{
	return !wanting(found, event);
}

static bool early(const struct told_case *found, const Avvik__V1__Event *event)
{
	AV_UNUSED(found);
	return event->case_closed->early;
}

static bool in_time(const struct told_case *found, const Avvik__V1__Event *event)
{
	return !early(found, event);
}

static bool by_risk(const struct told_case *found, const Avvik__V1__Event *event)
{
	AV_UNUSED(found);
	return event->case_turned_lex_sarah->cause == AVVIK__V1__TURN_CAUSE__TURN_CAUSE_THRESHOLD;
}

static bool by_answer(const struct told_case *found, const Avvik__V1__Event *event)
{
	return !by_risk(found, event);
}

/* What a fact does to a deadline has no motive, and is no act; nor is the report's own word of what was done at once, or the
 * last answer to a check, which MeasureEvaluated settles. */
static bool speaks_of_act(const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(DEADLINE_STOPPED):
		return event->deadline_stopped->content;
	case EVENT(DEADLINE_RESUMED):
		return event->deadline_resumed->content;
	case EVENT(DEADLINE_EXTENDED):
		return event->deadline_extended->content;
	case EVENT(CASE_REMEDIED):
		return !event->case_remedied->by_report;
	case EVENT(EFFECT_JUDGED):
		return event->effect_judged->awaits_investigator || event->effect_judged->awaits_manager;
	default:
		return true;
	}
}

static const struct told_row {
	unsigned int event;
	const char *act, *what;
	when *when;
} told_rows[] = {
	/* clang-format off */
	{EVENT(CASE_PLACED),             "place",                  "placed at a unit", NULL},
	{EVENT(CASE_PLACED),             "place",                  "placed, and nothing else is missing", NULL},
	{EVENT(REPORTER_NAMED),          "name_reporter",          "the reporter is named", NULL},
	{EVENT(REPORTER_NAMED),          "name_reporter",          "named, and nothing else is missing", NULL},
	{EVENT(CASE_REMEDIED),           "remedy",                 "remedied, or none needed", NULL},
	{EVENT(AFFECTED_INFORMED),       "inform_affected",        "the affected are informed, or why not", NULL},
	{EVENT(RELATIVES_INFORMED),      "inform_relatives",       "relatives or guardians are informed, or why not", NULL},
	{EVENT(FILE_ENTRY_CONFIRMED),    "confirm_file_entry",     "documented in the person's own file, or why not", NULL},
	{EVENT(POLICE_REPORT_DECIDED),   "decide_police_report",   "a report to the police: needed or not, made", NULL},
	{EVENT(REGISTRY_NUMBER_SET),     "set_registry_number",    "the registry number is set, or corrected", NULL},
	{EVENT(CASE_ASSESSED_INITIALLY), "assess_initially",       "initial assessment: to be investigated", NULL},
	{EVENT(CASE_ASSESSED_INITIALLY), "assess_initially",       "initial assessment: a recorded position", NULL},
	{EVENT(SERIOUS_FOUND),           "find_serious",           "found serious: IVO must be notified", NULL},
	{EVENT(ENTRY_RECORDED),          "record_entry",           "an entry of the investigation", NULL},
	{EVENT(INVESTIGATION_COMPLETED), "complete_investigation", "the investigation is finished and locked", NULL},
	{EVENT(CASE_DECIDED),            "decide",                 "decided", NULL},
	{EVENT(IVO_NOTIFIED),            "notify_ivo",             "IVO is notified", NULL},
	{EVENT(INVESTIGATION_HANDED_IN), "hand_in_investigation",  "the investigation is handed in to IVO", NULL},
	{EVENT(MEASURE_PROPOSED),        "propose_measure",        "a measure is proposed", NULL},
	{EVENT(PROPOSAL_DECIDED),        "decide_proposal",        "the proposed measure is approved, wholly or in part", approved},
	{EVENT(PROPOSAL_DECIDED),        "decide_proposal",        "the proposed measure is rejected", rejected},
	{EVENT(MEASURE_DECIDED),         "decide_measure",         "a measure is decided", NULL},
	{EVENT(NO_MEASURES_DECIDED),     "decide_no_measures",     "no measures, or no more, with a motive", NULL},
	{EVENT(MEASURE_EXECUTED),        "execute_measure",        "a measure is executed, others remain", others_remain},
	{EVENT(MEASURE_EXECUTED),        "execute_measure",        "the last measure is executed", the_last},
	{EVENT(EFFECT_JUDGED),           "evaluate_measure",       "one has judged its effect, another is awaited", NULL},
	{EVENT(MEASURE_EVALUATED),       "evaluate_measure",       "its effect is judged: settled", enough},
	{EVENT(MEASURE_EVALUATED),       "evaluate_measure",       "not effective: a new measure is needed", wanting},
	{EVENT(CASE_CLOSED),             "close",                  "closed", in_time},
	{EVENT(CASE_CLOSED),             "close_early",            "closed early, with a motive", early},
	{EVENT(CASE_TAKEN_FOR_REVIEW),   "take_for_review",        "taken for review by a handler", NULL},
	{EVENT(COMPLETION_REQUESTED),    "request_completion",     "the reporter is asked to complete", NULL},
	{EVENT(COMPLETION_ANSWERED),     "answer_completion",      "the answer is in", NULL},
	{EVENT(INQUIRY_BEGUN),           "begin_inquiry",          "an inquiry begins, under one law or two", NULL},
	{EVENT(RISK_ASSESSED),           "assess_risk",            "the risk is assessed under a law", NULL},
	{EVENT(CASE_TURNED_LEX_SARAH),   "assess_risk",            "it reaches the thresholds: turned into lex Sarah (another kind of case)", by_risk},
	{EVENT(CASE_TURNED_LEX_SARAH),   "turn_into_lex_sarah",    "turned into lex Sarah (another kind of case)", by_answer},
	{EVENT(INQUIRY_COMPLETED),       "complete_inquiry",       "the inquiry is finished and locked", NULL},
	{EVENT(DEADLINE_STOPPED),        "stop_deadline",          "a deadline stands still, for a reason that its rule allows", NULL},
	{EVENT(DEADLINE_RESUMED),        "resume_deadline",        "it goes on", NULL},
	{EVENT(DEADLINE_EXTENDED),       "extend_deadline",        "it gets more time, as far as its rule allows", NULL},
	{EVENT(IVO_DUTY_LIFTED),         "lift_ivo_duty",          "the duty to notify IVO is lifted", NULL},
	{EVENT(IVO_REQUESTED),           "record_ivo_request",     "IVO asks for a completion", NULL},
	{EVENT(IVO_ANSWERED),            "answer_ivo_request",     "IVO's request is answered", NULL},
	{EVENT(IVO_DECIDED),             "record_ivo_decision",    "IVO has decided", NULL},
	{EVENT(CASE_RECONSIDERED),       "reconsider",             "a position is reconsidered: to be investigated", NULL},
	{EVENT(CASE_RETURNED_TO_DEVIATION), "return_to_deviation", "returned to the unit as a deviation (another kind of case)", NULL},
	{EVENT(CASE_REOPENED),           "reopen",                 "opened again: to be investigated anew", NULL},
	{EVENT(INFORMATION_REGISTERED),  "register_information",   "a private provider's report is registered", NULL},
	{EVENT(INFORMATION_REGISTERED),  "register_information",   "registered, and the provider has notified IVO already", NULL},
	{EVENT(CASE_JOINED),             "join",                   "joined: its report stands under another case of the same event", NULL},
	{EVENT(CASE_PARTED),             "part",                   "parted again: goes on as incomplete", NULL},
	{EVENT(CASE_PARTED),             "part",                   "parted again: goes on as received", NULL},
	{EVENT(CASE_PARTED),             "part",                   "parted again: the investigation goes on", NULL},
	{EVENT(CASE_PARTED),             "part",                   "parted again: the review goes on", NULL},
	{EVENT(CASE_PARTED),             "part",                   "parted again: the reporter is still asked", NULL},
	{EVENT(DUPLICATE_DISMISSED),     "dismiss_duplicate",      "what is suggested as the same event is another", NULL},
	{EVENT(PROVIDER_NOTIFIED),       "record_provider_notification", "the provider has notified IVO", NULL},
}; /* clang-format on */

/* The state that an event says it leads to; UNSPECIFIED: it says none, and there is none to change. */
static Avvik__V1__CaseState state_told(const Avvik__V1__Event *event)
{
	const ProtobufCFieldDescriptor *field = av_body_field(&event->base);
	const ProtobufCFieldDescriptor *state =
		protobuf_c_message_descriptor_get_field_by_name(field->descriptor, "state");
	if (event->body_case == EVENT(CASE_CLOSED))
		return AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED;
	if (!state)
		return AVVIK__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
	return *(const Avvik__V1__CaseState *)(const void *)((const char *)av_body(&event->base) +
							     state->offset);
}

/* What the case has become beside its state. */
static void tell_facts(struct told_case *found, const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(CASE_PLACED):
		found->unit = event->case_placed->unit;
		if (event->case_placed->kind)
			found->kind = event->case_placed->kind;
		break;
	case EVENT(CASE_TURNED_LEX_SARAH):
		found->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
		break;
	case EVENT(CASE_RETURNED_TO_DEVIATION):
		found->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
		break;
	case EVENT(PROPOSAL_DECIDED):
		if (rejected(found, event))
			break;
		found->to_execute++;
		found->wants_measure = false;
		break;
	case EVENT(MEASURE_DECIDED):
		found->to_execute++;
		found->wants_measure = false;
		break;
	case EVENT(NO_MEASURES_DECIDED):
		found->wants_measure = false;
		break;
	case EVENT(MEASURE_EVALUATED):
		found->wants_measure |= wanting(found, event);
		break;
	case EVENT(MEASURE_EXECUTED):
		found->to_execute--;
		break;
	default:
		break;
	}
}

struct told_case *told_case_of(struct told *t, const Avvik__V1__Event *event)
{
	struct av_id id = sim_id(event->case_id);
	for (size_t i = t->case_count; i-- > 0;)
		if (memcmp(&t->cases[i].id, &id, sizeof id) == 0)
			return &t->cases[i];
	return NULL;
}

void tell_opened(struct told *t, const Avvik__V1__Event *event)
{
	SIM_EXPECT(
		t->w, !told_case_of(t, event), "workflow: case %s is opened twice", sim_hex(event->case_id));
	t->cases[t->case_count++] = (struct told_case){.id = sim_id(event->case_id),
		.kind = event->case_opened->kind,
		.state = event->case_opened->state,
		.ivo = AVVIK__V1__IVO_STATE__IVO_STATE_NOT_REQUIRED,
		.unit = event->case_opened->unit,
		.investigator = ""};
}

/* False: the row does not speak of this. */
static bool follow_row(
	struct told *t, struct told_case *found, const Avvik__V1__Event *event, const struct told_row *row)
{
	Avvik__V1__CaseState next = table_next(found->kind, row->act, row->what, found->state);
	Avvik__V1__CaseState to = state_told(event);
	if (!next || (to && next != to) || (row->when && !row->when(found, event)))
		return false;
	if (t->end)
		table_played(found->kind, row->act, row->what, found->state);
	tell_ivo(t, found, event);
	found->state = next;
	tell_facts(found, event);
	return true;
}

void tell_state(struct told *t, const Avvik__V1__Event *event)
{
	struct told_case *found = told_case_of(t, event);
	bool spoken = false;
	if (!speaks_of_act(event))
		return;
	for (size_t i = 0; i < AV_COUNT(told_rows); i++) {
		const struct told_row *row = &told_rows[i];
		if (row->event != (unsigned int)event->body_case)
			continue;
		SIM_EXPECT(t->w, found, "workflow: event %llu of a case that was never opened",
			(unsigned long long)event->sequence);
		if (follow_row(t, found, event, row))
			return;
		spoken = true;
	}
	SIM_EXPECT(t->w, !spoken,
		"workflow: event %llu (%s) takes case %s from %s to %s, which the table does not know",
		(unsigned long long)event->sequence, av_body_field(&event->base)->name,
		sim_hex(event->case_id), av_enum_name(&avvik__v1__case_state__descriptor, (int)found->state),
		av_enum_name(&avvik__v1__case_state__descriptor, (int)state_told(event)));
}
