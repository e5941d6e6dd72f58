/* act_parts.c - what the writers of acts share: events, facts, sealed texts, and what a field must be */
#include "act.h"

#include <string.h>

#include "wire/rules.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

struct av_id act_emit(struct act *act, unsigned int number, void *body)
{
	const char *taken_over_from = act->ledgers.taken_over_from;
	struct av_emit_options options = {.case_id = &act->case_id,
		.occurred_at_ms = act->acted_at_ms,
		.role = act->role,
		.person = taken_over_from ? "" : NULL,
		.taken_over_from = taken_over_from};
	struct act_told *told = taken_over_from ? av_arena_alloc(act->ctx->arena, sizeof(*told)) : NULL;

	act->events++;
	if (told) { /* without memory av_emit fails too */
		*told = (struct act_told){number, body, NULL};
		*act->told_end = told;
		act->told_end = &told->next;
	}
	return av_emit(act->ctx, number, body, &options);
}

/* The event, and one fact that it is. */
int act_tell(struct act *act, unsigned int number, void *body, Avvik__V1__Anchor fact,
	const ProtobufCBinaryData *measure_id)
{
	struct av_id id = act_emit(act, number, body);
	return fact ? ledgers_fact(&act->ledgers, fact, act->acted_at_ms, measure_id, &id) : AV_OK;
}

int act_seal(struct act *act, char *text, Avvik__V1__ContentRef **ret_ref)
{
	Avvik__V1__CaseText sealed = AVVIK__V1__CASE_TEXT__INIT;
	int status;

	*ret_ref = NULL;
	sealed.text = text;
	status = av_seal_text(act->ctx, &sealed, ret_ref);
	return status == AV_NOTHING ? AV_OK : status;
}

void act_need(struct act *act, const char *value, const char *field, const char *what)
{
	if (!*value)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), field, "give %s", what);
}

void act_need_code(struct act *act, Avvik__V1__Code *const *codes, size_t count, const char *code,
	const char *field, const char *list)
{
	if (*code && !workflow_code(codes, count, code))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_VALUE), field,
			"the code is not in the rule pack %s: give one of its %s", act->pack->rules->version,
			list);
}

void act_need_categories(struct act *act, const char *category, const char *subcategory)
{
	const Avvik__V1__RulePack *rules = act->pack->rules;
	const Avvik__V1__Code *sub = workflow_code(rules->categories, rules->n_categories, subcategory);

	act_need_code(act, rules->categories, rules->n_categories, category, "category", "categories");
	act_need_code(act, rules->categories, rules->n_categories, subcategory, "subcategory", "categories");
	if (*subcategory && sub && strcmp(sub->parent, category) != 0)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "subcategory",
			"the subcategory belongs to another category: give one whose parent is the category");
}

void act_need_reporter(struct act *act, const Avvik__V1__Reporter *reporter)
{
	act_need(act, reporter->name, "reporter.name", "the name of the reporter");
	if (*reporter->mail && !av_is_mail(reporter->mail))
		av_fault(&act->ctx->faults, FAULT(MALFORMED), "reporter.mail",
			"is not a mail address: give it as name@example.se, without name or spaces, or leave "
			"it "
			"out when the reporter has none");
}

void act_need_person(struct act *act, const char *person, const char *field)
{
	if (*person && !av_org_person(act->view.org, person))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_REFERENCE), field,
			"the person is not in the directory that is in force: give the id of one who is");
}

/* Of the unit itself: a role given at it or above it, but no higher than the level of units. */
static bool works_at(const struct act *act, const char *person)
{
	const Avvik__V1__Person *known = av_org_person(act->view.org, person);
	av_day today = av_local_day(act->ctx->now_ms);

	for (size_t i = 0; known && i < known->n_roles; i++) {
		const Avvik__V1__RoleHeld *held = known->roles[i];
		const Avvik__V1__Unit *unit = av_org_unit(act->view.org, held->unit);
		if (unit && unit->level >= AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_UNIT && held->from_on <= today &&
			(!held->until_on || held->until_on >= today) &&
			av_org_within(act->view.org, act->found->unit, held->unit))
			return true;
	}
	return false;
}

void act_need_investigator(struct act *act, const char *person)
{
	act_need(act, person, "investigator", "the investigator");
	act_need_person(act, person, "investigator");
	if (!*person || !av_org_person(act->view.org, person))
		return;
	if (!workflow_holds_for(&act->view, act->pack, act->found, "record_entry", person, act->found->unit,
		    av_local_day(act->ctx->now_ms)))
		av_fault(&act->ctx->faults, FAULT(NOT_ALLOWED), "investigator",
			"the person holds no role that may record entries for the unit of the case: choose "
			"an investigator who does");
	if (strcmp(person, act->found->reported_by) == 0)
		av_fault(&act->ctx->faults, FAULT(NOT_ALLOWED), "investigator",
			"the report was sent on behalf of this person, who does not investigate it: choose "
			"another investigator");
	if (act->pack->rules->independent_investigator && works_at(act, person))
		av_fault(&act->ctx->faults, FAULT(NOT_ALLOWED), "investigator",
			"the person holds a role at the reported unit itself, and the rule pack %s wants an "
			"independent investigator: choose one from elsewhere",
			act->pack->rules->version);
}

int act_warn(struct act *act, const char *path, const char *text)
{
	Avvik__V1__ActAccepted *accepted = act->accepted;
	Avvik__V1__Fault *warning = ACT_NEW(act, Fault, fault),
			 **warnings = av_arena_alloc(
				 act->ctx->arena, (accepted->n_warnings + 1) * sizeof(*warnings));

	if (!warning || !warnings)
		return AV_MEMORY;
	warning->path = (char *)path;
	warning->code = FAULT(CONTRADICTION);
	warning->text = (char *)text;
	if (accepted->n_warnings)
		memcpy(warnings, accepted->warnings, accepted->n_warnings * sizeof(*warnings));
	warnings[accepted->n_warnings++] = warning;
	accepted->warnings = warnings;
	return AV_OK;
}
