/* act_writers.c - what each act on a case needs, writes, and means to its deadlines
 *
 * Texts are sealed; an event carries codes, times and a reference to what was sealed. The author of an entry is the
 * acting person of the envelope.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define MAKE(act, type, lower) AV_NEW((act)->ctx->arena, Avvik__V1__##type, avvik__v1__##lower)

static struct av_id emit(struct act *act, unsigned int number, void *body)
{
	struct av_emit_options options = {.case_id = &act->case_id, .occurred_at_ms = act->acted_at_ms};
	return av_emit(act->ctx, number, body, &options);
}

/* The event, and one fact that it is. */
static int tell(struct act *act, unsigned int number, void *body, Avvik__V1__Anchor fact, const ProtobufCBinaryData *measure_id)
{
	struct av_id id = emit(act, number, body);
	return fact ? ledgers_fact(&act->ledgers, fact, act->acted_at_ms, measure_id, &id) : AV_OK;
}

static int seal(struct act *act, char *text, Avvik__V1__ContentRef **ret_ref)
{
	Avvik__V1__CaseText sealed = AVVIK__V1__CASE_TEXT__INIT;
	int status;

	*ret_ref = NULL;
	sealed.text = text;
	status = av_seal_text(act->ctx, &sealed, ret_ref);
	return status == AV_NOTHING ? AV_OK : status;
}

static void need(struct act *act, const char *value, const char *field, const char *what)
{
	if (!*value)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), field, "give %s", what);
}

static void need_code(struct act *act, Avvik__V1__Code *const *codes, size_t count, const char *code, const char *field,
	const char *list)
{
	if (*code && !workflow_code(codes, count, code))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_VALUE), field, "the code is not in the rule pack %s: give one of its %s",
			act->pack->rules->version, list);
}

static void need_categories(struct act *act, const char *category, const char *subcategory)
{
	const Avvik__V1__RulePack *rules = act->pack->rules;
	const Avvik__V1__Code *sub = workflow_code(rules->categories, rules->n_categories, subcategory);

	need_code(act, rules->categories, rules->n_categories, category, "category", "categories");
	need_code(act, rules->categories, rules->n_categories, subcategory, "subcategory", "categories");
	if (*subcategory && sub && strcmp(sub->parent, category) != 0)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "subcategory",
			"the subcategory belongs to another category: give one whose parent is the category");
}

static void need_person(struct act *act, const char *person, const char *field)
{
	if (*person && !av_org_person(act->view.org, person))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_REFERENCE), field,
			"the person is not in the directory that is in force: give the id of one who is");
}

/* --- place, reporter --- */

static void check_place(struct act *act)
{
	const Avvik__V1__Unit *unit = av_org_unit(act->view.org, act->order->place->unit);

	if (!unit || !av_org_leaf(act->view.org, unit))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_REFERENCE), "unit",
			"a case is placed at a leaf of the directory that is in force: give the code of one");
	else if (strcmp(unit->code, act->found->unit) == 0 && !case_task(act->found, "unplaced"))
		av_fault(&act->ctx->faults, FAULT(DUPLICATE), "unit", "the case is placed there already: give another unit");
	if (!case_task(act->found, "unplaced"))
		need(act, act->order->place->motive, "motive", "the motive for moving the case");
}

static int write_place(struct act *act)
{
	Avvik__V1__CasePlaced *placed = MAKE(act, CasePlaced, case_placed);
	int status = placed ? seal(act, act->order->place->motive, &placed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	placed->unit = act->order->place->unit;
	placed->from_unit = act->found->unit;
	placed->state = act->next;
	return tell(act, EVENT(CASE_PLACED), placed, 0, NULL);
}

static void check_name_reporter(struct act *act)
{
	const Avvik__V1__Reporter *reporter = act->order->name_reporter->reporter;
	if (!reporter || !*reporter->name)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "reporter.name", "give the name of the reporter");
}

/* The name and address stand apart as CONTACT, which alone is opened for notification. */
static int write_name_reporter(struct act *act)
{
	Avvik__V1__ReporterNamed *named = MAKE(act, ReporterNamed, reporter_named);
	const Avvik__V1__Reporter *reporter = act->order->name_reporter->reporter;
	Avvik__V1__Contact contact = AVVIK__V1__CONTACT__INIT;
	struct av_content_part parts[2] = {{AVVIK__V1__CONTENT_PART__CONTENT_PART_REPORTER, {NULL, 0}},
		{AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT, {NULL, 0}}};
	int status;

	contact.name = reporter->name;
	contact.mail = reporter->mail;
	contact.phone = reporter->phone;
	parts[0].body = av_message_pack(&reporter->base, act->ctx->arena);
	parts[1].body = av_message_pack(&contact.base, act->ctx->arena);
	if (!named || !parts[0].body.data || !parts[1].body.data)
		return AV_MEMORY;
	status = av_seal_parts(act->ctx, parts, *reporter->mail ? 2 : 1, parts[0].body, &named->content);
	if (status != AV_OK)
		return status;
	named->state = act->next;
	return tell(act, EVENT(REPORTER_NAMED), named, 0, NULL);
}

/* --- remedy, information, initial assessment --- */

static void check_remedy(struct act *act)
{
	need(act, act->order->remedy->text, "text", "the measure, or why none is needed");
}

static int write_remedy(struct act *act)
{
	Avvik__V1__CaseRemedied *remedied = MAKE(act, CaseRemedied, case_remedied);
	int status = remedied ? seal(act, act->order->remedy->text, &remedied->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	remedied->none_needed = act->order->remedy->none_needed;
	return tell(act, EVENT(CASE_REMEDIED), remedied, ANCHOR(REMEDIED), NULL);
}

static void check_inform(struct act *act)
{
	need(act, act->order->inform_affected->text, "text", "who was told what, or why nobody was");
}

static int write_inform(struct act *act)
{
	Avvik__V1__AffectedInformed *informed = MAKE(act, AffectedInformed, affected_informed);
	int status = informed ? seal(act, act->order->inform_affected->text, &informed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	informed->informed = act->order->inform_affected->informed;
	return tell(act, EVENT(AFFECTED_INFORMED), informed, 0, NULL);
}

/* The investigator must be able to do the work: hold a role that records entries, for this unit. */
static void check_assess(struct act *act)
{
	const Avvik__V1__AssessInitially *assess = act->order->assess_initially;

	need(act, assess->motive, "motive", "the motive");
	if (assess->preliminary_degree == AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "preliminary_degree", "give the preliminary degree");
	if (!assess->investigate)
		return;
	need(act, assess->investigator, "investigator", "the investigator");
	need_person(act, assess->investigator, "investigator");
	if (*assess->investigator && av_org_person(act->view.org, assess->investigator) &&
		!workflow_holds_for(&act->view, act->pack, act->found, "record_entry", assess->investigator, act->found->unit,
			av_local_day(act->ctx->now_ms)))
		av_fault(&act->ctx->faults, FAULT(NOT_ALLOWED), "investigator",
			"the person holds no role that may record entries for the unit of the case: choose an investigator who does");
}

static int write_assess(struct act *act)
{
	const Avvik__V1__AssessInitially *assess = act->order->assess_initially;
	Avvik__V1__CaseAssessedInitially *assessed = MAKE(act, CaseAssessedInitially, case_assessed_initially);
	int status = assessed ? seal(act, assess->motive, &assessed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	assessed->preliminary_degree = assess->preliminary_degree;
	assessed->investigate = assess->investigate;
	assessed->investigator = assess->investigate ? assess->investigator : (char *)"";
	assessed->state = act->next;
	return tell(act, EVENT(CASE_ASSESSED_INITIALLY), assessed, ANCHOR(ASSESSED_INITIALLY), NULL);
}

static void check_find_serious(struct act *act)
{
	need(act, act->order->find_serious->motive, "motive", "why it is found serious");
}

static int write_find_serious(struct act *act)
{
	Avvik__V1__SeriousFound *serious = MAKE(act, SeriousFound, serious_found);
	int status = serious ? seal(act, act->order->find_serious->motive, &serious->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	serious->ivo = act->ivo;
	return tell(act, EVENT(SERIOUS_FOUND), serious, ANCHOR(SERIOUS), NULL);
}

/* --- the investigation --- */

static void check_entry(struct act *act)
{
	const Avvik__V1__RecordEntry *entry = act->order->record_entry;

	if (entry->item < 1 || entry->item > 10)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "item", "give the item of the investigation, 1 to 10");
	if (entry->nature == AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "nature", "say whether it is a fact or an assessment");
	need(act, entry->source, "source", "where the information comes from");
	need(act, entry->text, "text", "the text of the entry");
	need_code(act, act->pack->rules->cause_areas, act->pack->rules->n_cause_areas, entry->cause_area, "cause_area",
		"cause areas");
	if (entry->happened_at_ms > act->ctx->now_ms && entry->item != 7)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "happened_at_ms", "the time lies in the future: give when it happened");
}

static int write_entry(struct act *act)
{
	const Avvik__V1__RecordEntry *entry = act->order->record_entry;
	Avvik__V1__EntryRecorded *recorded = MAKE(act, EntryRecorded, entry_recorded);
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	struct av_id id = av_ctx_id(act->ctx);
	int status;

	if (!recorded)
		return AV_MEMORY;
	text.text = entry->text;
	text.source = entry->source;
	status = av_seal_text(act->ctx, &text, &recorded->content);
	if (status != AV_OK)
		return status;
	recorded->item = entry->item;
	recorded->nature = entry->nature;
	recorded->happened_at_ms = entry->happened_at_ms;
	recorded->cause_area = entry->cause_area;
	recorded->recurrent = entry->recurrent;
	recorded->risk_of_recurrence = entry->risk_of_recurrence;
	recorded->entry_id = id_data(&id, act->ctx->arena);
	return tell(act, EVENT(ENTRY_RECORDED), recorded, 0, NULL);
}

static void need_degree(struct act *act, Avvik__V1__Degree degree, const char *field)
{
	if (degree == AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), field, "give one of the five degrees");
}

static void check_complete(struct act *act)
{
	need_degree(act, act->order->complete_investigation->proposed_degree, "proposed_degree");
	need(act, act->order->complete_investigation->motive, "motive", "the motive for the proposed degree");
}

static int write_complete(struct act *act)
{
	Avvik__V1__InvestigationCompleted *completed = MAKE(act, InvestigationCompleted, investigation_completed);
	int status = completed ? seal(act, act->order->complete_investigation->motive, &completed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	completed->proposed_degree = act->order->complete_investigation->proposed_degree;
	completed->state = act->next;
	return tell(act, EVENT(INVESTIGATION_COMPLETED), completed, 0, NULL);
}

static void check_decide(struct act *act)
{
	need_degree(act, act->order->decide->degree, "degree");
	need(act, act->order->decide->motive, "motive", "the motive for the decision");
}

/* A serious degree is the anchor of D4 unless the case was found serious before: the earlier of the two holds. */
static int write_decide(struct act *act)
{
	Avvik__V1__CaseDecided *decided = MAKE(act, CaseDecided, case_decided);
	int status = decided ? seal(act, act->order->decide->motive, &decided->content) : AV_MEMORY;
	struct av_id id;

	if (status != AV_OK)
		return status;
	decided->degree = act->order->decide->degree;
	decided->state = act->next;
	decided->ivo = act->ivo;
	id = emit(act, EVENT(CASE_DECIDED), decided);
	status = ledgers_fact(&act->ledgers, ANCHOR(DECIDED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && case_is_serious(decided->degree) && !act->found->serious_at_ms)
		status = ledgers_fact(&act->ledgers, ANCHOR(SERIOUS), act->acted_at_ms, NULL, &id);
	return status;
}

/* --- IVO --- */

static void check_notify(struct act *act)
{
	need(act, act->order->notify_ivo->registry_number, "registry_number", "the registry number (diarienummer)");
}

static int write_notify(struct act *act)
{
	const Avvik__V1__NotifyIvo *notify = act->order->notify_ivo;
	Avvik__V1__IvoNotified *notified = MAKE(act, IvoNotified, ivo_notified);
	struct av_id id;
	int status;

	if (!notified)
		return AV_MEMORY;
	notified->registry_number = notify->registry_number;
	notified->investigation_attached = notify->investigation_attached;
	notified->form_version = notify->form_version;
	notified->receipt_number = notify->receipt_number;
	notified->attachments = notify->attachments;
	notified->ivo = act->ivo;
	id = emit(act, EVENT(IVO_NOTIFIED), notified);
	status = ledgers_fact(&act->ledgers, ANCHOR(NOTIFIED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && !notify->investigation_attached)
		status = ledgers_fact(&act->ledgers, ANCHOR(NOTIFIED_INCOMPLETE), act->acted_at_ms, NULL, &id);
	return status;
}

static int write_hand_in(struct act *act)
{
	Avvik__V1__InvestigationHandedIn *handed = MAKE(act, InvestigationHandedIn, investigation_handed_in);

	if (!handed)
		return AV_MEMORY;
	handed->channel = act->order->hand_in_investigation->channel;
	handed->ivo = act->ivo;
	return tell(act, EVENT(INVESTIGATION_HANDED_IN), handed, ANCHOR(INVESTIGATION_HANDED_IN), NULL);
}

/* --- measures --- */

static void check_decide_measure(struct act *act)
{
	const Avvik__V1__DecideMeasure *decide = act->order->decide_measure;

	need(act, decide->description, "description", "what is to be done");
	need(act, decide->responsible, "responsible", "the person who is responsible");
	need_person(act, decide->responsible, "responsible");
	if (decide->planned_end_on == 0)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "planned_end_on", "give the day the measure is to be done");
	else if (decide->planned_start_on > decide->planned_end_on)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "planned_end_on", "the measure ends before it begins: change one of the days");
}

/* The anchor of D25 is the planned end itself, a day to come. */
static int write_decide_measure(struct act *act)
{
	const Avvik__V1__DecideMeasure *decide = act->order->decide_measure;
	Avvik__V1__MeasureDecided *decided = MAKE(act, MeasureDecided, measure_decided);
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	struct av_id measure_id = av_ctx_id(act->ctx), id;
	int status;

	if (!decided)
		return AV_MEMORY;
	text.text = decide->description;
	text.goal = decide->goal;
	status = av_seal_text(act->ctx, &text, &decided->content);
	if (status != AV_OK)
		return status;
	decided->measure_id = id_data(&measure_id, act->ctx->arena);
	decided->horizon = decide->horizon;
	decided->responsible = decide->responsible;
	decided->planned_start_on = decide->planned_start_on;
	decided->planned_end_on = decide->planned_end_on;
	decided->measure_state = AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED;
	decided->state = act->next;
	act->accepted->measure_id = decided->measure_id;
	id = emit(act, EVENT(MEASURE_DECIDED), decided);
	return ledgers_fact(&act->ledgers, ANCHOR(MEASURE_PLANNED_END), av_day_start_ms(decide->planned_end_on),
		&decided->measure_id, &id);
}

static void check_no_measures(struct act *act)
{
	need(act, act->order->decide_no_measures->motive, "motive", "why no measure is needed");
}

static int write_no_measures(struct act *act)
{
	Avvik__V1__NoMeasuresDecided *none = MAKE(act, NoMeasuresDecided, no_measures_decided);
	int status = none ? seal(act, act->order->decide_no_measures->motive, &none->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	none->state = act->next;
	return tell(act, EVENT(NO_MEASURES_DECIDED), none, 0, NULL);
}

static int write_execute(struct act *act)
{
	const Avvik__V1__ExecuteMeasure *execute = act->order->execute_measure;
	Avvik__V1__MeasureExecuted *executed = MAKE(act, MeasureExecuted, measure_executed);
	int status = executed ? seal(act, execute->text, &executed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	executed->measure_id = execute->measure_id;
	executed->state = act->next;
	return tell(act, EVENT(MEASURE_EXECUTED), executed, ANCHOR(MEASURE_EXECUTED), &executed->measure_id);
}

static void check_evaluate(struct act *act)
{
	need(act, act->order->evaluate_measure->text, "text", "what was found of the effect");
}

static int write_evaluate(struct act *act)
{
	const Avvik__V1__EvaluateMeasure *evaluate = act->order->evaluate_measure;
	Avvik__V1__MeasureEvaluated *evaluated = MAKE(act, MeasureEvaluated, measure_evaluated);
	int status = evaluated ? seal(act, evaluate->text, &evaluated->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	evaluated->measure_id = evaluate->measure_id;
	evaluated->effective = evaluate->effective;
	evaluated->accept_risk = !evaluate->effective && evaluate->accept_risk;
	evaluated->state = act->next;
	return tell(act, EVENT(MEASURE_EVALUATED), evaluated, ANCHOR(MEASURE_EVALUATED), &evaluated->measure_id);
}

/* --- the end --- */

static void check_close(struct act *act)
{
	const Avvik__V1__CloseCase *close = act->order->close;
	const Avvik__V1__RulePack *rules = act->pack->rules;

	need_categories(act, close->category, *close->category ? close->subcategory : "");
	for (size_t i = 0; i < close->n_cause_areas; i++)
		need_code(act, rules->cause_areas, rules->n_cause_areas, close->cause_areas[i], "cause_areas", "cause areas");
}

/* A closed case has no running deadlines: what no fact has ended is cancelled, and the figures tell whether it was overdue. */
static int write_close(struct act *act)
{
	const Avvik__V1__CloseCase *close = act->order->close;
	Avvik__V1__CaseClosed *closed = MAKE(act, CaseClosed, case_closed);
	int status = closed ? seal(act, close->note, &closed->content) : AV_MEMORY;
	bool given = *close->category != '\0', position = act->found->state == AVVIK__V1__CASE_STATE__CASE_STATE_POSITION;
	struct av_id id;

	if (status != AV_OK)
		return status;
	closed->category = given ? close->category : act->found->category;
	closed->subcategory = given ? close->subcategory : act->found->subcategory;
	closed->n_cause_areas = close->n_cause_areas;
	closed->cause_areas = close->cause_areas;
	closed->degree = act->found->degree;
	closed->as_position = position;
	id = emit(act, EVENT(CASE_CLOSED), closed);
	if (position)
		status = ledgers_fact(&act->ledgers, ANCHOR(CLOSED_AS_POSITION), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_fact(&act->ledgers, ANCHOR(CLOSED), act->acted_at_ms, NULL, &id);
	return status == AV_OK ? ledgers_cancel(&act->ledgers, false, ANCHOR(CLOSED), &id) : status;
}

/* --- deviations --- */

static void check_assess_deviation(struct act *act)
{
	const Avvik__V1__AssessDeviation *assess = act->order->assess_deviation;
	uint32_t size = act->pack->rules->risk && act->pack->rules->risk->size ? act->pack->rules->risk->size : 4;

	if (assess->n_laws < 1 || assess->n_laws > 2)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "laws", "give the law it falls under, or two");
	for (size_t i = 0; i < assess->n_laws; i++)
		if (assess->laws[i] == AVVIK__V1__LAW__LAW_UNSPECIFIED)
			av_fault(&act->ctx->faults, FAULT(REQUIRED), "laws", "give the law it falls under, or two");
	if (assess->probability < 1 || assess->probability > size)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "probability", "give the probability, 1 to %u", size);
	if (assess->severity < 1 || assess->severity > size)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "severity", "give the severity, 1 to %u", size);
	need_categories(act, assess->category, *assess->category ? assess->subcategory : "");
}

static int warn_suspect(struct act *act)
{
	Avvik__V1__Fault *warning = MAKE(act, Fault, fault);
	Avvik__V1__Fault **warnings = av_arena_alloc(act->ctx->arena, sizeof(*warnings));

	if (!warning || !warnings)
		return AV_MEMORY;
	warning->path = (char *)"assess_deviation.severity";
	warning->code = FAULT(CONTRADICTION);
	warning->text = (char *)"the risk has reached the threshold of the rule pack: suspect misconduct, and turn the case into lex Sarah";
	warnings[0] = warning;
	act->accepted->warnings = warnings;
	act->accepted->n_warnings = 1;
	return AV_OK;
}

static int write_assess_deviation(struct act *act)
{
	const Avvik__V1__AssessDeviation *assess = act->order->assess_deviation;
	const Avvik__V1__RiskScale *risk = act->pack->rules->risk;
	Avvik__V1__DeviationAssessed *assessed = MAKE(act, DeviationAssessed, deviation_assessed);
	bool given = *assess->category != '\0';
	int status = assessed ? seal(act, assess->text, &assessed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	assessed->n_laws = assess->n_laws;
	assessed->laws = assess->laws;
	assessed->category = given ? assess->category : act->found->category;
	assessed->subcategory = given ? assess->subcategory : act->found->subcategory;
	assessed->probability = assess->probability;
	assessed->severity = assess->severity;
	assessed->state = act->next;
	assessed->suspect_lex_sarah = risk && case_suspects_lex_sarah(assess->probability, assess->severity,
						      risk->lex_sarah_product, risk->lex_sarah_severity);
	if (assessed->suspect_lex_sarah)
		status = warn_suspect(act);
	return status == AV_OK ? tell(act, EVENT(DEVIATION_ASSESSED), assessed, ANCHOR(ASSESSED), NULL) : status;
}

static void check_turn(struct act *act)
{
	need(act, act->order->turn_into_lex_sarah->motive, "motive", "why misconduct is suspected");
}

/* As lex Sarah the report is received now; the law is that of the day it first came in. A remedy already recorded counts. */
static int write_turn(struct act *act)
{
	Avvik__V1__CaseTurnedLexSarah *turned = MAKE(act, CaseTurnedLexSarah, case_turned_lex_sarah);
	int status = turned ? seal(act, act->order->turn_into_lex_sarah->motive, &turned->content) : AV_MEMORY;
	struct ledgers *ledgers = &act->ledgers;
	struct av_id id;

	if (status != AV_OK)
		return status;
	turned->state = act->next;
	turned->legal_reference = (char *)workflow_reference(act->pack, "remedy", act->found->laws, act->found->n_laws);
	id = emit(act, EVENT(CASE_TURNED_LEX_SARAH), turned);
	ledgers->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	status = ledgers_fact(ledgers, ANCHOR(TURNED_LEX_SARAH), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_cancel(ledgers, true, ANCHOR(TURNED_LEX_SARAH), &id);
	if (status == AV_OK)
		status = ledgers_fact(ledgers, ANCHOR(RECEIVED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && act->found->remedied)
		status = ledgers_fact(ledgers, ANCHOR(REMEDIED), act->found->remedied_at_ms, NULL, &id);
	return status;
}

#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
const struct act_row act_rows[] = { /* clang-format off */
	{ ACT(PLACE),                  "place",                  check_place,            write_place },
	{ ACT(NAME_REPORTER),          "name_reporter",          check_name_reporter,    write_name_reporter },
	{ ACT(REMEDY),                 "remedy",                 check_remedy,           write_remedy },
	{ ACT(INFORM_AFFECTED),        "inform_affected",        check_inform,           write_inform },
	{ ACT(ASSESS_INITIALLY),       "assess_initially",       check_assess,           write_assess },
	{ ACT(FIND_SERIOUS),           "find_serious",           check_find_serious,     write_find_serious },
	{ ACT(RECORD_ENTRY),           "record_entry",           check_entry,            write_entry },
	{ ACT(COMPLETE_INVESTIGATION), "complete_investigation", check_complete,         write_complete },
	{ ACT(DECIDE),                 "decide",                 check_decide,           write_decide },
	{ ACT(NOTIFY_IVO),             "notify_ivo",             check_notify,           write_notify },
	{ ACT(HAND_IN_INVESTIGATION),  "hand_in_investigation",  NULL,                   write_hand_in },
	{ ACT(DECIDE_MEASURE),         "decide_measure",         check_decide_measure,   write_decide_measure },
	{ ACT(DECIDE_NO_MEASURES),     "decide_no_measures",     check_no_measures,      write_no_measures },
	{ ACT(EXECUTE_MEASURE),        "execute_measure",        NULL,                   write_execute },
	{ ACT(EVALUATE_MEASURE),       "evaluate_measure",       check_evaluate,         write_evaluate },
	{ ACT(CLOSE),                  "close",                  check_close,            write_close },
	{ ACT(ASSESS_DEVIATION),       "assess_deviation",       check_assess_deviation, write_assess_deviation },
	{ ACT(TURN_INTO_LEX_SARAH),    "turn_into_lex_sarah",    check_turn,             write_turn },
}; /* clang-format on */
const size_t act_row_count = AV_COUNT(act_rows);
