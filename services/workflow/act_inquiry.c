/* act_inquiry.c - the acts up to the decision: what each needs, writes, and means to deadlines
 *
 * Texts are sealed; an event carries codes, times and a reference to what was sealed. The author of an entry
 * is the acting person of the envelope.
 */
#include "act.h"

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

/* --- place, reporter --- */

static void check_place(struct act *act)
{
	const Avvik__V1__Unit *unit = av_org_unit(act->view.org, act->order->place->unit);

	if (!unit || !av_org_leaf(act->view.org, unit))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_REFERENCE), "unit",
			"a case is placed at a leaf of the directory that is in force: give the code of one");
	else if (strcmp(unit->code, act->found->unit) == 0 && !case_task(act->found, "unplaced"))
		av_fault(&act->ctx->faults, FAULT(DUPLICATE), "unit",
			"the case is placed there already: give another unit");
	if (act->found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION && unit &&
		!workflow_is_information(&act->view, act->pack, unit->code))
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "unit",
			"an information case is of a provider who investigates itself: give a unit that one "
			"runs, or "
			"file the report for this unit and close the case");
	if (!case_task(act->found, "unplaced"))
		act_need(act, act->order->place->motive, "motive", "the motive for moving the case");
}

static int write_place(struct act *act)
{
	Avvik__V1__CasePlaced *placed = ACT_NEW(act, CasePlaced, case_placed);
	int status = placed ? act_seal(act, act->order->place->motive, &placed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	placed->unit = act->order->place->unit;
	placed->from_unit = act->found->unit;
	placed->state = act->next;
	/* One that nobody has begun with may prove to be a private provider's. */
	return workflow_becomes_information(&act->view, act->pack, act->found, placed->unit)
		       ? act_becomes_information(act, placed, act->found->received_at_ms)
		       : act_tell(act, EVENT(CASE_PLACED), placed, 0, NULL);
}

static void check_name_reporter(struct act *act)
{
	const Avvik__V1__Reporter *reporter = act->order->name_reporter->reporter;
	static const Avvik__V1__Reporter nobody = AVVIK__V1__REPORTER__INIT;

	act_need_reporter(act, reporter ? reporter : &nobody);
}

/* The name and address stand apart as CONTACT, which alone is opened for notification. */
static int write_name_reporter(struct act *act)
{
	Avvik__V1__ReporterNamed *named = ACT_NEW(act, ReporterNamed, reporter_named);
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
	return act_tell(act, EVENT(REPORTER_NAMED), named, 0, NULL);
}

/* --- remedy, initial assessment --- */

static void check_remedy(struct act *act)
{
	act_need(act, act->order->remedy->text, "text", "the measure, or why none is needed");
}

static int write_remedy(struct act *act)
{
	Avvik__V1__CaseRemedied *remedied = ACT_NEW(act, CaseRemedied, case_remedied);
	int status = remedied ? act_seal(act, act->order->remedy->text, &remedied->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	remedied->none_needed = act->order->remedy->none_needed;
	return act_tell(act, EVENT(CASE_REMEDIED), remedied, ANCHOR(REMEDIED), NULL);
}

static void check_assess(struct act *act)
{
	const Avvik__V1__AssessInitially *assess = act->order->assess_initially;

	act_need(act, assess->motive, "motive", "the motive");
	if (assess->preliminary_degree == AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "preliminary_degree",
			"give the preliminary degree");
	if (assess->investigate)
		act_need_investigator(act, assess->investigator);
}

static int write_assess(struct act *act)
{
	const Avvik__V1__AssessInitially *assess = act->order->assess_initially;
	Avvik__V1__CaseAssessedInitially *assessed =
		ACT_NEW(act, CaseAssessedInitially, case_assessed_initially);
	int status = assessed ? act_seal(act, assess->motive, &assessed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	assessed->preliminary_degree = assess->preliminary_degree;
	assessed->investigate = assess->investigate;
	assessed->investigator = assess->investigate ? assess->investigator : (char *)"";
	assessed->state = act->next;
	return act_tell(act, EVENT(CASE_ASSESSED_INITIALLY), assessed, ANCHOR(ASSESSED_INITIALLY), NULL);
}

/* --- the investigation --- */

static void check_entry(struct act *act)
{
	const Avvik__V1__RecordEntry *entry = act->order->record_entry;

	if (entry->item < 1 || entry->item > 10)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "item",
			"give the item of the investigation, 1 to 10");
	if (entry->item == 9)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "item",
			"item 9 is the decision itself, and is documented when the case is decided: give "
			"another item");
	if (entry->nature == AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "nature",
			"say whether it is a fact or an assessment");
	act_need(act, entry->source, "source", "where the information comes from");
	act_need(act, entry->text, "text", "the text of the entry");
	act_need_code(act, act->pack->rules->cause_areas, act->pack->rules->n_cause_areas, entry->cause_area,
		"cause_area", "cause areas");
	if (entry->happened_at_ms > act->ctx->now_ms && entry->item != 7)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "happened_at_ms",
			"the time lies in the future: give when it happened");
}

static int write_entry(struct act *act)
{
	const Avvik__V1__RecordEntry *entry = act->order->record_entry;
	Avvik__V1__EntryRecorded *recorded = ACT_NEW(act, EntryRecorded, entry_recorded);
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	struct av_id id = av_ctx_id(act->ctx);
	int status;

	if (!recorded)
		return AV_MEMORY;
	text.text = entry->text;
	text.source = entry->source;
	if (act->done_by &&
		*act->done_by) /* who documented it in another system is an account of that system */
		text.note = av_arena_printf(act->ctx->arena, "Dokumenterat av %s i %s.", act->done_by,
			act->ledgers.taken_over_from);
	if (!text.note)
		return AV_MEMORY;
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
	return act_tell(act, EVENT(ENTRY_RECORDED), recorded, 0, NULL);
}

static void need_degree(struct act *act, Avvik__V1__Degree degree, const char *field)
{
	if (degree == AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), field, "give one of the five degrees");
}

static void check_complete(struct act *act)
{
	need_degree(act, act->order->complete_investigation->proposed_degree, "proposed_degree");
	act_need(act, act->order->complete_investigation->motive, "motive",
		"the motive for the proposed degree");
}

static int write_complete(struct act *act)
{
	Avvik__V1__InvestigationCompleted *completed =
		ACT_NEW(act, InvestigationCompleted, investigation_completed);
	int status = completed
			     ? act_seal(act, act->order->complete_investigation->motive, &completed->content)
			     : AV_MEMORY;

	if (status != AV_OK)
		return status;
	completed->proposed_degree = act->order->complete_investigation->proposed_degree;
	completed->state = act->next;
	return act_tell(act, EVENT(INVESTIGATION_COMPLETED), completed, 0, NULL);
}

static void check_decide(struct act *act)
{
	need_degree(act, act->order->decide->degree, "degree");
	act_need(act, act->order->decide->motive, "motive", "the motive for the decision");
}

/* A serious degree is the anchor of D4 unless the case was found serious before (the earlier of the two
 * holds), or has been notified. */
static int write_decide(struct act *act)
{
	Avvik__V1__CaseDecided *decided = ACT_NEW(act, CaseDecided, case_decided);
	int status = decided ? act_seal(act, act->order->decide->motive, &decided->content) : AV_MEMORY;
	struct av_id id;

	if (status != AV_OK)
		return status;
	decided->degree = act->order->decide->degree;
	decided->state = act->next;
	decided->ivo = act->ivo;
	id = act_emit(act, EVENT(CASE_DECIDED), decided);
	status = ledgers_fact(&act->ledgers, ANCHOR(DECIDED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && act->ivo == AVVIK__V1__IVO_STATE__IVO_STATE_REQUIRED &&
		!act->found->serious_at_ms)
		status = ledgers_fact(&act->ledgers, ANCHOR(SERIOUS), act->acted_at_ms, NULL, &id);
	return status;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(PLACE),                  "place",                  check_place,            write_place },
	{ ACT(NAME_REPORTER),          "name_reporter",          check_name_reporter,    write_name_reporter },
	{ ACT(REMEDY),                 "remedy",                 check_remedy,           write_remedy },
	{ ACT(ASSESS_INITIALLY),       "assess_initially",       check_assess,           write_assess },
	{ ACT(RECORD_ENTRY),           "record_entry",           check_entry,            write_entry },
	{ ACT(COMPLETE_INVESTIGATION), "complete_investigation", check_complete,         write_complete },
	{ ACT(DECIDE),                 "decide",                 check_decide,           write_decide },
}; /* clang-format on */
const struct act_rows act_rows_inquiry = {rows, AV_COUNT(rows)};
